"""What somebody may try at the admin listener who is not welcome, or is an application's own user with bad intent."""

from __future__ import annotations

import asyncio
import base64
import logging
import random
import re
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from asgi_client import HOME
from gateway_room import CALLED, OTHER, SUBMIT
from viewer_client import OPERATOR, Viewer, basic, token

from mm7zeep.errors import StatusError, TransportError
from mm7zeep.exchange import Wire
from mm7zeep.gateway.admin import sessions
from mm7zeep.gateway.admin.access import GUESSES, Access
from mm7zeep.gateway.admin.routes import API
from mm7zeep.gateway.admin.user import User
from mm7zeep.gateway.config.parties import Route, Upstream
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery.retry import judge
from mm7zeep.gateway.security.password_hash import hashed
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.gateway.viewer import forms
from mm7zeep.gateway.viewer.page_request import own_path
from mm7zeep.gateway.viewer.routes import PAGES
from mm7zeep.receiver import Refusal


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def viewer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Viewer]:
    """One with two applications, and the operator's password."""
    database = request.getfixturevalue("postgres_databases")() if request.param == "postgresql" else None
    with closing(Viewer(tmp_path, database=database)) as one:
        yield one


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_the_database_is_away(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a browser is logged in is not known: it is told when to come again, and not to log in."""
    cookie = viewer.cookie()

    def fail() -> None:
        raise StoreError("it is away")

    monkeypatch.setattr(viewer.room.gateway.database, "read", fail)
    answer = viewer.client.get("/", headers=cookie)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["error"] == "database error: it is away; try again"


def test_a_session_is_its_user_s_alone(tmp_path: Path) -> None:
    """Two that have the same password by chance: the token of one opens nothing of the other, nor of the operator."""
    same = "the same"
    own, theirs = replace(CALLED, password=same), replace(OTHER, password=same)
    with closing(Viewer(tmp_path, own, theirs, admin_password=same)) as one:
        cookie = one.cookie("tnn", same)
        assert one.client.get("/", headers=cookie).status_code == 200
        value = cookie["Cookie"].rpartition(".")[2]
        for name in ("", "other"):
            who = base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")
            answer = one.client.get("/", headers={"Cookie": f"{sessions.COOKIE}={who}.{value}"})
            assert answer.status_code == 401, name


def test_what_the_database_keeps_opens_nothing(viewer: Viewer) -> None:
    """Neither the digest nor what stands beside it is a session's token."""
    viewer.cookie()
    [row] = viewer.sessions()
    for value in (row.digest, row.digest[:43], base64.urlsafe_b64encode(bytes.fromhex(row.digest)).decode()[:43]):
        answer = viewer.client.get("/", headers={"Cookie": f"{sessions.COOKIE}=.{value}"})
        assert answer.status_code == 401


def test_sessions_of_a_user_are_bounded(viewer: Viewer) -> None:
    """Who logs in again and again ends the oldest of the own sessions, and those of nobody else."""
    operator = viewer.cookie()
    first = viewer.cookie("tnn", "t")
    for _ in range(sessions.MOST):
        viewer.room.clock.move(seconds=1)
        last = viewer.cookie("tnn", "t")
    assert len(viewer.sessions()) == sessions.MOST + 1
    codes = [viewer.client.get("/", headers=one).status_code for one in (operator, first, last)]
    assert codes == [200, 401, 200]


def test_a_session_that_is_used_for_ever_ends(viewer: Viewer) -> None:
    """A page that is left open asks all the time: after a week its user has to log in again."""
    cookie = viewer.cookie()
    hours = 0
    while viewer.client.get("/", headers=cookie).status_code == 200:
        viewer.room.clock.move(hours=6)
        hours += 6
        assert hours < 1000
    assert hours == sessions.LONGEST / 3600


def test_a_session_that_was_planted_is_not_the_only_one_seen(viewer: Viewer) -> None:
    """Another port or a parent domain may have set a cookie of that name: the browser sends both."""
    own = viewer.cookie()["Cookie"]
    for planted in ("x", f"!!.{'A' * 43}", f"_w.{'A' * 43}", f".{'A' * 43}"):
        both = {"Cookie": f"{sessions.COOKIE}={planted}; {own}"}
        assert viewer.client.get("/", headers=both).status_code == 200, planted


def test_logging_out_ends_the_session_everywhere(viewer: Viewer) -> None:
    """The cookie is of no use afterwards, also in another process and after a new start."""
    cookie = viewer.cookie()
    with viewer.beside() as other:
        page = other.get("/", headers=cookie)
        assert page.status_code == 200
        answer = viewer.client.request("POST", "/logout", data={"csrf": token(page.text)}, headers=cookie)
        assert answer.headers["location"] == "/login"
        assert [one.get("/", headers=cookie).status_code for one in (other, viewer.client)] == [401, 401]


def test_a_session_ends_with_its_user(viewer: Viewer) -> None:
    """With the application, with the password, with the name of the operator."""
    cookie = viewer.cookie("other", "o")
    operator = viewer.cookie()
    for changed, codes in (
        ({}, [200, 200]),
        ({"applications": (CALLED,)}, [401, 200]),
        ({"applications": (CALLED, replace(OTHER, password="new"))}, [401, 200]),
        ({"admin_password": "new"}, [200, 401]),
        ({"admin_username": "root"}, [200, 401]),
    ):
        with viewer.beside(**changed) as later:
            assert [later.get("/", headers=one).status_code for one in (cookie, operator)] == codes, changed


def test_an_application_s_addresses_count_here_too(tmp_path: Path) -> None:
    """Its password and its session open nothing from elsewhere; a trusted proxy says where somebody is."""
    own = replace(CALLED, allow=("192.0.2.0/24",))
    with closing(Viewer(tmp_path, own, OTHER, trusted_proxies=("127.0.0.1",))) as one:
        near, far = {"X-Forwarded-For": "192.0.2.7"}, {"X-Forwarded-For": "198.51.100.7"}
        assert one.log_in("tnn", "t", headers=far).status_code == 401
        cookie = one.log_in("tnn", "t", headers=near).headers["set-cookie"].partition(";")[0]
        codes = [one.client.get("/", headers={"Cookie": cookie, **where}).status_code for where in (near, far, {})]
        assert codes == [200, 401, 401]
        assert one.client.get("/", headers={**one.cookie("other", "o"), **far}).status_code == 200


def test_where_upstreams_stand_is_the_operator_s_business(tmp_path: Path) -> None:
    """What went wrong on the way to an upstream names its URL; what the upstream said of a message its sender reads."""
    upstream = Upstream(name="far", url="http://far.example:8443/secret", vaspid="WE")
    abroad = replace(SUBMIT, to=("+64211",))  # type: ignore[arg-type]
    away = {"upstreams": (upstream,), "routes": (Route(prefix="+64", via="far"),)}
    words = "cannot connect to far.example:8443"
    with closing(Viewer(tmp_path, **away)) as one:
        ids = []
        for error in (TransportError(words, http_status=404, maybe_accepted=False), StatusError(2007, "too large")):
            ids.append(one.room.submitted(abroad))
            _, calls = one.room.gateway.dispatcher.run_once()
            one.room.settle([call for call in calls if call.kind == "submit"], judge(error))
        for path in ("/messages/{}", f"{API}/messages/{{}}", f"{API}/messages", "/", "/callbacks", "/endpoints"):
            found = [one.client.get(path.format(id), auth=("tnn", "t")).text for id in ids]
            assert not [text for text in found if "far.example" in text], path
        lost, refused = (one.client.get(f"/messages/{id}", auth=("tnn", "t")).text for id in ids)
        assert "the upstream did not take it" in lost
        assert "too large" in refused
        assert words in one.client.get(f"/messages/{ids[0]}", auth=("ops", "pw")).text


# --- guessing ---------------------------------------------------------------------------------------------------------


@pytest.mark.once
def test_guesses_at_the_page_wait_as_those_by_basic_do(viewer: Viewer) -> None:
    """Beyond the rate a guess waits; the log says each, with the name and without the password."""
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("mm7zeep.gateway")
    logger.addHandler(handler)
    before = logger.level
    logger.setLevel(logging.INFO)
    try:
        fields = {"csrf": token(viewer.client.get("/login").text), "name": "ops", "password": "opensesame"}
        for _ in range(int(GUESSES[0])):
            assert viewer.client.request("POST", "/login", data=fields).status_code == 401
        begun = time.monotonic()
        viewer.client.together(*(("POST", "/login", {"data": fields}) for _ in range(5)))
        assert time.monotonic() - begun > 0.5
        said = [one for one in records if "'ops'" in one and "/login" in one]
        assert said
        assert not any("opensesame" in one for one in records)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def test_a_wrong_password_takes_as_long_for_the_operator_s_name(tmp_path: Path) -> None:
    """Where an application has a hash, each wrong guess costs one: the time does not tell whose name it is."""
    own = replace(CALLED, password=None, password_hash=hashed("t"))
    with closing(Viewer(tmp_path, own, OTHER)) as one:
        took = {}
        for name in ("ops", "nobody", "tnn"):
            begun = time.monotonic()
            assert one.client.get(f"{API}/messages", headers=basic(name, "wrong")).status_code == 401
            took[name] = time.monotonic() - begun
        assert took["ops"] > 0.3 * took["nobody"], took
        assert one.log_in("tnn", "t").status_code == 303


@pytest.mark.once
def test_a_guesser_behind_the_proxy_slows_nobody_else() -> None:
    """Guesses are counted by the address that a trusted proxy names, not by the proxy's."""
    settings = Settings(applications=(CALLED,), trusted_proxies=("127.0.0.1",), **OPERATOR)  # type: ignore[arg-type]
    access = Access(settings, clock=lambda: 0.0, threads=False)

    def judged(password: str, where: str) -> object:
        fields = (*basic("ops", password).items(), ("X-Forwarded-For", where))
        try:
            return access.judge(Wire(method="GET", target="/", headers=fields, body=b""), "127.0.0.1")
        except Refusal as error:
            return error.status

    assert [judged("x", "198.51.100.7") for _ in range(int(GUESSES[0]))] == [401] * int(GUESSES[0])
    assert isinstance(judged("x", "198.51.100.7"), Future)
    assert isinstance(judged("pw", "198.51.100.7"), Future)
    assert judged("pw", "192.0.2.7") == User("ops")


def test_nobody_shares_the_operator_s_name() -> None:
    """What an application or an upstream shows would otherwise be taken for the operator's."""
    same = replace(CALLED, name="ops")
    with pytest.raises(ValueError, match="admin_username 'ops'"):
        Access(Settings(applications=(same,), **OPERATOR))  # type: ignore[arg-type]


# --- forms ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "charset", ["undefined", "punycode", "unicode_escape", "raw_unicode_escape", "utf-16", "x\0y", "zlib"]
)
def test_a_form_s_charset_is_left_aside(viewer: Viewer, charset: str) -> None:
    """Decoders that raise what nobody expects, or give halves of pairs: browsers send UTF-8."""
    fields = {"csrf": token(viewer.client.get("/login").text), "name": "\\ud800", "password": "x"}
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    kind = {"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"}
    answer = viewer.client.request("POST", "/login", content=f"{body}--b--\r\n".encode(), headers=kind)
    assert (answer.status_code, "do not go together" in answer.text) == (401, True)


