"""Sending, blocking (requests) or async (httpx): the attempts, the waits between them, the connections.

What is sent and what its answer means is not decided here. Refuses options that cannot be used, with ``LocalError``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import requests.adapters

from mm7zeep.client.judging import FAILED, finish, recover
from mm7zeep.client.outcomes import RETRY, Accepted, Retry
from mm7zeep.client.sending import Sender, Sending
from mm7zeep.credentials import ClientCert, File
from mm7zeep.errors import StatusError, TransportError
from mm7zeep.messages import Message
from mm7zeep.profiles import Policy, Profile
from mm7zeep.transport import (
    AsyncMm7Client,
    AsyncSwaTransport,
    Auth,
    HttpExchange,
    Mm7Client,
    Progress,
    SwaTransport,
    Timeouts,
)
from mm7zeep.transport.bound import TIMEOUTS
from mm7zeep.transport.statuses import seconds


class SyncSender(Sender):
    """Sends through zeep and requests.

    ``adapter`` is what opens the connections, in place of our own, until closed. ``sleep`` waits so many seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        auth: Auth = None,
        profile: str | Profile | None = None,
        policy: Policy | None = None,
        timeouts: Timeouts = TIMEOUTS,
        retry: Retry = RETRY,
        ca_file: File | None = None,
        client_cert: ClientCert = None,
        headers: Mapping[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        max_reply: int = 1024 * 1024,
        adapter: requests.adapters.BaseAdapter | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(url, profile=profile, policy=policy, retry=retry)
        self.transport = SwaTransport(
            auth=auth,
            timeouts=timeouts,
            ca_file=ca_file,
            client_cert=client_cert,
            proxies=proxies,
            max_reply=max_reply,
            headers=self._headers(headers),
            adapter=adapter,
        )
        self._sleep = sleep
        self.client = Mm7Client(url, transport=self.transport, **self._zeep_options())

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def send(
        self,
        message: Message,
        *,
        transaction_id: str | None = None,
        progress: Progress | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Accepted[Any]:
        """Send any request message and give its accepted answer.

        ``transaction_id`` is made fresh unless given; give the earlier one only for a true retransmission.
        ``progress(sent, total)`` is called as octets leave; what it raises ends the call. ``headers`` are fields of
        this request alone, such as ``traceparent``; they go before the client's. Raises ``LocalError`` (nothing was
        sent), ``StatusError``, ``AuthError`` or ``TransportError``.
        """
        sending = self._sending(message, transaction_id, progress).with_headers(headers)
        waits = self.retry.waits()
        while True:
            exchange = sending.exchange()
            try:
                return self._attempt(sending, exchange)
            except (StatusError, TransportError) as error:
                error.retry_after = seconds(exchange.header("Retry-After"))
                if isinstance(error, StatusError):
                    error.http_status = exchange.http_status
                wait = self.retry.wait(error, next(waits, None), exchange.header("Retry-After"))
                if wait is None:
                    raise
            self._sleep(wait)

    def _attempt(self, sending: Sending, exchange: HttpExchange) -> Accepted[Any]:
        try:
            call = self._call(sending, exchange)
            value = call.read(call.post())
        except FAILED as error:
            return recover(error, sending, exchange)
        return finish(sending, exchange, value)


class AsyncSender(Sender):
    """Sends through zeep's AsyncTransport and httpx (extra ``async``)."""

    def __init__(
        self,
        url: str,
        *,
        auth: Auth = None,
        profile: str | Profile | None = None,
        policy: Policy | None = None,
        timeouts: Timeouts = TIMEOUTS,
        retry: Retry = RETRY,
        ca_file: File | None = None,
        client_cert: ClientCert = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        max_reply: int = 1024 * 1024,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        super().__init__(url, profile=profile, policy=policy, retry=retry)
        self.transport = AsyncSwaTransport(
            auth=auth,
            timeouts=timeouts,
            ca_file=ca_file,
            client_cert=client_cert,
            proxy=proxy,
            max_reply=max_reply,
            headers=self._headers(headers),
        )
        self._sleep = sleep
        self.client = AsyncMm7Client(url, transport=self.transport, **self._zeep_options())

    async def aclose(self) -> None:
        """Close the connections."""
        await self.transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def send(
        self,
        message: Message,
        *,
        transaction_id: str | None = None,
        progress: Progress | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Accepted[Any]:
        """As ``VaspClient.send``."""
        sending = self._sending(message, transaction_id, progress).with_headers(headers)
        waits = self.retry.waits()
        while True:
            exchange = sending.exchange()
            try:
                return await self._attempt(sending, exchange)
            except (StatusError, TransportError) as error:
                error.retry_after = seconds(exchange.header("Retry-After"))
                if isinstance(error, StatusError):
                    error.http_status = exchange.http_status
                wait = self.retry.wait(error, next(waits, None), exchange.header("Retry-After"))
                if wait is None:
                    raise
            await self._sleep(wait)

    async def _attempt(self, sending: Sending, exchange: HttpExchange) -> Accepted[Any]:
        try:
            call = self._call(sending, exchange)
            value = call.read(await call.post())
        except FAILED as error:
            return recover(error, sending, exchange)
        return finish(sending, exchange, value)
