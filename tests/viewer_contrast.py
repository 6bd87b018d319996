"""The colours of the viewer's style sheet, and how well each pair that is seen together can be told apart (WCAG 2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

TEXT, CONTROL = 4.5, 3.0
"""What WCAG 2 asks for: 1.4.3 for text, 1.4.11 for the borders of controls and for the focus."""

PAIRS = (
    ("text on the page", "fg", "bg", TEXT),
    ("text on a card", "fg", "card", TEXT),
    ("text on a line under the pointer", "fg", "hover", TEXT),
    ("text on a chip, the page one is at", "fg", "plain-bg", TEXT),
    ("text of an error", "fg", "danger-bg", TEXT),
    ("text of a notice", "fg", "ok-bg", TEXT),
    ("text of an alarm", "fg", "warn-bg", TEXT),
    ("code", "fg", "code-bg", TEXT),
    ("muted text on the page", "muted", "bg", TEXT),
    ("muted text on a card", "muted", "card", TEXT),
    ("muted text on a line under the pointer", "muted", "hover", TEXT),
    ("kind of a message without a picture", "muted", "plain-bg", TEXT),
    ("link on the page", "accent", "bg", TEXT),
    ("link on a card", "accent", "card", TEXT),
    ("link on a line under the pointer", "accent", "hover", TEXT),
    ("link in an alarm", "accent", "warn-bg", TEXT),
    ("main button, chosen filter", "accent-fg", "accent", TEXT),
    ("button that deletes", "danger", "card", TEXT),
    ("button that deletes, under the pointer", "danger", "hover", TEXT),
    ("chip of a good state", "ok", "ok-bg", TEXT),
    ("chip of a bad state", "danger", "danger-bg", TEXT),
    ("chip of a state that waits", "waits", "waits-bg", TEXT),
    ("border of a field or button on a card", "edge", "card", CONTROL),
    ("border of a button on the page", "edge", "bg", CONTROL),
    ("border of a button that deletes", "danger", "card", CONTROL),
    ("frame of the focus on the page", "accent", "bg", CONTROL),
    ("frame of the focus on a card", "accent", "card", CONTROL),
    ("mark of an unopened message", "accent", "card", CONTROL),
    ("moment that went well", "ok", "card", CONTROL),
    ("moment that went wrong", "danger", "card", CONTROL),
    ("moment that waits", "waits", "card", CONTROL),
)
"""What is seen, the properties of its colour and of the colour behind it, and the least contrast."""

_SCHEMES = re.compile(r":root \{(.*?)\}", re.DOTALL)
_PROPERTY = re.compile(r"--([a-z-]+):\s*#([0-9a-f]{6});")


@dataclass(frozen=True)
class Row:
    """A pair with its contrast in light and in dark."""

    what: str
    colour: str
    behind: str
    least: float
    light: float
    dark: float


def rows(style: str) -> list[Row]:
    """The pairs as the style sheet has them. Raises ``KeyError`` for a colour that it does not have."""
    light, dark = (dict(_PROPERTY.findall(one)) for one in _SCHEMES.findall(style))
    return [
        Row(what, colour, behind, least, contrast(light, colour, behind), contrast({**light, **dark}, colour, behind))
        for what, colour, behind, least in PAIRS
    ]


def contrast(colours: Mapping[str, str], colour: str, behind: str) -> float:
    """The contrast ratio of WCAG 2, rounded down to a tenth."""
    darker, lighter = sorted((_luminance(colours[colour]), _luminance(colours[behind])))
    return int((lighter + 0.05) / (darker + 0.05) * 10) / 10


def _luminance(text: str) -> float:
    parts = [int(text[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def table(style: str) -> str:
    """The rows as a table of Markdown."""
    lines = ["| What | Colour on colour | At least | Light | Dark |", "|---|---|---|---|---|"]
    for row in rows(style):
        pair = f"`--{row.colour}` on `--{row.behind}`"
        lines.append(f"| {row.what} | {pair} | {row.least:g} | {row.light:.1f} | {row.dark:.1f} |")
    return "\n".join(lines)
