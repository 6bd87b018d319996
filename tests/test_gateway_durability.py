"""Accepted means kept, seen from outside: the order of system calls, failing disks, lost databases, signals."""

from __future__ import annotations

import shutil
import signal
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import audit
import frozen
import pytest
import system_calls
from callback_sink import CallbackSink, Trouble
from gateway_process import AUTH, QUICK, GatewayProcess, eventually
from load import Load, Prepared, PreparedJson, ask, ask_until_taken, head_of
from postgres_server import PostgresServer

pytestmark = pytest.mark.processes

SYNCS = ("fsync", "fdatasync")
WRITES = ("write", "writev", "pwrite64", "pwritev")
SENDS = ("sendto", "sendmsg", "write", "writev")


@pytest.fixture
def sink() -> Iterator[CallbackSink]:
    """An application that takes every call."""
    with CallbackSink() as running:
        yield running


@pytest.fixture
def prepared() -> Prepared:
    """Submits of 30 kB."""
    return Prepared()


def is_kept_once(gateway: GatewayProcess, prepared: Prepared, accepted: dict[int, str]) -> bool:
    """Whether the database holds these messages once each, whole, and no others."""
    with audit.looking(gateway.database) as connection:
        assert audit.messages(connection, prepared, accepted).lines() == []
    return True


# --- the order --------------------------------------------------------------------------------------------------------


def test_sync_comes_before_the_answer(tmp_path: Path, sink: CallbackSink, prepared: Prepared) -> None:
    """The pages with a submit are written to the log, the log is synced, and only then the 1000 leaves; also where
    several of 40 at a time share one sync.
    """
    system_calls.require()
    log = tmp_path / "strace"
    before = system_calls.recording(log, *SYNCS, *WRITES, *SENDS)
    with GatewayProcess(tmp_path / "g", callback=sink.url, before=before) as gateway:
        answers = [ask(gateway.url, AUTH, prepared, n) for n in range(5)]
        with Load(gateway.url, AUTH, prepared, count=40, first=5, concurrency=40) as load:
            assert load.join(60)
        gateway.stop()
    assert [one.code for one in answers] == [1000] * 5
    assert dict(load.outcomes) == {"1000": 40}
    ids = [one.message_id or "" for one in answers] + [load.accepted[n] for n in range(5, 45)]
    calls = system_calls.read(log)
    syncs = [_sync_of(calls, prepared.transaction_id(n), id) for n, id in enumerate(ids)]
    assert len(set(syncs[:5])) == 5
    assert len(set(syncs[5:])) < 40, "no two of 40 at a time were kept together"


def test_sync_comes_before_the_answer_in_json(tmp_path: Path, sink: CallbackSink) -> None:
    """The same of messages that come in by the JSON API: the 202 leaves after the sync."""
    system_calls.require()
    log, prepared = tmp_path / "strace", PreparedJson()
    before = system_calls.recording(log, *SYNCS, *WRITES, *SENDS)
    with GatewayProcess(tmp_path / "g", callback=sink.url, before=before) as gateway:
        url = f"{gateway.api}/messages"
        answers = [ask(url, AUTH, prepared, n) for n in range(5)]
        with Load(url, AUTH, prepared, count=40, first=5, concurrency=40) as load:
            assert load.join(60)
        gateway.stop()
    assert dict(load.outcomes) == {"1000": 40}
    ids = [one.accepted or "" for one in answers] + [load.accepted[n] for n in range(5, 45)]
    assert all(ids)
    calls = system_calls.read(log)
    syncs = [_sync_of(calls, prepared.transaction_id(n), id) for n, id in enumerate(ids)]
    assert len(set(syncs[:5])) == 5
    assert len(set(syncs[5:])) < 40, "no two of 40 at a time were kept together"


def _sync_of(calls: list[system_calls.SystemCall], name: str, message_id: str) -> system_calls.SystemCall:
    """The sync that put the submit ``name`` on the disk, which has ended before its answer began to leave."""
    marks = (f"MessageID>{message_id}<", f'\\"id\\":\\"{message_id}\\"')
    sent = next(
        one for one in calls
        if one.name in SENDS and "TCP" in one.arguments and any(mark in one.arguments for mark in marks)
    )  # fmt: skip
    earlier = [one for one in calls if "gateway.db-wal" in one.arguments and one.ended < sent.begun]
    # the first: those who come later may write the same page again, for what is theirs
    written = next((one for one in earlier if one.name in WRITES and name in one.arguments), None)
    assert written is not None, f"{name} was not in the log when its answer left"
    synced = next((one for one in earlier if one.name in SYNCS and one.result == 0 and one.begun > written.ended), None)
    assert synced is not None, f"{name} was answered before the log was synced"
    return synced


