"""Kinds of findings about what the schema says of elements, attributes and values; one row per kind, sorted by id."""

from __future__ import annotations

from mm7zeep.findings.kind import Kind

ROWS = (
    Kind('schema/address-name', 'MUST', 'address-form', 'XSD addressType', 'address elements are named and placed as in the schema', 'use Number, RFC2822Address or ShortCode, directly in its place'),
    Kind('schema/address-typed-early', 'MUST', 'address-form', 'XSD 5/1-0, 5/1-1', 'SenderAddress is plain text in 5/1-0 and 5/1-1', 'write the address as text into SenderAddress, without Number or the like'),
    Kind('schema/address-untyped', 'MUST', 'address-untyped', 'XSD addressType', 'an address is a RFC2822Address, Number or ShortCode element', 'wrap the text in Number, RFC2822Address or ShortCode'),
    Kind('schema/attribute', 'MUST', 'schema-other', 'XSD', 'an attribute is allowed and has the form its type asks for', 'correct the value of the attribute, or drop the attribute'),
    Kind('schema/boolean', 'MUST', 'boolean-case', 'XSD xs:boolean', 'true false 1 0', 'write true or false, in small letters'),
    Kind('schema/date', 'MUST', 'date-format', 'XSD', 'dateTime or duration', 'write a date as 2026-03-01T12:00:00Z, a span as P2D or PT1H'),
    Kind('schema/date-range', 'INFO', None, 'practice', 'a date lies within the years 1 to 9999, a span within a million days', 'send a date within the years 1 to 9999, a span within a million days'),
    Kind('schema/details', 'MUST', 'details-text', 'XSD anyDataType', 'Details holds elements only', 'wrap the text in an element of your own, or move it to StatusText', applies='rsp'),
    Kind('schema/empty-element', 'SHOULD', 'schema-other', 'XSD', 'an optional element is left out where it has no value', 'leave the element out, or give it a value'),
    Kind('schema/empty-types', 'MUST', 'empty-element-whitespace', 'XSD', 'Content, ReplyCharging, UACapabilities hold nothing, not even a line break', 'write the element without content: <Content href="..."/>'),
    Kind('schema/enumeration', 'MUST', 'schema-other', 'XSD', 'Priority, MessageClass, ChargedParty, MMStatus …', 'use a value that the schema lists for the element'),
    Kind('schema/message-id-rsp', 'MUST', 'schema-other', 'XSD', 'SubmitRsp has MessageID from 5/1-1, never in 5/1-0', 'add MessageID to SubmitRsp; in REL-5-MM7-1-0 leave it out', applies='rsp'),
    Kind('schema/missing-element', 'MUST', 'schema-other', 'XSD', 'mandatory elements are there', 'add the element that is named, in its place'),
    Kind('schema/name-case', 'MUST', 'unknown-element', 'XSD', 'LinkedID, RFC2822Address, Number exactly so', 'write the name as in the schema'),
    Kind('schema/order', 'MUST', 'child-order', 'XSD sequence', 'children in the order of the schema', 'move each element to the other side of the one it is named with, in the order of the schema'),
    Kind('schema/repeated-element', 'MUST', 'schema-other', 'XSD', 'an element stands as often as the schema allows', 'send the element once'),
    Kind('schema/status-complete', 'MUST', 'schema-other', 'XSD', 'Status has StatusCode and StatusText', 'add StatusText behind StatusCode; it may be empty', applies='rsp'),
    Kind('schema/unknown-element', 'MUST', 'unknown-element', 'XSD', 'no unknown child', 'drop the element, or agree on it with the other side'),
    Kind('schema/unstated', 'INFO', 'schema-other', 'XSD', 'text stands where only elements are allowed', 'drop the text between the elements'),
    Kind('schema/valid', 'MUST', 'schema-other', 'XSD', "valid against the namespace's XSD, with SOAP XSD", 'correct what the reason names, at that place'),
    Kind('schema/value', 'MUST', 'schema-other', 'XSD', 'a value has the form its type asks for', 'write the value in the form of its type'),
    Kind('schema/vendor-extension', 'INFO', 'unknown-element', 'practice', 'known vendor additions named as such (BulkSubmitReq, PreferredChannels, QueryStatusReq …)', 'agree with the other side on the element'),
    Kind('schema/version-element', 'MUST', 'schema-other', 'XSD', 'element exists in this namespace (DistributionProtection 5/1-0, Indicator later; Date/TimeStamp; ChargedPartyID, ContentClass …)', 'use the name that this namespace has for it, or send the message in a newer namespace'),
)
