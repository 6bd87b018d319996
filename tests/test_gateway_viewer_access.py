"""Who sees and does what at the admin listener: the operator, an application's own user, and nobody else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import sqlalchemy as sa
from asgi_client import HOME, AsgiClient
from drawn import octets, photo
from gateway_room import CALLED, OTHER, SUBMIT, Room
from viewer_client import rows, token

from mm7zeep.errors import StatusError
from mm7zeep.gateway.admin.routes import API, ROUTES
from mm7zeep.gateway.admin.sessions import LASTS
from mm7zeep.gateway.config.opt_out import OptOut
from mm7zeep.gateway.store.tables import MESSAGE
from mm7zeep.gateway.viewer.app import listener_app
from mm7zeep.gateway.viewer.routes import PAGES
from mm7zeep.messages import Part

SECRET = "zebra-crossing"
"""Stands in everything that is the other application's."""
OPERATOR, OWN = ("ops", "pw"), ("tnn", "t")
OPTS = OptOut()
THEIRS = replace(OTHER, short_codes=("333", f"{SECRET}@other.example"), opt_out=OPTS)


class Desk:
    """A gateway whose admin listener asks for passwords, with a message and a dead call of either application."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.client = AsgiClient(listener_app(room.gateway))
        text = Part(body=SECRET.encode(), content_type="text/plain", content_id="t@x")
        theirs = replace(SUBMIT, vaspid="OTH", vasid=None, subject=SECRET, parts=(text,), delivery_report=True)
        self.ids = {
            "own": room.submitted(replace(SUBMIT, delivery_report=True)),
            "theirs": room.submitted(theirs, "other"),
        }
        room.calls.refuse = StatusError(2000, "no")
        room.gateway.run_pending()
        room.gateway.simulator.send_mo("other", "+61499", "333", SECRET, SECRET)
        self.calls = {one.owner: one.id for one in room.outbox()}

    def log_in(self, name: str, password: str, **options: Any) -> httpx.Response:
        """What the page to log in at answers to a name and a password."""
        found = self.client.get("/login")
        fields = {"csrf": token(found.text), "name": name, "password": password, **options}
        return self.client.request("POST", "/login", data=fields)

    def rows_of_others(self) -> dict[str, list[Any]]:
        """Of everything that is kept, what is not about a message of the application whose user acts."""
        with self.room.gateway.database.read() as connection:
            found = connection.scalars(sa.select(MESSAGE.c.id).where(MESSAGE.c.application == "tnn"))
            own = {"'tnn'", self.ids["own"], *found}
        return {
            name: [row for row in found if not any(one in row for one in own)]
            for name, found in rows(self.room).items()
            if name != "viewed"
        }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A gateway with two applications, and the operator's password."""
    with ExitStack() as made:
        room = Room(
            tmp_path, replace(CALLED, opt_out=OPTS), THEIRS, admin_username=OPERATOR[0], admin_password=OPERATOR[1]
        )
        made.callback(room.gateway.close)
        one = Desk(room)
        made.callback(one.client.close)
        yield one


BODIES: dict[str, Callable[[Desk], Any]] = {
    "/deliver": lambda one: {"application": "other", "from": "+61499", "text": "x"},
    "/messages/{id}/report": lambda one: {"recipient": "+61400", "status": "Expired"},
    "/messages/{id}/read": lambda one: {"recipient": "+61400"},
    "/callbacks/replay": lambda one: {"endpoint": "http://other/mo", "since": 0},
    "/endpoints/pause": lambda one: {"endpoint": "http://other/mo", "application": "other"},
    "/endpoints/resume": lambda one: {"endpoint": "http://other/mo", "application": "other"},
    "/opt-outs": lambda one: {"number": "333", "subscriber": "+61400", "application": "other"},
    "/chaos": lambda one: {"rules": [{"delay": 1}]},
    "/handsets": lambda one: {"handsets": [{"prefix": "+61"}]},
    "/keys": lambda one: {"application": "other"},
}
QUERIES = {
    "/messages": ("", "?application=other", f"?q={SECRET}", "?to=%2B61400", "?from=333"),
    "/wait": ("?timeout=0&application=other", f"?timeout=0&q={SECRET}"),
    "/callbacks": ("", "?application=other", "?message={theirs}"),
    "/opt-outs": (
        "",
        "?application=other",
        "?number=333&subscriber=%2B61400",
        "?number=*&subscriber=%2B61400&application=other",
    ),
}


