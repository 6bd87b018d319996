"""Attributes of a presentation, which strangers write, as values that may go into a style: numbers, units, colours.

What is not of the form, or out of bounds, is None; nothing is ever passed on as written. Refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

from mm7zeep import smil

LARGEST = 4096
"""The largest side of a screen, and the farthest place or size of a region, in pixels."""
LONGEST = 86_400.0
"""The longest time, in seconds."""
MAX_Z = 1000
_PER_CENT = 400  # the largest place or size of a region in per cent

_LENGTH = re.compile(r"(-?[0-9]{1,6}(?:\.[0-9]{1,6})?) ?(px|%)?", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
_HEX = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})", re.IGNORECASE)
_RGB = re.compile(r"rgb\( ?([0-9]{1,3}) ?, ?([0-9]{1,3}) ?, ?([0-9]{1,3}) ?\)", re.IGNORECASE)
# The colours of HTML 4 and CSS 2, which SMIL 2.0 names; and the other spelling of gray
_NAMES: Mapping[str, str] = MappingProxyType({
    "black": "#000000", "silver": "#c0c0c0", "gray": "#808080", "grey": "#808080", "white": "#ffffff",
    "maroon": "#800000", "red": "#ff0000", "purple": "#800080", "fuchsia": "#ff00ff", "green": "#008000",
    "lime": "#00ff00", "olive": "#808000", "yellow": "#ffff00", "navy": "#000080", "blue": "#0000ff",
    "teal": "#008080", "aqua": "#00ffff", "orange": "#ffa500",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """A place or a size: finite, in pixels of the root layout or in per cent of it."""

    value: float
    unit: Literal["px", "%"]

    def of(self, whole: float) -> float:
        """In pixels, where the root layout has ``whole`` of them."""
        return self.value if self.unit == "px" else self.value * whole / 100


def length(written: str | None, *, least: float = 0) -> Length | None:
    """A place or size, at least ``least``; None where it is none or out of bounds."""
    found = _LENGTH.fullmatch(written.strip()) if written else None
    if found is None:
        return None
    value, per_cent = float(found[1]), found[2] == "%"
    if not least <= value <= (_PER_CENT if per_cent else LARGEST):
        return None
    return Length(value=value, unit="%" if per_cent else "px")


def side(written: str | None) -> int | None:
    """A side of the screen in whole pixels, 1 to ``LARGEST``; per cent of a screen that nobody knows is None."""
    found = length(written, least=1)
    return round(found.value) if found is not None and found.unit == "px" else None


def layer(written: str | None) -> int:
    """A z-index, 0 to ``MAX_Z``; 0 where there is none."""
    whole = int(written) if written and _WHOLE.fullmatch(written := written.strip()) else 0
    return max(0, min(whole, MAX_Z))


def colour(written: str | None) -> str | None:
    """A colour as ``#rrggbb`` in lower case: from three or six hexadecimal digits, rgb(), or a name of CSS 2."""
    text = " ".join(written.split()).lower() if written and len(written) <= 40 else ""
    if text in _NAMES:
        return _NAMES[text]
    if found := _HEX.fullmatch(text):
        digits = found[1]
        return f"#{digits}" if len(digits) == 6 else "#" + "".join(one * 2 for one in digits)
    if found := _RGB.fullmatch(text):
        red, green, blue = (min(int(one), 255) for one in found.groups())
        return f"#{red:02x}{green:02x}{blue:02x}"
    return None


def seconds(time: smil.Time, *, least: float = 0.0) -> float | None:
    """A time in seconds, rounded to milliseconds, at most ``LONGEST``; None for one that is not given, indefinite or
    less than ``least``.
    """
    if not isinstance(time, timedelta):
        return None
    found = round(time.total_seconds(), 3)
    return min(found, LONGEST) if found >= least else None


def line(written: str | None, longest: int) -> str:
    """A text of a stranger's on one line, printable, at most ``longest`` characters."""
    head = (written or "")[: longest * 4]
    text = " ".join("".join(one if one.isprintable() else " " for one in head).split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
