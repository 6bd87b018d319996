"""Write docs/images/*.png: pages of the viewer, taken in Chromium from a gateway with the messages of a shop.

The shop does not exist, its numbers are those that Australia's ACMA keeps for fiction, and nothing leaves the machine.
Run it with the tests on the path: ``PYTHONPATH=.:tests python docs/make_screenshots.py``; it needs the extras
``gateway`` and ``browser``, and Chromium. A test fails where a picture is missing or too large, or a page that is to be
taken has gone; none takes the pictures again.
"""

from __future__ import annotations

import base64
import io
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shop_pictures
from PIL import Image

from mm7zeep import exchange
from mm7zeep.errors import AuthError, StatusError, TransportError
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.parties import Application, Callback
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.viewer.app import listener_app
from mm7zeep.messages import Message, Number, Part, ReadReplyReq, SubmitReq

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = Path(__file__).with_name("images")
LARGEST = 120_000
"""Octets of one picture."""
ZONE = "Australia/Sydney"
MORNING = datetime(2026, 3, 4, 21, 0, tzinfo=UTC)
"""Eight o'clock in Sydney, on a Thursday."""
FRIENDS = tuple(f"+61491570{n}" for n in ("156", "157", "158", "159", "110", "313", "737", "006"))
SHOP = Application(
    name="shop",
    password="shop",  # noqa: S106
    vaspid="WATTLE",
    short_codes=("111122",),
    callback=Callback(deliver="https://shop.example/mms", username="mmsc", password="m"),  # noqa: S106
)
BILLING = Application(
    name="billing",
    password="billing",  # noqa: S106
    vaspid="BILLS",
    short_codes=("111133",),
    callback=Callback(deliver="https://billing.example/mms", username="mmsc", password="m"),  # noqa: S106
)
HANDSETS = (
    Handset(prefix="+61491570313", outcome="Rejected"),
    Handset(prefix="+61491570159", outcome="Expired"),
    Handset(prefix="+61491570006", outcome="Deferred"),
    Handset(delay=timedelta(seconds=40)),
)
SLIDES = """<smil><head><layout>
<root-layout width="320" height="480" background-color="#fbf3ea"/>
<region id="Image" left="0" top="0" width="320" height="300" fit="slice"/>
<region id="Text" left="0" top="308" width="320" height="172"/>
</layout></head><body>
<par dur="5s"><img src="cid:linen" region="Image" alt="Folded linen"/><text src="cid:first" region="Text"/>
<audio src="cid:chime"/></par>
<par dur="5s"><img src="cid:bed" region="Image" alt="A bed"/><text src="cid:second" region="Text"/></par>
<par dur="5s"><img src="cid:shop" region="Image" alt="Our shop"/><text src="cid:third" region="Text"/></par>
</body></smil>"""


# --- the gateway ------------------------------------------------------------------------------------------------------


def text(words: str, name: str = "text") -> Part:
    """A text of a message."""
    return Part(body=words.encode(), content_type="text/plain", content_id=name, parameters=(("charset", "utf-8"),))


def picture(name: str, content_id: str = "picture") -> Part:
    """A picture of a message."""
    return Part(body=shop_pictures.jpeg(name), content_type="image/jpeg", content_id=content_id, name=f"{name}.jpg")


