"""The handset scripts in force: those that an operator has set, and under them those of the configuration file.

What was set stands in the database, so that all processes of a gateway go by it a second later, and restarts keep it.
Works in the caller's transaction; refuses nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

import pydantic
from pydantic import TypeAdapter
from sqlalchemy import Connection

from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.store import messages

_LOG = logging.getLogger("mm7zeep.gateway")
_SETTING = "handsets"
_FRESH = 1.0  # seconds that a process goes by what it has read
_SCRIPTS = TypeAdapter(tuple[Handset, ...])
_SECONDS = ("delay", "reply_after")


class Handsets:
    """The scripts of one gateway; ``file`` are those of its configuration, ``clock`` gives seconds that pass.

    Thread-safe.
    """

    def __init__(self, file: Iterable[Handset] = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        self.file = tuple(file)
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._set: tuple[Handset, ...] = ()

    def in_force(self, connection: Connection) -> tuple[Handset, ...]:
        """The scripts, the first that fits counts, as of a second ago at most."""
        with self._lock:
            if self._read_at is None or self._clock() - self._read_at > _FRESH:
                self._set, self._read_at = _read(connection), self._clock()
            return (*self._set, *self.file)

    def changed(self, connection: Connection) -> tuple[Handset, ...]:
        """Those that were set, as the database has them now; this process goes by them from here on."""
        with self._lock:
            self._set, self._read_at = _read(connection), self._clock()
            return self._set


def keep(connection: Connection, scripts: Iterable[Handset]) -> None:
    """Put ``scripts`` in the place of those that were set; none returns to those of the file alone.

    Processes learn of it by themselves, this one by ``Handsets.changed`` once it is committed.
    """
    messages.set_setting(connection, _SETTING, [_as_json(one) for one in scripts])


def _as_json(script: Handset) -> dict[str, object]:
    """A script without what it leaves as it is usual: processes of an older version read it as long as they can."""
    usual = Handset()
    names = ("prefix", "outcome", "delay", "read", "reply", "reply_after")
    given = {name: getattr(script, name) for name in names if getattr(script, name) != getattr(usual, name)}
    return {name: value.total_seconds() if name in _SECONDS else value for name, value in given.items()}


def _read(connection: Connection) -> tuple[Handset, ...]:
    try:
        return _SCRIPTS.validate_python(tuple(messages.setting(connection, _SETTING) or ()))
    except pydantic.ValidationError as error:  # a newer version has set them: those of the file count
        what = "the handset scripts that were set are not understood, those of the configuration count"
        _LOG.error("%s: %d errors", what, error.error_count(), extra={"seldom": what})
        return ()
