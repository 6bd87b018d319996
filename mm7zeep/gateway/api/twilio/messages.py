"""What is done with Twilio's Messages: one is created, told, listed, canceled, deleted; its media are told and given.

An account sees the messages of its application alone. Refuses with ``TwilioError``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from mm7zeep.gateway.api.request import Services
from mm7zeep.gateway.api.sending import take_back
from mm7zeep.gateway.api.twilio import resources
from mm7zeep.gateway.api.twilio.errors import TwilioError
from mm7zeep.gateway.api.twilio.parameters import Parameters, address, moment, single
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.rest.complaint import cut
from mm7zeep.gateway.rest.parts import shown
from mm7zeep.gateway.store import content, outbox, search
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store.rows import LEASED, MessageRow

_SIZE, _MOST = 50, 1000  # messages of a page
_DAY = 86400.0
_FILTERS = frozenset({"To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioRequest:
    """A request of an account: whose it is, the SIDs in its path, and its parameters."""

    services: Services
    application: Application
    account_sid: str
    path: Mapping[str, str]
    given: Parameters


def fetch(asked: TwilioRequest) -> Any:
    """One message."""
    with asked.services.database.read() as connection:
        message = _own(connection, asked)
        raw = store.raw(connection, message.id, message.content)
        copies = store.recipients(connection, message.id)
        now = asked.services.clock.now(connection)
    body = resources.body_of(content.parts_of(raw) if raw is not None else ())
    return resources.message_resource(asked.account_sid, message, copies, now, body)


def _own(connection: Connection, asked: TwilioRequest) -> MessageRow:
    found = store.message(connection, resources.id_of(asked.path["sid"]))
    if found is None or found.application != asked.application.name or store.is_planned(connection, found):
        raise TwilioError(20404, "the requested message was not found")
    return found


def listed(asked: TwilioRequest) -> Any:
    """A page of messages, the newest first."""
    given = asked.given
    for name in given:
        if name not in _FILTERS:
            raise TwilioError(20001, f"{cut(name)} is no filter that is served here; leave it out")
    size, n = _number(given, "PageSize", _SIZE, _MOST), _number(given, "Page", 0, 10**6)
    token = single(given, "PageToken")
    if token is not None and not (token.startswith("PA") and token[2:].isascii() and token[2:].isdigit()):
        raise TwilioError(20006, "PageToken is none of this list; follow next_page_uri")
    if n and token is None:
        raise TwilioError(20006, "a Page needs its PageToken; follow next_page_uri")
    since, until = _span(given)
    with asked.services.database.read() as connection:
        wanted = search.exact(
            application=asked.application.name,
            to=address(given, "To"),
            from_=address(given, "From"),
            since=since,
            until=until,
            planned=False,
        )
        before = int(token[2:20]) if token is not None else None
        rows = search.found(connection, wanted, limit=size + 1, before=before)
        page = rows[:size]
        copies = store.first_recipients(connection, [one.id for one in page])
        now = asked.services.clock.now(connection)
    told = [resources.message_resource(asked.account_sid, one, [copies[one.id]], now) for one in page]
    uri = f"{resources.path_of(asked.account_sid, 'Messages')}.json"
    filters = [(name, values[0]) for name, values in given.items() if name not in ("Page", "PageToken", "PageSize")]

    def at(page_number: int, *more: tuple[str, str]) -> str:
        return f"{uri}?{urlencode([*filters, ('PageSize', str(size)), ('Page', str(page_number)), *more])}"

    following = at(n + 1, ("PageToken", f"PA{page[-1].seq}")) if len(rows) > size else None
    return resources.page(at(n), "messages", told, n=n, size=size, next_uri=following)


def _number(given: Parameters, name: str, default: int, most: int) -> int:
    text = single(given, name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 7:
        raise TwilioError(20006, f"{name} is no number; give one up to {most}")
    return min(int(text), most) if name == "Page" else max(1, min(int(text), most))


def _span(given: Parameters) -> tuple[float | None, float | None]:
    """The times that DateSent and its comparisons leave: from, and before."""
    on, since, until = (single(given, name) for name in ("DateSent", "DateSent>", "DateSent<"))
    if on is not None:
        begins = moment("DateSent", on)
        return begins, begins + _DAY
    ends = moment("DateSent<", until) if until is not None else None
    if until is not None and ends is not None and "T" not in until:
        ends += _DAY  # on or before that day
    return (moment("DateSent>", since) if since is not None else None), ends


def update(asked: TwilioRequest) -> Any:
    """Cancel a message: Status=canceled is all that can be changed."""
    if set(asked.given) != {"Status"} or single(asked.given, "Status") != "canceled":
        raise TwilioError(20001, "only Status=canceled is served here")
    with asked.services.database.read() as connection:
        id = _own(connection, asked).id
    take_back(asked.services, asked.application, id)
    return fetch(asked)


def delete(asked: TwilioRequest) -> None:
    """Delete a message that has come to its end."""
    with asked.services.database.write() as connection:
        message = _own(connection, asked)
        copies = store.recipients(connection, message.id, lock=True)
        calls = outbox.listed(connection, message_id=message.id, limit=10_000)
        if any(one.waits for one in copies) or any(one.state == LEASED for one in calls):
            raise TwilioError(20409, "the message is on its way; cancel it, or wait until it has come to its end")
        store.delete(connection, [message.id])


def media(asked: TwilioRequest) -> Any:
    """The media of a message."""
    with asked.services.database.read() as connection:
        message = _own(connection, asked)
    rows = [resources.media_resource(asked.account_sid, message, one) for one in resources.media_of(message)]
    uri = f"{resources.path_of(asked.account_sid, 'Messages', asked.path['sid'], 'Media')}.json"
    return resources.page(uri, "media_list", rows, n=0, size=_SIZE, next_uri=None)


def medium(asked: TwilioRequest) -> Any:
    """One of the media of a message: its resource, or without ``.json`` its octets."""
    wanted = asked.path["media_sid"].removesuffix(".json")
    with asked.services.database.read() as connection:
        message = _own(connection, asked)
        raw = store.raw(connection, message.id, message.content)
    row = next(
        (one for one in resources.media_of(message) if resources.media_sid(message.id, one["n"]) == wanted), None
    )
    if row is None or raw is None or row["size"] is None:  # not fetched yet
        raise TwilioError(20404, "the requested media were not found")
    if asked.path["media_sid"] != wanted:
        return resources.media_resource(asked.account_sid, message, row)
    return shown(content.parts_of(raw)[row["n"]], row["n"])


def account(asked: TwilioRequest) -> Any:
    """The account itself."""
    return resources.account_resource(asked.account_sid, asked.application.name)


def answer(told: Any, status: int) -> Response:
    """What a function above gives, as an answer."""
    if isinstance(told, Response):
        return told
    if told is None:
        return Response(status_code=204)
    return Response(json.dumps(told), status, media_type="application/json")
