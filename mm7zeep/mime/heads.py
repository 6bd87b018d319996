"""Heads of MIME packages and parts, each read once by the streaming reader's own means.

What came of one is kept by its octets without the values that differ from message to message (boundary, start,
Content-ID), after a second head with other values has shown where these come out. Gives None for a head that is not
plain, and for a new one where too many new ones came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from mm7zeep.errors import RemoteError
from mm7zeep.findings import Action
from mm7zeep.mime import fields
from mm7zeep.mime.drafts import Draft, Notes, boundary_of
from mm7zeep.mime.tree import Limits, Node, Parameters

LONGEST = 2048
"""Octets of a head that is kept."""
_HEADS = 1024  # that are kept
_CREDIT = 64.0
_UNPLAIN = re.compile(rb"[^ -~\t\r\n]|\r(?!\n)|(?<!\r)\n")
_PLAIN = re.compile(r"[ -~]*")
_VARYING = re.compile(
    r"((?:^content-id:[ \t]*<|\bstart=\"<|\bstart=<|\bboundary=\"?))([A-Za-z0-9_.@=-]{1,70})(?=[>\"; \t\r\n]|\Z)",
    re.MULTILINE | re.IGNORECASE,
)


def of_package(content_type: str) -> tuple[Head, Filled] | None:
    """What the Content-Type of a package says; None where it is not that of a multipart, or not plain."""
    if not 10 < len(content_type) <= LONGEST or not _PLAIN.fullmatch(content_type):
        return None
    return _known()[0].of(f"Content-Type: {content_type}", _outer_head)


def of_part(octets: bytes) -> tuple[Head, Filled] | None:
    """What the head of a part says, without the blank line after it; None where it is not plain."""
    known = _known()[1]
    return known.same(octets) or known.of_octets(octets, _part_head)


def _mark(value: str) -> str:
    """What may matter of a value: whether it is an address, and whether it has an =; all of it where it is odd."""
    if value[0] == "@" or value[-1] == "@" or value.count("@") > 1:
        return value
    return ("@" if "@" in value else "-") + ("=" if "=" in value else "")


def _example(value: str, n: int) -> str:
    """Another value with the same mark."""
    if _mark(value) == value:
        return value
    first = f"=q{n}.Boundary" if "=" in value else f"q{n}.Boundary"
    return f"{first}@q{n}.example" if "@" in value else f"{first}.{n}"


class Filled(NamedTuple):
    """What the values of one head make of its parts that differ."""

    parameters: Parameters
    content_id: str | None
    headers: Parameters
    boundary: bytes | None


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of one part says; ``examples`` stand where values differ from head to head."""

    node: Node
    content_type: fields.ContentType
    mechanism: str
    boundary: str | None
    notes: tuple[tuple[str, str, Action], ...]
    examples: tuple[str, ...] = ()
    in_parameters: bool = False
    in_headers: tuple[bool, ...] = ()

    def filled(self, values: Sequence[str]) -> Filled:
        """The head with ``values``."""
        node, pairs = self.node, tuple(zip(self.examples, values, strict=True))

        def put(text: str) -> str:
            for old, new in pairs:
                text = text.replace(old, new)
            return text

        parameters, boundary = self.content_type.parameters, self.boundary
        if self.in_parameters:
            parameters = tuple([(name, put(value)) for name, value in parameters])
            boundary = boundary and put(boundary)
        id = node.content_id
        headers = tuple(
            [
                (one[0], put(one[1])) if varies else one
                for one, varies in zip(node.headers, self.in_headers, strict=True)
            ]
        )
        return Filled(parameters, id and put(id), headers, boundary.encode("ascii") if boundary else None)


