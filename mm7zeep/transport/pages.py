"""What an answer that is no MM7 says: its kind, and the first lines of its text, fit for an error message.

Markup, scripts and styles are taken off, entities decoded, white space folded, credentials hidden, characters that
could steer a terminal escaped. Reads at most ``READ`` octets, fetches nothing. Without text there are no lines.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from mm7zeep import charsets, masking

READ = 64 * 1024
"""Octets of an answer that are looked at."""

LINES, CHARACTERS, WIDTH = 10, 800, 160
"""What is shown of a text at most: lines, characters in all, characters of one line."""

_SILENT = frozenset({"script", "style", "template", "svg", "math", "object", "iframe"})
_KEPT = frozenset({"pre", "textarea", "xmp", "listing", "plaintext"})  # whose line breaks mean something
_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img",
    "ins", "kbd", "label", "mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time",
    "tt", "u", "var", "wbr",
})  # fmt: skip
_META = re.compile(rb"(?i)<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-z0-9_.:-]{1,40})")
_DECLARED = re.compile(rb"\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{1,40})")
_ENVELOPE = re.compile(r"<(?:[\w.-]{1,40}:)?Envelope[\s>/]")
_FIRST = re.compile(r"<(?:[A-Za-z_][\w.-]{0,40}:)?(?P<name>[A-Za-z_][\w.-]{0,40})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer that is no MM7: ``kind`` in words (``an HTML page``), ``text`` decoded, ``lines`` as they are shown."""

    kind: str
    text: str = ""
    lines: tuple[str, ...] = ()


def read(body: bytes, content_type: str | None, encoding: str = "identity") -> Page:
    """The page in ``body``, whose Content-Type and Content-Encoding are given."""
    data = body[:READ]
    if encoding in ("gzip", "x-gzip"):
        data = _unzipped(data)
    elif encoding != "identity":
        return Page(kind=f"{len(body)} octets that are {escaped(encoding[:20])}-encoded")
    if not data.strip():
        return Page(kind="no body" if not body.strip() else f"{len(body)} octets that cannot be decoded")
    media_type, label = _label(content_type)
    text = _characters(data, label)
    if text is None:
        kind = media_type if media_type and not media_type.startswith("text/") else "no text"
        return Page(kind=f"{len(body)} octets of {escaped(kind[:60])}")
    start = text.lstrip()[:1]
    lines = _shown(_markup(text) if start == "<" else text.splitlines())
    if not lines and start == "<":
        lines = _shown(text.splitlines())  # markup alone: attributes may say something
    return Page(kind=_kind(text, media_type), text=text, lines=lines)


def is_envelope(body: bytes) -> bool:
    """Whether octets that are no well-formed document were meant to be a SOAP envelope."""
    head = body[:READ]
    text = (_characters(head, None) or head.decode("latin-1")).replace("\0", "").lstrip("\ufeff \t\r\n")
    if not text.startswith("<"):  # a multipart
        return _ENVELOPE.search(text) is not None
    first = _FIRST.search(text)  # a page may quote an envelope
    return first is not None and first["name"] == "Envelope"


def escaped(text: str) -> str:
    """``text`` with what cannot be printed, or could steer a terminal, as escapes."""
    return "".join(one if one.isprintable() else _escape(ord(one)) for one in text)


def _escape(number: int) -> str:
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"


def _kind(text: str, media_type: str) -> str:
    start = text.lstrip()[:1000].lower()
    if start.startswith("<"):
        html = re.search(r"<!doctype\s+html|<html[\s>]|<(?:head|body|title|h1|center|p)[\s>]", start)
        return "an HTML page" if html or media_type == "text/html" else "XML that is no SOAP envelope"
    if media_type.endswith(("/json", "+json")) or start.startswith(("{", "[")):
        return "JSON"
    return "text"


def _label(content_type: str | None) -> tuple[str, str | None]:
    """The media type in small letters and the charset, however the field is written."""
    media_type, _, rest = (content_type or "").partition(";")
    found = re.search(r"(?i)charset\s*=\s*[\"']?([^\s;\"']{1,40})", rest)
    return media_type.strip().lower(), found[1] if found else None


def _unzipped(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(data, READ)
    except zlib.error:
        return b""


def _characters(data: bytes, label: str | None) -> str | None:
    """The text of ``data``; None where it is none."""
    inside = _DECLARED.search(data) or _META.search(data[:4096])
    labels = (label, inside[1].decode("ascii") if inside is not None else None)
    # what is neither as labelled nor UTF-8 is what most servers of old write
    return _text(charsets.decoded(_uncut(data), *labels, last=("cp1252",)).text)


def _uncut(data: bytes) -> bytes:
    """``data`` without the beginning of a character of UTF-8 that its end was cut from, by us or by the far side."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start > len(data) - 4 and error.reason == "unexpected end of data":
            return data[: error.start]
    return data


def _text(text: str) -> str | None:
    """``text`` unless it looks like octets of a picture, or the like."""
    head = text[:1000]
    odd = sum(one == "\ufffd" or (one < " " and one not in "\t\n\r\f\x1b") or "\x7f" <= one < "\xa0" for one in head)
    return text if odd * 10 <= len(head) else None


# --- markup -----------------------------------------------------------------------------------------------------------


def _markup(text: str) -> list[str]:
    """The lines of text in HTML or XML, well-formed or not."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(_undeclared(text).encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    if root is None:
        return []
    return "".join(_texts(root)).split("\n")


def _undeclared(text: str) -> str:
    return re.sub(r"\A\s*<\?xml[^>]{0,500}\?>", "", text).replace("\0", "")


def _texts(root: etree._Element) -> Iterator[str]:
    """The texts in a tree, a line break around every element that is not inline."""
    silent = kept = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        name = element.tag if isinstance(element.tag, str) else None
        hidden = name is None or name in _SILENT
        if event == "start":
            silent += hidden
            kept += name in _KEPT
            if name is not None and name not in _INLINE:
                yield " " if name in ("td", "th") else "\n"
            if not silent:
                yield (element.text or "") if kept else " ".join((element.text or "").split("\n"))
            continue
        silent -= hidden
        kept -= name in _KEPT
        if name is not None and name not in _INLINE:
            yield " " if name in ("td", "th") else "\n"
        if not silent:
            yield (element.tail or "") if kept else " ".join((element.tail or "").split("\n"))


def _shown(lines: list[str]) -> tuple[str, ...]:
    """The first lines with something in them: folded, hidden, escaped, shortened; none twice in a row."""
    found: list[str] = []
    left = CHARACTERS
    for line in lines:
        folded = " ".join(line[: 20 * WIDTH].split())
        shown = escaped(masking.credentials(folded))
        if not shown or (found and found[-1] == shown):
            continue
        most = min(WIDTH, left)
        found.append(shown if len(shown) <= most else f"{shown[: max(most - 3, 0)]}...")
        left -= len(found[-1])
        if len(found) == LINES or left <= 3:
            break
    return tuple(found)
