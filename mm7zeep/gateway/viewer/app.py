"""The pages as one ASGI application behind the door of the admin listener.

Whatever is refused is answered on a page that says what is wrong and how to put it right.
"""

from __future__ import annotations

import functools
import inspect
import logging
import re
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mm7zeep.errors import LocalError
from mm7zeep.gateway.admin.app import LOGIN, STATIC, Door, admin_app
from mm7zeep.gateway.admin.user import User
from mm7zeep.gateway.rest.request import MOST
from mm7zeep.gateway.store.bounded import TooSlow
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.gateway.viewer import live, login
from mm7zeep.gateway.viewer.forms import NO_FORM, SMALL, FormRoom, read_form
from mm7zeep.gateway.viewer.page_request import PageRequest, own_path
from mm7zeep.gateway.viewer.previews import Previews
from mm7zeep.gateway.viewer.rendering import Templates
from mm7zeep.gateway.viewer.routes import AT_A_TIME, PAGES, Page
from mm7zeep.gateway.viewer.static_files import StaticFiles
from mm7zeep.receiver import Gone, Refusal
from mm7zeep.receiver.replies import printable

if TYPE_CHECKING:
    from mm7zeep.gateway.gateway import Gateway

_LOG = logging.getLogger("mm7zeep.gateway")
_NOBODY = User("nobody", "")
_REST_HINT = re.compile(r"; (?:GET|POST|PUT|DELETE) /api/v1/[^;]*$")  # what a refusal says to programs at its end
_PARENT = re.compile(
    r"(/messages/[^/]+|/callbacks(?:/[0-9]+)?|/endpoints|/conversations|/compose|/chaos|/handsets)(?:/|$)"
)


def listener_app(gateway: Gateway, *, clock: Callable[[], float] = time.time) -> Any:
    """The ASGI application of the admin listener: the REST API, and the pages. ``clock`` gives seconds since 1970.

    Raises ``ValueError`` for an admin_username without a password.
    """
    return admin_app(gateway, clock=clock, pages=lambda door: _Viewer(gateway, door).app())


@functools.cache
def _files_and_templates() -> tuple[StaticFiles, Templates]:
    """They are the same for every gateway of a process: packed and compiled once."""
    files = StaticFiles()
    return files, Templates(files)


