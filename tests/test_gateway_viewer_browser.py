"""The viewer of a whole gateway in a browser: what a tester does with it, from a submit to the read reply.

``mm7zeep serve`` runs as a process of its own; an application submits by ``VaspClient`` and is called back.
"""

from __future__ import annotations

import io
import json
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import needed
import pytest
import requests

pytest.importorskip("uvicorn")
pytest.importorskip("jinja2")
pytest.importorskip("PIL")

from browser import Visit, Visitor
from far_side import FarSide, proper
from gateway_process import AUTH, OTHER_AUTH, GatewayProcess, as_a_new_user, eventually
from handset_site import picture
from PIL import Image, ImageFilter

from mm7zeep.client import VaspClient
from mm7zeep.messages import DeliverReq, DeliveryReportReq, Message, Part, ReadReplyReq

pytestmark = pytest.mark.browser

SLIDES = b"""<smil><head><layout><root-layout width="240" height="320"/><region id="Image" width="100%" height="60%"/>
<region id="Text" top="60%" width="100%" height="40%"/></layout></head><body>
<par dur="700ms"><img src="sun.png" region="Image" alt="A hill below the sun"/><text src="note" region="Text"/></par>
<par dur="700ms"><text src="note" region="Text"/></par></body></smil>"""
PARTS = (
    Part(body=picture(320, 240, "#3c8a4e"), content_type="image/png", content_id="sun.png"),
    Part(body=b"The ferry leaves at 9:30.", content_type="text/plain", content_id="note"),
    Part(body=SLIDES, content_type="application/smil", content_id="slides"),
)
HANDSET = "+61491570156"
OPERATOR = ("ops", "operators-password")


@dataclass
class Site:
    """A gateway that serves, and the application that it calls back."""

    gateway: GatewayProcess
    far: FarSide

    def submit(self, subject: str, *parts: Part, to: str = HANDSET, who: tuple[str, str] = AUTH, **fields: Any) -> str:
        """The MessageID of a message that an application has sent."""
        vaspid = "TNN" if who == AUTH else "ABC"
        with VaspClient(self.gateway.url, vaspid=vaspid, vasid="News", auth=who) as client:
            sent = client.submit(to, parts or PARTS[:2], subject=subject, **fields)
        assert sent.message_id is not None
        return sent.message_id

    def callback(self, kind: type[Message], of: str) -> Any:
        """The first call of that kind about a message, or of that subject, once it has come."""

        def found() -> Any:
            messages = (one.unpack().message for one in list(self.far.requests) if one.complete)
            return next((one for one in messages if isinstance(one, kind) and of in _about(one)), None)

        return eventually(found, f"a {kind.__name__} about {of}")


