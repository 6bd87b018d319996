"""The JSON API: what a program may send and hear, what is refused and under which code, and who may ask at all."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import jsonschema
import openapi_spec_validator
import pytest
from asgi_client import AsgiClient
from far_side import FarSide
from gateway_room import CALLED, ONE, OTHER, Room

from mm7zeep import mime
from mm7zeep.exchange import Wire
from mm7zeep.gateway.api.problems import CAUSES, MEDIA_TYPE
from mm7zeep.gateway.api.routes import ABOUT, ROUTES
from mm7zeep.gateway.api.states import STATES, State
from mm7zeep.gateway.config.handset import Outcome
from mm7zeep.gateway.config.opt_out import OptOut
from mm7zeep.gateway.config.parties import Application, Route, Upstream
from mm7zeep.gateway.mm7.key_auth import KeyAuthenticator
from mm7zeep.gateway.rest import json_reading, openapi
from mm7zeep.gateway.store import api_keys, database, rows
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.gateway.store.group_commit import GroupCommit
from mm7zeep.messages import DeliverReq, DeliveryReportReq, ShortCode, SubmitReq
from mm7zeep.receiver import HttpLimits

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
DOCUMENT = openapi.document(ABOUT, ROUTES)
TNN = ("tnn", "t")
HELLO: Mapping[str, Any] = {"to": "+61400", "parts": [{"text": "hello"}]}


class Program:
    """A room, and a program that uses the API of its gateway."""

    def __init__(self, room: Room, client: AsgiClient) -> None:
        self.room = room
        self.client = client

    def send(self, body: Any = HELLO, status: int = 202, **options: Any) -> Any:
        """What a message is answered, as JSON."""
        return self.told("POST", "/v1/messages", status, **{"json": body, "auth": TNN, **options})

    def get(self, path: str, status: int = 200, **options: Any) -> Any:
        """What a GET is answered, as JSON."""
        return self.told("GET", path, status, **{"auth": TNN, **options})

    def told(self, method: str, path: str, status: int, **options: Any) -> Any:
        """What is answered, as JSON."""
        answer = self.client.request(method, path, **options)
        assert answer.status_code == status, answer.text
        if status >= 400:
            fits(answer.json(), "Body")
            assert answer.headers["content-type"] == MEDIA_TYPE
        return answer.json()


@pytest.fixture
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Makes programs with a gateway each; closes them."""
    on_server = getattr(request, "param", "sqlite") == "postgresql"
    url = request.getfixturevalue("postgres_url") if on_server else None
    with ExitStack() as made:

        def make(*applications: Application, **options: Any) -> Program:
            room = Room(tmp_path, *(applications or (CALLED, OTHER)), database=url, **options)
            made.callback(room.gateway.close)
            client = AsgiClient(room.gateway.api)
            made.callback(client.close)
            return Program(room, client)

        yield make


