"""A bounded dictionary without a lock, and the bounds of those that hold plans."""

from __future__ import annotations

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

K = TypeVar("K")
V = TypeVar("V")


class Generations(Generic[K, V]):
    """A bounded dictionary without a lock: what was not asked for since the last generation but one is forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """What is kept for ``key``."""
        found = self._young.get(key)
        if found is None and (found := self._old.get(key)) is not None:
            self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Keep ``value``."""
        if len(self._young) >= self._most:
            self.turn()
        self._young[key] = value

    def drop(self, key: K) -> None:
        """Forget ``key``."""
        self._young.pop(key, None)
        self._old.pop(key, None)

    def turn(self) -> None:
        """Begin a new generation."""
        self._old, self._young = self._young, {}
