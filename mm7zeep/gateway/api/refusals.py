"""Answers for what went wrong at the listener for programs, in the form of whoever is asked, and what the log says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mm7zeep import masking
from mm7zeep.errors import StatusError
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.rest.app import Endpoint
from mm7zeep.gateway.rest.json_response import JSONResponse
from mm7zeep.gateway.rest.scope import head_of, peer_of
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.receiver import Gone, Refusal, Scope
from mm7zeep.receiver.refused import asker
from mm7zeep.receiver.replies import printable

_LOG = logging.getLogger("mm7zeep.gateway")
_REASON = 300  # characters of a reason in the log


class Told(Protocol):
    """A refusal in some form: what is written of it, and the code of its cause."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Sequence[tuple[str, str]]: ...

    @property
    def code(self) -> object: ...

    @property
    def body(self) -> dict[str, Any]: ...


class Refusals:
    """Makes answers of exceptions, and says so in the log.

    ``told`` puts an exception into the form, which goes out as ``media_type``; ``absent`` and ``method`` are what a
    path and a method that are not served are answered. ``name`` is that of the API in the log.
    """

    def __init__(
        self,
        settings: Settings,
        told: Callable[[Exception], Told],
        *,
        name: str,
        media_type: str = "application/json",
        absent: Callable[[str], Refusal],
        method: Callable[..., Refusal],
    ) -> None:
        self._after = ("Retry-After", str(settings.capacity.retry_after))
        self._show_numbers = settings.show_numbers
        self._told = told
        self._name = name
        self._media_type = media_type
        self._absent = absent
        self._method = method

    def guarded(self, called: str, endpoint: Endpoint) -> Endpoint:
        """``endpoint``, whose exceptions become answers; spans, metrics and the log know its requests as ``called``."""

        async def guarding(request: Request) -> Response:
            request.state.called = called
            try:
                return await endpoint(request)
            except Gone:  # nobody is left to read this
                return Response(status_code=400)
            except Exception as error:  # noqa: BLE001  every one is answered, and the unexpected ones are logged
                return self.of(request.scope, error)

        return guarding

    def of(self, scope: Scope, error: Exception) -> Response:
        """The answer that an exception stands for."""
        called = scope["state"]["called"]
        if isinstance(error, StoreError):
            _LOG.error("%s was not done: %s", called, error)
        elif not isinstance(error, Refusal | StatusError):
            _LOG.error("answering %s failed", called, exc_info=error)
        told = self._told(error)
        self._say(scope, told)
        answer = JSONResponse(told.body, told.status, media_type=self._media_type)
        for name, value in told.headers:
            answer.headers.append(name, value)
        if told.status == 503:
            answer.headers.setdefault(*self._after)
        return answer

    async def by_routing(self, request: Request, error: Exception) -> Response:
        """The answer where no row of the table fits."""
        failure = cast(HTTPException, error)
        if failure.status_code == 405:
            return self.of(request.scope, self._method(*(failure.headers or {}).items()))
        return self.of(request.scope, self._absent(request.url.path))

    def _say(self, scope: Scope, told: Told) -> None:
        """One line that says what was refused, to whom, why, and what was answered."""
        user = scope["state"]["user"]
        who = asker(head_of(scope), user, peer_of(scope), asked=True)
        what = scope["state"]["called"] or f"{scope['method']} {printable(scope['path'])[:100]}"
        why = masking.masked(printable(str(told))[:_REASON], show_numbers=self._show_numbers)
        # whoever is let in nowhere can have it said as often as he likes
        stranger = {"seldom": f"{self._name} refused {told.status}"} if user is None else {}
        text = "%s refused %s of %s: %s; answered HTTP %d, %s"
        _LOG.info(text, self._name, what, who, why, told.status, told.code, extra=stranger)