class _Viewer:
    """What all pages share."""

    def __init__(self, gateway: Gateway, door: Door) -> None:
        self._gateway = gateway
        self._door = door
        self._files, self._templates = _files_and_templates()
        self._previews = Previews()
        gateway.when_closed(self._previews.close)
        self._room = FormRoom()
        self._limiters = {
            (what, is_operator): CapacityLimiter(count)
            for what, count in AT_A_TIME.items()
            for is_operator in (True, False)
        }

    def app(self) -> Any:
        """The ASGI application."""
        by_path: dict[str, dict[str, Page]] = {}
        for one in PAGES:
            by_path.setdefault(one.path, {})[one.method] = one
        routes = [Route(path, self._endpoint(rows), methods=list(rows)) for path, rows in by_path.items()]
        changes = live.Changes(self._gateway, self._door.sessions)
        app = Starlette(
            routes=[
                *routes,
                Route(LOGIN, self._login, methods=["GET", "POST"]),
                Route("/logout", self._logout, methods=["POST"]),
                Route("/events", changes.stream, methods=["GET"]),
                Route(f"{STATIC}{{version}}/{{name}}", self._static, methods=["GET"]),
            ],
            exception_handlers=cast(Any, {HTTPException: self._refused_by_routing, Exception: self._failed}),
        )
        app.router.redirect_slashes = False  # where to, the Host field would say
        return app

    # --- pages --------------------------------------------------------------------------------------------------------

    def _endpoint(self, rows: dict[str, Page]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            page = rows["GET" if request.method == "HEAD" else request.method]
            return await self._guarded(request, lambda asked: self._answer(request, page, asked))

        return endpoint

    async def _answer(self, request: Request, page: Page, asked: PageRequest) -> Response:
        if page.operator and not asked.user.is_operator:
            raise Refusal(403, "this page is for the operator alone")
        if inspect.iscoroutinefunction(page.function):
            return cast(Response, await page.function(asked))
        if page.takes is None:
            return await run_in_threadpool(page.function, asked)
        limiter = self._limiters[page.takes, asked.user.is_operator]
        return await to_thread.run_sync(page.function, asked, limiter=limiter)

    async def _login(self, request: Request) -> Response:
        return await self._guarded(request, lambda asked: login.answer(asked, self._door, request))

    async def _logout(self, request: Request) -> Response:
        async def answer(asked: PageRequest) -> Response:
            return await run_in_threadpool(login.log_out, self._door, asked)

        return await self._guarded(request, answer)

    async def _static(self, request: Request) -> Response:
        try:
            accepted = request.headers.get("Accept-Encoding", "")
            return self._files.answer(request.path_params["version"], request.path_params["name"], accepted=accepted)
        except Refusal as error:
            return Response(str(error), error.status, media_type="text/plain")

    async def _guarded(self, request: Request, answer: Callable[[PageRequest], Awaitable[Response]]) -> Response:
        asked = self._asked(request)
        most = MOST if request.state.user is not None else SMALL
        try:
            if request.method != "POST":
                return await answer(asked)
            async with self._room.taken(request, most):
                asked = self._asked(request, await read_form(request, asked.csrf, most))
                return await answer(asked)
        except Refusal as error:
            return _refused(asked, error, request.method)
        except LocalError as error:
            return _refused(asked, Refusal(400, str(error)), request.method)
        except TooSlow as error:
            return _refused(asked, Refusal(400, str(error)), request.method)
        except StoreError as error:
            _LOG.error("%s %s was not done: %s", request.method, printable(request.url.path)[:100], error)
            if error.of_value:  # the same again would fail again
                return _refused(asked, Refusal(400, "something in this cannot be kept; change it"), request.method)
            after = ("Retry-After", str(self._gateway.settings.capacity.retry_after))
            return _refused(asked, Refusal(503, f"{error.reason}; try again", after), request.method)
        except Gone:  # nobody is left to read this
            return Response(status_code=400)

    def _asked(self, request: Request, form: Any = NO_FORM) -> PageRequest:
        session = request.state.session
        return PageRequest(
            gateway=self._gateway,
            templates=self._templates,
            previews=self._previews,
            user=request.state.user or _NOBODY,
            session=session,
            csrf=self._door.sessions.csrf(session, request.state.user),
            logs_in=self._door.access.asks,
            path=request.url.path,
            parameters=request.path_params,
            query=request.query_params,
            headers=request.headers,
            form=form,
        )

    # --- refusals -----------------------------------------------------------------------------------------------------

    async def _refused_by_routing(self, request: Request, error: Exception) -> Response:
        failure = cast(HTTPException, error)
        words = {404: "there is no such page", 405: "this page does nothing of that kind"}
        said = words.get(failure.status_code, HTTPStatus(failure.status_code).phrase)
        return _refused(self._asked(request), Refusal(failure.status_code, said, *(failure.headers or {}).items()))

    async def _failed(self, request: Request, error: Exception) -> Response:
        said = "this failed, by no fault of yours; the gateway's log tells why"
        return _refused(self._asked(request), Refusal(500, said))


def _refused(asked: PageRequest, error: Refusal, method: str = "GET") -> Response:
    answer = asked.page(
        "error.html",
        status=error.status,
        title=HTTPStatus(error.status).phrase,
        words=_REST_HINT.sub("", str(error)),
        back=_back(asked, method) if error.status != 404 else None,
    )
    answer.headers.update(dict(error.headers))
    return answer


def _back(asked: PageRequest, method: str) -> str | None:
    """The page that a refused request came from, or belongs to; None where that is the refused one itself."""
    found = _PARENT.match(asked.path)
    back = own_path(asked.form.text("back")) or (found[1] if found is not None else None)
    return None if method != "POST" and back == asked.path else back
