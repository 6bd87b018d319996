"""One attempt of one webhook: the event written anew, as JSON or in Twilio's form, signed, and sent by POST.

Whatever happens comes back as an ``Outcome``; changes no row. In Twilio's form the answer to a message that came in is
read, and what it asks for goes along; every other answer counts by its status alone. Each attempt has a connection of
its own: nothing in an answer tells which event it is about. Refuses redirects, internal addresses, cookies and the
proxies of the environment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode, urlsplit

import requests
import urllib3.exceptions
from sqlalchemy import Connection

from mm7zeep.credentials import AuthorizationHeader, cert_files
from mm7zeep.errors import Mm7Error
from mm7zeep.gateway.config.parties import RECEIVED, TWILIO, Application, TlsFiles, Twilio, Webhook
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery.retry import Outcome, Reply, judge_webhook, judge_webhook_status
from mm7zeep.gateway.delivery.tls_failures import cause
from mm7zeep.gateway.security import twilio_signature, webhook_signature
from mm7zeep.gateway.security.outbound import Egress
from mm7zeep.gateway.store.clock import GuardedClock
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.outbox import KEPT
from mm7zeep.gateway.store.rows import CallRow
from mm7zeep.json_text import as_json
from mm7zeep.receiver import Refusal
from mm7zeep.tracing import Tracing
from mm7zeep.transport import Timeouts, statuses
from mm7zeep.transport.clocks import Bounds
from mm7zeep.transport.failures import fail
from mm7zeep.transport.http_exchange import HttpExchange, ready
from mm7zeep.transport.reasons import Files
from mm7zeep.transport.short_answer import ShortAnswer, short_answer

Write = Callable[[Connection, CallRow, float], Mapping[str, Any] | None]
"""What the event of a call says at a time, as JSON has it or as the fields of a form; None where its message was
deleted.
"""

Answered = Callable[[Application, CallRow, Mapping[str, Any], ShortAnswer], Reply | None]
"""What the answer to a message that came in asks for, told by these fields. Raises ``Refusal`` where it cannot be taken
now.
"""

MOST_TWIML = 64 * 1024
"""Octets of TwiML that are read; Twilio takes as many."""

_Read = Callable[[ShortAnswer], Reply | None]

_CHUNK = 8192
# what Twilio reads as TwiML; web frameworks say text/html where nobody says otherwise
_TWIML = frozenset({"text/xml", "application/xml", "text/html"})


class _Post(NamedTuple):
    """Where to, the body, the header fields that belong to it, the table it is of, and the files for TLS in that."""

    url: str
    body: bytes
    fields: Mapping[str, str]
    table: str
    files: TlsFiles


class WebhookCaller:
    """Makes the calls that tell events. ``write`` says what each tells, ``answered`` what an answer asks for.

    Thread-safe.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: GuardedClock,
        write: Write,
        answered: Answered,
        timeouts: Timeouts,
        tracing: Tracing,
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._write = write
        self._answered = answered
        self._timeouts = timeouts
        self._tracing = tracing
        self._session = requests.Session()
        self._session.trust_env = False  # no netrc, no proxies from the environment
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # stores none, sends none
        adapter = Egress(allow_internal=settings.allow_internal).adapter()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def make(self, call: CallRow) -> Outcome:
        """Make a call once. Raises ``StoreError`` where the message could not be looked up."""
        application = self._settings.application(call.owner)
        in_form = call.event.get("form") == TWILIO
        known = application is not None and (application.twilio if in_form else application.webhook) is not None
        if application is None or not known:
            return Outcome(verdict="dead", reason=f"the application {call.owner} has no webhook any more")
        with self._database.read() as connection:
            now = self._clock.now(connection)
            said = self._write(connection, call, now)
        if said is None:
            return Outcome(verdict="dead", reason="the message was deleted")
        if in_form:
            read = None
            if call.event["type"] == RECEIVED:
                read = partial(self._answered, application, call, said)
            outcome = self._post(_form(application, call.event["url"], said), read)
            # the StatusCallbacks of an application share their endpoints: one of them stops no other
            return replace(outcome, verdict="retry") if outcome.verdict == "pause" else outcome
        return self._post(_event(application, call.transaction_id, int(now), said))

    def _post(self, post: _Post, read: _Read | None = None) -> Outcome:
        url, body, own, table, files = post
        exchange, traced = HttpExchange(address=url, files=_named(files)), self._tracing.current().headers
        fields, octets = ready(exchange, body, {"User-Agent": "mm7zeep", "Connection": "close", **own, **traced})
        times = self._timeouts
        until = time.monotonic() + times.total
        bounds: Any = Bounds(connect=times.connect, read=times.read, reply=times.reply, until=until)
        try:
            with self._session.post(
                url,
                data=octets,
                headers=fields,
                auth=AuthorizationHeader(None),
                timeout=bounds,
                allow_redirects=False,
                stream=True,
                verify=files.ca_file or True,
                cert=cast(Any, files.client_cert),
                hooks={"response": _unread},
            ) as answer:
                return _judged(answer, read)
        except Exception as error:  # noqa: BLE001  whatever the libraries raise
            try:
                fail(error, exchange, url)
            except Mm7Error as failure:
                return judge_webhook(cause(failure, files), table)


