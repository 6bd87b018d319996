"""What was used of the limits by sending number, upstream and day, kept for all processes together.

A row for each rate, or for each number that it counts: when the next message may go, and how many went on its day.
Who claims reads and writes it under ``lock``, which one process at a time has until its transaction ends; nobody waits
for that. A message that was certainly not taken is given back to its day by a row of its own, which the next claim
takes. A clock that was set back holds a pace for a minute at most, and a day for two.
Refuses nothing: what exceeds a rate waits.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from mm7zeep.gateway.config.destination import upstream_name
from mm7zeep.gateway.config.rates import Limit, Rates
from mm7zeep.gateway.store import endpoints
from mm7zeep.gateway.store.clock import JUMP
from mm7zeep.gateway.store.rows import DEAD, DONE, LEASED, READY, CallRow
from mm7zeep.gateway.store.tables import OUTBOX, RATE, RATE_RETURN, index_key

AGAIN = "\tagain"
"""What the queue of a number's further attempts ends with."""
_LOCK = 0x6D6D377C  # of PostgreSQL's advisory lock
_CLOSE = 1e-6  # seconds, and parts of a message: what doubles leave of a time since 1970
_EACH = sa.func.json_each(sa.bindparam("names", type_=sa.Text)).table_valued("value")


def _named(column: sa.ColumnElement[str], dialect: str) -> sa.ColumnElement[bool]:
    """Whether ``column`` is one of ``names``, one parameter however many they are."""
    if dialect == "postgresql":
        return column == sa.any_(sa.bindparam("names", type_=postgresql.ARRAY(sa.Text)))
    return column.in_(sa.select(_EACH.c.value))


_OWN, _RETURN = (RATE.c.name, RATE.c.next_at, RATE.c.day, RATE.c.used, RATE.c.changed), RATE_RETURN.c
_DIALECTS = ("sqlite", "postgresql")
_LOOK = {one: sa.select(*_OWN).where(_named(RATE.c.name, one)) for one in _DIALECTS}
_RETURNED = {one: sa.select(_RETURN.name, _RETURN.day).where(_named(_RETURN.name, one)) for one in _DIALECTS}
_TAKE_BACK = {
    one: sa.delete(RATE_RETURN).where(_named(_RETURN.name, one)).returning(_RETURN.name, _RETURN.day)
    for one in _DIALECTS
}


def _upsert(insert: sqlite.Insert | postgresql.Insert) -> sa.Insert:
    new = {name: insert.excluded[name] for name in ("next_at", "day", "used", "changed")}
    return insert.on_conflict_do_update(index_elements=[RATE.c.name], set_=new)


_KEEP = {"sqlite": _upsert(sqlite.insert(RATE)), "postgresql": _upsert(postgresql.insert(RATE))}


def lock(connection: Connection) -> bool:
    """Whether this transaction alone may use the rates, until it ends; False where another one has them just now."""
    if connection.dialect.name != "postgresql":
        return True  # who writes is alone
    return bool(connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))))


def limits(rates: Rates, endpoint: str, queue: str) -> tuple[Limit, ...]:
    """What limits the calls of a queue."""
    return rates.limits(upstream_name(endpoints.owner_of(endpoint)), queue.removesuffix(AGAIN) or None)


def key(limit: Limit) -> str:
    """The name of a limit's row: of its rate, and of the number that it counts by itself."""
    return index_key(limit.rate.name if limit.number is None else f"{limit.rate.name}\t{limit.number}")


@dataclass(slots=True)
class _Bucket:
    """What was used of one limit."""

    next_at: float | None = None
    day: str | None = None
    used: int = 0
    changed: float = 0.0


