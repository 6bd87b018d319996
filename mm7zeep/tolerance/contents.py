"""The walk itself: each element by the kind of content that its schema type has, from the message downward.

Keeps raw what it cannot understand; refuses what is mandatory and cannot be read.
"""

from __future__ import annotations

from lxml import etree

from mm7zeep import schema
from mm7zeep.errors import SchemaError
from mm7zeep.tolerance import addresses, children, missing, references
from mm7zeep.tolerance.attributes import mend_attributes
from mm7zeep.tolerance.forms import in_form
from mm7zeep.tolerance.namespaces import operation_name
from mm7zeep.tolerance.walk import ADDRESS_NAMES, MOST_EXTENSIONS, PLACEHOLDER_DATE, SUPERSET, XSI, Walk


def start(walk: Walk, message: etree._Element) -> None:
    """Walk over ``message`` and all that is in it. Raises ``TooMany`` where it gives up."""
    name = schema.local(message)
    kind = schema.model(walk.namespace).get(name)
    wider = schema.model(SUPERSET).get(name)
    if kind is None and wider is not None:
        walk.notes.add("schema/version-element", message, detail=name, action="noted")
        walk.later(message)
        return
    if kind is None:
        walk.notes.add("schema/name-case", message, detail=name)
        message.tag = f"{walk.own}{operation_name(message)}"
        start(walk, message)
        return
    mend(walk, message, kind, wider)


def mend(walk: Walk, node: etree._Element, kind: schema.Type, wider: schema.Type | None) -> None:
    """Mend ``node``, which is of ``kind`` in the walk's namespace and of ``wider`` in the latest release."""
    if schema.local(node) == "Content":
        references.mend_content(walk, node)
    if kind.content == "empty":
        _empty(walk, node)
    mend_attributes(walk, node, kind, wider)
    match kind.content:
        case "text":
            _text(walk, node, kind, wider)
        case "empty":
            pass
        case "any":
            _any(walk, node)
        case _:
            _elements(walk, node, kind, wider)


def _text(walk: Walk, node: etree._Element, kind: schema.Type, wider: schema.Type | None) -> None:
    typed = any(schema.address_name(schema.local(one)) for one in node)
    if typed and wider is not None and wider.content == "elements":
        walk.notes.add("schema/address-typed-early", node, action="noted")
        walk.later(node)
        return
    given = "".join([node.text or "", *(child.tail or "" for child in node)])
    for index, child in enumerate(list(node)):
        if schema.local(node) in (*ADDRESS_NAMES, "SenderAddress", "ChargedPartyID"):
            addresses.refuse(walk, child, f"{schema.local(node)} holds {schema.local(child)}, which is not understood")
        else:
            walk.unknown(child, index)
    fixed = in_form(walk, node, given, kind.simple, kind.values)
    if fixed is None:
        _unread(walk, node, given)
    else:
        node.text = fixed


def _unread(walk: Walk, node: etree._Element, given: str) -> None:
    name = schema.local(node)
    if given.strip():
        walk.unparsed.append((name, given))
    if name in ADDRESS_NAMES:
        walk.drop(node)  # whoever holds it will say whether it can do without
    elif name == "MM7Version":
        node.text = walk.profile.mm7_version
        if not given.strip():
            walk.unparsed.append((name, ""))
    elif name in ("Date", "TimeStamp") and walk.mandatory(node):
        node.text = PLACEHOLDER_DATE
    elif name == "MMStatus":
        node.text = "Indeterminate"
    elif walk.mandatory(node):
        kind_of_value = walk.notes.findings.pop().id  # told as noted so far; it is the reason to refuse
        message = f"{name} {given.strip()[:40]!r} cannot be read"
        walk.notes.refuse(message, kind_of_value, node, detail=given, kind=SchemaError)
        walk.refused.add((schema.path(schema.parent_of(node)), name))
        walk.drop(node)
    else:
        walk.drop(node)


def _empty(walk: Walk, node: etree._Element) -> None:
    inside = "".join(node.itertext())
    if len(node) or inside:
        walk.notes.add("schema/empty-types", node, detail=inside.strip())
        if inside.strip():
            walk.unparsed.append((schema.local(node), inside))
        for index, child in enumerate(list(node)):
            walk.extension(child, index)
            node.remove(child)
        node.text = None


def _any(walk: Walk, node: etree._Element) -> None:
    """Take out what Details holds: nothing that is only looked at needs to be known to any schema, or to zeep."""
    if sum(1 for _ in node.iter()) > MOST_EXTENSIONS:
        raise walk.too_many("elements in Details", node)
    for one in node.iter():
        for attribute in [a for a in one.attrib if a.startswith(XSI)]:
            del one.attrib[attribute]
    loose = "".join(text for text in (node.text, *(one.tail for one in node)) if text).strip()
    if loose:
        walk.notes.add("schema/details", node, detail=loose)
    shown = [node.text or ""]
    for one in node:
        shown += [etree.tostring(one, method="c14n", exclusive=True).decode(), one.tail or ""]
    walk.details = "".join(shown).strip() or walk.details
    node[:] = []
    node.text = None


def _elements(walk: Walk, node: etree._Element, kind: schema.Type, wider: schema.Type | None) -> None:
    if addresses.holds_address(kind) or addresses.holds_groups(kind):
        addresses.mend_holder(walk, node, kind)
    else:
        children.take_loose_text(walk, node)
        for index, child in enumerate(list(node)):
            if isinstance(child.tag, str):
                children.mend_name(walk, child, index, kind, wider)
        children.take_repeated(walk, node, kind)
    for child in list(node):
        found = kind.child(schema.local(child)) if schema.namespace_of(child) == walk.namespace else None
        if found is not None:
            later = wider.child(schema.local(child)) if wider is not None else None
            mend(walk, child, found.type, later.type if later is not None else None)
    children.note_order(walk, node, kind)
    missing.fill(walk, node, kind, wider)
    children.sort(walk, node, kind)
