"""XML whose namespace names libxml2 takes for no URIs: parsed all the same, each such name written as the URI it means.

Namespaces in XML 1.0 2.2 makes a name out of any text; expat and Xerces take ``urn:my app``, libxml2 gives up the whole
document. ``parse`` finds the declarations with expat and hands libxml2 the same document with those names %-encoded
(RFC 3987 3.1). libxml2 stays the only judge of everything else: nothing about well-formedness is relaxed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from urllib.parse import quote, unquote
from xml.parsers import expat

from lxml import etree

from mm7zeep.profiles import NAMESPACES, SOAP_NAMESPACE, Profile

DETAILS_TEXT = "{urn:mm7zeep:details}text"
"""The element that text is wrapped in where the schema wants elements (Details)."""

_OPAQUE = "urn:mm7zeep:name:"  # before a name that no encoding of single characters makes a URI
_URI = "!#$%&'()*+,/:;=?@[]"  # RFC 3986 2.2: what a URI has besides letters, digits and -._~
_LONGEST = 600  # characters of a name that may be an alias
_MOST = 1000  # distinct names: no message has so many, and each is asked for
_FOREIGN = re.compile(r"[^A-Za-z0-9\-._~!#$%&'()*+,/:;=?@\[\]]")
_NAME = re.compile(rb"<[^\s/>]+")
_ATTRIBUTE = re.compile(rb"\s+([^\s=/>]+)\s*=\s*(\"[^\"]*\"|'[^']*')")


def parse(data: bytes, parser: etree.XMLParser) -> etree._Element:
    """The root of ``data``, which is UTF-8. Raises what ``lxml.etree.fromstring`` raises.

    Names that are no URIs stand in the tree as URIs; ``as_sent`` gives them back. Line numbers are those of ``data``.
    """
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        faults = [one for one in parser.error_log if one.level > etree.ErrorLevels.WARNING]
        if not any(one.type == etree.ErrorTypes.WAR_NS_URI for one in faults):
            raise
        rewritten = _with_uris(data)
        if rewritten == data:
            raise _real(error, faults) from error
    return etree.fromstring(rewritten, parser)


def fragment(element: etree._Element) -> str:
    """The XML of ``element`` by itself: canonical, with the namespaces that it uses, but for one that libxml2 makes
    nothing canonical of (a namespace name that is a relative URI), which is written as it is.
    """
    try:
        return etree.tostring(element, method="c14n", exclusive=True).decode()
    except etree.C14NError:
        return etree.tostring(element, encoding="unicode", with_tail=False)


def as_sent(name: str) -> str:
    """The namespace name that the sender wrote, for one out of a parsed tree."""
    if name.startswith(_OPAQUE):
        return unquote(name.removeprefix(_OPAQUE))
    plain = unquote(name) if "%" in name else name
    return plain if _FOREIGN.search(plain) else name


def tidy(name: str) -> str:
    """The name without any blank or line break, wherever in it they are: what a copied or wrapped name means."""
    return "".join(as_sent(name).split())


def _real(error: etree.XMLSyntaxError, faults: Sequence[etree._LogEntry]) -> etree.XMLSyntaxError:
    """The first fault that is not a namespace name, which no rewriting reaches; ``error`` where there is none."""
    found = next((one for one in faults if one.type != etree.ErrorTypes.WAR_NS_URI), None)
    if found is None:
        return error
    where = f"{found.message}, line {found.line}, column {found.column}"
    return etree.XMLSyntaxError(where, found.type, found.line, found.column)


def bundled(name: str | None) -> str | None:
    """The bundled MM7 namespace that ``name`` is, or is an alias of (``plain``)."""
    if name in NAMESPACES:
        return name
    return _aliases().get(plain(name)) if name else None


def profile_of(name: str | None) -> Profile | None:
    """The profile of the MM7 namespace that ``name`` is, or is an alias of."""
    return NAMESPACES.get(bundled(name) or "")


def is_soap(name: str | None) -> bool:
    """Whether ``name`` is the namespace of SOAP 1.1, or an alias of it."""
    return name == SOAP_NAMESPACE or plain(name or "") == plain(SOAP_NAMESPACE)


def soap_as_sent(name: str | None) -> str:
    """SOAP 1.1's namespace as its sender writes it: ``name`` where it is an alias, else the namespace itself."""
    meant = tidy(name or "")  # what no reader of URIs takes is not written back
    return meant if is_soap(meant) else SOAP_NAMESPACE


