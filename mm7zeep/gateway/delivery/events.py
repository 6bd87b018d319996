"""What a gateway did, for those who watch it: the demo, tests, metrics. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mm7zeep.messages import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    ``handset``: a copy reached ``state``. ``report``, ``read``, ``deliver``, ``webhook``: a call to the application
    was made; ``submit``: one to an upstream; ``fetch``: what the message names by URL was fetched. ``error`` says why
    it was not accepted, and ``state`` is then Refused (dead letter), Postponed or Paused.
    """

    kind: Literal["handset", "report", "read", "deliver", "webhook", "submit", "fetch"]
    application: str
    message_id: str | None
    recipient: Address | None
    state: str
    error: str | None = None
