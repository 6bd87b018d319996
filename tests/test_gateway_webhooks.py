"""Events by webhook: what is told when and to whom, how it is signed, what becomes of it where nobody takes it."""

from __future__ import annotations

import base64
import json
import logging
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests
from asgi_client import AsgiClient
from far_side import FarSide, Request, http
from gateway_process import OTHER_AUTH, GatewayProcess, eventually
from gateway_room import CALLED, ONE, OTHER, SUBMIT, TEXT, TNN, Room, basic
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from mm7zeep import exchange
from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.api.routes import ABOUT, ROUTES
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.parties import EVENT_TYPES, Application, Callback, Route, Upstream, Webhook
from mm7zeep.gateway.config.settings import Delivery
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.rest import openapi
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store.rows import CallRow
from mm7zeep.messages import CancelReq, DeliverReq, DeliveryReportReq, Number, ReadReplyReq, ShortCode

SECRET, NEXT = (f"whsec_{base64.b64encode(one * 32).decode()}" for one in (b"a", b"b"))
PNG = replace(TEXT, body=b"\x89PNG\r\n\x1a\n" + bytes(range(256)), content_type="image/png", content_id="p@x")
UP = Upstream(name="up", url="http://127.0.0.1:9/mm7", vaspid="WE", callback_username="up", callback_password="u")
ENDS = ("Retrieved", "Rejected", "Expired", "Indeterminate", "Forwarded", "Deferred", "Unrecognised")
HANDSETS = tuple(Handset(prefix=f"+6140{n}", outcome=one) for n, one in enumerate(ENDS))
_DOCUMENT = openapi.document(ABOUT, ROUTES)
_FORM = jsonschema.Draft202012Validator(
    {"$ref": "#/components/schemas/Event", "components": _DOCUMENT["components"]},
    format_checker=jsonschema.FormatChecker(),
)


class Ear:
    """A room whose application hears by webhook, and what it heard."""

    def __init__(self, room: Room, far: FarSide) -> None:
        self.room = room
        self.far = far

    def heard(self, secret: str = SECRET) -> list[Any]:
        """The events that came, each held against its signature by the library and against the OpenAPI document."""
        return [self.of(one, secret) for one in self.far.requests]

    @staticmethod
    def of(request: Request, secret: str = SECRET) -> Any:
        """The event of one request."""
        event = Verifier(secret).verify(request.body, dict(request.headers))
        _FORM.validate(event)
        return event

    def types(self) -> list[tuple[str, str | None]]:
        """What came, and about whom."""
        return [(one["type"], one["data"].get("recipient", {}).get("to")) for one in self.heard()]

    def ids(self) -> list[str | None]:
        """The ids under which it came."""
        return [one.header("webhook-id") for one in self.far.requests]

    def run(self) -> None:
        """Do all that is due."""
        self.room.gateway.run_pending()

    def calls(self) -> list[CallRow]:
        """The calls to the webhook, the oldest first."""
        return [one for one in self.room.outbox() if one.kind == "webhook"]


@pytest.fixture
def ear(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Ear]]:
    """Makes gateways that call a webhook which answers as it is told; closes them."""
    on_server = getattr(request, "param", "sqlite") == "postgresql"
    database = request.getfixturevalue("postgres_url") if on_server else None
    with ExitStack() as made:

        def make(
            *answers: Any,
            application: Application = TNN,
            others: tuple[Application, ...] = (OTHER,),
            webhook: Mapping[str, Any] = {},
            **options: Any,
        ) -> Ear:
            far = made.enter_context(FarSide(*(answers or ([http(204)],))))
            hears = replace(application, webhook=Webhook(**{"url": far.url, "secret": SECRET, **webhook}))
            options = {"handsets": HANDSETS, "api_url": "https://mms.example", **options}
            room = Room(tmp_path, hears, *others, database=database, **options)
            room.clock.now = datetime.now(UTC)  # by which the library judges
            made.callback(room.gateway.close)
            return Ear(room, far)

        yield make


