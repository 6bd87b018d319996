"""The viewer for everybody: axe-core on each page, in light and dark, on desk and phone; keyboard alone; contrast."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn")
pytest.importorskip("jinja2")
pytest.importorskip("PIL")

import viewer_contrast
from browser import Axe, Visit, Visitor
from gateway_room import CALLED, OTHER, SUBMIT, Room
from handset_site import picture, tone

from mm7zeep.errors import TransportError
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.viewer.app import listener_app
from mm7zeep.messages import Part

PAGE = Path(__file__).parents[1] / "docs" / "viewer_access.md"
STYLE = (resources.files("mm7zeep.gateway.viewer") / "static" / "app.css").read_text("utf-8")
OPERATOR = ("ops", "operators-password")
HANDSET = "+61400123456"


@dataclass
class Desk:
    """A gateway with something on every page, and where it is served."""

    room: Room
    url: str
    mt: str = ""
    mo: str = ""
    call: int = 0


def _served(stack: ExitStack, folder: Path, **options: Any) -> Desk:
    room = Room(folder, CALLED, OTHER, **options)
    stack.callback(room.gateway.close)
    return Desk(room, stack.enter_context(serve_in_thread(listener_app(room.gateway))))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Messages of all kinds, calls in all states, a paused endpoint, chaos and handset scripts."""
    with ExitStack() as stack:
        made = _served(stack, tmp_path_factory.mktemp("filled"))
        _fill(made)
        yield made


def _fill(desk: Desk) -> None:
    room = desk.room
    text = Part(body=("Good morning from the harbour. " * 30).encode(), content_type="text/plain", content_id="t")
    photo = Part(body=picture(320, 240, "#3c8a4e"), content_type="image/png", content_id="p", name="hill.png")
    sound = Part(body=tone(2), content_type="audio/wav", content_id="s")
    card = Part(body=b"BEGIN:VCARD\r\nFN:A\r\nEND:VCARD\r\n", content_type="text/x-vcard", content_id="c")
    wanted = replace(SUBMIT, delivery_report=True, read_reply=True, subject="Harbour news")
    many: Any = tuple(f"+6149157{n:04}" for n in range(8))
    for n in range(5):
        to: Any = many if n == 3 else (HANDSET,)
        room.submitted(replace(wanted, to=to, subject=f"Harbour news {n}", parts=(text, photo)))
        room.clock.move(seconds=90)
    desk.mt = room.submitted(replace(wanted, to=many, parts=(text, photo, sound, card)))
    room.gateway.run_pending()
    room.calls.refuse = TransportError("not found", maybe_accepted=False, http_status=404, body=b"<p>No such page</p>")
    room.submitted(replace(wanted, subject="Nobody home"))
    room.gateway.run_pending()
    room.calls.refuse = TransportError("no", maybe_accepted=False, http_status=401, body=b"who are you?")
    desk.mo = room.gateway.simulator.send_mo("tnn", HANDSET, "111122", "Re: Harbour news", ["Nice!", photo]).message_id
    room.gateway.run_pending()
    desk.call = next(one.id for one in room.outbox() if one.state == "dead")
    room.submitted(replace(wanted, subject="", parts=(text,)))
    assert {one.state for one in room.outbox()} >= {"done", "dead"}


def _rules(found: Visit, desk: Desk) -> None:
    """Have a rule of chaos, and a script of a handset."""
    page = found.page
    page.goto(f"{desk.url}/chaos")
    page.get_by_label("Delay").last.fill("0.5")
    page.get_by_role("button", name="Add this rule").click()
    page.goto(f"{desk.url}/handsets")
    page.get_by_label("Prefix").last.fill("+6149")
    page.get_by_role("button", name="Add this script").click()


def _compose_wrong(found: Visit, desk: Desk) -> None:
    found.page.goto(f"{desk.url}/compose")
    found.page.get_by_label("From").fill(HANDSET)
    found.page.get_by_text("Later, or several times").click()
    found.page.get_by_label("Times in all").fill("3")  # but not how often
    found.page.get_by_role("button", name="Send").click()
    found.page.get_by_role("alert").wait_for()


def _ask(found: Visit, desk: Desk) -> None:
    found.page.goto(desk.url)
    found.page.get_by_role("button", name="Delete all").click()
    found.page.get_by_role("alertdialog").wait_for()


def _opened(found: Visit, desk: Desk) -> None:
    found.page.goto(f"{desk.url}/messages/{desk.mt}")
    found.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")


