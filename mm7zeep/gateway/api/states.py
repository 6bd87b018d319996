"""The states of a recipient as the API tells them: one word for what a carrier says in many.

Values only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from mm7zeep.gateway.store.rows import (
    CANCELLED,
    DEFERRED,
    DELIVERED,
    PENDING,
    REFUSED,
    SENT,
    MessageRow,
    RecipientRow,
)

_ERROR = re.compile(r"^\w+Error: ")
State = Literal["scheduled", "queued", "sent", "deferred", "delivered", "failed", "expired", "cancelled", "unknown"]

STATES: Mapping[str, State] = MappingProxyType(
    {
        PENDING: "queued",
        SENT: "sent",
        DEFERRED: "deferred",
        CANCELLED: "cancelled",
        REFUSED: "failed",
        DELIVERED: "delivered",
        "Retrieved": "delivered",
        "Rejected": "failed",
        "Expired": "expired",
        "Indeterminate": "unknown",
        "Forwarded": "unknown",
        "Unrecognised": "unknown",
        "DeliveryConditionNotMet": "unknown",
    }
)
"""What becomes of the states that the gateway keeps, and of every MMStatus (TS 23.140 8.7.4)."""


def state_of(message: MessageRow, copy: RecipientRow, now: float) -> State:
    """The state of one recipient at the time ``now``."""
    if copy.state == PENDING and message.earliest is not None and message.earliest > now:
        return "scheduled"
    return STATES.get(copy.state, "unknown")


def detail_of(copy: RecipientRow) -> str | None:
    """Why a recipient is in its state, without the name of the error that said so here."""
    return _ERROR.sub("", copy.detail) if copy.detail is not None else None


def mm_status(copy: RecipientRow) -> str | None:
    """The MMStatus: as a carrier has reported it, or as it follows from what became of the call; None before."""
    own = (PENDING, SENT, CANCELLED, REFUSED, DELIVERED)
    return None if copy.state in own else copy.state
