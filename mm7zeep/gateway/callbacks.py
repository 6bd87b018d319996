"""What applications are told: delivery reports and read replies for their copies, and the call that brings them.

One attempt per call. Refuses nothing; what an application does not accept is raised to the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from mm7zeep.client import MmscClient
from mm7zeep.gateway.handset import Handset
from mm7zeep.gateway.stored import Callout, Copy, Event, Stored
from mm7zeep.messages import DeliverReq, DeliveryReportReq, ReadReplyReq, RsRequest, ShortCode

Deliver = Callable[[str, RsRequest], object]
"""Sends one message to a callback URL; raises unless it was accepted."""


def reports(stored: Stored, copy: Copy, handset: Handset, now: datetime, relay_id: str | None) -> Iterator[RsRequest]:
    """The reports on a copy that has reached its end, as far as the application asked for them."""
    application, request = stored.application, stored.request
    # TS 23.140 8.7.4: Sender is who sent the MM; a VASP without an address of its own is known by its short code
    sender = request.sender_address or ShortCode(next(iter(application.short_codes), application.vaspid))
    about: dict[str, Any] = {
        "mms_relay_server_id": relay_id,
        "message_id": stored.message_id,
        "recipient": replace(copy.recipient, id=None, coding=None),
        "sender": sender,
    }
    if request.delivery_report:
        yield DeliveryReportReq(**about, date=now, mm_status=copy.state)
    if request.read_reply and handset.read and copy.state == "Retrieved":
        yield ReadReplyReq(**about, time_stamp=now, mm_status="Read")


def send(plan: Callout) -> None:
    """Call an application back with its own credentials. Raises ``Mm7Error`` unless it was accepted."""
    callback = plan.application.callback
    auth = (callback.username, callback.password or "") if callback is not None and callback.username else None
    with MmscClient(plan.url, auth=auth, profile=plan.application.called) as client:
        client.send(plan.message)


def told(plan: Callout, error: str | None) -> Event:
    """The event of a call that was made; ``error`` says why it was not accepted."""
    message = plan.message
    if isinstance(message, DeliveryReportReq | ReadReplyReq):
        return Event(
            kind="report" if isinstance(message, DeliveryReportReq) else "read",
            application=plan.application.name,
            message_id=message.message_id,
            recipient=message.recipient,
            state=message.mm_status,
            error=error,
        )
    to = message.to[0] if isinstance(message, DeliverReq) and message.to else None
    return Event(
        kind="deliver",
        application=plan.application.name,
        message_id=None,
        recipient=to,
        state="Refused" if error else "Delivered",
        error=error,
    )
