"""The octets of one answer as they arrive: where its head ends, where it ends, and what came behind it.

Both transports read through this, so that requests and httpx see the same: interim answers are passed over (RFC 9110
15.2), heads are bounded, and no octet beyond the end of the answer reaches the HTTP library, which would keep it for
the next one. What reaches it is written anew, head and chunks, since the libraries judge odd ones differently. Opens
nothing and waits for nothing.
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
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_UNSAID = re.compile(rb"[\x00\x0b-\x0d]")  # RFC 9110 5.5: read as blanks; the libraries refuse them, or break lines
_FRAMING = frozenset({b"transfer-encoding", b"content-length", b"connection", b"keep-alive"})
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


Fields = tuple[tuple[bytes, bytes], ...]


class Head(NamedTuple):
    """The final head of an answer: its fields in order, and the ``octets`` that the HTTP library reads of it.

    How the answer is framed is in both as this room read it, whatever the far side wrote.
    """

    octets: bytes
    status: int
    fields: Fields

    def values(self, name: bytes) -> list[bytes]:
        """What all fields of that name (in small letters) list, comma by comma, in small letters."""
        return _values(self.fields, name)

    @property
    def closes(self) -> bool:
        """Whether the sender ends the connection behind this answer."""
        return b"close" in self.values(b"connection")


def _values(fields: Fields, name: bytes) -> list[bytes]:
    lists = (value.split(b",") for field, value in fields if field.lower() == name)
    return [one.strip().lower() for values in lists for one in values if one.strip()]


class Inbound:
    """Takes octets in by ``feed`` and hands on those of the final head and its content by ``take``.

    ``head`` is None until the final head is whole. ``ended`` says that the answer is complete, ``surplus`` that more
    came than belongs to it, ``eof`` that the connection ended. Raises ``Excess`` beyond the bounds and
    ``Unreadable`` for what is no HTTP answer: ``feed`` for a head, ``take`` for content, behind what came before, so
    that it makes no difference in which pieces an answer arrives.
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
        self._broken: Unreadable | None = None  # why the content cannot be read on
        self._octets = self._fields = self._interim = 0

    @property
    def full(self) -> bool:
        """Whether enough is kept, so that no more should be read before it is taken."""
        return len(self._ready) >= _AHEAD

    @property
    def status(self) -> int | None:
        """The status of the final head."""
        return self.head.status if self.head is not None else None

    @property
    def begun(self) -> bool:
        """Whether any octet of a final answer came, or of what may become one."""
        return self.head is not None or bool(self._raw)

    @property
    def unwilling(self) -> bool:
        """Whether the far side reads no more of the request: it refused it, closes, or has closed."""
        return (
            self.eof
            or self._broken is not None
            or (self.head is not None and (self.head.status >= 300 or self.head.closes))
        )

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
        if self._broken is not None and not self._ready:
            raise self._broken
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
        status = int(found[2])
        lines = list(_lines(octets[found.end() :]))
        self._count(len(lines), status if status >= 200 else None)
        if status == 101:
            raise Unreadable("it switches protocols (101), which was not asked for", status)
        if status < 200:
            self._interim += 1
            if self._interim > INTERIM:
                raise Excess(f"more than {INTERIM} interim answers (1xx) came before it")
            return
        fields = tuple(one for one in lines if _TOKEN.fullmatch(one[0]))
        framing = self._frame(status, fields)
        options = _values(fields, b"connection")
        if b"close" in options or (found[1] == b"1.0" and b"keep-alive" not in options):
            framing = (*framing, (b"Connection", b"close"))
        fields = (*(one for one in fields if one[0].lower() not in _FRAMING), *framing)
        written = b"".join(b"%b: %b\r\n" % one for one in fields)
        self.head = Head(b"HTTP/1.1 %d \r\n%b\r\n" % (status, written), status, fields)
        self._ready += self.head.octets

    def _count(self, fields: int, status: int | None) -> None:
        self._fields += fields
        if self._fields > FIELDS:
            raise Excess(f"its head has more than {FIELDS} fields", status)

    def _frame(self, status: int, fields: Fields) -> Fields:
        """RFC 9112 6.3: how the end of the answer is found, as the field that says so. Raises ``Unreadable``."""
        # RFC 2616 3.6 had "identity" for none; chunked in two lines is met, and means it once
        codings = set(_values(fields, b"transfer-encoding")) - {b"identity"}
        lengths = {value for name, value in fields if name.lower() == b"content-length"}
        lengths = {one.strip() for value in lengths for one in value.split(b",")}
        if status in (204, 304):
            self.ended = True
            return ()
        if codings:
            if codings != {b"chunked"}:
                raise Unreadable("it comes in a Transfer-Encoding that was not asked for", status)
            self._chunks = _Chunks(self)
            return ((b"Transfer-Encoding", b"chunked"),)
        if len(lengths) > 1:
            raise Unreadable("its head gives two lengths", status)
        if not lengths:
            return ()
        length = lengths.pop()
        if not length.isdigit():
            raise Unreadable("its Content-Length is no number", status)
        self._left = int(length[:18])
        self.ended = not self._left
        return ((b"Content-Length", b"%d" % self._left),)

    def _feed_content(self, data: bytes) -> None:
        if self.ended or self._broken is not None:
            self.surplus = True
            return
        if self._chunks is not None:
            try:
                size = self._chunks.feed(data, self._ready)
            except Unreadable as error:
                self._broken = error
                return
        else:
            size = len(data) if self._left is None else min(self._left, len(data))
            self._ready += data[:size]
            if self._left is not None:
                self._left -= size
                self.ended = not self._left
        self.surplus = size < len(data)

    def trailer(self, octets: int, fields: int) -> None:
        """Count trailers to the head. Raises ``Excess`` beyond its bounds."""
        status = self.status
        if self._octets + octets > HEAD:
            raise Excess(f"its head and trailers are larger than {HEAD} octets", status)
        self._count(fields, status)


