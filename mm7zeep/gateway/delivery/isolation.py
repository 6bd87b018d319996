"""One row at a time, each in a transaction of its own: what cannot be processed is set aside alone.

For after a turn that failed although the database works: a value that no statement takes, or a fault of ours with one
message, keeps nothing else from being done. An outcome loses the words that were answered before its call becomes a
dead letter; a recipient whose turn cannot be had is Rejected. What only the database's trouble kept from being done is
left for the next turn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection

from mm7zeep.gateway.delivery.events import Event
from mm7zeep.gateway.delivery.recipients import BATCH, Network
from mm7zeep.gateway.delivery.results import ResultRecorder
from mm7zeep.gateway.delivery.retry import Outcome
from mm7zeep.gateway.store import messages, outbox
from mm7zeep.gateway.store.clock import GuardedClock, Reading
from mm7zeep.gateway.store.database import Database, StoreError
from mm7zeep.gateway.store.rows import REFUSED, CallRow, RecipientRow

_LOG = logging.getLogger("mm7zeep.gateway")

_LATER = 30.0  # seconds until a recipient is looked at again that the database would not process
Work = Callable[[Connection, Reading], list[Event]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """Does what a turn does, row by row."""

    database: Database
    recorder: ResultRecorder
    network: Network
    clock: GuardedClock

    def results(self, results: Iterable[tuple[CallRow, Outcome]]) -> tuple[list[CallRow], list[Event]]:
        """Record each result by itself: the calls that are done with, and what happened."""
        done: list[CallRow] = []
        events: list[Event] = []
        for call, outcome in results:
            happened = self._result(call, outcome)
            if happened is not None:
                done.append(call)
                events += happened
        return done, events

    def _result(self, call: CallRow, outcome: Outcome) -> list[Event] | None:
        """What happened by one result; None where it is left for the next turn."""
        error: Exception | None = None
        for attempt in (outcome, replace(outcome, reason=None, answer=None, text=None)):
            try:
                return self._alone(partial(self._record, call, attempt))
            except Exception as found:  # noqa: BLE001  logged below; it is this row's alone
                error = found
        assert error is not None  # noqa: S101  both attempts raised
        _LOG.error("the outcome of call %d cannot be kept: %s", call.id, type(error).__name__)
        return self._dead_letter(call, error) if _is_lasting(error) else None

    def _record(self, call: CallRow, outcome: Outcome, connection: Connection, now: Reading) -> list[Event]:
        return self.recorder.record(connection, call, outcome, now.at, held=now.held)

    def _dead_letter(self, call: CallRow, error: Exception) -> list[Event] | None:
        reason = f"it could not be processed: {type(error).__name__}"
        dead = Outcome(verdict="dead", reason=reason, is_attempt=False)

        def set_aside(connection: Connection, now: Reading) -> list[Event]:
            outbox.dead_letter(connection, call, now.at, reason=reason)
            return []

        for work in (partial(self._record, call, dead), set_aside):
            with suppress(Exception):  # what follows from its end cannot be had either: then its end alone
                return self._alone(work)
        return None

    def recipients(self) -> list[Event]:
        """See to the recipients that are due, each by itself; what happened."""
        events: list[Event] = []
        for _ in range(BATCH):
            seen: list[RecipientRow] = []

            def work(connection: Connection, now: Reading, seen: list[RecipientRow] = seen) -> list[Event]:
                seen += messages.due_copies(connection, now.at, 1)
                return self.network.advance(connection, now.at, 1, held=now.held) if seen else []

            try:
                events += self._alone(work)
            except Exception as error:  # noqa: BLE001  logged; it is this row's alone
                if not seen:
                    return events
                _LOG.error("a recipient of %s cannot be processed: %s", seen[0].message_id, type(error).__name__)
                if not _is_lasting(error) and not self._put_off(seen[0]):
                    return events
                events += self._reject(seen[0], error) if _is_lasting(error) else []
            if not seen:
                break
        return events

    def _put_off(self, copy: RecipientRow) -> bool:
        """Look at a recipient again later, so that those behind it have their turn; whether that could be kept."""

        def later(connection: Connection, now: Reading) -> list[Event]:
            messages.move(connection, copy, due=now.at + _LATER)
            return []

        try:
            self._alone(later)
        except StoreError:
            return False
        return True

    def _reject(self, copy: RecipientRow, error: Exception) -> list[Event]:
        detail = f"it could not be processed: {type(error).__name__}"

        def reported(connection: Connection, now: Reading) -> list[Event]:
            message = messages.message(connection, copy.message_id)
            if message is None:
                return moved(connection, now)
            if message.direction == "mo":  # which a handset was to send: nobody asked for a report on it
                messages.move(connection, copy, state=REFUSED, due=None, changed=now.at, detail=detail)
                return []
            return [self.network.record_state(connection, message, copy, "Rejected", now.at, detail=detail)]

        def moved(connection: Connection, now: Reading) -> list[Event]:
            messages.move(connection, copy, state="Rejected", due=None, changed=now.at, detail=detail)
            return []

        for work in (reported, moved):
            with suppress(Exception):  # its report cannot be planned: then its end alone
                return self._alone(work)
        return []

    def overdue(self, holder: str, expired: Outcome) -> list[Event]:
        """End the calls that have expired, each by itself; what happened."""
        calls: list[CallRow] = []

        def claim(connection: Connection, now: Reading) -> list[Event]:
            calls.extend([] if now.held else outbox.overdue(connection, now=now.at, holder=holder))
            return []

        self._alone(claim)
        return self.results((call, expired) for call in calls)[1]

    def _alone(self, work: Work) -> list[Event]:
        with self.database.write() as connection:
            return work(connection, self.clock.read(connection))


def _is_lasting(error: Exception) -> bool:
    """Whether the same would fail again: a value's fault, or ours; not the database's trouble."""
    return error.of_value if isinstance(error, StoreError) else not isinstance(error, MemoryError)
