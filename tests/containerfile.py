"""Reads a Containerfile, and carries out what it says without a container engine.

``read`` knows the instructions that ours use, in the forms that ours use, and refuses all others. ``Engine`` is what an
engine is on one Linux machine, in small: a base image is this machine's own root with the running Python below
/usr/local; a stage is an overlay on it; a container sees its stage read-only, with processes, network and user of its
own. Needs root, and util-linux. Nothing is left behind: all of it lies on a tmpfs that goes with its namespace.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Self

import needed
import psutil
import pytest
from gateway_process import eventually

_ROOTLESS = 'needs Linux, root and the right to mount: "unshare --mount" says why not'

# What pip is told of its index on this machine: an engine takes these as build arguments.
_BUILD_ENVIRONMENT = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "SSL_CERT", "REQUESTS_CA")


class Instruction(NamedTuple):
    """One instruction: its word, its options (``--from=x``) and the rest, and the line that it begins on."""

    word: str
    options: Mapping[str, str]
    rest: str
    line: int

    def words(self) -> list[str]:
        """The rest as a list: JSON, or words of a shell."""
        return list(json.loads(self.rest)) if self.rest.startswith("[") else shlex.split(self.rest)


@dataclass
class Image:
    """What the last stage says of the containers that it is run as."""

    environment: dict[str, str] = field(default_factory=dict)
    directory: str = "/"
    user: str = "0:0"
    volumes: list[str] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    stop_signal: str = "SIGTERM"
    health_check: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


KNOWN = frozenset(
    "ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK RUN STOPSIGNAL USER VOLUME WORKDIR".split()  # noqa: SIM905
)


def read(text: str) -> list[Instruction]:
    """The instructions of a Containerfile. Raises ``ValueError`` with the line of what is not known."""
    found, begun, start = [], "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not begun and not line.strip()):
            continue
        start = start if begun else number
        begun += line.removesuffix("\\")
        if line.endswith("\\"):
            continue
        word, _, rest = begun.strip().partition(" ")
        options = {}
        while match := re.match(r"\s*--([a-z-]+)=(\S+)", rest):
            options[match[1]], rest = match[2], rest[match.end() :]
        if word not in KNOWN or "<<" in rest:
            raise ValueError(f"line {start}: {begun.strip()!r} is no instruction that is known here")
        found.append(Instruction(word, options, rest.strip(), start))
        begun = ""
    if begun:
        raise ValueError(f"line {start}: ends with a backslash")
    return found


def image_of(instructions: Sequence[Instruction]) -> Image:
    """What the last stage amounts to. Raises ``ValueError`` for a form that is not known."""
    last = max(number for number, one in enumerate(instructions) if one.word == "FROM")
    image = Image()
    for one in instructions[last + 1 :]:
        match one.word:
            case "ENV":
                image.environment |= dict(word.split("=", 1) for word in one.words())
            case "WORKDIR":
                image.directory = one.rest
            case "USER":
                image.user = one.rest
            case "VOLUME":
                image.volumes += one.words()
            case "EXPOSE":
                image.ports += map(int, one.words())
            case "STOPSIGNAL":
                image.stop_signal = one.rest
            case "HEALTHCHECK":
                word, _, rest = one.rest.partition(" ")
                if word != "CMD":
                    raise ValueError(f"line {one.line}: HEALTHCHECK without CMD")
                image.health_check = list(json.loads(rest))
            case "ENTRYPOINT":
                image.entrypoint = list(json.loads(one.rest))
            case "CMD":
                image.command = list(json.loads(one.rest))
    return image


def require() -> None:
    """Skip the running test where this process may not do what an ``Engine`` does, which nothing that is installed
    changes; without util-linux as ``needed.absent``.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip(_ROOTLESS)
    for name in ("unshare", "nsenter", "setpriv"):
        needed.program(name, "util-linux")
    if not _may_mount():
        pytest.skip(_ROOTLESS)


def _may_mount() -> bool:
    """Whether a namespace of our own may be made, with an overlay in it."""
    tried = "d=$(mktemp -d) && mount -t tmpfs t $d && mkdir $d/u $d/w $d/r"
    tried += " && mount -t overlay o -o lowerdir=/,upperdir=$d/u,workdir=$d/w $d/r"
    tried += "; status=$?; umount -R $d; rmdir $d; exit $status"
    done = subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "sh", "-c", tried], capture_output=True)
    return done.returncode == 0


