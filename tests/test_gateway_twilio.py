"""Twilio's form: what the unmodified ``twilio`` package sends, lists and reads of a gateway, and what it is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from far_side import FarSide, http
from gateway_room import CALLED, OTHER, Room
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from mm7zeep.errors import TransportError
from mm7zeep.gateway.api.states import State
from mm7zeep.gateway.api.twilio.errors import STATUSES as ERRORS
from mm7zeep.gateway.api.twilio.resources import STATUSES
from mm7zeep.gateway.config.opt_out import OptOut
from mm7zeep.gateway.config.parties import Application, Route, Twilio, Upstream
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.messages import Number, Part

SID, OTHER_SID = "AC" + "0" * 32, "AC" + "1" * 32
TOKEN = "token-of-tnn"
TNN = replace(CALLED, twilio=Twilio(account_sid=SID, auth_token=TOKEN), opt_out=OptOut())
ELSE = replace(OTHER, twilio=Twilio(account_sid=OTHER_SID, auth_token="token-of-other"))
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"


class Here(TwilioHttpClient):
    """Twilio's own HTTP client, which finds the gateway where api.twilio.com would be."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def request(self, method: str, url: str, **options: Any) -> Any:  # type: ignore[override]
        parts = urlsplit(url)
        assert parts.netloc == "api.twilio.com"
        return super().request(method, self._url + url.removeprefix("https://api.twilio.com"), **options)


class Product:
    """A product that speaks Twilio, and the gateway behind its URL."""

    def __init__(self, room: Room, url: str) -> None:
        self.room = room
        self.url = url

    def client(self, sid: str = SID, token: str = TOKEN) -> Client:
        """Twilio's client, with these credentials."""
        return Client(sid, token, http_client=Here(self.url))

    def post(self, given: Any, path: str = "/Messages.json", sid: str = SID, **options: Any) -> requests.Response:
        """What a POST is answered."""
        asked = {"auth": (SID, TOKEN), "timeout": 10, **options}
        return requests.post(f"{self.url}/2010-04-01/Accounts/{sid}{path}", data=given, **asked)


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """A product with a gateway."""
    room = Room(tmp_path, TNN, ELSE)
    with serve_in_thread(room.gateway.api) as url:
        yield Product(room, url.rstrip("/"))
    room.gateway.close()


def test_sent_and_told(product: Product) -> None:
    """A message that the package creates is kept, sent, and told with Twilio's words."""
    client = product.client()
    made = client.messages.create(to="+61400", from_="111122", body="Hello ü")
    assert (made.status, made.direction, made.num_media, made.body) == ("queued", "outbound-api", "0", "Hello ü")
    assert (made.from_, made.to, made.account_sid) == ("111122", "+61400", SID)
    assert made.date_created == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (made.error_code, made.error_message, made.date_sent) == (None, None, None)
    [row] = product.room.messages
    assert made.sid == f"MM{row.id}"
    assert (row.application, row.delivery_report) == ("tnn", False)
    product.room.gateway.run_pending()
    assert product.room.texts(row.id) == ["Hello ü".encode()]
    found = client.messages(made.sid or "").fetch()
    assert (found.status, found.date_sent, found.body) == (
        "delivered",
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        "Hello ü",
    )


def test_long_text_is_told_whole(product: Product) -> None:
    """A text beyond what lists are made of is told whole where one message is asked for."""
    text = "word " * 300
    made = product.client().messages.create(to="+61400", from_="111122", body=text)
    assert made.body == text
    assert product.client().messages(made.sid or "").fetch().body == text


def test_scheduled_and_canceled(product: Product) -> None:
    """A message that waits for its time is canceled by the package; one that went is not."""
    client = product.client()
    at = datetime(2026, 3, 1, 13, tzinfo=UTC)
    made = client.messages.create(
        to="+61400", from_="111122", body="later", send_at=at, schedule_type="fixed", validity_period=60
    )
    assert made.status == "scheduled"
    [row] = product.room.messages
    assert (row.earliest, row.expires) == (at.timestamp(), (at + timedelta(seconds=60)).timestamp())
    assert client.messages(made.sid or "").update(status="canceled").status == "canceled"
    product.room.clock.move(hours=2)
    product.room.gateway.run_pending()
    assert product.room.states(row.id) == ["Cancelled"]
    with pytest.raises(TwilioRestException) as caught:
        client.messages(made.sid or "").update(status="canceled")
    assert (caught.value.code, caught.value.status) == (20409, 409)


