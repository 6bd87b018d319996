"""What the messages of one side share: all of them, the requests of either side, the answers.

Fields are brought into their form here when a message is made (one address or several, tuples, a subject of one line).
Refuses, with ``LocalError``, an empty address and control characters in a subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mm7zeep.messages.elements import Extension
from mm7zeep.messages.lines import plain
from mm7zeep.messages.parties import Address, AddressLike, address, addresses
from mm7zeep.messages.parts import Part
from mm7zeep.status import Status

if TYPE_CHECKING:

    class OneAddress:
        """For type checkers: what is given may be text, what is there is an ``Address`` or None."""

        def __get__(self, message: object, owner: object = None) -> Address | None: ...
        def __set__(self, message: object, value: AddressLike | None) -> None: ...

    class ManyAddresses:
        """For type checkers: one address or several are given, text or not; what is there are ``Address`` values."""

        def __get__(self, message: object, owner: object = None) -> tuple[Address, ...]: ...
        def __set__(self, message: object, value: AddressLike | Iterable[AddressLike] | None) -> None: ...

    class Parts:
        """For type checkers: any iterable of parts is given; what is there is a tuple."""

        def __get__(self, message: object, owner: object = None) -> tuple[Part, ...]: ...
        def __set__(self, message: object, value: Iterable[Part]) -> None: ...

    class Attributes:
        """For type checkers: pairs or a mapping of names and values are given; what is there are pairs."""

        def __get__(self, message: object, owner: object = None) -> tuple[tuple[str, str], ...]: ...
        def __set__(self, message: object, value: Mapping[str, str] | Iterable[tuple[str, str]] | None) -> None: ...

    NOBODY: Any = None
    NOTHING: Any = ()
else:
    OneAddress, ManyAddresses, Parts = Address | None, tuple[Address, ...], tuple[Part, ...]
    Attributes = tuple[tuple[str, str], ...]
    NOBODY, NOTHING = None, ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What all MM7 messages share.

    ``mm7_version`` None means the profile's. ``extensions`` are elements the schema does not know, in order;
    ``unparsed`` are (element, value) pairs whose value could not be understood: the value is kept, the field is None.
    """

    mm7_version: str | None = None
    extensions: tuple[Extension, ...] = ()
    unparsed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VaspRequest(Message):
    """What every request of a VASP carries: who asks (SenderIdentification)."""

    vaspid: str | None = None
    vasid: str | None = None
    sender_address: Address | None = None

    def __post_init__(self) -> None:
        coerce(self, sender_address=one)


@dataclass(frozen=True, slots=True, kw_only=True)
class RsRequest(Message):
    """What every request of an MMS Relay/Server carries."""

    mms_relay_server_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Message):
    """What every answer carries: its Status."""

    status: Status = field(default_factory=lambda: Status(1000))


Coercion = Callable[[object], object]


def one(value: object) -> object:
    """An address, or None."""
    return None if value is None else address(value)  # type: ignore[arg-type]


def many(value: object) -> object:
    """Addresses, from none, one or several."""
    return addresses(value)  # type: ignore[arg-type]


def listed(value: object) -> object:
    """Any iterable as a tuple."""
    return tuple(value)  # type: ignore[arg-type]


def line(value: object) -> object:
    """A subject, or None. Raises ``LocalError`` for control characters."""
    return None if value is None else plain(str(value), "Subject")


def pairs(value: object) -> object:
    """Attributes as pairs of name and value: from pairs, a mapping or None."""
    given = value.items() if isinstance(value, Mapping) else value or ()
    return tuple((str(name), str(text)) for name, text in given)  # type: ignore[attr-defined]


def coerce(message: Message, **fields: Coercion) -> None:
    """Bring fields of a message that is being made into their form."""
    for name, coercion in fields.items():
        object.__setattr__(message, name, coercion(getattr(message, name)))
