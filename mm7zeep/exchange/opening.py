"""The SOAP part of a package as a tree: bytes to text, text to tree.

Refuses what is no well-formed XML within the limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import mime, tolerance
from mm7zeep.errors import EnvelopeError, RemoteError
from mm7zeep.findings import Finding, finding

_CLOSED = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL)
_OPEN = re.compile(rb"<[\w:/!?]")
_TAG = re.compile(rb"<(/?)([^\s<>/!?=\"']+)[^<>]*?(/?)>")


def open_root(
    package: mime.Package, *, limits: mime.Limits | None = None
) -> tuple[etree._Element, tuple[Finding, ...]]:
    """The SOAP part of ``package`` as a tree. Raises ``EnvelopeError`` or ``LimitError`` where it is none."""
    if not package.root.strip():
        raise EnvelopeError(
            "the body is empty; send the SOAP envelope", [finding("http/empty-body", action="refused")], status=2007
        )
    readable = tolerance.readable(package.root, package.root_content_type.get("charset"))
    try:
        # UTF-8 may be up to three times as long as what was sent
        tree = soap.parse(readable.data, soap.XmlLimits(size=(limits or mime.Limits()).root * 3))
        return tree, tuple(_untold(readable.findings, package))
    except RemoteError as error:
        error.findings = (*readable.findings, *error.findings)
        error.transaction_id, error.namespace = soap.glimpse(readable.data)  # TS 23.140 8.7.6: a Fault names it
        raise


def _untold(findings: Iterable[Finding], package: mime.Package) -> Iterator[Finding]:
    """Without what the MIME reader has said of the charset label already."""
    told = any(one.id == "mime/root-charset-alias" for one in package.findings)
    return (one for one in findings if not (told and one.id == "mime/charset-alias" and one.where == "Content-Type"))


def raw_marks(root: bytes, error: RemoteError) -> Iterator[Finding]:
    """What raw text that does not parse still shows: a draft dialect, an end that is missing."""
    if tolerance.names_pre_standard(root):
        yield finding("ns/pre-standard", action="refused")
    if any(one.id == "xml/well-formed" for one in error.findings) and _is_cut(root):
        yield finding("http/truncated", f"byte {len(root)}", action="refused")


def _is_cut(root: bytes) -> bool:
    """Whether XML that does not parse ends too early: inside markup, or before the end tag of its root element.

    Nothing else is asked of it: where as many elements end as begin, or the root does, it is complete.
    """
    plain = root.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")  # without NUL, UTF-16 looks the same
    text = _CLOSED.sub(b" ", plain)
    if not plain.startswith(b"<"):
        return False
    if _OPEN.search(text, text.rfind(b">") + 1) or b"<!--" in text or b"<![CDATA[" in text:
        return True
    name, depth = b"", 0
    for tag in _TAG.finditer(text):
        name = name or tag[2]
        depth += -1 if tag[1] else 0 if tag[3] else 1
        if depth <= 0 or (tag[1] and tag[2] == name):
            return False
    return True
