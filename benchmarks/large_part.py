"""What a large part costs: ``VaspClient`` sends it to an ``Endpoint`` of ours under uvicorn, each in a process of its own.

Prints for both sides the peak of resident memory above idle (after a first small message), the time, and whether the
SHA-256 at the far end is that of the file. Needs Linux (/proc) and the extra ``gateway``.

    python benchmarks/large_part.py [MEBIBYTES] [sync|async]
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

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


def main(mebibytes: int = 100, style: str = "sync") -> None:
    """Measure once and print."""
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
        before, peak, seconds = submit(style, ours.recv(), path, small, ours)
        ours.send("done")
        their_before, their_peak, got = ours.recv()
    process.join()
    print(f"{mebibytes} MiB, {style} client, {seconds:.2f} s ({mebibytes / seconds:.0f} MiB/s)")
    print(f"sender    idle {before:6.1f} MiB, peak {peak:+6.1f} MiB")
    print(f"receiver  idle {their_before:6.1f} MiB, peak {their_peak:+6.1f} MiB")
    print("SHA-256 equal" if got == digest.hexdigest() else "SHA-256 DIFFERENT")


if __name__ == "__main__":
    main(*(int(one) if one.isdigit() else one for one in sys.argv[1:]))
