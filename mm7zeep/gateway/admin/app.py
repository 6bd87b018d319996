"""The admin listener: health, metrics and the REST API, as one table of routes and one ASGI application.

Each request is judged by its row of ``ROUTES``, which the OpenAPI document is made of, too. Everything that waits for
the database waits in a thread; the event loop only reads requests. Refuses what ``admin_access`` and ``admin_routes``
refuse; every refusal is JSON that says what is wrong and how to put it right.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route as StarletteRoute

from mm7zeep.gateway.admin import callbacks, handset, messages, openapi
from mm7zeep.gateway.admin.access import ALWAYS, Access, head_of, wrong
from mm7zeep.gateway.admin.json_response import JSONResponse
from mm7zeep.gateway.admin.request import AdminRequest, Route, WaiterCount, body_of, path_of, query_of
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.receiver import CLIENT, Client, Gone, Receive, Refusal, Scope, Send
from mm7zeep.receiver.refused import asker
from mm7zeep.receiver.replies import printable
from mm7zeep.receiver.waiting import ASYNCIO, turn_at

_LOG = logging.getLogger("mm7zeep.gateway")
API = "/api/v1"

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>mm7zeep gateway</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 3em auto; padding: 0 1em }</style></head>
<body>
<h1>mm7zeep gateway</h1>
<p>MM7 is served on another port, at <code>/mm7</code>. Here are:</p>
<ul>
<li><a href="/api/v1/messages">/api/v1/messages</a>: the newest messages</li>
<li><a href="/api/v1/callbacks">/api/v1/callbacks</a>: calls to applications</li>
<li><a href="/api/v1/openapi.json">/api/v1/openapi.json</a>: what the REST API does, as OpenAPI 3.1</li>
<li><a href="/metrics">/metrics</a>: counts, for Prometheus</li>
<li><a href="/livez">/livez</a>, <a href="/readyz">/readyz</a>: whether it lives, and takes messages</li>
</ul>
</body></html>
"""


# --- health -----------------------------------------------------------------------------------------------------------


async def _front(asked: AdminRequest) -> Response:
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": policy})


async def _livez(asked: AdminRequest) -> Response:
    return JSONResponse({"status": "alive"})


async def _readyz(asked: AdminRequest) -> Response:
    reasons = asked.gateway.ready()
    if reasons:
        return JSONResponse({"status": "not ready", "reasons": list(reasons)}, 503)
    return JSONResponse({"status": "ready"})


def _metrics(asked: AdminRequest) -> Response:
    page, content_type = asked.gateway.metrics.exposition(asked.gateway.database)
    return Response(page, headers={"Content-Type": content_type})


async def _openapi(asked: AdminRequest) -> Response:
    return JSONResponse(openapi.document(ROUTES))


# --- the table --------------------------------------------------------------------------------------------------------

_Q, _B = openapi.QUERY, openapi.BODY
_MESSAGE, _CALL, _N = openapi.MESSAGE_ID, openapi.CALL_ID, openapi.PART_N

