"""What the REST API tells of calls to applications and upstreams, and how they are made again.

Refuses, with ``Refusal``, what is not there (404), and to replay a call while it is being made (409).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from mm7zeep.gateway.admin import outputs, views
from mm7zeep.gateway.admin.inputs import CallKey, CallQuery, Pausing, Replay, Resumption
from mm7zeep.gateway.admin.request import AdminRequest
from mm7zeep.gateway.admin.user import User
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.store import buckets, endpoints, outbox
from mm7zeep.gateway.store.rows import CallRow, EndpointRow
from mm7zeep.receiver import Refusal


def listed(asked: AdminRequest[CallQuery, Nothing]) -> outputs.Callbacks:
    """A page of calls, the newest first."""
    with asked.gateway.database.read() as connection:
        page = page_of(connection, asked)
        return outputs.Callbacks(callbacks=views_of(connection, asked, page.rows), next=page.next)


class Page(NamedTuple):
    """Calls, the newest first, and the ``before`` that the next page is asked for with; None at the end."""

    rows: Sequence[CallRow]
    next: int | None


def page_of(connection: Connection, asked: AdminRequest[CallQuery, Nothing]) -> Page:
    """The calls that a page lists. Raises ``Refusal`` (403) for those of another application."""
    query, limit = asked.parameters, asked.parameters.limit
    rows = outbox.listed(
        connection,
        state=query.state,
        owner=asked.user.application_filter(query.application),
        message_id=query.message,
        limit=limit + 1,
        before=query.before,
    )
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def one(asked: AdminRequest[CallKey, Nothing]) -> outputs.WholeCallback:
    """A call with what was answered to it, where that was kept."""
    with asked.gateway.database.read() as connection:
        return whole_views_of(connection, asked, [_call(connection, asked)])[0]


def _call(connection: Connection, asked: AdminRequest[CallKey, Any]) -> CallRow:
    """The call of that id, where it is this user's. Raises ``Refusal`` (404)."""
    found = outbox.call(connection, asked.parameters.id)
    if found is None or not asked.user.sees(found.owner):
        raise Refusal(404, "no callback has that id; GET /api/v1/callbacks lists all")
    return found


def views_of(connection: Connection, asked: AdminRequest[Any, Any], rows: Sequence[CallRow]) -> list[outputs.Callback]:
    """Calls as they are shown in a list, with what keeps each waiting."""
    paused_keys, waits = paused(connection), full(connection, asked, rows)
    return [views.call(one, paused_keys, waits) for one in rows]


def whole_views_of(
    connection: Connection, asked: AdminRequest[Any, Any], rows: Sequence[CallRow]
) -> list[outputs.WholeCallback]:
    """Calls with what was answered to each, where that was kept."""
    paused_keys, waits = paused(connection), full(connection, asked, rows)
    return [views.whole_call(one, paused_keys, waits) for one in rows]


def full(connection: Connection, asked: AdminRequest[Any, Any], rows: Sequence[CallRow]) -> dict[int, str]:
    """Which rate without room calls wait for, by their ids, and until when."""
    rates = asked.gateway.settings.rate_limits
    return buckets.reasons(connection, rates, rows, asked.gateway.clock.now(connection)) if rates else {}


def paused(connection: Connection) -> set[str]:
    """The keys of the endpoints that no calls go to."""
    return {one.name for one in endpoints.listed(connection) if one.paused}


def replay_one(asked: AdminRequest[CallKey, Nothing]) -> outputs.Callback:
    """Make a call again, whatever came of it."""
    with asked.gateway.database.read() as connection:
        _call(connection, asked)
    again = asked.gateway.replay(id=asked.parameters.id)
    with asked.gateway.database.read() as connection:
        found = _call(connection, asked)
        if not again:
            if found.state == "leased":
                raise Refusal(409, "this call is being made now; wait for its end", ("Retry-After", "5"))
            if found.kind == "fetch":
                raise Refusal(409, "this fetch has ended, and its message went on without it; send the message again")
            raise Refusal(409, "this submit went out, or was taken back: once more would be a second message")
        return views_of(connection, asked, [found])[0]


def replay(asked: AdminRequest[Nothing, Replay]) -> outputs.Replayed:
    """Make dead calls again, by where they went or when they died."""
    endpoint, since = asked.body.endpoint, asked.body.since
    if endpoint is None and since is None:
        raise Refusal(400, "the body names neither endpoint nor since; give one of them, or both")
    return outputs.Replayed(replayed=asked.gateway.replay(endpoint=endpoint, since=since, owner=asked.user.application))


def paused_endpoints(asked: AdminRequest[Nothing, Nothing]) -> outputs.Endpoints:
    """Where no calls go until somebody says so."""
    with asked.gateway.database.read() as connection:
        rows = _paused_endpoints(connection, asked.user)
    return outputs.Endpoints(endpoints=[views.endpoint(one) for one in rows])


def pause(asked: AdminRequest[Nothing, Pausing]) -> outputs.Paused:
    """Make no calls to an endpoint until somebody resumes it; those that are being made come to their end."""
    endpoint, application = asked.body.endpoint, asked.body.application
    with asked.gateway.database.write() as connection:
        # what several hosts share under no URL of their own is not paused
        names = [one for one in endpoints.named(connection, endpoint) if "://" in endpoints.url_of(one)]
        names = [one for one in names if asked.user.sees(endpoints.owner_of(one))]
        if application is not None:
            names = [one for one in names if endpoints.owner_of(one) == application]
        for one in names:
            reason = asked.body.reason or f"paused by {asked.user.name}"
            endpoints.pause(connection, one, reason, asked.gateway.clock.now(connection))
    if not names:
        raise Refusal(404, "no call has gone to an endpoint of that URL; GET /api/v1/callbacks lists where calls go")
    return outputs.Paused(paused=len(names))


def resume(asked: AdminRequest[Nothing, Resumption]) -> outputs.Resumed:
    """Make calls to an endpoint again."""
    endpoint, application = asked.body.endpoint, asked.body.application
    with asked.gateway.database.write() as connection:
        rows = [one for one in _paused_endpoints(connection, asked.user) if endpoint in _names(one.name)]
        if application is not None:
            rows = [one for one in rows if endpoints.owner_of(one.name) == application]
        for one in rows:
            endpoints.resume(connection, one.name, asked.clock())
    if not rows:
        raise Refusal(404, "no endpoint of that URL is paused; GET /api/v1/endpoints lists those that are")
    asked.gateway.dispatcher.wake()
    return outputs.Resumed(resumed=len(rows))


def _paused_endpoints(connection: Connection, user: User) -> list[EndpointRow]:
    return [one for one in endpoints.listed(connection) if one.paused and user.sees(endpoints.owner_of(one.name))]


def _names(endpoint_key: str) -> tuple[str, str]:
    return endpoints.url_of(endpoint_key), views.url_of(endpoint_key)
