"""The responses of MM7, and the Fault that stands in their place.

Every answer has its Status; a Fault has that of its detail, or the one its fault code means.
"""

from __future__ import annotations

from dataclasses import dataclass

from mm7zeep.messages.kinds import NOTHING, Attributes, Message, Response, coerce, pairs
from mm7zeep.status import Status


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
    """MM7_deliver.RES. ``service_code``, and ``service_code_attributes`` of other namespaces, exist from REL-5-MM7-1-1
    on.
    """

    service_code: str | None = None
    service_code_attributes: Attributes = NOTHING

    def __post_init__(self) -> None:
        coerce(self, service_code_attributes=pairs)


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
