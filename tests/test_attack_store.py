"""Attacks on the store, with figures: what a submit costs, and others get, while something else keeps the store busy.

Run by ``tox -e attack``; each prints what it measured. The bounds are those of reliability.md, and hold on a machine
that has the processors of two gateways to itself.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import audit
import pytest
import sqlalchemy as sa
from callback_sink import CallbackSink
from gateway_process import AUTH, GatewayProcess, eventually
from gateway_room import CALLED, ONE, OTHER, Room
from load import Load, Prepared, ask, percentile

from mm7zeep.gateway.store import tables
from mm7zeep.gateway.store.idempotency import Request, _look
from mm7zeep.messages import SubmitReq

pytestmark = pytest.mark.attack
BOTH = pytest.mark.parametrize("engine", ["sqlite", "postgresql"])


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path, engine: str) -> str:
    """The URL of an empty database."""
    if engine == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path / 'gateway.db'}"


def figures(text: str) -> None:
    """Print what was measured."""
    sys.stdout.write(f"\n    {text}\n")


def fill(room: Room, count: int, *, octets: int, call: str, first: int = 0) -> None:
    """Put retrieved messages into an SQLite database, each with one call, as a gateway has left them long ago."""
    old = room.clock() - 100 * 86400
    numbers = (
        "WITH RECURSIVE x(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM x WHERE n < :last), "
        "m(id) AS (SELECT printf('%032x', n) FROM x) "
    )
    statements = (
        "INSERT INTO message (id, direction, application, excerpt, accepted, delivery_report, read_reply, content, "
        "size, fields, parts, findings) "
        + numbers
        + "SELECT id, 'mt', 'tnn', '', :old, 1, 0, 0, :octets, '{}', '[]', '[]' FROM m",
        "INSERT INTO raw " + numbers + "SELECT id, 0, :old, '[]', zeroblob(:octets) FROM m",
        "INSERT INTO recipient (message_id, n, place, kind, address, destination, state, changed) "
        + numbers
        + "SELECT id, 0, 'to', 'Number', '+61400', 'handset', 'Retrieved', :old FROM m",
        "INSERT INTO outbox (kind, owner, endpoint, message_id, n, transaction_id, payload, state, due, expires, "
        "attempts, epoch, created) "
        + numbers
        + "SELECT 'report', 'tnn', 'tnn http://tnn/dlr', id, 0, id, '{}', :call, :old, :old + 1e9, 0, 0, :old FROM m",
    )
    values = {"first": first, "last": first + count - 1, "old": old, "octets": octets, "call": call}
    for statement in statements:
        with room.gateway.database.write() as connection:
            connection.execute(sa.text(statement), values)


def empty_room(folder: Path, database: str, **options: object) -> Room:
    """A gateway on that database, that nothing runs in yet."""
    return Room(folder, CALLED, OTHER, database=database, **options)  # type: ignore[arg-type]


# --- row 4: repeated TransactionIDs -----------------------------------------------------------------------------------


@BOTH
def test_a_million_remembered_requests(tmp_path: Path, database: str, engine: str) -> None:
    """A submit under a TransactionID that a million others had costs what one costs under a new one; 64 requests that
    come together are looked up in less than 0.1 s.
    """
    room = empty_room(tmp_path, database)
    try:
        digests = "printf('%064x', n)" if engine == "sqlite" else "lpad(to_hex(n), 64, '0')"
        with room.gateway.database.write() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO duplicate (application, operation, transaction_id, digest, created, answer) "
                    "WITH RECURSIVE x(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM x WHERE n < 999999) "
                    f"SELECT 'tnn', 'SubmitReq', 'again', {digests}, :now, '{{}}' FROM x"
                ),
                {"now": room.clock()},
            )
        taken: dict[str, list[float]] = {"new": [], "again": []}
        for n in range(60):
            for name, transaction_id in (("new", f"new-{n}"), ("again", "again")):
                begun = time.perf_counter()
                room.submitted(transaction_id=transaction_id, message=replace_subject(n))
                taken[name].append(time.perf_counter() - begun)
        new, again = (percentile(taken[name][10:], 0.5) * 1000 for name in ("new", "again"))
        figures(f"row 4: a submit takes {again:.1f} ms (median) at 1,000,000 remembered, {new:.1f} ms under a new id")
        assert again < 2 * new + 5
        requests = [Request("tnn", "SubmitReq", f"new-{n}" if n % 2 else "again", f"{n * 9:064x}") for n in range(64)]
        together = []
        for _ in range(20):
            with room.gateway.database.write() as connection:
                begun = time.perf_counter()
                found = list(_look(connection, requests))
                together.append(time.perf_counter() - begun)
        assert [answer for answer, *_ in found] == [None if n % 2 else "{}" for n in range(64)]
        most = max(together)
        figures(f"row 4: 64 requests are looked up together in {most * 1000:.1f} ms (the most) at 1,000,000 remembered")
        assert most < 0.1
    finally:
        room.gateway.close()


def replace_subject(n: int) -> SubmitReq:
    """A submit that differs from others."""
    return replace(ONE, subject=f"number {n}")


# --- row 13: retention ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["sqlite"])
def test_retention_under_load(tmp_path: Path, database: str) -> None:
    """At least 2,000 messages a second are deleted, below 200,000 and a paused endpoint's backlog; submits go on."""
    room = empty_room(tmp_path, database)
    waiting, over = 200_000, 20_000
    with closing(room.gateway):
        fill(room, waiting, octets=500, call="ready")
        fill(room, over, octets=30_000, call="done", first=waiting)
        with room.gateway.database.write() as connection:
            connection.execute(
                sa.insert(tables.ENDPOINT).values(name="tnn http://tnn/dlr", paused=True, since=room.clock())
            )
    tables_ = {"retention": {"days": 30, "messages": "unlimited"}, "capacity": {"outbox": 10**6}}
    with (
        GatewayProcess(tmp_path / "g", database=database, tables=tables_) as gateway,
        Load(gateway.url, AUTH, Prepared(), count=None, concurrency=4) as load,
        audit.looking(database) as connection,
    ):
        old = sa.text("SELECT count(*) FROM raw WHERE length(body) = 30000 AND received < :now")

        def left() -> int:
            connection.rollback()
            return int(connection.scalar(old, {"now": room.clock() - 86400}) or 0)

        eventually(lambda: left() < over, "the sweep", timeout=120, pause=0.2)  # it is once a minute
        before, load.latencies = load.latencies, []
        first, begun = left(), time.monotonic()
        eventually(lambda: left() == 0, "the end of the sweep", timeout=300, pause=0.5)
        seconds, during = time.monotonic() - begun, list(load.latencies)
        load.stop()
    figures(
        f"row 13: {first} messages of 30 kB deleted in {seconds:.1f} s, {first / seconds:.0f}/s; "
        f"{len(during)} submits meanwhile {shown(during)}; before {shown(before)}"
    )
    assert first / seconds >= 2000
    assert percentile(during, 0.99) < 0.15


