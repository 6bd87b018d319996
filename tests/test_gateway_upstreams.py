"""What has left through an upstream, or is about to: taken back, replaced, reported, expired, kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from far_side import FarSide, proper
from gateway_room import CALLED, ONE, START, SUBMIT, TEXT, Make, Room, rooms

from mm7zeep import mime
from mm7zeep.errors import AuthError, TransportError
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.parties import Route, Upstream
from mm7zeep.gateway.config.settings import Retention
from mm7zeep.gateway.delivery.retry import Outcome, judge
from mm7zeep.gateway.store import endpoints, messages, outbox
from mm7zeep.messages import CancelReq, DeliveryReportReq, Number, ReplaceReq, ShortCode, SubmitReq

FAR = Upstream(name="far", url="http://far/mm7", vaspid="WE", vasid="us", callback_username="up", callback_password="u")


LANE = "upstream:far http://far/mm7"


AWAY = {"upstreams": (FAR,), "routes": (Route(prefix="+64", via="far"),)}


ABROAD = replace(SUBMIT, to=("+64211",), delivery_report=True)  # type: ignore[arg-type]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


def sent(one: Room, message: SubmitReq = ABROAD) -> str:
    """The id of a message that an upstream has taken, and calls far-1."""
    message_id = one.submitted(message)
    _, calls = one.gateway.dispatcher.run_once()
    one.settle([call for call in calls if call.kind == "submit"], Outcome(verdict="done", message_id="far-1"))
    return message_id


def report(one: Room, status: str, transaction_id: str = "r-1") -> int:
    """The status that an upstream's report on far-1 is answered with."""
    about = DeliveryReportReq(message_id="far-1", recipient="+64211", sender="1", date=START, mm_status=status)  # type: ignore[arg-type]
    return one.code(about, user="up", transaction_id=transaction_id)


def cancel(message_id: str) -> CancelReq:
    """A cancel."""
    return CancelReq(vaspid="TNN", vasid="News", message_id=message_id)


def put(message_id: str, **changes: Any) -> ReplaceReq:
    """A replace."""
    return ReplaceReq(vaspid="TNN", vasid="News", message_id=message_id, **changes)


def test_deferred_without_an_end_is_taken_back(room: Make) -> None:
    """What a handset put off can be replaced and taken back, also where it never expires."""
    one = room(handsets=(Handset(outcome="Deferred"),))
    message_id = one.submitted(ONE)
    one.gateway.run_pending()
    assert [(copy.state, copy.due) for copy in one.copies(message_id)] == [("Deferred", None)]
    assert one.code(put(message_id, read_reply=True)) == 1000
    one.gateway.run_pending()
    assert one.code(cancel(message_id)) == 1000


def test_deferred_upstream_leaves_once(room: Make) -> None:
    """What an upstream has and put off can be neither taken back nor replaced, and never leaves a second time."""
    one = room(CALLED, handsets=(Handset(outcome="Deferred"),), **AWAY)
    both = replace(ABROAD, to=("+64211", "+61400"), expiry_date=timedelta(hours=1))  # type: ignore[arg-type]
    message_id = sent(one, both)
    assert report(one, "Deferred") == 1000
    assert one.code(put(message_id, earliest_delivery_time=timedelta(minutes=5))) == 1100
    one.gateway.run_pending()
    with one.gateway.database.write() as connection:  # as a replace that names ExpiryDate
        messages.change(connection, message_id, expires=one.clock() + 7200)
    one.clock.move(hours=1)
    one.gateway.run_pending()
    assert [call.state for call in one.outbox() if call.kind == "submit"] == ["done"]
    assert one.states(message_id)[0] == "Deferred"
    one.clock.move(hours=1)
    one.gateway.run_pending()
    assert one.states(message_id)[0] == "Expired"