# fmt: off
ROUTES: tuple[Route, ...] = (
    Route(method="GET", path="/", function=_front, answer="text/html", words="What is here, for a browser."),
    Route(method="GET", path="/livez", function=_livez, answer="Alive", open=True,
          words="Whether the process lives: 200 while its event loop runs."),
    Route(method="GET", path="/readyz", function=_readyz, answer="Ready", open=True, refusals=(503,),
          words="Whether requests can be taken; 503 with the reasons where not."),
    Route(method="GET", path="/metrics", function=_metrics, answer="text/plain", words="Counts, for Prometheus."),
    Route(method="GET", path=f"{API}/openapi.json", function=_openapi, answer="Document", words="This document."),

    Route(method="GET", path=f"{API}/messages", function=messages.listed, answer="Messages",
          query=(*_Q["filters"], *_Q["page"]), words="Messages, the newest first, that fit everything given."),
    Route(method="GET", path=f"{API}/messages/{{id}}", function=messages.one, answer="WholeMessage",
          parameters=(_MESSAGE,), refusals=(404,), words="One message with its parts, findings and calls."),
    Route(method="GET", path=f"{API}/messages/{{id}}/raw", function=messages.raw,
          answer="application/octet-stream", parameters=(_MESSAGE,), query=_Q["raw"], refusals=(404,),
          words="A request about a message as it came, with its head but without the credentials."),
    Route(method="GET", path=f"{API}/messages/{{id}}/parts/{{n}}", function=messages.part,
          answer="application/octet-stream", parameters=(_MESSAGE, _N), refusals=(404,),
          words="One part, decoded: an image, audio or video as what its octets show, everything else as a download."),
    Route(method="DELETE", path=f"{API}/messages/{{id}}", function=messages.delete, answer=None, status=204,
          parameters=(_MESSAGE,), refusals=(404, 409),
          words="Delete a message with its octets, copies and calls; not while a call of it is being made."),
    Route(method="GET", path=f"{API}/wait", function=messages.wait, answer="WholeMessage",
          query=(*_Q["filters"], *_Q["wait"]), refusals=(404,),
          words="The newest message that fits everything given, as soon as there is one; 404 after the timeout."),

    Route(method="POST", path=f"{API}/deliver", function=handset.deliver, answer="Delivered", status=202,
          body=_B["deliver"], refusals=(409,), words="A handset sends a message to an application."),
    Route(method="POST", path=f"{API}/messages/{{id}}/report", function=handset.report, answer="Reported",
          status=202, parameters=(_MESSAGE,), body=_B["report"], refusals=(404,),
          words="A copy reaches a state, whatever its handset would have done; reported, if that was asked for."),
    Route(method="POST", path=f"{API}/messages/{{id}}/read", function=handset.read, answer="Told", status=202,
          parameters=(_MESSAGE,), body=_B["read"], refusals=(404,),
          words="A recipient has read or deleted a message; told, if that was asked for."),

    Route(method="GET", path=f"{API}/callbacks", function=callbacks.listed, answer="Callbacks",
          query=(*_Q["calls"], *_Q["page"]), words="Calls to applications and upstreams, the newest first."),
    Route(method="POST", path=f"{API}/callbacks/replay", function=callbacks.replay, answer="Replayed", status=202,
          body=_B["replay"], words="Make dead calls again: by endpoint (it is resumed), by when they died, or both."),
    Route(method="GET", path=f"{API}/callbacks/{{id}}", function=callbacks.one, answer="WholeCallback",
          parameters=(_CALL,), refusals=(404,), words="One call with what was answered to it."),
    Route(method="POST", path=f"{API}/callbacks/{{id}}/replay", function=callbacks.replay_one, answer="Callback",
          status=202, parameters=(_CALL,), refusals=(404, 409),
          words="Make one call again, whatever came of it; it keeps its TransactionID."),
    Route(method="GET", path=f"{API}/endpoints", function=callbacks.paused_endpoints, answer="Endpoints",
          words="Endpoints that are paused: no calls go there until they are resumed."),
    Route(method="POST", path=f"{API}/endpoints/resume", function=callbacks.resume, answer="Resumed",
          body=_B["resume"], refusals=(404,), words="Make calls to an endpoint again."),

    Route(method="GET", path=f"{API}/chaos", function=handset.chaos, answer="Chaos",
          words="The trouble that is made on purpose."),
    Route(method="PUT", path=f"{API}/chaos", function=handset.set_chaos, answer="Chaos", body=_B["chaos"],
          words="Make this trouble, and no other; an empty list ends it."),
    Route(method="GET", path=f"{API}/clock", function=handset.clock, answer="Clock",
          words="The time that counts, and whether a jump of the clock waits to be confirmed."),
    Route(method="POST", path=f"{API}/clock/confirm", function=handset.confirm_clock, answer="Clock",
          refusals=(409,), words="Go by the clock as it is now: what was held expires, is deleted or given up again."),
    Route(method="GET", path=f"{API}/applications", function=handset.applications, answer="Applications",
          words="The applications that are served, without their secrets."),
)
# fmt: on


# --- the application --------------------------------------------------------------------------------------------------


