"""Messages that fit a search, the newest first, a page at a time; quick also where nothing fits, or only the oldest.

On SQLite one narrow index holds all that is looked through, in the order of ``seq``: it is read from the newest message
on until the page is full. PostgreSQL reads the rows of ``message`` themselves, whose long values it keeps elsewhere.
States change without their message, and are no part of that: they are looked up for some messages that fit otherwise,
and where these do not make a page, for all others together. Words are compared in any case, elsewhere letters of ASCII.
Refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from mm7zeep import media
from mm7zeep.gateway.store import viewed
from mm7zeep.gateway.store.messages import among
from mm7zeep.gateway.store.rows import MessageRow
from mm7zeep.gateway.store.tables import MESSAGE, RECIPIENT, SEARCH, SEARCHED, kept

LONGEST = 200
"""Characters of a text that are looked for; the rest of it does not count."""
LARGEST_PAGE = 5000
"""Messages that one page may have: PostgreSQL takes 65,535 parameters."""
MOST = 16
"""Words, types and states that a search may have of each; those beyond do not count."""

Columns: TypeAlias = ReadOnlyColumnCollection[str, Any]
"""Those of ``searched``."""

_M, _R = MESSAGE.c, RECIPIENT.c
# SQLite would go by an index on one of the conditions, and read the rows themselves; SQLAlchemy has no word for it
_INDEXED = sa.text(f"SELECT {', '.join(SEARCHED)} FROM message INDEXED BY {SEARCH.name}")  # noqa: S608  names of ours
_NARROW = _INDEXED.columns(*(MESSAGE.c[name] for name in SEARCHED)).subquery("searched")
_NEAR = (200, 2000)  # messages whose states are looked up one by one, before those of all others are
_LARGEST = 2**62  # octets; more than a column holds
_WHOLE = 5000  # characters of an address; SQLite takes 50,000 octets of a pattern
_SPACES = re.compile(r"\s+")
_ESCAPED = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What messages are to fit, all of it; what is None, or empty, says nothing.

    ``to``, ``from_`` and ``subject`` are a piece of an address of a copy, of the sender's, of the subject; each of
    ``words`` a piece of subject, texts or an address, or the id. An address that begins with ``+`` is looked for from
    its beginning, with the plus or without. ``number`` is an address of a copy, or the sender's, whole. ``recipient``
    and ``sender`` are whole, too, and as they were given; a ``recipient`` may leave out its ``/TYPE=``. ``has`` are
    classes (``image``) or types (``image/gif``) of parts, all of which it has; of ``states`` a copy has one. ``larger``
    and ``smaller`` are octets of its parts; accepted at or ``after``, and ``before``: seconds since 1970. Without
    ``planned`` an MO that a handset is yet to send is left out: its application knows nothing of it.
    """

    application: str | None = None
    direction: str | None = None
    to: str | None = None
    from_: str | None = None
    subject: str | None = None
    words: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    larger: int | None = None
    smaller: int | None = None
    states: tuple[str, ...] = ()
    after: float | None = None
    before: float | None = None
    unopened: bool | None = None
    number: str | None = None
    recipient: str | None = None
    sender: str | None = None
    planned: bool = True


def exact(
    *,
    to: str | None = None,
    from_: str | None = None,
    q: str | None = None,
    state: str | None = None,
    since: float | None = None,
    until: float | None = None,
    **others: Any,
) -> Search:
    """What programs ask for: ``to`` and ``from_`` are whole addresses, ``q`` is one of the words, ``state`` one of the
    states, ``since`` and ``until`` when it was accepted; ``others`` are those of ``Search``.
    """
    words, states = (() if one is None else (one,) for one in (q, state))
    return Search(recipient=to, sender=from_, words=words, states=states, after=since, before=until, **others)


def found(connection: Connection, search: Search, *, limit: int, before: int | None = None) -> list[MessageRow]:
    """The newest messages that fit, ``limit`` or ``LARGEST_PAGE``; ``before`` is the ``seq`` that the page before ended
    with.
    """
    return _rows(connection, _seqs(connection, search, min(limit, LARGEST_PAGE), before, newest=True))


def newer(connection: Connection, search: Search, *, limit: int, after: int) -> list[MessageRow]:
    """The messages that fit and are next newer than ``after``, a ``seq``: the page before, the newest of it first."""
    return _rows(connection, _seqs(connection, search, min(limit, LARGEST_PAGE), after, newest=False))