class Story:
    """A gateway whose clock moves from message to message."""

    def __init__(self, folder: Path) -> None:
        self.now = MORNING
        self.ids: dict[str, str] = {}
        settings = Settings(
            applications=(SHOP, BILLING),
            handsets=HANDSETS,
            database=f"sqlite:///{folder / 'gateway.db'}",
            allow_internal=True,
        )
        self.gateway = Gateway(settings, deliver=self.call, clock=lambda: self.now.timestamp())

    def call(self, url: str, message: Message, transaction_id: str) -> None:
        """What the applications answer: those of billing and of competitions have a bad day."""
        if url.startswith("https://billing.example"):
            raise AuthError("the server answered 401 Unauthorized: check user name and password", http_status=401)
        if isinstance(message, ReadReplyReq) and message.recipient == Number(FRIENDS[1]):
            raise TransportError("cannot reach shop.example: connection refused", maybe_accepted=False)
        if getattr(message, "subject", None) == "Competition: my favourite place":
            raise StatusError(2004, "pictures are not taken here; send the entry as text")

    def at(self, clock: str) -> None:
        """Do what is due until then, by the clocks of Sydney."""
        hours, minutes = map(int, clock.split(":"))
        until = MORNING + timedelta(hours=hours - 8, minutes=minutes)
        while self.now < until:
            self.gateway.run_pending()
            self.now = min(until, self.now + timedelta(seconds=20))

    def submit(self, application: Application, to: tuple[str, ...], subject: str, *parts: Part, **more: Any) -> str:
        """A message of an application; its MessageID."""
        request = SubmitReq(vaspid=application.vaspid, to=tuple(map(Number, to)), subject=subject, parts=parts, **more)
        wire = exchange.pack(request)
        shown = base64.b64encode(f"{application.name}:{application.password}".encode()).decode()
        head = (*wire.headers, ("Authorization", f"Basic {shown}"))
        answer: Any = exchange.unpack(self.gateway.answer(replace(wire, headers=head)), policy="strict").message
        self.gateway.run_pending()
        self.ids[subject] = answer.message_id
        return str(answer.message_id)

    def send(self, application: Application, sender: str, subject: str, *parts: Part) -> None:
        """A message of a handset."""
        simulator = self.gateway.simulator
        call = simulator.send_mo(application.name, sender, application.short_codes[0], subject, parts)
        self.ids[subject] = call.message_id
        self.gateway.run_pending()

    def fill(self) -> None:
        """A day of the shop."""
        one, two, three, late, parcels, _, customer, away = FRIENDS
        linen = (
            Part(body=SLIDES.encode(), content_type="application/smil", content_id="slides", name="slides.smil"),
            picture("linen", "linen"),
            text("Autumn is here. All of our linen is 20% off until Sunday.", "first"),
            picture("bedroom", "bed"),
            text("Sage, clay and oat: sheets, quilt covers and cushions.", "second"),
            picture("shopfront", "shop"),
            text("12 King Street, Newtown.\nShow this message at the till. See you soon!", "third"),
            Part(body=shop_pictures.chime(), content_type="audio/wav", content_id="chime", name="chime.wav"),
        )
        self.at("8:02")
        self.submit(SHOP, (one, two, three), "Gumboots are back", picture("gumboots"),
                    text("Wet week ahead: gumboots in all sizes, from 49 dollars."))  # fmt: skip
        self.at("8:31")
        self.submit(SHOP, (parcels,), "Your parcel is on its way", picture("parcel_map"),
                    text("It should be with you between 2 and 4 pm."), delivery_report=True)  # fmt: skip
        self.at("8:40")
        self.send(SHOP, parcels, "Re: Your parcel is on its way", text("Thanks! Please leave it at the side door."))
        self.at("9:52")
        self.send(SHOP, customer, "My mug came broken", picture("mug"),
                  text("Hi, this is how it came out of the box. Can I have another one?"))  # fmt: skip
        self.at("10:08")
        self.submit(SHOP, (customer,), "Re: My mug came broken",
                    text("So sorry! A new one is on its way, no need to send this one back."))  # fmt: skip
        self.at("10:26")
        self.submit(SHOP, (late,), "Ready to collect: order 20431", picture("voucher"),
                    text("Show this at the counter in Newtown."), delivery_report=True)  # fmt: skip
        self.at("11:00")
        self.submit(SHOP, (one, two), "Autumn linen, 20% off", *linen, delivery_report=True, read_reply=True)
        self.at("11:04")
        self.send(SHOP, one, "Re: Autumn linen, 20% off", picture("wall"),
                  text("Would the sage one go with this wall?"))  # fmt: skip
        self.at("11:09")
        self.submit(SHOP, (one,), "Re: Re: Autumn linen, 20% off", picture("bedroom"),
                    text("Beautifully! It is this one, here on a bed. Shall we put one aside?"))  # fmt: skip
        self.at("11:12")
        self.send(SHOP, one, "Re: Re: Re: Autumn linen, 20% off", text("Yes please, I come by this afternoon."))
        self.at("11:18")
        self.send(SHOP, three, "Competition: my favourite place", picture("sunset"), text("Every evening in summer."))
        self.at("11:22")
        bill = Part(body=shop_pictures.invoice(), content_type="application/pdf", content_id="i", name="invoice.pdf")
        self.submit(BILLING, (FRIENDS[5],), "Your invoice 20417", text("Your invoice is attached."), bill,
                    delivery_report=True)  # fmt: skip
        self.at("11:23")
        self.submit(BILLING, (customer,), "Your invoice 20418", text("Your invoice is attached."), bill,
                    delivery_report=True)  # fmt: skip
        self.at("11:30")
        self.submit(SHOP, (away,), "A voucher for your birthday", picture("voucher"),
                    text("Happy birthday from all of us."), delivery_report=True)  # fmt: skip
        self.at("11:34")


