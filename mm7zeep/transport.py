"""The network edge of a sender: a ``zeep.Transport`` that carries parts, and a ``zeep.Plugin`` that validates both ways.

Both work alone with any ``zeep.Client`` (``attach`` gives a call its parts). Refuses redirects, netrc, compressed or oversized
answers and slow ones; sends nothing twice. Only errors of ``mm7zeep.errors`` leave it.
"""

from __future__ import annotations

import copy
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar, cast
from urllib.parse import unquote

import requests
import requests.auth
import urllib3.exceptions
import zeep
import zeep.plugins
import zeep.proxy
import zeep.transports
from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import exchange, mime, profiles, schema, tolerance
from mm7zeep.errors import AuthError, LocalError, RemoteError, TransportError
from mm7zeep.findings import Finding
from mm7zeep.messages import Message, Part
from mm7zeep.profiles import NAMESPACES, Policy, Profile

_KEPT = 20_000  # octets of an unusable answer that an error repeats
_CHUNK = 65536

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds: ``connect`` to open a connection, ``read`` without a byte arriving or leaving, ``reply`` for the whole answer."""

    connect: float = 10.0
    read: float = 30.0
    reply: float = 60.0


# --- who we are: credentials ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Basic:
    """RFC 7617, in UTF-8, never wrapped. Raises ``LocalError`` for a colon in the name or control characters."""

    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if ":" in self.user:
            raise LocalError("a Basic user name holds no colon (RFC 7617 2)")
        if any(c < " " or c == "\x7f" for c in self.user + self.password):
            raise LocalError("credentials hold no control characters (RFC 7617 2)")

    def for_requests(self) -> requests.auth.AuthBase:
        return requests.auth.HTTPBasicAuth(self.user.encode(), self.password.encode())

    def for_httpx(self) -> Any:
        import httpx

        return httpx.BasicAuth(self.user.encode(), self.password.encode())


@dataclass(frozen=True, slots=True)
class Digest(Basic):
    """RFC 7616, as China Mobile style MMSCs ask for. The request is sent twice where the server has not challenged yet."""

    def for_requests(self) -> requests.auth.AuthBase:
        return requests.auth.HTTPDigestAuth(self.user, self.password)

    def for_httpx(self) -> Any:
        import httpx

        return httpx.DigestAuth(self.user, self.password)


@dataclass(frozen=True, slots=True)
class Bearer:
    """RFC 6750: an API key in the Authorization header."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.token.isascii() or any(c <= " " or c == "\x7f" for c in self.token):
            raise LocalError("a bearer token holds no blanks, control or non-ASCII characters (RFC 6750 2.1)")

    def for_requests(self) -> requests.auth.AuthBase:
        return _Header(f"Bearer {self.token}")

    def for_httpx(self) -> Any:
        token = self.token

        def authorize(request: Any) -> Any:
            request.headers["Authorization"] = f"Bearer {token}"
            return request

        return authorize


class _Header(requests.auth.AuthBase):
    """Sets Authorization to a value, or leaves it out; given always, so that requests never looks into netrc."""

    def __init__(self, value: str | None) -> None:
        self.value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.value is not None:
            request.headers["Authorization"] = self.value
        return request


Auth = Basic | Digest | Bearer | tuple[str, str] | None


def credentials(auth: Auth) -> Basic | Digest | Bearer | None:
    """``(user, password)`` as ``Basic``; the others as they are."""
    return Basic(*auth) if isinstance(auth, tuple) else auth


# --- one call -----------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Call:
    """What belongs to one request and its answer; made for it, and gone with it."""

    content: exchange.Content | None = None
    parts: Sequence[Part] = ()
    message: Message | None = None
    profile: Profile | None = None
    progress: Progress | None = None
    sent: int = 0
    http_status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    package: mime.Package | None = None
    findings: list[Finding] = field(default_factory=list)
    judgement: exchange.Judgement | None = None


class _Body:
    """The request body as requests and httpx read it: length known, counted as it leaves, ready to start over."""

    def __init__(self, stream: mime.Stream, call: Call) -> None:
        self.stream = stream
        self.call = call

    def __len__(self) -> int:
        return len(self.stream)

    def __iter__(self) -> Iterator[bytes]:
        self.call.sent = 0
        for chunk in self.stream:
            self.call.sent += len(chunk)
            yield chunk
            if self.call.progress is not None:
                self.call.progress(self.call.sent, len(self.stream))

    def tell(self) -> int:
        return 0  # requests remembers it to rewind after a Digest challenge; iterating always starts over

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0


