"""Connections of urllib3 that carry one exchange at a time and end with it, unless its answer was judged to be ours.

On top of urllib3: the answer is read through ``Inbound``; it is looked for while the request is still going out; every
wait ends with the time of the whole exchange; and a connection is used again only where ``done`` said that it may be
kept, and if nothing came since.
"""

from __future__ import annotations

import email.parser
import errno
import functools
import http.client
import io
import socket
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import requests.adapters
import urllib3
import urllib3.connection
import urllib3.exceptions
from urllib3.util.wait import wait_for_socket

from mm7zeep.transport import dialing
from mm7zeep.transport.clocks import Clock
from mm7zeep.transport.failures import Refused
from mm7zeep.transport.inbound import Inbound

_PIECE = 65536
_BROKEN = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
_NOTHING = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)  # from a socket that does not wait


class Answered(BrokenPipeError):
    """Nothing more of the request is sent, since the far side reads no more; urllib3 reads the answer then."""


class _Raw(io.RawIOBase):
    """What http.client reads from: the octets of one answer and no more."""

    def __init__(self, sock: socket.socket, clock: Clock, inbound: Inbound | None) -> None:
        self._file = sock.makefile("rb", buffering=0)  # keeps the socket open after its owner
        self._socket = sock
        self._clock = clock
        self._inbound = inbound

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        if self._inbound is None:
            self._socket.settimeout(self._clock.left())
            return self._file.readinto(view) or 0
        while not (taken := self._inbound.take(len(view))):
            if self._inbound.ended or self._inbound.eof:
                return 0
            self.pull(self._inbound)
        view[: len(taken)] = taken
        return len(taken)

    def pull(self, inbound: Inbound) -> None:
        """Wait for more of the answer."""
        left = self._clock.left()
        self._socket.settimeout(left)
        try:
            inbound.feed(self._file.read(_PIECE) or b"")
        except TimeoutError:
            self._clock.left()  # says so where it was the whole exchange that ended
            raise

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


class Answer(http.client.HTTPResponse):
    """An answer read through ``Inbound``, whose bounds hold instead of those of http.client."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        *,
        clock: Clock,
        inbound: Inbound | None = None,  # what answers a CONNECT is urllib3's to judge
    ) -> None:
        super().__init__(sock, debuglevel, method)
        self.fp.close()
        self._inbound = inbound
        self._raw = _Raw(sock, clock, inbound)
        self.fp = io.BufferedReader(self._raw, _PIECE)

    def begin(self) -> None:
        if self.headers is not None or self._inbound is None:
            return super().begin()
        while self._inbound.head is None:
            if self._inbound.eof:
                raise http.client.RemoteDisconnected("Remote end closed connection without response")
            self._raw.pull(self._inbound)
        head = self._inbound.head
        self._inbound.take(len(head.octets))
        fields = head.octets.partition(b"\n")[2]
        self.code = self.status = head.status
        self.reason, self.version = "", 11
        parser = email.parser.Parser(_class=http.client.HTTPMessage)
        self.headers = self.msg = parser.parsestr(fields.decode("latin-1"))
        self.chunked = bool(head.values(b"transfer-encoding"))
        self.chunk_left = None
        lengths = head.values(b"content-length")
        self.length = int(lengths[0]) if lengths else None
        if head.status in (204, 304):
            self.length = 0
        self.will_close = head.closes or (self.length is None and not self.chunked)


class JudgedConnection:
    """What our connections add to those of urllib3, http and https."""

    sock: Any
    timeout: Any
    response_class: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._inbound: Inbound | None = None  # while there is an exchange
        self._held = self._kept = False
        self._put: Callable[[Any], None] | None = None
        super().__init__(*args, **kwargs)

    def connect(self) -> None:
        """Open the connection; what a proxy answers to a CONNECT has the time of the exchange, too."""
        self.response_class = functools.partial(Answer, clock=Clock(self.timeout))
        try:
            super().connect()  # type: ignore[misc]
        finally:
            del self.response_class

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Begin a new exchange."""
        self._inbound, self._kept = Inbound(), False
        super().request(*args, **kwargs)  # type: ignore[misc]

    def send(self, data: Any) -> None:
        """Send ``data`` as long as the far side reads on; looks for its answer meanwhile."""
        if self.sock is None:
            self.connect()
        if self._inbound is None or not isinstance(data, bytes) or not isinstance(self.sock, socket.socket):
            self.sock.settimeout(Clock(self.timeout).left())  # a CONNECT, or TLS within TLS
            return super().send(data)  # type: ignore[misc, no-any-return]
        sys.audit("http.client.send", self, data)
        self._send(memoryview(data), self.sock, self._inbound)

    def _send(self, view: memoryview, sock: socket.socket, inbound: Inbound) -> None:
        started, clock = time.monotonic(), Clock(self.timeout)
        sock.settimeout(0)
        while True:
            self._listen(sock, inbound)
            try:
                view = view[sock.send(view) :]
            except _NOTHING:
                pass
            except _BROKEN as error:
                raise Answered(errno.EPIPE, "the connection broke while the request went out") from error
            if not view:
                return
            left = clock.left()
            if self.timeout is not None and left is not None:
                left = min(left, started + float(self.timeout) - time.monotonic())
            if left is not None and left <= 0:
                if inbound.head is not None:
                    raise Answered(errno.EPIPE, "the far side answered and reads no more")
                raise TimeoutError("the far side reads no more")
            wait_for_socket(sock, read=not inbound.full, write=True, timeout=left)

    @staticmethod
    def _listen(sock: socket.socket, inbound: Inbound) -> None:
        """Take in what came so far; a reset that follows an answer cannot take it from us then."""
        while not inbound.full:
            try:
                data = sock.recv(_PIECE)
            except _NOTHING:
                break
            except _BROKEN as error:
                raise Answered(errno.EPIPE, "the connection broke while the request went out") from error
            inbound.feed(data)
            if not data:
                break
        if inbound.unwilling:
            raise Answered(errno.EPIPE, "the far side reads no more of the request")

    def getresponse(self) -> Any:
        """The answer, as soon as its head is there."""
        self.response_class = functools.partial(Answer, clock=Clock(self.timeout), inbound=self._inbound or Inbound())
        try:
            return super().getresponse()  # type: ignore[misc]
        finally:
            del self.response_class

    def hold(self) -> None:
        """Keep the connection from going back to its pool until ``done``: urllib3 gives it back with the last octet."""
        self._held = True

    def done(self, *, keep: bool) -> None:
        """The exchange is over and was judged: close the connection, or ``keep`` it if nothing came behind."""
        self._held = False
        complete = self._inbound is not None and self._inbound.ended
        self._kept = keep and complete and self.sock is not None and self._quiet()
        if not self._kept:
            self.close()
        if self._put is not None:
            self._put(self)
            self._put = None

    def give_back(self, put: Callable[[Any], None]) -> None:
        """Into the pool by ``put``: closed, unless it may be used again."""
        if self._held:
            self._put = put
            return
        if not self._kept:
            self.close()
        put(self)

    @property
    def is_connected(self) -> bool:
        """Whether the connection may carry another exchange; the pool asks before it gives the connection out."""
        return self._kept and self.sock is not None and self._quiet()

    def _quiet(self) -> bool:
        """Whether nothing came that nobody asked for. TLS has records of its own, which say nothing."""
        if self._inbound is None or self._inbound.surplus:
            return False
        try:
            self.sock.settimeout(0)
            self.sock.recv(1)
        except _NOTHING:
            return True
        except OSError:
            return False
        return False  # an octet, or the end

    def close(self) -> None:
        """End the exchange and the connection."""
        self._inbound, self._kept = None, False
        super().close()  # type: ignore[misc]

    def _new_conn(self) -> socket.socket:
        return connect(cast(urllib3.connection.HTTPConnection, self), resolved)


