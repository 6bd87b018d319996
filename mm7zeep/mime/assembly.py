"""From the tree of nodes to the package: which is the SOAP part, and do the labels agree.

Raises ``MimeError`` where no part can be the SOAP part, ``LimitError`` where that one is too large.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mm7zeep.charsets import registered
from mm7zeep.errors import LimitError, MimeError
from mm7zeep.messages import Part
from mm7zeep.mime import fields
from mm7zeep.mime.drafts import Notes, over_limit
from mm7zeep.mime.tree import Ending, Limits, MediaType, Node, Package

_ENVELOPE = re.compile(rb"<(?:[\w.\-]{1,64}:)?Envelope\b")
_SNIFFED = 1024  # octets of a part in which an envelope must begin
_XML = "text/xml"
_XOP = "application/xop+xml"


def assemble(tree: Node, declared: fields.ContentType, notes: Notes, limits: Limits, ending: Ending) -> Package:
    """Choose the SOAP part, judge what relates the parts, and give the package."""
    if tree.part is not None:
        tree = _bare(tree, declared, notes)
        root_node = tree
        nodes: tuple[Node, ...] = (tree,)
    else:
        nodes = tuple(tree.walk())
        root_node = _root(tree, nodes, declared, notes)
        for node in nodes:
            if node.part is None:
                _judge_multipart(node, tree, root_node, declared, notes)
        _judge_labels(tree, nodes, root_node, notes)
    root = _octets(root_node, notes, limits)
    _judge_root(tree, root_node, declared, notes)
    return Package(
        root=root,
        root_node=root_node,
        root_content_type=MediaType(root_node.content_type, root_node.parameters),
        tree=tree,
        content=tuple([node for node in tree.children if node is not root_node]),
        parts=tuple([node.part for node in nodes if node.part is not None and node is not root_node]),
        findings=notes(),
        ending=ending if tree is not root_node else "closed",
    )


def _bare(tree: Node, declared: fields.ContentType, notes: Notes) -> Node:
    """A body that is one envelope. Where a multipart was declared, it must at least look like XML."""
    if declared.media_type and not declared.media_type.startswith("multipart/"):
        return tree
    if _head(tree).lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1] != b"<" and declared.media_type:
        raise MimeError("the body is neither the multipart that its Content-Type declares nor an envelope", notes())
    # The labels of a multipart tell nothing of the envelope, but for the type it was meant to have, and perhaps its
    # charset.
    type_, charset = declared.get("type"), declared.get("charset")
    media_type = fields.parse_content_type(type_ or _XML).media_type or _XML
    parameters = (("charset", charset),) if charset else ()
    part = Part(body=tree.part.body if tree.part else b"", content_type=media_type, parameters=parameters)
    return Node(
        content_type=media_type,
        parameters=parameters,
        headers=tree.headers,
        size_encoded=tree.size_encoded,
        part=part,
    )


def _root(tree: Node, nodes: Sequence[Node], declared: fields.ContentType, notes: Notes) -> Node:
    """RFC 2387 3.2: the part named by start, else the first; if that is no envelope, the first that looks like one."""
    leaves = [node for node in nodes if node.part is not None]
    if not leaves:
        raise MimeError("the multipart has no part", notes())
    start = declared.get("start")
    if start is not None:
        top = {id(node) for node in tree.children}
        named = _named(start, sorted(leaves, key=lambda node: id(node) not in top))
        if named is not None:
            return named
    first = tree.children[0]
    if first.part is not None and _is_envelope(first):
        return first
    found = next((node for node in leaves if _is_envelope(node)), None)
    return found or (first if first.part is not None else leaves[0])


def _named(start: str, nodes: list[Node]) -> Node | None:
    literal = fields.content_id(start)[0] or ""
    bare = re.sub(r"\Acid:", "", literal, flags=re.IGNORECASE).strip()
    labelled = [(node.content_id, node) for node in nodes if node.content_id]
    exact = [node for id, node in labelled if id == literal] or [node for id, node in labelled if id == bare]
    loose = exact or [node for id, node in labelled if id.lower() == bare.lower()]
    return loose[0] if loose else None


def _head(node: Node) -> bytes:
    if node.part is None:
        return b""
    if isinstance(node.part.body, bytes):
        return node.part.body[:_SNIFFED]
    with node.part.open() as stream:
        return stream.read(_SNIFFED)


def _is_envelope(node: Node) -> bool:
    return _ENVELOPE.search(_head(node).replace(b"\0", b"")) is not None  # without NUL: UTF-16 looks the same


def _octets(root_node: Node, notes: Notes, limits: Limits) -> bytes:
    if root_node.part is None:
        raise MimeError("the SOAP part is a multipart", notes())
    if root_node.part.size > limits.root:
        raise _too_large(root_node, notes, limits)
    return root_node.part.read()


def _too_large(root_node: Node, notes: Notes, limits: Limits) -> LimitError:
    return over_limit(notes, root_node.offset, f"an envelope of more than {limits.root} octets")


# --- judgement --------------------------------------------------------------------------------------------------------


def _judge_multipart(node: Node, tree: Node, root_node: Node, declared: fields.ContentType, notes: Notes) -> None:
    """RFC 2387 3: type and start of one multipart/related, at any level."""
    top = node is tree
    offset = -1 if top else node.offset
    start = node.parameter("start")
    if start is not None:
        _judge_start(node, start, offset, notes, root_node if top else None)
    if node.content_type != "multipart/related":
        return
    if start is None and top:
        notes.take("mime/related-start", offset)
    wanted = node.parameter("type")
    if wanted is None:
        notes.take("mime/related-type", offset)
        return
    named = _named(start, list(node.children)) if start is not None else None
    root = root_node if top else named or (node.children[0] if node.children else None)
    if root is not None and _media_type(wanted) != root.content_type:
        notes.take("mime/related-type-root", offset, detail=f"type {wanted}, root {root.content_type}")


def _media_type(text: str) -> str:
    return text if text == _XML else fields.parse_content_type(text).media_type


def _judge_start(node: Node, start: str, offset: int, notes: Notes, root: Node | None) -> None:
    """``root`` is the SOAP part, of the outermost multipart; another one's root is its first part."""
    literal, bracketed = fields.content_id(start)
    if not any(child.content_id == literal for child in node.children):
        what = "the SOAP part" if root is not None else "the first part"
        meant = next((one.content_id for one in (root, *node.children) if one is not None), None)
        detail = f"{start}; {what} " + (f"is <{meant}>" if meant else "has no Content-ID")
        notes.take("mime/related-start-resolves", offset, detail=detail, action="repaired")
    if not bracketed and not (literal or "").lower().startswith("cid:"):
        notes.take("mime/start-brackets", offset, detail=start, action="repaired")


