"""The hardened parser: octets from outside to the tree of a SMIL document.

Nothing is ever fetched, and no entity is ever expanded: a DOCTYPE without an internal subset is dropped unread, one
with an internal subset is refused. Refuses, with ``MimeError``, what is not well-formed, not SMIL, or beyond the limits
below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from lxml import etree

from mm7zeep import namespaces
from mm7zeep.errors import MimeError
from mm7zeep.findings import finding

MAX_BYTES = 256 * 1024
MAX_DEPTH = 64
MAX_ELEMENTS = 5_000

# Encodings whose text is decoded here, so that what is scanned for a DOCTYPE is what is parsed.
_ENCODINGS = frozenset(
    {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "latin1", "windows-1252", "euc-kr",
     "ks_c_5601-1987", "ksc5601", "cp949", "gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc-jp"}
)  # fmt: skip
_PYTHON_NAMES: Mapping[str, str] = MappingProxyType({"ksc5601": "cp949", "ks_c_5601-1987": "cp949", "euc-kr": "cp949"})
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*?\?>")
_DECLARED = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_PROLOGUE = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_DOCTYPE = re.compile(r"""<!DOCTYPE(?:[^\[>"']++|"[^"]*+"|'[^']*+')*+>""", re.IGNORECASE)


def _refused(reason: str) -> MimeError:
    return MimeError(
        f"the SMIL presentation {reason}", [finding("sem/smil-well-formed", detail=reason, action="refused")]
    )


def tree(data: bytes) -> etree._Element:
    """The root of a presentation. Raises ``MimeError``, with the finding ``sem/smil-well-formed``."""
    if len(data) > MAX_BYTES:
        raise _refused(f"has {len(data)} octets, more than {MAX_BYTES}")
    text = _without_doctype(_decoded(data))
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


def _decoded(data: bytes) -> str:
    """The text, by its byte order mark, else by its XML declaration (XML 1.0 F.1), else as UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:
        declared = _DECLARED.match(data.removeprefix(b"\xef\xbb\xbf")[:200])
        encoding = declared[1].decode("ascii").lower() if declared else "utf-8"
        if encoding.startswith("utf-16"):
            encoding = "utf-8"  # the declaration could be read octet by octet, so that it is not true
        elif encoding not in _ENCODINGS:
            raise _refused(f"declares the encoding {encoding}, which is not accepted; send UTF-8")
    try:
        return data.decode(_PYTHON_NAMES.get(encoding, encoding)).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _refused(f"is not {encoding}: {error.reason} at octet {error.start}") from error


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
