"""What both transports share: their bounds in time and size, and that each exchange has a copy of its own.

Sends nothing itself.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Self

from mm7zeep import schema
from mm7zeep.credentials import Credentials, endpoint
from mm7zeep.errors import LocalError, TransportError
from mm7zeep.transport.correlation import SentIds
from mm7zeep.transport.http_answer import KEPT, HttpAnswer
from mm7zeep.transport.http_exchange import HttpExchange
from mm7zeep.transport.reasons import Files

_LONGEST = 86400  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: ``connect`` to open a connection, ``read`` without a byte arriving, ``reply`` for the whole answer,
    ``total`` for the whole exchange.

    ``reply`` counts from when the request has gone out. ``total`` counts from when the call is made and holds for
    connecting, sending, the head of the answer, interim answers (1xx) and its content, a Digest challenge included; an
    attempt that is made again has its own. Only resolving a name has the time that the resolver takes (with httpx it
    counts, too). ``connect`` is also the time that a piece of the request may take to leave (with httpx: ``read``).
    ``connect`` and ``read`` are at most a day, ``reply`` and ``total`` may be ``math.inf``. Raises ``LocalError`` for
    what is no such number.
    """

    connect: float = 10.0
    read: float = 30.0
    reply: float = 60.0
    total: float = 300.0

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            endless = value == math.inf and one.name in ("reply", "total")
            if not endless and (not is_seconds(value) or value == 0):
                raise LocalError(f"Timeouts.{one.name} is a number of seconds above 0, not {value!a}")
            if value > _LONGEST and one.name in ("connect", "read"):  # which sockets are given
                raise LocalError(f"Timeouts.{one.name} is at most {_LONGEST} seconds, not {value!a}")


def is_seconds(value: object) -> bool:
    """Whether ``value`` is a number of seconds that can be waited, 0 included."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


TIMEOUTS = Timeouts()


class BoundTransport(ABC):
    """A transport that is bound to one exchange at a time, by a copy of it."""

    timeouts: Timeouts
    max_reply: int
    exchange: HttpExchange | None
    credentials: Credentials | None = None
    sent_ids: SentIds

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __copy__(self) -> Self:
        clone = object.__new__(type(self))
        clone.__dict__.update(self.__dict__)
        return clone

    def bound(self, exchange: HttpExchange) -> Self:
        """The same transport for one exchange."""
        clone = self.__copy__()
        clone.exchange = exchange
        return clone

    def _begin(self, exchange: HttpExchange, address: str) -> None:
        """Note where ``exchange`` goes. Raises ``LocalError`` for an address that cannot be used."""
        exchange.address, exchange.proxy = endpoint(address), self._proxy_for(address)
        exchange.files = self._files()

    @abstractmethod
    def _proxy_for(self, address: str) -> str | None:
        """The URL of the proxy on the way to ``address``."""

    @abstractmethod
    def _files(self) -> Files:
        """What connections are opened with."""

    def _arriving(self, exchange: HttpExchange, status: int, fields: Iterable[tuple[str, str]]) -> HttpAnswer:
        return HttpAnswer(
            exchange, status, fields, most=self.max_reply, reply=self.timeouts.reply, credentials=self.credentials
        )

    def _ours(self, exchange: HttpExchange, *, fresh: bool) -> bool:
        """Whether the answer surely is that of ``exchange``, so that its connection is in step and may carry another.

        An id that nobody sent says nothing; one of another request of this client means that the answers on this
        connection are not in step with the requests. Raises ``TransportError`` for that.
        """
        if exchange.echoed is None or exchange.transaction_id is None:
            return False
        if exchange.echoed == exchange.transaction_id.strip():
            return fresh and exchange.whole
        if self.sent_ids.knows(exchange.echoed):
            raise TransportError(
                f"the answer carries the TransactionID {exchange.echoed[:80]!r} of another request of this client, so "
                "what became of this one is unknown; the connection was closed",
                maybe_accepted=True,
                http_status=exchange.http_status,
                body=(exchange.body or b"")[:KEPT],
            )
        return False


def bounds(timeouts: Timeouts) -> Timeouts:
    """``timeouts`` as they are. Raises ``LocalError`` for what is none: a bare number does not say which it is."""
    if not isinstance(timeouts, Timeouts):
        raise LocalError(f"timeouts is a Timeouts, such as Timeouts(read=30.0), not {type(timeouts).__name__}")
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
