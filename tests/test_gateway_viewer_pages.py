"""What pages show and do, against the store: every page and every act, without a browser."""

from __future__ import annotations

import email
import io
import json
import re
import wave as waves
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import pytest
from asgi_client import AsgiClient
from gateway_room import CALLED, ONE, OTHER, SUBMIT, TEXT, TNN, Make, Room, basic, rooms
from lxml import html
from PIL import Image
from test_gateway_upstreams import AWAY
from viewer_client import token

from mm7zeep import exchange
from mm7zeep.errors import StatusError
from mm7zeep.gateway.admin.inputs import State
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.settings import Place
from mm7zeep.gateway.store import endpoints, viewed
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.gateway.store.search import MOST
from mm7zeep.gateway.store.tables import OUTBOX
from mm7zeep.gateway.viewer.app import listener_app
from mm7zeep.gateway.viewer.search_words import EXAMPLES, search_of
from mm7zeep.messages import DeliverReq, DeliveryReportReq, Part, ReadReplyReq, ReplaceReq
from mm7zeep.receiver import Refusal

MO = {"from": "+61499", "application": "tnn"}
SILENT = replace(TNN, name="silent", vaspid="SIL", vasids=(), short_codes=("999",))


def picture(kind: str = "PNG", color: str = "red") -> bytes:
    """The octets of a small picture."""
    made = io.BytesIO()
    Image.new("RGB", (16, 12), color).save(made, kind)
    return made.getvalue()


