"""What an error of the database means: a value of the statement is at fault, or the store itself, or it is damaged.

Judges by SQLSTATE and by SQLite's result codes, never by words.
"""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, StatementError

_VALUE_CLASSES = ("22", "23", "54")  # data exception, integrity constraint, program limit (an index row too large)
_CONFLICT = "23505"  # two transactions made the same row: the next try finds it
_SQLITE_VALUES = frozenset({sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE})
_SQLITE_CONFLICTS = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})
_SQLITE_STORE = frozenset(
    {
        sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL,
    }
)  # fmt: skip
_SQLITE_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def of_value(error: BaseException) -> bool:
    """Whether a value is at fault: the same statement fails again, whatever becomes of the store."""
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        return True  # a value that could not be turned into what a column takes
    if isinstance(error, OverflowError | UnicodeError):
        return True  # sqlite3 itself: an integer beyond 64 bits, half a surrogate pair
    cause = driver_error(error)
    if isinstance(cause, sqlite3.Error):
        code = sqlite_code(cause)
        constraint = code & 0xFF == sqlite3.SQLITE_CONSTRAINT and code not in _SQLITE_CONFLICTS
        return constraint or code & 0xFF in _SQLITE_VALUES
    state = getattr(cause, "sqlstate", None) or ""
    # psycopg's own: a NUL that it does not send, a number that no type takes
    own = not state and type(cause).__name__ == "DataError"
    return own or (state.startswith(_VALUE_CLASSES) and state != _CONFLICT)


def of_store(error: BaseException) -> bool:
    """Whether the store is at fault, so that the connection which met it may be of no use later."""
    cause = driver_error(error)
    return isinstance(cause, sqlite3.Error) and sqlite_code(cause) & 0xFF in _SQLITE_STORE


def of_lock(error: BaseException) -> bool:
    """Whether another connection of SQLite's holds what is needed."""
    cause = driver_error(error)
    return isinstance(cause, sqlite3.Error) and sqlite_code(cause) & 0xFF == sqlite3.SQLITE_BUSY


def of_damage(error: BaseException) -> bool:
    """Whether the file is damaged, or none of a database."""
    cause = driver_error(error)
    return isinstance(cause, sqlite3.Error) and sqlite_code(cause) & 0xFF in _SQLITE_DAMAGE


def driver_error(error: BaseException) -> BaseException:
    """What the driver raised."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def sqlite_code(error: sqlite3.Error) -> int:
    """SQLite's extended result code; 0 for an error that is not SQLite's own."""
    return getattr(error, "sqlite_errorcode", None) or 0
