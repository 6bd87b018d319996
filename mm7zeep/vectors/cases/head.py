"""Examples for the HTTP head."""

from __future__ import annotations

import base64

from mm7zeep.vectors.building import (
    ONE,
    RELATED,
    SCHEMA,
    SUBMIT,
    SUBMITTED,
    answer,
    bend,
    bent,
    field,
    message,
    parts,
    post,
    submit,
    twins,
    without,
)
from mm7zeep.vectors.envelopes import NO, OK, VERSION, fault
from mm7zeep.vectors.envelopes import envelope as enveloped
from mm7zeep.vectors.envelopes import message as plain

_FAULT = enveloped(fault(plain("RSErrorRsp", VERSION + NO, SCHEMA)), "").replace(
    "<env:Header></env:Header>",
    f'<env:Header><TransactionID xmlns="http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/{SCHEMA}" '
    'env:mustUnderstand="1">t-1</TransactionID></env:Header>',
)
FAULT = answer(_FAULT, 500)
_REFUSED = answer(message("SubmitRsp").replace(OK, NO))
_BASIC = "Authorization: Basic " + base64.b64encode(b"kiosk:pier").decode()
_SIGNED = field(SUBMIT, _BASIC)
_CLEAR = bent(_SIGNED, b" /mm7 ", b" http://mmsc.example/mm7 ")
_CHUNKED = without(SUBMIT, "Content-Length").partition(b"\r\n\r\n")[0] + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
_BODY = submit().encode()
_CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(_BODY), _BODY)
_MIXED = ONE.replace(b"multipart/related; ", b"multipart/mixed; ")
_CHALLENGED = b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="mm7"\r\nContent-Length: 0\r\n\r\n'


