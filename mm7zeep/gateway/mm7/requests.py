"""What applications ask: submit, cancel and replace, each in one durable transaction with the record that it was asked.

The same request again (application, operation, TransactionID, digest) gets the same answer and changes nothing.
Refuses, with ``StatusError``, what is not the application's, what is wrong and what comes too late; nothing of a
refused request is kept. Raises ``StoreError`` where the database reports an error: then the answer is 503.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, fields, replace
from typing import Any, cast

from sqlalchemy import Connection

from mm7zeep import masking
from mm7zeep.errors import StatusError
from mm7zeep.exchange import Received
from mm7zeep.findings import Finding, finding
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.delivery import routing
from mm7zeep.gateway.mm7.backend import Backend
from mm7zeep.gateway.mm7.recall import Recall, status_of
from mm7zeep.gateway.mm7.refusal import refusal
from mm7zeep.gateway.mm7.submitted import Submitted
from mm7zeep.gateway.mm7.validation.content import check_content, check_size
from mm7zeep.gateway.mm7.validation.form import check_charging, check_form
from mm7zeep.gateway.mm7.validation.recipients import check_recipients, in_words
from mm7zeep.gateway.mm7.validation.sender import is_of_another
from mm7zeep.gateway.store import content, mapping, messages, opt_outs, outbox
from mm7zeep.gateway.store.idempotency import Answer, Done, Request, Task, digest, once
from mm7zeep.gateway.store.rows import PENDING, MessageRow
from mm7zeep.messages import (
    Address,
    CancelReq,
    CancelRsp,
    ExtendedCancelReq,
    ExtendedCancelRsp,
    ExtendedReplaceReq,
    ExtendedReplaceRsp,
    Message,
    ReplaceReq,
    ReplaceRsp,
    Response,
    SubmitReq,
    SubmitRsp,
)
from mm7zeep.receiver import Call, Handler
from mm7zeep.status import OPTED_OUT, Status

_LOG = logging.getLogger("mm7zeep.gateway")
Work = Callable[[Connection, tuple[Finding, ...], float], Response]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake(Backend):
    """The handlers of an MMS Relay/Server for the requests of its applications."""

    recall: Recall

    def handlers(self) -> Mapping[type[Message], Handler]:
        """By class of the request."""
        return {
            SubmitReq: self.submit,
            CancelReq: self.cancel,
            ExtendedCancelReq: self.extended_cancel,
            ReplaceReq: self.replace,
            ExtendedReplaceReq: self.extended_replace,
        }

    def prompt(self) -> Mapping[type[Message], Callable[[Call], Future[Response]]]:
        """Those that need not block, likewise: cancel and replace may have to ask an upstream first."""
        return {SubmitReq: self.submit_soon}

    # --- the operations -----------------------------------------------------------------------------------------------

    def submit(self, call: Call) -> Response:
        """MM7_submit: the message is kept, and on its way when its time comes.

        1100 where some recipient is none, or has opted out; 2610 where all that are one have.
        """
        return self._once(self._submission(call), SubmitRsp)

    def submit_soon(self, call: Call) -> Future[Response]:
        """``submit`` without waiting, in one transaction with others that are submitted at the same moment."""
        return self._soon(self._submission(call), SubmitRsp)

    def _submission(self, call: Call) -> Task:
        """What a submit comes to. Raises ``StatusError`` for what is wrong with it by itself."""
        application = self._application(call)
        request = cast(SubmitReq, call.message)
        wrong = check_recipients(request, application)
        check_content(request.parts, len(call.raw), application)
        check_charging(request)
        if is_of_another(request.sender_address, application, self.settings):
            raise refusal(4001, "the SenderAddress is a short code of another application")
        if wrong:
            said = masking.masked(in_words(wrong), show_numbers=self.settings.show_numbers)
            _LOG.info("a SubmitReq of %s is served in part: no address is %s", application.name, said)
        submitted = Submitted.of(request, call.received, call.raw)
        unserved = frozenset(wrong)
        served = [one for one in request.recipients if one not in unserved]
        look = opt_outs.Look.of(application, request.sender_address, served, linked_id=request.linked_id)
        traced = self.tracing.current().kept

        def making(connection: Connection, now: float, reused: bool) -> tuple[Answer, messages.Kept]:
            findings = _with_reuse(call.received, reused)
            if not any(one.id == "schema/name-case" and one.detail.lower() == "linkedid" for one in findings):
                self._check_linked(connection, application, request.linked_id)
            opted_out = look.refused(connection, now)  # last of what may refuse
            if len(opted_out) == len(served):
                raise _nobody_left(opted_out)
            kept = submitted.kept(
                application.name,
                now,
                self.settings,
                self.handsets.in_force(connection),
                findings=findings,
                wrong=wrong,
                opted_out=opted_out,
                fields=traced,
            )
            answer = SubmitRsp(message_id=submitted.id, status=Status(1100 if wrong or opted_out else 1000))
            return _record(answer), kept

        asked = self._request(call, application, submitted.sums)
        return Task.keeping(asked, self.settings.window_of(application), making)

    def cancel(self, call: Call) -> Response:
        """MM7_cancel."""
        return self._take_back(call, cast(CancelReq, call.message).message_id, CancelRsp)

    def extended_cancel(self, call: Call) -> Response:
        """MM7_extended_cancel."""
        return self._take_back(call, cast(ExtendedCancelReq, call.message).cancel_id, ExtendedCancelRsp)

    def replace(self, call: Call) -> Response:
        """MM7_replace."""
        return self._put_in_place(call, cast(ReplaceReq, call.message).message_id, ReplaceRsp)

    def extended_replace(self, call: Call) -> Response:
        """MM7_extended_replace."""
        return self._put_in_place(call, cast(ExtendedReplaceReq, call.message).replace_id, ExtendedReplaceRsp)

    # --- what they share ----------------------------------------------------------------------------------------------

    def _application(self, call: Call) -> Application:
        """Whose request this is. Raises ``StatusError``: 4003 for an upstream, 4001 for another's VASPID or VASID;
        ``Refusal`` for a body that the profile has answered by HTTP.
        """
        application = self.settings.application(call.user)
        if application is None:
            raise refusal(4003, "an MMSC brings messages and reports; only applications submit")
        check_size(len(call.raw), application)
        check_form(call.received)
        message: Any = call.message
        if not application.owns(message.vaspid, message.vasid):
            raise refusal(4001, "this user may not use that VASPID or VASID")
        return application

    def _request(self, call: Call, application: Application, sums: Sequence[str] | None = None) -> Request:
        """What the request is known by; ``sums`` are the digests of its parts, where they are known."""
        transaction_id = (call.received.transaction_id or "").strip()
        return Request(application.name, type(call.message).__name__, transaction_id, digest(call.message, sums))

    def _task(self, call: Call, application: Application, work: Work) -> Task:
        """``work``, to be done unless this very request was answered before."""

        def record(connection: Connection, now: float, reused: bool) -> Answer:
            return _record(work(connection, _with_reuse(call.received, reused), now))

        return Task(self._request(call, application), self.settings.window_of(application), record)

    def _once(self, task: Task, kind: type[Response]) -> Response:
        """The answer to a task, once it is done or was before."""
        with self.tracing.stored():
            done = once(self.database, self.clock, task)
        return self._answer(task, kind, done)

    def _soon(self, task: Task, kind: type[Response]) -> Future[Response]:
        return self.group.submit(task, lambda done: self._answer(task, kind, done))

    def _answer(self, task: Task, kind: type[Response], done: Done) -> Response:
        self.repeated(task.request, done)
        self.wake()
        return _answer(kind, done.answer)

    def _take_back(self, call: Call, message_id: str, kind: type[Response]) -> Response:
        application = self._application(call)
        named = ("sender_address", "applic_id", "reply_applic_id", "aux_applic_info")
        about: dict[str, Any] = {name: getattr(call.message, name, None) for name in named}
        wanted = CancelReq(message_id="", **about)
        there = self.recall.ask_upstreams(application, message_id, wanted)

        def work(connection: Connection, findings: tuple[Finding, ...], now: float) -> Response:
            return kind(status=self.recall.cancel(connection, application, message_id, there, now))

        return self._once(self._task(call, application, work), kind)

    def _put_in_place(self, call: Call, message_id: str | None, kind: type[Response]) -> Response:
        application = self._application(call)
        request = cast(ReplaceReq | ExtendedReplaceReq, call.message)
        check_content(request.parts, len(call.raw), application)
        own = {one.name: getattr(request, one.name) for one in fields(ReplaceReq) if hasattr(request, one.name)}
        wanted = ReplaceReq(**{**own, "message_id": "", "content_href": None, "extensions": (), "unparsed": ()})
        there = self.recall.ask_upstreams(application, message_id or "", wanted)
        summary = content.summary(request.parts) if request.parts else None

        def work(connection: Connection, findings: tuple[Finding, ...], now: float) -> Response:
            message, copies = self.recall.own(connection, application, message_id or "")
            here = [one for one in copies if one.waits and self.recall.is_here(connection, one, now)]
            reached = here + [one for one in copies if there.has(one)]
            there.check(reached)
            status = status_of(len(reached), copies)
            n = messages.raws(connection, message.id)
            messages.keep_raw(connection, mapping.raw_row(message.id, n, now, call.received, call.raw))
            changes = _changes(request, message, n, now, findings, summary)
            messages.change(connection, message.id, **changes)
            changed = replace(message, **changes)
            fetching = self._still_fetching(connection, changed, summary, now)
            for one in reached[len(here) :]:
                messages.move(connection, one, content=changed.content, changed=now)
            scripts = self.handsets.in_force(connection)
            for one in here:
                due = None if fetching else routing.arrival(one.destination, one.of, changed, now, scripts)
                messages.move(connection, one, state=PENDING, due=due, changed=now)
            return kind(status=status)

        answer = self._once(self._task(call, application, work), kind)
        return replace(answer, message_id=message_id) if isinstance(answer, ExtendedReplaceRsp) else answer

    def _still_fetching(
        self, connection: Connection, message: MessageRow, new: content.Summary | None, now: float
    ) -> bool:
        """Whether a message that was replaced waits for what it names by URL: not with ``new`` content."""
        if not outbox.is_fetching(connection, message.id):
            return False
        if new is not None:
            outbox.end_fetch(connection, message.id, now)
        elif message.expires is not None:
            outbox.shorten_fetch(connection, message.id, message.expires)
        return new is None

    def _check_linked(self, connection: Connection, application: Application, linked_id: str | None) -> None:
        """Raise ``StatusError`` (2006) for a LinkedID that names no message of this application."""
        if linked_id is None:
            return
        linked = messages.message(connection, linked_id.strip())
        if linked is None or linked.application != application.name:
            raise refusal(2006, f"no message of this application has the LinkedID {linked_id[:100]!r}")


def _changes(
    request: ReplaceReq | ExtendedReplaceReq,
    message: MessageRow,
    n: int,
    now: float,
    findings: Iterable[Finding],
    summary: content.Summary | None,
) -> dict[str, Any]:
    """What a replace changes in what is kept of a message: what it names, and nothing else; ``summary`` is that of its
    content, where it has some.
    """
    changes: dict[str, Any] = {"findings": mapping.findings_text(findings)}
    times = {"earliest": request.earliest_delivery_time, "expires": getattr(request, "expiry_date", None)}
    changes |= {name: mapping.point(value, now) for name, value in times.items() if value is not None}
    wishes = {"read_reply": request.read_reply, "delivery_report": getattr(request, "delivery_report", None)}
    changes |= {name: value for name, value in wishes.items() if value is not None}
    named = mapping.fields_of(cast(ReplaceReq, request))
    if "service_code" in named:  # the element is replaced whole
        named.setdefault("service_code_attributes", None)
    changes["fields"] = mapping.as_text({**message.field, **named, "vaspid": message.field.get("vaspid")})
    if summary is not None:
        changes |= {"content": n, **summary._asdict()}
    return changes


def _nobody_left(opted_out: Iterable[Address]) -> StatusError:
    """The refusal of a submit of whose recipients none wants it."""
    details = f"no recipient wants anything more from this sender: {in_words(opted_out)}"
    return StatusError(Status(OPTED_OUT.code, OPTED_OUT.text, details))


def _with_reuse(received: Received, reused: bool) -> tuple[Finding, ...]:
    """The findings of a request, with the one that its TransactionID was used before for something else."""
    if not reused:
        return received.findings
    place, detail = "/Envelope/Header/TransactionID", (received.transaction_id or "").strip()
    return (*received.findings, finding("soap/transaction-repeated", place, detail=detail))


def _record(answer: Response) -> dict[str, Any]:
    """An answer as it is remembered."""
    status = answer.status
    return {"code": status.code, "text": status.text, "message_id": getattr(answer, "message_id", None)}


def _answer(kind: type[Response], record: Mapping[str, Any]) -> Response:
    """The answer that was remembered."""
    status = Status(record["code"], record["text"])
    if issubclass(kind, SubmitRsp | ExtendedReplaceRsp):
        return kind(status=status, message_id=record["message_id"])
    return kind(status=status)
