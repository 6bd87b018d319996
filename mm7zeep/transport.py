"""The network edge of a sender: a ``zeep.Transport`` that carries parts, a ``zeep.Plugin`` that validates both ways.

Both work alone with any ``zeep.Client`` (``attach`` gives a call its parts). Refuses redirects, netrc, credentials in
URLs, compressed, oversized and slow answers; sends nothing twice. Only errors of ``mm7zeep.errors`` leave it.
"""

from __future__ import annotations

import copy
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar, cast
from urllib.parse import unquote, urlsplit

import requests
import requests.adapters
import urllib3.exceptions
import zeep
import zeep.plugins
import zeep.proxy
import zeep.transports
from lxml import etree
from requests.structures import CaseInsensitiveDict

from mm7zeep import envelope as soap
from mm7zeep import exchange, mime, profiles, schema, tolerance
from mm7zeep.credentials import (
    Auth,
    AuthorizationHeader,
    Basic,
    Bearer,
    ClientCert,
    Digest,
    cert_files,
    credentials,
    endpoint,
    header_fields,
    readable,
    tls,
)
from mm7zeep.errors import AuthError, LocalError, RemoteError, SchemaError, TransportError
from mm7zeep.findings import Finding, finding
from mm7zeep.messages import Message, Part
from mm7zeep.profiles import NAMESPACES, Policy, Profile

__all__ = [
    "AsyncMm7Client", "AsyncSwaTransport", "Auth", "Basic", "Bearer", "Call", "Digest", "Mm7Client", "Progress", "Role",
    "SwaTransport", "Timeouts", "ValidationPlugin", "attach", "bind", "zeep_client",
]  # fmt: skip

_KEPT = 20_000  # octets of an unusable answer that an error repeats
_CHUNK = 65536
_POOL = 32  # connections kept open towards one server, for threads that share a transport

Progress = Callable[[int, int], None]
"""Called with (octets gone out, octets in all) as a request leaves; starts over where the request does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: ``connect`` to open a connection, ``read`` without a byte arriving, ``reply`` for the whole answer.

    ``reply`` counts from when the request has gone out, and is kept once the head of the answer is there. ``connect``
    is also the time that 64 KiB of the request may take to leave (with httpx: ``read``).
    """

    connect: float = 10.0
    read: float = 30.0
    reply: float = 60.0


_TIMEOUTS = Timeouts()


# --- one call ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Call:
    """What belongs to one request and its answer; made for it, and gone with it.

    ``sent`` octets were handed to the connection, the last of them at ``sent_at`` (monotonic seconds).
    ``http_status`` is None until an answer's head is there; ``body`` is the
    whole answer (None while it is not complete), ``findings`` what was noticed before the envelope was judged.
    """

    content: exchange.Content | None = None
    parts: Sequence[Part] = ()
    message: Message | None = None
    profile: Profile | None = None
    progress: Progress | None = None
    sent: int = 0
    sent_at: float | None = None
    http_status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    findings: tuple[Finding, ...] = ()
    judgement: exchange.Judgement | None = None

    def header(self, name: str) -> str | None:
        """The first field of that name in the answer's head, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class _Interrupted(Exception):
    """The progress callback raised ``reason``; wrapped, since the libraries would take its OSError for their own."""

    def __init__(self, reason: Exception) -> None:
        super().__init__()
        self.reason = reason


class _Body:
    """The request body as requests and httpx read it: length known, counted as it leaves, ready to start over."""

    def __init__(self, stream: mime.Stream, call: Call) -> None:
        self.stream = stream
        self.call = call

    def __len__(self) -> int:
        return len(self.stream)

    def __iter__(self) -> Iterator[bytes]:
        self.call.sent, self.call.sent_at = 0, None
        pieces = iter(self.stream)
        while chunk := self._next(pieces):
            self.call.sent += len(chunk)
            self.call.sent_at = time.monotonic()
            yield chunk
            self._tell()

    def _next(self, pieces: Iterator[bytes]) -> bytes:
        try:
            return next(pieces, b"")
        except OSError as error:
            # the libraries would take it for one of the connection
            raise LocalError(f"a part cannot be read: {error.strerror or type(error).__name__}") from error

    def _tell(self) -> None:
        if self.call.progress is None:
            return
        try:
            self.call.progress(self.call.sent, len(self.stream))
        except Exception as error:
            raise _Interrupted(error) from error

    def tell(self) -> int:
        return 0  # requests remembers it to rewind after a Digest challenge; iterating always starts over

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0


class _AsyncBody:
    """``_Body`` for httpx, which takes what has ``__iter__`` for a synchronous body; may be iterated again (Digest)."""

    def __init__(self, body: _Body) -> None:
        self.body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.body:
            yield chunk


def _content_of(call: Call, envelope: etree._Element) -> exchange.Content | None:
    """The content of the call; for bare ``parts``, under the name that the envelope's Content element gives."""
    if call.content is not None or not call.parts:
        return call.content
    element = next((one for one in envelope.iter() if schema.local(one) == "Content"), None)
    href = element.get("href", "") if element is not None else ""
    if not href.lower().startswith("cid:"):
        raise LocalError(
            'parts are attached, but the message has no Content element with href="cid:..."; add one to the call'
        )
    return exchange.compose(call.parts, call.profile or profiles.GENERIC_6_8_0, content_id=unquote(href[4:]))


