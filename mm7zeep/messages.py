"""The messages of TS 23.140 MM7 (8.7), their addresses and parts, as frozen values.

Names are the specification's, in snake_case. A value is checked when made as far as no schema is needed; which
elements a namespace has, and in which form, is the writer's business (``envelope``). Refuses, with ``ValueError``,
control characters where they could break a header or a line.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

from isodate import Duration

from mm7zeep import charsets
from mm7zeep.status import Status

__all__ = [
    "Address", "Blob", "CancelReq", "CancelRsp", "DeliverReq", "DeliverRsp", "DeliveryReportReq", "DeliveryReportRsp",
    "ExtendedCancelReq", "ExtendedCancelRsp", "ExtendedReplaceReq", "ExtendedReplaceRsp", "Extension", "Fault",
    "Message", "Number", "Part", "PreviouslySent", "RFC2822Address", "RSErrorRsp", "ReadReplyReq", "ReadReplyRsp",
    "ReplaceReq", "ReplaceRsp", "ReplyCharging", "Response", "RsRequest", "ShortCode", "Status", "SubmitReq",
    "SubmitRsp", "UACapabilities", "VASPErrorRsp", "VaspRequest", "address", "addresses",
]  # fmt: skip

Moment: TypeAlias = datetime | timedelta | Duration
"""relativeOrAbsoluteDateType: a point in time (with zone) or a span from now."""

Priority = Literal["Normal", "High", "Low"]
MessageClass = Literal["Personal", "Informational", "Advertisement", "Auto"]
ChargedParty = Literal["Sender", "Recipient", "Both", "Neither", "ThirdParty"]


def _plain(value: str, what: str) -> str:
    for character in value:
        if (
            (character < " " and character != "\t")
            or character in "\x7f\ufffe\uffff"
            or "\ud800" <= character <= "\udfff"
        ):
            raise ValueError(f"{what} holds the control character {character!r}; remove it")
    return value


# --- addresses ------------------------------------------------------------------------------------------------------


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
        _plain(self.value, f"{self.kind} {self.value!r}")

    @property
    def bare(self) -> str:
        """The value without ``/TYPE=PLMN`` and what follows it, as carriers append it to numbers."""
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
    """Tell an address by its form: with an ``@`` an RFC2822Address, otherwise a Number. Raises ``ValueError`` if
    empty.
    """
    if isinstance(value, Address):
        return value
    if not value.strip():
        raise ValueError("an address is empty")
    return RFC2822Address(value) if "@" in value else Number(value)


def addresses(values: AddressLike | Iterable[AddressLike] | None) -> tuple[Address, ...]:
    """One address or several, as a tuple."""
    if values is None:
        return ()
    if isinstance(values, (str, Address)):
        return (address(values),)
    return tuple(address(value) for value in values)


# --- content --------------------------------------------------------------------------------------------------------


@runtime_checkable
class Blob(Protocol):
    """Bytes kept elsewhere than in memory: ``size`` in octets, ``open()`` gives a fresh stream from the first one."""

    @property
    def size(self) -> int: ...

    def open(self) -> BinaryIO: ...


_CHUNK = 65536  # octets read at a time from a file or blob


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One media part: its bytes (in memory, in a file, or in a ``Blob``) and its MIME labels.

    ``content_type`` is the bare media type, ``parameters`` its parameters; ``content_id`` stands without angle
    brackets; ``name`` is the file name that the sender gave, never a path to write to. ``headers`` are all other
    header fields, in order, as sent (vendors route by them).

    Raises ``ValueError`` for CR, LF, NUL or another control character in a label (RFC 2045 3).
    """

    body: bytes | Path | Blob
    content_type: str = "application/octet-stream"
    parameters: tuple[tuple[str, str], ...] = ()
    content_id: str | None = None
    content_location: str | None = None
    name: str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        labels = [("Content-Type", self.content_type), *((f"parameter {n}", v) for n, v in self.parameters)]
        labels += [("Content-ID", self.content_id or ""), ("Content-Location", self.content_location or "")]
        labels += [("name", self.name or ""), *((f"header {n}", n + v) for n, v in self.headers)]
        for what, value in labels:
            _plain(value, what)

    @property
    def charset(self) -> str | None:
        return next((value for name, value in self.parameters if name.lower() == "charset"), None)

    @property
    def size(self) -> int:
        """Octets of the decoded content."""
        if isinstance(self.body, bytes):
            return len(self.body)
        if isinstance(self.body, Path):
            return self.body.stat().st_size
        return self.body.size

    def open(self) -> BinaryIO:
        """A fresh stream of the decoded content; close it."""
        if isinstance(self.body, bytes):
            return io.BytesIO(self.body)
        if isinstance(self.body, Path):
            return self.body.open("rb")
        return self.body.open()

    def chunks(self) -> Iterator[bytes]:
        """The decoded content, 64 KiB at a time."""
        if isinstance(self.body, bytes):
            yield from (self.body[at : at + _CHUNK] for at in range(0, len(self.body), _CHUNK))
            return
        with self.open() as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    def read(self) -> bytes:
        """The whole decoded content, in memory."""
        return self.body if isinstance(self.body, bytes) else b"".join(self.chunks())

    def text(self) -> str:
        """The content as text, by its charset (UTF-8 where none is named); undecodable bytes become U+FFFD."""
        return self.read().decode(charsets.codec(self.charset or "utf-8") or "utf-8", "replace")

    def sha256(self) -> str:
        """The SHA-256 of the decoded content, in hexadecimal."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()

    def save(self, target: str | os.PathLike[str]) -> Path:
        """Write the content to ``target``, a path of your choosing (never made from ``name``). Raises
        ``FileExistsError``.
        """
        path = Path(target)
        with path.open("xb") as stream:
            for chunk in self.chunks():
                stream.write(chunk)
        return path


# --- what messages are made of ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """One element that the schema does not know, kept as sent: its parent's local name, the place there, and its
    XML.
    """

    parent: str
    index: int
    name: str
    xml: str

    @property
    def text(self) -> str:
        """The text directly inside, for the usual flat vendor element."""
        start, end = self.xml.find(">"), self.xml.rfind("</")
        return self.xml[start + 1 : end] if 0 <= start < end else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyCharging:
    """ReplyCharging: the sender pays for a reply of at most ``size`` octets, until ``deadline``."""

    size: int | None = None
    deadline: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UACapabilities:
    """What the recipient's handset can do (REL-6-MM7-1-4): ``ua_prof`` names its profile, by custom a URL."""

    ua_prof: str | None = None
    time_stamp: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviouslySent:
    """One earlier sender of a forwarded message (release 6), with its place in the ``sequence`` and when it was
    sent.
    """

    sequence: int | None = None
    address: Address | None = None
    moment: Moment | None = None


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
        _coerce(self, sender_address=_one)


