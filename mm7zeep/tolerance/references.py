"""Content and what it refers to: the reference put into href, where the schema has it.

Refuses with 2004 (TS 23.140 8.7.8.3) an element inside Content that is not understood. Whether what is named came, the
package says (``exchange.judge``).
"""

from __future__ import annotations

from lxml import etree

from mm7zeep import schema
from mm7zeep.errors import SchemaError
from mm7zeep.tolerance.context import Context


def mend_content(context: Context, node: etree._Element) -> None:
    """Mend the reference of ``node``, a Content."""
    reference, named = schema.content_reference(node), [name for name in node.attrib if _plain(name) == "href"]
    if reference is not None and not any(node.get(name) == reference for name in named):
        _set(context, node, reference)
    for child in list(node):
        what = schema.local(child)
        message = f"Content holds {what}, which is not understood; Content refers to its parts by href alone"
        context.repairs.refuse(message, "schema/unknown-element", child, detail=what, status=2004, kind=SchemaError)
        context.drop(child, keep="")


def _set(context: Context, node: etree._Element, reference: str) -> None:
    """Put ``reference``, which stands elsewhere, into href."""
    for name in list(node.attrib):
        if _plain(name) == "href" or (_plain(name) == "src" and node.get(name) == reference):
            del node.attrib[name]
    place = "src"
    if (node.text or "").strip() == reference:
        place, node.text = "text", None
    for child in list(node):
        if schema.local(child).lower() == "href" and (child.text or "").strip() == reference:
            place = "an element"
            node.remove(child)
    context.repairs.add("schema/attribute", node, detail=f"{place} for href")
    node.set("href", reference)


def _plain(attribute: str) -> str:
    return etree.QName(attribute).localname.lower()
