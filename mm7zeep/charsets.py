"""Charset labels as met in MM7, and the one answer to the question what characters some octets are.

A closed table, on purpose: Python's own lookup remembers every label it was ever asked for, and knows codecs that run
in quadratic time or are no charsets at all. What is not in the table is unknown. ``decoded`` is what the envelope, the
texts, presentations and file names are read by; it raises nothing.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

_REGISTERED = {
    "utf-8": "utf-8", "us-ascii": "ascii", "iso-10646-ucs-2": "utf-16", "utf-16": "utf-16", "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be", "utf-32": "utf-32", "utf-32le": "utf-32-le", "utf-32be": "utf-32-be",
    **{f"iso-8859-{n}": f"iso8859-{n}" for n in range(1, 17) if n != 12},
    **{f"windows-125{n}": f"cp125{n}" for n in range(9)}, "windows-874": "cp874",
    "koi8-r": "koi8-r", "koi8-u": "koi8-u", "tis-620": "tis-620", "macintosh": "mac-roman",
    "ibm437": "cp437", "ibm850": "cp850",
    "gb2312": "gb2312", "gbk": "gbk", "gb18030": "gb18030", "big5": "big5", "big5-hkscs": "big5hkscs",
    "euc-kr": "euc-kr", "iso-2022-kr": "iso2022_kr", "shift_jis": "shift_jis", "euc-jp": "euc-jp",
    "iso-2022-jp": "iso2022_jp",    "windows-31j": "cp932",
}  # fmt: skip

# Not the preferred MIME name of RFC 2978 2.3, but met: the registered name each of them means. The Korean ones are
# read as CP949, which holds EUC-KR and what Windows senders put under its labels.
_ALIASES = {
    "utf8": "utf-8", "unicode-1-1-utf-8": "utf-8", "ascii": "us-ascii", "ansi_x3.4-1968": "us-ascii",
    "iso8859-1": "iso-8859-1",
    "iso8859_1": "iso-8859-1", "iso_8859-1": "iso-8859-1", "latin1": "iso-8859-1", "latin-1": "iso-8859-1",
    "8859_1": "iso-8859-1",
    "iso8859-15": "iso-8859-15", "latin9": "iso-8859-15", "cp1250": "windows-1250", "cp1251": "windows-1251",
    "cp1252": "windows-1252", "utf16": "utf-16", "utf32": "utf-32",
    "ucs-2": "iso-10646-ucs-2", "ucs2": "iso-10646-ucs-2", "csunicode": "iso-10646-ucs-2", "csutf8": "utf-8",
    "iso-10646-ucs-4": "utf-32", "ucs-4": "utf-32", "ucs4": "utf-32", "csucs4": "utf-32",
    "csutf16": "utf-16", "csutf16be": "utf-16be", "csutf16le": "utf-16le", "csutf32": "utf-32",
    "csascii": "us-ascii", "csisolatin1": "iso-8859-1", "csshiftjis": "shift_jis", "cseuckr": "euc-kr",
    "csgb2312": "gb2312", "csbig5": "big5", "csgb18030": "gb18030", "csgbk": "gbk",
    "utf-32-le": "utf-32le", "utf-32-be": "utf-32be",
    "utf-16-le": "utf-16le", "utf-16-be": "utf-16be",
    "ks_c_5601-1987": "euc-kr", "ks_c_5601-1989": "euc-kr", "ksc_5601": "euc-kr", "ksc5601": "euc-kr",
    "ks_c_5601": "euc-kr",
    "euckr": "euc-kr", "euc_kr": "euc-kr", "cp949": "euc-kr", "ms949": "euc-kr", "uhc": "euc-kr",
    "cp936": "gbk", "ms936": "gbk", "x-gbk": "gbk", "gb_2312-80": "gb2312", "gb2312-80": "gb2312", "euc-cn": "gb2312",
    "euccn": "gb2312", "big-5": "big5", "cp950": "big5", "sjis": "shift_jis", "shift-jis": "shift_jis",
    "x-sjis": "shift_jis",
    "ms_kanji": "shift_jis", "cp932": "windows-31j", "eucjp": "euc-jp",
}  # fmt: skip

# IANA MIBenum of the same: WAP encodes charsets so, and gateways write the number where the name belongs.
_MIBENUMS: Mapping[int, str] = MappingProxyType({
    3: "us-ascii", **{n + 3: f"iso-8859-{n}" for n in range(1, 10)}, 13: "iso-8859-10", 17: "shift_jis", 18: "euc-jp",
    37: "iso-2022-kr", 38: "euc-kr", 39: "iso-2022-jp", 106: "utf-8", 109: "iso-8859-13", 110: "iso-8859-14",
    111: "iso-8859-15", 112: "iso-8859-16", 113: "gbk", 114: "gb18030", 1000: "iso-10646-ucs-2", 1001: "utf-32",
    1013: "utf-16be",
    1014: "utf-16le", 1015: "utf-16", 1017: "utf-32", 1018: "utf-32be", 1019: "utf-32le", 2024: "windows-31j",
    2025: "gb2312", 2026: "big5", 2084: "koi8-r", 2088: "koi8-u", 2101: "big5-hkscs", 2109: "windows-874",
    **{2250 + n: f"windows-125{n}" for n in range(9)}, 2259: "tis-620",
})  # fmt: skip

_CODECS: Mapping[str, str] = MappingProxyType(
    {**_REGISTERED, **{alias: _REGISTERED[name] for alias, name in _ALIASES.items()}, "euc-kr": "cp949"}
    | {alias: "cp949" for alias, name in _ALIASES.items() if name == "euc-kr"}
)


# What holds a charset and what senders put under its label besides; read where the charset itself does not fit.
# The last four are what the WHATWG Encoding Standard reads under these labels: nobody means control characters there.
SUPERSETS: Mapping[str, str] = MappingProxyType({
    "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "big5": "big5hkscs",
    "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
})  # fmt: skip
_LATIN = frozenset({*(f"iso8859-{n}" for n in (1, 2, 3, 4, 9, 10, 13, 14, 15, 16)), "cp1250", "cp1252", "cp1254",
                    "cp1257", "cp1258", "mac-roman", "cp437", "cp850"})  # fmt: skip
_CJK = frozenset({"gb2312", "gbk", "gb18030", "big5", "big5hkscs", "cp949", "cp932", "shift_jis", "euc-jp"})
_AMONG_LETTERS = re.compile(r"[A-Za-z][^\x00-\x7f]|[^\x00-\x7f][A-Za-z]")
_C1 = re.compile(rb"[\x80-\x9f]")
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before that of UTF-16, which it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""The byte order marks and the codecs that they are the marks of."""
_WIDE: Mapping[str, tuple[str, str]] = MappingProxyType({  # big-endian first: RFC 2781 4.3, without a mark
    **dict.fromkeys(("utf-16", "utf-16-be", "utf-16-le"), ("utf-16-be", "utf-16-le")),
    **dict.fromkeys(("utf-32", "utf-32-be", "utf-32-le"), ("utf-32-be", "utf-32-le")),
})  # fmt: skip
# Western text, as its octets show: accented letters alone, or one or two of them beside letters of ASCII, and the marks
# that go with them. Only letters that are the same in windows-1250 (Central European), and a word of one letter, as in
# French: of any other one nobody can say which of the two it is.
_LETTER = (
    rb"(?:[\xc1\xc2\xc4\xc7\xc9\xcb\xcd\xce\xd3\xd4\xd6\xda\xdc\xdf\xe1\xe2\xe4\xe7\xe9\xeb\xed\xee\xf3\xf4\xf6\xfa\xfc]"
    rb"|(?<![A-Za-z\x8a-\xff])\xe0(?![A-Za-z\x8a-\xff]))"
)
_MARK = rb"[\x80\x82\x84\x85\x91-\x97\x99\xa0\xa7\xa9\xab\xae\xb0\xbb]"
_WESTERN = re.compile(
    rb"(?:[\x00-\x7f]|%b|(?<=[A-Za-z])%b{1,2}(?!%b)|%b{1,2}(?=[A-Za-z])|(?<!%b)%b(?!%b))*+" % (_MARK, *[_LETTER] * 6)
)
_IN_A_WORD = re.compile(rb"[A-Za-z]%b|%b[A-Za-z]|[a-z]\x92[a-z]" % (_LETTER, _LETTER))  # without one it is a guess
_LOOKED_AT = 4096  # octets that are weighed where a label alone does not decide

