"""The SOAP part of a package as a tree: bytes to text, text to tree.

Refuses what is no well-formed XML within the limits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import mime, tolerance
from mm7zeep.errors import EnvelopeError, RemoteError
from mm7zeep.findings import Finding, finding


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
    cause = error.__cause__
    if isinstance(cause, etree.XMLSyntaxError) and not root.rstrip().endswith(b">"):
        yield finding("http/truncated", f"byte {len(root)}", action="refused")