def admin_app(gateway: Gateway, *, clock: Callable[[], float] = time.time) -> Any:
    """The ASGI application of the admin listener. ``clock`` gives seconds since 1970.

    Raises ``ValueError`` for an admin_username without a password.
    """
    access, crowd = Access(gateway.settings), WaiterCount()
    paths: dict[str, list[Route]] = {}
    for one in ROUTES:
        paths.setdefault(one.path, []).append(one)
    app = Starlette(
        routes=[
            StarletteRoute(path, _endpoint(gateway, clock, crowd, routes), methods=[one.method for one in routes])
            for path, routes in paths.items()
        ],
        exception_handlers={HTTPException: _refused_by_routing, Exception: _failed},
    )
    app.router.redirect_slashes = False  # where to, the Host field would say
    return _AccessCheck(app, access)


def _endpoint(
    gateway: Gateway, clock: Callable[[], float], crowd: WaiterCount, routes: list[Route]
) -> Callable[[Request], Awaitable[Response]]:
    rows = {one.method: one for one in routes}

    async def endpoint(request: Request) -> Response:
        route = rows[cast(Any, "GET" if request.method == "HEAD" else request.method)]
        try:
            asked = AdminRequest(
                gateway=gateway,
                clock=clock,
                path=path_of(request, route),
                query=query_of(request, route),
                body=await body_of(request, route),
                gone=request.is_disconnected,
                crowd=crowd,
            )
            return await _answered(route, asked)
        except Refusal as error:
            return refused(error)
        except StoreError as error:
            _LOG.error("%s %s was not done: %s", route.method, route.path, error)
            after = ("Retry-After", str(gateway.settings.capacity.retry_after))
            return refused(Refusal(503, f"{error.reason}; try again", after))
        except Gone:  # nobody is left to read this
            return Response(status_code=400)

    return endpoint


async def _answered(route: Route, asked: AdminRequest) -> Response:
    if inspect.iscoroutinefunction(route.function):
        return await cast(Awaitable[Response], route.function(asked))
    return cast(Response, await run_in_threadpool(route.function, asked))


def _say(scope: Scope, error: Refusal) -> None:
    """Log who was not let in: with the name that was given, never with the password."""
    client = scope.get("client")
    who = asker(head_of(scope), None, client[0] if client else None, asked=True)
    # whoever is not let in can have it said as often as he likes
    seldom = {"seldom": f"admin refused {error.status}"}
    what = f"{scope['method']} {printable(scope['path'])[:100]}"
    _LOG.info("the admin listener refused %s of %s: %s; answered HTTP %d", what, who, error, error.status, extra=seldom)


def refused(error: Refusal) -> Response:
    """A refusal, as JSON."""
    return JSONResponse({"error": str(error)}, error.status, dict(error.headers))


async def _refused_by_routing(request: Request, error: Exception) -> Response:
    failure = cast(HTTPException, error)
    words = {
        404: "nothing is served under this path; GET /api/v1/openapi.json tells what is",
        405: "this method does nothing here; the Allow field tells which do",
    }
    said = words.get(failure.status_code, HTTPStatus(failure.status_code).phrase)
    return JSONResponse({"error": said}, failure.status_code, dict(failure.headers or {}))


async def _failed(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "this failed, by no fault of the request; the gateway's log tells why"}, 500)


class _AccessCheck:
    """Lets in whom ``access`` lets in, and puts on every answer what it should always have."""

    def __init__(self, app: Any, access: Access) -> None:
        self._app = app
        self._access = access
        self._open = {one.path for one in ROUTES if one.open}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_always(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                added = [(name.lower().encode(), value.encode()) for name, value in ALWAYS.items()]
                message["headers"] = [*message["headers"], *(one for one in added if one[0] not in given)]
            await send(message)

        is_open = scope["path"] in self._open
        client = (scope.get("extensions") or {}).get(CLIENT)
        try:
            await self._let_in(scope, client, is_open=is_open)
        except Refusal as error:
            _say(scope, error)
            await refused(error)(scope, receive, with_always)  # type: ignore[arg-type]
            return
        except Gone:
            return
        if client is not None and not is_open:
            client.recognised()
        await self._app(scope, receive, with_always)

    async def _let_in(self, scope: Scope, client: Client | None, *, is_open: bool) -> None:
        """Raises ``Refusal`` for who may not come in, ``Gone`` for who did not wait until that was known."""
        peer = scope["client"][0] if scope.get("client") else None
        waiting = self._access.judge(head_of(scope), peer, is_open=is_open)
        if waiting is not None and await turn_at(waiting, ASYNCIO, client) is None:
            raise wrong()
