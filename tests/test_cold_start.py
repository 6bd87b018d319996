"""What a command does not load, so that it starts at once; ``benchmarks/cold_start.py`` measures it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import captures
import pytest

WATCHED = (
    *("zeep", "requests", "urllib3", "httpx", "starlette", "sqlalchemy", "lxml", "xmlschema", "rich", "pytest"),
    *("opentelemetry", "python_multipart", "pydantic", "uvicorn"),
)


def loaded(*words: str) -> set[str]:
    """Which of the watched libraries a command loads."""
    code = (
        "import atexit, sys\nfrom mm7zeep.cli import main\n"
        f"atexit.register(lambda: print([n for n in {WATCHED} if n in sys.modules], file=sys.stderr))\n"
        f"main({list(words)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    names = done.stderr.splitlines()[-1]
    return set(eval(names))


@pytest.mark.parametrize("words", [["--help"], ["check", "--help"], ["--version"]])
def test_help_loads_nothing(words: list[str]) -> None:
    """Help and version load none of the libraries."""
    assert loaded(*words) == set()


@pytest.mark.parametrize("more", [[], ["--format", "json"]])
def test_check_loads_what_judges(more: list[str], tmp_path: Path) -> None:
    """Judging takes lxml and xmlschema; zeep is not needed, nor is rich where nothing is coloured."""
    path = tmp_path / "submit.http"
    path.write_bytes(captures.dump())
    assert loaded("check", str(path), *more) == {"lxml", "xmlschema"}
