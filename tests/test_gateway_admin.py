"""The admin listener: what each route tells and does, what is refused and in which words, and who may ask at all."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import re
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import openapi_spec_validator
import pytest
from asgi_client import HOME, AsgiClient
from click.testing import CliRunner
from gateway_room import CALLED, OTHER, SUBMIT, Room, basic

from mm7zeep import exchange
from mm7zeep.cli import main
from mm7zeep.errors import AuthError, LocalError, StatusError
from mm7zeep.gateway.admin import access as admin_access
from mm7zeep.gateway.admin import messages
from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.admin.routes import ABOUT, API, ROUTES
from mm7zeep.gateway.admin.user import User
from mm7zeep.gateway.config.opt_out import OptOut
from mm7zeep.gateway.config.parties import Application, Callback
from mm7zeep.gateway.rest import headers as rest_headers
from mm7zeep.gateway.rest import openapi
from mm7zeep.gateway.rest import request as rest_request
from mm7zeep.gateway.rest import scope as rest_scope
from mm7zeep.gateway.store import outbox, search
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.gateway.viewer.app import listener_app
from mm7zeep.messages import DeliverReq, DeliveryReportReq, Number, Part, ReadReplyReq, ShortCode
from mm7zeep.receiver import Refusal

SILENT = Application(name="silent", password="s", vaspid="SIL")
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ASKING = replace(SUBMIT, delivery_report=True, read_reply=True, cc=("+61422",), subject="Sale <b>100%</b>")  # type: ignore[arg-type]


class Desk:
    """A room and the admin listener of its gateway."""

    def __init__(self, room: Room, client: AsgiClient) -> None:
        self.room = room
        self.client = client

    def get(self, path: str, status: int = 200, **options: Any) -> Any:
        """What a GET answers, as JSON."""
        answer = self.client.get(API + path, **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 202, method: str = "POST") -> Any:
        """What a POST of JSON answers, as JSON."""
        answer = self.client.request(method, API + path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Makes admin listeners; closes them."""
    on_server = getattr(request, "param", "sqlite") == "postgresql"
    url = request.getfixturevalue("postgres_url") if on_server else None
    with ExitStack() as made:

        def make(*applications: Application, **options: Any) -> Desk:
            room = Room(tmp_path, *(applications or (CALLED, OTHER, SILENT)), database=url, **options)
            made.callback(room.gateway.close)
            client = AsgiClient(admin_app(room.gateway, clock=room.clock))
            made.callback(client.close)
            return Desk(room, client)

        yield make


