"""What a webhook of Twilio's form tells: the state of a message, or one that came in. Values from rows."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from mm7zeep.gateway.api.media_urls import MediaUrls
from mm7zeep.gateway.api.states import detail_of
from mm7zeep.gateway.api.twilio import resources
from mm7zeep.gateway.config.parties import RECEIVED
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.store import content
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store.rows import CallRow, MessageRow, RecipientRow


def form(
    connection: Connection, call: CallRow, now: float, *, settings: Settings, media: MediaUrls
) -> dict[str, str] | None:
    """The fields that a call says at the time ``now``; None where its message was deleted, or its account is gone."""
    application = settings.application(call.owner)
    message = store.message(connection, call.message_id)
    copy = store.copy(connection, call.message_id, call.n)
    if application is None or application.twilio is None or message is None or copy is None:
        return None
    sid = resources.sid_of(message.id)
    fields = {
        "AccountSid": application.twilio.account_sid,
        "ApiVersion": resources.VERSION,
        "MessageSid": sid,
        "SmsSid": sid,
        "From": message.sender or "",
        "To": copy.address,
    }
    if call.event["type"] == RECEIVED:
        return {**fields, **_received(connection, message, media, now)}
    return {**fields, **_state(call, message, copy, now)}


def _state(call: CallRow, message: MessageRow, copy: RecipientRow, now: float) -> dict[str, str]:
    """The state as it was when it was reached, not as it is now."""
    happened = call.event
    then = replace(copy, state=happened["state"], detail=happened["detail"])
    status = "read" if happened["type"] == "message.read" else resources.status_of(message, then, now)
    code = resources.error_code(then, status)
    return {
        "MessageStatus": status,
        "SmsStatus": status,
        **({"ErrorCode": str(code), "ErrorMessage": detail_of(then) or ""} if code is not None else {}),
    }


def _received(connection: Connection, message: MessageRow, media: MediaUrls, now: float) -> dict[str, str]:
    raw = store.raw(connection, message.id, message.content)
    parts = content.parts_of(raw) if raw is not None else ()
    told = {
        "SmsMessageSid": resources.sid_of(message.id),
        "SmsStatus": "received",
        "Body": resources.body_of(parts),
        "NumSegments": "1",
    }
    rows = resources.media_of(message)
    for n, row in enumerate(rows):
        told[f"MediaUrl{n}"] = media.url(message.id, row["n"], now)
        told[f"MediaContentType{n}"] = row["content_type"]
    return {**told, "NumMedia": str(len(rows))}
