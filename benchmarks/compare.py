"""Two results of ``python -m benchmarks --json FILE``: what got slower, or faster, by more than the noise.

    python -m benchmarks.compare OLD NEW

Ratios within one run (``x``) are compared as they are; rates and times of two runs only where both ran on the same
kind of machine. A figure has changed when the spreads of its samples do not touch and the medians differ by a tenth. The
exit status is 1 where something got slower.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

LEAST = 0.10


def figures(path: str) -> dict[str, dict[str, Any]]:
    """The figures of one result, by section and name."""
    whole = json.loads(Path(path).read_text(encoding="utf-8"))
    return {f"{section['name']}: {one['name']}": one for section in whole["sections"] for one in section["figures"]}


def verdict(old: dict[str, Any], new: dict[str, Any]) -> str:
    """What became of one figure: ``slower``, ``faster`` or ``same``."""
    apart = new["low"] > old["high"] or new["high"] < old["low"]
    change = new["value"] / old["value"] - 1 if old["value"] else 0.0
    if not apart or abs(change) < LEAST:
        return "same"
    return "slower" if (change > 0) == (new["better"] == "less") else "faster"


def main(old: str, new: str) -> int:
    """Print what changed; 1 where something got slower."""
    before, after = figures(old), figures(new)
    slower = 0
    for name in [one for one in before if one in after]:
        found = verdict(before[name], after[name])
        slower += found == "slower"
        if found != "same":
            unit = after[name]["unit"]
            print(f"{found:7} {name}: {before[name]['value']:.4g} {unit} before, {after[name]['value']:.4g} {unit} now")
    for name in sorted(before.keys() ^ after.keys()):
        print(f"only {'before' if name in before else 'now'}: {name}")
    print(f"{slower} got slower" if slower else "nothing got slower")
    return 1 if slower else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
