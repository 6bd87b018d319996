"""What ``mm7zeep probe`` writes: reports to standard output and into files, and the baseline beside them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import click

from mm7zeep.cli.check import colour

if TYPE_CHECKING:
    from mm7zeep.probe.baseline import Entry, Judged
    from mm7zeep.probe.reports.layout import Style
    from mm7zeep.probe.reports.mask import Mask
    from mm7zeep.probe.reports.terminal import Detail
    from mm7zeep.probe.results import Report, Role

NOTHING_EXAMINED = 2
"""The exit status where every case was skipped: the settings are to blame, and no build may be green for that."""

FORMATS = ("text", "json", "ndjson", "junit", "html")
"""The keys of ``probe.reports.WRITERS``, known without importing it."""


@dataclass(frozen=True, slots=True)
class Output:
    """One report that is to be written; ``path`` is None for standard output."""

    form: str
    path: Path | None

    @contextmanager
    def opened(self, mode: Literal["w", "a"] = "w") -> Iterator[IO[str]]:
        """The stream that it goes to."""
        if self.path is None:
            yield sys.stdout
            return
        with self.path.open(mode, encoding="utf-8", newline="\n") as stream:
            yield stream


def reports(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[Output, ...]:
    """FORMAT=FILE, several."""
    found = []
    for one in value:
        form, _, file = one.partition("=")
        if form not in FORMATS or not file:
            raise click.BadParameter(f"give FORMAT=FILE, with a format of {', '.join(FORMATS)}")
        found.append(Output(form, Path(file)))
    return tuple(found)


def outputs(options: Mapping[str, Any]) -> tuple[Output, ...]:
    """All reports that the options ask for. Raises ``click.UsageError`` for a file that cannot be written, or has two:
    before anything is sent.
    """
    form, path = options["form"], options["output"]
    found = [Output(form, None)] if path is None else [Output(form, path), Output("text", None)]
    found += options["reports"]
    paths = [one.path.absolute() for one in found if one.path is not None]
    paths += [options["write_baseline"].absolute()] if options["write_baseline"] else []
    for one in paths:
        if paths.count(one) > 1:
            raise click.UsageError(f"{one.name}: is named twice; give each report a file of its own")
        try:
            one.open("a").close()
        except OSError as error:
            raise click.UsageError(f"{one}: {error.strerror}") from error
    return tuple(found)


def style() -> Style:
    """How text is set on this terminal."""
    from mm7zeep.probe.reports.layout import Style

    return Style(colour=colour(), width=shutil.get_terminal_size((100, 24)).columns)


def entries(path: Path | None, role: Role) -> tuple[Entry, ...]:
    """The entries of a baseline for this role. Raises ``click.UsageError``."""
    from mm7zeep.probe import baseline
    from mm7zeep.probe.cases import ALL
    from mm7zeep.probe.common import COMMON

    if path is None:
        return ()
    known = [one.id for one in ALL if one.role == role] + [one.id for one in COMMON]
    try:
        return baseline.read(path, known)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def finish(
    report: Report, entries: Sequence[Entry], mask: Mask, outputs: Sequence[Output], options: Mapping[str, Any]
) -> int:
    """Write every report and the baseline; the exit status."""
    from mm7zeep.probe import baseline
    from mm7zeep.probe.reports import machine, written

    judged = baseline.judge(report, entries, today=today(), strict=options["strict"])
    detail: Detail = "every" if options["verbose"] else "usual"
    for one in outputs:
        if one.form == "ndjson":  # its lines are written; the sum ends it
            with one.opened("a") as stream:
                stream.write(machine.as_json_summary(judged))
            continue
        on_terminal = one.path is None
        shown: Detail = "sum" if options["quiet"] and on_terminal else detail
        text = written(judged, one.form, mask, style=style() if on_terminal else None, detail=shown)
        with one.opened() as stream:
            stream.write(text)
    if options["write_baseline"]:
        text = baseline.written(report, entries, today=today(), strict=options["strict"])
        options["write_baseline"].write_text(text, encoding="utf-8")
    _tell_baseline(judged)
    if all(one.verdict == "SKIP" for one in report.results if not one.common):
        click.echo(
            "mm7zeep probe: nothing was examined: every case was skipped, for want of what the settings lack", err=True
        )
        return NOTHING_EXAMINED
    return judged.status


def _tell_baseline(judged: Judged) -> None:
    """What in the baseline is out of date, on standard error: no format of a report is needed to see it."""
    for id, one in judged.standings.items():
        if one.kind != "expected":
            click.echo(f"mm7zeep probe: baseline: {id}: {one.text}", err=True)


def today() -> date:
    """The day here, by which entries expire."""
    return datetime.now().astimezone().date()
