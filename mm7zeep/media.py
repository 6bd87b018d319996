"""The media-type table of MMS: names, file extensions, magic bytes and compatibility of what a part may hold.

Works on plain bytes and strings and answers with values; it never opens a file and never makes a file name from what a
sender wrote. What it does not know is None or ``application/octet-stream``.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType
from typing import Literal

from mm7zeep import charsets
from mm7zeep.durations import length as length

MediaClass = Literal["text", "image", "audio", "video", "presentation", "other"]
Compatibility = Literal["full", "partial"]
Signature = tuple[tuple[int | None, bytes], ...]
"""(offset, bytes) pairs that must all be there; offset None means anywhere in the first 64 bytes."""

OCTET_STREAM = "application/octet-stream"
HEAD = 64
"""Octets of content that suffice to tell a binary type. Callers pass the first 64, or all where there are fewer."""

_TEXT_HEAD = 1024  # octets looked at for the first element of a text format, behind declarations and comments


@dataclass(frozen=True, slots=True)
class MediaType:
    """One row of the table.

    ``media_class`` is how a handset presents it (``other``: as an attachment, never on a slide). ``compatibility`` is
    the word of the Optus MM7 page, "Known Supported File Formats", None where that page does not list it. ``magic`` are
    alternative signatures, ``marks`` the lower-case beginnings of a text format; ``certain`` says that every file of
    the type has one of them. ``container`` names an outer format that several rows share, ``raster`` marks a pixel
    image.
    """

    media_type: str
    media_class: MediaClass
    _: KW_ONLY
    extensions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    magic: tuple[Signature, ...] = ()
    marks: tuple[bytes, ...] = ()
    compatibility: Compatibility | None = None
    raster: bool = False
    certain: bool = False
    container: str = ""
    textual: bool = False


def _starts(*beginnings: bytes) -> tuple[Signature, ...]:
    return tuple(((0, beginning),) for beginning in beginnings)


def _riff(form: bytes) -> tuple[Signature, ...]:
    return (((0, b"RIFF"), (8, form)),)


def _brands(*brands: bytes) -> tuple[Signature, ...]:
    # ISO 14496-12 4.3: a file type box, its size far below 64 KiB, then the major brand.
    return tuple(((0, b"\0\0"), (4, b"ftyp" + brand)) for brand in brands)


def _atoms(*atoms: bytes) -> tuple[Signature, ...]:
    # QuickTime before 2001 has no ftyp. The zero is the size's first octet: without it "The wide road" would be a film.
    return tuple(((0, b"\0"), (4, atom)) for atom in atoms)


# fmt: off
ROWS = (
    # Images
    MediaType("image/jpeg", "image", extensions=("jpg", "jpeg", "jpe"), aliases=("image/jpg", "image/pjpeg"),
              magic=_starts(b"\xff\xd8\xff"), certain=True, raster=True, compatibility="full"),
    MediaType("image/gif", "image", extensions=("gif",), magic=_starts(b"GIF87a", b"GIF89a"), certain=True, raster=True,
              compatibility="full"),
    MediaType("image/png", "image", extensions=("png",), aliases=("image/x-png",), magic=_starts(b"\x89PNG\r\n\x1a\n"),
              certain=True, raster=True, compatibility="full"),
    # The reserved field keeps a text that begins with "BM" apart.
    MediaType("image/bmp", "image", extensions=("bmp", "dib"),
              aliases=("image/x-ms-bmp", "image/x-bmp", "image/x-windows-bmp"), magic=(((0, b"BM"), (6, b"\0\0\0\0")),),
              raster=True, compatibility="full"),
    MediaType("image/tiff", "image", extensions=("tiff", "tif"), aliases=("image/tif", "image/x-tiff"),
              magic=_starts(b"II*\0", b"MM\0*"), certain=True, raster=True, compatibility="full"),
    MediaType("image/heic", "image", extensions=("heic", "heif"),
              aliases=("image/heif", "image/heic-sequence", "image/heif-sequence"),
              magic=_brands(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), certain=True,
              raster=True, compatibility="partial"),
    MediaType("image/avif", "image", extensions=("avif",), aliases=("image/avif-sequence",),
              magic=_brands(b"avif", b"avis"), certain=True, raster=True),
    MediaType("image/webp", "image", extensions=("webp",), magic=_riff(b"WEBP"), certain=True, raster=True),
    # A wireless bitmap begins with two zero octets and its size: too little to tell it by.
    MediaType("image/vnd.wap.wbmp", "image", extensions=("wbmp",), aliases=("image/x-wap.wbmp",), raster=True),
    MediaType("image/svg+xml", "image", extensions=("svg",), aliases=("image/svg",), marks=(b"<svg", b"<!doctype svg"),
              textual=True),
    # Audio
    MediaType("audio/amr", "audio", extensions=("amr",), aliases=("audio/x-amr", "audio/amr-nb"),
              magic=_starts(b"#!AMR\n", b"#!AMR_MC1.0\n"), certain=True, compatibility="full"),
    MediaType("audio/amr-wb", "audio", extensions=("awb",), aliases=("audio/x-amr-wb",),
              magic=_starts(b"#!AMR-WB\n", b"#!AMR-WB_MC1.0\n"), certain=True),
    # An ID3 tag, or an MPEG layer III frame header.
    MediaType("audio/mpeg", "audio", extensions=("mp3",),
              aliases=("audio/mpeg3", "audio/mp3", "audio/x-mp3", "audio/x-mpeg", "audio/x-mpeg-3", "audio/mpg"),
              magic=_starts(b"ID3\x02", b"ID3\x03", b"ID3\x04", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2",
                            b"\xff\xe3", b"\xff\xe2"),
              compatibility="full"),
    MediaType("audio/midi", "audio", extensions=("mid", "midi"),
              aliases=("audio/mid", "audio/x-midi", "audio/x-mid", "audio/sp-midi"),
              magic=_starts(b"MThd\0\0\0\x06") + _riff(b"RMID"), certain=True, compatibility="full"),
    MediaType("audio/wav", "audio", extensions=("wav",), aliases=("audio/x-wav", "audio/wave", "audio/vnd.wave"),
              magic=_riff(b"WAVE"), certain=True, compatibility="full"),
    # RFC 2046 4.3: audio/basic has no header at all; files (and the Optus page) mean the AU format.
    MediaType("audio/basic", "audio", extensions=("au", "snd"), aliases=("audio/au", "audio/x-au"),
              magic=_starts(b".snd\0\0"), compatibility="full"),
    MediaType("audio/aac", "audio", extensions=("aac",), aliases=("audio/x-aac", "audio/aacp"),
              magic=_starts(b"\xff\xf1", b"\xff\xf9")),
    MediaType("audio/mp4", "audio", extensions=("m4a", "m4b"), aliases=("audio/x-m4a", "audio/m4a", "audio/mp4a-latm"),
              magic=_brands(b"M4A ", b"M4B "), certain=True, container="iso"),
    MediaType("audio/3gpp", "audio", certain=True, container="iso"),
    MediaType("audio/3gpp2", "audio", certain=True, container="iso"),
    MediaType("audio/ogg", "audio", extensions=("ogg", "oga", "opus"),
              aliases=("application/ogg", "audio/x-ogg", "audio/vorbis"), magic=_starts(b"OggS\0"), certain=True,
              container="ogg"),
    MediaType("audio/webm", "audio", extensions=("weba",), certain=True, container="webm"),
    # Video
    MediaType("video/mpeg", "video", extensions=("mpg", "mpeg", "mpe"),
              aliases=("image/mpeg", "video/mpg", "video/x-mpeg"), magic=_starts(b"\0\0\x01\xba", b"\0\0\x01\xb3"),
              compatibility="full"),
    MediaType("video/mp4", "video", extensions=("mp4", "m4v"), aliases=("image/mp4", "video/x-m4v", "video/mp4v-es"),
              magic=_brands(b"iso", b"mp4", b"avc1", b"M4V", b"MSNV", b"mmp4", b"dash"), certain=True, container="iso",
              compatibility="full"),
    MediaType("video/3gpp", "video", extensions=("3gp", "3gpp"), aliases=("image/3gpp", "video/3gp"),
              magic=_brands(b"3gp", b"3gr", b"3gs", b"3ge", b"3gg"), certain=True, container="iso",
              compatibility="full"),
    MediaType("video/3gpp2", "video", extensions=("3g2", "3gpp2"), aliases=("video/3g2",), magic=_brands(b"3g2"),
              certain=True, container="iso"),
    MediaType("video/x-msvideo", "video", extensions=("avi",),
              aliases=("video/msvideo", "video/avi", "application/x-troff-msvideo", "video/vnd.avi"),
              magic=_riff(b"AVI "), certain=True, compatibility="full"),
    MediaType("video/quicktime", "video", extensions=("mov", "qt"),
              aliases=("image/quicktime", "image/mov", "video/mov"),
              magic=_brands(b"qt  ") + _atoms(b"moov", b"mdat", b"wide"), container="iso", compatibility="full"),
    MediaType("video/ogg", "video", extensions=("ogv",), certain=True, container="ogg"),
    MediaType("video/webm", "video", extensions=("webm",), magic=(((0, b"\x1a\x45\xdf\xa3"), (None, b"webm")),),
              certain=True, container="webm"),
    # Text and what is sent beside it
    MediaType("text/plain", "text", extensions=("txt", "text", "asc"), textual=True, compatibility="full"),
    MediaType("text/x-sktxt", "text", aliases=("text/skt-xt",), textual=True),
    MediaType("text/calendar", "other", extensions=("ics", "ical", "ifb", "vcs"),
              aliases=("text/x-vcalendar", "text/x-icalendar"), marks=(b"begin:vcalendar",), certain=True, textual=True,
              compatibility="partial"),
    MediaType("text/vcard", "other", extensions=("vcf", "vcard"), aliases=("text/x-vcard", "text/directory"),
              marks=(b"begin:vcard",), certain=True, textual=True, compatibility="partial"),
    MediaType("text/html", "other", extensions=("html", "htm"), aliases=("application/xhtml+xml",),
              marks=(b"<html", b"<!doctype html"), textual=True),
    MediaType("application/smil", "presentation", extensions=("smil", "smi"),
              aliases=("application/smil+xml", "application/x-smil"), marks=(b"<smil", b"<!doctype smil"),
              textual=True),
    # Other
    MediaType("application/pdf", "other", extensions=("pdf",), aliases=("application/x-pdf",), magic=_starts(b"%PDF-")),
    MediaType("application/zip", "other", extensions=("zip",),
              aliases=("application/x-zip-compressed", "application/x-zip"),
              magic=_starts(b"PK\x03\x04", b"PK\x05\x06")),
    MediaType("application/vnd.oma.drm.message", "other", extensions=("dm",), textual=True),
    MediaType(OCTET_STREAM, "other", extensions=("bin",),
              aliases=("application/x-octet-stream", "binary/octet-stream")),
)
# fmt: on
"""Every type that is known, once."""

_NAMES: Mapping[str, MediaType] = MappingProxyType(
    {name: row for row in ROWS for name in (row.media_type, *row.aliases)}
)
# The rows whose magic bytes may begin with an octet, or do not begin at the first one; no signature takes no octet.
_FIRST: Sequence[tuple[MediaType, ...]] = tuple(
    tuple(row for row in ROWS if any(signature[0][0] != 0 or signature[0][1][0] == octet for signature in row.magic))
    for octet in range(256)
)
_MARKS = tuple(mark for row in ROWS for mark in row.marks)
_EXTENSIONS: Mapping[str, MediaType] = MappingProxyType({end: row for row in ROWS for end in row.extensions})

# The Optus page writes image/mp4 beside MPEG and image/mpeg beside MP4: who follows it sends either under either name.
_CROSSED = frozenset({"image/mp4", "image/mpeg"})
_CROSSED_TYPES = frozenset({"video/mp4", "video/mpeg"})


def _bare(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def lookup(content_type: str) -> MediaType | None:
    """The row for a Content-Type value; aliases and case are understood, parameters ignored."""
    return _NAMES.get(_bare(content_type))


def by_extension(name: str) -> MediaType | None:
    """The row for a file name, by what follows its last dot."""
    _, dot, extension = name.strip().rpartition(".")
    return _EXTENSIONS.get(extension.lower()) if dot else None


def by_content(head: bytes) -> MediaType | None:
    """The row that ``head`` shows by its magic bytes or first words; None where it shows none, as plain text does.

    The first 64 bytes suffice for every binary type; a text format behind a long comment needs up to 1,024.
    """
    for row in _FIRST[head[0]] if head else ():
        for signature in row.magic:
            if _matches(signature, head):
                return row
    start = _PROLOGUE.sub(b"", _narrow(head[:_TEXT_HEAD]), count=1).lower()
    if not start.startswith(_MARKS):
        return None
    return next((row for row in ROWS for mark in row.marks if start.startswith(mark) and _ends(start, len(mark))), None)


def _narrow(head: bytes) -> bytes:
    """The beginning of a text in UTF-16 or UTF-32 as UTF-8; any other as it is."""
    found = next((name for mark, name in charsets.MARKS if head.startswith(mark)), None)
    if found is None and b"\0" in head[:2]:
        zeros = tuple(octet == 0 for octet in head[:4])
        found = _ZEROS.get(zeros) or _ZEROS.get(zeros[:2])
    return head.decode(found, "ignore").encode("utf-8", "ignore") if found else head


# Which octets of the first character, one of ASCII, are zero
_ZEROS: Mapping[tuple[bool, ...], str] = MappingProxyType({
    (True, True, True, False): "utf-32-be", (False, True, True, True): "utf-32-le",
    (True, False): "utf-16-be", (False, True): "utf-16-le",
})  # fmt: skip

# A byte order mark, then white space, declarations and comments, in any order.
_PROLOGUE = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:\s+|<\?xml.*?\?>|<!--.*?-->)*+", re.DOTALL)


def _ends(text: bytes, at: int) -> bool:
    """Whether a word ends there, so that ``<smiling>`` is no SMIL."""
    return not text[at : at + 1].isalnum()


def _matches(signature: Signature, head: bytes) -> bool:
    for offset, expected in signature:
        if offset is None:
            if expected not in head[:HEAD]:
                return False
        elif not head.startswith(expected, offset):
            return False
    return True


def guess(name: str | None, head: bytes) -> str:
    """The media type of a content called ``name`` that begins with ``head``.

    Content wins over the extension, since a handset refuses what it cannot decode whatever it is called. The extension
    decides where content cannot: among types of one container (``.m4a`` and ``.mp4``), among texts, and for types
    without magic bytes. UTF-8 text is ``text/plain``; a name that promises magic bytes which are not there, and
    anything else, is ``application/octet-stream``.
    """
    named = by_extension(name) if name else None
    found = by_content(head)
    if found is not None:
        shared = named is not None and found.container and named.container == found.container
        return named.media_type if named is not None and shared else found.media_type
    if head and (_is_text(head) or _is_marked_text(head)):
        return named.media_type if named is not None and named.textual and not named.certain else "text/plain"
    if named is None or (named.certain and head):
        return OCTET_STREAM
    if named.textual and b"\0" in head and not _is_wide_text(head):
        return OCTET_STREAM
    return named.media_type


_NO_TEXT = ("Cn", "Co")  # characters that nobody has assigned, or only somebody
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\f\r\x1b") | {127}


def _is_text(head: bytes) -> bool:
    """Whether ``head`` is UTF-8 without control characters; a character cut off at its end is no fault."""
    if not _CONTROLS.isdisjoint(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD)
    except UnicodeDecodeError:
        return False
    return True


def _is_wide_text(head: bytes) -> bool:
    """Whether ``head`` is text in UTF-16 or UTF-32, with a byte order mark or, as far as its NULs show it, without."""
    return _narrow(head) is not head and _is_text(_narrow(head))


def _is_marked_text(head: bytes) -> bool:
    """Whether ``head`` is text behind a byte order mark of UTF-16 or UTF-32, and not octets that begin like one."""
    mark, name = next((one for one in charsets.MARKS[1:] if head.startswith(one[0])), (b"", ""))
    if not name:
        return False
    octets = head[len(mark) : len(head) // 4 * 4] if len(head) >= HEAD else head[len(mark) :]
    whole = next((one for one in (octets, octets[:-2]) if charsets.decodes(one, name)), None)
    return whole is not None and all(unicodedata.category(one) not in _NO_TEXT for one in whole.decode(name))


def may_be_text(head: bytes) -> bool:
    """Whether ``head``, which is not UTF-8, looks like text all the same: letters of ASCII, or pairs of high octets."""
    if not head or not _CONTROLS.isdisjoint(head):
        return False
    words = sum(octet in b" \r\n" or chr(octet).isalnum() for octet in head if octet < 128)
    return words * 2 >= len(head) or (len(head) >= 8 and _PAIRS.fullmatch(head) is not None)


_PAIRS = re.compile(rb"(?:[\x20-\x7e\r\n]|[\xa1-\xfe]{2})++[\xa1-\xfe]?")


def agrees(content_type: str, head: bytes) -> bool | None:
    """Whether content that begins with ``head`` is what ``content_type`` says; None where that cannot be told.

    It cannot be told for an unknown type, ``application/octet-stream``, empty content, types of one container (the
    major brand of an MP4 does not say whether there is a picture), and text that is not UTF-8.
    """
    declared = lookup(content_type)
    if declared is None or declared.media_type == OCTET_STREAM or not head:
        return None
    found = by_content(head)
    if found is None:
        if declared.certain:
            return False
        plain = declared.media_class == "text" and _is_text(head)
        return True if plain else None
    if found is declared or (_bare(content_type) in _CROSSED and found.media_type in _CROSSED_TYPES):
        return True
    if declared.container and declared.container == found.container:
        return None
    # Weak signs prove nothing against each other: raw audio/basic may begin like an MP3 frame, AAC with an ID3 tag.
    if declared.media_class == found.media_class and not declared.certain and not found.certain:
        return None
    return declared.media_class == "text" and found.textual


def media_class(content_type: str) -> MediaClass:
    """How a handset presents a part; an unknown type is taken by its ``image/``, ``audio/`` or ``video/``, if any."""
    row = lookup(content_type)
    if row is not None:
        return row.media_class
    match _bare(content_type).partition("/")[0]:
        case "image":
            return "image"
        case "audio":
            return "audio"
        case "video":
            return "video"
    return "other"


def is_presentation(content_type: str) -> bool:
    """Whether the part is a SMIL presentation, under any of its names."""
    return media_class(content_type) == "presentation"


def safe_name(content_type: str, index: int) -> str:
    """A file name made from type and position alone, such as ``part-001.gif``; nothing of the sender's goes into it.

    Raises ``ValueError`` for a negative ``index``.
    """
    if index < 0:
        raise ValueError(f"index {index} is negative")
    row = lookup(content_type)
    return f"part-{index:03d}.{row.extensions[0] if row is not None and row.extensions else 'bin'}"


def viewable(head: bytes) -> MediaType | None:
    """The row of content that begins with ``head``, where its magic bytes show an image, audio or video that a browser
    may be given; None for anything else.
    """
    found = by_content(head)
    if found is None or not found.magic:
        return None
    return found if found.raster or found.media_class in ("audio", "video") else None


def file_name(content_type: str, head: bytes, index: int) -> str:
    """``safe_name`` of a part that begins with ``head``: by what it is, where that is viewable, else by its type."""
    found = viewable(head)
    return safe_name(found.media_type if found is not None else content_type, index)
