"""ASGI applications on sockets of this process: in a thread, or inside a running loop.

``serve_in_thread`` is for the demo and for tests, ``Listener`` for a gateway's process. What a connection may cost,
``protocol`` keeps; authentication is the application's. Refuses a certificate or key that cannot be used.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, cast

import uvicorn

from mm7zeep.gateway.server import tls
from mm7zeep.gateway.server.connections import Slot, Slots
from mm7zeep.gateway.server.http_head import EDGE, ConnectionLimits
from mm7zeep.gateway.server.http_protocol import Protocol

_LOG = logging.getLogger("mm7zeep.gateway")
_START = 10.0  # seconds that a server may take to come up
_STOP = 10.0  # seconds that requests in flight may take to end
_TURN = 0.001  # seconds after a connection in which other processes may take the next
_REST = 1.0  # seconds after one that could not be accepted
_LOOK = 0.02  # seconds between two looks whether a connection is left
_BACKLOG = 500  # connections that may wait to be accepted


def bound(host: str, port: int, *, backlog: int = _BACKLOG) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises ``OSError`` if the address is taken or is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=backlog)
    # accepted sockets inherit it; asyncio sets it only on those that were made for TCP by name. Without it an answer in
    # two pieces waits for the client's delayed acknowledgement, 40 ms
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


@contextmanager
def serve_in_thread(
    asgi_app: Any, host: str = "127.0.0.1", port: int = 0, *, edge: ConnectionLimits = EDGE
) -> Iterator[str]:
    """Serve ``asgi_app`` while the context lasts; gives the base URL, without a final slash.

    ``port`` 0 takes a free one. Leaving waits up to 10 s for requests in flight. Raises ``OSError`` if the address is
    taken, ``RuntimeError`` if the application does not start.
    """
    with closing(bound(host, port)) as listener:
        server = _Server(_config(asgi_app, edge, _STOP), edge)
        thread = threading.Thread(target=server.run, args=([listener],), name="mm7zeep-serving", daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            shown = f"[{host}]" if ":" in host else host
            yield f"http://{shown}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_STOP)
            if thread.is_alive():
                server.force_exit = True
                thread.join(_STOP)


class Listener:
    """An ASGI application on a bound socket, inside the running loop; signals are left alone, lifespan is not spoken.

    With ``cert`` and ``key`` (PEM files) it speaks TLS. ``drain`` are the seconds that requests in flight may take once
    ``stop`` was called. ``shared`` says that other processes accept on the same socket: connections that come together
    are then shared out among them. Raises ``ValueError`` for a certificate and key that cannot be used.
    """

    def __init__(
        self,
        asgi_app: Any,
        listening: socket.socket,
        *,
        edge: ConnectionLimits = EDGE,
        cert: str | None = None,
        key: str | None = None,
        drain: float = 30.0,
        shared: bool = False,
    ) -> None:
        self._last_answers = _LastAnswers(asgi_app)
        config = _config(self._last_answers, edge, drain, lifespan="off", ssl_certfile=cert, ssl_keyfile=key)
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            raise ValueError(
                f"the certificate {cert} and key {key} cannot be used ({error}); name PEM files of one pair"
            ) from error
        self._server = _Server(config, edge, shared=shared)
        self._socket = listening
        self._running: asyncio.Task[None] | None = None

    @property
    def connections(self) -> int:
        """How many connections are open, from when they were accepted."""
        return len(self._server.slots)

    async def start(self) -> None:
        """Begin to accept; returns when connections are accepted. Raises what keeps the server from starting."""
        self._running = asyncio.get_running_loop().create_task(self._server.serve([self._socket]))
        waiting = asyncio.create_task(self._server.accepting.wait())
        await asyncio.wait((self._running, waiting), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            await self._running
            raise RuntimeError("the application did not start; its log tells why")

    async def wait(self) -> None:
        """Returns when the listener has stopped. Raises what ended it."""
        if self._running is not None:
            await asyncio.shield(self._running)

    async def retire(self, patience: float) -> None:
        """Accept no more, and end each connection with its next answer; wait ``patience`` seconds at most for that.

        A client that keeps its connection finds no end of it between two requests, where it could not know whether the
        second was taken. ``stop`` is still to be called.
        """
        self._last_answers.last = True
        until = time.monotonic() + patience
        self._server.accept_no_more()
        while self.connections and time.monotonic() < until:  # noqa: ASYNC110  uvicorn counts them, and tells nobody
            await asyncio.sleep(_LOOK)

    async def stop(self) -> None:
        """Accept no more (the socket is closed), let requests in flight finish for ``drain`` seconds, then end them."""
        self._server.leave()
        await self.wait()

    def abort(self) -> None:
        """Do not wait for requests in flight any longer."""
        self._server.force_exit = True
        self._server.leave()
        self._server.abort()


class _LastAnswers:
    """An ASGI application whose answers end their connections, once ``last`` is set."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.last = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if self.last and message["type"] == "http.response.start":
                kept = [one for one in message["headers"] if one[0].lower() != b"connection"]
                message = {**message, "headers": [*kept, (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, sending)


class _Server(uvicorn.Server):
    """uvicorn's, without its signal handlers, and at once in starting and ending."""

    def __init__(self, config: uvicorn.Config, edge: ConnectionLimits, *, shared: bool = False) -> None:
        super().__init__(config)
        self._edge = edge
        self._shared = shared
        self.slots = Slots(edge.connections, edge.per_address, exempt=edge.exempt)
        self.accepting = asyncio.Event()
        self._leaving = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            self.should_exit = True  # without having started
            return
        config = self.config

        def make(slot: Slot) -> asyncio.BaseProtocol:
            protocol: asyncio.BaseProtocol = cast(Any, config.http_protocol_class)(
                config=config, server_state=self.server_state, app_state=self.lifespan.state, slot=slot
            )
            return protocol

        self.servers = [
            cast(
                asyncio.Server,
                _Acceptor(one, make, self.slots, self._edge, secure=config.ssl, shared=self._shared),
            )
            for one in sockets or ()
        ]
        self.started = True
        self.accepting.set()

    def accept_no_more(self) -> None:
        """Accept no further connection; those that are open go on."""
        for one in self.servers:
            cast(_Acceptor, one).retire()

    def leave(self) -> None:
        """End, from within the loop, without waiting for the next tick."""
        self.should_exit = True
        self._leaving.set()

    def abort(self) -> None:
        """Break off every connection."""
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        self.abort()  # what did not end in time

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864000
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), 0.1)


