"""Over a real socket: what a connection may say and cost, and that the others are served meanwhile."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from mm7zeep import exchange, mime
from mm7zeep.exchange import Wire
from mm7zeep.gateway.server.http_head import ConnectionLimits
from mm7zeep.gateway.server.http_protocol import RESET
from mm7zeep.gateway.server.listener import Listener, bound, serve_in_thread
from mm7zeep.messages import DeliverReq, Part
from mm7zeep.receiver import HttpLimits, Receiver

KIB = 1024
PICTURE = Part(body=b"GIF89a\r\n\x00\xff", content_type="image/gif", content_id="pic@x")
DELIVER = DeliverReq(sender="+61412345678", to="111122", subject="Hello", parts=[PICTURE])  # type: ignore[arg-type]
SENT = exchange.pack(DELIVER, transaction_id="t-1")
BODY = SENT.read()
TYPE = f"Content-Type: {SENT.header('Content-Type')}"
ALLOWED = "Authorization: Basic YTpi"  # a:b
LIMIT = 256 * KIB
EDGE = ConnectionLimits(head=0.3, keep_alive=0.3, drain=0.5, drained=512 * KIB)
PATIENT = replace(EDGE, head=5.0, keep_alive=5.0)


def head(*fields: str, line: str = "POST /mm7 HTTP/1.1", host: str | None = "Host: mmsc.example") -> bytes:
    """A request's head with credentials and a Content-Type, and these fields."""
    own = [ALLOWED, TYPE] if host is None else [host, ALLOWED, TYPE]
    return "\r\n".join([line, *own, *fields, "", ""]).encode("latin-1")


def post(*fields: str, body: bytes = BODY, **options: Any) -> bytes:
    """A whole request that announces its length."""
    return head(*fields, f"Content-Length: {len(body)}", **options) + body


