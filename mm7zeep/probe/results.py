"""What came of a run: a ``Report`` of ``Result``, one for each case and one for each common assertion.

Values only, with the octets of every request and answer; nothing here is masked (``reports`` does that) or sent.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["mmsc", "vasp"]
"""Who is examined."""

Level = Literal["MUST", "SHOULD", "INFO"]

Word = Literal["PASS", "FAIL", "HANG", "WARN", "INFO", "SKIP", "ERROR"]
"""A verdict.

FAIL is a MUST that was broken, HANG that no answer came in time, WARN a SHOULD that was broken, INFO an outcome worth
telling that breaks nothing; ERROR is the tool's or the network's, never the peer's.
"""

WORDS: tuple[Word, ...] = ("FAIL", "HANG", "ERROR", "WARN", "INFO", "SKIP", "PASS")
"""All verdicts, the worst first."""

FORMAT = 1
"""The version of the JSON form; what reads another number says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transmission:
    """One exchange: what was sent, and what came back.

    ``by`` tells who asked: ``tool`` for a request of ours, ``peer`` for a request that came to our listener. ``ended``
    says how the answer ended: ``whole``, ``closed`` (before anything came), ``cut``, ``reset``, ``refused``,
    ``timeout``, ``overdue`` (still coming when the time was up), ``large`` (more than is read), ``unread`` (nobody
    waited for it). Times are seconds; ``started`` counts from the beginning of the run.
    """

    by: Literal["tool", "peer"]
    sent: bytes
    received: bytes
    ended: str
    started: float = 0.0
    took: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that was found: at which level, by which text, and where.

    ``exchange`` is the number of the transmission that shows it, from 0, and ``offset`` the octet of its received
    octets (of the sent ones, for a request of the peer's) where it begins; None where that is not known.
    """

    level: Level
    text: str
    expected: str = ""
    actual: str = ""
    exchange: int | None = None
    offset: int | None = None
    hang: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one case, or of one common assertion over all cases (``common``: then ``seen`` counts the answers
    that it was asked of, and ``reasons`` name the cases).
    """

    id: str
    role: Role
    level: Level
    clause: str
    requirement: str
    verdict: Word
    reasons: tuple[Reason, ...] = ()
    skipped: str = ""
    transmissions: tuple[Transmission, ...] = ()
    took: float = 0.0
    common: bool = False
    seen: int = 0

    @property
    def why(self) -> str:
        """The verdict's reason in one line; empty for a plain PASS."""
        if self.skipped:
            return self.skipped
        ranked = sorted(self.reasons, key=lambda one: ("MUST", "SHOULD", "INFO").index(one.level))
        return ranked[0].text if ranked else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run: against which URL (without its user), in which role, when (ISO 8601), with which seed and options that
    matter for a repetition (no secrets), and every result in the order of the catalogue.
    """

    url: str
    role: Role
    started: str
    took: float
    seed: int
    version: str
    results: tuple[Result, ...]
    options: Mapping[str, str]

    def count(self) -> dict[Word, int]:
        """How many results have each verdict, all verdicts named."""
        return {word: sum(one.verdict == word for one in self.results) for word in WORDS}


def verdict_of(reasons: Iterable[Reason]) -> Word:
    """The verdict that reasons make together."""
    found = list(reasons)
    musts = [one for one in found if one.level == "MUST"]
    if musts:
        return "HANG" if all(one.hang for one in musts) else "FAIL"
    if any(one.level == "SHOULD" for one in found):
        return "WARN"
    return "INFO" if found else "PASS"


# --- JSON -------------------------------------------------------------------------------------------------------------


def as_dict(report: Report) -> dict[str, Any]:
    """The report as JSON takes it, octets in base64."""
    return {
        "format": FORMAT,
        "url": report.url,
        "role": report.role,
        "started": report.started,
        "took": round(report.took, 3),
        "seed": report.seed,
        "version": report.version,
        "options": dict(report.options),
        "count": report.count(),
        "results": [result_as_dict(one) for one in report.results],
    }


def result_as_dict(result: Result) -> dict[str, Any]:
    """One result as JSON takes it."""
    return {
        "id": result.id,
        "role": result.role,
        "level": result.level,
        "clause": result.clause,
        "requirement": result.requirement,
        "verdict": result.verdict,
        "why": result.why,
        "skipped": result.skipped,
        "took": round(result.took, 3),
        "common": result.common,
        "seen": result.seen,
        "reasons": [
            {
                "level": one.level,
                "text": one.text,
                "expected": one.expected,
                "actual": one.actual,
                "exchange": one.exchange,
                "offset": one.offset,
                "hang": one.hang,
            }
            for one in result.reasons
        ],
        "transmissions": [
            {
                "by": one.by,
                "sent": base64.b64encode(one.sent).decode(),
                "received": base64.b64encode(one.received).decode(),
                "ended": one.ended,
                "started": round(one.started, 3),
                "took": round(one.took, 3),
                "note": one.note,
            }
            for one in result.transmissions
        ],
    }


def from_dict(said: Mapping[str, Any]) -> Report:
    """The report that ``as_dict`` wrote. Raises ``ValueError`` saying what is not as written there."""
    if not isinstance(said, Mapping) or said.get("format") != FORMAT:
        found = said.get("format") if isinstance(said, Mapping) else type(said).__name__
        raise ValueError(f"no report of mm7zeep probe in format {FORMAT} (format: {found!r})")
    try:
        return Report(
            url=str(said["url"]),
            role=said["role"],
            started=str(said["started"]),
            took=float(said["took"]),
            seed=int(said["seed"]),
            version=str(said["version"]),
            options={str(key): str(value) for key, value in said["options"].items()},
            results=tuple(_result(one) for one in said["results"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"the report cannot be read: {type(error).__name__}: {error}") from error


def _result(said: Mapping[str, Any]) -> Result:
    given = {name: said[name] for name in ("id", "role", "level", "clause", "requirement", "verdict", "skipped")}
    if given["verdict"] not in WORDS:
        raise ValueError(f"{given['id']}: the verdict is one of {', '.join(WORDS)}, not {given['verdict']!r}")
    return Result(
        **given,
        took=float(said["took"]),
        common=bool(said["common"]),
        seen=int(said["seen"]),
        reasons=tuple(Reason(**one) for one in said["reasons"]),
        transmissions=tuple(
            Transmission(
                **{
                    **one,
                    "sent": base64.b64decode(one["sent"], validate=True),
                    "received": base64.b64decode(one["received"], validate=True),
                }
            )
            for one in said["transmissions"]
        ),
    )