def plain(name: str) -> str:
    """A namespace name without what the aliases met in the field differ in: blanks, scheme, case, ``www.``, the end of
    the path.
    """
    if len(name) > _LONGEST:
        return name
    meant = tidy(name)
    scheme, _, rest = meant.lower().partition("://")
    return rest.removeprefix("www.").rstrip("/#?") if scheme in ("http", "https") else meant


@cache
def _aliases() -> Mapping[str, str]:
    return {plain(one): one for one in NAMESPACES}


# --- the declarations -------------------------------------------------------------------------------------------------


class _Stopped(Exception):
    """A DOCTYPE: entities are nobody's business here, and the caller's parser says what is wrong with it."""


def _declarations(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Start, end and value of each namespace declaration, in order, as far as ``data`` is well-formed.

    Start and end are those of the quoted value in ``data``.
    """
    tags: list[tuple[int, list[str]]] = []
    reader = expat.ParserCreate("utf-8")
    reader.ordered_attributes = True

    def start(name: str, attributes: list[str]) -> None:
        if any(one.startswith("xmlns") for one in attributes[::2]):
            tags.append((reader.CurrentByteIndex, attributes))

    def doctype(*_: object) -> None:
        raise _Stopped

    reader.StartElementHandler = start
    reader.StartDoctypeDeclHandler = doctype
    # What comes behind a fault libxml2 does not reach either, and it is libxml2 that names the fault.
    with contextlib.suppress(expat.ExpatError, _Stopped):
        reader.Parse(data, True)
    for at, attributes in tags:
        yield from _within(data, at, attributes)


def _within(data: bytes, at: int, attributes: list[str]) -> Iterator[tuple[int, int, str]]:
    """The namespace declarations of the start tag at ``at``, whose attributes, in order, expat has read."""
    tag = _NAME.match(data, at)
    if tag is None:
        return
    at = tag.end()
    for name, value in zip(attributes[::2], attributes[1::2], strict=True):
        found = _ATTRIBUTE.match(data, at)
        if found is None or found[1] != name.encode():
            return
        at = found.end()
        if name == "xmlns" or name.startswith("xmlns:"):
            yield found.start(2), found.end(2), value


def _with_uris(data: bytes) -> bytes:
    declared = list(_declarations(data))
    taken = {name for _, _, name in declared}
    if len(taken) > _MOST:
        return data
    uris: dict[str, str] = {}
    pieces: list[bytes] = []
    done = 0
    for start, end, name in declared:
        if name not in uris:
            uris[name] = _uri_of(name, taken)
            taken.add(uris[name])
        if uris[name] != name:
            # the line breaks stay, as blanks between attributes: lines are counted as before
            pieces += [data[done:start], b'"%s"' % quote(uris[name], safe=_URI).replace("&", "&amp;").encode()]
            pieces.append(b"\n" * data.count(b"\n", start, end))
            done = end
    return b"".join((*pieces, data[done:]))


def _uri_of(name: str, taken: set[str]) -> str:
    """``name``, or a URI for it that is not ``taken`` by another name."""
    if _is_uri(name):
        return name
    encoded = quote(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", name), safe=_URI)
    usable = encoded not in taken and not encoded.startswith(_OPAQUE) and _is_uri(encoded)
    return encoded if usable else _OPAQUE + quote(name, safe="")


def _is_uri(name: str) -> bool:
    """Whether libxml2 takes ``name`` for a URI; lxml asks the same function of it."""
    try:
        etree.Element("a", nsmap={"p": name} if name else None)
    except ValueError:
        return False
    return True