class Pages:
    """A gateway and the pages of its admin listener."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.client = AsgiClient(listener_app(room.gateway))

    def ask(self, path: str, status: int = 200, **options: Any) -> httpx.Response:
        """What is answered to a GET."""
        answer = self.client.get(path, **options)
        assert answer.status_code == status, (path, answer.text)
        return answer

    def page(self, path: str, status: int = 200, **options: Any) -> html.HtmlElement:
        """A page, parsed."""
        return html.fromstring(self.ask(path, status, **options).text)

    def post(
        self, path: str, status: int = 303, files: Any = None, fields: dict[str, Any] | None = None, **more: Any
    ) -> Any:
        """What a form leads to: the path of a redirect, or the page that came, parsed."""
        data = {"csrf": token(self.client.get("/compose?" + quote("x")).text), **(fields or {}), **more}
        answer = self.client.request("POST", path, data=data, files=files)
        assert answer.status_code == status, (path, answer.text)
        return answer.headers["location"] if status == 303 else html.fromstring(answer.text)

    def lines(self, path: str = "/") -> list[dict[str, Any]]:
        """The lines of the inbox."""
        return [
            {
                "id": one.xpath("./input/@value")[0],
                "who": text(one.xpath(".//*[@class='who']")[0]),
                "what": text(one.xpath(".//*[@class='what']")[0]),
                "meta": text(one.xpath(".//*[@class='meta']")[0]),
                "unopened": one.get("class") == "unopened",
                "picture": one.xpath(".//img/@src"),
                "times": one.xpath(".//time/@datetime"),
            }
            for one in self.page(path).xpath("//ul[contains(@class, 'list')]/li")
        ]

    def regions(self, path: str) -> dict[str, str]:
        """The regions of a page that are loaded again, and what stands for their contents."""
        return {one.get("id"): one.get("data-live") for one in self.page(path).xpath("//*[@data-live]")}

    def changed(self, path: str, before: dict[str, str]) -> set[str]:
        """The regions of a page that are no longer what they were."""
        return {name for name, digest in self.regions(path).items() if before[name] != digest}

    def unopened(self) -> set[str]:
        """The ids that nobody has opened."""
        with self.room.gateway.database.read() as connection:
            ids = [one.id for one in self.room.messages]
            return set(ids) - viewed.among(connection, ids)


def text(element: html.HtmlElement) -> str:
    """What an element says, with single spaces."""
    return " ".join(" ".join(element.itertext()).split())


def value(page: html.HtmlElement, name: str) -> Any:
    """What the field of that name holds."""
    [field] = page.xpath(f".//*[@name='{name}']")
    if field.tag == "select":
        chosen = field.xpath("./option[@selected]") or field.xpath("./option")
        return chosen[0].get("value", chosen[0].text)
    return field.text if field.tag == "textarea" else field.get("value")


def wrong(page: html.HtmlElement) -> str:
    """What a page says is wrong."""
    [said] = page.xpath("//*[@role='alert']")
    return text(said)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    with rooms(tmp_path) as found:
        yield found


@pytest.fixture
def open_pages(make: Make) -> Iterator[Any]:
    """Makes gateways with their pages."""
    with ExitStack() as stack:

        def opened(*applications: Any, **options: Any) -> Pages:
            one = Pages(make(*applications, **options))
            stack.callback(one.client.close)
            return one

        yield opened


@pytest.fixture
def pages(open_pages: Any) -> Pages:
    """A gateway of two applications, and its pages."""
    found: Pages = open_pages()
    return found


# --- inbox ------------------------------------------------------------------------------------------------------------


def test_lines_say_what_messages_are(pages: Pages) -> None:
    """Sender, recipients, subject, excerpt, state, size, application, direction, thumbnail, unopened."""
    shown = Part(body=picture(), content_type="image/png", content_id="p@x")
    first = pages.room.submitted(replace(SUBMIT, to=["+61400", "+61411", "+61422"], parts=[TEXT, shown]))
    pages.room.gateway.simulator.send_mo("other", "+61499", "333", "<b>Hi</b>", "a word")
    mo, mt = pages.lines()
    assert mt["id"] == first
    assert mt["who"] == "tnn → to +61400, +61411 and 1 more"
    assert mt["what"] == "unopened: s hello"
    size = pages.room.messages[0].size
    assert size > len(b"hello") + len(picture())  # and the presentation that the client made
    assert mt["meta"].split(" UTC ")[0].startswith("Pending 2026-03-01 12:00:00")
    assert mt["meta"].endswith(f"tnn · MT · {size} B")
    assert (mt["unopened"], mt["picture"]) == (True, [f"/messages/{first}/thumbnail?v=0"])
    assert pages.ask(mt["picture"][0]).headers["content-type"] in ("image/png", "image/jpeg")
    assert (mo["who"], mo["what"], mo["picture"]) == ("+61499 → to 333", "unopened: <b>Hi</b> a word", [])
    assert mo["meta"].endswith("other · MO · 6 B")
    pages.page(f"/messages/{first}")
    assert [one["unopened"] for one in pages.lines()] == [True, False]


def test_the_title_counts_what_is_unopened(pages: Pages) -> None:
    """And live updates change it: it is that of the page that is loaded again."""
    for _ in range(2):
        pages.room.submitted()
    assert pages.page("/").findtext(".//title") == "Inbox (2) - mm7zeep"
    pages.post("/mark", fields={"all": "yes", "as": "opened"})
    assert pages.page("/").findtext(".//title") == "Inbox - mm7zeep"


def test_an_empty_inbox_says_where_to_send(open_pages: Any) -> None:
    """With the address of the listener as it is configured."""
    pages = open_pages(mm7=Place("10.1.2.3", 9007))
    said = text(pages.page("/").xpath("//*[@class='empty']")[0])
    assert "http://10.1.2.3:9007/mm7" in said
    assert pages.page("/").xpath("//*[@class='empty']//a/@href") == ["/compose"]


SEARCHES = {
    "to:+61411": {"two"},
    "to:61411": {"two"},
    "from:+61499": {"mo"},
    "subject:offer": {"two"},
    'subject:"summer offer"': {"two"},
    'subject:"offer summer"': set(),
    "SUMMER": {"two"},
    "hello": {"one", "two"},
    'hello "summer offer"': {"two"},
    "has:image": {"two"},
    "has:image/png": {"two"},
    "has:audio": set(),
    "larger:50": {"two"},
    "smaller:50": {"one", "mo"},
    "larger:0.04k": {"two"},
    "state:pending": {"two", "mo"},
    "state:EXPIRED": {"one"},
    "state:expired state:pending": {"one", "two", "mo"},
    "after:2026-03-01T12:30": {"two", "mo"},
    "before:2026-03-01T12:30": {"one"},
    "after:2026-03-02": set(),
    "application:other": {"mo"},
    "application:news": set(),
    "direction:mo": {"mo"},
    "direction:MT": {"one", "two"},
    "number:+61400": {"one", "two"},
    "number:+6140": set(),
    "is:opened": {"one"},
    "is:unopened": {"two", "mo"},
    "is:read": {"one"},
    "is:unread": {"two", "mo"},
    "note:this": {"mo"},
    'note:"this one"': {"mo"},
    '"': {"one", "two", "mo"},
    '""': {"one", "two", "mo"},
    '"summer off': {"two"},
}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pages, dict[str, str]]]:
    """Three messages to be looked for, and their names; nobody changes anything."""
    with rooms(tmp_path_factory.mktemp("searched")) as make:
        found = Pages(make())
        yield found, dict(_three(found))
        found.client.close()


def _three(pages: Pages) -> Iterator[tuple[str, str]]:
    shown = Part(body=picture(), content_type="image/png", content_id="p@x")
    first = pages.room.submitted(replace(ONE, subject="first"))
    pages.room.gateway.simulator.report(first, None, "Expired")
    pages.page(f"/messages/{first}")
    yield "one", first
    pages.room.clock.move(hours=1)
    yield "two", pages.room.submitted(replace(SUBMIT, subject="Summer Offer", parts=[TEXT, shown]))
    yield "mo", pages.room.gateway.simulator.send_mo("other", "+61499", "333", "note:this one", "a word").message_id


@pytest.mark.parametrize("words", SEARCHES)
def test_searches_find(searched: tuple[Pages, dict[str, str]], words: str) -> None:
    """Each filter, words, quotation marks, and names that are no filter."""
    pages, names = searched
    found = {one["id"] for one in pages.lines(f"/?q={quote(words)}")}
    assert {name for name, id_ in names.items() if id_ in found} == SEARCHES[words]
    assert pages.page(f"/?q={quote(words)}").xpath("//*[@id='q']/@value") == [words.strip()]


def test_every_filter_is_tried_and_explained() -> None:
    """What stands beside the field is a search, and each of the filters has one there."""
    for one in EXAMPLES:
        assert search_of(one, None) != search_of("", None), one
    assert {one.partition(":")[0] for one in EXAMPLES} <= {one.partition(":")[0] for one in SEARCHES}


WRONG = {
    "larger:much": "larger: 'much' is no size; write 100k, 1.5M or a number of octets",
    "after:yesterday": "after: 'yesterday' is no date",
    "state:gone": "state: 'gone' is none; there are Cancelled, Deferred",
    "has:<x>": "has: '<x>' is no kind of part; write image, video",
    "direction:up": "direction: 'up' is none; mt goes to handsets",
    "is:new": "is: 'new' is nothing a message can be",
    "to:": "to: give it a value, as in to:+61412345678",
    'to:""': "to: give it a value",
    "application:a application:b": "application: is given twice",
    " ".join(["word"] * (MOST + 1)): f"a search may have {MOST} words",
    " ".join(["has:image"] * (MOST + 1)): f"a search may have {MOST} of has:",
    "x" * 501: "a search may have 500 characters",
}


@pytest.mark.parametrize("words", WRONG, ids=lambda words: words[:20])
def test_wrong_searches_are_explained(pages: Pages, words: str) -> None:
    """And nothing is found, marked or deleted by them."""
    pages.room.submitted()
    page = pages.page(f"/?q={quote(words)}", 400)
    assert WRONG[words] in wrong(page)
    assert page.xpath("//button[contains(., 'Delete') or contains(., 'Mark')]") == []
    assert page.xpath("//ul[contains(@class, 'list')]") == []
    assert value(page.xpath("//form[@role='search']")[0], "q") == words
    for act in ("/delete", "/mark"):
        answer = pages.post(act, 400, fields={"all": "yes", "sure": "yes", "q": words})
        assert WRONG[words].lower() in text(answer.xpath("//main")[0]).lower()
    assert (len(pages.room.messages), len(pages.unopened())) == (1, 1)


def test_all_states_can_be_searched_for() -> None:
    """Each that a copy may have, in any case."""
    states = [one for group in get_args(State) for one in (get_args(group) or (group,))]
    assert len(states) > 10
    for one in states:
        assert search_of(f"state:{one.upper()}", None).states == (one,)


def test_pages_of_an_inbox(pages: Pages) -> None:
    """120 messages are three pages, from the newest to the oldest and back, of a search, too."""
    ids = [pages.room.submitted(replace(ONE, subject="even" if n % 2 else "odd")) for n in range(120)][::-1]

    def links(path: str) -> dict[str, str]:
        found = pages.page(path).xpath("//nav[@class='pages']//a")
        return {one.text: one.get("href") for one in found}

    def seen(path: str) -> list[str]:
        return [one["id"] for one in pages.lines(path)]

    assert (seen("/"), list(links("/"))) == (ids[:50], ["Older"])
    second = links("/")["Older"]
    assert (seen(second), list(links(second))) == (ids[50:100], ["Newest", "Newer", "Older"])
    third = links(second)["Older"]
    assert (seen(third), list(links(third))) == (ids[100:], ["Newest", "Newer"])
    back = links(third)["Newer"]
    assert seen(back) == ids[50:100]
    first = links(back)["Newer"]
    assert (seen(first), list(links(first))) == (ids[:50], ["Older"])
    assert links(third)["Newest"] == "/"
    older = links("/?q=subject%3Aeven")["Older"]
    assert seen(older) == ids[0::2][50:]
    assert "q=subject%3Aeven" in links(older)["Newer"]
    assert links(older)["Newest"] == "/?q=subject%3Aeven"
    for odd in ("/?before=x", "/?after=-1", "/?before=" + "9" * 30):
        assert seen(odd) == ids[:50]


def test_chosen_messages_are_deleted(pages: Pages) -> None:
    """One, several, and what is not there; each with all that hangs on it."""
    ids = [pages.room.submitted() for _ in range(4)]
    assert pages.post("/delete", fields={"id": ids[0], "back": "/?q=x"}) == "/?q=x"
    assert pages.post("/delete", fields={"id": [ids[1], ids[2], "nothing"], "back": "//evil.example"}) == "/"
    assert [one.id for one in pages.room.messages] == [ids[3]]
    assert pages.room.copies(ids[0]) == []


def test_all_are_deleted_once_that_is_confirmed(pages: Pages) -> None:
    """All that a search finds, or all; without a script, a page asks, with how many these are."""
    kept = pages.room.submitted(replace(ONE, subject="kept"))
    for _ in range(3):
        pages.room.submitted(replace(ONE, subject="gone"))
    page = pages.post("/delete", 200, fields={"all": "yes", "q": "subject:gone", "back": "/?q=subject%3Agone"})
    assert text(page.xpath("//h1")[0]) == "Delete 3 messages?"
    assert "subject:gone" in text(page.xpath("//main//p")[0])
    assert page.xpath("//main//a/@href") == ["/?q=subject%3Agone"]
    assert len(pages.room.messages) == 4
    fields = {one.get("name"): one.get("value") for one in page.xpath("//main//form//input[@name != 'csrf']")}
    assert pages.post("/delete", fields=fields) == "/?q=subject%3Agone"
    assert [one.id for one in pages.room.messages] == [kept]
    page = pages.post("/delete", 200, fields={"all": "yes", "q": ""})
    assert text(page.xpath("//h1")[0]) == "Delete 1 message?"
    assert pages.post("/delete", fields={"all": "yes", "q": "", "sure": "yes"}) == "/"
    assert pages.room.messages == []
    assert "Nothing to delete" in text(pages.post("/delete", 200, fields={"all": "yes"}))


def test_more_than_a_batch_is_deleted_and_marked(pages: Pages) -> None:
    """However many a search finds."""
    for _ in range(3):
        pages.room.gateway.simulator.send_mo("tnn", "+61499", "111122", "x", "y")
    rows = [replace(one, seq=None) for one in pages.room.messages]
    with pages.room.gateway.database.write() as connection:
        raw = store.raw(connection, rows[0].id)
        assert raw is not None
        more = [replace(rows[0], id=f"m{n}") for n in range(1100)]
        store.keep(connection, [store.Kept(one, replace(raw, message_id=one.id), ()) for one in more])
    assert pages.page("/").findtext(".//title") == "Inbox (999+) - mm7zeep"
    assert "more than 1,000 messages" in text(pages.post("/delete", 200, fields={"all": "yes", "q": ""}))
    pages.post("/mark", fields={"all": "yes", "q": "subject:x"})
    with pages.room.gateway.database.read() as connection:
        assert viewed.unopened(connection, None) == 0
    pages.post("/delete", fields={"all": "yes", "q": "subject:x", "sure": "yes"})
    assert pages.room.messages == []


def test_a_message_whose_call_is_made_now_stays(pages: Pages) -> None:
    """It is not deleted under it; a page says so and leads back, and all others go."""
    busy = pages.room.gateway.simulator.send_mo("tnn", "+61499", "111122", "x", "y").message_id
    pages.room.submitted()
    pages.room.gateway.dispatcher.run_once()
    page = pages.post("/delete", 409, fields={"id": busy, "back": f"/messages/{busy}"})
    assert "a call of this message is being made now" in text(page.xpath("//main")[0]).lower()
    assert f"/messages/{busy}" in page.xpath("//main//a/@href")
    pages.post("/delete", fields={"all": "yes", "sure": "yes"})
    assert [one.id for one in pages.room.messages] == [busy]


def test_messages_are_marked(pages: Pages) -> None:
    """As opened and as unopened: those that are chosen, or all that a search finds."""
    ids = [pages.room.submitted(replace(ONE, subject=name)) for name in ("a", "b", "c")]
    pages.post("/mark", fields={"id": ids[:2], "as": "opened"})
    assert pages.unopened() == {ids[2]}
    pages.post("/mark", fields={"id": ids[0], "as": "unopened"})
    assert pages.unopened() == {ids[0], ids[2]}
    pages.post("/mark", fields={"all": "yes", "q": "subject:c"})
    assert pages.unopened() == {ids[0]}


def test_filters_lead_to_searches(pages: Pages) -> None:
    """Each finds something of its kind, and is marked as current."""
    pages.room.submitted()
    links = {text(one): one.get("href") for one in pages.page("/").xpath("//nav[@aria-label='Filters']//a")}
    assert list(links) == ["All", "Unopened", "To handsets", "From handsets", "Pending", "With picture"]
    for words, url in links.items():
        page = pages.page(url)
        assert [text(one) for one in page.xpath("//nav[@aria-label='Filters']//a[@aria-current]")] == [words]
    assert [len(pages.lines(url)) for url in links.values()] == [1, 1, 1, 0, 1, 0]


# --- what is planned --------------------------------------------------------------------------------------------------


def test_what_is_planned_is_seen_and_taken_back(pages: Pages) -> None:
    """With the time that it is sent at, in inbox, conversation and on its page; deleted, it is never sent."""
    answer = pages.client.request("POST", "/api/v1/deliver", json={**MO, "text": "hi", "at": "2026-03-02T08:00:00Z"})
    id_ = answer.json()["id"]
    [line] = pages.lines()
    assert (line["id"], line["times"]) == (id_, ["2026-03-02T08:00:00.000Z"])
    assert line["meta"].startswith("Planned for 2026-03-02 08:00:00 UTC")
    assert [one["id"] for one in pages.lines("/?q=state:pending")] == [id_]
    bubble = text(pages.page("/conversations?number=%2B61499&application=tnn").xpath("//ul[@class='bubbles']")[0])
    assert "for 2026-03-02 08:00:00 UTC" in bubble
    assert "Planned" in bubble
    page = pages.page(f"/messages/{id_}")
    assert "Planned for 2026-03-02 08:00:00 UTC" in text(page.xpath("//dl")[0])
    assert "planned: is sent by its handset" in text(page.xpath("//ol[@class='timeline']")[0])
    [button] = page.xpath("//button[@class='danger']")
    assert button.text == "Take it back"
    fields = {one.get("name"): one.get("value") for one in button.getparent().xpath("./input[@name != 'csrf']")}
    assert pages.post(button.getparent().get("action"), fields=fields) == "/"
    pages.room.clock.move(days=2)
    pages.room.gateway.run_pending()
    assert (pages.room.messages, pages.room.calls.made) == ([], [])


@pytest.mark.parametrize(("of_value", "status"), [(True, 400), (False, 503)])
def test_a_message_that_the_database_does_not_keep(
    pages: Pages, monkeypatch: pytest.MonkeyPatch, of_value: bool, status: int
) -> None:
    """What was typed is still there, and nobody is asked to try again what would fail again."""

    def fail() -> None:
        raise StoreError("it is full", of_value=of_value)

    monkeypatch.setattr(pages.room.gateway.database, "write", fail)
    page = pages.post("/compose", status, fields={**MO, "text": "typed"})
    assert value(page, "text") == "typed"
    assert ("try again" in wrong(page)) != of_value


def test_what_was_planned_is_sent(pages: Pages) -> None:
    """At its time, and the inbox shows what became of it."""
    assert pages.post("/compose", fields={**MO, "text": "hi", "at": "2026-03-01T12:05"}).startswith("/messages/")
    pages.room.clock.move(minutes=6)
    pages.room.gateway.run_pending()
    [line] = pages.lines()
    assert line["meta"].startswith("Delivered")
    assert len(pages.room.calls.of(DeliverReq)) == 1


# --- a message --------------------------------------------------------------------------------------------------------


def test_the_page_of_a_message(pages: Pages) -> None:
    """The handset, what it is, each recipient's state, its parts, and what was found wrong with it."""
    shown = Part(body=picture(), content_type="image/png", content_id="p@x", name="sun.png")
    id_ = pages.room.submitted(replace(SUBMIT, parts=[TEXT, shown], delivery_report=True, subject="Sun"))
    pages.room.gateway.simulator.report(id_, "+61400", "Rejected", "no room")
    page = pages.page(f"/messages/{id_}")
    assert page.findtext(".//title") == "Sun - mm7zeep"
    assert page.xpath("//section[@aria-label='Handset']//img/@src") == [f"/messages/{id_}/parts/2"]
    about = text(page.xpath("//dl")[0])
    for words in ("State Pending", "From tnn", "To +61400 Rejected", "To +61411 Pending", f"MessageID {id_}"):
        assert words in about
    assert "Wanted delivery report, no read reply" in about
    line = text(page.xpath("//ol[@class='timeline']")[0])
    assert "submitted by tnn, and kept" in line
    assert "Rejected: was rejected (+61400)" in line
    assert "delivery report Rejected: queued (+61400)" in line
    listed = text(page.xpath("//section[@aria-labelledby='parts']")[0])
    assert "0: application/smil" in listed
    assert "1: text/plain" in listed
    assert "2: image/png" in listed
    assert page.xpath("//details/pre/text()")[1] == "hello"
    assert "Nothing was found wrong" in text(page.xpath("//section[@aria-labelledby='found']")[0])


