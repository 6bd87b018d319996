"""Who submits to a gateway under load, cheap enough to share two cores with it.

``Prepared`` renders a submit once and changes octets, ``Load`` sends them over kept connections until each message is
accepted, in one event loop in a thread. XML is not parsed: patterns find what is needed. Refuses to take anything but
StatusCode 1000 for an acceptance.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, NamedTuple, Self, cast
from urllib.parse import urlsplit

from mm7zeep import exchange, media
from mm7zeep.messages import Part, SubmitReq

CODE = re.compile(rb"StatusCode[^>]*>\s*(\d{4})\s*<")
MESSAGE_ID = re.compile(rb"MessageID[^>]*>\s*([^<\s]+)\s*<")
JSON_ID = re.compile(rb'"id":"([0-9a-f]+)"')
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` (0 to 1) of all do not exceed; 0.0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class LoopThread:
    """One event loop in a thread; what goes wrong in it is raised by ``join``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        self._thread = threading.Thread(target=self._run, args=(work,), name=self._name, daemon=True)
        self._thread.start()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            asyncio.run(self._keep(work))
        except BaseException as error:  # noqa: BLE001  raised again where the thread is joined
            self._error = error

    async def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        self._loop = asyncio.get_running_loop()
        await work

    def call(self, function: Any, *args: object) -> None:
        """Run a function in the loop, soon; nothing if the loop has ended."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *args)

    def join(self, timeout: float) -> bool:
        """Whether the work has ended, after at most ``timeout`` seconds. Raises what it ended with."""
        assert self._thread is not None
        self._thread.join(timeout)
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive()


# --- who submits ------------------------------------------------------------------------------------------------------


class Prepared:
    """Submits rendered once: message number ``n`` differs in TransactionID, recipient and subject only.

    ``size`` octets of a body, about; ``run`` (eight characters) keeps the TransactionIDs of two runs apart.
    """

    COLUMN = "transaction_id"

    def __init__(
        self,
        *,
        size: int = 30_000,
        vaspid: str = "TNN",
        vasid: str | None = "News",
        delivery_report: bool = True,
        profile: str | None = None,
        run: str | None = None,
    ) -> None:
        self.run = run or secrets.token_hex(4)
        marks = self._marks(987_654_321)
        noise = random.Random(1977).randbytes(max(0, size - 2_200))
        picture = Part(
            body=b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + noise + b"\xff\xd9",
            content_type="image/jpeg",
            content_id="saturn.jpg@load",
        )
        text = Part(body=b"Science news, new Saturn pictures...", content_type="text/plain", content_id="text@load")
        message = SubmitReq(vaspid=vaspid, vasid=vasid, to=marks[1], subject=marks[2], delivery_report=delivery_report)  # type: ignore[arg-type]
        self._cut(exchange.pack(message, (text, picture), profile=profile, transaction_id=marks[0]))

    def _cut(self, wire: exchange.Wire) -> None:
        """Take a message apart where its marks stand."""
        marks = self._marks(987_654_321)
        self.headers = wire.headers
        whole = wire.read()
        pieces, names = re.split(b"(" + b"|".join(map(re.escape, map(str.encode, marks))) + b")", whole), []
        for found in pieces[1::2]:
            names.append(marks.index(found.decode()))
        if sorted(names) != [0, 1, 2]:
            raise ValueError(
                f"TransactionID, recipient and subject stand {len(names)} times in the body, not once each"
            )
        self._between, self._order = pieces[::2], names
        self.length = len(whole)

    def _marks(self, n: int) -> tuple[str, str, str]:
        return self.transaction_id(n), self.recipient(n), f"News number {n:09d} for today"

    def transaction_id(self, n: int) -> str:
        """The TransactionID of message number ``n``."""
        return f"load-{self.run}-{n:09d}"

    def recipient(self, n: int) -> str:
        """The recipient of message number ``n``."""
        return f"+61{n:09d}"

    def body(self, n: int) -> bytes:
        """The octets of message number ``n``: always the same, always ``length`` of them."""
        marks, pieces = self._marks(n), [self._between[0]]
        for which, after in zip(self._order, self._between[1:], strict=True):
            pieces += (marks[which].encode(), after)
        return b"".join(pieces)

    def name(self, n: int) -> str:
        """What message number ``n`` is known by in the column ``COLUMN``."""
        return self.transaction_id(n)

    def is_kept(self, n: int, headers: str, body: bytes) -> bool:
        """Whether what is kept, with its header fields as JSON, is message number ``n``, octet by octet."""
        return body == self.body(n)


class PreparedJson(Prepared):
    """The same messages for the JSON API, each with its TransactionID as ``idempotency_key``."""

    COLUMN = "subject"

    def _cut(self, wire: exchange.Wire) -> None:
        marks = self._marks(987_654_321)
        self._parts = [one for one in exchange.unpack(wire).parts if not media.is_presentation(one.content_type)]
        message = {
            "idempotency_key": marks[0],
            "to": marks[1],
            "subject": marks[2],
            "parts": [
                {"data": base64.b64encode(one.read()).decode(), "content_type": one.content_type} for one in self._parts
            ],
            "delivery_report": cast(SubmitReq, exchange.unpack(wire).message).delivery_report,
        }
        head = (("Content-Type", "application/json"),)
        super()._cut(exchange.Wire(headers=head, body=json.dumps(message).encode()))

    def name(self, n: int) -> str:
        return self._marks(n)[2]

    def is_kept(self, n: int, headers: str, body: bytes) -> bool:
        kept = exchange.unpack(exchange.Wire(headers=tuple(json.loads(headers)), body=body))
        message = cast(SubmitReq, kept.message)
        whom = [one.value for one in message.to]
        content = [one.read() for one in kept.parts if not media.is_presentation(one.content_type)]
        same = content == [one.read() for one in self._parts]
        return same and whom == [self.recipient(n)] and message.subject == self.name(n)


class Answer(NamedTuple):
    """One HTTP answer as far as it matters here; ``code`` and ``message_id`` are None where it names none."""

    status: int
    code: int | None
    message_id: str | None
    head: bytes
    body: bytes

    @property
    def accepted(self) -> str | None:
        """The MessageID under which the message was accepted: by StatusCode 1000, or by the JSON API."""
        return self.message_id if (self.status, self.code) in ((200, 1000), (202, None)) else None


def head_of(url: str, auth: tuple[str, str] | None, headers: Iterable[tuple[str, str]]) -> bytes:
    """The head of a POST, up to the number of its Content-Length, which is last."""
    target = urlsplit(url)
    given = dict(headers) | {"Host": target.netloc}
    if auth is not None:
        given["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
    fields = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"POST {target.path or '/'} HTTP/1.1\r\n{fields}Content-Length: ".encode()


class Connection:
    """One kept HTTP/1.1 connection that is opened when it is needed."""

    def __init__(
        self, url: str, auth: tuple[str, str] | None, headers: Iterable[tuple[str, str]], source: str | None = None
    ) -> None:
        target = urlsplit(url)
        self._place = target.hostname or "", target.port or 80
        self._source = (source, 0) if source else None
        self._head = head_of(url, auth, headers)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, body: bytes) -> Answer:
        """Send a body and read the answer. Raises ``OSError`` or ``asyncio.IncompleteReadError`` without one."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._place, local_addr=self._source)
        reader, writer = self._streams
        try:
            writer.writelines((self._head, b"%d\r\n\r\n" % len(body), body))
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            said = await reader.readexactly(int(length[1])) if length else b""
        except BaseException:
            self.close()
            raise
        if _CLOSE.search(head):
            self.close()
        code, message_id = CODE.search(said), MESSAGE_ID.search(said) or JSON_ID.search(said)
        return Answer(
            int(head[9:12]), int(code[1]) if code else None, message_id[1].decode() if message_id else None, head, said
        )

    def close(self) -> None:
        """Let go of the connection at once."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


class Pace:
    """So many turns a second, evenly, for all tasks of one event loop; what was missed is not made up for."""

    def __init__(self, rate: float) -> None:
        self._between, self._next = 1 / rate, 0.0

    async def turn(self) -> None:
        """Wait for the next turn."""
        now = time.monotonic()
        mine = max(self._next, now)
        self._next = mine + self._between
        await asyncio.sleep(mine - now)


class Load:
    """Submits ``count`` messages (None: until ``stop``), ``concurrency`` at a time, each until it is answered 1000.

    Whatever else comes, or nothing within ``timeout`` seconds, is tried again after about ``pause`` seconds with the
    same octets. ``accepted`` is the MessageID answered, by number; ``latencies`` are the seconds of the attempts that
    were accepted, ``outcomes`` counts all. At most ``rate`` messages are begun a second. ``source`` gives the local
    address of a connection by its number. A context stops it at its end.
    """

    def __init__(
        self,
        url: str,
        auth: tuple[str, str] | None,
        prepared: Prepared,
        *,
        count: int | None,
        first: int = 0,
        concurrency: int = 16,
        timeout: float = 15.0,
        pause: float = 0.1,
        rate: float | None = None,
        source: Callable[[int], str] | None = None,
    ) -> None:
        self._pace, self._source = Pace(rate) if rate else None, source
        self.url, self.auth, self.prepared = url, auth, prepared
        self.first, self.count, self.concurrency = first, count, concurrency
        self.timeout, self.pause = timeout, pause
        self.accepted: dict[int, str] = {}
        self.latencies: list[float] = []
        self.outcomes: Counter[str] = Counter()
        self.begun = self.ended = 0.0
        self._next = first
        self._stopped = False
        self._thread = LoopThread("load")

    def __enter__(self) -> Self:
        self.begun = time.monotonic()
        self._thread.start(self._submit_all())
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stopped = True
        self._thread.join(self.timeout + 5)

    def stop(self) -> None:
        """Begin no further message, and try none again."""
        self._stopped = True

    def join(self, timeout: float) -> bool:
        """Whether all is accepted (or stopped) after at most ``timeout`` seconds. Raises what went wrong inside."""
        return self._thread.join(timeout)

    @property
    def upto(self) -> int:
        """The number of the next message; those before it have been tried."""
        return self._next

    @property
    def elapsed(self) -> float:
        """Seconds that it has run."""
        return (self.ended or time.monotonic()) - self.begun

    async def _submit_all(self) -> None:
        await asyncio.gather(*(self._submit_some(number) for number in range(self.concurrency)))
        self.ended = time.monotonic()

    async def _submit_some(self, number: int) -> None:
        source = self._source(number) if self._source else None
        connection = Connection(self.url, self.auth, self.prepared.headers, source)
        try:
            while not self._stopped and (self.count is None or self._next < self.first + self.count):
                if self._pace is not None:
                    await self._pace.turn()
                    if self._stopped or (self.count is not None and self._next >= self.first + self.count):
                        return
                n, self._next = self._next, self._next + 1
                await self._submit(connection, n)
        finally:
            connection.close()

    async def _submit(self, connection: Connection, n: int) -> None:
        body = self.prepared.body(n)
        while True:
            start = time.monotonic()
            outcome, message_id = await self._try(connection, body)
            self.outcomes[outcome] += 1
            if outcome == "1000":
                self.latencies.append(time.monotonic() - start)
                self.accepted[n] = message_id or ""
                return
            if self._stopped:
                return
            await asyncio.sleep(self.pause * random.uniform(0.5, 1.5))

    async def _try(self, connection: Connection, body: bytes) -> tuple[str, str | None]:
        try:
            async with asyncio.timeout(self.timeout):
                answer = await connection.ask(body)
        except (OSError, asyncio.IncompleteReadError) as error:  # TimeoutError is an OSError
            return type(error).__name__, None
        if answer.accepted is not None:
            return "1000", answer.accepted
        return f"HTTP {answer.status} {answer.code or ''}".strip(), None


def ask(url: str, auth: tuple[str, str] | None, prepared: Prepared, n: int, timeout: float = 30.0) -> Answer:
    """Submit message number ``n`` once; the answer, whatever it is. Raises ``OSError`` or ``IncompleteReadError``."""

    async def once() -> Answer:
        connection = Connection(url, auth, prepared.headers)
        try:
            async with asyncio.timeout(timeout):
                return await connection.ask(prepared.body(n))
        finally:
            connection.close()

    return asyncio.run(once())


def ask_until_taken(
    url: str, auth: tuple[str, str] | None, prepared: Prepared, n: int, timeout: float = 10.0
) -> Answer:
    """Submit message number ``n`` again and again until it is answered 1000; that answer.

    For a gateway whose database has just come back: what it said of it a second ago holds until its next look. Raises
    ``AssertionError`` for an answer that is neither 1000 nor a 503 with Retry-After, and after ``timeout`` seconds.
    """
    until = time.monotonic() + timeout
    while (answer := ask(url, auth, prepared, n)).accepted is None:
        assert answer.status == 503, f"message {n}: HTTP {answer.status}, status code {answer.code}"
        assert b"\r\nretry-after: " in answer.head.lower()
        assert time.monotonic() < until, f"message {n} was not taken within {timeout:.0f} s"
        time.sleep(0.1)
    return answer
