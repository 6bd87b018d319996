"""``tolerance.readable``: which bytes are read as what under which labels, and exactly what is found."""

from __future__ import annotations

import codecs
from typing import NamedTuple

import pytest
from envelopes import sent, wire
from hypothesis import given, settings
from hypothesis import strategies as st
from timing import least_seconds

from mm7zeep import charsets, exchange, mime, tolerance
from mm7zeep.errors import EnvelopeError
from mm7zeep.tolerance.charsets import codec_of

SHORE = "<a>Strand på Öland</a>"
TIDE = "<a>潮汐</a>"
PIER = "<a>부두</a>"


class Row(NamedTuple):
    """Bytes and MIME label; the text and codec they are read as; findings as ``id where``."""

    name: str
    raw: bytes
    charset: str | None
    text: str
    encoding: str
    found: tuple[str, ...] | list[str] = ()


def declared(label: str, text: str) -> str:
    """The text under an XML declaration."""
    return f'<?xml version="1.0" encoding="{label}"?>{text}'


ROWS = [
    Row("UTF-8 without any label", SHORE.encode(), None, SHORE, "utf-8"),
    Row("UTF-8, labelled", SHORE.encode(), "utf-8", SHORE, "utf-8"),
    Row("UTF-8, labelled in capitals and quotes", SHORE.encode(), "'UTF-8'", SHORE, "utf-8"),
    Row("UTF-8, declared", declared("utf-8", SHORE).encode(), None, SHORE, "utf-8"),
    Row("UTF-8, declared twice the same", declared("UTF-8", SHORE).encode(), "utf-8", SHORE, "utf-8"),
    Row(
        "a declaration without encoding",
        f"<?xml version='1.0' standalone='yes' ?>{SHORE}".encode(),
        None,
        SHORE,
        "utf-8",
    ),
    Row("UTF-8 with BOM", codecs.BOM_UTF8 + SHORE.encode(), "utf-8", SHORE, "utf-8"),
    Row(
        "BOM against MIME label",
        codecs.BOM_UTF8 + SHORE.encode(),
        "iso-8859-1",
        SHORE,
        "utf-8",
        ["xml/charset-agrees byte 0"],
    ),
    Row(
        "BOM against declaration",
        codecs.BOM_UTF8 + declared("iso-8859-1", SHORE).encode(),
        None,
        SHORE,
        "utf-8",
        ["xml/charset-agrees byte 0"],
    ),
    Row("UTF-16 LE with BOM", codecs.BOM_UTF16_LE + SHORE.encode("utf-16-le"), "utf-16", SHORE, "utf-16-le"),
    Row(
        "UTF-16 BE with BOM, declared",
        codecs.BOM_UTF16_BE + declared("UTF-16", SHORE).encode("utf-16-be"),
        None,
        SHORE,
        "utf-16-be",
    ),
    Row("UTF-16 without BOM", declared("utf-16", SHORE).encode("utf-16-be"), None, SHORE, "utf-16-be"),
    Row(
        "UTF-16 that is labelled UTF-8",
        codecs.BOM_UTF16_LE + SHORE.encode("utf-16-le"),
        "utf-8",
        SHORE,
        "utf-16-le",
        ["xml/charset-agrees Content-Type"],
    ),
    Row(
        "UTF-16 that declares UTF-8",
        codecs.BOM_UTF16_LE + declared("utf-8", SHORE).encode("utf-16-le"),
        "utf-16",
        SHORE,
        "utf-16-le",
        ["xml/declaration-true XML declaration"],
    ),
    Row(
        "UTF-8 that declares UTF-16",
        declared("utf-16", SHORE).encode(),
        None,
        SHORE,
        "utf-8",
        ["xml/declaration-true XML declaration"],
    ),
    Row(
        "the same under a true label",
        declared("utf-16", SHORE).encode(),
        "utf-8",
        SHORE,
        "utf-8",
        ["xml/declaration-true XML declaration"],
    ),
    Row("UTF-8 labelled UTF-16", SHORE.encode(), "utf-16", SHORE, "utf-8", ["xml/charset-agrees Content-Type"]),
    Row(
        "the same with a true declaration",
        declared("utf-8", SHORE).encode(),
        "utf-16",
        SHORE,
        "utf-8",
        ["xml/charset-agrees Content-Type"],
    ),
    Row("Latin-1, labelled", SHORE.encode("latin-1"), "ISO-8859-1", SHORE, "iso8859-1"),
    Row(
        "Latin-1 by an alias",
        SHORE.encode("latin-1"),
        "latin1",
        SHORE,
        "iso8859-1",
        ["mime/charset-alias Content-Type"],
    ),
    Row("Latin-1, declared", declared("iso-8859-1", SHORE).encode("latin-1"), None, SHORE, "iso8859-1"),
    Row(
        "two labels, the MIME one decodes",
        declared("iso-8859-1", SHORE).encode(),
        "utf-8",
        SHORE,
        "utf-8",
        ["xml/charset-agrees Content-Type"],
    ),
    Row(
        "two labels, only the declared one decodes",
        declared("iso-8859-1", SHORE).encode("latin-1"),
        "us-ascii",
        SHORE,
        "iso8859-1",
        ["xml/charset-agrees Content-Type"],
    ),
    Row("ASCII under any label", b"<a>pier</a>", "gb2312", "<a>pier</a>", "utf-8"),
    Row("UTF-8 labelled us-ascii", SHORE.encode(), "us-ascii", SHORE, "utf-8", ["xml/charset-agrees byte 0"]),
    Row("GB2312", TIDE.encode("gb2312"), "GB2312", TIDE, "gb18030"),
    Row("UTF-8 labelled GB2312", TIDE.encode(), "GB2312", TIDE, "utf-8", ["xml/charset-agrees byte 0"]),
    Row(
        "UTF-8 that declares GB2312",
        declared("GB2312", TIDE).encode(),
        "utf-8",
        TIDE,
        "utf-8",
        ["xml/charset-agrees Content-Type"],
    ),
    Row("GB18030 without label", TIDE.encode("gb18030"), None, TIDE, "gb18030", ["xml/charset-agrees byte 0"]),
    Row("EUC-KR", PIER.encode("euc-kr"), "euc-kr", PIER, "cp949"),
    *(
        Row(
            f"EUC-KR as {label}",
            declared(label, PIER).encode("cp949"),
            None,
            PIER,
            "cp949",
            ["mime/charset-alias XML declaration"],
        )
        for label in ("ksc5601", "KS_C_5601-1987", "cp949", "ms949")
    ),
    Row(
        "two names for Korean",
        declared("ksc5601", PIER).encode("cp949"),
        "ks_c_5601-1987",
        PIER,
        "cp949",
        ["mime/charset-alias Content-Type", "mime/charset-alias XML declaration"],
    ),
    Row(
        "a name and its alias",
        declared("ks_c_5601-1987", PIER).encode("cp949"),
        "euc-kr",
        PIER,
        "cp949",
        ["mime/charset-alias XML declaration", "xml/charset-agrees Content-Type"],
    ),
    Row("a label that nobody knows", SHORE.encode(), "x-pier", SHORE, "utf-8", ["xml/encoding-forbidden Content-Type"]),
    Row(
        "an encoding that escapes",
        SHORE.encode(),
        "iso-2022-jp",
        SHORE,
        "utf-8",
        ["xml/encoding-forbidden Content-Type"],
    ),
    Row("UTF-32", SHORE.encode(), "utf-32", SHORE, "utf-8", ["xml/encoding-forbidden Content-Type"]),
    Row(
        "blank lines before the declaration",
        b"\r\n\r\n" + declared("utf-8", SHORE).encode(),
        None,
        SHORE,
        "utf-8",
        ["xml/declaration-first byte 0"],
    ),
    Row("blank lines without declaration", b"\n" + SHORE.encode(), None, "\n" + SHORE, "utf-8"),
    Row("a malformed declaration stays", b"<?xml version=1.0?><a/>", None, "<?xml version=1.0?><a/>", "utf-8"),
    Row("nothing", b"", "utf-8", "", "utf-8"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_readable(row: Row) -> None:
    """The text without BOM and declaration, the codec used, and exactly these findings."""
    read = tolerance.readable(row.raw, row.charset)
    assert read.data.decode() == row.text
    assert read.encoding == row.encoding
    assert [f"{one.id} {one.where}" for one in read.findings] == list(row.found)
    assert {one.action for one in read.findings} <= {"repaired"}


@pytest.mark.parametrize(
    ("raw", "charset"),
    [
        (b"<a/>", "utf-7"),
        (b"<a/>", "UTF7"),
        (b"<a/>", "unicode-1-1-utf-7"),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "utf-8"),
        ('<?xml version="1.0" encoding="utf-7"?><a/>'.encode("utf-16"), None),
    ],
)
def test_utf_7_is_refused(raw: bytes, charset: str | None) -> None:
    """UTF-7 can hide markup: refused under any of its names, wherever it stands."""
    with pytest.raises(EnvelopeError) as caught:
        tolerance.readable(raw, charset)
    assert caught.value.status == 2007
    assert [(one.id, one.action) for one in caught.value.findings] == [("xml/encoding-forbidden", "refused")]


@pytest.mark.parametrize(
    ("raw", "charset"),
    [
        (b"\xff\xff<a/>", "utf-8"),
        (b"<a>\x80</a>", None),
        (b"<a>\xff</a>", "euc-kr"),
        (b"<a>A\xf1\xf2\xf3o</a>", "utf-8"),
    ],
)
def test_what_nothing_decodes(raw: bytes, charset: str | None) -> None:
    """Bytes that no candidate decodes are refused, with the label that was tried."""
    with pytest.raises(EnvelopeError) as caught:
        tolerance.readable(raw, charset)
    assert caught.value.status == 2007
    assert [(one.id, one.action) for one in caught.value.findings] == [("xml/charset-agrees", "refused")]


@pytest.mark.parametrize(
    "text",
    [
        "Grüße aus München, café à la carte",
        "Größe",
        "Température élevée à Paris",
        "«Así», été créé \u2013 él…",
        "pöytää",
        "it\u2019s “fine”, café",
    ],
)
def test_western_text_under_another_label(text: str) -> None:
    """Accented letters beside those of ASCII are windows-1252, in envelopes and in parts, pairs of them too."""
    octets = f"<a>{text}</a>".encode("cp1252")
    at = next(n for n, octet in enumerate(octets) if octet > 0x7F)
    read = tolerance.readable(octets, "utf-8")
    assert (read.data.decode(), read.encoding) == (f"<a>{text}</a>", "cp1252")
    [found] = read.findings
    assert (found.id, found.level) == ("xml/charset-agrees", "MUST")
    assert (
        found.detail == f"utf-8 has no octet {octets[at]:#04x} at this place (octet {at} of the part); read as cp1252"
    )
    part = charsets.decoded(octets, "utf-8")
    assert (part.text, part.flaw) == (f"<a>{text}</a>", "contradicted")


@pytest.mark.parametrize(
    "text", ["潮汐表", "鑫龙", "你好\uff0c世界", "Hello 世界", "a中b", "短信 MM7 业务 2026", "ひらがな"]
)
def test_chinese_text_under_another_label(text: str) -> None:
    """Pairs of high octets whose characters are frequent ones are GB18030."""
    read = tolerance.readable(f"<a>{text}</a>".encode("gb18030"), "utf-8")
    assert (read.data.decode(), read.encoding) == (f"<a>{text}</a>", "gb18030")


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("Привет, мир", "cp1251"),
        ("Москва", "cp1251"),
        ("Привет, мир", "koi8-r"),
        ("Καλημέρα κόσμε", "cp1253"),
        ("こんにちは", "cp932"),
        ("東京 Tokyo", "cp932"),
        ("ｱｲｳｴｵ", "cp932"),
        ("你好\uff0c世界 歡迎", "big5"),
        ("İstanbul çok güzel şehir", "cp1254"),
        ("Příliš žluťoučký kůň", "cp1250"),
        ("Gdańsk", "cp1250"),
        ("Łóż", "cp1250"),
        ("Łódź", "cp1250"),
        ("Děkuji, třída", "cp1250"),
        ("idő", "cp1250"),
        ("ręka", "iso8859-2"),
        ("Vodafone\u0430", "cp1251"),
        ("Mañana", "cp1252"),
        ("Genève", "cp1252"),
    ],
)
def test_text_that_could_only_be_guessed(text: str, codec: str) -> None:
    """What is neither plainly Western nor plainly Chinese is refused under a label that does not decode it, and read
    under its own.
    """
    octets = f"<a>{text}</a>".encode(codec)
    with pytest.raises(EnvelopeError):
        tolerance.readable(octets, "utf-8")
    assert charsets.decoded(octets, "utf-8").flaw == "undecodable"
    own = charsets.decoded(octets, charsets.name_of(codec))
    assert (own.text, own.flaw) == (f"<a>{text}</a>", "")


