"""Which failures are known: a TOML file of entries with verdict, reason and the day until which each is put up with.

An entry excuses one verdict of one case and nothing else. One that is past its day excuses nothing, and one whose case
has become better is told as well, so that no file outlives its reasons.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast, get_args

from mm7zeep.probe.results import Report, Result, Word
from mm7zeep.probe.selection import suggestion

Excused = Literal["FAIL", "HANG", "WARN", "ERROR"]
"""The verdicts that an entry may name."""

DAYS = 90
"""How long a written entry lasts."""

_FIELDS = ("id", "verdict", "reason", "until")
_GRADES: Mapping[Word, int] = MappingProxyType({"FAIL": 3, "HANG": 3, "ERROR": 3, "WARN": 2, "INFO": 0, "PASS": 0})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One expected failure. ``until`` is its last day."""

    id: str
    verdict: Excused
    reason: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a result stands to its entry: ``expected`` as the entry says, ``expired`` past its day, ``better`` or
    ``other`` than it says. ``text`` tells it in a sentence.
    """

    kind: Literal["expected", "expired", "better", "other"]
    entry: Entry
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A report beside its baseline: ``standings`` by id, for results that have an entry and were not skipped.

    ``strict`` makes WARN count as FAIL does.
    """

    report: Report
    standings: Mapping[str, Standing]
    strict: bool = False

    def counts(self, result: Result) -> bool:
        """Whether this result makes the run fail."""
        standing = self.standings.get(result.id)
        if standing is not None and standing.kind != "other":
            return standing.kind != "expected"
        return result.verdict in (("FAIL", "HANG", "WARN") if self.strict else ("FAIL", "HANG"))

    def excused(self, result: Result) -> bool:
        """Whether the baseline expects what this result says."""
        standing = self.standings.get(result.id)
        return standing is not None and standing.kind == "expected"

    @property
    def status(self) -> int:
        """The exit status: 1 for what counts, else 3 for an ERROR that nothing excuses, else 0."""
        if any(self.counts(one) for one in self.report.results):
            return 1
        return 3 if any(one.verdict == "ERROR" and not self.excused(one) for one in self.report.results) else 0


def judge(report: Report, entries: Iterable[Entry] = (), *, today: date, strict: bool = False) -> Judged:
    """How each result of ``report`` stands to the entry of its id."""
    known = {one.id: one for one in entries}
    standings = {
        one.id: _standing(one, known[one.id], today)
        for one in report.results
        if one.id in known and one.verdict != "SKIP"
    }
    return Judged(report=report, standings=standings, strict=strict)


def _standing(result: Result, entry: Entry, today: date) -> Standing:
    if _GRADES[result.verdict] < _GRADES[entry.verdict]:
        text = f"{result.verdict}, but the baseline expects {entry.verdict}: take the entry out"
        return Standing(kind="better", entry=entry, text=text)
    if result.verdict != entry.verdict:
        text = f"{result.verdict}, but the baseline expects {entry.verdict} ({entry.reason})"
        return Standing(kind="other", entry=entry, text=text)
    if entry.until < today:
        text = f"expected until {entry.until} only ({entry.reason})"
        return Standing(kind="expired", entry=entry, text=text)
    return Standing(kind="expected", entry=entry, text=f"expected until {entry.until}: {entry.reason}")


# --- the file ---------------------------------------------------------------------------------------------------------


def read(path: Path, known: Collection[str]) -> tuple[Entry, ...]:
    """The entries of a file, whose ids are among ``known``.

    Raises ``ValueError`` naming the file, the entry and what is wrong with it, ``OSError`` where it cannot be read.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        return _entries(said, known)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _entries(said: Mapping[str, Any], known: Collection[str]) -> tuple[Entry, ...]:
    for name in said:
        if name != "expected":
            raise ValueError(f"{name}: there are only [[expected]] entries")
    rows = said.get("expected", [])
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        raise ValueError("expected: write each entry as [[expected]] with id, verdict, reason and until")
    found: dict[str, Entry] = {}
    for number, row in enumerate(rows, 1):
        entry = _entry(row, f"entry {number}")
        if entry.id not in known:
            raise ValueError(f"entry {number}: {entry.id} names no case of this role{suggestion(entry.id, known)}")
        if entry.id in found:
            raise ValueError(f"entry {number}: {entry.id} has an entry already")
        found[entry.id] = entry
    return tuple(found.values())


def _entry(row: Mapping[str, Any], where: str) -> Entry:
    id = row.get("id")
    if not isinstance(id, str) or not id:
        raise ValueError(f"{where}: id is missing; say which case it is about")
    where = f"{where} ({id})"
    for name in row:
        if name not in _FIELDS:
            raise ValueError(f"{where}: {name} is none of {', '.join(_FIELDS)}")
    verdict, reason, until = row.get("verdict"), row.get("reason"), row.get("until")
    if verdict not in get_args(Excused):
        raise ValueError(f"{where}: verdict is one of {', '.join(get_args(Excused))}, not {verdict!r}")
    if not isinstance(reason, str) or not reason.strip():
        raise ValueError(f"{where}: reason is missing; say why this failure is put up with")
    if not isinstance(until, date) or isinstance(until, datetime):
        raise ValueError(f"{where}: until is missing or no date; write until = 2030-01-31, without quotes")
    return Entry(id=id, verdict=cast("Excused", verdict), reason=reason.strip(), until=until)


def written(report: Report, entries: Iterable[Entry] = (), *, today: date, strict: bool = False) -> str:
    """A baseline that expects what failed in ``report``. What ``entries`` say of the same verdict is kept; a new entry
    has no reason yet, and is refused until somebody writes one. Entries of cases that did not run are kept.
    """
    known = {one.id: one for one in entries}
    words = ("FAIL", "HANG", "ERROR", "WARN") if strict else ("FAIL", "HANG", "ERROR")
    ran = {one.id for one in report.results if one.verdict != "SKIP"}
    out = [one for one in known.values() if one.id not in ran]
    for result in report.results:
        if result.verdict in words:
            before = known.get(result.id)
            same = before is not None and before.verdict == result.verdict
            fresh = Entry(
                id=result.id,
                verdict=cast("Excused", result.verdict),
                reason="",
                until=today + timedelta(days=DAYS),
            )
            out.append(before if same and before is not None else fresh)
        elif result.id in known and result.verdict == known[result.id].verdict:
            out.append(known[result.id])  # a WARN that somebody entered
    head = f"# What {json.dumps(report.url)[1:-1]} is known to fail, role {report.role}: a reason for each, please.\n"
    return head + "".join(
        f"\n[[expected]]\nid = {json.dumps(one.id)}\nverdict = {json.dumps(one.verdict)}\n"
        f"reason = {json.dumps(one.reason)}\nuntil = {one.until.isoformat()}\n"
        for one in out
    )
