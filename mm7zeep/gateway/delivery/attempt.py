"""One attempt of one call: the message made anew from its rows, sent by ``MmscClient``, ``VaspClient`` or a webhook, or
what a message names by URL, fetched. Has a span.

Whatever happens comes back as an ``Outcome``; changes no row. Every connection goes through the guard of
``security.outbound``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import urlsplit

from mm7zeep import envelope, exchange, status
from mm7zeep.client import Accepted, MmscClient, Retry, VaspClient
from mm7zeep.client.fitter import Fitter
from mm7zeep.errors import LocalError, Mm7Error, StatusError
from mm7zeep.findings import Finding
from mm7zeep.gateway.config.destination import Destination
from mm7zeep.gateway.config.parties import Application, TlsFiles, Upstream
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery import mo, reports
from mm7zeep.gateway.delivery.fetcher import Check, Fetcher
from mm7zeep.gateway.delivery.opted_out import opted_out
from mm7zeep.gateway.delivery.retry import Outcome, judge
from mm7zeep.gateway.delivery.routing import OPTED_OUT
from mm7zeep.gateway.delivery.tls_failures import called_with, cause
from mm7zeep.gateway.delivery.webhook_caller import Answered, WebhookCaller, Write
from mm7zeep.gateway.security.outbound import Egress
from mm7zeep.gateway.store import content, endpoints, mapping, messages
from mm7zeep.gateway.store.clock import GuardedClock
from mm7zeep.gateway.store.database import Database
from mm7zeep.gateway.store.remote_parts import remote_parts_of
from mm7zeep.gateway.store.rows import CallRow
from mm7zeep.messages import Address, CancelReq, Message, ReplaceReq, SubmitReq
from mm7zeep.profiles import REL_6_MM7_1_4, Profile
from mm7zeep.status import Status
from mm7zeep.tracing import Span, Tracing, Values
from mm7zeep.transport import Timeouts

Deliver = Callable[[str, Message, str], None]
"""Sends one message to a callback URL under a TransactionID; raises ``Mm7Error`` unless it was accepted."""

_CONNECT = 10.0  # seconds to open a connection
_OPERATIONS: Mapping[str, str] = MappingProxyType(
    {"deliver": "DeliverReq", "report": "DeliveryReportReq", "read": "ReadReplyReq", "submit": "SubmitReq"}
)


class Caller:
    """Makes calls; keeps one client per endpoint, with its connections. Thread-safe.

    ``deliver`` stands in for the clients of applications, for tests and for those who have both sides in one process;
    webhooks are called all the same. ``write`` says what an event tells, ``answered`` what the answer to it asks for;
    ``check`` judges the content of a message once all of it was fetched.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        clock: GuardedClock,
        write: Write,
        answered: Answered,
        check: Check,
        deliver: Deliver | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing or Tracing()
        self._settings = settings
        self._database = database
        self._deliver = deliver
        self._egress = Egress(allow_internal=settings.allow_internal)
        self.fetcher = Fetcher(settings, database, self._egress, check)
        self._clients: dict[str, MmscClient | VaspClient] = {}
        self._lock = threading.Lock()
        self._fitter = Fitter()
        self._webhooks = WebhookCaller(settings, database, clock, write, answered, self._timeouts(), self._tracing)

    def close(self) -> None:
        """Close all connections, and end the processes that fit content."""
        self._fitter.close()
        self._webhooks.close()
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def make(self, call: CallRow) -> Outcome:
        """Make a call once. Raises ``StoreError`` where the message could not be looked up."""
        if not self._tracing.on:
            return self._made(call)
        way = {"submit": "relay", "fetch": "media"}.get(call.kind, "callback")
        with self._tracing.call(f"{way} {call.kind}", call.event, _told_of(call)) as span:
            outcome = self._made(call)
            _tell(span, outcome)
            return outcome

    def _made(self, call: CallRow) -> Outcome:
        if call.kind == "fetch":
            return self.fetcher.fetch(call)
        try:
            if call.kind == "webhook":
                return self._webhooks.make(call)
            return self._submit(call) if call.kind == "submit" else self._call_back(call)
        except Mm7Error as error:
            self._tracing.current().fail(type(error).__name__)
            table, files = called_with(self._settings, call)
            return judge(cause(error, files), table)

    # --- to applications ----------------------------------------------------------------------------------------------

    def _call_back(self, call: CallRow) -> Outcome:
        application = self._settings.application(call.owner)
        callback = application.callback if application is not None else None
        if application is None or callback is None:
            return Outcome(verdict="dead", reason=f"the application {call.owner} has no callback any more")
        profiles = [application.callback_profile]
        if call.kind == "deliver":
            url, message = callback.deliver, self._mo(call, application)
            if message is None:
                return Outcome(verdict="dead", reason="the message was deleted")
        else:
            url, message = callback.reports, reports.report_of(call, self._settings.relay_id)
            mirrored = reports.report_profile(application, call.event.get("namespace"), call.event.get("mm7_version"))
            profiles = [mirrored, *(one for one in profiles if one != mirrored)]
        if self._deliver is not None:
            self._deliver(url, message, call.transaction_id)
        else:
            if _has_coded_address(message):
                profiles.append(_with_codes(profiles[-1]))
            return Outcome(
                verdict="done", left_out=self._send(application, url, message, call.transaction_id, profiles)
            )
        return Outcome(verdict="done")

    def _send(
        self, application: Application, url: str, message: Message, transaction_id: str, profiles: Sequence[Profile]
    ) -> tuple[str, ...]:
        """Send in the first of ``profiles`` that has a form for it: a namespace may have none for an address.

        Gives the names of what that namespace has no place for, which was left out.
        """
        for n, one in enumerate(profiles, 1):
            fitting, left = envelope.fitted(message, one)
            try:
                self._sent(self._mmsc_client(application, url, one), fitting, transaction_id)
            except LocalError:
                if n == len(profiles):
                    raise
                continue
            return left
        return ()

    def _mo(self, call: CallRow, application: Application) -> Message | None:
        with self._database.read() as connection:
            message = messages.message(connection, call.message_id)
            raw = messages.raw(connection, call.message_id, message.content) if message is not None else None
            copies = messages.recipients(connection, call.message_id)
        if message is None or raw is None:
            return None
        parts = content.distinct(content.parts_of(raw))
        return mo.message_of(message, copies, parts, application, self._settings.relay_id)

    def _mmsc_client(self, application: Application, url: str, profile: Profile) -> MmscClient:
        callback = application.callback
        auth = (callback.username, callback.password or "") if callback is not None and callback.username else None
        files = callback.tls_files if callback is not None else TlsFiles()

        def make() -> MmscClient:
            return MmscClient(
                url,
                auth=auth,
                profile=profile,
                ca_file=files.ca_file,
                client_cert=files.client_cert,
                timeouts=self._timeouts(),
                retry=Retry(times=0),
                adapter=self._egress.adapter(),
            )

        name = f"{endpoints.key(application.name, url)} {profile.schema} {profile.mm7_version}"
        return cast(MmscClient, self._client(name, make))

    # --- to upstreams -------------------------------------------------------------------------------------------------

    def _submit(self, call: CallRow) -> Outcome:
        name = call.destination.name
        upstream = self._settings.upstream(name)
        if upstream is None:
            return Outcome(verdict="dead", reason=f"the upstream {name} is no longer configured")
        if self._has_opted_out(call):
            unclear = call.attempts > 1 and call.event.get("refused") != call.epoch - 1
            reason = f"{OPTED_OUT}; an attempt before that may have reached {name}" if unclear else OPTED_OUT
            return Outcome(verdict="dead", reason=reason, text=status.OPTED_OUT.text, unclear=unclear)
        request = self._request(call, upstream)
        if request is None:
            return Outcome(verdict="dead", reason="the message was deleted")
        found: tuple[Finding, ...] = ()
        if upstream.fits and self._may_fit(call.message_id):
            request, found = self._fitter.fitted(request, True, upstream.upstream_profile)
        client = self._vasp_client(upstream)
        accepted = self._sent(client, request, call.transaction_id)
        return Outcome(verdict="done", message_id=accepted.message_id, code=accepted.status.code, findings=found)

    def _has_opted_out(self, call: CallRow) -> bool:
        """Whether the recipient of a copy has opted out while it waited to leave."""
        if all(one.opt_out is None for one in self._settings.applications):
            return False
        with self._database.read() as connection:
            message = messages.message(connection, call.message_id)
            copy = messages.copy(connection, call.message_id, call.n)
            found = [(message, copy)] if message is not None and copy is not None else []
            return bool(opted_out(connection, self._settings, found))

    def _may_fit(self, message_id: str) -> bool:
        """Whether the application that a message is from lets its content be changed."""
        with self._database.read() as connection:
            message = messages.message(connection, message_id)
        application = self._settings.application(message.application) if message is not None else None
        return application is None or application.fit is not False

    def change(self, destination: Destination, request: CancelReq | ReplaceReq, fit: bool) -> Status:
        """Ask an upstream to take back or replace a message that it has; what it answers.

        ``fit`` is whether its application lets the content be changed; 2004 stands for what cannot be made to fit.
        Raises ``Mm7Error`` where it gives no answer.
        """
        upstream = self._settings.upstream(destination.name)
        if upstream is None:
            raise LocalError(f"the upstream {destination.name} is no longer configured")
        try:
            asked = replace(request, mm7_version=None, vaspid=upstream.vaspid, vasid=upstream.vasid)
            if isinstance(asked, ReplaceReq) and fit and upstream.fits:
                try:
                    asked, _ = self._fitter.fitted(asked, True, upstream.upstream_profile)
                except LocalError as error:
                    return Status(2004, details=str(error))
            with self._tracing.call(
                f"relay {envelope.operation_of(type(asked)).name}", None, _told_of_place(upstream.url)
            ) as span:
                span.set({"mm7.upstream": upstream.name})
                return self._sent(self._vasp_client(upstream), asked).status
        except StatusError as error:
            return error.status

    def _request(self, call: CallRow, upstream: Upstream) -> SubmitReq | None:
        """The SubmitReq for one copy, as its upstream is to read it: what the VASP asked, with replacements."""
        with self._database.read() as connection:
            message = messages.message(connection, call.message_id)
            copy = messages.copy(connection, call.message_id, call.n)
            first = messages.raw(connection, call.message_id)
            raw = messages.raw(connection, call.message_id, message.content) if message is not None else None
            linked_id = message.field.get("linked_id") if message is not None else None
            linked = messages.message(connection, linked_id.strip()) if linked_id is not None else None
        if message is None or copy is None or first is None or raw is None:
            return None
        # it was accepted: whatever policy and limits are now, it is understood as it was
        asked = cast(SubmitReq, exchange.unpack(messages.wire_of(first), policy="lenient", limits=content.ANY).message)
        own = (*asked.to, *asked.cc, *asked.bcc)[copy.n]  # the address with its coding
        places: dict[str, Any] = {"to": asked.to, "cc": asked.cc, "bcc": ()}
        places = {
            place: (*((own,) if copy.place == place else ()), *_shown(others, own, group=message.field.get("group")))
            for place, others in places.items()
        }
        charging = asked.reply_charging
        if charging is not None and charging.deadline is not None:  # a span counts from when it was submitted
            deadline = mapping.moment(mapping.point(charging.deadline, message.accepted))
            charging = replace(charging, deadline=deadline)
        return replace(
            asked,
            mm7_version=None,
            extensions=(),
            unparsed=(),
            vaspid=upstream.vaspid,
            vasid=upstream.vasid,
            **places,
            reply_charging=charging,
            linked_id=linked.field.get("linked_id") if linked is not None and linked.brought_by(call.owner) else None,
            **{name: message.field.get(name) for name in mapping.REPLACEABLE},
            earliest_delivery_time=None,  # it was waited for here
            expiry_date=mapping.moment(message.expires),
            time_stamp=mapping.moment(message.accepted),
            # how it ends is known only from its report
            delivery_report=message.delivery_report or upstream.callback_username is not None,
            read_reply=message.read_reply,
            content_href=None,  # the client makes its own
            parts=content.distinct(content.parts_of(raw)),
        )

    def _vasp_client(self, upstream: Upstream) -> VaspClient:
        def make() -> VaspClient:
            return VaspClient(
                upstream.url,
                auth=upstream.auth,
                headers=upstream.headers,
                profile=upstream.upstream_profile,
                ca_file=upstream.ca_file,
                client_cert=upstream.tls_files.client_cert,
                timeouts=self._timeouts(),
                retry=Retry(times=0),
                adapter=self._egress.adapter(),
            )

        return cast(VaspClient, self._client(endpoints.key(str(upstream.destination), upstream.url), make))

    # --- both ---------------------------------------------------------------------------------------------------------

    def _sent(
        self, client: MmscClient | VaspClient, message: Message, transaction_id: str | None = None
    ) -> Accepted[Any]:
        """The answer to ``message``, which says what trace it is part of. Raises as ``send``."""
        span = self._tracing.current()
        try:
            accepted = client.send(message, transaction_id=transaction_id, headers=span.headers or None)
        except StatusError as error:
            span.set({"http.response.status_code": error.http_status, "mm7.status_code": error.status.code})
            raise
        span.set({"http.response.status_code": accepted.http_status, "mm7.status_code": accepted.status.code})
        return accepted

    def _timeouts(self) -> Timeouts:
        whole = self._settings.delivery.timeout
        return Timeouts(connect=min(_CONNECT, whole), read=whole, reply=whole, total=whole)

    def _client(self, name: str, make: Callable[[], MmscClient | VaspClient]) -> MmscClient | VaspClient:
        with self._lock:
            if name not in self._clients:
                self._clients[name] = make()
            return self._clients[name]


