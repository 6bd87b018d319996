"""An answer that is no MM7, as it may be read: its media type, and its octets up to a limit. Judges nothing.

Raises what the libraries raise where an answer ends before it is whole.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import requests

from mm7zeep.mime.fields import parse_content_type

_CHUNK = 8192


class ShortAnswer(NamedTuple):
    """A media type in lower case ("" for none) with its charset, and the octets; None where these were not read.

    ``whole`` says that there are no more of them.
    """

    media_type: str
    charset: str | None
    octets: bytes | None
    whole: bool = True


def short_answer(answer: requests.Response, types: Collection[str], most: int) -> ShortAnswer:
    """What of a streamed answer may be read: at most ``most`` octets, and those of media types in ``types`` alone."""
    head = answer.headers
    declared = parse_content_type(head.get("Content-Type", ""))
    kind, charset = declared.media_type, declared.get("charset")
    if kind in types and head.get("Content-Encoding", "identity").strip().lower() == "identity":
        octets = bytearray()
        while len(octets) <= most and (chunk := answer.raw.read1(_CHUNK, decode_content=False)):
            octets += chunk
        return ShortAnswer(kind, charset, bytes(octets[:most]), len(octets) <= most)
    nothing = answer.status_code in (204, 205) or head.get("Content-Length", "").strip() == "0"
    return ShortAnswer(kind, charset, b"" if nothing else None)
