"""Plans for reading: what the plain path made of a shape, and where its values stand in it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from mm7zeep import mime
from mm7zeep.envelope import no_values
from mm7zeep.errors import Mm7Error
from mm7zeep.exchange.plans.generations import CHECKED, LONGEST, SHAPES, Generations, Learning
from mm7zeep.exchange.plans.shapes import ENCODING, UTF8, Mark, Split, marks_of, slots_of, split_of
from mm7zeep.exchange.plans.value_classes import CID, Slot, Value, ValueClass, with_value
from mm7zeep.exchange.wire import Judgement, Planned
from mm7zeep.messages import Address, Message, Part
from mm7zeep.profiles import Policy
from mm7zeep.status import Status

_LOG = logging.getLogger("mm7zeep.exchange.plans")
_MARKED = 64  # plans of one shape


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
            given[name][at] = with_value(given[name][at], text)
            continue
        before = given[name]
        if isinstance(before, Address):
            given[name] = with_value(before, text)
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


@dataclass(slots=True)
class Shape:
    """One shape: its slots, and the plan for each combination of marks; None where there can be none."""

    slots: list[Slot]
    plans: dict[tuple[Mark, ...], _Plan | None]


Plain = Callable[[mime.Package], Judgement]
"""Judges the SOAP part of a package without plans."""
Receive = Callable[[Judgement], Planned]
"""Reads the message of an accepted judgement."""
Key = tuple[Policy, str | None, tuple[bytes, ...]]


class _Found(NamedTuple):
    """An envelope taken apart, and what is kept of its shape."""

    key: Key
    split: Split
    shape: Shape | None
    marks: tuple[Mark, ...] | None
    plan: _Plan | None


class Plans:
    """The plans of one process, for reading. Thread-safe; a hit takes no lock.

    ``checked``: one of so many uses is compared with the plain path; a plan that disagrees is logged and never used
    again. What is kept is bounded: 512 shapes, 8 MiB of them, 64 combinations of marks each.
    """

    def __init__(self, *, checked: int = CHECKED) -> None:
        self._shapes: Generations[Key, Shape] = Generations(SHAPES)
        self._learning = Learning(checked)

    def judged(self, package: mime.Package, *, policy: Policy, size: int, plain: Plain, receive: Receive) -> Judgement:
        """The judgement of the SOAP part of ``package``, which has at most ``size`` octets: by its plan, or else by
        ``plain``, which may then leave a plan.
        """
        found = self._found(package, policy, size)
        if found is None:
            return plain(package)
        judged = self._of(found, package, plain, receive)
        if judged is not None:
            return judged
        judged = plain(package)
        excluded = found.shape is not None and found.plan is None and found.marks in found.shape.plans
        if judged.error is None and judged.repaired is not None and policy != "lenient" and not excluded:
            self._learn(found.key, found.shape, found.split, found.marks, judged, package, plain, receive)
        return judged

    def known(
        self, package: mime.Package, *, policy: Policy, size: int, plain: Plain, receive: Receive
    ) -> Judgement | None:
        """The judgement of the SOAP part of ``package`` by its plan; None where it has none."""
        found = self._found(package, policy, size)
        return None if found is None else self._of(found, package, plain, receive)

    def _found(self, package: mime.Package, policy: Policy, size: int) -> _Found | None:
        """What is kept of an envelope's shape; None for an envelope that can have no plan."""
        root = package.root
        split = split_of(root) if len(root) <= min(LONGEST, size) else None
        if split is None:
            return None
        key = (policy, package.root_content_type.get("charset"), split.around)
        shape = self._shapes.get(key)
        if shape is None:
            return _Found(key, split, None, None, None)
        marks = marks_of(shape.slots, split.texts)
        return _Found(key, split, shape, marks, shape.plans.get(marks))

    def _of(self, found: _Found, package: mime.Package, plain: Plain, receive: Receive) -> Judgement | None:
        """The judgement by the plan that was found; None where there is none, or a value is none of its kind."""
        shape, marks, plan = found.shape, found.marks, found.plan
        if shape is None or marks is None or plan is None:
            return None
        judged = self._by_plan(plan, found.split, package)
        if judged is not None and self._learning.used():
            return self._compared(judged, package, shape, marks, plain, receive)
        return judged

    def _by_plan(self, plan: _Plan, split: Split, package: mime.Package) -> Judgement | None:
        try:
            planned = _fill(plan, split.texts, package.parts)
        except (Mm7Error, ValueError):
            return None
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
        shape: Shape,
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
        shape: Shape | None,
        split: Split,
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
            found = ENCODING.match(split.around[0])
            wide = charset in UTF8 and (found is None or found[1].lower() in UTF8)
            shape = Shape(slots_of(split, wide), {})
            marks = None
        marks = marks_of(shape.slots, split.texts) if marks is None else marks
        if not self._learning.takes(hash((key, marks))):
            return
        plan = self._made(shape, split, judged, package, plain, receive)
        if len(shape.plans) >= _MARKED:
            shape.plans.clear()
        shape.plans[marks_of(shape.slots, split.texts)] = plan
        if self._shapes.get(key) is not shape:
            self._shapes.put(key, shape, sum(map(len, split.around)))

    def _made(
        self,
        shape: Shape,
        split: Split,
        judged: Judgement,
        package: mime.Package,
        plain: Plain,
        receive: Receive,
    ) -> _Plan | None:
        """The plan, after another envelope of its marks was read; None where there can be none."""
        while True:
            marks = marks_of(shape.slots, split.texts)
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
            shape.slots = [Slot((), None) if at in unplaced else slot for at, slot in enumerate(shape.slots)]
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
    free: Mapping[int, ValueClass],
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
            if kind is CID:
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
