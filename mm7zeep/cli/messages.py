"""``mm7zeep messages``: what a running gateway keeps, a line each, and with ``--follow`` what comes.

Exit status 0, also where Ctrl-C ends ``--follow``, 1 where the gateway refused, 2 for wrong usage, 3 where no answer
came, or none that can be read.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from itertools import takewhile
from types import MappingProxyType
from typing import Any, NoReturn

import click

from mm7zeep.cli import admin_api, show

_PAGE = 50
_LOOK = 1.0  # seconds between two looks of --follow
_KNOWN = 10_000  # messages that --follow remembers
_WANTED: admin_api.Wanted = MappingProxyType(
    {
        "messages": (
            "id", "accepted_at", "application", "direction", "from", "to", "cc", "bcc", "state", "size", "subject",
        ),
        "next": (),
    }
)  # fmt: skip


@click.command("messages")
@click.option("--application", metavar="NAME", help="Whose messages.")
@click.option("--direction", type=click.Choice(["mt", "mo"]), help="To handsets (mt), or to applications (mo).")
@click.option("--to", metavar="ADDRESS", help="An address among To, Cc and Bcc.")
@click.option("--from", "sender", metavar="ADDRESS", help="The sender's address.")
@click.option("--state", metavar="STATE", help="The state of at least one copy: Pending, Retrieved, Expired ...")
@click.option("--search", metavar="TEXT", help="A piece of subject, texts or addresses; a whole id.")
@click.option("-n", "count", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many.")
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@admin_api.options("MM7ZEEP_MESSAGES", "One JSON object a line, as the API gives it.")
def command(
    application: str | None,
    direction: str | None,
    to: str | None,
    sender: str | None,
    state: str | None,
    search: str | None,
    count: int,
    follow: bool,
    admin: admin_api.Listener,
    as_json: bool,
) -> None:
    """List the messages that a running gateway keeps, the newest last.

    Exit status: 0 done, also where Ctrl-C ends --follow, 1 the gateway refused, 2 wrong usage, 3 no answer came, or
    none that can be read.
    """
    which = {
        "application": application,
        "direction": direction,
        "to": to,
        "from": sender,
        "state": state,
        "q": search,
    }
    found = _newest(admin, which, count, frozenset())
    _tell(found, as_json)
    if follow:
        with suppress(KeyboardInterrupt):
            _follow(admin, which, found, as_json)


def _follow(admin: admin_api.Listener, which: dict[str, Any], found: list[dict[str, Any]], as_json: bool) -> NoReturn:
    """Tell what comes after what was ``found``."""
    known: OrderedDict[str, None] = OrderedDict()
    while True:
        for one in found:
            known[one["id"]] = None
        while len(known) > _KNOWN:
            known.popitem(last=False)
        time.sleep(_LOOK)
        found = _newest(admin, which, _KNOWN, known.keys())
        _tell(found, as_json)


def _newest(admin: admin_api.Listener, which: dict[str, Any], count: int, known: Any) -> list[dict[str, Any]]:
    """The newest ``count`` messages, the newest last, but none from the first one on that is known."""
    found = admin_api.newest("messages", admin, query=which, count=count, page=_PAGE, wanted=_WANTED)
    return list(takewhile(lambda one: one["id"] not in known, found))[::-1]


def _tell(found: list[dict[str, Any]], as_json: bool) -> None:
    admin_api.tell(found, lambda one: list(_row(one)), as_json=as_json)


def _row(one: dict[str, Any]) -> Iterator[str]:
    everybody = [*one["to"], *one["cc"], *one["bcc"]]
    more = f" (+{len(everybody) - 1})" if len(everybody) > 1 else ""
    yield one["accepted_at"]
    yield one["id"]
    yield one["application"]
    yield f"{one['from'] or '-'} {'>' if one['direction'] == 'mt' else '<'} {everybody[0] if everybody else '-'}{more}"
    yield show.state(one)
    yield admin_api.size(one["size"])
    yield one["subject"] or ""
