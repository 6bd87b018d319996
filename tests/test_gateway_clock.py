"""A clock that is set: leases end all the same, nothing expires, is deleted or given up, until the new time counts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from gateway_room import CALLED, ONE, OTHER, START, Calls

from mm7zeep.errors import TransportError
from mm7zeep.gateway.admin import outputs
from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.config.draft import Plan
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.settings import Delivery, Retention, Settings
from mm7zeep.gateway.delivery import fetch_call
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.store import clock as clocks
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store import outbox, search, tables
from mm7zeep.gateway.store.clock import Clock
from mm7zeep.gateway.store.remote_parts import RemotePart
from mm7zeep.messages import DeliverReq

HOUR, DAY = 3600.0, 86400.0
AWAY = TransportError("refused", maybe_accepted=False)


class Times:
    """Two clocks that pass together; the wall clock can be set."""

    def __init__(self) -> None:
        self.steady = 1000.0
        self.offset = START.timestamp() - self.steady

    def wall(self) -> float:
        """Seconds since 1970, as the machine believes."""
        return self.steady + self.offset

    def pass_(self, seconds: float) -> None:
        """Time passes."""
        self.steady += seconds

    def set(self, seconds: float) -> None:
        """The wall clock is set forward, or back."""
        self.offset += seconds

    def clock(self, boot: str = "b") -> Clock:
        """As a gateway is given it."""
        return Clock(wall=self.wall, steady=lambda: self.steady, boot=boot)


class Place:
    """Gateways, one after the other or at the same time, on one database and one machine."""

    def __init__(self, url: str, stack: ExitStack, times: Times) -> None:
        self.url, self.stack, self.times = url, stack, times

    def gateway(self, calls: Calls | None = None, *, boot: str = "b", **options: Any) -> Gateway:
        """Another gateway."""
        settings = Settings(applications=(CALLED, OTHER), database=self.url, allow_internal=True, **options)
        made = Gateway(settings, deliver=calls or Calls(), clock=self.times.clock(boot))
        self.stack.callback(made.close)
        return made


@pytest.fixture
def times() -> Times:
    """The machine's clocks."""
    return Times()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path, times: Times) -> Iterator[Place]:
    """Where gateways are made, on an empty database of each engine."""
    url = f"sqlite:///{tmp_path / 'x.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    with ExitStack() as stack:
        yield Place(url, stack, times)


def states(gateway: Gateway) -> list[str]:
    """The states of all calls, the oldest first."""
    with gateway.database.read() as connection:
        query = sa.select(tables.OUTBOX.c.state).order_by(tables.OUTBOX.c.id)
        return list(connection.scalars(query))


def held(gateway: Gateway) -> bool:
    """Whether a jump waits to be confirmed."""
    with gateway.database.read() as connection:
        return gateway.clock.read(connection).held


@pytest.mark.parametrize("boot", ["b", "another"], ids=["same boot", "after a restart of the machine"])
def test_leases_of_a_dead_gateway_end(place: Place, times: Times, boot: str) -> None:
    """The clock is set back an hour while no gateway runs: the leases of the one that died end within a minute."""
    first = place.gateway()
    first.simulator.send_mo("tnn", "+61400", "111122")
    assert len(first.dispatcher.run_once()[1]) == 1
    first.admission.look()
    times.set(-HOUR)
    calls = Calls()
    second = place.gateway(calls, boot=boot)
    assert held(second)
    times.pass_(61)
    second.run_pending()
    assert len(calls.made) == 1
    assert states(second) == ["done"]


def test_leases_end_where_the_clock_is_set_back_meanwhile(place: Place, times: Times) -> None:
    """The clock is set back an hour while another gateway holds a lease and dies: it ends within a minute."""
    first, calls = place.gateway(), Calls()
    second = place.gateway(calls)
    first.simulator.send_mo("tnn", "+61400", "111122")
    assert len(first.dispatcher.run_once()[1]) == 1
    second.run_pending()
    times.set(-HOUR)
    times.pass_(61)
    second.run_pending()
    assert (len(calls.made), states(second)) == (1, ["done"])


