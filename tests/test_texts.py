"""What characters some octets are: one answer for envelopes, texts, presentations and names, and what is told of it."""

from __future__ import annotations

import codecs
from typing import NamedTuple

import pytest
from captures import dump
from envelopes import content, sent, wire
from hypothesis import given, settings
from hypothesis import strategies as st

from mm7zeep import charsets, exchange, media, mime, smil
from mm7zeep.charsets import decoded
from mm7zeep.conformance import verdict
from mm7zeep.conformance.input import capture
from mm7zeep.findings import Finding
from mm7zeep.messages import Part

MIXED = "Grüße 👋 こんにちは"
LATIN = "Größe, 5 Öre"


class Row(NamedTuple):
    """Octets and their label; what they are read as, and the id that is told, if any."""

    octets: bytes
    label: str | None
    text: str
    told: str = ""


DECODES, LABELLED = "mime/text-charset-decodes", "mime/text-charset"
WIDE = ["utf-16", "UTF-16", "iso-10646-ucs-2", '"utf-16"']
ALIASES = ["ucs-2", "csUnicode", "UCS2", "utf16"]
ROWS = [
    *(Row(MIXED.encode("utf-16-be"), label, MIXED) for label in WIDE),
    *(Row(MIXED.encode("utf-16-le"), label, MIXED, DECODES) for label in WIDE),
    *(Row(MIXED.encode("utf-16"), label, MIXED) for label in WIDE),
    *(Row(codecs.BOM_UTF16_BE + MIXED.encode("utf-16-be"), label, MIXED) for label in WIDE),
    *(Row(MIXED.encode("utf-16-be"), label, MIXED, "mime/charset-alias") for label in ALIASES),
    *(Row(MIXED.encode("utf-16-be"), label, MIXED, LABELLED) for label in ("1000", "1015", "1013")),
    *(Row(MIXED.encode("utf-16-le"), label, MIXED, LABELLED) for label in ("1000", "1015", "1014")),
    Row(MIXED.encode("utf-32-be"), "utf-32", MIXED),
    Row(MIXED.encode("utf-32-le"), "utf-32", MIXED, DECODES),
    Row(MIXED.encode("utf-32"), "UTF-32", MIXED),
    Row(MIXED.encode("utf-16-le"), "utf-16le", MIXED),
    Row(MIXED.encode("utf-16"), "utf-16le", MIXED),
    Row(MIXED.encode("utf-16"), "utf-16be", MIXED, DECODES),
    Row(MIXED.encode("utf-16-be"), "utf-16le", MIXED, DECODES),
    *(Row(one.encode("utf-16-be"), "utf-16", one) for one in ("こんにちは", "你好", "안녕하세요", "Привет", "ok", "")),
    *(Row(one.encode("utf-16-le"), "utf-16", one, DECODES) for one in ("こんにちは", "안녕하세요", "Привет", "ok")),
    *(Row(one.encode("utf-16-le"), "utf-16", one, DECODES) for one in ("하세하녕녕요요안요하", "감사합니다")),
    *(Row(one.encode("utf-16-be"), "utf-16", one) for one in ("하세하녕녕요요안요하", "哈哈哈哈", "谢谢你啊")),
    *(Row(MIXED.encode(), label, MIXED, DECODES) for label in (*WIDE, "us-ascii", "iso-8859-1", "windows-1252")),
    *(Row(MIXED.encode(), label, MIXED, DECODES) for label in ("gb2312", "gbk", "big5", "euc-kr", "koi8-r")),
    *(Row(LATIN.encode(), label, LATIN, DECODES) for label in ("us-ascii", "iso-8859-1", "gb2312", "windows-1251")),
    Row(b"Hello there", "utf-16", "Hello there", DECODES),
    Row(b"High water at six", "utf-16", "High water at six", DECODES),
    *(Row(MIXED.encode(), label, MIXED, LABELLED) for label in ("*", "106", "unicode", "foo", "utf-7", "binary")),
    *(Row(b"tide", label, "tide", LABELLED) for label in ("*", "106", "unicode", "foo", "utf-7")),
    Row(b"+AGE-", "utf-7", "+AGE-", LABELLED),
    Row(codecs.BOM_UTF8 + MIXED.encode(), "utf-8", MIXED),
    Row(codecs.BOM_UTF8 * 2 + MIXED.encode(), "utf-8", MIXED),
    Row(codecs.BOM_UTF8 + MIXED.encode(), "us-ascii", MIXED, DECODES),
    Row(codecs.BOM_UTF8 + MIXED.encode(), "windows-1252", MIXED, DECODES),
    Row(MIXED.encode("utf-16"), "utf-8", MIXED, DECODES),
    Row("\ufefftide".encode("gb18030"), "gb18030", "tide"),
    Row("tide table".encode("utf-16-le"), "utf-8", "tide table", DECODES),
    Row("tide table".encode("utf-16-be"), "us-ascii", "tide table", DECODES),
    Row(LATIN.encode("latin-1"), "iso-8859-1", LATIN),
    Row(LATIN.encode("latin-1"), "latin1", LATIN, "mime/charset-alias"),
    Row(LATIN.encode("latin-1"), "us-ascii", LATIN, DECODES),
    Row(LATIN.encode("latin-1"), "utf-8", LATIN, DECODES),
    Row("Москва".encode("cp1251"), "utf-8", "\ufffd" * 6, DECODES),
    Row("5 €, “so”".encode("cp1252"), "iso-8859-1", "5 €, “so”", DECODES),
    Row("5 €, “so”".encode("cp1252"), "windows-1252", "5 €, “so”"),
    Row(b"\x81 \x80", "iso-8859-1", "\x81 \x80", DECODES),
    Row("ğ €".encode("cp1254"), "iso-8859-9", "ğ €", DECODES),
    Row("彩信测试".encode("gb18030"), "GB18030", "彩信测试"),
    Row("時刻表".encode("gbk"), "gb2312", "時刻表"),
    Row("①".encode("cp932"), "shift_jis", "①"),
    Row("믜".encode("cp949"), "EUC-KR", "믜"),
    *(Row("물때표".encode("euc-kr"), label, "물때표", "mime/charset-alias") for label in ("ks_c_5601-1987", "CP949")),
    *(Row("彩信".encode("gbk"), label, "彩信", "mime/charset-alias") for label in ("cp936", "x-gbk", "EUC-CN")),
    Row("枚".encode("gb2312"), "gb2312", "枚"),
    Row("รถ".encode("tis-620"), "tis-620", "รถ"),
    Row("조".encode("euc-kr"), "euc-kr", "조"),
    Row(MIXED.encode(), None, MIXED, LABELLED),
    Row(b"tide", None, "tide"),
    Row(b"", "utf-16", ""),
    Row(b"", "utf-8", ""),
    Row("tide".encode("utf-16-le") + b"x", "utf-16", "tide\ufffd", DECODES),
    Row("tide".encode("utf-16") + b"x", "utf-16", "tide\ufffd", DECODES),
]  # fmt: skip


