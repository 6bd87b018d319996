"""What is done from time to time: looking how full everything is, letting finished messages and old requests go.

Removes only what is finished, oldest first, a few at a time so that nobody waits for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from mm7zeep.gateway import store
from mm7zeep.gateway.capacity import Gauge
from mm7zeep.gateway.engine import Database, StoreError
from mm7zeep.gateway.settings import Retention

_LOG = logging.getLogger("mm7zeep.gateway")
_BATCH = 200  # messages that one transaction removes
_LOOK = 1.0  # seconds between two looks
_SWEEP = 60.0  # seconds between two sweeps
_DAY, _HOUR = 86400.0, 3600.0
_PATIENCE = 7 * _DAY  # how long the report of who took a message is waited for


class Housekeeper:
    """Keeps one database in bounds. ``clock`` gives seconds since 1970."""

    def __init__(self, database: Database, retention: Retention, gauge: Gauge, clock: Callable[[], float]) -> None:
        self._database = database
        self._retention = retention
        self._gauge = gauge
        self._clock = clock

    def sweep(self) -> int:
        """Let go of what is over its time or count; how many messages. Raises ``StoreError``."""
        now, keep = self._clock(), self._retention
        which: dict[str, Any] = {
            "before": now - keep.days * _DAY if keep.days is not None else None,
            "keep": keep.messages,
            "most": _BATCH,
            "sent_before": now - _PATIENCE,
        }
        removed = 0
        with self._database.write() as connection:
            store.forget_duplicates(connection, now - keep.duplicates * _HOUR)
        while True:
            with self._database.read() as connection:  # looking takes time, and nobody who writes is to wait for it
                found = store.finished(connection, **which)
            if not found:
                return removed
            with self._database.write() as connection:
                ids = store.finished(connection, **which)
                removed += store.delete(connection, ids) if ids else 0
            if len(ids) < _BATCH:
                return removed

    def run(self, stop: threading.Event) -> None:
        """Look every second, sweep every minute, until ``stop``."""
        waited = 0.0
        while not stop.wait(_LOOK):
            self._gauge.look()
            waited += _LOOK
            if waited >= _SWEEP:
                waited = 0.0
                try:
                    removed = self.sweep()
                except StoreError as error:
                    _LOG.error("nothing was let go of: %s", error)
                else:
                    _LOG.log(logging.INFO if removed else logging.DEBUG, "%d finished messages were let go of", removed)