@pytest.mark.parametrize("jump", [8 * DAY, 31 * DAY, 400 * DAY])
def test_jump_and_back(place: Place, times: Times, jump: float, caplog: pytest.LogCaptureFixture) -> None:
    """A clock that is days ahead for 4 seconds ends no call, expires no message and deletes nothing; it is logged."""
    calls = Calls()
    calls.refuse = AWAY
    gateway = place.gateway(
        calls,
        retention=Retention(days=30, messages=None),
        handsets=(Handset(prefix="+61411", delay=timedelta(hours=1)),),
    )
    late = replace(ONE, to=("+61411",), delivery_report=True, expiry_date=timedelta(days=2))  # type: ignore[arg-type]
    room_submit(gateway, late)
    room_submit(gateway, replace(ONE, delivery_report=True))
    gateway.simulator.send_mo("tnn", "+61400", "111122")
    gateway.run_pending()
    gateway.admission.look()
    before = messages(gateway)
    assert {copies[0] for _, copies in before} == {"Pending", "Retrieved"}
    with caplog.at_level(logging.ERROR, "mm7zeep.gateway"):
        times.set(jump)
        for _ in range(4):
            gateway.run_pending()
            assert gateway.housekeeper.sweep() == 0
            gateway.admission.look()
            times.pass_(1)
    assert "the clock jumped" in caplog.text
    assert held(gateway)
    times.set(-jump)
    gateway.run_pending()
    assert messages(gateway) == before
    assert states(gateway) == ["ready", "ready"]
    calls.refuse = None
    times.pass_(40)
    gateway.run_pending()
    assert states(gateway) == ["done", "done"]


@pytest.mark.parametrize("jump", [-HOUR, 8 * DAY, -400 * DAY])
def test_confirmed_by_steady_time(place: Place, times: Times, jump: float) -> None:
    """After five minutes of steady time the new time counts, and what waited waits as long as it would have."""
    calls = Calls()
    calls.refuse = AWAY
    gateway = place.gateway(calls)
    gateway.simulator.send_mo("tnn", "+61400", "111122")
    gateway.run_pending()
    times.set(jump)
    for _ in range(29):
        times.pass_(10)
        gateway.admission.look()
    assert held(gateway)
    with gateway.database.read() as connection:
        assert gateway.clock.now(connection) == pytest.approx(times.wall() - jump, abs=1)
    for _ in range(3):
        times.pass_(10)
        gateway.admission.look()
    assert not held(gateway)
    with gateway.database.read() as connection:
        assert gateway.clock.now(connection) == pytest.approx(times.wall(), abs=1)
        [row] = connection.execute(sa.select(tables.OUTBOX)).mappings()
    # the second attempt was due 5 s after the first, which was 320 s ago; the call has seven days from its planning
    assert row["due"] == pytest.approx(times.wall() - 320 + 5, abs=2)
    assert row["expires"] == pytest.approx(times.wall() - 320 + 7 * DAY, abs=2)
    calls.refuse = None
    gateway.run_pending()
    assert states(gateway) == ["done"]


@pytest.mark.parametrize("spare", [HOUR, 2 * DAY], ids=["of the message", "of its own"])
def test_fetch_expires_with_its_message(place: Place, times: Times, spare: float) -> None:
    """A fetch that ends when its message expires still does so by the new time; one that ends before has its span."""
    gateway = place.gateway(delivery=Delivery(fetch_expiry=DAY))
    expires = START.timestamp() + spare
    room_submit(gateway, replace(ONE, expiry_date=START + timedelta(seconds=spare)))
    with gateway.database.write() as connection:
        [row] = search.found(connection, search.Search(), limit=2)
        octets = store.raw(connection, row.id)
        assert octets is not None
        remote = [RemotePart(0, "http://127.0.0.1:9/cat.png")]
        kept = fetch_call.waiting(gateway.settings, store.Kept(row, octets, ()), remote)
        outbox.plan(connection, kept.calls)
    times.set(-HOUR)
    gateway.admission.look()
    assert gateway.confirm_clock()
    with gateway.database.read() as connection:
        [call] = connection.execute(sa.select(tables.OUTBOX)).mappings()
        [row] = search.found(connection, search.Search(), limit=2)
    assert row.expires == expires
    own = START.timestamp() + DAY - HOUR
    assert call["expires"] == pytest.approx(expires if spare == HOUR else own, abs=1)