def test_taken_back_after_it_was_put_off(room: Make) -> None:
    """Why a copy was put off is no longer said of it once its upstream has taken it back."""
    with FarSide(proper) as far:
        one = room(CALLED, upstreams=(replace(FAR, url=far.url),), routes=AWAY["routes"])
        message_id = sent(one)
        put_off = DeliveryReportReq(
            message_id="far-1",
            recipient="+64211",  # type: ignore[arg-type]
            sender="1",  # type: ignore[arg-type]
            date=START,
            mm_status="Deferred",
            status_text="switched off",
        )
        assert one.code(put_off, user="up") == 1000
        assert [(copy.state, copy.detail) for copy in one.copies(message_id)] == [("Deferred", "switched off")]
        assert one.code(cancel(message_id)) == 1000
    assert [(copy.state, copy.detail) for copy in one.copies(message_id)] == [("Cancelled", None)]


def test_cancel_after_an_answer(room: Make) -> None:
    """What the last attempt was answered is no longer said of a submit that was taken back."""
    one = room(CALLED, **AWAY)
    message_id = one.submitted(ABROAD)
    _, calls = one.gateway.dispatcher.run_once()
    one.settle(calls, Outcome(verdict="retry", reason="busy", http_status=503, answer=b"busy"))
    assert one.code(cancel(message_id)) == 1000
    [call] = one.outbox()
    assert (call.state, call.reason, call.http_status, call.answer) == ("done", "cancelled", None, None)


@pytest.mark.postgres
def test_cancel_sent_twice_at_once(tmp_path: Path, postgres_url: str) -> None:
    """The same cancel, sent again while the first is being done, gets the first one's answer."""
    one = Room(tmp_path, database=postgres_url)
    message_id = one.submitted()
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda: codes.append(one.code(cancel(message_id), transaction_id="c-1")))
        for _ in range(2)
    ]
    with one.gateway.database.write() as connection:  # both get as far as the message
        messages.own(connection, "tnn", message_id)
        for thread in threads:
            thread.start()
        _until(lambda: _blocked(one) == 2)
    for thread in threads:
        thread.join()
    one.gateway.close()
    assert codes == [1000, 1000]


def _blocked(one: Room) -> int:
    with one.gateway.database.read() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return int(connection.exec_driver_sql(query).scalar() or 0)


def _until(look: Callable[[], bool], timeout: float = 10.0) -> None:
    until = time.monotonic() + timeout
    while not look():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)


def test_expires_while_its_upstream_is_paused(room: Make) -> None:
    """A message whose upstream takes nothing expires when it said, and that is reported."""
    one = room(CALLED, **AWAY)
    with one.gateway.database.write() as connection:
        endpoints.pause(connection, LANE, "401", one.clock())
    message_id = one.submitted(replace(ABROAD, expiry_date=timedelta(hours=1)))
    one.gateway.run_pending()
    assert one.states(message_id) == ["Pending"]
    one.clock.move(hours=1, seconds=1)
    one.gateway.run_pending()
    assert one.states(message_id) == ["Expired"]
    assert [told.mm_status for told in one.calls.of(DeliveryReportReq)] == ["Expired"]


def test_expiry_between_applications(room: Make) -> None:
    """A message to another application's short code is not brought after it has expired; its sender is told so."""
    one = room()
    one.calls.refuse = TransportError("x", maybe_accepted=False)
    to_other = replace(SUBMIT, to=(ShortCode("333"),), expiry_date=timedelta(minutes=1))
    message_id = one.submitted(to_other)
    one.gateway.run_pending()
    one.calls.refuse = None
    one.clock.move(hours=2)
    made = len(one.calls.made)
    one.gateway.run_pending()
    assert one.states(message_id) == ["Expired"]
    assert len(one.calls.made) == made


def test_report_before_the_submit_is_settled(room: Make) -> None:
    """A report that overtakes the answer to its submit is asked for again (4006); 2005 would lose it."""
    one = room(CALLED, **AWAY)
    message_id = one.submitted(ABROAD)
    _, calls = one.gateway.dispatcher.run_once()
    assert report(one, "Retrieved") == 4006
    one.settle(calls, Outcome(verdict="done", message_id="far-1"))
    assert report(one, "Retrieved") == 1000
    assert one.states(message_id) == ["Retrieved"]
    about = DeliveryReportReq(message_id="far-2", recipient="+1", sender="1", date=START, mm_status="Retrieved")  # type: ignore[arg-type]
    assert one.code(about, user="up") == 2005


