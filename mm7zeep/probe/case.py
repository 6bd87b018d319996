"""A ``Case``: one requirement, the stimulus that asks for it, and the judging of what comes back, in one function.

A module of ``cases`` holds cases as its names, made by ``@case``; ``collected`` finds them, so that nothing registers
anywhere. A family (one case for each namespace, say) is a tuple of cases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from mm7zeep.findings import cited
from mm7zeep.probe.results import Level, Role

if TYPE_CHECKING:
    from mm7zeep.probe.lab import Lab

_ID = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*(?:/[A-Za-z0-9]+(?:[-.][A-Za-z0-9]+)*){1,3}")


class Skip(Exception):
    """The case cannot be asked here; the text says why."""


class Ended(Exception):
    """The case has its verdict and goes no further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case. ``requirement`` is a sentence about the examined side; ``run`` asks and judges.

    ``needs`` names what the settings must give, else the case is skipped with that reason (``needs.NEEDS``). ``alone``
    tells that nothing else may run beside it.
    """

    id: str
    role: Role
    level: Level
    clause: str
    requirement: str
    run: Callable[[Lab], None]
    needs: tuple[str, ...] = ()
    alone: bool = False

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"a case's id is area/name, not {self.id!r}")
        if not self.clause or not self.requirement.endswith("."):
            raise ValueError(f"{self.id}: a clause, and a requirement that ends with a full stop")

    @property
    def area(self) -> str:
        """The first step of the id."""
        return self.id.partition("/")[0]


def case(
    id: str,
    level: Level,
    clause: str,
    requirement: str,
    *,
    role: Role = "mmsc",
    needs: Iterable[str] = (),
    alone: bool = False,
) -> Callable[[Callable[[Lab], None]], Case]:
    """Makes a case of the function below it; a ``clause`` that begins with a number is of TS 23.140."""

    def made(run: Callable[[Lab], None]) -> Case:
        return Case(
            id=id,
            role=role,
            level=level,
            clause=cited(clause),
            requirement=requirement,
            run=run,
            needs=tuple(needs),
            alone=alone,
        )

    return made


def collected(*modules: ModuleType) -> tuple[Case, ...]:
    """The cases that the modules hold, in order. Raises ``ValueError`` for an id that two cases of one role have."""
    found = [one for module in modules for one in _of(module)]
    seen: set[tuple[str, str]] = set()
    for one in found:
        if (one.role, one.id) in seen:
            raise ValueError(f"two cases of role {one.role} are named {one.id}")
        seen.add((one.role, one.id))
    return tuple(found)


def _of(module: ModuleType) -> Iterator[Case]:
    for value in vars(module).values():
        if isinstance(value, Case):
            yield value
        elif isinstance(value, tuple) and value and all(isinstance(one, Case) for one in value):
            yield from value
