"""The admin listener: health, metrics and the REST API, as one ASGI application of the table ``ROUTES``.

Each request is judged by the models of its row. Everything that waits for the database waits in a thread; the event
loop only reads requests. Refuses what ``access`` and ``request`` refuse; every refusal is JSON that says what is wrong
and how to put it right.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mm7zeep.gateway.admin.access import Access, wrong
from mm7zeep.gateway.admin.outputs import Error
from mm7zeep.gateway.admin.request import AdminRequest, WaiterCount
from mm7zeep.gateway.admin.routes import ROUTES
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.rest.app import Endpoint, answered, endpoints_of, starlette_app
from mm7zeep.gateway.rest.headers import with_always
from mm7zeep.gateway.rest.json_response import JSONResponse
from mm7zeep.gateway.rest.request import read
from mm7zeep.gateway.rest.route import Route
from mm7zeep.gateway.rest.scope import client_of, head_of, peer_of
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.receiver import Client, Gone, Receive, Refusal, Scope, Send
from mm7zeep.receiver.refused import asker
from mm7zeep.receiver.replies import printable
from mm7zeep.receiver.waiting import ASYNCIO, turn_at

_LOG = logging.getLogger("mm7zeep.gateway")


def admin_app(gateway: Gateway, *, clock: Callable[[], float] = time.time) -> Any:
    """The ASGI application of the admin listener. ``clock`` gives seconds since 1970.

    Raises ``ValueError`` for an admin_username without a password.
    """
    access, crowd = Access(gateway.settings), WaiterCount()
    endpoints = endpoints_of(ROUTES, lambda route: _endpoint(gateway, clock, crowd, route))
    app = starlette_app(endpoints, {HTTPException: _refused_by_routing, Exception: _failed})
    return _AccessCheck(app, access)


def _endpoint(gateway: Gateway, clock: Callable[[], float], crowd: WaiterCount, route: Route) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            parameters, body = await read(request, route)
            asked = AdminRequest(
                gateway=gateway,
                clock=clock,
                parameters=parameters,
                body=body,
                gone=request.is_disconnected,
                crowd=crowd,
            )
            return await answered(route, asked)
        except Refusal as error:
            return refused(error)
        except StoreError as error:
            _LOG.error("%s %s was not done: %s", route.method, route.path, error)
            if error.of_value:  # the same again would fail again
                return refused(Refusal(400, "a value of the request cannot be kept"))
            after = ("Retry-After", str(gateway.settings.capacity.retry_after))
            return refused(Refusal(503, f"{error.reason}; try again", after))
        except Gone:  # nobody is left to read this
            return Response(status_code=400)

    return endpoint


def _say(scope: Scope, error: Refusal) -> None:
    """Log who was not let in: with the name that was given, never with the password."""
    who = asker(head_of(scope), None, peer_of(scope), asked=True)
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
    """Lets in whom ``access`` lets in, and puts on every answer what it should always have."""

    def __init__(self, app: Any, access: Access) -> None:
        self._app = app
        self._access = access
        self._open = {one.path for one in ROUTES if one.public}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        sending = with_always(send)
        is_open = scope["path"] in self._open
        client = client_of(scope)
        try:
            await self._let_in(scope, client, is_open=is_open)
        except Refusal as error:
            _say(scope, error)
            await refused(error)(scope, receive, sending)  # type: ignore[arg-type]
            return
        except Gone:
            return
        if client is not None and not is_open:
            client.recognised()
        await self._app(scope, receive, sending)

    async def _let_in(self, scope: Scope, client: Client | None, *, is_open: bool) -> None:
        """Raises ``Refusal`` for who may not come in, ``Gone`` for who did not wait until that was known."""
        waiting = self._access.judge(head_of(scope), peer_of(scope), is_open=is_open)
        if waiting is not None and await turn_at(waiting, ASYNCIO, client) is None:
            raise wrong()
