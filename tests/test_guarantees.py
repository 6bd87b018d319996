"""docs/guarantees.md: its numbers are the code's, the tests it names exist, and other pages lead to it."""

from __future__ import annotations

import ast
import configparser
import re
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")
from mm7zeep.envelope.door import XmlLimits
from mm7zeep.gateway import admissible, clock, engine, lengths, outbox, protocol, readiness, supervisor
from mm7zeep.gateway.settings import Settings
from mm7zeep.transport import inbound

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT.joinpath("docs", "guarantees.md").read_text(encoding="utf-8")
UNITS = {"": 1, "KiB": 1024, "MiB": 1024**2, "s": 1, "min": 60, "h": 3600, "d": 86400}
ROWS = re.findall(r"(?m)^\| ([^|]+) \| (?:`([a-z_.]+)`|fixed) \| ([\d,.]+) ?(KiB|MiB|s|min|h|d|) \|$", PAGE)
FIXED = {
    "depth of XML": XmlLimits().depth,
    "elements": XmlLimits().elements,
    "recipients": admissible.MOST_RECIPIENTS,
    "characters of a text": lengths.LONGEST_TEXT,
    "characters of an unknown element": lengths.LONGEST_EXTENSION,
    "characters of an address": admissible.LONGEST_ADDRESS,
    "octets of one connection that wait behind a request": protocol.READ,
    "wait for a lock of the database": engine.LOCK_WAIT,
    "write that shows readiness": readiness.PATIENCE,
    "jump of the clock": clock.JUMP,
    "steady time that confirms it": clock.STEADY,
    "worker without a heartbeat, before it is killed": supervisor._HUNG,
    "octets of an answer that a dead letter keeps": outbox.KEPT,
    "head of an answer": inbound.HEAD,
    "fields of an answer's head": inbound.FIELDS,
}
HOURS = {"retention.duplicates"}
"""Settings that are counted in hours."""


def default(name: str) -> float:
    """The default of a setting, by its name in the configuration; durations in seconds."""
    found: object = Settings()
    for step in name.split("."):
        found = getattr(found, step)
    assert isinstance(found, int | float)
    return found * 3600 if name in HOURS else found


@pytest.mark.parametrize(("limit", "setting", "number", "unit"), ROWS, ids=[row[0] for row in ROWS])
def test_numbers_are_the_defaults(limit: str, setting: str, number: str, unit: str) -> None:
    """Each number of the limits is the default of its setting, or what the code has."""
    shown = float(number.replace(",", "")) * UNITS[unit]
    assert shown == (default(setting) if setting else FIXED[limit])


def test_every_limit_is_compared() -> None:
    """No row of the table has a form that the comparison overlooks, and none is missing."""
    table = PAGE.partition("| Limit | Setting | Default |\n|---|---|---|\n")[2].partition("\n\n")[0]
    assert len(table.splitlines()) == len(ROWS)
    assert {limit for limit, setting, *_ in ROWS if not setting} == FIXED.keys()


def test_waits_are_the_defaults() -> None:
    """The waits between attempts, and how much they are changed, are those of the settings."""
    said = re.search(r"retried after (.+?), each changed by up to (\d+) %", PAGE)
    assert said is not None
    waits = re.findall(r"(\d+) (s|min|h)\b", said[1])
    assert tuple(int(number) * UNITS[unit] for number, unit in waits) == Settings().delivery.waits
    assert int(said[2]) / 100 == Settings().delivery.spread


def test_named_tests_exist() -> None:
    """Each test that the page names is a function of that file, and each tox environment exists."""
    named = set(re.findall(r"`(test_\w+)::(test_\w+)`", PAGE))
    assert len(named) > 80
    functions = {
        file: {
            node.name
            for node in ast.parse(ROOT.joinpath("tests", f"{file}.py").read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        for file, _ in named
    }
    assert sorted(f"{file}::{name}" for file, name in named if name not in functions[file]) == []
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    environments = set(re.findall(r"`tox -e (\w+)`", PAGE))
    assert environments <= {section.removeprefix("testenv:") for section in tox.sections()}
    assert {"attack", "services", "soak", "storm"} == environments


def test_every_promise_names_its_test() -> None:
    """Each row of a table of promises names at least one test."""
    rows = [row for row in PAGE.splitlines() if row.startswith("| ") and not re.match(r"\| (Promise|Area|Limit) ", row)]
    promises = [row for row in rows if not re.search(r"\| [\d,.]+ ?(KiB|MiB|s|min|h|d|) \|$", row)]
    assert len(promises) > 40
    assert [row for row in promises if "::" not in row.rsplit(" | ", 1)[1]] == []


@pytest.mark.parametrize("page", ["README.md", "docs/gateway.md"])
def test_other_pages_lead_to_it(page: str) -> None:
    """README and the gateway's page link to this one."""
    assert "guarantees.md)" in ROOT.joinpath(page).read_text(encoding="utf-8")
