"""A message that a program sends by JSON: judged as a SubmitReq is, packed as one, and kept in the same transaction.

What is kept is an MM7_submit of the application, so that all that follows knows only one kind of message. Refuses, with
``Problem`` and ``StatusError``, what cannot be sent; nothing of it is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection

from mm7zeep import exchange
from mm7zeep.errors import LocalError
from mm7zeep.exchange import Received
from mm7zeep.gateway.api.inputs import NewMessage, PartIn
from mm7zeep.gateway.api.problems import NotKept, Problem
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.mm7.submitted import Submitted
from mm7zeep.gateway.mm7.validation.content import check_content
from mm7zeep.gateway.mm7.validation.media_url import why_internal
from mm7zeep.gateway.mm7.validation.recipients import check_recipients, is_address
from mm7zeep.gateway.mm7.validation.sender import is_of_another
from mm7zeep.gateway.rest.complaint import in_words
from mm7zeep.gateway.rest.parts import media_type_of, octets_of, part_of
from mm7zeep.gateway.store import content, mapping, messages, opt_outs
from mm7zeep.gateway.store.idempotency import Answer, Request, Task, digest
from mm7zeep.gateway.store.remote_parts import MOST, RemotePart, placeholder
from mm7zeep.gateway.store.rows import MessageRow, RecipientRow
from mm7zeep.messages import Address, Part, ShortCode, SubmitReq, address

OPERATION = "messages"
"""What requests with an idempotency key are remembered under."""
_DAY = 86400.0  # seconds that a key is remembered where the application wants no TransactionID remembered
Scripts = Callable[[Connection], Sequence[Handset]]
"""Gives the handset scripts in force, by the connection of a transaction."""
_NOWHERE = exchange.Dialect(namespace=None, soap_namespace="", mm7_version=None, prefix=None)


@dataclass(slots=True, kw_only=True)
class Keeping:
    """The work in the transaction: what may still refuse a message, and the rows that are kept of it."""

    submitted: Submitted
    application: Application
    settings: Settings
    scripts: Scripts
    look: opt_outs.Look
    expires_at: float | None
    fields: Mapping[str, Any]
    remote: Sequence[RemotePart]
    kept: messages.Kept | None = None
    """The rows, once the work was done."""

    def rows(self, connection: Connection, now: float, reused: bool) -> tuple[Answer, messages.Kept]:
        """What is answered, and kept, at the time ``now``. Raises ``NotKept``."""
        if reused:
            words = "this idempotency key came with another message before; choose a new one"
            raise NotKept(Problem("idempotency-key-reused", words, steps=("idempotency_key",)))
        if self.expires_at is not None and self.expires_at <= now:
            raise NotKept(Problem("invalid-value", "expires_at is over; give a later one", steps=("expires_at",)))
        opted_out = self.look.refused(connection, now)  # last of what may refuse
        if len(opted_out) == len(self.submitted.request.to):
            words = "no recipient wants anything more from this sender; each has opted out"
            raise NotKept(Problem("opted-out", words, steps=("to",)))
        self.kept = self.submitted.kept(
            self.application.name,
            now,
            self.settings,
            self.scripts(connection),
            opted_out=opted_out,
            fields=self.fields,
            remote=self.remote,
        )
        return {"id": self.submitted.id}, self.kept


class Submission(NamedTuple):
    """The task that keeps a message, and its work, which has the rows once it was done."""

    task: Task
    keeping: Keeping


def submission(
    body: NewMessage,
    files: Mapping[int, bytes],
    application: Application,
    settings: Settings,
    scripts: Scripts,
    own: Mapping[str, Any] = MappingProxyType({}),
    traced: Mapping[str, Any] = MappingProxyType({}),
) -> Submission:
    """What sending this comes to; ``scripts`` gives those of handsets, ``own`` is kept with it beside its reference,
    ``traced`` of its trace.

    Raises ``Problem`` and ``StatusError`` for what cannot be sent.
    """
    remote = _remote(body, settings)
    request = _request(body, files, remote, application)
    _check_times(body)
    _check_recipients(request, application)
    if is_of_another(request.sender_address, application, settings):
        raise Problem("invalid-sender", "from is the short code of another application; give your own", steps=("from",))
    submitted = _submitted(request, remote, application, settings)
    fields = {"api": {"reference": body.reference, **own}, "group": body.group}
    keeping = Keeping(
        submitted=submitted,
        application=application,
        settings=settings,
        scripts=scripts,
        look=opt_outs.Look.of(application, request.sender_address, request.to),
        expires_at=body.expires_at,
        fields={**fields, **traced},
        remote=tuple(remote.values()),
    )
    key = body.idempotency_key
    everything = [digest(request, submitted.sums), fields, *remote.values()]  # not its trace: each request has its own
    whole = hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()
    asked = Request(application.name, OPERATION, submitted.id if key is None else key, whole)
    window = 0.0 if key is None else settings.window_of(application) or _DAY
    return Submission(Task.keeping(asked, window, keeping.rows), keeping)


def _submitted(
    request: SubmitReq, remote: Mapping[int, RemotePart], application: Application, settings: Settings
) -> Submitted:
    """The request, packed as an MM7_submit. Raises ``Problem`` and ``StatusError`` for content that cannot be sent."""
    try:
        wire = exchange.pack(request, profile=content.OWN_PROFILE)
    except LocalError as error:
        raise Problem("content-refused", f"no message can be made of this: {error}") from error
    octets = wire.read()
    most = settings.limits.body
    if len(octets) > most:
        raise Problem(
            "body-too-large", f"the message comes to {len(octets)} octets; it may have {most}; give smaller parts"
        )
    check_content([one for n, one in enumerate(request.parts) if n not in remote], len(octets), application)
    received = Received(
        message=request,
        transaction_id=None,
        namespace=None,  # it was not written in any: reports go out as the application's callback is configured
        mm7_version=None,
        profile=content.OWN_PROFILE,
        dialect=_NOWHERE,
        headers=wire.headers,
    )
    return Submitted.of(request, received, octets)


# --- what is asked ----------------------------------------------------------------------------------------------------


def _request(
    body: NewMessage, files: Mapping[int, bytes], remote: Mapping[int, RemotePart], application: Application
) -> SubmitReq:
    named: dict[str, Any] = {}
    if body.from_ is not None:
        named["sender_address"] = _address(body.from_, application, ("from",))
    try:
        return SubmitReq(
            vaspid=application.vaspid,
            vasid=next(iter(application.vasids), None),
            to=tuple(_address(one, application, ("to", n)) for n, one in enumerate(body.to)),
            subject=body.subject,
            earliest_delivery_time=mapping.moment(body.send_at),
            expiry_date=mapping.moment(body.expires_at),
            delivery_report=body.delivery_report,
            read_reply=body.read_reply,
            parts=tuple(
                placeholder(remote[n]) if n in remote else _part(one, files.get(n), n)
                for n, one in enumerate(body.parts)
            ),
            **named,
        )
    except LocalError as error:
        raise Problem("invalid-value", f"no message can be made of this: {error}") from error


def _address(text: str, application: Application, steps: tuple[str | int, ...]) -> Address:
    try:
        return ShortCode(text) if text in application.short_codes else address(text.strip())
    except LocalError as error:
        raise Problem("invalid-value", f"{in_words(steps)}: {error}", steps=steps) from error


def _remote(body: NewMessage, settings: Settings) -> dict[int, RemotePart]:
    """The parts that are to be fetched, by their places. Raises ``Problem`` for URLs that cannot, or may not be."""
    found = {}
    for n, one in enumerate(body.parts):
        if one.media_url is None:
            continue
        _check_url(one.media_url, ("parts", n, "media_url"), settings)
        if one.content_type is not None:
            media_type_of(one.content_type, ("parts", n))
        found[n] = RemotePart(n, one.media_url, one.content_type, one.name)
    if len(found) > MOST:
        words = f"{len(found)} parts have a media_url; at most {MOST} may, send the others as data"
        raise Problem("invalid-value", words, steps=("parts",))
    return found


def _check_url(url: str, steps: tuple[str | int, ...], settings: Settings) -> None:
    """What can be told of a URL before it is fetched. Raises ``Problem``."""
    where = in_words(steps)
    try:
        why = why_internal(url)
    except LocalError as error:
        raise Problem("invalid-value", f"{where}: {error}", steps=steps) from None
    if why is not None and not settings.allow_internal:
        words = f"{where}: {why}; give a URL that everybody can reach, or the octets as data"
        raise Problem("media-url-refused", words, steps=steps)


def _part(given: PartIn, file: bytes | None, n: int) -> Part:
    steps = ("parts", n)
    if given.text is not None:
        text, plain = given.text.encode(), "text/plain; charset=utf-8"
        return part_of(text, steps, content_type=plain, name=given.name)
    octets = file if file is not None else octets_of(given.data or "", steps)
    if not octets:
        raise Problem("invalid-value", f"parts[{n}] has no octets; leave the part out", steps=steps)
    return part_of(octets, steps, content_type=given.content_type, name=given.name)


def _check_times(body: NewMessage) -> None:
    """Raise ``Problem`` for times that no message can keep."""
    if body.send_at is not None and body.expires_at is not None and body.expires_at <= body.send_at:
        raise Problem("invalid-value", "expires_at is not after send_at; give a later one", steps=("expires_at",))


def _check_recipients(request: SubmitReq, application: Application) -> None:
    """Raise ``Problem`` for the first recipient that is no address or named twice, ``StatusError`` for too many."""
    places: dict[Address, int] = {}
    for n, one in enumerate(request.to):
        if (first := places.setdefault(one, n)) != n:
            words = f"to[{n}] is the recipient to[{first}] again; name each once"
            raise Problem("invalid-recipient", words, steps=("to", n))
        if not is_address(one, application.numbers):
            words = f"to[{n}] is no address that can be served; give a number such as +61412345678, or a mail address"
            raise Problem("invalid-recipient", words, steps=("to", n))
    check_recipients(request, application)


def reference_of(message: MessageRow) -> str | None:
    """The application's own name for a message that it has sent by JSON."""
    found: str | None = (message.field.get("api") or {}).get("reference")
    return found


def served(copies: Sequence[RecipientRow]) -> list[RecipientRow]:
    """The copies of a message that somebody gets."""
    return [one for one in copies if one.state != "DisplayOnly"]
