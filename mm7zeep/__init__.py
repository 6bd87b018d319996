"""MM7 for Python: send and receive MMS over SOAP with Attachments (3GPP TS 23.140).

This is the front door: it names what is public and opens a room only when a name is asked for (PEP 562), so that
``import mm7zeep`` costs nothing. Refuses every name that is not in its table.

PYTEST_DONT_REWRITE: no assert is here, and a pytest that finds the package imported before it shall not warn of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mm7zeep.client import AsyncMmscClient, AsyncVaspClient, MmscClient, Retry, VaspClient, part_of
    from mm7zeep.credentials import Basic, Bearer, Digest
    from mm7zeep.errors import (
        AuthError,
        EnvelopeError,
        LimitError,
        LocalError,
        MimeError,
        Mm7Error,
        RemoteError,
        SchemaError,
        StatusError,
        TransportError,
        VersionError,
    )
    from mm7zeep.exchange import Received, Wire
    from mm7zeep.exchange.pack import pack
    from mm7zeep.exchange.unpack import unpack
    from mm7zeep.findings import Finding
    from mm7zeep.fitting.fit import Fitted, fit
    from mm7zeep.messages import (
        Address,
        Blob,
        CancelReq,
        CancelRsp,
        DeliverReq,
        DeliverRsp,
        DeliveryReportReq,
        DeliveryReportRsp,
        ExtendedCancelReq,
        ExtendedCancelRsp,
        ExtendedReplaceReq,
        ExtendedReplaceRsp,
        Extension,
        Fault,
        Message,
        Number,
        Part,
        PreviouslySent,
        ReadReplyReq,
        ReadReplyRsp,
        ReplaceReq,
        ReplaceRsp,
        ReplyCharging,
        Response,
        RFC2822Address,
        RSErrorRsp,
        RsRequest,
        ShortCode,
        Status,
        SubmitReq,
        SubmitRsp,
        UACapabilities,
        VASPErrorRsp,
        VaspRequest,
        address,
        addresses,
    )
    from mm7zeep.profiles import Profile, profile
    from mm7zeep.receiver import Receiver
    from mm7zeep.transport import SwaTransport, Timeouts, ValidationPlugin, attach, zeep_client

    __version__: str

__all__ = [
    "Address", "AsyncMmscClient", "AsyncVaspClient", "AuthError", "Basic", "Bearer", "Blob", "CancelReq", "CancelRsp",
    "DeliverReq", "DeliverRsp", "DeliveryReportReq", "DeliveryReportRsp", "Digest", "EnvelopeError",
    "ExtendedCancelReq", "ExtendedCancelRsp", "ExtendedReplaceReq", "ExtendedReplaceRsp", "Extension", "Fault",
    "Finding", "Fitted", "LimitError", "LocalError", "Message", "MimeError", "Mm7Error", "MmscClient", "Number", "Part",
    "PreviouslySent", "Profile", "RFC2822Address", "RSErrorRsp", "ReadReplyReq", "ReadReplyRsp", "Received",
    "Receiver", "RemoteError", "ReplaceReq", "ReplaceRsp", "ReplyCharging", "Response", "Retry", "RsRequest",
    "SchemaError", "ShortCode", "Status", "StatusError", "SubmitReq", "SubmitRsp", "SwaTransport", "Timeouts",
    "TransportError", "UACapabilities", "VASPErrorRsp", "ValidationPlugin", "VaspClient", "VaspRequest",
    "VersionError", "Wire", "__version__", "address", "addresses", "attach", "fit", "pack", "part_of", "profile",
    "unpack", "zeep_client",
]  # fmt: skip

_HOMES: Mapping[str, str] = MappingProxyType({
    "VaspClient": "client", "MmscClient": "client", "AsyncVaspClient": "client", "AsyncMmscClient": "client",
    "Retry": "client", "part_of": "client", "Timeouts": "transport", "attach": "transport",
    "Basic": "credentials", "Digest": "credentials", "Bearer": "credentials",
    "Receiver": "receiver",
    "pack": "exchange.pack", "unpack": "exchange.unpack", "Wire": "exchange", "Received": "exchange",
    "zeep_client": "transport", "SwaTransport": "transport", "ValidationPlugin": "transport",
    "Profile": "profiles", "profile": "profiles",
    "Finding": "findings",
    "fit": "fitting.fit", "Fitted": "fitting.fit",
    "Mm7Error": "errors", "LocalError": "errors", "RemoteError": "errors", "MimeError": "errors",
    "EnvelopeError": "errors", "SchemaError": "errors", "VersionError": "errors", "LimitError": "errors",
    "StatusError": "errors", "AuthError": "errors", "TransportError": "errors",
    "Message": "messages", "VaspRequest": "messages", "RsRequest": "messages", "Response": "messages",
    "SubmitReq": "messages", "SubmitRsp": "messages", "DeliverReq": "messages", "DeliverRsp": "messages",
    "CancelReq": "messages", "CancelRsp": "messages", "ReplaceReq": "messages", "ReplaceRsp": "messages",
    "ExtendedCancelReq": "messages", "ExtendedCancelRsp": "messages", "ExtendedReplaceReq": "messages",
    "ExtendedReplaceRsp": "messages", "DeliveryReportReq": "messages", "DeliveryReportRsp": "messages",
    "ReadReplyReq": "messages", "ReadReplyRsp": "messages", "RSErrorRsp": "messages", "VASPErrorRsp": "messages",
    "Fault": "messages", "Status": "messages", "Part": "messages", "Blob": "messages", "Extension": "messages",
    "Address": "messages", "Number": "messages", "RFC2822Address": "messages", "ShortCode": "messages",
    "address": "messages", "addresses": "messages", "ReplyCharging": "messages", "PreviouslySent": "messages",
    "UACapabilities": "messages",
})  # fmt: skip


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("mm7zeep")
    except PackageNotFoundError:  # imported from a checkout that was never installed
        return "0+uninstalled"


if not TYPE_CHECKING:  # a type checker that saw it would take every misspelt name for an object

    def __getattr__(name: str) -> object:
        if name == "__version__":
            return _version()
        if name not in _HOMES:
            raise AttributeError(f"module 'mm7zeep' has no attribute {name!r}")
        return getattr(import_module(f"mm7zeep.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
