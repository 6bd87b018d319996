"""Messages as lines of a list: what inbox and conversations show of each. Rows in, values out; refuses nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mm7zeep.gateway.admin import views
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store import viewed
from mm7zeep.gateway.store.rows import SHOWN, MessageRow, RecipientRow

PLANNED = "Planned"
"""What the state of an MO is called that a handset is yet to send."""
_PARTIES = 2  # recipients that a line names
_SUBJECT = 200  # characters of a subject
_LOOKED_AT = 20  # copies of a message among which those are: some may be displayed only


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A message as a line. ``parties`` are whom it is for, ``more`` how many besides those.

    ``planned`` is when a handset is to send it (seconds since 1970); None where it was sent, or never is.
    """

    row: MessageRow
    state: str
    parties: Sequence[str]
    more: int
    unopened: bool
    kinds: Sequence[str]
    picture: bool
    planned: float | None


def lines(connection: Connection, rows: Sequence[MessageRow], number: str | None = None) -> list[Line]:
    """Messages as lines. With a ``number``, the state of each MT is that of the copy for that bare address."""
    ids = [one.id for one in rows]
    seen = viewed.among(connection, ids)
    # a message may have a thousand copies, of which a line names two
    copies, states = store.beginnings(connection, ids, _LOOKED_AT), store.recipient_states(connection, ids)
    mts = [one.id for one in rows if one.direction == "mt"] if number is not None else []
    for id, own in store.copies_for(connection, mts, number or "").items():
        if own:  # with a number, a line is about its copies alone
            copies[id], states[id] = own, Counter(one.state for one in own)
    return [_line(one, copies[one.id], states[one.id], unopened=one.id not in seen) for one in rows]


def _line(row: MessageRow, copies: Sequence[RecipientRow], states: Mapping[str, int], *, unopened: bool) -> Line:
    addresses = [one.address for one in copies if one.state != SHOWN] or [one.address for one in copies]
    count = sum(number for state, number in states.items() if state != SHOWN) or sum(states.values())
    types = [str(one.get("content_type", "")).lower() for one in json.loads(row.parts)]
    kinds = dict.fromkeys(one.partition("/")[0] for one in types if one.startswith(("image/", "audio/", "video/")))
    planned = planned_at(row, copies)
    return Line(
        row=short(row),
        state=views.state_among(states) if planned is None else PLANNED,
        parties=addresses[:_PARTIES],
        more=max(0, count - len(addresses[:_PARTIES])),
        unopened=unopened,
        kinds=tuple(kinds),
        picture="image" in kinds,
        planned=planned,
    )


def short(row: MessageRow) -> MessageRow:
    """A message with as much of its subject as a line shows: it may have 4,096 characters."""
    cut = row.subject is not None and len(row.subject) > _SUBJECT
    return replace(row, subject=f"{(row.subject or '')[:_SUBJECT]}…") if cut else row


def planned_at(row: MessageRow, copies: Sequence[RecipientRow]) -> float | None:
    """When a handset is to send an MO, in seconds since 1970; None for what was sent."""
    return copies[0].due if row.direction == "mo" and copies else None
