"""The commands that the user names in the settings: started without a shell, and what they print."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from typing import IO, Any


def printed(command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """What a command prints, started with ``environment`` added to our own without the variables of our own options,
    which may be credentials of this run or of another command. It may take 30 s.

    Raises ``RuntimeError`` where it ends with another code than 0, ``subprocess.TimeoutExpired`` where it takes longer.
    """
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("MM7ZEEP_")}
    # Files and no pipes: what the command leaves running would keep those open, and is not waited for.
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as errors:
        done = subprocess.run(  # noqa: S603  the user names it, and no shell reads it
            command,
            env={**kept, **environment},
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=errors,
            timeout=30,
            check=False,
        )
        said, complained = (_text(stream) for stream in (told, errors))
    if done.returncode:
        raise RuntimeError(f"the command {command[0]} ended with {done.returncode}: {complained[-300:]}")
    return said


def _text(stream: IO[bytes]) -> str:
    """What a command wrote."""
    stream.seek(0)
    return stream.read().decode("utf-8", "replace").strip()


def json_object(command: tuple[str, ...], said: str) -> Mapping[str, Any] | None:
    """The JSON object that a command printed; None for null or nothing. Raises ``RuntimeError`` for anything else."""
    try:
        found = json.loads(said or "null")
    except ValueError:
        found = said
    if found is not None and not isinstance(found, dict):
        raise RuntimeError(f"the command {command[0]} prints one JSON object or null, not {said[:80]!r}")
    return found
