"""Answers read at little cost: HTTP with a length, in chunks or to the end of the connection, and a scan of the XML.

``AnswerReader`` takes octets as they come; ``scan`` tells the status of an answer that looks as it should and nothing
else; ``judge`` has the full reader say it. Refuses a head above 64 KiB, a body above 8 MiB, and what is no HTTP.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mm7zeep.errors import RemoteError
from mm7zeep.exchange import Wire, unpack
from mm7zeep.messages import Fault, Response

_MOST_HEAD, _MOST_BODY, _MOST_LINE = 64 * 1024, 8 * 1024 * 1024, 1024
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?\r\n")
_FIELD = re.compile(rb"\r\n(content-length|transfer-encoding|connection|content-type)[ \t]*:[ \t]*([^\r\n]*)", re.I)
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\Z")


class Broken(ValueError):
    """What came is no HTTP answer; the message says what is wrong with it."""


class Answer(NamedTuple):
    """One HTTP answer: its status, its head as it came, its content type in lower case, its body; whether it is the
    last on its connection.
    """

    status: int
    head: bytes
    content_type: bytes
    body: bytes
    closes: bool

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The header fields."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines if line)
        return tuple((name.strip(), value.strip()) for name, _, value in pairs)


class AnswerReader:
    """Reads one answer after another; of each, ``feed`` gives it as soon as it is whole."""

    def __init__(self) -> None:
        self._got = bytearray()
        self._reset()

    def _reset(self) -> None:
        self._status: int | None = None
        self._head = self._type = b""
        self._closes = False
        self._length: int | None = None
        self._chunked = False
        self._left = -1  # octets of the chunk with its line end; -1: its size line comes next, -2: the trailer
        self._body = bytearray()

    @property
    def begun(self) -> bool:
        """Whether something of an answer has come, and not all of it."""
        return bool(self._got) or self._status is not None

    def feed(self, data: bytes) -> Answer | None:
        """Take octets; the answer if it is whole with them.

        Raises ``Broken`` for what is no answer, and for octets that follow one: nothing was asked that they answer.
        """
        self._got += data
        while self._status is None:
            if not self._read_head():
                return None
        if self._chunked:
            return self._done() if self._read_chunks() else None
        if self._length is None:
            if len(self._got) > _MOST_BODY:
                raise Broken("the body has more than 8 MiB")
            return None
        if len(self._got) < self._length:
            return None
        self._body, self._got = self._got[: self._length], self._got[self._length :]
        return self._done()

    def end(self) -> Answer | None:
        """The connection has ended: the answer that its end completes, None if none had begun.

        Raises ``Broken`` for one that is cut.
        """
        if self._status is not None and not self._chunked and self._length is None:
            self._body, self._got = self._got, bytearray()
            return self._done()
        if self.begun:
            raise Broken("the answer is cut")
        return None

    def _done(self) -> Answer:
        if self._got:
            raise Broken("octets follow the answer")
        assert self._status is not None  # noqa: S101
        answer = Answer(self._status, self._head, self._type, bytes(self._body), self._closes)
        self._reset()
        return answer

    def _read_head(self) -> bool:
        """Take the head off, if it is whole; that of an interim answer (RFC 9110 15.2) is dropped."""
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            if len(self._got) > _MOST_HEAD:
                raise Broken("the head has more than 64 KiB")
            if len(self._got) >= 7 and not self._got.startswith(b"HTTP/1."):
                raise Broken("it does not begin as HTTP/1.1")
            return False
        head = bytes(self._got[: end + 2])
        del self._got[: end + 4]
        line = _STATUS.match(head)
        if line is None or end > _MOST_HEAD:
            raise Broken("it has no status line of HTTP/1.1")
        status = int(line[2])
        if status < 200:
            return True
        lengths, codings, options = set(), [], b""
        for name, value in _FIELD.findall(head):
            match name.lower():
                case b"content-length":
                    lengths.add(value.strip())
                case b"transfer-encoding":
                    codings.append(value.strip().lower())
                case b"connection":
                    options += value.lower() + b","
                case _:
                    self._type = value.strip().lower()
        if codings and (codings != [b"chunked"] or lengths):
            raise Broken("its Transfer-Encoding is not chunked alone")
        if len(lengths) > 1 or any(not one.isdigit() for one in lengths):
            raise Broken("its Content-Length is no number, or several")
        self._length = int(lengths.pop()) if lengths else None
        if self._length is not None and self._length > _MOST_BODY:
            raise Broken("the body has more than 8 MiB")
        if status in (204, 304):
            self._length, codings = 0, []
        self._status, self._head, self._chunked = status, head, bool(codings)
        kept = b"keep-alive" in options if line[1] == b"0" else b"close" not in options
        self._closes = not kept or (self._length is None and not codings)
        return True

    def _read_chunks(self) -> bool:
        """Take chunks off (RFC 9112 7.1); whether the last has come, with its trailer."""
        while True:
            if self._left >= 0:
                if len(self._got) < self._left:
                    return False
                if self._got[self._left - 2 : self._left] != b"\r\n":
                    raise Broken("a chunk does not end with its line")
                self._body += self._got[: self._left - 2]
                del self._got[: self._left]
                self._left = -1
            end = self._got.find(b"\r\n")
            if end > _MOST_LINE or (end < 0 and len(self._got) > _MOST_LINE):
                raise Broken("a line between chunks has more than 1 KiB")
            if end < 0:
                return False
            line = bytes(self._got[:end])
            del self._got[: end + 2]
            if self._left == -2:  # of the trailer, whose end is an empty line
                if not line:
                    return True
                continue
            size = _CHUNK.match(line)
            if size is None:
                raise Broken("the size of a chunk is no number")
            self._left = int(size[1], 16) + 2 if int(size[1], 16) else -2
            if self._left + len(self._body) > _MOST_BODY:
                raise Broken("the body has more than 8 MiB")


# --- what an answer says ----------------------------------------------------------------------------------------------


class Said(NamedTuple):
    """What an answer says: its status code and MessageID, or, with ``error``, of what kind its fault is."""

    code: int | None = None
    message_id: str | None = None
    error: str | None = None


# Begins of the elements that matter, whatever their prefix, with the text that follows.
_ELEMENT = re.compile(
    rb"<(?:[A-Za-z_][\w.-]*:)?(TransactionID|StatusCode|MessageID|Fault|[A-Za-z]+Rsp)(?:\s[^<>]*)?>([^<]*)"
)
_CODE = re.compile(rb"\s*([1-9][0-9]{3})\s*\Z")


def scan(answer: Answer, operation: str, transaction_id: str) -> Said | None:
    """What ``answer`` says to ``operation``, the element of its request such as ``SubmitReq``; None for what does not
    look right, which the full reader is to judge.

    One TransactionID, as asked; one StatusCode of four digits; one response, of that operation with 200, or a Fault
    with 200 or 500; at most one MessageID; no comment, CDATA or DOCTYPE that could hide one.
    """
    body = answer.body
    if answer.status not in (200, 500) or not answer.content_type.startswith(b"text/xml"):
        return None
    if b"<!" in body or body.find(b"<?", 1) > 0 or not body.rstrip().endswith(b">"):
        return None
    found: dict[bytes, bytes] = {}
    for name, text in _ELEMENT.findall(body):
        if name in found:
            return None
        found[name] = text
    wanted = operation.removesuffix("Req").encode() + b"Rsp"
    responses = {name for name in found if name.endswith(b"Rsp") or name == b"Fault"}
    code = _CODE.match(found.get(b"StatusCode", b""))
    if code is None or found.get(b"TransactionID", b"").strip() != transaction_id.encode():
        return None
    if b"Fault" in responses:
        if not responses <= {b"Fault", b"RSErrorRsp"}:
            return None
    elif responses != {wanted} or answer.status != 200:
        return None
    message_id = found.get(b"MessageID", b"").strip()
    if b"&" in message_id or not message_id.isascii():
        return None
    return Said(code=int(code[1]), message_id=message_id.decode() or None)


def judge(answer: Answer, operation: str, transaction_id: str) -> Said:
    """The same by ``mm7zeep.unpack``, of any answer. A status that is no success of HTTP, without a legible Fault, is
    ``HTTP n``.
    """
    if b"xml" not in answer.content_type and not answer.content_type.startswith(b"multipart/"):
        return Said(error=f"HTTP {answer.status}" if answer.status != 200 else "unparsable")
    try:
        received = unpack(Wire(headers=answer.headers, body=answer.body, status=answer.status))
    except RemoteError:
        return Said(error=f"HTTP {answer.status}" if answer.status not in (200, 500) else "unparsable")
    message = received.message
    if received.transaction_id != transaction_id:
        return Said(error="wrong TransactionID")
    if isinstance(message, Fault):
        return Said(code=message.status.code)
    if not isinstance(message, Response) or received.operation != operation.removesuffix("Req") + "Rsp":
        return Said(error="answer to another operation")
    if answer.status != 200:
        return Said(error=f"HTTP {answer.status}")
    return Said(code=message.status.code, message_id=getattr(message, "message_id", None) or None)
