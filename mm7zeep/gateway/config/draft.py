"""What a handset is to send to an application, and when. Values only; refuses, with ``NotPossible``, what cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mm7zeep.messages import Address, Part

MOST_TIMES = 1000
"""How often a message may be planned in one go."""
LONGEST = 366 * 86400.0
"""Seconds from now within which what is planned has to be sent."""
_AT_LEAST = 1.0  # seconds between two of a series


class NotPossible(ValueError):
    """What no handset could send; ``member`` is what asked for it (``reply_to``, ``from``, ``forward``)."""

    def __init__(self, member: str, words: str) -> None:
        super().__init__(words)
        self.member = member


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An MO for an application; ``fields`` are further ones of the DeliverReq, ``reply_to`` is the message answered."""

    application: str
    sender: Address
    to: Address
    subject: str | None = None
    parts: Sequence[Part] = ()
    fields: dict[str, Any] = field(default_factory=dict)
    reply_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When a message is sent: ``at`` a point in time (seconds since 1970), or ``after`` seconds; and again ``every`` so
    many seconds, ``times`` in all. Raises ``ValueError`` for what contradicts itself.
    """

    at: float | None = None
    after: float | None = None
    every: float | None = None
    times: int = 1

    def __post_init__(self) -> None:
        if self.at is not None and self.after is not None:
            raise NotPossible("after", "stands beside at; give one of them")
        if (self.every is None) != (self.times == 1):
            raise NotPossible("every", "and times go together; give both, with times from 2 on")
        if self.every is not None and self.every < _AT_LEAST:
            raise NotPossible("every", f"is {self.every:g} seconds; give at least {_AT_LEAST:g}")
        if not 1 <= self.times <= MOST_TIMES:
            raise NotPossible("times", f"is {self.times}; give something from 2 to {MOST_TIMES}")
        if self.after is not None and self.after < 0:
            raise NotPossible("after", "is negative; give seconds from now")

    def due(self, now: float) -> list[float]:
        """The times, in seconds since 1970. Raises ``NotPossible`` for one that is over, or more than a year away."""
        if self.at is not None and self.at < now:
            raise NotPossible("at", "is over; give a point in time to come, or leave it out to send it now")
        first = self.at if self.at is not None else now + (self.after or 0.0)
        found = [first + n * (self.every or 0.0) for n in range(self.times)]
        if found[-1] > now + LONGEST:
            raise NotPossible("at" if self.at is not None else "after", "reaches further than 366 days; plan less")
        return found
