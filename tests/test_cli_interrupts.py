"""Ctrl-C and SIGTERM: what a command that is interrupted says of the message, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from far_side import FarSide, Request, Steps, http, proper

from mm7zeep.cli import interrupts, main
from mm7zeep.cli.watched import Watched
from mm7zeep.client import Retry, VaspClient
from mm7zeep.errors import LocalError, TransportError
from mm7zeep.transport import connections
from mm7zeep.transport.dialing import Target

WORDS = ("--vaspid", "TNN", "--to", "+61491570156", "--text", "hello")
OPEN = "  it may have been accepted all the same: sending it again may deliver it twice\n"
posix = pytest.mark.skipif(os.name != "posix", reason="needs signals that a process can send itself")


def run(url: str, *words: str) -> Result:
    """Run the command in this process, in the thread that hears of signals."""
    return CliRunner().invoke(main, ["send", url, *WORDS, *words])


def signalling(number: signal.Signals, steps: Steps = (30.0,)) -> Callable[[Request], Steps]:
    """An answer that interrupts this process once it has the request, and then takes its time."""

    def answer(request: Request) -> Steps:
        signal.pthread_kill(threading.main_thread().ident or 0, number)
        return steps

    return answer


@posix
@pytest.mark.parametrize(
    ("number", "word", "code"), [(signal.SIGINT, "interrupted", 130), (signal.SIGTERM, "terminated", 143)]
)
def test_while_an_answer_is_waited_for(number: signal.Signals, word: str, code: int) -> None:
    """The TransactionID that went out is named, and that the message may have been accepted."""
    before = signal.getsignal(signal.SIGTERM)
    with FarSide(signalling(number)) as far:
        since = time.monotonic()
        done, as_json = run(far.url), run(far.url, "--json")
        assert time.monotonic() - since < 20
        place = far.url.split("/")[2]
    assert (done.exit_code, done.stdout) == (code, "")
    [first, second] = far.requests
    size = first.header("Content-Length")
    assert done.stderr == (
        f"mm7zeep send: {word} after all {size} octets had gone out; no answer from {place} yet\n"
        f"{OPEN}  transaction id  {first.transaction_id}\n"
    )
    said = json.loads(as_json.stdout)
    assert (as_json.exit_code, said["maybe_accepted"], said["transaction_id"]) == (code, True, second.transaction_id)
    assert signal.getsignal(signal.SIGTERM) is before


@posix
def test_split_message() -> None:
    """Of a message that goes out one by one: who has it, who may have it, and how many were not begun."""
    with FarSide(proper, signalling(signal.SIGINT)) as far:
        done = run(far.url, "--to", "+61491570157", "--to", "+61491570158", "--profile", "optus")
        place = far.url.split("/")[2]
    first, second = far.requests
    size = second.header("Content-Length")
    stage = f"after all {size} octets had gone out; no answer from {place} yet"
    assert done.exit_code == 130
    assert done.stderr == (
        f"mm7zeep send: interrupted {stage}; 1 of 3 requests were not begun\n{OPEN}"
        f"  +61491570156    m-1\n  +61491570157    {stage}; TransactionID {second.transaction_id}\n"
    )
    assert first.transaction_id not in done.stderr


@posix
def test_before_another_attempt() -> None:
    """A refusal for the time being, after which the client waits: nothing is open then."""
    busy = [http(503, b"busy", "text/plain", Retry_After="20")]

    def answer(request: Request) -> Steps:
        threading.Timer(0.5, signal.pthread_kill, (threading.main_thread().ident or 0, signal.SIGINT)).start()
        return busy

    with FarSide(answer) as far:
        done = run(far.url, "--json")
        place = far.url.split("/")[2]
    said = json.loads(done.stdout)
    assert (done.exit_code, said["error"]) == (130, f"interrupted after {place} had answered HTTP 503")
    assert said["maybe_accepted"] is False


@posix
def test_while_a_name_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver hears of no signal, and may take half a minute; the command ends all the same."""
    answered = threading.Event()

    def resolve(host: str, port: int) -> list[Target]:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        answered.wait(30)
        return []

    monkeypatch.setattr(connections, "resolved", resolve)
    try:
        done = run("http://mmsc.example/mm7")
    finally:
        answered.set()
    first, second = done.stderr.splitlines()
    assert done.exit_code == 130
    assert first == "mm7zeep send: interrupted while connecting to mmsc.example; nothing had gone out"
    assert second.startswith("  transaction id  ")


