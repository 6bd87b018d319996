"""What the REST API's requests may say: the models of paths, queries and bodies.

Values only. A member that no model names is refused: a filter with a slip in its name would otherwise match everything.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from mm7zeep.gateway.config.field_types import line
from mm7zeep.gateway.config.handset import Outcome
from mm7zeep.gateway.mm7.chaos import Rule
from mm7zeep.gateway.mm7.spoilt import Malformed
from mm7zeep.gateway.rest.fields import (
    Address,
    Filled,
    Input,
    Key,
    Label,
    Line,
    Moment,
    Place,
    Searched,
    Short,
    Text,
    Texts,
    WholeNumber,
    any_case,
    number,
)
from mm7zeep.gateway.store.rows import RecipientState

Direction = Literal["mt", "mo"]
State = Literal[RecipientState, Outcome]
CallState = Literal["ready", "done", "dead", "paused"]
"""States of a call, as the API shows them."""
MALFORMED = get_args(Malformed)
"""How an answer may be malformed on purpose."""
Span = Annotated[float, Field(ge=0, le=366 * 86400, allow_inf_nan=False)]
"""Seconds, up to 366 days."""
OneLine = Annotated[Line, AfterValidator(line)]
"""Text without control characters and line breaks."""

# --- path and query ---------------------------------------------------------------------------------------------------


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


class ApiKeyKey(Input):
    """Which key of the JSON API."""

    id: Key = Field(description="Id of the key")


class ApiKeyQuery(Input):
    """Which keys of the JSON API."""

    application: Short | None = Field(None, description="Name of the application")


class Page(Input):
    """Which page of a list."""

    limit: WholeNumber = Field(50, ge=1, le=500, description="How many at most")
    before: Key | None = Field(None, description="next of the page before")


class Filter(Input):
    """Which messages: those that fit everything given."""

    application: Short | None = Field(None, description="Whose message")
    direction: Annotated[Direction, any_case(Direction)] | None = Field(
        None, description="mt: to handsets; mo: to applications"
    )
    to: Searched | None = Field(None, description="An address among To, Cc and Bcc, whole")
    from_: Searched | None = Field(None, alias="from", description="The sender's address, whole")
    q: Searched | None = Field(None, description="A piece of subject, texts or addresses; a whole id")
    state: Annotated[State, any_case(State)] | None = Field(None, description="The state of at least one copy")


class MessageQuery(Page, Filter):
    """A page of the messages that fit."""


class WaitQuery(Filter):
    """The message that is waited for, and how long."""

    subject: Short | None = Field(None, description="A piece of the subject")
    timeout: Annotated[float, BeforeValidator(number)] = Field(30, ge=0, le=300, description="Seconds")
    since: Moment | None = Field(None, description="Accepted at or after: ISO 8601, or seconds since 1970")


class CallQuery(Page):
    """A page of the calls that fit."""

    state: Annotated[CallState, any_case(CallState)] | None = Field(
        None, description="ready also while it is being made"
    )
    application: Short | None = Field(None, description="Who is called: an application, or upstream:NAME")
    message: Short | None = Field(None, description="Id of the message")


class OptOutQuery(Page):
    """A page of the opt-outs that fit."""

    application: Short | None = Field(None, description="Whose messages are not wanted")
    number: Searched | None = Field(None, description="A number of an application, or *")
    subscriber: Searched | None = Field(None, description="Who wants nothing more")


class OptOutKey(Input):
    """Which opt-out."""

    number: Searched = Field(description="A short code of the application, or * for all of them")
    subscriber: Searched = Field(description="Who wants messages again")
    application: Short | None = Field(None, description="Its name; needed with *")


# --- bodies -----------------------------------------------------------------------------------------------------------


class MoPart(Input):
    """A part of an MO that a handset sends."""

    data: Text = Field(description="the octets in base64")
    content_type: Label | None = Field(None, description="by default, what octets and name show")
    name: Label | None = None
    content_id: Label | None = None


class Mo(Input):
    """An MO that a handset sends, now or later; new, or in answer to a message."""

    application: Filled | None = Field(None, description="its name; needed without reply_to")
    from_: Address | None = Field(
        None, alias="from", description="needed without reply_to, and where that message has several recipients"
    )
    to: Address | None = Field(
        None, description="by default the first short code of the application, or the sender of what is answered"
    )
    subject: Line | None = Field(None, description="by default that of the message, with Re: or Fwd: before it")
    text: Texts | None = Field(None, description="one, or several")
    parts: Annotated[list[MoPart], Field(max_length=100)] | None = None
    reply_to: Short | None = Field(
        None, description="MessageID of a message, or latest: one of its recipients answers its sender"
    )
    forward: Short | None = Field(
        None, description="MessageID or LinkedID of a message, or latest, whose parts are sent, after text and parts"
    )
    at: Moment | None = Field(None, description="when it is sent: ISO 8601 (UTC, where no zone is named), or seconds")
    after: Span | None = Field(None, description="in how many seconds it is sent")
    every: Span | None = Field(None, description="seconds, at least 1, after which it is sent again; needs times")
    times: Annotated[int, Field(ge=2, le=1000)] | None = Field(None, description="how often in all; needs every")


class Report(Input):
    """The state that a copy reaches, or all copies that wait for their handsets."""

    recipient: Filled | None = Field(
        None, description="an address of the message; without it, the sole one, or all that wait"
    )
    status: Outcome = Field(description="the MMStatus")
    text: Line | None = Field(None, description="StatusText")


class Reading(Input):
    """That a recipient has read or deleted a message."""

    recipient: Filled | None = Field(None, description="an address of the message; without it, the sole one")
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


class Pausing(Input):
    """Which endpoint is not called for now."""

    endpoint: Filled = Field(description="its URL")
    application: Text | None = Field(None, description="only this one's")
    reason: Line | None = Field(None, description="why, as lists show it")


class NewApiKey(Input):
    """A key of the JSON API that is to be made."""

    application: Filled = Field(description="the name of the application")
    name: Label | None = Field(None, description="what it is for, as the list shows it")


class OptedOut(Input):
    """Who wants nothing more, and from which number."""

    number: Annotated[Text, Field(min_length=1, max_length=512, description="a short code of an application, or *")]
    subscriber: Address
    application: Text | None = Field(None, description="its name; needed with *, which means all of its numbers")


class HandsetScript(Input):
    """How handsets behave whose addresses begin with the prefix."""

    prefix: OneLine = Field("", description="what addresses begin with; the empty one fits all")
    outcome: Outcome = Field("Retrieved", description="the MMStatus")
    delay: Span = Field(0.0, description="seconds until then")
    read: bool = Field(True, description="whether what was retrieved is read")
    reply: OneLine = Field("", description="text of an MO that answers what was retrieved; empty: none")
    reply_after: Span = Field(1.0, description="seconds until then, from when it was retrieved")


class Scripts(Input):
    """Handset scripts; the first whose prefix fits counts, those of the configuration file come after these."""

    handsets: Annotated[
        list[HandsetScript], Field(max_length=500, description="an empty list returns to those of the file alone")
    ]


class Trouble(Input):
    """The trouble that is made on purpose."""

    rules: Annotated[list[Rule], Field(max_length=1000, description="an empty list ends all trouble")]
