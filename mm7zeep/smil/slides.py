"""What a presentation is made of, as far as MMS uses it: regions, slides, and the media objects on them.

Values only, as written; refuses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

MEDIA_TYPE = "application/smil"
"""The media type of a presentation. RFC 4536 wants application/smil+xml; handsets know this one."""

Time = timedelta | Literal["indefinite"] | None
"""A time as SMIL writes it: a span, ``"indefinite"``, or None where none is given or it waits for an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region of the layout, as written; places and sizes are in pixels or per cent."""

    id: str
    left: str | None = None
    top: str | None = None
    width: str | None = None
    height: str | None = None
    fit: str | None = None
    z_index: str | None = None
    background: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One media object: ``tag`` is img, text, audio, video, ref, animation or textstream; ``src`` as written.

    ``parameters`` are its ``param`` elements, names and values as written.
    """

    tag: str
    src: str | None = None
    region: str | None = None
    alt: str | None = None
    begin: Time = None
    end: Time = None
    duration: Time = None
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    """What is shown together: an outermost ``par``, or a media object that stands alone in the body."""

    duration: Time = None
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """A SMIL document as far as MMS uses it; ``width``, ``height`` and ``background`` (a colour) are those of
    root-layout, as written.
    """

    width: str | None = None
    height: str | None = None
    background: str | None = None
    regions: tuple[Region, ...] = ()
    slides: tuple[Slide, ...] = ()
