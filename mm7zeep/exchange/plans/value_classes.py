"""The classes of values that the plain path treats alike, by the element that holds them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from mm7zeep.envelope import moment_value
from mm7zeep.messages import Address

Value = Any


@dataclass(frozen=True, slots=True)
class ValueClass:
    """Values that the plain path treats alike: their octets, the value they stand for, and the ``n``-th of them."""

    pattern: bytes
    value: Callable[[str], Value]
    example: Callable[[int], str]


def _date(n: int) -> str:
    return f"20{n // 360 % 60 + 30:02}-{n // 30 % 12 + 1:02}-01T{n % 24:02}:{n % 59:02}:07"


TOKEN = ValueClass(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", str, lambda n: f"q{n}.Example-{n}")
PLUS = ValueClass(rb"\+[0-9]{3,20}", str, lambda n: f"+999{n:06}")
DIGITS = ValueClass(rb"[0-9]{1,20}", str, lambda n: f"8{n:05}")
MAIL = ValueClass(rb"[A-Za-z][A-Za-z0-9._-]{0,60}@[A-Za-z][A-Za-z0-9.-]{0,60}", str, lambda n: f"q{n}@q.example")
LINE = ValueClass(
    rb"[!-%'-;=?-~](?:[ -%'-;=?-~]{0,998}[!-%'-;=?-~])?", str, lambda n: f'Line {n}, an (example): it\'s "{n}"'
)
_WIDE = ValueClass(
    rb"[!-%'-;=?-~](?:(?:[ -%'-;=?-~]|\xc3[\x80-\xbf]|[\xe4-\xe9][\x80-\xbf]{2}|\xd0[\x90-\xbf]|\xd1[\x80-\x8f]){0,998}"
    rb"[!-%'-;=?-~])?",
    str,
    lambda n: f"L\u00e4ne {n} \u6771\u4eac \u0416 {n}",
)
_ZULU = ValueClass(
    rb"20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z",
    moment_value,
    lambda n: _date(n) + "Z",
)
_ZONED = ValueClass(
    _ZULU.pattern[:-1] + rb"[+-](?:0[0-9]|1[0-2]):[0-5][0-9]", moment_value, lambda n: f"{_date(n)}+{n % 12:02}:30"
)
_EXACT = ValueClass(_ZULU.pattern[:-1] + rb"\.[0-9]{1,6}Z", moment_value, lambda n: f"{_date(n)}.{n % 9 + 1}23456Z")
_EXACT_ZONED = ValueClass(
    _ZULU.pattern[:-1] + rb"\.[0-9]{1,6}[+-](?:0[0-9]|1[0-2]):[0-5][0-9]",
    moment_value,
    lambda n: f"{_date(n)}.{n % 9 + 1}23456+{n % 12:02}:30",
)
CID = ValueClass(
    rb"cid:[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:@[A-Za-z0-9][A-Za-z0-9._-]{0,99})?", str, lambda n: f"cid:q{n}@q"
)

MOMENTS = (_ZULU, _ZONED, _EXACT, _EXACT_ZONED)
CLASSES: Mapping[bytes, tuple[ValueClass, ...]] = {
    **dict.fromkeys((b"TransactionID", b"MessageID", b"LinkedID", b"VASPID", b"VASID", b"ServiceCode"), (TOKEN,)),
    b"Number": (PLUS, DIGITS),
    b"ShortCode": (DIGITS,),
    b"RFC2822Address": (MAIL,),
    **dict.fromkeys((b"Subject", b"StatusText"), (TOKEN, LINE, _WIDE)),
    **dict.fromkeys((b"TimeStamp", b"Date", b"ExpiryDate", b"EarliestDeliveryTime"), MOMENTS),
}
REFERENCE = (CID,)


@cache
def pattern_of(classes: tuple[ValueClass, ...], wide: bool) -> re.Pattern[bytes]:
    """Which class octets belong to: that of the group that matches."""
    return re.compile(
        b"|".join(b"(" + (one.pattern if one is not _WIDE or wide else b"(?!)") + b")" for one in classes)
    )


class Slot(NamedTuple):
    """One text of a shape: which classes it may be of, none where its octets are its mark."""

    classes: tuple[ValueClass, ...]
    pattern: re.Pattern[bytes] | None


def with_value(address: Address, value: str) -> Address:
    """The same address with another value of its class, which holds nothing that an address refuses."""
    made = object.__new__(type(address))
    put = object.__setattr__
    put(made, "value", value)
    put(made, "display_only", address.display_only)
    put(made, "coding", address.coding)
    put(made, "id", address.id)
    return made
