"""What the REST API answers: the models of messages, recipients, parts, calls and the rest.

Values only. Times are ISO 8601 in UTC, to the millisecond. Only what was set is written: a member that is not always
there has a default.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from mm7zeep.gateway.admin.inputs import CallState, Direction
from mm7zeep.gateway.config.handset import Outcome
from mm7zeep.gateway.config.parties import EventType
from mm7zeep.gateway.mm7.chaos import Rule
from mm7zeep.gateway.rest.output import Output, Time
from mm7zeep.gateway.store.rows import Kind


class Error(Output):
    """Why a request was refused."""

    error: str = Field(description="what is wrong, where, and how to put it right")


class Alive(Output):
    """That the process lives."""

    status: Literal["alive"]


class Ready(Output):
    """Whether requests can be taken."""

    status: Literal["ready", "not ready"]
    reasons: list[str] = Field(default=[], description="why not")


# --- messages ---------------------------------------------------------------------------------------------------------


class Attributes(Output):
    """What an address carries besides its value."""

    display_only: bool = Field(False, alias="displayOnly")
    address_coding: str | None = Field(None, alias="addressCoding", description="encrypted or obfuscated")
    id: str | None = None


class Recipient(Output):
    """One copy of a message."""

    n: int
    address: str
    kind: str
    attributes: Attributes
    place: Literal["to", "cc", "bcc"]
    state: str
    detail: str | None
    changed_at: Time
    due_at: Time | None = Field(
        description="when it reaches its handset, leaves, or expires; of an MO, when a handset sends it"
    )
    destination: str = Field(description="handset, upstream:NAME, application:NAME, none")


class Message(Output):
    """A message, as in a list."""

    id: str
    direction: Direction
    application: str
    state: str = Field(description="Pending while any copy is, else the state of all, else Mixed")
    transaction_id: str | None
    namespace: str | None
    mm7_version: str | None
    from_: str | None = Field(alias="from")
    from_attributes: Attributes
    to: list[str]
    cc: list[str]
    bcc: list[str]
    subject: str | None
    accepted_at: Time
    earliest_at: Time | None
    expires_at: Time | None
    size: int = Field(description="octets of all parts")
    delivery_report: bool
    read_reply: bool
    excerpt: str
    recipients: list[Recipient]


class Messages(Output):
    """A page of messages."""

    messages: list[Message]
    next: int | None = Field(description="before of the next page; null on the last one")


class Part(Output):
    """A part of a message, without its octets."""

    n: int
    content_type: str = Field(description="as declared")
    charset: str | None
    content_id: str | None
    name: str | None
    size: int = Field(description="octets")
    sha256: str
    generated: bool


class Finding(Output):
    """Something that was noticed when the message was read."""

    id: str
    level: str
    where: str | None = None
    detail: str | None = None
    action: str | None = None


class Callback(Output):
    """A call to an application or upstream, as in a list."""

    id: int
    kind: Kind
    application: str
    endpoint: str = Field(description="the URL")
    message_id: str
    recipient: int = Field(description="n of the recipient")
    transaction_id: str
    state: CallState
    under_way: bool
    attempts: int
    due_at: Time | None
    created_at: Time
    ended_at: Time | None
    expires_at: Time
    reason: str | None = Field(description="why it failed or waits: also for which rate, and when that has room again")
    http_status: int | None


class WholeMessage(Message):
    """A message with all that is known of it."""

    fields: dict[str, Any]
    parts: list[Part]
    findings: list[Finding]
    calls: list[Callback]


# --- calls ------------------------------------------------------------------------------------------------------------


class Callbacks(Output):
    """A page of calls."""

    callbacks: list[Callback]
    next: int | None = Field(description="before of the next page; null on the last one")


class FailedAttempt(Output):
    """An attempt of a call that failed."""

    attempt: int = Field(description="which one, counted from 1; anew after a replay")
    at: Time
    reason: str | None
    http_status: int | None


class WholeCallback(Callback):
    """A call with what was answered to it."""

    failed: list[FailedAttempt] = Field(description="its attempts that failed, in order; the last 20 of them")
    told: dict[str, Any]
    answer: str | None = Field(description="the first 20 kB, where it failed")


class Replayed(Output):
    """How much is called again."""

    replayed: int = Field(description="how many calls")


class Endpoint(Output):
    """Where calls go, or do not."""

    endpoint: str = Field(description="the URL")
    application: str
    paused: bool
    reason: str | None
    since: Time


class Endpoints(Output):
    """Endpoints that are paused."""

    endpoints: list[Endpoint]


class Paused(Output):
    """How much is not called for now."""

    paused: int = Field(description="how many endpoints: each application has its own")


class Resumed(Output):
    """How much is called again."""

    resumed: int = Field(description="how many endpoints: each application has its own")


# --- opt-outs ---------------------------------------------------------------------------------------------------------


class OptOut(Output):
    """That a subscriber wants nothing more from a number. Numbers are digits alone, without a plus."""

    id: int
    number: str = Field(description="a short code of the application; * for all that it has, and will have")
    subscriber: str
    application: str
    since: Time
    word: str | None = Field(description="as it was sent; null where an operator said it")
    message_id: str | None = Field(description="LinkedID of the MO")
    confirmed_at: Time | None = Field(description="when the one answer to that MO was taken")


class OptOuts(Output):
    """A page of opt-outs."""

    opt_outs: list[OptOut]
    next: int | None = Field(description="before of the next page; null on the last one")


class Added(Output):
    """The opt-outs that stand now."""

    opt_outs: list[OptOut]


class Removed(Output):
    """How many opt-outs stand no more."""

    removed: int


# --- the gateway ------------------------------------------------------------------------------------------------------


class Delivered(Output):
    """The MO that a handset has sent, or is to send."""

    id: str = Field(description="LinkedID of the MO, or of the first")
    ids: list[str] = Field(description="LinkedIDs, in the order in which they are sent")
    callback: int | None = Field(description="id of the call that brings it; null as long as it is not sent")


class Reported(Output):
    """The state that copies have reached."""

    id: str
    status: str
    recipients: list[str] = Field(description="their addresses")


class Handset(Output):
    """How handsets behave whose addresses begin with the prefix."""

    source: Literal["set", "file"] = Field(description="set: by PUT; file: the configuration")
    prefix: str
    outcome: Outcome
    delay: float = Field(description="seconds")
    read: bool
    reply: str = Field(description="text of the MO that answers; empty: none")
    reply_after: float = Field(description="seconds")


class Handsets(Output):
    """The handset scripts in force; the first whose prefix fits counts."""

    handsets: list[Handset]


class Told(Output):
    """What became of a reading."""

    told: bool = Field(description="whether its application has a callback, or a webhook that wants it")


class Chaos(Output):
    """The trouble that is made on purpose."""

    rules: list[Rule]


class Clock(Output):
    """The time that counts."""

    held: bool = Field(description="whether expiry, retention and giving up are held")
    now: Time
    jump: float = Field(description="seconds that the clock jumped by, the last time")
    since: Time | None


class CallbackUrls(Output):
    """Where an application is called."""

    deliver: str
    report: str


class Webhook(Output):
    """Where an application hears of events."""

    url: str
    events: list[EventType] = Field(description="those that it wants")


class Application(Output):
    """An application, without what only it may know."""

    name: str
    vaspid: str | None
    vasids: list[str]
    short_codes: list[str]
    allow: list[str]
    profile: str
    numbers: str | None
    media: str
    callback: CallbackUrls | None
    webhook: Webhook | None


class Applications(Output):
    """Whom the gateway serves."""

    applications: list[Application]


class ApiKey(Output):
    """A key of the JSON API, without what only its holder knows."""

    id: int
    application: str
    name: str = Field(description="what it is for")
    hint: str = Field(description="what it begins with")
    created_at: Time
    revoked_at: Time | None


class IssuedApiKey(ApiKey):
    """A key that was just made."""

    key: str = Field(description="the key itself, which is not told again")


class ApiKeys(Output):
    """The keys of the JSON API."""

    keys: list[ApiKey]