def test_nothing_goes_out_once_stopped() -> None:
    """What was told of a request stays true: a body is read no further, and no other request begins."""
    watched = Watched()
    with FarSide(proper) as far:

        def stop(sent: int, total: int) -> None:
            watched.stop()

        large = "x" * 1_000_000
        with VaspClient(far.url, adapter=watched, retry=Retry(times=0)) as client:
            with pytest.raises(TransportError, match="interrupted; 65536 octets had gone out") as cut:
                client.submit("+61491570156", large, progress=stop)
            with pytest.raises(LocalError, match="interrupted"):
                client.submit("+61491570156", "small")
    assert not cut.value.maybe_accepted
    assert [one.complete for one in far.requests] in ([], [False])
    assert len(watched.exchanges) == 1


def test_work_is_waited_for() -> None:
    """What the work gives and raises comes out, a TimeoutError too."""
    assert interrupts.interruptible(lambda: 7) == 7

    def fail() -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        interrupts.interruptible(fail)


def test_signals_are_left_alone_elsewhere() -> None:
    """Only the main thread hears of signals: in another one nothing is changed."""
    seen: list[object] = []

    def elsewhere() -> None:
        with interrupts.sigterm_as_interrupt():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


@posix
def test_other_commands(tmp_path: Path) -> None:
    """Ctrl-C during another command is no verdict on a message, which 1 would be."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Timer(0.5, signal.pthread_kill, (threading.main_thread().ident or 0, signal.SIGINT)).start()
    done = CliRunner().invoke(main, ["check", str(pipe)])
    assert (done.exit_code, done.output) == (130, "mm7zeep check: interrupted\n")


# --- whole processes --------------------------------------------------------------------------------------------------


@contextmanager
def deaf() -> Iterator[tuple[str, Callable[[], object]]]:
    """A place where a connection cannot be opened, since nobody takes those that wait there; and what to wait for."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(listener.getsockname())
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/mm7", lambda: None
        finally:
            for one in waiting:
                one.close()


@contextmanager
def full() -> Iterator[tuple[str, Callable[[], object]]]:
    """A server that takes a connection and the head of a request, and reads nothing more."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        taken: list[socket.socket] = []

        def take() -> None:
            listener.settimeout(60)
            taken.append(listener.accept()[0])
            taken[0].settimeout(60)
            assert taken[0].recv(100)

        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/mm7", take
        finally:
            for one in taken:
                one.close()


@contextmanager
def silent() -> Iterator[tuple[str, Callable[[], object]]]:
    """A server that reads the request and never answers."""
    heard = threading.Event()

    def hear(request: Request) -> Steps:
        heard.set()
        return [60.0]

    with FarSide(hear) as far:
        yield far.url, lambda: heard.wait(60)


@posix
@pytest.mark.processes
@pytest.mark.parametrize(
    ("place", "said", "is_open"),
    [
        (deaf, r"while connecting to 127\.0\.0\.1:\d+; nothing had gone out", False),
        (full, r"after \d+ of 8\d{6} octets had gone out to .*; they were not all, so nothing was accepted", False),
        (silent, r"after all 8\d{6} octets had gone out; no answer from 127\.0\.0\.1:\d+ yet", True),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_each_stage(
    place: Callable[[], object], said: str, is_open: bool, number: signal.Signals, tmp_path: Path
) -> None:
    """A process ends within a second wherever it stands, by the status that shells give, and says what is open."""
    (tmp_path / "large").write_bytes(b"\0" * 8_000_000)
    code = "from mm7zeep.cli import main; main(prog_name='mm7zeep')"
    with place() as (url, wait):  # type: ignore[attr-defined]
        words = [sys.executable, "-c", code, "send", url, *WORDS[:4], str(tmp_path / "large"), "--timeout", "60", "-v"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stderr is not None
                told = next(line for line in process.stderr if line.startswith("> [part]"))
                assert told.startswith("> [part] application/octet-stream  8000000 octets")
                wait()
                time.sleep(0.3)  # to get on with connecting, or to fill the buffers; any stage is good
                since = time.monotonic()
                process.send_signal(number)
                rest, _ = process.stderr.read(), process.wait(20)
                took = time.monotonic() - since
            finally:
                process.kill()
    assert process.returncode == 128 + number
    assert took < 10
    first, *others = rest.splitlines()
    word = "interrupted" if number == signal.SIGINT else "terminated"
    assert re.fullmatch(f"mm7zeep send: {word} {said}", first)
    assert (OPEN.rstrip("\n") in others) is is_open
    assert re.fullmatch(r"  transaction id  [0-9a-f]{32}", others[-1])
