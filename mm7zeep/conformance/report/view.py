"""Verdicts as reports pass them on: what is said of a message and of each finding, in words, masked.

One place for all formats that leave the house (JUnit, SARIF, HTML), so that none of them can forget to mask.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from mm7zeep import masking
from mm7zeep.conformance.input.traffic import Carried
from mm7zeep.conformance.report import excerpts
from mm7zeep.conformance.verdict import Verdict
from mm7zeep.findings import KINDS, Finding, Level

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x84\x86-\x9f]")
_PLACE = re.compile(r"(?:byte|line) [0-9]+(?: column [0-9]+)?\Z")
_STEP = re.compile(r"\[[0-9]+\]\Z")  # the place among elements of the same name, in a path
_DATE = re.compile(r"(?<![\d+])((?:19|20)\d\d[01]\d[0-3]\d(?:[0-2]\d[0-5]\d(?:[0-5]\d)?)?)(?!\d)")
_TOLD_BY = 7  # the last digits of a number, by which it is known however it is written
_IDENTIFIERS = re.compile(r"content-id|start|href|smil|unreferenced|root")  # kinds whose values are Content-IDs


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One finding: what was wanted, what was met, where, and what to do.

    ``excerpt`` is None where nothing can be shown.
    """

    id: str
    level: Level
    clause: str
    where: str
    wanted: str
    met: str
    to_do: str
    action: str
    excerpt: str | None

    @property
    def sentence(self) -> str:
        """All of it on one line, but the excerpt."""
        met = f"; met: {self.met}" if self.met else ""
        return f"{self.wanted}{met}. To do: {self.to_do} [{self.clause}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. ``name`` is its file and place therein, ``carrier`` the connection or entry of a recording."""

    name: str
    file: str
    carrier: str
    word: str
    policy: str
    operation: str
    namespace: str
    mm7_version: str
    transaction_id: str
    reason: str
    rejected: bool
    warned: bool
    lines: tuple[Line, ...]


def message(verdict: Verdict, *, show_numbers: bool = False) -> Message:
    """What a report says of one verdict."""
    captured, sketch = verdict.captured, verdict.judgement.sketch
    kept = _identifiers(verdict)

    def masked(text: str | None) -> str:
        return plain(masking.masked(text or "", show_numbers=show_numbers, kept=kept))

    return Message(
        name=plain(_file_name(captured.name, show_numbers)),
        file=plain(_file_name(captured.file, show_numbers)),
        carrier=plain(captured.exchange) if isinstance(captured, Carried) else "",
        word=verdict.word,
        policy=verdict.policy,
        operation=masked(sketch.operation) or "no operation",
        namespace=masked((sketch.namespace or "").rpartition("/")[2]),
        mm7_version=masked(sketch.mm7_version),
        transaction_id=masked(sketch.transaction_id),
        reason=masked(verdict.reason),
        rejected=not verdict.accepted,
        warned=verdict.warned,
        lines=tuple(_line(verdict, one, show_numbers, kept) for one in verdict.findings),
    )


def _file_name(name: str, show_numbers: bool) -> str:
    """A file may be called by a number; what looks like a date stays, since files are told apart by it."""
    pieces = _DATE.split(name)
    return "".join(one if n % 2 else masking.masked(one, show_numbers=show_numbers) for n, one in enumerate(pieces))


def _identifiers(verdict: Verdict) -> frozenset[str]:
    """The Content-IDs and boundaries by which a reader finds a part, but those that hold an address of the message."""
    package, values = verdict.judgement.package, verdict.judgement.sketch.values
    nodes = list(package.tree.walk()) if package is not None else []
    named = [one for node in nodes for one in (node.content_id, node.parameter("start"), node.parameter("boundary"))]
    href = re.sub(r"(?i)\A\s*cid:", "", values.get("content_href") or "")
    ids = {one.strip("<> \t") for one in (*named, href, unquote(href)) if one}
    lists: Mapping[str, list[str]] = values.get("recipients") or {}
    private = {one.lower() for one in (values.get("sender") or "", *(one for each in lists.values() for one in each))}
    digits = {re.sub(r"\D", "", one) for one in private}
    private |= digits
    ends = {one[-_TOLD_BY:] for one in digits if len(one) >= _TOLD_BY}
    return frozenset(
        one
        for one in ids
        if not any(len(two) > 2 and two in one.lower() for two in private)
        and not any(two in re.sub(r"\D", "", one) for two in ends)
    )


def _line(verdict: Verdict, found: Finding, show_numbers: bool, kept: frozenset[str]) -> Line:
    kind = KINDS[found.id]
    identifiers = _IDENTIFIERS.search(found.id) is not None

    def masked(text: str) -> str:
        return plain(masking.masked(text, show_numbers=show_numbers, identifiers=identifiers, kept=kept))

    def of_element(text: str) -> str:
        if not found.where.startswith("/"):
            return masked(text)
        start = f"<{_STEP.sub('', found.where.rpartition('/')[2])}>"  # as which it is masked
        return masked(start + text).removeprefix(start)

    excerpt = excerpts.excerpt(verdict, found)
    return Line(
        id=found.id,
        level=found.level,
        clause=found.clause,
        where=found.where if _PLACE.match(found.where) else masked(found.where),
        wanted=kind.summary,
        # What is met there is a credential, or was meant to be one.
        met=masking.HIDDEN if found.id.startswith("http/auth") and found.detail else of_element(found.detail),
        to_do=kind.fix,
        action=found.action,
        excerpt=masked(excerpt) if excerpt is not None else None,
    )


def plain(text: str) -> str:
    """``text`` without characters that XML 1.0 forbids or that steer a terminal; they are written out."""
    return _NOT_XML.sub(lambda m: f"\\x{ord(m[0]):02x}", text)