def _compose(call: Call, envelope: etree._Element, headers: Mapping[str, str]) -> tuple[dict[str, str], _Body]:
    try:
        mime_headers, stream = exchange.enclose(soap.serialize(envelope), _content_of(call, envelope))
    except OSError as error:
        raise LocalError(f"a part cannot be read: {error.strerror}") from error
    sent = {**{k: v for k, v in headers.items() if k.lower() != "content-type"}, **dict(mime_headers)}
    return _unencoded(sent, len(stream)), _Body(stream, call)


def _unencoded(headers: Mapping[str, str], length: int) -> dict[str, str]:
    # Asking for no encoding, so that no answer can be a gzip bomb.
    return {**headers, "Accept-Encoding": "identity", "Content-Length": str(length)}


# --- the answer -------------------------------------------------------------------------------------------------------


class _Intake:
    """An answer as it arrives, within its bounds; ``flaw`` says what is wrong with it, ``cut`` that it broke off."""

    def __init__(self, call: Call, status: int, headers: Iterable[tuple[str, str]], *, most: int, reply: float) -> None:
        call.http_status, call.headers = status, tuple(headers)
        self.call = call
        self.status = status
        self.content = bytearray()
        self.flaw: str | None = None
        self.cut = False
        self._most = most
        self._until = (call.sent_at or time.monotonic()) + reply
        self._encoding = (call.header("Content-Encoding") or "identity").strip().lower()

    @property
    def wanted(self) -> bool:
        """Whether to read on."""
        return self.flaw is None

    def take(self, chunk: bytes) -> None:
        """Keep a piece, unless it is too much or too late."""
        self.content += chunk
        if len(self.content) > self._most:
            self.flaw = f"is larger than {self._most} octets"
        elif time.monotonic() > self._until:
            self.flaw = "came too slowly"

    def break_off(self, error: Exception) -> None:
        """The connection ended before the answer did."""
        self.flaw, self.cut = f"broke off after {len(self.content)} octets ({_without_url(error)})", True

    def response(self) -> requests.Response:
        """What zeep reads: the root part alone, as UTF-8. Raises for what is no MM7 answer."""
        self._refused_by_http()
        if self._encoding != "identity":
            raise self._unusable(f"what is {self._encoding}-encoded although no encoding was asked for")
        if self.flaw is not None and not self.cut:
            raise self._unusable(f"what {self.flaw}")
        if not self.cut:
            self.call.body = bytes(self.content)
            if not self.content.strip():
                raise self._unusable("no body")
        try:
            root = self._root()
        except RemoteError as error:
            what = f"what {self.flaw}" if self.cut else f"what is no MM7 answer: {error}"
            raise self._unusable(what, error.findings) from error
        return _response(self.status, self.call, etree.tostring(root))

    def _root(self) -> etree._Element:
        package = mime.read(self.call.headers, bytes(self.content), mime.Limits())
        try:
            root, findings = exchange.open_root(package)
        except RemoteError as error:
            error.findings = (*package.findings, *error.findings)
            raise
        # what broke off after the envelope was complete is still an answer: its MessageID is not lost
        cut = (finding("http/truncated", f"byte {len(self.content)}", action="repaired"),) if self.cut else ()
        self.call.findings = (*cut, *package.findings, *findings)
        return root

    def _refused_by_http(self) -> None:
        if self.status in (401, 403):
            raise AuthError(
                f"the server answered {self.status}: check user name, password, VASPID and the address you call from",
                http_status=self.status,
                challenge=self.call.header("WWW-Authenticate"),
                body=bytes(self.content[:_KEPT]),
            )
        if 300 <= self.status < 400:
            place = _place(self.call.header("Location"))
            raise TransportError(
                f"the server answered {self.status}, a redirect to {place}; it is not followed. Give the final URL",
                maybe_accepted=False,
                http_status=self.status,
                body=bytes(self.content[:_KEPT]),
            )

    def _unusable(self, what: str, findings: Sequence[Finding] = ()) -> TransportError:
        return TransportError(
            f"the server answered {self.status} with {what}",
            maybe_accepted=_unclear(self.status),
            http_status=self.status,
            body=bytes(self.content[:_KEPT]),
            findings=findings,
        )


