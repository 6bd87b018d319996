"""Rules for the parts of a package: their labels, their names, what is in them, and who refers to them.

What the MIME reader tells of the structure has no rule here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from mm7zeep import media, smil
from mm7zeep.charsets import Decoded, codec, decoded
from mm7zeep.conformance.rules import presentation
from mm7zeep.conformance.rules.subject import Rule, Subject
from mm7zeep.findings import Finding, Level, finding
from mm7zeep.messages import Part
from mm7zeep.mime import Node

_CLASSES = (30, 100, 300, 600)  # KiB: text, image basic, image rich, megapixel (OMA MMS conformance document)


def _type_agrees(subject: Subject) -> Iterator[Finding]:
    for node in subject.content:
        if node.part is None or node.header("content-type") is None:  # reported by mime/part-content-type
            continue
        head = _start(node.part)
        hidden = smil.is_presentation(node.part) and not media.is_presentation(node.content_type)
        if hidden or media.agrees(node.content_type, head) is False:
            found = media.by_content(head)
            shown = found.media_type if found is not None else "no sign of it in the content"
            yield finding("mime/media-type-content", f"byte {node.offset}", detail=f"{node.content_type}: {shown}")


def _start(part: Part) -> bytes:
    with part.open() as stream:
        return stream.read(1024)


def _vendor_type(subject: Subject) -> Iterator[Finding]:
    # RFC 6838 3.4: "x-" names are of nobody's registry; those of formats that many handsets know are accepted
    for node in subject.content:
        row = media.lookup(node.content_type)
        name = row.media_type if row is not None else node.content_type
        if "/x-" in name and (row is None or row.compatibility is None):
            yield finding("mime/vendor-type", f"byte {node.offset}", detail=node.content_type)


# --- charsets ---------------------------------------------------------------------------------------------------------


def _texts(subject: Subject) -> Iterator[tuple[Node, Part, str | None]]:
    """The parts that are text, presentations included, with their charset label."""
    for node in subject.content:
        if node.part is not None and (node.content_type.startswith("text/") or smil.is_presentation(node.part)):
            yield node, node.part, node.parameter("charset")


_LEVELS: Mapping[str, Level] = MappingProxyType({"wider": "SHOULD", "contradicted": "MUST", "undecodable": "MUST"})
"""How severe each untrue label is: what everybody reads by the charset around it, no reader loses."""


def _read(part: Part) -> Decoded:
    if smil.is_presentation(part):
        return smil.characters(part.read(), part.charset)
    return decoded(part.read(), part.charset)


def _text_labelled(subject: Subject) -> Iterator[Finding]:
    for node, part, label in _texts(subject):
        where = f"byte {node.offset}"
        if label is not None and codec(label) is None:
            yield finding("mime/text-charset", where, detail=_read(part).detail)
        # Without a Content-Type it is mime/part-content-type that tells, and XML tells its encoding itself.
        elif label is None and node.header("content-type") and not smil.is_presentation(part) and _needs_label(part):
            yield finding("mime/text-charset", where, detail=node.content_type)


def _needs_label(part: Part) -> bool:
    return not all(chunk.isascii() for chunk in part.chunks()) or bool(_read(part).flaw)


def _text_decodes(subject: Subject) -> Iterator[Finding]:
    for node, part, label in _texts(subject):
        if label is not None or smil.is_presentation(part):
            read = _read(part)
            if read.flaw in _LEVELS:
                level = _LEVELS[read.flaw]
                yield finding("mime/text-charset-decodes", f"byte {node.offset}", detail=read.detail, level=level)


# --- names ------------------------------------------------------------------------------------------------------------


def _names(node: Node) -> tuple[str | None, str | None]:
    """The name= of the Content-Type and the filename= of the Content-Disposition."""
    filename = next((value for key, value in node.disposition_parameters if key == "filename"), None)
    return node.parameter("name"), filename


def _name_conflict(subject: Subject) -> Iterator[Finding]:
    for node in subject.content:
        name, filename = _names(node)
        if name and filename and name != filename:
            yield finding("mime/name-conflict", f"byte {node.offset}", detail=f"name {name}, filename {filename}")


def _name_path(subject: Subject) -> Iterator[Finding]:
    for node in subject.content:
        given = next((one for one in _names(node) if one and ("/" in one or "\\" in one)), None)
        if given is not None:
            yield finding("mime/disposition-path", f"byte {node.offset}", detail=given)


# --- the whole --------------------------------------------------------------------------------------------------------


def _unreferenced(subject: Subject) -> Iterator[Finding]:
    """Parts beside the content that nobody names; those inside it are the business of sem/smil-unused-part."""
    package, href = subject.package, subject.judgement.sketch.values.get("content_href")
    match = package.find(href) if package is not None and href else None
    if match is None:  # reported by sem/part-without-content or sem/content-href-resolves
        return
    inside = {id(node) for node in match.node.walk()}
    shown = {id(found.node) for _, _, found in presentation.references(subject) if found is not None}
    for node in subject.content:
        if id(node) not in inside and id(node) not in shown:
            yield finding("mime/unreferenced-part", f"byte {node.offset}", detail=node.content_id or node.content_type)


def _total_size(subject: Subject) -> Iterator[Finding]:
    size = sum(node.part.size for node in subject.content if node.part is not None)
    if size > _CLASSES[-1] * 1024:
        detail = f"{size:,} octets; the content classes end at {', '.join(map(str, _CLASSES))} KiB"
        yield finding("mime/total-size", detail=detail)


RULES = (
    Rule("mime/text-charset", _text_labelled),
    Rule("mime/text-charset-decodes", _text_decodes),
    Rule("mime/media-type-content", _type_agrees),
    Rule("mime/vendor-type", _vendor_type),
    Rule("mime/name-conflict", _name_conflict),
    Rule("mime/disposition-path", _name_path),
    Rule("mime/unreferenced-part", _unreferenced),
    Rule("mime/total-size", _total_size),
)
