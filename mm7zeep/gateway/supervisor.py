"""Several processes on the same sockets and the same database: started, watched, started again when they die.

Holds no message and makes no call. Refuses to go on where processes end as soon as they are started, and none served.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from types import FrameType

from mm7zeep.gateway import logs
from mm7zeep.gateway.engine import Database, StoreError
from mm7zeep.gateway.migrations import DatabaseIsNewer
from mm7zeep.gateway.settings import Settings

_LOG = logging.getLogger("mm7zeep.gateway")
_SHORT = 5.0  # seconds: a process that lived less has not served
_HOPELESS = 5  # such processes in a row, per worker, before any has served
_LONGEST = 10.0  # seconds before another one is started in the place of one that ended at once
_COUNTS = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus_client when it is loaded
_GRACE = 5.0  # seconds beyond the drain time before a process is killed


class Supervisor:
    """Runs ``settings.workers`` processes on two bound sockets. ``ready`` is called when the first one serves."""

    def __init__(
        self,
        settings: Settings,
        mm7: socket.socket,
        admin: socket.socket,
        *,
        ready: Callable[[], object] = lambda: None,
    ) -> None:
        self._settings = settings
        self._sockets = (mm7, admin)
        self._ready = ready
        self._context = multiprocessing.get_context("spawn")
        self._serving: Event = self._context.Event()
        self._workers: dict[SpawnProcess, float] = {}  # with when they were started
        self._planned: list[float] = []  # when others are to be started in the place of those that ended
        self._short = 0  # workers in a row that ended by themselves, at once
        self._asked = 0

    def run(self) -> int:
        """Serve until a signal comes; the exit status. A second signal ends all at once.

        Raises ``ValueError`` or ``StoreError`` where the database cannot be used, ``RuntimeError`` where processes end
        as soon as they are started.
        """
        Database(self._settings.database).close()  # migrated once, before many look at it
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        with tempfile.TemporaryDirectory(prefix="mm7zeep-counts-") as folder:
            os.environ[_COUNTS] = folder
            try:
                for _ in range(self._settings.workers):
                    self._start()
                return self._watch()
            finally:
                self._end_all()

    def _start(self) -> None:
        worker = self._context.Process(
            target=_work, args=(self._settings, *self._sockets, self._serving), name="mm7zeep-worker", daemon=False
        )
        worker.start()
        self._workers[worker] = time.monotonic()
        if self._asked:  # the signal came while it was started, and did not reach it
            worker.terminate()

    def _watch(self) -> int:
        told, worst, until = False, 0, None
        while self._workers or (self._planned and not self._asked):
            quick = self._planned or not told
            gone = wait([one.sentinel for one in self._workers], timeout=0.1 if quick else 1.0)
            if not told and self._serving.is_set():
                told = True
                self._ready()
            if self._asked and until is None:
                until = time.monotonic() + self._settings.drain + _GRACE
            if until is not None and time.monotonic() > until:
                self._kill_all()
            for worker in [one for one in self._workers if one.sentinel in gone]:
                worst = max(worst, self._ended(worker, served=told))
            for at in [one for one in self._planned if one <= time.monotonic() and not self._asked]:
                self._planned.remove(at)
                self._start()
        return worst

    def _ended(self, worker: SpawnProcess, *, served: bool) -> int:
        """Plan another one in the place of a worker that has ended; 1 if it was to end, and did not end well."""
        lived = time.monotonic() - self._workers.pop(worker)
        worker.join()
        code = worker.exitcode or 0
        if self._asked:
            return 0 if code in (0, -signal.SIGTERM) else 1  # the signal ends one that has not begun to serve
        # one that was killed says nothing of the next; one that ended by itself at once will do so again
        self._short = self._short + 1 if lived < _SHORT and code > 0 else 0
        if not served and self._short >= _HOPELESS * self._settings.workers:
            raise RuntimeError("the processes end as soon as they are started; the log above tells why")
        pause = min(_LONGEST, 0.1 * 2 ** min(self._short, 9)) if self._short else 0.0
        _LOG.warning("a process ended with %d after %.0f s; another is started in %.1f s", code, lived, pause)
        self._planned.append(time.monotonic() + pause)
        return 0

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1
        if self._asked == 1:
            for worker in tuple(self._workers):
                with suppress(ValueError, ProcessLookupError):
                    worker.terminate()
        else:
            self._kill_all()

    def _kill_all(self) -> None:
        for worker in tuple(self._workers):
            with suppress(ValueError, ProcessLookupError):
                worker.kill()

    def _end_all(self) -> None:
        self._kill_all()
        for worker in tuple(self._workers):
            worker.join()


def _work(settings: Settings, mm7: socket.socket, admin: socket.socket, serving: Event) -> None:
    """What a worker does: it serves until its signal, or until its supervisor is gone."""
    logs.set_up(settings.log, show_numbers=settings.show_numbers)
    from mm7zeep.gateway.process import run

    parent = multiprocessing.parent_process()
    watch = parent.join if parent is not None else None
    try:
        code = run(settings, mm7, admin, ready=serving.set, orphaned=watch, supervised=True)
    except (StoreError, DatabaseIsNewer, ValueError) as error:
        _LOG.error("a process cannot serve: %s", error)
        code = 1
    raise SystemExit(code)
