"""What is done from time to time: deleting finished messages, old requests and sessions.

Deletes only what is finished, oldest first, in slices with a pause after each that grows with the time it took, so that
nobody waits for it. While a jump of the clock waits to be confirmed, it deletes nothing.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

from sqlalchemy import Connection

from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.store import buckets, messages, sessions
from mm7zeep.gateway.store.clock import GuardedClock
from mm7zeep.gateway.store.database import Database, StoreError

_LOG = logging.getLogger("mm7zeep.gateway")
_SLICE = 150  # messages that one transaction deletes
_LOOKED = 2000  # messages that one transaction looks at
_REQUESTS = 500  # remembered requests, or sessions, that one transaction deletes
_PAUSE = 0.002  # seconds at least after each slice
_REST = 0.1  # of the time that a slice took, after it
_SWEEP = 60.0  # seconds between two sweeps, more or less
_DAY = 86400.0
_PATIENCE = 7 * _DAY  # how long the report of who took a message is waited for


class Housekeeper:
    """Keeps one database in bounds."""

    def __init__(self, database: Database, settings: Settings, clock: GuardedClock) -> None:
        self._database = database
        self._retention = settings.retention
        self._window = settings.longest_window
        self._clock = clock

    def sweep(self, stop: threading.Event | None = None) -> int:
        """Delete what is over its time or count; how many messages. Raises ``StoreError``.

        Ends early when ``stop`` is set.
        """
        ending = stop if stop is not None else threading.Event()
        with self._database.write(quiet=True) as connection:
            reading = self._clock.read(connection)
            if not reading.held:
                messages.forget_heartbeats(connection, reading.at - _DAY)
                buckets.forget(connection, reading.at - 3 * _DAY)
        if reading.held:
            return 0
        now = reading.at
        before = now - self._window
        for forget, since in ((messages.forget_duplicates, before), (sessions.expire, now)):
            while not ending.is_set() and self._slice(partial(self._forget, forget, since), ending):
                pass
        removed = 0
        for candidates in self._over(now, ending):
            for at in range(0, len(candidates), _SLICE):
                piece = candidates[at : at + _SLICE]
                removed += self._slice(partial(self._delete, piece, now), ending)
                if ending.is_set():
                    return removed
        return removed

    def _slice(self, work: Callable[[], int], stop: threading.Event) -> int:
        """What ``work`` did; others have a part of the time that it took, after it."""
        begun = time.monotonic()
        done = work()
        if done:
            stop.wait(max(_PAUSE, _REST * (time.monotonic() - begun)))
        return done

    def _forget(self, forget: Callable[[Connection, float, int], int], before: float) -> int:
        with self._database.write(quiet=True) as connection:
            return forget(connection, before, _REQUESTS)

    def _over(self, now: float, stop: threading.Event) -> Iterator[list[str]]:
        """Finished messages that are over their time, and then those over the count, from the oldest on."""
        keep = self._retention
        before = now - keep.days * _DAY if keep.days is not None else None
        with self._database.read() as connection:
            last = messages.last_beyond(connection, keep.messages) if keep.messages is not None else None
        for bound in ({"before": before}, {"last": last}):
            if next(iter(bound.values())) is None:
                continue
            after: messages.Position | None = None
            while not stop.is_set():
                with self._database.read() as connection:  # looking takes time, and no writer is to wait for it
                    ids, after = messages.over(connection, after=after, most=_LOOKED, **bound)
                    found = messages.finished(connection, ids, sent_before=now - _PATIENCE)
                if found:
                    yield found
                if after is None:
                    break

    def _delete(self, ids: list[str], now: float) -> int:
        with self._database.write() as connection:
            found = messages.finished(connection, ids, sent_before=now - _PATIENCE)  # as they are by now
            return messages.delete(connection, found) if found else 0

    def run(self, stop: threading.Event) -> None:
        """Sweep every minute, until ``stop``; not all processes at the same time."""
        while not stop.wait(_SWEEP * random.uniform(0.75, 1.25)):  # noqa: S311  spreads load, guards nothing
            try:
                removed = self.sweep(stop)
            except StoreError as error:
                _LOG.error("retention: %s", error)
            else:
                _LOG.log(logging.INFO if removed else logging.DEBUG, "%d finished messages were deleted", removed)
