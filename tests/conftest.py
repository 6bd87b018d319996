"""What every test may ask for by name: the PostgreSQL fixtures, and those of the browser. What a test has set up of a
log is put back after it.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator

import pytest
from browser import axe, chromium, visit
from postgres_server import own_postgres, postgres_databases, postgres_server, postgres_url

__all__ = ["axe", "chromium", "own_postgres", "postgres_databases", "postgres_server", "postgres_url", "visit"]

_LOGGERS = ("mm7zeep", "mm7zeep.gateway", "uvicorn.error", "asyncio")


def pytest_configure() -> None:
    """A shell starts what runs in its background with SIGINT ignored, which the commands that tests interrupt would
    inherit.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A gateway that was started in this process sets handlers and filters, which would hide records of later tests."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(list(one.handlers), list(one.filters), one.level, one.propagate) for one in loggers]
    yield
    for one, (handlers, filters, level, propagate) in zip(loggers, before, strict=True):
        one.handlers[:], one.filters[:], one.propagate = handlers, filters, propagate
        one.setLevel(level)
