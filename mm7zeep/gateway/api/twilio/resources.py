"""Messages and their media as Twilio's resources.

Values in, values out. A message to several recipients, which Twilio's form has no place for, is told as one to the
first of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any

from mm7zeep import media
from mm7zeep.gateway.api.states import State, detail_of, mm_status, state_of
from mm7zeep.gateway.api.submissions import served
from mm7zeep.gateway.store.rows import MessageRow, RecipientRow
from mm7zeep.messages import Part

VERSION = "2010-04-01"
STATUSES: Mapping[State, str] = MappingProxyType(
    {
        "scheduled": "scheduled",
        "queued": "queued",
        "sent": "sent",
        "deferred": "sent",
        "delivered": "delivered",
        "failed": "failed",
        "expired": "undelivered",
        "cancelled": "canceled",
        "unknown": "sent",
    }
)
"""The status of each state; ``failed`` is ``undelivered`` where the carrier has reported so."""
_UNDELIVERED, _EXPIRED = 30008, 30036  # Unknown error; Validity Period Expired


def sid_of(message_id: str) -> str:
    """The SID of a message."""
    return f"MM{message_id}"


def id_of(sid: str) -> str:
    """The message id of a SID; what is none, is that of no message."""
    return sid[2:] if sid[:2] in ("MM", "SM") else ""


def path_of(account_sid: str, *steps: str) -> str:
    """The URI of a resource, without its host."""
    return "/".join(("", VERSION, "Accounts", account_sid, *steps))


def written(seconds: float | None) -> str | None:
    """A point in time as RFC 2822 has it."""
    return format_datetime(datetime.fromtimestamp(seconds, UTC)) if seconds is not None else None


def status_of(message: MessageRow, copy: RecipientRow, now: float) -> str:
    """Twilio's word for the state of a copy."""
    if message.direction == "mo":
        return "received"
    state = state_of(message, copy, now)
    return "undelivered" if state == "failed" and mm_status(copy) is not None else STATUSES[state]


def as_reply(message_id: str) -> dict[str, str]:
    """What is kept with a message that answers another one."""
    return {"reply_to": message_id}


def answers(message: MessageRow) -> str | None:
    """The message that it answers, where it was sent by what a webhook answered to that."""
    found: str | None = (message.field.get("api") or {}).get("reply_to")
    return found


def is_reply(message: MessageRow) -> bool:
    """Whether it was sent by what a webhook answered."""
    return answers(message) is not None


def message_resource(
    account_sid: str, message: MessageRow, copies: Sequence[RecipientRow], now: float, body: str | None = None
) -> dict[str, Any]:
    """A Message resource; ``body`` is its text, where that was read."""
    copy = (served(copies) or copies)[0]
    status, inbound = status_of(message, copy, now), message.direction == "mo"
    code = error_code(copy, status)
    sid = sid_of(message.id)
    uri = path_of(account_sid, "Messages", sid)
    moved = status not in ("queued", "scheduled")
    return {
        "sid": sid,
        "account_sid": account_sid,
        "api_version": VERSION,
        "messaging_service_sid": None,
        "body": message.excerpt if body is None else body,
        "from": message.sender,
        "to": copy.address,
        "direction": "inbound" if inbound else "outbound-reply" if is_reply(message) else "outbound-api",
        "status": status,
        "num_segments": "1",
        "num_media": str(len(media_of(message))),
        "date_created": written(message.accepted),
        "date_sent": written(copy.changed if moved and not inbound else message.accepted if inbound else None),
        "date_updated": written(max(message.accepted, copy.changed)),
        "error_code": code,
        "error_message": detail_of(copy) if code is not None else None,
        "price": None,
        "price_unit": None,
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def error_code(copy: RecipientRow, status: str) -> int | None:
    """Twilio's code for a message that has failed; None for one that has not."""
    if status not in ("failed", "undelivered"):
        return None
    return _EXPIRED if copy.state == "Expired" else _UNDELIVERED


def body_of(parts: Iterable[Part]) -> str:
    """The texts of a message."""
    return "\n".join(one.text() for one in parts if one.content_type == "text/plain")


def media_of(message: MessageRow) -> list[dict[str, Any]]:
    """The rows of the parts that are media: neither a plain text nor a presentation."""
    found: list[dict[str, Any]] = json.loads(message.parts)
    return [one for one in found if _is_media(one["content_type"])]


def _is_media(content_type: str | None) -> bool:
    """Whether a part of that type is one of the media; None is one whose octets will show it once they are fetched."""
    return content_type is None or not (content_type == "text/plain" or media.is_presentation(content_type))


def media_sid(message_id: str, n: int) -> str:
    """The SID of a part."""
    return "ME" + hashlib.sha256(f"{message_id}/{n}".encode()).hexdigest()[:32]


def media_resource(account_sid: str, message: MessageRow, row: Mapping[str, Any]) -> dict[str, Any]:
    """A Media resource."""
    sid, parent = media_sid(message.id, row["n"]), sid_of(message.id)
    return {
        "sid": sid,
        "account_sid": account_sid,
        "parent_sid": parent,
        "content_type": row["content_type"],
        "date_created": written(message.accepted),
        "date_updated": written(message.accepted),
        "uri": f"{path_of(account_sid, 'Messages', parent, 'Media', sid)}.json",
    }


def page(uri: str, name: str, rows: Sequence[Mapping[str, Any]], *, n: int, size: int, next_uri: str | None) -> Any:
    """A page of a list."""
    return {
        name: list(rows),
        "page": n,
        "page_size": size,
        "start": n * size,
        "end": n * size + max(0, len(rows) - 1),
        "uri": uri,
        "first_page_uri": uri.partition("?")[0],
        "next_page_uri": next_uri,
        "previous_page_uri": None,
    }


def account_resource(account_sid: str, name: str) -> dict[str, Any]:
    """The Account resource: products fetch it to see whether their credentials are right."""
    uri = path_of(account_sid)
    return {
        "sid": account_sid,
        "owner_account_sid": account_sid,
        "friendly_name": name,
        "status": "active",
        "type": "Full",
        "date_created": None,
        "date_updated": None,
        "uri": f"{uri}.json",
        "subresource_uris": {"messages": f"{uri}/Messages.json"},
    }
