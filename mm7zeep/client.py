"""Both senders: ``VaspClient`` towards an MMSC, ``MmscClient`` towards a VASP, and their async twins.

A call ends in one of three ways: accepted (a value), refused (``StatusError``, ``AuthError``), or unknown (``TransportError`` whose
``maybe_accepted`` is True). Sent again is only what was surely not accepted, under the same TransactionID. Refuses to guess.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Self, TypeVar, cast

import zeep
import zeep.exceptions
import zeep.helpers

from mm7zeep import envelope as soap
from mm7zeep import exchange, media, profiles, schema, transport
from mm7zeep.errors import LocalError, Mm7Error, RemoteError, StatusError, TransportError
from mm7zeep.findings import Finding, finding
from mm7zeep.messages import (
    Address, AddressLike, CancelReq, CancelRsp, DeliverReq, DeliverRsp, DeliveryReportReq, DeliveryReportRsp, ExtendedCancelReq,
    ExtendedCancelRsp, ExtendedReplaceReq, ExtendedReplaceRsp, Fault, Message, Part, ReadReplyReq, ReadReplyRsp, ReplaceReq,
    ReplaceRsp, Response, Status, SubmitReq, SubmitRsp, addresses,
)  # fmt: skip
from mm7zeep.profiles import Policy, Profile
from mm7zeep.transport import Auth, Progress, Timeouts

R = TypeVar("R", bound=Response)
ContentLike = Part | Path | str | bytes


# --- what comes back --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Generic[R]):
    """An answer of success: ``answer`` is the message, ``findings`` what was noticed about it, ``headers`` those of HTTP."""

    answer: R
    transaction_id: str
    findings: tuple[Finding, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def status(self) -> Status:
        return self.answer.status

    @property
    def message_id(self) -> str | None:
        """What reports, cancel and replace refer to; None where the answer names none."""
        return getattr(self.answer, "message_id", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """What became of one recipient of a submit that was split: ``accepted``, or the ``error`` that was met."""

    recipient: Address
    accepted: Accepted[SubmitRsp] | None = None
    error: Mm7Error | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted(Accepted[SubmitRsp]):
    """An accepted submit. Where it was split, ``each`` tells recipient by recipient, and ``status`` is 1100 if some were refused."""

    each: tuple[Each, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When to send again what was surely not accepted: at most ``times``, after ``first`` seconds, doubled each time up to ``most``.

    Never after 401, 403, 2xxx, nor when the request may have been accepted.
    """

    times: int = 2
    first: float = 0.5
    most: float = 30.0

    def waits(self) -> Iterator[float]:
        for attempt in range(self.times):
            yield min(self.most, self.first * 2**attempt) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing

    @staticmethod
    def safe(error: Mm7Error) -> bool:
        """Whether the request surely was not accepted and may be another time."""
        if isinstance(error, StatusError):
            return error.temporary
        if isinstance(error, TransportError):
            return not error.maybe_accepted and error.http_status in (None, 429, 503)
        return False


def part_of(item: ContentLike) -> Part:
    """A part of text, bytes or a file; its media type by content, then by name (``media.guess``).

    Raises ``LocalError`` for a file that is not there.
    """
    if isinstance(item, Part):
        return item
    if isinstance(item, str):
        return Part(body=item.encode(), content_type="text/plain", parameters=(("charset", "utf-8"),))
    if isinstance(item, bytes):
        return Part(body=item, content_type=media.guess(None, item[: media.HEAD]))
    try:
        with item.open("rb") as stream:
            head = stream.read(media.HEAD)
    except OSError as error:
        raise LocalError(f"the content file {item} cannot be read: {error.strerror}") from error
    kind = media.guess(item.name, head)
    text = kind.startswith("text/")
    return Part(body=item, content_type=kind, name=item.name, parameters=(("charset", "utf-8"),) if text else ())


def parts_of(content: ContentLike | Iterable[ContentLike]) -> tuple[Part, ...]:
    """One item or several, as parts."""
    items = [content] if isinstance(content, str | bytes | Path | Part) else list(content)
    return tuple(part_of(item) for item in items)


