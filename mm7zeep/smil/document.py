"""The hardened parser: octets from outside to the tree of a SMIL document.

Nothing is ever fetched, and no entity is ever expanded: a DOCTYPE without an internal subset is dropped unread, one
with an internal subset is refused. Refuses, with ``MimeError``, what is not well-formed, not SMIL, or beyond the limits
below.
"""

from __future__ import annotations

import re

from lxml import etree

from mm7zeep import charsets, namespaces
from mm7zeep.errors import MimeError
from mm7zeep.findings import finding

MAX_BYTES = 256 * 1024
MAX_DEPTH = 64
MAX_ELEMENTS = 5_000

_WIDE = ("utf-16", "utf-32")
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*?\?>")
_DECLARED = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_PROLOGUE = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_DOCTYPE = re.compile(r"""<!DOCTYPE(?:[^\[>"']++|"[^"]*+"|'[^']*+')*+>""", re.IGNORECASE)


def _refused(reason: str) -> MimeError:
    return MimeError(
        f"the SMIL presentation {reason}", [finding("sem/smil-well-formed", detail=reason, action="refused")]
    )


def tree(data: bytes, charset: str | None = None) -> etree._Element:
    """The root of a presentation; ``charset`` is its MIME label.

    Raises ``MimeError``, with the finding ``sem/smil-well-formed``.
    """
    if len(data) > MAX_BYTES:
        raise _refused(f"has {len(data)} octets, more than {MAX_BYTES}")
    text = _without_doctype(_decoded(data, charset))
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False,
        remove_comments=True, remove_pis=True, encoding="utf-8",
    )  # fmt: skip
    try:
        root = namespaces.parse(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _refused(f"is not well-formed: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _refused("declares a document type")
    _within_limits(root)
    if etree.QName(root).localname != "smil":
        raise _refused(f"has the root element {etree.QName(root).localname}, not smil")
    return root


def characters(data: bytes, charset: str | None = None) -> charsets.Decoded:
    """The text of a presentation: by byte order mark, MIME label, XML declaration (RFC 7303 3), else as UTF-8."""
    labels = [charset, _declared(data)]
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:2]
    narrow = start[:1] == b"<" and start != b"<\0"  # read octet by octet: no label of UTF-16 or UTF-32 can be true
    false = next((one for one in labels if narrow and one and (charsets.codec(one) or "").startswith(_WIDE)), None)
    read = charsets.decoded(data, *(one for one in labels if one != false))
    if false is None or read.flaw:
        return read
    return charsets.Decoded(read.text, read.codec, "contradicted", f"{false}, but the octets are {read.codec}")


def _declared(data: bytes) -> str | None:
    found = _DECLARED.match(data.removeprefix(b"\xef\xbb\xbf")[:200])
    return found[1].decode("ascii").lower() if found else None


def _decoded(data: bytes, charset: str | None) -> str:
    """The text that is scanned for a DOCTYPE and then parsed."""
    declared = _declared(data)
    known = charsets.codec(declared) if declared else "utf-8"
    if known is None or known.startswith("iso2022"):
        raise _refused(f"declares the encoding {declared}, which is not accepted; send UTF-8")
    read = characters(data, charset)
    if read.flaw == "undecodable":
        raise _refused(f"is not {declared or charset or 'utf-8'}: {read.detail}")
    return read.text


def _without_doctype(text: str) -> str:
    """The document without XML declaration and DOCTYPE. Only the prologue can hold one; no more of it is looked at."""
    declaration = _DECLARATION.match(text)
    text = text[declaration.end() :] if declaration else text.lstrip()
    start = _doctype_at(text)
    if start is None:
        return text
    doctype = _DOCTYPE.match(text, start)
    if doctype is None:
        raise _refused("has a DOCTYPE with an internal subset (entities), or one without end")
    text = text[:start] + text[doctype.end() :]
    if _doctype_at(text) is not None:
        raise _refused("has two DOCTYPEs")
    return text


def _doctype_at(text: str) -> int | None:
    prologue = _PROLOGUE.match(text)
    start = prologue.end() if prologue else 0
    return start if text[start : start + 9].upper() == "<!DOCTYPE" else None


def _within_limits(root: etree._Element) -> None:
    depth = elements = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        # libxml2 lets an unbound prefix pass where a relative namespace name was met, too
        if any(":" in str(name) and not str(name).startswith("{") for name in (element.tag, *element.attrib)):
            raise _refused("is not well-formed: a namespace prefix is not bound")
        depth += 1 if event == "start" else -1
        elements += event == "start"
        if depth > MAX_DEPTH:
            raise _refused(f"nests elements more than {MAX_DEPTH} deep")
        if elements > MAX_ELEMENTS:
            raise _refused(f"has more than {MAX_ELEMENTS} elements")
