"""How cost grows with the work: recipients, parts, octets, messages in the store, new shapes of envelopes.

Of each curve the figure is the worst factor by which the cost grows when the work doubles, between neighbouring points;
below a hundred microseconds apiece nothing is compared, since what does not grow is most of it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from load import Prepared

from benchmarks.figures import Figure
from mm7zeep import exchange, mime
from mm7zeep.exchange import Wire
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.store import search
from mm7zeep.gateway.store.tables import DUPLICATE, MESSAGE, RAW, RECIPIENT
from mm7zeep.messages import Number, Part, SubmitReq

MOST = 2.2
LEAST = 100e-6  # seconds
LIMITS = mime.Limits(body=400 * 1024 * 1024, root=16 * 1024 * 1024, parts=5_000)
TEXT = Part(body=b"Science news", content_type="text/plain", content_id="text@bench")


def per_doubling(points: Sequence[tuple[float, float]]) -> float:
    """The worst growth of the cost for twice the work, between neighbouring points (work, seconds)."""
    worst = 0.0
    for (work, before), (more, after) in zip(points, points[1:], strict=False):
        if after >= LEAST:
            worst = max(worst, (after / max(before, LEAST)) ** (1 / math.log2(more / work)))
    return worst


def curve(name: str, sizes: Sequence[int], prepare: Callable[[int], Callable[[], object]]) -> Iterator[Figure]:
    """The cost at each size, and the growth; the median of some runs each."""
    points: list[tuple[float, float]] = []
    for size in sizes:
        run = prepare(size)
        run()
        samples, until = [], time.perf_counter() + 1.0
        while len(samples) < 3 or (time.perf_counter() < until and len(samples) < 100):
            begun = time.perf_counter()
            run()
            samples.append(time.perf_counter() - begun)
        points.append((size, statistics.median(samples)))
        yield Figure.of(f"{name}, {size:,}", [one * 1000 for one in samples], "ms", "less")
    yield Figure.of(f"{name}: growth for twice the work", [per_doubling(points)], "x", "less", MOST)


def packed(message: SubmitReq) -> Wire:
    """A message as it goes out."""
    wire = exchange.pack(message, transaction_id="growth-1")
    return Wire(headers=wire.headers, body=wire.read())


def sending(message: SubmitReq) -> Callable[[], object]:
    """``pack`` of a message, and its octets as a sender takes them."""
    return lambda: sum(map(len, exchange.pack(message).chunks()))


def reading(message: SubmitReq) -> Callable[[], object]:
    """``unpack`` of a message."""
    wire = packed(message)
    return lambda: exchange.unpack(wire, limits=LIMITS)


def to(count: int) -> SubmitReq:
    """A message with so many recipients."""
    return SubmitReq(vaspid="TNN", to=[Number(f"+61{n:09d}") for n in range(count)], subject="News", parts=(TEXT,))


def of_parts(count: int) -> SubmitReq:
    """A message with so many parts of 1 kB."""
    body = os.urandom(1000)
    parts = [Part(body=body, content_type="image/jpeg", content_id=f"p{n}@bench") for n in range(count)]
    return SubmitReq(vaspid="TNN", to=[Number("+61412345678")], parts=parts)


def of_octets(count: int) -> SubmitReq:
    """A message with one part of so many octets."""
    part = Part(body=os.urandom(count), content_type="image/jpeg", content_id="p@bench")
    return SubmitReq(vaspid="TNN", to=[Number("+61412345678")], parts=(part,))


def stored(sizes: Sequence[int]) -> Iterator[Figure]:
    """A durable submit, eight at the same moment, a page of the list and the look of the dispatcher, with so many
    messages in the store, each with its remembered request.
    """
    prepared = Prepared(delivery_report=False)
    secret = base64.b64encode(b"tnn:t").decode()
    costs: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="mm7zeep-bench-") as folder, asyncio.Runner() as loop:
        application = Application(name="tnn", password="t", vaspid="TNN", vasids=("News",))  # noqa: S106
        gateway = Gateway(
            Settings(applications=(application,), database=f"sqlite:///{folder}/gateway.db", allow_internal=True)
        )
        there = 0

        def request(n: int) -> Wire:
            body = prepared.body(n)
            head = (*prepared.headers, ("Authorization", f"Basic {secret}"), ("Content-Length", str(len(body))))
            return Wire(method="POST", target="/mm7", headers=head, body=body)

        def submit(n: int) -> None:
            if gateway.answer(request(n), peer="127.0.0.1").status != 200:
                raise SystemExit("a submit was refused")

        async def at_once(numbers: Iterable[int]) -> None:
            statuses = await asyncio.gather(*(asked(gateway, request(n)) for n in numbers))
            if statuses != [200] * len(statuses):
                raise SystemExit("a submit was refused")

        def eight(n: int) -> None:
            loop.run(at_once(10**9 + 8 * n + k for k in range(8)))

        def listed(n: int) -> None:
            with gateway.database.read() as connection:
                search.found(connection, search.Search(application="tnn"), limit=50)

        for n in range(20):
            submit(n)
        for size in sizes:
            fill(gateway, there, size)
            there = size
            runs = {
                "durable submit": submit,
                "eight submits at the same moment": eight,
                "list of 50": listed,
                "look of the dispatcher": lambda n: gateway.dispatcher._until_due(True),
            }
            for name, run in runs.items():
                samples = []
                for n in range(60):
                    begun = time.perf_counter()
                    run(size * 1000 + 1000 + n)
                    samples.append(time.perf_counter() - begun)
                costs.setdefault(name, []).append((max(size, 1), statistics.median(samples)))
                yield Figure.of(f"{name}, {size:,} messages kept", [one * 1000 for one in samples], "ms", "less")
            gateway.run_pending()
        gateway.close()
    for name, points in costs.items():
        yield Figure.of(f"{name}: growth for twice the messages", [per_doubling(points)], "x", "less", MOST)


async def asked(gateway: Gateway, wire: Wire) -> int:
    """The status that the gateway's ASGI application answers a request with."""
    statuses: list[int] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": wire.body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    head = [(name.lower().encode(), value.encode()) for name, value in (*wire.headers, ("Host", "bench"))]
    scope = {
        "type": "http",
        "method": "POST",
        "path": wire.target,
        "query_string": b"",
        "headers": head,
        "client": ("127.0.0.1", 9),
    }
    await (gateway.asgi if wire.target == "/mm7" else gateway.api)(scope, receive, send)
    return statuses[0]


