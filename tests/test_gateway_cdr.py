"""The walk through all copies of a database, the following of what changes, and a database opened to be read alone."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from gateway_room import ONE, SUBMIT, Make, Room, rooms

from mm7zeep.gateway.cdr import walk
from mm7zeep.gateway.cdr.walk import Follower, Standby, pages
from mm7zeep.gateway.store import details, messages, migrations, tables
from mm7zeep.gateway.store.clock import Clock
from mm7zeep.gateway.store.database import Database, StoreError
from mm7zeep.gateway.store.details import Accepted, Changed, Detail
from mm7zeep.gateway.store.read_only import ReadOnlyDatabase
from mm7zeep.messages import Number


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


@pytest.fixture
def opened() -> Iterator[Callable[[Room], ReadOnlyDatabase]]:
    """Opens the database of a gateway to be read alone."""
    made: list[ReadOnlyDatabase] = []

    def read_only(one: Room) -> ReadOnlyDatabase:
        made.append(ReadOnlyDatabase(one.settings.database))
        return made[-1]

    yield read_only
    for each in made:
        each.close()


Opened = Callable[[Room], ReadOnlyDatabase]


def change(one: Room, message_id: str, state: str, changed: float, n: int = 0) -> None:
    """Have a copy reach a state at a time."""
    with one.gateway.database.write() as connection:
        messages.move(connection, one.copies(message_id)[n], state=state, changed=changed)


def told(found: Iterator[list[Detail]]) -> list[tuple[str, int, str]]:
    """What pages tell: message, recipient and state."""
    return [(one.message_id, one.n, one.state) for page in found for one in page]


# --- the walk ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["changed", "accepted"])
def test_pages(room: Make, opened: Opened, monkeypatch: pytest.MonkeyPatch, by: walk.By) -> None:
    """Every copy comes once, in its order, also where many share a time; each page is a transaction of its own."""
    monkeypatch.setattr(walk, "PAGE", 4)
    one = room()
    three = replace(SUBMIT, cc=(Number("+61422"),))
    ids = []
    for n in range(5):
        ids.append(one.submitted(three, transaction_id=f"t{n}"))
        one.clock.move(seconds=n % 2)  # two share a time
    change(one, ids[0], "Retrieved", one.clock() + 1, n=1)
    database, looks = opened(one), []
    read = database.read

    def spy(work: Callable[[Any], Any]) -> Any:
        looks.append(work)
        return read(work)

    monkeypatch.setattr(database, "read", spy)
    found = list(pages(database, by))
    rows = [row for page in found for row in page]
    assert ([len(page) for page in found], len(looks)) == ([4, 4, 4, 3], 4)
    assert len({(row.message_id, row.n) for row in rows}) == 15
    if by == "accepted":
        assert [(row.message_id, row.n) for row in rows] == [(id, n) for id in ids for n in range(3)]
    else:
        assert [row.changed for row in rows] == sorted(row.changed for row in rows)
        assert (rows[-1].message_id, rows[-1].n) == (ids[0], 1)


@pytest.mark.parametrize("by", ["changed", "accepted"])
def test_from_and_before(room: Make, opened: Opened, by: walk.By) -> None:
    """What is at ``since`` is in, what is at ``until`` is not; by changes a copy counts where it changed last."""
    one = room()
    ids = []
    for n in range(4):
        ids.append(one.submitted(ONE, transaction_id=f"t{n}"))
        one.clock.move(hours=1)
    start = one.clock() - 4 * 3600
    change(one, ids[0], "Retrieved", start + 2 * 3600)
    found = told(pages(opened(one), by, since=start + 3600, until=start + 3 * 3600))
    first = [(ids[0], 0, "Retrieved")] if by == "changed" else []
    assert sorted(found) == sorted([*first, (ids[1], 0, "Pending"), (ids[2], 0, "Pending")])
    end = told(pages(opened(one), by, until=start))
    assert end == []
    assert len(told(pages(opened(one), by, since=start + 3 * 3600))) == 1


@pytest.mark.parametrize(
    ("by", "index"), [("changed", "recipient_changed"), ("accepted", "message_accepted")], ids=["changed", "accepted"]
)
def test_pages_walk_along_an_index(room: Make, opened: Opened, by: str, index: str) -> None:
    """A page begins where the index says, and nothing is sorted as a whole: what lies before does not matter."""
    one = room()
    one.submitted()
    database = opened(one)

    def plan(connection: sa.Connection) -> str:
        said: list[tuple[str, Any]] = []

        def caught(conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
            said.append((statement, parameters))

        if not database.sqlite:  # a table of two rows is read whole
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        sa.event.listen(connection, "before_cursor_execute", caught)
        if by == "changed":
            details.by_change(connection, Changed(1.0, "m", 0), until=2.0, limit=10)
        else:
            details.by_acceptance(connection, Accepted(1.0, 1, 0), until=2.0, limit=10)
        sa.event.remove(connection, "before_cursor_execute", caught)
        statement, parameters = said[-1]
        words = "EXPLAIN QUERY PLAN" if database.sqlite else "EXPLAIN"
        return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{words} {statement}", parameters))

    shown = database.read(plan)
    if database.sqlite:
        key = "(changed,message_id,n)>(?,?,?)" if by == "changed" else "accepted>?"
        assert f"USING INDEX {index} (" in shown
        assert key in shown
        assert "SCAN" not in shown
        assert "TEMP B-TREE" not in shown
    else:
        assert f"using {index}" in shown
        assert "Index Cond: ((ROW(changed, message_id, n) >" in shown if by == "changed" else "(accepted >=" in shown
        assert "Seq Scan" not in shown
        assert by == "accepted" or "Sort" not in shown  # few rows are sorted, where they share a time


# --- followed ---------------------------------------------------------------------------------------------------------


def test_followed(room: Make, opened: Opened) -> None:
    """Each state of a copy is told once, when it is reached; what was read before is not told again."""
    one = room()
    one.clock.now = datetime.now(UTC)
    first = one.submitted()
    follower = Follower(opened(one))
    assert sorted(told(follower.look())) == [(first, 0, "Pending"), (first, 1, "Pending")]
    assert told(follower.look()) == []
    second = one.submitted(ONE, transaction_id="b")
    change(one, first, "Retrieved", time.time(), n=1)
    assert sorted(told(follower.look())) == sorted([(first, 1, "Retrieved"), (second, 0, "Pending")])
    change(one, first, "Retrieved", time.time(), n=1)  # a change that is none of its state
    assert told(follower.look()) == []
    change(one, first, "Rejected", time.time(), n=1)
    assert told(follower.look()) == [(first, 1, "Rejected")]


def test_since(room: Make, opened: Opened) -> None:
    """What changed before is left out, until it changes again."""
    one = room()
    old = one.submitted(ONE)
    follower = Follower(opened(one), time.time() - 60)
    assert told(follower.look()) == []
    change(one, old, "Retrieved", time.time())
    assert told(follower.look()) == [(old, 0, "Retrieved")]


def test_what_is_committed_late(room: Make, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written before what is told already, and committed after it, is told, once."""
    one = room()
    one.clock.now = datetime.now(UTC)
    late, early = one.submitted(ONE, transaction_id="late"), one.submitted(ONE, transaction_id="early")
    database = opened(one)
    follower = Follower(database)
    assert len(told(follower.look())) == 2
    copies = one.copies(late) + one.copies(early)
    if not database.sqlite:
        # less than the pauses below, so that nothing but the transaction that is open tells it, and more than may pass
        # on a busy machine from a reading of the clock until the transaction begins
        monkeypatch.setattr(details, "_SLACK", 0.5)
    with one.gateway.database.write() as connection:
        messages.move(connection, copies[0], state="Retrieved", changed=time.time())
        if not database.sqlite:  # SQLite has one writer at a time
            time.sleep(0.8)
            with one.gateway.database.write() as other:
                messages.move(other, copies[1], state="Rejected", changed=time.time())
            assert told(follower.look()) == [(early, 0, "Rejected")]
            time.sleep(0.8)
        assert told(follower.look()) == []
    assert told(follower.look()) == [(late, 0, "Retrieved")]
    assert told(follower.look()) == []


