"""The report for people at a terminal: what failed with requirement, clause, found and the first lines of the exchange,
then areas by verdicts, then the sum. Escapes whatever a peer wrote.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from mm7zeep.probe.baseline import Judged
from mm7zeep.probe.reports import curl, layout, octets
from mm7zeep.probe.results import WORDS, Report, Result, Transmission
from mm7zeep.transport.pages import escaped

if TYPE_CHECKING:
    from mm7zeep.probe.assertion import Common
    from mm7zeep.probe.case import Case

_LINES, _REASONS, _EXCHANGES = 12, 5, 2  # what is shown of a result at most
_LABEL = 13


Detail = Literal["sum", "usual", "every"]
"""How much is shown: the sum alone; what did not pass; what passed and what was skipped as well, a line each."""


def render(judged: Judged, style: layout.Style | None = None, detail: Detail = "usual") -> str:
    """The report on a run."""
    style = style or layout.Style()
    lines = [_sum(judged)] if detail == "sum" else _lines(judged, style, every=detail == "every")
    return layout.set_lines(lines, style)


def result_line(result: Result) -> layout.Line:
    """One result in one line."""
    why = f"  {escaped(result.why)}" if result.why else ""
    return [(result.verdict.ljust(6), layout.STYLES[result.verdict]), (escaped(result.id), "bold"), why]


def catalogue(cases: tuple[Case, ...], common: tuple[Common, ...], style: layout.Style) -> str:
    """The cases, a line each with level, clause and requirement."""
    rows = [(one.id, one.level, one.clause, one.requirement) for one in cases]
    rows += [(one.id, one.level, one.clause, one.requirement) for one in common]
    wide = max((len(one[0]) for one in rows), default=0)
    lines: list[layout.Line] = [
        [(id.ljust(wide), "bold"), f"  {level.ljust(6)}  {requirement} ", (f"[{clause}]", "dim")]
        for id, level, clause, requirement in rows
    ]
    return layout.set_lines([*lines, [], [f"{len(cases)} cases, {len(common)} common assertions"]], style)


def _lines(judged: Judged, style: layout.Style, *, every: bool) -> Iterator[layout.Line]:
    report = judged.report
    yield [("mm7zeep probe ", "bold"), f"{escaped(report.url)}  role {report.role}, seed {report.seed}"]
    yield []
    for one in layout.in_order(report):
        detailed = one.verdict in ("FAIL", "HANG", "ERROR", "WARN") or judged.counts(one)
        if detailed and not judged.excused(one):
            yield from _detail(one, judged, style)
            yield []
        elif every or one.verdict == "INFO" or judged.excused(one):
            yield [*result_line(one), (f"  ({escaped(text)})" if (text := layout.mark(one, judged)) else "", "dim")]
    if every or any(one.verdict == "INFO" or judged.excused(one) for one in report.results):
        yield []
    yield from _matrix(report)
    yield []
    if not every:
        yield from _skipped(report)
    yield _sum(judged)


def _skipped(report: Report) -> Iterator[layout.Line]:
    """For want of what how many cases were skipped, the most first."""
    reasons = Counter(one.skipped for one in report.results if one.verdict == "SKIP" and not one.common)
    for reason, count in sorted(reasons.items(), key=lambda one: (-one[1], one[0])):
        yield [("SKIP  ", layout.STYLES["SKIP"]), f"{count} {'case' if count == 1 else 'cases'}: {escaped(reason)}"]
    if reasons:
        yield []


def _sum(judged: Judged) -> layout.Line:
    return [layout.summary(judged)]


def _detail(one: Result, judged: Judged, style: layout.Style) -> Iterator[layout.Line]:
    style_of = layout.STYLES[one.verdict]
    yield [
        (one.verdict.ljust(6), style_of),
        (escaped(one.id), "bold"),
        f"  {one.level}  ",
        (escaped(one.clause), "dim"),
    ]
    if text := layout.mark(one, judged):
        yield from _labelled("baseline", text, style)
    yield from _labelled("requirement", one.requirement, style)
    if one.common:
        yield from _labelled("asked of", f"{one.seen} answers", style)
    for reason in one.reasons[:_REASONS]:
        yield from _labelled("found", reason.text, style)
        if reason.expected:
            yield from _labelled("expected", reason.expected, style)
        if reason.actual and reason.actual != reason.text:
            yield from _labelled("actual", reason.actual, style)
        if reason.offset is not None:
            yield from _labelled("where", f"octet {reason.offset}", style)
    if len(one.reasons) > _REASONS:
        yield from _labelled("", f"and {len(one.reasons) - _REASONS} more", style)
    for exchange in one.transmissions[:_EXCHANGES]:
        yield from _exchange(exchange, style)
    if len(one.transmissions) > _EXCHANGES:
        yield from _labelled("", f"and {len(one.transmissions) - _EXCHANGES} more exchanges", style)
    if not one.common:
        yield from _labelled("repeat", curl.again(one, judged.report.url, judged.report.role), style)


def _labelled(label: str, text: str, style: layout.Style) -> Iterator[layout.Line]:
    room = max(style.width - _LABEL - 6, 40)
    rows = [row for line in text.split("\n") for row in textwrap.wrap(escaped(line), room) or [""]]
    for number, row in enumerate(rows):
        yield ["      ", ((label if not number else "").ljust(_LABEL), "dim"), row]


def _exchange(one: Transmission, style: layout.Style) -> Iterator[layout.Line]:
    first, second = ("> ", "< ") if one.by == "tool" else ("< ", "> ")
    room = max(style.width - 10, 40)
    for sign, data in ((first, one.sent), (second, one.received)):
        for row in octets.heading(data, _LINES, room) if data else ["nothing"]:
            yield ["      ", (f"{sign}{row}", "dim")]
    told = [one.ended] if one.ended != "whole" else []
    told += [escaped(one.note)] if one.note else []
    if told:
        yield ["      ", (f"  ({'; '.join(told)}, {one.took:.2f} s)", "dim")]


def _matrix(report: Report) -> Iterator[layout.Line]:
    rows = layout.matrix(report.results)
    if not rows:
        return
    wide = max(len("area"), *(len(escaped(one)) for one in rows))
    yield [("area".ljust(wide), "dim"), *((word.rjust(7), layout.STYLES[word]) for word in WORDS)]
    for name, counts in rows.items():
        cells: list[layout.Piece] = [
            (str(counts[word]).rjust(7), layout.STYLES[word]) if counts[word] else "      ." for word in WORDS
        ]
        yield [escaped(name).ljust(wide), *cells]
