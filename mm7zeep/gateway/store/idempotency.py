"""A request that comes again is done once: it is known by its TransactionID and by the digest of everything it asks.

``Task`` does the work of a request and remembers its answer in the same transaction. A TransactionID that its owner has
used for two different requests is no identity: from then on, requests under it are done each time they come.

Boundaries, Content-IDs and the form of the envelope do not count, nor does the Content-ID inside a generated
presentation; every value that is asked and every octet of content does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
import sqlalchemy.exc
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import ARRAY

from mm7zeep.errors import StatusError
from mm7zeep.gateway.store import content, messages
from mm7zeep.gateway.store.clock import GuardedClock
from mm7zeep.gateway.store.database import Database, StoreError
from mm7zeep.gateway.store.messages import Kept
from mm7zeep.gateway.store.tables import DUPLICATE, index_key, kept
from mm7zeep.messages import Address, Message, Part

_LEFT_OUT = frozenset({"content_href", "mm7_version", "parts"})
_AS_THEY_ARE = frozenset({str, bool, int, float})
_REUSED = ""  # in place of a digest: the TransactionID was used for different requests
_REUSED_KEPT = 365 * 86400.0  # seconds that this is known

_C = DUPLICATE.c
_ASKED = ("owner", "operation", "transaction_id", "digest")  # what a request is looked up by


def _known(asked: sa.FromClause) -> sa.Select[Any]:
    """What is remembered of each row of ``asked``, in their order: answer and time of this very request, and the first
    two digests under its TransactionID, of which one is another's if there is any.

    Four probes of the primary key for each, whatever was remembered. For a list of keys SQLite reads the whole table,
    and so does PostgreSQL where it knows little of it. A minimum PostgreSQL works out row by row, where it takes them
    for few.
    """
    own = sa.and_(
        _C.application == asked.c.owner,
        _C.operation == asked.c.operation,
        _C.transaction_id == asked.c.transaction_id,
    )
    same = sa.and_(own, _C.digest == asked.c.digest)
    digests = sa.select(_C.digest).where(own).order_by(_C.digest).limit(_constant(1))
    looks = (
        sa.select(_C.answer).where(same),
        sa.select(_C.created).where(same),
        digests.offset(_constant(0)),
        digests.offset(_constant(1)),
    )
    return sa.select(*(one.scalar_subquery() for one in looks)).select_from(asked).order_by(asked.c.n)


def _constant(n: int) -> sa.ColumnElement[int]:
    """A number that stands in the statement, so that PostgreSQL plans for it, and not for any number."""
    return sa.literal_column(str(n), sa.Integer)


def _as_json() -> sa.FromClause:
    """The requests as SQLite takes them: ``asked`` is a JSON array with an array for each."""
    each = sa.func.json_each(sa.bindparam("asked", type_=sa.Text)).table_valued("key", "value")
    columns = (
        sa.func.json_extract(each.c.value, sa.literal_column(f"'$[{n}]'")).label(name) for n, name in enumerate(_ASKED)
    )
    return sa.select(each.c.key.label("n"), *columns).subquery("asked")


def _as_arrays() -> sa.FromClause:
    """The requests as PostgreSQL takes them: an array of each column."""
    arrays = (sa.bindparam(name, type_=ARRAY(sa.Text)) for name in _ASKED)
    return sa.func.unnest(*arrays).table_valued(*_ASKED, with_ordinality="n").render_derived(name="asked")


_KNOWN_SQLITE, _KNOWN_POSTGRESQL = _known(_as_json()), _known(_as_arrays())
_REMEMBER = sa.insert(DUPLICATE)
_AGAIN = sa.update(DUPLICATE).where(
    _C.application == sa.bindparam("owner"),
    _C.operation == sa.bindparam("asked"),
    _C.transaction_id == sa.bindparam("key"),
    _C.digest == sa.bindparam("same"),
)

Answer = Mapping[str, Any]
"""The answer to a request, as JSON takes it."""
Work = Callable[[Connection, float, bool], Answer]
"""Does what a request asks, at a time; its answer. The last argument: whether the TransactionID was reused."""
Making = Callable[[Connection, float, bool], tuple[Answer, Kept]]
"""The same of a request that asks to keep a message and nothing else: the answer, and what is to be kept."""


class Request(NamedTuple):
    """What a request is known by: whose it is, its operation and TransactionID, and the digest of what it asks."""

    owner: str
    operation: str
    transaction_id: str
    digest: str

    @property
    def identity(self) -> tuple[str, str, str]:
        """Whose it is, its operation and TransactionID, as they stand in the table."""
        return kept(self.owner), self.operation, kept(index_key(self.transaction_id))

    @property
    def key(self) -> dict[str, str]:
        """What is bound to change its row."""
        key = index_key(self.transaction_id)
        return {"owner": self.owner, "asked": self.operation, "key": key, "same": self.digest}

    def row(self, digest: str) -> dict[str, str]:
        """Its columns, with another digest."""
        key = {"application": self.owner, "operation": self.operation}
        return {**key, "transaction_id": index_key(self.transaction_id), "digest": digest}


class Done(NamedTuple):
    """The answer to a request; ``repeated``: it was remembered; ``reused``: the TransactionID is no identity."""

    answer: Mapping[str, Any]
    repeated: bool = False
    reused: bool = False


class _Seen(NamedTuple):
    answer: str | None  # to this very request, within its window
    expired: bool  # one was remembered, but its window is over
    other: str | None  # the first digest of the other requests under this TransactionID

    @property
    def repeats(self) -> bool:
        return self.answer is not None and self.other is None

    @property
    def done(self) -> Done:
        """The answer again."""
        return Done(json.loads(self.answer or ""), repeated=True)


_UNKNOWN = _Seen(None, False, None)


class Task(NamedTuple):
    """A request, the ``work`` that it asks for, and the ``window``: the seconds within which it is known again.

    With a ``window`` of 0 nothing is remembered, and each request is done. ``making`` stands for work that may be
    written together with that of others.
    """

    request: Request
    window: float
    work: Work
    making: Making | None = None

    @classmethod
    def keeping(cls, request: Request, window: float, making: Making) -> Task:
        """A task that keeps a message and does nothing else."""

        def work(connection: Connection, now: float, reused: bool) -> Answer:
            answer, rows = making(connection, now, reused)
            messages.keep(connection, [rows])
            return answer

        return cls(request, window, work, making)

    def do(self, connection: Connection, now: float) -> Done:
        """Do the work in a transaction, unless this very request was answered within the window; then that answer
        again. Raises what the work raises.
        """
        request, work, since = self.request, self.work, now - self.window
        if self.window <= 0:
            return Done(work(connection, now, False))
        seen = _seen(request, since, *_look(connection, [request]))
        if seen.repeats:
            return seen.done
        try:
            answer = work(connection, now, seen.other is not None)
        except StatusError:
            # PostgreSQL: it may have waited for another process that was just doing this very request
            seen = _seen(request, since, *_look(connection, [request]))
            if seen.repeats:
                return seen.done
            raise
        _remember(connection, [_remembered(request, seen, now, answer)])
        return Done(answer, reused=seen.other is not None)


def do_together(connection: Connection, tasks: Sequence[Task], now: float) -> list[Done | StatusError]:
    """Do tasks that have a ``making``, each under a TransactionID of its own: one statement a table for all of them.

    What came of each is told, in their order; of one that is refused nothing is written. Raises what the database
    reports: then all of it is to be rolled back, and each to be done by itself.
    """
    seen = _look_for_all(connection, tasks, now)
    came: list[Done | StatusError] = []
    keeping: list[Kept] = []
    remembered: list[_Remembered] = []
    for task, known in zip(tasks, seen, strict=True):
        if known.repeats:
            came.append(known.done)
            continue
        if task.making is None:
            raise AssertionError("only what keeps a message is written together")
        reused = known.other is not None
        try:
            answer, rows = task.making(connection, now, reused)
        except StatusError as error:
            came.append(error)
            continue
        keeping.append(rows)
        if task.window > 0:
            remembered.append(_remembered(task.request, known, now, answer))
        came.append(Done(answer, reused=reused))
    messages.keep(connection, keeping)
    _remember(connection, remembered)
    return came


def once(database: Database, clock: GuardedClock, task: Task) -> Done:
    """Do a task in one transaction of its own.

    Raises what its work raises, and ``StoreError``.
    """
    try:
        return _transaction(database, clock, task)
    except StoreError as error:
        if not isinstance(error.__cause__, sqlalchemy.exc.IntegrityError):
            raise
        # another process has just taken this very request: its answer stands
        return _transaction(database, clock, task)


def _transaction(database: Database, clock: GuardedClock, task: Task) -> Done:
    with database.write() as connection:
        return task.do(connection, clock.now(connection))


def _look(connection: Connection, requests: Sequence[Request]) -> Iterator[Sequence[Any]]:
    """For each, in one statement: the answer to it, when that was, and two digests under its TransactionID."""
    rows = [(*one.identity, kept(one.digest)) for one in requests]
    if connection.dialect.name == "postgresql":
        columns = {name: [row[n] for row in rows] for n, name in enumerate(_ASKED)}
        return iter(connection.execute(_KNOWN_POSTGRESQL, columns).all())
    return iter(connection.execute(_KNOWN_SQLITE, {"asked": json.dumps(rows)}).all())


def _look_for_all(connection: Connection, tasks: Sequence[Task], now: float) -> list[_Seen]:
    wanted = [one.request for one in tasks if one.window > 0]
    rows = _look(connection, wanted) if wanted else iter(())
    return [_seen(one.request, now - one.window, next(rows)) if one.window > 0 else _UNKNOWN for one in tasks]


def _seen(request: Request, since: float, row: Sequence[Any]) -> _Seen:
    """What ``row`` says: whether this very request was answered ``since`` then, and others under its TransactionID."""
    answer, created, first, second = row
    known = created is not None
    within = known and created > since
    return _Seen(answer if within else None, known and not within, second if first == request.digest else first)


class _Remembered(NamedTuple):
    """What is written of a request that was done: a new row, the changed one, or nothing."""

    new: Mapping[str, Any] | None = None
    changed: tuple[Request, Mapping[str, Any]] | None = None


def _remembered(request: Request, seen: _Seen, now: float, answer: Answer) -> _Remembered:
    if seen.other == _REUSED:
        return _Remembered()
    if seen.other is not None:
        return _Remembered({**request.row(_REUSED), "created": now + _REUSED_KEPT, "answer": "{}"})
    values = {"created": now, "answer": json.dumps(answer)}
    if seen.expired:
        return _Remembered(changed=(request, values))
    return _Remembered({**request.row(request.digest), **values})


def _remember(connection: Connection, remembered: Iterable[_Remembered]) -> None:
    """Raises an integrity error if another process just did."""
    remembered = list(remembered)
    new = [one.new for one in remembered if one.new is not None]
    if new:
        connection.execute(_REMEMBER, new)
    for one in remembered:
        if one.changed is not None:
            request, values = one.changed
            connection.execute(_AGAIN.values(values), request.key)


def digest(message: Message, sums: Sequence[str] | None = None) -> str:
    """The SHA-256 of what ``message`` asks, in hexadecimal; ``sums`` are the digests of its parts, where known."""
    names = message.__dataclass_fields__.keys() - _LEFT_OUT
    asked = {name: _plain(getattr(message, name)) for name in names}
    parts: Sequence[Part] = getattr(message, "parts", ())
    known = [one.content_id for one in parts if one.content_id]
    sums = content.digests(parts) if sums is None else sums
    told = [_part(one, known, sum_) for one, sum_ in zip(parts, sums, strict=True)]
    whole = [type(message).__name__, asked, told]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _part(part: Part, names: Sequence[str], sha256: str) -> list[object]:
    labels = sorted((name.lower(), value) for name, value in part.parameters)
    return [part.content_type.lower(), labels, part.name, content.digest(part, names, sha256)]


def _plain(value: object) -> object:
    if value is None or type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Address):
        return [value.kind, value.value, value.display_only, value.coding, *([value.id] if value.id else [])]
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if is_dataclass(value):
        return [type(value).__name__, *(_plain(getattr(value, one.name)) for one in fields(value))]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
