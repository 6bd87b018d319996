"""What a rule looks at, and what a rule is. Reads nothing that was not read already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from mm7zeep import namespaces, schema
from mm7zeep.exchange import Judgement, Wire
from mm7zeep.findings import Finding
from mm7zeep.mime import Node, Package
from mm7zeep.profiles import SOAP_NAMESPACE, Profile

_BODY = f"{{{SOAP_NAMESPACE}}}Body"
_ERRORS = ("RSErrorRsp", "VASPErrorRsp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a rule looks at: the message as captured, and what the pipeline made of it.

    ``start_line`` is that of an HTTP message, if it is known. ``now`` is when the message arrived, where that is known
    (a capture does not tell): the rules that need a clock then compare with it, otherwise with the message's own
    TimeStamp, and say nothing where there is none. A ``now`` without zone is taken as UTC.
    """

    wire: Wire
    judgement: Judgement
    start_line: str = ""
    now: datetime | None = None

    @property
    def package(self) -> Package | None:
        """The MIME package; None where it could not be taken apart."""
        return self.judgement.package

    @property
    def is_request(self) -> bool:
        """Whether this is an HTTP request; a bare package or envelope is neither that nor a response."""
        return self.wire.method is not None

    @property
    def is_response(self) -> bool:
        """Whether it came as an HTTP response."""
        return self.wire.status is not None

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
    def operation(self) -> str | None:
        """The element in the Body, ``Fault`` and the like included; None where it is nothing of MM7."""
        return self.judgement.sketch.operation

    @property
    def message(self) -> etree._Element | None:
        """The MM7 element as mended: the child of the Body, or what the detail of a Fault holds."""
        repaired = self.judgement.repaired
        if repaired is None or not repaired.legible:
            return None
        body = repaired.envelope.find(_BODY)
        child = next((one for one in body if isinstance(one.tag, str)), None) if body is not None else None
        if child is not None and schema.local(child) == "Fault":
            return next((one for one in child.iter() if schema.local(one) in _ERRORS), None)
        return child

    @property
    def profile(self) -> Profile | None:
        """What the namespace of the message has, by its name as sent or what that means."""
        return namespaces.profile_of(self.judgement.sketch.namespace)

    @property
    def content(self) -> tuple[Node, ...]:
        """The leaves besides the SOAP part, in order, each with its part."""
        if self.package is None:
            return ()
        root = self.package.root_node
        return tuple(node for node in self.package.tree.walk() if node.part is not None and node is not root)

    def reported(self, *ids: str) -> bool:
        """Whether the pipeline has found one of these kinds already."""
        return any(one.id in ids for one in self.judgement.findings)

    def told_at(self, id: str, where: str) -> bool:
        """Whether the pipeline has found this kind at this place already."""
        return any(one.id == id and one.where == where for one in self.judgement.findings)


Check = Callable[[Subject], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: ``id`` is that of the kind of finding it raises; level, clause, summary and fix stand there."""

    id: str
    check: Check


# --- reading the mended message by name -------------------------------------------------------------------------------


def child(parent: etree._Element | None, *names: str) -> etree._Element | None:
    """The first descendant by a path of local names, or None."""
    for name in names:
        parent = next((one for one in parent if schema.local(one) == name), None) if parent is not None else None
    return parent


def text(element: etree._Element | None) -> str:
    """The text of an element, trimmed; empty for none."""
    return ((element.text if element is not None else None) or "").strip()