def test_the_newest_message_has_a_name(pages: Pages) -> None:
    """``latest`` is the newest; before there is one, a page says so."""
    assert "No message has been kept yet." in text(pages.page("/messages/latest", 404))
    id_ = pages.room.submitted()
    assert id_ in text(pages.page("/messages/latest"))


def test_a_message_leads_to_those_beside_it(pages: Pages) -> None:
    """In what was searched for, to which the way back leads, too."""
    ids = [pages.room.submitted(replace(ONE, subject=name)) for name in ("even", "odd", "even", "odd")]

    def links(path: str) -> dict[str, str]:
        return {text(one): one.get("href") for one in pages.page(path).xpath("//div[@class='head']/a")}

    assert links(f"/messages/{ids[1]}") == {
        "Newer": f"/messages/{ids[2]}",
        "Older": f"/messages/{ids[0]}",
        "Inbox": "/",
    }
    [found] = pages.page("/?q=subject:even").xpath(f"//a[contains(@href, '{ids[0]}')]/@href")
    assert links(found) == {"Newer": f"/messages/{ids[2]}?q=subject%3Aeven", "Inbox": "/?q=subject%3Aeven"}
    assert links(f"/messages/{ids[3]}?q=larger:much") == {"Older": f"/messages/{ids[2]}", "Inbox": "/"}


@pytest.mark.parametrize("outcome", ["Retrieved", "Expired", "Rejected", "Indeterminate", "Forwarded",
    "DeliveryConditionNotMet", "Deferred", "Unrecognised"])  # fmt: skip
def test_outcomes_are_reached(pages: Pages, outcome: str) -> None:
    """Each that the page offers, for one recipient, and then for all that wait; each is reported."""
    id_ = pages.room.submitted(replace(SUBMIT, to=["+61400", "+61411", "+61422"]))
    page = pages.page(f"/messages/{id_}")
    assert outcome in page.xpath("//select[@id='status']/option/text()")
    offered = page.xpath("//select[@id='recipient']/option")
    assert [one.text for one in offered] == ["All that wait (3)", "+61400", "+61411", "+61422"]
    there = pages.post(f"/messages/{id_}/report", fields={"recipient": "+61411", "status": outcome, "text": "why"})
    assert there == f"/messages/{id_}"
    assert pages.room.states(id_) == ["Pending", outcome, "Pending"]
    pages.post(there + "/report", fields={"recipient": offered[0].get("value"), "status": outcome})
    assert pages.room.states(id_) == [outcome] * 3
    reports = [one for one in pages.room.outbox() if one.kind == "report"]
    assert len(reports) == (4 if outcome == "Deferred" else 3)  # who was put off waits, and is reported on again


def test_nothing_waits_any_more(pages: Pages) -> None:
    """All copies are done: whoever has an old page open reads why nothing happens, and is led back."""
    id_ = pages.room.submitted()
    pages.post(f"/messages/{id_}/report", fields={"status": "Expired"})
    page = pages.page(f"/messages/{id_}")
    assert page.xpath("//select[@id='recipient']/option/text()") == ["+61400", "+61411"]
    page = pages.post(f"/messages/{id_}/report", 409, fields={"status": "Expired"})
    assert "no copy of the message waits for a handset" in text(page.xpath("//main")[0]).lower()
    assert page.xpath("//main//a[text()='Back']/@href") == [f"/messages/{id_}"]


def test_a_copy_at_an_upstream_is_not_decided_here(open_pages: Any) -> None:
    """A page says who decides, and leads back."""
    pages = open_pages(CALLED, **AWAY)
    id_ = pages.room.submitted(replace(SUBMIT, to=["+64211"]))
    page = pages.post(f"/messages/{id_}/report", 409, fields={"recipient": "+64211", "status": "Retrieved"})
    assert "The copy is not at a handset but with upstream:far" in text(page.xpath("//main")[0])
    assert page.xpath("//main//a/@href") == [f"/messages/{id_}", "/"]


def test_what_was_read_or_deleted_is_told(pages: Pages) -> None:
    """By one recipient at a time, whose choice is asked for where none was made."""
    id_ = pages.room.submitted(replace(SUBMIT, read_reply=True))
    pages.post(f"/messages/{id_}/report", fields={"status": "Retrieved"})
    pages.post(f"/messages/{id_}/read", fields={"recipient": "+61400", "reading": "Read"})
    pages.post(f"/messages/{id_}/read", fields={"recipient": "+61411", "reading": "Deleted"})
    pages.room.gateway.run_pending()
    told = {(one.recipient.value, one.mm_status) for one in pages.room.calls.of(ReadReplyReq)}
    assert {("+61400", "Read"), ("+61411", "Deleted")} <= told
    page = pages.post(f"/messages/{id_}/read", 400, fields={"reading": "Read"})
    assert "Choose the recipient" in text(page.xpath("//main")[0])
    assert page.xpath("//main//a/@href") == [f"/messages/{id_}", "/"]