def by_json(recipients: Sequence[int], octets: Sequence[int]) -> Iterator[Figure]:
    """A durable message that comes as JSON, to so many recipients, and with so many octets of a picture."""
    secret = base64.b64encode(b"tnn:t").decode()
    head = (("Authorization", f"Basic {secret}"), ("Content-Type", "application/json"))
    with tempfile.TemporaryDirectory(prefix="mm7zeep-bench-") as folder, asyncio.Runner() as loop:
        application = Application(name="tnn", password="t", vaspid="TNN")  # noqa: S106
        database = f"sqlite:///{folder}/gateway.db"
        gateway = Gateway(Settings(applications=(application,), database=database, allow_internal=True, limits=LIMITS))

        def sending(count: int, size: int) -> Callable[[], object]:
            picture = {"data": base64.b64encode(os.urandom(size)).decode(), "content_type": "image/jpeg"}
            message = {"to": [f"+614{n:08}" for n in range(count)], "parts": [picture]}
            wire = Wire(method="POST", target="/v1/messages", headers=head, body=json.dumps(message).encode())

            def run() -> None:
                if loop.run(asked(gateway, wire)) != 202:
                    raise SystemExit("a message was refused")

            return run

        yield from curve("JSON message, recipients", recipients, lambda count: sending(count, 1000))
        yield from curve("JSON message, octets", octets, lambda size: sending(1, size))
        gateway.close()