def test_validity_from_now(product: Product) -> None:
    """A validity period counts from now, by the gateway's clock."""
    product.client().messages.create(to="+61400", from_="111122", body="soon", validity_period=3600)
    [row] = product.room.messages
    assert row.expires == product.room.clock() + 3600


def test_listed(product: Product) -> None:
    """The package pages through the account's messages, sent and received, the newest first, and filters them."""
    client = product.client()
    sids = [client.messages.create(to=f"+6140{n % 2}", from_="111122", body=str(n)).sid for n in range(5)]
    product.client(OTHER_SID, "token-of-other").messages.create(to="+61400", from_="333", body="x")
    product.room.gateway.simulator.send_mo("tnn", "+61499", "111122", content="from me")
    found = client.messages.list(page_size=2)
    assert [one.sid for one in found[1:]] == sids[::-1]
    assert (found[0].direction, found[0].status, found[0].body, found[0].from_) == (
        "inbound",
        "received",
        "from me",
        "+61499",
    )
    assert [one.body for one in client.messages.list(to="+61400")] == ["4", "2", "0"]
    assert len(client.messages.list(from_="+61499")) == 1
    assert len(client.messages.list(limit=3, page_size=2)) == 3
    day = datetime(2026, 3, 1, tzinfo=UTC)
    assert len(client.messages.list(date_sent=day)) == 6
    assert client.messages.list(date_sent=day + timedelta(days=1)) == []
    assert len(client.messages.list(date_sent_after=day)) == 6
    assert len(client.messages.list(date_sent_before=day + timedelta(hours=6))) == 0


def test_media(product: Product) -> None:
    """Media of an MO are listed and fetched; the text and the presentation are none of them."""
    parts = [Part(body=b"look", content_type="text/plain"), Part(body=GIF, content_type="image/gif")]
    product.room.gateway.simulator.send_mo("tnn", "+61499", "111122", content=parts)
    [found] = product.client().messages.list()
    assert (found.num_media, found.body) == ("1", "look")
    [medium] = found.media.list()
    assert (medium.content_type, medium.parent_sid) == ("image/gif", found.sid)
    assert found.media(medium.sid or "").fetch().sid == medium.sid
    octets = requests.get(f"{product.url}{(medium.uri or '').removesuffix('.json')}", auth=(SID, TOKEN), timeout=5)
    assert (octets.content, octets.headers["content-type"]) == (GIF, "image/gif")
    with pytest.raises(TwilioRestException) as caught:
        found.media("ME" + "0" * 32).fetch()
    assert caught.value.code == 20404


def test_deleted(product: Product) -> None:
    """A message that has come to its end is deleted; one that is on its way is not."""
    client = product.client()
    made = client.messages.create(to="+61400", from_="111122", body="x")
    with pytest.raises(TwilioRestException) as caught:
        client.messages(made.sid or "").delete()
    assert caught.value.code == 20409
    product.room.gateway.run_pending()
    assert client.messages(made.sid or "").delete()
    with pytest.raises(TwilioRestException) as caught:
        client.messages(made.sid or "").fetch()
    assert caught.value.code == 20404
    assert product.room.messages == []


def test_plus_that_is_not_encoded(product: Product) -> None:
    """Who writes To=+61... without %2B has written a space, and is understood."""
    made = product.post(b"To=+61400&From=111122&Body=x", headers={"Content-Type": FORM}).json()
    assert made["to"] == "+61400"
    root = f"{product.url}/2010-04-01/Accounts/{SID}/Messages.json"
    found = requests.get(f"{root}?To=+61400", auth=(SID, TOKEN), timeout=5).json()
    assert len(found["messages"]) == 1


def test_media_that_were_not_fetched(product: Product) -> None:
    """What is still to be fetched is not there; not what stands in its place."""
    with FarSide([http(200, GIF, "image/gif")]) as web:
        client = product.client()
        made = client.messages.create(to="+61400", from_="111122", body="x", media_url=[f"{web.url}/a.gif"])
        [medium] = client.messages(made.sid or "").media.list()
        url = f"{product.url}{(medium.uri or '').removesuffix('.json')}"
        assert requests.get(url, auth=(SID, TOKEN), timeout=5).json()["code"] == 20404
        product.room.gateway.run_pending()
        assert requests.get(url, auth=(SID, TOKEN), timeout=5).content == GIF


