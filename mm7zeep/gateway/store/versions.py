"""Short texts that change whenever something changes that a page shows: what a page polls, to be fetched again.

``version`` is of everything, ``message_version`` of one message. Both may change without need, and tell nothing of what
has changed. Whoever shows something asks for the version first, in the same transaction or before: then nothing that
happens meanwhile is missed. Reads a few rows by their indexes. Refuses nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from mm7zeep.gateway.store import changes
from mm7zeep.gateway.store.tables import HEARTBEAT, MESSAGE, OUTBOX, RAW, RECIPIENT

_M, _R, _O = MESSAGE.c, RECIPIENT.c, OUTBOX.c
_CHANGED = sa.select(sa.func.max(_R.changed)).scalar_subquery()
_PLANNED = sa.select(sa.func.max(_O.id)).scalar_subquery()
_KEPT = sa.select(sa.func.max(_M.seq))
_OWN = _KEPT.where(_M.application == sa.bindparam("application", type_=sa.Text))
_NEWEST = sa.select(_KEPT.scalar_subquery(), _CHANGED, _PLANNED)
_NEWEST_OWN = sa.select(_OWN.scalar_subquery(), _CHANGED, _PLANNED)
_COUNTS = sa.select(HEARTBEAT.c.process, HEARTBEAT.c.changes).order_by(HEARTBEAT.c.process)

_ID = sa.bindparam("id", type_=sa.Text)
_MESSAGE = sa.select(
    _M.content, _M.size, _M.earliest, _M.expires, _M.delivery_report, _M.read_reply, _M.fields, _M.findings
).where(_M.id == _ID)
_COPIES = sa.select(_R.state, sa.func.count(), sa.func.sum(_R.changed), sa.func.max(_R.changed), sa.func.sum(_R.due))
_COPIES = _COPIES.where(_R.message_id == _ID).group_by(_R.state).order_by(_R.state)
_CALLS = sa.select(
    _O.state, sa.func.count(), sa.func.max(_O.id), sa.func.sum(_O.epoch), sa.func.sum(_O.attempts),
    sa.func.sum(_O.ended), sa.func.sum(_O.due),
).where(_O.message_id == _ID).group_by(_O.state).order_by(_O.state)  # fmt: skip
_RAWS = sa.select(sa.func.count()).where(RAW.c.message_id == _ID)


def version(connection: Connection, application: str | None = None) -> str:
    """A text that changes when a message is kept or deleted, a copy changes its state, a call is planned, attempted or
    ended, a message is marked as read; with ``application`` not at once for what other processes keep of others.

    A change by this process shows immediately; so do messages, states and calls that another process has kept. What
    else that has changed shows by its next heartbeat, within a second.
    """
    own = changes.of(connection)
    rows: list[Any] = [str(own)]  # before the database is asked: what is committed meanwhile changes the next version
    for process, count in connection.execute(_COUNTS):
        if own is None or not (count or "").startswith(f"{own.token}:"):  # ours is known better
            rows.append((process, count))
    query, values = (_NEWEST, {}) if application is None else (_NEWEST_OWN, {"application": application})
    rows.append(tuple(connection.execute(query, values).one()))
    return _digest(rows)


def message_version(connection: Connection, message_id: str) -> str | None:
    """A text that changes with a message, its copies, its octets and its calls; None where there is no such message."""
    message = connection.execute(_MESSAGE, {"id": message_id}).one_or_none()
    if message is None:
        return None
    rows: list[Any] = [tuple(message)]
    for query in (_COPIES, _CALLS, _RAWS):
        rows += [tuple(row) for row in connection.execute(query, {"id": message_id})]
    return _digest(rows)


def _digest(rows: Iterable[Any]) -> str:
    """What ``rows`` are known by: it tells nobody how much others send."""
    return hashlib.blake2b(repr(tuple(rows)).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
