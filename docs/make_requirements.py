"""Write docs/requirements.md: what the texts behind MM7 demand, and where each demand is tested.

Run it as ``PYTHONPATH=. python docs/make_requirements.py``. A test fails where the file is out of date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from mm7zeep.requirements import REQUIREMENTS, SOURCES, UNSURE_CLAUSES, WITHOUT_REQUIREMENT, Requirement

TARGET = Path(__file__).with_name("requirements.md")

_HEAD = """# Requirements

What the texts behind MM7 demand, in our words, and where each demand is tested. This file is made by
`docs/make_requirements.py` of `mm7zeep/requirements`; a test fails where a row names a rule, a case or a test that does
not exist, or neither names one nor says why not.

- **Id**: the source, the clause, a number. It stays.
- **Level**: the word of the text. MUST stands for SHALL, too, and for what a grammar or a definition leaves no choice
  in; SHOULD for RECOMMENDED; a negative demand is worded with "no" or "not". MAY is listed only where a receiver has to
  bear what a sender may do, or a test needs to know that it is no fault.
- **Binds**: who has to obey. The sender writes the message, the receiver reads it; where only one side of MM7 is meant
  it is named.
- **UNSURE**: what we could not check against the printed text: the number of the clause, the level, or the wording as a
  whole. TS 23.140 is given as far as its schemas, its table of contents and public texts of operators and vendors tell;
  where an id has a word for a clause, its number is from memory.
- **Tested by**: rules are what `mm7zeep check` says of a message ([rules.md](rules.md)), and the vectors of
  `mm7zeep vectors` carry their ids; cases are what `mm7zeep probe` asks of an endpoint (a name stands for the forms
  under it, too; `*` for any characters); tests are functions of `tests/`.
"""


def text() -> str:
    """The whole file."""
    rows = list(REQUIREMENTS.values())
    lines = [_HEAD, *_counts(rows)]
    for key, source in SOURCES.items():
        lines += [f"## {source.name}", "", f"{source.title}: <{source.url}>", ""]
        lines += ["| Id | Clause | Level | Binds | Requirement | Tested by |", "|---|---|---|---|---|---|"]
        lines += [_row(one) for one in rows if one.source == key]
        lines.append("")
    lines += ["## Rules without a requirement", "", "| Rule | Why no text stands behind it |", "|---|---|"]
    lines += [f"| `{rule}` | {reason} |" for rule, reason in WITHOUT_REQUIREMENT.items()]
    return "\n".join([*lines, ""])


def _counts(rows: Sequence[Requirement]) -> Iterator[str]:
    """The table of how many there are."""
    yield f"{len(rows)} requirements:"
    yield ""
    yield "| Source | MUST | SHOULD | MAY | Not tested | UNSURE |"
    yield "|---|---|---|---|---|---|"
    for key, source in SOURCES.items():
        yield _count(source.name, [one for one in rows if one.source == key])
    yield _count("all", rows)
    yield ""


def _count(name: str, rows: Sequence[Requirement]) -> str:
    levels = Counter(one.level for one in rows)
    untested = sum(bool(one.untested) for one in rows)
    unsure = sum(bool(one.unsure) for one in rows)
    return f"| {name} | {levels['MUST']} | {levels['SHOULD']} | {levels['MAY']} | {untested} | {unsure} |"


def _row(one: Requirement) -> str:
    clause = f"{SOURCES[one.source].name} {UNSURE_CLAUSES.get(one.clause, one.clause)}"
    unsure = f" UNSURE ({one.unsure})" if one.unsure else ""
    return f"| `{one.id}` | {clause}{unsure} | {one.level} | {one.binds} | {_plain(one.text)} | {_tested(one)} |"


def _tested(one: Requirement) -> str:
    """What tests it, or why nothing does."""
    if one.untested:
        return f"not tested because {_plain(one.untested)}"
    named = (("rules", one.rules), ("cases", one.cases), ("tests", [_short(test) for test in one.tests]))
    return "; ".join(f"{kind} {' '.join(f'`{id}`' for id in ids)}" for kind, ids in named if ids)


def _short(test: str) -> str:
    return test.removeprefix("tests/").replace(".py::", "::")


def _plain(words: str) -> str:
    return words.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
