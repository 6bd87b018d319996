"""Deliberately broken servers, by which the examiner is examined: our own gateway and VASP, each with one fault.

A ``Mutant`` says what is broken, how (``breaks``), and which cases state it: exactly those have to turn red. The tables
are in ``mutants_table``; ``probe_mutants`` runs them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from breaks import PATIENCE, WINDOW, Break, examine

from mm7zeep.probe.case import Case
from mm7zeep.probe.cases import ALL
from mm7zeep.probe.common import COMMON
from mm7zeep.probe.results import Report, Result, Role

_RED = frozenset({"FAIL", "HANG", "WARN", "ERROR"})
_COMMON = frozenset(one.id for one in COMMON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A broken server. ``what`` is one sentence about it.

    ``found_by`` are the ids, of cases and of common assertions, that have to be FAIL, HANG or WARN; ``noted`` those
    that can only be INFO, and have to be that for a new reason. ``near`` are beginnings of ids that are asked beside
    them in the quick form, since they could notice.
    """

    name: str
    role: Role
    what: str
    breaks: Break
    found_by: frozenset[str] = frozenset()
    noted: frozenset[str] = frozenset()
    near: tuple[str, ...] = ()
    window: float = WINDOW

    @property
    def title(self) -> str:
        """Its role and name."""
        return f"{self.role} {self.name}"

    @property
    def ids(self) -> frozenset[str]:
        """All by which it is found."""
        return self.found_by | self.noted

    def cases(self) -> list[Case]:
        """Those of the quick form: by which it is found, those near, and the control set."""
        wanted = self.ids | CONTROL[self.role]
        return [
            one
            for one in ALL
            if one.role == self.role and (one.id in wanted or any(one.id.startswith(word) for word in self.near))
        ]


def mutant(
    role: Role,
    name: str,
    what: str,
    breaks: Break,
    *found: str,
    noted: tuple[str, ...] = (),
    near: tuple[str, ...] = (),
    window: float = WINDOW,
) -> Mutant:
    """A row of a table."""
    return Mutant(
        name=name,
        role=role,
        what=what,
        breaks=breaks,
        found_by=frozenset(found),
        noted=frozenset(noted),
        near=near,
        window=window,
    )


# --- judging ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Before:
    """What came of a case, or a common assertion, with the unbroken server: its verdict and what it told."""

    verdict: str
    remarks: frozenset[str]


Baseline = Mapping[str, Before]
"""By id."""


def baseline(role: Role, cases: Sequence[Case], window: float = WINDOW, patience: float = PATIENCE) -> Baseline:
    """What comes of these cases with the unbroken server."""
    report = examine(role, cases, window=window, patience=patience)
    return {one.id: Before(one.verdict, _remarks(one)) for one in report.results}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What came of a mutant: the ids that did not find it though they state it (``missed``), and those that turned red
    though they do not (``others``), each with why.
    """

    name: str
    ids: int
    missed: tuple[str, ...]
    others: tuple[str, ...]
    cases: int
    took: float

    @property
    def found(self) -> bool:
        """Whether it was found by exactly the cases that state it."""
        return not self.missed and not self.others

    def __str__(self) -> str:
        word = "found" if self.found else "NOT AS STATED"
        lines = [f"{word:13} {self.name}: by {self.ids}, {self.cases} cases in {self.took:.1f} s"]
        lines += [f"    not found by {one}" for one in self.missed]
        lines += [f"    also red: {one}" for one in self.others]
        return "\n".join(lines)


def judged(mutant: Mutant, report: Report, before: Baseline) -> Judgement:
    """Whether exactly the cases that state a fault turned red in ``report``; ``before`` is the unbroken server."""
    after = {one.id: one for one in report.results}
    missed = [one for one in sorted(mutant.found_by) if one not in after or not _red(after[one])]
    missed += [one for one in sorted(mutant.noted) if one not in after or not _noted(after[one], before.get(one))]
    others = [
        f"{one.id} {one.verdict}: {one.why}"
        for one in report.results
        if one.id not in mutant.ids and _worse(one, before.get(one.id))
    ]
    return Judgement(
        name=mutant.title,
        ids=len(mutant.ids),
        missed=tuple(f"{one} ({after[one].verdict} {after[one].why})" if one in after else one for one in missed),
        others=tuple(others),
        cases=sum(not one.common for one in report.results),
        took=report.took,
    )


def _red(one: Result) -> bool:
    return one.verdict in _RED


def _noted(one: Result, before: Before | None) -> bool:
    """Whether it is INFO, for a reason that the unbroken server does not give."""
    return one.verdict == "INFO" and bool(_remarks(one) - (before.remarks if before else frozenset()))


def _worse(one: Result, before: Before | None) -> bool:
    """Whether it is red and was not; of a common assertion, also whether it tells something new."""
    if _red(one):
        return before is None or before.verdict not in _RED
    return one.id in _COMMON and before is not None and _noted(one, before)


def _remarks(one: Result) -> frozenset[str]:
    """The reasons, without the cases that a common assertion names."""
    return frozenset(reason.text.partition(": ")[2] if one.common else reason.text for reason in one.reasons)


# --- the control set --------------------------------------------------------------------------------------------------

CONTROL: Mapping[Role, frozenset[str]] = {
    "mmsc": frozenset({
        "submit/minimal", "submit/message-id-unique", "submit/recipients/none", "cancel/scheduled", "cancel/unknown-id",
        "cancel/no-id", "cancel/no-charset", "cancel/other-vasp", "replace/scheduled", "replace/unknown-id",
        "replace/other-vasp", "replace/recipients", "report/delivered", "report/per-recipient", "report/none",
        "report/once", "report/ten-namespaces/rel5-1-2", "report/ten-namespaces/rel6-1-4", "report/retry-503",
        "report/retry-4006/rsp", "report/no-retry-1000", "read/read", "read/none", "callback/other-application",
        "extended-cancel/basic",
    }),
    "vasp": frozenset({
        "deliver/basic", "deliver/multipart-smil", "deliver/base64-parts", "deliver/start-missing", "deliver/chunked",
        "deliver/keep-alive", "deliver/parallel", "deliver/repeat", "deliver/ns-each/rel5-1-2",
        "deliver/ns-each/rel6-1-4", "deliver/rsp-namespace", "deliver/sender-number", "deliver/priority-each/high",
        "deliver/timestamp-offset/utc", "deliver/subject-utf8/entities", "deliver/txid-missing", "deliver/mu-unknown",
        "deliver/sender-missing", "deliver/not-well-formed", "callback/operation-unknown", "callback/auth-basic/right",
        "content/cut", "report/each-status/Retrieved", "report/text-xml", "report/no-message-id",
        "read/each-status/Read",
    }),
}  # fmt: skip
"""Cases of every area that are quick, and asked of every mutant."""
