"""``mm7zeep opt-outs``: who has opted out of what the applications of a running gateway send, added to, taken out.

Exit status 0, 1 where the gateway refused, 2 for wrong usage, 3 where no answer came, or none that can be read.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import click

from mm7zeep import json_text
from mm7zeep.cli import admin_api

_PAGE = 100
_ROW = ("since", "application", "number", "subscriber", "word")
_ADDED: admin_api.Wanted = MappingProxyType({"opt_outs": _ROW})
_LISTED: admin_api.Wanted = MappingProxyType({"opt_outs": _ROW, "next": ()})
_REMOVED: admin_api.Wanted = MappingProxyType({"removed": ()})


@click.command("opt-outs")
@click.argument("change", metavar="[add|remove]", type=click.Choice(["add", "remove"]), required=False)
@click.argument("number", metavar="[NUMBER]", required=False)
@click.argument("subscriber", metavar="[SUBSCRIBER]", required=False)
@click.option("--application", metavar="NAME", help="Whose messages; needed where NUMBER is *.")
@click.option("-n", "count", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many.")
@admin_api.options("MM7ZEEP_OPT_OUTS", "One JSON object a line, as the API gives it.")
def command(
    change: str | None,
    number: str | None,
    subscriber: str | None,
    application: str | None,
    count: int,
    admin: admin_api.Listener,
    as_json: bool,
) -> None:
    """List who has opted out of what the applications of a running gateway send, the newest last.

    "add NUMBER SUBSCRIBER" has SUBSCRIBER sent nothing more from NUMBER, a short code of an application; "*" means all
    numbers of --application. "remove NUMBER SUBSCRIBER" lets messages from there reach him again, as his START would.

    Exit status: 0 done, 1 the gateway refused, 2 wrong usage, 3 no answer came, or none that can be read: it may have
    been done.
    """
    which: dict[str, Any] = {"number": number, "subscriber": subscriber, "application": application}
    if change is None:
        admin_api.tell(_newest(admin, application, count), _row, as_json=as_json)
        return
    if number is None or subscriber is None:
        raise click.UsageError(f"{change} what: give NUMBER and SUBSCRIBER")
    if change == "add":
        said = admin_api.ask("opt-outs", "POST", admin, ("opt-outs",), body=which, wanted=_ADDED)
        admin_api.tell(said["opt_outs"], _row, as_json=as_json)
        return
    said = admin_api.ask("opt-outs", "DELETE", admin, ("opt-outs",), query=which, wanted=_REMOVED)
    click.echo(json_text.as_json(said) if as_json else f"{said['removed']} removed")


def _newest(admin: admin_api.Listener, application: str | None, count: int) -> list[dict[str, Any]]:
    query = {"application": application}
    found = admin_api.newest("opt-outs", admin, query=query, count=count, page=_PAGE, wanted=_LISTED)
    return list(found)[::-1]


def _row(one: dict[str, Any]) -> list[str]:
    why = "added by an operator" if one["word"] is None else str(one["word"])
    return [one["since"], one["application"], one["number"], one["subscriber"], why]
