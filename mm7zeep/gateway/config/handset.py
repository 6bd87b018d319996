"""What the simulated network does with a message: which handset a recipient has, and how it behaves.

Values only: nothing here sends, stores or waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, NamedTuple

from mm7zeep.gateway.config.field_types import Delay, Switch, Table, Text
from mm7zeep.messages import Address

Outcome = Literal[
    "Retrieved", "Expired", "Rejected", "Indeterminate", "Forwarded", "Deferred", "Unrecognised",
    "DeliveryConditionNotMet",
]  # fmt: skip
"""Every MMStatus of a delivery report (TS 23.140 8.7.4): the first five are words of all schemas, the next two of those
from REL-6-MM7-1-1 on, the last of those from REL-6-MM7-1-3 on.
"""
_NO_DELAY = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handset(Table):
    """How every recipient whose address begins with ``prefix`` behaves: the MMStatus it ends in, after ``delay``.

    ``read`` tells whether a retrieved message is read, so that a read reply is sent where one was asked for. A
    ``reply`` is the text of an MO that the handset answers a retrieved message with, ``reply_after`` it was retrieved;
    without one it answers nothing. Raises ``ValueError`` for a negative time, and for a reply to what is not retrieved.
    """

    prefix: Text = ""
    outcome: Outcome = "Retrieved"
    delay: Delay = _NO_DELAY
    read: Switch = True
    reply: Text = ""
    reply_after: Delay = timedelta(seconds=1)

    def __post_init__(self) -> None:
        for name, span in (("delay", self.delay), ("reply_after", self.reply_after)):
            if span < _NO_DELAY:
                raise ValueError(f"the {name} of handset {self.prefix!r} is negative")
        if self.reply and self.outcome != "Retrieved":
            raise ValueError(f"handset {self.prefix!r} replies to what it never gets; its outcome is {self.outcome}")


class Script(NamedTuple):
    """A handset in force, and where it comes from: ``set`` while the gateway runs, or the configuration ``file``."""

    handset: Handset
    source: Literal["set", "file"]


def handset_of(recipient: Address, handsets: Iterable[Handset]) -> Handset:
    """The first handset whose prefix fits; one that retrieves and reads at once where none does.

    A coded address has no prefix.
    """
    known = "" if recipient.coding is not None else recipient.bare
    return next((one for one in handsets if known.startswith(one.prefix)), Handset())
