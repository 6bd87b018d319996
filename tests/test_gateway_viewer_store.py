"""What the viewer keeps and asks for: sessions, what was viewed, conversations, versions, the health of endpoints."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from gateway_room import CALLED, ONE, OTHER, Make, rooms, sqlite_url
from stored import NOW, keep, kept

from mm7zeep.exchange import Wire
from mm7zeep.gateway.admin.sessions import COOKIE, Sessions
from mm7zeep.gateway.admin.user import User
from mm7zeep.gateway.delivery.retry import Outcome
from mm7zeep.gateway.maintenance import Housekeeper
from mm7zeep.gateway.store import (
    changes,
    conversations,
    endpoint_health,
    endpoints,
    messages,
    outbox,
    sessions,
    tables,
    versions,
    viewed,
)
from mm7zeep.gateway.store.clock import Clock, GuardedClock
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.endpoint_health import EndpointHealth, Failure
from mm7zeep.gateway.store.read_only import ReadOnlyDatabase
from mm7zeep.gateway.store.rows import DEAD, DONE, CallRow, SessionRow

HERE, THERE = "tnn http://tnn/mo", "other http://other/mo"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each engine."""
    if request.param == "postgresql":
        given: str = request.getfixturevalue("postgres_url")
        return given
    return sqlite_url(tmp_path)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A migrated database."""
    with closing(Database(url)) as made:
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


# --- sessions ---------------------------------------------------------------------------------------------------------


def session(digest: str, **values: Any) -> SessionRow:
    """A session of an operator, for an hour."""
    plain = SessionRow(digest=digest, name="ann", application=None, created=NOW, used=NOW, expires=NOW + 3600)
    return replace(plain, **values)


def test_sessions(database: Database) -> None:
    """A session is found until it expires or is ended, as it was kept and last used."""
    own = session("b", name="bob", application="tnn")
    with database.write() as connection:
        for one in (session("a"), own, session("c")):
            sessions.keep(connection, one)
        assert sessions.find(connection, "b", NOW) == own
        assert sessions.find(connection, "x", NOW) is None
        assert sessions.find(connection, "a", NOW + 3600) is None
        assert sessions.touch(connection, "a", NOW + 60, expires=NOW + 7200)
        assert sessions.find(connection, "a", NOW + 3600) == session("a", used=NOW + 60, expires=NOW + 7200)
        assert not sessions.touch(connection, "c", NOW + 3600, expires=NOW + 9000)
        assert not sessions.touch(connection, "x", NOW)
        assert sessions.delete(connection, "b")
        assert not sessions.delete(connection, "b")
        assert sessions.find(connection, "b", NOW) is None
        assert sessions.delete_of(connection, "ann") == 2
        assert sessions.find(connection, "a", NOW) is None


def test_expired_sessions_are_deleted(room: Make) -> None:
    """The sweep deletes sessions that have expired, so many at a time, and no others."""
    one = room()
    now = one.clock()
    with one.gateway.database.write() as connection:
        for n in range(5):
            sessions.keep(connection, session(str(n), expires=now - n))
        sessions.keep(connection, session("on", expires=now + 1))
        assert sessions.expire(connection, now, 2) == 2
    Housekeeper(one.gateway.database, one.settings, one.gateway.clock).sweep()
    with one.gateway.database.read() as connection:
        assert connection.scalars(sa.select(tables.SESSION.c.digest)).all() == ["on"]


# --- what was viewed --------------------------------------------------------------------------------------------------


def test_viewed(database: Database) -> None:
    """Messages are unopened until they are opened, and may be unopened again; the count ends at what it is told."""
    keep(database, *(kept(f"m{n}", application="tnn" if n % 2 else "other") for n in range(10)))
    with database.write() as connection:
        assert viewed.unopened(connection, None) == 10
        assert viewed.unopened(connection, "tnn", most=3) == 3
        viewed.mark(connection, ["m1", "m3", "m4", "x"], NOW)
        viewed.mark(connection, ["m1"], NOW + 1)
        assert viewed.among(connection, ["m1", "m2", "m4", "x"]) == {"m1", "m4"}
        assert [viewed.unopened(connection, one) for one in (None, "tnn", "other", "x")] == [7, 3, 4, 0]
        viewed.unmark(connection, ["m1", "m2"])
        assert [viewed.unopened(connection, one) for one in (None, "tnn")] == [8, 4]
        viewed.mark(connection, [], NOW)
        messages.delete(connection, ["m3", "m0"])
        assert [viewed.unopened(connection, one) for one in (None, "tnn", "other")] == [7, 4, 3]
        assert viewed.among(connection, []) == set()


@pytest.mark.postgres
def test_a_mark_leaves_nothing_behind_a_deletion(postgres_url: str) -> None:
    """Who marks a message that another is just deleting waits for that, and marks nothing."""
    with closing(Database(postgres_url)) as database:
        keep(database, kept("m"))

        def mark() -> None:
            with database.write() as connection:
                viewed.mark(connection, ["m"], NOW)

        marking = threading.Thread(target=mark)
        with database.write() as connection:
            messages.delete(connection, ["m"])
            marking.start()
            marking.join(0.3)
            assert marking.is_alive()
        marking.join(10)
        assert not marking.is_alive()
        with database.read() as connection:
            assert connection.execute(sa.select(tables.VIEWED)).all() == []


# --- conversations ----------------------------------------------------------------------------------------------------


def listed(database: Database, application: str | None = None, **options: Any) -> tuple[list[Any], int | None]:
    """A page of conversations: whose, with whom, the newest message, how many and how many unopened."""
    with database.read() as connection:
        page = conversations.listed(connection, application, **options)
    return [
        (one.application, one.number, one.newest.id, one.messages, one.unopened) for one in page.conversations
    ], page.next


def test_conversations(database: Database) -> None:
    """MT and MO with one subscriber are one conversation, of each application; a message to two is in two."""
    keep(
        database,
        kept("a", to=("+61400",)),
        kept("b", direction="mo", to=("111122",), sender="61400/TYPE=PLMN"),
        kept("c", to=("+61411", "+61400"), application="other"),
        kept("d", to=("+61422/TYPE=PLMN",)),
        kept("e", direction="mo", to=("111122",), sender=None),
        kept("f", to=()),
    )
    with database.write() as connection:
        viewed.mark(connection, ["a"], NOW)
    expected = [
        ("tnn", "+61422", "d", 1, 1), ("other", "+61411", "c", 1, 1), ("other", "+61400", "c", 1, 1),
        ("tnn", "61400", "b", 2, 1),
    ]  # fmt: skip
    assert listed(database) == (expected, None)
    assert listed(database, "tnn") == ([expected[0], expected[3]], None)
    assert listed(database, "nobody") == ([], None)


@pytest.mark.parametrize("window", [3000, 7])
def test_pages_of_conversations(database: Database, monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    """Every conversation is on one page, by its newest message, also where its messages are on both sides of an end."""
    monkeypatch.setattr(conversations, "WINDOW", window)
    numbers = [f"+61{n % 7}" for n in range(40)]
    keep(database, *(kept(f"m{n:02}", to=(number,) if n % 5 else (number, "+99")) for n, number in enumerate(numbers)))
    found: list[Any] = []
    before: int | None = None
    for _ in range(50):
        page, before = listed(database, limit=3, before=before)
        assert len(page) <= 4
        found += page
        if before is None:
            break
    assert before is None
    expected = {number: f"m{max(n for n in range(40) if numbers[n] == number):02}" for number in numbers}
    newest: dict[str, str] = {}
    for _, number, id, _, _ in found:
        newest.setdefault(number, id)
    assert newest == expected | {"+99": "m35"}
    if window == 3000:
        assert len(found) == len(newest)


# --- versions ---------------------------------------------------------------------------------------------------------


def version(database: Database | ReadOnlyDatabase) -> str:
    """The version of everything."""
    if isinstance(database, ReadOnlyDatabase):
        return database.read(versions.version)
    with database.read() as connection:
        return versions.version(connection)


def test_versions_change_with_what_happens(room: Make) -> None:
    """Whatever happens to messages, copies, calls, marks and endpoints changes the version; that nothing does, not."""
    one = room(CALLED, OTHER)
    gateway, database = one.gateway, one.gateway.database
    seen = [version(database)]

    def changed() -> bool:
        seen.append(version(database))
        return seen[-1] != seen[-2]

    message_id = one.submitted(replace(ONE, delivery_report=True))
    assert changed()
    gateway.dispatcher._until_due(True)
    with database.write(quiet=True) as connection:
        gateway.clock.beat(connection, "p")
    with database.write(quiet=True) as connection:
        gateway.clock.beat(connection, "p")
    assert not changed()
    one.clock.move(seconds=60)
    _, calls = gateway.dispatcher.run_once()
    assert calls == [] or len(calls) == 1
    assert changed()
    if not calls:
        _, calls = gateway.dispatcher.run_once()
        assert changed()
    one.settle(calls, Outcome(verdict="retry", reason="HTTP 500", http_status=500))
    assert changed()
    with database.write() as connection:
        viewed.mark(connection, [message_id], NOW)
    assert changed()
    with database.write() as connection:
        endpoints.pause(connection, HERE, "401", NOW)
    assert changed()
    with database.write() as connection:
        messages.delete(connection, [message_id])
    assert changed()
    assert not changed()
    assert len(set(seen)) == len(seen) - 2


def test_who_logs_in_changes_no_version(room: Make) -> None:
    """Log-ins, their use and their end are shown by no page: nobody else's is loaded again for them."""
    one = room()
    gateway = one.gateway
    logins = Sessions(gateway.settings, gateway.database, gateway.clock, b"")
    before = version(gateway.database)
    cookie = f"{COOKIE}={logins.begin(User('tnn', 'tnn'))}"
    head = Wire(method="GET", target="/", headers=(("Cookie", cookie),), body=b"")
    one.clock.move(seconds=1000)
    found = logins.find(head)
    assert found is not None
    logins.end(found)
    assert version(gateway.database) == before


