"""What real implementations sent, against the answers that people gave: ``check`` on every capture of the corpus.

The corpus is not part of the project; without it beside the checkout these tests are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mm7zeep.cli import main

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
ENOUGH = 0.95
"""Recall and precision of the topics, each."""
FIELDS = (
    "message_id", "status_code", "status_text", "mm_status", "sender", "recipients", "subject", "linked_id", "vaspid",
    "vasid", "service_code", "priority", "delivery_report", "content_href",
)  # fmt: skip
HEAD = ("operation", "transaction_id", "namespace", "mm7_version")

pytestmark = pytest.mark.skipif(not (CORPUS / "gold.json").is_file(), reason="the corpus is not here")

Object = dict[str, Any]


def checked(policy: str) -> dict[str, Object]:
    """The report on each capture, by file name."""
    done = CliRunner().invoke(main, ["check", "--format", "json", "--policy", policy, str(CORPUS)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 1, done.output
    return {Path(one["file"]).name: one for one in json.loads(done.stdout)["files"]}


@pytest.fixture(scope="module")
def gold() -> dict[str, Object]:
    """The answers that people gave, by file name."""
    found: dict[str, Object] = json.loads((CORPUS / "gold.json").read_text(encoding="utf-8"))
    assert len(found) > 40
    return found


@pytest.fixture(scope="module")
def reports() -> dict[str, Object]:
    """Ours, under the default policy."""
    return checked("interop")


def differences(gold: dict[str, Object], reports: dict[str, Object]) -> Iterator[str]:
    """Every field of every message that we read otherwise."""
    for name, wanted in gold.items():
        for key in (*HEAD, *FIELDS):
            found = reports[name][key] if key in HEAD else reports[name]["fields"][key]
            if found != wanted[key]:
                yield f"{name} {key}: {found!r}, not {wanted[key]!r}"


def test_all_are_reported(gold: dict[str, Object], reports: dict[str, Object]) -> None:
    """Searching the directory finds every capture and nothing else."""
    assert set(reports) == set(gold)


def test_verdicts(gold: dict[str, Object], reports: dict[str, Object]) -> None:
    """Each verdict is that of the people."""
    wrong = {name: one["why"] for name, one in gold.items() if reports[name]["verdict"] != one["verdict"]}
    assert wrong == {}


def test_strict_verdicts(gold: dict[str, Object]) -> None:
    """So is each verdict under the strict policy."""
    reports = checked("strict")
    assert {name: one["why"] for name, one in gold.items() if reports[name]["verdict"] != one["strict"]} == {}


def test_fields(gold: dict[str, Object], reports: dict[str, Object]) -> None:
    """Every field of every message is read as people read it."""
    assert list(differences(gold, reports)) == []


def test_parts(gold: dict[str, Object], reports: dict[str, Object]) -> None:
    """Every part is there, in order, decoded to the last octet."""
    assert {name: reports[name]["parts"] for name in gold} == {name: one["parts"] for name, one in gold.items()}


def test_topics(gold: dict[str, Object], reports: dict[str, Object]) -> None:
    """What is unusual about a message is seen, and nothing that is not."""
    hits = missed = extra = 0
    lines = []
    for name, one in gold.items():
        found = {each["topic"] for each in reports[name]["findings"]} - {None}
        wanted = set(one["topics"])
        hits, missed, extra = hits + len(found & wanted), missed + len(wanted - found), extra + len(found - wanted)
        if found != wanted:
            lines.append(f"{name}: missed {sorted(wanted - found)}, not asked for {sorted(found - wanted)}")
    recall, precision = hits / (hits + missed), hits / (hits + extra)
    print(f"{len(gold)} captures: recall {recall:.3f}, precision {precision:.3f} of the topics", *lines, sep="\n")  # noqa: T201
    assert recall >= ENOUGH, lines
    assert precision >= ENOUGH, lines


def test_lenient_and_text(gold: dict[str, Object]) -> None:
    """The lenient policy refuses nothing that interop accepts; the text report survives every capture."""
    reports = checked("lenient")
    assert [
        name for name, one in gold.items() if one["verdict"] == "accept" and reports[name]["verdict"] != "accept"
    ] == []
    done = CliRunner().invoke(main, ["check", str(CORPUS)])
    assert f"{len(gold)} messages: " in done.stdout
    assert "Authorization: Basic ***" in done.stdout or "Authorization" not in done.stdout