def test_confirmed_by_the_operator(place: Place, times: Times) -> None:
    """The operator's word is enough; without a jump there is nothing to confirm."""
    gateway = place.gateway(retention=Retention(days=30, messages=None))
    room_submit(gateway, ONE)
    gateway.run_pending()
    assert not gateway.clock_state().held
    assert not gateway.confirm_clock()
    times.set(31 * DAY)
    gateway.admission.look()
    state = gateway.clock_state()
    assert state.held
    assert state.jump == pytest.approx(31 * DAY, abs=1)
    assert gateway.housekeeper.sweep() == 0
    assert gateway.confirm_clock()
    assert not held(gateway)
    assert gateway.housekeeper.sweep() == 1


def test_processes_agree(place: Place, times: Times) -> None:
    """A jump that one process notices is no second one for another, and both go by one time before and after it."""
    first, second = place.gateway(), place.gateway()

    def now(gateway: Gateway) -> float:
        with gateway.database.write() as connection:
            return gateway.clock.now(connection)

    start = now(first)
    assert now(second) == start
    times.set(-HOUR)
    times.pass_(5)
    assert [now(one) for one in (second, first, second)] == [start + 5] * 3
    assert second.clock_state().jump == -HOUR
    assert second.confirm_clock()
    assert [now(one) for one in (first, second)] == [start + 5 - HOUR] * 2
    assert not held(first)
    times.pass_(1)
    assert [now(one) for one in (first, second)] == [start + 6 - HOUR] * 2


