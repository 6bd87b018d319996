"""Where calls go: the key of an endpoint, and its pause.

A pause counts only for attempts begun after the last resume: each resume is a new ``generation`` of the endpoint.
Refuses nothing.
"""

from __future__ import annotations

import zlib
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy import Connection

from mm7zeep import masking
from mm7zeep.gateway.store import announcement
from mm7zeep.gateway.store.rows import EndpointRow
from mm7zeep.gateway.store.tables import ENDPOINT, OUTBOX

SHARED = 8
"""Endpoints that calls to whatever URLs an application names share, of each kind: one slow host holds up an eighth of
them, and however many hosts it names, it takes no more threads than those.
"""


def key(owner: str, url: str) -> str:
    """What calls of one owner to one URL are claimed under."""
    return f"{owner} {url}"


def shared(owner: str, what: str, url: str) -> str:
    """The key of one of the few endpoints that calls of an owner share, by host: ``what`` says which calls these are.

    It is no URL, since none of these can be paused.
    """
    return key(owner, f"{what}:{zlib.crc32(urlsplit(url).netloc.lower().encode()) % SHARED}")


def owner_of(key: str) -> str:
    """Whose calls have that key; a name may hold spaces, a URL does not."""
    return key.rpartition(" ")[0]


def url_of(key: str) -> str:
    """Where calls with that key go."""
    return key.rpartition(" ")[2]


def pause(connection: Connection, endpoint: str, reason: str, now: float, *, generation: int | None = None) -> bool:
    """Make no calls to ``endpoint`` until somebody says so; whether it is paused now.

    ``generation`` is that of the claim whose attempt found out: where the endpoint was resumed since, what the attempt
    met may be mended, and nothing changes.
    """
    values = {"paused": True, "reason": reason, "since": now}
    same = [ENDPOINT.c.generation == generation] if generation is not None else []
    if connection.execute(sa.update(ENDPOINT).where(ENDPOINT.c.name == endpoint, *same).values(values)).rowcount:
        return True
    if same and connection.scalar(sa.select(ENDPOINT.c.generation).where(ENDPOINT.c.name == endpoint)) is not None:
        return False
    connection.execute(sa.insert(ENDPOINT).values(name=endpoint, **values))
    return True


def resume(connection: Connection, endpoint: str, now: float) -> bool:
    """Make calls to ``endpoint`` again; whether it was paused. Attempts begun before cannot pause it any more."""
    was = connection.scalar(sa.select(ENDPOINT.c.paused).where(ENDPOINT.c.name == endpoint).with_for_update())
    values = {"paused": False, "reason": None, "since": now}
    if was is None:
        connection.execute(sa.insert(ENDPOINT).values(name=endpoint, generation=1, **values))
    else:
        again = sa.update(ENDPOINT).where(ENDPOINT.c.name == endpoint)
        connection.execute(again.values(generation=ENDPOINT.c.generation + 1, **values))
    if was:
        announcement.note(connection, for_all=True)
    return bool(was)


def generation(connection: Connection, endpoint: str) -> int:
    """How often it was resumed."""
    return connection.scalar(sa.select(ENDPOINT.c.generation).where(ENDPOINT.c.name == endpoint)) or 0


def listed(connection: Connection) -> list[EndpointRow]:
    """What is known of endpoints that were paused, or have a rate."""
    return [EndpointRow(**row) for row in connection.execute(sa.select(ENDPOINT)).mappings()]


def named(connection: Connection, endpoint: str) -> list[str]:
    """The keys that ``endpoint`` names: itself, or every owner's key for that URL, as it is or as it is shown."""
    known = set(connection.scalars(sa.select(OUTBOX.c.endpoint).distinct()))
    known |= set(connection.scalars(sa.select(ENDPOINT.c.name)))
    urls = {one: url_of(one) for one in known}
    return sorted(one for one, url in urls.items() if endpoint in (one, url, masking.url(url)))