def test_acts_name_what_is_wrong(pages: Pages) -> None:
    """An outcome or recipient that there is not; nothing of the REST API is recommended to people."""
    id_ = pages.room.submitted()
    for fields, status, words in (
        ({"recipient": "+61400", "status": "Lost"}, 400, 'Status is "Lost"; give one of Retrieved'),
        ({"recipient": "+1", "status": "Expired"}, 404, "The message has no such recipient."),
        ({"recipient": "+61400"}, 400, "The body lacks status"),
    ):
        said = text(pages.post(f"/messages/{id_}/report", status, fields=fields).xpath("//main")[0])
        assert words in said
        assert "/api/v1" not in said
    assert "No message has that id." in text(pages.page("/messages/nothing", 404))


def test_replies_are_offered_to_who_has_the_message(pages: Pages) -> None:
    """By nobody, by one, or by any of several; fields are filled in beforehand."""
    id_ = pages.room.submitted(replace(SUBMIT, subject="Offer"))

    def replies() -> list[tuple[str, str]]:
        page = pages.page(f"/messages/{id_}")
        found = page.xpath("//a[contains(@href, '/compose?reply')]")
        return [(text(one), one.get("href")) for one in found]

    assert replies() == []
    pages.post(f"/messages/{id_}/report", fields={"recipient": "+61411", "status": "Retrieved"})
    [(words, url)] = replies()
    assert words == "Reply"
    page = pages.page(url)
    assert page.findtext(".//title") == "Reply - mm7zeep"
    assert [value(page, name) for name in ("from", "application", "subject", "reply_to")] == [
        "+61411", "tnn", "Re: Offer", id_,
    ]  # fmt: skip
    pages.post(f"/messages/{id_}/report", fields={"recipient": "+61400", "status": "Retrieved"})
    assert [one[0] for one in replies()] == ["+61400", "+61411"]
    page = pages.page(replies()[1][1])
    assert value(page, "from") == "+61411"
    assert page.xpath("//datalist/option/@value") == ["+61400", "+61411"]
    there = pages.post("/compose", fields={"from": "+61411", "subject": "", "reply_to": id_, "text": "yes"})
    mo = pages.room.messages[-1]
    assert (there, mo.sender, mo.subject or "", mo.field["reply_to"]) == (f"/messages/{mo.id}", "+61411", "", id_)


def test_a_reply_stays_with_its_application(open_pages: Any) -> None:
    """No other is offered for it; and where that one takes no messages, the page says so."""
    pages = open_pages(CALLED, OTHER, SILENT)
    id_ = pages.room.submitted(ONE)
    pages.room.gateway.simulator.report(id_, None, "Retrieved")
    assert pages.page(f"/compose?reply={id_}").xpath("//select/option/text()") == ["tnn"]
    pages = open_pages(TNN, OTHER)
    id_ = pages.room.submitted(ONE)
    pages.room.gateway.simulator.report(id_, None, "Retrieved")
    page = pages.page(f"/compose?reply={id_}")
    assert "The application tnn takes no messages" in text(page.xpath("//p[@class='error']")[0])
    assert page.xpath("//form[@action='/compose']") == []


def test_messages_are_forwarded(pages: Pages) -> None:
    """By a recipient or by the sender, with what is in them; a prefix is not doubled."""
    shown = Part(body=picture(), content_type="image/png", content_id="p@x")
    id_ = pages.room.submitted(replace(ONE, subject="Sun", parts=[TEXT, shown]))
    pages.room.gateway.simulator.report(id_, None, "Retrieved")
    page = pages.page(f"/compose?forward={id_}")
    assert [value(page, name) for name in ("from", "subject", "to")] == ["+61400", "Fwd: Sun", ""]
    assert "parts of the message that is forwarded are added" in text(page)
    pages.post("/compose", fields={**MO, "from": "+61400", "forward": id_, "subject": "Fwd: Sun", "text": "look"})
    mo = pages.room.messages[-1]
    types = [one.content_type for one in pages.room.gateway.simulator.retrieved(mo.id)]
    assert (mo.subject, types) == ("Fwd: Sun", ["application/smil", "text/plain", "text/plain", "image/png"])
    page = pages.page(f"/compose?forward={mo.id}")
    assert (value(page, "subject"), value(page, "from")) == ("Fwd: Sun", "+61400")


# --- its parts --------------------------------------------------------------------------------------------------------


