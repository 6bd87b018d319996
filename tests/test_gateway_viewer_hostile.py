"""Strangers' content in a browser, and other sites that ask it to act: nothing runs, leaves or changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import requests

pytest.importorskip("uvicorn")
pytest.importorskip("jinja2")
pytest.importorskip("PIL")

from attacker_site import OWNED, AttackerSite, attacking, png_with_text
from browser import Visit, Visitor
from gateway_room import CALLED, OTHER, SUBMIT, Room, basic
from viewer_client import rows

from mm7zeep import exchange
from mm7zeep.errors import StatusError, TransportError
from mm7zeep.gateway.admin.routes import ROUTES
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.viewer.app import listener_app
from mm7zeep.gateway.viewer.routes import PAGES
from mm7zeep.messages import Part

pytestmark = pytest.mark.browser

NO_SUCCESS = "Failed to load resource"
"""What the browser says of an answer that is no success."""
AFTER = 120  # milliseconds that a page is looked at
OPERATOR = ("ops", "operators-password")
NUMBER = '+61499"><svg/onload=alert(1)>'


@dataclass
class Target:
    """A gateway whose pages are attacked, and where the attackers are."""

    room: Room
    url: str
    attacker: AttackerSite
    ids: list[str]


@pytest.fixture(scope="module")
def attacker() -> Iterator[AttackerSite]:
    """Where what strangers sent would report to."""
    with attacking() as made:
        yield made


@pytest.fixture(scope="module")
def target(attacker: AttackerSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A gateway without a password, full of what strangers have sent."""
    with ExitStack() as stack:
        room = Room(tmp_path_factory.mktemp("target"), CALLED, OTHER)
        stack.callback(room.gateway.close)
        url = stack.enter_context(serve_in_thread(listener_app(room.gateway)))
        yield Target(room, url, attacker, list(_filled(room, attacker)))


def _filled(room: Room, site: AttackerSite) -> Iterator[str]:
    """What strangers have sent, and what called applications have answered: the ids of the messages."""
    spell = site.spell()
    presentation = Part(body=site.smil(), content_type="application/smil", content_id="s")
    kept = replace(SUBMIT, subject=spell, delivery_report=True, read_reply=True, parts=(*site.parts(), presentation))
    yield room.submitted(kept)
    yield _mislabelled(room, kept)
    yield room.submitted(replace(kept, to=("'-alert(1)-'@x.example",)))  # type: ignore[arg-type]
    entity = f'<!DOCTYPE smil [<!ENTITY x SYSTEM "{site.url}/entity">]><smil><body>&x;</body></smil>'.encode()
    broken = Part(body=entity, content_type="application/smil", content_id="s")
    yield room.submitted(replace(kept, parts=(*site.parts()[:3], broken)))
    room.calls.refuse = TransportError(spell, maybe_accepted=False, http_status=404, body=spell.encode())
    room.gateway.run_pending()
    send = room.gateway.simulator.send_mo
    yield send("tnn", NUMBER, "111122", spell, [spell, *site.parts()[1:4]]).message_id
    room.calls.refuse = StatusError(4000, spell)
    room.gateway.run_pending()
    room.calls.refuse = TransportError(spell, maybe_accepted=False, http_status=401, body=spell.encode())
    yield send("tnn", NUMBER, "111122", spell, spell).message_id
    room.gateway.run_pending()  # and the endpoint is paused
    room.gateway.simulator.report(room.messages[0].id, "+61400", "Rejected", spell)
    assert {one.state for one in room.outbox()} >= {"dead", "ready"}


