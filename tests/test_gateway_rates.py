"""How many messages leave, by sending number, upstream and day: counted exactly, in order, and told to who asks."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from asgi_client import AsgiClient
from gateway_room import CALLED, START, TEXT, Make, Room, rooms

from mm7zeep.errors import TransportError
from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.config.parties import Route, Upstream
from mm7zeep.gateway.config.rates import Rate, Rates
from mm7zeep.gateway.config.settings import Delivery
from mm7zeep.gateway.delivery.retry import Outcome, judge
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.maintenance import Housekeeper
from mm7zeep.gateway.store import buckets, opt_outs, outbox
from mm7zeep.gateway.store.clock import Clock
from mm7zeep.gateway.store.rows import CallRow
from mm7zeep.gateway.store.tables import OUTBOX, RATE, RATE_RETURN
from mm7zeep.messages import CancelReq, Number, ShortCode, SubmitReq

FAR = Upstream(name="far", url="http://far/mm7", vaspid="WE", vasid="us")
AWAY = {
    "upstreams": (FAR,),
    "routes": (Route(prefix="+64", via="far"),),
    "delivery": Delivery(narrow=100, wide=100, waits=(5.0,) * 12, spread=0.0),
}
KEY = "upstream:far http://far/mm7"
A, B, C = "12125550100", "12125550101", "18885550100"
PACIFIC = "America/Los_Angeles"
TAKEN = Outcome(verdict="done", message_id="far-1")
REFUSED = judge(TransportError("refused", maybe_accepted=False))
LOST = judge(TransportError("no answer", maybe_accepted=True))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


def message(number: str = A, **changes: object) -> SubmitReq:
    """A submit to an upstream's recipient, from that number."""
    sender = Number(f"+{number}")
    plain = SubmitReq(vaspid="TNN", vasid="News", to=(Number("+64211"),), sender_address=sender, parts=(TEXT,))
    return replace(plain, **changes)  # type: ignore[arg-type]


def plan(one: Room, count: int, number: str = A, *, queue: str | None = None, **changes: object) -> None:
    """Plan calls without their messages, as many at a time as wished: n0, n1, ... in order."""
    now = one.clock()
    row = {
        "kind": "submit", "owner": "upstream:far", "endpoint": KEY, "n": 0, "transaction_id": "t", "payload": "{}",
        "state": "ready", "due": now, "expires": now + 7 * 86400, "attempts": 0, "epoch": 0, "created": now,
        "number": number, "queue": number if queue is None else queue, **changes,
    }  # fmt: skip
    with one.gateway.database.write() as connection:
        connection.execute(sa.insert(OUTBOX), [{**row, "message_id": f"{number}-{n}"} for n in range(count)])


def turn(one: Room, outcome: Outcome | None = TAKEN, gateway: Gateway | None = None) -> list[CallRow]:
    """The calls that one turn claims, and what came of them recorded."""
    dispatcher = (gateway or one.gateway).dispatcher
    _, calls = dispatcher.run_once()
    if outcome is not None and calls:
        dispatcher._results.extend((call, outcome) for call in calls)
        dispatcher.run_once(claiming=False)
    return calls


def went(one: Room, seconds: float, step: float = 0.25) -> list[tuple[float, str]]:
    """What leaves meanwhile, in order: how many seconds after the beginning, and which message."""
    found: list[tuple[float, str]] = []
    for n in range(round(seconds / step)):
        found += [(n * step, call.message_id) for call in turn(one)]
        one.clock.move(seconds=step)
    return found


def at(one: Room, *moment: int) -> None:
    """Set the clock to a moment, in UTC."""
    one.clock.now = datetime(*moment, tzinfo=UTC)  # type: ignore[misc, arg-type]


# --- how many ---------------------------------------------------------------------------------------------------------


