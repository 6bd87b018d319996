"""The tool's own end: a small HTTP server that takes what the examined side sends and answers as a case wants it.

An MMSC sends it MM7_deliver and reports, a VASP MM7_submit. Every request is kept whole while there is room for it
(``incoming.Room``); by default it is answered with 1000. A ``Script`` answers what it matches otherwise. What there is
no room for is answered 503, and ``full`` tells it. Binds to one address, and opens no connection itself.
"""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.incoming import Full, Incoming, Room
from mm7zeep.probe.replies import Reply, rsp

_IDLE = 30.0  # seconds that a connection may say nothing


_NO_ROOM = b"HTTP/1.1 503 Probe\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Script:
    """Answers the requests that ``matches``, the first ``times`` of them (None: all), by ``replies`` in turn; the last
    reply is that of all later ones.
    """

    matches: Callable[[Arrived], bool]
    replies: tuple[Reply, ...]
    used: list[int] = field(default_factory=list)


class Listener:
    """Takes requests at ``HOST:PORT`` (port 0: a free one), and keeps as many as there is ``room`` for; a context.

    Raises ``OSError`` where it cannot listen.
    """

    def __init__(self, place: str, room: Room | None = None) -> None:
        host, _, port = place.rpartition(":")
        self._room = room or Room()
        self._full: Full | None = None
        self._news = threading.Condition()
        self._arrived: list[Arrived] = []
        self._last = 0.0  # when the latest of them came
        self._scripts: list[Script] = []
        self._connections = 0
        self._open: set[socket.socket] = set()
        self._troubles: list[Exception] = []
        self._server = _server(host.strip("[]"), int(port), self._serve)
        self._thread = self._started()

    def _started(self) -> threading.Thread:
        return threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        with self._news:
            for connection in self._open:
                with suppress(OSError):  # the peer was faster
                    connection.shutdown(socket.SHUT_RDWR)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def place(self) -> str:
        """Where it listens, as a URL has it: ``HOST:PORT`` with the port that it got."""
        host = str(self._server.server_address[0])
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @property
    def trouble(self) -> Exception | None:
        """What went wrong in answering, by no fault of the peer: the first of all; None where nothing did."""
        return self._troubles[0] if self._troubles else None

    @property
    def full(self) -> Full | None:
        """That something came which is not kept, so that nobody can say that it did not come; None while all is."""
        return self._full

    @contextmanager
    def closed(self) -> Iterator[None]:
        """While the context lasts, its port takes no connections, and those that there were have ended."""
        host, port = str(self._server.server_address[0]), self.port
        self.__exit__()
        try:
            yield
        finally:
            self._server = _server(host, port, self._serve)
            self._thread = self._started()
            self._thread.start()

    # --- what came ----------------------------------------------------------------------------------------------------

    def wait(self, matches: Callable[[Arrived], bool], count: int, within: float) -> list[Arrived]:
        """Those that match, as soon as there are ``count``, or what there is after ``within`` seconds."""
        until, seen = time.monotonic() + within, 0
        found: list[Arrived] = []
        with self._news:
            while True:
                found += [one for one in self._arrived[seen:] if matches(one)]
                seen = len(self._arrived)
                rest = until - time.monotonic()
                if len(found) >= count or rest <= 0:
                    return found
                self._news.wait(rest)

    def quiet(self, window: float, until: float) -> float:
        """The seconds to wait until nothing has come for ``window`` seconds, if nothing comes meanwhile.

        0 or less where that is so already, or ``until`` (``time.monotonic``) is past.
        """
        now = time.monotonic()
        with self._news:
            last = self._last if self._arrived else now - window
        return min(last + window, until) - now

    def all(self) -> list[Arrived]:
        """Everything that came so far."""
        with self._news:
            return list(self._arrived)

    # --- what is answered ---------------------------------------------------------------------------------------------

    def add(self, script: Script) -> None:
        """From now on this script answers what it matches; the newest comes first."""
        with self._news:
            self._scripts.insert(0, script)

    def remove(self, script: Script) -> None:
        """No more."""
        with self._news:
            self._scripts.remove(script)

    def _reply(self, arrived: Arrived) -> Reply:
        with self._news:
            scripts = list(self._scripts)
        for script in scripts:
            if script.matches(arrived):
                with self._news:
                    turn = len(script.used)
                    script.used.append(1)
                return script.replies[min(turn, len(script.replies) - 1)]
        return rsp()

    # --- HTTP ---------------------------------------------------------------------------------------------------------

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(_IDLE)
        with self._news:
            self._connections += 1
            number = self._connections
            self._open.add(connection)
        try:
            self._converse(connection, number)
        finally:
            with self._news:
                self._open.discard(connection)

    def _converse(self, connection: socket.socket, number: int) -> None:
        with Incoming(connection, self._room) as incoming:
            try:
                while (raw := incoming.next()) is not None:
                    arrived = Arrived(raw=raw, at=time.monotonic(), connection=number)
                    incoming.keep()
                    if not self._answer(connection, arrived):
                        return
            except Full as full:
                self._full = full
                connection.sendall(_NO_ROOM)

    def _answer(self, connection: socket.socket, arrived: Arrived) -> bool:
        """Answer what came, and keep it; False where the connection ends with it."""
        try:
            answer = self._reply(arrived)(arrived)
        except Exception as error:  # noqa: BLE001  told as the tool's (trouble); the request is kept all the same
            answer = None
            self._troubles.append(error)
        if answer is not None:
            arrived.answered.append(answer)
        with self._news:
            self._arrived.append(arrived)
            self._last = max(self._last, arrived.at)
            self._news.notify_all()
        if answer is None:
            return False
        connection.sendall(answer)
        return b"connection: close" not in arrived.raw.partition(b"\r\n\r\n")[0].lower()


def _server(host: str, port: int, serve: Callable[[socket.socket], None]) -> socketserver.ThreadingTCPServer:
    """A server that gives each connection to ``serve``, in a thread. Raises ``OSError`` where it cannot listen."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            serve(self.request)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A peer that goes away is no event."""

    return Server((host, port), Handler)
