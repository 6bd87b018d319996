"""How long each step of one exchange may take, so that all of them end in time: for urllib3 and for sockets.

Waits for nothing itself.
"""

from __future__ import annotations

import time
from typing import Any

import urllib3.util

from mm7zeep.transport.inbound import Overdue

_LEAST = 0.001  # seconds; urllib3 takes none that is not positive


class Seconds(float):
    """A time to wait for one step, with the end of the whole exchange (``until``, monotonic seconds)."""

    until: float

    def __new__(cls, value: float, until: float) -> Seconds:
        """At most up to ``until``."""
        made = super().__new__(cls, max(_LEAST, min(value, until - time.monotonic())))
        made.until = until
        return made


class Bounds(urllib3.util.Timeout):
    """The times of one exchange, as urllib3 asks for them before it connects and before it reads.

    ``connect``, ``read`` and ``reply`` are seconds, ``until`` is the end of the exchange in monotonic seconds.
    """

    def __init__(self, *, connect: float, read: float, reply: float, until: float) -> None:
        super().__init__(connect=connect, read=read)
        self._times = {"connect": connect, "read": read, "reply": reply, "until": until}

    def clone(self) -> Bounds:
        return Bounds(**self._times)

    @property
    def connect_timeout(self) -> float:
        return Seconds(self._times["connect"], self._times["until"])

    @property
    def read_timeout(self) -> float:
        """Asked for when the request has gone out: from then on the answer has ``reply`` seconds."""
        return Seconds(self._times["read"], min(self._times["until"], time.monotonic() + self._times["reply"]))


class Clock:
    """Sets the time that a socket may wait, from step to step."""

    def __init__(self, timeout: Any) -> None:
        self.timeout: float | None = timeout
        self.until: float | None = getattr(timeout, "until", None)

    def left(self) -> float | None:
        """The seconds of the next step. Raises ``Overdue`` where the exchange is over."""
        if self.until is None:
            return self.timeout
        left = self.until - time.monotonic()
        if left <= 0:
            raise Overdue("the time for the whole exchange is over")
        return left if self.timeout is None else min(float(self.timeout), left)
