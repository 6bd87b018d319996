"""The gateway where things meet that seldom meet: what was found wrong once by a review, and stays right."""

from __future__ import annotations

import base64
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gateway_room import CALLED, ONE, START, SUBMIT, TEXT, Make, Room, rooms

from mm7zeep import mime
from mm7zeep.errors import AuthError, TransportError
from mm7zeep.exchange import pack
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.parties import Route, Upstream
from mm7zeep.gateway.config.settings import Delivery, Retention, Settings
from mm7zeep.gateway.delivery.dispatcher import Dispatcher
from mm7zeep.gateway.delivery.retry import Outcome, judge
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.server.supervisor import Supervisor
from mm7zeep.gateway.store import endpoints, messages, outbox
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.gateway.store.idempotency import digest
from mm7zeep.gateway.store.rows import CallRow
from mm7zeep.messages import CancelReq, DeliveryReportReq, Number, Part, ReplaceReq, ShortCode, SubmitReq

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


def settle(one: Room, calls: list[CallRow], outcome: Outcome) -> None:
    """Have the next turn settle claimed calls."""
    one.gateway.dispatcher._results.extend((call, outcome) for call in calls)
    one.gateway.dispatcher.run_once(claiming=False)


def sent(one: Room, message: SubmitReq = ABROAD) -> str:
    """The id of a message that an upstream has taken, and calls far-1."""
    message_id = one.submitted(message)
    _, calls = one.gateway.dispatcher.run_once()
    settle(one, [call for call in calls if call.kind == "submit"], Outcome(verdict="done", message_id="far-1"))
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


# --- cancel and replace -----------------------------------------------------------------------------------------------


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


# --- expiry -----------------------------------------------------------------------------------------------------------


def test_no_call_after_its_expiry(room: Make) -> None:
    """A call that waited longer than it may is given up without being made."""
    one = room(delivery=Delivery(expiry=30))
    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    one.clock.move(days=3)
    [event] = one.gateway.run_pending()
    assert (event.state, one.calls.made) == ("Refused", [])
    [dead] = one.outbox(state="dead")
    assert (dead.attempts, dead.reason) == (0, "it expired before it could be made (given up)")
    assert one.gateway.replay(id=dead.id) == 1
    assert [event.state for event in one.gateway.run_pending()] == ["Delivered"]


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


def test_resumed_calls_have_time_again(room: Make) -> None:
    """What waited for a paused endpoint has as long as a new call once it is replayed."""
    one = room(delivery=Delivery(expiry=60))
    one.calls.refuse = AuthError("x", http_status=401)
    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    one.gateway.run_pending()
    one.clock.move(seconds=50)
    assert one.gateway.replay(endpoint="http://tnn/mo") == 1
    [call] = one.outbox()
    assert call.expires - one.clock() == 60


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


# --- upstreams --------------------------------------------------------------------------------------------------------


def test_report_before_the_submit_is_settled(room: Make) -> None:
    """A report that overtakes the answer to its submit is asked for again (4006); 2005 would lose it."""
    one = room(CALLED, **AWAY)
    message_id = one.submitted(ABROAD)
    _, calls = one.gateway.dispatcher.run_once()
    assert report(one, "Retrieved") == 4006
    settle(one, calls, Outcome(verdict="done", message_id="far-1"))
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


# --- the same request -------------------------------------------------------------------------------------------------


def slides(duration: str, *names: str) -> SubmitReq:
    """A message with a presentation that names its parts."""
    shown = "".join(f"<text src='cid:{one}'/>" for one in names)
    smil = f'<smil><body><par dur="{duration}s">{shown}</par></body></smil>'.encode()
    presentation = Part(body=smil, content_type="application/smil", content_id="smil")
    return replace(ONE, parts=(presentation, *(replace(TEXT, content_id=one) for one in names)))


