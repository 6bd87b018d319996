"""Plans for writing: the octets that the plain path made of a message, as pieces between which values are put."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from mm7zeep.envelope import moment_text
from mm7zeep.errors import Mm7Error
from mm7zeep.exchange.plans.generations import CHECKED, LONGEST, SHAPES, Generations, Learning
from mm7zeep.exchange.plans.value_classes import (
    DIGITS,
    LINE,
    MAIL,
    MOMENTS,
    PLUS,
    REFERENCE,
    TOKEN,
    ValueClass,
    pattern_of,
    with_value,
)
from mm7zeep.messages import Address, Message, ReplyCharging, UACapabilities
from mm7zeep.status import Status

_LOG = logging.getLogger("mm7zeep.exchange.plans")


_WRITTEN: Mapping[str, tuple[ValueClass, ...]] = {
    **dict.fromkeys(("transaction_id", "message_id", "linked_id", "vaspid", "vasid", "service_code"), (TOKEN,)),
    **dict.fromkeys(("subject", "text"), (TOKEN, LINE)),
    **dict.fromkeys(("time_stamp", "date", "expiry_date", "earliest_delivery_time"), MOMENTS),
    "content_href": REFERENCE,
    "Number": (PLUS, DIGITS),
    "ShortCode": (DIGITS,),
    "RFC2822Address": (MAIL,),
}
_APART = frozenset({"parts", "extensions", "unparsed", "previously_sent"})
_PLAIN = (str, bool, int, type(None), timedelta, ReplyCharging, UACapabilities)


class _Values:
    """The values of one message that a plan may fill in, the first of them its TransactionID; and its marks."""

    __slots__ = ("free", "kinds", "marks", "texts")

    def __init__(self) -> None:
        self.marks: list[object] = []
        self.texts: list[bytes] = []
        self.kinds: list[ValueClass] = []
        self.free: list[tuple[str, int | None]] = []

    def add(self, classes: tuple[ValueClass, ...], text: str, name: str, at: int | None = None) -> None:
        """One value: its class is its mark, or it is a mark itself."""
        octets = text.encode("utf-8", "surrogatepass")
        found = pattern_of(classes, False).fullmatch(octets) if classes else None
        if found is None or found.lastindex is None:
            self.marks.append(_literal(text))
            return
        self.marks.append((ValueClass, found.lastindex))  # no value reads like a class
        self.texts.append(octets)
        self.kinds.append(classes[found.lastindex - 1])
        self.free.append((name, at))


def _literal(held: object) -> tuple[type, str]:
    """The mark of a value that is the same in each message of a plan: 1, True and "1" are three."""
    return type(held), repr(held)


def _values(message: Message, transaction_id: str) -> _Values | None:
    """The values of a message; None for one that has no plan."""
    values = _Values()
    values.add(_WRITTEN["transaction_id"], transaction_id, "")
    for name in type(message).__dataclass_fields__:
        held = getattr(message, name)
        if held is None or held == ():
            continue
        if name in _APART:
            if name != "parts":
                return None
        elif isinstance(held, tuple):
            for at, one in enumerate(held):
                if not isinstance(one, Address):
                    return None
                _add_address(values, one, name, at)
        elif isinstance(held, Address):
            _add_address(values, held, name, None)
        elif isinstance(held, Status):
            values.marks.append(_literal((held.code, held.details)))
            values.add(_WRITTEN["text"], held.text or "", name)
        elif isinstance(held, datetime):
            if held.tzinfo is None:
                return None
            values.add(MOMENTS, moment_text(held, name), name)
        elif isinstance(held, str) and name in _WRITTEN:
            values.add(_WRITTEN[name], held, name)
        elif isinstance(held, _PLAIN):
            values.marks.append(_literal(held))
        else:
            return None
        values.marks.append(name)
    return values


def _add_address(values: _Values, one: Address, name: str, at: int | None) -> None:
    values.marks.append((type(one), _literal((one.display_only, one.coding, one.id))))
    values.add(_WRITTEN.get(one.kind, ()) if one.coding is None else (), one.value, name, at)


Write = Callable[[Message, str], bytes]
"""The octets of the envelope of a message with that TransactionID, made and judged without plans."""
_Pieces = tuple[tuple[bytes, ...], tuple[int, ...]]


class WritePlans:
    """The plans of one process, for writing: envelopes as pieces of octets between which values are put. Thread-safe.

    ``checked``: one of so many uses is compared with the plain path, as in ``Plans``. Kept are 512 plans, of 256 KiB at
    most each, 8 MiB in all.
    """

    def __init__(self, *, checked: int = CHECKED) -> None:
        self._plans: Generations[object, _Pieces] = Generations(SHAPES)
        self._learning = Learning(checked)

    def written(self, message: Message, transaction_id: str, form: object, write: Write) -> bytes:
        """The envelope of ``message`` by its plan, or else by ``write``, which may then leave one.

        ``form`` is all that ``write`` looks at beside the message: its profile, and whom it answers.
        """
        values = _values(message, transaction_id)
        if values is None:
            return write(message, transaction_id)
        key = (form, type(message), tuple(values.marks))
        try:
            plan = self._plans.get(key)
        except TypeError:  # a value that has no hash
            return write(message, transaction_id)
        if plan is not None:
            octets = _put(plan, values.texts)
            if self._learning.used() and octets != (right := write(message, transaction_id)):
                _LOG.error("a plan of %s disagreed with the plain path and is no longer used", type(message).__name__)
                self._plans.drop(key)
                return right
            return octets
        octets = write(message, transaction_id)
        if len(octets) <= LONGEST and self._learning.takes(hash(key)):
            made = _pieces(message, values, octets, write)
            if made is not None:
                self._plans.put(key, made, len(octets))
        return octets


def _put(plan: _Pieces, texts: Sequence[bytes]) -> bytes:
    pieces, order = plan
    if len(order) != len(texts):
        raise AssertionError("a plan has one place for each of its values")
    out: list[bytes] = [pieces[0]]
    for slot, piece in zip(order, pieces[1:], strict=True):
        out += (texts[slot], piece)
    return b"".join(out)


def _pieces(message: Message, values: _Values, octets: bytes, write: Write) -> _Pieces | None:
    """The plan, after another message of these marks was written; None where there can be none."""
    examples = [kind.example(at + 1) for at, kind in enumerate(values.kinds)]
    changes: dict[str, Any] = {}
    transaction = None
    for (name, at), kind, example in zip(values.free, values.kinds, examples, strict=True):
        held: Any = changes.get(name, getattr(message, name, None))
        if not name:
            transaction = example
        elif at is not None:
            held = list(held)
            held[at] = with_value(held[at], example)
            changes[name] = tuple(held)
        elif isinstance(held, Address):
            changes[name] = with_value(held, example)
        elif isinstance(held, Status):
            changes[name] = Status(held.code, example, held.details)
        else:
            changes[name] = kind.value(example)
    if transaction is None:
        return None
    try:
        other = write(replace(message, **changes), transaction)
    except Mm7Error:
        return None
    order = []
    for slot, example in enumerate(examples):
        needle = example.encode()
        at = _place_of(other, needle)
        if at is None:
            return None
        order.append((at, slot, len(needle)))
    order.sort()
    pieces, end = [], 0
    for at, _, length in order:
        pieces.append(other[end:at])
        end = at + length
    made = ((*pieces, other[end:]), tuple(slot for _, slot, _ in order))
    same = _put(made, values.texts) == octets and _put(made, [one.encode() for one in examples]) == other
    return made if same else None


def _place_of(octets: bytes, value: bytes) -> int | None:
    """Where ``value`` stands alone between tags or quotes; None for nowhere, or several places."""
    found = [
        at + 1
        for before, behind in ((b">", b"</"), (b'"', b'"'))
        if (at := octets.find(before + value + behind)) >= 0 and octets.find(before + value + behind, at + 1) < 0
    ]
    return found[0] if len(found) == 1 else None
