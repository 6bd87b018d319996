"""The header fields of MIME: Content-Type, Content-Disposition, Content-ID, and the lines they stand on.

Hand-written and tolerant: nothing raises, whatever the text. What deviates from the grammar is named in ``defects``,
as pairs (finding id, detail), for the caller to place. Every function takes time linear in its input.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from mm7zeep.charsets import decoded
from mm7zeep.mime.tree import Parameters

Defects = tuple[tuple[str, str], ...]

TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105  RFC 2045 5.1 token, without the braces nobody uses
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128})([ \t]*):")
_CONTINUED = re.compile(rb"[A-Za-z][!#$%&'*+\-.^_`|~0-9A-Za-z]{0,127}[ \t]*=")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f\ufffe\uffff\ud800-\udfff]")

_TYPE = re.compile(r"[\s;]*([^\s;/\"=]++)\s*+/\s*+([^\s;,\"=]++)")
_BARE_TYPE = re.compile(r"\s*([^\s;/\"=]++)(?=\s*(?:;|\Z))")
_GAP = re.compile(r"[\s;]*+")
_NAME = re.compile(r"([^\s;=\"]++)\s*+=\s*+")
_QUOTED = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
# Ends at a semicolon, or at a blank before the next "name=" (a missing semicolon); other blanks belong to the value.
_UNQUOTED = re.compile(r"[^;\s\"]++(?:[ \t]++(?![^\s=;\"]++[ \t]*+=)[^;\s\"]++)*+")
_JUNK = re.compile(r"[^;\s]++")
_SPECIAL = re.compile(r'[()<>@,;:\\"/\[\]?=\s]')  # RFC 2045 5.1 tspecials: they call for quotes
_NOT_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SECTION = re.compile(r"([^*]++)(?:\*([0-9]{1,3}))?(\*)?\Z")  # RFC 2231 3, 4: name*0, name*, name*0*
_WORD = re.compile(r"=\?([A-Za-z0-9_.:+\-]{1,40})(?:\*[^?\s]{0,40})?\?([BbQq])\?([^?\s]*+)\?=")
_BETWEEN_WORDS = re.compile(r"(?<=\?=)\s++(?==\?)")

# RFC 822 3.4.3, one within another at most. Outside the quotes, and with blanks, semicolons or the ends around it:
# parentheses within a word are the word's, as in name=photo(1).jpg.
_COMMENT = r"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*+\))*+\)"
_COMMENTS = re.compile(rf'"(?:[^"\\]++|\\.)*+(?:"|\Z)|(?<![^\s;]){_COMMENT}(?=[\s;]|\Z)', re.DOTALL)
_TYPE_COMMENT = re.compile(rf'([^;"()=]++){_COMMENT}', re.DOTALL)
_BEHIND_BRACKET = re.compile(rf">\s*+{_COMMENT}\Z", re.DOTALL)
_LOOKED_BACK = 200  # characters before a comment, in which its parameter begins
_ENDS = re.compile(r"\s*+(?:;|\Z)")
_PARAMETER = re.compile(r"([\w*-]{1,64})\s{0,8}=[^=]*\Z")
_WITH_BLANKS = re.compile(
    r"(?:.*name|boundary|start)(?:\*.*)?\Z", re.IGNORECASE
)  # careless senders leave out the quotes

_NAME_LIMIT = 2048  # characters of a name in which encoded words are still decoded


@dataclass(frozen=True, slots=True)
class ContentType:
    """A Content-Type taken apart: media type and parameter names in lower case, RFC 2231 undone, no parameter twice.

    ``media_type`` is empty where the text names none. ``unquoted`` are the parameters that stood without quotes.
    """

    media_type: str
    parameters: Parameters
    defects: Defects
    unquoted: frozenset[str] = frozenset()

    def get(self, name: str) -> str | None:
        """The value of the parameter ``name`` (lower case), or None."""
        return next((value for key, value in self.parameters if key == name), None)


@dataclass(frozen=True, slots=True)
class Disposition:
    """A Content-Disposition (RFC 2183) taken apart: ``kind`` and parameter names in lower case, RFC 2231 undone."""

    kind: str
    parameters: Parameters
    defects: Defects

    def get(self, name: str) -> str | None:
        """The value of the parameter ``name`` (lower case), or None."""
        return next((value for key, value in self.parameters if key == name), None)


class _Raw(NamedTuple):
    """One parameter as it stands."""

    name: str
    value: str
    quoted: bool


def parse_content_type(text: str) -> ContentType:
    """Take a Content-Type apart (RFC 2045 5.1); an unfolded field, or one with its line breaks still in it."""
    defects: list[tuple[str, str]] = []
    text = without_comments(text)
    found = _TYPE.match(text)
    if found:
        media_type, start = f"{found[1]}/{found[2]}".lower(), found.end()
        if found[0].strip() != f"{found[1]}/{found[2]}":
            defects.append(("mime/type-syntax", found[0]))
    else:
        bare = _BARE_TYPE.match(text)
        media_type, start = "", bare.end() if bare else 0
        defects.append(("mime/type-syntax", bare[0] if bare else text[:80]))
    raw = _parameters(text, start, defects)
    parameters = _join_sections(raw, defects)
    related = media_type == "multipart/related"
    for one in raw:
        if one.quoted or not _SPECIAL.search(one.value):
            continue
        special = {"boundary": "mime/boundary-quoted", "type": "mime/related-type-quoted" if related else ""}.get(
            one.name
        )
        defects.append((special or "mime/type-syntax", f"{one.name}={one.value}"))
    unquoted = frozenset(one.name for one in raw if not one.quoted)
    return ContentType(clean(media_type), parameters, tuple(dict.fromkeys(defects)), unquoted)


def parse_disposition(text: str) -> Disposition:
    """Take a Content-Disposition apart (RFC 2183 2)."""
    defects: list[tuple[str, str]] = []
    text = without_comments(text)
    kind = re.match(r"\s*([^\s;=\"]*+)(?!\s*=)", text)
    if kind is None or not re.fullmatch(TOKEN, kind[1]):
        defects.append(("", f"no disposition type: {text[:80]}"))
    raw = _parameters(text, kind.end() if kind else 0, defects)
    parameters = _join_sections(raw, defects)
    defects += [("", f"{one.name}={one.value}") for one in raw if not one.quoted and _SPECIAL.search(one.value)]
    reported = tuple(dict.fromkeys(("mime/disposition-syntax", detail) for _, detail in defects))
    return Disposition(clean(kind[1].lower()) if kind else "", parameters, reported)


def without_comments(text: str) -> str:
    """A structured field without its comments (RFC 2045 5.1), where a word has ended, or before the first.

    In an unquoted name, boundary or start, and between two words, parentheses stay.
    """
    if "(" not in text:
        return text
    if _TYPE_COMMENT.match(text):
        text = _TYPE_COMMENT.sub(r"\1", text, count=1)

    def dropped(found: re.Match[str]) -> str:
        before = text[max(0, found.start() - _LOOKED_BACK) : found.start()]
        ended = _ENDS.match(text, found.end()) is not None or not before.strip() or before.rstrip().endswith(";")
        parameter = _PARAMETER.search(before[before.rfind(";") + 1 :])
        within = parameter is not None and _WITH_BLANKS.match(parameter[1]) is not None
        return found[0] if found[0].startswith('"') or within or not ended else ""

    return _COMMENTS.sub(dropped, text)


def _parameters(text: str, at: int, defects: list[tuple[str, str]]) -> list[_Raw]:
    """The parameters from ``at`` on, in order, as they stand; a repeated name keeps its first value."""
    found: dict[str, _Raw] = {}
    first = True
    while True:
        gap = _GAP.match(text, at)
        between = gap[0] if gap else ""
        at += len(between)
        semicolons = between.count(";")
        if semicolons > 1 or (semicolons and at >= len(text)):
            defects.append(("mime/parameter-trailing", text[max(0, at - len(between) - 40) : at].strip()))
        if at >= len(text):
            return list(found.values())
        name = _NAME.match(text, at)
        if not semicolons and not (first and at == 0):
            defects.append(("mime/type-syntax", f"no semicolon before {text[at : at + 40]}"))
        first = False
        if name is None:
            junk = _JUNK.match(text, at)
            at = junk.end() if junk else at + 1
            defects.append(("mime/type-syntax", junk[0] if junk else ""))
            continue
        value, quoted, at = _value(text, name.end(), defects)
        key = clean(name[1].lower())
        if key in found:
            defects.append(("mime/type-syntax", f"{key} twice"))
        elif value or quoted:
            found[key] = _Raw(key, clean(value), quoted)
        else:
            defects.append(("mime/type-syntax", f"{key} has no value"))


def _value(text: str, at: int, defects: list[tuple[str, str]]) -> tuple[str, bool, int]:
    if text.startswith('"', at):
        quoted = _QUOTED.match(text, at)
        if quoted:
            return re.sub(r"\\(.)", r"\1", re.sub(r"\r?\n", "", quoted[1]), flags=re.DOTALL), True, quoted.end()
        defects.append(("mime/type-syntax", "a quote is never closed"))
        return text[at + 1 :].strip(), True, len(text)
    plain = _UNQUOTED.match(text, at)
    return (plain[0], False, plain.end()) if plain else ("", False, at)


def _join_sections(raw: list[_Raw], defects: list[tuple[str, str]]) -> Parameters:
    """Undo RFC 2231: join the sections of a name, decode the extended ones. An extended value wins over a plain one."""
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for one in raw:
        found = _SECTION.match(one.name) if "*" in one.name else None
        if found is None:
            plain[one.name] = one.value
            continue
        plain.setdefault(found[1], "")
        sections.setdefault(found[1], {}).setdefault(int(found[2] or 0), (one.value, bool(found[3])))
    for name, pieces in sections.items():
        joined, flaw = _extended(pieces)
        if flaw:
            defects.append(("mime/type-syntax", f"{name}*: {flaw}"))
        if joined is not None or not plain[name]:
            plain[name] = clean(joined if joined is not None else "".join(value for value, _ in pieces.values()))
    return tuple(plain.items())


def _extended(pieces: dict[int, tuple[str, bool]]) -> tuple[str | None, str]:
    """The value, and what is wrong with it (RFC 2231 4.1): sections 0, 1, 2 ...; the first names the charset where it
    is extended.
    """
    ordered: list[tuple[str, bool]] = []
    while len(ordered) in pieces:
        ordered.append(pieces[len(ordered)])
    if len(ordered) != len(pieces):
        return None, "a section is missing"
    charset, _, rest = ordered[0][0].partition("'")
    _, mark, encoded = rest.partition("'")
    if not ordered[0][1]:
        extended = any(flag for _, flag in ordered)
        return (None, "no charset") if extended else ("".join(value for value, _ in ordered), "")
    if not mark:
        return None, "no charset"
    octets = [unquote_to_bytes(encoded)]
    for value, flag in ordered[1:]:
        octets.append(unquote_to_bytes(value) if flag else value.encode("utf-8", "replace"))
    read = decoded(b"".join(octets), charset)
    bare = any(flag and _NOT_ENCODED.search(value) for value, flag in ordered)
    flaw = "a % without two hexadecimal digits" if bare else read.detail
    return (read.text if read.flaw != "undecodable" else None), flaw


def decode_words(text: str) -> str:
    """Undo the encoded words of RFC 2047 in a file name; left as they are in a text longer than any name."""
    if "=?" not in text or len(text) > _NAME_LIMIT:
        return text
    return clean(_WORD.sub(_decode_word, _BETWEEN_WORDS.sub("", text)))


def _decode_word(word: re.Match[str]) -> str:
    content = word[3].encode("ascii", "replace")
    try:
        if word[2] in "Bb":
            octets = base64.b64decode(content + b"=" * (-len(content) % 4))
        else:
            octets = binascii.a2b_qp(content, header=True)
    except binascii.Error:
        return word[0]
    read = decoded(octets, word[1])
    return read.text if read.flaw != "undecodable" else word[0]


def file_name(content_type: ContentType, disposition: Disposition | None) -> tuple[str | None, str]:
    """The file name a part gives, and what is wrong with its encoding (RFC 2231 4), or nothing.

    RFC 2183 2.3: filename= of the Content-Disposition; then, by custom, name= and filename= of the Content-Type.
    """
    given = (
        disposition.get("filename") if disposition else None,
        content_type.get("name"),
        content_type.get("filename"),
    )
    raw = next((value for value in given if value), None)
    if raw is None:
        return None, ""
    name = decode_words(raw)
    return name.strip() or None, raw if name != raw else ""


def content_id(value: str) -> tuple[str | None, bool]:
    """A Content-ID without its brackets, trimmed, and whether it had them; None where nothing is left."""
    bare = _BEHIND_BRACKET.sub(">", value.strip()) if "(" in value else value.strip()
    bracketed = len(bare) >= 2 and bare[0] == "<" and bare[-1] == ">"
    return bare.strip("<> \t") or None, bracketed


def unfold(value: str) -> str:
    """A field value on one line (RFC 5322 2.2.3), also where the continuation stands in column 0."""
    if "\n" not in value and "\r" not in value:
        return value.strip()
    return re.sub(r"\r?\n(?![ \t])", " ", value.strip()).replace("\r", "").replace("\n", "")


def clean(text: str) -> str:
    """The text with control characters, which have no place in a field (RFC 2045 3), replaced by U+FFFD."""
    return text if text.isprintable() else _CONTROL.sub("\ufffd", text)


# --- lines ------------------------------------------------------------------------------------------------------------


def decode_line(line: bytes) -> str:
    """The octets of a header line as text: UTF-8 where valid, else Latin-1."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def field_name(line: bytes) -> str | None:
    """The field name that a line begins with, or None where it cannot be a header field."""
    if line.startswith(b"--"):
        return None  # a token by the letter, a delimiter in practice
    found = _FIELD.match(line)
    if found is None or (found[2] and not found[1].lower().startswith(b"content-")):
        return None
    return found[1].decode("ascii")


def continues(line: bytes, previous: bytes) -> bool:
    """Whether a line in column 0 is a parameter of the field before it, which ends in a semicolon."""
    return previous.rstrip().endswith(b";") and _CONTINUED.match(line) is not None