def rest_requests(one: Desk) -> Iterator[tuple[str, str, Any]]:
    """Every request of the REST API that means something of the other application."""
    for route in ROUTES:
        path = route.path.replace("{id}", one.ids["theirs"] if "messages" in route.path else str(one.calls["other"]))
        bare = route.path.removeprefix(API)
        for query in QUERIES.get(bare, ("",)):
            body = BODIES[bare](one) if route.body is not None else None
            yield route.method, path.replace("{n}", "0") + query.format(**one.ids), body


def page_requests(one: Desk) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every request for a page that means something of the other application."""
    fields = {
        "id": one.ids["theirs"],
        "recipient": "+61400",
        "status": "Expired",
        "reading": "Read",
        "endpoint": "http://other/mo",
        "since": "1970-01-01",
        "application": "other",
        "from": "+61499",
        "text": "x",
        "q": SECRET,
        "as": "opened",
    }
    queries = {
        "/": ("", f"?q={SECRET}", "?q=application:other", "?q=number:%2B61400", "?q=to:%2B61400"),
        "/conversations": ("", "?number=%2B61400", "?number=%2B61400&application=other", "?number=%2B61499"),
        "/compose": ("", "?reply={theirs}", "?forward={theirs}"),
        "/callbacks": ("", "?application=other", "?message={theirs}"),
    }
    for page in PAGES:
        path = page.path.replace("{id}", one.ids["theirs"] if "messages" in page.path else str(one.calls["other"]))
        path = path.replace("{n}", "0").replace("{kind}", "http")
        for query in queries.get(page.path, ("",)) if page.method == "GET" else ("",):
            yield page.method, path + query.format(**one.ids), fields
    for more in ({"reply_to": one.ids["theirs"]}, {"forward": one.ids["theirs"]}):
        yield "POST", "/compose", {**fields, "application": "tnn", **more}
    for path, more in (
        ("/delete", {"sure": ""}),
        ("/mark", {"as": "unopened"}),
        ("/mark", {}),
        ("/delete", {"sure": "yes"}),
    ):
        yield "POST", path, {**fields, "all": "yes", "q": "", **more}


def test_an_application_s_user_reaches_nothing_of_another_s_by_rest(desk: Desk) -> None:
    """Whatever route is tried: nothing of the other application is seen, and nothing of it is changed."""
    before = rows(desk.room)
    tried = set()
    for method, path, body in rest_requests(desk):
        answer = desk.client.request(method, path, json=body, auth=OWN)
        assert SECRET not in answer.text, (method, path)
        assert desk.ids["theirs"] not in answer.text, (method, path)
        assert '"other"' not in answer.text.replace("\\", ""), (method, path)
        if method != "GET" or "{id}" in path:
            assert answer.status_code in (400, 403, 404) or answer.json() == {"replayed": 0}, (
                method,
                path,
                answer.text,
            )
        tried.add((method, path.partition("?")[0]))
    assert len(tried) == len(ROUTES)
    assert rows(desk.room) == before


def test_an_application_s_user_reaches_nothing_of_another_s_on_pages(desk: Desk) -> None:
    """Whatever page is tried, in a browser that has logged in."""
    assert desk.log_in(*OWN).headers["location"] == "/"
    csrf = token(desk.client.get("/").text)
    for method, path, fields in page_requests(desk):
        before = desk.rows_of_others()
        options = {"data": {**fields, "csrf": csrf}} if method == "POST" else {}
        answer = desk.client.request(method, path, headers={"Origin": HOME}, **options)
        # what was asked for may stand in the field for it
        echoed = re.sub(r'<input [^>]*value="[^"]*"[^>]*>', "", answer.text).replace(
            "no application &#39;other&#39;", ""
        )
        assert SECRET not in echoed, (method, path)
        assert desk.ids["theirs"] not in echoed, (method, path)
        assert re.search(r"\bother\b(?! (?:page|site))", echoed) is None, (method, path)
        assert "+61499" not in echoed or "%2B61499" in path, (method, path)
        assert desk.rows_of_others() == before, (method, path)
    assert desk.client.get(f"/messages/{desk.ids['theirs']}").status_code == 404


def test_the_operator_sees_all(desk: Desk) -> None:
    """By name and password, and in a browser that has logged in."""
    assert [one["application"] for one in desk.client.get(f"{API}/messages", auth=OPERATOR).json()["messages"]] == [
        "other", "other", "tnn"
    ]  # fmt: skip
    desk.log_in(*OPERATOR)
    page = desk.client.get("/").text
    assert SECRET in page
    assert desk.ids["own"] in page
    assert SECRET in desk.client.get(f"/messages/{desk.ids['theirs']}").text


# --- logging in -------------------------------------------------------------------------------------------------------


def test_a_browser_is_led_to_the_login_and_back(desk: Desk) -> None:
    """A page that needs a log-in leads there; after it the page that was wanted follows."""
    wanted = f"/messages/{desk.ids['own']}?x=1"
    answer = desk.client.get(wanted, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/login?next=%2Fmessages%2F{desk.ids['own']}%3Fx%3D1",
    )
    assert wanted in desk.client.get(answer.headers["location"]).text
    answer = desk.log_in(*OWN, next=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, wanted)
    cookie = answer.headers["set-cookie"]
    assert ("HttpOnly" in cookie, "SameSite=lax" in cookie, "Secure" in cookie) == (True, True, False)
    assert desk.client.get(wanted).status_code == 200
    assert desk.client.get("/", headers={"Accept": "application/json"}).status_code == 200


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_a_login_leads_nowhere_else(desk: Desk, elsewhere: str) -> None:
    """Whatever a link says that somebody was given."""
    assert desk.log_in(*OWN, next=elsewhere).headers["location"] == "/"


def test_behind_tls_the_cookie_is_secure(desk: Desk) -> None:
    """A proxy with TLS shows in the Origin of the form."""
    csrf = token(desk.client.get("/login").text)
    answer = desk.client.request(
        "POST",
        "/login",
        data={"csrf": csrf, "name": "ops", "password": "pw"},
        headers={"Origin": "https://mms.example", "Host": "mms.example"},
    )
    assert "Secure" in answer.headers["set-cookie"]


def test_who_shows_nothing_right_gets_nothing(desk: Desk) -> None:
    """Wrong names and passwords, a password with a space, and cookies that are none."""
    for name, password in (("ops", "t"), ("tnn", "pw"), ("nobody", "x"), ("ops", " pw"), ("", "")):
        answer = desk.log_in(name, password)
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
        assert "do not go together" in answer.text
    for cookie in ("", "x", ".", f"dG5u.{'A' * 43}", f"!!.{'A' * 43}", f"/w.{'A' * 43}", "a" * 5000):
        answer = desk.client.get("/", headers={"Cookie": f"mm7zeep_session={cookie}"})
        assert answer.status_code == 401, cookie


def test_a_session_ends(desk: Desk) -> None:
    """By logging out, after twelve hours without use, and with the application's password."""
    cookie = desk.log_in(*OWN).headers["set-cookie"].partition(";")[0]
    assert desk.client.get("/", headers={"Cookie": cookie}).status_code == 200
    desk.room.clock.move(seconds=LASTS - 60)
    assert desk.client.get("/", headers={"Cookie": cookie}).status_code == 200  # used, and so prolonged
    desk.room.clock.move(seconds=LASTS - 60)
    assert desk.client.get("/", headers={"Cookie": cookie}).status_code == 200
    csrf = token(desk.client.get("/", headers={"Cookie": cookie}).text)
    desk.room.clock.move(seconds=LASTS + 60)
    assert desk.client.get("/", headers={"Cookie": cookie}).status_code == 401
    cookie = desk.log_in(*OWN).headers["set-cookie"].partition(";")[0]
    csrf = token(desk.client.get("/", headers={"Cookie": cookie}).text)
    answer = desk.client.request("POST", "/logout", data={"csrf": csrf}, headers={"Cookie": cookie})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert desk.client.get("/", headers={"Cookie": cookie}).status_code == 401


