"""What is done in a subscriber's place: an MO composed, answered or forwarded; an outcome reached; a message read.

Refuses, with ``Refusal``, what the REST API refuses.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import RedirectResponse, Response

from mm7zeep.gateway.admin import handset, messages
from mm7zeep.gateway.admin.database_refusal import database_refusal
from mm7zeep.gateway.admin.deliver import deliver
from mm7zeep.gateway.admin.inputs import MessageKey, Mo, Reading, Report
from mm7zeep.gateway.rest.request import judged
from mm7zeep.gateway.store import messages as store
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.gateway.store.rows import SHOWN, MessageRow
from mm7zeep.gateway.viewer.forms import File
from mm7zeep.gateway.viewer.message import GOT_IT
from mm7zeep.gateway.viewer.page_request import PageRequest
from mm7zeep.receiver import Refusal

_FIELDS = ("application", "from", "to", "subject", "text", "reply_to", "forward", "at", "every", "times")


def compose(asked: PageRequest) -> Response:
    """The page to compose an MO at: a new one, an answer to the message ``reply``, or one that forwards ``forward``."""
    given = {name: asked.query.get(name) or "" for name in _FIELDS}
    given["reply_to"] = asked.query.get("reply") or given["reply_to"]
    about = _about(asked, given)
    return _page(asked, given if about is None else _prefilled(about, given), about)


@dataclass(frozen=True, slots=True)
class _About:
    """The message that is answered or forwarded, and who may do it: those recipients who may have it, or its sender."""

    row: MessageRow
    who: Sequence[str]


def _about(asked: PageRequest, given: Mapping[str, str]) -> _About | None:
    """The message that the fields are about; None for a new one. Raises ``Refusal`` (404)."""
    id_ = given["reply_to"] or given["forward"]
    if not id_:
        return None
    with asked.gateway.database.read() as connection:
        row = messages.found(connection, asked.user, id_)
        copies = [one for one in store.recipients(connection, row.id) if one.state != SHOWN]
    if row.direction == "mo":
        return _About(row, [row.sender] if row.sender else [])
    # one that has not got it is a choice, too: who sends it is told why it cannot be
    return _About(row, [one.address for one in copies if one.state in GOT_IT] or [one.address for one in copies])


def _prefilled(about: _About, given: Mapping[str, str]) -> dict[str, str]:
    """What the fields hold at the beginning of a reply, or of what is forwarded."""
    row, is_reply = about.row, bool(given["reply_to"])
    prefix = "Re: " if is_reply else "Fwd: "
    subject = row.subject or ""
    if not subject.lower().startswith(prefix.lower()):
        subject = f"{prefix}{subject}".strip()
    return {
        **given,
        "application": given["application"] or row.application,
        "from": given["from"] or next(iter(about.who), ""),
        "to": given["to"] or (row.sender or "" if is_reply and row.direction == "mt" else ""),
        "subject": given["subject"] or subject,
    }


def _page(
    asked: PageRequest, fields: Mapping[str, str], about: _About | None, error: Refusal | None = None
) -> Response:
    """The page with these ``fields``, and what is wrong with them."""
    known = [one for one in asked.gateway.settings.applications if asked.user.sees(one.name)]
    if about is not None and fields["reply_to"]:  # an answer goes to whom it answers
        known = [one for one in known if one.name == about.row.application]
    answer = asked.page(
        "compose.html",
        status=error.status if error is not None else 200,
        fields=fields,
        wrong=str(error) if error is not None else "",
        had_files=bool(asked.form.files_of("file")),
        applications=[one for one in known if one.takes_messages],
        silent=[one.name for one in known if not one.takes_messages],
        about=about,
    )
    answer.headers.update(dict(error.headers) if error is not None else {})
    return answer


def send(asked: PageRequest) -> Response:
    """Send the MO that was composed; where that cannot be, the page again, with what is wrong."""
    fields = {name: asked.form.text(name) or "" for name in _FIELDS}
    try:
        found = deliver(asked.rest(body=judged(_mo(fields, asked.form.files_of("file")), Mo)))
    except Refusal as error:
        return _page(asked, fields, _again(asked, fields), error)
    except StoreError as error:
        return _page(asked, fields, None, database_refusal(error, asked.gateway.settings, "POST /compose"))
    return RedirectResponse(f"/messages/{found.id}", 303)


def _again(asked: PageRequest, fields: Mapping[str, str]) -> _About | None:
    """What the fields are about, where it is still there."""
    try:
        return _about(asked, fields)
    except Refusal:
        return None


def _mo(fields: dict[str, str], files: Sequence[File]) -> dict[str, Any]:
    """The form, as the REST API's JSON would say it."""
    given: dict[str, Any] = {name: value for name, value in fields.items() if value}
    if fields["reply_to"] or fields["forward"]:  # what was emptied is to be empty
        given["subject"] = fields["subject"]
    for name, kind in (("every", float), ("times", int)):
        if name in given:
            given[name] = _number(name, given[name], kind)
    if files:
        given["parts"] = [_part(one) for one in files]
    return given


def _number(name: str, text: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(text)
    except ValueError:
        raise Refusal(400, f"{name}: {text[:40]!r} is no number; give one, or leave it empty") from None


def _part(file: File) -> dict[str, str]:
    """A file, of the type that its octets and its name show: browsers guess by the name alone."""
    named = {"name": file.name} if file.name else {}
    return {"data": base64.b64encode(file.octets).decode(), **named}


def report(asked: PageRequest) -> Response:
    """A copy reaches an outcome."""
    handset.report(asked.rest(_key(asked), judged(asked.form.given("recipient", "status", "text"), Report)))
    return RedirectResponse(f"/messages/{asked.parameters['id']}", 303)


def read(asked: PageRequest) -> Response:
    """A recipient has read a message, or deleted it unread."""
    given = asked.form.given("recipient", "reading")
    if "recipient" not in given:
        raise Refusal(400, "choose the recipient who has read or deleted it: it is one at a time")
    if "reading" in given:  # status is the name of another field of this form
        given["status"] = given.pop("reading")
    handset.read(asked.rest(_key(asked), judged(given, Reading)))
    return RedirectResponse(f"/messages/{asked.parameters['id']}", 303)


def _key(asked: PageRequest) -> MessageKey:
    return judged({"id": asked.parameters["id"]}, MessageKey)
