"""The HTML page of a run: verdict, figures, three charts; one file, no script, readable in the dark and on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from mm7zeep import html_page, masking
from mm7zeep.load import charts
from mm7zeep.load.charts import Line, seconds
from mm7zeep.load.ledger import Account
from mm7zeep.load.result import QUANTILES, Result
from mm7zeep.status import Status

_STYLE = """
p, li { overflow-wrap: anywhere; } .word { font-weight: 700; } .good { color: var(--good); } .bad { color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.tile { background: var(--band); padding: .6rem .75rem; border-radius: .4rem; }
.tile b { display: block; font-size: 1.35rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 0 2rem; }
figure { margin: 1rem 0 0; } figcaption { font-weight: 600; } svg { display: block; width: 100%; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); } svg text.dim { fill: var(--dim); }
svg text.label { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.grid { stroke: var(--line); stroke-width: 1; } .line { fill: none; stroke-width: 1.75; stroke-linejoin: round; }
.bar { fill: var(--note); } .mark { stroke: var(--bad); stroke-width: 1; stroke-dasharray: 3 3; }
.note { stroke: var(--note); background: var(--note); } .warn { stroke: var(--warn); background: var(--warn); }
.red { stroke: var(--bad); background: var(--bad); } .green { stroke: var(--good); background: var(--good); }
.grey { stroke: var(--dim); background: var(--dim); stroke-dasharray: 4 3; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none; margin: .25rem 0 0; padding: 0; }
.key { display: inline-block; width: 1.1rem; height: .2rem; margin-right: .4rem; vertical-align: middle; }
@media (max-width: 40rem) { svg text { font-size: 15px; } }
td.count, th.count { text-align: right; font-variant-numeric: tabular-nums; }
td:last-child, th:last-child { padding-right: 0; } table { max-width: 40rem; }
"""


def render(result: Result) -> str:
    """The page of ``result``."""
    word = '<span class="word bad">FAILED</span>' if result.faults else '<span class="word good">OK</span>'
    host = masking.url(result.plan.url)
    head = (
        f'<h1>MM7 load <span aria-hidden="true">&middot;</span> {word}</h1>\n<p>{escape(_sum(result))}</p>\n'
        f'<p class="dim">{escape(host)}, {result.began.isoformat(sep=" ", timespec="seconds")}</p>\n'
    )
    said = "".join(f'<p class="bad">{escape(one)}</p>\n' for one in result.faults)
    said += "".join(f"<p>{escape(one)}</p>\n" for one in result.notes)
    body = head + said + _tiles(result) + _charts(result) + _statuses(result) + _errors(result)
    body += (_exactly_once(result.account) if result.account else "") + _asked(result)
    return html_page.page(f"MM7 load: {'failed' if result.faults else 'ok'}, {_sum(result)}", body, style=_STYLE)


def _sum(result: Result) -> str:
    tally = result.tally
    return f"{tally.sent:,} requests in {result.seconds:.1f} s: {tally.succeeded:,} succeeded, {tally.failed:,} failed"


def _tiles(result: Result) -> str:
    tally = result.tally
    tiles = [("requests/s", f"{result.rate:,.1f}")]
    tiles += [(name, seconds(tally.latency.quantile(share))) for name, share in QUANTILES]
    tiles.append(("max", seconds(tally.latency.max)))
    shown = "".join(f'<div class="tile"><b>{escape(value)}</b>{escape(name)}</div>' for name, value in tiles)
    return f'<div class="tiles">{shown}</div>\n'


def _charts(result: Result) -> str:
    if not result.tally.latency.count:
        return ""
    width, slots = result.plan.width, result.tally.slots
    numbers = range(max(slots) + 1)
    middle = [(number + 0.5) * width for number in numbers]
    schedule = result.plan.schedule

    def latency(share: float) -> list[tuple[float, float | None]]:
        return [
            (x, slots[n].latency.quantile(share) if n in slots and slots[n].latency.count else None)
            for n, x in zip(numbers, middle, strict=True)
        ]

    def rate(name: str) -> list[tuple[float, float | None]]:
        found = ((x, getattr(slots[n], name) if n in slots else 0) for n, x in zip(numbers, middle, strict=True))
        return [(x, count / width) for x, count in found if count or x < schedule.duration]

    due: list[tuple[float, float | None]] = [(0.0, 0.0 if schedule.ramp else schedule.rate)]
    due += [(schedule.ramp, schedule.rate)] if schedule.ramp else []
    due.append((schedule.duration, schedule.rate))
    lines = [
        Line(name="max", style="red", points=latency(1.0)),
        Line(name="p99", style="warn", points=latency(0.99)),
        Line(name="p50", style="note", points=latency(0.5)),
    ]
    rates = [
        Line(name="due", style="grey", points=due),
        Line(name="sent", style="note", points=rate("sent")),
        Line(name="answered", style="green", points=rate("answered")),
        Line(name="failed", style="red", points=rate("failed")),
    ]
    histogram = result.tally.latency
    counted = [((low + high) / 2, count) for low, high, count in histogram.buckets()]
    marks = [(name, histogram.quantile(share)) for name, share in QUANTILES if name in ("p50", "p99", "p99.9")]
    return '<div class="charts">\n' + "".join(
        f"<figure><figcaption>{title}</figcaption>\n{chart}</figure>\n"
        for title, chart in (
            ("Latency over time", charts.over_time(_LATENCY, lines, logarithmic=True, unit=seconds)),
            ("Rate over time, requests/s", charts.over_time(_RATE, rates, unit=lambda value: f"{value:g}")),
            ("Histogram of latencies", charts.bars("How many requests had which latency", counted, marks)),
        )
    ) + "</div>\n"  # fmt: skip


_LATENCY = "Latency from when a request was due, over the time at which it was due: median, p99 and longest"
_RATE = "Requests a second over time: due, sent, answered and failed"


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, counts: bool = True) -> str:
    """A table whose last column is numbers, unless ``counts`` says otherwise; nothing without rows."""
    last = len(heads) - 1 if counts else None
    body = "".join(
        "<tr>" + "".join(f"<td{_right(n == last)}>{escape(one)}</td>" for n, one in enumerate(row)) + "</tr>\n"
        for row in rows
    )
    if not body:
        return ""
    head = "".join(f'<th scope="col"{_right(n == last)}>{escape(one)}</th>' for n, one in enumerate(heads))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<h2>{escape(title)}</h2>\n<div class="scroll">{table}</div>\n'


def _right(numeric: bool) -> str:
    return ' class="count"' if numeric else ""


def _statuses(result: Result) -> str:
    rows = [
        (name, f"{code} {Status(code).text or ''}".strip(), f"{count:,}")
        for (name, code), count in sorted(result.tally.codes.items())
    ]
    return _table("Status codes", ("Operation", "Status", "Answers"), rows)


def _errors(result: Result) -> str:
    rows = [(kind, f"{count:,}") for kind, count in result.tally.errors.most_common()]
    return _table("Errors", ("Kind", "Requests"), rows)


def _exactly_once(account: Account) -> str:
    rows = [(what, f"{count:,}") for what, count in counts(account)]
    examples = "".join(f"<li>{escape(one)}</li>\n" for one in account.examples)
    return _table("Exactly once", ("Of submits and their reports", "Count"), rows) + (
        f"<ul>{examples}</ul>\n" if examples else ""
    )


def counts(account: Account) -> tuple[tuple[str, int], ...]:
    """What the ledger counted, with words for it."""
    return (
        ("submits accepted", account.accepted),
        ("final reports awaited", account.awaited),
        ("came", account.reported),
        ("missing", account.missing),
        ("doubled", account.doubled),
        ("for unknown messages or recipients", account.unknown),
        ("MessageIDs given twice", account.given_twice),
        ("interim reports", account.interim),
        ("messages from subscribers", account.delivered),
        ("of them again", account.delivered_twice),
    )


def _asked(result: Result) -> str:
    plan = result.plan
    rows = [
        ("rate", f"{plan.schedule.rate:g}/s for {plan.schedule.duration:g} s, ramp {plan.schedule.ramp:g} s"),
        ("mix", ", ".join(f"{name} {weight:g}" for name, weight in plan.mix)),
        ("sizes", ", ".join(f"{f'{size:,} octets' if size else 'text'} {weight:g}" for size, weight in plan.sizes)),
        ("recipients a message", f"{plan.recipients}, of {len(plan.numbers):,}"),
        ("connections, processes", f"{plan.connections}, {plan.processes}"),
        ("timeout, tolerated delay", f"{plan.timeout:g} s, {plan.max_late:g} s"),
        ("sent after due: p50, p99, max", ", ".join(seconds(one) for one in (
            result.tally.delay.quantile(0.5), result.tally.delay.quantile(0.99), result.tally.delay.max))),
        ("processor used by each sender", ", ".join(f"{one:.0%}" for one in result.tally.processor)),
    ]  # fmt: skip
    return _table("The run", ("What", "Value"), rows, counts=False)
