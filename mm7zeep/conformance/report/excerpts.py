"""The line of a captured message that a finding speaks of, as people want to see it: short, and without credentials.

Understands every form of ``Finding.where``: a path in the envelope, an octet, a line, a header field, the start line.
Gives None where there is nothing to show; raises nothing.
"""

from __future__ import annotations

import re

from lxml import etree

from mm7zeep import masking, namespaces
from mm7zeep.conformance.verdict import Verdict
from mm7zeep.findings import Finding
from mm7zeep.mime import fields

WIDTH = 120
"""Characters of a line that are shown."""

_AROUND = 4000  # characters on either side that are looked at
_STEP = re.compile(r"(?P<name>[^\[/]+)(?:\[(?P<number>[0-9]+)\])?")
_BYTE = re.compile(r"byte ([0-9]+)\Z")
_LINE = re.compile(r"line ([0-9]+) column ([0-9]+)\Z")
# Which field of a part header a kind of finding speaks of, by what its id holds; the first that fits.
_FIELDS = (
    ("content-id", "content-id:"),
    ("cte", "content-transfer-encoding:"),
    ("base64", "content-transfer-encoding:"),
    ("quoted-printable", "content-transfer-encoding:"),
    ("vendor-type", "content-type:"),
    ("media-type", "content-type:"),
    ("charset", "content-type:"),
)
_START_LINES = ("request line", "status line")


def excerpt(verdict: Verdict, found: Finding) -> str | None:
    """What ``found`` speaks of in the message of ``verdict``, or None."""
    captured = verdict.captured
    if found.where.startswith("/"):
        # Namespace declarations are long, and shown only where they are what is wrong.
        return _element(verdict, found.where, declarations=found.id.startswith("ns/") or "namespace" in found.id)
    if found.where in _START_LINES:
        return shortened(captured.start_line) or None
    if line := _LINE.match(found.where):
        return _of_envelope(verdict, int(line[1]), int(line[2]))
    if octet := _BYTE.match(found.where):
        # An octet of the envelope where the envelope's text is judged, of the body everywhere else.
        package = verdict.judgement.package
        inside = found.id.startswith("xml/") and package is not None
        data = package.root if package is not None and inside else captured.wire.read()
        return _at(data, int(octet[1]), found)
    value = captured.wire.header(found.where) if found.where else None
    return shortened(masking.header_line(f"{found.where}: {value}")) if value is not None else None


def shortened(text: str, at: int = 0) -> str:
    """One line of ``text`` around the character ``at``, without credentials, control characters made visible."""
    before, after = text[max(0, at - _AROUND) : at], text[at : at + _AROUND]
    whole = masking.credentials(before + after)  # before it is cut: half of one is one, too
    if whole != before + after or len(text) > len(whole):
        text, at = whole, min(len(masking.credentials(before)), len(whole))
    start = max(0, min(at - WIDTH // 2, len(text) - WIDTH))
    cut = text[start : start + WIDTH]
    shown = "".join(one if one.isprintable() or one == "\t" else visible(one) for one in cut)
    shown = shown.expandtabs(4) if start else shown.strip().expandtabs(4)
    return ("..." if start else "") + shown + ("..." if start + WIDTH < len(text) else "")


def visible(character: str) -> str:
    """A character that cannot be printed, or could steer a terminal, as an escape."""
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"


def _at(data: bytes, offset: int, found: Finding) -> str | None:
    """The line at an octet; within a part header, that of the field in question, or the one that holds what was met."""
    if offset >= len(data):
        return None
    lines = [fields.decode_line(one.rstrip(b"\r")) for one in data[offset : offset + 4000].split(b"\n")[:20]]
    header = lines[: lines.index("")] if "" in lines else lines
    name = next((field for hint, field in _FIELDS if hint in found.id), None)
    words = found.detail.split(";")[0].strip()
    of_field = (one for one in header if name is not None and one.lower().startswith(name))
    with_words = (one for one in header if words and words in one)
    shown = next(of_field, None) or next(with_words, None) or lines[0]
    return shortened(masking.header_line(shown)) or None


def _of_envelope(verdict: Verdict, line: int, column: int) -> str | None:
    """A line of the envelope as the parser counts them: from behind the XML declaration and what stands before it."""
    package = verdict.judgement.package
    if package is None:
        return None
    text = fields.decode_line(package.root)
    declaration = re.match(r"\s*<\?xml[^>]*\?>", text)
    lines = text[declaration.end() if declaration else 0 :].split("\n")
    if not 0 < line <= len(lines):
        return None
    return shortened(lines[line - 1], column) or None


def _element(verdict: Verdict, where: str, *, declarations: bool) -> str | None:
    """The element of a path of local names (``/Envelope/Body/x[2]/@href``): its start tag and its text."""
    node = verdict.judgement.tree
    if node is None:
        return None
    steps = [one for one in where.split("/")[1:] if not one.startswith("@")]
    for step in steps[1:]:
        found = _STEP.fullmatch(step)
        if found is None:
            return None
        alike = [one for one in node if isinstance(one.tag, str) and etree.QName(one).localname == found["name"]]
        place = int(found["number"] or 1) - 1
        if place >= len(alike):
            return None
        node = alike[place]
    return shortened(_tag(node, _declared(node) if declarations else ""))


def _declared(node: etree._Element) -> str:
    parent = node.getparent()
    inherited = parent.nsmap if parent is not None else {}
    own = ((prefix, uri) for prefix, uri in node.nsmap.items() if inherited.get(prefix) != uri)
    return "".join(f' xmlns{":" + prefix if prefix else ""}="{namespaces.as_sent(uri)}"' for prefix, uri in own)


def _tag(node: etree._Element, declared: str) -> str:
    name = etree.QName(node).localname
    shown = f"{node.prefix}:{name}" if node.prefix else name
    attributes = "".join(f' {_attribute(node, key)}="{value}"' for key, value in node.attrib.items())
    text = node.text or ""
    if len(node) and not text.strip():
        return f"<{shown}{declared}{attributes}>"
    return f"<{shown}{declared}{attributes}>{text}" + ("" if len(node) else f"</{shown}>")


def _attribute(node: etree._Element, key: object) -> str:
    name = etree.QName(str(key))
    prefix = next((one for one, uri in node.nsmap.items() if one and uri == name.namespace), None)
    return f"{prefix}:{name.localname}" if prefix and name.namespace else name.localname
