"""How long a command takes from nothing, as ratios to an interpreter that does nothing and to one that loads lxml
and xmlschema.

Each command runs in a process of its own, all of them in turn, so that a busy machine is as unfair to one as to
another; bytecode is cached, as after an installation. Printed are median and minimum of the wall time, the median of
the ratios within one turn, and the load average.

    python benchmarks/cold_start.py [ROUNDS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mm7zeep import exchange
from mm7zeep.messages import Part, SubmitReq

FLOORS = {"pass": "pass", "lxml, xmlschema": "import lxml.etree, xmlschema"}
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


def main(rounds: int) -> None:
    """Measure and print."""
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
        load = os.getloadavg()[0]
        turns = [{name: seconds(code, cache) for name, code in codes.items()} for _ in range(rounds)]
    print(f"{rounds} rounds, load average {load:.2f} before, {os.getloadavg()[0]:.2f} after, {os.cpu_count()} cores")
    print(f"{'':26}{'median s':>9}{'min s':>8}" + "".join(f"{'/ ' + name:>18}" for name in FLOORS))
    for name in codes:
        taken = [turn[name] for turn in turns]
        ratios = [statistics.median(turn[name] / turn[floor] for turn in turns) for floor in FLOORS]
        print(f"{name:26}{statistics.median(taken):9.3f}{min(taken):8.3f}" + "".join(f"{one:17.1f}x" for one in ratios))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
