"""The JSON API as one ASGI application of the table ``ROUTES``, behind the passwords, limits and admission of MM7.

Who asks is known before anything else is looked at. Whatever waits for the database waits in a thread, in the turn of
its application. Every refusal is a problem (RFC 9457) that says what is wrong and how to put it right.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mm7zeep.gateway.api.access import ApiAccess
from mm7zeep.gateway.api.bodies import read_body
from mm7zeep.gateway.api.problems import MEDIA_TYPE, Problem
from mm7zeep.gateway.api.refusals import Refusals
from mm7zeep.gateway.api.request import ApiRequest, Services
from mm7zeep.gateway.api.routes import ROUTES
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.rest.app import Endpoint, answered, endpoints_of, starlette_app
from mm7zeep.gateway.rest.authenticated import Authenticated
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.rest.request import parameters
from mm7zeep.gateway.rest.route import Route
from mm7zeep.gateway.rest.scope import client_of, head_of, peer_of
from mm7zeep.receiver import Scope
from mm7zeep.receiver.handlers import Observe


def api_app(services: Services, access: ApiAccess, *, observe: Observe) -> Any:
    """The ASGI application of the API, behind ``access``. ``observe`` is called with each answer."""
    refusals = Refusals(
        services.settings, Problem.of, name="the API", media_type=MEDIA_TYPE, absent=_absent, method=_method
    )

    def endpoint(route: Route) -> Endpoint:
        return refusals.guarded(f"{route.method} {route.path}", _endpoint(services, route))

    app = starlette_app(endpoints_of(ROUTES, endpoint), {HTTPException: refusals.by_routing})

    async def let_in(scope: Scope) -> str:
        client = client_of(scope)
        application = await access.application(head_of(scope), peer_of(scope), client)
        if client is not None:
            client.recognised()
        return application.name

    public = [one.path for one in ROUTES if one.public]
    return Authenticated(
        app, let_in=let_in, refused=refusals.of, observe=observe, tracing=services.tracing, public=public
    )


def _endpoint(services: Services, route: Route) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        with ExitStack() as held:
            asked: ApiRequest[Any, Any] = ApiRequest(
                services=services,
                application=cast(Application, services.settings.application(request.state.user)),
                parameters=parameters(request, route),
                body=Nothing(),
                client=client_of(request.scope),
            )
            if route.body is not None:
                asked = await read_body(request, asked, held)
            return await answered(route, asked, lambda: services.shares.threads.of(asked.application.name))

    return endpoint


def _absent(path: str) -> Problem:
    return Problem("not-found", "nothing is served under this path; GET /v1/openapi.json tells what is")


def _method(*headers: tuple[str, str]) -> Problem:
    return Problem("method-not-allowed", "this method does nothing here; the Allow field tells which do", *headers)
