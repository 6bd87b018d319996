"""Which of the peer's requests a case means."""

from __future__ import annotations

import re
from collections.abc import Callable

from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.stimulus import Stimulus

_MARKED = re.compile(r"^Probe p[0-9a-f]{15}$")  # the Subject that a case gives its message by default


def carries(arrived: Arrived, stimulus: Stimulus) -> bool:
    """Whether what arrived carries the message of ``stimulus``: its mark, or one of its parts where none is shown."""
    if arrived.operation == "SubmitReq" or not stimulus.mark:
        return False
    if stimulus.mark in arrived.subject or stimulus.mark.encode() in arrived.raw:
        return True
    if _MARKED.search(arrived.subject):
        return False  # another's, which may have the same parts
    return bool(set(stimulus.digests) & set(arrived.digests))


def about(message_id: str | None, operation: str | None = None) -> Callable[[Arrived], bool]:
    """Matches the peer's requests that name this MessageID."""
    return lambda one: bool(message_id) and one.message_id == message_id and operation in (None, one.operation)