BOTH = pytest.mark.parametrize(
    "program", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
"""Marks tests that are run on either engine."""


def fits(value: Any, name: str) -> None:
    """Holds an answer against the schema of that name in the document."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(value)


def encoded(octets: bytes) -> str:
    """Octets in base64."""
    return base64.b64encode(octets).decode()


# --- sending ----------------------------------------------------------------------------------------------------------


@BOTH
def test_message_is_kept_sent_and_told(program: Callable[..., Program]) -> None:
    """What is sent is answered with its id and recipients, is kept as an MM7_submit, and its state is told."""
    one = program()
    body = {
        "to": ["+61400", "a@b.example"],
        "from": "111122",
        "subject": "Sale <b>",
        "parts": [{"text": "héllo"}, {"data": encoded(PNG), "name": "a.png"}],
        "delivery_report": True,
        "read_reply": True,
        "reference": "order 7",
    }
    answer = one.client.request("POST", "/v1/messages", json=body, auth=TNN)
    assert answer.status_code == 202
    told = answer.json()
    fits(told, "Message")
    assert answer.headers["location"] == f"/v1/messages/{told['id']}"
    assert [(to["to"], to["state"], to["mm_status"]) for to in told["recipients"]] == [
        ("+61400", "queued", None),
        ("a@b.example", "queued", None),
    ]
    assert (told["direction"], told["from"], told["subject"], told["reference"]) == (
        "outbound",
        "111122",
        "Sale <b>",
        "order 7",
    )
    assert told["created_at"] == "2026-03-01T12:00:00.000Z"
    [row] = one.room.messages
    assert (row.id, row.application, row.direction, row.delivery_report, row.read_reply) == (
        told["id"],
        "tnn",
        "mt",
        True,
        True,
    )
    one.room.gateway.run_pending()
    found = one.get(f"/v1/messages/{told['id']}")
    fits(found, "Message")
    assert [(to["state"], to["mm_status"]) for to in found["recipients"]] == [("delivered", "Retrieved")] * 2
    octets = [one.client.get(part["url"], auth=TNN).content for part in found["parts"]]
    assert octets == ["héllo".encode(), PNG]
    assert [part["sha256"] for part in found["parts"]] == [hashlib.sha256(part).hexdigest() for part in octets]
    assert [part["content_type"] for part in found["parts"]] == ["text/plain", "image/png"]
    # the application is called by MM7 as for any other message
    assert [report.recipient.value for report in one.room.calls.of(DeliveryReportReq)] == ["+61400", "a@b.example"]


def test_form_says_the_same(program: Callable[..., Program]) -> None:
    """A form with files keeps the very message that the JSON does, parts in their order."""
    one = program()
    told = [
        one.send(
            {
                "to": ["+61400", "+61411"],
                "subject": "ü",
                "parts": [{"text": "a"}, {"data": encoded(PNG), "name": "x.png"}, {"text": "b"}],
                "group": True,
                "send_at": "2026-03-02",
            }
        )
    ]
    fields = [
        ("to", (None, "+61400")),
        ("to", (None, "+61411")),
        ("subject", (None, "ü".encode())),
        ("parts", (None, "a")),
        ("parts", ("x.png", PNG)),
        ("parts", (None, "b")),
        ("group", (None, "true")),
        ("send_at", (None, "2026-03-02")),
    ]
    told.append(one.send(json=None, files=fields))
    same = [{**found, "id": None, "parts": [{**part, "url": None} for part in found["parts"]]} for found in told]
    assert same[0] == same[1]
    assert same[0]["group"] is True
    assert one.client.get(told[1]["parts"][1]["url"], auth=TNN).content == PNG


@pytest.mark.parametrize("name", ["фото.gif", "\N{CAT FACE}.gif", 'a"b.gif', "é.gif"])
def test_file_names(program: Callable[..., Program], name: str) -> None:
    """A file may be called anything, in UTF-8 as browsers and curl write it."""
    one = program()
    quoted = name.replace('"', "%22")
    field = f'Content-Disposition: form-data; name="parts"; filename="{quoted}"\r\nContent-Type: image/gif\r\n\r\n'
    to = 'Content-Disposition: form-data; name="to"\r\n\r\n+61400'
    body = f"--x\r\n{to}\r\n--x\r\n{field}GIF89a\r\n--x--\r\n".encode()
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert one.send(json=None, content=body, headers=headers)["parts"][0]["name"] == quoted


def test_part_says_its_type(program: Callable[..., Program]) -> None:
    """The type that a part is given is taken, with its parameters; without one, octets and name show it."""
    one = program()
    latin = {"data": encoded("é".encode("latin-1")), "content_type": "text/plain; charset=iso-8859-1"}
    calendar = {"data": encoded(b"BEGIN:VCALENDAR"), "content_type": "text/calendar", "name": "a.ics"}
    told = one.send({"to": "+61400", "parts": [latin, calendar, {"data": encoded(PNG)}]})
    assert [part["content_type"] for part in told["parts"]] == ["text/plain", "text/calendar", "image/png"]
    form = [("to", (None, "1@x.example")), ("parts", ("a.ics", b"BEGIN:VCALENDAR", "text/calendar"))]
    assert [part["content_type"] for part in one.send(json=None, files=form)["parts"]] == ["text/calendar"]


@pytest.mark.parametrize("group", [None, False, True])
def test_who_sees_whom_upstream(program: Callable[..., Program], group: bool | None) -> None:
    """In a group each recipient is shown the others; otherwise nobody is shown anybody."""
    with FarSide() as far:
        upstream = Upstream(name="far", url=far.url, vaspid="WE")
        one = program(CALLED, upstreams=(upstream,), routes=(Route(prefix="+64", via="far"),))
        body = {**HELLO, "to": ["+641", "+642", "+643"]}
        one.send(body if group is None else {**body, "group": group})
        one.room.gateway.run_pending()
        seen = []
        for request in far.requests:
            message = request.unpack().message
            assert isinstance(message, SubmitReq)
            own = [to.value for to in message.to if not to.display_only]
            seen.append((own, sorted(to.value for to in message.to if to.display_only)))
    everybody = {"+641", "+642", "+643"}
    assert sorted(seen) == [([own], sorted(everybody - {own}) if group else []) for own in sorted(everybody)]


@pytest.mark.parametrize("group", [False, True])
def test_who_sees_whom_at_an_application(program: Callable[..., Program], group: bool) -> None:
    """The same where a recipient is another application's short code."""
    one = program()
    one.send({**HELLO, "to": ["333", "+61400"], "from": "111122", "group": group, "reference": "secret"})
    one.room.gateway.run_pending()
    [mo] = one.room.calls.of(DeliverReq)
    assert [to.value for to in mo.to] == (["333", "+61400"] if group else ["333"])
    [told] = one.get("/v1/messages?direction=inbound", auth=("other", "o"))["messages"]
    assert (told["reference"], told["group"]) == (None, False)  # these are its sender's


def test_scheduled(program: Callable[..., Program]) -> None:
    """A message with ``send_at`` waits for it, and can be taken back until then."""
    one = program()
    told = one.send({**HELLO, "send_at": "2026-03-01T13:00:00+01:00", "expires_at": one.room.clock() + 7200})
    assert told["recipients"][0]["state"] == "queued"  # that is now
    told = one.send({**HELLO, "send_at": one.room.clock() + 3600, "expires_at": one.room.clock() + 7200})
    assert (told["recipients"][0]["state"], told["send_at"]) == ("scheduled", "2026-03-01T13:00:00.000Z")
    one.room.gateway.run_pending()
    assert one.get(f"/v1/messages/{told['id']}")["recipients"][0]["state"] == "scheduled"
    gone = one.told("DELETE", f"/v1/messages/{told['id']}", 200, auth=TNN)
    fits(gone, "Message")
    assert gone["recipients"][0]["state"] == "cancelled"
    one.room.clock.move(hours=1)
    one.room.gateway.run_pending()
    assert one.room.states(told["id"]) == ["Cancelled"]
    late = one.told("DELETE", f"/v1/messages/{told['id']}", 409, auth=TNN)
    assert late["code"] == "too-late"


def test_opted_out(program: Callable[..., Program]) -> None:
    """Who has opted out gets nothing, and the program is told; where that is everybody, the message is refused."""
    one = program(replace(CALLED, opt_out=OptOut()))
    one.room.gateway.simulator.send_mo("tnn", "+61400", "111122", content="Stop")
    told = one.send({**HELLO, "to": ["+61400", "+61411"], "from": "111122"})
    out = ("failed", "the recipient has opted out")
    assert [(to["state"], to["detail"]) for to in told["recipients"]] == [out, ("queued", None)]
    alone = one.send({**HELLO, "from": "111122", "idempotency_key": "k"}, 422)
    assert (alone["code"], alone["pointer"]) == ("opted-out", "/to")
    one.room.gateway.simulator.send_mo("tnn", "+61400", "111122", content="START")
    one.send({**HELLO, "from": "111122", "idempotency_key": "k"})  # the refusal was not remembered


@BOTH
def test_sender_of_another(program: Callable[..., Program]) -> None:
    """Nobody sends under the short code of another application, and nobody opts others out in its name."""
    one = program(replace(CALLED, opt_out=OptOut()), OTHER)
    told = one.send({**HELLO, "from": "333"}, 422)
    assert (told["code"], told["pointer"]) == ("invalid-sender", "/from")
    assert one.room.code(replace(ONE, sender_address=ShortCode("333"))) == 4001
    one.send({"to": "111122", "from": "+61400", "parts": [{"text": "STOP"}]}, auth=("other", "o"))
    one.room.gateway.run_pending()
    one.send({**HELLO, "from": "111122"})


# --- once -------------------------------------------------------------------------------------------------------------


@BOTH
def test_idempotency_key(program: Callable[..., Program]) -> None:
    """The same message with the same key is one message, whichever way the key came; another one is refused."""
    one = program()
    body = {**HELLO, "idempotency_key": "order-7"}
    first = one.send(body)
    one.room.gateway.run_pending()
    again = one.client.request("POST", "/v1/messages", json=HELLO, headers={"Idempotency-Key": "order-7"}, auth=TNN)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (202, "true")
    assert again.json()["id"] == first["id"]
    assert again.json()["recipients"][0]["state"] == "delivered"  # told as it is now
    other = one.send({**body, "subject": "another"}, 422)
    assert (other["code"], other["pointer"]) == ("idempotency-key-reused", "/idempotency_key")
    assert one.send(body)["id"] == first["id"]  # what was refused has changed nothing
    mine = one.send(body, auth=("other", "o"))  # a key is one application's
    assert mine["id"] != first["id"]
    assert len(one.room.messages) == 2
    assert one.send({**body, "idempotency_key": "x"}, 400, headers={"Idempotency-Key": "y"})["code"] == "invalid-value"


@BOTH
def test_same_key_at_the_same_moment(program: Callable[..., Program]) -> None:
    """Of requests with one key that come together one is done; without a key each is."""
    one = program()
    keyed = [("POST", "/v1/messages", {"json": {**HELLO, "idempotency_key": "k"}, "auth": TNN})] * 8
    answers = one.client.together(*keyed)
    assert {found.status_code for found in answers} == {202}
    assert len({found.json()["id"] for found in answers}) == len(one.room.messages) == 1
    one.client.together(*[("POST", "/v1/messages", {"json": HELLO, "auth": TNN})] * 8)
    assert len(one.room.messages) == 9


def test_key_where_no_transaction_is_remembered(program: Callable[..., Program]) -> None:
    """A key is one also of an application whose TransactionIDs recognise nothing."""
    one = program(replace(CALLED, duplicates=0.0))
    ids = {one.send({**HELLO, "idempotency_key": "k"})["id"] for _ in range(2)}
    assert len(ids) == len(one.room.messages) == 1


@BOTH
def test_key_of_a_message_that_was_deleted(program: Callable[..., Program]) -> None:
    """The same again is not sent again though the message was deleted, and that is what is said."""
    one = program()
    body = {**HELLO, "idempotency_key": "k"}
    id = one.send(body)["id"]
    with one.room.gateway.database.write() as connection:
        store.delete(connection, [id])
    told = one.send(body, 410)
    assert told["code"] == "message-deleted"
    assert id in told["detail"]
    assert one.room.messages == []


# --- looking ----------------------------------------------------------------------------------------------------------


@BOTH
def test_pages(program: Callable[..., Program]) -> None:
    """Pages are the newest first, do not overlap, hold the application's own messages alone, and the last one ends."""
    one = program()
    ids = [one.send({**HELLO, "reference": str(n)})["id"] for n in range(5)][::-1]
    one.send(auth=("other", "o"))
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    for size in (2, 2, 1):
        page = one.get("/v1/messages", params={"limit": 2, **cursor})
        fits(page, "Messages")
        assert len(page["messages"]) == size
        seen += [found["id"] for found in page["messages"]]
        cursor = {"cursor": page["next"]}
    assert seen == ids
    assert cursor == {"cursor": None}
    assert one.get("/v1/messages", params={"to": "+61411"})["messages"] == []
    assert len(one.get("/v1/messages?to=+61400&direction=outbound")["messages"]) == 5


@BOTH
def test_pages_of_many_recipients(program: Callable[..., Program]) -> None:
    """A page ends where its recipients are too many; each message is on some page, once."""
    one = program()
    many = {**HELLO, "to": [f"+614{n:08}" for n in range(900)]}
    ids = [one.send(many)["id"] for _ in range(4)][::-1]
    seen: list[str] = []
    cursor: dict[str, Any] = {"cursor": None}
    sizes = []
    while cursor is not None:
        page = one.get("/v1/messages", params={name: value for name, value in cursor.items() if value is not None})
        sizes.append(len(page["messages"]))
        seen += [found["id"] for found in page["messages"]]
        cursor = {"cursor": page["next"]} if page["next"] is not None else None  # type: ignore[assignment]
    assert (seen, sizes) == (ids, [2, 2])


def test_latest_is_no_id(program: Callable[..., Program]) -> None:
    """What the operator's API calls latest names nothing here, whatever was kept last."""
    one = program()
    id = one.send({**HELLO, "send_at": one.room.clock() + 60})["id"]
    for path in ("latest", f"%20{id}"):
        assert one.told("DELETE", f"/v1/messages/{path}", 404, auth=TNN)["code"] == "message-not-found"
        assert one.get(f"/v1/messages/{path}", 404)["code"] == "message-not-found"
    assert one.room.states(id) == ["Pending"]


def test_mo_is_told(program: Callable[..., Program]) -> None:
    """A message that a handset has sent is among the application's, as inbound, with its parts."""
    one = program()
    one.room.gateway.simulator.send_mo("tnn", "+61499", "111122", "s", "from me")
    [found] = one.get("/v1/messages", params={"direction": "inbound"})["messages"]
    fits(found, "Message")
    assert (found["direction"], found["from"], found["subject"]) == ("inbound", "+61499", "s")
    assert [to["to"] for to in found["recipients"]] == ["111122"]
    assert one.client.get(found["parts"][0]["url"], auth=TNN).content == b"from me"
    assert one.told("DELETE", f"/v1/messages/{found['id']}", 404, auth=TNN)["code"] == "message-not-found"


def test_part_is_harmless(program: Callable[..., Program]) -> None:
    """A part that a browser might run comes as a download, whatever it was called."""
    one = program()
    page = {"data": encoded(b"<script>1</script>"), "content_type": "image/png"}
    told = one.send({"to": "+61400", "parts": [page, {"data": encoded(PNG)}]})
    first, second = (one.client.get(part["url"], auth=TNN) for part in told["parts"])
    assert first.headers["content-type"] == "application/octet-stream"
    assert first.headers["content-disposition"].startswith("attachment")
    assert second.headers["content-type"] == "image/png"
    for answer in (first, second):
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_status_has_a_state() -> None:
    """Whatever MMStatus a carrier reports is told as a state, and no state that the gateway keeps is left out."""
    kept = {getattr(rows, name) for name in ("PENDING", "SENT", "DEFERRED", "CANCELLED", "REFUSED", "DELIVERED")}
    assert STATES.keys() >= kept | set(get_args(Outcome))


def test_tables_of_the_page() -> None:
    """docs/api.md names every state, every MMStatus, and every code with its status and title."""
    page = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"(?m)^\| `(\w+)` \| (.*) \|$", page.partition("### States")[2].partition("\n## ")[0]))
    assert told.keys() == set(get_args(State))
    for mm_status in get_args(Outcome):
        assert f"`{mm_status}`" in told[STATES[mm_status]]
    codes = re.findall(r"(?m)^\| (\d+) \| `([a-z-]+)` \| (.*) \|$", page)
    assert {code: (int(status), title) for status, code, title in codes} == {**CAUSES}


