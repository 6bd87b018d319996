"""Events for applications that hear by webhook: planned as calls, in the transaction of what they tell.

Rows in, rows out. Plans nothing for an application without a webhook, nor what its webhook does not want. What is none
of the events, such as MMStatus Indeterminate or a message taken back, is told by the API alone. In Twilio's form a
message's own StatusCallback is told of it, or its application's, and the application's ``incoming`` of MO messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from mm7zeep.gateway.config.parties import RECEIVED, TWILIO, EventType
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery.reports import call_to
from mm7zeep.gateway.store import endpoints
from mm7zeep.gateway.store.rows import REFUSED, SENT, CallRow, MessageRow, RecipientRow, columns_of
from mm7zeep.tracing import kept_of, kept_of_event

_ENDS: Mapping[str, EventType] = MappingProxyType(
    {
        "Retrieved": "message.delivered",
        "Rejected": "message.failed",
        REFUSED: "message.failed",
        "Expired": "message.expired",
    }
)
_READ = "Read"  # the MMStatus of a read reply (TS 23.140 8.7.4); the other one is Deleted, which nobody has read
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def ended(
    settings: Settings,
    message: MessageRow,
    copy: RecipientRow,
    now: float,
    *,
    status_text: str | None = None,
    event: Mapping[str, Any] = _NOTHING,
) -> Iterator[CallRow]:
    """The event of a copy whose state is an end, asked for or not; ``event`` is what an upstream said of it."""
    kind = _ENDS.get(copy.state)
    if kind is not None:
        yield from _about(settings, kind, message, copy, now, event, detail=copy.detail or status_text)


def sent(settings: Settings, message: MessageRow, copy: RecipientRow, now: float) -> Iterator[CallRow]:
    """That an upstream has taken a copy: told in Twilio's form alone."""
    facts = {"recipient": columns_of(copy.of), "state": SENT, "detail": None, "date": now, **kept_of(message.field)}
    yield from _status_callback(settings, "message.sent", message, copy.n, now, facts)


def read(
    settings: Settings,
    message: MessageRow,
    copy: RecipientRow,
    now: float,
    *,
    mm_status: str,
    event: Mapping[str, Any] = _NOTHING,
) -> Iterator[CallRow]:
    """The event that a message was read; ``event`` as in ``ended``."""
    if mm_status == _READ:
        yield from _about(settings, "message.read", message, copy, now, event, detail=copy.detail)


def _about(
    settings: Settings,
    kind: EventType,
    message: MessageRow,
    copy: RecipientRow,
    now: float,
    event: Mapping[str, Any],
    *,
    detail: str | None,
) -> Iterator[CallRow]:
    facts = {
        "recipient": columns_of(copy.of),
        "state": copy.state,
        "detail": detail,
        "date": event.get("date", now),
        **kept_of_event(message.field, event),
    }
    yield from _planned(settings, kind, message.application, message.id, copy.n, now, facts)
    yield from _status_callback(settings, kind, message, copy.n, now, facts)


def _status_callback(
    settings: Settings, kind: str, message: MessageRow, n: int, now: float, facts: Mapping[str, Any]
) -> Iterator[CallRow]:
    """The call to the StatusCallback of a message, or to that of its application."""
    application = settings.application(message.application)
    if application is None or application.twilio is None or message.direction != "mt":
        return
    url = (message.field.get("api") or {}).get("status_callback") or application.twilio.status_callback
    if url is not None:
        told = {"type": kind, "form": TWILIO, "url": url, **facts}
        call = call_to(settings, "webhook", application.name, url, message.id, n, now, told)
        # whoever submits may name any number of URLs: these share a few endpoints, and none of them can be paused
        yield replace(call, endpoint=endpoints.shared(application.name, "status", url))


def received(settings: Settings, application: str, message: MessageRow, now: float) -> Iterator[CallRow]:
    """The event that an MO is there for ``application``."""
    facts = {"date": now, **kept_of(message.field)}
    yield from _planned(settings, RECEIVED, application, message.id, 0, now, facts)
    known = settings.application(application)
    if known is not None and known.twilio is not None and known.twilio.incoming is not None:
        url = known.twilio.incoming
        told = {"type": RECEIVED, "form": TWILIO, "url": url, **facts}
        yield call_to(settings, "webhook", application, url, message.id, 0, now, told)


def _planned(
    settings: Settings, kind: EventType, owner: str, message_id: str, n: int, now: float, facts: Mapping[str, Any]
) -> Iterator[CallRow]:
    application = settings.application(owner)
    webhook = application.webhook if application is not None else None
    if webhook is not None and webhook.wants(kind):
        yield call_to(settings, "webhook", owner, webhook.url, message_id, n, now, {"type": kind, **facts})
