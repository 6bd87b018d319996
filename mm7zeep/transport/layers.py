"""TCP and TLS under an event loop: octets in and out, as far as they go without waiting.

An error in sending leaves what came readable, which transports of an event loop throw away. Waits for nothing.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

_PIECE = 65536


class Layer(Protocol):
    """Octets in and out without waiting. What is not sent yet is ``unsent``."""

    @property
    def unsent(self) -> bool: ...

    def pull(self) -> bytes | None:
        """What came: None for nothing yet, no octets for the end. Raises ``OSError``."""

    def push(self, data: bytes | memoryview) -> None:
        """Send ``data``, or keep it to be flushed. Raises ``OSError``."""

    def flush(self) -> None:
        """Send what is kept, as far as it goes. Raises ``OSError``."""


class Plain:
    """TCP."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._out = memoryview(b"")

    @property
    def unsent(self) -> bool:
        return len(self._out) > 0

    def pull(self) -> bytes | None:
        try:
            return self._socket.recv(_PIECE)
        except BlockingIOError:
            return None

    def push(self, data: bytes | memoryview) -> None:
        self._out = memoryview(bytes(self._out) + data) if self._out else memoryview(data)
        self.flush()

    def flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._out:
                self._out = self._out[self._socket.send(self._out) :]


class Tls:
    """TLS over a layer, which may be TLS itself (a proxy's)."""

    def __init__(self, lower: Layer, context: ssl.SSLContext, host: str | None) -> None:
        self._lower = lower
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._in, self._out, server_hostname=host)

    @property
    def unsent(self) -> bool:
        return self._lower.unsent

    def shake_hands(self) -> bool:
        """Go on with the handshake; whether it is complete."""
        return self._do(self._handshake) is not None

    def _handshake(self) -> bytes:
        self.object.do_handshake()
        return b""

    def pull(self) -> bytes | None:
        try:
            return self._do(lambda: self.object.read(_PIECE))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def push(self, data: bytes | memoryview) -> None:
        self.object.write(data)
        self._lower.push(self._out.read())

    def flush(self) -> None:
        self._lower.flush()

    def _do(self, step: Callable[[], bytes]) -> bytes | None:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                came = self._lower.pull()
                if came is None:
                    return None
                if came:
                    self._in.write(came)
                else:
                    self._in.write_eof()
            finally:
                if self._out.pending:
                    self._lower.push(self._out.read())