def wave() -> bytes:
    """The octets of a tenth of a second of silence."""
    made = io.BytesIO()
    with waves.open(made, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(8000)
        out.writeframes(b"\x80" * 800)
    return made.getvalue()


def test_parts_are_shown_as_browsers_can(pages: Pages) -> None:
    """Text escaped, a player where there is one, pictures that no browser shows as a PNG, and files with good names."""
    parts = [
        Part(body=b"<b>hi</b>", content_type="text/plain", content_id="a@x", name="../té.txt"),
        Part(body=wave(), content_type="audio/wav", content_id="b@x", name="ring.wav"),
        Part(body=b"#!AMR\n\x3c" + bytes(40), content_type="audio/amr", content_id="c@x", name="voice"),
        Part(body=picture("TIFF"), content_type="image/tiff", content_id="d@x", name="scan.tif"),
        Part(body=picture("BMP"), content_type="image/bmp", content_id="e@x", name="CON"),
        Part(body=picture("JPEG"), content_type="image/jpeg", content_id="f@x", name="sun.exe"),
    ]
    id_ = pages.room.submitted(replace(ONE, parts=parts))
    page = pages.page(f"/messages/{id_}")
    url = f"/messages/{id_}/parts"
    section = page.xpath("//section[@aria-labelledby='parts']")[0]
    assert section.xpath(".//details/pre")[1].text == "<b>hi</b>"
    assert section.xpath(".//audio/@src") == [f"{url}/2"]
    assert "Browsers do not play this kind of sound" in text(section)
    assert section.xpath(".//a[text()='Preview']/@href") == [f"{url}/{n}/preview" for n in (4, 5, 6)]
    played = page.xpath("//section[@aria-label='Handset']//img/@src")
    assert played == [f"{url}/4/preview", f"{url}/5/preview", f"{url}/6"]
    for path in played[:2]:
        answer = pages.ask(path)
        assert answer.headers["content-type"] == "image/png"
        assert Image.open(io.BytesIO(answer.content)).size == (16, 12)
    names = []
    for path in section.xpath(".//a[@download]/@href"):
        answer = pages.ask(path)
        assert answer.headers["content-type"] == "application/octet-stream"
        names.append(re.fullmatch('attachment; filename="([^"]*)"', answer.headers["content-disposition"])[1])  # type: ignore[index]
    assert names[1:] == ["t_.txt", "ring.wav", "voice.amr", "scan.tif", "part-005.bmp", "sun.exe.jpg"]
    assert pages.ask(f"{url}/1/file").headers["content-disposition"] == 'attachment; filename="part-001.txt"'
    assert "no such part" in text(pages.page(f"{url}/99", 404))
    assert pages.page(f"{url}/0/preview", 404) is not None


def test_findings_are_explained(pages: Pages) -> None:
    """What was noticed of a quirky request, by level, with what to do about it."""
    wire = exchange.pack(ONE)
    body = wire.read().replace(b"Content-Type: text/plain", b"Content-Type: text/plain; charset=utf-8; charset=x")
    pages.room.gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn")), body=body), peer=None)
    [row] = pages.room.messages
    noticed = json.loads(row.findings)
    assert [one["id"] for one in noticed] == ["mime/type-syntax"]
    section = pages.page(f"/messages/{row.id}").xpath("//section[@aria-labelledby='found']")[0]
    said = text(section)
    for words in ("Must the texts demand it", "mime/type-syntax", "charset twice", "To do:", "only noted"):
        assert words in said
    assert "Nothing was found wrong" not in said


# --- raw, copies ------------------------------------------------------------------------------------------------------


def test_every_request_about_a_message_is_seen_raw(pages: Pages) -> None:
    """The one that began it and the one that replaced its content; the message shows what is in force."""
    id_ = pages.room.submitted(ONE)
    before = pages.regions(f"/messages/{id_}")
    new = Part(body=b"other words", content_type="text/plain", content_id="t@x")
    assert pages.room.code(ReplaceReq(vaspid="TNN", vasid="News", message_id=id_, parts=[new])) == 1000
    page = pages.page(f"/messages/{id_}")
    assert page.xpath("//details/pre")[0].text == "other words"
    assert "request 1 was kept with the content in force" in text(page.xpath("//ol[@class='timeline']")[0])
    assert pages.changed(f"/messages/{id_}", before) == {"phone", "state", "content-in-force"}
    for n, words, operation in ((0, "hello", "SubmitReq"), (1, "other words", "ReplaceReq")):
        page = pages.page(f"/messages/{id_}/raw?n={n}")
        assert operation in text(page.xpath("//section[@aria-labelledby='envelope']")[0])
        chosen = text(page.xpath("//nav[@aria-label='Requests about the message']//a[@aria-current]")[0])
        assert chosen == ("Request 1" if n else "As it began")
        [octets] = page.xpath("//a[text()='Download it']/@href")
        assert words.encode() in pages.ask(octets).content
        assert len(page.xpath("//section[@aria-labelledby='tree']//tbody/tr")) >= 2
        [part] = page.xpath("//section[@aria-labelledby='tree']//tr[last()]//a/@href")
        window = pages.page(part.partition("#")[0]).xpath("//section[@aria-labelledby='octets']/pre")[0].text
        assert words.encode() in bytes.fromhex("".join(line[10:58] for line in window.splitlines()))
    assert "There is no request 2 about this message; it has 2" in text(pages.page(f"/messages/{id_}/raw?n=2", 404))


def test_a_picture_that_was_replaced_is_loaded_again(pages: Pages) -> None:
    """Under another URL, so that the page that is open does not go on with the old one; findings stay with theirs."""
    shown = Part(body=picture(), content_type="image/png", content_id="p@x")
    id_ = pages.room.submitted(replace(ONE, parts=[TEXT, shown]))
    [before] = pages.page(f"/messages/{id_}").xpath("//section[@aria-label='Handset']//img/@src")
    new = replace(shown, body=picture(color="blue"))
    wire = exchange.pack(ReplaceReq(vaspid="TNN", vasid="News", message_id=id_, parts=[TEXT, new]))
    body = wire.read().replace(b"Content-Type: text/plain", b"Content-Type: text/plain; charset=utf-8; charset=x")
    pages.room.gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn")), body=body), peer=None)
    [after] = pages.page(f"/messages/{id_}").xpath("//section[@aria-label='Handset']//img/@src")
    assert (before, after) == (f"/messages/{id_}/parts/2", f"/messages/{id_}/parts/2?v=1")
    assert pages.ask(after).content == picture(color="blue")
    noticed = [text(pages.page(f"/messages/{id_}/raw?n={n}").xpath("//*[@aria-labelledby='tree']")[0]) for n in (0, 1)]
    assert ["type-syntax" in one for one in noticed] == [False, True]


def test_copies_name_the_listeners_as_configured(open_pages: Any) -> None:
    """MM7 and the JSON API by the settings, the admin listener as the browser has found it."""
    pages = open_pages(mm7=Place("0.0.0.0", 9007), api=Place("10.0.0.5", 9010), cert="c", key="k")
    id_ = pages.room.submitted(ONE)
    mo = pages.room.gateway.simulator.send_mo("tnn", "+61499", "111122", "x", "y").message_id

    def said(path: str, **headers: str) -> str:
        return str(pages.ask(path, headers=headers).text)

    assert "https://127.0.0.1:9007/mm7" in said(f"/messages/{id_}/copy")
    assert "https://[::1]:9007/mm7" in said(f"/messages/{id_}/copy", Host="[::1]:8008")
    assert "https://10.0.0.5:9010/v1/messages" in said(f"/messages/{id_}/copy")
    assert "http://localhost:5555/api/v1/deliver" in said(f"/messages/{mo}/copy", Host="localhost:5555")
    assert "https://localhost/api/v1/deliver" in said(
        f"/messages/{mo}/copy", Host="localhost", **{"X-Forwarded-Proto": "https"}
    )
    assert "--user" not in said(f"/messages/{mo}/copy")
    pages = open_pages(admin_username="ops", admin_password="pw", api_url="https://api.example/mms")
    id_, mo = pages.room.submitted(ONE), pages.room.gateway.simulator.send_mo("tnn", "+6", "111122").message_id
    for user, path, words in (
        (("ops", "pw"), mo, "--user ops"),
        (("tnn", "t"), mo, "--user tnn"),
        (("ops", "pw"), id_, "https://api.example/mms/v1/messages"),
        (("ops", "pw"), id_, "http://127.0.0.1:8007/mm7"),
    ):
        page = html.fromstring(pages.ask(f"/messages/{path}/copy", auth=user).text)
        assert words in " ".join(page.xpath("//pre/text()"))


def test_without_an_api_no_copy_for_it(pages: Pages) -> None:
    """The JSON stays; there is no command for a listener that there is not."""
    id_ = pages.room.submitted(ONE)
    page = pages.page(f"/messages/{id_}/copy")
    assert [text(one) for one in page.xpath("//h2")] == ["Downloads", "curl", "Python", "JSON"]


def test_downloads_open(pages: Pages) -> None:
    """The request as ``mm7zeep check`` reads it, the e-mail, and what curl sends; a page names what there is."""
    id_ = pages.room.submitted(replace(ONE, subject="Sun"))
    page = pages.page(f"/messages/{id_}/copy")
    for path in page.xpath("//main//a[@download]/@href"):
        assert 'attachment; filename="' in pages.ask(path).headers["content-disposition"], path
    octets = pages.ask(f"/messages/{id_}/download/http").content
    assert octets.startswith(b"POST /mm7 HTTP/1.1\r\n")
    assert b"Basic" not in octets
    assert octets.endswith(pages.ask(f"/messages/{id_}/download/body").content)
    mail = email.message_from_bytes(pages.ask(f"/messages/{id_}/download/eml").content)
    assert (mail["Subject"], mail.defects) == ("Sun", [])
    assert "There is no such download; there are http, body, eml." in text(
        pages.page(f"/messages/{id_}/download/pdf", 404)
    )


# --- conversations ----------------------------------------------------------------------------------------------------


def test_conversations_by_number(pages: Pages) -> None:
    """Each number of an application once, the newest first, however its address was written."""
    room = pages.room
    room.submitted(replace(ONE, to=["+61400"], subject="first"))
    room.submitted(replace(ONE, vaspid="OTH", vasid=None, to=["+61400"], subject="theirs"), "other")
    room.submitted(replace(ONE, to=["subscriber@Example.org"], subject="by mail"))
    room.gateway.simulator.send_mo("tnn", "61400", "111122", "Re: first", "thanks")
    page = pages.page("/conversations")
    found = [
        (text(one.xpath(".//*[@class='who']/span[1]")[0]), text(one.xpath(".//*[@class='who']/span[2]")[0]))
        for one in page.xpath("//ul[contains(@class, 'list')]/li")
    ]
    assert found == [("61400", "tnn"), ("subscriber@Example.org", "tnn"), ("+61400", "other")]
    metas = [text(one) for one in page.xpath("//*[@class='meta']")]
    assert metas[0].endswith("2 messages, 2 unopened")
    assert metas[1].endswith("1 message, 1 unopened")
    for number in ("%2B61400", "61400", "%2B61400/TYPE%3DPLMN"):
        page = pages.page(f"/conversations?number={number}&application=tnn")
        bubbles = [(one.get("class"), text(one.xpath(".//a")[0])) for one in page.xpath("//ul[@class='bubbles']/li")]
        assert bubbles == [("mt", "first"), ("mo", "Re: first")]
    assert len(pages.page("/conversations?number=%2B61400").xpath("//ul[@class='bubbles']/li")) == 3
    [mail] = pages.page("/conversations").xpath("//a[contains(@href, 'subscriber')]/@href")
    assert "by mail" in text(pages.page(mail).xpath("//ul[@class='bubbles']")[0])
    assert "No message with this number is kept." in text(pages.page("/conversations?number=nobody"))


def test_a_conversation_shows_one_subscriber_s_copies(pages: Pages) -> None:
    """The state is that of its own copy, whatever became of others; thumbnails; who opens it has opened all of it."""
    shown = Part(body=picture(), content_type="image/png", content_id="p@x")
    id_ = pages.room.submitted(replace(SUBMIT, parts=[TEXT, shown]))
    pages.room.gateway.simulator.report(id_, "+61400", "Expired")
    pages.room.gateway.simulator.report(id_, "+61411", "Retrieved")
    assert pages.unopened() == {id_}
    for number, state in (("%2B61400", "Expired"), ("%2B61411", "Retrieved")):
        [bubble] = pages.page(f"/conversations?number={number}&application=tnn").xpath("//ul[@class='bubbles']/li")
        assert text(bubble.xpath(".//*[contains(@class, 'chip')]")[0]) == state
        assert bubble.xpath(".//img/@src") == [f"/messages/{id_}/thumbnail?v=0"]
    assert pages.unopened() == set()
    [write] = pages.page("/conversations?number=%2B61400&application=tnn").xpath(
        "//a[contains(@href, '/compose?from')]"
    )
    assert text(write) == "Write as +61400"
    page = pages.page(write.get("href"))
    assert (value(page, "from"), value(page, "application")) == ("+61400", "tnn")


def test_pages_of_a_conversation(pages: Pages) -> None:
    """Exactly a page has no older one; further messages are on pages before, and there is a way back."""
    send = pages.room.gateway.simulator.send_mo
    ids = [send("tnn", "+61499", "111122", str(n)).message_id for n in range(50)]
    path = "/conversations?number=%2B61499&application=tnn"

    def subjects(page: html.HtmlElement) -> list[str]:
        return [text(one.xpath(".//a")[0]) for one in page.xpath("//ul[@class='bubbles']/li")]

    page = pages.page(path)
    assert subjects(page) == [str(n) for n in range(50)]
    assert page.xpath("//a[@rel='next']") == []
    send("tnn", "+61499", "111122", "50")
    page = pages.page(path)
    assert subjects(page) == [str(n) for n in range(1, 51)]
    [older] = page.xpath("//a[@rel='next']/@href")
    page = pages.page(older)
    assert subjects(page) == ["0"]
    [newest] = page.xpath("//a[text()='Newest messages']/@href")
    assert subjects(pages.page(newest))[-1] == "50"
    assert len(ids) == 50


# --- compose ----------------------------------------------------------------------------------------------------------


def test_all_fields_are_sent(pages: Pages) -> None:
    """And files, by what their octets are; the page of the new message follows."""
    files = [
        ("file", ("holiday.bin", picture("JPEG"), "application/octet-stream")),
        ("file", ("note.txt", "grüße".encode(), "image/png")),
    ]
    fields = {**MO, "to": "111122", "subject": "Holiday", "text": "Look:\r\nhere"}
    there = pages.post("/compose", fields=fields, files=files)
    mo = pages.room.messages[-1]
    assert there == f"/messages/{mo.id}"
    assert (mo.sender, mo.subject, mo.application) == ("+61499", "Holiday", "tnn")
    parts = pages.room.gateway.simulator.retrieved(mo.id)
    assert [(one.content_type, one.read()) for one in parts[1:]] == [
        ("text/plain", b"Look:\nhere"),
        ("image/jpeg", picture("JPEG")),
        ("text/plain", "grüße".encode()),
    ]
    assert "Holiday" in text(pages.page(there))


def test_a_series_is_sent(pages: Pages) -> None:
    """So many times, each with its time."""
    pages.post("/compose", fields={**MO, "text": "tick", "every": "60", "times": "3"})
    assert [one["times"][0] for one in pages.lines()] == [f"2026-03-01T12:0{n}:00.000Z" for n in (2, 1, 0)]


MISTAKES = {
    "nobody": ({"from": ""}, "lacks from"),
    "unknown application": ({"application": "none"}, "no application 'none'"),
    "no number": ({"every": "often"}, "Every: 'often' is no number; give one, or leave it empty"),
    "half a series": ({"every": "5"}, "and times go together"),
    "past": ({"at": "2020-01-01T00:00"}, "At is over"),
    "no time": ({"at": "soon"}, "At is"),
    "long subject": ({"subject": "s" * 1001}, "Subject has 1001 characters"),
    "no address": ({"to": "nonsense\x01"}, "To holds the control character"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_keep_what_was_typed(pages: Pages, name: str) -> None:
    """And the page says what is wrong; files have to be chosen again, which it says, too."""
    changed, words = MISTAKES[name]
    fields = {**MO, "to": "111122", "subject": "Sun", "text": "two\nlines", **changed}
    page = pages.post("/compose", 400, fields=fields, files=[("file", ("a.png", picture(), "image/png"))])
    assert words in wrong(page)
    assert "choose the files again" in wrong(page)
    kept = {one: given for one, given in fields.items() if one != "application" and "\x01" not in given}
    assert {one: (value(page, one) or "").strip() for one in kept} == kept
    page = pages.post("/compose", 400, fields=fields)
    assert "files" not in wrong(page)
    assert pages.room.messages == []


def test_a_reply_that_cannot_be_keeps_what_was_typed(pages: Pages) -> None:
    """Its recipient has not got the message."""
    id_ = pages.room.submitted(ONE)
    page = pages.post("/compose", 409, fields={"from": "+61400", "reply_to": id_, "text": "yes", "subject": "Re"})
    assert "who has not got it: its copy is Pending" in wrong(page)
    assert [value(page, one) for one in ("from", "reply_to", "text", "subject")] == ["+61400", id_, "yes", "Re"]
    assert page.xpath(f"//a[@href='/messages/{id_}']") != []


def test_applications_that_take_no_messages_are_not_offered(open_pages: Any) -> None:
    """And where none does, the page says what to do."""
    pages = open_pages(CALLED, SILENT)
    assert pages.page("/compose").xpath("//select/option/text()") == ["tnn"]
    pages = open_pages(TNN, replace(SILENT))
    page = pages.page("/compose")
    assert "No application takes messages: give one a callback" in text(page.xpath("//p[@class='error']")[0])
    assert page.xpath("//form[@action='/compose']") == []


def test_too_much_is_said_to_be(pages: Pages) -> None:
    """Files beyond what a form may have."""
    files = [("file", ("a.bin", bytes(16 * 2**20), "application/octet-stream"))]
    page = pages.post("/compose", 413, fields=MO, files=files)
    assert "a form with its files may have 15 MiB" in text(page.xpath("//main")[0])
    assert page.xpath("//main//a/@href") == ["/compose", "/"]


# --- callbacks --------------------------------------------------------------------------------------------------------


def call_rows(page: html.HtmlElement) -> list[list[str]]:
    """The rows of the table of calls."""
    return [[text(cell) for cell in row.xpath("./td")] for row in page.xpath("//tbody/tr")]


@pytest.fixture
def called(open_pages: Any) -> Pages:
    """Calls of every state: one done, one dead, one that waits, one whose endpoint is paused."""
    pages: Pages = open_pages(CALLED, OTHER)
    room = pages.room
    room.gateway.simulator.send_mo("tnn", "+61499", "111122", "taken")
    room.gateway.run_pending()
    room.calls.refuse = StatusError(2000, "no")
    room.submitted(replace(ONE, delivery_report=True))
    room.gateway.run_pending()
    room.gateway.simulator.send_mo("other", "+61499", "333", "paused")
    with room.gateway.database.write() as connection:
        endpoints.pause(connection, "other http://other/mo", "answers 401", room.clock())
    room.gateway.simulator.send_mo("tnn", "+61499", "111122", "waits")
    return pages


def test_calls_by_state(called: Pages) -> None:
    """Each with kind, endpoint, state in words, and why it failed, with the first lines of what was answered."""
    states = {text(one): one.get("href") for one in called.page("/callbacks").xpath("//nav[@aria-label='States']//a")}
    found = {words: call_rows(called.page(url)) for words, url in states.items()}
    assert {words: len(rows) for words, rows in found.items()} == {
        "All": 4, "Waiting": 1, "Paused": 1, "Dead": 1, "Done": 1,
    }  # fmt: skip
    [dead] = found["Dead"]
    assert dead[1] == "delivery report message"
    assert dead[2:5] == ["tnn http://tnn/dlr", "dead", "1"]
    assert dead[6] == "StatusError: 2000 no"
    assert [rows[0][3] for words, rows in found.items() if words != "All"] == ["waiting", "paused", "dead", "done"]
    page = called.page("/callbacks?state=lost", 400)
    assert 'State is "lost"; give one of ready, done, dead, paused.' in wrong(page)
    assert len(call_rows(page)) == 4


def test_answers_are_seen(called: Pages) -> None:
    """Their first lines in the list, more on the page of the call, and nothing in them acts."""
    [dead] = called.room.outbox(state="dead")
    answer = "\n<h1>Broken</h1>\n\n" + "\n".join(f"line {n} \u202ex" for n in range(9))
    with called.room.gateway.database.write() as connection:
        connection.execute(
            OUTBOX.update().where(OUTBOX.c.id == dead.id).values(answer=answer.encode(), http_status=500)
        )
    page = called.page("/callbacks?state=dead")
    assert page.xpath("//tbody//code/text()") == ["<h1>Broken</h1>", "line 0 [U+202E]x", "line 1 [U+202E]x"]
    page = called.page(f"/callbacks/{dead.id}")
    assert "line 8" in page.xpath("//pre")[0].text
    about = text(page.xpath("//dl")[0])
    assert "Kind delivery report State dead" in about
    assert "HTTP status 500" in about
    mo = next(one for one in called.room.outbox() if one.kind == "deliver")
    assert "What is sent The message itself." in text(called.page(f"/callbacks/{mo.id}").xpath("//main")[0])
    assert "No callback has that id." in text(called.page("/callbacks/99", 404))
    assert "No callback has that id." in text(called.page("/callbacks/" + "9" * 30, 404))


def test_calls_of_an_application_and_of_a_message(called: Pages) -> None:
    """A filter stays with the next page, with each state, and with the other filter."""
    page = called.page("/callbacks?application=other")
    assert [row[2] for row in call_rows(page)] == ["other http://other/mo"]
    assert page.xpath("//nav[@aria-label='States']//a/@href")[3] == "/callbacks?application=other&state=dead"
    assert value(page, "application") == "other"
    id_ = called.room.outbox(state="dead")[0].message_id
    [url] = called.page(f"/messages/{id_}").xpath("//a[text()='All calls about this message']/@href")
    page = called.page(url)
    assert len(call_rows(page)) == 1
    assert f"message={id_}" in page.xpath("//nav[@aria-label='States']//a/@href")[3]
    for _ in range(60):
        called.room.gateway.simulator.send_mo("tnn", "+61499", "111122", "x")
    page = called.page("/callbacks?application=tnn&state=ready")
    assert len(call_rows(page)) == 50
    [older] = page.xpath("//a[@rel='next']/@href")
    assert "application=tnn" in older
    page = called.page(older)
    assert len(call_rows(page)) == 11
    [newest] = page.xpath("//a[text()='Newest']/@href")
    assert dict(parse_qsl(urlsplit(newest).query)) == {"application": "tnn", "state": "ready"}


def test_calls_are_made_again(called: Pages) -> None:
    """One, those of an endpoint, those that died since a time; the page says how many."""
    [dead] = called.room.outbox(state="dead")
    called.room.calls.refuse = None
    assert called.post(f"/callbacks/{dead.id}/replay") == f"/callbacks/{dead.id}"
    called.room.gateway.run_pending()
    assert called.room.outbox(state="dead") == []
    called.room.calls.refuse = StatusError(2000, "no")
    called.room.submitted(replace(ONE, delivery_report=True))
    called.room.gateway.run_pending()
    there = called.post("/callbacks/replay", fields={"since": "2026-03-01T12:00", "endpoint": "http://tnn/dlr"})
    assert there == "/callbacks?replayed=1"
    assert text(called.page(there).xpath("//p[@class='notice']")[0]) == "1 call is replayed."
    there = called.post("/callbacks/replay", fields={"since": "2026-03-02T12:00"})
    assert text(called.page(there).xpath("//p[@class='notice']")[0]) == "No dead call fits: nothing is replayed."
    page = called.post("/callbacks/replay", 400)
    assert wrong(page) == "Say which calls to replay: give a time, an endpoint, or both."
    page = called.post("/callbacks/replay", 400, fields={"since": "then", "endpoint": "http://tnn/dlr"})
    assert "Since is" in wrong(page)
    assert (value(page, "since"), value(page, "endpoint")) == ("then", "http://tnn/dlr")
    for odd in ("-1", "x", "9" * 12):
        assert called.page(f"/callbacks?replayed={odd}").xpath("//p[@class='notice']") == []


def test_a_call_that_cannot_be_made_again_says_why(called: Pages) -> None:
    """While it is being made; the page leads back to it."""
    called.room.gateway.dispatcher.run_once()
    leased = next(one for one in called.room.outbox() if one.state == "leased")
    page = called.post(f"/callbacks/{leased.id}/replay", 409)
    assert "This call is being made now; wait for its end." in text(page.xpath("//main")[0])
    assert page.xpath("//main//a/@href") == [f"/callbacks/{leased.id}", "/"]
    assert "under way" in text(called.page(f"/callbacks/{leased.id}").xpath("//dl")[0])


def test_endpoints_with_their_health(called: Pages) -> None:
    """What waits, what is dead, why one is paused; it is resumed, and its dead calls are made again."""
    page = called.page("/endpoints")
    rows = {row[0]: row for row in call_rows(page)}
    assert rows["http://other/mo other"][1].startswith("paused since 2026-03-01 12:00:00 UTC : answers 401")
    assert rows["http://tnn/dlr tnn"][1:5] == ["in use", "0", "1", "0 of 1"]
    assert "2000 no" in rows["http://tnn/dlr tnn"][6]
    [resume] = page.xpath("//form[@action='/endpoints/resume']")
    fields = {one.get("name"): one.get("value") for one in resume.xpath(".//input[@name != 'csrf']")}
    called.room.calls.refuse = None
    assert called.post("/endpoints/resume", fields=fields) == "/endpoints"
    called.room.gateway.run_pending()
    rows = {row[0]: row for row in call_rows(called.page("/endpoints"))}
    assert rows["http://other/mo other"][1:5] == ["in use", "0", "0", "1 of 1"]
    [replay] = called.page("/endpoints").xpath("//form[@action='/callbacks/replay']")
    fields = {one.get("name"): one.get("value") for one in replay.xpath(".//input[@name != 'csrf']")}
    there = called.post("/callbacks/replay", fields=fields)
    assert there == "/endpoints?replayed=1"
    assert text(called.page(there).xpath("//p[@class='notice']")[0]) == "1 call is replayed."
    fields = {"endpoint": "http://tnn/mo", "application": "tnn"}
    assert (
        fields.items()
        <= {
            one.get("name"): one.get("value") for one in page.xpath("//form[@action='/endpoints/pause']//input")
        }.items()
    )
    assert called.post("/endpoints/pause", fields=fields) == "/endpoints"
    rows = {row[0]: row for row in call_rows(called.page("/endpoints"))}
    assert rows["http://tnn/mo tnn"][1] == "paused since 2026-03-01 12:00:00 UTC : paused by operator"
    assert rows["http://tnn/mo tnn"][7] == "Resume"
    page = called.post("/endpoints/pause", 404, fields={"endpoint": "http://nowhere/"})
    assert "No call has gone to an endpoint of that URL." in text(page.xpath("//main")[0])
    page = called.post("/endpoints/resume", 404, fields={"endpoint": "http://nowhere/"})
    assert "No endpoint of that URL is paused." in text(page.xpath("//main")[0])


def test_secrets_in_what_endpoints_say_are_hidden(called: Pages) -> None:
    """A far side may repeat what it was asked with."""
    with called.room.gateway.database.write() as connection:
        endpoints.pause(connection, "other http://other/mo", "got Authorization: Basic b3RoZXI6eQ==", 0.0)
    assert "b3RoZXI6eQ" not in called.ask("/endpoints").text


def test_an_application_s_user_sees_its_own_calls(open_pages: Any) -> None:
    """In lists and on the page of endpoints, with no choice of others."""
    pages = open_pages(CALLED, OTHER, admin_username="ops", admin_password="pw")
    pages.room.gateway.simulator.send_mo("tnn", "+61499", "111122", "own")
    pages.room.gateway.simulator.send_mo("other", "+61499", "333", "theirs")
    for path in ("/callbacks", "/endpoints"):
        own = html.fromstring(pages.ask(path, auth=("tnn", "t")).text)
        assert len(own.xpath("//tbody/tr")) == 1
        assert "other" not in text(own.xpath("//main")[0])
        assert len(html.fromstring(pages.ask(path, auth=("ops", "pw")).text).xpath("//tbody/tr")) == 2
    assert pages.ask("/callbacks?application=other", 403, auth=("tnn", "t"))


# --- chaos and handsets -----------------------------------------------------------------------------------------------


def rule_fields(page: html.HtmlElement, action: str) -> dict[str, Any]:
    """What the form of a page would send, without its buttons and ticks that are not set."""
    form = page.xpath(f"//form[@action='{action}']")[0]
    fields: dict[str, Any] = {}
    for one in form.xpath(".//input[@name != 'csrf'] | .//select"):
        if one.get("type") == "checkbox" and one.get("checked") is None:
            continue
        fields[one.get("name")] = value(form, one.get("name")) or ""
    return fields


def test_rules_of_chaos(pages: Pages) -> None:
    """Added with or without the button, changed, removed by a tick that says so, and all ended."""

    def rules() -> list[dict[str, Any]]:
        return [one.model_dump(exclude_defaults=True) for one in pages.room.gateway.chaos.rules]

    fields = rule_fields(pages.page("/chaos"), "/chaos")
    assert [fields[f"0.{name}"] for name in ("probability", "delay", "dribble")] == ["1", "0", "0"]
    assert pages.post("/chaos", fields=fields) == "/chaos"
    assert rules() == []  # the empty rule is none, unless it is added
    pages.post("/chaos", fields={**fields, "0.http_status": "503", "0.probability": "0.5"})
    assert rules() == [{"http_status": 503, "probability": 0.5}]
    page = pages.page("/chaos")
    assert "on, 1 rule" in text(page.xpath("//main")[0])
    fields = rule_fields(page, "/chaos")
    pages.post("/chaos", fields={**fields, "0.delay": "2.5", "1.malformed": "html", "1.reset": "yes", "add": "yes"})
    assert rules() == [
        {"http_status": 503, "probability": 0.5, "delay": 2.5},
        {"malformed": "html", "reset": True},
    ]
    page = pages.page("/chaos")
    assert [text(one) for one in page.xpath("//legend")] == ["Rule 1", "Rule 2", "New rule"]
    removes = [text(one.getparent()) for one in page.xpath("//input[contains(@name, 'remove')]")]
    assert removes == ["Remove this rule when the rules are saved"] * 2
    pages.post("/chaos", fields={**rule_fields(page, "/chaos"), "0.remove": "yes"})
    assert rules() == [{"malformed": "html", "reset": True}]
    for path in ("/", "/conversations", "/compose", "/callbacks", "/endpoints", "/handsets", "/chaos", "/nowhere"):
        page = html.fromstring(pages.client.get(path).text)
        assert "Chaos is on" in text(page.xpath("//div[@id='alarm']/p")[0]), path
    pages.post("/chaos", fields={**rule_fields(pages.page("/chaos"), "/chaos"), "end": "yes"})
    assert rules() == []
    assert pages.page("/").xpath("//div[@id='alarm']/p") == []
    pages.post("/chaos", fields={**rule_fields(pages.page("/chaos"), "/chaos"), "add": "yes"})
    assert rules() == [{}]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"probability": "7"}, "Rule 1: probability is 7.0; give something from 0 to 1. Nothing was changed."),
        ({"delay": "long"}, "Rule 1: delay is 'long', which is no number"),
        ({"http_status": "200"}, "Rule 1: HTTP status is 200; give something from 400 to 599"),
        ({"mm7_status": "2.5"}, "Rule 1: MM7 StatusCode is '2.5', which is no whole number"),
        ({"delay": "nan"}, "Rule 1: delay is"),
        ({"malformed": "odd"}, 'Rule 1: malformed is "odd"; give one of cut'),
    ],
)
def test_wrong_rules_keep_what_was_typed(pages: Pages, typed: dict[str, str], words: str) -> None:
    """And the page says which rule it is, and that nothing was changed."""
    fields = rule_fields(pages.page("/chaos"), "/chaos")
    fields |= {"0.dribble": "3", "0.reset": "yes"} | {f"0.{name}": given for name, given in typed.items()}
    page = pages.post("/chaos", 400, fields={**fields, "add": "yes"})
    assert words in wrong(page)
    for name, given in (typed | {"dribble": "3"}).items():
        if name != "malformed":
            assert value(page, f"0.{name}") == given
    assert page.xpath("//*[@name='0.reset']/@checked") != []
    assert pages.room.gateway.chaos.rules == ()


