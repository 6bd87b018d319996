"""TCP segments to connections: what each side said, put in order by sequence numbers, holes left open.

Takes the segments in the order of the capture; retransmitted and overlapping octets count once, first come first kept.
Refuses, with ``LimitError``, more connections than its limit. Knows nothing of what the octets mean.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from mm7zeep.conformance.input.frames import ACK, FIN, RST, SYN, Segment
from mm7zeep.conformance.input.traffic import too_much

MAX_CONNECTIONS = 10_000

Endpoint = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Run:
    """Octets without a hole: ``data`` begins at ``start`` of its stream."""

    start: int
    data: bytes

    @property
    def end(self) -> int:
        """The octet behind the last."""
        return self.start + len(self.data)


class Stream:
    """What one side said: runs of octets at their offsets, and in which packet each octet came first.

    ``complete`` tells that the beginning was captured, ``closed`` that the end was.
    """

    def __init__(
        self, runs: list[Run], arrivals: list[tuple[int, int]], end: int, *, complete: bool, closed: bool
    ) -> None:
        self.runs, self.end, self.complete, self.closed = runs, end, complete, closed
        self._starts = [one.start for one in runs]
        self._offsets = [offset for offset, _ in arrivals]
        self._packets = [packet for _, packet in arrivals]

    def run(self, at: int) -> Run | None:
        """The run that holds the octet ``at``, or the next one behind it."""
        found = bisect_right(self._starts, at) - 1
        if found >= 0 and at < self.runs[found].end:
            return self.runs[found]
        return self.runs[found + 1] if found + 1 < len(self.runs) else None

    def take(self, start: int, end: int) -> bytes:
        """The octets from ``start`` to ``end``, as far as they were captured."""
        pieces = []
        place = max(0, bisect_right(self._starts, start) - 1)
        while place < len(self.runs) and (one := self.runs[place]).start < end:
            pieces.append(one.data[max(0, start - one.start) : end - one.start])
            place += 1
        return b"".join(pieces)

    def packet(self, at: int) -> int:
        """The number of the packet in which the octet ``at`` came; 0 for none."""
        found = bisect_right(self._offsets, at) - 1
        return self._packets[found] if found >= 0 else 0


@dataclass(slots=True)
class _Side:
    """What one side sends, while it is collected. Offsets count from the first segment seen."""

    base: int | None = None  # the sequence number of offset 0
    origin: int | None = None  # the offset of the first octet, known from SYN
    fin: int | None = None  # the offset behind the last octet, known from FIN
    reset: bool = False
    highest: int = 0
    pieces: list[tuple[int, int, bytes]] = field(default_factory=list)

    def offset(self, seq: int) -> int:
        """RFC 9293 3.4: sequence numbers wrap at 2**32; the offset is the one nearest to what came last."""
        if self.base is None:
            self.base = seq
        distance = (seq - self.base - self.highest + 2**31) % 2**32 - 2**31
        return self.highest + distance

    def take(self, number: int, segment: Segment) -> None:
        at = self.offset(segment.seq)
        if segment.flags & SYN:
            at += 1  # SYN takes a number of its own
            self.origin = at
        if segment.data and not segment.flags & RST:  # RFC 9293 3.10.7.4: what RST carries is no data
            self.pieces.append((at, number, segment.data))
        end = at + len(segment.data)
        self.highest = max(self.highest, end)
        self.reset = self.reset or bool(segment.flags & RST)
        if segment.flags & FIN:
            self.fin = end

    def stream(self) -> Stream:
        """All of it in order."""
        joined: list[tuple[int, list[bytes]]] = []
        arrivals: list[tuple[int, int]] = []
        end = self.origin if self.origin is not None else None
        for at, number, data in sorted(self.pieces, key=lambda one: one[:2]):
            if end is None:
                end = at
            if at > end or not joined:
                at, data = max(at, end), data[max(0, end - at) :]
                if data:
                    joined.append((at, [data]))
            else:
                at, data = end, data[end - at :]
                joined[-1][1].append(data)
            if data:
                arrivals.append((at, number))
                end = at + len(data)
        runs = [Run(at, b"".join(pieces)) for at, pieces in joined]
        known = [one for one in (end, self.fin) if one is not None]
        last = max(known, default=0)
        return Stream(runs, arrivals, last, complete=self.origin is not None, closed=self.reset or self.fin is not None)


@dataclass(slots=True)
class Connection:
    """One connection: ``ends`` are its two sides in the order seen, the one that opened it first."""

    ends: tuple[Endpoint, Endpoint]
    sides: dict[Endpoint, _Side] = field(default_factory=dict)

    def streams(self) -> tuple[Stream, Stream]:
        """What each of ``ends`` said."""
        first, second = (self.sides.get(one, _Side()).stream() for one in self.ends)
        return first, second


class Connections:
    """The connections of a capture, in the order in which they were first seen."""

    def __init__(self) -> None:
        self._all: list[Connection] = []
        self._open: dict[tuple[Endpoint, Endpoint], Connection] = {}

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._all)

    def add(self, number: int, segment: Segment) -> None:
        """Take the segment of the packet ``number``. Raises ``LimitError``."""
        low, high = sorted((segment.source, segment.target))
        connection = self._open.get((low, high))
        if connection is None or _anew(connection, segment):
            if len(self._all) >= MAX_CONNECTIONS:
                raise too_much(f"more than {MAX_CONNECTIONS} TCP connections; filter the capture by host or port")
            opened = not (segment.flags & SYN and segment.flags & ACK)  # SYN with ACK answers the one that opened
            ends = (segment.source, segment.target) if opened else (segment.target, segment.source)
            connection = self._open[low, high] = Connection(ends)
            self._all.append(connection)
        connection.sides.setdefault(segment.source, _Side()).take(number, segment)


def _anew(connection: Connection, segment: Segment) -> bool:
    """Whether a segment opens another connection between the same ports: SYN with another number, after data."""
    if not segment.flags & SYN or segment.flags & ACK:
        return False
    side = connection.sides.get(segment.source)
    if side is None:
        return any(one.pieces for one in connection.sides.values())
    if not side.pieces and side.fin is None and not side.reset:
        return False
    first = side.origin if side.origin is not None else min((at for at, _, _ in side.pieces), default=None)
    return side.offset(segment.seq) + 1 != first  # else SYN comes again, or late
