"""The command line as a whole: what it lists, what it costs, how it ends."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import mm7zeep
from mm7zeep.cli import _COMMANDS, main

HEAVY = ("lxml", "zeep", "xmlschema", "requests", "rich", "uvicorn", "mm7zeep.findings", "mm7zeep.exchange")


def test_help_lists_every_command() -> None:
    """The help names each command with its line."""
    done = CliRunner().invoke(main, ["--help"])
    assert done.exit_code == 0
    assert all(f"  {name} " in done.output and line in done.output for name, line in _COMMANDS.items())


@pytest.mark.parametrize("name", _COMMANDS)
def test_each_command_has_help(name: str) -> None:
    """Each command is there, is called so, and explains itself."""
    assert importlib.import_module(f"mm7zeep.cli.{name.replace('-', '_')}").command.name == name
    done = CliRunner().invoke(main, [name, "-h"])
    assert done.exit_code == 0
    assert done.output.startswith(f"Usage: main {name} ")
    assert "Options:" in done.output


def test_version() -> None:
    """The version is that of the package."""
    done = CliRunner().invoke(main, ["--version"])
    assert (done.exit_code, done.output) == (0, f"mm7zeep {mm7zeep.__version__}\n")


def test_help_loads_nothing_heavy() -> None:
    """Asking for help loads no library but click, and no room below the command line."""
    code = (
        "import sys\nfrom mm7zeep.cli import main\nmain(['--help'], standalone_mode=False)\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    "words", [[], ["nonsense"], ["check"], ["check", "--policy", "mild", "x"], ["send"], ["explain"]]
)
def test_wrong_usage(words: list[str]) -> None:
    """Wrong usage ends with 2."""
    assert CliRunner().invoke(main, words).exit_code == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_is_no_verdict() -> None:
    """What the system refuses ends with 3 and one line, since 1 would say that a message was rejected."""
    code = "from mm7zeep.cli import main; main(['explain', '2004'], prog_name='mm7zeep')"
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == "mm7zeep explain: No space left on device\n"
