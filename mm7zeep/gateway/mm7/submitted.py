"""A submit that was judged, whichever listener took it: what can be made of it before the transaction, and its rows.

Others wait for the lock of the transaction, so that all that costs is done before. Refuses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from mm7zeep import exchange
from mm7zeep.exchange import Received
from mm7zeep.findings import Finding
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery import fetch_call, routing, webhooks
from mm7zeep.gateway.store import content, mapping, messages
from mm7zeep.gateway.store.remote_parts import RemotePart
from mm7zeep.gateway.store.rows import REFUSED, RawRow
from mm7zeep.messages import Address, SubmitReq

_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A ``request`` with the ``id`` that it gets, the digests of its parts (``sums``), and its octets as a row."""

    request: SubmitReq
    received: Received
    id: str
    sums: Sequence[str]
    summary: content.Summary
    raw: RawRow

    @classmethod
    def of(cls, request: SubmitReq, received: Received, octets: bytes) -> Submitted:
        """What is made of a request and the body that it came in."""
        id = exchange.new_transaction_id()  # 128 random bits: nobody guesses another's MessageID
        sums = content.digests(request.parts)
        return cls(
            request=request,
            received=received,
            id=id,
            sums=sums,
            summary=content.summary(request.parts, sums),
            raw=mapping.raw_row(id, 0, 0.0, received, octets),
        )

    def kept(
        self,
        application: str,
        now: float,
        settings: Settings,
        handsets: Sequence[Handset],
        *,
        findings: Iterable[Finding] = (),
        wrong: Collection[Address] = (),
        opted_out: Collection[Address] = (),
        fields: Mapping[str, Any] = _NONE,
        remote: Sequence[RemotePart] = (),
    ) -> messages.Kept:
        """What is to be kept at the time ``now``: no copy is sent to ``wrong`` recipients and those ``opted_out``.

        Its application hears of those by webhook. ``handsets`` are the scripts in force, ``fields`` are kept beside the
        message's own. With ``remote`` parts, placeholders among its parts, it waits until they are fetched.
        """
        message = mapping.message_row(
            self.request,
            self.received,
            id=self.id,
            application=application,
            now=now,
            findings=tuple(findings),
            summary=self.summary,
        )
        if fields:
            message = replace(message, fields=json.dumps({**message.field, **fields}))
        copies = routing.copies(
            self.request, message, wrong=wrong, settings=settings, handsets=handsets, opted_out=opted_out
        )
        refused = [one for one in copies if one.state == REFUSED]
        calls = [call for one in refused for call in webhooks.ended(settings, message, one, now)]
        kept = messages.Kept(message, replace(self.raw, received=now), copies, calls)
        return fetch_call.waiting(settings, kept, remote) if remote else kept
