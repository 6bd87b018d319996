"""How many submits the load generator sends on one processor, against a server that always answers the same.

    python -m benchmarks --only load
    python -m benchmarks.load [--seconds S] [--processes N]

One sender, 32 connections; the null server is a process of its own, on another processor. The rate asked for is far
above what can be reached, so that the sender is always behind: what is measured is what it can do, not what the server
can.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure
from mm7zeep.load import Plan, Schedule
from mm7zeep.load.crew import Crew
from mm7zeep.load.plan import FICTIONAL, numbers

SITE = Path(__file__).parent.parent / "tests" / "load_site.py"
TARGET = 2000  # submits a second of processor time
ASKED = 40_000  # a second


@contextmanager
def null_server() -> Iterator[str]:
    """The URL of a server that is a process of its own."""
    with subprocess.Popen([sys.executable, str(SITE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        try:
            yield one.stdout.readline().strip()
        finally:
            one.terminate()


def once(url: str, size: int, seconds: float, processes: int = 1) -> tuple[float, float]:
    """Submits a second, and submits a second of processor time, with one size of content."""
    plan = Plan(
        url=url,
        address="127.0.0.1",
        schedule=Schedule(rate=ASKED * processes, duration=seconds),
        numbers=numbers(FICTIONAL),
        sizes=((size, 1.0),),
        connections=32 * processes,
        processes=processes,
        vaspid="TNN",
        vasid="News",
        max_late=0.0,
    )
    with Crew(plan) as crew:
        tally = crew.run()
    if tally.errors or not tally.succeeded:
        raise SystemExit(f"not all were taken: {tally.errors}")
    rate = tally.succeeded / tally.last_sent
    return rate, rate / sum(tally.processor)


def measure(seconds: float = 5.0, rounds: int = 3, processes: int = 1) -> list[Figure]:
    """The figures of text alone, and of pictures of 30 kB and 300 kB."""
    found: list[Figure] = []
    with null_server() as url:
        for size, name in ((0, "text alone"), (30_000, "30 kB"), (300_000, "300 kB")):
            samples = [once(url, size, seconds, processes) for _ in range(rounds)]
            found.append(Figure.of(f"{name}: submits", [one for one, _ in samples], "/s", "more"))
            target = TARGET if size <= 30_000 else None
            costs = [one for _, one in samples]
            found.append(Figure.of(f"{name}: for each second of a processor", costs, "", "more", target))
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    for figure in measure(given.seconds, processes=given.processes):
        print(figure.line())
