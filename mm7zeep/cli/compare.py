"""``mm7zeep compare``: reports of ``mm7zeep probe`` side by side.

Exit status: 0 nothing is worse, 1 where of two reports the second is worse, 2 wrong usage or no reports.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mm7zeep.cli import FAILURES, probe_reports
from mm7zeep.cli.probe_settings import read_report

FORMATS = ("text", "json", "html", "markdown")
"""The keys of ``probe.reports.several.WRITERS``, known without importing it."""


@click.command("compare")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="REPORT REPORT...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="What to print.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it into FILE.")
@click.option("--show-numbers", is_flag=True, help="Do not mask numbers and mail addresses.")
def command(files: tuple[Path, ...], form: str, output: Path | None, show_numbers: bool) -> None:
    """Compare reports that mm7zeep probe --format json wrote, the oldest first.

    Of two: what became worse, better, new, and what is not judged any more. Of more: cases by endpoints.

    Exit status: 0 nothing is worse, 1 of two reports the second is worse: a case fell to a worse verdict, or one fails
    that was not judged before. 2 wrong usage, or a file that is no report.
    """
    from mm7zeep.probe.compare import compare
    from mm7zeep.probe.reports.mask import Mask
    from mm7zeep.probe.reports.several import WRITERS

    mask = Mask(show_numbers=show_numbers)
    try:
        found = compare([(file.name, mask.report(read_report(file))) for file in files])
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    text = WRITERS[form](found, probe_reports.style() if output is None else None)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
    sys.exit(FAILURES if len(files) == 2 and found.worse else 0)
