"""The soak: mixed load for a long time, a share of it bad; memory has to stay flat, and nothing accepted may be lost.

``python tests/soak.py [--minutes 30] [--connections 128] [--bad 0.3] [--engine sqlite|postgresql] [--workers 1]
[--rate 40] [--size 10000] [--seed N]``

Good clients submit messages that ask for delivery reports, on kept connections; bad ones send what ``bad_requests``
has. The resident memory of every process of the gateway is looked at once a second. At the end the gateway drains, is
ended, and its database is compared with what both neighbours saw. Prints the numbers; exit status 1 for any deviation.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Self

sys.path.insert(0, str(Path(__file__).parent))

import audit
import psutil
from attackers import MIB, Attack
from bad_requests import ACCEPTED, KINDS, BadRequests
from callback_sink import CallbackSink
from gateway_process import AUTH, GatewayProcess
from load import Load, Prepared, percentile
from storm import database_of

_PATIENCE = 60.0  # seconds without a single acceptance that end it
_WINDOWS = 20  # medians of so many windows are compared over the last two thirds


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a soak consists of. ``rate`` requests a second in all, ``bad`` of them by bad clients.

    ``flat``: by how much of itself a process's memory may vary over the last two thirds (medians of windows); ``p99``
    seconds may 99 of 100 good submits take, None: as long as they like.
    """

    minutes: float = 30.0
    connections: int = 128
    bad: float = 0.3
    workers: int = 1
    rate: float = 40.0
    size: int = 10_000
    flat: float = 0.05
    p99: float | None = 1.0
    seed: int = 0

    @property
    def bad_connections(self) -> int:
        """How many of the connections are bad clients'."""
        return max(1, round(self.connections * self.bad))

    @property
    def messages(self) -> int:
        """How many good submits there are."""
        return max(1, round(self.rate * (1 - self.bad) * self.minutes * 60))


@dataclass(frozen=True, kw_only=True)
class Flatness:
    """The memory of one process over the last two thirds of its samples, in MiB: the windows' medians, and the peak."""

    first: float
    least: float
    most: float
    peak: float

    @property
    def spread(self) -> float:
        """How far the windows' medians lie apart, as a part of the least."""
        return self.most / self.least - 1


