"""Several reports side by side, as text, JSON, HTML or Markdown: of two, what changed; of more, the matrix as well."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from mm7zeep import json_text
from mm7zeep.probe.compare import KINDS, Change, Comparison
from mm7zeep.probe.reports import layout
from mm7zeep.probe.reports.page import page, shown, word
from mm7zeep.probe.results import WORDS, Result
from mm7zeep.transport.pages import escaped

_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "worse": "Became worse",
        "better": "Became better",
        "changed": "Changed",
        "new": "New",
        "gone": "Not judged any more",
    }
)


def as_text(found: Comparison, style: layout.Style | None = None) -> str:
    """For people at a terminal."""
    return layout.set_lines(_lines(found), style or layout.Style())


def as_json(found: Comparison, style: layout.Style | None = None) -> str:
    """For programs: ``reports``, ``changes`` from the first to the last, ``matrix`` of verdicts by id."""
    said = {
        "reports": [
            {"name": name, "url": one.url, "role": one.role, "started": one.started, "count": one.count()}
            for name, one in zip(found.names, found.reports, strict=True)
        ],
        "worse": found.worse,
        "changes": [
            {
                "id": one.id,
                "kind": one.kind,
                "before": _verdict(one.before),
                "after": _verdict(one.after),
                "why": _why(one),
            }
            for one in found.changes()
        ],
        "matrix": {id: [_verdict(one) for one in row] for id, row in found.rows().items()},
    }
    return json_text.as_json(said, indent=1) + "\n"


def as_markdown(found: Comparison, style: layout.Style | None = None) -> str:
    """For a page of documentation or a merge request."""
    lines = ["# MM7 probe, side by side", ""]
    lines += [f"{n}. {_cell(text)}" for n, text in enumerate(_labels(found), 1)] + [""]
    if len(found.reports) == 2:
        lines += [f"{_sum(found)}.", ""]
        for kind in KINDS:
            rows = [one for one in found.changes() if one.kind == kind]
            if rows:
                lines += [f"## {_TITLES[kind]}", "", "| Case | Before | After | Why |", "|---|---|---|---|"]
                for one in rows:
                    verdicts = f"{_verdict(one.before) or '-'} | {_verdict(one.after) or '-'}"
                    lines.append(f"| {_cell(one.id)} | {verdicts} | {_cell(_why(one))} |")
                lines += [""]
    numbers = " | ".join(str(n) for n in range(1, len(found.reports) + 1))
    rule = "|---" * (len(found.reports) + 1)
    lines += ["## All cases", "", f"| Case | {numbers} |", f"{rule}|"]
    for id, row in found.rows().items():
        lines.append(f"| {_cell(id)} | {' | '.join(_verdict(one) or '-' for one in row)} |")
    sums = [report.count() for report in found.reports]
    lines += [f"| **{one}** | {' | '.join(str(count[one]) for count in sums)} |" for one in WORDS]
    return "\n".join(lines) + "\n"


def as_html(found: Comparison, style: layout.Style | None = None) -> str:
    """One page, which reads without JavaScript."""
    return page("mm7zeep compare", "".join(_body(found)))


Writer = Callable[[Comparison, layout.Style | None], str]

WRITERS: Mapping[str, Writer] = MappingProxyType(
    {"text": as_text, "json": as_json, "html": as_html, "markdown": as_markdown}
)
"""Every format of ``compare --format``, by name."""


# --- pieces -----------------------------------------------------------------------------------------------------------


def _verdict(one: Result | None) -> str:
    return one.verdict if one is not None else ""


def _why(change: Change) -> str:
    return change.after.why if change.after is not None else ""


def _labels(found: Comparison) -> list[str]:
    return [
        f"{name}: {one.url}, role {one.role}, {one.started}, mm7zeep {one.version}"
        for name, one in zip(found.names, found.reports, strict=True)
    ]


def _sum(found: Comparison) -> str:
    kinds = [one.kind for one in found.changes()]
    told = [f"{kinds.count(one)} {one}" for one in KINDS if kinds.count(one)]
    return ", ".join(told) or "no verdict changed"


def _lines(found: Comparison) -> Iterator[layout.Line]:
    for number, text in enumerate(_labels(found), 1):
        yield [(f"{number}  ", "bold"), escaped(text)]
    yield []
    if len(found.reports) == 2:
        for one in found.changes():
            before = ((_verdict(one.before) or "-").ljust(5), _style(one.before))
            after = ((_verdict(one.after) or "-").ljust(6), _style(one.after))
            why = f"  {escaped(_why(one))}" if _why(one) else ""
            yield [one.kind.ljust(8), before, " -> ", after, (escaped(one.id), "bold"), why]
        if found.changes():
            yield []
        yield [_sum(found)]
        return
    wide = max((len(escaped(id)) for id in found.ids), default=4)
    yield [("case".ljust(wide), "dim"), *(str(n).rjust(7) for n in range(1, len(found.reports) + 1))]
    for id, row in found.rows().items():
        yield [escaped(id).ljust(wide), *(((_verdict(one) or "-").rjust(7), _style(one)) for one in row)]
    yield []
    for verdict in WORDS:
        counts = (str(one.count()[verdict]).rjust(7) for one in found.reports)
        yield [(verdict.ljust(wide), layout.STYLES[verdict]), *counts]


def _style(one: Result | None) -> str:
    return layout.STYLES[one.verdict] if one is not None else "dim"


def _cell(text: str) -> str:
    """A text of somebody's in a Markdown table: no markup, no new cell, no new line."""
    return re.sub(r"([\\`*_\[\]<>|#&!~$@])", r"\\\1", escaped(text))


def _body(found: Comparison) -> Iterator[str]:
    yield "<h1>MM7 probe, side by side</h1>\n<ol>"
    yield "".join(f"<li>{shown(text)}</li>" for text in _labels(found)) + "</ol>\n"
    if len(found.reports) == 2:
        yield f"<p>{_sum(found)}</p>\n"
        for kind in KINDS:
            rows = [one for one in found.changes() if one.kind == kind]
            if rows:
                yield f"<h2>{_TITLES[kind]}</h2>\n" + _table(
                    f"Cases: {_TITLES[kind]}",
                    ("Case", "Before", "After", "Why"),
                    ((shown(one.id), _word(one.before), _word(one.after), shown(_why(one))) for one in rows),
                )
    numbers = [str(n) for n in range(1, len(found.reports) + 1)]
    yield "<h2>All cases</h2>\n" + _table(
        "All cases", ("Case", *numbers), ((shown(id), *map(_word, row)) for id, row in found.rows().items())
    )
    sums = [one.count() for one in found.reports]
    yield "<h2>Sums</h2>\n" + _table(
        "Sums", ("Verdict", *numbers), ((word(one), *(str(count[one]) for count in sums)) for one in WORDS)
    )


def _word(one: Result | None) -> str:
    return word(one.verdict) if one is not None else "-"


def _table(name: str, heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{one}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{one}</td>" for one in rest)}</tr>\n' for first, *rest in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">\n<table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}</tbody></table>\n</div>\n"
    )