def test_digest_of_presentations() -> None:
    """Content-IDs count only for which part they name where: not for what else happens to read like one."""
    assert digest(slides("1", "1")) != digest(slides("2", "2"))
    assert digest(slides("5", "1", "11")) == digest(slides("5", "a", "b"))
    assert digest(slides("5", "a", "b")) != digest(slides("5", "a"))
    swapped = slides("5", "a", "b").parts
    assert digest(replace(ONE, parts=(swapped[0], swapped[2], swapped[1]))) != digest(slides("5", "a", "b"))


# --- the dispatcher ---------------------------------------------------------------------------------------------------


def test_answer_that_no_database_takes(room: Make) -> None:
    """NUL and half surrogates in what an endpoint answers hold up nobody: neither its own call nor others'."""
    one = room()
    one.calls.refuse = TransportError("x\x00y\udcffz", maybe_accepted=False, http_status=500)
    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    one.gateway.simulator.send_mo("other", "+61400", "333")
    assert [event.state for event in one.gateway.run_pending()] == ["Postponed", "Postponed"]
    assert {call.reason for call in one.outbox()} == {"TransportError: x y z"}


def test_full_window_elsewhere_costs_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process looks seldom where another one has the whole window of an endpoint."""
    one = Room(tmp_path)
    for _ in range(6):
        one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    with one.gateway.database.write() as connection:
        claimed = outbox.claim(
            connection, "tnn http://tnn/mo", now=one.clock(), window=5, lease=60, holder="somebody else"
        )
    assert len(claimed) == 5
    turns: list[float] = []
    turn = Dispatcher.run_once

    def counted(dispatcher: Dispatcher, **options: Any) -> Any:
        turns.append(time.monotonic())
        return turn(dispatcher, **options)

    monkeypatch.setattr(Dispatcher, "run_once", counted)
    with one.gateway.working():
        time.sleep(1.0)
    one.gateway.close()
    assert 1 <= len(turns) <= 15
    assert one.calls.made == []


@pytest.mark.postgres
def test_reports_on_one_message_settle_side_by_side(tmp_path: Path, postgres_url: str) -> None:
    """Two processes that record reports on one message in opposite order do not stand in each other's way."""
    one = Room(tmp_path, database=postgres_url)
    asked = replace(SUBMIT, to=tuple(f"+614{n}" for n in range(30)), delivery_report=True, read_reply=True)  # type: ignore[misc]
    one.submitted(asked)
    with one.gateway.database.write() as connection:
        one.gateway.dispatcher.network.advance(connection, one.clock())
        calls = outbox.claim(connection, "tnn http://tnn/dlr", now=one.clock(), window=60, lease=60, holder="both")
    assert [call.kind for call in calls] == ["report"] * 30
    other = Gateway(one.settings, clock=one.clock)
    failed: list[StoreError] = []

    def work(gateway: Gateway, own: list[CallRow]) -> None:
        gateway.dispatcher._results.extend((call, Outcome(verdict="done")) for call in own)
        try:
            gateway.dispatcher.run_once(claiming=False)
        except StoreError as error:
            failed.append(error)

    threads = [
        threading.Thread(target=work, args=arguments)
        for arguments in ((one.gateway, calls[::2]), (other, calls[1::2][::-1]))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {(call.kind, call.state) for call in one.outbox()} == {("report", "done"), ("read", "ready")}
    one.gateway.close()
    other.close()


def test_worker_started_while_the_signal_comes() -> None:
    """A worker that was being started when the signal came gets it, too."""
    here = socket.socket()
    supervisor = Supervisor(Settings(), here, here)
    here.close()
    workers: list[Worker] = []

    class Worker:
        def __init__(self, **options: Any) -> None:
            self.ended = False
            workers.append(self)

        def start(self) -> None:
            supervisor._signalled(15, None)

        def terminate(self) -> None:
            self.ended = True

    supervisor._context.Process = Worker  # type: ignore[assignment, misc]
    supervisor._start()
    assert [one.ended for one in workers] == [True]


# --- the end ----------------------------------------------------------------------------------------------------------

_STUCK = """
import os, socket, sys, time
from mm7zeep.gateway.mm7 import requests
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.server.process import run
from mm7zeep.gateway.config.settings import Settings

def submit(self, call):
    os.write(1, b"stuck\\n")
    time.sleep(60)

requests.Intake.submit = submit
mm7, admin = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
apps = tuple(
    Application(name=f"tnn{n}", password="t", vaspid="TNN", short_codes=(f"11112{n}",)) for n in range(8)
)
settings = Settings(applications=apps, database="sqlite:///" + sys.argv[1], drain=2.0)
print(mm7.getsockname()[1], flush=True)
run(settings, mm7, admin)
"""


def test_hard_stop_with_every_thread_held(tmp_path: Path) -> None:
    """SIGTERM ends a process within its drain time also where all threads wait for a database that does not answer."""
    words = [sys.executable, "-c", _STUCK, str(tmp_path / "x.db")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process, ExitStack() as open_:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            wire = pack(ONE)
            body = wire.read()
            for n in range(8):  # applications, since none gets all the threads
                fields = [
                    *wire.headers,
                    ("Authorization", "Basic " + base64.b64encode(b"tnn%d:t" % n).decode()),
                    ("Host", "x"),
                    ("Content-Length", str(len(body))),
                ]
                head = "POST /mm7 HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
                client = open_.enter_context(socket.create_connection(("127.0.0.1", port)))
                client.sendall(head.encode() + body)
            for _ in range(8):
                assert process.stdout.readline() == b"stuck\n"
            process.terminate()
            assert process.wait(15) == 1
        finally:
            process.kill()


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
    settle(one, [call], judge(error))
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


def test_outcome_that_cannot_be_kept(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """One outcome that the database refuses keeps no other from being settled, and is settled without its words."""
    one = room()
    for _ in range(3):
        one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    _, calls = one.gateway.dispatcher.run_once()
    complete = outbox.complete

    def choosy(connection: Any, call: CallRow, now: float, **values: Any) -> bool:
        if values.get("reason") == "poison":
            raise StoreError("no such character")
        return complete(connection, call, now, **values)

    monkeypatch.setattr(outbox, "complete", choosy)
    words = ["one", "poison", "three"]
    one.gateway.dispatcher._results.extend(
        (call, Outcome(verdict="done", reason=word)) for call, word in zip(calls, words, strict=True)
    )
    with pytest.raises(StoreError):
        one.gateway.dispatcher.run_once()
    one.gateway.dispatcher._isolate()
    one.gateway.dispatcher.run_once()
    assert [(row.state, row.reason) for row in one.outbox()] == [("done", "one"), ("done", None), ("done", "three")]


class Ended:
    """A worker that has ended, as its supervisor sees it."""

    def __init__(self, exitcode: int) -> None:
        self.exitcode = exitcode

    def join(self) -> None:
        """It has."""


def ended(supervisor: Supervisor, exitcode: int, *, lived: float = 0.0, served: bool = True) -> float:
    """Seconds after which another is started in the place of one that ended so."""
    worker: Any = Ended(exitcode)
    supervisor._workers[worker] = time.monotonic() - lived
    supervisor._ended(worker, served=served)
    return supervisor._planned.pop() - time.monotonic()


def test_workers_that_end(tmp_path: Path) -> None:
    """A killed worker is replaced at once; ones that cannot serve later and later, and for ever if one has served."""
    here: Any = None
    supervisor = Supervisor(Settings(workers=2), here, here)
    assert ended(supervisor, -9) == pytest.approx(0, abs=0.1)
    pauses = [ended(supervisor, 1) for _ in range(30)]
    assert pauses[:4] == pytest.approx([0.2, 0.4, 0.8, 1.6], abs=0.1)
    assert pauses[-1] == pytest.approx(10, abs=0.1)
    assert ended(supervisor, 1, lived=60) == pytest.approx(0, abs=0.1)
    for _ in range(9):
        ended(supervisor, 1, served=False)
    with pytest.raises(RuntimeError, match="end as soon as they are started"):
        ended(supervisor, 1, served=False)
