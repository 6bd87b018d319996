"""Octets to the endpoint and back over a socket of our own, since a case may be what no HTTP client would send.

``Connection`` writes what it is given and reads one answer after the other by RFC 9112 6.3, keeping each octet. Follows
no redirect, uses no proxy, and connects to nothing but the endpoint.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import SplitResult

from mm7zeep.transport import reasons

Ended = Literal["whole", "closed", "cut", "reset", "refused", "timeout", "overdue", "large", "unread"]
Framing = Literal["length", "chunked", "close", "none", ""]

MAX_ANSWER = 16 * 1024 * 1024
"""Octets that are read of one answer; of a larger one no more is read, and it ends as ``large``."""

_LINE_END = re.compile(rb"\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/(\d\.\d)[ \t]+(\d{3})(?:[ \t]+([^\r\n]*))?")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back for one request.

    ``raw`` is every octet of it, interim answers (1xx) before it included; ``fields`` are those of its head, names as
    sent; ``faults`` say what is wrong with its framing. ``status`` is None where there is no HTTP status line.
    ``sent`` are the octets of the request; times in seconds.
    """

    sent: bytes
    raw: bytes = b""
    ended: Ended = "whole"
    version: str = ""
    status: int | None = None
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    framing: Framing = ""
    interim: tuple[int, ...] = ()
    faults: tuple[str, ...] = ()
    body_at: int = 0
    started: float = 0.0
    took: float = 0.0

    def field(self, name: str) -> str | None:
        """The first header field of that name."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)

    @property
    def complete(self) -> bool:
        """Whether it is a whole HTTP answer."""
        return self.ended == "whole" and self.status is not None

    @property
    def hung(self) -> bool:
        """Whether the time was up before it was whole."""
        return self.ended in ("timeout", "overdue")

    @property
    def closes(self) -> bool:
        """Whether the server says that it closes the connection after it (RFC 9112 9.6)."""
        said = (self.field("connection") or "").lower()
        return "close" in said or (self.version == "1.0" and "keep-alive" not in said) or self.framing == "close"


class Refused(OSError):
    """No connection was made; the text says why. ``by_peer`` tells that its end refused, reset or never answered, and
    that it is neither our own nor the network's fault.
    """

    def __init__(self, text: str, cause: OSError) -> None:
        super().__init__(text)
        self.by_peer = isinstance(cause, (ConnectionError, TimeoutError, ssl.SSLError))


class Connection:
    """One connection to the endpoint; a context that closes it.

    ``timeout`` is how long one answer may take in all. Raises ``Refused`` where no connection comes to be.
    """

    def __init__(self, place: SplitResult, timeout: float, context: ssl.SSLContext | None = None) -> None:
        self._timeout = timeout
        self._buffer = bytearray()
        self._sent = bytearray()
        self._over = False
        secure = place.scheme == "https"
        address = (place.hostname or "", place.port or (443 if secure else 80))
        try:
            plain = socket.create_connection(address, timeout=timeout)
        except OSError as error:
            raise Refused(f"no connection to {address[0]} port {address[1]}: {error}", error) from error
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = (
                (context or ssl.create_default_context()).wrap_socket(plain, server_hostname=place.hostname)
                if secure
                else plain
            )
        except OSError as error:
            plain.close()
            why = reasons.of(error, place.geturl())
            told = why.words if why is not None else error
            raise Refused(f"no TLS with {address[0]} port {address[1]}: {told}", error) from error
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def abort(self) -> None:
        """End it with a TCP reset."""
        if not isinstance(self._socket, ssl.SSLSocket):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self._socket.close()

    def finish(self) -> None:
        """Say that nothing more is sent."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self._over = True  # the peer was faster; what it said is still read

    def send(self, octets: bytes) -> bool:
        """Write them; False where the peer takes no more (its answer may be there all the same)."""
        self._sent += octets
        if self._over:
            return False
        self._socket.settimeout(self._timeout)
        try:
            self._socket.sendall(octets)
        except OSError:
            self._over = True
        return not self._over

    def send_slowly(self, pieces: Iterable[bytes], pause: float) -> bool:
        """Write the pieces with ``pause`` seconds between them, ending early where the peer answers or closes."""
        return all(self.send(one) and not self.speaks(pause) for one in pieces)

    def speaks(self, within: float) -> bool:
        """Whether the peer sends something, or closes, within so many seconds."""
        if self._buffer:
            return True
        try:
            self._socket.settimeout(max(within, 0.001))
            got = self._socket.recv(65536)
        except TimeoutError:
            return False
        except OSError:
            return True
        self._buffer += got
        return True

    def read(self, timeout: float | None = None, method: str = "POST") -> Answer:
        """The next answer. Never raises: how it ended is in ``Answer.ended``."""
        started, sent = time.monotonic(), bytes(self._sent)
        self._sent.clear()
        reading = _Reading(self._socket, self._buffer, started + (timeout or self._timeout), method)
        answer = reading.answer(sent)
        self._buffer = reading.left
        return _timed(answer, started)

    def silent(self, seconds: float) -> bool:
        """Whether nothing comes for so long and the connection stays open."""
        return not self.speaks(seconds)

    def is_closed(self, within: float) -> bool:
        """Whether the peer closes within so many seconds without sending more."""
        until = time.monotonic() + within
        while not self._buffer and time.monotonic() < until:
            try:
                self._socket.settimeout(max(until - time.monotonic(), 0.001))
                got = self._socket.recv(65536)
            except TimeoutError:
                return False
            except OSError:
                return True
            if not got:
                return True
            self._buffer += got
        return False


