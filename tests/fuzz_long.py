"""The long version of fuzzing: ``python tests/fuzz_long.py [--runs N] [--seconds S] [--findings DIR]``.

Runs each target in processes of its own: under atheris, guided by the coverage of our own code, for half of the time;
then with edits of the seeds and of what atheris kept, ten times as fast without its instruments, up to N executions in
all; then under hypothesis. Prints executions, executions per second and findings. A finding does not end the run: its
input is kept in DIR, one file for each place it came from. Exit status 1 if there is any.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

SHARES = {"mime": (0.8, 0.35), "unpack": (0.06, 0.4), "dump": (0.14, 0.25)}
"""Of all runs and of all time, what each target gets."""
MODES = {"atheris": 0.5, "edits": 0.45, "hypothesis": 0.05}
"""Of the time of a target, what each way gets."""
LONGEST = 16384
EXAMPLES = 2000
"""Of hypothesis, for each target."""


class Ledger:
    """What one target has come to, kept in a file, since libFuzzer ends the process where it likes."""

    def __init__(self, path: Path, findings: Path) -> None:
        self._path = path
        self._findings = findings
        self._began = time.monotonic()
        self._told = 0.0
        self._kept: dict[str, str] = {}
        self._slowest = 0.0
        self.count = 0

    def ran(self, took: float) -> None:
        """One more execution."""
        self.count += 1
        self._slowest = max(self._slowest, took)
        if time.monotonic() - self._told > 1:
            self.tell()

    def breach(self, target: str, data: bytes, error: Exception) -> None:
        """Keep an input that broke a promise, once for each place and kind of error."""
        places = [f"{Path(one.filename).name}:{one.lineno}" for one in traceback.extract_tb(error.__traceback__)]
        ours = [place for place in places if place.startswith(("fuzz_targets", "fuzz_long"))]
        key = f"{type(error).__name__} {' '.join(ours[-2:])} {' '.join(places[-1:])}"
        if key in self._kept:
            return
        name = f"{target}-{hashlib.sha256(data).hexdigest()[:12]}"
        (self._findings / name).write_bytes(data)
        self._kept[key] = f"{name}: {str(error).partition(chr(10))[0][:300]}"
        self.tell()

    def tell(self) -> None:
        """Write down what there is so far."""
        self._told = time.monotonic()
        told = {"runs": self.count, "seconds": self._told - self._began, "slowest": self._slowest, "kept": self._kept}
        self._path.write_text(json.dumps(told))


def guided(name: str, runs: int, seconds: int, folder: Path, findings: Path) -> None:
    """Run one target under atheris; does not return."""
    import atheris  # type: ignore[import-not-found]

    with atheris.instrument_imports(include=["mm7zeep"]):
        import fuzz_seeds
        import fuzz_targets

        fuzz_targets.warm()
    target = next(one for one in fuzz_targets.TARGETS if one.name == name)
    ledger = Ledger(folder / f"{name}.json", findings)

    def one(data: bytes) -> None:
        start = time.process_time()
        try:
            fuzz_targets.check(target, data)
        except Exception as error:  # noqa: BLE001 - whatever leaves is what is looked for
            ledger.breach(name, data, error)
        ledger.ran(time.process_time() - start)

    def mutated(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.1:
            return bytes(atheris.Mutate(data, most))
        if chance.random() < 0.1:
            data = chance.choice(target.seeds())
        return fuzz_seeds.edited(data, fuzz_seeds.drawn(chance), most)

    def crossed(first: bytes, second: bytes, most: int, seed: int) -> bytes:
        return fuzz_seeds.crossed(first, second, random.Random(seed))[:most]

    corpus = folder / f"{name}.corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed[:LONGEST])
    options = [
        f"-runs={runs}", f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=60", "-rss_limit_mb=2000",
        "-len_control=0", f"-artifact_prefix={findings}/{name}-", "-verbosity=0", str(corpus),
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options], one, custom_mutator=mutated, custom_crossover=crossed)
    atheris.Fuzz()


def edited(name: str, runs: int, seconds: int, folder: Path, findings: Path) -> None:
    """Run one target on edits of its corpus, without instruments."""
    import fuzz_seeds
    import fuzz_targets

    fuzz_targets.warm()
    target = next(one for one in fuzz_targets.TARGETS if one.name == name)
    kept = [one.read_bytes() for one in sorted(folder.glob(f"{name}.corpus/*"))] or list(target.seeds())
    chance = random.Random(hashlib.sha256(b"".join(kept)).digest())
    ledger = Ledger(folder / f"{name}.json", findings)
    end = time.monotonic() + seconds
    while ledger.count < runs and time.monotonic() < end:
        data = chance.choice(kept)
        if chance.random() < 0.1:
            data = fuzz_seeds.crossed(data, chance.choice(kept), chance)
        data = fuzz_seeds.edited(data, fuzz_seeds.drawn(chance), LONGEST)
        start = time.process_time()
        try:
            fuzz_targets.check(target, data)
        except Exception as error:  # noqa: BLE001 - whatever leaves is what is looked for
            ledger.breach(name, data, error)
        ledger.ran(time.process_time() - start)
    ledger.tell()


def sampled(name: str, examples: int, folder: Path, findings: Path) -> None:
    """Run one target under hypothesis, which shrinks what it finds."""
    import test_fuzz
    from fuzz_targets import TARGETS

    target = next(one for one in TARGETS if one.name == name)
    ledger = Ledger(folder / f"{name}.json", findings)
    try:
        test_fuzz.examples(target, examples, derandomize=False, ran=lambda: ledger.ran(0.0))
    except Exception as error:  # noqa: BLE001 - whatever leaves is what is looked for
        data = "\n".join(getattr(error, "__notes__", [])).encode()
        ledger.breach(f"{name}-notes", data, error)
    ledger.tell()


def start(mode: str, name: str, runs: int, seconds: int, folder: Path, findings: Path) -> subprocess.Popen[bytes]:
    """One target in a process of its own."""
    (folder / f"{name}.json").unlink(missing_ok=True)
    words = [sys.executable, __file__, "--mode", mode, "--target", name, "--runs", str(runs), "--seconds", str(seconds)]
    return subprocess.Popen(
        [*words, "--folder", str(folder), "--findings", str(findings)],
        stdout=(folder / f"{name}.out").open("wb"),
        stderr=subprocess.STDOUT,
    )


def told(mode: str, name: str, code: int, folder: Path) -> tuple[int, list[str]]:
    """Print what became of one target; give its executions and findings."""
    path = folder / f"{name}.json"
    ledger: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"runs": 0, "seconds": 0, "kept": {}}
    kept = list(ledger["kept"].values())
    if code != 0:
        last = (folder / f"{name}.out").read_text(errors="replace")[-2000:]
        kept.append(f"{name}: ended with {code}: {last}")
    pace = ledger["runs"] / max(ledger["seconds"], 0.001)
    slowest = f", slowest {ledger['slowest']:.2f} s" if ledger.get("slowest") else ""
    print(f"{mode:10} {name:7} {ledger['runs']:9} executions, {pace:7.1f}/s{slowest}, {len(kept)} findings", flush=True)
    for one in kept:
        print(f"  {one}", flush=True)
    return ledger["runs"], kept


def main() -> int:
    """All targets, one after the other; or, with --target, one of them in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    for word in ("--mode", "--target", "--folder"):
        parser.add_argument(word, help=argparse.SUPPRESS)
    given = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out
    given.findings.mkdir(parents=True, exist_ok=True)
    if given.target:
        folder = Path(given.folder)
        if given.mode == "hypothesis":
            sampled(given.target, given.runs, folder, given.findings)
        else:
            way = guided if given.mode == "atheris" else edited
            way(given.target, given.runs, given.seconds, folder, given.findings)
        return 0
    runs: Counter[str] = Counter()
    kept: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        for mode, of_mode in MODES.items():
            for target, (share, of_time) in SHARES.items():
                left = max(1, int(given.runs * share) - runs[target]) if mode != "hypothesis" else EXAMPLES
                seconds = max(1, int(given.seconds * of_time * of_mode))
                process = start(mode, target, left, seconds, Path(name), given.findings)
                ran, found = told(mode, target, process.wait(), Path(name))
                runs[target] += ran
                kept += found
    print(f"all        {runs.total()} executions, {len(kept)} findings")
    return 1 if kept else 0


if __name__ == "__main__":
    sys.exit(main())
