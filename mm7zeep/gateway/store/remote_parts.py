"""Parts that a message names by URL: what stands for them, in its octets and in its summary, until they are fetched.

In the octets that is a ``text/uri-list`` (RFC 2483 5) which holds the URL: as a parameter of message/external-body (RFC
2017) it would be longer than a line of a header may be. Values only; fetches nothing. Refuses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mm7zeep.gateway.store.content import Summary, media_of
from mm7zeep.gateway.store.rows import CallRow
from mm7zeep.messages import Part

MOST = 10
"""Parts of a message that may be named by URL."""
LONGEST = 2_000
"""Characters of such a URL."""


class RemotePart(NamedTuple):
    """The part at the place ``n`` is what ``url`` leads to; ``content_type`` is what it is to be, ``name`` its own."""

    n: int
    url: str
    content_type: str | None = None
    name: str | None = None


def placeholder(one: RemotePart) -> Part:
    """What stands for the part in the octets."""
    wish = (("type", one.content_type),) if one.content_type is not None else ()
    return Part(body=f"{one.url}\r\n".encode(), content_type="text/uri-list", parameters=wish, name=one.name)


def awaited(summary: Summary, remote: Sequence[RemotePart]) -> Summary:
    """The summary of a message whose ``remote`` parts are not there: neither sizes nor digests are known."""
    rows = json.loads(summary.parts)
    for one in remote:
        kind = one.content_type.partition(";")[0].strip().lower() if one.content_type is not None else None
        rows[one.n].update(content_type=kind, charset=None, size=None, sha256=None, media_url=one.url)
    types = media_of(row["content_type"] for row in rows if row["content_type"])
    return summary._replace(size=sum(row["size"] or 0 for row in rows), parts=json.dumps(rows), media=types)


def fetched(summary: Summary, remote: Sequence[RemotePart]) -> Summary:
    """The summary of a message whose ``remote`` parts are there."""
    rows = json.loads(summary.parts)
    for one in remote:
        rows[one.n]["media_url"] = one.url
    return summary._replace(parts=json.dumps(rows))


def payload(remote: Sequence[RemotePart], traced: Mapping[str, Any]) -> str:
    """What the call that fetches them has to know, as JSON; ``traced`` names the trace of its message."""
    return json.dumps({**traced, "parts": remote})


def remote_parts_of(call: CallRow) -> tuple[RemotePart, ...]:
    """What a call is to fetch."""
    return tuple(RemotePart(*one) for one in call.event["parts"])