def found(octets: bytes, kind: str) -> tuple[Part, list[Finding]]:
    """The part of a request as received, and what ``check`` finds, strict, of what has to do with its text."""
    head = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <note@kiosk.example>\r\n\r\n"
    request = wire(sent("SubmitReq", more=content()), "~")
    body = bytes(request.body).replace(b"~", head.encode() + octets)  # type: ignore[arg-type]
    request = exchange.Wire(headers=request.headers, body=body, method="POST")
    [captured] = capture.messages("x", dump(request))
    judged = verdict.judge(captured)
    assert judged.accepted
    package = judged.judgement.package
    assert package is not None
    quiet = ("mime/empty-part", "version/newest", "http/soapaction-present", "mime/part-content-type")
    return package.parts[0], [one for one in judged.findings if one.id not in quiet]


@pytest.mark.parametrize("kind", ["text/plain", "text/x-vcard"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.label} {row.text[:8]!r} {row.octets[:3].hex()}")
def test_texts(row: Row, kind: str) -> None:
    """What a text is read as under its label, and exactly what is told."""
    text, octets = row.text, row.octets
    if kind == "text/x-vcard":
        if not row.label or not charsets.codec(row.label) or len(octets) < 4 or "\ufffd" in text or "\x81" in text:
            return  # the card around it would be another text
        codec = decoded(octets, row.label).codec
        card = "BEGIN:VCARD\r\nFN:"
        before = card.encode(codec)
        mark = next((one for one, _ in charsets.MARKS if octets.startswith(one)), b"")
        octets, text = mark + before + octets.removeprefix(mark), card + text
    label = row.label.replace('"', "") if row.label else None
    part, told = found(octets, kind if label is None else f'{kind}; charset="{label}"')
    assert part.text().replace("\ufeff", "") == text
    assert not part.text().startswith("\ufeff")
    assert [one.id for one in told] == [row.told] * bool(row.told)
    if "€" in text and row.told:
        assert told[0].level == "SHOULD"  # everybody reads it so


@given(st.binary(max_size=80), st.none() | st.text(max_size=12) | st.sampled_from(charsets.REGISTERED))
@settings(max_examples=500, deadline=None)
def test_any_octets_under_any_label(octets: bytes, label: str | None) -> None:
    """Text comes of everything, without a byte order mark, and never an exception; what is told fits."""
    read = decoded(octets, label)
    assert not read.text.startswith("\ufeff")
    assert bool(read.flaw) == bool(read.detail)
    if read.flaw == "undecodable":
        assert octets
    assert Part(body=octets, content_type="text/plain").text() == decoded(octets).text


@given(st.text(st.characters(exclude_categories=["Cs", "Cn", "Co", "Cc"], exclude_characters="\ufeff"), max_size=60))
@settings(max_examples=300, deadline=None)
def test_marked_and_utf_8_texts_are_read_truly(text: str) -> None:
    """UTF-8 and whatever has a byte order mark is read as it was written, whatever the characters."""
    for label, octets in (
        ("utf-8", text.encode()),
        (None, text.encode()),
        ("utf-8", codecs.BOM_UTF8 + text.encode()),
        ("utf-16", text.encode("utf-16")),
        ("utf-16", codecs.BOM_UTF16_BE + text.encode("utf-16-be")),
        ("utf-32", text.encode("utf-32")),
        ("utf-16be", text.encode("utf-16-be")),
        ("utf-16le", text.encode("utf-16-le")),
    ):
        read = decoded(octets, label)
        if read.codec == "utf-8" and read.flaw:  # UTF-16 that is words of UTF-8 as well
            continue
        assert (read.text, read.flaw) == (text, "")


@pytest.mark.parametrize("label", ["iso-10646-ucs-4", "UCS-4", "ucs4", "csUCS4", "1001"])
def test_four_octets_by_other_names(label: str) -> None:
    """UCS-4 is read as UTF-32: big-endian without byte order mark, which is never in the text."""
    assert decoded(SHOW.encode("utf-32-be"), label).text == SHOW
    assert decoded(b"\xff\xfe\0\0" + SHOW.encode("utf-32-le"), label).text == SHOW


@pytest.mark.parametrize(
    "script", ["abc def", "Привет мир", "こんにちは、世界", "안녕 하세요", "你好。世界", "שלום עולם", "مرحبا"]
)
@pytest.mark.parametrize("label", ["utf-16", "ucs-2", "1000", "utf-32"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_the_order_of_octets_is_seen(script: str, label: str, data: st.DataObject) -> None:
    """Texts of every script, without byte order mark, are read in the order that they are in."""
    # as in words: nothing tells the order of one character said many times over
    text = "".join(data.draw(st.permutations(script * 3)))[data.draw(st.integers(0, 8)) :]
    family = "utf-32" if label == "utf-32" else "utf-16"
    assert decoded(text.encode(f"{family}-be"), label).text == text
    assert decoded(text.encode(f"{family}-le"), label).text == text


# --- presentations ----------------------------------------------------------------------------------------------------

SHOW = '<smil><body><par><text src="på.txt"/></par></body></smil>'


def declared(encoding: str) -> str:
    """The presentation under an XML declaration."""
    return f'<?xml version="1.0" encoding="{encoding}"?>{SHOW}'


@pytest.mark.parametrize(
    ("octets", "label", "told"),
    [
        (SHOW.encode(), "utf-8", []),
        (SHOW.encode(), None, []),
        (codecs.BOM_UTF8 + SHOW.encode(), "utf-8", []),
        (SHOW.encode("utf-16"), "utf-16", []),
        (SHOW.encode("utf-16-be"), "utf-16", []),
        (SHOW.encode("utf-16-be"), "iso-10646-ucs-2", []),
        (SHOW.encode("utf-16-be"), "1000", [LABELLED]),
        (SHOW.encode("utf-16-le"), "utf-16", [DECODES]),
        (SHOW.encode("latin-1"), "iso-8859-1", []),
        (declared("iso-8859-1").encode("latin-1"), None, []),
        (declared("iso-8859-1").encode("latin-1"), "iso-8859-1", []),
        (declared("iso-8859-1").encode(), "utf-8", []),
        (declared("iso-8859-1").encode("latin-1"), "utf-8", [DECODES]),
        (declared("utf-16").encode(), "utf-8", [DECODES]),
        (SHOW.encode(), "utf-16", [DECODES]),
        (SHOW.encode(), "us-ascii", [DECODES]),
        (SHOW.encode(), "*", [LABELLED]),
        (SHOW.encode(), "foo", [LABELLED]),
        (SHOW.encode(), "106", [LABELLED]),
        (declared("euc-kr").replace("på", "물때").encode("cp949"), None, []),
        (declared("ksc5601").replace("på", "물때").encode("cp949"), "ks_c_5601-1987", ["mime/charset-alias"]),
    ],
)
def test_presentations(octets: bytes, label: str | None, told: list[str]) -> None:
    """A presentation is read by mark, MIME label, declaration and octets, and its labels are judged as a text's are."""
    kind = "application/smil" if label is None else f"application/smil; charset={label}"
    part, findings = found(octets, kind)
    [name] = smil.references(part.read(), part.charset)
    assert name in ("på.txt", "물때.txt")
    assert [one.id for one in findings if one.id != "sem/smil-references"] == told
    assert [one.detail for one in findings if one.id == "sem/smil-references"] == [name]


@pytest.mark.parametrize(
    ("kind", "body", "known"),
    [
        ("application/smil", b"<smil/>", True),
        ("application/smil+xml", b"anything", True),
        ("application/octet-stream", SHOW.encode(), True),
        ("text/plain", SHOW.encode(), True),
        ("text/xml", codecs.BOM_UTF8 + declared("utf-8").encode(), True),
        ("application/xml", SHOW.encode("utf-16"), True),
        ("binary/octet-stream", b"<!-- a -->\n<!DOCTYPE smil>" + SHOW.encode(), True),
        ("application/octet-stream", b"<smil is how it begins", False),
        ("text/plain", b"<smiling/>", False),
        ("text/plain", b"write <smil> first", False),
        ("text/html", SHOW.encode(), False),
        ("image/gif", SHOW.encode(), False),
        ("application/octet-stream", SHOW.encode() + b" " * smil.MAX_BYTES, False),
        ("application/octet-stream", b'<!DOCTYPE smil [<!ENTITY a "b">]>' + SHOW.encode(), False),
    ],
)
def test_a_presentation_is_known_by_its_content(kind: str, body: bytes, known: bool) -> None:
    """Where the label says nothing, a whole SMIL document is the presentation; a text about SMIL is none."""
    assert smil.is_presentation(Part(body=body, content_type=kind)) is known


@pytest.mark.parametrize(
    "head", ["", "Content-Type: application/octet-stream; name=x.smil\r\n", "Content-Type: text/plain\r\n"]
)
def test_an_unlabelled_presentation_is_none_missing(head: str) -> None:
    """``check`` takes it for the presentation: none is missing, and what it names is looked for."""
    show = SHOW.replace("på.txt", "cid:a@x.example")
    inner = (
        'Content-Type: multipart/related; boundary=i; type="application/smil"; start="<s@x.example>"\r\n'
        f"Content-ID: <note@kiosk.example>\r\n\r\n--i\r\n{head}Content-ID: <s@x.example>\r\n\r\n{show}\r\n"
        "--i\r\nContent-Type: text/plain; charset=utf-8\r\nContent-ID: <a@x.example>\r\n\r\ntide\r\n--i--"
    )
    request = wire(sent("SubmitReq", more=content()), inner)
    [captured] = capture.messages("x", dump(request))
    told = {one.id for one in verdict.judge(captured).findings if one.id.startswith(("sem/", "mime/"))}
    odd = "mime/media-type-content" if head else "mime/part-content-type"
    assert told == {odd, "mime/related-type-root"}


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "name", "told"),
    [
        ("filename*=utf-8''Gr%C3%B6%C3%9Fe.txt", "Größe.txt", []),
        ("filename*=iso-8859-1''Gr%F6%DFe.txt", "Größe.txt", []),
        ("filename*=us-ascii''Gr%C3%B6%C3%9Fe.txt", "Größe.txt", ["mime/disposition-syntax"]),
        ("filename*=iso-8859-1''Gr%C3%B6%C3%9Fe.txt", "Größe.txt", ["mime/disposition-syntax"]),
        ("filename*=utf-8''100%.txt", "100%.txt", ["mime/disposition-syntax"]),
        ("filename*=utf-8''tide%2.txt", "tide%2.txt", ["mime/disposition-syntax"]),
        ("filename*=utf-16''%00a%00b", "ab", []),
        ("filename*=utf-16''a%00b%00", "ab", ["mime/disposition-syntax"]),
        ("filename*=foo''Gr%C3%B6%C3%9Fe.txt", "Größe.txt", ["mime/disposition-syntax"]),
        ("filename*=106''Gr%C3%B6%C3%9Fe.txt", "Größe.txt", ["mime/disposition-syntax"]),
        ('filename="=?us-ascii?B?R3LDtsOfZS50eHQ=?="', "Größe.txt", ["mime/filename-encoding"]),
        ('filename="=?foo?B?R3LDtsOfZS50eHQ=?="', "Größe.txt", ["mime/filename-encoding"]),
        ('filename="=?utf-16?B?AGEAYg==?="', "ab", ["mime/filename-encoding"]),
        ('filename="=?iso-8859-1?Q?Gr=F6=DFe.txt?="', "Größe.txt", ["mime/filename-encoding"]),
        ('filename="=?utf-8?Q?Gr=F6?="', "Grö", ["mime/filename-encoding"]),
        ('filename="=?utf-8?Q?=CC=EE=F1=EA?="', "=?utf-8?Q?=CC=EE=F1=EA?=", []),
    ],
)
def test_names(field: str, name: str, told: list[str]) -> None:
    """A file name is read by the same rules as a text, and what is wrong with it is told."""
    kind = f"text/plain; charset=utf-8\r\nContent-Disposition: attachment; {field}"
    part, findings = found(b"tide", kind)
    assert part.name == name
    assert [one.id for one in findings] == told


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('attachment; filename="image-0".', "image-0"),
        ('attachment filename="x.png"', "x.png"),
        ("attachment; filename=my pic.png", "my pic.png"),
        ("attachment;; filename=x.png", "x.png"),
        ('attachment; filename="x.png', "x.png"),
        ("attachment; filename=x.png; filename=y.png", "x.png"),
        ("; filename=x.png", "x.png"),
        ("filename=x.png", "x.png"),
        ("attachment; filename=x.png;", "x.png"),
        ("attachment; filename", None),
        ("attachment; filename=", None),
        ("attachment; filename=a/b.png", "a/b.png"),
        ("attachment; filename=[1].png", "[1].png"),
        ("attachment, filename=x.png", "x.png"),
        ("", None),
        ('"attachment"; filename=x.png', "x.png"),
    ],
)
def test_dispositions(value: str, name: str | None) -> None:
    """A Content-Disposition that breaks its syntax is told, once, and its file name is read where it can be."""
    part, findings = found(b"tide", f"text/plain; charset=utf-8\r\nContent-Disposition: {value}")
    assert part.name == name
    assert [one.id for one in findings if one.id != "mime/disposition-path"] == ["mime/disposition-syntax"]


