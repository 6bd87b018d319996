"""Where the body of a request ends, so that the parser is given one request at a time and no octet of the next.

Octets in, counts out. What stands between the chunks, the parser judges; refuses, with ``ValueError``, a chunk size
whose end could be taken for another.
"""

from __future__ import annotations

import re
from typing import Protocol

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;.*)?", re.DOTALL)


class Framing(Protocol):
    """Tells the octets of one body from those that follow it; ``ended`` once all of them have come."""

    ended: bool

    def take(self, octets: bytes) -> int:
        """How many of these, which come next, belong to the body. Raises ``ValueError`` where that cannot be told."""
        ...


def framing(fields: list[tuple[bytes, bytes]]) -> Framing:
    """The framing that a head, which contradicts itself nowhere, announces (RFC 9112 6.3). Raises ``ValueError``."""
    given = dict(fields)
    if b"transfer-encoding" in given:
        return Chunked()
    return Counted(int(given.get(b"content-length", b"0")))


class Counted:
    """A body of ``length`` octets."""

    def __init__(self, length: int) -> None:
        if length < 0:
            raise ValueError("a length is negative")
        self._left = length
        self.ended = not length

    def take(self, octets: bytes) -> int:
        """See ``Framing``."""
        count = min(self._left, len(octets))
        self._left -= count
        self.ended = not self._left
        return count


class Chunked:
    """A body in chunks (RFC 9112 7.1): sizes on lines of their own, an empty chunk, trailers, an empty line."""

    def __init__(self) -> None:
        self.ended = False
        self._left = 0  # octets of a chunk, with the line end behind it
        self._line = bytearray()  # what has come of a line
        self._trailers = False

    def take(self, octets: bytes) -> int:
        """See ``Framing``."""
        at = 0
        while at < len(octets) and not self.ended:
            if self._left:
                count = min(self._left, len(octets) - at)
                self._left -= count
                at += count
                continue
            end = octets.find(b"\n", at) + 1 or len(octets)
            self._line += octets[at:end]
            at = end
            if self._line.endswith(b"\n"):
                self._judge(bytes(self._line.rstrip(b"\r\n")))
                self._line.clear()
        return at

    def _judge(self, line: bytes) -> None:
        if self._trailers:
            self.ended = not line
            return
        size = _SIZE.fullmatch(line)
        if size is None:
            raise ValueError("a chunk has no size")
        count = int(size[1], 16)
        self._trailers = not count
        self._left = count + 2 if count else 0
