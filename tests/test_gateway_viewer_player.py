"""The virtual handset in a browser: it plays, obeys mouse and keys, shows strangers' content and runs none of it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest

pytest.importorskip("jinja2")
pytest.importorskip("PIL")

import handset_site
from browser import Axe, Visit, Visitor
from handset_site import HandsetSite, picture, tone

from mm7zeep.messages import Part

pytestmark = pytest.mark.browser

LAYOUT = (
    '<head><layout><root-layout width="240" height="320" background-color="#fff7e0"/>'
    '<region id="Image" left="24" top="16" width="192" height="50%" fit="meet" z-index="1"/>'
    '<region id="Text" left="0" top="200" width="100%" height="120" fit="scroll"/></layout></head>'
)
WORDS = "Good morning from the harbour!\nThe ferry leaves at 9:30."
MEDIA = (
    Part(body=picture(400, 300, "#3c8a4e"), content_type="image/png", content_id="sun.png"),
    Part(body=WORDS.encode(), content_type="text/plain", content_id="note.txt"),
    Part(body=tone(4), content_type="audio/wav", content_id="tone.wav"),
    Part(body=("Much to read. " * 100).encode(), content_type="text/plain", content_id="long.txt"),
)
VISIBLE = ".handset-slide:not([hidden])"


@pytest.fixture(scope="module")
def site() -> Iterator[HandsetSite]:
    """Pages with handsets."""
    with handset_site.running() as made:
        yield made


def message(body: str, *more: Part, layout: str = LAYOUT) -> tuple[Part, ...]:
    """The media above, others, and a presentation with that body."""
    document = f"<smil>{layout}<body>{body}</body></smil>"
    return (*MEDIA, *more, Part(body=document.encode(), content_type="application/smil", content_id="slides"))


THREE = (
    '<par dur="{0}"><img src="sun.png" region="Image" alt="A hill below the sun"/><text src="note.txt" region="Text"/>'
    '</par><par dur="{0}"><text src="note.txt" region="Text"><param name="foreground-color" value="#004488"/>'
    '<param name="background-color" value="#ffeecc"/></text></par>'
    '<par dur="{0}"><img src="sun.png" region="Image"/></par>'
)


def status(visit: Visit) -> str:
    """What the handset says of itself."""
    return visit.page.locator(".handset-status").inner_text()


def wait(visit: Visit, words: str, seconds: float = 5) -> float:
    """Wait until the status begins with ``words``; how many seconds that took."""
    began = time.monotonic()
    visit.until(
        f"document.querySelector('.handset-status').textContent.startsWith({json.dumps(words)})", seconds=seconds
    )
    return time.monotonic() - began


def button(visit: Visit, name: str) -> Any:
    """The button of that name."""
    return visit.page.get_by_role("button", name=name, exact=True)


RECORD_CHANGES = """([selector, property]) => {
  const element = document.querySelector(selector);
  window.changes = [];
  const note = () => window.changes.push([element[property], performance.now() / 1000]);
  new MutationObserver(note).observe(element, { attributes: true, childList: true });
}"""
"""Keeps each value that a property of an element takes, and when, in seconds."""


def box(visit: Visit, selector: str) -> tuple[float, float, float, float]:
    """Left, top, width and height of an element on the current slide, from the corner of its stage, in CSS pixels."""
    found = visit.page.evaluate(
        """selector => { const at = document.querySelector(selector).getBoundingClientRect();
        const stage = document.querySelector(selector).closest('.handset-stage').getBoundingClientRect();
        return [at.x - stage.x, at.y - stage.y, at.width, at.height]; }""",
        f"{VISIBLE} {selector}",
    )
    return tuple(found)


def clip(visit: Visit, name: str, selector: str = "audio") -> Any:
    """A property of the clip."""
    return visit.page.evaluate(f"document.querySelector('{selector}').{name}")


def test_slides_change_by_time(site: HandsetSite, visit: Visitor) -> None:
    """It shows each slide for its time, says where it is, and stops at the end, from where it plays again."""
    found = visit(site.page("timed", message(THREE.format("1s"))))
    assert found.page.locator(f"{VISIBLE} img").get_attribute("alt") == "A hill below the sun"
    found.page.evaluate(RECORD_CHANGES, [".handset-status", "textContent"])
    button(found, "Play").click()
    wait(found, "Slide 3 of 3, the end", 20)
    changes = found.page.evaluate("window.changes")
    assert [words for words, _ in changes] == ["Slide 2 of 3", "Slide 3 of 3", "Slide 3 of 3, the end"]
    for (_, before), (_, after) in pairwise(changes):
        assert 0.9 < after - before < 3
    assert found.page.locator(VISIBLE).count() == 1
    assert found.page.get_by_role("progressbar").get_attribute("aria-valuenow") == "100"
    button(found, "Play again").click()
    wait(found, "Slide 1 of 3")
    assert found.offences() == []


def test_it_starts_by_itself(site: HandsetSite, visit: Visitor) -> None:
    """Where the page says so; where it does not, it waits for somebody."""
    wait(visit(site.page("itself", message(THREE.format("500ms")), autoplay=True)), "Slide 3 of 3, the end", 20)
    waiting = visit(site.page("waiting", message(THREE.format("500ms"))))
    waiting.page.wait_for_timeout(1200)
    assert status(waiting) == "Slide 1 of 3"


def test_mouse(site: HandsetSite, visit: Visitor) -> None:
    """Next, previous, play, pause and restart by their buttons; at either end there is no further."""
    found = visit(site.page("mouse", message(THREE.format("3s"))))
    button(found, "Next slide").click()
    assert status(found) == "Slide 2 of 3"
    button(found, "Previous slide").click()
    assert status(found) == "Slide 1 of 3"
    assert button(found, "Previous slide").get_attribute("aria-disabled") == "true"
    button(found, "Previous slide").click(force=True)
    assert status(found) == "Slide 1 of 3"
    button(found, "Play").click()
    wait(found, "Slide 2 of 3")
    button(found, "Pause").click()
    found.page.wait_for_timeout(3500)
    assert status(found) == "Slide 2 of 3"
    button(found, "Restart").click()
    assert status(found) == "Slide 1 of 3"
    assert button(found, "Pause").is_visible()
    assert found.offences() == []


def test_keyboard(site: HandsetSite, visit: Visitor) -> None:
    """Everything without a mouse: keys within the handset, buttons by Tab and Space, in the order they are seen."""
    found = visit(site.page("keys", message(THREE.format("30s"))))
    press = found.page.keyboard.press
    press("ArrowRight")
    assert status(found) == "Slide 1 of 3"  # the focus is elsewhere
    press("Tab")
    assert found.page.evaluate("document.activeElement.className") == "handset-screen"
    for key, words in (("ArrowRight", "2"), ("ArrowLeft", "1"), ("End", "3"), ("ArrowRight", "3"), ("Home", "1")):
        press(key)
        assert status(found) == f"Slide {words} of 3"
    press("Space")
    assert button(found, "Pause").is_visible()
    press("Space")
    assert button(found, "Play").is_visible()
    press("Alt+ArrowRight")
    assert status(found) == "Slide 1 of 3"
    order = []
    for _ in range(4):
        press("Tab")
        order.append(found.page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert order == ["Restart", "Previous slide", "Play", "Next slide"]
    press("Space")
    assert status(found) == "Slide 2 of 3"
    press("End")
    assert found.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Next slide"
    assert found.offences() == []


@pytest.mark.parametrize(("viewport", "scale"), [(800, 320 / 240), (360, 302 / 240)])
def test_regions(site: HandsetSite, visit: Visitor, viewport: int, scale: float) -> None:
    """Regions are where the layout puts them, on a screen of its shape, as wide as there is room."""
    found = visit(site.page("regions", message(THREE.format("9s"))), viewport={"width": viewport, "height": 740})
    assert box(found, ".handset-stage") == pytest.approx((0, 0, 240 * scale, 320 * scale), abs=0.6)
    expected = [one * scale for one in (24, 16, 192, 160)]
    assert box(found, ".handset-image") == pytest.approx(expected, abs=0.6)
    assert box(found, ".handset-text") == pytest.approx([one * scale for one in (0, 200, 240, 120)], abs=0.6)
    assert found.page.locator(f"{VISIBLE} .handset-image").evaluate("one => getComputedStyle(one).zIndex") == "1"
    assert found.page.evaluate("document.documentElement.scrollWidth") <= viewport
    button(found, "Next slide").click()
    colours = "one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]"
    text = found.page.locator(f"{VISIBLE} .handset-text")
    assert text.evaluate(colours) == ["rgb(0, 68, 136)", "rgb(255, 238, 204)"]
    assert found.page.locator(VISIBLE).evaluate(colours)[1] == "rgb(255, 247, 224)"
    assert found.offences() == []


def test_items_come_and_go(site: HandsetSite, visit: Visitor) -> None:
    """An item is seen from its begin to its end; somebody who looks through without playing sees all of them."""
    body = '<par dur="4s"><img src="sun.png" begin="1s" end="2s"/><text src="note.txt"/></par>'
    found = visit(site.page("times", message(body)))
    assert found.page.locator(".handset-image").is_visible()
    found.page.evaluate(RECORD_CHANGES, [".handset-image", "className"])
    button(found, "Play").click()
    found.until("window.changes.length == 3")
    changes = [("waiting" in words, when) for words, when in found.page.evaluate("window.changes")]
    assert [waiting for waiting, _ in changes] == [True, False, True]
    for (_, before), (_, after) in pairwise(changes):
        assert 0.9 < after - before < 3
    assert found.page.locator(".handset-image").is_hidden()
    assert status(found) == "Slide 1 of 1"


def test_an_indefinite_slide_waits(site: HandsetSite, visit: Visitor) -> None:
    """It stays until somebody goes on."""
    body = '<par dur="indefinite"><text src="note.txt"/></par><par dur="500ms"><text src="note.txt"/></par>'
    found = visit(site.page("indefinite", message(body), autoplay=True))
    found.page.wait_for_timeout(1500)
    assert status(found) == "Slide 1 of 2"
    assert found.page.get_by_role("progressbar").get_attribute("aria-valuenow") == "0"
    button(found, "Next slide").click()
    wait(found, "Slide 2 of 2, the end")


def test_sound_is_in_step(site: HandsetSite, visit: Visitor) -> None:
    """A clip plays with its slide, stops with it, begins again with it; and a slide without dur ends with its clip."""
    body = '<par><img src="sun.png"/><audio src="tone.wav"/></par><par dur="9s"><text src="note.txt"/></par>'
    found = visit(site.page("sound", message(body)))
    found.until("document.querySelector('audio').readyState > 0")
    assert clip(found, "paused")
    button(found, "Play").click()
    found.until("document.querySelector('audio').currentTime > 0.4")
    assert not clip(found, "muted")
    assert button(found, "Sound").get_attribute("aria-pressed") == "true"
    button(found, "Sound").click()
    assert clip(found, "muted")
    button(found, "Pause").click()
    found.until("document.querySelector('audio').paused")
    at = clip(found, "currentTime")
    found.page.wait_for_timeout(300)
    assert clip(found, "currentTime") == pytest.approx(at, abs=0.01)
    button(found, "Play").click()
    assert clip(found, "muted")  # chosen by somebody
    assert wait(found, "Slide 2 of 2", 15) > 0.5
    assert clip(found, "paused")
    button(found, "Pause").click()
    button(found, "Previous slide").click()
    assert clip(found, "currentTime") == 0
    button(found, "Play").click()
    found.until("document.querySelector('audio').currentTime > 0")
    assert found.offences() == []


def test_no_sound_by_itself(site: HandsetSite, visit: Visitor) -> None:
    """A presentation that starts by itself is silent; the slides go on all the same."""
    body = '<par dur="1s"><audio src="tone.wav"/><text src="note.txt"/></par><par dur="9s"><text src="note.txt"/></par>'
    found = visit(site.page("silent", message(body), autoplay=True))
    assert button(found, "Sound").get_attribute("aria-pressed") == "false"
    assert clip(found, "muted")
    wait(found, "Slide 2 of 2")
    assert clip(found, "muted")
    assert found.offences() == []


def test_video(site: HandsetSite, visit: Visitor) -> None:
    """A film plays in its region, in step with its slide."""
    recorder = visit(site.page("recorder", message(THREE.format("9s"))))
    film = base64.b64decode(recorder.page.evaluate(RECORD))
    part = Part(body=film, content_type="video/webm", content_id="film")
    body = '<par dur="9s"><video src="film" region="Image"/></par><par dur="9s"><text src="note.txt"/></par>'
    found = visit(site.page("video", message(body, part)))
    assert box(found, ".handset-video") == pytest.approx([one * 320 / 240 for one in (24, 16, 192, 160)], abs=0.6)
    button(found, "Play").click()
    found.until("document.querySelector('video').currentTime > 0.2")
    assert clip(found, "videoWidth", "video") == 160
    assert not clip(found, "controls", "video")
    button(found, "Next slide").click()
    found.until("document.querySelector('video').paused")
    assert found.offences() == []


RECORD = """async () => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [160, 120];
  const pen = canvas.getContext('2d');
  let n = 0;
  const drawing = setInterval(() => { pen.fillStyle = `hsl(${n += 9} 80% 50%)`; pen.fillRect(0, 0, 160, 120); }, 40);
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: 'video/webm;codecs=vp8' });
  const chunks = [];
  recorder.ondataavailable = (event) => chunks.push(event.data);
  recorder.start();
  await new Promise((done) => setTimeout(done, 1200));
  await new Promise((done) => { recorder.onstop = done; recorder.stop(); });
  clearInterval(drawing);
  const octets = new Uint8Array(await new Blob(chunks).arrayBuffer());
  return btoa(Array.from(octets, (one) => String.fromCharCode(one)).join(''));
}"""


def test_people_who_mind_motion(site: HandsetSite, visit: Visitor) -> None:
    """Nothing starts by itself where the system asks for less motion."""
    found = visit(site.page("motion", message(THREE.format("500ms")), autoplay=True), reduced_motion="reduce")
    found.page.wait_for_timeout(1200)
    assert status(found) == "Slide 1 of 3"
    assert button(found, "Play").is_visible()


def test_what_a_browser_cannot_show(site: HandsetSite, visit: Visitor) -> None:
    """It says so in the place of the content, with a link to the part, and goes on after the time of the clip."""
    amr = Part(body=b"#!AMR\n" + b"\x7c" * 41, content_type="audio/amr", content_id="voice")  # 0.82 seconds
    tiff = Part(body=b"II*\0nothing", content_type="image/tiff", content_id="scan")
    card = Part(body=b"BEGIN:VCARD", content_type="text/x-vcard", content_id="card")
    body = (
        '<par><img src="scan" region="Image" alt="A plan"/><audio src="voice"/><ref src="card"/></par>'
        '<par dur="9s"><text src="note.txt"/></par>'
    )
    found = visit(site.page("odd", message(body, amr, tiff, card)))
    page = found.page
    page.get_by_text("This browser cannot play audio/amr.").wait_for()
    assert page.locator(".handset-stage .handset-failure").inner_text().split("\n") == [
        "A plan. This picture (image/tiff) cannot be shown.", "Open the part",
    ]  # fmt: skip
    assert page.get_by_role("link", name="Open the part").get_attribute("href") == f"{site.url}/odd/parts/5"
    assert page.get_by_role("link", name="text/x-vcard").get_attribute("href") == "/odd/parts/6"
    button(found, "Play").click()
    assert 0.4 < wait(found, "Slide 2 of 2") < 5
    assert found.offences() == []


SPELLS = (
    "<script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)>",
    "</p></figure><iframe src=http://evil.example/></iframe><base href=http://evil.example/>",
    "{{ 7 * 7 }}{% raw %}${alert(1)}",
    "\"'><style>*{background:url(http://evil.example/)}</style><link rel=stylesheet href=//evil.example/x.css>",
)


def test_hostile_text_stays_text(site: HandsetSite, visit: Visitor) -> None:
    """Markup in a text or a description is read, not obeyed."""
    texts = [Part(body=one.encode(), content_type="text/plain", content_id=f"t{n}") for n, one in enumerate(SPELLS)]
    html = Part(body=SPELLS[0].encode(), content_type="text/html", content_id="page")
    quoted = quoteattr(SPELLS[3])
    pars = "".join(f'<par dur="500ms"><text src="t{n}"/></par>' for n in range(len(SPELLS)))
    pars += f'<par dur="500ms"><img src="sun.png" alt={quoted}/><ref src="page"/><img src={quoted}/></par>'
    found = visit(site.page("spells", message(pars, *texts, html), autoplay=True))
    wait(found, f"Slide {len(SPELLS) + 1} of {len(SPELLS) + 1}, the end", 20)
    for n, spell in enumerate(SPELLS):
        assert found.page.locator(".handset-words").nth(n).text_content() == spell
    assert found.page.locator(".handset-image img").get_attribute("alt") == SPELLS[3]
    assert found.page.locator(".handset-notes code").inner_text() == SPELLS[3]
    assert found.page.evaluate("document.querySelectorAll('script, iframe, base, style').length") == 1  # the player
    assert found.offences() == []


@pytest.mark.parametrize("spell", [
    "url(http://evil.example/x)", "red;background:url(http://evil.example/)", "expression(alert(1))", "1e99999",
    "javascript:alert(1)", "calc(100% + 1px)", "var(--x)", "100%;position:fixed;inset:0", "\"onload=\"alert(1)",
])  # fmt: skip
def test_hostile_attributes_do_nothing(site: HandsetSite, visit: Visitor, spell: str) -> None:
    """Attributes that are not what they should be leave no trace in any style, and nothing is requested for them."""
    spelt = quoteattr(spell)
    layout = (
        f"<head><layout><root-layout width={spelt} height={spelt} background-color={spelt}/>"
        f"<region id={spelt} left={spelt} top={spelt} width={spelt} height={spelt} z-index={spelt} fit={spelt}"
        f" backgroundColor={spelt} background-image={spelt} style={spelt}/></layout></head>"
    )
    body = (
        f"<par dur={spelt}><img src={spelt}/>"
        f"<img src='sun.png' region={spelt} begin={spelt} end={spelt} onload={spelt}/>"
        f"<text src='note.txt' region={spelt}><param name='foreground-color' value={spelt}/>"
        f"<param name='background-color' value={spelt}/><param name='textsize' value={spelt}/></text></par>"
    )
    found = visit(site.page("attributes", message(body, layout=layout)))
    button(found, "Play").click()
    found.page.wait_for_timeout(200)
    styles = found.page.evaluate("[...document.querySelectorAll('[style]')].map(one => one.getAttribute('style'))")
    assert len(styles) >= 3
    assert not [one for one in styles if "url" in one or "var" in one or "fixed" in one or "expression" in one]
    assert box(found, ".handset-stage")[2] == pytest.approx(320, abs=0.6)
    assert found.page.evaluate("[...document.querySelectorAll('[onload]')].length") == 0
    assert found.offences() == []


def test_presentation_in_the_attribute_is_whole(site: HandsetSite, visit: Visitor) -> None:
    """What the browser reads out of the attribute is the JSON that the server wrote, quotes and all."""
    body = '<par><img src="sun.png" alt="&quot;&gt;&apos;&lt;&amp;amp; \\u0022 \u00fc"/></par>'
    found = visit(site.page("attribute", message(body)))
    told = json.loads(found.page.locator("section.handset").get_attribute("data-presentation") or "")
    assert told["slides"][0]["items"][0]["alt"] == "\"&gt;'<&amp; \\u0022 \u00fc".replace("&gt;", ">")
    assert told["regions"][0]["left"] == {"value": 24.0, "unit": "px"}


def test_long_texts_scroll(site: HandsetSite, visit: Visitor, axe: Axe) -> None:
    """A text that is longer than its region takes the focus, and keys scroll it; a short one does not."""
    slide = '<par dur="9s"><text src="{}" region="Text"/></par>'
    body = slide.format("long.txt") + slide.format("note.txt")
    found = visit(site.page("long", message(body)))
    found.page.locator(f"{VISIBLE} .handset-text").focus()
    found.page.keyboard.press("PageDown")
    found.until("document.querySelector('.handset-text').scrollTop > 20")
    assert axe(found.page) == []
    found.page.keyboard.press("ArrowRight")
    assert status(found) == "Slide 2 of 2"
    assert found.page.locator(f"{VISIBLE} .handset-text").get_attribute("tabindex") is None


def test_without_javascript(site: HandsetSite, visit: Visitor) -> None:
    """All slides are there in order, with texts, pictures and controls."""
    body = THREE.format("5s") + '<par><audio src="tone.wav"/><text src="note.txt"/></par>'
    found = visit(site.page("plain", message(body)), java_script_enabled=False)
    labels = found.page.locator(".handset-label")
    assert labels.all_inner_texts() == [f"Slide {n} of 4{', 5 s' if n < 4 else ''}" for n in range(1, 5)]
    assert found.page.locator(".handset-words").first.inner_text() == WORDS
    assert found.page.locator("audio[controls]").is_visible()
    assert found.page.locator(".handset-slide").count() == 4
    assert found.page.locator("button").count() == 0
    assert found.offences() == []


@pytest.mark.parametrize("name", ["nothing", "one part", "no presentation", "broken presentation"])
def test_other_messages(site: HandsetSite, visit: Visitor, name: str, axe: Axe) -> None:
    """A message without slides, or with slides that the viewer made, is shown for what it is."""
    broken = Part(body=b"<smil>", content_type="application/smil")
    parts, slides, notes = {
        "nothing": ((), 0, 0),
        "one part": (MEDIA[:1], 1, 0),
        "no presentation": (MEDIA[:2], 1, 0),
        "broken presentation": ((*MEDIA[:2], broken), 1, 2),
    }[name]
    found = visit(site.page("other", parts))
    assert found.page.locator(".handset-slide").count() == slides
    assert found.page.locator(".handset-notes li").count() == notes
    assert found.page.locator(".handset-empty").count() == (0 if slides else 1)
    assert found.page.get_by_role("button").count() == (4 if slides else 0)
    assert axe(found.page) == []
    assert found.offences() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_accessible(site: HandsetSite, visit: Visitor, axe: Axe, scheme: str, width: int) -> None:
    """axe-core finds nothing on any slide, in light and dark, on a phone and on a desk; nothing is cut off."""
    card = Part(body=b"BEGIN:VCARD", content_type="text/x-vcard", content_id="card")
    body = THREE.format("9s") + '<par><audio src="tone.wav"/><text src="long.txt"/><ref src="card"/></par>'
    url = site.page("accessible", message(body, card, Part(body=b"%PDF-1.7", content_type="application/pdf")))
    found = visit(url, color_scheme=scheme, viewport={"width": width, "height": 740})
    for _ in range(4):
        assert axe(found.page) == []
        assert found.page.evaluate("document.documentElement.scrollWidth") <= width
        found.page.locator(".handset-screen").press("ArrowRight")
    assert status(found) == "Slide 4 of 4"
    sizes = found.page.locator(".handset-button").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().width)"
    )
    assert len(sizes) == 5
    assert min(sizes) >= 44
    assert found.offences() == []


def test_handsets_that_come_later(site: HandsetSite, visit: Visitor) -> None:
    """A page that changes makes phones of new handsets; what was taken out stops."""
    body = '<par dur="3s"><audio src="tone.wav"/><text src="note.txt"/></par>'
    found = visit(site.page("later", message(body)))
    button(found, "Play").click()
    found.until("!document.querySelector('audio').paused")
    found.page.evaluate(
        """async () => { const { enhance } = await import('/static/player.js');
        const page = new DOMParser().parseFromString(await (await fetch('/later')).text(), 'text/html');
        window.gone = document.querySelector('audio');
        window.said = document.querySelector('.handset-status');
        document.querySelector('section').replaceWith(page.querySelector('section'));
        enhance(document); enhance(document); }"""
    )
    found.until("window.gone.paused")
    found.page.wait_for_timeout(3200)
    assert found.page.evaluate("window.said.textContent") == "Slide 1 of 1"
    assert found.page.locator(".handset-controls").count() == 1
    button(found, "Play").click()
    found.until("!document.querySelector('audio').paused")
    assert found.offences() == []