def _named(files: TlsFiles) -> Files:
    """``files`` as reasons name them."""
    first = next(iter(cert_files(files.client_cert)), None)
    return Files(files.ca_file, first)


def _event(application: Application, id: str, timestamp: int, said: Mapping[str, Any]) -> _Post:
    """An event as Standard Webhooks has it."""
    webhook = cast(Webhook, application.webhook)
    body = as_json(said, separators=(",", ":")).encode()
    signed = webhook_signature.headers(webhook.secrets, id, timestamp, body)
    fields = {"Content-Type": "application/json", **signed}
    return _Post(webhook.url, body, fields, f"[application.webhook] of {application.name}", webhook.tls_files)


def _form(application: Application, url: str, said: Mapping[str, str]) -> _Post:
    """An event in Twilio's form."""
    twilio = cast(Twilio, application.twilio)
    url = _sent_as(url)
    signed = {twilio_signature.HEADER: twilio_signature.signature(twilio.auth_token, url, said)}
    fields = {"Content-Type": "application/x-www-form-urlencoded", **signed}
    table = f"[application.twilio] of {application.name}"
    # who else is named by a message is shown no certificate of ours, and has one of a public authority
    own = {_origin(one) for one in (twilio.incoming, twilio.status_callback) if one is not None}
    files = twilio.tls_files if _origin(url) in own else TlsFiles()
    return _Post(url, urlencode(said).encode(), fields, table, files)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(_sent_as(url))
    return parts.scheme, parts.hostname, parts.port


def _sent_as(url: str) -> str:
    """``url`` as it goes out, which is what a receiver sees and what is signed."""
    prepared = requests.Request("POST", url).prepare().url or url
    return prepared.partition("#")[0]


def _judged(answer: requests.Response, read: _Read | None) -> Outcome:
    """The outcome that an answer is: by its status alone, unless it is to be ``read``."""
    if answer.ok and answer.status_code < 300:
        return Outcome(verdict="done") if read is None else _taken(short_answer(answer, _TWIML, MOST_TWIML), read)
    kept = bytearray()
    try:
        while len(kept) < KEPT and (chunk := answer.raw.read1(_CHUNK, decode_content=False)):
            kept += chunk
    except (urllib3.exceptions.HTTPError, OSError):
        pass  # what came of it is enough
    wait = statuses.seconds(answer.headers.get("Retry-After"))
    return judge_webhook_status(answer.status_code, bytes(kept[:KEPT]), wait)


def _taken(answer: ShortAnswer, read: _Read) -> Outcome:
    """The outcome of an answer that is read: where what it asks for cannot be kept now, the call is made again."""
    try:
        return Outcome(verdict="done", reply=read(answer))
    except Refusal as error:
        return Outcome(verdict="retry", reason=f"the answer asks for messages, which cannot be kept now: {error}")


def _unread(answer: requests.Response, **_: Any) -> None:
    """Keep requests from reading a redirect's body only to say where it would have gone."""
    answer.headers.pop("Location", None)