# --- what both directions and both styles share ------------------------------------------------------------------------------


class _Sender:
    """Composes requests, judges answers; sends nothing itself."""

    role: transport.Role
    client: zeep.Client

    def __init__(self, url: str, *, profile: str | Profile | None, policy: Policy | None, retry: Retry) -> None:
        self.url = url
        self.profile = profiles.profile(profile)
        self.policy: Policy = policy or self.profile.policy
        self.retry = retry

    def __repr__(self) -> str:
        return f"<{type(self).__name__} profile={self.profile.name}>"

    def _settings(self) -> zeep.Settings:
        return zeep.Settings(strict=False, forbid_dtd=True, forbid_external=True)

    def _prepare(self, message: Message, progress: Progress | None) -> tuple[Message, transport.Call]:
        content = exchange.compose(getattr(message, "parts", ()), self.profile)
        if content is not None:
            message = replace(message, content_href=content.href)  # type: ignore[call-arg]
        return message, transport.Call(content=content, message=message, profile=self.profile, progress=progress)

    def _proxy(self, message: Message, call: transport.Call, transaction_id: str) -> tuple[Any, dict[str, Any]]:
        """The zeep operation bound to this call, and its arguments."""
        operation = soap.operation_of(type(message))
        soap.zeep_operation(operation, self.profile.namespace)  # says which namespace has it, if this one has not
        arguments = soap.to_values(message, self.profile)
        arguments["_soapheaders"] = soap.soap_headers(transaction_id, self.profile)
        return transport.bind(self.client, call).service[operation.name], arguments

    def _finish(self, message: Message, call: transport.Call, transaction_id: str, value: Any) -> Accepted[Any]:
        """Make of zeep's ``value`` and of what the call saw an accepted answer, or raise what else it is."""
        judgement = call.judgement
        if judgement is None or judgement.repaired is None:
            raise TransportError("the answer held no envelope", maybe_accepted=True, http_status=call.http_status)
        expected = soap.operation_of(type(message)).response
        findings = [*(call.package.findings if call.package else ()), *call.findings, *judgement.findings]
        if value is not None and judgement.repaired.read_as == self.profile.namespace:
            answer = exchange.restore(soap.from_values(expected, zeep.helpers.serialize_object(value.body, dict)), judgement.repaired)
        else:
            answer = exchange.receive(judgement).message
        if isinstance(answer, Fault):
            raise StatusError(answer.status, answer=answer, transaction_id=transaction_id, findings=findings)
        if not isinstance(answer, Response):
            raise TransportError(f"the answer is a {type(answer).__name__}, not an answer", maybe_accepted=True, findings=findings)
        if not answer.status.ok:
            raise StatusError(answer.status, answer=answer, transaction_id=transaction_id, findings=findings)
        if not isinstance(answer, expected):
            raise TransportError(
                f"success was answered by a {type(answer).__name__} instead of a {expected.__name__}", maybe_accepted=True, findings=findings
            )
        echoed = judgement.repaired.transaction_id
        if echoed is not None and echoed != transaction_id:
            # TS 23.140 8.7.1: correlated by the HTTP exchange all the same
            findings.append(finding("soap/transaction-echo", "/Envelope/Header/TransactionID", detail=echoed))
        return Accepted(answer=answer, transaction_id=transaction_id, findings=tuple(findings), headers=call.headers)

    def _damaged(self, error: RemoteError, call: transport.Call, message: Message, transaction_id: str) -> Mm7Error | Accepted[Any]:
        """A malformed answer: what it still says decides. A legible Status is not lost, unless the policy is strict."""
        judgement = call.judgement
        expected = soap.operation_of(type(message)).response
        values: Mapping[str, Any] = judgement.sketch.values if judgement is not None else {}
        code, name = values.get("status_code"), judgement.sketch.operation if judgement is not None else None
        if self.policy == "strict" or code is None:
            return TransportError(
                f"the answer is malformed: {error}", maybe_accepted=code is None or 1000 <= code < 2000,
                http_status=call.http_status, findings=error.findings,
            )  # fmt: skip
        status = Status(code, values.get("status_text") or "")
        if not status.ok:
            return StatusError(status, transaction_id=transaction_id, findings=error.findings)
        if name == soap.element_name(expected) and values.get("message_id"):
            given = {one.name: values[one.name] for one in fields(expected) if one.name in ("message_id", "service_code") and values.get(one.name)}
            answer = expected(status=status, **given)
            return Accepted(answer=answer, transaction_id=transaction_id, findings=error.findings, headers=call.headers)
        return TransportError(f"the answer claims success, but is malformed: {error}", maybe_accepted=True,
                              http_status=call.http_status, findings=error.findings)  # fmt: skip

    def _empty(self, error: TransportError, call: transport.Call, message: Message, transaction_id: str) -> Accepted[Any] | None:
        """An empty 2xx acknowledges where the carrier's profile says so."""
        if not self.profile.empty_ack or call.http_status not in (200, 201, 202, 204) or error.body:
            return None
        expected = soap.operation_of(type(message)).response
        noted = finding("http/response-body", detail="empty", action="repaired")
        return Accepted(answer=expected(status=Status(1000)), transaction_id=transaction_id, findings=(noted,), headers=call.headers)


