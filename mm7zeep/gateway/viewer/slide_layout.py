"""The screen of a presentation and its regions, of which only those stay that show something on it.

Refuses nothing: a screen or a region that cannot be believed is left out, and items without a region flow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from mm7zeep import smil
from mm7zeep.gateway.viewer import slide_values
from mm7zeep.gateway.viewer.presentation import HEIGHT, WIDTH, Fit, Region
from mm7zeep.gateway.viewer.slide_values import Length

MAX_REGIONS = 50
_NARROWEST = 4  # a screen whose sides differ by more than this factor is not believed
_SMALLEST = 4  # pixels of a region that must be on the screen, either way
_FITS: Mapping[str, Fit] = MappingProxyType(
    {"fill": "fill", "hidden": "hidden", "meet": "meet", "scroll": "scroll", "slice": "slice"}
)


def screen(read: smil.Presentation) -> tuple[int, int]:
    """Width and height in pixels: the root layout's, where it gives none the extent of the regions, else our own."""
    width, height = slide_values.side(read.width), slide_values.side(read.height)
    if width is None or height is None:
        regions = read.regions[:MAX_REGIONS]
        width = width or _extent([(one.left, one.width) for one in regions])
        height = height or _extent([(one.top, one.height) for one in regions])
    if width is None or height is None:
        width, height = width or WIDTH, height or HEIGHT
    believed = width <= _NARROWEST * height and height <= _NARROWEST * width
    return (width, height) if believed else (WIDTH, HEIGHT)


def _extent(spans: Sequence[tuple[str | None, str | None]]) -> int | None:
    ends = []
    for start, size in spans:
        at, long = slide_values.length(start), slide_values.length(size, least=1)
        if long is not None and long.unit == "px" and (at is None or at.unit == "px"):
            ends.append((at.value if at else 0) + long.value)
    return min(round(max(ends)), slide_values.LARGEST) if ends else None


def regions(written: Sequence[smil.Region], width: int, height: int) -> tuple[tuple[Region, ...], Mapping[str, int]]:
    """The regions that are on the screen, and by lower-case name the index of each; of two with one name, the first."""
    found: list[Region] = []
    names: dict[str, int] = {}
    for one in written[:MAX_REGIONS]:
        name = one.id.strip().lower()
        region = Region(
            left=slide_values.length(one.left),
            top=slide_values.length(one.top),
            width=slide_values.length(one.width, least=1),
            height=slide_values.length(one.height, least=1),
            z=slide_values.layer(one.z_index),
            fit=_FITS.get((one.fit or "").strip().lower()),
            background=slide_values.colour(one.background),
        )
        visible = _visible(region.left, region.width, width) and _visible(region.top, region.height, height)
        if name and visible and name not in names:
            names[name] = len(found)
            found.append(region)
    return tuple(found), names


def _visible(start: Length | None, size: Length | None, whole: int) -> bool:
    at = start.of(whole) if start is not None else 0.0
    end = at + size.of(whole) if size is not None else whole
    return min(end, whole) - at >= _SMALLEST
