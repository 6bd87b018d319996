"""One row of each table as a value, and the words that stand in them.

Values only: ``store`` and ``outbox`` read and write them. Refuses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple, cast, get_args

from mm7zeep.gateway.config.destination import Destination, upstream_name
from mm7zeep.gateway.config.parties import RECEIVED
from mm7zeep.messages import Address, Number, RFC2822Address, ShortCode

Kind = Literal["deliver", "report", "read", "webhook", "submit", "fetch"]
"""What a call is: an MO, a delivery report or a read reply to an application by MM7, or an event by its webhook; a
submit to an upstream; a fetch of what a message names by URL.
"""

RecipientState = Literal["Pending", "Deferred", "Sent", "Cancelled", "Refused", "DisplayOnly", "Delivered"]
PENDING, DEFERRED, SENT, CANCELLED, REFUSED, SHOWN, DELIVERED = cast(tuple[str, ...], get_args(RecipientState))
"""States of a copy besides the MMStatus words: it waits, was put off, is with an upstream or another application, was
taken back, was never served, is only displayed; an MO was taken by its application."""

READY, LEASED, DONE, DEAD = "ready", "leased", "done", "dead"
"""States of a call."""

MOST_FAILED = 20
"""Attempts of a call that failed, of which it is kept how."""

_ADDRESSES: Mapping[str, type[Address]] = {one.kind: one for one in (Number, RFC2822Address, ShortCode)}


_ATTRIBUTES: Mapping[str, str] = {"displayOnly": "display_only", "addressCoding": "coding", "id": "id"}


def attributes_of(address: Address | None) -> str | None:
    """What an address carries besides its value, under MM7's names, as JSON; None where there is nothing."""
    given = {name: getattr(address, field) for name, field in _ATTRIBUTES.items() if getattr(address, field, None)}
    return json.dumps(given) if given else None


def address_of(kind: str | None, value: str | None, attributes: str | None = None) -> Address | None:
    """The address that three columns hold."""
    if value is None:
        return None
    given = {_ATTRIBUTES[name]: one for name, one in json.loads(attributes or "{}").items()}
    return _ADDRESSES[kind or "Number"](value, **given)


def columns_of(address: Address) -> tuple[str, str, str | None]:
    """Kind, value and attributes of an address, as the columns hold them."""
    return address.kind, address.value, attributes_of(address)


