"""Both senders: ``VaspClient`` towards an MMSC, ``MmscClient`` towards a VASP, and their async twins.

A call ends in one of three ways: accepted (a value), refused (``StatusError``, ``AuthError``), or unknown
(``TransportError`` whose ``maybe_accepted`` is True). Sent again is only what was surely not accepted, under the same
TransactionID. Refuses to guess.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import zeep
import zeep.exceptions
import zeep.helpers

from mm7zeep import envelope as soap
from mm7zeep import exchange, media, profiles, schema, transport
from mm7zeep.credentials import endpoint
from mm7zeep.errors import AuthError, LocalError, Mm7Error, RemoteError, StatusError, TransportError
from mm7zeep.findings import Finding, finding
from mm7zeep.messages import (
    Address,
    AddressLike,
    CancelReq,
    CancelRsp,
    DeliverReq,
    DeliverRsp,
    DeliveryReportReq,
    DeliveryReportRsp,
    ExtendedCancelReq,
    ExtendedCancelRsp,
    ExtendedReplaceReq,
    ExtendedReplaceRsp,
    Fault,
    Message,
    Part,
    ReadReplyReq,
    ReadReplyRsp,
    ReplaceReq,
    ReplaceRsp,
    Response,
    RSErrorRsp,
    Status,
    SubmitReq,
    SubmitRsp,
    VASPErrorRsp,
)
from mm7zeep.profiles import NAMESPACE_PREFIX, NAMESPACES, Policy, Profile
from mm7zeep.transport import Auth, Progress, Timeouts

R = TypeVar("R", bound=Response)
_KEPT = 20_000  # octets of an unusable answer that an error repeats
ContentLike = Part | Path | str | bytes


# --- what comes back --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Generic[R]):
    """An answer of success: ``answer`` is the message, ``findings`` what was noticed, ``headers`` those of HTTP."""

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
    """An accepted submit.

    Where it was split, ``each`` tells recipient by recipient, ``status`` is 1100 if some were not accepted, and
    ``message_id`` is None.
    """

    each: tuple[Each, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When to send again what was surely not accepted.

    At most ``times``, after ``first`` seconds, doubled each time up to ``most``. A Retry-After of the server is obeyed
    up to ``most`` seconds; a longer one ends the attempts. Never after 401, 403, 2xxx, nor when the request may have
    been accepted.
    """

    times: int = 2
    first: float = 0.5
    most: float = 30.0

    def waits(self) -> Iterator[float]:
        """How long to wait before each further attempt, in seconds."""
        for attempt in range(self.times):
            yield min(self.most, self.first * 2**attempt) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing

    def wait(self, error: Mm7Error, planned: float | None, retry_after: str | None) -> float | None:
        """The seconds to wait before sending again after ``error``; None where it is not sent again."""
        asked = _seconds(retry_after)
        if planned is None or not self.safe(error) or asked > self.most:
            return None
        return max(planned, asked)

    @staticmethod
    def safe(error: Mm7Error) -> bool:
        """Whether the request surely was not accepted and may be another time."""
        if isinstance(error, StatusError):
            # a Fault without MM7 status says that something failed, not that nothing was done
            return error.temporary and not (isinstance(error.answer, Fault) and error.answer.error is None)
        if isinstance(error, TransportError):
            lasting = isinstance(_root_cause(error), ssl.SSLError)  # a certificate is as wrong the next time
            return not error.maybe_accepted and error.http_status in (None, 429, 503) and not lasting
        return False


