"""The requests on a connection that a peer made to us, one after the other, each as it came; and how many are kept.

Reads no more than there is room for, whatever a peer says of lengths. Judges nothing, and answers 100 Continue alone.
"""

from __future__ import annotations

import re
import socket
import threading

MAX_REQUEST = 32 * 1024 * 1024
"""Octets that are read of one request."""

MAX_KEPT = 128 * 1024 * 1024
"""Octets of all requests together, those that still come included."""

MAX_REQUESTS = 10_000
"""Requests that are kept: what is made of one takes more than its octets."""

_MAX_TRAILERS = 64 * 1024  # octets of the fields after the last chunk
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")


class Full(Exception):
    """There is no room for what comes; the text says how much there was."""


class Room:
    """How much may be kept in all; used from several threads."""

    def __init__(self, octets: int = MAX_KEPT, requests: int = MAX_REQUESTS) -> None:
        self._octets, self._requests = octets, requests
        self._lock = threading.Lock()
        self._used = self._count = 0

    def take(self, octets: int) -> None:
        """Room for so many octets more. Raises ``Full``."""
        with self._lock:
            if self._used + octets > self._octets:
                raise Full(f"more than {self._octets:,} octets of requests came")
            self._used += octets

    def keep(self) -> None:
        """One request more is kept, whose octets were taken before. Raises ``Full``."""
        with self._lock:
            if self._count >= self._requests:
                raise Full(f"more than {self._requests:,} requests came")
            self._count += 1

    def give_back(self, octets: int) -> None:
        """So many octets are not kept."""
        with self._lock:
            self._used -= octets


class Incoming:
    """The requests on ``connection``; a context, at whose end what was not kept gives its room back."""

    def __init__(self, connection: socket.socket, room: Room) -> None:
        self._connection, self._room = connection, room
        self._buffer, self._raw = bytearray(), bytearray()
        self._over = False

    def __enter__(self) -> Incoming:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._room.give_back(len(self._buffer) + len(self._raw))

    def keep(self) -> None:
        """The request that was read last is kept. Raises ``Full``, and then it is not."""
        self._room.keep()
        self._raw.clear()

    def next(self) -> bytes | None:
        """The next request as it came, chunks and all; None where none comes any more.

        One that is cut, too large or framed so that its end cannot be told is the last. Raises ``Full``.
        """
        self._room.give_back(len(self._raw))
        self._raw.clear()
        if self._over:
            return None
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if not self._more():
                return None
        self._take(end + 4)
        head = bytes(self._raw).decode("latin-1").lower()
        if re.search(r"\r\nexpect:[ \t]*100-continue", head):
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if re.search(r"\r\ntransfer-encoding:[^\r\n]*chunked", head):
            whole = self._chunks()
        else:
            said = re.search(r"\r\ncontent-length:[ \t]*(\d{1,10})", head)
            whole = self._exactly(int(said[1]) if said else 0)
        if not whole:  # cut: kept as it is, for the judgement to see
            self._over = True
            self._take(len(self._buffer))
        return bytes(self._raw)

    def _chunks(self) -> bool:
        """Read a body in chunks (RFC 9112 7.1); False where it does not come to its end."""
        while True:
            while (found := _CHUNK.match(self._buffer)) is None:
                if b"\n" in self._buffer or not self._more():
                    return False
            size = int(found[1], 16)
            if size == 0:
                self._take(found.end())
                return self._trailers()
            if not self._exactly(found.end() + size + 2):
                return False

    def _trailers(self) -> bool:
        """Read the fields after the last chunk, which belong to no head, and the empty line (RFC 9112 7.1.2)."""
        left = _MAX_TRAILERS
        while True:
            while (end := self._buffer.find(b"\n")) < 0:
                if len(self._buffer) > left or not self._more():
                    return False
            line = bytes(self._buffer[: end + 1])
            left -= len(line)
            if left < 0:
                return False
            self._take(len(line))
            if not line.strip(b"\r\n"):
                return True

    def _exactly(self, count: int) -> bool:
        while len(self._buffer) < count:
            if not self._more():
                return False
        self._take(count)
        return True

    def _take(self, count: int) -> None:
        self._raw += self._buffer[:count]
        del self._buffer[:count]

    def _more(self) -> bool:
        """Read more; False where nothing more comes, or the request is too large. Raises ``Full``."""
        try:
            got = self._connection.recv(262144)
        except OSError:
            return False
        self._room.take(len(got))
        self._buffer += got
        return bool(got) and len(self._raw) + len(self._buffer) <= MAX_REQUEST
