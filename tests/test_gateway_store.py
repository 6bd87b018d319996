"""The database below a gateway: how it is opened and migrated, how calls are claimed, fenced, renewed and replayed."""

from __future__ import annotations

import re
import sqlite3
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from gateway_room import ONE, SUBMIT, TEXT, Room

from mm7zeep.errors import TransportError
from mm7zeep.gateway.delivery.dispatcher import Dispatcher, Window
from mm7zeep.gateway.delivery.retry import Outcome
from mm7zeep.gateway.store import endpoints, migrations, outbox, tables
from mm7zeep.gateway.store.database import Database, StoreError
from mm7zeep.gateway.store.idempotency import digest
from mm7zeep.gateway.store.rows import CallRow
from mm7zeep.messages import Part, SubmitReq

Open = Callable[[], Database]
NOW = 1_000_000.0


def test_answers_name_no_server() -> None:
    """Where PostgreSQL cannot be reached, the log names its address; the reason, which answers repeat, does not."""
    with pytest.raises(StoreError) as caught:
        Database("postgresql+psycopg://mm7@127.0.0.1:1/mm7")
    assert "127.0.0.1:1" in str(caught.value)
    assert "onnection refused" in caught.value.reason
    assert not re.search(r"127\.0\.0\.1|port", caught.value.reason)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each engine."""
    if request.param == "postgresql":
        given: str = request.getfixturevalue("postgres_url")
        return given
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A migrated database."""
    made = Database(url)
    yield made
    made.close()


# --- opened -----------------------------------------------------------------------------------------------------------


def test_durable(database: Database) -> None:
    """A commit is on the disk before it returns: WAL with synchronous=FULL, synchronous_commit=on."""
    with database.read() as connection:
        if database.sqlite:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        else:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
            assert connection.exec_driver_sql("SHOW fsync").scalar() == "on"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://x/y", "mysql is not served"),
        ("nonsense", "cannot be read"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("postgresql+nobody://x/y", "driver postgresql\\+nobody is not known"),
    ],
)
def test_unusable_urls(url: str, words: str) -> None:
    """What is no database of ours is refused with what to write instead."""
    with pytest.raises(ValueError, match=f"{words}.*sqlite:///FILE"):
        Database(url)


def test_no_such_folder(tmp_path: Path) -> None:
    """A file that cannot be opened is told as such."""
    with pytest.raises(StoreError, match="unable to open"):
        Database(f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}")


