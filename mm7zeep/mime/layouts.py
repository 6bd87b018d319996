"""The fast reader: a package that is whole in memory and has nothing odd about it, split by its delimiters.

Gives the package that the streaming reader gives, or None for whatever is not plain: other line ends than CRLF, text
outside the parts, anything in the content that might be a broken delimiter or a part header, content that does not
decode. What the heads say is known from earlier ones (``heads``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from mm7zeep.messages import Part
from mm7zeep.mime import fields, heads
from mm7zeep.mime.assembly import assemble
from mm7zeep.mime.bodies import Base64, decoder
from mm7zeep.mime.drafts import Notes
from mm7zeep.mime.heads import LONGEST, Filled, Head
from mm7zeep.mime.tree import Limits, Node, Package

_LEAST = 6  # octets of a boundary that the streaming reader looks for within content
_TAIL = 600  # octets at the end of content in which its last line is looked for
_ODD = re.compile(rb"\n(?:--|[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-)")  # may be a delimiter, or the head of a part
_BARE_CR = re.compile(rb"\r(?!\n)")


class _NotPlain(Exception):
    """Something that the streaming reader has to look at."""


class PlainHead(NamedTuple):
    """The head of a package that has nothing odd about it: its fields, and what its Content-Type says."""

    headers: tuple[tuple[str, str], ...]
    outer: Head
    filled: Filled


def plain_head(headers: Iterable[tuple[str, str]], limits: Limits) -> PlainHead | None:
    """The head of a package, where it is that of a multipart and plain; None where it is not."""
    headers = tuple(headers)
    labels = [value for name, value in headers if name.lower() in ("content-type", "content-location")]
    if len(labels) != 1:
        return None
    outer = heads.of_package(labels[0])
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
        self, headers: Sequence[tuple[str, str]], body: bytes, limits: Limits, outer: Head, filled: Filled
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
        if between < 0 or self._parts > limits.parts or between - start > min(LONGEST, limits.header_bytes - 2):
            raise _NotPlain
        read = heads.of_part(octets)
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


def _decoded(content: bytes, head: Head) -> bytes:
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
