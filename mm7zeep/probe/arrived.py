"""A request that came to the tool's listener, and what it says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mm7zeep.conformance.input.capture import Captured, messages
from mm7zeep.conformance.verdict import Verdict, judge
from mm7zeep.errors import Mm7Error
from mm7zeep.exchange import Received, unpack
from mm7zeep.probe.results import Transmission


@dataclass(frozen=True)
class Arrived:
    """One request that came: its octets, when (``time.monotonic``), and from which connection."""

    raw: bytes
    at: float
    connection: int
    answered: list[bytes] = field(default_factory=list, compare=False)

    @cached_property
    def captured(self) -> Captured | None:
        """It as the checker takes it; None where it is no HTTP request."""
        return next(iter(messages("request", self.raw)), None)

    @cached_property
    def verdict(self) -> Verdict | None:
        """The judgement of ``mm7zeep check`` on it, by the interop policy; None where it is no HTTP request."""
        return judge(self.captured) if self.captured is not None else None

    @cached_property
    def received(self) -> Received | None:
        """What it says, read leniently; None where nothing can be made of it."""
        if self.captured is None:
            return None
        try:
            return unpack(self.captured.wire, policy="lenient", plans=False)
        except Mm7Error:
            return None

    @property
    def message(self) -> Any:
        """The MM7 message, or None."""
        return self.received.message if self.received is not None else None

    @property
    def operation(self) -> str:
        """The element in its Body; empty where there is none."""
        return self.received.operation if self.received is not None else ""

    @property
    def namespace(self) -> str:
        """Its MM7 namespace as sent, or empty."""
        return (self.received.namespace if self.received is not None else None) or ""

    @property
    def transaction_id(self) -> str:
        """Its TransactionID, or empty."""
        return (self.received.transaction_id if self.received is not None else None) or ""

    @property
    def message_id(self) -> str:
        """The MessageID that a report, a cancel or a replace names, or empty."""
        return getattr(self.message, "message_id", None) or ""

    @property
    def subject(self) -> str:
        """Its Subject, or empty."""
        return getattr(self.message, "subject", None) or ""

    @cached_property
    def digests(self) -> tuple[str, ...]:
        """The SHA-256 of its parts in order, the presentation included."""
        parts = self.received.parts if self.received is not None else ()
        return tuple(hashlib.sha256(one.read()).hexdigest() for one in parts)

    def header(self, name: str) -> str | None:
        """The first HTTP header field of that name."""
        return self.captured.wire.header(name) if self.captured is not None else None

    def transmission(self, started: float) -> Transmission:
        """As a report keeps it; ``started`` is when the run began."""
        answer = b"".join(self.answered)
        return Transmission(
            by="peer", sent=answer, received=self.raw, ended="whole" if answer else "unread", started=self.at - started
        )
