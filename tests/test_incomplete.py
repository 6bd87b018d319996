"""What is said to be missing: ``truncated`` of what ends too early, ``no-envelope`` of what is no SOAP at all."""

from __future__ import annotations

import pytest

from mm7zeep.conformance import verdict
from mm7zeep.conformance.input import capture

MM7 = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"
SOUND = (
    '<?xml version="1.0" encoding="utf-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header>'
    f'<TransactionID xmlns="{MM7}" e:mustUnderstand="1">t1</TransactionID></e:Header><e:Body><SubmitReq xmlns="{MM7}">'
    "<!-- tide --><MM7Version>6.8.0</MM7Version><Recipients><To><Number>+49170000001</Number></To></Recipients>"
    "<Subject>High water</Subject></SubmitReq></e:Body></e:Envelope>"
)


def topics(body: str | bytes, *, status: int | None = None, kind: str = "text/xml") -> set[str]:
    """The topics that ``check`` gives for a request, or for an answer with a status."""
    data = body if isinstance(body, bytes) else body.encode()
    start = 'POST /mm7 HTTP/1.1\r\nHost: x\r\nSOAPAction: ""' if status is None else f"HTTP/1.1 {status} Reason"
    head = f"{start}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
    [captured] = capture.messages("x", head.encode() + data)
    judged = verdict.judge(captured)
    assert not judged.accepted
    return {one.topic for one in judged.findings if one.topic is not None}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("High water", "High & water"),
        ("High water", "High <water"),
        ("High water", "High <water>"),
        ("High water", "High &water;"),
        ("High water", "High \x01 water"),
        ("</Subject>", ""),
        ("</Subject>", "</subject>"),
        ("</SubmitReq>", "</Submit>"),
        ("</e:Envelope>", "</e:envelope>"),
        ("</e:Envelope>", "</e:Envelope>\r\nsent by a buoy"),
        ("</e:Envelope>", "</e:Envelope> and & more"),
        ("</e:Envelope>", "</e:Envelope></e:Envelope>"),
        ("</e:Envelope>", "</e:Envelope><x/>"),
        ("<Subject>", "<Subject a=b>"),
        ("<Subject>", '<Subject a="b>'),
        ("<Subject>", '<Subject a="1" a="2">'),
        ("<Subject>", "<s:Subject>"),
        ("<!-- tide -->", "<!-- -- -->"),
    ],
)
def test_complete_but_ill_formed(old: str, new: str) -> None:
    """XML that breaks its rules and comes to its end is not truncated, whatever its last octet is."""
    for tail in ("", "\r\n", "\r\n\r\n", " .", "\0"):
        found = topics(SOUND.replace(old, new) + tail)
        assert "truncated" not in found, tail
        assert found & {"not-well-formed", "schema-other"}


def test_cut_anywhere() -> None:
    """XML that ends before its root does is truncated, wherever that is, and in UTF-16, too; at a ``>`` as well."""
    end = SOUND.index("</e:Envelope>") + len("</e:Envelope>") - 1
    for cut in [*range(5, end, 7), *(at + 1 for at in range(end) if SOUND[at] == ">"), end]:
        found = topics(SOUND[:cut])
        assert "truncated" in found, SOUND[:cut][-40:]
        assert "truncated" in topics(SOUND[:cut].replace("utf-8", "utf-16").encode("utf-16"))
    for where in ("High & water", "High <water>", "High <water"):
        assert "truncated" in topics(SOUND.replace("High water", where)[:-20])
    assert "truncated" in topics(SOUND.replace("<!-- tide -->", "<!-- tide --"))
    assert "truncated" in topics(SOUND.replace("<!-- tide -->", "<![CDATA[ tide "))


HTML = "<html><head><title>x</title></head><body>down<br></body></html>"
XHTML = (
    '<?xml version="1.0"?>\n<!-- proxy -->\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x.dtd">\n'
    '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><p>down</p></body></html>'
)
PAGES = [
    (HTML, "text/html"),
    (XHTML, "application/xhtml+xml"),
    (XHTML[XHTML.index("<html") :], "text/html"),
    ("\r\n <!DOCTYPE HTML>" + HTML.upper(), "text/html"),
    (HTML, "text/xml"),
    ('{"error": "down"}', "application/json"),
    ('["down"]', "text/xml"),
    ("down for maintenance", "text/plain"),
    (HTML.encode("utf-16"), "text/html; charset=utf-16"),
]


@pytest.mark.parametrize("status", [200, 202, 404, 500, 503, None])
@pytest.mark.parametrize(("body", "kind"), PAGES)
def test_no_envelope(body: str | bytes, kind: str, status: int | None) -> None:
    """A page, JSON or text carries no-envelope; as an answer also what the HTTP layer has to say of it."""
    found = topics(body, status=status, kind=kind)
    assert "no-envelope" in found
    if status is not None:
        assert {"http-status", "error-in-body"} & found
        assert ("http-status" in found) == (status >= 300)
        assert not {"not-well-formed", "truncated"} & found


@pytest.mark.parametrize("status", [200, 500])
def test_other_documents(status: int) -> None:
    """So does XML of another kind, once."""
    for body in ("<error>down</error>", "<error>down"):
        found = topics(body, status=status)
        if status == 500:
            assert {"http-status", "no-envelope"} <= found


def test_an_empty_answer_has_no_body_to_speak_of() -> None:
    """Of an answer without a body that is said, and the status; there is no document that could be an envelope."""
    assert topics("", status=503) == {"empty-body", "http-status"}
    assert topics("", status=200) == {"empty-body"}
    assert "no-envelope" not in topics("")
