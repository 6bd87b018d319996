"""Every door in, by every way back: a text and a picture go out, the report and an answer with a picture come back.

MM7, JSON and Twilio's form are the doors; MM7 callbacks, webhooks and Twilio's form the ways back.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from far_side import FarSide, http, proper
from gateway_room import TNN
from standardwebhooks import Webhook as Verifier
from twilio.request_validator import RequestValidator

from mm7zeep.client import VaspClient
from mm7zeep.gateway.config.parties import Application, Callback, Twilio, Webhook
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.mm7.listener import PATH
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.messages import DeliverReq, DeliveryReportReq, Part, ShortCode

DOORS = ("MM7", "JSON", "Twilio")
WAYS = ("MM7", "webhook", "Twilio")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
TEXT, ANSWER = "News for töday", "Schön!"
NUMBER, CODE = "+61491570156", "111122"
SECRET = f"whsec_{base64.b64encode(b's' * 32).decode()}"
SID, TOKEN = "AC" + "0" * 32, "token"


@dataclass
class Told:
    """What came back, in one form whichever way it came: about which message, whose, from whom, and what."""

    id: str
    to: str
    state: str | None = None
    sender: str | None = None
    text: str | None = None
    picture: bytes | None = None


class Crossing:
    """A gateway with one application, a web server that it calls, and a picture on the web."""

    def __init__(self, gateway: Gateway, mm7: str, api: str, ear: FarSide, web: FarSide) -> None:
        self.gateway = gateway
        self.mm7 = mm7
        self.api = api
        self.ear = ear
        self.web = web

    # --- in -----------------------------------------------------------------------------------------------------------

    def send(self, door: str) -> str:
        """Send the text and the picture by a door; the MessageID."""
        return {"MM7": self._by_mm7, "JSON": self._by_json, "Twilio": self._by_twilio}[door]()

    def _by_mm7(self) -> str:
        with VaspClient(self.mm7 + PATH, vaspid="TNN", vasid="News", auth=("tnn", "t")) as client:
            content = [TEXT, Part(body=PNG, content_type="image/png")]
            sent = client.submit(to=NUMBER, content=content, sender_address=ShortCode(CODE), delivery_report=True)
        return str(sent.message_id)

    def _by_json(self) -> str:
        parts = [{"text": TEXT}, {"data": base64.b64encode(PNG).decode(), "content_type": "image/png"}]
        body = {"to": NUMBER, "from": CODE, "parts": parts, "delivery_report": True}
        answer = requests.post(f"{self.api}/v1/messages", json=body, auth=("tnn", "t"), timeout=10)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def _by_twilio(self) -> str:
        given = {"To": NUMBER, "From": CODE, "Body": TEXT, "MediaUrl": f"{self.web.url}/a.png"}
        url = f"{self.api}/2010-04-01/Accounts/{SID}/Messages.json"
        answer = requests.post(url, data={**given, "StatusCallback": self.ear.url}, auth=(SID, TOKEN), timeout=10)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["sid"])[2:]

    # --- back ---------------------------------------------------------------------------------------------------------

    def told(self, way: str) -> list[Told]:
        """What came back by a way, in its order; each is held against its signature or its schema."""
        return [one for request in self.ear.requests if (one := self._told(way, request)) is not None]

    def _told(self, way: str, request: Any) -> Told | None:
        kind = request.header("Content-Type") or ""
        if way == "MM7":
            return self._of_mm7(request) if "xml" in kind or "multipart" in kind else None
        if way == "webhook":
            return self._of_event(request) if kind == "application/json" else None
        return self._of_form(request) if kind == "application/x-www-form-urlencoded" else None

    def _of_mm7(self, request: Any) -> Told:
        received = request.unpack()
        assert received.findings == ()
        message = received.message
        if isinstance(message, DeliveryReportReq):
            return Told(id=message.message_id, to=message.recipient.value, state=message.mm_status)
        assert isinstance(message, DeliverReq)
        [text] = [one.text() for one in message.parts if one.content_type == "text/plain"]
        [picture] = [one.read() for one in message.parts if one.content_type == "image/gif"]
        [to] = message.to
        return Told(id=str(message.linked_id), to=to.value, sender=message.sender.value, text=text, picture=picture)

    def _of_event(self, request: Any) -> Told:
        event = Verifier(SECRET).verify(request.body, dict(request.headers))
        message = event["data"]["message"]
        if event["type"] != "message.received":
            recipient = event["data"]["recipient"]
            return Told(id=message["id"], to=recipient["to"], state=recipient["mm_status"])
        parts = {one["content_type"]: requests.get(one["url"], timeout=5).content for one in message["parts"]}
        return Told(
            id=message["id"],
            to=message["recipients"][0]["to"],
            sender=message["from"],
            text=parts["text/plain"].decode(),
            picture=parts["image/gif"],
        )

    def _of_form(self, request: Any) -> Told:
        fields = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        signature = request.header("X-Twilio-Signature")
        assert RequestValidator(TOKEN).validate(self.ear.url, fields, signature)
        id = fields["MessageSid"][2:]
        if "MessageStatus" in fields:
            state = {"delivered": "Retrieved"}.get(fields["MessageStatus"])
            return Told(id=id, to=fields["To"], state=state)
        assert fields["MediaContentType0"] == "image/gif"
        picture = requests.get(fields["MediaUrl0"], timeout=5).content
        return Told(id=id, to=fields["To"], sender=fields["From"], text=fields["Body"], picture=picture)


def application(way: str, ear: str) -> Application:
    """The application, which hears by this way; its account has no incoming but by that of Twilio."""
    twilio = Twilio(account_sid=SID, auth_token=TOKEN)
    if way == "MM7":
        return replace(TNN, callback=Callback(deliver=ear, username="x", password="y"), twilio=twilio)
    if way == "webhook":
        return replace(TNN, webhook=Webhook(url=ear, secret=SECRET), twilio=twilio)
    return replace(TNN, twilio=replace(twilio, incoming=ear, status_callback=ear))


def taken(request: Any) -> Any:
    """The answer of an application that takes everything."""
    if "form" in (request.header("Content-Type") or "") or "json" in (request.header("Content-Type") or ""):
        return [http(204)]
    return proper(request)


@pytest.fixture
def crossing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Crossing]:
    """A gateway whose application hears by the way that is asked for."""
    with ExitStack() as stack:
        ear = stack.enter_context(FarSide(*[taken] * 4))
        web = stack.enter_context(FarSide([http(200, PNG, "image/png")]))
        known: list[Gateway] = []

        async def later(scope: Any, receive: Any, send: Any) -> None:  # its address stands in the settings
            await known[0].api(scope, receive, send)

        api = stack.enter_context(serve_in_thread(later))
        settings = Settings(
            applications=(application(request.param, ear.url),),
            database=f"sqlite:///{tmp_path / 'gateway.db'}",
            allow_internal=True,
            api_url=api,
        )
        gateway = Gateway(settings)
        stack.callback(gateway.close)
        known.append(gateway)
        mm7 = stack.enter_context(serve_in_thread(gateway.asgi))
        yield Crossing(gateway, mm7, api, ear, web)


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crossing", WAYS, indirect=True, ids=[f"by {way}" for way in WAYS])
@pytest.mark.parametrize("door", DOORS)
def test_crossing(crossing: Crossing, door: str, request: pytest.FixtureRequest) -> None:
    """What goes in by each door reaches the handset as it was, and what comes back by each way is the same."""
    way = str(request.node.callspec.params["crossing"])
    id = crossing.send(door)
    crossing.gateway.run_pending()
    parts = crossing.gateway.simulator.retrieved(id)
    assert [one.text() for one in parts if one.content_type == "text/plain"] == [TEXT]
    assert [one.read() for one in parts if one.content_type == "image/png"] == [PNG]
    content = [ANSWER, Part(body=GIF, content_type="image/gif")]
    answer = crossing.gateway.simulator.send_mo("tnn", NUMBER, CODE, content=content).message_id
    crossing.gateway.run_pending()
    report, mo = crossing.told(way)
    assert report == Told(id=id, to=NUMBER, state="Retrieved")
    assert mo == Told(id=answer, to=CODE, sender=NUMBER, text=ANSWER, picture=GIF)
