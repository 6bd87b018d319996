"""A part of a message that a request says in JSON, and a part as a file to be shown or kept.

A part is served as what its octets show it to be, or as a download: what a sender called it decides nothing. Refuses,
with ``Invalid``, what is no part.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from starlette.responses import Response

from mm7zeep import media
from mm7zeep.client.labelling import is_text, labelled
from mm7zeep.errors import LocalError
from mm7zeep.gateway.rest.complaint import in_words
from mm7zeep.gateway.rest.octets import OctetsResponse
from mm7zeep.gateway.rest.request import Invalid
from mm7zeep.messages import Part
from mm7zeep.mime import fields

INERT: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
    }
)
"""Header fields of octets that strangers sent: nothing in them runs, nothing is fetched, no other site uses them."""


def octets_of(data: str, steps: Sequence[str | int]) -> bytes:
    """What ``data`` is the base64 of. Raises ``Invalid``."""
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        words = f"is no base64 ({error}); give the octets in base64, without spaces"
        raise Invalid(in_words([*steps, "data"]), words, "value", [*steps, "data"]) from error


def media_type_of(content_type: str, steps: Sequence[str | int]) -> fields.ContentType:
    """The ``content_type`` of the part that ``steps`` lead to. Raises ``Invalid`` for what is none of one part."""
    found = fields.parse_content_type(content_type)
    if found.defects or found.media_type.startswith("multipart/"):
        where = [*steps, "content_type"]
        raise Invalid(in_words(where), "is no media type of one part; give one such as image/jpeg", "value", where)
    return found


def part_of(
    body: bytes,
    steps: Sequence[str | int],
    *,
    content_type: str | None = None,
    name: str | None = None,
    content_id: str | None = None,
) -> Part:
    """A part of these octets, which ``steps`` lead to; by default its type is what they and the name show.

    Raises ``Invalid`` for what is no media type of one part, and for a text whose charset is not known.
    """
    found = media_type_of(content_type or media.guess(name, body[: media.HEAD]), steps)
    try:
        part = Part(
            body=body,
            content_type=found.media_type,
            parameters=tuple(found.parameters),
            content_id=content_id,
            name=name,
        )
        if is_text(part.content_type):
            what = in_words([*steps, "data"])
            part = labelled(part, part.charset, what, how="content_type: text/plain; charset=windows-1252")
    except LocalError as error:
        raise Invalid(in_words(steps), f"cannot be a part: {error}", "value", steps) from error
    return part


def shown(part: Part, n: int) -> Response:
    """A part, decoded: shown where its octets are an image, audio or video, otherwise as a download."""
    octets = part.read()
    seen = media.viewable(octets[: media.HEAD])
    name = media.file_name(part.content_type, octets[: media.HEAD], n)
    if seen is not None:
        return _served(octets, seen.media_type, f'inline; filename="{name}"')
    return download(octets, media.OCTET_STREAM, name)


def download(octets: bytes, content_type: str, name: str) -> Response:
    """Octets that no browser shows."""
    return _served(octets, content_type, f'attachment; filename="{name}"')


def _served(octets: bytes, content_type: str, disposition: str) -> Response:
    return OctetsResponse(octets, media_type=content_type, headers={**INERT, "Content-Disposition": disposition})
