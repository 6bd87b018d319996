"""The body of a request of the API: taken in within the limits of MM7, and read as JSON or as a form.

Refuses, with ``Problem`` and ``Refusal``, what is too large, too slow, too much at a time, or of another kind.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from mm7zeep.gateway.api.forms import MEDIA_TYPE, read_form
from mm7zeep.gateway.api.inputs import NewMessage
from mm7zeep.gateway.api.problems import Problem
from mm7zeep.gateway.api.request import ApiRequest, Services
from mm7zeep.gateway.rest.fields import Nothing
from mm7zeep.gateway.rest.request import announced, check_coding, judged, media_type, parsed
from mm7zeep.gateway.rest.scope import head_of
from mm7zeep.receiver import Refusal
from mm7zeep.receiver.faces import asgi_puller

SMALL = 128 * 1024
"""Octets of a body that is read in the event loop."""
_KEY = "idempotency-key"
_LONGEST = 255  # characters of a key
_ROOM = 64 * 1024  # for what is not a part


async def read_body(request: Request, asked: ApiRequest[Any, Nothing], held: ExitStack) -> ApiRequest[Any, NewMessage]:
    """``asked`` with its body, its files and its key; ``held`` gives back the memory that it takes.

    Raises ``Problem``, ``Refusal`` (408, 413, 415, 503), ``Gone``.
    """
    services = asked.services
    kind = media_type(request)
    if kind not in ("application/json", MEDIA_TYPE):
        raise Refusal(415, f"send the message as application/json or {MEDIA_TYPE}, with its Content-Type")
    octets = await take(request, services, held, services.settings.limits.body * 4 // 3 + _ROOM)
    key = _key(request)

    def read() -> tuple[NewMessage, dict[int, bytes]]:
        if kind == MEDIA_TYPE:
            return read_form(request.headers["content-type"], octets)
        return judged(parsed(octets), NewMessage), {}

    if len(octets) <= SMALL:
        body, files = read()
    else:
        async with services.shares.threads.of(asked.application.name):
            body, files = await run_in_threadpool(read)
    return replace(asked, body=body, files=files, key=key)  # type: ignore[return-value, arg-type]


async def take(request: Request, services: Services, held: ExitStack, most: int) -> bytes:
    """The octets of a body, at most ``most``; ``held`` gives back the memory that they take.

    Raises ``Refusal`` (408, 413, 415, 503), ``Gone``.
    """
    check_coding(request)
    too_large = Refusal(413, f"the body may have {most} octets; send less")
    if announced(request) > most:
        raise too_large
    room = held.enter_context(services.admission.admit(head_of(request.scope)))
    pull = asgi_puller(request.receive, services.settings.http)
    octets = bytearray()
    while (chunk := await pull()) is not None:
        if len(octets) + len(chunk) > most:
            raise too_large
        room.took(len(chunk))
        octets += chunk
    return bytes(octets)


def _key(request: Request) -> str | None:
    """The header field Idempotency-Key. Raises ``Problem``."""
    given = request.headers.getlist(_KEY)
    if not given:
        return None
    key = given[0].strip()
    if len(given) > 1 or not key or len(key) > _LONGEST or not key.isprintable():
        words = f"Idempotency-Key needs 1 to {_LONGEST} printable characters, and may be there once"
        raise Problem("invalid-value", words)
    return key
