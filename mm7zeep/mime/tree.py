"""What a reader gives: the tree of nodes, the package around it, and the limits it was read under.

Values only; nothing here parses. ``Package.find`` answers which node a reference names, and refuses to look outside
the package.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from mm7zeep.findings import Finding
from mm7zeep.messages import Part
from mm7zeep.mime.labels import How, LabelIndex

Parameters = tuple[tuple[str, str], ...]
Ending = Literal["closed", "whole", "cut"]

KIB = 1024
_DEEPEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a reader takes before it raises ``LimitError``; all sizes in octets.

    ``body``: the whole package as sent. ``root``: the SOAP part, decoded. ``parts``: body parts at all levels,
    multiparts and the SOAP part included. ``depth``: multiparts inside each other, at most 100. ``header_bytes`` and
    ``header_fields``: one part's header. ``boundary``: one boundary (RFC 2046 5.1.1 allows 70; what is longer leaves
    a finding). ``spool``: a decoded part larger than this is kept in a temporary file, not in memory.
    """

    body: int = 10 * KIB * KIB
    root: int = KIB * KIB
    parts: int = 100
    depth: int = 8
    header_bytes: int = 8 * KIB
    header_fields: int = 32
    boundary: int = 256
    spool: int = 256 * KIB

    def __post_init__(self) -> None:
        for name in self.__slots__:
            least = 1 if name == "boundary" else 0
            if getattr(self, name) < least:
                raise ValueError(f"the limit {name} is {getattr(self, name)}; it cannot be less than {least}")
        if self.depth > _DEEPEST:
            raise ValueError(
                f"the limit depth is {self.depth}; every open multipart costs time, so {_DEEPEST} is the most"
            )


class MediaType(NamedTuple):
    """A media type and its parameters, names in lower case. An empty ``media_type`` means none was given."""

    media_type: str
    parameters: Parameters = ()

    def get(self, name: str) -> str | None:
        """The value of the parameter ``name``, or None."""
        return next((value for key, value in self.parameters if key == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One body part: a leaf with its decoded ``part``, or a multipart with ``children``.

    ``content_id`` stands without brackets, trimmed. ``encoding`` is the Content-Transfer-Encoding as sent.
    ``headers`` are all fields as sent, unfolded, control characters replaced by U+FFFD. ``offset`` is where its
    header begins in the body, ``body_offset`` where its content begins, ``size_encoded`` the octets of the content as
    sent (the line end before a delimiter belongs to the delimiter). ``name`` is the file name given by filename= or
    name=; ``disposition`` with its parameters is the Content-Disposition.
    """

    content_type: str
    parameters: Parameters = ()
    content_id: str | None = None
    content_location: str | None = None
    name: str | None = None
    disposition: str | None = None
    disposition_parameters: Parameters = ()
    encoding: str | None = None
    headers: Parameters = ()
    offset: int = 0
    body_offset: int = 0
    size_encoded: int = 0
    children: tuple[Node, ...] = ()
    part: Part | None = None

    @property
    def multipart(self) -> bool:
        """Whether it is no leaf."""
        return self.part is None

    def header(self, name: str) -> str | None:
        """The first header field of that name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def parameter(self, name: str) -> str | None:
        """The Content-Type parameter of that name (lower case)."""
        for key, value in self.parameters:
            if key == name:
                return value
        return None

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in the order of the body."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))


class Match(NamedTuple):
    """The node that a reference names, and by which label it was found."""

    node: Node
    how: How


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package taken apart.

    ``root`` is the decoded SOAP part and ``root_node`` its node. ``content`` are the top-level nodes besides it,
    ``parts`` the leaves besides it in order, nested multiparts flattened. ``findings`` are all deviations met, in the
    order of the body; with an action of ``refused``, those that show that a part was lost. ``ending`` tells how the
    outermost multipart ends: ``closed`` by its last delimiter; without it, ``whole`` where its last part can be seen to
    be complete, and ``cut`` where anything may be missing. A body that is not multipart is one node without content.
    """

    root: bytes
    root_node: Node
    root_content_type: MediaType
    tree: Node
    content: tuple[Node, ...] = ()
    parts: tuple[Part, ...] = ()
    findings: tuple[Finding, ...] = ()
    ending: Ending = "closed"
    _index: LabelIndex[Node] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # a package does not contain itself, and the envelope does not name itself as content
        nodes = (node for node in self.tree.walk() if node is not self.tree and node is not self.root_node)
        object.__setattr__(self, "_index", LabelIndex(nodes))

    def find(self, reference: str) -> Match | None:
        """The node that a Content href or a SMIL src names, or None, by the rule of ``LabelIndex``.

        The SOAP part is never found.
        """
        found = self._index.find(reference)
        return Match(*found) if found is not None else None
