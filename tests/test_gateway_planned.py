"""MO messages that are planned, repeated, answers to a message, or passed on: what is kept, sent, and refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from asgi_client import AsgiClient
from gateway_room import CALLED, ONE, OTHER, START, SUBMIT, TEXT, TNN, Make, Room, rooms
from test_gateway_admin import fits
from test_gateway_clock import DAY

from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.admin.routes import API
from mm7zeep.gateway.config.draft import Plan
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.opt_out import OptOut
from mm7zeep.gateway.config.parties import Application, Twilio
from mm7zeep.gateway.config.settings import Retention
from mm7zeep.gateway.delivery import mo
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store import outbox
from mm7zeep.messages import DeliverReq, Number, Part, ReplyCharging, ShortCode

BOTH = pytest.mark.parametrize(
    "room", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
SILENT = Application(name="silent", password="s", vaspid="SIL")
MO = {"application": "tnn", "from": "+61499", "to": "111122", "text": "hello"}
NOW = START.timestamp()


@pytest.fixture
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    on_server = getattr(request, "param", "sqlite") == "postgresql"
    fresh = request.getfixturevalue("postgres_databases") if on_server else None
    with rooms(tmp_path, fresh) as make:
        yield make


class Desk:
    """A room, and what its admin listener answers."""

    def __init__(self, one: Room, client: AsgiClient) -> None:
        self.room, self.client = one, client

    def ask(self, method: str, path: str, status: int = 200, body: Any = None) -> Any:
        """What is answered, as JSON."""
        answer = self.client.request(method, API + path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def deliver(self, status: int = 202, **body: Any) -> Any:
        """What POST /deliver answers."""
        return self.ask("POST", "/deliver", status, body)

    def sent(self) -> list[DeliverReq]:
        """The MO messages that were brought, once all that is due was done."""
        self.room.gateway.run_pending()
        return self.room.calls.of(DeliverReq)


@pytest.fixture
def desk(room: Make) -> Iterator[Callable[..., Desk]]:
    """Makes rooms with their admin listeners."""
    with ExitStack() as stack:

        def make(*applications: Application, **options: Any) -> Desk:
            one = room(*(applications or (CALLED, OTHER, SILENT)), **options)
            client = AsgiClient(admin_app(one.gateway, clock=one.clock))
            stack.callback(client.close)
            return Desk(one, client)

        yield make


# --- planned ----------------------------------------------------------------------------------------------------------


@BOTH
def test_series(desk: Callable[..., Desk]) -> None:
    """Each message of a series is sent at its time, once, with ids of its own; until then it waits, and shows when."""
    one = desk()
    told = one.deliver(**MO, after=10, every=60, times=3)
    fits(told, "Delivered")
    ids = told["ids"]
    assert (told["id"], told["callback"], len(set(ids))) == (ids[0], None, 3)
    listed = one.ask("GET", "/messages?state=pending")
    fits(listed, "Messages")
    assert [(each["id"], each["recipients"][0]["due_at"]) for each in listed["messages"]] == [
        (ids[2], "2026-03-01T12:02:10.000Z"),
        (ids[1], "2026-03-01T12:01:10.000Z"),
        (ids[0], "2026-03-01T12:00:10.000Z"),
    ]
    assert (one.sent(), one.room.outbox()) == ([], [])
    for seconds, count in ((9.9, 0), (0.1, 1), (59.9, 1), (0.1, 2), (0.0, 2), (3600, 3)):
        one.room.clock.move(seconds=seconds)
        assert len(one.sent()) == count
    sent = one.sent()
    assert [each.linked_id for each in sent] == ids
    assert [(each.time_stamp or START).timestamp() - NOW for each in sent] == pytest.approx([10, 70, 3670])
    assert len(set(one.room.calls.ids)) == 3
    calls = one.room.outbox()
    expiry = one.room.settings.delivery.expiry
    assert [call.expires - NOW - expiry for call in calls] == pytest.approx([10, 70, 3670])
    assert [one.room.states(id) for id in ids] == [["Delivered"]] * 3


@BOTH
def test_at_a_point_in_time(desk: Callable[..., Desk]) -> None:
    """A date is kept to the second, shown as earliest_at until then, and no more when it was sent."""
    one = desk()
    [id] = one.deliver(**MO, at="2026-03-02T12:00:00Z")["ids"]
    assert one.ask("GET", f"/messages/{id}")["earliest_at"] == "2026-03-02T12:00:00.000Z"
    one.room.clock.move(hours=23, minutes=59)
    assert one.sent() == []
    one.room.clock.move(minutes=1)
    assert len(one.sent()) == 1
    found = one.ask("GET", f"/messages/{id}")
    assert (found["earliest_at"], found["accepted_at"]) == (None, "2026-03-02T12:00:00.000Z")
    assert (found["recipients"][0]["due_at"], found["state"]) == (None, "Delivered")


@BOTH
def test_deleted_before_its_time(desk: Callable[..., Desk]) -> None:
    """Who deletes a planned message takes it back; the others of the series are sent."""
    one = desk()
    ids = one.deliver(**MO, every=60, times=3)["ids"]
    one.ask("DELETE", f"/messages/{ids[1]}", 204)
    one.room.clock.move(hours=1)
    assert [each.linked_id for each in one.sent()] == [ids[0], ids[2]]


def test_kept_until_it_was_sent(desk: Callable[..., Desk]) -> None:
    """Retention leaves what is planned alone, and counts from when it was sent."""
    one = desk(retention=Retention(days=1, messages=None))
    [id] = one.deliver(**MO, after=10 * DAY)["ids"]
    one.room.clock.move(days=9)
    assert one.room.gateway.housekeeper.sweep() == 0
    one.room.clock.move(days=1)
    assert len(one.sent()) == 1
    one.room.clock.move(hours=23)
    assert one.room.gateway.housekeeper.sweep() == 0
    one.room.clock.move(hours=2)
    assert one.room.gateway.housekeeper.sweep() == 1
    assert one.ask("GET", f"/messages/{id}", 404)


@BOTH
def test_once_by_many_processes(room: Make) -> None:
    """Several processes that look at the same moment send each message of a series once; so does one that restarts."""
    one = room()
    draft = one.gateway.simulator.draft("tnn", "+61400", "111122", "s", "x")
    ids = one.gateway.simulator.plan(draft, Plan(every=1, times=50))
    with ExitStack() as stack:
        others = []
        for _ in range(3):
            made = Gateway(one.settings, deliver=one.calls, clock=one.clock)
            stack.callback(made.close)
            others.append(made)
        one.clock.move(minutes=1)
        threads = [threading.Thread(target=each.run_pending) for each in (one.gateway, *others)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(60)
    one.gateway.run_pending()
    assert sorted(each.linked_id for each in one.calls.of(DeliverReq)) == sorted(ids)
    assert len(one.outbox()) == len(set(one.calls.ids)) == 50


def test_word_counts_when_it_is_sent(desk: Callable[..., Desk]) -> None:
    """A planned STOP bars nobody before it is sent, and everybody from then on."""
    one = desk(replace(CALLED, opt_out=OptOut()))
    one.deliver(**{**MO, "from": "+61400", "text": "STOP"}, after=60)
    one.room.submitted(ONE)
    assert one.ask("GET", "/opt-outs")["opt_outs"] == []
    one.room.clock.move(minutes=1)
    one.sent()
    [row] = one.ask("GET", "/opt-outs")["opt_outs"]
    assert (row["subscriber"], row["word"], row["since"]) == ("61400", "STOP", "2026-03-01T12:01:00.000Z")
    assert one.room.code(replace(ONE, subject="later")) == 2610


def test_application_that_takes_none_any_more(desk: Callable[..., Desk]) -> None:
    """Where the application lost its callback meanwhile, the message is Refused, and says why."""
    one = desk()
    [id] = one.deliver(**MO, after=60)["ids"]
    one.room.clock.move(minutes=1)
    settings = replace(one.room.settings, applications=(TNN,))
    after = Gateway(settings, deliver=one.room.calls, clock=one.room.clock)
    try:
        after.run_pending()
    finally:
        after.close()
    found = one.ask("GET", f"/messages/{id}")
    assert (found["state"], found["recipients"][0]["detail"]) == ("Refused", "that application takes none")
    assert one.sent() == []


ACCOUNT = Twilio(account_sid=f"AC{0:032x}", auth_token="secret-enough")


@BOTH
def test_application_knows_nothing_before(room: Make) -> None:
    """Neither JSON API nor Twilio's form shows an application what a handset is yet to send to it."""
    one = room(replace(CALLED, twilio=ACCOUNT))
    simulator = one.gateway.simulator
    draft = simulator.draft("tnn", "+61400", "111122", "s", "x")
    ids = [*simulator.plan(draft, Plan(after=60)), simulator.send(draft).message_id]
    mt = one.submitted(ONE)
    account = f"/2010-04-01/Accounts/{ACCOUNT.account_sid}/Messages"
    with closing(AsgiClient(one.gateway.api)) as client:

        def seen(id: str) -> set[int]:
            own = client.get(f"/v1/messages/{id}", auth=("tnn", "t")).status_code
            twilio = client.get(f"{account}/MM{id}.json", auth=(ACCOUNT.account_sid, ACCOUNT.auth_token)).status_code
            return {own, twilio}

        def listed() -> list[list[str]]:
            own = client.get("/v1/messages", auth=("tnn", "t")).json()["messages"]
            twilio = client.get(f"{account}.json", auth=(ACCOUNT.account_sid, ACCOUNT.auth_token)).json()["messages"]
            return [[each["id"] for each in own], [each["sid"][2:] for each in twilio]]

        assert listed() == [[mt, ids[1]]] * 2
        assert (seen(ids[0]), seen(ids[1])) == ({404}, {200})
        one.clock.move(minutes=1)
        one.gateway.run_pending()
        assert listed() == [[mt, ids[1], ids[0]]] * 2
        assert seen(ids[0]) == {200}