@pytest.mark.parametrize(
    "value", ["attachment", "inline", 'form-data; name="a b"; filename=x', "ATTACHMENT; FileName=x.png", "x-y; size=5"]
)
def test_sound_dispositions(value: str) -> None:
    """What follows the grammar is not told, whatever it says."""
    assert found(b"tide", f"text/plain; charset=utf-8\r\nContent-Disposition: {value}")[1] == []


@pytest.mark.parametrize(
    ("field", "reference", "how"),
    [
        ("Content-Location: Gr%C3%B6%C3%9Fe%201.jpg", "Größe 1.jpg", "content-location"),
        ("Content-Location: Größe 1.jpg", "Gr%C3%B6%C3%9Fe%201.jpg", "content-location"),
        ("Content-Location: a%20b.jpg", "a%20b.jpg", "content-location"),
        ("Content-Location: 100%25.jpg", "100%.jpg", "content-location"),
        ("Content-ID: <a%40b>", "cid:a@b", "content-id-case"),
        ("Content-ID: <a%25b@c>", "cid:a%25b@c", "content-id"),
        ("Content-ID: <a%b@c>", "cid:a%25b@c", "content-id"),
        ("Content-Location: %zz", "%zz", "content-location"),
    ],
)
def test_references_after_decoding(field: str, reference: str, how: str) -> None:
    """A reference and a label that are one after %-decoding are one, whichever of them is encoded."""
    body = f"--b\r\nContent-Type: text/xml\r\n\r\n<a/>\r\n--b\r\n{field}\r\n\r\nx\r\n--b--\r\n".encode()
    package = mime.read((("Content-Type", 'multipart/related; boundary=b; type="text/xml"'),), [body])
    match = package.find(reference)
    assert match is not None
    assert (match.node.part is package.parts[0], match.how) == (True, how)


