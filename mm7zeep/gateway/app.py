"""A small MMS Relay/Server in one process: it accepts what applications submit, and tells them what became of it.

``Mmsc`` keeps everything in memory, bounded, and does nothing by itself: ``step`` performs the next thing that is due,
``working`` does so in a thread. Refuses other applications' messages as if they did not exist; opens no socket but to
call back.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, cast

from mm7zeep import exchange, mime
from mm7zeep.client import ContentLike, MmscClient, parts_of
from mm7zeep.errors import StatusError
from mm7zeep.exchange import Wire
from mm7zeep.gateway.accounts import Application, Callback
from mm7zeep.gateway.handset import Handset, handset_of
from mm7zeep.messages import (
    Address,
    AddressLike,
    CancelReq,
    CancelRsp,
    DeliverReq,
    DeliveryReportReq,
    ExtendedCancelReq,
    ExtendedCancelRsp,
    ExtendedReplaceReq,
    ExtendedReplaceRsp,
    Message,
    Moment,
    Part,
    ReadReplyReq,
    ReplaceReq,
    ReplaceRsp,
    RSErrorRsp,
    RsRequest,
    ShortCode,
    SubmitReq,
    SubmitRsp,
    address,
)
from mm7zeep.profiles import Policy, Profile
from mm7zeep.receiver import Call, Endpoint, Handler, HttpLimits, Receive, Reply, Scope, Send
from mm7zeep.status import Status

__all__ = ["PATH", "Application", "Callback", "Callout", "Copy", "Event", "Handset", "Mmsc", "Stored"]

PATH = "/mm7"
"""Where the MM7 listener stands; everything else is 404."""

_LOG = logging.getLogger("mm7zeep.gateway")
_PENDING = "Pending"

Deliver = Callable[[str, RsRequest], object]
"""Sends one message to a callback URL; raises unless it was accepted."""


# --- what is held -----------------------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Copy:
    """One recipient's copy: ``state`` is Pending, Cancelled or an MMStatus, ``parts`` what the handset retrieved."""

    recipient: Address
    state: str = _PENDING
    parts: tuple[Part, ...] = ()
    turn: int = 0  # counts the replacements, so that an earlier plan for this copy is known to be void


