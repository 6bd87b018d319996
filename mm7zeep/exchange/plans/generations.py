"""What is kept of plans, and when one is made: a bounded dictionary, and the credit that making one takes."""

from __future__ import annotations

import itertools
from typing import Generic, TypeVar

SHAPES = 256
"""Plans, or shapes of envelopes, in each of two generations."""
OCTETS = 4 * 1024 * 1024
"""Of the shapes, or the plans, of one generation."""
SEEN = 4096
"""Shapes with their marks that were seen once, in each of two generations."""
CHECKED = 1000
"""Of so many uses one is compared with the plain path."""
LONGEST = 256 * 1024
"""Octets of an envelope that is looked up."""
_CREDIT = 64.0  # plans that may be made at once
_OF_USE, _OF_MISS = 1 / 4, 1 / 16  # what is earned by a use, and by what has no plan yet

K = TypeVar("K")
V = TypeVar("V")


class Generations(Generic[K, V]):
    """A bounded dictionary without a lock: what was not asked for since the last generation but one is forgotten.

    A generation has at most ``most`` keys, and values of ``OCTETS`` octets as ``put`` counts them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._octets = 0
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """What is kept for ``key``."""
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def put(self, key: K, value: V, octets: int = 0) -> None:
        """Keep ``value``, which takes ``octets``."""
        self._octets += octets
        if len(self._young) >= self._most or self._octets > OCTETS:
            self._old, self._young, self._octets = self._young, {}, octets
        self._young[key] = value

    def drop(self, key: K) -> None:
        """Forget ``key``."""
        self._young.pop(key, None)
        self._old.pop(key, None)


class Learning:
    """When a plan is made, and which of its uses is checked. Thread-safe, without a lock: what races costs a plan.

    A plan is made of what comes the second time, and takes credit, which uses earn: a flood of new shapes costs little
    more than without plans. One of ``checked`` uses is to be compared with the plain path; none of 0.
    """

    def __init__(self, checked: int) -> None:
        self._checked = checked
        self._uses = itertools.count(1)
        self._credit = _CREDIT
        self._seen: Generations[int, bool] = Generations(SEEN)

    def used(self) -> bool:
        """Note the use of a plan; whether it is one that is checked."""
        self._credit = min(_CREDIT, self._credit + _OF_USE)
        return bool(self._checked) and next(self._uses) % self._checked == 0

    def takes(self, once: int) -> bool:
        """Note what has no plan, by the hash of its key; whether one is to be made of it now."""
        self._credit = min(_CREDIT, self._credit + _OF_MISS)
        if self._seen.get(once) is None:
            self._seen.put(once, True)
            return False
        if self._credit < 1:
            return False
        self._credit -= 1
        return True