def test_a_new_password_ends_all_sessions(desk: Desk, tmp_path: Path) -> None:
    """What somebody knew who has left opens nothing, also where a session goes on."""
    cookie = desk.log_in(*OWN).headers["set-cookie"].partition(";")[0]
    gateway = desk.room.gateway
    settings = replace(
        gateway.settings, applications=(replace(CALLED, password="new"), THEIRS), database=gateway.settings.database
    )
    following = gateway.following(settings)
    client = AsgiClient(listener_app(following))
    try:
        assert client.get("/", headers={"Cookie": cookie}).status_code == 401
        assert client.get("/", auth=("tnn", "new")).status_code == 200
    finally:
        client.close()
        following.close()


def test_forms_need_their_token(desk: Desk) -> None:
    """A form without the token of this session, or from a page of another site, changes nothing."""
    desk.log_in(*OWN)
    before = rows(desk.room)
    own = {"id": desk.ids["own"]}
    other_session = token(desk.client.get("/login").text)
    for fields in (own, {**own, "csrf": ""}, {**own, "csrf": "0" * 64}, {**own, "csrf": other_session}):
        answer = desk.client.request("POST", "/delete", data=fields)
        assert (answer.status_code, "out of date" in answer.text) == (403, True)
    csrf = token(desk.client.get("/").text)
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        answer = desk.client.request("POST", "/delete", data={**own, "csrf": csrf}, headers=headers)
        assert answer.status_code == 403
    assert rows(desk.room) == before
    assert desk.client.request("POST", "/delete", data={**own, "csrf": csrf}).status_code == 303
    assert desk.client.get(f"{API}/messages/{desk.ids['own']}").status_code == 404