def test_who_is_not_logged_in_sends_little(viewer: Viewer) -> None:
    """A form of 64 KiB, and not one of 15 MiB; a password of 10 MB is not even looked at."""
    fields = {"csrf": token(viewer.client.get("/login").text), "name": "ops", "password": "p" * 10_000_000}
    for headers in ({}, {"Transfer-Encoding": "chunked"}):
        answer = viewer.client.request("POST", "/login", data=fields, headers=headers)
        assert (answer.status_code, "64 KiB" in answer.text) == (413, True)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"a&" * 200_000),
        ("application/x-www-form-urlencoded", b"%41" * 5_000_000),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n\r\n" * 20_000),
        ("multipart/form-data; boundary=b", b"--b\r\n" * 100_000),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\n" + b"\r\n-" * 5**9),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"A: b\r\n" * 100_000),
        ("multipart/form-data", b"--b\r\n"),
        (f"multipart/form-data; boundary={'b' * 1000}", b"--b\r\n"),
        ('multipart/form-data; boundary="a\\"b"', b"--b\r\n"),
        ("text/plain", b"csrf=x"),
    ],
)
def test_a_form_of_nothing_is_refused(viewer: Viewer, kind: str, body: bytes) -> None:
    """Fields without number, of nothing, or what is none: refused in a second, while others are served."""
    cookie = viewer.cookie("tnn", "t")
    asked = ("POST", "/compose", {"content": body, "headers": {**cookie, "Content-Type": kind}})
    begun = time.monotonic()
    answer, alive = viewer.client.together(asked, ("GET", "/livez", {}))
    assert answer.status_code in (400, 403, 413, 415)
    assert alive.status_code == 200
    assert time.monotonic() - begun < 3


