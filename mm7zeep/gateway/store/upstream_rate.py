"""The rate of an upstream, kept for all processes together: how many requests may go out now.

A row of its endpoint says when the next one may. A second's worth may go out in a burst.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from mm7zeep.gateway.store.tables import ENDPOINT


def allowed(connection: Connection, endpoint: str, now: float, rate: float, room: int) -> int:
    """How many requests may go out now, with a burst of at most one second's worth."""
    if room <= 0:
        return 0
    next_at = connection.scalar(sa.select(ENDPOINT.c.next_at).where(ENDPOINT.c.name == endpoint))
    burst = max(1.0, rate)
    earliest = max(next_at or 0.0, now - (burst - 1) / rate)
    return max(0, int((now - earliest) * rate + 1e-6) + 1) if earliest <= now else 0


def spend(connection: Connection, endpoint: str, now: float, rate: float, count: int) -> None:
    """Count ``count`` requests that go out now."""
    next_at = connection.scalar(sa.select(ENDPOINT.c.next_at).where(ENDPOINT.c.name == endpoint))
    earliest = max(next_at or 0.0, now - (max(1.0, rate) - 1) / rate) + count / rate
    spent = sa.update(ENDPOINT).where(ENDPOINT.c.name == endpoint).values(next_at=earliest)
    if not connection.execute(spent).rowcount:
        connection.execute(sa.insert(ENDPOINT).values(name=endpoint, paused=False, since=now, next_at=earliest))
