"""Kinds of findings about MM7Version; one row per kind, sorted by id."""

from __future__ import annotations

from mm7zeep.findings.kind import Kind

ROWS = (
    Kind('version/listed', 'MUST', 'version-unlisted', 'XSD enumeration', "value is in the namespace's list", 'write an MM7Version that the namespace lists, such as 5.3.0, or its newest'),
    Kind('version/newest', 'INFO', None, 'XSD', 'the newest value that the namespace has', 'write the newest MM7Version of the namespace'),
    Kind('version/present', 'MUST', 'schema-other', '8.7.1; XSD', 'MM7Version first', 'add MM7Version as the first child of the message'),
)
