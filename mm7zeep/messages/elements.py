"""The smaller pieces that messages are made of: times, reply charging, capabilities, extensions and the word lists.

Values only, as sent. What a piece may hold, the schema says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from mm7zeep.messages.parties import Address

if TYPE_CHECKING:

    class Duration(Protocol):
        """``isodate.Duration``, which publishes no types: with it, a type checker would take any value for a Moment."""

        years: Decimal
        months: Decimal
        tdelta: timedelta

        def __radd__(self, moment: datetime) -> datetime: ...
else:
    from isodate import Duration

Moment: TypeAlias = datetime | timedelta | Duration
"""relativeOrAbsoluteDateType: a point in time (with zone) or a span from now."""

Priority = Literal["Normal", "High", "Low"]
MessageClass = Literal["Personal", "Informational", "Advertisement", "Auto"]
ChargedParty = Literal["Sender", "Recipient", "Both", "Neither", "ThirdParty"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """One element that the schema does not know, kept as sent: its parent's local name, the place there, and its
    XML.
    """

    parent: str
    index: int
    name: str
    xml: str

    @property
    def text(self) -> str:
        """The text directly inside, for the usual flat vendor element."""
        start, end = self.xml.find(">"), self.xml.rfind("</")
        return self.xml[start + 1 : end] if 0 <= start < end else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyCharging:
    """ReplyCharging: the sender pays for a reply of at most ``size`` octets, until ``deadline``."""

    size: int | None = None
    deadline: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UACapabilities:
    """What the recipient's handset can do (REL-6-MM7-1-4): ``ua_prof`` names its profile, by custom a URL."""

    ua_prof: str | None = None
    time_stamp: Moment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviouslySent:
    """One earlier sender of a forwarded message (release 6), with its place in the ``sequence`` and when it was
    sent.
    """

    sequence: int | None = None
    address: Address | None = None
    moment: Moment | None = None
