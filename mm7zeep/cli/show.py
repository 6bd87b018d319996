"""``mm7zeep show``: all that a running gateway knows of one message.

Exit status 0, 1 where the gateway refused (there is no such message), 2 for wrong usage, 3 where no answer came, or
none that can be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import click

from mm7zeep import json_text
from mm7zeep.cli import admin_api

CALL = (
    "id", "application", "kind", "state", "under_way", "attempts", "ended_at", "due_at", "endpoint", "http_status",
    "reason",
)  # fmt: skip
"""What ``call_row`` and its callers need of a call."""
_WANTED: admin_api.Wanted = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "id", "direction", "application", "from", "subject", "state", "accepted_at", "earliest_at",
                "expires_at", "delivery_report", "read_reply", "transaction_id", "namespace", "mm7_version", "fields",
            ),
            (),
        ),
        "recipients": ("place", "address", "state", "changed_at", "destination", "detail"),
        "parts": ("n", "content_type", "size", "name", "content_id", "generated", "sha256"),
        "calls": CALL,
        "findings": ("level", "id"),
    }
)  # fmt: skip


@click.command("show")
@click.argument("message_id", metavar="ID")
@admin_api.options("MM7ZEEP_SHOW")
def command(message_id: str, admin: admin_api.Listener, as_json: bool) -> None:
    """Show the message that the gateway gave ID: its MessageID, the LinkedID of an MO, or "latest".

    Exit status: 0 done, 1 the gateway refused (there is no such message), 2 wrong usage, 3 no answer came, or none that
    can be read.
    """
    said = admin_api.ask("show", "GET", admin, ("messages", message_id), wanted=_WANTED)
    if as_json:
        click.echo(json_text.as_json(said))
        return
    for text in _told(said):
        click.echo(text)


def _told(said: dict[str, Any]) -> Iterator[str]:
    yield from admin_api.table([[name, value] for name, value in _head(said) if value])
    rows = [[one["place"], one["address"], one["state"], _when(one), _whither(one)] for one in said["recipients"]]
    yield from _block("recipients", rows)
    rows = [
        [
            str(one["n"]),
            one["content_type"],
            admin_api.size(one["size"]),
            one["name"] or one["content_id"] or "",
            _made(one),
        ]
        for one in said["parts"]
    ]
    yield from _block("parts", rows)
    calls = sorted(said["calls"], key=lambda one: int(one["id"]))
    yield from _block("calls", [call_row(one) for one in calls])
    rows = [[one["level"], one["id"], one.get("where") or "", one.get("detail") or ""] for one in said["findings"]]
    yield from _block("findings", rows)


def _head(said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "id", said["id"]
    yield "direction", "MT, to handsets" if said["direction"] == "mt" else "MO, to an application"
    yield "application", said["application"]
    yield "from", said["from"] or ""
    yield "subject", said["subject"] or ""
    yield "state", state(said)
    yield "accepted", said["accepted_at"]
    yield "not before", said["earliest_at"] or ""
    yield "expires", said["expires_at"] or ""
    asked = [word for word, wanted in (("delivery", said["delivery_report"]), ("read", said["read_reply"])) if wanted]
    yield "reports asked", ", ".join(asked)
    yield "transaction", said["transaction_id"] or ""
    yield "namespace", said["namespace"] or ""
    yield "MM7Version", said["mm7_version"] or ""
    for name, value in sorted(said["fields"].items()):
        if not isinstance(value, dict | list):
            yield name.replace("_", " "), str(value)


def state(message: dict[str, Any]) -> str:
    """The state of a message; of an MO that a handset is yet to send, when it is sent."""
    recipients = message.get("recipients") or [{}]
    due = recipients[0].get("due_at") if message["direction"] == "mo" else None
    return f"Planned for {due}" if due is not None else str(message["state"])


def _when(one: dict[str, Any]) -> str:
    due = one.get("due_at")
    return f"next {due}" if due is not None else str(one["changed_at"])


def _whither(one: dict[str, Any]) -> str:
    said = one["destination"] if one["destination"] not in ("handset", "none") else ""
    return ": ".join(word for word in (said, one["detail"] or "") if word)


def _made(one: dict[str, Any]) -> str:
    return "made by the gateway" if one["generated"] else f"sha256 {one['sha256'][:16]}"


def _block(title: str, rows: list[list[str]]) -> Iterator[str]:
    if rows:
        yield ""
        yield title
        for text in admin_api.table(rows):
            yield f"  {text}"


def call_row(one: dict[str, Any]) -> list[str]:
    """One call in a table."""
    attempts = f"{one['attempts']} attempt{'' if one['attempts'] == 1 else 's'}"
    when = one["ended_at"] or (f"next {one['due_at']}" if one["due_at"] is not None else "")
    state = "under way" if one["under_way"] else one["state"]
    why = ": ".join(str(word) for word in (one["http_status"], one["reason"]) if word)
    return [str(one["id"]), one["kind"], state, attempts, when, one["endpoint"], why]
