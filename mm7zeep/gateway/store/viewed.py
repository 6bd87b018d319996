"""Which messages somebody has opened in the viewer: those that are not here are unopened.

Kept by the ``seq`` of a message, in a table of its own, of which a submit knows nothing; ``messages.delete`` deletes
from it, so that every row here is that of a message. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from mm7zeep.gateway.store import messages
from mm7zeep.gateway.store.tables import MESSAGE, VIEWED

_M, _V = MESSAGE.c, VIEWED.c
_ADD_SQLITE = sqlite.insert(VIEWED).on_conflict_do_nothing()
_ADD_POSTGRESQL = postgresql.insert(VIEWED).on_conflict_do_nothing()


def is_viewed(seq: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the message of ``seq`` is here, in a query of messages."""
    return sa.exists().where(_V.seq == seq)


def mark(connection: Connection, ids: Sequence[str], now: float) -> None:
    """Note that messages were opened at ``now``; what was noted before stays, and who is not there is left out."""
    # locked against a deletion, and in its order: no row is left behind by a message that goes meanwhile
    found = sa.select(_M.seq, _M.application).where(messages.among(connection, _M.id, ids)).order_by(_M.id)
    rows = connection.execute(found.with_for_update(read=True)).all()
    add = _ADD_POSTGRESQL if connection.dialect.name == "postgresql" else _ADD_SQLITE
    if rows:
        values = [{"seq": row.seq, "application": row.application, "at": now} for row in rows]
        connection.execute(add, sorted(values, key=lambda one: one["seq"]))


def unmark(connection: Connection, ids: Sequence[str]) -> None:
    """Have messages unopened again."""
    seqs = sa.select(_M.seq).where(messages.among(connection, _M.id, ids))
    connection.execute(sa.delete(VIEWED).where(_V.seq.in_(seqs)))


def among(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of ``ids`` that somebody has opened."""
    return set(connection.scalars(sa.select(_M.id).where(messages.among(connection, _M.id, ids), is_viewed(_M.seq))))


def unopened(connection: Connection, application: str | None, most: int = 1000) -> int:
    """How many messages of ``application`` (None: of all) nobody has opened, counted up to ``most``."""
    viewed = connection.scalar(_counted(_V.application, application, None)) or 0
    # each row here is one message: so many messages are left out of the count, whichever they are
    kept = connection.scalar(_counted(_M.application, application, viewed + most)) or 0
    return max(0, min(most, kept - viewed))


def _counted(column: sa.ColumnElement[str], application: str | None, most: int | None) -> sa.Select[Any]:
    rows = sa.select(column).limit(most)
    if application is not None:
        rows = rows.where(column == application)
    return sa.select(sa.func.count()).select_from(rows.subquery())
