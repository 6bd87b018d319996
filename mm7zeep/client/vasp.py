"""The VASP's side: ``VaspClient`` towards an MMSC, and its async twin.

Refuses, with ``LocalError``, a submit without recipient or with more of them than the carrier takes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Unpack

import requests.adapters

from mm7zeep.client.content import ContentLike, parts_of
from mm7zeep.client.fields import (
    CancelFields,
    ExtendedCancelFields,
    ExtendedReplaceFields,
    ReplaceFields,
    SubmitFields,
    spelled_out,
)
from mm7zeep.client.fitter import Fitter, with_findings
from mm7zeep.client.outcomes import RETRY, Accepted, Retry, Submitted
from mm7zeep.client.sending import Sender, build
from mm7zeep.client.splitting import Tally, one_each, whole
from mm7zeep.client.styles import AsyncSender, SyncSender
from mm7zeep.credentials import ClientCert, File
from mm7zeep.errors import LocalError, Mm7Error
from mm7zeep.findings import Finding
from mm7zeep.messages import (
    AddressLike,
    CancelReq,
    CancelRsp,
    ExtendedCancelReq,
    ExtendedCancelRsp,
    ExtendedReplaceReq,
    ExtendedReplaceRsp,
    ReplaceReq,
    ReplaceRsp,
    SubmitReq,
)
from mm7zeep.profiles import Policy, Profile
from mm7zeep.transport import Auth, Progress, Role, Timeouts
from mm7zeep.transport.bound import TIMEOUTS


class Vasp(Sender):
    """What a VASP says of itself, and the messages it makes."""

    role: Role = "mmsc"

    vaspid: str | None
    vasid: str | None
    split: bool
    _fitter: Fitter

    def _identify(self, vaspid: str | None, vasid: str | None, split: bool | None) -> None:
        for name, value in (("vaspid", vaspid), ("vasid", vasid)):
            if not isinstance(value, str | None):
                raise LocalError(f"{name} is a str, not {type(value).__name__}")
        if not isinstance(split, bool | None):
            raise LocalError(f"split is True, False or None (as the profile says), not {type(split).__name__}")
        self.vaspid, self.vasid = vaspid, vasid
        self.split = self.profile.split if split is None else split
        self._fitter = Fitter()

    def _who(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        if "parts" in fields:
            raise LocalError("texts, files and parts are given as content=, not as parts=")
        return {"vaspid": self.vaspid, "vasid": self.vasid, **fields}

    def _submit_req(self, to: Any, content: Any, fields: Mapping[str, Any]) -> SubmitReq:
        message = build(SubmitReq, to=to, parts=parts_of(content), **self._who(fields))
        if not message.recipients:
            raise LocalError("a submit needs at least one recipient that is not displayOnly")
        limit = self.profile.max_recipients
        if limit is not None and len(message.recipients) > limit and not self.split:
            raise LocalError(
                f"{self.profile.name} takes {limit} recipient(s) a request, not {len(message.recipients)}; "
                "make the client with split=True"
            )
        return message

    def _fitted(self, message: SubmitReq, fit: bool | int) -> tuple[SubmitReq, tuple[Finding, ...]]:
        """``message`` with content that fits, and what was done to it. Raises ``LocalError``."""
        return self._fitter.fitted(message, fit, self.profile)

    def _apart(self, message: SubmitReq, transaction_id: str | None) -> list[SubmitReq]:
        """The requests, where each recipient must get one; none where all share ``message``."""
        if not self.split or len(message.recipients) < 2:
            return []
        if transaction_id is not None:
            raise LocalError("a split submit makes a TransactionID for each recipient; leave transaction_id out")
        return one_each(message)

    def _cancel_req(self, message_id: str, fields: Mapping[str, Any]) -> CancelReq:
        return build(CancelReq, message_id=message_id, **self._who(fields))

    def _replace_req(self, message_id: str, content: Any, fields: Mapping[str, Any]) -> ReplaceReq:
        return build(ReplaceReq, message_id=message_id, parts=parts_of(content), **self._who(fields))

    def _extended_cancel_req(self, cancel_id: str, fields: Mapping[str, Any]) -> ExtendedCancelReq:
        return build(ExtendedCancelReq, cancel_id=cancel_id, **self._who(fields))

    def _extended_replace_req(self, replace_id: str, content: Any, fields: Mapping[str, Any]) -> ExtendedReplaceReq:
        message: ExtendedReplaceReq = build(
            ExtendedReplaceReq, replace_id=replace_id, parts=parts_of(content), **self._who(fields)
        )
        return message


class VaspClient(Vasp, SyncSender):
    """A VASP's client of an MMSC (TS 23.140 8.7.1, 8.7.3, 8.7.5A).

    ``vaspid`` and ``vasid`` go into each request. ``auth`` is (user, password) for Basic, or ``Digest``, ``Bearer``;
    ``profile`` names the carrier or namespace; ``policy`` how strictly answers are read. ``split`` sends one request
    per recipient (default: as the profile says). ``ca_file`` and ``client_cert`` are PEM files. Safe to share between
    threads. Sleeps between retries. Raises ``LocalError`` for options that cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        vaspid: str | None = None,
        vasid: str | None = None,
        split: bool | None = None,
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
        super().__init__(
            url,
            auth=auth,
            profile=profile,
            policy=policy,
            timeouts=timeouts,
            retry=retry,
            ca_file=ca_file,
            client_cert=client_cert,
            headers=headers,
            proxies=proxies,
            max_reply=max_reply,
            adapter=adapter,
            sleep=sleep,
        )
        self._identify(vaspid, vasid, split)

    @spelled_out(SubmitFields)
    def submit(
        self,
        to: AddressLike | Iterable[AddressLike],
        content: ContentLike | Iterable[ContentLike] = (),
        *,
        transaction_id: str | None = None,
        progress: Progress | None = None,
        fit: bool | int = False,
        **fields: Unpack[SubmitFields],
    ) -> Submitted:
        """MM7_submit: send ``content`` (texts, files, bytes, parts) to recipients.

        Further fields are those of ``SubmitReq``. A presentation is added as the profile says. ``fit`` makes the
        content fit into what the profile's carrier takes, or into so many octets of the whole message if that is less
        (extra ``fit``; ``mm7zeep.fit``): what was done is in ``findings``. A split submit makes one request per
        recipient: ``progress`` starts over for each, and an ``AuthError`` ends it. Raises as ``send``; for a split
        submit only where no recipient was accepted. Raises ``LocalError`` where the content cannot fit.
        """
        message = self._submit_req(to, content, fields)
        fitted: tuple[Finding, ...] = ()
        if fit is not False:
            message, fitted = self._fitted(message, fit)
        apart = self._apart(message, transaction_id)
        if not apart:
            sent = whole(message, self.send(message, transaction_id=transaction_id, progress=progress))
            return with_findings(sent, fitted)
        tally = Tally(apart)
        for one in tally.due():
            try:
                tally.accept(one, self.send(one, progress=progress))
            except Mm7Error as error:
                tally.fail(one, error)
        return with_findings(tally.sum_up(), fitted)

    def close(self) -> None:
        """Close the connections, and end what fitted content."""
        super().close()
        self._fitter.close()

    @spelled_out(CancelFields)
    def cancel(self, message_id: str, **fields: Unpack[CancelFields]) -> Accepted[CancelRsp]:
        """MM7_cancel: take back a message not delivered yet.

        Further fields are those of ``CancelReq``. Raises as ``send``.
        """
        return self.send(self._cancel_req(message_id, fields))

    @spelled_out(ReplaceFields)
    def replace(
        self, message_id: str, content: ContentLike | Iterable[ContentLike] = (), **fields: Unpack[ReplaceFields]
    ) -> Accepted[ReplaceRsp]:
        """MM7_replace: put ``content`` in the place of a message not delivered yet.

        Further fields are those of ``ReplaceReq``. Raises as ``send``.
        """
        return self.send(self._replace_req(message_id, content, fields))

    @spelled_out(ExtendedCancelFields)
    def extended_cancel(self, cancel_id: str, **fields: Unpack[ExtendedCancelFields]) -> Accepted[ExtendedCancelRsp]:
        """MM7_extended_cancel (REL-6-MM7-1-4 only). Raises as ``send``."""
        return self.send(self._extended_cancel_req(cancel_id, fields))

    @spelled_out(ExtendedReplaceFields)
    def extended_replace(
        self,
        replace_id: str,
        content: ContentLike | Iterable[ContentLike] = (),
        **fields: Unpack[ExtendedReplaceFields],
    ) -> Accepted[ExtendedReplaceRsp]:
        """MM7_extended_replace (REL-6-MM7-1-4 only). Raises as ``send``."""
        return self.send(self._extended_replace_req(replace_id, content, fields))


