"""What ``check --summary`` says of many messages: which were rejected and why, and how often each finding was met.

The gravest findings come first, of a level the most frequent. Takes the entries of ``text_json``; shows no credential,
since they hold none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mm7zeep import json_text
from mm7zeep.conformance.report.text_json import LEVELS, Entry, Piece, Style, plain, set_in, total
from mm7zeep.findings import KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How often findings of the kind ``id`` were met with this ``level``, and in how many messages."""

    id: str
    level: str
    times: int
    messages: int


def counts(entries: Sequence[Entry]) -> list[Count]:
    """Of every kind of finding, how often it was met."""
    met: dict[tuple[str, str], list[int]] = {}
    for number, entry in enumerate(entries):
        for one in entry.findings:
            met.setdefault((one.level, one.id), []).append(number)
    order = list(LEVELS)
    found = [Count(id=id, level=level, times=len(at), messages=len(set(at))) for (level, id), at in met.items()]
    return sorted(found, key=lambda one: (order.index(one.level), -one.times, one.id))


def as_text(entries: Sequence[Entry], style: Style | None = None) -> str:
    """The summary for people: the rejected messages, the findings by number, the sum."""
    lines: list[list[Piece]] = [
        [(plain(one.file), "bold"), "  ", ("REJECT", "bold red"), f"  {plain(one.reason)}"]
        for one in entries
        if one.rejected
    ]
    found = counts(entries)
    width = max((len(one.id) for one in found), default=0)
    lines += [[]] if lines and found else []
    for one in found:
        times: list[Piece] = [f"{one.times:6}  ", (one.level.ljust(6), LEVELS[one.level]), "  "]
        lines.append([*times, (one.id.ljust(width), "bold"), f"  {KINDS[one.id].summary}"])
    lines += [[]] if lines else []
    return set_in([*lines, total(entries)], style or Style())


def as_json(entries: Sequence[Entry], style: Style | None = None) -> str:
    """The summary as one JSON object."""
    found: list[dict[str, Any]] = [
        {"id": one.id, "level": one.level, "times": one.times, "messages": one.messages} for one in counts(entries)
    ]
    rejected = [{"file": one.file, "reason": one.reason} for one in entries if one.rejected]
    said = {
        "messages": len(entries),
        "accepted": len(entries) - len(rejected),
        "warned": sum(one.warned for one in entries),
        "rejected": rejected,
        "findings": found,
    }
    return json_text.as_json(said, indent=1) + "\n"


WRITERS: Mapping[str, Callable[[Sequence[Entry], Style | None], str]] = MappingProxyType(
    {"text": as_text, "json": as_json}
)
"""The summary in every format of ``check --format`` that has one, by name."""
