"""Group commit: what waits at the same moment shares a transaction, and what one meets is its own."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from gateway_room import ONE, Make, Room, rooms
from sqlalchemy import Connection, event

from mm7zeep import exchange
from mm7zeep.errors import StatusError
from mm7zeep.exchange import Wire
from mm7zeep.gateway.config.destination import HANDSET
from mm7zeep.gateway.mm7.chaos import Rule
from mm7zeep.gateway.store import idempotency
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.gateway.store.group_commit import GroupCommit
from mm7zeep.gateway.store.idempotency import Done, Making, Request, Task
from mm7zeep.gateway.store.messages import Kept
from mm7zeep.gateway.store.rows import PENDING, MessageRow, RawRow, RecipientRow
from mm7zeep.gateway.store.tables import DUPLICATE, MESSAGE, RAW, RECIPIENT
from mm7zeep.messages import Number, Part, SubmitReq


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


def rows(id: str, now: float, **changes: Any) -> Kept:
    """A message as it is kept."""
    message = MessageRow(id=id, direction="mt", application="tnn", accepted=now, **changes)
    raw = RawRow(message_id=id, n=0, received=now, headers="[]", body=b"x")
    copy = RecipientRow(
        message_id=id, n=0, place="to", kind="Number", address="+1", destination=HANDSET, state=PENDING, changed=now
    )
    return Kept(message, raw, [copy])


def task(id: str, *, transaction_id: str | None = None, digest: str = "d", making: Making | None = None) -> Task:
    """A task that keeps a message of that id."""

    def keep(connection: Connection, now: float, reused: bool) -> tuple[dict[str, Any], Kept]:
        return {"id": id, "reused": reused}, rows(id, now)

    request = Request("tnn", "SubmitReq", transaction_id or f"t-{id}", digest)
    return Task.keeping(request, 3600.0, making or keep)


class Together:
    """The group commit of a gateway: what is submitted before ``go`` waits at the same moment."""

    def __init__(self, one: Room) -> None:
        self.database = one.gateway.database
        self.group = GroupCommit(self.database, one.gateway.clock)
        self.begun, self._free = threading.Event(), threading.Event()
        self.transactions = 0
        event.listen(self.database.engine, "commit", self._committed)

        def hold(connection: Connection, now: float, reused: bool) -> tuple[dict[str, Any], Kept]:
            self.begun.set()
            assert self._free.wait(10)
            return {"id": "first", "reused": reused}, rows("first", now)

        self.first = self.submit(task("first", making=hold))
        assert self.begun.wait(10)

    def _committed(self, connection: Connection) -> None:
        self.transactions += 1

    def submit(self, task: Task, then: Callable[[Done], object] | None = None) -> Future[Any]:
        return self.group.submit(task, then or (lambda done: done))

    def go(self) -> None:
        """Let them be done."""
        self._free.set()
        self.group.close()

    def kept(self) -> list[str]:
        """The ids of all messages, of which each has its octets, its copy and its answer."""
        with self.database.read() as connection:
            ids = sorted(connection.scalars(sa.select(MESSAGE.c.id)))
            for table in (RAW, RECIPIENT):
                assert sorted(connection.scalars(sa.select(table.c.message_id))) == ids
            assert connection.scalar(sa.select(sa.func.count()).select_from(DUPLICATE)) == len(ids)
        return ids


@pytest.fixture
def together(room: Make) -> Iterator[Together]:
    """Jobs that wait behind a first one."""
    made = Together(room())
    yield made
    made.go()


def test_one_transaction(together: Together) -> None:
    """What waits at the same moment is one transaction, and each has its own answer."""
    jobs = [together.submit(task(f"m{n:02d}"), then=lambda done: done.answer["id"]) for n in range(40)]
    assert not any(one.done() for one in jobs)
    together.go()
    assert [one.result(0) for one in jobs] == [f"m{n:02d}" for n in range(40)]
    assert together.first.result(0).answer == {"id": "first", "reused": False}
    assert together.transactions == 2
    assert len(together.kept()) == 41


def test_one_statement_a_table(together: Together) -> None:
    """Requests that only keep a message are looked up by one statement, and written by one a table."""
    said: list[str] = []

    def noted(connection: Connection, cursor: Any, statement: str, *rest: object) -> None:
        said.append(" ".join(statement.split()))

    jobs = [together.submit(task(f"m{n}")) for n in range(40)]
    again = [together.submit(task(f"m{n}", transaction_id=f"t-m{n}")) for n in range(2)]  # the same at the same moment
    event.listen(together.database.engine, "before_cursor_execute", noted)
    together.go()
    assert [one.result(0).answer["id"] for one in (*jobs, *again)] == [f"m{n}" for n in (*range(40), 0, 1)]
    written = [one.split("(")[0].split()[2] for one in said if one.startswith("INSERT")]
    assert written == ["message", "raw", "recipient", "duplicate"] * 2  # of the first one, and of all others
    looked = [one for one in said if one.startswith("SELECT") and "duplicate" in one]
    assert len(looked) == 1 + len(again)


def test_no_more_than_64(together: Together) -> None:
    """A transaction has its bound; what is over it goes with the next one."""
    jobs = [together.submit(task(f"m{n}")) for n in range(130)]
    together.go()
    assert len({one.result(0).answer["id"] for one in jobs}) == 130
    assert together.transactions == 4


def test_the_same_request_twice(together: Together) -> None:
    """The same request twice at the same moment is done once, and both get the one answer."""
    jobs = [together.submit(task(id, transaction_id="t")) for id in ("a", "b", "c")]
    together.submit(task("d"))
    together.go()
    assert [(one.result(0).answer["id"], one.result(0).repeated) for one in jobs] == [
        ("a", False), ("a", True), ("a", True),
    ]  # fmt: skip
    assert together.kept() == ["a", "d", "first"]


def test_one_transaction_id_for_two_requests(together: Together) -> None:
    """Two requests under one TransactionID are both done, and the second is told of it."""
    one, two = (together.submit(task(id, transaction_id="t", digest=id)) for id in ("a", "b"))
    together.submit(task("c"))
    together.go()
    assert (one.result(0).reused, two.result(0).reused, two.result(0).answer["reused"]) == (False, True, True)
    with together.database.read() as connection:
        assert set(connection.scalars(sa.select(MESSAGE.c.id))) == {"a", "b", "c", "first"}


def test_a_refused_one_is_alone(together: Together) -> None:
    """A request that is refused fails none of the others, and leaves nothing."""

    def refuse(connection: Connection, now: float, reused: bool) -> Any:
        raise StatusError(2006)

    good, bad = together.submit(task("a")), together.submit(task("b", making=refuse))
    also = together.submit(task("c"))
    together.go()
    assert isinstance(bad.exception(0), StatusError)
    assert (good.result(0).answer["id"], also.result(0).answer["id"]) == ("a", "c")
    assert together.kept() == ["a", "c", "first"]


@pytest.mark.parametrize("changes", [{"size": 2**70}, {"accepted": None}])
def test_a_value_that_no_column_takes(together: Together, changes: dict[str, Any]) -> None:
    """A value that cannot be kept fails its own request, which is told that it is the value."""

    def wrong(connection: Connection, now: float, reused: bool) -> tuple[dict[str, Any], Kept]:
        kept = rows("b", now)
        return {}, kept._replace(message=replace(kept.message, **changes))

    good, bad, also = (together.submit(one) for one in (task("a"), task("b", making=wrong), task("c")))
    together.go()
    failed = bad.exception(0)
    assert isinstance(failed, StoreError)
    assert failed.of_value
    assert (good.result(0).answer["id"], also.result(0).answer["id"]) == ("a", "c")
    assert together.kept() == ["a", "c", "first"]


@pytest.mark.parametrize(("error", "why"), [("store", "database error: {place}: Overflow"), ("other", "KeyError")])
def test_why_not_together(together: Together, caplog: pytest.LogCaptureFixture, error: str, why: str) -> None:
    """The log says how many requests are kept one by one, and why, without the values of any of them."""

    def wrong(connection: Connection, now: float, reused: bool) -> tuple[dict[str, Any], Kept]:
        if error == "other":
            raise KeyError("+61412345678")
        raise OverflowError("+61412345678")

    jobs = [together.submit(one) for one in (task("a"), task("b", making=wrong), task("c"))]
    again = together.submit(task("d", transaction_id="t-a"))
    together.go()
    assert [one.exception(0) is None for one in (*jobs, again)] == [True, False, True, True]
    [line] = [one.getMessage() for one in caplog.records if "one by one" in one.getMessage()]
    place = together.database.place
    assert line.startswith(
        "3 requests are kept one by one, since together they could not be: " + why.format(place=place)
    )
    assert "+614" not in line


def test_a_fault_of_the_program_is_alone(together: Together) -> None:
    """What goes wrong in the work of one request, or behind it, is told to that one alone."""

    def broken(connection: Connection, now: float, reused: bool) -> Any:
        raise ZeroDivisionError

    def spoilt(done: Done) -> object:
        raise KeyError("then")

    good, bad, late = (
        together.submit(task("a")), together.submit(task("b", making=broken)), together.submit(task("c"), then=spoilt),
    )  # fmt: skip
    together.go()
    assert isinstance(bad.exception(0), ZeroDivisionError)
    assert isinstance(late.exception(0), KeyError)
    assert good.result(0).answer["id"] == "a"
    assert together.kept() == ["a", "c", "first"]


def test_the_store_fails_at_one(together: Together, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store fails at one request, as where a disk has room for all but a large one, the others are kept."""
    keep = idempotency.messages.keep

    def full(connection: Connection, kept: list[Kept]) -> None:
        if any(one.message.id == "large" for one in kept):
            raise sa.exc.OperationalError("INSERT", {}, _error(sqlite3.SQLITE_FULL))
        keep(connection, kept)

    monkeypatch.setattr(idempotency.messages, "keep", full)
    jobs = [together.submit(task(id)) for id in ("a", "large", "b", "c")]
    together.go()
    assert isinstance(jobs[1].exception(0), StoreError)
    assert [jobs[n].result(0).answer["id"] for n in (0, 2, 3)] == ["a", "b", "c"]
    assert together.kept() == ["a", "b", "c", "first"]


