"""Who is called back by a gateway under load: an HTTP server that answers by template and remembers what it was told.

``CallbackSink`` runs one event loop in a thread; a share of the calls can be made to meet ``Trouble``. XML is not
parsed: patterns find what is needed. Refuses, with 400, what is no callback.
"""

from __future__ import annotations

import asyncio
import random
import re
import threading
import time
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from load import LENGTH, MESSAGE_ID, LoopThread

_KIND = re.compile(rb"<(?:[\w.-]+:)?(DeliverReq|DeliveryReportReq|ReadReplyReq)\b")
_TRANSACTION = re.compile(rb"TransactionID[^>]*>\s*([^<]*?)\s*<")
_NAMESPACE = re.compile(rb"[\"'](http://www\.3gpp\.org/ftp/Specs/[^\"']+)[\"']")
_VERSION = re.compile(rb"MM7Version[^>]*>\s*([^<\s]+)\s*<")
_MM_STATUS = re.compile(rb"MMStatus[^>]*>\s*([^<\s]+)\s*<")
_RECIPIENT = re.compile(rb"Recipient[^>]*>\s*<[^>]+>\s*([^<\s]+)\s*<")
_LINKED_ID = re.compile(rb"LinkedID[^>]*>\s*([^<\s]+)\s*<")

_ANSWER = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/">'
    b'<env:Header><TransactionID xmlns="%(ns)s" env:mustUnderstand="1">%(tid)s</TransactionID></env:Header>'
    b'<env:Body><%(kind)s xmlns="%(ns)s"><MM7Version>%(version)s</MM7Version><Status><StatusCode>%(code)d</StatusCode>'
    b"<StatusText>%(text)s</StatusText></Status></%(kind)s></env:Body></env:Envelope>"
)


class Call(NamedTuple):
    """One call: when it came (monotonic seconds), what it said, and what it was told (``1000``, ``503``, ``cut``)."""

    at: float
    kind: str
    transaction_id: str
    message_id: str
    mm_status: str
    recipient: str
    told: str


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What a share of the calls meets instead of an answer 1000.

    First ``hang`` seconds of silence, then the connection is cut (``cut``), or an HTTP status without MM7, or an MM7
    status; with none of these the call is answered well, late.
    """

    probability: float = 1.0
    hang: float = 0.0
    cut: bool = False
    http: int | None = None
    mm7: int | None = None

    @property
    def told(self) -> str:
        """The word that a call is remembered with."""
        return "cut" if self.cut else str(self.http or self.mm7 or 1000)


class CallbackSink:
    """The application's side of callbacks, on loopback; a context. ``troubles`` may be changed while it runs.

    ``calls`` are all that came whole, in order. ``wrong`` are requests that it could not make sense of.
    """

    def __init__(self, *troubles: Trouble, seed: int | None = None, port: int = 0) -> None:
        self.troubles = troubles
        self.calls: list[Call] = []
        self.wrong: list[bytes] = []
        self.connections = 0
        self._port = port
        self._random = random.Random(seed)
        self._thread = LoopThread("callback-sink")
        self._ready = threading.Event()
        self._end: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """Where it wants to be called."""
        return f"http://127.0.0.1:{self._port}/vasp"

    def __enter__(self) -> Self:
        self._thread.start(self._serve())
        if not self._ready.wait(10):
            self._thread.join(0)
            raise RuntimeError("the callback sink did not start within 10 s")
        return self

    def __exit__(self, *exc_info: object) -> None:
        assert self._end is not None
        self._thread.call(self._end.set)
        if not self._thread.join(10):
            raise RuntimeError("the callback sink did not end within 10 s")

    def kept(self) -> list[Call]:
        """The calls that were answered 1000."""
        return [one for one in self.calls if one.told == "1000"]

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        open_ones: set[asyncio.Transport] = set()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _SinkProtocol(self, open_ones), "127.0.0.1", self._port, backlog=512)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()
        server.close()
        for transport in open_ones:
            transport.abort()
        await asyncio.sleep(0)

    def answer(self, body: bytes) -> tuple[bytes, Trouble | None]:
        """What a request is answered with, and the trouble that it meets before; the call is remembered."""
        kind, transaction, namespace = _KIND.search(body), _TRANSACTION.search(body), _NAMESPACE.search(body)
        if kind is None or transaction is None or namespace is None:
            self.wrong.append(body)
            return _http(400, b""), None
        trouble = next((one for one in self.troubles if self._random.random() < one.probability), None)
        self.calls.append(
            Call(
                time.monotonic(),
                kind[1].decode(),
                transaction[1].decode(),
                _first(MESSAGE_ID, body) or _first(_LINKED_ID, body),
                _first(_MM_STATUS, body),
                _first(_RECIPIENT, body),
                trouble.told if trouble else "1000",
            )
        )
        if trouble is not None and trouble.http is not None:
            return _http(trouble.http, b""), trouble
        code = trouble.mm7 if trouble and trouble.mm7 else 1000
        rendered = _ANSWER % {
            b"ns": namespace[1],
            b"tid": transaction[1],
            b"kind": kind[1].replace(b"Req", b"Rsp"),
            b"version": (_first(_VERSION, body) or "5.3.0").encode(),
            b"code": code,
            b"text": b"Success" if code == 1000 else b"Not now",
        }
        return _http(200, rendered), trouble


def _first(pattern: re.Pattern[bytes], body: bytes) -> str:
    found = pattern.search(body)
    return found[1].decode() if found else ""


def _http(status: int, body: bytes) -> bytes:
    return (
        b'HTTP/1.1 %d Said\r\nContent-Type: text/xml; charset="utf-8"\r\nContent-Length: %d\r\n\r\n'
        % (status, len(body))
    ) + body


class _SinkProtocol(asyncio.Protocol):
    """One connection to the sink: requests with a length, one after another."""

    def __init__(self, sink: CallbackSink, open_ones: set[asyncio.Transport]) -> None:
        self._sink, self._open = sink, open_ones
        self._got = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._open.add(transport)
        self._sink.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._got += data
        while (split := self._got.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(bytes(self._got[: split + 2]))
            if length is None:
                self._sink.wrong.append(bytes(self._got))
                self._transport.abort()
                return
            end = split + 4 + int(length[1])
            if len(self._got) < end:
                return
            body = bytes(self._got[split + 4 : end])
            del self._got[:end]
            self._answer(*self._sink.answer(body))

    def _answer(self, answer: bytes, trouble: Trouble | None) -> None:
        if trouble is not None and trouble.hang:
            loop = asyncio.get_running_loop()
            loop.call_later(trouble.hang, self._say, answer, trouble.cut)
        else:
            self._say(answer, trouble is not None and trouble.cut)

    def _say(self, answer: bytes, cut: bool) -> None:
        if cut:
            self._transport.abort()
        elif not self._transport.is_closing():
            self._transport.write(answer)
