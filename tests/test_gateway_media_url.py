"""Parts that are named by URL: fetched once the message is kept, within the guard of egress and in bounds."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import trustme
from asgi_client import AsgiClient
from click.testing import CliRunner
from far_side import CLOSE, Answer, FarSide, Request, Steps, http
from gateway_room import CALLED, OTHER, Room
from test_gateway_api import BOTH, PNG, TNN, Program, encoded, program

from mm7zeep import mime
from mm7zeep.cli import main
from mm7zeep.errors import LocalError
from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.opt_out import OptOut
from mm7zeep.gateway.config.parties import Route, Upstream
from mm7zeep.gateway.config.settings import Capacity, Delivery
from mm7zeep.gateway.delivery.dispatcher import Dispatcher
from mm7zeep.gateway.delivery.download import Download
from mm7zeep.gateway.delivery.fetched_part import part_of
from mm7zeep.gateway.security import outbound
from mm7zeep.gateway.security.outbound import Egress, Target
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.store import messages, remote_parts
from mm7zeep.gateway.store.endpoints import SHARED
from mm7zeep.gateway.store.remote_parts import RemotePart
from mm7zeep.messages import DeliverReq, DeliveryReportReq, ExtendedReplaceReq, Part, ReplaceReq, SubmitReq

__all__ = ["program"]

GIF, JPEG, HTML = b"GIF89a" + bytes(50), b"\xff\xd8\xff\xe0" + bytes(80), b"<!doctype html><html>Log in</html>"
Make = Callable[..., Program]


def found(octets: bytes = PNG, content_type: str | None = "image/png", **fields: str) -> bytes:
    """What a web server answers that has it."""
    return http(200, octets, content_type, Connection="close", **fields)


def at(far: FarSide, path: str = "/cat.png") -> str:
    """A URL of the far side."""
    return far.url.replace("/mm7", path)


def asked(*urls: str, **more: Any) -> dict[str, Any]:
    """A message with a text and parts that are to be fetched."""
    return {"to": "+61400", "parts": [{"text": "look"}, *({"media_url": one} for one in urls)], **more}


def state(one: Program, id: str) -> tuple[str, str | None]:
    """The state of the first recipient, and why."""
    recipient = one.get(f"/v1/messages/{id}")["recipients"][0]
    return recipient["state"], recipient["detail"]


def failed(one: Program, body: Mapping[str, Any]) -> str:
    """Why a message that was taken could not be sent."""
    id = one.send(body)["id"]
    one.room.gateway.run_pending()
    told, why = state(one, id)
    assert told == "failed"
    assert why is not None
    return why


# --- fetched ----------------------------------------------------------------------------------------------------------


def test_script_counts_once_it_is_fetched(program: Make) -> None:
    """The delay of a handset script that was set counts from when the message was whole."""
    one = program()
    one.room.gateway.simulator.set_handsets([Handset(delay=timedelta(seconds=60))])
    with FarSide([found(), CLOSE]) as far:
        id = one.send(asked(at(far)))["id"]
        one.room.gateway.run_pending()
    for state in ("Pending", "Retrieved"):
        assert one.room.states(id) == [state]
        one.room.clock.move(seconds=60)
        one.room.gateway.run_pending()


@BOTH
def test_part_is_fetched(program: Make) -> None:
    """The message is answered before the fetch; then it goes out with what came, as the handset and the API show."""
    one = program()
    with FarSide([found(), CLOSE]) as far:
        told = one.send(asked(at(far), delivery_report=True))
        assert far.requests == []
        assert told["recipients"][0]["state"] == "queued"
        part = told["parts"][1]
        url = f"/v1/messages/{told['id']}/parts/1"
        assert part == {
            "n": 1,
            "content_type": None,
            "name": None,
            "size": None,
            "sha256": None,
            "url": url,
            "media_url": at(far),
        }
        assert one.get(url, 404)["code"] == "part-not-found"
        assert one.client.get(told["parts"][0]["url"], auth=TNN).content == b"look"
        [row] = one.room.messages
        assert row.size == 4
        one.room.gateway.run_pending()
        [request] = far.requests
    assert request.line == "GET /cat.png HTTP/1.1"
    assert {name.lower() for name, _ in request.headers} == {
        "host",
        "accept",
        "accept-encoding",
        "user-agent",
        "connection",
    } - ({"connection"} if request.header("Connection") is None else set())
    assert request.header("Accept-Encoding") == "identity"
    after = one.get(f"/v1/messages/{told['id']}")
    assert after["recipients"][0]["state"] == "delivered"
    assert after["parts"][1] == {
        **part,
        "content_type": "image/png",
        "size": len(PNG),
        "sha256": Part(body=PNG).sha256(),
    }
    assert one.client.get(url, auth=TNN).content == PNG
    assert [part.read() for part in one.room.gateway.simulator.retrieved(told["id"])[:2]] == [b"look", PNG]
    assert [report.mm_status for report in one.room.calls.of(DeliveryReportReq)] == ["Retrieved"]
    [row] = one.room.messages
    assert (row.content, row.size) == (1, 4 + len(PNG))


def test_order_and_names(program: Make) -> None:
    """Several URLs among other parts keep their places, types and names, by JSON and by form."""
    one = program()

    def by_path(request: Request) -> Steps:
        return [found(GIF, "image/gif") if "gif" in request.line else found(JPEG, None), CLOSE]

    with FarSide(by_path) as far:
        gif, jpeg = at(far, "/a.gif?size=1&key=k3y"), at(far, "/b")
        parts = [
            {"media_url": gif, "name": "first.gif"},
            {"text": "between"},
            {"media_url": jpeg, "content_type": "image/jpeg"},
            {"data": encoded(PNG)},
        ]
        ids = [one.send({"to": "+61400", "parts": parts})["id"]]
        form = [("to", (None, "+61400")), ("media_url", (None, gif)), ("parts", (None, "between"))]
        ids.append(one.send(json=None, files=[*form, ("media_url", (None, jpeg)), ("parts", ("x.png", PNG))])["id"])
        ids.append(one.send(json=None, files=[("to", (None, "+61400")), ("media_url", (None, gif))])["id"])
        one.room.gateway.run_pending()
        assert {request.line.split()[1] for request in far.requests} == {"/a.gif?size=1&key=k3y", "/b"}
    json, form_, alone = (one.get(f"/v1/messages/{id}")["parts"] for id in ids)
    assert [part["content_type"] for part in json] == ["image/gif", "text/plain", "image/jpeg", "image/png"]
    assert [part["name"] for part in json] == ["first.gif", None, None, None]
    assert [part["sha256"] for part in form_] == [part["sha256"] for part in json]
    assert [(part["content_type"], part["media_url"]) for part in alone] == [("image/gif", gif)]
    assert one.send(json=None, files=[("to", (None, "+61400"))], status=400)["code"] == "missing-member"


def test_upstream_and_application_get_what_came(program: Make) -> None:
    """Copies of every kind wait for the fetch, and carry what came; the URL stays with the application that gave it."""
    with FarSide([found(), CLOSE]) as web, FarSide() as mmsc:
        upstream = Upstream(name="far", url=mmsc.url, vaspid="WE")
        one = program(CALLED, OTHER, upstreams=(upstream,), routes=(Route(prefix="+64", via="far"),))
        id = one.send({**asked(at(web)), "to": ["+641", "333", "+61400"], "from": "111122"})["id"]
        one.room.gateway.run_pending()
        assert len(web.requests) == 1
        [submit] = [request.unpack().message for request in mmsc.requests]
    assert isinstance(submit, SubmitReq)
    assert [part.read() for part in submit.parts if not part.content_type.startswith("application")] == [b"look", PNG]
    [mo] = one.room.calls.of(DeliverReq)
    assert PNG in [part.read() for part in mo.parts]
    assert [to["state"] for to in one.get(f"/v1/messages/{id}")["recipients"]] == ["sent", "delivered", "delivered"]
    [theirs] = one.get("/v1/messages?direction=inbound", auth=("other", "o"))["messages"]
    assert [part["size"] for part in theirs["parts"]] == [4, len(PNG)]
    assert "media_url" not in theirs["parts"][1]


def test_waits_for_its_time(program: Make) -> None:
    """With ``send_at`` it is fetched at once, and sent then."""
    one = program()
    with FarSide([found(), CLOSE]) as far:
        id = one.send(asked(at(far), send_at=one.room.clock() + 7200))["id"]
        one.room.gateway.run_pending()
    assert state(one, id)[0] == "scheduled"
    assert one.get(f"/v1/messages/{id}")["parts"][1]["size"] == len(PNG)
    one.room.clock.move(hours=2)
    one.room.gateway.run_pending()
    assert state(one, id)[0] == "delivered"


@BOTH
def test_once(program: Make) -> None:
    """The same URL under the same key is the same message; another URL, type or name is another."""
    one = program()
    url = "http://127.0.0.1:9/a"
    first = one.send(asked(url, idempotency_key="k"))
    assert one.send(asked(url, idempotency_key="k"))["id"] == first["id"]
    assert len(one.room.outbox()) == 1
    uri_list = {"data": encoded(f"{url}\r\n".encode()), "content_type": "text/uri-list"}
    others = [{"media_url": f"{url}?"}, {"media_url": url, "content_type": "image/png"}, uri_list]
    for other in (*others, {"media_url": url, "name": "a"}):
        body = {"to": "+61400", "parts": [{"text": "look"}, other], "idempotency_key": "k"}
        assert one.send(body, 422)["code"] == "idempotency-key-reused"


@BOTH
def test_many_at_the_same_moment(program: Make) -> None:
    """Messages that are kept in one transaction have each its call, and what came is each one's own."""
    one = program()

    def own(request: Request) -> Steps:
        return [found(PNG + request.line.encode()), CLOSE]

    with FarSide(own) as far:
        bodies = [asked(at(far, f"/{n}.png"), at(far, f"/{n}b.png"), reference=str(n)) for n in range(24)]
        answers = one.client.together(*(("POST", "/v1/messages", {"json": body, "auth": TNN}) for body in bodies))
        assert {answer.status_code for answer in answers} == {202}
        with one.room.gateway.working():
            until = time.monotonic() + 30
            ids = [answer.json()["id"] for answer in answers]
            while any(one.room.states(id) != ["Retrieved"] for id in ids) and time.monotonic() < until:
                time.sleep(0.02)
    for n, id in enumerate(ids):
        octets = [part.read() for part in one.room.gateway.simulator.retrieved(id)[1:3]]
        assert octets == [PNG + f"GET /{n}{end}.png HTTP/1.1".encode() for end in ("", "b")]


