"""HAR files to messages: what a browser or a proxy recorded, and clear words for what it did not."""

from __future__ import annotations

import base64
import json
from typing import Any

import captures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm7zeep.conformance import pairs, verdict
from mm7zeep.conformance.input import har
from mm7zeep.conformance.input.traffic import CaptureError, Traffic
from mm7zeep.errors import LimitError, RemoteError
from mm7zeep.exchange import Wire

ASKED, ANSWERED = captures.wire(), captures.wire(captures.SUBMITTED)
Object = dict[str, Any]


def headers(wire: Wire) -> list[Object]:
    """Header fields as HAR lists them."""
    return [{"name": name, "value": value} for name, value in wire.headers]


def request(wire: Wire = ASKED, **post: Any) -> Object:
    """A request as HAR has it."""
    return {
        "method": "POST", "url": "https://mmsc.example/mm7?app=7", "httpVersion": "HTTP/1.1", "headers": headers(wire),
        "postData": {"mimeType": "x", "text": wire.read().decode(), **post},
    }  # fmt: skip


def response(wire: Wire = ANSWERED, **content: Any) -> Object:
    """An answer as HAR has it."""
    return {
        "status": wire.status, "statusText": "OK", "httpVersion": "HTTP/1.1", "headers": headers(wire),
        "content": {"mimeType": "x", "text": wire.read().decode(), **content},
    }  # fmt: skip


def log(*entries: Any) -> bytes:
    """A HAR file."""
    return json.dumps({"log": {"version": "1.2", "creator": {}, "entries": entries}}).encode()


def read(*entries: Any) -> Traffic:
    """Read a HAR of these entries."""
    return har.read("x.har", log(*entries))


def test_request_and_answer() -> None:
    """An entry is a request and its answer, paired, with head and body as they were."""
    traffic = read({"request": request(), "response": response()})
    asked, answered = traffic.messages
    assert (asked.wire.method, asked.wire.target, asked.wire.status) == ("POST", "/mm7?app=7", None)
    assert asked.wire.headers == ASKED.headers
    assert asked.wire.read() == ASKED.read()
    assert (answered.wire.status, answered.wire.read()) == (200, ANSWERED.read())
    assert (asked.start_line, answered.start_line) == ("POST /mm7?app=7 HTTP/1.1", "HTTP/1.1 200 OK")
    assert [one.exchange for one in traffic.messages] == ["entry 1", "entry 1"]
    assert pairs.pairs(traffic.messages) == ((0, 1),)
    assert [verdict.judge(one).word for one in traffic.messages] == ["accept", "accept"]
    assert traffic.notes == ()


def test_base64() -> None:
    """Bodies in base64, as they are marked, broken into lines or not."""
    wire = captures.wire(captures.SUBMIT)
    body = bytes(range(256)) + wire.read()
    text = base64.encodebytes(body).decode()
    traffic = read(
        {"request": request(text=text, encoding="base64"), "response": response(text=text, encoding="base64")},
        {"request": request(text=text, _encoding="base64"), "response": {"status": 0}},
    )
    assert [one.wire.read() for one in traffic.messages] == [body] * 3


def test_base64_that_does_not_decode() -> None:
    """Such an entry is left out with its place and the reason; the others are read."""
    broken = {"request": request(text="%%%", encoding="base64"), "response": response()}
    traffic = read({"request": request(), "response": response()}, broken)
    assert len(traffic.messages) == 2
    [note] = traffic.notes
    assert note.startswith("x.har: log.entries[1].request.postData.text: its base64 does not decode")


@pytest.mark.parametrize(
    ("content_type", "text", "octets"),
    [
        ("text/xml; charset=iso-8859-1", "<Envelope>ü", b"<Envelope>\xfc"),
        ("text/xml; charset=utf-16-le", "<a", b"<\0a\0"),
        ("text/xml", "ü", b"\xc3\xbc"),
        ("text/xml; charset=unheard-of", "ü", b"\xc3\xbc"),
        ("text/xml; charset=us-ascii", "ü", b"\xc3\xbc"),
        ("text/xml", "\ud800", b"?"),
    ],
)
def test_text_is_encoded_by_its_charset(content_type: str, text: str, octets: bytes) -> None:
    """Text becomes octets by the charset of the Content-Type, by UTF-8 where that is none."""
    entry = request(text=text)
    entry["headers"] = [{"name": "content-type", "value": content_type}]
    [message] = read({"request": entry}).messages
    assert message.wire.read() == octets


