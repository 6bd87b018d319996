"""What a large part costs: ``VaspClient`` sends it to an ``Endpoint`` of ours under uvicorn, each in a process of its own.

The figures are the peak of resident memory above idle (after a first small message) and the rate; the SHA-256 at the
far end has to be that of the file. Needs Linux (/proc) and the extra ``gateway``.

    python -m benchmarks --only large_part
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.figures import Figure
from mm7zeep import mime
from mm7zeep.client import AsyncVaspClient, VaspClient
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.messages import Part, RSErrorRsp, SubmitReq, SubmitRsp
from mm7zeep.receiver import Call, Endpoint, HttpLimits
from mm7zeep.transport import Timeouts

MIB = 1024 * 1024
TIMEOUTS = Timeouts(read=300, reply=300)


def memory(name: str) -> float:
    """A size of this process in MiB: ``VmRSS`` now, ``VmHWM`` at its peak."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith(name)).split()[1]) / 1024


def idle() -> float:
    """Forget the peak so far and give the resident memory."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return memory("VmRSS")


def far_side(size: int, pipe: Connection) -> None:
    """The MMSC: tells its address; when asked, its idle memory, then its peak and what it got."""
    kept: list[Part] = []

    def submit(call: Call) -> SubmitRsp:
        kept.extend(call.message.parts)
        return SubmitRsp(message_id=str(len(kept)))

    endpoint = Endpoint(
        {SubmitReq: submit},
        error=RSErrorRsp,
        auth={"bench": "bench"},
        limits=mime.Limits(body=2 * size),
        http=HttpLimits(upload=600),
    )
    with serve_in_thread(endpoint.asgi) as url:
        pipe.send(url)
        pipe.recv()
        before = idle()
        pipe.send(None)
        pipe.recv()
        peak = memory("VmHWM") - before
        largest = max(kept, key=lambda part: part.size)
        pipe.send((before, peak, largest.sha256()))


def submit(style: str, url: str, path: Path, small: Path, pipe: Connection) -> tuple[float, float, float]:
    """Send a small message and the large one; idle memory, peak above it, seconds."""
    options = {"vaspid": "bench", "vasid": "bench", "auth": ("bench", "bench"), "timeouts": TIMEOUTS}

    def between() -> tuple[float, float]:
        pipe.send("idle")
        pipe.recv()
        return idle(), time.perf_counter()

    async def awaited() -> tuple[float, float]:
        async with AsyncVaspClient(url, **options) as client:
            await client.submit("+491", small)
            start = between()
            await client.submit("+491", path)
            return start

    if style == "async":
        before, started = asyncio.run(awaited())
    else:
        with VaspClient(url, **options) as client:
            client.submit("+491", small)
            before, started = between()
            client.submit("+491", path)
    return before, memory("VmHWM") - before, time.perf_counter() - started


def sent(mebibytes: int, style: str) -> tuple[float, float, float]:
    """Send once: the memory of sender and receiver above idle in MiB, and MiB a second."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=far_side, args=(mebibytes * MIB, theirs))
    process.start()
    with tempfile.TemporaryDirectory() as folder:
        path, small = Path(folder) / "large.bin", Path(folder) / "small.bin"
        small.write_bytes(b"\x00\x01")
        digest = hashlib.sha256()
        with path.open("wb") as stream:
            for _ in range(mebibytes):
                piece = os.urandom(MIB)
                digest.update(piece)
                stream.write(piece)
        _, peak, seconds = submit(style, ours.recv(), path, small, ours)
        ours.send("done")
        _, their_peak, got = ours.recv()
    process.join()
    if got != digest.hexdigest():
        raise SystemExit("what arrived is not what was sent")
    return peak, their_peak, mebibytes / seconds


def measure(mebibytes: int = 100) -> list[Figure]:
    """The figures of either client."""
    found = []
    for style in ("sync", "async"):
        runs = [sent(mebibytes, style) for _ in range(3)]
        for what, unit, values, target in (
            ("memory of the sender", "MiB", [one for one, _, _ in runs], 16),
            ("memory of the receiver", "MiB", [one for _, one, _ in runs], 16),
            ("rate", "MiB/s", [one for _, _, one in runs], None),
        ):
            better = "less" if target is not None else "more"
            found.append(Figure.of(f"{mebibytes} MiB, {style}: {what}", values, unit, better, target))
    return found
