"""When each request is due, from the rate alone: what the server answers, and when, moves nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mm7zeep.errors import LocalError


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """``rate`` requests a second for ``duration`` seconds; in the first ``ramp`` seconds it rises evenly from nothing.

    Requests are numbered from 0. Raises ``LocalError`` for a rate or duration that is not above 0, and for a ramp
    longer than the duration.
    """

    rate: float
    duration: float
    ramp: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate) and self.rate > 0 and math.isfinite(self.duration) and self.duration > 0):
            raise LocalError("the rate and the duration are numbers above 0")
        if not 0 <= self.ramp <= self.duration:
            raise LocalError(f"the ramp of {self.ramp:g} s is not within the duration of {self.duration:g} s")

    @property
    def total(self) -> int:
        """How many requests are due before the end: the first is due at once, so there is always one."""
        return max(1, math.ceil(self.rate * (self.duration - self.ramp / 2) - 1e-9))

    def due(self, n: int) -> float:
        """Seconds after the start at which request number ``n`` is due."""
        # The integral of the rate up to this moment is n.
        if 2 * n < self.rate * self.ramp:
            return math.sqrt(2 * n * self.ramp / self.rate)
        return n / self.rate + self.ramp / 2

    def due_by(self, seconds: float) -> int:
        """How many requests are due at that moment or before it."""
        if seconds < 0:
            return 0
        if seconds < self.ramp:
            count = math.floor(self.rate * seconds * seconds / (2 * self.ramp)) + 1
        else:
            count = math.floor(self.rate * (seconds - self.ramp / 2)) + 1
        return min(count, self.total)
