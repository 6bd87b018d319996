"""One row per shape of answer: what the client makes of it, what it says of it, and how often it sent."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from far_side import CLOSE, RESET, Answer, Early, FarSide, echoing, http, saying

from mm7zeep.client import AsyncVaspClient, Submitted, VaspClient
from mm7zeep.errors import AuthError, Mm7Error, StatusError, TransportError
from mm7zeep.messages import DeliverRsp, Fault, RSErrorRsp, Status, SubmitRsp
from mm7zeep.profiles import NAMESPACE_PREFIX
from mm7zeep.transport import Timeouts

NEWEST = NAMESPACE_PREFIX + "REL-6-MM7-1-4"
OLDEST = NAMESPACE_PREFIX + "REL-5-MM7-1-0"
HTML = "<html><body>Something went <br> wrong</body></html>"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TIMEOUTS = Timeouts(connect=2, read=0.3, reply=0.5)


def envelope(body: str, *, namespace: str = NEWEST, soap: str = SOAP, tid: str = "{tid}") -> str:
    """An answer as a far side would write it."""
    return (
        f'<e:Envelope xmlns:e="{soap}" xmlns:m="{namespace}"><e:Header>'
        f'<m:TransactionID e:mustUnderstand="1">{tid}</m:TransactionID></e:Header><e:Body>{body}</e:Body></e:Envelope>'
    )


def rsp(
    name: str = "SubmitRsp", code: str = "1000", message_id: str | None = "m-9", more: str = "", version: str = "6.8.0"
) -> str:
    """One answer element, complete by the schema unless told otherwise."""
    given = f"<m:MessageID>{message_id}</m:MessageID>" if message_id is not None else ""
    return (
        f"<m:{name}><m:MM7Version>{version}</m:MM7Version><m:Status><m:StatusCode>{code}</m:StatusCode>"
        f"<m:StatusText>so</m:StatusText>{more}</m:Status>{given}</m:{name}>"
    )


def fault(inner: str = "", code: str = "e:Client") -> str:
    """A Fault around an error element."""
    detail = f"<detail>{inner}</detail>" if inner else ""
    return f"<e:Fault><faultcode>{code}</faultcode><faultstring>oh</faultstring>{detail}</e:Fault>"


@dataclass(frozen=True)
class Took:
    """Accepted: the MessageID, the status, and the ids of all findings."""

    message_id: str | None = "m-9"
    code: int = 1000
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """A StatusError: its code, what the answer was, and the ids of all findings."""

    code: int
    answer: type | None = RSErrorRsp
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Denied:
    """An AuthError with its HTTP status."""

    http_status: int


@dataclass(frozen=True)
class Failed:
    """A TransportError: whether the request may have been accepted, the HTTP status, the beginning of the body."""

    maybe_accepted: bool
    http_status: int | None
    body: bytes = b""
    findings: tuple[str, ...] = ()


Outcome = Took | Refused | Denied | Failed


@dataclass(frozen=True)
class Row:
    """A shape of answer, the outcome, the number of requests that the far side saw, and options of the client."""

    answer: Answer
    outcome: Outcome
    requests: int = 1
    options: tuple[tuple[str, Any], ...] = ()


def multipart(root: str, *, first: bool) -> Callable[[Any], list[bytes]]:
    """An answer as multipart/related, its root named by start, first or last."""
    other = "--b\r\nContent-Type: text/plain\r\nContent-ID: <x@y>\r\n\r\nhello\r\n"
    envelope = f"--b\r\nContent-Type: text/xml\r\nContent-ID: <root@y>\r\n\r\n{root}\r\n"
    text = (envelope + other if first else other + envelope) + "--b--\r\n"
    return echoing(text, content_type='multipart/related; boundary=b; type="text/xml"; start="<root@y>"')


def cut(text: str, keep: int | None = None) -> Callable[[Any], list[Any]]:
    """An answer that announces more than it sends."""

    def answer(request: Any) -> list[Any]:
        whole = http(200, text.replace("{tid}", request.transaction_id) + " " * 50)
        head, _, body = whole.partition(b"\r\n\r\n")
        return [head + b"\r\n\r\n" + (body[:-50] if keep is None else body[:keep]), CLOSE]

    return answer


def chunked(text: str, *, end: bytes = b"0\r\n\r\n") -> Callable[[Any], list[Any]]:
    """An answer in chunks."""

    def answer(request: Any) -> list[Any]:
        body = text.replace("{tid}", request.transaction_id).encode()
        rows = [b"%x\r\n%b\r\n" % (len(body[at : at + 100]), body[at : at + 100]) for at in range(0, len(body), 100)]
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
        return [head, *rows, end, CLOSE]

    return answer


GOOD = envelope(rsp())
MORE_DETAIL = "<m:Details>number barred</m:Details>"
EMPTY_ACK = (("profile", "vibes-6.8"),)
STRICT = (("policy", "strict"),)

ROWS: dict[str, Row] = {
    # quirks: errors come in five shapes
    "fault-500": Row(saying(RSErrorRsp(status=Status(2002))), Refused(2002, Fault)),
    "fault-200": Row(
        echoing(envelope(fault(rsp("RSErrorRsp", "2005", None)))), Refused(2005, Fault, ("http/status-fault",))
    ),
    "rserrorrsp-in-body": Row(
        echoing(envelope(rsp("RSErrorRsp", "4001", None))),
        Refused(4001, RSErrorRsp, ("soap/body-direct-error", "http/status-fault")),
    ),
    "rserrorrsp-in-body-500": Row(
        echoing(envelope(rsp("RSErrorRsp", "4001", None)), 500), Refused(4001, RSErrorRsp, ("soap/body-direct-error",))
    ),
    "submitrsp-2xxx": Row(saying(SubmitRsp(status=Status(2004))), Refused(2004, SubmitRsp)),
    "submitrsp-4xxx-with-id": Row(saying(SubmitRsp(status=Status(4007), message_id="x")), Refused(4007, SubmitRsp)),
    "submitrsp-vendor-2101-with-id": Row(echoing(envelope(rsp(code="2101"))), Refused(2101, SubmitRsp)),
    "submitrsp-2002-without-id": Row(
        echoing(envelope(rsp(code="2002", message_id=None))), Refused(2002, SubmitRsp, ("schema/message-id-rsp",))
    ),
    "submitrsp-1000-with-500": Row(echoing(GOOD, 500), Took(findings=("http/status-success",))),
    "submitrsp-1000-with-400": Row(echoing(GOOD, 400), Took(findings=("http/status-success",))),
    "vendor-2571-fault-default-namespace": Row(
        echoing(
            envelope(
                "<e:Fault><m:faultcode>e:Server</m:faultcode><m:faultstring>x</m:faultstring><m:detail>"
                + rsp("RSErrorRsp", "2571", None, MORE_DETAIL.replace("Details", "Detail"))
                + "</m:detail></e:Fault>"
            ),
            500,
        ),
        Refused(2571, Fault, ("soap/fault-fields", "schema/name-case", "schema/details")),
    ),
    "fault-client-auth-5000": Row(
        echoing(envelope(fault(rsp("RSErrorRsp", "5000", None), "e:Client.Auth")), 500), Refused(5000, Fault)
    ),
    "temporary-4006": Row(saying(RSErrorRsp(status=Status(4006))), Refused(4006, Fault), requests=3),
    "temporary-3000-in-rsp": Row(saying(SubmitRsp(status=Status(3000))), Refused(3000, SubmitRsp), requests=3),
    "fault-server-without-status": Row(
        echoing(envelope(fault(code="e:Server")), 500), Refused(3000, Fault, ("soap/fault-detail",))
    ),
    "fault-that-claims-success": Row(
        echoing(envelope(fault(rsp("RSErrorRsp", "1000", None))), 500), Failed(True, 500, b"<e:Envelope")
    ),
    # plain HTTP
    "401-html": Row([http(401, HTML, WWW_Authenticate='Basic realm="mm7"')], Denied(401)),
    "403-html": Row([http(403, HTML)], Denied(403)),
    "401-gzip": Row([http(401, gzip.compress(HTML.encode()), Content_Encoding="gzip")], Denied(401)),
    "404-html": Row([http(404, HTML)], Failed(False, 404, HTML.encode())),
    "413-text": Row([http(413, "too large", "text/plain")], Failed(False, 413, b"too large")),
    "413-early": Row(
        Early((http(413, "too large", "text/plain", Connection="close"), CLOSE)), Failed(False, 413, b"too large")
    ),
    "500-html": Row([http(500, HTML)], Failed(True, 500, HTML.encode())),
    "502-html": Row([http(502, HTML)], Failed(True, 502, HTML.encode())),
    "503-empty": Row([http(503)], Failed(False, 503), requests=3),
    "429-text": Row([http(429, "slow", "text/plain")], Failed(False, 429, b"slow"), requests=3),
    "503-html-gzip": Row(
        [http(503, gzip.compress(b"x"), Content_Encoding="gzip")], Failed(False, 503, b"\x1f\x8b"), requests=3
    ),
    # nothing in it
    "200-empty": Row([http(200)], Failed(True, 200)),
    "200-blank": Row([http(200, " \r\n")], Failed(True, 200, b" \r\n")),
    "202-empty": Row([http(202)], Failed(True, 202)),
    "200-empty-ack": Row([http(200)], Took(None, findings=("http/response-body",)), options=EMPTY_ACK),
    "202-empty-ack": Row([http(202)], Took(None, findings=("http/response-body",)), options=EMPTY_ACK),
    "204-ack": Row([http(204)], Took(None, findings=("http/response-body",)), options=EMPTY_ACK),
    "500-empty-ack": Row([http(500)], Failed(True, 500), options=EMPTY_ACK),
    "200-cut-before-body-ack": Row(cut(GOOD, 0), Failed(True, 200), options=EMPTY_ACK),
    # answers that deviate and say enough
    "partial-1100": Row(saying(SubmitRsp(status=Status(1100), message_id="m-9")), Took(code=1100)),
    "no-echo": Row(
        echoing(envelope(rsp()).replace("<m:TransactionID", "<!--").replace("</m:TransactionID>", "-->")),
        Took(findings=("soap/transaction-present",)),
    ),
    "other-transaction": Row(echoing(envelope(rsp(), tid="0000")), Took(findings=("soap/transaction-echo",))),
    "multipart-root-first": Row(multipart(GOOD, first=True), Took()),
    "multipart-root-last": Row(multipart(GOOD, first=False), Took(findings=("mime/root-first",))),
    "application-xml": Row(echoing(GOOD, content_type="application/xml"), Took(findings=("mime/root-is-xml",))),
    "text-html": Row(echoing(GOOD, content_type="text/html"), Took(findings=("mime/root-is-xml",))),
    "no-content-type": Row(
        lambda request: [
            http(200, envelope(rsp(), tid=request.transaction_id), "x").replace(b"\r\nContent-Type: x", b"")
        ],
        Took(),
    ),
    "other-namespace": Row(
        echoing(envelope(rsp(version="5.3.0"), namespace=NAMESPACE_PREFIX + "REL-5-MM7-1-2")),
        Took(findings=("sem/rsp-version",)),
    ),
    "oldest-namespace-with-id": Row(
        echoing(envelope(rsp(version="5.3.0"), namespace=OLDEST).replace(' e:mustUnderstand="1"', "")),
        Took(findings=("schema/message-id-rsp", "sem/rsp-version")),
    ),
    "cancelrsp-to-submit": Row(
        echoing(envelope(rsp("CancelRsp", message_id=None))), Failed(True, 200, b"<e:Env", ("sem/rsp-matches-req",))
    ),
    "https-namespaces": Row(
        echoing(envelope(rsp(), namespace=NEWEST.replace("http:", "https:"), soap=SOAP.replace("http:", "https:"))),
        Took(findings=("soap/namespace-alias", "ns/alias")),
    ),
    "no-namespace": Row(echoing(envelope(rsp().replace("m:", ""))), Took(findings=("ns/missing",))),
    "children-out-of-order": Row(
        echoing(
            envelope(
                "<m:SubmitRsp><m:MessageID>m-9</m:MessageID><m:Status><m:StatusText>so</m:StatusText>"
                "<m:StatusCode>1000</m:StatusCode></m:Status></m:SubmitRsp>"
            )
        ),
        Took(findings=("version/present", "schema/order")),
    ),
    "chunked": Row(chunked(GOOD), Took()),
    "continue-first": Row(
        lambda request: [b"HTTP/1.1 100 Continue\r\n\r\n", http(200, envelope(rsp(), tid=request.transaction_id))],
        Took(),
    ),
    "length-too-long": Row(cut(GOOD), Took(findings=("http/truncated",))),
    # malformed answers
    "malformed-with-id": Row(echoing(envelope(rsp() + rsp())), Took(findings=("soap/body-one-child",))),
    "malformed-with-id-strict": Row(echoing(envelope(rsp() + rsp())), Failed(True, 200, b"<e:Env"), options=STRICT),
    "success-without-id": Row(echoing(envelope(rsp(message_id=None))), Took(None, findings=("schema/message-id-rsp",))),
    "malformed-refusal": Row(
        echoing(envelope(rsp(code="2007") * 2)), Refused(2007, SubmitRsp, ("soap/body-one-child",))
    ),
    "status-code-zero": Row(echoing(envelope(rsp(code="0"))), Failed(True, 200, b"<e:Envelope")),
    "status-code-word": Row(echoing(envelope(rsp(code="OK"))), Failed(True, 200, b"<e:Envelope")),
    "status-code-endless": Row(echoing(envelope(rsp(code="1" * 5000))), Failed(True, 200, b"<e:Envelope")),
    "not-well-formed": Row(
        echoing(GOOD.replace("</m:Status>", "")), Failed(True, 200, b"<e:Envelope", ("xml/well-formed",))
    ),
    "doctype": Row(echoing("<!DOCTYPE x>" + GOOD), Failed(True, 200, b"<!DOCTYPE", ("xml/no-dtd",))),
    "soap-1.2": Row(
        echoing(envelope(rsp(), soap="http://www.w3.org/2003/05/soap-envelope")),
        Took(findings=("soap/version-mismatch",)),
    ),
    "html-200": Row([http(200, HTML)], Failed(True, 200, HTML.encode())),
    "deliverrsp-to-submit": Row(
        saying(DeliverRsp(service_code="n")), Failed(True, 200, b"<?xml", ("sem/rsp-matches-req",))
    ),
    "deliverrsp-refusing": Row(
        saying(DeliverRsp(status=Status(2001))), Refused(2001, DeliverRsp, ("sem/rsp-matches-req",))
    ),
    "mime-flaw-strict": Row(
        echoing(GOOD, content_type="application/octet-stream"), Failed(True, 200, b"<e:Envelope"), options=STRICT
    ),
    # bounds
    "truncated": Row(cut(GOOD, 200), Failed(True, 200, b"<e:Envelope")),
    "truncated-chunks": Row(chunked(GOOD[:300], end=b""), Failed(True, 200, b"<e:Envelope")),
    "reset-in-body": Row(
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 500\r\n\r\n<e:Env", 0.05, RESET],
        Failed(True, 200, b"<e:Env"),
    ),
    "oversized": Row([http(200, b"<" + b" " * 70_000)], Failed(True, 200, b"<   "), options=(("max_reply", 65536),)),
    "oversized-endless": Row(
        [b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000, *([b"x" * 65536] * 40)],
        Failed(True, 200, b"xxx"),
        options=(("max_reply", 65536),),
    ),
    "gzip": Row([http(200, gzip.compress(GOOD.encode()), Content_Encoding="gzip")], Failed(True, 200, b"\x1f\x8b")),
    "gzip-bomb": Row(
        [http(200, gzip.compress(bytes(50_000_000), 9), Content_Encoding="gzip")], Failed(True, 200, b"\x1f\x8b")
    ),
    "drip": Row(
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 500\r\n\r\n", *([b"<", 0.04] * 60)],
        Failed(True, 200, b"<<<"),
    ),
    "silent-body": Row(
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 500\r\n\r\n<e", 1.0], Failed(True, 200, b"<e")
    ),
    "301": Row([http(301, Location="/other")], Failed(False, 301)),
    "302": Row([http(302, HTML, Location="http://user:secret@127.0.0.1:1/")], Failed(False, 302, HTML.encode())),
    "302-gzip-bomb": Row(
        [http(302, gzip.compress(bytes(50_000_000), 9), Content_Encoding="gzip", Location="/x")],
        Failed(False, 302, b"\x1f\x8b"),
    ),
    "303": Row([http(303, Location="/other")], Failed(False, 303)),
    "307": Row([http(307, Location="/other")], Failed(False, 307)),
    "308": Row([http(308, Location="/other")], Failed(False, 308)),
    # no answer
    "no-answer": Row([CLOSE], Failed(True, None)),
    "reset-after-body": Row([RESET], Failed(True, None)),
    "timeout": Row([1.0], Failed(True, None)),
    "no-http": Row([b"SMTP ready\r\n\r\n", CLOSE], Failed(True, None)),
}


def run(style: str, url: str, options: dict[str, Any], waits: list[float]) -> Submitted | Mm7Error:
    """One submit, in either style; what it gave or raised."""

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def awaited() -> Submitted:
        async with AsyncVaspClient(url, vaspid="v", vasid="s", sleep=sleep, **options) as client:
            return await client.submit("+491700", "hello")

    try:
        if style == "async":
            return asyncio.run(awaited())
        with VaspClient(url, vaspid="v", vasid="s", sleep=waits.append, **options) as client:
            return client.submit("+491700", "hello")
    except Mm7Error as error:
        return error


def summary(result: Submitted | Mm7Error, *, body: int) -> Outcome:
    """What came out, in the words of the table."""
    ids = tuple(sorted(one.id for one in getattr(result, "findings", ())))
    match result:
        case Submitted():
            return Took(result.message_id, result.status.code, ids)
        case StatusError():
            return Refused(result.status.code, type(result.answer) if result.answer else None, ids)
        case AuthError():
            return Denied(result.http_status)
        case TransportError():
            return Failed(result.maybe_accepted, result.http_status, result.body[:body], ids)
    raise AssertionError(f"{type(result).__name__}: {result}")


@pytest.mark.parametrize("style", ["sync", "async"])
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_each_answer_has_one_outcome(row: Row, style: str) -> None:
    """The exact outcome, every finding exactly once, and no request more than is safe."""
    if style == "async":
        pytest.importorskip("httpx")
    waits: list[float] = []
    with FarSide(row.answer) as far:
        result = run(style, far.url, {"timeouts": TIMEOUTS, **dict(row.options)}, waits)
        expected = row.outcome
        if not isinstance(expected, Denied):
            expected = replace(expected, findings=tuple(sorted(expected.findings)))
        found = summary(result, body=len(expected.body) if isinstance(expected, Failed) else 0)
        if isinstance(expected, Failed) and not expected.findings:
            found = Failed(found.maybe_accepted, found.http_status, found.body)  # type: ignore[union-attr]
        assert found == expected, result
        assert len(far.requests) == row.requests == len(waits) + 1
        assert len({one.transaction_id for one in far.requests if one.complete}) <= 1
