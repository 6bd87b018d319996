"""``mm7zeep serve`` as a process of its own that a test starts, freezes, kills and starts again.

``GatewayProcess`` writes the configuration, waits until the process says where it serves, and keeps its ports and its
database from one start to the next. Refuses to leave a process behind.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import psutil
import requests
from postgres_server import held_port

T = TypeVar("T")

AUTH = ("tnn", "tnn-password")
"""Who submits, to the application TNN."""
OTHER_AUTH = ("abc", "abc-password")
"""Who submits, to the application ABC."""
QUICK: Mapping[str, Any] = {"waits": [0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], "timeout": "5s"}
"""``[delivery]`` for tests: a call that failed is tried again soon."""

_START, _STOP = 90.0, 45.0  # seconds; a start takes one or two, and long where pip installs beside it


def eventually(look: Callable[[], T], what: str, timeout: float = 15.0, pause: float = 0.05) -> T:
    """What ``look`` gives as soon as it is true. Raises ``AssertionError`` after ``timeout`` seconds."""
    until = time.monotonic() + timeout
    while not (found := look()):
        assert time.monotonic() < until, f"not within {timeout:.0f} s: {what}; last seen: {found!r}"
        time.sleep(pause)
    return found


@contextmanager
def as_a_new_user(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``mm7zeep serve`` without a configuration, on free ports, and all that it prints; killed at the end."""
    words = [sys.executable, "-c", "from mm7zeep.cli import main; main(prog_name='mm7zeep')", "serve", *more]
    for listener in ("--mm7", "--admin", "--api"):
        words += [listener, "127.0.0.1:0"]
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            said = ""
            for line in iter(server.stdout.readline, ""):
                said += line
                if line.startswith("mm7zeep listen"):  # the last line
                    break
            yield server, said
        finally:
            server.kill()


