"""How often something may happen: token buckets, by key.

Bounded: of more keys than are kept, the one that was longest not asked for is forgotten, as if it were full again.
Not thread-safe by itself.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable


class Throttle:
    """Of each key ``burst`` at once, and ``rate`` per second; ``kept`` keys are remembered. ``clock`` gives seconds."""

    def __init__(self, burst: float, rate: float, *, kept: int, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._rate = rate
        self._kept = kept
        self._clock = clock
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # key -> tokens, at that time

    def __len__(self) -> int:
        return len(self._buckets)

    def left(self, key: Hashable) -> float:
        """How many of ``key`` may happen now."""
        tokens, then = self._buckets.get(key, (self._burst, 0.0))
        return min(self._burst, tokens + (self._clock() - then) * self._rate)

    def due(self, key: Hashable) -> float:
        """In how many seconds one of ``key`` may happen; 0 where it may now, at most a day."""
        missing = 1 - self.left(key)
        return 0.0 if missing <= 0 else min(missing / self._rate, 86_400.0) if self._rate else 86_400.0

    def take(self, key: Hashable, count: float = 1.0) -> None:
        """Note that ``count`` of ``key`` happened; a negative ``count`` gives back."""
        self._buckets[key] = min(self._burst, self.left(key) - count), self._clock()
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._kept:
            self._buckets.popitem(last=False)