# --- redirects, and where they may not lead ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_followed(program: Make, status: int) -> None:
    """An answer that points elsewhere is followed, also by a relative reference; its body is not read."""
    endless = http(status, b"", Location="../there.png?a=1#here").replace(
        b"Content-Length: 0", b"Content-Length: 9999999"
    )
    with FarSide([endless, CLOSE], [found(), CLOSE]) as far:
        one = program()
        id = one.send(asked(at(far, "/a/b")))["id"]
        one.room.gateway.run_pending()
        assert [request.line.split()[1] for request in far.requests] == ["/a/b", "/there.png?a=1"]
    assert state(one, id)[0] == "delivered"


LOCATIONS = {
    "an endless way": ("/again", "it is redirected more than 5 times", 6),
    "to itself": ("", "it is redirected more than 5 times", 6),
    "no URL": ("http://[", "it is redirected to what is no URL", 1),
    "another scheme": ("ftp://a.example/x", "no http or https URL", 1),
    "a file": ("file:///etc/passwd", "no http or https URL", 1),
    "credentials": ("http://tom:s3cret@a.example/x", "holds credentials", 1),
    "nowhere": (None, "its server answered 302", 1),
}


@pytest.mark.parametrize("name", LOCATIONS)
def test_redirects_that_lead_nowhere(program: Make, name: str) -> None:
    """What is no URL, and what leads on for ever, is the end of the message."""
    location, words, requests = LOCATIONS[name]
    fields = {} if location is None else {"Location": location}
    with FarSide([http(302, **fields), CLOSE]) as far:
        one = program()
        why = failed(one, asked(at(far)))
        assert len(far.requests) == requests
    assert words in why
    assert "s3cret" not in why


class Names:
    """A resolver: each name's addresses, one row for each time it is asked, the last one repeats."""

    def __init__(self, **answers: Sequence[str]) -> None:
        self.answers = {name.replace("_", "."): list(rows) for name, rows in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, family: int = 0, type: int = 0) -> list[Any]:
        self.asked.append(host)
        rows = self.answers[host]
        address = rows.pop(0) if len(rows) > 1 else rows[0]
        if ":" in address:
            return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