def test_large_forms_wait_for_each_other() -> None:
    """So many octets are in memory at a time; who finds no room waits, and is refused after that."""

    async def forms_of(*sizes: int | None) -> list[object]:
        room = forms.FormRoom(100_000_000, patience=0.1)

        async def one(size: int | None, seconds: float) -> object:
            headers = [(b"content-length", b"%d" % size)] if size is not None else []
            request = forms.Request({"type": "http", "headers": headers})
            try:
                async with room.taken(request, 60_000_000):
                    left = room._left
                    await asyncio.sleep(seconds)
                    return left
            except Refusal as error:
                return error.status

        found = await asyncio.gather(*(one(size, 0.3) for size in sizes))
        assert room._left == 100_000_000
        return found

    assert asyncio.run(forms_of(60_000_000, 10, 60_000_000)) == [40_000_000, 40_000_000, 503]
    assert asyncio.run(forms_of(None, None)) == [
        100_000_000 - forms.MOST * n
        for n in (1, 2)  # nothing is announced: it may be the most
    ]
    assert asyncio.run(forms_of(50_000_000, 50_000_000)) == [50_000_000, 0]


def test_a_form_s_token_is_its_user_s(viewer: Viewer) -> None:
    """Whoever shows name and password each time, as a browser does that remembers them, has a token of that name."""
    tokens = {name: token(viewer.client.get("/compose", auth=(name, word)).text) for name, word in
              (("ops", "pw"), ("tnn", "t"), ("other", "o"))}  # fmt: skip
    tokens["nobody"] = token(viewer.client.get("/login").text)
    assert len(set(tokens.values())) == 4
    for name, code in (("ops", 303), ("tnn", 403), ("nobody", 403)):
        answer = viewer.client.request("POST", "/mark", data={"csrf": tokens[name]}, auth=("ops", "pw"))
        assert answer.status_code == code, name


