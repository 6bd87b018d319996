"""All benchmarks, one after the other: ``python -m benchmarks [--only NAME ...] [--quick] [--json FILE]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from benchmarks import figures

SECTIONS = {
    "pack_unpack": "a message written and read, against the floor and the stock recipe",
    "receiver": "DeliverReqs over HTTP, against a bare application",
    "gateway": "durable submits and callbacks on either engine, against the disk",
    "load": "submits that the load generator sends, against a server that always answers the same",
    "growth": "what doubling the work costs",
    "viewer": "what the viewer asks the store for, with 100,000 messages in it",
    "cold_start": "commands from nothing",
    "large_part": "memory for a part of 100 MiB",
}
QUICK = {
    "pack_unpack": {"rounds": 40},
    "receiver": {"seconds": 1.0, "rounds": 1},
    "gateway": {"seconds": 2.0, "engines": ("sqlite",)},
    "load": {"seconds": 2.0, "rounds": 1},
    "growth": {"quick": True},
    "viewer": {"count": 20_000, "engines": ("sqlite",)},
    "cold_start": {"rounds": 3},
    "large_part": {"mebibytes": 20},
}


def measuring(name: str, *, quick: bool) -> Callable[[], Sequence[figures.Figure]]:
    """What runs one section; its module is loaded when it does."""
    options = QUICK[name] if quick else {}
    return lambda: partial(import_module(f"benchmarks.{name}").measure, **options)()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure; nothing is a test, and the exit status is 0 whatever came out.",
        epilog="; ".join(f"{name}: {words}" for name, words in SECTIONS.items()),
    )
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS), metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="a rough look in a few minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="for benchmarks.compare")
    given = parser.parse_args()
    return figures.run({name: measuring(name, quick=given.quick) for name in given.only}, given.json)


if __name__ == "__main__":
    sys.exit(main())
