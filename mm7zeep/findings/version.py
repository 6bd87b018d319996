"""Kinds of findings about MM7Version; one row per kind, sorted by id."""

from __future__ import annotations

from mm7zeep.findings.kind import Kind

ROWS = (
    Kind('version/listed', 'MUST', 'version-unlisted', 'XSD enumeration', "value is in the namespace's list", 'use 5.3.0 or the newest'),
    Kind('version/newest', 'INFO', None, 'XSD', 'older value than the namespace brought', 'raise it'),
    Kind('version/present', 'MUST', 'schema-other', '8.7.1; XSD', 'MM7Version first', 'add it'),
)