def _timed(answer: Answer, started: float) -> Answer:
    object.__setattr__(answer, "started", started)
    object.__setattr__(answer, "took", time.monotonic() - started)
    return answer


class _Stopped(Exception):
    """Nothing more comes; says how it ended."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended)
        self.ended: Ended = ended


class _Reading:
    """The reading of one answer from ``sock``, beginning with what was read before."""

    def __init__(self, sock: socket.socket, buffer: bytearray, until: float, method: str) -> None:
        self._socket, self._until, self._method = sock, until, method
        self.left = buffer
        self._raw = bytearray()
        self._faults: list[str] = []

    def answer(self, sent: bytes) -> Answer:
        interim: list[int] = []
        version, body, at = "", b"", 0
        status: int | None = None
        fields: tuple[tuple[str, str], ...] = ()
        framing: Framing = ""
        ended: Ended = "whole"
        try:
            while True:
                head = self._until_match(_HEAD_END)
                version, status, fields = self._head(head)
                at = len(self._raw)
                if status is None or not 100 <= status < 200:
                    break
                interim.append(status)
            framing = self._framing(status, fields)
            body = self._body(framing, fields)
        except _Stopped as stopped:
            ended = stopped.ended
            if status is None and not self._raw and not self.left and ended in ("cut", "closed"):
                ended = "closed"
            self._raw += self.left
            self.left = bytearray()
            body = bytes(self._raw[at:]) if at else b""
        return Answer(
            sent=sent,
            raw=bytes(self._raw),
            ended=ended,
            version=version,
            status=status,
            fields=fields,
            body=body,
            framing=framing,
            interim=tuple(interim),
            faults=tuple(self._faults),
            body_at=at,
        )

    def _more(self) -> None:
        """Read more. Raises ``_Stopped`` where nothing more comes."""
        if len(self._raw) + len(self.left) > MAX_ANSWER:
            raise _Stopped("large")
        wait = self._until - time.monotonic()
        if wait <= 0:
            raise _Stopped("overdue" if self._raw or self.left else "timeout")
        self._socket.settimeout(wait)
        try:
            got = self._socket.recv(262144)
        except TimeoutError:
            raise _Stopped("overdue" if self._raw or self.left else "timeout") from None
        except OSError:
            raise _Stopped("reset") from None
        if not got:
            raise _Stopped("cut" if self._raw or self.left else "closed")
        self.left += got

    def _take(self, count: int) -> bytes:
        taken = bytes(self.left[:count])
        del self.left[:count]
        self._raw += taken
        return taken

    def _until_match(self, pattern: re.Pattern[bytes]) -> bytes:
        begin = 0
        while not (found := pattern.search(self.left, begin)):
            begin = max(len(self.left) - 3, 0)  # the empty line may have come in part
            self._more()
        return self._take(found.end())

    def _exactly(self, count: int) -> bytes:
        while len(self.left) < count:
            self._more()
        return self._take(count)

    def _head(self, head: bytes) -> tuple[str, int | None, tuple[tuple[str, str], ...]]:
        lines = head.decode("latin-1").replace("\r\n", "\n").strip("\n").split("\n")
        found = _STATUS.fullmatch(lines[0].encode("latin-1"))
        if found is None:
            self._faults.append(f"the status line is {lines[0][:80]!r}")
        fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or name != name.strip() or not name:
                self._faults.append(f"a header field is {line[:80]!r}")
                continue
            fields.append((name, value.strip()))
        if found is None:
            return "", None, tuple(fields)
        return found[1].decode(), int(found[2]), tuple(fields)

    def _framing(self, status: int | None, fields: tuple[tuple[str, str], ...]) -> Framing:
        """RFC 9112 6.3."""
        named: dict[str, list[str]] = {}
        for name, value in fields:
            named.setdefault(name.lower(), []).append(value)
        if status in (204, 304) or self._method == "HEAD":
            return "none"
        if "transfer-encoding" in named:
            if "content-length" in named:
                self._faults.append("Transfer-Encoding and Content-Length together (RFC 9112 6.2)")
            if named["transfer-encoding"][-1].lower().split(",")[-1].strip() == "chunked":
                return "chunked"
            return "close"
        lengths = set(named.get("content-length", ()))
        if len(lengths) == 1 and re.fullmatch(r"\d{1,12}", next(iter(lengths))):
            return "length"
        if lengths:
            self._faults.append(f"Content-Length is {', '.join(sorted(lengths))[:80]!r}")
        return "close"

    def _body(self, framing: Framing, fields: tuple[tuple[str, str], ...]) -> bytes:
        if framing == "none":
            return b""
        if framing == "length":
            said = next(value for name, value in fields if name.lower() == "content-length")
            return self._exactly(int(said))
        if framing == "chunked":
            return self._chunks()
        body = bytearray()
        while True:
            body += self._take(len(self.left))
            try:
                self._more()
            except _Stopped as stopped:
                if stopped.ended in ("cut", "closed"):
                    return bytes(body)
                raise

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            while b"\n" not in self.left:
                self._more()
            found = _CHUNK.match(self.left)
            if found is None:
                self._faults.append(f"a chunk begins with {bytes(self.left[:20])!r}")
                raise _Stopped("cut")
            size = int(found[1], 16)
            self._take(found.end())
            if size == 0:
                while self._until_match(_LINE_END).strip():
                    continue  # a trailer field
                return bytes(body)
            body += self._exactly(size)
            if self._exactly(2) != b"\r\n":
                self._faults.append("a chunk does not end with a line break")
                raise _Stopped("cut")
