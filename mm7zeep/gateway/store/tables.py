"""The tables of a gateway, as SQLAlchemy Core sees them; ``migrations`` makes them.

Times are seconds since 1970 (UTC), as double precision; JSON stands as text. Definitions only.

``message`` is the summary that lists are made of, ``raw`` the octets as they came (request 0, then replacements): every
view of content is derived from them again. ``recipient`` is one copy each; ``due`` is when the network does something
with it. ``outbox`` is every call that is to be made. ``duplicate`` remembers requests with their answers. ``endpoint``
holds what is known of where calls go, ``setting`` what the processes of a gateway share. ``heartbeat`` has one row for
each process, written every second: that it can be written is what readiness means. ``api_key`` has the keys that
programs show at the JSON API, ``opt_out`` who wants nothing more from a number; only a START, or an operator, takes a
row of it out. ``session`` has who is logged in to the viewer, ``viewed`` which messages somebody has opened there: a
table of its own, so that keeping a message costs nothing for it. ``rate`` is what was used of each limit, but for what
``rate_return`` gives back: the first is written by one process at a time, the second by any, without waiting.

Texts come from outside, and some cannot be kept as they are: every column of text replaces what no database takes, and
a value that stands in an index is a key (``index_key``), since PostgreSQL's hold 2,704 octets at most.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy import Text as PlainText
from sqlalchemy.types import TypeDecorator

from mm7zeep.gateway.config.destination import Destination

_UNKEPT = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL takes no NUL, no UTF-8 has half a surrogate pair
_KEY = 200  # characters of a value that stand in an index as they are
KEY_PREFIX = "sha256:"
"""What the index has of a longer value begins with this."""


def kept(text: str) -> str:
    """``text`` as a column keeps it: NUL and lone surrogates become U+FFFD."""
    return _UNKEPT.sub("\ufffd", text)


def index_key(value: str) -> str:
    """``value`` as it stands in an index: itself up to 200 characters, its SHA-256 beyond."""
    if len(value) <= _KEY:
        return value
    return KEY_PREFIX + hashlib.sha256(kept(value).encode()).hexdigest()


class Text(TypeDecorator[str]):
    """Text that no value can make a statement fail with."""

    impl = PlainText
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: object) -> Any:
        return kept(value) if isinstance(value, str) else value


class DestinationText(TypeDecorator[Destination]):
    """A destination, by its text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: object) -> Any:
        return str(value) if value is not None else None

    def process_result_value(self, value: Any, dialect: object) -> Any:
        return Destination.parse(value) if value is not None else None


METADATA = MetaData()
_SERIAL = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only for INTEGER PRIMARY KEY

MIGRATION = Table(
    "migration",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("applied", Double, nullable=False),
)

MESSAGE = Table(
    "message",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),  # MessageID of an MT, LinkedID of an MO
    Column("direction", Text, nullable=False),  # mt, mo
    Column("application", Text, nullable=False),
    Column("transaction_id", Text),
    Column("namespace", Text),
    Column("mm7_version", Text),
    Column("sender_kind", Text),
    Column("sender", Text),
    Column("subject", Text),
    Column("excerpt", Text, nullable=False),  # the beginning of its texts
    Column("accepted", Double, nullable=False),
    Column("earliest", Double),
    Column("expires", Double),
    Column("delivery_report", Boolean, nullable=False),
    Column("read_reply", Boolean, nullable=False),
    Column("content", Integer, nullable=False),  # which raw holds the content in force
    Column("size", BigInteger, nullable=False),  # octets of its parts
    Column("fields", Text, nullable=False),  # JSON: what else the request said
    Column("parts", Text, nullable=False),  # JSON: labels, sizes and digests of the parts
    Column("findings", Text, nullable=False),  # JSON: what was noticed
    Column("sender_attributes", Text),  # JSON: addressCoding, id and displayOnly of its sender
    Column("media", Text, nullable=False, server_default=""),  # classes and types of its parts, between spaces
    Column("addresses", Text, nullable=False, server_default=""),  # of its copies, bare, between line feeds
    Column("words", Text, nullable=False, server_default=""),  # subject, addresses and excerpt in lower case, as these
    Index("message_application", "application", "seq"),
    Index("message_accepted", "accepted"),
)
SEARCHED = (
    "seq", "id", "application", "direction", "accepted", "size", "sender", "subject", "media", "addresses", "words",
)  # fmt: skip
"""The columns of ``message`` that a search looks through."""
SEARCH = Index("message_search", *(MESSAGE.c[name] for name in SEARCHED), info={"dialect": "sqlite"})
"""What a search looks through on SQLite, where a row of ``message`` takes a page and more: narrow, and in the order in
which messages were kept. PostgreSQL has no index of long values, and keeps them outside of the rows as it is.
"""

