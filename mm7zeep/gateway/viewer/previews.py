"""Previews of pictures, made by a bounded process and kept while there is room.

What strangers sent is decoded in the process of ``fitting.pool`` alone: at most one at a time, which does not take
from those that make content fit. A picture is decoded once for each size, and so is one that is refused.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from mm7zeep import media
from mm7zeep.errors import LocalError
from mm7zeep.fitting.limits import Limits
from mm7zeep.fitting.pool import Pool, Unfit

LIMITS = Limits(octets=20 * 1024 * 1024, pixels=50_000_000, seconds=1.0, wait=8.0, memory=1024 * 1024 * 1024)
"""What one preview may cost: 50 megapixels is what the largest camera of a phone gives by default."""

_MEMORY = 16 * 1024 * 1024  # octets of previews that are kept
_KEPT = 300.0  # seconds that a failure is remembered
_WAITING = 16  # requests that may wait for a preview, so that threads are left for others
_PATIENCE = 20.0  # seconds that each of them waits
_BOOKKEEPING = 300  # octets that an entry takes besides
_NAMES = 10_000  # that are remembered


class NoPreview(LocalError):
    """There is no preview of this part; the text says why, for people."""


class PreviewBusy(NoPreview):
    """There is no preview now, but there may be in a moment."""


@dataclass(frozen=True, slots=True)
class Box:
    """What a preview is for: ``side`` pixels at most, media ``types`` to choose from, ``octets`` at most."""

    side: int
    types: tuple[str, ...]
    octets: int


THUMBNAIL = Box(96, ("image/jpeg", "image/png"), 1_950)
"""For lists: fifty of them have less than 100 kB."""
PREVIEW = Box(1280, ("image/png",), 8 * 1024 * 1024)
"""For the page of a message."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture to be shown: its octets were made here, and their type is ``media_type``; pixels of each side."""

    media_type: str
    octets: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a picture: its preview, or why there is none; ``until`` when that is remembered."""

    preview: Preview | None
    reason: str = ""
    until: float = float("inf")

    @property
    def size(self) -> int:
        return _BOOKKEEPING + len(self.reason) + (len(self.preview.octets) if self.preview is not None else 0)


_Key = tuple[bytes, Box]


class Previews:
    """Makes previews and keeps the latest used, ``memory`` octets of them. Thread-safe; close it.

    ``pool`` is where they are made, and is closed with it; ``clock`` gives seconds. The process starts with the first
    preview. Raises ``LocalError`` where the extra ``gateway`` is not installed.
    """

    def __init__(
        self, pool: Pool | None = None, *, memory: int = _MEMORY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pool = pool or Pool(1, LIMITS)
        self._memory = memory
        self._clock = clock
        self._lock = threading.Lock()
        self._turn = threading.Semaphore(1)
        self._made: OrderedDict[_Key, _Outcome] = OrderedDict()
        self._size = 0
        self._names: OrderedDict[tuple[str, Box], _Key] = OrderedDict()
        self._making: dict[_Key, Future[_Outcome | None]] = {}
        self._waiting = 0

    def close(self) -> None:
        """End the process."""
        self._pool.close()

    def known(self, name: str, box: Box) -> Preview | None:
        """The preview that was made under a ``name``, where it is still kept."""
        with self._lock:
            key = self._names.get((name, box))
            found = self._known(key) if key is not None else None
        return found.preview if found is not None else None

    def preview(self, octets: bytes, box: Box, name: str | None = None) -> Preview:
        """The picture in ``octets``, in a ``box``; blocks for some seconds at most. With a ``name`` it is ``known``.

        Raises ``NoPreview`` for what is no picture or costs too much, ``PreviewBusy`` where too many are waiting.
        """
        seen = media.by_content(octets[: media.HEAD])
        if seen is None or not seen.raster:
            raise NoPreview("no preview: the part is no picture that can be decoded")
        if len(octets) > self._pool.limits.octets:
            raise NoPreview(f"no preview: the part has {len(octets):,} octets, more than {self._pool.limits.octets:,}")
        key = (hashlib.sha256(octets).digest(), box)
        outcome = self._outcome(key, octets)
        if name is not None:
            with self._lock:
                self._names[name, box] = key
                while len(self._names) > _NAMES:
                    self._names.popitem(last=False)
        if outcome is None:
            raise PreviewBusy("no preview now: too many are being made; try again in a moment")
        if outcome.preview is None:
            raise NoPreview(f"no preview: the part {outcome.reason}")
        return outcome.preview

    def _outcome(self, key: _Key, octets: bytes) -> _Outcome | None:
        """What is known of a picture, or becomes known; None where it is not, for now."""
        mine: Future[_Outcome | None] | None = None
        with self._lock:
            known = self._known(key)
            if known is not None:
                return known
            if self._waiting >= _WAITING:
                return None
            running = self._making.get(key)
            if running is None:
                running = mine = self._making[key] = Future()
            self._waiting += 1
        try:
            return (
                self._make(key, octets, mine)
                if mine is not None
                else running.result(_PATIENCE + self._pool.limits.wait)
            )
        except TimeoutError:
            return None
        finally:
            with self._lock:
                self._waiting -= 1

    def _known(self, key: _Key) -> _Outcome | None:
        found = self._made.get(key)
        if found is None:
            return None
        if found.until <= self._clock():
            self._forget(key)
            return None
        self._made.move_to_end(key)
        return found

    def _make(self, key: _Key, octets: bytes, mine: Future[_Outcome | None]) -> _Outcome | None:
        outcome: _Outcome | None = None
        try:
            if self._turn.acquire(timeout=_PATIENCE):
                try:
                    outcome = self._decoded(octets, key[1])
                finally:
                    self._turn.release()
        finally:
            with self._lock:
                del self._making[key]
                if outcome is not None:
                    self._keep(key, outcome)
            mine.set_result(outcome)
        return outcome

    def _decoded(self, octets: bytes, box: Box) -> _Outcome | None:
        try:
            made = self._pool.preview(octets, box.side, box.octets, box.types)
        except Unfit as error:
            return _Outcome(None, str(error), self._clock() + _KEPT)
        except OSError:  # no process or no descriptor is to be had
            return None
        return _Outcome(Preview(made.kind, made.data, *made.size))

    def _keep(self, key: _Key, outcome: _Outcome) -> None:
        self._made[key] = outcome
        self._size += outcome.size
        while self._size > self._memory:
            self._forget(next(iter(self._made)))

    def _forget(self, key: _Key) -> None:
        self._size -= self._made.pop(key).size
