"""Parts in a browser: nothing that a stranger sends can act there, media can be sought in, texts are source."""

from __future__ import annotations

import hashlib
import struct
import time
from collections.abc import Iterator

import pytest

pytest.importorskip("starlette")
pytest.importorskip("httpx")
from asgi_client import AsgiClient

from mm7zeep import media
from mm7zeep.gateway.rest.parts import download, shown
from mm7zeep.gateway.viewer.parts import Text, displayable, inline, is_text, picture, playable, text_of
from mm7zeep.gateway.viewer.previews import Preview
from mm7zeep.messages import Part

SCRIPT = b"<script>alert(document.domain)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)

INERT = {
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
}


def wire(part: Part, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """What a browser is answered that asks for a part with these fields."""
    client = AsgiClient(inline(part, 3))
    answer = client.get("/", headers={name.replace("_", "-"): value for name, value in headers.items()})
    client.close()
    return answer.status_code, dict(answer.headers), answer.content


# --- what goes out ----------------------------------------------------------------------------------------------------

# (octets, what the sender calls them, the type that they go out as: None for a download)
HOSTILE: dict[str, tuple[bytes, str, str | None]] = {
    "GIF that is JavaScript": (b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)//", "text/javascript", "image/gif"),
    "HTML that begins as a GIF": (b"GIF89a" + SCRIPT, "text/html", "image/gif"),
    "HTML behind a PNG": (PNG + SCRIPT, "text/html", "image/png"),
    "HTML behind a JPEG": (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + SCRIPT, "image/jpeg", "image/jpeg"),
    "HTML behind a bitmap": (b"BM\0\0\0\0\0\0\0\0" + SCRIPT, "text/html", "image/bmp"),
    "HTML in a WebP": (b"RIFF\0\0\0\0WEBP" + SCRIPT, "text/html", "image/webp"),
    "HTML behind ID3": (b"ID3\x03\0\0\0\0\0\0" + SCRIPT, "text/html", "audio/mpeg"),
    "HTML in an MP4": (b"\0\0\0\x18ftypisom" + bytes(12) + SCRIPT, "text/html", "video/mp4"),
    "HTML in an Ogg": (b"OggS\0" + SCRIPT, "text/html", "audio/ogg"),
    "archive behind a GIF": (b"GIF89a" + bytes(20) + b"PK\x03\x04", "application/java-archive", "image/gif"),
    "SVG": (SVG, "image/svg+xml", None),
    "SVG named a PNG": (SVG, "image/png", None),
    "SVG behind a declaration": (b'<?xml version="1.0"?><!-- x -->' + SVG, "image/gif", None),
    "HTML": (b"<!doctype html>" + SCRIPT, "text/html", None),
    "HTML named a picture": (b"<html>" + SCRIPT, "image/jpeg", None),
    "HTML behind white space": (b"\n\n   " + SCRIPT, "image/png", None),
    "HTML in UTF-16": (b"\xff\xfe" + SCRIPT.decode().encode("utf-16-le"), "image/png", None),
    "HTML in UTF-7": (b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-", "text/plain", None),
    "XHTML": (b'<html xmlns="http://www.w3.org/1999/xhtml">' + SCRIPT + b"</html>", "application/xhtml+xml", None),
    "XML with a style sheet": (b'<?xml-stylesheet href="data:text/xsl,x"?><x/>', "text/xml", None),
    "SMIL": (b'<smil><body><a href="javascript:alert(1)"/></body></smil>', "application/smil", None),
    "PDF": (b"%PDF-1.7\n1 0 obj<</JS(app.alert(1))/S/JavaScript>>", "application/pdf", None),
    "PDF named a picture": (b"%PDF-1.7\n", "image/png", None),
    "URL of a script": (b"javascript:alert(1)", "text/uri-list", None),
    "script": (b"alert(1)", "text/javascript", None),
    "script named a picture": (b"alert(1)", "image/png", None),
    "style sheet": (b"*{background:url(//evil.example)}", "text/css", None),
    "service worker": (b"self.addEventListener('fetch',x)", "application/javascript", None),
    "WebAssembly": (b"\0asm\1\0\0\0", "application/wasm", None),
    "Flash": (b"CWS\x0a" + bytes(20), "application/x-shockwave-flash", None),
    "web archive": (b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n" + SCRIPT, "multipart/related", None),
    "archive": (b"PK\x03\x04" + SCRIPT, "application/zip", None),
    "vCard": (b"BEGIN:VCARD\r\nURL:javascript:alert(1)\r\nEND:VCARD\r\n", "text/vcard", None),
    "program": (b"MZ" + bytes(60), "image/png", None),
    "refresh": (b"<meta http-equiv=refresh content=0;url=//evil.example>", "text/plain", None),
    "nothing": (b"", "text/html", None),
    "type with a line break's letters": (b"x", "text/html;%0d%0aX: y", None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_parts(name: str) -> None:
    """What shows by magic octets that it is a picture or sound goes out as just that; all else is a download."""
    octets, called, kind = HOSTILE[name]
    status, headers, body = wire(Part(body=octets, content_type=called))
    assert (status, body) == (200, octets)
    assert headers.items() >= INERT.items()
    assert headers["content-type"] == (kind or "application/octet-stream")
    how, _, file = headers["content-disposition"].partition("; ")
    assert how == ("inline" if kind else "attachment")
    assert file.startswith('filename="part-003.')
    assert headers["cache-control"] == "private, no-cache"


def test_no_inline_type_can_act() -> None:
    """Nothing in the table of media types goes out inline that a browser could run, whatever its magic octets."""
    heads = {row.media_type: b"".join(octets for _, octets in row.magic[0]) for row in media.ROWS if row.magic}
    for kind, head in heads.items():
        answer = inline(Part(body=head + SCRIPT, content_type=kind), 0)
        if answer.headers["content-disposition"].startswith("inline"):
            assert answer.headers["content-type"].partition("/")[0] in ("image", "audio", "video"), kind
            assert "xml" not in answer.headers["content-type"]


def test_names_are_not_the_sender_s() -> None:
    """The file name is made of type and number, however the sender calls it."""
    _, headers, _ = wire(Part(body=b"x", content_type="text/plain", name='../../"\u202egpj.exe'))
    assert headers["content-disposition"] == 'attachment; filename="part-003.txt"'


def test_rest_serves_the_same() -> None:
    """Parts and raw requests of the REST API carry the same fields by themselves."""
    for answer in (shown(Part(body=PNG), 0), download(b"x", media.OCTET_STREAM, "request-0.http")):
        assert dict(answer.headers).items() >= INERT.items()
        assert answer.headers["accept-ranges"] == "bytes"


def test_picture() -> None:
    """A preview goes out as inert as a part."""
    answer = picture(Preview("image/png", PNG, 1, 1))
    assert dict(answer.headers).items() >= {**INERT, "content-type": "image/png"}.items()


# --- ranges and conditions --------------------------------------------------------------------------------------------

SOUND = Part(body=b"RIFF\0\0\0\0WAVE" + bytes(range(88)), content_type="audio/wav")  # 100 octets
ETAG = f'"{hashlib.sha256(SOUND.read()).hexdigest()}"'

RANGES: dict[str, tuple[dict[str, str], int, slice]] = {
    "all of it": ({"range": "bytes=0-"}, 206, slice(0, 100)),
    "the beginning": ({"range": "bytes=0-1"}, 206, slice(0, 2)),
    "the middle": ({"range": "bytes=12-49"}, 206, slice(12, 50)),
    "from there on": ({"range": "bytes=99-"}, 206, slice(99, 100)),
    "the last ones": ({"range": "bytes=-10"}, 206, slice(90, 100)),
    "more than the last": ({"range": "bytes=-1000"}, 206, slice(0, 100)),
    "beyond its end": ({"range": "bytes=90-1000"}, 206, slice(90, 100)),
    "written otherwise": ({"range": "Bytes = 0 - 1"}, 206, slice(0, 2)),
    "of what is still the same": ({"range": "bytes=0-1", "if_range": ETAG}, 206, slice(0, 2)),
    "of what was there": ({"range": "bytes=0-1", "if_range": '"other"'}, 200, slice(0, 100)),
    "since a date": ({"range": "bytes=0-1", "if_range": "Sun, 01 Mar 2026 12:00:00 GMT"}, 200, slice(0, 100)),
    "outside": ({"range": "bytes=100-"}, 416, slice(0, 0)),
    "far outside": ({"range": "bytes=99999999999-999999999999"}, 416, slice(0, 0)),
    "none of the last": ({"range": "bytes=-0"}, 416, slice(0, 0)),
    "the wrong way round": ({"range": "bytes=5-4"}, 416, slice(0, 0)),
    "several": ({"range": "bytes=0-1,5-6"}, 200, slice(0, 100)),
    "very many": ({"range": "bytes=" + ",".join(["0-"] * 1000)}, 200, slice(0, 100)),
    "of another unit": ({"range": "items=0-1"}, 200, slice(0, 100)),
    "of nothing": ({"range": "bytes=-"}, 200, slice(0, 100)),
    "no numbers": ({"range": "bytes=a-b"}, 200, slice(0, 100)),
    "negative": ({"range": "bytes=--1"}, 200, slice(0, 100)),
    "more digits than there are octets": ({"range": f"bytes=0-{10**400}"}, 200, slice(0, 100)),
    "known": ({"if_none_match": ETAG}, 304, slice(0, 0)),
    "known among others": ({"if_none_match": f'"a", W/{ETAG}'}, 304, slice(0, 0)),
    "known, whatever it is": ({"if_none_match": "*"}, 304, slice(0, 0)),
    "known, with a range": ({"if_none_match": ETAG, "range": "bytes=0-1"}, 304, slice(0, 0)),
    "unknown": ({"if_none_match": '"a"'}, 200, slice(0, 100)),
}


@pytest.mark.parametrize("name", RANGES)
def test_ranges(name: str) -> None:
    """One range is served, what lies outside is refused, all else is not understood; whoever has it gets nothing."""
    asked, expected, where = RANGES[name]
    status, headers, body = wire(SOUND, **asked)
    assert (status, body) == (expected, SOUND.read()[where])
    assert headers.items() >= INERT.items()
    assert headers["etag"] == ETAG
    told = {206: f"bytes {where.start}-{where.stop - 1}/100", 416: "bytes */100"}.get(expected)
    assert headers.get("content-range") == told
    assert headers.get("content-type") == ("audio/wav" if expected in (200, 206) else None)
    assert headers.get("content-length") == (None if expected == 304 else str(len(body)))
    assert headers["accept-ranges"] == "bytes"


def test_head_has_no_range() -> None:
    """RFC 9110 14.2: a range is for GET alone."""
    client = AsgiClient(inline(SOUND, 0))
    answer = client.request("HEAD", "/", headers={"Range": "bytes=0-1"})
    client.close()
    assert (answer.status_code, answer.headers["content-length"]) == (200, "100")


def test_empty_part_has_no_range() -> None:
    """No octet of nothing can be had."""
    status, headers, _ = wire(Part(body=b"", content_type="audio/wav"), range="bytes=0-")
    assert (status, headers["content-range"]) == (416, "bytes */0")


# --- what browsers show and play --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "plays"),
    [
        ("audio/mpeg", True), ("audio/mp3", True), ("AUDIO/MP4; codecs=mp4a", True), ("audio/x-wav", True),
        ("video/mp4", True), ("video/webm", True), ("audio/amr", False), ("audio/amr-wb", False),
        ("video/3gpp", False), ("video/3gpp2", False), ("audio/midi", False), ("audio/basic", False),
        ("video/x-msvideo", False), ("video/quicktime", False), ("video/mpeg", False), ("audio/ogg", False),
        ("image/png", False), ("text/html", False), ("x/y", False), ("", False),
    ],
)  # fmt: skip
def test_playable(kind: str, plays: bool) -> None:
    """Those that browsers have a player for, under any of their names."""
    assert playable(kind) is plays


def test_displayable() -> None:
    """What browsers show as it is; the rest of the raster images have previews."""
    rasters = [row.media_type for row in media.ROWS if row.raster]
    assert [one for one in rasters if displayable(one)] == ["image/jpeg", "image/gif", "image/png", "image/webp"]
    assert not displayable("image/svg+xml")


# --- texts ------------------------------------------------------------------------------------------------------------


def text(octets: bytes, charset: str | None = None, kind: str = "text/plain") -> Part:
    """A text part."""
    return Part(body=octets, content_type=kind, parameters=(("charset", charset),) if charset else ())


TEXTS: dict[str, tuple[Part, str, str]] = {
    "plain": (text(b"hello"), "hello", "utf-8"),
    "UTF-8": (text("grüße 👋".encode(), "utf-8"), "grüße 👋", "utf-8"),
    "Latin-1": (text("grüße".encode("latin-1"), "iso-8859-1"), "grüße", "iso-8859-1"),
    "UTF-16": (text("潮汐".encode("utf-16"), "utf-16"), "潮汐", "utf-16le"),
    "Shift_JIS": (text("潮汐表".encode("shift_jis"), "shift_jis"), "潮汐表", "shift_jis"),
    "declared in XML": (
        text('<?xml version="1.0" encoding="windows-1251"?><x>Ветер</x>'.encode("cp1251"), None, "text/xml"),
        '<?xml version="1.0" encoding="windows-1251"?><x>Ветер</x>', "windows-1251",
    ),
    "not to be decoded": (text(b"a\xff\xfe\xfdb", "utf-8"), "a\ufffd\ufffd\ufffdb", "utf-8"),
    "ends of lines": (text(b"a\r\nb\rc\nd\te"), "a\nb\nc\nd\te", "utf-8"),
    "controls": (text(b"a\0b\x1b[31mc\x08\x7f"), "a\u2400b\u241b[31mc\u2408\u2421", "utf-8"),
    "C1": (text("a\x9bb".encode()), "a[U+009B]b", "utf-8"),
    "override": (text("photo_\u202egnp.exe".encode()), "photo_[U+202E]gnp.exe", "utf-8"),
    "isolates": (text("a\u2066b\u2069c".encode()), "a[U+2066]b[U+2069]c", "utf-8"),
    "tags": (text("a\U000e0041".encode()), "a[U+E0041]", "utf-8"),
    "Arabic and emoji": (
        text("\u0631\u200c\u0648 \u200f👩\u200d🚒".encode()), "\u0631\u200c\u0648 \u200f👩\u200d🚒", "utf-8",
    ),
    "markup": (text(SCRIPT, None, "text/html"), SCRIPT.decode(), "utf-8"),
    "nothing": (text(b""), "", "utf-8"),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str) -> None:
    """A text is read by its charset; what steers, hides or reorders is written out."""
    part, expected, charset = TEXTS[name]
    assert text_of(part, 1000) == Text(expected, charset, cut=False)


CUT = ["utf-8", "iso-8859-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be", "shift_jis", "gb18030"]


@pytest.mark.parametrize("charset", CUT)
@pytest.mark.parametrize("shift", range(4))
def test_cut_text(charset: str, shift: int) -> None:
    """A long text is cut, and no character is cut in two, whatever its octets are and how they are called."""
    unit = "潮é👋 " if charset.startswith("utf") else {"iso-8859-1": "grüße "}.get(charset, "潮汐表 ")
    whole = "x" * shift + unit * 400
    found = text_of(text(whole.encode(charset), charset), 100)
    assert found.cut
    assert found.text == whole[:100]


def test_cut_of_a_wrong_label() -> None:
    """UTF-8 under the label of another charset is UTF-8 where it is cut off, too."""
    for shift in range(4):
        whole = "x" * shift + "Grüße 👋 " * 100
        assert text_of(text(whole.encode(), "iso-8859-1"), 50).text == whole[:50]


def test_exactly_as_much() -> None:
    """What fits is not cut; one character more is."""
    assert text_of(text(b"a" * 10), 10).cut is False
    assert text_of(text(b"a" * 11), 10).cut is True
    assert text_of(text("👋".encode() * 10), 10).cut is False
    assert text_of(text("👋".encode() * 11), 10).text == "👋" * 10


class Endless:
    """Octets without end, as far as anyone reads."""

    size = 10**12
    taken = 0

    def open(self) -> Endless:
        return self

    def __enter__(self) -> Endless:
        return self

    def __exit__(self, *error: object) -> None: ...

    def read(self, count: int) -> bytes:
        Endless.taken += count
        return b"x" * count

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("read by lines")


def test_long_text_is_not_read() -> None:
    """No more is read of a text than is shown of it."""
    found = text_of(Part(body=Endless(), content_type="text/plain"), 1000)  # type: ignore[arg-type]
    assert (found.text, found.cut) == ("x" * 1000, True)
    assert Endless.taken <= 4100


HARD = {
    "noise": bytes((n * n * 31 + n * 7) % 251 for n in range(400_000)),
    "NULs": bytes(400_000),
    "overrides": "\u202e".encode() * 140_000,
    "half characters": b"\xe6\xbd" * 200_000,
    "escapes": b"\x1b$B\x1b(B" * 66_000,
    "high octets": b"\xff\xfe" * 200_000,
    "a declaration that does not end": b"<?xml " + b"a " * 200_000,
}


@pytest.mark.parametrize("charset", [None, "utf-8", "utf-16", "gb18030", "iso-2022-jp"])
@pytest.mark.parametrize("name", HARD)
def test_hard_texts(name: str, charset: str | None) -> None:
    """Whatever the octets are, a text of at most so many characters comes of them, and soon."""
    started = time.process_time()
    found = text_of(text(HARD[name], charset), 100_000)
    assert time.process_time() - started < 2
    assert len(found.text) <= 100_000
    assert not any(c in found.text for c in "\0\x1b\u202e\ufeff")
    found.text.encode()  # no half of a pair is left


@pytest.mark.parametrize(
    ("octets", "kind", "expected"),
    [
        (b"hello", "text/plain", True), (b"<smil/>", "application/smil", True), (b"<html>", "text/html", True),
        (SVG, "image/svg+xml", True), (SVG, "image/png", True), (b"BEGIN:VCARD\r\n", "text/x-vcard", True),
        (b"<x/>", "application/xml", True), (b"<x/>", "application/foo+xml", True), (b"x", "text/csv", True),
        (PNG, "text/plain", False), (b"%PDF-1.7", "text/html", False), (b"x", "application/octet-stream", False),
        (struct.pack("<H", 1), "application/x-thing", False), (b"#!AMR\n", "audio/amr", False),
    ],
)  # fmt: skip
def test_is_text(octets: bytes, kind: str, expected: bool) -> None:
    """Octets count, then what the sender calls them."""
    assert is_text(Part(body=octets, content_type=kind)) is expected
