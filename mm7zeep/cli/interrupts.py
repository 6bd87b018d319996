"""Ctrl-C and SIGTERM during a command: work that may be waited for, and left, wherever it stands.

Python runs no signal handler while a thread is inside of the system's resolver, which may take half a minute: so the
work has a thread of its own, and the main one waits. Refuses to end the work: who leaves it says what became of it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

T = TypeVar("T")
INTERRUPTED, TERMINATED = 130, 143
"""Exit statuses after SIGINT and SIGTERM: 128 and the number of the signal, as shells have it."""
_LOOK = 0.2  # seconds: on Windows, Ctrl-C does not end a wait without a timeout


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def exit_status(error: KeyboardInterrupt) -> int:
    """What a command ends with that was interrupted."""
    return TERMINATED if isinstance(error, Terminated) else INTERRUPTED


def word(error: KeyboardInterrupt) -> str:
    """What happened to the command, in a word."""
    return "terminated" if isinstance(error, Terminated) else "interrupted"


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Within, SIGTERM raises ``Terminated`` as Ctrl-C raises ``KeyboardInterrupt``; elsewhere than in the main thread,
    which alone hears signals, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def interruptible(work: Callable[[], T]) -> T:
    """What ``work`` gives, done in a thread that is left where it stands when this one is interrupted.

    Raises what ``work`` raises, and ``KeyboardInterrupt``.
    """
    done: Future[T] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the work is waited for
            done.set_exception(error)

    threading.Thread(target=run, name="mm7zeep-work", daemon=True).start()
    while not done.done():
        wait([done], timeout=_LOOK)
    return done.result()
