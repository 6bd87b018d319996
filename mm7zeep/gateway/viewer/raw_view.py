"""A request as it came, for people: its head, its MIME tree with what was noticed, its envelope, windows of its octets.

Values in, values out, bounded whatever the size of the request: what is left out is counted. Shows no credentials of
the head; the content is shown as it is. Opens and fetches nothing. Refuses nothing: what cannot be read is said.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from lxml import etree

from mm7zeep import charsets, envelope, mime, namespaces, tolerance
from mm7zeep.conformance.report import tree
from mm7zeep.conformance.report.view import plain
from mm7zeep.errors import RemoteError
from mm7zeep.gateway.admin import messages as admin
from mm7zeep.gateway.store import content
from mm7zeep.gateway.store.messages import wire_of
from mm7zeep.gateway.store.rows import RawRow

NODES = 250
"""Nodes of a MIME tree that are shown."""
ENVELOPE = 200_000
"""Octets of an envelope, and characters of its pretty form, that are shown."""
_AT_NODE = 10  # findings that are named at one node
_FIELD = 2000  # characters of a header field, or of a label of a part
_PARTS = 5000  # parts of a request that is taken apart: more than ever were accepted, unless limits.parts says so
_ELEMENTS = 5000  # elements of an envelope that is indented
_LIMITS = replace(content.ANY, parts=_PARTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeNode:
    """One node of a MIME tree, at ``depth`` (0: the whole package).

    ``offset`` is where its header begins in the body, -1 for that of HTTP; ``body_offset`` where its content does.
    ``encoded`` and ``decoded`` are octets (None: a multipart has no decoded content). ``root`` marks the SOAP part.
    ``findings`` are ids of what was noticed there, at most ten.
    """

    depth: int
    content_type: str
    parameters: Mapping[str, str]
    content_id: str | None
    content_location: str | None
    name: str | None
    encoding: str | None
    root: bool
    offset: int
    body_offset: int
    encoded: int
    decoded: int | None
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The envelope of a request: ``text``, indented where it is ``pretty``, else as it is.

    ``size`` are its octets, ``cut`` says that there is more of it, ``note`` why it is not pretty or what it lacks.
    """

    text: str
    size: int
    pretty: bool
    cut: bool
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawView:
    """The request ``n`` about a message, ``received`` in seconds since 1970.

    ``nodes`` are its MIME tree in the order of the body, at most ``NODES``; ``left_out`` counts the others.
    ``findings`` are ids of what was noticed of the head. ``error`` says why there is no tree.
    """

    n: int
    received: float
    request_line: str
    fields: tuple[tuple[str, str], ...]
    size: int
    nodes: tuple[TreeNode, ...]
    left_out: int
    envelope: Envelope | None
    findings: tuple[str, ...]
    error: str | None


def raw_view(row: RawRow, findings: Iterable[Mapping[str, Any]] = ()) -> RawView:
    """What can be shown of a request. ``findings`` are those of the message, as its row has them (JSON): they are of
    the newest request; those of the MIME package are found again for any.
    """
    fields = tuple((_short(name), _short(value)) for name, value in admin.header_fields(row))
    try:
        package, error = mime.read(wire_of(row).headers, row.body, _LIMITS), None
    except RemoteError as failure:
        package, error = None, plain(str(failure))
    places = [(one.id, one.where) for one in package.findings] if package is not None else []
    places += [(str(one["id"]), str(one.get("where") or "")) for one in findings]
    of_head, at = _placed(places, package)
    nodes = tuple(_nodes(package, at)) if package is not None else ()
    return RawView(
        n=row.n,
        received=row.received,
        request_line=admin.REQUEST_LINE,
        fields=fields,
        size=len(row.body),
        nodes=nodes,
        left_out=_count(package) - len(nodes),
        envelope=_envelope(package) if package is not None else None,
        findings=of_head,
        error=error,
    )


def _short(text: str) -> str:
    return plain(text if len(text) <= _FIELD else f"{text[:_FIELD]}...")


# --- the tree ---------------------------------------------------------------------------------------------------------


def _count(package: mime.Package | None) -> int:
    return sum(1 for _ in package.tree.walk()) if package is not None else 0


def _nodes(package: mime.Package, at: Mapping[int, Sequence[str]]) -> Iterator[TreeNode]:
    """The first ``NODES`` nodes in the order of the body."""
    stack, given = [(package.tree, 0)], 0
    while stack and given < NODES:
        node, depth = stack.pop()
        row = tree.labels(node, package)
        row["parameters"] = {_short(name): _short(value) for name, value in row["parameters"].items()}
        texts = ("content_type", "content_id", "content_location", "name", "encoding")
        row |= {name: _short(row[name]) for name in texts if row[name] is not None}
        yield TreeNode(depth=depth, findings=tuple(at.get(id(node), ())), **row)
        given += 1
        stack.extend((one, depth + 1) for one in reversed(node.children))