RAW = Table(
    "raw",
    METADATA,
    Column("message_id", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("received", Double, nullable=False),
    Column("headers", Text, nullable=False),  # JSON
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("message_id", "n"),
)

RECIPIENT = Table(
    "recipient",
    METADATA,
    Column("message_id", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("place", Text, nullable=False),  # to, cc, bcc
    Column("kind", Text, nullable=False),  # Number, RFC2822Address, ShortCode
    Column("address", Text, nullable=False),
    Column("destination", DestinationText, nullable=False),  # handset, upstream:NAME, application:NAME, none
    Column("state", Text, nullable=False),
    Column("detail", Text),
    Column("due", Double),
    Column("changed", Double, nullable=False),
    Column("content", Integer),  # which raw's content it was given
    Column("remote_id", Text),  # the key of its MessageID at the upstream
    Column("attributes", Text),  # JSON: addressCoding, id and displayOnly of the address
    PrimaryKeyConstraint("message_id", "n"),
    Index("recipient_due", "due"),
    Index("recipient_address", "address"),
    Index("recipient_remote", "remote_id"),
    Index("recipient_changed", "changed", "message_id", "n"),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # deliver, report, read, webhook, submit, fetch
    Column("owner", Text, nullable=False),  # the application that is called or fetched for, or upstream:NAME
    Column("endpoint", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("n", Integer, nullable=False),  # which recipient of the message
    Column("transaction_id", Text, nullable=False),
    Column("payload", Text, nullable=False),  # JSON
    Column("state", Text, nullable=False),  # ready, leased, done, dead
    Column("due", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("epoch", BigInteger, nullable=False),  # counts the claims: the fence
    Column("holder", Text),
    Column("lease_until", Double),
    Column("created", Double, nullable=False),
    Column("ended", Double),
    Column("reason", Text),
    Column("http_status", Integer),
    Column("answer", LargeBinary),  # of a failure, the first 20 kB
    Column("tried", Text),  # JSON: the attempts that failed, the latest of them
    Column("generation", Integer),  # of its endpoint, when it was last claimed for an attempt
    Column("number", Text),  # of a submit: the key of the number that it is sent from
    Column("queue", Text, nullable=False, default=""),  # that number, where a rate names it: its calls go in order
    Column("counted", Double),  # when its last claim was counted by a rate for a day
    Index("outbox_queue", "state", "endpoint", "queue", "due", "id"),
    Index("outbox_lease", "state", "lease_until"),
    Index("outbox_message", "message_id", "n"),
    Index("outbox_expiry", "state", "expires"),
)
TRIED = text("state = 'ready' AND attempts > 0")
"""A call that waits and was made before: as text, so that either engine finds it by its index."""
Index("outbox_tried", OUTBOX.c.endpoint, OUTBOX.c.state, OUTBOX.c.attempts, sqlite_where=TRIED, postgresql_where=TRIED)

RATE = Table(
    "rate",
    METADATA,
    Column("name", Text, primary_key=True),  # of the rate, and of the number that it counts
    Column("next_at", Double),  # when the next message may go, where it has a limit for a second
    Column("day", Text),  # the last day of which messages were counted, in its time zone
    Column("used", BigInteger, nullable=False),  # how many
    Column("changed", Double, nullable=False),
)

RATE_RETURN = Table(
    "rate_return",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),  # as in rate
    Column("day", Text, nullable=False),  # of which a message is counted no more
    Column("at", Double, nullable=False),
    Index("rate_return_name", "name", "day"),
)

DUPLICATE = Table(
    "duplicate",
    METADATA,
    Column("application", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("transaction_id", Text, nullable=False),  # the key of it
    Column("digest", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("answer", Text, nullable=False),  # JSON
    PrimaryKeyConstraint("application", "operation", "transaction_id", "digest"),
    Index("duplicate_created", "created"),
)

ENDPOINT = Table(
    "endpoint",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("paused", Boolean, nullable=False),
    Column("reason", Text),
    Column("since", Double, nullable=False),
    Column("next_at", Double),  # when the next request may go out, where there is a rate
    Column("generation", Integer, nullable=False, default=0),  # counts the resumes
)

SETTING = Table(
    "setting",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),  # JSON
)

HEARTBEAT = Table(
    "heartbeat",
    METADATA,
    Column("process", Text, primary_key=True),
    Column("at", Double, nullable=False),
    Column("boot", Text),  # of which machine, since when: ``steady`` counts from there
    Column("steady", Double, nullable=False),
    Column("changes", Text),  # of the process: what it has committed up to then
)

API_KEY = Table(
    "api_key",
    METADATA,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("application", Text, nullable=False),
    Column("name", Text, nullable=False),  # what it is for, to whom it belongs
    Column(
        "digest", Text, nullable=False, unique=True
    ),  # SHA-256 of the key, in hexadecimal: the key itself is not kept
    Column("hint", Text, nullable=False),  # its beginning, by which people know it again
    Column("created", Double, nullable=False),
    Column("revoked", Double),
    Index("api_key_application", "application"),
)

OPT_OUT = Table(
    "opt_out",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("subscriber", Text, nullable=False),  # the key of an address, as is number
    Column("number", Text, nullable=False),  # a short code of the application; * for all that it has or will have
    Column("application", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("word", Text),  # as it was sent; None where an operator said it
    Column("message_id", Text),  # LinkedID of the MO
    Column("confirmed", Double),  # when the one answer to that MO was taken
    UniqueConstraint("subscriber", "number", "application"),
    Index("opt_out_application", "application", "seq"),
)

SESSION = Table(
    "session",
    METADATA,
    Column("digest", Text, primary_key=True),  # SHA-256 of its token: the token itself is not kept
    Column("name", Text, nullable=False),  # of the user
    Column("application", Text),  # whose messages the user sees; None for an operator, who sees all
    Column("created", Double, nullable=False),
    Column("used", Double, nullable=False),
    Column("expires", Double, nullable=False),
    Index("session_expires", "expires"),
    Index("session_name", "name"),
)

VIEWED = Table(
    "viewed",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=False),  # of the message
    Column("application", Text, nullable=False),  # of the message
    Column("at", Double, nullable=False),
    Index("viewed_application", "application"),
)
