"""Points in time and spans, between Python and the text of XML Schema: xs:dateTime and xs:duration.

Refuses a datetime without zone, and a text that Python cannot hold.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import isodate

from mm7zeep import messages as m
from mm7zeep.errors import LocalError


def moment_text(value: object, what: str) -> str:
    """xs:dateTime or xs:duration text. Raises ``LocalError`` for a datetime without zone."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise LocalError(f"{what} has no time zone; give one, for instance datetime.now(timezone.utc)")
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, isodate.Duration):
        months = int(value.years * 12 + value.months)
        return _duration(value.tdelta, months)
    if isinstance(value, timedelta):
        return _duration(value, 0)
    raise LocalError(f"{what} must be a datetime or a timedelta, not {type(value).__name__}")


def _duration(span: timedelta, months: int) -> str:
    negative = span < timedelta(0) or months < 0
    if negative:
        span, months = -span, -months
    if span < timedelta(0) or months < 0:
        raise LocalError("a duration cannot be both forward and backward")
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{span.microseconds:06d}".rstrip("0") if span.microseconds else ""
    date = "".join(f"{n}{u}" for n, u in ((months // 12, "Y"), (months % 12, "M"), (span.days, "D")) if n)
    clock = "".join(f"{n}{u}" for n, u in ((hours, "H"), (minutes, "M")) if n)
    clock += f"{seconds}{fraction}S" if seconds or fraction else ""
    return ("-" if negative else "") + "P" + (date + ("T" + clock if clock else "") or "T0S")


def moment_value(text: str | datetime) -> m.Moment:
    """The datetime or span that ``text`` means. Raises ``ValueError`` if Python cannot hold it."""
    value: m.Moment
    if isinstance(text, datetime):
        value = text
    elif text.lstrip("-").startswith("P"):
        value = isodate.parse_duration(text)
    else:
        value = isodate.parse_datetime(text)
    if isinstance(value, datetime) and value.tzinfo is not None:
        offset = value.utcoffset() or timedelta(0)
        value = value.replace(tzinfo=UTC if not offset else timezone(offset))
    return value
