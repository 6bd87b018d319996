"""``mm7zeep probe``: examine a live MMSC or VASP, case by case, and report.

Exit status: 0 nothing failed that the baseline does not expect, 1 FAIL or HANG (with ``--strict`` WARN, too), or a
baseline that is out of date, 2 wrong usage or settings, 3 nothing but ERROR: the tool or the network. 130 after
Ctrl-C, 143 after SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from mm7zeep.cli import COULD_NOT_RUN, options, probe_reports, probe_settings

if TYPE_CHECKING:
    from mm7zeep.cli.probe_reports import Output
    from mm7zeep.probe.case import Case
    from mm7zeep.probe.reports.mask import Mask
    from mm7zeep.probe.reports.progress import Progress
    from mm7zeep.probe.results import Report, Result
    from mm7zeep.probe.settings import Settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_TARGET = click.Path(dir_okay=False, path_type=Path)


@click.command("probe")
@click.argument("url", required=False)
@click.option("--role", type=click.Choice(["mmsc", "vasp"]), help="What is examined at URL.  [default: mmsc]")
@click.option("--config", type=_FILE, metavar="FILE", help="Settings of the endpoint, in TOML (docs/probe.md).")
@click.option("--only", multiple=True, metavar="CASE", help="An id, an area (http/) or a pattern; may be repeated.")
@click.option("--skip", multiple=True, metavar="CASE", help="The same, left out.")
@click.option(
    "--level",
    type=click.Choice(["MUST", "SHOULD", "INFO"]),
    default="INFO",
    show_default=True,
    help="Cases of this level and the stricter ones.",
)
@click.option("--list", "listed", is_flag=True, help="List the cases, as text or with --format json; send nothing.")
@click.option("--dry-run", is_flag=True, help="Write every request to standard output, masked; send nothing.")
@click.option("--parallel", type=click.IntRange(1, 64), help="Cases at a time.  [default: 8]")
@click.option("--timeout", type=click.FloatRange(0, 600, min_open=True), metavar="SECONDS", help="For an answer.")
@click.option(
    "--patience", type=click.FloatRange(0, 600, min_open=True), metavar="SECONDS", help="For a call that has to come."
)
@click.option(
    "--window", type=click.FloatRange(0, 600, min_open=True), metavar="SECONDS", help="In which none may that must not."
)
@click.option("--seed", type=click.IntRange(0), help="Makes the same requests again.  [default: another in each run]")
@click.option(
    "--user", callback=options.credentials, metavar="USER:PASSWORD", help="Or MM7ZEEP_PROBE_USER, or --user-file."
)
@click.option("--user-file", type=_FILE, callback=probe_settings.read_user, help="A file with USER:PASSWORD.")
@options.vaspid("asks")
@options.vasid()
@click.option("--namespace", help="The MM7 schema: REL-6-MM7-1-4, or a whole namespace.")
@click.option(
    "--allow-send",
    multiple=True,
    callback=probe_settings.numbers,
    metavar="NUMBERS",
    help="Who may get messages, with commas; needed for any other machine than this.",
)
@click.option("--listen", metavar="HOST:PORT", help="Where calls of the endpoint are taken.")
@click.option("--trigger-cmd", "trigger", metavar="COMMAND", help="Makes the VASP submit.")
@click.option("--state-cmd", "state", metavar="COMMAND", help="Makes the state that a case needs.")
@click.option("--seen-cmd", "seen", metavar="COMMAND", help="Tells what the VASP got.")
@options.ca_file()
@options.client_cert()
@click.option(
    "--format",
    "form",
    type=click.Choice(probe_reports.FORMATS),
    default="text",
    show_default=True,
    help="What to print.",
)
@click.option("--output", type=_TARGET, metavar="FILE", help="Write that format into FILE, and print the text.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    callback=probe_reports.reports,
    metavar="FORMAT=FILE",
    help="One more report, into a file: html=report.html; may be repeated.",
)
@click.option("--baseline", type=_FILE, metavar="FILE", help="Failures that are expected (docs/probe.md).")
@click.option("--write-baseline", type=_TARGET, metavar="FILE", help="Write what failed as a baseline.")
@click.option("--replay", type=_FILE, metavar="REPORT", help="Run again what did not pass in a JSON report.")
@click.option("--strict", is_flag=True, help="WARN makes the run fail, too.")
@click.option("--show-numbers", is_flag=True, help="Do not mask numbers and mail addresses.")
@click.option("-q", "--quiet", is_flag=True, help="No progress; of the text, only the sum.")
@click.option("-v", "--verbose", is_flag=True, help="Show what passed and what was skipped, too.")
def command(url: str | None, **given: Any) -> None:
    """Examine the MMSC or VASP at URL: numbered cases, each with requirement, expected, actual and the octets.

    Sends what is wrong on purpose, to URL and nowhere else. With --replay, URL may be left out: that of the report.

    Exit status: 0 nothing failed beyond the baseline, 1 FAIL or HANG, or an entry of the baseline that is expired or
    not needed any more, 2 wrong usage or settings, or every case was skipped, 3 ERROR alone (the tool or the network),
    130 ended by Ctrl-C, 143 by SIGTERM.
    """
    earlier = probe_settings.read_report(given["replay"]) if given["replay"] else None
    if given["listed"] and url is None:
        url = "http://localhost/"
    settings = probe_settings.settings(url, given, earlier)
    cases = _chosen(settings, given, earlier)
    if cases is None:
        click.echo("nothing to run again: all of that report passed or was skipped")
        return
    if given["listed"]:
        _list(cases, as_json=given["form"] == "json")
        return
    mask = _mask(settings, given)
    if given["dry_run"]:
        _dry_run(cases, settings, mask)
        return
    probe_settings.demand_leave(settings, given["allow_send"])
    entries = probe_reports.entries(given["baseline"], settings.role)
    outputs = probe_reports.outputs(given)
    stop = _Stop()
    try:
        report = _run(cases, settings, mask, outputs, stop, given)
    except OSError as error:  # nobody there, or the listener's place taken
        click.echo(f"mm7zeep probe: {_why(error, settings.url, given)}", err=True)
        sys.exit(COULD_NOT_RUN)
    status = probe_reports.finish(report, entries, mask, outputs, given)
    if stop.number:
        click.echo(f"mm7zeep probe: ended by a signal after {len(report.results)} results", err=True)
    sys.exit(128 + stop.number if stop.number else status)


def _chosen(settings: Settings, given: dict[str, Any], earlier: Report | None) -> tuple[Case, ...] | None:
    """The cases to run; None where an earlier report leaves nothing to run again. Raises ``click.UsageError``."""
    from mm7zeep.probe.cases import ALL
    from mm7zeep.probe.selection import select

    known = tuple(one for one in ALL if one.role == settings.role)
    only = given["only"]
    try:
        if earlier is not None:
            again, unknown = probe_settings.to_run_again(earlier, (one.id for one in known))
            if unknown:
                click.echo(f"mm7zeep probe: no cases any more: {', '.join(map(repr, unknown))}", err=True)
            if not again:
                return None
            known = tuple(one for one in known if one.id in again)
        chosen = select(known, only=only, skip=given["skip"], level=given["level"])
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if not chosen:
        raise click.UsageError("--only, --skip and --level leave no case to run")
    return chosen


def _mask(settings: Settings, given: dict[str, Any]) -> Mask:
    from mm7zeep.probe.reports.mask import Mask

    return Mask.of(settings, show_numbers=given["show_numbers"])


# --- without sending --------------------------------------------------------------------------------------------------


def _list(cases: tuple[Case, ...], *, as_json: bool) -> None:
    from mm7zeep import json_text
    from mm7zeep.probe.common import COMMON
    from mm7zeep.probe.reports import terminal

    if not as_json:
        click.echo(terminal.catalogue(cases, COMMON, probe_reports.style()), nl=False)
        return
    said: list[dict[str, Any]] = [
        {
            "id": one.id,
            "role": one.role,
            "level": one.level,
            "clause": one.clause,
            "requirement": one.requirement,
            "needs": list(one.needs),
            "common": False,
        }
        for one in cases
    ]
    names = ("id", "level", "clause", "requirement")
    said += [{name: getattr(one, name) for name in names} | {"common": True} for one in COMMON]
    click.echo(json_text.as_json({"cases": said}, indent=1))


def _dry_run(cases: Sequence[Case], settings: Settings, mask: Mask) -> None:
    from mm7zeep.probe.reports import octets
    from mm7zeep.probe.runner import dry_run

    out = sys.stdout.buffer
    readable = sys.stdout.isatty()

    def write(id: str, request: bytes) -> None:
        masked, note = mask.octets(request)
        told = f"# {id}, {len(request)} octets{f', {note}' if note else ''}\n"
        out.write(told.encode() + (octets.text(masked).encode() if readable else masked) + b"\n\n")

    dry_run(cases, settings, write)
    out.flush()


# --- the run ----------------------------------------------------------------------------------------------------------


class _Stop(threading.Event):
    """Set by the first Ctrl-C or SIGTERM; ``number`` is that of the signal."""

    number = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals as long as this runs; the second one ends the program as usual."""

        def came(number: int, frame: object) -> None:
            if self.is_set():
                raise KeyboardInterrupt
            self.number = number
            self.set()
            os.write(2, b"\nmm7zeep probe: no more cases; those that run are waited for (again: without a report)\n")

        if threading.current_thread() is not threading.main_thread():  # only there can signals be taken
            yield
            return
        before = {one: signal.signal(one, came) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


def _run(
    cases: Sequence[Case],
    settings: Settings,
    mask: Mask,
    outputs: Sequence[Output],
    stop: _Stop,
    given: dict[str, Any],
) -> Report:
    """Run the cases, tell of it meanwhile, and write the lines of NDJSON as they come. Raises ``click.UsageError``."""
    from mm7zeep.probe.common import COMMON
    from mm7zeep.probe.reports.progress import Progress
    from mm7zeep.probe.runner import run

    context = options.tls(given["ca_file"], given["client_cert"])
    lines = "none" if given["quiet"] else "all" if given["verbose"] else "some"
    live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    with ExitStack() as stack:
        streams = [stack.enter_context(one.opened()) for one in outputs if one.form == "ndjson"]
        progress = stack.enter_context(Progress(sys.stderr, len(cases) + len(COMMON), mask, live=live, lines=lines))
        stack.enter_context(stop.listening())
        return run(
            cases,
            settings,
            on_result=_hearing(progress, streams, mask),
            on_asked=lambda case: progress.asked(),
            stop=stop,
            context=context,
        )


def _hearing(progress: Progress, streams: Sequence[IO[str]], mask: Mask) -> Callable[[Result], None]:
    from mm7zeep.probe.reports import machine

    lock = threading.Lock()

    def heard(result: Result) -> None:
        progress.heard(result)
        if streams:
            line = machine.as_json_line(mask.result(result))
            with lock:
                for stream in streams:
                    stream.write(line)
                    stream.flush()

    return heard


def _why(error: OSError, url: str, given: dict[str, Any]) -> str:
    """Why nothing was examined; of a handshake, with the files that were given for it."""
    import ssl

    from mm7zeep.transport import reasons

    handshake = isinstance(error.__cause__, ssl.SSLError)
    files = reasons.Files(given["ca_file"], given["client_cert"])
    why = reasons.of(error, url, files=files) if handshake else None
    return f"no TLS with {urlsplit(url).netloc}: {why.words}" if why is not None else str(error)
