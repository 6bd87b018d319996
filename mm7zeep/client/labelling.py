"""The charset label of a text that is to be sent: what its octets say, or what the caller says, once that was checked.

Refuses, with ``LocalError``, to guess, and labels that are not true. A large text is read piece by piece.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace

from mm7zeep import charsets, media, smil
from mm7zeep.errors import LocalError
from mm7zeep.messages import Part

_WHOLE = 1024 * 1024  # octets of a text that are weighed in one piece
_START = 65536  # octets of a longer one
_ESCAPES = re.compile(rb"\x1b[$(]")  # ISO 2022: ASCII octets that are no ASCII characters


def is_text(content_type: str) -> bool:
    """Whether a part of this type carries a charset label: texts, vCards, calendars, presentations."""
    kind = content_type.lower()
    return kind.startswith("text/") or media.is_presentation(kind)


HOW = "charset=: part_of(item, charset='windows-1252'), mm7zeep send --charset windows-1252"
"""How the charset of a text is given, as an error says it."""


def labelled(part: Part, charset: str | None, what: str, *, how: str = HOW) -> Part:
    """``part``, which is text, with the label that is true for it; an error calls it ``what``, and says ``how``.

    ``charset`` is what the caller says it is in; None asks the octets: byte order mark, XML declaration of a
    presentation, UTF-8. Raises ``LocalError`` where they do not say, and where ``charset`` is not true.
    """
    if charset is None:
        name = _found(part)
        if name is None:
            raise LocalError(
                f"{what} is text, but neither UTF-8 nor marked as UTF-16, and no charset is guessed; "
                f"say what it is in, with {how}"
            )
    else:
        name = _checked(part, charset, what)
    if media.is_presentation(part.content_type) and part.size <= smil.MAX_BYTES:
        read = smil.characters(part.read(), name)
        if read.flaw:
            raise LocalError(f"{what} is labelled in two ways: {read.detail}; correct its XML declaration")
    kept = tuple(one for one in part.parameters if one[0].lower() != "charset")
    return replace(part, parameters=(*kept, ("charset", name)))


def _found(part: Part) -> str | None:
    """The label that the octets show, or None."""
    with part.open() as stream:
        start = stream.read(_START)
    mark = next((one for one in charsets.MARKS if start.startswith(one[0])), None)
    if mark is not None and _decodes(part, mark[1]):
        return _family(mark[1])
    if media.is_presentation(part.content_type) and part.size <= smil.MAX_BYTES:
        read = smil.characters(part.read())
        return None if read.flaw else charsets.name_of(read.codec)
    plain = not _ESCAPES.search(start) and not charsets.decoded(_whole_characters(start, "utf-8"), "utf-8").flaw
    return "utf-8" if plain and _decodes(part, "utf-8") else None


def _checked(part: Part, charset: str, what: str) -> str:
    """The registered name of ``charset``, in which the octets are indeed."""
    label = charsets.registered(charset) or charsets.by_number(charset) or charset.strip("\"' ").lower()
    codec = charsets.codec(label)
    if codec is None:
        raise LocalError(
            f"{what}: no charset is called {charset!r}; give a registered name, such as utf-8 or windows-1252"
        )
    with part.open() as stream:
        start = stream.read(_WHOLE if part.size <= _WHOLE else _START)
    mark = next((one for one in charsets.MARKS if start.startswith(one[0])), None)
    if mark is not None and codec == mark[1] != "utf-8":
        label = _family(codec)  # RFC 2781 3.3: with a mark it is UTF-16, not UTF-16LE
    read = charsets.decoded(start if part.size <= _WHOLE else _whole_characters(start, codec), label)
    reads = _big_endian(codec) if mark is None else codec
    if read.flaw or not _decodes(part, reads):
        reason = read.detail or "it does not decode"
        raise LocalError(f"{what} is not {label}: {reason}; give the charset that it is in")
    if read.codec in charsets.SUPERSETS.values() and read.codec != codec:
        raise LocalError(f"{what} holds characters that {label} has not; the charset is {charsets.name_of(read.codec)}")
    return label


def _decodes(part: Part, codec: str) -> bool:
    """Whether all octets of ``part`` decode, read piece by piece; by the charset around it where there is one."""
    return any(_all(part, one) for one in dict.fromkeys((codec, charsets.SUPERSETS.get(codec, codec))))


def _all(part: Part, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        for chunk in part.chunks():
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _whole_characters(start: bytes, codec: str) -> bytes:
    """``start`` without the character that was cut off at its end."""
    return next((one for one in _shorter(start) if charsets.decodes(one, _big_endian(codec))), start)


def _shorter(start: bytes) -> Iterator[bytes]:
    yield from (start[: len(start) - cut] for cut in range(5))


def _family(codec: str) -> str:
    return codec.removesuffix("-le").removesuffix("-be")


def _big_endian(codec: str) -> str:
    return f"{codec}-be" if codec in ("utf-16", "utf-32") else codec
