"""Exactly once: what was accepted, against the reports that came for it.

A report may come before its acceptance is known here, so all is judged at the end. Keeps MessageIDs and numbers in
memory, some 300 octets for each recipient; holds no message.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mm7zeep import masking

_INTERIM = frozenset({"Deferred"})
"""MMStatus after which another report follows (TS 23.140 8.1.4: the message waits, its fate is open)."""
_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What became of the messages that were accepted.

    ``awaited`` final reports, one for each recipient, of which ``missing`` did not come and ``reported`` did;
    ``doubled`` came beyond the first, ``repeated`` of them with the TransactionID of one before;
    ``unknown`` name a message or
    recipient that was not accepted. ``excused`` name messages that no submit was accepted for, while as many submits
    got no answer and may have been accepted. ``optional`` recipients may have a report or none: of messages that were
    cancelled, or accepted in part. ``given_twice`` submits were answered with the MessageID of another.
    ``examples`` are some faults, numbers masked.
    """

    accepted: int
    awaited: int
    reported: int
    missing: int
    doubled: int
    repeated: int
    unknown: int
    excused: int
    optional: int
    interim: int
    delivered: int
    delivered_twice: int
    given_twice: int
    examples: tuple[str, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether something came twice, not at all, or for nothing that was sent."""
        return bool(self.missing or self.doubled or self.unknown or self.delivered_twice or self.given_twice)


@dataclass(slots=True)
class Ledger:
    """Takes from any thread what was accepted and what was reported; ``account`` compares them."""

    _accepted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _loose: set[str] = field(default_factory=set)
    _final: dict[tuple[str, str], int] = field(default_factory=dict)
    _transactions: set[str] = field(default_factory=set)
    _repeated: int = 0
    _interim: int = 0
    _deliveries: Counter[str] = field(default_factory=Counter)
    _waiting: set[tuple[str, str]] = field(default_factory=set)
    _given_twice: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, message_id: str, recipients: Sequence[str], *, in_part: bool = False) -> None:
        """A submit was answered with this MessageID; ``in_part``: not for all of its recipients."""
        with self._lock:
            self._given_twice += message_id in self._accepted
            plain = tuple(map(_plain, recipients))
            self._accepted[message_id] = (*self._accepted.get(message_id, ()), *plain)
            if in_part:
                self._loose.add(message_id)
            else:
                self._waiting.update((message_id, one) for one in plain if (message_id, one) not in self._final)

    def cancel(self, message_id: str) -> None:
        """A message was taken back: none of its recipients needs a report any more."""
        with self._lock:
            self._loose.add(message_id)
            self._waiting.difference_update((message_id, one) for one in self._accepted.get(message_id, ()))

    def report(self, message_id: str, recipient: str, mm_status: str, transaction_id: str | None = None) -> None:
        """A delivery report came."""
        with self._lock:
            repeated = transaction_id in self._transactions
            if transaction_id is not None:
                self._transactions.add(transaction_id)
            if mm_status in _INTERIM:
                self._interim += 1
                return
            key = (message_id, _plain(recipient))
            self._final[key] = self._final.get(key, 0) + 1
            self._repeated += repeated
            self._waiting.discard(key)

    def deliver(self, transaction_id: str | None) -> None:
        """A message from a subscriber came."""
        with self._lock:
            self._deliveries[transaction_id or ""] += 1

    @property
    def reported(self) -> int:
        """How many recipients have a final report."""
        return len(self._final)

    def outstanding(self) -> int:
        """How many reports are still to come, as far as is known."""
        return len(self._waiting)

    def account(self, *, unanswered: int = 0) -> Account:
        """What became of all; ``unanswered`` submits may have been accepted without our knowing their MessageID."""
        with self._lock:
            wanted = {(name, one) for name, those in self._accepted.items() for one in those}
            loose = {key for key in wanted if key[0] in self._loose}
            strict = wanted - loose
            missing = strict - self._final.keys()
            strangers = self._final.keys() - wanted
            foreign = sorted({name for name, _ in strangers} - self._accepted.keys())
            excused = set(foreign[:unanswered]) if len(foreign) <= unanswered else set()
            unknown = {key for key in strangers if key[0] not in excused}
            doubled = {key: count for key, count in self._final.items() if count > 1}
            examples = [
                *(f"no report for {_named(key)}" for key in sorted(missing)[:_EXAMPLES]),
                *(f"{count} reports for {_named(key)}" for key, count in sorted(doubled.items())[:_EXAMPLES]),
                *(f"a report for {_named(key)}, which was not accepted" for key in sorted(unknown)[:_EXAMPLES]),
            ]
            named = {name: count for name, count in self._deliveries.items() if name}
            return Account(
                accepted=len(self._accepted),
                awaited=len(strict),
                reported=len(strict) - len(missing),
                missing=len(missing),
                doubled=sum(count - 1 for count in doubled.values()),
                repeated=self._repeated,
                unknown=len(unknown),
                excused=len(strangers) - len(unknown),
                optional=len(loose),
                interim=self._interim,
                delivered=self._deliveries.total(),
                delivered_twice=sum(count - 1 for count in named.values()),
                given_twice=self._given_twice,
                examples=tuple(examples),
            )


def _plain(recipient: str) -> str:
    """A number as it is compared: some MMS centres write it with /TYPE=PLMN, or without its +."""
    return recipient.partition("/")[0].strip().removeprefix("+")


def _named(key: tuple[str, str]) -> str:
    """A message and a recipient as they may be shown."""
    message_id, recipient = key
    return f"MessageID {message_id[:60]!a} to {masking.numbers(recipient)[:40]}"
