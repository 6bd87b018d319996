"""A message as its slides: what the virtual handset plays, from the parts and their SMIL presentation.

Presentations come from strangers. References are met with parts of the message and never fetched; attributes become
numbers, units and colours within bounds or are dropped, so that nothing of theirs gets into a style as written. Refuses
nothing: a presentation that cannot be read, or shows nothing, is replaced by one made from the parts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Literal

from mm7zeep import smil
from mm7zeep.errors import MimeError
from mm7zeep.gateway.viewer import slide_layout, slide_parts, slide_values
from mm7zeep.gateway.viewer.presentation import (
    HEIGHT,
    WIDTH,
    Align,
    Item,
    Presentation,
    Size,
    Slide,
    Unplaced,
)  # fmt: skip
from mm7zeep.gateway.viewer.slide_parts import Kind, PartNames
from mm7zeep.messages import Part

MAX_SLIDES, MAX_ITEMS, MAX_MISSING = 200, 400, 50
"""How much is played, slides and items on all of them; and how many references that meet no part are listed."""
SHORTEST_SLIDE = 0.5
"""Seconds: slides change at most twice in one, so that no presentation flashes (WCAG 2.3.1)."""
_LONGEST_ALT, _LONGEST_REFERENCE = 300, 200  # characters
_TEXT, _TEXTS = 20_000, 30_000  # characters shown of a text, and of all texts on all slides

_SIZES: Mapping[str, Size] = MappingProxyType(
    {"small": "small", "normal": "normal", "medium": "normal", "large": "large", "big": "large"}
)
_ALIGNS: Mapping[str, Align] = MappingProxyType(
    {"left": "left", "center": "center", "middle": "center", "right": "right"}
)
# Names of param as senders write them, without "-" and "_", in lower case
_COLOR, _BACKGROUND = ("foregroundcolor", "color", "textcolor", "fontcolor"), ("backgroundcolor", "bgcolor")
_SIZE, _ALIGN = ("textsize", "fontsize"), ("halign", "textalign", "align")
# What the slides are arranged by where they are made, whatever the label is
_ARRANGED: Mapping[Kind, str] = MappingProxyType(
    {"image": "image/png", "text": "text/plain", "audio": "audio/mpeg", "video": "video/mpeg"}
)


class _Message:
    """The parts of a message, with what is found out about each but once."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self.kinds = [slide_parts.kind(part) for part in parts]
        self.types = [slide_parts.content_type(part) for part in parts]
        self.presentations = [n for n, part in enumerate(parts) if smil.is_presentation(part)]
        self.length = cache(self._length)

    def _length(self, n: int) -> float | None:
        return slide_parts.length(self.parts[n]) if self.kinds[n] in ("audio", "video") else None


def presentation(parts: Sequence[Part]) -> Presentation:
    """The slides of a message; its parts are numbered as they come, from 0."""
    message = _Message(parts)
    names = PartNames(parts)
    flaw: str | None = None
    missing: tuple[str, ...] = ()
    for n in message.presentations:
        try:
            read = smil.parse(parts[n].read(), parts[n].charset)
        except MimeError:
            flaw = flaw or "it cannot be read"
            continue
        found = _placed(read, message, names.find, source=n)
        if any(slide.items for slide in found.slides):
            return found
        flaw, missing = flaw or "it shows none of the parts", missing or found.missing
    return dataclasses.replace(_made(message), flaw=flaw, missing=missing)


def texts(parts: Sequence[Part], shown: Presentation) -> Mapping[int, str]:
    """The texts that ``shown`` needs, by part number: at most 20,000 characters each, and 30,000 on all slides."""
    numbers = [item.n for slide in shown.slides for item in slide.items if item.kind == "text"]
    longest = min(_TEXT, _TEXTS // len(numbers)) if numbers else 0
    found: dict[int, str] = {}
    for n in dict.fromkeys(numbers):
        text = parts[n].text().replace("\r\n", "\n").replace("\r", "\n")
        found[n] = text if len(text) <= longest else text[: longest - 1] + "…"
    return found


def _made(message: _Message) -> Presentation:
    """Slides as ``smil.generate`` arranges them, of all parts that are no presentation."""
    numbers = [n for n, kind in enumerate(message.kinds) if kind != "other" and n not in message.presentations]
    named = [
        dataclasses.replace(message.parts[n], content_id=str(n), content_type=_ARRANGED[message.kinds[n]])
        for n in numbers[:MAX_ITEMS]
    ]
    read = smil.parse(smil.generate(named, width=WIDTH, height=HEIGHT))
    found = _placed(read, message, lambda reference: int(reference.removeprefix("cid:")), source=None)
    return dataclasses.replace(found, made=True, cut=found.cut or len(numbers) > MAX_ITEMS)


def _placed(
    read: smil.Presentation, message: _Message, find: Callable[[str], int | None], *, source: int | None
) -> Presentation:
    width, height = slide_layout.screen(read)
    regions, names = slide_layout.regions(read.regions, width, height)
    slides: list[Slide] = []
    missing: dict[str, None] = {}
    count, cut = 0, len(read.slides) > MAX_SLIDES
    for slide in read.slides[:MAX_SLIDES]:
        items: list[Item] = []
        for item in slide.items:
            reference = (item.src or "").strip()
            n = find(reference) if reference else None
            if n is None or n == source:
                if reference:
                    missing[slide_values.line(reference, _LONGEST_REFERENCE)] = None
            elif count + len(items) < MAX_ITEMS:
                region = names.get((item.region or "").strip().lower())
                items.append(_item(item, message, n, region))
            else:
                cut = True
        count += len(items)
        slides.append(Slide(duration=_duration(slide.duration), items=tuple(items)))
    shown = {item.n for slide in slides for item in slide.items}
    return Presentation(
        width=width,
        height=height,
        background=slide_values.colour(read.background),
        regions=regions,
        slides=tuple(slides),
        missing=tuple(missing)[:MAX_MISSING],
        unplaced=tuple(
            Unplaced(n, message.kinds[n], message.types[n])
            for n in range(len(message.parts))
            if n not in shown and n != source
        ),
        source=source,
        cut=cut or len(read.regions) > slide_layout.MAX_REGIONS,
    )


def _duration(time: smil.Time) -> float | Literal["indefinite"] | None:
    if time == "indefinite":
        return "indefinite"
    found = slide_values.seconds(time, least=0.001)
    return max(found, SHORTEST_SLIDE) if found is not None else None


def _item(item: smil.Item, message: _Message, n: int, region: int | None) -> Item:
    begin = slide_values.seconds(item.begin) or 0.0
    duration, end = (slide_values.seconds(one, least=0.001) for one in (item.duration, item.end))
    ends = [begin + duration] if duration is not None else []
    ends += [end] if end is not None and end > begin else []
    parameters = {name.lower().replace("-", "").replace("_", ""): value for name, value in item.parameters[:20]}

    def given(names: Sequence[str]) -> str | None:
        return next((parameters[name] for name in names if name in parameters), None)

    return Item(
        kind=message.kinds[n],
        n=n,
        content_type=message.types[n],
        region=region,
        begin=begin,
        end=round(min(*ends, slide_values.LONGEST), 3) if ends else None,
        length=message.length(n),
        alt=slide_values.line(item.alt, _LONGEST_ALT),
        color=slide_values.colour(given(_COLOR)),
        background=slide_values.colour(given(_BACKGROUND)),
        size=_SIZES.get((given(_SIZE) or "").strip().lower()),
        align=_ALIGNS.get((given(_ALIGN) or "").strip().lower()),
    )
