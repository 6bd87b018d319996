"""A request that comes again is done once: it is known by its TransactionID and by the digest of everything it asks.

``Task`` does the work of a request and remembers its answer in the same transaction. A TransactionID that its owner has
used for two different requests is no identity: from then on, requests under it are done each time they come.

Boundaries, Content-IDs and the form of the envelope do not count, nor does the Content-ID inside a generated
presentation; every value that is asked and every octet of content does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
import sqlalchemy.exc
from sqlalchemy import Connection

from mm7zeep.errors import StatusError
from mm7zeep.gateway.store import content
from mm7zeep.gateway.store.clock import GuardedClock
from mm7zeep.gateway.store.database import Database, StoreError
from mm7zeep.gateway.store.tables import DUPLICATE, index_key
from mm7zeep.messages import Address, Message, Part

_LEFT_OUT = frozenset({"content_href", "mm7_version", "parts"})
_REUSED = ""  # in place of a digest: the TransactionID was used for different requests
_REUSED_KEPT = 365 * 86400.0  # seconds that this is known

_C = DUPLICATE.c
_OWN = sa.and_(
    _C.application == sa.bindparam("owner"),
    _C.operation == sa.bindparam("asked"),
    _C.transaction_id == sa.bindparam("key"),
)
# Two probes of the primary key, whatever was remembered: this very request, and the first two digests under its id, of
# which one is another's if there is any. A minimum PostgreSQL works out row by row, where it takes them for few.
_FIRST = sa.select(_C.digest).where(_OWN).order_by(_C.digest).limit(2).subquery()
_KNOWN = sa.union_all(
    sa.select(_C.digest, _C.answer, _C.created).where(_OWN, _C.digest == sa.bindparam("same")),
    sa.select(_FIRST.c.digest, sa.literal(None, _C.answer.type), sa.literal(None, _C.created.type)),
)
_REMEMBER = sa.insert(DUPLICATE)
_AGAIN = sa.update(DUPLICATE).where(_OWN, _C.digest == sa.bindparam("same"))

Work = Callable[[Connection, float, bool], Mapping[str, Any]]
"""Does what a request asks, at a time; its answer, as JSON takes it. The last: whether the TransactionID was reused."""


class Request(NamedTuple):
    """What a request is known by: whose it is, its operation and TransactionID, and the digest of what it asks."""

    owner: str
    operation: str
    transaction_id: str
    digest: str

    @property
    def key(self) -> dict[str, str]:
        """What is bound to look it up."""
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


class Task(NamedTuple):
    """A request, the ``work`` that it asks for, and the ``window``: the seconds within which it is known again.

    With a ``window`` of 0 nothing is remembered, and each request is done.
    """

    request: Request
    window: float
    work: Work

    def do(self, connection: Connection, now: float) -> Done:
        """Do the work in a transaction, unless this very request was answered within the window; then that answer
        again. Raises what the work raises.
        """
        request, work, since = self.request, self.work, now - self.window
        if self.window <= 0:
            return Done(work(connection, now, False))
        seen = _look(connection, request, since)
        if seen.repeats:
            return Done(json.loads(seen.answer or ""), repeated=True)
        try:
            answer = work(connection, now, seen.other is not None)
        except StatusError:
            # PostgreSQL: it may have waited for another process that was just doing this very request
            seen = _look(connection, request, since)
            if seen.repeats:
                return Done(json.loads(seen.answer or ""), repeated=True)
            raise
        _remember(connection, request, seen, now, answer)
        return Done(answer, reused=seen.other is not None)


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


def _look(connection: Connection, request: Request, since: float) -> _Seen:
    answer, expired = None, False
    others: list[str] = []
    for digest, found, created in connection.execute(_KNOWN, request.key):
        if created is None:
            others += [digest] if digest != request.digest else []
        elif created > since:
            answer = found
        else:
            expired = True
    return _Seen(answer, expired, min(others, default=None))


def _remember(connection: Connection, request: Request, seen: _Seen, now: float, answer: Mapping[str, Any]) -> None:
    """Raises an integrity error if another process just did."""
    if seen.other is not None:
        if seen.other != _REUSED:
            row = request.row(_REUSED)
            connection.execute(_REMEMBER, {**row, "created": now + _REUSED_KEPT, "answer": "{}"})
        return
    values = {"created": now, "answer": json.dumps(answer)}
    if seen.expired:
        connection.execute(_AGAIN.values(values), request.key)
    else:
        connection.execute(_REMEMBER, {**request.row(request.digest), **values})


def digest(message: Message) -> str:
    """The SHA-256 of what ``message`` asks, in hexadecimal."""
    asked = {one.name: _plain(getattr(message, one.name)) for one in fields(message) if one.name not in _LEFT_OUT}
    parts: Sequence[Part] = getattr(message, "parts", ())
    names = [one.content_id or "" for one in parts]
    known = [one for one in names if one]
    whole = [type(message).__name__, asked, [_part(one, known) for one in parts]]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _part(part: Part, names: Sequence[str]) -> list[object]:
    labels = sorted((name.lower(), value) for name, value in part.parameters)
    return [part.content_type.lower(), labels, part.name, content.digest(part, names)]


def _plain(value: object) -> object:
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
