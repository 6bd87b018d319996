"""A page of the site, executed: its commands, its Python and its files, block by block, in a directory of its own.

What a block is for stands in its language and in the mark above it, which a reader of the page does not see:

========================================  ==========================================================================
``python``                                runs, with the names of the blocks before it on the page
``console``                               each ``$ `` line runs, and the lines below it are what it prints
``text``, ``<!-- prints -->``             what the Python block above prints
``console``, ``<!-- another terminal -->``  its one command goes on running; what it shows comes at its start;
                                          ``another terminal: 1``, in the first, whose command is ended before
``text``, ``<!-- there -->``              what the last of the other terminals shows next; ``there: 1``, the first
any, ``<!-- file: NAME -->``              is written to NAME; with ``more of: NAME``, behind what stands there
any, ``<!-- needs SOMETHING -->``         is not run; Python's imports are tried all the same
any, ``<!-- tested: MODULE -->``          is run, and compared, by the tests of that module, which reads the page
``toml``, ``json``, ``http`` without one    must be readable; an ``http`` block must be valid MM7
========================================  ==========================================================================

Output is compared with numbers and ids masked; a line ``...`` stands for any lines, ``...`` in a line for some of it.
Ports of the pages are replaced by free ones. ``python -P tests/executed.py PAGE...`` writes what really came out into
the pages.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner
from fenced import Block, blocks
from postgres_server import held_port

from mm7zeep.pytest_plugin import assert_mm7_valid

WAIT = 40.0
"""Seconds for whatever must come."""
_PORT = re.compile(r"(?<=[:= ])(?:80\d\d|81\d\d|90\d\d|5000)\b")
_LISTENERS = {"SERVE_MM7": "8007", "SERVE_ADMIN": "8008", "SERVE_API": "8010", "LISTEN_BIND": "8009"}
_ASKING = ("TRIGGER", "MESSAGES", "SHOW", "CALLBACKS", "REPLAY", "KEYS", "OPT_OUTS", "EXPORT")
_LOOKS = re.compile(r"mm7zeep (?:messages|show|callbacks|export)\b|curl (?!(?s:.*) -[XdFi])")
"""Commands that change nothing, and so may be given again."""

_SERVE = """\
from mm7zeep.cli import main
from mm7zeep.gateway.config import load

load.LISTENING = "http://127.0.0.1:{port}/mm7"
main(prog_name="mm7zeep")
"""
"""A gateway that calls its demo's application back on a port of the page."""


class Shown(NamedTuple):
    """What a page shows, and what came out: the block, and its text with the real output in it."""

    block: Block
    wanted: str
    met: str

    @property
    def agrees(self) -> bool:
        """Whether both are the same but for numbers and ids."""
        return bool(re.fullmatch(_pattern(self.wanted), masked(self.met) + "\n"))


def masked(text: str) -> str:
    """``text`` without what differs from run to run: ids, digests, numbers and units of time, temporary paths, the
    width of columns.
    """
    text = re.sub(r"/tmp/[\w./-]+", "PATH", text)
    text = re.sub(r"\d{8}T\d{6}Z-[0-9a-f]{8}", "ID", text)
    text = re.sub(r"\b(?:0x|MM)?(?=[0-9a-f]*\d)[0-9a-f]{12,}\b", "ID", text)
    text = re.sub(r"\d+(?:[.,:]\d+)*", "0", text)
    text = re.sub(r"\b0 (?:µs|ms|s)\b", "0 s", text)
    return re.sub(r"[ \t]+", " ", "\n".join(line.rstrip() for line in text.strip().splitlines()))


def _pattern(wanted: str) -> str:
    """What masked output has to match: each line; any lines, or none, for a line ``...``; any text for one in it."""
    lines = masked(wanted).split("\n")
    return "".join(r"(?:.*\n)*?" if line.strip() == "..." else _elided(line) + r"\n" for line in lines)


def _elided(line: str) -> str:
    return ".*".join(map(re.escape, line.split("...")))


