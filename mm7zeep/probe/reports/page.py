"""The frame of a report in HTML: one file that needs nothing but itself, in light and dark, on paper and on a phone.

No request leaves it, whatever a peer smuggled in: its policy allows this style and this script, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

from mm7zeep import __version__
from mm7zeep.transport.pages import escaped

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --dim: #565f69; --paper: #ffffff; --line: #d5dae0; --band: #f4f6f8;
  --PASS: #17693a; --FAIL: #b3261e; --WARN: #855700; --INFO: #1f5f99; --ERROR: #8a2a8a; --mark: #ffe08a; --link:
  #1f5f99; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --dim: #a3adb7; --paper: #15181b; --line: #343b42;
  --band: #1e2327; --PASS: #6fd194; --FAIL: #ff8f85; --WARN: #f0bd5c; --INFO: #86bdf0; --ERROR: #e29be2; --mark:
  #6b5200;
  --link: #86bdf0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 75rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: .95rem; margin: 1rem 0 .25rem; } p { margin: .25rem 0; overflow-wrap: anywhere; }
.dim { color: var(--dim); } .scroll { overflow-x: auto; } a { color: var(--link); }
table { border-collapse: collapse; margin: .75rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; } .count { text-align: right; font-variant-numeric: tabular-nums; }
tbody th { font-weight: 400; overflow-wrap: anywhere; white-space: normal; min-width: 9rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .8125rem; }
pre { margin: .35rem 0; padding: .5rem .7rem; background: var(--band); border-left: 3px solid var(--line); }
pre.text, pre.line { white-space: pre-wrap; overflow-wrap: anywhere; }
pre.hex { overflow-x: auto; } mark { background: var(--mark); color: inherit; outline: 1px solid var(--FAIL); }
.word { font-weight: 700; } .PASS { color: var(--PASS); } .FAIL, .HANG { color: var(--FAIL); } .WARN { color:
  var(--WARN); }
.INFO { color: var(--INFO); } .ERROR { color: var(--ERROR); } .SKIP { color: var(--dim); }
details.result { border-top: 1px solid var(--line); padding: .45rem 0; }
details.result, section.area { scroll-margin-top: 6.5rem; }
details.result > summary > .word::before { content: "\\25b8\\00a0"; }
details.result[open] > summary > .word::before { content: "\\25be\\00a0"; }
details.result > summary { display: grid; grid-template-columns: 5.5rem minmax(11rem, 19rem) 1fr; gap: 0 .75rem;
  cursor: pointer; overflow-wrap: anywhere; }
details.result[open] > summary { margin-bottom: .5rem; } summary code { font-size: .875rem; }
details.result > :not(summary) { margin-left: 1rem; } details details summary { cursor: pointer; color: var(--dim); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem .9rem; } dt { color: var(--dim); }
dd { margin: 0; overflow-wrap: anywhere; } dd pre { margin-top: 0; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; position: sticky; top: 0; z-index: 1;
  padding: .6rem 0; background: var(--paper); border-bottom: 1px solid var(--line); }
form[hidden] { display: none; } label { white-space: nowrap; } fieldset { border: 0; margin: 0; padding: 0;
  display: flex;
  flex-wrap: wrap; gap: .15rem .75rem; } legend { float: left; margin-right: .75rem; color: var(--dim); }
input[type=search], select { font: inherit; color: inherit; background: var(--band); border: 1px solid var(--dim);
  border-radius: 4px; padding: .15rem .4rem; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media (max-width: 40rem) { tbody th { min-width: 5rem; } th, td { font-size: .875rem; }
  details.result > summary { grid-template-columns: 5.5rem 1fr; }
  details.result > summary > :nth-child(3) { grid-column: 1 / -1; } dl { grid-template-columns: 1fr; } dt {
  margin-top: .3rem; }
  details.result > :not(summary) { margin-left: 0; } form { position: static; } th, td { padding-right: .5rem; } }
@media print { body { max-width: none; padding: 0; font-size: 11px; } form { display: none; }
  details.result:not(.quiet)::details-content { content-visibility: visible; } details.result { break-inside:
  avoid-page; } }
"""


def page(title: str, body: str, script: str = "") -> str:
    """A whole file of ``body``, which is markup. ``script`` is ours, and holds nothing of anybody else's."""
    allowed = f"script-src '{_hash(script)}'; " if script else ""
    policy = f"default-src 'none'; {allowed}style-src '{_hash(_STYLE)}'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{shown(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n"
        f'<footer><p class="dim">mm7zeep {escape(__version__)}</p></footer>\n'
        + (f"<script>{script}</script>\n" if script else "")
        + "</body>\n</html>\n"
    )


def shown(text: str) -> str:
    """A text of somebody's as markup: nothing in it is markup, steers or is invisible; lines stay lines."""
    return "\n".join(escape(escaped(line)) for line in text.split("\n"))


def word(verdict: str) -> str:
    """A verdict in its colour."""
    return f'<span class="word {escape(verdict)}">{escape(verdict)}</span>'


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
