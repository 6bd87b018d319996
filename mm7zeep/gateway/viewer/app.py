"""The pages as one ASGI application of the admin listener.

Whatever is refused is answered on a page that says what is wrong and how to put it right.
"""

from __future__ import annotations

import functools
import inspect
import re
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mm7zeep.errors import LocalError
from mm7zeep.gateway.admin.app import LOGIN, STATIC, admin_app
from mm7zeep.gateway.admin.authentication import Authentication
from mm7zeep.gateway.admin.database_refusal import database_refusal
from mm7zeep.gateway.admin.user import User
from mm7zeep.gateway.rest.app import Endpoint, endpoints_of, starlette_app
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

_NOBODY = User("nobody", "")
_REST_HINT = re.compile(r"; (?:GET|POST|PUT|DELETE) /api/v1/[^;]*$")  # what a refusal says to programs at its end
_PARENT = re.compile(
    r"(/messages/[^/]+|/callbacks(?:/[0-9]+)?|/endpoints|/conversations|/compose|/chaos|/handsets)(?:/|$)"
)


def listener_app(gateway: Gateway, *, clock: Callable[[], float] = time.time) -> Any:
    """The ASGI application of the admin listener: the REST API, and the pages. ``clock`` gives seconds since 1970.

    Raises ``ValueError`` for an admin_username without a password.
    """
    return admin_app(gateway, clock=clock, pages=lambda authentication: _Viewer(gateway, authentication).app())


@functools.cache
def _files_and_templates() -> tuple[StaticFiles, Templates]:
    """They are the same for every gateway of a process: packed and compiled once."""
    files = StaticFiles()
    return files, Templates(files)


class _Viewer:
    """What all pages share."""

    def __init__(self, gateway: Gateway, authentication: Authentication) -> None:
        self._gateway = gateway
        self._authentication = authentication
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
        changes = live.Changes(self._gateway, self._authentication.sessions)
        endpoints = {
            **endpoints_of(PAGES, self._endpoint),
            LOGIN: {"GET": self._login, "POST": self._login},
            "/logout": {"POST": self._logout},
            "/events": {"GET": changes.stream},
            f"{STATIC}{{version}}/{{name}}": {"GET": self._static},
        }
        return starlette_app(endpoints, {HTTPException: self._refused_by_routing, Exception: self._failed})

    # --- pages --------------------------------------------------------------------------------------------------------

    def _endpoint(self, page: Page) -> Endpoint:
        async def endpoint(request: Request) -> Response:
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
        return await self._guarded(request, lambda asked: login.answer(asked, self._authentication, request))

    async def _logout(self, request: Request) -> Response:
        async def answer(asked: PageRequest) -> Response:
            return await run_in_threadpool(login.log_out, asked, self._authentication.sessions)

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
        except (LocalError, TooSlow) as error:
            return _refused(asked, Refusal(400, str(error)), request.method)
        except StoreError as error:
            what = f"{request.method} {printable(request.url.path)[:100]}"
            return _refused(asked, database_refusal(error, self._gateway.settings, what), request.method)
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
            csrf=self._authentication.sessions.csrf(session, request.state.user),
            logs_in=self._authentication.access.needs_password,
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
