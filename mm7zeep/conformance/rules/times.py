"""Rules for dates: whether they can be meant, seen from when the message was sent.

Spans count from that moment. It is the subject's ``now``, or else the message's own TimeStamp; without both, a rule
that needs it says nothing. Where a date has no zone, it may be up to 14 hours off, and is given the benefit of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from isodate import Duration
from lxml import etree

from mm7zeep import schema
from mm7zeep.conformance.rules.subject import Rule, Subject, child, text
from mm7zeep.envelope import moment_value
from mm7zeep.findings import Finding, finding
from mm7zeep.messages import Moment

_GRACE = timedelta(minutes=5)
_FAR = timedelta(days=30)
_ZONES = timedelta(hours=14)  # XSD dateTime: the farthest that a time zone is from UTC
_DATES = ("TimeStamp", "Date", "EarliestDeliveryTime", "ExpiryDate", "DateTime")
_DATE_ATTRIBUTES = ("replyDeadline", "TimeStamp")


class _Point(NamedTuple):
    """A moment in UTC, and how far it may be off."""

    at: datetime
    slack: timedelta

    def before(self, other: _Point, *, by: timedelta = timedelta(0)) -> bool:
        """Whether this is certainly earlier than ``other``, by more than ``by``."""
        return other.at - self.at > by + max(self.slack, other.slack)


def _value(given: str) -> Moment | None:
    try:
        return moment_value(given)
    except (ValueError, OverflowError, ArithmeticError):
        return None


def _point(given: str, origin: _Point | None) -> _Point | None:
    """The moment that a date means, or a span counted from ``origin``."""
    value = _value(given)
    if isinstance(value, datetime):
        return _absolute(value)
    if value is None or origin is None:
        return None
    try:
        moved = origin.at + value
    except (ValueError, OverflowError):
        return None
    return origin._replace(at=moved) if isinstance(moved, datetime) else None


def _absolute(value: datetime) -> _Point | None:
    try:
        if value.tzinfo is None:
            return _Point(value.replace(tzinfo=UTC), _ZONES)
        return _Point(value.astimezone(UTC), timedelta(0))
    except (ValueError, OverflowError):
        return None  # at the ends of the calendar


def _origin(subject: Subject) -> _Point | None:
    """When the message was sent."""
    if subject.now is not None:
        return _now(subject.now)
    return _point(text(child(subject.message, "TimeStamp")), None)


def _now(now: datetime) -> _Point:
    return _Point(now.replace(tzinfo=UTC) if now.tzinfo is None else now.astimezone(UTC), timedelta(0))


def _backward(given: str) -> bool:
    """Whether it is a span into the past."""
    value = _value(given)
    if isinstance(value, Duration):
        return bool(value.years < 0 or value.months < 0 or value.tdelta < timedelta(0))
    return isinstance(value, timedelta) and value < timedelta(0)


def _dated(subject: Subject, name: str) -> Iterator[tuple[etree._Element, str]]:
    """The child of that name, with its text."""
    found = child(subject.message, name)
    if found is not None:
        yield found, text(found)


# --- expiry and earliest delivery -------------------------------------------------------------------------------------


def _expiry_negative(subject: Subject) -> Iterator[Finding]:
    for one, given in _dated(subject, "ExpiryDate"):
        if _backward(given):
            yield finding("sem/expiry-negative", schema.path(one), detail=given)


def _expiry_past(subject: Subject) -> Iterator[Finding]:
    """A negative span is reported by sem/expiry-negative."""
    origin = _origin(subject)
    for one, given in _dated(subject, "ExpiryDate"):
        point = _point(given, origin)
        if origin is not None and point is not None and point.before(origin) and not _backward(given):
            yield finding("sem/expiry-past", schema.path(one), detail=given)


def _expiry_far(subject: Subject) -> Iterator[Finding]:
    origin = _origin(subject)
    for one, given in _dated(subject, "ExpiryDate"):
        point = _point(given, origin)
        if origin is not None and point is not None and origin.before(point, by=_FAR):
            yield finding("sem/expiry-far", schema.path(one), detail=given)


def _expiry_first(subject: Subject) -> Iterator[Finding]:
    """What lies in the past is reported as that."""
    # Two spans can be compared whenever they begin.
    origin = _origin(subject) or _Point(datetime(2000, 1, 1, tzinfo=UTC), timedelta(days=365_000))
    for _, earliest in _dated(subject, "EarliestDeliveryTime"):
        for one, given in _dated(subject, "ExpiryDate"):
            spans = [not isinstance(_value(date), datetime) for date in (earliest, given)]
            begin, end = _point(earliest, origin), _point(given, origin)
            if begin is None or end is None or _backward(given) or end.before(origin):
                continue
            if all(spans):
                begin, end = begin._replace(slack=timedelta(0)), end._replace(slack=timedelta(0))
            if end.before(begin):
                yield finding("sem/expiry-before-earliest", schema.path(one), detail=f"{given}, earliest {earliest}")


def _earliest_past(subject: Subject) -> Iterator[Finding]:
    origin = _origin(subject)
    for one, given in _dated(subject, "EarliestDeliveryTime"):
        point = _point(given, origin)
        past = origin is not None and point is not None and point.before(origin)
        if past or _backward(given):
            yield finding("sem/earliest-past", schema.path(one), detail=given)


def _reply_deadline(subject: Subject) -> Iterator[Finding]:
    """A size that is no positive number is reported by schema/attribute."""
    origin, charging = _origin(subject), child(subject.message, "ReplyCharging")
    given = charging.get("replyDeadline", "") if charging is not None else ""
    point = _point(given, origin)
    past = origin is not None and point is not None and point.before(origin)
    if charging is not None and (past or _backward(given)):
        yield finding("sem/reply-deadline", schema.path(charging), detail=given)


# --- stamps -----------------------------------------------------------------------------------------------------------


def _stamp_future(subject: Subject) -> Iterator[Finding]:
    """Needs ``now``: nothing in a message says that its own TimeStamp is wrong."""
    for name in ("TimeStamp", "Date"):
        one = child(subject.message, name)
        point = _point(text(one), None)
        if one is None or point is None or subject.now is None:
            continue
        if _now(subject.now).before(point, by=_GRACE):
            yield finding("sem/timestamp-future", schema.path(one), detail=text(one))


def _no_zone(subject: Subject) -> Iterator[Finding]:
    message = subject.message
    for one in message.iter() if message is not None else ():
        given = [text(one)] if schema.local(one) in _DATES else []
        given += [value for name in _DATE_ATTRIBUTES if (value := one.get(name)) is not None]
        for shown in given:
            moment, where = _value(shown), schema.path(one)
            # A date that had to be rewritten is reported by schema/date.
            if isinstance(moment, datetime) and moment.tzinfo is None and not subject.told_at("schema/date", where):
                yield finding("sem/date-no-zone", where, detail=shown)


RULES = (
    Rule("sem/expiry-negative", _expiry_negative),
    Rule("sem/expiry-past", _expiry_past),
    Rule("sem/expiry-far", _expiry_far),
    Rule("sem/expiry-before-earliest", _expiry_first),
    Rule("sem/earliest-past", _earliest_past),
    Rule("sem/reply-deadline", _reply_deadline),
    Rule("sem/timestamp-future", _stamp_future),
    Rule("sem/date-no-zone", _no_zone),
)