def _seconds(retry_after: str | None) -> float:
    """A Retry-After (RFC 9110 10.2.3), from now; 0 where there is none or it means nothing."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # no date, or one without zone
        return 0.0


def _root_cause(error: BaseException) -> BaseException:
    seen = {id(error)}
    while (inner := error.__cause__ or error.__context__) is not None and id(inner) not in seen:
        seen.add(id(inner))
        error = inner
    return error


def part_of(item: ContentLike) -> Part:
    """A part of text, bytes or a file; its media type by content, then by name (``media.guess``).

    Raises ``LocalError`` for a file that cannot be read, and for anything else than ``ContentLike``.
    """
    if isinstance(item, Part):
        return item
    if isinstance(item, str):
        return Part(body=item.encode(), content_type="text/plain", parameters=(("charset", "utf-8"),))
    if isinstance(item, bytes):
        return Part(body=item, content_type=media.guess(None, item[: media.HEAD]))
    if not isinstance(item, Path):
        raise LocalError(f"content is a str, bytes, a pathlib.Path or a Part, not {type(item).__name__}")
    try:
        with item.open("rb") as stream:
            head = stream.read(media.HEAD)
    except OSError as error:
        raise LocalError(f"the content file {item} cannot be read: {error.strerror}") from error
    kind = media.guess(item.name, head)
    text = kind.startswith("text/")
    return Part(body=item, content_type=kind, name=item.name, parameters=(("charset", "utf-8"),) if text else ())


def parts_of(content: ContentLike | Iterable[ContentLike]) -> tuple[Part, ...]:
    """One item or several, as parts. Raises ``LocalError`` as ``part_of``."""
    items = list(content) if isinstance(content, Iterable) and not isinstance(content, str | bytes) else [content]
    return tuple(part_of(item) for item in items)


# --- what both directions and both styles share -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sending:
    """One request, as often as it is sent: the same message, content and TransactionID each time."""

    message: Message
    content: exchange.Content | None
    transaction_id: str
    profile: Profile
    progress: Progress | None

    @property
    def expected(self) -> type[Response]:
        return soap.operation_of(type(self.message)).response

    def call(self) -> transport.Call:
        """What belongs to one attempt."""
        return transport.Call(content=self.content, message=self.message, profile=self.profile, progress=self.progress)


class _Sender:
    """Composes requests, judges answers; sends nothing itself."""

    role: transport.Role
    client: zeep.Client

    def __init__(self, url: str, *, profile: str | Profile | None, policy: Policy | None, retry: Retry) -> None:
        self.url = endpoint(url)
        self.profile = self._spoken(profiles.profile(profile))
        self.policy: Policy = policy or self.profile.policy
        self.retry = retry

    @staticmethod
    def _spoken(profile: Profile) -> Profile:
        """The profile of what this side sends."""
        return profile

    def __repr__(self) -> str:
        return f"<{type(self).__name__} profile={self.profile.name}>"

    def _zeep_options(self) -> dict[str, Any]:
        return {
            "role": self.role,
            "wsdl": schema.wsdl(self.profile.namespace),
            "settings": zeep.Settings(strict=False, forbid_dtd=True, forbid_external=True),
            "plugins": [transport.ValidationPlugin(self.policy, prefix=self.profile.prefix)],
        }

    def _sending(self, message: Message, transaction_id: str | None, progress: Progress | None) -> _Sending:
        if transaction_id is None:
            transaction_id = exchange.new_transaction_id()
        if not transaction_id.strip():
            raise LocalError("the TransactionID is empty; give one (TS 23.140 8.7.1)")
        if not transaction_id.isprintable():
            raise LocalError(f"the TransactionID {transaction_id!r} holds what is no printable character")
        try:
            content = exchange.compose(getattr(message, "parts", ()), self.profile)
        except OSError as error:
            raise LocalError(f"a part cannot be read: {error.strerror}") from error
        if content is not None:
            message = replace(message, content_href=content.href)  # type: ignore[call-arg]
        return _Sending(
            message=message, content=content, transaction_id=transaction_id, profile=self.profile, progress=progress
        )

    def _proxy(self, sending: _Sending, call: transport.Call) -> tuple[Any, dict[str, Any]]:
        """The zeep operation bound to this call, and its arguments."""
        operation = soap.operation_of(type(sending.message))
        soap.zeep_operation(operation, self.profile.namespace)  # says which namespace has it, if this one has not
        try:
            arguments = soap.to_values(sending.message, self.profile)
        except LocalError:
            raise
        except (TypeError, ValueError) as error:
            raise LocalError(f"the {soap.element_name(type(sending.message))} cannot be written: {error}") from error
        arguments["_soapheaders"] = soap.soap_headers(sending.transaction_id, self.profile)
        return transport.bind(self.client, call).service[operation.name], arguments

    def _recover(self, error: Exception, sending: _Sending, call: transport.Call) -> Accepted[Any]:
        """What a call that zeep did not finish amounts to: an accepted answer all the same, or the error to raise."""
        if call.http_status is None:
            if isinstance(error, TransportError):
                raise error
            raise LocalError(f"zeep cannot write the message: {error}") from error
        if isinstance(error, TransportError):
            return self._empty(error, sending, call)
        if call.judgement is None or isinstance(error, RemoteError):
            return self._damaged(error, sending, call)
        return self._finish(sending, call, None)  # a Fault, or what this operation does not expect

    def _finish(self, sending: _Sending, call: transport.Call, value: Any) -> Accepted[Any]:
        """Make of zeep's ``value`` and of what the call saw an accepted answer, or raise what else it is."""
        judgement = call.judgement
        if judgement is None or judgement.repaired is None:
            raise self._unknown("the answer held no envelope", call)
        # zeep reads whatever stands in the Body as the answer it expects
        found = schema.local(soap.body_child(judgement.repaired.envelope))
        as_expected = (
            found == soap.element_name(sending.expected) and judgement.repaired.read_as == self.profile.namespace
        )
        if value is not None and as_expected:
            values = zeep.helpers.serialize_object(value.body, dict)
            answer = exchange.restore(soap.from_values(sending.expected, values), judgement.repaired)
        else:
            answer = exchange.receive(judgement).message
        findings = (*judgement.findings, *_pair_findings(answer, sending, call, judgement))
        if not isinstance(answer, Response | Fault):
            raise self._unknown(f"the answer is a {type(answer).__name__}, which answers nothing", call, findings)
        if not answer.status.ok:
            raise StatusError(answer.status, answer=answer, transaction_id=sending.transaction_id, findings=findings)
        if not isinstance(answer, sending.expected):
            what = f"success came as a {type(answer).__name__} instead of a {sending.expected.__name__}"
            raise self._unknown(what, call, findings)
        return Accepted(answer=answer, transaction_id=sending.transaction_id, findings=findings, headers=call.headers)

    @staticmethod
    def _unknown(what: str, call: transport.Call, findings: Sequence[Finding] = ()) -> TransportError:
        return TransportError(
            what, maybe_accepted=True, http_status=call.http_status, body=(call.body or b"")[:_KEPT], findings=findings
        )

    def _damaged(self, error: Exception, sending: _Sending, call: transport.Call) -> Accepted[Any]:
        """A malformed answer: what it still says decides. A legible Status is not lost, unless the policy is strict."""
        judgement, expected = call.judgement, sending.expected
        values: Mapping[str, Any] = judgement.sketch.values if judgement is not None else {}
        findings = judgement.findings if judgement is not None else ()
        code = values.get("status_code") or None
        if code is None or self.policy == "strict":
            unknown = self._unknown(f"the answer is malformed: {error}", call, findings)
            unknown.maybe_accepted = code is None or Status(code, "").ok
            raise unknown from error
        status = Status(code, values.get("status_text") or "")
        operation = judgement.sketch.operation if judgement is not None else None
        names = {one.name for one in fields(expected)} & {"message_id", "service_code", "mm7_version"}
        sketched = {**values, "mm7_version": judgement.sketch.mm7_version if judgement is not None else None}
        given = {name: sketched[name] for name in names if sketched.get(name)}
        answer = expected(status=status, **given) if operation == soap.element_name(expected) else None
        if not status.ok:
            raise StatusError(
                status, answer=answer, transaction_id=sending.transaction_id, findings=findings
            ) from error
        if answer is None:
            raise self._unknown(f"the answer claims success, but is malformed: {error}", call, findings) from error
        return Accepted(answer=answer, transaction_id=sending.transaction_id, findings=findings, headers=call.headers)

    def _empty(self, error: TransportError, sending: _Sending, call: transport.Call) -> Accepted[Any]:
        """An empty 2xx acknowledges where the carrier's profile says so."""
        complete = call.body is not None and not call.body.strip()
        if not self.profile.empty_ack or not complete or call.http_status not in (200, 201, 202, 204):
            raise error
        noted = finding("http/response-body", detail="empty", action="repaired")
        return Accepted(
            answer=sending.expected(status=Status(1000)),
            transaction_id=sending.transaction_id,
            findings=(noted,),
            headers=call.headers,
        )


