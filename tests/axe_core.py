"""axe-core from npm, which judges pages; needs nothing but Python and npm.

``python tests/axe_core.py FOLDER`` gets it into a folder and writes where it is, for MM7ZEEP_TEST_AXE.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

FILE = "MM7ZEEP_TEST_AXE"
"""Names ``axe.min.js`` in the environment."""
_PACKAGE, _SHA256 = "axe-core@4.14.1", "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"


def fetch(folder: Path) -> Path:
    """Get axe-core into ``folder``; the path of ``axe.min.js``. Raises ``RuntimeError`` if npm gives another one."""
    command = ["npm", "pack", "--silent", "--ignore-scripts", _PACKAGE]
    subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=120)
    [archive] = folder.glob("axe-core-*.tgz")
    if (found := hashlib.sha256(archive.read_bytes()).hexdigest()) != _SHA256:
        raise RuntimeError(f"{_PACKAGE} has the SHA-256 {found}, not {_SHA256}")
    path = folder / "axe.min.js"
    with tarfile.open(archive) as files:
        member = files.extractfile("package/axe.min.js")
        if member is None:
            raise RuntimeError(f"{_PACKAGE} has no axe.min.js")
        path.write_bytes(member.read())
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{fetch(Path(sys.argv[1]))}\n")
