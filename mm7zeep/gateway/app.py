"""A small MMS Relay/Server in one process: it accepts what applications submit, and tells them what became of it.

``Mmsc`` is the listener with its handlers. What it holds stands in memory, bounded (``mailbox``); what it tells
applications, ``callbacks`` says. It does nothing by itself: ``step`` performs the next thing that is due, ``working``
does so in a thread. Refuses other applications' messages as if they did not exist; opens no socket but to call back.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from mm7zeep import exchange, mime
from mm7zeep.client import ContentLike, parts_of
from mm7zeep.exchange import Wire
from mm7zeep.gateway.accounts import Application, Callback
from mm7zeep.gateway.callbacks import Deliver, send, told
from mm7zeep.gateway.handset import Handset
from mm7zeep.gateway.mailbox import Mailbox, refusal
from mm7zeep.gateway.stored import Callout, Copy, Event, Stored
from mm7zeep.messages import (
    AddressLike,
    CancelReq,
    CancelRsp,
    DeliverReq,
    ExtendedCancelReq,
    ExtendedCancelRsp,
    ExtendedReplaceReq,
    ExtendedReplaceRsp,
    Message,
    ReplaceReq,
    ReplaceRsp,
    RSErrorRsp,
    ShortCode,
    SubmitReq,
    SubmitRsp,
    address,
)
from mm7zeep.profiles import Policy
from mm7zeep.receiver import Call, Endpoint, Handler, HttpLimits, Receive, Reply, Scope, Send
from mm7zeep.status import Status

__all__ = ["PATH", "Application", "Callback", "Callout", "Copy", "Event", "Handset", "Mmsc", "Stored"]

PATH = "/mm7"
"""Where the MM7 listener stands; everything else is 404."""

_LOG = logging.getLogger("mm7zeep.gateway")


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
        self._mailbox = Mailbox(handsets, clock=clock, kept=kept, octets=octets, relay_id=relay_id)
        self._deliver = deliver
        self._observe = observe
        self._clock = clock
        self._relay_id = relay_id

    def answer(self, wire: Wire) -> Reply:
        """Answer one request of an application, as ``Endpoint.answer``."""
        return self.endpoint.answer(wire)

    @property
    def messages(self) -> tuple[Stored, ...]:
        """What is held, the oldest first."""
        return self._mailbox.messages

    @property
    def handsets(self) -> tuple[Handset, ...]:
        """How recipients behave."""
        return self._mailbox.handsets

    @property
    def dead(self) -> deque[Callout]:
        """The calls that were not accepted, until ``replay``."""
        return self._mailbox.dead

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
            raise refusal(4001, "this user may not use that VASPID or VASID")
        return application

    def _submit(self, call: Call) -> SubmitRsp:
        application = self._application(call)
        request = cast(SubmitReq, call.message)
        recipients, profile = request.recipients, application.served
        if not recipients:
            raise refusal(2002, "nobody to be served among the recipients")
        if profile.max_recipients is not None and len(recipients) > profile.max_recipients:
            raise refusal(3003, f"at most {profile.max_recipients} recipients in a request")
        stored = Stored(
            message_id=exchange.new_transaction_id(),
            application=application,
            request=request,
            accepted=self._clock(),
            copies=tuple(Copy(recipient=one) for one in recipients),
        )
        self._mailbox.put(stored)
        return SubmitRsp(message_id=stored.message_id)

    def _cancel(self, call: Call) -> CancelRsp:
        return CancelRsp(status=self._take_back(call, cast(CancelReq, call.message).message_id))

    def _extended_cancel(self, call: Call) -> ExtendedCancelRsp:
        return ExtendedCancelRsp(status=self._take_back(call, cast(ExtendedCancelReq, call.message).cancel_id))

    def _take_back(self, call: Call, message_id: str) -> Status:
        return self._mailbox.take_back(self._application(call), message_id)

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
        return self._mailbox.put_in_place(application, message_id, changes)

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
        self._mailbox.call(Callout(receiver, receiver.callback.deliver, message))
        return message

    def step(self) -> Event | None:
        """Do the next thing that is due; None if nothing is."""
        due = self._mailbox.advance()
        event = self._call(due) if isinstance(due, Callout) else due
        if event is not None:
            try:
                self._observe(event)
            except Exception:  # noqa: BLE001  logged; the worker, and what else is due, does not end with an observer
                _LOG.exception("the observer of a %s event failed", event.kind)
        return event

    def run_pending(self) -> list[Event]:
        """Do everything that is due, and what that makes due."""
        return list(iter(self.step, None))

    def replay(self) -> int:
        """Plan again the calls that failed; how many."""
        return self._mailbox.replay()

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
            self._mailbox.wake()
            thread.join()

    def _work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            if self.step() is None:
                self._mailbox.wait(stop)

    def _call(self, plan: Callout) -> Event:
        """Call an application back; what it does not accept is kept among the ``dead``."""
        error = None
        try:
            if self._deliver is not None:
                self._deliver(plan.url, plan.message)
            else:
                send(plan)
        except Exception as raised:  # noqa: BLE001  a seam of others: whatever it raises, the relay goes on
            error = f"{type(raised).__name__}: {raised}"
            _LOG.warning("a %s to %s was not accepted", type(plan.message).__name__, plan.application.name)
            self._mailbox.bury(plan)
        return told(plan, error)


_REPLACED = (
    "service_code", "time_stamp", "read_reply", "earliest_delivery_time", "distribution_indicator", "content_class",
    "drm_content", "applic_id", "reply_applic_id", "aux_applic_info", "content_href", "allow_adaptations", "parts",
)  # fmt: skip


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
