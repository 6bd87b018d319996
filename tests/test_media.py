"""The media-type table: every name of the Optus page, and content told from its first bytes."""

from __future__ import annotations

import zlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm7zeep import media


def png() -> bytes:
    """One grey pixel."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    header = (1).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b"")
    )


def box(name: bytes, body: bytes) -> bytes:
    """A box of the ISO base media format."""
    return (8 + len(body)).to_bytes(4, "big") + name + body


def iso(brand: bytes, more: bytes = b"") -> bytes:
    """A file of the MP4 family with that major brand."""
    return box(b"ftyp", brand + b"\0\0\2\0" + brand + b"isom") + more


def mvhd(ticks: int, scale: int) -> bytes:
    """A movie header that says how long the film lasts."""
    return box(b"moov", box(b"mvhd", bytes(12) + scale.to_bytes(4, "big") + ticks.to_bytes(4, "big") + bytes(80)))


GIF = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"

# "Known Supported File Formats": file type, media type as written there, compatibility; then the row it must lead to.
OPTUS = [
    ("jpeg", "image/jpeg", "full", "image/jpeg"),
    ("bmp", "image/bmp", "full", "image/bmp"),
    ("gif", "image/gif", "full", "image/gif"),
    ("png", "image/png", "full", "image/png"),
    ("tiff", "image/tiff", "full", "image/tiff"),
    ("heic", "image/heic", "partial", "image/heic"),
    ("amr", "audio/amr", "full", "audio/amr"),
    ("mp3", "audio/mpeg3", "full", "audio/mpeg"),
    ("mid", "audio/midi", "full", "audio/midi"),
    ("midi", "audio/midi", "full", "audio/midi"),
    ("wav", "audio/wav", "full", "audio/wav"),
    ("au", "audio/basic", "full", "audio/basic"),
    ("3gp", "image/3gpp", "full", "video/3gpp"),
    ("avi", "video/msvideo", "full", "video/x-msvideo"),
    ("avi", "video/avi", "full", "video/x-msvideo"),
    ("avi", "application/x-troff-msvideo", "full", "video/x-msvideo"),
    ("avi", "video/x-msvideo", "full", "video/x-msvideo"),
    ("mov", "image/quicktime", "full", "video/quicktime"),
    ("txt", "text/plain", "full", "text/plain"),
    ("ics", "text/calendar", "partial", "text/calendar"),
    ("ical", "text/calendar", "partial", "text/calendar"),
    ("vcf", "text/vcard", "partial", "text/vcard"),
    ("vcard", "text/vcard", "partial", "text/vcard"),
]


@pytest.mark.parametrize(("extension", "written", "compatibility", "own"), OPTUS)
def test_the_optus_page_is_understood(extension: str, written: str, compatibility: str, own: str) -> None:
    """Each file type of the page leads to one row, by extension and by the media type written there."""
    row = media.by_extension(f"holiday.{extension.upper()}")
    assert row is not None
    assert (row.media_type, row.compatibility) == (own, compatibility)
    assert media.lookup(written) is row


def test_the_types_that_the_optus_page_crosses() -> None:
    """The page writes image/mp4 for MPEG and image/mpeg for MP4: either content is taken under either name."""
    assert [media.lookup(name).media_type for name in ("image/mp4", "image/mpeg")] == ["video/mp4", "video/mpeg"]  # type: ignore[union-attr]
    for name in ("image/mp4", "image/mpeg"):
        assert media.agrees(name, iso(b"mp42")) is True
        assert media.agrees(name, b"\0\0\1\xba\x44\0") is True
        assert media.agrees(name, png()) is False
    assert media.agrees("video/mp4", b"\0\0\1\xba\x44\0") is False


@pytest.mark.parametrize(
    ("written", "own"),
    [
        ("IMAGE/JPG", "image/jpeg"),
        ('text/plain; charset="utf-8"', "text/plain"),
        (" image/gif;", "image/gif"),
        ("audio/mp3", "audio/mpeg"),
        ("application/smil+xml", "application/smil"),
        ("application/x-smil", "application/smil"),
        ("text/skt-xt", "text/x-sktxt"),
        ("application/vnd.wap.mms-message", None),
        ("image", None),
        ("", None),
    ],
)
def test_lookup(written: str, own: str | None) -> None:
    """Aliases, case, blanks and parameters make no difference."""
    row = media.lookup(written)
    assert (row.media_type if row else None) == own


def test_no_name_or_extension_stands_in_two_rows() -> None:
    """A name that two rows claim would go to whichever stands last."""
    rows = media.ROWS
    for claims in (
        [name for row in rows for name in (row.media_type, *row.aliases)],
        [extension for row in rows for extension in row.extensions],
    ):
        assert sorted(claims) == sorted(set(claims))
        assert [claim for claim in claims if claim != claim.lower()] == []


# Content, and the row that it shows. The last ones are texts that begin like something else.
CONTENT = [
    (png(), "image/png"),
    (GIF, "image/gif"),
    (b"GIF87a\1\0\1\0", "image/gif"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg"),
    (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "image/bmp"),
    (b"II*\0\x08\0\0\0", "image/tiff"),
    (b"MM\0*\0\0\0\x08", "image/tiff"),
    (iso(b"heic"), "image/heic"),
    (iso(b"mif1"), "image/heic"),
    (iso(b"avif"), "image/avif"),
    (iso(b"avis"), "image/avif"),
    (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
    (b"#!AMR\n\x3c", "audio/amr"),
    (b"#!AMR-WB\n\x3c", "audio/amr-wb"),
    (b"ID3\x03\0\0\0\0\0\0", "audio/mpeg"),
    (b"\xff\xfb\x90\x64", "audio/mpeg"),
    (b"\xff\xf1\x50\x80", "audio/aac"),
    (b"MThd\0\0\0\x06\0\0\0\1\0\x60", "audio/midi"),
    (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
    (b"RIFF\x24\0\0\0RMIDdata", "audio/midi"),
    (b".snd\0\0\0\x18", "audio/basic"),
    (iso(b"M4A "), "audio/mp4"),
    (b"OggS\0\2", "audio/ogg"),
    (b"\0\0\1\xb3\x14", "video/mpeg"),
    (iso(b"isom"), "video/mp4"),
    (iso(b"3gp5"), "video/3gpp"),
    (iso(b"3g2a"), "video/3gpp2"),
    (iso(b"qt  "), "video/quicktime"),
    (b"\0\0\1\0moov\0\0\0\x6cmvhd", "video/quicktime"),
    (b"RIFF\x24\0\0\0AVI LIST", "video/x-msvideo"),
    (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1B\xf2\x81\4B\xf3\x81\x08B\x82\x84webmB", "video/webm"),
    (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1B\xf2\x81\4B\xf3\x81\x08B\x82\x88matroska", None),
    (b"%PDF-1.4\n", "application/pdf"),
    (b"PK\3\4\x14\0", "application/zip"),
    (b"BEGIN:VCARD\r\nVERSION:3.0\r\n", "text/vcard"),
    (b"\xef\xbb\xbfbegin:vcalendar\r\n", "text/calendar"),
    (b"<!DOCTYPE html><html>", "text/html"),
    (b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    (b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<smil>', "application/smil"),
    (b"RIFF\x24\0\0\0", None),
    (iso(b"jp2 "), None),
    (b"", None),
    (b"BMW or bicycle?", None),
    (b"The wide road", None),
    (b"ID3 tags are fun", None),
    (b"RIFFs and WAVEs", None),
    (b"<smiling>", None),
    (b"hello", None),
]


@pytest.mark.parametrize(("head", "own"), CONTENT)
def test_content(head: bytes, own: str | None) -> None:
    """A type shows in the first 64 bytes, and what follows them makes no difference."""
    for content in (head, head[: media.HEAD], head.ljust(4096, b"\0") if head else head):
        row = media.by_content(content)
        assert (row.media_type if row else None) == own


@given(st.binary(max_size=200))
def test_content_never_fails(head: bytes) -> None:
    """Whatever the bytes, there is an answer, and a type that is told agrees with the content it was told from."""
    guessed = media.guess(None, head)
    assert media.agrees(guessed, head) in (True, None)
    assert media.length(head) is None or head.startswith((b"#!AMR", b"RIFF"))


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.png", png(), "image/png"),
        ("a.jpg", png(), "image/png"),  # content wins
        ("a.txt", png(), "image/png"),
        (None, png(), "image/png"),
        ("a.png", b"not a picture", "text/plain"),
        ("a.png", b"\x01\x02\x03", "application/octet-stream"),
        ("a.png", b"", "image/png"),
        ("a.m4a", iso(b"mp42"), "audio/mp4"),  # one container: the name knows better
        ("a.3gp", iso(b"isom"), "video/3gpp"),
        ("a.mov", iso(b"qt  "), "video/quicktime"),
        ("a.ogv", b"OggS\0\2", "video/ogg"),
        ("a.wbmp", b"\0\0\1\1\x80", "image/vnd.wap.wbmp"),
        ("a.mp3", b"\0\0\0\0", "audio/mpeg"),
        ("hello.txt", b"G'day", "text/plain"),
        ("hello", "Grüße".encode(), "text/plain"),
        ("hello.txt", "Grüße".encode("latin-1"), "text/plain"),
        ("hello.txt", "Grüße".encode("utf-16"), "text/plain"),
        ("hello.txt", b"\0\1\2", "application/octet-stream"),
        ("page.html", b"<p>no html element", "text/html"),
        ("show.smil", b"<!-- c --><smil/>", "application/smil"),
        ("card.vcf", b"just a note", "text/plain"),
        ("song.dm", b"--boundary-1\r\nContent-Type: audio/amr", "application/vnd.oma.drm.message"),
        ("x.unheard", b"\xfe\xdc\xba", "application/octet-stream"),
        (None, b"", "application/octet-stream"),
    ],
)
def test_guess(name: str | None, head: bytes, expected: str) -> None:
    """Content decides, then the extension, then whether it is text."""
    assert media.guess(name, head) == expected


def test_a_character_cut_in_two_is_still_text() -> None:
    """The first 64 bytes of a text may end within a character; a whole text may not."""
    text = ("x" * 63 + "é").encode()
    assert media.guess(None, text[:64]) == "text/plain"
    assert media.guess(None, text[:1] + "é".encode()[:1]) == "application/octet-stream"


@pytest.mark.parametrize(
    ("content_type", "head", "expected"),
    [
        ("image/png", png(), True),
        ("image/jpg", b"\xff\xd8\xff\xe1", True),
        ("image/jpeg", png(), False),
        ("image/png", b"hello", False),
        ("image/gif", b"GIF", False),
        ("image/bmp", b"BM\x46\0\0\0\1\0\0\0", None),
        ("audio/amr", b"#!AMR-WB\n", False),
        ("audio/mp4", iso(b"isom"), None),
        ("audio/3gpp", iso(b"3gp4"), None),
        ("video/mp4", iso(b"mp42"), True),
        ("audio/basic", b"\xff\xfb\xff\xfb\xff", None),
        ("audio/aac", b"ID3\x04\0", None),
        ("text/plain; charset=us-ascii", b"hello", True),
        ("text/plain", "안녕".encode("euc-kr"), None),
        ("text/plain", b"BEGIN:VCARD\r\n", True),
        ("text/plain", png(), False),
        ("text/vcard", b"hello", False),
        ("application/smil", b"<html>", False),
        ("application/smil", b"<!-- long -->", None),
        ("image/svg+xml", b"<svg/>", True),
        ("application/octet-stream", png(), None),
        ("image/x-unheard", png(), None),
        ("image/png", b"", None),
    ],
)
def test_agrees(content_type: str, head: bytes, expected: bool | None) -> None:
    """A label is confirmed, contradicted, or left open; it is never contradicted by a weak sign."""
    assert media.agrees(content_type, head) is expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("image/heic", "image"),
        ("image/x-unheard", "image"),
        ("VIDEO/unheard; codecs=x", "video"),
        ("audio/evrc-qcp", "audio"),
        ("text/plain", "text"),
        ("text/x-sktxt", "text"),
        ("text/rtf", "other"),
        ("text/vcard", "other"),
        ("text/html", "other"),
        ("application/pdf", "other"),
        ("application/smil+xml", "presentation"),
        ("", "other"),
    ],
)
def test_class(content_type: str, expected: str) -> None:
    """How a handset presents a part."""
    assert media.media_class(content_type) == expected
    assert media.is_presentation(content_type) is (expected == "presentation")


def test_raster_images() -> None:
    """A drawing that may hold scripts is never taken for a pixel image."""
    raster = {row.media_type for row in media.ROWS if row.raster}
    assert raster == {
        "image/jpeg", "image/gif", "image/png", "image/bmp", "image/tiff", "image/heic", "image/avif",
        "image/webp", "image/vnd.wap.wbmp",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content_type", "index", "expected"),
    [
        ("image/gif", 1, "part-001.gif"),
        ("image/jpg; name=../../x.exe", 12, "part-012.jpg"),
        ("text/x-sktxt", 0, "part-000.bin"),
        ("../../etc/passwd", 1000, "part-1000.bin"),
    ],
)
def test_safe_name(content_type: str, index: int, expected: str) -> None:
    """Nothing that the sender wrote gets into a file name."""
    assert media.safe_name(content_type, index) == expected


def test_safe_name_counts_from_zero() -> None:
    """A negative index is a slip of the caller."""
    with pytest.raises(ValueError, match="negative"):
        media.safe_name("image/gif", -1)


@pytest.mark.parametrize("name", ["gif", "", ".", "a.", "a.b/c", "gif."])
def test_no_extension(name: str) -> None:
    """A name without a known extension tells nothing."""
    assert media.by_extension(name) is None


def wav(seconds: float) -> bytes:
    """Silence at 8,000 octets a second, behind a chunk of odd size."""
    data = bytes(int(8000 * seconds))
    form = b"fmt " + (16).to_bytes(4, "little") + b"\1\0\1\0" + (8000).to_bytes(4, "little") * 2 + b"\1\0\x08\0"
    return b"RIFF\0\0\0\0WAVELIST\1\0\0\0x\0" + form + b"data" + len(data).to_bytes(4, "little") + data


@pytest.mark.parametrize(
    ("data", "milliseconds"),
    [
        (wav(2.5), 2500),
        (wav(2.5).replace((8000).to_bytes(4, "little") * 2, bytes(8)), None),
        (wav(2.5).replace((20_000).to_bytes(4, "little"), b"\xff\xff\xff\xff"), 2500),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"#!AMR\n" + b"\x7c" * 100, 2000),
        (b"#!AMR\n" + (b"\x3c" + bytes(31)) * 5, 100),
        (b"#!AMR\n\x4c\0\0", None),
        (b"#!AMR-WB\n" + (b"\x04" + bytes(17)) * 10, 200),
        (iso(b"3gp4", mvhd(7500, 1000)), 7500),
        (iso(b"isom", box(b"mdat", bytes(999)) + mvhd(12, 2)), 6000),
        (mvhd(12, 2), 6000),
        (iso(b"isom", b"\0\0\0\1mdat\0\0\0\0\0\0\0\x14abcd" + mvhd(12, 2)), 6000),
        (iso(b"isom", mvhd(7500, 0)), None),
        (iso(b"isom", mvhd(0xFFFFFFFF, 1)), None),
        (iso(b"isom", b"\0\0\0\1mdat\0\0\0\0\0\0\0\4"), None),
        (iso(b"isom")[:20], None),
        (b"\xff\xfb\x90\x64", None),
    ],
)
def test_length(data: bytes, milliseconds: int | None) -> None:
    """AMR, WAV and the MP4 family tell how long they play; damage tells nothing."""
    expected = None if milliseconds is None else timedelta(milliseconds=milliseconds)
    assert media.length(data) == expected
