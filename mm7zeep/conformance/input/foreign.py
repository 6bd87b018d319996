"""What is no capture at all: pictures, programs, scripts, plain text, nothing.

Says what some octets are instead, in a few words. Refuses to call anything foreign that begins as a message does (a
start line, a header field, a delimiter, an element; in UTF-8, -16 or -32), or that has an envelope or parts further
down: a broken capture is judged, however odd.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from mm7zeep import charsets, media
from mm7zeep.conformance.input import capture

_SEEN = 64 * 1024  # octets that are looked at
_NOUNS = {"image": "image", "audio": "sound", "video": "film", "text": "text", "presentation": "presentation"}
_PROGRAMS = (
    (b"\x7fELF", "ELF program"), (b"MZ", "Windows program"), (b"\xca\xfe\xba\xbe", "Java class"),
    (b"\xcf\xfa\xed\xfe", "macOS program"), (b"SQLite format 3\0", "SQLite database"),
    (b"BZh", "bzip2 archive"), (b"\xfd7zXZ\0", "xz archive"), (b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (b"Rar!\x1a\x07", "RAR archive"), (b"\x28\xb5\x2f\xfd", "zstd archive"),
)  # fmt: skip
_SOURCES = (
    (re.compile(r"#!\s*/"), "script"),
    (re.compile(r"[rR]?\"\"\"|[rR]?'''|from [\w.]+ import |import [\w.]+|def \w+\(|class \w+[(:]"), "Python source"),
    (re.compile(r"(?:/\*|//|#include\b|package [\w.]+;)"), "source text"),
)  # fmt: skip
_JSON = re.compile(r"[{\[]\s*[\"{\[\]}\d]")
_START_LINE = re.compile(r"[^\n]{0,2000}HTTP/\d|(?:POST|GET|PUT|HEAD|OPTIONS|DELETE)[ \t]+(?:/|https?:)", re.IGNORECASE)
# A head without start line: fields of which at least one is of HTTP or MIME.
_FIELDS = re.compile(r"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}[ \t]*:[^\n]*\r?\n|[ \t][^\n]*\r?\n){0,200}")
_KNOWN = re.compile(
    r"(?im)^(?:content-[a-z-]+|mime-version|host|soapaction|user-agent|server|date|connection|accept[a-z-]*|via"
    r"|transfer-encoding|authorization|www-authenticate|cache-control|expect|location)[ \t]*:"
)
# What a message has further down: an envelope, a part, a last delimiter, a start line behind the marks of curl -v.
_INSIDE = re.compile(
    r"<(?:[\w.-]{1,64}:)?Envelope[\s>/]|^--[^\r\n]{1,200}\r?\ncontent-|^--(?=\S*\w)\S{1,200}--[ \t]*\r?$"
    r"|^(?:[<>*] )?(?:(?:POST|GET) \S{1,2000} HTTP/1|HTTP/1\.[01] \d{3})",
    re.IGNORECASE | re.MULTILINE,
)
_EBCDIC_ELEMENT = (b"\x4c\x6f\xa7\x94", b"\x4c\xa2\x96\x81\x97")  # "<?xm", "<soap" in EBCDIC
# XML 1.0 appendix F: where the zeros are in four octets of which the first character is ASCII
_BY_ZEROS: Mapping[str, str] = MappingProxyType(
    {"000x": "utf-32-be", "x000": "utf-32-le", "0x0x": "utf-16-be", "x0x0": "utf-16-le"}
)
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def described(data: bytes) -> str | None:
    """What ``data`` is, if it is no capture: ``PNG image``, ``empty file``; None for all that may be one."""
    if not data.strip(b" \t\r\n\0\xef\xbb\xbf"):
        return "only white space" if data else "empty file"
    head = data[:_SEEN]
    if head.startswith(b"-----BEGIN "):  # a key: no line of it is to be shown
        return "PEM file"
    if capture.recognised(head) or head.startswith(_EBCDIC_ELEMENT):
        return None
    text = _text(head).lstrip("\ufeff \t\r\n")
    if text.startswith(("<", "--")):
        return None
    return _by_magic(head) or _by_words(text)


def _by_magic(head: bytes) -> str | None:
    for mark, what in _PROGRAMS:
        if head.startswith(mark):
            return what
    if head[257:262] == b"ustar":
        return "tar archive"
    row = media.by_content(head[: media.HEAD])
    if row is None or not row.magic:
        return None
    return f"{row.extensions[0].upper()} {_NOUNS.get(row.media_class, 'file')}"


def _by_words(text: str) -> str | None:
    if _START_LINE.match(text) or _is_head(text):
        return None
    for pattern, what in _SOURCES:  # its strings may hold envelopes
        if pattern.match(text):
            return what
    if _INSIDE.search(text):
        return None
    if _JSON.match(text):
        return "JSON, and no HAR file"
    return "binary data" if len(_CONTROLS.findall(text[:4096])) > len(text[:4096]) // 50 else "plain text"


def _is_head(text: str) -> bool:
    """Whether fields stand there, or behind a line that was a start line once."""
    heads = (_FIELDS.match(one + "\n") for one in (text, text.partition("\n")[2]))
    return any(one is not None and _KNOWN.search(one[0]) is not None for one in heads)


def _text(head: bytes) -> str:
    """``head`` as text: by its byte order mark, or by where its zeros are; Latin-1 keeps the octets of all else.

    Broken characters are passed over: ``charsets.decoded`` would look for another charset, and the message be lost.
    """
    for mark, codec in charsets.MARKS:
        if head.startswith(mark):
            return head[len(mark) :].decode(codec, "replace")
    zeros = "".join("0" if octet == 0 else "x" for octet in head[:4])
    return head.decode(_BY_ZEROS.get(zeros, "latin-1"), "replace")
