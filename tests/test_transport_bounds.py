"""What one answer may cost: no cookies, a bounded head, and an end to the whole exchange."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from far_side import Early, FarSide, Request, Steps, proper

from mm7zeep.client import AsyncVaspClient, Retry, Submitted, VaspClient
from mm7zeep.errors import AuthError, LocalError, Mm7Error, TransportError
from mm7zeep.transport import Timeouts
from mm7zeep.transport.inbound import FIELDS, HEAD

pytestmark = pytest.mark.once

STYLES = pytest.mark.parametrize("style", ["sync", "async"])


def run(
    style: str,
    url: str,
    *,
    times: int = 1,
    content: Any = "hello",
    keep: Callable[[Any], Any] = lambda result: result,
    **options: Any,
) -> list[Any]:
    """Submits with one client, in either style; what is kept of what they gave or raised."""
    options = {"vaspid": "v", "retry": Retry(times=0), **options}
    results: list[Any] = []

    async def awaited() -> None:
        async with AsyncVaspClient(url, **options) as client:
            for _ in range(times):
                try:
                    results.append(keep(await client.submit("+491", content)))
                except Mm7Error as error:
                    results.append(keep(error))

    if style == "async":
        pytest.importorskip("httpx")
        asyncio.run(awaited())
        return results
    with VaspClient(url, **options) as client:
        for _ in range(times):
            try:
                results.append(keep(client.submit("+491", content)))
            except Mm7Error as error:
                results.append(keep(error))
    return results


def with_fields(*fields: str) -> Callable[[Request], Steps]:
    """The proper answer with further fields in its head."""
    more = "".join(f"{one}\r\n" for one in fields).encode()
    return lambda request: [
        one.replace(b"\r\n", b"\r\n" + more, 1) for one in proper(request) if isinstance(one, bytes)
    ]


# --- cookies ----------------------------------------------------------------------------------------------------------


@STYLES
def test_no_cookie_is_kept(style: str) -> None:
    """What a far side sets is neither stored nor sent."""
    cookies = ("Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Domain=127.0.0.1; Max-Age=9999", "Set-Cookie2: c=3")
    with FarSide(with_fields(*cookies)) as far:
        results = run(style, far.url, times=3)
        assert all(isinstance(one, Submitted) for one in results), results
        assert [one.header("Cookie") for one in far.requests] == [None] * 3
        assert far.connections == 1


@STYLES
def test_cookies_without_bounds_cost_no_memory(style: str) -> None:
    """90 Set-Cookie of 60 kB, 34 times: each is an error that names the limit, and memory stays where it was."""
    octets = "".join(f"Set-Cookie: c{n}={'x' * 60_000}\r\n" for n in range(90)).encode()
    answer = [b"HTTP/1.1 200 OK\r\n" + octets + b"\r\n"]
    with FarSide(answer) as far:
        run(style, far.url, times=1)  # schemas and all that is loaded once
        tracemalloc.start()
        try:
            results = run(style, far.url, times=34, keep=repr)  # as text, since an error keeps what it came from
            gc.collect()
            kept, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert all(one.startswith("TransportError") and str(HEAD) in one for one in results), results
    assert kept < 1_000_000
    assert peak < 2_000_000, peak


# --- heads ------------------------------------------------------------------------------------------------------------

SMALL = tuple(f"X-{n}: {n}" for n in range(FIELDS - 2))  # besides Content-Length and Content-Type
FITTING: dict[str, Callable[[Request], Steps]] = {
    "128 fields": with_fields(*SMALL),
    "a line of 60 kB": with_fields("X: " + "x" * 60_000),
    "a field on many lines": with_fields("X: 1" + "\r\n 2" * 1000),
    "trailers": lambda request: trailing(request, b"X: 1\r\n"),
}
BEYOND: dict[str, tuple[Callable[[Request], Steps], str]] = {
    "129 fields": (with_fields(*SMALL, "X: 1"), f"{FIELDS} fields"),
    "one line": (with_fields("X: " + "x" * HEAD), str(HEAD)),
    "a status line without end": (lambda _: [b"HTTP/1.1 200 " + b"x" * (HEAD + 1)], str(HEAD)),
    "many lines": (with_fields(*(f"X: {'x' * 1000}" for _ in range(70))), str(HEAD)),
    "no end": (lambda _: [b"HTTP/1.1 200 OK\r\n", *([b"X: " + b"x" * 65536] * 100)], str(HEAD)),
    "interim heads": (
        lambda request: [b"HTTP/1.1 103 Early\r\nLink: %b\r\n\r\n" % (b"x" * 8000)] * 9 + [*proper(request)],
        str(HEAD),
    ),
    "fields of interim heads": (
        lambda request: [b"HTTP/1.1 103 Early\r\n" + b"Link: x\r\n" * 50 + b"\r\n"] * 3 + [*proper(request)],
        f"{FIELDS} fields",
    ),
    "long trailers": (lambda request: trailing(request, b"X: " + b"x" * HEAD + b"\r\n"), str(HEAD)),
    "many trailers": (lambda request: trailing(request, b"X: 1\r\n" * 129), f"{FIELDS} fields"),
    "trailers without end": (lambda request: [*trailing(request, b"X: 1", end=b""), *([b"x" * 65536] * 3)], str(HEAD)),
    "a line before a chunk": (lambda request: trailing(request, b"", size=b"1;" + b"x" * 70_000), "chunk"),
}


def trailing(request: Request, trailers: bytes, *, size: bytes | None = None, end: bytes = b"\r\n") -> list[bytes]:
    """The proper answer in one chunk, with trailers."""
    [octets] = [one for one in proper(request) if isinstance(one, bytes)]
    body = octets.partition(b"\r\n\r\n")[2]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    return [head, (size or b"%x" % len(body)) + b"\r\n" + body + b"\r\n0\r\n", trailers + end]


@STYLES
@pytest.mark.parametrize("name", FITTING)
def test_head_within_its_bounds(name: str, style: str) -> None:
    """64 KiB and 128 fields are read."""
    with FarSide(FITTING[name]) as far:
        [result] = run(style, far.url)
    assert isinstance(result, Submitted), result


@STYLES
@pytest.mark.parametrize("name", BEYOND)
def test_head_beyond_its_bounds(name: str, style: str) -> None:
    """One error that names the limit; whether the message was accepted is open; the next call is not touched."""
    answer, limit = BEYOND[name]
    with FarSide(answer, proper) as far:
        first, second = run(style, far.url, times=2)
        assert far.connections == 2
    assert isinstance(first, TransportError), first
    assert limit in str(first) or limit in str(first.__cause__)
    assert first.maybe_accepted
    assert isinstance(second, Submitted), second


@STYLES
@pytest.mark.parametrize(("status", "unclear"), [(413, False), (503, False), (500, True)])
def test_status_before_a_head_that_is_too_large(status: int, unclear: bool, style: str) -> None:
    """What the status line says of the request holds."""
    with FarSide([b"HTTP/1.1 %d X\r\nX: %b\r\n\r\n" % (status, b"x" * HEAD)]) as far:
        [result] = run(style, far.url)
    assert isinstance(result, TransportError), result
    assert (result.http_status, result.maybe_accepted) == (status, unclear)


# --- the whole exchange -----------------------------------------------------------------------------------------------

LIMIT = 0.4  # seconds
LATE = 3.0  # seconds that it may take longer on a busy machine; without an end it would be ten and more
DRIP: dict[str, Steps] = {
    "head": [b"HTTP/1.1 200 OK\r\nX: ", *([b"x", 0.05] * 400)],
    "status line": [*([b"HTTP/1.1 200 OK"[n : n + 1] for n in range(15)]), *([b"x", 0.05] * 400)],
    "interim answers": [b"HTTP/1.1 102 Processing\r\n\r\n", 0.1] * 200,
    "interim fields": [b"HTTP/1.1 103 Early\r\nX: ", *([b"x", 0.05] * 400)],
    "content": [b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 5000\r\n\r\n", *([b"<", 0.05] * 400)],
    "content without length": [b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n", *([b"<", 0.05] * 400)],
    "chunks": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *([b"1\r\n<\r\n", 0.05] * 400)],
    "trailers": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", *([b"X: 1\r\n", 0.1] * 200)],
    "refusal": [b"HTTP/1.1 401 No\r\nContent-Length: 5000\r\n\r\n", *([b"<", 0.05] * 400)],
    "silence": [60.0],
}
BOUNDS = {
    "total": Timeouts(connect=10, read=10, reply=30, total=LIMIT),
    "reply": Timeouts(connect=10, read=10, reply=LIMIT, total=30),
}


@STYLES
@pytest.mark.parametrize(
    ("name", "bound"),
    [*((name, "total") for name in DRIP), *((name, "reply") for name in ("head", "interim answers", "content"))],
)
def test_exchange_ends_in_time(name: str, bound: str, style: str) -> None:
    """However slowly an answer drips, and wherever: the call ends with its time."""
    with FarSide(DRIP[name]) as far:
        run(style, far.url, timeouts=Timeouts(connect=10, read=0.01))  # schemas and all that is loaded once
        started = time.monotonic()
        [result] = run(style, far.url, timeouts=BOUNDS[bound])
        took = time.monotonic() - started
    assert isinstance(result, AuthError if name == "refusal" else TransportError), result
    assert getattr(result, "maybe_accepted", True)
    assert LIMIT * 0.9 < took < LIMIT + LATE


class SlowReader(FarSide):
    """Reads a little at a time, for ever."""

    def _answer(self, connection: Any, stream: Any) -> bool:
        while not self._ending.wait(0.02):
            if not connection.recv(1000):
                break
        return False


@STYLES
@pytest.mark.parametrize("kind", [SlowReader, FarSide], ids=["slowly", "not at all"])
def test_sending_ends_in_time(kind: type[FarSide], style: str) -> None:
    """A far side that reads slowly, or not: the call ends, and nothing was accepted."""
    with kind(Early((60.0,)), receive=4096) as far:
        started = time.monotonic()
        [result] = run(style, far.url, content=bytes(8_000_000), timeouts=BOUNDS["total"])
        took = time.monotonic() - started
    assert isinstance(result, TransportError), result
    assert not result.maybe_accepted
    assert "whole exchange" in str(result)
    assert LIMIT * 0.9 < took < LIMIT + LATE + 1  # a message of 8 MB is composed first


@STYLES
def test_handshake_ends_in_time(style: str) -> None:
    """A far side that accepts and is silent where TLS should begin."""
    with FarSide([60.0]) as far:
        started = time.monotonic()
        [result] = run(style, far.url.replace("http:", "https:"), timeouts=BOUNDS["total"])
        took = time.monotonic() - started
    assert isinstance(result, TransportError), result
    assert not result.maybe_accepted
    assert took < LIMIT + LATE + 1


@STYLES
def test_each_attempt_has_its_own_time(style: str) -> None:
    """What is tried again is not the worse for what its first attempt took."""
    slow_refusal = [LIMIT * 0.6, b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"]
    with FarSide(slow_refusal, slow_refusal, proper) as far:
        [result] = run(style, far.url, timeouts=BOUNDS["total"], retry=Retry(times=2, first=0.01))
    assert isinstance(result, Submitted), result


@pytest.mark.parametrize("total", [0, -1, float("nan"), None, "5"])
def test_total_is_a_time(total: Any) -> None:
    """What is no time is refused before anything is sent."""
    with pytest.raises(LocalError, match="total"):
        VaspClient("http://127.0.0.1:9/", timeouts=Timeouts(total=total))


# --- through a proxy --------------------------------------------------------------------------------------------------


class Tunnel(FarSide):
    """A proxy that opens a tunnel to ``place``, after what it says to each CONNECT before."""

    def __init__(self, place: tuple[str, int] | None, *steps: Any) -> None:
        super().__init__()
        self.place, self.steps = place, steps

    def _answer(self, connection: Any, stream: Any) -> bool:
        while stream.readline().strip():
            pass
        self._play(connection, self.steps)
        if self.place is None:
            return False
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(self.place) as there:
            back = threading.Thread(target=self._carry, args=(there, connection))
            back.start()
            self._carry(connection, there)
            back.join(5)
        return False

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # one of them went away


def through(style: str, proxy: FarSide) -> dict[str, Any]:
    """The options of a client that goes through ``proxy``."""
    address = proxy.url.removesuffix("/mm7")
    return {"proxies": {"https": address}} if style == "sync" else {"proxy": address}


@STYLES
def test_tunnel_through_a_proxy(style: str, tmp_path: Path) -> None:
    """TLS through a CONNECT: the same exchange, and the tunnel carries the next request, too."""
    ca = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with FarSide(tls=context) as far, Tunnel(("127.0.0.1", int(far.url.split(":")[2].split("/")[0]))) as proxy:
        results = run(style, far.url, times=3, ca_file=str(tmp_path / "ca.pem"), **through(style, proxy))
        assert [type(one) for one in results] == [Submitted] * 3, results
        assert (proxy.connections, far.connections) == (1, 1)


@STYLES
def test_tunnel_that_is_not_opened_in_time(style: str) -> None:
    """A proxy whose answer to the CONNECT drips: the call ends with its time, and nothing was sent."""
    with Tunnel(None, b"HTTP/1.1 200 OK\r\nX: ", *([b"x", 0.05] * 400)) as proxy:
        started = time.monotonic()
        [result] = run(style, "https://mmsc.invalid/mm7", timeouts=BOUNDS["total"], **through(style, proxy))
        took = time.monotonic() - started
    assert isinstance(result, TransportError), result
    assert not result.maybe_accepted
    assert took < LIMIT + LATE + 1