@pytest.mark.parametrize(
    "text",
    [
        "//evil.example", "///evil.example", "/\\evil.example", "/x\\..\\evil", "http://evil.example", "evil", "",
        "/\tx", "/\r\nSet-Cookie: a=b", "/\0", "/\u202e", "/" + "x" * 5000, "javascript:alert(1)", "/\n/evil.example",
    ],
)  # fmt: skip
def test_where_a_form_leads_back_to_is_ours(text: str) -> None:
    """No other host, no control, nothing that is longer than a URL."""
    assert own_path(text) is None


def test_a_browser_s_forms_say_where_they_come_from(viewer: Viewer) -> None:
    """Under ``no-referrer`` browsers send ``Origin: null``, as another site's form could, and that is refused."""
    answer = viewer.client.get("/login")
    assert answer.headers["referrer-policy"] == "same-origin"
    fields = {"csrf": token(answer.text), "name": "ops", "password": "pw"}
    assert viewer.client.request("POST", "/login", data=fields, headers={"Origin": "null"}).status_code == 403
    assert viewer.client.request("POST", "/login", data=fields, headers={"Origin": HOME}).status_code == 303


def test_a_picture_asks_nobody_for_a_password(viewer: Viewer) -> None:
    """A challenge to Basic would have the browser put up a dialog of its own where a log-in has ended."""
    for mode, scheme in (("no-cors", "Cookie"), ("cors", "Cookie"), ("navigate", "Basic"), (None, "Basic")):
        headers = {"Sec-Fetch-Mode": mode} if mode is not None else {}
        answer = viewer.client.get("/messages/x/thumbnail", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith(scheme), mode


# --- anything at all --------------------------------------------------------------------------------------------------

VALUES = (
    "", "0", "1", "-1", "1e309", "nan", "inf", "9" * 30, "\0", "a\0b", "\u00b2", "\u0661", "\ud800", "x" * 600,
    "x" * 5000, "+6140", "+61400", "<script>", "'\"><img>", "%", "_", "\\", "%00", "%2F", "../..", "latest", "tnn",
    "other", "Read", "Expired", "yes", "2026-03-01", "0001-01-01", "0001-01-01T00:00+14:00",
    "9999-12-31T23:59:59-14:00", "http://tnn/mo", "\r\nX: y", "\u202e", "//evil", "/\\evil", "is:unopened",
    "larger:999999999999M", "state:nope", "has:image/", "before:0001-01-01", "to:", '"', "number:+\n", "a:b",
    "SubmitReq", "cut", "500", "1_000", "0x10",
)  # fmt: skip
NAMES = (
    "id", "q", "before", "after", "all", "as", "back", "next", "number", "application", "reply", "forward",
    "reply_to", "from", "to", "subject", "text", "at", "every", "times", "recipient", "status", "reading", "endpoint",
    "since", "state", "message", "limit", "n", "offset", "rows", "0.use", "0.prefix", "0.outcome", "0.delay",
    "0.reply_after", "0.probability", "0.dribble", "0.http_status", "0.malformed", "0.when", "0.remove", "1.use",
    "end", "add", "name",
)  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "FOO")


