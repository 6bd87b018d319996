"""``mm7zeep profiles`` and the page that is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from made_docs import is_current

from mm7zeep.cli import main
from mm7zeep.profiles import CARRIERS

DOCS = Path(__file__).parents[1] / "docs"


def run(*words: str) -> Result:
    """What the command prints."""
    return CliRunner().invoke(main, ["profiles", *words])


def test_list() -> None:
    """Each carrier has a line with what it takes; nothing stands where nothing is stated."""
    lines = run().stdout.splitlines()
    assert lines[0].split() == ["name", "schema", "version", "size", "parts", "subject", "recipients"]
    assert [line.split()[0] for line in lines[1:]] == list(CARRIERS)
    rows = {line.split()[0]: line.split()[3:] for line in lines[1:]}
    assert rows["telnyx"] == ["600,000", "10", "-", "8"]
    assert rows["fibernetics"] == ["-"] * 4


@pytest.mark.parametrize("name", [*CARRIERS, "REL-5-MM7-1-3"])
def test_one(name: str) -> None:
    """All of one: each limit with value, document and date; as JSON the same."""
    done = run(name)
    assert done.stdout.startswith(f"{name}: REL-")
    found = json.loads(run(name, "--json").stdout)
    assert found["name"] == name
    for limit, stated in found["limits"].items():
        value = getattr(CARRIERS[name], limit)
        assert stated["value"] == (list(value) if isinstance(value, tuple) else value)
        assert f"{stated['source']}, {stated['date'] or 'undated'}" in done.stdout
        assert (f"{value:,}" if isinstance(value, int) else ", ".join(value)) in done.stdout
    assert ("it states no limit" in done.stdout) is (found["limits"] == {})


def test_all_as_json() -> None:
    """The list of all."""
    assert [one["name"] for one in json.loads(run("--json").stdout)] == list(CARRIERS)


def test_unknown() -> None:
    """A name that no profile has is wrong usage; those that are known are named."""
    done = run("nobody")
    assert done.exit_code == 2
    assert "no profile 'nobody'; known are generic-5.3.0" in done.stderr


def test_page_is_up_to_date() -> None:
    """docs/profiles.md is what its program makes."""
    assert is_current("make_profiles"), "run docs/make_profiles.py"