def _unclear(status: int) -> bool:
    """Whether a request answered so, without MM7 status, may have been taken: not where HTTP itself refuses it."""
    return not (400 <= status < 500 or status in (501, 503, 505))


def _place(location: str | None) -> str:
    """Where a Location points, without what may be secret in it."""
    try:
        parts = urlsplit(location or "")
        shown = f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.hostname else parts.path
    except ValueError:
        shown = ""
    return repr(shown) if shown else "nowhere"


class _AnswerFields(CaseInsensitiveDict[str]):
    """The head of an answer, as plugins see it, and what was noticed about the package around the envelope."""

    findings: tuple[Finding, ...] = ()


def _response(status: int, call: Call, content: bytes) -> requests.Response:
    response = requests.Response()
    response._content = content
    response.status_code = status
    fields = _AnswerFields(one for one in call.headers if not one[0].lower().startswith(("content-", "transfer-")))
    fields["Content-Type"] = 'text/xml; charset="utf-8"'
    fields.findings = call.findings
    response.headers = fields
    response.encoding = "utf-8"
    return response


def _failure(error: Exception, call: Call) -> Exception:
    """What to raise where no answer came."""
    if isinstance(error, LocalError):  # a part changed or cannot be read
        what = f"{error}; {call.sent} octets had gone out"
        return TransportError(what, maybe_accepted=True) if call.sent else error
    text = _without_url(error)
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader):
        return LocalError(f"the request could not be made: {text}")
    if call.sent and not _tls_refusal(error):
        return TransportError(
            f"no answer after {call.sent} octets had gone out ({text}); the message may have been accepted",
            maybe_accepted=True,
        )
    return TransportError(f"the request could not be sent: {text}", maybe_accepted=False)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """``error`` and what led to it."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        reason = getattr(error, "reason", None)
        inner = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
        error = inner or next((one for one in error.args if isinstance(one, BaseException)), None)


def _tls_refusal(error: Exception) -> bool:
    """Whether the server ended the TLS handshake by an alert: TLS 1.3 shows it only after the request went out."""
    return any(isinstance(one, ssl.SSLError) and "ALERT" in (one.reason or "") for one in _chain(error))


def _without_url(error: Exception) -> str:
    """The kind of failure in words; the URL may hold secrets, so the library's own text is not repeated."""
    names: list[str] = []
    for one in _chain(error):
        name = type(one).__name__
        if isinstance(one, ssl.SSLCertVerificationError):
            name += f": {one.verify_message}"
        elif isinstance(one, OSError) and one.errno is not None and one.strerror:
            name += f": {one.strerror}"
        if name not in names and len(names) < 5:
            names.append(name)
    return ", ".join(names)


