"""What can be noticed about a message: the table of finding kinds, and the finding itself.

Every deviation that a reader meets is reported once, under a stable id of this table, with its level, clause and fix.
The table has one module per prefix (``http/host`` is in ``http``), sorted by id. Raises ``KeyError`` for an id that is
not in the table: findings are never made up on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeVar

from mm7zeep.findings import fit, http, mime, ns, schema, sem, soap, twiml, version, xml
from mm7zeep.findings.kind import Kind, Level, cited

__all__ = ["KINDS", "NAMED", "TABLES", "Action", "Finding", "Kind", "Level", "cited", "finding", "listed"]

T = TypeVar("T")
Action = Literal["noted", "repaired", "kept-raw", "refused"]

TABLES: Mapping[str, tuple[Kind, ...]] = MappingProxyType(
    {
        "http": http.ROWS,
        "mime": mime.ROWS,
        "xml": xml.ROWS,
        "soap": soap.ROWS,
        "ns": ns.ROWS,
        "version": version.ROWS,
        "schema": schema.ROWS,
        "sem": sem.ROWS,
        "fit": fit.ROWS,
        "twiml": twiml.ROWS,
    }
)
"""The kinds by the prefix of their ids, from the outside of a message to its meaning; then what fitting did to it, and
what was answered to it in Twilio's form.
"""

KINDS: Mapping[str, Kind] = MappingProxyType({row.id: row for rows in TABLES.values() for row in rows})
"""Every kind of finding, by id."""

_DETAIL_LIMIT = 160  # characters of a met value that a finding repeats
NAMED = 8
"""Things of one kind that a detail names; others are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One deviation met in one message.

    ``where`` is an XPath in the envelope, ``byte N`` of the body, or a header name; ``detail`` is the value met, at
    most 160 characters of it; ``action`` says what the reader did about it.
    """

    id: str
    level: Level
    topic: str | None
    summary: str
    clause: str
    where: str
    action: Action
    detail: str = ""

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.id} at {self.where or 'message'}: {self.summary}{detail}"


def finding(
    id: str, where: str = "", *, detail: str = "", action: Action = "noted", level: Level | None = None
) -> Finding:
    """Make the finding of kind ``id``; ``level`` overrides the table's. Raises ``KeyError`` for an unknown id."""
    kind = KINDS[id]
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in detail)
    if len(shown) > _DETAIL_LIMIT:
        shown = shown[: _DETAIL_LIMIT - 3] + "..."
    return Finding(id, level or kind.level, kind.topic, kind.summary, kind.source, where, action, shown)


def listed(things: Sequence[T], written: Callable[[Sequence[T]], str]) -> str:
    """Several things as one ``detail``, as they are ``written``, and how many more there are.

    At most 8 are named, fewer where that takes more than 160 characters, but always the first.
    """
    for shown in range(min(len(things), NAMED), 0, -1):
        more = len(things) - shown
        text = written(things[:shown]) + (f", and {more} more" if more else "")
        if len(text) <= _DETAIL_LIMIT or shown == 1:
            return text
    return ""
