"""What is sent is labelled with what it is, by its octets or by the caller; and our own check finds nothing in it."""

from __future__ import annotations

import codecs
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from captures import dump
from hypothesis import given, settings
from hypothesis import strategies as st

from mm7zeep import charsets, exchange, media, profiles, smil
from mm7zeep.client import part_of
from mm7zeep.conformance import verdict
from mm7zeep.conformance.input import capture
from mm7zeep.errors import LocalError
from mm7zeep.messages import DeliverReq, Message, Part, SubmitReq

SHORE = "Strand på Öland, 5 °C"
TIDE = "潮汐 時刻表 カタカナ"

# What is in a file of each media type: text before and after what is drawn, or octets that begin as the type does.
TEXTS = {
    "text/plain": ("", ""),
    "text/x-sktxt": ("", ""),
    "text/calendar": ("BEGIN:VCALENDAR\r\nSUMMARY:", "\r\nEND:VCALENDAR\r\n"),
    "text/vcard": ("BEGIN:VCARD\r\nFN:", "\r\nEND:VCARD\r\n"),
    "text/html": ("<html><body>", "</body></html>"),
    "application/smil": ("<smil><body><par><!--", "--></par></body></smil>"),
    "image/svg+xml": ('<svg xmlns="http://www.w3.org/2000/svg"><!--', "--></svg>"),
    "application/vnd.oma.drm.message": ("--b\r\n\r\n", "\r\n--b--\r\n"),
}
OCTETS = {
    "image/jpeg": b"\xff\xd8\xff\xe0", "image/gif": b"GIF89a", "image/png": b"\x89PNG\r\n\x1a\n",
    "image/bmp": b"BM\0\0\0\0\0\0\0\0", "image/tiff": b"II*\0", "image/heic": b"\0\0\0\x18ftypheic",
    "image/avif": b"\0\0\0\x1cftypavif", "image/webp": b"RIFF\0\0\0\0WEBP",
    "image/vnd.wap.wbmp": b"\0\0\x08\x08", "audio/amr": b"#!AMR\n",
    "audio/amr-wb": b"#!AMR-WB\n", "audio/mpeg": b"ID3\x03", "audio/midi": b"MThd\0\0\0\x06",
    "audio/wav": b"RIFF\0\0\0\0WAVE", "audio/basic": b".snd\0\0", "audio/aac": b"\xff\xf1",
    "audio/mp4": b"\0\0\0\x18ftypM4A ", "audio/3gpp": b"\0\0\0\x18ftyp3gp4", "audio/3gpp2": b"\0\0\0\x18ftyp3g2a",
    "audio/ogg": b"OggS\0", "audio/webm": b"\x1a\x45\xdf\xa3webm", "video/mpeg": b"\0\0\x01\xba",
    "video/mp4": b"\0\0\0\x18ftypisom", "video/3gpp": b"\0\0\0\x18ftyp3gp4", "video/3gpp2": b"\0\0\0\x18ftyp3g2a",
    "video/x-msvideo": b"RIFF\0\0\0\0AVI ", "video/quicktime": b"\0\0\0\x14ftypqt  ", "video/ogg": b"OggS\0",
    "video/webm": b"\x1a\x45\xdf\xa3webm", "application/pdf": b"%PDF-1.4", "application/zip": b"PK\x03\x04",
    "application/octet-stream": b"\x01",
}  # fmt: skip
TOLD = {"text/x-sktxt": {"mime/vendor-type"}}
"""What is told of a part although it is sent as it should be: INFO, that its type is of nobody's registry."""

# Letters of what is really written in each charset; hypothesis draws from all characters that it has, too.
ALPHABETS = {
    "iso-8859-5": "Ветер", "windows-1251": "Ветер", "koi8-r": "Ветер", "koi8-u": "Ветер", "iso-8859-7": "Άνεμος",
    "windows-1253": "Άνεμος", "iso-8859-8": "רוח", "windows-1255": "רוח", "iso-8859-6": "ريح",
    "windows-1256": "ريح", "iso-8859-11": "ลมแรง", "tis-620": "ลมแรง", "windows-874": "ลมแรง", "gb2312": "潮汐时刻表",
    "gbk": "潮汐時刻表", "gb18030": "潮汐時刻表", "big5": "潮汐時刻表", "big5-hkscs": "潮汐時刻表", "euc-kr": "물때표",
    "iso-2022-kr": "물때표", "shift_jis": "潮汐表カナ", "euc-jp": "潮汐表カナ", "iso-2022-jp": "潮汐表カナ",
    "windows-31j": "潮汐表カナ", "us-ascii": "tide",
}  # fmt: skip


def encoded(text: str, label: str) -> bytes:
    """``text`` as a file of the charset ``label`` holds it."""
    return text.encode(charsets.codec(label) or "")


