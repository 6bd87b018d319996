"""The fast reader: a package that is whole in memory and has nothing odd about it, split by its delimiters.

Gives the package that the streaming reader gives, or None for whatever is not plain: other line ends than CRLF, text
outside the parts, anything in the content that might be a broken delimiter or a part header, content that does not
decode. A head is read once: what came of it is kept by its octets without the values that differ from message to
message (boundary, start, Content-ID), after a second head with other values has shown where these come out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from mm7zeep.errors import RemoteError
from mm7zeep.findings import Action
from mm7zeep.messages import Part
from mm7zeep.mime import fields
from mm7zeep.mime.assembly import assemble
from mm7zeep.mime.bodies import Base64, decoder
from mm7zeep.mime.drafts import Draft, Notes, boundary_of
from mm7zeep.mime.tree import Limits, Node, Package, Parameters

_HEADS = 1024  # that are kept
_CREDIT = 64.0
_LONGEST = 2048  # octets of a head that is kept
_LEAST = 6  # octets of a boundary that the streaming reader looks for within content
_TAIL = 600  # octets at the end of content in which its last line is looked for
_UNPLAIN = re.compile(rb"[^ -~\t\r\n]|\r(?!\n)|(?<!\r)\n")
_PLAIN = re.compile(r"[ -~]*")
_ODD = re.compile(rb"\n(?:--|[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-)")  # may be a delimiter, or the head of a part
_BARE_CR = re.compile(rb"\r(?!\n)")
_VARYING = re.compile(
    r"((?:^content-id:[ \t]*<|\bstart=\"<|\bstart=<|\bboundary=\"?))([A-Za-z0-9_.@=-]{1,70})(?=[>\"; \t\r\n]|\Z)",
    re.MULTILINE | re.IGNORECASE,
)

# --- heads ------------------------------------------------------------------------------------------------------------


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


class _Filled(NamedTuple):
    """What the values of one head make of its parts that differ."""

    parameters: Parameters
    content_id: str | None
    headers: Parameters
    boundary: bytes | None


@dataclass(frozen=True, slots=True)
class _Head:
    """What the head of one part says; ``examples`` stand where values differ from head to head."""

    node: Node
    content_type: fields.ContentType
    mechanism: str
    boundary: str | None
    notes: tuple[tuple[str, str, Action], ...]
    examples: tuple[str, ...] = ()
    in_parameters: bool = False
    in_headers: tuple[bool, ...] = ()

    def filled(self, values: Sequence[str]) -> _Filled:
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
        return _Filled(parameters, id and put(id), headers, boundary.encode("ascii") if boundary else None)


class _Heads:
    """The heads of one process, by their octets without the values that differ. Thread-safe, without a lock.

    To learn one takes credit, which uses of those that are known earn: a flood of new heads costs little.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], _Head | None] = {}
        self._same: dict[bytes, tuple[_Head, _Filled]] = {}  # heads as they came, most of which come again
        self._credit = _CREDIT

    def same(self, octets: bytes) -> tuple[_Head, _Filled] | None:
        """What a head says that was read before, octet by octet; None for one that was not."""
        found = self._same.get(octets)
        if found is not None:
            self._credit = min(_CREDIT, self._credit + 1 / 4)
        return found

    def of_octets(self, octets: bytes, read: Callable[[str], _Head | None]) -> tuple[_Head, _Filled] | None:
        """What the head of a part says, as ``of``; None also where it might hold the delimiter of a multipart."""
        if _UNPLAIN.search(octets) or octets.find(b"\n--") >= 0 or octets.startswith(b"--"):
            return None
        found = self.of(octets.decode("ascii"), read)
        if found is not None:
            if len(self._same) >= _HEADS:
                self._same = {}
            self._same[octets] = found
        return found

    def of(self, text: str, read: Callable[[str], _Head | None]) -> tuple[_Head, _Filled] | None:
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


def _learnt(text: str, values: Sequence[str], read: Callable[[str], _Head | None]) -> _Head | None:
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