def _judge_labels(tree: Node, nodes: Sequence[Node], root_node: Node, notes: Notes) -> None:
    seen: set[str] = set()
    places: set[str] = set()
    for node in nodes:
        if node is tree:
            continue
        if node.content_location is not None and node.content_location in places:
            notes.take("mime/content-location-unique", node.offset, detail=node.content_location)
        places.add(node.content_location or "")
        if node.content_id is not None and node.content_id in seen:
            notes.take("mime/content-id-unique", node.offset, detail=node.content_id)
        seen.add(node.content_id or "")
        label = node.parameter("charset")
        if label and registered(label):
            kind = "mime/root-charset-alias" if node is root_node else "mime/charset-alias"
            notes.take(kind, node.offset, detail=f"{label} for {registered(label)}")
    if tree.children[0] is not root_node:
        notes.take("mime/root-first", root_node.offset)


def _judge_root(tree: Node, root_node: Node, declared: fields.ContentType, notes: Notes) -> None:
    offset = -1 if root_node is tree else root_node.offset
    if root_node.content_type != _XML:
        notes.take("mime/root-is-xml", offset, detail=root_node.content_type)
    if (root_node.encoding or "").partition(";")[0].strip().lower() in ("quoted-printable", "base64"):
        notes.take("mime/root-cte", offset, detail=root_node.encoding or "")
    if _XOP in (declared.media_type, (declared.get("type") or "").lower()):
        notes.take("mime/xop-outer", -1, detail=_XOP)
