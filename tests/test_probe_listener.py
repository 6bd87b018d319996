"""What the examiner's own end takes: how much it keeps of what a peer sends, and where a request ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from test_probe_runner import one, peer

from mm7zeep.probe.incoming import Full, Incoming, Room
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.listener import Arrived, Listener

SMALL = b"POST /small HTTP/1.1\r\nContent-Length: 2\r\n\r\nab"


def answered(port: int, *requests: bytes) -> bytes:
    """What comes back for these on one connection, up to its end or a second answer's."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"".join(requests))
        connection.shutdown(socket.SHUT_WR)
        got = b""
        with suppress(ConnectionResetError):  # what was sent was not read to its end
            while more := connection.recv(65536):
                got += more
        return got


@pytest.mark.parametrize("room", [Room(octets=4 * len(SMALL)), Room(requests=4)], ids=["octets", "requests"])
def test_what_there_is_no_room_for_is_answered_and_told(room: Room) -> None:
    """A peer that never ends fills no memory, and what was kept before stays."""
    with Listener("127.0.0.1:0", room) as listener:
        for _ in range(4):
            assert answered(listener.port, SMALL).startswith(b"HTTP/1.1 400")
        assert listener.full is None
        for _ in range(3):
            assert answered(listener.port, SMALL).startswith(b"HTTP/1.1 503")
        assert [kept.raw for kept in listener.all()] == [SMALL] * 4
        assert str(listener.full).startswith("more than ")


def test_one_large_request_leaves_room_for_others() -> None:
    """What was not kept, or never came to its end, takes no room."""
    with Listener("127.0.0.1:0", Room(octets=1000)) as listener:
        assert answered(listener.port, b"POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000)[9:12] == b"503"
        for _ in range(20):
            assert answered(listener.port, b"POST / HTTP/1.1\r\nX: " + b"x" * 800) == b""  # no head comes to its end
        assert answered(listener.port, SMALL).startswith(b"HTTP/1.1 400")
        assert [kept.raw for kept in listener.all()] == [SMALL]


def test_what_was_not_kept_is_held_against_nobody() -> None:
    """A call that is missing may be among what there was no room for: that is the tool's trouble, told as such."""

    def fills(lab: Lab) -> None:
        assert lab.bench.listener is not None
        assert answered(lab.bench.listener.port, SMALL).startswith(b"HTTP/1.1 503")
        lab.no_call(lambda one: one.operation == "DeliverReq", "a message")

    with pytest.MonkeyPatch.context() as patch, peer(lambda request: None) as settings:
        patch.setattr("mm7zeep.probe.listener.Room", lambda: Room(octets=10))
        found = one(fills, replace(settings, listen="127.0.0.1:0"))
    assert (found.verdict, found.why.startswith("RuntimeError: more than 10 octets of requests came")) == (
        "ERROR",
        True,
    )


def test_each_request_is_looked_at_once_by_who_waits() -> None:
    """What was looked at before is not looked at again whenever something comes."""
    looked: list[bytes] = []

    def matches(arrived: Arrived) -> bool:
        looked.append(arrived.raw)
        return b"/last" in arrived.raw

    with Listener("127.0.0.1:0") as listener:
        answered(listener.port, SMALL)
        waiting = threading.Thread(target=listener.wait, args=(matches, 1, 30))
        waiting.start()
        for _ in range(10):
            answered(listener.port, SMALL)
        answered(listener.port, SMALL.replace(b"small", b"last"))
        waiting.join()
        assert len(looked) == 12
        assert len(listener.wait(matches, 1, 0)) == 1  # another question looks at all


@contextmanager
def incoming(*octets: bytes, room: Room | None = None) -> Iterator[Incoming]:
    """What a peer sends before it closes."""
    ours, theirs = socket.socketpair()
    with ours, theirs, Incoming(ours, room or Room()) as reading:
        ours.settimeout(5)
        theirs.sendall(b"".join(octets))
        theirs.shutdown(socket.SHUT_WR)
        yield reading


@pytest.mark.parametrize(
    "octets",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 90\r\n\r\nab\r\n\r\ncd",  # cut
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab\r\n\r\ncd",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n\r\ncd",
    ],
)
def test_what_is_cut_or_cannot_be_read_is_one_request_and_the_last(octets: bytes) -> None:
    """Whatever its body looks like, nothing of it is taken for another request."""
    with incoming(octets) as reading:
        assert reading.next() == octets
        assert reading.next() is None


def test_requests_one_after_the_other() -> None:
    """Each is whole, and one that is not kept gives its room back."""
    room = Room(octets=10 * len(SMALL))
    chunked = b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\n\r\n"
    with incoming(SMALL, chunked, SMALL, room=room) as reading:
        assert [reading.next() for _ in range(4)] == [SMALL, chunked, SMALL, None]
    room.take(10 * len(SMALL))
    with pytest.raises(Full, match="octets of requests came"):
        room.take(1)


CHUNKED = b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n"


@pytest.mark.parametrize("trailers", [b"", b"X-Sum: 1\r\n", b"X-Sum: 1\r\nPOST /evil HTTP/1.1\r\n", b"X-Sum: 1\n"])
def test_trailers_are_no_head(trailers: bytes) -> None:
    """Fields after the last chunk end with their own request; the next one begins where they end (RFC 9112 7.1.2)."""
    with incoming(CHUNKED + trailers + b"\r\n", SMALL) as reading:
        assert [reading.next() for _ in range(3)] == [CHUNKED + trailers + b"\r\n", SMALL, None]


def test_requests_after_trailers_are_answered_and_judged() -> None:
    """On a kept connection, and no field of a trailer counts as one of the head."""
    with Listener("127.0.0.1:0") as listener:
        assert answered(listener.port, CHUNKED + b"X-Sum: 1\r\n\r\n", SMALL).count(b"HTTP/1.1 400") == 2
        first, second = listener.all()
        assert (first.header("x-sum"), first.captured and first.captured.wire.read()) == (None, b"ab")
        assert second.raw == SMALL


@pytest.mark.parametrize("piece", [b"X-Sum: 1\r\n", b"x"])
def test_trailers_have_a_limit(piece: bytes) -> None:
    """A peer that never ends them is read no further."""
    ours, theirs = socket.socketpair()
    with ours, theirs, Incoming(ours, Room()) as reading:
        ours.settimeout(5)
        feeding = threading.Thread(target=_feed, args=(theirs, CHUNKED, piece * 1000))
        feeding.start()
        raw = reading.next()
        assert raw is not None
        assert raw.startswith(CHUNKED)
        assert len(raw) < 1_000_000
        assert reading.next() is None
        ours.shutdown(socket.SHUT_RDWR)
        feeding.join()


def _feed(connection: socket.socket, first: bytes, again: bytes) -> None:
    """Send ``again`` until the other end is no more."""
    with suppress(OSError):
        connection.sendall(first)
        while True:
            connection.sendall(again)
