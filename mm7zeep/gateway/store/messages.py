"""Messages, their raw octets and their copies: kept, changed, looked up, let go.

Every function takes the connection of a transaction; whoever opened it decides what stands or falls together. Refuses
nothing: what may be kept was decided before.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import ARRAY

from mm7zeep.exchange import Wire
from mm7zeep.gateway.config.destination import Destination
from mm7zeep.gateway.store import announcement, outbox
from mm7zeep.gateway.store.rows import (
    DEAD,
    DEFERRED,
    DONE,
    PENDING,
    READY,
    REFUSED,
    SENT,
    SHOWN,
    CallRow,
    Ending,
    MessageRow,
    RawRow,
    RecipientRow,
    values_of,
)
from mm7zeep.gateway.store.tables import (
    DUPLICATE,
    HEARTBEAT,
    MESSAGE,
    OUTBOX,
    RAW,
    RECIPIENT,
    SETTING,
    VIEWED,
    index_key,
)

# What every request needs is built once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_KEEP_MESSAGE, _KEEP_RAW, _KEEP_COPY = sa.insert(MESSAGE), sa.insert(RAW), sa.insert(RECIPIENT)
_ENDED = ("state", "due", "changed", "content", "detail")
_END = (
    sa.update(RECIPIENT)
    .where(RECIPIENT.c.message_id == sa.bindparam("at"), RECIPIENT.c.n == sa.bindparam("which"))
    .values({name: sa.bindparam(f"new_{name}") for name in _ENDED})
)


# --- kept -------------------------------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """A message, its octets and its copies; ``calls`` are planned with it."""

    message: MessageRow
    raw: RawRow
    recipients: Sequence[RecipientRow]
    calls: Sequence[CallRow] = ()


def keep(connection: Connection, kept: Sequence[Kept]) -> None:
    """Keep messages, with one statement a table."""
    if not kept:
        return
    connection.execute(_KEEP_MESSAGE, [_values(one) for one in kept])
    connection.execute(_KEEP_RAW, [values_of(one.raw) for one in kept])
    copies = [values_of(copy) for one in kept for copy in one.recipients]
    if copies:
        connection.execute(_KEEP_COPY, copies)
    if any(one["due"] is not None for one in copies):
        announcement.note(connection)
    outbox.plan(connection, [call for one in kept for call in one.calls])


def _values(kept: Kept) -> dict[str, Any]:
    values = values_of(kept.message, serial="seq")
    values["addresses"] = "\n".join(("", *dict.fromkeys(copy.bare for copy in kept.recipients), ""))
    values["words"] = _words(values)
    return values


def _words(values: Mapping[str, Any]) -> str:
    """What a search for words looks through: each piece on lines of its own, in lower case."""
    subject, sender = (" ".join((values[name] or "").split()) for name in ("subject", "sender"))
    return f"\n{subject}\n{sender}{values['addresses']}{values['excerpt']}\n".lower()


def keep_raw(connection: Connection, raw: RawRow) -> None:
    """Keep the octets of one request."""
    connection.execute(_KEEP_RAW, values_of(raw))


# --- changed ----------------------------------------------------------------------------------------------------------


def own(connection: Connection, application: str, message_id: str) -> MessageRow | None:
    """The application's own MT message of that id, locked until the transaction ends; None if there is none."""
    columns = MESSAGE.c
    query = sa.select(MESSAGE).where(
        columns.id == message_id, columns.application == application, columns.direction == "mt"
    )
    return _message(connection.execute(query.with_for_update()).mappings().first())


def change(connection: Connection, message_id: str, **values: Any) -> None:
    """Change the summary of a message."""
    if "excerpt" in values and (row := message(connection, message_id)) is not None:
        values["words"] = _words({**values_of(row), **values})
    connection.execute(sa.update(MESSAGE).where(MESSAGE.c.id == message_id).values(**values))


def note(connection: Connection, message_id: str, findings: str) -> None:
    """Add findings, as JSON text, to those of a message, each once."""
    row = message(connection, message_id)
    known = json.loads(row.findings) if row is not None else []
    new = [one for one in json.loads(findings) if one not in known]
    if row is not None and new:
        change(connection, message_id, findings=json.dumps(known + new))


def move(connection: Connection, copy: RecipientRow, **values: Any) -> None:
    """Change one copy."""
    columns = RECIPIENT.c
    connection.execute(
        sa.update(RECIPIENT).where(columns.message_id == copy.message_id, columns.n == copy.n).values(**values)
    )
    if values.get("due") is not None:
        announcement.note(connection)


def end(connection: Connection, ends: Sequence[Ending]) -> None:
    """Change the states of several copies, in one statement."""
    rows = [
        {"at": one.copy.message_id, "which": one.copy.n, **{f"new_{name}": getattr(one, name) for name in _ENDED}}
        for one in ends
    ]
    if rows:
        connection.execute(_END, rows)
    if any(one.due is not None for one in ends):
        announcement.note(connection)


