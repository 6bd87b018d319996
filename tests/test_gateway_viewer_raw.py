"""The raw view of a request, windows of its octets, and what was noticed of it, as the viewer shows them."""

from __future__ import annotations

import json
import os
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm7zeep import exchange
from mm7zeep.findings import KINDS, finding
from mm7zeep.gateway.admin import messages as admin
from mm7zeep.gateway.store import content, mapping
from mm7zeep.gateway.store.rows import MessageRow, RawRow
from mm7zeep.gateway.viewer.raw_view import ENVELOPE, NODES, hexdump, raw_view
from mm7zeep.gateway.viewer.validation import MOST, validation
from mm7zeep.messages import Number, Part, SubmitReq

GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
RELATED = 'multipart/related; boundary=b; type="text/xml"; start="<s>"'


def row(body: bytes, content_type: str = RELATED, **headers: str) -> RawRow:
    """A request as it is kept."""
    fields = [("Content-Type", content_type), *headers.items()]
    return RawRow(message_id="x", n=0, received=5.0, headers=json.dumps(fields), body=body)


def package(*parts: bytes, root: bytes = b"<a/>") -> bytes:
    """A multipart of a root and parts, each with its header."""
    first = b"Content-Type: text/xml; charset=utf-8\r\nContent-ID: <s>\r\n\r\n" + root
    return b"".join(b"--b\r\n" + one + b"\r\n" for one in (first, *parts)) + b"--b--\r\n"


def submit() -> RawRow:
    """A submit as a VASP sends it."""
    parts = (Part(body=b"hello", content_type="text/plain", content_id="t@x"), Part(body=GIF, content_type="image/gif"))
    message = SubmitReq(vaspid="TNN", to=(Number("+61400"),), subject="<b>&", parts=parts)
    wire = exchange.pack(message, profile=content.OWN_PROFILE)
    return RawRow(message_id="x", n=0, received=5.0, headers=mapping.headers_text(wire.headers), body=wire.read())


def test_tree_and_envelope() -> None:
    """Each node is where it says, with the size it says, and the envelope is indented."""
    kept = submit()
    view = raw_view(kept)
    assert (view.request_line, view.size, view.left_out, view.error) == ("POST /mm7 HTTP/1.1", len(kept.body), 0, None)
    assert [(one.content_type, one.depth) for one in view.nodes] == [
        ("multipart/related", 0),
        ("text/xml", 1),
        ("multipart/mixed", 1),
        ("text/plain", 2),
        ("image/gif", 2),
    ]
    assert [one.root for one in view.nodes] == [False, True, False, False, False]
    text = view.nodes[3]
    assert kept.body[text.body_offset : text.body_offset + text.encoded] == b"hello"
    assert (text.content_id, text.decoded, view.nodes[4].decoded) == ("t@x", 5, len(GIF))
    assert kept.body[text.offset :].lower().startswith(b"content-")
    assert view.envelope is not None
    assert view.envelope.pretty
    assert not view.envelope.cut
    assert "\n        <mm7:VASPID>TNN</mm7:VASPID>\n" in view.envelope.text
    assert "<mm7:Subject>&lt;b&gt;&amp;</mm7:Subject>" in view.envelope.text


def test_head_without_credentials() -> None:
    """Fields that are named like credentials are hidden, in the view as in the download; each stands on one line."""
    kept = row(package(), **{"X-Api-Key": "s3cret", "X-Odd": "a\r\nInjected: 1", "SOAPAction": '""'})
    view = raw_view(kept)
    fields = dict(view.fields)
    assert fields["X-Api-Key"] == "***"
    assert fields["X-Odd"] == "a Injected: 1"
    assert fields["SOAPAction"] == '""'
    assert fields["Content-Type"] == RELATED
    assert fields["Content-Length"] == str(len(kept.body))
    octets = admin.request_octets(kept)
    assert b"s3cret" not in octets
    head, _, body = octets.partition(b"\r\n\r\n")
    assert body == kept.body
    assert head.split(b"\r\n") == [b"POST /mm7 HTTP/1.1", *(f"{n}: {v}".encode() for n, v in view.fields)]


