"""``mm7zeep trigger``: have a running gateway send a message from the virtual handset, a report, a read reply.

Talks to the REST API of the gateway's admin listener, and to nothing else. Exit status 0 where it was taken, 1 where
the gateway refused it, 2 for wrong usage, 3 where no answer came, or none that can be read.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import click

from mm7zeep import json_text
from mm7zeep.cli import admin_api

STATUSES = (
    "Retrieved", "Expired", "Rejected", "Indeterminate", "Forwarded", "Deferred", "Unrecognised",
    "DeliveryConditionNotMet",
)  # fmt: skip
"""What a delivery report may say, as ``handset.Outcome``."""

_shared = admin_api.options("MM7ZEEP_TRIGGER")
"""The options that all three commands have."""


@click.group("trigger")
def command() -> None:
    """Have a running gateway send a message, a report, a read reply.

    Exit status of each: 0 done, 1 the gateway refused, 2 wrong usage, 3 no answer came, or none that can be read: it
    may have been done.
    """


@command.command("deliver")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--application", required=True, metavar="NAME", help="Who gets it.")
@click.option("--from", "sender", required=True, metavar="ADDRESS", help="The handset that sends it.")
@click.option("--to", metavar="ADDRESS", help="Where to: one of the application's short codes, or any address.")
@click.option("--subject", help="The subject.")
@click.option("--text", "texts", multiple=True, help="A text part; may be repeated. Texts come before files.")
@click.option(
    "--charset",
    help="What the texts among the FILEs are in, where that is neither UTF-8 nor marked: windows-1252",
)
@_shared
def deliver(
    files: tuple[Path, ...],
    application: str,
    sender: str,
    to: str | None,
    subject: str | None,
    texts: tuple[str, ...],
    charset: str | None,
    admin: admin_api.Listener,
    as_json: bool,
) -> None:
    """Send a message (MO) of the texts and the FILEs from the virtual handset to an application.

    Exit status: 0 done, 1 the gateway refused, 2 wrong usage, 3 no answer came, or none that can be read: it may have
    been done.
    """
    parts = [_part(path, charset) for path in files]
    body = {"application": application, "from": sender, "to": to, "subject": subject, "text": texts, "parts": parts}
    _tell(_post(admin, ("deliver",), body), as_json)


@command.command("report")
@click.argument("message_id")
@click.option(
    "--recipient",
    metavar="ADDRESS",
    help="Whose copy the report is on; without it, that of the sole recipient, or all that wait.",
)
@click.option(
    "--status", type=click.Choice(STATUSES), default="Retrieved", show_default=True, help="What became of it."
)
@click.option("--text", help="The status in words.")
@_shared
def report(
    message_id: str,
    recipient: str | None,
    status: str,
    text: str | None,
    admin: admin_api.Listener,
    as_json: bool,
) -> None:
    """Send a delivery report on the message that the gateway gave MESSAGE_ID.

    Exit status: 0 done, 1 the gateway refused, 2 wrong usage, 3 no answer came, or none that can be read: it may have
    been done.
    """
    body = {"recipient": recipient, "status": status, "text": text}
    _tell(_post(admin, ("messages", message_id, "report"), body), as_json)


@command.command("read-reply")
@click.argument("message_id")
@click.option("--recipient", metavar="ADDRESS", help="Who has read it; without it, the sole recipient.")
@click.option(
    "--status", type=click.Choice(["Read", "Deleted"]), default="Read", show_default=True, help="What was done with it."
)
@_shared
def read_reply(message_id: str, recipient: str | None, status: str, admin: admin_api.Listener, as_json: bool) -> None:
    """Send a read reply on the message that the gateway gave MESSAGE_ID.

    Exit status: 0 done, 1 the gateway refused, 2 wrong usage, 3 no answer came, or none that can be read: it may have
    been done.
    """
    _tell(_post(admin, ("messages", message_id, "read"), {"recipient": recipient, "status": status}), as_json)


def _part(path: Path, charset: str | None) -> dict[str, Any]:
    """A file as the API takes it. What cannot be read is wrong usage."""
    from mm7zeep.client.content import part_of
    from mm7zeep.errors import LocalError

    try:
        part = part_of(path, charset=charset)
        data = base64.b64encode(part.read()).decode("ascii")
    except LocalError as error:
        raise click.UsageError(str(error)) from error
    kind = part.content_type if part.charset is None else f"{part.content_type}; charset={part.charset}"
    return {"content_type": kind, "name": part.name, "data": data}


def _post(admin: admin_api.Listener, steps: tuple[str, ...], body: dict[str, Any]) -> dict[str, Any]:
    """What the API answers to ``body`` without what nobody set. Ends the program where it did not take it."""
    return admin_api.ask("trigger", "POST", admin, steps, body=body)


def _tell(said: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json_text.as_json(said))
        return
    click.echo("accepted")
    for name, value in said.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else value
        click.echo("  " + admin_api.line(f"{name.replace('_', ' ').ljust(14)}  {text}"))
