"""What drives a gateway: it sees to due copies, claims due calls, has them made, and records what came of them.

``run_once`` does all of it that is due in one transaction and hands the claimed calls out; the calls themselves are
made in threads, a few per endpoint, more while it answers, so that a bad endpoint delays nobody else; each of several
processes has its part of an endpoint's window. What the database refuses is tried again; no result is forgotten
meanwhile. Where one row is at fault, ``isolation`` sets it aside, and the others go on. Any number of processes may
share one database.

What is planned in this process wakes it. It announces to the other processes what it has no room for, a few times a
second at most, and what it leaves when it stops; what they announce (``subscription``) wakes it, too. It looks by
itself when the next thing is due, and from time to time in any case.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection

from mm7zeep.gateway.config.destination import upstream_name
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery.attempt import Caller
from mm7zeep.gateway.delivery.events import Event
from mm7zeep.gateway.delivery.handsets import Handsets
from mm7zeep.gateway.delivery.isolation import Isolation
from mm7zeep.gateway.delivery.recipients import BATCH, Network
from mm7zeep.gateway.delivery.results import ResultRecorder
from mm7zeep.gateway.delivery.retry import Outcome
from mm7zeep.gateway.store import announcement, endpoints, messages, outbox
from mm7zeep.gateway.store.clock import Clock, GuardedClock, Share
from mm7zeep.gateway.store.database import Database, StoreError
from mm7zeep.gateway.store.rows import CallRow

_LOG = logging.getLogger("mm7zeep.gateway")
_THREADS = 1000  # in all; the windows of the endpoints bound them long before
_PAUSE = 1.0  # seconds after the database reported an error
_REST = 4.0  # seconds at most that an unresponsive endpoint backs off
_BREATH = 0.01  # seconds between two turns, so that one transaction sees to more
_LONG_BREATH = 0.05  # at most, where no call waits for the next turn: as long as the last one took
_RELYING = 5.0  # seconds before looking again for what others have planned, where they announce it
_SELDOM = 0.05  # seconds between two announcements of what this process has no room for
_LULL = 0.2  # seconds at most before looking again where others have the window, or a rate leaves no room
_EXPIRED = Outcome(verdict="retry", reason="it expired before it could be made", is_attempt=False)


def process_name() -> str:
    """A name for this process that no other has, on any machine."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Window:
    """How many calls may be under way to one endpoint: narrow at first, one more for each that is answered.

    One that is unresponsive several times in a row backs off, up to four seconds, so that many calls which wait for it
    cost nothing; the first answer ends that.
    """

    def __init__(self, narrow: int, wide: int) -> None:
        self.size = narrow
        self.rests_until = 0.0
        self._narrow, self._wide = narrow, wide
        self._silent = 0

    def learn(self, outcome: Outcome, now: float) -> None:
        """Widen after an answer, narrow again after none."""
        self.size = min(self.size + 1, self._wide) if outcome.verdict in ("done", "dead") else self._narrow
        silent = outcome.verdict == "retry" and outcome.http_status is None and outcome.code is None
        self._silent = self._silent + 1 if silent else 0
        beyond = self._silent - self._narrow
        self.rests_until = now + min(_REST, _REST / 16 * 2 ** min(beyond, 9)) if beyond >= 0 else 0.0


