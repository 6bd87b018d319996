"""The delimiter lines of the open multiparts: where the next one stands.

Looks only at the octets it is given; time is linear in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mm7zeep.mime.bodies import Sink
from mm7zeep.mime.drafts import Draft

_PADDING = 1000  # blanks allowed after a delimiter; RFC 2046 5.1.1 sets no bound
_REST = rb"(--)?[ \t]{0,%d}+(?:\r?\n|\r?\Z)" % _PADDING  # RFC 2046 5.1.1: what may follow the boundary on its line
TAIL = re.compile(_REST)
"""What follows the boundary on a delimiter line; group 1 are the dashes of the last one."""
_MISSES = 50  # lines that only begin like a delimiter, before a pattern of their own is compiled for the boundaries


class Delimiter(NamedTuple):
    """A delimiter line in the buffer: from the line end before it to the one after it, if that is there."""

    start: int
    end: int
    depth: int
    alternate: bool
    closing: bool


class Level:
    """One open multipart: its boundary, and what came before its first delimiter."""

    def __init__(self, draft: Draft, boundary: bytes | None, spool: int) -> None:
        self.draft = draft
        self.boundary = boundary
        self.alternate: bytes | None = None  # the delimiter on the first line, where that is not the declared one
        self.alternate_at = 0
        self.mark = 0  # the notes before the alternate was adopted
        self.opened = False
        self.sniffing = True
        self.preamble = Sink(spool)
        self.text_at: int | None = None  # where text stands before the first delimiter

    @property
    def names(self) -> Iterator[tuple[bytes, bool]]:
        """Its boundary, and the alternate; with each, whether it is the alternate."""
        if self.boundary is not None:
            yield self.boundary, False
        if self.alternate is not None:
            yield self.alternate, True


class Delimiters:
    """Looks for the boundaries of the multiparts that are open now."""

    longest: int
    """Octets that a delimiter line may have, at most."""

    def __init__(self, most: int) -> None:
        self._most = most  # octets of a boundary
        self.arm(())

    def arm(self, levels: Sequence[Level]) -> None:
        """Look for the boundaries of ``levels``, the outermost first."""
        self._slots = [
            (b"\n--" + name, depth, alternate) for depth, level in enumerate(levels) for name, alternate in level.names
        ]
        self.longest = max((len(needle) for needle, _, _ in self._slots), default=0)
        self.longest += self._most + _PADDING + 8
        self._pattern: re.Pattern[bytes] | None = None
        self._misses = 0

    @property
    def armed(self) -> bool:
        """Whether there is any boundary to look for."""
        return bool(self._slots)

    def find(self, data: bytes, start: int) -> Delimiter | None:
        """The first delimiter line of any open multipart whose line end before it stands at ``start`` or later."""
        if self._pattern is not None:
            found = self._pattern.search(data, start)
            if found is None:
                return None
            slot = next(number for number in range(len(self._slots)) if found.start(number + 1) >= 0)
            closing = found.start(len(self._slots) + 1) >= 0
            return Delimiter(found.start(), found.end(), *self._slots[slot][1:], closing)
        best: Delimiter | None = None
        for needle, depth, alternate in reversed(self._slots):
            # The outer ones come last and win (RFC 2046 5.1.2); they are looked for no further than the inner one.
            stop = len(data) if best is None else best.start + len(needle)
            at = data.find(needle, start, stop)
            while at >= 0:
                tail = TAIL.match(data, at + len(needle))
                if tail is not None:
                    best = Delimiter(at, tail.end(), depth, alternate, tail[1] is not None)
                    break
                self._misses += 1
                at = data.find(needle, at + 1, stop)
            if self._misses > _MISSES:
                self._compile()
                return self.find(data, start)
        return best

    def stands_at(self, data: bytes, start: int) -> bool:
        """Whether a delimiter line stands behind the line end at ``start``."""
        return any(
            data.startswith(needle, start) and TAIL.match(data, start + len(needle)) for needle, _, _ in self._slots
        )

    def safe(self, data: bytes, at: int) -> int:
        """Up to where the octets from ``at`` on cannot belong to a delimiter that is not complete yet."""
        last = data.rfind(b"\n", max(at - 1, len(data) - self.longest))
        if last >= 0 and b"--".startswith(data[last + 1 : last + 3]):
            safe = last - 1 if data[last - 1 : last] == b"\r" else last
        else:
            safe = len(data) - data.endswith(b"\r")
        return max(at, safe)

    def _compile(self) -> None:
        """One pattern for all open boundaries: dear to make, but no line that only begins like a delimiter stops it."""
        choice = b"|".join(b"(%s)" % re.escape(needle.removeprefix(b"\n--")) for needle, _, _ in self._slots)
        self._pattern = re.compile(rb"\n--(?:%s)%s" % (choice, _REST))


def show(line: bytes) -> str:
    """A line as findings show it."""
    return line[:200].strip().decode("utf-8", "replace")
