"""The JSON API as one ASGI application of the table ``ROUTES``, behind the passwords, limits and admission of MM7.

Who asks is known before anything else is looked at. Whatever waits for the database waits in a thread, in the turn of
its application. Every refusal is a problem (RFC 9457) that says what is wrong and how to put it right.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from mm7zeep import masking
from mm7zeep.errors import StatusError
from mm7zeep.gateway.api.access import ApiAccess
from mm7zeep.gateway.api.bodies import read_body
from mm7zeep.gateway.api.problems import MEDIA_TYPE, Problem
from mm7zeep.gateway.api.request import ApiRequest, Services
from mm7zeep.gateway.api.routes import ROUTES
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.rest.door import Door
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.rest.headers import head_of
from mm7zeep.gateway.rest.json_response import JSONResponse
from mm7zeep.gateway.rest.output import Output
from mm7zeep.gateway.rest.request import parameters
from mm7zeep.gateway.rest.route import Route
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.receiver import CLIENT, Gone, Refusal, Scope
from mm7zeep.receiver.handlers import Observe
from mm7zeep.receiver.refused import asker
from mm7zeep.receiver.replies import printable

_LOG = logging.getLogger("mm7zeep.gateway")
_REASON = 300  # characters of a reason in the log


def api_app(services: Services, access: ApiAccess, *, observe: Observe) -> Any:
    """The ASGI application of the API, behind ``access``. ``observe`` is called with each answer."""
    refusals = _Refusals(services.settings)
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
    return Door(app, let_in=let_in, refused=refusals.of, observe=observe, tracing=services.tracing, public=public)


def _endpoint(services: Services, refusals: _Refusals, routes: list[Route]) -> Callable[[Request], Awaitable[Response]]:
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


class _Refusals:
    """Answers for what went wrong, and says so in the log."""

    def __init__(self, settings: Settings) -> None:
        self._after = ("Retry-After", str(settings.capacity.retry_after))
        self._show_numbers = settings.show_numbers

    def of(self, scope: Scope, error: Exception) -> Response:
        """The answer that an exception stands for."""
        called = scope["state"]["called"]
        told: Exception = error
        if isinstance(error, StoreError):
            _LOG.error("%s was not done: %s", called, error)
            told = (
                Problem("invalid-value", "a value of the request cannot be kept")  # the same again would fail again
                if error.of_value
                else Problem("unavailable", f"{error.reason}; send it again")
            )
        elif not isinstance(error, Refusal | StatusError):
            _LOG.error("answering %s failed", called, exc_info=error)
        problem = Problem.of(told)
        self._say(scope, problem)
        answer = JSONResponse(problem.body, problem.status, media_type=MEDIA_TYPE)
        for name, value in problem.headers:
            answer.headers.append(name, value)
        if problem.status == 503:
            answer.headers.setdefault(*self._after)
        return answer

    async def by_routing(self, request: Request, error: Exception) -> Response:
        """The answer where no row of the table fits."""
        failure = cast(HTTPException, error)
        if failure.status_code == 405:
            words = "this method does nothing here; the Allow field tells which do"
            return self.of(request.scope, Problem("method-not-allowed", words, *(failure.headers or {}).items()))
        words = "nothing is served under this path; GET /v1/openapi.json tells what is"
        return self.of(request.scope, Problem("not-found", words))

    def _say(self, scope: Scope, problem: Problem) -> None:
        """Log what was refused: one line that says what, from whom, why, and what was answered."""
        user, client = scope["state"]["user"], scope.get("client")
        who = asker(head_of(scope), user, client[0] if client else None, asked=True)
        what = scope["state"]["called"] or f"{scope['method']} {printable(scope['path'])[:100]}"
        why = masking.masked(printable(str(problem))[:_REASON], show_numbers=self._show_numbers)
        # whoever is let in nowhere can have it said as often as he likes
        stranger = {"seldom": f"api refused {problem.status}"} if user is None else {}
        text = "the API refused %s of %s: %s; answered HTTP %d, %s"
        _LOG.info(text, what, who, why, problem.status, problem.code, extra=stranger)
