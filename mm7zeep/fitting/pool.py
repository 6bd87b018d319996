"""The processes that decode and code pictures, a few of them, kept for the next picture.

What they send is read as lengths, JSON and octets, each bounded: a worker has looked at hostile content. One that dies,
lies or takes too long is killed and replaced; its picture is refused, and no other.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Self, cast

from mm7zeep import extras, media
from mm7zeep.errors import LocalError
from mm7zeep.findings import KINDS
from mm7zeep.fitting.limits import Limits

_HEADER = 16 * 1024  # octets of a header, as in worker
_STEPS = 50
_START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from mm7zeep.fitting.worker import main; main()"
_KEPT_ENVIRONMENT = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "LANG", "LC_ALL", "PATH")


class Unfit(Exception):
    """A picture that is refused: why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a worker made: octets, media type, what was done (id of a finding, detail), its peak memory in octets.

    ``size`` is width and height of a preview, in pixels; zeros for a picture that was made to fit.
    """

    data: bytes
    kind: str
    steps: tuple[tuple[str, str], ...]
    memory: int
    size: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for, as in ``job.Job``."""

    budget: int
    allowed: tuple[str, ...]
    box: int = 0


class Pool:
    """At most ``workers`` processes; ``limits`` bound each picture. Thread-safe; started when they are needed.

    Close it, or use it with ``with``. Raises ``LocalError`` where the extra ``fit`` is not installed.
    """

    def __init__(self, workers: int | None = None, limits: Limits | None = None) -> None:
        absent = extras.wanting("fit")
        if absent is not None:
            raise LocalError(f"fitting needs the extra fit: {absent}")
        self.limits = limits or Limits()
        self.workers = workers or min(4, os.cpu_count() or 1)
        self._free = threading.Semaphore(self.workers)
        self._lock = threading.Lock()
        self._idle: list[subprocess.Popen[bytes]] = []
        self._closed = False

    def close(self) -> None:
        """End the processes; one that is at work ends with its picture."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for one in idle:
            _end(one)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def fit(self, data: bytes, budget: int, allowed: Sequence[str]) -> Picture:
        """``data`` as a picture of at most ``budget`` octets, of an ``allowed`` media type. Raises ``Unfit``."""
        return self._made(data, _Asked(budget, tuple(allowed)))

    def preview(self, data: bytes, box: int, budget: int, allowed: Sequence[str]) -> Picture:
        """``data`` as a picture to be looked at: upright, its first frame alone, ``box`` pixels on its longer side or
        less, of at most ``budget`` octets and an ``allowed`` media type. Raises ``Unfit``.
        """
        return self._made(data, _Asked(budget, tuple(allowed), box))

    def _made(self, data: bytes, asked: _Asked) -> Picture:
        if len(data) > self.limits.octets:
            raise Unfit(f"has {len(data):,} octets, more than {self.limits.octets:,}")
        with self._free:
            worker = self._take()
            keep = False
            try:
                made = self._answered(worker, data, asked)
                keep = True
            except _Told as told:
                keep = True
                raise Unfit(str(told)) from None
            finally:
                self._give(worker, keep=keep)
        return made

    def _take(self) -> subprocess.Popen[bytes]:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.poll() is None:
                    return worker
                _end(worker)
        return self._start()

    def _give(self, worker: subprocess.Popen[bytes], *, keep: bool) -> None:
        with self._lock:
            if keep and not self._closed:
                self._idle.append(worker)
                return
        _end(worker)

    def _start(self) -> subprocess.Popen[bytes]:
        # no credential of ours, which may stand in the environment, is within reach of a decoder
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        command = [sys.executable, "-I", "-c", _START, json.dumps(sys.path), json.dumps(asdict(self.limits))]
        return subprocess.Popen(  # noqa: S603 - our own interpreter and our own code
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )

    def _answered(self, worker: subprocess.Popen[bytes], data: bytes, asked: _Asked) -> Picture:
        header = {"octets": len(data), **asdict(asked)}
        watch = threading.Timer(self.limits.wait, worker.kill)
        watch.daemon = True
        watch.start()
        try:
            _send(cast(BinaryIO, worker.stdin), header, data)
            return _answer(cast(BinaryIO, worker.stdout), asked.budget, asked.allowed, asked.box)
        except (OSError, EOFError, ValueError):
            worker.kill()
            raise Unfit(self._death(worker.wait())) from None
        finally:
            watch.cancel()

    def _death(self, status: int) -> str:
        if hasattr(signal, "SIGPROF") and status == -signal.SIGPROF:
            return f"takes more than {self.limits.seconds:g} s to decode"
        if status == -signal.SIGTERM or (hasattr(signal, "SIGKILL") and status == -signal.SIGKILL):
            return f"is not done after {self.limits.wait:g} s, or ended its decoder"
        return "ended its decoder"


class _Told(Exception):
    """What a sound worker said of a picture that it refuses."""


def _send(target: BinaryIO, header: dict[str, Any], data: bytes) -> None:
    head = json.dumps(header).encode()
    target.write(struct.pack(">I", len(head)) + head)
    target.write(data)
    target.flush()


def _read(source: BinaryIO, count: int) -> bytes:
    data = source.read(count)
    if len(data) != count:
        raise EOFError
    return data


def _answer(source: BinaryIO, budget: int, allowed: Sequence[str], box: int = 0) -> Picture:
    """What a worker says, held against what it may say. Raises ``ValueError`` or ``EOFError`` for anything else."""
    size = struct.unpack(">I", _read(source, 4))[0]
    if size > _HEADER:
        raise ValueError("the header is too long")
    header = json.loads(_read(source, size))
    if not isinstance(header, dict):
        raise ValueError("no header")
    octets, memory, kind = _count(header.get("octets")), _count(header.get("memory")), header.get("kind")
    refused = header.get("refused")
    if isinstance(refused, str) and octets == 0:
        raise _Told("".join(c if c.isprintable() else "?" for c in refused))
    if octets > budget or kind not in allowed:
        raise ValueError("more or other than was asked for")
    data = _read(source, octets)
    found = media.by_content(data[: media.HEAD])
    if found is None or found.media_type != kind:
        raise ValueError("not what it says")
    steps = header.get("steps")
    if not isinstance(steps, list) or len(steps) > _STEPS or not all(_is_step(one) for one in steps):
        raise ValueError("no steps")
    done = tuple((one[0], one[1]) for one in steps)
    return Picture(data, str(kind), done, memory, _size(header.get("size"), box) if box else (0, 0))


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("no count")
    return value


def _size(value: object, box: int) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("no size")
    width, height = _count(value[0]), _count(value[1])
    if not (0 < width <= box and 0 < height <= box):
        raise ValueError("larger than was asked for")
    return width, height


def _is_step(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and value[0] in KINDS and isinstance(value[1], str)


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    for stream in (worker.stdin, worker.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:  # what it did not read any more
                continue
    worker.wait()