class Container:
    """One running container, and what is run in it besides."""

    def __init__(self, process: subprocess.Popen[bytes], inside: Sequence[str], log: Path) -> None:
        self._process, self._inside, self._log = process, list(inside), log

    @property
    def log(self) -> str:
        """What it has written so far, to either stream."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def started(self) -> bool:
        """Whether its first process is there."""
        return bool(psutil.Process(self._process.pid).children())

    @property
    def main(self) -> psutil.Process:
        """Its first process, as this machine sees it. Raises ``RuntimeError`` with the log once it has ended."""
        children = psutil.Process(self._process.pid).children() if self._process.poll() is None else []
        if not children:
            raise RuntimeError(f"the container has ended ({self._process.returncode}):\n{self.log}")
        return children[0]

    def exec(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as its user."""
        enter = ["nsenter", "--target", str(self.main.pid), "--mount", "--net", "--pid", "--ipc", "--uts", "--"]
        return subprocess.run([*enter, *self._inside, *words], capture_output=True, text=True, timeout=timeout)

    def stop(self, number: int, timeout: float = 90) -> int:
        """Send its first process a signal; the exit status."""
        self.main.send_signal(number)
        return self._process.wait(timeout)

    def kill(self) -> None:
        """SIGKILL its first process, with which its whole namespace ends: to have that done by the death of ``unshare``
        is not enough, since the kernel forgets it where the user changes (prctl(2), PR_SET_PDEATHSIG).
        """
        with suppress(psutil.NoSuchProcess):
            for one in psutil.Process(self._process.pid).children():
                one.kill()
        self._process.kill()
        self._process.wait(30)