def test_account(product: Product) -> None:
    """The account itself is told, by which products see whether their credentials are right."""
    found = product.client().api.accounts(SID).fetch()
    assert (found.sid, found.status, found.friendly_name) == (SID, "active", "tnn")


def test_failures(product: Product) -> None:
    """What a carrier reports as failed or expired has Twilio's words and codes."""
    client = product.client()
    expected = {"Rejected": ("undelivered", 30008), "Expired": ("undelivered", 30036), "Forwarded": ("sent", None)}
    for state, told in expected.items():
        made = client.messages.create(to="+61400", from_="111122", body=state)
        product.room.gateway.simulator.report((made.sid or "")[2:], "+61400", state)
        found = client.messages(made.sid or "").fetch()
        assert (found.status, found.error_code) == told


def test_every_state_has_a_word() -> None:
    """No state of the API is left without one of Twilio's."""
    assert STATUSES.keys() == set(get_args(State))


# --- called back ------------------------------------------------------------------------------------------------------


class Ear:
    """A product's own web server: what Twilio's validator says of each request, and its fields."""

    def __init__(self, far: FarSide) -> None:
        self.far = far

    def heard(self, token: str = TOKEN) -> list[dict[str, str]]:
        """The fields of each request, all of which have to be signed."""
        found = []
        for one in self.far.requests:
            fields = dict(parse_qsl(one.body.decode(), keep_blank_values=True))
            url = self.far.url.removesuffix("/mm7") + (one.wire.target or "")
            assert RequestValidator(token).validate(url, fields, one.header("X-Twilio-Signature"))
            assert not RequestValidator("another").validate(url, fields, one.header("X-Twilio-Signature"))
            assert one.header("Content-Type") == "application/x-www-form-urlencoded"
            found.append(fields)
        return found


@pytest.fixture
def ear() -> Iterator[Ear]:
    """A web server that takes everything."""
    with FarSide([http(204)]) as far:
        yield Ear(far)


def test_status_callback(product: Product, ear: Ear) -> None:
    """The StatusCallback of a message hears what became of it, signed so that Twilio's validator takes it."""
    url = f"{ear.far.url}?order=7"
    made = product.client().messages.create(to="+61400", from_="111122", body="x", status_callback=url)
    product.room.gateway.run_pending()
    [told] = ear.heard()
    assert told == {
        "AccountSid": SID,
        "ApiVersion": "2010-04-01",
        "MessageSid": made.sid,
        "SmsSid": made.sid,
        "From": "111122",
        "To": "+61400",
        "MessageStatus": "delivered",
        "SmsStatus": "delivered",
    }
    assert (ear.far.requests[0].wire.target or "").endswith("?order=7")
    product.client().messages.create(to="+61400", from_="111122", body="x")  # without one, nothing is told
    product.room.gateway.run_pending()
    assert len(ear.far.requests) == 1


def test_status_callback_of_a_failure(product: Product, ear: Ear) -> None:
    """What failed is told with Twilio's code; a later state is told after it."""
    made = product.client().messages.create(to="+61400", from_="111122", body="x", status_callback=ear.far.url)
    product.room.gateway.simulator.report((made.sid or "")[2:], "+61400", "Rejected", "no credit")
    product.room.gateway.run_pending()
    [told] = ear.heard()
    assert (told["MessageStatus"], told["ErrorCode"]) == ("undelivered", "30008")


URLS = ("?a=1", "/%7Euser", "/ü", "/a/../b?x=%41#frag", '/x?y="q"', "/ok?x=1&y=%2F", "")


@pytest.mark.parametrize("rest", URLS)
def test_signature_is_of_what_is_sent(product: Product, rest: str) -> None:
    """Twilio's validator takes the signature by the URL that came, however it was written."""
    with FarSide([http(204)]) as far:
        host = far.url.removesuffix("/mm7")
        client = product.client()
        client.messages.create(to="+61400", from_="111122", body="x", status_callback=f"{host}{rest}")
        product.room.gateway.run_pending()
        assert len(Ear(far).heard()) == 1