class Dialer:
    """Connects to a far side, whichever address it is told; notes them."""

    def __init__(self, far: FarSide) -> None:
        self.port = int(far.url.split(":")[2].split("/")[0])
        self.dialled: list[str] = []

    def __call__(self, target: Target, timeout: float | None, options: Sequence[tuple[Any, ...]]) -> socket.socket:
        self.dialled.append(target.place[0])
        return outbound.dial(Target(socket.AF_INET, socket.SOCK_STREAM, 6, ("127.0.0.1", self.port)), 3, options)


def guarded(one: Program, names: Names, far: FarSide) -> Dialer:
    """Has the gateway fetch within the guard, by other names."""
    dialer = Dialer(far)
    one.room.gateway._caller.fetcher.egress = Egress(resolve=names, dial=dialer)
    return dialer


INSIDE = [
    "127.0.0.1",
    "0.0.0.0",
    "10.0.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "fd00::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_name_that_leads_inside(program: Make, address: str) -> None:
    """Nothing is connected to; who sent the message does not learn the address, the operator does."""
    with FarSide([found(), CLOSE]) as far:
        one = program()
        dialer = guarded(one, Names(inner_example=[address]), far)
        why = failed(one, asked("http://inner.example/a.png"))
        assert (dialer.dialled, far.connections) == ([], 0)
    assert why == (
        "media_url of parts[1] could not be fetched: it leads to an address that is not for everybody; give one that "
        "everybody can reach"
    )
    [call] = one.room.outbox()
    assert (call.state, call.attempts) == ("dead", 1)
    assert f"inner.example resolves to {ip_address(address)}" in (call.reason or "")
    with one.room.gateway.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM endpoint WHERE paused").scalar() == 0


def test_name_that_changes_its_mind(program: Make) -> None:
    """A name is resolved once for a connection, so that what was judged is what is called; a new one is judged anew."""
    names = Names(two_example=["8.8.8.8", "127.0.0.1"])
    with FarSide([http(302, Location="/b.png"), CLOSE], [found(), CLOSE]) as far:
        one = program()
        dialer = guarded(one, names, far)
        failed(one, asked("http://two.example/a.png"))
        assert dialer.dialled == ["8.8.8.8"]
        assert names.asked == ["two.example"] * 2
        assert len(far.requests) == 1


SPELLINGS = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "[::1]", "[::ffff:7f00:1]",
             "169.254.169.254", "2852039166", "localhost", "a.localhost", "10.1"]  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
def test_redirect_inside(program: Make, host: str) -> None:
    """A public server that points inside is not followed, however the address is written."""
    names = Names(open_example=["8.8.8.8"], localhost=["127.0.0.1"], a_localhost=["127.0.0.1"])
    with FarSide(lambda request: [http(302, Location=f"http://{host}:{dialer.port}/secret"), CLOSE]) as far:
        one = program()
        dialer = guarded(one, names, far)
        why = failed(one, asked("http://open.example/a.png"))
        assert dialer.dialled == ["8.8.8.8"]
        assert len(far.requests) == 1
    assert "not for everybody" in why
    assert host not in why


@pytest.mark.parametrize("host", SPELLINGS)
def test_internal_url_is_refused_when_written(program: Make, host: str) -> None:
    """Where internal addresses are not allowed, a URL of one is refused with its place, and nothing is kept."""
    one = program()
    object.__setattr__(one.room.settings, "allow_internal", False)
    told = one.send(asked(f"http://{host}:8080/a"), 422)
    assert (told["code"], told["pointer"]) == ("media-url-refused", "/parts/1/media_url")
    assert told["detail"].startswith("parts[1].media_url: the host of the URL, ")
    assert "allow_internal" not in told["detail"]  # whoever reads this cannot
    assert one.room.messages == []
    assert one.send(asked(f"http://{host}:8080/a", to="no address"), 422)["code"] == "media-url-refused"