def shown(seconds: list[float]) -> str:
    """Two percentiles, in milliseconds."""
    return f"p50 {percentile(seconds, 0.5) * 1000:.0f} ms, p99 {percentile(seconds, 0.99) * 1000:.0f} ms"


# --- rows 7, 8, 9: the store is lost, cannot be written, is locked ----------------------------------------------------


def test_unlinked_under_load(tmp_path: Path) -> None:
    """From the moment the file is unlinked nothing is answered 1000 any more, and readiness says why."""
    with (
        GatewayProcess(tmp_path) as gateway,
        Load(gateway.url, AUTH, Prepared(size=4000), count=None, concurrency=8, pause=0.02) as load,
    ):
        eventually(lambda: len(load.accepted) > 100, "submits")
        (tmp_path / "gateway.db").unlink()
        time.sleep(0.2)  # answers that were on their way
        accepted = len(load.accepted)
        begun = time.monotonic()
        eventually(lambda: not gateway.ready(), "it is not ready", timeout=10, pause=0.02)
        taken = time.monotonic() - begun
        time.sleep(1)
        load.stop()
        figures(f"row 7: not ready {taken + 0.2:.1f} s after the unlink; {len(load.accepted) - accepted} times 1000")
        assert len(load.accepted) == accepted
        assert "gateway.db is gone" in gateway.get("/readyz").text
        assert "gateway.db is gone" in gateway.errors


def test_immutable_for_eight_seconds(tmp_path: Path) -> None:
    """A file that nobody may write for 8 s: 2 s after its end all submits are taken, and all reports come."""
    file = tmp_path / "gateway.db"
    with CallbackSink() as sink, GatewayProcess(tmp_path, callback=sink.url) as gateway:
        files = [str(file) + end for end in ("", "-wal", "-shm")]
        with Load(gateway.url, AUTH, Prepared(size=4000), count=None, concurrency=8, pause=0.02) as load:
            eventually(lambda: len(load.accepted) > 50, "submits")
            if subprocess.run(["chattr", "+i", *files], check=False, capture_output=True).returncode:
                pytest.skip("needs the right to make files immutable")
            try:
                # what is open may be written all the same: the fault is met by connections that are opened meanwhile
                for one in range(8):
                    time.sleep(1)
                    ask(gateway.url, AUTH, load.prepared, 100_000 + one)
            finally:
                subprocess.run(["chattr", "-i", *files], check=True)
            time.sleep(2)
            meanwhile = dict(load.outcomes)
            load.outcomes.clear()
            wanted = len(load.accepted) + 300
            eventually(lambda: len(load.accepted) > wanted, "submits again", timeout=60)
            load.stop()
            load.join(20)
        figures(f"row 8: until 2 s after the end of the fault {meanwhile}, from then on {dict(load.outcomes)}")
        assert meanwhile["HTTP 503"] > 0
        assert set(load.outcomes) == {"1000"}
        assert gateway.ready()
        ids = set(load.accepted.values())
        eventually(lambda: {one.message_id for one in sink.kept()} >= ids, "the reports", timeout=60)


def test_writer_lock(tmp_path: Path) -> None:
    """While another process holds the write lock: 503 with Retry-After within 5 s or so, and not ready within 4."""
    with GatewayProcess(tmp_path) as gateway, closing(sqlite3.connect(tmp_path / "gateway.db", timeout=30)) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with Load(gateway.url, AUTH, Prepared(size=4000), count=None, concurrency=16, timeout=60, pause=0.2) as load:
            eventually(lambda: not gateway.ready(), "it is not ready", timeout=20, pause=0.05)
            unready = time.monotonic() - begun
            eventually(lambda: sum(load.outcomes.values()) >= 16, "answers", timeout=30)
            answered = time.monotonic() - begun
            time.sleep(3)
            outcomes = dict(load.outcomes)
            other.execute("ROLLBACK")
            released = time.monotonic()
            eventually(lambda: load.accepted, "a submit is taken", timeout=20, pause=0.01)
            healed = time.monotonic() - released
            load.stop()
        figures(
            f"row 9: not ready after {unready:.1f} s, the first 16 submits were answered after {answered:.1f} s "
            f"({outcomes}), and taken again {healed:.1f} s after the lock was gone"
        )
        assert set(outcomes) == {"HTTP 503"}
        assert unready < 4
        assert answered < 7
        assert healed < 2.5
