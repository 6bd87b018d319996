"""Parts that have new names, and a presentation that was given: it names them as they are called now.

Content-IDs stay as they are. A presentation that cannot be read stays as it is, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import unescape
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

from mm7zeep import charsets, media, smil
from mm7zeep.errors import MimeError
from mm7zeep.messages import Part

_NAMING = re.compile(r"""(?<![\w:.-])((?:src|href|background-image|backgroundImage)\s*=\s*)("[^"<]*"|'[^'<]*')""")


def renamed(parts: Sequence[Part], index: int, kind: str) -> Part:
    """The part at ``index`` as of media type ``kind``: its name and Content-Location end as that type's do.

    No two parts get one name.
    """
    part = parts[index]
    row = media.lookup(kind)
    ending = row.extensions[0] if row is not None and row.extensions else "bin"
    taken = {one for n, other in enumerate(parts) if n != index for one in (other.name, other.content_location) if one}
    parameters = tuple(one for one in part.parameters if one[0].lower() not in ("charset", "name", "type"))
    return replace(
        part,
        content_type=kind,
        parameters=parameters,
        name=_with_ending(part.name, kind, ending, taken),
        content_location=_with_ending(part.content_location, kind, ending, taken),
    )


def _with_ending(name: str | None, kind: str, ending: str, taken: set[str]) -> str | None:
    if name is None:
        return None
    row = media.by_extension(name)
    if row is None or row.media_type == kind:  # no extension that could be wrong
        return name
    stem = name.rpartition(".")[0]
    made, n = f"{stem}.{ending}", 2
    while made in taken:
        made, n = f"{stem}-{n}.{ending}", n + 1
    return made


def repointed(part: Part, names: Mapping[str, str], content_ids: frozenset[str]) -> tuple[Part, tuple[str, ...]]:
    """The presentation ``part`` with ``names`` (old to new) in its references, and the references that changed.

    What is also a Content-ID is one, and stays.
    """
    if not names or part.size > smil.MAX_BYTES:
        return part, ()
    data = part.read()
    try:
        smil.references(data, part.charset)
    except MimeError:
        return part, ()
    read = smil.characters(data, part.charset)
    changed: list[str] = []

    def change(found: re.Match[str]) -> str:
        written = unescape(found[2][1:-1]).strip()
        name = next((one for one in (written, unquote(written)) if one in names), None)
        if name is None or name in content_ids:
            return found[0]
        changed.append(f"{name} to {names[name]}")
        return found[1] + quoteattr(names[name])

    text = _NAMING.sub(change, read.text)
    if not changed:
        return part, ()
    mark = next((one for one, _ in charsets.MARKS if data.startswith(one)), b"")
    codec = read.codec
    if codec in ("utf-16", "utf-32"):
        mark = b""  # the codec writes its own
    try:
        body = mark + text.encode(codec)
        smil.references(body, part.charset)
    except (UnicodeEncodeError, LookupError, MimeError):
        return part, ()
    return replace(part, body=body), tuple(changed)
