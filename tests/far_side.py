"""A far side for clients: a small threaded HTTP server on loopback that answers by script and records what it got.

An answer is a row of steps: bytes are sent, a number is slept (seconds), ``RESET`` and ``CLOSE`` end the connection,
``DRAIN`` ends our half of it and reads on to the end of the other. It may also be a function of the request that gives
such a row. Each request takes the next answer, the last one repeats.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

from mm7zeep import exchange
from mm7zeep.messages import (
    CancelReq,
    CancelRsp,
    DeliverReq,
    DeliverRsp,
    DeliveryReportReq,
    DeliveryReportRsp,
    ExtendedCancelReq,
    ExtendedCancelRsp,
    ExtendedReplaceReq,
    ExtendedReplaceRsp,
    Message,
    ReadReplyReq,
    ReadReplyRsp,
    ReplaceReq,
    ReplaceRsp,
    SubmitReq,
    SubmitRsp,
)

RESET, CLOSE, DRAIN = "reset", "close", "drain"
Step = bytes | float | str
Steps = Iterable[Step]


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire; ``complete`` tells whether the announced body arrived whole."""

    line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    complete: bool

    def header(self, name: str) -> str | None:
        """The first field of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def wire(self) -> exchange.Wire:
        """The request as the pipelines take it."""
        method, target, _ = self.line.split(" ")
        return exchange.Wire(headers=self.headers, body=self.body, method=method, target=target)

    @property
    def transaction_id(self) -> str:
        """The TransactionID, read with the eye."""
        found = re.search(rb"TransactionID[^>]*>([^<]*)<", self.body)
        assert found is not None
        return found[1].decode()

    def unpack(self) -> exchange.Received:
        """The message, by the strict policy: what a client sends has to be faultless."""
        return exchange.unpack(self.wire, policy="strict")


@dataclass(frozen=True)
class Early:
    """An answer that is given when the head of the request is there, before its body is read."""

    steps: tuple[Step, ...]


Answer = Steps | Early | Callable[[Request], Steps]


def http(status: int, body: bytes | str = b"", content_type: str | None = None, **fields: str) -> bytes:
    """One HTTP answer with its length; ``Retry_After="5"`` makes the field Retry-After."""
    body = body.encode() if isinstance(body, str) else body
    content_type = content_type or ('text/xml; charset="utf-8"' if body.lstrip()[:1] == b"<" else None)
    head = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}"]
    head += [f"Content-Type: {content_type}"] if content_type else []
    head += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join((*head, "", "")).encode("latin-1") + body


ANSWERS: dict[type[Message], Message] = {
    SubmitReq: SubmitRsp(message_id="m-1"),
    CancelReq: CancelRsp(),
    ReplaceReq: ReplaceRsp(),
    ExtendedCancelReq: ExtendedCancelRsp(),
    ExtendedReplaceReq: ExtendedReplaceRsp(message_id="m-2"),
    DeliverReq: DeliverRsp(service_code="news"),
    DeliveryReportReq: DeliveryReportRsp(),
    ReadReplyReq: ReadReplyRsp(),
}


def proper(request: Request) -> Steps:
    """The answer of a far side that finds nothing wrong."""
    received = request.unpack()
    return [_on_wire(exchange.pack(ANSWERS[type(received.message)], reply_to=received))]


def saying(message: Message, **fields: str) -> Callable[[Request], Steps]:
    """Answers with ``message``, in the namespace of the request."""
    return lambda request: [_on_wire(exchange.pack(message, reply_to=request.unpack()), **fields)]


def _on_wire(wire: exchange.Wire, **fields: str) -> bytes:
    return http(wire.status or 200, wire.read(), wire.header("Content-Type"), **fields)


def echoing(template: str, status: int = 200, content_type: str | None = None) -> Callable[[Request], Steps]:
    """Answers with ``template``, where ``{tid}`` is the TransactionID of the request."""
    return lambda request: [http(status, template.replace("{tid}", request.transaction_id), content_type)]


class FarSide:
    """The server; use it as a context, which raises at its end what went wrong inside.

    ``connections`` counts those accepted, ``requests`` are what came, in order. ``receive`` is the size of the kernel's
    buffer for what comes.
    """

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None, receive: int | None = None) -> None:
        self.answers: list[Any] = list(answers) or [proper]
        self.tls = tls
        self.receive = receive
        self.requests: list[Request] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._trouble: list[Exception] = []

    @property
    def url(self) -> str:
        """Where requests go."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}/mm7"

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        if self.receive is not None:  # inherited by what is accepted
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive)
        self._start(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ending.set()
        # a connection of our own wakes accept(), which closing the listener would not
        socket.create_connection(self._listener.getsockname()).close()
        with self._lock:
            for one in self._open:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    one.close()  # it was not connected any more
        for thread in self._threads:
            thread.join(5)
        self._listener.close()
        if self._trouble:
            raise self._trouble[0]

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._ending.is_set():
                connection.close()
                return
            # what was answered has left before the connection is reset: Nagle's algorithm would hold it back
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                self._shake_hands(connection)
            with self._lock:
                self._open.append(connection)
            with connection, connection.makefile("rb") as stream:
                while not self._ending.is_set() and self._answer(connection, stream):
                    pass
        except OSError:  # the client went away, or its handshake failed
            connection.close()
        except Exception as error:  # noqa: BLE001 - a thread of ours: the test that made it has to hear of everything
            connection.close()
            self._trouble.append(error)

    def _shake_hands(self, connection: ssl.SSLSocket) -> None:
        try:
            connection.do_handshake()
        except ssl.SSLError:
            # closing now would reset the connection, and the reset would overtake the alert
            with socket.socket(fileno=connection.detach()) as bare:
                bare.settimeout(1)
                bare.shutdown(socket.SHUT_WR)
                while bare.recv(65536):
                    pass
            raise

    def _answer(self, connection: socket.socket, stream: Any) -> bool:
        head = []
        while line := stream.readline().rstrip(b"\r\n"):
            head.append(line.decode("latin-1"))
        if not head:
            return False
        headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in head[1:]))
        length = int(next((value for name, value in headers if name.lower() == "content-length"), 0))
        with self._lock:
            number = len(self.requests)
            self.requests.append(Request(head[0], headers, b"", complete=False))
            answer = self.answers[min(number, len(self.answers) - 1)]
        if isinstance(answer, Early):
            return self._play(connection, answer.steps)
        body = stream.read(length)
        request = Request(head[0], headers, body, complete=len(body) == length)
        self.requests[number] = request
        if not request.complete:
            return False
        return self._play(connection, answer(request) if callable(answer) else answer)

    def _play(self, connection: socket.socket, steps: Steps) -> bool:
        if isinstance(steps, bytes | str):
            raise TypeError(f"an answer is a row of steps, not {type(steps).__name__}: put it into a list")
        for step in steps:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif step == RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            elif step == CLOSE:
                return False
            elif step == DRAIN:
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
                return False
            else:
                self._pause(float(step))
        return True

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._ending.is_set() and time.monotonic() < until:
            time.sleep(min(0.01, seconds))