def wait_again(connection: Connection, now: float) -> int:
    """Show MO messages that were given up, and are to be brought again, as waiting; how many."""
    columns = RECIPIENT.c
    again = sa.select(OUTBOX.c.message_id).where(outbox.BRINGS, OUTBOX.c.state == READY)
    given_up = sa.update(RECIPIENT).where(columns.message_id.in_(again), columns.n == 0, columns.state == REFUSED)
    return connection.execute(given_up.values(state=PENDING, detail=None, changed=now)).rowcount


def due_copies(connection: Connection, now: float, most: int) -> list[RecipientRow]:
    """Copies with which the network has something to do, the longest due first; others do not get them meanwhile."""
    columns = RECIPIENT.c
    query = sa.select(RECIPIENT).where(columns.due <= now).order_by(columns.due).limit(most)
    return _recipients(connection.execute(query.with_for_update(skip_locked=True)).mappings())


def next_due(connection: Connection) -> float | None:
    """When the network has something to do next."""
    found: float | None = connection.scalar(sa.select(sa.func.min(RECIPIENT.c.due)))
    return found


# --- looked up --------------------------------------------------------------------------------------------------------


def message(connection: Connection, message_id: str) -> MessageRow | None:
    """The message of that id."""
    return _message(connection.execute(sa.select(MESSAGE).where(MESSAGE.c.id == message_id)).mappings().first())


def newest(connection: Connection, application: str | None = None) -> MessageRow | None:
    """The message of this application that was kept last; of None, whosever it is."""
    query = sa.select(MESSAGE).order_by(MESSAGE.c.seq.desc()).limit(1)
    if application is not None:
        query = query.where(MESSAGE.c.application == application)
    return _message(connection.execute(query).mappings().first())


def by_id(connection: Connection, ids: Collection[str]) -> dict[str, MessageRow]:
    """The messages of those ids that there are."""
    found = connection.execute(sa.select(MESSAGE).where(among(connection, MESSAGE.c.id, list(ids)))).mappings()
    return {one["id"]: MessageRow(**one) for one in found}


def recipients(connection: Connection, message_id: str, *, lock: bool = False) -> list[RecipientRow]:
    """The copies of a message, in order."""
    query = sa.select(RECIPIENT).where(RECIPIENT.c.message_id == message_id).order_by(RECIPIENT.c.n)
    return _recipients(connection.execute(query.with_for_update() if lock else query).mappings())


def recipients_of(connection: Connection, ids: Sequence[str]) -> dict[str, list[RecipientRow]]:
    """The copies of several messages."""
    found: dict[str, list[RecipientRow]] = {one: [] for one in ids}
    if ids:
        query = sa.select(RECIPIENT).where(RECIPIENT.c.message_id.in_(ids)).order_by(RECIPIENT.c.n)
        for one in _recipients(connection.execute(query).mappings()):
            found[one.message_id].append(one)
    return found


def first_recipients(connection: Connection, ids: Sequence[str]) -> dict[str, RecipientRow]:
    """Of each of these messages the first copy that somebody gets, or else the first."""
    wanted, columns = among(connection, RECIPIENT.c.message_id, ids), RECIPIENT.c
    first = sa.func.coalesce(sa.func.min(columns.n).filter(columns.state != SHOWN), sa.func.min(columns.n))
    which = sa.select(columns.message_id, first.label("n")).where(wanted).group_by(columns.message_id).subquery()
    query = sa.select(RECIPIENT).join(which, sa.and_(columns.message_id == which.c.message_id, columns.n == which.c.n))
    return {one.message_id: one for one in _recipients(connection.execute(query).mappings())}