@dataclass(frozen=True, slots=True, kw_only=True)
class RsRequest(Message):
    """What every request of an MMS Relay/Server carries."""

    mms_relay_server_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Message):
    """What every answer carries: its Status."""

    status: Status = field(default_factory=lambda: Status(1000))


_Coercion = Callable[[object], object]


def _one(value: object) -> object:
    return None if value is None else address(value)  # type: ignore[arg-type]


def _many(value: object) -> object:
    return addresses(value)  # type: ignore[arg-type]


def _list(value: object) -> object:
    return tuple(value)  # type: ignore[arg-type]


def _line(value: object) -> object:
    return None if value is None else _plain(str(value), "Subject")


def _coerce(message: Message, **fields: _Coercion) -> None:
    for name, coercion in fields.items():
        object.__setattr__(message, name, coercion(getattr(message, name)))


# --- requests of the VASP (TS 23.140 8.7.1, 8.7.3, 8.7.5A) ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReq(VaspRequest):
    """MM7_submit.REQ: an MM from the VASP to recipients (TS 23.140 8.7.1).

    ``to``, ``cc`` and ``bcc`` take an address or several. ``delivery_condition`` is text in REL-6-MM7-1-3 and numbers
    in REL-6-MM7-1-4. ``distribution_indicator`` is written as DistributionProtection in REL-5-MM7-1-0.
    ``content_href`` is what was received; a writer makes its own.
    """

    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    service_code: str | None = None
    linked_id: str | None = None
    message_class: str | None = None
    time_stamp: datetime | None = None
    reply_charging: ReplyCharging | None = None
    earliest_delivery_time: Moment | None = None
    expiry_date: Moment | None = None
    delivery_report: bool | None = None
    read_reply: bool | None = None
    priority: str | None = None
    subject: str | None = None
    charged_party: str | None = None
    charged_party_id: str | None = None
    distribution_indicator: bool | None = None
    delivery_condition: str | tuple[int, ...] | None = None
    applic_id: str | None = None
    reply_applic_id: str | None = None
    aux_applic_info: str | None = None
    content_class: str | None = None
    drm_content: bool | None = None
    content_href: str | None = None
    allow_adaptations: bool | None = None
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        _coerce(self, sender_address=_one, to=_many, cc=_many, bcc=_many, parts=_list, subject=_line)

    @property
    def recipients(self) -> tuple[Address, ...]:
        """Everybody to be served: to, cc and bcc without those that are only displayed."""
        return tuple(one for one in (*self.to, *self.cc, *self.bcc) if not one.display_only)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReq(VaspRequest):
    """MM7_cancel.REQ: take back a message that was not delivered yet (TS 23.140 8.7.3)."""

    message_id: str
    applic_id: str | None = None
    reply_applic_id: str | None = None
    aux_applic_info: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceReq(VaspRequest):
    """MM7_replace.REQ: put another content in the place of a message not delivered yet (TS 23.140 8.7.3)."""

    message_id: str
    service_code: str | None = None
    time_stamp: datetime | None = None
    read_reply: bool | None = None
    earliest_delivery_time: Moment | None = None
    distribution_indicator: bool | None = None
    content_class: str | None = None
    drm_content: bool | None = None
    applic_id: str | None = None
    reply_applic_id: str | None = None
    aux_applic_info: str | None = None
    content_href: str | None = None
    allow_adaptations: bool | None = None
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        _coerce(self, sender_address=_one, parts=_list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedCancelReq(VaspRequest):
    """MM7_extended_cancel.REQ (TS 23.140 8.7.5A, REL-6-MM7-1-4 only); the element is ``extendedCancelReq``."""

    cancel_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedReplaceReq(Message):
    """MM7_extended_replace.REQ (TS 23.140 8.7.5A, REL-6-MM7-1-4 only). It has no SenderIdentification around VASPID
    and VASID.
    """

    vaspid: str | None = None
    vasid: str | None = None
    service_code: str | None = None
    replace_id: str | None = None
    time_stamp: datetime | None = None
    earliest_delivery_time: Moment | None = None
    expiry_date: Moment | None = None
    read_reply: bool | None = None
    delivery_report: bool | None = None
    content_href: str | None = None
    allow_adaptations: bool | None = None
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        _coerce(self, parts=_list)


# --- requests of the MMS Relay/Server (TS 23.140 8.7.2, 8.7.4, 8.7.5) -------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverReq(RsRequest):
    """MM7_deliver.REQ: an MM from a subscriber to the VASP (TS 23.140 8.7.2)."""

    sender: Address | None = None
    vaspid: str | None = None
    vasid: str | None = None
    linked_id: str | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    previously_sent: tuple[PreviouslySent, ...] = ()
    sender_spi: str | None = None
    recipient_spi: str | None = None
    time_stamp: datetime | None = None
    reply_charging_id: str | None = None
    priority: str | None = None
    subject: str | None = None
    applic_id: str | None = None
    reply_applic_id: str | None = None
    aux_applic_info: str | None = None
    ua_capabilities: UACapabilities | None = None
    content_href: str | None = None
    allow_adaptations: bool | None = None
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        _coerce(self, sender=_one, to=_many, cc=_many, bcc=_many, parts=_list, previously_sent=_list, subject=_line)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReportReq(RsRequest):
    """MM7_delivery_report.REQ: what became of a submitted MM at one recipient (TS 23.140 8.7.4).

    ``date`` is written as Date or TimeStamp, whichever the namespace has. An MMStatus that the schema does not list
    is read as Indeterminate, with the value as sent in ``unparsed``.
    """

    message_id: str
    recipient: Address
    sender: Address
    date: datetime | None = None
    mm_status: str
    mm_status_extension: str | None = None
    status_text: str | None = None
    applic_id: str | None = None
    reply_applic_id: str | None = None
    aux_applic_info: str | None = None
    ua_capabilities: UACapabilities | None = None

    def __post_init__(self) -> None:
        _coerce(self, sender=_one, recipient=_one)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReplyReq(RsRequest):
    """MM7_read_reply_report.REQ: a recipient has read or deleted a submitted MM (TS 23.140 8.7.5)."""

    message_id: str
    recipient: Address
    sender: Address
    time_stamp: datetime | None = None
    mm_status: str
    status_text: str | None = None
    applic_id: str | None = None
    reply_applic_id: str | None = None
    aux_applic_info: str | None = None

    def __post_init__(self) -> None:
        _coerce(self, sender=_one, recipient=_one)


# --- answers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitRsp(Response):
    """MM7_submit.RES. ``message_id`` is what reports, cancel and replace refer to; REL-5-MM7-1-0 has no place for
    it.
    """

    message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRsp(Response):
    """MM7_cancel.RES."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceRsp(Response):
    """MM7_replace.RES."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedCancelRsp(Response):
    """MM7_extended_cancel.RES; its Status has a StatusCode only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedReplaceRsp(Response):
    """MM7_extended_replace.RES; its Status has a StatusCode only."""

    message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverRsp(Response):
    """MM7_deliver.RES. ``service_code`` exists from REL-5-MM7-1-1 on."""

    service_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReportRsp(Response):
    """MM7_delivery_report.RES."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReplyRsp(Response):
    """MM7_read_reply_report.RES."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RSErrorRsp(Response):
    """What a Fault of the MMS Relay/Server carries in its detail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VASPErrorRsp(Response):
    """What a Fault of the VASP carries in its detail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(Message):
    """A SOAP 1.1 Fault (4.4): ``fault_code`` without its prefix, and the RSErrorRsp or VASPErrorRsp of its detail, if
    any.
    """

    fault_code: str
    fault_string: str
    fault_actor: str | None = None
    error: RSErrorRsp | VASPErrorRsp | None = None

    @property
    def status(self) -> Status:
        """The status of the detail; without one, 2000 for a Client fault and 3000 for any other, with the
        faultstring.
        """
        if self.error is not None:
            return self.error.status
        return Status(2000 if self.fault_code.startswith("Client") else 3000, self.fault_string)
