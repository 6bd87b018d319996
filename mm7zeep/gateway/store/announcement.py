"""Due work, announced to the other processes on one PostgreSQL database: NOTIFY, sent by the commit of what planned it.

What plans work notes it in its transaction; ``Database.write`` announces it, once, unless a dispatcher of this process
sees to it anyway. For NOTIFY has a price: PostgreSQL holds one lock of the whole server from before the sync of such a
commit until after it, so that commits with NOTIFY follow one another. Nothing depends on an announcement, and where
the queue of PostgreSQL is nearly full none is made: then the next look of the others finds the work. Refuses SQLite,
which has nothing of the kind: there nothing is announced.
"""

from __future__ import annotations

from sqlalchemy import Connection

OPTION = "mm7zeep_planned"
"""The execution option of a connection that holds what its transaction has planned."""
CHANNEL = "SELECT 'mm7zeep_' || 'outbox'::regclass::oid"
"""Asks for the channel: by the table, so that gateways in two schemas of one database do not wake each other."""
_NOTIFY = f"SELECT pg_notify(({CHANNEL}), '%s') WHERE pg_notification_queue_usage() < 0.9"


class Planned:
    """What one transaction has planned: nothing, work, or work that every process is to know of."""

    __slots__ = ("for_all", "work")

    def __init__(self) -> None:
        self.work = self.for_all = False


def note(connection: Connection, *, for_all: bool = False) -> None:
    """Something was planned in the transaction of ``connection``; ``for_all``: that one process is not to do alone."""
    planned = connection.get_execution_options().get(OPTION)
    if planned is not None:
        planned.work = True
        planned.for_all |= for_all


def is_noted(connection: Connection) -> bool:
    """Whether something was planned in the transaction of ``connection``."""
    planned = connection.get_execution_options().get(OPTION)
    return planned is not None and planned.work


def send(connection: Connection, sender: str) -> None:
    """Announce, when the transaction of ``connection`` is committed; ``sender`` is a word that quotes nothing."""
    connection.exec_driver_sql(_NOTIFY % sender)
