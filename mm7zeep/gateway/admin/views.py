"""Messages, copies, parts and calls as the REST API shows them: JSON values with times in ISO 8601 and UTC.

Values in, values out. Shows no credentials: the user of a URL is left out, and its secret parameters are hidden.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mm7zeep import masking
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.store import content, endpoints
from mm7zeep.gateway.store.rows import LEASED, PENDING, READY, SHOWN, CallRow, EndpointRow, MessageRow, RecipientRow
from mm7zeep.messages import Part

Json = dict[str, Any]


def time_of(seconds: float | None) -> str | None:
    """A point in time, to the millisecond."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- messages ---------------------------------------------------------------------------------------------------------


def state_of(copies: Sequence[RecipientRow]) -> str:
    """Pending while any copy is; the state of all, where they agree; otherwise Mixed. Those only displayed are not
    asked, unless there are no others.
    """
    states = {one.state for one in copies if one.state != SHOWN} or {SHOWN}
    if PENDING in states:
        return PENDING
    return next(iter(states)) if len(states) == 1 else "Mixed"


def message(row: MessageRow, copies: Sequence[RecipientRow]) -> Json:
    """A message, as in a list."""
    places = {place: [one.address for one in copies if one.place == place] for place in ("to", "cc", "bcc")}
    return {
        "id": row.id,
        "direction": row.direction,
        "application": row.application,
        "state": state_of(copies),
        "transaction_id": row.transaction_id,
        "namespace": row.namespace,
        "mm7_version": row.mm7_version,
        "from": row.sender,
        "from_attributes": json.loads(row.sender_attributes or "{}"),
        **places,
        "subject": row.subject,
        "accepted_at": time_of(row.accepted),
        "earliest_at": time_of(row.earliest),
        "expires_at": time_of(row.expires),
        "size": row.size,
        "delivery_report": row.delivery_report,
        "read_reply": row.read_reply,
        "excerpt": row.excerpt,
        "recipients": [recipient(one) for one in copies],
    }


def whole(row: MessageRow, copies: Sequence[RecipientRow], parts: Sequence[Part], calls: Sequence[Json]) -> Json:
    """A message with all that is known of it; ``parts`` are those that came."""
    listed = json.loads(content.listed(content.presented(parts)))
    return {
        **message(row, copies),
        "fields": dict(row.field),
        "parts": [{**one, "generated": n >= len(parts)} for n, one in enumerate(listed)],
        "findings": [_finding(one) for one in json.loads(row.findings)],
        "calls": list(calls),
    }


def _finding(row: Json) -> Json:
    return {name: masking.credentials(value) if isinstance(value, str) else value for name, value in row.items()}


def recipient(copy: RecipientRow) -> Json:
    """One copy."""
    return {
        "n": copy.n,
        "address": copy.address,
        "kind": copy.kind,
        "attributes": json.loads(copy.attributes or "{}"),
        "place": copy.place,
        "state": copy.state,
        "detail": copy.detail,
        "changed_at": time_of(copy.changed),
        "destination": str(copy.destination),
    }


# --- calls ------------------------------------------------------------------------------------------------------------


def call(row: CallRow, paused: Collection[str]) -> Json:
    """A call, as in a list; ``paused`` are the endpoint keys that are."""
    waits = row.state in (READY, LEASED)
    return {
        "id": row.id,
        "kind": row.kind,
        "application": row.owner,
        "endpoint": url_of(row.endpoint),
        "message_id": row.message_id,
        "recipient": row.n,
        "transaction_id": row.transaction_id,
        "state": ("paused" if row.endpoint in paused else READY) if waits else row.state,
        "under_way": row.state == LEASED,
        "attempts": row.attempts,
        "due_at": time_of(row.due) if waits else None,
        "created_at": time_of(row.created),
        "ended_at": time_of(row.ended),
        "expires_at": time_of(row.expires),
        "reason": masking.credentials(row.reason) if row.reason is not None else None,
        "http_status": row.http_status,
    }


def whole_call(row: CallRow, paused: Collection[str]) -> Json:
    """A call with what was answered to it, where that was kept."""
    # it may repeat what it was asked
    answer = masking.credentials(row.answer.decode("utf-8", "replace")) if row.answer is not None else None
    return {**call(row, paused), "told": dict(row.event), "answer": answer}


def url_of(endpoint_key: str) -> str:
    """The URL that the calls of an endpoint go to, without its secrets."""
    return masking.url(endpoints.url_of(endpoint_key))


def endpoint(row: EndpointRow) -> Json:
    """Where calls go, or do not."""
    return {
        "endpoint": url_of(row.name),
        "application": endpoints.owner_of(row.name),
        "paused": row.paused,
        "reason": masking.credentials(row.reason) if row.reason is not None else None,
        "since": time_of(row.since),
    }


# --- applications -----------------------------------------------------------------------------------------------------


def application(one: Application) -> Json:
    """An application, without what only it may know."""
    callback: Mapping[str, Any] | None = None
    if one.callback is not None:
        urls = {"deliver": one.callback.deliver, "report": one.callback.reports}
        callback = {name: masking.url(url) for name, url in urls.items()}
    return {
        "name": one.name,
        "vaspid": one.vaspid,
        "vasids": list(one.vasids),
        "short_codes": list(one.short_codes),
        "allow": list(one.allow),
        "profile": one.request_profile.name,
        "numbers": one.numbers,
        "media": one.media,
        "callback": callback,
    }
