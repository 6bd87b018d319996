"""Who has opted out of what an application sends: kept by subscriber and by the application's number.

``Look`` is asked in the transaction that would keep a message, so that an opt-out that was committed before counts.
Every other function takes the connection of a transaction, too. Refuses nothing: whoever asks refuses.

Addresses are compared by their ``key``. A message without a SenderAddress, or with one that is no short code of its
application, may leave from any of its numbers: an opt-out from one of them bars it. The one message that answers the
MO by which somebody opted out (its LinkedID is that MO's) is let through, once: carriers want the confirmation.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from mm7zeep.gateway.config.numbers import dialled, without_scheme
from mm7zeep.gateway.config.opt_out import Meaning
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.store.rows import OptOutRow, values_of
from mm7zeep.gateway.store.tables import OPT_OUT, index_key
from mm7zeep.messages import Address, ShortCode

ALL = "*"
"""In the place of a number: all that the application has, and will have."""

_C = OPT_OUT.c
_EACH = sa.func.json_each(sa.bindparam("asked", type_=sa.Text)).table_valued("value")
_LOOK_SQLITE = sa.select(OPT_OUT).where(_C.subscriber.in_(sa.select(_EACH.c.value)))
_LOOK_POSTGRESQL = sa.select(OPT_OUT).where(
    _C.subscriber == sa.any_(sa.bindparam("asked", type_=postgresql.ARRAY(sa.Text)))
)
_ADD_SQLITE = sqlite.insert(OPT_OUT).on_conflict_do_nothing()
_ADD_POSTGRESQL = postgresql.insert(OPT_OUT).on_conflict_do_nothing()


# --- addresses --------------------------------------------------------------------------------------------------------


def key(address: Address, region: str | None) -> str:
    """What an address is compared by: of a number its digits, of another address itself without case.

    +61 412 345 678, tel:+61412345678, 61412345678 and +61412345678/TYPE=PLMN are one number. A national form
    (0412345678, 0011 61 ...) is the same as the international one only by the numbering plan of ``region``, an
    application's ``numbers``; what is no number of that plan, nor of another, stays as it is. A coded address is
    compared as it was sent.
    """
    if address.coding is not None:
        return index_key(f"{address.coding}:{address.value}")
    text = without_scheme(address.bare)
    number = dialled(text)
    found = _international(number, region) if number is not None else text.casefold()
    return index_key(found)


def _international(number: str, region: str | None) -> str:
    """The digits of a number, from the country code on where ``region`` is known and the number is one."""
    digits = number.removeprefix("+")
    if region is None:
        return digits
    import phonenumbers  # takes time, and few applications say a region

    for written in (number, f"+{digits}"):  # many leave the plus out
        try:
            parsed = phonenumbers.parse(written, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
    return digits


def numbers_of(application: Application) -> frozenset[str]:
    """The keys of an application's numbers: its short codes."""
    return frozenset(key(ShortCode(one), application.numbers) for one in application.short_codes if one.strip())


# --- asked ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a message comes from, as far as opt-outs go: the application, which of its ``numbers`` it may leave from,
    whether these are ``whole`` (all, since none is named), and the LinkedID of the MO that it answers.
    """

    application: str
    numbers: frozenset[str]
    whole: bool
    linked_id: str | None = None

    @classmethod
    def of(cls, application: Application, sender: Address | None, linked_id: str | None = None) -> Origin:
        """That of a message with this SenderAddress."""
        numbers = numbers_of(application)
        own = numbers & {key(sender, application.numbers)} if sender is not None else frozenset()
        linked_id = linked_id.strip() if linked_id is not None else None
        return cls(application=application.name, numbers=own or numbers, whole=not own, linked_id=linked_id)

    def is_barred(self, row: OptOutRow) -> bool:
        """Whether an opt-out is one from such a message."""
        mine = row.application == self.application and (self.whole or row.number == ALL)
        return mine or row.number in self.numbers

    def answers(self, row: OptOutRow) -> bool:
        """Whether such a message answers the MO that an opt-out came by."""
        return self.linked_id is not None and row.message_id == self.linked_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Which of the recipients of a message have opted out: prepared before the transaction, asked in it.

    ``Look.of(application, sender, recipients).refused(connection, now)`` is all of it.
    """

    origin: Origin
    recipients: tuple[tuple[Address, str], ...]

    @classmethod
    def of(
        cls,
        application: Application,
        sender: Address | None,
        recipients: Iterable[Address],
        *,
        linked_id: str | None = None,
    ) -> Look:
        """For a message of ``application`` to ``recipients``; of one without ``opt_out`` nobody is looked up."""
        if application.opt_out is None:
            return cls(origin=Origin(application=application.name, numbers=frozenset(), whole=True), recipients=())
        asked = tuple((one, key(one, application.numbers)) for one in recipients)
        return cls(origin=Origin.of(application, sender, linked_id), recipients=asked)

    def refused(self, connection: Connection, now: float) -> tuple[Address, ...]:
        """The recipients that the message may not go to, in their order; one statement for all of them.

        Who gets the one answer to an opt-out is not among them, and has had it then: ask once, last of all that may
        refuse the message.
        """
        known = _of(connection, {one for _, one in self.recipients})
        if not known:
            return ()
        bars = {subscriber: self._bars(connection, rows, now) for subscriber, rows in known.items()}
        return tuple(address for address, subscriber in self.recipients if bars.get(subscriber))

    def _bars(self, connection: Connection, rows: Iterable[OptOutRow], now: float) -> bool:
        barring = [one for one in rows if self.origin.is_barred(one)]
        if not barring:
            return False
        if not all(self.origin.answers(one) and one.confirmed is None for one in barring):
            return True
        confirmed = sa.update(OPT_OUT).where(_C.seq.in_([one.seq for one in barring]), _C.confirmed.is_(None))
        return connection.execute(confirmed.values(confirmed=now)).rowcount < len(barring)


