"""Rules for the SMIL presentation: whether there is one, where it stands, and what it names."""

from __future__ import annotations

from collections.abc import Iterator

from mm7zeep import media, smil
from mm7zeep.conformance.rules.subject import Rule, Subject
from mm7zeep.errors import MimeError
from mm7zeep.findings import Finding, finding
from mm7zeep.messages import Part
from mm7zeep.mime import Match, Node

_SHOWN = ("image", "audio", "video", "text")  # what a slide can show


def _missing(subject: Subject) -> Iterator[Finding]:
    if len(subject.content) > 1 and not _presentations(subject):
        kinds = ", ".join(node.content_type for node in subject.content[:5])
        yield finding("sem/smil-missing", detail=kinds)


def _well_formed(subject: Subject) -> Iterator[Finding]:
    for node, part in _presentations(subject):
        try:
            smil.references(part.read(), part.charset)
        except MimeError as error:
            for one in error.findings:
                yield finding(one.id, f"byte {node.body_offset}", detail=one.detail)


def _root(subject: Subject) -> Iterator[Finding]:
    """RFC 2387 3.2: start names the root of a multipart/related, without it the first part is."""
    package = subject.package
    for node in package.tree.walk() if package is not None else ():
        where = f"byte {node.offset}"
        if package is None or node is package.tree or node.content_type != "multipart/related" or not node.children:
            continue
        # Where type or start are wrong for themselves, mime/related-type-root and -start-resolves have said so.
        if subject.told_at("mime/related-type-root", where) or subject.told_at("mime/related-start-resolves", where):
            continue
        start = (node.parameter("start") or "").strip("<> ")
        root = next((one for one in node.children if one.content_id == start), node.children[0])
        others = [one for one in node.children if one.part is not None and smil.is_presentation(one.part)]
        if others and not any(root is one for one in others):
            yield finding("sem/smil-root", where, detail=f"root {root.content_type}")


def _references_resolve(subject: Subject) -> Iterator[Finding]:
    """OMA MMS conformance: a src names a part by Content-ID (``cid:``), Content-Location or file name."""
    for node, reference, match in references(subject):
        # RFC 5322 3.6.4: Content-IDs are compared as they are, case and all
        if match is None or _lost(reference, match) or match.how == "content-id-case":
            yield finding("sem/smil-references", f"byte {node.body_offset}", detail=reference)


def _lost(reference: str, match: Match | None) -> bool:
    # RFC 2392 2: what follows "cid:" is a Content-ID and nothing else
    return match is None or (_is_cid(reference) and not match.how.startswith("content-id"))


def _reference_form(subject: Subject) -> Iterator[Finding]:
    for node, reference, match in references(subject):
        if match is None or _is_cid(reference) or not match.how.startswith("content-id"):
            continue
        if reference not in (match.node.content_location, match.node.name):
            yield finding("sem/smil-reference-form", f"byte {node.body_offset}", detail=reference)


def _unused(subject: Subject) -> Iterator[Finding]:
    """Outside the content it is mime/unreferenced-part that tells; a name that leads nowhere may mean any part."""
    package, href = subject.package, subject.judgement.sketch.values.get("content_href")
    names = list(references(subject))
    if package is None or not names or any(_lost(reference, match) for _, reference, match in names):
        return
    content = package.find(href) if href else None
    shown = {id(match.node) for _, _, match in names if match is not None}
    for node in content.node.walk() if content is not None else ():
        shows = node.part is not None and media.media_class(node.content_type) in _SHOWN
        if shows and id(node) not in shown and not any(node is one for one, _, _ in names):
            yield finding("sem/smil-unused-part", f"byte {node.offset}", detail=node.content_id or node.content_type)


def _is_cid(reference: str) -> bool:
    return reference.lower().startswith("cid:")


def _presentations(subject: Subject) -> list[tuple[Node, Part]]:
    found = [(node, node.part) for node in subject.content if node.part is not None]
    return [(node, part) for node, part in found if smil.is_presentation(part)]


def references(subject: Subject) -> Iterator[tuple[Node, str, Match | None]]:
    """What the presentations name, and what that is."""
    package = subject.package
    for node, part in _presentations(subject):
        try:
            names = smil.references(part.read(), part.charset)
        except MimeError:  # reported by sem/smil-well-formed
            continue
        if package is not None:
            yield from ((node, name, package.find(name)) for name in names)


RULES = (
    Rule("sem/smil-missing", _missing),
    Rule("sem/smil-well-formed", _well_formed),
    Rule("sem/smil-root", _root),
    Rule("sem/smil-references", _references_resolve),
    Rule("sem/smil-reference-form", _reference_form),
    Rule("sem/smil-unused-part", _unused),
)
