"""``mm7zeep opt-outs``: who has opted out of what the applications of a running gateway send, added to, taken out.

Exit status 0, 1 where the gateway refused, 2 for wrong usage, 3 where no usable answer came.
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
    admin: str,
    auth: tuple[str, str] | None,
    as_json: bool,
) -> None:
    """List who has opted out of what the applications of a running gateway send, the newest last.

    "add NUMBER SUBSCRIBER" has SUBSCRIBER sent nothing more from NUMBER, a short code of an application; "*" means all
    numbers of --application. "remove NUMBER SUBSCRIBER" lets messages from there reach him again, as his START would.
    """
    which: dict[str, Any] = {"number": number, "subscriber": subscriber, "application": application}
    if change is None:
        _tell(_newest(admin, auth, application, count), as_json)
        return
    if number is None or subscriber is None:
        raise click.UsageError(f"{change} what: give NUMBER and SUBSCRIBER")
    if change == "add":
        said = admin_api.ask("opt-outs", "POST", admin, ("opt-outs",), auth, body=which, wanted=_ADDED)
        _tell(said["opt_outs"], as_json)
        return
    said = admin_api.ask("opt-outs", "DELETE", admin, ("opt-outs",), auth, query=which, wanted=_REMOVED)
    click.echo(json_text.as_json(said) if as_json else f"{said['removed']} removed")


def _newest(admin: str, auth: tuple[str, str] | None, application: str | None, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    before = None
    while len(found) < count:
        query = {"application": application, "limit": min(_PAGE, count - len(found)), "before": before}
        page = admin_api.ask("opt-outs", "GET", admin, ("opt-outs",), auth, query=query, wanted=_LISTED)
        found += page["opt_outs"]
        before = page["next"]
        if before is None:
            break
    return found[::-1]


def _tell(found: list[dict[str, Any]], as_json: bool) -> None:
    for one in found if as_json else ():
        click.echo(json_text.as_json(one))
    if not as_json:
        rows = [[one["since"], one["application"], one["number"], one["subscriber"], _why(one)] for one in found]
        for text in admin_api.table(rows):
            click.echo(text)


def _why(one: dict[str, Any]) -> str:
    return "added by an operator" if one["word"] is None else str(one["word"])
