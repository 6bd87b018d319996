"""What the texts demand of a reader or a server, where no other test shows it by itself; the register names these."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from envelopes import MINIMAL, envelope, message, sent, transaction, wire

from mm7zeep import exchange, mime
from mm7zeep.messages import DeliverReq, Part, SubmitReq
from mm7zeep.mime import parse_content_type
from mm7zeep.receiver import Receiver

FOREIGN = 'xmlns:x="urn:example:x"'


def receiver() -> Receiver:
    """One that takes every MO."""
    made = Receiver()

    @made.on_deliver
    def deliver(message: DeliverReq) -> None:
        """Nothing to do."""

    return made


def answered(*blocks: str) -> int:
    """The HTTP status of the answer to an MO with further header blocks."""
    sound = message("DeliverReq", MINIMAL["DeliverReq"])
    return receiver().answer(wire(envelope(sound, transaction() + "".join(blocks)))).status


def read(header: str, body: bytes) -> mime.Node:
    """A part beside an envelope, as the reader has it."""
    root = b"--b\r\nContent-Type: text/xml\r\nContent-ID: <r@w.example>\r\n\r\n<e/>\r\n--b\r\n"
    head = 'multipart/related; boundary="b"; type="text/xml"; start="<r@w.example>"'
    reader = mime.Reader([("Content-Type", head)])
    reader.feed(root + header.encode() + b"\r\n\r\n" + body + b"\r\n--b--\r\n")
    [node] = reader.finish().content
    return node


def test_must_understand_elsewhere() -> None:
    """SOAP 1.1 4.2.1: mustUnderstand counts on children of Header alone."""
    assert answered(f'<x:A {FOREIGN}><x:B env:mustUnderstand="1"/></x:A>') == 200
    assert answered(f'<x:A {FOREIGN} env:mustUnderstand="1"/>') == 500


def test_entry_for_another_actor() -> None:
    """SOAP 1.1 4.2.2: an entry for another actor is not ours to understand; one for the next actor is."""
    assert answered(f'<x:A {FOREIGN} env:mustUnderstand="1" env:actor="urn:example:other"/>') == 200
    following = "http://schemas.xmlsoap.org/soap/actor/next"
    assert answered(f'<x:A {FOREIGN} env:mustUnderstand="1" env:actor="{following}"/>') == 500


def test_labels_in_any_case() -> None:
    """RFC 2045 5.1, RFC 2046 4.1.2: case of types, parameters and charsets is nothing, nor are unknown parameters."""
    found = parse_content_type("Text/PLAIN; x-unknown=1; CharSet=UTF-8")
    assert (found.media_type, dict(found.parameters)["charset"], found.defects) == ("text/plain", "UTF-8", ())
    for charset in ("UTF-8", "utf-8", "Utf-8"):
        part = read(f"Content-Type: TEXT/Plain; Charset={charset}", "día".encode()).part
        assert part is not None
        assert part.text() == "día"


@pytest.mark.parametrize("header", ["X-Buoy: 7", "Content-Type: nonsense"])
def test_part_without_a_readable_type(header: str) -> None:
    """RFC 2045 5.2: without a Content-Type that can be read, a part is plain text."""
    assert read(header, b"Tides").content_type == "text/plain"


def test_small_hexadecimal_digits() -> None:
    """RFC 2045 6.7: quoted-printable in small letters, which no writer should write, is read all the same."""
    part = read("Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable", b"d=c3=ada").part
    assert part is not None
    assert part.body == "día".encode()


def test_blanks_between_encoded_words() -> None:
    """RFC 2047 6.2: blanks between two encoded words belong to neither."""
    named = 'Content-Disposition: attachment; filename="=?utf-8?Q?low?= =?us-ascii?B?dGlkZQ==?="'
    assert read(f"Content-Type: text/plain\r\n{named}", b"x").name == "lowtide"


def test_percent_sign_in_a_content_id() -> None:
    """RFC 2392 2: what a URL cannot hold of a Content-ID is escaped in the reference, and found again."""
    part = Part(body=b"Tides", content_type="text/plain", content_id="50%off@kiosk.example")
    packed = exchange.pack(SubmitReq(to="+4670000001", vaspid="Kiosk"), [part])
    received = exchange.unpack(packed, policy="strict")
    assert isinstance(received.message, SubmitReq)
    assert received.message.content_href == "cid:50%25off@kiosk.example"
    assert [one.content_id for one in received.parts] == ["50%off@kiosk.example"]


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_booleans(text: str, value: bool) -> None:
    """XSD: each of the four forms of a boolean is read, and none is a finding."""
    received = exchange.unpack(
        wire(sent("SubmitReq", more=f"<DeliveryReport>{text}</DeliveryReport>")), policy="strict"
    )
    assert isinstance(received.message, SubmitReq)
    assert (received.message.delivery_report, received.findings) == (value, ())


def test_answers_have_a_date() -> None:
    """RFC 9110 6.6.1: a server with a clock says when it answered, whether it took the request or not."""
    pytest.importorskip("uvicorn")
    from mm7zeep.gateway.server.listener import serve_in_thread

    with serve_in_thread(receiver().asgi) as url:
        place = urlsplit(url)
        connection = HTTPConnection(place.hostname or "", place.port, timeout=10)
        for method, status in (("POST", 200), ("GET", 405)):
            connection.request(method, "/", sent("DeliverReq").encode(), {"Content-Type": "text/xml; charset=utf-8"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
            assert parsedate_to_datetime(answer.headers["Date"]).utcoffset() is not None
        connection.close()
