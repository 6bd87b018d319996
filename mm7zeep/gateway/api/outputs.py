"""What the API answers, and its webhooks tell: the models of messages, recipients, parts, events. Values only."""

from __future__ import annotations

from pydantic import Field

from mm7zeep.gateway.api.inputs import Direction
from mm7zeep.gateway.api.states import State
from mm7zeep.gateway.config.parties import EventType
from mm7zeep.gateway.rest.output import Output, Time


class Recipient(Output):
    """What became of a message for one recipient."""

    to: str
    state: State
    mm_status: str | None = Field(
        description="the MMStatus, reported by the carrier or set by the gateway; null before"
    )
    detail: str | None = Field(description="why, in the words of who said so; or which rate it waits for")
    changed_at: Time


class Part(Output):
    """A part of a message."""

    n: int
    content_type: str | None = Field(description="null where only its octets will show it")
    name: str | None
    size: int | None = Field(description="octets; null until they are fetched")
    sha256: str | None = Field(description="null until it is fetched")
    url: str = Field(description="where it is, below the API's own address; of an event whole, and good for a while")
    media_url: str | None = Field(None, description="where it was to be fetched, if so")


class Facts(Output):
    """A message, without its recipients."""

    id: str
    direction: Direction
    from_: str | None = Field(alias="from")
    subject: str | None
    reference: str | None
    created_at: Time
    send_at: Time | None
    expires_at: Time | None
    delivery_report: bool
    read_reply: bool
    group: bool
    parts: list[Part]


class Message(Facts):
    """A message."""

    recipients: list[Recipient]


class Messages(Output):
    """A page of messages."""

    messages: list[Message]
    next: int | None = Field(description="cursor of the next page; null on the last one")


# --- events -----------------------------------------------------------------------------------------------------------


class Received(Output):
    """What ``message.received`` tells."""

    message: Message


class Happened(Output):
    """What every other event tells: what became of a message for one of its recipients."""

    message: Facts
    recipient: Recipient = Field(description="as it was when this happened")


class Event(Output):
    """An event, as it is told by webhook."""

    type: EventType
    timestamp: Time = Field(description="when it happened")
    data: Received | Happened