class GatewayProcess:
    """One gateway on ``database`` (by default an SQLite file in ``folder``); a context that starts and stops it.

    Applications TNN and ABC are called back at ``callback``. ``tables`` are further tables of the configuration, or
    replace those written here; ``before`` are words that stand before the command (``strace``, ``-f``).
    """

    def __init__(
        self,
        folder: Path,
        *,
        callback: str | None = None,
        database: str | None = None,
        workers: int = 1,
        tables: Mapping[str, Mapping[str, Any]] | None = None,
        before: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.workers, self.before = folder, workers, list(before)
        self.database = database or f"sqlite:///{folder / 'gateway.db'}"
        self._holders = [held_port() for _ in range(3)]
        self.port, self.admin_port, self.api_port = (holder.getsockname()[1] for holder in self._holders)
        self.out, self.err = folder / "stdout", folder / "stderr"
        self.config = folder / "gateway.toml"
        self.config.touch(mode=0o600)  # it holds passwords
        given = {"delivery": QUICK} | dict(tables or {})
        given["gateway"] = {"api": f"127.0.0.1:{self.api_port}", **given.get("gateway", {"poll": 0.1})}
        self.config.write_text(_config(callback, given), encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None
        self.url = self.admin = self.api = ""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        if exc_info[0] is not None:
            sys.stderr.write(f"--- the gateway's stderr ends with:\n{self.errors[-6000:]}\n")
        self.close()

    def close(self) -> None:
        """End it for good: kill what lives of it, and give its ports back."""
        self.kill()
        for holder in self._holders:
            holder.close()

    # --- its life -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it and wait until it says where it serves. Raises ``RuntimeError`` with what it wrote if it ends."""
        words = [sys.executable, "-u", "-c", "from mm7zeep.cli import main; main()", "serve"]
        words += ["--config", str(self.config), "--database", self.database, "--workers", str(self.workers)]
        words += ["--mm7", f"127.0.0.1:{self.port}", "--admin", f"127.0.0.1:{self.admin_port}"]
        with self.out.open("wb") as out, self.err.open("ab") as err:
            self.process = subprocess.Popen(
                [*self.before, *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.folder,
                env=os.environ | {"TMPDIR": str(self.folder)},  # what a SIGKILL leaves behind goes with the folder
            )
        until = time.monotonic() + _START
        while not (found := self._addresses()):
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"mm7zeep serve did not start ({self.process.poll()}):\n{self.errors[-6000:]}")
            time.sleep(0.02)
        self.url, self.admin, self.api = found["MM7"], found["admin"], found["API"]

    def _addresses(self) -> dict[str, str]:
        """Where each listener stands, once all do."""
        said = self.out.read_text(encoding="utf-8")
        found = re.findall(r"^(MM7|admin|API)\s+(https?://\S+)", said, re.MULTILINE)
        return {word: url.rstrip("/") for word, url in found} if len(found) == 3 else {}

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process that serves, or to the supervisor."""
        self.server().send_signal(number)

    def stop(self, timeout: float = _STOP) -> int:
        """SIGTERM, and its exit status. Raises ``subprocess.TimeoutExpired``."""
        assert self.process is not None
        self.signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """SIGKILL the whole tree; what has ended already is no trouble."""
        if self.process is None:
            return
        try:
            root = psutil.Process(self.process.pid)
            root.suspend()  # so that it starts no child between the look and the kill
            family = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            family = []
        for one in family:
            _quietly(one.kill)
        self.process.wait(_STOP)
        psutil.wait_procs(family, _STOP)
        self.process = None

    # --- its processes ------------------------------------------------------------------------------------------------

    def server(self) -> psutil.Process:
        """The process of the command: the supervisor, or the only one."""
        assert self.process is not None
        root = psutil.Process(self.process.pid)
        return root.children()[0] if self.before else root

    def children(self) -> list[psutil.Process]:
        """The worker processes, without multiprocessing's own."""
        return [one for one in self.server().children(recursive=True) if _is_worker(one)]

    def all_processes(self) -> list[psutil.Process]:
        """The supervisor and its workers."""
        return [self.server(), *self.children()]

    def kill_worker(self, choose: random.Random) -> int | None:
        """SIGKILL one worker; its process id, or None if there is none just now."""
        found = self.children()
        if not found:
            return None
        victim = choose.choice(found)
        _quietly(victim.kill)
        return victim.pid

    # --- what it says -------------------------------------------------------------------------------------------------

    @property
    def errors(self) -> str:
        """What all its starts wrote to stderr."""
        return self.err.read_text(encoding="utf-8", errors="replace") if self.err.exists() else ""

    def get(self, path: str, **parameters: object) -> requests.Response:
        """What the admin listener answers; a fresh connection, so that any worker may."""
        return requests.get(
            self.admin + path,
            params=parameters,
            timeout=10,
            headers={"Connection": "close"},  # type: ignore[arg-type]
        )

    def callbacks(self, state: str) -> list[dict[str, Any]]:
        """The newest calls in that state."""
        answer = self.get("/api/v1/callbacks", state=state)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["callbacks"]
        return found

    def ready(self) -> bool:
        """Whether /readyz says so."""
        try:
            return self.get("/readyz").status_code == 200
        except requests.ConnectionError:
            return False


def _is_worker(process: psutil.Process) -> bool:
    try:
        words = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "multiprocessing" in words and "resource_tracker" not in words


def _quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except psutil.NoSuchProcess:
        return  # it ended by itself


def _config(callback: str | None, tables: Mapping[str, Mapping[str, Any]]) -> str:
    lines = []
    given = {"gateway": {"allow_internal": True, "poll": 0.1}} | {name: dict(one) for name, one in tables.items()}
    given["gateway"] = {"allow_internal": True} | given["gateway"]
    for name, table in given.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items()), ""]
    for (name, password), vaspid, code in ((AUTH, "TNN", "111122"), (OTHER_AUTH, "ABC", "333344")):
        lines += ["[[application]]", f'name = "{name}"', f'password = "{password}"', f'vaspid = "{vaspid}"']
        lines += [f'short_codes = ["{code}"]', ""]
        if callback is not None:
            lines += ["[application.callback]", f'deliver = "{callback}"', 'username = "mmsc"']
            lines += ['password = "mmsc-password"', ""]
    return "\n".join(lines)