def test_handset_scripts(open_pages: Any) -> None:
    """Set before those of the file, which the page shows too; changed, removed, and refused in words."""
    pages = open_pages(CALLED, handsets=(Handset(prefix="+6141", outcome="Expired"),))
    page = pages.page("/handsets")
    assert [row[:2] for row in call_rows(page)] == [["+6141", "Expired"]]
    fields = rule_fields(page, "/handsets")
    pages.post("/handsets", fields=fields)

    def scripts() -> list[Handset]:
        return [one.handset for one in pages.room.gateway.simulator.handsets() if one.source == "set"]

    assert scripts() == []
    pages.post("/handsets", fields={**fields, "0.prefix": "+61400", "0.reply": "Thanks", "0.delay": "5"})
    [script] = scripts()
    assert (script.prefix, script.reply, script.delay.total_seconds(), script.read) == ("+61400", "Thanks", 5, True)
    fields = rule_fields(pages.page("/handsets"), "/handsets")
    page = pages.post("/handsets", 400, fields={**fields, "0.outcome": "Rejected"})
    assert "Script 1: handset '+61400' replies to what it never gets" in wrong(page)
    assert (value(page, "0.outcome"), value(page, "0.prefix")) == ("Rejected", "+61400")
    assert scripts() == [script]
    without = {name: given for name, given in fields.items() if name != "1.read"}
    pages.post("/handsets", fields=without)  # a new one that only does not read is one
    assert [one.read for one in scripts()] == [True, False]
    fields = rule_fields(pages.page("/handsets"), "/handsets")
    pages.post("/handsets", fields={**fields, "0.remove": "yes", "1.remove": "yes"})
    assert scripts() == []
    id_ = pages.room.submitted(replace(ONE, to=["+61412"]))
    pages.room.gateway.run_pending()
    assert pages.room.states(id_) == ["Expired"]


