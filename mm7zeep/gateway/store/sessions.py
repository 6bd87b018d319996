"""Who is logged in to the viewer: sessions, kept by the SHA-256 of their tokens.

A token is as many random bits as its digest has: nothing else is kept of it. Makes no token and checks no password.
Refuses nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from mm7zeep.gateway.store.rows import SessionRow, values_of
from mm7zeep.gateway.store.tables import SESSION

_C = SESSION.c
_KEEP = sa.insert(SESSION)
_FIND = sa.select(SESSION).where(_C.digest == sa.bindparam("digest"), _C.expires > sa.bindparam("now", type_=sa.Double))


def keep(connection: Connection, session: SessionRow) -> None:
    """Keep a new session."""
    connection.execute(_KEEP, values_of(session))


def find(connection: Connection, digest: str, now: float) -> SessionRow | None:
    """The session of that digest; None for one that is unknown, or has expired at ``now``."""
    row = connection.execute(_FIND, {"digest": digest, "now": now}).mappings().one_or_none()
    return SessionRow(**row) if row is not None else None


def touch(connection: Connection, digest: str, now: float, *, expires: float | None = None) -> bool:
    """Note that a session was used at ``now``, and prolong it until ``expires``, where that is given; whether there is
    one that has not expired.
    """
    values = {"used": now} if expires is None else {"used": now, "expires": expires}
    used = sa.update(SESSION).where(_C.digest == digest, _C.expires > now).values(values)
    return bool(connection.execute(used).rowcount)


def delete(connection: Connection, digest: str) -> bool:
    """End a session; whether there was one."""
    return bool(connection.execute(sa.delete(SESSION).where(_C.digest == digest)).rowcount)


def delete_beyond(connection: Connection, name: str, application: str | None, most: int) -> int:
    """End the sessions of a user but for the ``most`` that were used last; how many."""
    own = sa.select(_C.digest).where(_C.name == name, _C.application.is_not_distinct_from(application))
    beyond = own.order_by(_C.used.desc(), _C.created.desc()).offset(most)
    return connection.execute(sa.delete(SESSION).where(_C.digest.in_(beyond))).rowcount


def delete_of(connection: Connection, name: str) -> int:
    """End all sessions of the user ``name``; how many."""
    return connection.execute(sa.delete(SESSION).where(_C.name == name)).rowcount


def expire(connection: Connection, now: float, most: int) -> int:
    """Delete sessions that have expired at ``now``, at most ``most``; how many."""
    over = sa.select(_C.digest).where(_C.expires <= now).limit(most)
    return connection.execute(sa.delete(SESSION).where(_C.digest.in_(over))).rowcount
