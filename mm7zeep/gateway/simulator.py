"""The handsets of a gateway, on request: one sends a message, one of them reaches a state, has read, shows what it got.

For tests, demonstrations and the admin listener; what handsets do by themselves their scripts say (``[[handset]]``, or
``set_handsets``). Only copies at handsets reach a state here: what an upstream or another application has, only that
one knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mm7zeep.client import ContentLike, parts_of
from mm7zeep.gateway.config.destination import HANDSET
from mm7zeep.gateway.config.draft import Draft, NotPossible, Plan
from mm7zeep.gateway.config.handset import Handset, Script
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery import drafts, handsets, mo
from mm7zeep.gateway.delivery.dispatcher import Dispatcher
from mm7zeep.gateway.delivery.events import Event
from mm7zeep.gateway.store import content as contents
from mm7zeep.gateway.store import messages, outbox
from mm7zeep.gateway.store.clock import GuardedClock
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.rows import CANCELLED, SHOWN, CallRow, MessageRow, RecipientRow
from mm7zeep.messages import Address, AddressLike, Part, ShortCode, address

_OCTETS = 10  # bodies of the largest size that a series may take together: each message of it is kept with its octets


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """What handsets do when somebody says so. ``observe`` is told each ``Event``. Thread-safe.

    Where a method takes an ``application``, a message of another is as if it did not exist; None: those of all.
    """

    settings: Settings
    database: Database
    clock: GuardedClock
    dispatcher: Dispatcher
    observe: Callable[[Event], object]

    # --- messages that handsets send ----------------------------------------------------------------------------------

    def send_mo(
        self,
        application: str,
        from_: AddressLike,
        to: AddressLike,
        subject: str | None = None,
        content: ContentLike | Iterable[ContentLike] = (),
    ) -> CallRow:
        """Plan an MO message from a handset to an application; its ``message_id`` is the LinkedID.

        Raises ``KeyError`` for an unknown application, ``ValueError`` for one that takes no messages and for what no
        message can be made of, ``StoreError``.
        """
        draft = self.draft(application, from_, to, subject, content)
        call = self.send(draft)
        return call

    def draft(
        self,
        application: str,
        from_: AddressLike,
        to: AddressLike,
        subject: str | None = None,
        content: ContentLike | Iterable[ContentLike] = (),
    ) -> Draft:
        """A new message of a handset, to be sent or planned. Raises as ``send_mo``, without the ``StoreError``."""
        target = self._target(self._receiver(application), to)
        return Draft(
            application=application, sender=address(from_), to=target, subject=subject, parts=parts_of(content)
        )

    def reply(
        self,
        message_id: str,
        from_: str | None = None,
        to: AddressLike | None = None,
        subject: str | None = None,
        content: ContentLike | Iterable[ContentLike] = (),
        *,
        application: str | None = None,
    ) -> Draft:
        """The answer to a message by its recipient ``from_``, or by the only one; ``to`` somebody else than its sender.

        Raises ``KeyError`` for an unknown message, ``NotPossible`` for a recipient that has not got it, ``ValueError``
        as ``send_mo``, ``StoreError``.
        """
        with self.database.read() as connection:
            message = _own(connection, message_id, application)
            copy = drafts.answering(message, messages.recipients(connection, message.id), from_)
            receiver = self._receiver(message.application)
            found = drafts.answer(connection, message, copy, receiver, subject=subject, parts=parts_of(content))
        return found if to is None else replace(found, to=self._target(receiver, to))

    def forwarded(self, message_id: str, *, application: str | None = None) -> tuple[tuple[Part, ...], str]:
        """The parts of a message as a handset passes them on, and the subject: Fwd: and that of the message.

        Raises ``KeyError`` for an unknown message, ``NotPossible`` for one without content, ``StoreError``.
        """
        with self.database.read() as connection:
            return drafts.passed_on(connection, _own(connection, message_id, application))

    def send(self, draft: Draft) -> CallRow:
        """Send a draft now; the call that brings it. Raises as ``send_mo``."""
        receiver = self._receiver(draft.application)
        like, raw, to = drafts.written(draft, receiver)
        with self.database.write() as connection:
            now = self.clock.now(connection)
            like, raw = replace(like, accepted=now), replace(raw, received=now)
            call = mo.plan(connection, self.settings, receiver.name, like, raw, [("to", to)], now)
        assert call is not None  # noqa: S101  it takes messages
        self.dispatcher.wake()
        return call

    def plan(self, draft: Draft, plan: Plan) -> list[str]:
        """Plan a draft for later, all of it in one transaction: the LinkedIDs, in the order in which they are sent.

        Raises as ``send_mo``, and ``NotPossible`` for times that cannot be, and for more octets than may be planned
        together.
        """
        receiver = self._receiver(draft.application)
        like, raw, to = drafts.written(draft, receiver)
        most = _OCTETS * self.settings.limits.body
        if len(raw.body) * plan.times > most:
            words = f"is too often for a message of {len(raw.body)} octets: together they may have {most}"
            raise NotPossible("times", words)
        dated = plan.at is not None
        with self.database.write() as connection:
            now = self.clock.now(connection)
            due = plan.due(now)
            ids = mo.schedule(connection, receiver.name, like, raw, [("to", to)], now, due=due, dated=dated)
        self.dispatcher.wake()
        return ids

    def _receiver(self, name: str) -> Application:
        receiver = self.settings.application(name)
        if receiver is None:
            raise KeyError(name)
        if not receiver.takes_messages:
            lacks = "no callback, no webhook for message.received, and no incoming of Twilio's form"
            raise NotPossible("application", f"{name!r} has {lacks}; give it one in the configuration")
        return receiver

    def _target(self, receiver: Application, to: AddressLike) -> Address:
        return ShortCode(to) if isinstance(to, str) and to in receiver.short_codes else address(to)

    # --- what becomes of messages at handsets -------------------------------------------------------------------------

    def report(
        self,
        message_id: str,
        recipient: str | None,
        state: str,
        text: str | None = None,
        *,
        application: str | None = None,
    ) -> list[str]:
        """A recipient's copy reaches a state, an MMStatus, whatever its handset would do; reported, asked for or not.

        Without a ``recipient``, that of the sole one, or all copies that still wait for their handsets. Gives the
        addresses. Raises ``KeyError`` for an unknown message or recipient, ``NotPossible`` where the copy is at no
        handset, or none waits, ``StoreError``.
        """
        with self.database.write() as connection:
            message, copies = _copies(connection, message_id, recipient, application)
            recipient = copies[0].address if len(copies) == 1 else recipient
            here = [one for one in copies if one.destination == HANDSET and one.state != CANCELLED]
            here = here if recipient is not None else [one for one in here if one.waits]
            if not here:
                raise NotPossible("recipient", _why_not(copies, recipient))
            asked = replace(message, delivery_report=True)
            now = self.clock.now(connection)
            events = self.dispatcher.network.record_states(connection, asked, here, state, now, status_text=text)
        for event in events:
            self.observe(event)
        self.dispatcher.wake()
        return [one.address for one in here]

    def read(self, message_id: str, recipient: str | None, status: str, *, application: str | None = None) -> bool:
        """A recipient has Read or Deleted a message; whether its application can be told, by callback or webhook.

        Without a ``recipient``, the sole one. Raises ``KeyError`` for an unknown message or recipient, ``NotPossible``
        where it has several, or none, and nobody says which, ``StoreError``.
        """
        with self.database.write() as connection:
            message, copies = _copies(connection, message_id, recipient, application)
            if len(copies) != 1:
                raise NotPossible("recipient", f"the message has {len(copies)} recipients; name the one who read it")
            [copy] = copies
            asked = replace(message, read_reply=True)
            plans = self.dispatcher.network.reads(asked, copy, self.clock.now(connection), mm_status=status)
            outbox.plan(connection, plans)
        self.dispatcher.wake()
        return bool(plans)

    def retrieved(self, message_id: str, *, application: str | None = None) -> tuple[Part, ...]:
        """The parts of a message as a handset has them, with the presentation that was made where it had none.

        Raises ``KeyError`` for an unknown message, ``StoreError``.
        """
        with self.database.read() as connection:
            message = _own(connection, message_id, application)
            raw = messages.raw(connection, message.id, message.content)
        if raw is None:
            raise KeyError(message_id)
        return contents.presented(contents.parts_of(raw))

    # --- scripts ------------------------------------------------------------------------------------------------------

    def handsets(self) -> list[Script]:
        """The handset scripts in force, the first that fits counts. Raises ``StoreError``."""
        known = self.dispatcher.network.handsets
        with self.database.read() as connection:
            chosen = known.changed(connection)
        return [*(Script(one, "set") for one in chosen), *(Script(one, "file") for one in known.file)]

    def set_handsets(self, scripts: Iterable[Handset]) -> None:
        """Put ``scripts`` before those of the file, in the place of those that were set; none ends what was set.

        Every process goes by them a second later at most. The outcome counts for all that still wait for a handset, the
        delay for what is accepted from then on. Raises ``StoreError``.
        """
        with self.database.write() as connection:
            handsets.keep(connection, scripts)
        with self.database.read() as connection:
            self.dispatcher.network.handsets.changed(connection)


def _why_not(copies: Sequence[RecipientRow], recipient: str | None) -> str:
    """Why none of ``copies`` reaches a state here."""
    if recipient is None:
        return "no copy of the message waits for a handset; name the recipient whose copy is to be reported on again"
    [copy] = copies
    if copy.state == CANCELLED:
        return "the copy was taken back; nothing becomes of it any more"
    if copy.destination.kind == "none":
        return f"the recipient was not served: {copy.detail or copy.state}"
    return f"the copy is not at a handset but with {copy.destination}, and only that can say what becomes of it"


def _own(connection: Connection, message_id: str, application: str | None) -> MessageRow:
    """The message of that id; of ``latest``, the newest. Raises ``KeyError`` where the ``application`` has none."""
    latest = message_id == "latest"
    found = messages.newest(connection, application) if latest else messages.message(connection, message_id)
    if found is None or application not in (None, found.application):
        raise KeyError(message_id)
    return found


def _copies(
    connection: Connection, message_id: str, recipient: str | None, application: str | None
) -> tuple[MessageRow, list[RecipientRow]]:
    """An MT message, and its copies that are not only displayed, locked: all, or the one of ``recipient``."""
    message = _own(connection, message_id, application)
    if message.direction != "mt":
        raise KeyError(message_id)
    copies = messages.recipients(connection, message.id, lock=True)
    served = [one for one in copies if one.state != SHOWN]  # who is only displayed has no copy to report on
    if recipient is None:
        return message, served
    found = next((one for one in served if recipient in (one.address, one.of.bare)), None)
    if found is None:
        raise KeyError(recipient)
    return message, [found]
