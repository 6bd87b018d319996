"""The bytes of an envelope as UTF-8, whatever their labels say: BOM, then labels that can be true, then what decodes.

Refuses encodings that could hide markup (UTF-7) and bytes that no candidate decodes.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from mm7zeep import charsets
from mm7zeep.errors import EnvelopeError
from mm7zeep.findings import Finding, Level, finding

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARATION = re.compile(
    rb"""<\?xml\s+version\s*=\s*["']1\.\d+["'](?:\s+encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["'])?"""
    rb"""(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*\?>"""
)
_BLANKS = b" \t\r\n"
# Unlabelled Chinese and Korean text stands in pairs of high octets; reading other octets so would be a guess. Most of
# its characters are in the rows for marks, Kana and the like, or in those for the frequent Chinese and Korean ones:
# two accented letters beside each other, as in Größe, are not.
_PAIRED = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xfe]{2})*+")
_PAIR = re.compile(rb"[\xa1-\xfe]{2}")
_FREQUENT = re.compile(rb"[\xa1-\xa9\xb0-\xd7]")


@dataclass(frozen=True, slots=True)
class Readable:
    """``data`` is UTF-8 without BOM and XML declaration; ``encoding`` is the codec that the bytes were in."""

    data: bytes
    encoding: str
    findings: tuple[Finding, ...]


def codec_of(label: str) -> str | None:
    """The Python codec to read an envelope labelled ``label``, or None for a label that is not served.

    GB2312 and GBK are read as GB18030, which holds both. Encodings that switch by escape sequences could hide markup.
    """
    codec = charsets.codec(label.strip("\"' "))
    if codec is None or codec.startswith(("iso2022", "utf-32")):
        return None
    return "gb18030" if codec in ("gb2312", "gbk") else codec


def readable(raw: bytes, charset: str | None) -> Readable:
    """``raw`` as UTF-8; ``charset`` is the MIME label, if any.

    Raises ``EnvelopeError`` (2007) for UTF-7 and for bytes that nothing decodes.
    """
    findings: list[Finding] = []
    codec, raw = _bom(raw)
    codec = codec or _wide_without_bom(raw)
    wide = codec is not None and codec.startswith("utf-16")
    # XML 1.0 4.3.3: the declaration of UTF-16 is itself in UTF-16
    narrow = (_try(raw, codec or "") or "").encode("utf-8", "replace") if wide else raw
    rest, declared = _declaration(narrow, findings)
    _check_labels(charset, declared, findings, wide)
    if wide and rest:
        _check_wide(codec or "", charset, declared, findings)
        return Readable(rest, codec or "", tuple(findings))
    text, used = _decode(raw if wide else rest, codec, charset, declared, findings)
    return Readable(text.encode("utf-8", "surrogatepass"), used, tuple(findings))


def _bom(raw: bytes) -> tuple[str | None, bytes]:
    for mark, codec in _BOMS:
        if raw.startswith(mark):
            return codec, raw[len(mark) :]
    return None, raw


def _declaration(raw: bytes, findings: list[Finding]) -> tuple[bytes, str | None]:
    body = raw.lstrip(_BLANKS)
    if not body.startswith(b"<?xml"):
        return raw, None
    if len(body) != len(raw):
        # XML 1.0 2.8: nothing stands before the declaration
        findings.append(finding("xml/declaration-first", "byte 0", action="repaired"))
    found = _DECLARATION.match(body)
    if found is None:
        return body, None  # malformed: the parser will say where
    return body[found.end() :], found.group(1).decode("ascii") if found.group(1) else None


def _wide_without_bom(raw: bytes) -> str | None:
    """UTF-16 by its first character, as XML 1.0 appendix F tells it."""
    return {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(raw[:2])


def _check_wide(used: str, charset: str | None, declared: str | None, findings: list[Finding]) -> None:
    """Whether the labels of what is UTF-16 say so; the MIME label comes first (RFC 7303 3)."""
    for where, label in (("Content-Type", charset), ("XML declaration", declared)):
        if label is not None and not used.startswith(codec_of(label) or "utf-16"):
            kind = "xml/declaration-true" if where == "XML declaration" else "xml/charset-agrees"
            findings.append(finding(kind, where, detail=f"{label}, read as {used}", action="repaired"))


def _check_labels(charset: str | None, declared: str | None, findings: list[Finding], wide: bool) -> None:
    for where, label in (("Content-Type", charset), ("XML declaration", declared)):
        if label is None:
            continue
        if label.lower().replace("-", "").replace("_", "").endswith("utf7"):
            raise EnvelopeError(
                "the envelope is labelled UTF-7, which can hide markup; send UTF-8",
                [*findings, finding("xml/encoding-forbidden", where, detail=label, action="refused")],
                status=2007,
            )
        codec = codec_of(label)
        if codec is None:
            findings.append(finding("xml/encoding-forbidden", where, detail=label, action="repaired"))
        elif charsets.registered(label) is not None and codec != "utf-8":
            findings.append(finding("mime/charset-alias", where, detail=label, action="repaired"))
        elif codec.startswith("utf-16") and not wide:
            # XML 1.0 4.3.3: utf-16 cannot be true where every other byte is not NUL
            kind = "xml/declaration-true" if where == "XML declaration" else "xml/charset-agrees"
            findings.append(finding(kind, where, detail=label, action="repaired"))
    impossible = [label for label in (charset, declared) if (codec_of(label or "") or "").startswith("utf-16")]
    if charset and declared and not wide and not impossible and not _same(charset, declared):
        findings.append(
            finding("xml/charset-agrees", "Content-Type", detail=f"{charset} against {declared}", action="repaired")
        )


def _same(one: str, other: str) -> bool:
    """Whether two labels are one: of the name that they stand for, Korean aliases among themselves."""
    names = [label.strip("\"' ").lower() for label in (one, other)]
    if names[0] == names[1] or {codec_of(name) for name in names} == {"utf-8"}:
        return True
    meant = [charsets.registered(name) for name in names]
    return meant[0] is not None and meant[0] == meant[1]


def _decode(
    raw: bytes, bom: str | None, charset: str | None, declared: str | None, findings: list[Finding]
) -> tuple[str, str]:
    labels = [(label, codec) for label in (charset, declared) if label and (codec := codec_of(label))]
    labels = [(label, codec) for label, codec in labels if not codec.startswith("utf-16")]
    utf8 = _try(raw, "utf-8")
    if utf8 is not None and bom is not None:
        # RFC 7303 3.1: the byte order mark wins over every label
        if labels and labels[0][1] != "utf-8":
            _mismatch(findings, f"labelled {labels[0][0]}, read as utf-8")
        return utf8, "utf-8"
    read = charsets.decoded(raw, *(label for label, _ in labels), last=_last_resorts(raw))
    if read.flaw != "undecodable":
        if read.flaw:
            _mismatch(findings, read.detail, level="SHOULD" if read.flaw == "wider" else None)
        return read.text, "utf-8" if raw.isascii() else codec_of(read.codec) or read.codec
    raise EnvelopeError(
        "the bytes of the envelope decode in none of its charsets; send UTF-8",
        [
            *findings,
            finding("xml/charset-agrees", "Content-Type", detail=charset or declared or "utf-8", action="refused"),
        ],
        status=2007,
    )


def _last_resorts(raw: bytes) -> tuple[str, ...]:
    """What to read octets by that none of their labels decodes."""
    if not _PAIRED.fullmatch(raw):
        return ()
    pairs = _PAIR.findall(raw)
    return ("gb18030", "cp949") if sum(map(bool, map(_FREQUENT.match, pairs))) * 2 >= len(pairs) else ()


def _mismatch(findings: list[Finding], detail: str, *, level: Level | None = None) -> None:
    if all(one.id != "xml/charset-agrees" for one in findings):
        findings.append(finding("xml/charset-agrees", "byte 0", detail=detail, action="repaired", level=level))


def _try(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError:
        return None