class _Acceptor:
    """Accepts on one socket, and counts each connection from then on, before TLS is spoken.

    asyncio's own server knows nothing of a connection during its handshake, and accepts what there is, so that the
    first of several processes to wake up would get all the connections of a client, and keep them: where the socket is
    ``shared``, the next connection is left to the others for a moment.
    """

    def __init__(
        self,
        listening: socket.socket,
        make: Callable[[Slot], asyncio.BaseProtocol],
        slots: Slots,
        edge: ConnectionLimits,
        *,
        secure: ssl.SSLContext | None,
        shared: bool,
    ) -> None:
        self._socket = listening
        self._make = make
        self._slots = slots
        self._edge = edge
        self._secure = secure
        self._pause = _TURN if shared else 0.0  # 0 lets everything else have its turn
        self._opening: set[asyncio.Task[None]] = set()
        self._fd = listening.fileno()
        listening.setblocking(False)
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    async def _accept(self) -> None:
        while True:
            try:
                connection, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError):
                await self._readable()
                continue
            except OSError as error:  # as asyncio: no file or memory is left for a moment, or the client is gone
                _seldom(logging.ERROR, "a connection could not be accepted: %s", error.strerror)
                await asyncio.sleep(_REST)
                continue
            connection.setblocking(False)
            if self._edge.descriptors is not None and connection.fileno() >= self._edge.descriptors:
                connection.close()
                _seldom(logging.ERROR, "no connection is accepted for a moment: too many files are open")
                await asyncio.sleep(_REST)
                continue
            self._take(connection, peer)
            await asyncio.sleep(self._pause)

    async def _readable(self) -> None:
        """Returns when a connection can be accepted. ``sock_accept`` would lose one that comes as it is cancelled."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            if not ready.done():
                ready.set_result(None)

        loop.add_reader(self._fd, wake)
        await ready
        loop.remove_reader(self._fd)

    def _take(self, connection: socket.socket, peer: tuple[Any, ...]) -> None:
        """Find it a place; where there is none, it is told so, but not over TLS, where telling is dear."""
        slot = self._slots.take(peer[0] if peer else None)
        if slot.refused:
            _seldom(logging.WARNING, "a connection was refused: there are too many")
            if self._secure is not None:
                slot.release()
                connection.close()
                self._edge.refused(503)
                return
        opening = asyncio.get_running_loop().create_task(self._open(connection, slot))
        self._opening.add(opening)
        opening.add_done_callback(partial(self._opened, connection, slot))
        slot.end = slot.cut = opening.cancel

    async def _open(self, connection: socket.socket, slot: Slot) -> None:
        waits = tls.Waits(handshake=self._edge.handshake, shutdown=self._edge.drain)
        await tls.open_connection(connection, lambda: self._make(slot), self._secure, waits)

    def _opened(self, connection: socket.socket, slot: Slot, opening: asyncio.Task[None]) -> None:
        """Give the place back where a TLS handshake failed, took too long, or had to go."""
        self._opening.discard(opening)
        error = None if opening.cancelled() else opening.exception()
        if not opening.cancelled() and error is None:
            return  # from now on the protocol has both
        slot.release()
        connection.close()
        if error is not None and not isinstance(error, OSError):
            _LOG.error("a connection could not be opened", exc_info=error)

    def retire(self) -> None:
        """Accept no more; those that are being opened are."""
        self._accepting.cancel()
        asyncio.get_running_loop().remove_reader(self._fd)  # now: when the task ends, the number may be another file's

    def close(self) -> None:
        """Accept no more, and open none of those that were accepted."""
        self.retire()
        for opening in tuple(self._opening):
            opening.cancel()

    async def wait_closed(self) -> None:
        """Returns when nothing is accepted any more."""
        await asyncio.gather(self._accepting, *self._opening, return_exceptions=True)


def _seldom(level: int, text: str, *arguments: object) -> None:
    """Log what a client can bring about as often as it likes: ``logs`` writes one line of a kind and second."""
    _LOG.log(level, text, *arguments, extra={"seldom": text})


def _config(asgi_app: Any, edge: ConnectionLimits, drain: float, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        asgi_app,
        interface="asgi3",
        http=cast(Any, partial(Protocol, edge=edge)),
        ws="none",
        loop="asyncio",
        access_log=False,
        log_config=None,
        proxy_headers=False,  # uvicorn would believe X-Forwarded-For from loopback
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=cast(int, drain),  # any seconds: asyncio waits for them
        **more,
    )


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    pause = threading.Event()
    waited = 0.0
    while not server.started:
        if not thread.is_alive() or waited > _START:
            raise RuntimeError("the server did not start; its log tells why")
        pause.wait(0.005)
        waited += 0.005