def test_long_text_is_weighed_quickly() -> None:
    """The time grows with the length alone, whatever the octets are."""

    def weighed() -> None:
        for octets in (b"\xe9" * 2_000_000, b"a\xe9" * 1_000_000 + b"\xff\xff\xff", b"a\xdf\xdf" * 700_000 + b"\x81"):
            charsets.decoded(octets, "utf-8")

    assert least_seconds(weighed, enough=3) < 3


def test_labels() -> None:
    """GB2312 and GBK are read by what holds both; unknown labels and those that escape are not served."""
    assert [codec_of(one) for one in ("GB2312", "gbk", "gb18030", '"utf-8"')] == [
        "gb18030",
        "gb18030",
        "gb18030",
        "utf-8",
    ]
    assert [codec_of(one) for one in ("iso-2022-kr", "utf-32le", "x", "")] == [None] * 4


@given(st.text(max_size=60), st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "gb18030"]))
@settings(max_examples=150, deadline=None)
def test_what_is_labelled_truly_is_read_truly(text: str, encoding: str) -> None:
    """Under a true label every text comes out as it went in, without a finding."""
    document = "<a>" + "".join(c for c in text if c not in "\ufeff") + "</a>"
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    label = {"utf-16-le": "utf-16", "utf-16-be": "utf-16"}.get(encoding, encoding)
    raw = marks.get(encoding, b"") + document.encode(encoding)
    read = tolerance.readable(raw, label)
    if encoding == "gb18030" and read.encoding == "utf-8":  # bytes that are both: UTF-8 wins
        assert raw.decode("utf-8").encode() == read.data
        return
    assert (read.data.decode(), read.findings) == (document, ())