class Wall:
    """A clock that may be set, beside one that only passes."""

    def __init__(self) -> None:
        self.set_to = self.passed = 0.0
        self.begun = time.time()

    def clock(self) -> Clock:
        return Clock(wall=self.now, steady=lambda: self.passed)

    def now(self) -> float:
        return self.begun + self.set_to + self.passed


def test_clock_set_back(room: Make, opened: Opened) -> None:
    """What is written by a clock that was set back is told, and nothing is told twice."""
    one, wall = room(), Wall()
    ids = [one.submitted(ONE, transaction_id=f"t{n}") for n in range(2)]
    change(one, ids[0], "Retrieved", wall.now() - 8)
    follower = Follower(opened(one), wall.now() - 50, clock=wall.clock())
    assert told(follower.look()) == [(ids[0], 0, "Retrieved")]
    wall.passed += 1
    assert told(follower.look()) == []
    wall.set_to, wall.passed = -30.0, 2.0
    change(one, ids[1], "Retrieved", wall.now() - 0.5)
    assert told(follower.look()) == [(ids[1], 0, "Retrieved")]
    wall.passed += 1
    assert told(follower.look()) == []


def test_what_waits_is_remembered(room: Make, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that waits is told once, however often it is planned again; what has ended is forgotten after a minute."""
    one, wall = room(), Wall()
    ids = [one.submitted(ONE, transaction_id=f"t{n}") for n in range(3)]
    for id, state in zip(ids, ("Pending", "Sent", "Retrieved"), strict=True):
        change(one, id, state, wall.now())
    follower = Follower(opened(one), clock=wall.clock())
    assert len(told(follower.look())) == 3
    for _ in range(3):
        wall.passed += 100
        for id in ids[:2]:
            with one.gateway.database.write() as connection:
                messages.move(connection, one.copies(id)[0], changed=wall.now())
        assert told(follower.look()) == []
    assert ids[2] not in {key[0] for key in (*follower._told, *follower._waiting)}
    monkeypatch.setattr(walk, "_WAITING", 1)
    wall.passed += 100
    assert told(follower.look()) == []
    assert len(follower._waiting) == 1


def failing(monkeypatch: pytest.MonkeyPatch, database: ReadOnlyDatabase, nth: int) -> None:
    """Have the ``nth`` transaction fail."""
    read, done = database.read, []

    def fails(work: Callable[[Any], Any]) -> Any:
        done.append(work)
        if len(done) == nth:
            raise StoreError("away")
        return read(work)

    monkeypatch.setattr(database, "read", fails)


def test_goes_on_where_it_failed(room: Make, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an error of the database the next look tells the rest, and nothing twice."""
    monkeypatch.setattr(walk, "PAGE", 3)
    one = room()
    for n in range(8):
        change(
            one, one.submitted(ONE, transaction_id=f"t{n}"), "Retrieved", one.clock() + n
        )  # too old to be remembered
    database = opened(one)
    follower = Follower(database)
    failing(monkeypatch, database, 3)
    looking = follower.look()
    begun = [row.message_id for row in next(looking)]
    with pytest.raises(StoreError, match="away"):
        next(looking)
    rest = [id for id, _, _ in told(follower.look())]
    assert begun + rest == [row.id for row in one.messages]


def test_late_after_a_failure(room: Make, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is committed late, before what was told when the database failed, is told nevertheless."""
    monkeypatch.setattr(walk, "PAGE", 1)
    one, now = room(), time.time()
    ids = [one.submitted(ONE, transaction_id=f"t{n}") for n in range(3)]
    for id, changed in zip(ids[:2], (now, now + 1), strict=True):
        change(one, id, "Retrieved", changed)
    database = opened(one)
    follower = Follower(database, now - 10)
    failing(monkeypatch, database, 3)
    looking = follower.look()
    assert [row.message_id for row in next(looking)] == [ids[0]]
    with pytest.raises(StoreError, match="away"):
        next(looking)
    change(one, ids[2], "Retrieved", now - 1)
    assert [id for id, _, _ in told(follower.look())] == [ids[2], ids[1]]


def test_standby(room: Make, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not tell who writes is not followed."""
    monkeypatch.setattr(details, "unsettled", lambda connection: None)
    with pytest.raises(Standby, match="follow its primary"):
        next(Follower(opened(room())).look())


# --- opened to be read ------------------------------------------------------------------------------------------------


def count(connection: sa.Connection) -> int:
    """How many messages there are."""
    return connection.scalar(sa.select(sa.func.count()).select_from(tables.MESSAGE)) or 0


def test_nothing_is_written(room: Make, opened: Opened) -> None:
    """What would write is refused by the database itself."""
    one = room()
    one.submitted()
    database = opened(one)
    with pytest.raises(StoreError, match=r"readonly|read-only"):
        database.read(lambda connection: connection.execute(sa.delete(tables.MESSAGE)))
    assert database.read(count) == 1


def test_versions(room: Make) -> None:
    """A database of another version is refused, with what to do, and not brought up to date."""
    one = room()
    version = tables.MIGRATION.c.version
    with one.gateway.database.write() as connection:
        connection.execute(sa.delete(tables.MIGRATION).where(version == len(migrations.STEPS)))
    with pytest.raises(StoreError, match=f"version {len(migrations.STEPS) - 1}.* start the gateway once"):
        ReadOnlyDatabase(one.settings.database)
    with one.gateway.database.write() as connection:
        connection.execute(sa.insert(tables.MIGRATION).values(version=99, applied=0.0))
    with pytest.raises(migrations.DatabaseIsNewer, match=r"version 99.*newer mm7zeep"):
        ReadOnlyDatabase(one.settings.database)


def test_no_gateways_database(tmp_path: Path) -> None:
    """What is no database of a gateway is told as such, and no file is made where there is none."""
    path = tmp_path / "x.db"
    with pytest.raises(StoreError, match="there is no such file; name the database of the gateway"):
        ReadOnlyDatabase(f"sqlite:///{path}")
    assert not path.exists()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE a (b)")
    with pytest.raises(StoreError, match="no gateway keeps messages there; name another database"):
        ReadOnlyDatabase(f"sqlite:///{path}")
    path.write_bytes(b"no database at all\n" * 200)
    with pytest.raises(StoreError, match="file is not a database"):
        ReadOnlyDatabase(f"sqlite:///{path}")


def test_while_no_gateway_runs(tmp_path: Path) -> None:
    """An SQLite file that nobody has open is read, also as a URI or by a link, and no file is made beside it."""
    one = Room(tmp_path)
    one.submitted()
    one.gateway.close()
    path = tmp_path / "gateway.db"
    (tmp_path / "link.db").symlink_to(path)
    before = sorted(os.listdir(tmp_path))
    assert before == ["gateway.db", "link.db"]
    for name in (path, f"file:{path}?uri=true", tmp_path / "link.db"):
        database = ReadOnlyDatabase(f"sqlite:///{name}")
        assert database.read(count) == 1
        database.close()
    assert sorted(os.listdir(tmp_path)) == before


def test_after_a_crash(tmp_path: Path) -> None:
    """What a process that died has left in the log is read, too."""
    one = Room(tmp_path)
    one.submitted()
    left = tmp_path / "left"
    left.mkdir()
    for end in ("", "-wal"):
        shutil.copy(tmp_path / f"gateway.db{end}", left / f"gateway.db{end}")
    one.gateway.close()
    database = ReadOnlyDatabase(f"sqlite:///{left / 'gateway.db'}")
    assert database.read(count) == 1
    database.close()


def test_gateway_starts_during_a_look(tmp_path: Path) -> None:
    """What was read without a lock, and may have been written to meanwhile, is read again."""
    one = Room(tmp_path)
    one.submitted()
    one.gateway.close()
    database, found, started = ReadOnlyDatabase(one.settings.database), [], []

    def work(connection: sa.Connection) -> int:
        found.append(count(connection))
        if not started:
            started.append(Room(tmp_path))
            started[0].submitted(transaction_id="b")
        return found[-1]

    assert database.read(work) == 2
    assert found == [1, 2]
    started[0].gateway.close()


def test_reader_stops_no_writer(tmp_path: Path) -> None:
    """A gateway writes on, and starts, while somebody reads."""
    one = Room(tmp_path)
    database = ReadOnlyDatabase(one.settings.database)

    def work(connection: sa.Connection) -> tuple[int, int]:
        before = count(connection)
        one.submitted()
        Database(one.settings.database).close()
        return before, count(connection)

    assert database.read(work) == (0, 0)
    assert database.read(count) == 1
    one.gateway.close()
