"""Slides made for parts that come without a presentation.

Refuses, with ``LocalError``, parts that a ``cid:`` URL cannot name, and sizes or times that show nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from mm7zeep import media
from mm7zeep.errors import LocalError
from mm7zeep.messages import Part

_READ_AT_MOST = 4 * 1024 * 1024  # octets of a clip that are read to learn how long it plays; an MMS is far smaller
_FEW = 20  # parts of a message whose presentation is remembered, so that huge ones do not fill the memory
_TAGS: Mapping[str, str] = MappingProxyType({"image": "img", "video": "video", "audio": "audio", "text": "text"})
_ORDER = ("image", "video", "text", "audio")


def generate(
    parts: Sequence[Part], *, width: int = 320, height: int = 480, duration: timedelta = timedelta(seconds=5)
) -> bytes:
    """A presentation that shows ``parts`` in their order, as UTF-8 without DOCTYPE; equal parts give equal bytes.

    Which parts share a slide:

    1. A picture or video is a visual. Where visuals and texts alternate, each text goes with its neighbour, two by two
       from the left: ``T V``, ``V T``, ``T V T V`` give one, one, two slides. A row of odd length leaves one single:
       its first, where it begins with a text, since a text then belongs to the visual it comes after (``T V T`` is T,
       V+T); its last, where it begins with a visual (``V T V`` is V+T, V). Two of a kind in a row never share.
    2. Audio joins the slide of the text or visual before it, else of the one after it. It never joins a video or
       another audio; then it has a slide of its own.
    3. Presentations, and what a slide cannot show (vCard, calendar, octet-stream and the like), are not mentioned.

    ``width`` and ``height`` are in pixels; pictures take the upper two thirds where there is text, texts the rest. Each
    slide lasts ``duration``, and longer where its clip is known to be longer. A slide whose clip does not tell its
    length (``media.length``) gets no ``dur``, so that the clip is not cut off: it ends with the clip.

    Raises ``LocalError`` for a shown part without a Content-ID, two with the same one, or a size or duration below 1.
    """
    if width < 1 or height < 1:
        raise LocalError(f"a presentation of {width} x {height} pixels cannot show anything; give positive numbers")
    if duration < timedelta(milliseconds=1):
        raise LocalError(f"slides of {duration} cannot be seen; give a duration of at least one millisecond")
    kinds = tuple([media.media_class(part.content_type) for part in parts])
    if len(kinds) > _FEW or "video" in kinds or "audio" in kinds:  # how long they play stands in their octets
        return _written(_arrange(parts), width, height, duration)
    template = _still(kinds, width, height, duration)
    seen: set[str] = set()
    pieces = [template.pieces[0]]
    for at, piece in zip(template.order, template.pieces[1:], strict=True):
        pieces += (_source(parts[at], seen), piece)
    return "".join(pieces).encode()


class _Template(NamedTuple):
    """A presentation of pictures and texts without their addresses: what stands around them, and whose they are."""

    pieces: tuple[str, ...]
    order: tuple[int, ...]


@lru_cache(256)
def _still(kinds: tuple[str, ...], width: int, height: int, duration: timedelta) -> _Template:
    types = {"image": "image/png", "text": "text/plain"}
    parts = [Part(body=b"", content_type=types.get(one, one), content_id=f"{n}") for n, one in enumerate(kinds)]
    whole = _written(_arrange(parts), width, height, duration).decode()
    pieces = re.split(r'(?<= src=)"cid:([0-9]+)"', whole)
    return _Template(tuple(pieces[::2]), tuple(map(int, pieces[1::2])))


def _written(slides: Sequence[Mapping[str, Part]], width: int, height: int, duration: timedelta) -> bytes:
    kinds = {kind for slide in slides for kind in slide}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<smil>", "<head>", "<layout>"]
    lines += _layout(width, height, visual=bool(kinds & {"image", "video"}), text="text" in kinds)
    lines += ["</layout>", "</head>", "<body>"]
    seen: set[str] = set()
    for slide in slides:
        lines += [
            _par(slide, duration),
            *(_element(kind, slide[kind], seen) for kind in _ORDER if kind in slide),
            "</par>",
        ]
    lines += ["</body>", "</smil>", ""]
    return "\n".join(lines).encode()


def _layout(width: int, height: int, *, visual: bool, text: bool) -> Iterator[str]:
    yield f'<root-layout width="{width}" height="{height}"/>'
    above = height * 2 // 3 if text else height
    if visual:
        yield f'<region id="Image" left="0" top="0" width="{width}" height="{above}" fit="meet"/>'
    if text:
        top = above if visual else 0
        yield f'<region id="Text" left="0" top="{top}" width="{width}" height="{height - top}" fit="scroll"/>'


def _arrange(parts: Sequence[Part]) -> list[dict[str, Part]]:
    """The slides, each a part by kind; the rules stand at ``generate``."""
    shown = [(index, media.media_class(part.content_type), part) for index, part in enumerate(parts)]
    still = [entry for entry in shown if entry[1] in ("image", "video", "text")]
    slides: dict[int, dict[str, Part]] = {}  # by the index of the first part, which is also their order
    home: dict[int, dict[str, Part]] = {}
    at = 0
    while at < len(still):
        run = _alternating(still, at)
        single_first = run % 2 and still[at][1] == "text"
        pairs = [1] * bool(single_first) + [2] * (run // 2) + [1] * bool(run % 2 and not single_first)
        for count in pairs:
            group = still[at : at + count]
            slide = slides[group[0][0]] = {kind: part for _, kind, part in group}
            home.update((index, slide) for index, _, _ in group)
            at += count
    for index, kind, part in shown:
        if kind == "audio":
            before = max((i for i in home if i < index), default=None)
            after = min((i for i in home if i > index), default=None)
            beside = (home[i] for i in (before, after) if i is not None)
            free = next((slide for slide in beside if "audio" not in slide and "video" not in slide), None)
            if free is None:
                slides[index] = {"audio": part}
            else:
                free["audio"] = part
    return [slides[index] for index in sorted(slides)]


def _alternating(still: Sequence[tuple[int, str, Part]], at: int) -> int:
    end = at + 1
    while end < len(still) and (still[end][1] == "text") != (still[end - 1][1] == "text"):
        end += 1
    return end - at


def _par(slide: Mapping[str, Part], duration: timedelta) -> str:
    clip = slide.get("video") or slide.get("audio")
    if clip is not None:
        with clip.open() as stream:
            length = media.length(stream.read(_READ_AT_MOST))
        if length is None:
            return "<par>"  # SMIL 2.0 timing: without dur, a par lasts as long as its longest child
        duration = max(duration, length)
    return f'<par dur="{-(-duration // timedelta(milliseconds=1))}ms">'


def _element(kind: str, part: Part, seen: set[str]) -> str:
    region = {"text": ' region="Text"', "audio": ""}.get(kind, ' region="Image"')
    return f"<{_TAGS[kind]} src={_source(part, seen)}{region}/>"


def _source(part: Part, seen: set[str]) -> str:
    """Where a part is found, quoted. Raises ``LocalError`` for one that cannot be named, or whose name was seen."""
    if not part.content_id:
        label = f"{part.content_type} {part.name}" if part.name else part.content_type
        raise LocalError(f"the part {label} has no Content-ID, so that no slide can name it; set content_id")
    if part.content_id in seen:
        raise LocalError(f"two parts have the Content-ID {part.content_id!r}; give each its own (RFC 2045 7)")
    seen.add(part.content_id)
    return quoteattr(cid_url(part.content_id))


def cid_url(content_id: str) -> str:
    """The ``cid:`` URL of a Content-ID given without angle brackets (RFC 2392 2: %-encoded where a URL needs it)."""
    return "cid:" + quote(content_id, safe="!$&'()*+,-./:;=@_~")