BOTH = pytest.mark.parametrize(
    "desk", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
"""Marks tests that are run on either engine."""


DOCUMENT = openapi.document(ABOUT, ROUTES)


def fits(value: Any, name: str) -> None:
    """Holds an answer against the schema of that name in the document."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(value)


# --- messages ---------------------------------------------------------------------------------------------------------


@BOTH
def test_what_addresses_carry_is_told(desk: Callable[..., Desk]) -> None:
    """A coded address is shown as it came, with its coding and id; who is only displayed is shown as such."""
    one = desk()
    to = (Number("q7Zr==", coding="encrypted", id="a"), Number("+61400", display_only=True))
    id = one.room.submitted(replace(ASKING, sender_address=ShortCode("7", id="s"), to=to))
    one.room.gateway.run_pending()
    found = one.get(f"/messages/{id}")
    fits(found, "WholeMessage")
    assert (found["from"], found["from_attributes"]) == ("7", {"id": "s"})
    assert [copy["attributes"] for copy in found["recipients"][:2]] == [
        {"addressCoding": "encrypted", "id": "a"},
        {"displayOnly": True},
    ]
    report = next(call["id"] for call in found["calls"] if call["kind"] == "report" and call["recipient"] == 0)
    for sid in (f"MM{id}", f"SM{id}"):  # as who uses Twilio's form knows it
        assert one.get(f"/messages/{sid}")["id"] == id
    told = one.get(f"/callbacks/{report}")["told"]
    assert told["recipient"] == ["Number", "q7Zr==", '{"addressCoding": "encrypted", "id": "a"}']


@BOTH
def test_message_is_told_whole(desk: Callable[..., Desk]) -> None:
    """One message shows its summary, copies, fields, parts as a handset has them, findings and calls."""
    one = desk()
    id = one.room.submitted(ASKING)
    assert one.get(f"/messages/{id}")["state"] == "Pending"
    one.room.gateway.run_pending()
    found = one.get("/messages/latest")
    fits(found, "WholeMessage")
    assert (found["id"], found["application"], found["direction"]) == (id, "tnn", "mt")
    assert (found["to"], found["cc"], found["bcc"]) == (["+61400", "+61411"], ["+61422"], [])
    assert (found["state"], found["subject"]) == ("Retrieved", "Sale <b>100%</b>")
    assert (found["accepted_at"], found["expires_at"]) == ("2026-03-01T12:00:00.000Z", None)
    assert found["recipients"][2] == {
        "n": 2,
        "address": "+61422",
        "kind": "Number",
        "attributes": {},
        "place": "cc",
        "state": "Retrieved",
        "detail": None,
        "changed_at": "2026-03-01T12:00:00.000Z",
        "due_at": None,
        "destination": "handset",
    }
    assert (found["fields"]["vaspid"], found["fields"]["vasid"]) == ("TNN", "News")
    [part] = found["parts"]
    assert (part["content_type"], part["size"], part["generated"]) == ("text/plain", 5, False)
    assert sorted(call["kind"] for call in found["calls"]) == ["read"] * 3 + ["report"] * 3
    assert {call["endpoint"] for call in found["calls"]} == {"http://tnn/dlr"}


def test_state_of_all(desk: Callable[..., Desk]) -> None:
    """The state of a message is that of its copies, or Mixed; while one is Pending, so is the message."""
    one = desk()
    id = one.room.submitted()
    one.post(f"/messages/{id}/report", {"recipient": "+61400", "status": "Expired"})
    assert one.get(f"/messages/{id}")["state"] == "Pending"
    one.post(f"/messages/{id}/report", {"recipient": "+61411", "status": "Rejected"})
    assert one.get(f"/messages/{id}")["state"] == "Mixed"


def test_pages(desk: Callable[..., Desk]) -> None:
    """Pages are the newest first, do not overlap, and the last one says that it is."""
    one = desk()
    ids = [one.room.submitted() for _ in range(5)][::-1]
    seen: list[str] = []
    before: dict[str, Any] = {}
    for size in (2, 2, 1):
        page = one.get("/messages", params={"limit": 2, **before})
        fits(page, "Messages")
        assert len(page["messages"]) == size
        seen += [found["id"] for found in page["messages"]]
        before = {"before": page["next"]}
    assert seen == ids
    assert before == {"before": None}


SEARCHES = {
    "by application": ("application=other", ["mo"]),
    "by direction": ("direction=mt", ["b", "a"]),
    "by recipient": ("to=%2B61400", ["b", "a"]),
    "by recipient, the plus not encoded": ("to=+61400", ["b", "a"]),
    "by half a recipient": ("to=%2B6140", []),
    "by recipient without its plus": ("to=61400", []),
    "by recipient with another type": ("to=%2B61400/TYPE=PLMN", []),
    "by sender": ("from=%2B61499", ["mo"]),
    "by a word of the text": ("q=HELLO", ["mo", "b", "a"]),
    "by a piece of a number, the plus not encoded": ("q=+6141", ["b", "a"]),
    "by a sign that SQL reads": ("q=%25", ["a"]),
    "by an id": ("q={a}", ["a"]),
    "by a number with its type": ("q=+61411/TYPE=PLMN", ["b", "a"]),
    "by two spaces": ("q=%20%20<B>", ["a"]),
    "by state": ("state=Pending", ["mo", "b", "a"]),
    "by state in any case": ("state=retrieved", []),
    "by everything": ("application=tnn&direction=mt&to=%2B61411&q=100%25&state=Pending", ["a"]),
}


@BOTH
def test_searches(desk: Callable[..., Desk]) -> None:
    """Each parameter narrows the list down; several together, to what fits all of them."""
    one = desk()
    names = {
        one.room.submitted(ASKING): "a",
        one.room.submitted(): "b",
        one.post("/deliver", {"application": "other", "from": "+61499", "to": "333", "text": "hello"})["id"]: "mo",
    }
    ids = {name: id for id, name in names.items()}
    for what, (query, expected) in SEARCHES.items():
        found = one.get(f"/messages?{query.format(**ids)}")["messages"]
        assert [names[each["id"]] for each in found] == expected, what


def test_raw_can_be_checked(desk: Callable[..., Desk], tmp_path: Path) -> None:
    """The octets of a request come with its head, without credentials, and ``check`` reads them."""
    one = desk()
    one.room.submitted(ASKING)
    answer = one.client.get(f"{API}/messages/latest/raw")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="request-0.http"'
    head, _, body = answer.content.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /mm7 HTTP/1.1\r\n")
    assert b"authorization" not in head.lower()
    assert b"\r\nContent-Length: %d" % len(body) in head
    file = tmp_path / "download.http"
    file.write_bytes(answer.content)
    checked = CliRunner().invoke(main, ["check", "--format", "json", str(file)])
    assert checked.exit_code == 0, checked.output
    [found] = json.loads(checked.stdout)["files"]
    assert (found["verdict"], found["operation"], found["parts"][0]["size"]) == ("accept", "SubmitReq", 5)


def test_raw_of_a_replacement(desk: Callable[..., Desk]) -> None:
    """A message has as many requests as there were; one more is not there."""
    one = desk()
    one.room.submitted()
    assert one.client.get(f"{API}/messages/latest/raw?n=0").status_code == 200
    assert "no request 1" in one.get("/messages/latest/raw?n=1", 404)["error"]


PARTS = {
    "image by its octets": (Part(body=GIF, content_type="text/html"), "inline", "image/gif", "part-000.gif"),
    "sound": (Part(body=b"#!AMR\nxx", content_type="audio/amr"), "inline", "audio/amr", "part-000.amr"),
    "film": (
        Part(body=b"\0\0\0\x18ftyp3gp5xxxx", content_type="video/3gpp"), "inline", "video/3gpp", "part-000.3gp",
    ),
    "text": (Part(body=b"hi", content_type="text/plain"), "attachment", "application/octet-stream", "part-000.txt"),
    "script in a picture": (
        Part(body=SVG, content_type="image/svg+xml"), "attachment", "application/octet-stream", "part-000.svg",
    ),
    "page that is called a picture": (
        Part(body=b"<html><script>x</script>", content_type="image/png"), "attachment", "application/octet-stream",
        "part-000.png",
    ),
    "unknown type, bad name": (
        Part(body=b"x", content_type="x/y", name='../../"x'), "attachment", "application/octet-stream", "part-000.bin",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("part", "kind", "content_type", "name"), PARTS.values(), ids=PARTS.keys())
def test_parts_are_harmless(desk: Callable[..., Desk], part: Part, kind: str, content_type: str, name: str) -> None:
    """A part is what its octets show, or a download; no page can use it and no script in it runs."""
    one = desk()
    id = one.room.submitted(replace(SUBMIT, parts=(part,)))
    answer = one.client.get(f"{API}/messages/{id}/parts/0")
    assert answer.content == part.read()
    assert answer.headers["content-type"] == content_type
    assert answer.headers["content-disposition"] == f'{kind}; filename="{name}"'
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def test_generated_presentation_is_a_part(desk: Callable[..., Desk]) -> None:
    """Several parts without a presentation have one as the last, told as generated; one more is not there."""
    one = desk()
    parts = (*SUBMIT.parts, Part(body=GIF, content_type="image/gif"))
    one.room.submitted(replace(SUBMIT, parts=parts), profile=replace(CALLED.request_profile, smil="never"))
    parts = one.get("/messages/latest")["parts"]
    assert [part["generated"] for part in parts] == [False, False, True]
    answer = one.client.get(f"{API}/messages/latest/parts/2")
    assert b"<smil" in answer.content
    assert answer.headers["content-disposition"] == 'attachment; filename="part-002.smil"'
    assert "3 parts" in one.get("/messages/latest/parts/3", 404)["error"]


@BOTH
def test_deleted(desk: Callable[..., Desk]) -> None:
    """A deleted message is gone with its calls; not by the name latest, and not while a call of it is being made."""
    one = desk()
    id = one.post("/deliver", {"application": "tnn", "from": "+61499", "to": "111122"})["id"]
    assert "by its id" in one.client.request("DELETE", f"{API}/messages/latest").json()["error"]
    _, [call] = one.room.gateway.dispatcher.run_once()
    refused = one.client.request("DELETE", f"{API}/messages/{id}")
    assert (refused.status_code, refused.headers["retry-after"]) == (409, "5")
    one.room.gateway.dispatcher.attempt(call)
    one.room.gateway.run_pending()
    gone = one.client.request("DELETE", f"{API}/messages/{id}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert one.client.request("DELETE", f"{API}/messages/{id}").status_code == 404
    assert one.get("/messages")["messages"] == []
    assert one.get("/callbacks")["callbacks"] == []


# --- the next one -----------------------------------------------------------------------------------------------------


def test_wait_finds_what_is_there(desk: Callable[..., Desk]) -> None:
    """What fits already is answered at once, the newest of several; a time since when narrows it down."""
    one = desk()
    one.room.submitted()
    newest = one.room.submitted(ASKING)
    found = one.get("/wait?to=+61400&timeout=0")
    fits(found, "WholeMessage")
    assert found["id"] == newest
    for since in ("2026-03-01T12:00:00Z", "2026-03-01T13:00:00+01:00", one.room.clock()):
        assert one.get("/wait?subject=SALE&timeout=0", params={"since": since})["id"] == newest
    for since in ("2026-03-01T12:00:01Z", "2026-03-02", "2026-03-01T12:00:00-01:00", one.room.clock() + 1):
        assert "within 0 s" in one.get("/wait", 404, params={"timeout": 0, "since": since})["error"]
    assert one.get("/wait?since=2026-03-01T13:00:00+01:00&timeout=0")["id"] == newest


def test_wait_delays_nobody(desk: Callable[..., Desk]) -> None:
    """Those who wait are answered when their message comes; others are served meanwhile."""
    one = desk()

    async def play() -> list[httpx.Response]:
        transport = httpx.ASGITransport(admin_app(one.room.gateway, clock=one.room.clock))
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
            path = f"{API}/wait?to=%2B61400&timeout=20"
            waiting = [asyncio.create_task(client.get(path)) for _ in range(50)]
            await asyncio.sleep(0.3)
            begun = time.monotonic()
            assert (await client.get("/livez")).status_code == 200
            assert (await client.get(f"{API}/messages")).json()["messages"] == []
            assert time.monotonic() - begun < 5
            assert not any(one.done() for one in waiting)
            await asyncio.to_thread(one.room.submitted)
            return await asyncio.gather(*waiting)

    assert {(found.status_code, found.json()["to"][0]) for found in asyncio.run(play())} == {(200, "+61400")}


def test_many_waiters_look_less_often(desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait, together they look no oftener than a bounded number of times a second."""
    one = desk()
    looks = 0
    found = search.found

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal looks
        looks += 1
        return found(*arguments, **options)

    monkeypatch.setattr(search, "found", counted)
    monkeypatch.setattr(messages, "LOOKS", 20)

    async def play() -> set[int]:
        transport = httpx.ASGITransport(admin_app(one.room.gateway, clock=one.room.clock))
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
            answers = await asyncio.gather(*(client.get(f"{API}/wait?timeout=0.5") for _ in range(20)))
            return {found.status_code for found in answers}

    assert asyncio.run(play()) == {404}
    assert 20 <= looks <= 20 * 2  # the first, and the one at the end; unbounded it would be 6 each


def test_wait_ends(desk: Callable[..., Desk]) -> None:
    """Nobody waits longer than asked for, nor for a gateway that is stopping."""
    one = desk()
    begun = time.monotonic()
    assert "within 0.25 s" in one.get("/wait?timeout=0.25", 404)["error"]
    assert 0.25 <= time.monotonic() - begun < 5
    threading.Timer(0.15, one.room.gateway.dispatcher.stop).start()
    assert "stopping" in one.get("/wait?timeout=60", 503)["error"]
    assert time.monotonic() - begun < 10


# --- what is done -----------------------------------------------------------------------------------------------------


def test_deliver(desk: Callable[..., Desk]) -> None:
    """An MO with texts and parts reaches its application; its id and that of its call are answered."""
    one = desk()
    told = one.post(
        "/deliver",
        {
            "application": "tnn",
            "from": "+61499",
            "to": "111122",
            "subject": "hé",
            "text": ["one", "two"],
            "parts": [
                {"data": base64.b64encode(GIF).decode(), "name": "x.gif"},
                {"data": "aGk=", "content_type": "text/plain; charset=utf-8", "content_id": "a@b"},
            ],
        },
    )
    fits(told, "Delivered")
    one.room.gateway.run_pending()
    [(url, message)] = one.room.calls.made
    assert isinstance(message, DeliverReq)
    assert (url, message.linked_id, message.subject) == ("http://tnn/mo", told["id"], "hé")
    labels = [(part.content_type, part.charset, part.read()) for part in message.parts if part.size < 20]
    assert labels == [
        ("text/plain", "utf-8", b"one"),
        ("text/plain", "utf-8", b"two"),
        ("image/gif", None, GIF),
        ("text/plain", "utf-8", b"hi"),
    ]
    call = one.get(f"/callbacks/{told['callback']}")
    fits(call, "WholeCallback")
    assert (call["message_id"], call["state"], call["attempts"]) == (told["id"], "done", 1)
    assert one.get(f"/messages/{told['id']}")["state"] == "Delivered"


@pytest.mark.parametrize(
    ("octets", "kind", "name", "label"),
    [
        ("Größe".encode(), "text/plain", None, "utf-8"),
        ("Größe".encode(), None, "a.txt", "utf-8"),
        ("Größe".encode("utf-16"), None, "a.txt", "utf-16"),
        ("Größe".encode("latin-1"), "text/plain; charset=iso-8859-1", None, "iso-8859-1"),
        ("Größe".encode("latin-1"), "text/plain; charset=latin1", None, "iso-8859-1"),
        ("Größe".encode("latin-1"), "text/plain", None, None),
        ("Größe".encode("latin-1"), None, "a.txt", None),
        ("Größe".encode("latin-1"), "text/plain; charset=utf-8", None, None),
        ("Größe".encode(), "text/x-vcard; charset=us-ascii", None, None),
        (b"hi", "text/plain; charset=klingon", None, None),
        ("<smil><body/><!--ö--></smil>".encode("latin-1"), "application/smil", None, None),
        (GIF, "image/gif; charset=klingon", None, "klingon"),
    ],
)
def test_texts_of_a_handset(
    desk: Callable[..., Desk], octets: bytes, kind: str | None, name: str | None, label: str | None
) -> None:
    """A text is labelled with what it is in; where its octets do not say, or the label is not true, that is refused."""
    one = desk()
    given = {"data": base64.b64encode(octets).decode(), "content_type": kind, "name": name}
    part = {key: value for key, value in given.items() if value is not None}
    body = {"application": "tnn", "from": "+61499", "to": "111122", "parts": [part]}
    told = one.post("/deliver", body, 400 if label is None else 202)
    if label is None:
        assert "parts[0].data" in told["error"]
        return
    one.room.gateway.run_pending()
    [(_, message)] = one.room.calls.made
    assert [(part.charset, part.read()) for part in message.parts] == [(label, octets)]


@pytest.mark.parametrize("kind", ["application/octet-stream", "text/plain", "application/smil"])
def test_a_presentation_is_not_added_twice(desk: Callable[..., Desk], kind: str) -> None:
    """SMIL that is labelled as nothing is the presentation: of an MO, and of a submit as a handset has it."""
    one = desk()
    show = b'<smil><body><par><text src="cid:a@x"/></par></body></smil>'
    text = Part(body=b"tide", content_type="text/plain", parameters=(("charset", "utf-8"),), content_id="a@x")
    smil = Part(body=show, content_type=kind, content_id="s@x")
    wire = exchange.pack(replace(SUBMIT, parts=(smil, text)))
    body = wire.read().replace(b"Content-Type: application/smil", b"Content-Type: " + kind.encode())
    answer = one.room.gateway.answer(replace(wire, body=body, headers=(*wire.headers, basic("tnn"))), peer=None)
    message_id = exchange.unpack(answer).message.message_id  # type: ignore[attr-defined]
    assert [part.read() for part in one.room.gateway.simulator.retrieved(message_id)] == [show, b"tide"]
    parts = [
        {"data": base64.b64encode(show).decode(), "content_type": kind, "content_id": "s@x"},
        {"data": "dGlkZQ==", "content_type": "text/plain", "content_id": "a@x"},
    ]
    one.post("/deliver", {"application": "tnn", "from": "+61499", "to": "111122", "parts": parts})
    one.room.gateway.run_pending()
    [(_, message)] = one.room.calls.made
    assert sorted(part.read() for part in message.parts) == [show, b"tide"]


def test_report_and_read(desk: Callable[..., Desk]) -> None:
    """A report and a read reply go out on request, also where the submit asked for none; told is who has a callback."""
    one = desk()
    id = one.room.submitted(ASKING)
    fits(one.post(f"/messages/{id}/report", {"recipient": "+61411", "status": "Rejected", "text": "no"}), "Reported")
    assert one.post(f"/messages/{id}/read", {"recipient": "+61411", "status": "Deleted"}) == {"told": True}
    assert one.post(f"/messages/{id}/read", {"recipient": "+61411"}) == {"told": True}
    one.room.gateway.run_pending()
    reports = {one.recipient.value: one for one in one.room.calls.of(DeliveryReportReq)}
    assert (reports["+61411"].mm_status, reports["+61411"].status_text) == ("Rejected", "no")
    told = [each.mm_status for each in one.room.calls.of(ReadReplyReq) if each.recipient.value == "+61411"]
    assert sorted(told) == ["Deleted", "Read"]
    quiet = one.room.submitted()
    assert one.post(f"/messages/{quiet}/read", {"recipient": "+61400"}) == {"told": True}
    one.post(f"/messages/{quiet}/report", {"recipient": "+61400", "status": "Forwarded"})
    one.room.gateway.run_pending()
    last = [each for _, each in one.room.calls.made if each.message_id == quiet]
    assert sorted(each.mm_status for each in last) == ["Forwarded", "Read"]


def test_chaos(desk: Callable[..., Desk]) -> None:
    """Trouble is made as long as there is a rule for it."""
    one = desk()
    assert one.get("/chaos") == {"rules": []}
    told = one.post("/chaos", {"rules": [{"mm7_status": 3001, "operation": "SubmitReq"}]}, 200, "PUT")
    fits(told, "Chaos")
    assert told == one.get("/chaos")
    assert [(rule["mm7_status"], rule["probability"]) for rule in told["rules"]] == [(3001, 1.0)]
    assert one.post("/chaos", {"rules": []}, 200, "PUT") == {"rules": []}


@BOTH
def test_opt_outs(desk: Callable[..., Desk]) -> None:
    """They are listed, the newest first, by whatever form of a number; an operator adds and removes some."""
    german = replace(OTHER, numbers="DE", opt_out=OptOut())
    one = desk(replace(CALLED, short_codes=("111122", "444"), opt_out=OptOut()), german)
    mo = one.post("/deliver", {**MO, "from": "+61 412 345 678", "text": "Stop."})["id"]
    added = one.post("/opt-outs", {"number": "333", "subscriber": "0151 12345678"}, 200)
    fits(added, "Added")
    [first] = added["opt_outs"]
    told = one.get("/opt-outs")
    fits(told, "OptOuts")
    common = {"since": "2026-03-01T12:00:00.000Z", "confirmed_at": None}
    assert told == {
        "opt_outs": [
            first,
            {
                "id": 1, "number": "111122", "subscriber": "61412345678", "application": "tnn", "word": "Stop.",
                "message_id": mo, **common,
            },
        ],
        "next": None,
    }  # fmt: skip
    assert first == {
        "id": 2, "number": "333", "subscriber": "4915112345678", "application": "other", "word": None,
        "message_id": None, **common,
    }  # fmt: skip
    assert one.post("/opt-outs", {"number": "333", "subscriber": "+49 151 12345678"}, 200) == added
    assert one.get("/opt-outs?subscriber=0151%2012345678") == one.get("/opt-outs?application=other") == {
        "opt_outs": [first], "next": None,
    }  # fmt: skip
    assert one.get("/opt-outs?number=333&subscriber=+61412345678")["opt_outs"] == []
    page = one.get("/opt-outs?limit=1")
    assert page["opt_outs"] == [first]
    assert one.get(f"/opt-outs?before={page['next']}")["opt_outs"][0]["id"] == 1
    assert one.room.code(replace(SUBMIT, to=(Number("61412345678"),))) == 2610
    assert one.client.request("DELETE", f"{API}/opt-outs?number=111122&subscriber=+61412345678").json() == {
        "removed": 1
    }
    assert one.room.code(replace(SUBMIT, to=(Number("61412345678"),))) == 1000


@BOTH
def test_opt_outs_of_all_numbers(desk: Callable[..., Desk]) -> None:
    """``*`` is all numbers of an application, as a STOPALL means; some or all are taken back."""
    one = desk(replace(CALLED, short_codes=("111122", "444"), opt_out=OptOut()), OTHER)
    everything = {"number": "*", "subscriber": "+61400", "application": "tnn"}
    added = one.post("/opt-outs", everything, 200)["opt_outs"]
    assert [row["number"] for row in added] == ["*", "111122", "444"]
    assert len(one.get("/opt-outs?number=*")["opt_outs"]) == 1
    take = f"{API}/opt-outs?subscriber=+61400&number="
    assert one.client.request("DELETE", f"{take}444").json() == {"removed": 2}
    assert [row["number"] for row in one.get("/opt-outs")["opt_outs"]] == ["111122"]
    one.post("/opt-outs", everything, 200)
    assert one.client.request("DELETE", f"{take}*&application=tnn").json() == {"removed": 3}
    assert one.get("/opt-outs")["opt_outs"] == []


def test_applications(desk: Callable[..., Desk]) -> None:
    """Applications are told without passwords, neither their own nor ours in their URLs."""
    inside = replace(CALLED, callback=Callback(deliver="http://u:hunter2@tnn/mo", username="x", password="hunter3"))
    one = desk(inside, SILENT)
    found = one.get("/applications")
    fits(found, "Applications")
    assert [each["name"] for each in found["applications"]] == ["tnn", "silent"]
    assert found["applications"][0]["callback"] == {"deliver": "http://tnn/mo", "report": "http://tnn/mo"}
    assert found["applications"][1]["callback"] is None
    assert "hunter" not in json.dumps(found)


# --- calls ------------------------------------------------------------------------------------------------------------


@BOTH
def test_dead_call_is_replayed(desk: Callable[..., Desk]) -> None:
    """A dead letter is told with its reason, and made again under its TransactionID by id, endpoint or time."""
    one = desk()
    one.room.calls.refuse = StatusError(2001, "no")
    said = {"application": "tnn", "from": "+61499", "to": "111122"}
    id = one.post("/deliver", said)["callback"]
    one.room.gateway.run_pending()
    [dead] = one.get("/callbacks?state=dead")["callbacks"]
    fits(dead, "Callback")
    assert (dead["id"], dead["endpoint"], dead["attempts"]) == (id, "http://tnn/mo", 1)
    assert "2001" in dead["reason"]
    for path, body in (
        (f"/callbacks/{id}/replay", None),
        ("/callbacks/replay", {"endpoint": "http://tnn/mo"}),
        ("/callbacks/replay", {"since": "2026-03-01T12:00:00Z"}),
        ("/callbacks/replay", {"since": one.room.clock(), "endpoint": "http://tnn/mo"}),
    ):
        told = one.post(path, body)
        assert told.get("replayed", 1) == 1
        [waits] = one.get("/callbacks?state=ready&application=tnn")["callbacks"]
        assert (waits["id"], waits["attempts"], waits["ended_at"]) == (id, 0, None)
        one.room.gateway.run_pending()
    assert one.post("/callbacks/replay", {"since": one.room.clock() + 1}) == {"replayed": 0}
    assert one.post("/callbacks/replay", {"endpoint": "http://tnn/other"}) == {"replayed": 0}
    one.room.calls.refuse = None
    fits(one.post(f"/callbacks/{id}/replay"), "Callback")
    one.room.gateway.run_pending()
    assert one.get(f"/callbacks/{id}")["state"] == "done"
    assert len(set(one.room.calls.ids)) == 1
    assert len(one.room.calls.ids) == 6


def test_call_under_way_is_not_replayed(desk: Callable[..., Desk]) -> None:
    """A call that is being made waits, says so, and cannot be replayed."""
    one = desk()
    id = one.post("/deliver", {"application": "tnn", "from": "+61499", "to": "111122"})["callback"]
    one.room.gateway.dispatcher.run_once()
    [found] = one.get("/callbacks?state=ready")["callbacks"]
    assert (found["state"], found["under_way"]) == ("ready", True)
    assert "being made now" in one.post(f"/callbacks/{id}/replay", None, 409)["error"]


def test_secrets_of_callback_urls(desk: Callable[..., Desk]) -> None:
    """No answer shows the secret of a callback's URL; under its shown form an endpoint is resumed and replayed."""
    secret = "http://u:whisper@tnn/mo?lang=de&sig=whisper"
    shown = "http://tnn/mo?lang=de&sig=***"
    called = replace(CALLED, callback=Callback(deliver=secret, username="x", password="y"))
    one = desk(called)
    one.room.calls.refuse = AuthError(f"401 from {secret}", http_status=401)
    one.post("/deliver", {"application": "tnn", "from": "+61499", "to": "111122"})
    one.room.gateway.run_pending()
    [call] = one.get("/callbacks?state=paused")["callbacks"]
    assert call["endpoint"] == shown
    paths = ("/callbacks", f"/callbacks/{call['id']}", "/endpoints", "/applications")
    answers = [json.dumps(one.get(path)) for path in paths]
    assert not [answer for answer in answers if "whisper" in answer]
    assert shown in one.get("/applications")["applications"][0]["callback"]["deliver"]
    assert one.post("/endpoints/resume", {"endpoint": shown}, 200) == {"resumed": 1}
    one.room.calls.refuse = LocalError(f"cannot go to {secret}")
    one.room.gateway.run_pending()
    [dead] = one.get("/callbacks?state=dead")["callbacks"]
    assert "whisper" not in json.dumps(dead)
    one.room.calls.refuse = None
    assert one.post("/callbacks/replay", {"endpoint": shown}) == {"replayed": 1}
    one.room.gateway.run_pending()
    assert one.room.calls.made[-1][0] == secret


@BOTH
def test_an_endpoint_is_paused_on_purpose(desk: Callable[..., Desk]) -> None:
    """What is planned for it waits, and is made once it is resumed; the other application's calls go on."""
    one = desk()
    body = {"endpoint": "http://tnn/mo", "application": "tnn", "reason": "we deploy"}
    assert "no call has gone to" in one.post("/endpoints/pause", body, 404)["error"]
    one.post("/deliver", {"application": "tnn", "from": "+61499", "to": "111122"})
    assert "no call has gone to" in one.post("/endpoints/pause", {**body, "application": "other"}, 404)["error"]
    paused = one.post("/endpoints/pause", body, 200)
    fits(paused, "Paused")
    assert paused == {"paused": 1}
    one.post("/deliver", {"application": "other", "from": "+61499", "to": "333"})
    one.room.clock.move(minutes=1)
    one.room.gateway.run_pending()
    assert [url for url, _ in one.room.calls.made] == ["http://other/mo"]
    [endpoint] = one.get("/endpoints")["endpoints"]
    assert (endpoint["reason"], endpoint["since"]) == ("we deploy", "2026-03-01T12:00:00.000Z")
    assert one.post("/endpoints/pause", {"endpoint": "http://tnn/mo"}, 200) == {"paused": 1}
    assert one.get("/endpoints")["endpoints"][0]["reason"] == "paused by operator"
    assert one.post("/endpoints/resume", {"endpoint": "http://tnn/mo"}, 200) == {"resumed": 1}
    one.room.gateway.run_pending()
    assert one.room.calls.made[-1][0] == "http://tnn/mo"


@BOTH
def test_paused_endpoint(desk: Callable[..., Desk]) -> None:
    """Calls to a paused endpoint are told as paused, the endpoint with its reason; resumed, they are made."""
    one = desk()
    one.room.calls.refuse = AuthError("401: nobody", http_status=401)
    one.post("/deliver", {"application": "tnn", "from": "+61499", "to": "111122"})
    one.room.gateway.run_pending()
    [call] = one.get("/callbacks?state=paused")["callbacks"]
    assert (call["state"], one.get("/callbacks?state=ready")["callbacks"]) == ("paused", [])
    found = one.get("/endpoints")
    fits(found, "Endpoints")
    [endpoint] = found["endpoints"]
    assert (endpoint["endpoint"], endpoint["application"]) == ("http://tnn/mo", "tnn")
    assert endpoint["since"] == "2026-03-01T12:00:00.000Z"
    assert "401" in endpoint["reason"]
    one.room.calls.refuse = None
    for body in ({"endpoint": "http://tnn/"}, {"endpoint": "http://tnn/mo", "application": "other"}):
        assert "no endpoint of that URL" in one.post("/endpoints/resume", body, 404)["error"]
    assert one.post("/endpoints/resume", {"endpoint": "http://tnn/mo", "application": "tnn"}, 200) == {"resumed": 1}
    one.room.gateway.run_pending()
    assert one.get("/callbacks?state=done")["callbacks"][0]["id"] == call["id"]
    assert one.get("/endpoints") == {"endpoints": []}


def test_calls_in_pages(desk: Callable[..., Desk]) -> None:
    """Calls are narrowed down by message and application, and come in pages."""
    one = desk()
    ids = [one.post("/deliver", {"application": "tnn", "from": "+61499", "to": "111122"})["id"] for _ in range(3)]
    page = one.get("/callbacks?limit=2")
    fits(page, "Callbacks")
    assert [call["message_id"] for call in page["callbacks"]] == ids[:0:-1]
    rest = one.get(f"/callbacks?limit=2&before={page['next']}")
    assert [call["message_id"] for call in rest["callbacks"]] == ids[:1]
    assert rest["next"] is None
    assert len(one.get(f"/callbacks?message={ids[1]}")["callbacks"]) == 1
    assert one.get("/callbacks?application=other")["callbacks"] == []


def test_answer_of_a_failure(desk: Callable[..., Desk]) -> None:
    """What was answered to a dead call is told as text, whatever octets it was."""
    one = desk()
    id = one.post("/deliver", {"application": "tnn", "from": "+61499", "to": "111122"})["callback"]
    _, [call] = one.room.gateway.dispatcher.run_once()
    with one.room.gateway.database.write() as connection:
        outbox.dead_letter(connection, call, one.room.clock(), reason="x", http_status=400, answer=b"<no>\xff\x00")
    found = one.get(f"/callbacks/{id}")
    assert (found["answer"], found["http_status"]) == ("<no>\ufffd\0", 400)


# --- health -----------------------------------------------------------------------------------------------------------


def test_health(desk: Callable[..., Desk]) -> None:
    """It lives; it is ready until it stops, and says why it is not."""
    one = desk()
    assert one.client.get("/livez").json() == {"status": "alive"}
    assert one.client.get("/readyz").json() == {"status": "ready"}
    one.room.gateway.dispatcher.stop()
    answer = one.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "reasons": ["it is stopping"]}
    assert one.client.get("/livez").status_code == 200


