"""Draw docs/explanation/rooms.svg: the floors and rooms of the package, from the table that tests/test_layers.py holds it to.

Run it with the tests on the path: ``PYTHONPATH=.:tests python docs/make_rooms.py``. A test fails where it is out of date.
"""

from __future__ import annotations

from pathlib import Path

from test_layers import FLOORS

TARGET = Path(__file__).parent / "explanation" / "rooms.svg"

_WIDTH, _HIGH, _GAP, _LEFT, _LETTER = 920, 26, 8, 44, 7.2
_COLOURS = {"gateway": "#d9ecf7", "conformance": "#e6f2dc", "exchange": "#fbeecb"}
"""The fill of a room by the first word of its name; of all others white."""


def text() -> str:
    """The whole drawing: the lowest floor at the bottom; a room imports from floors below its own alone."""
    rows = [(floor, line) for floor, rooms in enumerate(FLOORS) for line in reversed(_lines(rooms))]
    height = len(rows) * (_HIGH + _GAP) + 2 * _GAP
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
        ' font-family="ui-monospace, monospace" font-size="12">',
        "<title>The floors of mm7zeep: each room imports only from floors below it</title>",
        f'<rect width="{_WIDTH}" height="{height}" rx="6" fill="#fff"/>',
    ]
    for place, (floor, line) in enumerate(rows):
        top = height - _GAP - (place + 1) * (_HIGH + _GAP) + _GAP // 2
        drawn.append(f'<text x="12" y="{top + 17}" fill="#666">{floor}</text>')
        left = float(_LEFT)
        for room in line:
            wide = _wide(room)
            fill = _COLOURS.get(room.partition(".")[0], "#fff")
            drawn.append(
                f'<rect x="{left:g}" y="{top}" width="{wide:g}" height="{_HIGH}" rx="4" fill="{fill}" stroke="#8a8a8a"/>'
                f'<text x="{left + 8:g}" y="{top + 17}" fill="#111">{room}</text>'
            )
            left += wide + _GAP
    return "\n".join([*drawn, "</svg>", ""])


def _wide(room: str) -> float:
    return round(len(room) * _LETTER + 16, 1)


def _lines(rooms: tuple[str, ...]) -> list[list[str]]:
    """The rooms of one floor, on as many lines as they need."""
    lines: list[list[str]] = [[]]
    left = float(_LEFT)
    for room in rooms:
        if left + _wide(room) > _WIDTH - _GAP and lines[-1]:
            lines.append([])
            left = float(_LEFT)
        lines[-1].append(room)
        left += _wide(room) + _GAP
    return lines


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
