"""Looks at the database that end after some seconds: a search that somebody has typed may compare for minutes.

``StoreError`` is raised for that as for everything else, as ``TooSlow``. Refuses nothing.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import Connection

from mm7zeep.gateway.store.database import Database, StoreError

LONGEST = 10.0
"""Seconds that a search may take."""
_STEPS = 2000  # of SQLite's virtual machine between two looks at the clock, a hundred rows or so


class TooSlow(StoreError):
    """What was looked for was not found in time."""


@contextmanager
def bounded(database: Database, seconds: float = LONGEST) -> Iterator[Connection]:
    """As ``Database.read``, for ``seconds`` at most. Raises ``TooSlow``, ``StoreError``."""
    until = time.monotonic() + seconds
    try:
        with database.read() as connection:
            if not database.sqlite:
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(seconds * 1000))}")
                yield connection
                return
            driver = cast(sqlite3.Connection, connection.connection.driver_connection)
            driver.set_progress_handler(lambda: int(time.monotonic() > until), _STEPS)
            try:
                yield connection
            finally:
                driver.set_progress_handler(None, 0)
    except StoreError as error:
        if time.monotonic() < until:
            raise
        words = f"this search takes longer than {seconds:g} s; have it look for less, or at fewer messages"
        raise TooSlow(words) from error
