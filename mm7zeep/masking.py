"""Texts made fit to be passed on: credentials put out of sight always, telephone numbers and mail addresses on request.

Errs on the side of hiding: a long number that is no telephone number is hidden, too. Takes short
texts: a line, a value. Opens nothing, and keeps nothing of what it hides.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection
from urllib.parse import unquote

HIDDEN = "***"
"""What stands where something was."""

# Quantifiers are bounded, so that the time taken stays linear in the text.
_NAMES = (
    r"(?:pass(?:w(?:or)?d|phrase|code)?|pwd|secret|token|api[-_]?key|access[-_]?key|credentials?|signature"
    r"|user(?:name|[-_]?id))"
)
# Too short to be looked for inside other words: alone, or set off by - _ or . from what stands beside them.
_SHORT = r"(?:sig|pin|otp|jwt|hmac|auth(?:key)?)"
_SHORT_IN_QUERY = r"(?:sig|sign|pin|otp|jwt|hmac|sas|key|code|auth(?:key)?|sid|session(?:[-_]?id)?)"
_WORD = rf"(?:[\w.-]{{0,40}}{_NAMES}[\w.-]{{0,40}}|(?:[\w.-]{{0,40}}[_.-])?{_SHORT}(?:[_.-]?(?:code|key|value))?)"
_SCHEME = r"(?:basic|bearer|digest|negotiate|ntlm)"

_HEADER = re.compile(
    rf"(?i)(?P<head>(?<![\w-])(?:(?:proxy-)?authorization|(?:set-)?cookie2?|{_WORD})[ \t]*:[ \t]*)"
    rf"(?P<scheme>{_SCHEME}(?=[ \t]))?(?P<value>[^\r\n]*)"
)
_AFTER_SCHEME = re.compile(  # but not the words of a sentence, nor the parameters of a challenge
    rf"(?i)(?P<head>\b{_SCHEME}[ \t]+)"
    r"(?!(?:challenge|credentials|over|scheme|header)\b|[\w-]{1,40}[ \t]*=[ \t]*[\"'])[A-Za-z0-9+/._~=-]{4,}"
)
_QUOTED = re.compile(
    rf"(?is)(?P<head>(?<![\w.-])[\"']?(?:{_WORD}|response|c?nonce|opaque)[\"']?\s{{0,9}}[=:]\s{{0,9}}(?P<quote>[\"']))"
    r"(?:(?!(?P=quote)).)*(?P<tail>(?P=quote)?)"
)
_PARAMETER = re.compile(rf"(?i)(?P<head>(?<![\w.-]){_WORD}=)[^&;\s\"'<>#]+")
# of a query, which may be percent-encoded in another address; there single words are names, too
_IN_QUERY = re.compile(
    rf"(?i)(?P<head>(?:[?&;#]|%3f|%26|%3b)(?:amp;)?(?:{_WORD}|(?:[\w.-]{{0,40}}[_.-])?{_SHORT_IN_QUERY})(?:=|%3d))"
    r"(?:(?!%26)[^&;\s\"'<>#])+"
)
_ELEMENT = re.compile(
    rf"(?is)(?P<head><(?P<name>(?:[\w.-]{{1,40}}:)?{_WORD})(?:\s[^<>]{{0,200}})?(?<!/)>)"
    r"(?:.{0,2000}?(?P<tail></(?P=name)\s{0,9}>)|(?:[^<]|<!\[CDATA\[)+)"
)
# up to the last @: a password may hold one, too
_USER_INFO = re.compile(r"(?P<head>[a-zA-Z][a-zA-Z0-9+.-]{0,20}://)[^/\s\"'<>?#]{1,4000}(?P<tail>@)")
_HEADER_LINE = re.compile(
    r"(?i)\A(?P<head>(?:proxy-)?authorization|(?:set-)?cookie2?|[\w-]*(?:passw|secret|token|api-?key|username|user-id)[\w-]*)"
    r"(?P<colon>\s*:\s*)(?P<scheme>(?:basic|digest|bearer|negotiate)(?=\s))?.*\Z",
    re.DOTALL,
)
_SECRET_NAME = re.compile(rf"(?i)(?:{_WORD}|(?:[\w.-]{{0,40}}[_.-])?{_SHORT_IN_QUERY})")


def credentials(text: str) -> str:
    """``text`` without user names and passwords, tokens, cookies: in header lines, addresses, elements, attributes."""
    text = _HEADER.sub(lambda m: m["head"] + (f"{m['scheme']} " if m["scheme"] else "") + HIDDEN, text)
    text = _AFTER_SCHEME.sub(lambda m: m["head"] + HIDDEN, text)
    text = _QUOTED.sub(lambda m: m["head"] + HIDDEN + m["tail"], text)
    text = _IN_QUERY.sub(lambda m: m["head"] + HIDDEN, text)
    text = _PARAMETER.sub(lambda m: m["head"] + HIDDEN, text)
    text = _ELEMENT.sub(lambda m: m["head"] + HIDDEN + (m["tail"] or ""), text)
    return _USER_INFO.sub(lambda m: m["head"] + HIDDEN + "@", text)


def header_line(line: str) -> str:
    """One header field, ``name: value``, its value hidden where its name says that it may be a credential."""
    return _HEADER_LINE.sub(
        lambda m: f"{m['head']}{m['colon']}{(m['scheme'] or '').strip()} {HIDDEN}".replace("  ", " "), line
    )


def url(text: str) -> str:
    """An address as it may be shown: without its user, and with the values of parameters that are named like secrets
    hidden, in its path, query and fragment. The same address always has the same form.
    """
    address = _USER_INFO.sub(lambda m: m["head"], text)
    return "".join(_parameter(piece) for piece in re.split(r"([?&;#])", address))


def _parameter(piece: str) -> str:
    name, equals, value = piece.partition("=")
    if equals and value and _SECRET_NAME.fullmatch(unquote(name).rpartition("/")[2].strip()):
        return f"{name}={HIDDEN}"
    return _IN_QUERY.sub(lambda m: m["head"] + HIDDEN, piece)


_RUN = re.compile(r"\d{7,}")
_GROUPED = re.compile(
    r"\+\d(?:[ \-./()]{0,2}\d){5,24}"  # +61 (0)412 345-678
    r"|(?<![\w.:-])\(?0\d{1,4}\)?(?:[ \-/]\d{2,8}){1,5}(?![\w:-])"  # 0412 345 678
    r"|(?<![\w.:-])\d{1,4}(?: \d{2,5}){2,6}(?![\w:-])"  # 61 412 345 678
    r"|(?<![\w.:-])\d{1,3}(?:-\d{3,4}){2,4}(?![\w:-])"  # 1-800-555-0199; no date has groups of such lengths
)
_ENCODED = re.compile(r"(?i)(?:%3[0-9]){7,}")  # digits, percent-encoded
_AT_THE_CUT = re.compile(r"(?<=\A\.\.\.)\d+|\d+(?=\.\.\.\Z)")  # what is left of a number where a line was cut
_LEAST = 7  # digits of a telephone number, where nothing around it tells that it is one
# a shorter number, or a short code, is one where an address stands
_SHORT_NUMBER = re.compile(
    r"(?i)(?P<head><(?:[\w.-]{1,40}:)?(?:Number|ShortCode|SenderAddress|Sender|Recipient|To|Cc|Bcc|ChargedPartyID)"
    r"(?:\s[^<>]{0,200})?(?<!/)>(?:<!\[CDATA\[)?)(?P<value>[^<\]]{3,100})"
)


def numbers(text: str) -> str:
    """``text`` with every digit but the last two of each telephone number, or what may be one, replaced by ``*``.

    Also of those that are written with character references, quoted-printable or percent-encoded octets. Of a number
    of three to six digits no digit is left where it is the text of an address element (Number, ShortCode ...).
    """
    text = _ENCODED.sub(lambda m: "*" * (len(m[0]) // 3), text)
    text = _AT_THE_CUT.sub(lambda m: "*" * len(m[0]), text)
    return _covered_as_read(text, _numbers_covered)


def _numbers_covered(text: str) -> str:
    return _RUN.sub(_starred, _GROUPED.sub(_starred, _SHORT_NUMBER.sub(_short_starred, text)))


def _short_starred(found: re.Match[str]) -> str:
    short = 3 <= sum(one.isdigit() for one in found["value"]) < _LEAST
    return found["head"] + re.sub(r"\d", "*", found["value"]) if short else found[0]


def _starred(found: re.Match[str]) -> str:
    digits = sum(one.isdigit() for one in found[0])
    if digits < _LEAST:
        return found[0]
    kept, out = 2, []
    for one in reversed(found[0]):
        out.append("*" if one.isdigit() and kept <= 0 else one)
        kept -= one.isdigit()
    return "".join(reversed(out))


# Content-IDs have the form of addresses; hidden, they would no longer tell which part is meant.
_MAIL = re.compile(
    r"(?i)(?P<id>(?:cid|mid):[^\s\"'<>]+|(?:content-id[ \t]*:[ \t]*|start=\"?)<[^<>]{1,300}>)"
    r"|[\w.!#$%&'+=?^`{|}~-]{1,64}@(?P<host>[\w-]+(?:\.[\w-]+)*)"
)


_DISPLAY_NAME = re.compile(  # RFC 5322 3.4: before an address in angle brackets
    r"(?i)(?P<head><(?:[\w.-]{1,40}:)?RFC2822Address(?:\s[^<>]{0,200})?(?<!/)>(?:<!\[CDATA\[)?)"
    r"(?P<name>[^<>@]{1,100}?)(?=(?:<|&lt;)[^<>@\s/]{1,64}@)"
)


def addresses(text: str) -> str:
    """``text`` with the local part of each mail address hidden; Content-IDs stay where they can be told apart.

    So is the name before an address in an element RFC2822Address.
    An address that is written with character references, quoted-printable or percent-encoded octets is hidden, too,
    with a ``*`` for each character.
    """
    covered = addresses_in_place(text)
    if covered != _addresses_covered(text):
        return covered
    text = _DISPLAY_NAME.sub(_name_covered, text)
    return _MAIL.sub(lambda m: m[0] if m["id"] else f"{HIDDEN}@{m['host']}", text)


def _name_covered(found: re.Match[str]) -> str:
    return found["head"] + re.sub(r"[^\s*]", "*", found["name"])


def _addresses_covered(text: str) -> str:
    text = _DISPLAY_NAME.sub(_name_covered, text)
    return _MAIL.sub(lambda m: m[0] if m["id"] else "*" * (len(m[0]) - len(m["host"]) - 1) + f"@{m['host']}", text)


# --- written in another way -------------------------------------------------------------------------------------------

_DEPTH = 2  # of one way in another: a reference whose & is one, or in quoted-printable
_AT_SIGN = r"(?=[\w=\r\n-]{1,64}(?:\.|=2e)[a-z=])"  # before a domain: in width=40px there is none
_WRITTEN: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (  # XML 1.0 4.1, and HTML's names
        re.compile(r"(?i)&(?:#0{0,6}[0-9]{1,7}|#x0{0,6}[0-9a-f]{1,6}|[a-z]{2,8});"),
        # & itself where HTML has no such name; of what is no character HTML makes nothing
        lambda unit: (html.unescape(unit) or "\ufffd")[0],
    ),
    (  # RFC 2045 6.7, with its soft line breaks
        re.compile(rf"(?i)=(?:(?!40)[0-9a-f]{{2}}|40{_AT_SIGN}|[ \t]{{0,9}}\r?\n)"),
        lambda unit: chr(int(unit[1:], 16)) if unit[1:].strip() else "",
    ),
    (re.compile(r"(?i)%[0-9a-f]{2}"), lambda unit: chr(int(unit[1:], 16))),  # RFC 3986 2.1
)


def _covered_as_read(text: str, cover: Callable[[str], str], depth: int = _DEPTH) -> str:
    """What ``cover`` covers in ``text`` as it is written, and as it reads when it is decoded, in each way by itself.

    ``cover`` gives as many characters as it gets, with ``*`` for those that it hides; so does this.
    """
    out = cover(text)
    for written, read in _WRITTEN if depth else ():
        units = [(m.start(), m.end(), read(m[0])) for m in written.finditer(text)]
        if not units:
            continue
        decoded, at = [], 0
        for begin, end, char in units:
            decoded += [text[at:begin], " " if char.isspace() else char]
            at = end
        reads = "".join([*decoded, text[at:]])
        covered = _covered_as_read(reads, cover, depth - 1)
        if covered != reads:
            out = _joined(out, reads, covered, units)
    return out


def _joined(out: str, reads: str, covered: str, units: list[tuple[int, int, str]]) -> str:
    """``out`` with stars where ``covered`` has others than ``reads``, where each of the ``units`` is one character."""
    pieces, at, place = [], 0, 0
    for begin, end, char in [*units, (len(out), len(out), "")]:
        before, now = reads[place : place + begin - at], covered[place : place + begin - at]
        shown = out[at:begin]
        if now != before:
            shown = "".join(one if n == b else "*" for one, b, n in zip(shown, before, now, strict=True))
        place += begin - at
        hidden = covered[place : place + len(char)] != reads[place : place + len(char)]
        pieces += [shown, stars(out[begin:end]) if hidden else out[begin:end]]
        at, place = end, place + len(char)
    return "".join(pieces)


def masked(text: str, *, show_numbers: bool = False, identifiers: bool = False, kept: Collection[str] = ()) -> str:
    """``text`` without credentials and, unless ``show_numbers``, without telephone numbers and mail addresses.

    ``identifiers`` tells that what looks like mail addresses are Content-IDs; ``kept`` are Content-IDs that stay
    wherever they stand by themselves, although they look like numbers or addresses.
    """
    text = credentials(text)
    if show_numbers:
        return text
    names = [re.escape(one) for one in sorted(kept, key=len, reverse=True) if _hidden(one, identifiers) != one]
    if not names:
        return _hidden(text, identifiers)
    pieces = re.split(rf"(?<![\w.+@-])({'|'.join(names)})(?![\w@-])", text)
    return "".join(one if n % 2 else _hidden(one, identifiers) for n, one in enumerate(pieces))


def _hidden(text: str, identifiers: bool) -> str:
    return numbers(text if identifiers else addresses(text))


# --- in place ---------------------------------------------------------------------------------------------------------

_CREDENTIALS = (_HEADER, _AFTER_SCHEME, _QUOTED, _IN_QUERY, _PARAMETER, _ELEMENT, _USER_INFO)


def credentials_in_place(text: str) -> str:
    """What ``credentials`` hides, with a ``*`` for each character: places stay, and lines stay lines."""
    for pattern in _CREDENTIALS:
        text = pattern.sub(_covered, text)
    return text


def numbers_in_place(text: str) -> str:
    """What ``numbers`` hides in a whole text, with a ``*`` for each character."""
    text = _ENCODED.sub(lambda m: "*" * len(m[0]), text)
    return _covered_as_read(text, _numbers_covered)


def addresses_in_place(text: str) -> str:
    """What ``addresses`` hides, with a ``*`` for each character."""
    return _covered_as_read(text, _addresses_covered)


def stars(text: str) -> str:
    """As many ``*`` as ``text`` has characters; line breaks stay."""
    return re.sub(r"[^\r\n]", "*", text)


def _covered(found: re.Match[str]) -> str:
    """A match with stars between what its pattern keeps: head and scheme before, tail after."""
    groups = found.re.groupindex
    begin = found.end("head")
    if "scheme" in groups and found["scheme"]:
        begin = found.end("scheme") + 1
    end = found.start("tail") if "tail" in groups and found["tail"] else found.end()
    whole, offset = found[0], found.start()
    return whole[: begin - offset] + stars(whole[begin - offset : end - offset]) + whole[end - offset :]
