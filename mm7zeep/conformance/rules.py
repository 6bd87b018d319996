"""Passive rules: what one message shows beyond its envelope: its HTTP head, and what its content parts are.

A rule is one small function, registered under the id of the finding kind it raises. Judges what was read already; reads
nothing itself, repairs nothing, and refuses by a finding whose action is ``refused``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lxml import etree

from mm7zeep import media, smil
from mm7zeep.charsets import codec
from mm7zeep.errors import MimeError
from mm7zeep.exchange import Judgement, Wire
from mm7zeep.findings import Finding, finding
from mm7zeep.messages import Part
from mm7zeep.mime import Match, Node, Package


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a rule looks at: the message as captured, and what the pipeline made of it."""

    wire: Wire
    judgement: Judgement

    @property
    def package(self) -> Package | None:
        return self.judgement.package

    @property
    def readable(self) -> bool:
        """Whether the envelope is XML at all: of a document that is not, nothing is asked but that it be XML."""
        return self.judgement.tree is not None

    @property
    def soap(self) -> bool:
        """Whether there is an envelope, whatever it holds."""
        tree = self.judgement.tree
        return tree is not None and etree.QName(tree).localname == "Envelope"

    @property
    def content(self) -> tuple[Node, ...]:
        """The leaves besides the SOAP part, in order, each with its part."""
        if self.package is None:
            return ()
        root = self.package.root_node
        return tuple(node for node in self.package.tree.walk() if node.part is not None and node is not root)