def test_passwords_stay_out_of_errors() -> None:
    """A server that is not there is told without the password that was to be shown to it."""
    with pytest.raises(StoreError) as caught:
        Database("postgresql+psycopg://someone:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in str(caught.value)


# --- what errors say --------------------------------------------------------------------------------------------------


def of_sqlite(tmp_path: Path, case: str) -> str:
    """The path of a file that cannot be used."""
    path = tmp_path / "nowhere" / "x.db" if case == "no folder" else tmp_path / "x.db"
    if case == "no database":
        path.write_bytes(b"this is a letter, and no database at all\n" * 100)
    if case == "a folder":
        path.mkdir()
    return str(path)


SAID = {
    "no folder": ("unable to open database file", "make its folder, and let this user read and write there"),
    "a folder": ("unable to open database file", "make its folder, and let this user read and write there"),
    "no database": ("file is not a database", "restore it from a backup, or name another file"),
}


@pytest.mark.parametrize("case", SAID)
def test_error_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """Path, reason and fix stand in the error, in full also where the URL is relative."""
    path = of_sqlite(tmp_path, case)
    said, fix = SAID[case]
    monkeypatch.chdir(tmp_path)
    for name in (path, str(Path(path).relative_to(tmp_path))):
        with pytest.raises(StoreError) as caught:
            Database(f"sqlite:///{name}")
        assert str(caught.value) == f"database error: {path}: {said}; {fix}"
        assert caught.value.reason == f"database error: {said}"  # what strangers may be told


def test_error_of_a_server() -> None:
    """The address of the server stands in the error, and neither user nor password."""
    with pytest.raises(StoreError) as caught:
        Database("postgresql+psycopg://someone:hunter2@127.0.0.1:1/x?password=hunter3")
    text = str(caught.value)
    assert text.startswith("database error: PostgreSQL 127.0.0.1:1/x: connection failed: ")
    assert text.endswith("; see that the server runs there, and takes this user, password and database")
    assert not [secret for secret in ("someone", "hunter2", "hunter3", "sqlalche") if secret in text]


@pytest.mark.postgres
def test_error_of_a_missing_database(postgres_url: str) -> None:
    """A database that the server does not have is named."""
    url = sa.make_url(postgres_url).set(database="nowhere")
    with pytest.raises(StoreError) as caught:
        Database(url.render_as_string(hide_password=False))
    assert f":{url.port or 5432}/nowhere: " in str(caught.value) or "/nowhere: " in str(caught.value)
    assert 'database "nowhere" does not exist' in str(caught.value)


def test_tracebacks_quote_no_page_and_no_value(database: Database) -> None:
    """Where an error is logged with its causes, neither values nor an address of the library's pages come with it."""
    secret = "+61412345678"
    with pytest.raises(StoreError) as caught, database.write() as connection:
        connection.execute(sa.text("INSERT INTO nowhere VALUES (:one)"), {"one": secret})
    whole = "".join(traceback.format_exception(caught.value))
    assert "nowhere" in str(caught.value)
    assert "INSERT INTO nowhere" in whole
    assert not [one for one in ("sqlalche.me", secret) if one in whole]


def test_every_connection_in_use(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that is used up says so, and neither quotes a page nor names a type alone."""
    monkeypatch.setattr(database.engine.pool, "_timeout", 0.01)
    with ExitStack() as held:
        for _ in range(database.engine.pool.size() - database.engine.pool.checkedout()):  # type: ignore[attr-defined]
            held.enter_context(database.read())
        with pytest.raises(StoreError) as caught:
            held.enter_context(database.read())
    assert str(caught.value).endswith(": all connections are in use; try again, or start more workers")
    assert "sqlalche.me" not in "".join(traceback.format_exception(caught.value))


def test_newer_database_is_named(tmp_path: Path) -> None:
    """Which database is too new is told."""
    path = tmp_path / "x.db"
    Database(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("INSERT INTO migration VALUES (99, 0)")
    with pytest.raises(migrations.DatabaseIsNewer, match=f"^{re.escape(str(path))}: the database has version 99"):
        Database(f"sqlite:///{path}")


# --- migrated ---------------------------------------------------------------------------------------------------------


def test_migrations_make_the_tables(database: Database) -> None:
    """What the steps make is what ``tables`` says: every table, column, nullability, key and index."""
    found = sa.inspect(database.engine)
    assert set(found.get_table_names()) == set(tables.METADATA.tables)
    for name, table in tables.METADATA.tables.items():
        columns = {one["name"]: bool(one["nullable"]) for one in found.get_columns(name)}
        serial = {column.name for column in table.columns if column.primary_key}
        wanted = {one.name: bool(one.nullable) for one in table.columns}
        assert set(columns) == set(wanted)
        assert {key: value for key, value in columns.items() if key not in serial} == {
            key: value for key, value in wanted.items() if key not in serial
        }
        assert found.get_pk_constraint(name)["constrained_columns"] == [one.name for one in table.primary_key]
        assert {one["name"] for one in found.get_indexes(name) if not one["unique"]} == {
            str(one.name) for one in table.indexes if one.info.get("dialect") in (None, database.engine.dialect.name)
        }


def test_migrating_again_changes_nothing(url: str) -> None:
    """A database is migrated once, also when several open it at the same time."""
    opened: list[Database] = []
    threads = [threading.Thread(target=lambda: opened.append(Database(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    with opened[0].read() as connection:
        steps = connection.scalars(sa.select(tables.MIGRATION.c.version)).all()
        assert sorted(steps) == list(range(1, len(migrations.STEPS) + 1))
    for one in opened:
        one.close()


def test_newer_database_is_left_alone(url: str) -> None:
    """A database that a newer version made is refused, and says what to do."""
    made = Database(url)
    with made.write() as connection:
        connection.execute(sa.insert(tables.MIGRATION).values(version=99, applied=0.0))
    made.close()
    with pytest.raises(migrations.DatabaseIsNewer, match=r"version 99.*newer mm7zeep"):
        Database(url)


def test_raising_rolls_back(database: Database) -> None:
    """A transaction that raises leaves nothing behind."""

    def plan_and_fail() -> None:
        with database.write() as connection:
            outbox.plan(connection, [call()])
            raise KeyError

    with pytest.raises(KeyError):
        plan_and_fail()
    with database.read() as connection:
        assert outbox.listed(connection) == []


# --- the outbox -------------------------------------------------------------------------------------------------------


def call(endpoint: str = "tnn http://tnn/mo", **values: object) -> CallRow:
    """A call that waits."""
    plain = CallRow(
        kind="deliver", owner="tnn", endpoint=endpoint, message_id="m", n=0, transaction_id="t", due=NOW,
        expires=NOW + 1000, created=NOW,
    )  # fmt: skip
    return replace(plain, **values)  # type: ignore[arg-type]


def plan(database: Database, *calls: CallRow) -> None:
    """Plan calls."""
    with database.write() as connection:
        outbox.plan(connection, calls)


def claim(database: Database, endpoint: str = "tnn http://tnn/mo", **options: object) -> list[CallRow]:
    """Claim what is due, as one worker does."""
    given = {"now": NOW, "window": 5, "lease": 60.0, "holder": "one", **options}
    with database.write() as connection:
        return outbox.claim(connection, endpoint, **given)  # type: ignore[arg-type]


def test_window(database: Database) -> None:
    """Not more calls than its window are under way from one process to one endpoint; other endpoints and processes have
    their own.
    """
    plan(database, *(call() for _ in range(9)), call("b http://b"))
    first = claim(database)
    assert len(first) == 5
    assert claim(database) == []
    assert len(claim(database, holder="two", window=2)) == 2
    assert claim(database, holder="two", window=2) == []
    assert len(claim(database, "b http://b")) == 1
    with database.write() as connection:
        assert outbox.complete(connection, first[0], NOW)
    assert len(claim(database)) == 1


def test_only_what_is_due(database: Database) -> None:
    """A call is claimed when its time has come, the longest due first."""
    plan(database, call(due=NOW + 1), call(due=NOW - 1, transaction_id="early"), call(due=NOW))
    assert [one.transaction_id for one in claim(database)] == ["early", "t"]
    with database.read() as connection:
        [[queue]] = outbox.waiting(connection).values()
    assert queue == ("tnn http://tnn/mo", "", NOW + 1)


def test_fence(database: Database) -> None:
    """Who slept through its lease cannot complete, reschedule, dead-letter or renew what others have claimed since."""
    plan(database, call())
    [slept] = claim(database)
    with database.write() as connection:
        assert outbox.next_lease_end(connection) == NOW + 60
        assert outbox.release_expired(connection, NOW + 59) == 0
        assert outbox.release_expired(connection, NOW + 60) == 1
    with database.write() as connection:
        assert not outbox.complete(connection, slept, NOW + 61)
    [mine] = claim(database, now=NOW + 61, holder="two")
    assert (mine.id, mine.epoch, mine.attempts) == (slept.id, slept.epoch + 1, 2)
    with database.write() as connection:
        assert not outbox.complete(connection, slept, NOW + 62)
        assert not outbox.reschedule(connection, slept, NOW + 99)
        assert not outbox.dead_letter(connection, slept, NOW + 62)
        assert outbox.renew(connection, [slept], NOW + 999) == 0
        assert outbox.renew(connection, [mine], NOW + 200) == 1
        assert outbox.release_expired(connection, NOW + 199) == 0
        assert outbox.complete(connection, mine, NOW + 199)
        assert not outbox.complete(connection, mine, NOW + 199)
    with database.read() as connection:
        [row] = outbox.listed(connection, state="done")
    assert (row.holder, row.ended) == ("two", NOW + 199)


def test_rate(database: Database) -> None:
    """An endpoint with a rate gets no more than that per second, by all processes together."""
    plan(database, *(call() for _ in range(20)))
    made = [len(claim(database, rate=4.0, window=99, holder=holder)) for holder in ("one", "two")]
    assert made == [4, 0]
    made = [len(claim(database, rate=4.0, window=99, now=NOW + at)) for at in (0.26, 0.5, 0.76, 1.01)]
    assert made == [1, 1, 1, 1]
    assert len(claim(database, rate=4.0, window=99, now=NOW + 100)) == 4


def test_slow_rate(database: Database) -> None:
    """A rate below one request a second is kept, too."""
    plan(database, *(call() for _ in range(5)))
    made = [len(claim(database, rate=0.5, window=99, now=NOW + at)) for at in (0, 1, 2.01, 3, 4.02)]
    assert made == [1, 0, 1, 0, 1]


def test_pause_and_resume(database: Database) -> None:
    """What waits for a paused endpoint is shown as paused and not offered, until it is resumed."""
    plan(database, call(), call("b http://b"))
    with database.write() as connection:
        endpoints.pause(connection, "tnn http://tnn/mo", "401", NOW)
        endpoints.pause(connection, "tnn http://tnn/mo", "403", NOW + 1)
        assert outbox.waiting(connection) == {"b http://b": [("b http://b", "", NOW)]}
        assert [one.endpoint for one in outbox.listed(connection, state="paused")] == ["tnn http://tnn/mo"]
        assert [one.endpoint for one in outbox.listed(connection, state="ready")] == ["b http://b"]
        assert [(one.paused, one.reason) for one in endpoints.listed(connection)] == [(True, "403")]
        assert endpoints.resume(connection, "tnn http://tnn/mo", NOW)
        assert not endpoints.resume(connection, "tnn http://tnn/mo", NOW)
        assert set(outbox.waiting(connection)) == {"b http://b", "tnn http://tnn/mo"}


def test_an_attempt_pauses_only_its_own_generation(database: Database) -> None:
    """A claim knows how often its endpoint was resumed; one from before the last time pauses it no more."""
    plan(database, call(), call())
    [early] = claim(database, window=1)
    with database.write() as connection:
        assert endpoints.pause(connection, early.endpoint, "401", NOW, generation=early.generation)
        assert endpoints.resume(connection, early.endpoint, NOW)
        assert not endpoints.pause(connection, early.endpoint, "401", NOW, generation=early.generation)
        assert not endpoints.listed(connection)[0].paused
    [late] = claim(database, window=2)
    with database.write() as connection:
        assert endpoints.pause(connection, late.endpoint, "401", NOW, generation=late.generation)
        assert endpoints.listed(connection)[0].paused


@pytest.mark.parametrize("end", ["complete", "dead_letter"])
@pytest.mark.parametrize(("first", "then"), [("report", "read"), ("webhook", "webhook")])
def test_read_reply_waits_for_its_report(database: Database, first: str, then: str, end: str) -> None:
    """While the report of a recipient waits or is under way, its read reply is not claimed; those of others are. So it
    is with two events of one recipient.
    """
    read = {"kind": then, "message_id": "m", "n": 1}
    plan(
        database,
        call(kind=first, message_id="m", n=1),
        call(**read, transaction_id="mine"),
        call(**{**read, "n": 2}, transaction_id="another's"),
    )
    report, other = claim(database)
    assert (report.kind, other.transaction_id) == (first, "another's")
    assert claim(database, now=NOW + 5) == []
    with database.write() as connection:
        outbox.reschedule(connection, report, NOW + 50)
    assert claim(database, now=NOW + 10) == []
    [report] = claim(database, now=NOW + 50)
    assert report.transaction_id == "t"
    with database.write() as connection:
        assert getattr(outbox, end)(connection, report, NOW + 50)
        outbox.release_held(connection, [report], NOW + 50)
    [mine] = claim(database, now=NOW + 50)
    assert mine.transaction_id == "mine"


def test_events_that_wait_delay_no_others(database: Database) -> None:
    """However many events wait behind one that failed, the event of another message goes at once; they themselves are
    looked at again when that one is due, and go as soon as it has ended.
    """
    many = [call(kind="webhook", message_id=f"m{n}", n=0, transaction_id=f"t{n}") for n in range(60)]
    plan(database, *many)
    failed = claim(database, window=60)
    assert len(failed) == 60
    with database.write() as connection:
        for one in failed:
            outbox.reschedule(connection, one, NOW + 600)
    plan(database, *(replace(one, transaction_id="behind") for one in many))
    plan(database, call(kind="webhook", message_id="other", n=0, transaction_id="fresh"))
    assert [one.transaction_id for one in claim(database, window=5, now=NOW + 1)] == ["fresh"]
    assert claim(database, window=5, now=NOW + 100) == []
    with database.read() as connection:
        waits = {row.due for row in outbox.listed(connection, limit=500) if row.transaction_id == "behind"}
    assert waits == {NOW + 600}
    first = claim(database, window=2, now=NOW + 600)
    assert [one.transaction_id for one in first] == ["t0", "t1"]
    with database.write() as connection:
        for one in first:
            assert outbox.complete(connection, one, NOW + 601)
        outbox.release_held(connection, first, NOW + 601)
    now_free = claim(database, window=200, now=NOW + 601)
    assert [one.message_id for one in now_free if one.transaction_id == "behind"] == ["m0", "m1"]


def test_backlog_is_not_read_to_end_or_look_up_one(database: Database) -> None:
    """What ends one event, and what asks whether a submit is under way, use an index that the calls that wait are not
    all in.
    """
    plan(database, *(call(kind="submit", message_id=f"m{n}", n=0) for n in range(2000)))
    plan(database, *(call("b http://b", message_id=f"b{n}") for n in range(20)))
    with database.write() as connection:
        for one in outbox.claim(connection, "b http://b", now=NOW, window=20, lease=60, holder="w")[:10]:
            assert outbox.complete(connection, one, NOW)
    said: list[tuple[str, Any]] = []

    def noted(connection: object, cursor: object, statement: str, parameters: object, *rest: object) -> None:
        said.append((statement, parameters))

    with database.write() as connection:
        connection.execute(sa.text("ANALYZE"))
        sa.event.listen(connection, "before_cursor_execute", noted)
        assert not outbox.is_submitting(connection, "tnn http://tnn/mo")
        outbox.release_held(connection, [call(kind="webhook", message_id="m1", n=0)], NOW)
        sa.event.remove(connection, "before_cursor_execute", noted)
        explain = "EXPLAIN QUERY PLAN" if database.sqlite else "EXPLAIN"
        for statement, parameters in said:
            plan_of = " ".join(
                str(tuple(line)) for line in connection.exec_driver_sql(f"{explain} {statement}", parameters)
            )
            assert "outbox_expiry" not in plan_of, plan_of
            assert "SCAN outbox" not in plan_of, plan_of
            assert "Seq Scan on outbox" not in plan_of, plan_of
    assert len(said) == 2


@pytest.mark.parametrize("tried", [False, True])
def test_submit_is_under_way(database: Database, tried: bool) -> None:
    """A submit is under way while it is claimed, and, as it may have gone, once it waits for another attempt."""
    plan(database, call(kind="submit"))
    place = "tnn http://tnn/mo"
    if tried:
        [mine] = claim(database)
        with database.write() as connection:
            assert outbox.is_submitting(connection, place)
            outbox.reschedule(connection, mine, NOW + 5)
    with database.read() as connection:
        assert outbox.is_submitting(connection, place) is tried
        assert not outbox.is_submitting(connection, "b http://b")


def test_replay_of_a_submit_that_waits(database: Database) -> None:
    """A submit that waits ends with its message, also when it is replayed by its id; one that is dead has more time."""
    plan(database, call(kind="submit", expires=NOW + 5), call(kind="submit", endpoint="b http://b", expires=NOW + 5))
    [dead] = claim(database, "b http://b")
    with database.write() as connection:
        assert outbox.dead_letter(connection, dead, NOW, reason="2002")
        for id in (1, 2):
            assert outbox.replay(connection, now=NOW + 1, expiry=600.0, id=id) == 1
        assert [row.expires for row in outbox.listed(connection)] == [NOW + 601, NOW + 5]


def test_replay(database: Database) -> None:
    """Dead calls are made again by id, endpoint or time, with their own TransactionID and a fresh count."""
    plan(database, call(), call("b http://b"), call(transaction_id="third"))
    for endpoint in ("tnn http://tnn/mo", "b http://b"):
        for one in claim(database, endpoint):
            with database.write() as connection:
                assert outbox.dead_letter(connection, one, NOW + one.id, reason="2002")
    with database.write() as connection:
        again = {"now": NOW + 50, "expiry": 10.0}
        assert outbox.replay(connection, **again, endpoint="http://nobody") == 0
        assert outbox.replay(connection, **again, since=NOW + 3) == 1
        assert outbox.replay(connection, **again, endpoint="http://b") == 1
        assert outbox.replay(connection, **again, id=1) == 1
        rows = outbox.listed(connection)
    assert [(row.state, row.attempts, row.due, row.expires) for row in rows] == [("ready", 0, NOW + 50, NOW + 60)] * 3
    assert [row.transaction_id for row in rows] == ["third", "t", "t"]


def test_concurrent_claims(database: Database) -> None:
    """Many workers at once claim each call exactly once."""
    plan(database, *(call(f"{n % 3} http://x") for n in range(60)))
    claimed: list[int] = []
    lock = threading.Lock()

    def work(holder: str) -> None:
        for _ in range(20):
            for n in range(3):
                found = [one.id for one in claim(database, f"{n} http://x", window=99, holder=holder)]
                with lock:
                    claimed.extend(found)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == list(range(1, 61))


# --- the dispatcher ---------------------------------------------------------------------------------------------------


def test_leases_are_renewed_at_half_time(tmp_path: Path) -> None:
    """A call that takes longer than its lease keeps it, as long as its process turns."""
    one = Room(tmp_path)
    with ExitStack() as stack:
        stack.callback(one.gateway.close)
        one.gateway.simulator.send_mo("tnn", "+61400", "111122")
        _, [flying] = one.gateway.dispatcher.run_once()
        for _ in range(4):
            one.clock.move(seconds=31)
            one.gateway.dispatcher.run_once()
        [row] = one.outbox()
        assert (row.state, row.epoch, row.lease_until) == ("leased", flying.epoch, one.clock() + 60)
        one.gateway.dispatcher.attempt(flying)
        one.gateway.dispatcher.run_once()
        assert [row.state for row in one.outbox()] == ["done"]


def test_worker_that_slept(tmp_path: Path) -> None:
    """Of two processes, the one that slept through its lease changes nothing; the event went out under one id."""
    one = Room(tmp_path)
    with ExitStack() as stack:
        stack.callback(one.gateway.close)
        other = Dispatcher(one.settings, one.gateway.database, one.gateway._caller, clock=one.clock)
        planned = one.gateway.simulator.send_mo("tnn", "+61400", "111122")
        _, [slept] = one.gateway.dispatcher.run_once()
        one.clock.move(seconds=61)
        _, [taken] = other.run_once()
        assert taken.id == slept.id
        one.gateway.dispatcher.attempt(slept)
        events, _ = one.gateway.dispatcher.run_once(claiming=False)
        assert events == []
        [row] = one.outbox()
        assert (row.state, row.holder, row.epoch) == ("leased", other.holder, slept.epoch + 1)
        assert one.calls.ids == [planned.transaction_id]


def test_window_follows_answers() -> None:
    """Five calls at a time at first, one more for each answer up to twenty, five again after a failure."""
    window = Window(5, 20)
    for verdict, size in (("done", 6), ("dead", 7), *(("done", min(n, 20)) for n in range(8, 24)), ("retry", 5)):
        window.learn(Outcome(verdict=verdict), NOW)  # type: ignore[arg-type]
        assert window.size == size


def test_silent_endpoint_rests() -> None:
    """After five times without a sign of life an endpoint is left alone, longer each time, up to four seconds."""
    window = Window(5, 20)
    silent, answer = Outcome(verdict="retry"), Outcome(verdict="retry", http_status=503)
    rests = []
    for _ in range(12):
        window.learn(silent, NOW)
        rests.append(max(0.0, window.rests_until - NOW))
    assert rests == [0, 0, 0, 0, 0.25, 0.5, 1, 2, 4, 4, 4, 4]
    window.learn(answer, NOW)
    assert window.rests_until == 0


def test_nobody_listens(tmp_path: Path) -> None:
    """Of many calls to an endpoint that is down a few are tried; none is lost, and all come when it is up again."""
    one = Room(tmp_path)
    with ExitStack() as stack:
        stack.callback(one.gateway.close)
        for _ in range(40):
            one.gateway.simulator.send_mo("tnn", "+61400", "111122")
        one.calls.refuse = TransportError("refused", maybe_accepted=False)
        one.gateway.run_pending()
        assert len(one.calls.made) == 5
        one.clock.move(seconds=1)
        one.gateway.run_pending()
        assert len(one.calls.made) == 10
        one.calls.refuse = None
        one.clock.move(seconds=60)
        one.gateway.run_pending()
        assert {row.state for row in one.outbox()} == {"done"}


def test_bad_endpoint_delays_nobody(tmp_path: Path) -> None:
    """While one endpoint hangs, calls to another are made at once, and the hanging one has its window and no more."""
    hanging, release, seen = threading.Semaphore(0), threading.Event(), threading.Semaphore(0)

    def deliver(url: str, message: object, transaction_id: str) -> None:
        if url == "http://tnn/mo":
            hanging.release()
            release.wait(20)
        else:
            seen.release()

    from mm7zeep.gateway.gateway import Gateway

    one = Room(tmp_path)
    one.gateway.close()
    gateway = Gateway(one.settings, deliver=deliver)
    for _ in range(12):
        gateway.simulator.send_mo("tnn", "+61400", "111122")
    with gateway.working():
        assert [hanging.acquire(timeout=10) for _ in range(5)] == [True] * 5
        for _ in range(8):
            gateway.simulator.send_mo("other", "+61400", "333")
        assert [seen.acquire(timeout=10) for _ in range(8)] == [True] * 8
        assert not hanging.acquire(timeout=0.05)
        release.set()
        assert [hanging.acquire(timeout=10) for _ in range(7)] == [True] * 7
    gateway.close()


def test_database_away_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the database did not take is settled later; no call is made twice for it."""
    one = Room(tmp_path)
    with ExitStack() as stack:
        stack.callback(one.gateway.close)
        one.submitted(ONE)
        one.gateway.simulator.send_mo("tnn", "+61400", "111122")
        _, claimed = one.gateway.dispatcher.run_once()
        for flying in claimed:
            one.gateway.dispatcher.attempt(flying)

        def away(*arguments: object, **options: object) -> bool:
            raise StoreError("away")

        with monkeypatch.context() as patch:
            patch.setattr(outbox, "complete", away)
            with pytest.raises(StoreError):
                one.gateway.dispatcher.run_once()
        assert one.gateway.dispatcher.busy == 1
        one.gateway.run_pending()
        assert (one.gateway.dispatcher.busy, len(one.calls.made)) == (0, 1)
        assert [row.state for row in one.outbox()] == ["done"]


def test_submits_while_others_write(tmp_path: Path, url: str) -> None:
    """Many threads may submit at once; every MessageID is one message."""
    one = Room(tmp_path, database=url)
    with ExitStack() as stack:
        stack.callback(one.gateway.close)
        ids: list[str] = []
        threads = [
            threading.Thread(target=lambda: ids.extend(one.submitted(SUBMIT) for _ in range(5))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(ids)) == 20
        assert sorted(message.id for message in one.messages) == sorted(ids)


def test_same_request_at_the_same_time(tmp_path: Path, url: str) -> None:
    """The same request on several connections at once is one message, and all are told the same."""
    one = Room(tmp_path, database=url)
    with ExitStack() as stack:
        stack.callback(one.gateway.close)
        ids: list[str] = []
        threads = [
            threading.Thread(target=lambda: ids.append(one.submitted(SUBMIT, transaction_id="t-1"))) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ids) == 6
        assert len(set(ids)) == len(one.messages) == 1


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


def test_end_of_a_claim_that_is_over(database: Database) -> None:
    """Of two outcomes of one call only that of the present claim counts, also where they are settled together."""
    plan(database, call())
    [early] = claim(database, lease=1.0)
    with database.write() as connection:
        outbox.release_expired(connection, NOW + 2)
    [late] = claim(database, now=NOW + 2)
    with database.write() as connection:
        assert outbox.complete_all(connection, [early, late], NOW + 3) == {(late.id, late.epoch)}
        assert outbox.complete_all(connection, [early, late], NOW + 3) == set()
