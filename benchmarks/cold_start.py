"""How long a command takes from nothing, as ratios to an interpreter that does nothing and to one that loads lxml
and xmlschema.

Each command runs in a process of its own, all of them in turn, so that a busy machine is as unfair to one as to
another; bytecode is cached, as after an installation.

    python -m benchmarks --only cold_start
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from gateway_process import GatewayProcess

from benchmarks.figures import Figure
from mm7zeep import exchange
from mm7zeep.messages import Part, SubmitReq

FLOORS = {"pass": "pass", "lxml, xmlschema": "import lxml.etree, xmlschema"}
TARGETS = {"--help": 0.10, "check FILE": 0.5}
RUN = "from mm7zeep.cli import main; main({})"
COMMANDS = {
    "--help": ["--help"],
    "check --help": ["check", "--help"],
    "check FILE": ["check", "FILE"],
    "check --format json FILE": ["check", "--format", "json", "FILE"],
    "check --tree FILE": ["check", "--tree", "FILE"],
    "explain": ["explain", "2007"],
}


def seconds(code: str, cache: Path) -> float:
    """The wall time of ``python -c code``, its bytecode kept in ``cache``."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(cache)}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def captured() -> bytes:
    """A sound submission with a text, as a proxy saves it."""
    text = Part(body=b"Science news", content_type="text/plain", content_id="text@bench")
    wire = exchange.pack(SubmitReq(vaspid="TNN", vasid="News", to="+61412345678", parts=(text,)))
    head = "".join(f"{name}: {value}\r\n" for name, value in wire.headers)
    return f"POST /mm7 HTTP/1.1\r\nHost: mmsc.example\r\n{head}\r\n".encode() + wire.read()


def served(folder: Path, n: int) -> float:
    """Seconds until ``serve`` says where it serves, on a fresh database."""
    begun = time.perf_counter()
    with GatewayProcess(folder / f"gateway-{n}"):
        return time.perf_counter() - begun


def measure(rounds: int = 11) -> list[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "submit.http")
        path.write_bytes(captured())
        codes = FLOORS | {
            name: RUN.format([str(path) if word == "FILE" else word for word in words])
            for name, words in COMMANDS.items()
        }
        cache = Path(folder, "bytecode")
        for code in codes.values():  # what is only paid once
            seconds(code, cache)
        turns = [{name: seconds(code, cache) for name, code in codes.items()} for _ in range(rounds)]
        ready = [served(Path(folder), n) for n in range(max(3, rounds // 3))]
    found = []
    for name in codes:
        found.append(Figure.of(name, [turn[name] for turn in turns], "s", "less", TARGETS.get(name)))
        if name not in FLOORS:
            against = [turn[name] / turn["pass"] for turn in turns]
            found.append(Figure.of(f"{name}, against an interpreter that does nothing", against, "x", "less"))
    return [*found, Figure.of("serve, until it says where", ready, "s", "less", 0.8)]
