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
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mm7zeep.exchange import Wire
from mm7zeep.gateway.admin.access import Access
from mm7zeep.gateway.admin.authentication import Authentication
from mm7zeep.gateway.admin.database_refusal import database_refusal
from mm7zeep.gateway.admin.outputs import Error
from mm7zeep.gateway.admin.request import AdminRequest, WaiterCount
from mm7zeep.gateway.admin.routes import API, ROUTES
from mm7zeep.gateway.admin.sessions import Sessions
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.rest.app import Endpoint, answered, endpoints_of, starlette_app
from mm7zeep.gateway.rest.headers import with_always
from mm7zeep.gateway.rest.json_response import JSONResponse
from mm7zeep.gateway.rest.request import read
from mm7zeep.gateway.rest.route import Route
from mm7zeep.gateway.rest.scope import client_of, head_of, peer_of
from mm7zeep.gateway.store.bounded import TooSlow
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.receiver import Gone, Receive, Refusal, Scope, Send
from mm7zeep.receiver.refused import asker
from mm7zeep.receiver.replies import printable

_LOG = logging.getLogger("mm7zeep.gateway")


Pages = Callable[[Authentication], Any]
"""Makes the ASGI application of all pages; who asks for them is known by then."""
LOGIN = "/login"
"""The page to log in at."""
STATIC = "/static/"
"""What the paths of styles and scripts begin with; they are for everybody."""
_REST = (f"{API}/", "/metrics", "/livez", "/readyz")


def admin_app(gateway: Gateway, *, clock: Callable[[], float] = time.time, pages: Pages | None = None) -> Any:
    """The ASGI application of the admin listener. ``clock`` gives seconds since 1970.

    Raises ``ValueError`` for an admin_username without a password.
    """
    authentication = Authentication(
        Access(gateway.settings, gateway.authenticator),
        Sessions(gateway.settings, gateway.database, gateway.clock, gateway.page_secret),
    )
    crowd = WaiterCount()
    endpoints = endpoints_of(ROUTES, lambda route: _endpoint(gateway, clock, crowd, route))
    rest = starlette_app(endpoints, {HTTPException: _refused_by_routing, Exception: _failed})
    return _AccessCheck(gateway, rest, pages(authentication) if pages is not None else rest, authentication)


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
            return refused(database_refusal(error, gateway.settings, f"{route.method} {route.path}"))
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
    """Lets in who may ask, as ``authentication`` says, and puts on every answer what it should always have.

    Who asks is in ``scope["state"]["user"]``, and the session of a browser in ``scope["state"]["session"]``. ``pages``
    answers what ``rest`` does not.
    """

    def __init__(self, gateway: Gateway, rest: Any, pages: Any, authentication: Authentication) -> None:
        self._settings = gateway.settings
        self._rest = rest
        self._pages = pages
        self._authentication = authentication
        self._public = {one.path for one in ROUTES if one.public}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return

        path, head, sending, client = scope["path"], head_of(scope), with_always(send), client_of(scope)
        is_rest = path.startswith(_REST)
        app = self._rest if is_rest else self._pages
        is_public = path in self._public or (app is not self._rest and (path == LOGIN or path.startswith(STATIC)))
        scope = {**scope, "state": {"user": None, "session": None}}
        try:
            self._authentication.access.check(head, is_public=is_public)
            if not is_public:
                found = await self._authentication.logged_in(head, peer_of(scope), client, is_rest=is_rest)
                scope["state"] = found._asdict()
        except Refusal as error:
            log_refusal(scope, head, error)
            answer = _to_login(scope) if error.status == 401 and app is not self._rest else None
            await (answer or refused(error))(scope, receive, sending)  # type: ignore[arg-type]
            return
        except StoreError as error:
            refusal = database_refusal(error, self._settings, "a look whether somebody is logged in")
            await refused(refusal)(scope, receive, sending)  # type: ignore[arg-type]
            return
        except Gone:
            return
        if client is not None and not is_public:
            client.recognised()
        await app(scope, receive, sending)


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
