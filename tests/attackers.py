"""Who attacks a gateway on loopback, and who uses it meanwhile; bounded in time, and stopped by leaving a context.

``Attack`` runs coroutines in one event loop of a thread; ``connected`` opens connections from chosen loopback
addresses; ``Memory`` looks at the resident memory of a process; ``steady`` submits one message after the other, each on
a fresh connection, and gives the latencies. Refuses to end a process or to touch anything but loopback.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Self

import psutil
from load import LoopThread, Prepared, ask, percentile

MIB = 1024 * 1024

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Deed = Callable[[int], Awaitable[object]]
"""What one attacker does, by its number; done again until the attack is over."""


class Attack:
    """``count`` attackers that do ``deed`` again and again while the context lasts; ``seen`` counts what it gives.

    What the other side does about it (a reset, an end) is no error and is counted by its name.
    """

    def __init__(self, count: int, deed: Deed, *, pause: float = 0.0) -> None:
        self.seen: Counter[str] = Counter()
        self._count, self._deed, self._pause = count, deed, pause
        self._stop = threading.Event()
        self._thread = LoopThread("attack")

    def __enter__(self) -> Self:
        self._thread.start(self._all())
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        assert self._thread.join(30)

    async def _all(self) -> None:
        attackers = [asyncio.create_task(self._one(n)) for n in range(self._count)]
        await asyncio.to_thread(self._stop.wait)
        for one in attackers:
            one.cancel()
        for outcome in await asyncio.gather(*attackers, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    async def _one(self, n: int) -> None:
        while True:
            try:
                self.seen[str(await self._deed(n))] += 1
            except (OSError, EOFError) as error:  # TimeoutError and ssl.SSLError are OSErrors
                self.seen[type(error).__name__] += 1
            await asyncio.sleep(self._pause)


def address(n: int) -> str:
    """The loopback address of attacker number ``n``, of 62,500; 127.0.0.1 is nobody's."""
    return f"127.1.{n // 250 % 250}.{n % 250 + 1}"


async def connected(port: int, source: str, *, secure: ssl.SSLContext | None = None) -> Streams:
    """A connection to ``port`` from the address ``source``, within 10 s."""
    async with asyncio.timeout(10):
        return await asyncio.open_connection(
            "127.0.0.1", port, local_addr=(source, 0), ssl=secure, server_hostname="127.0.0.1" if secure else None
        )


async def pushed(streams: Streams, octets: bytes, patience: float) -> int:
    """Send as much of ``octets`` as is taken within ``patience`` seconds, reading nothing; how much the kernel took."""
    _, writer = streams
    writer.transport.set_write_buffer_limits(0)
    writer.write(octets)
    try:
        async with asyncio.timeout(patience):
            await writer.drain()
    except TimeoutError:
        pass
    return len(octets) - writer.transport.get_write_buffer_size()


class Memory:
    """The resident memory of a process while the context lasts: ``before``, at its ``peak``, and ``now``, in MiB."""

    def __init__(self, process: psutil.Process, every: float = 0.05) -> None:
        self._process, self._every = process, every
        self.before = self.peak = self.now
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    @property
    def now(self) -> float:
        """MiB at this moment."""
        return float(self._process.memory_info().rss) / MIB

    @property
    def grown(self) -> float:
        """MiB at the peak beyond those before."""
        return self.peak - self.before

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def _look(self) -> None:
        while not self._stop.wait(self._every):
            self.peak = max(self.peak, self.now)


class Served(NamedTuple):
    """What became of a good client's requests: those answered 1000, how long each took, and what else was answered."""

    latencies: list[float]
    others: Counter[str]

    def __str__(self) -> str:
        ms = [round(1000 * percentile(self.latencies, share)) for share in (0.5, 0.99, 1.0)]
        return f"{len(self.latencies)} served, p50 {ms[0]} ms, p99 {ms[1]} ms, worst {ms[2]} ms; {dict(self.others)}"


def steady(
    url: str,
    auth: tuple[str, str] | None,
    prepared: Prepared,
    *,
    seconds: float,
    first: int = 0,
    pause: float = 0.02,
    timeout: float = 30.0,
) -> Served:
    """Submit for so many seconds, one after the other."""
    served, n, until = Served([], Counter()), first, time.monotonic() + seconds
    while time.monotonic() < until:
        begun = time.monotonic()
        try:
            answer = ask(url, auth, prepared, n, timeout)
        except (OSError, EOFError) as error:
            served.others[type(error).__name__] += 1
        else:
            if answer.code == 1000:
                served.latencies.append(time.monotonic() - begun)
            else:
                served.others[f"{answer.status} {answer.code or ''}".strip()] += 1
        n += 1
        time.sleep(pause)
    return served