Check = Callable[[Subject], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: ``id`` is that of the kind of finding it raises; level, clause, summary and fix stand there."""

    id: str
    check: Check


# --- HTTP -------------------------------------------------------------------------------------------------------------


def _fault_status(subject: Subject) -> Iterator[Finding]:
    # SOAP 1.1 6.2: a Fault MUST come with 500
    if subject.judgement.sketch.operation == "Fault" and subject.wire.status not in (None, 500):
        yield finding("http/status-fault", "status line", detail=str(subject.wire.status))


def _error_status(subject: Subject) -> Iterator[Finding]:
    # RFC 9110 15: no answer of the MM7 layer, but of whatever stands before it
    status = subject.wire.status
    if status is not None and not 200 <= status <= 299 and not subject.soap:
        yield finding("http/error-status", "status line", detail=str(status), action="refused")


def _html_answer(subject: Subject) -> Iterator[Finding]:
    shown = _instead_of_soap(subject)
    if shown is not None and shown.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        yield finding("http/html-answer", "byte 0", detail=shown[:60].decode("latin-1"), action="refused")


def _error_body(subject: Subject) -> Iterator[Finding]:
    shown = _instead_of_soap(subject)
    if shown and not shown.startswith((b"<", b"--")):
        yield finding("http/error-body", "byte 0", detail=shown[:60].decode("latin-1"), action="refused")


def _instead_of_soap(subject: Subject) -> bytes | None:
    """The beginning of the body, in small letters, of a response that holds no envelope."""
    if subject.wire.status is None or subject.soap:
        return None
    start = subject.package.root if subject.package is not None else subject.wire.read()
    return start[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower() or None


# --- content ----------------------------------------------------------------------------------------------------------


def _smil_missing(subject: Subject) -> Iterator[Finding]:
    if len(subject.content) > 1 and not _presentations(subject):
        kinds = ", ".join(node.content_type for node in subject.content[:5])
        yield finding("sem/smil-missing", detail=kinds)


def _smil_well_formed(subject: Subject) -> Iterator[Finding]:
    for node, part in _presentations(subject):
        try:
            smil.references(part.read())
        except MimeError as error:
            for one in error.findings:
                yield finding(one.id, f"byte {node.body_offset}", detail=one.detail)


def _smil_references(subject: Subject) -> Iterator[Finding]:
    """OMA MMS conformance: a src names a part by Content-ID (``cid:``), Content-Location or file name."""
    for node, reference, match in _references(subject):
        # RFC 2392 2: what follows "cid:" is a Content-ID and nothing else
        if match is None or (_is_cid(reference) and not match.how.startswith("content-id")):
            yield finding("sem/smil-references", f"byte {node.body_offset}", detail=reference)


def _smil_reference_form(subject: Subject) -> Iterator[Finding]:
    for node, reference, match in _references(subject):
        if match is None or _is_cid(reference) or not match.how.startswith("content-id"):
            continue
        if reference not in (match.node.content_location, match.node.name):
            yield finding("sem/smil-reference-form", f"byte {node.body_offset}", detail=reference)


def _is_cid(reference: str) -> bool:
    return reference.lower().startswith("cid:")


def _presentations(subject: Subject) -> list[tuple[Node, Part]]:
    found = [(node, node.part) for node in subject.content if media.is_presentation(node.content_type)]
    return [(node, part) for node, part in found if part is not None]


def _references(subject: Subject) -> Iterator[tuple[Node, str, Match | None]]:
    """What the presentations name, and what that is."""
    package = subject.package
    for node, part in _presentations(subject):
        try:
            names = smil.references(part.read())
        except MimeError:  # told by sem/smil-well-formed
            continue
        if package is not None:
            yield from ((node, name, package.find(name)) for name in names)


def _type_agrees(subject: Subject) -> Iterator[Finding]:
    for node in subject.content:
        if node.part is None or node.header("content-type") is None:  # told by mime/part-content-type
            continue
        head = _start(node.part)
        if media.agrees(node.content_type, head) is False:
            found = media.by_content(head)
            shown = found.media_type if found is not None else "no sign of it in the content"
            yield finding("mime/media-type-content", f"byte {node.offset}", detail=f"{node.content_type}: {shown}")


def _start(part: Part) -> bytes:
    with part.open() as stream:
        return stream.read(1024)


def _vendor_type(subject: Subject) -> Iterator[Finding]:
    # RFC 6838 3.4: "x-" names are of nobody's registry; those of formats that many handsets know are borne
    for node in subject.content:
        row = media.lookup(node.content_type)
        name = row.media_type if row is not None else node.content_type
        if "/x-" in name and (row is None or row.compatibility is None):
            yield finding("mime/vendor-type", f"byte {node.offset}", detail=node.content_type)


def _text_decodes(subject: Subject) -> Iterator[Finding]:
    for node in subject.content:
        label = node.parameter("charset")
        if node.part is None or label is None or not node.content_type.startswith("text/"):
            continue
        known = codec(label)
        data = node.part.read()
        if known is None or not data:
            continue
        try:
            data.decode(known)
        except UnicodeDecodeError as error:
            detail = f"{label} has no octet {data[error.start]:#04x} at this place (octet {error.start} of the part)"
            yield finding("mime/text-charset-decodes", f"byte {node.offset}", detail=detail)


CONTENT_KINDS = frozenset({"mime/part-content-type"})
"""What ``mime`` notes about content, which is not asked of a document that is not XML either."""

# --- the table --------------------------------------------------------------------------------------------------------

_OF_HTTP = (
    Rule("http/status-fault", _fault_status),
    Rule("http/error-status", _error_status),
    Rule("http/html-answer", _html_answer),
    Rule("http/error-body", _error_body),
)
_OF_CONTENT = (
    Rule("mime/text-charset-decodes", _text_decodes),
    Rule("mime/media-type-content", _type_agrees),
    Rule("mime/vendor-type", _vendor_type),
    Rule("sem/smil-missing", _smil_missing),
    Rule("sem/smil-well-formed", _smil_well_formed),
    Rule("sem/smil-references", _smil_references),
    Rule("sem/smil-reference-form", _smil_reference_form),
)

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in (*_OF_HTTP, *_OF_CONTENT)})
"""Every rule, by id. The findings of the pipeline itself (``mime``, ``tolerance``, ``exchange``) have no rule here."""


def judge(subject: Subject) -> tuple[Finding, ...]:
    """What the rules say about one message; those about content only where the envelope is XML."""
    rules = (*_OF_HTTP, *_OF_CONTENT) if subject.readable else _OF_HTTP
    return tuple(found for rule in rules for found in rule.check(subject))
