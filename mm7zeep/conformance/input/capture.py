"""Captured messages: the octets of a file to ``Wire`` objects, with what the HTTP head already shows.

Reads dumps of HTTP requests and responses (several in one file, too), MIME packages with or without their header, and
bare envelopes. Opens no file. Refuses, with ``LimitError``, what exceeds the limits; all else is read somehow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mm7zeep.errors import LimitError
from mm7zeep.exchange import Wire
from mm7zeep.findings import Finding, finding
from mm7zeep.mime import fields

MAX_FILE = 64 * 1024 * 1024
"""Octets of a file."""
MAX_HEAD = 64 * 1024
MAX_FIELDS = 200
MAX_MESSAGES = 10_000

CaptureKind = Literal["request", "response", "mime", "envelope"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """One message of a file.

    ``index`` counts the messages of the file from 0. ``offset`` is where the message begins in the file,
    ``body_offset`` where its body does (in a chunked message: where the first chunk does), both in octets.
    ``start_line`` is that of an HTTP message. ``findings`` are those of the HTTP head.
    """

    file: str
    index: int
    kind: CaptureKind
    wire: Wire
    findings: tuple[Finding, ...] = ()
    start_line: str = ""
    offset: int = 0
    body_offset: int = 0

    @property
    def name(self) -> str:
        """The file, with the place of the message in it from the second on: ``x.http``, ``x.http#2``."""
        return f"{self.file}#{self.index + 1}" if self.index else self.file


_METHODS = rb"POST|GET|PUT|HEAD|OPTIONS|DELETE|PATCH|TRACE|CONNECT"
_REQUEST = re.compile(rb"(?:" + _METHODS + rb")[ \t]+[^\s<]+[ \t]*(?:HTTP/[0-9.]+[ \t]*)?\r?(?:\n|\Z)")
_EXACT_REQUEST = re.compile(rb"([A-Z]+) ([^\s]+) HTTP/[0-9](?:\.[0-9])?\Z")  # RFC 9112 3
_STATUS = re.compile(rb"HTTP/[0-9](?:\.[0-9])?[ \t]*([0-9]{3})(?![0-9])[^\r\n]*\r?(?:\n|\Z)")
_EXACT_STATUS = re.compile(rb"HTTP/[0-9](?:\.[0-9])? [0-9]{3}(?: .*)?\Z", re.DOTALL)  # RFC 9112 4
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128})([ \t]*):")
_MIME_HEAD = re.compile(rb"(?i)(?:mime-version|content-[a-z-]+)[ \t]*:")
_BLANK = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t]*\r?\n)*")
# Where no length can be trusted: a message ends with its last delimiter or its envelope, if the next begins after that.
_NEXT = re.compile(
    rb"(?:--|Envelope[ \t]*>)[ \t]*(?:\r?\n[ \t]*)++"
    rb"(?=(?:" + _METHODS + rb") \S+ HTTP/[0-9]|HTTP/[0-9][.0-9]* [0-9]{3})"
)
_TRAILER = re.compile(rb"(?:[^\r\n]+\r?\n)*(?:\r?\n|\Z)")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,1000})?\r?\n")


def recognised(data: bytes) -> bool:
    """Whether ``data`` looks like what ``messages`` reads; for files that nobody named. The beginning suffices."""
    start = data[_skip_blank(data, 0) :][:4096]
    if _STATUS.match(start) or _REQUEST.match(start):
        return True
    return start.startswith((b"--", b"<")) or _MIME_HEAD.match(start) is not None


def messages(name: str, data: bytes) -> list[Captured]:
    """The messages of a file called ``name``, in order; at least one. Raises ``LimitError``."""
    if len(data) > MAX_FILE:
        raise _too_much(f"{name} has more than {MAX_FILE} octets")
    found: list[Captured] = []
    at = 0
    while True:
        captured, at = _message(name, len(found), data, at)
        found.append(captured)
        if at >= len(data):
            return found
        if len(found) >= MAX_MESSAGES:
            raise _too_much(f"{name} holds more than {MAX_MESSAGES} messages")


def _too_much(text: str) -> LimitError:
    return LimitError(text, [finding("mime/limit", detail=text, action="refused")])


def _skip_blank(data: bytes, at: int) -> int:
    blank = _BLANK.match(data, at)
    return blank.end() if blank else at


