"""``mm7zeep fit``: files made to fit into one message, and what was done to each.

Exit status 0, 1 where something cannot fit, 2 for wrong usage, 3 where a file cannot be read or written.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from mm7zeep.cli import COULD_NOT_RUN, FAILURES, options

if TYPE_CHECKING:
    from mm7zeep.errors import LocalError
    from mm7zeep.findings import Finding
    from mm7zeep.messages import Part

_HEAD = ("file", "before", "after", "type", "what was done")


@click.command("fit")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--limit", callback=options.octets, metavar="SIZE", help="What the whole message may have: 300k, 1M, or octets."
)
@options.profile("carrier", "The carrier, whose limit and encoding apply: vibes-6.8, ...")
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Write the files that fit into DIRECTORY."
)
@click.option("--ffmpeg", metavar="COMMAND", help="What makes audio and video smaller; without it they are refused.")
@click.option("--force", is_flag=True, help="Overwrite files in DIRECTORY.")
def command(
    files: tuple[Path, ...],
    limit: int | None,
    carrier: str | None,
    output: Path | None,
    ffmpeg: str | None,
    force: bool,
) -> None:
    """Make the FILEs fit into one message, and tell what was done to each.

    The limit is that of the whole message, with its envelope and encodings. Pictures are turned upright, freed of what
    they say of place and device, and scaled and coded where they must be. Nothing is written without -o.

    Exit status: 0 they fit, 1 something cannot fit, 2 wrong usage, 3 a file cannot be read or written.
    """
    from mm7zeep import profiles
    from mm7zeep.client import part_of
    from mm7zeep.errors import LocalError
    from mm7zeep.extras import wanting
    from mm7zeep.fitting.fit import fit

    try:
        profile = profiles.profile(carrier)
        limit = limit or profile.max_size
        if limit is None:
            raise click.UsageError(_no_limit(carrier))
    except LocalError as error:
        raise click.UsageError(str(error)) from error
    absent = wanting("fit")
    if absent is not None:
        click.echo(f"mm7zeep fit: {absent}", err=True)
        sys.exit(COULD_NOT_RUN)
    try:
        parts = [_part(file, part_of(file)) for file in files]
    except LocalError as error:
        click.echo(f"mm7zeep fit: {error}", err=True)
        sys.exit(COULD_NOT_RUN)
    try:
        done = fit(parts, limit=limit, media=profile.media_types, profile=profile, ffmpeg=ffmpeg)
    except LocalError as error:
        _refused(error)
    rows = [
        (file.name, f"{old.size:,}", f"{new.size:,}", new.content_type, _words(done.changes.get(n, ())))
        for n, (file, old, new) in enumerate(zip(files, parts, done.parts, strict=True))
    ]
    for line in _table((_HEAD, *rows)):
        click.echo(line)
    click.echo(f"the message has {done.size:,} octets; the limit is {limit:,}")
    if output is not None:
        _write(output, files, done.parts, force=force)


def _no_limit(carrier: str | None) -> str:
    said = "give --limit, or a --profile whose carrier states one"
    return f"{carrier} states no limit; {said}" if carrier is not None else said


def _part(file: Path, part: Part) -> Part:
    """The part of a file, in memory: what is told of it and what is written is then the same."""
    from dataclasses import replace

    return replace(part, body=part.read())


def _words(findings: tuple[Finding, ...]) -> str:
    """What was done to one file; its size stands in columns of their own."""
    done = [one for one in findings if one.id != "fit/size"]
    if not done:
        return "nothing"
    return "; ".join(one.id.partition("/")[2] + (f" ({one.detail})" if one.detail else "") for one in done)


def _table(rows: tuple[tuple[str, ...], ...]) -> list[str]:
    """Columns as wide as they must be, numbers to the right; what a terminal would obey is escaped."""
    from mm7zeep.transport.pages import escaped

    clean = [[escaped(cell) for cell in row] for row in rows]
    widths = [max(len(row[n]) for row in clean) for n in range(len(_HEAD))]
    right = (1, 2)
    cells = ([(c.rjust if n in right else c.ljust)(widths[n]) for n, c in enumerate(row)] for row in clean)
    return ["  ".join(row).rstrip() for row in cells]


def _refused(error: LocalError) -> NoReturn:
    """Say what cannot fit, a line for each file, and end."""
    from mm7zeep.transport.pages import escaped

    refused = [one for one in error.findings if one.action == "refused"]
    lines = [f"{one.where} {one.detail}" for one in refused] if len(refused) > 1 else [str(error)]
    for line in lines:
        click.echo(f"mm7zeep fit: {escaped(line)}", err=True)
    sys.exit(FAILURES)


def _write(folder: Path, files: tuple[Path, ...], parts: tuple[Part, ...], *, force: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file, part in zip(files, parts, strict=True):
        target = folder / Path(part.name or file.name).name
        try:
            with target.open("wb" if force else "xb") as stream:
                stream.write(part.read())
        except FileExistsError:
            click.echo(f"mm7zeep fit: {target} is there already; --force overwrites it", err=True)
            sys.exit(COULD_NOT_RUN)
