"""Handset scripts that are set while a gateway runs, and the outcomes that an operator chooses for copies that wait."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgi_client import AsgiClient
from gateway_room import CALLED, ONE, OTHER, SUBMIT, TNN, Make, Room, rooms
from test_gateway_admin import fits

from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.admin.routes import API
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.parties import Route, Upstream
from mm7zeep.gateway.delivery.handsets import Handsets
from mm7zeep.gateway.store import messages as store
from mm7zeep.messages import DeliverReq, DeliveryReportReq, Number

FAR = Upstream(name="far", url="http://far/mm7", vaspid="WE", vasid="us")
AWAY = {"upstreams": (FAR,), "routes": (Route(prefix="+64", via="far"),)}
ASKING = replace(ONE, delivery_report=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


Ask = Callable[..., Any]


@pytest.fixture
def ask() -> Iterator[Callable[[Room], Ask]]:
    """Makes a function that asks the admin listener of a room: method, path, status, body; it gives the JSON."""
    with ExitStack() as stack:

        def make(one: Room) -> Ask:
            client = AsgiClient(admin_app(one.gateway, clock=one.clock))
            stack.callback(client.close)

            def asked(method: str, path: str, status: int = 200, body: Any = None) -> Any:
                answer = client.request(method, API + path, json=body)
                assert answer.status_code == status, answer.text
                return answer.json()

            return asked

        yield make


def reported(one: Room) -> list[str]:
    """The MMStatus of the reports that were made, as they were made."""
    one.gateway.run_pending()
    return [each.mm_status for each in one.calls.of(DeliveryReportReq)]


# --- scripts ----------------------------------------------------------------------------------------------------------


def test_set_before_the_file(room: Make, ask: Callable[[Room], Ask]) -> None:
    """What is set goes before the file's scripts, is told with its source, and an empty list ends it."""
    one = room(handsets=(Handset(prefix="+614", outcome="Rejected"),))
    asked = ask(one)
    file = {"source": "file", "prefix": "+614", "outcome": "Rejected", "delay": 0.0, "read": True}
    file |= {"reply": "", "reply_after": 1.0}
    assert asked("GET", "/handsets") == {"handsets": [file]}
    given = {"prefix": "+61400", "outcome": "Expired", "delay": 5, "read": False}
    told = asked("PUT", "/handsets", body={"handsets": [given]})
    fits(told, "Handsets")
    assert told == asked("GET", "/handsets")
    assert told["handsets"] == [{"source": "set", **given, "delay": 5.0, "reply": "", "reply_after": 1.0}, file]
    id = one.submitted(replace(SUBMIT, delivery_report=True))
    assert reported(one) == ["Rejected"]  # +61411; the other waits five seconds
    one.clock.move(seconds=5)
    assert reported(one) == ["Rejected", "Expired"]
    assert one.states(id) == ["Expired", "Rejected"]
    assert asked("PUT", "/handsets", body={"handsets": []}) == {"handsets": [file]}
    one.submitted(ASKING)
    assert reported(one)[2:] == ["Rejected"]


def test_outcome_counts_for_what_waits(room: Make) -> None:
    """A script that is set changes what becomes of a message that waits already, and not when."""
    one = room(handsets=(Handset(delay=timedelta(minutes=1)),))
    one.submitted(ASKING)
    one.gateway.simulator.set_handsets([Handset(outcome="Unrecognised", delay=timedelta(hours=1))])
    assert reported(one) == []
    one.clock.move(minutes=1)
    assert reported(one) == ["Unrecognised"]


def test_replaced_message_waits_as_the_script_says(room: Make) -> None:
    """A replace has its message arrive by the scripts in force."""
    from mm7zeep.messages import ReplaceReq

    one = room()
    one.gateway.simulator.set_handsets([Handset(delay=timedelta(minutes=1))])
    id = one.submitted(ASKING)
    for minutes in (5, 3):
        one.gateway.simulator.set_handsets([Handset(delay=timedelta(minutes=minutes))])
        assert one.code(ReplaceReq(vaspid="TNN", vasid="News", message_id=id, read_reply=True)) == 1000
        one.clock.move(minutes=2)
        assert reported(one) == []
    one.clock.move(minutes=1)
    assert reported(one) == ["Retrieved"]


def test_other_processes_learn_within_a_second(room: Make) -> None:
    """Another process goes by what it has read for a second, and reads it once in that time; a restart keeps it."""
    one = room()
    now = 0.0
    other = Handsets((Handset(prefix="1"),), clock=lambda: now)

    def known() -> list[str]:
        with one.gateway.database.read() as connection:
            return [each.prefix for each in other.in_force(connection)]

    assert known() == ["1"]
    one.gateway.simulator.set_handsets([Handset(prefix="2"), Handset(prefix="3")])
    now = 1.0
    assert known() == ["1"]
    now = 1.1
    assert known() == ["2", "3", "1"]
    with one.gateway.database.read() as connection:
        assert len(Handsets().in_force(connection)) == 2


