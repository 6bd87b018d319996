"""Which failures are expected, until when, and what comes of the rest; which cases are chosen; reports side by side."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import probed
import pytest
from lxml import html as lxml_html
from probed import result

from mm7zeep.probe import baseline
from mm7zeep.probe.baseline import Entry, Excused
from mm7zeep.probe.case import Case
from mm7zeep.probe.compare import Comparison, compare
from mm7zeep.probe.reports import several
from mm7zeep.probe.results import Level, Report, Word
from mm7zeep.probe.selection import select

TODAY = date(2026, 11, 28)


def entry(id: str = "http/get", verdict: Excused = "FAIL", until: date = TODAY) -> Entry:
    """An entry that is good today."""
    return Entry(id=id, verdict=verdict, reason="vendor ticket 7", until=until)


# --- what counts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "status", "strict"),
    [("PASS", 0, 0), ("INFO", 0, 0), ("SKIP", 0, 0), ("WARN", 0, 1), ("FAIL", 1, 1), ("HANG", 1, 1), ("ERROR", 3, 3)],
)
def test_status_without_a_baseline(verdict: Word, status: int, strict: int) -> None:
    """FAIL and HANG fail a run, WARN where it is asked for; ERROR alone is the tool's."""
    report = probed.report(result("http/get", verdict))
    assert baseline.judge(report, today=TODAY).status == status
    assert baseline.judge(report, today=TODAY, strict=True).status == strict


def test_failure_outweighs_an_error() -> None:
    """What failed failed, even if the tool could not ask everything."""
    report = probed.report(result("a/b", "ERROR"), result("a/c", "FAIL"))
    assert baseline.judge(report, today=TODAY).status == 1


@pytest.mark.parametrize(
    ("verdict", "expected", "days", "kind", "status"),
    [
        ("FAIL", "FAIL", 0, "expected", 0),
        ("FAIL", "FAIL", -1, "expired", 1),
        ("HANG", "HANG", 9, "expected", 0),
        ("ERROR", "ERROR", 9, "expected", 0),
        ("WARN", "WARN", 9, "expected", 0),
        ("WARN", "WARN", -1, "expired", 1),
        ("HANG", "FAIL", 9, "other", 1),
        ("FAIL", "WARN", 9, "other", 1),
        ("ERROR", "FAIL", 9, "other", 3),
        ("PASS", "FAIL", 9, "better", 1),
        ("PASS", "FAIL", -9, "better", 1),
        ("WARN", "FAIL", 9, "better", 1),
        ("INFO", "WARN", 9, "better", 1),
        ("SKIP", "FAIL", -9, None, 0),
    ],
)
def test_entry_excuses_one_verdict_until_its_day(
    verdict: Word, expected: Excused, days: int, kind: str | None, status: int
) -> None:
    """Its last day counts; past it, or with another verdict, nothing is excused; a pass that nobody expects is told."""
    report = probed.report(result("http/get", verdict))
    judged = baseline.judge(report, [entry(verdict=expected, until=TODAY + timedelta(days=days))], today=TODAY)
    standing = judged.standings.get("http/get")
    assert (standing.kind if standing else None) == kind
    assert judged.status == status


def test_entry_of_a_case_that_did_not_run_says_nothing() -> None:
    """A run of some cases is not failed by entries of others."""
    report = probed.report(result("http/get", "PASS"))
    assert baseline.judge(report, [entry("http/other")], today=TODAY).status == 0


# --- the file ---------------------------------------------------------------------------------------------------------

GOOD = '[[expected]]\nid = "http/get"\nverdict = "FAIL"\nreason = "vendor ticket 7"\nuntil = 2026-11-28\n'
KNOWN = ("http/get", "http/chunked", "submit/minimal", "answer/leak")


