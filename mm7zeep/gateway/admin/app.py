"""The admin listener: health, metrics and the REST API, as one ASGI application of the table ``ROUTES``, and the pages
of a viewer beside it.

Each request is judged by the models of its row. Everything that waits for the database waits in a thread; the event
loop only reads requests. Refuses what ``access`` and ``request`` refuse; every refusal is JSON that says what is wrong
and how to put it right, or leads a browser to the page to log in at.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mm7zeep.exchange import Wire
from mm7zeep.gateway.admin.access import Access
from mm7zeep.gateway.admin.outputs import Error
from mm7zeep.gateway.admin.request import AdminRequest, WaiterCount
from mm7zeep.gateway.admin.routes import API, ROUTES
from mm7zeep.gateway.admin.sessions import Sessions
from mm7zeep.gateway.admin.user import User
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.rest.app import Endpoint, answered, endpoints_of, starlette_app
from mm7zeep.gateway.rest.headers import with_always
from mm7zeep.gateway.rest.json_response import JSONResponse
from mm7zeep.gateway.rest.request import read
from mm7zeep.gateway.rest.route import Route
from mm7zeep.gateway.rest.scope import client_of, head_of, peer_of
from mm7zeep.gateway.store.bounded import TooSlow
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.receiver import Client, Gone, Receive, Refusal, Scope, Send
from mm7zeep.receiver.refused import asker
from mm7zeep.receiver.replies import printable
from mm7zeep.receiver.waiting import ASYNCIO, turn_at

_LOG = logging.getLogger("mm7zeep.gateway")


Pages = Callable[["Door"], Any]
"""Makes the ASGI application of all pages, behind a door."""


@dataclass(frozen=True, slots=True)
class Door:
    """What lets browsers in: ``access`` by name and password, ``sessions`` by a cookie."""

    access: Access
    sessions: Sessions

    async def user(self, head: Wire, peer: str | None, client: Client | None) -> User:
        """Who shows a name and a password. Raises ``Refusal`` (401, 503), ``Gone``."""
        decided = self.access.judge(head, peer)
        return self.access.user(await turn_at(decided, ASYNCIO, client)) if isinstance(decided, Future) else decided


LOGIN = "/login"
"""The page to log in at."""
STATIC = "/static/"
"""What the paths of styles and scripts begin with; they are for everybody."""
_REST = (f"{API}/", "/metrics", "/livez", "/readyz")


def admin_app(gateway: Gateway, *, clock: Callable[[], float] = time.time, pages: Pages | None = None) -> Any:
    """The ASGI application of the admin listener. ``clock`` gives seconds since 1970.

    Raises ``ValueError`` for an admin_username without a password.
    """
    door = Door(
        Access(gateway.settings, gateway.authenticator),
        Sessions(gateway.settings, gateway.database, gateway.clock, gateway.page_secret),
    )
    crowd = WaiterCount()
    endpoints = endpoints_of(ROUTES, lambda route: _endpoint(gateway, clock, crowd, route))
    rest = starlette_app(endpoints, {HTTPException: _refused_by_routing, Exception: _failed})
    return _AccessCheck(rest, pages(door) if pages is not None else rest, door)


def _endpoint(gateway: Gateway, clock: Callable[[], float], crowd: WaiterCount, route: Route) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            user = request.state.user
            if route.operator and not user.is_operator:
                raise Refusal(403, "this is for the operator alone; ask as admin_username")
            parameters, body = await read(request, route)
            asked = AdminRequest(
                gateway=gateway,
                user=user,
                clock=clock,
                parameters=parameters,
                body=body,
                gone=request.is_disconnected,
                crowd=crowd,
            )
            return await answered(route, asked)
        except Refusal as error:
            return refused(error)
        except TooSlow as error:
            return refused(Refusal(400, str(error)))
        except StoreError as error:
            _LOG.error("%s %s was not done: %s", route.method, route.path, error)
            if error.of_value:  # the same again would fail again
                return refused(Refusal(400, "a value of the request cannot be kept"))
            after = ("Retry-After", str(gateway.settings.capacity.retry_after))
            return refused(Refusal(503, f"{error.reason}; try again", after))
        except Gone:  # nobody is left to read this
            return Response(status_code=400)

    return endpoint


def log_refusal(scope: Scope, head: Wire, error: Refusal) -> None:
    """Log who was not let in: with the name that ``head`` gives, never with the password."""
    who = asker(head, None, peer_of(scope), asked=True)
    # whoever is not let in can have it said as often as he likes
    seldom = {"seldom": f"admin refused {error.status}"}
    what = f"{scope['method']} {printable(scope['path'])[:100]}"
    _LOG.info("the admin listener refused %s of %s: %s; answered HTTP %d", what, who, error, error.status, extra=seldom)


def refused(error: Refusal) -> Response:
    """A refusal, as JSON."""
    return JSONResponse(Error(error=str(error)).as_dict(), error.status, dict(error.headers))


async def _refused_by_routing(request: Request, error: Exception) -> Response:
    failure = cast(HTTPException, error)
    words = {
        404: "nothing is served under this path; GET /api/v1/openapi.json tells what is",
        405: "this method does nothing here; the Allow field tells which do",
    }
    said = words.get(failure.status_code, HTTPStatus(failure.status_code).phrase)
    return JSONResponse(Error(error=said).as_dict(), failure.status_code, dict(failure.headers or {}))


async def _failed(request: Request, error: Exception) -> Response:
    said = "this failed, by no fault of the request; the gateway's log tells why"
    return JSONResponse(Error(error=said).as_dict(), 500)


class _AccessCheck:
    """Lets in whom the door lets in, and puts on every answer what it should always have.

    Who asks is in ``scope["state"]["user"]``, and the session of a browser in ``scope["state"]["session"]``. ``pages``
    answers what ``rest`` does not.
    """

    def __init__(self, rest: Any, pages: Any, door: Door) -> None:
        self._rest = rest
        self._pages = pages
        self._door = door
        self._open = {one.path for one in ROUTES if one.public}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return

        path, sending, client = scope["path"], with_always(send), client_of(scope)
        is_rest = path.startswith(_REST)
        app = self._rest if is_rest else self._pages
        is_open = path in self._open or (app is not self._rest and (path == LOGIN or path.startswith(STATIC)))
        scope = {**scope, "state": {"user": None, "session": None}}
        try:
            self._door.access.check(head_of(scope), is_open=is_open)
            if not is_open:
                await self._let_in(scope, client)
        except Refusal as error:
            log_refusal(scope, head_of(scope), error)
            answer = _to_login(scope) if error.status == 401 and app is not self._rest else None
            await (answer or refused(error))(scope, receive, sending)  # type: ignore[arg-type]
            return
        except StoreError as error:
            _LOG.error("whether somebody is logged in is not known: %s", error)
            await refused(Refusal(503, f"{error.reason}; try again"))(scope, receive, sending)  # type: ignore[arg-type]
            return
        except Gone:
            return
        if client is not None and not is_open:
            client.recognised()
        await app(scope, receive, sending)

    async def _let_in(self, scope: Scope, client: Client | None) -> None:
        """Raises ``Refusal`` for who may not come in, ``Gone`` for who did not wait until that was known."""
        head, state, door = head_of(scope), scope["state"], self._door
        if door.access.asks and head.header("Authorization") is None:
            found = await run_in_threadpool(door.sessions.find, head)
            if found is not None and door.access.welcomes(found.user, head, peer_of(scope)):
                if head.method not in ("GET", "HEAD") and scope["path"].startswith(_REST):
                    words = "a browser's log-in changes nothing here: use the pages, or show name and password"
                    raise Refusal(403, words)
                state["user"], state["session"] = found.user, found
                return
        state["user"] = await door.user(head, peer_of(scope), client)


def _to_login(scope: Scope) -> Response | None:
    """Where a browser that asks for a page is sent; None for what is no browser.

    What a page loads besides is refused without a challenge to Basic, by which the browser would ask for a password.
    """
    head = head_of(scope)
    if (head.header("Sec-Fetch-Mode") or "navigate").strip().lower() != "navigate":
        return JSONResponse(Error(error="log in again").as_dict(), 401, {"WWW-Authenticate": 'Cookie realm="mm7zeep"'})
    if scope["method"] not in ("GET", "HEAD") or "text/html" not in (head.header("Accept") or ""):
        return None
    wanted = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
    return RedirectResponse(f"{LOGIN}?{urlencode({'next': wanted})}", 303)