# --- who may ask ------------------------------------------------------------------------------------------------------


def issued(one: Program, application: str = "tnn") -> tuple[int, str]:
    """A new key, and its id."""
    with one.room.gateway.database.write() as connection:
        row, key = api_keys.issue(connection, application, "", one.room.clock())
    return row.id, key


@BOTH
def test_keys(program: Callable[..., Program]) -> None:
    """A key is its application's until it is revoked; nothing of it is in the database but its digest."""
    one = program()
    (id, key), (_, second) = issued(one), issued(one)
    assert re.fullmatch(r"mm7_[A-Za-z0-9_-]{43}", key)
    assert key != second
    bearer = {"Authorization": f"Bearer {key}"}
    sent = one.send(auth=None, headers=bearer)
    assert one.get("/v1/messages", auth=None, headers={"Authorization": f"bearer  {second}"})["messages"][0] == sent
    assert one.get(f"/v1/messages/{sent['id']}", auth=("other", "o"), status=404)["code"] == "message-not-found"
    with one.room.gateway.database.read() as connection:
        stored = str(connection.exec_driver_sql("SELECT * FROM api_key").all())
    assert key not in stored
    assert hashlib.sha256(key.encode()).hexdigest() in stored
    with one.room.gateway.database.write() as connection:
        assert api_keys.revoke(connection, id, one.room.clock())
        assert not api_keys.revoke(connection, id, one.room.clock())
    assert one.get("/v1/messages", 401, auth=None, headers=bearer)["code"] == "unauthorized"
    assert one.get("/v1/messages", auth=None, headers={"Authorization": f"Bearer {second}"})