def test_sent_is_told(tmp_path: Path, ear: Ear) -> None:
    """Where a carrier has taken the message, that is told before what became of it."""
    with FarSide() as far:
        upstream = Upstream(name="far", url=far.url, vaspid="WE", callback_username="up", callback_password="u")
        room = Room(tmp_path, TNN, upstreams=(upstream,), routes=(Route(prefix="+64", via="far"),))
        with serve_in_thread(room.gateway.api) as url:
            product = Product(room, url.rstrip("/"))
            product.client().messages.create(to="+6421", from_="111122", body="x", status_callback=ear.far.url)
            room.gateway.run_pending()
            assert [one["MessageStatus"] for one in ear.heard()] == ["sent"]
        room.gateway.close()


def test_callback_that_fails(product: Product) -> None:
    """A StatusCallback that refuses is tried again, and stops nobody else's."""
    with FarSide([http(403)]) as far, FarSide([http(204)]) as other:
        client = product.client()
        client.messages.create(to="+61400", from_="111122", body="x", status_callback=far.url)
        client.messages.create(to="+61411", from_="111122", body="x", status_callback=other.url)
        product.room.gateway.run_pending()
        assert (len(far.requests), len(other.requests)) == (1, 1)
        product.room.clock.move(minutes=1)
        product.room.gateway.run_pending()
        assert len(far.requests) >= 2
        assert Ear(far).heard()[0] == Ear(far).heard()[1]


INTERNAL = ("127.0.0.1:9", "169.254.169.254", "10.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1")


@contextmanager
def guarded(folder: Path, *applications: Application) -> Iterator[Product]:
    """A product whose gateway calls nothing inside."""
    room = Room(folder, *(applications or (TNN,)))
    room.gateway.close()
    room.gateway = Gateway(replace(room.settings, allow_internal=False), deliver=room.calls, clock=room.clock)
    with serve_in_thread(room.gateway.api) as url:
        yield Product(room, url.rstrip("/"))
    room.gateway.close()


def test_internal_callback_is_refused(tmp_path: Path) -> None:
    """A StatusCallback inside is refused as a configured one is, when it is named; nothing is kept."""
    with guarded(tmp_path) as product:
        for host in INTERNAL:
            told = product.post({**GOOD, "StatusCallback": f"http://{host}/x#y"}).json()
            assert (told["code"], told["status"]) == (21609, 400), host
            assert told["message"].startswith("StatusCallback: the host of the URL, ")
            assert told["message"].endswith("; give a URL that everybody can reach")
        assert product.room.messages == []
        assert product.post({**GOOD, "StatusCallback": "https://vasp.example/x"}).status_code == 201


def test_internal_callback_is_not_called(tmp_path: Path, ear: Ear) -> None:
    """A StatusCallback inside that was taken before is refused by the guard when it is called, and told to nobody."""
    room = Room(tmp_path, TNN)
    with serve_in_thread(room.gateway.api) as url:
        assert Product(room, url.rstrip("/")).post({**GOOD, "StatusCallback": ear.far.url}).status_code == 201
    room.gateway.close()
    with guarded(tmp_path) as product:
        product.room.gateway.run_pending()
        [call] = [one for one in product.room.outbox() if one.kind == "webhook"]
    assert (ear.far.requests, ear.far.connections) == ([], 0)
    assert "calls to internal addresses are refused" in (call.reason or "")


def test_internal_media_are_refused_in_own_words(tmp_path: Path) -> None:
    """The refusal of a MediaUrl offers nothing that the form has no parameter for."""
    with guarded(tmp_path) as product:
        told = product.post({**GOOD, "MediaUrl": "http://10.0.0.1/cat.gif"}).json()
    assert told["code"] == 21620
    assert told["message"].startswith("MediaUrl: the host of the URL, 10.0.0.1, ")
    assert told["message"].endswith("; give a URL that everybody can reach")


def test_incoming(tmp_path: Path, ear: Ear) -> None:
    """An MO is told to the incoming URL with its text and media, which can be fetched; then it is Delivered."""
    own = Twilio(account_sid=SID, auth_token=TOKEN, incoming=f"{ear.far.url}/sms")
    hears = replace(TNN, callback=None, twilio=own)
    room = Room(tmp_path, hears, api_url="http://mms.example")
    with serve_in_thread(room.gateway.api) as url:
        parts = [Part(body="schön".encode(), content_type="text/plain"), Part(body=GIF, content_type="image/gif")]
        room.gateway.simulator.send_mo("tnn", "+61499", "111122", content=parts)
        room.gateway.run_pending()
        [told] = ear.heard()
        assert (told["From"], told["To"], told["Body"], told["NumMedia"]) == ("+61499", "111122", "schön", "1")
        assert told["MediaContentType0"] == "image/gif"
        fetched = requests.get(told["MediaUrl0"].replace("http://mms.example", url.rstrip("/")), timeout=5)
        assert fetched.content == GIF
        assert room.states(told["MessageSid"][2:])[0] == "Delivered"
        assert (ear.far.requests[0].wire.target or "") == "/mm7/sms"
    room.gateway.close()


