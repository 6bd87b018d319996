"""What the REST API tells of messages: listed, one, its octets, its parts, the next one; and how one is deleted.

A part is served as what its octets show it to be, or as a download: what a sender called it decides nothing. Refuses,
with ``Refusal``, what is not there (404), and to delete a message whose call is under way (409).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from mm7zeep import masking, media
from mm7zeep.gateway.admin import callbacks, outputs, views
from mm7zeep.gateway.admin.inputs import Filter, MessageKey, MessageQuery, PartKey, RequestKey, WaitQuery
from mm7zeep.gateway.admin.request import AdminRequest
from mm7zeep.gateway.admin.user import User
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.rest.parts import download, shown
from mm7zeep.gateway.store import content, outbox, search
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store.bounded import bounded
from mm7zeep.gateway.store.rows import MessageRow, RawRow
from mm7zeep.messages import Part
from mm7zeep.receiver import Refusal

POLL = 0.1
"""Seconds between two looks of somebody who waits."""
LOOKS = 500
"""How many looks all who wait take per second, at most; beyond, each waits longer for the next one."""
_CALLS = 1000  # of one message that are shown


def listed(asked: AdminRequest[MessageQuery, Nothing]) -> outputs.Messages:
    """A page of messages, the newest first."""
    query, limit = asked.parameters, asked.parameters.limit
    with bounded(asked.gateway.database) as connection:
        rows = search.found(connection, _search(asked), limit=limit + 1, before=query.before)
        page = rows[:limit]
        copies = store.recipients_of(connection, [one.id for one in page])
    messages = [views.message(one, views.seen_by(asked.user, copies[one.id])) for one in page]
    return outputs.Messages(messages=messages, next=page[-1].seq if len(rows) > limit else None)


def _search(asked: AdminRequest[Any, Nothing], **others: Any) -> search.Search:
    query = asked.parameters
    given = {name: getattr(query, name) for name in Filter.model_fields}
    return search.exact(**{**given, "application": asked.user.application_filter(query.application)}, **others)


def one(asked: AdminRequest[MessageKey, Nothing]) -> outputs.WholeMessage:
    """A message with all that is known of it."""
    with asked.gateway.database.read() as connection:
        return _whole(connection, asked, found(connection, asked.user, asked.parameters.id))


def found(connection: Connection, user: User, message_id: str) -> MessageRow:
    """The message of that id or of that MessageSid of Twilio's form, or the newest for ``latest``.

    Raises ``Refusal`` (404), also for what is another's.
    """
    if message_id == "latest":
        row = store.newest(connection, user.application)
    else:
        row = store.message(connection, message_id)
        if row is None and message_id[:2] in ("MM", "SM"):
            row = store.message(connection, message_id[2:])
    if row is None or not user.sees(row.application):
        words = "no message has been kept yet" if message_id == "latest" else "no message has that id"
        raise Refusal(404, f"{words}; GET /api/v1/messages lists all")
    return row


def _whole(connection: Connection, asked: AdminRequest[Any, Any], row: MessageRow) -> outputs.WholeMessage:
    # where upstreams stand is the operator's business
    calls = outbox.listed(connection, message_id=row.id, owner=asked.user.application, limit=_CALLS)
    found = content_of(connection, row)
    copies = views.seen_by(asked.user, store.recipients(connection, row.id))
    parts = views.parts(found.parts, came=len(found.came))
    return views.whole(row, copies, parts, callbacks.views_of(connection, asked, calls))


class Content(NamedTuple):
    """The content of a message that is in force: the request that has it (None: it is not kept), the parts that came,
    and the parts with the presentation that is made where none came.
    """

    raw: RawRow | None
    came: Sequence[Part]
    parts: Sequence[Part]


def content_of(connection: Connection, row: MessageRow) -> Content:
    """What a message has in it, read out of its octets."""
    raw = store.raw(connection, row.id, row.content)
    came = content.parts_of(raw) if raw is not None else ()
    return Content(raw, came, content.presented(came))


# --- octets -----------------------------------------------------------------------------------------------------------


def raw(asked: AdminRequest[RequestKey, Nothing]) -> Response:
    """A request as it came, head and all, but without the credentials."""
    n = asked.parameters.n
    with asked.gateway.database.read() as connection:
        message = found(connection, asked.user, asked.parameters.id)
        row = store.raw(connection, message.id, n)
    if row is None:
        raise Refusal(404, f"the message has no request {n}; 0 is the one that it began with")
    return download(request_octets(row), media.OCTET_STREAM, f"request-{n}.http")


REQUEST_LINE = "POST /mm7 HTTP/1.1"
"""How each request begins that is kept."""


def request_octets(row: RawRow) -> bytes:
    """A request as it came, head and all, without what its header fields say of credentials."""
    lines = [REQUEST_LINE, *(f"{name}: {value}" for name, value in header_fields(row)), "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + row.body


def header_fields(row: RawRow) -> list[tuple[str, str]]:
    """The header fields of a request, each on one line, those hidden that may be credentials.

    The body stands without chunks, so that its length is told instead.
    """
    fields = [(name, value) for name, value in json.loads(row.headers)]
    kept = [(name, value) for name, value in fields if name.lower() not in ("transfer-encoding", "content-length")]
    return [_field(name, value) for name, value in (*kept, ("Content-Length", str(len(row.body))))]


def _field(name: str, value: str) -> tuple[str, str]:
    name, value = (" ".join(one.split("\r\n")).replace("\r", " ").replace("\n", " ") for one in (name, value))
    hidden = masking.header_line(f"{name}: {value}")
    return name, hidden[len(name) + 2 :]


def part(asked: AdminRequest[PartKey, Nothing]) -> Response:
    """A part, decoded: shown where its octets are an image, audio or video, otherwise as a download."""
    return shown(part_of(asked), asked.parameters.n)


def part_of(asked: AdminRequest[PartKey, Nothing]) -> Part:
    """The part that is asked for. Raises ``Refusal`` (404)."""
    with asked.gateway.database.read() as connection:
        parts = content_of(connection, found(connection, asked.user, asked.parameters.id)).parts
    if asked.parameters.n >= len(parts):
        raise Refusal(404, f"there is no such part: the message has {len(parts)} parts, counted from 0")
    return parts[asked.parameters.n]


# --- the next one -----------------------------------------------------------------------------------------------------


async def wait(asked: AdminRequest[WaitQuery, Nothing]) -> outputs.WholeMessage:
    """The newest message that fits, as soon as there is one."""
    with asked.crowd:
        return await _waited(asked)


async def _waited(asked: AdminRequest[WaitQuery, Nothing]) -> outputs.WholeMessage:
    loop = asyncio.get_running_loop()
    until = loop.time() + asked.parameters.timeout
    while True:
        first = await run_in_threadpool(_first, asked)
        if first is not None:
            return first
        if asked.gateway.dispatcher.stopping:
            raise Refusal(503, "the gateway is stopping", ("Retry-After", "5"))
        left = until - loop.time()
        if left <= 0 or await asked.gone():
            raise Refusal(404, f"no message that fits came within {asked.parameters.timeout:g} s")
        await asyncio.sleep(min(max(POLL, asked.crowd.size / LOOKS), left))


def _first(asked: AdminRequest[WaitQuery, Nothing]) -> outputs.WholeMessage | None:
    with bounded(asked.gateway.database) as connection:
        query = asked.parameters
        rows = search.found(connection, _search(asked, subject=query.subject, since=query.since), limit=1)
        return _whole(connection, asked, rows[0]) if rows else None


# --- let go -----------------------------------------------------------------------------------------------------------


def delete(asked: AdminRequest[MessageKey, Nothing]) -> None:
    """Delete a message with its octets, copies and calls."""
    message_id = asked.parameters.id
    if message_id == "latest":  # it may be another one by now
        raise Refusal(400, "name the message that is to be deleted by its id")
    with asked.gateway.database.write() as connection:
        delete_all(connection, [found(connection, asked.user, message_id).id])


def delete_all(connection: Connection, ids: Sequence[str]) -> None:
    """Delete messages; none of them while a call of one is being made: raises ``Refusal`` (409)."""
    if outbox.under_way(connection, ids):
        which = "this message" if len(ids) == 1 else "one of these messages"
        raise Refusal(409, f"a call of {which} is being made now; try again in a moment", ("Retry-After", "5"))
    store.delete(connection, ids)
