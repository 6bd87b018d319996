"""The shape of an envelope: its octets without its texts and its reference; the slots of those, and their marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mm7zeep.exchange.plans.value_classes import CLASSES, REFERENCE, Slot, ValueClass, pattern_of

_TEXT = re.compile(rb">([^<]+)</")
_HREF = b' href="'
_NAME = re.compile(rb"<(?:[\w.-]+:)?([\w.-]+)[^<]*\Z")
ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)")
UTF8 = (b"utf-8", b"utf8", b"us-ascii", b"")


Mark = int | bytes


@dataclass(slots=True)
class Split:
    """An envelope taken apart: what stands around its texts, the texts, the last of them the reference, if any."""

    around: tuple[bytes, ...]
    texts: list[bytes]

    def joined(self, texts: Sequence[bytes]) -> bytes:
        """The envelope with other texts in its slots."""
        inner = list(texts)
        reference = inner.pop() if len(texts) == len(self.around) else None
        pieces = [self.around[0]]
        for text, piece in zip(inner, self.around[1:], strict=True):
            pieces += (b">", text, b"</", piece)
        octets = b"".join(pieces)
        if reference is None:
            return octets
        head, mark, tail = octets.partition(_HREF)
        return head + mark + reference + tail


def split_of(octets: bytes) -> Split | None:
    """``octets`` as a shape and its texts; None for what goes the plain way."""
    if octets.find(b"<!") >= 0 or octets.find(b"<?", 1) >= 0:
        return None
    reference: bytes | None = None
    at = octets.find(_HREF)
    if at >= 0:
        at += len(_HREF)
        end = octets.find(b'"', at)
        if end < 0 or octets.find(_HREF, at) >= 0:
            return None
        reference = octets[at:end]
        octets = octets[:at] + octets[end:]
    pieces = _TEXT.split(octets)
    texts = pieces[1::2]
    if reference is not None:
        texts.append(reference)
    return Split(tuple(pieces[::2]), texts)


def slots_of(split: Split, wide: bool) -> list[Slot]:
    """The slots of an envelope; ``wide`` ones take letters beyond ASCII."""
    slots = []
    for piece in split.around[: len(split.around) - 1]:
        found = _NAME.search(piece)
        slots.append(_slot(CLASSES.get(found[1], ()) if found is not None else (), wide))
    if len(split.texts) == len(split.around):
        slots.append(_slot(REFERENCE, wide))
    return slots


def _slot(classes: tuple[ValueClass, ...], wide: bool) -> Slot:
    return Slot(classes, pattern_of(classes, wide) if classes else None)


def marks_of(slots: Sequence[Slot], texts: Sequence[bytes]) -> tuple[Mark, ...]:
    """The mark of each text."""
    marks: list[Mark] = []
    for slot, text in zip(slots, texts, strict=True):
        found = slot.pattern.fullmatch(text) if slot.pattern is not None else None
        marks.append(text if found is None or found.lastindex is None else found.lastindex)
    return tuple(marks)
