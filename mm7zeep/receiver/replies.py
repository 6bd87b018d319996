"""What is said in return: the answer that a handler's result stands for, and the words and namespaces of a fault.

Values in, values out. Refuses, with ``TypeError``, a result without a meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from lxml import etree

from mm7zeep import envelope, exchange, namespaces, profiles, schema
from mm7zeep.errors import FaultCode
from mm7zeep.exchange import Dialect, Headers, Judgement, Received
from mm7zeep.messages import ExtendedReplaceRsp, Fault, Message, Response, RSErrorRsp, SubmitRsp, VASPErrorRsp
from mm7zeep.status import Status

UNKNOWN_TRANSACTION = "0"  # TS 23.140 8.7.6: a Fault names the TransactionID; this one says that none could be read

# RFC 9110 7.6.1, and those that wsgiref counts among them; a WSGI application may set none (PEP 3333).
_HOP_BY_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "trailers", "transfer-encoding", "upgrade",
})  # fmt: skip

_FAULT_TEXTS: Mapping[FaultCode, str] = MappingProxyType(
    {
        "Client": "Client error",
        "Server": "Server error",
        "MustUnderstand": "A mandatory header is not understood",
        "VersionMismatch": "Not a SOAP 1.1 envelope",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerForm:
    """How somebody is answered.

    ``refusals``: by SOAP Fault, by the matching answer wherever the operation is known, or (``mixed``) by Fault what
    could not be understood and by the matching answer what a handler refused. ``fault_status`` is the HTTP status of a
    Fault: 500 by SOAP 1.1 6.2, or 200 for those who look no further. ``schema`` is what answers are written in; None:
    the request's own.
    """

    refusals: Literal["mixed", "fault", "response"] = "mixed"
    fault_status: Literal[500, 200] = 500
    schema: str | None = None

    def asked_in(self, request: Received) -> Received:
        """``request`` as if it had come in the schema that it is to be answered in."""
        if self.schema is None:
            return request
        profile = profiles.profile(self.schema)
        dialect = replace(request.dialect, namespace=profile.namespace)
        return replace(request, profile=profile, namespace=profile.namespace, dialect=dialect)


def fault(error: type[RSErrorRsp] | type[VASPErrorRsp], status: Status, code: FaultCode | None = None) -> Fault:
    """The Fault with ``status`` in its detail; without a ``code``, the one that fits the status."""
    mild = status.status_class == "client"
    code = code or ("Client" if mild else "Server")
    return Fault(fault_code=code, fault_string=_FAULT_TEXTS[code], error=error(status=status))


def response(result: object, operation: envelope.Operation | None, asked: Received | None) -> Response:
    """The answer that a handler's result stands for. Raises ``TypeError`` for a result without a meaning."""
    if operation is None:
        raise TypeError("there is no operation to answer")
    kind = operation.response
    if isinstance(result, kind):
        answer: Response = result
    elif result is None:
        answer = kind()
    elif isinstance(result, Status):
        answer = kind(status=result)
    elif isinstance(result, str) and issubclass(kind, SubmitRsp):
        answer = kind(message_id=result)
    else:
        raise TypeError(f"a handler gave {type(result).__name__}; give {kind.__name__}, a Status or nothing")
    if isinstance(answer, SubmitRsp) and answer.status.ok and not answer.message_id:
        return replace(answer, message_id=exchange.new_transaction_id())  # TS 23.140 8.7.1: success names the message
    if isinstance(answer, ExtendedReplaceRsp) and not answer.message_id:
        replaced = getattr(asked.message, "replace_id", None) if asked is not None else None
        return replace(answer, message_id=replaced or "0")  # XSD: mandatory even where nothing was replaced
    return answer


def addressee(judgement: Judgement) -> Received | None:
    """As much of a request as an answer in its own namespaces and version needs; None if its namespace is not known."""
    tree, sketch = judgement.tree, judgement.sketch
    named = sketch.namespace or _transaction_namespace(tree) or getattr(judgement.error, "namespace", None)
    base = namespaces.profile_of(named)
    if base is None or named is None:
        return None
    named = namespaces.tidy(named)  # what no reader of URIs takes is not written back
    body = next((one for one in tree if schema.local(one) == "Body"), None) if tree is not None else None
    child = next(iter(body), None) if body is not None else None
    dialect = Dialect(
        namespace=named,
        soap_namespace=namespaces.soap_as_sent(etree.QName(tree).namespace if tree is not None else None),
        mm7_version=sketch.mm7_version,
        prefix=child.prefix if child is not None else None,
    )
    refused = Received(
        message=Message(),
        transaction_id=sketch.transaction_id or getattr(judgement.error, "transaction_id", None),
        namespace=named,
        mm7_version=sketch.mm7_version,
        profile=base,
        dialect=dialect,
    )
    return refused


def _transaction_namespace(tree: etree._Element | None) -> str | None:
    """The namespace of the TransactionID: all that shows it where the Body is empty."""
    found = tree.find("*/{*}TransactionID") if tree is not None else None
    return etree.QName(found).namespace if found is not None else None


def end_to_end(headers: Headers) -> Headers:
    """``headers`` without those that speak of one connection only (RFC 9110 7.6.1): they are the server's business."""
    return tuple([(name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP])


def printable(text: str) -> str:
    """``text`` on one line: what cannot be shown becomes a blank."""
    return "".join(one if one.isprintable() else " " for one in text)


def reason(error: Exception) -> str:
    """What went wrong, without values that were sent."""
    found = getattr(error, "findings", ())
    return (
        ", ".join(f"{one.id} at {one.where}" for one in found)
        or f"{type(error).__name__}: {printable(str(error))[:300]}"
    )
