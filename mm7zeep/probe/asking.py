"""What requests are sent with: the ``Bench`` that all cases of a run share, and a ``Line`` of one case."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult

from mm7zeep.probe.assertion import Exchange
from mm7zeep.probe.listener import Listener
from mm7zeep.probe.reading import Said
from mm7zeep.probe.settings import Settings
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.probe.wire import Answer, Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all cases of a run share. ``opens`` makes a connection; ``dry`` tells that nothing is really sent."""

    settings: Settings
    opens: Callable[[SplitResult, float, ssl.SSLContext | None], Connection]
    listener: Listener | None = None
    context: ssl.SSLContext | None = None
    dry: bool = False
    began: float = field(default_factory=time.monotonic)
    transactions: set[str] = field(default_factory=set)
    exchanges: list[tuple[str, Exchange]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Line:
    """A connection of a case to ``place``; ``heard`` keeps what is sent and read on it."""

    def __init__(self, connection: Connection, place: SplitResult, heard: Callable[[Stimulus, Answer], Said]) -> None:
        self.connection, self._place, self._heard = connection, place, heard

    def ask(self, stimulus: Stimulus, *, timeout: float | None = None) -> Said:
        """Send a request in one piece, and what is said to it."""
        self.connection.send(stimulus.octets(self._place))
        return self.said_to(stimulus, timeout=timeout)

    def ask_chunked(self, stimulus: Stimulus, sizes: Sequence[int]) -> Said:
        """Send its body in chunks of these sizes, the last again and again (RFC 9112 7.1)."""
        body, at, turn = stimulus.body(), 0, 0
        octets = bytearray(stimulus.head(self._place, "Transfer-Encoding: chunked"))
        while at < len(body):
            size = max(1, sizes[min(turn, len(sizes) - 1)])
            piece = body[at : at + size]
            octets += f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
            at, turn = at + size, turn + 1
        self.connection.send(bytes(octets + b"0\r\n\r\n"))
        return self.said_to(stimulus)

    def send(self, octets: bytes) -> bool:
        """Write octets; False where the peer takes no more."""
        return self.connection.send(octets)

    def said_to(self, stimulus: Stimulus, *, timeout: float | None = None) -> Said:
        """The next answer, as that to ``stimulus``, whose octets were sent."""
        method = (stimulus.line or "POST").partition(" ")[0]
        return self._heard(stimulus, self.connection.read(timeout, method))
