"""What the API does with messages: sends one, tells of one or of many, gives a part, takes one back.

An application sees its own messages alone: another's is as if it did not exist. Refuses with ``Problem``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from mm7zeep.gateway.api import outputs
from mm7zeep.gateway.api.inputs import MessageKey, NewMessage, Page, PartKey
from mm7zeep.gateway.api.problems import Problem
from mm7zeep.gateway.api.request import ApiRequest, Services
from mm7zeep.gateway.api.sending import keep, take_back
from mm7zeep.gateway.api.states import detail_of, mm_status, state_of
from mm7zeep.gateway.api.submissions import reference_of, served
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.rest.json_response import JSONResponse
from mm7zeep.gateway.rest.parts import shown
from mm7zeep.gateway.store import buckets, content, search
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store.rows import PENDING, MessageRow, RawRow, RecipientRow

PATH = "/v1/messages"
_RECIPIENTS = 2_000  # of a page of messages
_DIRECTIONS = {"outbound": "mt", "inbound": "mo"}


async def send(asked: ApiRequest[Nothing, NewMessage]) -> outputs.Message | Response:
    """Keep a message that is to be sent; it is answered when it is on the disk."""
    services, body = asked.services, asked.body
    if asked.key is not None:
        if body.idempotency_key not in (None, asked.key):
            words = "idempotency_key and the header field Idempotency-Key differ; give one of them"
            raise Problem("invalid-value", words, steps=("idempotency_key",))
        body = body.model_copy(update={"idempotency_key": asked.key})

    sent = await keep(services, asked.application, body, asked.files)
    headers = {"Location": f"{PATH}/{sent.id}"}
    if sent.kept is not None:
        told = view(sent.kept.message, sent.kept.recipients, sent.kept.message.accepted)
    else:
        headers["Idempotent-Replayed"] = "true"
        told = await run_in_threadpool(lambda: _repeated(asked, sent.id))
    return JSONResponse(told.as_dict(), 202, headers)


def _repeated(asked: ApiRequest[Nothing, NewMessage], id: str) -> outputs.Message:
    """The message that was kept for a key before."""
    try:
        return _one(asked, id)
    except Problem as error:
        words = f"a message was taken under this idempotency key ({id}), and deleted since; it is not sent again"
        raise Problem("message-deleted", words, steps=("idempotency_key",)) from error


def one(asked: ApiRequest[MessageKey, Nothing]) -> outputs.Message:
    """One message."""
    return _one(asked, asked.parameters.id)


def _one(asked: ApiRequest[MessageKey, Nothing] | ApiRequest[Nothing, NewMessage], id: str) -> outputs.Message:
    with asked.services.database.read() as connection:
        message = _own(connection, asked.application, id)
        copies = store.recipients(connection, message.id)
        now = asked.services.clock.now(connection)
        return view(message, copies, now, full=_full(connection, asked.services, copies, now))


def _own(connection: Connection, application: Application, id: str) -> MessageRow:
    found = store.message(connection, id)
    if found is None or found.application != application.name or store.is_planned(connection, found):
        raise Problem("message-not-found", f"no message of this application has that id; GET {PATH} lists them")
    return found


def listed(asked: ApiRequest[Page, Nothing]) -> outputs.Messages:
    """A page of the application's messages, the newest first."""
    query = asked.parameters
    with asked.services.database.read() as connection:
        wanted = search.exact(
            application=asked.application.name,
            direction=_DIRECTIONS[query.direction] if query.direction is not None else None,
            to=query.to,
            from_=query.from_,
            since=query.since,
            planned=False,
        )
        rows = search.found(connection, wanted, limit=query.limit + 1, before=query.cursor)
        page = rows[: _fitting(connection, [one.id for one in rows[: query.limit]])]
        copies = store.recipients_of(connection, [one.id for one in page])
        now = asked.services.clock.now(connection)
        full = _full(connection, asked.services, [one for some in copies.values() for one in some], now)
    told = [view(one, copies[one.id], now, full=full) for one in page]
    return outputs.Messages(messages=told, next=page[-1].seq if len(rows) > len(page) else None)


