"""What bad clients send to a gateway, one kind after the other, each over a connection of its own.

Every kind is refused by a sound gateway, or has nobody left to be answered; none may be answered 1000. Refuses to touch
anything but loopback.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from types import MappingProxyType

from attackers import MIB, Streams, address, connected
from load import CODE, LENGTH, Pace, Prepared, head_of

ACCEPTED = "1000"
"""What none may be answered."""
_PATIENCE = 40.0  # seconds for one answer; a gateway in time answers the slowest of them after 15
_LONG = 100_000  # characters


class BadRequests:
    """Bad requests to ``url``, those that need credentials with ``auth``; at most ``rate`` a second.

    ``send`` is a deed for ``attackers.Attack``: it gives the kind and what came of it. Of ``slow`` ones, which last for
    many seconds, there are so many at a time at most.
    """

    def __init__(
        self, url: str, port: int, auth: tuple[str, str], *, rate: float, slow: int = 10, seed: int = 0
    ) -> None:
        self._url, self._port, self._auth = url, port, auth
        self._pace, self._random = Pace(rate), random.Random(seed)
        self._prepared = Prepared(size=10_000)
        self._n, self._slow, self._most_slow = 0, 0, slow

    async def send(self, attacker: int) -> str:
        """One bad request of a random kind."""
        await self._pace.turn()
        self._n += 1
        kind = self._random.choice([one for one in KINDS if one != "slow" or self._slow < self._most_slow])
        self._slow += kind == "slow"
        try:
            return f"{kind}: {await self._sent(kind, attacker)}"
        finally:
            self._slow -= kind == "slow"

    async def _sent(self, kind: str, attacker: int) -> str:
        try:
            streams = await connected(self._port, address(attacker))
        except OSError as error:
            return f"{type(error).__name__} on connecting"
        try:
            async with asyncio.timeout(_PATIENCE):
                return await KINDS[kind](self, streams)
        except TimeoutError:
            return "no answer"
        except (OSError, EOFError):
            return "cut"
        finally:
            streams[1].transport.abort()

    # --- the kinds ----------------------------------------------------------------------------------------------------

    async def malformed_xml(self, streams: Streams) -> str:
        """A closing tag that closes nothing, or a namespace prefix that nobody declared."""
        old, new = self._random.choice([(b"</", b"</x"), (b"<env:Body", b"<nobody:Body"), (b"?>", b"?><!DOCTYPE a>")])
        body = self._body()
        if old not in body:
            old, new = b"</", b"</x"
        return await self._post(streams, body.replace(old, new, 1))

    async def broken_mime(self, streams: Streams) -> str:
        """A package that ends in the midst of its envelope."""
        body = self._body()
        return await self._post(streams, body[: body.index(b"SubmitReq") + 40])

    async def wrong_password(self, streams: Streams) -> str:
        """Somebody who guesses."""
        return await self._post(streams, self._body(), auth=(self._auth[0], f"guess {self._n}"))

    async def unknown_operation(self, streams: Streams) -> str:
        """An operation that MM7 does not have."""
        return await self._post(streams, self._body().replace(b"SubmitReq", b"SubmergeReq"))

    async def oversized(self, streams: Streams) -> str:
        """A body, or an envelope, beyond the limits."""
        if self._random.random() < 0.5:
            return await self._post(streams, b"x" * 65_536, announced=11 * MIB)
        body = self._body()
        return await self._post(streams, body.replace(b"</", b" " * (2 * MIB) + b"</", 1))

    async def slow(self, streams: Streams) -> str:
        """A few octets a second, until somebody is tired of it."""
        reader, writer = streams
        writer.write(self._head(10_000))
        answer = asyncio.ensure_future(_answer(reader))
        try:
            while not answer.done():
                writer.write(b"slow")
                await asyncio.wait([answer], timeout=1.0)
            return answer.result()
        finally:
            answer.cancel()

    async def hang_up(self, streams: Streams) -> str:
        """Gone in the midst of the head, or of the body."""
        request = self._head(len(self._body())) + self._body()
        streams[1].write(request[: self._random.randrange(1, len(request) - 1)])
        await asyncio.sleep(self._random.uniform(0, 0.2))
        return "gone"

    async def pipelined(self, streams: Streams) -> str:
        """A hundred requests in one piece, and then what is no HTTP."""
        reader, writer = streams
        writer.write(b"GET /mm7 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 100 + self._random.randbytes(1000))
        return await _answer(reader)

    async def odd_http(self, streams: Streams) -> str:
        """Two lengths, or a compressed body."""
        reader, writer = streams
        head = self._head(100)[:-2]
        field = self._random.choice([b"Transfer-Encoding: chunked", b"Content-Length: 99", b"Content-Encoding: gzip"])
        writer.write(head + field + b"\r\n\r\n" + b"x" * 100)
        return await _answer(reader)

    async def long_value(self, streams: Streams) -> str:
        """A subject or a recipient of 100,000 characters."""
        short = self._random.choice([f"News number {self._n:09d} for today", self._prepared.recipient(self._n)])
        return await self._post(streams, self._body().replace(short.encode(), b"7" * _LONG))

    # --- what they have in common -------------------------------------------------------------------------------------

    def _body(self) -> bytes:
        return self._prepared.body(self._n)

    def _head(self, length: int, auth: tuple[str, str] | None = None) -> bytes:
        return head_of(self._url, auth or self._auth, self._prepared.headers) + b"%d\r\n\r\n" % length

    async def _post(
        self, streams: Streams, body: bytes, *, auth: tuple[str, str] | None = None, announced: int | None = None
    ) -> str:
        reader, writer = streams
        writer.write(self._head(announced or len(body), auth) + body)
        return await _answer(reader)


async def _answer(reader: asyncio.StreamReader) -> str:
    """The HTTP status, and the StatusCode if there is one."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    code = CODE.search(await reader.readexactly(int(length[1])) if length else b"")
    return f"{int(head[9:12])} {code[1].decode() if code else ''}".strip()


KINDS = MappingProxyType[str, Callable[[BadRequests, Streams], Awaitable[str]]](
    {
        "malformed XML": BadRequests.malformed_xml,
        "broken MIME": BadRequests.broken_mime,
        "wrong password": BadRequests.wrong_password,
        "unknown operation": BadRequests.unknown_operation,
        "oversized": BadRequests.oversized,
        "slow": BadRequests.slow,
        "hang-up": BadRequests.hang_up,
        "pipelined": BadRequests.pipelined,
        "odd HTTP": BadRequests.odd_http,
        "long value": BadRequests.long_value,
    }
)
"""All kinds, by name."""
