"""The hardened XML door: octets to a tree, and a tree to octets.

Refuses what is not well-formed, has a DOCTYPE or exceeds the limits; never opens a file, a socket or an entity.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

from lxml import etree

from mm7zeep import namespaces
from mm7zeep.errors import EnvelopeError, LimitError
from mm7zeep.findings import finding
from mm7zeep.profiles import SOAP_NAMESPACE

SOAP = f"{{{SOAP_NAMESPACE}}}"
_ADDRESS_TAGS = ("Number", "RFC2822Address", "ShortCode")
_DECLARATION = re.compile(rb"\s*<\?xml\s")
_MANY = 1000  # attributes and namespace declarations of one tag: so many are refused before libxml2 makes nodes of them
_CROWDED = re.compile(rb"""<[^\s<>/!?]++(?:\s++[^\s=<>"']++\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+')){%d}""" % _MANY)
_PROLOG = re.compile(r"(?:\s+|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlLimits:
    """``size`` in octets of UTF-8, ``depth`` of nesting, number of ``elements``, of ``attributes`` of one, of
    ``recipients``.
    """

    size: int = 1024 * 1024
    depth: int = 64
    elements: int = 50_000
    attributes: int = 64
    recipients: int = 1000


def parse(data: bytes, limits: XmlLimits = XmlLimits()) -> etree._Element:
    """Parse ``data`` (UTF-8, without XML declaration) into a tree without comments.

    Raises ``EnvelopeError`` if it is not well-formed with namespaces or has a DOCTYPE (SOAP 1.1 3), ``LimitError`` if
    it is larger, deeper or richer than ``limits``. No entity is expanded, nothing is fetched.
    """
    if len(data) > limits.size:
        raise _too_much("size", f"the envelope has {len(data)} octets, more than {limits.size}")
    if data.count(b"<") > 2 * limits.elements + 16 or data.count(b"=") > 4 * limits.elements:
        raise _too_much("elements", f"the envelope has more than {limits.elements} elements")
    if _CROWDED.search(data):
        raise _too_much("attributes", f"an element of the envelope has {_MANY} attributes or more")
    text = data.decode("utf-8")
    start = cast("re.Match[str]", _PROLOG.match(text)).end()
    if text.startswith("<!DOCTYPE", start):
        raise _doctype(f"byte {start}")
    if _DECLARATION.match(data):
        raise _ill_formed("the XML declaration is malformed or stands there twice", "byte 0")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_blank_text=False,
    )
    try:
        root = namespaces.parse(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise _ill_formed(str(error.msg), f"line {line} column {column}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _doctype("/")
    _check_shape(root, limits)
    return root


def _doctype(where: str) -> EnvelopeError:
    # SOAP 1.1 3: a SOAP message MUST NOT contain a Document Type Declaration.
    found = finding("xml/no-dtd", where, action="refused")
    return EnvelopeError("the envelope has a DOCTYPE; remove it (SOAP 1.1 3)", [found])


def _too_much(what: str, reason: str) -> LimitError:
    return LimitError(f"{reason}; send less", [finding("xml/limit", detail=what, action="refused")])


def _ill_formed(reason: str, where: str) -> EnvelopeError:
    found = finding("xml/well-formed", where, detail=reason, action="refused")
    return EnvelopeError(f"the envelope is not well-formed: {reason}", [found], status=2007)


def _check_shape(root: etree._Element, limits: XmlLimits) -> None:
    depth = count = recipients = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if event == "end" or not isinstance(element.tag, str):
            continue
        unbound = next(
            (name for name in (element.tag, *element.attrib) if ":" in name and not name.startswith("{")), None
        )
        if unbound is not None:
            # libxml2 lets an unbound prefix pass where a relative namespace name was met later
            raise _ill_formed(f"the prefix of {unbound} is not bound to a namespace", "/")
        count += 1
        recipients += element.tag.endswith(_ADDRESS_TAGS)
        over = {
            "depth": depth > limits.depth,
            "elements": count > limits.elements,
            "attributes": len(element.attrib) > limits.attributes,
            "recipients": recipients > limits.recipients + 2,  # the sender's own address is one, too
        }
        if any(over.values()):
            what = next(name for name, exceeded in over.items() if exceeded)
            most = getattr(limits, what)
            raise LimitError(
                f"the envelope has more than {most} {what}; send less",
                [finding("xml/limit", detail=what, action="refused")],
            )


def serialize(envelope: etree._Element) -> bytes:
    """The envelope as UTF-8 with an XML declaration."""
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
