"""The children of one element: stray text between them, their names, how often they stand there, in what order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby

from lxml import etree

from mm7zeep import schema
from mm7zeep.errors import SchemaError
from mm7zeep.findings import NAMED, listed
from mm7zeep.tolerance import addresses
from mm7zeep.tolerance.context import SYNONYMS, Context

# whom or what a message is about: of two, nobody can know which one is meant
_ONLY_ONE = ("Recipients", "Recipient", "Sender", "SenderAddress", "SenderIdentification", "Content")


def take_loose_text(context: Context, node: etree._Element) -> None:
    """Take stray text out."""
    loose = "".join(text for text in (node.text, *(one.tail for one in node)) if text and text.strip()).strip()
    if not loose:
        return
    node.text = None
    for one in node:
        one.tail = None
    context.repairs.add("schema/unstated", node, detail=loose, action="kept-raw")
    context.unparsed.append((schema.local(node), loose))


def mend_name(
    context: Context, child: etree._Element, index: int, kind: schema.Type, wider: schema.Type | None
) -> None:
    """Give ``child`` the name that ``kind`` has for it; leave it to the second pass if only ``wider`` has one.

    What neither knows becomes an extension, at ``index``.
    """
    node = schema.parent_of(child)
    name = schema.local(child)
    if schema.namespace_of(child) != context.namespace:
        context.unknown(child, index)
        return
    if kind.child(name) is not None:
        return
    exact = next((one.name for one in kind.children if one.name.lower() == name.lower()), None)
    if exact is not None:
        context.repairs.add("schema/name-case", child, detail=name)
        child.tag = context.own + exact
        return
    other = SYNONYMS.get(name)
    if other and kind.child(other) is not None and all(schema.local(one) != other for one in node):
        context.repairs.add(
            "schema/name-case" if name == "Detail" else "schema/version-element",
            child,
            detail=f"{name} for {other}",
        )
        child.tag = context.own + other
        return
    if wider is not None and wider.child(name) is not None:
        of_answer = schema.local(node) == "SubmitRsp"  # its MessageID: the one element that every 5/1-0 sender adds
        id = "schema/message-id-rsp" if of_answer else "schema/version-element"
        context.repairs.add(id, child, detail=f"{name} is not in {context.profile.schema}", action="noted")
        context.later(child)
        return
    if not addresses.mend_party(context, child, kind):
        context.unknown(child, index)


def take_repeated(context: Context, node: etree._Element, kind: schema.Type) -> None:
    """Make extensions of what stands there more often than ``kind`` allows."""
    if kind.repeats:
        return
    seen: dict[str, int] = {}
    for index, child in enumerate(list(node)):
        name = schema.local(child)
        found = kind.child(name)
        seen[name] = seen.get(name, 0) + 1
        if found is not None and found.max is not None and seen[name] > found.max:
            if name in _ONLY_ONE:
                message = f"{name} stands there more than once; send one"
                context.repairs.refuse(message, "schema/repeated-element", child, detail=name, kind=SchemaError)
            else:
                context.repairs.add("schema/repeated-element", child, detail=name, action="kept-raw")
            context.extension(child, index)
            node.remove(child)


def note_order(context: Context, node: etree._Element, kind: schema.Type, sent: Sequence[str]) -> None:
    """Say which children are not in the schema's order: the fewest that, put elsewhere, leave the others in order.

    ``sent`` are the names of all children that there were, also of those that were taken out of ``node``.
    """
    if not kind.ordered:
        return
    places = {one.name: index for index, one in enumerate(kind.children)}
    mine = [name for name in sent if name in places]
    ranks = [places[name] for name in mine]
    if ranks != sorted(ranks):
        context.repairs.add("schema/order", node, detail=listed(_misplaced(mine, ranks), _grouped))


def _misplaced(names: list[str], ranks: list[int]) -> list[tuple[str, str]]:
    """Each misplaced child, and the farthest one that it stands on the wrong side of: ``before Subject``."""
    kept = _in_order(ranks)
    in_place = set(kept)
    found: list[tuple[str, str]] = []
    for index, rank in enumerate(ranks):
        if index in in_place:
            continue
        if len(found) >= NAMED:  # it is only counted
            found.append((names[index], ""))
            continue
        earlier = next((one for one in kept if one < index and ranks[one] > rank), None)
        if earlier is not None:
            found.append((names[index], f"after {names[earlier]}"))
        else:
            later = next(one for one in reversed(kept) if one > index and ranks[one] < rank)
            found.append((names[index], f"before {names[later]}"))
    return found


def _grouped(misplaced: Sequence[tuple[str, str]]) -> str:
    groups = groupby(misplaced, key=lambda one: one[1])
    return " and ".join(f"{', '.join(name for name, _ in group)} {side}" for side, group in groups)


def _in_order(ranks: list[int]) -> list[int]:
    """The indices of a longest run of ``ranks`` that does not fall; of several the one that begins the earliest."""
    tops: list[int] = []  # tops[n]: the highest rank, negated, that a run of n + 1 from here on may begin with
    lengths: list[int] = []
    for rank in reversed(ranks):
        length = bisect_right(tops, -rank)
        tops[length : length + 1] = [-rank]
        lengths.append(length + 1)
    lengths.reverse()
    kept: list[int] = []
    left = max(lengths, default=0)
    for index, rank in enumerate(ranks):
        if lengths[index] == left and (not kept or rank >= ranks[kept[-1]]):
            kept.append(index)
            left -= 1
    return kept


def sort(context: Context, node: etree._Element, kind: schema.Type) -> None:
    """Into the schema's order; what this schema has no place for stands last, for the second pass."""
    if kind.ordered:
        places = {one.name: index for index, one in enumerate(kind.children)}
        wanted = sorted(node, key=lambda one: places.get(schema.local(one), len(places)))
        if wanted != list(node):
            node[:] = wanted
