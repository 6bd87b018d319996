"""The database of a gateway, opened to be read and nothing else, whether a gateway runs or not.

Each look is a transaction of its own, on a connection of its own where that is cheap, so that neither a writer nor a
checkpoint waits for long. Nothing is written or migrated, and beside an SQLite file that nobody has open no file is
made: what a reader of another user left there would stop the gateway. Refuses a database whose version is another one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import quote, unquote

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from mm7zeep.gateway.store import database_errors, faults, migrations
from mm7zeep.gateway.store.database import LOCK_WAIT, StoreError, engine_of
from mm7zeep.gateway.store.tables import MIGRATION

T = TypeVar("T")
_TRIES = 5  # to read a file while nobody changes it


class ReadOnlyDatabase:
    """The SQLite file or the PostgreSQL database at ``url``, SQLAlchemy's.

    Raises ``ValueError`` for a URL that cannot be used, ``StoreError`` where there is no database of this version, or
    none can be read, ``migrations.DatabaseIsNewer``.
    """

    def __init__(self, url: str) -> None:
        made = engine_of(url, read_only=True)
        self.sqlite = made.dialect.name == "sqlite"
        self.place = database_errors.place_of(made.url)
        """Where it stands, for people: a path, or the address of a server."""
        self._engine = self._of_file(made.url) if self.sqlite else made
        try:
            self.read(self._check)
        except BaseException:
            self.close()
            raise

    def _of_file(self, url: sa.URL) -> Engine:
        name = url.database or ""
        if name.startswith("file:"):  # a URI, of which the path counts here
            name = unquote(name.removeprefix("file:").partition("?")[0])
        self._path = Path(name).resolve()  # SQLite names the log after the file that a link leads to
        if not self._path.is_file():
            raise StoreError("there is no such file", place=self.place, remedy="name the database of the gateway")
        return sa.create_engine(url, creator=self._open, poolclass=NullPool)

    def _open(self) -> sqlite3.Connection:
        # without a log nobody has it open: SQLite would make one, which might belong to another user than the gateway
        mode = "mode=ro" if self._log() is not None else "mode=ro&immutable=1"
        name = f"file:{quote(str(self._path))}?{mode}"
        return sqlite3.connect(name, uri=True, timeout=LOCK_WAIT, isolation_level=None)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def read(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` finds in one transaction that sees one state; it may be called again. Raises ``StoreError``."""
        for _ in range(_TRIES):
            before = self._state() if self.sqlite else None
            try:
                found = self._read(work)
            except StoreError:
                if before is None or before.log is not None or before == self._state():
                    raise
                continue
            if before is None or before.log is not None or before == self._state():
                return found
        raise StoreError("the file changes all the time", place=self.place, remedy="try again")

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection, connection.begin():
                if self.sqlite:
                    connection.exec_driver_sql("BEGIN")
                return work(connection)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> StoreError:
        database_errors.bared(error)
        cause = faults.driver_error(error)
        code = faults.sqlite_code(cause) & 0xFF if isinstance(cause, sqlite3.Error) else None
        remedy = database_errors.remedy(error)
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            remedy = "let this user read the file, its -wal and its -shm"
        return StoreError(database_errors.reason(error), place=self.place, remedy=remedy)

    # --- what an SQLite file is at a moment ---------------------------------------------------------------------------

    def _log(self) -> tuple[int, int] | None:
        try:
            found = self._path.with_name(self._path.name + "-wal").stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _state(self) -> _State:
        """What tells that nobody wrote to a file that was read without a lock: a writer begins with a log."""
        try:
            found = self._path.stat()
        except OSError as error:
            reason = error.strerror or str(error)
            raise StoreError(reason, place=self.place, remedy="name the database of the gateway") from error
        return _State(self._log(), (found.st_ino, found.st_size, found.st_mtime_ns))

    # --- its version --------------------------------------------------------------------------------------------------

    def _check(self, connection: Connection) -> None:
        known = len(migrations.STEPS)
        tables = sa.inspect(connection).get_table_names()
        version = connection.scalar(sa.select(sa.func.max(MIGRATION.c.version))) if MIGRATION.name in tables else None
        if version is None:
            raise StoreError("no gateway keeps messages there", place=self.place, remedy="name another database")
        if version > known:
            raise migrations.DatabaseIsNewer(
                f"{self.place}: the database has version {version}, this mm7zeep knows {known}: run the newer mm7zeep"
            )
        if version < known:
            said = f"the database has version {version}, this mm7zeep reads {known}"
            raise StoreError(said, place=self.place, remedy="start the gateway once, which brings it up to date")


class _State(NamedTuple):
    """A file of SQLite's: its log, if there is one, and what changes whenever somebody writes to the file."""

    log: tuple[int, int] | None
    file: tuple[int, int, int]
