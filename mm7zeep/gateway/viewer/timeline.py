"""What became of a message, moment by moment: what its rows say, and nothing that they do not.

Of each copy the store has the last state alone, of each call its last attempt and how the latest others failed. Values
in, values out. Shows no credentials: URLs and reasons are masked as in the REST API. Refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from mm7zeep import masking, status
from mm7zeep.gateway.admin import outputs, views
from mm7zeep.gateway.store.rows import (
    CANCELLED,
    DEAD,
    DEFERRED,
    DELIVERED,
    DONE,
    PENDING,
    REFUSED,
    SENT,
    SHOWN,
    CallRow,
    MessageRow,
    RawRow,
    RecipientRow,
)
from mm7zeep.gateway.viewer.tones import Tone, tone

What = Literal["message", "recipient", "call", "plan"]

_STATUS = re.compile(r"StatusError: ([0-9]{4})\b")  # as ``retry`` writes what a far side refused with
_STATES: Mapping[str, str] = MappingProxyType(
    {
        PENDING: "waits",
        DEFERRED: "was put off",
        SENT: "was taken",
        CANCELLED: "was taken back",
        REFUSED: "was not served",
        DELIVERED: "was taken by its application",
        "Retrieved": "was retrieved",
        "Expired": "has expired",
        "Rejected": "was rejected",
        "Indeterminate": "nobody knows whether it was retrieved",
        "DeliveryConditionNotMet": "its delivery condition was not met",
        "Forwarded": "was forwarded",
        "Unrecognised": "was not recognised",
    }
)
_TAKEN: Mapping[str, str] = MappingProxyType({"submit": "taken by the upstream", "fetch": "fetched"})
_NOTHING: Mapping[int, str] = MappingProxyType({})
_ORDER: Mapping[What, int] = MappingProxyType({"message": 0, "call": 1, "recipient": 2, "plan": 4})
_TELLS = 3  # the order of a call that tells of a copy, and so comes after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What happened ``at`` a point in time (seconds since 1970), or is planned for it: ``words`` and ``detail``.

    ``recipient`` is whose copy it is about. ``call`` is the id of the call it is about, with its ``endpoint``,
    ``attempts``, ``http_status`` and ``status_code``, what that means being in ``detail``.
    """

    at: float
    what: What
    words: str
    detail: str | None = None
    tone: Tone = "plain"
    is_planned: bool = False
    recipient: str | None = None
    call: int | None = None
    endpoint: str | None = None
    attempts: int | None = None
    http_status: int | None = None
    status_code: int | None = None


def timeline(
    message: MessageRow,
    copies: Sequence[RecipientRow],
    calls: Iterable[CallRow],
    *,
    now: float,
    requests: Iterable[RawRow] = (),
    paused: Collection[str] = (),
    full: Mapping[int, str] = _NOTHING,
) -> tuple[Moment, ...]:
    """The moments of a message in their order; of one point in time the message, the calls that bring it, its copies,
    the calls that tell of them.

    ``requests`` are those about it (their bodies are not looked at), ``paused`` the endpoint keys that are, ``full``
    which rate calls wait for.
    """
    whose = {one.n: one.address for one in copies}
    about = (*_message(message, copies, requests, now), *_copies(message, copies, now))
    found = [(_ORDER[one.what], one) for one in about]
    for row in sorted(calls, key=lambda one: one.id):
        order = _ORDER["call"] if row.brings or row.kind in ("submit", "fetch") else _TELLS
        found += ((order, one) for one in _call(row, views.call(row, paused, full), whose, message))
    return tuple(one for _, one in sorted(found, key=lambda pair: (pair[1].at, pair[0])))


# --- the message ------------------------------------------------------------------------------------------------------


def _message(
    message: MessageRow, copies: Sequence[RecipientRow], requests: Iterable[RawRow], now: float
) -> Iterator[Moment]:
    yield Moment(at=message.accepted, what="message", words=_accepted(message), tone="good")
    for one in requests:
        if one.n > 0:
            new = " with the content in force" if one.n == message.content else ""
            yield Moment(at=one.received, what="message", words=f"request {one.n} was kept{new}")
    open_ = any(one.state in (PENDING, DEFERRED, SENT) for one in copies)
    is_mo = message.direction == "mo"  # a planned one is sent then, which its copy says
    if message.earliest is not None and message.earliest > message.accepted and not is_mo:
        is_planned = message.earliest > now
        yield Moment(at=message.earliest, what="plan", words="is not delivered before", is_planned=is_planned)
    if message.expires is not None and open_:
        is_planned = message.expires > now
        yield Moment(at=message.expires, what="plan", words="expires", tone="waiting", is_planned=is_planned)


