"""How an answer is framed is read once, for both libraries: odd heads and chunks have one outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from far_side import CLOSE, FarSide, Request, Steps, proper, saying
from test_transport_desync import SENT, Client, whole

from mm7zeep.client import Accepted
from mm7zeep.errors import StatusError, TransportError
from mm7zeep.transport import Timeouts

STYLES = pytest.mark.parametrize("style", ["sync", "async"])


@pytest.fixture
def client() -> Iterator[Callable[..., Client]]:
    """Makes clients, closed at the end."""
    with ExitStack() as stack:

        def make(style: str, url: str) -> Client:
            if style == "async":
                pytest.importorskip("httpx")
            made = Client(style, "vasp", url, timeouts=Timeouts(connect=5, read=5, reply=10))
            stack.callback(made.close)
            return made

        yield make


def chunked(body: bytes) -> bytes:
    """One chunk and the last."""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


CHUNKED = b"Transfer-Encoding: chunked"
LENGTH = b"Content-Length: %d"
# fields (%d is the length), how the content is written, whether it is accepted, and whether the connection is kept
FRAMED: dict[str, tuple[bytes, Callable[[bytes], bytes], bool, bool]] = {
    "length": (LENGTH, bytes, True, True),
    "length twice": (LENGTH + b"\r\n" + LENGTH, bytes, True, True),
    "length in a list": (LENGTH + b", %d", bytes, True, True),
    "length folded": (b"Content-Length:\r\n %d", bytes, True, True),
    "length, blank before the colon": (b"Content-Length : %d", bytes, True, True),
    "length of another kind": (LENGTH + b"\r\nContent-Length: x", bytes, False, False),
    "length of letters": (b"Content-Length: abc", bytes, False, False),
    "length below 0": (b"Content-Length: -5", bytes, False, False),
    "length with a sign": (b"Content-Length: +%d", bytes, False, False),
    "length in hexadecimal digits": (b"Content-Length: 0x10", bytes, False, False),
    "length of nothing": (b"Content-Length:", bytes, False, False),
    "chunks": (CHUNKED, chunked, True, True),
    "chunks twice": (CHUNKED + b"\r\n" + CHUNKED, chunked, True, True),
    "chunks and a length": (CHUNKED + b"\r\nContent-Length: 5", chunked, True, True),
    "identity": (b"Transfer-Encoding: identity\r\n" + LENGTH, bytes, True, True),
    "no coding": (b"Transfer-Encoding:\r\n" + LENGTH, bytes, True, True),
    "gzip, chunked": (b"Transfer-Encoding: gzip, chunked", chunked, False, False),
    "unknown coding": (b"Transfer-Encoding: xchunked", chunked, False, False),
    "chunks with extensions and trailers": (
        CHUNKED, lambda body: b'%x;a="b"\r\n%b\r\n00;c\r\nX: y\r\n\r\n' % (len(body), body), True, True,
    ),
    "trailer without colon": (CHUNKED, lambda body: b"%x\r\n%b\r\n0\r\nx\r\n\r\n" % (len(body), body), True, True),
    "small chunks": (
        CHUNKED,
        lambda body: b"".join(b"1\r\n%c\r\n" % one for one in body) + b"0\r\n\r\n",
        True,
        True,
    ),
    "chunk longer than its size": (CHUNKED, lambda body: b"5\r\n%b\r\n0\r\n\r\n" % body, False, False),
    "chunk without line end": (CHUNKED, lambda body: b"%x\r\n%bXX\r\n0\r\n\r\n" % (len(body), body), True, False),
    "no chunk size": (CHUNKED, lambda body: b"x\r\n%b\r\n0\r\n\r\n" % body, False, False),
    "chunks end without a line": (CHUNKED, lambda body: b"%x\r\n%b\r\n0\r\n" % (len(body), body), True, False),
    "no colon": (b"garbage\r\n" + LENGTH, bytes, True, True),
    "no name": (b": x\r\n" + LENGTH, bytes, True, True),
    "odd name": (b"X(y): z\r\n" + LENGTH, bytes, True, True),
    "blank line of a field": (b"X: y\r\n  \r\n" + LENGTH, bytes, True, True),
    "NUL and CR in a value": (b"X: a\0b\rc\x0bd\x0ce\r\n" + LENGTH, bytes, True, True),
    "other control characters": (b"X: \x01\x1b\x7f\xff\r\n" + LENGTH, bytes, True, True),
    "close": (b"Connection: foo, Close\r\n" + LENGTH, bytes, True, False),
}  # fmt: skip
LINES = {
    "1.0": (b"HTTP/1.0 200 OK", True, False),
    "1.0 kept": (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive", True, True),
    "1.2": (b"HTTP/1.2 200 OK", True, True),
    "no reason": (b"HTTP/1.1 200", True, True),
    "two blanks": (b"HTTP/1.1  200  OK", True, True),
    "reason beyond ASCII": ("HTTP/1.1 200 Schön\x01".encode(), True, True),
    "folded before any field": (b"HTTP/1.1 200 OK\r\n X: y", True, True),
    "line feeds": (b"HTTP/1.1 200 OK\nX: y", True, True),
    "2": (b"HTTP/2 200 OK", False, False),
    "four digits": (b"HTTP/1.1 2000 OK", False, False),
}


def check(one: Client, far: FarSide, accepted: bool, kept: bool) -> None:
    """The first request fares as it should, the second gets its own answer."""
    message, _ = SENT["vasp"]
    first, second = one.send(message), one.send(message)
    assert isinstance(first, Accepted if accepted else TransportError), first
    if isinstance(first, Accepted):
        assert first.message_id == "m-1"
    else:
        assert first.maybe_accepted
    assert isinstance(second, StatusError), second
    assert second.transaction_id == far.requests[1].transaction_id
    assert far.connections == (1 if kept else 2)


@STYLES
@pytest.mark.parametrize("pieces", ["whole", "pieces"])
@pytest.mark.parametrize("name", FRAMED)
def test_framing(name: str, pieces: str, style: str, client: Callable[..., Client]) -> None:
    """Lengths, codings, chunks, lines that are no field: the same in both styles, in one piece or in many."""
    fields, written, accepted, kept = FRAMED[name]

    def answer(request: Request) -> Steps:
        body = whole(request).partition(b"\r\n\r\n")[2]
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n" + fields.replace(b"%d", b"%d" % len(body))
        octets = head + b"\r\n\r\n" + written(body)
        steps = [octets] if pieces == "whole" else [octets[n : n + 7] for n in range(0, len(octets), 7)]
        return steps if kept else [*steps, CLOSE]

    with FarSide(answer, saying(SENT["vasp"][1])) as far:
        check(client(style, far.url), far, accepted, kept)


@STYLES
@pytest.mark.parametrize("name", LINES)
def test_status_line(name: str, style: str, client: Callable[..., Client]) -> None:
    """What may be the first line of an answer, and whether its connection may be kept."""
    line, accepted, kept = LINES[name]

    def answer(request: Request) -> Steps:
        return [line + b"\r\n" + whole(request).partition(b"\r\n")[2]]

    with FarSide(answer, saying(SENT["vasp"][1])) as far:
        check(client(style, far.url), far, accepted, kept)


@STYLES
@pytest.mark.parametrize("status", [404, 500])
@pytest.mark.parametrize("pieces", ["whole", "apart"])
def test_broken_chunks_of_a_refusal(pieces: str, status: int, style: str, client: Callable[..., Client]) -> None:
    """Its status decides, and its text is told as far as it came, whether head and chunks come together or not."""
    head = b"HTTP/1.1 %d No\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n" % status
    rest = b"4\r\nnope\r\nzz\r\n"
    with FarSide([head + rest] if pieces == "whole" else [head, 0.05, rest]) as far:
        error = client(style, far.url).send(SENT["vasp"][0])
    assert isinstance(error, TransportError), error
    assert error.http_status == status
    assert error.maybe_accepted == (status == 500)
    assert "nope" in str(error)
    assert "a chunk has no size" in str(error)


@STYLES
@pytest.mark.parametrize("location", ["http://[::1", "http://a..b/\xff", "http://x:99999/", "//", ""])
def test_redirect_to_what_is_no_url(location: str, style: str, client: Callable[..., Client]) -> None:
    """A redirect is not followed, so it does not matter where to: nothing was accepted."""
    answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    with FarSide([answer], proper) as far:
        error = client(style, far.url).send(SENT["vasp"][0])
    assert isinstance(error, TransportError), error
    assert (error.http_status, error.maybe_accepted) == (302, False)