def found_in(message: Message, profile: profiles.Profile) -> list[str]:
    """The ids of all that our own check finds in ``message`` as it is sent."""
    wire = exchange.pack(message, profile=profile, transaction_id="tide-1")
    [captured] = capture.messages("x", dump(replace(wire, body=wire.read())))
    judged = verdict.judge(captured, policy="strict")
    assert judged.accepted, judged.reason
    return [str(one) for one in judged.findings]


@st.composite
def texts(draw: st.DrawFn, label: str) -> str:
    """A text that ``label`` can encode, CR left out: alone it is no end of a line in a text (RFC 2046 4.1.1)."""
    codec = charsets.codec(label) or ""
    usual = st.text(ALPHABETS.get(label, "tide, åäö €") + " ,.1a\n", max_size=40)
    any_of = st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"], exclude_characters="\ufeff")
    drawn = draw(st.one_of(usual, st.text(any_of, max_size=40)))
    return drawn.encode(codec, "ignore").decode(codec).replace("--", "").replace("\ufeff", "").strip("-")


@st.composite
def labelled_texts(draw: st.DrawFn) -> tuple[str, str, str, bytes]:
    """A media type, a charset, a text in it, and its octets."""
    kind, label = draw(st.sampled_from(sorted(TEXTS))), draw(st.sampled_from(charsets.REGISTERED))
    if kind.endswith(("xml", ".message")):
        label = "utf-8"  # which carries no label; what is in it says what it is
    before, after = TEXTS[kind]
    text = draw(texts(label))
    if kind in ("application/smil", "image/svg+xml", "text/html"):
        text = text.translate(dict.fromkeys(map(ord, "<>&")))
    whole = before + text + after
    return kind, label, whole, encoded(whole, label)


MESSAGES = st.sampled_from(
    [
        SubmitReq(vaspid="FERRY", vasid="Times", to=("4930123456",)),
        DeliverReq(sender="4930123456", to=("493011",), reply_charging_id="r-1"),  # REL-5-MM7-1-0 wants it
    ]
)
PROFILES = st.sampled_from(
    [replace(one, mm7_version=one.versions[-1]) for one in profiles.NAMESPACES.values() if one.alias_of is None]
)
"""Each namespace with its newest version: of an older one version/newest would tell."""


@given(labelled_texts(), MESSAGES, PROFILES, st.sampled_from(["binary", "base64"]))
@settings(max_examples=300, deadline=None)
def test_check_finds_nothing_in_the_texts_that_we_send(
    drawn: tuple[str, str, str, bytes], message: Message, profile: profiles.Profile, encoding: str
) -> None:
    """Every text in every charset is refused before it is sent, or read back as it was, without a finding."""
    kind, label, text, octets = drawn
    part = Part(body=octets, content_type=kind, name="tide")
    if not kind.endswith(("xml", ".message")):
        try:
            part = part_of(part, charset=label)
        except LocalError:  # octets that are plainly something else as well
            assert charsets.decoded(octets, label).text != text or charsets.decoded(octets, label).flaw
            return
    made = replace(message, parts=(part,))  # type: ignore[call-arg]
    told = found_in(made, replace(profile, encoding=encoding))  # type: ignore[arg-type]
    expected = TOLD.get(kind, set()) | (set() if octets else {"mime/empty-part"})  # both are INFO
    assert {one.partition(" ")[0] for one in told} == expected
    if part.charset is not None:
        assert part.text() == text


@pytest.mark.parametrize("label", charsets.REGISTERED)
@pytest.mark.parametrize("kind", ["text/plain", "text/vcard", "text/calendar", "application/smil"])
def test_what_is_usual_in_a_charset_is_never_refused(label: str, kind: str) -> None:
    """Words as people write them, in each charset and type, are labelled so, and nothing is found in them."""
    before, after = TEXTS[kind]
    text = before + " ".join([ALPHABETS.get(label, "tide åäö")] * 3).replace("åäö", "" if label[:4] == "ibm4" else "äö")
    text = text.encode(charsets.codec(label) or "", "ignore").decode(charsets.codec(label) or "") + after
    part = part_of(Part(body=encoded(text, label), content_type=kind), charset=label)
    assert (part.charset, part.text()) == (label, text)
    message = SubmitReq(vaspid="FERRY", vasid="Times", to=("4930123456",), parts=(part,))
    assert found_in(message, profiles.REL_6_MM7_1_4) == []


