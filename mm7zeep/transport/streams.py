"""Connections of httpcore that carry one exchange at a time and end with it, unless its answer was judged to be ours.

A backend for httpcore over sockets of our own (anyio waits for them): the answer is read through ``Inbound``; it is
looked for while the request is still going out; and the pool finds a connection unusable unless ``keep`` was called for
its last exchange and nothing came since. Needs the extra ``async``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, cast

import anyio
import anyio.lowlevel
import httpcore
import httpx

from mm7zeep.transport.inbound import Inbound
from mm7zeep.transport.layers import Layer, Plain, Tls

_PIECE = 65536
_CONNECTIONS, _KEPT, _IDLE = 100, 20, 5.0  # of one client: at most, idle ones, and their seconds; httpx's own defaults


FIELDS = "mm7zeep.fields"
"""The extension of an httpx answer under which all fields of its head are, as octets."""


class Stream(httpcore.AsyncNetworkStream):
    """One connection, as httpcore reads and writes it."""

    def __init__(self, sock: socket.socket, layer: Layer) -> None:
        self._socket = sock
        self._layer = layer
        self._inbound = Inbound()
        self._answering = False  # the request was sent, as far as it went
        self._kept = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's interface
        """Octets of the answer, waited for ``timeout`` seconds; none at its end.

        Raises ``Unreadable`` and the exceptions of httpcore.
        """
        self._answering = True
        with _within(timeout, httpcore.ReadTimeout, httpcore.ReadError):
            while not (taken := self._inbound.take(max_bytes)) and not (self._inbound.ended or self._inbound.eof):
                came = self._layer.pull()
                if came is None:
                    await self._ready(write=self._layer.unsent)
                    self._layer.flush()
                else:
                    self._inbound.feed(came)
        return taken

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's interface
        """Send a piece of the request; the first one after an answer begins another exchange.

        Raises ``httpcore.WriteError`` where the far side reads no more, upon which httpcore reads the answer.
        """
        if self._answering:
            self._inbound, self._answering, self._kept = Inbound(), False, False
        view = memoryview(buffer)
        for at in range(0, len(view), _PIECE):
            with _within(None, httpcore.WriteTimeout, httpcore.WriteError), anyio.move_on_after(timeout) as scope:
                self._listen()
                self._layer.push(view[at : at + _PIECE])
                while self._layer.unsent:
                    await self._ready(read=not self._inbound.full, write=True)
                    self._listen()
                    self._layer.flush()
                await anyio.lowlevel.checkpoint()
            if scope.cancelled_caught:
                if self._inbound.head is None:
                    raise httpcore.WriteTimeout
                raise httpcore.WriteError("the far side answered and reads no more")

    def _listen(self) -> None:
        """Take in what came so far; a reset that follows an answer cannot take it from us then."""
        while not self._inbound.full and not self._inbound.eof:
            try:
                came = self._layer.pull()
            except ssl.SSLError as error:  # an alert, which is raised once
                raise httpcore.ReadError(str(error)) from error
            if came is None:
                break
            self._inbound.feed(came)
        if self._inbound.unwilling:
            raise httpcore.WriteError("the far side reads no more of the request")

    async def _ready(self, *, read: bool = True, write: bool = False) -> None:
        """Wait until the socket can be read from or, where asked for, written to."""
        if not write:
            await anyio.wait_readable(self._socket)
            return
        async with anyio.create_task_group() as group:

            async def wait(what: Callable[[socket.socket], Any]) -> None:
                await what(self._socket)
                group.cancel_scope.cancel()

            group.start_soon(wait, anyio.wait_writable)
            if read:
                group.start_soon(wait, anyio.wait_readable)

    def keep(self) -> None:
        """Allow another exchange after this one, whose answer was judged to be ours."""
        self._kept = True

    def _usable(self) -> bool:
        """Whether the connection may carry another exchange: nothing came that nobody asked for, nor the end."""
        if not self._kept or not self._inbound.ended or self._inbound.surplus or self._socket.fileno() < 0:
            return False
        try:
            self._kept = self._layer.pull() is None
        except OSError:
            self._kept = False
        return self._kept

    async def aclose(self) -> None:
        self._socket.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
    ) -> httpcore.AsyncNetworkStream:
        """The same connection with TLS on it."""
        tls = Tls(self._layer, ssl_context, server_hostname)
        try:
            with _within(timeout, httpcore.ConnectTimeout, httpcore.ConnectError):
                while not tls.shake_hands():
                    await self._ready(write=tls.unsent)
                    tls.flush()
        except BaseException:
            self._socket.close()
            raise
        return Stream(self._socket, tls)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # what httpcore asks an idle connection; it closes one that is
            return not self._usable()
        if info == "ssl_object":
            return getattr(self._layer, "object", None)
        if info == "client_addr":
            return self._socket.getsockname()
        if info == "server_addr":
            return self._socket.getpeername()
        return self._socket if info == "socket" else None


@contextlib.contextmanager
def _within(timeout: float | None, late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    """What goes wrong, in the words of httpcore."""
    try:
        with anyio.fail_after(timeout):
            yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except (ConnectionError, ssl.SSLError, anyio.ClosedResourceError) as error:
        raise broken(str(error)) from error


class Backend(httpcore.AsyncNetworkBackend):
    """Opens connections, and reads and writes them by ``Stream``."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            with anyio.fail_after(timeout):
                sock = await _connected(host, port, local_address)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        for option in socket_options or ():
            sock.setsockopt(*option)
        return Stream(sock, Plain(sock))

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


