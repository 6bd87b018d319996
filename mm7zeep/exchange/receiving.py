"""An accepted judgement to the message in it, read through zeep, with what the mended tree could not hold.

Refuses a judgement without a tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import profiles, schema, tolerance
from mm7zeep.errors import EnvelopeError
from mm7zeep.exchange.wire import Dialect, Headers, Judgement, Received
from mm7zeep.messages import Fault, Message, Response


def receive(judgement: Judgement, headers: Headers = ()) -> Received:
    """The message of an accepted judgement, read through zeep."""
    repaired = judgement.repaired
    if repaired is None:
        raise judgement.error or EnvelopeError("nothing could be read")
    tree, findings = repaired.envelope, list(judgement.findings)
    message = soap.read(tree, repaired.read_as, lenient=judgement.policy == "lenient")
    message = restore(message, repaired)
    package = judgement.package
    parts = package.parts if package is not None else ()
    if hasattr(message, "parts"):
        message = replace(message, parts=parts)  # type: ignore[call-arg]
    return Received(
        message=message,
        transaction_id=repaired.transaction_id,
        namespace=repaired.namespace,
        mm7_version=judgement.sketch.mm7_version,
        profile=profiles.NAMESPACES[repaired.read_as],
        dialect=_dialect(judgement, repaired),
        parts=parts,
        findings=tuple(findings),
        envelope=package.root if package is not None else b"",
        headers=headers,
    )


def restore(message: Message, repaired: tolerance.Repaired) -> Message:
    """Give ``message`` what the mended tree could not hold: extensions, raw values, the version as sent, Details."""
    unparsed = tuple((name, value) for name, value in repaired.unparsed if value and name != "MM7Version")
    changes: dict[str, Any] = {"extensions": repaired.extensions, "unparsed": unparsed}
    raw: Mapping[str, str] = dict(repaired.unparsed)
    names = set(message.__dataclass_fields__)
    if "MM7Version" in raw:
        changes["mm7_version"] = raw["MM7Version"].strip() or None
    for name in ("date", "time_stamp"):
        if name in names and any(place in raw for place in ("Date", "TimeStamp")):
            changes[name] = None  # a placeholder stands in the tree
    if repaired.details is not None and isinstance(message, Response):
        changes["status"] = replace(message.status, details=repaired.details)
    if isinstance(message, Fault) and message.error is not None:
        changes["error"] = restore(message.error, repaired)
    return replace(message, **changes)


def _dialect(judgement: Judgement, repaired: tolerance.Repaired) -> Dialect:
    tree = judgement.tree
    root_namespace = (etree.QName(tree).namespace if tree is not None else None) or profiles.SOAP_NAMESPACE
    prefix: str | None = None
    if tree is not None:
        body = next((one for one in tree if schema.local(one) == "Body"), None)
        message = next((one for one in body if isinstance(one.tag, str)), None) if body is not None else None
        prefix = message.prefix if message is not None else None
    alias = root_namespace.replace("https:", "http:", 1) == profiles.SOAP_NAMESPACE
    return Dialect(
        namespace=repaired.namespace,
        soap_namespace=root_namespace if alias else profiles.SOAP_NAMESPACE,
        mm7_version=judgement.sketch.mm7_version,
        prefix=prefix,
    )