def _message(name: str, index: int, data: bytes, at: int) -> tuple[Captured, int]:
    """The message at octet ``at``, and where the next one begins."""
    start = _skip_blank(data, at)
    first = data[start : start + 200]
    if _starts_message(data, start):
        head = _Head(data, start, "response" if _STATUS.match(data, start) else "request")
        framed = _body(head, data)
        return _captured(name, index, head, framed.body, framed.findings), framed.end
    if not first.startswith(b"--") and _FIELD.match(first):
        head = _Head(data, start, "mime")
        return _captured(name, index, head, data[head.end :]), len(data)
    kind: CaptureKind = "mime" if first.startswith(b"--") else "envelope"
    # An envelope keeps what stands before it: white space there is a fault of its own.
    return Captured(file=name, index=index, kind=kind, wire=Wire(body=data[at:]), offset=at, body_offset=at), len(data)


def _captured(name: str, index: int, head: _Head, body: bytes, findings: tuple[Finding, ...] = ()) -> Captured:
    return Captured(
        file=name,
        index=index,
        kind=head.kind,
        wire=Wire(body=body, headers=head.fields, status=head.status, method=head.method, target=head.target),
        findings=(*head.findings, *findings),
        start_line=head.start_line,
        offset=head.start,
        body_offset=head.end,
    )


# --- the head ---------------------------------------------------------------------------------------------------------


class _Head:
    """The head of a message: its start line if it is HTTP, its fields, where it ends, and what is wrong with it."""

    def __init__(self, data: bytes, at: int, kind: CaptureKind) -> None:
        self.kind = kind
        self.start = self.end = at
        self.start_line = ""
        self.status: int | None = None
        self.method: str | None = None
        self.target: str | None = None
        self._data = data
        self._raw: list[tuple[str, list[bytes]]] = []
        self._found: dict[str, Finding] = {}
        if kind != "mime":
            self._start_line(self._line())
        self._lines()
        self.fields = tuple((name, _text(b"".join(lines)).strip()) for name, lines in self._raw)
        self.findings = tuple(self._found.values())

    def _note(self, id: str, where: str, detail: str = "") -> None:
        """Once per kind: a dump that lost its line ends lost all of them."""
        self._found.setdefault(id, finding(id, where, detail=detail, action="repaired"))

    def _line(self) -> bytes:
        """The next line without its end."""
        newline = self._data.find(b"\n", self.end, self.start + MAX_HEAD)
        if newline < 0 and len(self._data) > self.start + MAX_HEAD:
            raise _too_much(f"a head of more than {MAX_HEAD} octets")
        stop = newline if newline >= 0 else len(self._data)
        line = self._data[self.end : stop]
        self.end = min(stop + 1, len(self._data))
        if self.kind != "mime" and newline >= 0 and not line.endswith(b"\r"):
            self._note("http/line-endings", "head")  # RFC 9112 2.2
        return line.rstrip(b"\r")

    def _start_line(self, line: bytes) -> None:
        self.start_line = _text(line)
        if self.kind == "response":
            found = _STATUS.match(line)
            self.status = int(found[1]) if found else None
            if not _EXACT_STATUS.match(line):
                self._note("http/status-line", "status line", _text(line))
            return
        words = line.split()
        self.method, self.target = words[0].decode("latin-1"), words[1].decode("latin-1")
        if not _EXACT_REQUEST.match(line):
            self._note("http/request-line", "request line", _text(line))

    def _lines(self) -> None:
        previous = b""
        while self.end < len(self._data):
            before = self.end
            line = self._line()
            if not line.strip():
                return
            if not self._take(line, previous):
                self.end = before
                break
            previous = line
        # RFC 9112 2.1: an empty line ends the head, also where no body follows
        self._note("http/blank-line", "head")

    def _take(self, line: bytes, previous: bytes) -> bool:
        """Take a line of the head; False where it cannot be one, so that the body begins with it."""
        name = None if line.startswith(b"--") else _FIELD.match(line)
        if line[:1] in (b" ", b"\t") and self._raw:
            self._note("http/field-folded", self._raw[-1][0])
            self._raw[-1][1].append(line)
        elif name is not None:
            if len(self._raw) >= MAX_FIELDS:
                raise _too_much(f"a head of more than {MAX_FIELDS} fields")
            if name[2]:
                self._note("http/field-syntax", name[1].decode("ascii"), "a blank before the colon")
            self._raw.append((name[1].decode("ascii"), [line[name.end() :]]))
        elif self._raw and fields.continues(line, previous):
            # What continues is a parameter; its value may be a secret outside the fields of MIME.
            shown = self._raw[-1][0].lower().startswith("content-")
            self._note("http/field-continued", self._raw[-1][0], _text(line) if shown else "")
            self._raw[-1][1].append(b" " + line)
        else:
            return False
        return True

    def header(self, name: str) -> str | None:
        """The first field of that name, in any case."""
        return next((value for key, value in self.fields if key.lower() == name), None)


