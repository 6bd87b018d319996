"""What stands where addresses belong: in Recipients and its To, Cc and Bcc, in Recipient, Sender, SenderAddress,
UserAgent.

Mends names and places that can mean one thing only. Refuses the others with 2002 (TS 23.140 8.7.8.3, Address Error): an
address that was not understood is a recipient who gets nothing, and must not come with a success. Keeps as an extension
what it refuses, for those who read all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lxml import etree

from mm7zeep import schema
from mm7zeep.errors import SchemaError
from mm7zeep.tolerance import values
from mm7zeep.tolerance.context import XSI, Context

ATTRIBUTES = ("displayOnly", "addressCoding", "id")
"""What an address can carry."""

PARTIES: Mapping[str, str] = MappingProxyType({"recipients": "Recipient", "recipient": "Recipients"})
"""The one name for the other, where only the other has a place: reports have one Recipient, messages Recipients."""

_GROUPS = ("To", "Cc", "Bcc")
_WRAPPERS = ("recipient", "address")  # around an address, wherever one may stand, these say nothing more
_MORE_WRAPPERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Recipient": ("to", "cc", "bcc"),
        "Sender": ("sender", "senderaddress"),
        "SenderAddress": ("sender", "senderaddress"),
    }
)


def holds_address(kind: schema.Type) -> bool:
    """Whether elements of ``kind`` hold one address or several."""
    return kind.choice and kind.child("Number") is not None


def holds_groups(kind: schema.Type) -> bool:
    """Whether elements of ``kind`` hold To, Cc and Bcc."""
    return kind.choice and kind.child("To") is not None


def mend_holder(context: Context, node: etree._Element, kind: schema.Type) -> None:
    """Mend what stands directly in ``node``, which holds addresses or groups of them."""
    _take_text(context, node, kind)
    pending = list(node)
    while pending:
        child = pending.pop(0)
        name = schema.local(child)
        own = schema.namespace_of(child) == context.namespace
        exact = _known(kind, name) if own else None
        if exact is not None:
            _rename(context, child, exact)
        elif own and holds_groups(kind) and schema.address_name(name):
            _into_group(context, child)
        elif own and holds_groups(kind) and name.lower() == "recipient" and _has_address(child):
            _rename(context, child, "To")
        elif own and holds_address(kind) and _is_wrapper(node, child):
            context.repairs.add("schema/address-name", child, detail=name)
            pending = _unwrap(child) + pending
        else:
            refuse(context, child, f"{schema.local(node)} holds {name}, which is no address that is understood")
    if not kind.repeats:
        for child in list(node)[1:]:
            what = f"{schema.local(node)} holds more than one address; send one"
            _refuse(context, child, what, "schema/repeated-element")


def refuse(context: Context, child: etree._Element, message: str) -> None:
    """Refuse the message for ``child``, which is not understood, and take it out as an extension."""
    _refuse(context, child, f"{message}; use Number, RFC2822Address or ShortCode", "schema/unknown-element")


def _refuse(context: Context, child: etree._Element, message: str, id: str) -> None:
    context.repairs.refuse(message, id, child, detail=schema.local(child), status=2002, kind=SchemaError)
    context.drop(child, keep="")


def refuse_attribute(context: Context, node: etree._Element, name: str, value: str) -> None:
    """Refuse the message for an attribute that says how an address is to be taken, in words that nobody knows."""
    message = f"{name}={value[:40]!r} of {schema.local(node)} cannot be understood"
    context.repairs.refuse(message, "schema/attribute", node, detail=f"@{name}={value}", status=2002, kind=SchemaError)


def mend_party(context: Context, child: etree._Element, kind: schema.Type) -> bool:
    """Whether ``child`` is Recipients where ``kind`` has Recipient, or the other way round; then it is mended.

    Beside the right one it is refused: which of the two is meant, nobody can know.
    """
    name = schema.local(child)
    other = PARTIES.get(name.lower())
    if other is None or kind.child(other) is None:
        return False
    if schema.parent_of(child).find(context.own + other) is not None:
        _refuse(context, child, f"{name} stands beside {other}; send {other} alone", "schema/unknown-element")
        return True
    context.repairs.add("schema/address-name", child, detail=f"{name} for {other}")
    child.tag = context.own + other
    return True


def _known(kind: schema.Type, name: str) -> str | None:
    alias = schema.address_name(name) if holds_address(kind) else None
    return alias or next((one.name for one in kind.children if one.name.lower() == name.lower()), None)


def _rename(context: Context, child: etree._Element, exact: str) -> None:
    name = schema.local(child)
    if name != exact:
        context.repairs.add("schema/name-case" if exact in _GROUPS else "schema/address-name", child, detail=name)
        child.tag = context.own + exact


def _into_group(context: Context, child: etree._Element) -> None:
    """An address directly in Recipients is one to send to: Cc and Bcc would be said."""
    context.repairs.add("schema/address-name", child, detail=f"{schema.local(child)} in Recipients")
    group = etree.Element(f"{context.own}To")
    schema.parent_of(child).replace(child, group)
    group.append(child)


def _has_address(node: etree._Element) -> bool:
    return any(schema.address_name(schema.local(one)) for one in node)


def _is_wrapper(node: etree._Element, child: etree._Element) -> bool:
    """Whether ``child`` says nothing but that there is an address in it."""
    holder = schema.local(node)
    names = (holder.lower(), *_WRAPPERS, *_MORE_WRAPPERS.get(holder, ()))
    plain = not [one for one in child.attrib if not one.startswith(XSI)]
    return plain and _has_address(child) and not _text(child) and schema.local(child).lower() in names


def _unwrap(child: etree._Element) -> list[etree._Element]:
    """Put what is in ``child`` in its place."""
    inner, parent = list(child), schema.parent_of(child)
    at = parent.index(child)
    parent[at : at + 1] = inner
    return inner


def _take_text(context: Context, node: etree._Element, kind: schema.Type) -> None:
    """Text that stands alone where an address belongs is the address; beside elements it may be one more."""
    loose = _text(node)
    if not loose:
        return
    node.text = None
    for one in node:
        one.tail = None
    if len(node):
        message = f"{schema.local(node)} holds text beside elements; wrap each address in an element"
        context.repairs.refuse(message, "schema/address-untyped", node, detail=loose, status=2002, kind=SchemaError)
        context.unparsed.append((schema.local(node), loose))
        return
    context.repairs.add("schema/address-untyped", node, detail=loose)
    holder = etree.SubElement(node, f"{context.own}To") if holds_groups(kind) else node
    etree.SubElement(holder, context.own + values.address_kind(loose)).text = loose


def _text(node: etree._Element) -> str:
    return "".join(text for text in (node.text, *(one.tail for one in node)) if text and text.strip()).strip()
