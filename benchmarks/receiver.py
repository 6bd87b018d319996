"""How many DeliverReq of 30 kB a ``Receiver`` takes over HTTP, in two processes, beside a bare uvicorn application that
reads as many octets and answers.

Both serve with uvicorn and httptools on one socket that their processes share; the load comes from the same machine.
"""

from __future__ import annotations

import multiprocessing
import random
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import uvicorn

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from load import Load, Prepared

from benchmarks.figures import Figure
from mm7zeep import exchange
from mm7zeep.messages import DeliverReq, Part
from mm7zeep.receiver import Receiver

AUTH = ("bench", "bench")
PROCESSES = 2


class Delivered(Prepared):
    """DeliverReqs in the place of submits."""

    def __init__(self) -> None:
        super().__init__()
        text = Part(body=b"Hello from a handset", content_type="text/plain", content_id="text@load")
        noise = random.Random(1977).randbytes(28_000)
        picture = Part(body=b"\xff\xd8\xff" + noise, content_type="image/jpeg", content_id="saturn.jpg@load")
        marks = self._marks(987_654_321)
        message = DeliverReq(sender=marks[1], to=("111122",), subject=marks[2], parts=(text, picture))  # type: ignore[arg-type]
        wire = exchange.pack(message, transaction_id=marks[0])
        self._cut(wire)


def receiver(asynchronous: bool) -> Receiver:
    """A receiver that keeps nothing."""
    made = Receiver(auth=AUTH)
    if asynchronous:

        @made.on_deliver
        async def take(message: DeliverReq) -> None:
            """Taken."""
    else:

        @made.on_deliver
        def keep(message: DeliverReq) -> None:
            """Taken."""

    return made


async def bare(scope: dict, receive: Callable, send: Callable) -> None:  # type: ignore[type-arg]
    """Reads the body and answers with what looks like success."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    body = b"<StatusCode>1000</StatusCode><MessageID>x</MessageID>"
    head = [(b"content-type", b"text/xml"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


def serve(which: str, sock: socket.socket) -> None:
    """One process."""
    app = bare if which == "bare" else receiver(which == "async").asgi
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", http="httptools", loop="asyncio")  # type: ignore[arg-type]
    uvicorn.Server(config).run(sockets=[sock])


@contextmanager
def serving(which: str) -> Iterator[tuple[str, list[psutil.Process]]]:
    """Its URL, and its processes."""
    # with its protocol named: only then asyncio sets TCP_NODELAY, and without it each answer waits 40 ms for an ACK
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    sock.listen(1024)
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=serve, args=(which, sock), daemon=True) for _ in range(PROCESSES)]
    for one in processes:
        one.start()
    try:
        time.sleep(3.0)
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/", [psutil.Process(one.pid) for one in processes]
    finally:
        for one in processes:
            one.kill()
            one.join()
        sock.close()


def once(url: str, processes: list[psutil.Process], connections: int, seconds: float) -> tuple[float, float]:
    """Requests a second, and milliseconds of processor each."""
    with Load(url, AUTH, Delivered(), count=None, concurrency=connections) as load:
        time.sleep(1.0)  # warm
        before, begun, count = _spent(processes), time.monotonic(), len(load.accepted)
        time.sleep(seconds)
        spent, taken, count = _spent(processes) - before, time.monotonic() - begun, len(load.accepted) - count
        load.stop()
        load.join(30)
    if set(load.outcomes) != {"1000"}:
        raise SystemExit(f"not all were taken: {load.outcomes}")
    return count / taken, spent / count * 1000


def _spent(processes: list[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)


def measure(seconds: float = 3.0, rounds: int = 3) -> list[Figure]:
    """The figures of 8 and 32 connections, of a function that is asynchronous and one that is not, and of the bare one."""
    found: list[Figure] = []
    with serving("bare") as floor, serving("async") as asynchronous, serving("sync") as blocking:
        for connections in (8, 32):
            taken: dict[str, list[tuple[float, float]]] = {"bare uvicorn": [], "async def": [], "def": []}
            for _ in range(rounds):
                for name, place in zip(taken, (floor, asynchronous, blocking), strict=True):
                    taken[name].append(once(*place, connections, seconds))
            for name, samples in taken.items():
                ours = name != "bare uvicorn"
                rates, costs = [one for one, _ in samples], [one for _, one in samples]
                where = f"{connections} connections, {name}"
                found.append(Figure.of(f"{where}: requests", rates, "/s", "more", 4000 if ours else None))
                found.append(Figure.of(f"{where}: processor", costs, "ms", "less", 0.4 if ours else None))
    return found
