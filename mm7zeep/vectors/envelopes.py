"""Builders of envelopes and wires: text in, text out, nothing clever, so that a case shows what it sends."""

from __future__ import annotations

from mm7zeep import exchange
from mm7zeep.profiles import NAMESPACE_PREFIX, SOAP_NAMESPACE

SCHEMA = "REL-5-MM7-1-3"
WHO = "<SenderIdentification><VASPID>Kiosk</VASPID><VASID>Tides</VASID></SenderIdentification>"
TO = "<Recipients><To><Number>+4670000001</Number></To></Recipients>"
FROM = "<Sender><Number>+4670000001</Number></Sender>"
OK = "<Status><StatusCode>1000</StatusCode><StatusText>Success</StatusText></Status>"
NO = "<Status><StatusCode>2002</StatusCode><StatusText>Address Error</StatusText></Status>"
VERSION = "<MM7Version>5.3.0</MM7Version>"
REPORTED = (
    "<MessageID>m-1</MessageID><Recipient><Number>+1</Number></Recipient><Sender><ShortCode>7</ShortCode></Sender>"
)

MINIMAL = {
    "SubmitReq": VERSION + WHO + TO,
    "SubmitRsp": VERSION + OK + "<MessageID>m-1</MessageID>",
    "DeliverReq": VERSION + FROM,
    "DeliverRsp": VERSION + OK,
    "CancelReq": VERSION + WHO + "<MessageID>m-1</MessageID>",
    "CancelRsp": VERSION + OK,
    "ReplaceReq": VERSION + WHO + "<MessageID>m-1</MessageID>",
    "ReplaceRsp": VERSION + OK,
    "DeliveryReportReq": VERSION + REPORTED + "<Date>2026-03-01T06:00:00Z</Date><MMStatus>Retrieved</MMStatus>",
    "DeliveryReportRsp": VERSION + OK,
    "ReadReplyReq": VERSION + REPORTED + "<TimeStamp>2026-03-01T06:00:00Z</TimeStamp><MMStatus>Read</MMStatus>",
    "ReadReplyRsp": VERSION + OK,
    "RSErrorRsp": VERSION + NO,
    "VASPErrorRsp": VERSION + NO,
}
"""What each operation holds at least, in REL-5-MM7-1-3."""


def uri(schema: str) -> str:
    """The namespace of ``schema``; what has a colon is one already, the empty string stays empty."""
    return schema if ":" in schema or not schema else NAMESPACE_PREFIX + schema


def transaction(value: str = "t-1", schema: str = SCHEMA, attributes: str = 'env:mustUnderstand="1"') -> str:
    """The TransactionID header block."""
    return f'<h:TransactionID xmlns:h="{uri(schema)}" {attributes}>{value}</h:TransactionID>'


def message(operation: str, content: str, schema: str = SCHEMA) -> str:
    """The Body's child: ``operation`` in the default namespace of ``schema``."""
    return f'<{operation} xmlns="{uri(schema)}">{content}</{operation}>'


def fault(detail: str, *, code: str = "env:Client", string: str = "Client error") -> str:
    """A SOAP Fault around ``detail``."""
    inner = f"<faultcode>{code}</faultcode><faultstring>{string}</faultstring><detail>{detail}</detail>"
    return f"<env:Fault>{inner}</env:Fault>"


def envelope(body: str, header: str | None = None, *, soap: str = SOAP_NAMESPACE) -> str:
    """The whole envelope; ``header`` None is one plain TransactionID, the empty string is an empty Header."""
    blocks = transaction() if header is None else header
    return (
        f'<env:Envelope xmlns:env="{soap}"><env:Header>{blocks}</env:Header><env:Body>{body}</env:Body></env:Envelope>'
    )


def sent(operation: str, content: str | None = None, schema: str = SCHEMA, *, more: str = "") -> str:
    """An envelope as its sender wrote it: ``content`` (default: the least there can be) and ``more`` after it."""
    inner = (MINIMAL[operation] if content is None else content) + more
    early = schema in ("REL-5-MM7-1-0", "REL-5-MM7-1-1")
    attributes = "" if early else 'env:mustUnderstand="1"'
    return envelope(message(operation, inner, schema), transaction(schema=schema, attributes=attributes))


def wire(
    root: str | bytes, *parts: str, start: str = "<soap@kiosk.example>", root_id: str | None = None
) -> exchange.Wire:
    """A request: ``root`` alone, or in a package with ``parts``, each its own header lines, an empty line, its text."""
    data = root.encode() if isinstance(root, str) else root
    if not parts:
        return exchange.Wire(headers=(("Content-Type", 'text/xml; charset="utf-8"'),), body=data, method="POST")
    head = f"Content-Type: text/xml; charset=utf-8\r\nContent-ID: {root_id or start}\r\n\r\n".encode()
    bodies = [head + data, *(one.encode() for one in parts)]
    body = b"".join(b"--cut-here\r\n" + one + b"\r\n" for one in bodies) + b"--cut-here--\r\n"
    kind = f'multipart/related; boundary="cut-here"; type="text/xml"; start="{start}"'
    return exchange.Wire(headers=(("Content-Type", kind),), body=body, method="POST")


def part(content_id: str | None = "<note@kiosk.example>", text: str = "High water 06:12", *, more: str = "") -> str:
    """One text part, with ``more`` header lines."""
    label = "" if content_id is None else f"Content-ID: {content_id}\r\n"
    return f"Content-Type: text/plain; charset=utf-8\r\n{label}{more}\r\n{text}"


def content(href: str = "cid:note@kiosk.example") -> str:
    """The Content element."""
    return f'<Content href="{href}"/>'