@BOTH
def test_one_that_cannot_be_sent(desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch) -> None:
    """A planned message that cannot be processed is Refused alone, and reported to nobody; the others are sent."""
    one = desk()
    ids = one.deliver(**MO, every=1, times=3)["ids"]
    send = mo.send

    def failing(connection: Any, settings: Any, message: Any, *rest: Any) -> Any:
        if message.id == ids[1]:
            raise ZeroDivisionError
        return send(connection, settings, message, *rest)

    monkeypatch.setattr(mo, "send", failing)
    one.room.clock.move(minutes=1)
    assert [each.linked_id for each in one.sent()] == [ids[0], ids[2]]
    [copy, *_] = one.room.copies(ids[1])
    assert (copy.state, copy.due, copy.detail) == ("Refused", None, "it could not be processed: ZeroDivisionError")
    assert {call.kind for call in one.room.outbox()} == {"deliver"}


def test_opt_outs_are_of_subscribers(desk: Callable[..., Desk]) -> None:
    """Who has opted out gets nothing more; what is sent to the application is no message of that."""
    one = desk(replace(CALLED, opt_out=OptOut()))
    one.ask("POST", "/opt-outs", 200, {"number": "*", "subscriber": "111122", "application": "tnn"})
    one.deliver(**MO, after=1)
    one.room.clock.move(seconds=1)
    assert len(one.sent()) == 1


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "two times": ({"at": NOW + 60, "after": 60}, 400, "after stands beside at"),
    "over": ({"at": NOW - 1}, 400, "at is over"),
    "milliseconds": ({"at": NOW * 1000}, 400, "looks like milliseconds"),
    "no point in time": ({"at": "soon"}, 400, "at is"),
    "before now": ({"after": -1}, 400, "after is -1"),
    "every without times": ({"every": 60}, 400, "every and times go together"),
    "times without every": ({"times": 2}, 400, "every and times go together"),
    "once": ({"every": 60, "times": 1}, 400, "times is 1; give something from 2"),
    "too often": ({"every": 60, "times": 1001}, 400, "times is 1001; give something"),
    "too fast": ({"every": 0.5, "times": 2}, 400, "every is 0.5 seconds; give at least 1"),
    "too far": ({"after": 366 * DAY, "every": 60, "times": 2}, 400, "after reaches further than 366 days"),
    "endless": ({"after": float(10**9)}, 400, "after is 1000000000.0; give something"),
    "unknown application": ({"application": "x", "after": 1}, 400, "no application 'x'"),
    "no callback": ({"application": "silent", "after": 1}, 409, "has no callback"),
    "unknown message": ({"reply_to": "x"}, 400, "reply_to: there is no message of the application 'tnn' of that id"),
    "nothing to pass on": ({"forward": "x"}, 400, "forward: there is no message of that id"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_planned(what: str, desk: Callable[..., Desk]) -> None:
    """Each is refused in words, and nothing is kept."""
    one = desk()
    more, status, words = REFUSED[what]
    assert words in one.deliver(status, **{**MO, **more})["error"]
    assert one.room.messages == []


def test_too_many_octets_together(desk: Callable[..., Desk]) -> None:
    """A series may have ten bodies of the largest size; more is refused, and nothing of it is kept."""
    one = desk()
    body = {**MO, "text": "x" * 1024 * 1024, "every": 1}
    words = one.deliver(400, **body, times=100)["error"]
    assert words.startswith("times is too often for a message of 104")
    assert one.room.messages == []
    assert len(one.deliver(**body, times=5)["ids"]) == 5


def test_nothing_is_kept_while_all_is_full(desk: Callable[..., Desk]) -> None:
    """While the gateway takes nothing, a handset sends and plans nothing."""
    one = desk()
    one.room.gateway.admission.full = ("there is too little room on the disk",)
    for more in ({}, {"after": 1}):
        assert "too little room" in one.deliver(503, **MO, **more)["error"]
    assert one.room.messages == []


# --- answers, and what is passed on -----------------------------------------------------------------------------------


@BOTH
def test_answer(desk: Callable[..., Desk]) -> None:
    """The recipient answers the sender under Re: and the subject; the LinkedID is the answer's own."""
    one = desk()
    id = one.room.submitted(replace(ONE, sender_address=ShortCode("111122")))
    one.room.gateway.run_pending()
    told = one.deliver(reply_to=id, text="me too")
    assert told["callback"] is not None
    [answer] = one.sent()
    assert (answer.sender.value, answer.to, answer.subject) == ("+61400", (ShortCode("111122"),), "Re: s")
    assert (answer.linked_id, answer.reply_charging_id, answer.applic_id) == (told["id"], None, None)
    assert [part.read() for part in answer.parts] == [b"me too"]
    found = one.ask("GET", f"/messages/{told['id']}")
    assert (found["direction"], found["fields"]["reply_to"]) == ("mo", id)
    again = one.room.submitted(replace(ONE, linked_id=told["id"]))
    assert again  # an application links what it sends next to the answer


def test_answer_that_is_paid_for(desk: Callable[..., Desk]) -> None:
    """What paid for its reply is named by ReplyChargingID; an application of its own is answered at ReplyApplicID."""
    one = desk()
    paid = replace(ONE, reply_charging=ReplyCharging(size=10_000), applic_id="chess", reply_applic_id="chess-2")
    id = one.room.submitted(paid)
    plain = one.room.submitted(replace(ONE, applic_id="chess", subject="Re: x"))
    one.room.gateway.run_pending()
    for which in (id, plain):
        one.deliver(reply_to=which, text="e4")
    first, second = one.sent()
    assert (first.reply_charging_id, first.applic_id) == (id, "chess-2")
    assert (second.reply_charging_id, second.applic_id, second.subject) == (None, "chess", "Re: x")


def test_which_recipient_answers(desk: Callable[..., Desk]) -> None:
    """Of several, the one that from names, however written; it may answer somebody else, later, in other words."""
    one = desk()
    id = one.room.submitted(replace(SUBMIT, to=("+61400/TYPE=PLMN", Number("+61411"), Number("+6", display_only=True))))  # type: ignore[arg-type]
    one.room.gateway.run_pending()
    assert one.deliver(400, reply_to=id)["error"].startswith("from is needed: the message has 2 recipients")
    for other in ("+61422", "+6"):
        assert "from is no recipient" in one.deliver(400, reply_to=id, **{"from": other})["error"]
    one.deliver(reply_to="latest", to="jo@example.org", subject="No", after=5, **{"from": "+61400"})
    one.room.clock.move(seconds=5)
    [answer] = one.sent()
    assert (answer.sender.bare, answer.to[0].value, answer.subject) == ("+61400", "jo@example.org", "No")


@pytest.mark.parametrize("outcome", ["Expired", "Rejected", "Deferred", "Unrecognised", "DeliveryConditionNotMet"])
def test_no_answer_to_what_was_not_got(outcome: Any, desk: Callable[..., Desk]) -> None:
    """Who has not got a message cannot answer it; the refusal names the state."""
    one = desk(handsets=(Handset(outcome=outcome),))
    id = one.room.submitted(ONE)
    assert "its copy is Pending" in one.deliver(409, reply_to=id, text="x")["error"]
    one.room.gateway.run_pending()
    assert f"its copy is {outcome}" in one.deliver(409, reply_to=id, text="x")["error"]
    assert one.sent() == []


def test_no_answer_to_an_mo(desk: Callable[..., Desk]) -> None:
    """A handset answers what it gets; not what another has sent, nor another application's message."""
    one = desk()
    own = one.deliver(**MO)["id"]
    assert "is a message that a handset has sent" in one.deliver(409, reply_to=own)["error"]
    id = one.room.submitted(ONE)
    one.room.gateway.run_pending()
    assert "no message of the application 'other'" in one.deliver(400, reply_to=id, application="other")["error"]


@BOTH
def test_passed_on(desk: Callable[..., Desk]) -> None:
    """The parts of a message are sent as they came, after one's own; the subject is Fwd: and that of the message."""
    one = desk()
    gif = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
    picture = Part(body=gif, content_type="image/gif", content_id="cat@x", name="cat.gif")
    id = one.room.submitted(replace(SUBMIT, parts=(TEXT, picture)))
    one.deliver(**{**MO, "application": "other", "to": "333", "text": "look"}, forward=id)
    [sent] = one.sent()
    assert sent.subject == "Fwd: s"
    own = [part for part in sent.parts if not part.content_type.startswith("application/smil")]
    assert [part.read() for part in own] == [b"look", TEXT.read(), picture.read()]
    assert [part.content_type for part in own] == ["text/plain", "text/plain", "image/gif"]
    again = one.deliver(**{**MO, "text": None}, forward=one.room.messages[-1].id, subject="mine")
    assert len(again["ids"]) == 1
    assert [(each.subject, len(each.parts) >= 3) for each in one.sent()[1:]] == [("mine", True)]


def test_answer_with_what_was_passed_on(desk: Callable[..., Desk]) -> None:
    """An answer may pass on another message; it stays an answer."""
    one = desk()
    id = one.room.submitted(ONE)
    one.room.gateway.run_pending()
    one.deliver(reply_to=id, forward=id)
    [sent] = one.sent()
    assert (sent.subject, [part.read() for part in sent.parts]) == ("Re: s", [b"hello"])


def test_nothing_to_pass_on(desk: Callable[..., Desk]) -> None:
    """A message without content is not passed on."""
    one = desk()
    id = one.room.submitted(replace(ONE, parts=()))
    assert "without content" in one.deliver(409, **MO, forward=id)["error"]


def test_plans_that_contradict_themselves() -> None:
    """A plan is checked when it is made, also by who makes it in Python."""
    for bad in ({"at": 1.0, "after": 1.0}, {"times": 2}, {"every": 0.1, "times": 2}, {"after": -1.0}, {"times": 0}):
        with pytest.raises(ValueError, match=r"\w"):
            Plan(**bad)  # type: ignore[arg-type]
    assert Plan(after=1, every=2, times=3).due(10.0) == [11.0, 13.0, 15.0]


@pytest.mark.once
def test_calls_are_planned_when_it_is_sent(room: Make) -> None:
    """Until then there is no call, so that what is planned takes no room in the outbox."""
    one = room()
    draft = one.gateway.simulator.draft("tnn", "+61400", "111122", "s", "x")
    one.gateway.simulator.plan(draft, Plan(after=60, every=1, times=1000))
    with one.gateway.database.read() as connection:
        assert outbox.backlog(connection, 10) == 0
        assert store.next_due(connection) == NOW + 60
    one.clock.move(hours=1)
    one.gateway.run_pending()
    assert len({each.linked_id for each in one.calls.of(DeliverReq)}) == 1000
