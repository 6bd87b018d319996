"""What ``check`` says: verdicts as entries, entries as text or JSON.

An entry is all that a report needs of one message, so that nothing else of it is kept. Writers turn entries into one
text; ``WRITERS`` at the foot of the module names them. Prints nothing, and shows no credential.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from mm7zeep import envelope, json_text, masking
from mm7zeep.conformance.report import excerpts
from mm7zeep.conformance.verdict import Verdict
from mm7zeep.findings import KINDS, Finding
from mm7zeep.messages import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message as reported.

    ``values`` are the fields of the message by name, ``parts`` and ``findings`` are in the words of the JSON report;
    ``excerpts`` has, for each finding, the line it speaks of, or None. ``reason`` says why the message was refused.
    """

    file: str
    verdict: str
    policy: str
    operation: str | None
    transaction_id: str | None
    namespace: str | None
    mm7_version: str | None
    values: Mapping[str, Any]
    parts: tuple[Mapping[str, Any], ...] = ()
    findings: tuple[Finding, ...] = ()
    excerpts: tuple[str | None, ...] = ()
    reason: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Keys that an option adds to the JSON object."""

    @property
    def rejected(self) -> bool:
        """Whether the message was refused."""
        return self.verdict == "reject"

    @property
    def warned(self) -> bool:
        """Whether it was accepted with findings of level MUST or SHOULD."""
        return not self.rejected and any(one.level != "INFO" for one in self.findings)


def entry(verdict: Verdict) -> Entry:
    """What a report says of one verdict."""
    sketch, package = verdict.judgement.sketch, verdict.judgement.package
    return Entry(
        file=verdict.captured.name,
        verdict=verdict.word,
        policy=verdict.policy,
        operation=sketch.operation,
        transaction_id=sketch.transaction_id,
        namespace=sketch.namespace,
        mm7_version=sketch.mm7_version,
        values=sketch.values or envelope.no_values(),
        parts=tuple(_part(part) for part in (package.parts if package is not None else ())),
        findings=tuple(replace(one, detail=masking.credentials(one.detail)) for one in verdict.findings),
        excerpts=tuple(excerpts.excerpt(verdict, one) for one in verdict.findings),
        reason=masking.credentials(verdict.reason),
    )


def _part(part: Part) -> dict[str, Any]:
    return {
        "content_id": part.content_id,
        "content_type": part.content_type,
        "size": part.size,
        "sha256": part.sha256(),
    }


# --- JSON -------------------------------------------------------------------------------------------------------------


def as_json(entries: Sequence[Entry], style: Style | None = None) -> str:
    """The JSON report: ``{"files": [...]}``, one object per message."""
    return json_text.as_json({"files": [_object(one) for one in entries]}, indent=1) + "\n"


def _object(one: Entry) -> dict[str, Any]:
    return {
        "file": one.file,
        "verdict": one.verdict,
        "policy": one.policy,
        "operation": one.operation,
        "transaction_id": one.transaction_id,
        "namespace": one.namespace,
        "mm7_version": one.mm7_version,
        "fields": dict(one.values),
        "parts": [dict(part) for part in one.parts],
        "findings": [
            {
                "id": found.id,
                "level": found.level,
                "topic": found.topic,
                "summary": f"{found.summary} ({found.detail})" if found.detail else found.summary,
                "clause": found.clause,
                "where": found.where,
                "action": found.action,
            }
            for found in one.findings
        ],
        **one.more,
    }


# --- text -------------------------------------------------------------------------------------------------------------

LEVELS: Mapping[str, str] = MappingProxyType({"MUST": "red", "SHOULD": "yellow", "INFO": "cyan"})
"""The levels of findings, the gravest first, and their colours."""
_LABEL = 7  # columns of a level, its blank included


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How text is set: in ``colour`` or not, in so many columns."""

    colour: bool = False
    width: int = field(default=100)


def as_text(entries: Sequence[Entry], style: Style | None = None) -> str:
    """The report for people: each message with its findings, the line each speaks of, and what to do; then the sum."""
    return set_in(_lines(entries), style or Style())


def set_in(lines: Iterable[list[Piece]], style: Style) -> str:
    """Lines as they are printed, each with a line end."""
    if not style.colour:  # rich would add nothing but its loading
        return "".join(f"{_uncoloured(line)}\n" for line in lines)
    from rich.console import Console
    from rich.text import Text

    out = io.StringIO()
    console = Console(
        file=out,
        force_terminal=True,
        color_system="standard",
        width=max(style.width, 40),
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )
    for line in lines:
        console.print(Text.assemble(*line))
    return out.getvalue()


def _lines(entries: Sequence[Entry]) -> Iterator[list[Piece]]:
    for one in entries:
        yield _title(one)
        for found, shown in zip(one.findings, one.excerpts, strict=True):
            yield _finding(found, shown)
        yield []
    yield total(entries)


def _uncoloured(line: Sequence[Piece]) -> str:
    return "".join(one if isinstance(one, str) else one[0] for one in line)


Piece = str | tuple[str, str]
"""A piece of a line: text, and how it is set."""


def _title(one: Entry) -> list[Piece]:
    word: Piece = (one.verdict.upper(), "bold red" if one.rejected else "bold green")
    facts = [one.operation or "no operation", (one.namespace or "").rpartition("/")[2], one.mm7_version or ""]
    what = " ".join(plain(part) for part in facts if part)
    pieces: list[Piece] = [(plain(one.file), "bold"), "  ", word, f"  {what}"]
    if one.transaction_id:
        pieces.append(f"  transaction {plain(one.transaction_id)}")
    for part in one.parts:
        label = plain(part["content_id"] or "-")
        pieces.append(f"\n  part   {plain(part['content_type'])}  {part['size']} octets  {label}")
    if one.reason:
        pieces.append(("\n  refused: " + plain(one.reason), "red"))
    return pieces


def _finding(found: Finding, shown: str | None) -> list[Piece]:
    kind = KINDS[found.id]
    indent = "\n  " + " " * _LABEL
    pieces: list[Piece] = ["  ", (found.level.ljust(_LABEL), LEVELS[found.level]), (found.id, "bold")]
    if found.where:
        pieces.append(f"  {plain(found.where)}")
    pieces.append((f"  {found.action}", "dim"))
    pieces.append(f"{indent}wanted  {kind.summary}")
    if found.detail:
        pieces.append(f"{indent}met     {plain(found.detail)}")
    if shown:
        pieces.append((f"{indent}      | {shown}", "dim"))
    pieces.append(f"{indent}to do   {kind.fix}  [{found.clause}]")
    return pieces


def plain(text: str) -> str:
    """Text of a sender's, without what could steer a terminal."""
    return "".join(one if one.isprintable() else excerpts.visible(one) for one in text)


def total(entries: Sequence[Entry]) -> list[Piece]:
    """The last line: how many messages there were, and what became of them."""
    rejected, warned = sum(one.rejected for one in entries), sum(one.warned for one in entries)
    count = len(entries)
    accepted = count - rejected
    noun = "message" if count == 1 else "messages"
    return [
        f"{count} {noun}: ",
        (f"{accepted} accepted", "green"),
        f" ({warned} with warnings), ",
        (f"{rejected} rejected", "red" if rejected else ""),
    ]


# --- the table --------------------------------------------------------------------------------------------------------

Writer = Callable[[Sequence[Entry], Style | None], str]

WRITERS: Mapping[str, Writer] = MappingProxyType({"text": as_text, "json": as_json})
"""Every format of ``check --format``, by name. A new one is one more function above and one more row here."""