# --- the transports ---------------------------------------------------------------------------------------------------


class SwaTransport(zeep.transports.Transport):
    """A ``zeep.Transport`` that sends SOAP with Attachments through requests.

    The body is streamed with its length known; answers are bounded to ``max_reply`` octets and by ``timeouts``;
    redirects, netrc, proxies of the environment and compressed answers are refused. ``ca_file`` replaces the bundled
    authorities, ``client_cert`` is (certificate file, key file). A ``session`` of yours keeps its own adapters, auth,
    verify and cert where nothing is given here, and is not closed. WSDLs of the package load from the package, any
    other as zeep does. Safe to share between threads: what belongs to a call is in its ``Call``.

    Raises ``LocalError`` for credentials, files or header fields that cannot be used.
    """

    def __init__(
        self,
        *,
        auth: Auth = None,
        timeouts: Timeouts = _TIMEOUTS,
        ca_file: str | None = None,
        client_cert: ClientCert = None,
        headers: Mapping[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        max_reply: int = 1024 * 1024,
        session: requests.Session | None = None,
    ) -> None:
        super().__init__(session=session)  # type: ignore[no-untyped-call]
        self.timeouts = timeouts
        self.max_reply = max_reply
        self.call: Call | None = None
        self._original: SwaTransport | None = None
        if session is None:
            for scheme in ("https://", "http://"):
                self.session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=_POOL))
        readable(ca_file, *cert_files(client_cert))
        known = credentials(auth)
        self.auth: Any = known.for_requests() if known is not None else self.session.auth or AuthorizationHeader(None)
        self.session.trust_env = False  # no netrc, no proxies from the environment
        self.session.headers["User-Agent"] = "mm7zeep"
        self.session.headers.update(header_fields(headers))
        self.session.proxies.update(proxies or {})
        if ca_file is not None:
            self.session.verify = ca_file
        if client_cert is not None:
            self.session.cert = client_cert

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __copy__(self) -> SwaTransport:
        clone = SwaTransport.__new__(type(self))
        clone.__dict__.update(self.__dict__)
        clone._close_session = False  # the session belongs to the original, which is kept alive for it
        clone._original = self
        return clone

    def bound(self, call: Call) -> SwaTransport:
        """The same transport for one call."""
        clone = copy.copy(self)
        clone.call = call
        return clone

    def close(self) -> None:
        """Close the connections, unless the session was given."""
        if self._close_session:
            self.session.close()

    def load(self, url: str) -> bytes:
        """The package's own schemas from the package; anything else as zeep does."""
        return _load(url) or cast("bytes", super().load(url))  # type: ignore[no-untyped-call]

    def post(self, address: str, message: Any, headers: Mapping[str, str]) -> requests.Response:
        """Send a ready body (text or bytes); what zeep's own bindings call for messages without envelope."""
        call = self.call or Call()
        stream = mime.Stream([message.encode() if isinstance(message, str) else bytes(message)])
        return self._exchange(call, address, _Body(stream, call), _unencoded(headers, len(stream)))

    def post_xml(self, address: str, envelope: etree._Element, headers: Mapping[str, str]) -> requests.Response:
        """Send ``envelope`` with the parts of the call; the answer's root part comes back as the body.

        Raises ``TransportError``, ``AuthError``, or ``LocalError`` where parts are attached that no Content element
        names.
        """
        call = self.call or Call()
        sent, body = _compose(call, envelope, headers)
        return self._exchange(call, address, body, sent)

    def _exchange(self, call: Call, address: str, body: _Body, headers: Mapping[str, str]) -> requests.Response:
        endpoint(address)
        try:
            with self.session.post(
                address,
                data=body,
                headers=dict(headers),
                auth=self.auth,
                timeout=(self.timeouts.connect, self.timeouts.read),
                allow_redirects=False,
                stream=True,
                hooks={"response": [*self.session.hooks["response"], _unread]},
            ) as answer:
                intake = self._take(call, answer)
        except _Interrupted as stop:
            raise stop.reason from stop.reason.__cause__
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, LocalError) as error:
            failure = _failure(error, call)
            if failure is error:
                raise
            raise failure from error
        return intake.response()

    def _take(self, call: Call, answer: requests.Response) -> _Intake:
        fields = [(name, value) for name, value in answer.raw.headers.items()]
        intake = _Intake(call, answer.status_code, fields, most=self.max_reply, reply=self.timeouts.reply)
        try:
            while intake.wanted and (chunk := answer.raw.read1(_CHUNK, decode_content=False)):
                intake.take(chunk)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            intake.break_off(error)
        if intake.flaw is not None:
            answer.raw.close()  # what is left of it must not be read
        return intake


