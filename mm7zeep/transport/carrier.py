"""What both transports share: their bounds in time and size, and that each call has a copy of its own.

Sends nothing itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from mm7zeep import schema
from mm7zeep.credentials import Credentials, endpoint
from mm7zeep.errors import LocalError
from mm7zeep.transport.answers import Intake
from mm7zeep.transport.calls import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: ``connect`` to open a connection, ``read`` without a byte arriving, ``reply`` for the whole answer.

    ``reply`` counts from when the request has gone out, and is kept once the head of the answer is there. ``connect``
    is also the time that 64 KiB of the request may take to leave (with httpx: ``read``).
    """

    connect: float = 10.0
    read: float = 30.0
    reply: float = 60.0

    def __post_init__(self) -> None:
        for name in ("connect", "read", "reply"):
            value = getattr(self, name)
            if not is_seconds(value) or value == 0:
                raise LocalError(f"Timeouts.{name} is a number of seconds above 0, not {value!r}")


def is_seconds(value: object) -> bool:
    """Whether ``value`` is a number of seconds that can be waited, 0 included."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


TIMEOUTS = Timeouts()
_LONGEST = 1_000_000  # seconds, eleven days: beyond that, the clocks of some systems end


class Carrier:
    """A transport that is bound to one call at a time, by a copy of it."""

    timeouts: Timeouts
    max_reply: int
    call: Call | None
    credentials: Credentials | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __copy__(self) -> Self:
        clone = object.__new__(type(self))
        clone.__dict__.update(self.__dict__)
        return clone

    def bound(self, call: Call) -> Self:
        """The same transport for one call."""
        clone = self.__copy__()
        clone.call = call
        return clone

    def _begin(self, call: Call, address: str) -> None:
        """Note where ``call`` goes. Raises ``LocalError`` for an address that cannot be used."""
        call.address, call.proxy = endpoint(address), self._proxy_for(address)

    def _proxy_for(self, address: str) -> str | None:
        """The URL of the proxy on the way to ``address``."""
        raise NotImplementedError

    def _intake(self, call: Call, status: int, fields: Iterable[tuple[str, str]]) -> Intake:
        return Intake(
            call, status, fields, most=self.max_reply, reply=self.timeouts.reply, credentials=self.credentials
        )


def bounds(timeouts: Timeouts) -> Timeouts:
    """``timeouts`` as they are. Raises ``LocalError`` for what is none: a bare number does not say which it is."""
    if not isinstance(timeouts, Timeouts):
        raise LocalError(f"timeouts is a Timeouts, such as Timeouts(read=30.0), not {type(timeouts).__name__}")
    for name in ("connect", "read", "reply"):
        value = getattr(timeouts, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _LONGEST:
            raise LocalError(f"timeouts.{name} is a number of seconds above 0 and up to {_LONGEST}, not {value!a}")
    return timeouts


def reply_limit(octets: int) -> int:
    """``max_reply`` as it is. Raises ``LocalError`` for what is no number of octets."""
    if isinstance(octets, bool) or not isinstance(octets, int) or octets < 1:
        raise LocalError(f"max_reply is a number of octets above 0, not {octets!a}")
    return octets


def own_schema(url: str) -> bytes | None:
    """A schema or WSDL of the package; None for any other URL."""
    try:
        return schema.load(url)
    except ValueError:
        return None