def _mislabelled(room: Room, message: Any) -> str:
    """A message whose parts have names, types and ids that no client of ours would write."""
    wire = exchange.pack(message)
    bad = b'\\"><img src=x onerror=alert(1)>'
    body = (
        wire.read()
        .replace(b"name=1.html", b'name="' + bad + b'"')
        .replace(b"Content-ID: <p2>", b"Content-ID: <" + bad + b">")
        .replace(b"Content-Type: application/octet-stream", b'Content-Type: text/html"><script>alert(1)</script>')
        .replace(b"filename=3.html", b"filename*=utf-8''%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    )
    answer = room.gateway.answer(replace(wire, body=body, headers=(*wire.headers, basic("tnn"))), peer=None)
    found: Any = exchange.unpack(answer, policy="strict").message
    assert found.status.ok
    return str(found.message_id)


def paths_of(target: Target) -> Iterator[str]:
    """Every page, with what strangers sent on it."""
    spell = target.attacker.spell()
    yield from ("/", "/conversations", "/callbacks", "/endpoints", "/compose", "/chaos", "/handsets")
    yield from (f"/callbacks?state={one}" for one in ("dead", "done", "paused", "ready"))
    yield from (f"/callbacks/{one.id}" for one in target.room.outbox())
    for id in target.ids:
        message = f"/messages/{id}"
        yield from (message, f"{message}/raw", f"{message}/copy")
        yield from (f"/compose?reply={id}", f"/compose?forward={id}")
    for number in (NUMBER, "'-alert(1)-'@x.example", spell):
        yield f"/conversations?{urlencode({'number': number})}"
    yield f"/conversations?{urlencode({'number': NUMBER, 'application': spell})}"
    yield f"/?{urlencode({'q': spell})}"
    yield f"/?{urlencode({'q': 'to:' + spell[:40]})}"
    yield from (f"/compose?{urlencode({one: spell})}" for one in ("from", "to", "subject", "text", "application"))
    yield f"/compose?{urlencode({'reply': spell})}"
    yield f"/callbacks?{urlencode({'state': spell, 'application': spell})}"
    yield f"/login?{urlencode({'next': target.attacker.url})}"
    yield f"/messages/{quote(spell, safe='')}"
    yield f"/{quote(spell, safe='')}"


OWN_ORIGIN = """() => [...document.querySelectorAll('[href], [src], [action], [formaction], [data], [ping]')]
  .flatMap(one => ['href', 'src', 'action', 'formAction', 'data', 'ping'].map(name => one[name]))
  .filter(url => typeof url === 'string' && url && new URL(url, location.href).origin !== location.origin)"""
"""Where a page leads that is not its own listener."""
SCRIPTS = (
    "() => [...document.scripts].filter(one => one.text || !one.src.startsWith(`${location.origin}/static/`)).length"
)


def harmless(found: Visit, target: Target) -> None:
    """Nothing that strangers sent has acted so far; what browsers say of answers that are no success does not count."""
    assert found.page.evaluate("window.name") != OWNED
    assert [one for one in found.requests if not one.startswith(f"{target.url}/")] == []
    assert [one for one in found.offences() if NO_SUCCESS not in one and not of_browser(one)] == []
    assert target.attacker.hits == []


def of_browser(words: str) -> bool:
    """Whether Chromium complains of the page that it makes itself around a picture or a video that is opened alone."""
    own = ("Applying inline style violates", "Loading media from  '")
    return any(one in words for one in own) and "'default-src' is used as a fallback" in words


MARKUP = "iframe, base, object, embed, main meta, main link, main style, main script, main svg:not(.handset svg)"


def test_no_page_runs_or_loads_what_strangers_sent(target: Target, visit: Visitor) -> None:
    """Whatever page, whatever hostile value: no dialog, no script, no request elsewhere, no complaint of the policy."""
    found = visit(f"{target.url}/")
    page = found.page
    for path in paths_of(target):
        short = path[:60]
        page.goto(target.url + path)
        assert page.locator("main h1").count() == 1, short
        assert page.evaluate(OWN_ORIGIN) == [], short
        assert page.evaluate(SCRIPTS) == 0, short
        assert page.locator(MARKUP).count() == 0, short
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        page.wait_for_timeout(AFTER if "/messages/" in path else 20)
        assert [one for one in found.offences() if NO_SUCCESS not in one] == [], short
    harmless(found, target)
    assert len(found.requests) > 100


def test_the_handset_plays_what_strangers_sent(target: Target, visit: Visitor) -> None:
    """It comes to the end of each message, and nothing has happened."""
    for id in target.ids:
        found = visit(f"{target.url}/messages/{id}")
        for _ in range(6):
            found.page.locator(".handset-screen").press("ArrowRight")
            found.page.wait_for_timeout(60)
        found.page.wait_for_timeout(AFTER)
        harmless(found, target)


def test_parts_that_are_opened_do_nothing(target: Target, visit: Visitor) -> None:
    """Each part, preview and download, opened as a page of its own: a picture, a player, or a file to save."""
    found = visit(f"{target.url}/")
    kinds: dict[str, int] = {}
    for id in (*target.ids[:2], *target.ids[-1:]):
        count = len(json.loads(next(one.parts for one in target.room.messages if one.id == id)))
        message = f"{target.url}/messages/{id}"
        urls = [f"{message}/parts/{n}{more}" for n in range(count) for more in ("", "/preview", "/file")]
        for url in (*urls, f"{message}/thumbnail", *(f"{message}/download/{one}" for one in ("http", "body", "eml"))):
            head = requests.get(url, timeout=10).headers
            assert head["X-Content-Type-Options"] == "nosniff"
            assert head["Cross-Origin-Resource-Policy"] == "same-origin"
            shown = not head.get("Content-Disposition", "").startswith("attachment")
            if shown and not head["Content-Type"].startswith("text/html"):  # else it is the page that refuses
                assert head["Content-Security-Policy"].startswith("sandbox; default-src 'none'"), url
                kind = head["Content-Type"].partition("/")[0]
                assert kind in ("image", "audio", "video"), url
                kinds[kind] = kinds.get(kind, 0) + 1
            _open(found, url)
            assert found.page.evaluate("document.scripts.length === 0 || !document.scripts[0].text")
    harmless(found, target)
    assert kinds.keys() == {"image", "audio", "video"}


def _open(found: Visit, url: str) -> None:
    """Go to what may be a page, or a file to save."""
    try:
        found.page.goto(url)
    except Exception as error:  # Playwright's, which is imported with a browser alone
        if "Download is starting" not in str(error):
            raise
    found.page.wait_for_timeout(20)


# --- other sites ------------------------------------------------------------------------------------------------------

ATTACK = """async ({url, posts, gets, body}) => {
  const read = [];
  await Promise.all(posts.map(async path => {
    for (const options of [
      {mode: 'no-cors', credentials: 'include'}, {mode: 'cors', credentials: 'include'},
      {mode: 'cors', credentials: 'include', headers: {'Content-Type': 'application/json'}},
    ]) {
      const text = options.headers ? JSON.stringify({}) : new URLSearchParams(body);
      for (const method of options.mode === 'cors' ? ['POST', 'PUT', 'DELETE'] : ['POST']) {
        try {
          const answer = await fetch(url + path, {...options, method, body: text});
          if (answer.type !== 'opaque') read.push(`${method} ${path} ${answer.status}`);
        } catch { /* refused by the browser, as it should be */ }
      }
    }
    navigator.sendBeacon(url + path, new URLSearchParams(body));
  }));
  for (const path of gets) {
    try { read.push(await (await fetch(url + path, {credentials: 'include'})).text()); } catch { /* refused, too */ }
    for (const [name, attribute] of [['script', 'src'], ['img', 'src'], ['video', 'src'], ['link', 'href']]) {
      const element = document.createElement(name);
      if (name === 'link') element.rel = 'stylesheet';
      element.onload = () => read.push(`${name} ${path}`);
      element[attribute] = url + path;
      document.body.append(element);
    }
  }
  for (const path of ['/', '/compose', '/chaos']) {
    const frame = document.createElement('iframe');
    frame.src = url + path;
    document.body.append(frame);
    await new Promise(resolve => { frame.onload = resolve; setTimeout(resolve, 1000); });
    try { if (frame.contentDocument.body.children.length) read.push(`framed ${path}`); } catch { /* an error page */ }
  }
  const events = new EventSource(url + '/events', {withCredentials: true});
  events.onopen = () => read.push('events');
  for (const path of posts) {
    const form = Object.assign(document.createElement('form'), {method: 'post', action: url + path, target: 'sink'});
    for (const [name, value] of Object.entries(body)) {
      form.append(Object.assign(document.createElement('input'), {name, value}));
    }
    document.body.append(form);
    form.submit();
    await new Promise(resolve => setTimeout(resolve, 30));
  }
  await new Promise(resolve => setTimeout(resolve, 300));
  return read;
}"""
"""All that a page of another site can try; gives what it could read or load."""


def attack(target: Target, found: Visit, id: str) -> list[str]:
    """What a page of the attacker reads of the gateway, having tried to change everything."""
    target.attacker.pages["/attack"] = "<!doctype html><title>x</title><body><iframe name=sink></iframe></body>"
    found.page.goto(f"{target.attacker.url}/attack")
    call = str(target.room.outbox()[0].id)

    def filled(path: str) -> str:
        return path.replace("{id}", id if "messages" in path else call).replace("{n}", "0").replace("{kind}", "http")

    posts = sorted({filled(one.path) for one in (*PAGES, *ROUTES) if one.method != "GET"} | {"/logout"})
    gets = ["/", f"/messages/{id}", *(f"/messages/{id}/parts/{n}" for n in range(6)), "/api/v1/messages"]
    gets += [f"/messages/{id}/thumbnail", "/metrics", "/events"]
    body = {
        "id": id, "all": "yes", "sure": "yes", "q": "", "as": "read", "recipient": "+61400", "status": "Expired",
        "reading": "Read", "application": "tnn", "from": "+61499", "text": "x", "rows": "1", "0.use": "yes",
        "0.delay": "1", "endpoint": "http://tnn/mo", "since": "1970-01-01", "csrf": "0" * 64,
    }  # fmt: skip
    read: list[str] = found.page.evaluate(ATTACK, {"url": target.url, "posts": posts, "gets": gets, "body": body})
    return [*read, *([OWNED] if found.page.evaluate("window.name") == OWNED else [])]


def test_other_sites_change_and_read_nothing(target: Target, visit: Visitor) -> None:
    """Forms, fetches, beacons, frames and scripts of another origin, at a gateway that asks for no password."""
    before, chaos = rows(target.room), target.room.gateway.chaos.active
    found = visit("about:blank")
    assert attack(target, found, target.ids[0]) == []
    assert rows(target.room) == before
    assert (chaos, target.room.gateway.chaos.active) == (False, False)
    assert found.dialogs == []
    frames = [one for one in found.page.frames if one != found.page.main_frame and one.name != "sink"]
    assert len(frames) == 3
    assert {one.url for one in frames} == {"chrome-error://chromewebdata/"}


def test_other_sites_do_nothing_by_a_log_in(attacker: AttackerSite, visit: Visitor, tmp_path: Path) -> None:
    """With a session's cookie, which a browser sends along between the ports of a machine, it is no better for them."""
    with ExitStack() as stack:
        room = Room(tmp_path, CALLED, OTHER, admin_username=OPERATOR[0], admin_password=OPERATOR[1])
        stack.callback(room.gateway.close)
        target = Target(room, stack.enter_context(serve_in_thread(listener_app(room.gateway))), attacker, [])
        room.calls.refuse = StatusError(2000, "no")
        picture = Part(body=png_with_text(b"x"), content_type="image/png", content_id="p")
        id = room.submitted(replace(SUBMIT, delivery_report=True, parts=(*SUBMIT.parts, picture)))
        room.gateway.run_pending()
        found = visit(f"{target.url}/messages/{id}")
        found.page.get_by_label("Name").fill(OPERATOR[0])
        found.page.get_by_label("Password").fill(OPERATOR[1])
        found.page.get_by_role("button", name="Log in").click()
        found.page.get_by_role("heading", name="Time line").wait_for()
        before = rows(target.room)
        assert before["viewed"] != []
        assert attack(target, found, id) == []
        assert rows(target.room) == before
        found.page.goto(f"{target.url}/")
        assert found.page.locator(".list li").count() == 1  # it is logged in as ever
        assert found.page.evaluate("document.cookie") == ""
        found.page.goto("about:blank")  # it listens no more: the server need not wait for it


def test_names_that_lead_here_are_refused(target: Target) -> None:
    """A page whose name was made to resolve to this machine (DNS rebinding) is answered nowhere."""
    for path in paths_of(target):
        answer = requests.get(target.url + path, headers={"Host": "rebound.example:8008"}, timeout=10)
        if not path.startswith("/login"):  # where there is nothing to see
            assert (answer.status_code, "<html" in answer.text) == (421, False), path[:60]
