"""``mm7zeep explain``: findings, groups of them, topics and status codes; and what to do about a wrong name."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from mm7zeep.cli import main
from mm7zeep.findings import KINDS
from mm7zeep.status import STATUS_CODES


def run(id: str) -> tuple[int, str]:
    """Exit status and all that was said."""
    done = CliRunner().invoke(main, ["explain", id])
    return done.exit_code, done.output


@pytest.mark.parametrize("id", KINDS)
def test_every_finding_is_explained(id: str) -> None:
    """Each kind tells what is wanted, what to do, and the source; never a clause we are unsure of."""
    code, said = run(id)
    kind = KINDS[id]
    assert code == 0
    assert said.startswith(f"{id}\n")
    assert kind.summary in said
    assert kind.fix in said
    assert ("by common reading" in said) == kind.unsure


@pytest.mark.parametrize("number", STATUS_CODES)
def test_every_status_is_explained(number: int) -> None:
    """Each code tells its text and meaning."""
    code, said = run(str(number))
    assert code == 0
    assert said.startswith(f"{number} {STATUS_CODES[number].text}\n")


def test_other_codes() -> None:
    """A code that no table has is taken by its class, and said to be a vendor's where it may be one."""
    assert "vendor's own" in run("2550")[1]
    assert "2000 Client error" in run("2550")[1]
    assert "mm7zeep" not in run("2550")[1]
    said = run("2610")[1]
    assert "vendor's own" in said
    assert "from mm7zeep's gateway: Recipient opted out: the recipient wants nothing more from this sender" in said
    assert "do not send the same request again" in said
    assert "3000 Server Error" in run("9999")[1]
    assert "vendor" not in run("2101")[1]
    assert "may succeed later" in run("4006")[1]
    assert run("0")[0] == 2


def test_groups_and_topics() -> None:
    """The beginning of several ids, or a topic, lists them."""
    code, said = run("sem/smil")
    assert code == 0
    assert [line.split()[0] for line in said.splitlines()] == [id for id in KINDS if id.startswith("sem/smil")]
    assert run("child-order")[1].startswith("schema/order ")


@pytest.mark.parametrize(
    ("wrong", "close"),
    [("schema/ordr", "schema/order"), ("order", "schema/order"), ("SEM/SMIL-ROOT", "sem/smil-root")],
)
def test_suggestions(wrong: str, close: str) -> None:
    """A wrong name ends with 2 and names what is close."""
    code, said = run(wrong)
    assert code == 2
    assert f"did you mean {close}" in said or f" {close}" in said


def test_nothing_close() -> None:
    """Where nothing is close, it tells how to look."""
    assert run("qqqqqq") == (2, run("qqqqqq")[1])
    assert "mm7zeep explain sem/" in run("qqqqqq")[1]
