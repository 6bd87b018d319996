"""The tables of a gateway, as SQLAlchemy Core sees them; ``migrations`` makes them.

Times are seconds since 1970 (UTC), as double precision; JSON stands as text. Definitions only.

``message`` is the summary that lists are made of, ``raw`` the octets as they came (request 0, then replacements): every
view of content is derived from them again. ``recipient`` is one copy each; ``due`` is when the network does something
with it. ``outbox`` is every call that is to be made. ``duplicate`` remembers requests with their answers. ``endpoint``
holds what is known of where calls go, ``setting`` what the processes of a gateway share.
"""

from __future__ import annotations

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
    Text,
)

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
    Column("excerpt", Text, nullable=False),  # the beginning of its texts, to be searched
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
    Index("message_application", "application", "seq"),
    Index("message_accepted", "accepted"),
)

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
    Column("way", Text, nullable=False),  # handset, upstream:NAME, application:NAME, none
    Column("state", Text, nullable=False),
    Column("detail", Text),
    Column("due", Double),
    Column("changed", Double, nullable=False),
    Column("content", Integer),  # which raw's content it was given
    Column("remote_id", Text),  # its MessageID at the upstream
    Column("attributes", Text),  # JSON: addressCoding, id and displayOnly of the address
    PrimaryKeyConstraint("message_id", "n"),
    Index("recipient_due", "due"),
    Index("recipient_address", "address"),
    Index("recipient_remote", "remote_id"),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # deliver, report, read, submit
    Column("owner", Text, nullable=False),  # the application that is called, or upstream:NAME
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
    Index("outbox_due", "state", "endpoint", "due"),
    Index("outbox_lease", "state", "lease_until"),
    Index("outbox_message", "message_id", "n"),
    Index("outbox_expiry", "state", "expires"),
)

DUPLICATE = Table(
    "duplicate",
    METADATA,
    Column("application", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("transaction_id", Text, nullable=False),
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
)

SETTING = Table(
    "setting",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),  # JSON
)
