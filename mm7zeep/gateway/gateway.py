"""The gateway: one MM7 endpoint for applications and upstreams, a JSON API, a store behind them, and what drives it.

``asgi`` is the listener at ``/mm7``, ``api`` that of the JSON API and of Twilio's form. What is accepted was committed
before it is answered; what follows from it, ``working`` does in threads, or ``run_pending`` when called. Refuses other
applications' messages as if they did not exist; opens no socket but to call back.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from mm7zeep.exchange import Wire
from mm7zeep.gateway.api import events, media_urls
from mm7zeep.gateway.api.listener import Listener
from mm7zeep.gateway.api.request import Services
from mm7zeep.gateway.api.twilio.replies import Replies
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery.attempt import Caller, Deliver
from mm7zeep.gateway.delivery.dispatcher import Dispatcher, process_name
from mm7zeep.gateway.delivery.events import Event
from mm7zeep.gateway.delivery.handsets import Handsets
from mm7zeep.gateway.delivery.subscription import Subscription
from mm7zeep.gateway.maintenance import Housekeeper
from mm7zeep.gateway.metrics import Metrics
from mm7zeep.gateway.mm7 import listener, turns
from mm7zeep.gateway.mm7.admission import AdmissionControl
from mm7zeep.gateway.mm7.auth import GatewayAuthenticator
from mm7zeep.gateway.mm7.chaos import Chaos
from mm7zeep.gateway.mm7.readiness import Readiness
from mm7zeep.gateway.mm7.recall import Recall
from mm7zeep.gateway.mm7.requests import Intake
from mm7zeep.gateway.mm7.upstream_requests import Relaying
from mm7zeep.gateway.mm7.validation.content import check_content
from mm7zeep.gateway.simulator import Simulator
from mm7zeep.gateway.store import buckets, messages, outbox
from mm7zeep.gateway.store.clock import Clock, ClockState, GuardedClock
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.group_commit import GroupCommit
from mm7zeep.gateway.store.idempotency import Done, Request
from mm7zeep.gateway.supervised import SupervisedThread
from mm7zeep.receiver import Reply
from mm7zeep.tracing import tracing

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

_LOG = logging.getLogger("mm7zeep.gateway")


class Gateway:
    """An MMS Relay/Server on one database: ``answer`` (or ``asgi``) takes requests, ``working`` does what follows.

    ``deliver(url, message, transaction_id)`` calls applications back; by default an ``MmscClient`` with the
    application's credentials does. ``clock`` is where time is read (by default this machine's, or PostgreSQL's; a
    function that gives seconds since 1970 never jumps). ``observe`` is told each ``Event``. ``shared`` says that it is
    one of several processes whose counts are shown together; ``metrics`` goes on counting for a gateway that this one
    follows. ``tracer_provider`` is told of spans, by default OpenTelemetry's own. Thread-safe.

    Raises ``ValueError`` for settings that cannot be used, ``StoreError`` where the database cannot be opened.
    """

    PATH = listener.PATH
    """Where MM7 requests are taken."""
    THREADS = turns.THREADS
    """How many requests are processed at a time."""

    def __init__(
        self,
        settings: Settings,
        *,
        deliver: Deliver | None = None,
        observe: Callable[[Event], object] = lambda event: None,
        clock: Clock | Callable[[], float] | None = None,
        shared: bool = False,
        metrics: Metrics | None = None,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        names = [one.name for one in settings.applications]
        if len(set(names)) != len(names):
            raise ValueError("two applications have the same name")
        self.settings = settings
        self._observe = observe
        self._stopped = threading.Event()
        self._closing = ExitStack()
        self._threads: tuple[SupervisedThread, ...] = ()
        self._tracer_provider = tracer_provider
        with ExitStack() as opened:
            self.database = Database(settings.database)
            opened.callback(self.database.close)
            self._build(deliver, clock, metrics or Metrics(shared=shared))
            opened.pop_all()

    def _build(self, deliver: Deliver | None, clock: Clock | Callable[[], float] | None, metrics: Metrics) -> None:
        """What stands on the open database."""
        settings = self.settings
        self.metrics = metrics
        self._tracing = tracing(settings.tracing, self._tracer_provider)
        self.chaos = Chaos(self.database)
        self.handsets = Handsets(settings.handsets)
        self.clock = GuardedClock(Clock.of(clock), sqlite=self.database.sqlite)
        with self.database.write() as connection:
            self.clock.resume(connection)
            key = messages.setting_once(connection, media_urls.KEY, secrets.token_hex(32))
        self.page_secret = hmac.digest(bytes.fromhex(key), b"forms of pages", "sha256")
        media = media_urls.MediaUrls(bytes.fromhex(key), settings.api_base, settings.media_urls)
        self._group = GroupCommit(self.database, self.clock, self._tracing)
        process = process_name()
        self.admission = AdmissionControl(settings, self.database, clock=self.clock, process=process)
        self.housekeeper = Housekeeper(self.database, settings, self.clock)
        self._build_delivery(deliver, media, process)
        self._build_listeners(media)
        self.simulator = Simulator(
            settings=settings,
            database=self.database,
            clock=self.clock,
            dispatcher=self.dispatcher,
            observe=self._happened,
        )

    def _build_delivery(self, deliver: Deliver | None, media: media_urls.MediaUrls, process: str) -> None:
        """What makes the calls that are planned, under the name of this ``process``."""
        settings = self.settings
        self._caller = Caller(
            settings,
            self.database,
            clock=self.clock,
            write=partial(events.event, settings=settings, media=media),
            answered=Replies(settings, self.handsets.in_force, self.admission, self._tracing),
            check=check_content,
            deliver=deliver,
            tracing=self._tracing,
        )
        self.dispatcher = Dispatcher(
            settings,
            self.database,
            self._caller,
            clock=self.clock,
            observe=self._happened,
            holder=process,
            handsets=self.handsets,
        )
        self.database.picked_up = self.dispatcher.takes_work
        self._subscription = Subscription(
            self.database,
            heard=self._heard,
            changed=self.dispatcher.rely_on_announcements,
            counted=self.metrics.subscribed,
        )

    def _build_listeners(self, media: media_urls.MediaUrls) -> None:
        """What takes requests: of MM7, of the JSON API and of Twilio's form."""
        settings = self.settings
        backend: Any = {
            "settings": settings,
            "handsets": self.handsets,
            "database": self.database,
            "clock": self.clock,
            "group": self._group,
            "wake": self.dispatcher.wake,
            "repeated": self._repeated,
            "tracing": self._tracing,
        }
        recall = Recall(database=self.database, upstream=self._caller.change)
        self.authenticator = authenticator = GatewayAuthenticator(
            settings.applications, settings.upstreams, settings.trusted_proxies, waiting=settings.waiting_guesses
        )
        readiness = Readiness(self.ready)
        shares = turns.Shares()
        intake = Intake(**backend, recall=recall)
        relaying = Relaying(**backend, observe=self._happened)
        self.endpoint = listener.endpoint(
            settings,
            {**intake.handlers(), **relaying.handlers()},
            {**intake.prompt(), **relaying.prompt()},
            authenticator=authenticator,
            shares=shares,
            admission=self.admission,
            chaos=self.chaos,
            observe=self._answered,
            tracing=self._tracing,
        )
        self.asgi = listener.Site(self.endpoint, readiness, self._tracing, self.chaos)
        services = Services(**backend, recall=recall, admission=self.admission, shares=shares, media=media)
        self.api = Listener(services, authenticator, readiness, observe=self._answered)

    def when_closed(self, call: Callable[[], object]) -> None:
        """Have ``call`` made when this gateway is closed: what stands on it ends with it."""
        self._closing.callback(call)

    def close(self) -> None:
        """Close all connections, the endpoint, and what was to be closed with it."""
        self._closing.close()
        self.endpoint.close()
        self._group.close()
        self._caller.close()
        self.database.close()

    def following(self, settings: Settings) -> Gateway:
        """A gateway with other settings, which goes on counting. Raises as the class does."""
        return Gateway(settings, metrics=self.metrics, tracer_provider=self._tracer_provider)

    @property
    def keeping(self) -> bool:
        """Whether requests are being kept just now, in one transaction with others."""
        return self._group.busy

    def answer(self, wire: Wire, *, peer: str | None = None) -> Reply:
        """Answer one request of an application, as ``Endpoint.answer``."""
        return self.asgi.answer(wire, peer)

    def ready(self) -> tuple[str, ...]:
        """Why no request can be taken now; nothing if they can."""
        failing = [found for one in self._threads if (found := one.failing()) is not None]
        return (*(("it is stopping",) if self.dispatcher.stopping else ()), *self.admission.full, *failing)

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

    def _heard(self) -> None:
        self.metrics.announced()
        self.dispatcher.heard()

    def _happened(self, event: Event) -> None:
        self.metrics.happened(event)
        self._observe(event)

    # --- what an operator asks for ------------------------------------------------------------------------------------

    def replay(
        self,
        *,
        id: int | None = None,
        endpoint: str | None = None,
        since: float | None = None,
        owner: str | None = None,
    ) -> int:
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
                owner=owner,
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

    def waiting_for_rate(self, connection: Connection) -> dict[str, int]:
        """How many calls that are due wait for each rate, by its name."""
        return buckets.waiting(connection, self.settings.rate_limits, self.clock.now(connection))

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
        subscription = self._subscription
        works: list[tuple[str, Callable[[], object], threading.Event]] = [
            ("dispatcher", self.dispatcher.run, self.dispatcher.told_to_stop),  # told before the others
            ("keeper", lambda: self.admission.run(self._stopped), self._stopped),
            ("retention", lambda: self.housekeeper.run(self._stopped), self._stopped),
        ]
        if not self.database.sqlite:  # there is nothing to subscribe to
            works.append(("subscription", subscription.run, subscription.told_to_stop))
        self._threads = tuple(SupervisedThread(*one, restarted=self.metrics.restarted) for one in works)
        for thread in self._threads:
            thread.start()

    def stop(self, wait: float | None = None) -> bool:
        """Claim nothing more and wait, at most ``wait`` seconds, for the calls under way; whether they ended."""
        self._stopped.set()
        self._subscription.stop()
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