def test_incoming_beside_a_callback(tmp_path: Path, ear: Ear) -> None:
    """Beside an MM7 callback both are told, and the callback decides whether the message was brought."""
    own = Twilio(account_sid=SID, auth_token=TOKEN, incoming=ear.far.url)
    room = Room(tmp_path, replace(TNN, twilio=own), api_url="http://mms.example")
    room.calls.refuse = TransportError("no", maybe_accepted=False, http_status=404)
    call = room.gateway.simulator.send_mo("tnn", "+61499", "111122", content="x")
    room.gateway.run_pending()
    assert len(ear.heard()) == len(room.calls.made) == 1
    assert room.states(call.message_id)[0] == "Refused"
    room.gateway.close()


def test_media_url(product: Product) -> None:
    """What the package names by URL is fetched and sent."""
    with FarSide([http(200, GIF, Content_Type="image/gif")]) as web:
        made = product.client().messages.create(
            to="+61400", from_="111122", body="look", media_url=[f"{web.url}/cat.gif"]
        )
        product.room.gateway.run_pending()
    [row] = product.room.messages
    found = product.client().messages(made.sid or "").fetch()
    assert (found.status, found.num_media, found.body) == ("delivered", "1", "look")
    retrieved = product.room.gateway.simulator.retrieved(row.id)
    assert [one.read() for one in retrieved if one.content_type == "image/gif"] == [GIF]


def test_codes_of_the_page() -> None:
    """docs/twilio.md names every code that is answered, with its HTTP status, and every status."""
    page = (Path(__file__).parents[1] / "docs" / "twilio.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| ([\d, ]+) \| (\d{3}) \|", page)
    assert {int(code): int(http) for codes, http in rows for code in codes.split(", ")} == {**ERRORS}
    told = set(re.findall(r"`(\w+)`", page.partition("| Status | Of a message")[2].partition("\n\n")[0]))
    assert told == {*STATUSES.values(), "undelivered", "received"}


# --- refused ----------------------------------------------------------------------------------------------------------