def searched(connection: Connection) -> sa.FromClause:
    """What the engine of ``connection`` finds messages in, by the columns ``tables.SEARCHED``."""
    return MESSAGE if connection.dialect.name == "postgresql" else _NARROW


def _rows(connection: Connection, seqs: list[int]) -> list[MessageRow]:
    query = sa.select(MESSAGE).where(_M.seq.in_(seqs)).order_by(_M.seq.desc())
    return [MessageRow(**row) for row in connection.execute(query).mappings()] if seqs else []


def _seqs(connection: Connection, search: Search, limit: int, start: int | None, *, newest: bool) -> list[int]:
    """The next messages that fit, from ``start`` on, down from the newest or up."""
    columns = searched(connection).c
    wanted = list(_conditions(connection, search, columns))
    if not (wanted or search.states):  # nothing to be looked through: the newest of an application have an index
        columns = MESSAGE.c
    query = sa.select(columns.seq, columns.id).where(*wanted).order_by(columns.seq.desc() if newest else columns.seq)
    if search.application is not None:
        query = query.where(columns.application == search.application)
    if not search.planned:
        query = query.where(sa.or_(columns.direction == "mt", ~_with_copy(columns, _R.due.is_not(None))))

    def following(query: sa.Select[Any], limit: int) -> Sequence[Any]:
        if start is not None:
            query = query.where(columns.seq < start if newest else columns.seq > start)
        return connection.execute(query.limit(limit)).all()

    states = [kept(one.lower()) for one in search.states if one][:MOST]
    if not states:
        return [one.seq for one in following(query, limit)]
    fits = sa.func.lower(_R.state).in_(states)
    seqs: list[int] = []
    # most often a few of the next have a page of what is looked for, or few fit otherwise: no need to read all copies
    for size in _NEAR:
        rows = following(query, size)
        of_these = among(connection, _R.message_id, [one.id for one in rows])
        ids = set(connection.scalars(sa.select(_R.message_id).where(of_these, fits)))
        seqs += [one.seq for one in rows if one.id in ids]
        if len(seqs) >= limit or len(rows) < size:
            return seqs[:limit]
        start = rows[-1].seq
    # as a table of its own, since PostgreSQL expects to find a page soon, and would look each message up
    copies = sa.select(_R.message_id).where(fits).cte("copies").prefix_with("MATERIALIZED", dialect="postgresql")
    rest = query.where(columns.id.in_(sa.select(copies.c.message_id)))
    return seqs + [one.seq for one in following(rest, limit - len(seqs))]


# --- what fits --------------------------------------------------------------------------------------------------------


def _conditions(connection: Connection, search: Search, columns: Columns) -> Iterator[ColumnElement[bool]]:
    """What a message has to fit, but for its application and the states of its copies; what is quick comes first."""
    if search.direction is not None:
        yield columns.direction == search.direction
    if search.larger is not None:
        yield columns.size > _octets(search.larger)
    if search.smaller is not None:
        yield columns.size < _octets(search.smaller)
    if search.after is not None:
        yield columns.accepted >= search.after
    if search.before is not None:
        yield columns.accepted < search.before
    text = _Text(columns, postgresql=connection.dialect.name == "postgresql")
    if search.sender is not None:
        yield columns.sender == search.sender
    if search.recipient is not None:
        yield text.is_recipient(search.recipient)
    if search.number:
        yield text.is_address(search.number)
    for one in search.has[:MOST]:
        yield sa.or_(*(text.fits_lower(columns.media, f"% {text.escaped(each)} %") for each in _kinds(one)))
    if search.to:
        yield text.in_addresses(search.to)
    if search.from_:
        yield text.in_sender(search.from_)
    if search.subject:
        yield text.within(columns.subject, search.subject)
    for one in [one for one in search.words if one][:MOST]:
        # a condition on the seq, so that an id is looked up once and not compared with that of every message
        is_id = columns.seq == sa.select(_M.seq).where(_M.id == one).scalar_subquery()
        yield sa.or_(text.in_words(one), is_id)
    if search.unopened is not None:
        is_viewed = viewed.is_viewed(columns.seq)
        yield ~is_viewed if search.unopened else is_viewed


