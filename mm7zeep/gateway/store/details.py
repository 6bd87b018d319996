"""Each copy with what is kept of its message, a page at a time, along a key and never by counting.

By when copies last changed, or by when their messages were accepted; both walk along an index, whatever lies before.
Tells, too, up to when all that will ever be kept is there to be read. Refuses nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, Select

from mm7zeep.gateway.config.destination import Destination
from mm7zeep.gateway.store.tables import MESSAGE, RECIPIENT

_SLACK = 5.0  # seconds from a reading of the clock until what is written by it shows as a transaction that writes
_UNWRITTEN = 15.0  # seconds for which a transaction that has written nothing may yet do so: a dump never does
_M, _R = MESSAGE.c, RECIPIENT.c


@dataclass(frozen=True, slots=True)
class Detail:
    """One copy and its message, under the names of their columns; ``parts`` and ``fields`` are JSON text."""

    seq: int
    n: int
    message_id: str
    direction: str
    application: str
    transaction_id: str | None
    sender_kind: str | None
    sender: str | None
    place: str
    kind: str
    address: str
    accepted: float
    earliest: float | None
    expires: float | None
    changed: float
    size: int
    parts: str
    delivery_report: bool
    read_reply: bool
    state: str
    detail: str | None
    destination: Destination
    remote_id: str | None
    fields: str


_COLUMNS = [_R[one.name] if one.name in _R else _M[one.name] for one in fields(Detail)]


class Changed(NamedTuple):
    """Where a walk by changes has come to: a copy, by when it changed and what it is."""

    at: float
    message_id: str = ""
    n: int = -1


class Accepted(NamedTuple):
    """Where a walk by acceptance has come to: a copy, by its message and its number."""

    at: float
    seq: int = -1
    n: int = -1


EVER = -math.inf
"""Before all that is kept."""


def by_change(
    connection: Connection, after: Changed, *, until: float | None = None, limit: int
) -> tuple[list[Detail], Changed]:
    """The next copies in the order of their last changes, those before ``until`` alone, and where to go on.

    A copy that changes during the walk comes again.
    """
    key = (_R.changed, _R.message_id, _R.n)
    query = _joined().where(_beyond(key, after)).order_by(*key).limit(limit)
    if until is not None:
        query = query.where(_R.changed < until)
    found = _details(connection, query)
    return found, Changed(found[-1].changed, found[-1].message_id, found[-1].n) if found else after


def by_acceptance(
    connection: Connection, after: Accepted, *, until: float | None = None, limit: int
) -> tuple[list[Detail], Accepted]:
    """The next copies in the order in which their messages were accepted, and where to go on, as ``by_change``."""
    key = (_M.accepted, _M.seq)
    rest = sa.or_(_beyond(key, after[:2]), sa.and_(_M.seq == after.seq, _R.n > after.n))
    query = _joined().where(_M.accepted >= after.at, rest).order_by(*key, _R.n).limit(limit)
    if until is not None:
        query = query.where(_M.accepted < until)
    found = _details(connection, query)
    return found, Accepted(found[-1].accepted, found[-1].seq, found[-1].n) if found else after


def _joined() -> Select[Any]:
    return sa.select(*_COLUMNS).select_from(sa.join(RECIPIENT, MESSAGE, _M.id == _R.message_id))


def _beyond(key: Sequence[sa.ColumnElement[Any]], after: Sequence[Any]) -> sa.ColumnElement[bool]:
    return sa.tuple_(*key) > sa.tuple_(
        *(sa.literal(value, column.type) for value, column in zip(after, key, strict=True))
    )


def _details(connection: Connection, query: Select[Any]) -> list[Detail]:
    return [Detail(*row) for row in connection.execute(query)]


_WRITERS = sa.text(
    "SELECT pg_is_in_recovery(), extract(epoch FROM clock_timestamp() - min(xact_start)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND (backend_xid IS NOT NULL OR xact_start > clock_timestamp() - make_interval(secs => :unwritten))"
)


def unsettled(connection: Connection) -> float | None:
    """Seconds of the past from which something may yet be committed; None where a server does not tell: a standby.

    SQLite has one writer at a time, who reads the clock when its turn has come. On PostgreSQL a transaction that is
    open for long commits what it wrote long ago. Those of roles that this one may not look at do not count there.
    """
    if connection.dialect.name != "postgresql":
        return _SLACK
    standby, oldest = connection.execute(_WRITERS, {"unwritten": _UNWRITTEN}).one()
    return None if standby else _SLACK + max(0.0, float(oldest or 0.0))
