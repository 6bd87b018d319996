"""The examiner's own HTTP: what it reads of an answer, however that is framed, cut or late."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult, urlsplit

import pytest

from mm7zeep.probe.reading import Said
from mm7zeep.probe.wire import MAX_ANSWER, Answer, Connection, Refused

Serve = Callable[[socket.socket], None]


@contextmanager
def peer(serve: Serve) -> Iterator[SplitResult]:
    """A server of one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield urlsplit(f"http://127.0.0.1:{listener.getsockname()[1]}/mm7")
        thread.join()


def answers(*pieces: bytes) -> Serve:
    """Sends these and closes."""

    def serve(connection: socket.socket) -> None:
        for one in pieces:
            connection.sendall(one)

    return serve


def read(serve: Serve, *, method: str = "POST", timeout: float = 5.0) -> Answer:
    """What is read of the answer."""
    with peer(serve) as place, Connection(place, timeout) as connection:
        connection.send(b"POST /mm7 HTTP/1.1\r\n\r\n")
        return connection.read(method=method)


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("octets", "body", "framing"),
    [
        (OK + b"Content-Length: 3\r\n\r\nabc", b"abc", "length"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n", b"abc", "chunked"),
        (OK + b"Content-Type: text/plain\r\n\r\nabc", b"abc", "close"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", "none"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 3\r\n\r\nabc", b"abc", "length"),
        (OK.replace(b"\r\n", b"\n") + b"Content-Length: 3\n\nabc", b"abc", "length"),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_whole_answers(octets: bytes, body: bytes, framing: str, step: int) -> None:
    """Every framing of RFC 9112 6.3 is read, wherever the network cuts it."""
    found = read(answers(*(octets[at : at + step] for at in range(0, len(octets), step))))
    assert (found.ended, found.body, found.framing, found.faults) == ("whole", body, framing, ())
    assert found.raw == octets
    assert found.complete


@pytest.mark.parametrize(
    ("octets", "ended", "faults"),
    [
        (b"", "closed", 0),
        (b"HTTP/1.1 200", "cut", 0),
        (OK + b"Content-Length: 5\r\n\r\nabc", "cut", 0),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc", "cut", 0),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "cut", 1),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc", "cut", 1),
        (OK + b"Content-Length: x\r\n\r\nabc", "whole", 1),
        (OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "whole", 1),
        (OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "whole", 1),
        (OK + b"no colon\r\nContent-Length: 0\r\n\r\n", "whole", 1),
        (b"ICY 200\r\nContent-Length: 0\r\n\r\n", "whole", 1),
    ],
)
def test_broken_answers(octets: bytes, ended: str, faults: int) -> None:
    """What is wrong with the framing is told, and no octet is lost."""
    found = read(answers(octets))
    assert (found.ended, len(found.faults), found.raw) == (ended, faults, octets)
    assert found.complete == (ended == "whole" and not octets.startswith(b"ICY"))


def test_silence_is_a_timeout() -> None:
    """No answer, and one that is never finished, end when the time is up."""
    done = threading.Event()

    def silent(connection: socket.socket) -> None:
        done.wait(10)

    def dribbling(connection: socket.socket) -> None:
        connection.sendall(OK + b"Content-Length: 9\r\n\r\nab")
        done.wait(10)

    for serve, ended in ((silent, "timeout"), (dribbling, "overdue")):
        done.clear()
        with peer(serve) as place, Connection(place, 0.3) as connection:
            connection.send(b"x")
            assert connection.read().ended == ended
            done.set()


def test_two_answers_on_one_connection() -> None:
    """What came with the first answer belongs to the second."""
    two = (OK + b"Content-Length: 1\r\n\r\na") + (OK + b"Content-Length: 1\r\n\r\nb")
    with peer(answers(two)) as place, Connection(place, 5) as connection:
        connection.send(b"x")
        assert [connection.read().body, connection.read().body, connection.read().ended] == [b"a", b"b", "closed"]
        assert connection.is_closed(1)


def test_nobody_listens() -> None:
    """No connection is an error of its own, not an answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = urlsplit(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    with pytest.raises(Refused, match="no connection to"):
        Connection(place, 1)


def test_slow_sending_ends_where_the_peer_answers() -> None:
    """A peer that answers before all was sent is heard at once."""
    with peer(answers(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")) as place, Connection(place, 5) as line:
        assert not line.send_slowly([b"x"] * 100, 0.2)
        assert line.read().status == 413


LARGE = "the answer is larger than 16,777,216 octets, and no more of it was read"


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (OK + b"Content-Type: text/xml\r\nContent-Length: 20000000\r\n\r\n<a>", f"HTTP 200, {LARGE}"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1312d00\r\n", f"HTTP 200, {LARGE}"),
        (OK + b"\r\n", f"HTTP 200, {LARGE}"),
        (b"", LARGE),  # no head comes to its end
    ],
    ids=["length", "chunked", "close", "head"],
)
def test_an_answer_that_is_too_large_is_told_as_that(head: bytes, told: str) -> None:
    """However it is framed, it is read no further, and its end was not missed by time."""

    def serve(connection: socket.socket) -> None:
        with suppress(OSError):  # it is not read to its end
            connection.sendall(head + b"x" * 20_000_000)

    found = read(serve)
    assert (found.ended, found.hung, found.complete, Said(found).summary) == ("large", False, False, told)
    assert MAX_ANSWER < len(found.raw) < MAX_ANSWER + 1_000_000


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"", "the connection was closed without an answer"),
        (OK + b"Content-Length: 0\r\n\r\n", "HTTP 200, no body"),
        (OK + b"Content-Type: text/html\r\nContent-Length: 5\r\n\r\n<html", "HTTP 200, no XML (text/html)"),
        (OK + b"Content-Length: 9\r\n\r\n<a>", "HTTP 200, cut after 3 octets of the body"),
    ],
)
def test_summary(octets: bytes, told: str) -> None:
    """What came is said in a few words."""
    assert Said(read(answers(octets))).summary == told
