"""Our own callback listener: delivery reports, read replies and messages from subscribers, into the ledger.

Needs the extra ``gateway`` for its HTTP server. Answers everything with 1000 at once; judges nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mm7zeep.exchange import Received
from mm7zeep.load.ledger import Ledger
from mm7zeep.messages import DeliverReq, DeliveryReportReq, ReadReplyReq
from mm7zeep.receiver import Receiver


def receiver_of(ledger: Ledger, auth: tuple[str, str] | None = None) -> Receiver:
    """What takes callbacks, and enters them in ``ledger``; ``auth`` is what the MMS centre has to show."""
    receiver = Receiver(auth=dict([auth]) if auth else None)

    @receiver.on_delivery_report
    async def report(message: DeliveryReportReq, received: Received) -> None:
        status = dict(message.unparsed).get("MMStatus", message.mm_status)
        ledger.report(message.message_id, message.recipient.value, status, received.transaction_id)

    @receiver.on_deliver
    async def deliver(message: DeliverReq, received: Received) -> None:
        ledger.deliver(received.transaction_id)

    @receiver.on_read_reply
    async def read(message: ReadReplyReq) -> None:
        """Nobody asked for it; it is taken, so that it is not sent again."""

    return receiver


@contextmanager
def listening(ledger: Ledger, host: str, port: int, auth: tuple[str, str] | None = None) -> Iterator[str]:
    """Listen while the context lasts; gives the URL. Raises ``OSError`` if the address is taken or is not ours."""
    from mm7zeep.gateway.server.listener import serve_in_thread

    with serve_in_thread(receiver_of(ledger, auth).asgi, host, port) as url:
        yield url
