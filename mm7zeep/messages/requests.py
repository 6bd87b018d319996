"""The requests of MM7: those of the VASP, and those of the MMS Relay/Server.

Every field that the schemas make optional is optional here. Refuses what its ``kinds`` refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mm7zeep.messages.elements import Moment, PreviouslySent, ReplyCharging, UACapabilities
from mm7zeep.messages.kinds import (
    NOBODY,
    NOTHING,
    Attributes,
    ManyAddresses,
    Message,
    OneAddress,
    Parts,
    RsRequest,
    VaspRequest,
    coerce,
    line,
    listed,
    many,
    one,
    pairs,
)
from mm7zeep.messages.parties import Address

# --- requests of the VASP (TS 23.140 8.7.1, 8.7.3, 8.7.5A) ------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReq(VaspRequest):
    """MM7_submit.REQ: an MM from the VASP to recipients (TS 23.140 8.7.1).

    ``to``, ``cc`` and ``bcc`` take an address or several. ``delivery_condition`` is text in REL-6-MM7-1-3 and numbers
    in REL-6-MM7-1-4. ``service_code_attributes`` are those of other namespaces, such as ``{urn:x}tariff``: pairs or a
    mapping. ``distribution_indicator`` is written as DistributionProtection in REL-5-MM7-1-0.
    ``content_href`` is what was received; a writer makes its own.
    """

    to: ManyAddresses = NOTHING
    cc: ManyAddresses = NOTHING
    bcc: ManyAddresses = NOTHING
    service_code: str | None = None
    service_code_attributes: Attributes = NOTHING
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
    parts: Parts = NOTHING

    def __post_init__(self) -> None:
        coerce(self, sender_address=one, to=many, cc=many, bcc=many, parts=listed, subject=line)
        coerce(self, service_code_attributes=pairs)

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
    service_code_attributes: Attributes = NOTHING
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
    parts: Parts = NOTHING

    def __post_init__(self) -> None:
        coerce(self, sender_address=one, parts=listed, service_code_attributes=pairs)


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
    service_code_attributes: Attributes = NOTHING
    replace_id: str | None = None
    time_stamp: datetime | None = None
    earliest_delivery_time: Moment | None = None
    expiry_date: Moment | None = None
    read_reply: bool | None = None
    delivery_report: bool | None = None
    content_href: str | None = None
    allow_adaptations: bool | None = None
    parts: Parts = NOTHING

    def __post_init__(self) -> None:
        coerce(self, parts=listed, service_code_attributes=pairs)


# --- requests of the MMS Relay/Server (TS 23.140 8.7.2, 8.7.4, 8.7.5) -------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverReq(RsRequest):
    """MM7_deliver.REQ: an MM from a subscriber to the VASP (TS 23.140 8.7.2)."""

    sender: OneAddress = NOBODY
    vaspid: str | None = None
    vasid: str | None = None
    linked_id: str | None = None
    to: ManyAddresses = NOTHING
    cc: ManyAddresses = NOTHING
    bcc: ManyAddresses = NOTHING
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
    parts: Parts = NOTHING

    def __post_init__(self) -> None:
        coerce(self, sender=one, to=many, cc=many, bcc=many, parts=listed, previously_sent=listed, subject=line)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReportReq(RsRequest):
    """MM7_delivery_report.REQ: what became of a submitted MM at one recipient (TS 23.140 8.7.4).

    ``date`` is written as Date or TimeStamp, whichever the namespace has. An MMStatus that the schema does not list
    is read as Indeterminate, with the value as sent in ``unparsed``. ``message_id`` is that of the answer to the
    submit. The TransactionID is of the request that brings the report (``Received.transaction_id``), not of the submit.
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
        coerce(self, sender=one, recipient=one)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReplyReq(RsRequest):
    """MM7_read_reply_report.REQ: a recipient has read or deleted a submitted MM (TS 23.140 8.7.5).

    Its ids are as those of a ``DeliveryReportReq``.
    """

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
        coerce(self, sender=one, recipient=one)
