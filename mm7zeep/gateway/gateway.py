"""The gateway: one MM7 endpoint for applications and upstreams, a store behind it, and what drives it.

``asgi`` is the listener at ``/mm7``. What is accepted was committed before it is answered; what follows from it,
``working`` does in threads, or ``run_pending`` when called. Refuses other applications' messages as if they did not
exist; opens no socket but to call back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from mm7zeep import envelope, exchange
from mm7zeep.client import ContentLike, parts_of
from mm7zeep.exchange import Wire
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery import reports
from mm7zeep.gateway.delivery.attempt import Caller, Deliver
from mm7zeep.gateway.delivery.dispatcher import Dispatcher, process_name
from mm7zeep.gateway.delivery.events import Event
from mm7zeep.gateway.maintenance import Housekeeper
from mm7zeep.gateway.metrics import Metrics
from mm7zeep.gateway.mm7.admission import AdmissionControl
from mm7zeep.gateway.mm7.auth import GatewayAuthenticator
from mm7zeep.gateway.mm7.chaos import Chaos
from mm7zeep.gateway.mm7.requests import Intake
from mm7zeep.gateway.mm7.turns import Turns
from mm7zeep.gateway.mm7.upstream_requests import OWNER, Relaying
from mm7zeep.gateway.mm7.validation import refusal
from mm7zeep.gateway.store import content as contents
from mm7zeep.gateway.store import mapping, messages, outbox
from mm7zeep.gateway.store.clock import Clock, ClockState, GuardedClock
from mm7zeep.gateway.store.database import Database, StoreError
from mm7zeep.gateway.store.idempotency import Done, Request
from mm7zeep.gateway.store.rows import SHOWN, CallRow, MessageRow, RawRow, RecipientRow, attributes_of
from mm7zeep.gateway.supervised import SupervisedThread
from mm7zeep.messages import AddressLike, DeliverReq, Part, RSErrorRsp, ShortCode, VASPErrorRsp, address
from mm7zeep.receiver import AnswerForm, Call, Endpoint, Handler, Receive, Reply, Scope, Send

PATH = "/mm7"
"""Where the MM7 listener stands; everything else is 404."""

THREADS = 8
"""That read, validate and keep requests at a time; the interpreter runs one of them, the disk the others."""

_LOG = logging.getLogger("mm7zeep.gateway")


class Gateway:
    """An MMS Relay/Server on one database: ``answer`` (or ``asgi``) takes requests, ``working`` does what follows.

    ``deliver(url, message, transaction_id)`` calls applications back; by default an ``MmscClient`` with the
    application's credentials does. ``clock`` is where time is read (by default this machine's, or PostgreSQL's; a
    function that gives seconds since 1970 never jumps). ``observe`` is told each ``Event``. ``shared`` says that it is
    one of several processes whose counts are shown together; ``metrics`` goes on counting for a gateway that this one
    follows. Thread-safe.

    Raises ``ValueError`` for settings that cannot be used, ``StoreError`` where the database cannot be opened.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        deliver: Deliver | None = None,
        observe: Callable[[Event], object] = lambda event: None,
        clock: Clock | Callable[[], float] | None = None,
        shared: bool = False,
        metrics: Metrics | None = None,
    ) -> None:
        names = [one.name for one in settings.applications]
        if len(set(names)) != len(names):
            raise ValueError("two applications have the same name")
        forms = {one.name: one.answer_form for one in settings.applications}
        self.settings = settings
        self.database = Database(settings.database)
        self.metrics = metrics or Metrics(shared=shared)
        self.chaos = Chaos(self.database)
        self.clock = GuardedClock(Clock.of(clock), sqlite=self.database.sqlite)
        with self.database.write() as connection:
            self.clock.resume(connection)
        process = process_name()
        self.admission = AdmissionControl(settings, self.database, clock=self.clock, process=process)
        self.housekeeper = Housekeeper(self.database, settings, self.clock)
        self._observe = observe
        self._stopped = threading.Event()
        self._threads: tuple[SupervisedThread, ...] = ()
        self._caller = Caller(settings, self.database, deliver=deliver)
        self.dispatcher = Dispatcher(
            settings, self.database, self._caller, clock=self.clock, observe=self._happened, holder=process
        )
        shared_by_both: Any = {
            "settings": settings,
            "database": self.database,
            "clock": self.clock,
            "wake": self.dispatcher.wake,
            "repeated": self._repeated,
        }
        intake = Intake(**shared_by_both, upstream=self._caller.change)
        relaying = Relaying(**shared_by_both, observe=self._happened)
        handlers = {**intake.handlers(), **relaying.handlers()}
        self.endpoint = Endpoint(
            {kind: self.chaos.wrap(self._guarded(handler)) for kind, handler in handlers.items()},
            error=lambda user: VASPErrorRsp if (user or "").startswith(OWNER) else RSErrorRsp,
            auth=GatewayAuthenticator(
                settings.applications, settings.upstreams, settings.trusted_proxies, waiting=settings.waiting_guesses
            ),
            policy=settings.policy,
            limits=settings.limits,
            http=settings.http,
            answers=lambda user: forms.get(user or "", AnswerForm(refusals="fault")),
            keep_raw=True,
            admission=self.admission.admit,
            turns=Turns(THREADS).of,
            observe=self._answered,
            show_numbers=settings.show_numbers,
        )
        self.asgi = _Site(self.endpoint)

    def close(self) -> None:
        """Close all connections, and the endpoint."""
        self.endpoint.close()
        self._caller.close()
        self.database.close()

    def answer(self, wire: Wire, *, peer: str | None = None) -> Reply:
        """Answer one request of an application, as ``Endpoint.answer``."""
        return self.endpoint.answer(wire, peer=peer)

    def ready(self) -> tuple[str, ...]:
        """Why no request can be taken now; nothing if they can."""
        failing = [found for one in self._threads if (found := one.failing()) is not None]
        return (*(("it is stopping",) if self.dispatcher.stopping else ()), *self.admission.full, *failing)

    def _guarded(self, handler: Handler) -> Handler:
        """``handler``, where the database not doing it is answered by 503: never by 1000, and never as if it were known
        whether it was kept.
        """

        def guarded(call: Call) -> object:
            if self.admission.full:  # since it was admitted, while it waited for its turn
                raise self.admission.refusal(self.admission.full[0])
            try:
                return handler(call)
            except StoreError as error:
                _LOG.error("a %s was not taken: %s", type(call.message).__name__, error)
                if error.of_value:  # the same again would fail again
                    raise refusal(2007, "a value of the request cannot be kept") from error
                raise self.admission.refusal("it could not be kept; send it again") from error

        return guarded

    def _answered(self, operation: str | None, code: int | None, http: int, seconds: float, user: str | None) -> None:
        self.metrics.answered(operation, code, http, seconds, user)
        told = {"operation": operation, "status": code, "http": http, "user": user, "ms": round(seconds * 1000, 1)}
        # whoever is let in nowhere can have it answered as often as he likes
        stranger = {"seldom": f"answered {http}"} if user is None else {}
        _LOG.info("answered", extra={"fields": told, **stranger})

    def _repeated(self, request: Request, done: Done) -> None:
        """Tell the log and the metrics of a request whose TransactionID was used before."""
        if not (done.repeated or done.reused):
            return
        self.metrics.repeated(request.owner, "answered" if done.repeated else "reused")
        fields = {"user": request.owner, "operation": request.operation, "transaction_id": request.transaction_id}
        if done.repeated:
            _LOG.info("a request came again and was answered as before", extra={"fields": fields})
        else:
            text = "a TransactionID was used for different requests and recognises none"
            _LOG.warning(text, extra={"fields": fields, "seldom": text})

    def _happened(self, event: Event) -> None:
        self.metrics.happened(event)
        self._observe(event)

    # --- what handsets do, on request ---------------------------------------------------------------------------------

    def send_mo(
        self,
        application: str,
        from_: AddressLike,
        to: AddressLike,
        subject: str | None = None,
        content: ContentLike | Iterable[ContentLike] = (),
    ) -> CallRow:
        """Plan an MO message from a handset to an application; its ``message_id`` is the LinkedID.

        Raises ``KeyError`` for an unknown application, ``ValueError`` for one without callback and for what no message
        can be made of, ``StoreError``.
        """
        receiver = reports.application_of(self.settings, application)
        if receiver is None:
            raise KeyError(application)
        if receiver.callback is None:
            raise ValueError(f"the application {application} has no callback")
        sender = address(from_)
        target = ShortCode(to) if isinstance(to, str) and to in receiver.short_codes else address(to)
        message = DeliverReq(sender=sender, to=(target,), subject=subject, parts=parts_of(content))
        fitting, _ = envelope.fitted(message, receiver.callback_profile)
        wire = exchange.pack(fitting, profile=receiver.callback_profile)
        raw = RawRow(message_id="", n=0, received=0.0, headers=mapping.headers_text(wire.headers), body=wire.read())
        parts = contents.parts_of(raw)
        like = MessageRow(
            id="",
            direction="mo",
            application=application,
            sender_kind=sender.kind,
            sender=sender.value,
            sender_attributes=attributes_of(sender),
            subject=subject,
            excerpt=contents.excerpt(parts),
            accepted=0.0,
            size=sum(one.size for one in parts),
            parts=contents.listed(parts),
        )
        with self.database.write() as connection:
            now = self.clock.now(connection)
            like, raw = replace(like, accepted=now), replace(raw, received=now)
            call = self.dispatcher.network.bring(connection, application, like, raw, [("to", target)], now)
        assert call is not None  # noqa: S101  it has a callback
        self.dispatcher.wake()
        return call

    def report(self, message_id: str, recipient: str, state: str, text: str | None = None) -> None:
        """A copy reaches ``state``, an MMStatus, whatever its handset would have done; reported, asked for or not.

        Raises ``KeyError`` for an unknown message or recipient, ``StoreError``.
        """
        with self.database.write() as connection:
            message, copy = self._copy(connection, message_id, recipient)
            asked = replace(message, delivery_report=True)
            now = self.clock.now(connection)
            event = self.dispatcher.network.record_state(connection, asked, copy, state, now, status_text=text)
        self._happened(event)
        self.dispatcher.wake()

    def read(self, message_id: str, recipient: str, status: str) -> bool:
        """A recipient has Read or Deleted a message; whether its application has a callback that can be told.

        Raises ``KeyError`` for an unknown message or recipient, ``StoreError``.
        """
        with self.database.write() as connection:
            message, copy = self._copy(connection, message_id, recipient)
            asked = replace(message, read_reply=True)
            plans = list(reports.reads(self.settings, asked, copy, self.clock.now(connection), mm_status=status))
            outbox.plan(connection, plans)
        self.dispatcher.wake()
        return bool(plans)

    def retrieved(self, message_id: str) -> tuple[Part, ...]:
        """The parts of a message as a handset has them, with the presentation that was made where it had none.

        Raises ``KeyError`` for an unknown message, ``StoreError``.
        """
        with self.database.read() as connection:
            message = messages.message(connection, message_id)
            raw = messages.raw(connection, message.id, message.content) if message is not None else None
        if raw is None:
            raise KeyError(message_id)
        return contents.presented(contents.parts_of(raw))

    def _copy(self, connection: Connection, message_id: str, recipient: str) -> tuple[MessageRow, RecipientRow]:
        message = messages.message(connection, message_id)
        copies = messages.recipients(connection, message.id, lock=True) if message is not None else []
        served = [one for one in copies if one.state != SHOWN]  # who is only displayed has no copy to report on
        copy = next((one for one in served if recipient in (one.address, one.of.bare)), None)
        if message is None or message.direction != "mt":
            raise KeyError(message_id)
        if copy is None:
            raise KeyError(recipient)
        return message, copy

    def replay(self, *, id: int | None = None, endpoint: str | None = None, since: float | None = None) -> int:
        """Make calls again, as ``outbox.replay``; how many. MO messages given up wait again. Raises ``StoreError``."""
        with self.database.write() as connection:
            now = self.clock.now(connection)
            count = outbox.replay(
                connection,
                now=now,
                expiry=self.settings.delivery.expiry,
                id=id,
                endpoint=endpoint,
                since=since,
            )
            messages.wait_again(connection, now)
        self.dispatcher.wake()
        return count

    def clock_state(self) -> ClockState:
        """Whether a jump of the clock waits to be confirmed, since when, and how far it went. Raises ``StoreError``."""
        with self.database.read() as connection:
            return self.clock.state(connection)

    def confirm_clock(self) -> bool:
        """Go by the clock as it is now; whether a jump waited to be confirmed. Raises ``StoreError``."""
        with self.database.write() as connection:
            confirmed = self.clock.confirm(connection, "the operator confirmed it")
        self.dispatcher.wake()
        return confirmed

    # --- what follows -------------------------------------------------------------------------------------------------

    def run_pending(self) -> list[Event]:
        """Do everything that is due, and what that makes due, in this thread."""
        happened: list[Event] = []
        while True:
            events, claimed = self.dispatcher.run_once()
            happened += events
            for call in claimed:
                self.dispatcher.attempt(call)
            if not events and not claimed:
                return happened

    def start(self) -> None:
        """Do what is due in threads, from now on until ``stop``."""
        work = {
            "dispatcher": self.dispatcher.run,
            "keeper": lambda: self.admission.run(self._stopped),
            "retention": lambda: self.housekeeper.run(self._stopped),
        }
        self._threads = tuple(
            SupervisedThread(name, one, self._stopped, restarted=self.metrics.restarted) for name, one in work.items()
        )
        for thread in self._threads:
            thread.start()

    def stop(self, wait: float | None = None) -> bool:
        """Claim nothing more and wait, at most ``wait`` seconds, for the calls under way; whether they ended."""
        self._stopped.set()
        self.dispatcher.stop()
        until = None if wait is None else time.monotonic() + wait
        for thread in self._threads:
            thread.join(None if until is None else max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Do what is due in threads, while the context lasts; leaving waits for the calls under way."""
        self.start()
        try:
            yield
        finally:
            self.stop()


class _Site:
    """The ASGI application: the endpoint at ``/mm7``, 404 elsewhere."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or path == PATH:
            await self._serve(scope, receive, send)
            return
        body = b"MM7 is served at /mm7\n"
        head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 404, "headers": [*head, (b"connection", b"close")]})
        await send({"type": "http.response.body", "body": body})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: dict[str, object]) -> None:
            nonlocal begun
            begun = True
            await send(message)

        await self._endpoint.asgi(scope, receive, noting)
        if not begun and scope["type"] == "http":  # the sender is gone, or is to believe so
            reset = scope.get("extensions", {}).get("mm7zeep.reset")
            if reset is not None:
                reset()
