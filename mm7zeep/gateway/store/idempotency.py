"""What makes two requests the same: the digest of everything they ask, without what differs each time it is written.

Boundaries, Content-IDs and the form of the envelope do not count, nor does the Content-ID inside a generated
presentation; every value that is asked and every octet of content does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta

from mm7zeep.gateway.store import content
from mm7zeep.messages import Address, Message, Part

_LEFT_OUT = frozenset({"content_href", "mm7_version", "parts"})


def digest(message: Message) -> str:
    """The SHA-256 of what ``message`` asks, in hexadecimal."""
    asked = {one.name: _plain(getattr(message, one.name)) for one in fields(message) if one.name not in _LEFT_OUT}
    parts: Sequence[Part] = getattr(message, "parts", ())
    names = [one.content_id or "" for one in parts]
    known = [one for one in names if one]
    whole = [type(message).__name__, asked, [_part(one, known) for one in parts]]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _part(part: Part, names: Sequence[str]) -> list[object]:
    labels = sorted((name.lower(), value) for name, value in part.parameters)
    return [part.content_type.lower(), labels, part.name, content.digest(part, names)]


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Address):
        return [value.kind, value.value, value.display_only, value.coding, *([value.id] if value.id else [])]
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if is_dataclass(value):
        return [type(value).__name__, *(_plain(getattr(value, one.name)) for one in fields(value))]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