GOOD = {"To": "+61400", "From": "111122", "Body": "x"}
BAD: Mapping[str, tuple[Mapping[str, Any], int]] = {
    "nobody": ({**GOOD, "To": ""}, 21604),
    "no number": ({**GOOD, "To": "hello"}, 21211),
    "another's code": ({**GOOD, "From": "333"}, 21606),
    "a time beyond all years": ({**GOOD, "SendAt": "9999-12-31T23:59:59-23:59", "ScheduleType": "fixed"}, 20006),
    "a number for a time": ({**GOOD, "SendAt": "1795900000", "ScheduleType": "fixed"}, 20006),
    "no sender": ({**GOOD, "From": ""}, 21603),
    "a sender of blanks": ({**GOOD, "From": "  "}, 21606),
    "a recipient of blanks": ({**GOOD, "To": "  "}, 21211),
    "nothing": ({**GOOD, "Body": ""}, 21619),
    "too much": ({**GOOD, "Body": "x" * 1601}, 21617),
    "twice": ({**GOOD, "To": ["+61400", "+61411"]}, 20006),
    "too many media": ({**GOOD, "MediaUrl": ["https://a.example/x"] * 11}, 21623),
    "a service": ({**GOOD, "MessagingServiceSid": "MG" + "0" * 32}, 20001),
    "a template": ({**GOOD, "ContentSid": "HX" + "0" * 32}, 20001),
    "a callback that is none": ({**GOOD, "StatusCallback": "ftp://a.example"}, 21609),
    "a callback with a password": ({**GOOD, "StatusCallback": "http://a:b@a.example"}, 21609),
    "a time that is none": ({**GOOD, "SendAt": "tomorrow", "ScheduleType": "fixed"}, 20006),
    "a schedule that is none": ({**GOOD, "ScheduleType": "loose"}, 20006),
    "a period that is none": ({**GOOD, "ValidityPeriod": "-1"}, 20006),
    "a period that is too long": ({**GOOD, "ValidityPeriod": "36001"}, 20006),
    "media that are none": ({**GOOD, "MediaUrl": "ftp://a.example/x"}, 21620),
    "a control character": ({**GOOD, "Body": "a\x00b"}, 20006),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_messages(product: Product, name: str) -> None:
    """Each is refused in Twilio's form, with the code that Twilio has for it; nothing is kept."""
    given, code = BAD[name]
    answer = product.post(given)
    told = answer.json()
    assert (told["code"], told["status"], answer.status_code) == (code, ERRORS[code], ERRORS[code])
    assert told["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert told.keys() == {"code", "message", "more_info", "status"}
    assert product.room.messages == []


@pytest.mark.parametrize("name", ["From", "To"])
def test_refused_parameter_has_its_name(product: Product, name: str) -> None:
    """What the JSON API says of ``from`` and ``to`` is said of the parameters that Twilio's form has."""
    told = product.post({**GOOD, name: "  "}).json()
    assert told["message"] == f"{name}: an address is empty"


def test_opted_out(product: Product) -> None:
    """Who has opted out is told of by Twilio's code for that."""
    product.room.gateway.simulator.send_mo("tnn", "+61400", "111122", content="STOP")
    with pytest.raises(TwilioRestException) as caught:
        product.client().messages.create(to="+61400", from_="111122", body="x")
    assert caught.value.code == 21610


def test_what_is_not_served(product: Product) -> None:
    """Paths, methods and bodies that are not served are answered by Twilio's error form."""
    root = f"{product.url}/2010-04-01/Accounts/{SID}"
    for method, path, code in (
        ("GET", "/Calls.json", 20404),
        ("GET", "/Messages", 20404),
        ("PUT", "/Messages.json", 20004),
        ("GET", "/Messages.json?Color=red", 20001),
        ("GET", "/Messages.json?PageToken=x", 20006),
        ("GET", "/Messages.json?Page=1", 20006),
        ("GET", f"/Messages.json?{'x' * 3000}=1", 20001),
        ("GET", "/Messages/MMlatest.json", 20404),
        ("DELETE", "/Messages/MMlatest.json", 20404),
        ("GET", "/Messages/MM1.json", 20404),
        ("GET", f"/Messages/{'x' * 500}.json", 20404),
    ):
        answer = requests.request(method, root + path, auth=(SID, TOKEN), timeout=5)
        assert (answer.json()["code"], answer.status_code) == (code, ERRORS[code]), path
        assert len(answer.content) < 1000
    assert product.post(b'{"To": "+61400"}', headers={"Content-Type": "application/json"}).json()["code"] == 20006
    assert product.post(b"To=%FF&From=1&Body=x", headers={"Content-Type": FORM}).json()["code"] == 20006
    assert product.post(b"a=b&" * 500, headers={"Content-Type": FORM}).json()["code"] == 20006
    assert product.post(b"Body=" + b"x" * 200_000, headers={"Content-Type": FORM}).status_code == 400


FORM = "application/x-www-form-urlencoded"


def test_strangers(product: Product) -> None:
    """Wrong credentials, and another account's path or message, open nothing."""
    with pytest.raises(TwilioRestException) as caught:
        product.client(token="wrong").messages.create(to="+61400", from_="111122", body="x")
    assert (caught.value.code, caught.value.status) == (20003, 401)
    made = product.client().messages.create(to="+61400", from_="111122", body="x")
    other = product.client(OTHER_SID, "token-of-other")
    for attempt in (
        lambda: other.messages(made.sid or "").fetch(),
        lambda: other.messages(made.sid or "").update(status="canceled"),
        lambda: other.messages(made.sid or "").delete(),
        lambda: other.api.accounts(SID).fetch(),
    ):
        with pytest.raises(TwilioRestException) as caught:
            attempt()
        assert caught.value.code == 20404
    plain = requests.get(f"{product.url}/2010-04-01/Accounts/{SID}.json", auth=("tnn", "t"), timeout=5)
    assert plain.status_code == 401  # the name and password of the application are none of Twilio's
    assert requests.get(f"{product.url}/v1/messages", auth=(SID, TOKEN), timeout=5).status_code == 401
    assert Number("+61400") in [copy.of for copy in product.room.copies((made.sid or "")[2:])]