def _plainly(head: _Head) -> _Filled:
    boundary = head.boundary.encode("ascii") if head.boundary is not None else None
    return _Filled(head.content_type.parameters, head.node.content_id, head.node.headers, boundary)


def _as_read(head: _Head, filled: _Filled) -> tuple[object, ...]:
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


def _part_head(text: str) -> _Head | None:
    """The head of a part, read by the streaming reader's own means."""
    notes, limits = Notes(), Limits(header_bytes=_LONGEST * 2, header_fields=100)
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
    return _Head(
        node, draft.content_type, mechanism, boundary.decode() if boundary is not None else None, _taken(notes)
    )


def _outer_head(text: str) -> _Head | None:
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
    return _Head(draft.node(0), draft.content_type, "", boundary.decode(), _taken(notes))


def _taken(notes: Notes) -> tuple[tuple[str, str, Action], ...]:
    return tuple((one.id, one.detail, one.action) for one in notes())


@cache
def _heads() -> tuple[_Heads, _Heads]:
    """Those of packages, and those of parts."""
    return _Heads(), _Heads()


# --- packages ---------------------------------------------------------------------------------------------------------


class _NotPlain(Exception):
    """Something that the streaming reader has to look at."""


class PlainHead(NamedTuple):
    """The head of a package that has nothing odd about it: its fields, and what its Content-Type says."""

    headers: tuple[tuple[str, str], ...]
    outer: _Head
    filled: _Filled


def plain_head(headers: Iterable[tuple[str, str]], limits: Limits) -> PlainHead | None:
    """The head of a package, where it is that of a multipart and plain; None where it is not."""
    headers = tuple(headers)
    labels = [value for name, value in headers if name.lower() in ("content-type", "content-location")]
    if len(labels) != 1 or not 10 < len(labels[0]) <= _LONGEST or not _PLAIN.fullmatch(labels[0]):
        return None
    outer = _heads()[0].of(f"Content-Type: {labels[0]}", _outer_head)
    if outer is None or len(outer[1].boundary or b"") > limits.boundary:
        return None
    return PlainHead(headers, *outer)


def read_plain(head: PlainHead, body: bytes, limits: Limits) -> Package | None:
    """The package, where it is whole and plain, and no larger than ``limits.spool``; None where it is not.

    Raises ``MimeError`` or ``LimitError`` as the streaming reader does.
    """
    if len(body) > min(limits.spool, limits.body) or not body.startswith(b"--"):
        return None
    try:
        return _Plain(head.headers, body, limits, head.outer, head.filled).package()
    except _NotPlain:
        return None


