"""``mm7zeep samples``: write the media sample pack and a ready request, and print the curl command that sends it.

Writes only below the directory given, under names of its own, and overwrites nothing unless asked to.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mm7zeep.cli import COULD_NOT_RUN

if TYPE_CHECKING:
    from mm7zeep.exchange import Wire

REQUEST = "mm7-request.txt"
"""The name of the file with the request's body."""


@click.command("samples")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--url", default="https://mmsc.example/mm7", show_default=True, help="Where the curl command sends to.")
@click.option("--auth", default="USER:PASSWORD", show_default=True, help="The credentials in the curl command.")
@click.option("--vaspid", default="TNN", show_default=True, help="The VASPID of the request.")
@click.option("--vasid", default="News", show_default=True, help="The VASID of the request.")
@click.option("--to", default="+61412345678", show_default=True, help="The recipient of the request.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
def command(directory: Path, url: str, auth: str, vaspid: str, vasid: str, to: str, force: bool) -> None:
    """Write sample media and a SubmitReq into DIRECTORY, and print the curl command that sends it.

    The request is REL-5-MM7-1-3 with MM7Version 5.3.0: a text and a picture.

    Exit status: 0 written, 2 wrong usage, 3 a file is there already, or cannot be written.
    """
    from mm7zeep.errors import LocalError
    from mm7zeep.samples import samples

    pack = samples()
    try:
        wire = request(pack["hello.txt"], pack["saturn.gif"], "image/gif", vaspid=vaspid, vasid=vasid, to=to)
    except (LocalError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, data in {**pack, REQUEST: wire.read()}.items():
            with (directory / name).open("wb" if force else "xb") as stream:
                stream.write(data)
            click.echo(f"{directory / name}  {len(data)} octets", err=True)
    except FileExistsError as error:
        click.echo(f"mm7zeep samples: {error.filename} is there already; --force overwrites it", err=True)
        sys.exit(COULD_NOT_RUN)
    except OSError as error:
        click.echo(f"mm7zeep samples: {error.filename or directory}: {error.strerror}", err=True)
        sys.exit(COULD_NOT_RUN)
    click.echo(curl(wire, directory / REQUEST, url=url, auth=auth))


def request(text: bytes, picture: bytes, kind: str, *, vaspid: str | None, vasid: str, to: str) -> Wire:
    """A SubmitReq with a text and a picture of media type ``kind``, in base64 so that people can read it.

    Raises ``LocalError`` or ``ValueError`` for values that no message can hold.
    """
    from dataclasses import replace

    from mm7zeep import exchange, profiles
    from mm7zeep.messages import Part, SubmitReq

    now = datetime.now(UTC).replace(microsecond=0)
    message = SubmitReq(
        vaspid=vaspid,
        vasid=vasid,
        to=to,
        time_stamp=now,
        expiry_date=now + timedelta(days=7),
        delivery_report=True,
        priority="Normal",
        subject="News for today",
        parts=(
            Part(
                body=text, content_type="text/plain", parameters=(("charset", "utf-8"),), content_id="hello.txt@mm7zeep"
            ),
            Part(body=picture, content_type=kind, content_id="saturn@mm7zeep", name=f"saturn.{kind.partition('/')[2]}"),
        ),
    )
    return exchange.pack(message, profile=replace(profiles.OPTUS, encoding="base64"))


def curl(wire: Wire, body: Path, *, url: str, auth: str) -> str:
    """The curl command that posts ``wire``, whose body stands in a file, as this system's shell takes it."""
    fields = [f"{name}: {value}" for name, value in wire.headers]
    words = ["curl", "-v", "-u", auth, *(word for field in fields for word in ("-H", field))]
    words += ["--data-binary", f"@{body}", url]
    if os.name == "nt":  # neither cmd.exe nor PowerShell knows single quotes and a backslash as a shell does
        return subprocess.list2cmdline(["curl.exe", *words[1:]])
    return _folded([shlex.quote(word) for word in words])


def _folded(words: list[str]) -> str:
    """One option with its value on each line."""
    lines, line = [], words[0]
    for word in words[1:]:
        if word.startswith(("-H", "-u", "--data-binary")):
            lines.append(line)
            line = f"  {word}"
        else:
            line += f" {word}"
    return " \\\n".join([*lines, line])
