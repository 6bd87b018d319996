"""Charset labels as met in MM7: which Python codec reads one, and which are not the registered name.

A closed table, on purpose: Python's own lookup remembers every label it was ever asked for, and knows codecs that run
in quadratic time or are no charsets at all. What is not in the table is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
    "cp1252": "windows-1252", "utf16": "utf-16", "ucs-2": "utf-16", "utf-16-le": "utf-16le", "utf-16-be": "utf-16be",
    "ks_c_5601-1987": "euc-kr", "ks_c_5601-1989": "euc-kr", "ksc_5601": "euc-kr", "ksc5601": "euc-kr",
    "ks_c_5601": "euc-kr",
    "euckr": "euc-kr", "euc_kr": "euc-kr", "cp949": "euc-kr", "ms949": "euc-kr", "uhc": "euc-kr",
    "cp936": "gbk", "ms936": "gbk", "x-gbk": "gbk", "gb_2312-80": "gb2312", "gb2312-80": "gb2312", "euc-cn": "gb2312",
    "euccn": "gb2312", "big-5": "big5", "cp950": "big5", "sjis": "shift_jis", "shift-jis": "shift_jis",
    "x-sjis": "shift_jis",
    "ms_kanji": "shift_jis", "cp932": "windows-31j", "eucjp": "euc-jp",
}  # fmt: skip

_CODECS: Mapping[str, str] = MappingProxyType(
    {**_REGISTERED, **{alias: _REGISTERED[name] for alias, name in _ALIASES.items()}, "euc-kr": "cp949"}
    | {alias: "cp949" for alias, name in _ALIASES.items() if name == "euc-kr"}
)


def codec(label: str) -> str | None:
    """The Python codec that reads text of the charset ``label`` (in any case), or None if it is unknown."""
    return _CODECS.get(label.strip().lower())


def registered(label: str) -> str | None:
    """The registered name that the alias ``label`` stands for; None where it is one itself, or unknown."""
    return _ALIASES.get(label.strip().lower())
