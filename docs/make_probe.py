"""Write the tables of docs/probe.md: the settings with types and defaults, what `unsupported` and `limits` may name.

Run it with ``PYTHONPATH=. python docs/make_probe.py``. The rest of the page is written by hand; a test fails where the
tables are out of date, or where a setting has no sentence here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from mm7zeep.probe.settings import FEATURES, LIMITS, Account, Numbers, Settings

TARGET = Path(__file__).with_name("probe.md")

_SENTENCES: Mapping[type, Mapping[str, str]] = {
    Settings: {
        "url": "Where the endpoint is; on the command line it is the argument.",
        "role": "Who is examined there: `mmsc` or `vasp`.",
        "namespace": "The MM7 namespace that the cases use; on the command line its last step is enough.",
        "account": "Who asks: the table `[account]`.",
        "second": "Another VASP of the same endpoint, for what one must not do to another: `[second]`, the same names.",
        "numbers": "Which addresses may be used, and what each is: `[numbers]`.",
        "listen": "`HOST:PORT` where calls of the endpoint are taken: what it knows as the account's callback.",
        "timeout": "Seconds that an answer may take; then the verdict is HANG.",
        "patience": "Seconds that a call is waited for that has to come.",
        "window": "Seconds in which no call may come that must not, and after which a message is due that is cancelled before (2 at least): more for an endpoint far away.",
        "parallel": "Cases at a time.",
        "seed": "Makes the same TransactionIDs and marks again; 0: others in each run.",
        "trigger": "Role vasp: a command, as a list of words, that makes the VASP submit.",
        "state": "A command that makes the state that a case needs (a notified message, say).",
        "seen": "Role vasp: a command that prints what the VASP got, as JSON.",
        "unsupported": "What the endpoint says it does not do; see below.",
        "limits": "What the endpoint takes at most: `[limits]`; see below.",
        "authenticated": "Whether the endpoint asks for credentials.",
    },
    Account: {
        "username": "For HTTP; empty: none are sent.",
        "password": "Better not in a file: `--user-file`, or `MM7ZEEP_PROBE_USER=USER:PASSWORD`.",
        "vaspid": "VASPID.",
        "vasid": "VASID.",
        "refuses": "A media type that the endpoint refuses of this account.",
    },
    Numbers: {
        "good": "Served, and retrieve at once.",
        "many": "The first of a thousand in a row that are served like the good ones; not used with `--allow-send`.",
        "off": "Known, and never retrieves.",
        "unread": "Retrieves, and reads nothing.",
        "barred": "Refused, or reported Rejected.",
        "unknown": "Belongs to nobody.",
        "mail": "An RFC2822Address.",
        "forwarded": "Off-net.",
        "sender": "A short code that the account may send from.",
        "loop": "A short code of the account: what is sent to it comes back to the account's callback as MM7_deliver.",
        "older": "The same of another account, whose messages come to the same callback in an older namespace.",
        "others": "A short code of another VASP.",
    },
}


def text() -> str:
    """The whole file: what stands there, with fresh tables."""
    page = TARGET.read_text(encoding="utf-8")
    for name, lines in (
        ("settings", _settings()),
        ("unsupported", _named(FEATURES)),
        ("limits", _named(LIMITS)),
    ):
        begin, end = f"<!-- {name}, by make_probe.py -->\n", f"<!-- end of {name} -->\n"
        if page.count(begin) != 1 or page.count(end) != 1:
            raise ValueError(f"{TARGET.name} lacks {begin.strip()} or {end.strip()}")
        head, _, rest = page.partition(begin)
        page = head + begin + "\n".join([*lines, ""]) + end + rest.partition(end)[2]
    return page


def _settings() -> Iterator[str]:
    for kind, prefix in ((Settings, ""), (Account, "account."), (Numbers, "numbers.")):
        yield from ("", "| Setting | Type | Default | Meaning |", "|---|---|---|---|")
        for one in fields(kind):
            sentence = _SENTENCES[kind][one.name]
            yield f"| `{prefix}{one.name}` | {_type(one)} | {_default(one)} | {sentence} |"
    yield ""


def _type(one: Field[Any]) -> str:
    name = str(one.type)
    known = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "Role": "text"}
    if name.startswith(("tuple", "frozenset")):
        return "list of texts"
    return known.get(name, "table")


def _default(one: Field[Any]) -> str:
    if one.default is MISSING:
        return "" if one.default_factory is not MISSING else "has none"
    if one.default is None:
        return ""
    if isinstance(one.default, bool):
        return f"`{str(one.default).lower()}`"
    shown = one.default if not isinstance(one.default, tuple | frozenset) else ""
    return f"`{shown}`" if shown != "" else ""


def _named(known: Mapping[str, str]) -> Iterator[str]:
    yield from ("", "| Name | Meaning |", "|---|---|")
    yield from (f"| `{name}` | {re.sub('[|]', '/', meaning)} |" for name, meaning in known.items())
    yield ""


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