def test_file_is_read(tmp_path: Path) -> None:
    """One entry, as it is written."""
    path = tmp_path / "baseline.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert baseline.read(path, KNOWN) == (entry(),)
    path.write_text("", encoding="utf-8")
    assert baseline.read(path, KNOWN) == ()


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ('reason = "vendor ticket 7"\n', "", "entry 1 (http/get): reason is missing"),
        ("vendor ticket 7", " ", "reason is missing"),
        ("until = 2026-11-28\n", "", "until is missing or no date"),
        ("2026-11-28", '"2026-11-28"', "until is missing or no date"),
        ("2026-11-28", "2026-11-28T12:00:00Z", "until is missing or no date"),
        ("2026-11-28", "2026-11-31", "baseline.toml: "),
        ('"FAIL"', '"PASS"', "verdict is one of FAIL, HANG, WARN, ERROR, not 'PASS'"),
        ('verdict = "FAIL"\n', "", "verdict is one of"),
        ("http/get", "http/gett", "names no case of this role; did you mean http/get"),
        ('id = "http/get"\n', "", "entry 1: id is missing"),
        ("reason", "reasons", "reasons is none of id, verdict, reason, until"),
        ("[[expected]]", "[expected]", "write each entry as [[expected]]"),
        ("[[expected]]", "[[accepted]]", "there are only [[expected]] entries"),
        ("until = 2026-11-28\n", f"until = 2026-11-28\n{GOOD}", "entry 2: http/get has an entry already"),
    ],
)
def test_file_that_is_wrong(tmp_path: Path, old: str, new: str, wrong: str) -> None:
    """Each mistake is an error that names file and entry, and says what would be right."""
    path = tmp_path / "baseline.toml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=r"baseline\.toml: ") as caught:
        baseline.read(path, KNOWN)
    assert wrong in str(caught.value)


def test_written_file_wants_reasons(tmp_path: Path) -> None:
    """What failed is written; without a reason it is refused, with one it excuses the same run, and is kept."""
    path, report = tmp_path / "baseline.toml", probed.every()
    ids = [one.id for one in report.results]
    path.write_text(baseline.written(report, today=TODAY), encoding="utf-8")
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["expected"]
    assert [one["id"] for one in rows] == ["http/get", "http/slow", "auth/none", "answer/leak"]
    with pytest.raises(ValueError, match="reason is missing"):
        baseline.read(path, ids)
    path.write_text(
        path.read_text(encoding="utf-8").replace('reason = ""', 'reason = "why \\"so\\""'), encoding="utf-8"
    )
    entries = baseline.read(path, ids)
    assert baseline.judge(report, entries, today=TODAY).status == 0
    assert entries[0].until == TODAY + timedelta(days=baseline.DAYS)
    again = baseline.written(report, (*entries, entry("http/else")), today=TODAY + timedelta(days=5))
    path.write_text(again, encoding="utf-8")
    assert set(baseline.read(path, [*ids, "http/else"])) == {*entries, entry("http/else")}


def test_written_file_drops_what_passes() -> None:
    """An entry that is not needed any more is not written again."""
    report = probed.report(result("http/get", "PASS"))
    assert "[[expected]]" not in baseline.written(report, [entry()], today=TODAY)


# --- which cases ------------------------------------------------------------------------------------------------------


def cases(*ids: str, level: Level = "MUST") -> tuple[Case, ...]:
    """Cases by these ids."""
    return tuple(
        Case(id=one, role="mmsc", level=level, clause="x", requirement="So.", run=lambda lab: None) for one in ids
    )


ALL = cases("http/get", "http/chunked", "submit/a/empty", "submit/b-empty") + cases("ns/odd", level="SHOULD")
ALL += cases("ns/open", level="INFO")