class Closed(NamedTuple):
    """A limit without room: whether it is that of its day, and when there is room again."""

    limit: Limit
    of_day: bool
    until: float

    def __str__(self) -> str:
        moment = datetime.fromtimestamp(self.until, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return f"waits for the rate {self.limit}: {self.limit.rate.amount(day=self.of_day)}, room again at {moment}"


class Buckets:
    """What is left of ``limits`` at ``now``, as this transaction sees it.

    ``locked`` says that ``lock`` was had: only then may it be spent, and ``keep`` keeps what was.
    """

    def __init__(self, connection: Connection, limits: Iterable[Limit], now: float, *, locked: bool = False) -> None:
        self._connection, self._now = connection, now
        self._changed: set[str] = set()
        self._today: dict[str | None, tuple[str, str]] = {}
        names = sorted({key(one) for one in limits})
        self._buckets = {name: _Bucket() for name in names}
        if not names:
            return
        dialect = connection.dialect.name
        told = {"names": json.dumps(names) if dialect == "sqlite" else names}
        for name, *row in connection.execute(_LOOK[dialect], told):
            self._buckets[name] = _Bucket(*row)
        returned = connection.execute((_TAKE_BACK if locked else _RETURNED)[dialect], told)
        for (name, day), count in Counter((row.name, row.day) for row in returned).items():
            bucket = self._buckets[name]
            if bucket.day == day:
                bucket.used = max(0, bucket.used - count)
                self._changed.add(name)

    # --- asked --------------------------------------------------------------------------------------------------------

    def room(self, limits: Sequence[Limit], most: int) -> int:
        """How many messages may go now that all of ``limits`` count, up to ``most``."""
        for limit in limits:
            rate, bucket = limit.rate, self._buckets[key(limit)]
            if rate.per_second is not None:
                waits = self._earliest(limit, bucket) - self._now
                most = min(most, int(-waits * rate.per_second + _CLOSE) + 1 if waits <= _CLOSE else 0)
            if rate.per_day is not None:
                most = min(most, rate.per_day - self._used(limit, bucket))
        return max(0, most)

    def closed(self, limits: Sequence[Limit]) -> Closed | None:
        """Of ``limits`` the one without room that has none for the longest; None where a message may go now."""
        found = [closed for one in limits for closed in self._closed(one)]
        return max(found, key=lambda one: one.until, default=None)

    def _closed(self, limit: Limit) -> Iterator[Closed]:
        rate, bucket = limit.rate, self._buckets[key(limit)]
        if rate.per_second is not None and (at := self._earliest(limit, bucket)) - self._now > _CLOSE:
            yield Closed(limit, False, at)
        if rate.per_day is not None and self._used(limit, bucket) >= rate.per_day:
            day = self._day(limit, bucket)
            yield Closed(limit, True, rate.begin(rate.day_after(day)))

    def _earliest(self, limit: Limit, bucket: _Bucket) -> float:
        """When the next message may go, or the first of those that may go now could have gone."""
        rate, now = limit.rate, self._now
        per_second = rate.per_second or 1.0
        # no later than one message's time after the last one: it may have had a slower rate
        next_at = min(bucket.next_at or 0.0, bucket.changed + 1 / per_second)
        if bucket.changed > now + JUMP:  # the clock was set back: what was used then tells nothing
            next_at = 0.0
        return max(next_at, now - (rate.most_at_once - 1) / per_second)

    def _day(self, limit: Limit, bucket: _Bucket) -> str:
        """The day that messages count for: today, or tomorrow where the clock was set back over midnight."""
        rate = limit.rate
        days = self._today.get(rate.timezone)
        if days is None:
            today = rate.day(self._now)
            days = self._today[rate.timezone] = today, rate.day_after(today)
        return days[1] if bucket.day == days[1] else days[0]

    def _used(self, limit: Limit, bucket: _Bucket) -> int:
        return bucket.used if bucket.day == self._day(limit, bucket) else 0

    # --- used ---------------------------------------------------------------------------------------------------------

    def spend(self, limits: Sequence[Limit], count: int) -> None:
        """Count ``count`` messages that go now."""
        for limit in limits if count else ():
            name = key(limit)
            bucket = self._buckets[name]
            if limit.rate.per_second is not None:
                bucket.next_at = self._earliest(limit, bucket) + count / limit.rate.per_second
            used, day = self._used(limit, bucket), self._day(limit, bucket)
            bucket.day, bucket.used, bucket.changed = day, used + count, self._now
            self._changed.add(name)

    def keep(self) -> None:
        """Keep what was spent."""
        rows = [
            {"name": name, "next_at": one.next_at, "day": one.day, "used": one.used, "changed": self._now}
            for name, one in self._buckets.items()
            if name in self._changed
        ]
        if rows:
            self._connection.execute(_KEEP[self._connection.dialect.name], rows)


def give_back(connection: Connection, rates: Rates, call: CallRow, now: float) -> None:
    """Count a call no more for the day of its claim: it was certainly not taken. The pace of a second stays used."""
    if call.counted is None:
        return
    rows = [
        {"name": key(one), "day": one.rate.day(call.counted), "at": now}
        for one in rates.limits(upstream_name(call.owner), call.number)
        if one.rate.per_day is not None
    ]
    if rows:
        connection.execute(sa.insert(RATE_RETURN), rows)


def forget(connection: Connection, before: float) -> None:
    """Forget what was used until ``before``."""
    connection.execute(sa.delete(RATE).where(RATE.c.changed < before))
    connection.execute(sa.delete(RATE_RETURN).where(RATE_RETURN.c.at < before))


# --- told -------------------------------------------------------------------------------------------------------------


def reasons(connection: Connection, rates: Rates, calls: Iterable[CallRow], now: float) -> dict[int, str]:
    """Why calls wait that are due, by their id: which rate has no room, and when it has some again."""
    found = {
        one.id: rates.limits(upstream_name(one.owner), one.number)
        for one in calls
        if rates and one.kind == "submit" and one.state == READY and one.due <= now
    }
    buckets = Buckets(connection, (one for some in found.values() for one in some), now)
    closed = {id: buckets.closed(some) for id, some in found.items()}
    return {id: str(one) for id, one in closed.items() if one is not None}


def reasons_of_copies(
    connection: Connection, rates: Rates, message_ids: Sequence[str], now: float
) -> Mapping[tuple[str, int], str]:
    """Why copies have not left, by message and number, as ``reasons``."""
    if not rates or not message_ids:
        return {}
    waiting = sa.select(OUTBOX).where(
        OUTBOX.c.message_id.in_(message_ids), OUTBOX.c.kind == "submit", OUTBOX.c.state.not_in((LEASED, DONE, DEAD))
    )
    calls = [CallRow(**row) for row in connection.execute(waiting).mappings()]
    found = reasons(connection, rates, calls, now)
    return {(one.message_id, one.n): found[one.id] for one in calls if one.id in found}


def waiting(connection: Connection, rates: Rates, now: float) -> dict[str, int]:
    """How many calls that are due wait for each rate, by its name."""
    if not rates:
        return {}
    columns = OUTBOX.c
    query = sa.select(columns.endpoint, columns.queue, sa.func.count()).where(
        columns.state == READY, columns.due <= now
    )
    counts = connection.execute(query.group_by(columns.endpoint, columns.queue)).all()
    found = [limits(rates, endpoint, queue) for endpoint, queue, _ in counts]
    buckets = Buckets(connection, (one for some in found for one in some), now)
    result = dict.fromkeys(rates.names, 0)
    for (_, _, count), some in zip(counts, found, strict=True):
        closed = buckets.closed(some)
        if closed is not None:
            result[closed.limit.rate.name] += count
    return result
