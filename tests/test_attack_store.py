"""Attacks on the store, with figures: what a submit costs, and others get, while something else keeps the store busy.

Run by ``tox -e attack``; each prints what it measured. The bounds are those of reliability.md, and hold on a machine
that has the processors of two gateways to itself.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from gateway_process import AUTH, GatewayProcess
from gateway_room import CALLED, OTHER, Room
from load import Load, Prepared, percentile

from mm7zeep.gateway import tables
from mm7zeep.gateway.records import CallRow, MessageRow, RawRow, RecipientRow
from mm7zeep.gateway.settings import Retention

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
    """Put retrieved messages into an SQLite database, each with one call, as a gateway would have left them long ago."""
    old = room.clock() - 100 * 86400
    numbers = (
        "WITH RECURSIVE x(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM x WHERE n < :last), "
        "m(id) AS (SELECT printf('%032x', n) FROM x) "
    )
    statements = (
        "INSERT INTO message (id, direction, application, excerpt, accepted, delivery_report, read_reply, content, size, "
        "fields, parts, findings) "
        + numbers
        + "SELECT id, 'mt', 'tnn', '', :old, 1, 0, 0, :octets, '{}', '[]', '[]' FROM m",
        "INSERT INTO raw " + numbers + "SELECT id, 0, :old, '[]', zeroblob(:octets) FROM m",
        "INSERT INTO recipient (message_id, n, place, kind, address, way, state, changed) "
        + numbers
        + "SELECT id, 0, 'to', 'Number', '+61400', 'handset', 'Retrieved', :old FROM m",
        "INSERT INTO outbox (kind, owner, endpoint, message_id, n, transaction_id, payload, state, due, expires, attempts, "
        "epoch, created) "
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
    """A submit under a TransactionID that a million others had costs what one costs under a new one."""
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
    finally:
        room.gateway.close()


def replace_subject(n: int) -> object:
    """A submit that differs from others."""
    from gateway_room import ONE

    return replace(ONE, subject=f"number {n}")


# --- row 13: retention ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["sqlite"])
def test_retention_under_load(tmp_path: Path, database: str) -> None:
    """At least 2,000 messages a second are deleted, below 200,000 and a paused endpoint's backlog; submits go on."""
    room = empty_room(tmp_path, database, retention=Retention(days=30, messages=None))
    waiting, over = 200_000, 20_000
    try:
        fill(room, waiting, octets=500, call="ready")
        fill(room, over, octets=30_000, call="done", first=waiting)
        with room.gateway.database.write() as connection:
            connection.execute(
                sa.insert(tables.ENDPOINT).values(name="tnn http://tnn/dlr", paused=True, since=room.clock())
            )
        with GatewayProcess(tmp_path / "g", database=database, tables={"retention": {"days": "unlimited"}}) as gateway:
            with Load(gateway.url, AUTH, Prepared(), count=None, concurrency=4) as load:
                while len(load.accepted) < 200:
                    time.sleep(0.05)
                alone, load.latencies = load.latencies, []
                begun = time.monotonic()
                deleted = room.gateway.housekeeper.sweep()
                seconds = time.monotonic() - begun
                during = list(load.latencies)
        figures(
            f"row 13: {deleted} messages of 30 kB deleted in {seconds:.1f} s, {deleted / seconds:.0f}/s; {len(during)} "
            f"submits meanwhile, p50 {percentile(during, 0.5) * 1000:.0f} ms, p99 {percentile(during, 0.99) * 1000:.0f} ms; "
            f"before, p50 {percentile(alone, 0.5) * 1000:.0f} ms, p99 {percentile(alone, 0.99) * 1000:.0f} ms"
        )
        assert deleted == over
        assert deleted / seconds >= 2000
        assert percentile(during, 0.99) < 0.15
    finally:
        room.gateway.close()