class PlainConnection(JudgedConnection, urllib3.connection.HTTPConnection):
    """http."""


class SecureConnection(JudgedConnection, urllib3.connection.HTTPSConnection):
    """https."""


def resolved(host: str, port: int) -> list[dialing.Target]:
    """Where ``host`` can be reached, in the resolver's order. Raises ``OSError``."""
    found = socket.getaddrinfo(host, port, socket.AF_UNSPEC, socket.SOCK_STREAM)
    return [dialing.Target(family, kind, protocol, place) for family, kind, protocol, _, place in found]


def connect(
    connection: urllib3.connection.HTTPConnection,
    resolve: Callable[[str, int], Sequence[dialing.Target]],
    dial: dialing.Dial = dialing.dial,
) -> socket.socket:
    """A socket for ``connection``; its failures are those of urllib3.

    Its timeout is for all addresses together; resolving has the time that the resolver takes.
    """
    clock = Clock(connection.timeout)
    try:
        targets = resolve(connection._dns_host.strip("[]"), connection.port)
        opened = dialing.first(targets, clock.left(), connection.socket_options or (), dial)
    except Refused:
        raise
    except UnicodeError as error:
        raise urllib3.exceptions.LocationParseError("label empty or too long") from error
    except socket.gaierror as error:
        raise urllib3.exceptions.NameResolutionError(connection.host, connection, error) from error
    except TimeoutError as error:
        raise urllib3.exceptions.ConnectTimeoutError(connection, "timed out") from error
    except OSError as error:
        raise urllib3.exceptions.NewConnectionError(connection, "no connection") from error
    opened.settimeout(clock.left())  # what is left to do, such as TLS, has its own time, as in urllib3
    sys.audit("http.client.connect", connection, connection.host, connection.port)
    return opened


class JudgedAdapter(requests.adapters.HTTPAdapter):
    """An adapter of such connections; keeps up to ``size`` to one server."""

    def __init__(self, size: int = 32) -> None:
        super().__init__(pool_maxsize=size)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools()

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if isinstance(manager, urllib3.ProxyManager) and not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = self.pools()
        return manager

    def pools(self) -> dict[str, type[urllib3.HTTPConnectionPool]]:
        """The pools of urllib3 by scheme, with connections of ours."""
        return {"http": PlainPool, "https": SecurePool}


class JudgedPool:
    """What our pools add to those of urllib3: nothing that was not judged goes into them open."""

    def _put_conn(self, conn: Any) -> None:
        put = super()._put_conn  # type: ignore[misc]
        if isinstance(conn, JudgedConnection):
            conn.give_back(put)
        else:
            put(conn)


class PlainPool(JudgedPool, urllib3.HTTPConnectionPool):
    """http."""

    ConnectionCls = PlainConnection


class SecurePool(JudgedPool, urllib3.HTTPSConnectionPool):
    """https."""

    ConnectionCls = SecureConnection
