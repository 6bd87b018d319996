"""``AsyncSwaTransport``: SOAP with Attachments through httpx, for ``zeep.AsyncClient``.

httpx (the extra ``async``) is opened with the first transport, not with this module. Refuses what ``sync`` refuses.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, cast

import requests
import zeep.transports
from lxml import etree

from mm7zeep import digest, extras
from mm7zeep.credentials import Auth, ClientCert, File, cert_files, credentials, header_fields, proxy_url, tls
from mm7zeep.errors import LocalError
from mm7zeep.transport.bound import TIMEOUTS, BoundTransport, Timeouts, bounds, own_schema, reply_limit
from mm7zeep.transport.correlation import SentIds, transaction_id
from mm7zeep.transport.failures import fail
from mm7zeep.transport.http_answer import HttpAnswer
from mm7zeep.transport.http_exchange import AsyncBody, Body, HttpExchange, compose, ready, written
from mm7zeep.transport.inbound import Overdue
from mm7zeep.transport.reasons import Files

if TYPE_CHECKING:
    import anyio


class AsyncSwaTransport(BoundTransport, zeep.transports.AsyncTransport):
    """``SwaTransport`` over httpx, for ``zeep.AsyncClient``. Close it with ``aclose``.

    Raises ``LocalError`` as ``SwaTransport``, and where the extra ``async`` is not installed.
    """

    _close_session = False  # zeep's destructor asks, also where the constructor raised

    def __init__(
        self,
        *,
        auth: Auth = None,
        timeouts: Timeouts = TIMEOUTS,
        ca_file: File | None = None,
        client_cert: ClientCert = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        max_reply: int = 1024 * 1024,
    ) -> None:
        instruction = extras.wanting("async")
        if instruction is not None:
            raise LocalError(f"asyncio needs the extra async: {instruction}")
        import httpx

        from mm7zeep.transport.streams import StreamTransport

        known, fields, timeouts = credentials(auth), header_fields(headers), bounds(timeouts)
        context = tls(ca_file, client_cert)
        proxy = proxy_url(proxy, socks="socksio")
        client = httpx.AsyncClient(
            auth=known.for_httpx() if known is not None else None,
            timeout=httpx.Timeout(timeouts.read, connect=timeouts.connect),
            follow_redirects=False,
            trust_env=False,
            transport=StreamTransport(context, proxy),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # stores none, sends none
        )
        loader = httpx.Client(verify=context, trust_env=False, follow_redirects=False, timeout=timeouts.read)
        super().__init__(client=client, wsdl_client=loader)  # type: ignore[no-untyped-call]
        client.headers.update({"User-Agent": "mm7zeep", **fields})
        self.timeouts = timeouts
        self.max_reply = reply_limit(max_reply)
        self._proxy = proxy
        own = cert_files(client_cert)
        self._opened_with = Files(
            ca_file=os.fspath(ca_file) if ca_file is not None else None, client_cert=own[0] if own else None
        )
        self.credentials = known
        self.exchange: HttpExchange | None = None
        self.sent_ids = SentIds()

    async def aclose(self) -> None:
        """Close the connections."""
        self.wsdl_client.close()
        await self.client.aclose()

    def load(self, url: str) -> bytes:
        """The package's own schemas from the package; anything else as zeep does."""
        return own_schema(url) or cast("bytes", super().load(url))  # type: ignore[no-untyped-call]

    async def post(self, address: str, message: Any, headers: Mapping[str, str]) -> requests.Response:
        """As ``SwaTransport.post``."""
        exchange = self.exchange or HttpExchange()
        return await self._perform(exchange, address, *ready(exchange, message, headers))

    async def post_xml(self, address: str, envelope: etree._Element, headers: Mapping[str, str]) -> requests.Response:
        """As ``SwaTransport.post_xml``."""
        exchange = self.exchange or HttpExchange()
        exchange.transaction_id = transaction_id(envelope)
        return await self._perform(exchange, address, *compose(exchange, envelope, headers))

    async def post_written(self, address: str, envelope: bytes, headers: Mapping[str, str]) -> requests.Response:
        """As ``SwaTransport.post_written``."""
        exchange = self.exchange or HttpExchange()
        return await self._perform(exchange, address, *written(exchange, envelope, headers))

    async def _perform(
        self, exchange: HttpExchange, address: str, headers: Mapping[str, str], body: Body
    ) -> requests.Response:
        import anyio

        self._begin(exchange, address)
        with self.sent_ids.under_way(exchange.transaction_id) as fresh:
            arrived: list[HttpAnswer] = []
            with anyio.CancelScope(deadline=anyio.current_time() + self.timeouts.total) as scope:
                return await self._carry(exchange, address, headers, body, scope, arrived, fresh=fresh)
            error = Overdue("the time for the whole exchange is over")
            if not arrived:
                fail(error, exchange, address)
            arrived[0].break_off(error)
            return arrived[0].response()

    def _proxy_for(self, address: str) -> str | None:
        return self._proxy

    def _files(self) -> Files:
        return self._opened_with

    async def _carry(
        self,
        exchange: HttpExchange,
        address: str,
        headers: Mapping[str, str],
        body: Body,
        scope: anyio.CancelScope,
        arrived: list[HttpAnswer],
        *,
        fresh: bool,
    ) -> requests.Response:
        import anyio
        import httpx

        from mm7zeep.transport.streams import FIELDS

        async def trace(event: str, info: Any) -> None:
            if event.endswith("receive_response_headers.started"):  # the request has gone out, or was refused before
                scope.deadline = min(scope.deadline, anyio.current_time() + self.timeouts.reply)

        try:
            async with self.client.stream(
                "POST",
                address,
                content=AsyncBody(body),
                headers=dict(headers),
                extensions={"trace": trace, digest.BODY: body},
            ) as answer:
                fields = [
                    (name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.extensions[FIELDS]
                ]
                arrived.append(self._arriving(exchange, answer.status_code, fields))
                await self._take(arrived[0], answer)
                response = arrived[0].response()
                if self._ours(exchange, fresh=fresh) and not arrived[0].cut:
                    answer.extensions["network_stream"].keep()
                return response
        except httpx.InvalidURL as error:
            raise LocalError("the address is no URL that httpx understands") from error
        except Exception as error:  # noqa: BLE001 - whatever the libraries raise: only our errors leave
            fail(error, exchange, address)

    async def _take(self, arriving: HttpAnswer, answer: Any) -> None:
        from mm7zeep.transport.streams import FAILURES

        # not by aiter_raw, which gives the connection back with the last octet, before the answer was judged
        pieces = aiter(answer.stream)
        try:
            while arriving.wanted and (chunk := await anext(pieces, None)) is not None:
                arriving.take(chunk)
        except (*FAILURES, OSError) as error:
            arriving.break_off(error)
        finally:
            await pieces.aclose()
