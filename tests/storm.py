"""The kill storm: a gateway's workers, or all of it, are killed under load, and nothing accepted may be lost.

``python tests/storm.py [--engine sqlite|postgresql] [--submits 10000] [--kills 30] [--by mm7|json] [--seed N]``

Submits ask for delivery reports; 5 % of the calls that bring them fail. Each SIGKILL falls at a random moment while
submits arrive, every fifth hits the supervisor and all its workers. When nothing is outstanding any more, the gateway
is ended and its database compared with what both neighbours saw. Prints the numbers; exit status 1 for any deviation.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import audit
from callback_sink import CallbackSink, Trouble
from gateway_process import AUTH, QUICK, GatewayProcess
from load import Load, Prepared, PreparedJson, ask, percentile
from postgres_server import SERVER, PostgresServer, fresh_database

import mm7zeep

_PATIENCE = 60.0  # seconds without a single acceptance that end a storm


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a storm consists of. ``lease`` seconds pass before a killed worker's calls are made by another; ``by`` is
    how the messages come in, ``mm7`` or ``json``.
    """

    submits: int = 10_000
    kills: int = 30
    workers: int = 4
    concurrency: int = 16
    failing: float = 0.05
    lease: float = 10.0
    by: str = "mm7"
    seed: int = 0

    @property
    def whole(self) -> int:
        """How many of the kills hit everything."""
        return max(1, self.kills // 5) if self.kills else 0


@dataclass
class Report:
    """What happened. ``deviations`` are empty when all promises were kept."""

    plan: Plan
    engine: str
    submitting: float = 0.0
    draining: float = 0.0
    killed: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    accepted: int = 0
    calls: int = 0
    taken: int = 0
    repeated: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    deviations: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report, line by line."""
        plan, rate = self.plan, self.accepted / self.submitting if self.submitting else 0.0
        p50, p99 = (percentile(self.latencies, share) * 1000 for share in (0.5, 0.99))
        kills = ", ".join(f"{count} {what}" for what, count in sorted(self.killed.items()))
        return [
            f"engine      {self.engine}, {plan.workers} workers, seed {plan.seed}, by {plan.by}",
            f"submits     {self.accepted} of {plan.submits} accepted in {self.submitting:.1f} s, {rate:.0f}/s",
            f"latency     p50 {p50:.0f} ms, p99 {p99:.0f} ms (attempts that were accepted)",
            f"attempts    {_shown(self.outcomes)}",
            f"SIGKILLs    {sum(self.killed.values())}: {kills}",
            f"callbacks   {self.calls} calls, {self.taken} answered 1000, {self.repeated} of them repetitions;"
            f" others {_shown(self.refused)}",
            f"drained     {self.draining:.1f} s after the last submit",
            *(f"DEVIATION   {one}" for one in self.deviations),
            f"result      {'FAILED' if self.deviations else '0 lost, nothing stored twice'}",
        ]


def _shown(counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.most_common()) or "none"


def run(plan: Plan, folder: Path, database: str | None = None) -> Report:
    """Let the storm pass over a gateway in ``folder``; what came of it. Raises ``TimeoutError`` if it stands still."""
    prepared, code = PreparedJson() if plan.by == "json" else Prepared(), _code()
    report = Report(plan, "PostgreSQL" if database else "SQLite")
    tables = {
        "delivery": {**QUICK, "lease": plan.lease},
        "retention": {"messages": "unlimited"},
        "gateway": {"poll": 0.1},
    }
    troubles = (Trouble(probability=plan.failing / 2, http=503), Trouble(probability=plan.failing / 2, cut=True))
    with CallbackSink(*troubles, seed=plan.seed) as sink:
        gateway = GatewayProcess(folder, callback=sink.url, database=database, workers=plan.workers, tables=tables)
        with gateway:
            url = f"{gateway.api}/messages" if plan.by == "json" else gateway.url
            load = Load(url, AUTH, prepared, count=plan.submits, concurrency=plan.concurrency, timeout=15.0, pause=0.1)
            with load:
                _strike(plan, gateway, load, report)
                _finish(load)
            report.submitting = load.elapsed
            begun = time.monotonic()
            _drain(gateway, report, limit=max(60.0, 6 * plan.lease))
            report.draining = time.monotonic() - begun
            _ask_again(load, report)
            if status := gateway.stop():
                report.deviations.append(f"SIGTERM ended with exit status {status}")
        _compare(gateway.database, load, sink, report)
    if _code() != code:
        report.deviations.append("mm7zeep was changed meanwhile: some processes ran other code, all this says nothing")
    return report


def _code() -> str:
    """The digest of the code that a process started now would run."""
    files = sorted(Path(str(mm7zeep.__file__)).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(one.read_bytes() for one in files)).hexdigest()


def _strike(plan: Plan, gateway: GatewayProcess, load: Load, report: Report) -> None:
    """Kill at random moments, all of them before the last submit is accepted."""
    choose = random.Random(plan.seed)
    moments = sorted(choose.sample(range(plan.submits // 50, plan.submits * 49 // 50), plan.kills))
    whole = set(choose.sample(range(plan.kills), plan.whole))
    for number, moment in enumerate(moments):
        _wait_for(load, moment)
        time.sleep(choose.uniform(0, 0.05))
        if number in whole:
            gateway.kill()
            gateway.start()
            report.killed["of everything at once"] += 1
            continue
        for _ in range(200):
            if gateway.kill_worker(choose):
                report.killed["of one worker"] += 1
                break
            time.sleep(0.05)
        else:
            report.deviations.append("for 10 s there was no worker to kill")


def _wait_for(load: Load, accepted: int) -> None:
    """Until so many are accepted. Raises ``TimeoutError`` when none is for a minute."""
    seen, since = len(load.accepted), time.monotonic()
    while len(load.accepted) < accepted:
        if load.join(0.005) and len(load.accepted) < accepted:
            raise TimeoutError(f"the load ended with {len(load.accepted)} accepted")
        if len(load.accepted) > seen:
            seen, since = len(load.accepted), time.monotonic()
        elif time.monotonic() - since > _PATIENCE:
            raise TimeoutError(f"nothing accepted for {_PATIENCE:.0f} s, after {seen}; attempts: {load.outcomes}")


def _finish(load: Load) -> None:
    assert load.count is not None
    _wait_for(load, load.count)
    load.join(10)


def _drain(gateway: GatewayProcess, report: Report, limit: float) -> None:
    """Wait until nothing is outstanding."""
    until = time.monotonic() + limit
    with audit.looking(gateway.database) as connection:
        while left := audit.outstanding(connection):
            connection.rollback()  # the next look is a new one
            if time.monotonic() > until:
                report.deviations.append(f"{left} calls or copies outstanding {limit:.0f} s after the last submit")
                return
            time.sleep(0.1)


def _ask_again(load: Load, report: Report) -> None:
    """A request that was accepted before a kill, sent once more, is answered with the same MessageID."""
    for n in random.Random(report.plan.seed).sample(sorted(load.accepted), min(20, len(load.accepted))):
        answer = ask(load.url, AUTH, load.prepared, n)
        if answer.accepted != load.accepted[n]:
            report.deviations.append(
                f"{load.prepared.transaction_id(n)} was answered {load.accepted[n]},"
                f" and sent again HTTP {answer.status} {answer.code or ''} {answer.message_id}"
            )


def _compare(database: str, load: Load, sink: CallbackSink, report: Report) -> None:
    report.accepted, report.outcomes, report.latencies = len(load.accepted), load.outcomes, load.latencies
    kept = sink.kept()
    report.calls, report.taken = len(sink.calls), len(kept)
    report.repeated = len(kept) - len({one.message_id for one in kept})
    report.refused = Counter(one.told for one in sink.calls if one.told != "1000")
    if sink.wrong:
        report.deviations.append(f"{len(sink.wrong)} calls were no MM7")
    if report.accepted != report.plan.submits:
        report.deviations.append(f"{report.plan.submits - report.accepted} submits were never accepted")
    with audit.looking(database) as connection:
        for found in (
            audit.integrity(connection),
            audit.messages(connection, load.prepared, load.accepted),
            audit.callbacks(connection, load.accepted.values(), sink.calls),
        ):
            report.deviations += found.lines()


@contextmanager
def database_of(engine: str) -> Iterator[str | None]:
    """A fresh database of that engine; None for SQLite, which the gateway makes in its folder."""
    if engine == "sqlite":
        yield None
    elif given := os.environ.get(SERVER):
        with fresh_database(given) as url:
            yield url
    else:
        with PostgresServer() as server, fresh_database(server.url()) as url:
            yield url


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Kill a gateway under load and count what was lost.")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append", help="default: both")
    parser.add_argument("--submits", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--lease", type=float, default=10.0, help="seconds")
    parser.add_argument("--by", choices=("mm7", "json"), default="mm7")
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    given = vars(parser.parse_args())
    engines, failed = given.pop("engine") or ["sqlite", "postgresql"], False
    for engine in engines:
        with tempfile.TemporaryDirectory(prefix="mm7zeep-storm-") as folder, database_of(engine) as database:
            report = run(Plan(**given), Path(folder), database)
        sys.stdout.write("\n".join(report.lines()) + "\n\n")
        sys.stdout.flush()
        failed |= bool(report.deviations)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
