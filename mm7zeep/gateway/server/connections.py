"""Connections counted from the moment they are accepted: how many of one address, how many in all, and who goes first.

A connection is a stranger's until a request on it was authenticated; one that has proven itself keeps its place. Where
places are short, strangers are ended, the oldest one of the address that has most of them first; where one address has
too many, those of its strangers that wait for no answer. Refuses, with a slot that is ``refused``, what there is no
place for. Opens nothing. For one event loop; not thread-safe.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable

from mm7zeep.gateway.security.client_address import Networks, address, source


class Pace:
    """Has what waits on many connections done a few at a time, so that who asks once is not behind who asks again.

    ``few`` calls are made in one turn of the event loop, in the order in which they came.
    """

    def __init__(self, few: int = 4) -> None:
        self._few = few
        self._calls: deque[Callable[[], object]] = deque()
        self._planned = False

    def later(self, call: Callable[[], object]) -> None:
        """Have ``call`` called in a coming turn of the running loop."""
        self._calls.append(call)
        if not self._planned:
            self._planned = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._planned = False
        now = [self._calls.popleft() for _ in range(min(self._few, len(self._calls)))]
        if self._calls:
            self._planned = True
            asyncio.get_running_loop().call_soon(self._turn)
        for call in now:
            call()


class Slot:
    """The place of one connection, which calls ``release`` at its end.

    ``asking`` says that it waits for an answer. ``end`` is called when it has to go and may say why, ``cut`` when there
    is not even time for that.
    """

    __slots__ = ("_slots", "asking", "cut", "end", "known", "number", "refused", "source")

    def __init__(self, slots: Slots, source: Hashable, number: int) -> None:
        self._slots = slots
        self.source = source
        self.number = number
        self.known = False
        self.refused = False
        self.asking = False
        self.end: Callable[[], object] = lambda: None
        self.cut: Callable[[], object] = lambda: None

    def recognised(self) -> None:
        """Somebody has proven on this connection who he is: it is no stranger's any more."""
        self._slots.recognised(self)

    @property
    def pace(self) -> Pace:
        """At which requests that come together are begun."""
        return self._slots.pace

    def release(self) -> None:
        """The connection has ended; any number of times."""
        self._slots.release(self)


class Slots:
    """``most`` connections at a time, ``per_address`` of one address; an IPv6 /64 is one, ``exempt`` networks are none.

    Of those that have no place, and of those that had to go, up to ``parting`` may take the time to be told so.
    """

    def __init__(self, most: int, per_address: int, *, exempt: Networks | None = None, parting: int = 64) -> None:
        self._most = most
        self._per_address = per_address
        self._exempt = exempt or Networks()
        self._most_parting = min(parting, most)
        self.pace = Pace()
        self._numbers = 0
        self._counts: dict[Hashable, int] = {}  # by source
        self._strangers: dict[Hashable, OrderedDict[int, Slot]] = {}  # by source, the oldest first
        self._taken: dict[int, Slot] = {}
        self._parting: OrderedDict[int, Slot] = OrderedDict()

    def __len__(self) -> int:
        """How many connections are open, with those that are being told that they have no place."""
        return len(self._taken) + len(self._parting)

    def take(self, peer: str | None) -> Slot:
        """A place for a connection from ``peer``; it is ``refused`` where neither is one free nor a stranger can go."""
        self._numbers += 1
        found = address(peer) if peer is not None else None
        counted = found is not None and found not in self._exempt
        slot = Slot(self, source(found) if counted else self._numbers, self._numbers)
        if self._counts.get(slot.source, 0) >= self._per_address:
            # not one that asks: who waits to be let in would lose his place to whoever comes again and again
            victim = self._oldest(slot.source, asking=False)
        elif len(self._taken) >= self._most:
            # of equally many the address whose oldest is oldest
            most = max(self._strangers, key=self._pressing, default=None)
            victim = self._oldest(most, asking=True)
        else:
            victim = None
            self._enter(slot)
            return slot
        if victim is None:
            slot.refused = True
            self._part(slot)
            return slot
        self._leave(victim)
        self._enter(slot)
        self._part(victim)
        victim.end()
        return slot

    def recognised(self, slot: Slot) -> None:
        """See ``Slot.recognised``."""
        if slot.number in self._taken:
            slot.known = True
            self._forget_stranger(slot)

    def release(self, slot: Slot) -> None:
        """See ``Slot.release``."""
        self._parting.pop(slot.number, None)
        if slot.number in self._taken:
            self._leave(slot)

    # --- books --------------------------------------------------------------------------------------------------------

    def _pressing(self, source: Hashable) -> tuple[int, int]:
        strangers = self._strangers[source]
        return len(strangers), -next(iter(strangers))

    def _oldest(self, source: Hashable, *, asking: bool) -> Slot | None:
        """The stranger of this source that came first; one that is ``asking`` only where that may be."""
        return next((one for one in self._strangers.get(source, {}).values() if asking or not one.asking), None)

    def _enter(self, slot: Slot) -> None:
        self._taken[slot.number] = slot
        self._counts[slot.source] = self._counts.get(slot.source, 0) + 1
        self._strangers.setdefault(slot.source, OrderedDict())[slot.number] = slot

    def _leave(self, slot: Slot) -> None:
        del self._taken[slot.number]
        left = self._counts[slot.source] - 1
        if left:
            self._counts[slot.source] = left
        else:
            del self._counts[slot.source]
        self._forget_stranger(slot)

    def _forget_stranger(self, slot: Slot) -> None:
        strangers = self._strangers.get(slot.source)
        if strangers is not None and strangers.pop(slot.number, None) is not None and not strangers:
            del self._strangers[slot.source]

    def _part(self, slot: Slot) -> None:
        """Let it be told why it goes, unless too many are being told already: then the first of them is cut off."""
        self._parting[slot.number] = slot
        if len(self._parting) > self._most_parting:
            _, first = self._parting.popitem(last=False)
            first.cut()
