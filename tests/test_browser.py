"""The browser of the tests notices what it is there for: a page that misbehaves, and one that not everybody can use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import Axe, Visitor
from http_site import Answers, served

pytestmark = pytest.mark.browser

FINE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>Fine</title>
<main><h1>Fine</h1><p>Nothing to see.</p><img src="/dot.svg" alt="A dot"></main></html>"""
ODD = b"""<!doctype html><html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Odd</title>
<main><h1>Odd</h1><img src="/dot.svg"></main></html>"""
BAD = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Bad</title>
<main><h1>Bad</h1><img src="http://media.example/spy.gif" alt=""></main><script>
console.error("spoken"); setTimeout(() => { throw new Error("thrown") }); alert("asked"); open("/fine")</script>"""
PAGES = {"/fine": FINE, "/odd": ODD, "/bad": BAD}
STRICT = "default-src 'none'; img-src 'self' data:"


class Page(Answers):
    """The pages above; all but the bad one allow no script."""

    def do_GET(self) -> None:
        dot = self.path == "/dot.svg"
        found = b"<svg xmlns='http://www.w3.org/2000/svg'/>" if dot else PAGES.get(self.path, b"")
        policy = {} if self.path == "/bad" else {"Content_Security_Policy": STRICT}
        self.answer(200 if found else 404, found, Content_Type="image/svg+xml" if dot else "text/html", **policy)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Where the pages are."""
    with served(Page) as url:
        yield url


def test_a_page_that_behaves(site: str, visit: Visitor, axe: Axe) -> None:
    """Nothing is held against it, and axe-core judges it although it allows no script."""
    found = visit(f"{site}/fine")
    assert axe(found.page) == []
    assert found.requests == [f"{site}/fine", f"{site}/dot.svg"]
    assert found.offences() == []


def test_a_page_that_does_not(site: str, visit: Visitor) -> None:
    """Requests elsewhere, complaints, exceptions, dialogs and windows are noticed, and nothing leaves the machine."""
    found = visit(f"{site}/bad")
    found.until("document.readyState == 'complete'")
    found.page.wait_for_timeout(300)
    offences = found.offences()
    assert "request: http://media.example/spy.gif" in offences
    assert "console: spoken" in offences
    assert "dialog: asked" in offences
    assert any(one.startswith("error: ") and "thrown" in one for one in offences)
    assert any(one.startswith("window: ") for one in offences)
    assert any("ERR_NAME_NOT_RESOLVED" in one for one in offences)


def test_refusals_of_the_policy_are_noticed(site: str, visit: Visitor) -> None:
    """A style that the Content-Security-Policy refuses is a complaint."""
    found = visit(f"{site}/fine")
    found.page.evaluate("document.querySelector('p').setAttribute('style', 'color: red')")
    assert [one[:16] for one in found.offences()] == ["console: Applyin"]


def test_what_axe_finds(site: str, visit: Visitor, axe: Axe) -> None:
    """A picture without a description, and a page without a language, are violations; each says where."""
    found = axe(visit(f"{site}/odd").page)
    assert sorted(one.partition(" ")[0] for one in found) == ["html-has-lang", "image-alt"]
    assert any("image-alt (critical): img: " in one for one in found)
