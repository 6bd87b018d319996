"""The messages of TS 23.140 MM7 (8.7), their addresses and parts, as frozen values.

``parties`` and ``parts`` are whom and what a message carries, ``elements`` its smaller pieces, ``kinds`` what every
message of one side shares, ``requests`` and ``responses`` the operations themselves. Names are the specification's, in
snake_case. A value is checked when made as far as no schema is needed; which elements a namespace has, and in which
form, is the writer's business (``envelope``). Refuses, with ``LocalError``, control characters where they could break a
header or a line.
"""

from __future__ import annotations

from mm7zeep.messages.elements import ChargedParty as ChargedParty
from mm7zeep.messages.elements import Extension, PreviouslySent, ReplyCharging, UACapabilities
from mm7zeep.messages.elements import MessageClass as MessageClass
from mm7zeep.messages.elements import Moment as Moment
from mm7zeep.messages.elements import Priority as Priority
from mm7zeep.messages.kinds import Message, Response, RsRequest, VaspRequest
from mm7zeep.messages.parties import Address, Number, RFC2822Address, ShortCode, address, addresses
from mm7zeep.messages.parties import AddressLike as AddressLike
from mm7zeep.messages.parts import Blob, Part
from mm7zeep.messages.requests import (
    CancelReq,
    DeliverReq,
    DeliveryReportReq,
    ExtendedCancelReq,
    ExtendedReplaceReq,
    ReadReplyReq,
    ReplaceReq,
    SubmitReq,
)
from mm7zeep.messages.responses import (
    CancelRsp,
    DeliverRsp,
    DeliveryReportRsp,
    ExtendedCancelRsp,
    ExtendedReplaceRsp,
    Fault,
    ReadReplyRsp,
    ReplaceRsp,
    RSErrorRsp,
    SubmitRsp,
    VASPErrorRsp,
)
from mm7zeep.status import Status

__all__ = [
    "Address", "Blob", "CancelReq", "CancelRsp", "DeliverReq", "DeliverRsp", "DeliveryReportReq", "DeliveryReportRsp",
    "ExtendedCancelReq", "ExtendedCancelRsp", "ExtendedReplaceReq", "ExtendedReplaceRsp", "Extension", "Fault",
    "Message", "Number", "Part", "PreviouslySent", "RFC2822Address", "RSErrorRsp", "ReadReplyReq", "ReadReplyRsp",
    "ReplaceReq", "ReplaceRsp", "ReplyCharging", "Response", "RsRequest", "ShortCode", "Status", "SubmitReq",
    "SubmitRsp", "UACapabilities", "VASPErrorRsp", "VaspRequest", "address", "addresses",
]  # fmt: skip
