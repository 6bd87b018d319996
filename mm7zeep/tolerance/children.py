"""The children of one element: stray text between them, their names, how often they stand there, in what order."""

from __future__ import annotations

from lxml import etree

from mm7zeep import schema
from mm7zeep.errors import SchemaError
from mm7zeep.tolerance import addresses
from mm7zeep.tolerance.walk import SYNONYMS, Walk

# whom or what a message is about: of two, nobody can know which one is meant
_ONLY_ONE = ("Recipients", "Recipient", "Sender", "SenderAddress", "SenderIdentification", "Content")


def take_loose_text(walk: Walk, node: etree._Element) -> None:
    """Take stray text out."""
    loose = "".join(text for text in (node.text, *(one.tail for one in node)) if text and text.strip()).strip()
    if not loose:
        return
    node.text = None
    for one in node:
        one.tail = None
    walk.notes.add("schema/unstated", node, detail=loose, action="kept-raw")
    walk.unparsed.append((schema.local(node), loose))


def mend_name(walk: Walk, child: etree._Element, index: int, kind: schema.Type, wider: schema.Type | None) -> None:
    """Give ``child`` the name that ``kind`` has for it; leave it to the second walk if only ``wider`` has one.

    What neither knows becomes an extension, at ``index``.
    """
    node = schema.parent_of(child)
    name = schema.local(child)
    if schema.namespace_of(child) != walk.namespace:
        walk.unknown(child, index)
        return
    if kind.child(name) is not None:
        return
    exact = next((one.name for one in kind.children if one.name.lower() == name.lower()), None)
    if exact is not None:
        walk.notes.add("schema/name-case", child, detail=name)
        child.tag = walk.own + exact
        return
    other = SYNONYMS.get(name)
    if other and kind.child(other) is not None and all(schema.local(one) != other for one in node):
        walk.notes.add(
            "schema/name-case" if name == "Detail" else "schema/version-element",
            child,
            detail=f"{name} for {other}",
        )
        child.tag = walk.own + other
        return
    if wider is not None and wider.child(name) is not None:
        of_answer = schema.local(node) == "SubmitRsp"  # its MessageID: the one element that every 5/1-0 sender adds
        id = "schema/message-id-rsp" if of_answer else "schema/version-element"
        walk.notes.add(id, child, detail=f"{name} is not in {walk.profile.schema}", action="noted")
        walk.later(child)
        return
    if not addresses.mend_party(walk, child, kind):
        walk.unknown(child, index)


def take_repeated(walk: Walk, node: etree._Element, kind: schema.Type) -> None:
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
                walk.notes.refuse(message, "schema/repeated-element", child, detail=name, kind=SchemaError)
            else:
                walk.notes.add("schema/repeated-element", child, detail=name, action="kept-raw")
            walk.extension(child, index)
            node.remove(child)


def note_order(walk: Walk, node: etree._Element, kind: schema.Type) -> None:
    """Say the first child that is not in the schema's order."""
    if not kind.ordered:
        return
    places = {one.name: index for index, one in enumerate(kind.children)}
    mine = [one for one in node if schema.local(one) in places]
    ranks = [places[schema.local(one)] for one in mine]
    if ranks != sorted(ranks):
        walk.notes.add("schema/order", node, detail=_first_misplaced(mine, ranks))


def _first_misplaced(children: list[etree._Element], ranks: list[int]) -> str:
    for index in range(1, len(ranks)):
        if ranks[index] < ranks[index - 1]:
            return f"{schema.local(children[index])} after {schema.local(children[index - 1])}"
    return ""


def sort(walk: Walk, node: etree._Element, kind: schema.Type) -> None:
    """Into the schema's order; what this schema has no place for stands last, for the second walk."""
    if kind.ordered:
        places = {one.name: index for index, one in enumerate(kind.children)}
        wanted = sorted(node, key=lambda one: places.get(schema.local(one), len(places)))
        if wanted != list(node):
            node[:] = wanted
