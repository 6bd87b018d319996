"""What can be noticed about a message: the one table of finding kinds, and the finding itself.

Every deviation that a reader meets is reported once, under a stable id of this table, with its level, clause and fix.
Raises ``KeyError`` for an id that is not in the table: findings are never made up on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Level = Literal["MUST", "SHOULD", "INFO"]
Action = Literal["noted", "repaired", "kept-raw", "refused"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding.

    ``topic`` is a word of the published list (README, ``check --format json``) or None; ``applies`` is ``req``, ``rsp`` or
    ``any``; ``needs`` is ``pair`` or ``clock`` where one message alone cannot show it; ``unsure`` marks a clause that we
    could not check against the printed text.
    """

    id: str
    level: Level
    topic: str | None
    clause: str
    summary: str
    fix: str
    applies: str = "any"
    needs: str = ""
    unsure: bool = False

    @property
    def source(self) -> str:
        """The clause as shown to people: never a clause number that we are not sure of."""
        return "by common reading" if self.unsure else self.clause


@dataclass(frozen=True, slots=True)
class Finding:
    """One deviation met in one message.

    ``where`` is an XPath in the envelope, ``byte N`` of the body, or a header name; ``detail`` names the value met (shortened);
    ``action`` says what the reader did about it.
    """

    id: str
    level: Level
    topic: str | None
    summary: str
    clause: str
    where: str
    action: Action
    detail: str = ""

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.id} at {self.where or 'message'}: {self.summary}{detail}"


def finding(id: str, where: str = "", *, detail: str = "", action: Action = "noted", level: Level | None = None) -> Finding:
    """Make the finding of kind ``id``; ``level`` overrides the table's."""
    kind = KINDS[id]
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in detail)
    if len(shown) > _DETAIL_LIMIT:
        shown = shown[: _DETAIL_LIMIT - 3] + "..."
    return Finding(id, level or kind.level, kind.topic, kind.summary, kind.source, where, action, shown)


_DETAIL_LIMIT = 160  # characters of a met value that a finding repeats

