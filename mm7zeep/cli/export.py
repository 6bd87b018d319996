"""``mm7zeep export``: call detail records, a line for each message and recipient, from the database of a gateway.

Reads the database itself, whether the gateway runs or not, and writes nothing to it. Exit status 0, also where Ctrl-C
ends ``--follow``, 2 for wrong usage, 3 where the database cannot be read. Needs the extra ``gateway``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, NoReturn

import click

from mm7zeep import extras
from mm7zeep.cli import COULD_NOT_RUN
from mm7zeep.cli.admin_api import line

if TYPE_CHECKING:
    from mm7zeep.cli.cdr_lines import Format, Lines
    from mm7zeep.gateway.store.read_only import ReadOnlyDatabase

_USAGE = 2
_LOOK, _BLINK = 1.0, 0.1  # seconds between two looks of --follow, and between two at whether to end


def _moment(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Seconds since 1970."""
    if value is None:
        return None
    _need_extra()
    from pydantic_core import PydanticCustomError

    from mm7zeep.gateway.rest.fields import moment

    try:
        return moment(value)
    except PydanticCustomError:
        raise click.BadParameter("give a time like 2026-11-27T15:00:00Z, or seconds since 1970") from None


@click.command("export")
@click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="The settings of the gateway."
)
@click.option(
    "--database", metavar="URL", help="Its database.  [default: that of the settings, or sqlite:///mm7zeep.db]"
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    default="csv",
    show_default=True,
    envvar="MM7ZEEP_EXPORT_FORMAT",
    help="How a line is written.",
)
@click.option(
    "--since", callback=_moment, metavar="TIME", help="From this time on: 2026-11-27T15:00:00Z, or seconds since 1970."
)
@click.option("--until", callback=_moment, metavar="TIME", help="Before this time.")
@click.option(
    "--by",
    type=click.Choice(["changed", "accepted"]),
    default="changed",
    show_default=True,
    help="Which time: when a copy last changed, or when its message was accepted.",
)
@click.option("--mask", is_flag=True, help="Hide telephone numbers and mail addresses, as the logs do.")
@click.option("--follow", is_flag=True, help="Go on with what comes and changes, until Ctrl-C.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to FILE, which appears under its name once it is complete.",
)
def command(
    config: Path | None,
    database: str | None,
    form: Format,
    since: float | None,
    until: float | None,
    by: Literal["changed", "accepted"],
    mask: bool,
    follow: bool,
    output: Path | None,
) -> None:
    """Write a line for each message and recipient: times, parties, size, state, where it went.

    \b
    mm7zeep export --config gateway.toml --since 2026-11-26 --until 2026-11-27 > cdr.csv
    mm7zeep export --database sqlite:///mm7zeep.db --format jsonl --follow

    Exit status: 0 written, also where Ctrl-C ends --follow, 2 wrong usage, or settings that cannot be used, 3 the
    database cannot be read, or FILE not be written.
    """  # noqa: D301  \b is click's
    if follow and (until is not None or by == "accepted" or output is not None):
        raise click.UsageError("--follow goes by changes and has no end: leave out --until, --output and --by accepted")
    if since is not None and until is not None and until <= since:
        raise click.UsageError("--until has to be later than --since")
    _need_extra()
    from mm7zeep.cli.cdr_lines import Lines
    from mm7zeep.gateway.store.database import StoreError
    from mm7zeep.gateway.store.migrations import DatabaseIsNewer
    from mm7zeep.gateway.store.read_only import ReadOnlyDatabase

    place = _database(config, database)
    lines = Lines(form, mask)
    try:
        opened = ReadOnlyDatabase(place)
    except (StoreError, DatabaseIsNewer, ValueError) as error:
        _end(str(error), COULD_NOT_RUN)
    try:
        if follow:
            _follow(opened, since, lines)
        else:
            _warn_of_late(opened, until)
            with _written(output) as file:
                _export(opened, by, since, until, lines, file)
    except StoreError as error:
        _end(str(error), COULD_NOT_RUN)
    finally:
        opened.close()


def _need_extra() -> None:
    instruction = extras.wanting("gateway")
    if instruction is not None:
        _end(instruction, COULD_NOT_RUN)


def _database(config: Path | None, database: str | None) -> str:
    """The URL of the database, as ``serve`` finds it. Ends the program where the configuration cannot be used."""
    from mm7zeep.gateway.config.load import ConfigError, read, with_options

    try:
        return with_options(read(config, os.environ)[0], database=database).database
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"mm7zeep export: {problem}", err=True)
        sys.exit(_USAGE)


# --- what is written --------------------------------------------------------------------------------------------------


def _export(
    database: ReadOnlyDatabase,
    by: Literal["changed", "accepted"],
    since: float | None,
    until: float | None,
    lines: Lines,
    file: IO[bytes],
) -> None:
    from mm7zeep.gateway.cdr import walk

    file.write(lines.head())
    for page in walk.pages(database, by, since=since, until=until):
        file.write(lines.of(page))
        file.flush()


def _warn_of_late(database: ReadOnlyDatabase, until: float | None) -> None:
    """Say so where something may still be committed that belongs to what is exported."""
    if until is None:
        return
    from mm7zeep.gateway.cdr import walk
    from mm7zeep.gateway.store.clock import Clock, GuardedClock

    reached = walk.edge(database, GuardedClock(Clock.machine(), sqlite=database.sqlite))
    if reached.settled is None or reached.settled < until:
        click.echo("mm7zeep export: --until is so late that what belongs before it may still come", err=True)


def _follow(database: ReadOnlyDatabase, since: float | None, lines: Lines) -> None:
    from mm7zeep.gateway.cdr.walk import Follower, Standby
    from mm7zeep.gateway.store.database import StoreError

    follower, out = Follower(database, since), sys.stdout.buffer
    failed = begun = False
    with _stopping() as stop:
        out.write(lines.head())
        out.flush()
        while not stop.asked:
            try:
                for page in follower.look():
                    out.write(lines.of(page))
                    out.flush()
                    if stop.asked:
                        return
                begun, failed = True, False
            except Standby:
                raise
            except StoreError as error:
                if not begun:
                    raise
                if not failed:
                    click.echo(line(f"mm7zeep export: {error}; trying again until it answers"), err=True)
                failed = True
            stop.wait(_LOOK)


@dataclass
class _Stop:
    """Whether somebody wants this to end; no lock, since a signal may come while it is held."""

    asked: bool = False

    def wait(self, seconds: float) -> None:
        """Sleep for so long, or until somebody asks."""
        until = time.monotonic() + seconds
        while not self.asked and time.monotonic() < until:
            time.sleep(min(_BLINK, seconds))


@contextmanager
def _stopping() -> Iterator[_Stop]:
    """Asked at SIGINT and SIGTERM, so that no line is cut; who asks a second time is obeyed at once."""
    stop = _Stop()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.getsignal(one) for one in signals}

    def ask(number: int, frame: object) -> None:
        stop.asked = True
        restore()

    def restore() -> None:
        for one, handler in before.items():
            signal.signal(one, handler)

    for one in signals:
        signal.signal(one, ask)
    try:
        with suppress(KeyboardInterrupt):
            yield stop
    finally:
        restore()


@contextmanager
def _written(path: Path | None) -> Iterator[IO[bytes]]:
    """Where the lines go: standard output, or a file that has its name once it is whole and on the disk."""
    if path is None:
        yield sys.stdout.buffer
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _end(text: str, code: int) -> NoReturn:
    click.echo(line(f"mm7zeep export: {text}"), err=True)
    sys.exit(code)
