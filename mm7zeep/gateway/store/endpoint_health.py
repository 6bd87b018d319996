"""How the endpoints do to which calls go: what waits, what came of the newest calls, when the next is made.

Counts and looks at so many calls at most, by indexes, so that its cost does not grow with those that wait. The moment
of an attempt is kept only where the call has ended: of a failure that is tried again it is not known. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from mm7zeep.gateway.store import endpoints, outbox
from mm7zeep.gateway.store.rows import DEAD, DONE, LEASED, READY, EndpointRow
from mm7zeep.gateway.store.tables import OUTBOX, TRIED

NEWEST = 2000
"""Calls that are looked at, of all endpoints together."""
EACH = 50
"""Calls in each state that are looked at of an endpoint that has none among the newest."""
COUNTED = 10_000
"""Calls of an endpoint that are counted in each state, at most."""
ENDPOINTS = 500
"""Endpoints that are looked for in each state, at most."""

_C = OUTBOX.c
_LOOKED_AT = (_C.id, _C.endpoint, _C.state, _C.attempts, _C.ended, _C.reason, _C.http_status)
_NEWEST = sa.select(*_LOOKED_AT).order_by(_C.id.desc()).limit(NEWEST)
_ENDPOINT, _STATE = sa.bindparam("endpoint", type_=sa.Text), sa.bindparam("state", type_=sa.Text)
_ENDED = sa.select(*_LOOKED_AT).where(_C.state == _STATE, _C.endpoint == _ENDPOINT)
_ENDED = _ENDED.order_by(_C.queue.desc(), _C.due.desc(), _C.id.desc()).limit(EACH)
_TRIED = sa.select(*_LOOKED_AT).where(TRIED, _C.endpoint == _ENDPOINT).limit(EACH)
_SOME = sa.select(sa.literal(1)).where(_C.state == _STATE, _C.endpoint == _ENDPOINT).limit(COUNTED).subquery()
_COUNT = sa.select(sa.func.count()).select_from(_SOME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a call met that was not taken: ``at`` is when it was given up, None where it is tried again."""

    at: float | None
    reason: str | None
    http_status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointHealth:
    """How one endpoint does. Times are seconds since 1970, None where there was nothing of the kind.

    ``waiting`` calls include those being made; it and ``dead`` are counted up to ``COUNTED``. Of ``recent`` calls that
    were looked at and came to something, ``done`` were taken. ``next_try`` is None while it is paused.
    """

    endpoint: str
    owner: str
    paused: bool = False
    reason: str | None = None
    since: float | None = None
    waiting: int = 0
    dead: int = 0
    recent: int = 0
    done: int = 0
    last_success: float | None = None
    last_failure: Failure | None = None
    next_try: float | None = None


def health(connection: Connection, application: str | None = None) -> list[EndpointHealth]:
    """The endpoints of ``application`` (None: all), in the order of their keys."""
    rows = {one.name: one for one in endpoints.listed(connection)}
    keys = set(rows).union(*(connection.scalars(_walk(state)) for state in (READY, LEASED, DEAD, DONE)))
    if application is not None:
        keys = {one for one in keys if endpoints.owner_of(one) == application}
    newest: dict[str, list[Any]] = {}
    for call in connection.execute(_NEWEST):
        if _has_result(call):
            newest.setdefault(call.endpoint, []).append(call)
    due = outbox.next_due(connection)
    return [_health(connection, key, rows.get(key), newest.get(key, ()), due.get(key)) for key in sorted(keys)]


def _walk(state: str) -> sa.Select[Any]:
    """The endpoints with calls in a state, from one to the next by the index, however many calls there are."""
    first = sa.select(sa.func.min(_C.endpoint).label("endpoint")).where(_C.state == state)
    walk = first.cte("walk", recursive=True)
    following = sa.select(sa.func.min(_C.endpoint)).where(_C.state == state, _C.endpoint > walk.c.endpoint)
    walk = walk.union_all(sa.select(following.scalar_subquery()).where(walk.c.endpoint.is_not(None)))
    return sa.select(walk.c.endpoint).where(walk.c.endpoint.is_not(None)).limit(ENDPOINTS)


def _health(
    connection: Connection, key: str, row: EndpointRow | None, newest: Iterable[Any], due: float | None
) -> EndpointHealth:
    counts = {
        state: connection.scalar(_COUNT, {"state": state, "endpoint": key}) or 0 for state in (READY, LEASED, DEAD)
    }
    calls = list(newest) or _older(connection, key)
    paused = row is not None and row.paused
    done = [call for call in calls if call.state == DONE]
    return EndpointHealth(
        endpoint=key,
        owner=endpoints.owner_of(key),
        paused=paused,
        reason=row.reason if row is not None else None,
        since=row.since if row is not None else None,
        waiting=min(COUNTED, counts[READY] + counts[LEASED]),
        dead=counts[DEAD],
        recent=len(calls),
        done=len(done),
        last_success=max((call.ended for call in done if call.ended is not None), default=None),
        last_failure=_last_failure([call for call in calls if call.state != DONE]),
        next_try=due if not paused else None,
    )


def _older(connection: Connection, key: str) -> list[Any]:
    """The last calls of an endpoint, where newer ones wait before them."""
    found = list(connection.execute(_TRIED, {"endpoint": key}))
    for state in (DONE, DEAD):
        found += connection.execute(_ENDED, {"endpoint": key, "state": state})
    return [call for call in found if _has_result(call)]


def _has_result(call: Any) -> bool:
    """Whether an attempt has ended, as far as the row tells; what was taken back or not needed has none."""
    if call.state == DONE:
        return call.reason is None
    return call.state == DEAD or call.reason is not None or call.http_status is not None


def _last_failure(failed: list[Any]) -> Failure | None:
    """That of a call that is tried again, which was made later than those that were given up; else the last of them."""
    if not failed:
        return None
    last = max(failed, key=lambda call: (call.state != DEAD, call.ended or 0.0, call.id))
    at = last.ended if last.state == DEAD else None
    return Failure(at=at, reason=last.reason, http_status=last.http_status)
