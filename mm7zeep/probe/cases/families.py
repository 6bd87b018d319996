"""Cases of a VASP that differ in one request and in what may come of it."""

from __future__ import annotations

from collections.abc import Callable

from mm7zeep.probe.accept import OK, Outcome
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.results import Level
from mm7zeep.probe.stimulus import Stimulus

Made = Callable[[Lab], Stimulus]
"""Makes the request of a case."""


def taken(
    id: str, level: Level, clause: str, requirement: str, made: Made, *namespaces: str, needs: tuple[str, ...] = ()
) -> Case:
    """A case of one request that has to be accepted; it is in these namespaces, which the VASP has to support, and
    asked where what it ``needs`` is there, too.
    """

    @case(id, level, clause, requirement, role="vasp", needs=(*(f"can.ns/{one}" for one in namespaces), *needs))
    def run(lab: Lab) -> None:
        lab.expect(lab.ask(made(lab)), OK)

    return run


def refused(id: str, level: Level, clause: str, requirement: str, made: Made, *outcomes: Outcome) -> Case:
    """A case of one request that may not be accepted."""

    @case(id, level, clause, requirement, role="vasp")
    def run(lab: Lab) -> None:
        lab.expect(lab.ask(made(lab)), *outcomes)

    return run


def either(id: str, level: Level, clause: str, requirement: str, made: Made, *outcomes: Outcome) -> Case:
    """A case of one request that is accepted whole, or refused with one of ``outcomes`` and without effect."""

    @case(id, level, clause, requirement, role="vasp")
    def run(lab: Lab) -> None:
        lab.any(lab.ask(made(lab)), OK, *outcomes)

    return run