class _Heads:
    """The heads of one process, by their octets without the values that differ. Thread-safe, without a lock.

    To learn one takes credit, which uses of those that are known earn: a flood of new heads costs little.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], Head | None] = {}
        self._same: dict[bytes, tuple[Head, Filled]] = {}  # heads as they came, most of which come again
        self._credit = _CREDIT

    def same(self, octets: bytes) -> tuple[Head, Filled] | None:
        """What a head says that was read before, octet by octet; None for one that was not."""
        found = self._same.get(octets)
        if found is not None:
            self._credit = min(_CREDIT, self._credit + 1 / 4)
        return found

    def of_octets(self, octets: bytes, read: Callable[[str], Head | None]) -> tuple[Head, Filled] | None:
        """What the head of a part says, as ``of``; None also where it might hold the delimiter of a multipart."""
        if _UNPLAIN.search(octets) or octets.find(b"\n--") >= 0 or octets.startswith(b"--"):
            return None
        found = self.of(octets.decode("ascii"), read)
        if found is not None:
            if len(self._same) >= _HEADS:
                self._same = {}
            self._same[octets] = found
        return found

    def of(self, text: str, read: Callable[[str], Head | None]) -> tuple[Head, Filled] | None:
        """What the head ``text`` says, as ``read`` reads it; None where it is not plain."""
        pieces = _VARYING.split(text)
        values = pieces[2::3]
        key = (*pieces[0::3], *pieces[1::3], *map(_mark, values))
        found = self._kept.get(key)
        if found is None and key not in self._kept:
            self._credit += 1 / 16
            if self._credit < 1:
                return None
            self._credit -= 1
            found = _learnt(text, values, read)
            if len(self._kept) >= _HEADS:
                self._kept = {}
            self._kept[key] = found
        if found is None:
            return None
        self._credit = min(_CREDIT, self._credit + 1 / 4)
        return found, found.filled(values)


def _learnt(text: str, values: Sequence[str], read: Callable[[str], Head | None]) -> Head | None:
    """The head with examples for its values; None where they come out elsewhere than they went in."""
    examples = tuple(_example(value, n) for n, value in enumerate(values))
    rest = iter(examples)
    other = read(_VARYING.sub(lambda found: found[1] + next(rest), text))
    right = read(text)
    if other is None or right is None:
        return None
    varying = tuple(any(one in value for one in examples) for _, value in other.node.headers)
    in_parameters = any(one in value for _, value in other.node.parameters for one in examples)
    made = replace(other, examples=examples, in_parameters=in_parameters, in_headers=varying)
    return made if _as_read(made, made.filled(values)) == _as_read(right, _plainly(right)) else None


def _plainly(head: Head) -> Filled:
    boundary = head.boundary.encode("ascii") if head.boundary is not None else None
    return Filled(head.content_type.parameters, head.node.content_id, head.node.headers, boundary)


def _as_read(head: Head, filled: Filled) -> tuple[object, ...]:
    """All that a head says."""
    node, kind = head.node, head.content_type
    part = node.part and replace(node.part, content_id=filled.content_id)
    return (
        replace(node, parameters=filled.parameters, content_id=filled.content_id, headers=filled.headers, part=part),
        replace(kind, parameters=filled.parameters),
        filled,
        head.mechanism,
        head.notes,
    )


def _part_head(text: str) -> Head | None:
    """The head of a part, read by the streaming reader's own means."""
    notes, limits = Notes(), Limits(header_bytes=LONGEST * 2, header_fields=100)
    draft = Draft(0, limits, notes)
    try:
        if not all(draft.line(line.encode("utf-8")) for line in text.split("\r\n")):
            return None
        draft.read_header(0)
        boundary = boundary_of(draft.content_type, 0, limits, notes) if draft.multipart else None
    except RemoteError:
        return None
    if draft.multipart and boundary is None:
        return None
    mechanism = (draft.encoding or "").partition(";")[0].strip().lower()
    if not draft.multipart:
        draft.feed(b"eHh4" if mechanism == "base64" else b"x")
    node = draft.node(0)
    return Head(node, draft.content_type, mechanism, boundary.decode() if boundary is not None else None, _taken(notes))


def _outer_head(text: str) -> Head | None:
    """The Content-Type of the package as a head."""
    notes, limits = Notes(), Limits()
    draft = Draft(-1, limits, notes)
    try:
        draft.read_outer_header([("Content-Type", text.partition(":")[2].strip())])
        boundary = boundary_of(draft.content_type, -1, limits, notes)
    except RemoteError:
        return None
    if boundary is None or not draft.content_type.media_type.startswith("multipart/"):
        return None
    return Head(draft.node(0), draft.content_type, "", boundary.decode(), _taken(notes))


def _taken(notes: Notes) -> tuple[tuple[str, str, Action], ...]:
    return tuple((one.id, one.detail, one.action) for one in notes())


@cache
def _known() -> tuple[_Heads, _Heads]:
    """Those of packages, and those of parts."""
    return _Heads(), _Heads()