@pytest.mark.parametrize(
    ("only", "skip", "level", "ids"),
    [
        ((), (), "INFO", ["http/get", "http/chunked", "submit/a/empty", "submit/b-empty", "ns/odd", "ns/open"]),
        ((), (), "SHOULD", ["http/get", "http/chunked", "submit/a/empty", "submit/b-empty", "ns/odd"]),
        ((), ("http/", "ns/"), "MUST", ["submit/a/empty", "submit/b-empty"]),
        (("http/get",), (), "INFO", ["http/get"]),
        (("submit/a/", "http/"), ("http/get",), "INFO", ["http/chunked", "submit/a/empty"]),
        (("*empty",), (), "INFO", ["submit/a/empty", "submit/b-empty"]),
        (("ns/o?d",), (), "INFO", ["ns/odd"]),
        (("ns/",), (), "MUST", []),
    ],
)
def test_cases_are_chosen(only: Sequence[str], skip: Sequence[str], level: Level, ids: list[str]) -> None:
    """By id, area, pattern and level, in the order of the catalogue."""
    assert [one.id for one in select(ALL, only=only, skip=skip, level=level)] == ids


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("http/gett", "did you mean http/get"),
        ("htp/", "there are the areas http/"),
        ("http", "for all of the area write http/"),
        ("nothing", "there are the areas http/, submit/, ns/"),
        ("submit/x*z", "did you mean submit/"),
    ],
)
def test_what_names_no_case_is_an_error_that_helps(name: str, meant: str) -> None:
    """A name that fits nothing is told, with what may have been meant."""
    for names in ({"only": [name]}, {"skip": ["ns/odd", name]}):
        with pytest.raises(ValueError, match="names no case") as caught:
            select(ALL, **names)  # type: ignore[arg-type]
        assert str(caught.value).startswith(f"{name}: ")
        assert meant in str(caught.value)


# --- side by side -----------------------------------------------------------------------------------------------------

OLD = probed.report(
    result("a/same", "PASS"), result("a/worse", "PASS"), result("a/better", "FAIL"), result("a/hangs", "FAIL"),
    result("a/gone", "PASS"), result("a/skipped", "WARN"), result("a/judged", "SKIP"),
)  # fmt: skip
NEW = probed.report(
    result("a/same", "PASS"), result("a/worse", "WARN"), result("a/better", "INFO"), result("a/hangs", "HANG"),
    result("a/skipped", "ERROR"), result("a/judged", "PASS"), result("a/new", "PASS"),
)  # fmt: skip


def compared(*reports: Report) -> Comparison:
    """These reports side by side."""
    return compare([(f"{n}.json", one) for n, one in enumerate(reports)])


def test_changes_from_one_report_to_the_next() -> None:
    """What became worse, better, otherwise bad, new, and what is not judged any more."""
    found = compared(OLD, NEW)
    assert {one.id: one.kind for one in found.changes()} == {
        "a/worse": "worse", "a/better": "better", "a/hangs": "changed", "a/new": "new", "a/judged": "new",
        "a/gone": "gone", "a/skipped": "gone",
    }  # fmt: skip
    assert found.worse
    assert not compared(OLD, OLD).worse
    assert compared(OLD, OLD).changes() == ()


@pytest.mark.parametrize(("verdict", "worse"), [("PASS", False), ("WARN", False), ("FAIL", True), ("HANG", True)])
def test_new_failure_is_worse(verdict: Word, worse: bool) -> None:
    """A case that was not judged before and fails makes the newest report worse."""
    assert compared(probed.report(), probed.report(result("a/b", verdict))).worse == worse


def test_what_cannot_be_compared() -> None:
    """One report alone, and reports of different roles."""
    with pytest.raises(ValueError, match="two reports or more"):
        compared(OLD)
    with pytest.raises(ValueError, match="different roles"):
        compared(OLD, replace(NEW, role="vasp"))


@pytest.mark.parametrize("form", several.WRITERS)
@pytest.mark.parametrize("count", [2, 3])
def test_every_format_tells_all(form: str, count: int) -> None:
    """All formats name the changed cases of two reports, and every case of three; nothing hostile gets through."""
    evil = probed.report(*OLD.results, *probed.hostile().results)
    text = several.WRITERS[form](compared(OLD, evil, NEW) if count == 3 else compared(evil, NEW), None)
    for id in ("a/worse", "a/better", "a/hangs", "a/new", "a/gone"):
        assert id in text.replace("\\", "")
    assert not [one for one in text if not one.isprintable() and one != "\n"]
    if form == "html":
        assert lxml_html.fromstring(text).xpath("//script | //img | //@src | //@href | //@onerror") == []
    if form == "json":
        assert json.loads(text)["matrix"]["a/worse"] == ["PASS", "PASS", "WARN"][3 - count :]
    if form == "markdown":
        assert "<script" not in text.replace("\\<", "")
        rows = [line for line in text.splitlines() if line.startswith("| a/worse")]
        assert rows[-1] == "| a/worse | PASS | " + ("PASS | WARN |" if count == 3 else "WARN |")
