"""What time it is, for leases, schedules and expiry: a clock that goes on evenly where the machine's is set.

On PostgreSQL the database's clock counts, so that all machines agree; on SQLite the machine's. Either may jump, when it
is set or when the database moves to another machine. A jump of more than a minute is noticed by a second clock that
only ever passes: from then on a correction, shared by all processes, makes up for it, and what expires, is deleted or
given up for its age is held. After five minutes without a further jump, or when the operator says so, the new time
counts, and what was planned by the old one is planned again. Waits for nothing, and never goes by one clock alone.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from mm7zeep.gateway.store import announcement, changes
from mm7zeep.gateway.store.tables import ENDPOINT, HEARTBEAT, MESSAGE, OUTBOX, RATE, RECIPIENT, SETTING

_LOG = logging.getLogger("mm7zeep.gateway")
JUMP = 60.0
"""Seconds by which a clock may be set, at a time, without being called wrong."""
STEADY = 300.0
"""Seconds after which a clock that jumped, and then went on evenly, counts."""
ALIVE = 5.0
"""Seconds since its last heartbeat within which a process counts as alive; it has one a second."""
_NAME = "clock"  # of the setting that all processes share
_TRIES = 5  # to write down a jump before another process does
_ALIVE = sa.select(HEARTBEAT.c.process).where(HEARTBEAT.c.at > sa.bindparam("since", type_=sa.Double))


def steady() -> float:
    """Seconds that pass, also while the machine sleeps; the same for all processes of a machine until it restarts."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def boot_id() -> str | None:
    """Which start of which machine ``steady`` counts from, where the system tells."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Where time is read: ``wall`` gives seconds since 1970 (None: the database, or SQLite's machine), ``steady``
    seconds that only pass, comparable where ``boot`` is the same.
    """

    wall: Callable[[], float] | None = None
    steady: Callable[[], float] = steady
    boot: str | None = None

    @classmethod
    def machine(cls) -> Clock:
        """The clocks of this machine."""
        return cls(boot=boot_id())

    @classmethod
    def of(cls, clock: Clock | Callable[[], float] | None) -> Clock:
        """``clock``; a function is taken for a clock that never jumps, None for this machine's."""
        if clock is None:
            return cls.machine()
        return clock if isinstance(clock, Clock) else cls(wall=clock, steady=clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The time ``at``, in seconds since 1970; while ``held`` nothing expires, is deleted or given up for its age."""

    at: float
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What all processes add to the clock: ``seconds``, since a jump that was noticed at ``since`` (corrected time).

    ``jump`` is the last one; ``count`` how often this was changed.
    """

    seconds: float = 0.0
    since: float | None = None
    jump: float = 0.0
    count: int = 0

    @property
    def held(self) -> bool:
        """Whether a jump waits to be confirmed."""
        return self.since is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """The time that counts; whether it is ``held``, ``since`` when, and how many seconds the last ``jump`` went."""

    now: float
    held: bool
    since: float | None
    jump: float


@dataclass(frozen=True, slots=True)
class Share:
    """What is due to one of several ``processes``: the one that has ``place`` (from 0) among them."""

    processes: int = 1
    place: int = 0

    def of(self, whole: int) -> int:
        """Its part of ``whole``; the parts of all places together are ``whole``."""
        return whole // self.processes + (self.place < whole % self.processes)


class GuardedClock:
    """``clock`` as one process reads it inside its transactions. Thread-safe.

    A reading in a writing transaction writes a jump down; one that only reads goes on evenly meanwhile.
    """

    def __init__(self, clock: Clock, *, sqlite: bool) -> None:
        self._clock = clock
        self._wall = clock.wall if clock.wall is not None else (time.time if sqlite else None)
        setting = sa.select(SETTING.c.value).where(SETTING.c.name == _NAME)
        if self._wall is None:
            now = sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)
            self._query = sa.select(now, setting.scalar_subquery())
        else:
            self._query = setting
        self._lock = threading.Lock()
        self._last: tuple[float, float, int] | None = None  # corrected, steady, count of the correction

    @property
    def steady(self) -> Callable[[], float]:
        """Seconds that only pass."""
        return self._clock.steady

    def now(self, connection: Connection) -> float:
        """Seconds since 1970, corrected."""
        return self.read(connection).at

    def read(self, connection: Connection) -> Reading:
        """The time, and whether a jump of it waits to be confirmed."""
        for _ in range(_TRIES):
            wall, text = self._look(connection)
            correction = _correction(text)
            at, jump = self._judged(wall + correction.seconds, correction)
            if jump is None:
                return Reading(at=at, held=correction.held)
            if not connection.get_execution_options().get("mm7zeep_writing"):
                return Reading(at=at, held=True)
            noticed = Correction(seconds=correction.seconds - jump, since=at, jump=jump, count=correction.count + 1)
            if _replace(connection, text, noticed):
                _LOG.error(
                    "the clock jumped by %+.0f s: expiry, retention and giving up are held for %.0f s, "
                    "or until POST /api/v1/clock/confirm",
                    jump,
                    STEADY,
                )
        return Reading(at=at, held=True)

    def _look(self, connection: Connection) -> tuple[float, str]:
        if self._wall is not None:
            return self._wall(), connection.scalar(self._query) or "{}"
        wall, text = connection.execute(self._query).one()
        return float(wall), text or "{}"

    def _judged(self, corrected: float, correction: Correction) -> tuple[float, float | None]:
        """The time to go by, and by how much the clock has jumped since the last look, if it has."""
        with self._lock:
            passed = self._clock.steady()
            # a higher count: another process has written down a jump, or confirmed one; a lower: ours was rolled back
            if self._last is not None and correction.count <= self._last[2]:
                expected = self._last[0] + passed - self._last[1]
                if abs(corrected - expected) > JUMP:
                    return expected, corrected - expected
            self._last = (corrected, passed, correction.count)
        return corrected, None

    # --- across processes ---------------------------------------------------------------------------------------------

    def resume(self, connection: Connection) -> None:
        """Go on from what processes before this one have left: their heartbeats tell a jump while none was looking."""
        rows = connection.execute(sa.select(HEARTBEAT)).mappings().all()
        if not rows:
            return
        wall, text = self._look(connection)
        correction, passed = _correction(text), self._clock.steady()
        same = [row for row in rows if self._clock.boot is not None and row["boot"] == self._clock.boot]
        newest = max(same, key=lambda row: row["steady"], default=None)
        latest = max(row["at"] for row in rows)
        with self._lock:
            if newest is not None and newest["steady"] <= passed:
                self._last = (newest["at"], newest["steady"], correction.count)
            elif wall + correction.seconds < latest - JUMP:
                self._last = (latest, passed, correction.count)
        self.read(connection)

    def share(self, connection: Connection, process: str, now: float) -> Share:
        """What is due to ``process`` of what processes have together: itself, and all that were alive a moment ago."""
        alive = sorted({process, *connection.scalars(_ALIVE, {"since": now - ALIVE})})
        return Share(len(alive), alive.index(process))

    def beat(self, connection: Connection, process: str) -> None:
        """Write down that ``process`` lives, and when that was; confirm a jump that is long enough ago."""
        reading = self.read(connection)
        values = {"at": reading.at, "boot": self._clock.boot, "steady": self._clock.steady()}
        if (counted := changes.of(connection)) is not None:
            values["changes"] = str(counted)
        mine = sa.update(HEARTBEAT).where(HEARTBEAT.c.process == process).values(values)
        if not connection.execute(mine).rowcount:
            connection.execute(sa.insert(HEARTBEAT).values(process=process, **values))
        since = shared(connection).since
        if since is not None and reading.at - since >= STEADY:
            self.confirm(connection, "it went on evenly")

    def state(self, connection: Connection) -> ClockState:
        """What there is to know of it."""
        reading, correction = self.read(connection), shared(connection)
        return ClockState(now=reading.at, held=reading.held, since=correction.since, jump=correction.jump)

    def confirm(self, connection: Connection, why: str) -> bool:
        """Go by the clock as it is, and plan again what was planned by the time before; whether a jump waited."""
        _, text = self._look(connection)
        correction = _correction(text)
        if not correction.held or not _replace(connection, text, Correction(count=correction.count + 1)):
            return False
        _plan_again(connection, -correction.seconds)
        announcement.note(connection, for_all=True)
        _LOG.warning("the clock counts again, %+.0f s from before: %s", -correction.seconds, why)
        return True