def test_metrics(desk: Callable[..., Desk]) -> None:
    """The counts are there, in the form of Prometheus."""
    one = desk()
    one.room.submitted()
    answer = one.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'mm7_kept_messages{direction="mt"} 1.0' in answer.text


def test_front_page(desk: Callable[..., Desk]) -> None:
    """The inbox is the front page; every link in it leads somewhere."""
    one = desk()
    with closing(AsgiClient(listener_app(one.room.gateway, clock=one.room.clock))) as client:
        answer = client.get("/")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        links = {html.unescape(link) for link in re.findall(r'(?:href|src)="([^"#]+)"', answer.text)}
        assert {f"{API}/openapi.json", "/compose", "/callbacks", "/chaos", "/readyz", "/metrics"} <= links
        assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


# --- refusals ---------------------------------------------------------------------------------------------------------

MO = {"application": "tnn", "from": "+61499", "to": "111122"}
HUGE = "9" * 5000
REFUSED: dict[str, tuple[str, str, Any, int, str]] = {
    "no such path": ("GET", "/nothing", None, 404, "openapi.json"),
    "a slash too many": ("GET", "/messages/", None, 404, "openapi.json"),
    "wrong method": ("PUT", "/messages", None, 405, "Allow"),
    "unknown message": ("GET", "/messages/abc", None, 404, "no message has that id"),
    "no message yet": ("GET", "/messages/latest", None, 404, "no message has been kept yet"),
    "NUL in an id": ("GET", "/messages/%00", None, 404, "control character"),
    "unknown parameter": ("GET", "/messages?aplication=tnn", None, 400, "it takes application, direction"),
    "parameter where none is": ("GET", "/chaos?x=1", None, 400, "it takes none"),
    "parameter twice": ("GET", "/messages?to=1&to=2", None, 400, "to is given twice"),
    "parameter empty": ("GET", "/messages?to=", None, 400, "to is empty"),
    "limit no number": ("GET", "/messages?limit=ten", None, 400, 'limit is "ten"; give a whole number'),
    "limit zero": ("GET", "/messages?limit=0", None, 400, "limit is 0; give something from 1 to 500"),
    "limit too large": ("GET", "/messages?limit=501", None, 400, "from 1 to 500"),
    "before beyond a column": ("GET", f"/messages?before={2**63}", None, 400, "before is"),
    "before beyond reason": ("GET", f"/messages?before={HUGE}", None, 400, "before is"),
    "unknown direction": ("GET", "/messages?direction=out", None, 400, "give one of mt, mo"),
    "unknown state": ("GET", "/messages?state=Delivred", None, 400, "give one of Pending"),
    "NUL in a search": ("GET", "/messages?q=%00", None, 400, "q holds the control character"),
    "timeout too long": ("GET", "/wait?timeout=301", None, 400, "from 0 to 300"),
    "timeout no number": ("GET", "/wait?timeout=nan", None, 400, "give a number"),
    "no time": ("GET", "/wait?since=yesterday", None, 400, "give ISO 8601"),
    "part no number": ("GET", "/messages/x/parts/one", None, 404, "n is"),
    "part beyond a column": ("GET", f"/messages/x/parts/{2**31}", None, 404, "n is"),
    "raw beyond a column": ("GET", f"/messages/x/raw?n={2**31}", None, 400, "n is"),
    "unknown call": ("GET", "/callbacks/1", None, 404, "no callback has that id"),
    "call no number": ("GET", "/callbacks/x", None, 404, "id is"),
    "call beyond a column": ("GET", f"/callbacks/{HUGE}", None, 404, "id is"),
    "unknown call state": ("GET", "/callbacks?state=lost", None, 400, "ready, done, dead, paused"),
    "replay of nothing": ("POST", "/callbacks/1/replay", None, 404, "no callback has that id"),
    "replay of all": ("POST", "/callbacks/replay", {}, 400, "neither endpoint nor since"),
    "replay since when": ("POST", "/callbacks/replay", {"since": "x"}, 400, "since is"),
    "replay with a slip": ("POST", "/callbacks/replay", {"endpiont": "x"}, 400, "it takes endpoint, since"),
    "body where none is": ("POST", "/callbacks/1/replay", {"x": 1}, 400, "it takes none"),
    "no object": ("POST", "/deliver", [], 400, "the body is a list; give an object"),
    "nothing said": ("PUT", "/handsets", {}, 400, "the body lacks handsets"),
    "no application": ("POST", "/deliver", {}, 400, "the body lacks application"),
    "no handset": ("POST", "/deliver", {"application": "tnn"}, 400, "the body lacks from"),
    "number for text": ("POST", "/deliver", {**MO, "subject": 7}, 400, "subject is 7; give a string or null"),
    "number for texts": ("POST", "/deliver", {**MO, "text": 7}, 400, "text is 7; give a string or a list or null"),
    "NUL in the text": ("POST", "/deliver", {**MO, "text": "a\0"}, 400, "text holds the control character"),
    "number among texts": ("POST", "/deliver", {**MO, "text": ["a", 7]}, 400, "text[1] is 7; give a string"),
    "nothing for an address": ("POST", "/deliver", {**MO, "from": ""}, 400, "from is empty"),
    "truth for a number": ("PUT", "/chaos", {"rules": [{"delay": True}]}, 400, "rules[0].delay is true"),
    "unknown application": ("POST", "/deliver", {**MO, "application": "x"}, 400, "no application 'x'"),
    "no callback": ("POST", "/deliver", {**MO, "application": "silent"}, 409, "has no callback"),
    "line break in an address": ("POST", "/deliver", {**MO, "from": "+1\r\nx"}, 400, "control character '\\r'"),
    "line break in a subject": ("POST", "/deliver", {**MO, "subject": "a\nb"}, 400, "control character '\\n'"),
    "NUL in a text": ("POST", "/deliver", {**MO, "text": ["a\0"]}, 400, "text[0] holds the control character"),
    "no base64": ("POST", "/deliver", {**MO, "parts": [{"data": "?"}]}, 400, "parts[0].data is no base64"),
    "no octets": ("POST", "/deliver", {**MO, "parts": [{}]}, 400, "parts[0] lacks data"),
    "no type": ("POST", "/deliver", {**MO, "parts": [{"data": "", "content_type": "x"}]}, 400, "content_type is no"),
    "many parts in one": (
        "POST", "/deliver", {**MO, "parts": [{"data": "", "content_type": "multipart/mixed"}]}, 400, "of one part",
    ),
    "line break in a name": (
        "POST", "/deliver", {**MO, "parts": [{"data": "", "name": "a\r\nX: y"}]}, 400, "control character",
    ),
    "report on nothing": ("POST", "/messages/x/report", {"recipient": "+1", "status": "Expired"}, 404, "no message"),
    "report of what": ("POST", "/messages/x/report", {"recipient": "+1", "status": "Lost"}, 400, "give one of"),
    "read by whom": ("POST", "/messages/x/read", {"recipient": ""}, 400, "recipient"),
    "opt-out of no number": ("POST", "/opt-outs", {"number": "999", "subscriber": "+61"}, 400, "no short code of an"),
    "opt-out of what": ("POST", "/opt-outs", {"number": "111122"}, 400, "lacks subscriber: a number as"),
    "opt-out of all of whom": ("POST", "/opt-outs", {"number": "*", "subscriber": "+61"}, 400, "application: give its"),
    "opt-out of nobody": (
        "POST", "/opt-outs", {"number": "*", "subscriber": "+61", "application": "x"}, 400, "no application 'x'",
    ),
    "opt-out that nobody goes by": (
        "POST", "/opt-outs", {"number": "111122", "subscriber": "+61"}, 409, "'tnn' goes by no opt-outs: give it",
    ),
    "opt-out with a blank for a number": ("POST", "/opt-outs", {"number": "111122", "subscriber": " "}, 409, "goes by"),
    "opt-out in of nobody": ("DELETE", "/opt-outs?number=111122&subscriber=+61", None, 404, "has not opted out there"),
    "opt-out in of what": ("DELETE", "/opt-outs?number=111122", None, 400, "lacks subscriber"),
    "opt-out in of a blank": ("DELETE", "/opt-outs?number=111122&subscriber=%20", None, 400, "an address is empty"),
    "opt-outs of whom": ("GET", "/opt-outs?number=%20", None, 400, "number: an address is empty"),
    "unknown trouble": ("PUT", "/chaos", {"rules": [{"boom": 1}]}, 400, "rules[0] has a member"),
    "too much trouble": ("PUT", "/chaos", {"rules": [{"http_status": 200}]}, 400, "rules[0].http_status is 200"),
    "trouble that is no list": ("PUT", "/chaos", {"rules": {}}, 400, "rules is a dict; give a list"),
    "trouble that is no object": ("PUT", "/chaos", {"rules": ["x"]}, 400, 'rules[0] is "x"; give an object'),
    "trouble with a slip": (
        "PUT", "/chaos", {"rules": [{}, {"probabilty": 1}]}, 400,
        'rules[1] has a member "probabilty" that is not known; it takes probability',
    ),
    "a text for seconds": ("PUT", "/chaos", {"rules": [{"delay": "1"}]}, 400, 'rules[0].delay is "1"; give a number'),
    "too sure": ("PUT", "/chaos", {"rules": [{"probability": 1.5}]}, 400, "give something from 0 to 1"),
    "trouble too long": ("PUT", "/chaos", {"rules": [{"delay": 1e9}]}, 400, "give something from 0 to 300"),
    "no such code": ("PUT", "/chaos", {"rules": [{"mm7_status": 7}]}, 400, "give something from 1000 to 9999"),
    "no time of trouble": ("PUT", "/chaos", {"rules": [{"when": "never"}]}, 400, "give one of before, after"),
    "NUL in trouble": ("PUT", "/chaos", {"rules": [{"operation": "\0"}]}, 400, "rules[0].operation holds a control"),
}  # fmt: skip