# --- disks that fail --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "error"),
    [(SYNCS, "EIO"), (SYNCS, "ENOSPC"), (WRITES, "EIO"), (WRITES, "ENOSPC")],
    ids=lambda one: one if isinstance(one, str) else one[0],
)
def test_failing_disk_is_survived(
    tmp_path: Path, sink: CallbackSink, prepared: Prepared, names: tuple[str, ...], error: str
) -> None:
    """A submit that the disk does not take is answered 503; the same request later is stored once, through a crash."""
    system_calls.require()
    with GatewayProcess(tmp_path / "g", callback=sink.url) as gateway:
        first = ask(gateway.url, AUTH, prepared, 0)
        eventually(lambda: sink.kept(), "the report on the first message")
        server = gateway.server()
        files = [gateway.folder / f"gateway.db{end}" for end in ("", "-wal", "-journal")]
        with system_calls.failing(server, names, error, files):
            refused = [ask(gateway.url, AUTH, prepared, 1) for _ in range(3)]
        # not even from the record of the first attempt, which may have been left behind: nothing of it was ever synced
        assert [(one.status, one.code) for one in refused] == [(503, None)] * 3
        assert all(b"\r\nretry-after: " in one.head.lower() for one in refused)
        assert server.is_running()
        second = ask_until_taken(gateway.url, AUTH, prepared, 1)
        assert first.code == 1000
        accepted = {0: str(first.message_id), 1: str(second.message_id)}
        eventually(lambda: {one.message_id for one in sink.kept()} == set(accepted.values()), "both reports")
        gateway.kill()
        gateway.start()
        assert ask(gateway.url, AUTH, prepared, 1).message_id == second.message_id
        assert is_kept_once(gateway, prepared, accepted)


def test_full_disk_is_told(tmp_path: Path, prepared: Prepared) -> None:
    """With less room than the gateway wants submits are answered 503, and /readyz says why."""
    tables = {"capacity": {"disk": shutil.disk_usage(tmp_path).total * 2, "retry_after": 7}}
    with GatewayProcess(tmp_path / "g", tables=tables) as gateway:
        refused = ask(gateway.url, AUTH, prepared, 0)
        assert (refused.status, refused.code) != (200, 1000)
        assert refused.status == 503
        assert b"\r\nretry-after: 7\r\n" in refused.head.lower()
        told = gateway.get("/readyz")
        assert told.status_code == 503
        assert "disk" in told.text
        assert gateway.get("/livez").status_code == 200
        assert is_kept_once(gateway, prepared, {})


# --- databases that go away -------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_postgresql_goes_and_comes(
    tmp_path: Path, sink: CallbackSink, prepared: Prepared, own_postgres: PostgresServer
) -> None:
    """PostgreSQL crashes under load and comes back: 503 meanwhile, nothing lost, no process of the gateway ended."""
    database = own_postgres.url()
    # a claim that was committed, and whose commit was never confirmed, stands until its lease is over: 60 s by default
    tables = {"delivery": {**QUICK, "lease": "10s"}}
    with GatewayProcess(tmp_path, callback=sink.url, database=database, workers=2, tables=tables) as gateway:
        started = sorted(one.pid for one in gateway.all_processes())
        with Load(gateway.url, AUTH, prepared, count=None, concurrency=4, pause=0.05) as load:
            eventually(lambda: len(load.accepted) >= 50, "the first 50 submits")
            own_postgres.stop("immediate")
            eventually(lambda: load.outcomes["HTTP 503"] >= 20, "20 answers 503")
            eventually(lambda: not gateway.ready(), "it is not ready", timeout=5)
            stood = len(load.accepted)
            own_postgres.start()
            eventually(lambda: len(load.accepted) >= stood + 50, "50 submits more", timeout=30)
            load.stop()
            assert load.join(20)
        eventually(gateway.ready, "it is ready again")
        with audit.looking(database) as connection:
            eventually(lambda: _nothing_left(connection), "nothing outstanding", timeout=30)
            asked_again = {n: ask(gateway.url, AUTH, prepared, n).message_id for n in range(load.first, load.upto)}
            eventually(lambda: _nothing_left(connection), "nothing outstanding", timeout=30)
            assert {n: asked_again[n] for n in load.accepted} == load.accepted
            assert audit.messages(connection, prepared, asked_again).lines() == []  # type: ignore[arg-type]
            assert audit.callbacks(connection, load.accepted.values(), sink.calls).lines() == []
        assert sorted(one.pid for one in gateway.all_processes()) == started
        assert gateway.stop() == 0


def _nothing_left(connection: audit.Connection) -> bool:
    connection.rollback()
    return audit.outstanding(connection) == 0


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_frozen_worker_changes_nothing(tmp_path: Path, request: pytest.FixtureRequest, engine: str) -> None:
    """A worker frozen for longer than its lease cannot complete or dead-letter what another one has done meanwhile."""
    database = request.getfixturevalue("postgres_url") if engine == "postgresql" else None
    assert frozen.freeze(tmp_path, database) == []


# --- signals ----------------------------------------------------------------------------------------------------------


