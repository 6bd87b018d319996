"""The content of a message, derived from its raw octets: parts, what a handset shows, what a list tells of them.

Nothing is kept twice: whoever wants a part reads it out of the request again. Opens no file and fetches nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

from mm7zeep import media, mime, smil
from mm7zeep.errors import LocalError
from mm7zeep.gateway.store import messages
from mm7zeep.gateway.store.rows import RawRow
from mm7zeep.messages import Part
from mm7zeep.profiles import REL_6_MM7_1_4

_EXCERPT = 500  # characters of the texts that a search looks through
_MEDIA = 1000  # characters of the types that a search looks through
_GENERATED = "presentation.smil"
_NAMED = re.compile(  # how a presentation names its parts
    rb"""(\s(?:src|href|background-image|backgroundImage)\s*=\s*)(?:"([^"<>]*)"|'([^'<>]*)')"""
)
_MANY = 2**62
OWN_PROFILE = replace(REL_6_MM7_1_4, smil="never")
"""What requests are written in that the gateway makes itself: handset and upstream make their own presentation."""
ANY = mime.Limits(
    body=_MANY, root=_MANY, parts=_MANY, depth=100, header_bytes=_MANY, header_fields=_MANY, boundary=_MANY
)
"""What was accepted is read again, whatever the limits are now."""


def parts_of(raw: RawRow) -> tuple[Part, ...]:
    """The parts of a request that was accepted."""
    wire = messages.wire_of(raw)
    return mime.read(wire.headers, wire.chunks(), ANY).parts


def distinct(parts: Sequence[Part], *, every: bool = False) -> tuple[Part, ...]:
    """The parts, no two under one Content-ID (RFC 2045 7), as they are sent on: the later of two gets another. With
    ``every`` each part has one.
    """
    taken = {one.content_id for one in parts if one.content_id}
    named: list[Part] = []
    seen: set[str] = set()
    for n, one in enumerate(parts, 1):
        if not one.content_id and not every:
            named.append(one)
            continue
        name = one.content_id or f"part-{n}"
        while name in seen or (name != one.content_id and name in taken):
            name += "-"
        seen.add(name)
        named.append(one if one.content_id == name else replace(one, content_id=name))
    return tuple(named)


def presented(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts as a handset has them: several parts without a presentation get one, the last of all."""
    if len(parts) < 2 or any(map(smil.is_presentation, parts)):
        return tuple(parts)
    named = distinct(parts, every=True)
    try:
        shown = smil.generate(named)
    except LocalError:  # a Content-ID that no URL can name: the handset shows the parts one by one
        return tuple(parts)
    presentation = Part(
        body=shown,
        content_type=smil.MEDIA_TYPE,
        parameters=(("charset", "utf-8"),),
        content_id=_GENERATED,
        content_location=_GENERATED,
        name=_GENERATED,
    )
    return (*named, presentation)


class Summary(NamedTuple):
    """What a list tells of content: the beginning of its texts, its octets, and of each part labels, size and digest,
    as JSON; ``media`` are the classes and types of the parts, as a search finds them.
    """

    excerpt: str
    size: int
    parts: str
    media: str = ""


def digests(parts: Sequence[Part]) -> tuple[str, ...]:
    """The SHA-256 of each part, in hexadecimal."""
    return tuple(one.sha256() for one in parts)


def summary(parts: Sequence[Part], sums: Sequence[str] | None = None) -> Summary:
    """What a list tells of ``parts``; ``sums`` are their ``digests``, where they are known."""
    sums = digests(parts) if sums is None else sums
    rows = [_row(n, one, sum_) for n, (one, sum_) in enumerate(zip(parts, sums, strict=True))]
    types = media_of(one.content_type for one in parts)
    return Summary(excerpt(parts), sum(one.size for one in parts), json.dumps(rows), types)


def media_of(types: Iterable[str]) -> str:
    """The classes and types of parts in lower case, each once and between spaces; what is too long is left out."""
    each = {kind: media.media_class(kind) for kind in types}
    words = dict.fromkeys(chain.from_iterable((kind, "".join(name.lower().split())) for name, kind in each.items()))
    text = " "
    for one in words:
        if one and len(text) + len(one) < _MEDIA:
            text += f"{one} "
    return text


def listed(parts: Sequence[Part]) -> str:
    """What a list tells of parts, as JSON: labels, sizes, digests."""
    return summary(parts).parts


def _row(n: int, part: Part, sha256: str) -> dict[str, Any]:
    return {
        "n": n,
        "content_type": part.content_type,
        "charset": part.charset,
        "content_id": part.content_id,
        "name": part.name,
        "size": part.size,
        "sha256": sha256,
    }


def excerpt(parts: Sequence[Part]) -> str:
    """The beginning of the texts, on one line."""
    texts: list[str] = []
    for one in _texts(parts):
        texts.append(one)
        if sum(map(len, texts)) > _EXCERPT:
            break
    return _line(" ".join(texts)[:_EXCERPT])


def first_text(parts: Sequence[Part]) -> str | None:
    """The first text that is not blank; None where there is none. ``excerpt`` begins with it."""
    return next((one for one in _texts(parts) if _line(one)), None)


def _texts(parts: Sequence[Part]) -> Iterator[str]:
    return (one.text() for one in parts if media.media_class(one.content_type) == "text" and one.size < 1_000_000)


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def digest(part: Part, names: Sequence[str], sha256: str) -> str:
    """The SHA-256 of a part, which is ``sha256``; of a presentation without the Content-IDs in it, which differ each
    time it is made.
    """
    if not smil.is_presentation(part):
        return sha256
    places: dict[bytes, int] = {}
    for n, name in enumerate(names):
        for written in (name, f"cid:{name}", smil.cid_url(name)):
            places.setdefault(written.encode(), n)

    def placed(found: re.Match[bytes]) -> bytes:
        named = found[2] if found[2] is not None else found[3]
        return b'%s"<%d>"' % (found[1], places[named]) if named in places else found[0]  # "<" stands in no value

    return hashlib.sha256(_NAMED.sub(placed, part.read())).hexdigest()
