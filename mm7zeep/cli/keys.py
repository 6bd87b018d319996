"""``mm7zeep keys``: the keys by which programs use the JSON API of a running gateway.

Exit status 0, 1 where the gateway refused, 2 for wrong usage, 3 where no usable answer came.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import click

from mm7zeep import json_text
from mm7zeep.cli import admin_api

_KEY = ("id", "application", "name", "hint", "created", "revoked")
_LISTED: admin_api.Wanted = MappingProxyType({"keys": _KEY})


@click.group("keys")
def command() -> None:
    """List, make and revoke the keys by which programs use the JSON API.

    A program sends its key as "Authorization: Bearer KEY". An application may have several, so that one can be
    replaced while another is in use.
    """


@command.command("list")
@click.option("--application", metavar="NAME", help="Those of this application.")
@admin_api.options("MM7ZEEP_KEYS", "One JSON object a line, as the API gives it.")
def list_keys(application: str | None, admin: str, auth: tuple[str, str] | None, as_json: bool) -> None:
    """List all keys, the oldest first, also those that were revoked."""
    said = admin_api.ask("keys", "GET", admin, ("keys",), auth, query={"application": application}, wanted=_LISTED)
    if as_json:
        for one in said["keys"]:
            click.echo(json_text.as_json(one))
        return
    for text in admin_api.table([_row(one) for one in said["keys"]]):
        click.echo(text)


@command.command("add")
@click.argument("application", metavar="APPLICATION")
@click.option("--name", metavar="TEXT", help="What it is for, as the list shows it.")
@admin_api.options("MM7ZEEP_KEYS")
def add(application: str, name: str | None, admin: str, auth: tuple[str, str] | None, as_json: bool) -> None:
    """Make a key of APPLICATION and print it; nobody can tell it later."""
    body = {"application": application, "name": name}
    said = admin_api.ask("keys", "POST", admin, ("keys",), auth, body=body, wanted={"id": (), "key": ()})
    if as_json:
        click.echo(json_text.as_json(said))
        return
    click.echo(admin_api.line(str(said["key"])))
    click.echo(f"key {said['id']} of {admin_api.line(application)}: keep it now, it is not shown again", err=True)


@command.command("revoke")
@click.argument("key_id", metavar="ID", type=click.IntRange(1))
@admin_api.options("MM7ZEEP_KEYS")
def revoke(key_id: int, admin: str, auth: tuple[str, str] | None, as_json: bool) -> None:
    """Let the key ID open nothing any more."""
    wanted: admin_api.Wanted = dict.fromkeys(_KEY, ())
    said = admin_api.ask("keys", "DELETE", admin, ("keys", str(key_id)), auth, wanted=wanted)
    click.echo(json_text.as_json(said) if as_json else "\n".join(admin_api.table([_row(said)])))


def _row(key: dict[str, Any]) -> list[str]:
    state = f"revoked {key['revoked']}" if key["revoked"] else "in use"
    return [str(key["id"]), key["application"], f"{key['hint']}...", key["created"], state, key["name"]]
