"""The fields of each request as keywords: what ``submit``, ``cancel`` and ``replace`` take besides their own.

For type checkers and editors; the messages themselves say what a field is. A test holds these against the messages.
What a field may hold, the message and its schema decide.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypedDict, TypeVar

from mm7zeep.messages import AddressLike, Extension, ReplyCharging
from mm7zeep.messages.elements import ChargedParty, MessageClass, Moment, Priority

F = TypeVar("F", bound=Callable[..., Any])


class _Every(TypedDict, total=False):
    """What every request takes. ``mm7_version`` None is the profile's; ``extensions`` are a vendor's elements."""

    vaspid: str | None
    vasid: str | None
    mm7_version: str | None
    extensions: tuple[Extension, ...]


class _Application(TypedDict, total=False):
    """Who among the applications of a handset is addressed, and who answers."""

    applic_id: str | None
    reply_applic_id: str | None
    aux_applic_info: str | None


class CancelFields(_Every, _Application, total=False):
    """Fields of ``CancelReq``."""

    sender_address: AddressLike | None


class ExtendedCancelFields(_Every, total=False):
    """Fields of ``ExtendedCancelReq``."""

    sender_address: AddressLike | None


class _Content(TypedDict, total=False):
    """What requests with content share."""

    service_code: str | None
    service_code_attributes: Mapping[str, str] | Iterable[tuple[str, str]] | None
    time_stamp: datetime | None
    earliest_delivery_time: Moment | None
    read_reply: bool | None
    allow_adaptations: bool | None


class ReplaceFields(CancelFields, _Content, total=False):
    """Fields of ``ReplaceReq``."""

    distribution_indicator: bool | None
    content_class: str | None
    drm_content: bool | None


class ExtendedReplaceFields(_Every, _Content, total=False):
    """Fields of ``ExtendedReplaceReq``."""

    expiry_date: Moment | None
    delivery_report: bool | None


class SubmitFields(ReplaceFields, total=False):
    """Fields of ``SubmitReq``. ``expiry_date`` and ``earliest_delivery_time`` are a time with zone, or a span."""

    cc: AddressLike | Iterable[AddressLike]
    bcc: AddressLike | Iterable[AddressLike]
    linked_id: str | None
    message_class: MessageClass | None
    reply_charging: ReplyCharging | None
    expiry_date: Moment | None
    delivery_report: bool | None
    priority: Priority | None
    subject: str | None
    charged_party: ChargedParty | None
    charged_party_id: str | None
    delivery_condition: str | tuple[int, ...] | None


def spelled_out(fields: type) -> Callable[[F], F]:
    """Show the keys of ``fields`` in the signature, in place of ``**fields``: ``help()`` and shells complete them."""

    def show(function: F) -> F:
        signature = inspect.signature(function)
        own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
        named = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind.__forward_arg__)
            for name, kind in fields.__annotations__.items()
        ]
        function.__signature__ = signature.replace(parameters=[*own, *named])  # type: ignore[attr-defined]
        return function

    return show