def _with_copy(columns: Columns, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a copy of the message fits ``condition``."""
    return sa.exists().where(_R.message_id == columns.id, condition)


def _octets(count: int) -> int:
    """A number of octets that a column may have."""
    return max(-1, min(count, _LARGEST))


def _kinds(text: str) -> list[str]:
    """The class or type that ``text`` names, under all its names."""
    kind = "".join(text.lower().split())
    row = media.lookup(kind) if "/" in kind else None
    return [kind] if row is None else [row.media_type, *row.aliases]


class _Text:
    """Conditions on text, as an engine has them. Only ASCII is compared in any case: what an engine knows of other
    letters depends on how it was built.
    """

    def __init__(self, columns: Columns, *, postgresql: bool) -> None:
        self._columns = columns
        self._postgresql = postgresql

    def escaped(self, text: str, most: int = LONGEST) -> str:
        """``text`` within a pattern."""
        return kept(text[:most]).translate(_ESCAPED)

    def fits(self, column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
        """Whether ``column`` is like ``pattern``."""
        if self._postgresql:  # in another collation it would turn every row into wide characters and back
            return sa.collate(column, "C").ilike(pattern)
        return self.fits_lower(column, pattern)

    def fits_lower(self, column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
        """As ``fits``, for a column and a pattern in lower case."""
        if self._postgresql:
            return sa.collate(column, "C").like(pattern)
        return column.like(pattern, escape="\\" if "\\" in pattern else None)

    def within(self, column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
        """Whether ``text`` is a piece of ``column``."""
        return self.fits(column, f"%{self.escaped(text)}%")

    def in_words(self, text: str) -> ColumnElement[bool]:
        """Whether ``text`` is a piece of subject, texts or an address, or the beginning of an address after a plus."""
        # as the words are kept: with one space between two, and the addresses of copies bare
        lower = " ".join(_SPACES.split(text.lower()))
        lower = lower.partition("/type=")[0] or lower
        words = self._columns.words
        found = [self.fits_lower(words, f"%{self.escaped(lower)}%")]
        if lower.startswith("+"):
            found.append(self.fits_lower(words, f"%\n{self.escaped(lower[1:])}%"))
        return sa.or_(*found)

    def in_sender(self, text: str) -> ColumnElement[bool]:
        """Whether ``text`` is a piece of the sender's address, or the beginning after a plus."""
        return self._piece(self._columns.sender, text, "{}%")

    def in_addresses(self, text: str) -> ColumnElement[bool]:
        """Whether ``text`` is a piece of an address of a copy, or the beginning after a plus."""
        return self._piece(self._columns.addresses, text, "%\n{}%")

    def _piece(self, column: ColumnElement[Any], text: str, beginning: str) -> ColumnElement[bool]:
        if "\n" in text:  # that stands between two addresses
            return sa.false()
        if not text.startswith("+"):
            return self.within(column, text)
        return self._any(column, text, LONGEST, beginning)

    def is_recipient(self, address: str) -> ColumnElement[bool]:
        """Whether a copy is for ``address``, with a ``/TYPE=`` behind it or not."""
        copies = sa.or_(_R.address == address, _R.address.startswith(f"{address}/TYPE=", autoescape=True))
        bare = self.escaped(address.partition("/TYPE=")[0])
        # most rows are done with the first, which their copies need not be read for
        return sa.and_(self.fits(self._columns.addresses, f"%\n{bare}%"), _with_copy(self._columns, copies))

    def is_address(self, number: str) -> ColumnElement[bool]:
        """Whether ``number`` is the sender, or one of the recipients."""
        if "\n" in number:
            return sa.false()
        of_sender = self._any(self._columns.sender, number, _WHOLE, "{}", "{}/TYPE=%")
        return sa.or_(of_sender, self._any(self._columns.addresses, number, _WHOLE, "%\n{}\n%"))

    def _any(self, column: ColumnElement[Any], number: str, most: int, *patterns: str) -> ColumnElement[bool]:
        """Whether one of ``patterns`` fits with ``number`` in it, with its plus or without."""
        plain = self.escaped(number.removeprefix("+"), most)
        each = [self.fits(column, pattern.format(one)) for pattern in patterns for one in (f"+{plain}", plain)]
        return sa.and_(self.fits(column, f"%{plain}%"), sa.or_(*each))  # most rows are done with the first
