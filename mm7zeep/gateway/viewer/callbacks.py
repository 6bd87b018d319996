"""Calls to applications and upstreams: by state, one by one, made again; and the endpoints that they go to.

Refuses, with ``Refusal``, what the REST API refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from starlette.responses import RedirectResponse, Response

from mm7zeep.gateway.admin import callbacks, outputs, views
from mm7zeep.gateway.admin.inputs import CallKey, CallQuery, Pausing, Replay, Resumption
from mm7zeep.gateway.rest.request import judged
from mm7zeep.gateway.store import endpoint_health, versions
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.viewer import parts
from mm7zeep.gateway.viewer.page_request import PageRequest, own_path
from mm7zeep.gateway.viewer.queries import integer, link
from mm7zeep.receiver import Refusal

_STATES = (("All", ""), ("Waiting", "ready"), ("Paused", "paused"), ("Dead", "dead"), ("Done", "done"))
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "deliver": "MO",
        "report": "delivery report",
        "read": "read reply",
        "webhook": "event",
        "submit": "submit to an upstream",
        "fetch": "fetch of media",
    }
)
"""What a call is, in words."""
_FILTERS = ("state", "application", "message")
_ANSWER = 4000  # characters of an answer that the page of a call shows
_LINES, _LINE = 3, 120  # lines of an answer in a list, and characters of each
_MOST = 50_000_000  # calls that a redirect says were made again


@dataclass(frozen=True, slots=True)
class _Call:
    """A call as a line: as the REST API has it, and the ``first`` lines of what was answered to it."""

    told: outputs.WholeCallback
    first: Sequence[str]


def page(asked: PageRequest) -> Response:
    """A page of calls, the newest first."""
    return _page(asked)


def _page(asked: PageRequest, error: Refusal | None = None) -> Response:
    """The page, with what was wrong about the form on it."""
    given = {name: value for name, value in asked.query.items() if value and name in (*_FILTERS, "before")}
    try:
        query = judged(given, CallQuery)
    except Refusal as failure:
        error, query, given = failure, CallQuery.model_validate({}), {}
    with asked.gateway.database.read() as connection:
        version = versions.version(connection)
        listed = callbacks.page_of(connection, asked.rest(query))
        calls = callbacks.whole_views_of(connection, asked.rest(), listed.rows)
        about = store.message(connection, query.message) if query.message is not None else None
    kept = {name: value for name, value in given.items() if name in _FILTERS}
    if about is None or not asked.user.sees(about.application):
        about = None
        kept.pop("message", None)
    return asked.page(
        "callbacks.html",
        status=error.status if error is not None else 200,
        version=version,
        calls=[_Call(one, _first(one)) for one in calls],
        kinds=KINDS,
        older=link("/callbacks", **kept, before=str(listed.next)) if listed.next is not None else None,
        newest=link("/callbacks", **kept) if query.before is not None else None,
        states=[(words, link("/callbacks", **(kept | {"state": state})), state) for words, state in _STATES],
        query=query,
        about=about,
        owners=_owners(asked),
        without_message=link("/callbacks", **{name: value for name, value in kept.items() if name != "message"}),
        wrong=str(error) if error is not None else "",
        replayed=integer(asked.query.get("replayed"), _MOST),
        typed={name: asked.form.text(name) or "" for name in ("since", "endpoint")},
    )


def _first(call: outputs.WholeCallback) -> list[str]:
    """The first lines of an answer that say something besides the reason, as text that cannot act."""
    answer = (call.answer or "")[:_ANSWER]
    said = [one.strip() for one in answer.splitlines()] if answer != call.reason else []
    return [parts.visible(one)[:_LINE] for one in said if one][:_LINES]


def _owners(asked: PageRequest) -> list[str]:
    """Whom calls are for that this user sees."""
    settings = asked.gateway.settings
    own = [one.name for one in settings.applications if asked.user.sees(one.name)]
    return [*own, *(f"upstream:{one.name}" for one in settings.upstreams)] if asked.user.is_operator else own


def one(asked: PageRequest) -> Response:
    """One call with what was answered to it."""
    with asked.gateway.database.read() as connection:
        version = versions.version(connection)
    call = callbacks.one(asked.rest(_key(asked)))
    return asked.page(
        "callback.html",
        version=version,
        call=call,
        kinds=KINDS,
        answer=parts.visible((call.answer or "")[:_ANSWER].replace("\r\n", "\n")),
    )


def _key(asked: PageRequest) -> CallKey:
    if integer(asked.parameters["id"]) is None:
        raise Refusal(404, "no callback has that id")
    return judged({"id": asked.parameters["id"]}, CallKey)


def replay_one(asked: PageRequest) -> Response:
    """Make one call again."""
    callbacks.replay_one(asked.rest(_key(asked)))
    return asked.back(f"/callbacks/{asked.parameters['id']}")


def replay(asked: PageRequest) -> Response:
    """Make dead calls again: of an endpoint, or those that died since a point in time."""
    given = asked.form.given("endpoint", "since")
    if not given:
        return _page(asked, Refusal(400, "say which calls to replay: give a time, an endpoint, or both"))
    try:
        body = judged(given, Replay)
    except Refusal as error:
        return _page(asked, error)
    done = callbacks.replay(asked.rest(body=body)).replayed
    back = own_path(asked.form.text("back")) or "/callbacks"
    return RedirectResponse(f"{back}{'&' if '?' in back else '?'}replayed={done}", 303)


# --- endpoints --------------------------------------------------------------------------------------------------------


def endpoints_page(asked: PageRequest) -> Response:
    """Where calls go, and how they fare there."""
    with asked.gateway.database.read() as connection:
        version = versions.version(connection)
        found = endpoint_health.health(connection, asked.user.application)
    return asked.page(
        "endpoints.html",
        version=version,
        endpoints=[(one, views.url_of(one.endpoint)) for one in found],
        counted=endpoint_health.COUNTED,
        replayed=integer(asked.query.get("replayed"), _MOST),
    )


def pause(asked: PageRequest) -> Response:
    """Make no calls to an endpoint for now."""
    callbacks.pause(asked.rest(body=judged(asked.form.given("endpoint", "application"), Pausing)))
    return RedirectResponse("/endpoints", 303)


def resume(asked: PageRequest) -> Response:
    """Make calls to an endpoint again."""
    callbacks.resume(asked.rest(body=judged(asked.form.given("endpoint", "application"), Resumption)))
    return RedirectResponse("/endpoints", 303)
