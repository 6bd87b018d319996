"""A histogram of durations with log-linear buckets, as HdrHistogram has them: small, exact in count, near in value.

A value up to 255 microseconds is kept as it is; of a larger one the eight leading bits, so that a quantile is never too
low and at most 1/128 too high, from a microsecond to hours. Several are merged without loss.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

_BITS = 8
_HALF = 1 << (_BITS - 1)


def bucket_of(value: int) -> int:
    """The number of the bucket that a value falls into; a larger value has no lower number."""
    shift = value.bit_length() - _BITS
    return value if shift <= 0 else shift * _HALF + (value >> shift)


def bounds(bucket: int) -> tuple[int, int]:
    """The lowest and the highest value that fall into a bucket."""
    if bucket < 2 * _HALF:
        return bucket, bucket
    shift = bucket // _HALF - 1
    low = (bucket - shift * _HALF) << shift
    return low, low + (1 << shift) - 1


@dataclass(slots=True)
class Histogram:
    """Durations in seconds, kept in whole microseconds. ``counts`` maps numbers of buckets to how many fell there."""

    counts: dict[int, int] = field(default_factory=dict)
    count: int = 0
    total: int = 0
    highest: int = 0

    def add(self, seconds: float) -> None:
        """Count one duration; one below nothing (two clocks) counts as nothing."""
        value = max(0, int(seconds * 1e6))
        bucket = bucket_of(value)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.count += 1
        self.total += value
        self.highest = max(self.highest, value)

    def merge(self, other: Histogram) -> None:
        """Count all that ``other`` has counted."""
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.count += other.count
        self.total += other.total
        self.highest = max(self.highest, other.highest)

    def quantile(self, share: float) -> float:
        """Seconds that ``share`` (above 0, up to 1) of all do not exceed; 0.0 of none. Never more than ``max``."""
        wanted, seen = max(1, math.ceil(share * self.count - 1e-9)), 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= wanted:
                return min(bounds(bucket)[1], self.highest) / 1e6
        return 0.0

    @property
    def max(self) -> float:
        """The longest, in seconds, exact to the microsecond."""
        return self.highest / 1e6

    @property
    def mean(self) -> float:
        """The mean in seconds; 0.0 of none."""
        return self.total / self.count / 1e6 if self.count else 0.0

    def buckets(self) -> Iterator[tuple[float, float, int]]:
        """Lowest and highest seconds of each bucket that holds something, and how many, in order."""
        for bucket in sorted(self.counts):
            low, high = bounds(bucket)
            yield low / 1e6, high / 1e6, self.counts[bucket]
