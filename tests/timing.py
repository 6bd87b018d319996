"""How long something takes, for tests that assert it: the best of a few runs, as a busy machine makes any one dearer.

Judges nothing; what is too long, the test says.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def least_seconds(
    call: Callable[[], object],
    runs: int = 3,
    *,
    enough: float = 0.0,
    clock: Callable[[], float] = time.process_time,
) -> float:
    """The seconds of the quickest of ``runs`` calls, by ``clock``; none is made after one that took no more than
    ``enough``.
    """
    best = float("inf")
    for _ in range(runs):
        begun = clock()
        call()
        best = min(best, clock() - begun)
        if best <= enough:
            break
    return best
