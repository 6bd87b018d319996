"""What the network does with copies that are due: they reach a handset, another application, an upstream, or expire.

Works in the caller's transaction, so that what became of a copy and the reports on it stand or fall together. Makes no
call: what is to be told is planned in the outbox.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection

from mm7zeep import status
from mm7zeep.client import parts_of
from mm7zeep.errors import LocalError
from mm7zeep.gateway.config.destination import HANDSET
from mm7zeep.gateway.config.handset import Handset, handset_of
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery import drafts, mo, reports, webhooks
from mm7zeep.gateway.delivery.events import Event
from mm7zeep.gateway.delivery.handsets import Handsets
from mm7zeep.gateway.delivery.opted_out import opted_out
from mm7zeep.gateway.delivery.routing import OPTED_OUT
from mm7zeep.gateway.store import mapping, outbox
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store.rows import (
    DEFERRED,
    PENDING,
    SENT,
    CallRow,
    Ending,
    MessageRow,
    RecipientRow,
    columns_of,
)

_LOG = logging.getLogger("mm7zeep.gateway")
BATCH = 100  # copies that one transaction sees to
_HOLD = 30.0  # seconds until a copy that would expire is looked at again, while expiry is held


class _Reached(NamedTuple):
    """What follows from a state that a copy reaches."""

    ending: Ending
    calls: list[CallRow]
    event: Event | None
    reply: Handset | None = None  # of which script


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Sees to copies; ``handsets`` says how handsets behave, ``settings`` where upstreams stand."""

    settings: Settings
    handsets: Handsets

    def advance(self, connection: Connection, now: float, most: int = BATCH, *, held: bool = False) -> list[Event]:
        """See to the copies that are due, at most ``most``; what happened. While ``held`` none of them expires."""
        events: list[Event] = []
        copies = store.due_copies(connection, now, most)
        messages = store.by_id(connection, {one.message_id for one in copies}) if copies else {}
        here: list[_Reached] = []
        scripts = self.handsets.in_force(connection) if copies else ()
        barred = self._opted_out(connection, copies, messages)
        for copy in copies:
            message = messages.get(copy.message_id)
            if message is None:  # deleted meanwhile
                store.move(connection, copy, due=None)
            elif (copy.message_id, copy.n) in barred and not _is_over(message, now):
                events.append(self.reject_opted_out(connection, message, copy, now))
            elif copy.destination == HANDSET and not _is_over(message, now):
                here.append(self._at_handset(message, copy, handset_of(copy.of, scripts), now))
            else:
                events += self.see_to(connection, message, copy, now, held=held)
        store.end(connection, [one.ending for one in here])
        outbox.plan(connection, [call for one in here for call in one.calls])
        for one in here:
            if one.reply is not None:
                self._reply(connection, one.reply, one.ending.copy, messages[one.ending.copy.message_id], now)
        return events + [one.event for one in here if one.event is not None]

    def _opted_out(
        self, connection: Connection, copies: Sequence[RecipientRow], found: Mapping[str, MessageRow]
    ) -> set[tuple[str, int]]:
        """Those of ``copies`` that have not left, and whose recipients have opted out since they were accepted."""
        here = [
            one
            for one in copies
            if one.state == PENDING
            and one.remote_id is None
            and one.message_id in found
            and found[one.message_id].direction == "mt"
        ]
        return opted_out(connection, self.settings, [(found[one.message_id], one) for one in here])

    def reject_opted_out(self, connection: Connection, message: MessageRow, copy: RecipientRow, now: float) -> Event:
        """A copy goes nowhere, since its recipient has opted out meanwhile."""
        return self.record_state(
            connection, message, copy, "Rejected", now, detail=OPTED_OUT, status_text=status.OPTED_OUT.text
        )

    def see_to(
        self, connection: Connection, message: MessageRow, copy: RecipientRow, now: float, *, held: bool = False
    ) -> Iterator[Event]:
        """See to one copy that is due, and not to be left at a handset; what happened."""
        if message.direction == "mo":
            mo.send(connection, self.settings, message, copy, now)
        elif _is_over(message, now):
            if held:
                store.move(connection, copy, due=now + _HOLD)
            else:
                yield self.record_state(connection, message, copy, "Expired", now)
        elif copy.remote_id is not None:  # put off where it is; meanwhile a replace has given the others more time
            store.move(connection, copy, due=message.expires)
        elif copy.destination.kind == "application":
            yield from self._to_application(connection, message, copy, now)
        elif copy.destination.kind == "upstream":
            yield from self._to_upstream(connection, message, copy, now)

    def _at_handset(self, message: MessageRow, copy: RecipientRow, handset: Handset, now: float) -> _Reached:
        if handset.outcome == DEFERRED and copy.state == DEFERRED:  # it waits for its end, if it has one
            waits = Ending(
                copy=copy,
                state=DEFERRED,
                due=message.expires,
                changed=copy.changed,
                content=copy.content,
                detail=copy.detail,
            )
            return _Reached(waits, [], None)
        found = self._reached(message, copy, handset.outcome, now)
        if handset.read and handset.outcome == "Retrieved":
            found.calls.extend(self.reads(message, replace(copy, state=handset.outcome), now))
        return found._replace(reply=handset) if handset.reply else found

    def _reply(
        self, connection: Connection, handset: Handset, copy: RecipientRow, message: MessageRow, now: float
    ) -> None:
        """A handset answers what it has got, in a while, where the sender takes messages."""
        application = self.settings.application(message.application)
        if application is None or not application.takes_messages:
            return
        try:
            drafted = drafts.answer(connection, message, copy, application, parts=parts_of(handset.reply))
            like, raw, to = drafts.written(drafted, application)
        except LocalError as error:  # what became of the message counts all the same
            _LOG.warning("the handset %r cannot answer %s: %s", handset.prefix, message.id, error)
            return
        due = [now + handset.reply_after.total_seconds()]
        mo.schedule(connection, application.name, like, raw, [("to", to)], now, due=due, dated=False)

    def record_states(
        self,
        connection: Connection,
        message: MessageRow,
        copies: Sequence[RecipientRow],
        state: str,
        now: float,
        *,
        status_text: str | None = None,
    ) -> list[Event]:
        """Several copies of a message reached ``state``, as ``record_state`` has it of one."""
        found = [self._reached(message, one, state, now, status_text=status_text) for one in copies]
        store.end(connection, [one.ending for one in found])
        outbox.plan(connection, [call for one in found for call in one.calls])
        return [one.event for one in found if one.event is not None]

    def record_state(
        self,
        connection: Connection,
        message: MessageRow,
        copy: RecipientRow,
        state: str,
        now: float,
        *,
        detail: str | None = None,
        status_text: str | None = None,
        event: Mapping[str, Any] = MappingProxyType({}),
    ) -> Event:
        """A copy reached ``state``, an MMStatus; the report that was asked for is planned, and what webhooks tell.

        ``event`` is what an upstream said of it.
        """
        found = self._reached(message, copy, state, now, detail=detail, status_text=status_text, event=event)
        store.end(connection, [found.ending])
        outbox.plan(connection, found.calls)
        return cast(Event, found.event)

    def _reached(
        self,
        message: MessageRow,
        copy: RecipientRow,
        state: str,
        now: float,
        *,
        detail: str | None = None,
        status_text: str | None = None,
        event: Mapping[str, Any] = MappingProxyType({}),
    ) -> _Reached:
        ending = Ending(
            copy=copy,
            state=state,
            due=message.expires if state == DEFERRED else None,
            changed=now,
            content=message.content if state == "Retrieved" else None,
            detail=detail,
        )
        told = replace(copy, state=state, detail=detail)
        about = (self.settings, message, told, now)
        planned = list(reports.reports(*about, status_text=status_text, event=event))
        planned += webhooks.ended(*about, status_text=status_text, event=event)
        happened = Event(
            kind="handset", application=message.application, message_id=message.id, recipient=copy.of, state=state
        )
        return _Reached(ending, planned, happened)

    def reads(
        self,
        message: MessageRow,
        copy: RecipientRow,
        now: float,
        *,
        mm_status: str = "Read",
        status_text: str | None = None,
        event: Mapping[str, Any] = MappingProxyType({}),
    ) -> list[CallRow]:
        """The calls that tell of a copy which was read, or deleted unread, where that was asked for.

        ``event`` is what an upstream said of it.
        """
        if not message.read_reply:
            return []
        about = (self.settings, message, copy, now)
        planned = list(reports.reads(*about, mm_status=mm_status, status_text=status_text, event=event))
        planned += webhooks.read(*about, mm_status=mm_status, event=event)
        return planned

    # --- to others ----------------------------------------------------------------------------------------------------

    def _to_application(
        self, connection: Connection, message: MessageRow, copy: RecipientRow, now: float
    ) -> Iterator[Event]:
        """The copy becomes an MO of the application whose short code it goes to."""
        raw = store.raw(connection, message.id, message.content)
        sender = self.settings.application(message.application)
        if raw is None or sender is None:
            yield self.record_state(connection, message, copy, "Rejected", now, detail="its sender is no longer served")
            return
        kind, value, attributes = columns_of(mapping.sender_of(message, sender.aliases))
        visible = [one for one in store.recipients(connection, message.id) if one.place != "bcc"]
        if message.field.get("group") is False:  # each is to see only himself
            visible = [one for one in visible if one.n == copy.n]
        planned = mo.plan(
            connection,
            self.settings,
            copy.destination.name,
            replace(message, sender_kind=kind, sender=value, sender_attributes=attributes),
            raw,
            [(one.place, one.of) for one in visible],
            now,
            origin=(message.id, copy.n),
        )
        if planned is None:
            yield self.record_state(
                connection, message, copy, "Rejected", now, detail="that application takes no messages"
            )
            return
        store.move(connection, copy, state=SENT, due=None, changed=now, remote_id=planned.message_id)

    def _to_upstream(
        self, connection: Connection, message: MessageRow, copy: RecipientRow, now: float
    ) -> Iterator[Event]:
        """The copy is to leave through an upstream: the call is planned, and the copy waits for its end."""
        upstream = self.settings.upstream(copy.destination.name)
        if upstream is None:
            yield self.record_state(
                connection, message, copy, "Rejected", now, detail="its upstream is no longer configured"
            )
            return
        store.move(connection, copy, due=None, changed=now)
        outbox.plan(connection, [reports.submission(self.settings, copy, message, upstream.url, now)])


def _is_over(message: MessageRow, now: float) -> bool:
    """Whether a message has expired."""
    return message.expires is not None and message.expires <= now
