"""What the REST API's requests may say: the models of paths, queries and bodies, and the types of their members.

Values only. A member that no model names is refused: a filter with a slip in its name would otherwise match everything.
Numbers and words in a path or query come as text and are read here; in a body nothing is converted.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

import pydantic
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticKnownError

from mm7zeep.gateway.config.handset import Outcome
from mm7zeep.gateway.mm7.chaos import Rule
from mm7zeep.gateway.store.rows import RecipientState

_LARGEST = 2**63 - 1  # what a column holds
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_EPOCH = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,6})?")

Direction = Literal["mt", "mo"]
State = Literal[RecipientState, Outcome]
CallState = Literal["ready", "done", "dead", "paused"]
"""States of a call, as the API shows them."""

# --- types ------------------------------------------------------------------------------------------------------------


def moment(value: object) -> float:
    """Seconds since 1970 of a point in time: ISO 8601 (UTC, where it names no zone), or seconds since 1970 themselves.

    Raises ``PydanticCustomError`` ("moment_type").
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return float(value)
    text = value if isinstance(value, str) else ""
    if _EPOCH.fullmatch(text):
        return float(text)
    try:
        # the plus of a zone in a query that did not write %2B has become a space
        when = datetime.fromisoformat(re.sub(r" (?=[0-9]{2}:?[0-9]{2}\Z)", "+", text) if "T" in text else text)
        return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise PydanticCustomError("moment_type", "Input should be a point in time") from None


def _plain(value: str) -> str:
    if bad := _CONTROL.search(value):
        raise ValueError(f"holds the control character {bad[0]!r}; remove it")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,19}", value):
        raise PydanticKnownError("int_type")
    return int(value)


def _number(value: object) -> float:
    if not isinstance(value, str) or not _EPOCH.fullmatch(value):
        raise PydanticKnownError("float_type")
    return float(value)


def _plus(value: object) -> object:
    """Who writes ?to=+61... without %2B has written a space."""
    return f"+{value[1:]}" if isinstance(value, str) and re.match(" [0-9]", value) else value


def _any_case(words: object) -> BeforeValidator:
    """Reads the words of a ``Literal`` in any case."""
    known = {one.lower(): one for one in get_args(words)}
    return BeforeValidator(lambda value: known.get(value.lower(), value) if isinstance(value, str) else value)


def _listed(value: object) -> list[Any]:
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
Searched = Annotated[Short, BeforeValidator(_plus)]
Texts = Annotated[
    list[Text],
    Field(max_length=100),
    BeforeValidator(_listed),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}, "maxItems": 100}),
]
WholeNumber = Annotated[int, BeforeValidator(_whole)]
Place = Annotated[WholeNumber, Field(ge=0, le=2**31 - 1)]  # what a column holds
Key = Annotated[WholeNumber, Field(ge=1, le=_LARGEST)]
Moment = Annotated[float, BeforeValidator(moment), WithJsonSchema({"type": ["string", "number"]})]


# --- path and query ---------------------------------------------------------------------------------------------------


class Input(pydantic.BaseModel):
    """Base of all that a request says."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Nothing(Input):
    """No parameters, or no body."""


class MessageKey(Input):
    """Which message."""

    id: Annotated[Text, Field(max_length=200, description="MessageID, LinkedID of an MO, or latest")]


class RequestKey(MessageKey):
    """Which request about a message."""

    n: Place = Field(0, description="Which request about the message: 0 began it")


class PartKey(MessageKey):
    """Which part of a message."""

    n: Place = Field(description="Which part, from 0")


class CallKey(Input):
    """Which callback."""

    id: Key = Field(description="Id of the callback")


class Page(Input):
    """Which page of a list."""

    limit: WholeNumber = Field(50, ge=1, le=500, description="How many at most")
    before: Key | None = Field(None, description="next of the page before")


class Filter(Input):
    """Which messages: those that fit everything given."""

    application: Short | None = Field(None, description="Whose message")
    direction: Annotated[Direction, _any_case(Direction)] | None = Field(
        None, description="mt: to handsets; mo: to applications"
    )
    to: Searched | None = Field(None, description="An address among To, Cc and Bcc, whole")
    from_: Searched | None = Field(None, alias="from", description="The sender's address, whole")
    q: Searched | None = Field(None, description="A piece of subject, texts or addresses; a whole id")
    state: Annotated[State, _any_case(State)] | None = Field(None, description="The state of at least one copy")


class MessageQuery(Page, Filter):
    """A page of the messages that fit."""


class WaitQuery(Filter):
    """The message that is waited for, and how long."""

    subject: Short | None = Field(None, description="A piece of the subject")
    timeout: Annotated[float, BeforeValidator(_number)] = Field(30, ge=0, le=300, description="Seconds")
    since: Moment | None = Field(None, description="Accepted at or after: ISO 8601, or seconds since 1970")


class CallQuery(Page):
    """A page of the calls that fit."""

    state: Annotated[CallState, _any_case(CallState)] | None = Field(
        None, description="ready also while it is being made"
    )
    application: Short | None = Field(None, description="Who is called: an application, or upstream:NAME")
    message: Short | None = Field(None, description="Id of the message")


# --- bodies -----------------------------------------------------------------------------------------------------------


class MoPart(Input):
    """A part of an MO that a handset sends."""

    data: Text = Field(description="the octets in base64")
    content_type: Label | None = Field(None, description="by default, what octets and name show")
    name: Label | None = None
    content_id: Label | None = None


class Mo(Input):
    """An MO that a handset sends."""

    application: Filled = Field(description="the name of the application")
    from_: Address = Field(alias="from")
    to: Address | None = None
    subject: Line | None = None
    text: Texts | None = Field(None, description="one, or several")
    parts: Annotated[list[MoPart], Field(max_length=100)] | None = None


class Report(Input):
    """The state that a copy reaches."""

    recipient: Filled = Field(description="an address of the message")
    status: Outcome = Field(description="the MMStatus")
    text: Line | None = Field(None, description="StatusText")


class Reading(Input):
    """That a recipient has read or deleted a message."""

    recipient: Filled = Field(description="an address of the message")
    status: Literal["Read", "Deleted"] | None = Field(None, description="the MMStatus; Read, if not given")


class Replay(Input):
    """Which dead calls are made again."""

    endpoint: Filled | None = Field(None, description="a URL")
    since: Moment | None = Field(
        None, description="when they died: ISO 8601 (UTC, where no zone is named), or seconds since 1970"
    )


class Resumption(Input):
    """Which endpoint is called again."""

    endpoint: Filled = Field(description="its URL")
    application: Text | None = Field(None, description="only this one's")


class Trouble(Input):
    """The trouble that is made on purpose."""

    rules: Annotated[list[Rule], Field(max_length=1000, description="an empty list ends all trouble")]
