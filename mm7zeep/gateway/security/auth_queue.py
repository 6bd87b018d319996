"""Guesses that wait to be judged: how often each name and address may be, and who goes first when many wait.

What is beyond a rate is judged later, never refused unseen: the right password is slow at worst. One guess is judged at
a time, in a thread that lives while any wait. Refuses, with ``Refusal`` (503), more than a bounded number of guesses
that wait from one address, or in all. Thread-safe.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field

from mm7zeep.gateway.security.rate_limit import Throttle
from mm7zeep.receiver import Refusal

Rate = tuple[float, float]
"""How many may be judged immediately, and how many more per second."""

UNLIMITED: Rate = (math.inf, 0.0)
"""The rate of what costs nothing."""

_FORGIVEN = 1 / 60  # failures of an address that are forgotten per second
_FAILURES = 10_000.0  # of an address that count
_IN_ORDER = 4  # every so many guesses the one that has waited longest goes first, so that nobody waits for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A guess at ``name`` from ``source``.

    ``judge`` gives the user, or None; ``costly`` tells whether it has to work out a hash. ``welcome`` guesses go first.
    """

    source: Hashable
    name: Hashable
    judge: Callable[[], str | None] = field(repr=False)
    costly: Callable[[], bool] = lambda: False
    welcome: bool = False


@dataclass(frozen=True, slots=True)
class _Waiting:
    guess: Guess
    number: int
    future: Future[str | None]


class AuthQueue:
    """Judges guesses at these rates: ``per_name`` and address, ``per_source`` (an address); costly ones, ``hashes``.

    Of guesses that wait, welcome ones are judged first, then those from addresses with the fewest wrong ones lately,
    then the oldest. Of one source ``most`` wait, ``MOST`` in all; ``kept`` names and addresses are remembered.
    ``threads=False`` leaves ``run_once`` to the caller. ``clock`` gives seconds.
    """

    MOST = 2_000

    def __init__(
        self,
        *,
        per_name: Rate,
        per_source: Rate,
        hashes: Rate = UNLIMITED,
        most: int,
        kept: int,
        clock: Callable[[], float] = time.monotonic,
        threads: bool = True,
    ) -> None:
        self._most = most
        self._names = Throttle(*per_name, kept=kept, clock=clock)
        self._sources = Throttle(*per_source, kept=kept, clock=clock)
        self._hashes = Throttle(*hashes, kept=1, clock=clock)
        self._failures = Throttle(_FAILURES, _FORGIVEN, kept=kept, clock=clock)
        self._threads = threads
        self._changed = threading.Condition()
        self._waiting: dict[int, _Waiting] = {}  # the oldest first
        self._counts: dict[Hashable, int] = {}  # by source
        self._numbers = 0
        self._judged = 0
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        """How many guesses wait."""
        return len(self._waiting)

    def remembered(self) -> int:
        """How many names and addresses it knows something of, at most."""
        return max(len(self._names), len(self._sources), len(self._failures))

    def has_room(self, source: Hashable, name: Hashable) -> bool:
        """Whether a guess at this name from there is within the rates, so that it need not wait."""
        with self._changed:
            return self._names.left((source, name)) >= 1 and self._sources.left(source) >= 1

    def note(self, source: Hashable, name: Hashable, *, right: bool) -> None:
        """A guess was judged without waiting."""
        with self._changed:
            if not right:
                self._take(source, name)
                self._failures.take(source)

    def submit(self, guess: Guess) -> Future[str | None]:
        """The user, or None, once it is this one's turn; to be cancelled by who no longer waits.

        Raises ``Refusal`` (503) where too many wait.
        """
        with self._changed:
            if self._counts.get(guess.source, 0) >= self._most or len(self._waiting) >= self.MOST:
                raise Refusal(503, "too many wait to be let in; try again", ("Retry-After", "5"))
            self._numbers += 1
            one = _Waiting(guess, self._numbers, Future())
            one.future.add_done_callback(lambda future: self._drop(one))  # judged, or cancelled
            self._waiting[one.number] = one
            self._counts[guess.source] = self._counts.get(guess.source, 0) + 1
            if self._threads and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mm7zeep-auth", daemon=True)
                self._thread.start()
            if self._later(one, self._hashes.due(None)) <= 0:
                self._changed.notify()
        return one.future

    def run_once(self) -> float | None:
        """Judge the guess that is due; seconds until one will be (0 after judging one), None where none waits."""
        with self._changed:
            due, wait = self._due()
            if due is None:
                return wait if self._waiting else None
            self._judged += 1
            self._take(due.guess.source, due.guess.name)
            if due.guess.costly():
                self._hashes.take(None)
        if not due.future.set_running_or_notify_cancel():
            return 0.0
        try:
            user = due.guess.judge()
        except Exception as error:  # noqa: BLE001  raised where it is waited for
            due.future.set_exception(error)
            return 0.0
        with self._changed:
            if user is None:
                self._failures.take(due.guess.source)
            else:
                self._take(due.guess.source, due.guess.name, -1)
        due.future.set_result(user)
        return 0.0

    # --- under the lock -----------------------------------------------------------------------------------------------

    def _take(self, source: Hashable, name: Hashable, count: float = 1.0) -> None:
        self._names.take((source, name), count)
        self._sources.take(source, count)

    def _due(self) -> tuple[_Waiting | None, float]:
        """The guess to be judged now, or how long until there is one."""
        best: tuple[tuple[float, ...], _Waiting] | None = None
        wait, hashes, seen = 1.0, self._hashes.due(None), set()
        for one in self._waiting.values():
            key = (one.guess.source, one.guess.name)
            if key in seen or one.future.done():
                continue  # of one name and address, the oldest
            seen.add(key)
            later = self._later(one, hashes)
            if later > 0:
                wait = min(wait, later)
                continue
            rank = self._rank(one)
            if best is None or rank < best[0]:
                best = (rank, one)
        return (best[1], 0.0) if best is not None else (None, wait)

    def _later(self, one: _Waiting, hashes: float) -> float:
        """In how many seconds it may be judged, where a hash may be worked out in ``hashes`` seconds."""
        guess = one.guess
        own = max(self._names.due((guess.source, guess.name)), self._sources.due(guess.source))
        return max(own, hashes) if hashes > own and guess.costly() else own

    def _rank(self, one: _Waiting) -> tuple[float, ...]:
        if self._judged % _IN_ORDER == _IN_ORDER - 1:
            return (one.number,)
        failures = math.ceil(_FAILURES - self._failures.left(one.guess.source))
        return (not one.guess.welcome, failures, one.number)

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _drop(self, one: _Waiting) -> None:
        with self._changed:
            if self._waiting.pop(one.number, None) is not None:
                left = self._counts[one.guess.source] - 1
                if left:
                    self._counts[one.guess.source] = left
                else:
                    del self._counts[one.guess.source]

    def _run(self) -> None:
        while True:
            wait = self.run_once()
            with self._changed:
                if not self._waiting:
                    self._thread = None
                    return
                if wait is not None and wait > 0:
                    self._changed.wait(wait)