def pages(desk: Desk) -> dict[str, str | Callable[[Visit, Desk], None]]:
    """What there is to see: by its name a path, or how to come there."""
    return {
        "inbox": "/",
        "search": "/?q=has:image",
        "search without a result": "/?q=nothingofthekind",
        "search that is wrong": "/?q=larger:much",
        "MT": _opened,
        "MO": f"/messages/{desk.mo}",
        "raw": f"/messages/{desk.mt}/raw",
        "copy": f"/messages/{desk.mt}/copy",
        "conversations": "/conversations",
        "conversation": f"/conversations?number=%2B{HANDSET[1:]}",
        "compose": "/compose",
        "reply": f"/compose?reply={desk.mt}&from=%2B61491570000",
        "compose with an error": _compose_wrong,
        "callbacks": "/callbacks",
        "no callbacks": "/callbacks?message=x",
        "callback": f"/callbacks/{desk.call}",
        "endpoints": "/endpoints",
        "chaos": "/chaos",
        "handsets": "/handsets",
        "delete all": _ask,
        "not found": "/messages/nothing",
    }


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(desk: Desk, visit: Visitor, axe: Axe, scheme: str, width: int) -> None:
    """No page has a fault that axe-core knows, and none is wider than the screen."""
    found = visit(desk.url, color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce")
    if not desk.room.gateway.chaos.active:
        _rules(found, desk)
    faults = []
    for name, way in pages(desk).items():
        if isinstance(way, str):
            found.page.goto(desk.url + way)
        else:
            way(found, desk)
        faults += [f"{name}: {one}" for one in axe(found.page)]
        wide = found.page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{name}: {wide} pixels wide"] if wide > width else []
    assert faults == []
    assert [one for one in found.offences() if "Failed to load resource" not in one] == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_before_anything_has_come(
    visit: Visitor, axe: Axe, scheme: str, width: int, tmp_path: Path
) -> None:
    """Nor has the page to log in at, or one of those that are empty."""
    with ExitStack() as stack:
        desk = _served(stack, tmp_path, admin_username=OPERATOR[0], admin_password=OPERATOR[1])
        found = visit(desk.url, color_scheme=scheme, viewport={"width": width, "height": 800})
        faults = [f"log in: {one}" for one in axe(found.page)]
        for password in ("wrong", OPERATOR[1]):
            found.page.get_by_label("Name").fill(OPERATOR[0])
            found.page.get_by_label("Password").fill(password)
            found.page.get_by_role("button", name="Log in").click()
            found.page.get_by_role("alert" if password == "wrong" else "navigation").first.wait_for()
            faults += [f"{password}: {one}" for one in axe(found.page)]
        for path in ("/", "/conversations", "/callbacks", "/endpoints", "/chaos", "/handsets"):
            found.page.goto(desk.url + path)
            faults += [f"{path}: {one}" for one in axe(found.page)]
            wide = found.page.evaluate("document.documentElement.scrollWidth")
            faults += [f"{path}: {wide} pixels wide"] if wide > width else []
        assert faults == []


# --- contrast ---------------------------------------------------------------------------------------------------------


def test_contrast() -> None:
    """Each pair of colours has the contrast that it needs, and the table in the docs is what the style sheet has."""
    found = viewer_contrast.rows(STYLE)
    assert [row for row in found if min(row.light, row.dark) < row.least] == []
    assert viewer_contrast.table(STYLE) in PAGE.read_text("utf-8"), viewer_contrast.table(STYLE)


def test_contrast_of_all_colours() -> None:
    """Every colour of the style sheet is in the table, but for the lines between things, which need none."""
    judged = {name for _, *pair, _ in viewer_contrast.PAIRS for name in pair}
    defined = set(re.findall(r"--([a-z-]+):\s*#", STYLE))
    assert defined - judged == {"line"}


# --- focus ------------------------------------------------------------------------------------------------------------

NAME = """() => { const one = document.activeElement;
  if (!one || one === document.body) return '';
  const said = one.getAttribute('aria-label')
    || (one.getAttribute('aria-labelledby') && document.getElementById(one.getAttribute('aria-labelledby')).textContent)
    || (one.labels && one.labels.length && one.labels[0].firstChild.textContent.trim()
        || one.labels && one.labels.length && one.labels[0].textContent)
    || one.textContent || one.getAttribute('name') || one.tagName;
  return said.trim().replace(/\\s+/g, ' ').slice(0, 60); }"""
"""What the element that has the focus is called."""


def focused(found: Visit) -> str:
    """What the element that has the focus is called; empty where none has it."""
    return str(found.page.evaluate(NAME))


def order(found: Visit, most: int = 70) -> list[str]:
    """What has the focus, one after another, when Tab is pressed; several of a kind in a row once."""
    names: list[str] = []
    for _ in range(most):
        found.page.keyboard.press("Tab")
        name = focused(found)
        if not name or (names and name == names[0]):
            break
        if names and name == names[-1] and name.startswith("That"):
            continue  # the parts of a point in time
        name = re.sub(r"^(unopened: )?Harbour news( \d)?$|^Nobody home$|^\(no subject\)$", "a message", name)
        name = re.sub(r"^Select .*$", "Select", name)
        names.append(name)
    return names


def documented() -> dict[str, list[str]]:
    """The order of the focus as the docs tell it, by page."""
    found = re.findall(r"^\| `(/\S*)` \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {path: words.split(" > ") for path, words in found}


@pytest.mark.browser
def test_focus_order(visit: Visitor, tmp_path: Path) -> None:
    """Tab goes through each page in the order in which it is read, and through nothing else, as the docs say."""
    with ExitStack() as stack:
        desk = _served(stack, tmp_path)
        room = desk.room
        photo = Part(body=picture(32, 24, "#3c8a4e"), content_type="image/png", content_id="p")
        news: Any = replace(SUBMIT, to=(HANDSET,), subject="Harbour news", parts=(photo,))
        desk.mt = room.submitted(news)
        found = visit(desk.url, reduced_motion="reduce")
        told: dict[str, list[str]] = {}
        for path in ("/", "/messages/ID", "/compose", "/callbacks", "/endpoints", "/handsets", "/chaos"):
            found.page.goto(desk.url + path.replace("ID", desk.mt))
            told[path] = order(found)
            places = found.page.evaluate(
                """() => [...document.querySelectorAll('[tabindex]')].filter(one => one.tabIndex > 0).length"""
            )
            assert places == 0, path
        lines = [f"| `{path}` | {' > '.join(names)} |" for path, names in told.items()]
        assert told == documented(), "\n".join(lines)


# --- keyboard ---------------------------------------------------------------------------------------------------------


SEEN = """() => { const one = document.activeElement, box = one.getBoundingClientRect();
  return box.bottom > 0 && box.top < innerHeight && one.matches(':focus-visible'); }"""
"""Whether what has the focus is seen, with its frame."""


class Hands:
    """Somebody who has a keyboard and nothing else."""

    def __init__(self, found: Visit) -> None:
        self.found = found
        self.keys = found.page.keyboard

    def to(self, name: str, *, back: bool = False, most: int = 120) -> None:
        """Press Tab until the focus is at what has that name."""
        seen = []
        for _ in range(most):
            self.keys.press("Shift+Tab" if back else "Tab")
            seen.append(focused(self.found))
            if seen[-1] == name:
                assert self.found.page.evaluate(SEEN), name
                return
        raise AssertionError(f"{name!r} never had the focus, but {seen}")

    def press(self, name: str, key: str = "Enter") -> None:
        """Go there and press a key."""
        self.to(name)
        self.keys.press(key)

    def fill(self, name: str, text: str) -> None:
        """Go to a field and type."""
        self.to(name)
        self.keys.press("Control+a")
        self.keys.type(text)

    def heading(self, name: str) -> None:
        """Wait for the page of that heading, and for its scripts."""
        self.found.page.get_by_role("heading", name=name, exact=True).wait_for()
        self.found.page.wait_for_load_state("load")


@pytest.mark.browser
def test_every_act_by_keyboard_alone(visit: Visitor, tmp_path: Path) -> None:
    """Log in, search, select, mark, open, play, choose an outcome, answer with a file, make calls again, resume, set
    handsets and chaos and end it, delete after a question, log out.
    """
    with ExitStack() as stack:
        desk = _served(stack, tmp_path, admin_username=OPERATOR[0], admin_password=OPERATOR[1])
        room = desk.room
        slide = Part(body=b"Good morning", content_type="text/plain", content_id="t")
        slides = b"<smil><body><par dur='5s'><text src='t'/></par><par dur='5s'><text src='t'/></par></body></smil>"
        smil = Part(body=slides, content_type="application/smil", content_id="smil")
        news: Any = replace(SUBMIT, to=(HANDSET,), subject="Harbour news", parts=(slide, smil), delivery_report=True)
        room.submitted(replace(news, subject="Old news"))
        message_id = room.submitted(news)
        found = visit(desk.url)
        page, hands = found.page, Hands(found)
        choosers: list[Any] = []
        page.on("filechooser", lambda one: choosers.append(one))  # answered from now on

        assert focused(found) == "Name"
        hands.keys.type(OPERATOR[0])
        hands.keys.press("Tab")
        hands.keys.type(OPERATOR[1])
        hands.keys.press("Enter")
        hands.heading("Inbox")

        # search, select, mark
        hands.keys.press("/")
        assert focused(found) == "Search"
        hands.keys.type("harbour")
        hands.keys.press("Enter")
        found.until("document.querySelectorAll('.list li').length === 1")
        hands.press("Select Harbour news", "Space")
        hands.to("Mark as opened", back=True)
        hands.keys.press("Enter")
        found.until("document.querySelectorAll('.list li.unopened').length === 0")
        hands.press("All")
        found.until("document.querySelectorAll('.list li').length === 2")
        hands.keys.press("j")
        hands.keys.press("j")
        hands.keys.press("k")
        assert focused(found).endswith("Harbour news")
        hands.keys.press("x")
        assert page.locator("input[name=id]:checked").count() == 1

        # open and play
        hands.keys.press("Enter")
        hands.heading("Harbour news")
        hands.to("Screen")
        hands.keys.press("ArrowRight")
        found.until("document.querySelector('.handset-status').textContent.startsWith('Slide 2 of 2')")
        hands.keys.press("Home")
        found.until("document.querySelector('.handset-status').textContent.startsWith('Slide 1 of 2')")

        # outcomes
        room.calls.refuse = TransportError("no", maybe_accepted=False, http_status=404, body=b"not here")
        hands.to("Outcome")
        hands.keys.type("Retrieved")
        hands.press("Reach this outcome")
        found.until("document.querySelector('.timeline').textContent.includes('was retrieved')")
        hands.press("Has read it")
        found.until("document.querySelector('.timeline').textContent.includes('read reply Read')")
        assert room.states(message_id) == ["Retrieved"]
        room.gateway.run_pending()  # the calls die

        # answer, with a file that is chosen in the dialog of the system
        hands.press("Reply")
        hands.heading("Reply")
        hands.fill("Text", "Good morning to you")
        hands.to("Pictures, sounds, videos")
        photo = tmp_path / "photo.png"
        photo.write_bytes(picture(32, 24, "#884422"))
        hands.keys.press("Enter")
        for _ in range(200):
            if choosers:
                break
            page.wait_for_timeout(50)
        choosers[0].set_files(photo)
        hands.press("Send")
        hands.heading("Re: Harbour news")
        room.calls.refuse = TransportError("no", maybe_accepted=False, http_status=401, body=b"who are you?")
        room.gateway.run_pending()  # the endpoint is paused

        # calls
        hands.press("Callbacks")
        hands.heading("Callbacks")
        hands.press("Dead")
        found.until("document.querySelectorAll('tbody tr').length >= 1")
        call = next(one.id for one in room.outbox() if one.state == "dead")
        hands.press(str(call))
        hands.heading(f"Callback {call}")
        hands.press("Replay")
        found.until("document.querySelector('dd .chip').textContent !== 'dead'")
        hands.press("Endpoints")
        hands.heading("Endpoints")
        hands.press("Resume")
        found.until("!document.querySelector('main').textContent.includes('paused')")

        # handsets and chaos
        hands.press("Handsets")
        hands.heading("Handsets")
        hands.fill("Prefix", "+6149")
        hands.to("Outcome")
        hands.keys.type("Expired")
        hands.press("Add this script")
        found.until("document.querySelectorAll('fieldset').length === 2")
        hands.press("Chaos")
        hands.heading("Chaos")
        hands.fill("MM7 StatusCode", "4006")
        hands.press("Add this rule")
        page.get_by_text("Chaos is on").wait_for()
        assert room.gateway.chaos.active
        hands.press("End all trouble")
        found.until("!document.body.textContent.includes('Chaos is on')")

        # delete, after a question that is answered with no and with yes
        hands.keys.press("Home")
        hands.press("Inbox")
        hands.heading("Inbox")
        room.calls.refuse = None
        room.gateway.run_pending()
        hands.press("Select Old news", "Space")
        hands.to("Delete", back=True)
        hands.keys.press("Enter")
        page.get_by_role("alertdialog").wait_for()
        assert focused(found) == "Cancel"
        hands.keys.press("Escape")
        page.get_by_role("alertdialog").wait_for(state="detached")
        assert focused(found) == "Delete"  # where one was
        hands.keys.press("Enter")
        page.get_by_role("alertdialog").wait_for()
        hands.press("Delete")
        page.get_by_role("link", name="Old news").wait_for(state="detached")
        assert {one.subject for one in room.messages} == {"Harbour news", "Re: Harbour news"}

        hands.press("Log out")
        hands.heading("Log in to mm7zeep")
        assert found.offences() == []
