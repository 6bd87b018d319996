"""The MM7 listener: one endpoint at ``/mm7``, which answers 503 where a request could not be kept, and makes the faults
that a test has asked for.

Refuses, with 404, whatever asks for another path.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from typing import Any

from mm7zeep.errors import StatusError
from mm7zeep.gateway.config.destination import upstream_name
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.mm7.admission import AdmissionControl
from mm7zeep.gateway.mm7.auth import GatewayAuthenticator
from mm7zeep.gateway.mm7.chaos import Chaos
from mm7zeep.gateway.mm7.refusal import refusal
from mm7zeep.gateway.mm7.turns import Shares
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.messages import Message, RSErrorRsp, VASPErrorRsp
from mm7zeep.receiver import AnswerForm, Call, Endpoint, Handler, PromptHandlers, Receive, Refusal, Scope, Send

PATH = "/mm7"
"""Where the MM7 listener stands; everything else is 404."""

_LOG = logging.getLogger("mm7zeep.gateway")


def endpoint(
    settings: Settings,
    handlers: Mapping[type[Message], Handler],
    prompt: Mapping[type[Message], Callable[[Call], Future[Any]]],
    *,
    authenticator: GatewayAuthenticator,
    shares: Shares,
    admission: AdmissionControl,
    chaos: Chaos,
    observe: Callable[[str | None, int | None, int, float, str | None], object],
) -> Endpoint:
    """The endpoint of a gateway: ``handlers``, and those that are ``prompt``, behind its passwords, its limits and its
    admission.
    """
    forms = {one.name: one.answer_form for one in settings.applications}
    return Endpoint(
        {kind: chaos.wrap(_guarded(handler, admission)) for kind, handler in handlers.items()},
        error=lambda user: RSErrorRsp if upstream_name(user) is None else VASPErrorRsp,
        auth=authenticator,
        policy=settings.policy,
        limits=settings.limits,
        http=settings.http,
        answers=lambda user: forms.get(user or "", AnswerForm(refusals="fault")),
        keep_raw=True,
        admission=admission.admit,
        turns=shares.threads.of,
        prompt=PromptHandlers(
            {kind: _guarded_prompt(one, admission, chaos) for kind, one in prompt.items()},
            shares.in_hand.of,
        ),
        observe=observe,
        show_numbers=settings.show_numbers,
    )


def _guarded(handler: Handler, admission: AdmissionControl) -> Handler:
    """``handler``, where the database not doing it is answered by 503: never by 1000, and never as if it were known
    whether it was kept.
    """

    def guarded(call: Call) -> object:
        if admission.full:  # since it was admitted, while it waited for its turn
            raise admission.refusal(admission.full[0])
        try:
            return handler(call)
        except StoreError as error:
            raise _not_taken(error, call, admission) from error

    return guarded


def _guarded_prompt(
    handler: Callable[[Call], Future[Any]], admission: AdmissionControl, chaos: Chaos
) -> Callable[[Call], Awaitable[object] | None]:
    """The same of a handler that does not block; None where trouble was asked for, or may have been."""

    async def kept(asked: Future[Any], call: Call) -> object:
        try:
            return await asyncio.wrap_future(asked)
        except StoreError as error:
            raise _not_taken(error, call, admission) from error

    def guarded(call: Call) -> Awaitable[object] | None:
        if not chaos.quiet():
            return None
        if admission.full:
            raise admission.refusal(admission.full[0])
        return kept(handler(call), call)

    return guarded


def _not_taken(error: StoreError, call: Call, admission: AdmissionControl) -> StatusError | Refusal:
    """The answer where the database did not keep what was asked."""
    _LOG.error("a %s was not taken: %s", type(call.message).__name__, error)
    if error.of_value:  # the same again would fail again
        return refusal(2007, "a value of the request cannot be kept")
    return admission.refusal("it could not be kept; send it again")


class Site:
    """The ASGI application of an endpoint: it at ``/mm7``, 404 elsewhere."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or path == PATH:
            await self._serve(scope, receive, send)
            return
        body = b"MM7 is served at /mm7\n"
        head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 404, "headers": [*head, (b"connection", b"close")]})
        await send({"type": "http.response.body", "body": body})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: dict[str, object]) -> None:
            nonlocal begun
            begun = True
            await send(message)

        await self._endpoint.asgi(scope, receive, noting)
        if not begun and scope["type"] == "http":  # the sender is gone, or is to believe so
            reset = scope.get("extensions", {}).get("mm7zeep.reset")
            if reset is not None:
                reset()
