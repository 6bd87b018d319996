"""Rules for the head of an HTTP request or answer.

What ``input.capture`` reports of the framing (start line, field syntax, line ends, Content-Length) has no rule here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from mm7zeep.conformance.rules.subject import Rule, Subject
from mm7zeep.findings import Finding, finding

# What a document or a proxy writes where a secret was: stars, dots, x, a name in brackets.
_MASKED = re.compile(r"[*.…xX]+|<[^<>]*>|\[[^\[\]]*\]|\$\{?[\w.]*\}?|.*\*{3}.*")
# HTML in any of its forms: prolog, comments and DOCTYPE may stand before it.
_PAGE = re.compile(rb"(?:\s|<\?[^>]*>|<!--.*?-->)*<(?:!doctype\s+html|(?:[\w.-]+:)?(?:html|head|body)\b)", re.DOTALL)
_ENVELOPE = re.compile(rb"<(?:[\w.-]+:+)?envelope\b")
_SECRET_NAMES = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "password", "x-api-key"})


def _method(subject: Subject) -> Iterator[Finding]:
    if subject.is_request and subject.wire.method != "POST":
        yield finding("http/method", "request line", detail=subject.wire.method or "")


def _host(subject: Subject) -> Iterator[Finding]:
    # RFC 9112 3.2: HTTP/1.0 needs none, HTTP/2 has :authority
    count = len(_values(subject, "host"))
    if subject.is_request and subject.start_line.endswith(" HTTP/1.1") and count != 1:
        yield finding("http/host", "head", detail=f"{count} Host fields")


# --- SOAPAction -------------------------------------------------------------------------------------------------------


def _action_present(subject: Subject) -> Iterator[Finding]:
    if subject.is_request and subject.wire.header("soapaction") is None:
        yield finding("http/soapaction-present", "head")


def _action_quoted(subject: Subject) -> Iterator[Finding]:
    value = subject.wire.header("soapaction")
    if subject.is_request and value and not _quoted(value):  # SOAP 1.1 6.1.1: no value at all is allowed
        yield finding("http/soapaction-quoted", "SOAPAction", detail=value)


def _action_value(subject: Subject) -> Iterator[Finding]:
    """One that is not quoted is reported by http/soapaction-quoted, whatever it says."""
    value = subject.wire.header("soapaction")
    if subject.is_request and value and _quoted(value) and value != '""':
        yield finding("http/soapaction-value", "SOAPAction", detail=value)


def _quoted(value: str) -> bool:
    return len(value) > 1 and value.startswith('"') and value.endswith('"')


def _action_in_response(subject: Subject) -> Iterator[Finding]:
    if subject.is_response and subject.wire.header("soapaction") is not None:
        yield finding("http/soapaction-in-response", "SOAPAction")


# --- what the body is, and how long -----------------------------------------------------------------------------------


def _type_present(subject: Subject) -> Iterator[Finding]:
    # What stands in the place of an answer is reported by http/html-answer and the like, not by its labels.
    if _carries_envelope(subject) and subject.wire.header("content-type") is None:
        yield finding("http/content-type-present", "Content-Type")


def _type_known(subject: Subject) -> Iterator[Finding]:
    """Of a body that is no multipart mime/root-is-xml tells, which names the type that it should have."""
    kind = subject.package.tree.content_type if subject.package is not None else ""
    if _carries_envelope(subject) and kind.startswith("multipart/") and kind != "multipart/related":
        yield finding("http/content-type-known", "Content-Type", detail=kind)


def _type_matches(subject: Subject) -> Iterator[Finding]:
    """A declared multipart that is none is reported by mime/boundary-present and mime/boundary-used."""
    package = subject.package
    whole = package is not None and package.tree is package.root_node
    if package is None or not whole or not (subject.is_request or subject.is_response):
        return
    if package.root.lstrip(b" \t\r\n").startswith(b"--") and not subject.readable:
        yield finding("http/content-type-matches-body", "Content-Type", detail=f"{package.tree.content_type}, body --")


def _type_twice(subject: Subject) -> Iterator[Finding]:
    values = _values(subject, "content-type")
    if len(values) > 1:
        yield finding("http/content-type-twice", "Content-Type", detail=", ".join(values))


def _length_and_chunked(subject: Subject) -> Iterator[Finding]:
    wire = subject.wire
    if wire.header("content-length") is not None and wire.header("transfer-encoding") is not None:
        yield finding("http/length-and-chunked", "Content-Length")


def _no_length(subject: Subject) -> Iterator[Finding]:
    wire = subject.wire
    known = wire.header("content-length") is not None or wire.header("transfer-encoding") is not None
    if subject.is_request and not known and _starts(subject):
        yield finding("http/no-length", "head")


def _coding(subject: Subject) -> Iterator[Finding]:
    values = _values(subject, "transfer-encoding")
    if values and ", ".join(values).lower() != "chunked":
        yield finding("http/transfer-encoding-known", "Transfer-Encoding", detail=", ".join(values))


def _carries_envelope(subject: Subject) -> bool:
    """Whether there is a request with a body, or an answer that holds an envelope."""
    return subject.soap if subject.is_response else subject.is_request and bool(_starts(subject))


def _starts(subject: Subject) -> bool:
    """Whether there is a body."""
    return any(chunk.strip() for chunk in subject.wire.chunks())


# --- odd fields -------------------------------------------------------------------------------------------------------


def _mime_version(subject: Subject) -> Iterator[Finding]:
    value = subject.wire.header("mime-version")
    # RFC 2045 4: comments are allowed
    if value is not None and re.sub(r"\([^()]*\)", "", value).strip() != "1.0":
        yield finding("http/mime-version", "MIME-Version", detail=value)


def _misplaced(subject: Subject) -> Iterator[Finding]:
    value = subject.wire.header("content-transfer-encoding")
    if subject.is_request and value is not None:
        yield finding("http/entity-header-misplaced", "Content-Transfer-Encoding", detail=value)


# --- credentials: no finding repeats what it found --------------------------------------------------------------------


def _auth_syntax(subject: Subject) -> Iterator[Finding]:
    token = _basic(subject)
    if token is not None and _decoded(token) is None:
        yield finding("http/auth-syntax", "Authorization", detail="not base64")


def _auth_colon(subject: Subject) -> Iterator[Finding]:
    token = _basic(subject)
    plain = _decoded(token) if token is not None else None
    if plain is not None and b":" not in plain:
        yield finding("http/auth-no-colon", "Authorization")


def _auth_clear(subject: Subject) -> Iterator[Finding]:
    # RFC 7617 4; only the absolute form of a target tells its scheme
    if _basic(subject) is not None and (subject.wire.target or "").lower().startswith("http://"):
        yield finding("http/auth-clear", "Authorization")


def _basic(subject: Subject) -> str | None:
    """The credentials of a request after the word Basic; None where there are none, or they were masked."""
    if not subject.is_request:
        return None
    scheme, _, token = (subject.wire.header("authorization") or "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "basic" and not _MASKED.fullmatch(token) else None


def _decoded(token: str) -> bytes | None:
    try:
        return base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        return None


def _challenge(subject: Subject) -> Iterator[Finding]:
    if subject.wire.status != 401:
        return
    challenges = [one.lower() for one in _values(subject, "www-authenticate")]
    # RFC 7617 2 and RFC 7616 3.3 want a realm; other schemes may do without
    wanting = [one for one in challenges if one.startswith(("basic", "digest")) and "realm=" not in one]
    if not challenges or wanting:
        yield finding("http/challenge", "WWW-Authenticate", detail="no realm" if challenges else "missing")


def _secret(subject: Subject) -> Iterator[Finding]:
    # Telephone numbers are in every message there is: of those nothing is reported.
    for name, value in subject.wire.headers:
        bare = value.rpartition(" ")[2] if name.lower().endswith("authorization") else value
        if name.lower() in _SECRET_NAMES and bare and not _MASKED.fullmatch(bare):
            yield finding("sem/secret-in-capture", name)


def _values(subject: Subject, name: str) -> list[str]:
    return [value for key, value in subject.wire.headers if key.lower() == name]


# --- answers ----------------------------------------------------------------------------------------------------------


def _success_status(subject: Subject) -> Iterator[Finding]:
    """One with an error code in it is reported by sem/status-vs-http."""
    operation, status = subject.operation or "", subject.wire.status
    code = subject.judgement.sketch.values.get("status_code")
    refusal = code is not None and not 1000 <= code <= 1999
    if operation.endswith("Rsp") and not operation.endswith("ErrorRsp") and status not in (None, 200) and not refusal:
        yield finding("http/status-success", "status line", detail=str(status))


def _fault_status(subject: Subject) -> Iterator[Finding]:
    # SOAP 1.1 6.2: a Fault MUST come with 500
    if subject.operation == "Fault" and subject.wire.status not in (None, 500):
        yield finding("http/status-fault", "status line", detail=str(subject.wire.status))


def _error_status(subject: Subject) -> Iterator[Finding]:
    # RFC 9110 15: no answer of the MM7 layer, but of whatever stands before it
    status = subject.wire.status
    if status is not None and not 200 <= status <= 299 and not subject.soap:
        yield finding("http/error-status", "status line", detail=str(status), action="refused")


def _response_body(subject: Subject) -> Iterator[Finding]:
    """An error status without a body is reported by http/error-status."""
    status = subject.wire.status
    if status is not None and 200 <= status <= 299 and not _starts(subject):
        yield finding("http/response-body", "status line", detail=f"{status}, no body", action="refused")


def _html_answer(subject: Subject) -> Iterator[Finding]:
    shown = _instead_of_soap(subject)
    if shown is not None and _is_page(shown):
        yield finding("http/html-answer", "byte 0", detail=shown[:60].decode("latin-1"), action="refused")


def _error_body(subject: Subject) -> Iterator[Finding]:
    shown = _instead_of_soap(subject)
    if shown and not shown.startswith((b"<", b"--")):
        yield finding("http/error-body", "byte 0", detail=shown[:60].decode("latin-1"), action="refused")


def _no_envelope(subject: Subject) -> Iterator[Finding]:
    """A body without any envelope: a page, JSON, text, another document. That there is no body is reported by others.

    What the reader found of an XML document is reported by it alone, but for an answer, of whose XML nothing is asked.
    """
    shown = _beginning(subject)
    if shown is None or subject.soap or _ENVELOPE.search(shown):
        return
    page = _is_page(shown)
    unasked = subject.is_response and (page or not shown.startswith((b"<", b"--")) or _is_error(subject))
    reported = subject.reported("soap/envelope-present", "soap/version-mismatch", "ns/pre-standard")
    if unasked or (not reported and (page or not shown.startswith((b"<", b"--")))):
        yield finding("soap/envelope-present", "byte 0", detail=shown[:60].decode("latin-1"), action="refused")


def _is_error(subject: Subject) -> bool:
    return next(_error_status(subject), None) is not None


def _is_page(shown: bytes) -> bool:
    return _PAGE.match(shown) is not None


def _instead_of_soap(subject: Subject) -> bytes | None:
    """The beginning of the body, in small letters, of a response that holds no envelope."""
    if subject.wire.status is None or subject.soap:
        return None
    return _beginning(subject)


def _beginning(subject: Subject) -> bytes | None:
    """The beginning of the body, or of its SOAP part, in small letters; None where there is nothing."""
    start = subject.package.root if subject.package is not None else subject.wire.read()
    return start[:4000].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower() or None


RULES = (
    Rule("http/method", _method),
    Rule("http/host", _host),
    Rule("http/status-success", _success_status),
    Rule("http/status-fault", _fault_status),
    Rule("http/error-status", _error_status),
    Rule("http/response-body", _response_body),
    Rule("http/html-answer", _html_answer),
    Rule("http/error-body", _error_body),
    Rule("soap/envelope-present", _no_envelope),
    Rule("http/challenge", _challenge),
    Rule("http/soapaction-present", _action_present),
    Rule("http/soapaction-quoted", _action_quoted),
    Rule("http/soapaction-value", _action_value),
    Rule("http/soapaction-in-response", _action_in_response),
    Rule("http/content-type-present", _type_present),
    Rule("http/content-type-known", _type_known),
    Rule("http/content-type-matches-body", _type_matches),
    Rule("http/content-type-twice", _type_twice),
    Rule("http/length-and-chunked", _length_and_chunked),
    Rule("http/no-length", _no_length),
    Rule("http/transfer-encoding-known", _coding),
    Rule("http/mime-version", _mime_version),
    Rule("http/entity-header-misplaced", _misplaced),
    Rule("http/auth-syntax", _auth_syntax),
    Rule("http/auth-no-colon", _auth_colon),
    Rule("http/auth-clear", _auth_clear),
    Rule("sem/secret-in-capture", _secret),
)