@given(st.sampled_from(sorted(OCTETS)), st.binary(max_size=60), MESSAGES, PROFILES, st.booleans())
@settings(max_examples=150, deadline=None)
def test_check_finds_nothing_in_the_media_that_we_send(
    kind: str, rest: bytes, message: Message, profile: profiles.Profile, several: bool
) -> None:
    """Every media type of the table, alone or with a text and the presentation that is made for both."""
    parts = [Part(body=OCTETS[kind] + rest, content_type=kind)]
    made = replace(message, parts=(*parts, *map(part_of, [SHORE] * several)))  # type: ignore[call-arg]
    assert found_in(made, profile) == []


def test_every_media_type_is_sent() -> None:
    """No type of the table is left out of the two properties above."""
    assert TEXTS.keys() | OCTETS.keys() == {row.media_type for row in media.ROWS}


class File(NamedTuple):
    """A file, what the caller says of it, and what it is labelled with and read as; None: it is refused."""

    name: str
    octets: bytes
    charset: str | None
    kind: str
    label: str | None
    text: str | None = None


CARD = "BEGIN:VCARD\r\nFN:Åsa\r\nEND:VCARD\r\n"
SHOW = '<smil><body><par><text src="cid:på"/></par></body></smil>'
FILES = [
    File("a.txt", SHORE.encode(), None, "text/plain", "utf-8", SHORE),
    File("a.txt", b"tide", None, "text/plain", "utf-8", "tide"),
    File("a.txt", codecs.BOM_UTF8 + SHORE.encode(), None, "text/plain", "utf-8", SHORE),
    File("a.txt", SHORE.encode("utf-16"), None, "text/plain", "utf-16", SHORE),
    File("a.txt", codecs.BOM_UTF16_BE + SHORE.encode("utf-16-be"), None, "text/plain", "utf-16", SHORE),
    File("a.txt", SHORE.encode("utf-32"), None, "text/plain", "utf-32", SHORE),
    File("a.txt", codecs.BOM_UTF32_BE + SHORE.encode("utf-32-be"), None, "text/plain", "utf-32", SHORE),
    File("a.txt", SHORE.encode("latin-1"), None, "text/plain", None),
    File("a.txt", SHORE.encode("latin-1"), "latin1", "text/plain", "iso-8859-1", SHORE),
    File("a.txt", SHORE.encode("latin-1"), "windows-1252", "text/plain", "windows-1252", SHORE),
    File("a.txt", SHORE.encode("latin-1"), "utf-8", "text/plain", None),
    File("a.txt", SHORE.encode("latin-1"), "klingon", "text/plain", None),
    File("a.txt", SHORE.encode(), "iso-8859-1", "text/plain", None),
    File("a.txt", SHORE.encode(), "us-ascii", "text/plain", None),
    File("a.txt", "5 €".encode("cp1252"), "iso-8859-1", "text/plain", None),
    File("a.txt", "5 €".encode("cp1252"), "'Windows-1252'", "text/plain", "windows-1252", "5 €"),
    File("a.txt", SHORE.encode("utf-16-be"), "utf-16", "text/plain", "utf-16", SHORE),
    File("a.txt", SHORE.encode("utf-16-le"), "utf-16", "text/plain", None),
    File("a.txt", SHORE.encode("utf-16-le"), "utf-16le", "text/plain", "utf-16le", SHORE),
    File("a.txt", SHORE.encode("utf-16"), "utf-16le", "text/plain", "utf-16", SHORE),
    File("a.txt", SHORE.encode("utf-16-le"), None, "text/plain", None),
    File("a.txt", TIDE.encode("iso2022_jp"), None, "text/plain", None),
    File("a.txt", TIDE.encode("iso2022_jp"), "iso-2022-jp", "text/plain", "iso-2022-jp", TIDE),
    File("a.txt", "물때표".encode("cp949"), "ks_c_5601-1987", "text/plain", "euc-kr", "물때표"),
    File("a.txt", "潮汐時刻表".encode("gbk"), "gb2312", "text/plain", None),
    File("a.txt", SHORE.encode(), "106", "text/plain", "utf-8", SHORE),
    File("a.txt", b"", None, "text/plain", "utf-8", ""),
    File("a.vcf", CARD.encode(), None, "text/vcard", "utf-8", CARD),
    File("a.vcf", CARD.encode("utf-16"), None, "text/vcard", "utf-16", CARD),
    File("a.vcf", CARD.encode("latin-1"), None, "text/vcard", None),
    File("a.vcf", CARD.encode("latin-1"), "iso-8859-1", "text/vcard", "iso-8859-1", CARD),
    File("a.smil", SHOW.encode(), None, "application/smil", "utf-8", SHOW),
    File("a.smil", SHOW.encode("utf-16"), None, "application/smil", "utf-16", SHOW),
    File("a.smil", SHOW.encode("latin-1"), None, "application/smil", None),
    File("a.smil", SHOW.encode("latin-1"), "iso-8859-1", "application/smil", "iso-8859-1", SHOW),
    File("a.smil", f'<?xml version="1.0" encoding="iso-8859-1"?>{SHOW}'.encode("latin-1"), None, "application/smil",
         "iso-8859-1"),
    File("a.smil", f'<?xml version="1.0" encoding="utf-16"?>{SHOW}'.encode(), None, "application/smil", None),
    File("a.gif", b"GIF89a\xff\xfe", "utf-8", "image/gif", ""),
]  # fmt: skip


