"""Captures are read as they were sent, and what their heads show is said."""

from __future__ import annotations

from dataclasses import replace

import captures
import pytest

from mm7zeep.conformance.input import capture
from mm7zeep.conformance.input.capture import Captured, messages
from mm7zeep.errors import LimitError
from mm7zeep.mime import read

PACKED = captures.wire()
BODY = PACKED.read()
CLEAN = captures.dump(PACKED)


def one(data: bytes) -> Captured:
    """The single message of a file."""
    [found] = messages("x", data)
    return found


def ids(data: bytes) -> list[str]:
    """The kinds of findings of the single message of a file, in order."""
    return [found.id for found in one(data).findings]


def test_request() -> None:
    """A dumped request keeps method, target, fields and body, and a clean one has no findings."""
    found = one(CLEAN)
    assert (found.kind, found.wire.method, found.wire.target, found.wire.status) == ("request", "POST", "/mm7", None)
    assert found.wire.header("host") == "mmsc.example"
    assert found.wire.read() == BODY
    assert CLEAN[found.body_offset :] == BODY
    assert found.findings == ()


def test_response() -> None:
    """A dumped response keeps its status."""
    found = one(captures.dump(captures.SUBMITTED))
    assert (found.kind, found.wire.status, found.wire.method) == ("response", 200, None)
    assert found.start_line == "HTTP/1.1 200 Reason"
    assert found.findings == ()


def test_leading_blank_lines() -> None:
    """Blank lines and a byte order mark before an HTTP message are passed over."""
    found = one(b"\xef\xbb\xbf\r\n \n" + CLEAN)
    assert (found.kind, found.wire.read(), found.findings) == ("request", BODY, ())


def test_raw_package() -> None:
    """A MIME package without its head is read by its first delimiter."""
    found = one(b"\r\n" + BODY)
    assert (found.kind, found.wire.headers) == ("mime", ())
    package = read(found.wire.headers, found.wire.chunks())
    assert [part.content_id for part in package.parts] == ["note@ferry.example"]


def test_package_with_header() -> None:
    """A MIME message with its header, but no request line, is no HTTP message: its line ends are not asked for."""
    head, _, body = CLEAN.partition(b"\r\n\r\n")
    fields = b"\n".join(line for line in head.split(b"\r\n") if line.startswith(b"Content-Type"))
    found = one(b"MIME-Version: 1.0\n" + fields + b"\n\n" + body)
    assert (found.kind, found.wire.method, found.wire.read(), found.findings) == ("mime", None, BODY, ())


@pytest.mark.parametrize("data", [b"<Envelope/>", b"\n\n<?xml version='1.0'?><Envelope/>", b"", b'{"a": 1}'])
def test_bare_envelope(data: bytes) -> None:
    """What is nothing else is an envelope, with all that stands before it."""
    found = one(data)
    assert (found.kind, found.wire.headers, found.wire.read()) == ("envelope", (), data)


HEAD = b'POST /mm7 HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml; charset="utf-8"\r\n'
ENVELOPE = b"<?xml version='1.0'?><a/>"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (HEAD + b"\r\n" + ENVELOPE, []),
        (HEAD.replace(b"\r\n", b"\n") + b"\n" + ENVELOPE, ["http/line-endings"]),
        (HEAD.replace(b"a\r\n", b"a\n") + b"\r\n" + ENVELOPE, ["http/line-endings"]),
        (HEAD + ENVELOPE, ["http/blank-line"]),
        (HEAD, ["http/blank-line"]),
        (HEAD.replace(b"; c", b";\r\n c") + b"\r\n" + ENVELOPE, ["http/field-folded"]),
        (HEAD.replace(b"; c", b";\r\nc") + b"\r\n" + ENVELOPE, ["http/field-continued"]),
        (HEAD.replace(b"Host:", b"Host :") + b"\r\n" + ENVELOPE, ["http/field-syntax"]),
        (HEAD.replace(b" HTTP/1.1", b"") + b"\r\n" + ENVELOPE, ["http/request-line"]),
        (HEAD.replace(b"POST ", b"POST  ") + b"\r\n" + ENVELOPE, ["http/request-line"]),
        (HEAD.replace(b"POST /mm7 HTTP/1.1", b"HTTP/1.1405 No") + b"\r\n", ["http/status-line"]),
        (HEAD + b"Content-Length: 7\r\n\r\n" + ENVELOPE, ["http/content-length"]),
        (HEAD + b"Content-Length: nnn\r\n\r\n" + ENVELOPE, ["http/content-length"]),
        (HEAD + b"Content-Length: 25\r\n\r\n" + ENVELOPE + b"\r\n", []),
    ],
)  # fmt: skip
def test_findings_of_the_head(data: bytes, expected: list[str]) -> None:
    """Each deviation of a head is found, once, and nothing else is."""
    assert ids(data) == expected


