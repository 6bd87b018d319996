"""Write docs/cases.md: every case of `mm7zeep probe` and every common assertion, from the code.

Run it with ``PYTHONPATH=. python docs/make_cases.py``. A test fails where the file is out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mm7zeep.probe.case import Case
from mm7zeep.probe.cases import ALL
from mm7zeep.probe.common import COMMON

TARGET = Path(__file__).with_name("cases.md")

_HEAD = """# Cases

Everything that `mm7zeep probe` asks of an MMSC or a VASP. This file is made by `docs/make_cases.py`, and the tests make
sure that it is up to date.

- **Level**: a broken MUST is FAIL (HANG where no answer came), a broken SHOULD is WARN; INFO is told and breaks nothing.
  A case may hold more than its own level says: where the texts leave the outcome open, what is the same for every
  outcome is a MUST (a whole answer, nothing lost of what was accepted, nothing left of what was refused, the next
  request served).
- **Clause**: numbers without a name are of TS 23.140; UNSURE marks what we could not check against the printed text.
- **Needs**: what the settings have to give, else the case is skipped and says so ([probe.md](probe.md)).
- An answer passes the common assertions in every case; each is counted once, over all of them.
"""
_ROLES = {"mmsc": "The MMSC", "vasp": "The VASP"}


def text() -> str:
    """The whole file."""
    lines = [_HEAD]
    count = {role: sum(one.role == role for one in ALL) for role in _ROLES}
    lines.append(f"{count['mmsc']} cases of an MMSC, {count['vasp']} of a VASP, {len(COMMON)} common assertions.\n")
    lines += ["## Every answer", "", "| Id | Level | Clause | Requirement |", "|---|---|---|---|"]
    lines += [f"| `{one.id}` | {one.level} | {one.clause} | {one.requirement} |" for one in COMMON]
    for role, title in _ROLES.items():
        cases = [one for one in ALL if one.role == role]
        for area in dict.fromkeys(one.area for one in cases):
            lines += ["", f"## {title}: {area}", "", "| Id | Level | Clause | Requirement | Needs |", "|---|---|---|---|---|"]
            lines += _rows(one for one in cases if one.area == area)
    return "\n".join(lines) + "\n"


def _rows(cases: Iterator[Case]) -> list[str]:
    return [
        f"| `{one.id}` | {one.level} | {one.clause} | {_plain(one.requirement)} | {', '.join(one.needs)} |"
        for one in cases
    ]


def _plain(sentence: str) -> str:
    return sentence.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
