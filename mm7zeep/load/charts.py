"""Charts as inline SVG: lines over time and bars over a logarithmic axis; no script, colours by class.

Drawn for a width of 520, so that the words can still be read on a phone. Takes numbers and words of ours alone; words
are escaped all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 520, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 14, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: its name, its colour class, and its points; None where there is nothing, and the line is broken."""

    name: str
    style: str
    points: Sequence[tuple[float, float | None]]
    steps: bool = False


def seconds(value: float) -> str:
    """A duration in words as short as can be: ``12 ms``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return "0" if not value else f"{value * 1e6:.2g} µs"


def nice(highest: float, count: int = 5) -> list[float]:
    """Round numbers from 0 to at least ``highest``, some ``count`` of them."""
    rough = max(highest, 1e-9) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= rough - 1e-12)
    return [number * step for number in range(math.ceil(highest / step - 1e-9) + 1)]


def over_time(label: str, lines: Sequence[Line], *, logarithmic: bool = False, unit: Callable[[float], str]) -> str:
    """Lines over seconds; their y axis from 0, or logarithmic. ``unit`` writes the numbers of the y axis."""
    values = [y for line in lines for _, y in line.points if y is not None]
    times = [x for line in lines for x, _ in line.points]
    x_ticks = nice(max(times, default=1.0) or 1.0)
    right = max(times, default=1.0) or 1.0
    x_ticks = [one for one in x_ticks if one <= right * 1.0001]
    y_ticks = _decades([y for y in values if y > 0]) if logarithmic else nice(max(values, default=1.0) or 1.0)
    place = _height(y_ticks, logarithmic=logarithmic)
    x_of = _scale(0, right, _LEFT, WIDTH - _RIGHT)
    drawn = "".join(_path(line, x_of, place) for line in lines)
    axes = _axes([(x_of(one), f"{one:g}") for one in x_ticks], [(place(one), unit(one)) for one in y_ticks], "seconds")
    return _svg(label, axes + drawn) + _legend(lines)


def bars(label: str, counted: Sequence[tuple[float, int]], marks: Sequence[tuple[str, float]]) -> str:
    """How many fell where, over a logarithmic axis of seconds; ``marks`` are lines with names, drawn across."""
    least = min((one for one, _ in counted if one > 0), default=1e-3)
    binned: dict[int, int] = {}
    for value, count in counted:
        number = math.floor(math.log10(max(value, least)) * _BARS + 1e-9)
        binned[number] = binned.get(number, 0) + count
    numbers = sorted(binned)
    low, high = math.floor(numbers[0] / _BARS), math.ceil((numbers[-1] + 1) / _BARS)
    x_of = _scale(low, high, _LEFT, WIDTH - _RIGHT)
    y_ticks = nice(max(binned.values()))
    y_of = _scale(0, y_ticks[-1], HEIGHT - _BOTTOM, _TOP)
    drawn = "".join(
        f'<rect class="bar" x="{x_of(number / _BARS):.1f}" y="{y_of(count):.1f}" '
        f'width="{x_of((number + 1) / _BARS) - x_of(number / _BARS) - 0.7:.1f}" '
        f'height="{HEIGHT - _BOTTOM - y_of(count):.1f}"><title>{seconds(10 ** (number / _BARS))} to '
        f"{seconds(10 ** ((number + 1) / _BARS))}: {count:,}</title></rect>"
        for number, count in sorted(binned.items())
    )
    for row, (name, value) in enumerate(marks):
        x = x_of(math.log10(max(value, 10.0**low)))
        height = _TOP + 11 + 15 * row  # each on a row of its own: they may stand close together
        side = "end" if x > WIDTH - 60 else "start"
        drawn += (
            f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}"/>'
            f'<text class="label" x="{x + (-3 if side == "end" else 3):.1f}" y="{height}" text-anchor="{side}">'
            f"{escape(name)}</text>"
        )
    x_ticks = [(x_of(power), seconds(10.0**power)) for power in range(low, high + 1)]
    return _svg(label, _axes(x_ticks, [(y_of(one), f"{one:,.0f}") for one in y_ticks], "latency") + drawn)


_BARS = 16
"""Bars to a tenfold."""


def _decades(values: Sequence[float]) -> list[float]:
    """Powers of ten around all values."""
    low = math.floor(math.log10(min(values, default=1e-3)) + 1e-9)
    high = max(low + 1, math.ceil(math.log10(max(values, default=1e-2)) - 1e-9))
    return [10.0**power for power in range(low, high + 1)]


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _height(ticks: Sequence[float], *, logarithmic: bool) -> Callable[[float], float]:
    """Where a value stands between the first and the last tick."""
    if not logarithmic:
        return _scale(0, ticks[-1], HEIGHT - _BOTTOM, _TOP)
    of_power = _scale(math.log10(ticks[0]), math.log10(ticks[-1]), HEIGHT - _BOTTOM, _TOP)
    return lambda value: of_power(math.log10(max(value, ticks[0])))


def _path(line: Line, x_of: Callable[[float], float], y_of: Callable[[float], float]) -> str:
    out, pen = [], False
    for x, y in line.points:
        if y is None:
            pen = False
            continue
        out.append(f"{'L' if pen else 'M'}{x_of(x):.1f} {y_of(y):.1f}")
        if not pen:
            out.append(f"h0.1v{0}")  # a point that stands alone is seen, too
        pen = True
    return f'<path class="line {line.style}" d="{"".join(out)}"/>' if out else ""


def _axes(x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]], below: str) -> str:
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    grid = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>'
        for y, text in y_ticks
    )
    words = "".join(
        f'<text x="{min(x, right):.1f}" y="{bottom + 16}" text-anchor="{"end" if x > right - 20 else "middle"}">'
        f"{escape(text)}</text>"
        for x, text in x_ticks
    )
    return (
        f'{grid}{words}<text class="dim" x="{(_LEFT + right) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{below}</text>'
    )


def _svg(label: str, content: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}"><title>{escape(label)}</title>'
        f"{content}</svg>\n"
    )


def _legend(lines: Sequence[Line]) -> str:
    keys = "".join(f'<li><span class="key {line.style}"></span>{escape(line.name)}</li>' for line in lines)
    return f'<ul class="legend">{keys}</ul>\n'
