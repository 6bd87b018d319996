"""Due work is announced to the other processes on one PostgreSQL database, and nothing depends on that."""

from __future__ import annotations

import logging
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from gateway_process import eventually
from gateway_room import CALLED, ONE, Room
from postgres_server import PostgresServer
from sqlalchemy.engine import make_url

from mm7zeep.errors import AuthError
from mm7zeep.gateway.config.settings import Delivery
from mm7zeep.gateway.delivery import subscription
from mm7zeep.gateway.store import announcement, outbox
from mm7zeep.gateway.store.database import Database

pytestmark = pytest.mark.postgres

SLOW: Mapping[str, Any] = {"poll": 30.0}
"""A gateway that would not find anything by itself while a test lasts."""


class Two:
    """Gateways on one database: each has calls of its own."""

    def __init__(self, folder: Path, url: str, stack: ExitStack) -> None:
        self.folder, self.url, self._stack = folder, url, stack

    def room(self, **options: Any) -> Room:
        """One more."""
        made = Room(self.folder, CALLED, database=self.url, **options)
        self._stack.callback(made.gateway.close)
        return made


@pytest.fixture
def two(tmp_path: Path, postgres_url: str) -> Iterator[Two]:
    """Makes gateways on one database."""
    with ExitStack() as stack:
        yield Two(tmp_path, postgres_url, stack)


def listens(room: Room) -> bool:
    """Whether the dispatcher of a gateway relies on announcements."""
    return room.gateway.dispatcher._relying


@contextmanager
def listening(room: Room) -> Iterator[Room]:
    """A gateway that works, and hears what others announce."""
    with room.gateway.working():
        eventually(lambda: listens(room), "it subscribes", pause=0.01)
        time.sleep(0.2)  # the look that follows
        yield room


class Heard:
    """What is announced on the database of a gateway, as somebody else hears it."""

    def __init__(self, url: str) -> None:
        import psycopg

        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.connection = psycopg.connect(plain, autocommit=True)
        [channel] = self.connection.execute(announcement.CHANNEL.encode()).fetchone() or ()
        self.connection.execute(f"LISTEN {channel}".encode())

    def close(self) -> None:
        """Hear no more."""
        self.connection.close()

    def count(self, seconds: float = 0.2) -> int:
        """How many announcements arrive within so many seconds from now."""
        return len(list(self.connection.notifies(timeout=seconds)))


@pytest.fixture
def heard(postgres_url: str) -> Iterator[Heard]:
    """Hears what is announced."""
    Database(postgres_url).close()  # the tables are there
    with closing(Heard(postgres_url)) as made:
        yield made


