"""What a benchmark found: figures with their spread, a table of them for people, and JSON for ``compare.py``."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

Better = Literal["less", "more"]
IN_A_ROW = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: the median of its samples with the lowest and highest; what it should reach, where there is a target."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    better: Better
    target: float | None = None

    @classmethod
    def of(cls, name: str, samples: Sequence[float], unit: str, better: Better, target: float | None = None) -> Figure:
        """The figure of some samples; of many, the spread is that of the middle half."""
        low, high = min(samples), max(samples)
        if len(samples) >= 20:
            low, _, high = statistics.quantiles(samples, n=4)
        return cls(
            name=name, value=statistics.median(samples), low=low, high=high, unit=unit, better=better, target=target
        )

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.better == "less" else self.value >= self.target

    def line(self) -> str:
        """As one row of the table."""
        said = ""
        if self.target is not None:
            wanted = f"{'at most' if self.better == 'less' else 'at least'} {self.target:g}"
            said = f"   {wanted}{'' if self.reached else ': NOT REACHED'}"
        return (
            f"  {self.name:58}{_short(self.value):>10} {self.unit:6} ({_short(self.low)} to {_short(self.high)}){said}"
        )


@dataclass(slots=True)
class Section:
    """The figures of one benchmark, and how busy the machine was before and after."""

    name: str
    load_before: float = 0.0
    load_after: float = 0.0
    figures: list[Figure] = field(default_factory=list)


def run(sections: Mapping[str, Callable[[], Sequence[Figure]]], file: Path | None) -> int:
    """Run benchmarks one after the other, print a table of each, and write all of it as JSON to ``file``."""
    done = []
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, {platform.system()} {platform.machine()}")
    for name, measure in sections.items():
        section = Section(name, load_before=os.getloadavg()[0])
        section.figures = list(measure())
        section.load_after = os.getloadavg()[0]
        print(f"{name}   (load average {section.load_before:.2f} before, {section.load_after:.2f} after)")
        for one in section.figures:
            print(one.line())
        sys.stdout.flush()
        done.append(section)
        if file is not None:
            whole = {
                "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "python": platform.python_version(),
                "processors": os.cpu_count(),
                "sections": [asdict(one) for one in done],
            }
            file.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    missed = sum(one.reached is False for section in done for one in section.figures)
    print(f"{missed} target{'' if missed == 1 else 's'} not reached" if missed else "all targets reached")
    return 0


def interleaved(rounds: int, **runs: Callable[[], object]) -> dict[str, list[float]]:
    """The seconds of each run, taken in turns so that all see the same machine; in each turn ``IN_A_ROW`` times, as it
    would run, and not behind what another has left in the processor's caches.
    """
    for one in runs.values():
        one()
        one()
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, one in runs.items():
            start = time.perf_counter()
            for _ in range(IN_A_ROW):
                one()
            taken[name].append((time.perf_counter() - start) / IN_A_ROW)
    return taken


def ratios(upper: Sequence[float], lower: Sequence[float]) -> list[float]:
    """The ratio within each turn."""
    return [one / other for one, other in zip(upper, lower, strict=True)]


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