def flatness(samples: list[float]) -> Flatness:
    """Of one process's samples in MiB, taken evenly; at least three."""
    late = samples[len(samples) // 3 :]
    count = min(_WINDOWS, len(late))
    windows = [late[n * len(late) // count : (n + 1) * len(late) // count] for n in range(count)]
    medians = [median(one) for one in windows]
    return Flatness(first=medians[0], least=min(medians), most=max(medians), peak=max(late))


class Samples:
    """The resident memory of every process of a gateway, by its number, while the context lasts."""

    def __init__(self, gateway: GatewayProcess, every: float) -> None:
        self.taken: dict[int, list[float]] = defaultdict(list)
        self._gateway, self._every = gateway, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _look(self) -> None:
        while not self._stop.wait(self._every):
            for process in self._gateway.all_processes():
                try:
                    self.taken[process.pid].append(process.memory_info().rss / MIB)
                except psutil.NoSuchProcess:
                    continue  # it is missed in the report


@dataclass
class Report:
    """What happened. ``deviations`` are empty when all promises were kept."""

    plan: Plan
    engine: str
    seconds: float = 0.0
    draining: float = 0.0
    accepted: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    memory: dict[int, Flatness] = field(default_factory=dict)
    calls: int = 0
    deviations: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Which part of all requests was bad."""
        bad = self.refused.total()
        return bad / max(1, bad + self.outcomes.total())

    def lines(self) -> list[str]:
        """The report, line by line."""
        plan, ms = self.plan, [1000 * percentile(self.latencies, share) for share in (0.5, 0.99, 1.0)]
        return [
            f"engine      {self.engine}, {plan.workers} workers, {plan.connections} connections, seed {plan.seed}",
            f"lasted      {self.seconds / 60:.1f} minutes, drained {self.draining:.1f} s after the last submit",
            f"good        {self.accepted} of {plan.messages} accepted, {self.accepted / max(1, self.seconds):.1f}/s;"
            f" attempts {_shown(self.outcomes)}",
            f"latency     p50 {ms[0]:.0f} ms, p99 {ms[1]:.0f} ms, worst {ms[2]:.0f} ms",
            f"bad         {self.refused.total()} requests, {100 * self.share:.0f} % of all",
            *(f"            {line}" for line in sorted(f"{what}: {n}" for what, n in self.refused.items())),
            f"callbacks   {self.calls} calls of {self.accepted} messages",
            *(
                f"memory      process {pid}: {one.least:.1f} to {one.most:.1f} MiB in the last two thirds"
                f" ({100 * one.spread:.1f} %; {one.first:.1f} at their begin), peak {one.peak:.1f}"
                for pid, one in self.memory.items()
            ),
            *(f"DEVIATION   {one}" for one in self.deviations),
            f"result      {'FAILED' if self.deviations else '0 lost, nothing twice, memory flat'}",
        ]


def _shown(counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.most_common()) or "none"


def run(plan: Plan, folder: Path, database: str | None = None) -> Report:
    """Soak a gateway in ``folder``; what came of it. Raises ``TimeoutError`` if nothing is accepted any more."""
    report = Report(plan, "PostgreSQL" if database else "SQLite")
    tables: dict[str, dict[str, Any]] = {"delivery": {}, "retention": {"messages": "unlimited"}}
    with CallbackSink() as sink:
        gateway = GatewayProcess(folder, callback=sink.url, database=database, workers=plan.workers, tables=tables)
        with gateway:
            bad = BadRequests(
                gateway.url,
                gateway.port,
                AUTH,
                rate=plan.rate * plan.bad,
                slow=max(1, plan.bad_connections // 3),
                seed=plan.seed,
            )
            load = Load(
                gateway.url,
                AUTH,
                Prepared(size=plan.size),
                count=plan.messages,
                concurrency=max(1, plan.connections - plan.bad_connections),
                timeout=30.0,
                rate=plan.rate * (1 - plan.bad),
                source=lambda number: f"127.2.0.{number // 32 + 1}",
            )
            begun = {process.pid for process in gateway.all_processes()}
            every = min(1.0, plan.minutes * 60 / 100)
            with Attack(plan.bad_connections, bad.send) as attack, Samples(gateway, every) as samples, load:
                _last(load)
            report.seconds, report.refused = load.elapsed, attack.seen
            _drain(gateway, report)
            if begun != {process.pid for process in gateway.all_processes()}:
                report.deviations.append("processes ended and were replaced")
            if status := gateway.stop():
                report.deviations.append(f"SIGTERM ended with exit status {status}")
        _judge(load, samples, report)
        _compare(gateway.database, load, sink, report)
        if "Traceback" in gateway.errors:
            report.deviations.append("the log has tracebacks")
    return report


def _last(load: Load) -> None:
    """Until all is accepted. Raises ``TimeoutError`` when nothing is for a minute."""
    seen, since = 0, time.monotonic()
    while not load.join(0.2):
        if len(load.accepted) > seen:
            seen, since = len(load.accepted), time.monotonic()
        elif time.monotonic() - since > _PATIENCE:
            raise TimeoutError(f"nothing accepted for {_PATIENCE:.0f} s, after {seen}; attempts: {load.outcomes}")


def _drain(gateway: GatewayProcess, report: Report, limit: float = 120.0) -> None:
    """Wait until nothing is outstanding."""
    begun = time.monotonic()
    with audit.looking(gateway.database) as connection:
        while left := audit.outstanding(connection):
            connection.rollback()  # the next look is a new one
            if time.monotonic() - begun > limit:
                report.deviations.append(f"{left} calls or copies outstanding {limit:.0f} s after the last submit")
                break
            time.sleep(0.1)
    report.draining = time.monotonic() - begun


def _judge(load: Load, samples: Samples, report: Report) -> None:
    plan = report.plan
    report.accepted, report.outcomes, report.latencies = len(load.accepted), load.outcomes, load.latencies
    if report.accepted != plan.messages:
        report.deviations.append(f"{plan.messages - report.accepted} submits were never accepted")
    if plan.p99 is not None and (p99 := percentile(report.latencies, 0.99)) > plan.p99:
        report.deviations.append(f"the p99 of good submits is {p99:.2f} s, more than {plan.p99:.2f} s")
    report.deviations += bad_deviations(report)
    report.memory = {pid: flatness(taken) for pid, taken in samples.taken.items() if len(taken) > 2}
    if not report.memory:
        report.deviations.append("no memory was looked at")
    for pid, one in report.memory.items():
        if one.spread > plan.flat:
            report.deviations.append(f"memory of process {pid}: not flat within {100 * plan.flat:.0f} %")


def bad_deviations(report: Report) -> list[str]:
    """What is wrong with what the bad clients saw."""
    found = []
    if report.share < 0.9 * report.plan.bad:
        found.append(f"only {100 * report.share:.0f} % of the requests were bad")
    for outcome in report.refused:
        kind, _, came = outcome.partition(": ")
        if ACCEPTED in came.split() or came == "no answer":
            found.append(f"a bad request ({kind}): {came}")
    if missing := KINDS.keys() - {outcome.partition(": ")[0] for outcome in report.refused}:
        found.append(f"kinds of bad requests that were never sent: {', '.join(sorted(missing))}")
    return found


def _compare(database: str, load: Load, sink: CallbackSink, report: Report) -> None:
    report.calls = len(sink.calls)
    if sink.wrong:
        report.deviations.append(f"{len(sink.wrong)} calls were no MM7")
    if repeated := len(sink.calls) - len({one.transaction_id for one in sink.calls}):
        report.deviations.append(f"{repeated} calls were made again although all were answered 1000")
    with audit.looking(database) as connection:
        for found in (
            audit.integrity(connection),
            audit.messages(connection, load.prepared, load.accepted),
            audit.callbacks(connection, load.accepted.values(), sink.calls),
        ):
            report.deviations += found.lines()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Mixed load on a gateway for a long time, a share of it bad.")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--connections", type=int, default=128)
    parser.add_argument("--bad", type=float, default=0.3, help="the part of the requests that is bad, 0 to 1")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rate", type=float, default=40.0, help="requests a second, good and bad")
    parser.add_argument("--size", type=int, default=10_000, help="octets of a message, about")
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    given = vars(parser.parse_args())
    engine = given.pop("engine")
    with tempfile.TemporaryDirectory(prefix="mm7zeep-soak-") as folder, database_of(engine) as database:
        report = run(Plan(**given), Path(folder), database)
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return int(bool(report.deviations))


if __name__ == "__main__":
    sys.exit(main())
