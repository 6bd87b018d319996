"""MO messages: kept as rows, planned as calls, and made into the DeliverReq that an application reads.

They come from a handset (REST, or its script), from an upstream (MM7_deliver), or from an application whose message is
for another's short code. Those of a handset may be sent later: until then the message is kept with the time, and none
of its calls is planned. Works in the caller's transaction; makes no call.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from mm7zeep import exchange
from mm7zeep.exchange import Received
from mm7zeep.gateway.config.destination import NOWHERE, Destination
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery import webhooks
from mm7zeep.gateway.delivery.reports import call_to
from mm7zeep.gateway.store import content, mapping, messages, opt_outs, outbox
from mm7zeep.gateway.store.rows import PENDING, REFUSED, SHOWN, CallRow, MessageRow, RawRow, RecipientRow, attributes_of
from mm7zeep.messages import Address, DeliverReq, Number, Part, ShortCode
from mm7zeep.tracing import kept_of

_FIELDS = (
    "vaspid", "vasid", "priority", "reply_charging_id", "sender_spi", "recipient_spi", "applic_id", "reply_applic_id",
    "aux_applic_info", "allow_adaptations",
)  # fmt: skip
_SENDERS = ("api", "group")  # of the fields: what only the sender is told
_WORD = 100  # characters that are kept of the word by which somebody opts out


def summary(
    request: DeliverReq,
    parts: Sequence[Part],
    now: float,
    *,
    received: Received | None = None,
    upstream: Destination | None = None,
    traced: Mapping[str, Any] = MappingProxyType({}),
) -> MessageRow:
    """What is kept of an MO that ``request`` says, with ``parts``; ``plan`` gives it an id and an application.

    ``received`` and ``upstream`` are given where another MMSC brought it; ``traced`` is kept of its trace.
    """
    sender = request.sender
    own = {"from": str(upstream)} if upstream is not None else {}
    return MessageRow(
        id="",
        direction="mo",
        application="",
        transaction_id=received.transaction_id if received is not None else None,
        namespace=received.namespace if received is not None else None,
        mm7_version=received.mm7_version if received is not None else None,
        sender_kind=sender.kind if sender is not None else None,
        sender=sender.value if sender is not None else None,
        sender_attributes=attributes_of(sender),
        subject=request.subject,
        accepted=now,
        fields=mapping.as_text({**mapping.fields_of(request), **mapping.event_fields(request), **own, **traced}),
        findings=mapping.findings_text(received.findings if received is not None else ()),
        **content.summary(parts)._asdict(),
    )


def plan(
    connection: Connection,
    settings: Settings,
    application: str,
    like: MessageRow,
    raw: RawRow,
    recipients: Sequence[tuple[str, Address]],
    now: float,
    *,
    origin: tuple[str, int] | None = None,
) -> CallRow | None:
    """Keep an MO for ``application`` that says what ``like`` says, and plan the calls that bring it.

    Its octets are those of ``raw``. ``recipients`` are places and addresses; the first is the application's own.
    ``origin`` is the copy that becomes it: MessageID and number. The calls are given up when ``like`` expires. The
    first of them is what decides whether it was brought: the one by MM7, where there is a callback. None where the
    application takes none.

    A word by which its sender opts out, or in again, counts from this transaction on, unless an application sent it.
    """
    receiver = settings.application(application)
    if receiver is None or not receiver.takes_messages:
        return None
    message = _message(like, application, origin, now)
    copies = [
        _copy(message, n, place, address)
        for n, (place, address) in enumerate(recipients or [("to", ShortCode(receiver.aliases[0]))])
    ]
    messages.keep(connection, [messages.Kept(message, replace(raw, message_id=message.id, n=0), copies)])
    if origin is None:  # the sender of what an application has sent is whom it names, and proves nothing
        _hear(connection, receiver, message, raw, [address for _, address in recipients], now)
    calls = _calls(settings, receiver, message, now)
    if like.expires is not None:
        calls = [replace(call, expires=min(call.expires, like.expires)) for call in calls]
    outbox.plan(connection, calls)
    return calls[0]


def _calls(settings: Settings, receiver: Application, message: MessageRow, now: float) -> list[CallRow]:
    """The calls that bring an MO; the first decides whether it was brought."""
    calls = list(webhooks.received(settings, receiver.name, message, now))
    if receiver.callback is not None:
        url = receiver.callback.deliver
        calls.insert(0, call_to(settings, "deliver", receiver.name, url, message.id, 0, now, kept_of(message.field)))
    return calls


def schedule(
    connection: Connection,
    application: str,
    like: MessageRow,
    raw: RawRow,
    recipients: Sequence[tuple[str, Address]],
    now: float,
    *,
    due: Sequence[float],
    dated: bool,
) -> list[str]:
    """Keep an MO for ``application`` for each time in ``due`` (seconds since 1970), to be sent then; their ids.

    What is ``dated`` is sent at its time by whatever clock counts then; anything else so many seconds from now.
    """
    kept = []
    for when in due:
        message = _message(like, application, None, now)
        message = replace(message, earliest=when) if dated else message
        copies = [_copy(message, n, place, address) for n, (place, address) in enumerate(recipients)]
        copies[0] = replace(copies[0], due=when)
        kept.append(messages.Kept(message, replace(raw, message_id=message.id, n=0, received=now), copies))
    messages.keep(connection, kept)
    return [one.message.id for one in kept]


def send(
    connection: Connection, settings: Settings, message: MessageRow, copy: RecipientRow, now: float
) -> CallRow | None:
    """A handset sends, at its time, what ``schedule`` has kept: the calls that bring it are planned, as by ``plan``.

    None where its application takes no messages any more.
    """
    receiver = settings.application(message.application)
    if receiver is None or not receiver.takes_messages:
        messages.move(connection, copy, state=REFUSED, due=None, changed=now, detail="that application takes none")
        return None
    sent = replace(message, accepted=now, earliest=None)
    messages.change(connection, message.id, accepted=now, earliest=None)
    messages.move(connection, copy, due=None, changed=now)
    if receiver.opt_out is not None and (raw := messages.raw(connection, message.id)) is not None:
        everybody = [one.of for one in messages.recipients(connection, message.id)]
        _hear(connection, receiver, sent, raw, everybody, now)
    calls = _calls(settings, receiver, sent, now)
    outbox.plan(connection, calls)
    return calls[0]


def _message(like: MessageRow, application: str, origin: tuple[str, int] | None, now: float) -> MessageRow:
    """The MO for ``application`` that says what ``like`` says."""
    fields = {name: value for name, value in like.field.items() if name not in _SENDERS}
    if origin is not None:
        fields["origin"] = list(origin)
    return replace(
        like,
        id=exchange.new_transaction_id(),
        direction="mo",
        application=application,
        accepted=now,
        earliest=None,
        expires=None,
        delivery_report=False,
        read_reply=False,
        content=0,
        fields=json.dumps(fields),
        seq=None,
    )


def _copy(message: MessageRow, n: int, place: str, address: Address) -> RecipientRow:
    """One copy of an MO: the first goes to its application, the others are only displayed."""
    return RecipientRow(
        message_id=message.id,
        n=n,
        place=place,
        kind=address.kind,
        address=address.value,
        destination=Destination.application(message.application) if n == 0 else NOWHERE,
        state=PENDING if n == 0 else SHOWN,
        changed=message.accepted,
        attributes=attributes_of(address),
    )


def _hear(
    connection: Connection,
    application: Application,
    message: MessageRow,
    raw: RawRow,
    recipients: Sequence[Address],
    now: float,
) -> None:
    """Keep that a subscriber opts out of what ``application`` sends, or in again, where the message says nothing else:
    its first text, or its subject where it has none.
    """
    words, subscriber = application.opt_out, message.sent_by
    if words is None or subscriber is None:
        return
    text = message.subject or ""
    if message.excerpt:
        if not words.begins(message.excerpt):
            return
        text = content.first_text(content.parts_of(raw)) or ""
    meaning = words.meaning(text)
    if meaning is not None:
        word = text.strip()[:_WORD]
        opt_outs.hear(connection, application, meaning, subscriber, recipients, now, word=word, message_id=message.id)


def message_of(
    message: MessageRow,
    copies: Iterable[RecipientRow],
    parts: Iterable[Part],
    application: Application,
    relay_id: str | None,
) -> DeliverReq:
    """The DeliverReq of an MO, as its application reads it."""
    places: dict[str, list[Address]] = {"to": [], "cc": []}
    for one in copies:
        if one.place in places:  # Bcc: nobody is told
            places[one.place].append(_as_called(one, application))
    # optional in every schema, Normal where absent; some receivers answer 500 without it
    fields: dict[str, Any] = {"priority": "Normal"}
    fields |= {name: message.field[name] for name in _FIELDS if name in message.field}
    # TS 23.140 table 31: the VASP that is brought it; what an upstream or another application called itself is not that
    if fields.get("vaspid") != application.vaspid:
        fields.pop("vaspid", None)
    if fields.get("vasid") not in application.vasids and "vaspid" not in fields:
        fields.pop("vasid", None)
    return DeliverReq(
        mms_relay_server_id=relay_id,
        linked_id=message.id,
        sender=message.sent_by or Number("unknown"),
        to=tuple(places["to"]),
        cc=tuple(places["cc"]),
        time_stamp=mapping.moment(message.field.get("date", message.accepted)),
        subject=message.subject,
        parts=tuple(parts),
        **fields,
        **mapping.said(message.field),
    )


def _as_called(copy: RecipientRow, application: Application) -> Address:
    """An application's short code as a ShortCode, however it was written."""
    address = copy.of
    if address.coding is not None or address.value not in application.short_codes:
        return address
    return ShortCode(address.value, display_only=address.display_only, id=address.id)
