"""``mm7zeep vectors``: write the test vectors for other implementations.

Writes only below the directory given, under names of its own, and overwrites nothing unless asked to.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mm7zeep.cli import COULD_NOT_RUN


@click.command("vectors")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
def command(directory: Path, force: bool) -> None:
    """Write the test vectors into DIRECTORY: MM7 messages, right and wrong, with what a receiver is to make of them.

    One JSON file for each area, index.json, which names them, and the JSON Schemas of both.

    Exit status: 0 written, 2 wrong usage, 3 a file was there already or could not be written.
    """
    from mm7zeep.vectors.documents import INDEX, documents

    files = documents()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        there = [name for name in files if (directory / name).exists()]
        if there and not force:
            click.echo(f"mm7zeep vectors: {directory / there[0]} is there already; --force overwrites it", err=True)
            sys.exit(COULD_NOT_RUN)
        for name, data in files.items():
            (directory / name).write_bytes(data)
            click.echo(f"{directory / name}  {len(data)} octets", err=True)
    except OSError as error:
        click.echo(f"mm7zeep vectors: {error.filename or directory}: {error.strerror}", err=True)
        sys.exit(COULD_NOT_RUN)
    click.echo(f"read {directory / INDEX} first")