def test_pace_of_a_number(room: Make) -> None:
    """What exceeds two a second waits in order, and goes two a second, to the last one; a burst is what was said."""
    one = room(rates=(Rate(name="r", numbers=(A,), per_second=2.0, burst=3),), **AWAY)
    ids = [one.submitted(message()) for _ in range(9)]
    found = went(one, 6)
    assert [id for _, id in found] == ids
    assert [moment for moment, _ in found] == [0.0, 0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert one.states(ids[-1]) == ["Sent"]


def test_several_turns_between_two_messages(room: Make) -> None:
    """A number that is slower than a message a second is kept to its pace, however often it is looked."""
    one = room(rates=(Rate(name="r", numbers=(A,), per_second=0.4),), **AWAY)
    plan(one, 5)
    assert [moment for moment, _ in went(one, 12, 0.1)] == pytest.approx([0.0, 2.5, 5.0, 7.5, 10.0])


def test_day_of_a_number(room: Make) -> None:
    """No more than so many a calendar day of the zone; the rest goes after its midnight, in order."""
    rates = (Rate(name="r", numbers=("1212*",), per_day=4, timezone=PACIFIC),)
    one = room(rates=rates, **AWAY)
    at(one, 2026, 3, 1, 20)  # noon there
    ids = [one.submitted(message()) for _ in range(10)]
    other = one.submitted(message(B))
    assert [call.message_id for call in turn(one)] == [*ids[:4], other]  # each number has its own
    for _ in range(3):
        one.clock.move(hours=4)
        if one.clock.now < datetime(2026, 3, 2, 8, tzinfo=UTC):
            assert turn(one) == []
    one.clock.move(seconds=-1)
    assert turn(one) == []
    one.clock.move(seconds=1)
    assert [call.message_id for call in turn(one)] == ids[4:8]
    one.clock.move(hours=23, minutes=59)
    assert turn(one) == []
    one.clock.move(minutes=1)
    assert [call.message_id for call in turn(one)] == ids[8:]


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 8), 23), ((2026, 11, 1), 25), ((2026, 11, 2), 24)])
def test_days_of_summer_time(tmp_path: Path, day: tuple[int, int, int], hours: int) -> None:
    """The days on which a zone changes its clocks are as long as they are there."""
    with rooms(tmp_path) as make:
        one = make(rates=(Rate(name="r", numbers=(A,), per_day=1, timezone=PACIFIC),), **AWAY)
        begin = one.settings.rates[0].begin("-".join(f"{n:02}" for n in day))
        one.clock.now = datetime.fromtimestamp(begin, UTC)
        plan(one, 3)
        found = went(one, 3600 * (hours + 1), 1800)
        assert [moment for moment, _ in found] == [0.0, 3600.0 * hours]


def test_zones_without_midnight() -> None:
    """Where clocks are set forward at midnight, the day begins an hour later on them."""
    rate = Rate(name="r", numbers=(A,), per_day=1, timezone="America/Sao_Paulo")
    begin = rate.begin("2018-11-04")
    assert datetime.fromtimestamp(begin, UTC) == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert [rate.day(begin + shift) for shift in (-1, 0)] == ["2018-11-03", "2018-11-04"]


def test_all_that_fit_count(room: Make) -> None:
    """A number's pace, its day, a campaign's day, and an upstream's day and rate: none is exceeded."""
    far = replace(FAR, rate=5.0)
    rates = (
        Rate(name="pace", numbers=("1212*",), per_second=2.0),
        Rate(name="day", numbers=(A,), per_day=7),
        Rate(name="campaign", upstream="far", numbers=(A, B), together=True, per_second=3.0, per_day=10),
        Rate(name="all", upstream="far", per_day=30),
        Rate(name="elsewhere", upstream="other", per_day=1),
    )
    one = room(rates=rates, **{**AWAY, "upstreams": (far, replace(FAR, name="other", url="http://o/mm7"))})
    for number in (A, B, C):
        plan(one, 30, number, queue=one.settings.rate_limits.queue("far", number))
    found = went(one, 60)
    count = Counter(id.partition("-")[0] for _, id in found)
    assert (count[A] + count[B], count[C], count.total()) == (10, 20, 30)
    assert count[A] <= 7
    seconds = Counter((int(moment), id.partition("-")[0]) for moment, id in found)
    assert max(seconds[second, number] for second in range(1, 60) for number in (A, B)) == 2
    campaign = Counter(int(moment) for moment, id in found if not id.startswith(C))
    assert max(campaign[second] for second in range(1, 60)) == 3
    whole = Counter(int(moment) for moment, _ in found)
    assert [whole[second] for second in range(4)] == [8, 5, 5, 5]  # the burst of the upstream, then its rate
    for number in (A, B, C):
        own = [int(id.partition("-")[2]) for _, id in found if id.startswith(number)]
        assert own == list(range(len(own)))
    with one.gateway.database.read() as connection:
        used = {
            name.replace("\t", " "): count for name, count in connection.execute(sa.select(RATE.c.name, RATE.c.used))
        }
    assert used == {"campaign": 10, "all": 30, f"pace {A}": count[A], f"pace {B}": count[B], f"day {A}": count[A]}


