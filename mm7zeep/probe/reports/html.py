"""The report of a run in HTML: areas by verdicts, then every result with requirement, found, clause and octets.

Reads without JavaScript; with it, results are filtered by verdict, level, area and text.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from mm7zeep.probe.baseline import Judged
from mm7zeep.probe.reports import curl, layout, octets
from mm7zeep.probe.reports.page import page, shown, word
from mm7zeep.probe.results import WORDS, Reason, Report, Result, Transmission

TEXT, HEX, HEX_QUIET = 8192, 1024, 256
"""Octets of one side of an exchange that are shown as text, and as hex; the last for what passed."""

_QUIET = ("PASS", "SKIP")
_EXCHANGES = 12  # of one result
_LEVELS = ("MUST", "SHOULD", "INFO")

_SCRIPT = """
"use strict";
(() => {
  const form = document.getElementById("filters"), told = document.getElementById("told");
  const results = Array.from(document.querySelectorAll("details.result"));
  const texts = new Map();
  const text = (one) => {
    if (!texts.has(one)) texts.set(one, one.textContent.toLowerCase());
    return texts.get(one);
  };
  const checked = (name) =>
    new Set(Array.from(form.elements[name]).filter((one) => one.checked).map((one) => one.value));
  const apply = () => {
    const verdicts = checked("verdict"), levels = checked("level"), area = form.elements.area.value;
    const wanted = form.elements.text.value.trim().toLowerCase();
    let count = 0;
    for (const one of results) {
      const said = one.dataset;
      one.hidden = !(verdicts.has(said.verdict) && levels.has(said.level) && (!area || said.area === area) &&
        (!wanted || text(one).includes(wanted)));
      count += one.hidden ? 0 : 1;
    }
    for (const section of document.querySelectorAll("section.area"))
      section.hidden = !section.querySelector("details.result:not([hidden])");
    told.textContent = count + " of " + results.length + " shown";
  };
  const choose = (area, verdict) => {
    form.elements.area.value = area;
    for (const one of form.elements.verdict) one.checked = !verdict || one.value === verdict;
    apply();
  };
  const target = () => {
    const one = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!one || !one.matches("details.result")) return;
    if (one.hidden) { form.reset(); apply(); }
    one.open = true;
    one.scrollIntoView();
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  for (const one of document.querySelectorAll("a[data-verdict]"))
    one.addEventListener("click", () => choose(one.dataset.area, one.dataset.verdict));
  addEventListener("hashchange", target);
  form.hidden = false;
  apply();
  target();
})();
"""


def render(judged: Judged) -> str:
    """The whole page."""
    return page(f"mm7zeep probe: {judged.report.url}", "".join(_body(judged)), _SCRIPT)


def _body(judged: Judged) -> Iterator[str]:
    report = judged.report
    options = "".join(f", {shown(name)} {shown(value)}" for name, value in report.options.items() if value)
    yield f"<h1>MM7 probe of {shown(report.url)}</h1>\n"
    yield f"<p>{shown(layout.summary(judged))}</p>\n"
    yield (
        f'<p class="dim">Role {shown(report.role)}, {shown(report.started)}, seed {report.seed}'
        f"{options}, mm7zeep {shown(report.version)}</p>\n"
    )
    yield _matrix(report)
    yield _filters(report)
    for area in layout.matrix(report.results):
        yield f'<section class="area" id="area-{shown(area)}">\n<h2>{shown(area)}</h2>\n'
        found = [one for one in report.results if layout.area(one.id) == area]
        for one in sorted(found, key=lambda one: WORDS.index(one.verdict)):
            yield _result(one, judged)
        yield "</section>\n"


def _matrix(report: Report) -> str:
    rows = layout.matrix(report.results)
    if not rows:
        return "<p>Nothing ran.</p>\n"
    heads = "".join(f'<th scope="col" class="count {one}">{one}</th>' for one in WORDS)
    out = [f'<div class="scroll" tabindex="0" role="region" aria-label="Areas by verdicts">\n<table><thead><tr>'
           f'<th scope="col">Area</th>{heads}</tr></thead>\n<tbody>\n']  # fmt: skip
    total = report.count()
    for area, counts in rows.items():
        name = shown(area)
        cells = "".join(
            f'<td class="count"><a href="#area-{name}" data-area="{name}" data-verdict="{one}">{counts[one]}</a></td>'
            if counts[one]
            else '<td class="count"></td>'
            for one in WORDS
        )
        out.append(f'<tr><th scope="row"><a href="#area-{name}" data-area="{name}" data-verdict="">{name}</a></th>'
                   f"{cells}</tr>\n")  # fmt: skip
    sums = "".join(f'<td class="count word {one}">{total[one] or ""}</td>' for one in WORDS)
    out.append(f'<tr><th scope="row">all</th>{sums}</tr>\n</tbody></table>\n</div>\n')
    return "".join(out)


def _filters(report: Report) -> str:
    counts, areas = report.count(), layout.matrix(report.results)
    verdicts = "".join(
        f'<label><input type="checkbox" name="verdict" value="{one}" checked> {one} {counts[one]}</label>'
        for one in WORDS
    )
    levels = "".join(
        f'<label><input type="checkbox" name="level" value="{one}" checked> {one}</label>' for one in _LEVELS
    )
    choices = "".join(f'<option value="{shown(one)}">{shown(one)}</option>' for one in areas)
    return (
        '<form id="filters" hidden aria-label="Filters">\n'
        f"<fieldset><legend>Verdict</legend>{verdicts}</fieldset>\n<fieldset><legend>Level</legend>{levels}</fieldset>\n"
        f'<label>Area <select name="area"><option value="">all</option>{choices}</select></label>\n'
        '<label>Text <input type="search" name="text"></label>\n'
        '<button type="reset">Show all</button>\n<output id="told" class="dim"></output>\n</form>\n'
    )


def _result(one: Result, judged: Judged) -> str:
    quiet = " quiet" if one.verdict in _QUIET and not judged.counts(one) else ""
    why = one.why or one.requirement
    expected = " (expected)" if judged.excused(one) else ""
    data = f'data-verdict="{one.verdict}" data-level="{shown(one.level)}" data-area="{shown(layout.area(one.id))}"'
    title = f"{word(one.verdict)}<code>{shown(one.id)}</code>"
    return (
        f'<details class="result{quiet}" id="{shown(one.id)}" {data}>\n<summary>{title}'
        f"<span>{shown(why)}{expected}</span></summary>\n<dl>{''.join(_facts(one, judged))}</dl>\n"
        f"{''.join(_exchanges(one, judged.report))}</details>\n"
    )


def _facts(one: Result, judged: Judged) -> Iterator[str]:
    yield _pair("Requirement", shown(one.requirement))
    yield _pair("Level", shown(one.level))
    yield _pair("Clause", shown(one.clause))
    if text := layout.mark(one, judged):
        yield _pair("Baseline", shown(text))
    if one.common:
        yield _pair("Asked of", f"{one.seen} answers")
    if one.skipped:
        yield _pair("Skipped", shown(one.skipped))
    for reason in one.reasons:
        yield from _reason(reason)
    if not one.common:
        yield _pair(
            "Repeat", f'<pre class="line">{shown(curl.again(one, judged.report.url, judged.report.role))}</pre>'
        )


def _reason(reason: Reason) -> Iterator[str]:
    yield _pair("Found", f'{shown(reason.text)} <span class="dim">{shown(reason.level)}</span>')
    if reason.expected:
        yield _pair("Expected", shown(reason.expected))
    if reason.actual:
        yield _pair("Actual", f'<pre class="text">{shown(reason.actual)}</pre>')
    if reason.exchange is not None:
        place = f", octet {reason.offset}" if reason.offset is not None else ""
        yield _pair("Where", f"exchange {reason.exchange + 1}{place}")


def _pair(name: str, value: str) -> str:
    return f"<dt>{name}</dt><dd>{value}</dd>"


def _exchanges(one: Result, report: Report) -> Iterator[str]:
    most = HEX_QUIET if one.verdict in _QUIET else HEX
    for number, exchange in enumerate(one.transmissions[:_EXCHANGES]):
        offset = next((r.offset for r in one.reasons if r.exchange == number and r.offset is not None), None)
        ours = exchange.by == "tool"
        yield f"<h3>Exchange {number + 1}: {_told(exchange)}</h3>\n"
        yield _side(
            "Sent by the tool" if ours else "Request of the peer", exchange.sent, None if ours else offset, most
        )
        yield _side("Answer" if ours else "Answer of the tool", exchange.received, offset if ours else None, most)
        command = curl.line(one, exchange, report.url)
        if command is not None:
            stars = (
                " Put in what is hidden as ***, or have the report written with --show-numbers."
                if "**" in command
                else ""
            )
            user = f" {curl.USER} holds USER:PASSWORD." if curl.USER in command else ""
            yield f'<p class="dim">With curl:{escape(user)}{stars}</p>\n<pre class="line">{shown(command)}</pre>\n'
    if len(one.transmissions) > _EXCHANGES:
        yield f'<p class="dim">{len(one.transmissions) - _EXCHANGES} more exchanges: the JSON report has them.</p>\n'


def _told(one: Transmission) -> str:
    note = f", {shown(one.note)}" if one.note else ""
    return f"{shown(one.ended)} after {one.took:.3f} s{note}"


def _side(title: str, data: bytes, offset: int | None, most: int) -> str:
    size = f"{len(data)} octets" + (f", octet {offset} marked" if offset is not None and offset <= len(data) else "")
    if not data:
        return f'<p class="dim">{title}: nothing</p>\n'
    return (
        f'<p class="dim">{title}, {size}</p>\n<pre class="text">{_text(data, offset)}</pre>\n'
        f'<details><summary>Hex</summary><pre class="hex" tabindex="0">{_hex(data, offset, most)}</pre></details>\n'
    )


def _text(data: bytes, offset: int | None) -> str:
    cut = octets.window(data, offset, TEXT)
    marked = ""
    if offset is not None and offset <= len(data):
        marked = f"<mark>{escape(octets.text(cut.at)) or '(end)'}</mark>"
    before, after = escape(octets.text(cut.before)), escape(octets.text(cut.after))
    return f"{_left_out(cut.cut_before)}{before}{marked}{after}{_left_out(cut.cut_after)}"


def _hex(data: bytes, offset: int | None, most: int) -> str:
    cut = octets.window(data, offset, most)
    part = cut.before + cut.at + cut.after
    marked = offset if offset is not None and offset < len(data) else -1
    rows = []
    for begin, digits, characters in octets.hex_lines(part, cut.cut_before):
        first = int(begin, 16)
        cells = [f"<mark>{one}</mark>" if first + n == marked else one for n, one in enumerate(digits)]
        rows.append(f"{begin}  {' '.join(cells)}{'   ' * (16 - len(cells))}  {escape(characters)}")
    return f"{_left_out(cut.cut_before)}{chr(10).join(rows)}{_left_out(cut.cut_after)}"


def _left_out(count: int) -> str:
    return f"\n[{count} octets left out: the JSON report has them]\n" if count else ""