class _Plain:
    """One package in the making."""

    def __init__(
        self, headers: Sequence[tuple[str, str]], body: bytes, limits: Limits, outer: _Head, filled: _Filled
    ) -> None:
        self._body, self._limits, self._outer, self._filled = body, limits, outer, filled
        self._headers = tuple([(fields.clean(name), fields.clean(fields.unfold(value))) for name, value in headers])
        self._notes = Notes()
        self._parts = 0

    def package(self) -> Package:
        """The package. Raises ``_NotPlain``."""
        for id, detail, action in self._outer.notes:
            self._notes.take(id, -1, detail=detail, action=action)
        outer, filled = self._outer, self._filled
        children, end = self._multipart(0, len(self._body), (), filled.boundary or b"")
        tree = Node(
            content_type=outer.node.content_type,
            parameters=filled.parameters,
            content_location=outer.node.content_location,
            name=outer.node.name,
            headers=self._headers,
            size_encoded=end,
            children=children,
        )
        declared = replace(outer.content_type, parameters=filled.parameters)
        return assemble(tree, declared, self._notes, self._limits, "closed")

    def _multipart(
        self, start: int, stop: int, around: tuple[bytes, ...], boundary: bytes
    ) -> tuple[tuple[Node, ...], int]:
        """The parts of the multipart in ``body[start:stop]``, and where its last delimiter ends."""
        body, dashed = self._body, b"--" + boundary
        if len(boundary) > self._limits.boundary or len(around) >= self._limits.depth:
            raise _NotPlain
        core = boundary.strip(b"-")
        if not core or any(core in one or one in core for one in around):
            raise _NotPlain
        cores = (*around, core)
        if not body.startswith(dashed + b"\r\n", start):
            raise _NotPlain
        needle, children = b"\r\n" + dashed, []
        at = start + len(dashed) + 2
        while True:
            found = body.find(needle, at - 2, stop)
            if found < at:
                raise _NotPlain
            children.append(self._part(at, found, cores))
            after = found + len(needle)
            tail = body[after : after + 2]
            if tail == b"--":
                if body[after + 2 : stop] not in (b"", b"\r\n"):
                    raise _NotPlain
                return tuple(children), after + 2
            if tail != b"\r\n":
                raise _NotPlain
            at = after + 2

    def _part(self, start: int, stop: int, cores: tuple[bytes, ...]) -> Node:
        """The part in ``body[start:stop]``, header and all."""
        body, limits = self._body, self._limits
        self._parts += 1
        between = body.find(b"\r\n\r\n", start, stop)
        octets = body[start:between]
        if between < 0 or self._parts > limits.parts or between - start > min(_LONGEST, limits.header_bytes - 2):
            raise _NotPlain
        heads = _heads()[1]
        read = heads.same(octets) or heads.of_octets(octets, _part_head)
        if read is None:
            raise _NotPlain
        head, filled = read
        node, inner, end = head.node, between + 4, stop
        if len(node.headers) > limits.header_fields:
            raise _NotPlain
        for id, detail, action in head.notes:
            self._notes.take(id, start, detail=detail, action=action)
        children: tuple[Node, ...] = ()
        part: Part | None = None
        if filled.boundary is not None:
            children, end = self._multipart(inner, stop, cores, filled.boundary)
        else:
            content = body[inner:stop]
            if not content or node.part is None or _is_suspicious(content, cores):
                raise _NotPlain
            part = _labelled(node.part, _decoded(content, head), filled.content_id)
        return Node(
            content_type=node.content_type,
            parameters=filled.parameters,
            content_id=filled.content_id,
            content_location=node.content_location,
            name=node.name,
            disposition=node.disposition,
            disposition_parameters=node.disposition_parameters,
            encoding=node.encoding,
            headers=filled.headers,
            offset=start,
            body_offset=inner,
            size_encoded=end - inner,
            children=children,
            part=part,
        )


def _labelled(like: Part, body: bytes, content_id: str | None) -> Part:
    """A part with the labels of another one, which were judged when that was made, but for its Content-ID."""
    part = object.__new__(Part)
    put = object.__setattr__
    put(part, "body", body)
    put(part, "content_type", like.content_type)
    put(part, "parameters", like.parameters)
    put(part, "content_id", content_id)
    put(part, "content_location", like.content_location)
    put(part, "name", like.name)
    put(part, "headers", like.headers)
    return part


def _is_suspicious(content: bytes, cores: tuple[bytes, ...]) -> bool:
    """Whether content holds anything that the streaming reader might take for a broken delimiter or a part header."""
    if _ODD.search(content) or content.startswith(b"--") or content[:8].lower() == b"content-":
        return True
    for core in cores:
        if len(core) >= _LEAST and core in content:
            return True
    tail = content[-_TAIL:].rstrip(b" \t\r\n")
    return tail.startswith(b"-", tail.rfind(b"\n") + 1)


def _decoded(content: bytes, head: _Head) -> bytes:
    """The content with its transfer encoding undone. Raises ``_NotPlain`` where anything is odd about it."""
    if head.mechanism not in ("", "8bit", "binary"):
        coder, known = decoder(head.mechanism)
        octets = bytes(coder.feed(content)) + coder.close()
        if not known or coder.defects or not octets or (isinstance(coder, Base64) and coder.foreign):
            raise _NotPlain
    else:
        octets = content
    if head.content_type.media_type.startswith("text/") and _BARE_CR.search(octets):
        raise _NotPlain
    return octets
