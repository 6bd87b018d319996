"""Slides to and from the MMS profile of SMIL 2.0 (OMA MMS conformance document), and which parts a presentation names.

Nothing is ever fetched, and no entity is ever expanded: a DOCTYPE without an internal subset is dropped unread, one
with an internal subset is refused. Refuses, with ``MimeError``, what is not well-formed, not SMIL, or beyond the limits
below; and, with ``LocalError``, to generate slides for parts that a ``cid:`` URL cannot name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from lxml import etree

from mm7zeep import media
from mm7zeep.errors import LocalError, MimeError
from mm7zeep.findings import finding
from mm7zeep.messages import Part

MEDIA_TYPE = "application/smil"
"""The media type of a presentation. RFC 4536 wants application/smil+xml; handsets know this one."""

MAX_BYTES = 256 * 1024
MAX_DEPTH = 64
MAX_ELEMENTS = 5_000

Time = timedelta | Literal["indefinite"] | None
"""A time as SMIL writes it: a span, ``"indefinite"``, or None where none is given or it waits for an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region of the layout; places and sizes as written, in pixels or per cent."""

    id: str
    left: str | None = None
    top: str | None = None
    width: str | None = None
    height: str | None = None
    fit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One media object: ``tag`` is img, text, audio, video, ref, animation or textstream; ``src`` as written."""

    tag: str
    src: str | None = None
    region: str | None = None
    alt: str | None = None
    begin: Time = None
    end: Time = None
    duration: Time = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    """What is shown together: an outermost ``par``, or a media object that stands alone in the body."""

    duration: Time = None
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """A SMIL document as far as MMS uses it; ``width`` and ``height`` are those of root-layout, as written."""

    width: str | None = None
    height: str | None = None
    regions: tuple[Region, ...] = ()
    slides: tuple[Slide, ...] = ()


# --- writing --------------------------------------------------------------------------------------------------------

_READ_AT_MOST = 4 * 1024 * 1024  # octets of a clip that are read to learn how long it plays; an MMS is far smaller
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
    slides = _arrange(parts)
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
    """The slides, each a part by kind; the rules are told at ``generate``."""
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
    if not part.content_id:
        label = f"{part.content_type} {part.name}" if part.name else part.content_type
        raise LocalError(f"the part {label} has no Content-ID, so that no slide can name it; set content_id")
    if part.content_id in seen:
        raise LocalError(f"two parts have the Content-ID {part.content_id!r}; give each its own (RFC 2045 7)")
    seen.add(part.content_id)
    region = {"text": ' region="Text"', "audio": ""}.get(kind, ' region="Image"')
    return f"<{_TAGS[kind]} src={quoteattr(cid_url(part.content_id))}{region}/>"


def cid_url(content_id: str) -> str:
    """The ``cid:`` URL of a Content-ID given without angle brackets (RFC 2392 2: %-encoded where a URL needs it)."""
    return "cid:" + quote(content_id, safe="!$&'()*+,-./:;=@_~")


# --- reading --------------------------------------------------------------------------------------------------------

_MEDIA_TAGS: Mapping[str, str] = MappingProxyType(
    {"image": "img"} | {tag: tag for tag in ("img", "text", "audio", "video", "ref", "animation", "textstream")}
)


def parse(data: bytes) -> Presentation:
    """Read a presentation; elements outside the MMS profile, and those of foreign namespaces, are ignored.

    Any namespace of SMIL will do, and none: an element counts by its local name where its namespace is the root's.
    ``image`` is read as ``img``. At most ``MAX_BYTES``, ``MAX_DEPTH`` and ``MAX_ELEMENTS``.

    Raises ``MimeError``, with the finding ``sem/smil-well-formed``, for what cannot or must not be read.
    """
    root = _tree(data)
    namespace = etree.QName(root).namespace
    width = height = None
    regions: list[Region] = []
    slides: list[Slide] = []
    outer: etree._Element | None = None  # the outermost par that is being read, if any
    items: list[Item] = []
    for event, element in etree.iterwalk(root, events=("start", "end")):
        name = etree.QName(element)
        if name.namespace != namespace:
            continue
        tag = name.localname
        if event == "end":
            if outer is not None and element is outer:
                slides.append(Slide(duration=_time(element.get("dur")), items=tuple(items)))
                outer, items = None, []
        elif tag == "root-layout":
            width, height = element.get("width"), element.get("height")
        elif tag == "region":
            regions.append(_region(element))
        elif tag == "par" and outer is None:
            outer = element
        elif tag in _MEDIA_TAGS:
            item = _item(_MEDIA_TAGS[tag], element)
            if outer is not None:
                items.append(item)
            else:
                slides.append(Slide(duration=item.duration, items=(item,)))
    return Presentation(width=width, height=height, regions=tuple(regions), slides=tuple(slides))


def references(data: bytes) -> tuple[str, ...]:
    """What the presentation names and may be a part: each ``src``, ``href`` and ``background-image``, once, in order.

    As written, but for blanks around it and the ``url()`` around a background image. Left out: URLs with a scheme other
    than ``cid`` or with a host (``http://...``, ``//host/x``), since nothing is ever fetched, and bare fragments
    (``#slide2``), which name a place in the presentation. Relative names are kept: senders write Content-Locations,
    file names and Content-IDs without ``cid:``.

    Raises ``MimeError`` as ``parse`` does.
    """
    found: dict[str, None] = {}
    for element in _tree(data).iter(etree.Element):
        for name, value in element.items():
            local, written = etree.QName(name).localname, str(value).strip()
            if local in _NAMING:
                reference = _unwrapped(written) if local.startswith("background") else written
                if reference and not reference.startswith(("//", "#")) and not _FOREIGN.match(reference):
                    found[reference] = None
    return tuple(found)