class _AsyncBody:
    """``_Body`` for httpx, which takes anything with ``__iter__`` for a synchronous body; may be iterated again (Digest)."""

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
        raise LocalError("parts are attached, but the message has no Content element with href=\"cid:...\"; add one to the call")
    return exchange.compose(call.parts, call.profile or profiles.GENERIC_6_8_0, content_id=unquote(href[4:]))


def _compose(call: Call, envelope: etree._Element, headers: Mapping[str, str]) -> tuple[dict[str, str], _Body]:
    mime_headers, stream = exchange.enclose(soap.serialize(envelope), _content_of(call, envelope))
    sent = {**{k: v for k, v in headers.items() if k.lower() != "content-type"}, **dict(mime_headers)}
    # Asking for no encoding, so that no answer can be a gzip bomb.
    return {**sent, "Accept-Encoding": "identity", "Content-Length": str(len(stream))}, _Body(stream, call)


def _accept(call: Call, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> requests.Response:
    """Turn an HTTP answer into what zeep reads: the root part alone, as UTF-8. Raises for what is no MM7 answer."""
    call.http_status, call.headers = status, tuple(headers)
    named = {name.lower(): value for name, value in call.headers}
    if status in (401, 403):
        raise AuthError(
            f"the server answered {status}: check user name, password, VASPID and the address you call from",
            http_status=status,
            challenge=named.get("www-authenticate"),
            body=body[:_KEPT],
        )
    if 300 <= status < 400:
        raise TransportError(
            f"the server answered {status}, a redirect to {named.get('location', 'nowhere')!r}; it is not followed. "
            "Give the final URL",
            maybe_accepted=False,
            http_status=status,
            body=body[:_KEPT],
        )
    if not body.strip():
        raise TransportError(f"the server answered {status} without a body", maybe_accepted=_unclear(status), http_status=status)
    try:
        call.package = mime.read(call.headers, body, mime.Limits())
        root, findings = exchange.open_root(call.package)
    except RemoteError as error:
        call.findings += error.findings
        raise TransportError(
            f"the server answered {status} with what is no MM7 answer: {error}",
            maybe_accepted=_unclear(status),
            http_status=status,
            body=body[:_KEPT],
            findings=error.findings,
        ) from error
    call.findings += findings
    return _response(status, etree.tostring(root))


def _unclear(status: int) -> bool:
    """Whether a request answered so, without MM7 status, may have been taken: not where HTTP itself refuses it."""
    return not (400 <= status < 500 or status in (501, 503, 505))


def _response(status: int, content: bytes) -> requests.Response:
    response = requests.Response()
    response._content = content
    response.status_code = status
    response.headers["Content-Type"] = 'text/xml; charset="utf-8"'
    response.encoding = "utf-8"
    return response


# --- the transports -----------------------------------------------------------------------------------------------------------


class SwaTransport(zeep.transports.Transport):
    """A ``zeep.Transport`` that sends SOAP with Attachments through requests.

    The body is streamed with its length known; answers are bounded to ``max_reply`` octets and by ``timeouts``; redirects, netrc and
    compressed answers are refused. ``ca_file`` replaces the bundled authorities, ``client_cert`` is (certificate file, key file).
    WSDLs of the package load from the package, any other as zeep does. Safe to share between threads: what belongs to a call is
    in its ``Call``.
    """

    def __init__(
        self,
        *,
        auth: Auth = None,
        timeouts: Timeouts = Timeouts(),
        ca_file: str | None = None,
        client_cert: tuple[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        max_reply: int = 1024 * 1024,
        session: requests.Session | None = None,
    ) -> None:
        super().__init__(session=session)
        self.timeouts = timeouts
        self.max_reply = max_reply
        self.call: Call | None = None
        known = credentials(auth)
        self.auth = known.for_requests() if known is not None else _Header(None)
        self.session.trust_env = False  # no netrc, no proxies from the environment
        self.session.headers["User-Agent"] = "mm7zeep"
        self.session.headers.update(headers or {})
        self.session.proxies.update(proxies or {})
        self._verify: str | bool = ca_file or True
        self._cert = client_cert

    def __repr__(self) -> str:
        return "<SwaTransport>"

    def __copy__(self) -> SwaTransport:
        clone = SwaTransport.__new__(SwaTransport)
        clone.__dict__.update(self.__dict__)
        clone._close_session = False  # the session belongs to the original
        return clone

    def bound(self, call: Call) -> SwaTransport:
        """The same transport for one call."""
        clone = copy.copy(self)
        clone.call = call
        return clone

    def close(self) -> None:
        self.session.close()

    def load(self, url: str) -> bytes:
        """The package's own schemas from the package; anything else as zeep does."""
        return _load(url) or cast("bytes", super().load(url))

    def post(self, address: str, message: Any, headers: Mapping[str, str]) -> requests.Response:
        """Send a ready body; what zeep's own bindings call for messages without envelope."""
        return self._exchange(self.call or Call(), address, message, headers)

    def post_xml(self, address: str, envelope: etree._Element, headers: Mapping[str, str]) -> requests.Response:
        """Send ``envelope`` with the parts of the call; the answer's root part comes back as the body.

        Raises ``TransportError``, ``AuthError``, or ``LocalError`` where parts are attached that no Content element names.
        """
        call = self.call or Call()
        sent, body = _compose(call, envelope, headers)
        return self._exchange(call, address, body, sent)

    def _exchange(self, call: Call, address: str, body: Any, headers: Mapping[str, str]) -> requests.Response:
        started = time.monotonic()
        try:
            with self.session.post(
                address,
                data=body,
                headers=dict(headers),
                auth=self.auth,
                timeout=(self.timeouts.connect, self.timeouts.read),
                allow_redirects=False,
                stream=True,
                verify=self._verify,
                cert=self._cert,
            ) as answer:
                content = self._read(answer, started)
                fields = [(name, value) for name, value in answer.headers.items()]
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _failure(error, call) from error
        return _accept(call, answer.status_code, fields, content)

    def _read(self, answer: requests.Response, started: float) -> bytes:
        encoding = answer.headers.get("Content-Encoding", "identity")
        if encoding.lower() not in ("identity", ""):
            raise TransportError(
                f"the answer is {encoding}-encoded although none was asked for", maybe_accepted=True, http_status=answer.status_code
            )
        content = bytearray()
        while chunk := answer.raw.read(_CHUNK, decode_content=False):
            content += chunk
            if len(content) > self.max_reply:
                raise TransportError(
                    f"the answer is larger than {self.max_reply} octets", maybe_accepted=True,
                    http_status=answer.status_code, body=bytes(content[:_KEPT]),
                )  # fmt: skip
            if time.monotonic() - started > self.timeouts.reply + self.timeouts.read:
                raise TransportError("the answer came too slowly", maybe_accepted=True, http_status=answer.status_code)
        return bytes(content)


def _load(url: str) -> bytes | None:
    try:
        return schema.load(url)
    except ValueError:
        return None


def _failure(error: Exception, call: Call) -> TransportError:
    text = _without_url(error)
    if call.sent:
        return TransportError(
            f"no answer after {call.sent} octets had gone out ({text}); the message may have been accepted", maybe_accepted=True
        )
    return TransportError(f"the request could not be sent: {text}", maybe_accepted=False)


def _without_url(error: Exception) -> str:
    """The kind of failure in words; the URL may hold credentials, so the library's own text is not repeated."""
    names: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(names) < 4:
        name = type(seen).__name__
        if name not in names:
            names.append(name)
        reason = getattr(seen, "reason", None)
        seen = reason if isinstance(reason, BaseException) else seen.__cause__ or seen.__context__
    return ", ".join(names)


class AsyncSwaTransport(zeep.transports.AsyncTransport):
    """``SwaTransport`` over httpx, for ``zeep.AsyncClient``. Needs the extra ``async``. Close it with ``aclose``."""

    def __init__(
        self,
        *,
        auth: Auth = None,
        timeouts: Timeouts = Timeouts(),
        ca_file: str | None = None,
        client_cert: tuple[str, str] | str | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        max_reply: int = 1024 * 1024,
    ) -> None:
        import ssl

        import httpx

        context = ssl.create_default_context(cafile=ca_file)
        if ca_file is None:
            import certifi

            context.load_verify_locations(certifi.where())
        if client_cert is not None:
            context.load_cert_chain(*((client_cert,) if isinstance(client_cert, str) else client_cert))
        known = credentials(auth)
        client = httpx.AsyncClient(
            verify=context,
            auth=known.for_httpx() if known is not None else None,
            timeout=httpx.Timeout(timeouts.read, connect=timeouts.connect),
            follow_redirects=False,
            trust_env=False,
            proxy=proxy,
        )
        super().__init__(client=client, wsdl_client=httpx.Client(trust_env=False, follow_redirects=False))
        client.headers.update({"User-Agent": "mm7zeep", **(headers or {})})
        self.timeouts = timeouts
        self.max_reply = max_reply
        self.call: Call | None = None

    def __repr__(self) -> str:
        return "<AsyncSwaTransport>"

    def __copy__(self) -> AsyncSwaTransport:
        clone = AsyncSwaTransport.__new__(AsyncSwaTransport)
        clone.__dict__.update(self.__dict__)
        return clone

    def bound(self, call: Call) -> AsyncSwaTransport:
        """The same transport for one call."""
        clone = copy.copy(self)
        clone.call = call
        return clone

    async def aclose(self) -> None:
        self.wsdl_client.close()
        await self.client.aclose()

    def load(self, url: str) -> bytes:
        """The package's own schemas from the package; anything else as zeep does."""
        return _load(url) or cast("bytes", super().load(url))

    async def post_xml(self, address: str, envelope: etree._Element, headers: Mapping[str, str]) -> requests.Response:
        """As ``SwaTransport.post_xml``."""
        import httpx

        call = self.call or Call()
        sent, body = _compose(call, envelope, headers)
        started = time.monotonic()
        try:
            async with self.client.stream("POST", address, content=_AsyncBody(body), headers=sent) as answer:
                content = await self._read(answer, started)
                fields = [(name, value) for name, value in answer.headers.multi_items()]
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError) as error:
            raise _failure(error, call) from error
        return _accept(call, answer.status_code, fields, content)

    async def _read(self, answer: Any, started: float) -> bytes:
        encoding = answer.headers.get("content-encoding", "identity")
        if encoding.lower() not in ("identity", ""):
            raise TransportError(f"the answer is {encoding}-encoded although none was asked for", maybe_accepted=True)
        content = bytearray()
        async for chunk in answer.aiter_raw(_CHUNK):
            content += chunk
            if len(content) > self.max_reply:
                raise TransportError(f"the answer is larger than {self.max_reply} octets", maybe_accepted=True)
            if time.monotonic() - started > self.timeouts.reply + self.timeouts.read:
                raise TransportError("the answer came too slowly", maybe_accepted=True)
        return bytes(content)


# --- the plugin ---------------------------------------------------------------------------------------------------------------


class ValidationPlugin(zeep.plugins.Plugin):
    """A ``zeep.Plugin``: what goes out is valid by xmlschema or not sent, what comes in is judged and mended by ``policy``.

    ``on_findings`` is called with what was noticed about each answer. Raises ``LocalError`` on the way out and the leaves of
    ``RemoteError`` on the way in. The namespace is that of the operation called.
    """

    def __init__(
        self, policy: Policy = "interop", *, prefix: str | None = "mm7", on_findings: Callable[[Sequence[Finding]], None] | None = None
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


def _namespace(operation: Any) -> str:
    return str(etree.QName(operation.input.body.qname).namespace)


# --- a zeep client with both --------------------------------------------------------------------------------------------------

Role = Literal["mmsc", "vasp"]
_BINDINGS: Mapping[str, str] = {"mmsc": "{urn:mm7zeep:wsdl}MmscBinding", "vasp": "{urn:mm7zeep:wsdl}VaspBinding"}


class Mm7Client(zeep.Client):
    """A real ``zeep.Client`` of one MM7 namespace whose default service is at ``address``."""

    def __init__(self, address: str, *, role: Role, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.address = address
        self.role = role

    @property
    def service(self) -> Any:
        return self.create_service(_BINDINGS[self.role], self.address)


class AsyncMm7Client(zeep.AsyncClient):
    """``Mm7Client`` on zeep's AsyncClient."""

    def __init__(self, address: str, *, role: Role, **kwargs: Any) -> None:
        super().__init__(**kwargs)
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

    ``role`` is what stands at ``url``: an MMSC (submit, cancel, replace, extendedCancel, extendedReplace) or a VASP (deliver,
    deliveryReport, readReply). ``transport_options`` are those of ``SwaTransport``. Raises ``ValueError`` for an unknown profile.
    """
    chosen = profiles.profile(profile)
    return Mm7Client(
        url,
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
