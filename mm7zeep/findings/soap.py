"""Kinds of findings about the SOAP frame: Envelope, Header, Fault; one row per kind, sorted by id."""

from __future__ import annotations

from mm7zeep.findings.kind import Kind

ROWS = (
    Kind('soap/body-direct-error', 'MUST', 'error-in-body', 'SOAP 1.1 4.4', 'RSErrorRsp and VASPErrorRsp stand in a Fault detail', 'wrap it in a Fault', applies='rsp'),
    Kind('soap/body-one-child', 'SHOULD', None, '8.7.8.1', 'exactly one Body child', 'one operation per message', unsure=True),
    Kind('soap/encoding-style-used', 'INFO', None, 'SOAP 1.1 4.1.1', 'no encodingStyle needed', 'drop'),
    Kind('soap/envelope-namespace', 'MUST', 'soap-namespace-alias', 'SOAP 1.1 4.1.2', 'schemas.xmlsoap.org/soap/envelope/', 'correct it'),
    Kind('soap/envelope-present', 'MUST', 'no-envelope', 'SOAP 1.1 4', 'the document is a SOAP envelope', 'wrap it in Envelope and Body'),
    Kind('soap/fault-code-qname', 'MUST', None, 'SOAP 1.1 4.4.1', 'prefix is bound to the SOAP namespace', 'bind it', applies='rsp'),
    Kind('soap/fault-detail', 'SHOULD', None, '8.7.6', 'RSErrorRsp or VASPErrorRsp in detail', 'add it', applies='rsp', unsure=True),
    Kind('soap/fault-detail-role', 'SHOULD', None, '8.7.6', 'RSErrorRsp from the MMSC, VASPErrorRsp from the VASP', 'swap', applies='rsp', needs='pair', unsure=True),
    Kind('soap/fault-fields', 'MUST', 'fault-qualified', 'SOAP 1.1 4.4', 'faultcode, faultstring, unqualified, in order', 'correct', applies='rsp'),
    Kind('soap/mu-case', 'SHOULD', None, 'SOAP 1.1 4.2.3', 'attribute name mustUnderstand', 'correct the case'),
    Kind('soap/mu-value', 'MUST', None, 'SOAP 1.1 4.2.3; soapEnvelope XSD', '"0" or "1"', 'use 1'),
    Kind('soap/namespace-alias', 'MUST', 'soap-namespace-alias', 'SOAP 1.1 4.1.2', 'the SOAP namespace is written to the letter: http:, one slash at its end', 'write http://schemas.xmlsoap.org/soap/envelope/'),
    Kind('soap/operation-direction', 'MUST', None, '8.7.1-8.7.5', 'request in a request, response in a response', 'swap'),
    Kind('soap/operation-known', 'MUST', 'unknown-element', 'XSD', 'Body child is a global element of the namespace or Fault', 'correct the name'),
    Kind('soap/structure', 'MUST', None, 'SOAP 1.1 4', 'Envelope, Header first, one Body', 'reorder'),
    Kind('soap/transaction-attributes', 'MUST', 'schema-other', 'XSD', 'TransactionID carries no attribute but mustUnderstand, actor, encodingStyle', 'drop the attribute'),
    Kind('soap/transaction-echo', 'MUST', None, '8.7.1', "equals the request's", 'copy it', applies='rsp', needs='pair'),
    Kind('soap/transaction-mu', 'SHOULD', 'must-understand-missing', '8.7.8.1', 'mustUnderstand="1" from 5/1-2', 'add it', unsure=True),
    Kind('soap/transaction-mu-early', 'MUST', 'schema-other', 'XSD 5/1-0, 5/1-1', 'no attribute in those two', 'drop it'),
    Kind('soap/transaction-namespace', 'MUST', 'namespace-mixed', 'XSD', 'in the same MM7 namespace as the body', 'make equal'),
    Kind('soap/transaction-once', 'MUST', None, '8.7.1', 'not two', 'drop one'),
    Kind('soap/transaction-present', 'MUST', 'transaction-id-missing', '8.7.1-8.7.5', 'one TransactionID header block', 'add it'),
    Kind('soap/transaction-repeated', 'SHOULD', None, '8.7.1', 'differs between requests', 'count up', applies='req', needs='pair'),
    Kind('soap/transaction-value', 'MUST', 'transaction-id-missing', '8.7.1', 'not empty', 'set it'),
    Kind('soap/transaction-whitespace', 'SHOULD', 'transaction-id-space', 'XSD xs:string', 'no blanks around the value', 'trim'),
    Kind('soap/unknown-mu', 'INFO', None, 'SOAP 1.1 4.2.3', 'foreign mustUnderstand="1" blocks', 'drop or "0"'),
    Kind('soap/version-mismatch', 'MUST', 'no-envelope', 'SOAP 1.1 4.1.2', 'the envelope is SOAP 1.1', 'use the SOAP 1.1 namespace'),
)
