"""TwiML that a webhook answers: the messages it asks for, as the parameters that the same requests would have.

Octets in, values out. Reads ``Message`` alone, with ``Body`` and ``Media``; says what it leaves out. Refuses, with
``ValueError``, what is no TwiML: no XML, a DOCTYPE, too much of it, another root than ``Response``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urljoin

from lxml import etree

from mm7zeep import charsets
from mm7zeep.envelope import XmlLimits, parse
from mm7zeep.errors import EnvelopeError, LimitError
from mm7zeep.gateway.api.twilio.parameters import Parameters

MOST = 10
"""Messages of one answer that are sent."""
_LIMITS = XmlLimits(depth=8, elements=16 * 1024, attributes=16)  # the octets are limited before
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*?\?>")
_ENCODING = re.compile(rb"""\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {"to": "To", "from": "From", "statusCallback": "StatusCallback", "action": "StatusCallback"}
)
_WITHOUT_EFFECT = frozenset({"method"})  # as StatusCallbackMethod: calls are POST
_CHILDREN: Mapping[str, str] = MappingProxyType({"Body": "Body", "Media": "MediaUrl"})
_URLS = frozenset({"MediaUrl", "StatusCallback"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Twiml:
    """The ``messages`` of an answer, and the names of what was ``left_out``, each once and in its order."""

    messages: tuple[Parameters, ...]
    left_out: tuple[str, ...]


def read(octets: bytes, charset: str | None, url: str) -> Twiml:
    """What an answer of ``url`` asks for; ``charset`` is what its Content-Type says. Raises ``ValueError``."""
    root = _root(octets, charset)
    if root.tag != "Response":
        raise ValueError(f"its root element is {root.tag!s}, not Response")
    left_out: list[str] = []
    messages: list[Parameters] = []
    if _text(root):
        left_out.append("text in Response")
    for verb in _elements(root):
        if verb.tag != "Message":
            left_out.append(str(verb.tag))
        elif len(messages) == MOST:
            left_out.append(f"Message after the first {MOST}")
        else:
            messages.append(_message(verb, url, left_out))
    return Twiml(messages=tuple(messages), left_out=tuple(dict.fromkeys(left_out)))


def _root(octets: bytes, charset: str | None) -> etree._Element:
    declared = _ENCODING.match(octets)
    known = charsets.decoded(octets, charset, declared[1].decode() if declared is not None else None)
    if known.flaw == "undecodable":
        raise ValueError(f"it is in no charset that it names: {known.detail}")
    text = _DECLARATION.sub("", known.text, count=1) if _DECLARATION.match(known.text) else known.text
    try:
        return parse(text.strip().encode(), _LIMITS)
    except (EnvelopeError, LimitError) as error:
        found = error.findings[0]
        why = {"xml/no-dtd": "it has a DOCTYPE", "xml/limit": f"it is too large: {found.detail}"}
        raise ValueError(why.get(found.id, f"it is no XML: {found.detail}")) from error


def _message(verb: etree._Element, url: str, left_out: list[str]) -> Parameters:
    found: dict[str, list[str]] = {}
    for name, value in verb.attrib.items():
        parameter = _ATTRIBUTES.get(str(name))
        if parameter is None or (name == "action" and "statusCallback" in verb.attrib):
            left_out += [] if name in _WITHOUT_EFFECT else [f"{name!s} of Message"]
        else:
            found[parameter] = [str(value)]
    if text := _text(verb):
        found["Body"] = [text]
    for child in _elements(verb):
        parameter = _CHILDREN.get(str(child.tag))
        if parameter is None:
            left_out.append(f"{child.tag!s} in Message")
            continue
        found.setdefault(parameter, []).append(_text(child))
        left_out += [f"{name!s} of {child.tag!s}" for name in child.attrib]
        left_out += [f"{one.tag!s} in {child.tag!s}" for one in _elements(child)]
    for parameter in _URLS & found.keys():
        found[parameter] = [_absolute(url, one) for one in found[parameter]]
    return found


def _elements(parent: etree._Element) -> Iterator[etree._Element]:
    return (one for one in parent if isinstance(one.tag, str))


def _text(element: etree._Element) -> str:
    """The text directly in an element, without blanks around it."""
    return "".join((element.text or "", *(one.tail or "" for one in element))).strip()


def _absolute(url: str, reference: str) -> str:
    """A reference in an answer of ``url``, which may be relative to that."""
    try:
        return urljoin(url, reference) if reference else reference
    except ValueError:  # no URL at all, as the API will say of it
        return reference