_FAILED = (RemoteError, TransportError, zeep.exceptions.Error)


def _pair_findings(
    answer: Message, sending: _Sending, call: transport.Call, judgement: exchange.Judgement
) -> Iterator[Finding]:
    """What only request and answer together show."""
    repaired = judgement.repaired
    echoed, namespace = (repaired.transaction_id, repaired.namespace) if repaired is not None else (None, None)
    if namespace is not None and namespace.replace("https:", "http:") != sending.profile.namespace:
        yield finding("sem/rsp-version", "/Envelope/Body", detail=namespace.removeprefix(NAMESPACE_PREFIX))
    if echoed is not None and echoed != sending.transaction_id.strip():
        # TS 23.140 8.7.1: correlated by the HTTP exchange all the same
        yield finding("soap/transaction-echo", "/Envelope/Header/TransactionID", detail=echoed)
    if isinstance(answer, Fault | RSErrorRsp | VASPErrorRsp):
        if call.http_status == 200:
            yield finding("http/status-fault", detail="200")
    elif not isinstance(answer, sending.expected):
        yield finding("sem/rsp-matches-req", "/Envelope/Body", detail=type(answer).__name__)
    elif call.http_status != 200:
        yield finding("http/status-success", detail=str(call.http_status))


_TIMEOUTS, _RETRY = Timeouts(), Retry()


