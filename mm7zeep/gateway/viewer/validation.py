"""What was noticed about a message, by severity: what is wanted, where, by which clause, what to do, and what was done.

Reads the JSON that the message's row has and the tables of ``findings``. Values in, values out. Shows no credentials.
Refuses nothing: a finding that no table has any more is shown by its id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mm7zeep import masking
from mm7zeep.conformance.report.view import plain
from mm7zeep.findings import KINDS
from mm7zeep.gateway.admin import views
from mm7zeep.gateway.store.rows import MessageRow

MOST = 500
"""Findings that are shown."""
_LEVELS: Mapping[str, str] = MappingProxyType(
    {"MUST": "the texts demand it", "SHOULD": "the texts recommend it", "INFO": "worth knowing"}
)
_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "noted": "only noted: it was read all the same",
        "repaired": "repaired: its meaning was clear",
        "kept-raw": "kept as it came, without its meaning",
        "refused": "could not be read, and was left out",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One finding: what is ``wanted`` and what was ``met``, ``where``, by which ``clause``, what is ``to_do``.

    ``treatment`` is what the gateway did about it, in words; ``action`` the word of the table. ``times`` is how often
    the same was noticed.
    """

    id: str
    wanted: str
    met: str
    where: str
    clause: str
    to_do: str
    action: str
    treatment: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The findings of one level, the gravest first; ``meaning`` is that of the level."""

    level: str
    meaning: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Everything that was noticed about a message; ``left_out`` counts what is not shown."""

    groups: tuple[Group, ...]
    left_out: int

    @property
    def count(self) -> int:
        """How many findings are shown."""
        return sum(len(one.lines) for one in self.groups)


def validation(message: MessageRow) -> Validation:
    """The findings of a message: of its newest request, and of what the gateway did with it."""
    rows = json.loads(message.findings)
    counted: dict[str, int] = {}
    for one in rows:
        key = json.dumps(one, sort_keys=True)
        counted[key] = counted.get(key, 0) + 1
    kept = [(json.loads(key), times) for key, times in list(counted.items())[:MOST]]
    levels: dict[str, list[Line]] = {level: [] for level in _LEVELS}
    for one, times in kept:
        levels.setdefault(str(one["level"]), []).append(_line(one, times))
    groups = (
        Group(level=level, meaning=_LEVELS.get(level, ""), lines=tuple(lines))
        for level, lines in levels.items()
        if lines
    )
    return Validation(groups=tuple(groups), left_out=len(counted) - len(kept))


def _line(row: Mapping[str, Any], times: int) -> Line:
    found = views.finding(row)
    kind = KINDS.get(found.id)
    met = found.detail or ""
    if met and found.id.startswith("http/auth"):  # what is met there is a credential, or was meant to be one
        met = masking.HIDDEN
    action = found.action or "noted"
    return Line(
        id=plain(found.id),
        wanted=kind.summary if kind is not None else "",
        met=plain(met),
        where=plain(found.where or ""),
        clause=kind.source if kind is not None else "",
        to_do=kind.fix if kind is not None else "",
        action=action,
        treatment=_ACTIONS.get(action, action),
        times=times,
    )