def test_type_of_the_content_stands_in_for_the_header() -> None:
    """Without a Content-Type among the fields, that of postData and content counts; pseudo fields do not."""
    entry = request(mimeType="text/xml; charset=utf-8")
    entry["headers"] = [{"name": ":method", "value": "POST"}, {"name": "Host", "value": "x"}]
    [message] = read({"request": entry}).messages
    assert message.wire.headers == (("Host", "x"), ("Content-Type", "text/xml; charset=utf-8"))


@pytest.mark.parametrize(
    ("content_type", "text", "kept"),
    [
        ("text/xml", "", True),
        ("application/soap+xml; charset=utf-8", "", True),
        ("application/xml", "", True),
        ("Multipart/Related; boundary=x", "", True),
        ("application/json", "{}", False),
        ("text/html", "<html>", False),
        ("application/octet-stream", "<soap:Envelope xmlns", True),
        ("text/plain", "the Envelope", False),
        ("text/xml-external", "", False),
    ],
)
def test_only_what_may_be_mm7(content_type: str, text: str, kept: bool) -> None:
    """Entries that carry no MM7 by type or by body are left out and counted."""
    entry = request(text=text)
    entry["headers"] = [{"name": "Content-Type", "value": content_type}]
    traffic = read({"request": entry, "response": {"status": 204}})
    assert len(traffic.messages) == (2 if kept else 0)
    assert traffic.notes == (() if kept else ("x.har: 1 of 1 entries carry no MM7 and are left out",))


def test_messages_are_numbered_through() -> None:
    """What is left out takes no number; entries keep theirs."""
    other = {"request": {"method": "GET", "url": "https://x/"}, "response": {"status": 200}}
    traffic = read(other, {"request": request(), "response": response()}, other, {"request": request()})
    assert [(one.name, one.exchange) for one in traffic.messages] == [
        ("x.har", "entry 2"), ("x.har#2", "entry 2"), ("x.har#3", "entry 4"),
    ]  # fmt: skip
    assert pairs.pairs(traffic.messages) == ((0, 1),)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", r"Expecting value at line 1 column 1"),
        (b'{"log": {"entries": [}', r"Expecting value at line 1 column 22"),
        (b"\xff{}", r"octet 0 is not UTF-8"),
        (b"[" * 100_000, r"nested too deeply"),
        (b"[" + b"9" * 5000 + b"]", r"Exceeds the limit"),
        (b"[]", r"log.entries is missing"),
        (b'{"log": {"entries": {}}}', r"log.entries is missing or no list"),
    ],
)
def test_no_har(data: bytes, says: str) -> None:
    """What is no HAR is refused, with the place and what to do."""
    with pytest.raises(CaptureError, match=f"^x.har is no HAR: .*{says}.* Export it again as HAR 1.2$"):
        har.read("x.har", data)


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Octets, entries and fields are bounded."""
    monkeypatch.setattr(har, "MAX_ENTRIES", 2)
    assert len(read({"request": request()}, {"request": request()}).messages) == 2
    with pytest.raises(LimitError, match="more than 2 entries; save only"):
        read({}, {}, {})
    monkeypatch.setattr(har, "MAX_FIELDS", 1)
    many = request()
    many["headers"] = headers(ASKED) * 2
    assert "request.headers: more than 1 fields" in read({"request": many}).notes[0]
    monkeypatch.setattr(har, "MAX_FILE", 10)
    with pytest.raises(LimitError, match="more than 10 octets; save only"):
        read()


def test_recognised() -> None:
    """A HAR is known by how it begins."""
    assert har.recognised(log())
    assert har.recognised(b'\xef\xbb\xbf{\r\n  "log" : {')
    assert not har.recognised(b'{"files": []}')
    assert not har.recognised(captures.dump(ASKED))


def test_byte_order_mark() -> None:
    """Some exporters begin with one."""
    assert len(har.read("x.har", b"\xef\xbb\xbf" + log({"request": request()})).messages) == 1


KEYS = (
    "request", "response", "headers", "name", "value", "postData", "content", "text", "encoding", "url", "status",
    "mimeType", "method",
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(entries=st.lists(JSON, max_size=4))
def test_any_json_is_read_or_noted(entries: list[Any]) -> None:
    """Whatever stands in an entry, nothing but our own errors is raised, and every entry is accounted for."""
    try:
        traffic = read(*entries)
    except RemoteError:
        return
    for one in traffic.messages:
        assert verdict.judge(one).word in ("accept", "reject")
    read_or_left_out = {one.exchange for one in traffic.messages}
    assert traffic.notes or len(read_or_left_out) == len(entries)
