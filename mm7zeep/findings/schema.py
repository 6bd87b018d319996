"""Kinds of findings about what the schema says of elements, attributes and values; one row per kind, sorted by id."""

from __future__ import annotations

from mm7zeep.findings.kind import Kind

ROWS = (
    Kind('schema/address-name', 'MUST', 'address-form', 'XSD addressType', 'address elements are named and placed as in the schema', 'use Number, RFC2822Address or ShortCode, directly in its place'),
    Kind('schema/address-typed-early', 'MUST', 'address-form', 'XSD 5/1-0, 5/1-1', 'SenderAddress is plain text in 5/1-0 and 5/1-1', 'write the text alone'),
    Kind('schema/address-untyped', 'MUST', 'address-untyped', 'XSD addressType', 'an address is a RFC2822Address, Number or ShortCode element', 'wrap the text'),
    Kind('schema/attribute', 'MUST', 'schema-other', 'XSD', 'an attribute is allowed and has the form its type asks for', 'correct or drop the attribute'),
    Kind('schema/boolean', 'MUST', 'boolean-case', 'XSD xs:boolean', 'true false 1 0', 'lower case'),
    Kind('schema/date', 'MUST', 'date-format', 'XSD', 'dateTime or duration', 'format it'),
    Kind('schema/date-range', 'INFO', None, 'practice', 'a date lies within the years 1 to 9999, a span within a million days', 'send a nearer date'),
    Kind('schema/details', 'MUST', 'details-text', 'XSD anyDataType', 'Details holds elements only', 'wrap the text', applies='rsp'),
    Kind('schema/empty-element', 'SHOULD', 'schema-other', 'XSD', 'an optional element is left out where it has no value', 'drop the element'),
    Kind('schema/empty-types', 'MUST', 'empty-element-whitespace', 'XSD', 'Content, ReplyCharging, UACapabilities hold nothing, not even a line break', 'self-close'),
    Kind('schema/enumeration', 'MUST', 'schema-other', 'XSD', 'Priority, MessageClass, ChargedParty, MMStatus …', 'use a listed value'),
    Kind('schema/message-id-rsp', 'MUST', 'schema-other', 'XSD', 'SubmitRsp has MessageID from 5/1-1, never in 5/1-0', 'add / drop', applies='rsp'),
    Kind('schema/missing-element', 'MUST', 'schema-other', 'XSD', 'mandatory elements are there', 'add the element'),
    Kind('schema/name-case', 'MUST', 'unknown-element', 'XSD', 'LinkedID, RFC2822Address, Number exactly so', 'correct the case'),
    Kind('schema/order', 'MUST', 'child-order', 'XSD sequence', 'children in schema order (DeliveryReport before Content …)', 'reorder'),
    Kind('schema/repeated-element', 'MUST', 'schema-other', 'XSD', 'an element stands as often as the schema allows', 'drop the repetition'),
    Kind('schema/status-complete', 'MUST', 'schema-other', 'XSD', 'Status has StatusCode and StatusText', 'add StatusText (may be empty)', applies='rsp'),
    Kind('schema/unknown-element', 'MUST', 'unknown-element', 'XSD', 'no unknown child', 'drop it'),
    Kind('schema/unstated', 'INFO', 'schema-other', 'XSD', 'text stands where only elements are allowed', 'drop the text'),
    Kind('schema/valid', 'MUST', 'schema-other', 'XSD', "valid against the namespace's XSD, with SOAP XSD", 'see message'),
    Kind('schema/value', 'MUST', 'schema-other', 'XSD', 'a value has the form its type asks for', 'correct the value'),
    Kind('schema/vendor-extension', 'INFO', 'unknown-element', 'practice', 'known vendor additions named as such (BulkSubmitReq, PreferredChannels, QueryStatusReq …)', 'agree bilaterally'),
    Kind('schema/version-element', 'MUST', 'schema-other', 'XSD', 'element exists in this namespace (DistributionProtection 5/1-0, Indicator later; Date/TimeStamp; ChargedPartyID, ContentClass …)', 'use the other name or namespace'),
)