@BOTH
def test_refusals(desk: Callable[..., Desk]) -> None:
    """What is wrong is answered with its status and, in JSON, with what it is and what to write instead."""
    one = desk()
    for what, (method, path, body, status, words) in REFUSED.items():
        answer = one.client.request(method, API + path, json=body)
        assert answer.status_code == status, (what, answer.text)
        told = answer.json()
        fits(told, "Error")
        assert words in told["error"], (what, told)
        assert len(answer.content) < 500, what
    assert one.room.messages == []


def test_recipient_that_is_none(desk: Callable[..., Desk]) -> None:
    """A report on somebody who is no recipient is told apart from one on no message."""
    one = desk()
    id = one.room.submitted()
    assert (
        "no such recipient"
        in one.post(f"/messages/{id}/report", {"recipient": "+1", "status": "Expired"}, 404)["error"]
    )
    assert "no such recipient" in one.post(f"/messages/{id}/read", {"recipient": "+1"}, 404)["error"]
    mo = one.post("/deliver", MO)["id"]
    assert "no message to handsets" in one.post(f"/messages/{mo}/read", {"recipient": "111122"}, 404)["error"]


BODIES: dict[str, tuple[dict[str, str], bytes, int, str]] = {
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=b", 415, "application/json"),
    "text": ({"Content-Type": "text/plain"}, b"{}", 415, "application/json"),
    "no type": ({}, b"{}", 415, "application/json"),
    "compressed": ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, b"{}", 415, "Content-Encoding"),
    "nothing": ({"Content-Type": "application/json"}, b"", 400, "the body is no JSON"),
    "cut short": ({"Content-Type": "application/json"}, b'{"a": ', 400, "the body is no JSON"),
    "no UTF-8": ({"Content-Type": "application/json"}, b'{"a": "\xff"}', 400, "the body is no JSON"),
    "no number": ({"Content-Type": "application/json"}, b'{"rules": [{"delay": NaN}]}', 400, "NaN is no number"),
    "deep": ({"Content-Type": "application/json"}, b"[" * 100_000, 400, "nested too deeply"),
    "half a character": ({"Content-Type": "application/json"}, rb'{"rules": "\ud800"}', 400, "give a list"),
    "too long": ({"Content-Type": "application/json"}, b" " * (rest_request.MOST + 1), 413, "15728640 octets"),
}  # fmt: skip