Flaw = Literal["", "unknown", "wider", "contradicted", "undecodable"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """What some octets are: their ``text`` without byte order mark, and the Python ``codec`` they were read by.

    ``flaw`` is what is wrong with their label: nobody knows it (``unknown``), they hold what only a charset around it
    has (``wider``), they are something else (``contradicted``), or no label decodes them, and the text is a guess with
    U+FFFD in it (``undecodable``). ``detail`` says it in words.
    """

    text: str
    codec: str
    flaw: Flaw = ""
    detail: str = ""


REGISTERED = tuple(_REGISTERED)
"""The registered names of the charsets that are read and written here."""


def codec(label: str) -> str | None:
    """The Python codec that reads text of the charset ``label`` (in any case), or None if it is unknown."""
    return _CODECS.get(_bare(label))


def registered(label: str) -> str | None:
    """The registered name that the alias ``label`` stands for; None where it is one itself, or unknown."""
    return _ALIASES.get(_bare(label))


def by_number(label: str) -> str | None:
    """The registered name of the charset whose MIBenum ``label`` is; None where it is no such number."""
    bare = _bare(label)
    return _MIBENUMS.get(int(bare)) if bare.isascii() and bare.isdigit() and len(bare) < 5 else None


def name_of(codec: str) -> str:
    """The registered name of what the Python ``codec`` reads; the codec's own where it is none of the table's."""
    return next((name for name, found in _CODECS.items() if found == codec and name not in _ALIASES), codec)


def decodes(octets: bytes, codec: str) -> bool:
    """Whether the Python ``codec`` reads ``octets``."""
    return _try(octets, codec) is not None


def _bare(label: str) -> str:
    return label.strip("\"' \t").lower()


def decoded(octets: bytes, *labels: str | None, last: Iterable[str] = ()) -> Decoded:
    """The characters that ``octets`` are: by byte order mark, by ``labels`` (the first counts most), by themselves.

    Without a label they are UTF-8 if they can be. Valid UTF-8 under a label that says otherwise is UTF-8; UTF-16 and
    UTF-32 without mark are big-endian unless the octets show otherwise (RFC 2781 4.3). ``last`` are codecs to try where
    no label decodes them; after these, windows-1252 is, where they look like text in a Western language.
    """
    named = [(one, _codec_meant(one)) for one in labels if one is not None and one.strip("\"' \t")]
    unknown = next((label for label, found in named[:1] if codec(label) is None), None)
    codecs_named = [(label, found) for label, found in named if found is not None]
    read = _by_mark(octets, codecs_named) or _by_labels(octets, codecs_named) or _by_themselves(octets, named, last)
    read = replace(read, text=read.text.lstrip("\ufeff"))  # some write the mark twice, or in GB18030
    if unknown is None or read.flaw == "undecodable":
        return read
    number = by_number(unknown)
    what = f"{unknown} is the number of {number}, not its name" if number else f"no charset is called {unknown}"
    return Decoded(read.text, read.codec, "unknown", f"{what}; read as {read.codec}")


def _codec_meant(label: str) -> str | None:
    return codec(label) or _CODECS.get(by_number(label) or "")


def _by_mark(octets: bytes, named: list[tuple[str, str]]) -> Decoded | None:
    for mark, found in MARKS:
        text = _try(octets[len(mark) :], found) if octets.startswith(mark) else None
        if text is not None:
            label, expected = named[0] if named else ("", found)
            if _family(expected) == _family(found) and not (expected.endswith("e") and expected != found):
                return Decoded(text, found)
            return Decoded(text, found, "contradicted", f"{label}, but the byte order mark is that of {found}")
    return None


def _by_labels(octets: bytes, named: list[tuple[str, str]]) -> Decoded | None:
    for n, (label, found) in enumerate(named):
        read = _wide(octets, label, found) if found in _WIDE else _narrow(octets, label, found)
        if read is not None:
            if n and not read.flaw and not octets.isascii():
                why = _first_fault(octets, named[0][0], named[0][1])
                return Decoded(read.text, read.codec, "contradicted", f"{why}; read as {read.codec}")
            return read
    return None


def _narrow(octets: bytes, label: str, found: str) -> Decoded | None:
    """Octets labelled with a charset of single octets or of several, in which NUL is NUL."""
    if found != "utf-8" and _rather_utf_8(octets, found):
        return Decoded(octets.decode(), "utf-8", "contradicted", f"{label}, but the octets are UTF-8")
    if (shape := _shape(octets)) is not None and (text := _try(octets, shape)) is not None:
        return Decoded(text, shape, "contradicted", f"{label}, but the octets are {shape}")
    above = SUPERSETS.get(found)
    if above is not None and found not in _CJK and _C1.search(octets):
        octet = _C1.findall(octets)[0][0]
        text = _try(octets, above) if _try(octets, above) is not None else _try(octets, found)
        return Decoded(text or "", above, "wider", f"{label} has no octet {octet:#04x}; read as {above}")
    text = _try(octets, found)
    if text is not None:
        return Decoded(text, found)
    text = _try(octets, above) if above is not None else None
    return Decoded(text, above) if text is not None and above is not None else None


def _rather_utf_8(octets: bytes, found: str) -> bool:
    """Whether octets under the label of another charset are plainly UTF-8, and not just by chance."""
    text = None if octets.isascii() else _try(octets, "utf-8")
    if text is None or found.startswith("iso2022"):
        return False
    if found in _LATIN or _try(octets, found) is None:
        return True
    # Two octets of these are often enough two octets of UTF-8 as well: that takes a row of them, longer characters, or,
    # where two octets make a character of their own, one among letters of ASCII
    above = [one for one in text if not one.isascii()]
    if any(ord(one) > 0x7FF for one in above):
        return True
    return len(above) > 5 or _AMONG_LETTERS.search(text) is not None if found in _CJK else len(above) > 2


def _wide(octets: bytes, label: str, found: str) -> Decoded | None:
    """Octets labelled UTF-16 or UTF-32, without byte order mark."""
    big, little = _WIDE[found]
    expected = little if found.endswith("-le") else big
    other = big if expected is little else little
    if _is_narrow(octets, expected):
        return Decoded(octets.decode(), "utf-8", "contradicted", f"{label}, but the octets are UTF-8")
    shown = _endian(octets, expected, other, firmly=found != _family(found))
    text = _try(octets, shown)
    if text is None:
        size = 4 if shown.startswith("utf-32") else 2
        whole = _try(octets[: len(octets) // size * size], shown)
        flaw = f"{label} ends within a character"
        return Decoded(whole + "\ufffd", shown, "undecodable", flaw) if whole else None
    if shown == expected:
        return Decoded(text, shown)
    order = "little" if shown.endswith("-le") else "big"
    why = "without byte order mark that is big-endian" if found == _family(found) else "but the octets are not"
    return Decoded(text, shown, "contradicted", f"{label}, {why}; read as {order}-endian")


def _is_narrow(octets: bytes, expected: str) -> bool:
    """Whether octets that are labelled UTF-16 or UTF-32 are rather UTF-8: no NUL, and words in it."""
    if not octets or b"\0" in octets or _try(octets, "utf-8") is None:
        return False
    if _try(octets, expected) is None:
        return True
    if not octets.isascii():
        weighed = _weighed(octets, expected)
        return len(octets) >= 8 or (weighed is not None and weighed.unassigned > 0)
    # two letters make a Chinese character, and every other octet of Kana is a 0: only a row of words and blanks, as
    # various in one half of its octets as in the other, is taken for what it looks like
    start = octets[:_LOOKED_AT]
    words = sum(one.isalnum() or one == " " for one in start.decode("ascii"))
    kinds = min(len(set(start[::2])), len(set(start[1::2])))
    return len(start) >= 6 and words >= 0.85 * len(start) and (kinds >= 5 or kinds * 4 > len(start))


def _endian(octets: bytes, expected: str, other: str, *, firmly: bool) -> str:
    """``expected``, or ``other`` where the octets show that they are that; ``firmly``: the label names the order."""
    here, there = (_weighed(octets, one) for one in (expected, other))
    if there is None:
        return expected
    if here is None:
        return other
    if firmly:
        return other if there.plain == there.characters > 2 > here.plain else expected
    if here.unassigned != there.unassigned:
        return expected if here.unassigned < there.unassigned else other
    if not here.plain and (there.breaks or there.plain * 2 >= there.characters > 1):
        return other  # blanks and letters of ASCII, where the other order makes rare characters of them
    if here.rare * 4 >= here.characters > 1 and not there.rare:
        return other
    if there.characters >= 4 and there.hangul == there.characters > here.hangul and here.uppers > 2:
        return other  # Hangul has too many upper octets for what follows, and four of it stand nowhere by chance
    # the characters of one script share their upper octet, so that far fewer of them differ than of the lower ones
    return other if there.characters >= 4 and there.uppers * 2 <= here.uppers else expected


@dataclass(frozen=True, slots=True)
class _Weight:
    """How likely a reading of octets is text: its characters, and how many of them are what."""

    characters: int
    unassigned: int  # nobody's, or for private use, or for control
    rare: int  # of no script that messages are written in
    plain: int  # printable ASCII, or marks that end a clause
    breaks: int  # of these, blanks, line ends and marks
    hangul: int  # syllables of it
    uppers: int  # different upper octets


_BREAKS = frozenset("\t\n\r ,.!?、。，！？")  # noqa: RUF001
_USED = (  # Latin to Thai, Latin again, punctuation, signs, Kana, Han, Hangul, full width, emoji
    (0x0000, 0x0EFF), (0x1E00, 0x206F), (0x20A0, 0x27BF), (0x3000, 0x33FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF), (0xFE0F, 0xFFFD), (0x1F000, 0x1FAFF),
)  # fmt: skip


def _weighed(octets: bytes, name: str) -> _Weight | None:
    """A reading of the beginning of ``octets``; None where it is none."""
    size = 4 if name.startswith("utf-32") else 2
    start = octets[: min(_LOOKED_AT, len(octets) // size * size)]
    text = _try(start, name)
    if text is None and len(octets) > _LOOKED_AT:
        text = _try(start[:-2], name)  # which may have cut a pair of surrogates
    if text is None:
        return None
    return _Weight(
        characters=len(text),
        unassigned=sum(
            unicodedata.category(one) in ("Cn", "Co", "Cc") and one not in "\t\n\r\f" for one in text
        ),
        rare=sum(not any(first <= ord(one) <= last for first, last in _USED) for one in text),
        plain=sum(one in _BREAKS or (one.isascii() and one.isprintable()) for one in text),
        breaks=sum(one in _BREAKS for one in text),
        hangul=sum(0xAC00 <= ord(one) <= 0xD7A3 for one in text),
        uppers=len({ord(one) >> 8 for one in text}),
    )  # fmt: skip


def _shape(octets: bytes) -> str | None:
    """UTF-16 by its NULs: every other octet, or nearly so, as in any text with letters and blanks of ASCII."""
    start = octets[:_LOOKED_AT]
    if len(octets) < 4 or len(octets) % 2 or b"\0" not in start:
        return None
    upper, lower = start[::2].count(0), start[1::2].count(0)
    if min(upper, lower) or max(upper, lower) * 10 < 6 * (len(start) // 2):
        return None
    return "utf-16-be" if upper else "utf-16-le"


def _by_themselves(octets: bytes, named: list[tuple[str, str | None]], last: Iterable[str]) -> Decoded:
    """Octets that no label decodes."""
    label = next((one for one, found in named if found is not None), "")
    for found in _candidates(octets, last):
        text = _try(octets, found)
        if text is not None:
            certain = found == "utf-8" and not label
            detail = f"{_first_fault(octets, label, found)}; read as {found}" if label else f"read as {found}"
            return Decoded(text, found) if certain else Decoded(text, found, "contradicted", detail)
    best = next((found for _, found in named if found is not None), None) or "utf-8"
    for mark, found in MARKS:
        if octets.startswith(mark):
            shown = octets[len(mark) :].decode(found, "replace")
            return Decoded(shown, found, "undecodable", _first_fault(octets, label, found))
    best = {"ascii": "cp1252", **{one: pair[0] for one, pair in _WIDE.items() if one == _family(one)}}.get(best, best)
    return Decoded(octets.decode(best, "replace"), best, "undecodable", _first_fault(octets, label, best))


def _candidates(octets: bytes, last: Iterable[str]) -> Iterator[str]:
    shape = _shape(octets)
    if shape is not None:
        yield shape
    yield "utf-8"
    yield from last
    if _WESTERN.fullmatch(octets) and _IN_A_WORD.search(octets):
        yield "cp1252"


def _first_fault(octets: bytes, label: str, name: str) -> str:
    named = _codec_meant(label) if label else None
    try:
        octets.decode(_WIDE.get(named or name, (named or name,))[0])
    except UnicodeDecodeError as error:
        octet = error.object[error.start]
        return f"{label or name} has no octet {octet:#04x} at this place (octet {error.start} of the part)"
    return f"{label or name} does not decode"


def _family(name: str) -> str:
    return name.removesuffix("-le").removesuffix("-be")


def _try(octets: bytes, name: str) -> str | None:
    try:
        return octets.decode(name)
    except UnicodeDecodeError:
        return None
