"""What a message carries, as parts: of texts, octets, files.

Refuses what is none of them, and a file that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from mm7zeep import media
from mm7zeep.errors import LocalError
from mm7zeep.messages import Part

ContentLike = Part | Path | str | bytes


def part_of(item: ContentLike) -> Part:
    """A part of text, bytes or a file; its media type by content, then by name (``media.guess``).

    Raises ``LocalError`` for a file that cannot be read, and for anything else than ``ContentLike``.
    """
    if isinstance(item, Part):
        return item
    if isinstance(item, str):
        return Part(body=_utf8(item), content_type="text/plain", parameters=(("charset", "utf-8"),))
    if isinstance(item, bytes):
        return Part(body=item, content_type=media.guess(None, item[: media.HEAD]))
    if not isinstance(item, Path):
        raise LocalError(f"content is a str, bytes, a pathlib.Path or a Part, not {type(item).__name__}")
    try:
        with item.open("rb") as stream:
            head = stream.read(media.HEAD)
    except OSError as error:
        raise LocalError(f"the content file {item} cannot be read: {error.strerror}") from error
    kind = media.guess(item.name, head)
    text = kind.startswith("text/")
    return Part(body=item, content_type=kind, name=item.name, parameters=(("charset", "utf-8"),) if text else ())


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
