"""The MMSC's side: ``MmscClient`` towards a VASP, and its async twin.

Refuses, as every sender, what its namespace cannot say.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from mm7zeep.client.outcomes import Accepted
from mm7zeep.client.sending import Sender, Sending
from mm7zeep.client.styles import AsyncSender, SyncSender
from mm7zeep.errors import LocalError
from mm7zeep.messages import (
    DeliverReq,
    DeliverRsp,
    DeliveryReportReq,
    DeliveryReportRsp,
    Message,
    ReadReplyReq,
    ReadReplyRsp,
)
from mm7zeep.profiles import NAMESPACE_PREFIX, NAMESPACES, Profile
from mm7zeep.transport import Progress, Role

M = TypeVar("M", DeliveryReportReq, ReadReplyReq)


class Mmsc(Sender):
    """What an MMSC speaks towards a VASP."""

    role: Role = "vasp"

    def _sending(self, message: Message, transaction_id: str | None, progress: Progress | None) -> Sending:
        if isinstance(message, DeliverReq) and message.priority is None:
            # optional in every schema, Normal where absent; some receivers answer 500 without it
            message = replace(message, priority="Normal")
        return super()._sending(message, transaction_id, progress)

    @staticmethod
    def _spoken(profile: Profile) -> Profile:
        """The namespace of the carrier's MO and reports, where it is not that of its submits."""
        if profile.report_schema is None:
            return profile
        theirs = NAMESPACES[NAMESPACE_PREFIX + profile.report_schema]
        return replace(
            theirs,
            name=profile.name,
            mm7_version=profile.mm7_version,
            prefix=profile.prefix,
            policy=profile.policy,
            smil=profile.smil,
            empty_ack=profile.empty_ack,
            encoding=profile.encoding,
            headers=profile.headers,
        )


class MmscClient(Mmsc, SyncSender):
    """An MMSC's client of a VASP (TS 23.140 8.7.2, 8.7.4, 8.7.5). Options as ``VaspClient``.

    Speaks what the carrier of ``profile`` uses for MO and reports.
    """

    def deliver(
        self, message: DeliverReq, *, transaction_id: str | None = None, progress: Progress | None = None
    ) -> Accepted[DeliverRsp]:
        """MM7_deliver: hand an MO message to the VASP.

        A message without priority goes out with Priority Normal. Raises as ``send``.
        """
        return self.send(message, transaction_id=transaction_id, progress=progress)

    def delivery_report(
        self, message: DeliveryReportReq, *, transaction_id: str | None = None
    ) -> Accepted[DeliveryReportRsp]:
        """MM7_delivery_report: tell the VASP what became of a message.

        A report without date gets the present time. Raises as ``send``.
        """
        return self.send(_dated(message, "date"), transaction_id=transaction_id)

    def read_reply(self, message: ReadReplyReq, *, transaction_id: str | None = None) -> Accepted[ReadReplyRsp]:
        """MM7_read_reply_report: tell the VASP that a message was read or deleted. Raises as ``send``."""
        return self.send(_dated(message, "time_stamp"), transaction_id=transaction_id)


class AsyncMmscClient(Mmsc, AsyncSender):
    """``MmscClient`` for asyncio (extra ``async``)."""

    async def deliver(
        self, message: DeliverReq, *, transaction_id: str | None = None, progress: Progress | None = None
    ) -> Accepted[DeliverRsp]:
        """As ``MmscClient.deliver``."""
        return await self.send(message, transaction_id=transaction_id, progress=progress)

    async def delivery_report(
        self, message: DeliveryReportReq, *, transaction_id: str | None = None
    ) -> Accepted[DeliveryReportRsp]:
        """As ``MmscClient.delivery_report``."""
        return await self.send(_dated(message, "date"), transaction_id=transaction_id)

    async def read_reply(self, message: ReadReplyReq, *, transaction_id: str | None = None) -> Accepted[ReadReplyRsp]:
        """As ``MmscClient.read_reply``."""
        return await self.send(_dated(message, "time_stamp"), transaction_id=transaction_id)


def _dated(message: M, name: str) -> M:
    """The schema demands a date (Date or TimeStamp): now, where none is given."""
    if not hasattr(message, name):
        raise LocalError(f"a report or a read reply is sent, not a {type(message).__name__}")
    if getattr(message, name) is not None:
        return message
    changes: dict[str, Any] = {name: datetime.now().astimezone()}
    return replace(message, **changes)
