"""Keys that programs show at the JSON API instead of a name and a password: made, looked up, revoked.

A key is 256 random bits, so that its SHA-256 is as good as it: nothing else is kept of it. Refuses nothing.
"""

from __future__ import annotations

import hashlib
import secrets

import sqlalchemy as sa
from sqlalchemy import Connection

from mm7zeep.gateway.store.rows import ApiKeyRow
from mm7zeep.gateway.store.tables import API_KEY

PREFIX = "mm7_"
"""What every key begins with, so that scanners of source code know one."""
LONGEST = 200
"""Characters of a key that are looked at."""

_HINT = 8  # characters of a key that are shown
_C = API_KEY.c
_SHOWN = sa.select(*(column for column in _C if column.name != "digest"))
_OWNER = sa.select(_C.application).where(_C.digest == sa.bindparam("digest"), _C.revoked.is_(None))


def issue(connection: Connection, application: str, name: str, now: float) -> tuple[ApiKeyRow, str]:
    """A new key of an application: what is kept of it, and the key itself, which nobody can tell later."""
    key = PREFIX + secrets.token_urlsafe(32)
    row = {"application": application, "name": name, "hint": key[:_HINT], "created": now, "digest": _digest(key)}
    id = connection.execute(sa.insert(API_KEY).values(row)).inserted_primary_key[0]  # type: ignore[index]
    return ApiKeyRow(id=id, application=application, name=name, hint=key[:_HINT], created=now, revoked=None), key


def owner(connection: Connection, key: str) -> str | None:
    """Whose key this is; None for one that is unknown or revoked."""
    if len(key) > LONGEST:
        return None
    found: str | None = connection.scalar(_OWNER, {"digest": _digest(key)})
    return found


def listed(connection: Connection, application: str | None = None) -> list[ApiKeyRow]:
    """All keys, or those of one application, the oldest first."""
    query = _SHOWN.order_by(_C.id)
    if application is not None:
        query = query.where(_C.application == application)
    return [ApiKeyRow(**row) for row in connection.execute(query).mappings()]


def one(connection: Connection, id: int) -> ApiKeyRow | None:
    """The key of that id; None if there is none."""
    row = connection.execute(_SHOWN.where(_C.id == id)).mappings().one_or_none()
    return ApiKeyRow(**row) if row is not None else None


def revoke(connection: Connection, id: int, now: float) -> bool:
    """Let a key open nothing any more, from now on; whether there is one that did."""
    gone = sa.update(API_KEY).where(_C.id == id, _C.revoked.is_(None)).values(revoked=now)
    return bool(connection.execute(gone).rowcount)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