class Asked:
    """Requests as no client sends them, straight to the application."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.ids = [viewer.room.submitted(), "latest", "1", "0"]

    async def answer(
        self, method: str, path: str, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Any:
        """The messages of an answer."""
        given = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return given.pop() if given else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": path, "raw_path": b"", "query_string": query, "root_path": "",
            "headers": [(b"host", b"127.0.0.1:8008"), (b"content-length", b"%d" % len(body)), *headers],
            "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 8008),
        }  # fmt: skip
        await self.viewer.client.app(scope, receive, send)
        return sent


def _encoded(pairs: list[tuple[str, str]]) -> bytes:
    each = (f"{quote(name)}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in pairs)
    return "&".join(each).encode()


@pytest.mark.once
@pytest.mark.parametrize("seed", range(3))
def test_no_request_makes_a_page_fail(viewer: Viewer, seed: int) -> None:
    """Any path, method, query and fields: an answer with words, never 500, and no field of it holds a line break."""
    rng = random.Random(seed)
    asked = Asked(viewer)
    who = {name: basic(name, word)["Authorization"].encode() for name, word in (("ops", "pw"), ("tnn", "t"))}
    tokens = {name: token(viewer.client.get("/compose", headers={"Authorization": value.decode()}).text)
              for name, value in who.items()}  # fmt: skip
    paths = [one.path for one in PAGES] + ["/login", "/logout", "/static/x/app.css", "/x", "//", "/messages/", "", "*"]
    codes: set[int] = set()
    for _ in range(1500):
        path = re.sub(
            r"\{\w+\}", lambda _: rng.choice(asked.ids) if rng.random() < 0.7 else rng.choice(VALUES), rng.choice(paths)
        )
        method = rng.choice(METHODS[:3]) if rng.random() < 0.9 else rng.choice(METHODS)
        name = rng.choice(("ops", "ops", "tnn"))
        query = _encoded([(rng.choice(NAMES), rng.choice(VALUES)) for _ in range(rng.randrange(4))])
        fields = [(rng.choice(NAMES), rng.choice(VALUES)) for _ in range(rng.randrange(10))]
        fields += [("rows", "2"), ("0.use", "yes"), ("from", "+6140"), ("csrf", tokens[name])]
        if rng.random() < 0.5:
            kind, body = b"application/x-www-form-urlencoded", _encoded(fields)
        else:
            kind = b"multipart/form-data; boundary=b"
            body = b"".join(
                f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n'.encode()
                + f"{value}\r\n".encode("utf-8", "surrogatepass")
                for key, value in fields
            )
            body = body[: rng.randrange(len(body))] if rng.random() < 0.05 else body + b"--b--\r\n"
        headers = [(b"authorization", who[name]), (b"content-type", kind)]
        answer = viewer.client._runner.run(
            asked.answer(method, path, query, headers, body if method == "POST" else b"")
        )
        start = answer[0]
        codes.add(start["status"])
        assert start["status"] < 500, (method, path, query, fields)
        for field, value in start["headers"]:
            assert not {b"\r", b"\n", b"\0"} & {value[n : n + 1] for n in range(len(value))}, field
            assert field != b"location" or (value[:1] == b"/" and value[1:2] not in (b"/", b"\\")), value
        assert method == "HEAD" or start["status"] in (204, 303, 304) or any(one.get("body") for one in answer[1:])
    assert {200, 303, 400, 404, 405} <= codes
