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


def test_kinds_are_all_rows() -> None:
    """``KINDS`` has every row under its id."""
    rows = [row for rows in findings.TABLES.values() for row in rows]
    assert list(findings.KINDS.values()) == rows
    assert list(findings.KINDS) == [row.id for row in rows]