@pytest.mark.parametrize("as_bytes", [False, True], ids=["file", "bytes"])
@pytest.mark.parametrize("file", FILES, ids=lambda one: f"{one.name} {one.charset} {one.octets[:12]!r}")
def test_files(file: File, as_bytes: bool, tmp_path: Path) -> None:
    """The label is that of the mark, UTF-8 or the checked one that was given; else nobody guesses."""
    path = tmp_path / file.name
    path.write_bytes(file.octets)
    if as_bytes:
        item: Part | Path = Part(body=file.octets, content_type=file.kind)
        if file.charset is None:
            item = replace(item, body=path)
            return  # a Part is what its maker says it is
    else:
        item = path
    if file.label is None:
        with pytest.raises(LocalError, match="charset"):
            part_of(item, charset=file.charset)
        return
    part = part_of(item, charset=file.charset)
    assert (part.content_type, part.charset or "") == (file.kind, file.label)
    assert part.read() == file.octets
    if file.text is not None:
        assert part.text() == file.text


@pytest.mark.parametrize(
    ("octets", "charset", "kind", "label"),
    [
        (SHORE.encode(), None, "text/plain", "utf-8"),
        (SHORE.encode("utf-16"), None, "text/plain", "utf-16"),
        (b"\x01\x02\xff\xfe", None, "application/octet-stream", None),
        (b"\xff\xff\xfd\xfc", None, "application/octet-stream", None),
        (SHORE.encode("latin-1"), "iso-8859-1", "text/plain", "iso-8859-1"),
        (SHOW.encode(), None, "application/smil", "utf-8"),
        (b"\x89PNG\r\n\x1a\n", "utf-8", "image/png", None),
    ],
)
def test_octets(octets: bytes, charset: str | None, kind: str, label: str | None) -> None:
    """Octets without a name are text where they show it or the caller says what they are in."""
    part = part_of(octets, charset=charset)
    assert (part.content_type, part.charset) == (kind, label)


@pytest.mark.parametrize("name", [None, "NOTES", "notes.unknown"])
@pytest.mark.parametrize(
    "octets",
    [
        SHORE.encode("latin-1"),
        "潮汐时刻表".encode("gb2312"),
        "물때표 물때".encode("cp949"),
    ],
)
def test_octets_that_look_like_text(octets: bytes, name: str | None, tmp_path: Path) -> None:
    """Text of an unknown charset and without a name that says so is not sent as something else in silence."""
    item: bytes | Path = octets
    if name is not None:
        item = tmp_path / name
        item.write_bytes(octets)
    with pytest.raises(LocalError, match="no charset is guessed"):
        part_of(item)


def test_a_part_whose_file_is_gone(tmp_path: Path) -> None:
    """What cannot be read is named, also where the caller has made the Part."""
    with pytest.raises(LocalError, match=r"gone\.txt"):
        part_of(Part(body=tmp_path / "gone.txt", content_type="text/plain"), charset="utf-8")


@pytest.mark.parametrize("charset", [None, "utf-8", "utf-16"])
def test_a_large_file_is_read_in_pieces(charset: str | None) -> None:
    """A text beyond what is weighed at one time is judged to its last octet, and never in memory as a whole."""
    codec = charset or "utf-8"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_bytes(
            (SHORE + "\r\n").encode(codec) + (SHORE + "\r\n").encode(codec.replace("16", "16-le")) * 200_000
        )
        assert part_of(path, charset=charset).charset == codec
        with path.open("ab") as stream:
            stream.write(b"\xff\xdc\xff" if codec == "utf-16" else b"\xff")
        with pytest.raises(LocalError, match=r"a\.txt"):
            part_of(path, charset=charset)


def test_a_presentation_labelled_as_nothing_goes_out_as_one() -> None:
    """SMIL in a Part of the default type is the presentation of the message, under its own type, and the only one."""
    show = Part(body=SHOW.replace("på", "a@ferry.example").encode(), content_id="show@ferry.example")
    text = replace(part_of("tide"), content_id="a@ferry.example")
    message = SubmitReq(vaspid="FERRY", vasid="Times", to=("4930123456",), parts=(text, show))
    received = exchange.unpack(exchange.pack(message))
    assert [one.content_type for one in received.parts] == ["application/smil", "text/plain"]
    assert found_in(message, profiles.REL_6_MM7_1_4) == []
    assert smil.is_presentation(received.parts[0])
