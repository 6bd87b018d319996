"""The HTML report: one page that needs nothing but itself, no script, no other file, in light and dark.

Everything a sender wrote is escaped, and masked: no credential, and no telephone number unless asked to.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from mm7zeep import html_page
from mm7zeep.conformance.report import view
from mm7zeep.conformance.verdict import Verdict

_STYLE = """
td.count, th:nth-child(n + 4) { text-align: right; font-variant-numeric: tabular-nums; }
code, pre { font-family: ui-monospace, monospace; font-size: .875rem; }
pre { margin: .35rem 0; padding: .4rem .6rem; background: var(--band); border-left: 3px solid var(--line);
  white-space: pre-wrap; overflow-wrap: anywhere; }
.accept { color: var(--good); } .reject, .MUST { color: var(--bad); } .SHOULD { color: var(--warn); }
.INFO { color: var(--note); } .word { font-weight: 700; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .75rem; margin: 0; } dt { color: var(--dim); }
dd { margin: 0; overflow-wrap: anywhere; } .finding { padding: .75rem 0; border-top: 1px solid var(--line); }
.finding h3 { font-size: 1rem; margin: 0 0 .25rem; }
@media print { body { max-width: none; } .finding { break-inside: avoid; } }
"""


def render(verdicts: Sequence[Verdict], *, show_numbers: bool = False) -> str:
    """The report on ``verdicts``: a table of the messages, then each with its findings."""
    messages = [view.message(one, show_numbers=show_numbers) for one in verdicts]
    rows = "".join(_row(number, one) for number, one in enumerate(messages, 1))
    sections = "".join(_section(number, one) for number, one in enumerate(messages, 1))
    heads = "".join(
        f'<th scope="col">{one}</th>' for one in ("Message", "Verdict", "Operation", "MUST", "SHOULD", "INFO")
    )
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>" if messages else ""
    main = f'<h1>MM7 check</h1>\n<p>{escape(_sum(messages))}</p>\n<div class="scroll">{table}</div>\n{sections}'
    return html_page.page(f"MM7 check: {_sum(messages)}", main, style=_STYLE)


def _sum(messages: Sequence[view.Message]) -> str:
    rejected, warned = sum(one.rejected for one in messages), sum(one.warned for one in messages)
    noun = "message" if len(messages) == 1 else "messages"
    accepted = len(messages) - rejected
    return f"{len(messages)} {noun}: {accepted} accepted ({warned} with warnings), {rejected} rejected"


def _row(number: int, message: view.Message) -> str:
    levels = [one.level for one in message.lines]
    counts = "".join(f'<td class="count">{levels.count(one) or ""}</td>' for one in ("MUST", "SHOULD", "INFO"))
    return (
        f'<tr><td><a href="#m{number}">{escape(message.name)}</a>{_carrier(message)}</td>'
        f'<td class="word {message.word}">{message.word}</td><td>{escape(message.operation)}</td>{counts}</tr>\n'
    )


def _carrier(message: view.Message) -> str:
    return f'<br><span class="dim">{escape(message.carrier)}</span>' if message.carrier else ""


def _section(number: int, message: view.Message) -> str:
    facts = (message.operation, message.namespace, message.mm7_version)
    what = " ".join(one for one in facts if one)
    if message.transaction_id:
        what += f", transaction {message.transaction_id}"
    reason = f'<p class="reject">Refused: {escape(message.reason)}</p>\n' if message.reason else ""
    lines = "".join(map(_finding, message.lines)) or '<p class="dim">No findings.</p>\n'
    return (
        f'<section id="m{number}">\n<h2>{escape(message.name)} <span class="word {message.word}">{message.word}</span>'
        f'</h2>\n<p class="dim">{escape(what)}, policy {escape(message.policy)}{_carrier(message)}</p>\n'
        f"{reason}{lines}</section>\n"
    )


def _finding(line: view.Line) -> str:
    rows = [("Where", f"<code>{escape(line.where or 'message')}</code>"), ("Wanted", escape(line.wanted))]
    rows += [("Met", f"<code>{escape(line.met)}</code>")] if line.met else []
    rows += [("To do", escape(line.to_do)), ("Clause", escape(line.clause)), ("Done", escape(line.action))]
    pairs = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    excerpt = f"<pre>{escape(line.excerpt)}</pre>\n" if line.excerpt else ""
    title = f'<span class="{line.level}">{line.level}</span> <code>{escape(line.id)}</code>'
    return f'<div class="finding">\n<h3>{title}</h3>\n{excerpt}<dl>{pairs}</dl>\n</div>\n'
