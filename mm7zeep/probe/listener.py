"""The tool's own end: a small HTTP server that takes what the examined side sends and answers as a case wants it.

An MMSC sends it MM7_deliver and reports, a VASP MM7_submit. Every request is kept whole; by default it is answered with
1000. A ``Script`` answers what it matches otherwise. Binds to one address, and opens no connection itself.
"""

from __future__ import annotations

import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.replies import Reply, http, rsp

MAX_REQUEST = 32 * 1024 * 1024
"""Octets that are read of one request."""
MAX_KEPT = 512 * 1024 * 1024
"""Octets of all requests that are kept; what comes then is answered 503, and told."""
_IDLE = 30.0  # seconds that a connection may say nothing
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_LINE = re.compile(rb"[^\n]*\n")


@dataclass(frozen=True)
class Script:
    """Answers the requests that ``matches``, the first ``times`` of them (None: all), by ``replies`` in turn; the last
    reply is that of all later ones.
    """

    matches: Callable[[Arrived], bool]
    replies: tuple[Reply, ...]
    used: list[int] = field(default_factory=list)


class Listener:
    """Takes requests at ``HOST:PORT`` (port 0: a free one); a context. Raises ``OSError`` where it cannot listen."""

    def __init__(self, place: str) -> None:
        host, _, port = place.rpartition(":")
        self._news = threading.Condition()
        self._arrived: list[Arrived] = []
        self._scripts: list[Script] = []
        self._connections = 0
        self._open: set[socket.socket] = set()
        self._troubles: list[Exception] = []
        self._kept = 0
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
        until = time.monotonic() + within
        with self._news:
            while True:
                found = [one for one in self._arrived if matches(one)]
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
            last = max((one.at for one in self._arrived), default=now - window)
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
        buffer = bytearray()
        while (raw := _request(connection, buffer)) is not None:
            arrived = Arrived(raw=raw, at=time.monotonic(), connection=number)
            if self._full(len(raw)):
                connection.sendall(http(503, b"the examiner keeps no more"))
                return
            try:
                answer = self._reply(arrived)(arrived)
            except Exception as error:  # noqa: BLE001  told as the tool's (trouble); the request is kept all the same
                answer = None
                self._troubles.append(error)
            if answer is not None:
                arrived.answered.append(answer)
            with self._news:
                self._arrived.append(arrived)
                self._news.notify_all()
            if answer is None:
                return
            connection.sendall(answer)
            if b"connection: close" in raw.partition(b"\r\n\r\n")[0].lower():
                return

    def _full(self, count: int) -> bool:
        """Whether so many octets more are too many; else they count."""
        with self._news:
            if self._kept + count <= MAX_KEPT:
                self._kept += count
                return False
            self._troubles.append(OverflowError(f"more than {MAX_KEPT} octets came; the rest was answered 503"))
            return True


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


def _request(connection: socket.socket, buffer: bytearray) -> bytes | None:
    """The next request as it came, chunks and all; None where none comes any more."""
    raw = bytearray()

    def more() -> bool:
        try:
            got = connection.recv(262144)
        except OSError:
            return False
        buffer.extend(got)
        return bool(got) and len(raw) + len(buffer) <= MAX_REQUEST

    def take(count: int) -> None:
        raw.extend(buffer[:count])
        del buffer[:count]

    while (end := buffer.find(b"\r\n\r\n")) < 0:
        if not more():
            return None
    take(end + 4)
    head = bytes(raw).decode("latin-1").lower()
    if re.search(r"\r\nexpect:[ \t]*100-continue", head):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if re.search(r"\r\ntransfer-encoding:[^\r\n]*chunked", head):
        while True:
            while (found := _CHUNK.match(buffer)) is None:
                if not more():
                    return bytes(raw + buffer)
            size = int(found[1], 16)
            if size == 0:
                take(found.end())
                while (field := _LINE.match(buffer)) is None or field[0].strip():  # a trailer field
                    if field is not None:
                        take(field.end())
                    elif not more():
                        return bytes(raw + buffer)
                take(field.end())
                return bytes(raw)
            wanted = found.end() + size + 2
            while len(buffer) < wanted:
                if not more():
                    return bytes(raw + buffer)
            take(wanted)
    said = re.search(r"\r\ncontent-length:[ \t]*(\d{1,10})", head)
    length = int(said[1]) if said else 0
    while len(buffer) < length:
        if not more():
            return bytes(raw + buffer)  # cut: kept as it is, for the judgement to see
    take(length)
    return bytes(raw)
