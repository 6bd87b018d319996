"""The sketch: what the eye sees in an envelope, by local name, where no schema need accept it.

Refuses nothing: what is not there, or not understood, is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from mm7zeep import namespaces, schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What a document says, read by local name without any schema: values trimmed (but the subject), empty ones
    None.
    """

    operation: str | None = None
    transaction_id: str | None = None
    namespace: str | None = None
    mm7_version: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


_SKETCHED: Mapping[str, str] = {
    "message_id": "MessageID",
    "mm_status": "MMStatus",
    "linked_id": "LinkedID",
    "service_code": "ServiceCode",
    "priority": "Priority",
    "status_text": "StatusText",
}
_NO_VALUES: Mapping[str, Any] = {
    "message_id": None, "status_code": None, "status_text": None, "mm_status": None, "sender": None, "subject": None,
    "recipients": {"to": [], "cc": [], "bcc": []}, "linked_id": None, "vaspid": None, "vasid": None,
    "service_code": None, "priority": None, "delivery_report": None, "content_href": None,
}  # fmt: skip


def no_values() -> dict[str, Any]:
    """The ``fields`` of a message of which nothing could be read."""
    return {**_NO_VALUES, "recipients": {"to": [], "cc": [], "bcc": []}}


def sketch(envelope: etree._Element) -> Sketch:
    """Read ``envelope``, however odd, by local names. Never raises for a parsed tree."""
    header, body = _child(envelope, "Header"), _child(envelope, "Body")
    values = no_values()
    transaction = _text(_descendant(header, "TransactionID"))
    elements = (one for one in body if isinstance(one.tag, str)) if body is not None else iter(())
    message = next(elements, None) if schema.local(envelope) == "Envelope" else None
    if message is None:
        return Sketch(transaction_id=transaction, values=values)
    name = schema.local(message)
    operation = name if name in schema.operation_names() else None
    if name == "Fault":
        operation = "Fault"
        found = next((e for e in message.iter() if schema.local(e) in ("RSErrorRsp", "VASPErrorRsp")), None)
        if found is None:
            return Sketch(operation=operation, transaction_id=transaction, values=values)
        message = found
    named = etree.QName(message).namespace
    namespace = namespaces.as_sent(named) if named is not None else None
    version = _text(_child(message, "MM7Version"))
    if operation is not None:
        _sketch_values(message, values)
    return Sketch(
        operation=operation, transaction_id=transaction, namespace=namespace, mm7_version=version, values=values
    )


def _sketch_values(message: etree._Element, values: dict[str, Any]) -> None:
    children = _first(message)
    status, who = _first(children.get("Status")), _first(children.get("SenderIdentification"))
    for key, name in _SKETCHED.items():
        values[key] = _text(children.get(name))
    if "Subject" in children:
        values["subject"] = _plain_text(children["Subject"]) or None
    if "Status" in children:
        code = _text(status.get("StatusCode"))
        values["status_code"] = int(code) if code and code.isascii() and code.isdigit() and len(code) < 10 else None
        values["status_text"] = _text(status.get("StatusText"))
    for key, name in (("vaspid", "VASPID"), ("vasid", "VASID")):
        values[key] = _text(who.get(name)) or _text(children.get(name))
    sender = next(
        (
            one
            for one in (children.get("Sender"), who.get("SenderAddress"), children.get("SenderAddress"))
            if one is not None
        ),
        None,
    )
    values["sender"] = next(iter(_address_texts(sender)), None)
    report = (_text(children.get("DeliveryReport")) or "").lower()
    values["delivery_report"] = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
        report
    )
    for holder in children.get("Recipients", ()):
        if (key := schema.local(holder).lower()) in values["recipients"]:
            values["recipients"][key] += _address_texts(holder)
    if "Recipient" in children:
        values["recipients"]["to"] = _address_texts(children["Recipient"])
    if "Content" in children:
        attributes = children["Content"].attrib.items()
        values["content_href"] = next((v or None for k, v in attributes if etree.QName(k).localname == "href"), None)


def _first(parent: etree._Element | None) -> dict[str, etree._Element]:
    """The first child of each local name."""
    found: dict[str, etree._Element] = {}
    for child in parent if parent is not None else ():
        found.setdefault(schema.local(child), child)
    return found


def _address_texts(holder: etree._Element | None) -> list[str]:
    if holder is None:
        return []
    found = [_text(e) for e in holder.iter() if isinstance(e.tag, str)]
    return [one for one in found if one]


def _child(parent: etree._Element | None, name: str) -> etree._Element | None:
    return None if parent is None else next((e for e in parent if schema.local(e) == name), None)


def _descendant(parent: etree._Element | None, name: str) -> etree._Element | None:
    return None if parent is None else next((e for e in parent.iter() if schema.local(e) == name), None)


def _text(element: etree._Element | None) -> str | None:
    return _plain_text(element).strip() or None if element is not None else None


def _plain_text(element: etree._Element) -> str:
    """The text directly inside, whatever instructions stand in it."""
    return "".join([element.text or "", *(one.tail or "" for one in element if not isinstance(one.tag, str))])
