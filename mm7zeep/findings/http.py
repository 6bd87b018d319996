"""Kinds of findings about the HTTP head; one row per kind, sorted by id."""

from __future__ import annotations

from mm7zeep.findings.kind import Kind

ROWS = (
    Kind('http/auth-clear', 'SHOULD', None, 'RFC 7617 4', 'no Basic over plain HTTP', 'send to an https: address', applies='req'),
    Kind('http/auth-no-colon', 'MUST', None, 'RFC 7617 2', 'decoded value holds a colon', 'encode user, colon and password together: base64 of user:password', applies='req'),
    Kind('http/auth-syntax', 'MUST', None, 'RFC 7617 2', 'Basic + base64 of user:password', 'write Authorization: Basic, a blank, and the base64 of user:password', applies='req'),
    Kind('http/blank-line', 'MUST', None, 'RFC 9112 2.1', 'an empty line ends the head', 'insert an empty line (CR LF) between the last header field and the body'),
    Kind('http/challenge', 'MUST', None, 'RFC 9110 15.5.2', '401 has WWW-Authenticate with realm', 'answer 401 with WWW-Authenticate: Basic realm="..."', applies='rsp'),
    Kind('http/content-length', 'MUST', None, 'RFC 9112 6.2', "equals the body's octets", 'count the octets of the body as it is sent, after encoding, and write that number'),
    Kind('http/content-type-known', 'MUST', 'content-type-root', 'SOAP 1.1 6; SwA 3', 'text/xml or multipart/related', 'send text/xml, or multipart/related with the envelope as its root'),
    Kind('http/content-type-matches-body', 'MUST', None, 'SwA 3; RFC 2046', 'body begins with what the type says', 'label a body that begins with a delimiter as multipart/related with its boundary, any other as text/xml'),
    Kind('http/content-type-present', 'MUST', 'content-type-root', 'SOAP 1.1 6', 'a body has a Content-Type', 'add Content-Type: text/xml; charset=utf-8, or multipart/related with boundary, type and start'),
    Kind('http/content-type-twice', 'MUST', None, 'RFC 9110 5.3', 'not repeated', 'send one Content-Type field'),
    Kind('http/empty-body', 'MUST', 'empty-body', 'SOAP 1.1 3', 'there is a body to read', 'send the SOAP envelope as the body'),
    Kind('http/entity-header-misplaced', 'INFO', None, 'RFC 9110', 'Content-Transfer-Encoding has no meaning in the HTTP head', 'drop the field from the HTTP head; it belongs into the head of a part', applies='req'),
    Kind('http/error-body', 'MUST', 'error-in-body', 'SOAP 1.1 6.2', 'an error message stands where the SOAP answer belongs', 'answer with a SOAP Fault that holds the Status, not with plain text', applies='rsp'),
    Kind('http/error-status', 'MUST', 'http-status', 'RFC 9110 15', 'an HTTP error status is not an MM7 answer', 'read the status; repair what it names', applies='rsp'),
    Kind('http/field-continued', 'MUST', 'content-type-syntax', 'RFC 9112 5.2', 'a parameter does not continue in column 0 of the next line', 'put the whole field on one line'),
    Kind('http/field-folded', 'SHOULD', None, 'RFC 9112 5.2', 'no folded lines', 'put the whole field on one line'),
    Kind('http/field-syntax', 'MUST', None, 'RFC 9112 5', 'name, colon, no blank before the colon', 'write it as name, colon, blank, value, without a blank before the colon'),
    Kind('http/host', 'MUST', None, 'RFC 9112 3.2', 'HTTP/1.1 requests carry one Host', 'send one Host field with the name of the server', applies='req'),
    Kind('http/html-answer', 'MUST', 'error-in-body', 'SOAP 1.1 6.2', 'no HTML instead of SOAP', 'let the server answer with a SOAP Fault where it now shows its HTML page', applies='rsp'),
    Kind('http/length-and-chunked', 'MUST', None, 'RFC 9112 6.1', 'not both', 'drop Content-Length, or send without Transfer-Encoding'),
    Kind('http/line-endings', 'SHOULD', 'line-endings', 'RFC 9112 2.2', 'HTTP head lines end in CRLF', 'end each line of the head with CR LF'),
    Kind('http/method', 'MUST', None, 'SOAP 1.1 6; 8.7.8.1', 'MM7 requests are POST', 'send the request by POST', applies='req', unsure=True),
    Kind('http/mime-version', 'INFO', None, 'SwA 3; RFC 9112 B.1', 'MIME-Version is optional in HTTP; if there, 1.0', 'write MIME-Version: 1.0, or leave the field out'),
    Kind('http/no-length', 'MUST', None, 'RFC 9112 6.3', 'a request body needs a length or chunked', 'add Content-Length with the octets of the body, or send it chunked', applies='req'),
    Kind('http/request-line', 'MUST', None, 'RFC 9112 3', 'method, target, version with single blanks', 'write it as POST, path, HTTP/1.1, with one blank between each', applies='req'),
    Kind('http/response-body', 'MUST', 'empty-body', 'SOAP 1.1 6.2', '200 and 500 carry a SOAP body', 'answer with a SOAP envelope: the *Rsp with 200, a Fault with 500', applies='rsp'),
    Kind('http/soapaction-in-response', 'INFO', None, 'SOAP 1.1 6.1.1', 'SOAPAction belongs to requests only', 'drop SOAPAction from answers', applies='rsp'),
    Kind('http/soapaction-present', 'MUST', None, 'SOAP 1.1 6.1.1', 'SOAPAction header is there', 'add SOAPAction: ""', applies='req'),
    Kind('http/soapaction-quoted', 'SHOULD', None, 'SOAP 1.1 6.1.1', 'its value is a quoted string', 'put the value in double quotes', applies='req'),
    Kind('http/soapaction-value', 'INFO', None, '8.7.8.1', 'MM7 uses the empty string', 'send SOAPAction: ""', applies='req', unsure=True),
    Kind('http/status-fault', 'MUST', 'fault-http-200', 'SOAP 1.1 6.2', 'a Fault comes with 500', 'send a Fault with HTTP 500', applies='rsp'),
    Kind('http/status-line', 'MUST', None, 'RFC 9112 4', 'version, code, reason separated by blanks', 'write it as HTTP/1.1, code, reason, with one blank between each', applies='rsp'),
    Kind('http/status-success', 'MUST', None, 'SOAP 1.1 6.2', 'a *Rsp comes with 200', 'send the *Rsp with HTTP 200', applies='rsp'),
    Kind('http/transfer-encoding-known', 'MUST', None, 'RFC 9112 6.1', 'chunked is last and alone', 'send Transfer-Encoding: chunked, or none'),
    Kind('http/truncated', 'MUST', 'truncated', 'RFC 9112 8', 'the whole message arrived', 'send the whole message again; see who cut it (a proxy, a limit of size, a lost connection)'),
)
