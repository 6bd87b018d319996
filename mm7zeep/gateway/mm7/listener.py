"""The MM7 listener: ``/readyz``, and one endpoint at ``/mm7``, which answers 503 where a request could not be kept, and
makes the faults that a test has asked for. Each request of the endpoint has a span.

Refuses, with 404, whatever asks for another path.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from typing import Any

from mm7zeep import envelope
from mm7zeep.errors import StatusError
from mm7zeep.exchange import Wire
from mm7zeep.gateway.config.destination import upstream_name
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.mm7.admission import AdmissionControl
from mm7zeep.gateway.mm7.auth import GatewayAuthenticator
from mm7zeep.gateway.mm7.chaos import Chaos
from mm7zeep.gateway.mm7.readiness import Readiness
from mm7zeep.gateway.mm7.refusal import refusal
from mm7zeep.gateway.mm7.spoilt import SpoiltAnswer, malformed
from mm7zeep.gateway.mm7.turns import Shares
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.messages import Message, RSErrorRsp, VASPErrorRsp
from mm7zeep.receiver import (
    AnswerForm,
    Call,
    Endpoint,
    Handler,
    PromptHandlers,
    Receive,
    Refusal,
    Reply,
    Scope,
    Send,
)
from mm7zeep.receiver.handlers import Observe
from mm7zeep.tracing import Span, Tracing, known_method

PATH = "/mm7"
"""Where the MM7 listener stands; everything else is 404."""
SPAN = "MM7"
"""What the span of a request is called, before the name of its operation."""

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
    observe: Observe,
    tracing: Tracing,
) -> Endpoint:
    """The endpoint of a gateway: ``handlers``, and those that are ``prompt``, behind its passwords, its limits and its
    admission.
    """

    def observed(operation: str | None, code: int | None, http: int, seconds: float, user: str | None) -> None:
        _tell(tracing.current(), operation, code, http, user)
        observe(operation, code, http, seconds, user)

    forms = {one.name: one.answer_form for one in settings.applications}
    return Endpoint(
        {kind: chaos.wrap(_guarded(handler, admission, tracing)) for kind, handler in handlers.items()},
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
            {kind: _guarded_prompt(one, admission, chaos, tracing) for kind, one in prompt.items()},
            shares.in_hand.of,
        ),
        observe=observed,
        show_numbers=settings.show_numbers,
    )


def _tell(span: Span, operation: str | None, code: int | None, http: int, user: str | None) -> None:
    """Tell of a request how it was answered."""
    asked, upstream = envelope.requested(operation), upstream_name(user)
    if asked is not None:
        span.rename(f"{SPAN} {asked.name}")
    span.set(
        {
            "mm7.operation": operation,
            "mm7.status_code": code,
            "mm7.application": user if upstream is None else None,
            "mm7.upstream": upstream,
            "http.response.status_code": http,
        }
    )
    if http >= 500 or (code is not None and code >= 3000):
        span.fail(str(http if code is None else code))


def _name(span: Span, call: Call) -> None:
    """Tell of a request what it calls itself, and the message that it is about."""
    about = getattr(call.message, "message_id", None)
    span.set({"mm7.transaction_id": call.received.transaction_id, "mm7.message_id": about})


def _name_kept(span: Span, answer: object) -> None:
    """Tell how the message is called that a request has brought."""
    span.set({"mm7.message_id": getattr(answer, "message_id", None)})


def _guarded(handler: Handler, admission: AdmissionControl, tracing: Tracing) -> Handler:
    """``handler``, where the database not doing it is answered by 503: never by 1000, and never as if it were known
    whether it was kept.
    """

    def guarded(call: Call) -> object:
        span = tracing.current()
        _name(span, call)
        if admission.full:  # since it was admitted, while it waited for its turn
            raise admission.refusal(admission.full[0])
        try:
            answer = handler(call)
        except StoreError as error:
            raise _not_taken(error, call, admission) from error
        _name_kept(span, answer)
        return answer

    return guarded


def _guarded_prompt(
    handler: Callable[[Call], Future[Any]], admission: AdmissionControl, chaos: Chaos, tracing: Tracing
) -> Callable[[Call], Awaitable[object] | None]:
    """The same of a handler that does not block; None where trouble was asked for, or may have been."""

    async def kept(asked: Future[Any], call: Call, span: Span) -> object:
        try:
            answer = await asyncio.wrap_future(asked)
        except StoreError as error:
            raise _not_taken(error, call, admission) from error
        _name_kept(span, answer)
        return answer

    def guarded(call: Call) -> Awaitable[object] | None:
        if not chaos.quiet():
            return None
        span = tracing.current()
        _name(span, call)
        if admission.full:
            raise admission.refusal(admission.full[0])
        return kept(handler(call), call, span)

    return guarded


def _not_taken(error: StoreError, call: Call, admission: AdmissionControl) -> StatusError | Refusal:
    """The answer where the database did not keep what was asked."""
    _LOG.error("a %s was not taken: %s", type(call.message).__name__, error)
    if error.of_value:  # the same again would fail again
        return refusal(2007, "a value of the request cannot be kept")
    return admission.refusal("it could not be kept; send it again")


class Site:
    """The ASGI application of an endpoint: it at ``/mm7``, ``readiness`` at its own path, 404 elsewhere. ``chaos`` may
    spoil the endpoint's answers.
    """

    def __init__(self, endpoint: Endpoint, readiness: Readiness, tracing: Tracing, chaos: Chaos) -> None:
        self._endpoint = endpoint
        self._readiness = readiness
        self._tracing = tracing
        self._chaos = chaos

    def answer(self, wire: Wire, peer: str | None) -> Reply:
        """Answer one request, as ``Endpoint.answer``."""
        if not isinstance(wire, Wire):
            return self._endpoint.answer(wire, peer=peer)  # says what is wrong
        with self._tracing.request(SPAN, wire.headers) as span:
            span.set(_asked(wire.method or "POST"))
            if self._chaos.quiet():
                return self._endpoint.answer(wire, peer=peer)
            with self._chaos.answering() as answering:
                answer = self._endpoint.answer(wire, peer=peer)
            return malformed(answer, answering.how()[0])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http":
            await self._endpoint.asgi(scope, receive, send)
            return
        if path == PATH:
            with self._tracing.asgi_request(SPAN, scope["headers"]) as span:
                span.set(_asked(scope["method"]))
                if not await self._serve(scope, receive, send):
                    span.fail("disconnected")
            return
        if self._readiness.is_asked(scope):
            await self._readiness(scope, receive, send)
            return
        body = b"MM7 is served at /mm7\n"
        head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 404, "headers": [*head, (b"connection", b"close")]})
        await send({"type": "http.response.body", "body": body})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Whether there was anybody left to answer."""
        begun = False

        async def noting(message: dict[str, object]) -> None:
            nonlocal begun
            begun = True
            await send(message)

        if self._chaos.quiet():
            await self._endpoint.asgi(scope, receive, noting)
        else:
            with self._chaos.answering() as answering:
                await self._endpoint.asgi(scope, receive, SpoiltAnswer(receive, noting, answering.how))
        if not begun:  # the sender is gone, or is to believe so
            reset = scope.get("extensions", {}).get("mm7zeep.reset")
            if reset is not None:
                reset()
        return begun


def _asked(method: str) -> dict[str, str]:
    """What is told of a request whoever it is from."""
    return {"http.request.method": known_method(method), "url.path": PATH}
