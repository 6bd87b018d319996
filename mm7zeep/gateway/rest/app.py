"""A table of routes as an ASGI application, and what their functions give as answers. Refuses nothing by itself."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Protocol, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from mm7zeep.gateway.rest.json_response import JSONResponse
from mm7zeep.gateway.rest.output import Output
from mm7zeep.gateway.rest.route import Route

Endpoint = Callable[[Request], Awaitable[Response]]
Endpoints = Mapping[str, Mapping[str, Endpoint]]
"""By path and method."""


class Row(Protocol):
    """A row of a table of routes, or of pages."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...


R = TypeVar("R", bound=Row)


def endpoints_of(routes: Sequence[R], endpoint: Callable[[R], Endpoint]) -> Endpoints:
    """What ``endpoint`` makes of each row."""
    found: dict[str, dict[str, Endpoint]] = {}
    for one in routes:
        found.setdefault(one.path, {})[one.method] = endpoint(one)
    return found


def starlette_app(endpoints: Endpoints, exception_handlers: Mapping[Any, Any]) -> Starlette:
    """The application of these endpoints; HEAD is answered as GET is."""
    app = Starlette(
        routes=[StarletteRoute(path, _by_method(rows), methods=list(rows)) for path, rows in endpoints.items()],
        exception_handlers=exception_handlers,
    )
    app.router.redirect_slashes = False  # where to, the Host field would say
    return app


def _by_method(rows: Mapping[str, Endpoint]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await rows["GET" if request.method == "HEAD" else request.method](request)

    return endpoint


async def answered(
    route: Route, asked: Any, turn: Callable[[], AbstractAsyncContextManager[Any]] = nullcontext
) -> Response:
    """What the function of a route answers: in the event loop if it is a coroutine function, otherwise in a thread,
    within the context that ``turn`` gives.
    """
    if inspect.iscoroutinefunction(route.function):
        return _response(route, await route.function(asked))
    async with turn():
        return await run_in_threadpool(lambda: _response(route, route.function(asked)))


def _response(route: Route, answer: object) -> Response:
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, Output):
        return JSONResponse(answer.as_dict(), route.status)
    return Response(status_code=route.status)
