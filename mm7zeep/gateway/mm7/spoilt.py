"""Answers as no gateway should give them, for those who test their clients: malformed ones, and ones that dribble.

A whole answer in, a spoilt one out. Refuses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

from mm7zeep.exchange import Wire
from mm7zeep.receiver import Receive, Send

Malformed = Literal["cut", "xml", "boundary", "type", "html", "empty"]
"""How an answer is spoilt: cut off in the middle; something that is no XML; a multipart whose boundary does not occur;
a media type of something else; a page of HTML, as a proxy gives it; no body at all.
"""
_PIECES = 1000  # of an answer that dribbles, at most
_TYPE, _LENGTH = "content-type", "content-length"
_HTML = b"<!DOCTYPE html>\n<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n"


def _with(wire: Wire, body: bytes, content_type: str | None = None) -> Wire:
    kept = tuple((name, value) for name, value in wire.headers if content_type is None or name.lower() != _TYPE)
    return replace(wire, body=body, headers=(*kept, *((("Content-Type", content_type),) if content_type else ())))


def _cut(wire: Wire) -> Wire:
    whole = wire.read()
    return _with(wire, whole[: len(whole) // 2])


def _boundary(wire: Wire) -> Wire:
    body = b"--there\r\nContent-Type: text/xml\r\n\r\n" + wire.read() + b"\r\n--there--\r\n"
    return _with(wire, body, 'multipart/related; type="text/xml"; boundary="elsewhere"')


_SPOIL: Mapping[Malformed, Callable[[Wire], Wire]] = MappingProxyType(
    {
        "cut": _cut,
        "xml": lambda wire: _with(wire, b"<env:Envelope><env:Body></env:Envelope>"),
        "boundary": _boundary,
        "type": lambda wire: _with(wire, wire.read(), "application/octet-stream"),
        "html": lambda wire: _with(wire, _HTML, "text/html; charset=utf-8"),
        "empty": lambda wire: _with(wire, b""),
    }
)


def malformed(wire: Wire, how: Malformed | None) -> Wire:
    """``wire`` as ``how`` says; its status stays."""
    return wire if how is None else _SPOIL[how](wire)


class SpoiltAnswer:
    """The ``send`` of an ASGI request whose answer may be spoilt; ``how`` is asked when the answer is there.

    ``how`` gives what is malformed, and the seconds in which the answer arrives. ``receive`` tells who does not wait.
    """

    def __init__(self, receive: Receive, send: Send, how: Callable[[], tuple[Malformed | None, float]]) -> None:
        self._receive = receive
        self._send = send
        self._how = how
        self._head: dict[str, Any] = {}

    async def __call__(self, message: dict[str, Any]) -> None:
        """Take the head, then the body, which comes whole."""
        if message["type"] == "http.response.start":
            self._head = message
            return
        what, seconds = self._how()
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._head["headers"]]
        kept = tuple((name, value) for name, value in fields if name != _LENGTH)
        wire = malformed(Wire(status=self._head["status"], headers=kept, body=message.get("body", b"")), what)
        body = wire.read()
        shown = (*wire.headers, (_LENGTH, str(len(body))))
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in shown]
        await self._send({**self._head, "headers": raw})
        if seconds and body:
            await self._dribble(body, seconds)
        else:
            await self._send({"type": "http.response.body", "body": body})

    async def _dribble(self, body: bytes, seconds: float) -> None:
        """Send ``body`` piece by piece, until it is sent or nobody waits for it any more."""
        size = -(-len(body) // _PIECES)
        pieces = [body[n : n + size] for n in range(0, len(body), size)]
        gone = asyncio.ensure_future(_gone(self._receive))
        try:
            for n, piece in enumerate(pieces, 1):
                if await _within(gone, seconds / len(pieces)):
                    return
                await self._send({"type": "http.response.body", "body": piece, "more_body": n < len(pieces)})
        finally:
            gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _within(gone: Awaitable[None], seconds: float) -> bool:
    """Whether it was over before so many seconds had passed."""
    done, _ = await asyncio.wait([gone], timeout=seconds)  # type: ignore[type-var]
    return bool(done)