class AsyncVaspClient(Vasp, AsyncSender):
    """``VaspClient`` for asyncio, over zeep's AsyncTransport (extra ``async``)."""

    def __init__(
        self,
        url: str,
        *,
        vaspid: str | None = None,
        vasid: str | None = None,
        split: bool | None = None,
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
        super().__init__(
            url,
            auth=auth,
            profile=profile,
            policy=policy,
            timeouts=timeouts,
            retry=retry,
            ca_file=ca_file,
            client_cert=client_cert,
            headers=headers,
            proxy=proxy,
            max_reply=max_reply,
            sleep=sleep,
        )
        self._identify(vaspid, vasid, split)

    @spelled_out(SubmitFields)
    async def submit(
        self,
        to: AddressLike | Iterable[AddressLike],
        content: ContentLike | Iterable[ContentLike] = (),
        *,
        transaction_id: str | None = None,
        progress: Progress | None = None,
        fit: bool | int = False,
        **fields: Unpack[SubmitFields],
    ) -> Submitted:
        """As ``VaspClient.submit``. Content is fitted in a thread: the loop goes on meanwhile."""
        message = self._submit_req(to, content, fields)
        fitted: tuple[Finding, ...] = ()
        if fit is not False:
            message, fitted = await asyncio.to_thread(self._fitted, message, fit)
        apart = self._apart(message, transaction_id)
        if not apart:
            sent = whole(message, await self.send(message, transaction_id=transaction_id, progress=progress))
            return with_findings(sent, fitted)
        tally = Tally(apart)
        for one in tally.due():
            try:
                tally.accept(one, await self.send(one, progress=progress))
            except Mm7Error as error:
                tally.fail(one, error)
        return with_findings(tally.sum_up(), fitted)

    async def aclose(self) -> None:
        """Close the connections, and end what fitted content."""
        await super().aclose()
        await asyncio.to_thread(self._fitter.close)

    @spelled_out(CancelFields)
    async def cancel(self, message_id: str, **fields: Unpack[CancelFields]) -> Accepted[CancelRsp]:
        """As ``VaspClient.cancel``."""
        return await self.send(self._cancel_req(message_id, fields))

    @spelled_out(ReplaceFields)
    async def replace(
        self, message_id: str, content: ContentLike | Iterable[ContentLike] = (), **fields: Unpack[ReplaceFields]
    ) -> Accepted[ReplaceRsp]:
        """As ``VaspClient.replace``."""
        return await self.send(self._replace_req(message_id, content, fields))

    @spelled_out(ExtendedCancelFields)
    async def extended_cancel(
        self, cancel_id: str, **fields: Unpack[ExtendedCancelFields]
    ) -> Accepted[ExtendedCancelRsp]:
        """As ``VaspClient.extended_cancel``."""
        return await self.send(self._extended_cancel_req(cancel_id, fields))

    @spelled_out(ExtendedReplaceFields)
    async def extended_replace(
        self,
        replace_id: str,
        content: ContentLike | Iterable[ContentLike] = (),
        **fields: Unpack[ExtendedReplaceFields],
    ) -> Accepted[ExtendedReplaceRsp]:
        """As ``VaspClient.extended_replace``."""
        return await self.send(self._extended_replace_req(replace_id, content, fields))