BOTH = pytest.mark.parametrize("ear", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
"""Marks tests that are run on either engine."""


def to(*ends: str) -> Any:
    """A submit to handsets with these outcomes."""
    return replace(SUBMIT, to=tuple(Number(f"+6140{ENDS.index(one)}") for one in ends))


# --- what is told -----------------------------------------------------------------------------------------------------


@BOTH
def test_every_end(ear: Callable[..., Ear]) -> None:
    """Each recipient whose end is an event has one, without a report being asked for; the others have none."""
    one = ear()
    message_id = one.room.submitted(to(*ENDS))
    one.run()
    assert sorted(one.types()) == [
        ("message.delivered", "+61400"),
        ("message.expired", "+61402"),
        ("message.failed", "+61401"),
    ]
    assert one.room.calls.made == []
    now = one.room.clock.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    for event in one.heard():
        assert set(event) == {"type", "timestamp", "data"}
        assert event["timestamp"] == now
        assert event["data"]["message"]["id"] == message_id
        assert "recipients" not in event["data"]["message"]  # of a thousand each would have a thousand
        assert [part["n"] for part in event["data"]["message"]["parts"]] == [0]
    [delivered] = [event["data"]["recipient"] for event in one.heard() if event["type"] == "message.delivered"]
    assert delivered == {
        "to": "+61400",
        "state": "delivered",
        "mm_status": "Retrieved",
        "detail": None,
        "changed_at": now,
    }
    assert {call.state for call in one.calls()} == {"done"}
    assert len(set(one.ids())) == 3
    assert one.ids() == [
        call.transaction_id for call in sorted(one.calls(), key=lambda call: one.ids().index(call.transaction_id))
    ]
    one.room.clock.move(days=8)
    one.run()
    assert len(one.far.requests) == 3


def test_head_of_a_request(ear: Callable[..., Ear]) -> None:
    """A POST of JSON that says who sends it, and asks for no credentials, compression or connection to be kept."""
    one = ear([http(200, Set_Cookie="a=b")])
    for _ in range(2):
        one.room.submitted(to("Retrieved"))
        one.run()
    for request in one.far.requests:
        assert request.line == "POST /mm7 HTTP/1.1"
        names = {name.lower() for name, _ in request.headers}
        assert names == {
            *("host", "user-agent", "accept", "accept-encoding", "connection", "content-type", "content-length"),
            *("webhook-id", "webhook-timestamp", "webhook-signature"),
        }
        assert (request.header("content-type"), request.header("user-agent")) == ("application/json", "mm7zeep")
    assert one.far.connections == 2


def test_reference(ear: Callable[..., Ear]) -> None:
    """What was sent by JSON comes back with the application's own name for it."""
    one = ear()
    api = AsgiClient(one.room.gateway.api)
    try:
        body = {"to": "+61400", "parts": [{"text": "x"}], "reference": "order 7", "subject": "s\u202e"}
        sent = api.request("POST", "/v1/messages", json=body, auth=("tnn", "t")).json()
    finally:
        api.close()
    one.run()
    [event] = one.heard()
    told = event["data"]["message"]
    assert (told["id"], told["reference"], told["subject"]) == (sent["id"], "order 7", "s\u202e")
    same = {name: value for name, value in sent.items() if name not in ("parts", "recipients")}
    assert {name: told[name] for name in same} == same


@BOTH
def test_recipients_that_are_refused(ear: Callable[..., Ear]) -> None:
    """Of a submit that is served in part, the recipients that are no addresses have failed."""
    one = ear()
    mixed = replace(SUBMIT, to=(Number("+61400"), Number("nobody"), Number("nothing")))
    assert one.room.code(mixed) == 1100
    one.run()
    assert sorted(one.types()) == [
        ("message.delivered", "+61400"),
        ("message.failed", "nobody"),
        ("message.failed", "nothing"),
    ]
    failed = [event["data"]["recipient"] for event in one.heard() if event["type"] == "message.failed"]
    assert {(found["state"], found["mm_status"], found["detail"]) for found in failed} == {
        ("failed", None, "no address that can be served")
    }


def test_taken_back(ear: Callable[..., Ear]) -> None:
    """Of what the application took back itself it hears nothing."""
    one = ear()
    later = replace(SUBMIT, earliest_delivery_time=one.room.clock.now.replace(year=one.room.clock.now.year + 1))
    message_id = one.room.submitted(later)
    assert one.room.code(CancelReq(vaspid="TNN", vasid="News", message_id=message_id)) == 1000
    one.run()
    assert one.far.requests == []


@pytest.mark.parametrize("asked", [True, False])
def test_read(ear: Callable[..., Ear], asked: bool) -> None:
    """That a message was read is told where it was asked for; Deleted is no reading."""
    one = ear(handsets=(Handset(read=True),))
    message_id = one.room.submitted(replace(ONE, read_reply=asked))
    one.run()
    assert [kind for kind, _ in one.types()] == ["message.delivered", *(["message.read"] * asked)]
    if asked:
        read = one.heard()[1]["data"]["recipient"]
        assert (read["to"], read["state"], read["mm_status"]) == ("+61400", "delivered", "Retrieved")
    before = len(one.far.requests)
    assert not one.room.gateway.simulator.read(message_id, "+61400", "Deleted")
    assert one.room.gateway.simulator.read(message_id, "+61400", "Read")
    one.run()
    assert [kind for kind, _ in one.types()[before:]] == ["message.read"]


@BOTH
def test_order_of_one_recipient(ear: Callable[..., Ear]) -> None:
    """What came first of a recipient is told first, though it has to be told again; others do not wait for it."""
    one = ear([http(503)], [http(204)], handsets=(Handset(read=True),))
    one.room.submitted(replace(SUBMIT, read_reply=True))
    for _ in range(8):
        one.run()
        one.room.clock.move(seconds=2)
    kinds = {who: [kind for kind, about in one.types() if about == who] for who in ("+61400", "+61411")}
    first = one.types()[0][1]
    assert kinds.pop(str(first)) == ["message.delivered", "message.delivered", "message.read"]
    assert list(kinds.values()) == [["message.delivered", "message.read"]]


def test_events_that_are_wanted(ear: Callable[..., Ear]) -> None:
    """An application hears of the events alone that it wants, and takes no MO where it does not want those."""
    one = ear(webhook={"events": ("message.failed",)})
    one.room.submitted(to("Retrieved", "Rejected"))
    one.run()
    assert one.types() == [("message.failed", "+61401")]
    with pytest.raises(ValueError, match=r"no webhook for message\.received"):
        one.room.gateway.simulator.send_mo("tnn", "+61499", "111122", "s", "x")


def test_both_ways(ear: Callable[..., Ear]) -> None:
    """With a callback beside it, the reports that were asked for go there, and the events to the webhook."""
    one = ear(application=CALLED)
    one.room.submitted(replace(to("Retrieved", "Rejected"), delivery_report=True))
    one.run()
    reports = one.room.calls.of(DeliveryReportReq)
    assert sorted(report.mm_status for report in reports) == ["Rejected", "Retrieved"]
    assert sorted(kind for kind, _ in one.types()) == ["message.delivered", "message.failed"]


# --- MO ---------------------------------------------------------------------------------------------------------------


def fetched(one: Ear, url: str, method: str = "GET") -> Any:
    """What a part's URL gives, without credentials."""
    assert url.startswith("https://mms.example/v1/media/")
    client = AsgiClient(one.room.gateway.api)
    try:
        return client.request(method, url.removeprefix("https://mms.example"))
    finally:
        client.close()


@BOTH
def test_mo(ear: Callable[..., Ear]) -> None:
    """An MO of an application without a callback is told with URLs of its media, and taken when its event is."""
    one = ear()
    call = one.room.gateway.simulator.send_mo("tnn", "+61499", "111122", "s", ["from me", PNG])
    assert one.room.states(call.message_id) == ["Pending"]
    one.run()
    assert one.room.states(call.message_id) == ["Delivered"]
    [event] = one.heard()
    assert event["type"] == "message.received"
    told = event["data"]["message"]
    assert (told["id"], told["direction"], told["from"], told["subject"]) == (call.message_id, "inbound", "+61499", "s")
    assert [recipient["to"] for recipient in told["recipients"]] == ["111122"]
    media = {part["content_type"]: fetched(one, part["url"]) for part in told["parts"]}
    assert media["text/plain"].content == b"from me"
    assert (media["image/png"].content, media["image/png"].headers["content-type"]) == (PNG.read(), "image/png")


@BOTH
def test_mo_that_is_not_taken(ear: Callable[..., Ear]) -> None:
    """Given up, an MO is Refused and a dead letter; replayed it waits again, under the same id, at another time."""
    one = ear([http(500, "no")], [http(500, "no")], [http(204)], delivery=Delivery(waits=(60,), spread=0))
    started = one.room.clock()
    call = one.room.gateway.simulator.send_mo("tnn", "+61499", "111122", "s", "x")
    one.run()
    assert one.room.states(call.message_id) == ["Pending"]
    one.room.clock.move(seconds=61)
    one.run()
    [dead] = one.calls()
    assert (dead.state, dead.attempts, dead.http_status, dead.answer) == ("dead", 2, 500, b"no")
    assert dead.reason == "the receiver answered 500 Internal Server Error (given up)"
    assert one.room.states(call.message_id) == ["Refused"]
    assert one.room.gateway.replay(endpoint=one.far.url) == 1
    assert one.room.states(call.message_id) == ["Pending"]
    one.room.clock.move(seconds=60)
    one.run()
    assert one.room.states(call.message_id) == ["Delivered"]
    assert one.ids() == [dead.transaction_id] * 3
    times = [int(request.header("webhook-timestamp") or 0) for request in one.far.requests]
    assert times == [int(started), int(started + 61), int(started + 121)]
    assert len({request.header("webhook-signature") for request in one.far.requests}) == 3
    assert len({event["timestamp"] for event in one.heard()}) == 1  # when it happened


@BOTH
@pytest.mark.parametrize("taken", ["callback", "webhook"])
def test_mo_by_both(ear: Callable[..., Ear], taken: str) -> None:
    """With both, the call by MM7 decides what becomes of an MO, whatever becomes of the event; also when replayed."""
    one = ear([http(204 if taken == "webhook" else 500)], application=CALLED, delivery=Delivery(waits=()))
    if taken == "webhook":
        one.room.calls.refuse = ValueError("never")
    call = one.room.gateway.simulator.send_mo("tnn", "+61499", "111122", "s", "x")
    assert call.kind == "deliver"
    one.run()
    assert {found.kind: found.state for found in one.room.outbox()} == {
        "deliver": "done" if taken == "callback" else "dead",
        "webhook": "done" if taken == "webhook" else "dead",
    }
    ended = "Delivered" if taken == "callback" else "Refused"
    assert one.room.states(call.message_id) == [ended]
    [event] = one.calls()
    one.room.gateway.replay(id=event.id)
    assert one.room.states(call.message_id) == [ended]
    one.run()
    assert one.room.states(call.message_id) == [ended]
    assert [kind for kind, _ in one.types()] == ["message.received"] * 2


def test_failed_event_of_a_refused_recipient_is_replayed(ear: Callable[..., Ear]) -> None:
    """The event of a recipient that was refused may be made again; the recipient stays refused."""
    one = ear([http(500)], delivery=Delivery(waits=()))
    mixed = replace(SUBMIT, to=(Number("nobody"), Number("+61400")))
    assert one.room.code(mixed) == 1100
    one.run()
    [message] = one.room.messages
    assert one.room.gateway.replay(endpoint=one.far.url) == 2
    assert one.room.states(message.id) == ["Refused", "Retrieved"]


def test_between_applications(ear: Callable[..., Ear]) -> None:
    """A message for the short code of an application that has a webhook alone reaches it; its sender hears so, too."""
    one = ear(
        others=(replace(OTHER, callback=None),),
    )
    sender, receiver = one.room.settings.applications
    hears = replace(receiver, webhook=Webhook(url=one.far.url, secret=NEXT))
    settings = replace(one.room.settings, applications=(sender, hears))
    gateway = Gateway(settings, clock=one.room.clock)
    old, one.room.gateway = one.room.gateway, gateway
    old.close()
    message_id = one.room.submitted(replace(ONE, to=(ShortCode("333"),)))
    one.run()
    first, second = one.far.requests
    received, delivered = one.of(first, NEXT), one.of(second)
    assert (received["type"], delivered["type"]) == ("message.received", "message.delivered")
    assert received["data"]["message"]["id"] != delivered["data"]["message"]["id"] == message_id
    assert received["data"]["message"]["from"] == "111122"
    gateway.close()


def brought(one: Ear, message: Any) -> int:
    """The status that an upstream's request is answered with."""
    wire = exchange.pack(message)
    answer = one.room.gateway.answer(replace(wire, headers=(*wire.headers, basic("up"))))
    code: int = exchange.unpack(answer, policy="strict").message.status.code  # type: ignore[attr-defined]
    return code


def test_from_an_upstream(ear: Callable[..., Ear]) -> None:
    """What an upstream brings is told: an MO, a delivery with its time and words, a reading; each once."""
    with FarSide() as mmsc:
        one = ear(upstreams=(replace(UP, url=mmsc.url),), routes=(Route(prefix="+64", via="up"),))
        one.room.submitted(replace(SUBMIT, to=(Number("+641"), Number("+61400")), read_reply=True))
        one.run()
    [asked] = mmsc.requests
    assert asked.unpack().message.delivery_report is True  # type: ignore[attr-defined]
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    report = DeliveryReportReq(
        message_id="m-1",
        recipient=Number("+641"),
        sender=Number("1"),
        date=when,
        mm_status="Rejected",
        status_text="not for this phone",
    )
    assert [brought(one, report) for _ in range(2)] == [1000, 1000]
    read = ReadReplyReq(
        message_id="m-1", recipient=Number("+641"), sender=Number("1"), time_stamp=when, mm_status="Read"
    )
    assert brought(one, read) == 1000
    assert brought(one, DeliverReq(sender=Number("+641"), to=(ShortCode("111122"),), parts=(TEXT,))) == 1000
    one.run()
    assert sorted(one.types(), key=str) == [
        ("message.delivered", "+61400"),
        ("message.failed", "+641"),
        ("message.read", "+61400"),
        ("message.read", "+641"),
        ("message.received", None),
    ]
    [failed] = [event for event in one.heard() if event["type"] == "message.failed"]
    assert failed["timestamp"] == failed["data"]["recipient"]["changed_at"] == "2026-01-02T03:04:05.000Z"
    assert failed["data"]["recipient"]["detail"] == "not for this phone"


# --- signatures -------------------------------------------------------------------------------------------------------


def test_rotation(ear: Callable[..., Ear]) -> None:
    """During a rotation both secrets sign, so that whoever knows either verifies; any change is noticed."""
    one = ear(webhook={"secret": NEXT, "old_secret": SECRET})
    one.room.submitted(to("Retrieved"))
    one.run()
    [request] = one.far.requests
    assert one.of(request, SECRET) == one.of(request, NEXT)
    assert len((request.header("webhook-signature") or "").split(" ")) == 2
    third = f"whsec_{base64.b64encode(b'c' * 32).decode()}"
    head = dict(request.headers)
    for secret, body, fields in (
        (third, request.body, {}),
        (SECRET, request.body.replace(b"+61400", b"+61401"), {}),
        (SECRET, request.body, {"webhook-id": "another"}),
        (SECRET, request.body, {"webhook-timestamp": str(int(one.room.clock()) + 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Verifier(secret).verify(body, {**head, **fields})


@BOTH
def test_reloaded_with_another_secret(ear: Callable[..., Ear]) -> None:
    """What was planned before the settings were read again is signed with the secret of now, and goes to the URL of
    now; where the webhook is gone, it is a dead letter.
    """
    one = ear()
    one.room.submitted(to("Retrieved"))
    with one.room.gateway.database.write() as connection:
        one.room.gateway.dispatcher.network.advance(connection, one.room.clock())
    application = one.room.settings.applications[0]
    assert application.webhook is not None
    changed = replace(application.webhook, secret=NEXT, url=f"{one.far.url}/new")
    old = one.room.gateway
    for webhook in (changed, None):
        settings = replace(one.room.settings, applications=(replace(application, webhook=webhook),))
        one.room.gateway = Gateway(settings, clock=one.room.clock, deliver=one.room.calls)
        one.run()
        [call] = one.calls()
        if webhook is not None:
            [request] = one.far.requests
            assert request.line == "POST /mm7/new HTTP/1.1"
            assert one.of(request, NEXT)["type"] == "message.delivered"
            assert call.state == "done"
            one.room.gateway.replay(id=call.id)
        one.room.gateway.close()
    one.room.gateway = old
    [call] = one.calls()
    assert (call.state, call.reason) == ("dead", "the application tnn has no webhook any more")


@pytest.mark.processes
@pytest.mark.parametrize("workers", [1, 2])
def test_secret_is_rotated_in_a_running_gateway(tmp_path: Path, workers: int) -> None:
    """After SIGHUP the new secret signs beside the old one, and alone once that is taken out; media are served."""

    def hear(base: str, count: int) -> Request:
        """The event of a message that is sent now."""
        body = {"to": "+61400", "parts": [{"text": "hello"}]}
        assert requests.post(f"{base}/v1/messages", json=body, auth=OTHER_AUTH, timeout=10).status_code == 202
        eventually(lambda: len(far.requests) >= count and far.requests[-1].complete, "the event")
        return far.requests[-1]

    gateway = GatewayProcess(tmp_path, workers=workers)
    with FarSide([http(204)]) as far:
        whole = gateway.config.read_text(encoding="utf-8")
        said = [f'secret = "{SECRET}"', f'secret = "{NEXT}"\nold_secret = "{SECRET}"', f'secret = "{NEXT}"']
        texts = [f'{whole}\n[application.webhook]\nurl = "{far.url}"\n{lines}\n' for lines in said]
        gateway.config.write_text(texts[0], encoding="utf-8")
        with gateway:
            base = gateway.api.removesuffix("/v1")
            for n, (text, secrets) in enumerate(zip(texts, ((SECRET,), (SECRET, NEXT), (NEXT,)), strict=True)):
                if n:
                    gateway.config.write_text(text, encoding="utf-8")
                    gateway.signal(signal.SIGHUP)
                    reloads = n
                    eventually(
                        lambda reloads=reloads: (  # type: ignore[misc]
                            gateway.errors.count("the configuration was reloaded") >= reloads
                        ),
                        "the reload",
                        timeout=60,
                    )
                request = hear(base, n + 1)
                assert len((request.header("webhook-signature") or "").split(" ")) == len(secrets)
                [event] = {json.dumps(Ear.of(request, secret)) for secret in secrets}
                [part] = json.loads(event)["data"]["message"]["parts"]
                assert part["url"].startswith(base)
                assert requests.get(part["url"], timeout=10).content == b"hello"
            assert not any(secret in gateway.errors for secret in (SECRET, NEXT, "signature="))
            assert gateway.stop() == 0


# --- who does not take it ---------------------------------------------------------------------------------------------

PAUSED, AGAIN = "paused", "ready"
ANSWERS = {200: "done", 201: "done", 299: "done"}
ANSWERS |= dict.fromkeys((301, 302, 307, 400, 404, 405, 408, 422, 429, 500, 501, 503), AGAIN)
ANSWERS |= dict.fromkeys((401, 403, 410), PAUSED)


@pytest.mark.parametrize("status", ANSWERS)
def test_answers(ear: Callable[..., Ear], status: int) -> None:
    """2xx is done, whatever it says; 401, 403 and 410 pause the endpoint; every other one is tried again later."""
    with FarSide([http(204)]) as elsewhere:
        one = ear([http(status, "said", Location=elsewhere.url)], [http(204)])
        one.room.submitted(to("Retrieved"))
        one.run()
        [call] = one.calls()
        rows = one.room.gateway
        assert call.state == ("done" if ANSWERS[status] == "done" else "ready")
        if ANSWERS[status] != "done":
            assert (call.http_status, call.answer) == (status, b"said")
            assert call.attempts == (0 if ANSWERS[status] == PAUSED else 1)
        one.room.clock.move(minutes=1)
        one.run()
        assert len(one.far.requests) == (2 if ANSWERS[status] == AGAIN else 1)
        if ANSWERS[status] == PAUSED:
            assert rows.replay(endpoint=one.far.url) == 1
            one.run()
            assert len(set(one.ids())) == 1
            assert one.calls()[0].state == "done"
        assert elsewhere.requests == []


def test_retry_after(ear: Callable[..., Ear]) -> None:
    """A Retry-After is obeyed."""
    one = ear([http(429, Retry_After="600")], [http(204)])
    one.room.submitted(to("Retrieved"))
    one.run()
    one.room.clock.move(seconds=599)
    one.run()
    assert len(one.far.requests) == 1
    one.room.clock.move(seconds=2)
    one.run()
    assert [call.state for call in one.calls()] == ["done"]


FAILURES: Mapping[str, tuple[Any, str]] = {
    "silence": ([60.0], "time"),
    "a head that drips": ([b"HTTP/1.1 200 OK\r\nX: ", *([b"x", 0.05] * 1000)], "time"),
    "no HTTP": ([b"hello\r\n\r\n"], "cannot be read"),
    "an endless head": ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000], "cannot be read"),
    "a 404 that cannot be read": ([b"HTTP/1.1 404 No\r\nContent-Length: x\r\n\r\n"], "cannot be read"),
    "nothing": (["close"], "no answer"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_no_answer(ear: Callable[..., Ear], name: str) -> None:
    """What gives no answer in time is tried again, and the reason says what happened without what is secret."""
    steps, words = FAILURES[name]
    one = ear(steps, delivery=Delivery(timeout=0.5), webhook={})
    started = time.monotonic()
    one.room.submitted(to("Retrieved"))
    one.run()
    assert time.monotonic() - started < 20
    [call] = one.calls()
    assert (call.state, call.attempts) == ("ready", 1)
    assert words in (call.reason or "")


def test_nobody_there(ear: Callable[..., Ear]) -> None:
    """Where nobody listens, it is tried again."""
    one = ear(webhook={"url": "http://127.0.0.1:9/"})
    one.room.submitted(to("Retrieved"))
    one.run()
    [call] = one.calls()
    assert (call.state, call.attempts) == ("ready", 1)
    assert "could not be sent to 127.0.0.1:9" in (call.reason or "")


@pytest.mark.parametrize("status", [200, 500])
def test_endless_answer(ear: Callable[..., Ear], status: int) -> None:
    """Of an answer without an end no more is read than is kept; the status counts."""
    one = ear([b"HTTP/1.1 %d X\r\n\r\n" % status, *([b"x" * 100_000] * 20), 60.0], delivery=Delivery(timeout=60))
    one.room.submitted(to("Retrieved"))
    started = time.monotonic()
    one.run()
    assert time.monotonic() - started < 20
    [call] = one.calls()
    assert (call.state, call.answer) == (("done", None) if status == 200 else ("ready", b"x" * 20_000))


def test_internal_address(ear: Callable[..., Ear]) -> None:
    """An address of the inner network is not called, and the endpoint waits for somebody to look at it."""
    one = ear()
    inner = replace(one.room.settings, allow_internal=False)
    one.room.gateway.close()
    one.room.gateway = gateway = Gateway(inner, clock=one.room.clock, deliver=one.room.calls)
    one.room.submitted(to("Retrieved"))
    one.run()
    [call] = one.calls()
    assert (call.state, call.attempts) == ("ready", 0)
    assert "loopback" in (call.reason or "")
    assert one.far.connections == 0
    gateway.close()


def test_proxy_and_netrc_of_the_environment(
    ear: Callable[..., Ear], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a proxy nor credentials of whoever runs the gateway are used."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    one = ear()
    one.room.submitted(to("Retrieved"))
    one.run()
    [request] = one.far.requests
    assert request.header("authorization") is None


def test_deleted_message(ear: Callable[..., Ear]) -> None:
    """The event of a message that is there no more cannot be told."""
    one = ear([http(500)])
    message_id = one.room.submitted(to("Retrieved"))
    one.run()
    [call] = one.calls()
    with one.room.gateway.database.write() as connection:
        store.delete(connection, [message_id])
    outcome = one.room.gateway._caller.make(call)
    assert (outcome.verdict, outcome.reason) == ("dead", "the message was deleted")


def test_at_least_once(ear: Callable[..., Ear]) -> None:
    """Where the worker that told an event died before it could say so, the event is told again under its id."""
    one = ear()
    one.room.submitted(to("Retrieved"))
    claimed: list[CallRow] = []
    while not claimed:
        _, claimed = one.room.gateway.dispatcher.run_once()
    one.room.gateway._caller.make(claimed[0])  # and nothing is recorded
    one.room.gateway.dispatcher._flying.clear()
    one.room.clock.move(seconds=61)
    one.run()
    assert len(one.far.requests) == 2
    assert len(set(one.ids())) == 1
    assert [call.state for call in one.calls()] == ["done"]


def test_in_threads(ear: Callable[..., Ear]) -> None:
    """Many events go out together, each once."""
    one = ear()
    with one.room.gateway.working():
        for _ in range(20):
            one.room.submitted(to("Retrieved", "Rejected"))
        until = time.monotonic() + 20
        while len(one.far.requests) < 40 and time.monotonic() < until:
            time.sleep(0.02)
    assert len(set(one.ids())) == len(one.far.requests) == 40
    assert len(one.heard()) == 40


# --- media ------------------------------------------------------------------------------------------------------------


def media_url(one: Ear) -> str:
    """The URL of a picture in an event."""
    one.room.gateway.simulator.send_mo("tnn", "+61499", "111122", "s", PNG)
    one.run()
    [part] = one.heard()[-1]["data"]["message"]["parts"]
    url: str = part["url"]
    return url


CHANGES: Mapping[str, Callable[[str], str]] = {
    "another part": lambda url: url.replace("/0?", "/1?"),
    "another message": lambda url: url.replace("/media/", "/media/a"),
    "another time": lambda url: url.replace("expires=", "expires=1"),
    "another signature": lambda url: url[:-1] + ("A" if url[-1] != "A" else "B"),
    "a longer signature": lambda url: url + "=",
    "a signature of other letters": lambda url: url + "%C3%BC",
    "no signature": lambda url: url.partition("&")[0],
    "no query": lambda url: url.partition("?")[0],
}


@pytest.mark.parametrize("name", CHANGES)
def test_changed_media_urls(ear: Callable[..., Ear], name: str) -> None:
    """A URL that was changed in any way opens nothing."""
    one = ear()
    answer = fetched(one, CHANGES[name](media_url(one)))
    assert (answer.status_code, answer.json()["code"]) == (403, "media-url-wrong")


@BOTH
def test_media_url(ear: Callable[..., Ear]) -> None:
    """A URL serves the part to whoever has it, a page of the application included, until it expires; no part else."""
    one = ear(media_urls=3600.0)
    url = media_url(one)
    answer = fetched(one, url)
    assert (answer.status_code, answer.content) == (200, PNG.read())
    assert answer.headers.get_list("cross-origin-resource-policy") == ["cross-origin"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert fetched(one, url, "POST").status_code == 405
    other = Gateway(one.room.settings, clock=one.room.clock)  # another process knows it, too
    try:
        client = AsgiClient(other.api)
        assert client.get(url.removeprefix("https://mms.example")).content == PNG.read()
        client.close()
    finally:
        other.close()
    one.room.clock.move(seconds=3599)
    assert fetched(one, url).status_code == 200
    one.room.clock.move(seconds=2)
    late = fetched(one, url)
    assert (late.status_code, late.json()["code"]) == (410, "media-url-expired")
    one.room.clock.move(seconds=-60)
    with one.room.gateway.database.write() as connection:
        store.delete(connection, [message.id for message in one.room.messages])
    gone = fetched(one, url)
    assert (gone.status_code, gone.json()["code"]) == (404, "message-not-found")


def test_each_database_has_its_key(ear: Callable[..., Ear], tmp_path: Path) -> None:
    """A URL of one gateway opens nothing at another."""
    one = ear()
    path = media_url(one).removeprefix("https://mms.example")
    settings = replace(one.room.settings, database=f"sqlite:///{tmp_path / 'another.db'}")
    other = Gateway(settings, clock=one.room.clock)
    client = AsgiClient(other.api)
    try:
        assert client.get(path).status_code == 403
    finally:
        client.close()
        other.close()


def test_media_over_http(ear: Callable[..., Ear], caplog: pytest.LogCaptureFixture) -> None:
    """GET and HEAD over a socket; the signature stands in no line of the log, whatever is answered."""
    one = ear()
    url = media_url(one)
    with caplog.at_level(logging.DEBUG), serve_in_thread(one.room.gateway.api) as base:
        there = url.replace("https://mms.example", base)
        got, head = requests.get(there, timeout=10), requests.head(there, timeout=10)
        assert (got.content, head.content) == (PNG.read(), b"")
        assert {**got.headers, "date": ""} == {**head.headers, "date": ""}
        assert head.headers["content-length"] == str(PNG.size)
        for change in CHANGES.values():
            assert requests.get(change(there), timeout=10).status_code == 403
        one.room.clock.move(days=2)
        assert requests.get(there, timeout=10).status_code == 410
    ours = [record for record in caplog.records if record.name.startswith("mm7zeep")]
    assert any("GET /v1/media/{id}/{n}" in record.getMessage() for record in ours)
    signature = url.partition("signature=")[2]
    assert not any(signature in f"{record.getMessage()} {record.__dict__}" for record in ours)


# --- seen by who runs it ----------------------------------------------------------------------------------------------


def test_admin(ear: Callable[..., Ear]) -> None:
    """The admin listener shows the calls, what they tell, and where an application hears; never the secret."""
    one = ear([http(401)])
    one.room.submitted(to("Retrieved"))
    one.run()
    client = AsgiClient(admin_app(one.room.gateway))
    try:
        [shown] = client.get("/api/v1/callbacks?state=paused").json()["callbacks"]
        assert (shown["kind"], shown["application"], shown["endpoint"]) == ("webhook", "tnn", one.far.url)
        whole = client.get(f"/api/v1/callbacks/{shown['id']}").json()
        assert whole["told"]["type"] == "message.delivered"
        [found, _] = client.get("/api/v1/applications").json()["applications"]
        assert found["webhook"] == {"url": one.far.url, "events": list(EVENT_TYPES)}
        page = client.get("/metrics").text
        assert 'mm7_calls_total{kind="webhook",outcome="pause",owner="tnn"} 1.0' in page
        resumed = client.request("POST", "/api/v1/endpoints/resume", json={"endpoint": one.far.url}).json()
        assert resumed == {"resumed": 1}
        body = {"application": "tnn", "from": "+61499", "text": "x"}
        assert client.request("POST", "/api/v1/deliver", json=body).status_code == 202
        assert SECRET not in f"{found} {whole} {one.room.settings!r}"
    finally:
        client.close()


def test_nobody_takes_messages(ear: Callable[..., Ear]) -> None:
    """An application that hears of no MO is brought none: neither by a handset, an upstream nor another application."""
    one = ear(webhook={"events": ("message.read",)}, upstreams=(UP,))
    client = AsgiClient(admin_app(one.room.gateway))
    try:
        body = {"application": "tnn", "from": "+61499", "text": "x"}
        refused = client.request("POST", "/api/v1/deliver", json=body)
        assert (refused.status_code, "webhook" in refused.json()["error"]) == (409, True)
    finally:
        client.close()
    assert brought(one, DeliverReq(sender=Number("+641"), to=(ShortCode("111122"),), parts=(TEXT,))) == 2003


def test_size_of_an_event(ear: Callable[..., Ear]) -> None:
    """The event of one recipient of a thousand says nothing of the others."""
    one = ear(handsets=(Handset(),))
    many = replace(SUBMIT, to=tuple(Number(f"+614{n:08}") for n in range(1000)))
    one.room.submitted(many)
    claimed: list[CallRow] = []
    while not claimed:
        _, claimed = one.room.gateway.dispatcher.run_once()
    assert one.room.gateway._caller.make(claimed[0]).verdict == "done"
    [request] = one.far.requests
    assert len(request.body) < 2000
    assert json.loads(request.body)["data"]["recipient"]["to"].startswith("+614")


def test_callback_alone(ear: Callable[..., Ear]) -> None:
    """An application without a webhook has no events."""
    one = ear(application=replace(TNN, callback=Callback(deliver="http://x/", username="x", password="y")))
    settings = replace(one.room.settings, applications=(CALLED,))
    one.room.gateway.close()
    one.room.gateway = gateway = Gateway(settings, clock=one.room.clock, deliver=one.room.calls)
    one.room.submitted(to("Retrieved"))
    one.run()
    assert one.room.outbox() == []
    gateway.close()
