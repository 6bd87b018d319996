"""The report of a run in a browser: read with and without JavaScript, in light and dark, on a phone and on paper."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import probed
import pytest
from browser import Axe, Visit, Visitor

from mm7zeep.probe import baseline
from mm7zeep.probe.compare import compare
from mm7zeep.probe.reports import several, written
from mm7zeep.probe.reports.mask import Mask
from mm7zeep.probe.results import Reason, Report

pytestmark = pytest.mark.browser

MASK = Mask.of(probed.SETTINGS)


def page(folder: Path, report: Report) -> str:
    """The report as a file; its URL."""
    judged = baseline.judge(report, today=date(2026, 11, 28))
    path = folder / "report.html"
    path.write_text(written(judged, "html", MASK), encoding="utf-8")
    return path.as_uri()


def full() -> Report:
    """Every verdict, with a place marked and much that does not fit into a line."""
    found = Reason(level="MUST", text="answered 200", expected="405", actual="x" * 300, exchange=0, offset=9)
    data = probed.answer(b"<x>" + b"y" * 3000 + b"</x>")
    one = probed.result(
        "http/marked", "FAIL", reasons=(found,), transmissions=(probed.exchange(probed.request(b"<a/>"), data),)
    )
    return probed.report(one, *probed.every().results, *probed.hostile().results)


def visible(seen: Visit) -> list[str]:
    """The ids of the results that are shown."""
    script = (
        "() => [...document.querySelectorAll('details.result')].filter((o) => o.checkVisibility()).map((o) => o.id)"
    )
    found: list[str] = seen.page.evaluate(script)
    return found


def calm(seen: Visit) -> None:
    """Nothing left the page, and nothing of a peer's ran in it."""
    assert [one for one in seen.requests if not one.startswith("file:")] == []
    assert (seen.console, seen.errors, seen.dialogs, seen.pages) == ([], [], [], [])


def test_filters(visit: Visitor, tmp_path: Path) -> None:
    """By verdict, level, area and text; a number of the matrix chooses its cell; an address opens its result."""
    report = full()
    seen = visit(page(tmp_path, report))
    count = len(report.results)
    assert len(visible(seen)) == count
    for verdict in ("FAIL", "SKIP"):
        seen.page.uncheck(f"input[name=verdict][value={verdict}]")
    assert "http/get" not in visible(seen)
    assert seen.page.inner_text("#told") == f"{len(visible(seen))} of {count} shown"
    seen.page.click("button[type=reset]")
    seen.until(f"document.getElementById('told').textContent.startsWith('{count} of')")
    seen.page.uncheck("input[name=level][value=MUST]")
    assert visible(seen) == ["submit/b", "submit/c"]
    seen.page.click("button[type=reset]")
    seen.page.select_option("select[name=area]", "auth")
    assert sorted(visible(seen)) == ["auth/none", "auth/other"]
    seen.page.click("button[type=reset]")
    seen.page.fill("input[name=text]", "NO CHARSET")
    assert visible(seen) == ["submit/b"]
    seen.page.click("a[data-area=http][data-verdict=HANG]")
    seen.page.fill("input[name=text]", "")
    assert visible(seen) == ["http/slow"]
    again = visit(page(tmp_path, report) + "#http/marked")
    assert again.page.get_attribute("details[id='http/marked']", "open") is not None
    calm(seen)
    calm(again)


def test_reads_without_javascript(visit: Visitor, tmp_path: Path) -> None:
    """All is there, opens and closes; the filters, which could do nothing, are not."""
    seen = visit(page(tmp_path, full()), java_script_enabled=False)
    assert not seen.page.is_visible("#filters")
    assert seen.page.locator("details.result").count() == len(full().results)
    marked = seen.page.locator("details[id='http/marked']")
    marked.locator("summary").first.click()
    assert marked.locator("mark").first.is_visible()
    calm(seen)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_looks_and_is_accessible(visit: Visitor, axe: Axe, tmp_path: Path, scheme: str, width: int) -> None:
    """No wider than the screen, in either scheme, and axe-core finds nothing. MM7ZEEP_TEST_PICTURES names a folder that
    pictures are put into.
    """
    seen = visit(page(tmp_path, full()), color_scheme=scheme, viewport={"width": width, "height": 900})
    seen.page.evaluate("() => { for (const one of document.querySelectorAll('details')) one.open = true; }")
    assert seen.page.evaluate("() => document.documentElement.scrollWidth") <= width
    if folder := os.environ.get("MM7ZEEP_TEST_PICTURES"):
        seen.page.screenshot(path=Path(folder) / f"report-{scheme}-{width}.png", full_page=True)
    calm(seen)
    assert axe(seen.page) == []


def test_on_paper(visit: Visitor, tmp_path: Path) -> None:
    """Printed, what did not pass is shown in full, and the filters are not."""
    seen = visit(page(tmp_path, full()))
    seen.page.emulate_media(media="print")
    assert not seen.page.is_visible("#filters")
    shown = (
        "() => document.querySelector(\"details[id='http/marked'] dl\").checkVisibility({contentVisibilityAuto: true})"
    )
    assert json.dumps(seen.page.evaluate(shown)) == "true"
    calm(seen)


def test_comparison_looks_and_is_accessible(visit: Visitor, axe: Axe, tmp_path: Path) -> None:
    """Reports side by side, too."""
    path = tmp_path / "compare.html"
    path.write_text(several.as_html(compare([("a", probed.every()), ("b", full()), ("c", full())])), encoding="utf-8")
    seen = visit(path.as_uri(), color_scheme="dark", viewport={"width": 390, "height": 900})
    assert seen.page.evaluate("() => document.documentElement.scrollWidth") <= 390
    if folder := os.environ.get("MM7ZEEP_TEST_PICTURES"):
        seen.page.screenshot(path=Path(folder) / "compare.png", full_page=True)
    calm(seen)
    assert axe(seen.page) == []
