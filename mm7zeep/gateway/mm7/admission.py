"""Whether there is room for another request: on the disk, in the outbox, in memory, and a database that takes it.

Where not, 503 with Retry-After. ``look`` asks the disk and the database, and may take its time; what it found is what
``admit`` goes by, in the event loop. Refuses, with ``Refusal``, before a body is read, or while.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from types import TracebackType

from sqlalchemy import Connection

from mm7zeep.exchange import Wire
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.store import outbox
from mm7zeep.gateway.store.clock import Clock, GuardedClock
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.readiness import Readiness
from mm7zeep.receiver import Refusal

_LOG = logging.getLogger("mm7zeep.gateway")
_LOOK = 1.0  # seconds between two looks


class AdmissionControl:
    """Knows how full everything is. ``free`` tells the octets free in a folder; ``process`` is written down as alive.

    Thread-safe.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        clock: GuardedClock | None = None,
        process: str = "this",
        free: Callable[[str], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        clock = clock or GuardedClock(Clock.machine(), sqlite=database.sqlite)
        self._capacity = settings.capacity
        self._disk = max(settings.capacity.disk, settings.limits.body * 3 // 2)
        self._database = database
        self._readiness = Readiness(database, lambda connection: clock.beat(connection, process), self._overfull)
        self._free = free
        self._lock = threading.Lock()
        self._uploads = 0
        self.full: tuple[str, ...] = ()
        """Why nothing more can be taken, as of the last look; nothing if it can."""
        self.look()

    def admit(self, head: Wire) -> Reservation:
        """A place for one request. Raises ``Refusal`` (503) where there is none."""
        if self.full:
            raise self.refusal(self.full[0])
        return Reservation(self)

    def refusal(self, why: str) -> Refusal:
        """The answer to what cannot be taken now."""
        return Refusal(503, why, ("Retry-After", str(self._capacity.retry_after)))

    def look(self) -> None:
        """Ask the disk and the database how full they are."""
        found = tuple(one for one in (self._disk_full(), self._readiness.why_not()) if one is not None)
        if found != self.full:
            _LOG.log(
                logging.ERROR if found else logging.WARNING,
                "%s",
                f"not ready: {'; '.join(found)}" if found else "ready",
            )
        self.full = found

    def run(self, stop: threading.Event) -> None:
        """Look every second, until ``stop``."""
        while not stop.wait(_LOOK):
            self.look()

    def _disk_full(self) -> str | None:
        folder = self._database.folder
        if folder is None:
            return None
        try:
            free = self._free(str(folder))
        except OSError as error:
            return f"the disk does not say how full it is: {error.strerror}"
        return "there is too little room on the disk" if free < self._disk else None

    def _overfull(self, connection: Connection) -> str | None:
        most = self._capacity.outbox
        return "too many calls wait in the outbox" if outbox.backlog(connection, most) >= most else None

    def take(self, octets: int) -> None:
        """``octets`` more are in memory. Raises ``Refusal`` (503) where that is too much."""
        with self._lock:
            self._uploads += octets
            over = self._uploads > self._capacity.uploads
        if over:
            raise self.refusal("too many uploads are under way")

    def give_back(self, octets: int) -> None:
        """``octets`` fewer are in memory."""
        with self._lock:
            self._uploads -= octets


class Reservation:
    """What one request takes of the memory, given back when it is answered."""

    def __init__(self, admission: AdmissionControl) -> None:
        self._admission = admission
        self._octets = 0

    def __enter__(self) -> Reservation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admission.give_back(self._octets)

    def took(self, octets: int) -> None:
        """A piece of the body has arrived. Raises ``Refusal`` (503) where there is no room for it."""
        self._octets += octets
        self._admission.take(octets)
