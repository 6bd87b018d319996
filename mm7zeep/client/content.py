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
    if isinstance(item, Part):
        return item if charset is None else _text(item, charset, "the part")
    if isinstance(item, str):
        return Part(body=_utf8(item), content_type="text/plain", parameters=(("charset", "utf-8"),))
    if isinstance(item, bytes):
        return _text(Part(body=item, content_type=media.guess(None, item[: media.HEAD])), charset, "the content")
    if not isinstance(item, Path):
        raise LocalError(f"content is a str, bytes, a pathlib.Path or a Part, not {type(item).__name__}")
    try:
        with item.open("rb") as stream:
            head = stream.read(media.HEAD)
        part = Part(body=item, content_type=media.guess(item.name, head), name=item.name)
        return _text(part, charset, f"the content file {item}")
    except OSError as error:
        raise LocalError(f"the content file {item} cannot be read: {error.strerror}") from error


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