def recipient_counts(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """How many copies each of these messages has."""
    column = RECIPIENT.c.message_id
    query = sa.select(column, sa.func.count()).where(among(connection, column, ids)).group_by(column)
    return {str(id): int(count) for id, count in connection.execute(query)}


def recipient_states(connection: Connection, ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Of each of these messages how many copies are in which state."""
    found: dict[str, dict[str, int]] = {one: {} for one in ids}
    columns = RECIPIENT.c
    query = sa.select(columns.message_id, columns.state, sa.func.count())
    query = query.where(among(connection, columns.message_id, ids)).group_by(columns.message_id, columns.state)
    for id, state, count in connection.execute(query):
        found[id][state] = count
    return found


def beginnings(connection: Connection, ids: Sequence[str], most: int) -> dict[str, list[RecipientRow]]:
    """Of each of these messages its first ``most`` copies, in order."""
    found: dict[str, list[RecipientRow]] = {one: [] for one in ids}
    columns = RECIPIENT.c
    query = sa.select(RECIPIENT).where(among(connection, columns.message_id, ids), columns.n < most)
    for one in _recipients(connection.execute(query.order_by(columns.n)).mappings()):
        found[one.message_id].append(one)
    return found


def copies_for(connection: Connection, ids: Sequence[str], number: str) -> dict[str, list[RecipientRow]]:
    """Of each of these messages its copies for a bare address: in any case, with a plus or without."""
    found: dict[str, list[RecipientRow]] = {one: [] for one in ids}
    columns, bare = RECIPIENT.c, number.removeprefix("+").lower()
    address = sa.func.lower(columns.address)
    fits = [sa.or_(address == one, address.startswith(f"{one}/type=", autoescape=True)) for one in (bare, f"+{bare}")]
    query = sa.select(RECIPIENT).where(among(connection, columns.message_id, ids), sa.or_(*fits))
    for one in _recipients(connection.execute(query.order_by(columns.n)).mappings()):
        found[one.message_id].append(one)
    return found


def copy(connection: Connection, message_id: str, n: int, *, lock: bool = False) -> RecipientRow | None:
    """One copy."""
    query = sa.select(RECIPIENT).where(RECIPIENT.c.message_id == message_id, RECIPIENT.c.n == n)
    found = connection.execute(query.with_for_update() if lock else query).mappings().first()
    return None if found is None else RecipientRow(**found)


def remote_copy(connection: Connection, upstream: Destination, remote_id: str) -> RecipientRow | None:
    """The copy that went to an upstream and is called ``remote_id`` there."""
    there = RECIPIENT.c.destination == upstream
    query = sa.select(RECIPIENT).where(RECIPIENT.c.remote_id == index_key(remote_id), there)
    found = connection.execute(query.with_for_update()).mappings().first()
    return None if found is None else RecipientRow(**found)


def is_planned(connection: Connection, message: MessageRow) -> bool:
    """Whether a message is an MO that a handset is yet to send."""
    first = copy(connection, message.id, 0) if message.direction == "mo" else None
    return first is not None and first.due is not None


def raw(connection: Connection, message_id: str, n: int = 0) -> RawRow | None:
    """The octets of the ``n``-th request about a message."""
    query = sa.select(RAW).where(RAW.c.message_id == message_id, RAW.c.n == n)
    found = connection.execute(query).mappings().first()
    return None if found is None else RawRow(**{**found, "body": bytes(found["body"])})


def raws(connection: Connection, message_id: str) -> int:
    """How many requests about a message were kept."""
    return connection.scalar(sa.select(sa.func.count()).where(RAW.c.message_id == message_id)) or 0


def requests(connection: Connection, message_id: str) -> list[RawRow]:
    """The requests about a message, in order, without the octets of their bodies."""
    columns = [RAW.c[name] for name in ("message_id", "n", "received", "headers")]
    query = sa.select(*columns).where(RAW.c.message_id == message_id).order_by(RAW.c.n)
    return [RawRow(**row, body=b"") for row in connection.execute(query).mappings()]


def wire_of(row: RawRow) -> Wire:
    """The HTTP request as it came, without credentials."""
    headers = tuple((name, value) for name, value in json.loads(row.headers))
    return Wire(method="POST", target="/mm7", headers=headers, body=row.body)


def among(connection: Connection, column: sa.ColumnElement[str], ids: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether ``column`` is one of ``ids``, as one parameter: SQLAlchemy takes longer for many than a database does."""
    if connection.dialect.name == "postgresql":
        return column == sa.any_(sa.cast(list(ids), ARRAY(sa.Text)))
    each = sa.func.json_each(json.dumps(list(ids))).table_valued("value")
    return column.in_(sa.select(each.c.value))


def _message(row: sa.RowMapping | None) -> MessageRow | None:
    return None if row is None else MessageRow(**row)


def _recipients(rows: Iterable[sa.RowMapping]) -> list[RecipientRow]:
    return [RecipientRow(**row) for row in rows]


# --- let go -----------------------------------------------------------------------------------------------------------


def delete(connection: Connection, ids: Sequence[str]) -> int:
    """Delete messages with all that hangs on them; how many there were."""
    # the messages first and in order, as who cancels one, or deletes others, does
    connection.execute(
        sa.select(MESSAGE.c.id).where(among(connection, MESSAGE.c.id, ids)).order_by(MESSAGE.c.id).with_for_update()
    )
    seqs = sa.select(MESSAGE.c.seq).where(among(connection, MESSAGE.c.id, ids))
    connection.execute(sa.delete(VIEWED).where(VIEWED.c.seq.in_(seqs)))
    for table in (OUTBOX, RECIPIENT, RAW):
        connection.execute(sa.delete(table).where(among(connection, table.c.message_id, ids)))
    return connection.execute(sa.delete(MESSAGE).where(among(connection, MESSAGE.c.id, ids))).rowcount


Position = tuple[float, int]
"""Where a look through the messages has come to: when the last one was accepted, and its ``seq``."""


def last_beyond(connection: Connection, keep: int) -> int | None:
    """The ``seq`` of the newest message that is over the count; None where there are no more than ``keep``."""
    seq = MESSAGE.c.seq
    found: int | None = connection.scalar(sa.select(seq).order_by(seq.desc()).offset(keep).limit(1))
    return found


def over(
    connection: Connection,
    *,
    before: float | None = None,
    last: int | None = None,
    after: Position | None = None,
    most: int,
) -> tuple[list[str], Position | None]:
    """The next ``most`` messages that were accepted ``before``, or are not newer than ``last``, and where to go on.

    The position is None where there are no more. Both walk along an index, whatever lies before ``after``.
    """
    columns = MESSAGE.c
    query = sa.select(columns.id, columns.accepted, columns.seq).limit(most)
    if before is not None:
        query = query.where(columns.accepted < before).order_by(columns.accepted, columns.seq)
        if after is not None:
            query = query.where(sa.tuple_(columns.accepted, columns.seq) > sa.tuple_(*map(sa.literal, after)))
    else:
        query = query.where(columns.seq <= last).order_by(columns.seq)
        if after is not None:
            query = query.where(columns.seq > after[1])
    rows = connection.execute(query).all()
    return [row.id for row in rows], (rows[-1].accepted, rows[-1].seq) if len(rows) == most else None


def finished(connection: Connection, ids: Sequence[str], *, sent_before: float = math.inf) -> list[str]:
    """Those of ``ids`` that are finished, in their order.

    What waits for its recipient, what others took after ``sent_before`` and have not reported on, and what has a call
    that is not done or dead, is not finished.
    """
    if not ids:
        return []
    copies, calls = RECIPIENT.c, OUTBOX.c
    reported = sa.and_(copies.state == SENT, copies.changed > sent_before)
    waits = sa.or_(copies.state.in_((PENDING, DEFERRED)), reported)
    open_copies = sa.select(copies.message_id).where(among(connection, copies.message_id, ids), waits)
    # asked this way round, no engine walks along all calls that wait, of which a paused endpoint may have 200,000
    undone = calls.state.not_in((DONE, DEAD))
    open_calls = sa.select(calls.message_id).where(among(connection, calls.message_id, ids), undone)
    unfinished = set(connection.scalars(open_copies)) | set(connection.scalars(open_calls))
    return [one for one in ids if one not in unfinished]


def forget_duplicates(connection: Connection, before: float, most: int) -> int:
    """Forget requests older than ``before``, at most ``most``; how many."""
    key = [column for column in DUPLICATE.primary_key]  # noqa: C416  an SQLAlchemy collection is no list
    old = sa.select(*key).where(DUPLICATE.c.created < before).limit(most)
    return connection.execute(sa.delete(DUPLICATE).where(sa.tuple_(*key).in_(old))).rowcount


def forget_heartbeats(connection: Connection, before: float) -> None:
    """Forget processes that have not been alive since ``before``."""
    connection.execute(sa.delete(HEARTBEAT).where(HEARTBEAT.c.at < before))


# --- settings that processes share ------------------------------------------------------------------------------------


def setting(connection: Connection, name: str) -> Any:
    """The value kept under ``name``; None if there is none."""
    found = connection.scalar(sa.select(SETTING.c.value).where(SETTING.c.name == name))
    return None if found is None else json.loads(found)


def setting_once(connection: Connection, name: str, value: Any) -> Any:
    """The value kept under ``name``, which ``value`` becomes where there is none; all processes get the same."""
    new = "INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING"
    connection.execute(sa.text(new), {"name": name, "value": json.dumps(value)})
    return setting(connection, name)


def set_setting(connection: Connection, name: str, value: Any) -> None:
    """Keep ``value`` under ``name``."""
    text = json.dumps(value)
    if not connection.execute(sa.update(SETTING).where(SETTING.c.name == name).values(value=text)).rowcount:
        connection.execute(sa.insert(SETTING).values(name=name, value=text))


def counts(connection: Connection) -> dict[str, dict[str, int]]:
    """How many messages there are by direction, copies by state, calls by state: what a metrics page shows."""
    result = {}
    for name, column in (
        ("messages", MESSAGE.c.direction),
        ("recipients", RECIPIENT.c.state),
        ("calls", OUTBOX.c.state),
    ):
        query = sa.select(column, sa.func.count()).group_by(column)
        result[name] = {str(key): int(count) for key, count in connection.execute(query)}
    return result
