"""What requests may say: the base of their models, and the types of their members.

Numbers and words in a path or query come as text and are read here; in a body nothing is converted.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any, get_args

import pydantic
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticKnownError

_LARGEST = 2**63 - 1  # what a column holds
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_FIRST, _LAST = -62135596800.0, 253402300800.0  # the years 1 to 9999
_EPOCH = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,6})?")

# --- types ------------------------------------------------------------------------------------------------------------


def moment(value: object) -> float:
    """Seconds since 1970 of a point in time: ISO 8601 (UTC, where it names no zone), or seconds since 1970 themselves.

    Raises ``PydanticCustomError`` ("moment_type").
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _within(float(value) if abs(value) <= _LARGEST else math.inf)
    text = value if isinstance(value, str) else ""
    if _EPOCH.fullmatch(text):
        return _within(float(text))
    try:
        # the plus of a zone in a query that did not write %2B has become a space
        when = datetime.fromisoformat(re.sub(r" (?=[0-9]{2}:?[0-9]{2}\Z)", "+", text) if "T" in text else text)
        return _within((when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise PydanticCustomError("moment_type", "Input should be a point in time") from None


def _within(seconds: float) -> float:
    """A point in time that can be written as a date, in UTC. Raises ``ValueError``."""
    if not _FIRST <= seconds < _LAST:
        why = "looks like milliseconds; give seconds" if abs(seconds) >= _LAST else "is before the year 1"
        raise PydanticCustomError("moment_range", "{why}", {"why": f"{why}, or ISO 8601"})
    return seconds


def _plain(value: str) -> str:
    if bad := _CONTROL.search(value):
        raise ValueError(f"holds the control character {bad[0]!r}; remove it")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,19}", value):
        raise PydanticKnownError("int_type")
    return int(value)


def number(value: object) -> float:
    """A number in a query. Raises ``PydanticKnownError``."""
    if not isinstance(value, str) or not _EPOCH.fullmatch(value):
        raise PydanticKnownError("float_type")
    return float(value)


def with_plus(value: object) -> object:
    """Who writes ?to=+61... without %2B has written a space."""
    return f"+{value[1:]}" if isinstance(value, str) and re.match(" [0-9]", value) else value


def any_case(words: object) -> BeforeValidator:
    """Reads the words of a ``Literal`` in any case."""
    known = {one.lower(): one for one in get_args(words)}
    return BeforeValidator(lambda value: known.get(value.lower(), value) if isinstance(value, str) else value)


def listed(value: object) -> list[Any]:
    """A list, also of one that was given by itself. Raises ``PydanticCustomError`` ("texts_type")."""
    if not isinstance(value, str | list):
        raise PydanticCustomError("texts_type", "Input should be a valid string or list")
    return [value] if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_plain)]
Filled = Annotated[Text, Field(min_length=1)]
Short = Annotated[Text, Field(max_length=512)]
Label = Annotated[Text, Field(max_length=255)]
Line = Annotated[Text, Field(max_length=1000)]
Address = Annotated[
    Text, Field(min_length=1, max_length=512, description="a number as +61412345678, a mail address, or a short code")
]
Searched = Annotated[Short, BeforeValidator(with_plus)]
Texts = Annotated[
    list[Text],
    Field(max_length=100),
    BeforeValidator(listed),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}, "maxItems": 100}),
]
WholeNumber = Annotated[int, BeforeValidator(_whole)]
Place = Annotated[WholeNumber, Field(ge=0, le=2**31 - 1)]  # what a column holds
Key = Annotated[WholeNumber, Field(ge=1, le=_LARGEST)]
Moment = Annotated[float, BeforeValidator(moment), WithJsonSchema({"type": ["string", "number"]})]


# --- models ----------------------------------------------------------------------------------------------------------


class Input(pydantic.BaseModel):
    """Base of all that a request says."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Nothing(Input):
    """No parameters, or no body."""
