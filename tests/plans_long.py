"""Plans against the plain path, a million documents long: ``python tests/plans_long.py [--documents N] [--seed N]``.

Prints how many documents there were and how many took plans; ends with the first that came out otherwise.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import test_plans

_STEP = 3000


def main() -> None:
    """Compare, and print the numbers."""
    parser = argparse.ArgumentParser(description="plans against the plain path")
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1000)
    asked = parser.parse_args()
    begun, done, used = time.monotonic(), 0, 0
    while done < asked.documents:
        used += test_plans.run(asked.seed + done, _STEP)
        done += _STEP
    print(f"{done} documents, {used} took plans, none came out otherwise; {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
