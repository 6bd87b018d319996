"""Where the messages of one side of an exchange begin and end, as far as octets that may be wrong on purpose tell.

Never refuses: what has no head or no length is one message to the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_END = re.compile(rb"\r?\n\r?\n")
_START = re.compile(rb"(?:[A-Z]{3,10} [^\r\n]{1,2000} )?HTTP/1\.[01]")
_FIELD = re.compile(rb"(?im)^(content-length|transfer-encoding|content-encoding)[ \t]*:[ \t]*([^\r\n]*)")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]{0,200}\r?\n")
_NO_BODY = re.compile(rb"HTTP/1\.[01] (?:1\d\d|204|304)")


@dataclass(frozen=True, slots=True)
class Message:
    """One message: it begins at ``begin``, its body at ``body``, it ends at ``end``; ``pieces`` are the ranges of the
    body's own octets, without the frame of its chunks. ``coding`` is its Content-Encoding, empty for none.
    """

    begin: int
    body: int
    end: int
    pieces: tuple[tuple[int, int], ...]
    coding: str

    def payload(self, data: bytes) -> bytes:
        """The body without the frame of its chunks."""
        return b"".join(data[begin:end] for begin, end in self.pieces)

    def framed(self, data: bytes, payload: bytes) -> bytes:
        """The body in its frame, with other octets of the same length in it."""
        out, done = bytearray(data[self.body : self.end]), 0
        for begin, end in self.pieces:
            out[begin - self.body : end - self.body] = payload[done : done + end - begin]
            done += end - begin
        return bytes(out)


def messages(data: bytes) -> Iterator[Message]:
    """The messages in ``data``, which together are all of it."""
    begin = 0
    while begin < len(data):
        found = _END.search(data, begin) if _START.match(data, begin) else None
        if found is None:  # no head, or one that does not end
            yield Message(begin, begin, len(data), ((begin, len(data)),), "")
            return
        one = _message(data, begin, found.end())
        yield one
        begin = one.end


def head_end(data: bytes) -> int | None:
    """Where the body of the first message begins; None where it has no head."""
    found = _END.search(data) if _START.match(data) else None
    return found.end() if found else None


def _message(data: bytes, begin: int, body: int) -> Message:
    fields = {name.lower(): value.strip().lower() for name, value in _FIELD.findall(data[begin:body])}
    coding = fields.get(b"content-encoding", b"").decode("latin-1")
    coding = "" if coding == "identity" else coding
    if _NO_BODY.match(data, begin):
        return Message(begin, body, body, (), "")
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        pieces, end = _chunks(data, body)
    else:
        length = fields.get(b"content-length", b"")
        end = min(body + int(length), len(data)) if length.isdigit() and len(length) < 12 else len(data)
        pieces = [(body, end)]
    if end < len(data) and not _START.match(data, end):  # more came than was said
        if not coding:
            pieces.append((end, len(data)))
        end = len(data)
    return Message(begin, body, end, tuple(pieces), coding)


def _chunks(data: bytes, place: int) -> tuple[list[tuple[int, int]], int]:
    """The ranges of the chunks, and where the body ends; what is no chunk is a piece to the end."""
    pieces: list[tuple[int, int]] = []
    while place < len(data):
        head = _SIZE.match(data, place)
        if head is None:
            pieces.append((place, len(data)))
            return pieces, len(data)
        size = int(head[1], 16)
        place = head.end()
        if size == 0:
            trailer = _END.search(data, place - 2)
            return pieces, trailer.end() if trailer else len(data)
        pieces.append((place, min(place + size, len(data))))
        place = min(place + size, len(data))
        place += len(data[place : place + 2]) if data[place : place + 2] == b"\r\n" else 0
    return pieces, len(data)
