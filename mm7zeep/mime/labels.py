"""What a reference names: one rule for a Content href, a SMIL src, and for nodes as well as parts.

Values only; nothing is fetched, and what no label matches is not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Generic, Literal, Protocol, TypeVar
from urllib.parse import unquote

How = Literal["content-id", "content-id-case", "content-location", "name"]


class Labelled(Protocol):
    """What can be named: a node or a part."""

    @property
    def content_id(self) -> str | None: ...
    @property
    def content_location(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...


T = TypeVar("T", bound=Labelled)


class LabelIndex(Generic[T]):
    """The labels of some nodes or parts; where several share a label, the first is found."""

    __slots__ = ("_index",)

    def __init__(self, items: Iterable[T]) -> None:
        index: dict[tuple[How, str], T] = {}
        for item in items:
            if item.content_id:
                index.setdefault(("content-id", item.content_id), item)
                index.setdefault(("content-id-case", item.content_id.lower()), item)
                index.setdefault(("content-id-case", unquote(item.content_id, errors="replace").lower()), item)
            if item.content_location:
                index.setdefault(("content-location", item.content_location), item)
                index.setdefault(("content-location", unquote(item.content_location, errors="replace")), item)
            if item.name:
                index.setdefault(("name", item.name), item)
        self._index = index

    def find(self, reference: str) -> tuple[T, How] | None:
        """The item that ``reference`` names, and by which label; None where there is none.

        ``cid:`` may be missing, and percent-escapes are undone (RFC 2392 2). Compared are the Content-IDs exactly,
        then in any case or %-decoded, then the Content-Locations, as they are and %-decoded (RFC 2557 4.1: they are
        URIs), then the file names.
        """
        bare = bare_reference(reference)
        if not bare:
            return None
        keys = dict.fromkeys((unquote(bare, errors="replace"), bare, reference.strip()))
        for how in _ORDER:
            for key in keys:
                item = self._index.get((how, key.lower() if how == "content-id-case" else key))
                if item is not None:
                    return item, how
        return None


def bare_reference(reference: str) -> str:
    """``reference`` without ``cid:``, angle brackets and the blanks around them."""
    return _SCHEME.sub("", reference.strip(), count=1).strip().removeprefix("<").removesuffix(">").strip()


_SCHEME = re.compile(r"\Acid(?:\s*:|\s)\s*", re.IGNORECASE)  # "cid:x", and as met in the field "cid: x" and "cid x"
_ORDER: tuple[How, ...] = ("content-id", "content-id-case", "content-location", "name")