def test_bodies(desk: Callable[..., Desk]) -> None:
    """A body that is not JSON, or too much of it, is refused before anything is done."""
    one = desk()
    for what, (headers, body, status, words) in BODIES.items():
        answer = one.client.request("PUT", f"{API}/chaos", content=body, headers=headers)
        assert (answer.status_code, words in answer.json()["error"]) == (status, True), (what, answer.text)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/deliver", {f"k{n}": 0 for n in range(100_000)}),
        ("POST", "/deliver", {**MO, "parts": [{"data": "", **{f"k{n}": 0 for n in range(100_000)}}]}),
        ("POST", "/deliver", {**MO, "text": [0] * 300_000}),
        ("POST", "/deliver", {**MO, "parts": [0] * 300_000}),
        ("PUT", "/chaos", {"rules": [{"x": 0}] * 100_000}),
        ("PUT", "/chaos", {"rules": [{"delay": "x"}] * 100_000}),
    ],
    ids=["members", "members of a part", "texts", "parts", "unknown in rules", "wrong rules"],
)
def test_many_faults_cost_no_more_than_one(desk: Callable[..., Desk], method: str, path: str, body: Any) -> None:
    """A body of many faults is refused for the first of them, in little more than it takes to read it."""
    one = desk()
    text = json.dumps(body)
    assert len(text) < rest_request.MOST
    tracemalloc.start()
    try:
        json.loads(text)
        plain = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        answer = one.client.request(method, API + path, content=text, headers={"Content-Type": "application/json"})
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.status_code == 400
    assert len(answer.content) < 500
    assert most < plain + 4 * len(text) + 8 * 1024 * 1024