def test_sender_is_who_the_message_says(room: Make) -> None:
    """A number counts however it is written; a message without one counts for its application's first short code."""
    rates = (Rate(name="r", numbers=("111122", A), per_day=1),)
    one = room(replace(CALLED, short_codes=("111122", "3")), rates=rates, **AWAY)
    for sender in (None, ShortCode("111122"), Number("+1 212 555-0100"), Number("tel:+12125550100"), Number("+1999")):
        one.submitted(message(sender_address=sender))
    calls = turn(one)
    assert [call.number for call in calls] == ["111122", A, "1999"]
    assert sorted(call.queue for call in one.outbox(state="done")) == ["", "111122", A]
    assert sorted(str(call.number) for call in one.outbox(state="ready")) == ["111122", A]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+1 (212) 555-0100", A),
        ("tel:+1-212-555-0100", A),
        ("TEL:NEWS", "news"),
        (A, A),
        ("NEWS", "news"),
        ("Last Stop", "last stop"),
        ("a.b@c.example", "a.b@c.example"),
    ],
)
def test_numbers_are_compared_as_opt_outs_are(written: str, number: str) -> None:
    """What the configuration calls a number is what the message's sender is compared by."""
    from mm7zeep.gateway.config.rates import _number

    assert _number(written) == number == opt_outs.key(ShortCode(written), None)
    assert _number(f"{written}*") == f"{number}*"


# --- several processes ------------------------------------------------------------------------------------------------