class _Sync(_Sender):
    """Sends through zeep and requests."""

    def __init__(
        self,
        url: str,
        *,
        auth: Auth = None,
        profile: str | Profile | None = None,
        policy: Policy | None = None,
        timeouts: Timeouts = _TIMEOUTS,
        retry: Retry = _RETRY,
        ca_file: str | None = None,
        client_cert: tuple[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        max_reply: int = 1024 * 1024,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(url, profile=profile, policy=policy, retry=retry)
        self.transport = transport.SwaTransport(
            auth=auth,
            timeouts=timeouts,
            ca_file=ca_file,
            client_cert=client_cert,
            proxies=proxies,
            max_reply=max_reply,
            headers={**dict(self.profile.headers), **(headers or {})},
        )
        self._sleep = sleep
        self.client = transport.Mm7Client(url, transport=self.transport, **self._zeep_options())

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def send(
        self, message: Message, *, transaction_id: str | None = None, progress: Progress | None = None
    ) -> Accepted[Any]:
        """Send any request message and give its accepted answer.

        ``transaction_id`` is made fresh unless given; give the earlier one only for a true retransmission.
        ``progress(sent, total)`` is called as octets leave; what it raises ends the call. Raises ``LocalError``
        (nothing was sent), ``StatusError``, ``AuthError`` or ``TransportError``.
        """
        sending = self._sending(message, transaction_id, progress)
        waits = self.retry.waits()
        while True:
            call = sending.call()
            try:
                return self._attempt(sending, call)
            except (StatusError, TransportError) as error:
                wait = self.retry.wait(error, next(waits, None), call.header("Retry-After"))
                if wait is None:
                    raise
            self._sleep(wait)

    def _attempt(self, sending: _Sending, call: transport.Call) -> Accepted[Any]:
        proxy, arguments = self._proxy(sending, call)
        try:
            value = proxy(**arguments)
        except _FAILED as error:
            return self._recover(error, sending, call)
        return self._finish(sending, call, value)


class _Async(_Sender):
    """Sends through zeep's AsyncTransport and httpx (extra ``async``)."""

    def __init__(
        self,
        url: str,
        *,
        auth: Auth = None,
        profile: str | Profile | None = None,
        policy: Policy | None = None,
        timeouts: Timeouts = _TIMEOUTS,
        retry: Retry = _RETRY,
        ca_file: str | None = None,
        client_cert: tuple[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        max_reply: int = 1024 * 1024,
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        super().__init__(url, profile=profile, policy=policy, retry=retry)
        self.transport = transport.AsyncSwaTransport(
            auth=auth,
            timeouts=timeouts,
            ca_file=ca_file,
            client_cert=client_cert,
            proxy=proxy,
            max_reply=max_reply,
            headers={**dict(self.profile.headers), **(headers or {})},
        )
        self._sleep = sleep
        self.client = transport.AsyncMm7Client(url, transport=self.transport, **self._zeep_options())

    async def aclose(self) -> None:
        """Close the connections."""
        await self.transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def send(
        self, message: Message, *, transaction_id: str | None = None, progress: Progress | None = None
    ) -> Accepted[Any]:
        """As ``VaspClient.send``."""
        sending = self._sending(message, transaction_id, progress)
        waits = self.retry.waits()
        while True:
            call = sending.call()
            try:
                return await self._attempt(sending, call)
            except (StatusError, TransportError) as error:
                wait = self.retry.wait(error, next(waits, None), call.header("Retry-After"))
                if wait is None:
                    raise
            await self._sleep(wait)

    async def _attempt(self, sending: _Sending, call: transport.Call) -> Accepted[Any]:
        proxy, arguments = self._proxy(sending, call)
        try:
            value = await proxy(**arguments)
        except _FAILED as error:
            return self._recover(error, sending, call)
        return self._finish(sending, call, value)


# --- the VASP's side --------------------------------------------------------------------------------------------------


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
        message: SubmitReq = _build(SubmitReq, to=to, parts=parts_of(content), **self._who(options))
        if not message.recipients:
            raise LocalError("a submit needs at least one recipient that is not displayOnly")
        limit = self.profile.max_recipients
        if limit is not None and len(message.recipients) > limit and not self.split:
            raise LocalError(
                f"{self.profile.name} takes {limit} recipient(s) a request, not {len(message.recipients)}; "
                "use split=True"
            )
        return message

    def _one_each(self, message: SubmitReq, transaction_id: str | None) -> list[SubmitReq]:
        """One request per recipient who is served, where they must go apart; those only displayed stay in each."""
        if not self.split or len(message.recipients) < 2:
            return []
        if transaction_id is not None:
            raise LocalError("a split submit makes a TransactionID for each recipient; leave transaction_id out")
        to, cc, bcc = (
            tuple(one for one in group if one.display_only) for group in (message.to, message.cc, message.bcc)
        )
        return [replace(message, to=(one, *to), cc=cc, bcc=bcc) for one in message.recipients]


def _build(kind: type[Any], **values: Any) -> Any:
    try:
        return kind(**values)
    except (ValueError, TypeError) as error:
        raise LocalError(str(error)) from error


class _Tally:
    """What became of a split submit so far."""

    def __init__(self) -> None:
        self.each: list[Each] = []
        self.stopped: Mm7Error | None = None

    def accept(self, recipient: Address, accepted: Accepted[SubmitRsp]) -> None:
        self.each.append(Each(recipient=recipient, accepted=accepted))

    def fail(self, recipient: Address, error: Mm7Error) -> None:
        self.each.append(Each(recipient=recipient, error=error))
        if isinstance(error, AuthError):
            self.stopped = error  # it would be the same for the others, and 401 upon 401 locks accounts

    def sum_up(self) -> Submitted:
        """One outcome of several: 1100 where not everybody was accepted.

        Where nobody surely was, raises the first error that leaves it open, or else the first.
        """
        accepted = [one.accepted for one in self.each if one.accepted is not None]
        if not accepted:
            errors = [one.error for one in self.each if one.error is not None]
            raise next((one for one in errors if isinstance(one, TransportError) and one.maybe_accepted), errors[0])
        status = Status(1000 if len(accepted) == len(self.each) else 1100)
        return Submitted(
            answer=SubmitRsp(status=status),
            transaction_id=accepted[0].transaction_id,
            findings=tuple(found for one in accepted for found in one.findings),
            headers=accepted[0].headers,
            each=tuple(self.each),
        )


def _submitted(accepted: Accepted[SubmitRsp]) -> Submitted:
    return Submitted(
        answer=accepted.answer,
        transaction_id=accepted.transaction_id,
        findings=accepted.findings,
        headers=accepted.headers,
    )


class VaspClient(_Sync, _Vasp):
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
        **options: Any,
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
        """MM7_submit: send ``content`` (texts, files, bytes, parts) to recipients.

        Further fields are those of ``SubmitReq``. A presentation is added as the profile says. A split submit makes one
        request per recipient: ``progress`` starts over for each, and an ``AuthError`` ends it. Raises as ``send``; for
        a split submit only where no recipient was accepted.
        """
        message = self._submit_req(to, content, options)
        each = self._one_each(message, transaction_id)
        if not each:
            return _submitted(self.send(message, transaction_id=transaction_id, progress=progress))
        tally = _Tally()
        for one in each:
            if tally.stopped is not None:
                tally.fail(one.to[0], tally.stopped)
                continue
            try:
                tally.accept(one.to[0], self.send(one, progress=progress))
            except Mm7Error as error:
                tally.fail(one.to[0], error)
        return tally.sum_up()

    def cancel(self, message_id: str, **options: Any) -> Accepted[CancelRsp]:
        """MM7_cancel: take back a message not delivered yet.

        Further fields are those of ``CancelReq``. Raises as ``send``.
        """
        return self.send(_build(CancelReq, message_id=message_id, **self._who(options)))

    def replace(
        self, message_id: str, content: ContentLike | Iterable[ContentLike] = (), **options: Any
    ) -> Accepted[ReplaceRsp]:
        """MM7_replace: put ``content`` in the place of a message not delivered yet.

        Further fields are those of ``ReplaceReq``. Raises as ``send``.
        """
        return self.send(_build(ReplaceReq, message_id=message_id, parts=parts_of(content), **self._who(options)))

    def extended_cancel(self, cancel_id: str, **options: Any) -> Accepted[ExtendedCancelRsp]:
        """MM7_extended_cancel (REL-6-MM7-1-4 only). Raises as ``send``."""
        return self.send(_build(ExtendedCancelReq, cancel_id=cancel_id, **self._who(options)))

    def extended_replace(
        self, replace_id: str, content: ContentLike | Iterable[ContentLike] = (), **options: Any
    ) -> Accepted[ExtendedReplaceRsp]:
        """MM7_extended_replace (REL-6-MM7-1-4 only). Raises as ``send``."""
        return self.send(
            _build(ExtendedReplaceReq, replace_id=replace_id, parts=parts_of(content), **self._who(options))
        )


class AsyncVaspClient(_Async, _Vasp):
    """``VaspClient`` for asyncio, over zeep's AsyncTransport (extra ``async``)."""

    def __init__(
        self,
        url: str,
        *,
        vaspid: str | None = None,
        vasid: str | None = None,
        split: bool | None = None,
        **options: Any,
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
        each = self._one_each(message, transaction_id)
        if not each:
            return _submitted(await self.send(message, transaction_id=transaction_id, progress=progress))
        tally = _Tally()
        for one in each:
            if tally.stopped is not None:
                tally.fail(one.to[0], tally.stopped)
                continue
            try:
                tally.accept(one.to[0], await self.send(one, progress=progress))
            except Mm7Error as error:
                tally.fail(one.to[0], error)
        return tally.sum_up()

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
        return await self.send(
            _build(ExtendedReplaceReq, replace_id=replace_id, parts=parts_of(content), **self._who(options))
        )


# --- the MMSC's side --------------------------------------------------------------------------------------------------


class _Mmsc(_Sender):
    """What an MMSC speaks towards a VASP."""

    @staticmethod
    def _spoken(profile: Profile) -> Profile:
        """The namespace of the carrier's MO and reports, where it is not that of its submits."""
        if profile.report_schema is None:
            return profile
        theirs = NAMESPACES[NAMESPACE_PREFIX + profile.report_schema]
        return replace(
            theirs,
            name=profile.name,
            mm7_version=profile.mm7_version,
            prefix=profile.prefix,
            policy=profile.policy,
            max_content=profile.max_content,
            smil=profile.smil,
            empty_ack=profile.empty_ack,
            encoding=profile.encoding,
            headers=profile.headers,
        )


class MmscClient(_Sync, _Mmsc):
    """An MMSC's client of a VASP (TS 23.140 8.7.2, 8.7.4, 8.7.5). Options as ``VaspClient``.

    Speaks what the carrier of ``profile`` uses for MO and reports.
    """

    role: transport.Role = "vasp"

    def deliver(
        self, message: DeliverReq, *, transaction_id: str | None = None, progress: Progress | None = None
    ) -> Accepted[DeliverRsp]:
        """MM7_deliver: hand an MO message to the VASP. Raises as ``send``."""
        return self.send(message, transaction_id=transaction_id, progress=progress)

    def delivery_report(
        self, message: DeliveryReportReq, *, transaction_id: str | None = None
    ) -> Accepted[DeliveryReportRsp]:
        """MM7_delivery_report: tell the VASP what became of a message.

        A report without date gets the present time. Raises as ``send``.
        """
        return self.send(_dated(message, "date"), transaction_id=transaction_id)

    def read_reply(self, message: ReadReplyReq, *, transaction_id: str | None = None) -> Accepted[ReadReplyRsp]:
        """MM7_read_reply_report: tell the VASP that a message was read or deleted. Raises as ``send``."""
        return self.send(_dated(message, "time_stamp"), transaction_id=transaction_id)


class AsyncMmscClient(_Async, _Mmsc):
    """``MmscClient`` for asyncio (extra ``async``)."""

    role: transport.Role = "vasp"

    async def deliver(
        self, message: DeliverReq, *, transaction_id: str | None = None, progress: Progress | None = None
    ) -> Accepted[DeliverRsp]:
        """As ``MmscClient.deliver``."""
        return await self.send(message, transaction_id=transaction_id, progress=progress)

    async def delivery_report(
        self, message: DeliveryReportReq, *, transaction_id: str | None = None
    ) -> Accepted[DeliveryReportRsp]:
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