def _placed(
    places: Iterable[tuple[str, str]], package: mime.Package | None
) -> tuple[tuple[str, ...], Mapping[int, Sequence[str]]]:
    """The ids of findings about the head, and those about each node, by its ``id``; each once, in their order."""
    of_head: dict[str, None] = {}
    at: defaultdict[int, dict[str, None]] = defaultdict(dict)
    for id_, where in dict.fromkeys(places):
        node = _node_of(id_, where, package) if package is not None else None
        kept = of_head if node is None else at[id(node)]
        if len(kept) < _AT_NODE:
            kept[id_] = None
    return tuple(of_head), {key: tuple(ids) for key, ids in at.items()}


def _node_of(id_: str, where: str, package: mime.Package) -> mime.Node | None:
    """The node that a finding is about: of the envelope, or around an octet of the body; None for the head."""
    if where.startswith(("/", "line ")) or id_.startswith("xml/"):  # whose octets are those of the envelope
        return package.root_node
    word, _, number = where.partition(" ")
    if word != "byte" or not number.isascii() or not number.isdigit() or len(number) > 15:
        return None
    return _around(package.tree, int(number))


def _around(node: mime.Node, offset: int) -> mime.Node:
    """The innermost node with the octet at ``offset``."""
    while node.children:
        found = bisect.bisect_right(node.children, offset, key=lambda one: one.offset) - 1
        child = node.children[max(found, 0)]
        if found < 0 or offset > child.body_offset + child.size_encoded:  # its line end is the delimiter's
            break
        node = child
    return node


# --- the envelope -----------------------------------------------------------------------------------------------------


def _envelope(package: mime.Package) -> Envelope:
    octets, charset = package.root, package.root_content_type.get("charset")
    if len(octets) > ENVELOPE:
        return _as_it_is(octets, charset, "it is too long to be indented")
    try:
        readable = tolerance.readable(octets, charset)
        root = envelope.parse(readable.data, envelope.XmlLimits(size=ENVELOPE * 3, elements=_ELEMENTS))
    except RemoteError as error:
        return _as_it_is(octets, charset, str(error))
    etree.indent(root)
    text = _names_as_sent(etree.tostring(root, encoding="unicode"), root)
    note = "without its comments" if b"<!--" in readable.data else None
    return Envelope(text=plain(text[:ENVELOPE]), size=len(octets), pretty=True, cut=len(text) > ENVELOPE, note=note)


def _as_it_is(octets: bytes, charset: str | None, why: str) -> Envelope:
    text = charsets.decoded(octets[:ENVELOPE], charset).text
    return Envelope(text=plain(text), size=len(octets), pretty=False, cut=len(octets) > ENVELOPE, note=plain(why))


def _names_as_sent(text: str, root: etree._Element) -> str:
    """``text`` with the namespace names that the sender wrote, where the parser had to write others."""
    if "%" not in text:
        return text
    for name in {uri for node in root.iter(etree.Element) for uri in node.nsmap.values()}:
        sent = namespaces.as_sent(name)
        if sent != name:
            text = text.replace(_attribute(name), _attribute(sent))
    return text


def _attribute(value: str) -> str:
    return '"{}"'.format(value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"))


# --- octets -----------------------------------------------------------------------------------------------------------

WIDTH = 16
"""Octets of a row."""
WINDOW = 4096
"""Octets that are shown at a time."""


class HexRow(NamedTuple):
    """One row: where it begins, its octets in hexadecimal, and those that are printable ASCII (others are dots)."""

    offset: int
    hex: str
    text: str


class HexWindow(NamedTuple):
    """A window of octets: where it begins in all ``size`` of them, its rows, and where the windows beside it begin."""

    offset: int
    size: int
    rows: tuple[HexRow, ...]
    before: int | None
    after: int | None


_PRINTABLE = bytes(octet if 32 <= octet < 127 else 46 for octet in range(256))


def hexdump(octets: bytes, offset: int = 0, most: int = WINDOW) -> HexWindow:
    """Rows of 16 from ``offset`` on, taken back to where a row begins, at most ``most`` octets and 4 KiB.

    An offset outside of them is taken for the nearest row.
    """
    most = max(WIDTH, min(most, WINDOW) // WIDTH * WIDTH)
    last = max(0, len(octets) - 1) // WIDTH * WIDTH
    start = min(max(0, offset) // WIDTH * WIDTH, last)
    window = octets[start : start + most]
    rows = tuple(_row(window[at : at + WIDTH], start + at) for at in range(0, len(window), WIDTH))
    return HexWindow(
        offset=start,
        size=len(octets),
        rows=rows,
        before=max(0, start - most) if start else None,
        after=start + most if start + most < len(octets) else None,
    )


def _row(octets: bytes, offset: int) -> HexRow:
    return HexRow(offset, octets.hex(" "), octets.translate(_PRINTABLE).decode("ascii"))
