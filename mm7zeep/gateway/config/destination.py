"""Where a copy of a message goes: to a handset, to an application, through an upstream, or nowhere.

Its text stands in the database, in REST and in logs. A request's user is such a text, too, where an upstream sent it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

Kind = Literal["handset", "application", "upstream", "none"]


@dataclass(frozen=True, slots=True)
class Destination:
    """``kind``, and the ``name`` of the application or the upstream. Its text: ``handset``, ``upstream:NAME`` ..."""

    kind: Kind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @classmethod
    def parse(cls, text: str) -> Destination:
        """The destination that a text says. Raises ``ValueError`` for another text."""
        kind, _, name = text.partition(":")
        if kind not in get_args(Kind) or bool(name) != (kind in ("application", "upstream")):
            raise ValueError(f"{text!r} is no destination; one is handset, application:NAME, upstream:NAME or none")
        return cls(cast(Kind, kind), name)

    @classmethod
    def application(cls, name: str) -> Destination:
        """That application."""
        return cls("application", name)

    @classmethod
    def upstream(cls, name: str) -> Destination:
        """Through that upstream."""
        return cls("upstream", name)


HANDSET = Destination("handset")
NOWHERE = Destination("none")


def upstream_name(user: str | None) -> str | None:
    """The name of the upstream that ``user``, or the owner of a call, is; None for an application."""
    kind, _, name = (user or "").partition(":")
    return name if kind == "upstream" and name else None
