"""Conversations by number, as a phone shows them. Refuses, with ``Refusal``, those of another application (403)."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from mm7zeep.gateway.store import conversations as store
from mm7zeep.gateway.store import search, versions, viewed
from mm7zeep.gateway.store.bounded import bounded
from mm7zeep.gateway.viewer.inbox import PAGE
from mm7zeep.gateway.viewer.lines import lines, short
from mm7zeep.gateway.viewer.page_request import PageRequest
from mm7zeep.gateway.viewer.queries import integer


def page(asked: PageRequest) -> Response:
    """Conversations by number, the newest first; with ``number``, the messages of one, the oldest first."""
    number = (asked.query.get("number") or "").strip().partition("/TYPE=")[0]
    if number:
        return _conversation(asked, number)
    before = integer(asked.query.get("before"))
    with bounded(asked.gateway.database) as connection:
        version = versions.version(connection)
        found = store.listed(connection, asked.user.application, before=before)
    return asked.page(
        "conversations.html",
        version=version,
        conversations=[replace(one, newest=short(one.newest)) for one in found.conversations],
        next=found.next,
        is_newest=before is None,
        several=asked.several,
    )


def _conversation(asked: PageRequest, number: str) -> Response:
    """The messages of one conversation; whoever opens it has seen them, as on a phone."""
    application = asked.user.application_filter(asked.query.get("application") or None)
    wanted = search.Search(application=application, number=number)
    before = integer(asked.query.get("before"))
    with bounded(asked.gateway.database) as connection:
        version = versions.version(connection)
        rows = search.found(connection, wanted, limit=PAGE + 1, before=before)
        found = lines(connection, rows[:PAGE], number)
        now = asked.gateway.clock.now(connection)
    unopened = [one.row.id for one in found if one.unopened]
    if unopened:
        with asked.gateway.database.write() as connection:
            viewed.mark(connection, unopened, now)
    takes = [one.name for one in asked.gateway.settings.applications if one.takes_messages]
    return asked.page(
        "conversation.html",
        version=version,
        number=number,
        application=application,
        lines=found[::-1],
        older=rows[PAGE - 1].seq if len(rows) > PAGE else None,
        is_newest=before is None,
        writes=application is None or application in takes,
    )
