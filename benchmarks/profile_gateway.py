"""Where a gateway's time goes while it is under load: a table by room, of samples that py-spy takes of its process.

    python -m benchmarks.profile_gateway [--engine sqlite|postgresql] [--seconds S] [--callbacks]

A sample belongs to the innermost room of the gateway on its stack, so that what a library does counts for who asked for
it. What sleeps is left out; a thread that waits for the interpreter counts as if it ran. Before that, without py-spy, the
processor time of each thread as the system counted it. py-spy is not among the project's dependencies: ``tox -e bench``
installs it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from callback_sink import CallbackSink
from gateway_process import AUTH, GatewayProcess
from load import Load, Prepared, ask
from storm import database_of

CONNECTIONS = 32
# the first that fits, from the innermost frame outwards
ROOMS = (
    ("commit and fsync", r"do_commit|_begun|do_rollback"),
    ("SQL", r"gateway/store/(?!content|mapping)"),
    ("rows, digests, excerpts", r"gateway/store/(content|mapping)|gateway/mm7/requests|delivery/routing"),
    ("auth", r"gateway/mm7/auth|gateway/security/|receiver/guard"),
    ("log and metrics", r"gateway/logs|gateway/metrics|logging/__init__"),
    ("checks of a request", r"gateway/mm7/|exchange/limits"),
    ("delivery", r"gateway/delivery/|gateway/simulator"),
    ("calls (client and transport)", r"mm7zeep/(client|transport)/"),
    ("MIME", r"mm7zeep/(mime|charsets|media)"),
    ("judging and message", r"mm7zeep/(exchange|envelope|tolerance|schema|messages|findings|smil)"),
    ("endpoint", r"mm7zeep/receiver/"),
    ("HTTP and event loop", r"gateway/server/|uvicorn|asyncio/"),
)
_WAITS = re.compile(
    r"\b(select|wait|acquire|sleep|poll|accept|recv_into|readinto|_wait_for_tstate_lock|get|_worker) \("
)


def room(stack: list[str]) -> str:
    """The room that a sample belongs to."""
    for frame in reversed(stack):
        for name, pattern in ROOMS:
            if re.search(pattern, frame):
                return name
    return "other"


def threads(pid: int) -> Counter[str]:
    """Hundredths of a second of processor, by name and number of a thread."""
    found: Counter[str] = Counter()
    for entry in Path(f"/proc/{pid}/task").iterdir():
        values = (entry / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
        found["main" if entry.name == str(pid) else f"thread {entry.name}"] = int(values[11]) + int(values[12])
    return found


def sampled(pid: int, seconds: int, file: Path) -> Counter[str]:
    """Samples by room."""
    words = ["py-spy", "record", "-p", str(pid), "-d", str(seconds), "-r", "200", "-f", "raw", "-o", str(file)]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except FileNotFoundError:
        raise SystemExit("py-spy is not installed; pip install py-spy") from None
    found: Counter[str] = Counter()
    for line in file.read_text(encoding="utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        if not _WAITS.search(frames[-1]):
            found[room(frames)] += int(count)
    return found


def main() -> None:
    """Measure, without py-spy and then with it, and print both tables."""
    parser = argparse.ArgumentParser(description="Profile a gateway under load.")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--callbacks", action="store_true", help="with a delivery report of each message")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mm7zeep-profile-")))
        database = stack.enter_context(database_of(given.engine))
        sink = stack.enter_context(CallbackSink())
        gateway = stack.enter_context(GatewayProcess(folder / "g", callback=sink.url, database=database))
        prepared = Prepared(delivery_report=given.callbacks)
        for n in range(100):
            ask(gateway.url, AUTH, Prepared(delivery_report=given.callbacks, run="warm-up-"), n)
        pid = gateway.server().pid
        load = stack.enter_context(Load(gateway.url, AUTH, prepared, count=None, concurrency=CONNECTIONS))
        before, count = threads(pid), len(load.accepted)
        time.sleep(given.seconds)
        spent, count = threads(pid) - before, len(load.accepted) - count
        samples = sampled(pid, given.seconds, folder / "samples")
        load.stop()
        load.join(30)
    ticks = os.sysconf("SC_CLK_TCK")
    whole = sum(spent.values()) / ticks / count * 1000
    print(f"{given.engine}, one process, {count / given.seconds:.0f} submits/s, {whole:.2f} ms of processor each")
    for name, hundredths in spent.most_common(8):
        print(f"  {name:32}{hundredths / ticks / count * 1000:8.2f} ms")
    print("by room, of the samples that do not wait")
    for name, found in samples.most_common():
        share = found / samples.total()
        print(f"  {name:32}{share:8.1%}{share * whole:8.2f} ms")


if __name__ == "__main__":
    main()
