"""Pages in a browser that hear of changes: while the gateway does not answer, and where there is something wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("uvicorn")
pytest.importorskip("jinja2")
pytest.importorskip("PIL")

from browser import Visit, Visitor
from gateway_room import ONE, SUBMIT, Room

from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.viewer.app import listener_app
from mm7zeep.messages import Part

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

BROKEN = Part(body=b"\xff\xd8\xffno picture", content_type="image/jpeg", content_id="p@x")


@pytest.fixture
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A gateway with a message."""
    made = Room(tmp_path_factory.mktemp("live"))
    made.submitted()
    yield made
    made.gateway.close()


@pytest.fixture
def url(room: Room) -> Iterator[str]:
    """Where its pages are."""
    with ExitStack() as stack:
        yield stack.enter_context(serve_in_thread(listener_app(room.gateway)))


def away(page: Page, url: str, *, status: int) -> list[str]:
    """Have a proxy answer for the gateway; the requests that it answered, as they come."""
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        route.fulfill(status=status, body="<h1>no backend</h1>", content_type="text/html")

    page.route(url, answer)
    return asked


def hears(found: Visit) -> None:
    """Wait until the page hears of changes."""
    found.until("document.documentElement.dataset.connected === 'yes'")
    found.page.evaluate("window.loadedOnce = true")


def test_a_gateway_that_is_away_is_asked_once_at_a_time(url: str, visit: Visitor) -> None:
    """Behind a proxy that answers 502, a page asks at one pace, and not more and more often."""
    found = visit("about:blank")
    page = found.page
    page.clock.install()
    page.route("**/events", lambda route: route.fulfill(status=502))
    page.goto(url)
    asked = away(page, f"{url}/", status=502)
    for _ in range(60):
        page.clock.run_for(1000)
        page.wait_for_timeout(20)
    assert page.locator("#lost").is_visible()
    assert 6 <= len(asked) <= 30  # of a minute; each failure had its own next try, which makes 80


def test_a_page_that_fails_is_asked_at_one_pace_whatever_happens(room: Room, url: str, visit: Visitor) -> None:
    """News do not hasten the next try of a page that fails; once it is answered, it shows all that it missed."""
    found = visit(url)
    hears(found)
    asked = away(found.page, f"{url}/", status=500)
    for n in range(6):
        room.submitted(replace(SUBMIT, subject=f"Missed {n}"))
        found.page.wait_for_timeout(600)
    assert found.page.locator("#lost").is_visible()
    assert len(asked) == 1
    found.page.unroute(f"{url}/")
    found.page.get_by_text("Missed 5").wait_for()
    assert not found.page.locator("#lost").is_visible()
    assert found.page.evaluate("window.loadedOnce")


def test_a_proxy_s_own_page_is_no_answer_of_the_gateway(room: Room, url: str, visit: Visitor) -> None:
    """Where a proxy answers 404 by itself, the page stays, says that the gateway does not answer, and goes on."""
    found = visit(url)
    hears(found)
    away(found.page, f"{url}/", status=404)
    room.submitted(replace(SUBMIT, subject="Another"))
    found.page.locator("#lost").wait_for()
    found.page.unroute(f"{url}/")
    found.page.get_by_text("Another").wait_for()
    assert found.page.evaluate("window.loadedOnce")


@pytest.mark.parametrize("path", ["/?q=larger:much", "/callbacks?state=nothing"])
def test_a_search_that_is_wrong_is_no_gateway_that_is_away(room: Room, url: str, visit: Visitor, path: str) -> None:
    """A page that is answered 400 goes on listening, and says nothing of a gateway that does not answer."""
    found = visit(url + path)
    hears(found)
    with found.page.expect_response(url + path):
        room.submitted(replace(SUBMIT, subject="Another"))
    version = found.page.evaluate("document.documentElement.dataset.version")
    if path.startswith("/?"):
        found.until("document.title.includes('(2)')")
    found.page.wait_for_timeout(500)
    assert not found.page.locator("#lost").is_visible()
    with found.page.expect_response(url + path):
        room.submitted(replace(SUBMIT, subject="One more"))
    found.until(f"document.documentElement.dataset.version !== '{version}'")
    assert found.page.evaluate("window.loadedOnce")


def test_what_was_typed_into_a_form_that_was_refused_stays(room: Room, url: str, visit: Visitor) -> None:
    """The answer to a form is not loaded again, which would send it again and lose what was typed since."""
    found = visit(f"{url}/callbacks")
    hears(found)
    found.page.get_by_role("button", name="Replay").click()
    found.page.get_by_role("alert").wait_for()
    found.page.get_by_label("Of this endpoint").fill("http://typed.example/")
    before = len(found.requests)
    room.submitted(replace(SUBMIT, subject="Another"))
    found.page.wait_for_timeout(2000)
    assert found.page.get_by_label("Of this endpoint").input_value() == "http://typed.example/"
    assert found.requests[before:] == []


@pytest.mark.parametrize("script", [True, False])
def test_a_picture_without_a_thumbnail_is_named(room: Room, url: str, visit: Visitor, *, script: bool) -> None:
    """Where no thumbnail can be made, a line says that there is a picture, instead of showing a broken one."""
    room.submitted(replace(ONE, parts=(BROKEN,)))
    found = visit(url, java_script_enabled=script)
    thumb = found.page.locator(".thumb").first
    assert thumb.locator("img").get_attribute("alt") == "image" if not script else True
    if script:
        found.until("document.querySelector('.thumb').textContent.trim() === 'image'")
        assert thumb.locator("img").count() == 0
        found.page.goto(f"{url}/conversations?number=%2B61400")
        found.until("document.querySelector('.bubbles li:last-child').textContent.includes('image')")
        assert found.page.locator(".bubbles li:last-child img").count() == 0


def test_a_picture_without_a_preview_leads_to_its_part(room: Room, url: str, visit: Visitor) -> None:
    """On its slide a line says that it cannot be shown, and leads to the part, not to the preview that is not there."""
    scan = Part(body=b"II*\0nothing", content_type="image/tiff", content_id="s@x")
    id_ = room.submitted(replace(ONE, parts=(scan,)))
    found = visit(f"{url}/messages/{id_}")
    line = found.page.locator(".handset-failure")
    line.get_by_text("This picture (image/tiff) cannot be shown.").wait_for()
    link = line.get_by_role("link").get_attribute("href")
    assert found.page.request.get(str(link)).body() == scan.read()
