"""What the simulated network does with a message: which handset a recipient has, and how it behaves.

Values only: nothing here sends, stores or waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from mm7zeep.gateway.config.field_types import Delay, Switch, Table, Text
from mm7zeep.messages import Address

Outcome = Literal["Retrieved", "Expired", "Rejected", "Indeterminate", "Forwarded", "Deferred", "Unrecognised"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handset(Table):
    """How every recipient whose address begins with ``prefix`` behaves: the MMStatus it ends in, after ``delay``.

    ``read`` tells whether a retrieved message is read, so that a read reply is sent where one was asked for.
    """

    prefix: Text = ""
    outcome: Outcome = "Retrieved"
    delay: Delay = timedelta(0)
    read: Switch = True

    def __post_init__(self) -> None:
        if self.delay < timedelta(0):
            raise ValueError(f"the delay of handset {self.prefix!r} is negative")


def handset_of(recipient: Address, handsets: Iterable[Handset]) -> Handset:
    """The first handset whose prefix fits; one that retrieves and reads at once where none does.

    A coded address has no prefix.
    """
    known = "" if recipient.coding is not None else recipient.bare
    return next((one for one in handsets if known.startswith(one.prefix)), Handset())
