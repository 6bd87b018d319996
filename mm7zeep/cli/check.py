"""``mm7zeep check``: judge captured messages in files, directories or on standard input.

Reads files; the judgement is that of ``conformance``. Exit status: 1 if any message is refused, 3 if a file cannot be
read or is no capture at all, so that nothing was judged in it, 4 for warnings under ``--fail-on warn``.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from mm7zeep.cli import COULD_NOT_RUN, FAILURES, WARNINGS, completion

if TYPE_CHECKING:
    from types import ModuleType

    from mm7zeep.conformance.input.capture import Captured
    from mm7zeep.conformance.input.traffic import Traffic
    from mm7zeep.conformance.report.text_json import Entry
    from mm7zeep.conformance.verdict import Verdict
    from mm7zeep.findings import Finding
    from mm7zeep.profiles import Policy

FORMATS = ("text", "json")
"""The keys of ``conformance.report.text_json.WRITERS``, known without importing it."""

SHARED_FORMATS = ("junit", "sarif", "html")
"""What people hand on: written from whole verdicts, with numbers masked unless asked for."""


_LEVELS = ("MUST", "SHOULD", "INFO")  # the gravest first


def _ids(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> frozenset[str]:
    """The kinds of findings that are meant by ids and beginnings of ids."""
    if not value:
        return frozenset()
    from mm7zeep.cli.explain import near
    from mm7zeep.findings import KINDS

    found: set[str] = set()
    for one in value:
        meant = [id for id in KINDS if id == one or (one.endswith("/") and id.startswith(one))]
        if not meant:
            raise click.BadParameter(f"no finding is called {one!r}{near(one)}")
        found.update(meant)
    return frozenset(found)


def _wanted(one: Finding, *, level: str, ignored: frozenset[str]) -> bool:
    """Whether a finding is of that level or a graver one, and is not ignored."""
    return one.id not in ignored and _LEVELS.index(one.level) <= _LEVELS.index(level)


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--policy",
    type=click.Choice(["strict", "interop", "lenient"]),
    default="interop",
    show_default=True,
    help="What is accepted: what keeps to the texts; also what is repaired by name; whatever can be understood.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS, *SHARED_FORMATS]),
    default="text",
    show_default=True,
    help="What to print.",
)
@click.option("--fail-on", type=click.Choice(["fail", "warn"]), default="fail", help="warn: exit 4 for warnings, too.")
@click.option("--tree", is_flag=True, help="Show the MIME tree, too: places, sizes, labels, hashes (text and json).")
@click.option(
    "--summary", is_flag=True, help="Count the findings, and name the rejected messages alone (text and json)."
)
@click.option(
    "--level",
    type=click.Choice(_LEVELS, case_sensitive=False),
    default="INFO",
    show_default=True,
    help="List findings of this level and of graver ones; no other is a warning.",
)
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    callback=_ids,
    shell_complete=completion.finding_ids,
    metavar="ID",
    help="Leave findings of this kind (schema/order, or sem/ for all of those) out of account; may be repeated.",
)
@click.option("--show-numbers", is_flag=True, help="Do not mask numbers and addresses in junit, sarif and html.")
def command(
    files: tuple[str, ...],
    policy: str,
    form: str,
    fail_on: str,
    tree: bool,
    summary: bool,
    level: str,
    ignored: frozenset[str],
    show_numbers: bool,
) -> None:
    """Judge captured messages: HTTP dumps, MIME packages, bare envelopes, HAR files, pcap and pcapng recordings.

    FILE is a file, a directory (searched for captures), or - for standard input. A message is accepted if it was
    understood without guessing; its deviations are listed all the same. --level and --ignore choose among them; a
    rejected message stays one, and what it was rejected for is always listed.

    Exit status: 0 clean, 1 a message was rejected, 2 wrong usage, 3 a file could not be read or is no capture at all
    (a picture, a program; the others are judged), 4 warnings under --fail-on warn.
    """
    if tree and form not in ("text", "json"):
        raise click.UsageError("--tree goes with --format text or json")
    if summary and (tree or form not in FORMATS):
        raise click.UsageError("--summary goes with --format text or json, and not with --tree")
    wanted = partial(_wanted, level=level, ignored=ignored)
    with _rarely_collecting():
        entries: list[Entry] = []
        kept: list[Verdict] = []  # for the shared formats only: a verdict holds the whole message
        failed = False
        for name in files:
            try:
                for whole in _judged(name, cast("Policy", policy)):
                    judged = whole.listing(wanted)
                    entries.append(_entry(judged, tree=tree))
                    kept += [judged] if form in SHARED_FORMATS else []
            except _Unreadable as error:
                failed = True
                click.echo(f"mm7zeep check: {error}", err=True)
        if form in SHARED_FORMATS:
            click.echo(_shared(kept, form, show_numbers=show_numbers), nl=False)
        elif entries or form != "text":
            click.echo(_report(entries, form, tree=tree, summary=summary), nl=False)
    sys.exit(_status(entries, failed=failed, warn=fail_on == "warn"))


def _shared(verdicts: list[Verdict], form: str, *, show_numbers: bool) -> str:
    from mm7zeep.conformance.report import html, junit, sarif

    render = {"junit": junit.render, "sarif": sarif.render, "html": html.render}[form]
    return render(verdicts, show_numbers=show_numbers)


def _entry(judged: Verdict, *, tree: bool) -> Entry:
    from mm7zeep.conformance.report import text_json

    entry = text_json.entry(judged)
    if not tree:
        return entry
    from mm7zeep.conformance.report.tree import rows

    return replace(entry, more={"tree": rows(judged)})


def _report(entries: list[Entry], form: str, *, tree: bool, summary: bool) -> str:
    from mm7zeep.conformance.report import text_json

    style = text_json.Style(colour=colour(), width=shutil.get_terminal_size().columns)
    if summary:
        from mm7zeep.conformance.report.summary import WRITERS

        return WRITERS[form](entries, style)
    text = text_json.WRITERS[form](entries, style)
    if not tree or form != "text":
        return text
    from mm7zeep.conformance.report.tree import as_text

    return as_text([(one.file, one.more["tree"]) for one in entries], colour=style.colour) + "\n" + text


class _Unreadable(Exception):
    """A file that could not be looked at, with the reason."""


def _status(entries: list[Entry], *, failed: bool, warn: bool) -> int:
    if failed:
        return COULD_NOT_RUN
    if any(one.rejected for one in entries):
        return FAILURES
    return WARNINGS if warn and any(one.warned for one in entries) else 0


def colour() -> bool:
    """Whether standard output is a terminal that shows colours, and nobody asked for none (NO_COLOR, TERM)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    """Let the collector look rarely while libraries and schemas, which stay, are loaded: a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _judged(name: str, policy: Policy) -> Iterator[Verdict]:
    """A verdict for each message of a file, a directory or standard input. Raises ``_Unreadable``."""
    from mm7zeep.conformance import verdict
    from mm7zeep.errors import RemoteError

    for shown, data in _contents(name):
        try:
            found = _messages(shown, data)
        except RemoteError as error:
            raise _Unreadable(str(error)) from error
        judged = [verdict.judge(one, policy=policy) for one in found]
        if len(judged) > 1:  # requests and answers are judged together
            from mm7zeep.conformance import pairs

            judged = pairs.judge(judged)
        yield from judged


def _messages(shown: str, data: bytes) -> Sequence[Captured]:
    """The messages of one file, whatever kind of capture it is. Raises ``RemoteError``."""
    from mm7zeep.conformance.input import capture

    recording = _recording(data)
    if recording is None:
        _refuse_foreign(shown, data)
        return capture.messages(shown, data)
    traffic: Traffic = recording.read(shown, data)
    for note in traffic.notes:
        click.echo(f"mm7zeep check: {note}", err=True)
    if not traffic.messages:
        raise _Unreadable(f"{shown}: no MM7 message in this recording")
    return traffic.messages


def _refuse_foreign(shown: str, data: bytes) -> None:
    """Raise ``_Unreadable`` for what is no capture at all: there is no message to accept or to reject."""
    from mm7zeep.conformance.input import foreign

    what = foreign.described(data)
    if what is not None:
        raise _Unreadable(f"{shown}: {what}, no MM7 capture; check reads {_READ}")


_READ = "HTTP dumps, MIME packages, envelopes, HAR and pcap files"


def _recording(data: bytes) -> ModuleType | None:
    """The module that reads ``data`` if it is a recording of traffic; each is imported only where its mark is seen."""
    mark = data[:4]
    if mark in _PCAP_MARKS or mark[:2] == b"\x1f\x8b":  # gzip: the reader says to unpack it
        from mm7zeep.conformance.input import pcap

        return pcap
    if data[:256].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        from mm7zeep.conformance.input import har

        return har if har.recognised(data) else None
    return None


_PCAP_MARKS = frozenset(
    bytes.fromhex(mark) for mark in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "a1b2cd34", "34cdb2a1", "0a0d0d0a")
)


def _contents(name: str) -> Iterator[tuple[str, bytes]]:
    from mm7zeep.conformance.input import capture

    if name == "-":
        yield "-", sys.stdin.buffer.read(capture.MAX_FILE + 1)
        return
    path = Path(name)
    try:
        if not path.is_dir():
            yield name, _read(path)
            return
        found, others = False, 0
        for one in sorted(path.rglob("*")):
            hidden = any(step.startswith(".") for step in one.relative_to(path).parts)
            if hidden or not one.is_file():
                continue
            head = _read(one, 65536)
            if not capture.recognised(head) and _recording(head) is None:
                others += 1
                continue
            found = True
            yield str(one), _read(one)
    except OSError as error:
        raise _Unreadable(f"{error.filename or name}: {error.strerror or error}") from error
    if not found:
        looked = f"; none of its {others} files is one" if others else ""
        raise _Unreadable(f"{name}: no captured message in this directory{looked}")


def _read(path: Path, limit: int | None = None) -> bytes:
    from mm7zeep.conformance.input import capture

    with path.open("rb") as stream:
        return stream.read(capture.MAX_FILE + 1 if limit is None else limit)
