"""The message in the Body, mended by the model of its schema: names, order, forms and values.

``repair`` works on a copy. Elements that no schema knows become ordered extensions, values that nobody can understand
are kept as text, and what only a later release has is read by that release. Refuses what is mandatory and missing.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from lxml import etree

from mm7zeep import schema
from mm7zeep.errors import EnvelopeError, RemoteError
from mm7zeep.findings import Finding
from mm7zeep.messages import Extension
from mm7zeep.profiles import NAMESPACES
from mm7zeep.tolerance import soap
from mm7zeep.tolerance.context import SUPERSET, Context, TooMany
from mm7zeep.tolerance.elements import start
from mm7zeep.tolerance.namespaces import Adoption, header_namespace, namespace_of, operation_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What ``repair`` made of an envelope.

    ``envelope`` is the mended copy, in ``read_as``; ``namespace`` is the Body child's as sent. ``unparsed`` are
    (element, value) pairs that could not be understood; ``details`` is what Details held. ``error`` says why the
    message is refused, if it is; ``legible`` whether a message can be made of it all the same (its operation is known).
    """

    envelope: etree._Element
    namespace: str | None
    read_as: str
    transaction_id: str | None
    findings: tuple[Finding, ...]
    extensions: tuple[Extension, ...] = ()
    unparsed: tuple[tuple[str, str], ...] = ()
    details: str | None = None
    error: RemoteError | None = None
    legible: bool = True


def repair(envelope: etree._Element, *, request: bool) -> Repaired:
    """Mend a copy of ``envelope``; ``request`` tells whether it came as a request (then a TransactionID is
    mandatory).
    """
    root = copy.deepcopy(envelope)
    repairs = soap.Repairs()
    soap.instructions(envelope, root, repairs)
    soap.take_blanks(root, repairs)
    message = soap.frame(root, repairs, request=request)
    if message is None:
        return _done(root, None, SUPERSET, repairs, None)
    outer = message
    if schema.local(message) == "Fault":
        found = soap.fault(message, repairs)
        if found is None:
            namespace = header_namespace(root) or SUPERSET
            if soap.transaction(root, repairs, namespace, None):
                soap.rename(root, namespace, SUPERSET)
                namespace = SUPERSET
            return _done(root, None, namespace, repairs, None, legible=True)
        message = found
    sent = etree.QName(message).namespace
    if not operation_name(message):
        name = schema.local(message)
        repairs.refuse(
            f"{name} is no MM7 operation", "soap/operation-known", message, detail=name, status=4003, kind=EnvelopeError
        )
        return _done(root, sent, SUPERSET, repairs, None)
    if (exact := schema.error_name(schema.local(message))) not in (None, schema.local(message)):
        repairs.add("schema/name-case", message, detail=schema.local(message))
        message.tag = f"{{{sent}}}{exact}" if sent is not None else str(exact)
    namespace = namespace_of(message, sent, root, repairs)
    context = Context(repairs, namespace)
    context.upgrade = soap.transaction(root, repairs, namespace, sent)
    Adoption(repairs, sent, namespace).adopt(message)
    try:
        start(context, message)
        if context.upgrade:
            namespace = _upgrade(root, message, context, namespace)
    except TooMany:
        return _done(root, sent, namespace, repairs, context)
    if outer is message and schema.local(message) in schema.ERROR_NAMES:
        repairs.add("soap/body-direct-error", message, action="noted")
    return _done(root, sent, namespace, repairs, context, legible=True)


def _done(
    root: etree._Element,
    sent: str | None,
    read_as: str,
    repairs: soap.Repairs,
    context: Context | None,
    *,
    legible: bool = False,
) -> Repaired:
    error = repairs.error
    if error is not None:
        error.findings, error.namespace, error.transaction_id = tuple(repairs.findings), sent, repairs.transaction_id
    return Repaired(
        envelope=root,
        namespace=sent,
        read_as=read_as,
        transaction_id=repairs.transaction_id,
        findings=tuple(repairs.findings),
        extensions=tuple(context.extensions) if context else (),
        unparsed=tuple(context.unparsed) if context else (),
        details=context.details if context else None,
        error=error,
        legible=legible,
    )


def _upgrade(root: etree._Element, message: etree._Element, context: Context, namespace: str) -> str:
    """Read by the newest release what the sender's own schema has no place for; why, the findings say already."""
    soap.rename(root, namespace, SUPERSET)
    block = root.find(f"{soap.SOAP}Header/{{{SUPERSET}}}TransactionID")
    if block is not None and not NAMESPACES[namespace].transaction_attributes:
        block.set(f"{soap.SOAP}mustUnderstand", "1")  # which its own release could not say
    again = Context(soap.Repairs(), SUPERSET)
    again.refused |= context.refused
    try:
        start(again, message)
    finally:
        _take_over(context, again)
    return SUPERSET


def _take_over(context: Context, again: Context) -> None:
    context.extensions += again.extensions
    context.unparsed += [one for one in again.unparsed if one not in context.unparsed]
    context.details = context.details or again.details
    # of what the first pass has looked at, the second tells nothing new
    new = [
        one for one in again.repairs.findings if one.action == "refused" or one.where.startswith(tuple(context.unread))
    ]
    context.repairs.findings += [one for one in new if one not in context.repairs.findings]
    context.repairs.error = context.repairs.error or again.repairs.error