@given(
    st.binary(max_size=80),
    st.one_of(st.none(), st.sampled_from(["utf-8", "utf-16", "gb2312", "euc-kr", "x", "latin1", ""])),
)
@settings(max_examples=300, deadline=None)
def test_any_bytes(raw: bytes, charset: str | None) -> None:
    """Any bytes give UTF-8 or an EnvelopeError."""
    try:
        read = tolerance.readable(raw, charset)
    except EnvelopeError:
        return
    assert read.data.decode("utf-8").encode() == read.data


def test_the_alias_of_the_soap_part_is_told_once() -> None:
    """In a package the MIME reader has told of the label already."""
    root = sent("SubmitReq").encode("cp949")
    head = b"--b\r\nContent-Type: text/xml; charset=ksc5601\r\nContent-ID: <s@x.example>\r\n\r\n"
    kind = 'multipart/related; boundary=b; type="text/xml"; start="<s@x.example>"'
    packed = exchange.Wire(headers=(("Content-Type", kind),), body=head + root + b"\r\n--b--\r\n")
    assert [one.id for one in exchange.unpack(packed).findings] == ["mime/root-charset-alias"]
    bare = exchange.Wire(headers=(("Content-Type", "text/xml; charset=ksc5601"),), body=root)
    assert [one.id for one in exchange.unpack(bare).findings] == ["mime/charset-alias"]


def test_limits_count_what_was_sent() -> None:
    """An envelope in a two-byte charset may be as long as its limit although its UTF-8 is longer."""
    root = sent("SubmitReq", more=f"<Subject>{'潮' * 400_000}</Subject>").encode("gb18030")
    received = exchange.unpack(exchange.Wire(headers=(("Content-Type", "text/xml; charset=gb18030"),), body=root))
    assert len(received.message.subject) == 400_000  # type: ignore[attr-defined]
    assert len(root) < mime.Limits().root < len("潮".encode()) * 400_000
    assert exchange.examine(wire(b"x" * (mime.Limits().root + 1))).error is not None