class Held:
    """A seam where calls stay until they are let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = threading.Event()

    def __call__(self, *arguments: object) -> None:
        self.begun += 1
        self.go.wait(30)


def seconds_until(look: Callable[[], object]) -> float:
    """How long it takes until something is so."""
    since = time.monotonic()
    eventually(look, "a call", timeout=10, pause=0.001)
    return time.monotonic() - since


def test_another_process_makes_the_call(two: Two) -> None:
    """What one gateway plans, another one that hears of it in no other way calls out long before it polls."""
    one, other = two.room(), two.room(**SLOW)
    took = []
    with listening(other):
        for n in range(7):
            one.gateway.simulator.send_mo("tnn", "+61400", "111122")
            took.append(seconds_until(lambda n=n: len(other.calls.made) > n))  # type: ignore[misc]
            time.sleep(0.05)
        one.submitted(ONE)
        seconds_until(lambda: not due(one))
        page = other.gateway.metrics.exposition(other.gateway.database)[0].decode()
    assert statistics.median(took) < 5  # it polls every 30 seconds
    assert one.calls.made == []
    assert 'mm7_subscriptions_total{outcome="made"} 1.0' in page
    assert "mm7_announcements_total 0.0" not in page


def due(room: Room) -> int:
    """How many copies wait for the network."""
    return sum(copy.due is not None for message in room.messages for copy in room.copies(message.id))


def test_only_at_the_commit_and_once(two: Two, heard: Heard) -> None:
    """An announcement leaves with the commit, once however much was planned, and never for a rollback."""
    one = two.room()
    call = one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    assert heard.count() == 1
    with one.gateway.database.write() as connection:
        for _ in range(3):
            outbox.plan(connection, [call])
        assert heard.count() == 0
    assert heard.count() == 1

    def fail() -> None:
        with one.gateway.database.write() as connection:
            outbox.plan(connection, [call])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with one.gateway.database.write() as connection:
        assert outbox.call(connection, 1) is not None
    assert heard.count() == 0


def test_nothing_is_announced_that_is_seen_to_here(two: Two, heard: Heard) -> None:
    """Submits and calls cost no announcement where the gateway that has them sees to them all; its end costs one."""
    one = two.room(**SLOW)
    with listening(one):
        heard.count()
        for n in range(3):
            one.submitted(ONE, transaction_id=str(n))
            one.gateway.simulator.send_mo("tnn", "+61400", "111122")
        eventually(lambda: len(one.calls.made) == 3 and not due(one), "all is done", pause=0.01)
        assert heard.count() == 0
    assert heard.count() == 1


def test_what_there_is_no_room_for(two: Two, heard: Heard) -> None:
    """What a gateway has planned and has no room for is announced, seldom, and another one does its part of it."""
    narrow = Delivery(narrow=2, wide=2)
    one, other = two.room(delivery=narrow, **SLOW), two.room(delivery=narrow, **SLOW)
    ours, theirs = Held(), Held()
    one.gateway._caller._deliver, other.gateway._caller._deliver = ours, theirs
    try:
        with listening(one), listening(other):
            heard.count()
            for _ in range(40):
                one.gateway.simulator.send_mo("tnn", "+61400", "111122")
            eventually(lambda: (ours.begun, theirs.begun) == (1, 1), "each makes one", timeout=5, pause=0.01)
            assert 1 <= heard.count(1.0) < 30
            assert heard.count() == 0  # nobody announces what nobody has planned since
            ours.go.set()
            theirs.go.set()
            eventually(lambda: len(one.outbox(state="done")) == 40, "all are made")
    finally:
        ours.go.set()
        theirs.go.set()


def test_what_an_operator_asks_for(two: Two, heard: Heard) -> None:
    """A replay, and the end of a pause, are announced though a dispatcher runs here: others are to help."""
    one = two.room(**SLOW)
    one.calls.refuse = AuthError("x", http_status=401)
    with listening(one):
        one.gateway.simulator.send_mo("tnn", "+61400", "111122")
        eventually(lambda: one.outbox(state="paused"), "the endpoint is paused", pause=0.01)
        heard.count()
        assert one.gateway.replay(endpoint="http://tnn/mo") == 1
        assert heard.count() >= 1


def test_one_that_stops_leaves_it_to_others(two: Two) -> None:
    """What is planned while a gateway drains, another one does at once."""
    one, other = two.room(**SLOW), two.room(**SLOW)
    with listening(other), listening(one):
        one.gateway.dispatcher.stop()
        one.gateway.simulator.send_mo("tnn", "+61400", "111122")
        assert seconds_until(lambda: other.calls.made) < 1
    assert one.calls.made == []


def test_two_schemas(tmp_path: Path, postgres_url: str, heard: Heard) -> None:
    """Gateways in two schemas of one database do not wake each other."""
    heard.connection.execute("CREATE SCHEMA other")
    url = make_url(postgres_url).update_query_dict({"options": "-csearch_path=other"})
    with ExitStack() as stack:
        one = Two(tmp_path, url.render_as_string(hide_password=False), stack).room()
        with closing(Heard(one.settings.database)) as there:
            one.gateway.simulator.send_mo("tnn", "+61400", "111122")
            assert (there.count(), heard.count()) == (1, 0)


# --- lost, and back ---------------------------------------------------------------------------------------------------


class Door:
    """Lets nobody into a database any more, and ends who waits there for announcements, until it is opened."""

    def __init__(self, server: str, url: str) -> None:
        import psycopg

        plain = make_url(server).set(drivername="postgresql").render_as_string(hide_password=False)
        self._admin = psycopg.connect(plain, autocommit=True)
        self._name = make_url(url).database

    def close(self) -> None:
        """Leave it as it is."""
        self._admin.close()

    def shut(self) -> None:
        """Shut it."""
        self._admin.execute(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false".encode())
        waits = "datname = %s AND application_name = 'mm7zeep subscription'"
        ended = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {waits}"
        assert self._admin.execute(ended.encode(), (self._name,)).fetchone() == (1,)

    def open(self) -> None:
        """Open it."""
        self._admin.execute(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true".encode())


@pytest.fixture
def door(postgres_server: str, postgres_url: str) -> Iterator[Door]:
    """The door of the database, open."""
    with closing(Door(postgres_server, postgres_url)) as made:
        yield made


def test_lost_and_made_again(two: Two, door: Door, caplog: pytest.LogCaptureFixture) -> None:
    """Without its connection a gateway polls as often as it is told, and says so once; then it hears again."""
    one, other = two.room(), two.room(poll=0.2)
    with listening(other):
        door.shut()
        eventually(lambda: not listens(other), "it is lost")
        one.gateway.simulator.send_mo("tnn", "+61400", "111122")
        eventually(lambda: len(other.calls.made) == 1, "it polls")
        time.sleep(0.5)  # several tries
        door.open()
        eventually(lambda: listens(other), "it subscribes again")
        page = other.gateway.metrics.exposition(other.gateway.database)[0].decode()
    assert {f'mm7_subscriptions_total{{outcome="{what}"}} {n}' for what, n in (("made", 2.0), ("lost", 1.0))} <= set(
        page.splitlines()
    )
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    said = [one for one in said if one.startswith("what other processes announce")]  # the polls may have failed, too
    assert len(said) == 2
    assert said[0].startswith("what other processes announce is not received: database error: PostgreSQL 127.0.0.1:")
    assert said[1] == "what other processes announce is received again"


def test_what_was_announced_meanwhile(two: Two, door: Door) -> None:
    """What was announced to a gateway while it could not hear is found as soon as it subscribes again."""
    one, other = two.room(), two.room(**SLOW)
    with listening(other):
        door.shut()
        eventually(lambda: not listens(other), "it is lost")
        one.gateway.simulator.send_mo("tnn", "+61400", "111122")
        time.sleep(0.3)
        assert other.calls.made == []
        door.open()
        eventually(lambda: other.calls.made, "it looks")
        assert listens(other)


def test_the_server_goes_and_comes(tmp_path: Path, own_postgres: PostgresServer) -> None:
    """A gateway whose server was killed and started again hears again, and ends at once while it is away."""
    with ExitStack() as stack:
        two = Two(tmp_path, own_postgres.url(), stack)
        one, other = two.room(), two.room(poll=1.0)
        with listening(other):
            own_postgres.kill()
            eventually(lambda: not listens(other), "it is lost")
            own_postgres.start()
            eventually(lambda: listens(other), "it subscribes again", timeout=20)
            one.gateway.simulator.send_mo("tnn", "+61400", "111122")
            seconds_until(lambda: other.calls.made)
            eventually(lambda: one.outbox(state="done"), "it is recorded")
            own_postgres.stop("immediate")
            eventually(lambda: not listens(other), "it is lost again")
            since = time.monotonic()
        assert time.monotonic() - since < 15  # its dispatcher may have just begun to pause for a second


def test_stop_is_prompt(two: Two, caplog: pytest.LogCaptureFixture) -> None:
    """A gateway that listens ends at once, and nothing is said of it."""
    one = two.room(**SLOW)
    with listening(one):
        since = time.monotonic()
    assert time.monotonic() - since < 10  # it would poll, and look at its connection, far later
    assert not any(thread.name == "mm7zeep-subscription" for thread in threading.enumerate())
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


# --- a pooler between -------------------------------------------------------------------------------------------------


class Pooler:
    """Stands between a gateway and PostgreSQL as a pooler in transaction mode does: it carries no notification."""

    def __init__(self, server: str) -> None:
        self._target = make_url(server)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, database: str) -> str:
        """The URL of a database, by way of it; TLS would hide from it what it drops."""
        given = make_url(database).set(port=self._socket.getsockname()[1]).update_query_dict({"sslmode": "disable"})
        return given.render_as_string(hide_password=False)

    def close(self) -> None:
        """Cut all connections."""
        for one in (self._socket, *self._open):
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            far = socket.create_connection((self._target.host or "127.0.0.1", self._target.port or 5432))
            self._open += [near, far]
            for work in (lambda a=near, b=far: _carry(a, b), lambda a=far, b=near: _carry_but_notifications(a, b)):
                threading.Thread(target=_quietly, args=(work,), daemon=True).start()


def _quietly(work: Callable[[], None]) -> None:
    try:
        work()
    except OSError:
        return  # one of the two has gone


def _carry(source: socket.socket, target: socket.socket) -> None:
    while octets := source.recv(65536):
        target.sendall(octets)
    target.shutdown(socket.SHUT_WR)


def _carry_but_notifications(source: socket.socket, target: socket.socket) -> None:
    with source.makefile("rb") as stream:
        while head := stream.read(5):  # what it is, and its length
            body = stream.read(int.from_bytes(head[1:]) - 4)
            if head[:1] != b"A":
                target.sendall(head + body)
    target.shutdown(socket.SHUT_WR)


def test_a_pooler_that_carries_nothing(
    tmp_path: Path,
    postgres_server: str,
    postgres_url: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where LISTEN is taken and no announcement comes, that is said once, and the gateway polls as without it."""
    monkeypatch.setattr(subscription, "_TRIAL", 0.5)
    monkeypatch.setattr(subscription, "_SELDOM", 0.2)
    with closing(Pooler(postgres_server)) as pooler, ExitStack() as stack:
        one = Two(tmp_path, postgres_url, stack).room()
        other = Two(tmp_path, pooler.url(postgres_url), stack).room(poll=0.2)
        with other.gateway.working():
            eventually(lambda: "pooler" in caplog.text, "it is said")
            one.gateway.simulator.send_mo("tnn", "+61400", "111122")
            seconds_until(lambda: other.calls.made)
            time.sleep(1.0)  # it was tried again
            assert not listens(other)
            since = time.monotonic()
        assert time.monotonic() - since < 10
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1
    assert "session mode" in said[0]
