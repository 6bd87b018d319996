"""What a message carries, as parts: of texts, octets, files.

Refuses what is none of them, and a file that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from mm7zeep import media
from mm7zeep.client.labelling import is_text, labelled
from mm7zeep.errors import LocalError
from mm7zeep.messages import Part

ContentLike = Part | Path | str | bytes


def part_of(item: ContentLike, *, charset: str | None = None) -> Part:
    """A part of text, bytes or a file; its media type by content, then by name (``media.guess``).

    Text is labelled with the charset that it is in: the one of its byte order mark, UTF-8 where it is that, else
    ``charset``, by any name, which is checked. A file is read for that, but never kept. ``charset`` says nothing of
    a str, which is sent in UTF-8, or of what is no text; on a ``Part`` it puts a new label.

    Raises ``LocalError`` for a file that cannot be read, a text whose charset is neither shown nor given or not the
    one given, and for anything else than ``ContentLike``.
    """
    if isinstance(item, str):
        return Part(body=_utf8(item), content_type="text/plain", parameters=(("charset", "utf-8"),))
    if isinstance(item, bytes):
        kind = _kind(None, item[: media.HEAD])
        return _text(Part(body=item, content_type=kind), charset, f"the content {item[:20]!r}")
    if not isinstance(item, Path | Part):
        raise LocalError(f"content is a str, bytes, a pathlib.Path or a Part, not {type(item).__name__}")
    try:
        if isinstance(item, Part):
            return item if charset is None else _text(item, charset, f"the part {item.name or item.content_type}")
        with item.open("rb") as stream:
            kind = _kind(item.name, stream.read(media.HEAD))
        return _text(Part(body=item, content_type=kind, name=item.name), charset, f"the content file {item}")
    except OSError as error:
        where = error.filename or item
        raise LocalError(f"the content file {where} cannot be read: {error.strerror}") from error


def _kind(name: str | None, head: bytes) -> str:
    """The media type of a content; text in an unknown charset is text, whose charset is then asked for."""
    found = media.guess(name, head)
    nameless = name is None or media.by_extension(name) is None
    return "text/plain" if found == media.OCTET_STREAM and nameless and media.may_be_text(head) else found


def _text(part: Part, charset: str | None, what: str) -> Part:
    """``part`` with its charset label where it is text, or where the caller says that octets of no known kind are."""
    if charset is not None and part.content_type == media.OCTET_STREAM:
        part = replace(part, content_type="text/plain")
    return labelled(part, charset, what) if is_text(part.content_type) else part


def parts_of(content: ContentLike | Iterable[ContentLike]) -> tuple[Part, ...]:
    """One item or several, as parts. Raises ``LocalError`` as ``part_of``."""
    # iterable, but not of contents: an open file gives lines, a mapping names, octets numbers
    single = isinstance(content, str | bytes | bytearray | memoryview | Mapping) or hasattr(content, "read")
    items = list(content) if isinstance(content, Iterable) and not single else [content]
    return tuple(part_of(item) for item in items)  # type: ignore[arg-type]


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise LocalError(
            f"a text holds {text[error.start]!r} at character {error.start}, a half of one; remove it"
        ) from error
