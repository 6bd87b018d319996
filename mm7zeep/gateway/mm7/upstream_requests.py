"""What upstream MMSCs bring: reports on what left through them, and messages for our applications' short codes.

Each is one durable transaction; the same request again gets the same answer. Refuses, with ``StatusError``, what is
from somebody else, what names no message of ours (2005, or 4006 while one is being handed over) and what is for no
application of ours (2003).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection

from mm7zeep.gateway.config.destination import Destination, upstream_name
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.delivery import mo
from mm7zeep.gateway.delivery.events import Event
from mm7zeep.gateway.delivery.recipients import Network
from mm7zeep.gateway.mm7.backend import Backend
from mm7zeep.gateway.mm7.refusal import refusal
from mm7zeep.gateway.mm7.validation.form import check_form
from mm7zeep.gateway.mm7.validation.recipients import check_addresses, in_words
from mm7zeep.gateway.store import endpoints, mapping, messages, outbox
from mm7zeep.gateway.store.idempotency import Done, Request, Task, digest, once
from mm7zeep.gateway.store.rows import CANCELLED, DEFERRED, SENT, MessageRow, RecipientRow
from mm7zeep.messages import Address, DeliverReq, DeliveryReportReq, Message, ReadReplyReq
from mm7zeep.receiver import Call, Handler
from mm7zeep.status import Status

_DETAIL = 500  # characters that are kept of a StatusText
_Work = Callable[[Connection, float], None]


class _Relayed(NamedTuple):
    """What a request comes to, and what has happened once it is done."""

    task: Task
    events: Sequence[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaying(Backend):
    """The handlers of a VASP for the requests of the MMSCs that messages leave through."""

    observe: Callable[[Event], object]

    def handlers(self) -> Mapping[type[Message], Handler]:
        """By class of the request."""
        return {DeliverReq: self.deliver, DeliveryReportReq: self.report, ReadReplyReq: self.read}

    def prompt(self) -> Mapping[type[Message], Callable[[Call], Future[Status]]]:
        """The same, without waiting: in one transaction with others that come at the same moment."""
        return {
            DeliverReq: lambda call: self._soon(self._delivery(call)),
            DeliveryReportReq: lambda call: self._soon(self._report(call)),
            ReadReplyReq: lambda call: self._soon(self._read(call)),
        }

    def deliver(self, call: Call) -> Status:
        """MM7_deliver: each application whose short code is among the recipients gets the message."""
        return self._once(self._delivery(call))

    def report(self, call: Call) -> Status:
        """MM7_delivery_report: what became of a copy is kept, and told to its application."""
        return self._once(self._report(call))

    def read(self, call: Call) -> Status:
        """MM7_read_reply_report: told to the application that asked for it."""
        return self._once(self._read(call))

    # --- what they come to --------------------------------------------------------------------------------------------

    def _delivery(self, call: Call) -> _Relayed:
        request = cast(DeliverReq, call.message)
        check_addresses((request.sender, *request.to, *request.cc, *request.bcc))
        # what can be made of it before the transaction: others wait for the lock
        made = mo.summary(
            request,
            request.parts,
            0.0,
            received=call.received,
            upstream=self._upstream(call),
            traced=self.tracing.current().kept,
        )
        octets = mapping.raw_row("", 0, 0.0, call.received, call.raw)

        def work(connection: Connection, now: float) -> None:
            targets = self._targets(request)
            like, raw = replace(made, accepted=now), replace(octets, received=now)
            everybody = [("to", one) for one in request.to] + [("cc", one) for one in request.cc]
            for application in targets:
                own = [pair for pair in everybody if _code(pair[1]) in application.short_codes]
                others = [pair for pair in everybody if pair not in own]
                mo.plan(connection, self.settings, application.name, like, raw, own + others, now)

        return self._relayed(call, work)

    def _report(self, call: Call) -> _Relayed:
        request = cast(DeliveryReportReq, call.message)
        span = self.tracing.current()
        events: list[Event] = []

        def work(connection: Connection, now: float) -> None:
            events.clear()  # of a transaction that came to nothing
            copy, message = self._copy(connection, call, request.message_id)
            span.link(message.field)
            if copy.state in (SENT, DEFERRED):  # one that has ended stays as it ended
                event = Network(settings=self.settings, handsets=self.handsets).record_state(
                    connection,
                    message,
                    copy,
                    request.mm_status,
                    now,
                    detail=_detail(request),
                    status_text=request.status_text,
                    event={**mapping.event_fields(request), **span.kept},
                )
                events.append(event)

        return self._relayed(call, work, events)

    def _read(self, call: Call) -> _Relayed:
        request = cast(ReadReplyReq, call.message)
        span = self.tracing.current()

        def work(connection: Connection, now: float) -> None:
            copy, message = self._copy(connection, call, request.message_id)
            span.link(message.field)
            if copy.state != CANCELLED:
                plans = Network(settings=self.settings, handsets=self.handsets).reads(
                    message,
                    copy,
                    now,
                    mm_status=request.mm_status,
                    status_text=request.status_text,
                    event={**mapping.event_fields(request), **span.kept},
                )
                outbox.plan(connection, plans)

        return self._relayed(call, work)

    # --- what they share ----------------------------------------------------------------------------------------------

    def _relayed(self, call: Call, work: _Work, events: Sequence[Event] = ()) -> _Relayed:
        """``work``, to be done unless this very request was seen before."""
        self._upstream(call)
        check_form(call.received)
        transaction_id = (call.received.transaction_id or "").strip()
        request = Request(call.user or "", type(call.message).__name__, transaction_id, digest(call.message))

        def record(connection: Connection, now: float, reused: bool) -> Mapping[str, Any]:
            work(connection, now)
            return {"code": 1000}

        return _Relayed(Task(request, self.settings.window_of(None), record), events)

    def _once(self, relayed: _Relayed) -> Status:
        with self.tracing.stored():
            done = once(self.database, self.clock, relayed.task)
        return self._ended(relayed, done)

    def _soon(self, relayed: _Relayed) -> Future[Status]:
        return self.group.submit(relayed.task, lambda done: self._ended(relayed, done))

    def _ended(self, relayed: _Relayed, done: Done) -> Status:
        self.repeated(relayed.task.request, done)
        self.wake()
        for one in relayed.events:
            self.observe(one)
        return Status(1000)

    def _upstream(self, call: Call) -> Destination:
        """The upstream whose request this is. Raises ``StatusError`` (4003) for an application."""
        name = upstream_name(call.user)
        if name is None:
            raise refusal(4003, "applications submit; only an upstream MMSC brings messages and reports")
        return Destination.upstream(name)

    def _targets(self, request: DeliverReq) -> list[Application]:
        """The applications that a message is for. Raises ``StatusError`` (2003) for none."""
        asked = (*request.to, *request.cc, *request.bcc)
        codes = {_code(one) for one in asked}
        able = [one for one in self.settings.applications if one.takes_messages]
        found = [one for one in able if codes & set(one.short_codes)]
        if not found:
            said = "no recipient is the short code of an application that takes messages"
            raise refusal(2003, f"{said}: {in_words(asked)}" if asked else said)
        return found

    def _copy(self, connection: Connection, call: Call, remote_id: str) -> tuple[RecipientRow, MessageRow]:
        """The copy that is called ``remote_id`` at this upstream. Raises ``StatusError`` (2005)."""
        upstream, name = self._upstream(call), remote_id.strip()
        copy = messages.remote_copy(connection, upstream, name)
        if copy is None:
            # a report may come before the answer to the submit is kept: 2005 would end it for ever
            if self._is_submitting(connection, upstream):
                raise refusal(4006, "a message is just being handed over; report again in a moment")
            copy = messages.remote_copy(connection, upstream, name)  # it may have been kept between the two looks
        message = messages.message(connection, copy.message_id) if copy is not None else None
        if copy is None or message is None:
            raise refusal(2005, "no message that went there has that id")
        return copy, message

    def _is_submitting(self, connection: Connection, upstream: Destination) -> bool:
        there = self.settings.upstream(upstream.name)
        return there is not None and outbox.is_submitting(connection, endpoints.key(str(upstream), there.url))


def _code(address: Address) -> str | None:
    """The short code that an address may be; a coded one is none that we could know."""
    return None if address.coding is not None else address.bare.strip()


def _detail(report: DeliveryReportReq) -> str | None:
    """Why a copy ended so, in the words of its report: StatusText and MMStatusExtension."""
    said = (report.status_text, report.mm_status_extension)
    return "; ".join(one[:_DETAIL] for one in said if one) or None
