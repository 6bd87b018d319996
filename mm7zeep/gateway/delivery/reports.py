"""The calls that tell applications what became of their messages, and bring them others': planned here, made elsewhere.

Rows and messages in, rows and messages out. Plans nothing for an application without a callback.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from mm7zeep import exchange, namespaces, schema
from mm7zeep.gateway.config.parties import Application, Callback
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.store import mapping
from mm7zeep.gateway.store.rows import DEFERRED, CallRow, MessageRow, RecipientRow, address_of, columns_of
from mm7zeep.messages import (
    Address,
    DeliverReq,
    DeliveryReportReq,
    Number,
    Part,
    ReadReplyReq,
    RsRequest,
    ShortCode,
)
from mm7zeep.profiles import Profile

_MO_FIELDS = (
    "vaspid", "vasid", "priority", "reply_charging_id", "sender_spi", "recipient_spi", "applic_id", "reply_applic_id",
    "aux_applic_info", "allow_adaptations",
)  # fmt: skip
_ECHOED = ("applic_id", "reply_applic_id", "aux_applic_info")  # TS 23.140 8.7.4: as in the submit


def endpoint_key(owner: str, url: str) -> str:
    """What calls of one owner to one URL are claimed under."""
    return f"{owner} {url}"


def application_of(settings: Settings, name: str) -> Application | None:
    """The application called ``name``, if it is still configured."""
    return next((one for one in settings.applications if one.name == name), None)


def report_profile(application: Application, namespace: str | None, mm7_version: str | None) -> Profile:
    """What reports to an application are written in: what was configured, or else what its own request was in."""
    callback = application.callback
    if application.profile is not None or callback is None or callback.has_own_profile:
        return application.callback_profile
    base = namespaces.profile_of(namespace)
    if base is None:
        return application.callback_profile
    return replace(base, mm7_version=mm7_version if mm7_version in base.versions else base.mm7_version)


def _listed(profile: Profile, mm_status: str) -> bool:
    """Whether an MMStatus is a word of the profile's namespace: Deferred and Unrecognised came with REL-6-MM7-1-1."""
    words = schema.model(profile.namespace)["DeliveryReportReq"].child("MMStatus")
    return words is None or mm_status in words.type.values


# --- planned ----------------------------------------------------------------------------------------------------------


