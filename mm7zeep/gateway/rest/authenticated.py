"""An ASGI application behind authentication: requests of who is not known never reach it. Each has a span, is counted,
and gets the header fields that every answer has.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from starlette.responses import Response
from starlette.routing import compile_path

from mm7zeep.gateway.rest.headers import with_always
from mm7zeep.receiver import Gone, Receive, Scope, Send
from mm7zeep.receiver.handlers import Observe
from mm7zeep.tracing import Span, Tracing, known_method


class Authenticated:
    """An ASGI application behind which ``app`` stands.

    ``let_in`` gives the name of who asks, or raises what ``refused`` makes an answer of; paths in ``public`` ask
    nobody. The name is put into ``scope["state"]["user"]``; ``observe`` is called with each answer, under what the
    inner application has put into ``scope["state"]["called"]``. Each request has a span.
    """

    def __init__(
        self,
        app: Any,
        *,
        let_in: Callable[[Scope], Awaitable[str]],
        refused: Callable[[Scope, Exception], Response],
        observe: Observe,
        tracing: Tracing,
        public: Collection[str] = (),
    ) -> None:
        self._app = app
        self._let_in = let_in
        self._refused = refused
        self._observe = observe
        self._tracing = tracing
        self._public = [compile_path(one)[0] for one in public]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._tracing.asgi_request("HTTP", scope["headers"]) as span:
            await self._answer(scope, receive, send, span)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, span: Span) -> None:
        begun = time.monotonic()
        state: dict[str, Any] = {"user": None, "called": None}
        scope = {**scope, "state": state}
        status = 500
        sending = with_always(send)

        async def noting(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await sending(message)

        app = self._app
        try:
            if not any(one.match(scope["path"]) for one in self._public):
                state["user"] = await self._let_in(scope)
        except Gone:
            span.fail("disconnected")
            return
        except Exception as error:  # noqa: BLE001  every one is answered, and the unexpected ones are logged
            app = self._refused(scope, error)
        try:
            await app(scope, receive, noting)
        finally:
            _tell(span, scope, status)
            self._observe(state["called"], None, status, time.monotonic() - begun, state["user"])


def _tell(span: Span, scope: Scope, status: int) -> None:
    """Tell of a request how it was answered."""
    method, called = known_method(scope["method"]), scope["state"]["called"]
    span.rename(called or ("HTTP" if method == "_OTHER" else method))
    span.set(
        {
            "http.request.method": method,
            "http.route": called.partition(" ")[2] if called is not None else None,
            "http.response.status_code": status,
            "mm7.application": scope["state"]["user"],
        }
    )
    if status >= 500:
        span.fail(str(status))
