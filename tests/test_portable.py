"""What only POSIX has is needed by no module when it is imported, and by no command that is said to run elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mm7zeep.cli import samples

IMPORT_ALL = """
import builtins, importlib, os, pkgutil, signal, socket, sys, time
import mm7zeep

def modules():
    yield "mm7zeep"
    for one in pkgutil.walk_packages(mm7zeep.__path__, "mm7zeep."):
        if one.name != "mm7zeep.__main__":
            yield one.name

names = list(modules())
for name in names:  # libraries may do as they like: they have been imported now
    importlib.import_module(name)
for name in [one for one in sys.modules if one.partition(".")[0] == "mm7zeep"]:
    del sys.modules[name]

POSIX = {"fcntl", "resource", "pwd", "grp", "termios", "pty", "tty", "posix", "syslog", "crypt"}
really = builtins.__import__

def refusing(name, globals=None, locals=None, fromlist=(), level=0):
    if name in POSIX and (globals or {}).get("__name__", "").partition(".")[0] == "mm7zeep":
        raise ModuleNotFoundError(f"{name} is POSIX only", name=name)
    return really(name, globals, locals, fromlist, level)

builtins.__import__ = refusing
for where, words in (
    (signal, "SIGHUP SIGUSR1 SIGUSR2 SIGKILL SIGCHLD SIGALRM SIGPROF SIGQUIT SIGPIPE setitimer pthread_kill"),
    (os, "fork kill geteuid getuid getpgid setsid killpg mkfifo statvfs pread pwrite O_NOFOLLOW O_DIRECTORY O_CLOEXEC"),
    (os, "register_at_fork sched_getaffinity uname getloadavg fchmod chown"),
    (socket, "AF_UNIX SO_REUSEPORT TCP_KEEPIDLE TCP_QUICKACK TCP_USER_TIMEOUT MSG_DONTWAIT"),
    (time, "clock_gettime CLOCK_BOOTTIME CLOCK_MONOTONIC"),
):
    for word in words.split():
        if word != "kill" and hasattr(where, word):
            delattr(where, word)

failed = []
for name in names:
    try:
        importlib.import_module(name)
    except Exception as error:
        failed.append(f"{name}: {type(error).__name__}: {error}")
print("\\n".join(failed))
print(len(names), "modules")
"""


@pytest.mark.once
def test_every_module_is_imported_without_posix() -> None:
    """Not one module needs fcntl, resource, pwd or the like, or a signal that only POSIX has, at its top."""
    pytest.importorskip("uvicorn")
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, timeout=120, check=True)
    *failed, count = done.stdout.strip().splitlines()
    assert failed == []
    assert int(count.split()[0]) > 250


@pytest.mark.processes
@pytest.mark.skipif(os.name != "posix", reason="sends a signal to a process")
def test_gateway_where_loops_know_no_signals(tmp_path: Path) -> None:
    """As on Windows: no SIGHUP, no SIGUSR1, and a loop that cannot wait for signals; Ctrl-C ends it in good order."""
    code = (
        "import asyncio, signal\n"
        "del signal.SIGHUP, signal.SIGUSR1\n"
        "def refuse(*_): raise NotImplementedError\n"
        "asyncio.unix_events._UnixSelectorEventLoop.add_signal_handler = refuse\n"
        "from mm7zeep.cli import main\n"
        "main(prog_name='mm7zeep')\n"
    )
    words = ["serve", "--mm7", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--api", "127.0.0.1:0"]
    words += ["--database", f"sqlite:///{tmp_path / 'mm7.db'}"]
    with subprocess.Popen(
        [sys.executable, "-u", "-c", code, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as process:
        try:
            assert process.stdout is not None
            assert next(line for line in process.stdout if line.startswith("MM7 "))
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, said
    assert "Traceback" not in said


def test_curl_for_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that is printed there is one line with double quotes, which cmd.exe takes."""
    wire = samples.request(b"a", b"b", "image/png", vaspid="TNN", vasid="News", to="+61412345678")
    posix = samples.curl(wire, Path("body.mime"), url="http://127.0.0.1:8007/mm7", auth="demo:demo")
    monkeypatch.setattr(samples, "os", type("Windows", (), {"name": "nt"}))
    windows = samples.curl(wire, Path("body.mime"), url="http://127.0.0.1:8007/mm7", auth="demo:demo")
    assert posix.startswith("curl -v ")
    assert "\n" in posix
    assert windows.startswith("curl.exe -v -u demo:demo -H ")
    assert windows.endswith(" --data-binary @body.mime http://127.0.0.1:8007/mm7")
    assert "\n" not in windows


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "utf-8"])
def test_output_of_any_encoding(encoding: str) -> None:
    """A console with few characters gets the others as JSON escapes them, and no command ends because of one."""
    code = "from mm7zeep.cli import main; import click\n"
    code += "@main.command('say')\ndef say(): click.echo('{\"a\": \"Größe 中 🙂\"}')\nmain(['say'])"
    env = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True, env=env).stdout
    assert json.loads(said.decode(encoding)) == {"a": "Größe 中 🙂"}
