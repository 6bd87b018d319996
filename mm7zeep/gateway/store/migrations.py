"""The steps that bring a database to the form that ``tables`` describes, numbered, each in one transaction.

A step that has landed is never changed; what is new is a new step. Refuses a database that is newer than this code.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from mm7zeep.gateway.store.tables import DUPLICATE, MIGRATION, RECIPIENT, index_key, kept
from mm7zeep.media import media_class

_LOCK = 0x6D6D377A  # of PostgreSQL's advisory lock: one process migrates, the others wait

_FIRST = """
CREATE TABLE message (
    seq {serial}, id TEXT NOT NULL UNIQUE, direction TEXT NOT NULL, application TEXT NOT NULL, transaction_id TEXT,
    namespace TEXT, mm7_version TEXT, sender_kind TEXT, sender TEXT, subject TEXT, excerpt TEXT NOT NULL,
    accepted {double} NOT NULL, earliest {double}, expires {double}, delivery_report BOOLEAN NOT NULL,
    read_reply BOOLEAN NOT NULL, content INTEGER NOT NULL, size BIGINT NOT NULL, fields TEXT NOT NULL,
    parts TEXT NOT NULL, findings TEXT NOT NULL);
CREATE INDEX message_application ON message (application, seq);
CREATE INDEX message_accepted ON message (accepted);
CREATE TABLE raw (
    message_id TEXT NOT NULL, n INTEGER NOT NULL, received {double} NOT NULL, headers TEXT NOT NULL,
    body {blob} NOT NULL, PRIMARY KEY (message_id, n));
CREATE TABLE recipient (
    message_id TEXT NOT NULL, n INTEGER NOT NULL, place TEXT NOT NULL, kind TEXT NOT NULL, address TEXT NOT NULL,
    way TEXT NOT NULL, state TEXT NOT NULL, detail TEXT, due {double}, changed {double} NOT NULL, content INTEGER,
    remote_id TEXT, PRIMARY KEY (message_id, n));
CREATE INDEX recipient_due ON recipient (due);
CREATE INDEX recipient_address ON recipient (address);
CREATE INDEX recipient_remote ON recipient (remote_id);
CREATE TABLE outbox (
    id {serial}, kind TEXT NOT NULL, owner TEXT NOT NULL, endpoint TEXT NOT NULL, message_id TEXT NOT NULL,
    n INTEGER NOT NULL, transaction_id TEXT NOT NULL, payload TEXT NOT NULL, state TEXT NOT NULL,
    due {double} NOT NULL, expires {double} NOT NULL, attempts INTEGER NOT NULL, epoch BIGINT NOT NULL, holder TEXT,
    lease_until {double}, created {double} NOT NULL, ended {double}, reason TEXT, http_status INTEGER, answer {blob});
CREATE INDEX outbox_due ON outbox (state, endpoint, due);
CREATE INDEX outbox_lease ON outbox (state, lease_until);
CREATE INDEX outbox_message ON outbox (message_id, n);
CREATE TABLE duplicate (
    application TEXT NOT NULL, operation TEXT NOT NULL, transaction_id TEXT NOT NULL, digest TEXT NOT NULL,
    created {double} NOT NULL, answer TEXT NOT NULL,
    PRIMARY KEY (application, operation, transaction_id, digest));
CREATE INDEX duplicate_created ON duplicate (created);
CREATE TABLE endpoint (
    name TEXT NOT NULL PRIMARY KEY, paused BOOLEAN NOT NULL, reason TEXT, since {double} NOT NULL, next_at {double});
