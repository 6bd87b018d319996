"""A presentation that came, as slides, and what it names.

What MMS does not use is ignored, and nothing that is named is fetched. Refuses what ``document`` refuses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from lxml import etree

from mm7zeep.smil.document import tree
from mm7zeep.smil.slides import Item, Presentation, Region, Slide, Time

_MEDIA_TAGS: Mapping[str, str] = MappingProxyType(
    {"image": "img"} | {tag: tag for tag in ("img", "text", "audio", "video", "ref", "animation", "textstream")}
)


def parse(data: bytes, charset: str | None = None) -> Presentation:
    """Read a presentation; elements outside the MMS profile, and those of foreign namespaces, are ignored.

    Any namespace of SMIL will do, and none: an element counts by its local name where its namespace is the root's.
    ``image`` is read as ``img``. ``charset`` is its MIME label, if any. At most ``MAX_BYTES``, ``MAX_DEPTH`` and
    ``MAX_ELEMENTS``.

    Raises ``MimeError``, with the finding ``sem/smil-well-formed``, for what cannot or must not be read.
    """
    root = tree(data, charset)
    namespace = etree.QName(root).namespace
    width = height = background = None
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
            width, height, background = element.get("width"), element.get("height"), _background(element)
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
    return Presentation(width=width, height=height, background=background, regions=tuple(regions), slides=tuple(slides))


def references(data: bytes, charset: str | None = None) -> tuple[str, ...]:
    """What the presentation names and may be a part: each ``src``, ``href`` and ``background-image``, once, in order.

    As written, but for blanks around it and the ``url()`` around a background image. Left out: URLs with a scheme other
    than ``cid`` or with a host (``http://...``, ``//host/x``), since nothing is ever fetched, and bare fragments
    (``#slide2``), which name a place in the presentation. Relative names are kept: senders write Content-Locations,
    file names and Content-IDs without ``cid:``.

    Raises ``MimeError`` as ``parse`` does.
    """
    found: dict[str, None] = {}
    for element in tree(data, charset).iter(etree.Element):
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
    return Region(
        id=name, left=left, top=top, width=width, height=height, fit=fit,
        z_index=element.get("z-index"), background=_background(element),
    )  # fmt: skip


def _background(element: etree._Element) -> str | None:
    return element.get("backgroundColor") or element.get("background-color")  # SMIL 2.0, and SMIL 1.0


def _item(tag: str, element: etree._Element) -> Item:
    begin, end, duration = (_time(element.get(key)) for key in ("begin", "end", "dur"))
    src, region, alt = (element.get(key) for key in ("src", "region", "alt"))
    param = etree.QName(etree.QName(element).namespace, "param")
    parameters = tuple((one.get("name") or "", one.get("value") or "") for one in element.iterchildren(param))
    return Item(
        tag=tag, src=src, region=region, alt=alt, begin=begin, end=end, duration=duration, parameters=parameters
    )


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