def _accepted(message: MessageRow) -> str:
    if message.direction == "mt":
        return f"submitted by {message.application}, and kept"
    origin, brought = message.field.get("origin"), message.field.get("from")
    if origin is not None:
        return f"came from the message {origin[0]} of another application"
    return f"brought by {brought}, and kept" if brought is not None else "sent by a handset, and kept"


# --- its copies -------------------------------------------------------------------------------------------------------


def _copies(message: MessageRow, copies: Iterable[RecipientRow], now: float) -> Iterator[Moment]:
    for one in copies:
        if one.state == SHOWN:
            continue
        if one.state != PENDING or one.changed > message.accepted:
            yield _state(one)
        if one.due is not None and one.state == PENDING and one.due != message.expires:
            words = "is sent by its handset" if message.direction == "mo" else f"goes to {_whither(one)}"
            is_planned = one.due > now
            yield Moment(at=one.due, what="plan", words=words, is_planned=is_planned, recipient=one.address)


def _state(copy: RecipientRow) -> Moment:
    words = f"{copy.state}: {_STATES.get(copy.state, 'its state')}"
    if copy.state == SENT:
        words += f" by {_whither(copy)}"
    detail = masking.credentials(copy.detail) if copy.detail is not None else None
    return Moment(
        at=copy.changed,
        what="recipient",
        words=words,
        detail=detail,
        tone=tone(copy.state),
        recipient=copy.address,
        status_code=_code(copy.detail),
    )


def _whither(copy: RecipientRow) -> str:
    where = copy.destination
    return {"handset": "the handset", "none": "nobody"}.get(where.kind, f"the {where.kind} {where.name}")


# --- its calls --------------------------------------------------------------------------------------------------------


def _call(row: CallRow, shown: outputs.Callback, whose: Mapping[int, str], message: MessageRow) -> Iterator[Moment]:
    about = _about(row, message)
    recipient = None if row.kind == "fetch" or row.brings else whose.get(row.n)

    def moment(at: float, words: str, tone: Tone, *, is_planned: bool = False, ended: bool = True) -> Moment:
        return Moment(
            at=at,
            what="call",
            words=words,
            detail=_detail(shown.reason) if ended else None,
            tone=tone,
            is_planned=is_planned,
            recipient=recipient,
            call=row.id,
            endpoint=shown.endpoint,
            attempts=row.attempts if ended else None,
            http_status=row.http_status if ended else None,
            status_code=_code(row.reason) if ended else None,
        )

    yield moment(row.created, f"{about}: queued", "plain", ended=False)
    for one in views.failed_attempts(row):
        if row.state != DEAD or one.at != row.ended:  # that one is the end
            failed = moment(one.at, f"{about}: attempt {one.attempt} failed", "bad", ended=False)
            reason = one.reason
            yield replace(failed, detail=_detail(reason), http_status=one.http_status, status_code=_code(reason))
    if row.ended is not None and row.state == DONE and row.reason is not None:  # there is no need of it any more
        yield moment(row.ended, f"{about}: not made", "plain")
    elif row.ended is not None and row.state == DONE:
        yield moment(row.ended, f"{about}: {_TAKEN.get(row.kind, 'taken')}", "good")
    elif row.ended is not None and row.state == DEAD:
        yield moment(row.ended, f"{about}: given up", "bad")
    elif shown.state == "paused":
        yield moment(row.due, f"{about}: its endpoint is paused", "bad", is_planned=True)
    elif shown.under_way:
        yield moment(row.due, f"{about}: is made now", "waiting")
    elif row.attempts or shown.reason:
        yield moment(row.due, f"{about}: next attempt", "waiting", is_planned=True)
    else:
        yield moment(row.due, f"{about}: first attempt", "waiting", is_planned=True, ended=False)


def _about(row: CallRow, message: MessageRow) -> str:
    told = row.event
    match row.kind:
        case "submit":
            return f"forwarded to {row.owner.replace(':', ' ', 1)}"
        case "deliver":
            return f"brought to {row.owner}"
        case "report":
            return f"delivery report {told.get('mm_status', '')}".rstrip()
        case "read":
            return f"read reply {told.get('mm_status', '')}".rstrip()
        case "webhook":
            return f"event {told.get('type', '')}".rstrip()
        case _:
            return "its media by URL"


def _code(reason: str | None) -> int | None:
    """The StatusCode that a far side refused with."""
    found = _STATUS.match(reason or "")
    return int(found[1]) if found is not None else None


def _detail(reason: str | None) -> str | None:
    """A reason, and what the StatusCode in it means."""
    code = _code(reason)
    return reason if code is None else f"{reason} ({status.lookup(code).meaning})"
