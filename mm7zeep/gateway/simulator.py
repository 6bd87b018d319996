"""The handsets of a gateway, on request: one sends a message, one of them reaches a state, has read, shows what it got.

For tests, demonstrations and the admin listener; what handsets do by themselves is configured (``[[handset]]``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mm7zeep import envelope, exchange
from mm7zeep.client import ContentLike, parts_of
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery import mo
from mm7zeep.gateway.delivery.dispatcher import Dispatcher
from mm7zeep.gateway.delivery.events import Event
from mm7zeep.gateway.store import content as contents
from mm7zeep.gateway.store import mapping, messages, outbox
from mm7zeep.gateway.store.clock import GuardedClock
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.rows import SHOWN, CallRow, MessageRow, RawRow, RecipientRow
from mm7zeep.messages import AddressLike, DeliverReq, Part, ShortCode, address


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """What handsets do when somebody says so. ``observe`` is told each ``Event``. Thread-safe."""

    settings: Settings
    database: Database
    clock: GuardedClock
    dispatcher: Dispatcher
    observe: Callable[[Event], object]

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
        receiver = self.settings.application(application)
        if receiver is None:
            raise KeyError(application)
        if not receiver.takes_messages:
            words = "has no callback, and no webhook for message.received"
            raise ValueError(f"the application {application} {words}")
        target = ShortCode(to) if isinstance(to, str) and to in receiver.short_codes else address(to)
        message = DeliverReq(sender=address(from_), to=(target,), subject=subject, parts=parts_of(content))
        fitting, _ = envelope.fitted(message, receiver.callback_profile)
        wire = exchange.pack(fitting, profile=receiver.callback_profile)
        raw = RawRow(message_id="", n=0, received=0.0, headers=mapping.headers_text(wire.headers), body=wire.read())
        like = mo.summary(message, contents.parts_of(raw), 0.0)
        with self.database.write() as connection:
            now = self.clock.now(connection)
            like, raw = replace(like, accepted=now), replace(raw, received=now)
            call = mo.plan(connection, self.settings, application, like, raw, [("to", target)], now)
        assert call is not None  # noqa: S101  it takes messages
        self.dispatcher.wake()
        return call

    def report(self, message_id: str, recipient: str, state: str, text: str | None = None) -> None:
        """A recipient's copy reaches a state, an MMStatus, whatever its handset would do; reported, asked for or not.

        Raises ``KeyError`` for an unknown message or recipient, ``StoreError``.
        """
        with self.database.write() as connection:
            message, copy = self._copy(connection, message_id, recipient)
            asked = replace(message, delivery_report=True)
            now = self.clock.now(connection)
            event = self.dispatcher.network.record_state(connection, asked, copy, state, now, status_text=text)
        self.observe(event)
        self.dispatcher.wake()

    def read(self, message_id: str, recipient: str, status: str) -> bool:
        """A recipient has Read or Deleted a message; whether its application can be told, by callback or webhook.

        Raises ``KeyError`` for an unknown message or recipient, ``StoreError``.
        """
        with self.database.write() as connection:
            message, copy = self._copy(connection, message_id, recipient)
            asked = replace(message, read_reply=True)
            plans = self.dispatcher.network.reads(asked, copy, self.clock.now(connection), mm_status=status)
            outbox.plan(connection, plans)
        self.dispatcher.wake()
        return bool(plans)

    def retrieved(self, message_id: str) -> tuple[Part, ...]:
        """The parts of a message as a handset has them, with the presentation that was made where it had none.

        Raises ``KeyError`` for an unknown message, ``StoreError``.
        """
        with self.database.read() as connection:
            message = _message(connection, message_id)
            raw = messages.raw(connection, message.id, message.content) if message is not None else None
        if raw is None:
            raise KeyError(message_id)
        return contents.presented(contents.parts_of(raw))

    def _copy(self, connection: Connection, message_id: str, recipient: str) -> tuple[MessageRow, RecipientRow]:
        message = _message(connection, message_id)
        copies = messages.recipients(connection, message.id, lock=True) if message is not None else []
        served = [one for one in copies if one.state != SHOWN]  # who is only displayed has no copy to report on
        copy = next((one for one in served if recipient in (one.address, one.of.bare)), None)
        if message is None or message.direction != "mt":
            raise KeyError(message_id)
        if copy is None:
            raise KeyError(recipient)
        return message, copy


def _message(connection: Connection, message_id: str) -> MessageRow | None:
    """The message of that id; of ``latest``, the newest."""
    return messages.newest(connection) if message_id == "latest" else messages.message(connection, message_id)
