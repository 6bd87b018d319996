"""The sketch: what the eye sees in an envelope, by local name, where no schema need accept it.

What is not there, or not understood, is None.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lxml import etree

from mm7zeep import namespaces, schema
from mm7zeep.profiles import REL_6_MM7_1_4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What a document says, read by local name without any schema: values trimmed (but the subject), empty ones
    None.
    """

    operation: str | None = None
    transaction_id: str | None = None
    namespace: str | None = None
    mm7_version: str | None = None
    has_content: bool = False
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

_STEP = 4096  # octets of it that are looked at in one go
_GLIMPSED = 256 * 1024  # octets of an envelope that does not parse; a Header has some hundred


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
    operation = name if name in schema.operation_names() else schema.error_name(name)
    if name == "Fault":
        operation = "Fault"
        found = next((e for e in message.iter() if schema.error_name(schema.local(e))), None)
        if found is None:
            return Sketch(operation=operation, transaction_id=transaction, values=values)
        message = found
    named = etree.QName(message).namespace
    namespace = namespaces.as_sent(named) if named is not None else None
    version = _text(_child(message, "MM7Version"))
    known = operation or _in_any_case(name)
    if known is not None:
        _sketch_values(message, values)
    return Sketch(
        operation=operation,
        transaction_id=transaction,
        namespace=namespace,
        mm7_version=version,
        has_content=known in _with_content() and _child(message, "Content") is not None,
        values=values,
    )


def _in_any_case(name: str) -> str | None:
    return next((one for one in schema.operation_names() if one.lower() == name.lower()), None)


@cache
def _with_content() -> frozenset[str]:
    """The operations that carry content; all there are, are in the latest release."""
    latest = schema.model(REL_6_MM7_1_4.namespace)
    return frozenset(name for name, kind in latest.items() if kind.child("Content") is not None)


def glimpse(data: bytes) -> tuple[str | None, str | None]:
    """The TransactionID, and its namespace, of an envelope that does not parse, where its Header came through whole.

    Takes UTF-8 without XML declaration, as ``parse``, and looks at the first 256 KiB, no further than the Header. No
    entity is expanded, nothing is fetched; a DOCTYPE, two TransactionIDs or none give None twice.
    """
    head = data[:_GLIMPSED]
    if b"<!DOCTYPE" in head:
        return None, None
    parser = etree.XMLPullParser(
        events=("start", "end"),
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
    )
    header = _header(parser, head)
    ours = [one for one in header if _name(one) == "TransactionID"] if header is not None else []
    text = "".join(ours[0].itertext()).strip() if len(ours) == 1 else ""
    return (text, str(ours[0].tag).rpartition("}")[0].removeprefix("{") or None) if text else (None, None)


def _header(parser: etree.XMLPullParser, data: bytes) -> etree._Element | None:
    """The Header of the envelope, once it has come to its end; nothing behind it is looked at."""
    for at in range(0, len(data), _STEP):
        with contextlib.suppress(etree.XMLSyntaxError):  # known already; what was read before it is legible
            parser.feed(data[at : at + _STEP])
        for event, element in parser.read_events():
            name = _name(element)
            if event == "end" and name == "Header" and _is_in_envelope(element):
                return element
            if event == "start" and name == "Body" and _is_in_envelope(element):
                return None
    return None


def _is_in_envelope(header: etree._Element) -> bool:
    parent = header.getparent()
    return parent is not None and _name(parent) == "Envelope" and parent.getparent() is None


def _name(element: etree._Element) -> str:
    """The local name, also where the prefix before it is bound to nothing."""
    return str(element.tag).rpartition("}")[2].rpartition(":")[2]


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
        key = schema.local(holder).lower()
        if key in values["recipients"] or schema.address_name(key) or key == "recipient":
            values["recipients"][key if key in values["recipients"] else "to"] += _address_texts(holder)
    if "Recipient" in children:
        values["recipients"]["to"] = _address_texts(children["Recipient"])
    if "Content" in children:
        values["content_href"] = schema.content_reference(children["Content"]) or None


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
