"""The octets of one answer as they arrive: where its head ends, where it ends, and what came behind it.

Both transports read through this, so that requests and httpx see the same: interim answers are passed over (RFC 9110
15.2), heads are bounded, and no octet beyond the end of the answer reaches the HTTP library, which would keep it for
the next one. Opens nothing and waits for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

HEAD = 65536  # octets of all heads and trailers of one answer together
FIELDS = 128  # fields in them
INTERIM = 64  # interim answers (1xx) before the final one
_AHEAD = 65536  # octets of an early answer that are kept while the request is still going out
_LINE = 4096  # octets of the line before a chunk

_STATUS = re.compile(rb"HTTP/(1\.[0-9]) +([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")
_BLANK = re.compile(rb"\n\r?\n")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_NO_HTTP = "what came is no HTTP/1.1; check host and port of the URL"


class Unreadable(OSError):
    """What came is not an HTTP answer that can be used; ``status`` as far as one came, or the first ``octets`` of what
    has none. Its text holds no secret.
    """

    def __init__(self, text: str, status: int | None = None, octets: bytes = b"") -> None:
        super().__init__(text)
        self.status = status
        self.octets = octets


class Excess(Unreadable):
    """An answer is more than its bounds allow."""


class Overdue(TimeoutError):
    """The time for the whole exchange is over. Its text holds no secret."""


class Head(NamedTuple):
    """The final head of an answer: ``octets`` as they came, its fields in order, names in lower case."""

    octets: bytes
    version: bytes
    status: int
    fields: tuple[tuple[bytes, bytes], ...]

    def values(self, name: bytes) -> list[bytes]:
        """What all fields of that name list, comma by comma, in lower case."""
        lists = (value.split(b",") for field, value in self.fields if field == name)
        return [one.strip().lower() for values in lists for one in values if one.strip()]

    @property
    def closes(self) -> bool:
        """Whether the sender ends the connection behind this answer."""
        options = self.values(b"connection")
        return b"close" in options or (self.version == b"1.0" and b"keep-alive" not in options)


class Inbound:
    """Takes octets in by ``feed`` and hands on those of the final head and its content by ``take``.

    ``head`` is None until the final head is whole. ``ended`` says that the answer is complete, ``surplus`` that more
    came than belongs to it, ``eof`` that the connection ended. Raises ``Excess`` beyond the bounds and
    ``Unreadable`` for what is no HTTP answer.
    """

    def __init__(self) -> None:
        self.head: Head | None = None
        self.ended = False
        self.surplus = False
        self.eof = False
        self._raw = bytearray()  # of the head that is not whole yet
        self._ready = bytearray()
        self._left: int | None = None  # octets to the end of content or chunk; None until the connection ends
        self._chunks: _Chunks | None = None
        self._octets = self._fields = self._interim = 0

    @property
    def full(self) -> bool:
        """Whether enough is kept, so that no more should be read before it is taken."""
        return len(self._ready) >= _AHEAD

    @property
    def begun(self) -> bool:
        """Whether any octet of a final answer came, or of what may become one."""
        return self.head is not None or bool(self._raw)

    @property
    def unwilling(self) -> bool:
        """Whether the far side reads no more of the request: it refused it, closes, or has closed."""
        return self.eof or (self.head is not None and (self.head.status >= 300 or self.head.closes))

    def feed(self, data: bytes) -> None:
        """Take in what came; nothing means that the connection ended."""
        if not data:
            self.eof = True
            return
        while data and self.head is None:
            data = self._feed_head(data)
        if data:
            self._feed_content(data)

    def take(self, most: int) -> bytes:
        """Hand on up to ``most`` octets; none where none are there."""
        taken = bytes(self._ready[:most])
        del self._ready[:most]
        return taken

    def _feed_head(self, data: bytes) -> bytes:
        """Complete a head; gives what is behind it."""
        start = max(0, len(self._raw) - 2)
        self._raw += data
        end = _BLANK.search(self._raw, start)
        size = end.end() if end else len(self._raw)
        if self._octets + size > HEAD:
            raise Excess(f"its head is larger than {HEAD} octets", self._status())
        if end is None:
            if self._raw[:7] != b"HTTP/1."[: len(self._raw)]:
                raise Unreadable(_NO_HTTP, octets=bytes(self._raw[:16]))
            return b""
        octets, rest = bytes(self._raw[:size]), bytes(self._raw[size:])
        self._raw.clear()
        self._octets += size
        self._accept(octets)
        return rest

    def _status(self) -> int | None:
        found = _STATUS.match(self._raw)
        return int(found[2]) if found and int(found[2]) >= 200 else None

    def _accept(self, octets: bytes) -> None:
        found = _STATUS.match(octets)
        if found is None:
            raise Unreadable(_NO_HTTP, octets=octets[:16])
        version, status = found[1], int(found[2])
        fields = tuple(_fields(octets[found.end() :]))
        self._count(len(fields), status if status >= 200 else None)
        if status == 101:
            raise Unreadable("it switches protocols (101), which was not asked for", status)
        if status < 200:
            self._interim += 1
            if self._interim > INTERIM:
                raise Excess(f"more than {INTERIM} interim answers (1xx) came before it")
            return
        self.head = Head(octets, version, status, fields)
        self._ready += octets
        self._frame(self.head)

    def _count(self, fields: int, status: int | None) -> None:
        self._fields += fields
        if self._fields > FIELDS:
            raise Excess(f"its head has more than {FIELDS} fields", status)

    def _frame(self, head: Head) -> None:
        """RFC 9112 6.3: how the end of the answer is found."""
        codings, lengths = head.values(b"transfer-encoding"), set(head.values(b"content-length"))
        if head.status in (204, 304):
            self.ended = True
        elif codings:
            self._chunks = _Chunks(self) if codings == [b"chunked"] else None
        elif len(lengths) > 1:
            raise Unreadable("its head gives two lengths", head.status)
        elif lengths and (length := lengths.pop()).isdigit():
            self._left = int(length[:18])
            self.ended = not self._left

    def _feed_content(self, data: bytes) -> None:
        if self.ended:
            self.surplus = True
            return
        if self._chunks is not None:
            size = self._chunks.feed(data)
        elif self._left is None:
            size = len(data)
        else:
            size = min(self._left, len(data))
            self._left -= size
            self.ended = not self._left
        self._ready += data[:size]
        self.surplus = size < len(data)

    def trailer(self, octets: int, fields: int) -> None:
        """Count trailers to the head. Raises ``Excess`` beyond its bounds."""
        status = self.head.status if self.head else None
        if self._octets + octets > HEAD:
            raise Excess(f"its head and trailers are larger than {HEAD} octets", status)
        self._count(fields, status)


class _Chunks:
    """Finds the end of content in chunks (RFC 9112 7.1)."""

    def __init__(self, inbound: Inbound) -> None:
        self._inbound = inbound
        self._line = bytearray()
        self._left = 0  # octets of the chunk and its line end
        self._trailers = 0
        self._last = False

    def feed(self, data: bytes) -> int:
        """How many octets of ``data`` belong to the answer."""
        at = 0
        while at < len(data) and not self._inbound.ended:
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                continue
            end = data.find(b"\n", at) + 1
            self._line += data[at : end or len(data)]
            at = end or len(data)
            if self._last:
                self._inbound.trailer(self._trailers + len(self._line), 0)
            elif len(self._line) > _LINE:
                raise Excess(f"the line before a chunk is longer than {_LINE} octets")
            if end:
                self._read_line(bytes(self._line))
                self._line.clear()
        return at

    def _read_line(self, line: bytes) -> None:
        if self._last:
            self._trailers += len(line)
            self._inbound.ended = not line.strip(b"\r\n")
            if not self._inbound.ended:
                self._inbound.trailer(self._trailers, 1)
            return
        size = _SIZE.fullmatch(line)
        if size is None:
            raise Unreadable("a chunk has no size")
        length = int(size[1], 16)
        self._last = not length
        self._left = length + 2 if length else 0


def _fields(octets: bytes) -> Iterable[tuple[bytes, bytes]]:
    name: bytes | None = None
    value = b""
    for line in octets.split(b"\n"):
        if line[:1] in (b" ", b"\t") and name is not None:  # RFC 9112 5.2: obs-fold
            value += b" " + line.strip()
            continue
        if name is not None:
            yield name, value
        name, _, value = (one.strip() for one in line.partition(b":"))
        name = name.lower() if line.strip() else None
    if name is not None:
        yield name, value
