"""One body part in the making: from its header lines to the labels of a ``Node``, and the notes taken on the way.

Knows nothing of delimiters or of the other parts. Raises ``LimitError`` for a header beyond the limits; all else is
noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mm7zeep.charsets import MARKS, codec
from mm7zeep.errors import LimitError
from mm7zeep.findings import Action, Finding, finding
from mm7zeep.messages import Part
from mm7zeep.mime import endings, fields
from mm7zeep.mime.bodies import Base64, Decoder, Sink, decoder
from mm7zeep.mime.tree import Limits, Node, Parameters

_IDENTITY = ("7bit", "8bit", "binary")  # RFC 2045 6.4: what a multipart may have
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]*+\Z")  # RFC 2046 5.1.1 bchars
_ADDR_SPEC = re.compile(r"[^\s<>@]++@[^\s<>@]++\Z")
_BARE_CR = re.compile(rb"\r(?!\n|\Z)")
_HEAD = 16384  # characters of the outer Content-Type: what a whole HTTP head may have
_HEAD_SHOWN = 400  # octets of the content that are remembered as sent
_SPOKEN = (
    "content-type",
    "content-id",
    "content-location",
    "content-transfer-encoding",
)  # fields that are labels of a Part


class Notes:
    """The findings of one package, each id once per place, in the order of the body."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str], tuple[int, Finding]] = {}

    def take(
        self, id: str, offset: int, *, detail: str = "", action: Action = "noted", once: str | None = None
    ) -> None:
        """Note ``id`` at an octet of the body (-1: the outer Content-Type); ``once`` names a place other than that."""
        where = "Content-Type" if offset < 0 else f"byte {offset}"
        key = (id, where if once is None else once)
        if key not in self._taken:
            self._taken[key] = (offset, finding(id, where, detail=detail[:400], action=action))

    def mark(self) -> int:
        """A point to come back to with ``forget``."""
        return len(self._taken)

    def forget(self, mark: int) -> None:
        """Drop what was noted since ``mark``."""
        for key in list(self._taken)[mark:]:
            del self._taken[key]

    def drop(self, offset: int) -> None:
        """Drop what was noted at an octet of the body."""
        for key in [key for key, (at, _) in self._taken.items() if at == offset]:
            del self._taken[key]

    def __call__(self) -> tuple[Finding, ...]:
        return tuple(found for _, found in sorted(self._taken.values(), key=lambda entry: entry[0]))


def over_limit(notes: Notes, offset: int, text: str) -> LimitError:
    """The error for what exceeds a limit, with all that was noted before."""
    notes.take("mime/limit", max(0, offset), detail=text, action="refused")
    return LimitError(text, notes())


