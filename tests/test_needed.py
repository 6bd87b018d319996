"""A test that needs what is absent: it skips here, and fails where all has to be there, as in ``.ci/run``."""

from __future__ import annotations

import configparser
from pathlib import Path

import needed
import pytest

ROOT = Path(__file__).parent.parent
NOWHERE = "mm7zeep-no-such-program"


def test_skips_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable, or with an empty one, the reason is that of a skip."""
    monkeypatch.delenv(needed.ALL, raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"needs {NOWHERE}: install the Debian package tides"):
        needed.program(NOWHERE, "tides")
    monkeypatch.setenv(needed.ALL, "")
    with pytest.raises(pytest.skip.Exception, match="a boat"):
        needed.absent("a boat")


def test_fails_where_all_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable it is a failure, which names what is absent and why it is none to skip."""
    monkeypatch.setenv(needed.ALL, "1")
    with pytest.raises(pytest.fail.Exception, match=f"needs {NOWHERE}: .* {NOWHERE} .*{needed.ALL} is set"):
        needed.program(NOWHERE)


def test_gives_the_program_that_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is on PATH is found, whatever the variable says."""
    tide = tmp_path / "tide"
    tide.write_text("#!/bin/sh\n", encoding="ascii")
    tide.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(needed.ALL, "1")
    assert needed.program("tide") == str(tide)


def test_ci_sets_it_and_tox_passes_it_on() -> None:
    """The script exports the variable before it runs tox, whose environments let it through."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    assert needed.ALL in tox["testenv"]["pass_env"].split()
    script = ROOT / ".ci" / "run"
    if not script.exists():
        pytest.skip("an unpacked sdist has no .ci")
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines.index(f"export {needed.ALL}=1") < len(lines) - 1
