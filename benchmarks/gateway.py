"""How many durable submits (30 kB) and callbacks a gateway makes on this machine, and how long each takes; its memory over time.

    python -m benchmarks --only gateway
    python -m benchmarks.gateway [--engine sqlite|postgresql] [--workers N] [--minutes M]

Everything runs on loopback and on the same processors: the gateway, who submits to it, who is called back, PostgreSQL. Numbers of
one run are compared with floors of the same run: /livez, which is HTTP without MM7 and without a disk, and 30 kB appended and synced
by one thread, which is the disk alone. The second command lets the load go on for so many minutes and tells the memory
of each process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil
import requests

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import audit
from callback_sink import CallbackSink, Trouble
from gateway_process import AUTH, GatewayProcess, eventually
from load import Load, Prepared, PreparedJson, ask, percentile
from storm import database_of

from benchmarks.figures import Figure

CONNECTIONS = 32
ROUNDS = 3
MIB = 1024 * 1024
WARM = 100  # submits before anything is measured
KEPT = 2_000  # messages that retention leaves in the memory run


# --- floors -----------------------------------------------------------------------------------------------------------


def synced_appends(folder: Path, seconds: float) -> float:
    """How often a second one thread appends 30 kB to a file and syncs it."""
    block, count, until = os.urandom(30_000), 0, time.monotonic() + seconds
    with (folder / "appended").open("wb", buffering=0) as file:
        while time.monotonic() < until:
            file.write(block)
            os.fdatasync(file.fileno())
            count += 1
    return count / seconds


def livez(gateway: GatewayProcess, seconds: float) -> float:
    """How often a second /livez is answered on as many connections as submit."""
    host, port = gateway.admin.removeprefix("http://").split(":")
    request, until, counts = (
        f"GET /livez HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode(),
        time.monotonic() + seconds,
        [],
    )

    async def ask_on() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        count = 0
        while time.monotonic() < until:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if not head.startswith(b"http/1.1 200"):
                raise SystemExit(f"/livez was answered {head!r}")
            await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
            count += 1
        writer.close()
        counts.append(count)

    async def ask_all() -> None:
        await asyncio.gather(*(ask_on() for _ in range(CONNECTIONS)))

    asyncio.run(ask_all())
    return sum(counts) / seconds


# --- what is measured -------------------------------------------------------------------------------------------------


def submits(gateway: GatewayProcess, seconds: float, *, json: bool = False) -> Load:
    """Submits without reports, as many as there may be; by MM7, or the same messages as JSON."""
    url = f"{gateway.api}/messages" if json else gateway.url
    prepared = (PreparedJson if json else Prepared)(delivery_report=False)
    with Load(url, AUTH, prepared, count=None, concurrency=CONNECTIONS) as load:
        time.sleep(seconds)
        load.stop()
        load.join(30)
    if set(load.outcomes) != {"1000"}:
        raise SystemExit(f"not all submits were accepted: {load.outcomes}")
    return load


def callbacks(gateway: GatewayProcess, sink: CallbackSink, count: int) -> float:
    """How many calls a second are made and answered once ``count`` of them wait: an endpoint that was paused is resumed."""
    sink.troubles = (Trouble(http=401),)
    with Load(gateway.url, AUTH, Prepared(size=3_000), count=count, concurrency=CONNECTIONS) as load:
        load.join(600)
    with audit.looking(gateway.database) as connection:
        eventually(lambda: waiting(connection) >= count, f"{count} calls that wait", timeout=60)
    sink.troubles = ()
    before = len(sink.kept())
    answer = requests.post(f"{gateway.admin}/api/v1/callbacks/replay", json={"endpoint": sink.url}, timeout=60)
    answer.raise_for_status()
    eventually(lambda: len(sink.kept()) - before >= count, f"{count} calls", timeout=600, pause=0.02)
    moments = [one.at for one in sink.kept()[before:]]
    return (count - 1) / (max(moments) - min(moments))


def waiting(connection: audit.Connection) -> int:
    """How many calls wait."""
    connection.rollback()
    return int(connection.exec_driver_sql("SELECT count(*) FROM outbox WHERE state <> 'done'").scalar() or 0)


def round_trips(gateway: GatewayProcess, sink: CallbackSink, count: int) -> list[float]:
    """Seconds from a submit until its report arrives, one message at a time."""
    prepared, taken = Prepared(), []
    for n in range(count):
        before, since = len(sink.kept()), time.monotonic()
        ask(gateway.url, AUTH, prepared, n)
        eventually(lambda before=before: len(sink.kept()) > before, "a report", pause=0.002)
        taken.append(sink.kept()[-1].at - since)
    return taken


def spent(gateway: GatewayProcess) -> float:
    """Seconds of processor that its processes have taken."""
    return sum(sum(one.cpu_times()[:2]) for one in gateway.all_processes())


def of(engine: str, workers: int, seconds: float) -> list[Figure]:
    """The figures of one engine with so many processes."""
    rates, costs, p50, p99, floors, webs = [], [], [], [], [], []
    json_rates, json_costs, json_p99 = [], [], []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mm7zeep-bench-")))
        database = stack.enter_context(database_of(engine))
        sink = stack.enter_context(CallbackSink())
        gateway = stack.enter_context(
            GatewayProcess(folder / "g", callback=sink.url, database=database, workers=workers)
        )
        time.sleep(
            3.0 if workers > 1 else 0.0
        )  # it serves as soon as its first process does; here all of them are meant
        for n in range(WARM):
            ask(gateway.url, AUTH, Prepared(delivery_report=False, run="warm-up-"), n)
            ask(f"{gateway.api}/messages", AUTH, PreparedJson(run="warm-up-"), n)
        for _ in range(ROUNDS):
            floors.append(synced_appends(folder, 1.0))
            webs.append(livez(gateway, 1.0))
            before = spent(gateway)
            load = submits(gateway, seconds)
            rates.append(len(load.accepted) / load.elapsed)
            costs.append((spent(gateway) - before) / len(load.accepted) * 1000)
            p50.append(percentile(load.latencies, 0.5) * 1000)
            p99.append(percentile(load.latencies, 0.99) * 1000)
            before = spent(gateway)
            load = submits(gateway, seconds, json=True)
            json_rates.append(len(load.accepted) / load.elapsed)
            json_costs.append((spent(gateway) - before) / len(load.accepted) * 1000)
            json_p99.append(percentile(load.latencies, 0.99) * 1000)
        alone = round_trips(gateway, sink, 30)
        calls = [callbacks(gateway, sink, 1_500) for _ in range(ROUNDS)]
    what = f"{engine}, {workers} process{'es' if workers > 1 else ''}"
    target = workers == 2  # what the targets are of
    return [
        Figure.of(f"{what}: durable submits", rates, "/s", "more", 1000 if target else None),
        Figure.of(f"{what}: processor of a submit", costs, "ms", "less", 1.3 if target else None),
        Figure.of(f"{what}: p50 of a submit", p50, "ms", "less"),
        Figure.of(f"{what}: p99 of a submit", p99, "ms", "less", 100 if target else None),
        Figure.of(
            f"{what}: submits against synced appends", [a / b for a, b in zip(rates, floors, strict=True)], "x", "more"
        ),
        Figure.of(f"{what}: submits against /livez", [a / b for a, b in zip(rates, webs, strict=True)], "x", "more"),
        Figure.of(f"{what}: durable JSON messages", json_rates, "/s", "more"),
        Figure.of(f"{what}: processor of a JSON message", json_costs, "ms", "less"),
        Figure.of(f"{what}: p99 of a JSON message", json_p99, "ms", "less"),
        Figure.of(
            f"{what}: JSON messages against submits",
            [a / b for a, b in zip(json_rates, rates, strict=True)],
            "x",
            "more",
        ),
        Figure.of(f"{what}: callbacks", calls, "/s", "more", 700 if target else None),
        Figure.of(f"{what}: a report after its submit", [one * 1000 for one in alone], "ms", "less"),
    ]


def measure(seconds: float = 5.0, engines: Sequence[str] = ("sqlite", "postgresql")) -> list[Figure]:
    """The figures of each engine, with one process and with two."""
    found: list[Figure] = []
    for engine in engines:
        one, two = of(engine, 1, seconds), of(engine, 2, seconds)
        found += [*one, *two]
        calls = [next(figure for figure in both if figure.name.endswith(": callbacks")) for both in (one, two)]
        gained = calls[1].value / calls[0].value
        least = 1.7 if engine == "postgresql" else None
        found.append(Figure.of(f"{engine}: callbacks with a second process", [gained], "x", "more", least))
    return found


# --- memory -----------------------------------------------------------------------------------------------------------


def slope(points: list[tuple[float, float]]) -> float:
    """MiB per 10 minutes, by least squares."""
    if len(points) < 2:
        return 0.0
    return statistics.linear_regression([at for at, _ in points], [size for _, size in points]).slope * 600


def remember(engine: str, workers: int, minutes: float) -> bool:
    """Submits with reports for so many minutes, and the memory of each process meanwhile; whether it stayed flat."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mm7zeep-bench-")))
        database = stack.enter_context(database_of(engine))
        sink = stack.enter_context(CallbackSink())
        gateway = stack.enter_context(
            GatewayProcess(
                folder / "g",
                callback=sink.url,
                database=database,
                workers=workers,
                tables={"retention": {"messages": KEPT}},
            )
        )
        processes = gateway.all_processes()
        seen: dict[int, list[tuple[float, float]]] = {one.pid: [] for one in processes}
        load = stack.enter_context(Load(gateway.url, AUTH, Prepared(), count=None, concurrency=CONNECTIONS))
        begun, step = time.monotonic(), max(1.0, minutes * 60 / 60)
        print(
            f"{engine}, {workers} workers, {minutes:g} minutes: seconds, submits, calls, MiB of {', '.join(map(str, seen))}"
        )
        while (now := time.monotonic() - begun) < minutes * 60:
            sizes = [one.memory_info().rss / MIB for one in processes]
            for one, size in zip(processes, sizes, strict=True):
                seen[one.pid].append((now, size))
            print(
                f"{now:8.0f} {len(load.accepted):8} {len(sink.calls):8}  {'  '.join(f'{size:7.1f}' for size in sizes)}",
                flush=True,
            )
            time.sleep(step)
        load.stop()
        load.join(30)
        flat = True
        for pid, points in seen.items():
            late = [(at, size) for at, size in points if at > minutes * 60 / 3]
            grows = slope(late)
            flat &= grows < 0.05 * late[-1][1] * max(1.0, 10 / minutes)
            print(
                f"  process {pid}: {late[0][1]:.1f} to {late[-1][1]:.1f} MiB in the last two thirds, {grows:+.2f} MiB per 10 minutes"
            )
        print(
            f"  {len(load.accepted) / load.elapsed:.0f} submits/s, {len(sink.kept())} reports taken; memory is {'flat' if flat else 'NOT FLAT'}"
        )
        return flat


def main() -> int:
    """The command that looks at memory."""
    parser = argparse.ArgumentParser(description="Watch the memory of a gateway under load.")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append", help="default: both")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--minutes", type=float, default=10.0)
    given = parser.parse_args()
    flat = [remember(engine, given.workers, given.minutes) for engine in given.engine or ("sqlite", "postgresql")]
    return 0 if all(flat) else 1


if __name__ == "__main__":
    sys.exit(main())
