"""The files of an SQLite database, known by device and inode: whether those at their paths are those we have open.

A file that was unlinked, replaced or moved still takes what is written to it, and all of it is gone with the last
process. Refuses nothing itself: it says what is wrong.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

_ENDS = ("", "-wal", "-shm")

Identity = tuple[int, int] | None
"""Device and inode; None for no file."""


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """The database at ``path`` with its log and its shared memory, as they were when it was opened."""

    path: str
    identities: tuple[Identity, ...]

    @classmethod
    def opened(cls, path: str) -> DatabaseFile:
        """The files at ``path`` now, while a connection has them open."""
        return cls(path, tuple(_identity(path + end) for end in _ENDS))

    def changed(self) -> str | None:
        """What is wrong; None where all files are those that were opened."""
        for end, known in zip(_ENDS, self.identities, strict=True):
            found = _identity(self.path + end)
            name = os.path.basename(self.path) + end
            if found is None:
                return f"the file {name} is gone; put it back, or start the gateway again"
            if found != known:
                return f"the file {name} is not the one that was opened; put that back, or start the gateway again"
        return None


def _identity(path: str) -> Identity:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
