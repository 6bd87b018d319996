"""What was counted: by one sender process, and, merged, by all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mm7zeep.load.histogram import Histogram

NOT_ASKED, NO_ID = "octets without a request", "accepted without a MessageID"
"""Kinds of errors that are no failed request: what came unasked, and an acceptance that nothing can be asked of."""


@dataclass(slots=True)
class Slot:
    """One stretch of time: requests sent, answers and failures that came, and latencies of what was due in it."""

    sent: int = 0
    answered: int = 0
    failed: int = 0
    latency: Histogram = field(default_factory=Histogram)

    def merge(self, other: Slot) -> None:
        """Count what ``other`` has counted."""
        self.sent += other.sent
        self.answered += other.answered
        self.failed += other.failed
        self.latency.merge(other.latency)


@dataclass(slots=True)
class Tally:
    """All that is counted of requests; durations in seconds.

    ``answered`` are MM7 answers of any status, ``codes`` counts them by (operation, status code); ``errors`` counts by
    kind whatever was no success, and what was wrong beside the requests. ``latency`` is measured from when a request
    was due to its answer, or to when it was given up; ``delay`` from when it was due to when it was sent. ``late``
    requests were sent later than was tolerated, ``unsent`` were never sent. ``full`` answers were judged by the full
    reader, ``overruled`` of them otherwise than by the scan.
    """

    sent: int = 0
    answered: int = 0
    succeeded: int = 0
    codes: Counter[tuple[str, int]] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    latency: Histogram = field(default_factory=Histogram)
    delay: Histogram = field(default_factory=Histogram)
    slots: dict[int, Slot] = field(default_factory=dict)
    late: int = 0
    unsent: int = 0
    full: int = 0
    overruled: int = 0
    octets: int = 0
    unanswered_submits: int = 0
    left_waiting: int = 0
    last_sent: float = 0.0
    """Seconds from the start to when the last request was sent."""
    processor: list[float] = field(default_factory=list)
    """Of each sender process, the share of one processor that it used."""

    @property
    def failed(self) -> int:
        """How many requests did not succeed, of those that were sent."""
        return self.errors.total() - self.errors[NOT_ASKED] - self.errors[NO_ID]

    def slot(self, number: int) -> Slot:
        """A stretch of time by its number; made when it is first asked for."""
        found = self.slots.get(number)
        if found is None:
            found = self.slots[number] = Slot()
        return found

    def merge(self, other: Tally) -> None:
        """Count what another process has counted."""
        for name in (
            "sent", "answered", "succeeded", "late", "unsent", "full", "overruled", "octets",
            "unanswered_submits", "left_waiting",
        ):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.last_sent = max(self.last_sent, other.last_sent)
        self.codes.update(other.codes)
        self.errors.update(other.errors)
        self.latency.merge(other.latency)
        self.delay.merge(other.delay)
        self.processor += other.processor
        for number, slot in other.slots.items():
            self.slot(number).merge(slot)
