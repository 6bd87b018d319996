"""Through all copies of a database, page by page, each page one short transaction; and on, as they change.

``pages`` is one walk. ``Follower`` goes by changes. What is committed late has an earlier time than what was read
already, so that each look begins before anything that was open at the look before; what was told is remembered for as
long, and what may still change for longer, so that no state of a copy is told twice in a row. Refuses to follow what
does not tell who writes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from sqlalchemy import Connection

from mm7zeep.gateway.store import details
from mm7zeep.gateway.store.clock import JUMP, Clock, GuardedClock
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.gateway.store.details import EVER, Accepted, Changed, Detail
from mm7zeep.gateway.store.read_only import ReadOnlyDatabase
from mm7zeep.gateway.store.rows import DEFERRED, PENDING, SENT

By = Literal["changed", "accepted"]
PAGE = 1000  # copies that one transaction reads
_STEP = 0.5  # seconds by which a clock may go unevenly between two looks
_WAITING = 100_000  # copies that may still change and are remembered


def pages(
    database: ReadOnlyDatabase, by: By, *, since: float | None = None, until: float | None = None
) -> Iterator[list[Detail]]:
    """All copies that last changed, or were accepted, from ``since`` on and before ``until``, in that order.

    Times are seconds since 1970. Raises ``StoreError``.
    """
    walk: Callable[..., tuple[list[Detail], Any]] = details.by_change
    after: Changed | Accepted = Changed(EVER if since is None else since)
    if by == "accepted":
        walk, after = details.by_acceptance, Accepted(after.at)
    while True:
        found, after = database.read(partial(walk, after=after, until=until, limit=PAGE))
        yield found
        if len(found) < PAGE:
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The time ``now``, and before which ``settled`` time everything is committed that ever will be; None: unknown.

    Both are seconds since 1970.
    """

    now: float
    settled: float | None


def edge(database: ReadOnlyDatabase, clock: GuardedClock) -> Edge:
    """Where the database has come to, by the clock of its gateway. Raises ``StoreError``."""

    def look(connection: Connection) -> Edge:
        now, span = clock.now(connection), details.unsettled(connection)
        return Edge(now=now, settled=now - span if span is not None else None)

    return database.read(look)


class Follower:
    """Tells each copy that changed from ``since`` on (seconds since 1970; None: all), and again when its state is
    another one.

    Remembers what was told in the last minute, and 100,000 copies that may still change; beyond that, and where a clock
    is set back by more than a minute, a copy may be told again though its state is the same. None is left out, but on
    PostgreSQL what a transaction commits that reads the clock and writes nothing for 15 seconds after it, and, for a
    role that may not see the transactions of others, what is committed more than 5 seconds late.
    """

    def __init__(self, database: ReadOnlyDatabase, since: float | None = None, *, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = GuardedClock(Clock.of(clock), sqlite=database.sqlite)
        self._after = Changed(EVER if since is None else since)
        self._last: tuple[float, float] | None = None  # the time of the look before, and by the clock that only passes
        self._told: OrderedDict[tuple[str, int], tuple[str, float]] = OrderedDict()  # lately: the state, and since when
        self._waiting: OrderedDict[tuple[str, int], str] = OrderedDict()

    def look(self) -> Iterator[list[Detail]]:
        """What there is to tell by now, page by page. Where it raises ``StoreError``, the next look goes on there.

        Raises ``Standby``.
        """
        # first who writes, then what is written: whoever began in between is younger than this
        reached = edge(self._database, self._clock)
        if reached.settled is None:
            raise Standby("the server is a standby, which does not tell who still writes; follow its primary")
        settled, passed = Changed(reached.settled), self._passed(reached.now)
        if passed is not None:
            self._after = min(self._after, Changed(reached.settled - passed))
        after, oldest = self._after, reached.settled - JUMP
        while True:
            found, after = self._database.read(partial(details.by_change, after=after, limit=PAGE))
            yield [one for one in found if self._is_new(one, oldest)]
            self._after = min(after, settled)
            if len(found) < PAGE:
                break
        self._after = settled
        self._forget(oldest)

    def _passed(self, now: float) -> float | None:
        """Seconds since the look before, where the clock that counts was set back meanwhile."""
        at = self._clock.steady()
        before, self._last = self._last, (now, at)
        return None if before is None or now - before[0] > at - before[1] - _STEP else at - before[1]

    def _is_new(self, copy: Detail, oldest: float) -> bool:
        """Whether the state of a copy was not the last that was told of it; it counts as told from now on."""
        key = (copy.message_id, copy.n)
        lately = self._told.pop(key, None)
        before = lately[0] if lately is not None else self._waiting.pop(key, None)
        if copy.changed >= oldest:
            self._told[key] = (copy.state, copy.changed)
        elif copy.state in (PENDING, DEFERRED, SENT):
            self._wait(key, copy.state)
        return copy.state != before

    def _forget(self, oldest: float) -> None:
        """Forget what no look reads again, unless it may still change."""
        while self._told:
            key, (state, changed) = next(iter(self._told.items()))
            if changed >= oldest:
                return
            del self._told[key]
            if state in (PENDING, DEFERRED, SENT):
                self._wait(key, state)

    def _wait(self, key: tuple[str, int], state: str) -> None:
        self._waiting[key] = state
        if len(self._waiting) > _WAITING:
            self._waiting.popitem(last=False)


class Standby(StoreError):
    """A server that takes no writes itself, and does not tell who writes elsewhere."""