def fill(gateway: Gateway, there: int, size: int) -> None:
    """Messages that ended, up to so many."""
    fields = json.dumps({"vaspid": "TNN"})
    for first in range(there, size, 10_000):
        numbers = range(first, min(first + 10_000, size))
        with gateway.database.write() as connection:
            connection.execute(
                sa.insert(MESSAGE),
                [
                    {
                        "id": f"kept-{n:09d}", "direction": "mt", "application": "tnn", "excerpt": "news", "size": 3000,
                        "accepted": 1.7e9 + n, "delivery_report": False, "read_reply": False, "content": 0,
                        "fields": fields, "parts": "[]", "findings": "[]",
                    }
                    for n in numbers
                ],
            )  # fmt: skip
            connection.execute(
                sa.insert(RAW),
                [
                    {"message_id": f"kept-{n:09d}", "n": 0, "received": 1.7e9, "headers": "[]", "body": b""}
                    for n in numbers
                ],
            )
            connection.execute(
                sa.insert(RECIPIENT),
                [
                    {
                        "message_id": f"kept-{n:09d}", "n": 0, "place": "to", "kind": "number", "state": "Retrieved",
                        "address": f"+61{n:09d}", "destination": "handset", "changed": 1.7e9,
                    }
                    for n in numbers
                ],
            )  # fmt: skip
            connection.execute(
                sa.insert(DUPLICATE),
                [
                    {
                        "application": "tnn", "operation": "SubmitReq", "transaction_id": f"kept-{n:09d}",
                        "digest": f"{n:064x}", "created": 1.7e9 + n, "answer": '{"code": 1000}',
                    }
                    for n in numbers
                ],
            )  # fmt: skip


def shapes(sizes: Sequence[int]) -> Iterator[Figure]:
    """A flood of envelopes, each of a new shape, beside the same without plans; then one whose shape is well known."""
    whole = packed(to(1))
    body = whole.read()
    known = Wire(headers=whole.headers, body=body)

    def usual() -> float:
        samples = []
        for _ in range(300):
            begun = time.perf_counter()
            exchange.unpack(known)
            samples.append(time.perf_counter() - begun)
        return statistics.median(samples)

    before = usual()
    at = body.index(b"<", body.index(b"Recipients") + 10)
    done = 0
    for size in sizes:
        every = max(1, (size - done) // 1000)  # of the plain path as many as tell its cost
        costs: dict[bool, list[float]] = {True: [], False: []}
        for n in range(done, size):
            blanks = f"{n:b}".replace("0", " ").replace("1", "\n").encode()
            wire = Wire(headers=whole.headers, body=body[:at] + blanks + body[at:])
            for plans in (True, False):
                if plans or n % every == 0:
                    begun = time.perf_counter()
                    exchange.unpack(wire, plans=plans)
                    costs[plans].append(time.perf_counter() - begun)
        ratio = statistics.median(costs[True]) / statistics.median(costs[False])
        yield Figure.of(f"a message of a new shape, {size:,} of them, against no plans", [ratio], "x", "less", 1.1)
        done = size
    yield Figure.of("a message of a known shape, after the flood against before", [usual() / before], "x", "less", 1.5)


def measure(*, quick: bool = False) -> list[Figure]:
    """All curves; ``quick`` leaves out their longest ends."""
    end = -1 if quick else None
    found: list[Figure] = []
    tens = (1, 10, 100, 1_000, 10_000)
    found += curve("pack, recipients", tens[:end], lambda n: sending(to(n)))
    found += curve("unpack, recipients", tens[:4], lambda n: reading(to(n)))  # no more are read
    found += curve("pack, parts", tens[:4][:end], lambda n: sending(of_parts(n)))
    found += curve("unpack, parts", tens[:4][:end], lambda n: reading(of_parts(n)))
    sizes = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
    found += curve("pack, octets", sizes[:end], lambda n: sending(of_octets(n)))
    found += curve("unpack, octets", sizes[:end], lambda n: reading(of_octets(n)))
    found += by_json((1, 10, 100, 1_000), sizes[:-2] if quick else sizes[:-1])
    found += stored((0, 1_000, 10_000) if quick else (0, 1_000, 10_000, 100_000, 1_000_000))
    found += shapes((100, 1_000) if quick else (100, 1_000, 10_000, 100_000))
    return found
