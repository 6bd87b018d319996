"""What the formats have in common: the matrix of areas and verdicts, the order of results, and lines set in colour."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from mm7zeep.probe.baseline import Judged
from mm7zeep.probe.results import WORDS, Report, Result, Word

Piece = str | tuple[str, str]
"""A text, or one with its rich style."""

Line = Sequence[Piece]

STYLES: Mapping[Word, str] = MappingProxyType(
    {
        "FAIL": "bold red",
        "HANG": "bold red",
        "ERROR": "bold magenta",
        "WARN": "yellow",
        "INFO": "cyan",
        "SKIP": "dim",
        "PASS": "green",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How text is set: in ``colour`` or not, in so many columns."""

    colour: bool = False
    width: int = 100


def area(id: str) -> str:
    """The first step of an id."""
    return id.partition("/")[0]


def matrix(results: Iterable[Result]) -> dict[str, dict[Word, int]]:
    """How many results of each area have each verdict; areas in their order."""
    found: dict[str, dict[Word, int]] = {}
    for one in results:
        row = found.setdefault(area(one.id), dict.fromkeys(WORDS, 0))
        row[one.verdict] += 1
    return found


def in_order(report: Report) -> list[Result]:
    """The results, the worst first, otherwise as they are."""
    return sorted(report.results, key=lambda one: WORDS.index(one.verdict))


def mark(result: Result, judged: Judged) -> str:
    """What the baseline says of a result, in a sentence; empty where it says nothing."""
    standing = judged.standings.get(result.id)
    return standing.text if standing is not None else ""


def summary(judged: Judged) -> str:
    """The sum in one line: how many cases and common assertions, how many of each verdict, how long it took."""
    report = judged.report
    common = sum(one.common for one in report.results)
    cases = len(report.results) - common
    counts = ", ".join(f"{number} {word}" for word, number in report.count().items() if number)
    text = f"{cases} {'case' if cases == 1 else 'cases'}, {common} common assertions in {report.took:.1f} s: "
    text += counts or "nothing ran"
    kinds = [one.kind for one in judged.standings.values()]
    text += f"; {kinds.count('expected')} expected by the baseline" if kinds else ""
    wrong = len(kinds) - kinds.count("expected")
    return text + (f", {wrong} not as it says" if wrong else "")


def set_lines(lines: Iterable[Line], style: Style) -> str:
    """Lines as one text, coloured where ``style`` says so."""
    if not style.colour:  # rich would add nothing but its loading
        return "".join(
            "".join(one if isinstance(one, str) else one[0] for one in line).rstrip() + "\n" for line in lines
        )
    from rich.console import Console
    from rich.text import Text

    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, color_system="standard", width=max(style.width, 40),
        highlight=False, markup=False, emoji=False, soft_wrap=True,
    )  # fmt: skip
    for line in lines:
        console.print(Text.assemble(*line))
    return out.getvalue()