def test_findings_stand_at_their_nodes() -> None:
    """What was noticed at an octet is at the innermost node there, what of the envelope at it, all else at the head."""
    kept = row(
        package(
            b"Content-Type: image/gif\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
            b"Content-Type: text/plain\r\nContent-Transfer-Encoding: odd\r\n\r\nx",
        )
    )
    said = [
        {"id": "schema/order", "level": "MUST", "where": "/Envelope/Body/SubmitReq/To", "action": "repaired"},
        {"id": "http/host", "level": "MUST", "where": "Host", "action": "noted"},
        {"id": "xml/limit", "level": "MUST", "where": "byte 0"},
        {"id": "http/host", "level": "MUST", "where": "byte 99999999999999999999999999"},
    ]
    view = raw_view(kept, said)
    assert view.findings == ("http/host",)
    by_type = {one.content_type: one.findings for one in view.nodes}
    assert {"schema/order", "xml/limit"} <= set(by_type["text/xml"])
    assert any(one.startswith(("mime/base64", "mime/cte-decodes")) for one in by_type["image/gif"])
    assert "mime/cte-known" in by_type["text/plain"]
    assert by_type["text/plain"] != by_type["image/gif"]


@pytest.mark.parametrize(
    ("root", "note"),
    [
        (b"<a><b></a>", "not well-formed"),
        (b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', "DOCTYPE"),
        (b"<a>" * 100 + b"</a>" * 100, "depth"),
        (b"<a>" + b"<b/>" * 40_000 + b"</a>", "elements"),
        (b"<a>" + b"x" * ENVELOPE + b"</a>", "too long"),
    ],
)
def test_envelope_that_is_not_indented(root: bytes, note: str) -> None:
    """What cannot be read safely is shown as it is, as far as the bound goes, and the reason is said."""
    shown = raw_view(row(package(root=root))).envelope
    assert shown is not None
    assert not shown.pretty
    assert note in (shown.note or "")
    assert shown.text == root.decode()[:ENVELOPE]
    assert (shown.cut, shown.size) == (len(root) > ENVELOPE, len(root))


def test_pretty_envelope_is_bounded() -> None:
    """Indentation that makes much of little is cut; comments that the parser drops are said to be missing."""
    root = b"<a>" * 60 + b"<b/>" * 4000 + b"</a>" * 60
    shown = raw_view(row(package(root=root))).envelope
    assert shown is not None
    assert shown.pretty
    assert shown.cut
    assert len(shown.text) == ENVELOPE
    told = raw_view(row(package(root=b"<a><!-- c --><b/></a>"))).envelope
    assert told is not None
    assert (told.text, told.note) == ("<a>\n  <b/>\n</a>", "without its comments")


def test_namespace_names_are_those_of_the_sender() -> None:
    """A namespace name that the parser cannot hold is shown as it was sent."""
    shown = raw_view(row(package(root=b'<a xmlns:p="urn:my app"><p:b/></a>'))).envelope
    assert shown is not None
    assert 'xmlns:p="urn:my app"' in shown.text


def test_many_parts_are_bounded() -> None:
    """A message of 10 MB and 1,000 parts: the first nodes and the count of the others, soon and in little memory."""
    octets = os.urandom(10_000).replace(b"\n", b"x").replace(b"\r", b"x")
    head = b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    kept = row(package(*[head + octets] * 1000))
    assert len(kept.body) > 10_000_000
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        view = raw_view(kept)
        times.append(time.perf_counter() - begun)
    assert len(view.nodes) == NODES
    assert view.left_out == 1002 - NODES
    assert min(times) < 0.5  # 60 ms of processor time
    tracemalloc.start()
    raw_view(kept)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * len(kept.body)


def test_too_many_parts_are_not_taken_apart() -> None:
    """A request of more parts than any limit would let in has no tree, and the reason is said."""
    view = raw_view(row(package(*[b"Content-Type: x/y\r\n\r\n."] * 6000)))
    assert (view.nodes, view.envelope) == ((), None)
    assert "parts" in (view.error or "")
    assert dict(view.fields)["Content-Type"] == RELATED


@given(st.binary(max_size=300), st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.text(max_size=20))))
def test_any_request_has_a_view(body: bytes, places: list[tuple[str, str]]) -> None:
    """Whatever is kept, and wherever findings say that they are, there is a view."""
    view = raw_view(row(b"--b\r\n" + body), [{"id": id_, "where": where} for id_, where in places])
    assert view.size == len(body) + 5
    assert view.nodes or view.error


