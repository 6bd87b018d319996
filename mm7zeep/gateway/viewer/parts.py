"""A part of a message for a browser: as octets that cannot act, or as text to be shown escaped.

What a sender called a part decides nothing about how it is served. Knows no request beyond what ``OctetsResponse``
reads of it; raises nothing of its own.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from starlette.responses import Response

from mm7zeep import charsets, media
from mm7zeep.gateway.rest.octets import OctetsResponse
from mm7zeep.gateway.rest.parts import INERT, shown
from mm7zeep.gateway.viewer.previews import Preview
from mm7zeep.messages import Part

_PLAYED = frozenset(
    {"audio/mpeg", "audio/wav", "audio/aac", "audio/mp4", "audio/webm", "video/mp4", "video/webm"}
)  # fmt: skip
_DISPLAYED = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_XML = re.compile(r"application/(?:[^;]*\+)?xml", re.ASCII)
_DECLARED = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_WIDEST = 4  # octets of a character, and of a byte order mark
# Controls but tab and line feed, what reorders or overlays text, what is not to be seen, halves of pairs; not the marks
# and joiners that Arabic, Hebrew, Indic scripts and emoji are written with.
_UNSEEN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
_CHECKED = "private, no-cache"  # a browser keeps it, and asks each time whether it may still be seen


def inline(part: Part, n: int) -> Response:
    """The ``n``-th part, decoded: inline where its octets are a raster image, audio or video, otherwise a download."""
    answer = shown(part, n)
    answer.headers["Cache-Control"] = _CHECKED
    return answer


def picture(preview: Preview) -> Response:
    """A preview, which is no more trusted than the part it was made of."""
    return OctetsResponse(preview.octets, media_type=preview.media_type, headers={**INERT, "Cache-Control": _CHECKED})


def playable(media_type: str) -> bool:
    """Whether Chromium and Safari both have a player for such a file.

    It says nothing of the codecs within: an MP4 with H.263 or AMR, as old handsets sent it, stays silent. AMR, 3GPP,
    MIDI, AU, AVI, MPEG-1, QuickTime and Ogg are for a download.
    """
    row = media.lookup(media_type)
    return row is not None and row.media_type in _PLAYED


def displayable(media_type: str) -> bool:
    """Whether every browser shows such an image as it is; other raster images need a preview."""
    row = media.lookup(media_type)
    return row is not None and row.media_type in _DISPLAYED


@dataclass(frozen=True, slots=True)
class Text:
    """What a part says, to be escaped and shown: the ``charset`` it was read by, and whether the end was ``cut`` off.

    Control characters are symbols (U+2400 to U+2421) or, as what reorders or hides text, written ``[U+202E]``.
    """

    text: str
    charset: str
    cut: bool


def is_text(part: Part) -> bool:
    """Whether a part is to be shown as text: plain, SMIL, HTML, SVG, XML, vCard, calendar; not what holds media."""
    with part.open() as stream:
        found = media.by_content(stream.read(1024))
    if found is not None:
        return found.textual
    row = media.lookup(part.content_type)
    kind = part.content_type.lower()
    return row.textual if row is not None else kind.startswith("text/") or _XML.match(kind) is not None


def text_of(part: Part, most: int) -> Text:
    """The first ``most`` characters of a part, read by its charset, or by what its octets show.

    What cannot be decoded is U+FFFD.
    """
    with part.open() as stream:
        octets = stream.read((most + 2) * _WIDEST + 1)
    more = len(octets) > (most + 2) * _WIDEST
    declared = _DECLARED.match(octets)
    labels = (part.charset, declared[1].decode("ascii") if declared is not None else None)
    found = _first(octets[:-1], labels) if more else charsets.decoded(octets, *labels)
    text = found.text.replace("\r\n", "\n").replace("\r", "\n")
    shown_ = visible(text[: most + 1])
    return Text(shown_[:most], charsets.name_of(found.codec), more or len(shown_) > most)


def visible(text: str) -> str:
    """``text`` with what cannot be seen, or reorders what stands beside it, as symbols."""
    return _UNSEEN.sub(_symbol, text)


def _first(octets: bytes, labels: tuple[str | None, ...]) -> charsets.Decoded:
    """The beginning of a text, decoded without the character that its end may have cut in two."""
    marked = [codec for mark, codec in charsets.MARKS if octets.startswith(mark)]
    named = [charsets.codec(one) or "" for one in labels if one is not None]
    if next(iter((*marked, *named)), "").startswith("utf-16"):
        # half of a pair at the end is not only lost: in the other byte order it may be a character
        octets = octets[:-2] if any(0xD8 <= one <= 0xDB for one in octets[-2:]) else octets
        return charsets.decoded(octets, *labels)
    utf_8 = codecs.getincrementaldecoder("utf-8")()
    try:
        utf_8.decode(octets)
        octets = octets[: len(octets) - len(utf_8.getstate()[0])]
    except UnicodeDecodeError:
        pass  # another charset, or none at all
    return charsets.decoded(octets, *labels)  # by its label, what is cut in two is U+FFFD, behind what is shown


def _symbol(found: re.Match[str]) -> str:
    """What is written for a character that cannot be seen, or should not act."""
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"[U+{code:04X}]"