# --- the pictures -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A page as a picture: its path, what is done there before, and of which reader. Sizes are in pixels."""

    path: str
    act: str = ""
    dark: bool = False
    size: tuple[int, int] = (1200, 860)


PHONE = (390, 844)
LINEN = "/messages/{Autumn linen, 20% off}"
SHOTS: Mapping[str, Shot] = {
    "inbox": Shot(path="/"),
    "inbox-dark": Shot(path="/", dark=True),
    "inbox-phone": Shot(path="/", size=PHONE),
    "message": Shot(path=LINEN, act="play"),
    "message-dark": Shot(path=LINEN, act="play", dark=True),
    "message-phone": Shot(path=LINEN, act="play", size=PHONE),
    "conversation": Shot(path="/conversations?number=%2B61491570156&application=shop"),
    "composer": Shot(path="/compose", act="write", size=(1200, 720)),
    "callbacks": Shot(path="/callbacks", size=(1200, 720)),
    "chaos": Shot(path="/chaos", act="chaos"),
}
"""By name; that with chaos comes last, since it is seen on every page."""


def write(page: Page) -> None:
    """Fill in a message."""
    page.get_by_label("From").fill(FRIENDS[6])
    page.get_by_label("Subject").fill("Is this still in stock?")
    page.get_by_label("Text").fill("Hello! I saw this sofa in your window on Sunday.\nDo you still have it, in clay?")
    photo = {"name": "sofa.jpg", "mimeType": "image/jpeg", "buffer": shop_pictures.jpeg("wall")}
    page.locator("#file").set_input_files([photo])  # type: ignore[list-item]
    page.get_by_text("Later, or several times").click()


def chaos(page: Page) -> None:
    """Make some trouble."""
    page.locator("[name='0.probability']").fill("0.1")
    page.locator("[name='0.reset']").check()
    page.locator("[name='0.when']").select_option("after")
    page.locator("[name='0.operation']").select_option("SubmitReq")
    page.get_by_role("button", name="Add this rule").click()
    page.locator("[name='1.delay']").fill("2")
    page.locator("[name='1.dribble']").fill("5")
    page.locator("[name='1.application']").select_option("shop")
    page.get_by_role("button", name="Add this rule").click()


ACTS = {"write": write, "chaos": chaos, "play": lambda page: page.wait_for_timeout(6500)}


def taken(browser: Browser, url: str, story: Story, shot: Shot) -> bytes:
    """A picture of a page, as PNG of few colours."""
    width, height = shot.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if shot.dark else "light",
        locale="en-AU",
        timezone_id=ZONE,
    )
    with closing(context):
        page = context.new_page()
        page.clock.set_system_time(story.now)
        path = shot.path
        for subject, message_id in story.ids.items():
            path = path.replace(f"{{{subject}}}", message_id)
        page.goto(url + path)
        page.wait_for_timeout(800)
        if shot.act:
            ACTS[shot.act](page)
        page.mouse.move(0, 0)
        octets = page.screenshot()
    return smaller(octets)


def smaller(octets: bytes) -> bytes:
    """The PNG with as many colours as ``LARGEST`` allows. Raises ``ValueError`` where none does."""
    image = Image.open(io.BytesIO(octets)).convert("RGB")
    for colours in (256, 128, 64):
        out = io.BytesIO()
        image.quantize(colours, kmeans=3, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if out.tell() <= LARGEST:
            return out.getvalue()
    raise ValueError(f"a picture of {image.size} takes more than {LARGEST} octets")


@contextmanager
def filled() -> Iterator[tuple[Story, str]]:
    """The gateway of the shop, and where its viewer is."""
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Path(folder))
        with closing(story.gateway):
            story.fill()
            app = listener_app(story.gateway, clock=lambda: story.now.timestamp())
            with serve_in_thread(app) as url:
                yield story, url


def main() -> None:
    """Take all pictures."""
    from browser import FLAGS
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("Chromium is not installed: install the Debian package chromium")
    FOLDER.mkdir(exist_ok=True)
    with filled() as (story, url), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        page = browser.new_page()
        for subject, message_id in story.ids.items():  # what somebody has looked at already
            if not subject.startswith(("A voucher", "Your invoice", "Competition")):
                page.goto(f"{url}/messages/{message_id}")
        page.close()
        for name, shot in SHOTS.items():
            (FOLDER / f"{name}.png").write_bytes(taken(browser, url, story, shot))
        browser.close()


if __name__ == "__main__":
    main()
