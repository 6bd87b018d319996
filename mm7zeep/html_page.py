"""What our HTML reports have in common: one page that needs nothing but itself, no script, in light and dark.

Takes markup that is escaped already; only the title is escaped here.
"""

from __future__ import annotations

from html import escape

from mm7zeep import __version__

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
a { color: inherit; }
"""


def page(title: str, main: str, *, style: str = "") -> str:
    """The page: ``main`` is its content, ``style`` what it has beside the common one."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # No script, no image, no font, whatever a message may have smuggled in
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{style.lstrip()}</style>\n</head>\n<body>\n"
        f"<main>\n{main}</main>\n"
        f'<footer><p class="dim">mm7zeep {escape(__version__)}</p></footer>\n</body>\n</html>\n'
    )
