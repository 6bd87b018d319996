"""Which part is the presentation: the one that says so, or that is one although its label says nothing."""

from __future__ import annotations

from mm7zeep import media
from mm7zeep.errors import MimeError
from mm7zeep.messages import Part
from mm7zeep.smil.document import MAX_BYTES, tree
from mm7zeep.smil.slides import MEDIA_TYPE

# What a part is called that nobody labelled (RFC 2045 5.2), and what generic senders call a file that they do not know
_SILENT = ("text/plain", "application/octet-stream", "text/xml", "application/xml")


def is_presentation(part: Part) -> bool:
    """Whether ``part`` is a SMIL presentation: by its media type, or, where that says nothing, by its content."""
    if media.is_presentation(part.content_type):
        return True
    row = media.lookup(part.content_type)
    if (row.media_type if row is not None else part.content_type) not in _SILENT or part.size > MAX_BYTES:
        return False
    with part.open() as stream:
        found = media.by_content(stream.read(media.HEAD))
    if found is None or found.media_type != MEDIA_TYPE:
        return False
    try:
        tree(part.read(), part.charset)
    except MimeError:  # a text that begins as one
        return False
    return True