_NAMING = frozenset({"src", "href", "background-image", "backgroundImage"})
_FOREIGN = re.compile(r"(?!cid:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_CSS_URL = re.compile(r"""url\(\s*(["']?)(.*?)\1\s*\)""", re.IGNORECASE | re.DOTALL)


def _unwrapped(value: str) -> str:
    if match := _CSS_URL.fullmatch(value):
        return match[2].strip()
    return "" if value.lower() in ("none", "inherit", "transparent") else value


def _region(element: etree._Element) -> Region:
    # SMIL 2.0 names regions by regionName or id; MMS by id.
    name = (
        element.get("id") or element.get("regionName") or element.get("{http://www.w3.org/XML/1998/namespace}id") or ""
    )
    left, top, width, height, fit = (element.get(key) for key in ("left", "top", "width", "height", "fit"))
    return Region(id=name, left=left, top=top, width=width, height=height, fit=fit)


def _item(tag: str, element: etree._Element) -> Item:
    begin, end, duration = (_time(element.get(key)) for key in ("begin", "end", "dur"))
    src, region, alt = (element.get(key) for key in ("src", "region", "alt"))
    return Item(tag=tag, src=src, region=region, alt=alt, begin=begin, end=end, duration=duration)


# SMIL 2.0 clock values: 1:02:03.5, 02:03.5, 3.5h, 3.5min, 3.5s, 3500ms, 3.5
_CLOCK = re.compile(
    r"\+?(?:(?:(\d{1,9}):)?([0-5]?\d):([0-5]?\d(?:\.\d{1,9})?)|(\d{1,12}(?:\.\d{1,9})?)\s*(h|min|s|ms)?)", re.ASCII
)
_UNITS: Mapping[str | None, float] = MappingProxyType({None: 1, "s": 1, "ms": 0.001, "min": 60, "h": 3600})


def _time(value: str | None) -> Time:
    if value is None:
        return None
    value = value.strip()
    if value == "indefinite":
        return "indefinite"
    match = _CLOCK.fullmatch(value)
    if match is None:
        return None
    hours, minutes, seconds, count, unit = match.groups()
    try:
        if count is not None:
            return timedelta(seconds=float(count) * _UNITS[unit])
        return timedelta(hours=int(hours or 0), minutes=int(minutes), seconds=float(seconds))
    except OverflowError:
        return None


# --- the hardened parser ----------------------------------------------------------------------------------------------

# Encodings whose text is decoded here, so that what is scanned for a DOCTYPE is what is parsed.
_ENCODINGS = frozenset(
    {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "latin1", "windows-1252", "euc-kr",
     "ks_c_5601-1987", "ksc5601", "cp949", "gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc-jp"}
)  # fmt: skip
_PYTHON_NAMES: Mapping[str, str] = MappingProxyType({"ksc5601": "cp949", "ks_c_5601-1987": "cp949", "euc-kr": "cp949"})
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*?\?>")
_DECLARED = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_PROLOGUE = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_DOCTYPE = re.compile(r"""<!DOCTYPE(?:[^\[>"']++|"[^"]*+"|'[^']*+')*+>""", re.IGNORECASE)


def _refused(reason: str) -> MimeError:
    return MimeError(
        f"the SMIL presentation {reason}", [finding("sem/smil-well-formed", detail=reason, action="refused")]
    )


def _tree(data: bytes) -> etree._Element:
    if len(data) > MAX_BYTES:
        raise _refused(f"has {len(data)} octets, more than {MAX_BYTES}")
    text = _without_doctype(_decoded(data))
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False,
        remove_comments=True, remove_pis=True, encoding="utf-8",
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _refused(f"is not well-formed: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _refused("declares a document type")
    _within_limits(root)
    if etree.QName(root).localname != "smil":
        raise _refused(f"has the root element {etree.QName(root).localname}, not smil")
    return root


def _decoded(data: bytes) -> str:
    """The text, by its byte order mark, else by its XML declaration (XML 1.0 F.1), else as UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:
        declared = _DECLARED.match(data.removeprefix(b"\xef\xbb\xbf")[:200])
        encoding = declared[1].decode("ascii").lower() if declared else "utf-8"
        if encoding.startswith("utf-16"):
            encoding = "utf-8"  # the declaration could be read octet by octet, so that it is not true
        elif encoding not in _ENCODINGS:
            raise _refused(f"declares the encoding {encoding}, which is not accepted; send UTF-8")
    try:
        return data.decode(_PYTHON_NAMES.get(encoding, encoding)).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _refused(f"is not {encoding}: {error.reason} at octet {error.start}") from error


def _without_doctype(text: str) -> str:
    """The document without XML declaration and DOCTYPE. Only the prologue can hold one; no more of it is looked at."""
    declaration = _DECLARATION.match(text)
    text = text[declaration.end() :] if declaration else text.lstrip()
    start = _doctype_at(text)
    if start is None:
        return text
    doctype = _DOCTYPE.match(text, start)
    if doctype is None:
        raise _refused("has a DOCTYPE with an internal subset (entities), or one without end")
    text = text[:start] + text[doctype.end() :]
    if _doctype_at(text) is not None:
        raise _refused("has two DOCTYPEs")
    return text


def _doctype_at(text: str) -> int | None:
    prologue = _PROLOGUE.match(text)
    start = prologue.end() if prologue else 0
    return start if text[start : start + 9].upper() == "<!DOCTYPE" else None


def _within_limits(root: etree._Element) -> None:
    depth = elements = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        elements += event == "start"
        if depth > MAX_DEPTH:
            raise _refused(f"nests elements more than {MAX_DEPTH} deep")
        if elements > MAX_ELEMENTS:
            raise _refused(f"has more than {MAX_ELEMENTS} elements")
