"""Whether anything may have changed that a page shows: a count of what each process has committed, kept in memory.

Counting costs a transaction nothing. A process writes its count down with its heartbeat, once a second, so that the
others, and who only reads the database, learn of changes that no index shows: a deletion, the end of a call. Every
transaction that writes counts as a change, unless it says otherwise. Refuses nothing.
"""

from __future__ import annotations

from itertools import count

from sqlalchemy import Connection

OPTION = "mm7zeep_changes"
"""The execution option of a connection that holds the count of its process."""


class Changes:
    """The transactions of one process, which ``token`` names, that may have changed something. Thread-safe."""

    def __init__(self, token: str) -> None:
        self.token = token
        self._count = count(1)
        self._last = 0

    def note(self) -> None:
        """One more was committed, or may have been."""
        self._last = next(self._count)  # each number is taken once, so that no two threads leave what was there before

    def __str__(self) -> str:
        return f"{self.token}:{self._last}"


def of(connection: Connection) -> Changes | None:
    """The count of the process that opened ``connection``; None where that keeps none."""
    found: Changes | None = connection.get_execution_options().get(OPTION)
    return found
