"""``mm7zeep explain``: a kind of finding, a topic or a status code in plain words.

Tells what the tables say and nothing else. Exit status 2 for what is in none of them, with what is close to it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import click

from mm7zeep import status
from mm7zeep.cli import completion
from mm7zeep.findings import KINDS, Kind

_LEVELS: Mapping[str, str] = MappingProxyType(
    {
        "MUST": "the texts demand it: strict refuses it in package and envelope, interop repairs it where it is clear",
        "SHOULD": "the texts recommend it, or receivers rely on it",
        "INFO": "worth knowing; never a reason to refuse",
    }
)
_NEEDS = {
    "pair": "request and answer together: one message alone does not show it",
    "clock": "the time of day: one message alone does not show it",
    "gateway": "a gateway, which notes it of what it did itself",
    "fit": "fitting, which notes it of what it did to the content",
}
_APPLIES: Mapping[str, str] = MappingProxyType({"req": "requests", "rsp": "answers", "any": "requests and answers"})
_CLASSES: Mapping[str, str] = MappingProxyType(
    {"success": "success", "client": "client error", "server": "server error", "service": "service error"}
)


@click.command("explain")
@click.argument("id", shell_complete=completion.finding_ids)
def command(id: str) -> None:
    """Tell a finding or a status code in plain words.

    ID is a finding (schema/order), the beginning of several (sem/), a topic (child-order) or an MM7 status code (2004).

    Exit status: 0 told, 2 nothing is called ID.
    """
    for line in _told(id.strip()):
        click.echo(line)


def _told(id: str) -> Iterator[str]:
    if id.isascii() and id.isdigit():
        yield from _status(int(id))
        return
    if id in KINDS:
        yield from _kind(KINDS[id])
        return
    found = [kind for kind in KINDS.values() if id and (kind.id.startswith(id) or kind.topic == id)]
    if not found:
        raise click.UsageError(f"nothing is called {id!r}{near(id)}")
    width = max(len(kind.id) for kind in found)
    for kind in found:
        yield f"{kind.id.ljust(width)}  {kind.level.ljust(6)}  {kind.summary}"


def near(id: str) -> str:
    """What else may have been meant by ``id``, as the end of a sentence."""
    names = [*KINDS, *sorted({kind.topic for kind in KINDS.values() if kind.topic})]
    # A name alone, without its room, is how people remember it.
    close = [name for name in names if id and name.partition("/")[2] == id]
    close += difflib.get_close_matches(id.lower(), names, n=5, cutoff=0.5)
    return f"; did you mean {', '.join(dict.fromkeys(close))}?" if close else '; try "mm7zeep explain sem/"'


def _kind(kind: Kind) -> Iterator[str]:
    yield kind.id
    yield f"  wanted      {kind.summary}"
    yield f"  to do       {kind.fix}"
    yield f"  level       {kind.level}: {_LEVELS[kind.level]}"
    yield f"  source      {kind.source}"
    yield f"  applies to  {_APPLIES[kind.applies]}"
    if kind.topic:
        yield f"  topic       {kind.topic}"
    if kind.needs:
        yield f"  needs       {_NEEDS[kind.needs]}"


def _status(code: int) -> Iterator[str]:
    if code < 1:
        raise click.UsageError("a status code is a positive number")
    row = status.lookup(code)
    if status.known(code):
        yield f"{row.code} {row.text}"
        yield f"  means    {row.meaning}"
    else:
        private = code % 1000 >= 500 and 1 <= code // 1000 <= 4
        yield f"{code} is not a code of TS 23.140" + (", but of a vendor's own (x500-x999)" if private else "")
        yield f"  means    what {row.code} {row.text} means: {row.meaning}"
        if code in status.OWN_CODES:
            own = status.OWN_CODES[code]
            yield f"           from mm7zeep's gateway: {own.text}: {own.meaning}"
    yield f"  class    {_CLASSES[status.status_class(code)]}"
    if status.is_success(code):
        return
    again = "the same request may succeed later" if status.is_temporary(code) else "do not send the same request again"
    yield f"  again    {again}"
    if row.release > 5:
        yield f"  since    release {row.release}"
