"""The streaming writer: the envelope and its content parts, composed as one body of known length.

Sans-I/O but for reading parts that are files. Refuses, with ``LocalError``, labels that would break a header,
Content-IDs that do not fit between angle brackets or occur twice, and boundaries that RFC 2046 forbids.
"""

from __future__ import annotations

import binascii
import io
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

from mm7zeep.errors import LocalError
from mm7zeep.messages import Part
from mm7zeep.mime.fields import TOKEN

Encoding = Literal["binary", "base64"]
Headers = list[tuple[str, str]]

_CHUNK = 65536
_LINE_IN, _LINE_OUT = 57, 78  # RFC 2045 6.8: 57 octets make a line of 76 characters, and CRLF
_TOKEN = re.compile(TOKEN)
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")  # RFC 2046 5.1.1
_CONTENT_ID = re.compile(r"[!-;=?-~]+")  # printable ASCII that fits between angle brackets
_MEDIA_TYPE = re.compile(f"{TOKEN}/{TOKEN}")
_BREAKING = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_URI_SAFE = "!#$%&'()*+,-./:;=?@[]_~"
_OWN = ("content-type", "content-id", "content-location", "content-transfer-encoding", "content-length")
_LINE_LIMIT = 998  # RFC 5322 2.1.1


def new_boundary() -> str:
    """A boundary of 128 random bits: it cannot stand in a part by chance or design, so no part is searched for it."""
    return f"=_mm7zeep-{secrets.token_hex(16)}"


def write(
    root: bytes,
    content: Sequence[Part] = (),
    *,
    presentation: Part | None = None,
    root_content_id: str = "mm7-envelope",
    content_id: str | None = None,
    subtype: str | None = None,
    encoding: Encoding = "binary",
    root_charset: str = "utf-8",
    boundary: Callable[[], str] = new_boundary,
) -> tuple[Headers, Stream]:
    """Compose a body: ``root`` is the envelope, ``content`` the media parts, ``presentation`` the SMIL part if any.

    - Without content, the body is the envelope alone, as text/xml.
    - One part and no presentation stands beside the SOAP part. Its Content-ID is what the Content href names;
      ``content_id`` replaces it where given.
    - Otherwise the parts stand in a nested multipart with the Content-ID ``content_id``: multipart/related with the
      presentation first, or multipart/mixed where there is none. ``subtype`` sets another, and nests a single part
      too.

    ``encoding``: parts go out as binary, or in base64 for those carriers that ask for it. ``boundary`` makes each
    boundary; whoever gives one vouches that it occurs in no part. Returns the Content-Type header and the body, whose
    length is known beforehand from the sizes of the parts. Raises ``LocalError`` for what MIME forbids; nothing of
    the parts is read before the body is.
    """
    if encoding not in ("binary", "base64"):
        raise LocalError(f"the encoding is {encoding!r}; choose 'binary' or 'base64'")
    charset = _parameter("charset", root_charset, always_quoted=True)
    if not content and presentation is None:
        return [("Content-Type", f"text/xml; {charset}")], Stream([root])
    nested = presentation is not None or len(content) != 1 or subtype is not None
    parts = [*([presentation] if presentation is not None else []), *content]
    if not nested and content_id is not None:
        parts = [replace(parts[0], content_id=content_id)]
    own_ids = [root_content_id, *([_required(content_id, "nested content")] if nested else [])]
    _unique([*own_ids, *(part.content_id for part in parts if part.content_id is not None)])
    outer = _boundary(boundary, ())
    start = f"<{root_content_id}>"
    headers = [("Content-Type", f'multipart/related; boundary="{outer}"; type="text/xml"; start="{start}"')]
    head = [("Content-Type", f"text/xml; {charset}"), ("Content-Transfer-Encoding", "8bit"), ("Content-ID", start)]
    body = _Composer(encoding)
    body.delimiter(outer, first=True)
    body.header(head)
    body.segments.append(root)
    body.delimiter(outer)
    if nested:
        body.nested(parts, presentation, content_id or "", subtype, _boundary(boundary, (outer,)))
    else:
        body.part(parts[0])
    body.delimiter(outer, last=True)
    return headers, Stream(body.segments)


