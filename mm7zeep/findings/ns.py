"""Kinds of findings about the namespace of the message; one row per kind, sorted by id."""

from __future__ import annotations

from mm7zeep.findings.kind import Kind

ROWS = (
    Kind('ns/alias', 'MUST', 'namespace-alias', 'XSD', 'the MM7 namespace is written to the letter: http:, no blanks, no slash at its end', 'write it to the letter: http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/ and the release, as REL-6-MM7-1-4'),
    Kind('ns/children-qualified', 'MUST', 'unqualified-children', 'XSD elementFormDefault', 'children are in the namespace', 'declare the MM7 namespace as the default one: xmlns="..." at the child of the Body'),
    Kind('ns/known', 'MUST', 'namespace-unknown', 'XSD', 'one of the ten (eleven with 5/1-5) MM7 namespaces', 'use the namespace of a published schema, as the carrier states it'),
    Kind('ns/missing', 'MUST', 'namespace-missing', 'XSD', 'the Body child is in an MM7 namespace', 'declare the MM7 namespace at the child of the Body: xmlns="..."'),
    Kind('ns/no-place', 'INFO', None, 'XSD', 'a namespace has no place for an element, which a callback left out', 'let callbacks be written in a newer namespace', needs='gateway'),
    Kind('ns/pre-standard', 'MUST', 'pre-standard', 'XSD', 'the message follows a draft of 2002, not TS 23.140 release 5 or 6', 'use a release 5 or 6 namespace'),
    Kind('ns/rel-5-1-5', 'INFO', None, 'XSD', 'REL-5-MM7-1-5 was never seen published: judged as 5/1-3 with versions 5.8.0 and 5.10.0', 'use a published namespace'),
)