def test_no_downgrade(program: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate is verified, and a redirect from https to http is not followed."""
    authority = trustme.CA()
    certificate = authority.issue_cert("secure.example")
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    names = Names(secure_example=["8.8.8.8"], other_example=["8.8.8.8"])
    answers: list[Answer] = [[found(), CLOSE], [http(302, Location="http://secure.example/b"), CLOSE]]
    with FarSide(*answers, tls=context) as far:
        one = program()
        guarded(one, names, far)
        unknown = one.send(asked("https://secure.example/a.png"))["id"]
        one.room.gateway.run_pending()
        assert state(one, unknown)[0] == "queued"  # the certificate may be mended
        assert (one.room.outbox()[0].reason or "").endswith(
            "certificate is signed by an unknown authority (unable to get local issuer certificate)"
        )
        monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(pem))
        one.room.clock.move(minutes=5)
        one.room.gateway.run_pending()
        assert state(one, unknown)[0] == "delivered"
        assert "from https to http" in failed(one, asked("https://secure.example/a.png"))
        wrong = one.send(asked("https://other.example/a.png"))["id"]
        one.room.gateway.run_pending()
        assert state(one, wrong)[0] == "queued"
        assert len(far.requests) == 2


# --- what does not come -----------------------------------------------------------------------------------------------

GONE = [204, 206, 304, 400, 401, 403, 404, 405, 410, 451]


@pytest.mark.parametrize("status", GONE)
@BOTH
def test_answers_that_last(program: Make, status: int) -> None:
    """What would be refused again is the end: every recipient is told why, nothing is paused, nothing is sent."""
    with FarSide([http(status, WWW_Authenticate="Basic"), CLOSE]) as far:
        one = program()
        id = one.send({**asked(at(far), delivery_report=True), "to": ["+61400", "+61411"]})["id"]
        events = one.room.gateway.run_pending()
        assert len(far.requests) == 1
        assert far.requests[0].header("Authorization") is None
    message = one.get(f"/v1/messages/{id}")
    assert [(to["state"], to["mm_status"]) for to in message["recipients"]] == [("failed", "Rejected")] * 2
    assert str(status) in message["recipients"][0]["detail"]
    assert message["recipients"][0]["detail"].startswith("media_url of parts[1] could not be fetched: ")
    reports = one.room.calls.of(DeliveryReportReq)
    assert [report.mm_status for report in reports] == ["Rejected"] * 2
    assert str(status) in reports[0].status_text
    assert [(event.kind, event.state) for event in events if event.kind in ("fetch", "handset")] == [
        ("handset", "Rejected"),
        ("handset", "Rejected"),
        ("fetch", "Refused"),
    ]
    assert message["parts"][1]["size"] is None
    with one.room.gateway.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM endpoint").scalar() == 0


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_answers_that_pass(program: Make, status: int) -> None:
    """What may be otherwise later is tried again, as a Retry-After says."""
    with FarSide([http(status, Retry_After="100"), CLOSE], [found(), CLOSE]) as far:
        one = program()
        id = one.send(asked(at(far)))["id"]
        events = one.room.gateway.run_pending()
        assert [(event.kind, event.state) for event in events] == [("fetch", "Postponed")]
        assert state(one, id) == ("queued", None)
        [call] = one.room.outbox()
        assert (call.state, call.http_status, round(call.due - one.room.clock())) == ("ready", status, 100)
        assert f"from 127.0.0.1: its server answered {status}" in (call.reason or "")
        one.room.clock.move(seconds=101)
        one.room.gateway.run_pending()
        assert len(far.requests) == 2
    assert state(one, id)[0] == "delivered"


def test_given_up_after_an_hour(program: Make) -> None:
    """A server that stays away is asked for an hour, and then the message has failed."""
    with FarSide([http(503), CLOSE]) as far:
        one = program()
        id = one.send(asked(at(far)))["id"]
        begun = one.room.clock()
        while state(one, id)[0] == "queued" and one.room.clock() < begun + 7200:
            one.room.gateway.run_pending()
            one.room.clock.move(minutes=1)
        assert 4 <= len(far.requests) <= 7
    assert begun + 1800 < one.room.clock() <= begun + 3660
    assert state(one, id) == (
        "failed",
        "media_url of parts[1] could not be fetched: its server answered 503 Service Unavailable",
    )
    [call] = one.room.outbox()
    assert (call.state, (call.reason or "").endswith("(given up)")) == ("dead", True)


def test_time_can_be_set(program: Make) -> None:
    """``fetch_expiry`` says how long, and no longer than the message waits itself."""
    one = program(delivery=Delivery(fetch_expiry=60.0))
    one.send(asked("http://127.0.0.1:9/a"))
    one.send(asked("http://127.0.0.1:9/a", expires_at=one.room.clock() + 30))
    assert [call.expires - one.room.clock() for call in one.room.outbox()] == [60, 30]


BROKEN: Mapping[str, tuple[Steps, str]] = {
    "nobody listens": ([], "nothing listens there"),
    "no answer": ([CLOSE], "closed the connection"),
    "no HTTP": ([b"220 ftp.example\r\n\r\n", CLOSE], ""),
    "half of it": ([found()[:-100], CLOSE], "broke off after"),
    "half of a chunk": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n\x89PNG", CLOSE],
        "broke off after",
    ),
    "a head without end": ([b"HTTP/1.1 200 OK\r\nA: " + b"a" * 70_000], ""),
    "silence": ([60.0], "took too long"),
    "a head in drops": ([b"HTTP/1.1 200 OK\r\n", *([b"A: b\r\n", 0.05] * 1000)], "took too long"),
    "a body in drops": (
        [b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", *([b"\x89", 0.05] * 1000)],
        "took too long",
    ),
    "chunks in drops": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *([b"1\r\na\r\n", 0.05] * 1000)],
        "took too long",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_answers(program: Make, name: str) -> None:
    """What breaks off, or does not come in time, is tried again; nothing of it is sent."""
    steps, words = BROKEN[name]
    one = program(delivery=Delivery(timeout=0.5))
    with FarSide(steps) as far:
        url = at(far)
        if name == "nobody listens":
            url = "http://127.0.0.1:9/a"
        id = one.send(asked(url))["id"]
        begun = time.monotonic()
        one.room.gateway.run_pending()
        assert time.monotonic() - begun < 20
    assert state(one, id) == ("queued", None)
    [call] = one.room.outbox()
    assert (call.state, call.attempts) == ("ready", 1)
    assert words in (call.reason or "")


def test_all_urls_share_the_time(program: Make) -> None:
    """All URLs of a message together have the time of one attempt."""
    one = program(delivery=Delivery(timeout=0.6))
    with FarSide([0.25, found(), CLOSE]) as far:
        id = one.send(asked(*(at(far, f"/{n}") for n in range(10))))["id"]
        one.room.gateway.run_pending()
        assert 0 < len(far.requests) < 10
    assert state(one, id)[0] == "queued"


REFUSED: Mapping[str, tuple[Steps, str]] = {
    "announced too large": (
        [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", 60.0],
        "larger than 199996 octets",
    ),
    "too large": ([b"HTTP/1.1 200 OK\r\n\r\n", PNG + bytes(300_000), CLOSE], "larger than 199996 octets"),
    "too large in chunks": (
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"10000\r\n" + bytes(65536) + b"\r\n"] * 5, CLOSE],
        "larger than 199996 octets",
    ),
    "compressed": ([found(Content_Encoding="gzip"), CLOSE], "compressed (gzip)"),
    "compressed twice": ([found(Content_Encoding="br, gzip"), CLOSE], "compressed (br, gzip)"),
    "nothing": ([found(b""), CLOSE], "it is empty"),
    "a page": ([found(HTML, "text/html; charset=utf-8"), CLOSE], "is an HTML page"),
    "a page that is called a picture": ([found(HTML, "image/png"), CLOSE], "is an HTML page"),
    "a page that begins like none": ([found(b"<p>hello", "text/html"), CLOSE], "called an HTML page"),
    "an error that is called a picture": (
        [found(b'{"error": 7}', "image/png"), CLOSE],
        "text/plain, not the image/png",
    ),
    "an error that is called a film": (
        [found(b'{"error": 7}', "video/quicktime"), CLOSE],
        "text/plain, not the video/",
    ),
    "an error in the place of a picture": (
        [found(b'{"error": 7}', None), CLOSE],
        "not the image/png that its name says",
    ),
    "a text that is not in its charset": ([found(b"\xe9t\xe9 ", "text/plain; charset=utf-8"), CLOSE], "utf-8"),
    "a text in no charset": ([found(b"caf\xe9 ole", "text/plain"), CLOSE], "no charset is guessed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_taken(program: Make, name: str) -> None:
    """What is too large, compressed, empty or plainly something else is the end of the message, which says why."""
    steps, words = REFUSED[name]
    one = program(limits=mime.Limits(body=200_000))
    with FarSide(steps) as far:
        begun = time.monotonic()
        why = failed(one, asked(at(far)))
        assert time.monotonic() - begun < 20
        assert len(far.requests) == 1
    assert words in why
    assert one.room.messages[0].content == 0


def test_parts_share_the_limit(program: Make) -> None:
    """The limit is that of the message: what the other parts have left of it."""
    one = program(limits=mime.Limits(body=200_000))
    with FarSide([found(PNG + bytes(120_000)), CLOSE]) as far:
        why = failed(one, asked(at(far), at(far)))
        assert "media_url of parts[2]" in why
        assert "is larger than" in why
        whole = PNG + bytes(200_000 - 300 - len(PNG))
        far.answers[:] = [[found(whole), CLOSE]]
        assert "with its media the message cannot be sent: it comes to " in failed(one, asked(at(far)))


def test_application_takes_no_more(program: Make) -> None:
    """What an application's settings refuse of data is refused of what was fetched."""
    one = program(replace(CALLED, media="listed"))
    with FarSide([found(b"%PDF-1.7 " + bytes(9), "application/pdf"), CLOSE]) as far:
        assert "the media type application/pdf is not served" in failed(one, asked(at(far, "/a.pdf")))


def test_memory_is_bounded(program: Make) -> None:
    """What all attempts have in memory is bounded; over it, one is made again."""
    one = program(capacity=Capacity(uploads=1000))
    with FarSide([found(PNG + bytes(2000)), CLOSE], [found(), CLOSE]) as far:
        id = one.send(asked(at(far)))["id"]
        one.room.gateway.run_pending()
        assert "too much is being fetched" in (one.room.outbox()[0].reason or "")
        one.room.clock.move(seconds=10)
        one.room.gateway.run_pending()
    assert state(one, id)[0] == "delivered"


TYPES: Mapping[str, tuple[bytes, str | None, str | None, str, str]] = {
    # octets, Content-Type, wish, URL -> type
    "octets against the Content-Type": (PNG, "image/jpeg", None, "/a", "image/png"),
    "octets against the name": (PNG, None, None, "/a.jpg", "image/png"),
    "octets against nothing": (GIF, "application/octet-stream", None, "/a", "image/gif"),
    "octets and a wish": (JPEG, "text/plain", "image/jpg", "/a", "image/jpeg"),
    "one of a container, by the wish": (b"\0\0\0\x18ftypisom" + bytes(20), None, "audio/mp4", "/a", "audio/mp4"),
    "one of a container, by the Content-Type": (
        b"\0\0\0\x18ftypisom" + bytes(20),
        "audio/mp4",
        None,
        "/a",
        "audio/mp4",
    ),
    "one of a container": (b"\0\0\0\x18ftypisom" + bytes(20), None, None, "/a", "video/mp4"),
    "the Content-Type": (b"hello", "text/plain; charset=us-ascii", None, "/a", "text/plain"),
    "the name": (b"WEIRD\0\1", None, None, "/a.wbmp", "image/vnd.wap.wbmp"),
    "the name that was given": (b"\0\0\1\1", None, None, "/a%2ewbmp", "image/vnd.wap.wbmp"),
    "a page that was asked for": (HTML, "text/html", "text/html", "/a", "text/html"),
    "a vCard": (b"BEGIN:VCARD\r\nEND:VCARD", "text/plain", None, "/a", "text/vcard"),
    "a text": (b"hello", None, None, "/a", "text/plain"),
    "nothing known": (b"\0\1\2", None, None, "/a", "application/octet-stream"),
    "a type of many": (PNG, "multipart/mixed; boundary=a", None, "/a", "image/png"),
    "a Content-Type that is none": (b"hello", "???", None, "/a", "text/plain"),
}


@pytest.mark.parametrize("name", TYPES)
def test_octets_decide(name: str) -> None:
    """The type is what the octets show; then what was wished, said, named."""
    octets, said, wish, path, kind = TYPES[name]
    place = Part(body=b"", content_type="text/uri-list", content_id="a@b")
    part = part_of(RemotePart(1, f"http://a.example{path}", wish), Download(octets, said), place)
    assert (part.content_type, part.read(), part.content_id) == (kind, octets, "a@b")


WISHES = {
    "another picture": (PNG, "image/jpeg", "image/png, not the image/jpeg that was asked for"),
    "a page": (HTML, "image/jpeg", "text/html, not the image/jpeg"),
    "a text": (b"hello", "audio/mpeg", "text/plain, not the audio/mpeg"),
}


@pytest.mark.parametrize("name", WISHES)
def test_wish_that_is_not_met(name: str) -> None:
    """What was asked for is not sent as something else."""
    octets, wish, words = WISHES[name]
    with pytest.raises(LocalError, match=words):
        part_of(RemotePart(1, "http://a.example/a", wish), Download(octets, wish), Part(body=b""))


def test_charset_is_kept() -> None:
    """A text keeps the charset that it came with, or was wished."""
    latin = Download("é".encode("latin-1"), "text/plain; charset=iso-8859-1")
    assert part_of(RemotePart(0, "http://a/a"), latin, Part(body=b"")).charset == "iso-8859-1"
    wished = RemotePart(0, "http://a/a", "text/plain; charset=iso-8859-1")
    assert part_of(wished, latin._replace(content_type=None), Part(body=b"")).charset == "iso-8859-1"


# --- refused when written ---------------------------------------------------------------------------------------------

BAD: Mapping[str, tuple[Any, str]] = {
    "no URL": ({"media_url": "cat.png"}, "/parts/0/media_url"),
    "another scheme": ({"media_url": "ftp://a.example/x"}, "/parts/0/media_url"),
    "a file": ({"media_url": "file:///etc/passwd"}, "/parts/0/media_url"),
    "credentials": ({"media_url": "https://tom:s3cret@a.example/x"}, "/parts/0/media_url"),
    "a fragment": ({"media_url": "https://a.example/x#y"}, "/parts/0/media_url"),
    "a line": ({"media_url": "https://a.example/x\ny"}, "/parts/0/media_url"),
    "not ASCII": ({"media_url": "https://a.example/\u00fc"}, "/parts/0/media_url"),
    "a host that is none": ({"media_url": "https://a..b/x"}, "/parts/0/media_url"),
    "port 0": ({"media_url": "https://a.example:0/x"}, "/parts/0/media_url"),
    "too long": ({"media_url": "https://a.example/" + "x" * 1983}, "/parts/0/media_url"),
    "empty": ({"media_url": ""}, "/parts/0/media_url"),
    "a number": ({"media_url": 7}, "/parts/0/media_url"),
    "text too": ({"media_url": "https://a.example/x", "text": "a"}, "/parts/0"),
    "data too": ({"media_url": "https://a.example/x", "data": "YQ=="}, "/parts/0"),
    "a type that is none": ({"media_url": "https://a.example/x", "content_type": "image"}, "/parts/0/content_type"),
    "a type of many": (
        {"media_url": "https://a.example/x", "content_type": "multipart/mixed; boundary=a"},
        "/parts/0/content_type",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_urls(program: Make, name: str) -> None:
    """What is no URL that can be fetched is refused with its place; nothing is kept, and no secret is repeated."""
    part, pointer = BAD[name]
    one = program()
    told = one.send({"to": "+61400", "parts": [part]}, 400)
    assert (told["code"], told["pointer"]) == ("invalid-value", pointer)
    assert "s3cret" not in told["detail"]
    assert one.room.messages == []


def test_too_many_urls(program: Make) -> None:
    """Ten parts of a message may be fetched, of the longest URL and type, and no more."""
    one = program()
    longest = "http://127.0.0.1:9/" + "x" * (remote_parts.LONGEST - 19)
    wish = "image/jpeg; a=" + "b" * 200
    part = {"media_url": longest, "content_type": wish, "name": "n" * 255}
    told = one.send({"to": "+61400", "parts": [part] * 10})
    assert {one["content_type"] for one in told["parts"]} == {"image/jpeg"}
    assert [call.event["parts"][9] for call in one.room.outbox()] == [[9, longest, wish, "n" * 255]]
    told = one.send({"to": "+61400", "parts": [part] * 11}, 400)
    assert (told["code"], told["pointer"]) == ("invalid-value", "/parts")


# --- meanwhile --------------------------------------------------------------------------------------------------------


def claimed(one: Program) -> Any:
    """The call that fetches, claimed and made; its outcome is not recorded yet."""
    _, [call] = one.room.gateway.dispatcher.run_once()
    assert call.kind == "fetch"
    return call


RECIPIENTS = ["+61400", "+641", "333"]  # a handset, an upstream's, another application


def meanwhile(program: Make, mmsc: FarSide) -> Program:
    """A program with recipients of every kind."""
    upstream = Upstream(name="far", url=mmsc.url, vaspid="WE")
    return program(CALLED, OTHER, upstreams=(upstream,), routes=(Route(prefix="+64", via="far"),))


@pytest.mark.parametrize("under_way", [False, True])
@BOTH
def test_cancelled_meanwhile(program: Make, under_way: bool) -> None:
    """A message that is taken back before its media are there goes to nobody, whatever comes of the fetch."""
    with FarSide([found(), CLOSE]) as web, FarSide() as mmsc:
        one = meanwhile(program, mmsc)
        id = one.send({**asked(at(web)), "to": RECIPIENTS, "from": "111122"})["id"]
        if under_way:
            one.room.gateway.dispatcher.attempt(claimed(one))
        told = one.told("DELETE", f"/v1/messages/{id}", 200, auth=TNN)
        assert [to["state"] for to in told["recipients"]] == ["cancelled"] * 3
        one.room.gateway.run_pending()
        assert len(web.requests) == under_way
        assert mmsc.requests == []
    assert one.room.states(id) == ["Cancelled"] * 3
    [call] = one.room.outbox()
    assert (call.state, call.reason) == ("done", "no longer needed")
    assert one.room.messages[0].content == 0
    assert one.room.calls.made == []


@pytest.mark.parametrize("under_way", [False, True])
@BOTH
def test_replaced_meanwhile(program: Make, under_way: bool) -> None:
    """New content goes out in the place of what was to be fetched, which does not overwrite it."""
    with FarSide([found(), CLOSE]) as web, FarSide() as mmsc:
        one = meanwhile(program, mmsc)
        id = one.send({**asked(at(web)), "to": RECIPIENTS, "from": "111122"})["id"]
        if under_way:
            one.room.gateway.dispatcher.attempt(claimed(one))
        new = Part(body=b"instead", content_type="text/plain")
        assert one.room.code(ReplaceReq(vaspid="TNN", vasid="News", message_id=id, parts=(new,))) == 1000
        one.room.gateway.run_pending()
        [submit] = [request.unpack().message for request in mmsc.requests]
    assert isinstance(submit, SubmitReq)
    assert [part.read() for part in submit.parts if part.content_type == "text/plain"] == [b"instead"]
    assert one.room.texts(id) == [b"instead"]
    assert one.room.states(id) == ["Retrieved", "Sent", "Retrieved"]
    parts = one.get(f"/v1/messages/{id}")["parts"]
    assert [(part["size"], "media_url" in part) for part in parts] == [(7, False)]


@pytest.mark.parametrize("under_way", [False, True])
def test_replaced_but_for_its_content(program: Make, under_way: bool) -> None:
    """A replace that says nothing of the content leaves the fetch as it is, and the copies wait for it."""
    with FarSide([found(), CLOSE]) as web, FarSide() as mmsc:
        one = meanwhile(program, mmsc)
        id = one.send({**asked(at(web)), "to": RECIPIENTS, "from": "111122"})["id"]
        call = claimed(one) if under_way else None
        later = one.room.clock() + 600
        when = one.room.clock.now.replace(minute=10)
        change = ReplaceReq(vaspid="TNN", vasid="News", message_id=id, earliest_delivery_time=when)
        assert one.room.code(change) == 1000
        assert [copy.due for copy in one.room.copies(id)] == [None] * 3
        if call is not None:
            one.room.gateway.dispatcher.attempt(call)
        one.room.gateway.run_pending()
        assert [copy.due for copy in one.room.copies(id)] == [later] * 3
        assert mmsc.requests == []
        one.room.clock.move(minutes=10)
        one.room.gateway.run_pending()
        assert len(mmsc.requests) == 1
    assert one.room.states(id) == ["Retrieved", "Sent", "Retrieved"]
    assert [part.read() for part in one.room.gateway.simulator.retrieved(id)[:2]] == [b"look", PNG]


@pytest.mark.parametrize("change", ["cancelled", "replaced"])
def test_result_that_is_just_recorded(program: Make, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """Where the call could not be ended, since its result was just being recorded, the message stays as it is, too."""
    monkeypatch.setattr("mm7zeep.gateway.store.outbox.end_fetch", lambda *given: None)
    with FarSide([found(), CLOSE]) as web, FarSide() as mmsc:
        one = meanwhile(program, mmsc)
        id = one.send({**asked(at(web)), "to": ["+641"]})["id"]
        call = claimed(one)
        if change == "cancelled":
            one.told("DELETE", f"/v1/messages/{id}", 200, auth=TNN)
        else:
            new = Part(body=b"instead", content_type="text/plain")
            assert one.room.code(ReplaceReq(vaspid="TNN", vasid="News", message_id=id, parts=(new,))) == 1000
            one.room.gateway.dispatcher.run_once()  # the submit is planned: the copy is not due any more
        before = one.room.copies(id), one.room.messages
        one.room.gateway.dispatcher.attempt(call)
        one.room.gateway.dispatcher.run_once(claiming=False)
        assert (one.room.copies(id), one.room.messages) == before
        assert [found.state for found in one.room.outbox() if found.kind == "fetch"] == ["done"]


def test_expired_meanwhile(program: Make) -> None:
    """A message whose time is over before its media are there has expired, and says so."""
    with FarSide([http(503), CLOSE]) as far:
        one = program()
        id = one.send(asked(at(far), expires_at=one.room.clock() + 20, delivery_report=True))["id"]
        one.room.gateway.run_pending()
        assert state(one, id)[0] == "queued"
        one.room.clock.move(seconds=21)
        one.room.gateway.run_pending()
        assert len(far.requests) == 1
    assert state(one, id)[0] == "expired"
    assert [report.mm_status for report in one.room.calls.of(DeliveryReportReq)] == ["Expired"]


def test_expires_while_it_is_fetched(program: Make) -> None:
    """Nothing is sent of a message that expired while its media came."""
    with FarSide([found(), CLOSE]) as far:
        one = program()
        id = one.send(asked(at(far), expires_at=one.room.clock() + 20))["id"]
        one.room.gateway.dispatcher.attempt(claimed(one))
        one.room.clock.move(seconds=21)
        one.room.gateway.run_pending()
    assert state(one, id)[0] == "expired"


def test_time_that_a_replace_gives(program: Make) -> None:
    """A replace that lets the message expire earlier lets the fetch end earlier, too."""
    with FarSide([http(503), CLOSE]) as far:
        one = program()
        id = one.send(asked(at(far), expires_at=one.room.clock() + 3000))["id"]
        one.room.gateway.run_pending()
        when = one.room.clock.now.replace(second=2)
        assert one.room.code(ExtendedReplaceReq(vaspid="TNN", vasid="News", replace_id=id, expiry_date=when)) == 1000
        one.room.clock.move(seconds=3)
        one.room.gateway.run_pending()
    assert state(one, id)[0] == "expired"


@BOTH
def test_all_opt_out_meanwhile(program: Make) -> None:
    """Nothing is fetched for recipients who have all opted out meanwhile: the copies are Rejected for that."""
    with FarSide([found(), CLOSE]) as far:
        one = program(replace(CALLED, opt_out=OptOut()), OTHER)
        body = {**asked(at(far)), "to": ["+61400", "+61411"], "delivery_report": True}
        id = one.send(body)["id"]
        for sender in ("+61400", "+61411"):
            stop(one, sender)
        one.room.gateway.run_pending()
        assert far.requests == []
    assert [(copy.state, copy.detail) for copy in one.room.copies(id)] == [
        ("Rejected", "the recipient has opted out")
    ] * 2
    [call] = [call for call in one.room.outbox() if call.kind == "fetch"]
    assert (call.state, call.reason) == ("dead", "the recipient has opted out")
    told = [(report.mm_status, report.status_text) for report in one.room.calls.of(DeliveryReportReq)]
    assert told == [("Rejected", "Recipient opted out")] * 2


@pytest.mark.parametrize("status", [200, 404])
def test_some_opt_out_meanwhile(program: Make, status: int) -> None:
    """It is fetched for the others; who has opted out is told so, whatever came of the fetch."""
    with FarSide([found() if status == 200 else http(404), CLOSE]) as far:
        one = program(replace(CALLED, opt_out=OptOut()), OTHER)
        id = one.send({**asked(at(far)), "to": ["+61400", "+61411"]})["id"]
        stop(one, "+61400")
        one.room.gateway.run_pending()
        assert len(far.requests) == 1
    first, other = one.room.copies(id)
    assert (first.state, first.detail) == ("Rejected", "the recipient has opted out")
    assert other.state == ("Retrieved" if status == 200 else "Rejected")
    assert other.detail != first.detail


def stop(one: Program, sender: str) -> None:
    """A subscriber opts out."""
    word = Part(body=b"STOP", content_type="text/plain", parameters=(("charset", "utf-8"),))
    one.room.gateway.simulator.send_mo("tnn", sender, "111122", content=[word])


def test_deleted_while_it_is_fetched(program: Make) -> None:
    """What came for a message that is no longer kept is dropped."""
    with FarSide([found(), CLOSE]) as far:
        one = program()
        id = one.send(asked(at(far)))["id"]
        call = claimed(one)
        with one.room.gateway.database.write() as connection:
            messages.delete(connection, [id])
        one.room.gateway.dispatcher.attempt(call)
        one.room.gateway.run_pending()
    assert one.room.messages == []
    assert one.room.outbox() == []


@BOTH
def test_worker_that_died(program: Make) -> None:
    """Whoever dies between answer and fetch, or between fetch and commit, has its message fetched by another."""
    with FarSide([found(), CLOSE]) as far:
        one = program()
        id = one.send(asked(at(far)))["id"]
        dead = claimed(one)
        one.room.gateway._caller.make(dead)  # it came, and nobody has recorded it
        other = Dispatcher(one.room.settings, one.room.gateway.database, one.room.gateway._caller, clock=one.room.clock)
        assert other.run_once() == ([], [])
        one.room.clock.move(seconds=61)
        _, [again] = other.run_once()
        assert (again.id, again.transaction_id) == (dead.id, dead.transaction_id)
        other.attempt(again)
        other.run_once()
        one.room.gateway.dispatcher.attempt(dead)  # it only slept: what it brings comes too late
        one.room.gateway.dispatcher.run_once()
        assert len(far.requests) == 3
    one.room.gateway.run_pending()
    assert state(one, id)[0] == "delivered"
    assert one.room.messages[0].content == 1
    with one.room.gateway.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM raw").scalar() == 2


def test_second_gateway_goes_on(tmp_path: Path) -> None:
    """A gateway that is opened after the first one has died fetches what that one had answered 202."""
    with FarSide([found(), CLOSE]) as far, ExitStack() as opened:
        first = Room(tmp_path)
        client = AsgiClient(first.gateway.api)
        id = client.request("POST", "/v1/messages", json=asked(at(far)), auth=TNN).json()["id"]
        client.close()
        first.gateway.close()
        second = Room(tmp_path)
        opened.callback(second.gateway.close)
        second.gateway.run_pending()
        assert second.states(id) == ["Retrieved"]
        assert second.gateway.simulator.retrieved(id)[1].read() == PNG


@pytest.mark.postgres
@pytest.mark.parametrize("program", ["postgresql"], indirect=True)
def test_cancel_and_result_at_the_same_moment(program: Make) -> None:
    """Who takes a message back while its media are recorded does not wait for ever: one of them is first."""
    with FarSide(lambda request: [found(), CLOSE]) as far:
        one = program(handsets=(Handset(prefix="+614", outcome="Retrieved"),))
        later = one.room.clock() + 7200
        ids = [one.send(asked(at(far), send_at=later))["id"] for _ in range(12)]
        with one.room.gateway.working():
            for id in ids:
                time.sleep(0.01)
                one.told("DELETE", f"/v1/messages/{id}", 200, auth=TNN)
            until = time.monotonic() + 10
            while any(call.state in ("ready", "leased") for call in one.room.outbox()) and time.monotonic() < until:
                time.sleep(0.02)
        assert {call.state for call in one.room.outbox()} == {"done"}
        assert [one.room.states(id) for id in ids] == [["Cancelled"]] * 12


# --- told -------------------------------------------------------------------------------------------------------------


def test_not_made_again(program: Make) -> None:
    """A fetch that has ended is not replayed: its message has ended with it. One that waits is made now."""
    with FarSide([http(404), CLOSE], [http(503), CLOSE], [found(), CLOSE]) as far:
        one = program()
        gone = one.send(asked(at(far)))["id"]
        one.room.gateway.run_pending()
        assert one.room.gateway.replay(id=1) == 0
        assert one.room.gateway.replay(since=0.0) == 0
        waits = one.send(asked(at(far)))["id"]
        one.room.gateway.run_pending()
        expires = one.room.outbox()[1].expires
        assert one.room.gateway.replay(id=2) == 1
        assert one.room.outbox()[1].expires == expires
        one.room.gateway.run_pending()
        assert one.room.gateway.replay(id=2) == 0
    assert [state(one, id)[0] for id in (gone, waits)] == ["failed", "delivered"]


def test_slow_hosts_take_a_bounded_share(program: Make) -> None:
    """However many hosts a tenant names, its fetches stand at few endpoints, so that no other waits for a thread."""
    one = program()
    for n in range(100):
        one.send(asked(f"http://host{n}.example/a"))
    assert len({call.endpoint for call in one.room.outbox()}) == SHARED
    _, calls = one.room.gateway.dispatcher.run_once()
    assert len(calls) == SHARED * one.room.settings.delivery.narrow
    same = one.send(asked("HTTP://Host1.Example/b"))["id"]
    endpoints = {call.message_id: call.endpoint for call in one.room.outbox()}
    assert endpoints[same] == next(call.endpoint for call in one.room.outbox() if "host1.example" in call.payload)


def test_log_and_metrics(program: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Fetches are counted and logged with their host and reason; the URL, which may hold secrets, is not."""
    caplog.set_level(logging.INFO)
    with FarSide([http(503), CLOSE], [http(404), CLOSE]) as far:
        one = program()
        one.send(asked(at(far, "/a?sig=s3cret")))
        one.room.gateway.run_pending()
        one.room.clock.move(seconds=10)
        one.room.gateway.run_pending()
    assert "could not be fetched from 127.0.0.1: its server answered 503" in caplog.text
    assert "a fetch call to tnn fetch:" in caplog.text
    assert "s3cret" not in caplog.text
    page = one.room.gateway.metrics.exposition(one.room.gateway.database)[0].decode()
    for outcome in ("retry", "dead"):
        assert f'mm7_calls_total{{kind="fetch",outcome="{outcome}",owner="tnn"}} 1.0' in page


def test_operator_sees_it(program: Make) -> None:
    """The REST API shows the call with its URL, but for the secrets in it, and its message."""
    one = program()
    id = one.send(asked("http://127.0.0.1:9/a?X-Amz-Signature=s3cret&b=1"))["id"]
    one.room.gateway.run_pending()
    admin = AsgiClient(admin_app(one.room.gateway))
    try:
        [call] = admin.get("/api/v1/callbacks").json()["callbacks"]
        whole = admin.get(f"/api/v1/callbacks/{call['id']}").json()
        message = admin.get(f"/api/v1/messages/{id}").json()
        refused = None
        one.told("DELETE", f"/v1/messages/{id}", 200, auth=TNN)
        refused = admin.request("POST", f"/api/v1/callbacks/{call['id']}/replay")
    finally:
        admin.close()
    assert (call["kind"], call["state"], call["application"]) == ("fetch", "ready", "tnn")
    assert call["endpoint"] == "http://127.0.0.1:9/a?X-Amz-Signature=***&b=1"
    assert whole["told"]["parts"] == [{"n": 1, "url": call["endpoint"], "content_type": None, "name": None}]
    assert message["calls"][0]["id"] == call["id"]
    assert message["state"] == "Pending"
    assert [part["content_type"] for part in message["parts"][:2]] == ["text/plain", "text/uri-list"]
    assert "s3cret" not in json.dumps([call, whole, message])
    assert (refused.status_code, "send the message again" in refused.text) == (409, True)


def test_commands_tell_it(program: Make) -> None:
    """``mm7zeep callbacks`` and ``mm7zeep show`` list the fetch with where it goes and why it failed."""
    with FarSide([http(404), CLOSE]) as far:
        one = program()
        id = one.send(asked(at(far)))["id"]
        one.room.gateway.run_pending()
        url = at(far)
    with serve_in_thread(admin_app(one.room.gateway)) as admin:
        for words in (("callbacks",), ("show", id)):
            told = CliRunner().invoke(main, [*words, "--admin", admin.rstrip("/")])
            [line] = [line for line in told.stdout.splitlines() if " fetch " in line]
            assert line.split()[:3] == ["1", "fetch", "dead"]
            assert f"{url}  404: media_url of parts[1] could not be fetched from 127.0.0.1: " in line
