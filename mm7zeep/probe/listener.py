"""The tool's own end: a small HTTP server that takes what the examined side sends and answers as a case wants it.

An MMSC sends it MM7_deliver and reports, a VASP MM7_submit. Every request is kept whole; by default it is answered with
1000. A ``Script`` answers what it matches otherwise. Binds to one address, and opens no connection itself.
"""

from __future__ import annotations

import hashlib
import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from mm7zeep import messages as m
from mm7zeep.conformance.input.capture import Captured, messages
from mm7zeep.conformance.verdict import Verdict, judge
from mm7zeep.envelope.operations import BY_ELEMENT
from mm7zeep.errors import Mm7Error
from mm7zeep.exchange import Received, unpack
from mm7zeep.exchange.pack import pack
from mm7zeep.probe.results import Transmission
from mm7zeep.status import Status

MAX_REQUEST = 32 * 1024 * 1024
_IDLE = 30.0  # seconds that a connection may say nothing
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")


@dataclass(frozen=True)
class Arrived:
    """One request that came: its octets, when (``time.monotonic``), and from which connection."""

    raw: bytes
    at: float
    connection: int
    answered: list[bytes] = field(default_factory=list, compare=False)

    @cached_property
    def captured(self) -> Captured | None:
        """It as the checker takes it; None where it is no HTTP request."""
        return next(iter(messages("request", self.raw)), None)

    @cached_property
    def verdict(self) -> Verdict | None:
        """The judgement of ``mm7zeep check`` on it, by the interop policy; None where it is no HTTP request."""
        return judge(self.captured) if self.captured is not None else None

    @cached_property
    def received(self) -> Received | None:
        """What it says, read leniently; None where nothing can be made of it."""
        if self.captured is None:
            return None
        try:
            return unpack(self.captured.wire, policy="lenient", plans=False)
        except Mm7Error:
            return None

    @property
    def message(self) -> Any:
        """The MM7 message, or None."""
        return self.received.message if self.received is not None else None

    @property
    def operation(self) -> str:
        """The element in its Body; empty where there is none."""
        return self.received.operation if self.received is not None else ""

    @property
    def namespace(self) -> str:
        """Its MM7 namespace as sent, or empty."""
        return (self.received.namespace if self.received is not None else None) or ""

    @property
    def transaction_id(self) -> str:
        """Its TransactionID, or empty."""
        return (self.received.transaction_id if self.received is not None else None) or ""

    @property
    def message_id(self) -> str:
        """The MessageID that a report, a cancel or a replace names, or empty."""
        return getattr(self.message, "message_id", None) or ""

    @property
    def subject(self) -> str:
        """Its Subject, or empty."""
        return getattr(self.message, "subject", None) or ""

    @cached_property
    def digests(self) -> tuple[str, ...]:
        """The SHA-256 of its parts in order, the presentation included."""
        parts = self.received.parts if self.received is not None else ()
        return tuple(hashlib.sha256(one.read()).hexdigest() for one in parts)

    def header(self, name: str) -> str | None:
        """The first HTTP header field of that name."""
        return self.captured.wire.header(name) if self.captured is not None else None

    def transmission(self, started: float) -> Transmission:
        """As a report keeps it; ``started`` is when the run began."""
        answer = b"".join(self.answered)
        return Transmission(
            by="peer", sent=answer, received=self.raw, ended="whole" if answer else "unread", started=self.at - started
        )


Reply = Callable[[Arrived], bytes | None]
"""What is answered: the octets of a whole HTTP answer, or None to close the connection without one."""


def rsp(code: int = 1000, text: str | None = None, *, message_id: str | None = None, after: float = 0.0) -> Reply:
    """Answers with the Rsp of the request and this status, after so many seconds."""

    def reply(arrived: Arrived) -> bytes | None:
        time.sleep(after)
        if arrived.received is None:
            return http(400, b"")
        operation = BY_ELEMENT.get(arrived.operation)
        if operation is None:
            return http(400, b"")
        given: dict[str, Any] = {"status": Status(code, text)}
        if operation[0].response is m.SubmitRsp:
            given["message_id"] = message_id or f"probe-{arrived.transaction_id[:24]}"
        return _written(operation[0].response(**given), arrived)

    return reply


def fault(code: int, text: str | None = None) -> Reply:
    """Answers HTTP 500 with a Fault that holds this status."""

    def reply(arrived: Arrived) -> bytes | None:
        operation = BY_ELEMENT.get(arrived.operation)
        if arrived.received is None or operation is None:
            return http(400, b"")
        said = Status(code, text)
        word = "Client" if code // 1000 == 2 else "Server"
        detail = operation[0].error(status=said)
        return _written(m.Fault(fault_code=word, fault_string=said.text or "", error=detail), arrived)

    return reply


def http(status: int, body: bytes = b"", content_type: str = "text/plain") -> bytes:
    """A plain HTTP answer."""
    head = f"HTTP/1.1 {status} Probe\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def plain(status: int, body: bytes = b"", content_type: str = "text/plain") -> Reply:
    """Answers with a plain HTTP answer."""
    return lambda arrived: http(status, body, content_type)


def closes(arrived: Arrived) -> bytes | None:
    """Closes the connection without an answer."""
    return None


def _written(message: m.Message, arrived: Arrived) -> bytes:
    try:
        wire = pack(message, reply_to=arrived.received)
    except Mm7Error:
        return http(400, b"")  # a request that no valid answer can be written to
    body = wire.read()
    fields = "".join(f"{name}: {value}\r\n" for name, value in wire.headers)
    return f"HTTP/1.1 {wire.status} Probe\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode() + body


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
            wanted = found.end() + size + 2
            while len(buffer) < wanted:
                if not more():
                    return bytes(raw + buffer)
            take(wanted)
            if size == 0:
                return bytes(raw)
    said = re.search(r"\r\ncontent-length:[ \t]*(\d{1,10})", head)
    length = int(said[1]) if said else 0
    while len(buffer) < length:
        if not more():
            return bytes(raw + buffer)  # cut: kept as it is, for the judgement to see
    take(length)
    return bytes(raw)