@pytest.mark.parametrize("charset", ["utf-16", "utf-16le", "utf-32"])
@pytest.mark.parametrize("name", ["a.vcf", None])
def test_a_card_in_utf_16_is_known_by_its_content(charset: str, name: str | None) -> None:
    """Formats that are known by their first words are so in every encoding of them."""
    head = "BEGIN:VCARD\r\nFN:Åsa\r\nEND:VCARD\r\n".encode(charset)
    assert media.guess(name, head) == "text/vcard"
    assert media.agrees("text/x-vcard", head) is True


@pytest.mark.parametrize(
    "octets", [b"\xff\xfe" + bytes(range(256)) * 4, b"\xfe\xff\xdc\x00\xd8\x00", b"\0\0\0\0", b"\0a\0"]
)
def test_octets_that_begin_like_a_text(octets: bytes) -> None:
    """A byte order mark alone makes no text of other octets."""
    assert media.guess(None, octets) == media.OCTET_STREAM


def test_the_sender_of_an_mo() -> None:
    """``sender`` is who sent the message, whatever a relay put before it."""
    who = "<SenderIdentification><VASPID>V</VASPID><SenderAddress><Number>+4670000009</Number></SenderAddress>"
    root = sent("DeliverReq").replace(
        "<MM7Version>5.3.0</MM7Version>", "<MM7Version>5.3.0</MM7Version>" + who + "</SenderIdentification>"
    )
    judged = verdict.judge(capture.messages("x", dump(wire(root)))[0])
    assert judged.judgement.sketch.values["sender"] == "+4670000001"
    submitted = sent("SubmitReq").replace(
        "<VASID>Tides</VASID>", "<VASID>Tides</VASID><SenderAddress><Number>+4670000009</Number></SenderAddress>"
    )
    judged = verdict.judge(capture.messages("x", dump(wire(submitted)))[0])
    assert judged.judgement.sketch.values["sender"] == "+4670000009"