CASES = (
    # request line and Host
    bend("http/method", SUBMIT, "POST /mm7", "PUT /mm7"),
    bend("http/request-line", SUBMIT, "POST /mm7 HTTP/1.1", "POST /mm7"),
    bend("http/request-line", SUBMIT, "POST /mm7", "POST  /mm7"),
    bend("http/host", SUBMIT, "Host: mmsc.example\r\n", ""),
    bend("http/host", SUBMIT, "Host: mmsc.example\r\n", "Host: mmsc.example\r\nHost: b.example\r\n"),
    twins(
        "http/host",
        without(SUBMIT, "Host"),
        bent(without(SUBMIT, "Host"), b"HTTP/1.1", b"HTTP/1.0"),
        "HTTP/1.1 without Host",
    ),
    # status
    bend("http/status-line", SUBMITTED, "HTTP/1.1 200 Reason", "HTTP/1.1200 Reason"),
    bend("http/status-success", SUBMITTED, "200 Reason", "202 Accepted"),
    bend("http/status-fault", FAULT, "500 Reason", "200 OK", shown="200 with a Fault"),
    bend("sem/status-vs-http", _REFUSED, "200 Reason", "500 Error", shown="500 with a SubmitRsp of status 2002"),
    twins(
        "http/error-status",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        FAULT,
        "502, no envelope",
        "http/empty-body http/error-status",
    ),
    twins("http/response-body", answer(""), SUBMITTED, "200, Content-Length: 0"),
    twins(
        "http/html-answer",
        answer("<html><body>Down<br></body></html>", 200, "text/html"),
        SUBMITTED,
        "200, <html>",
        "http/html-answer soap/envelope-present",
    ),
    twins(
        "http/error-body",
        answer('{"error": "no route"}', 200, "application/json"),
        SUBMITTED,
        '200, {"error": ...}',
        "http/error-body soap/envelope-present",
    ),
    twins(
        "http/error-body",
        answer("Service down"),
        SUBMITTED,
        "200, Service down",
        "http/error-body soap/envelope-present",
    ),
    twins(
        "http/html-answer",
        answer("<html><body>Down<br></body></html>", 200, "text/html"),
        post("<html><body>Down<br></body></html>", "text/html"),
        "200, <html>",
        "http/html-answer soap/envelope-present",
    ),
    twins(
        "http/error-body",
        answer("Service down", kind=RELATED),
        SUBMITTED,
        "200, Service down as multipart",
        "http/error-body mime/boundary-used soap/envelope-present",
    ),
    twins(
        "http/error-body",
        answer(parts('Content-Type: text/xml\r\nContent-ID: <soap@kiosk.example>\r\n\r\n{"a": 1}'), kind=RELATED),
        SUBMITTED,
        '200, {"a": 1} in a multipart',
        "http/error-body soap/envelope-present",
    ),
    twins("http/empty-body", post(""), SUBMIT, "Content-Length: 0"),
    twins(
        "http/challenge",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        _CHALLENGED,
        "401 alone",
        "http/challenge http/empty-body http/error-status",
    ),
    twins(
        "http/challenge",
        _CHALLENGED.replace(b' realm="mm7"', b""),
        _CHALLENGED.replace(b'Basic realm="mm7"', b"Bearer"),
        "WWW-Authenticate: Basic",
        "http/challenge http/empty-body http/error-status",
    ),
    # SOAPAction
    bend("http/soapaction-present", SUBMIT, 'SOAPAction: ""\r\n', ""),
    bend("http/soapaction-quoted", SUBMIT, 'SOAPAction: ""', "SOAPAction: urn:x"),
    twins(
        "http/soapaction-quoted",
        bent(SUBMIT, b'SOAPAction: ""', b'SOAPAction: "'),
        bent(SUBMIT, b'SOAPAction: ""', b"SOAPAction: "),
        'SOAPAction: "',
    ),
    bend("http/soapaction-value", SUBMIT, 'SOAPAction: ""', 'SOAPAction: "urn:x"'),
    bend(
        "http/soapaction-in-response",
        SUBMITTED,
        "Content-Type",
        'SOAPAction: ""\r\nContent-Type',
        shown='SOAPAction: "" in an answer',
    ),
    # Content-Type
    twins("http/content-type-present", without(SUBMIT, "Content-Type"), SUBMIT, "no Content-Type"),
    twins("http/content-type-present", without(SUBMITTED, "Content-Type"), SUBMITTED, "no Content-Type"),
    twins(
        "http/content-type-present",
        without(post("GIF89a"), "Content-Type"),
        post("GIF89a"),
        "no Content-Type",
        "http/content-type-present soap/envelope-present xml/well-formed",
    ),
    twins("http/content-type-known", bent(_MIXED, b"/mixed", b"/mixed"), ONE, "Content-Type: multipart/mixed"),
    bend(
        "http/content-type-matches-body",
        ONE,
        'multipart/related; boundary="cut-here"; type="text/xml"; start="<soap@kiosk.example>"',
        "text/xml",
        shown="Content-Type: text/xml, body --cut-here",
    ),
    twins(
        "http/content-type-twice",
        field(SUBMIT, 'Content-Type: text/xml; charset="utf-8"'),
        SUBMIT,
        "Content-Type twice",
    ),
    # length
    twins(
        "http/content-length",
        SUBMIT.replace(b"Content-Length: ", b"Content-Length: 9"),
        SUBMIT,
        "9562 given, 562 there",
    ),
    twins("http/no-length", without(SUBMIT, "Content-Length"), _CHUNKED + _CHUNKS, "neither length nor chunked"),
    twins(
        "http/length-and-chunked",
        field(_CHUNKED + _CHUNKS, f"Content-Length: {len(_BODY)}"),
        _CHUNKED + _CHUNKS,
        "Content-Length and Transfer-Encoding: chunked",
    ),
    twins(
        "http/transfer-encoding-known",
        _CHUNKED.replace(b"chunked", b"gzip") + _BODY,
        _CHUNKED + _CHUNKS,
        "Transfer-Encoding: gzip",
    ),
    twins(
        "http/transfer-encoding-known", _CHUNKED + _CHUNKS + b"more", _CHUNKED + _CHUNKS, "octets after the last chunk"
    ),
    twins("http/truncated", _CHUNKED + _CHUNKS[:-7], _CHUNKED + _CHUNKS, "no last chunk"),
    # other fields
    bend("http/field-syntax", SUBMIT, "Host:", "Host :"),
    bend(
        "http/field-folded", SUBMIT, "text/xml; charset", "text/xml;\r\n charset", shown="Content-Type over two lines"
    ),
    bend("http/field-continued", SUBMIT, "text/xml; charset", "text/xml;\r\ncharset", shown="charset= in column 0"),
    bend("http/line-endings", SUBMIT, "example\r\n", "example\n", shown="LF alone"),
    twins("http/blank-line", SUBMIT.replace(b"\r\n\r\n", b"\r\n", 1), SUBMIT, "no empty line"),
    bend(
        "http/mime-version", field(SUBMIT, "MIME-Version: 1.0 (kiosk)"), "1.0 (kiosk)", "2.0", shown="MIME-Version: 2.0"
    ),
    twins(
        "http/entity-header-misplaced",
        field(SUBMIT, "Content-Transfer-Encoding: 8bit"),
        SUBMIT,
        "Content-Transfer-Encoding: 8bit",
    ),
    # credentials
    bend(
        "http/auth-syntax", _SIGNED, _BASIC, "Authorization: Basic kiosk:pier", "http/auth-syntax sem/secret-in-capture"
    ),
    bend(
        "http/auth-no-colon",
        _SIGNED,
        _BASIC,
        "Authorization: Basic a2lvc2s=",
        "http/auth-no-colon sem/secret-in-capture",
    ),
    bend(
        "http/auth-clear",
        bent(_CLEAR, b"http:", b"https:"),
        "https:",
        "http:",
        "http/auth-clear sem/secret-in-capture",
        shown="POST http://... with Authorization: Basic",
    ),
    twins("sem/secret-in-capture", _SIGNED, field(SUBMIT, "Authorization: Basic ***"), "Authorization: Basic a2lv..."),
    twins(
        "sem/secret-in-capture",
        field(SUBMIT, "Authorization: Bearer pier"),
        field(SUBMIT, "Authorization: "),
        "Authorization: Bearer pier",
    ),
    twins("sem/secret-in-capture", field(SUBMIT, "Password: pier"), field(SUBMIT, "Password: ***"), "Password: pier"),
    twins(
        "http/auth-syntax",
        field(SUBMIT, "Authorization: Basic kiosk:pier"),
        field(SUBMITTED, "Authorization: Basic kiosk:pier"),
        "Authorization: Basic kiosk:pier",
        "http/auth-syntax sem/secret-in-capture",
    ),
    twins(
        "sem/secret-in-capture",
        field(SUBMIT, "Password: pier xxxx"),
        field(SUBMIT, "Authorization: Basic xxxx"),
        "Password: pier xxxx",
    ),
)
