"""Whether the store takes what is written: one write a second in a table of its own, waited for two seconds at most.

The write goes through a connection of its own where that is cheap, so that it meets what the next connection would.
Where others in this process commit meanwhile, the store is busy and not locked. Refuses to wait for a database that
hangs: its job is left behind, and looked at again the next time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

from sqlalchemy import Connection

from mm7zeep.gateway.store.database import Database, StoreError

_LOG = logging.getLogger("mm7zeep.gateway")
PATIENCE = 2.0
"""Seconds that one look at the database may take."""
_LOCK = 1.5  # seconds of them for the lock


class Readiness:
    """Looks whether ``database`` takes what ``beat`` writes and answers what ``ask`` reads. For one thread."""

    def __init__(
        self,
        database: Database,
        beat: Callable[[Connection], object],
        ask: Callable[[Connection], str | None],
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._patience = patience
        self._database = database
        self._beat = beat
        self._ask = ask
        self._failed = False
        self._pending: SimpleQueue[str | None] | None = None  # where the answer of a look under way comes

    def why_not(self) -> str | None:
        """Why nothing can be taken now; None if it can."""
        if self._pending is None:
            self._pending = SimpleQueue()
            job = threading.Thread(target=self._look, args=(self._pending,), name="mm7zeep-look", daemon=True)
            job.start()
        try:
            reason = self._pending.get(timeout=self._patience)
        except Empty:
            self._failed = True
            return "the database does not answer"
        self._pending = None
        return reason

    def _look(self, answer: SimpleQueue[str | None]) -> None:
        reason: str | None = "the look at the database failed"
        try:
            reason = self._reason()
        except StoreError as error:
            reason = f"the database does not answer: {error.reason}"
            if not self._failed:  # whoever asks for readiness is not told where the database stands
                _LOG.error("the database does not answer: %s", error)
        except Exception:  # noqa: BLE001  logged; whatever it was, nothing can be taken until a look succeeds
            _LOG.exception("a look at the database failed")
        finally:
            self._failed = reason is not None
            answer.put(reason)

    def _reason(self) -> str | None:
        damage = self._database.check_damage()
        if damage is not None:
            return f"the database is damaged: {damage}"
        self._write()
        if self._failed:
            self._database.renew()  # what was opened while it failed may have been opened to be read only
        with self._database.read() as connection:
            return self._ask(connection)

    def _write(self) -> None:
        begun = time.monotonic()
        try:
            with self._database.write(wait=_LOCK, fresh=True, quiet=True) as connection:
                self._beat(connection)
        except StoreError:
            if self._database.committed < begun:
                raise
