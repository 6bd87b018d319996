"""The messages a relay holds, in memory and bounded, and the queue of what is due with them.

Everything happens under one lock; calling applications does not happen here, it is handed out by ``advance``. Refuses,
with ``StatusError``, what is too large, what finds no room, what is not the application's, and what comes too late.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from mm7zeep.errors import StatusError
from mm7zeep.gateway.accounts import Application
from mm7zeep.gateway.callbacks import reports
from mm7zeep.gateway.handset import Handset, handset_of
from mm7zeep.gateway.stored import PENDING, Arrival, Callout, Event, Stored, moment
from mm7zeep.profiles import Profile
from mm7zeep.status import Status


class Mailbox:
    """Accepted messages and plans: at most ``kept`` messages of ``octets`` content together, and ``kept`` dead calls.

    ``clock`` gives the present time with zone; ``relay_id`` is who the reports are from. Thread-safe.
    """

    def __init__(
        self,
        handsets: Iterable[Handset],
        *,
        clock: Callable[[], datetime],
        kept: int,
        octets: int,
        relay_id: str | None,
    ) -> None:
        self.handsets = tuple(handsets)
        self.dead: deque[Callout] = deque(maxlen=kept)
        self._clock = clock
        self._kept, self._octets = kept, octets
        self._relay_id = relay_id
        self._messages: dict[str, Stored] = {}
        self._plans: list[tuple[datetime, int, Arrival | Callout]] = []
        self._count = itertools.count()
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)

    @property
    def messages(self) -> tuple[Stored, ...]:
        """What is held, the oldest first."""
        with self._lock:
            return tuple(self._messages.values())

    # --- what applications change -------------------------------------------------------------------------------------

    def put(self, stored: Stored) -> None:
        """Hold a message and plan its arrivals. Raises ``StatusError``: 2004 too large, 4006 no room."""
        _check_size(stored.size, stored.application.served)
        with self._changed:
            self._make_room(stored.size)
            self._messages[stored.message_id] = stored
            self._plan_arrivals(stored)

    def take_back(self, application: Application, message_id: str) -> Status:
        """Cancel the copies that still wait. Raises ``StatusError``: 2005 no such message, 3001 too late."""
        with self._lock:
            stored = self._own(application, message_id)
            pending = stored.pending
            for copy in pending:
                copy.state = "Cancelled"
            self._forget_void()
            return _done(len(pending), stored)

    def put_in_place(self, application: Application, message_id: str | None, changes: Mapping[str, Any]) -> Status:
        """Change the request whose copies still wait. Raises ``StatusError`` as ``put`` and ``take_back`` do."""
        with self._changed:
            stored = self._own(application, message_id)
            pending = stored.pending
            if pending:
                request = replace(stored.request, **changes)
                size = sum(part.size for part in request.parts)
                _check_size(size, application.served)
                self._make_room(size - stored.size, more=0)
                stored.request = request
                self._plan_arrivals(stored)
                self._forget_void()
            return _done(len(pending), stored)

    def _make_room(self, size: int, more: int = 1) -> None:
        """Let the oldest finished messages go until ``more`` of ``size`` fit. Raises ``StatusError`` (4006)."""
        total = sum(one.size for one in self._messages.values())
        finished = iter([one for one in self._messages.values() if not one.pending])
        while len(self._messages) + more > self._kept or total + size > self._octets:
            oldest = next(finished, None)
            if oldest is None:
                raise refusal(4006, "too many messages wait for their recipients")
            total -= oldest.size
            del self._messages[oldest.message_id]

    def _own(self, application: Application, message_id: str | None) -> Stored:
        """The application's message of that id. Raises ``StatusError`` (2005), also for another's message."""
        stored = self._messages.get((message_id or "").strip())
        if stored is None or stored.application.name != application.name:
            raise StatusError(2005)
        return stored

    # --- what is due --------------------------------------------------------------------------------------------------

    def call(self, plan: Callout) -> None:
        """Plan a call for now."""
        with self._changed:
            self._plan(self._clock(), plan)

    def bury(self, plan: Callout) -> None:
        """Keep a call that was not accepted."""
        with self._lock:
            self.dead.append(plan)

    def replay(self) -> int:
        """Plan again the calls that failed; how many."""
        with self._changed:
            count = len(self.dead)
            while self.dead:
                self._plan(self._clock(), self.dead.popleft())
        return count

    def advance(self) -> Event | Callout | None:
        """Do the next thing that is due: the event of an arrival, or a call that is now the caller's to make."""
        with self._lock:
            plan = self._next()
            return self._arrive(plan) if isinstance(plan, Arrival) else plan

    def wait(self, stop: threading.Event) -> None:
        """Wait until something is due, something changes, or ``wake`` is called; not at all after ``stop``."""
        with self._changed:
            wait = (self._plans[0][0] - self._clock()).total_seconds() if self._plans else None
            if not stop.is_set() and (wait is None or wait > 0):
                self._changed.wait(wait)

    def wake(self) -> None:
        """End every ``wait``."""
        with self._changed:
            self._changed.notify_all()

    def _plan(self, due: datetime, plan: Arrival | Callout) -> None:
        heapq.heappush(self._plans, (due, next(self._count), plan))
        self._changed.notify_all()

    def _plan_arrivals(self, stored: Stored) -> None:
        for copy in stored.pending:
            copy.turn += 1
            due = self._clock() + handset_of(copy.recipient, self.handsets).delay
            earliest = moment(stored.request.earliest_delivery_time, stored.accepted)
            expiry = moment(stored.request.expiry_date, stored.accepted)
            due = max(due, earliest) if earliest is not None else due
            self._plan(min(due, expiry) if expiry is not None else due, Arrival(stored, copy, copy.turn))

    def _next(self) -> Arrival | Callout | None:
        """The next plan that is due and not void."""
        while self._plans and self._plans[0][0] <= self._clock():
            plan = heapq.heappop(self._plans)[2]
            if _stands(plan):
                return plan
        return None

    def _forget_void(self) -> None:
        """Let go of the plans that nothing comes of: they would hold their messages until they are due."""
        self._plans = [one for one in self._plans if _stands(one[2])]
        heapq.heapify(self._plans)

    def _arrive(self, plan: Arrival) -> Event:
        """A copy reaches its handset, or expires on the way; the reports that were asked for are planned."""
        stored, copy, now = plan.stored, plan.copy, self._clock()
        handset = handset_of(copy.recipient, self.handsets)
        expiry = moment(stored.request.expiry_date, stored.accepted)
        copy.state = "Expired" if expiry is not None and expiry <= now else handset.outcome
        if copy.state == "Retrieved":
            copy.parts = stored.request.parts
        callback = stored.application.callback
        if callback is not None:
            for message in reports(stored, copy, handset, now, self._relay_id):
                self._plan(now, Callout(stored.application, callback.report or callback.deliver, message))
        return Event(
            kind="handset",
            application=stored.application.name,
            message_id=stored.message_id,
            recipient=copy.recipient,
            state=copy.state,
        )


def _stands(plan: Arrival | Callout) -> bool:
    return isinstance(plan, Callout) or (plan.copy.state == PENDING and plan.copy.turn == plan.turn)


def refusal(code: int, details: str) -> StatusError:
    """What a handler raises to answer with this status."""
    return StatusError(Status(code, details=details))


def _check_size(size: int, profile: Profile) -> None:
    if profile.max_content is not None and size > profile.max_content:
        raise refusal(2004, f"the content may have {profile.max_content} octets")


def _done(reached: int, stored: Stored) -> Status:
    """The status of a change that reached so many copies. Raises ``StatusError`` (3001) for none."""
    if not reached:
        raise refusal(3001, "it is too late: no copy waits any more")
    return Status(1000 if reached == len(stored.copies) else 1100)
