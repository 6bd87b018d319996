"""The process that decodes and codes pictures: one job after the other, over its standard input and output.

A request is a length (four octets, big-endian), a JSON header, then the octets of the picture, whose number the header
says; an answer likewise. Before a picture is looked at, the process has bounded itself: memory, processor time, no
file, no core. It is the pool that starts it, waits for it and kills it.
"""

from __future__ import annotations

import json
import signal
import struct
import sys
from typing import Any, BinaryIO

HEADER = 16 * 1024
"""Octets of a header, at most."""


def main() -> None:
    """Serve until the input ends; ``sys.argv[1]`` is the limits as JSON."""
    limits = json.loads(sys.argv[1])
    _bound(limits)
    source, target = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is no answer
    while (head := source.read(4)) and len(head) == 4:
        request = json.loads(source.read(struct.unpack(">I", head)[0]))
        data = source.read(request["octets"])
        answer, made = _served(request, data, limits)
        _alarm(0)
        _send(target, {**answer, "octets": len(made), "memory": _peak()}, made)


def _served(request: dict[str, Any], data: bytes, limits: dict[str, float]) -> tuple[dict[str, Any], bytes]:
    from mm7zeep.fitting.job import Job, Refused
    from mm7zeep.fitting.pictures import made_to_fit
    from mm7zeep.fitting.previews import preview

    def extend(factor: float) -> None:
        if factor > 1:
            _alarm(limits["seconds"] * factor)

    _alarm(limits["seconds"])
    job = Job(
        budget=request["budget"],
        allowed=tuple(request["allowed"]),
        limits=limits,
        box=request["box"],
        extend=extend,
    )
    size = (0, 0)
    try:
        if job.box:
            made, kind, size = preview(data, job)
        else:
            made, kind = made_to_fit(data, job)
    except Refused as error:
        return {"refused": str(error)[:1000]}, b""
    except MemoryError:
        return {"refused": f"needs more than {int(limits['memory']) // 2**20} MiB to decode"}, b""
    except Exception as error:  # noqa: BLE001 - whatever a decoder raises for hostile octets
        return {"refused": f"cannot be decoded: {type(error).__name__}"}, b""
    return {"kind": kind, "steps": job.steps[:50], "size": size}, made


def _send(target: BinaryIO, header: dict[str, Any], data: bytes) -> None:
    head = json.dumps(header).encode()
    target.write(struct.pack(">I", len(head)) + head)
    target.write(data)
    target.flush()


def _alarm(seconds: float) -> None:
    """End the process once it has used so much processor time; 0 takes it back. SIGPROF ends by default."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _peak() -> int:
    """The most memory it has had, in octets; 0 where that is not known."""
    try:  # Linux: what getrusage says begins with what the parent had
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _bound(limits: dict[str, float]) -> None:
    try:
        import resource
    except ImportError:  # Windows: the pixels and the clock are all that bounds it
        return
    memory = int(limits["memory"])
    for name, value in (("RLIMIT_AS", memory), ("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", 0)):
        _, hard = resource.getrlimit(getattr(resource, name))
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(getattr(resource, name), (bound, bound))
        except (OSError, ValueError):  # macOS knows no RLIMIT_AS
            continue


if __name__ == "__main__":
    main()
