"""A request as the rows that are kept of it: the summary, the octets, one copy for each recipient.

Values in, values out; what a relative time means is settled here. Refuses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from isodate import Duration

from mm7zeep.exchange import Received
from mm7zeep.findings import Finding
from mm7zeep.gateway.store.content import Summary
from mm7zeep.gateway.store.rows import (
    MessageRow,
    RawRow,
    address_of,
    attributes_of,
    columns_of,
)
from mm7zeep.messages import (
    Address,
    DeliverReq,
    DeliveryReportReq,
    Moment,
    PreviouslySent,
    ReadReplyReq,
    ReplaceReq,
    ShortCode,
    SubmitReq,
    UACapabilities,
)

_FIELDS = (
    "vaspid", "vasid", "service_code", "linked_id", "message_class", "priority", "charged_party", "charged_party_id",
    "distribution_indicator", "delivery_condition", "applic_id", "reply_applic_id", "aux_applic_info", "content_class",
    "drm_content", "allow_adaptations", "content_href", "service_code_attributes", "reply_charging_id", "sender_spi",
    "recipient_spi",
)  # fmt: skip
REPLACEABLE = (
    "service_code", "distribution_indicator", "applic_id", "reply_applic_id", "aux_applic_info", "content_class",
    "drm_content", "allow_adaptations", "service_code_attributes",
)  # fmt: skip
"""Those that a replace may change (TS 23.140 8.7.3)."""

# what a calendar can show, in seconds since 1970; what lies beyond is taken for its end
_FIRST = datetime(1, 1, 1, tzinfo=UTC).timestamp()
_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


def point(value: Moment | None, since: float) -> float | None:
    """The point in time that an element means, cut to the years 1 to 9999; None for none."""
    if value is None:
        return None
    try:
        found: datetime = value if isinstance(value, datetime) else datetime.fromtimestamp(since, UTC) + value
    except (OverflowError, ValueError):
        return _FIRST if _is_backward(cast(timedelta | Duration, value)) else _LAST
    seconds = (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
    return min(max(seconds, _FIRST), _LAST)


def _is_backward(span: timedelta | Duration) -> bool:
    """Whether a duration is negative: all of its fields have one sign (XSD 3.2.6)."""
    if isinstance(span, timedelta):
        return span < timedelta(0)
    return bool(span.years < 0 or span.months < 0 or span.tdelta < timedelta(0))


def message_row(
    request: SubmitReq,
    received: Received,
    *,
    id: str,
    application: str,
    now: float,
    findings: Iterable[Finding],
    summary: Summary,
) -> MessageRow:
    """What is kept of a submit; ``summary`` is that of its content."""
    sender = request.sender_address
    return MessageRow(
        id=id,
        direction="mt",
        application=application,
        transaction_id=received.transaction_id,
        namespace=received.namespace,
        mm7_version=received.mm7_version,
        sender_kind=sender.kind if sender is not None else None,
        sender=sender.value if sender is not None else None,
        sender_attributes=attributes_of(sender),
        subject=request.subject,
        excerpt=summary.excerpt,
        accepted=now,
        earliest=point(request.earliest_delivery_time, now),
        expires=point(request.expiry_date, now),
        delivery_report=bool(request.delivery_report),
        read_reply=bool(request.read_reply),
        size=summary.size,
        fields=json.dumps(fields_of(request)),
        parts=summary.parts,
        media=summary.media,
        findings=findings_text(findings),
    )


def event_fields(request: DeliverReq | DeliveryReportReq | ReadReplyReq) -> dict[str, Any]:
    """What an upstream says of an event itself: when it happened, and what only some messages carry."""
    when = request.date if isinstance(request, DeliveryReportReq) else request.time_stamp
    capabilities = getattr(request, "ua_capabilities", None)
    named = ("applic_id", "reply_applic_id", "aux_applic_info") if not isinstance(request, DeliverReq) else ()
    found: dict[str, Any] = {
        **{name: getattr(request, name) for name in named},  # what it says goes before what the submit said
        "date": point(when, 0.0),
        "mm_status_extension": getattr(request, "mm_status_extension", None),
        "ua_capabilities": capabilities and [capabilities.ua_prof, point(capabilities.time_stamp, 0.0)],
        "previously_sent": [
            [one.sequence, one.address and [*columns_of(one.address)], point(one.moment, 0.0)]
            for one in getattr(request, "previously_sent", ())
        ],
    }
    return {name: value for name, value in found.items() if value not in (None, [])}


def said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What ``event_fields`` kept, but for the date, as fields of a message."""
    values: dict[str, Any] = {}
    if (extension := fields.get("mm_status_extension")) is not None:
        values["mm_status_extension"] = extension
    if (capabilities := fields.get("ua_capabilities")) is not None:
        ua_prof, stamp = capabilities
        values["ua_capabilities"] = UACapabilities(ua_prof=ua_prof, time_stamp=moment(stamp))
    if previous := fields.get("previously_sent"):
        values["previously_sent"] = tuple(
            PreviouslySent(sequence=sequence, address=address and address_of(*address), moment=moment(at))
            for sequence, address, at in previous
        )
    return values


def moment(seconds: float | None) -> datetime | None:
    """A point in time; None for none."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def fields_of(message: SubmitReq | DeliverReq | ReplaceReq) -> dict[str, Any]:
    """What a request said besides what has a column of its own."""
    found = {name: getattr(message, name, None) for name in _FIELDS}
    return {name: value for name, value in found.items() if value not in (None, ())}


def as_text(fields: Mapping[str, Any]) -> str:
    """Fields as JSON, without those that say nothing."""
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def findings_text(findings: Iterable[Finding]) -> str:
    """Findings as JSON."""
    rows = [
        {"id": one.id, "level": one.level, "where": one.where, "detail": one.detail, "action": one.action}
        for one in findings
    ]
    return json.dumps(rows)


def headers_text(headers: Iterable[tuple[str, str]]) -> str:
    """Header fields as JSON."""
    return json.dumps(list(headers))


def raw_row(message_id: str, n: int, now: float, received: Received, body: bytes) -> RawRow:
    """The octets of a request."""
    return RawRow(message_id=message_id, n=n, received=now, headers=headers_text(received.headers), body=body)


def sender_of(message: MessageRow, fallback: Sequence[str]) -> Address:
    """Who sent a message: its SenderAddress, or the first of ``fallback`` as a short code."""
    # TS 23.140 8.7.4: Sender is who sent the MM; a VASP without an address of its own is known by its short code
    return message.sent_by or ShortCode(next(iter(fallback)))
