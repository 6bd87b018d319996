"""One element after the other, from the message downward, by the kind of content that its schema type has.

Keeps raw what it cannot understand; refuses what is mandatory and cannot be read.
"""

from __future__ import annotations

from lxml import etree

from mm7zeep import namespaces, schema
from mm7zeep.errors import SchemaError
from mm7zeep.tolerance import addresses, children, references, required
from mm7zeep.tolerance.attributes import mend_attributes
from mm7zeep.tolerance.context import ADDRESS_NAMES, MOST_EXTENSIONS, PLACEHOLDER_DATE, SUPERSET, XSI, Context
from mm7zeep.tolerance.forms import in_form
from mm7zeep.tolerance.namespaces import operation_name


def start(context: Context, message: etree._Element) -> None:
    """Mend ``message`` and all that is in it. Raises ``TooMany`` where it gives up."""
    name = schema.local(message)
    kind = schema.model(context.namespace).get(name)
    wider = schema.model(SUPERSET).get(name)
    if kind is None and wider is not None:
        context.repairs.add("schema/version-element", message, detail=name, action="noted")
        context.later(message)
        return
    if kind is None:
        context.repairs.add("schema/name-case", message, detail=name)
        message.tag = f"{context.own}{operation_name(message)}"
        start(context, message)
        return
    mend(context, message, kind, wider)


def mend(context: Context, node: etree._Element, kind: schema.Type, wider: schema.Type | None) -> None:
    """Mend ``node``, which is of ``kind`` in the namespace of this pass and of ``wider`` in the latest release."""
    if schema.local(node) == "Content":
        references.mend_content(context, node)
    if kind.content == "empty":
        _empty(context, node)
    mend_attributes(context, node, kind, wider)
    match kind.content:
        case "text":
            _text(context, node, kind, wider)
        case "empty":
            pass
        case "any":
            _any(context, node)
        case _:
            _elements(context, node, kind, wider)


def _text(context: Context, node: etree._Element, kind: schema.Type, wider: schema.Type | None) -> None:
    typed = any(schema.address_name(schema.local(one)) for one in node)
    if typed and wider is not None and wider.content == "elements":
        context.repairs.add("schema/address-typed-early", node, action="noted")
        context.later(node)
        return
    given = "".join([node.text or "", *(child.tail or "" for child in node)])
    for index, child in enumerate(list(node)):
        if schema.local(node) in (*ADDRESS_NAMES, "SenderAddress", "ChargedPartyID"):
            addresses.refuse(
                context, child, f"{schema.local(node)} holds {schema.local(child)}, which is not understood"
            )
        else:
            context.unknown(child, index)
    fixed = in_form(context, node, given, kind.simple, kind.values)
    if fixed is None:
        _unread(context, node, given)
    else:
        node.text = fixed


def _unread(context: Context, node: etree._Element, given: str) -> None:
    name = schema.local(node)
    if given.strip():
        context.unparsed.append((name, given))
    if name in ADDRESS_NAMES:
        context.drop(node)  # whoever holds it will say whether it can do without
    elif name == "MM7Version":
        node.text = context.profile.mm7_version
        if not given.strip():
            context.unparsed.append((name, ""))
    elif name in ("Date", "TimeStamp") and context.mandatory(node):
        node.text = PLACEHOLDER_DATE
    elif name == "MMStatus":
        node.text = "Indeterminate"
    elif context.mandatory(node):
        kind_of_value = context.repairs.findings.pop().id  # noted so far; it is the reason to refuse
        message = f"{name} {given.strip()[:40]!r} cannot be read"
        context.repairs.refuse(message, kind_of_value, node, detail=given, kind=SchemaError)
        context.refused.add((schema.path(schema.parent_of(node)), name))
        context.drop(node)
    else:
        context.drop(node)


def _empty(context: Context, node: etree._Element) -> None:
    inside = "".join(node.itertext())
    if len(node) or inside:
        context.repairs.add("schema/empty-types", node, detail=inside.strip())
        if inside.strip():
            context.unparsed.append((schema.local(node), inside))
        for index, child in enumerate(list(node)):
            context.extension(child, index)
            node.remove(child)
        node.text = None


def _any(context: Context, node: etree._Element) -> None:
    """Take out what Details holds: nothing that is only looked at needs to be known to any schema, or to zeep."""
    if sum(1 for _ in node.iter()) > MOST_EXTENSIONS:
        raise context.too_many("elements in Details", node)
    for one in node.iter():
        for attribute in [a for a in one.attrib if a.startswith(XSI)]:
            del one.attrib[attribute]
    loose = "".join(text for text in (node.text, *(one.tail for one in node)) if text).strip()
    if loose:
        context.repairs.add("schema/details", node, detail=loose)
    shown = [node.text or ""]
    for one in node:
        text = one.tag == namespaces.DETAILS_TEXT and not len(one)
        shown += [(one.text or "") if text else namespaces.fragment(one), one.tail or ""]
    context.details = "".join(shown).strip() or context.details
    node[:] = []
    node.text = None


def _elements(context: Context, node: etree._Element, kind: schema.Type, wider: schema.Type | None) -> None:
    if addresses.holds_address(kind) or addresses.holds_groups(kind):
        addresses.mend_holder(context, node, kind)
    else:
        children.take_loose_text(context, node)
        for index, child in enumerate(list(node)):
            if isinstance(child.tag, str):
                children.mend_name(context, child, index, kind, wider)
        children.take_repeated(context, node, kind)
    sent = [schema.local(child) for child in node if isinstance(child.tag, str)]
    for child in list(node):
        found = kind.child(schema.local(child)) if schema.namespace_of(child) == context.namespace else None
        if found is not None:
            later = wider.child(schema.local(child)) if wider is not None else None
            mend(context, child, found.type, later.type if later is not None else None)
    children.note_order(context, node, kind, sent)
    required.fill(context, node, kind, wider)
    children.sort(context, node, kind)
