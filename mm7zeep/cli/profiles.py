"""``mm7zeep profiles``: the carriers that are known, and what each wants and takes, with where it states that.

Tells what the tables say and nothing else. Exit status 2 for a name that no profile has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import click

from mm7zeep import profiles
from mm7zeep.cli import completion
from mm7zeep.errors import LocalError
from mm7zeep.profiles import Profile

LIMITS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "max_message": ("the whole request, encoded", "octets"),
        "max_content": ("all parts together", "octets"),
        "max_part": ("one part", "octets"),
        "max_parts": ("parts", ""),
        "max_subject": ("the subject", "characters"),
        "max_content_id": ("a Content-ID", "characters"),
        "max_recipients": ("recipients of a request", ""),
        "media_types": ("media types, besides text and SMIL", ""),
    }
)
"""What each limit is of, and its unit."""
_HEAD = ("name", "schema", "version", "size", "parts", "subject", "recipients")


@click.command("profiles")
@click.argument("name", required=False, shell_complete=completion.profile_names)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list, or the object of NAME.")
def command(name: str | None, as_json: bool) -> None:
    """List the profiles of carriers, or tell all of NAME: what it wants, its limits and where it states them.

    A limit that no document states is not there. Schemas, such as REL-5-MM7-1-3, have profiles, too.

    Exit status: 0 told, 2 no profile has that NAME.
    """
    if name is None:
        known = tuple(profiles.CARRIERS.values())
        if as_json:
            click.echo(json.dumps([as_dict(one) for one in known], indent=2))
            return
        for line in listed(known):
            click.echo(line)
        return
    try:
        found = profiles.profile(name)
    except LocalError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        click.echo(json.dumps(as_dict(found), indent=2))
        return
    for line in told(found):
        click.echo(line)


def listed(known: tuple[Profile, ...]) -> list[str]:
    """A table of profiles; "-" stands where nothing is stated."""
    rows = [_HEAD, *(_row(one) for one in known)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEAD))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(one: Profile) -> tuple[str, ...]:
    stated = (one.max_size, one.max_parts, one.max_subject, one.max_recipients)
    return (one.name, one.schema, one.mm7_version, *("-" if value is None else f"{value:,}" for value in stated))


def told(one: Profile) -> Iterator[str]:
    """All that is known of one profile, for people."""
    yield f"{one.name}: {one.schema}, MM7Version {one.mm7_version}"
    for wish in _wishes(one):
        yield f"  {wish}"
    yield "limits that it states:" if one.sources else "it states no limit"
    for source in one.sources:
        yield f"  {limit_in_words(one, source.limit)}"
        note = f": {source.note}" if source.note else ""
        yield f"    {source.document}, {source.date or 'undated'}{note}"


def limit_in_words(one: Profile, limit: str) -> str:
    """A limit with its value and unit."""
    (what, unit), value = LIMITS[limit], getattr(one, limit)
    text = ", ".join(value) if isinstance(value, tuple) else f"{value:,}"
    return f"{what}: {text} {unit}".rstrip()


def _wishes(one: Profile) -> Iterator[str]:
    prefix = f"the prefix {one.prefix}" if one.prefix is not None else "the default namespace"
    yield f"MM7 elements in {prefix}; binary parts go {'as they are' if one.encoding == 'binary' else 'in base64'}"
    presentation = {"auto": "added to several parts", "required": "always there", "never": "never added"}[one.smil]
    yield f"a presentation (SMIL) is {presentation}"
    if one.split:
        yield "each recipient gets a request of its own"
    if one.answer_schema is not None:
        yield f"its requests are answered in {one.answer_schema}"
    if one.report_schema is not None:
        yield f"MO and reports are in {one.report_schema}"
    if one.submit_as_deliver:
        yield "an MO may arrive as SubmitReq"
    if one.empty_ack:
        yield "an empty 2xx acknowledges"


def as_dict(one: Profile) -> dict[str, Any]:
    """A profile as JSON holds it; ``limits`` by their names, each with value, source, date and note."""
    return {
        "name": one.name,
        "schema": one.schema,
        "namespace": one.namespace,
        "mm7_version": one.mm7_version,
        "prefix": one.prefix,
        "encoding": one.encoding,
        "smil": one.smil,
        "split": one.split,
        "answer_schema": one.answer_schema,
        "report_schema": one.report_schema,
        "submit_as_deliver": one.submit_as_deliver,
        "empty_ack": one.empty_ack,
        "max_size": one.max_size,
        "limits": {
            source.limit: {
                "value": getattr(one, source.limit),
                "source": source.document,
                "date": source.date,
                "note": source.note or None,
            }
            for source in one.sources
        },
    }