# --- composing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Content:
    """The content of one part as it goes out."""

    part: Part
    encoded: bool
    size: int  # octets of the part itself, as found when the body was composed

    @property
    def length(self) -> int:
        if not self.encoded:
            return self.size
        characters = (self.size + 2) // 3 * 4
        return characters + max(0, (self.size - 1) // _LINE_IN) * 2

    def chunks(self, offset: int) -> Iterator[bytes]:
        """What goes out, from the octet ``offset`` on."""
        if not self.encoded:
            yield from self._octets(offset)
            return
        lines, skipped = divmod(offset, _LINE_OUT)
        for encoded in self._lines(lines * _LINE_IN):
            yield encoded[skipped:]
            skipped = 0

    def _lines(self, offset: int) -> Iterator[bytes]:
        held, seen = b"", offset
        for chunk in self._octets(offset):
            held += chunk
            seen += len(chunk)
            # The last line goes out without a line end, so one line is held back until the end is in sight.
            whole = len(held) if seen == self.size else (len(held) - 1) // _LINE_IN * _LINE_IN
            rows = [binascii.b2a_base64(held[at : at + _LINE_IN], newline=False) for at in range(0, whole, _LINE_IN)]
            held = held[whole:]
            if rows:
                yield b"\r\n".join(rows) + (b"" if seen == self.size else b"\r\n")

    def _octets(self, offset: int) -> Iterator[bytes]:
        """The part's own octets from ``offset`` on: exactly as many as were announced."""
        due = self.size - offset
        with self.part.open() as stream:
            if offset:
                stream.seek(offset)
            while due > 0:
                chunk = stream.read(min(due, _LINE_IN * 840))
                if not chunk:
                    raise LocalError(f"a part has become shorter while it was sent: {due} octets are missing")
                due -= len(chunk)
                yield chunk
            if stream.read(1):
                raise LocalError("a part has become longer while it was sent")


Segment = bytes | _Content


class _Composer:
    """Collects the segments of a body."""

    def __init__(self, encoding: Encoding) -> None:
        self.segments: list[Segment] = []
        self._encoding = encoding

    def delimiter(self, boundary: str, *, first: bool = False, last: bool = False) -> None:
        self.segments.append(
            f"{'' if first else chr(13) + chr(10)}--{boundary}{'--' if last else ''}\r\n".encode("ascii")
        )

    def header(self, fields: Headers) -> None:
        self.segments.append(_lines(fields) + b"\r\n")

    def part(self, part: Part) -> None:
        parameters, headers = (
            tuple(map(tuple, part.parameters)),
            tuple(map(tuple, part.headers)),
        )  # lists are given, too
        before, after = _labels(
            part.content_type, parameters, part.name, part.content_location, headers, self._encoding
        )
        own = _lines([("Content-ID", f"<{part.content_id}>")]) if part.content_id is not None else b""
        self.segments.append(b"".join((before, own, after, b"\r\n")))
        self.segments.append(_Content(part, self._encoding == "base64", part.size))

    def nested(
        self, parts: Sequence[Part], presentation: Part | None, content_id: str, subtype: str | None, boundary: str
    ) -> None:
        subtype = subtype or ("mixed" if presentation is None else "related")
        if not _TOKEN.fullmatch(subtype):
            raise LocalError(f"the subtype {subtype!r} is no token")
        value = f'multipart/{subtype}; boundary="{boundary}"'
        if subtype == "related" and parts:
            # RFC 2387 3.1: type is mandatory, and that of the root part; start names it.
            value += f'; type="{parts[0].content_type}"'
            if presentation is not None:
                value += f'; start="<{_required(presentation.content_id, "the presentation")}>"'
        self.header([("Content-Type", value), ("Content-ID", f"<{content_id}>")])
        for index, part in enumerate(parts):
            self.delimiter(boundary, first=index == 0)
            self.part(part)
        self.delimiter(boundary, last=True)


def _lines(fields: Headers) -> bytes:
    """Fields as lines. Raises ``LocalError`` for what breaks one, and for one that is too long."""
    lines = [f"{name}: {value}".encode() for name, value in fields]
    for (name, value), line in zip(fields, lines, strict=True):
        if not _TOKEN.fullmatch(name) or _BREAKING.search(value):
            raise LocalError(f"the part header {name!r} holds a character that would break it; remove it")
        if len(line) > _LINE_LIMIT:
            raise LocalError(f"the part header {name} has {len(line)} octets; RFC 5322 2.1.1 allows {_LINE_LIMIT}")
    return b"\r\n".join((*lines, b""))


@lru_cache(256)
def _labels(
    content_type: str,
    parameters: tuple[tuple[str, str], ...],
    name: str | None,
    content_location: str | None,
    headers: tuple[tuple[str, str], ...],
    encoding: Encoding,
) -> tuple[bytes, bytes]:
    """The header of a media part, before and behind its Content-ID: what its labels say, then its other fields as they
    are. Most parts have the labels of others: what was made is kept.
    """
    if not _MEDIA_TYPE.fullmatch(content_type):
        raise LocalError(f"the content type {content_type!r} is not type/subtype")
    given = {name.lower() for name, _ in headers}
    all_parameters = list(parameters)
    if name and not any(one.lower() in ("name", "name*") for one, _ in parameters):
        all_parameters.append(("name", name))
    kind = "; ".join([content_type, *(_parameter(*one) for one in all_parameters)])
    before: Headers = [("Content-Type", kind), ("Content-Transfer-Encoding", encoding)]
    after: Headers = []
    if content_location is not None:
        # RFC 2557 4.1: a URI; what has no place in one is percent-encoded.
        after.append(("Content-Location", quote(content_location, safe=_URI_SAFE)))
    if name and "content-disposition" not in given:
        after.append(("Content-Disposition", f"attachment; {_parameter('filename', name)}"))
    return _lines(before), _lines(after + [one for one in headers if one[0].lower() not in _OWN])


def _parameter(name: str, value: str, *, always_quoted: bool = False) -> str:
    """One parameter: a token as it is, other ASCII in quotes, the rest by RFC 2231."""
    if not _TOKEN.fullmatch(name):
        raise LocalError(f"the parameter name {name!r} is no token")
    if _BREAKING.search(value):
        raise LocalError(f"the parameter {name} holds a control character; remove it")
    if not value.isascii():
        return f"{name}*=utf-8''{quote(value, safe='!#$&+-.^_`|~')}"
    if _TOKEN.fullmatch(value) and not always_quoted:
        return f"{name}={value}"
    return '{}="{}"'.format(name, re.sub(r'(["\\])', r"\\\1", value))


def _required(content_id: str | None, whose: str) -> str:
    if content_id is None:
        raise LocalError(f"{whose} needs a Content-ID, since something else names it")
    return content_id


def _unique(ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for id in ids:
        if not _CONTENT_ID.fullmatch(id):
            raise LocalError(
                f"the Content-ID {id!r} does not fit between angle brackets; use printable ASCII without < > and blanks"
            )
        if id in seen:
            raise LocalError(f"the Content-ID {id!r} is given twice; RFC 2045 7 wants each only once")
        seen.add(id)


def _boundary(make: Callable[[], str], others: tuple[str, ...]) -> str:
    made = make()
    if not _BOUNDARY.fullmatch(made) or made in others:
        raise LocalError(f"the boundary {made!r} is not one of 1 to 70 characters by RFC 2046 5.1.1, or is used twice")
    return made


# --- the body ---------------------------------------------------------------------------------------------------------


class Stream:
    """A body of known length, read from its parts while it goes out: give it to ``requests`` as ``data``.

    ``len()`` is its size in octets. Iterating starts over each time, in chunks of at most 64 KiB; ``read``, ``tell``
    and ``seek`` have one position of their own. Raises ``LocalError`` when a part has changed its size since.
    """

    def __init__(self, segments: Sequence[bytes | _Content]) -> None:
        self._segments = tuple(segments)
        self._length = sum(len(one) if isinstance(one, bytes) else one.length for one in self._segments)
        self._at = 0
        self._source: Iterator[bytes] | None = None
        self._rest = b""

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks(0)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._length} octets>"

    def _chunks(self, offset: int) -> Iterator[bytes]:
        gathered: list[bytes] = []
        size = 0
        for segment in self._segments:
            length = len(segment) if isinstance(segment, bytes) else segment.length
            if offset and offset >= length:
                offset -= length
                continue
            pieces = iter((segment[offset:],)) if isinstance(segment, bytes) else segment.chunks(offset)
            offset = 0
            for piece in pieces:
                gathered.append(piece)
                size += len(piece)
                if size >= _CHUNK:
                    joined = b"".join(gathered)
                    whole = size - size % _CHUNK
                    yield from (joined[at : at + _CHUNK] for at in range(0, whole, _CHUNK))
                    gathered, size = [joined[whole:]], size - whole
        if size:
            yield b"".join(gathered)

    def read(self, size: int | None = -1) -> bytes:
        """The next ``size`` octets, fewer only at the end; all that are left where ``size`` is negative or None."""
        if self._at == 0 and (size is None or size < 0) and (whole := self._in_memory()) is not None:
            self.seek(self._length)
            return whole
        if self._source is None:
            self._source, self._rest = self._chunks(self._at), b""
        due = self._length - self._at if size is None or size < 0 else size
        pieces, have = [self._rest], len(self._rest)
        while have < due:
            piece = next(self._source, b"")
            if not piece:
                break
            pieces.append(piece)
            have += len(piece)
        joined = b"".join(pieces)
        self._rest = joined[due:]
        self._at += min(due, have)
        return joined[:due]

    def _in_memory(self) -> bytes | None:
        """The whole body, put together at once; None where a part is encoded, or is no bytes."""
        pieces: list[bytes] = []
        for one in self._segments:
            octets = one if isinstance(one, bytes) else one.part.body
            if not isinstance(octets, bytes) or (isinstance(one, _Content) and one.encoded):
                return None
            pieces.append(octets)
        return b"".join(pieces)

    def tell(self) -> int:
        """The position of ``read``, in octets."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position of ``read``; one beyond the end is the end. Raises ``ValueError`` below 0."""
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        if at < 0:
            raise ValueError(f"cannot seek to {at}")
        self._at, self._source, self._rest = min(at, self._length), None, b""
        return self._at
