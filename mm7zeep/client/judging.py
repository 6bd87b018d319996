"""What an answer amounts to: accepted, refused, or unknown.

Refuses to take for success what does not say so, and for failure what may have been accepted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import zeep.exceptions
import zeep.helpers

from mm7zeep import envelope as soap
from mm7zeep import namespaces, schema
from mm7zeep.client.outcomes import Accepted
from mm7zeep.client.sending import Sending
from mm7zeep.errors import LocalError, RemoteError, StatusError, TransportError
from mm7zeep.exchange import Judgement, receive, restore
from mm7zeep.findings import Finding, finding
from mm7zeep.messages import Fault, Message, Response, RSErrorRsp, Status, VASPErrorRsp
from mm7zeep.profiles import NAMESPACE_PREFIX
from mm7zeep.transport import HttpExchange
from mm7zeep.transport.http_answer import KEPT

FAILED = (RemoteError, TransportError, zeep.exceptions.Error)  # what a call of zeep raises, for ``recover``


def recover(error: Exception, sending: Sending, exchange: HttpExchange) -> Accepted[Any]:
    """What a call that zeep did not finish amounts to: an accepted answer all the same, or the error to raise."""
    if exchange.http_status is None:
        if isinstance(error, TransportError):
            raise error
        raise LocalError(f"zeep cannot write the message: {error}") from error
    if isinstance(error, TransportError):
        return _empty(error, sending, exchange)
    if exchange.judgement is None or isinstance(error, RemoteError):
        return _damaged(error, sending, exchange)
    return finish(sending, exchange, None)  # a Fault, or what this operation does not expect


def finish(sending: Sending, exchange: HttpExchange, value: Any) -> Accepted[Any]:
    """Make of zeep's ``value`` and of what the exchange saw an accepted answer, or raise what else it is."""
    judgement = exchange.judgement
    if judgement is None or (judgement.repaired is None and judgement.planned is None):
        raise _unknown("the answer held no envelope", exchange)
    answer = _answer(sending, judgement, value)
    findings = (*sending.findings, *judgement.findings, *_pair_findings(answer, sending, exchange, judgement))
    if not isinstance(answer, Response | Fault):
        raise _unknown(f"the answer is a {type(answer).__name__}, which answers nothing", exchange, findings)
    if not answer.status.ok:
        raise StatusError(answer.status, answer=answer, transaction_id=sending.transaction_id, findings=findings)
    if not isinstance(answer, sending.expected):
        what = f"success came as a {type(answer).__name__} instead of a {sending.expected.__name__}"
        raise _unknown(what, exchange, findings)
    return Accepted(answer=answer, transaction_id=sending.transaction_id, findings=findings, **_of_http(exchange))


def _answer(sending: Sending, judgement: Judgement, value: Any) -> Message:
    repaired = judgement.repaired
    if value is None or repaired is None:
        return receive(judgement).message
    # zeep reads whatever stands in the Body as the answer it expects
    if schema.local(soap.body_child(repaired.envelope)) != soap.element_name(sending.expected):
        return receive(judgement).message
    if repaired.read_as != sending.profile.namespace:
        return receive(judgement).message
    return restore(soap.from_values(sending.expected, zeep.helpers.serialize_object(value.body, dict)), repaired)


def _unknown(what: str, exchange: HttpExchange, findings: Sequence[Finding] = ()) -> TransportError:
    return TransportError(
        what,
        maybe_accepted=True,
        http_status=exchange.http_status,
        body=(exchange.body or b"")[:KEPT],
        findings=findings,
    )


def _damaged(error: Exception, sending: Sending, exchange: HttpExchange) -> Accepted[Any]:
    """A malformed answer: what it still says decides. A legible Status is not lost, unless the policy is strict."""
    judgement, expected = exchange.judgement, sending.expected
    values: Mapping[str, Any] = judgement.sketch.values if judgement is not None else {}
    findings = (*sending.findings, *(judgement.findings if judgement is not None else ()))
    code = values.get("status_code") or None
    if code is None or sending.policy == "strict":
        unknown = _unknown(f"the answer is malformed: {error}", exchange, findings)
        unknown.maybe_accepted = code is None or Status(code, "").ok
        raise unknown from error
    status = Status(code, values.get("status_text") or "")
    operation = judgement.sketch.operation if judgement is not None else None
    names = {one.name for one in fields(expected)} & {"message_id", "service_code", "mm7_version"}
    sketched = {**values, "mm7_version": judgement.sketch.mm7_version if judgement is not None else None}
    given = {name: sketched[name] for name in names if sketched.get(name)}
    answer = expected(status=status, **given) if operation == soap.element_name(expected) else None
    if not status.ok:
        raise StatusError(status, answer=answer, transaction_id=sending.transaction_id, findings=findings) from error
    if answer is None:
        raise _unknown(f"the answer claims success, but is malformed: {error}", exchange, findings) from error
    return Accepted(answer=answer, transaction_id=sending.transaction_id, findings=findings, **_of_http(exchange))


def _empty(error: TransportError, sending: Sending, exchange: HttpExchange) -> Accepted[Any]:
    """An empty 2xx acknowledges where the carrier's profile says so."""
    complete = exchange.body is not None and not exchange.body.strip()
    if not sending.profile.empty_ack or not complete or exchange.http_status not in (200, 201, 202, 204):
        raise error
    noted = finding("http/response-body", detail="empty", action="repaired")
    return Accepted(
        answer=sending.expected(status=Status(1000)),
        transaction_id=sending.transaction_id,
        findings=(*sending.findings, noted),
        **_of_http(exchange),
    )


def _of_http(exchange: HttpExchange) -> dict[str, Any]:
    """What an accepted answer tells of HTTP."""
    return {"headers": exchange.headers, "http_status": exchange.http_status}


def _pair_findings(
    answer: Message, sending: Sending, exchange: HttpExchange, judgement: Judgement
) -> Iterator[Finding]:
    """What only request and answer together show."""
    read = judgement.planned or judgement.repaired
    echoed, namespace = (read.transaction_id, read.namespace) if read is not None else (None, None)
    if namespace is not None and (namespaces.bundled(namespace) or namespace) != sending.profile.namespace:
        yield finding("sem/rsp-version", "/Envelope/Body", detail=namespace.removeprefix(NAMESPACE_PREFIX))
    if echoed is not None and echoed != sending.transaction_id.strip():
        # TS 23.140 8.7.1: correlated by the HTTP exchange all the same
        yield finding("soap/transaction-echo", "/Envelope/Header/TransactionID", detail=echoed)
    if isinstance(answer, Fault | RSErrorRsp | VASPErrorRsp):
        if exchange.http_status == 200:
            yield finding("http/status-fault", detail="200")
    elif not isinstance(answer, sending.expected):
        yield finding("sem/rsp-matches-req", "/Envelope/Body", detail=type(answer).__name__)
    elif exchange.http_status != 200:
        yield finding("http/status-success", detail=str(exchange.http_status))
