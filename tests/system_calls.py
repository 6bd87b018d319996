"""What a process asks of the system, seen and changed by strace: the order of its calls, and disks that fail.

Refuses to say anything where strace is missing or may not look: the test is skipped, or fails where CI runs.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import needed
import psutil

_ABSENT = "needs strace, and the right to trace: install the Debian package strace"
_LINE = re.compile(r"^(?P<thread>\d+) +(?P<at>\d+\.\d+) (?P<rest>.*)$")
_RESUMED = re.compile(r"^<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)$")
_RESULT = re.compile(r"\)\s+= (-?\d+)")


@functools.cache
def usable() -> bool:
    """Whether strace is here and may trace."""
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(["strace", "-f", "-e", "trace=none", "true"], capture_output=True, check=False)
    return done.returncode == 0


def require() -> None:
    """Skip the running test where strace cannot be used; fail instead where all has to be there (``needed``)."""
    if not usable():
        needed.absent(_ABSENT)


def recording(log: Path, *names: str) -> list[str]:
    """What to put before a command so that these system calls of all its threads are written to ``log``."""
    options = ["-f", "--seccomp-bpf", "-ttt", "-yy", "-s", "6000"]
    return ["strace", *options, "-o", str(log), "-e", f"trace={','.join(names)}"]


class SystemCall(NamedTuple):
    """One call: the lines of the log where it began and ended, its name, arguments as text, and result."""

    begun: int
    ended: int
    name: str
    arguments: str
    result: int | None


def read(log: Path) -> list[SystemCall]:
    """The calls in a log, in the order of their ends; those that did not end are left out."""
    calls, pending = [], {}
    for number, line in enumerate(log.read_text(encoding="utf-8", errors="replace").splitlines()):
        found = _LINE.match(line)
        if found is None:
            continue
        thread, rest = found["thread"], found["rest"]
        if rest.endswith("<unfinished ...>"):
            name, _, arguments = rest.partition("(")
            pending[thread] = (number, name, arguments)
            continue
        if resumed := _RESUMED.match(rest):
            begun, name, arguments = pending.pop(thread, (number, resumed["name"], ""))
            arguments += resumed["rest"]
        else:
            name, _, arguments = rest.partition("(")
            begun = number
        result = _RESULT.findall(arguments)
        calls.append(SystemCall(begun, number, name, arguments, int(result[-1]) if result else None))
    return calls


@contextmanager
def failing(process: psutil.Process, names: Sequence[str], error: str, paths: Sequence[Path]) -> Iterator[None]:
    """While the context lasts, these calls of the process on these files fail with ``error``, as on a broken disk."""
    words = ["strace", "-f", "-qq", "-p", str(process.pid), "-o", os.devnull]
    for path in paths:
        words += ["-P", str(path)]
    words += ["-e", f"trace={','.join(names)}", "-e", f"inject={','.join(names)}:error={error}"]
    tracer = subprocess.Popen(words, stderr=subprocess.PIPE)
    try:
        _wait_attached(process, tracer)
        yield
    finally:
        tracer.send_signal(signal.SIGINT)  # it detaches; the process goes on
        _, said = tracer.communicate(timeout=20)
    assert process.is_running(), said


def _wait_attached(process: psutil.Process, tracer: subprocess.Popen[bytes]) -> None:
    """Until every thread of the process is traced by ``tracer``, as the system tells."""
    until = time.monotonic() + 10
    wanted = f"TracerPid:\t{tracer.pid}\n"
    while time.monotonic() < until and tracer.poll() is None:
        threads = list(Path(f"/proc/{process.pid}/task").glob("*/status"))
        if threads and all(wanted in one.read_text(encoding="ascii", errors="replace") for one in threads):
            return
        time.sleep(0.02)
    raise RuntimeError(f"strace did not attach to {process.pid}; it ended with {tracer.poll()}")