def test_versions_show_what_other_processes_do(url: str) -> None:
    """A message, a state and a call of another process show immediately, all else with its heartbeat; to one that only
    reads, too.
    """
    with closing(Database(url)) as here, closing(Database(url)) as there, closing(ReadOnlyDatabase(url)) as reader:
        clock = GuardedClock(Clock.of(lambda: NOW), sqlite=here.sqlite)

        def beat() -> None:
            with there.write(quiet=True) as connection:
                clock.beat(connection, "there")

        def seen() -> tuple[str, str]:
            return version(here), version(reader)

        before = seen()
        keep(there, kept("m"))
        assert not set(before) & set(after := seen())
        with there.write() as connection:
            outbox.plan(connection, [call()])
        assert not set(after) & set(before := seen())
        with there.write() as connection:
            [copy] = messages.recipients(connection, "m")
            messages.move(connection, copy, state="Rejected", changed=NOW + 1)
        assert not set(before) & set(after := seen())
        beat()
        before = seen()
        with there.write() as connection:
            messages.delete(connection, ["nothing"])
        assert seen() == before
        beat()
        assert not set(before) & set(after := seen())
        beat()
        assert seen() == after


def test_changes_of_several_threads_are_not_lost() -> None:
    """Whoever notes a change leaves a count that was not there before."""
    counted = changes.Changes("p")
    seen = {str(counted)}
    for _ in range(100):
        counted.note()
        seen.add(str(counted))
    assert len(seen) == 101


