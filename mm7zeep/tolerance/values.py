"""Values as the field writes them, turned into what XSD takes: small pure functions from text to text.

Each gives the schema's form of a value, or None where only a guess could.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from types import MappingProxyType

import isodate

_BOOLEANS: Mapping[str, str] = MappingProxyType(
    {"true": "true", "1": "true", "yes": "true", "false": "false", "0": "false", "no": "false"}
)
_DATETIME = re.compile(
    r"(\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))?", re.ASCII
)
_LOOSE = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[T ]\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)T?(\d\d)(\d\d)(\d\d)(Z|[+-]\d{4})?", re.ASCII)
_DURATION = re.compile(r"-?P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?", re.ASCII)
_SPAN_DIGITS = ((1, 8), (2, 8), (5, 14), (6, 14), (7, 14))  # of a duration's fields; xmlschema counts months in 32 bits
_RELATIVE_LOOSE = re.compile(r"-?P[0-9YMDTHS.]+", re.ASCII | re.IGNORECASE)
_STATUS_WORD = re.compile(r"[A-Za-z]+")
_STATUS_WORDS: Mapping[str, str] = MappingProxyType({"delivered": "Retrieved", "unrecognized": "Unrecognised"})


def boolean(text: str) -> str | None:
    """``true`` or ``false`` for what plainly means it."""
    return _BOOLEANS.get(text.strip().lower())


def is_moment(text: str, *, spans: bool) -> bool:
    """Whether ``text`` is an xs:dateTime (or, with ``spans``, an xs:duration) that Python can hold."""
    span = _DURATION.fullmatch(text) if spans else None
    if span is not None:
        fields = (
            ((span[field] or "").partition(".")[0].rstrip("YMHS").lstrip("0"), most) for field, most in _SPAN_DIGITS
        )
        return all(len(digits) <= most for digits, most in fields) and _holds(isodate.parse_duration, text)
    found = _DATETIME.fullmatch(text)
    return found is not None and found.group(4) != "24" and _holds(isodate.parse_datetime, text)


def in_schema(text: str, *, spans: bool) -> bool:
    """Whether the schema may take ``text``, by its form, even where Python cannot hold it."""
    return bool(_DATETIME.fullmatch(text) or (spans and _DURATION.fullmatch(text)))


def out_of_range(text: str) -> bool:
    """Whether ``text`` is in the schema's form, but beyond what Python holds: after the year 9999, a million years."""
    found = _DATETIME.fullmatch(text)
    if found is None:
        return bool(_DURATION.fullmatch(text))
    last = (*found.groups()[:6],) == ("9999", "12", "31", "24", "00", "00") and not (found[7] or "").strip(".0")
    return len(found.group(1)) > 4 or last


def moment(text: str, *, spans: bool) -> str | None:
    """The xs:dateTime that ``text`` means: RFC 822, compact, without leading zeros, with a blank for ``T``."""
    found = _LOOSE.fullmatch(text) or _COMPACT.fullmatch(text)
    if found is not None:
        return _rebuilt(found.groups())
    if spans and _RELATIVE_LOOSE.fullmatch(text):
        return text.upper() if is_moment(text.upper(), spans=True) else None
    try:
        return parsedate_to_datetime(text).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _rebuilt(groups: tuple[str | None, ...]) -> str | None:
    year, month, day, hour, minute, second, *rest = groups
    fraction, zone = rest if len(rest) == 2 else (None, rest[0])
    midnight = hour == "24" and minute in ("0", "00") and second in (None, "0", "00")
    numbers = [int(one or 0) for one in (year, month, day, "0" if midnight else hour, minute, second)]
    try:
        value = datetime(*numbers) + timedelta(days=1 if midnight else 0)  # type: ignore[arg-type]  # noqa: DTZ001  the zone is put back as text
    except (ValueError, OverflowError):
        return None
    zone = (zone or "").upper()
    if len(zone) == 5:
        zone = f"{zone[:3]}:{zone[3:]}"
    text = value.isoformat() + (fraction or "") + zone
    return text if is_moment(text, spans=False) else None


def _holds(parse: object, text: str) -> bool:
    try:
        parse(text)  # type: ignore[operator]
    except (ValueError, OverflowError, ArithmeticError, isodate.ISO8601Error):
        return False
    return True


def listed(text: str, values: tuple[str, ...]) -> str | None:
    """The listed value that differs from ``text`` in case or surrounding blanks only."""
    wanted = text.strip().lower()
    return next((one for one in values if one.lower() == wanted), None)


def mm_status(text: str, values: tuple[str, ...]) -> str | None:
    """The MMStatus that free text names: one listed word in it, or the success code some gateways write there."""
    if text.strip() == "1000":
        return "Retrieved" if "Retrieved" in values else None  # a read reply knows no such success
    words = {_STATUS_WORDS.get(word.lower(), word.lower()).lower() for word in _STATUS_WORD.findall(text)}
    named = [one for one in values if one.lower() in words]
    return named[0] if len(named) == 1 else None


def address_kind(text: str) -> str:
    """The address element that plain text belongs in."""
    return "RFC2822Address" if "@" in text else "Number"


_MOST_DIGITS = 4000  # Python reads 4,300
_NMTOKEN = re.compile(r"[\w.\-:\u00b7]+")


def is_nmtoken(text: str) -> bool:
    """Whether ``text`` is an xs:NMTOKEN (after collapsing blanks), as REL-5-MM7-1-0 and 1-1 ask."""
    return bool(_NMTOKEN.fullmatch(text.strip(" \t\r\n")))


def is_positive(text: str) -> bool:
    """Whether ``text`` is an xs:positiveInteger, and short enough for Python to read."""
    return bool(re.fullmatch(r"\s*\+?0*[1-9][0-9]*\s*", text, re.ASCII)) and len(text) <= _MOST_DIGITS
