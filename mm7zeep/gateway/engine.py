"""The database behind the store: SQLite or PostgreSQL, opened so that a commit is on the disk before it returns.

``Database.write`` is one durable transaction, ``Database.read`` a look. Whatever the database refuses comes out as
``StoreError`` and nothing else. Refuses other engines.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from mm7zeep import extras
from mm7zeep.gateway import migrations

_BUSY = 30.0  # seconds that SQLite waits for another process's transaction
_TURN = 0.001  # seconds between two tries to be the one who writes
_POOL = 20  # connections of this process

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # NORMAL would acknowledge before the disk has it
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
)


class StoreError(Exception):
    """The database did not do it: it is full, broken, busy or away. What was asked may or may not have been kept."""


class Database:
    """One SQLite file (WAL, synchronous=FULL) or one PostgreSQL database (synchronous_commit=on), migrated.

    ``url`` is SQLAlchemy's. Thread-safe; several processes may share the database. Raises ``ValueError`` for a URL that
    cannot be used, ``StoreError`` where the database cannot be opened, ``migrations.DatabaseIsNewer``.
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self.sqlite = self.engine.dialect.name == "sqlite"
        # SQLite has one writer at a time: the threads of this process take turns here
        self._writer = threading.Lock()
        try:
            if self.sqlite:
                self._settle()
            with self.write() as connection:
                migrations.migrate(connection)
        except BaseException:
            self.engine.dispose()
            raise

    def _settle(self) -> None:
        """Have everything that the WAL shows on the disk before anybody is told of it.

        A process that died may have left there what it never synced. Where others have the database open there is
        nothing of that kind, and nothing is waited for.
        """
        try:
            with self.engine.connect() as connection:
                driver = connection.connection.driver_connection
                for pragma in ("busy_timeout=0", "wal_checkpoint(TRUNCATE)", f"busy_timeout={int(_BUSY * 1000)}"):
                    driver.execute(f"PRAGMA {pragma}").fetchall()  # type: ignore[union-attr]
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StoreError(f"the database did not do it: {error}") from error

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    @property
    def folder(self) -> Path | None:
        """Where an SQLite file stands; None for PostgreSQL and for a database in memory."""
        name = self.engine.url.database
        return Path(name).absolute().parent if self.sqlite and name else None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, on the disk when the context ends; rolled back where it raises. Raises ``StoreError``."""
        with self._writer if self.sqlite else nullcontext(), self._connection(writing=True) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that sees one state. Raises ``StoreError``."""
        with self._connection(writing=False) as connection:
            yield connection

    @contextmanager
    def _connection(self, *, writing: bool) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                connection = connection.execution_options(mm7zeep_writing=writing)
                try:
                    with connection.begin():
                        yield connection
                except DBAPIError:
                    if not self.sqlite:
                        connection.invalidate()  # what a failed write left in this connection is nobody's business
                    # SQLite's stays open: with the last one closed, the next opening would recover from the WAL what
                    # could not be synced, and show it as if it had been kept
                    raise
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StoreError(_words(error)) from error


def _words(error: Exception) -> str:
    """What the database said, without the statement and its values."""
    said = str(error if isinstance(error, sqlite3.Error) else getattr(error, "orig", None) or type(error).__name__)
    return f"the database did not do it: {said.splitlines()[0] if said else type(error).__name__}"


def _engine(url: str) -> Engine:
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(f"the database URL cannot be read: {_FORMS}") from None  # its words repeat the password
    name = parsed.get_backend_name()
    if name not in ("sqlite", "postgresql"):
        raise ValueError(f"the database {name} is not served: {_FORMS}")
    options: dict[str, Any] = {"pool_size": _POOL, "max_overflow": 0, "pool_timeout": _BUSY}
    try:
        if name == "sqlite":
            if parsed.database in (None, "", ":memory:"):
                raise ValueError(f"a database in memory is lost with its process: {_FORMS}")
            engine = sa.create_engine(parsed, connect_args={"timeout": _BUSY, "check_same_thread": False}, **options)
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        given = parsed.query.get("options", "")
        said = given if isinstance(given, str) else " ".join(given)
        connect = {"options": f"{said} -c synchronous_commit=on".strip(), "connect_timeout": 10}
        parsed = parsed.difference_update_query(["options"])
        return sa.create_engine(parsed, connect_args=connect, pool_pre_ping=True, **options)
    except ModuleNotFoundError as error:
        raise ValueError(extras.missing(error) or str(error)) from error
    except NoSuchModuleError as error:
        raise ValueError(f"the database driver {parsed.drivername} is not known: {_FORMS}") from error


_FORMS = "give sqlite:///FILE, or postgresql+psycopg://USER@HOST/DATABASE"


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    connection.isolation_level = None  # no BEGIN of its own: ours says whether it writes
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    if not connection.get_execution_options().get("mm7zeep_writing"):
        connection.exec_driver_sql("BEGIN")
        return
    # IMMEDIATE takes the lock at once: a transaction that read first could not be upgraded behind another writer. Where
    # another process has it, SQLite itself would sleep longer and longer, up to 100 ms, and seldom have its turn
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    until = time.monotonic() + _BUSY
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while not _begun(driver, last=time.monotonic() > until):
            time.sleep(_TURN)
    finally:
        driver.execute(f"PRAGMA busy_timeout={int(_BUSY * 1000)}")


def _begun(driver: sqlite3.Connection, *, last: bool) -> bool:
    """Whether the write lock was free, and is ours now. Raises ``sqlite3.OperationalError`` on the last try."""
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if last or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