def test_endless_body(desk: Callable[..., Desk]) -> None:
    """A body without a length is refused as soon as it is too long, and one that announces too much, unread."""
    one = desk()
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 64:
            sent += 1
            yield b" " * 1024 * 1024

    kind = {"Content-Type": "application/json"}
    assert one.client.request("PUT", f"{API}/chaos", content=chunks(), headers=kind).status_code == 413
    said = {**kind, "Content-Length": "10000000000"}
    assert one.client.request("PUT", f"{API}/chaos", content=b"", headers=said).status_code == 413


def test_database_away(desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the database does not do it, 503 says when to come again; the listener lives."""
    one = desk()

    def fail() -> None:
        raise StoreError("the database did not do it: it is away")

    monkeypatch.setattr(one.room.gateway.database, "read", fail)
    answer = one.client.get(f"{API}/messages")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "it is away" in answer.json()["error"]
    assert one.client.get("/livez").status_code == 200


def test_value_that_cannot_be_kept(desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a value is at fault, nobody is asked to send it again: it would fail again."""
    one = desk()

    def fail() -> None:
        raise StoreError("integer out of range", of_value=True)

    monkeypatch.setattr(one.room.gateway.database, "read", fail)
    answer = one.client.get(f"{API}/messages")
    assert answer.status_code == 400
    assert "retry-after" not in answer.headers
    assert answer.json()["error"] == "a value of the request cannot be kept"


def test_failure_tells_nothing(desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is 500, without what it was, and with all header fields."""
    one = desk()
    monkeypatch.setattr(one.room.gateway.database, "read", lambda: 1 / 0)
    with closing(AsgiClient(one.client.app, raise_app_exceptions=False)) as client:
        answer = client.get(f"{API}/messages")
    assert answer.status_code == 500
    assert "division" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


# --- who may ask ------------------------------------------------------------------------------------------------------

HOSTS = {
    "127.0.0.1:8008": 200, "127.8.9.1": 200, "localhost:9": 200, "LOCALHOST.": 200, "[::1]:8008": 200,
    "gw.example": 200, "admin.corp:8008": 200, "[2001:db8::1]": 200, "[2001:DB8:0::1]:1": 200,
    "attacker.example": 421, "127.0.0.1.attacker.example": 421, "localhost.attacker.example": 421, "192.0.2.1": 421,
    "": 421, "127.0.0.1@attacker.example": 421, "[::1": 421, "2130706433": 421,
}  # fmt: skip


def test_host(desk: Callable[..., Desk]) -> None:
    """Without a password the listener answers under its own names only: another name may be a rebound one."""
    from mm7zeep.gateway.config.settings import Place

    one = desk(admin=Place("gw.example", 8008), admin_hosts=("admin.corp", "2001:db8::1"))
    for host, status in HOSTS.items():
        answer = one.client.get(f"{API}/messages", headers={"Host": host})
        assert answer.status_code == status, host
        assert one.client.get("/livez", headers={"Host": host}).status_code == 200
    assert "admin_hosts" in one.client.get("/", headers={"Host": "x"}).json()["error"]


SITES: dict[str, tuple[dict[str, str], int]] = {
    "a program": ({}, 200),
    "this page": ({"Sec-Fetch-Site": "same-origin", "Origin": HOME}, 200),
    "an address typed in": ({"Sec-Fetch-Site": "none"}, 200),
    "this page behind TLS": ({"Origin": HOME.replace("http:", "https:")}, 200),
    "another site": ({"Sec-Fetch-Site": "cross-site", "Origin": "https://attacker.example"}, 403),
    "another port": ({"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:9999"}, 403),
    "another site in an old browser": ({"Origin": "https://attacker.example"}, 403),
    "a sandboxed frame": ({"Origin": "null"}, 403),
}


def test_cross_site(desk: Callable[..., Desk]) -> None:
    """A page of another site cannot have anything done, with or without a password."""
    for options in ({}, {"admin_username": "ops", "admin_password": "pw"}):
        one = desk(**options)
        for what, (headers, status) in SITES.items():
            for method, path, body in (("PUT", "/chaos", {"rules": []}), ("DELETE", "/messages/x", None)):
                answer = one.client.request(
                    method, API + path, json=body, headers=headers, auth=("ops", "pw") if options else None
                )
                assert (answer.status_code == 403) == (status == 403), (what, method)


def test_password(desk: Callable[..., Desk]) -> None:
    """With a password configured everything but the two probes asks for it, under whatever name."""
    one = desk(admin_username="ops", admin_password="pä55")
    for route in ROUTES:
        path = re.sub(r"{\w+}", "1", route.path)
        answer = one.client.request(route.method, path, json={}, headers={"Host": "gw.example"})
        if route.public:
            assert answer.status_code == 200
            continue
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == 'Basic realm="mm7zeep admin", charset="UTF-8"'
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    right = base64.b64encode("ops:pä55".encode()).decode()
    shown = {"Authorization": f"Basic {right}", "Host": "gw.example"}
    assert one.client.get("/metrics", headers=shown).status_code == 200
    wrong = ("Basic b3BzOng=", "Basic x", f"Bearer {right}", "Basic é".encode())
    said = {one.client.get("/metrics", headers={"Authorization": each}).content for each in wrong}
    assert len(said) == 1
    twice = [("Authorization", f"Basic {right}"), ("Authorization", f"Basic {right}")]
    assert one.client.get("/metrics", headers=twice).status_code == 401


def test_guesses_are_throttled(desk: Callable[..., Desk]) -> None:
    """Who tries too many passwords has to wait; the right one from his address waits, too, and is let in."""
    one = desk(admin_username="ops", admin_password="pw")
    now = 0.0
    access = admin_access.Access(one.room.settings, clock=lambda: now, threads=False)
    head = rest_scope.head_of({"method": "GET", "path": "/", "headers": [(b"authorization", b"Basic b3BzOng=")]})
    right = replace(head, headers=(("authorization", "Basic b3BzOnB3"),))
    statuses = []
    for _ in range(int(admin_access.GUESSES[0])):
        with pytest.raises(Refusal) as caught:
            access.judge(head, "192.0.2.1")
        statuses.append(caught.value.status)
    assert set(statuses) == {401}
    waiting = [access.judge(each, "192.0.2.1") for each in (*[head] * 30, right)]
    assert access.judge(right, "192.0.2.2") == User("ops")
    while now < 7:
        now += 0.1
        while access.queue.run_once() == 0.0:
            pass
    assert [future.result(0) for future in waiting if isinstance(future, Future)] == [None] * 30 + ["ops"]
    assert access.judge(right, "192.0.2.1") == User("ops")  # from now on without waiting


def test_half_a_password(desk: Callable[..., Desk]) -> None:
    """A name without a password is no protection, and refused."""
    with pytest.raises(ValueError, match="go together"):
        desk(admin_username="ops")


def test_every_answer_is_guarded(desk: Callable[..., Desk]) -> None:
    """Whatever is answered, browsers make nothing else of it, keep nothing, and tell nobody where it was."""
    one = desk()
    for path in ("/", "/livez", "/metrics", "/nothing", f"{API}/messages", f"{API}/messages?x=1"):
        found = one.client.get(path).headers
        assert {name: found[name] for name in rest_headers.ALWAYS if name != "Content-Security-Policy"} == {
            name: value for name, value in rest_headers.ALWAYS.items() if name != "Content-Security-Policy"
        }
        assert found["content-security-policy"].startswith("default-src 'none'")


# --- keys of the JSON API ---------------------------------------------------------------------------------------------


@BOTH
def test_keys(desk: Callable[..., Desk]) -> None:
    """A key is told when it is made, and never again; a revoked one stays in the list."""
    one = desk()
    first = one.post("/keys", {"application": "tnn", "name": "shop"}, 201)
    fits(first, "IssuedApiKey")
    second = one.post("/keys", {"application": "other"}, 201)
    assert (first["application"], first["name"], first["revoked_at"]) == ("tnn", "shop", None)
    assert first["key"].startswith(first["hint"])
    found = one.get("/keys")
    fits(found, "ApiKeys")
    assert [key["id"] for key in found["keys"]] == [first["id"], second["id"]]
    assert not any("key" in key or first["key"] in str(key) for key in found["keys"])
    assert [key["id"] for key in one.get("/keys?application=other")["keys"]] == [second["id"]]
    gone = one.post(f"/keys/{first['id']}", method="DELETE", status=200)
    one.room.clock.move(hours=1)
    assert one.post(f"/keys/{first['id']}", method="DELETE", status=200) == gone
    assert gone["revoked_at"] == "2026-03-01T12:00:00.000Z"
    assert one.get("/keys")["keys"][0] == gone
    assert "no key has that id" in one.post("/keys/99", method="DELETE", status=404)["error"]
    assert "no application 'nobody' is served" in one.post("/keys", {"application": "nobody"}, 409)["error"]


# --- the document -----------------------------------------------------------------------------------------------------


def test_document_describes_every_route(desk: Callable[..., Desk]) -> None:
    """Every path and method that is served is described, and nothing else."""
    one = desk()
    document = one.get("/openapi.json")
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    app = admin_app(one.room.gateway)._rest
    served = {
        (method, route.path) for route in app.routes for method in route.methods if method not in ("HEAD", "OPTIONS")
    }
    assert described == served == {(route.method, route.path) for route in ROUTES}


def test_document_is_sound(desk: Callable[..., Desk]) -> None:
    """It is OpenAPI 3.1 in form: names unique, path parameters declared, references that lead somewhere."""
    document = desk().get("/openapi.json")
    assert document["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(document["info"])
    operations = [one for item in document["paths"].values() for one in item.values()]
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names)
    for path, item in document["paths"].items():
        for operation in item.values():
            places = [(one["name"], one["in"]) for one in operation["parameters"]]
            assert len(set(places)) == len(places)
            assert {name for name, place in places if place == "path"} == set(re.findall(r"{(\w+)}", path))
            assert all(one["required"] == (one["in"] == "path") for one in operation["parameters"])
            assert all("description" in one for one in operation["responses"].values())
            assert any(code.startswith("2") for code in operation["responses"])
    text = json.dumps(document)
    for name in re.findall(r'"\$ref": "#/components/schemas/(\w+)"', text):
        assert name in document["components"]["schemas"]
    used = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', text))
    assert used == set(document["components"]["schemas"])


def test_document_is_openapi(desk: Callable[..., Desk]) -> None:
    """A validator of another project finds nothing wrong with it."""
    openapi_spec_validator.validate(desk().get("/openapi.json"))


def test_bodies_that_are_described_are_those_that_are_taken() -> None:
    """What the document's schemas refuse of a body is refused."""
    content = {
        (method.upper(), path): operation["requestBody"]["content"]["application/json"]["schema"]
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if "requestBody" in operation
    }
    seen = set()
    for what, (method, path, body, status, _) in REFUSED.items():
        described = method, API + path.replace("/messages/x/", "/messages/{id}/")
        if described not in content:
            continue
        schema = {**content[described], "components": DOCUMENT["components"]}
        if not jsonschema.Draft202012Validator(schema).is_valid(body):
            assert status == 400, what
            seen.add(what)
    assert {"number for text", "no octets", "unknown trouble", "too sure", "replay with a slip", "nothing said"} <= seen
