"""What requests of the API may say: the models of paths, queries and bodies. Values only."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from mm7zeep.gateway.mm7.validation.recipients import MOST_RECIPIENTS
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
    WholeNumber,
    any_case,
    listed,
)
from mm7zeep.gateway.store.remote_parts import LONGEST

MOST_PARTS = 100
"""Parts of a message."""
Direction = Literal["outbound", "inbound"]
Addresses = Annotated[
    list[Address],
    Field(min_length=1, max_length=MOST_RECIPIENTS),
    BeforeValidator(listed),
    WithJsonSchema(
        {"type": ["string", "array"], "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_RECIPIENTS}
    ),
]


class MessageKey(Input):
    """Which message."""

    id: Annotated[Text, Field(max_length=200, description="Id of the message")]


class PartKey(MessageKey):
    """Which part of a message."""

    n: Place = Field(description="Which part, from 0")


class MediaKey(PartKey):
    """Which part of a message, and until when whoever has its URL may fetch it."""

    expires: WholeNumber | None = Field(None, ge=0, le=2**63 - 1, description="until then, in seconds since 1970")
    signature: Short | None = Field(None, description="what the gateway has signed it with")


class Page(Input):
    """Which messages of the application, the newest first."""

    limit: WholeNumber = Field(50, ge=1, le=500, description="How many at most")
    cursor: Key | None = Field(None, description="next of the page before")
    direction: Annotated[Direction, any_case(Direction)] | None = Field(
        None, description="outbound: sent by the application; inbound: sent to it"
    )
    to: Searched | None = Field(None, description="The address of a recipient, whole")
    from_: Searched | None = Field(None, alias="from", description="The sender's address, whole")
    since: Moment | None = Field(None, description="Created at or after: ISO 8601, or seconds since 1970")


class PartIn(Input):
    """A part of a message: its text, its octets, or where they are to be fetched."""

    text: Text | None = Field(None, description="a text")
    data: Text | None = Field(None, description="octets in base64")
    media_url: Annotated[Text, Field(min_length=1, max_length=LONGEST)] | None = Field(
        None, description="an http or https URL: the gateway fetches the octets, once the message is kept"
    )
    content_type: Label | None = Field(None, description="by default, what octets and name show")
    name: Label | None = Field(None, description="a file name")

    @model_validator(mode="after")
    def _one(self) -> PartIn:
        if sum(one is not None for one in (self.text, self.data, self.media_url)) != 1:
            raise ValueError("needs text, data or media_url, and only one; a part is one of them")
        if self.text == "":
            raise ValueError("has an empty text; leave the part out")
        if self.text is not None and self.content_type is not None:
            raise ValueError("has text and content_type; a text is text/plain, give other texts as data")
        return self


class NewMessage(Input):
    """A message that is to be sent."""

    to: Addresses = Field(description="one recipient, or several: numbers as +61412345678, mail addresses, short codes")
    from_: Address | None = Field(None, alias="from", description="the sender's address; by default the carrier's")
    subject: Line | None = None
    parts: Annotated[list[PartIn], Field(min_length=1, max_length=MOST_PARTS)] = Field(
        description="text and media, in the order in which they are shown"
    )
    delivery_report: bool = Field(False, description="whether to hear of each recipient's delivery")
    read_reply: bool = Field(False, description="whether to hear that it was read")
    send_at: Moment | None = Field(None, description="not before: ISO 8601, or seconds since 1970")
    expires_at: Moment | None = Field(None, description="not after; by default when the carrier says")
    reference: Line | None = Field(None, description="your own name for it, which comes back with all that is told")
    idempotency_key: Annotated[Filled, Field(max_length=255)] | None = Field(
        None, description="makes sending it again harmless; also as the header field Idempotency-Key"
    )
    group: bool = Field(False, description="whether everybody sees everybody; by default each sees only himself")
