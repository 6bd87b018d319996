"""What one element should hold and does not: filled in where that can do no harm, else read by a later release.

Refuses what is mandatory and could only be made up.
"""

from __future__ import annotations

from lxml import etree

from mm7zeep import schema
from mm7zeep.errors import SchemaError
from mm7zeep.tolerance.context import PLACEHOLDER_DATE, SYNONYMS, Context


def fill(context: Context, node: etree._Element, kind: schema.Type, wider: schema.Type | None) -> None:
    """See to each mandatory child that ``node`` does not have, and to an address that holds none."""
    present = {schema.local(one) for one in node if schema.namespace_of(one) == context.namespace}
    if kind.choice:
        if not present & {one.name for one in kind.children}:
            _hollow(context, node)
        return
    for child in kind.children:
        if child.min and child.name not in present and (schema.path(node), child.name) not in context.refused:
            _absent(context, node, child, wider)
    _message_id(context, node)


def _hollow(context: Context, node: etree._Element) -> None:
    """An address, or what should hold some, that holds none."""
    parent, name = schema.parent_of(node), schema.local(node)
    reported = context.repairs.findings[-1:]  # an empty Number inside is the same deviation
    if reported and reported[0].id == "schema/empty-element" and reported[0].where.startswith(schema.path(node) + "/"):
        context.repairs.findings.pop()
    holder = schema.model(context.namespace).get(schema.local(parent))
    child = holder.child(name) if holder is not None else None
    if (child is not None and child.min == 0) or name in ("SenderAddress", "To", "Cc", "Bcc", "UserAgent"):
        context.repairs.add("schema/empty-element", node)
    else:
        message = f"{name} holds no address"
        context.repairs.refuse(message, "schema/missing-element", node, detail="address", kind=SchemaError, status=2002)
        context.refused.add((schema.path(parent), name))
    parent.remove(node)


def _absent(context: Context, node: etree._Element, child: schema.Child, wider: schema.Type | None) -> None:
    holder, name = schema.local(node), child.name
    later = wider.child(name) if wider is not None else None
    synonym = SYNONYMS.get(name)
    if wider is not None and (later is None or later.min == 0) and not (synonym and wider.child(synonym)):
        context.repairs.add("schema/missing-element", node, detail=name, action="noted")
        context.upgrade = True
    elif name == "MM7Version":
        context.repairs.add("version/present", node)
        element = etree.Element(context.own + name)
        element.text = context.profile.mm7_version
        context.unparsed.append((name, ""))
        node.insert(0, element)
    elif name == "StatusText":
        context.repairs.add("schema/status-complete", node)
        etree.SubElement(node, context.own + name)
    elif name == "MessageID" and holder == "SubmitRsp" and not _success(node):
        context.repairs.add("schema/message-id-rsp", node)
        context.upgrade = context.upgrade or child.type.simple == "NMTOKEN"  # which cannot be empty
        etree.SubElement(node, context.own + name)
    elif name in ("Date", "TimeStamp"):
        context.repairs.add("schema/missing-element", node, detail=name)
        context.unparsed.append((name, ""))
        etree.SubElement(node, context.own + name).text = PLACEHOLDER_DATE
    else:
        id = "schema/message-id-rsp" if holder == "SubmitRsp" and name == "MessageID" else "schema/missing-element"
        context.repairs.refuse(f"{holder} has no {name}, which is mandatory", id, node, detail=name, kind=SchemaError)


def _message_id(context: Context, node: etree._Element) -> None:
    """TS 23.140 8.7.1: what is done to a message, or was made of one, names it."""
    found = next((one for one in node if schema.local(one) == "MessageID"), None)
    if found is None or (found.text or "").strip():
        return
    name = schema.local(node)
    if name == "SubmitRsp" and not _success(node):
        if context.upgrade and not _is_filled(context):
            context.repairs.add("schema/value", found, action="noted")
        return  # nothing was accepted, but the schema wants the element
    context.repairs.refuse(f"the MessageID of {name} is empty", "sem/message-id-empty", found, kind=SchemaError)


def _is_filled(context: Context) -> bool:
    """Whether the MessageID is the empty one that stands in for what was not sent: its absence was told."""
    return any(one.id == "schema/message-id-rsp" for one in context.repairs.findings)


def _success(node: etree._Element) -> bool:
    code = next((one.text or "" for one in node.iter() if schema.local(one) == "StatusCode"), "")
    return code.strip().startswith("1")
