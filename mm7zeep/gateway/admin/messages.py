"""What the REST API tells of messages: listed, one, its octets, its parts, the next one; and how one is deleted.

A part is served as what its octets show it to be, or as a download: what a sender called it decides nothing. Refuses,
with ``Refusal``, what is not there (404), and to delete a message whose call is under way (409).
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from mm7zeep import media
from mm7zeep.gateway.admin import callbacks, outputs, views
from mm7zeep.gateway.admin.inputs import Filter, MessageKey, MessageQuery, PartKey, RequestKey, WaitQuery
from mm7zeep.gateway.admin.request import AdminRequest
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.rest.parts import download, shown
from mm7zeep.gateway.store import content, endpoints, outbox
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store.rows import LEASED, MessageRow, RawRow
from mm7zeep.receiver import Refusal

POLL = 0.1
"""Seconds between two looks of somebody who waits."""
LOOKS = 500
"""How many looks all who wait take per second, at most; beyond, each waits longer for the next one."""
_CALLS = 1000  # of one message that are shown


def listed(asked: AdminRequest[MessageQuery, Nothing]) -> outputs.Messages:
    """A page of messages, the newest first."""
    query, limit = asked.parameters, asked.parameters.limit
    with asked.gateway.database.read() as connection:
        rows = store.listed(connection, **_filters(query), limit=limit + 1, before=query.before)
        page = rows[:limit]
        copies = store.recipients_of(connection, [one.id for one in page])
    messages = [views.message(one, copies[one.id]) for one in page]
    return outputs.Messages(messages=messages, next=page[-1].seq if len(rows) > limit else None)


def _filters(query: Filter) -> dict[str, Any]:
    return {name: getattr(query, name) for name in Filter.model_fields}


def one(asked: AdminRequest[MessageKey, Nothing]) -> outputs.WholeMessage:
    """A message with all that is known of it."""
    with asked.gateway.database.read() as connection:
        return _whole(connection, asked, _message(connection, asked.parameters.id))


def _message(connection: Connection, message_id: str) -> MessageRow:
    found = store.newest(connection) if message_id == "latest" else store.message(connection, message_id)
    if found is None:
        words = "no message has been kept yet" if message_id == "latest" else "no message has that id"
        raise Refusal(404, f"{words}; GET /api/v1/messages lists all")
    return found


def _whole(connection: Connection, asked: AdminRequest[Any, Any], row: MessageRow) -> outputs.WholeMessage:
    raw = store.raw(connection, row.id, row.content)
    parts = content.parts_of(raw) if raw is not None else ()
    paused = {one.name for one in endpoints.listed(connection) if one.paused}
    calls = outbox.listed(connection, message_id=row.id, limit=_CALLS)
    full = callbacks.full(connection, asked, calls)
    copies = store.recipients(connection, row.id)
    return views.whole(row, copies, parts, [views.call(one, paused, full) for one in calls])


# --- octets -----------------------------------------------------------------------------------------------------------


def raw(asked: AdminRequest[RequestKey, Nothing]) -> Response:
    """A request as it came, head and all, but without the credentials."""
    n = asked.parameters.n
    with asked.gateway.database.read() as connection:
        message = _message(connection, asked.parameters.id)
        found = store.raw(connection, message.id, n)
    if found is None:
        raise Refusal(404, f"the message has no request {n}; 0 is the one that it began with")
    return download(_head(found) + found.body, media.OCTET_STREAM, f"request-{n}.http")


def _head(row: RawRow) -> bytes:
    """The request line and the header fields; the body stands without chunks, so that its length is told instead."""
    fields = [(name, value) for name, value in json.loads(row.headers)]
    kept = [(name, value) for name, value in fields if name.lower() not in ("transfer-encoding", "content-length")]
    lines = [f"{name}: {value}" for name, value in (*kept, ("Content-Length", str(len(row.body))))]
    plain = [" ".join(line.split("\r\n")).replace("\r", " ").replace("\n", " ") for line in lines]
    return "\r\n".join(["POST /mm7 HTTP/1.1", *plain, "", ""]).encode("latin-1", "replace")


def part(asked: AdminRequest[PartKey, Nothing]) -> Response:
    """A part, decoded: shown where its octets are an image, audio or video, otherwise as a download."""
    n = asked.parameters.n
    with asked.gateway.database.read() as connection:
        message = _message(connection, asked.parameters.id)
        found = store.raw(connection, message.id, message.content)
    parts = content.presented(content.parts_of(found)) if found is not None else ()
    if n >= len(parts):
        raise Refusal(404, f"the message has {len(parts)} parts, counted from 0; there is no part {n}")
    return shown(parts[n], n)


# --- the next one -----------------------------------------------------------------------------------------------------


async def wait(asked: AdminRequest[WaitQuery, Nothing]) -> outputs.WholeMessage:
    """The newest message that fits, as soon as there is one."""
    with asked.crowd:
        return await _waited(asked)


async def _waited(asked: AdminRequest[WaitQuery, Nothing]) -> outputs.WholeMessage:
    loop = asyncio.get_running_loop()
    until = loop.time() + asked.parameters.timeout
    while True:
        found = await run_in_threadpool(_first, asked)
        if found is not None:
            return found
        if asked.gateway.dispatcher.stopping:
            raise Refusal(503, "the gateway is stopping", ("Retry-After", "5"))
        left = until - loop.time()
        if left <= 0 or await asked.gone():
            raise Refusal(404, f"no message that fits came within {asked.parameters.timeout:g} s")
        await asyncio.sleep(min(max(POLL, asked.crowd.size / LOOKS), left))


def _first(asked: AdminRequest[WaitQuery, Nothing]) -> outputs.WholeMessage | None:
    with asked.gateway.database.read() as connection:
        query = asked.parameters
        rows = store.listed(connection, **_filters(query), subject=query.subject, since=query.since, limit=1)
        return _whole(connection, asked, rows[0]) if rows else None


# --- let go -----------------------------------------------------------------------------------------------------------


def delete(asked: AdminRequest[MessageKey, Nothing]) -> None:
    """Delete a message with its octets, copies and calls."""
    message_id = asked.parameters.id
    if message_id == "latest":  # it may be another one by now
        raise Refusal(400, "name the message that is to be deleted by its id")
    with asked.gateway.database.write() as connection:
        message = _message(connection, message_id)
        if any(call.state == LEASED for call in outbox.listed(connection, message_id=message.id, limit=10_000)):
            raise Refusal(409, "a call of this message is being made now; try again", ("Retry-After", "5"))
        store.delete(connection, [message.id])
