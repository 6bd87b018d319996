"""What every test may ask for by name: the PostgreSQL fixtures."""

from __future__ import annotations

from postgres_server import own_postgres, postgres_databases, postgres_server, postgres_url

__all__ = ["own_postgres", "postgres_databases", "postgres_server", "postgres_url"]
