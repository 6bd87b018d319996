"""What a gateway's database and its neighbours remember, compared: whether all that was promised is there, once.

Reads the database as it stands, after the gateway has ended. Refuses nothing; every deviation is one line of a report.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa
from callback_sink import Call
from load import Prepared
from sqlalchemy import Connection

from mm7zeep.gateway.store.tables import MESSAGE, OUTBOX, RAW, RECIPIENT

_SHOWN = 5  # examples of each kind of deviation


@dataclass
class Deviations:
    """What was found wrong: how often, by kind, and the first examples."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, example: object) -> None:
        """One more."""
        self.counts[kind] += 1
        if len(self.examples[kind]) < _SHOWN:
            self.examples[kind].append(str(example))

    def lines(self) -> list[str]:
        """One line a kind."""
        return [f"{kind}: {count} ({'; '.join(self.examples[kind])})" for kind, count in sorted(self.counts.items())]


@contextmanager
def looking(database: str) -> Iterator[Connection]:
    """A connection that only looks."""
    engine = sa.create_engine(database)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def outstanding(connection: Connection) -> int:
    """How many calls and copies still have something before them."""
    calls = sa.select(sa.func.count()).where(OUTBOX.c.state.in_(("ready", "leased")))
    copies = sa.select(sa.func.count()).where(RECIPIENT.c.due.is_not(None))
    return int(connection.scalar(calls) or 0) + int(connection.scalar(copies) or 0)


def stored_ids(connection: Connection, column: str = "transaction_id") -> dict[str, list[str]]:
    """The MessageIDs of submits, by TransactionID, or by another column."""
    found: dict[str, list[str]] = defaultdict(list)
    query = sa.select(MESSAGE.c[column], MESSAGE.c.id).where(MESSAGE.c.direction == "mt")
    for name, message_id in connection.execute(query):
        found[name].append(message_id)
    return dict(found)


def messages(connection: Connection, prepared: Prepared, accepted: Mapping[int, str]) -> Deviations:
    """Every submit that was answered 1000 is there once, under the id that was answered, octet by octet."""
    wrong, found = Deviations(), stored_ids(connection, prepared.COLUMN)
    numbers = {message_id: n for n, message_id in accepted.items()}
    for n, message_id in accepted.items():
        ids = found.pop(prepared.name(n), [])
        if message_id not in ids:
            wrong.add("lost", f"{prepared.name(n)} was answered {message_id}; stored: {ids}")
        elif len(ids) > 1:
            wrong.add("stored twice", f"{prepared.name(n)}: {ids}")
    for name in found:
        wrong.add("stored, never answered 1000", name)
    for message_id, headers, body in _bodies(connection):
        if message_id in numbers and not prepared.is_kept(numbers.pop(message_id), headers, body):
            wrong.add("other octets", message_id)
    for message_id in numbers:
        wrong.add("no octets", message_id)
    return wrong


def _bodies(connection: Connection) -> Iterator[tuple[str, str, bytes]]:
    query = sa.select(RAW.c.message_id, RAW.c.headers, RAW.c.body).where(RAW.c.n == 0).execution_options(yield_per=200)
    with closing(connection.execute(query)) as rows:
        for message_id, headers, body in rows:
            yield message_id, headers, bytes(body)


def callbacks(connection: Connection, accepted: Iterable[str], calls: Iterable[Call]) -> Deviations:
    """Every message's report was taken at least once, and every attempt of it had the same TransactionID."""
    wrong = Deviations()
    told: dict[str, set[str]] = defaultdict(set)
    taken: set[str] = set()
    for one in calls:
        told[one.message_id].add(one.transaction_id)
        if one.told == "1000":
            taken.add(one.message_id)
    for message_id in accepted:
        if message_id not in taken:
            wrong.add("report not taken", message_id)
        if len(told[message_id]) > 1:
            wrong.add("one report, several TransactionIDs", f"{message_id}: {sorted(told[message_id])}")
    shared = Counter(transaction_id for ids in told.values() for transaction_id in ids)
    for transaction_id, count in shared.items():
        if count > 1:
            wrong.add("one TransactionID, several reports", transaction_id)
    known = set(connection.scalars(sa.select(MESSAGE.c.id)))
    for message_id in told.keys() - known:
        wrong.add("a report on a message that is not stored", message_id)
    query = sa.select(OUTBOX.c.message_id, OUTBOX.c.transaction_id, OUTBOX.c.state, OUTBOX.c.reason)
    planned: Counter[str] = Counter()
    for message_id, transaction_id, state, reason in connection.execute(query):
        planned[message_id] += 1
        if state != "done":
            wrong.add(f"call left {state}", f"{message_id}: {reason}")
        elif told[message_id] - {transaction_id}:
            wrong.add("a TransactionID other than the stored", f"{message_id}: {sorted(told[message_id])}")
    for message_id, count in planned.items():
        if count > 1:
            wrong.add("planned twice", message_id)
    return wrong


def integrity(connection: Connection) -> Deviations:
    """What SQLite finds wrong with its file; PostgreSQL checks its own pages."""
    wrong = Deviations()
    if connection.dialect.name == "sqlite":
        for line in connection.exec_driver_sql("PRAGMA integrity_check").scalars():
            if line != "ok":
                wrong.add("the file is damaged", line)
    return wrong