def test_processes_together(room: Make) -> None:
    """Gateways on one database, in threads, take no more together than each limit says, and lose nothing of it."""
    rates = (
        Rate(name="number", numbers=("*",), per_second=3.0),
        Rate(name="day", numbers=(A, B, C), together=True, per_day=40),
    )
    one = room(rates=rates, **AWAY)
    others = [Gateway(one.settings, clock=one.clock) for _ in range(2)]
    for number in (A, B, C):
        plan(one, 50, number)
    found: list[tuple[int, str]] = []

    def work(gateway: Gateway, start: threading.Barrier, second: int) -> None:
        start.wait()
        for _ in range(4):
            found.extend((second, call.message_id) for call in turn(one, TAKEN, gateway))

    for second in range(12):
        start = threading.Barrier(3)
        threads = [threading.Thread(target=work, args=(each, start, second)) for each in (one.gateway, *others)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found += [(second, call.message_id) for call in turn(one)]  # what each had left to another
        one.clock.move(seconds=1)
    for gateway in others:
        gateway.close()
    paces = Counter((second, id.partition("-")[0]) for second, id in found)
    assert max(paces.values()) == 3
    assert len(found) == len({id for _, id in found}) == 40
    with one.gateway.database.read() as connection:
        assert connection.scalar(sa.select(RATE.c.used).where(RATE.c.name == "day")) == 40


# --- one number delays no other ---------------------------------------------------------------------------------------


def test_number_without_room_delays_no_other(room: Make) -> None:
    """100,000 calls of a number that has no room cost a claim nothing: others leave at the next turn, by the index."""
    one = room(rates=(Rate(name="r", numbers=(A, B), per_day=1),), **AWAY)
    plan(one, 100_000)
    assert [call.message_id for call in turn(one)] == [f"{A}-0"]
    with one.gateway.database.write() as connection:
        connection.execute(sa.text("ANALYZE"))
    assert turn(one) == []
    submitted = [one.submitted(message(number)) for number in (B, C)]
    taken: list[float] = []
    with one.gateway.database.write() as connection:
        one.gateway.dispatcher.network.advance(connection, one.clock())
        for _ in range(30):  # the quickest counts, whatever else the machine does
            begun = time.perf_counter()
            claimed, _ = one.gateway.dispatcher._claim(connection, one.clock())
            taken.append(time.perf_counter() - begun)
            if len(taken) == 1:
                assert sorted(call.message_id for call in claimed) == sorted(submitted)
    assert min(taken) < 0.02, taken  # measured on a busy machine: below 1 ms on SQLite, 5 ms on PostgreSQL


def test_claims_go_by_the_index(room: Make) -> None:
    """Neither the look for queues nor a claim walks along the calls that wait, on either engine."""
    one = room(rates=(Rate(name="r", numbers=("*",), per_second=1.0),), **AWAY)
    for number in (A, B, C):
        plan(one, 3000, number)
    said: list[tuple[str, object]] = []

    def noted(connection: object, cursor: object, statement: str, parameters: object, *rest: object) -> None:
        if "outbox" in statement and statement.lstrip().upper().startswith(("SELECT", "WITH")):
            said.append((statement, parameters))

    with one.gateway.database.write() as connection:
        connection.execute(sa.text("ANALYZE"))
        sa.event.listen(connection, "before_cursor_execute", noted)
        assert len(one.gateway.dispatcher._claim(connection, one.clock())[0]) == 3
        sa.event.remove(connection, "before_cursor_execute", noted)
        sqlite = one.gateway.database.sqlite
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN (ANALYZE, TIMING OFF)"
        for statement, parameters in said:
            plan_of = [str(tuple(line)) for line in connection.exec_driver_sql(f"{explain} {statement}", parameters)]  # type: ignore[arg-type]
            walks = [
                line
                for line in plan_of
                if "SCAN outbox" in line or "SCAN first" in line or "Seq Scan on outbox" in line
            ]
            assert not walks, plan_of
            sorts = [line for line in plan_of if "TEMP B-TREE" in line]
            assert not sorts or statement.startswith("WITH") or "LIMIT" not in statement  # of queues, of claims
    assert any("outbox.queue" in statement for statement, _ in said)


def test_numbers_share_the_window(room: Make) -> None:
    """Where an upstream takes few at a time, a number with many that wait leaves room for the others."""
    one = room(
        rates=(Rate(name="r", numbers=("*",), per_day=1000),), **{**AWAY, "delivery": Delivery(narrow=6, wide=6)}
    )
    plan(one, 500)
    one.clock.move(seconds=1)
    plan(one, 500, B)
    plan(one, 1, C)
    claimed = turn(one)
    assert Counter(call.number for call in claimed) == {A: 2, B: 2, C: 1}
    assert Counter(call.number for call in turn(one)) == {A: 3, B: 3}


# --- what does not leave ----------------------------------------------------------------------------------------------


def test_refused_attempts_are_given_back_to_the_day(room: Make) -> None:
    """An attempt that was certainly not taken does not count for the day; one that may have been does."""
    one = room(rates=(Rate(name="r", numbers=(A,), per_day=3),), **AWAY)
    ids = [one.submitted(message()) for _ in range(5)]
    for _ in range(4):  # an outage that lasts
        assert [call.message_id for call in turn(one, REFUSED)] == ids[:3]
        assert [call.message_id for call in turn(one, REFUSED)] == ids[3:]
        one.clock.move(seconds=5)
    first = turn(one, LOST)
    assert [call.message_id for call in first] == ids[:3]
    one.clock.move(seconds=5)
    assert turn(one) == []
    one.clock.move(days=1)
    assert len(turn(one)) == 3
    with one.gateway.database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(RATE_RETURN)) == 0


def test_given_back_to_its_own_day(room: Make) -> None:
    """What was claimed before midnight and refused after it gives nothing to the new day."""
    one = room(rates=(Rate(name="r", numbers=(A,), per_day=2),), **AWAY)
    at(one, 2026, 3, 1, 23, 59, 59)
    plan(one, 5, expires=one.clock() + 9e6)
    early = turn(one, None)
    one.clock.move(seconds=2)
    assert len(turn(one)) == 2
    one.settle(early, REFUSED)
    one.clock.move(seconds=60)
    assert turn(one) == []
    one.clock.move(days=1)
    assert len(turn(one)) == 2