def commands(block: Block) -> list[tuple[str, str]]:
    """The commands of a console block, each with what is shown below it; a backslash continues a command."""
    found = re.findall(r"(?m)^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block.text)
    if not found or block.text.partition("\n")[0][:2] != "$ ":
        raise ValueError(f"line {block.line}: a console block begins with a command, '$ ...'")
    return [(command, output) for command, output in found]


class Session:
    """One page, executed from its first block to its last; a context that ends what runs in other terminals."""

    def __init__(self, page: Path, folder: Path) -> None:
        self._blocks = blocks(page.read_text(encoding="utf-8"))
        self._name = page.name
        self._folder = folder
        self._stack = ExitStack()
        self._names: dict[str, object] = {"__name__": "page"}
        self._ports: dict[str, str] = {}
        self._printed = ""
        self._others: list[_Terminal] = []
        self._programs = folder / ".programs"

    def __enter__(self) -> Session:
        self._programs.mkdir(parents=True)
        for name, words in {"mm7zeep": "-m mm7zeep", "python": "", "pytest": "-m pytest"}.items():
            program = self._programs / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n', encoding="utf-8")
            program.chmod(0o755)
        served = self._programs / "serve.py"
        served.write_text(_SERVE.format(port=self._port("8009")), encoding="utf-8")
        program, python = self._programs / "mm7zeep", sys.executable
        program.write_text(
            f'#!/bin/sh\n[ "$1" = serve ] && exec {python} {served} "$@"\nexec {python} -m mm7zeep "$@"\n'
        )
        return self

    def __exit__(self, *_: object) -> None:
        for other in reversed(self._others):
            other.end()
        self._stack.close()

    def run(self) -> Iterator[Shown]:
        """Execute the blocks in order, and yield those that show output. Raises what a block raises."""
        for block in self._blocks:
            try:
                yield from self._one(block)
            except Exception as error:
                error.add_note(f"{self._name}, line {block.line}")
                raise

    def _one(self, block: Block) -> Iterator[Shown]:
        kind, _, name = block.mark.partition(": ")
        if kind == "tested":
            return
        if kind.startswith("needs "):
            if block.language == "python":
                _imports(block.text)
        elif kind == "file":
            target = self._folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self._moved(block.text), encoding="utf-8")
            target.chmod(0o600)
        elif kind == "more of":
            with self._folder.joinpath(name).open("r+", encoding="utf-8") as file:
                file.seek(0, io.SEEK_END)
                file.write("\n" + self._moved(block.text))
        elif kind == "prints":
            yield Shown(block, block.text, self._back(self._printed))
        elif kind == "there":
            yield Shown(block, block.text, self._back(self._others[int(name or 0) - 1].next(block.text)))
        elif block.language == "python":
            self._python(block)
        elif block.language == "console":
            yield from self._console(block)
        else:
            readable(block)

    def _python(self, block: Block) -> None:
        said = io.StringIO()
        with chdir(self._folder), redirect_stdout(said):
            exec(compile("\n" * (block.line - 1) + self._moved(block.text), self._name, "exec"), self._names)
        self._printed = said.getvalue()

    def _console(self, block: Block) -> Iterator[Shown]:
        text, met = block.text, []
        for command, wanted in commands(block):
            words = self._moved(command)
            kind, _, place = block.mark.partition(": ")
            if kind == "another terminal":
                output = self._terminal(words, int(place or 0)).next(wanted)
            else:
                output = self._settled(words, wanted)
            met.append(f"$ {command}\n{self._back(output)}")
        yield Shown(block, text, "".join(one if one.endswith("\n") else f"{one}\n" for one in met))

    def _terminal(self, words: str, place: int) -> _Terminal:
        """A command that goes on running: in a new terminal, or in that of ``place``, where another one ends."""
        if place:
            self._others[place - 1].end()
        other = _Terminal(words, self._folder, self._environment(words))
        if place:
            self._others[place - 1] = other
        else:
            self._others.append(other)
        return other

    def _settled(self, words: str, wanted: str) -> str:
        """What a command prints; one that only looks is asked again until what it shows has happened."""
        until = time.monotonic() + (WAIT if wanted else 0)
        while True:
            output = self._command(words)
            looks = bool(_LOOKS.match(words))
            if not looks or re.fullmatch(_pattern(wanted), masked(output) + "\n") or time.monotonic() > until:
                return output
            time.sleep(0.1)

    def _command(self, words: str) -> str:
        """What a command prints on both outputs: one of ours in this process, which is ten times as fast."""
        environment = self._environment(words)
        words = words.replace("\\\n", "")
        if words.startswith("mm7zeep ") and not re.search(r"[|<>;&$*`\\]", words):
            from mm7zeep.cli import main as mm7zeep

            with chdir(self._folder):
                return CliRunner().invoke(mm7zeep, shlex.split(words)[1:], env=environment, prog_name="mm7zeep").output
        done = subprocess.run(
            ["bash", "-c", words],
            cwd=self._folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=WAIT * 2, check=False,
        )  # fmt: skip
        return done.stdout

    def _environment(self, words: str) -> Mapping[str, str]:
        """The variables of a command: where no file says which ports there are, it is they that do."""
        known = {name: value for name, value in os.environ.items() if not name.startswith(("MM7ZEEP_", "PYTHONSAFE"))}
        known |= {"PATH": f"{self._programs}:{os.environ['PATH']}", "COLUMNS": "120", "PYTHONUNBUFFERED": "1"}
        if "--config" not in words:
            known |= {f"MM7ZEEP_{name}": f"127.0.0.1:{self._port(port)}" for name, port in _LISTENERS.items()}
        for command in _ASKING:
            known[f"MM7ZEEP_{command}_ADMIN"] = f"http://127.0.0.1:{self._port('8008')}"
        return known

    def _port(self, port: str) -> str:
        if port not in self._ports:
            self._ports[port] = str(self._stack.enter_context(held_port()).getsockname()[1])
        return self._ports[port]

    def _moved(self, text: str) -> str:
        return _PORT.sub(lambda m: self._port(m[0]), text)

    def _back(self, text: str) -> str:
        for port, free in self._ports.items():
            text = re.sub(rf"(?<=[:= ]){free}\b", port, text)
        return text.replace(str(self._folder), "/tmp/page")