def _told_of(call: CallRow) -> Values:
    """What the span of an attempt tells of its call."""
    there = call.destination
    return {
        **_told_of_place(_url_of(call), "GET" if call.kind == "fetch" else "POST"),
        f"mm7.{there.kind}": there.name,
        "mm7.operation": _OPERATIONS.get(call.kind),
        "mm7.message_id": call.message_id,
        "mm7.transaction_id": call.transaction_id,
        "mm7.attempt": call.attempts,
    }


def _url_of(call: CallRow) -> str:
    """Where a call goes: what is fetched, and StatusCallbacks, share endpoints that are no URL."""
    if call.kind == "fetch":
        return remote_parts_of(call)[0].url
    return str(call.event.get("url") or endpoints.url_of(call.endpoint))


def _told_of_place(url: str, method: str = "POST") -> Values:
    """What a span tells of where a request goes: no path and no query, either of which may be a secret."""
    parts = urlsplit(url)
    return {"http.request.method": method, "server.address": parts.hostname, "server.port": parts.port}


def _tell(span: Span, outcome: Outcome) -> None:
    """What the span of an attempt tells of what came of it: no reason, since that may quote what was sent."""
    span.set({"mm7.outcome": outcome.verdict, "http.response.status_code": outcome.http_status})
    if outcome.verdict != "done":
        status = outcome.code or outcome.http_status
        span.fail(str(status) if status is not None else None)


def _shown(others: Sequence[Address], own: Address, *, group: bool | None) -> Iterator[Address]:
    """The other recipients that ``own`` is to see: those only displayed, and in a ``group`` all."""
    for one in others:
        if one.display_only:
            yield one
        elif group and one is not own:
            yield replace(one, display_only=True)


def _has_coded_address(message: Message) -> bool:
    """Whether an address of a callback carries what only release 6 has a form for."""
    single = (getattr(message, name, None) for name in ("sender", "recipient"))
    many = (one for name in ("to", "cc") for one in getattr(message, name, ()))
    return any(one is not None and (one.coding or one.id) for one in (*single, *many))


def _with_codes(profile: Profile) -> Profile:
    """What the carrier wants, in the release that has a form for every address (XSD addressCoding, id)."""
    return replace(
        REL_6_MM7_1_4,
        name=profile.name,
        prefix=profile.prefix,
        policy=profile.policy,
        smil=profile.smil,
        empty_ack=profile.empty_ack,
        encoding=profile.encoding,
        headers=profile.headers,
    )
