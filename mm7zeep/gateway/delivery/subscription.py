"""The subscription to what other processes announce: LISTEN, on a connection to PostgreSQL that only waits.

As long as it stands, an announcement wakes the dispatcher, which then looks seldom by itself. Where it is lost, the
dispatcher looks often, as without it, until it stands again; what was announced meanwhile is covered by the look that
follows. Whether announcements arrive at all is tried each time: a connection pooler in transaction mode takes LISTEN
and carries nothing. Refuses to be needed: whatever happens to it, work is found.
"""

from __future__ import annotations

import logging
import secrets
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from sqlalchemy import Connection

from mm7zeep.gateway.store import announcement
from mm7zeep.gateway.store.database import Database, StoreError

_LOG = logging.getLogger("mm7zeep.gateway")
_SHORTEST, _LONGEST = 0.1, 10.0  # seconds before it is tried again, doubled each time
_SELDOM = 300.0  # seconds before it is tried again where nothing arrives
_TRIAL = 3.0  # seconds that an announcement of our own may take to arrive
_CHECK = 30.0  # seconds without anything after which the connection is asked whether it stands
_POOLER = (
    "what other processes announce does not arrive here, most likely because the database is reached by a connection "
    "pooler in transaction mode; work is looked for as without it, which takes a little longer. Name the server "
    "itself in the database URL, or let the pooler work in session mode"
)


class Subscription:
    """Calls ``heard`` when another process has announced work, ``changed`` with whether that can be relied upon.

    ``counted`` is called with each ``made`` and ``lost`` of it. ``run`` is for one thread; ``stop`` ends it at once.
    """

    def __init__(
        self,
        database: Database,
        *,
        heard: Callable[[], object],
        changed: Callable[[bool], object],
        counted: Callable[[str], object] = lambda what: None,
    ) -> None:
        self._database = database
        self._heard = heard
        self._changed = changed
        self._counted = counted
        self._pause = _SHORTEST
        self._said = False  # that it does not stand, in the log
        self._stands = False
        self._bell: socket.socket | None = None
        self.told_to_stop = threading.Event()

    def stop(self) -> None:
        """Have ``run`` return."""
        self.told_to_stop.set()
        bell = self._bell
        if bell is not None:
            try:
                bell.send(b"\0")
            except OSError:
                return  # it has just ended

    def run(self) -> None:
        """Keep the subscription, until ``stop``."""
        ours, theirs = socket.socketpair()
        with closing(ours), closing(theirs):
            self._bell = theirs
            try:
                while not self.told_to_stop.is_set():
                    self._once(ours)
                    self.told_to_stop.wait(self._pause)
            finally:
                self._bell = None
                self._stand(False)

    def _once(self, bell: socket.socket) -> None:
        """Subscribe, and wait until it is lost, or to stop."""
        try:
            with self._database.standing() as connection:
                self._subscribed(connection, bell)
        except StoreError as error:
            if self.told_to_stop.is_set():
                return
            if self._stands:
                self._counted("lost")
            self._tell("what other processes announce is not received: %s", error)
            self._pause = min(2 * self._pause, _LONGEST)
        finally:
            self._stand(False)

    def _subscribed(self, connection: Connection, bell: socket.socket) -> None:
        driver: Any = connection.connection.driver_connection
        channel = connection.exec_driver_sql(announcement.CHANNEL).scalar()
        with _Ear(driver, bell, self._database.token) as ear:
            connection.exec_driver_sql(f"LISTEN {channel}")
            arrives = self._arrives(connection, ear)
            if self.told_to_stop.is_set():
                return
            if not arrives:
                self._tell(_POOLER)
                self._pause = _SELDOM
                return
            self._stand(True)  # whoever looks now finds what was announced before
            while not self.told_to_stop.is_set():
                ear.heard.clear()
                if not ear.wait(_CHECK) and connection.exec_driver_sql(announcement.CHANNEL).scalar() != channel:
                    return  # the tables were made anew
                if channel in ear.heard:
                    self._heard()

    def _arrives(self, connection: Connection, ear: _Ear) -> bool:
        """Whether a notification that another connection sends arrives: a pooler may carry what this one causes."""
        trial = f"mm7zeep_trial_{secrets.token_hex(8)}"
        connection.exec_driver_sql(f"LISTEN {trial}")
        with self._database.write(quiet=True) as other:
            other.exec_driver_sql(f"SELECT pg_notify('{trial}', '')")
        until = time.monotonic() + _TRIAL
        while trial not in ear.heard and (left := until - time.monotonic()) > 0 and not self.told_to_stop.is_set():
            ear.wait(left)
        connection.exec_driver_sql(f"UNLISTEN {trial}")
        return trial in ear.heard

    def _stand(self, stands: bool) -> None:
        if stands == self._stands:
            return
        self._stands = stands
        if stands:
            self._counted("made")
            self._pause = _SHORTEST
            if self._said:
                _LOG.warning("what other processes announce is received again")
            self._said = False
        self._changed(stands)

    def _tell(self, text: str, *values: object) -> None:
        """Log once that it does not stand."""
        if not self._said:
            _LOG.warning(text, *values)
        self._said = True


class _Ear:
    """Waits for notifications on a connection of psycopg's, and for the bell; ``heard`` are the channels of those that
    another process sent.
    """

    def __init__(self, driver: Any, bell: socket.socket, own: str) -> None:
        self.heard: set[str] = set()
        self._driver = driver
        self._own = own
        self._selector = selectors.DefaultSelector()
        for one in (driver, bell):
            self._selector.register(one, selectors.EVENT_READ)
        driver.add_notify_handler(self._take)  # for those that come with the answer to a statement

    def __enter__(self) -> _Ear:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._selector.close()

    def _take(self, notification: Any) -> None:
        if notification.payload != self._own:
            self.heard.add(notification.channel)

    def wait(self, seconds: float) -> bool:
        """Wait until something arrives, or the bell rings; whether it did. Raises what psycopg does."""
        if not self._selector.select(seconds):
            return False
        self._driver.pgconn.consume_input()
        while (found := self._driver.pgconn.notifies()) is not None:
            if found.extra.decode() != self._own:
                self.heard.add(found.relname.decode())
        return True
