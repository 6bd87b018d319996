"""Workers and their supervisor: started while a signal comes, ended hard, ending again and again."""

from __future__ import annotations

import base64
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from gateway_room import ONE

from mm7zeep.exchange import pack
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.server.sockets import Sockets
from mm7zeep.gateway.server.supervisor import Supervisor

_STUCK = """
import os, socket, sys, time
from mm7zeep.gateway.mm7 import requests
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.server.process import run
from mm7zeep.gateway.server.sockets import Sockets
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.gateway import Gateway

def submit(self, call):
    os.write(1, b"stuck\\n")
    time.sleep(60)

requests.Intake.submit = submit
if sys.argv[2] == "all else has ended":
    Gateway.stop = lambda self, wait=None: True
sockets = Sockets(*(socket.create_server(("127.0.0.1", 0)) for _ in range(2)))
apps = tuple(
    Application(name=f"tnn{n}", password="t", vaspid="TNN", short_codes=(f"11112{n}",)) for n in range(8)
)
settings = Settings(applications=apps, database="sqlite:///" + sys.argv[1], drain=2.0)
print(sockets.mm7.getsockname()[1], flush=True)
run(settings, sockets)
"""


def test_worker_started_while_the_signal_comes() -> None:
    """A worker that was being started when the signal came gets it, too."""
    here = socket.socket()
    supervisor = Supervisor(Settings(), Sockets(here, here))
    here.close()
    workers: list[Worker] = []

    class Worker:
        def __init__(self, **options: Any) -> None:
            self.ended = False
            workers.append(self)

        def start(self) -> None:
            supervisor._signalled(15, None)

        def terminate(self) -> None:
            self.ended = True

    supervisor._context.Process = Worker  # type: ignore[assignment, misc]
    supervisor._start()
    assert [one.ended for one in workers] == [True]


@pytest.mark.once
@pytest.mark.parametrize("others", ["as they are", "all else has ended"])
def test_hard_stop_with_every_thread_held(others: str, tmp_path: Path) -> None:
    """SIGTERM ends a process within its drain time also where all threads wait for a database that does not answer."""
    words = [sys.executable, "-c", _STUCK, str(tmp_path / "x.db"), others]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process, ExitStack() as open_:
        assert process.stdout is not None
        try:
            port = int(process.stdout.readline())
            wire = pack(ONE)
            body = wire.read()
            for n in range(8):  # applications, since none gets all the threads
                fields = [
                    *wire.headers,
                    ("Authorization", "Basic " + base64.b64encode(b"tnn%d:t" % n).decode()),
                    ("Host", "x"),
                    ("Content-Length", str(len(body))),
                ]
                head = "POST /mm7 HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
                client = open_.enter_context(socket.create_connection(("127.0.0.1", port)))
                client.sendall(head.encode() + body)
            for _ in range(8):
                assert process.stdout.readline() == b"stuck\n"
            process.terminate()
            assert process.wait(15) == 1
        finally:
            process.kill()


class Ended:
    """A worker that has ended, as its supervisor sees it."""

    def __init__(self, exitcode: int) -> None:
        self.exitcode = exitcode

    def join(self) -> None:
        """It has."""


def ended(supervisor: Supervisor, exitcode: int, *, lived: float = 0.0, served: bool = True) -> float:
    """Seconds after which another is started in the place of one that ended so."""
    worker: Any = Ended(exitcode)
    supervisor._workers[worker] = time.monotonic() - lived
    supervisor._ended(worker, served=served)
    return supervisor._planned.pop() - time.monotonic()


def test_workers_that_end(tmp_path: Path) -> None:
    """A killed worker is replaced at once; ones that cannot serve later and later, and for ever if one has served."""
    here: Any = None
    supervisor = Supervisor(Settings(workers=2), Sockets(here, here))
    assert ended(supervisor, -9) == pytest.approx(0, abs=0.1)
    pauses = [ended(supervisor, 1) for _ in range(30)]
    assert pauses[:4] == pytest.approx([0.2, 0.4, 0.8, 1.6], abs=0.1)
    assert pauses[-1] == pytest.approx(10, abs=0.1)
    assert ended(supervisor, 1, lived=60) == pytest.approx(0, abs=0.1)
    for _ in range(9):
        ended(supervisor, 1, served=False)
    with pytest.raises(RuntimeError, match="end as soon as they are started"):
        ended(supervisor, 1, served=False)
