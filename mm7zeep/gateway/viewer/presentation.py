"""What the virtual handset plays, as values: a screen with regions, and slides with their items and times.

Every value is bounded and of a form that may go into a style, but for the texts of strangers (``Item.alt``,
``Presentation.missing``), which are for escaping. Refuses nothing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, NamedTuple

from mm7zeep import json_text
from mm7zeep.gateway.viewer.slide_parts import Kind
from mm7zeep.gateway.viewer.slide_values import Length

Fit = Literal["fill", "hidden", "meet", "scroll", "slice"]
Size = Literal["small", "normal", "large"]
Align = Literal["left", "center", "right"]

WIDTH, HEIGHT = 320, 480
"""The screen of a message that names none, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Where items go; what is None was not given. ``z`` is 0 to 1000."""

    left: Length | None = None
    top: Length | None = None
    width: Length | None = None
    height: Length | None = None
    z: int = 0
    fit: Fit | None = None
    background: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What a slide shows: the part ``n``, counted from 0, in the region of that index, from ``begin`` to ``end``.

    Times are seconds from the beginning of the slide; ``length`` is how long a clip plays, where it is known. Colours
    are ``#rrggbb``. ``alt`` is a stranger's text on one line: escape it.
    """

    kind: Kind
    n: int
    content_type: str
    region: int | None = None
    begin: float = 0.0
    end: float | None = None
    length: float | None = None
    alt: str = ""
    color: str | None = None
    background: str | None = None
    size: Size | None = None
    align: Align | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    """Items that are shown together, for ``duration`` seconds; None: until its clips end, or for a while."""

    duration: float | Literal["indefinite"] | None = None
    items: tuple[Item, ...] = ()


class Unplaced(NamedTuple):
    """A part that no slide shows."""

    n: int
    kind: Kind
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """What a handset plays. ``made``: from the parts, since the message has no presentation that shows any of them.

    ``source`` is the number of the part that is the presentation; ``flaw`` says in English why one that came was not
    used. ``missing`` are references as written, on one line: escape them. ``cut``: there was more than is played.
    """

    width: int = WIDTH
    height: int = HEIGHT
    background: str | None = None
    regions: tuple[Region, ...] = ()
    slides: tuple[Slide, ...] = ()
    missing: tuple[str, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    source: int | None = None
    made: bool = False
    flaw: str | None = None
    cut: bool = False

    def as_json(self) -> str:
        """All of it as JSON, for the player; numbers are finite."""
        rows = [one._asdict() for one in self.unplaced]
        return json_text.as_json(dataclasses.asdict(self) | {"unplaced": rows}, allow_nan=False, separators=(",", ":"))
