"""The dispatcher where things meet that seldom meet: expiry, windows, outcomes that cannot be kept, several at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from gateway_room import ONE, START, SUBMIT, Make, Room, rooms

from mm7zeep.errors import AuthError, TransportError
from mm7zeep.gateway.config.settings import Delivery
from mm7zeep.gateway.delivery.dispatcher import Dispatcher
from mm7zeep.gateway.delivery.retry import Outcome
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.store import outbox
from mm7zeep.gateway.store.clock import ALIVE, Share
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.gateway.store.rows import CallRow
from mm7zeep.gateway.store.tables import HEARTBEAT


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


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


def test_answer_that_no_database_takes(room: Make) -> None:
    """NUL and half surrogates in what an endpoint answers hold up nobody: neither its own call nor others'."""
    one = room()
    one.calls.refuse = TransportError("x\x00y\udcffz", maybe_accepted=False, http_status=500)
    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    one.gateway.simulator.send_mo("other", "+61400", "333")
    assert [event.state for event in one.gateway.run_pending()] == ["Postponed", "Postponed"]
    assert {call.reason for call in one.outbox()} == {"TransportError: x y z"}


def forget_heartbeats(one: Room) -> None:
    """Let the process that tests run in, which had one when its gateway was made, count no more."""
    with one.gateway.database.write() as connection:
        connection.execute(sa.delete(HEARTBEAT))


class Process:
    """One of several processes on the database of a room: its dispatcher, and the heartbeats that it writes."""

    def __init__(self, one: Room, name: str) -> None:
        self.room = one
        gateway = one.gateway
        self.dispatcher = Dispatcher(
            gateway.settings, gateway.database, gateway.dispatcher._caller, clock=gateway.clock, holder=name
        )
        self.beat()

    def beat(self) -> None:
        """Be alive."""
        with self.room.gateway.database.write() as connection:
            self.room.gateway.clock.beat(connection, self.dispatcher.holder)

    def claimed(self) -> int:
        """How many calls it claims in one turn."""
        return len(self.dispatcher.run_once()[1])


@pytest.mark.parametrize("processes", [1, 2, 3, 30])
@pytest.mark.parametrize("window", [20, 7, 2, 1])
def test_processes_share_the_window(room: Make, window: int, processes: int) -> None:
    """Processes that are alive have an endpoint's window together, each its part; one that is gone has none."""
    one = room(delivery=Delivery(narrow=window, wide=window))
    for _ in range(25):
        one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    forget_heartbeats(one)
    with one.gateway.database.write() as connection:
        connection.execute(sa.insert(HEARTBEAT).values(process="gone", at=one.clock() - 60, boot=None, steady=0.0))
    all_ = [Process(one, f"process {n}") for n in range(processes)]
    parts = [each.claimed() for each in all_]
    assert sum(parts) == window
    assert max(parts) - min(parts) <= 1
    assert [each.claimed() for each in all_] == [0] * processes


def test_share_of_a_process_that_is_gone(room: Make) -> None:
    """Where a window is too narrow for all, who has no part of it waits, and takes over from one that is gone."""
    one = room(delivery=Delivery(narrow=1, wide=1))
    for _ in range(2):
        one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    forget_heartbeats(one)
    first, second = Process(one, "a"), Process(one, "b")
    assert (second.claimed(), first.claimed()) == (0, 1)
    assert second.dispatcher._until_due(True) == one.settings.poll  # it does not turn meanwhile
    one.clock.move(seconds=ALIVE - 1)
    second.beat()
    assert second.dispatcher._until_due(True) == one.settings.poll
    one.clock.move(seconds=2)
    second.beat()
    assert second.dispatcher._until_due(True) == 0
    assert second.claimed() == 1
    first.beat()
    assert (first.dispatcher._share, first.dispatcher._until_due(True)) == (Share(2, 0), one.settings.poll)


def test_when_it_looks_by_itself(room: Make) -> None:
    """Who hears of others looks seldom, and yet when the next thing is due, a lease is over, or a part is free."""
    one = room(delivery=Delivery(narrow=1, wide=1, lease=3))
    forget_heartbeats(one)
    first, second = Process(one, "a"), Process(one, "b")
    second.dispatcher.rely_on_announcements(True)
    assert second.dispatcher._until_due(True) == 5
    one.submitted(replace(ONE, earliest_delivery_time=START + timedelta(seconds=4)))
    assert second.dispatcher._until_due(True) == 4
    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    assert second.dispatcher._until_due(True) == one.settings.poll  # it is the other's, which may end without a word
    assert first.claimed() == 1
    assert second.dispatcher._until_due(True) == 3  # then its lease is over
    one.clock.move(seconds=3)
    assert second.dispatcher._until_due(True) == 0
    second.dispatcher.rely_on_announcements(False)
    second.dispatcher.run_once()
    assert second.dispatcher._until_due(True) == one.settings.poll


def test_share_of_a_process_without_a_heartbeat(room: Make) -> None:
    """A process counts itself before its first heartbeat, and where nobody writes any."""
    one = room()
    forget_heartbeats(one)
    clock = one.gateway.clock
    with one.gateway.database.write() as connection:
        now = clock.now(connection)
        assert clock.share(connection, "b", now) == Share(1, 0)
        for name in ("c", "a"):
            clock.beat(connection, name)
        assert [clock.share(connection, name, now) for name in "abc"] == [Share(2, 0), Share(3, 1), Share(2, 1)]


def test_no_room_costs_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process looks seldom where a rate that all share leaves no room."""
    one = Room(tmp_path)
    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    turns: list[float] = []

    def none(*arguments: object, **options: object) -> list[CallRow]:
        turns.append(time.monotonic())
        return []

    monkeypatch.setattr(outbox, "claim", none)
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