_ROWS = (
    Kind('http/method', 'MUST', None, 'SOAP 1.1 6; 8.7.8.1', 'MM7 requests are POST', 'send POST', applies='req', unsure=True),
    Kind('http/request-line', 'MUST', None, 'RFC 9112 3', 'method, target, version with single blanks', 'repair the request line', applies='req'),
    Kind('http/host', 'MUST', None, 'RFC 9112 3.2', 'HTTP/1.1 requests carry one Host', 'add Host', applies='req'),
    Kind('http/status-success', 'MUST', None, 'SOAP 1.1 6.2', 'a *Rsp comes with 200', 'answer 200', applies='rsp'),
    Kind('http/status-fault', 'MUST', 'fault-http-200', 'SOAP 1.1 6.2', 'a Fault comes with 500', 'answer 500', applies='rsp'),
    Kind('http/status-line', 'MUST', None, 'RFC 9112 4', 'version, code, reason separated by blanks', 'repair the line', applies='rsp'),
    Kind('http/soapaction-present', 'MUST', None, 'SOAP 1.1 6.1.1', 'SOAPAction header is there', 'add SOAPAction: ""', applies='req'),
    Kind('http/soapaction-quoted', 'SHOULD', None, 'SOAP 1.1 6.1.1', 'its value is a quoted string', 'put it in quotes', applies='req'),
    Kind('http/soapaction-value', 'INFO', None, '8.7.8.1', 'MM7 uses the empty string', 'use ""', applies='req', unsure=True),
    Kind('http/soapaction-in-response', 'INFO', None, 'SOAP 1.1 6.1.1', 'SOAPAction belongs to requests only', 'drop it', applies='rsp'),
    Kind('http/content-type-present', 'MUST', 'content-type-root', 'SOAP 1.1 6', 'a body has a Content-Type', 'add it'),
    Kind('http/content-type-known', 'MUST', 'content-type-root', 'SOAP 1.1 6; SwA 3', 'text/xml or multipart/related', 'use one of them'),
    Kind('http/content-type-matches-body', 'MUST', None, 'SwA 3; RFC 2046', 'body begins with what the type says', 'make them agree'),
    Kind('http/content-type-twice', 'MUST', None, 'RFC 9110 5.3', 'not repeated', 'send one'),
    Kind('http/content-length', 'MUST', None, 'RFC 9112 6.2', "equals the body's octets", 'count octets after encoding'),
    Kind('http/length-and-chunked', 'MUST', None, 'RFC 9112 6.1', 'not both', 'drop Content-Length'),
    Kind('http/no-length', 'MUST', None, 'RFC 9112 6.3', 'a request body needs a length or chunked', 'add one', applies='req'),
    Kind('http/transfer-encoding-known', 'MUST', None, 'RFC 9112 6.1', 'chunked is last and alone', 'use chunked'),
    Kind('http/field-syntax', 'MUST', None, 'RFC 9112 5', 'name, colon, no blank before the colon', 'repair'),
    Kind('http/field-folded', 'SHOULD', None, 'RFC 9112 5.2', 'no folded lines', 'one line'),
    Kind('http/mime-version', 'INFO', None, 'SwA 3; RFC 9112 B.1', 'MIME-Version is optional in HTTP; if there, 1.0', '1.0'),
    Kind('http/entity-header-misplaced', 'INFO', None, 'RFC 9110', 'Content-Transfer-Encoding has no meaning in the HTTP head', 'drop it', applies='req'),
    Kind('http/auth-syntax', 'MUST', None, 'RFC 7617 2', 'Basic + base64 of user:password', 'encode user, colon, password', applies='req'),
    Kind('http/auth-no-colon', 'MUST', None, 'RFC 7617 2', 'decoded value holds a colon', 'add it', applies='req'),
    Kind('http/auth-clear', 'SHOULD', None, 'RFC 7617 4', 'no Basic over plain HTTP', 'use TLS', applies='req'),
    Kind('http/challenge', 'MUST', None, 'RFC 9110 15.5.2', '401 has WWW-Authenticate with realm', 'add it', applies='rsp'),
    Kind('http/response-body', 'MUST', 'empty-body', 'SOAP 1.1 6.2', '200 and 500 carry a SOAP body', 'add it', applies='rsp'),
    Kind('http/html-answer', 'MUST', 'error-in-body', 'SOAP 1.1 6.2', 'no HTML instead of SOAP', 'route errors through the SOAP layer', applies='rsp'),
    Kind('mime/boundary-present', 'MUST', 'boundary-missing', 'RFC 2046 5.1', 'multipart has a boundary', 'add it'),
    Kind('mime/boundary-syntax', 'MUST', 'boundary-syntax', 'RFC 2046 5.1.1', '1-70 characters of the allowed set, no blank at the end', 'choose another'),
    Kind('mime/boundary-quoted', 'MUST', 'content-type-syntax', 'RFC 2045 5.1', 'quoted when it holds = ? : / , ; or a blank', 'quote it'),
    Kind('mime/boundary-used', 'MUST', 'boundary-missing', 'RFC 2046 5.1.1', 'opening delimiter occurs', 'make header and body agree'),
    Kind('mime/boundary-closed', 'MUST', 'boundary-unclosed', 'RFC 2046 5.1.1', 'closing delimiter occurs', 'end with --b--'),
    Kind('mime/boundary-near-miss', 'MUST', 'boundary-syntax', 'RFC 2046 5.1.1', 'no line that almost equals a delimiter', 'fix the typo'),
    Kind('mime/delimiter-missing', 'MUST', 'boundary-syntax', 'RFC 2046 5.1.1', 'a delimiter stands before each part header', 'write the delimiter'),
    Kind('mime/boundary-nested-equal', 'MUST', None, 'RFC 2046 5.1.2', 'inner boundary differs from the outer', 'choose another'),
    Kind('mime/delimiter-crlf', 'MUST', 'line-endings', 'RFC 2046 5.1.1', 'delimiters stand on CRLF lines', 'use CRLF'),
    Kind('mime/outside-text', 'INFO', None, 'RFC 2046 5.1', 'text outside the parts is ignored', 'drop it'),
    Kind('mime/related-type', 'MUST', None, 'RFC 2387 3.1', 'multipart/related has a type parameter', 'add type="text/xml"'),
    Kind('mime/related-type-quoted', 'SHOULD', 'content-type-syntax', 'RFC 2045 5.1', 'type="text/xml" in quotes (the 23.140 sample leaves them out)', 'quote it'),
    Kind('mime/related-type-root', 'MUST', None, 'RFC 2387 3.1', "type equals the root part's type", 'make them agree'),
    Kind('mime/related-start', 'SHOULD', 'start-missing', 'SwA 3', 'start given, and the root has a Content-ID', 'add both'),
    Kind('mime/related-start-resolves', 'MUST', 'start-mismatch', 'RFC 2387 3.2', 'start names a part', 'fix it'),
    Kind('mime/start-brackets', 'SHOULD', 'content-id-brackets', 'RFC 2387 3.2', 'start is a Content-ID with angle brackets', 'add < >'),
    Kind('mime/root-first', 'INFO', None, 'RFC 2387', 'root is the first part', 'put it first'),
    Kind('mime/root-is-xml', 'MUST', 'content-type-root', 'SwA 3', 'root part is text/xml', 'relabel'),
    Kind('mime/part-header-syntax', 'MUST', None, 'RFC 2045 3', 'headers, empty line, body', 'insert the empty line'),
    Kind('mime/content-id-syntax', 'SHOULD', None, 'RFC 2045 7; RFC 2392', '<left@right>', 'add a domain'),
    Kind('mime/content-id-brackets', 'SHOULD', 'content-id-brackets', 'RFC 2045 7', 'with angle brackets', 'add them'),
    Kind('mime/content-id-unique', 'MUST', 'content-id-duplicate', 'RFC 2045 7', 'no two parts share one', 'renumber'),
    Kind('mime/content-location-unique', 'SHOULD', None, 'RFC 2557 4.2', 'no two parts share a Content-Location', 'rename'),
    Kind('mime/disposition-syntax', 'MUST', None, 'RFC 2183 2', 'Content-Disposition is a word with ; name=value, special characters quoted', 'repair the field'),
    Kind('mime/part-content-type', 'SHOULD', 'media-type-odd', 'RFC 2045 5', 'each part states its type', 'add it'),
    Kind('mime/parameter-trailing', 'MUST', 'content-type-syntax', 'RFC 2045 5.1', 'no empty parameter at the end', 'drop the semicolon'),
    Kind('mime/cte-known', 'MUST', 'cte-unknown', 'RFC 2045 6.1', '7bit, 8bit, binary, quoted-printable, base64', 'correct it'),
    Kind('mime/cte-composite', 'MUST', None, 'RFC 2045 6.4', 'multiparts only 7bit, 8bit, binary', 'encode the leaves'),
    Kind('mime/cte-decodes', 'MUST', None, 'RFC 2045 6.7, 6.8', 'content decodes', 're-encode'),
    Kind('mime/cte-7bit-true', 'SHOULD', None, 'RFC 2045 2.7', '7bit has no byte above 127, no NUL, lines to 998', 'declare 8bit or binary'),
    Kind('mime/transfer-encoding-in-part', 'SHOULD', None, 'RFC 2045', "Transfer-Encoding is HTTP's, not MIME's", 'drop it'),
    Kind('mime/text-charset', 'SHOULD', None, 'RFC 2046 4.1.2', 'text parts with bytes above 127 name a charset', 'add charset=utf-8'),
    Kind('mime/text-charset-decodes', 'MUST', 'charset-mismatch', 'RFC 2046 4.1.2', 'text decodes in the declared charset', 'correct it'),
    Kind('mime/name-conflict', 'INFO', None, 'RFC 2183 2.3', 'name and filename agree', 'make them equal'),
    Kind('mime/filename-encoding', 'SHOULD', None, 'RFC 2231 4', 'non-ASCII names by RFC 2231', 'encode'),
    Kind('mime/disposition-path', 'SHOULD', None, 'RFC 2183 2.3', 'no path in filename', 'base name only'),
    Kind('mime/media-type-content', 'SHOULD', 'media-type-odd', 'practice', 'content looks like its type', 'relabel'),
    Kind('mime/empty-part', 'INFO', None, 'practice', 'part has content', 'drop it'),
    Kind('mime/unreferenced-part', 'INFO', None, 'SwA 3', 'every part is referred to by href, SMIL or nesting', 'refer or drop'),
    Kind('mime/total-size', 'INFO', None, 'OMA MMS content classes', 'decoded size against 30/100/300/600 KB', 'shrink'),
    Kind('xml/well-formed', 'MUST', 'not-well-formed', 'XML 1.0', 'SOAP part parses', 'repair'),
    Kind('xml/no-dtd', 'MUST', None, 'SOAP 1.1 3', 'no DOCTYPE', 'remove it'),
    Kind('xml/no-pi', 'MUST', None, 'SOAP 1.1 3', 'no processing instruction (the XML declaration is none)', 'remove it'),
    Kind('xml/declaration-first', 'MUST', 'xml-declaration', 'XML 1.0 2.8', 'nothing before the declaration', 'trim'),
    Kind('xml/charset-agrees', 'MUST', 'charset-mismatch', 'RFC 7303 3', 'charset parameter and declaration agree; BOM wins over parameter, parameter over declaration', 'make equal'),
    Kind('xml/charset-missing', 'SHOULD', None, 'RFC 7303 3; RFC 3023 3.1', 'text/xml without charset: old receivers assume us-ascii', 'add charset="utf-8"'),
    Kind('xml/relative-namespace', 'SHOULD', None, 'Namespaces in XML 1.0 2.2', 'namespace names are absolute URIs', 'use a full URI'),
    Kind('soap/envelope-namespace', 'MUST', 'soap-namespace-alias', 'SOAP 1.1 4.1.2', 'schemas.xmlsoap.org/soap/envelope/', 'correct it'),
    Kind('soap/structure', 'MUST', None, 'SOAP 1.1 4', 'Envelope, Header first, one Body', 'reorder'),
    Kind('soap/body-one-child', 'SHOULD', None, '8.7.8.1', 'exactly one Body child', 'one operation per message', unsure=True),
    Kind('soap/operation-known', 'MUST', 'unknown-element', 'XSD', 'Body child is a global element of the namespace or Fault', 'correct the name'),
    Kind('soap/operation-direction', 'MUST', None, '8.7.1-8.7.5', 'request in a request, response in a response', 'swap'),
    Kind('soap/unknown-mu', 'INFO', None, 'SOAP 1.1 4.2.3', 'foreign mustUnderstand="1" blocks', 'drop or "0"'),
    Kind('soap/mu-value', 'MUST', None, 'SOAP 1.1 4.2.3; soapEnvelope XSD', '"0" or "1"', 'use 1'),
    Kind('soap/mu-case', 'SHOULD', None, 'SOAP 1.1 4.2.3', 'attribute name mustUnderstand', 'correct the case'),
    Kind('soap/encoding-style-used', 'INFO', None, 'SOAP 1.1 4.1.1', 'no encodingStyle needed', 'drop'),
    Kind('soap/transaction-present', 'MUST', 'transaction-id-missing', '8.7.1-8.7.5', 'one TransactionID header block', 'add it'),
    Kind('soap/transaction-once', 'MUST', None, '8.7.1', 'not two', 'drop one'),
    Kind('soap/transaction-namespace', 'MUST', 'namespace-mixed', 'XSD', 'in the same MM7 namespace as the body', 'make equal'),
    Kind('soap/transaction-value', 'MUST', 'transaction-id-missing', '8.7.1', 'not empty', 'set it'),
    Kind('soap/transaction-whitespace', 'SHOULD', 'transaction-id-space', 'XSD xs:string', 'no blanks around the value', 'trim'),
    Kind('soap/transaction-mu', 'SHOULD', 'must-understand-missing', '8.7.8.1', 'mustUnderstand="1" from 5/1-2', 'add it', unsure=True),
    Kind('soap/transaction-mu-early', 'MUST', 'schema-other', 'XSD 5/1-0, 5/1-1', 'no attribute in those two', 'drop it'),
    Kind('soap/transaction-echo', 'MUST', None, '8.7.1', "equals the request's", 'copy it', applies='rsp', needs='pair'),
    Kind('soap/transaction-repeated', 'SHOULD', None, '8.7.1', 'differs between requests', 'count up', applies='req', needs='pair'),
    Kind('soap/fault-fields', 'MUST', 'fault-qualified', 'SOAP 1.1 4.4', 'faultcode, faultstring, unqualified, in order', 'correct', applies='rsp'),
    Kind('soap/fault-code-qname', 'MUST', None, 'SOAP 1.1 4.4.1', 'prefix is bound to the SOAP namespace', 'bind it', applies='rsp'),
    Kind('soap/fault-detail', 'SHOULD', None, '8.7.6', 'RSErrorRsp or VASPErrorRsp in detail', 'add it', applies='rsp', unsure=True),
    Kind('soap/fault-detail-role', 'SHOULD', None, '8.7.6', 'RSErrorRsp from the MMSC, VASPErrorRsp from the VASP', 'swap', applies='rsp', needs='pair', unsure=True),
    Kind('ns/known', 'MUST', 'namespace-unknown', 'XSD', 'one of the ten (eleven with 5/1-5) MM7 namespaces', 'correct it'),
    Kind('ns/children-qualified', 'MUST', 'unqualified-children', 'XSD elementFormDefault', 'children are in the namespace', 'use a default namespace'),
    Kind('version/present', 'MUST', 'schema-other', '8.7.1; XSD', 'MM7Version first', 'add it'),
    Kind('version/listed', 'MUST', 'version-unlisted', 'XSD enumeration', "value is in the namespace's list", 'use 5.3.0 or the newest'),
    Kind('version/newest', 'INFO', None, 'XSD', 'older value than the namespace brought', 'raise it'),
    Kind('schema/valid', 'MUST', 'schema-other', 'XSD', "valid against the namespace's XSD, with SOAP XSD", 'see message'),
    Kind('schema/order', 'MUST', 'child-order', 'XSD sequence', 'children in schema order (DeliveryReport before Content …)', 'reorder'),
    Kind('schema/unknown-element', 'MUST', 'unknown-element', 'XSD', 'no unknown child', 'drop it'),
    Kind('schema/name-case', 'MUST', 'unknown-element', 'XSD', 'LinkedID, RFC2822Address, Number exactly so', 'correct the case'),
    Kind('schema/version-element', 'MUST', 'schema-other', 'XSD', 'element exists in this namespace (DistributionProtection 5/1-0, Indicator later; Date/TimeStamp; ChargedPartyID, ContentClass …)', 'use the other name or namespace'),
    Kind('schema/boolean', 'MUST', 'boolean-case', 'XSD xs:boolean', 'true false 1 0', 'lower case'),
    Kind('schema/date', 'MUST', 'date-format', 'XSD', 'dateTime or duration', 'format it'),
    Kind('schema/enumeration', 'MUST', 'schema-other', 'XSD', 'Priority, MessageClass, ChargedParty, MMStatus …', 'use a listed value'),
    Kind('schema/empty-types', 'MUST', 'empty-element-whitespace', 'XSD', 'Content, ReplyCharging, UACapabilities hold nothing, not even a line break', 'self-close'),
    Kind('schema/status-complete', 'MUST', 'schema-other', 'XSD', 'Status has StatusCode and StatusText', 'add StatusText (may be empty)', applies='rsp'),
    Kind('schema/details', 'MUST', 'details-text', 'XSD anyDataType', 'Details holds elements only', 'wrap the text', applies='rsp'),
    Kind('schema/message-id-rsp', 'MUST', 'schema-other', 'XSD', 'SubmitRsp has MessageID from 5/1-1, never in 5/1-0', 'add / drop', applies='rsp'),
    Kind('schema/vendor-extension', 'INFO', 'unknown-element', 'practice', 'known vendor additions named as such (BulkSubmitReq, PreferredChannels, QueryStatusReq …)', 'agree bilaterally'),
    Kind('sem/content-href-resolves', 'MUST', 'cid-unresolved', 'RFC 2392 2; SwA 3', 'Content href names a part (after %-decoding; Content-Location too)', 'make them equal', applies='req'),
    Kind('sem/content-href-cid', 'SHOULD', 'cid-scheme', 'RFC 2392', 'href is a cid: URL', 'prefix cid:', applies='req'),
    Kind('sem/content-href-brackets', 'MUST', 'cid-scheme', 'RFC 2392 2', 'no angle brackets in the URL', 'strip them', applies='req'),
    Kind('sem/content-without-part', 'SHOULD', 'content-missing', '8.7.1', 'Content present but the request is text/xml only', 'add the part', applies='req'),
    Kind('sem/content-empty', 'SHOULD', None, 'practice', 'a message carries content: a part with at least one octet', 'give it a text or a file', applies='req'),
    Kind('sem/part-without-content', 'SHOULD', 'content-missing', '8.7.1', 'attachments but no Content element', 'add Content', applies='req'),
    Kind('sem/smil-root', 'SHOULD', None, 'RFC 2387', 'nested related: start/type point to the SMIL', 'set start', applies='req'),
    Kind('sem/smil-references', 'SHOULD', 'smil-reference', 'SMIL; OMA MMS conformance', 'every src/href resolves to a Content-ID, Content-Location or name', 'fix src', applies='req'),
    Kind('sem/smil-reference-form', 'INFO', 'smil-reference', 'OMA MMS conformance', 'cid: or bare name consistently', 'choose one', applies='req'),
    Kind('sem/smil-unused-part', 'INFO', None, 'practice', 'parts that the SMIL never shows', 'drop or show', applies='req'),
    Kind('sem/smil-well-formed', 'SHOULD', None, 'XML 1.0', 'SMIL parses', 'repair', applies='req'),
    Kind('sem/recipient-missing', 'MUST', None, '8.7.1', 'at least one address not displayOnly', 'add one', applies='req'),
    Kind('sem/recipient-duplicate', 'SHOULD', None, '8.7.1', 'no address twice', 'drop one', applies='req'),
    Kind('sem/number-form', 'SHOULD', None, '8.7.8.2', 'digits, optional +, optional /TYPE=PLMN', 'clean it', unsure=True),
    Kind('sem/mail-form', 'SHOULD', None, 'RFC 5322 3.4.1', 'RFC2822Address holds an addr-spec or number/TYPE=PLMN@host', 'correct it'),
    Kind('sem/shortcode-form', 'INFO', None, '8.7.8.2', 'short code is short and numeric', 'use Number', unsure=True),
    Kind('sem/address-whitespace', 'SHOULD', None, 'practice', 'no blanks around addresses', 'trim'),
    Kind('sem/vaspid-empty', 'SHOULD', None, '8.7.1', 'VASPID given and not blank', 'fill in', applies='req'),
    Kind('sem/expiry-past', 'SHOULD', None, '8.7.1', 'ExpiryDate is in the future', 'set it later', applies='req', needs='clock'),
    Kind('sem/expiry-negative', 'SHOULD', None, 'XSD allows', 'duration is positive', 'drop the minus', applies='req'),
    Kind('sem/expiry-before-earliest', 'SHOULD', None, '8.7.1', 'expiry after earliest delivery', 'swap', applies='req', needs='clock'),
    Kind('sem/expiry-far', 'INFO', None, '8.7.1', 'more than 30 days ahead: likely to be cut', 'shorten', applies='req', needs='clock'),
    Kind('sem/date-no-zone', 'SHOULD', None, 'XSD dateTime', 'absolute times carry a zone', 'add Z'),
    Kind('sem/timestamp-future', 'SHOULD', None, '8.7.1', 'TimeStamp not in the future (5 min grace)', 'check the clock', needs='clock'),
    Kind('sem/earliest-past', 'INFO', None, '8.7.1', 'EarliestDeliveryTime already over', 'drop it', applies='req', needs='clock'),
    Kind('sem/reply-deadline', 'SHOULD', None, '8.7.1', 'replyDeadline in the future, size positive', 'correct it', applies='req', needs='clock'),
    Kind('sem/charged-party-id', 'SHOULD', None, '8.7.1; XSD 6/1-2', 'ThirdParty comes with ChargedPartyID, others without', 'add / drop', applies='req'),
    Kind('sem/read-reply-class', 'INFO', None, 'practice', 'ReadReply with class Auto makes no sense', 'drop', applies='req'),
    Kind('sem/subject-length', 'INFO', None, 'MM1 practice', 'more than 40 / 80 characters', 'shorten', applies='req'),
    Kind('sem/subject-control', 'SHOULD', None, 'XML 1.0', 'no line breaks or control characters', 'replace', applies='req'),
    Kind('sem/subject-charset', 'SHOULD', None, 'practice', 'no mojibake (UTF-8 read as Latin-1, GBK)', 'encode once'),
    Kind('sem/status-class', 'SHOULD', None, '8.7.8.3', 'code is 1xxx-4xxx', 'map it', applies='rsp', unsure=True),
    Kind('sem/status-known', 'INFO', None, '8.7.8.3', 'listed, or x500-x999 private', 'use the list', applies='rsp', unsure=True),
    Kind('sem/status-text-agrees', 'INFO', None, '8.7.8.3', 'text belongs to the code', 'correct', applies='rsp', unsure=True),
    Kind('sem/status-success-in-fault', 'MUST', None, '8.7.6', 'no 1xxx in a Fault', 'drop the Fault', applies='rsp', unsure=True),
    Kind('sem/status-vs-http', 'SHOULD', None, 'SOAP 1.1 6.2', '*Rsp with error code keeps 200; Fault keeps 500', 'correct', applies='rsp'),
    Kind('sem/rsp-matches-req', 'MUST', None, '8.7', 'SubmitReq is answered by SubmitRsp', 'correct', applies='rsp', needs='pair'),
    Kind('sem/rsp-version', 'SHOULD', None, 'practice', 'namespace and MM7Version of the request', 'copy', applies='rsp', needs='pair', unsure=True),
    Kind('sem/message-id-empty', 'MUST', None, '8.7.1', 'MessageID not empty on success', 'set it', applies='rsp'),
    Kind('sem/report-message-id', 'MUST', None, '8.7.4, 8.7.5', 'MessageID was issued before', 'copy it', applies='req', needs='pair'),
    Kind('sem/report-recipient', 'SHOULD', None, '8.7.4', 'Recipient was in the submit', 'copy it', applies='req', needs='pair'),
    Kind('sem/secret-in-capture', 'INFO', None, 'practice', 'credentials or full numbers in a capture to be shared', 'mask'),
    Kind('http/line-endings', 'SHOULD', 'line-endings', 'RFC 9112 2.2', 'HTTP head lines end in CRLF', 'end each line with CR LF'),
    Kind('http/blank-line', 'MUST', None, 'RFC 9112 2.1', 'an empty line ends the head', 'insert the empty line'),
    Kind('http/field-continued', 'MUST', 'content-type-syntax', 'RFC 9112 5.2', 'a parameter does not continue in column 0 of the next line', 'put the field on one line'),
    Kind('http/empty-body', 'MUST', 'empty-body', 'SOAP 1.1 3', 'there is a body to read', 'send the SOAP envelope'),
    Kind('http/error-status', 'MUST', 'http-status', 'RFC 9110 15', 'an HTTP error status is not an MM7 answer', 'read the status; repair what it names', applies='rsp'),
    Kind('http/error-body', 'MUST', 'error-in-body', 'SOAP 1.1 6.2', 'an error message stands where the SOAP answer belongs', 'answer with a SOAP Fault', applies='rsp'),
    Kind('http/truncated', 'MUST', 'truncated', 'RFC 9112 8', 'the whole message arrived', 'send it again'),
    Kind('mime/type-syntax', 'MUST', 'content-type-syntax', 'RFC 2045 5.1', 'Content-Type is type/subtype with ; name=value, special characters quoted', 'repair the field'),
    Kind('mime/boundary-length', 'MUST', 'boundary-syntax', 'RFC 2046 5.1.1', 'a boundary has at most 70 characters', 'choose a shorter one'),
    Kind('mime/delimiter-padding', 'INFO', 'boundary-syntax', 'RFC 2046 5.1.1', 'nothing follows the delimiter on its line', 'drop the blanks'),
    Kind('mime/header-line-endings', 'SHOULD', 'line-endings', 'RFC 2045 2.10', 'part header lines end in CRLF', 'end each line with CR LF'),
    Kind('mime/text-bare-cr', 'SHOULD', 'line-endings', 'RFC 2046 4.1.1', 'text lines end in CRLF, not in a bare CR', 'end each line with CR LF'),
    Kind('mime/root-cte', 'SHOULD', 'cte-root', 'RFC 2045 6; SwA 3', 'the SOAP part is sent as it is, not in quoted-printable or base64', 'send it as 8bit'),
    Kind('mime/root-charset-alias', 'SHOULD', 'charset-alias', 'RFC 2978 2.3', 'charsets carry their registered names', 'use the registered name'),
    Kind('mime/charset-alias', 'SHOULD', 'charset-alias', 'RFC 2978 2.3', 'charsets carry their registered names', 'use the registered name'),
    Kind('mime/xop-outer', 'SHOULD', 'xop-outer', 'SwA 3', 'the package is SOAP with Attachments, not XOP', 'use type="text/xml"'),
    Kind('mime/vendor-type', 'INFO', 'media-type-odd', 'RFC 6838 3', 'media types are registered ones', 'use a registered type'),
    Kind('mime/limit', 'MUST', None, 'operator limit', 'the package keeps within the limits of size, parts, depth and header fields', 'send less'),
    Kind('mime/duplicate-field', 'SHOULD', None, 'RFC 2045 3', 'a part header field occurs once', 'drop the repetition'),
    Kind('mime/quoted-printable', 'MUST', None, 'RFC 2045 6.7', 'quoted-printable text decodes', 're-encode'),
    Kind('mime/base64', 'MUST', None, 'RFC 2045 6.8', 'base64 text decodes', 're-encode'),
    Kind('xml/declaration-true', 'MUST', 'xml-declaration', 'XML 1.0 4.3.3', 'the declared encoding is the one used', 'correct the declaration'),
    Kind('xml/limit', 'MUST', None, 'operator limit', 'the envelope keeps within the limits of size, depth and elements', 'send less'),
    Kind('xml/encoding-forbidden', 'MUST', 'charset-mismatch', 'XML 1.0 4.3.3', 'the envelope is UTF-8 or another encoding that cannot hide markup', 'send UTF-8'),
    Kind('soap/namespace-alias', 'MUST', 'soap-namespace-alias', 'SOAP 1.1 4.1.2', 'the SOAP namespace is written to the letter: http:, one slash at its end', 'write http://schemas.xmlsoap.org/soap/envelope/'),
    Kind('soap/envelope-present', 'MUST', 'no-envelope', 'SOAP 1.1 4', 'the document is a SOAP envelope', 'wrap it in Envelope and Body'),
    Kind('soap/version-mismatch', 'MUST', 'no-envelope', 'SOAP 1.1 4.1.2', 'the envelope is SOAP 1.1', 'use the SOAP 1.1 namespace'),
    Kind('soap/transaction-attributes', 'MUST', 'schema-other', 'XSD', 'TransactionID carries no attribute but mustUnderstand, actor, encodingStyle', 'drop the attribute'),
    Kind('soap/body-direct-error', 'MUST', 'error-in-body', 'SOAP 1.1 4.4', 'RSErrorRsp and VASPErrorRsp stand in a Fault detail', 'wrap it in a Fault', applies='rsp'),
    Kind('ns/alias', 'MUST', 'namespace-alias', 'XSD', 'the MM7 namespace is written to the letter: http:, no blanks, no slash at its end', 'write it as in the schema'),
    Kind('ns/missing', 'MUST', 'namespace-missing', 'XSD', 'the Body child is in an MM7 namespace', 'declare the namespace'),
    Kind('ns/rel-5-1-5', 'INFO', None, 'XSD', 'REL-5-MM7-1-5 was never seen published: judged as 5/1-3 with versions 5.8.0 and 5.10.0', 'use a published namespace'),
    Kind('ns/pre-standard', 'MUST', 'pre-standard', 'XSD', 'the message follows a draft of 2002, not TS 23.140 release 5 or 6', 'use a release 5 or 6 namespace'),
    Kind('schema/address-untyped', 'MUST', 'address-untyped', 'XSD addressType', 'an address is a RFC2822Address, Number or ShortCode element', 'wrap the text'),
    Kind('schema/address-typed-early', 'MUST', 'address-form', 'XSD 5/1-0, 5/1-1', 'SenderAddress is plain text in 5/1-0 and 5/1-1', 'write the text alone'),
    Kind('schema/address-name', 'MUST', 'address-form', 'XSD addressType', 'address elements are named and placed as in the schema', 'use Number, RFC2822Address or ShortCode, directly in its place'),
    Kind('schema/value', 'MUST', 'schema-other', 'XSD', 'a value has the form its type asks for', 'correct the value'),
    Kind('schema/attribute', 'MUST', 'schema-other', 'XSD', 'an attribute is allowed and has the form its type asks for', 'correct or drop the attribute'),
    Kind('schema/missing-element', 'MUST', 'schema-other', 'XSD', 'mandatory elements are there', 'add the element'),
    Kind('schema/empty-element', 'SHOULD', 'schema-other', 'XSD', 'an optional element is left out where it has no value', 'drop the element'),
    Kind('schema/unstated', 'INFO', 'schema-other', 'XSD', 'text stands where only elements are allowed', 'drop the text'),
    Kind('sem/address-plmn', 'INFO', 'address-form', '8.7.8.2', 'an address carries /TYPE=PLMN or a number as mail address', 'send the bare number', unsure=True),
    Kind('sem/smil-missing', 'INFO', 'smil-missing', 'OMA MMS conformance', 'several parts come with a SMIL presentation', 'add application/smil', applies='req'),
    Kind('sem/mo-as-submit', 'INFO', None, 'practice', 'an MO message arrived as SubmitReq', 'use DeliverReq', applies='req'),
    Kind('schema/repeated-element', 'MUST', 'schema-other', 'XSD', 'an element stands as often as the schema allows', 'drop the repetition'),
    Kind('schema/date-range', 'INFO', None, 'practice', 'a date lies within the years 1 to 9999, a span within a million days', 'send a nearer date'),
)

KINDS: Mapping[str, Kind] = MappingProxyType({row.id: row for row in _ROWS})
"""Every kind of finding, by id."""