def connect(url: str) -> socket.socket:
    """A connection to the server at ``url``."""
    host, _, port = url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def heard(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def until(connection: socket.socket, mark: bytes) -> bytes:
    """What comes until ``mark`` has come, or the other side closes."""
    got = b""
    while mark not in got and (more := connection.recv(65536)):
        got += more
    return got


def said(url: str, octets: bytes) -> bytes:
    """What is answered to these octets, until the server closes."""
    with closing(connect(url)) as connection:
        connection.sendall(octets)
        return heard(connection)


def statuses(answer: bytes) -> list[int]:
    """The statuses of the answers in these octets."""
    return [int(one) for one in re.findall(rb"HTTP/1\.1 ([0-9]{3}) [A-Z]", answer)]


def receiver(handler: Callable[[DeliverReq], object] = lambda message: None) -> Receiver:
    """A receiver that knows a:b and takes bodies of 256 KiB."""
    made = Receiver(auth={"a": "b"}, limits=mime.Limits(body=LIMIT))
    made.on_deliver(handler)
    return made


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A receiver that leaves a busy machine the time it needs."""
    with serve_in_thread(receiver().asgi, edge=PATIENT) as base:
        yield base


def served(url: str) -> None:
    """Another client is answered at once."""
    begun = time.monotonic()
    answer = said(url, post("Connection: close"))
    assert statuses(answer) == [200]
    assert b">1000<" in answer
    assert time.monotonic() - begun < 2


# --- what a head may say ----------------------------------------------------------------------------------------------

CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
BAD: dict[str, tuple[bytes, int]] = {
    "length and coding": (head("Content-Length: 5", CHUNKED) + CHUNKS, 400),
    "coding and length": (head(CHUNKED, "Content-Length: 5") + CHUNKS, 400),
    "two lengths": (head("Content-Length: 5", "Content-Length: 6") + b"12345", 400),
    "two equal lengths": (head("Content-Length: 5", "Content-Length: 5") + b"12345", 400),
    "a list of lengths": (head("Content-Length: 5, 5") + b"12345", 400),
    "a signed length": (head("Content-Length: +5") + b"12345", 400),
    "a negative length": (head("Content-Length: -5"), 400),
    "an empty length": (head("Content-Length:"), 400),
    "an endless length": (head("Content-Length: " + "9" * 40), 400),
    "bare LF": (post().replace(b"\r\n", b"\n"), 400),
    "bare LF in one line": (post("X: y").replace(b"X: y\r\n", b"X: y\n"), 400),
    "bare LF behind the head": (head("Content-Length: 0")[:-4] + b"\n\n", 400),
    "bare CR": (post("X: y").replace(b"X: y\r\n", b"X: y\rZ: z\r\n"), 400),
    "folded": (post("X: y\r\n z"), 400),
    "folded by a tab": (post("X: y\r\n\tz"), 400),
    "folded at once": (post(line="POST /mm7 HTTP/1.1\r\n X: y"), 400),
    "no Host": (post(host=None), 400),
    "two Hosts": (post("Host: other.example"), 400),
    "two equal Hosts": (post("Host: mmsc.example"), 400),
    "a Host with a path": (post(host="Host: a/b"), 400),
    "a Host with a user": (post(host="Host: a@b"), 400),
    "white space before the colon": (post("X : y"), 400),
    "white space before a coding's colon": (head("Transfer-Encoding : chunked") + CHUNKS, 400),
    "an unknown coding": (head("Transfer-Encoding: xchunked") + CHUNKS, 400),
    "two codings": (head("Transfer-Encoding: gzip, chunked") + CHUNKS, 501),
    "two codings, a field each": (head("Transfer-Encoding: gzip", CHUNKED) + CHUNKS, 501),
    "two codings in 1.0": (head("Transfer-Encoding: gzip, chunked", line="POST /mm7 HTTP/1.0") + CHUNKS, 400),
    "chunked twice and another": (head("Transfer-Encoding: chunked, gzip, chunked") + CHUNKS, 400),
    "chunked twice": (head(CHUNKED, CHUNKED) + CHUNKS, 400),
    "chunked is not the last": (head("Transfer-Encoding: chunked, identity") + CHUNKS, 400),
    "identity": (head("Transfer-Encoding: identity") + CHUNKS, 400),
    "chunked in 1.0": (head(CHUNKED, line="POST /mm7 HTTP/1.0") + CHUNKS, 400),
    "NUL in a value": (post("X: a\0b"), 400),
    "NUL in a name": (post("X\0: a"), 400),
    "no name": (post(": a"), 400),
    "no colon": (post("XYZ"), 400),
    "no version": (b"GET /\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/9": (post(line="POST /mm7 HTTP/9.1"), 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "nonsense": (b"\xff\xfe hello", 400),
    "small letters": (post(line="post /mm7 HTTP/1.1"), 400),
    "CONNECT": (post(line="CONNECT a:1 HTTP/1.1"), 400),
    "no ASCII in the target": (post(line="POST /mm\xfc HTTP/1.1"), 400),
    "a long line": (b"POST /" + b"a" * 9 * KIB, 414),
    "a long line that ends": (post(line=f"POST /{'a' * 9 * KIB} HTTP/1.1"), 414),
    "a head without end": (head()[:-2] + b"X: " + b"y" * 17 * KIB, 431),
    "a large head": (post("X: " + "y" * 17 * KIB), 431),
    "fields without end": (head()[:-2] + b"X: y\r\n" * 70, 431),
    "many fields": (post(*["X: y"] * 70), 431),
    "GET": (head(line="GET /mm7 HTTP/1.1"), 405),
    "gzip": (post("Content-Encoding: gzip"), 415),
    "10 GB": (head("Content-Length: 10000000000"), 413),
    "10 GB, asking first": (head("Content-Length: 10000000000", "Expect: 100-continue"), 413),
    "chunk sizes that are none": (head(CHUNKED) + b"xyz\r\n", 400),
    "a chunk size in C": (head(CHUNKED) + b"0x5\r\n12345\r\n0\r\n\r\n", 400),
    "a chunk size beyond numbers": (head(CHUNKED) + b"f" * 20 + b"\r\n", 400),
    "a chunk longer than it says": (head(CHUNKED) + b"1\r\nxy\r\n0\r\n\r\n", 400),
    "bare LF between chunks": (head(CHUNKED) + b"1\nx\n0\n\n", 400),
    "a length behind the chunks": (head(CHUNKED) + b"1\r\nx\r\n0\r\nContent-Length: 4\r\n\r\n", 400),
    "a chunk extension without end": (head(CHUNKED) + b"1;" + b"a" * 300 * KIB, 400),
    "trailers without end": (head(CHUNKED) + b"1\r\nx\r\n0\r\nX: " + b"a" * 400 * KIB, 400),
    "many trailers": (head(CHUNKED) + b"1\r\nx\r\n0\r\n" + b"X: y\r\n" * 70_000, 400),
    "wrong password": (post().replace(b"YTpi", b"YTpj"), 401),
    "wrong password, asking first": (post("Expect: 100-continue", body=b"").replace(b"YTpi", b"YTpj"), 401),
}


@pytest.mark.parametrize(("octets", "status"), BAD.values(), ids=BAD)
def test_refused(url: str, octets: bytes, status: int) -> None:
    """What is ambiguous or too much gets its one refusal, and the connection ends there, without 100 before it."""
    answer = said(url, octets)
    assert statuses(answer) == [status]
    assert b"\r\nconnection: close\r\n" in answer.lower()
    served(url)


H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAA")
GOOD: dict[str, bytes] = {
    "in one piece": post("Connection: close"),
    "chunked": head(CHUNKED, "Connection: close") + CHUNKS,
    "chunked with an extension": head(CHUNKED, "Connection: close") + CHUNKS.replace(b"\r\n", b";a=b\r\n", 1),
    "with a trailer": head(CHUNKED, "Connection: close") + CHUNKS[:-2] + b"Authorization: Basic eDp5\r\n\r\n",
    "after an empty line": b"\r\n" + post("Connection: close"),
    "in HTTP/1.0": post(line="POST /mm7 HTTP/1.0", host=None),
    "with the whole address": post("Connection: close", line="POST http://mmsc.example/mm7 HTTP/1.1"),
    "offering h2c": post(*H2C) + post("Connection: close"),
    "with a large head": post("Connection: close", "X: " + "y" * 15 * KIB),
    "with many fields": post("Connection: close", *["X: y"] * 55),
}


@pytest.mark.parametrize("octets", GOOD.values(), ids=GOOD)
@pytest.mark.parametrize("step", [1 << 20, 700])
def test_welcome(url: str, octets: bytes, step: int) -> None:
    """What is allowed is answered, whole or in pieces; an offer to change the protocol does not cost the body."""
    with closing(connect(url)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(octets), step):
            connection.sendall(octets[at : at + step])
        answer = heard(connection)
    assert set(statuses(answer)) == {200}
    assert answer.count(b">1000<") == octets.count(b"POST ")


def test_octet_by_octet(url: str) -> None:
    """Where the pieces are cut does not matter, not even within a line end."""
    octets = post("Connection: close")
    end = octets.index(b"\r\n\r\n") + 4
    with closing(connect(url)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(end - 40, end + 1):
            connection.sendall(octets[at : at + 1] if at > end - 40 else octets[: at + 1])
            time.sleep(0.001)
        connection.sendall(octets[end + 1 :])
        assert statuses(heard(connection)) == [200]


def test_100_continue(url: str) -> None:
    """Who asks first and may come is told to go on."""
    octets = post("Connection: close", "Expect: 100-continue")
    with closing(connect(url)) as connection:
        connection.sendall(octets[: -len(BODY)])
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert statuses(heard(connection)) == [200]


def test_several_in_one_piece(url: str) -> None:
    """Requests that come together are answered in order; the refusal of the last one comes last."""
    assert statuses(said(url, post() * 3 + post("Connection: close"))) == [200] * 4
    assert statuses(said(url, post() * 2 + post("Host: other.example"))) == [200, 200, 400]
    assert statuses(said(url, post() + b"hello\r\n\r\n")) == [200, 400]
    with closing(connect(url)) as connection:
        connection.sendall(post() + head()[:-2])  # the second head begins within the first piece
        until(connection, b">1000<")
        connection.sendall(b"X: " + b"y" * 40 * KIB)
        assert statuses(heard(connection)) == [431]


def test_half_closed(url: str) -> None:
    """A client that has said all and closed its half gets its answer."""
    with closing(connect(url)) as connection:
        connection.sendall(post())
        connection.shutdown(socket.SHUT_WR)
        assert statuses(heard(connection)) == [200]


# --- what it may take -------------------------------------------------------------------------------------------------


def trickle(connection: socket.socket, octets: bytes, pause: float, stop: threading.Event) -> None:
    """Send octet by octet, until the other side has enough."""
    for at in range(len(octets)):
        if stop.wait(pause):
            return
        try:
            connection.sendall(octets[at : at + 1])
        except OSError:
            return


SLOW: dict[str, tuple[bytes, bytes, list[int]]] = {
    "nothing": (b"", b"", [408]),
    "half a head": (head()[:30], b"", [408]),
    "a slow head": (head()[:30], head()[30:], [408]),
    "empty lines": (b"\r\n", b"\r\n" * 500, [408]),
    "no body": (head("Content-Length: 500"), b"", [408]),
    "half a body": (post()[:-50], b"", [408]),
    "a slow body": (post()[:-300], post()[-300:], [408]),
    "slow chunks": (head(CHUNKED), b"1\r\nx\r\n" * 100, [408]),
    "nothing more": (post(), b"", [200]),
    "half a second head": (post() + head()[:30], b"", [200, 408]),
    "a slow second head": (post(), head()[:30] * 20, [200, 408]),
}


@pytest.mark.parametrize(("at_once", "slowly", "wanted"), SLOW.values(), ids=SLOW)
def test_slow(at_once: bytes, slowly: bytes, wanted: list[int]) -> None:
    """Slow heads and bodies, and idle connections, are given up in time, and cost the others nothing."""
    made = Receiver(auth={"a": "b"}, http=HttpLimits(idle=0.25, upload=1.0, rate=2000))
    made.on_deliver(lambda message: None)
    stop = threading.Event()
    with serve_in_thread(made.asgi, edge=EDGE) as url, closing(connect(url)) as connection:
        begun = time.monotonic()
        connection.sendall(at_once)
        sending = threading.Thread(target=trickle, args=(connection, slowly, 0.02, stop))
        sending.start()
        try:
            served(url)
            assert statuses(heard(connection)) == wanted
            assert 0.2 < time.monotonic() - begun < 3
        finally:
            stop.set()
            sending.join()


async def careless(scope: Any, receive: Any, send: Any) -> None:
    """An application that waits for the whole body without a limit of its own."""
    if scope["type"] == "http":
        more = True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            more = event["more_body"]
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


def test_slow_body_of_a_careless_application() -> None:
    """Where the application keeps no time, the connection does."""
    with serve_in_thread(careless, edge=replace(EDGE, body=0.2)) as url:
        assert statuses(said(url, post()[:-1])) == [408]
        assert statuses(said(url, post("Connection: close"))) == [204]


def test_endless_chunks(url: str) -> None:
    """Chunks without end are cut off at the limit, and the sender, who still sends, hears it."""
    with closing(connect(url)) as connection:
        connection.sendall(head(CHUNKED))
        connection.sendall((b"1000\r\n" + b"x" * 4096 + b"\r\n") * 100)
        assert statuses(heard(connection)) == [413]
    served(url)


@pytest.mark.parametrize("how", ["401", "413"])
def test_refusal_is_heard_by_who_is_still_sending(url: str, how: str) -> None:
    """A client that sends its whole body before it reads gets the refusal, and no reset, up to a bound."""
    octets = head(f"Content-Length: {400 * KIB}")
    octets = octets.replace(b"YTpi", b"YTpj") if how == "401" else octets
    for _ in range(5):
        with closing(connect(url)) as connection:
            connection.sendall(octets)
            for _ in range(25):
                connection.sendall(b"x" * 16 * KIB)
                time.sleep(0.001)
            assert statuses(heard(connection)) == [int(how)]


def test_who_never_stops_sending_is_cut_off(url: str) -> None:
    """After a refusal no more is read than the bound allows."""
    with closing(connect(url)) as connection:
        connection.sendall(head("Content-Length: 10000000000"))
        begun, sent = time.monotonic(), 0
        with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012  which of the calls finds out is open
            while time.monotonic() - begun < 8:
                connection.sendall(b"x" * 64 * KIB)
                sent += 64 * KIB
        assert sent < 64 * 1024 * KIB
    with closing(connect(url)) as connection:
        begun = time.monotonic()
        connection.sendall(head("Content-Length: 10000000000"))
        assert statuses(heard(connection)) == [413]
        with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012
            while time.monotonic() - begun < 8:
                connection.sendall(b"x")
                time.sleep(0.05)
        assert time.monotonic() - begun < 3


def test_one_connection_too_many() -> None:
    """Beyond the limit a connection is told 503 at once; when one ends there is room again."""
    told: list[int] = []
    edge = replace(EDGE, connections=3, head=5.0, keep_alive=5.0, refused=told.append)
    with serve_in_thread(receiver().asgi, edge=edge) as url, ExitStack() as open_:
        first, second, third = (open_.enter_context(closing(connect(url))) for _ in range(3))
        for one in (first, second, third):
            one.sendall(post())
            assert b">1000<" in until(one, b">1000<")  # served, and kept
        answer = said(url, post())
        assert statuses(answer) == [503]
        assert b"\r\nretry-after: 5\r\n" in answer
        first.close()
        deadline = time.monotonic() + 3
        while statuses(said(url, post("Connection: close"))) != [200]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        second.sendall(post())
        assert b">1000<" in until(second, b">1000<")
    assert set(told) == {503}


def test_very_many_connections() -> None:
    """Far beyond the limit connections are told so or cut off, and those with a place are served all the while."""
    edge = replace(EDGE, connections=2, head=5.0)
    with serve_in_thread(receiver().asgi, edge=edge) as url, ExitStack() as open_:
        kept = [open_.enter_context(closing(connect(url))) for _ in range(2)]
        for one in kept:
            one.sendall(head("Content-Length: 5", "Expect: 100-continue"))  # its answer waits
            until(one, b"100 Continue\r\n\r\n")  # it was let in
        crowd = [open_.enter_context(closing(connect(url))) for _ in range(20)]
        ends: set[str] = set()
        for one in crowd[5:]:
            try:
                ends.add(str(statuses(heard(one))))
            except ConnectionResetError:
                ends.add("reset")
        assert ends <= {"[503]", "[]", "reset"}
        for one in kept:
            one.sendall(b"hello")
            assert statuses(until(one, b"\r\n\r\n")) == [500]


def test_strangers_give_way() -> None:
    """Where places are short, connections on which nobody has proven himself go first, the oldest one first."""
    edge = replace(EDGE, connections=3, head=10.0, keep_alive=10.0)
    with serve_in_thread(receiver().asgi, edge=edge) as url, ExitStack() as open_:
        known = open_.enter_context(closing(connect(url)))
        known.sendall(post())
        until(known, b"</")
        silent = open_.enter_context(closing(connect(url)))
        speaking = open_.enter_context(closing(connect(url)))
        speaking.sendall(head()[:30])
        served(url)  # in the place of the first stranger
        assert heard(silent) == b""
        served(url)  # its place is free again
        idle = [open_.enter_context(closing(connect(url))) for _ in range(2)]
        assert statuses(heard(speaking)) == [503]
        known.sendall(post("Connection: close"))
        assert statuses(heard(known)) == [200]
        assert idle


# --- breaking off -----------------------------------------------------------------------------------------------------


async def resetting(scope: Any, receive: Any, send: Any) -> None:
    """An application that breaks every connection off."""
    if scope["type"] == "http":
        scope["extensions"][RESET]()


def test_reset(caplog: pytest.LogCaptureFixture) -> None:
    """An application can break its connection off: a reset, no answer, nothing in the log."""
    with serve_in_thread(resetting, edge=EDGE) as url, closing(connect(url)) as connection:
        connection.sendall(post())
        with pytest.raises(ConnectionResetError):
            heard(connection)
    assert [one for one in caplog.records if one.levelname in ("WARNING", "ERROR")] == []


# --- in a running loop ------------------------------------------------------------------------------------------------


async def exchanged(port: int, octets: bytes, secure: ssl.SSLContext | None = None) -> bytes:
    """``said`` for a running loop."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=secure)
    try:
        writer.write(octets)
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
        await writer.wait_closed()


SHARED = pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])