def test_dead_process_has_used_what_it_claimed(room: Make) -> None:
    """A claim whose process died may have left: it counts, and so does the next one."""
    one = room(rates=(Rate(name="r", numbers=(A,), per_day=2),), **AWAY)
    plan(one, 3, expires=one.clock() + 9e6)
    with closing(Gateway(one.settings, clock=one.clock)) as dying:
        assert len(turn(one, None, dying)) == 2
    one.clock.move(seconds=one.settings.delivery.lease + 1)
    assert turn(one) == []
    one.clock.move(days=1)
    assert [call.message_id for call in turn(one)] == [f"{A}-0", f"{A}-1"]


@pytest.mark.parametrize("outcome", [REFUSED, LOST])
def test_further_attempt_goes_before_what_waits(room: Make, outcome: Outcome) -> None:
    """What failed is made again after its wait, before all that have waited longer for their first attempt."""
    one = room(rates=(Rate(name="r", numbers=(A,), per_second=1.0),), **AWAY)
    ids = [one.submitted(message()) for _ in range(20)]
    assert [call.message_id for call in turn(one, outcome)] == ids[:1]
    one.clock.move(seconds=1)
    assert [id for _, id in went(one, 7, 1.0)] == [*ids[1:5], ids[0], *ids[5:7]]
    assert len(went(one, 20, 1.0)) == 13


def test_expiry_while_it_waits(room: Make) -> None:
    """A message that expires while its number has no room is Expired, and gives the day nothing."""
    one = room(rates=(Rate(name="r", numbers=(A,), per_day=1),), **AWAY)
    ids = [one.submitted(message(expiry_date=timedelta(hours=1))) for _ in range(2)]
    later = one.submitted(message())
    turn(one)
    one.clock.move(hours=2)
    assert turn(one) == []
    assert [one.states(id) for id in (*ids, later)] == [["Sent"], ["Expired"], ["Pending"]]
    one.clock.move(days=1)
    assert [call.message_id for call in turn(one)] == [later]


def test_taken_back_while_it_waits(room: Make) -> None:
    """What is cancelled while its number has no room never leaves, and uses nothing: the next one goes in its place."""
    one = room(rates=(Rate(name="r", numbers=(A,), per_second=1.0),), **AWAY)
    ids = [one.submitted(message()) for _ in range(4)]
    turn(one)
    assert one.code(CancelReq(vaspid="TNN", vasid="News", message_id=ids[1])) == 1000
    assert went(one, 4, 1.0) == [(1.0, ids[2]), (2.0, ids[3])]
    assert one.states(ids[1]) == ["Cancelled"]


# --- another configuration, another time ------------------------------------------------------------------------------


def changed(one: Room, *rates: Rate) -> Gateway:
    """The gateway that follows when the configuration is read again."""
    return Gateway(replace(one.settings, rates=rates), clock=one.clock)


def test_reload_with_another_rate(room: Make) -> None:
    """What was used counts on under new amounts; a slow pace that was changed holds nothing for its old time."""
    slow = Rate(name="r", numbers=(A,), per_second=0.001, per_day=3)
    one = room(rates=(slow,), **AWAY)
    plan(one, 20)
    assert len(turn(one)) == 1
    one.clock.move(seconds=1)
    with closing(changed(one, replace(slow, per_second=10.0, per_day=4))) as faster:
        assert len(turn(one, TAKEN, faster)) == 3
        one.clock.move(seconds=10)
        assert turn(one, TAKEN, faster) == []
    with closing(changed(one, replace(slow, per_second=None, per_day=2))) as less:
        assert turn(one, TAKEN, less) == []
        one.clock.move(days=1)
        assert len(turn(one, TAKEN, less)) == 2
    with closing(changed(one)) as free:
        assert len(turn(one, TAKEN, free)) == 14


