"""What a handset sends, before it is planned: a new message, an answer to one that it got, or one passed on.

Rows in, values out; plans and keeps nothing. Refuses, with ``NotPossible``, what no handset could send.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection

from mm7zeep import envelope, exchange
from mm7zeep.gateway.config.draft import Draft, NotPossible
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.delivery import mo
from mm7zeep.gateway.store import content, mapping, messages, outbox
from mm7zeep.gateway.store.rows import SENT, SHOWN, MessageRow, RawRow, RecipientRow
from mm7zeep.messages import Address, DeliverReq, Part, SubmitReq

_MAY_HAVE_IT = ("Retrieved", "Forwarded", "Indeterminate", SENT)
"""States of a copy whose recipient has the message, or may: in all others it is certain that it does not."""
_RE, _FWD = "Re: ", "Fwd: "


class Written(NamedTuple):
    """A draft as rows: a message and its octets, as yet without id and time; and whom it is to."""

    message: MessageRow
    raw: RawRow
    to: Address


def written(draft: Draft, application: Application) -> Written:
    """The rows of a draft, in the schema of its application. Raises ``LocalError`` for what no message can be made of.

    What the schema has no place for is left out, as in the callback itself.
    """
    profile = application.callback_profile
    message = DeliverReq(
        sender=draft.sender, to=(draft.to,), subject=draft.subject, parts=tuple(draft.parts), **draft.fields
    )
    fitting, _ = envelope.fitted(message, profile)
    wire = exchange.pack(fitting, profile=profile)
    raw = RawRow(message_id="", n=0, received=0.0, headers=mapping.headers_text(wire.headers), body=wire.read())
    like = mo.summary(message, content.parts_of(raw), 0.0)
    if draft.reply_to is not None:
        like = replace(like, fields=mapping.as_text({**like.field, "reply_to": draft.reply_to}))
    return Written(like, raw, draft.to)


def answer(
    connection: Connection,
    message: MessageRow,
    copy: RecipientRow,
    application: Application,
    *,
    subject: str | None = None,
    parts: Sequence[Part] = (),
) -> Draft:
    """The answer to a message by the recipient of ``copy``; without a ``subject`` it is Re: and that of the message.

    It names the original where MM7 has a place for that: ReplyChargingID, where the original pays for replies. The
    LinkedID is the answer's own, by which the application links what it sends next to it (TS 23.140 8.7.2).
    """
    return Draft(
        application=message.application,
        sender=replace(copy.of, id=None, display_only=False),
        to=mapping.sender_of(message, application.aliases),
        subject=_prefixed(_RE, message.subject) if subject is None else subject,
        parts=parts,
        fields=_linking(connection, message),
        reply_to=message.id,
    )


def _linking(connection: Connection, message: MessageRow) -> dict[str, Any]:
    """How an answer refers to its original."""
    first = messages.raw(connection, message.id)
    asked = (
        cast(SubmitReq, exchange.unpack(messages.wire_of(first), policy="lenient", limits=content.ANY).message)
        if first is not None
        else None
    )
    # TS 23.140 8.7.2: the MessageID of the original, where this is a reply that the original pays for
    charged = {"reply_charging_id": message.id} if getattr(asked, "reply_charging", None) is not None else {}
    # ReplyApplicID names the application that an answer is for; without it that is the one which sent
    applic_id = message.field.get("reply_applic_id") or message.field.get("applic_id")
    return {**charged, **({"applic_id": applic_id} if applic_id else {})}


def answering(message: MessageRow, copies: Sequence[RecipientRow], sender: str | None) -> RecipientRow:
    """The copy whose recipient answers: that of ``sender``, or the only one. Raises ``NotPossible``."""
    if message.direction != "mt":
        raise NotPossible("reply_to", "is a message that a handset has sent; a handset answers those that it gets")
    served = [one for one in copies if one.state != SHOWN]
    if sender is None:
        if len(served) != 1:
            words = f"is needed: the message has {len(served)} recipients; name the one that answers"
            raise NotPossible("from", words)
        found = served[0]
    else:
        wanted = next((one for one in served if sender in (one.address, one.of.bare)), None)
        if wanted is None:
            raise NotPossible("from", "is no recipient of the message; GET /api/v1/messages/{id} names them")
        found = wanted
    if found.state not in _MAY_HAVE_IT:
        words = f"cannot be answered by this recipient, who has not got it: its copy is {found.state}"
        raise NotPossible("reply_to", words)
    return found


def passed_on(connection: Connection, message: MessageRow) -> tuple[tuple[Part, ...], str]:
    """The parts of a message, and the subject under which a handset passes them on. Raises ``NotPossible``."""
    raw = messages.raw(connection, message.id, message.content)
    if outbox.is_fetching(connection, message.id):
        raise NotPossible("forward", "is a message whose media are still being fetched; try again when they are there")
    parts = content.distinct(content.parts_of(raw)) if raw is not None else ()
    if not parts:
        raise NotPossible("forward", "is a message without content; there is nothing to pass on")
    return parts, _prefixed(_FWD, message.subject)


def _prefixed(prefix: str, subject: str | None) -> str:
    """``subject`` behind ``prefix``, once."""
    text = subject or ""
    return text if text.lower().startswith(prefix.strip().lower()) else f"{prefix}{text}".rstrip()
