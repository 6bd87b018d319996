"""The MIME codec for SOAP with Attachments: bytes in, a tree of parts out, and back; no socket, no XML.

``Reader`` takes a package apart while it arrives, ``read`` does so in one call, ``write`` composes one. Refuses, with
``MimeError`` or ``LimitError``, what cannot be taken apart or exceeds the limits, and with ``LocalError`` to write
what MIME forbids. Everything else that deviates from the texts is read all the same, and said in
``Package.findings``.
"""

from mm7zeep.mime.fields import ContentType, Disposition, parse_content_type, parse_disposition
from mm7zeep.mime.labels import LabelIndex, bare_reference
from mm7zeep.mime.reader import Reader, read
from mm7zeep.mime.tree import Limits, Match, MediaType, Node, Package
from mm7zeep.mime.writer import Stream, new_boundary, write

__all__ = [
    "ContentType",
    "Disposition",
    "LabelIndex",
    "Limits",
    "Match",
    "MediaType",
    "Node",
    "Package",
    "Reader",
    "Stream",
    "bare_reference",
    "new_boundary",
    "parse_content_type",
    "parse_disposition",
    "read",
    "write",
]
