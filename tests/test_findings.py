"""The table of finding kinds: one sorted module per prefix, each id once."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from mm7zeep import findings

MODULES = sorted(one.name for one in pkgutil.iter_modules(findings.__path__) if one.name != "kind")


def test_each_module_is_a_table() -> None:
    """No module of rows is left out of the table, and the table has no other."""
    assert sorted(findings.TABLES) == MODULES


@pytest.mark.parametrize("prefix", MODULES)
def test_rows_are_sorted_and_in_their_module(prefix: str) -> None:
    """The rows of a module have its name as prefix, are sorted by id, and no id occurs twice."""
    ids = [row.id for row in importlib.import_module(f"mm7zeep.findings.{prefix}").ROWS]
    assert ids
    assert {one.partition("/")[0] for one in ids} == {prefix}
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("id", [id for id, kind in findings.KINDS.items() if kind.needs != "fit"])
def test_what_to_do_says_what_and_where(id: str) -> None:
    """A fix is an instruction that stands without the sentence before it: what to do, and to what."""
    fix = findings.KINDS[id].fix
    assert len(fix.split()) > 2, fix
    assert not fix.startswith(("fix", "correct it", "repair", "make equal")), fix


@pytest.mark.parametrize("id", findings.KINDS)
def test_source_names_its_document(id: str) -> None:
    """No clause is a bare number, of which a reader cannot know the text."""
    assert all(not one[:1].isdigit() for one in findings.KINDS[id].source.split("; "))


def test_cited() -> None:
    """Each clause of several has its document."""
    assert findings.cited("8.7.1; XSD 6/1-2") == "TS 23.140 8.7.1; XSD 6/1-2"
    assert findings.cited("SOAP 1.1 6; 8.7.8.1") == "SOAP 1.1 6; TS 23.140 8.7.8.1"
    assert findings.cited("practice") == "practice"


def test_listed() -> None:
    """As many as there is room for, at most eight, always the first; how many more there are is said."""
    assert findings.listed([], ", ".join) == ""
    assert findings.listed(["a", "b"], ", ".join) == "a, b"
    assert findings.listed(list("abcdefghij"), ", ".join) == "a, b, c, d, e, f, g, h, and 2 more"
    assert findings.listed(["x" * 70] * 3, ", ".join) == "x" * 70 + ", " + "x" * 70 + ", and 1 more"
    assert findings.listed(["x" * 200, "b"], ", ".join) == "x" * 200 + ", and 1 more"


def test_kinds_are_all_rows() -> None:
    """``KINDS`` has every row under its id."""
    rows = [row for rows in findings.TABLES.values() for row in rows]
    assert list(findings.KINDS.values()) == rows
    assert list(findings.KINDS) == [row.id for row in rows]
