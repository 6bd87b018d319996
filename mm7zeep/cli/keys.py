"""``mm7zeep keys``: the keys by which programs use the JSON API of a running gateway.

Exit status 0, 1 where the gateway refused, 2 for wrong usage, 3 where no answer came, or none that can be read.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import click

from mm7zeep import json_text
from mm7zeep.cli import admin_api

_KEY = ("id", "application", "name", "hint", "created_at", "revoked_at")
_LISTED: admin_api.Wanted = MappingProxyType({"keys": _KEY})


@click.command("keys")
@click.argument("change", metavar="[add|revoke]", type=click.Choice(["add", "revoke"]), required=False)
@click.argument("which", metavar="[APPLICATION|ID]", required=False)
@click.option("--application", metavar="NAME", help="List those of this application.")
@click.option("--name", metavar="TEXT", help="What a new key is for, as the list shows it.")
@admin_api.options("MM7ZEEP_KEYS", "One JSON object a line, as the API gives it.")
def command(
    change: str | None,
    which: str | None,
    application: str | None,
    name: str | None,
    admin: admin_api.Listener,
    as_json: bool,
) -> None:
    """List the keys by which programs use the JSON API of a running gateway, the oldest first, also revoked ones.

    "add APPLICATION" makes a key and prints it; it cannot be shown again. A program sends it as "Authorization: Bearer
    KEY". An application may have several, so that one is replaced while another is in use. "revoke ID" makes a key
    invalid.

    Exit status: 0 done, 1 the gateway refused, 2 wrong usage, 3 no answer came, or none that can be read: it may have
    been done.
    """
    if change is None:
        query = {"application": application}
        said = admin_api.ask("keys", "GET", admin, ("keys",), query=query, wanted=_LISTED)
        admin_api.tell(said["keys"], _row, as_json=as_json)
        return
    if which is None:
        raise click.UsageError("add for whom: give APPLICATION" if change == "add" else "revoke which: give its ID")
    if change == "revoke":
        said = admin_api.ask("keys", "DELETE", admin, ("keys", which), wanted=dict.fromkeys(_KEY, ()))
        admin_api.tell([said], _row, as_json=as_json)
        return
    body = {"application": which, "name": name}
    said = admin_api.ask("keys", "POST", admin, ("keys",), body=body, wanted={"id": (), "key": ()})
    if as_json:
        click.echo(json_text.as_json(said))
        return
    click.echo(admin_api.line(str(said["key"])))
    click.echo(f"key {said['id']} of {admin_api.line(which)}: keep it now, it is not shown again", err=True)


def _row(key: dict[str, Any]) -> list[str]:
    state = f"revoked {key['revoked_at']}" if key["revoked_at"] else "in use"
    return [str(key["id"]), key["application"], f"{key['hint']}...", key["created_at"], state, key["name"]]