async def _connected(host: str, port: int, local_address: str | None) -> socket.socket:
    """A socket to ``host``, which does not wait; its addresses are tried one after the other. Raises ``OSError``."""
    failure: OSError = OSError(errno.EADDRNOTAVAIL, "the host has no address")
    for family, kind, protocol, _, place in await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            if local_address is not None:
                sock.bind((local_address, 0))
            begun = sock.connect_ex(place)
            if begun in (errno.EINPROGRESS, errno.EWOULDBLOCK):
                await anyio.wait_writable(sock)
                begun = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not begun:
                return sock
            failure = OSError(begun, os.strerror(begun))
        except OSError as error:
            failure = error
        except BaseException:
            sock.close()
            raise
        sock.close()
    raise failure


class StreamTransport(httpx.AsyncBaseTransport):
    """httpx over httpcore with that backend; leaves the exceptions of httpcore as they are."""

    def __init__(self, context: ssl.SSLContext, proxy: str | None) -> None:
        options: dict[str, Any] = {
            "ssl_context": context,
            "max_connections": _CONNECTIONS,
            "max_keepalive_connections": _KEPT,
            "keepalive_expiry": _IDLE,
            "network_backend": Backend(),
        }
        self._pool = httpcore.AsyncConnectionPool(**options) if proxy is None else _proxied(httpx.Proxy(proxy), options)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=_url(request.url),
                headers=request.headers.raw,
                content=cast(httpx.AsyncByteStream, request.stream),
                extensions=request.extensions,
            )
        )
        # httpx would read a Location, only to say where it would have gone, and fail at one that is no URL
        seen = [one for one in answer.headers if one[0].lower() != b"location"]
        extensions = {**answer.extensions, FIELDS: answer.headers}
        return httpx.Response(answer.status, headers=seen, stream=_Content(answer), extensions=extensions)

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Content(httpx.AsyncByteStream):
    """The content of an answer."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.aiter_stream():  # gives nothing back at its end: that is for aclose
            yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


def _url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _proxied(proxy: httpx.Proxy, options: dict[str, Any]) -> httpcore.AsyncConnectionPool:
    if proxy.url.scheme.startswith("socks"):
        return httpcore.AsyncSOCKSProxy(_url(proxy.url), proxy_auth=proxy.raw_auth, **options)
    return httpcore.AsyncHTTPProxy(
        _url(proxy.url),
        proxy_auth=proxy.raw_auth,
        proxy_headers=proxy.headers.raw,
        proxy_ssl_context=proxy.ssl_context,
        **options,
    )


FAILURES = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
    httpcore.ConnectionNotAvailable,
)
"""What httpcore raises; it has no base of its own."""
