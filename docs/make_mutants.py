"""Write docs/mutants.md: the broken servers by which `mm7zeep probe` is examined, from their tables.

Run it with ``PYTHONPATH=.:tests python docs/make_mutants.py``. A test fails where the file is out of date.
"""

from __future__ import annotations

from pathlib import Path

from mutants import Mutant
from mutants_table import MUTANTS

TARGET = Path(__file__).with_name("mutants.md")

_HEAD = """# Broken servers

How we know that `mm7zeep probe` finds faults: our own gateway and our own VASP, broken in one place each, are examined,
and exactly those cases have to turn red that state what is broken ([cases.md](cases.md)). This file is made by
`docs/make_mutants.py`, and the tests make sure that it is up to date.

    tox -e mutants                          # every broken server, asked all cases of its role; takes an hour
    tox -e mutants -- --selection           # asked the cases that could notice, and some of every area
    tox -e mutants -- "mmsc cancel"         # those whose name begins so

- A fault is found where every id in its row is FAIL, HANG or WARN (those in brackets: INFO, with a remark that the
  whole server does not give), and nothing else is red that is not red with the whole server.
- Some faults are stated by several cases: what an answer lacks may be against the schema and against a text, and an
  operation that is not served fails all that use it.
- Ids that begin with `answer/` are the assertions on every answer, whatever was asked.
"""
_ROLES = {"mmsc": "MMSC", "vasp": "VASP"}


def text() -> str:
    """The whole file."""
    lines = [_HEAD]
    stated = {role: {id for one in MUTANTS if one.role == role for id in one.ids} for role in _ROLES}
    for role, name in _ROLES.items():
        count = sum(one.role == role for one in MUTANTS)
        lines.append(f"{count} broken {name}s, by which {len(stated[role])} cases and assertions are proved.\n")
    for role, name in _ROLES.items():
        lines += [f"## {name}", "", "| Name | What is broken | Found by |", "|---|---|---|"]
        lines += [_row(one) for one in MUTANTS if one.role == role]
        lines.append("")
    return "\n".join(lines)


def _row(one: Mutant) -> str:
    found = [f"`{id}`" for id in sorted(one.found_by)] + [f"(`{id}`)" for id in sorted(one.noted)]
    what = one.what.replace("|", "\\|").replace("<", "&lt;")
    return f"| `{one.name}` | {what} | {', '.join(found)} |"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
