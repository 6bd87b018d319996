"""A server for the load generator: it answers fixed MM7 responses with the TransactionID echoed, or worse.

``Site`` runs in a thread; ``answer`` may be replaced, and says of each request what to do. As a program
(``python tests/load_site.py``) it is the null server of ``benchmarks/load.py``: it prints its URL and answers until it
is ended. XML is not parsed: patterns find what is needed.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from load import LENGTH, LoopThread

_TRANSACTION = re.compile(rb"TransactionID[^>]*>([^<]*)<")
_OPERATION = re.compile(rb":Body><(\w+)Req ")
_MESSAGE = re.compile(rb"MessageID>([^<]*)<")
_NUMBERS = re.compile(rb"<Number>([^<]*)<")
NAMESPACE = b"http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"
RESPONSE = (
    b"<?xml version='1.0' encoding='UTF-8'?>\n"
    b'<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header>'
    b'<TransactionID xmlns="%(ns)s" env:mustUnderstand="1">%(tid)s</TransactionID></env:Header><env:Body>'
    b'<%(op)sRsp xmlns="%(ns)s"><MM7Version>6.8.0</MM7Version><Status><StatusCode>%(code)d</StatusCode>'
    b"<StatusText>Said</StatusText></Status>%(mid)s</%(op)sRsp></env:Body></env:Envelope>"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its number from 0 on, operation (``Submit``), ids, recipients, head and body."""

    number: int
    operation: str
    transaction_id: str
    message_id: str
    numbers: tuple[str, ...]
    head: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """What it gets: ``octets`` after ``delay`` seconds (nothing for None), and then whether the connection is cut."""

    octets: bytes | None
    delay: float = 0.0
    cut: bool = False


def response(asked: Asked, code: int = 1000, *, transaction_id: str | None = None) -> bytes:
    """The envelope that answers a request."""
    mid = b"<MessageID>m%d</MessageID>" % asked.number if asked.operation == "Submit" else b""
    tid = (asked.transaction_id if transaction_id is None else transaction_id).encode()
    return RESPONSE % {b"ns": NAMESPACE, b"tid": tid, b"op": asked.operation.encode(), b"code": code, b"mid": mid}


def http(body: bytes, status: int = 200, kind: str = 'text/xml; charset="utf-8"') -> bytes:
    """An HTTP answer with a length."""
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def well(asked: Asked) -> Told:
    """Answer 1000."""
    return Told(http(response(asked)))


class Site:
    """The server, in a thread, on a free port of loopback; a context. ``asked`` are the requests that came."""

    def __init__(self, answer: Callable[[Asked], Told] = well, tls: ssl.SSLContext | None = None) -> None:
        self.answer, self._tls = answer, tls
        self.asked: list[Asked] = []
        self.connections = 0
        self.numbers = itertools.count()
        self._port = 0
        self._thread = LoopThread("load-site")
        self._ready = threading.Event()
        self._end: asyncio.Event | None = None
        self.open: set[asyncio.Transport] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}/mm7"

    def __enter__(self) -> Self:
        self._thread.start(self._serve())
        assert self._ready.wait(10), "the site did not start within 10 s"
        return self

    def __exit__(self, *exc_info: object) -> None:
        assert self._end is not None
        self._thread.call(self._end.set)
        assert self._thread.join(10), "the site did not end within 10 s"

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Served(self), "127.0.0.1", 0, backlog=512, ssl=self._tls)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()
        server.close()
        for _ in range(4):  # a connection that was just accepted is made in the next turns of the loop
            for transport in self.open:
                transport.abort()
            await asyncio.sleep(0)


class _Framed(asyncio.Protocol):
    """One connection: requests with a length, one after another."""

    def __init__(self) -> None:
        self._got = bytearray()
        self._whole = 0
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        while len(self._got) >= self._whole:
            split = self._got.find(b"\r\n\r\n")
            if split < 0:
                return
            length = LENGTH.search(bytes(self._got[: split + 2]))
            assert length is not None
            self._whole = split + 4 + int(length[1])
            if len(self._got) < self._whole:
                return
            whole = bytes(self._got[: self._whole])
            del self._got[: self._whole]
            self._whole = 0
            self.request(whole, split + 4)

    def request(self, whole: bytes, split: int) -> None:
        raise NotImplementedError


class _Served(_Framed):
    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._site.open.add(transport)
        self._site.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._site.open.discard(self.transport)

    def request(self, whole: bytes, split: int) -> None:
        operation, transaction = _OPERATION.search(whole), _TRANSACTION.search(whole)
        assert operation is not None
        assert transaction is not None
        message = _MESSAGE.search(whole)
        asked = Asked(
            next(self._site.numbers),
            operation[1].decode(),
            transaction[1].decode(),
            message[1].decode() if message else "",
            tuple(one.decode() for one in _NUMBERS.findall(whole)),
            whole[:split],
            whole[split:],
        )
        self._site.asked.append(asked)
        told = self._site.answer(asked)
        asyncio.get_running_loop().call_later(told.delay, self._say, told)

    def _say(self, told: Told) -> None:
        if told.octets is not None and not self.transport.is_closing():
            self.transport.write(told.octets)
        if told.cut:
            self.transport.close() if told.octets is not None else self.transport.abort()


class _Null(_Framed):
    """The same answer always, but for the TransactionID."""

    _before, _after = RESPONSE.split(b"%(tid)s")
    _values = {b"ns": NAMESPACE, b"op": b"Submit", b"code": 1000, b"mid": b"<MessageID>m</MessageID>"}  # noqa: RUF012
    _before, _after = _before % _values, _after % _values

    def request(self, whole: bytes, split: int) -> None:
        at = whole.index(b"TransactionID", split)
        start = whole.index(b">", at) + 1
        self.transport.write(http(self._before + whole[start : whole.index(b"<", start)] + self._after))


async def _null() -> None:
    server = await asyncio.get_running_loop().create_server(_Null, "127.0.0.1", 0, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mm7", flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_null())
