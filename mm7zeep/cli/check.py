"""``mm7zeep check``: judge captured messages in files, directories or on standard input.

Reads files; the judgement is that of ``conformance``. Exit status: 1 if any message is refused, 3 if a file cannot be
read, 4 for warnings under ``--fail-on warn``.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from mm7zeep.cli import COULD_NOT_RUN, FAILURES, WARNINGS

if TYPE_CHECKING:
    from mm7zeep.conformance.report import Entry
    from mm7zeep.profiles import Policy

FORMATS = ("text", "json")
"""The keys of ``conformance.report.WRITERS``, known without importing it."""


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--policy",
    type=click.Choice(["strict", "interop", "lenient"]),
    default="interop",
    show_default=True,
    help="How much is borne: nothing; what is repaired by name; whatever can be understood.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="What to print.")
@click.option("--fail-on", type=click.Choice(["fail", "warn"]), default="fail", help="warn: exit 4 for warnings, too.")
def command(files: tuple[str, ...], policy: str, form: str, fail_on: str) -> None:
    """Judge captured messages: HTTP dumps, MIME packages, bare envelopes.

    FILE is a file, a directory (searched for captures), or - for standard input. A message is accepted if it was
    understood without guessing; its deviations are listed all the same.
    """
    from mm7zeep.conformance import report

    entries: list[Entry] = []
    failed = False
    for name in files:
        try:
            entries.extend(_judged(name, cast("Policy", policy)))
        except _Unreadable as error:
            failed = True
            click.echo(f"mm7zeep check: {error}", err=True)
    if entries or form != "text":
        style = report.Style(colour=_colour(), width=shutil.get_terminal_size().columns)
        click.echo(report.WRITERS[form](entries, style), nl=False)
    sys.exit(_status(entries, failed=failed, warn=fail_on == "warn"))


class _Unreadable(Exception):
    """A file that could not be looked at, with the reason."""


def _status(entries: list[Entry], *, failed: bool, warn: bool) -> int:
    if failed:
        return COULD_NOT_RUN
    if any(one.rejected for one in entries):
        return FAILURES
    return WARNINGS if warn and any(one.warned for one in entries) else 0


def _colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _judged(name: str, policy: Policy) -> Iterator[Entry]:
    """An entry for each message of a file, a directory or standard input. Raises ``_Unreadable``."""
    from mm7zeep.conformance import capture, report, verdict
    from mm7zeep.errors import LimitError

    for shown, data in _contents(name):
        try:
            found = capture.messages(shown, data)
        except LimitError as error:
            raise _Unreadable(str(error)) from error
        for one in found:
            yield report.entry(verdict.judge(one, policy=policy))


def _contents(name: str) -> Iterator[tuple[str, bytes]]:
    from mm7zeep.conformance import capture

    if name == "-":
        yield "-", sys.stdin.buffer.read(capture.MAX_FILE + 1)
        return
    path = Path(name)
    try:
        if not path.is_dir():
            yield name, _read(path)
            return
        found = False
        for one in sorted(path.rglob("*")):
            hidden = any(step.startswith(".") for step in one.relative_to(path).parts)
            if hidden or not one.is_file() or not capture.recognised(_read(one, 65536)):
                continue
            found = True
            yield str(one), _read(one)
    except OSError as error:
        raise _Unreadable(f"{error.filename or name}: {error.strerror or error}") from error
    if not found:
        raise _Unreadable(f"{name}: no captured message in this directory")


def _read(path: Path, limit: int | None = None) -> bytes:
    from mm7zeep.conformance import capture

    with path.open("rb") as stream:
        return stream.read(capture.MAX_FILE + 1 if limit is None else limit)