class HalfSent:
    """A submit of which only half has been sent; ``finish`` sends the rest and reads the answer."""

    def __init__(self, gateway: GatewayProcess, prepared: Prepared, n: int) -> None:
        body = prepared.body(n)
        self._rest = body[len(body) // 2 :]
        target = urlsplit(gateway.url)
        self._socket = socket.create_connection((target.hostname, target.port), timeout=30)
        head = head_of(gateway.url, AUTH, prepared.headers) + b"%d\r\n\r\n" % len(body)
        self._socket.sendall(head + body[: len(body) // 2])

    def finish(self) -> bytes:
        """The whole answer."""
        self._socket.sendall(self._rest)
        with self._socket.makefile("rb") as answer:
            head = b""
            while (line := answer.readline()) != b"\r\n":
                assert line, f"the connection ended after {head!r}"
                head += line
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            return head + answer.read(int(length.partition(b":")[2]))

    def close(self) -> None:
        """Give it up."""
        self._socket.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_drains(tmp_path: Path, sink: CallbackSink, prepared: Prepared, workers: int) -> None:
    """After SIGTERM /readyz is 503, what was begun is answered, calls in flight end, and the exit status is 0."""
    with GatewayProcess(tmp_path, callback=sink.url, workers=workers) as gateway:
        sink.troubles = (Trouble(hang=1.5),)
        accepted = {0: str(ask(gateway.url, AUTH, prepared, 0).message_id)}
        eventually(lambda: sink.calls, "the call for the first message")
        with (
            Load(gateway.url, AUTH, prepared, count=None, first=10, concurrency=4, pause=0.05) as load,
            closing(HalfSent(gateway, prepared, 1)) as half,
        ):
            eventually(lambda: len(load.accepted) >= 20, "20 submits")
            gateway.signal(signal.SIGTERM)
            eventually(lambda: not gateway.ready(), "it is not ready any more", timeout=3, pause=0.01)
            assert gateway.process is not None
            assert gateway.process.poll() is None
            answer = half.finish()
            assert b"StatusCode>1000<" in answer
            load.stop()
            status = gateway.process.wait(30)
        assert status == 0
        accepted[1] = answer.partition(b"MessageID>")[2].partition(b"<")[0].decode()
        assert set(load.outcomes) <= {"1000", "HTTP 503", "ConnectionRefusedError", "ConnectionResetError",
                                      "IncompleteReadError", "BrokenPipeError"}  # fmt: skip
        with audit.looking(gateway.database) as connection:
            found = audit.messages(connection, prepared, accepted | load.accepted).counts
            assert set(found) <= {"stored, never answered 1000"}
            leased = connection.exec_driver_sql("SELECT count(*) FROM outbox WHERE state = 'leased'").scalar()
        assert leased == 0  # what was claimed when the signal came has ended
        assert "Traceback" not in gateway.errors
        assert "before its time" not in gateway.errors  # no thread that ended because it was to end


def test_second_sigterm_ends_at_once(tmp_path: Path, prepared: Prepared) -> None:
    """A request that never ends holds the first SIGTERM up, and not the second."""
    with GatewayProcess(tmp_path) as gateway, closing(HalfSent(gateway, prepared, 0)):
        assert gateway.process is not None
        time.sleep(0.3)
        gateway.signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            gateway.process.wait(1)
        gateway.signal(signal.SIGTERM)
        gateway.process.wait(3)


def test_sigkill_leaves_no_orphans(tmp_path: Path) -> None:
    """Workers end when their supervisor is killed, so that its successor finds the ports free."""
    with GatewayProcess(tmp_path, workers=2) as gateway:
        workers = gateway.children()
        assert len(workers) == 2
        gateway.server().kill()
        assert gateway.process is not None
        gateway.process.wait(10)
        eventually(lambda: not any(one.is_running() for one in workers), "the workers have ended")
        gateway.start()
        assert gateway.ready()


def test_dead_worker_is_replaced(tmp_path: Path, prepared: Prepared) -> None:
    """The supervisor starts another worker for one that was killed, and the others serve meanwhile."""
    with GatewayProcess(tmp_path, workers=2) as gateway:
        before = {one.pid for one in gateway.children()}
        victim = gateway.children()[0]
        victim.kill()
        eventually(lambda: len({one.pid for one in gateway.children()} - {victim.pid}) == 2, "a second worker")
        after = {one.pid for one in gateway.children()}
        assert len(after & before) == 1
        assert ask(gateway.url, AUTH, prepared, 0).code == 1000


# --- time -------------------------------------------------------------------------------------------------------------


def test_kept_connections_are_answered_at_once(tmp_path: Path) -> None:
    """Head and body of an answer leave together, or one after the other; neither waits 40 ms for the client's ACK."""
    with GatewayProcess(tmp_path) as gateway, closing(HTTPConnection("127.0.0.1", gateway.admin_port)) as client:
        taken = []
        for _ in range(25):
            begun = time.monotonic()
            client.request("GET", "/livez")
            assert client.getresponse().read()
            taken.append(time.monotonic() - begun)
    assert statistics.median(taken) < 0.02