class _Terminal:
    """A command that goes on running, and what it has said so far."""

    def __init__(self, words: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._log = folder / f".terminal-{time.monotonic_ns()}"
        self._seen = 0
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", words], cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def next(self, wanted: str) -> str:
        """As many lines as ``wanted`` has, behind those that were told before; waits for them.

        Raises ``AssertionError`` where they do not come.
        """
        if not wanted:
            return ""
        pattern, until = re.compile(_pattern(wanted)), time.monotonic() + WAIT
        while True:
            text = self._log.read_text(encoding="utf-8")[self._seen :]
            complete = text[: text.rfind("\n") + 1]
            lines = complete.splitlines(keepends=True)
            for count in range(1, len(lines) + 1):
                if pattern.fullmatch(masked("".join(lines[:count])) + "\n"):
                    self._seen += len("".join(lines[:count]))
                    return "".join(lines[:count])
            ended = self._process.poll() is not None
            if ended or time.monotonic() > until:
                if os.environ.get("MM7ZEEP_TEST_WRITE"):
                    self._seen += len(complete)
                    return complete
                raise AssertionError(f"wanted\n{wanted}\nmet\n{text}\n{'(it has ended)' if ended else ''}")
            time.sleep(0.05)

    def end(self) -> None:
        """End it as Ctrl-C does, and by force where it does not."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
            try:
                self._process.wait(WAIT)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()


def on_the_wire(text: str) -> bytes:
    """An HTTP message as it is sent: with CR LF, and a Content-Length, which a page leaves out."""
    head, _, body = text.rstrip("\n").partition("\n\n")
    octets = f"{body}\n".replace("\n", "\r\n").encode()
    return f"{head}\nContent-Length: {len(octets)}\n\n".replace("\n", "\r\n").encode() + octets


def readable(block: Block) -> None:
    """Read a block that is only shown. Raises ``ValueError`` for a wrong one, and for a language that has no reader."""
    if block.language == "toml":
        tomllib.loads(block.text)
    elif block.language == "json":
        json.loads(block.text)
    elif block.language == "http":
        assert_mm7_valid(on_the_wire(block.text))
    else:
        raise ValueError(f"nothing is known to do with a block of {block.language or 'no language'}: mark it")


def _imports(text: str) -> None:
    lines = [line for line in text.splitlines() if re.match(r"(from|import) ", line)]
    compile(text, "page", "exec")
    exec("\n".join(lines), {})


def write(page: Path, folder: Path) -> None:
    """Put what came out in the place of what ``page`` shows, where they differ by more than numbers and ids."""
    text = page.read_text(encoding="utf-8")
    with Session(page, folder) as session:
        for shown in session.run():
            if not shown.agrees:
                met = shown.met if shown.met.endswith("\n") else f"{shown.met}\n"
                text = text.replace(
                    f"```{shown.block.language}\n{shown.wanted}```", f"```{shown.block.language}\n{met}```", 1
                )
    page.write_text(text, encoding="utf-8")


def main(pages: Sequence[str]) -> None:
    """Write the output of ``pages``."""
    import tempfile

    os.environ["MM7ZEEP_TEST_WRITE"] = "1"
    for page in pages:
        folder = Path(tempfile.mkdtemp(prefix="mm7zeep-page-"))
        try:
            write(Path(page), folder / "page")
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
