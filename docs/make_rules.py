"""Write docs/rules.md: each kind of finding with an example that raises it, and what is then said.

The examples are those of ``mm7zeep.vectors.cases``, and the messages are made by judging them: run it with the tests on the path,
``PYTHONPATH=.:tests python docs/make_rules.py``. A test fails where the file is out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rules import CASES, FIRST, found

from mm7zeep.findings import KINDS, Kind

TARGET = Path(__file__).with_name("rules.md")

_HEAD = """# Rules

Everything that `mm7zeep check` may say of a message. `mm7zeep explain ID` tells what to do about it. This file is made
by `docs/make_rules.py`: each message below was found in the example beside it, and the tests make sure of that.

- **Level**: MUST, the texts demand it; SHOULD, they recommend it or receivers rely on it; INFO, worth knowing.
- **Source**: the clause; "by common reading" where we could not check the wording against the printed text.
- Each deviation is told once, under the id that fits it best. Where one message alone cannot show it, the example names
  two; rules marked (clock) compare with the moment of arrival, or with the TimeStamp of the message where that is not
  known, and say nothing where there is neither.
"""
_TITLES = {
    "http": "HTTP head", "mime": "MIME package", "xml": "XML", "soap": "SOAP frame", "ns": "Namespaces",
    "version": "Versions", "schema": "Schema", "sem": "Meaning",
}  # fmt: skip


def text() -> str:
    """The whole file."""
    kinds = [one for one in KINDS.values() if one.needs not in ("gateway", "fit")]  # those say what we did
    lines = [_HEAD, f"{len(kinds)} kinds, {len(CASES)} examples.", ""]
    for room, title in _TITLES.items():
        lines += [f"## {title}", "", "| Id | Level | Source | Example | What is said |", "|---|---|---|---|---|"]
        lines += [_row(kind) for kind in kinds if kind.id.partition("/")[0] == room]
        lines.append("")
    return "\n".join(lines)


def _row(kind: Kind) -> str:
    case = FIRST[kind.id]
    first = next(one for one in found(case, case.bad) if one.id == kind.id)
    said = f"{first.summary} ({first.detail})" if first.detail else first.summary
    needs = f" ({kind.needs})" if kind.needs else ""
    return f"| `{kind.id}`{needs} | {kind.level} | {kind.source} | {_code(case.shown)} | {_plain(said)} |"


def _code(shown: str) -> str:
    """Text in backquotes, on one line."""
    flat = " ".join(_visible(shown))
    return f"`` {flat} ``".replace("|", "\\|") if "`" in flat else f"`{flat}`".replace("|", "\\|")


def _visible(shown: str) -> Iterator[str]:
    return (line if line.isprintable() else ascii(line)[1:-1] for line in shown.split())


def _plain(said: str) -> str:
    return said.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
