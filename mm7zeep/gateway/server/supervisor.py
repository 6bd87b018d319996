"""Several processes on the same sockets and the same database: started, watched, replaced when they die or hang.

On SIGHUP the settings are read again and the workers replaced one after the other, each retiring when its successor
serves; settings that cannot be used are logged, and the old ones stay. Holds no message and makes no call. Refuses to
go on where processes end as soon as they are started, and none served.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from types import FrameType
from typing import Any

from mm7zeep.gateway import logs
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.server.reloading import Reload, reloaded
from mm7zeep.gateway.server.sockets import Sockets
from mm7zeep.gateway.store.database import Database, StoreError
from mm7zeep.gateway.store.migrations import DatabaseIsNewer

_LOG = logging.getLogger("mm7zeep.gateway")
_SHORT = 5.0  # seconds: a process that lived less has not served
_HOPELESS = 5  # such processes in a row, per worker, before any has served
_LONGEST = 10.0  # seconds before another one is started in the place of one that ended at once
# as ``process`` has them, which is not loaded here: what a worker does, a supervisor does not
RETIRE: signal.Signals | None = getattr(signal, "SIGUSR1", None)
_HANG_UP: signal.Signals | None = getattr(signal, "SIGHUP", None)
_COUNTS = "PROMETHEUS_MULTIPROC_DIR"  # read by prometheus_client when it is loaded
_GRACE = 5.0  # seconds beyond the drain time before a process is killed
_HUNG = 7.0  # seconds without a sign of life after which a worker is replaced, so that another is started within 10
_BEGIN = 60.0  # seconds that a worker may take to serve
_TICK = 0.1  # seconds between two looks while something is under way
_STALL = 3.0  # seconds between two looks after which it is this process that was held up


@dataclass(slots=True)
class _Signs:
    """What a worker shows of itself: that it serves, and when it was last alive (``time.monotonic``, 0 at first)."""

    serving: Event
    alive: Any


class Supervisor:
    """Runs ``settings.workers`` processes on bound sockets. ``ready`` is called when the first one serves."""

    def __init__(
        self,
        settings: Settings,
        sockets: Sockets,
        *,
        ready: Callable[[], object] = lambda: None,
        reload: Reload | None = None,
    ) -> None:
        self._settings = settings
        self._reload = reload
        self._sockets = sockets
        self._ready = ready
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[SpawnProcess, float] = {}  # with when they were started
        self._signs: dict[SpawnProcess, _Signs] = {}
        self._retiring: dict[SpawnProcess, float] = {}  # with when they are killed, if they have not ended
        self._old: deque[SpawnProcess] = deque()  # workers that are to be replaced
        self._candidate: SpawnProcess | None = None  # the one in the place of the first of them
        self._former: Settings | None = None  # in force before the workers began to be replaced
        self._hung_up = False
        self._looked = time.monotonic()
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
        if _HANG_UP is not None:
            signal.signal(_HANG_UP, self._asked_to_reload)
        with tempfile.TemporaryDirectory(prefix="mm7zeep-counts-") as folder:
            os.environ[_COUNTS] = folder
            try:
                for _ in range(self._settings.workers):
                    self._start()
                return self._watch()
            finally:
                self._end_all()

    def _start(self) -> SpawnProcess:
        signs = _Signs(self._context.Event(), self._context.Value("d", 0.0, lock=False))
        worker = self._context.Process(
            target=_work, args=(self._settings, self._sockets, signs), name="mm7zeep-worker", daemon=False
        )
        worker.start()
        self._workers[worker], self._signs[worker] = time.monotonic(), signs
        if self._asked:  # the signal came while it was started, and did not reach it
            worker.terminate()
        return worker

    def _watch(self) -> int:
        told, worst, until = False, 0, None
        while self._workers or (self._planned and not self._asked):
            quick = self._planned or self._old or self._retiring or not told
            gone = wait([one.sentinel for one in self._workers], timeout=_TICK if quick else 1.0)
            if not told and any(one.serving.is_set() for one in self._signs.values()):
                told = True
                self._ready()
            if self._asked and until is None:
                until = time.monotonic() + self._settings.drain + _GRACE
            if until is not None and time.monotonic() > until:
                self._kill_all()
            for worker in [one for one in self._workers if one.sentinel in gone]:
                worst = max(worst, self._ended(worker, served=told))
            if not self._asked:
                self._replace_hung()
                self._roll()
            for at in [one for one in self._planned if one <= time.monotonic() and not self._asked]:
                self._planned.remove(at)
                self._start()
        return worst

    def _ended(self, worker: SpawnProcess, *, served: bool) -> int:
        """Plan another one in the place of a worker that has ended; 1 if it was to end, and did not end well."""
        lived = time.monotonic() - self._workers.pop(worker)
        self._signs.pop(worker, None)
        worker.join()
        code = worker.exitcode or 0
        if self._asked:
            return 0 if code in (0, -signal.SIGTERM) else 1  # the signal ends one that has not begun to serve
        if self._retiring.pop(worker, None) is not None:
            return 0  # its successor serves
        if worker is self._candidate:
            self._keep_old(f"a process ended with {code} before it served")
            return 0
        if worker in self._old:
            self._old.remove(worker)  # its successor is started now, with the new settings
        # one that was killed says nothing of the next; one that ended by itself at once will do so again
        self._short = self._short + 1 if lived < _SHORT and code > 0 else 0
        if not served and self._short >= _HOPELESS * self._settings.workers:
            raise RuntimeError("the processes end as soon as they are started; the log above tells why")
        pause = min(_LONGEST, 0.1 * 2 ** min(self._short, 9)) if self._short else 0.0
        _LOG.warning("a process ended with %d after %.0f s; another is started in %.1f s", code, lived, pause)
        self._planned.append(time.monotonic() + pause)
        return 0

    # --- one that hangs -----------------------------------------------------------------------------------------------

    def _replace_hung(self) -> None:
        """Kill workers whose event loop has stood for long; others are started in their places."""
        now = time.monotonic()
        held_up, self._looked = now - self._looked > _STALL, now
        for worker, signs in self._signs.items():
            if held_up and signs.alive.value:
                signs.alive.value = now  # with this process the others may have been stopped, too
            at = signs.alive.value or self._workers[worker] + _BEGIN - _HUNG
            if now - at > _HUNG:
                _LOG.error("the process %s has not been alive for %.0f s; another is started", worker.pid, now - at)
                signs.alive.value = now
                with suppress(ValueError, ProcessLookupError):
                    worker.kill()
        for worker in [one for one, until in self._retiring.items() if now > until]:
            self._retiring[worker] = now + _GRACE
            with suppress(ValueError, ProcessLookupError):
                worker.kill()

    # --- a rolling restart --------------------------------------------------------------------------------------------

    def _asked_to_reload(self, number: int, frame: FrameType | None) -> None:
        self._hung_up = True

    def _roll(self) -> None:
        """Replace the workers one after the other: the next one, when the one before serves."""
        if self._hung_up and not self._old and not self._retiring:
            self._hung_up = False
            settings = reloaded(self._reload, self._settings)
            if settings is not None:
                self._former, self._settings = self._settings, settings
                self._old.extend(self._workers)
        if self._candidate is not None:
            self._judge_candidate(self._candidate)
        elif self._old:
            self._candidate = self._start()

    def _judge_candidate(self, candidate: SpawnProcess) -> None:
        if self._signs[candidate].serving.is_set():
            self._candidate = None
            if self._old:
                old = self._old.popleft()
                self._retiring[old] = time.monotonic() + self._settings.http.idle + self._settings.drain + _GRACE
                with suppress(ProcessLookupError):
                    os.kill(old.pid or 0, RETIRE or signal.SIGTERM)
            if not self._old:
                logs.set_up(self._settings.log, show_numbers=self._settings.show_numbers)
                _LOG.warning("the configuration was reloaded")
        elif time.monotonic() - self._workers[candidate] > _BEGIN:
            candidate.kill()

    def _keep_old(self, why: str) -> None:
        """The settings that were read cannot be served: go on with those before."""
        _LOG.error("the configuration was not reloaded, the old one stays: %s; the log above tells why", why)
        self._candidate = None
        self._old.clear()
        if self._former is not None:
            self._settings = self._former

    # --- the end ------------------------------------------------------------------------------------------------------

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


def _work(settings: Settings, sockets: Sockets, signs: _Signs) -> None:
    """What a worker does: it serves until its signal, or until its supervisor is gone."""
    # asyncio has no handler yet: until it serves, it is not asked to retire, and a terminal's hang-up is not its own
    if _HANG_UP is not None:
        signal.signal(_HANG_UP, signal.SIG_IGN)
    logs.set_up(settings.log, show_numbers=settings.show_numbers)
    from mm7zeep.gateway.server.process import run

    def beat(at: float) -> None:
        signs.alive.value = at

    parent = multiprocessing.parent_process()
    watch = parent.join if parent is not None else None
    try:
        code = run(settings, sockets, ready=signs.serving.set, orphaned=watch, supervised=True, beat=beat)
    except (StoreError, DatabaseIsNewer, ValueError) as error:
        _LOG.error("a process cannot serve: %s", error)
        code = 1
    raise SystemExit(code)