class _Chunks:
    """Takes chunks apart and finds the end of their content (RFC 9112 7.1); trailers are dropped."""

    def __init__(self, inbound: Inbound) -> None:
        self._inbound = inbound
        self._line = bytearray()
        self._left = 0  # octets of the chunk
        self._behind = False  # the line end behind a chunk comes next
        self._trailers = 0
        self._last = False

    def feed(self, data: bytes, ready: bytearray) -> int:
        """How many octets of ``data`` belong to the answer; their content goes to ``ready`` in chunks as they came."""
        at = 0
        while at < len(data) and not self._inbound.ended:
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                self._behind = not self._left
                ready += b"%x\r\n%b\r\n" % (step, data[at : at + step])
                at += step
                continue
            end = data.find(b"\n", at) + 1
            self._line += data[at : end or len(data)]
            at = end or len(data)
            if self._last:
                self._inbound.trailer(self._trailers + len(self._line), 0)
            elif len(self._line) > _LINE:
                raise Excess(f"the line before a chunk is longer than {_LINE} octets", self._inbound.status)
            if end:
                self._read_line(bytes(self._line))
                self._line.clear()
        if self._inbound.ended:
            ready += b"0\r\n\r\n"
        return at

    def _read_line(self, line: bytes) -> None:
        if self._last:
            self._trailers += len(line)
            self._inbound.ended = not line.strip(b"\r\n")
            if not self._inbound.ended:
                self._inbound.trailer(self._trailers, 1)
            return
        if self._behind:
            self._behind = False
            if line not in (b"\r\n", b"\n"):
                raise Unreadable("a chunk is longer than its size says", self._inbound.status)
            return
        size = _SIZE.fullmatch(line)
        if size is None:
            raise Unreadable("a chunk has no size", self._inbound.status)
        self._left = int(size[1], 16)
        self._last = not self._left


def _lines(octets: bytes) -> Iterable[tuple[bytes, bytes]]:
    """Names and values of the lines of a head; a line that is no field has a name that is none."""
    name: bytes | None = None
    value = b""
    for line in octets.split(b"\n"):
        if line[:1] in (b" ", b"\t"):  # RFC 9112 5.2: obs-fold; 2.2: before the first field it is passed over
            value += b" " + _cleaned(line)
            continue
        if name is not None:
            yield name, value.strip()
        name, colon, value = line.partition(b":")
        name, value = (name.strip() if colon else b"", _cleaned(value)) if line.strip() else (None, b"")
    if name is not None:
        yield name, value.strip()


def _cleaned(value: bytes) -> bytes:
    return _UNSAID.sub(b" ", value).strip()
