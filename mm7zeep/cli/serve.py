"""``mm7zeep serve``: the gateway as a service, from a configuration file, or without one to be tried on this machine.

Says on standard output where it stands, once it does; logs on standard error. Exit status: 0 after a signal, 2 for a
configuration that cannot be used, 3 where the gateway could not run. Needs the extra ``gateway``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from mm7zeep import extras
from mm7zeep.cli import COULD_NOT_RUN

if TYPE_CHECKING:
    import socket

    from mm7zeep.gateway.config.settings import Place, Settings
    from mm7zeep.gateway.server.sockets import Sockets

_USAGE = 2
_USUAL = Path("gateway.toml")


@click.command("serve")
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Settings, in TOML.")
@click.option("--mm7", metavar="HOST:PORT", help="Where applications send to.  [default: 127.0.0.1:8007]")
@click.option("--admin", metavar="HOST:PORT", help="Where viewer and REST API stand.  [default: 127.0.0.1:8008]")
@click.option("--api", metavar="HOST:PORT", help="Where the JSON API stands.  [without --config: 127.0.0.1:8010]")
@click.option("--database", metavar="URL", help="SQLAlchemy's.  [default: sqlite:///mm7zeep.db]")
@click.option("--workers", type=click.IntRange(1, 64), metavar="N", help="Processes.  [default: 1]")
@click.option("--check-config", is_flag=True, help="Say what would be served, and end.")
@click.option("--hash-password", is_flag=True, help="Read a password and print its password_hash, and end.")
def command(
    config: Path | None,
    mm7: str | None,
    admin: str | None,
    api: str | None,
    database: str | None,
    workers: int | None,
    check_config: bool,
    hash_password: bool,
) -> None:
    """Serve MM7: accounts, submits, a simulated network, callbacks with retries, a durable store, a viewer, a REST API.

    Without --config one application is served: name and password "demo", VASPID "demo".

    Every setting of the file can be given in the environment, too, which goes before the file: MM7ZEEP_GATEWAY_WORKERS
    for workers in [gateway], MM7ZEEP_APPLICATION_1_PASSWORD_FILE for that of the first [[application]].

    Exit status: 0 after Ctrl-C or SIGTERM, 2 wrong usage, or a configuration that cannot be used, 3 the gateway could
    not run: an address, the database, an extra that is not installed.
    """
    _need_extra()
    if hash_password:
        _print_hash()
        return
    options = {"mm7": mm7, "admin": admin, "api": api, "database": database, "workers": workers}
    settings, remarks = _settings(config, options)
    from mm7zeep.gateway.config.load import demo_settings, describe, warnings

    is_demo = config is None and settings.applications == demo_settings().applications
    for line in (*remarks, *_unused(config), *warnings(settings)):
        click.echo(f"mm7zeep serve: {line}", err=True)
    if check_config:
        for line in describe(settings):
            click.echo(line)
        return
    reload = None if config is None else partial(_reloaded, config, options)
    sys.exit(_serve(settings, demo=is_demo, reload=reload))


def _unused(config: Path | None) -> tuple[str, ...]:
    """That a configuration lies here which was not asked for, where that is so."""
    if config is not None or not _USUAL.is_file():
        return ()
    return (f"{_USUAL} is in this directory and is not used; mm7zeep serve --config {_USUAL} serves what it says",)


def _need_extra() -> None:
    # all of it: some is imported only when a message comes
    instruction = extras.wanting("gateway")
    if instruction is not None:
        _end(instruction, COULD_NOT_RUN)


def _print_hash() -> None:
    from mm7zeep.gateway.security.password_hash import hashed

    password = (
        click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        if sys.stdin.isatty()
        else sys.stdin.readline().rstrip("\r\n")
    )
    if not password:
        _end("give a password on standard input, or at the prompt", _USAGE)
    click.echo(hashed(password))


def _settings(config: Path | None, options: Mapping[str, Any]) -> tuple[Settings, tuple[str, ...]]:
    """The settings, and remarks on how they are kept. Ends the program where they cannot be used."""
    from mm7zeep.gateway.config.load import ConfigError, read, with_options

    try:
        settings, remarks = read(config, os.environ)
        return with_options(settings, **options), remarks
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"mm7zeep serve: {problem}", err=True)
        sys.exit(_USAGE)


def _reloaded(config: Path, options: Mapping[str, Any]) -> Settings:
    """The settings as they are by now. Raises ``ConfigError``."""
    from mm7zeep.gateway.config.load import load, with_options

    return with_options(load(config, os.environ), **options)


def _serve(settings: Settings, *, demo: bool, reload: Callable[[], Settings] | None = None) -> int:
    from mm7zeep.gateway import logs
    from mm7zeep.gateway.server.sockets import Sockets
    from mm7zeep.gateway.store.database import StoreError
    from mm7zeep.gateway.store.migrations import DatabaseIsNewer

    logs.set_up(settings.log, show_numbers=settings.show_numbers)
    with ExitStack() as stack:
        sockets = Sockets(
            mm7=_listening(stack, settings.mm7),
            admin=_listening(stack, settings.admin),
            api=_listening(stack, settings.api) if settings.api is not None else None,
        )
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="mm7zeep-")) if demo else None

        def ready() -> None:
            _tell(settings, sockets, folder)

        try:
            if settings.workers > 1:
                from mm7zeep.gateway.server.supervisor import Supervisor

                return Supervisor(settings, sockets, ready=ready, reload=reload).run()
            from mm7zeep.gateway.server.process import run

            return run(settings, sockets, ready=ready, reload=reload)
        except (StoreError, DatabaseIsNewer, ValueError, RuntimeError) as error:
            _end(str(error), COULD_NOT_RUN)


def _listening(stack: ExitStack, place: Place) -> socket.socket:
    """A socket at ``place``, closed with ``stack``. Ends the program where there can be none."""
    from mm7zeep.gateway.server.listener import bound

    try:
        return stack.enter_context(bound(*place))
    except OSError as error:
        _end(f"{place} cannot be listened on: {error.strerror or error}", COULD_NOT_RUN)


def _tell(settings: Settings, sockets: Sockets, folder: str | None) -> None:
    """Say where the listeners stand, and without a configuration how to send a first message."""
    from mm7zeep.gateway.config.describe import shown_database
    from mm7zeep.gateway.mm7.listener import PATH

    def at(place: Place, listening: socket.socket) -> Place:
        return place._replace(port=listening.getsockname()[1])

    scheme = "https" if settings.cert else "http"
    url = f"{scheme}://{at(settings.mm7, sockets.mm7)}{PATH}"
    click.echo(f"MM7       {url}")
    admin = f"http://{at(settings.admin, sockets.admin)}"
    click.echo(f"viewer    {admin}/")
    click.echo(f"admin     {admin}")
    if settings.api is not None and sockets.api is not None:
        click.echo(f"API       {scheme}://{at(settings.api, sockets.api)}/v1")
    click.echo(f"database  {shown_database(settings.database)}")
    if folder is not None:
        from mm7zeep.cli import samples
        from mm7zeep.samples import saturn_png

        application = settings.applications[0]
        wire = samples.request(
            b"Sent by curl", saturn_png(), "image/png", vaspid=application.vaspid, vasid="News", to="+61491570156"
        )
        body = Path(folder) / samples.REQUEST
        body.write_bytes(wire.read())
        auth = f"{application.name}:{application.password}"
        click.echo("\nSubmit by curl:\n\n" + samples.curl(wire, body, url=url, auth=auth))
        click.echo(f"\nWatch callbacks, in another terminal:\n\nmm7zeep listen --auth {auth}")
    sys.stdout.flush()


def _end(text: str, code: int) -> NoReturn:
    click.echo(f"mm7zeep serve: {text}", err=True)
    sys.exit(code)
