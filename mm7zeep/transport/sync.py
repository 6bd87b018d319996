"""``SwaTransport``: SOAP with Attachments through requests, for ``zeep.Client``.

Refuses redirects, netrc and the proxies of the environment.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self, cast

import requests
import requests.adapters
import urllib3.exceptions
import zeep.transports
from lxml import etree

from mm7zeep.credentials import (
    Auth,
    AuthorizationHeader,
    ClientCert,
    File,
    cert_files,
    credentials,
    header_fields,
    proxy_map,
    tls,
)
from mm7zeep.errors import LocalError
from mm7zeep.transport.bound import TIMEOUTS, BoundTransport, Timeouts, bounds, own_schema, reply_limit
from mm7zeep.transport.clocks import Bounds
from mm7zeep.transport.connections import JudgedAdapter, JudgedConnection
from mm7zeep.transport.correlation import SentIds, transaction_id
from mm7zeep.transport.failures import fail
from mm7zeep.transport.http_answer import HttpAnswer
from mm7zeep.transport.http_exchange import Body, HttpExchange, compose, ready, written
from mm7zeep.transport.reasons import Files

_CHUNK = 65536
_POOL = 32  # connections kept open towards one server, for threads that share a transport


class SwaTransport(BoundTransport, zeep.transports.Transport):
    """A ``zeep.Transport`` that sends SOAP with Attachments through requests.

    The body is streamed with its length known; answers are bounded to ``max_reply`` octets and by ``timeouts``;
    redirects, netrc, proxies of the environment and compressed answers are refused. ``ca_file`` replaces the bundled
    authorities, ``client_cert`` is (certificate file, key file). ``adapter`` opens the connections, http and https, in
    place of one that keeps 32 to a server; it is closed with the transport. A ``session`` of yours keeps its own
    adapters, auth, verify, cert and cookies where nothing is given here, and is not closed.

    A connection carries another request only where the answer named this one's TransactionID and nothing came behind
    it; otherwise it is closed. Interim answers are passed over, heads bounded to 64 KiB and 128 fields, refusals read
    while the body goes out, and ``Timeouts.total`` and ``reply`` kept wherever the far side is slow. All of that is
    the work of our adapter (``connections.JudgedAdapter``, which may be built upon): through an adapter or session of
    yours, connections are kept, and answers read, as yours does; an answer with another request's TransactionID is
    refused all the same. A session of ours keeps no cookies. WSDLs of the package load from the
    package, any other as zeep does. Safe to share between threads: each exchange has its own ``HttpExchange``.

    Raises ``LocalError`` for credentials, files or header fields that cannot be used.
    """

    def __init__(
        self,
        *,
        auth: Auth = None,
        timeouts: Timeouts = TIMEOUTS,
        ca_file: File | None = None,
        client_cert: ClientCert = None,
        headers: Mapping[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        max_reply: int = 1024 * 1024,
        session: requests.Session | None = None,
        adapter: requests.adapters.BaseAdapter | None = None,
    ) -> None:
        super().__init__(session=session)  # type: ignore[no-untyped-call]
        self.timeouts = bounds(timeouts)
        self.max_reply = reply_limit(max_reply)
        self.exchange: HttpExchange | None = None
        self.sent_ids = SentIds()
        self._original: SwaTransport | None = None
        self._mount(adapter, of_ours=session is None)
        if ca_file is not None or client_cert is not None:
            tls(ca_file, client_cert)  # requests would find out only when it connects
        self.credentials = known = credentials(auth)
        self.auth: Any = known.for_requests() if known is not None else self.session.auth or AuthorizationHeader(None)
        self.session.trust_env = False  # no netrc, no proxies from the environment
        self.session.headers["User-Agent"] = "mm7zeep"
        self.session.headers.update(header_fields(headers))
        self.session.proxies.update(proxy_map(proxies))
        if ca_file is not None:
            self.session.verify = os.fspath(ca_file)
        if files := cert_files(client_cert):
            self.session.cert = files[0] if len(files) == 1 else (files[0], files[1])

    def _mount(self, adapter: requests.adapters.BaseAdapter | None, *, of_ours: bool) -> None:
        """What opens the connections; in a session that is not of ours, only what was given."""
        if adapter is not None and not isinstance(adapter, requests.adapters.BaseAdapter):
            raise LocalError(f"adapter is an adapter of requests, not {type(adapter).__name__}")
        if adapter is None and not of_ours:
            return
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, adapter or JudgedAdapter(_POOL))
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # stores none, sends none

    def __copy__(self) -> Self:
        clone = super().__copy__()
        clone._close_session = False  # the session belongs to the original, which is kept alive for it
        clone._original = self
        return clone

    def close(self) -> None:
        """Close the connections, unless the session was given."""
        if self._close_session:
            self.session.close()

    def load(self, url: str) -> bytes:
        """The package's own schemas from the package; anything else as zeep does."""
        return own_schema(url) or cast("bytes", super().load(url))  # type: ignore[no-untyped-call]

    def post(self, address: str, message: Any, headers: Mapping[str, str]) -> requests.Response:
        """Send a ready body (text or bytes); what zeep's own bindings call for messages without envelope."""
        exchange = self.exchange or HttpExchange()
        return self._perform(exchange, address, *ready(exchange, message, headers))

    def post_xml(self, address: str, envelope: etree._Element, headers: Mapping[str, str]) -> requests.Response:
        """Send ``envelope`` with the parts of the call; the answer's root part comes back as the body.

        Raises ``TransportError``, ``AuthError``, or ``LocalError`` where parts are attached that no Content element
        names.
        """
        exchange = self.exchange or HttpExchange()
        exchange.transaction_id = transaction_id(envelope)
        return self._perform(exchange, address, *compose(exchange, envelope, headers))

    def post_written(self, address: str, envelope: bytes, headers: Mapping[str, str]) -> requests.Response:
        """As ``post_xml``, for an envelope that is octets already; the exchange says its TransactionID."""
        exchange = self.exchange or HttpExchange()
        return self._perform(exchange, address, *written(exchange, envelope, headers))

    def _perform(
        self, exchange: HttpExchange, address: str, headers: Mapping[str, str], body: Body
    ) -> requests.Response:
        self._begin(exchange, address)
        with self.sent_ids.under_way(exchange.transaction_id) as fresh:
            try:
                with (
                    self.session.post(
                        address,
                        data=body,
                        headers=dict(headers),
                        auth=self.auth,
                        timeout=self._times(address),
                        allow_redirects=False,
                        stream=True,
                        hooks={"response": [*self.session.hooks["response"], _unread]},
                    ) as answer,
                    _held(answer) as keep,
                ):
                    arriving = self._take(exchange, answer)
                    response = arriving.response()
                    if self._ours(exchange, fresh=fresh) and not arriving.cut:
                        keep()
                    return response
            except Exception as error:  # noqa: BLE001 - whatever the libraries raise: only our errors leave
                fail(error, exchange, address)

    def _times(self, address: str) -> Any:
        """What an adapter is given: one that is not of ours knows only the times of connecting and of reading."""
        times = self.timeouts
        if isinstance(self.session.get_adapter(address), JudgedAdapter):
            until = time.monotonic() + times.total
            return Bounds(connect=times.connect, read=times.read, reply=times.reply, until=until)
        return (times.connect, times.read)

    def _proxy_for(self, address: str) -> str | None:
        return requests.utils.select_proxy(address, self.session.proxies)

    def _files(self) -> Files:
        trusted, own = self.session.verify, self.session.cert  # a session that is not of ours may have its own
        return Files(
            ca_file=trusted if isinstance(trusted, str) else None,
            client_cert=own if isinstance(own, str) or own is None else own[0],
        )

    def _take(self, exchange: HttpExchange, answer: requests.Response) -> HttpAnswer:
        fields = [(name, value) for name, value in answer.raw.headers.items()]
        arriving = self._arriving(exchange, answer.status_code, fields)
        try:
            while arriving.wanted and (chunk := answer.raw.read1(_CHUNK, decode_content=False)):
                arriving.take(chunk)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            arriving.break_off(error)
        if arriving.flaw is not None:
            answer.raw.close()  # what is left of it must not be read
        return arriving


@contextmanager
def _held(answer: requests.Response) -> Iterator[Callable[[], None]]:
    """Close the connection at the end, unless it is one of ours that was to be kept."""
    connection = answer.raw.connection
    if not isinstance(connection, JudgedConnection):
        yield lambda: None
        return
    kept: list[bool] = []
    connection.hold()
    try:
        yield lambda: kept.append(True)
    finally:
        connection.done(keep=bool(kept))


def _unread(answer: requests.Response, **_: Any) -> None:
    """Keep requests from reading a redirect's body, whole and decoded, only to say where it would have gone."""
    answer.headers.pop("Location", None)
