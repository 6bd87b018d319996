"""node-soap from npm, which reads envelopes; needs nothing but Python, node and npm.

``python tests/node_soap.py FOLDER`` gets it into a folder and writes where it is, for MM7ZEEP_TEST_NODE_SOAP. The
versions and digests of it and of all it needs are those of ``tests/node/package-lock.json``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FOLDER = "MM7ZEEP_TEST_NODE_SOAP"
"""Names, in the environment, the folder whose ``node_modules`` hold it."""
_HERE = Path(__file__).parent / "node"


def fetch(folder: Path) -> Path:
    """Get node-soap into ``folder``. Raises ``CalledProcessError`` if npm fails, or gives something else."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_HERE / name, folder / name)
    command = ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=120)
    return folder


def read(folder: Path, wsdls: Mapping[str, Path], messages: Iterable[Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """What node-soap of ``folder`` makes of ``messages``, by id. Raises ``CalledProcessError`` if it stops."""
    asked = {"wsdls": {name: str(path) for name, path in wsdls.items()}, "messages": list(messages)}
    command = ["node", str(_HERE / "read.js"), str(folder)]
    done = subprocess.run(command, input=json.dumps(asked).encode(), check=True, stdout=subprocess.PIPE, timeout=120)
    said: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return said


if __name__ == "__main__":
    sys.stdout.write(f"{fetch(Path(sys.argv[1]))}\n")
