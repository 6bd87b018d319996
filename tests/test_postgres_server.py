"""The server that tests run on PostgreSQL with: it keeps what was committed, through a crash, under its old address."""

from __future__ import annotations

import psycopg
import pytest
from postgres_server import PostgresServer
from sqlalchemy.engine import make_url

pytestmark = pytest.mark.postgres


def plain(url: str) -> str:
    """The URL as psycopg takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def test_database_is_empty_and_writable(postgres_url: str) -> None:
    """Each test has a database of its own, in UTF-8, with fsync."""
    with psycopg.connect(plain(postgres_url)) as connection:
        connection.execute("CREATE TABLE kept (word text)")
        connection.execute("INSERT INTO kept VALUES ('Jupiter \u2643')")
        assert connection.execute("SELECT word FROM kept").fetchall() == [("Jupiter \u2643",)]
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (1,)


def test_committed_rows_survive(own_postgres: PostgresServer) -> None:
    """Stopped at once, killed, and started again: what was committed is there, where it was."""
    with psycopg.connect(plain(own_postgres.url()), autocommit=True) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        connection.execute("CREATE TABLE kept (n integer)")
    port = own_postgres.port
    for number, end in enumerate((lambda: own_postgres.stop("immediate"), own_postgres.kill), 1):
        with psycopg.connect(plain(own_postgres.url()), autocommit=True) as connection:
            connection.execute("INSERT INTO kept VALUES (%s)", (number,))
            end()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        assert not own_postgres.running
        own_postgres.start()
    with psycopg.connect(plain(own_postgres.url())) as connection:
        assert connection.execute("SELECT n FROM kept ORDER BY n").fetchall() == [(1,), (2,)]
    assert own_postgres.port == port