class _Sync(_Sender):
    """Sends through zeep and requests."""

    def __init__(
        self,
        url: str,
        *,
        auth: Auth = None,
        profile: str | Profile | None = None,
        policy: Policy | None = None,
        timeouts: Timeouts = Timeouts(),
        retry: Retry = Retry(),
        ca_file: str | None = None,
        client_cert: tuple[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        max_reply: int = 1024 * 1024,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(url, profile=profile, policy=policy, retry=retry)
        self.transport = transport.SwaTransport(
            auth=auth, timeouts=timeouts, ca_file=ca_file, client_cert=client_cert, proxies=proxies, max_reply=max_reply,
            headers={**dict(self.profile.headers), **(headers or {})},
        )  # fmt: skip
        self._sleep = sleep
        self.client = transport.Mm7Client(
            url, role=self.role, wsdl=schema.wsdl(self.profile.namespace), transport=self.transport, settings=self._settings(),
            plugins=[transport.ValidationPlugin(self.policy, prefix=self.profile.prefix)],
        )  # fmt: skip

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def send(self, message: Message, *, transaction_id: str | None = None, progress: Progress | None = None) -> Accepted[Any]:
        """Send any request message and give its accepted answer.

        ``transaction_id`` is made fresh unless given; give the earlier one only for a true retransmission. ``progress(sent, total)``
        is called as octets leave. Raises ``LocalError`` (nothing was sent), ``StatusError``, ``AuthError`` or ``TransportError``.
        """
        transaction_id = transaction_id or exchange.new_transaction_id()
        waits = self.retry.waits()
        while True:
            try:
                return self._attempt(message, transaction_id, progress)
            except (StatusError, TransportError) as error:
                wait = next(waits, None)
                if wait is None or not Retry.safe(error):
                    raise
                self._sleep(wait)

    def _attempt(self, message: Message, transaction_id: str, progress: Progress | None) -> Accepted[Any]:
        prepared, call = self._prepare(message, progress)
        proxy, arguments = self._proxy(prepared, call, transaction_id)
        try:
            value = proxy(**arguments)
        except zeep.exceptions.Fault:
            value = None
        except RemoteError as error:
            return _raised(self._damaged(error, call, message, transaction_id))
        except TransportError as error:
            if (accepted := self._empty(error, call, message, transaction_id)) is not None:
                return accepted
            raise
        return self._finish(message, call, transaction_id, value)


def _raised(outcome: Mm7Error | Accepted[Any]) -> Accepted[Any]:
    if isinstance(outcome, Mm7Error):
        raise outcome
    return outcome


class _Async(_Sender):
    """Sends through zeep's AsyncTransport and httpx (extra ``async``)."""

    def __init__(
        self,
        url: str,
        *,
        auth: Auth = None,
        profile: str | Profile | None = None,
        policy: Policy | None = None,
        timeouts: Timeouts = Timeouts(),
        retry: Retry = Retry(),
        ca_file: str | None = None,
        client_cert: tuple[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        max_reply: int = 1024 * 1024,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        super().__init__(url, profile=profile, policy=policy, retry=retry)
        self.transport = transport.AsyncSwaTransport(
            auth=auth, timeouts=timeouts, ca_file=ca_file, client_cert=client_cert, proxy=proxy, max_reply=max_reply,
            headers={**dict(self.profile.headers), **(headers or {})},
        )  # fmt: skip
        self._sleep = sleep
        self.client = transport.AsyncMm7Client(
            url, role=self.role, wsdl=schema.wsdl(self.profile.namespace), transport=self.transport, settings=self._settings(),
            plugins=[transport.ValidationPlugin(self.policy, prefix=self.profile.prefix)],
        )  # fmt: skip

    async def aclose(self) -> None:
        """Close the connections."""
        await self.transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def send(self, message: Message, *, transaction_id: str | None = None, progress: Progress | None = None) -> Accepted[Any]:
        """As ``VaspClient.send``."""
        transaction_id = transaction_id or exchange.new_transaction_id()
        waits = self.retry.waits()
        while True:
            try:
                return await self._attempt(message, transaction_id, progress)
            except (StatusError, TransportError) as error:
                wait = next(waits, None)
                if wait is None or not Retry.safe(error):
                    raise
                await self._sleep(wait)

    async def _attempt(self, message: Message, transaction_id: str, progress: Progress | None) -> Accepted[Any]:
        prepared, call = self._prepare(message, progress)
        proxy, arguments = self._proxy(prepared, call, transaction_id)
        try:
            value = await proxy(**arguments)
        except zeep.exceptions.Fault:
            value = None
        except RemoteError as error:
            return _raised(self._damaged(error, call, message, transaction_id))
        except TransportError as error:
            if (accepted := self._empty(error, call, message, transaction_id)) is not None:
                return accepted
            raise
        return self._finish(message, call, transaction_id, value)


# --- the VASP's side ----------------------------------------------------------------------------------------------------------


class _Vasp(_Sender):
    """What a VASP says of itself, and the messages it makes."""

    role: transport.Role = "mmsc"
    vaspid: str | None
    vasid: str | None
    split: bool

    def _identify(self, vaspid: str | None, vasid: str | None, split: bool | None) -> None:
        self.vaspid, self.vasid = vaspid, vasid
        self.split = self.profile.split if split is None else split

    def _who(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"vaspid": self.vaspid, "vasid": self.vasid, **options}

    def _submit_req(self, to: Any, content: Any, options: dict[str, Any]) -> SubmitReq:
        message: SubmitReq = _build(SubmitReq, to=addresses(to), parts=parts_of(content), **self._who(options))
        if not message.recipients:
            raise LocalError("a submit needs at least one recipient that is not displayOnly")
        limit = self.profile.max_recipients
        if limit is not None and len(message.recipients) > limit and not self.split:
            raise LocalError(f"{self.profile.name} takes {limit} recipient(s) a request, not {len(message.recipients)}; use split=True")
        return message

    def _one_each(self, message: SubmitReq) -> list[SubmitReq]:
        return [replace(message, to=(one,), cc=(), bcc=()) for one in message.recipients]

    def _must_split(self, message: SubmitReq) -> bool:
        return self.split and len((*message.to, *message.cc, *message.bcc)) > 1


def _build(kind: type[Any], **values: Any) -> Any:
    try:
        return kind(**values)
    except (ValueError, TypeError) as error:
        raise LocalError(str(error)) from error


def _sum_up(each: Sequence[Each]) -> Submitted:
    """One outcome of several: the first error where nobody was accepted, 1100 where not everybody was."""
    accepted = [one.accepted for one in each if one.accepted is not None]
    if not accepted:
        raise cast("Mm7Error", each[0].error)
    whole = len(accepted) == len(each)
    findings = tuple(found for one in accepted for found in one.findings)
    first = accepted[0]
    answer = first.answer if len(each) == 1 else SubmitRsp(status=Status(1000 if whole else 1100))
    return Submitted(answer=answer, transaction_id=first.transaction_id, findings=findings, headers=first.headers, each=tuple(each))


def _submitted(accepted: Accepted[SubmitRsp]) -> Submitted:
    return Submitted(
        answer=accepted.answer, transaction_id=accepted.transaction_id, findings=accepted.findings, headers=accepted.headers
    )


class VaspClient(_Sync, _Vasp):
    """A VASP's client of an MMSC (TS 23.140 8.7.1, 8.7.3, 8.7.5A).

    ``vaspid`` and ``vasid`` go into each request. ``auth`` is (user, password) for Basic, or ``Digest``, ``Bearer``; ``profile`` names
    the carrier or namespace; ``policy`` how strictly answers are read. ``split`` sends one request per recipient (default: as the
    profile says). ``ca_file`` and ``client_cert`` are PEM files. Safe to share between threads. Sleeps between retries.
    """

    def __init__(
        self, url: str, *, vaspid: str | None = None, vasid: str | None = None, split: bool | None = None, **options: Any
    ) -> None:
        super().__init__(url, **options)
        self._identify(vaspid, vasid, split)

    def submit(
        self,
        to: AddressLike | Iterable[AddressLike],
        content: ContentLike | Iterable[ContentLike] = (),
        *,
        transaction_id: str | None = None,
        progress: Progress | None = None,
        **options: Any,
    ) -> Submitted:
        """MM7_submit: send ``content`` (texts, files, bytes, parts) to recipients; further fields are those of ``SubmitReq``.

        A presentation is added as the profile says. Raises as ``send``; for a split submit only where no recipient was accepted.
        """
        message = self._submit_req(to, content, options)
        if not self._must_split(message):
            return _submitted(self.send(message, transaction_id=transaction_id, progress=progress))
        each = []
        for one in self._one_each(message):
            try:
                each.append(Each(recipient=one.to[0], accepted=self.send(one, progress=progress)))
            except LocalError:
                raise  # it would be the same for each
            except Mm7Error as error:
                each.append(Each(recipient=one.to[0], error=error))
        return _sum_up(each)

    def cancel(self, message_id: str, **options: Any) -> Accepted[CancelRsp]:
        """MM7_cancel: take back a message not delivered yet. Further fields are those of ``CancelReq``. Raises as ``send``."""
        return self.send(_build(CancelReq, message_id=message_id, **self._who(options)))

    def replace(self, message_id: str, content: ContentLike | Iterable[ContentLike] = (), **options: Any) -> Accepted[ReplaceRsp]:
        """MM7_replace: put ``content`` in the place of a message not delivered yet. Further fields: ``ReplaceReq``. Raises as ``send``."""
        return self.send(_build(ReplaceReq, message_id=message_id, parts=parts_of(content), **self._who(options)))

    def extended_cancel(self, cancel_id: str, **options: Any) -> Accepted[ExtendedCancelRsp]:
        """MM7_extended_cancel (REL-6-MM7-1-4 only). Raises as ``send``."""
        return self.send(_build(ExtendedCancelReq, cancel_id=cancel_id, **self._who(options)))

    def extended_replace(
        self, replace_id: str, content: ContentLike | Iterable[ContentLike] = (), **options: Any
    ) -> Accepted[ExtendedReplaceRsp]:
        """MM7_extended_replace (REL-6-MM7-1-4 only). Raises as ``send``."""
        return self.send(_build(ExtendedReplaceReq, replace_id=replace_id, parts=parts_of(content), **self._who(options)))


class AsyncVaspClient(_Async, _Vasp):
    """``VaspClient`` for asyncio, over zeep's AsyncTransport (extra ``async``)."""

    def __init__(
        self, url: str, *, vaspid: str | None = None, vasid: str | None = None, split: bool | None = None, **options: Any
    ) -> None:
        super().__init__(url, **options)
        self._identify(vaspid, vasid, split)

    async def submit(
        self,
        to: AddressLike | Iterable[AddressLike],
        content: ContentLike | Iterable[ContentLike] = (),
        *,
        transaction_id: str | None = None,
        progress: Progress | None = None,
        **options: Any,
    ) -> Submitted:
        """As ``VaspClient.submit``."""
        message = self._submit_req(to, content, options)
        if not self._must_split(message):
            return _submitted(await self.send(message, transaction_id=transaction_id, progress=progress))
        each = []
        for one in self._one_each(message):
            try:
                each.append(Each(recipient=one.to[0], accepted=await self.send(one, progress=progress)))
            except LocalError:
                raise
            except Mm7Error as error:
                each.append(Each(recipient=one.to[0], error=error))
        return _sum_up(each)

    async def cancel(self, message_id: str, **options: Any) -> Accepted[CancelRsp]:
        """As ``VaspClient.cancel``."""
        return await self.send(_build(CancelReq, message_id=message_id, **self._who(options)))

    async def replace(
        self, message_id: str, content: ContentLike | Iterable[ContentLike] = (), **options: Any
    ) -> Accepted[ReplaceRsp]:
        """As ``VaspClient.replace``."""
        return await self.send(_build(ReplaceReq, message_id=message_id, parts=parts_of(content), **self._who(options)))

    async def extended_cancel(self, cancel_id: str, **options: Any) -> Accepted[ExtendedCancelRsp]:
        """As ``VaspClient.extended_cancel``."""
        return await self.send(_build(ExtendedCancelReq, cancel_id=cancel_id, **self._who(options)))

    async def extended_replace(
        self, replace_id: str, content: ContentLike | Iterable[ContentLike] = (), **options: Any
    ) -> Accepted[ExtendedReplaceRsp]:
        """As ``VaspClient.extended_replace``."""
        return await self.send(_build(ExtendedReplaceReq, replace_id=replace_id, parts=parts_of(content), **self._who(options)))


# --- the MMSC's side ----------------------------------------------------------------------------------------------------------


class MmscClient(_Sync):
    """An MMSC's client of a VASP (TS 23.140 8.7.2, 8.7.4, 8.7.5). Options as ``VaspClient``."""

    role: transport.Role = "vasp"

    def deliver(self, message: DeliverReq, *, transaction_id: str | None = None, progress: Progress | None = None) -> Accepted[DeliverRsp]:
        """MM7_deliver: hand an MO message to the VASP. Raises as ``send``."""
        return self.send(message, transaction_id=transaction_id, progress=progress)

    def delivery_report(self, message: DeliveryReportReq, *, transaction_id: str | None = None) -> Accepted[DeliveryReportRsp]:
        """MM7_delivery_report: tell the VASP what became of a message. A report without date gets the present time. Raises as ``send``."""
        return self.send(_dated(message, "date"), transaction_id=transaction_id)

    def read_reply(self, message: ReadReplyReq, *, transaction_id: str | None = None) -> Accepted[ReadReplyRsp]:
        """MM7_read_reply_report: tell the VASP that a message was read or deleted. Raises as ``send``."""
        return self.send(_dated(message, "time_stamp"), transaction_id=transaction_id)


class AsyncMmscClient(_Async):
    """``MmscClient`` for asyncio (extra ``async``)."""

    role: transport.Role = "vasp"

    async def deliver(
        self, message: DeliverReq, *, transaction_id: str | None = None, progress: Progress | None = None
    ) -> Accepted[DeliverRsp]:
        """As ``MmscClient.deliver``."""
        return await self.send(message, transaction_id=transaction_id, progress=progress)

    async def delivery_report(self, message: DeliveryReportReq, *, transaction_id: str | None = None) -> Accepted[DeliveryReportRsp]:
        """As ``MmscClient.delivery_report``."""
        return await self.send(_dated(message, "date"), transaction_id=transaction_id)

    async def read_reply(self, message: ReadReplyReq, *, transaction_id: str | None = None) -> Accepted[ReadReplyRsp]:
        """As ``MmscClient.read_reply``."""
        return await self.send(_dated(message, "time_stamp"), transaction_id=transaction_id)


M = TypeVar("M", DeliveryReportReq, ReadReplyReq)


def _dated(message: M, name: str) -> M:
    """The schema demands a date (Date or TimeStamp): now, where none is given."""
    if getattr(message, name) is not None:
        return message
    changes: dict[str, Any] = {name: datetime.now().astimezone()}
    return replace(message, **changes)
