"""TLS over an accepted connection with small buffers.

asyncio's own takes a buffer of 256 KiB for each connection, and holds as many octets again while reading is paused:
400 idle ones would cost 200 MiB.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from typing import Any, NamedTuple, cast

_READ = 16 * 1024 + 512  # octets of one read: a TLS record of full size with its overhead (RFC 8446 5.2)


class Waits(NamedTuple):
    """Seconds that a handshake, and the end of a connection, may take."""

    handshake: float
    shutdown: float


class _Protocol(SSLProtocol):
    """asyncio's, with a smaller buffer."""

    max_size = _READ

    def limit(self) -> None:
        """Hold no more than one read while reading is paused; the transport can be told only after the handshake."""
        cast(Any, self)._set_read_buffer_limits(_READ)


async def open_connection(
    connection: socket.socket, make: Callable[[], asyncio.BaseProtocol], context: ssl.SSLContext | None, waits: Waits
) -> None:
    """Have the protocol that ``make`` gives speak over ``connection``; returns when a handshake is done.

    Where ``context`` is None, no TLS is spoken. Raises ``OSError`` (``ssl.SSLError``, ``ConnectionError``) where the
    handshake fails or takes too long; the connection is closed then.
    """
    loop = asyncio.get_running_loop()
    if context is None:
        await loop.connect_accepted_socket(make, connection)
        return
    done = loop.create_future()
    protocol = _Protocol(
        loop,
        make(),
        context,
        done,
        server_side=True,
        ssl_handshake_timeout=cast(int, waits.handshake),
        ssl_shutdown_timeout=waits.shutdown,
    )
    protocol.limit()
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection)
    try:
        await done
    except BaseException:
        with contextlib.suppress(OSError):
            transport.close()
        raise
