"""An envelope to its message, through the zeep operation it belongs to.

Refuses a Body without an MM7 operation, and what zeep can make nothing of. zeep is imported where used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from lxml import etree

from mm7zeep import messages as m
from mm7zeep import schema
from mm7zeep.envelope.arguments import from_values
from mm7zeep.envelope.door import SOAP
from mm7zeep.envelope.operations import BY_ELEMENT, zeep_operation
from mm7zeep.errors import EnvelopeError
from mm7zeep.findings import finding


def read(envelope: etree._Element, namespace: str, *, lenient: bool = False) -> m.Message:
    """The message in ``envelope``, whose MM7 elements are in ``namespace``, deserialized by its zeep operation.

    ``lenient`` takes an envelope that is not valid: what is missing is then None, or the empty string where the class
    has no None; without a Status it is a 3000. Raises ``EnvelopeError`` (4003) where the Body holds no MM7 operation,
    and, if ``lenient``, where zeep can make nothing of it.
    """
    if lenient:
        return _read_leniently(envelope, namespace)
    child = body_child(envelope)
    if child.tag == f"{SOAP}Fault":
        return _read_fault(child, namespace)
    name = schema.local(child)
    if name in schema.ERROR_NAMES:
        return _zeep_element(child, namespace)
    found = BY_ELEMENT.get(name)
    if found is None:
        raise EnvelopeError(
            f"{name} is no MM7 operation",
            [finding("soap/operation-known", schema.path(child), detail=name, action="refused")],
            status=4003,
        )
    operation, side = found
    import zeep.helpers

    corner = getattr(zeep_operation(operation, namespace), side)
    kind = operation.request if side == "input" else operation.response
    message = from_values(kind, zeep.helpers.serialize_object(corner.deserialize(envelope).body, dict) or {})
    for field_name, element in (("reply_charging", "ReplyCharging"), ("ua_capabilities", "UACapabilities")):
        if getattr(message, field_name, 0) is None and child.find(f"{{{namespace}}}{element}") is not None:
            message = replace(message, **{field_name: _EMPTY[field_name]})  # zeep drops an element without attributes
    return message


_EMPTY: Mapping[str, Any] = {"reply_charging": m.ReplyCharging(), "ua_capabilities": m.UACapabilities()}


def _read_leniently(envelope: etree._Element, namespace: str) -> m.Message:
    import zeep.exceptions

    try:
        with schema.wsdl(namespace).settings(strict=False):
            return read(envelope, namespace)
    except (zeep.exceptions.Error, ValueError, TypeError, LookupError, AttributeError) as error:
        raise EnvelopeError(f"the message cannot be read even leniently: {error}") from error


def body_child(envelope: etree._Element) -> etree._Element:
    """The one element in the Body. Raises ``EnvelopeError`` if there is none."""
    body = envelope.find(f"{SOAP}Body")
    child = next(iter(body), None) if body is not None else None
    if child is None:
        raise EnvelopeError(
            "the SOAP Body is empty or missing", [finding("soap/structure", "/Envelope", action="refused")]
        )
    return child


def _zeep_element(element: etree._Element, namespace: str) -> m.Message:
    import zeep.helpers

    types = schema.wsdl(namespace).types
    value = types.get_element(f"{{{namespace}}}{schema.local(element)}").parse(element, types)
    kind = m.RSErrorRsp if schema.local(element) == "RSErrorRsp" else m.VASPErrorRsp
    return from_values(kind, zeep.helpers.serialize_object(value, dict) or {})


def _read_fault(fault: etree._Element, namespace: str) -> m.Fault:
    error = None
    detail = fault.find("detail")
    for one in detail.iter() if detail is not None else ():
        if one.tag in (f"{{{namespace}}}RSErrorRsp", f"{{{namespace}}}VASPErrorRsp"):
            error = cast("m.RSErrorRsp | m.VASPErrorRsp", _zeep_element(one, namespace))
            break
    return m.Fault(
        mm7_version=error.mm7_version if error else None,
        fault_code=(fault.findtext("faultcode") or "").strip().rpartition(":")[2],
        fault_string=(fault.findtext("faultstring") or "").strip(),
        fault_actor=fault.findtext("faultactor"),
        error=error,
    )