def test_a_transaction_that_fails_counts(database: Database) -> None:
    """A transaction whose end nobody knows may have changed something."""
    before = version(database)

    def fail() -> None:
        with database.write():
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert version(database) != before


# --- the health of endpoints ------------------------------------------------------------------------------------------


def call(endpoint: str = HERE, **values: Any) -> CallRow:
    """A call that waits."""
    plain = CallRow(
        kind="deliver", owner=endpoint.partition(" ")[0], endpoint=endpoint, message_id="m", n=0, transaction_id="t",
        due=NOW, expires=NOW + 1000, created=NOW,
    )  # fmt: skip
    return replace(plain, **values)


def health(database: Database, application: str | None = None) -> list[EndpointHealth]:
    """How the endpoints do."""
    with database.read() as connection:
        return endpoint_health.health(connection, application)


CALLS = (
    call(state=DONE, attempts=1, ended=NOW + 5),
    call(state=DONE, attempts=2, ended=NOW + 3),
    call(state=DONE, attempts=0, ended=NOW + 9, reason="cancelled"),  # taken back: nothing was made
    call(state=DEAD, attempts=3, ended=NOW + 7, reason="HTTP 500 (given up)", http_status=500),
    call(state=DEAD, attempts=3, ended=NOW + 6, reason="earlier"),
    call(due=NOW + 50),
    call(due=NOW + 40),
    call(THERE, due=NOW + 30, attempts=2, reason="HTTP 503", http_status=503),
    call(THERE, state=DEAD, attempts=3, ended=NOW + 7, reason="before"),
    call(THERE, state="leased", attempts=1, lease_until=NOW + 60),
)
OF_HERE = EndpointHealth(
    endpoint=HERE, owner="tnn", waiting=2, dead=2, recent=4, done=2, last_success=NOW + 5, next_try=NOW + 40,
    last_failure=Failure(at=NOW + 7, reason="HTTP 500 (given up)", http_status=500),
)  # fmt: skip
OF_THERE = EndpointHealth(
    endpoint=THERE, owner="other", waiting=2, dead=1, recent=2, next_try=NOW + 30,
    last_failure=Failure(at=None, reason="HTTP 503", http_status=503),
)  # fmt: skip


@pytest.mark.parametrize("newest", [endpoint_health.NEWEST, 0], ids=["among the newest", "behind others"])
def test_health(database: Database, monkeypatch: pytest.MonkeyPatch, newest: int) -> None:
    """Of each endpoint what waits, what came of its calls, when the next is made; also of those behind many others."""
    monkeypatch.setattr(endpoint_health, "_NEWEST", endpoint_health._NEWEST.limit(newest))
    with database.write() as connection:
        outbox.plan(connection, CALLS)
    assert health(database) == [OF_THERE, OF_HERE]
    assert health(database, "tnn") == [OF_HERE]
    assert health(database, "nobody") == []
    with database.write() as connection:
        endpoints.pause(connection, HERE, "HTTP 401", NOW + 8)
        endpoints.pause(connection, "tnn http://tnn/new", "HTTP 401", NOW + 9)
    paused = {"paused": True, "reason": "HTTP 401", "next_try": None}
    assert health(database, "tnn") == [
        replace(OF_HERE, since=NOW + 8, **paused),
        EndpointHealth(endpoint="tnn http://tnn/new", owner="tnn", since=NOW + 9, **paused),  # type: ignore[arg-type]
    ]


def test_health_counts_to_an_end(database: Database) -> None:
    """However many calls wait for an endpoint, they are counted up to a number."""
    with database.write() as connection:
        outbox.plan(connection, [call()] * (endpoint_health.COUNTED + 10))
    [one] = health(database)
    assert one.waiting == endpoint_health.COUNTED