def test_a_browser_s_log_in_changes_nothing_by_rest(desk: Desk) -> None:
    """The REST API has no tokens: a cookie reads there, and does nothing else."""
    desk.log_in(*OPERATOR)
    assert desk.client.get(f"{API}/messages").status_code == 200
    answer = desk.client.request("DELETE", f"{API}/messages/{desk.ids['own']}")
    assert (answer.status_code, "use the pages" in answer.json()["error"]) == (403, True)


def test_without_a_password_everybody_is_the_operator(tmp_path: Path) -> None:
    """On loopback, under its own name only; forms need their token all the same."""
    room = Room(tmp_path)
    client = AsgiClient(listener_app(room.gateway))
    try:
        id = room.submitted()
        page = client.get("/")
        assert (page.status_code, "Log out" in page.text) == (200, False)
        assert client.get("/login").headers["location"] == "/"
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
        assert client.request("POST", "/delete", data={"id": id}).status_code == 403
        assert client.request("POST", "/delete", data={"id": id, "csrf": token(page.text)}).status_code == 303
        assert client.get(f"{API}/messages").json()["messages"] == []
    finally:
        client.close()
        room.gateway.close()


def test_every_page_is_guarded(desk: Desk) -> None:
    """No page is framed, sniffed or kept, and none loads anything that is not the listener's own."""
    desk.log_in(*OPERATOR)
    for page in PAGES:
        if page.method != "GET":
            continue
        path = page.path.replace("{id}", desk.ids["own"] if "messages" in page.path else str(desk.calls["other"]))
        answer = desk.client.get(path.replace("{n}", "0").replace("{kind}", "eml"))
        head = answer.headers
        assert head["x-content-type-options"] == "nosniff", path
        assert head["x-frame-options"] == "DENY"
        assert "default-src 'none'" in head["content-security-policy"]
        assert "unsafe" not in head["content-security-policy"]
        if head["content-type"].startswith("text/html"):
            assert re.findall(r'(?:src|href|action)="(?:https?:)?//', answer.text) == [], path
            assert re.findall(r"<[^>]*\s(?:on\w+|style)=", answer.text) == [], path
            assert re.findall("<script>|<style", answer.text) == []
    assert json.loads(desk.client.get(f"{API}/openapi.json").text)["openapi"] == "3.1.0"


def test_the_process_that_makes_previews_ends_with_the_gateway(tmp_path: Path) -> None:
    """A gateway that is followed by another leaves none behind."""
    room = Room(tmp_path)
    client = AsgiClient(listener_app(room.gateway))
    picture = Part(body=octets(photo(640, 480), "JPEG"), content_type="image/jpeg", content_id="p@x")
    id = room.submitted(replace(SUBMIT, parts=(picture,)))
    assert client.get(f"/messages/{id}/thumbnail").headers["content-type"] == "image/jpeg"
    me = psutil.Process()
    workers = [one for one in me.children() if "fitting" in " ".join(one.cmdline())]
    client.close()
    room.gateway.close()
    assert workers
    assert not [one for one in workers if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