@dataclass(slots=True, kw_only=True)
class Stored:
    """One accepted submit and its copies."""

    message_id: str
    application: Application
    request: SubmitReq
    accepted: datetime
    copies: tuple[Copy, ...]

    @property
    def pending(self) -> list[Copy]:
        """The copies that have not left yet."""
        return [one for one in self.copies if one.state == _PENDING]

    @property
    def size(self) -> int:
        """Octets of the content."""
        return sum(part.size for part in self.request.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that ``step`` did.

    ``handset``: a copy reached ``state``. ``report``, ``read``, ``deliver``: a message went to the application;
    ``error`` says why not, if it was not accepted.
    """

    kind: Literal["handset", "report", "read", "deliver"]
    application: str
    message_id: str | None
    recipient: Address | None
    state: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A plan: a copy reaches its handset, unless it was replaced or cancelled before."""

    stored: Stored
    copy: Copy
    turn: int


@dataclass(frozen=True, slots=True)
class Callout:
    """A plan: a message goes to an application."""

    application: Application
    url: str
    message: RsRequest


# --- the relay --------------------------------------------------------------------------------------------------------


class Mmsc:
    """The MMS Relay/Server: ``answer`` (or ``asgi``, at ``/mm7``) takes requests, ``step`` does what follows from them.

    ``kept`` messages of ``octets`` content together are held; beyond that the oldest finished ones go, and if there are
    none submits are refused with 4006. ``deliver(url, message)`` calls back; by default an ``MmscClient`` with the
    application's credentials does, once. ``clock`` gives the present time with zone. ``observe`` is told each event.
    Thread-safe.

    Raises ``ValueError`` for two applications of one name, or an unknown profile.
    """

    def __init__(
        self,
        applications: Sequence[Application],
        *,
        handsets: Iterable[Handset] = (),
        deliver: Deliver | None = None,
        observe: Callable[[Event], object] = lambda event: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        kept: int = 200,
        octets: int = 64 * 1024 * 1024,
        policy: Policy = "interop",
        limits: mime.Limits | None = None,
        http: HttpLimits | None = None,
        relay_id: str | None = "mm7zeep",
    ) -> None:
        self.applications: Mapping[str, Application] = {one.name: one for one in applications}
        if len(self.applications) != len(applications):
            raise ValueError("two applications have the same name")
        refuses = {one.name: one.served.fault_refusals for one in applications}
        self.endpoint = Endpoint(
            self._handlers(),
            error=RSErrorRsp,
            auth={one.name: one.password for one in applications},
            policy=policy,
            limits=limits,
            http=http or HttpLimits(),
            faults=lambda user: refuses.get(user or "", True),
        )
        self.asgi = _Site(self.endpoint)
        self.handsets = tuple(handsets)
        self.dead: deque[Callout] = deque(maxlen=kept)
        self._deliver = deliver
        self._observe = observe
        self._clock = clock
        self._kept, self._octets = kept, octets
        self._relay_id = relay_id
        self._messages: dict[str, Stored] = {}
        self._plans: list[tuple[datetime, int, _Arrival | Callout]] = []
        self._count = itertools.count()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    def answer(self, wire: Wire) -> Reply:
        """Answer one request of an application, as ``Endpoint.answer``."""
        return self.endpoint.answer(wire)

    @property
    def messages(self) -> tuple[Stored, ...]:
        """What is held, the oldest first."""
        with self._lock:
            return tuple(self._messages.values())

    # --- what applications ask ----------------------------------------------------------------------------------------

    def _handlers(self) -> Mapping[type[Message], Handler]:
        return {
            SubmitReq: self._submit,
            CancelReq: self._cancel,
            ReplaceReq: self._replace,
            ExtendedCancelReq: self._extended_cancel,
            ExtendedReplaceReq: self._extended_replace,
        }

    def _application(self, call: Call) -> Application:
        """Whose request this is. Raises ``StatusError`` (4001) if it names another's VASPID or VASID."""
        application = self.applications[call.user or ""]
        message: Any = call.message
        if not application.owns(message.vaspid, message.vasid):
            raise _refusal(4001, "this user may not use that VASPID or VASID")
        return application

    def _submit(self, call: Call) -> SubmitRsp:
        application = self._application(call)
        request = cast(SubmitReq, call.message)
        recipients, profile = request.recipients, application.served
        if not recipients:
            raise _refusal(2002, "nobody to be served among the recipients")
        if profile.max_recipients is not None and len(recipients) > profile.max_recipients:
            raise _refusal(3003, f"at most {profile.max_recipients} recipients in a request")
        stored = Stored(
            message_id=exchange.new_transaction_id(),
            application=application,
            request=request,
            accepted=self._clock(),
            copies=tuple(Copy(recipient=one) for one in recipients),
        )
        _check_size(stored.size, profile)
        with self._changed:
            self._make_room(stored.size)
            self._messages[stored.message_id] = stored
            self._plan_arrivals(stored)
        return SubmitRsp(message_id=stored.message_id)

    def _make_room(self, size: int) -> None:
        """Let the oldest finished messages go until one more fits. Raises ``StatusError`` (4006) if it never does."""
        total = sum(one.size for one in self._messages.values())
        finished = iter([one for one in self._messages.values() if not one.pending])
        while len(self._messages) >= self._kept or total + size > self._octets:
            oldest = next(finished, None)
            if oldest is None:
                raise _refusal(4006, "too many messages wait for their recipients")
            total -= oldest.size
            del self._messages[oldest.message_id]

    def _cancel(self, call: Call) -> CancelRsp:
        return CancelRsp(status=self._take_back(call, cast(CancelReq, call.message).message_id))

    def _extended_cancel(self, call: Call) -> ExtendedCancelRsp:
        return ExtendedCancelRsp(status=self._take_back(call, cast(ExtendedCancelReq, call.message).cancel_id))

    def _take_back(self, call: Call, message_id: str) -> Status:
        application = self._application(call)
        with self._lock:
            stored = self._own(application, message_id)
            pending = stored.pending
            for copy in pending:
                copy.state = "Cancelled"
            return _done(len(pending), stored)

    def _replace(self, call: Call) -> ReplaceRsp:
        request = cast(ReplaceReq, call.message)
        return ReplaceRsp(status=self._put_in_place(call, request.message_id, _REPLACED))

    def _extended_replace(self, call: Call) -> ExtendedReplaceRsp:
        request = cast(ExtendedReplaceReq, call.message)
        status = self._put_in_place(call, request.replace_id, (*_REPLACED, "expiry_date", "delivery_report"))
        return ExtendedReplaceRsp(status=status, message_id=request.replace_id)

    def _put_in_place(self, call: Call, message_id: str | None, names: Sequence[str]) -> Status:
        application = self._application(call)
        given = {name: getattr(call.message, name, None) for name in names}
        changes: dict[str, Any] = {name: value for name, value in given.items() if value not in (None, ())}
        with self._changed:
            stored = self._own(application, message_id)
            pending = stored.pending
            if pending:
                request = replace(stored.request, **changes)
                _check_size(sum(part.size for part in request.parts), application.served)
                stored.request = request
                self._plan_arrivals(stored)
            return _done(len(pending), stored)

    def _own(self, application: Application, message_id: str | None) -> Stored:
        """The application's message of that id. Raises ``StatusError`` (2005), also for another's message."""
        stored = self._messages.get((message_id or "").strip())
        if stored is None or stored.application.name != application.name:
            raise StatusError(2005)
        return stored

    # --- what the network does ----------------------------------------------------------------------------------------

    def send_mo(
        self,
        application: str,
        from_: AddressLike,
        to: AddressLike,
        subject: str | None = None,
        content: ContentLike | Iterable[ContentLike] = (),
    ) -> DeliverReq:
        """Plan an MO message from a handset to an application; the next ``step`` sends it.

        Raises ``KeyError`` for an unknown application, ``ValueError`` for one without callback.
        """
        receiver = self.applications[application]
        if receiver.callback is None:
            raise ValueError(f"the application {application} has no callback")
        message = DeliverReq(
            mms_relay_server_id=self._relay_id,
            linked_id=exchange.new_transaction_id(),
            sender=address(from_),
            to=(ShortCode(to) if isinstance(to, str) and to in receiver.short_codes else address(to),),
            time_stamp=self._clock(),
            subject=subject,
            parts=parts_of(content),
        )
        with self._changed:
            self._plan(self._clock(), Callout(receiver, receiver.callback.deliver, message))
        return message

    def step(self) -> Event | None:
        """Do the next thing that is due; None if nothing is."""
        with self._lock:
            plan = self._next()
            event = self._arrive(plan) if isinstance(plan, _Arrival) else None
        if isinstance(plan, Callout):
            event = self._call(plan)
        if event is not None:
            self._observe(event)
        return event

    def run_pending(self) -> list[Event]:
        """Do everything that is due, and what that makes due."""
        return list(iter(self.step, None))

    def replay(self) -> int:
        """Plan again the calls that failed; how many."""
        with self._changed:
            count = len(self.dead)
            while self.dead:
                self._plan(self._clock(), self.dead.popleft())
        return count

    @contextmanager
    def working(self) -> Iterator[None]:
        """Do what is due in a thread, while the context lasts."""
        stop = threading.Event()
        thread = threading.Thread(target=self._work, args=(stop,), name="mm7zeep-mmsc", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            with self._changed:
                self._changed.notify_all()
            thread.join()

    def _work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            if self.step() is None:
                with self._changed:
                    wait = (self._plans[0][0] - self._clock()).total_seconds() if self._plans else None
                    if not stop.is_set() and (wait is None or wait > 0):
                        self._changed.wait(wait)

    def _plan(self, due: datetime, plan: _Arrival | Callout) -> None:
        heapq.heappush(self._plans, (due, next(self._count), plan))
        self._changed.notify_all()

    def _plan_arrivals(self, stored: Stored) -> None:
        for copy in stored.pending:
            copy.turn += 1
            due = self._clock() + handset_of(copy.recipient, self.handsets).delay
            earliest = _moment(stored.request.earliest_delivery_time, stored.accepted)
            expiry = _moment(stored.request.expiry_date, stored.accepted)
            due = max(due, earliest) if earliest is not None else due
            self._plan(min(due, expiry) if expiry is not None else due, _Arrival(stored, copy, copy.turn))

    def _next(self) -> _Arrival | Callout | None:
        """The next plan that is due and not void."""
        while self._plans and self._plans[0][0] <= self._clock():
            plan = heapq.heappop(self._plans)[2]
            if isinstance(plan, Callout) or (plan.copy.state == _PENDING and plan.copy.turn == plan.turn):
                return plan
        return None

    def _arrive(self, plan: _Arrival) -> Event:
        """A copy reaches its handset, or expires on the way; the reports that were asked for are planned."""
        stored, copy, now = plan.stored, plan.copy, self._clock()
        handset = handset_of(copy.recipient, self.handsets)
        expiry = _moment(stored.request.expiry_date, stored.accepted)
        copy.state = "Expired" if expiry is not None and expiry <= now else handset.outcome
        if copy.state == "Retrieved":
            copy.parts = stored.request.parts
        callback = stored.application.callback
        if callback is not None:
            for message in self._reports(stored, copy, handset, now):
                self._plan(now, Callout(stored.application, callback.report or callback.deliver, message))
        return Event(
            kind="handset",
            application=stored.application.name,
            message_id=stored.message_id,
            recipient=copy.recipient,
            state=copy.state,
        )

    def _reports(self, stored: Stored, copy: Copy, handset: Handset, now: datetime) -> Iterator[RsRequest]:
        application, request = stored.application, stored.request
        # TS 23.140 8.7.4: Sender is who sent the MM; a VASP without an address of its own is known by its short code
        sender = request.sender_address or ShortCode(next(iter(application.short_codes), application.vaspid))
        about: dict[str, Any] = {
            "mms_relay_server_id": self._relay_id,
            "message_id": stored.message_id,
            "recipient": replace(copy.recipient, id=None, coding=None),
            "sender": sender,
        }
        if request.delivery_report:
            yield DeliveryReportReq(**about, date=now, mm_status=copy.state)
        if request.read_reply and handset.read and copy.state == "Retrieved":
            yield ReadReplyReq(**about, time_stamp=now, mm_status="Read")

    def _call(self, plan: Callout) -> Event:
        """Call an application back; what it does not accept is kept among the ``dead``."""
        error = None
        try:
            if self._deliver is not None:
                self._deliver(plan.url, plan.message)
            else:
                _send(plan)
        except Exception as raised:  # noqa: BLE001  a seam of others: whatever it raises, the relay goes on
            error = f"{type(raised).__name__}: {raised}"
            _LOG.warning("a %s to %s was not accepted", type(plan.message).__name__, plan.application.name)
            with self._lock:
                self.dead.append(plan)
        return _told(plan, error)


_REPLACED = (
    "service_code", "time_stamp", "read_reply", "earliest_delivery_time", "distribution_indicator", "content_class",
    "drm_content", "applic_id", "reply_applic_id", "aux_applic_info", "content_href", "allow_adaptations", "parts",
)  # fmt: skip


def _refusal(code: int, details: str) -> StatusError:
    return StatusError(Status(code, details=details))


def _check_size(size: int, profile: Profile) -> None:
    if profile.max_content is not None and size > profile.max_content:
        raise _refusal(2004, f"the content may have {profile.max_content} octets")


def _done(reached: int, stored: Stored) -> Status:
    """The status of a change that reached so many copies. Raises ``StatusError`` (3001) for none."""
    if not reached:
        raise _refusal(3001, "it is too late: no copy waits any more")
    return Status(1000 if reached == len(stored.copies) else 1100)


def _moment(value: Moment | None, since: datetime) -> datetime | None:
    """The point in time that an element means; None for none, and for one beyond what Python can hold."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    try:
        found: datetime = since + value
    except (OverflowError, ValueError):
        return None
    return found


def _send(plan: Callout) -> None:
    callback = plan.application.callback
    auth = (callback.username, callback.password or "") if callback is not None and callback.username else None
    with MmscClient(plan.url, auth=auth, profile=plan.application.called) as client:
        client.send(plan.message)


def _told(plan: Callout, error: str | None) -> Event:
    message = plan.message
    if isinstance(message, DeliveryReportReq | ReadReplyReq):
        return Event(
            kind="report" if isinstance(message, DeliveryReportReq) else "read",
            application=plan.application.name,
            message_id=message.message_id,
            recipient=message.recipient,
            state=message.mm_status,
            error=error,
        )
    to = message.to[0] if isinstance(message, DeliverReq) and message.to else None
    return Event(
        kind="deliver",
        application=plan.application.name,
        message_id=None,
        recipient=to,
        state="Refused" if error else "Delivered",
        error=error,
    )


class _Site:
    """The ASGI application: the endpoint at ``/mm7``, 404 elsewhere."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or path == PATH:
            await self._endpoint.asgi(scope, receive, send)
            return
        body = b"MM7 is served at /mm7\n"
        head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 404, "headers": [*head, (b"connection", b"close")]})
        await send({"type": "http.response.body", "body": body})