def test_sent_messages_wait_for_their_report(room: Make) -> None:
    """What an upstream has is no finished message: its report is taken, however many came since, for a week."""
    one = room(CALLED, retention=Retention(days=None, messages=1), **AWAY)
    message_id = sent(one)
    for n in range(3):
        one.submitted(ONE, transaction_id=f"t-{n}")
    one.gateway.run_pending()
    assert one.gateway.housekeeper.sweep() == 2
    assert message_id in [message.id for message in one.messages]
    assert report(one, "Retrieved") == 1000
    one.gateway.run_pending()
    assert one.gateway.housekeeper.sweep() == 1


def test_sent_messages_go_after_a_week(room: Make) -> None:
    """A report that never comes keeps no message for ever."""
    one = room(CALLED, retention=Retention(days=None, messages=0), **AWAY)
    sent(one)
    assert one.gateway.housekeeper.sweep() == 0
    one.clock.move(days=7, seconds=1)
    assert one.gateway.housekeeper.sweep() == 1


def test_what_was_taken_back_is_not_replayed(room: Make) -> None:
    """Neither a submit that was cancelled nor one that went is made again: the recipient would get it after all."""
    one = room(CALLED, **AWAY)
    message_id = one.submitted(ABROAD)
    with one.gateway.database.write() as connection:
        one.gateway.dispatcher.network.advance(connection, one.clock())
    assert one.code(cancel(message_id)) == 1000
    sent(one)
    assert [(call.state, one.gateway.replay(id=call.id)) for call in one.outbox()] == [("done", 0), ("done", 0)]


def test_upstream_reads_what_was_accepted(room: Make) -> None:
    """An upstream gets the address with its id, and parts beyond the default limits where ours allow them."""
    one = room(CALLED, limits=mime.Limits(parts=300), **AWAY)
    parts = tuple(replace(TEXT, content_id=f"p{n}") for n in range(150))
    to = (Number("+61400"), Number("+64211", id="a-2"))
    message_id = one.submitted(replace(SUBMIT, to=to, parts=parts))
    _, calls = one.gateway.dispatcher.run_once()
    [request] = [one.gateway._caller._request(call, FAR) for call in calls if call.kind == "submit"]
    assert request is not None
    assert request.to == to[1:]
    assert sum(part.content_type == "text/plain" for part in request.parts) == 150
    assert len(one.texts(message_id)) == 150


def test_nothing_is_reported_on_who_is_only_displayed(room: Make) -> None:
    """A recipient that is only displayed has no copy, whoever asks for a report."""
    one = room()
    message_id = one.submitted(
        replace(SUBMIT, to=(Number("+1"), Number("+2", display_only=True)), delivery_report=True)
    )
    with pytest.raises(KeyError):
        one.gateway.simulator.report(message_id, "+2", "Retrieved")
    assert one.outbox() == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TransportError("refused", maybe_accepted=False), 1000),
        (AuthError("401", http_status=401), 1000),
        (TransportError("cut", maybe_accepted=True), 3001),
    ],
    ids=["refused", "paused", "cut"],
)
def test_cancel_after_an_attempt(error: Exception, status: int, room: Make) -> None:
    """A copy whose upstream refused it for now can be taken back; one that it may have taken cannot."""
    one = room(CALLED, **AWAY)
    message_id = one.submitted(ABROAD)
    one.gateway.dispatcher.run_once()
    _, calls = one.gateway.dispatcher.run_once()
    [call] = calls or [row for row in one.outbox() if row.state == "leased"]
    one.settle([call], judge(error))
    assert one.outbox()[0].state == "ready"
    assert one.code(CancelReq(vaspid="TNN", vasid="News", message_id=message_id)) == status


def test_cancel_after_a_process_died(room: Make) -> None:
    """A copy that was with a process which died may have gone out: it cannot be taken back."""
    one = room(CALLED, **AWAY)
    message_id = one.submitted(ABROAD)
    one.gateway.dispatcher.run_once()
    with one.gateway.database.write() as connection:
        outbox.release_expired(connection, one.clock() + 61)
    assert one.outbox()[0].state == "ready"
    assert one.code(CancelReq(vaspid="TNN", vasid="News", message_id=message_id)) == 3001
