"""``mm7zeep replay``: have a running gateway make calls again that it has given up, or that wait for a paused endpoint.

Exit status 0, 1 where the gateway refused (there is no such call), 2 for wrong usage, 3 where no answer came, or none
that can be read.
"""

from __future__ import annotations

import click

from mm7zeep import json_text
from mm7zeep.cli import admin_api


@click.command("replay")
@click.argument("call_id", metavar="[ID]", type=click.IntRange(1), required=False)
@click.option("--endpoint", metavar="URL", help="Those of this endpoint, which is resumed.")
@click.option("--since", metavar="TIME", help="Those given up since then: 2026-11-27T15:00:00Z.")
@admin_api.options("MM7ZEEP_REPLAY")
def command(
    call_id: int | None,
    endpoint: str | None,
    since: str | None,
    admin: admin_api.Listener,
    as_json: bool,
) -> None:
    """Make the call ID again, or all that were given up of an endpoint, since a time, or both.

    A call keeps its TransactionID; its attempts are counted anew. An ID may be that of a call that is done: so one
    tries whether a receiver takes the same twice. "mm7zeep callbacks --state dead" lists what was given up.

    Exit status: 0 done, 1 the gateway refused (there is no such call), 2 wrong usage, 3 no answer came, or none that
    can be read: it may have been done.
    """
    if (call_id is None) == (endpoint is None and since is None):
        raise click.UsageError("give the ID of one call, or --endpoint, --since, or both")
    steps = ("callbacks", "replay") if call_id is None else ("callbacks", str(call_id), "replay")
    body = {"endpoint": endpoint, "since": since} if call_id is None else None
    wanted: admin_api.Wanted = {"replayed" if call_id is None else "id": ()}
    said = admin_api.ask("replay", "POST", admin, steps, body=body, wanted=wanted)
    if as_json:
        click.echo(json_text.as_json(said))
        return
    count = said["replayed"] if call_id is None else 1
    click.echo(f"{count} call{'' if count == 1 else 's'} to be made again")