def test_rolled_back(place: Place, times: Times) -> None:
    """A jump noticed in a transaction that is rolled back is noticed again in the next one."""
    gateway = place.gateway()
    gateway.run_pending()
    times.set(8 * DAY)

    def notice_and_fail() -> None:
        with gateway.database.write() as connection:
            assert gateway.clock.read(connection).held
            gateway.clock.now(connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        notice_and_fail()
    with gateway.database.write() as connection:
        reading = gateway.clock.read(connection)
    assert reading.held
    assert reading.at == pytest.approx(START.timestamp(), abs=1)


@pytest.mark.parametrize("seconds", [-59.0, 59.0])
def test_small_corrections_are_followed(place: Place, times: Times, seconds: float) -> None:
    """A clock that is set by less than a minute counts without further ado."""
    gateway = place.gateway()
    gateway.run_pending()
    times.set(seconds)
    with gateway.database.write() as connection:
        reading = gateway.clock.read(connection)
    assert not reading.held
    assert reading.at == pytest.approx(times.wall(), abs=0.001)


def test_time_that_passes_expires(place: Place, times: Times) -> None:
    """Time that passes on both clocks is no jump, however much it is between two looks."""
    calls = Calls()
    calls.refuse = AWAY
    gateway = place.gateway(calls)
    gateway.simulator.send_mo("tnn", "+61400", "111122")
    gateway.run_pending()
    times.pass_(8 * DAY)
    gateway.run_pending()
    assert states(gateway) == ["dead"]
    assert not held(gateway)


@pytest.mark.postgres
def test_databases_clock_counts(postgres_url: str, tmp_path: Path) -> None:
    """On PostgreSQL the server's clock counts, whatever this machine's says; and where it jumps, that is noticed."""
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:  # a clock of the server that a test can set
        connection.exec_driver_sql("CREATE SCHEMA fake")
        connection.exec_driver_sql("CREATE TABLE fake.skew (seconds float8)")
        connection.exec_driver_sql("INSERT INTO fake.skew VALUES (-1000)")
        connection.exec_driver_sql(
            "CREATE FUNCTION fake.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
            "'SELECT pg_catalog.clock_timestamp() + make_interval(secs => (SELECT seconds FROM fake.skew))'"
        )
    url = f"{postgres_url}?options=-c%20search_path%3Dfake,pg_catalog,public"
    gateway = Gateway(Settings(applications=(CALLED,), database=url, allow_internal=True), deliver=Calls())
    try:
        with gateway.database.write() as connection:
            real = clocks.time.time()
            assert gateway.clock.now(connection) == pytest.approx(real - 1000, abs=30)
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE fake.skew SET seconds = 700000")
        with gateway.database.write() as connection:
            reading = gateway.clock.read(connection)
        assert reading.held
        assert reading.at == pytest.approx(real - 1000, abs=60)
    finally:
        gateway.close()
        engine.dispose()


# --- what they share --------------------------------------------------------------------------------------------------


def room_submit(gateway: Gateway, message: Any) -> None:
    """Have a gateway take a message."""
    from gateway_room import basic

    from mm7zeep import exchange

    wire = exchange.pack(message)
    answer = exchange.unpack(gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn")))))
    assert answer.message.status.ok  # type: ignore[attr-defined]


def messages(gateway: Gateway) -> list[tuple[str, list[str]]]:
    """The messages kept, with the states of their recipients."""
    with gateway.database.read() as connection:
        rows = search.found(connection, search.Search(), limit=50)
        return [(row.id, [one.state for one in store.recipients(connection, row.id)]) for row in rows]


def test_rest_api(tmp_path: Path, times: Times) -> None:
    """The API shows a jump and takes the operator's word; the metrics page shows that one waits."""

    def ask(method: str, path: str) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(admin_app(gateway))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8008") as client:
                return await client.request(method, path)

        return asyncio.run(once())

    with ExitStack() as stack:
        gateway = Place(f"sqlite:///{tmp_path / 'x.db'}", stack, times).gateway()
        assert ask("GET", "/api/v1/clock").json()["held"] is False
        assert ask("POST", "/api/v1/clock/confirm").status_code == 409
        gateway.admission.look()
        times.set(-HOUR)
        gateway.admission.look()
        found = ask("GET", "/api/v1/clock").json()
        assert (found["held"], found["jump"]) == (True, -HOUR)
        assert set(found) == set(outputs.Clock.model_fields)
        assert "mm7_clock_held 1.0" in ask("GET", "/metrics").text
        assert ask("POST", "/api/v1/clock/confirm").json()["held"] is False
        assert "mm7_clock_held 0.0" in ask("GET", "/metrics").text


@pytest.mark.parametrize("jump", [-HOUR, 8 * DAY])
def test_what_is_planned_while_the_clock_is_set(jump: float, place: Place, times: Times) -> None:
    """Once a jump of the clock is confirmed, a date is that of the new time, and a span is as long as it was to be."""
    calls = Calls()
    gateway = place.gateway(calls)
    begun = times.wall()
    draft = gateway.simulator.draft("tnn", "+61400", "111122", "s", "x")
    [span] = gateway.simulator.plan(draft, Plan(after=2 * HOUR))
    [date] = gateway.simulator.plan(draft, Plan(at=begun + 2 * HOUR))
    gateway.admission.look()

    def sent() -> list[str]:
        gateway.run_pending()
        return [each.linked_id for each in calls.of(DeliverReq)]

    times.set(jump)
    times.pass_(10)
    assert (sent(), held(gateway)) == ([], True)  # neither by the wrong time nor by the right one, while that is open
    assert gateway.confirm_clock()
    if jump > 0:  # the date is over
        assert sent() == [date]
        times.pass_(2 * HOUR - 11)
        assert sent() == [date]
        times.pass_(2)
        assert sent() == [date, span]
    else:
        times.pass_(2 * HOUR - 11)
        assert sent() == []
        times.pass_(2)
        assert sent() == [span]
        times.pass_(HOUR - 2)
        assert sent() == [span]
        times.pass_(2)
        assert times.wall() == pytest.approx(begun + 2 * HOUR, abs=2)
        assert sent() == [span, date]
