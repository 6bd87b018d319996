"""Plans: what the plain path said of the shape of an envelope, kept, so that the next one costs its values only.

The octets of an envelope without its texts and its reference are its *shape*. Each text has a *mark*: the class that it
belongs to, such as "a number with a plus", or the text itself where no class is known. Whatever a class holds, the
plain path treats alike: it is valid by its simple type, and nothing is repaired in it or found about it. When a shape
with the same marks has been accepted by the plain path (charset, XML, the repairs, xmlschema, zeep), it is read once
more with other values of the same classes; where only those values differ in what comes out, what came out and where
its values stand is the plan. A text that came out anywhere else, or nowhere, is a mark of its own from then on.

What is judged of the package (its parts, the Content's reference, its end) is not part of a plan: that is asked each
time. Only what is accepted has a plan. An envelope with a comment, CDATA or an instruction has none.
"""

from __future__ import annotations

import itertools
import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

from mm7zeep import mime
from mm7zeep.envelope import moment_text, moment_value, no_values
from mm7zeep.errors import Mm7Error
from mm7zeep.exchange.wire import Judgement, Planned
from mm7zeep.messages import Address, Message, Part, ReplyCharging, UACapabilities
from mm7zeep.profiles import Policy
from mm7zeep.status import Status

_LOG = logging.getLogger(__name__)

SWITCH = "MM7ZEEP_PLANS"
"""The environment variable that turns plans off, with ``0``."""

LONGEST = 256 * 1024
"""Octets of an envelope that is looked up."""

_SHAPES = 256  # in each of two generations
_OCTETS = 4 * 1024 * 1024  # of the shapes of one generation
_MARKED = 64  # plans of one shape
_SEEN = 4096  # shapes with their marks, seen once, in each of two generations
_CHECKED = 1000  # of so many uses one is compared with the plain path
_TEXT = re.compile(rb">([^<]+)</")
_HREF = b' href="'
_NAME = re.compile(rb"<(?:[\w.-]+:)?([\w.-]+)[^<]*\Z")
_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)")
_UTF8 = (b"utf-8", b"utf8", b"us-ascii", b"")

# --- the classes of values --------------------------------------------------------------------------------------------

Value = Any


@dataclass(frozen=True, slots=True)
class _Class:
    """Values that the plain path treats alike: their octets, the value they stand for, and the ``n``-th of them."""

    pattern: bytes
    value: Callable[[str], Value]
    example: Callable[[int], str]


def _date(n: int) -> str:
    return f"20{n // 360 % 60 + 30:02}-{n // 30 % 12 + 1:02}-01T{n % 24:02}:{n % 59:02}:07"


