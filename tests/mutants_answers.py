"""Broken servers of either role that answer wrongly, whatever is asked: one or more for each common assertion.

The answers of the product are rewritten on their way out, so that all else about them stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

from breaks import Answered, Asked, Break, Serve, answered, rewritten, served
from mutants import Mutant, mutant

from mm7zeep.probe.results import Role

_FAULT = "<soap-env:Fault>"
# Cases of role mmsc that themselves compare the TransactionID of an answer with that of its request.
_BY_ID = (
    "answer/foreign/parallel", "answer/foreign/after-cut-request", "answer/foreign/after-unread-answer",
    "soap/txid-echo", "soap/txid-whitespace", "soap/txid-wrong-namespace",
)  # fmt: skip
_TRANSACTION = r"(<TransactionID[^>]*>)[^<]*(</TransactionID>)"


def of(role: Role) -> tuple[Mutant, ...]:
    """The table for a role."""
    return tuple(
        mutant(role, name, what, breaks, *found, noted=noted) for name, what, breaks, found, noted in _rows(role)
    )


_Row = tuple[str, str, Break, tuple[str, ...], tuple[str, ...]]


def _rows(role: Role) -> list[_Row]:
    error, other = ("RSErrorRsp", "VASPErrorRsp") if role == "mmsc" else ("VASPErrorRsp", "RSErrorRsp")
    by_id = _BY_ID if role == "mmsc" else ()
    return [
        # HTTP
        ("answer-fault-200", "A Fault comes with HTTP 200.", _status(500, 200, _FAULT), ("answer/http-status",), ()),
        ("answer-rsp-202", "A response comes with HTTP 202.", _status(200, 202, "Rsp "), ("answer/http-status",), ()),
        ("answer-fault-400", "A Fault comes with HTTP 400.", _status(500, 400, _FAULT), ("answer/http-status",), ()),
        (
            "answer-type-12", "Answers are labelled application/soap+xml.", _typed("application/soap+xml"),
            ("answer/content-type",), (),
        ),
        (
            "answer-type-none", "Answers have no Content-Type.",
            answered(lambda one: one.without_header("content-type")), ("answer/content-type",), (),
        ),
        (
            "answer-type-no-charset", "Answers are text/xml without a charset.", _typed("text/xml"),
            ("answer/content-type",), (),
        ),
        ("answer-framing", "Answers have Content-Length and are chunked.", _both_framings(),
         ("answer/length", *(("http/version-10",) if role == "mmsc" else ())), ()),
        # XML and SOAP
        (
            "answer-doctype", "Envelopes have a document type declaration.",
            rewritten(r"(\?>\s*)", r"\1<!DOCTYPE x>"), ("answer/well-formed",), (),
        ),
        (
            "answer-instruction", "Envelopes have a processing instruction.",
            rewritten("<soap-env:Envelope", "<?made by?><soap-env:Envelope"), ("answer/well-formed",), (),
        ),
        (
            "answer-two-bodies", "Responses have a second, empty Body.",
            rewritten("</soap-env:Body>", "</soap-env:Body><soap-env:Body/>", "Rsp "),
            ("answer/envelope", "answer/schema"), (),
        ),
        (
            "answer-header-last", "The Header stands behind the Body.",
            rewritten("(<soap-env:Header>.*</soap-env:Header>)(<soap-env:Body>.*</soap-env:Body>)", r"\2\1"),
            ("answer/envelope", "answer/schema"), (),
        ),
        (
            "answer-unknown-element", "Responses have an element that no schema has.",
            rewritten("</Status>", "</Status><Took>12</Took>"), ("answer/schema",), (),
        ),
        # MM7
        (
            "answer-transaction-wrong", "Every answer has the TransactionID 1.", rewritten(_TRANSACTION, r"\g<1>1\2"),
            ("answer/transaction-id", *by_id), (),
        ),
        (
            "answer-transaction-none", "Answers have no TransactionID.", rewritten(_TRANSACTION, ""),
            ("answer/transaction-id", *by_id), (),
        ),
        (
            "answer-transaction-fault", "Faults have the TransactionID 0.",
            rewritten(_TRANSACTION, r"\g<1>0\2", _FAULT), ("answer/transaction-id",), (),
        ),
        (
            "answer-foreign", "Answers have the TransactionID of the first request that was accepted.",
            served(_foreign), ("answer/foreign", *by_id), (),
        ),
        (
            "answer-mu-none", "TransactionID has no mustUnderstand.", rewritten(' soap-env:mustUnderstand="1"', ""),
            ("answer/transaction-mu",), (),
        ),
        ("answer-operation", "Responses are those of another operation.", _other_operation(role),
         ("answer/operation",), ()),
        (
            "answer-version", "Every answer says MM7Version 5.9.0.",
            rewritten(r"(MM7Version>)[\d.]+<", r"\g<1>5.9.0<"), ("answer/version", "answer/schema"), (),
        ),
        (
            "answer-newest", "Responses in any namespace but the oldest two are in REL-6-MM7-1-4.", answered(_newest),
            ("answer/namespace", *(("deliver/rsp-namespace",) if role == "vasp" else ())), (),
        ),
        # Faults and Status
        (
            "answer-fault-place", "A Fault stands in an element of its own.",
            rewritten("(<soap-env:Fault>.*</soap-env:Fault>)", r'<x:error xmlns:x="urn:x">\1</x:error>'),
            ("answer/fault-place",), (),
        ),
        (
            "answer-fault-not-alone", "A Fault has a second element beside it.",
            rewritten("</soap-env:Fault>", '</soap-env:Fault><x:error xmlns:x="urn:x"/>'), ("answer/fault-place",), (),
        ),
        (
            "answer-fault-no-detail", "A Fault about the Body has no detail.",
            rewritten("<detail>.*</detail>", ""), ("answer/fault-children",), (),
        ),
        (
            "answer-fault-qualified", "faultstring is in the namespace of SOAP.",
            rewritten(r"(</?)faultstring>", r"\1soap-env:faultstring>"), ("answer/fault-children", "answer/schema"), (),
        ),
        (
            "answer-faultcode-unbound", "The prefix of faultcode is not bound.",
            rewritten("<faultcode>soap-env:", "<faultcode>SOAP-ENV:"), ("answer/fault-code",), (),
        ),
        (
            "answer-faultcode-bare", "faultcode has no prefix.",
            rewritten("<faultcode>soap-env:", "<faultcode>"), ("answer/fault-code",), (),
        ),
        (
            "answer-faultcode-12", "faultcode is Sender, as in SOAP 1.2.",
            rewritten("<faultcode>soap-env:Client", "<faultcode>soap-env:Sender"), ("answer/fault-code",), (),
        ),
        (
            "answer-fault-detail", f"The detail of a Fault holds {other}.",
            rewritten(error, other), ("answer/fault-detail",), (),
        ),
        (
            "answer-fault-bare-detail", "The error element in a Fault has no MM7Version.",
            rewritten(r"<mm7:MM7Version>[^<]*</mm7:MM7Version>", "", _FAULT),
            ("answer/fault-detail", "answer/schema"), (),
        ),
        (
            "answer-fault-class", "Every Fault says Server, or Client where it is the server's.", _turned(),
            (), ("answer/fault-class",),
        ),
        (
            "answer-code-unknown", "Success is told by StatusCode 1042.",
            rewritten("(StatusCode>)1000<", r"\g<1>1042<"), ("answer/status-known",), (),
        ),
        (
            "answer-text-none", "StatusText is missing.",
            rewritten(r"<((?:mm7:)?StatusText)>[^<]*</\1>", ""), ("answer/status-text", "answer/schema"), (),
        ),
        (
            "answer-text-other", "StatusText of success says Done.",
            rewritten("(StatusText>)Success<", r"\1Done<"), (), ("answer/status-text",),
        ),
        (
            "answer-leak", "A Fault tells where the server's code stands.",
            rewritten("(<faultstring>)[^<]*", r'\1Traceback (most recent call last): File "/srv/mmsc/a.py", line 7'),
            ("answer/leak",), (),
        ),
    ]  # fmt: skip


def _status(old: int, new: int, where: str) -> Break:
    def change(one: Answered) -> Answered:
        return replace(one, status=new) if one.status == old and one.has(where) else one

    return answered(change)


def _typed(kind: str) -> Break:
    def change(one: Answered) -> Answered:
        return one.with_header("content-type", kind) if one.has("Envelope") else one

    return answered(change)


def _both_framings() -> Break:
    def change(one: Answered) -> Answered:
        return replace(one, headers=(*one.headers, ("transfer-encoding", "chunked")))

    return answered(change)


def _foreign() -> Callable[[Asked, Serve], Awaitable[Answered]]:
    first = ""

    async def between(one: Asked, serve: Serve) -> Answered:
        nonlocal first
        answer = await serve(one)
        found = re.search(_TRANSACTION.replace("[^<]*", "([^<]*)"), answer.body.decode("latin-1"))
        if found is None or found[2] == "0":
            return answer
        if not first and answer.has("StatusCode>1000<"):
            first = found[2]
        if not first:
            return answer
        return answer.edited(_TRANSACTION, rf"\g<1>{first}\2")

    return between


def _other_operation(role: Role) -> Break:
    old, new = ("CancelRsp", "ReplaceRsp") if role == "mmsc" else ("DeliverRsp", "ReadReplyRsp")
    return rewritten(rf"(</?){old}", rf"\1{new}", "Rsp ")


def _newest(one: Answered) -> Answered:
    if not one.has("Rsp ") or one.has("REL-5-MM7-1-[01]|REL-6-MM7-1-4"):
        return one
    return one.edited(r"REL-\d-MM7-\d-\d", "REL-6-MM7-1-4").edited(r"(MM7Version>)[\d.]+<", r"\g<1>6.8.0<")


def _turned() -> Break:
    def change(one: Answered) -> Answered:
        if one.has("<faultcode>soap-env:Client"):
            return one.edited("(<faultcode>soap-env:)Client", r"\1Server")
        return one.edited("(<faultcode>soap-env:)Server", r"\1Client")

    return answered(change)
