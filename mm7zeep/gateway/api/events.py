"""What a webhook tells: an event, with the message as the API tells of it. Values from rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from mm7zeep.gateway.api import outputs
from mm7zeep.gateway.api.media_urls import MediaUrls
from mm7zeep.gateway.api.messages import facts, recipient, view
from mm7zeep.gateway.api.twilio.events import form
from mm7zeep.gateway.config.parties import RECEIVED, TWILIO
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store.rows import CallRow


def event(
    connection: Connection, call: CallRow, now: float, *, settings: Settings, media: MediaUrls
) -> dict[str, Any] | None:
    """What the event of a call says at the time ``now``: as JSON has it, or the fields of Twilio's form; None where its
    message was deleted.

    The recipient is as it was when it happened, the message as it is.
    """
    if call.event.get("form") == TWILIO:
        return form(connection, call, now, settings=settings, media=media)
    message = store.message(connection, call.message_id)
    if message is None:
        return None
    happened = call.event

    def url(id: str, n: int) -> str:
        return media.url(id, n, now)

    data: outputs.Received | outputs.Happened
    if happened["type"] == RECEIVED:
        data = outputs.Received(message=view(message, store.recipients(connection, message.id), now, url))
    else:
        copy = store.copy(connection, message.id, call.n)
        if copy is None:
            return None
        then = replace(copy, state=happened["state"], detail=happened["detail"], changed=happened["date"])
        data = outputs.Happened(message=facts(message, url), recipient=recipient(message, then, now))
    return outputs.Event(type=happened["type"], timestamp=happened["date"], data=data).as_dict()