def values_of(
    row: MessageRow | RecipientRow | RawRow | CallRow | OptOutRow | SessionRow, *, serial: str | None = None
) -> dict[str, Any]:
    """The columns of a row; of a new one without ``serial``, which the database counts."""
    return {one.name: getattr(row, one.name) for one in fields(row) if one.name != serial}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """One message; ``fields``, ``parts``, ``findings`` and ``sender_attributes`` are JSON text.

    ``media``, ``addresses`` and ``words`` are what a search looks through; ``messages.keep`` makes the last two.
    """

    id: str
    direction: str
    application: str
    transaction_id: str | None = None
    namespace: str | None = None
    mm7_version: str | None = None
    sender_kind: str | None = None
    sender: str | None = None
    subject: str | None = None
    excerpt: str = ""
    accepted: float
    earliest: float | None = None
    expires: float | None = None
    delivery_report: bool = False
    read_reply: bool = False
    content: int = 0
    size: int = 0
    fields: str = "{}"
    parts: str = "[]"
    findings: str = "[]"
    seq: int | None = None
    sender_attributes: str | None = None
    media: str = ""
    addresses: str = ""
    words: str = ""

    @property
    def sent_by(self) -> Address | None:
        """Who sent it, if that is known."""
        return address_of(self.sender_kind, self.sender, self.sender_attributes)

    def brought_by(self, owner: str) -> bool:
        """Whether it is an MO that ``owner``, an upstream, brought."""
        return self.direction == "mo" and self.field.get("from") == owner

    @property
    def field(self) -> Mapping[str, Any]:
        """What else the request said."""
        found: Mapping[str, Any] = json.loads(self.fields)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientRow:
    """One copy: whom it is for, where it goes, and what became of it; ``attributes`` are JSON text."""

    message_id: str
    n: int
    place: str
    kind: str
    address: str
    destination: Destination
    state: str
    detail: str | None = None
    due: float | None = None
    changed: float
    content: int | None = None
    remote_id: str | None = None
    attributes: str | None = None

    @property
    def bare(self) -> str:
        """The address as ``Address.bare`` has it, without making one."""
        coded = self.attributes is not None and "addressCoding" in self.attributes
        return self.address if coded else self.address.partition("/TYPE=")[0]

    @property
    def waits(self) -> bool:
        """Whether the copy can still be taken back."""
        return self.state in (PENDING, DEFERRED)

    @property
    def of(self) -> Address:
        """Whom the copy is for."""
        return cast(Address, address_of(self.kind, self.address, self.attributes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The state that a copy reaches, and when it is due again; ``content`` is what it was given (None: nothing)."""

    copy: RecipientRow
    state: str
    due: float | None
    changed: float
    content: int | None
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """The ``n``-th request about a message: the octets of its body, and its header fields without credentials."""

    message_id: str
    n: int
    received: float
    headers: str
    body: bytes


class FailedAttempt(NamedTuple):
    """An attempt of a call that failed: which one, when it was known, why, and with which HTTP status."""

    attempt: int
    at: float
    reason: str | None
    http_status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One call that is to be made, or was; ``epoch`` fences its claims, ``tried`` tells its attempts that failed."""

    kind: str
    owner: str
    endpoint: str
    message_id: str
    n: int
    transaction_id: str
    payload: str = "{}"
    state: str = READY
    due: float
    expires: float
    attempts: int = 0
    epoch: int = 0
    holder: str | None = None
    lease_until: float | None = None
    created: float
    ended: float | None = None
    reason: str | None = None
    http_status: int | None = None
    answer: bytes | None = None
    tried: str | None = None
    generation: int | None = None
    number: str | None = None
    queue: str = ""
    counted: float | None = None
    id: int = 0

    @property
    def event(self) -> Mapping[str, Any]:
        """What the payload holds."""
        found: Mapping[str, Any] = json.loads(self.payload)
        return found

    def failing(self, at: float, reason: str | None, http_status: int | None) -> str:
        """``tried``, now that the present attempt has failed, too."""
        return json.dumps([*self.failed, (self.attempts, at, reason, http_status)][-MOST_FAILED:])

    @property
    def failed(self) -> Sequence[FailedAttempt]:
        """Its attempts that failed, the latest ``MOST_FAILED`` of them, in order."""
        return [FailedAttempt(*one) for one in json.loads(self.tried or "[]")]

    @property
    def brings(self) -> bool:
        """Whether it brings an MO to its application."""
        return self.kind == "deliver" or (self.kind == "webhook" and self.event.get("type") == RECEIVED)

    @property
    def destination(self) -> Destination:
        """Whom it calls: ``owner``, as the copies have it."""
        name = upstream_name(self.owner)
        return Destination.application(self.owner) if name is None else Destination.upstream(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRow:
    """What is known of where calls go."""

    name: str
    paused: bool
    reason: str | None
    since: float
    next_at: float | None = None
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """Somebody who is logged in to the viewer, by the digest of the session's token; times are seconds since 1970.

    ``application`` is whose messages ``name`` sees; None for an operator, who sees all.
    """

    digest: str
    name: str
    application: str | None
    created: float
    used: float
    expires: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRow:
    """A key of an application: what is known of it, without the key."""

    id: int
    application: str
    name: str
    hint: str
    created: float
    revoked: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutRow:
    """That a subscriber wants nothing more from a number: both by their keys, since when, and the MO that said so.

    ``word`` and ``message_id`` are None where an operator said it; ``confirmed`` is when the answer to it was taken.
    """

    subscriber: str
    number: str
    application: str
    since: float
    word: str | None = None
    message_id: str | None = None
    confirmed: float | None = None
    seq: int = 0
