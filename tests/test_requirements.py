"""The register of requirements: each row is tested by something that exists, or says why nothing tests it."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from made_docs import is_current

from mm7zeep import requirements
from mm7zeep.findings import KINDS
from mm7zeep.probe.cases import ALL
from mm7zeep.probe.common import COMMON
from mm7zeep.requirements import (
    REQUIREMENTS,
    SOURCES,
    UNSURE_CLAUSES,
    WITHOUT_REQUIREMENT,
    Binds,
    Level,
    Requirement,
    Unsure,
)
from mm7zeep.requirements.requirement import row

ROOT = Path(__file__).resolve().parent.parent
ROWS = tuple(REQUIREMENTS.values())
CASES = frozenset({one.id for one in ALL} | {one.id for one in COMMON})
"""The ids of ``mm7zeep probe``: its cases, and what it asserts of every answer."""


@cache
def functions(file: str) -> frozenset[str]:
    """The tests at the top of a file of tests, without running it."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    body = ast.parse(path.read_text(encoding="utf-8")).body
    found = (node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in found if name.startswith("test_"))


def complaints(one: Requirement) -> list[str]:
    """What is wrong with a row by itself, and with the rules and tests that it names."""
    wrong = []
    if not re.fullmatch(r"[a-z][a-z0-9]*-[A-Za-z0-9.]+-[1-9][0-9]*", one.id) or one.source not in SOURCES:
        wrong.append("id")
    if (
        one.source == "ts23140"
        and not one.clause.startswith("8.7")
        and (one.clause not in UNSURE_CLAUSES or not one.unsure)
    ):
        wrong.append("clause")
    if one.level not in get_args(Level) or one.binds not in get_args(Binds) or one.unsure not in get_args(Unsure):
        wrong.append("word")
    if not one.text or one.text != one.text.strip() or one.text.endswith(".") or "\n" in one.text:
        wrong.append("text")
    named = [*one.rules, *one.cases, *one.tests]
    if bool(named) == bool(one.untested.strip()) or len(named) != len(set(named)):
        wrong.append("tested by")
    wrong += [f"no rule {rule}" for rule in one.rules if rule not in KINDS]
    for test in one.tests:
        file, _, function = test.partition("::")
        if function not in functions(file):
            wrong.append(f"no test {test}")
    return [f"{one.id}: {what}" for what in wrong]


def test_rows() -> None:
    """Each row has its parts in order, and either names what tests it, which exists, or says why nothing does."""
    assert [what for one in ROWS for what in complaints(one)] == []


GOOD = row("soap11-4-1", "MUST", "sender", "an envelope", rules="soap/structure", tests="test_requirements::test_rows")


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"id": "soap11-4"}, "id"),
        ({"id": "soap11-4-0"}, "id"),
        ({"id": "soap12-4-1"}, "id"),
        ({"id": "ts23140-8.9-1"}, "clause"),
        ({"id": "ts23140-binding-1"}, "clause"),
        ({"level": "SHALL"}, "word"),
        ({"binds": "everybody"}, "word"),
        ({"unsure": "perhaps"}, "word"),
        ({"text": "An envelope."}, "text"),
        ({"text": ""}, "text"),
        ({"rules": (), "tests": ()}, "tested by"),
        ({"untested": "it is"}, "tested by"),
        ({"rules": ("soap/structure", "soap/structure")}, "tested by"),
        ({"rules": ("soap/structures",)}, "no rule soap/structures"),
        ({"tests": ("tests/test_requirements.py::test_row",)}, "no test tests/test_requirements.py::test_row"),
        ({"tests": ("tests/test_requirement.py::test_rows",)}, "no test tests/test_requirement.py::test_rows"),
    ],
)
def test_wrong_rows_are_seen(changed: dict[str, object], wrong: str) -> None:
    """The check of rows can fail, at each of its points."""
    values = {name: getattr(GOOD, name) for name in Requirement.__slots__}
    assert complaints(GOOD) == []
    bad = Requirement(**values | changed)
    assert complaints(bad) == [f"{bad.id}: {wrong}"]


def test_a_test_needs_its_file() -> None:
    """A test is written with its file, or refused where the row is made."""
    with pytest.raises(ValueError, match=r"soap11-4-1 names the test 'test_rows'; write test_file::test_function"):
        row("soap11-4-1", "MUST", "sender", "an envelope", tests="test_rows")


def test_every_row_is_in_the_register() -> None:
    """No id stands twice, and no module of rows was forgotten."""
    modules = [one.name for one in pkgutil.iter_modules(requirements.__path__) if one.name != "requirement"]
    ids = [one.id for name in modules for one in importlib.import_module(f"mm7zeep.requirements.{name}").ROWS]
    assert [id for id, times in Counter(ids).items() if times > 1] == []
    assert set(ids) == set(REQUIREMENTS)
    assert len(ids) >= 350


def test_numbers_of_a_clause_run_on() -> None:
    """Within a clause rows are numbered 1, 2, 3 ..., so that a row that was lost is noticed."""
    numbers: dict[str, list[int]] = {}
    for one in ROWS:
        clause, _, number = one.id.rpartition("-")
        numbers.setdefault(clause, []).append(int(number))
    assert {clause: found for clause, found in numbers.items() if found != list(range(1, len(found) + 1))} == {}


def test_every_source_demands_something() -> None:
    """No source is listed that no row cites."""
    assert set(SOURCES) == {one.source for one in ROWS}


def test_every_rule_has_a_requirement() -> None:
    """Each kind of finding is named by a row, or listed with the reason why no text stands behind it; never both."""
    named = {rule for one in ROWS for rule in one.rules}
    assert sorted(named ^ set(KINDS)) == sorted(WITHOUT_REQUIREMENT)
    assert all(WITHOUT_REQUIREMENT.values())


def test_no_level_is_below_its_rule() -> None:
    """A rule of level MUST is named by at least one row of level MUST, or stands without a requirement."""
    strict = {rule for one in ROWS if one.level == "MUST" for rule in one.rules}
    musts = {kind.id for kind in KINDS.values() if kind.level == "MUST"}
    assert sorted(musts - strict - set(WITHOUT_REQUIREMENT)) == []


def unknown(named: Iterable[str], known: Iterable[str]) -> list[str]:
    """Those of the named cases that stand for none of the known ids, neither for one nor for forms under one."""
    ids = list(known)
    return sorted(one for one in named if not any(fnmatchcase(id, one) or fnmatchcase(id, f"{one}/*") for id in ids))


def test_unknown_cases_are_seen() -> None:
    """A name stands for its id, for ids under it, or by ``*`` for several; anything else is unknown."""
    known = ["submit/priority/low", "read/read", "ns/rel5-1-0"]
    assert unknown(["submit/priority/low", "submit/priority", "ns/rel*", "read/read"], known) == []
    assert unknown(["submit/prio", "read/reads", "ns/rel6*"], known) == [
        "ns/rel6*",
        "read/reads",
        "submit/prio",
    ]


def test_every_case_exists() -> None:
    """Each case that a row names is one of ``mm7zeep probe``."""
    assert unknown({case for one in ROWS for case in one.cases}, CASES) == []


def test_documented() -> None:
    """docs/requirements.md is what docs/make_requirements.py makes of the register as it is now."""
    assert is_current("make_requirements"), "run docs/make_requirements.py"
