"""Rules for the Status of an answer: its StatusCode and StatusText."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from mm7zeep import schema, status
from mm7zeep.conformance.rules.subject import Rule, Subject, child, text
from mm7zeep.findings import Finding, finding

_BY_TEXT = {row.text.lower(): row.code for row in status.STATUS_CODES.values()}


def _code(subject: Subject) -> tuple[etree._Element, int] | None:
    """The StatusCode element and what it says."""
    found = child(subject.message, "Status", "StatusCode")
    given = text(found)
    plain = given.isascii() and given.isdigit() and len(given) < 10
    return (found, int(given)) if found is not None and plain else None


def _class(subject: Subject) -> Iterator[Finding]:
    found = _code(subject)
    if found is not None and not 1000 <= found[1] <= 4999:
        yield finding("sem/status-class", schema.path(found[0]), detail=str(found[1]))


def _known(subject: Subject) -> Iterator[Finding]:
    """One of no class at all is reported by sem/status-class; x500 to x999 are the vendors' own."""
    found = _code(subject)
    if found is None or status.known(found[1]):
        return
    if 1000 <= found[1] <= 4999 and found[1] % 1000 < 500:
        yield finding("sem/status-known", schema.path(found[0]), detail=str(found[1]))


def _text_agrees(subject: Subject) -> Iterator[Finding]:
    """Own words are fine; only the standard's words for another code are not."""
    found, element = _code(subject), child(subject.message, "Status", "StatusText")
    other = _BY_TEXT.get(text(element).lower())
    if found is not None and element is not None and other is not None and other != found[1]:
        yield finding("sem/status-text-agrees", schema.path(element), detail=f"{found[1]} {text(element)}")


def _success_in_fault(subject: Subject) -> Iterator[Finding]:
    found, message = _code(subject), subject.message
    error = message is not None and schema.local(message) in ("RSErrorRsp", "VASPErrorRsp")
    if error and found is not None and status.is_success(found[1]):
        yield finding("sem/status-success-in-fault", schema.path(found[0]), detail=str(found[1]))


def _with_http(subject: Subject) -> Iterator[Finding]:
    """A Fault without 500 is reported by http/status-fault, success without 200 by http/status-success."""
    found, operation = _code(subject), subject.operation or ""
    answer = operation.endswith("Rsp") and not operation.endswith("ErrorRsp")
    refusal = found is not None and not status.is_success(found[1])
    if answer and refusal and subject.wire.status not in (None, 200):
        shown = f"{operation} {found[1] if found else ''} with HTTP {subject.wire.status}"
        yield finding("sem/status-vs-http", "status line", detail=shown)


RULES = (
    Rule("sem/status-class", _class),
    Rule("sem/status-known", _known),
    Rule("sem/status-text-agrees", _text_agrees),
    Rule("sem/status-success-in-fault", _success_in_fault),
    Rule("sem/status-vs-http", _with_http),
)
