"""What a worker is asked to make of one picture, and what it did so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Step = tuple[str, str]
"""The id of a finding, and its detail."""


class Refused(Exception):
    """The picture cannot be served: why, for the sender."""


@dataclass(slots=True)
class Job:
    """What is asked for, and what was done so far.

    ``budget`` octets of the file; ``allowed`` media types; ``limits`` as in ``Limits``; ``extend`` is told by how
    much a large picture may take longer. ``box`` is the longer side in pixels of a preview; 0 for a picture that is
    made to fit. ``pixels`` is the size of what was made, where that is not the size of what was given.
    """

    budget: int
    allowed: tuple[str, ...]
    limits: dict[str, float]
    box: int = 0
    extend: Callable[[float], object] = lambda factor: None
    pixels: tuple[int, int] | None = None
    steps: list[Step] = field(default_factory=list)

    def note(self, id: str, detail: str = "") -> None:
        """Say what was done."""
        if (id, detail) not in self.steps:
            self.steps.append((id, detail))