# --- live -------------------------------------------------------------------------------------------------------------


def test_regions_change_with_what_they_show(called: Pages) -> None:
    """When and only when something in them changes, on every page that has some."""
    pages, room = called, called.room
    [dead] = room.outbox(state="dead")
    id_ = dead.message_id
    pages.page(f"/messages/{id_}")
    conversation = "/conversations?number=%2B61400&application=tnn"
    pages.page(conversation)
    paths = (
        "/",
        "/conversations",
        conversation,
        f"/messages/{id_}",
        "/callbacks",
        f"/callbacks/{dead.id}",
        "/endpoints",
    )
    before = {path: pages.regions(path) for path in paths}
    room.clock.move(seconds=1)
    assert {path: pages.changed(path, before[path]) for path in paths} == {path: set() for path in paths}
    assert {path: set(regions) - {"alarm"} for path, regions in before.items()} == {
        "/": {"messages"},
        "/conversations": {"conversations"},
        conversation: {"bubbles"},
        f"/messages/{id_}": {"phone", "state", "replies", "content-in-force"},
        "/callbacks": {"calls"},
        f"/callbacks/{dead.id}": {"call"},
        "/endpoints": {"endpoints"},
    }
    room.gateway.replay(id=dead.id)
    assert {path for path in paths if pages.changed(path, before[path])} == {
        f"/messages/{id_}", "/callbacks", f"/callbacks/{dead.id}", "/endpoints",
    }  # fmt: skip
    assert pages.changed(f"/messages/{id_}", before[f"/messages/{id_}"]) == {"state"}
    before = {path: pages.regions(path) for path in paths}
    room.submitted(replace(ONE, to=["+61422"]))
    assert {path for path in paths if pages.changed(path, before[path])} == {"/", "/conversations"}
    before = {path: pages.regions(path) for path in paths}
    room.gateway.simulator.report(id_, "+61400", "Rejected")
    assert {path for path in paths if pages.changed(path, before[path])} == set(paths) - {
        f"/callbacks/{dead.id}", "/conversations",
    }  # fmt: skip
    before = {path: pages.regions(path) for path in paths}
    pages.post("/chaos", fields={"rows": "1", "0.delay": "1"})
    assert {name for path in paths for name in pages.changed(path, before[path])} == {"alarm"}