def test_right_key_beside_wrong_ones(program: Callable[..., Program], monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was right from an address waits behind no guesses from there; one that was revoked opens nothing."""
    monkeypatch.setattr(KeyAuthenticator, "WRONG", (2.0, 0.001))
    one = program()
    (id, key), head = issued(one), Wire(method="GET", headers=(), body=b"")
    keys = KeyAuthenticator(one.room.settings, one.room.gateway.database)

    def judged(key: str) -> str | None:
        decided = keys.decide(key, head, "192.0.2.1")
        assert not isinstance(decided, Future)
        return decided()

    assert judged(key) == "tnn"
    assert [judged("wrong"), judged("wrong")] == [None, None]
    waiting = keys.decide("wrong", head, "192.0.2.1")
    assert isinstance(waiting, Future)
    waiting.cancel()
    assert judged(key) == "tnn"
    with one.room.gateway.database.write() as connection:
        api_keys.revoke(connection, id, one.room.clock())
    assert judged(key) is None


STRANGERS: Mapping[str, Mapping[str, Any]] = {
    "nobody": {},
    "a wrong password": {"auth": ("tnn", "x")},
    "an unknown name": {"auth": ("nobody", "t")},
    "an upstream": {"auth": ("up", "u")},
    "a wrong key": {"headers": {"Authorization": "Bearer mm7_" + "A" * 43}},
    "an endless key": {"headers": {"Authorization": "Bearer " + "A" * 4000}},
    "no key at all": {"headers": {"Authorization": "Bearer"}},
    "another scheme": {"headers": {"Authorization": 'Digest username="tnn"'}},
    "two": {"headers": [("Authorization", "Basic dG5uOnQ="), ("Authorization", "Basic dG5uOnQ=")]},
}


@pytest.mark.parametrize("who", STRANGERS)
def test_strangers(program: Callable[..., Program], who: str) -> None:
    """Whoever proves nothing gets one and the same answer, on every path, and no body of his is read."""
    upstream = Upstream(name="far", url="http://far/", vaspid="WE", callback_username="up", callback_password="u")
    one = program(CALLED, upstreams=(upstream,))
    told = [
        one.told(method, path, 401, **STRANGERS[who])
        for method, path in (("GET", "/v1/messages"), ("POST", "/v1/messages"), ("GET", "/v1/nothing"), ("PUT", "/"))
    ]
    assert all(found == told[0] for found in told)
    assert told[0]["code"] == "unauthorized"
    answer = one.client.get("/v1/messages")
    assert answer.headers.get_list("www-authenticate") == [
        'Bearer realm="mm7zeep API"',
        'Basic realm="mm7zeep API"',
    ]


def test_addresses(program: Callable[..., Program]) -> None:
    """A key opens nothing from an address that its application does not list, nor does the password."""
    one = program(replace(CALLED, allow=("203.0.113.0/24",)))
    _, key = issued(one)
    for given in ({"auth": TNN}, {"headers": {"Authorization": f"Bearer {key}"}}):
        assert one.told("GET", "/v1/messages", 401, **given)["code"] == "unauthorized"
    near = AsgiClient(one.client.app, client=("203.0.113.9", 1))
    try:
        for given in ({"auth": TNN}, {"headers": {"Authorization": f"Bearer {key}"}}):
            assert near.get("/v1/messages", **given).status_code == 200
    finally:
        near.close()


def test_guessed_keys_wait(program: Callable[..., Program], monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong keys beyond the rate are judged later, in a queue of their address; the right password is not held up."""
    monkeypatch.setattr("mm7zeep.gateway.mm7.key_auth.KeyAuthenticator.WRONG", (3.0, 1000.0))
    one = program()
    for n in range(20):
        one.told("GET", "/v1/messages", 401, headers={"Authorization": f"Bearer guess{n}"})
    assert one.get("/v1/messages") == {"messages": [], "next": None}


# --- what is refused --------------------------------------------------------------------------------------------------

TOO_MANY = [f"+614{n:08}" for n in range(1001)]
BAD: Mapping[str, tuple[Any, int, str, str | None]] = {
    "no object": ([], 400, "invalid-value", ""),
    "nothing": ({}, 400, "missing-member", ""),
    "a slip in a name": ({**HELLO, "tto": 1}, 400, "unknown-member", "/tto"),
    "a slip in a part": ({**HELLO, "parts": [{"text": "a", "typ": "b"}]}, 400, "unknown-member", "/parts/0/typ"),
    "nobody": ({**HELLO, "to": []}, 400, "invalid-value", "/to"),
    "no list": ({**HELLO, "to": {"a": 1}}, 400, "invalid-value", "/to"),
    "a number": ({**HELLO, "to": 61400}, 400, "invalid-value", "/to"),
    "an empty recipient": ({**HELLO, "to": ["+61400", ""]}, 400, "invalid-value", "/to/1"),
    "no recipient": ({**HELLO, "to": ["+61400", "hello"]}, 422, "invalid-recipient", "/to/1"),
    "a recipient twice": ({**HELLO, "to": ["+61400", "+61400"]}, 422, "invalid-recipient", "/to/1"),
    "no parts": ({**HELLO, "parts": []}, 400, "invalid-value", "/parts"),
    "an empty part": ({**HELLO, "parts": [{}]}, 400, "invalid-value", "/parts/0"),
    "text and data": ({**HELLO, "parts": [{"text": "a", "data": "YQ=="}]}, 400, "invalid-value", "/parts/0"),
    "no base64": ({**HELLO, "parts": [{"data": "a b"}]}, 400, "invalid-value", "/parts/0/data"),
    "a type that is none": (
        {**HELLO, "parts": [{"data": "YQ==", "content_type": "image"}]},
        400,
        "invalid-value",
        "/parts/0/content_type",
    ),
    "a type of many": (
        {**HELLO, "parts": [{"data": "YQ==", "content_type": "multipart/mixed; boundary=a"}]},
        400,
        "invalid-value",
        "/parts/0/content_type",
    ),
    "words for a switch": ({**HELLO, "group": "yes"}, 400, "invalid-value", "/group"),
    "no time": ({**HELLO, "send_at": "tomorrow"}, 400, "invalid-value", "/send_at"),
    "milliseconds": ({**HELLO, "send_at": 1795900000000}, 400, "invalid-value", "/send_at"),
    "beyond all years": ({**HELLO, "send_at": 253402300800}, 400, "invalid-value", "/send_at"),
    "before all years": ({**HELLO, "send_at": -62135596801}, 400, "invalid-value", "/send_at"),
    "beyond all numbers": ({**HELLO, "expires_at": 9e18}, 400, "invalid-value", "/expires_at"),
    "a zone beyond all years": ({**HELLO, "send_at": "9999-12-31T23:59:59-23:59"}, 400, "invalid-value", "/send_at"),
    "an empty text": ({**HELLO, "parts": [{"text": ""}]}, 400, "invalid-value", "/parts/0"),
    "no octets": ({**HELLO, "parts": [{"data": ""}]}, 400, "invalid-value", "/parts/0"),
    "over before it is sent": (
        {**HELLO, "send_at": "2026-03-03", "expires_at": "2026-03-02"},
        400,
        "invalid-value",
        "/expires_at",
    ),
    "over": ({**HELLO, "expires_at": "2026-03-01T12:00:00Z"}, 400, "invalid-value", "/expires_at"),
    "a line of lines": ({**HELLO, "subject": "a\x00b"}, 400, "invalid-value", "/subject"),
    "an endless subject": ({**HELLO, "subject": "a" * 1001}, 400, "invalid-value", "/subject"),
    "an endless key": ({**HELLO, "idempotency_key": "a" * 256}, 400, "invalid-value", "/idempotency_key"),
    "too many recipients": ({**HELLO, "to": TOO_MANY}, 400, "invalid-value", "/to"),
    "too many parts": ({**HELLO, "parts": [{"text": "a"}] * 101}, 400, "invalid-value", "/parts"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_messages(program: Callable[..., Program], name: str) -> None:
    """Each is refused under its code, with the place as a JSON pointer; nothing of it is kept."""
    body, status, code, pointer = BAD[name]
    one = program()
    told = one.send(body, status)
    assert (told["code"], told.get("pointer")) == (code, pointer)
    assert told["type"] == f"urn:mm7zeep:problem:{code}"
    assert (told["status"], told["title"]) == CAUSES[code]
    assert one.room.messages == []


RAW: Mapping[str, tuple[Mapping[str, str], bytes, int, str]] = {
    "no JSON": ({}, b"{", 400, "invalid-json"),
    "no UTF-8": ({}, b'{"to": "\xff"}', 400, "invalid-json"),
    "nothing": ({}, b"", 400, "invalid-json"),
    "no number of JSON": ({}, b'{"to": NaN}', 400, "invalid-json"),
    "depths": ({}, b"[" * 100_000, 400, "invalid-json"),
    "a lone surrogate": ({}, b'{"to": "\\ud800", "parts": [{"text": "a"}]}', 400, "invalid-value"),
    "a member twice": ({}, b'{"to": "+61400", "to": "+61411", "parts": [{"text": "a"}]}', 400, "invalid-json"),
    "a member twice, of many": (
        {},
        b'{"parts": [' + b'{"text": "a"},' * 9000 + b'{"text": "a", "text": "b"}], "to": "+61400"}',
        400,
        "invalid-json",
    ),
    "values without end": ({}, b'{"to": "+61400", "parts": [' + b"[]," * 1_000_000 + b"[]]}", 400, "invalid-json"),
    "a form in another charset": (
        {"Content-Type": "multipart/form-data; boundary=x"},
        b'--x\r\nContent-Disposition: form-data; name="subject"\r\nContent-Type: text/plain; charset=iso-8859-1'
        b"\r\n\r\na\r\n--x--\r\n",
        400,
        "invalid-form",
    ),
    "another type": ({"Content-Type": "text/plain"}, b"hello", 415, "unsupported-media-type"),
    "MM7": ({"Content-Type": "text/xml"}, b"<a/>", 415, "unsupported-media-type"),
    "compressed": ({"Content-Encoding": "gzip"}, b"\x1f\x8b", 415, "unsupported-media-type"),
    "a form without a boundary": ({"Content-Type": "multipart/form-data"}, b"--x--", 400, "invalid-form"),
    "a form that is none": ({"Content-Type": "multipart/form-data; boundary=x"}, b"hello", 400, "invalid-form"),
    "a form without its end": (
        {"Content-Type": "multipart/form-data; boundary=x"},
        b'--x\r\nContent-Disposition: form-data; name="to"\r\n\r\n+61400',
        400,
        "invalid-form",
    ),
    "a form of mail": (
        {"Content-Type": "multipart/form-data; boundary=x"},
        b"--x\r\nContent-Disposition: attachment\r\n\r\n+61400\r\n--x--\r\n",
        400,
        "invalid-form",
    ),
    "a form in base64": (
        {"Content-Type": "multipart/form-data; boundary=x"},
        b'--x\r\nContent-Disposition: form-data; name="parts"; filename="a"\r\nContent-Transfer-Encoding: base64'
        b"\r\n\r\nYQ==\r\n--x--\r\n",
        400,
        "invalid-form",
    ),
    "a form with an endless head": (
        {"Content-Type": "multipart/form-data; boundary=x"},
        b"--x\r\nA: " + b"b" * 10_000 + b"\r\n\r\n\r\n--x--\r\n",
        400,
        "invalid-form",
    ),
    "a form of fields without end": (
        {"Content-Type": "multipart/form-data; boundary=x"},
        b'--x\r\nContent-Disposition: form-data; name="to"\r\n\r\n1\r\n' * 3000 + b"--x--\r\n",
        400,
        "invalid-form",
    ),
    "a form in latin-1": (
        {"Content-Type": "multipart/form-data; boundary=x"},
        b'--x\r\nContent-Disposition: form-data; name="subject"\r\n\r\n\xe9\r\n--x--\r\n',
        400,
        "invalid-form",
    ),
    "a file name in another form": (  # of RFC 5987
        {"Content-Type": "multipart/form-data; boundary=x"},
        b"--x\r\nContent-Disposition: form-data; name=\"parts\"; filename*=UTF-8''%e2%82%ac.png\r\n\r\na\r\n--x--\r\n",
        400,
        "invalid-form",
    ),
    "a field twice": (
        {"Content-Type": "multipart/form-data; boundary=x"},
        b'--x\r\nContent-Disposition: form-data; name="subject"\r\n\r\na\r\n' * 2 + b"--x--\r\n",
        400,
        "invalid-form",
    ),
}


@pytest.mark.parametrize("name", RAW)
def test_bad_bodies(program: Callable[..., Program], name: str) -> None:
    """What is no message at all is refused as such."""
    headers, body, status, code = RAW[name]
    one = program()
    told = one.send(
        json=None, content=body, headers={"Content-Type": "application/json", **headers}, status=status, body=None
    )
    assert told["code"] == code
    assert one.room.messages == []


def test_where_nothing_is(program: Callable[..., Program]) -> None:
    """Paths, methods and parameters that are not there are told as such."""
    one = program()
    assert one.get("/v1/message", 404)["code"] == "not-found"
    assert one.get("/v1/messages/", 404)["code"] == "not-found"
    assert one.get("/v1/messages/latest", 404)["code"] == "message-not-found"
    assert one.told("PATCH", "/v1/messages", 405, auth=TNN)["code"] == "method-not-allowed"
    assert one.get("/v1/messages?page=2", 400)["code"] == "invalid-parameter"
    assert one.get("/v1/messages?limit=0", 400)["code"] == "invalid-parameter"
    id = one.send()["id"]
    assert one.get(f"/v1/messages/{id}/parts/1", 404)["code"] == "part-not-found"
    assert one.get(f"/v1/messages/{id}/parts/x", 404)["code"] == "not-found"


def test_sizes(program: Callable[..., Program]) -> None:
    """A body has the limit of MM7, and what base64 adds to it; a message over it is refused by either way."""
    one = program(limits=mime.Limits(body=200_000))
    at_most = {"to": "+61400", "parts": [{"data": encoded(PNG + bytes(150_000))}]}
    one.send(at_most)
    assert one.send({"to": "+61400", "parts": [{"data": encoded(bytes(260_000))}]}, 413)["code"] == "body-too-large"
    form = [("to", (None, "+61400")), ("parts", ("a.bin", bytes(340_000)))]
    assert one.send(json=None, files=form, status=413)["code"] == "body-too-large"
    told = one.send(json=None, files=[("to", (None, "+61400")), ("parts", ("a.bin", bytes(220_000)))], status=413)
    assert told["code"] == "body-too-large"
    assert len(one.room.messages) == 1


def test_announced_sizes(program: Callable[..., Program]) -> None:
    """What is announced to be too large is refused before it is read."""
    one = program()

    async def never() -> Any:
        raise AssertionError("the body was read")
        yield b""

    headers = {"Content-Length": "999999999999999999999", "Content-Type": "application/json"}
    told = one.send(json=None, content=never(), headers=headers, status=413)
    assert told["code"] == "body-too-large"


def test_carrier_takes_no_more(program: Callable[..., Program]) -> None:
    """What an application's settings refuse of MM7 is refused here under a code of its own."""
    one = program(replace(CALLED, media="listed"))
    told = one.send({"to": "+61400", "parts": [{"data": encoded(b"%PDF-1.7"), "content_type": "application/pdf"}]}, 422)
    assert told["code"] == "content-refused"


def test_slow_body(program: Callable[..., Program]) -> None:
    """A body that does not come is not waited for."""
    one = program(http=HttpLimits(idle=0.05))

    async def slow() -> Any:
        yield b'{"to"'
        await asyncio.sleep(5)
        yield b': "+61400"}'

    told = one.send(json=None, content=slow(), headers={"Content-Type": "application/json"}, status=408)
    assert told["code"] == "too-slow"


def test_no_room(program: Callable[..., Program], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be kept, 503 says when to come again; looking goes on."""
    one = program()
    one.room.gateway.admission.full = ("too many calls wait in the outbox",)
    answer = one.client.request("POST", "/v1/messages", json=HELLO, auth=TNN)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    one.room.gateway.admission.full = ()

    def fails(*given: Any) -> Any:
        raise StoreError("the disk is full")

    monkeypatch.setattr(GroupCommit, "submit", fails)
    answer = one.client.request("POST", "/v1/messages", json=HELLO, auth=TNN)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    monkeypatch.setattr(database.Database, "read", fails)
    assert one.get("/v1/messages", 503)["code"] == "unavailable"


def test_accident(
    program: Callable[..., Program], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody foresaw is 500 without its reason, which the log has."""
    one = program()

    def fails(*given: Any) -> Any:
        raise RuntimeError("secret")

    monkeypatch.setattr(GroupCommit, "submit", fails)
    answer = one.client.request("POST", "/v1/messages", json=HELLO, auth=TNN)
    assert (answer.status_code, answer.json()["code"]) == (500, "failed")
    assert "secret" not in answer.text
    assert "RuntimeError: secret" in caplog.text


def test_log_and_metrics(program: Callable[..., Program], caplog: pytest.LogCaptureFixture) -> None:
    """Each request is counted under its route, refusals are logged with their reason; numbers are masked."""
    caplog.set_level(logging.INFO)
    one = program()
    one.send()
    one.send({**HELLO, "to": "+61412345678", "subject": 7}, 400)
    one.send({**HELLO, "to": ["+61412345678", "+61412345678"]}, 422)
    page = one.room.gateway.metrics.exposition(one.room.gateway.database)[0].decode()
    assert 'mm7_answers_total{http="202",operation="POST /v1/messages",status="none"} 1.0' in page
    assert "the API refused POST /v1/messages of tnn at 127.0.0.1: subject is 7" in caplog.text
    assert "+61412345678" not in caplog.text


# --- the document -----------------------------------------------------------------------------------------------------


def test_values_of_a_large_body_are_counted() -> None:
    """A body of as many octets as there may be is refused as soon as it holds too many values, and a picture is not."""
    many = b'{"to": "+61400", "parts": [' + b"[]," * 4_000_000 + b"[]]}"
    begun = time.process_time()
    with pytest.raises(ValueError, match="more than 20000 values"):
        json_reading.read(many)
    spent = time.process_time() - begun
    assert spent < 1, spent  # 0.02 s: the parser in C takes two seconds, and the interpreter with them
    picture = json.dumps({"to": "ü", "parts": [{"data": "QUJD" * 3_000_000}], "n": [1, -2.5, True, None]}).encode()
    assert json_reading.read(picture) == json.loads(picture)


def test_document(program: Callable[..., Program]) -> None:
    """The OpenAPI document is for everybody, is one, and names every code."""
    one = program()
    found = one.client.get("/v1/openapi.json")
    assert found.status_code == 200
    assert found.json() == json.loads(json.dumps(DOCUMENT))
    openapi_spec_validator.validate(DOCUMENT)
    content = DOCUMENT["paths"]["/v1/messages"]["post"]["requestBody"]["content"]
    assert content.keys() == {"application/json", "multipart/form-data"}
    assert content["multipart/form-data"]["schema"]["properties"]["parts"]["items"]["format"] == "binary"


@pytest.mark.parametrize("name", [name for name, (_, status, code, _) in BAD.items() if code == "missing-member"])
def test_document_refuses_too(name: str) -> None:
    """What the API refuses by its form, its document does, too."""
    schema = {"$ref": "#/components/schemas/NewMessage", "components": DOCUMENT["components"]}
    assert not jsonschema.Draft202012Validator(schema).is_valid(BAD[name][0])


def test_answers_have_every_refusal(program: Callable[..., Program]) -> None:
    """Each status that the tests above were answered is in the document."""
    post = DOCUMENT["paths"]["/v1/messages"]["post"]["responses"].keys()
    seen = (
        {str(one[1]) for one in BAD.values()}
        | {str(one[2]) for one in RAW.values()}
        | {"202", "401", "408", "413", "503"}
    )
    assert seen <= post
