"""An endpoint as an application of two kinds: ASGI and WSGI.

They turn a request into a ``Wire`` and an answer into what the server wants, and keep the limits of time (ASGI).
Refuses a body that comes too slowly or ends too early; what is said to whom, the endpoint decides.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack
from http.client import responses
from typing import TYPE_CHECKING, Any

from mm7zeep.exchange import Headers, Wire
from mm7zeep.receiver.guard import CLIENT, Gone, HttpLimits, Refusal
from mm7zeep.receiver.waiting import ASYNCIO, BLOCKING, Pull, drive, puller

if TYPE_CHECKING:
    from mm7zeep.receiver.endpoint import Endpoint

_CHUNK = 65536  # octets read at a time from a WSGI input

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class AsgiFace:
    """An endpoint as an ASGI 3 application on asyncio; what may block runs in a thread."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        head = Wire(method=scope["method"], target=scope["path"], headers=fields, body=b"")
        version = scope.get("http_version", "1.1")
        peer = scope["client"][0] if scope.get("client") else None
        pull = asgi_puller(receive, self._endpoint.http)
        client = (scope.get("extensions") or {}).get(CLIENT)
        with ExitStack() as held:
            try:
                served = await self._endpoint.serve(
                    head, pull, ASYNCIO, peer=peer, version=version, held=held, client=client
                )
            except Gone:
                return
            answer = served.reply
            body = answer.read()
            # RFC 9113 8.2.2: HTTP/2 has no Connection field
            close = (("Connection", "close"),) if served.close and version in ("1.0", "1.1") else ()
            shown = (*answer.headers, *close, ("Content-Length", str(len(body))))
            raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in shown]
            await send({"type": "http.response.start", "status": answer.status, "headers": raw})
            await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def asgi_puller(receive: Receive, limits: HttpLimits) -> Pull:
    """The body as ASGI gives it, within the limits of time. Raises ``Refusal`` (408) beyond them."""
    begun: float | None = None  # when it was first asked for; who waited to be authenticated was not slow
    total, more = 0, True

    async def pull() -> bytes | None:
        nonlocal begun, total, more
        if not more:
            return None
        if begun is None:
            begun = time.monotonic()
        spent = time.monotonic() - begun
        # what is there already would be given even in no time at all
        if spent >= limits.upload or (spent > limits.idle and total < limits.rate * spent):
            raise Refusal(408, "the body comes too slowly")
        try:
            async with asyncio.timeout(min(limits.idle, limits.upload - spent)):
                event = await receive()
        except TimeoutError:
            raise Refusal(408, "the body comes too slowly") from None
        if event["type"] == "http.disconnect":
            raise Gone
        chunk: bytes = event.get("body", b"")
        total, more = total + len(chunk), event.get("more_body", False)
        return chunk

    return pull


class WsgiFace:
    """An endpoint as a WSGI application (PEP 3333)."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        head = Wire(
            method=environ["REQUEST_METHOD"], target=environ.get("PATH_INFO"), headers=_wsgi_fields(environ), body=b""
        )
        peer = environ.get("REMOTE_ADDR") or None
        with ExitStack() as held:
            pull = puller(_wsgi_chunks(environ))
            answer = drive(self._endpoint.serve(head, pull, BLOCKING, peer=peer, held=held)).reply
            body = answer.read()
        status = answer.status or 500
        # PEP 3333: an application sends no hop-by-hop field; closing is the server's business
        start_response(
            f"{status} {responses.get(status, 'Refused')}", [*answer.headers, ("Content-Length", str(len(body)))]
        )
        return [body]


def _wsgi_fields(environ: Mapping[str, Any]) -> Headers:
    plain = [(name, environ[name]) for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)]
    plain += [(name[5:], value) for name, value in environ.items() if name.startswith("HTTP_")]
    return tuple((name.replace("_", "-").title(), value) for name, value in plain)


def _wsgi_chunks(environ: Mapping[str, Any]) -> Iterator[bytes]:
    """The body. Raises ``Refusal`` (400) if it ends before its announced length."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH") or ""
    # without a length the end shows only where the server promises it
    left = int(length) if length else _CHUNK if environ.get("wsgi.input_terminated") else 0
    while left > 0:
        chunk = stream.read(min(_CHUNK, left))
        if not chunk:
            if length:
                raise Refusal(400, "the body is shorter than its Content-Length")
            return
        left -= len(chunk) if length else 0
        yield chunk
