"""What follows from the outcome of a call: the row's end or next attempt, and what its message has become by it.

Works in the caller's transaction. Changes nothing where the claim is not the present one: whoever slept through its
lease has lost it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Connection

from mm7zeep import masking
from mm7zeep.findings import finding
from mm7zeep.gateway.config.parties import RECEIVED
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery import fetch_call, webhooks
from mm7zeep.gateway.delivery.events import Event
from mm7zeep.gateway.delivery.recipients import Network
from mm7zeep.gateway.delivery.retry import Outcome, next_attempt
from mm7zeep.gateway.store import buckets, endpoints, mapping, messages, outbox
from mm7zeep.gateway.store.rows import DELIVERED, REFUSED, SENT, CallRow, MessageRow, RecipientRow, address_of
from mm7zeep.gateway.store.tables import index_key
from mm7zeep.messages import Address

_LOG = logging.getLogger("mm7zeep.gateway")
_OVER = "the claim of call %d was over before its outcome was known; somebody else has it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRecorder:
    """Settles calls; what it means for a copy, the ``network`` does."""

    settings: Settings
    network: Network

    def record_all(
        self, connection: Connection, results: Sequence[tuple[CallRow, Outcome]], now: float, *, held: bool = False
    ) -> Iterator[Event]:
        """Settle calls, in their order; what happened. What only told something and was taken costs one statement."""
        taken = [call for call, outcome in results if _only_tells(call) and outcome.is_plain]
        stand = outbox.complete_all(connection, taken, now)
        outbox.release_held(connection, [one for one in taken if (one.id, one.epoch) in stand], now)
        for call, outcome in results:
            if not (_only_tells(call) and outcome.is_plain):
                yield from self.record(connection, call, outcome, now, held=held)
            elif (call.id, call.epoch) in stand:
                yield _event(call, _recipient(call), outcome, DELIVERED)
            else:
                _LOG.warning(_OVER, call.id)

    def record(
        self, connection: Connection, call: CallRow, outcome: Outcome, now: float, *, held: bool = False
    ) -> list[Event]:
        """Settle one call; what happened. Nothing, if its claim is not the present one.

        While ``held`` it is not given up for its age, nor for the number of its attempts.
        """
        verdict, delivery = outcome.verdict, self.settings.delivery
        told: dict[str, Any] = {
            "reason": outcome.reason,
            "http_status": outcome.http_status,
            "answer": outcome.answer,
        }
        if verdict != "done" and call.attempts and outcome.is_attempt:
            told["tried"] = call.failing(now, outcome.reason, outcome.http_status)
        if call.kind == "submit" and not outcome.unclear and verdict in ("pause", "retry"):
            told["payload"] = json.dumps({**call.event, "refused": call.epoch})  # so that it can still be taken back
        if verdict == "pause":
            paused = endpoints.pause(connection, call.endpoint, outcome.reason or "", now, generation=call.generation)
            state = "Paused" if paused else "Postponed"  # where it was resumed since, the next attempt tells
            if paused:
                _LOG.warning("calls to %s are paused: %s", masking.url(call.endpoint), outcome.reason)
            stands = outbox.reschedule(connection, call, now, attempts=max(0, call.attempts - 1), **told)
        elif verdict == "retry" and (due := next_attempt(call, outcome, now, delivery, held=held)) is not None:
            stands, state = outbox.reschedule(connection, call, due, **told), "Postponed"
            if stands:
                _LOG.info("%s", _again(call, outcome, due))
        elif verdict == "done":
            stands, state = outbox.complete(connection, call, now, **told), DELIVERED
            if stands and outcome.left_out:
                self._left_out(connection, call, outcome.left_out)
            if stands and outcome.findings:
                messages.note(connection, call.message_id, mapping.findings_text(outcome.findings))
            if stands and outcome.reply is not None:
                outcome.reply(connection, now)  # only whose claim stands: so it is kept once, with the call's end
        else:
            told["reason"] = f"{outcome.reason} (given up)" if verdict == "retry" else outcome.reason
            stands, state = outbox.dead_letter(connection, call, now, **told), REFUSED
            where = masking.url(call.endpoint)
            _LOG.warning("a %s call to %s is given up: %s", call.kind, where, told["reason"])
        if not stands:
            _LOG.warning(_OVER, call.id)
            return []
        if verdict != "done" and not outcome.unclear:
            buckets.give_back(connection, self.settings.rate_limits, call, now)
        if state in (DELIVERED, REFUSED):
            outbox.release_held(connection, [call], now)
        return list(self._follow(connection, call, outcome, state, now))

    def _left_out(self, connection: Connection, call: CallRow, names: tuple[str, ...]) -> None:
        """Note on the message, and in the log, what its callback could not say."""
        said = ", ".join(names)
        found = finding("ns/no-place", call.kind, detail=said, action="noted")
        messages.note(connection, call.message_id, mapping.findings_text([found]))
        where = masking.url(call.endpoint)
        _LOG.info("a %s call to %s left out %s: its namespace has no place for it", call.kind, where, said)

    def _follow(
        self, connection: Connection, call: CallRow, outcome: Outcome, state: str, now: float
    ) -> Iterator[Event]:
        # locked only where it changes: the calls of one message end in many processes, in any order
        ends = state in (DELIVERED, REFUSED)
        if _only_tells(call):
            yield _event(call, _recipient(call), outcome, state)
            return
        if call.kind == "fetch":
            yield from fetch_call.settle(connection, self.network, call, outcome, state, now)
            yield _event(call, None, outcome, state)
            return
        changes = ends and (call.kind == "submit" or outbox.brings(connection, call))
        copy = messages.copy(connection, call.message_id, call.n, lock=changes)
        if copy is not None and changes:
            if call.kind == "submit":
                yield from self._submitted(connection, copy, outcome, state, now)
            else:
                yield from self._delivered(connection, copy, outcome, state, now)
        yield _event(call, copy.of if copy is not None else None, outcome, state)

    def _submitted(
        self, connection: Connection, copy: RecipientRow, outcome: Outcome, state: str, now: float
    ) -> Iterator[Event]:
        """The upstream has taken the copy, or will never."""
        message = messages.message(connection, copy.message_id)
        if message is None:
            return
        if state == DELIVERED:
            remote = index_key(outcome.message_id.strip()) if outcome.message_id is not None else None
            messages.move(
                connection, copy, state=SENT, changed=now, remote_id=remote, content=message.content, detail=None
            )
            outbox.plan(connection, list(webhooks.sent(self.settings, message, copy, now)))
            return
        end = _end(message, outcome, now)
        yield self.network.record_state(
            connection, message, copy, end, now, detail=outcome.reason, status_text=outcome.text
        )

    def _delivered(
        self, connection: Connection, copy: RecipientRow, outcome: Outcome, state: str, now: float
    ) -> Iterator[Event]:
        """The application has taken the MO, or will not; so has the copy of another application that it came from."""
        messages.move(connection, copy, state=state, changed=now, detail=outcome.reason if state == REFUSED else None)
        message = messages.message(connection, copy.message_id)
        origin = message.field.get("origin") if message is not None else None
        if origin is None:
            return
        sent = messages.copy(connection, origin[0], origin[1], lock=True)
        first = messages.message(connection, origin[0])
        if sent is None or first is None or sent.state != SENT:
            return
        end = "Retrieved" if state == DELIVERED else _end(first, outcome, now)
        yield self.network.record_state(connection, first, sent, end, now, detail=outcome.reason)


def _only_tells(call: CallRow) -> bool:
    """Whether nothing becomes of a message by a call: it is about what had become of it."""
    return call.kind in ("report", "read") or (call.kind == "webhook" and call.event["type"] != RECEIVED)


def _recipient(call: CallRow) -> Address | None:
    """Whom a report, a read reply or an event is about."""
    told = call.event.get("recipient")
    return address_of(*told) if told is not None else None


def _end(message: MessageRow, outcome: Outcome, now: float) -> str:
    """The MMStatus of a copy that was never taken."""
    late = message.expires is not None and message.expires <= now
    return "Expired" if late or outcome.verdict == "retry" else "Rejected"


def _again(call: CallRow, outcome: Outcome, due: float) -> str:
    """What the log says of a call that is tried again."""
    moment = datetime.fromtimestamp(due, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    where = masking.url(call.endpoint)
    attempt = f"attempt {call.attempts} failed" if call.attempts else "it could not be attempted"
    which = f"the {call.kind} call {call.id} of {call.message_id} to {where}"
    return f"{which} is made again: {attempt}: {outcome.reason}; next attempt at {moment}"


def _event(call: CallRow, recipient: Address | None, outcome: Outcome, state: str) -> Event:
    told = call.event
    return Event(
        kind=cast(Any, call.kind),
        application=call.owner,
        message_id=call.message_id,
        recipient=recipient,
        state=str(told.get("mm_status", state)) if state == DELIVERED else state,
        error=outcome.reason if state != DELIVERED else None,
    )