def _about(message: Message) -> tuple[Any, ...]:
    return tuple(getattr(message, name, None) for name in ("message_id", "linked_id", "subject"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A gateway without a password, whose handsets wait for what a tester says."""
    with ExitStack() as stack:
        far = stack.enter_context(FarSide(proper))
        gateway = stack.enter_context(GatewayProcess(tmp_path_factory.mktemp("open"), callback=far.url))
        waits = {"prefix": "+6149", "delay": 86_400, "read": False}
        answer = requests.put(f"{gateway.admin}/api/v1/handsets", json={"handsets": [waits]}, timeout=10)
        assert answer.status_code == 200, answer.text
        yield Site(gateway, far)


def opened(visit: Visitor, url: str, **options: Any) -> Visit:
    """A page that has scripts, once it hears of changes; it remembers whether it was loaded again."""
    found = visit(url, **options)
    found.until("document.documentElement.dataset.connected === 'yes'")
    found.page.evaluate("window.loadedOnce = true")
    return found


def loaded_once(found: Visit) -> bool:
    """Whether the page is still the same document."""
    return bool(found.page.evaluate("window.loadedOnce === true"))


def moments(found: Visit) -> str:
    """What the time line says."""
    return found.page.locator(".timeline").inner_text()


def line(found: Visit, *words: str, seconds: float = 15) -> None:
    """Wait until the time line says all of that."""
    texts = json.dumps(words)
    found.until(f"{texts}.every(one => document.querySelector('.timeline').textContent.includes(one))", seconds=seconds)


def test_from_a_submit_to_the_read_reply(site: Site, visit: Visitor, tmp_path: Path) -> None:
    """A submit appears by itself, plays, is answered with a file, reported and read; all that comes to the application,
    and a page that is open meanwhile shows it without being loaded again.
    """
    inbox = opened(visit, site.gateway.admin + "/")
    message_id = site.submit("Harbour news", *PARTS)
    link = inbox.page.get_by_role("link", name="Harbour news")
    link.wait_for()
    assert loaded_once(inbox)
    assert inbox.page.title().startswith("Inbox (1)")
    link.click()
    page = inbox.page
    page.get_by_role("heading", name="Harbour news").wait_for()
    inbox.until("document.querySelector('.handset-status').textContent.startsWith('Slide 2 of 2')")
    inbox.until("document.querySelector('.handset-status').textContent.endsWith('the end')")
    watch = opened(visit, page.url)
    line(watch, "submitted by tnn")

    # the outcome, which the application has not even asked for
    page.get_by_label("Recipient").select_option(HANDSET)
    page.get_by_label("Outcome").select_option("Retrieved")
    page.get_by_role("button", name="Reach this outcome").click()
    report = site.callback(DeliveryReportReq, message_id)
    assert (report.mm_status, report.recipient.value) == ("Retrieved", HANDSET)
    line(watch, "Retrieved: was retrieved", "delivery report Retrieved: taken")
    page.get_by_role("button", name="Has read it").click()
    assert site.callback(ReadReplyReq, message_id).mm_status == "Read"
    line(watch, "read reply Read: taken")

    # the answer
    page.get_by_role("link", name="Reply").click()
    assert page.get_by_label("From").input_value() == HANDSET
    assert page.get_by_label("Subject").input_value() == "Re: Harbour news"
    photo = tmp_path / "my photo.png"
    photo.write_bytes(picture(64, 48, "#884422"))
    page.get_by_label("Text").fill("Nice! <b>Here</b> is mine.")
    page.get_by_label("Pictures, sounds, videos").set_input_files(photo)
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Re: Harbour news").wait_for()
    mo = site.callback(DeliverReq, "Re: Harbour news")
    assert (mo.sender.value, mo.reply_charging_id) == (HANDSET, None)
    octets = [one.read() for one in mo.parts]
    assert photo.read_bytes() in octets
    assert b"Nice! <b>Here</b> is mine." in octets
    line(inbox, "sent by a handset", "brought to tnn")

    page.goto(f"{site.gateway.admin}/conversations?number=%2B61491570156")
    assert page.locator(".bubbles li").count() == 2
    assert loaded_once(watch)
    assert inbox.offences() == watch.offences() == []


def test_a_live_update_keeps_what_is_selected_and_focused(site: Site, visit: Visitor) -> None:
    """Ticks, the focus, text that is marked and the place that is scrolled to stay where they are."""
    first, second = site.submit("Kept first"), site.submit("Kept second")
    found = opened(visit, site.gateway.admin + "/", viewport={"width": 1280, "height": 300})
    page = found.page
    page.locator(f"input[value='{first}']").check()
    page.get_by_role("link", name="Kept second").focus()
    page.evaluate(
        """() => { window.line = document.activeElement.closest('li');
        getSelection().selectAllChildren(window.line.querySelector('.who')); window.scrollTo(0, 60); }"""
    )
    marked = page.evaluate("String(getSelection())")
    third = site.submit("Kept third")
    page.get_by_role("link", name="Kept third").wait_for()
    assert loaded_once(found)
    assert page.locator("input[name=id]:checked").evaluate_all("all => all.map(one => one.value)") == [first]
    assert page.locator("#chosen").inner_text() == "1 selected"
    assert page.evaluate("document.activeElement.textContent").endswith("Kept second")
    assert page.evaluate("window.line.isConnected")  # it is the same element: nothing flickers
    assert "TNN" in marked.upper()
    assert page.evaluate("String(getSelection())") == marked
    assert page.evaluate("window.scrollY") == 60

    requests.delete(f"{site.gateway.admin}/api/v1/messages/{third}", timeout=10).raise_for_status()
    page.get_by_role("link", name="Kept third").wait_for(state="detached")
    assert page.evaluate("document.activeElement.textContent").endswith("Kept second")
    page.locator("input[name=id]:checked").focus()
    requests.delete(f"{site.gateway.admin}/api/v1/messages/{second}", timeout=10).raise_for_status()
    page.get_by_role("link", name="Kept second").wait_for(state="detached")
    assert page.evaluate("document.activeElement.value") == first
    assert found.offences() == []


def test_a_page_that_was_out_of_sight_catches_up(site: Site, visit: Visitor) -> None:
    """A hidden page leaves its connection to others, and hears of what it missed; more pages than a browser has
    connections can be open.
    """
    found = opened(visit, site.gateway.admin + "/")
    hide = """hidden => { Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange')); }"""
    context, others = found.page.context, []
    for _ in range(8):
        found.page.evaluate(hide, True)
        others.append(context.new_page())
        others[-1].goto(site.gateway.admin + "/callbacks", timeout=5000)
        others[-1].evaluate(hide, True)
    assert found.page.evaluate("document.documentElement.dataset.connected") is None
    site.submit("Missed meanwhile")
    time.sleep(1.2)
    assert found.page.get_by_role("link", name="Missed meanwhile").count() == 0
    found.page.evaluate(hide, False)
    found.page.get_by_role("link", name="Missed meanwhile").wait_for()
    assert loaded_once(found)


def test_a_page_survives_a_restart(visit: Visitor, tmp_path: Path) -> None:
    """A gateway stops although pages listen, which say that it is gone; once it is back they go on by themselves."""
    with GatewayProcess(tmp_path / "g") as gateway:
        found = opened(visit, gateway.admin + "/")
        began = time.monotonic()
        assert gateway.stop() == 0
        assert time.monotonic() - began < 8
        found.page.get_by_text("The gateway does not answer").wait_for()
        assert "Traceback" not in gateway.errors
        gateway.start()
        found.page.get_by_text("The gateway does not answer").wait_for(state="hidden")
        with VaspClient(gateway.url, vaspid="TNN", vasid="News", auth=AUTH) as client:
            client.submit(HANDSET, "x", subject="After the restart")
        found.page.get_by_role("link", name="After the restart").wait_for()
        assert loaded_once(found)
        assert found.errors == []


# --- log-ins ----------------------------------------------------------------------------------------------------------


def log_in(found: Visit, name: str, password: str) -> None:
    """Fill in the page to log in at."""
    found.page.get_by_label("Name").fill(name)
    found.page.get_by_label("Password").fill(password)
    found.page.get_by_role("button", name="Log in").click()


def test_log_ins(visit: Visitor, tmp_path: Path) -> None:
    """The operator sees all; an application's user sees its own on no page anything else, nor hears of it; and log-ins
    end, with the pages behind them.
    """
    tables = {"gateway": {"admin_username": OPERATOR[0], "admin_password": OPERATOR[1]}}
    with ExitStack() as stack:
        far = stack.enter_context(FarSide(proper))
        gateway = stack.enter_context(GatewayProcess(tmp_path / "g", callback=far.url, tables=tables))
        site = Site(gateway, far)
        secret = Part(body=b"zebra crossing", content_type="text/plain", content_id="zebra")
        own = site.submit("Our own", delivery_report=True)
        theirs = site.submit("Zebra secret", secret, PARTS[0], who=OTHER_AUTH, to="+61400999888", delivery_report=True)
        site.callback(DeliveryReportReq, theirs)

        wanted = f"{gateway.admin}/messages/{theirs}"
        operator = visit(wanted)
        log_in(operator, OPERATOR[0], "wrong")
        operator.page.get_by_role("alert").wait_for()
        operator.console.clear()  # the browser says that it was answered 401
        log_in(operator, *OPERATOR)
        operator.page.get_by_role("heading", name="Zebra secret").wait_for()
        assert operator.page.url == wanted
        assert operator.page.evaluate("document.cookie") == ""
        [cookie] = operator.page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
        operator.page.goto(gateway.admin + "/")
        assert operator.page.locator(".list li").count() == 2
        assert operator.offences() == []

        user = visit(gateway.admin + "/")
        log_in(user, *AUTH)
        user.until("document.documentElement.dataset.connected === 'yes'")
        page = user.page
        calls = requests.get(f"{gateway.admin}/api/v1/callbacks?application=abc", auth=OPERATOR, timeout=10).json()
        their_call = calls["callbacks"][0]["id"]
        for path in ("/", "/?q=Zebra", "/?q=application:abc", "/?q=to:%2B61400999888", "/conversations", "/callbacks",
                     "/conversations?number=%2B61400999888", "/endpoints", f"/callbacks?message={theirs}"):  # fmt: skip
            answer = page.goto(gateway.admin + path)
            assert answer is not None
            assert answer.status in (200, 400, 403), path
            html = answer.text()
            assert theirs not in html.replace(f"message={theirs}", ""), path
            assert "Zebra secret" not in html, path
            assert "zebra crossing" not in html, path
        user.console.clear()  # the browser says how each of the following was answered
        for path in (f"/messages/{theirs}", f"/messages/{theirs}/raw", f"/messages/{theirs}/copy",
                     *(f"/messages/{theirs}/parts/{n}{what}" for n in range(3) for what in ("", "/file", "/preview")),
                     *(f"/messages/{theirs}/download/{kind}" for kind in ("http", "eml", "body")),
                     f"/messages/{theirs}/thumbnail", f"/compose?reply={theirs}", f"/compose?forward={theirs}",
                     f"/callbacks/{their_call}", f"/api/v1/messages/{theirs}", "/chaos", "/handsets"):  # fmt: skip
            answer = page.goto(gateway.admin + path)
            assert answer is not None
            assert answer.status == (403 if path in ("/chaos", "/handsets") else 404), path
        page.goto(f"{gateway.admin}/messages/{own}")
        page.get_by_role("heading", name="Our own").wait_for()
        page.evaluate(
            """() => { window.heard = [];
            new EventSource('/events').onmessage = event => { window.heard.push(event.data); };
            new EventSource('/events').addEventListener('change', event => { window.heard.push(event.data); }); }"""
        )
        site.submit("Another secret", secret, who=OTHER_AUTH, to="+61400999888")
        site.submit("Our second")
        user.until("window.heard.length > 1")
        # what is told is that something may be new, and nothing else
        assert [one for one in page.evaluate("window.heard") if not re.fullmatch("[0-9a-f]{24}", one)] == []
        page.goto(gateway.admin + "/")
        assert page.locator(".list .what a").all_inner_texts() == ["unopened:\nOur second", "Our own"]
        assert (user.errors, user.dialogs, user.pages) == ([], [], [])

        page.get_by_role("button", name="Log out").click()
        page.get_by_role("heading", name="Log in to").wait_for()
        page.go_back()
        page.get_by_role("heading", name="Log in to").wait_for()
        assert page.get_by_text("Our own").count() == 0
        answer = page.goto(gateway.admin + "/")
        assert answer is not None
        assert page.url == f"{gateway.admin}/login?next=%2F"
        # the operator's page, whose session ends in another window
        operator.until("document.documentElement.dataset.connected === 'yes'")
        operator.page.context.clear_cookies()
        site.submit("Our third")
        operator.page.get_by_role("heading", name="Log in to").wait_for()


# --- without scripts --------------------------------------------------------------------------------------------------


def test_without_javascript(site: Site, visit: Visitor, tmp_path: Path) -> None:
    """What a page does, it does with plain forms."""
    message_id = site.submit("Plain <i>forms</i>", *PARTS)
    found = visit(site.gateway.admin + "/", java_script_enabled=False)
    page = found.page
    page.get_by_label("Search", exact=True).fill('"Plain <i>forms" has:image')
    page.get_by_role("button", name="Search").click()
    assert page.locator(".list li").count() == 1
    page.locator("input[name=id]").check()
    page.get_by_role("button", name="Mark as opened").click()
    assert page.locator(".list li.unopened").count() == 0
    page.get_by_role("link", name="Plain <i>forms</i>").click()
    assert page.locator(".handset-label").all_inner_texts() == ["Slide 1 of 2, 0.7 s", "Slide 2 of 2, 0.7 s"]

    page.get_by_label("Outcome").select_option("Rejected")
    page.get_by_role("button", name="Reach this outcome").click()
    assert site.callback(DeliveryReportReq, message_id).mm_status == "Rejected"

    page.goto(site.gateway.admin + "/compose")
    page.get_by_label("From").fill("+61491570999")
    page.get_by_label("Subject").fill("Without scripts")
    page.get_by_label("Pictures, sounds, videos").set_input_files(
        {"name": "p.png", "mimeType": "image/png", "buffer": PARTS[0].read()}
    )
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Without scripts").wait_for()
    assert PARTS[0].read() in [one.read() for one in site.callback(DeliverReq, "Without scripts").parts]

    page.goto(site.gateway.admin + "/chaos")
    page.get_by_label("MM7 StatusCode").fill("4006")
    page.get_by_role("button", name="Add this rule").click()
    page.get_by_text("Chaos is on").wait_for()
    page.get_by_role("button", name="End all trouble").click()
    assert page.get_by_text("Chaos is on").count() == 0

    page.goto(site.gateway.admin + '/?q="Plain <i>forms"')
    page.get_by_role("button", name="Delete all found").click()
    assert page.get_by_role("heading", name="Delete 1 message?").is_visible()
    assert requests.get(f"{site.gateway.admin}/api/v1/messages/{message_id}", timeout=10).status_code == 200
    page.get_by_role("button", name="Delete").click()
    assert page.get_by_text("No message fits this search.").is_visible()
    assert requests.get(f"{site.gateway.admin}/api/v1/messages/{message_id}", timeout=10).status_code == 404
    page.goto(site.gateway.admin + '/?q="Without scripts"')
    page.locator("input[name=id]").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    assert page.get_by_text("No message fits this search.").is_visible()
    assert found.offences() == []


# --- size and speed ---------------------------------------------------------------------------------------------------


def test_the_first_page_is_light(visit: Visitor, tmp_path: Path, record_property: Callable[..., None]) -> None:
    """Fifty messages with pictures, their thumbnails, styles and scripts are under 150 kB, and all are our own."""
    photos = [_photo(seed) for seed in range(6)]
    with (
        GatewayProcess(tmp_path / "g") as gateway,
        VaspClient(gateway.url, vaspid="TNN", vasid="News", auth=AUTH) as client,
    ):
        for n in range(50):
            text = f"Summer offer {n}: 20 % off all shoes until Sunday. Show this message at the till."
            client.submit(
                [f"+6149157{n:04}", "+61400111222"], [photos[n % 6], text], subject=f"Summer offer number {n}"
            )
        found = visit("about:blank", viewport={"width": 1280, "height": 900})
        sizes: dict[str, int] = {}
        found.page.on("response", lambda one: sizes.update({one.url: _size(one)}))
        found.page.goto(gateway.admin + "/")
        for _ in range(8):
            found.page.mouse.wheel(0, 700)
            found.page.wait_for_timeout(100)
        found.until("[...document.images].length === 50 && [...document.images].every(one => one.naturalWidth > 0)")
        pictures = {url: size for url, size in sizes.items() if "/thumbnail" in url}
        assert len(pictures) == 50
        total = sum(sizes.values())
        record_property("first page, octets", total)
        assert total < 150_000, sorted(sizes.items(), key=lambda one: -one[1])[:6]
        assert found.offences() == []


def _size(answer: Any) -> int:
    """Octets of an answer as it went over the wire, its head included."""
    found = answer.request.sizes()
    return int(found["responseBodySize"] + found["responseHeadersSize"])


def _photo(seed: int) -> Part:
    """A JPEG with much detail, as a camera makes them."""
    noise = Image.frombytes("RGB", (640, 480), random.Random(seed).randbytes(640 * 480 * 3))
    octets = io.BytesIO()
    noise.filter(ImageFilter.GaussianBlur(3)).save(octets, "JPEG", quality=85)
    return Part(body=octets.getvalue(), content_type="image/jpeg", content_id=f"p{seed}")


@pytest.mark.processes
def test_a_new_user_sees_a_picture_within_a_minute(
    visit: Visitor, tmp_path: Path, record_property: Callable[..., None]
) -> None:
    """``mm7zeep serve`` in an empty folder, the page that it names, the command that it prints, a click: a picture."""
    shell = needed.program("sh", "dash")
    needed.program("curl")  # which the printed command is of
    began = time.monotonic()
    with as_a_new_user(tmp_path) as (server, said):
        found = opened(visit, re.findall(r"(?m)^(?:admin|viewer|pages) +(http\S+)$", said)[0])
        found.page.get_by_text("No message has come yet.").wait_for()
        curl = said[said.index("curl -v") : said.index("\n\nWatch callbacks")]
        done = subprocess.run([shell, "-c", curl], cwd=tmp_path, capture_output=True, text=True, timeout=30)
        assert "<StatusCode>1000<" in done.stdout, done.stderr
        found.page.locator(".list .what a").click()
        found.until("document.querySelector('.handset-slide:not([hidden]) img')?.naturalWidth > 0")
        took = time.monotonic() - began
        record_property("from serve to the first picture, seconds", round(took, 1))
        assert took < 60
        assert found.offences() == []
        found.page.goto("about:blank")
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
