"""The page of a message: the handset that plays it, what became of it, its parts, its octets, and copies of it.

Refuses, with ``Refusal``, what is not there, or is another application's (404).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.responses import Response

from mm7zeep import media
from mm7zeep.gateway.admin import callbacks, messages, views
from mm7zeep.gateway.admin.inputs import PartKey
from mm7zeep.gateway.rest.parts import download
from mm7zeep.gateway.rest.request import judged
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store import outbox, search, versions, viewed
from mm7zeep.gateway.store.bounded import bounded
from mm7zeep.gateway.store.rows import SENT, SHOWN, MessageRow
from mm7zeep.gateway.viewer import copies, copy_json, copy_python, eml, part_lines, parts, raw_view, slide_parts, slides
from mm7zeep.gateway.viewer.lines import PLANNED, planned_at
from mm7zeep.gateway.viewer.page_request import PageRequest
from mm7zeep.gateway.viewer.previews import PREVIEW, THUMBNAIL, Box, NoPreview, PreviewBusy
from mm7zeep.gateway.viewer.queries import integer, link
from mm7zeep.gateway.viewer.search_words import search_of
from mm7zeep.gateway.viewer.timeline import timeline
from mm7zeep.gateway.viewer.validation import validation
from mm7zeep.messages import Part
from mm7zeep.receiver import Refusal

_CALLS = 200  # of one message that the page shows
_RECIPIENTS = 100  # that it shows
_MOMENTS = 100  # at either end of the time line that it shows
_LAST = 2**31 - 1  # the last number of a request, and the last octet of one, that a query names
OUTCOMES = (
    "Retrieved", "Expired", "Rejected", "Indeterminate", "Forwarded", "DeliveryConditionNotMet", "Deferred",
    "Unrecognised",
)  # fmt: skip
"""The MMStatus words that a subscriber's handset, or its network, may end in."""
GOT_IT = ("Retrieved", "Forwarded", "Indeterminate", SENT)
"""States of a copy whose recipient has the message, or may: who can answer it."""


def _found(connection: Connection, asked: PageRequest) -> MessageRow:
    """The message that the path names. Raises ``Refusal`` (404)."""
    return messages.found(connection, asked.user, asked.parameters["id"])


def page(asked: PageRequest) -> Response:
    """A message as its subscriber sees it, and what became of it."""
    gateway = asked.gateway
    with bounded(gateway.database) as connection:
        version = versions.version(connection)
        row = _found(connection, asked)
        content = messages.content_of(connection, row)
        recipients = views.seen_by(asked.user, store.recipients(connection, row.id))
        calls = outbox.listed(connection, message_id=row.id, owner=asked.user.application, limit=_CALLS)
        now, full = gateway.clock.now(connection), callbacks.full(connection, asked.rest(), calls)
        paused = callbacks.paused(connection)
        requests = store.requests(connection, row.id)
        seen = bool(viewed.among(connection, [row.id]))
        beside = _beside(connection, asked, row)
    if not seen:
        with gateway.database.write() as connection:
            viewed.mark(connection, [row.id], now)
    shown = slides.presentation(content.parts)
    served = [one for one in recipients if one.state != SHOWN]
    planned = planned_at(row, recipients)
    moments = timeline(row, recipients, calls, now=now, requests=requests, paused=paused, full=full)
    return asked.page(
        "message.html",
        version=version,
        row=row,
        state=views.state_of(recipients) if planned is None else PLANNED,
        planned=planned,
        beside=beside,
        recipients=recipients[:_RECIPIENTS],
        more_recipients=max(0, len(recipients) - _RECIPIENTS),
        served=served if len(served) <= _RECIPIENTS else (),
        has_served=bool(served),
        waiting=[one for one in served if one.waits and one.destination.kind == "handset"],
        repliers=[one for one in served if one.state in GOT_IT],
        presentation=shown,
        part_url=_url_of(row, content.parts),
        texts=slides.texts(content.parts, shown),
        parts=part_lines.lines(content.parts, came=len(content.came)),
        moments=moments[:_MOMENTS],
        last_moments=moments[max(_MOMENTS, len(moments) - _MOMENTS) :],
        moments_left_out=max(0, len(moments) - 2 * _MOMENTS),
        has_calls=bool(calls),
        validation=validation(row),
        outcomes=OUTCOMES,
    )


@dataclass(frozen=True, slots=True)
class _Beside:
    """Where a message was found: the list, and the messages on either side of it; None where there are none."""

    up: str
    newer: str | None
    older: str | None


def _beside(connection: Connection, asked: PageRequest, row: MessageRow) -> _Beside:
    """The messages next to one in what is searched for, or among all."""
    text = (asked.query.get("q") or "").strip()
    try:
        wanted = search_of(text, asked.user.application)
    except Refusal:  # the inbox says what is wrong with it
        text, wanted = "", search_of("", asked.user.application)
    seq = row.seq or 0
    newer, older = (
        search.newer(connection, wanted, limit=1, after=seq),
        search.found(connection, wanted, limit=1, before=seq),
    )
    return _Beside(link(q=text), *(_to(one, text) for one in (newer, older)))


