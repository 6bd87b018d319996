"""The vectors as files: one JSON document for each area, an index, and the two schemas that describe them.

Gives texts by file name, the same octets every time; writes nothing and judges nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from itertools import groupby
from typing import Any

from mm7zeep import __version__
from mm7zeep.findings import KINDS
from mm7zeep.vectors.catalogue import AREAS, Vector, vectors
from mm7zeep.vectors.statements import FIELDS, POLICIES, Noted, Statement, stated

FORM = 1
"""Of the documents; a change that a reader of them would not survive makes it one more."""
SCHEMA, INDEX_SCHEMA, INDEX = "vectors.schema.json", "index.schema.json", "index.json"
"""The names of the files that are no area."""

_READABLE = 16_384  # octets that people read


def documents() -> dict[str, bytes]:
    """Every file by its name: some 4 MB in all.

    Raises ``KeyError`` for a vector without statement.
    """
    found: dict[str, bytes] = {}
    rows = []
    for area, members in groupby(vectors(), key=lambda one: one.area):
        said = stated(area)
        held = [document(one, said[one.id]) for one in members]
        text = _text({"form": FORM, "area": area, "description": AREAS[area], "vectors": held})
        found[f"area-{area}.json"] = text
        rows.append(
            {
                "area": area,
                "description": AREAS[area],
                "file": f"area-{area}.json",
                "vectors": len(held),
                "sha256": hashlib.sha256(text).hexdigest(),
            }
        )
    total = sum(row["vectors"] for row in rows)
    index = {"form": FORM, "made_by": f"mm7zeep {__version__}", "vectors": total, "schema": SCHEMA, "areas": rows}
    return {INDEX: _text(index), SCHEMA: _schema(SCHEMA), INDEX_SCHEMA: _schema(INDEX_SCHEMA), **found}


def _text(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _schema(name: str) -> bytes:
    return files("mm7zeep.vectors").joinpath(name).read_bytes()


def document(vector: Vector, statement: Statement) -> dict[str, Any]:
    """One vector as JSON."""
    return {
        "id": vector.id,
        "description": vector.description,
        "role": "request" if vector.is_request else "response",
        "sender": vector.sender,
        "receiver": vector.receiver,
        "arrives": None if vector.now is None else vector.now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "before": [base64.b64encode(one).decode() for one in vector.before],
        "octets": base64.b64encode(vector.octets).decode(),
        "body_offset": vector.body_offset,
        "text": _readable(vector.octets),
        "rule": vector.rule,
        "breaks": vector.breaks,
        "clause": None if vector.rule is None else KINDS[vector.rule].source,
        "twin": vector.twin,
        "verdicts": {policy: statement.verdicts[policy] for policy in POLICIES},
        "findings": [_finding(one) for one in statement.findings],
        "fields": None if statement.fields is None else _fields(statement.fields),
        "parts": None if statement.parts is None else [dict(one) for one in statement.parts],
    }


def _readable(octets: bytes) -> str | None:
    if len(octets) > _READABLE:
        return None
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return None
    return text if all(one.isprintable() or one in "\r\n\t" for one in text) else None


def _finding(one: Noted) -> dict[str, str]:
    kind = KINDS[one.id]
    return {
        "rule": one.id,
        "level": one.level,
        "place": one.place,
        "clause": kind.source,
        "wanted": kind.summary,
        "action": one.action,
    }


def _fields(held: Mapping[str, Any]) -> dict[str, Any]:
    return {name: held.get(name, [] if name == "recipients" else None) for name in FIELDS}