class Engine:
    """Builds a Containerfile and runs what comes of it; a context that keeps its files in memory.

    ``context`` is the folder that is built in. Raises ``RuntimeError`` with the output of a step that fails.
    """

    def __init__(self, folder: Path, context: Path) -> None:
        self._folder, self._context = folder / "images", context
        self._stages: dict[str, str] = {}
        self._scratch = folder

    def __enter__(self) -> Self:
        self._folder.mkdir()
        held = 'mount -t tmpfs -o mode=755 images "$1" && echo ready && exec cat'
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", held, "sh", str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"ready\n":
            raise RuntimeError(_ROOTLESS)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._holder.communicate()  # its end of input; its mounts go with it

    # --- build --------------------------------------------------------------------------------------------------------

    def build(self, instructions: Sequence[Instruction], arguments: Mapping[str, str]) -> Image:
        """Carry out every step in order; ``arguments`` stand over the defaults of ARG."""
        given: dict[str, str] = {}
        root, directory, user, environment = "", "/", "", {}
        for one in instructions:
            if one.word in ("COPY", "RUN") and (user or set(one.options) - {"from"}):
                raise ValueError(f"line {one.line}: {one.word} with an option, or after USER, is not known here")
            match one.word:
                case "USER":
                    user = one.rest
                case "ARG":
                    name, _, default = one.rest.partition("=")
                    given[name] = arguments.get(name, default)
                case "FROM":
                    image, _, name = one.rest.partition(" AS ")
                    for argument, value in given.items():
                        image = image.replace("${" + argument + "}", value)
                    root, directory, user = self._base(image), "/", ""
                    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/root"}
                    self._stages[name or "final"] = root
                case "WORKDIR":
                    directory = one.rest
                    self._seen(root + directory).mkdir(parents=True, exist_ok=True)
                case "ENV":
                    environment |= dict(word.split("=", 1) for word in one.words())
                case "COPY":
                    self._copy(one, root, directory)
                case "RUN":
                    self._run(one, root, directory, environment)
        return image_of(instructions)

    def _base(self, image: str) -> str:
        """A new stage on this machine's root, for ``python:VERSION-slim`` of the Python that runs this."""
        running = f"python:{sys.version_info[0]}.{sys.version_info[1]}-slim"
        if image != running:
            raise RuntimeError(f"FROM {image}: this machine can only be {running}")
        at = f"{self._folder}/{len(self._stages)}"
        script = (
            'mkdir -p "$1/upper" "$1/work" "$1/root"\n'
            'mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"\n'
            'mount --bind /dev "$1/root/dev"\n'
            'mount -t proc proc "$1/root/proc"\n'
        )
        if sys.base_prefix not in ("/usr", "/usr/local"):
            script += 'mkdir -p "$1/root/usr/local"\nmount --bind "$2" "$1/root/usr/local"\n'
            script += 'mount -o remount,bind,ro "$1/root/usr/local"\n'
            script += 'chroot "$1/root" ldconfig\n'  # as the image's makers did: libpython may be a library of its own
        self._inside(["sh", "-ec", script, "sh", at, sys.base_prefix])
        return f"{at}/root"

    def _copy(self, one: Instruction, root: str, directory: str) -> None:
        *sources, target = one.words()
        base = self._seen(self._stages[one.options["from"]]) if "from" in one.options else self._context
        to = self._seen(root + str(PurePosixPath(directory) / target))
        many = len(sources) > 1 or target.endswith("/")
        for source in sources:
            path = base / source.lstrip("/")
            place = to / path.name if many and path.is_file() else to
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                ignore = None if "from" in one.options else shutil.ignore_patterns("__pycache__")
                shutil.copytree(path, place, symlinks=True, ignore=ignore, dirs_exist_ok=True)
            else:
                shutil.copy(path, place)

    def _run(self, one: Instruction, root: str, directory: str, environment: Mapping[str, str]) -> None:
        told = {name: value for name, value in os.environ.items() if name.startswith(_BUILD_ENVIRONMENT)}
        for path in (value for value in told.values() if Path(value).is_file()):
            place = self._seen(root + path)
            if not place.exists():  # hidden by what stands for the image
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, place)
        words = [f"{name}={value}" for name, value in {**told, **environment}.items()]
        self._inside(["chroot", root, "env", "-i", "-C", directory, *words, "sh", "-c", one.rest], f"line {one.line}")

    def _inside(self, words: Sequence[str], what: str = "a mount") -> None:
        done = subprocess.run(
            [*self._enter(), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{what} failed with exit status {done.returncode}:\n{done.stdout[-4000:]}")

    def _enter(self) -> list[str]:
        """What goes before a command that is to see the mounts."""
        return ["nsenter", "--target", str(self._holder.pid), "--mount", "--"]

    def _seen(self, path: str) -> Path:
        """``path`` as the namespace has it."""
        return Path(f"/proc/{self._holder.pid}/root{path}")

    def stage(self, name: str) -> Path:
        """The root of a stage, as this process can read it."""
        return self._seen(self._stages[name])

    # --- run ----------------------------------------------------------------------------------------------------------

    @contextmanager
    def run(
        self,
        image: Image,
        *,
        binds: Mapping[str, Path],
        tmpfs: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        hosts: Sequence[str] = (),
        before: Callable[[int], None] = lambda pid: None,
    ) -> Iterator[Container]:
        """The last stage as a container: root read-only, no capability, its own user, processes and network.

        ``binds`` are read-only files and folders by their path inside; ``tmpfs`` are places that can be written besides
        the volumes; ``hosts`` are further names of loopback. ``before`` is called with the id of its process, which
        waits for that. Whatever still runs is killed at the end.
        """
        root, user = self._stages["final"], image.user.partition(":")
        lines = ["set -e"]
        for volume in image.volumes:
            owner = self._seen(root + volume).stat()
            how = f"mode={owner.st_mode & 0o7777:o},uid={owner.st_uid},gid={owner.st_gid}"
            lines.append(f"mount -t tmpfs -o {how} volume {shlex.quote(root + volume)}")
        for inside, path in binds.items():
            place = self._seen(root + inside)
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                place.mkdir(exist_ok=True)
            else:
                place.touch()
            lines.append(f"mount --bind {shlex.quote(str(path))} {shlex.quote(root + inside)}")
            lines.append(f"mount -o remount,bind,ro {shlex.quote(root + inside)}")
        known = self._scratch / "hosts"
        known.write_text("127.0.0.1 localhost " + " ".join(hosts) + "\n", encoding="ascii")
        lines += [f"mount --bind {shlex.quote(str(known))} {root}/etc/hosts"]
        lines += [f"mount -t tmpfs -o mode=1777 tmpfs {shlex.quote(root + path)}" for path in tmpfs]
        lines += [
            f"mount -t tmpfs -o mode=1777 shm {root}/dev/shm",
            f"mount -t proc proc {root}/proc",
            f"mount -o remount,bind,ro {root}",
            shlex.join([sys.executable, "-c", _LOOPBACK_UP]),
        ]
        words = [f"{name}={value}" for name, value in {**image.environment, **(environment or {})}.items()]
        rights = ["--reuid", user[0], "--regid", user[2] or user[0], "--clear-groups", "--no-new-privs"]
        rights += ["--bounding-set=-all", "--inh-caps=-all"]
        enter = ["chroot", root, "setpriv", *rights, "env", "-i", "-C", image.directory, *words]
        lines.append("read -r go")
        lines.append("exec " + shlex.join([*enter, *image.entrypoint, *image.command]) + " </dev/null")
        apart = ["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child=SIGKILL"]
        log = self._scratch / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*self._enter(), "unshare", *apart, "sh", "-c", "\n".join(lines)],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        assert process.stdin is not None
        container = Container(process, enter, log)
        try:
            eventually(lambda: process.poll() is not None or container.started, "namespaces of the container", 60)
            before(container.main.pid)
            with process.stdin as told:
                told.write(b"go\n")
            yield container
        finally:
            container.kill()


def listening_in(pid: int, port: int) -> socket.socket:
    """A socket that listens on loopback in the network of a process, and is accepted from here."""
    made: list[socket.socket] = []

    def listen() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/proc/{pid}/ns/net") as network:
            if libc.setns(network.fileno(), _CLONE_NEWNET):  # of this thread alone, which ends
                raise OSError(ctypes.get_errno(), "setns")
        made.append(socket.create_server(("127.0.0.1", port)))

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    return made[0]


_CLONE_NEWNET = 0x40000000
_LOOPBACK_UP = """
import fcntl, socket, struct
with socket.socket() as one:
    fcntl.ioctl(one, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
"""
