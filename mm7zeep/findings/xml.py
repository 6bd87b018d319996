"""Kinds of findings about the XML of the envelope; one row per kind, sorted by id."""

from __future__ import annotations

from mm7zeep.findings.kind import Kind

ROWS = (
    Kind('xml/charset-agrees', 'MUST', 'charset-mismatch', 'RFC 7303 3', 'the octets are in the charset that is named; charset parameter and declaration agree (BOM wins over parameter, parameter over declaration)', 'encode the envelope in the charset that is named, UTF-8 best, or name that of the octets, the same in Content-Type and XML declaration'),
    Kind('xml/charset-missing', 'SHOULD', None, 'RFC 7303 3; RFC 3023 3.1', 'text/xml without charset: old receivers assume us-ascii', 'add charset="utf-8" to the Content-Type of the envelope'),
    Kind('xml/declaration-first', 'MUST', 'xml-declaration', 'XML 1.0 2.8', 'nothing before the declaration', 'drop what stands before <?xml'),
    Kind('xml/declaration-true', 'MUST', 'xml-declaration', 'XML 1.0 4.3.3', 'the declared encoding is the one used', 'write the encoding of the octets into the XML declaration'),
    Kind('xml/encoding-forbidden', 'MUST', 'charset-mismatch', 'XML 1.0 4.3.3', 'the envelope is UTF-8 or another encoding that cannot hide markup', 'send the envelope in UTF-8'),
    Kind('xml/limit', 'MUST', None, 'operator limit', 'the envelope keeps within the limits of size, depth and elements', 'send a smaller envelope: fewer elements, less deep'),
    Kind('xml/no-dtd', 'MUST', None, 'SOAP 1.1 3', 'no DOCTYPE', 'remove the DOCTYPE'),
    Kind('xml/no-pi', 'MUST', None, 'SOAP 1.1 3', 'no processing instruction (the XML declaration is none)', 'remove the processing instruction'),
    Kind('xml/relative-namespace', 'SHOULD', None, 'Namespaces in XML 1.0 2.2', 'namespace names are absolute URIs', 'write the namespace as a full URI, such as http://vendor.example/mm7'),
    Kind('xml/well-formed', 'MUST', 'not-well-formed', 'XML 1.0', 'SOAP part parses', 'correct the XML at that place; an XML library writes it right'),
)