def _to(rows: Sequence[MessageRow], text: str) -> str | None:
    return link(f"/messages/{quote(rows[0].id, safe='')}", q=text) if rows else None


def _url_of(row: MessageRow, given: Sequence[Part]) -> Callable[[int], str]:
    """Where each part is to be seen: a picture that browsers do not show, as its preview."""
    base = f"/messages/{quote(row.id, safe='')}/parts"
    version = f"?v={row.content}" if row.content else ""  # other octets once they were replaced
    return lambda n: f"{base}/{n}{'/preview' if part_lines.needs_preview(given[n]) else ''}{version}"


# --- octets -----------------------------------------------------------------------------------------------------------


def part(asked: PageRequest) -> Response:
    """A part: inline where its octets are a picture, audio or video, otherwise a download."""
    found, n = _part(asked)
    return parts.inline(found, n)


def _part(asked: PageRequest) -> tuple[Part, int]:
    key = judged({name: asked.parameters[name] for name in ("id", "n")}, PartKey)
    return messages.part_of(asked.rest(key)), key.n


def preview(asked: PageRequest) -> Response:
    """A picture as a PNG of at most 1,280 pixels."""
    found, _ = _part(asked)
    return _preview(asked, found, PREVIEW)


def thumbnail(asked: PageRequest) -> Response:
    """The first picture of a message, small."""
    with asked.gateway.database.read() as connection:
        row = _found(connection, asked)
        name = f"{row.id}/{row.content}"
        if (known := asked.previews.known(name, THUMBNAIL)) is not None:  # a list has fifty, each maybe of 10 MB
            return parts.picture(known)
        given = messages.content_of(connection, row).parts
    picture = next((one for one in given if slide_parts.kind(one) == "image"), None)
    if picture is None:
        raise Refusal(404, "the message has no picture")
    return _preview(asked, picture, THUMBNAIL, name)


def _preview(asked: PageRequest, found: Part, box: Box, name: str | None = None) -> Response:
    try:
        return parts.picture(asked.previews.preview(found.read(), box, name))
    except PreviewBusy as error:
        raise Refusal(503, str(error), ("Retry-After", "2")) from error
    except NoPreview as error:
        raise Refusal(404, str(error)) from error


# --- what it is made of -----------------------------------------------------------------------------------------------


def raw(asked: PageRequest) -> Response:
    """The request as it came: its MIME tree, head, envelope and octets."""
    n, offset = (integer(asked.query.get(name), _LAST) or 0 for name in ("n", "offset"))
    with asked.gateway.database.read() as connection:
        row = _found(connection, asked)
        found = store.raw(connection, row.id, n)
        count = store.raws(connection, row.id)
    if found is None:
        raise Refusal(404, f"there is no request {n} about this message; it has {count}, counted from 0")
    return asked.page(
        "raw.html",
        row=row,
        count=count,
        # the findings that are kept are those of the newest request
        view=raw_view.raw_view(found, json.loads(row.findings) if n == count - 1 else ()),
        window=raw_view.hexdump(found.body, offset),
    )


def copy(asked: PageRequest) -> Response:
    """The message as curl, as Python and as JSON, to be sent again."""
    source = _source(asked)
    return asked.page(
        "copy.html",
        row=source.message,
        curl=copies.as_curl(source),
        python=copy_python.as_python(source),
        json=copy_json.as_json(source),
        source=source,
    )


def _source(asked: PageRequest) -> copies.Source:
    gateway = asked.gateway
    with gateway.database.read() as connection:
        row, now = _found(connection, asked), gateway.clock.now(connection)
        content = messages.content_of(connection, row)
        recipients = views.seen_by(asked.user, store.recipients(connection, row.id))
    if content.raw is None:
        raise Refusal(404, "the octets of this message are not kept")
    return copies.Source(
        message=row,
        recipients=recipients,
        raw=content.raw,
        parts=content.came,
        application=gateway.settings.application(row.application),
        urls=asked.urls,
        now=now,
    )


def file(asked: PageRequest) -> Response:
    """A download: the request with its head (``http``), its body alone (``body``), the message as e-mail (``eml``)."""
    source = _source(asked)
    made = {
        "http": (copies.as_http, f"{source.stem}.http"),
        "body": (copies.as_body, source.body_file),
        "eml": (eml.as_eml, f"{source.stem}.eml"),
    }
    function, name = made.get(asked.parameters["kind"], (None, ""))
    if function is None:
        raise Refusal(404, f"there is no such download; there are {', '.join(made)}")
    return download(function(source), media.OCTET_STREAM, name)


def part_file(asked: PageRequest) -> Response:
    """A part as a file, under the name that the copies call it by; with ``as=sent`` under its sender's, made safe."""
    found, n = _part(asked)
    octets = found.read()
    name = media.file_name(found.content_type, octets[: media.HEAD], n)
    if asked.query.get("as") == "sent":
        name = part_lines.own_name(found, n)
    return download(octets, media.OCTET_STREAM, name)
