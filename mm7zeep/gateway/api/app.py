"""The JSON API as one ASGI application of the table ``ROUTES``, behind the passwords, limits and admission of MM7.

Who asks is known before anything else is looked at. Whatever waits for the database waits in a thread, in the turn of
its application. Every refusal is a problem (RFC 9457) that says what is wrong and how to put it right.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from mm7zeep.gateway.api.access import ApiAccess
from mm7zeep.gateway.api.bodies import read_body
from mm7zeep.gateway.api.problems import MEDIA_TYPE, Problem
from mm7zeep.gateway.api.refusals import Refusals
from mm7zeep.gateway.api.request import ApiRequest, Services
from mm7zeep.gateway.api.routes import ROUTES
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.rest.authenticated import Authenticated
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.rest.headers import head_of
from mm7zeep.gateway.rest.json_response import JSONResponse
from mm7zeep.gateway.rest.output import Output
from mm7zeep.gateway.rest.request import parameters
from mm7zeep.gateway.rest.route import Route
from mm7zeep.receiver import CLIENT, Gone, Scope
from mm7zeep.receiver.handlers import Observe


def api_app(services: Services, access: ApiAccess, *, observe: Observe) -> Any:
    """The ASGI application of the API, behind ``access``. ``observe`` is called with each answer."""
    refusals = Refusals(
        services.settings, Problem.of, name="the API", media_type=MEDIA_TYPE, absent=_absent, method=_method
    )
    paths: dict[str, list[Route]] = {}
    for one in ROUTES:
        paths.setdefault(one.path, []).append(one)
    app = Starlette(
        routes=[
            StarletteRoute(path, _endpoint(services, refusals, routes), methods=[one.method for one in routes])
            for path, routes in paths.items()
        ],
        exception_handlers={HTTPException: refusals.by_routing},
    )
    app.router.redirect_slashes = False  # where to, the Host field would say

    async def let_in(scope: Scope) -> str:
        client = (scope.get("extensions") or {}).get(CLIENT)
        peer = scope["client"][0] if scope.get("client") else None
        application = await access.application(head_of(scope), peer, client)
        if client is not None:
            client.recognised()
        return application.name

    public = [one.path for one in ROUTES if one.public]
    return Authenticated(
        app, let_in=let_in, refused=refusals.of, observe=observe, tracing=services.tracing, public=public
    )


def _endpoint(services: Services, refusals: Refusals, routes: list[Route]) -> Callable[[Request], Awaitable[Response]]:
    rows = {one.method: one for one in routes}

    async def endpoint(request: Request) -> Response:
        route = rows[cast(Any, "GET" if request.method == "HEAD" else request.method)]
        request.state.called = f"{route.method} {route.path}"
        try:
            with ExitStack() as held:
                asked: ApiRequest[Any, Any] = ApiRequest(
                    services=services,
                    application=cast(Application, services.settings.application(request.state.user)),
                    parameters=parameters(request, route),
                    body=Nothing(),
                    client=(request.scope.get("extensions") or {}).get(CLIENT),
                )
                if route.body is not None:
                    asked = await read_body(request, asked, held)
                return await _answered(route, asked)
        except Gone:  # nobody is left to read this
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001  every one is answered, and the unexpected ones are logged
            return refusals.of(request.scope, error)

    return endpoint


async def _answered(route: Route, asked: ApiRequest[Any, Any]) -> Response:
    if inspect.iscoroutinefunction(route.function):
        return _response(route, await route.function(asked))
    async with asked.services.shares.threads.of(asked.application.name):
        return await run_in_threadpool(lambda: _response(route, route.function(asked)))


def _response(route: Route, answer: object) -> Response:
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, Output):
        return JSONResponse(answer.as_dict(), route.status)
    return Response(status_code=route.status)


def _absent(path: str) -> Problem:
    return Problem("not-found", "nothing is served under this path; GET /v1/openapi.json tells what is")


def _method(*headers: tuple[str, str]) -> Problem:
    return Problem("method-not-allowed", "this method does nothing here; the Allow field tells which do", *headers)