@SHARED
def test_listener_finishes_what_is_in_flight(shared: bool) -> None:
    """Stopping takes no new connection, lets the request in flight finish, and leaves signals alone."""
    begun, go_on = threading.Event(), threading.Event()

    def handler(message: DeliverReq) -> None:
        begun.set()
        go_on.wait(10)

    async def main() -> bytes:
        before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        listening = bound("127.0.0.1", 0)
        port = listening.getsockname()[1]
        listener = Listener(receiver(handler).asgi, listening, edge=EDGE, drain=5.0, shared=shared)
        await listener.start()
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
        asking = asyncio.create_task(exchanged(port, post()))
        await asyncio.to_thread(begun.wait, 10)
        assert listener.connections == 1
        stopping = asyncio.create_task(listener.stop())
        await asyncio.sleep(0.05)
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await asyncio.open_connection("127.0.0.1", port)
        assert not stopping.done()
        go_on.set()
        answer = await asking
        await stopping
        assert listener.connections == 0
        return answer

    assert statuses(asyncio.run(main())) == [200]


async def hanging(scope: Any, receive: Any, send: Any) -> None:
    """An application that never ends by itself."""
    await asyncio.sleep(60)


@SHARED
@pytest.mark.parametrize("how", ["drained", "aborted"])
def test_listener_ends_in_time(how: str, shared: bool) -> None:
    """What does not finish within ``drain`` seconds is ended, and at once after ``abort``."""

    async def main() -> float:
        listening = bound("127.0.0.1", 0)
        port = listening.getsockname()[1]
        drain = 0.3 if how == "drained" else 60.0
        listener = Listener(hanging, listening, edge=EDGE, drain=drain, shared=shared)
        await listener.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post())
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        stopping = asyncio.create_task(listener.stop())
        if how == "aborted":
            await asyncio.sleep(0.05)
            listener.abort()
        await stopping
        spent = time.monotonic() - begun
        try:
            answer = await asyncio.wait_for(reader.read(), 5)
        except ConnectionResetError:
            answer = b""
        assert statuses(answer) in ([], [500])
        writer.close()
        return spent

    assert asyncio.run(main()) < 3