def barred(connection: Connection, asked: Sequence[tuple[Origin, str]]) -> list[bool]:
    """For each message that was accepted, and the key of a recipient of it: whether that has opted out since."""
    known = _of(connection, {subscriber for _, subscriber in asked})
    return [
        any(
            origin.is_barred(one) and not (origin.answers(one) and one.confirmed is not None)
            for one in known.get(subscriber, ())
        )
        for origin, subscriber in asked
    ]


def _of(connection: Connection, subscribers: Collection[str]) -> Mapping[str, list[OptOutRow]]:
    """What each of them has opted out of; of those that have. One probe of the key for each, in one statement."""
    if not subscribers:
        return MappingProxyType({})
    if connection.dialect.name == "postgresql":
        rows = connection.execute(_LOOK_POSTGRESQL, {"asked": list(subscribers)})
    else:
        rows = connection.execute(_LOOK_SQLITE, {"asked": json.dumps(list(subscribers))})
    found: dict[str, list[OptOutRow]] = {}
    for one in rows.mappings():
        found.setdefault(one["subscriber"], []).append(OptOutRow(**one))
    return found


# --- kept -------------------------------------------------------------------------------------------------------------


def hear(
    connection: Connection,
    application: Application,
    meaning: Meaning,
    subscriber: Address,
    to: Iterable[Address],
    now: float,
    *,
    word: str,
    message_id: str,
) -> None:
    """Keep what an MO ``to`` these addresses asks: STOP for those of the application's numbers that are among them,
    STOPALL for all; START takes that back for those among them. An MO that names none of its numbers means all.
    """
    own = numbers_of(application)
    named = own & {key(one, application.numbers) for one in to}
    if meaning == "start":
        remove(connection, application, subscriber, named or None)
        return
    numbers = named if meaning == "stop" and named else own | {ALL}
    add(connection, application, subscriber, numbers, now, word=word, message_id=message_id)


def add(
    connection: Connection,
    application: Application,
    subscriber: Address,
    numbers: Iterable[str],
    now: float,
    *,
    word: str | None = None,
    message_id: str | None = None,
) -> list[OptOutRow]:
    """Keep that ``subscriber`` wants nothing more from these numbers (keys, or ``ALL``); the rows that stand then.

    What is kept already stays as it is.
    """
    row = OptOutRow(
        subscriber=key(subscriber, application.numbers),
        number="",
        application=application.name,
        since=now,
        word=word,
        message_id=message_id,
    )
    wanted = sorted(set(numbers))
    rows = [values_of(replace(row, number=one), serial="seq") for one in wanted]
    connection.execute(_ADD_POSTGRESQL if connection.dialect.name == "postgresql" else _ADD_SQLITE, rows)
    stand = sa.select(OPT_OUT).where(
        _C.subscriber == row.subscriber, _C.number.in_(wanted), _C.application == application.name
    )
    return [OptOutRow(**one) for one in connection.execute(stand.order_by(_C.number)).mappings()]


def remove(
    connection: Connection, application: Application, subscriber: Address, numbers: Collection[str] | None
) -> int:
    """Let messages from these numbers (keys; None: all of the application) reach ``subscriber`` again; how many rows
    were kept. Those of numbers that are not named stay, also after a STOPALL.
    """
    mine = _C.application == application.name
    if numbers is None:
        meant = sa.or_(mine, _C.number.in_(numbers_of(application)))
    else:
        meant = sa.or_(_C.number.in_(numbers), sa.and_(mine, _C.number == ALL))
    who = _C.subscriber == key(subscriber, application.numbers)
    return connection.execute(sa.delete(OPT_OUT).where(who, meant)).rowcount


# --- looked up --------------------------------------------------------------------------------------------------------


def listed(
    connection: Connection,
    *,
    application: str | None = None,
    number: Collection[str] | None = None,
    subscriber: Collection[str] | None = None,
    limit: int = 50,
    before: int | None = None,
) -> list[OptOutRow]:
    """Opt-outs, the newest first, that fit everything given: numbers and subscribers by any of these keys.

    ``before`` is the ``seq`` that the page before ended with.
    """
    query = sa.select(OPT_OUT).order_by(_C.seq.desc()).limit(limit)
    if application is not None:
        query = query.where(_C.application == application)
    for column, keys in ((_C.number, number), (_C.subscriber, subscriber)):
        if keys is not None:
            query = query.where(column.in_(keys))
    if before is not None:
        query = query.where(_C.seq < before)
    return [OptOutRow(**one) for one in connection.execute(query).mappings()]


def counts(connection: Connection) -> dict[str, int]:
    """How many subscribers have opted out, by application."""
    query = sa.select(_C.application, sa.func.count(sa.distinct(_C.subscriber))).group_by(_C.application)
    return {str(name): int(count) for name, count in connection.execute(query)}
