"""Who a message comes from and goes to: numbers, mail addresses and short codes, with their value as sent.

Tells an address by its form, and judges no numbering plan. Refuses, with ``LocalError``, an empty address and control
characters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from mm7zeep.errors import LocalError
from mm7zeep.messages.lines import plain


@dataclass(frozen=True, slots=True)
class Address:
    """One address, with its value as sent (TS 23.140 8.7.8.2, XSD addressType).

    Made as ``Number``, ``RFC2822Address`` or ``ShortCode``. ``display_only`` marks an address that is shown to the
    recipients but not served. ``coding`` (``encrypted`` or ``obfuscated``) and ``id`` exist from REL-6-MM7-1-0 on.
    """

    value: str
    display_only: bool = field(default=False, kw_only=True)
    coding: str | None = field(default=None, kw_only=True)
    id: str | None = field(default=None, kw_only=True)
    kind: ClassVar[str] = "Address"

    def __post_init__(self) -> None:
        if type(self) is Address:
            raise TypeError("make a Number, RFC2822Address or ShortCode, or call address() to tell by form")
        plain(self.value, f"{self.kind} {self.value!r}")

    @property
    def bare(self) -> str:
        """The value without ``/TYPE=PLMN`` and what follows it, as carriers append it to numbers.

        One that is coded is as it is: what it looks like says nothing of the address in it.
        """
        if self.coding is not None:
            return self.value
        head, mark, _ = self.value.partition("/TYPE=")
        return head if mark else self.value

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Number(Address):
    """A telephone number, by custom E.164 with a leading ``+``."""

    kind: ClassVar[str] = "Number"


@dataclass(frozen=True, slots=True)
class RFC2822Address(Address):
    """A mail address."""

    kind: ClassVar[str] = "RFC2822Address"


@dataclass(frozen=True, slots=True)
class ShortCode(Address):
    """A short code of the operator's numbering plan."""

    kind: ClassVar[str] = "ShortCode"


AddressLike = Address | str


def address(value: AddressLike) -> Address:
    """Tell an address by its form: with an ``@`` an RFC2822Address, otherwise a Number.

    Raises ``LocalError`` for an empty one, and for what is neither text nor an ``Address``.
    """
    if isinstance(value, Address):
        return value
    if not isinstance(value, str):
        raise LocalError(f"an address is a str, Number, RFC2822Address or ShortCode, not {type(value).__name__}")
    if not value.strip():
        raise LocalError("an address is empty")
    return RFC2822Address(value) if "@" in value else Number(value)


def addresses(values: AddressLike | Iterable[AddressLike] | None) -> tuple[Address, ...]:
    """One address or several, as a tuple."""
    if values is None:
        return ()
    if isinstance(values, (str, bytes, Address)) or not isinstance(values, Iterable):
        return (address(values),)
    return tuple(address(value) for value in values)