_TOKEN = _Class(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", str, lambda n: f"q{n}.Example-{n}")
_PLUS = _Class(rb"\+[0-9]{3,20}", str, lambda n: f"+999{n:06}")
_DIGITS = _Class(rb"[0-9]{1,20}", str, lambda n: f"8{n:05}")
_MAIL = _Class(rb"[A-Za-z][A-Za-z0-9._-]{0,60}@[A-Za-z][A-Za-z0-9.-]{0,60}", str, lambda n: f"q{n}@q.example")
_LINE = _Class(
    rb"[!-%'-;=?-~](?:[ -%'-;=?-~]{0,998}[!-%'-;=?-~])?", str, lambda n: f'Line {n}, an (example): it\'s "{n}"'
)
_WIDE = _Class(
    rb"[!-%'-;=?-~](?:(?:[ -%'-;=?-~]|\xc3[\x80-\xbf]|[\xe4-\xe9][\x80-\xbf]{2}|\xd0[\x90-\xbf]|\xd1[\x80-\x8f]){0,998}"
    rb"[!-%'-;=?-~])?",
    str,
    lambda n: f"L\u00e4ne {n} \u6771\u4eac \u0416 {n}",
)
_ZULU = _Class(
    rb"20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z",
    moment_value,
    lambda n: _date(n) + "Z",
)
_ZONED = _Class(
    _ZULU.pattern[:-1] + rb"[+-](?:0[0-9]|1[0-2]):[0-5][0-9]", moment_value, lambda n: f"{_date(n)}+{n % 12:02}:30"
)
_EXACT = _Class(_ZULU.pattern[:-1] + rb"\.[0-9]{1,6}Z", moment_value, lambda n: f"{_date(n)}.{n % 9 + 1}23456Z")
_EXACT_ZONED = _Class(
    _ZULU.pattern[:-1] + rb"\.[0-9]{1,6}[+-](?:0[0-9]|1[0-2]):[0-5][0-9]",
    moment_value,
    lambda n: f"{_date(n)}.{n % 9 + 1}23456+{n % 12:02}:30",
)
_CID = _Class(
    rb"cid:[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:@[A-Za-z0-9][A-Za-z0-9._-]{0,99})?", str, lambda n: f"cid:q{n}@q"
)

_MOMENTS = (_ZULU, _ZONED, _EXACT, _EXACT_ZONED)
_CLASSES: Mapping[bytes, tuple[_Class, ...]] = {
    **dict.fromkeys((b"TransactionID", b"MessageID", b"LinkedID", b"VASPID", b"VASID", b"ServiceCode"), (_TOKEN,)),
    b"Number": (_PLUS, _DIGITS),
    b"ShortCode": (_DIGITS,),
    b"RFC2822Address": (_MAIL,),
    **dict.fromkeys((b"Subject", b"StatusText"), (_TOKEN, _LINE, _WIDE)),
    **dict.fromkeys((b"TimeStamp", b"Date", b"ExpiryDate", b"EarliestDeliveryTime"), _MOMENTS),
}
_REFERENCE = (_CID,)


@cache
def _pattern(classes: tuple[_Class, ...], wide: bool) -> re.Pattern[bytes]:
    """Which class octets belong to: that of the group that matches."""
    return re.compile(
        b"|".join(b"(" + (one.pattern if one is not _WIDE or wide else b"(?!)") + b")" for one in classes)
    )


class _Slot(NamedTuple):
    """One text of a shape: which classes it may be of, none where its octets are its mark."""

    classes: tuple[_Class, ...]
    pattern: re.Pattern[bytes] | None


# --- shapes -----------------------------------------------------------------------------------------------------------

Mark = int | bytes


@dataclass(slots=True)
class _Shape:
    """One shape: its slots, and the plan for each combination of marks; None where there can be none."""

    slots: list[_Slot]
    plans: dict[tuple[Mark, ...], _Plan | None]


@dataclass(slots=True)
class _Split:
    """An envelope taken apart: what stands around its texts, the texts, the last of them the reference, if any."""

    around: tuple[bytes, ...]
    texts: list[bytes]

    def joined(self, texts: Sequence[bytes]) -> bytes:
        """The envelope with other texts in its slots."""
        inner = list(texts)
        reference = inner.pop() if len(texts) == len(self.around) else None
        pieces = [self.around[0]]
        for text, piece in zip(inner, self.around[1:], strict=True):
            pieces += (b">", text, b"</", piece)
        octets = b"".join(pieces)
        if reference is None:
            return octets
        head, mark, tail = octets.partition(_HREF)
        return head + mark + reference + tail


def _split(octets: bytes) -> _Split | None:
    """``octets`` as a shape and its texts; None for what goes the plain way."""
    if octets.find(b"<!") >= 0 or octets.find(b"<?", 1) >= 0:
        return None
    reference: bytes | None = None
    at = octets.find(_HREF)
    if at >= 0:
        at += len(_HREF)
        end = octets.find(b'"', at)
        if end < 0 or octets.find(_HREF, at) >= 0:
            return None
        reference = octets[at:end]
        octets = octets[:at] + octets[end:]
    pieces = _TEXT.split(octets)
    texts = pieces[1::2]
    if reference is not None:
        texts.append(reference)
    return _Split(tuple(pieces[::2]), texts)


def _slots(split: _Split, wide: bool) -> list[_Slot]:
    slots = []
    for piece in split.around[: len(split.around) - 1]:
        found = _NAME.search(piece)
        slots.append(_slot(_CLASSES.get(found[1], ()) if found is not None else (), wide))
    if len(split.texts) == len(split.around):
        slots.append(_slot(_REFERENCE, wide))
    return slots


def _slot(classes: tuple[_Class, ...], wide: bool) -> _Slot:
    return _Slot(classes, _pattern(classes, wide) if classes else None)


def _marks(slots: Sequence[_Slot], texts: Sequence[bytes]) -> tuple[Mark, ...]:
    """The mark of each text."""
    marks: list[Mark] = []
    for slot, text in zip(slots, texts, strict=True):
        found = slot.pattern.fullmatch(text) if slot.pattern is not None else None
        marks.append(text if found is None or found.lastindex is None else found.lastindex)
    return tuple(marks)


# --- plans ------------------------------------------------------------------------------------------------------------


class _Field(NamedTuple):
    """Where values stand in a message: a field of text or time, or addresses, or the text of the Status."""

    name: str
    at: int | None  # of a tuple of addresses


@dataclass(frozen=True, slots=True)
class _Plan:
    """What an envelope of one shape and these marks comes to, but for the values of ``free``."""

    judged: Judgement
    planned: Planned
    kind: type[Message]
    given: Mapping[str, Any]
    free: tuple[tuple[int, Callable[[str], Value], _Field], ...]  # slot, value, place
    transaction: int | None  # slots
    reference: int | None


def _fill(plan: _Plan, texts: Sequence[bytes], parts: tuple[Part, ...]) -> Planned:
    """What ``texts`` come to. Raises ``ValueError`` or ``Mm7Error`` for a value that only the plain way can judge."""
    given = dict(plan.given)
    for slot, value, place in plan.free:
        text = texts[slot].decode("utf-8")
        name, at = place
        if at is not None:
            if type(given[name]) is tuple:
                given[name] = list(given[name])
            given[name][at] = _with_value(given[name][at], text)
            continue
        before = given[name]
        if isinstance(before, Address):
            given[name] = _with_value(before, text)
        elif isinstance(before, Status):
            given[name] = Status(before.code, text, before.details)
        else:
            given[name] = value(text)
    if "parts" in given:
        given["parts"] = parts
    for name, value in given.items():
        if type(value) is list:
            given[name] = tuple(value)
    message = plan.kind(**given)
    transaction = plan.planned.transaction_id if plan.transaction is None else texts[plan.transaction].decode("ascii")
    return plan.planned._replace(message=message, transaction_id=transaction)


def _with_value(address: Address, value: str) -> Address:
    return type(address)(value, display_only=address.display_only, coding=address.coding, id=address.id)


def _places(message: Message, text: str, value: Value) -> list[_Field]:
    """Where ``text``, which stands for ``value``, came out in ``message``."""
    found: list[_Field] = []
    for one in fields(message):
        held = getattr(message, one.name)
        if isinstance(held, tuple):
            found += [
                _Field(one.name, at) for at, each in enumerate(held) if isinstance(each, Address) and each.value == text
            ]
        elif (held.value if isinstance(held, Address) else held.text if isinstance(held, Status) else held) == value:
            found.append(_Field(one.name, None))
    return found


# --- the store of them ------------------------------------------------------------------------------------------------


K = TypeVar("K")
V = TypeVar("V")


class _Generations(Generic[K, V]):
    """A bounded dictionary without a lock: what was not asked for since the last generation but one is forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """What is kept for ``key``."""
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Keep ``value``."""
        if len(self._young) >= self._most:
            self.turn()
        self._young[key] = value

    def drop(self, key: K) -> None:
        """Forget ``key``."""
        self._young.pop(key, None)
        self._old.pop(key, None)

    def turn(self) -> None:
        """Begin a new generation."""
        self._old, self._young = self._young, {}


Plain = Callable[[mime.Package], Judgement]
"""Judges the SOAP part of a package without plans."""
Receive = Callable[[Judgement], Planned]
"""Reads the message of an accepted judgement."""
Key = tuple[Policy, str | None, tuple[bytes, ...]]


class Plans:
    """The plans of one process, for reading. Thread-safe; a hit takes no lock.

    ``checked``: one of so many uses is compared with the plain path; a plan that disagrees is logged and never used
    again. What is kept is bounded: 512 shapes, 8 MiB of them, 64 combinations of marks each. A flood of new shapes
    costs little more than without plans, since learning one takes credit, which uses of plans earn.
    """

    def __init__(self, *, checked: int = _CHECKED) -> None:
        self._shapes: _Generations[Key, _Shape] = _Generations(_SHAPES)
        self._seen: _Generations[int, bool] = _Generations(_SEEN)
        self._checked = checked
        self._octets = 0
        self._uses = itertools.count(1)
        self._credit = 64.0

    def judged(self, package: mime.Package, *, policy: Policy, size: int, plain: Plain, receive: Receive) -> Judgement:
        """The judgement of the SOAP part of ``package``, which has at most ``size`` octets: by its plan, or else by
        ``plain``, which may then leave a plan.
        """
        root = package.root
        split = _split(root) if len(root) <= min(LONGEST, size) else None
        if split is None:
            return plain(package)
        charset = package.root_content_type.get("charset")
        key = (policy, charset, split.around)
        shape = self._shapes.get(key)
        marks = None
        if shape is not None:
            marks = _marks(shape.slots, split.texts)
            plan = shape.plans.get(marks)
            if plan is not None and (judged := self._by_plan(plan, split, package)) is not None:
                if self._checked and next(self._uses) % self._checked == 0:
                    judged = self._compared(judged, package, shape, marks, plain, receive)
                return judged
            if marks in shape.plans and plan is None:
                return plain(package)
        judged = plain(package)
        if judged.error is None and judged.repaired is not None and policy != "lenient":
            self._learn(key, shape, split, marks, judged, package, plain, receive)
        return judged

    def _by_plan(self, plan: _Plan, split: _Split, package: mime.Package) -> Judgement | None:
        try:
            planned = _fill(plan, split.texts, package.parts)
        except (Mm7Error, ValueError):
            return None
        self._credit = min(64.0, self._credit + 0.25)
        values = no_values()
        values["content_href"] = plan.judged.sketch.values["content_href"]
        if plan.reference is not None:
            values["content_href"] = split.texts[plan.reference].decode("ascii")
        sketch = replace(plan.judged.sketch, transaction_id=planned.transaction_id, values=values)
        return Judgement(
            policy=plan.judged.policy,
            findings=package.findings + plan.judged.findings,
            package=package,
            sketch=sketch,
            planned=planned,
        )

    def _compared(
        self,
        judged: Judgement,
        package: mime.Package,
        shape: _Shape,
        marks: tuple[Mark, ...],
        plain: Plain,
        receive: Receive,
    ) -> Judgement:
        """``judged``, or what the plain path says where that is something else."""
        right = plain(package)
        if right.error is None and right.findings == judged.findings and receive(right) == judged.planned:
            return judged
        _LOG.error("a plan of %s disagreed with the plain path and is no longer used", right.sketch.operation)
        shape.plans[marks] = None
        return right

    # --- learning -----------------------------------------------------------------------------------------------------

    def _learn(
        self,
        key: Key,
        shape: _Shape | None,
        split: _Split,
        marks: tuple[Mark, ...] | None,
        judged: Judgement,
        package: mime.Package,
        plain: Plain,
        receive: Receive,
    ) -> None:
        """Make a plan of what was seen the second time, and accepted each time."""
        if not split.texts or any(b">" in text for text in split.texts):
            return
        if shape is None:
            charset = (key[1] or "").strip().lower().encode("latin-1", "replace")
            found = _ENCODING.match(split.around[0])
            wide = charset in _UTF8 and (found is None or found[1].lower() in _UTF8)
            shape = _Shape(_slots(split, wide), {})
            marks = None
        marks = _marks(shape.slots, split.texts) if marks is None else marks
        self._credit = min(64.0, self._credit + 1 / 16)
        once = hash((key, marks))
        if self._seen.get(once) is None:
            self._seen.put(once, True)
            return
        if self._credit < 1:
            return
        self._credit -= 1
        plan = self._made(shape, split, judged, package, plain, receive)
        if len(shape.plans) >= _MARKED:
            shape.plans.clear()
        shape.plans[_marks(shape.slots, split.texts)] = plan
        if self._shapes.get(key) is not shape:
            self._octets += sum(map(len, split.around))
            if self._octets > _OCTETS:
                self._octets = 0
                self._shapes.turn()
            self._shapes.put(key, shape)

    def _made(
        self,
        shape: _Shape,
        split: _Split,
        judged: Judgement,
        package: mime.Package,
        plain: Plain,
        receive: Receive,
    ) -> _Plan | None:
        """The plan, after another envelope of its marks was read; None where there can be none."""
        while True:
            marks = _marks(shape.slots, split.texts)
            texts = list(split.texts)
            free = {at: shape.slots[at].classes[mark - 1] for at, mark in enumerate(marks) if isinstance(mark, int)}
            examples = {at: one.example(at + 1) for at, one in free.items()}
            for at, example in examples.items():
                texts[at] = example.encode()
            other = plain(replace(package, root=split.joined(texts)))
            if other.error is not None or _asked(other, package) != _asked(judged, package):
                return None
            ours, theirs = receive(judged), receive(other)
            if ours.message.unparsed or ours.message.extensions:
                return None  # they hold texts of the envelope in places that no plan knows
            plan, unplaced = _planned(judged, ours, theirs, free, examples, package)
            if not unplaced:
                break
            shape.slots = [_Slot((), None) if at in unplaced else slot for at, slot in enumerate(shape.slots)]
            shape.plans.clear()
        try:
            same = _fill(plan, split.texts, package.parts) == ours and _fill(plan, texts, package.parts) == theirs
        except (Mm7Error, ValueError):
            return None
        return plan if same else None


def _asked(judged: Judgement, package: mime.Package) -> tuple[object, ...]:
    """What must be the same of two envelopes with one plan."""
    sketch, repaired = judged.sketch, judged.repaired
    found = judged.findings[len(package.findings) :]
    names = (sketch.operation, sketch.namespace, sketch.mm7_version, sketch.has_content)
    return (*names, found, repaired and (repaired.namespace, repaired.read_as))


def _planned(
    judged: Judgement,
    ours: Planned,
    theirs: Planned,
    free: Mapping[int, _Class],
    examples: Mapping[int, str],
    package: mime.Package,
) -> tuple[_Plan, set[int]]:
    """The plan, and the slots whose values came out in no place, or in several."""
    placed: list[tuple[int, Callable[[str], Value], _Field]] = []
    transaction: int | None = None
    reference: int | None = None
    unplaced: set[int] = set()
    for at, kind in free.items():
        text = examples[at]
        places = _places(theirs.message, text, kind.value(text))
        if theirs.transaction_id == text and not places and transaction is None:
            transaction = at
        elif len(places) == 1 and theirs.transaction_id != text:
            placed.append((at, kind.value, places[0]))
            if kind is _CID:
                reference = at
        else:
            unplaced.add(at)
    given = {one.name: getattr(ours.message, one.name) for one in fields(ours.message)}
    kept = replace(
        judged,
        findings=judged.findings[len(package.findings) :],
        package=None,
        tree=None,
        repaired=None,
        sketch=replace(judged.sketch, values={"content_href": judged.sketch.values.get("content_href")}),
    )
    plan = _Plan(kept, ours, type(ours.message), given, tuple(placed), transaction, reference)
    return plan, unplaced


# --- writing ----------------------------------------------------------------------------------------------------------

_WRITTEN: Mapping[str, tuple[_Class, ...]] = {
    **dict.fromkeys(("transaction_id", "message_id", "linked_id", "vaspid", "vasid", "service_code"), (_TOKEN,)),
    **dict.fromkeys(("subject", "text"), (_TOKEN, _LINE)),
    **dict.fromkeys(("time_stamp", "date", "expiry_date", "earliest_delivery_time"), _MOMENTS),
    "content_href": _REFERENCE,
    "Number": (_PLUS, _DIGITS),
    "ShortCode": (_DIGITS,),
    "RFC2822Address": (_MAIL,),
}
_APART = frozenset({"parts", "extensions", "unparsed", "previously_sent"})
_PLAIN = (str, bool, int, type(None), timedelta, ReplyCharging, UACapabilities)


class _Values:
    """The values of one message that a plan may fill in, the first of them its TransactionID; and its marks."""

    __slots__ = ("free", "kinds", "marks", "texts")

    def __init__(self) -> None:
        self.marks: list[object] = []
        self.texts: list[bytes] = []
        self.kinds: list[_Class] = []
        self.free: list[tuple[str, int | None]] = []

    def add(self, classes: tuple[_Class, ...], text: str, name: str, at: int | None = None) -> None:
        """One value: its class is its mark, or it is a mark itself."""
        octets = text.encode("utf-8", "surrogatepass")
        found = _pattern(classes, False).fullmatch(octets) if classes else None
        if found is None or found.lastindex is None:
            self.marks.append(_literal(text))
            return
        self.marks.append((_Class, found.lastindex))  # no value reads like a class
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
            values.add(_MOMENTS, moment_text(held, name), name)
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

    def __init__(self, *, checked: int = _CHECKED) -> None:
        self._plans: _Generations[object, _Pieces] = _Generations(_SHAPES)
        self._seen: _Generations[int, bool] = _Generations(_SEEN)
        self._checked = checked
        self._octets = 0
        self._uses = itertools.count(1)
        self._credit = 64.0

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
            self._credit = min(64.0, self._credit + 0.25)
            octets = _put(plan, values.texts)
            if self._checked and next(self._uses) % self._checked == 0 and octets != write(message, transaction_id):
                _LOG.error("a plan of %s disagreed with the plain path and is no longer used", type(message).__name__)
                self._plans.drop(key)
                return write(message, transaction_id)
            return octets
        octets = write(message, transaction_id)
        self._credit = min(64.0, self._credit + 1 / 16)
        once = hash(key)
        if self._seen.get(once) is None:
            self._seen.put(once, True)
        elif self._credit >= 1 and len(octets) <= LONGEST:
            self._credit -= 1
            made = _pieces(message, values, octets, write)
            if made is not None:
                self._octets += len(octets)
                if self._octets > _OCTETS:
                    self._octets = 0
                    self._plans.turn()
                self._plans.put(key, made)
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
            held[at] = _with_value(held[at], example)
            changes[name] = tuple(held)
        elif isinstance(held, Address):
            changes[name] = _with_value(held, example)
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


@cache
def shared_for_writing() -> WritePlans:
    """The plans of this process, for writing."""
    return WritePlans()


@cache
def shared() -> Plans:
    """The plans of this process."""
    return Plans()


@cache
def shared_for_answers() -> Plans:
    """The plans of this process, for answers: they are repaired as answers, whatever they say they are."""
    return Plans()


@cache
def plans_are_on() -> bool:
    """Whether plans are used where nobody says: not with ``MM7ZEEP_PLANS=0``."""
    return os.environ.get(SWITCH, "1") != "0"
