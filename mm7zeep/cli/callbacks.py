"""``mm7zeep callbacks``: the calls of a running gateway to applications and upstreams, made and to be made.

Exit status 0, 1 where the gateway refused, 2 for wrong usage, 3 where no answer came, or none that can be read.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import click

from mm7zeep.cli import admin_api
from mm7zeep.cli.show import CALL, call_row

_PAGE = 100
_WANTED: admin_api.Wanted = MappingProxyType({"callbacks": CALL, "next": ()})
_PAUSED: admin_api.Wanted = MappingProxyType({"endpoints": ("endpoint", "application", "since", "reason")})


@click.command("callbacks")
@click.option(
    "--state",
    type=click.Choice(["ready", "done", "dead", "paused"]),
    help="ready: to be made; dead: given up; paused: waiting for an endpoint that is paused.",
)
@click.option("--application", metavar="NAME", help="Who is called: an application, or upstream:NAME.")
@click.option("--message", metavar="ID", help="Calls about this message.")
@click.option("-n", "count", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many.")
@admin_api.options("MM7ZEEP_CALLBACKS", "One JSON object a line, as the API gives it.")
def command(
    state: str | None,
    application: str | None,
    message: str | None,
    count: int,
    admin: admin_api.Listener,
    as_json: bool,
) -> None:
    """List the calls of a running gateway, the newest last, and the endpoints that are paused.

    Exit status: 0 done, 1 the gateway refused, 2 wrong usage, 3 no answer came, or none that can be read.
    """
    query = {"state": state, "application": application, "message": message}
    found = admin_api.newest("callbacks", admin, query=query, count=count, page=_PAGE, wanted=_WANTED)
    admin_api.tell(list(found)[::-1], _row, as_json=as_json)
    if as_json:
        return
    paused = admin_api.ask("callbacks", "GET", admin, ("endpoints",), wanted=_PAUSED)
    for one in paused["endpoints"]:
        said = f"paused since {one['since']}: {one['endpoint']} ({one['application']}): {one['reason'] or 'no reason'}"
        click.echo(admin_api.line(said), err=True)


def _row(one: dict[str, Any]) -> list[str]:
    return [*call_row(one)[:3], one["application"], *call_row(one)[3:]]