def test_versions_change_with_what_is_seen(open_pages: Any) -> None:
    """A page knows the version that it was made of, so that the first event loads nothing again without need."""
    pages = open_pages(CALLED, OTHER, admin_username="ops", admin_password="pw")

    def version(path: str, auth: tuple[str, str]) -> str:
        return str(html.fromstring(pages.ask(path, auth=auth).text).get("data-version"))

    seen = {version(path, ("ops", "pw")) for path in ("/", "/callbacks", "/conversations", "/endpoints")}
    assert len(seen) == 1
    assert seen != {""}
    pages.room.submitted()
    assert version("/", ("ops", "pw")) not in seen
    assert version("/compose", ("ops", "pw")) == ""


# --- words ------------------------------------------------------------------------------------------------------------


def test_every_page_has_its_title_and_one_heading(called: Pages) -> None:
    """And the way to it is marked in the bar on top."""
    id_, call = called.room.messages[0].id, called.room.outbox()[0].id
    titles = {
        "/": ("Inbox (4)", "Inbox"),
        "/conversations": ("Conversations", "Conversations"),
        "/conversations?number=%2B61400": ("+61400", "Conversations"),
        "/compose": ("New message from a handset", "Compose"),
        "/callbacks": ("Callbacks", "Callbacks"),
        f"/callbacks/{call}": (f"Callback {call}", "Callbacks"),
        "/endpoints": ("Endpoints", "Endpoints"),
        "/handsets": ("Handsets", "Handsets"),
        "/chaos": ("Chaos", "Chaos"),
        f"/messages/{id_}": ("taken", None),
        f"/messages/{id_}/raw": ("Raw: taken", None),
        f"/messages/{id_}/copy": ("Copy: taken", None),
    }
    for path, (title, current) in titles.items():
        page = called.page(path)
        assert page.findtext(".//title") == f"{title} - mm7zeep", path
        assert len(page.xpath("//h1")) == 1, path
        marked = page.xpath("//nav[@aria-label='Pages']//a[@aria-current]")
        assert [text(one) for one in marked] == ([current] if current else []), path


def test_times_are_written_in_one_way(called: Pages) -> None:
    """For scripts in ISO 8601, for people in UTC with its name; none is relative."""
    for path in ("/", "/conversations", "/callbacks", "/endpoints", f"/messages/{called.room.messages[0].id}"):
        times = called.page(path).xpath("//main//time")
        assert times, path
        for one in times:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one.get("datetime"))
            assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", one.text)


def test_empty_pages_say_what_to_do(pages: Pages) -> None:
    """Each leads on."""
    for path, words in {
        "/": "No message has come yet",
        "/?q=x": "No message fits this search",
        "/conversations": "No conversation yet",
        "/callbacks": "No call yet",
        "/callbacks?state=dead": "No call fits",
        "/endpoints": "No call has been made yet",
    }.items():
        page = pages.page(path)
        assert words in text(page.xpath("//*[@class='empty']")[0]), path


def test_what_is_refused_leads_somewhere(pages: Pages) -> None:
    """A page that there is not, a method that does nothing, a form that is out of date or none."""
    page = pages.page("/nowhere", 404)
    assert (text(page.xpath("//h1")[0]), page.xpath("//main//a/@href")) == ("Not Found", ["/"])
    answer = pages.client.request("POST", "/callbacks/replay", data={"csrf": "0" * 64})
    page = html.fromstring(answer.text)
    assert answer.status_code == 403
    assert "This form is out of date: load its page again, and send it from there." in text(page)
    assert page.xpath("//main//a/@href") == ["/callbacks", "/"]
    answer = pages.client.request("POST", "/chaos", content=b"{}", headers={"Content-Type": "application/json"})
    assert answer.status_code == 415
    assert html.fromstring(answer.text).xpath("//main//a/@href") == ["/chaos", "/"]
    assert pages.client.request("DELETE", "/compose").status_code == 405


def test_reports_reach_the_application(pages: Pages) -> None:
    """What a page did is what the application hears."""
    id_ = pages.room.submitted(replace(ONE, delivery_report=True))
    pages.post(f"/messages/{id_}/report", fields={"recipient": "+61400", "status": "DeliveryConditionNotMet"})
    pages.room.gateway.run_pending()
    assert [one.mm_status for one in pages.room.calls.of(DeliveryReportReq)] == ["DeliveryConditionNotMet"]


def test_odd_searches_are_searches() -> None:
    """Whatever is typed, but for another application than the own one."""
    odd = ("after:0001-01-01T00:00+14:00", "before:9999-12-31T23:59:59-14:00", 'a"b"c', "::", "to:\x00", "é:x")
    for words in odd:
        assert search_of(words, "tnn").application == "tnn"
    with pytest.raises(Refusal, match="this log-in sees its own messages only"):
        search_of("application:other", "tnn")
