"""What became of a message, moment by moment: as its rows have it after each thing that can happen to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gateway_room import CALLED, OTHER, START, SUBMIT, Make, Room, rooms

from mm7zeep import status
from mm7zeep.errors import AuthError, StatusError, TransportError
from mm7zeep.gateway.admin import views
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.parties import Callback, Route, Upstream
from mm7zeep.gateway.config.settings import Delivery
from mm7zeep.gateway.delivery.retry import Outcome, judge
from mm7zeep.gateway.store import endpoints, outbox
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.viewer.timeline import Moment, timeline
from mm7zeep.gateway.viewer.tones import tone
from mm7zeep.messages import CancelReq, DeliverReq, Number, ReplaceReq, SubmitReq
from mm7zeep.status import Status

FAR = Upstream(name="far", url="http://far/mm7", vaspid="WE", vasid="us", callback_username="up", callback_password="u")
AWAY: dict[str, Any] = {"upstreams": (FAR,), "routes": (Route(prefix="+64", via="far"),)}
ABROAD = replace(SUBMIT, to=("+64211",), delivery_report=True)  # type: ignore[arg-type]
HERE = replace(SUBMIT, to=("+61400",), delivery_report=True)  # type: ignore[arg-type]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    with rooms(tmp_path) as make:
        yield make


def moments(one: Room, message_id: str) -> tuple[Moment, ...]:
    """The timeline of a message, as a page would make it."""
    with one.gateway.database.read() as connection:
        message = store.message(connection, message_id)
        assert message is not None
        raws = [store.raw(connection, message_id, n) for n in range(store.raws(connection, message_id))]
        return timeline(
            message,
            store.recipients(connection, message_id),
            outbox.listed(connection, message_id=message_id, limit=1000),
            now=one.clock(),
            requests=[raw for raw in raws if raw is not None],
            paused={row.name for row in endpoints.listed(connection) if row.paused},
        )


def told(one: Room, message_id: str) -> list[tuple[float, str]]:
    """When, in seconds since the start, and in which words."""
    return [(round(moment.at - START.timestamp(), 1), moment.words) for moment in moments(one, message_id)]


def submit_calls(one: Room) -> list[Any]:
    """The calls to upstreams that are claimed now."""
    _, calls = one.gateway.dispatcher.run_once()
    return [call for call in calls if call.kind == "submit"]


def test_from_submit_to_report(room: Make) -> None:
    """Submitted, waiting for its handset, retrieved, reported; what is planned becomes what was."""
    one = room(CALLED, OTHER, handsets=(Handset(prefix="+61", delay=timedelta(minutes=1)),))
    id_ = one.submitted(replace(HERE, expiry_date=timedelta(days=2), earliest_delivery_time=timedelta(seconds=30)))
    first = moments(one, id_)
    assert [(moment.what, moment.words, moment.is_planned) for moment in first] == [
        ("message", "submitted by tnn, and kept", False),
        ("plan", "is not delivered before", True),
        ("plan", "goes to the handset", True),
        ("plan", "expires", True),
    ]
    assert [round(moment.at - START.timestamp()) for moment in first][1::2] == [30, 172_800]
    assert first[2].recipient == "+61400"
    one.clock.move(seconds=100)
    _, calls = one.gateway.dispatcher.run_once()
    assert told(one, id_)[2:] == [
        (100.0, "Retrieved: was retrieved"),
        (100.0, "delivery report Retrieved: queued"),
        (100.0, "delivery report Retrieved: is made now"),
    ]
    one.clock.move(seconds=1)
    one.settle(calls, Outcome(verdict="done"))
    last = moments(one, id_)
    assert [(moment.words, moment.tone) for moment in last[2:]] == [
        ("Retrieved: was retrieved", "good"),
        ("delivery report Retrieved: queued", "plain"),
        ("delivery report Retrieved: taken", "good"),
    ]
    assert (last[-1].endpoint, last[-1].attempts, last[-1].recipient) == ("http://tnn/dlr", 1, "+61400")
    assert not any(moment.is_planned for moment in last)


def test_read_replies(room: Make) -> None:
    """That it was read is told as its read reply is."""
    one = room(CALLED, OTHER)
    id_ = one.submitted(HERE)
    one.gateway.simulator.read(id_, "+61400", "Deleted")
    found = {moment.words: moment for moment in moments(one, id_)}
    assert found["read reply Deleted: queued"].recipient == "+61400"
    first = found["read reply Deleted: first attempt"]
    assert (first.is_planned, first.attempts, first.detail) == (True, None, None)


def test_through_an_upstream(room: Make) -> None:
    """Forwarded, refused for now with its StatusCode in words, and taken at the next attempt."""
    one = room(CALLED, OTHER, **AWAY)
    id_ = one.submitted(ABROAD)
    calls = submit_calls(one)
    one.settle(calls, judge(StatusError(Status(3000, "Server Error"))))
    found = {moment.words: moment for moment in moments(one, id_)}
    again = found["forwarded to upstream far: next attempt"]
    assert (again.is_planned, again.status_code, again.attempts, again.tone) == (True, 3000, 1, "waiting")
    assert "StatusError: 3000 Server Error" in (again.detail or "")
    assert (again.detail or "").endswith(f"({status.lookup(3000).meaning})")
    assert again.endpoint == "http://far/mm7"
    one.clock.move(hours=1)
    one.settle(submit_calls(one), Outcome(verdict="done", message_id="far-1"))
    assert [words for _, words in told(one, id_)] == [
        "submitted by tnn, and kept",
        "forwarded to upstream far: queued",
        "forwarded to upstream far: attempt 1 failed",
        "forwarded to upstream far: taken by the upstream",
        "Sent: was taken by the upstream far",
    ]
    failed = {moment.words: moment for moment in moments(one, id_)}["forwarded to upstream far: attempt 1 failed"]
    assert (failed.status_code, failed.tone, failed.at) == (3000, "bad", one.clock() - 3600)
    assert (failed.detail or "").endswith(f"({status.lookup(3000).meaning})")


def test_each_attempt_that_failed(room: Make) -> None:
    """Each tells when, why and with which HTTP status, the one that ended the call only once; the last 20 are kept."""
    one = room(CALLED, OTHER, delivery=Delivery(waits=(5,) * 30, spread=0))
    id_ = one.submitted(HERE)

    def fail(code: int, verdict: str = "retry") -> None:
        _, [call] = one.gateway.dispatcher.run_once()
        one.settle([call], Outcome(verdict=verdict, reason=f"met {code} password=hunter2", http_status=code))  # type: ignore[arg-type]
        one.clock.move(seconds=6)

    for code in range(500, 523):
        fail(code)
    fail(400, "dead")
    found = [moment for moment in moments(one, id_) if " failed" in moment.words or "given up" in moment.words]
    assert [moment.http_status for moment in found] == [*range(504, 523), 400]
    assert [moment.words.rpartition(": ")[2] for moment in found[-3:]] == [
        "attempt 22 failed", "attempt 23 failed", "given up",
    ]  # fmt: skip
    assert all((moment.detail or "").startswith("met ") for moment in found)
    assert "hunter2" not in repr(found)
    with one.gateway.database.read() as connection:
        row = outbox.call(connection, found[0].call or 0)
    assert row is not None
    shown = views.whole_call(row, (), {}).as_dict()["failed"]
    assert [(entry["attempt"], entry["http_status"]) for entry in shown] == [
        *((n + 1, 500 + n) for n in range(4, 23)), (24, 400),
    ]  # fmt: skip
    assert "hunter2" not in json.dumps(shown)


def test_refused_by_an_upstream(room: Make) -> None:
    """A refusal ends the call and its copy, with what the StatusCode means."""
    one = room(CALLED, OTHER, **AWAY)
    id_ = one.submitted(ABROAD)
    one.settle(submit_calls(one), judge(StatusError(Status(2003, "Message rejected"))))
    found = {moment.words: moment for moment in moments(one, id_)}
    dead, copy = found["forwarded to upstream far: given up"], found["Rejected: was rejected"]
    assert (dead.tone, dead.status_code, copy.tone, copy.status_code) == ("bad", 2003, "bad", 2003)
    assert "delivery report Rejected: first attempt" in found


def test_failing_and_paused_callbacks(room: Make) -> None:
    """A failed attempt tells when the next one is, with HTTP status and reason; a paused endpoint that it is."""
    one = room(replace(CALLED, callback=Callback(deliver="http://u:hunter2@tnn/mo?key=hunter2")), OTHER)
    id_ = one.submitted(HERE)
    _, calls = one.gateway.dispatcher.run_once()
    one.settle(
        calls, judge(TransportError("the server answered 503 password=hunter2", http_status=503, maybe_accepted=False))
    )
    found = {moment.words: moment for moment in moments(one, id_)}
    again = found["delivery report Retrieved: next attempt"]
    assert (again.http_status, again.attempts, again.is_planned) == (503, 1, True)
    assert again.at > one.clock()
    assert again.endpoint == "http://tnn/mo?key=***"
    one.clock.move(hours=1)
    _, calls = one.gateway.dispatcher.run_once()
    one.settle(calls, judge(AuthError("the server answered 401", http_status=401)))
    found = {moment.words: moment for moment in moments(one, id_)}
    paused = found["delivery report Retrieved: its endpoint is paused"]
    assert (paused.tone, paused.http_status) == ("bad", 401)
    assert "hunter2" not in repr(moments(one, id_))


def test_what_was_never_made_has_not_failed(room: Make) -> None:
    """A call that expires while it waits tells no attempt that nobody made."""
    one = room(CALLED, OTHER)
    id_ = one.submitted(HERE)
    _, calls = one.gateway.dispatcher.run_once()
    one.settle(calls, Outcome(verdict="retry", reason="HTTP 503", http_status=503))
    one.clock.move(days=8)
    one.gateway.run_pending()
    words = [moment.words.rpartition(": ")[2] for moment in moments(one, id_) if moment.what == "call"]
    assert words == ["queued", "attempt 1 failed", "given up"]


def test_taken_back(room: Make) -> None:
    """What was taken back says so, and its call was not made."""
    one = room(CALLED, OTHER, **AWAY)
    id_ = one.submitted(replace(ABROAD, expiry_date=timedelta(days=2)))
    one.settle(submit_calls(one), judge(StatusError(Status(3000, "Server Error"))))
    assert [moment.is_planned for moment in moments(one, id_) if moment.words == "expires"] == [True]
    assert one.code(CancelReq(vaspid="TNN", vasid="News", message_id=id_)) == 1000
    found = moments(one, id_)
    assert [moment.words for moment in found if moment.what != "plan"] == [
        "submitted by tnn, and kept",
        "forwarded to upstream far: queued",
        "forwarded to upstream far: attempt 1 failed",
        "forwarded to upstream far: not made",
        "Cancelled: was taken back",
    ]
    assert [moment.words for moment in found if moment.what == "plan"] == []  # nothing waits, so nothing expires


def test_replaced(room: Make) -> None:
    """A replacement is a moment of its own."""
    one = room(CALLED, OTHER, handsets=(Handset(prefix="+61", delay=timedelta(minutes=1)),))
    id_ = one.submitted(HERE)
    one.clock.move(seconds=5)
    new = ReplaceReq(vaspid="TNN", vasid="News", message_id=id_, parts=SUBMIT.parts)
    assert one.code(new, transaction_id="r1") == 1000
    assert (5.0, "request 1 was kept with the content in force") in told(one, id_)


def test_an_mo(room: Make) -> None:
    """From a handset, by an upstream, of another application: where it came from, and that it was brought."""
    one = room(CALLED, OTHER, **AWAY)
    id_ = one.gateway.simulator.send_mo("tnn", "+61499", "111122", "hi", "hello").message_id
    assert [words for _, words in told(one, id_)][:2] == [
        "sent by a handset, and kept",
        "brought to tnn: queued",
    ]
    _, calls = one.gateway.dispatcher.run_once()
    one.settle(calls, Outcome(verdict="done"))
    assert {"brought to tnn: taken", "Delivered: was taken by its application"} <= {w for _, w in told(one, id_)}
    brought = DeliverReq(sender=Number("+64211"), to=("111122",), parts=SUBMIT.parts)  # type: ignore[arg-type]
    assert one.code(brought, user="up", transaction_id="d1") == 1000
    assert told(one, one.messages[-1].id)[0][1] == "brought by upstream:far, and kept"
    first = one.submitted(replace(HERE, to=("333",)))  # type: ignore[arg-type]
    one.gateway.dispatcher.run_once()
    mo = one.messages[-1]
    assert mo.direction == "mo"
    assert told(one, mo.id)[0][1] == f"came from the message {first} of another application"
    assert "Sent: was taken by the application other" in [words for _, words in told(one, first)]


def test_only_displayed_recipients_have_no_moments(room: Make) -> None:
    """Who is only displayed has no copy, and so nothing becomes of it."""
    one = room(CALLED, OTHER, handsets=(Handset(prefix="+61", delay=timedelta(minutes=1)),))
    shown = Number("+61411", display_only=True)
    id_ = one.submitted(SubmitReq(vaspid="TNN", vasid="News", to=(Number("+61400"), shown), parts=SUBMIT.parts))
    assert {moment.recipient for moment in moments(one, id_)} == {None, "+61400"}


@pytest.mark.parametrize("state", ["Retrieved", "Indeterminate", "Expired", "Deferred"])
def test_a_state_has_one_colour(room: Make, state: str) -> None:
    """What became of a copy is coloured in the time line as its state is on the same page."""
    one = room(CALLED, OTHER, handsets=(Handset(prefix="+61", delay=timedelta(days=1)),))
    id_ = one.submitted(HERE)
    one.gateway.simulator.report(id_, "+61400", state)
    found = {moment.words.partition(":")[0]: moment.tone for moment in moments(one, id_) if moment.what == "recipient"}
    assert found == {state: tone(state)}
    assert tone(state) == {"Retrieved": "good", "Deferred": "waiting"}.get(state, "bad")
