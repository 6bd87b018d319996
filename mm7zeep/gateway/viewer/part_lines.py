"""The parts of a message as its page lists them: what each is, how a browser can show it, and what file it makes.

By the octets before the label, since that is how parts are served. Values in, values out; refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mm7zeep import media
from mm7zeep.gateway.admin import outputs, views
from mm7zeep.gateway.viewer import parts, slide_parts
from mm7zeep.messages import Part

_TEXT, _TEXTS = 10_000, 20_000  # characters that the page shows of a part, and of all
_NAME = 80  # characters of a file's name
_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]+")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLine:
    """A part as the page lists it: ``told`` as the REST API has it, ``text`` where it is one, the name of its ``file``.

    ``is_played`` says whether browsers have a player for it, ``is_preview`` that its picture is seen by a preview only.
    """

    told: outputs.Part
    kind: slide_parts.Kind
    text: parts.Text | None
    file: str
    is_played: bool
    is_preview: bool


def lines(given: Sequence[Part], *, came: int) -> list[PartLine]:
    """The parts in their order; those from ``came`` on were made by the gateway."""
    texts = _texts(given)
    return [
        PartLine(
            told=told,
            kind=slide_parts.kind(part),
            text=texts.get(n),
            file=own_name(part, n),
            is_played=_is_played(part),
            is_preview=needs_preview(part),
        )
        for n, (told, part) in enumerate(zip(views.parts(given, came=came), given, strict=True))
    ]


def _texts(given: Sequence[Part]) -> dict[int, parts.Text]:
    """What the parts say that are texts, by their numbers: the first ones, until there is too much for a page."""
    found: dict[int, parts.Text] = {}
    left = _TEXTS
    for n, part in enumerate(given):
        if left and parts.is_text(part):
            found[n] = parts.text_of(part, min(_TEXT, left))
            left -= len(found[n].text)
    return found


def _head(part: Part) -> bytes:
    with part.open() as stream:
        return stream.read(media.HEAD)


def _is_played(part: Part) -> bool:
    """Whether browsers have a player for a part, as it is served."""
    found = media.viewable(_head(part))
    return found is not None and slide_parts.kind(part) in ("audio", "video") and parts.playable(found.media_type)


def needs_preview(part: Part) -> bool:
    """Whether a part is a picture that browsers do not show as it is: HEIC, TIFF, BMP."""
    found = media.viewable(_head(part))
    is_picture = slide_parts.kind(part) == "image"
    return is_picture and (found is None or not parts.displayable(found.media_type))


def own_name(part: Part, n: int) -> str:
    """The name that the sender gave a part, made safe for any file system, with the ending of what its octets are.

    ``media.file_name`` of the ``n``-th part where nothing is left of it.
    """
    usual = media.file_name(part.content_type, _head(part), n)
    given = re.split(r"[/\\]", part.name or "")[-1]
    safe = _UNSAFE.sub("_", given)[-_NAME:].strip(" .")
    if not re.search("[A-Za-z0-9]", safe.rpartition(".")[0] or safe) or _DEVICES.fullmatch(safe):
        return usual
    ending = usual.rpartition(".")[2]
    known = media.by_extension(safe)
    return safe if known is not None and ending in known.extensions else f"{safe}.{ending}"