# --- octets -----------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=12_000), st.integers(-10, 13_000), st.integers(-5, 9000))
def test_windows_hold_the_octets(octets: bytes, offset: int, most: int) -> None:
    """A window has the octets that stand there, in rows of 16, at most 4 KiB; the windows beside it follow on."""
    window = hexdump(octets, offset, most)
    held = b"".join(bytes.fromhex(one.hex) for one in window.rows)
    assert held == octets[window.offset : window.offset + len(held)]
    assert len(held) <= 4096
    assert window.offset % 16 == 0
    assert [one.offset for one in window.rows] == list(range(window.offset, window.offset + len(held), 16))
    assert all(len(one.text) == len(bytes.fromhex(one.hex)) and one.text.isprintable() for one in window.rows)
    assert (window.after is None) == (window.offset + len(held) == len(octets))
    assert window.after is None or hexdump(octets, window.after, most).offset == window.offset + len(held)
    assert (window.before is None) == (window.offset == 0)


def test_every_octet_is_in_some_window() -> None:
    """Who goes on from window to window sees all octets once."""
    octets = bytes(range(256)) * 40
    seen, at = b"", 0
    while at is not None:
        window = hexdump(octets, at)
        seen += b"".join(bytes.fromhex(one.hex) for one in window.rows)
        at = window.after
    assert seen == octets
    assert hexdump(b"\x00A\x7f\xff~").rows[0].text == ".A..~"


# --- what was noticed -------------------------------------------------------------------------------------------------


def noticed(*found: Any) -> MessageRow:
    """A message of which that was noticed."""
    text = found[0] if found and isinstance(found[0], str) else mapping.findings_text(found)
    return MessageRow(id="m", direction="mt", application="tnn", accepted=0.0, findings=text)


def test_findings_by_severity() -> None:
    """The gravest first, each with its clause, what to do, and what the gateway did; the same twice is counted."""
    found = validation(
        noticed(
            finding("sem/smil-missing"),
            finding("schema/order", "/Envelope/Body/SubmitReq/To", action="repaired"),
            finding("sem/expiry-past", "/Envelope/Body/SubmitReq/ExpiryDate", detail="2001"),
            finding("sem/expiry-past", "/Envelope/Body/SubmitReq/ExpiryDate", detail="2001"),
        )
    )
    assert [group.level for group in found.groups] == ["MUST", "SHOULD", "INFO"]
    [order] = found.groups[0].lines
    assert (order.id, order.action, order.where) == ("schema/order", "repaired", "/Envelope/Body/SubmitReq/To")
    assert order.treatment == "repaired: its meaning was clear"
    assert (order.wanted, order.to_do) == (KINDS["schema/order"].summary, KINDS["schema/order"].fix)
    [past] = found.groups[1].lines
    assert (past.clause, past.met, past.times) == ("TS 23.140 8.7.1", "2001", 2)
    assert past.treatment.startswith("only noted")
    assert (found.count, found.left_out) == (3, 0)


def test_findings_show_no_credentials() -> None:
    """What was met where a credential belongs is hidden, as are credentials anywhere."""
    lines = [
        line
        for group in validation(
            noticed(
                finding("http/auth-syntax", detail="hunter2"), finding("sem/number-form", detail="password=hunter2")
            )
        ).groups
        for line in group.lines
    ]
    assert [line.met for line in lines] == ["***", "password=***"]


def test_findings_of_other_versions_and_many() -> None:
    """A finding that no table has is shown by its id; more than can be shown are counted."""
    [group] = validation(noticed(json.dumps([{"id": "old/thing", "level": "GRAVE", "where": "\x1b[2J"}]))).groups
    assert (group.level, group.lines[0].id, group.lines[0].where) == ("GRAVE", "old/thing", "\\x1b[2J")
    many = [{"id": "sem/number-form", "level": "SHOULD", "where": str(n)} for n in range(MOST + 7)]
    found = validation(noticed(json.dumps(many)))
    assert (found.count, found.left_out) == (MOST, 7)
    assert validation(noticed()).groups == ()