class Draft:
    """A body part while it is read.

    ``line`` takes its header lines, ``read_header`` reads them, ``feed`` takes its content, ``node`` ends it.
    """

    def __init__(self, offset: int, limits: Limits, notes: Notes) -> None:
        self.offset = offset
        self.body_offset = max(0, offset)
        self.children: list[Node] = []
        self.container = False  # taken apart whatever its type says
        self.content_type = fields.ContentType("text/plain", (), ())
        self.encoding: str | None = None
        self.headers: Parameters = ()
        self._first: dict[str, str] = {}
        self._limits = limits
        self._notes = notes
        self._raw: list[tuple[str, list[bytes]]] = []
        self._octets = 0
        self._last_line = b""
        self._decoder: Decoder | None = None
        self._sink: Sink | None = None
        self._cr = False
        self._lines: bool | None = None
        self._last = b""  # octet of the content, as sent
        self.head = b""  # the first octets of the content, as sent
        self.own_closed = False  # whether the content, a multipart by its own type, has had its last delimiter

    # --- header -------------------------------------------------------------------------------------------------------

    def line(self, line: bytes) -> bool:
        """Take one header line without its end; False where it cannot be one, which ends the header."""
        if not self.takes(line):
            return False
        folded = line[:1] in (b" ", b"\t")
        name = None if folded else fields.field_name(line)
        self._octets += len(line) + 2
        self.check(0)
        self._last_line = line
        if name is not None:
            if len(self._raw) >= self._limits.header_fields:
                raise over_limit(
                    self._notes, self.offset, f"more than {self._limits.header_fields} header fields in one part"
                )
            self._raw.append((name, [line.partition(b":")[2]]))
            if line[len(name) : len(name) + 1] != b":":
                self.note("mime/part-header-syntax", f"a blank between {name} and its colon")
            return True
        if not folded:
            self.note("mime/type-syntax", f"{line[:80]!r} continues a field in column 0", "repaired")
            line = b" " + line
        self._raw[-1][1].append(line)
        return True

    def takes(self, line: bytes) -> bool:
        """Whether a line, perhaps not complete yet, can belong to the header."""
        if line[:1] in (b" ", b"\t"):
            return bool(self._raw)
        if fields.field_name(line) is not None:
            return True
        return bool(self._raw) and fields.continues(line, self._last_line)

    def check(self, more: int) -> None:
        """Raise ``LimitError`` if the header with ``more`` octets exceeds its limit."""
        if self._octets + more > self._limits.header_bytes:
            raise over_limit(self._notes, self.offset, f"a part header of more than {self._limits.header_bytes} octets")

    def read_header(self, body_offset: int) -> None:
        """The header is complete: read its fields."""
        self.body_offset = body_offset
        self.headers = tuple((name, self._text(name, lines)) for name, lines in self._raw)
        self._raw.clear()
        for name, value in self.headers:
            key = name.lower()
            if key in self._first and key.startswith("content-"):
                self.note("mime/duplicate-field", name)
            self._first.setdefault(key, value)
        if "transfer-encoding" in self._first:
            self.note("mime/transfer-encoding-in-part", self._first["transfer-encoding"])
        self._read_type()
        self._read_encoding()

    def read_outer_header(self, headers: Iterable[tuple[str, str]]) -> None:
        """This is the whole package: take its labels from the HTTP head, where no transfer encoding has a meaning."""
        self.headers = tuple((fields.clean(name), fields.clean(fields.unfold(value))) for name, value in headers)
        for name, value in self.headers:
            if name.lower() in ("content-type", "content-location"):
                self._first.setdefault(name.lower(), value)
        given = self._first.get("content-type", "")
        if len(given) > _HEAD:
            raise over_limit(self._notes, -1, f"a Content-Type of {len(given)} characters; {_HEAD} are allowed")
        self.content_type = fields.parse_content_type(given)
        if "content-type" in self._first:
            for id, detail in self.content_type.defects:
                self.note(id, detail)

    def _text(self, name: str, lines: list[bytes]) -> str:
        raw = fields.decode_line(b"".join(lines)).strip(" \t")
        value = fields.clean(raw)
        if value != raw:
            self.note("mime/part-header-syntax", f"a control character in {name}", "repaired")
        return value

    def _read_type(self) -> None:
        given = self._first.get("content-type")
        if given is None:
            self.note("mime/part-content-type", "read as text/plain")
            return
        found = fields.parse_content_type(given)
        for id, detail in found.defects:
            self.note(id, detail)
        if not found.media_type:
            # RFC 2045 5.2: what cannot be read is text/plain.
            found = fields.ContentType("text/plain", found.parameters, found.defects, found.unquoted)
        self.content_type = found

    def _read_encoding(self) -> None:
        given = self._first.get("content-transfer-encoding")
        if given is None:
            return
        self.encoding = given
        mechanism = fields.without_comments(given).partition(";")[0].strip().lower()
        if ";" in given:
            self.note("mime/parameter-trailing", f"Content-Transfer-Encoding: {given}")
        if self.multipart:
            if mechanism not in _IDENTITY:
                self.note("mime/cte-composite", given)
            return
        self._decoder, known = decoder(mechanism)
        if not known:
            self.note("mime/cte-known", given, "kept-raw")

    @property
    def multipart(self) -> bool:
        """Whether it is read as a multipart."""
        return self.container or self.content_type.media_type.startswith("multipart/")

    def note(self, id: str, detail: str = "", action: Action = "noted") -> None:
        """Note a finding at this part."""
        self._notes.take(id, self.offset, detail=detail, action=action)

    # --- content ------------------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take octets of the content of a leaf, as sent."""
        if self._sink is None:
            self._sink = Sink(self._limits.spool)
            self._decoder = self._decoder or decoder(None)[0]
        if len(self.head) < _HEAD_SHOWN:
            self.head += data[: _HEAD_SHOWN - len(self.head)]
        self._last = data[-1:] or self._last
        if self._decoder is not None:
            self._keep(self._decoder.feed(data))

    def _keep(self, data: bytes | bytearray) -> None:
        if self._sink is None or not data:
            return
        if self._has_lines(data):
            # RFC 2046 4.1.1: CR and LF stand together in text
            if (self._cr and data[:1] != b"\n") or _BARE_CR.search(data):
                self.note("mime/text-bare-cr")
            self._cr = data.endswith(b"\r")
        self._sink.write(data)

    def _has_lines(self, data: bytes | bytearray) -> bool:
        """Whether CR and LF are octets of this content, of which ``data`` is a piece: text, no UTF-16 or UTF-32."""
        if self._lines is None:
            kind = self.content_type.media_type
            wide = (codec(self.content_type.get("charset") or "") or "").startswith(("utf-16", "utf-32"))
            wide = wide or b"\0" in data[:4] or data.startswith(tuple(mark for mark, _ in MARKS[1:]))
            self._lines = kind.startswith("text/") and kind != "text/xml" and not wide
        return self._lines

    @property
    def bare(self) -> bool:
        """Whether this has neither a header nor content."""
        return not self.headers and (self._sink is None or not self._sink.size)

    def is_named_text(self) -> bool:
        """Whether this is a text, from a sender that names its parts."""
        named = self.header("content-id") or self.header("content-location")
        return bool(named) and self.content_type.media_type.startswith("text/")

    def whole(self, *, announced: bool) -> bool:
        """Whether the content, which no delimiter ended, is complete: padded base64, a picture with its end, or, where
        all the octets that were ``announced`` came, what ends with a line end.

        A line end behind the content was that of the missing delimiter, and is dropped.
        """
        if self._sink is None or self._decoder is None or self._decoder.defects:
            return False
        if isinstance(self._decoder, Base64) and self._decoder.padded:
            return True
        ended = announced and self._last == b"\n"
        if isinstance(self._decoder, Base64):
            return self._decoder.even and (ended or endings.complete(self._sink))
        return endings.complete(self._sink, trim=True) or (ended and endings.without_line_end(self._sink))

    def header(self, name: str) -> str | None:
        """The first header field of that name, in small letters."""
        return next((value.strip() for key, value in self.headers if key.lower() == name), None)

    def keep_raw(self, sink: Sink) -> None:
        """Make a multipart without parts a leaf, whose content as sent is in ``sink``."""
        self._sink, self._decoder = sink, decoder(None)[0]

    def node(self, end: int) -> Node:
        """The part is complete at the octet ``end``."""
        body: Part | None = None
        disposition = self._disposition()
        for kind, detail in disposition.defects if disposition is not None else ():
            self.note(kind, detail)
        name, coded = fields.file_name(self.content_type, disposition)
        labels = [value for key, value in self.headers if key.lower() in ("content-type", "content-disposition")]
        if name and (coded or not all(value.isascii() for value in labels)):
            self.note("mime/filename-encoding", coded or name)
        id = self._content_id()
        location = self._first.get("content-location", "").strip("\"' ") or None
        if self._sink is not None or not self.multipart:
            body = self._part(name, id, location)
        return Node(
            content_type=self.content_type.media_type,
            parameters=self.content_type.parameters,
            content_id=id,
            content_location=location,
            name=name,
            disposition=disposition.kind if disposition else None,
            disposition_parameters=disposition.parameters if disposition else (),
            encoding=self.encoding,
            headers=self.headers,
            offset=max(0, self.offset),
            body_offset=self.body_offset,
            size_encoded=max(0, end - self.body_offset),
            children=tuple(self.children),
            part=body,
        )

    def _disposition(self) -> fields.Disposition | None:
        given = self._first.get("content-disposition")
        return None if given is None else fields.parse_disposition(given)

    def _content_id(self) -> str | None:
        given = self._first.get("content-id")
        if given is None:
            return None
        id, bracketed = fields.content_id(given)
        if not bracketed:
            self.note("mime/content-id-brackets", given)
        if not _ADDR_SPEC.match(id or ""):
            self.note("mime/content-id-syntax", given)
        return id

    def _part(self, name: str | None, id: str | None, location: str | None) -> Part:
        if self._sink is None:
            self.feed(b"")
        coder, sink = self._decoder, self._sink
        if coder is None or sink is None:
            raise AssertionError("a leaf has a decoder and a sink once it was fed")
        self._keep(coder.close())
        if self._cr:
            self.note("mime/text-bare-cr")
        for kind, detail in coder.defects.items():
            self.note(kind, detail)
        if isinstance(coder, Base64) and coder.foreign * 10 > coder.taken:
            self.note("mime/cte-decodes", "the content is not base64")
        if not sink.size:
            self.note("mime/empty-part")
        return Part(
            body=sink.close(),
            content_type=self.content_type.media_type,
            parameters=tuple(one for one in self.content_type.parameters if not _says("name", one, name)),
            content_id=id,
            content_location=location,
            name=name,
            headers=tuple(one for one in self.headers if not self._spoken(one, name)),
        )

    def _spoken(self, header: tuple[str, str], name: str | None) -> bool:
        """Whether a header field says no more than the labels of the Part do."""
        key = header[0].lower()
        if key != "content-disposition":
            return key in _SPOKEN
        disposition = self._disposition()
        if disposition is None or disposition.kind != "attachment" or len(disposition.parameters) > 1:
            return False
        return all(_says("filename", one, name) for one in disposition.parameters)


def _says(key: str, parameter: tuple[str, str], name: str | None) -> bool:
    """Whether a parameter is ``key`` with nothing but the file name."""
    return parameter[0] == key and fields.decode_words(parameter[1]).strip() == name


def boundary_of(content_type: fields.ContentType, offset: int, limits: Limits, notes: Notes) -> bytes | None:
    """The declared boundary of a multipart, judged; None where there is none. Raises ``LimitError``."""
    given = content_type.get("boundary")
    if given is None or not given.strip():
        return None
    boundary = given.rstrip().encode("utf-8", "replace")
    if len(boundary) > limits.boundary:
        raise over_limit(notes, offset, f"a boundary of {len(boundary)} octets; {limits.boundary} are allowed")
    if len(boundary) > 70:
        notes.take("mime/boundary-length", offset, detail=f"{len(boundary)} octets")
    if given != given.rstrip() or not _BOUNDARY.match(given):
        notes.take("mime/boundary-syntax", offset, detail=given)
    return boundary