class Dispatcher:
    """Drives one process's share. ``observe`` is called with each event; ``holder`` names this process.

    ``handsets`` are the scripts that all of the gateway goes by, by default those of ``settings``.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        caller: Caller,
        *,
        clock: GuardedClock | Callable[[], float],
        observe: Callable[[Event], object] = lambda event: None,
        holder: str | None = None,
        handsets: Handsets | None = None,
    ) -> None:
        self.settings = settings
        self.network = Network(settings=settings, handsets=handsets or Handsets(settings.handsets))
        self.holder = holder or process_name()
        self._recorder = ResultRecorder(settings=settings, network=self.network)
        self._database = database
        self._caller = caller
        given = clock if isinstance(clock, GuardedClock) else GuardedClock(Clock.of(clock), sqlite=database.sqlite)
        self._clock, self._steady = given, given.steady
        self._isolation = Isolation(database=database, recorder=self._recorder, network=self.network, clock=given)
        self._observe = observe
        self._windows: dict[str, Window] = {}
        self._share = Share()  # of the windows, as of the last look
        self._flying: dict[int, tuple[CallRow, float]] = {}  # by id, with when the lease is to be renewed
        self._results: deque[tuple[CallRow, Outcome]] = deque()
        self._lock = threading.Lock()
        self._poked = threading.Event()
        self.told_to_stop = threading.Event()  # then ``run`` may return
        self._lull = _BREATH
        self._going = False
        self._running = False
        self._relying = False  # on announcements of others
        self._planned_here = False  # since the last look
        self._left_over = False  # of that something, which is to be announced
        self._announced = -_SELDOM  # when that was last done
        self._leaving = False  # what it leaves when it stops was announced
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="mm7zeep-call")

    # --- one turn -----------------------------------------------------------------------------------------------------

    def run_once(self, *, claiming: bool = True) -> tuple[list[Event], list[CallRow]]:
        """Settle, see to copies, claim: one transaction. What happened, and the calls that are now to be made.

        Raises ``StoreError``; then nothing of it happened, and the next turn does it. Where a row is at fault, it is
        set aside, and the rest is done.
        """
        try:
            return self._together(claiming)
        except StoreError as error:
            if not error.of_value:
                raise
            _LOG.error("%s; each row is processed by itself", error)
        except Exception:  # noqa: BLE001  logged; one row's fault is no other's
            _LOG.exception("a turn failed; each row is processed by itself")
        self._isolate(claiming)
        return self._together(claiming)

    def _together(self, claiming: bool) -> tuple[list[Event], list[CallRow]]:
        with self._lock:
            results = list(self._results)
            # in one order in all processes, and in that of a cancel, so that they wait for each other's rows in turn
            ordered = sorted(results, key=lambda one: (one[0].message_id, one[0].n))
            renewed = [call for call, at in self._flying.values() if at <= self._steady()]
        events: list[Event] = []
        claimed: list[CallRow] = []
        left_over, planned_here, self._planned_here = False, self._planned_here, False
        with self._database.write() as connection:
            reading = self._clock.read(connection)
            now, held = reading.at, reading.held
            events += self._recorder.record_all(connection, ordered, now, held=held)
            outbox.renew(connection, renewed, now + self.settings.delivery.lease)
            outbox.release_expired(connection, now)
            if claiming:
                for call in outbox.overdue(connection, now=now, holder=self.holder) if not held else ():
                    events += self._recorder.record(connection, call, _EXPIRED, now)
                moved = self.network.advance(connection, now, held=held)
                events += moved
                claimed, full = self._claim(connection, now)
                full |= len(moved) >= BATCH
                left_over = full and (planned_here or announcement.is_noted(connection))
        self._left_over |= left_over
        self._took_effect([call for call, _ in results], renewed, claimed)
        for event in events:
            self._tell(event)
        return events, claimed

    def _claim(self, connection: Connection, now: float) -> tuple[list[CallRow], bool]:
        """Claim what is due; also whether there may be more than this process has room for."""
        claimed: list[CallRow] = []
        full = False
        for endpoint, queues in self._waiting(connection, now).items():
            part, due = self._part(endpoint), [one.name for one in queues if one.due <= now]
            if not due:
                continue
            if not part or self._window(endpoint).rests_until > self._steady():
                full |= not part
                continue
            found = outbox.claim(
                connection,
                endpoint,
                now=now,
                window=part,
                lease=self.settings.delivery.lease,
                holder=self.holder,
                rate=self._rate(endpoint),
                rates=self.settings.rate_limits,
                queues=due,
            )
            claimed += found
            full |= self._under_way(endpoint) + len(found) >= part
        return claimed, full

    def _waiting(self, connection: Connection, now: float) -> dict[str, list[outbox.Queue]]:
        """The endpoints with calls that wait, and their queues, the first due first; looks up the share for them."""
        waiting = outbox.waiting(connection, self.settings.rate_limits, now)
        if waiting:
            self._share = self._clock.share(connection, self.holder, now)
        return waiting

    def _window(self, endpoint: str) -> Window:
        known = self._windows.get(endpoint)
        if known is None:
            known = self._windows[endpoint] = Window(self.settings.delivery.narrow, self.settings.delivery.wide)
        return known

    def _part(self, endpoint: str) -> int:
        """How many calls to an endpoint may be under way from this process: its part of the window, or none."""
        return self._share.of(self._window(endpoint).size)

    def _rate(self, endpoint: str) -> float | None:
        upstream = self.settings.upstream(upstream_name(endpoints.owner_of(endpoint)))
        return upstream.rate if upstream is not None else None

    def _took_effect(self, recorded: list[CallRow], renewed: list[CallRow], claimed: list[CallRow]) -> None:
        """The transaction was committed: what it recorded is forgotten, what it claimed is under way."""
        half = self._steady() + self.settings.delivery.lease / 2
        done = {call.id for call in recorded}
        with self._lock:
            self._results = deque(one for one in self._results if one[0].id not in done)
            for call in recorded:
                self._flying.pop(call.id, None)
            for call in renewed:
                if call.id in self._flying:
                    self._flying[call.id] = (call, half)
            self._flying |= {call.id: (call, half) for call in claimed}

    def _tell(self, event: Event) -> None:
        try:
            self._observe(event)
        except Exception:  # noqa: BLE001  logged; the dispatcher, and what else is due, does not end with an observer
            _LOG.exception("the observer of a %s event failed", event.kind)

    # --- calls --------------------------------------------------------------------------------------------------------

    def attempt(self, call: CallRow) -> None:
        """Make a claimed call; what came of it is settled by the next turn."""
        try:
            outcome = self._caller.make(call)
        except Exception as error:  # noqa: BLE001  logged; the call is tried again, whatever kept it from being made
            _LOG.exception("a %s call could not be made", call.kind)
            outcome = Outcome(verdict="retry", reason=type(error).__name__)
        with self._lock:
            self._results.append((call, outcome))
            self._window(call.endpoint).learn(outcome, self._steady())
        self._poked.set()

    @property
    def busy(self) -> int:
        """Calls under way, and outcomes not settled yet."""
        with self._lock:
            return len(self._flying)

    @property
    def stopping(self) -> bool:
        """Whether ``stop`` was called."""
        return self.told_to_stop.is_set()

    # --- in a thread --------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """There is something to do that was planned in this process."""
        self._planned_here = True
        self._poked.set()

    def heard(self) -> None:
        """Another process has announced that there is something to do."""
        self._poked.set()

    def rely_on_announcements(self, relying: bool) -> None:
        """Whether other processes are heard: then it looks seldom by itself. Looks in any case now."""
        self._relying = relying
        self._poked.set()

    def takes_work(self) -> bool:
        """Whether what is planned in this process is seen to here, or announced from here."""
        return self._running and not self.told_to_stop.is_set()

    def stop(self) -> None:
        """Claim nothing more; ``run`` ends when what is under way is settled."""
        self.told_to_stop.set()
        self._poked.set()

    def run(self) -> None:
        """Turn until ``stop``, and then until nothing is under way any more."""
        self._running = True
        try:
            while not (self.told_to_stop.is_set() and not self.busy):
                self._poked.clear()
                self._turn()
            self._announce()
        finally:
            self._running = False
        self._threads.shutdown()

    def _turn(self) -> None:
        """One round, and the pause after it."""
        begun = time.monotonic()
        try:
            idle = self._round()
        except StoreError as error:
            self._planned_here = True  # nobody has looked whether there is room for it
            _LOG.error("%s; trying again", error)
            self._isolate_safely()
            time.sleep(_PAUSE)
        else:
            later = self._announce()
            took = time.monotonic() - begun
            breath = _BREATH if self.busy else min(max(_BREATH, took), _LONG_BREATH)
            time.sleep(breath) if idle is None else self._poked.wait(min(idle, later))

    def _announce(self) -> float:
        """Announce what others may do, if it is time for it; seconds until it is.

        That is not done in the transaction of a turn, whose sync others would wait for, and which might fail with it.
        """
        if self.told_to_stop.is_set() and not self._leaving:
            self._leaving = self._left_over = True
            self._announced = -_SELDOM
        if not self._left_over:
            return math.inf
        wait = self._announced + _SELDOM - self._steady()
        if wait > 0:
            return wait
        self._left_over, self._announced = False, self._steady()
        try:
            self._database.announce()
        except StoreError as error:
            _LOG.debug("%s; others look by themselves", error)
        return math.inf

    def _isolate(self, claiming: bool = True) -> None:
        """After a turn that failed: do its work row by row; what cannot be processed is set aside alone."""
        with self._lock:
            results = list(self._results)
        try:
            with self._database.write(quiet=True):
                pass
        except StoreError:
            return  # it is the database that is away
        recorded, events = self._isolation.results(results)
        self._took_effect(recorded, [], [])
        if claiming:
            events += self._isolation.overdue(self.holder, _EXPIRED)
            events += self._isolation.recipients()
        for event in events:
            self._tell(event)

    def _isolate_safely(self) -> None:
        try:
            self._isolate(claiming=not self.told_to_stop.is_set())
        except StoreError as error:
            _LOG.error("%s; trying again", error)

    def _round(self) -> float | None:
        """One turn, if there is something to do; seconds until there may be more, None for at once."""
        claiming = not self.told_to_stop.is_set()
        wait = 0.0 if self._going else self._until_due(claiming)
        if wait > 0:
            self._lull = _BREATH
            return wait
        self._going = False
        events, claimed = self.run_once(claiming=claiming)
        for call in claimed:
            self._begin(call)
        self._going = bool(events or claimed)  # then there is more, most likely: the next turn does not look first
        self._lull = _BREATH if events or claimed else min(2 * self._lull, _LULL)
        return None if events or claimed else self._lull

    def _begin(self, call: CallRow) -> None:
        try:
            self._threads.submit(self.attempt, call)
        except RuntimeError as error:  # the system starts no further thread
            _LOG.error("a %s call could not be begun: %s", call.kind, error)
            with self._lock:
                self._results.append((call, Outcome(verdict="retry", reason="no thread could be started")))

    def _until_due(self, claiming: bool) -> float:
        """Seconds until a turn would do anything: found out by reading, since writers exclude each other."""
        steady = self._steady()
        with self._lock:
            if self._results:
                return 0.0
            waits = [at - steady for _, at in self._flying.values()]
        waits.append(max(self.settings.poll, _RELYING) if self._relying else self.settings.poll)
        planned_here, self._planned_here = self._planned_here, False
        full = False
        if claiming:
            with self._database.read() as connection:
                reading = self._clock.read(connection)
                now = reading.at
                moments = [
                    messages.next_due(connection),
                    None if reading.held else outbox.next_expiry(connection),
                    outbox.next_lease_end(connection),
                ]
                waits += [at - now for at in moments if at is not None]
                for name, queues in self._waiting(connection, now).items():
                    at = queues[0].due
                    if self._has_room(name):
                        waits.append(max(at - now, self._window(name).rests_until - steady))
                    elif at <= now:
                        waits.append(self.settings.poll)  # a process that ends leaves its part without a word
                        full = True
        wait = max(0.0, min(waits))
        if wait > 0:
            self._left_over |= full and planned_here
        else:
            self._planned_here |= planned_here  # the turn that follows looks whether there is room for all of it
        return wait

    def _has_room(self, endpoint: str) -> bool:
        return self._under_way(endpoint) < self._part(endpoint)

    def _under_way(self, endpoint: str) -> int:
        with self._lock:
            return sum(1 for call, _ in self._flying.values() if call.endpoint == endpoint)