def test_lost_blank_line_and_continuation() -> None:
    """The body begins at the first line that cannot be a field; a parameter in column 0 continues the field above."""
    found = one(b'POST / HTTP/1.1\nContent-Type: multipart/related; type=text/xml;\nstart="<a>"\nHost: b\n--B\nX: 1\n')
    assert found.wire.header("content-type") == 'multipart/related; type=text/xml; start="<a>"'
    assert found.wire.header("host") == "b"
    assert found.wire.read() == b"--B\nX: 1\n"
    assert {each.id for each in found.findings} == {"http/line-endings", "http/field-continued", "http/blank-line"}


def test_continued_secret_is_not_repeated() -> None:
    """A finding never repeats what may be a credential."""
    found = one(HEAD.replace(b"Host: a\r\n", b"Cookie: a;\r\nsession=quiet\r\n") + b"\r\n" + ENVELOPE)
    assert "quiet" not in str(found.findings)
    assert [each.id for each in found.findings] == ["http/field-continued"]


def test_chunks_are_undone() -> None:
    """A chunked body is put together; extensions and trailer fields are dropped."""
    found = one(captures.chunked())
    assert len(found.wire.read()) == len(BODY)
    assert (found.wire.read()[:2], found.findings) == (b"--", ())


def test_cut_chunks() -> None:
    """A chunked body that ends early is read as far as it goes, and said to be cut."""
    found = one(captures.chunked()[:-200])
    assert 0 < len(found.wire.read()) < len(BODY)
    assert [each.id for each in found.findings] == ["http/truncated"]


def test_announced_chunks_that_are_none() -> None:
    """A dump that undid the chunks itself but kept the field is read as it is."""
    found = one(CLEAN.replace(b"Content-Length", b"Transfer-Encoding: chunked\r\nX-Length"))
    assert (found.wire.read(), found.findings) == (BODY, ())


@pytest.mark.parametrize(
    ("between", "length"), [(b"", None), (b"\r\n", None), (b"\n\n", None), (b"\r\n", 5), (b"\n\n", 5)]
)
def test_exchange_in_one_file(between: bytes, length: int | None) -> None:
    """A request and its answer in one file are two messages, whether or not the length is true."""
    request = captures.dump(PACKED, length=length)
    found = messages("x", request + between + captures.dump(captures.SUBMITTED))
    assert [(each.kind, each.name) for each in found] == [("request", "x"), ("response", "x#2")]
    assert found[0].wire.read().strip() == BODY.strip()
    assert [each.id for each in found[0].findings] == (["http/content-length"] if length else [])


def test_request_line_inside_a_part_is_content() -> None:
    """A text part that quotes HTTP does not end the message."""
    quoted = replace(captures.TEXT, body=b"see:\r\n\r\nPOST /mm7 HTTP/1.1\r\nHost: x\r\n\r\n")
    message = replace(captures.SUBMIT, parts=(quoted,))
    assert len(messages("x", captures.dump(message))) == 1
    assert len(messages("x", captures.dump(message, length="none"))) == 1


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, a head or a number of fields beyond the limits is refused."""
    with pytest.raises(LimitError, match="head of more than"):
        messages("x", b"POST / HTTP/1.1\r\nA: " + b"a" * capture.MAX_HEAD)
    with pytest.raises(LimitError, match="fields"):
        messages("x", b"POST / HTTP/1.1\r\n" + b"A: a\r\n" * (capture.MAX_FIELDS + 1) + b"\r\n")
    monkeypatch.setattr(capture, "MAX_FILE", 10)
    with pytest.raises(LimitError, match="octets"):
        messages("x", b"<a>        ")


@pytest.mark.parametrize("data", [CLEAN, BODY, b" \n<a/>", b"HTTP/1.1 200 OK\n", b"Content-Type: text/xml\n\n<a/>"])
def test_recognised(data: bytes) -> None:
    """What looks like a capture is taken from a directory."""
    assert capture.recognised(data)


@pytest.mark.parametrize("data", [b"# Notes\n", b'{"a": 1}', b"GIF89a", b"", b"Posted yesterday: nothing\n"])
def test_not_recognised(data: bytes) -> None:
    """What does not is passed over there."""
    assert not capture.recognised(data)
