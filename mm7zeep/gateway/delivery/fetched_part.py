"""What was fetched as a part of a message: its type is what the octets show, whatever it was called.

Refuses, with ``LocalError``, what is plainly something else than was asked for or announced, such as the page of an
error in the place of a picture.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote, urlsplit

from mm7zeep import media
from mm7zeep.client.labelling import is_text, labelled
from mm7zeep.errors import LocalError
from mm7zeep.gateway.delivery.download import Download
from mm7zeep.gateway.store.remote_parts import RemotePart
from mm7zeep.messages import Part
from mm7zeep.mime import fields

_HEAD = 1024  # octets that are looked at: a text format may begin with a comment
_PAGE = "text/html"


def part_of(wanted: RemotePart, came: Download, place: Part) -> Part:
    """The part that ``came``, in the place of its placeholder. Raises ``LocalError`` for what is not what it should be.

    The octets decide its type; where they do not show it, the type that was wished, the Content-Type, the name in the
    URL.
    """
    head = came.octets[:_HEAD]
    wish = fields.parse_content_type(wanted.content_type) if wanted.content_type is not None else None
    said = _announced(came.content_type)
    name = wanted.name or unquote(urlsplit(wanted.url).path.rpartition("/")[2])
    kind = _kind(head, wish, said, name)
    label = next((one for one in (wish, said) if one is not None and _same(one.media_type, kind)), None)
    part = replace(
        place,
        body=came.octets,
        content_type=kind,
        parameters=tuple(label.parameters) if label is not None else (),
        name=wanted.name,
    )
    if not is_text(kind):
        return part
    how = "content_type: text/plain; charset=windows-1252"
    return labelled(part, part.charset, "what came", how=how)


def _announced(text: str | None) -> fields.ContentType | None:
    """The Content-Type of an answer, where it says something."""
    found = fields.parse_content_type(text or "")
    row = media.lookup(found.media_type)
    says = "/" in found.media_type and not found.media_type.startswith("multipart/")
    return found if says and (row is None or row.media_type != media.OCTET_STREAM) else None


def _kind(head: bytes, wish: fields.ContentType | None, said: fields.ContentType | None, name: str) -> str:
    """The media type of what begins with ``head``."""
    shown = media.by_content(head)
    if wish is not None:
        if _belies(wish.media_type, head):
            raise LocalError(f"what came is {_named(shown, head)}, not the {wish.media_type} that was asked for")
        return wish.media_type if shown is None or not shown.certain else _within(shown, wish.media_type)
    named = media.by_extension(name)
    if shown is not None:
        if shown.media_type == _PAGE:
            raise LocalError("what came is an HTML page, of an error or a login perhaps; ask for text/html to send it")
        declared = said.media_type if said is not None else named.media_type if named is not None else None
        return _within(shown, declared) if declared is not None else shown.media_type
    if said is not None and said.media_type == _PAGE:
        raise LocalError("what came is called an HTML page; ask for another content_type to send it")
    claims = said.media_type if said is not None else named.media_type if named is not None else None
    if claims is None:
        return media.guess(None, head)
    if _belies(claims, head):
        by = "its Content-Type" if said is not None else "its name"
        raise LocalError(f"what came is {_named(None, head)}, not the {claims} that {by} says")
    return claims


def _belies(declared: str, head: bytes) -> bool:
    """Whether what begins with ``head`` is plainly not of that type, as a text is no picture, audio or video."""
    row = media.lookup(declared)
    binary = media.media_class(declared) in ("image", "audio", "video") and not (row is not None and row.textual)
    return media.agrees(declared, head) is False or (binary and media.guess(None, head) == "text/plain")


def _within(shown: media.MediaType, declared: str) -> str:
    """The type that the octets show; of those that share a container, the one that is declared."""
    row = media.lookup(declared)
    shared = row is not None and shown.container and row.container == shown.container
    return row.media_type if row is not None and shared else shown.media_type


def _named(shown: media.MediaType | None, head: bytes) -> str:
    return shown.media_type if shown is not None else media.guess(None, head)


def _same(one: str, other: str) -> bool:
    row = media.lookup(one)
    return one == other or (row is not None and row.media_type == other)
