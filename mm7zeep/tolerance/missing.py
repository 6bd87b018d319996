"""What one element should hold and does not: filled in where that can do no harm, else read by a later release.

Refuses what is mandatory and could only be made up.
"""

from __future__ import annotations

from lxml import etree

from mm7zeep import schema
from mm7zeep.errors import SchemaError
from mm7zeep.tolerance.walk import PLACEHOLDER_DATE, SYNONYMS, Walk


def fill(walk: Walk, node: etree._Element, kind: schema.Type, wider: schema.Type | None) -> None:
    """See to each mandatory child that ``node`` does not have, and to an address that holds none."""
    present = {schema.local(one) for one in node if schema.namespace_of(one) == walk.namespace}
    if kind.choice:
        if not present & {one.name for one in kind.children}:
            _hollow(walk, node)
        return
    for child in kind.children:
        if child.min and child.name not in present and (schema.path(node), child.name) not in walk.refused:
            _absent(walk, node, child, wider)
    _message_id(walk, node)


def _hollow(walk: Walk, node: etree._Element) -> None:
    """An address, or what should hold some, that holds none."""
    parent, name = schema.parent_of(node), schema.local(node)
    told = walk.notes.findings[-1:]  # an empty Number inside is the same deviation
    if told and told[0].id == "schema/empty-element" and told[0].where.startswith(schema.path(node) + "/"):
        walk.notes.findings.pop()
    holder = schema.model(walk.namespace).get(schema.local(parent))
    child = holder.child(name) if holder is not None else None
    if (child is not None and child.min == 0) or name in ("SenderAddress", "To", "Cc", "Bcc", "UserAgent"):
        walk.notes.add("schema/empty-element", node)
    else:
        message = f"{name} holds no address"
        walk.notes.refuse(message, "schema/missing-element", node, detail="address", kind=SchemaError, status=2002)
        walk.refused.add((schema.path(parent), name))
    parent.remove(node)


def _absent(walk: Walk, node: etree._Element, child: schema.Child, wider: schema.Type | None) -> None:
    holder, name = schema.local(node), child.name
    later = wider.child(name) if wider is not None else None
    synonym = SYNONYMS.get(name)
    if wider is not None and (later is None or later.min == 0) and not (synonym and wider.child(synonym)):
        walk.notes.add("schema/missing-element", node, detail=name, action="noted")
        walk.upgrade = True
    elif name == "MM7Version":
        walk.notes.add("version/present", node)
        element = etree.Element(walk.own + name)
        element.text = walk.profile.mm7_version
        walk.unparsed.append((name, ""))
        node.insert(0, element)
    elif name == "StatusText":
        walk.notes.add("schema/status-complete", node)
        etree.SubElement(node, walk.own + name)
    elif name == "MessageID" and holder == "SubmitRsp" and not _success(node):
        walk.notes.add("schema/message-id-rsp", node)
        walk.upgrade = walk.upgrade or child.type.simple == "NMTOKEN"  # which cannot be empty
        etree.SubElement(node, walk.own + name)
    elif name in ("Date", "TimeStamp"):
        walk.notes.add("schema/missing-element", node, detail=name)
        walk.unparsed.append((name, ""))
        etree.SubElement(node, walk.own + name).text = PLACEHOLDER_DATE
    else:
        id = "schema/message-id-rsp" if holder == "SubmitRsp" and name == "MessageID" else "schema/missing-element"
        walk.notes.refuse(f"{holder} has no {name}, which is mandatory", id, node, detail=name, kind=SchemaError)


def _message_id(walk: Walk, node: etree._Element) -> None:
    """TS 23.140 8.7.1: what is done to a message, or was made of one, names it."""
    found = next((one for one in node if schema.local(one) == "MessageID"), None)
    if found is None or (found.text or "").strip():
        return
    name = schema.local(node)
    if name == "SubmitRsp" and not _success(node):
        if walk.upgrade:
            walk.notes.add("schema/value", found, action="noted")
        return  # nothing was accepted, but the schema wants the element
    walk.notes.refuse(f"the MessageID of {name} is empty", "sem/message-id-empty", found, kind=SchemaError)


def _success(node: etree._Element) -> bool:
    code = next((one.text or "" for one in node.iter() if schema.local(one) == "StatusCode"), "")
    return code.strip().startswith("1")
