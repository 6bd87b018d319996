"""A short text that changes whenever something changes that a page shows: what a page polls, to be fetched again.

It may change without need, and tells nothing of what has changed. Whoever shows something asks for the version first,
in the same transaction or before: then nothing that happens meanwhile is missed. Reads a few rows by their indexes.
Refuses nothing.
"""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from mm7zeep.gateway.store import changes
from mm7zeep.gateway.store.tables import HEARTBEAT, MESSAGE, OUTBOX, RECIPIENT

_NEWEST = sa.select(
    *(sa.select(sa.func.max(one)).scalar_subquery() for one in (MESSAGE.c.seq, RECIPIENT.c.changed, OUTBOX.c.id))
)
_COUNTS = sa.select(HEARTBEAT.c.process, HEARTBEAT.c.changes).order_by(HEARTBEAT.c.process)


def version(connection: Connection) -> str:
    """A text that changes when a message is kept or deleted, a copy changes its state, a call is planned, attempted or
    ended, a message is marked as opened.

    A change by this process shows immediately; so do messages, states and calls that another process has kept. What
    else that has changed shows by its next heartbeat, within a second.
    """
    own = changes.of(connection)
    rows: list[Any] = [str(own)]  # before the database is asked: what is committed meanwhile changes the next version
    for process, count in connection.execute(_COUNTS):
        if own is None or not (count or "").startswith(f"{own.token}:"):  # ours is known better
            rows.append((process, count))
    rows.append(tuple(connection.execute(_NEWEST).one()))
    # a digest, since who sees the messages of one application is not to see how many there are of others
    return hashlib.blake2b(repr(rows).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
