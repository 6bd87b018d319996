"""The attributes of one element: their names and values; what is not known is kept as a raw value."""

from __future__ import annotations

from lxml import etree

from mm7zeep import schema
from mm7zeep.tolerance import addresses
from mm7zeep.tolerance.context import ADDRESS_NAMES, XSI, Context
from mm7zeep.tolerance.forms import in_form

_HOLDERS = ("Recipients", "Recipient", "To", "Cc", "Bcc", "Sender", "SenderAddress", "UserAgent")


def mend_attributes(context: Context, node: etree._Element, kind: schema.Type, wider: schema.Type | None) -> None:
    """Mend the attributes of ``node``; without one that it must have, ``node`` becomes an extension.

    What only ``wider`` has, ``node`` keeps for the second pass.
    """
    for name, value in list(node.attrib.items()):
        plain = etree.QName(name).localname
        if name in kind.attributes:
            _attribute_value(context, node, name, value, kind.attributes[name][0])
        elif name.startswith(XSI):
            del node.attrib[name]
            if plain not in ("schemaLocation", "noNamespaceSchemaLocation"):
                context.repairs.add("schema/attribute", node, detail=name.replace(XSI, "xsi:"))
        elif exact := next((one for one in kind.attributes if one.lower() == plain.lower()), None):
            context.repairs.add("schema/attribute", node, detail=name)
            del node.attrib[name]
            if node.get(exact) is None:
                node.set(exact, value)
                _attribute_value(context, node, exact, value, kind.attributes[exact][0])
        elif wider is not None and name in wider.attributes:
            context.repairs.add(
                "schema/version-element", node, detail=f"{name} is not in {context.profile.schema}", action="noted"
            )
            context.upgrade = True
        elif "*" not in kind.attributes or not name.startswith("{"):
            if schema.local(node) in _HOLDERS and plain in addresses.ATTRIBUTES:
                addresses.refuse_attribute(context, node, plain, value)  # which of the addresses in it are meant?
            context.repairs.add("schema/attribute", node, detail=f"{plain}={value}", action="kept-raw")
            context.unparsed.append((f"{schema.local(node)}/@{plain}", value))
            del node.attrib[name]
    for name, (_, required) in kind.attributes.items():
        if required and node.get(name) is None:
            context.repairs.add("schema/attribute", node, detail=f"{name} is missing", action="kept-raw")
            context.drop(node, keep="")


def _attribute_value(context: Context, node: etree._Element, name: str, value: str, simple: str) -> None:
    fixed = in_form(context, node, value, simple, attribute=f"@{name}")
    if fixed is None:
        if schema.local(node) in ADDRESS_NAMES and name in ("displayOnly", "addressCoding"):
            addresses.refuse_attribute(context, node, name, value)
        context.unparsed.append((f"{schema.local(node)}/@{name}", value))
        del node.attrib[name]
    elif fixed != value:
        node.set(name, fixed)
