"""docs/elements.md: made by running, up to date, and nothing is lost on the way but what is named here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from made_docs import made_by

DOCS = Path(__file__).parents[1] / "docs"
NOT_SHOWN = {
    "MMSRelayServerID": "of whoever brought it; the gateway gives its own",
    "Bcc": "an upstream's: nobody is told",
    "SenderIdentification/VASID": "of a cancel, which is not kept",
    "SenderIdentification/SenderAddress": "of a cancel or a replace, which are not messages",
    "AuxApplicInfo": "of a cancel, which is not kept",
}
"""What REST need not show, and why."""


@pytest.fixture(scope="module")
def make_elements() -> Iterator[ModuleType]:
    """The script."""
    with made_by("make_elements") as module:
        yield module


@pytest.mark.once
def test_page_is_what_a_gateway_does(make_elements: ModuleType) -> None:
    """Each element of each operation is sent through a gateway: docs/elements.md says what became of it."""
    assert (DOCS / "elements.md").read_text(encoding="utf-8") == make_elements.text(), "run docs/make_elements.py"


def test_nothing_is_lost(make_elements: ModuleType) -> None:
    """Every element that the other side has a place for is passed on, or stands for something of the gateway's own."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (DOCS / "elements.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| Element")
    ]
    assert len(rows) == sum(len(list(one.elements())) for one in make_elements.DIRECTIONS)
    assert [row for row in rows if row[2] == "no"] == []
    assert {row[2] for row in rows} - {"yes", "no place"} <= set(make_elements.OURS.values())
    assert {row[0] for row in rows if row[1] == "no"} <= set(NOT_SHOWN)


def test_lost_value_is_seen(make_elements: ModuleType) -> None:
    """The table can say no: a value that does not arrive, or arrives as another, is neither passed on nor shown."""
    request = make_elements.DeliveryReportReq(
        message_id="m", recipient="+1", sender="1", mm_status="Retrieved", status_text="other"
    )
    assert make_elements._passed(request, "status_text", "status_text") == "no"
    assert make_elements._passed(None, "status_text", "status_text") == "no"
    assert make_elements._passed(request, "subject", "x") == "no place"
    assert make_elements._shown("{}", "{}", "status_text") == "no"
    assert make_elements._shown("{}", "{}", False) == "no"