def _text(octets: bytes) -> str:
    return fields.clean(fields.decode_line(octets))


# --- the body ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Framed:
    body: bytes
    end: int
    findings: tuple[Finding, ...] = ()


def _body(head: _Head, data: bytes) -> _Framed:
    """The body after ``head``, and where the next message begins."""
    if head.status is not None and (head.status < 200 or head.status in (204, 304)):
        return _Framed(body=b"", end=_skip_blank(data, head.end))  # RFC 9112 6.3: these have none
    chunked = "chunked" in (head.header("transfer-encoding") or "").lower()
    if chunked and _CHUNK_SIZE.match(data, head.end):
        return _dechunked(data, head.end)
    length = head.header("content-length")
    if length and re.fullmatch(r"[0-9]{1,12}", length) and not chunked:
        end = head.end + int(length)
        following = _skip_blank(data, end)
        if end <= len(data) and (following >= len(data) or _starts_message(data, following)):
            return _Framed(body=data[head.end : end], end=following)
    after = _NEXT.search(data, max(head.end - 2, 0))
    end = after.end() if after else len(data)
    body = data[head.end : end]
    if length is None or chunked:
        return _Framed(body=body, end=end)
    return _Framed(body=body, end=end, findings=(_misfit(length, body),))


def _misfit(length: str, body: bytes) -> Finding:
    """A length that is not that of ``body``: INFO where only the line ends of the dump are others than the wire had."""
    detail = f"{length} for {len(body)}"
    crlf = body.count(b"\r\n")
    bare = body.count(b"\n") - crlf
    # with the other line ends throughout, and some lack the last one
    copied = {len(body) + bare, len(body) + bare + 2, len(body) - crlf, len(body) - crlf + 1}
    if re.fullmatch(r"[0-9]{1,12}", length) and int(length) in copied:
        detail += ", as the line ends of a copy make it"
        return finding("http/content-length", "Content-Length", detail=detail, level="INFO")
    return finding("http/content-length", "Content-Length", detail=detail)


def _starts_message(data: bytes, at: int) -> bool:
    return bool(_STATUS.match(data, at) or _REQUEST.match(data, at))


def _dechunked(data: bytes, at: int) -> _Framed:
    """Undo the chunked transfer coding (RFC 9112 7.1); trailer fields are dropped."""
    start, body = at, bytearray()
    while True:
        size_line = _CHUNK_SIZE.match(data, at)
        if size_line is None:
            return _cut(bytes(body), data, at)
        size, at = int(size_line[1], 16), size_line.end()
        if size == 0:
            break
        body += data[at : at + size]
        if at + size > len(data):
            return _cut(bytes(body), data, len(data))
        at += size
        at += 2 if data.startswith(b"\r\n", at) else data.startswith(b"\n", at)
    if not _starts_message(data, at):
        trailer = _TRAILER.match(data, at)
        at = trailer.end() if trailer else at
    following = _skip_blank(data, at)
    if following < len(data) and not _starts_message(data, following):
        left = finding("http/transfer-encoding-known", f"byte {at - start}", detail="octets follow the last chunk")
        return _Framed(body=bytes(body), end=len(data), findings=(left,))
    return _Framed(body=bytes(body), end=following)


def _cut(body: bytes, data: bytes, at: int) -> _Framed:
    shown = _text(data[at : at + 20]) if at < len(data) else "the last chunk did not arrive"
    return _Framed(body=body, end=len(data), findings=(finding("http/truncated", f"byte {len(body)}", detail=shown),))