def reports(
    settings: Settings,
    message: MessageRow,
    copy: RecipientRow,
    now: float,
    *,
    status_text: str | None = None,
    event: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[CallRow]:
    """The delivery report on a copy whose state is an MMStatus, if it was asked for.

    ``event`` is what an upstream said of it (``mapping.event_fields``).

    What the application's namespace has no word for is Rejected, with its name as StatusText; Deferred, which is no
    end, is left out there.
    """
    application = application_of(settings, message.application)
    if not message.delivery_report or application is None:
        return
    state = copy.state
    if not _listed(report_profile(application, message.namespace, message.mm7_version), state):
        if state == DEFERRED:
            return
        state, status_text = "Rejected", status_text or state
    told = {**event, "mm_status": state, "status_text": status_text}
    yield from _told(settings, "report", message, copy, now, told)


def reads(
    settings: Settings,
    message: MessageRow,
    copy: RecipientRow,
    now: float,
    *,
    mm_status: str = "Read",
    status_text: str | None = None,
    event: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[CallRow]:
    """The read reply on a copy, if it was asked for; ``event`` as in ``reports``."""
    if message.read_reply:
        told = {**event, "mm_status": mm_status, "status_text": status_text}
        yield from _told(settings, "read", message, copy, now, told)


def _told(
    settings: Settings, kind: str, message: MessageRow, copy: RecipientRow, now: float, told: Mapping[str, Any]
) -> Iterator[CallRow]:
    application = application_of(settings, message.application)
    if application is None or application.callback is None:
        return
    payload = {
        "recipient": columns_of(copy.of),
        "sender": columns_of(mapping.sender_of(message, application.aliases)),
        "date": now,
        "namespace": message.namespace,
        "mm7_version": message.mm7_version,
        **{name: message.field[name] for name in _ECHOED if message.field.get(name)},
        **{name: value for name, value in told.items() if value is not None},
    }
    yield _call(settings, kind, application.name, application.callback.reports, message.id, copy.n, now, payload)


def delivery(
    settings: Settings, application: Application, callback: Callback, message: MessageRow, now: float
) -> CallRow:
    """The call that brings an MO to an application."""
    return _call(settings, "deliver", application.name, callback.deliver, message.id, 0, now, {})


def submission(settings: Settings, copy: RecipientRow, message: MessageRow, url: str, now: float) -> CallRow:
    """The call that hands a copy to an upstream; it ends when the message expires."""
    call = _call(settings, "submit", copy.way, url, message.id, copy.n, now, {})
    return replace(call, expires=message.expires) if message.expires is not None else call


def _call(
    settings: Settings, kind: str, owner: str, url: str, message_id: str, n: int, now: float, payload: Mapping[str, Any]
) -> CallRow:
    return CallRow(
        kind=kind,
        owner=owner,
        endpoint=endpoint_key(owner, url),
        message_id=message_id,
        n=n,
        transaction_id=exchange.new_transaction_id(),  # of the event: every attempt carries it
        payload=json.dumps(payload),
        due=now,
        expires=now + settings.delivery.expiry,
        created=now,
    )


# --- made into messages -----------------------------------------------------------------------------------------------


def report_of(call: CallRow, relay_id: str | None) -> RsRequest:
    """The DeliveryReportReq or ReadReplyReq that a call tells."""
    told = call.event
    values: dict[str, Any] = {
        "mms_relay_server_id": relay_id,
        "message_id": call.message_id,
        "recipient": address_of(*told["recipient"]),
        "sender": address_of(*told["sender"]),
        "mm_status": told["mm_status"],
        "status_text": told.get("status_text"),
        **{name: told.get(name) for name in _ECHOED},
    }
    date = datetime.fromtimestamp(told["date"], UTC)
    if call.kind == "report":
        return DeliveryReportReq(date=date, **values, **mapping.said(told))
    return ReadReplyReq(time_stamp=date, **values)


def deliver_of(
    message: MessageRow,
    copies: Iterable[RecipientRow],
    parts: Iterable[Part],
    application: Application,
    relay_id: str | None,
) -> DeliverReq:
    """The DeliverReq of an MO, as its application reads it."""
    places: dict[str, list[Address]] = {"to": [], "cc": []}
    for one in copies:
        if one.place in places:  # Bcc: nobody is told
            places[one.place].append(_as_called(one, application))
    # optional in every schema, Normal where absent; some receivers answer 500 without it
    fields = {"priority": "Normal", **{name: message.field[name] for name in _MO_FIELDS if name in message.field}}
    # TS 23.140 table 31: the VASP that is brought it; what an upstream or another application called itself is not that
    if fields.get("vaspid") != application.vaspid:
        fields.pop("vaspid", None)
    if fields.get("vasid") not in application.vasids and "vaspid" not in fields:
        fields.pop("vasid", None)
    return DeliverReq(
        mms_relay_server_id=relay_id,
        linked_id=message.id,
        sender=message.sent_by or Number("unknown"),
        to=tuple(places["to"]),
        cc=tuple(places["cc"]),
        time_stamp=mapping.moment(message.field.get("date", message.accepted)),
        subject=message.subject,
        parts=tuple(parts),
        **fields,
        **mapping.said(message.field),
    )


def _as_called(copy: RecipientRow, application: Application) -> Address:
    address = copy.of
    if address.coding is not None or address.value not in application.short_codes:
        return address
    return ShortCode(address.value, display_only=address.display_only, id=address.id)
