"""The newest conversations, as a phone shows them: by application and the number of the subscriber.

The subscriber is who an MT goes to, and who an MO comes from. Made from a window of the newest messages, so that its
cost does not grow with what is kept; ``search.found(number=..., application=...)`` has the messages of one. Refuses
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from mm7zeep.gateway.store.rows import MessageRow
from mm7zeep.gateway.store.search import Columns, searched
from mm7zeep.gateway.store.tables import MESSAGE
from mm7zeep.gateway.store.viewed import is_viewed

WINDOW = 3000
"""Messages that a page of conversations is made from, and as many newer ones that say what was on the pages before."""
EACH = 20
"""Recipients of a message that it is shown with; those beyond have it in their conversation by a search only."""

_M = MESSAGE.c


@dataclass(frozen=True, slots=True)
class Conversation:
    """What an application and a subscriber have sent each other; ``messages`` of the window are of it, of which
    ``unopened`` nobody has opened. ``number`` is the bare address as the newest message has it; with a plus and without
    it is the same.
    """

    application: str
    number: str
    newest: MessageRow
    messages: int
    unopened: int


class ConversationPage(NamedTuple):
    """Conversations, that with the newest message first; ``next`` is where older ones begin, None where none are."""

    conversations: list[Conversation]
    next: int | None


@dataclass(slots=True)
class _Seen:
    number: str  # as the newest message has it
    newest: int
    messages: int = 0
    unopened: int = 0


def listed(
    connection: Connection, application: str | None = None, *, limit: int = 50, before: int | None = None
) -> ConversationPage:
    """A page of conversations of ``application`` (None: of all); ``before`` is the ``next`` of the page before.

    A page may have fewer than ``limit`` with others after it, or some more, where its last message has several
    recipients. A conversation is on one page, unless more than
    ``WINDOW`` messages lie between its newest message and the page.
    """
    columns = searched(connection).c
    query = _window(columns, application).add_columns(is_viewed(columns.seq).label("viewed"))
    if before is not None:
        query = query.where(columns.seq < before)
    rows = connection.execute(query.order_by(columns.seq.desc()).limit(WINDOW)).all()
    shown = set() if before is None else _shown(connection, application, before)
    seen: dict[tuple[str, str], _Seen] = {}
    for row in rows:
        for number in _numbers(row):
            key = (row.application, _compared(number))
            if key in shown:
                continue
            one = seen.setdefault(key, _Seen(number, row.seq))
            one.messages += 1
            one.unopened += not row.viewed
    everything = list(seen.values())
    last = everything[:limit][-1].newest if len(everything) > limit > 0 else None
    page = everything if last is None else [one for one in everything if one.newest >= last]
    newest = _messages(connection, [one.newest for one in page])
    found = [
        Conversation(message.application, one.number, message, one.messages, one.unopened)
        for one in page
        if (message := newest.get(one.newest)) is not None  # on PostgreSQL it may have been deleted meanwhile
    ]
    behind = rows[-1].seq if len(rows) == WINDOW else None
    return ConversationPage(found, last if len(page) < len(everything) else behind)


def _window(columns: Columns, application: str | None) -> sa.Select[Any]:
    query = sa.select(columns.seq, columns.application, columns.direction, columns.sender, columns.addresses)
    return query if application is None else query.where(columns.application == application)


def _shown(connection: Connection, application: str | None, before: int) -> set[tuple[str, str]]:
    """The conversations that pages before ``before`` have."""
    columns = searched(connection).c
    query = _window(columns, application).where(columns.seq >= before).order_by(columns.seq).limit(WINDOW)
    return {(row.application, _compared(number)) for row in connection.execute(query) for number in _numbers(row)}


def _compared(number: str) -> str:
    return number.removeprefix("+").lower()


def _numbers(row: Any) -> Iterator[str]:
    """The subscribers of a message, by their bare addresses."""
    if row.direction == "mt":
        yield from [one for one in row.addresses.split("\n", EACH + 1)[: EACH + 1] if one]
    elif row.sender is not None:
        yield row.sender.partition("/TYPE=")[0]


def _messages(connection: Connection, seqs: Sequence[int]) -> dict[int, MessageRow]:
    query = sa.select(MESSAGE).where(_M.seq.in_(seqs))
    return {row["seq"]: MessageRow(**row) for row in connection.execute(query).mappings()}
