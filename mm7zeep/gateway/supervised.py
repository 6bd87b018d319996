"""Threads of a gateway that are started again when they end by an exception, and counted.

A thread that nobody watches takes what it does with it for good. Refuses to hide one that keeps ending: it is named by
``failing`` for as long as it does.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

_LOG = logging.getLogger("mm7zeep.gateway")
_WINDOW = 60.0  # seconds in which
_KEEPS = 3  # so many ends are called "keeps ending"
_SHORTEST, _LONGEST = 0.05, 5.0  # seconds before it is started again, doubled each time within the window


class SupervisedThread:
    """Runs ``work`` in a thread called ``name`` until it returns after ``stopping`` was set.

    ``restarted`` is called with the name each time it is started again. Thread-safe.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        stopping: threading.Event,
        *,
        restarted: Callable[[str], object] = lambda name: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._work = work
        self._stopping = stopping
        self._restarted = restarted
        self._clock = clock
        self._ends: deque[tuple[float, str]] = deque(maxlen=100)
        self._thread = threading.Thread(target=self._run, name=f"mm7zeep-{name}", daemon=True)

    def start(self) -> None:
        """Start it."""
        self._thread.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, at most ``timeout`` seconds."""
        self._thread.join(timeout)

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._thread.is_alive()

    def failing(self) -> str | None:
        """What to say of a thread that keeps ending; None of one that runs."""
        recent = self._recent()
        if len(recent) < _KEEPS:
            return None
        return f"the thread {self.name} keeps ending: {recent[-1][1]}"

    def _recent(self) -> list[tuple[float, str]]:
        since = self._clock() - _WINDOW
        return [one for one in tuple(self._ends) if one[0] >= since]

    def _run(self) -> None:
        while True:
            try:
                self._work()
            except Exception as error:  # noqa: BLE001  logged and counted; what the thread does goes on
                _LOG.exception("the thread %s ended; it is started again", self.name)
                end = type(error).__name__
            else:
                if self._stopping.is_set():
                    return
                _LOG.error("the thread %s ended before its time; it is started again", self.name)
                end = "it returned"
            self._ends.append((self._clock(), end))
            self._restarted(self.name)
            pause = min(_LONGEST, _SHORTEST * 2 ** min(len(self._recent()), 10))
            if self._stopping.wait(pause):
                time.sleep(_SHORTEST)  # what it has to end is tried again until it is ended
