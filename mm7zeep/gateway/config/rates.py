"""How many messages may leave: limits by upstream and by sending number, for a second and for a day.

Values only: which limits fit a call, and when a day ends. What was used of them, ``store.buckets`` keeps. Numbers are
compared as ``store.opt_outs.key`` has them: by their digits, without a plus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

from mm7zeep.gateway.config import field_types, numbers
from mm7zeep.gateway.config.field_types import AtLeastOne, Filled, Switch, Table, Text

_REMEMBERED = 10_000  # numbers whose limits are not looked up again


def _number(value: str) -> str:
    """A number as it is compared, or the beginning of one before a ``*``. Raises ``ValueError``."""
    many = value.endswith("*")
    written = numbers.without_scheme(value.removesuffix("*"))
    if "*" in written:
        raise ValueError(f'{value!r} has a * before its end; write the beginning of the numbers, as in "1212*"')
    if not written and not many:
        raise ValueError('is empty; write a number, the beginning of some as in "1212*", or "*" for all')
    number = "" if many and written == "+" else numbers.dialled(written)
    found = number.removeprefix("+") if number is not None else written.casefold()
    return f"{found}*" if many else found


def _zone(value: str) -> str:
    try:
        zone_of(value)
    except (KeyError, OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(f'{value!r} is no time zone; write its name, such as "America/Los_Angeles"') from None
    return value


def zone_of(name: str | None) -> tzinfo:
    """The time zone of that name; UTC for None. Raises ``KeyError``, ``OSError`` or ``ValueError`` for no zone."""
    return UTC if name in (None, "UTC") else ZoneInfo(name)


Numbers = Annotated[Text, AfterValidator(_number)]
TimeZone = Annotated[Filled, AfterValidator(_zone)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Table):
    """A limit, by its ``name``: ``per_second`` messages, of which ``burst`` may go at the same moment (None: those of a
    second), and ``per_day``, a calendar day of ``timezone`` (None: UTC).

    It counts what leaves through ``upstream`` (None: any) from each of ``numbers`` (exact, or ``1212*``: what begins
    so); with ``together`` from all of them, as of a campaign; without numbers, all that leaves through ``upstream``.
    """

    name: Filled
    upstream: Text | None = None
    numbers: tuple[Numbers, ...] = ()
    together: Switch = False
    per_second: field_types.Rate | None = None
    burst: AtLeastOne | None = None
    per_day: AtLeastOne | None = None
    timezone: TimeZone | None = None

    @property
    def most_at_once(self) -> float:
        """How many may go at the same moment."""
        return float(self.burst) if self.burst is not None else max(1.0, self.per_second or 1.0)

    def day(self, now: float) -> str:
        """The day at ``now``, in its time zone: 2026-11-28."""
        return datetime.fromtimestamp(now, zone_of(self.timezone)).date().isoformat()

    def day_after(self, day: str, days: int = 1) -> str:
        """The day that is so many days later."""
        return (datetime.fromisoformat(day).date() + timedelta(days=days)).isoformat()

    def begin(self, day: str) -> float:
        """When a day begins, in seconds since 1970."""
        return datetime.combine(datetime.fromisoformat(day).date(), time(), zone_of(self.timezone)).timestamp()

    def amount(self, *, day: bool) -> str:
        """``2000 a day``, or ``1 a second``."""
        return f"{self.per_day} a day" if day else f"{self.per_second:g} a second"


class Limit(NamedTuple):
    """A rate for one number, or for all that it counts together (None)."""

    rate: Rate
    number: str | None

    def __str__(self) -> str:
        """What it is called: ``long-codes of 12125550100``."""
        return self.rate.name if self.number is None else f"{self.rate.name} of {self.number}"


class _Fitting(NamedTuple):
    """A rate, as it is looked up."""

    rate: Rate
    exact: frozenset[str]
    beginnings: tuple[str, ...]

    def fits(self, upstream: str | None, number: str | None) -> bool:
        if self.rate.upstream not in (None, upstream):
            return False
        if not self.rate.numbers:
            return True
        return number is not None and (number in self.exact or number.startswith(self.beginnings))


class Rates:
    """The rates of a gateway, looked up by upstream and number. Thread-safe."""

    def __init__(self, rates: Sequence[Rate] = ()) -> None:
        self._rates = [
            _Fitting(
                one,
                frozenset(written for written in one.numbers if not written.endswith("*")),
                tuple(written[:-1] for written in one.numbers if written.endswith("*")),
            )
            for one in rates
        ]
        self._found: dict[tuple[str | None, str | None], tuple[Limit, ...]] = {}

    def __bool__(self) -> bool:
        return bool(self._rates)

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        return tuple(one.rate.name for one in self._rates)

    def limits(self, upstream: str | None, number: str | None) -> tuple[Limit, ...]:
        """All that limit what leaves through ``upstream`` from ``number`` (None: a number that no rate names)."""
        if not self._rates:
            return ()
        found = self._found.get((upstream, number))
        if found is None:
            fitting = [one.rate for one in self._rates if one.fits(upstream, number)]
            found = tuple(Limit(one, number if one.numbers and not one.together else None) for one in fitting)
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[upstream, number] = found
        return found

    def queue(self, upstream: str | None, number: str | None) -> str:
        """In which line of its upstream's calls one from ``number`` waits: that of the number, where a rate names it,
        else that of all others (the empty text).
        """
        return number if number and any(one.rate.numbers for one in self.limits(upstream, number)) else ""