def _error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = code
    return error


def test_a_commit_that_fails(together: Together, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the commit fails nobody is told that his request was kept, and the next ones are."""
    jobs = [together.submit(task(id)) for id in ("a", "b")]
    commit, count = together.database.engine.dialect.do_commit, []

    def fails(connection: Any) -> None:
        count.append(1)
        if len(count) == 2:  # the first is of the job that holds the others
            together.database.engine.dialect.do_rollback(connection)
            raise _error(sqlite3.SQLITE_IOERR)
        commit(connection)

    monkeypatch.setattr(together.database.engine.dialect, "do_commit", fails)
    together._free.set()
    assert all(isinstance(one.exception(10), StoreError) for one in jobs)
    assert together.submit(task("c")).result(10).answer["id"] == "c"
    together.go()
    assert together.kept() == ["c", "first"]


def test_who_hung_up_in_time(together: Together) -> None:
    """A request whose sender is gone before it is begun is not done."""
    gone, there = together.submit(task("a")), together.submit(task("b"))
    assert gone.cancel()
    together.go()
    with pytest.raises(CancelledError):
        gone.result(0)
    assert there.result(0).answer["id"] == "b"
    assert together.kept() == ["b", "first"]


def test_closed(room: Make) -> None:
    """Behind the end there is a clear answer, and none that never comes."""
    one = room()
    group = GroupCommit(one.gateway.database, one.gateway.clock)
    group.close()
    assert isinstance(group.submit(task("a"), lambda done: done).exception(1), StoreError)


def test_of_two_processes(room: Make) -> None:
    """The same requests at the same moment in two processes are done once."""
    one = room()
    groups = [GroupCommit(one.gateway.database, one.gateway.clock) for _ in range(2)]
    asked = [task(f"m{n}-{k}", transaction_id=f"t{n}") for n in range(60) for k in range(2)]
    jobs = [groups[n % 2].submit(each, lambda done: done) for n, each in enumerate(asked)]
    answers = [each.result(20).answer["id"] for each in jobs]
    for group in groups:
        group.close()
    assert answers[::2] == answers[1::2]
    with one.gateway.database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(MESSAGE)) == 60


# --- on the way there -------------------------------------------------------------------------------------------------


def asked(one: Room, message: SubmitReq, transaction_id: str) -> tuple[int, str]:
    """HTTP status and MM7 status of a submit over ASGI."""
    wire = exchange.pack(message, transaction_id=transaction_id)
    body, sent = wire.read(), []
    head = [(name.lower().encode(), value.encode()) for name, value in wire.headers]
    head += [(b"authorization", b"Basic dG5uOnQ="), (b"host", b"x"), (b"content-length", b"%d" % len(body))]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/mm7", "headers": head, "client": ("127.0.0.1", 9)}
    asyncio.run(one.gateway.asgi(scope, receive, send))
    answer = Wire(headers=tuple((a.decode(), b.decode()) for a, b in sent[0]["headers"]), body=sent[1]["body"])
    if sent[0]["status"] == 503:
        return 503, ""
    return sent[0]["status"], str(exchange.unpack(answer).message.status.code)  # type: ignore[attr-defined]


@pytest.fixture
def grouped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The TransactionIDs of what went to the group commit."""
    found: list[str] = []
    submit = GroupCommit.submit

    def noted(group: GroupCommit, task: Task, then: Callable[[Done], Any]) -> Future[Any]:
        found.append(task.request.transaction_id)
        return submit(group, task, then)

    monkeypatch.setattr(GroupCommit, "submit", noted)
    return found


def known(one: Room) -> None:
    """Let the shape of a submit become known, and the absence of rules."""
    for n in range(3):
        assert asked(one, ONE, f"known-{n}") == (200, "1000")


def grouped_now(one: Room, grouped: list[str]) -> str:
    """The TransactionID of a small request that went the quick way: one of the next ones, since the absence of rules is
    known for a second only, and on a busy machine that may be over.
    """
    for n in range(20):
        assert asked(one, ONE, f"small-{n}") == (200, "1000")
        if f"small-{n}" in grouped:
            return f"small-{n}"
    raise AssertionError(f"of twenty small requests none was grouped, but {grouped}")


def test_what_is_small_and_known_is_grouped(room: Make, grouped: list[str]) -> None:
    """A request goes the quick way once its shape is known; a large one, and one of a new shape, in a thread."""
    one = room()
    known(one)
    assert "known-0" not in grouped
    small = grouped_now(one, grouped)
    large = Part(body=bytes(200_000), content_type="image/jpeg", content_id="l@x")
    for n in range(3):
        assert asked(one, replace(ONE, parts=(large,)), f"large-{n}") == (200, "1000")
    seventeen = tuple(Number(f"+614{n:04d}") for n in range(17))
    assert asked(one, replace(ONE, to=seventeen, priority="High", read_reply=True), "new") == (200, "1000")
    assert not {"large-0", "large-1", "large-2", "new"} & set(grouped)
    before = len(one.messages)
    assert asked(one, ONE, small) == (200, "1000")  # again: the same answer, and no second message
    assert len(one.messages) == before


def test_trouble_on_purpose_is_made_all_the_same(room: Make, grouped: list[str]) -> None:
    """Rules of chaos hold for requests that would go the quick way, too."""
    one = room()
    known(one)
    assert asked(one, ONE, "quick") == (200, "1000")
    one.gateway.chaos.set([Rule(mm7_status=4006)])
    assert asked(one, ONE, "trouble") == (500, "4006")
    one.gateway.chaos.set([])
    assert asked(one, ONE, "quick-again") == (200, "1000")
    assert "trouble" not in grouped


def test_refusals_are_the_same(room: Make, grouped: list[str]) -> None:
    """What is wrong with a request is told alike on the quick way and in a thread."""
    one = room()
    wrong = replace(ONE, linked_id="nobody")
    foreign = replace(ONE, vaspid="OTH")
    first = [asked(one, each, f"a-{n}") for n, each in enumerate((wrong, foreign))]
    known(one)
    for _ in range(3):
        again = [asked(one, each, f"b-{n}") for n, each in enumerate((wrong, foreign))]
    assert first == again == [(500, "2006"), (500, "4001")]


def test_the_database_is_away(room: Make, grouped: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be kept on the quick way is answered by 503."""
    one = room()
    known(one)

    def away(*arguments: object, **options: object) -> Any:
        raise StoreError("away")

    monkeypatch.setattr(one.gateway.database, "write", away)
    assert asked(one, ONE, "away") == (503, "")
    assert grouped[-1] == "away"
    monkeypatch.undo()
    assert asked(one, ONE, "away") == (200, "1000")