def _unread(answer: requests.Response, **_: Any) -> None:
    """Keep requests from reading a redirect's body, whole and decoded, only to say where it would have gone."""
    answer.headers.pop("Location", None)


def _load(url: str) -> bytes | None:
    try:
        return schema.load(url)
    except ValueError:
        return None


class AsyncSwaTransport(zeep.transports.AsyncTransport):
    """``SwaTransport`` over httpx, for ``zeep.AsyncClient``. Needs the extra ``async``. Close it with ``aclose``."""

    _close_session = False  # zeep's destructor asks, also where the constructor raised

    def __init__(
        self,
        *,
        auth: Auth = None,
        timeouts: Timeouts = _TIMEOUTS,
        ca_file: str | None = None,
        client_cert: ClientCert = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        max_reply: int = 1024 * 1024,
    ) -> None:
        import httpx

        known, fields = credentials(auth), header_fields(headers)
        context = tls(ca_file, client_cert)
        client = httpx.AsyncClient(
            verify=context,
            auth=known.for_httpx() if known is not None else None,
            timeout=httpx.Timeout(timeouts.read, connect=timeouts.connect),
            follow_redirects=False,
            trust_env=False,
            proxy=proxy,
        )
        loader = httpx.Client(verify=context, trust_env=False, follow_redirects=False, timeout=timeouts.read)
        super().__init__(client=client, wsdl_client=loader)  # type: ignore[no-untyped-call]
        client.headers.update({"User-Agent": "mm7zeep", **fields})
        self.timeouts = timeouts
        self.max_reply = max_reply
        self.call: Call | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __copy__(self) -> AsyncSwaTransport:
        clone = AsyncSwaTransport.__new__(type(self))
        clone.__dict__.update(self.__dict__)
        return clone

    def bound(self, call: Call) -> AsyncSwaTransport:
        """The same transport for one call."""
        clone = copy.copy(self)
        clone.call = call
        return clone

    async def aclose(self) -> None:
        """Close the connections."""
        self.wsdl_client.close()
        await self.client.aclose()

    def load(self, url: str) -> bytes:
        """The package's own schemas from the package; anything else as zeep does."""
        return _load(url) or cast("bytes", super().load(url))  # type: ignore[no-untyped-call]

    async def post(self, address: str, message: Any, headers: Mapping[str, str]) -> requests.Response:
        """As ``SwaTransport.post``."""
        call = self.call or Call()
        stream = mime.Stream([message.encode() if isinstance(message, str) else bytes(message)])
        return await self._exchange(call, address, _Body(stream, call), _unencoded(headers, len(stream)))

    async def post_xml(self, address: str, envelope: etree._Element, headers: Mapping[str, str]) -> requests.Response:
        """As ``SwaTransport.post_xml``."""
        call = self.call or Call()
        sent, body = _compose(call, envelope, headers)
        return await self._exchange(call, address, body, sent)

    async def _exchange(self, call: Call, address: str, body: _Body, headers: Mapping[str, str]) -> requests.Response:
        import httpx

        endpoint(address)
        try:
            async with self.client.stream("POST", address, content=_AsyncBody(body), headers=dict(headers)) as answer:
                intake = await self._take(call, answer)
        except _Interrupted as stop:
            raise stop.reason from stop.reason.__cause__
        except httpx.InvalidURL as error:
            raise LocalError("the address is no URL that httpx understands") from error
        except (httpx.HTTPError, httpx.StreamError, OSError, LocalError) as error:
            failure = _failure(error, call)
            if failure is error:
                raise
            raise failure from error
        return intake.response()

    async def _take(self, call: Call, answer: Any) -> _Intake:
        import httpx

        fields = [(name, value) for name, value in answer.headers.multi_items()]
        intake = _Intake(call, answer.status_code, fields, most=self.max_reply, reply=self.timeouts.reply)
        pieces = answer.aiter_raw()
        try:
            while intake.wanted and (chunk := await anext(pieces, None)) is not None:
                intake.take(chunk)
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            intake.break_off(error)
        finally:
            await pieces.aclose()
        return intake