@SHARED
def test_listener_does_not_wait_for_idle_connections(shared: bool) -> None:
    """Connections without a request, or with half a head, end when the listener stops."""

    async def main() -> float:
        listening = bound("127.0.0.1", 0)
        port = listening.getsockname()[1]
        slow = replace(EDGE, head=30.0, keep_alive=30.0)
        listener = Listener(receiver().asgi, listening, edge=slow, shared=shared)
        await listener.start()
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for (_, writer), octets in zip(idle, (b"", head()[:20], post()), strict=True):
            writer.write(octets)
        assert b">1000<" in await idle[2][0].readuntil(b"1000<")
        begun = time.monotonic()
        await listener.stop()
        spent = time.monotonic() - begun
        for _, writer in idle:
            writer.close()
        return spent

    assert asyncio.run(main()) < 2


@SHARED
def test_listener_speaks_tls(shared: bool, tmp_path: Path) -> None:
    """With a certificate and its key the listener speaks TLS; a refusal is heard there too."""
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    leaf.cert_chain_pems[0].write_to_path(str(cert))
    leaf.private_key_pem.write_to_path(str(key))
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def main() -> list[list[int]]:
        listening = bound("127.0.0.1", 0)
        port = listening.getsockname()[1]
        listener = Listener(receiver().asgi, listening, edge=EDGE, cert=str(cert), key=str(key), shared=shared)
        await listener.start()
        try:
            assert await exchanged(port, b"no handshake at all\r\n\r\n") is not None
            asked = [post("Connection: close"), post().replace(b"YTpi", b"YTpj"), post("Host: b"), head()[:30]]
            return [statuses(await exchanged(port, one, trusting)) for one in asked]
        finally:
            await listener.stop()

    assert asyncio.run(main()) == [[200], [401], [400], [408]]


