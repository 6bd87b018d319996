"""The parts of a message as a handset takes them: which one a slide names, and how a browser can show it.

By the octets before the label, since that is how parts are served. Fetches nothing and refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

from mm7zeep import media
from mm7zeep.gateway.viewer import slide_values
from mm7zeep.messages import Part
from mm7zeep.mime import LabelIndex, bare_reference

Kind = Literal["image", "text", "audio", "video", "other"]

_READ_AT_MOST = 4 * 1024 * 1024  # octets of a clip that are read to learn how long it plays
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
_FOREIGN = re.compile(r"(?!cid:)[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


class _Numbered(NamedTuple):
    """The labels of a part, and its number."""

    content_id: str | None
    content_location: str | None
    name: str | None
    n: int


class PartNames:
    """Finds the part that a ``src`` names: as the rest of the library does, then in any case, then by the file name at
    its end.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        labelled = [_Numbered(one.content_id, one.content_location, one.name, n) for n, one in enumerate(parts)]
        self._index = LabelIndex(labelled)
        self._loose: dict[str, int] = {}
        for one in labelled:
            for label in (one.content_id, one.content_location, one.name):
                if label:
                    self._loose.setdefault(label.lower(), one.n)

    def find(self, reference: str) -> int | None:
        """The number of the part, counted from 0; None where it meets none, as an address of the network does."""
        found = self._index.find(reference)
        if found is not None:
            return found[0].n
        if _FOREIGN.match(reference.strip()):
            return None
        bare = bare_reference(reference).lower()
        return self._loose.get(bare, self._loose.get(re.split(r"[/\\]", bare)[-1]))


def kind(part: Part) -> Kind:
    """How a browser can show a part: pictures of pixels, sound and films by their octets, text by its label."""
    with part.open() as stream:
        head = stream.read(media.HEAD)
    found, declared = media.by_content(head), media.lookup(part.content_type)
    if found is not None and found.media_class in ("image", "audio", "video"):
        same = declared is not None and found.container and declared.container == found.container
        row = declared if same else found  # the octets of a container do not say whether there is a picture
        return _shown(row) if row is not None else "other"
    if media.media_class(part.content_type) == "text":
        return "text"
    if declared is None:
        cls = media.media_class(part.content_type)
        return cls if cls in ("image", "audio", "video") else "other"
    if declared.media_type == media.OCTET_STREAM:
        return "text" if found is None and media.guess(part.name, head) == "text/plain" else "other"
    return "other" if media.agrees(part.content_type, head) is False else _shown(declared)


def _shown(row: media.MediaType) -> Kind:
    if row.media_class == "image":
        return "image" if row.raster else "other"
    return row.media_class if row.media_class in ("audio", "video") else "other"


def content_type(part: Part) -> str:
    """The media type as labelled, where it has the form of one; ``application/octet-stream`` where not."""
    label = part.content_type.partition(";")[0].strip().lower()
    return label if _TYPE.fullmatch(label) else media.OCTET_STREAM


def length(part: Part) -> float | None:
    """How long a clip plays in seconds, as its first 4 MiB tell; None where they do not."""
    with part.open() as stream:
        found = media.length(stream.read(_READ_AT_MOST))
    return slide_values.seconds(found, least=0.001) if isinstance(found, timedelta) else None
