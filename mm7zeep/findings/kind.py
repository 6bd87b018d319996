"""One row of the table: what a kind of finding wants, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["MUST", "SHOULD", "INFO"]


def cited(clause: str) -> str:
    """Clauses as shown to people, each with its document: those that begin with a number are of TS 23.140."""
    return "; ".join(f"TS 23.140 {one}" if one[:1].isdigit() else one for one in clause.split("; "))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding.

    ``topic`` is a word of the published list (README, ``check --format json``) or None; ``applies`` is ``req``,
    ``rsp`` or ``any``; ``needs`` is ``pair`` or ``clock`` where one message alone cannot show it, ``gateway`` for
    what a gateway notes of its own doing, ``fit`` for what fitting did to the content before it was sent; ``unsure``
    marks a clause that we could not check against the printed text. A ``clause`` that begins with a number is of
    TS 23.140.
    """

    id: str
    level: Level
    topic: str | None
    clause: str
    summary: str
    fix: str
    applies: str = "any"
    needs: str = ""
    unsure: bool = False

    @property
    def source(self) -> str:
        """The clause as shown to people, with its document: never a clause number that we are not sure of."""
        return "by common reading" if self.unsure else cited(self.clause)
