"""What a test needs of the machine: where it is absent the test skips, and fails where everything has to be there.

``.ci/run`` installs all of it and sets MM7ZEEP_TEST_ALL, so that nothing is left out there without anybody's notice.
"""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

ALL = "MM7ZEEP_TEST_ALL"
"""In the environment, tells that all is there that tests need; empty tells nothing."""


def absent(what: str) -> NoReturn:
    """Skip the running test, saying ``what`` it needs; fail it where all has to be there."""
    if os.environ.get(ALL):
        pytest.fail(f"{what} ({ALL} is set, so nothing is skipped)")
    pytest.skip(what)


def program(name: str, package: str | None = None) -> str:
    """Where a program is; without it as ``absent``. ``package`` is Debian's, by default of the same name."""
    if (found := shutil.which(name)) is None:
        absent(f"needs {name}: install the Debian package {package or name}")
    return found
