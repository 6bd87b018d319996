"""The calls that tell applications what became of their messages, and bring them others': planned here, made elsewhere.

Rows and messages in, rows and messages out. Plans nothing for an application without a callback.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mm7zeep import exchange, namespaces, schema
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.store import endpoints, mapping, opt_outs
from mm7zeep.gateway.store.rows import DEFERRED, CallRow, MessageRow, RecipientRow, address_of, columns_of
from mm7zeep.messages import (
    DeliveryReportReq,
    ReadReplyReq,
    RsRequest,
)
from mm7zeep.profiles import Profile
from mm7zeep.tracing import kept_of, kept_of_event

_APPLICATIONS = ("applic_id", "reply_applic_id", "aux_applic_info")


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
    """Whether an MMStatus is a word of the profile's namespace: the first five
    are words of all, Deferred and Unrecognised came with REL-6-MM7-1-1, DeliveryConditionNotMet with REL-6-MM7-1-3.
    """
    words = schema.model(profile.namespace)["DeliveryReportReq"].child("MMStatus")
    return words is None or mm_status in words.type.values


# --- planned ----------------------------------------------------------------------------------------------------------


def reports(
    settings: Settings,
    message: MessageRow,
    copy: RecipientRow,
    now: float,
    *,
    status_text: str | None,
    event: Mapping[str, Any],
) -> Iterator[CallRow]:
    """The delivery report on a copy whose state is an MMStatus, if it was asked for.

    ``event`` is what an upstream said of it (``mapping.event_fields``), and what is kept of the trace of that.

    What the application's namespace has no word for is Rejected, with its name as StatusText; Deferred, which is no
    end, is left out there.
    """
    application = settings.application(message.application)
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
    mm_status: str,
    status_text: str | None,
    event: Mapping[str, Any],
) -> Iterator[CallRow]:
    """The read reply on a copy of a message that asks for it; ``event`` as in ``reports``."""
    told = {**event, "mm_status": mm_status, "status_text": status_text}
    yield from _told(settings, "read", message, copy, now, told)


def _told(
    settings: Settings, kind: str, message: MessageRow, copy: RecipientRow, now: float, told: Mapping[str, Any]
) -> Iterator[CallRow]:
    application = settings.application(message.application)
    if application is None or application.callback is None:
        return
    payload = {
        "recipient": columns_of(copy.of),
        "sender": columns_of(mapping.sender_of(message, application.aliases)),
        "date": now,
        "namespace": message.namespace,
        "mm7_version": message.mm7_version,
        **_applications(message.field),
        **{name: value for name, value in told.items() if value is not None},
        **kept_of_event(message.field, told),
    }
    yield call_to(settings, kind, application.name, application.callback.reports, message.id, copy.n, now, payload)


def _applications(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """Which application a report is for: the one that replies are for, or else the one that sent (TS 23.140 8.7.4).

    Where the two differ, the one that sent is named as ReplyApplicID. AuxApplicInfo is repeated.
    """
    sent, back, more = (asked.get(name) for name in _APPLICATIONS)
    said = (back or sent, sent if back and back != sent else None, more)
    return {name: value for name, value in zip(_APPLICATIONS, said, strict=True) if value}


def submission(settings: Settings, copy: RecipientRow, message: MessageRow, url: str, now: float) -> CallRow:
    """The call that hands a copy to an upstream; it ends when the message expires."""
    call = call_to(settings, "submit", str(copy.destination), url, message.id, copy.n, now, kept_of(message.field))
    number = _number_of(settings, message)
    queue = settings.rate_limits.queue(copy.destination.name, number)
    return replace(
        call, number=number, queue=queue, expires=message.expires if message.expires is not None else call.expires
    )


def _number_of(settings: Settings, message: MessageRow) -> str | None:
    """The number that a message is sent from, as rates compare it: its SenderAddress, or its application's first."""
    application = settings.application(message.application)
    if application is None:
        return None
    return opt_outs.key(mapping.sender_of(message, application.aliases), application.numbers)


def call_to(
    settings: Settings, kind: str, owner: str, url: str, message_id: str, n: int, now: float, payload: Mapping[str, Any]
) -> CallRow:
    """A call that is due now, under a TransactionID of its own; it expires when those of this gateway do."""
    return CallRow(
        kind=kind,
        owner=owner,
        endpoint=endpoints.key(owner, url),
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
        **{name: told.get(name) for name in _APPLICATIONS},
    }
    date = datetime.fromtimestamp(told["date"], UTC)
    if call.kind == "report":
        return DeliveryReportReq(date=date, **values, **mapping.said(told))
    return ReadReplyReq(time_stamp=date, **values)
