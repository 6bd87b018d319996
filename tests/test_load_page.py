"""The page of a load run in Chromium: in light and dark, on desk and phone."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from browser import Axe, Visitor

from mm7zeep.load import Plan, Schedule, page
from mm7zeep.load.ledger import Ledger
from mm7zeep.load.result import Result
from mm7zeep.load.tally import Tally

pytestmark = pytest.mark.browser


def written(folder: Path) -> Path:
    """A page with all that a page can have."""
    schedule = Schedule(rate=200, duration=30, ramp=10)
    plan = Plan(url="http://127.0.0.1:8007/mm7?a=1", address="127.0.0.1", schedule=schedule, numbers=("+447700900001",))
    tally, chance = Tally(sent=5000, answered=4980, succeeded=4970, late=3, unsent=4, last_sent=30.0), random.Random(1)
    tally.processor.append(0.95)
    for name in ("submit", "cancel", "replace"):
        tally.codes[name, 1000] = 1500
        tally.codes[name, 2005] = 10
    tally.errors.update({"timeout": 10, "MM7 2005": 30, "answer to another operation": 1})
    for n in range(5000):
        moment, latency = chance.uniform(0, 30), chance.lognormvariate(-4, 1)
        slot = tally.slot(int(moment / plan.width))
        slot.sent += 1
        slot.answered += n % 50 != 0
        slot.failed += n % 50 == 0
        slot.latency.add(latency)
        tally.latency.add(latency)
        tally.delay.add(latency / 100)
    ledger = Ledger()
    ledger.accept("m-" + "x" * 60, ("+447700900001",))
    result = Result(plan=plan, tally=tally, began=datetime(2026, 5, 1, tzinfo=UTC), account=ledger.account())
    file = folder / "load.html"
    file.write_text(page.render(result), encoding="utf-8")
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_page_can_be_read(tmp_path: Path, visit: Visitor, axe: Axe, scheme: str, width: int) -> None:
    """axe-core finds nothing, nothing is wider than the screen or fetched, and the words in charts are not tiny."""
    file = written(tmp_path)
    found = visit(file.as_uri(), color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True)
    assert axe(found.page) == []
    assert found.page.evaluate("document.documentElement.scrollWidth") <= width
    assert found.requests == [file.as_uri()]
    heights = found.page.eval_on_selector_all("svg text", "all => all.map(one => one.getBoundingClientRect().height)")
    assert min(heights) >= 11
    assert len(heights) > 20


def test_page_obeys_its_own_policy(tmp_path: Path, visit: Visitor) -> None:
    """The page's Content-Security-Policy refuses nothing of what it holds."""
    found = visit(written(tmp_path).as_uri())
    assert found.console == []
    assert found.errors == []
