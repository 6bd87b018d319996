"""The rows of a message that names parts by URL: it waits with its copies until a call has fetched them, or could not.

The call is planned in the transaction that keeps the message. What came is kept as another request about the message,
as a replacement is; then its copies are due. Works in the caller's transaction; makes no call. A message that was
replaced, cancelled or deleted meanwhile is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from mm7zeep import exchange
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery import routing
from mm7zeep.gateway.delivery.events import Event
from mm7zeep.gateway.delivery.opted_out import opted_out
from mm7zeep.gateway.delivery.recipients import Network
from mm7zeep.gateway.delivery.retry import Outcome
from mm7zeep.gateway.store import content, endpoints, messages, remote_parts
from mm7zeep.gateway.store.remote_parts import RemotePart
from mm7zeep.gateway.store.rows import DELIVERED, PENDING, REFUSED, CallRow, Ending, MessageRow, RecipientRow
from mm7zeep.tracing import kept_of


def waiting(settings: Settings, kept: messages.Kept, remote: Sequence[RemotePart]) -> messages.Kept:
    """``kept`` as it waits for its ``remote`` parts, with the call that fetches them."""
    message = kept.message
    known = remote_parts.awaited(content.Summary(message.excerpt, message.size, message.parts, message.media), remote)
    until = message.accepted + settings.delivery.fetch_expiry
    call = CallRow(
        kind="fetch",
        owner=message.application,
        endpoint=endpoints.shared(message.application, "fetch", remote[0].url),
        message_id=message.id,
        n=0,
        transaction_id=exchange.new_transaction_id(),
        payload=remote_parts.payload(remote, kept_of(message.field)),
        due=message.accepted,
        expires=until if message.expires is None else min(until, message.expires),
        created=message.accepted,
    )
    return kept._replace(
        message=replace(message, **known._asdict()),
        recipients=[replace(one, due=None) for one in kept.recipients],
        calls=(*kept.calls, call),
    )


def settle(
    connection: Connection, network: Network, call: CallRow, outcome: Outcome, state: str, now: float
) -> Iterator[Event]:
    """What follows from a fetch that has ended: the copies are due, or Rejected."""
    if state not in (DELIVERED, REFUSED):
        return
    message = messages.own(connection, call.owner, call.message_id)  # locked, as by who replaces or cancels it
    if message is None or message.content != 0:
        return
    copies = [one for one in messages.recipients(connection, message.id, lock=True) if _waits(one)]
    if not copies:
        return
    if state == DELIVERED and outcome.raw is not None and outcome.summary is not None:
        n = messages.raws(connection, message.id)
        messages.keep_raw(connection, replace(outcome.raw, n=n, received=now))
        messages.change(connection, message.id, content=n, **outcome.summary._asdict())
        scripts = network.handsets.in_force(connection)
        messages.end(connection, [_due(one, message, now, scripts) for one in copies])
        return
    late = message.expires is not None and message.expires <= now
    detail = outcome.text or outcome.reason or "its media could not be fetched"
    barred = set() if late else opted_out(connection, network.settings, [(message, one) for one in copies])
    for one in copies:
        if (one.message_id, one.n) in barred:
            yield network.reject_opted_out(connection, message, one, now)
            continue
        end = "Expired" if late else "Rejected"
        yield network.record_state(connection, message, one, end, now, detail=detail, status_text=detail)


def _waits(copy: RecipientRow) -> bool:
    """Whether a copy waits for the fetch: nothing else has been made of it."""
    return copy.state == PENDING and copy.due is None


def _due(copy: RecipientRow, message: MessageRow, now: float, handsets: Sequence[Handset]) -> Ending:
    due = routing.arrival(copy.destination, copy.of, message, now, handsets)
    return Ending(copy=copy, state=PENDING, due=due, changed=copy.changed, content=copy.content, detail=copy.detail)
