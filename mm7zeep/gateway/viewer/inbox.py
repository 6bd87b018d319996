"""The inbox: messages as they come, searched, marked and deleted.

Refuses, with ``Refusal``, a search that says nothing (400), and to delete a message whose call is under way (409).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection
from starlette.responses import Response

from mm7zeep.gateway.admin import messages
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store import outbox, search, versions, viewed
from mm7zeep.gateway.store.bounded import bounded
from mm7zeep.gateway.store.rows import MessageRow
from mm7zeep.gateway.viewer.lines import lines
from mm7zeep.gateway.viewer.page_request import PageRequest, own_path
from mm7zeep.gateway.viewer.queries import integer, link
from mm7zeep.gateway.viewer.search_words import EXAMPLES, search_of
from mm7zeep.receiver import Refusal

PAGE = 50
"""Messages of a page."""
_UNOPENED = 1000  # counted at most
_FILTERS = (
    ("All", ""),
    ("Unopened", "is:unopened"),
    ("To handsets", "direction:mt"),
    ("From handsets", "direction:mo"),
    ("Pending", "state:pending"),
    ("With picture", "has:image"),
)


def page(asked: PageRequest) -> Response:
    """A page of the messages that fit what is searched for."""
    text = (asked.query.get("q") or "").strip()
    before, after = integer(asked.query.get("before")), integer(asked.query.get("after"))
    wrong = ""
    try:
        wanted = search_of(text, asked.user.application)
    except Refusal as error:
        wanted, wrong = search_of("", asked.user.application), str(error)
    with bounded(asked.gateway.database) as connection:
        version = versions.version(connection)
        shown = _Page((), newer=False, older=False) if wrong else _page(connection, wanted, before, after)
        found = lines(connection, shown.rows)
        unopened = viewed.unopened(connection, asked.user.application, _UNOPENED)
    return asked.page(
        "inbox.html",
        status=400 if wrong else 200,
        version=version,
        q=text,
        wrong=wrong,
        lines=found,
        unopened=f"{_UNOPENED - 1}+" if unopened >= _UNOPENED else str(unopened),
        newest=link(q=text) if shown.newer else None,
        newer=link(q=text, after=str(shown.rows[0].seq)) if shown.newer and shown.rows else None,
        older=link(q=text, before=str(shown.rows[-1].seq)) if shown.older else None,
        filters=[(words, link(q=given), given == text) for words, given in _FILTERS],
        examples=EXAMPLES,
        several=asked.several,
    )


class _Page(NamedTuple):
    """The messages of a page, the newest first, and whether there are others on either side."""

    rows: Sequence[MessageRow]
    newer: bool
    older: bool


def _page(connection: Connection, wanted: search.Search, before: int | None, after: int | None) -> _Page:
    """The page that ends before ``before``, or begins after ``after``; the newest, where less than a page is newer."""
    if after is not None:
        rows = search.newer(connection, wanted, limit=PAGE + 1, after=after)
        if len(rows) > PAGE:
            return _Page(rows[-PAGE:], newer=True, older=True)
        before = None
    rows = search.found(connection, wanted, limit=PAGE + 1, before=before)
    return _Page(rows[:PAGE], newer=before is not None, older=len(rows) > PAGE)


# --- acts -------------------------------------------------------------------------------------------------------------

_BATCH = 100  # messages that one transaction deletes or marks
_REST = 0.5  # of the time that a transaction took, others have after it
_COUNTED = 1000  # messages to be deleted that are counted at most


def delete(asked: PageRequest) -> Response:
    """Delete the messages that are chosen; or all that fit the search, once that was confirmed."""
    if asked.form.text("all") != "yes":
        with asked.gateway.database.write() as connection:
            messages.delete_all(connection, _chosen(connection, asked))
    elif asked.form.text("sure") != "yes":
        return _ask(asked)
    else:
        for ids in _all(asked):
            begun = time.monotonic()
            with asked.gateway.database.write() as connection:
                under_way = outbox.under_way(connection, ids)
                store.delete(connection, [one for one in ids if one not in under_way])
            time.sleep(_REST * (time.monotonic() - begun))
    return asked.back("/")


def _ask(asked: PageRequest) -> Response:
    """The page that asks whether all that a search finds is to be deleted, with how many that are."""
    text = asked.form.text("q") or ""
    wanted = search_of(text, asked.user.application)
    with bounded(asked.gateway.database) as connection:
        count = len(search.found(connection, wanted, limit=_COUNTED + 1))
    return asked.page("delete.html", q=text, count=count, most=_COUNTED, back=own_path(asked.form.text("back")) or "/")


def _all(asked: PageRequest) -> Iterator[list[str]]:
    """The ids of all messages that fit the form's search, some at a time. Raises ``Refusal`` (400)."""
    wanted = search_of(asked.form.text("q") or "", asked.user.application)
    before: int | None = None
    while not asked.gateway.dispatcher.stopping:
        with bounded(asked.gateway.database) as connection:
            rows = search.found(connection, wanted, limit=_BATCH, before=before)
        if rows:
            yield [one.id for one in rows]
        if len(rows) < _BATCH:
            return
        before = rows[-1].seq
    raise Refusal(503, "the gateway is stopping; this is done for some of the messages only", ("Retry-After", "5"))


def _chosen(connection: Connection, asked: PageRequest) -> list[str]:
    """The ids of the messages that are chosen, and are this user's."""
    rows = store.by_id(connection, asked.form.texts("id")).values()
    return [row.id for row in rows if asked.user.sees(row.application)]


def mark(asked: PageRequest) -> Response:
    """Mark messages as opened in the viewer, or as unopened: those that are chosen, or all that fit the search."""
    if asked.form.text("all") == "yes":
        for ids in _all(asked):
            _mark(asked, ids)
    else:
        with asked.gateway.database.read() as connection:
            ids = _chosen(connection, asked)
        _mark(asked, ids)
    return asked.back("/")


def _mark(asked: PageRequest, ids: Sequence[str]) -> None:
    with asked.gateway.database.write() as connection:
        if asked.form.text("as") == "unopened":
            viewed.unmark(connection, ids)
        else:
            viewed.mark(connection, ids, asked.gateway.clock.now(connection))