CREATE TABLE setting (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
"""

_SECOND = "CREATE INDEX outbox_expiry ON outbox (state, expires)"

_ADDRESS_ATTRIBUTES = """
ALTER TABLE message ADD COLUMN sender_attributes TEXT;
ALTER TABLE recipient ADD COLUMN attributes TEXT;
"""

_CLOCK = """
CREATE TABLE heartbeat (process TEXT NOT NULL PRIMARY KEY, at {double} NOT NULL, boot TEXT, steady {double} NOT NULL);
INSERT INTO setting (name, value) VALUES ('clock', '{{}}')
"""

_GENERATIONS = """
ALTER TABLE endpoint ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN generation INTEGER
"""


_API_KEYS = """
CREATE TABLE api_key (
    id {serial}, application TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, hint TEXT NOT NULL,
    created {double} NOT NULL, revoked {double});
CREATE INDEX api_key_application ON api_key (application)
"""


_DESTINATION = "ALTER TABLE recipient RENAME COLUMN way TO destination"

_OPT_OUT = """
CREATE TABLE opt_out (
    seq {serial}, subscriber TEXT NOT NULL, number TEXT NOT NULL, application TEXT NOT NULL, since {double} NOT NULL,
    word TEXT, message_id TEXT, confirmed {double}, UNIQUE (subscriber, number, application));
CREATE INDEX opt_out_application ON opt_out (application, seq)
"""
_CHANGED = "CREATE INDEX recipient_changed ON recipient (changed, message_id, n)"

_RATES = """
ALTER TABLE outbox ADD COLUMN number TEXT;
ALTER TABLE outbox ADD COLUMN queue TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN counted {double};
CREATE INDEX outbox_queue ON outbox (state, endpoint, queue, due, id);
DROP INDEX outbox_due;
CREATE TABLE rate (
    name TEXT NOT NULL PRIMARY KEY, next_at {double}, day TEXT, used BIGINT NOT NULL, changed {double} NOT NULL);
CREATE TABLE rate_return (seq {serial}, name TEXT NOT NULL, day TEXT NOT NULL, at {double} NOT NULL);
CREATE INDEX rate_return_name ON rate_return (name, day)
"""

_TRIED = """
CREATE INDEX outbox_tried ON outbox (endpoint, state, attempts) WHERE state = 'ready' AND attempts > 0
"""


_FAILED_ATTEMPTS = """
ALTER TABLE outbox ADD COLUMN tried TEXT
"""

_VIEWER = """
ALTER TABLE message ADD COLUMN media TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN addresses TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN words TEXT NOT NULL DEFAULT '';
ALTER TABLE heartbeat ADD COLUMN changes TEXT;
CREATE TABLE session (
    digest TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, application TEXT, created {double} NOT NULL,
    used {double} NOT NULL, expires {double} NOT NULL);
CREATE INDEX session_expires ON session (expires);
CREATE INDEX session_name ON session (name);
CREATE TABLE viewed (seq {key}, application TEXT NOT NULL, at {double} NOT NULL);
CREATE INDEX viewed_application ON viewed (application)
"""
_SEARCH = """
CREATE INDEX message_search ON message
    (seq, id, application, direction, accepted, size, sender, subject, media, addresses, words)
"""


def _viewer(connection: Connection) -> None:
    """Make what the viewer needs, and say of the messages that there are what a search looks through."""
    _run(connection, _VIEWER)
    fill = sa.text("UPDATE message SET media = :media, addresses = :addresses, words = :words WHERE seq = :seq")
    some = sa.text(
        "SELECT seq, id, parts, subject, sender, excerpt FROM message WHERE seq > :after ORDER BY seq LIMIT 1000"
    )
    copies = sa.text(
        "SELECT recipient.message_id, recipient.address, recipient.attributes FROM recipient JOIN message "
        "ON message.id = recipient.message_id WHERE message.seq > :after AND message.seq <= :last ORDER BY recipient.n"
    )
    after = 0
    while rows := connection.execute(some, {"after": after}).all():
        last = rows[-1].seq
        addresses: dict[str, dict[str, None]] = {}
        for id, address, attributes in connection.execute(copies, {"after": after, "last": last}):
            bare = address if "addressCoding" in (attributes or "") else address.partition("/TYPE=")[0]
            addresses.setdefault(id, {})[bare] = None
        texts = ["\n".join(("", *addresses.get(row.id, ()), "")) for row in rows]
        values = [
            {"seq": row.seq, "media": _media(row.parts), "addresses": text, "words": _words(row, text)}
            for row, text in zip(rows, texts, strict=True)
        ]
        connection.execute(fill, values)
        after = last
    if connection.dialect.name == "sqlite":
        _run(connection, _SEARCH)


def _media(parts: str) -> str:
    """Classes and types of parts, as a search finds them; parts that are not fetched yet have a type, or none."""
    types = [one["content_type"] for one in json.loads(parts) if one.get("content_type")]
    words = dict.fromkeys(word for one in types for word in (media_class(one), "".join(one.lower().split())))
    return kept(" ".join(("", *words, ""))[:1000])


def _words(row: sa.Row[Any], addresses: str) -> str:
    """Subject, addresses and texts, as a search finds them."""
    subject, sender = (" ".join((text or "").split()) for text in (row.subject, row.sender))
    return f"\n{subject}\n{sender}{addresses}{row.excerpt}\n".lower()


def _keys(connection: Connection) -> None:
    """Replace the long values that stand in an index by their keys."""
    for table, column in ((DUPLICATE, DUPLICATE.c.transaction_id), (RECIPIENT, RECIPIENT.c.remote_id)):
        long = sa.select(column).distinct().where(sa.func.length(column) > _LONGEST_KEY)
        for value in connection.scalars(long).all():
            connection.execute(sa.update(table).where(column == value).values({column.name: index_key(value)}))


_LONGEST_KEY = 200  # as index_key had it when this step was written

STEPS: tuple[str | Callable[[Connection], None], ...] = (
    _FIRST,
    _SECOND,
    _ADDRESS_ATTRIBUTES,
    _CLOCK,
    _keys,
    _GENERATIONS,
    _DESTINATION,
    _API_KEYS,
    _OPT_OUT,
    _CHANGED,
    _RATES,
    _TRIED,
    _viewer,
    _FAILED_ATTEMPTS,
)
"""What each step runs: statements, or a function. The version of a database is the number of steps it has had."""

_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "sqlite": {
            "serial": "INTEGER PRIMARY KEY AUTOINCREMENT",
            "key": "INTEGER PRIMARY KEY",
            "double": "DOUBLE",
            "blob": "BLOB",
        },
        "postgresql": {
            "serial": "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            "key": "BIGINT NOT NULL PRIMARY KEY",
            "double": "DOUBLE PRECISION",
            "blob": "BYTEA",
        },
    }
)


class DatabaseIsNewer(RuntimeError):
    """The database was made by a newer version of this program; it is left alone."""


def migrate(connection: Connection) -> int:
    """Run the steps that this database has not had, inside the transaction of ``connection``; its version.

    Several processes may try at once: one does it, the others find it done. Raises ``DatabaseIsNewer``.
    """
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.execute(sa.text("SET LOCAL lock_timeout = 0"))  # who comes second waits as long as it takes
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    make = "CREATE TABLE IF NOT EXISTS migration (version INTEGER NOT NULL PRIMARY KEY, applied {double} NOT NULL)"
    _run(connection, make)
    version = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(MIGRATION.c.version), 0))) or 0
    if version > len(STEPS):
        raise DatabaseIsNewer(
            f"the database has version {version}, this mm7zeep knows {len(STEPS)}: run the newer mm7zeep, "
            "or name another database"
        )
    for number, step in enumerate(STEPS[version:], version + 1):
        if callable(step):
            step(connection)
        else:
            _run(connection, step)
        connection.execute(sa.insert(MIGRATION).values(version=number, applied=time.time()))
    return len(STEPS)


def _run(connection: Connection, statements: str) -> None:
    """Run statements, in the words of the database."""
    for statement in statements.format(**_WORDS[connection.dialect.name]).split(";"):
        if statement.strip():
            connection.execute(sa.text(statement))