# --- the plugin -----------------------------------------------------------------------------------------------------


class ValidationPlugin(zeep.plugins.Plugin):
    """A ``zeep.Plugin``: what goes out is valid by xmlschema or not sent, what comes in is judged and mended.

    ``on_findings`` is called with what was noticed about each answer, its MIME package included where the transport is
    a ``SwaTransport``. Raises ``LocalError`` on the way out and the leaves of ``RemoteError`` on the way in. The
    namespace is that of the operation called.
    """

    def __init__(
        self,
        policy: Policy = "interop",
        *,
        prefix: str | None = "mm7",
        on_findings: Callable[[Sequence[Finding]], None] | None = None,
    ) -> None:
        self.policy: Policy = policy
        self.prefix = prefix
        self.on_findings = on_findings
        self.call: Call | None = None

    def bound(self, call: Call) -> ValidationPlugin:
        """The same plugin for one call."""
        clone = copy.copy(self)
        clone.call = call
        return clone

    def egress(
        self, envelope: etree._Element, http_headers: MutableMapping[str, str], operation: Any, binding_options: Any
    ) -> tuple[etree._Element, MutableMapping[str, str]]:
        """Finish the envelope (mustUnderstand, prefixes), check it whole, then add the message's extensions."""
        base = NAMESPACES.get(_namespace(operation))
        if base is None:
            raise LocalError(f"{_namespace(operation)!r} is no MM7 namespace; load the WSDL with zeep_client()")
        soap.finish(envelope, replace(base, prefix=self.prefix))
        exchange.check(envelope, base.namespace)
        if self.call is not None and self.call.message is not None:
            soap.extend(envelope, self.call.message)
        return envelope, http_headers

    def ingress(
        self, envelope: etree._Element, http_headers: Mapping[str, str], operation: Any
    ) -> tuple[etree._Element, Mapping[str, str]]:
        """Judge the answer and give zeep the mended envelope, in the namespace of the operation."""
        judgement = exchange.judge_tree(envelope, policy=self.policy, request=False)
        outer = getattr(http_headers, "findings", ())
        judgement = _with_outer(judgement, outer)
        if self.call is not None:
            self.call.judgement = judgement
        if self.on_findings is not None:
            self.on_findings(judgement.findings)
        if judgement.error is not None:
            raise judgement.error
        repaired = cast("tolerance.Repaired", judgement.repaired)
        mended, namespace = copy.deepcopy(repaired.envelope), _namespace(operation)
        if repaired.read_as != namespace:
            tolerance.rename(mended, repaired.read_as, namespace)
        return mended, http_headers


