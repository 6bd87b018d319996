"""Which bundled namespace a message is read by, and how its elements are brought into it.

Refuses none: what names no MM7 release is read by the latest.
"""

from __future__ import annotations

from functools import cache

from lxml import etree

from mm7zeep import namespaces, schema
from mm7zeep.profiles import NAMESPACES, REL_5_MM7_1_5
from mm7zeep.tolerance import soap
from mm7zeep.tolerance.context import SUPERSET

_ADDRESS_HOLDERS = ("To", "Cc", "Bcc", "Sender", "Recipient", "Recipients", "SenderAddress", "UserAgent")


def operation_name(message: etree._Element) -> str | None:
    """The name of the MM7 operation that ``message`` is, in any case of letters; None for no operation."""
    name = (schema.error_name(schema.local(message)) or schema.local(message)).lower()
    return next((one for one in sorted(schema.operation_names()) if one.lower() == name), None)


def header_namespace(root: etree._Element) -> str | None:
    """The bundled namespace of the TransactionID, if it is in one."""
    header = root.find(f"{soap.SOAP}Header")
    for block in header if header is not None else ():
        if schema.local(block) == "TransactionID":
            return namespaces.bundled(etree.QName(block).namespace)
    return None


def namespace_of(message: etree._Element, sent: str | None, root: etree._Element, repairs: soap.Repairs) -> str:
    """The bundled namespace to read ``message`` by."""
    if sent is not None and sent in NAMESPACES:
        if sent == REL_5_MM7_1_5.namespace:
            repairs.add("ns/rel-5-1-5", message, action="noted")
        return sent
    if sent is None:
        repairs.add("ns/missing", message)
        return header_namespace(root) or SUPERSET
    alias = namespaces.bundled(sent)
    if alias is not None:
        repairs.add("ns/alias", message, detail=sent)
        return alias
    repairs.add("ns/known", message, detail=sent)
    return SUPERSET


class Adoption:
    """Brings the message's elements into ``namespace``: those as sent, unqualified, or of another MM7 namespace.

    What no release knows stays as sent, with all that is in it; so does what stands in Details.
    """

    def __init__(self, repairs: soap.Repairs, sent: str | None, namespace: str) -> None:
        self.repairs = repairs
        self.sent = sent
        self.namespace = namespace
        self.reported: set[str] = set()

    def adopt(self, one: etree._Element) -> None:
        """Adopt ``one`` and what is in it."""
        pending = [one]
        while pending:
            node = pending.pop()
            if not isinstance(node.tag, str) or not (_is_word(node) and self.take(node)):
                continue
            if schema.local(node) not in ("Details", "Detail"):
                pending += reversed(node)
        if "soap/transaction-namespace" in self.reported:
            # lxml loses track of a namespace that a declaration on the element itself hides, once the element is moved
            etree.cleanup_namespaces(one)

    def take(self, node: etree._Element) -> bool:
        """Adopt ``node`` alone; False for one of a foreign namespace, which stays as sent."""
        own, sent = etree.QName(node).namespace, self.sent
        if own is None and sent is not None:
            self.tell("ns/children-qualified", node, "")
        elif own != sent and own is not None:
            if namespaces.bundled(own) is None:
                return False
            if namespaces.bundled(own) != (namespaces.bundled(sent) or sent):
                self.tell("soap/transaction-namespace", node, "elements of two MM7 namespaces")
        if own != self.namespace:
            node.tag = f"{{{self.namespace}}}{schema.local(node)}"
        return True

    def tell(self, id: str, node: etree._Element, detail: str) -> None:
        """Once for the whole message: its sender writes all of them so."""
        if id not in self.reported:
            self.reported.add(id)
            self.repairs.add(id, node, detail=detail)


def _is_word(node: etree._Element) -> bool:
    """Whether any release has an element of this name, in any case of letters, or it is a wrapper around an address."""
    if schema.local(node).lower() in _vocabulary() or schema.address_name(schema.local(node)):
        return True
    parent = node.getparent()
    around = parent is not None and schema.local(parent) in _ADDRESS_HOLDERS
    return around and any(schema.address_name(schema.local(one)) for one in node)


@cache
def _vocabulary() -> frozenset[str]:
    pending = [kind for namespace in NAMESPACES for kind in schema.model(namespace).values()]
    found = {name.lower() for name in schema.operation_names()} | {"detail"}
    while pending:
        children = pending.pop().children
        found |= {one.name.lower() for one in children}
        pending += [one.type for one in children]
    return frozenset(found)
