"""What the relay holds and plans: accepted messages with their copies, what is due with them, what was done.

Values, and the points in time they mean; nothing here locks, sends or waits. Refuses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from mm7zeep.gateway.accounts import Application
from mm7zeep.messages import Address, Moment, Part, RsRequest, SubmitReq

PENDING = "Pending"


@dataclass(slots=True, kw_only=True)
class Copy:
    """One recipient's copy: ``state`` is Pending, Cancelled or an MMStatus, ``parts`` what the handset retrieved."""

    recipient: Address
    state: str = PENDING
    parts: tuple[Part, ...] = ()
    turn: int = 0  # counts the replacements, so that an earlier plan for this copy is known to be void


@dataclass(slots=True, kw_only=True)
class Stored:
    """One accepted submit and its copies."""

    message_id: str
    application: Application
    request: SubmitReq
    accepted: datetime
    copies: tuple[Copy, ...]

    @property
    def pending(self) -> list[Copy]:
        """The copies that have not left yet."""
        return [one for one in self.copies if one.state == PENDING]

    @property
    def size(self) -> int:
        """Octets of the content."""
        return sum(part.size for part in self.request.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that ``step`` did.

    ``handset``: a copy reached ``state``. ``report``, ``read``, ``deliver``: a message went to the application;
    ``error`` says why not, if it was not accepted.
    """

    kind: Literal["handset", "report", "read", "deliver"]
    application: str
    message_id: str | None
    recipient: Address | None
    state: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A plan: a copy reaches its handset, unless it was replaced or cancelled before."""

    stored: Stored
    copy: Copy
    turn: int


@dataclass(frozen=True, slots=True)
class Callout:
    """A plan: a message goes to an application."""

    application: Application
    url: str
    message: RsRequest


def moment(value: Moment | None, since: datetime) -> datetime | None:
    """The point in time that an element means; None for none, and for one beyond what Python can hold."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    try:
        found: datetime = since + value
    except (OverflowError, ValueError):
        return None
    return found
