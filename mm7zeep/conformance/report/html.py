"""The HTML report: one page that needs nothing but itself, no script, no other file, in light and dark.

Everything a sender wrote is escaped, and masked: no credential, and no telephone number unless asked to.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from mm7zeep import __version__
from mm7zeep.conformance.report import view
from mm7zeep.conformance.verdict import Verdict

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --dim: #5b646e; --paper: #ffffff; --line: #d5dae0; --band: #f4f6f8;
  --good: #17693a; --bad: #b3261e; --warn: #8a5a00; --note: #1f5f99; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --dim: #9aa4ae; --paper: #15181b; --line: #343b42;
  --band: #1e2327; --good: #6fd194; --bad: #ff8f85; --warn: #f0bd5c; --note: #86bdf0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 75rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .25rem; overflow-wrap: anywhere; }
p { margin: .25rem 0; } .dim { color: var(--dim); } .scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th { font-weight: 600; white-space: nowrap; }
td.count, th:nth-child(n + 4) { text-align: right; font-variant-numeric: tabular-nums; }
code, pre { font-family: ui-monospace, monospace; font-size: .875rem; }
pre { margin: .35rem 0; padding: .4rem .6rem; background: var(--band); border-left: 3px solid var(--line);
  white-space: pre-wrap; overflow-wrap: anywhere; }
a { color: inherit; }
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
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # No script, no image, no font, whatever a message may have smuggled in
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>MM7 check: {escape(_sum(messages))}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>MM7 check</h1>\n<p>{escape(_sum(messages))}</p>\n"
        f'<div class="scroll">{table}</div>\n{sections}</main>\n'
        f'<footer><p class="dim">mm7zeep {escape(__version__)}</p></footer>\n</body>\n</html>\n'
    )


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
