"""The README is executed, and what it promises is what the other files do."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import build_check
import pytest
from executed import Session
from fenced import NETWORK, Block, blocks

ROOT = Path(__file__).resolve().parent.parent
README = ROOT.joinpath("README.md").read_text(encoding="utf-8")
DOCS = README + "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.joinpath("docs").rglob("*.md")))

PYTHON = [block for block in blocks(README) if block.language == "python"]
SHELL = [line for block in blocks(README) if block.language == "sh" for line in block.text.splitlines()]


def test_blocks_are_found() -> None:
    """The reader of this test sees languages, lines and marks."""
    text = f"a\n\n<!-- {NETWORK} -->\n```python\nx = 1\n```\n\n```sh\nls\n```\n"
    assert blocks(text) == [Block("python", "x = 1\n", 5, NETWORK), Block("sh", "ls\n", 9)]
    assert [block.network for block in blocks(text)] == [True, False]
    assert len(re.findall(r"^```", README, re.MULTILINE)) == 2 * len(blocks(README))


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: f"line-{block.line}")
def test_python_compiles(block: Block) -> None:
    """Every Python block of the README is valid Python."""
    assert compile("\n" * (block.line - 1) + block.text, "README.md", "exec").co_filename == "README.md"


@pytest.mark.parametrize("block", [b for b in PYTHON if not b.network], ids=lambda block: f"line-{block.line}")
def test_python_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Python block of the README runs as it stands, in an empty directory, unless it is marked."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "readme"}
    exec(compile("\n" * (block.line - 1) + block.text, "README.md", "exec"), names)
    assert len(names) > 2, "the block defines nothing"


@pytest.mark.parametrize("block", [b for b in PYTHON if b.network], ids=lambda block: f"line-{block.line}")
def test_imports_of_marked_blocks_exist(block: Block) -> None:
    """A block that is not run still imports only what is there."""
    lines = [line for line in block.text.splitlines() if re.match(r"(from|import) ", line)]
    names: dict[str, object] = {}
    exec("\n".join(lines), names)
    assert len(names) > 1, "the block imports nothing"


def test_shown_output_is_what_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the README shows of ``check`` and ``explain`` is what they print."""
    from click.testing import CliRunner

    from mm7zeep.cli import main

    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "120")
    shown = next(block.text for block in blocks(README) if block.text.startswith("$ mm7zeep check "))
    runs = re.findall(r"(?ms)^\$ mm7zeep ([^\n]+)\n(.*?)(?=^\$ |\Z)", shown)
    assert [line.split()[0] for line, _ in runs] == ["check", "explain"]
    for line, output in runs:
        assert CliRunner().invoke(main, line.split()).stdout == output


@pytest.mark.once
def test_serve_says_that(tmp_path: Path) -> None:
    """What the README shows of ``serve`` is what a gateway says."""
    [served] = [block for block in blocks(README) if block.text.startswith("$ mm7zeep serve\n")]
    page = tmp_path / "page.md"
    page.write_text(f"<!-- {served.mark} -->\n```{served.language}\n{served.text}```\n", encoding="utf-8")
    with Session(page, tmp_path / "page") as session:
        assert [shown.agrees for shown in session.run()] == [True]


def test_each_block_is_tried() -> None:
    """Every block is Python, one of the two commands at the top, or one that a test above runs."""
    others = [block for block in blocks(README) if block.language not in ("python", "sh")]
    assert [(block.language, " ".join(block.text.split()[1:3])) for block in others] == [
        ("console", "mm7zeep send"),
        ("console", "mm7zeep serve"),
        ("console", "mm7zeep check"),
    ]
    assert [block.mark for block in others] == ["needs a carrier", "another terminal", ""]
    assert len(SHELL) == 2


def test_every_command_is_documented() -> None:
    """Each command of the command line is named in the README or below docs/."""
    from mm7zeep.cli import main

    assert main.commands
    assert [name for name in main.commands if f"mm7zeep {name}" not in DOCS] == []


def test_first_command_is_what_the_build_is_checked_with() -> None:
    """The README's first line installs the checkout and runs the demo; tox does so from wheel and sdist."""
    extras, command = build_check.promise(SHELL[0])
    assert SHELL[0] == f'python3 -m venv .venv && .venv/bin/pip -q install ".{extras}" && .venv/bin/{" ".join(command)}'
    assert command[:2] == ["mm7zeep", "demo"]
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    assert "build" in re.split(r"[,\s]+", tox["tox"]["env_list"])
    assert tox["testenv:build"]["commands"] == "python tests/build_check.py build"


def test_second_command_is_what_the_ci_runs() -> None:
    """The README's test command is one line of tox, and the CI script runs that very line, as its last."""
    assert SHELL[1].startswith("python3 -m venv .venv && ")
    assert SHELL[1].split("/")[-1].split()[0] == "tox"
    script = ROOT / ".ci" / "run"
    if not script.exists():
        pytest.skip("an unpacked sdist has no .ci")
    assert script.read_text(encoding="utf-8").splitlines()[-1] == SHELL[1]
