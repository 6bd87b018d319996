"""Reports side by side: what became worse or better from one to the next, and all of them as a matrix.

Compares verdicts by id; what a peer answered is not compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from mm7zeep.probe.results import Report, Result, Word

Kind = Literal["worse", "better", "changed", "new", "gone"]
"""How a case changed.

``changed`` is neither better nor worse (FAIL, then HANG); ``new`` was not judged before, ``gone`` is not judged any
more: it is not there, was skipped, or the tool failed.
"""

KINDS: tuple[Kind, ...] = get_args(Kind)

_GRADES: Mapping[Word, int] = MappingProxyType({"PASS": 0, "INFO": 1, "WARN": 2, "FAIL": 3, "HANG": 3})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One case whose verdict is another than before; None where a report has no such case."""

    id: str
    kind: Kind
    before: Result | None
    after: Result | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Several reports of one role, the oldest first, each under its name; ``ids`` of all in order."""

    names: tuple[str, ...]
    reports: tuple[Report, ...]
    ids: tuple[str, ...]

    def rows(self) -> dict[str, tuple[Result | None, ...]]:
        """The results of every case in each report."""
        known = [{one.id: one for one in report.results} for report in self.reports]
        return {id: tuple(one.get(id) for one in known) for id in self.ids}

    def changes(self) -> tuple[Change, ...]:
        """From the first report to the last, in the order of ``KINDS``."""
        found = [one for id, row in self.rows().items() if (one := _change(id, row[0], row[-1])) is not None]
        return tuple(sorted(found, key=lambda one: KINDS.index(one.kind)))

    @property
    def worse(self) -> bool:
        """Whether anything became worse, or fails that was not judged before."""
        return any(
            one.kind == "worse" or (one.kind == "new" and one.after is not None and _GRADES[one.after.verdict] == 3)
            for one in self.changes()
        )


def compare(named: Sequence[tuple[str, Report]]) -> Comparison:
    """These reports side by side. Raises ``ValueError`` for less than two, and for reports of different roles."""
    if len(named) < 2:
        raise ValueError("give two reports or more")
    roles = {report.role for _, report in named}
    if len(roles) > 1:
        raise ValueError(f"the reports are of different roles ({', '.join(sorted(roles))}); compare those of one")
    ids: dict[str, None] = {}
    for _, report in reversed(named):  # the newest report has the newest catalogue
        ids |= dict.fromkeys(one.id for one in report.results)
    return Comparison(names=tuple(one for one, _ in named), reports=tuple(one for _, one in named), ids=tuple(ids))


def _change(id: str, before: Result | None, after: Result | None) -> Change | None:
    was = _GRADES.get(before.verdict) if before is not None else None
    now = _GRADES.get(after.verdict) if after is not None else None
    kind: Kind
    if was is None and now is None:
        return None  # judged in neither
    if was is None:
        kind = "new"
    elif now is None:
        kind = "gone"
    elif was != now:
        kind = "worse" if now > was else "better"
    elif before is not None and after is not None and before.verdict != after.verdict:
        kind = "changed"
    else:
        return None
    return Change(id=id, kind=kind, before=before, after=after)
