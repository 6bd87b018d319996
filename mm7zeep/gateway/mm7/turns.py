"""Whose request is worked on next: an application has its share of the threads, and none waits behind another's queue.

Opens nothing. For one event loop; not thread-safe.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

THREADS = 8
"""For requests that are large, of a shape not seen before, or wait for an upstream: the interpreter runs one of them at
a time. What is small, known and only to be kept needs none."""
_IN_HAND = 64  # requests that wait at a time to be kept together
_SHARE = 8  # of one application's while others ask, too
_RECENT = 5.0  # seconds after its last request that an application's share is kept for it


class Turns:
    """At most ``slots`` requests are worked on at a time, and of one owner all but two of them while it is alone.

    While others ask, too, it is ``share`` of each: the interpreter runs one thread at a time, and every one that wants
    to run takes its time from the others. Owners that wait have turns one after the other. ``clock`` gives seconds.
    """

    def __init__(self, slots: int, *, share: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._slots = slots
        self._share = share
        self._clock = clock
        self._running: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()  # who is next comes first
        self._seen: dict[str, float] = {}  # when an owner last asked

    @asynccontextmanager
    async def of(self, owner: str | None) -> AsyncIterator[None]:
        """A turn of this owner, as soon as it is due; until the context ends."""
        name = owner or ""
        self._seen[name] = self._clock()
        mine = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, deque()).append(mine)
        self._next()
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # it was given just now
                self._end(name)
            else:
                self._forget(name, mine)
            raise
        try:
            yield
        finally:
            self._seen[name] = self._clock()
            self._end(name)

    def _end(self, name: str) -> None:
        self._running[name] -= 1
        if not self._running[name]:
            del self._running[name]
        self._next()

    def _forget(self, name: str, mine: asyncio.Future[None]) -> None:
        queue = self._waiting.get(name)
        if queue is not None and mine in queue:
            queue.remove(mine)
            if not queue:
                del self._waiting[name]

    def _next(self) -> None:
        """Give turns to whom they are due."""
        while self._running.total() < self._slots:
            name = next((one for one in self._waiting if self._running[one] < self._most(one)), None)
            if name is None:
                return
            queue = self._waiting.pop(name)
            mine = queue.popleft()
            if queue:
                self._waiting[name] = queue  # behind the others
            if not mine.done():
                self._running[name] += 1
                mine.set_result(None)

    def _most(self, name: str) -> int:
        """How many requests of this owner may be worked on now."""
        since = self._clock() - _RECENT
        self._seen = {one: at for one, at in self._seen.items() if at > since or one in self._running}
        alone = all(one == name for one in (*self._seen, *self._waiting))
        return max(1, self._slots - 2) if alone else self._share


@dataclass(frozen=True, slots=True)
class Shares:
    """The turns of a gateway, whichever listener is asked: of ``threads``, and of what is ``in_hand``, to be kept
    together.
    """

    threads: Turns = field(default_factory=lambda: Turns(THREADS))
    in_hand: Turns = field(default_factory=lambda: Turns(_IN_HAND, share=_SHARE))