def _with_outer(judgement: exchange.Judgement, outer: Sequence[Finding]) -> exchange.Judgement:
    """``judgement`` with what was noticed about the package around the envelope, which a strict reader judges too."""
    findings, error = (*outer, *judgement.findings), judgement.error
    grave = [one for one in outer if one.level == "MUST"]
    if judgement.policy == "strict" and grave and error is None:
        error = SchemaError(f"refused under the strict policy: {grave[0]}", status=4004)
    if error is not None:
        error.findings = findings
    return replace(judgement, findings=findings, error=error)


def _namespace(operation: Any) -> str:
    return str(etree.QName(operation.input.body.qname).namespace)


# --- a zeep client with both ------------------------------------------------------------------------------------------

Role = Literal["mmsc", "vasp"]
_BINDINGS: Mapping[str, str] = {"mmsc": "{urn:mm7zeep:wsdl}MmscBinding", "vasp": "{urn:mm7zeep:wsdl}VaspBinding"}


class Mm7Client(zeep.Client):
    """A real ``zeep.Client`` of one MM7 namespace whose default service is at ``address``."""

    def __init__(self, address: str, *, role: Role, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self.address = address
        self.role = role

    @property
    def service(self) -> Any:
        return self.create_service(_BINDINGS[self.role], self.address)  # type: ignore[no-untyped-call]


class AsyncMm7Client(zeep.AsyncClient):
    """``Mm7Client`` on zeep's AsyncClient."""

    def __init__(self, address: str, *, role: Role, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self.address = address
        self.role = role

    @property
    def service(self) -> Any:
        # zeep's own create_service makes the synchronous proxy
        return zeep.proxy.AsyncServiceProxy(self, self.wsdl.bindings[_BINDINGS[self.role]], address=self.address)


def zeep_client(
    url: str,
    *,
    profile: str | Profile | None = None,
    role: Role = "mmsc",
    transport: SwaTransport | None = None,
    plugin: ValidationPlugin | None = None,
    **transport_options: Any,
) -> Mm7Client:
    """A ``zeep.Client`` for the MM7 endpoint at ``url``, with our transport and plugin.

    ``role`` is what stands at ``url``: an MMSC (submit, cancel, replace, extendedCancel, extendedReplace) or a VASP
    (deliver, deliveryReport, readReply). ``transport_options`` are those of ``SwaTransport``. Raises ``ValueError`` for
    an unknown profile and ``LocalError`` for an unusable ``url``.
    """
    chosen = profiles.profile(profile)
    return Mm7Client(
        endpoint(url),
        role=role,
        wsdl=schema.wsdl(chosen.namespace),
        transport=transport or SwaTransport(**transport_options),
        plugins=[plugin or ValidationPlugin(chosen.policy, prefix=chosen.prefix)],
        settings=zeep.Settings(strict=False, forbid_dtd=True, forbid_external=True),
    )


def attach(client: T_Client, parts: Sequence[Part], *, profile: Profile | None = None) -> T_Client:
    """A copy of ``client`` whose next call carries ``parts``; the call's ``Content(href="cid:...")`` names them.

    For a ``zeep.Client`` whose transport is a ``SwaTransport``. Raises ``LocalError`` otherwise.
    """
    if not isinstance(client.transport, SwaTransport | AsyncSwaTransport):
        raise LocalError("the client's transport is no SwaTransport; make the client with transport=SwaTransport()")
    return bind(client, Call(parts=tuple(parts), profile=profile))


T_Client = TypeVar("T_Client", bound=zeep.Client)


def bind(client: T_Client, call: Call) -> T_Client:
    """A copy of ``client`` for one call: its own transport and plugins, the same session and schema."""
    clone = copy.copy(client)
    clone._default_service = None
    clone.transport = client.transport.bound(call)
    clone.plugins = [one.bound(call) if isinstance(one, ValidationPlugin) else one for one in client.plugins]
    return clone