def shared(connection: Connection) -> Correction:
    """What all processes add to the clock just now."""
    return _correction(connection.scalar(sa.select(SETTING.c.value).where(SETTING.c.name == _NAME)) or "{}")


def _correction(text: str) -> Correction:
    found: dict[str, Any] = json.loads(text)
    return Correction(**found)


def _replace(connection: Connection, text: str, correction: Correction) -> bool:
    """Put ``correction`` in the place of what ``text`` says; False where another process has changed it."""
    value = json.dumps(
        {
            "seconds": correction.seconds,
            "since": correction.since,
            "jump": correction.jump,
            "count": correction.count,
        }
    )
    changed = sa.update(SETTING).where(SETTING.c.name == _NAME, SETTING.c.value == text).values(value=value)
    return bool(connection.execute(changed).rowcount)


def _plan_again(connection: Connection, seconds: float) -> None:
    """Move what waits by so many seconds, so that it waits as long as it would have; not what a sender gave a date."""
    calls, endpoints, recipients = OUTBOX.c, ENDPOINT.c, RECIPIENT.c
    waiting = calls.state.in_(("ready", "leased"))
    of_message = sa.exists().where(MESSAGE.c.id == calls.message_id, MESSAGE.c.expires == calls.expires)
    connection.execute(
        sa.update(OUTBOX)
        .where(waiting)
        .values(
            due=calls.due + seconds,
            lease_until=calls.lease_until + seconds,
            expires=sa.case((sa.or_(calls.kind == "submit", of_message), calls.expires), else_=calls.expires + seconds),
        )
    )
    connection.execute(
        sa.update(ENDPOINT).where(endpoints.next_at.is_not(None)).values(next_at=endpoints.next_at + seconds)
    )
    connection.execute(
        sa.update(RATE).values(next_at=RATE.c.next_at + seconds, changed=RATE.c.changed + seconds)  # days stay days
    )
    dated = sa.exists().where(
        MESSAGE.c.id == recipients.message_id,
        sa.or_(MESSAGE.c.expires == recipients.due, MESSAGE.c.earliest == recipients.due),
    )
    connection.execute(
        sa.update(RECIPIENT).where(recipients.due.is_not(None), ~dated).values(due=recipients.due + seconds)
    )
