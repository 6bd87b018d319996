"""Each write-side system call of a submit and of its report fails in turn: no 1000 without the message, none twice.

The n-th call of each name that the gateway makes on the files of its SQLite database fails, n = 1 ... N.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import system_calls

from mm7zeep.gateway.store import tables
from mm7zeep.gateway.store.database import Database

pytestmark = pytest.mark.processes

CALLS = (
    "write", "writev", "pwrite64", "pwritev", "pwritev2", "fsync", "fdatasync", "ftruncate", "fallocate", "unlink",
    "unlinkat", "rename", "renameat2",
)  # fmt: skip
DRIVER = Path(__file__).with_name("write_fault_driver.py")


@pytest.fixture(scope="module", autouse=True)
def _needs_strace() -> None:
    system_calls.require()


def traced(folder: Path, inject: str | None, *, checkpoint: bool) -> tuple[dict[str, Any] | None, list[str]]:
    """What the driver says of its run, None where it could not open its database; and its calls, line by line."""
    file, log = folder / "gateway.db", folder / "log"
    words = ["strace", "-qq", "-o", str(log), "-e", f"trace={','.join(CALLS)}"]
    words += ["-e", f"inject={inject}"] if inject is not None else []
    for end in ("", "-wal", "-shm", "-journal"):
        words += ["-P", f"{file}{end}"]
    words += [sys.executable, str(DRIVER), str(file), *(["--checkpoint"] if checkpoint else [])]
    done = subprocess.run(words, capture_output=True, timeout=300, check=False)
    said = done.stdout.decode().splitlines()
    assert said or b"could not be opened" in done.stderr, done.stderr.decode()[-2000:]
    return json.loads(said[-1]) if said else None, log.read_text(errors="replace").splitlines()


def deviations(folder: Path, said: dict[str, Any]) -> Iterator[str]:
    """What a run promised, and its database does not hold when it is opened again."""
    with closing(Database(f"sqlite:///{folder / 'gateway.db'}")) as database, database.read() as connection:
        kept = list(connection.scalars(sa.select(tables.MESSAGE.c.id)))
        bodies = list(connection.scalars(sa.select(tables.RAW.c.message_id)))
        calls = [
            tuple(row) for row in connection.execute(sa.select(tables.OUTBOX.c.transaction_id, tables.OUTBOX.c.state))
        ]
        sound = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
    promised = {answer[2] for answer in said["answers"] if answer[1] == 1000}
    if sound != "ok":
        yield f"the file is damaged: {sound}"
    if len(promised) > 1:
        yield f"one request was answered with {promised}"
    if promised and kept != list(promised):
        yield f"{promised} was answered, {kept} is kept"
    if kept != bodies:
        yield f"{kept} is kept, and the octets of {bodies}"
    if any(answer[0] not in (200, 503) for answer in said["answers"]):
        yield f"the answers were {said['answers']}"
    if said["answers"][1][1] != 1000:
        yield f"the same request again was answered {said['answers'][1]}"
    if len(set(said["made"])) != 1 or calls != [(said["made"][0], "done")]:
        yield f"reports {said['made']} were made, {calls} is kept"


def run_all(folder: Path, error: str, *, checkpoint: bool, step: int = 1) -> Counter[str]:
    """Have every ``step``-th call fail, each in a run of its own; how many failed, by name."""
    made = folder / "gateway.db"
    Database(f"sqlite:///{made}").close()  # with its tables: their making is not what fails here

    def run(name: str, n: int) -> list[str]:
        own = folder / f"{name}-{n}"
        own.mkdir()
        shutil.copyfile(made, own / "gateway.db")
        said, lines = traced(own, f"{name}:error={error}:when={n}", checkpoint=checkpoint)
        injected = [line for line in lines if "INJECTED" in line]
        assert len(injected) == 1, f"{name} {n} did not fail"
        found = list(deviations(own, said)) if said is not None else []
        shutil.rmtree(own)
        return [f"{name} {n}: {injected[0]}: {one}" for one in found]

    whole = folder / "whole"
    whole.mkdir()
    shutil.copyfile(made, whole / "gateway.db")
    said, lines = traced(whole, None, checkpoint=checkpoint)
    assert said is not None
    assert list(deviations(whole, said)) == []
    counts = Counter(line.partition("(")[0] for line in lines)  # strace counts the calls of each name by themselves
    runs = [(name, n) for name, count in sorted(counts.items()) for n in range(1, count + 1, step)]
    with ThreadPoolExecutor(2) as threads:
        wrong = [one for found in threads.map(lambda which: run(*which), runs) for one in found]
    assert wrong == []
    return Counter(name for name, _ in runs)


def test_some_calls_fail(tmp_path: Path) -> None:
    """Some of the calls fail in turn, of each name the first, with a checkpoint at each commit."""
    failed = run_all(tmp_path, "EIO", checkpoint=True, step=16)
    assert {"pwrite64", "fdatasync"} <= set(failed)


@pytest.mark.attack
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("checkpoint", [False, True], ids=["log", "checkpoints"])
def test_every_call_fails(tmp_path: Path, error: str, checkpoint: bool) -> None:
    """Each call fails in turn, n = 1 ... N."""
    failed = run_all(tmp_path, error, checkpoint=checkpoint)
    counts = ", ".join(f"{count} {name}" for name, count in sorted(failed.items()))
    sys.stdout.write(
        f"\n    write faults: {failed.total()} runs, {error} in one call of each: {counts}; 0 deviations\n"
    )
    assert {"pwrite64", "fdatasync"} <= set(failed)
