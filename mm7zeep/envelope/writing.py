"""A message to its envelope, through the zeep operation it belongs to; a fault, which has none, by its elements.

Refuses, with ``LocalError``, what the namespace has no form for. zeep is imported where used.
"""

from __future__ import annotations

from typing import Any, cast

from lxml import etree

from mm7zeep import messages as m
from mm7zeep import schema
from mm7zeep.envelope.arguments import to_values
from mm7zeep.envelope.door import SOAP, parse
from mm7zeep.envelope.operations import BY_CLASS, element_name, zeep_operation
from mm7zeep.envelope.values import put_text
from mm7zeep.errors import EnvelopeError, LimitError, LocalError
from mm7zeep.profiles import SOAP_NAMESPACE, Profile

SOAP_PREFIX = "soap-env"
"""The prefix that zeep gives SOAP elements."""

_MUST_UNDERSTAND = f"{SOAP}mustUnderstand"


def write(message: m.Message, *, transaction_id: str, profile: Profile) -> etree._Element:
    """The envelope of ``message`` in the namespace of ``profile``, serialized by the zeep operation it belongs to.

    Extensions are not in it yet (``extend`` adds them after validation). Raises ``LocalError`` for what the namespace
    has no form for.
    """
    if not transaction_id.strip():
        raise LocalError("the TransactionID is empty; give one (TS 23.140 8.7.1)")
    put_text(transaction_id, schema.Type("", "text"), "TransactionID")
    if isinstance(message, m.Fault | m.RSErrorRsp | m.VASPErrorRsp):
        envelope = _write_fault(message, transaction_id, profile)
    else:
        operation, side = BY_CLASS[type(message)]
        corner = getattr(zeep_operation(operation, profile.namespace), side)
        values = to_values(message, profile)
        envelope = _serialized(corner, values, soap_headers(transaction_id, profile))
    return finish(envelope, profile)


def _serialized(corner: Any, values: dict[str, Any], headers: dict[str, Any]) -> etree._Element:
    import zeep.exceptions

    try:
        return cast("etree._Element", corner.serialize(**values, _soapheaders=headers).content)
    except (zeep.exceptions.Error, TypeError, ValueError) as error:
        raise LocalError(f"the message cannot be written: {error}") from error


def soap_headers(transaction_id: str, profile: Profile) -> dict[str, Any]:
    """Zeep's ``_soapheaders`` for the TransactionID."""
    if not profile.transaction_attributes:
        return {"TransactionID": transaction_id}
    return {"TransactionID": {"_value_1": transaction_id, "mustUnderstand": True}}


def finish(envelope: etree._Element, profile: Profile) -> etree._Element:
    """What zeep leaves to do: mustUnderstand as ``1`` (SOAP 1.1 4.2.3 forbids ``true``), and the profile's namespace
    prefix.
    """
    own = f"{{{profile.namespace}}}"
    for holder in list(envelope.iter(f"{SOAP}Header", f"{SOAP}Body", "detail")):
        for index, child in enumerate(holder):
            if schema.namespace_of(child) == profile.namespace:
                # libxml2 cannot undeclare a default namespace, so foreign elements inside need a prefix around them
                prefix = "mm7" if child.find(f".//{own}Details") is not None else profile.prefix
                holder[index] = _styled(
                    child, profile.namespace, etree.Element(child.tag, nsmap={cast("str", prefix): profile.namespace})
                )
    return envelope


def _styled(source: etree._Element, own: str, target: etree._Element) -> etree._Element:
    target.text, target.tail = source.text, source.tail
    for name, value in source.attrib.items():
        if name == _MUST_UNDERSTAND:
            value = "1"
        if name != "displayOnly" or value != "false":  # the default, which zeep writes out
            target.set(name, value)
    for child in list(source):
        if schema.namespace_of(child) == own:
            _styled(child, own, etree.SubElement(target, child.tag))
        else:
            target.append(child)
    return target


def extend(envelope: etree._Element, message: m.Message) -> None:
    """Put the message's extensions back where they stood. Raises ``LocalError`` if one is not XML."""
    for one in message.extensions:
        try:
            element = parse(one.xml.encode("utf-8", "surrogatepass"))
        except (EnvelopeError, LimitError, UnicodeDecodeError) as error:
            raise LocalError(f"the extension {one.name} is not well-formed XML: {error}") from error
        body = envelope.find(f"{SOAP}Body")
        parent = next((e for e in cast("etree._Element", body).iter() if schema.local(e) == one.parent), None)
        if parent is None:
            raise LocalError(f"the extension {one.name} stands in {one.parent}, which this message does not have")
        parent.insert(one.index, element)


def _write_fault(message: m.Message, transaction_id: str, profile: Profile) -> etree._Element:
    fault = message if isinstance(message, m.Fault) else None
    error = fault.error if fault is not None else cast("m.RSErrorRsp | m.VASPErrorRsp", message)
    prefix = SOAP_PREFIX
    envelope = etree.Element(f"{SOAP}Envelope", nsmap={prefix: SOAP_NAMESPACE})
    header = etree.SubElement(envelope, f"{SOAP}Header")
    types = schema.wsdl(profile.namespace).types
    headers = soap_headers(transaction_id, profile)["TransactionID"]
    tid = types.get_element(f"{{{profile.namespace}}}TransactionID")
    tid.render(header, tid(**headers) if isinstance(headers, dict) else headers)
    node = etree.SubElement(etree.SubElement(envelope, f"{SOAP}Body"), f"{SOAP}Fault")
    client = error is not None and error.status.status_class == "client"
    code = fault.fault_code if fault is not None else ("Client" if client else "Server")
    string = fault.fault_string if fault is not None else ("Client error" if client else "Server error")
    etree.SubElement(node, "faultcode").text = f"{prefix}:{code}"
    etree.SubElement(node, "faultstring").text = cast("str", put_text(string, schema.Type("", "text"), "faultstring"))
    if fault is not None and fault.fault_actor:
        etree.SubElement(node, "faultactor").text = fault.fault_actor
    if error is not None:
        detail = types.get_element(f"{{{profile.namespace}}}{element_name(type(error))}")
        detail.render(etree.SubElement(node, "detail"), detail(**to_values(error, profile)))
    return envelope