def _fitting(connection: Connection, ids: Sequence[str]) -> int:
    """How many of these messages, one at least, are told on one page: recipients count, too."""
    counts, total = store.recipient_counts(connection, ids), 0
    for n, id in enumerate(ids):
        total += counts.get(id, 0)
        if total > _RECIPIENTS and n:
            return n
    return len(ids)


def _full(connection: Connection, services: Services, copies: Sequence[RecipientRow], now: float) -> Full:
    """Which rate without room those of ``copies`` wait for that have not left."""
    waiting = {one.message_id for one in copies if one.state == PENDING and one.destination.kind == "upstream"}
    return buckets.reasons_of_copies(connection, services.settings.rate_limits, sorted(waiting), now)


def part(asked: ApiRequest[PartKey, Nothing]) -> Response:
    """One part of a message, decoded."""
    with asked.services.database.read() as connection:
        message = _own(connection, asked.application, asked.parameters.id)
        raw = store.raw(connection, message.id, message.content)
    return served_part(message, raw, asked.parameters.n)


def served_part(message: MessageRow, raw: RawRow | None, n: int) -> Response:
    """The ``n``-th part of a message whose octets these are, decoded. Raises ``Problem`` (404)."""
    parts = content.parts_of(raw) if raw is not None else ()
    if n < len(parts) and json.loads(message.parts)[n]["size"] is None:
        raise Problem("part-not-found", f"part {n} was not fetched from its media_url; its size is null until it is")
    if n >= len(parts):
        raise Problem("part-not-found", f"the message has {len(parts)} parts, counted from 0; there is no part {n}")
    return shown(parts[n], n)


def cancel(asked: ApiRequest[MessageKey, Nothing]) -> outputs.Message:
    """Take back a message from all who have not got it yet. Raises ``StatusError``: 2005, 3001, 4006."""
    with asked.services.database.read() as connection:
        id = _own(connection, asked.application, asked.parameters.id).id
    take_back(asked.services, asked.application, id)
    return _one(asked, id)


# --- told -------------------------------------------------------------------------------------------------------------


def _own_url(id: str, n: int) -> str:
    return f"{PATH}/{id}/parts/{n}"


Full = Mapping[tuple[str, int], str]
"""Why copies wait, by message and number."""


def view(
    message: MessageRow,
    copies: Sequence[RecipientRow],
    now: float,
    url: Callable[[str, int], str] = _own_url,
    *,
    full: Full = MappingProxyType({}),
) -> outputs.Message:
    """A message as the API tells of it, at the time ``now``; ``url`` says where a part is, ``full`` which rate its
    copies wait for.
    """
    told = [recipient(message, one, now, full) for one in served(copies)]
    return outputs.Message(**_facts(message, url), recipients=told)


def facts(message: MessageRow, url: Callable[[str, int], str]) -> outputs.Facts:
    """A message without its recipients; ``url`` as in ``view``."""
    return outputs.Facts(**_facts(message, url))


def _facts(message: MessageRow, url: Callable[[str, int], str]) -> dict[str, Any]:
    return {
        "id": message.id,
        "direction": "outbound" if message.direction == "mt" else "inbound",
        "from_": message.sender,
        "subject": message.subject,
        "reference": reference_of(message),
        "created_at": message.accepted,
        "send_at": message.earliest,
        "expires_at": message.expires,
        "delivery_report": message.delivery_report,
        "read_reply": message.read_reply,
        "group": bool(message.field.get("group")),
        "parts": [_part(message, one, url(message.id, one["n"])) for one in json.loads(message.parts)],
    }


def recipient(
    message: MessageRow, copy: RecipientRow, now: float, full: Full = MappingProxyType({})
) -> outputs.Recipient:
    """A recipient of a message as the API tells of it, at the time ``now``; ``full`` as in ``view``."""
    return outputs.Recipient(
        to=copy.address,
        state=state_of(message, copy, now),
        mm_status=mm_status(copy),
        detail=full.get((copy.message_id, copy.n), detail_of(copy)),
        changed_at=copy.changed,
    )


def _part(message: MessageRow, row: dict[str, Any], url: str) -> outputs.Part:
    told = {name: row[name] for name in ("n", "content_type", "name", "size", "sha256")}
    if "media_url" in row and message.direction == "mt":  # of an MO, it would be its sender's
        told["media_url"] = row["media_url"]
    return outputs.Part(**told, url=url)
