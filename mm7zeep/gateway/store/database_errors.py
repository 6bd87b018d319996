"""What is said of an error of the database: where it stands, what went wrong, and what to do about it.

Judges by SQLSTATE and by SQLite's result codes. No text holds a password, a statement, its values, or an address of the
documentation of a library.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from mm7zeep import masking
from mm7zeep.gateway.store import faults

_BUSY = "another process has it locked; end that one, or try again"
_DAMAGED = "restore it from a backup, or name another file"
_SQLITE: Mapping[int, str] = MappingProxyType(
    {
        sqlite3.SQLITE_CANTOPEN: "make its folder, and let this user read and write there",
        sqlite3.SQLITE_READONLY: "let this user write to the file and to its folder",
        sqlite3.SQLITE_PERM: "let this user write to the file and to its folder",
        sqlite3.SQLITE_FULL: "make room on its disk",
        sqlite3.SQLITE_IOERR: "see that its disk works and has room",
        sqlite3.SQLITE_CORRUPT: _DAMAGED,
        sqlite3.SQLITE_NOTADB: _DAMAGED,
        sqlite3.SQLITE_BUSY: _BUSY,
        sqlite3.SQLITE_LOCKED: _BUSY,
        sqlite3.SQLITE_PROTOCOL: _BUSY,
    }
)
_POSTGRESQL = (  # by the beginning of the SQLSTATE, the longer ones first (PostgreSQL, appendix A)
    ("42501", "grant this user the right to it"),
    ("3D000", "create the database, or correct its name in the URL"),
    ("25006", "the server takes no writes; name the one that does"),
    ("53100", "make room on the disk of the server"),
    ("53300", "raise max_connections of the server, or start fewer workers"),
    ("55P03", "another transaction holds the lock; end that one, or try again"),
    ("57P", "the server stops or starts; it is used again as soon as it runs"),
    ("28", "correct user and password of the database URL"),
    ("53", "give the server more memory or disk"),
    ("40", "try again"),
    ("08", "see that the server runs there and can be reached"),
)


def place_of(url: URL) -> str:
    """Where a database stands: the whole path of a file, or the address of a server; no user, no password."""
    if url.get_backend_name() == "sqlite":
        name = url.database or ""
        return name if name.startswith("file:") else str(Path(name).absolute())
    host, port = (_first(url.query.get(one)) for one in ("host", "port"))
    host, port = url.host or host, str(url.port or port or 5432)
    shown = f"[{host}]" if host and ":" in host else host
    where = f"{shown}:{port}" if shown else "the default server"
    return f"PostgreSQL {where}/{url.database or ''}"


def _first(given: str | tuple[str, ...] | None) -> str | None:
    return given if isinstance(given, str) or given is None else given[0]


# What libpq says before the reason, with the address, which is not for everybody to know: ``place`` has it for the log.
_AT = re.compile(r"^(?:connection failed: )?connection to server (?:at|on) .{0,300}? failed: ")


# What libpq says of certificates (fe-secure-openssl.c, fe-secure-common.c), and what to do about it.
_CERTIFICATE = re.compile(r"certificate|private key file|sslrootcert")
_CERTIFICATES = (
    ("does not match host name", "name the server in the URL as its certificate does"),
    ("certificate verify failed", "see that sslrootcert in the URL names the file of the authority that "
                                  "issued the server's certificate, and that this has not expired"),
    ("root certificate", "see that sslrootcert in the URL names a file of certificates (PEM) that can be read"),
    ("", "see that sslcert and sslkey in the URL name a certificate that the server knows, and its key, which only its "
         "owner may read"),
)  # fmt: skip


def reason(error: Exception) -> str:
    """What the database said, without the statement and its values, and without its server's address."""
    if isinstance(error, PoolTimeout):
        return "all connections are in use"
    said = str(error if isinstance(error, sqlite3.Error) else getattr(error, "orig", None) or type(error).__name__)
    return masking.credentials(_AT.sub("connection failed: ", said.splitlines()[0])) if said else type(error).__name__


def remedy(error: Exception) -> str | None:
    """What to do about it; None where nothing is known, or a value is at fault."""
    if isinstance(error, PoolTimeout):
        return "try again, or start more workers"
    cause = faults.driver_error(error)
    if isinstance(cause, sqlite3.Error):
        return _SQLITE.get(faults.sqlite_code(cause) & 0xFF)
    state = getattr(cause, "sqlstate", None)
    if state is None and type(cause).__name__ == "OperationalError":  # no connection: psycopg tells no SQLSTATE
        said = reason(error)
        if _CERTIFICATE.search(said):
            return next(fix for word, fix in _CERTIFICATES if word in said)
        return "see that the server runs there, and takes this user, password and database"
    return next((said for begin, said in _POSTGRESQL if str(state or "").startswith(begin)), None)


def bared(error: Exception) -> Exception:
    """``error``, so that neither its text nor a traceback repeats values or an address of SQLAlchemy's pages."""
    if isinstance(error, SQLAlchemyError):
        error.code = None
    if isinstance(error, StatementError):
        error.hide_parameters = True
    return error