def test_listeners_share_connections() -> None:
    """Of connections that come together none of two listeners on one socket gets nearly all."""

    async def main() -> list[int]:
        listening = bound("127.0.0.1", 0)
        port = listening.getsockname()[1]
        listeners = [Listener(receiver().asgi, one, edge=EDGE, shared=True) for one in (listening, listening.dup())]
        for one in listeners:
            await one.start()
        clients = [await asyncio.open_connection("127.0.0.1", port) for _ in range(16)]
        for _ in range(500):
            if sum(one.connections for one in listeners) == 16:
                break
            await asyncio.sleep(0.01)
        shares = [one.connections for one in listeners]
        for _, writer in clients:
            writer.close()
        for one in listeners:
            await one.stop()
        return shares

    assert min(asyncio.run(main())) >= 4


@pytest.mark.parametrize(("cert", "key"), [("missing.pem", "missing.key"), (__file__, __file__)])
def test_listener_refuses_a_bad_certificate(cert: str, key: str) -> None:
    """A certificate that cannot be used is named when the listener is made, with what to do."""
    with closing(bound("127.0.0.1", 0)) as listening, pytest.raises(ValueError, match="name PEM files of one pair"):
        Listener(hanging, listening, cert=cert, key=key)


def test_ipv6() -> None:
    """An IPv6 address is shown in brackets."""
    try:
        with serve_in_thread(receiver().asgi, "::1", edge=EDGE) as url:
            assert url.startswith("http://[::1]:")
            with closing(socket.create_connection(("::1", int(url.rpartition(":")[2])), timeout=10)) as connection:
                connection.sendall(post("Connection: close"))
                assert statuses(heard(connection)) == [200]
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")


def test_answers_are_read_by_our_own_reader(url: str) -> None:
    """The octets that come back over the socket are the answer in MM7."""
    fields, _, body = said(url, post("Connection: close")).partition(b"\r\n\r\n")
    kind = next(one for one in fields.decode().split("\r\n") if one.lower().startswith("content-type:"))
    back = exchange.unpack(Wire(status=200, headers=(("Content-Type", kind.partition(":")[2].strip()),), body=body))
    assert (back.operation, back.transaction_id) == ("DeliverRsp", "t-1")