def test_reload_with_a_rate_for_what_waits(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new rate counts for what was planned before it, too, and what waits for others is not held up by that."""
    monkeypatch.setattr(outbox, "_AT_ONCE", 40)
    one = room(**AWAY)
    plan(one, 250, queue="")
    one.clock.move(seconds=1)
    plan(one, 3, B, queue="")
    with closing(changed(one, Rate(name="r", numbers=(A,), per_day=2))) as limited:
        found = [call for _ in range(8) for call in turn(one, TAKEN, limited)]
        assert Counter(call.number for call in found) == {A: 2, B: 3}
        assert [call.message_id for call in found if call.number == A] == [f"{A}-0", f"{A}-1"]
        one.clock.move(days=1)
        assert [call.message_id for call in turn(one, TAKEN, limited)] == [f"{A}-2", f"{A}-3"]


def test_clock_that_is_set_back(room: Make) -> None:
    """A clock that is set back holds a pace no longer than a message's time, and a day two days at most."""
    one = room(rates=(Rate(name="r", numbers=(A,), per_second=0.5, per_day=5),), **AWAY)
    at(one, 2027, 6, 1)
    plan(one, 30, due=START.timestamp() - 1e6, expires=1e11)
    assert len(turn(one)) == 1
    at(one, 2026, 6, 1)  # the year was wrong
    assert len(went(one, 4, 1.0)) == 2
    assert len(went(one, 60, 1.0)) == 3
    at(one, 2026, 5, 31, 23, 59)  # over midnight: the day is not begun anew
    assert went(one, 60, 2.0) == []
    assert went(one, 86400, 1800) == []
    assert len(went(one, 60, 2.0)) == 5


def test_jump_that_is_confirmed(tmp_path: Path) -> None:
    """When a jump of the clock is confirmed, a pace goes on by the new time."""
    with rooms(tmp_path) as make:
        one = make(rates=(Rate(name="r", numbers=(A,), per_second=0.01),), **AWAY)
        passed = [0.0]
        with closing(Gateway(one.settings, clock=Clock(wall=one.clock, steady=lambda: passed[0]))) as guarded:
            plan(one, 3, expires=one.clock() + 9e9)
            assert len(turn(one, TAKEN, guarded)) == 1
            one.clock.move(days=-30)
            passed[0] += 50
            one.clock.move(seconds=50)
            assert turn(one, TAKEN, guarded) == []
            assert guarded.confirm_clock()
            assert turn(one, TAKEN, guarded) == []
            passed[0] += 50
            one.clock.move(seconds=50)
            assert len(turn(one, TAKEN, guarded)) == 1


def test_dispatcher_sleeps_until_there_is_room(tmp_path: Path) -> None:
    """A process does not turn for calls whose number has no room, and turns when it has."""
    with rooms(tmp_path) as make:
        one = make(rates=(Rate(name="r", numbers=(A,), per_second=10.0, burst=1),), poll=60.0, **AWAY)
        plan(one, 2)
        assert len(turn(one)) == 1
        assert one.gateway.dispatcher._until_due(True) == pytest.approx(0.1, abs=1e-3)
        one.clock.move(seconds=0.1)
        assert one.gateway.dispatcher._until_due(True) == 0.0


def test_forgotten_in_time(room: Make) -> None:
    """What was used days ago is deleted; what counts stays."""
    one = room(rates=(Rate(name="r", numbers=("*",), per_day=2),), **AWAY)
    plan(one, 1)
    turn(one, REFUSED)
    one.clock.move(days=4)
    plan(one, 1, B)
    turn(one)
    Housekeeper(one.gateway.database, one.settings, one.gateway.clock).sweep()
    with one.gateway.database.read() as connection:
        assert {name.partition("\t")[2] for name in connection.scalars(sa.select(RATE.c.name))} >= {B}
        assert buckets.waiting(connection, one.settings.rate_limits, one.clock()) == {"r": 0}


# --- told -------------------------------------------------------------------------------------------------------------


def test_reason_is_told(room: Make) -> None:
    """The admin API, the JSON API and the metrics say which rate a message waits for, and when that has room again."""
    rates = (
        Rate(name="long codes", numbers=("1212*",), per_second=1.0, per_day=2, timezone=PACIFIC),
        Rate(name="campaign", numbers=(B, C), together=True, per_second=0.5),
    )
    one = room(rates=rates, **AWAY)
    at(one, 2026, 11, 28, 20)
    ids = {number: [one.submitted(message(number)) for _ in range(3)] for number in (A, B)}
    day = f"waits for the rate long codes of {A}: 2 a day, room again at 2026-11-29T08:00:00Z"
    pace = "waits for the rate campaign: 0.5 a second, room again at 2026-11-28T20:00:03Z"
    turn(one)
    one.clock.move(seconds=1)
    turn(one)
    with closing(AsgiClient(admin_app(one.gateway, clock=one.clock))) as admin:
        rows = admin.get("/api/v1/callbacks?limit=100").json()["callbacks"]
        waiting = {row["message_id"]: (row["state"], row["reason"]) for row in rows if row["state"] == "ready"}
        assert waiting == {
            ids[A][2]: ("ready", day),
            **{id: ("ready", pace.replace(":03Z", ":02Z")) for id in ids[B][1:]},
        }
        whole = admin.get(f"/api/v1/messages/{ids[A][2]}").json()
        assert [call["reason"] for call in whole["calls"]] == [day]
        [row] = [row for row in rows if row["message_id"] == ids[A][2]]
        assert admin.get(f"/api/v1/callbacks/{row['id']}").json()["reason"] == day
        page = admin.get("/metrics").text
        assert 'mm7_kept_calls_waiting_for_rate{rate="long codes"} 1.0' in page
        assert 'mm7_kept_calls_waiting_for_rate{rate="campaign"} 2.0' in page
    with closing(AsgiClient(one.gateway.api)) as program:
        told = program.get(f"/v1/messages/{ids[A][2]}", auth=("tnn", "t")).json()["recipients"]
        assert [(copy["state"], copy["detail"]) for copy in told] == [("queued", day)]
        listed = program.get("/v1/messages", auth=("tnn", "t")).json()["messages"]
        details = {each["id"]: each["recipients"][0]["detail"] for each in listed}
        assert [details[id] for id in ids[A]] == [None, None, day]
    one.clock.now = datetime(2026, 11, 29, 8, tzinfo=UTC)
    with closing(AsgiClient(one.gateway.api)) as program:
        told = program.get(f"/v1/messages/{ids[A][2]}", auth=("tnn", "t")).json()["recipients"]
        assert told[0]["detail"] is None


def test_reason_of_a_failure_stays(room: Make) -> None:
    """What an earlier attempt met is told beside the rate that its next one waits for."""
    one = room(rates=(Rate(name="r", numbers=(A,), per_day=1),), **AWAY)
    plan(one, 1, expires=one.clock() + 9e6)
    turn(one, LOST)
    one.clock.move(seconds=6)
    with one.gateway.database.read() as connection:
        rows = outbox.listed(connection)
        reasons = buckets.reasons(connection, one.settings.rate_limits, rows, one.clock())
    assert reasons == {rows[0].id: f"waits for the rate r of {A}: 1 a day, room again at 2026-03-02T00:00:00Z"}
    with closing(AsgiClient(admin_app(one.gateway, clock=one.clock))) as admin:
        [row] = admin.get("/api/v1/callbacks").json()["callbacks"]
    assert row["reason"] == f"{reasons[rows[0].id]}; before: {rows[0].reason}"


def test_nothing_is_asked_without_rates(tmp_path: Path) -> None:
    """A gateway without rates looks none up, and has one queue an endpoint."""
    with rooms(tmp_path) as make:
        one = make(**AWAY)
        said: list[str] = []
        one.submitted(message())
        with one.gateway.database.write() as connection:
            one.gateway.dispatcher.network.advance(connection, one.clock())
            sa.event.listen(connection, "before_cursor_execute", lambda *given: said.append(given[2]))
            [call], _ = one.gateway.dispatcher._claim(connection, one.clock())
        assert (call.number, call.queue, call.counted) == (A, "", None)
        assert not [statement for statement in said if "rate" in statement.split()]
        assert not Rates().limits("far", A)
