"""How the state of a message, of a recipient or of a call is coloured: in lists, on chips and in time lines alike."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Tone = Literal["plain", "good", "bad", "waiting"]

_STATES: Mapping[Tone, tuple[str, ...]] = {
    "good": ("Retrieved", "Delivered", "done", "Read", "Forwarded", "Sent"),
    "bad": ("Expired", "Rejected", "Refused", "Unrecognised", "Indeterminate", "DeliveryConditionNotMet", "dead"),
    "waiting": ("Pending", "Deferred", "Planned", "ready", "paused"),
}
_TONES: Mapping[str, Tone] = MappingProxyType({state: name for name, states in _STATES.items() for state in states})


def tone(state: str) -> Tone:
    """The colour of a state; plain where it is none of these."""
    return _TONES.get(state, "plain")
