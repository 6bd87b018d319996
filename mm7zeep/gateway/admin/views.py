"""Messages, copies, parts and calls as the REST API shows them.

Values in, values out. Shows no credentials: the user of a URL is left out, and its secret parameters are hidden.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from mm7zeep import masking
from mm7zeep.gateway.admin import outputs
from mm7zeep.gateway.admin.user import User
from mm7zeep.gateway.config.handset import Script
from mm7zeep.gateway.config.parties import EVENT_TYPES, TWILIO, Application
from mm7zeep.gateway.store import content, endpoints
from mm7zeep.gateway.store.remote_parts import remote_parts_of
from mm7zeep.gateway.store.rows import (
    LEASED,
    PENDING,
    READY,
    SHOWN,
    CallRow,
    EndpointRow,
    MessageRow,
    OptOutRow,
    RecipientRow,
)
from mm7zeep.messages import Part

_ERROR = re.compile(r"(?!StatusError:)[A-Z][A-Za-z]*: ")  # how the reason of a call begins, as ``retry`` writes it
_UNREACHED = "the upstream did not take it"

# --- messages ---------------------------------------------------------------------------------------------------------


def state_of(copies: Sequence[RecipientRow]) -> str:
    """Pending while any copy is; the state of all, where they agree; otherwise Mixed. Those only displayed are not
    asked, unless there are no others.
    """
    return state_among({one.state for one in copies})


def state_among(found: Collection[str]) -> str:
    """The state of a message whose copies are in these states, as ``state_of``."""
    states = {one for one in found if one != SHOWN} or {SHOWN}
    if PENDING in states:
        return PENDING
    return next(iter(states)) if len(states) == 1 else "Mixed"


def message(row: MessageRow, copies: Sequence[RecipientRow]) -> outputs.Message:
    """A message, as in a list."""
    return outputs.Message(**_message(row, copies))


def _message(row: MessageRow, copies: Sequence[RecipientRow]) -> dict[str, Any]:
    places = {place: [one.address for one in copies if one.place == place] for place in ("to", "cc", "bcc")}
    return {
        "id": row.id,
        "direction": row.direction,
        "application": row.application,
        "state": state_of(copies),
        "transaction_id": row.transaction_id,
        "namespace": row.namespace,
        "mm7_version": row.mm7_version,
        "from_": row.sender,
        "from_attributes": json.loads(row.sender_attributes or "{}"),
        **places,
        "subject": row.subject,
        "accepted_at": row.accepted,
        "earliest_at": row.earliest,
        "expires_at": row.expires,
        "size": row.size,
        "delivery_report": row.delivery_report,
        "read_reply": row.read_reply,
        "excerpt": row.excerpt,
        "recipients": [recipient(one) for one in copies],
    }


def whole(
    row: MessageRow,
    copies: Sequence[RecipientRow],
    parts: Sequence[outputs.Part],
    calls: Sequence[outputs.Callback],
) -> outputs.WholeMessage:
    """A message with all that is known of it."""
    return outputs.WholeMessage(
        **_message(row, copies),
        fields=dict(row.field),
        parts=list(parts),
        findings=[finding(one) for one in json.loads(row.findings)],
        calls=list(calls),
    )


def parts(given: Sequence[Part], *, came: int) -> list[outputs.Part]:
    """Parts in their order; those from ``came`` on were made by the gateway."""
    return [outputs.Part(**row, generated=n >= came) for n, row in enumerate(json.loads(content.listed(given)))]


def finding(row: Mapping[str, Any]) -> outputs.Finding:
    """A finding, without credentials in what was met."""
    told = {name: masking.credentials(value) if isinstance(value, str) else value for name, value in row.items()}
    return outputs.Finding(**told)


def recipient(copy: RecipientRow) -> outputs.Recipient:
    """One copy."""
    return outputs.Recipient(
        n=copy.n,
        address=copy.address,
        kind=copy.kind,
        attributes=json.loads(copy.attributes or "{}"),
        place=cast(Any, copy.place),
        state=copy.state,
        detail=copy.detail,
        changed_at=copy.changed,
        due_at=copy.due,
        destination=str(copy.destination),
    )


def seen_by(user: User, copies: Sequence[RecipientRow]) -> list[RecipientRow]:
    """Copies as a user may see them: where an upstream stands, and what went wrong on the way, is the operator's
    business; what the upstream said of a message is its sender's, too.
    """
    if user.is_operator:
        return list(copies)
    return [replace(one, detail=_UNREACHED) if _names_upstream(one) else one for one in copies]


def _names_upstream(copy: RecipientRow) -> bool:
    return copy.destination.kind == "upstream" and _ERROR.match(copy.detail or "") is not None


# --- calls ------------------------------------------------------------------------------------------------------------


def call(row: CallRow, paused: Collection[str], full: Mapping[int, str]) -> outputs.Callback:
    """A call, as in a list; ``paused`` are the endpoint keys that are, ``full`` says which rate calls wait for."""
    return outputs.Callback(**_call(row, paused, full))


def _call(row: CallRow, paused: Collection[str], full: Mapping[int, str]) -> dict[str, Any]:
    waits = row.state in (READY, LEASED)
    is_paused = row.endpoint in paused
    reason = masking.credentials(row.reason) if row.reason is not None else None
    if row.id in full and not is_paused:
        reason = full[row.id] if reason is None else f"{full[row.id]}; before: {reason}"
    return {
        "id": row.id,
        "kind": row.kind,
        "application": row.owner,
        "endpoint": _endpoint_of(row),
        "message_id": row.message_id,
        "recipient": row.n,
        "transaction_id": row.transaction_id,
        "state": ("paused" if is_paused else READY) if waits else row.state,
        "under_way": row.state == LEASED,
        "attempts": row.attempts,
        "due_at": row.due if waits else None,
        "created_at": row.created,
        "ended_at": row.ended,
        "expires_at": row.expires,
        "reason": reason,
        "http_status": row.http_status,
    }


def _endpoint_of(row: CallRow) -> str:
    """Where a call goes: what is fetched, and StatusCallbacks, share endpoints that are no URL."""
    if row.kind == "fetch":
        return masking.url(remote_parts_of(row)[0].url)
    return masking.url(row.event["url"]) if row.event.get("form") == TWILIO else url_of(row.endpoint)


def whole_call(row: CallRow, paused: Collection[str], full: Mapping[int, str]) -> outputs.WholeCallback:
    """A call with what was answered to it, where that was kept."""
    # it may repeat what it was asked
    answer = masking.credentials(row.answer.decode("utf-8", "replace")) if row.answer is not None else None
    told = dict(row.event)
    if row.kind == "fetch":
        told["parts"] = [{**one._asdict(), "url": masking.url(one.url)} for one in remote_parts_of(row)]
    return outputs.WholeCallback(**_call(row, paused, full), told=told, answer=answer, failed=failed_attempts(row))


def failed_attempts(row: CallRow) -> list[outputs.FailedAttempt]:
    """The attempts of a call that failed; their reasons without credentials."""
    return [
        outputs.FailedAttempt(**{**one._asdict(), "reason": one.reason and masking.credentials(one.reason)})
        for one in row.failed
    ]


def url_of(endpoint_key: str) -> str:
    """The URL that the calls of an endpoint go to, without its secrets."""
    return masking.url(endpoints.url_of(endpoint_key))


def endpoint(row: EndpointRow) -> outputs.Endpoint:
    """Where calls go, or do not."""
    return outputs.Endpoint(
        endpoint=url_of(row.name),
        application=endpoints.owner_of(row.name),
        paused=row.paused,
        reason=masking.credentials(row.reason) if row.reason is not None else None,
        since=row.since,
    )


# --- opt-outs ---------------------------------------------------------------------------------------------------------


def opt_out(row: OptOutRow) -> outputs.OptOut:
    """That a subscriber wants nothing more from a number."""
    return outputs.OptOut(
        id=row.seq,
        number=row.number,
        subscriber=row.subscriber,
        application=row.application,
        since=row.since,
        word=row.word,
        message_id=row.message_id,
        confirmed_at=row.confirmed,
    )


# --- handsets ---------------------------------------------------------------------------------------------------------


def script(one: Script) -> outputs.Handset:
    """A handset script, and where it stands."""
    return outputs.Handset(
        source=one.source,
        prefix=one.handset.prefix,
        outcome=one.handset.outcome,
        delay=one.handset.delay.total_seconds(),
        read=one.handset.read,
        reply=one.handset.reply,
        reply_after=one.handset.reply_after.total_seconds(),
    )


# --- applications -----------------------------------------------------------------------------------------------------


def application(one: Application) -> outputs.Application:
    """An application, without what only it may know."""
    callback = None
    if one.callback is not None:
        urls = {"deliver": one.callback.deliver, "report": one.callback.reports}
        callback = outputs.CallbackUrls(**{name: masking.url(url) for name, url in urls.items()})
    webhook = None
    if one.webhook is not None:
        wanted = [event for event in EVENT_TYPES if one.webhook.wants(event)]
        webhook = outputs.Webhook(url=masking.url(one.webhook.url), events=wanted)
    return outputs.Application(
        name=one.name,
        vaspid=one.vaspid,
        vasids=list(one.vasids),
        short_codes=list(one.short_codes),
        allow=list(one.allow),
        profile=one.request_profile.name,
        numbers=one.numbers,
        media=one.media,
        callback=callback,
        webhook=webhook,
    )
