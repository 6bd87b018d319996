"""Kinds of findings about the SOAP frame: Envelope, Header, Fault; one row per kind, sorted by id."""

from __future__ import annotations

from mm7zeep.findings.kind import Kind

ROWS = (
    Kind('soap/body-direct-error', 'MUST', 'error-in-body', 'SOAP 1.1 4.4', 'RSErrorRsp and VASPErrorRsp stand in a Fault detail', 'wrap it in a Fault: Fault, detail, then the element', applies='rsp'),
    Kind('soap/body-one-child', 'SHOULD', None, '8.7.8.1', 'exactly one Body child', 'send each operation in a message of its own', unsure=True),
    Kind('soap/encoding-style-used', 'INFO', None, 'SOAP 1.1 4.1.1', 'no encodingStyle needed', 'drop the attribute encodingStyle'),
    Kind('soap/envelope-namespace', 'MUST', 'soap-namespace-alias', 'SOAP 1.1 4.1.2', 'schemas.xmlsoap.org/soap/envelope/', 'write http://schemas.xmlsoap.org/soap/envelope/ as the namespace of Envelope, Header and Body'),
    Kind('soap/envelope-present', 'MUST', 'no-envelope', 'SOAP 1.1 4', 'the document is a SOAP envelope', 'wrap the message in Envelope and Body of SOAP 1.1'),
    Kind('soap/fault-code-qname', 'MUST', None, 'SOAP 1.1 4.4.1', 'prefix is bound to the SOAP namespace', 'write faultcode with a prefix that is bound to the SOAP namespace: soap:Client', applies='rsp'),
    Kind('soap/fault-detail', 'SHOULD', None, '8.7.6', 'RSErrorRsp or VASPErrorRsp in detail', 'put RSErrorRsp (MMSC) or VASPErrorRsp (VASP) into detail', applies='rsp', unsure=True),
    Kind('soap/fault-detail-role', 'SHOULD', None, '8.7.6', 'RSErrorRsp from the MMSC, VASPErrorRsp from the VASP', 'send RSErrorRsp as an MMSC, VASPErrorRsp as a VASP', applies='rsp', needs='pair', unsure=True),
    Kind('soap/fault-fields', 'MUST', 'fault-qualified', 'SOAP 1.1 4.4', 'faultcode, faultstring, unqualified, in order', 'write faultcode, faultstring, detail in this order, without a namespace', applies='rsp'),
    Kind('soap/mu-case', 'SHOULD', None, 'SOAP 1.1 4.2.3', 'attribute name mustUnderstand', 'write the name of the attribute as mustUnderstand'),
    Kind('soap/mu-value', 'MUST', None, 'SOAP 1.1 4.2.3; soapEnvelope XSD', '"0" or "1"', 'write the attribute as mustUnderstand="1"'),
    Kind('soap/namespace-alias', 'MUST', 'soap-namespace-alias', 'SOAP 1.1 4.1.2', 'the SOAP namespace is written to the letter: http:, one slash at its end', 'write the namespace as http://schemas.xmlsoap.org/soap/envelope/'),
    Kind('soap/operation-direction', 'MUST', None, '8.7.1-8.7.5', 'request in a request, response in a response', 'send requests as HTTP requests, responses and Faults as HTTP answers'),
    Kind('soap/operation-known', 'MUST', 'unknown-element', 'XSD', 'Body child is a global element of the namespace or Fault', 'write the name of an operation of the namespace, such as SubmitReq, into the Body'),
    Kind('soap/structure', 'MUST', None, 'SOAP 1.1 4', 'Envelope, Header first, one Body', 'write one Header, then one Body, into Envelope'),
    Kind('soap/transaction-attributes', 'MUST', 'schema-other', 'XSD', 'TransactionID carries no attribute but mustUnderstand, actor, encodingStyle', 'drop the attribute from TransactionID'),
    Kind('soap/transaction-echo', 'MUST', None, '8.7.1', "equals the request's", 'copy the TransactionID of the request into the answer', applies='rsp', needs='pair'),
    Kind('soap/transaction-mu', 'SHOULD', 'must-understand-missing', '8.7.8.1', 'mustUnderstand="1" from 5/1-2', 'add mustUnderstand="1", in the SOAP namespace, to TransactionID', unsure=True),
    Kind('soap/transaction-mu-early', 'MUST', 'schema-other', 'XSD 5/1-0, 5/1-1', 'no attribute in those two', 'drop mustUnderstand from TransactionID'),
    Kind('soap/transaction-namespace', 'MUST', 'namespace-mixed', 'XSD', 'in the same MM7 namespace as the body', "put TransactionID into the namespace of the Body's child"),
    Kind('soap/transaction-once', 'MUST', None, '8.7.1', 'not two', 'send one TransactionID'),
    Kind('soap/transaction-present', 'MUST', 'transaction-id-missing', '8.7.1-8.7.5', 'one TransactionID header block', "add TransactionID, in the namespace of the Body's child, to Header: in a request with a value of its own, in an answer with the request's"),
    Kind('soap/transaction-repeated', 'SHOULD', None, '8.7.1', 'differs between requests', 'give each request a TransactionID of its own', applies='req', needs='pair'),
    Kind('soap/transaction-value', 'MUST', 'transaction-id-missing', '8.7.1', 'not empty', "write a value into TransactionID: in a request one of its own, in an answer the request's"),
    Kind('soap/transaction-whitespace', 'SHOULD', 'transaction-id-space', 'XSD xs:string', 'no blanks around the value', 'write TransactionID without blanks around its value'),
    Kind('soap/unknown-mu', 'INFO', None, 'SOAP 1.1 4.2.3', 'foreign mustUnderstand="1" blocks', 'drop the header block, or write mustUnderstand="0"'),
    Kind('soap/version-mismatch', 'MUST', 'no-envelope', 'SOAP 1.1 4.1.2', 'the envelope is SOAP 1.1', 'send SOAP 1.1: http://schemas.xmlsoap.org/soap/envelope/'),
)
