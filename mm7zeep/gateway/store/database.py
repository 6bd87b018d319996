"""The database behind the store: SQLite or PostgreSQL, opened so that a commit is on the disk before it returns.

``Database.write`` is one durable transaction, ``Database.read`` a look. What a transaction plans is announced by its
commit (``announcement``). Whatever the database refuses comes out as ``StoreError`` and nothing else. Refuses other
engines, and to write to files that are not those it opened.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool, PoolProxiedConnection

from mm7zeep import extras
from mm7zeep.gateway.store import announcement, changes, database_errors, faults, migrations
from mm7zeep.gateway.store.database_file import DatabaseFile

LOCK_WAIT = 5.0
"""Seconds that a transaction waits for those of others, in this process and in others."""
_MIGRATION_WAIT = 120.0  # seconds that one who opens the database waits for another who migrates it
_TURN = 0.001  # seconds between two tries to be the one who writes
_POOL = 20  # connections of this process
_CHECK = 1.5  # seconds that looking through a damaged file may take
_STANDING = MappingProxyType(  # what libpq is told where the URL does not: seconds, a number of probes, milliseconds
    {
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        "application_name": "mm7zeep subscription",
    }
)

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # NORMAL would acknowledge before the disk has it
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    # what is deleted is not overwritten by zeros: Debian's SQLite does that unless told, and a deletion then writes as
    # much as it frees. FAST overwrites where that costs no further page
    "PRAGMA secure_delete=FAST",
)


class StoreError(Exception):
    """The database reported an error: full, broken, busy or away. What was asked may or may not have been kept.

    Its text names the database, the reason and, where one is known, the fix; ``reason`` is the part of it for those who
    are not to know where the database stands. ``of_value`` says that a value was at fault: then the same again fails
    again.
    """

    def __init__(
        self, reason: str, *, place: str | None = None, remedy: str | None = None, of_value: bool = False
    ) -> None:
        whole = f"{place}: {reason}" if place is not None else reason
        super().__init__(f"database error: {whole}" + (f"; {remedy}" if remedy is not None else ""))
        self.reason = f"database error: {reason}"
        self.of_value = of_value


class Database:
    """One SQLite file (WAL, synchronous=FULL) or one PostgreSQL database (synchronous_commit=on), migrated.

    ``url`` is SQLAlchemy's. Thread-safe; several processes may share the database. Raises ``ValueError`` for a URL that
    cannot be used, ``StoreError`` where the database cannot be opened, ``migrations.DatabaseIsNewer``.
    """

    def __init__(self, url: str) -> None:
        self.engine = engine_of(url)
        self.sqlite = self.engine.dialect.name == "sqlite"
        self.place = database_errors.place_of(self.engine.url)
        """Where it stands, for people: a path, or the address of a server."""
        self._unpooled = engine_of(url, pooled=False) if self.sqlite else self.engine
        self._standing = None if self.sqlite else engine_of(url, pooled=False)
        self.token = secrets.token_hex(4)
        """What announcements of this process are known by."""
        self.changes = changes.Changes(self.token)
        """What this process has committed."""
        self.picked_up: Callable[[], bool] = lambda: False
        """Whether a dispatcher of this process will see to what is planned: then it is announced by that, if at all."""
        # SQLite has one writer at a time: the threads of this process take turns here
        self._writer = threading.Lock()
        self._anchor: PoolProxiedConnection | None = None
        self._file: DatabaseFile | None = None
        self._generation = 0  # of connections: those of an earlier one are not used again
        self.damage: str | None = None
        """What a statement said of a damaged file, until ``check_damage`` finds none."""
        self.committed = 0.0
        """When a transaction was last committed, by ``time.monotonic``."""
        for engine in {self.engine, self._unpooled}:
            event.listen(engine, "do_connect", self._connecting)
            event.listen(engine, "connect", self._connected)
        event.listen(self.engine, "checkout", self._checked_out)
        try:
            if self.sqlite:
                self._settle()  # before another connection shows what is in the log
                self._hold()
            with self.write(wait=_MIGRATION_WAIT) as connection:
                self._migrate(connection)
        except BaseException:
            self.close()
            raise

    def _migrate(self, connection: Connection) -> None:
        try:
            migrations.migrate(connection)
        except migrations.DatabaseIsNewer as error:
            raise migrations.DatabaseIsNewer(f"{self.place}: {error}") from None

    def failure(self, error: Exception) -> StoreError:
        """What stands for an error of the driver, of SQLAlchemy, or of binding a value; ``error`` is its cause."""
        database_errors.bared(error)
        failed = StoreError(
            database_errors.reason(error),
            place=self.place,
            remedy=database_errors.remedy(error),
            of_value=faults.of_value(error),
        )
        failed.__cause__ = error
        return failed

    def _settle(self) -> None:
        """Have everything that the WAL shows on the disk before anybody is told of it.

        A process that died may have left there what it never synced. Where others have the database open there is
        nothing of that kind, and nothing is waited for.
        """
        until = time.monotonic() + LOCK_WAIT
        while True:
            try:
                with self._unpooled.connect() as connection:
                    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
                    for pragma in ("busy_timeout=0", "wal_checkpoint(TRUNCATE)"):
                        driver.execute(f"PRAGMA {pragma}").fetchall()
                    return
            except (SQLAlchemyError, sqlite3.Error) as error:
                # several that make the same file at once: SQLite does not wait for who is just changing it to WAL
                if not faults.of_lock(error) or time.monotonic() > until:
                    raise self.failure(error) from error
            time.sleep(_TURN)

    def _hold(self) -> None:
        """Keep one connection open as long as the database is: with the last one closed, the next opening would recover
        from the WAL what could not be synced, and show it as if it had been kept. And know the files by it.
        """
        try:
            self._anchor = self.engine.raw_connection()
            self._anchor.detach()
            cursor = self._anchor.cursor()
            cursor.execute("SELECT count(*) FROM sqlite_master")  # opens the log, too
            cursor.fetchall()
            cursor.close()
            name = _path_of(self._anchor.dbapi_connection)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self.failure(error) from error
        self._file = DatabaseFile.opened(name)
        self._generation += 1  # those opened before are of files that nobody looked at

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()
        self._unpooled.dispose()
        if self._standing is not None:
            self._standing.dispose()
        if self._anchor is not None:
            self._anchor.close()
            self._anchor = None

    @property
    def folder(self) -> Path | None:
        """Where an SQLite file stands; None for PostgreSQL."""
        return Path(self._file.path).parent if self._file is not None else None

    # --- transactions -------------------------------------------------------------------------------------------------

    @contextmanager
    def write(self, *, wait: float = LOCK_WAIT, fresh: bool = False, quiet: bool = False) -> Iterator[Connection]:
        """One transaction, on the disk when the context ends; rolled back where it raises. Raises ``StoreError``.

        It waits at most ``wait`` seconds for other writers. ``fresh``: on a connection of its own, where that is cheap.
        ``quiet``: it changes nothing that ``versions`` are of.
        """
        until = time.monotonic() + wait
        planned = announcement.Planned()
        try:
            with self._turn(wait), self._connection(until, fresh=fresh, planned=planned) as connection:
                yield connection
                if planned.work and not self.sqlite and (planned.for_all or not self.picked_up()):
                    announcement.send(connection, self.token)
        finally:
            if not quiet:
                self.changes.note()  # also where it raised: it may have been committed all the same
        self.committed = time.monotonic()

    def announce(self) -> None:
        """Announce that there is work for the other processes, on PostgreSQL. Raises ``StoreError``."""
        if not self.sqlite:
            with self.write(quiet=True) as connection:
                # nothing of it need be on the disk, and so nobody waits for its lock
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                announcement.note(connection, for_all=True)

    @contextmanager
    def standing(self) -> Iterator[Connection]:
        """A connection to PostgreSQL beside the pool that commits each statement, for who waits on it; whether its
        server is alive is asked by TCP, every few seconds. Raises ``StoreError``.
        """
        if self._standing is None:
            raise StoreError("SQLite announces nothing", place=self.place)
        broken: Any = self._standing.dialect.loaded_dbapi.Error
        try:
            with self._standing.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                try:
                    yield connection
                except (SQLAlchemyError, broken):
                    connection.invalidate()
                    raise
        except SQLAlchemyError as error:
            raise self.failure(error) from error
        except broken as error:
            raise StoreError("the connection was lost", place=self.place) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that sees one state. Raises ``StoreError``."""
        with self._connection(None) as connection:
            yield connection

    @contextmanager
    def _turn(self, wait: float) -> Iterator[None]:
        if not self.sqlite:
            yield
            return
        if not self._writer.acquire(timeout=wait):
            said = f"others have been writing for {wait:g} s"
            raise StoreError(said, place=self.place, remedy="try again")
        try:
            yield
        finally:
            self._writer.release()

    @contextmanager
    def _connection(
        self, until: float | None, *, fresh: bool = False, planned: announcement.Planned | None = None
    ) -> Iterator[Connection]:
        writing = until is not None
        options: Any = {"mm7zeep_until": until, "mm7zeep_writing": writing, announcement.OPTION: planned}
        options[changes.OPTION] = self.changes
        try:
            with (self._unpooled if fresh else self.engine).connect() as connection:
                connection = connection.execution_options(**options)
                try:
                    with connection.begin():
                        if writing:
                            self._check_file()
                        yield connection
                    if writing:
                        self._check_file()  # what was unlinked meanwhile has taken the commit with it
                except (DBAPIError, sqlite3.Error) as error:
                    self._discard(connection, error)
                    raise
        except (SQLAlchemyError, sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
            raise self.failure(error) from error  # sqlite3 does not wrap the last two

    def _discard(self, connection: Connection, error: Exception) -> None:
        """Use neither this connection again nor, where the store was at fault, those that wait: one that was opened
        while a file could not be written stays read-only for life.
        """
        if faults.of_damage(error):
            self.damage = f"database error: {database_errors.reason(error)}"
        if faults.of_store(error):
            self.renew()
        if not self.sqlite or faults.of_store(error):
            connection.invalidate()

    def renew(self) -> None:
        """Open connections anew, instead of using those that are open."""
        self._generation += 1

    def _connecting(self, dialect: Any, record: Any, arguments: Any, options: Any) -> None:
        """Open nothing in the place of a file that is gone: SQLite would make an empty one."""
        if self._file is not None and (wrong := self._file.changed()) is not None:
            raise sqlite3.OperationalError(wrong)

    def _connected(self, connection: Any, record: Any) -> None:
        record.info["generation"] = self._generation
        if self._file is None:
            return
        wrong = self._file.changed()
        if wrong is None and _path_of(connection) != self._file.path:  # a link in the path leads elsewhere by now
            wrong = "the path of the database leads to another file; put it back, or start the gateway again"
        if wrong is not None:
            connection.close()
            raise sqlite3.OperationalError(wrong)

    def _checked_out(self, connection: Any, record: Any, proxy: Any) -> None:
        if record.info.get("generation") != self._generation:
            raise DisconnectionError

    def _check_file(self) -> None:
        """Raise ``StoreError`` where a file of SQLite's is not the one that was opened."""
        if self._file is not None and (wrong := self._file.changed()) is not None:
            self.renew()
            raise StoreError(wrong, place=self.place)

    def check_damage(self) -> str | None:
        """What is wrong with a file that a statement found damaged: looked through again, as far as a moment allows."""
        if self.damage is None:
            return None
        until = time.monotonic() + _CHECK
        try:
            with self._unpooled.connect() as connection:
                driver = cast(sqlite3.Connection, connection.connection.driver_connection)
                driver.set_progress_handler(lambda: int(time.monotonic() > until), 10_000)
                found = driver.execute("PRAGMA quick_check(1)").fetchall()
        except (SQLAlchemyError, sqlite3.Error):
            return self.damage  # it could not even be looked through, or not in time
        if found == [("ok",)]:
            self.renew()
            self.damage = None
        return self.damage


# --- engines ----------------------------------------------------------------------------------------------------------


def engine_of(url: str, *, pooled: bool = True, read_only: bool = False) -> Engine:
    """Where connections to the database at ``url`` come from; ``read_only`` ones to a server refuse to write.

    Raises ``ValueError`` for a URL that cannot be used.
    """
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(f"the database URL cannot be read: {_FORMS}") from None  # its words repeat the password
    name = parsed.get_backend_name()
    if name not in ("sqlite", "postgresql"):
        raise ValueError(f"the database {name} is not served: {_FORMS}")
    options: dict[str, Any] = {"pool_size": _POOL, "max_overflow": 0, "pool_timeout": LOCK_WAIT}
    try:
        if name == "sqlite":
            if parsed.database in (None, "", ":memory:"):
                raise ValueError(f"a database in memory is lost with its process: {_FORMS}")
            arguments = {"timeout": LOCK_WAIT, "check_same_thread": False}
            options = options if pooled else {"poolclass": NullPool}
            engine = sa.create_engine(parsed, connect_args=arguments, **options)
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        given = parsed.query.get("options", "")
        said = given if isinstance(given, str) else " ".join(given)
        own = f"-c synchronous_commit=on -c lock_timeout={int(LOCK_WAIT * 1000)}"
        if read_only:  # and a look takes one core at most from those who write
            own += " -c default_transaction_read_only=on -c max_parallel_workers_per_gather=0"
        connect = {"options": f"{said} {own}".strip(), "connect_timeout": int(LOCK_WAIT)}
        parsed = parsed.difference_update_query(["options"])
        if not pooled:
            connect |= {name: value for name, value in _STANDING.items() if name not in parsed.query}
            return sa.create_engine(parsed, connect_args=connect, poolclass=NullPool)
        return sa.create_engine(parsed, connect_args=connect, pool_pre_ping=True, **options)
    except ModuleNotFoundError as error:
        raise ValueError(extras.missing(error) or str(error)) from error
    except NoSuchModuleError as error:
        raise ValueError(f"the database driver {parsed.drivername} is not known: {_FORMS}") from error


_FORMS = "give sqlite:///FILE, or postgresql+psycopg://USER@HOST/DATABASE"


def _path_of(connection: Any) -> str:
    """The file that a connection of SQLite's has open, links followed."""
    return next(str(row[2]) for row in connection.execute("PRAGMA database_list") if row[1] == "main")


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    connection.isolation_level = None  # no BEGIN of its own: ours says whether it writes
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("mm7zeep_writing"):
        connection.exec_driver_sql("BEGIN")
        return
    # IMMEDIATE takes the lock now: a transaction that read first could not be upgraded behind another writer. Where
    # another process has it, SQLite itself would sleep longer and longer, up to 100 ms, and seldom have its turn
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)
    until = options["mm7zeep_until"]
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while not _begun(driver, last=time.monotonic() > until):
            time.sleep(_TURN)
    finally:
        driver.execute(f"PRAGMA busy_timeout={int(LOCK_WAIT * 1000)}")


def _begun(driver: sqlite3.Connection, *, last: bool) -> bool:
    """Whether the write lock was free, and is ours now. Raises ``sqlite3.OperationalError`` on the last try."""
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if last or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