def test_scripts_of_a_newer_version(room: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Scripts that this version does not understand are logged; those of the file count, and messages are taken."""
    one = room(handsets=(Handset(outcome="Forwarded"),))
    with one.gateway.database.write() as connection:
        store.set_setting(connection, "handsets", [{"prefix": "", "explode": True}])
    one.gateway.dispatcher.network.handsets._read_at = None
    with caplog.at_level(logging.ERROR, "mm7zeep.gateway"):
        one.submitted(ASKING)
        assert reported(one) == ["Forwarded"]
    assert "the handset scripts that were set are not understood" in caplog.text


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"outcome": "Lost"}, "handsets[0].outcome is"),
        ({"outcome": "Expired", "reply": "no"}, "handsets[0]: handset '' replies to what it never gets"),
        ({"delay": -1}, "handsets[0].delay is -1"),
        ({"reply": "a\nb"}, "handsets[0].reply holds a control character"),
        ({"prefix": 61}, "handsets[0].prefix is 61"),
        ({"prefx": "+61"}, "handsets[0] has a member"),
    ],
    ids=str,
)
def test_scripts_that_are_refused(script: Any, words: str, room: Make, ask: Callable[[Room], Ask]) -> None:
    """What makes no sense is refused in words, and changes nothing."""
    asked = ask(room())
    asked("PUT", "/handsets", body={"handsets": [{"prefix": "+1"}]})
    assert words in asked("PUT", "/handsets", 400, {"handsets": [script]})["error"]
    assert [one["prefix"] for one in asked("GET", "/handsets")["handsets"]] == ["+1"]


def test_reply(room: Make) -> None:
    """A handset answers what it has got after a while: to the sender, as Re:, once; an upstream's phone does not."""
    one = room(handsets=(Handset(prefix="+614", reply="Thanks!", reply_after=timedelta(seconds=30)),), **AWAY)
    id = one.submitted(replace(ONE, to=(Number("+61400"), Number("+64211"))))
    one.gateway.run_pending()
    assert one.calls.of(DeliverReq) == []
    one.clock.move(seconds=30)
    one.gateway.run_pending()
    one.clock.move(hours=1)
    one.gateway.run_pending()
    [answer] = one.calls.of(DeliverReq)
    assert (answer.sender.value, answer.to[0].value, answer.subject) == ("+61400", "111122", "Re: s")
    assert [part.read() for part in answer.parts] == [b"Thanks!"]
    assert one.messages[-1].field["reply_to"] == id


def test_reply_that_cannot_be(room: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Where the sender takes no messages, or its schema no such answer, the message is retrieved all the same."""
    script = (Handset(reply="Thanks!"),)
    mute = room(TNN, handsets=script)
    assert mute.submitted(ONE)
    mute.gateway.run_pending()
    assert [one.direction for one in mute.messages] == ["mt"]
    callback = replace(CALLED.callback, namespace="REL-5-MM7-1-0")  # type: ignore[type-var]
    old = room(replace(CALLED, callback=callback), handsets=script)  # a number with a plus is no NMTOKEN
    id = old.submitted(ONE)
    old.gateway.run_pending()
    assert old.states(id) == ["Retrieved"]
    assert "cannot answer" in caplog.text


# --- outcomes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ("REL-5-MM7-1-3", ("Rejected", "DeliveryConditionNotMet")),
        ("REL-6-MM7-1-2", ("Rejected", "DeliveryConditionNotMet")),
        ("REL-6-MM7-1-3", ("DeliveryConditionNotMet", None)),
        ("REL-6-MM7-1-4", ("DeliveryConditionNotMet", None)),
    ],
)
def test_word_of_the_newest_schemas(schema: str, told: Any, room: Make, ask: Callable[[Room], Ask]) -> None:
    """DeliveryConditionNotMet, by script or by hand, is Rejected and named where the schema has no such word."""
    callback = replace(CALLED.callback, namespace=schema)  # type: ignore[type-var]
    one = room(
        replace(CALLED, callback=callback), handsets=(Handset(prefix="+6140", outcome="DeliveryConditionNotMet"),)
    )
    by_script, by_hand = one.submitted(ASKING), one.submitted(replace(ASKING, to=("+61411",)))  # type: ignore[arg-type]
    ask(one)("POST", f"/messages/{by_hand}/report", 202, {"status": "DeliveryConditionNotMet"})
    one.gateway.run_pending()
    assert [(each.mm_status, each.status_text) for each in one.calls.of(DeliveryReportReq)] == [told, told]
    assert one.states(by_script) == one.states(by_hand) == ["DeliveryConditionNotMet"]


def test_all_that_wait(room: Make, ask: Callable[[Room], Ask]) -> None:
    """Without a recipient, all copies that wait for their handsets reach the state: no other's, and not again."""
    waiting = Handset(prefix="+61", delay=timedelta(hours=1))
    one = room(handsets=(Handset(prefix="+6199"), waiting), **AWAY)
    asked = ask(one)
    to = tuple(map(Number, ("+61400", "+61411", "+6199", "+64211")))
    id = one.submitted(replace(SUBMIT, to=to))
    one.gateway.run_pending()
    assert one.states(id) == ["Pending", "Pending", "Retrieved", "Pending"]  # the last one waits for its upstream
    told = asked("POST", f"/messages/{id}/report", 202, {"status": "Indeterminate", "text": "who knows"})
    fits(told, "Reported")
    assert told["recipients"] == ["+61400", "+61411"]
    assert one.states(id) == ["Indeterminate", "Indeterminate", "Retrieved", "Pending"]
    assert reported(one) == ["Indeterminate"] * 2  # also on a message that asked for none
    assert (
        "no copy of the message waits" in asked("POST", f"/messages/{id}/report", 409, {"status": "Expired"})["error"]
    )
    one.clock.move(hours=2)
    assert reported(one) == ["Indeterminate"] * 2  # the handset would have retrieved it now
    again = asked("POST", f"/messages/{id}/report", 202, {"recipient": "+61400", "status": "Retrieved"})
    assert again["recipients"] == ["+61400"]
    assert reported(one)[2:] == ["Retrieved"]


def test_deferred_waits(room: Make) -> None:
    """A copy that its handset has put off is among those that wait."""
    one = room(handsets=(Handset(outcome="Deferred"),))
    id = one.submitted(ASKING)
    assert reported(one) == ["Deferred"]
    assert one.gateway.simulator.report(id, None, "Retrieved") == ["+61400"]
    assert reported(one)[1:] == ["Retrieved"]


@pytest.mark.parametrize(
    ("recipient", "words"),
    [
        ("+64211", "with upstream:far, and only that can say"),
        ("333", "with application:other, and only that can say"),
        ("nobody", "the recipient was not served"),
        ("+61400", "the copy was taken back"),
    ],
)
def test_copies_at_no_handset(recipient: str, words: str, room: Make, ask: Callable[[Room], Ask]) -> None:
    """What is with an upstream, another application or nobody, or was taken back, reaches no state by hand: 409."""
    from mm7zeep.messages import CancelReq

    one = room(CALLED, OTHER, handsets=(Handset(delay=timedelta(hours=1)),), **AWAY)
    to = tuple(map(Number, ("+61400", "+64211", "333", "nobody")))
    id = one.submitted(replace(SUBMIT, to=to))
    before = one.outbox()
    if recipient == "+61400":
        assert one.code(CancelReq(vaspid="TNN", vasid="News", message_id=id)) == 1000
    states = one.states(id)
    body = {"recipient": recipient, "status": "Retrieved"}
    assert words in ask(one)("POST", f"/messages/{id}/report", 409, body)["error"]
    assert (one.states(id), one.outbox()) == (states, before)


def test_only_of_ones_own(room: Make) -> None:
    """With an application, a message of another is as if it did not exist, whatever is asked."""
    one = room()
    id = one.submitted(ASKING)
    simulator = one.gateway.simulator
    theirs: dict[str, Any] = {"application": "other"}
    asking: tuple[Callable[[str], Any], ...] = (
        lambda which: simulator.report(which, "+61400", "Expired", **theirs),
        lambda which: simulator.report(which, None, "Expired", **theirs),
        lambda which: simulator.read(which, "+61400", "Read", **theirs),
        lambda which: simulator.retrieved(which, **theirs),
        lambda which: simulator.reply(which, **theirs),
        lambda which: simulator.forwarded(which, **theirs),
    )
    for which in (id, "latest"):
        for act in asking:
            with pytest.raises(KeyError, match=which):
                act(which)
    assert one.outbox() == []
    assert simulator.report("latest", None, "Expired", application="tnn") == ["+61400"]


def test_sole_recipient(room: Make, ask: Callable[[Room], Ask]) -> None:
    """Who is alone need not be named, also where the handset has the message already; of several, who read it must."""
    one = room(CALLED)
    asked = ask(one)
    sole, two = one.submitted(replace(ASKING, to=(Number("+61400"),))), one.submitted(SUBMIT)
    one.gateway.run_pending()
    assert one.states(sole) == ["Retrieved"]
    told = asked("POST", f"/messages/{sole}/report", 202, {"status": "Expired"})
    assert (told["recipients"], one.states(sole)) == (["+61400"], ["Expired"])
    assert asked("POST", f"/messages/{sole}/read", 202, {}) == {"told": True}
    assert "2 recipients; name the one" in asked("POST", f"/messages/{two}/read", 409, {})["error"]
    assert "name the recipient" in asked("POST", f"/messages/{two}/report", 409, {"status": "Expired"})["error"]
