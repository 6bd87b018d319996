"""The listening side: a request in, its handler called, the answer out; sans-I/O, with thin ASGI and WSGI faces.

``Endpoint`` is what both roles share (head, authentication, limits, faults), ``Receiver`` is the VASP's, with
decorators. Refuses by HTTP what is no MM7 request at all, by SOAP Fault what cannot be read; opens no socket, logs no
body, credential or number.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import inspect
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar, cast

from lxml import etree

from mm7zeep import envelope, exchange, mime, profiles, schema
from mm7zeep.errors import EnvelopeError, FaultCode, RemoteError, StatusError
from mm7zeep.exchange import Dialect, Headers, Judgement, Received, Wire
from mm7zeep.findings import finding
from mm7zeep.messages import (
    DeliverReq,
    DeliveryReportReq,
    ExtendedReplaceRsp,
    Fault,
    Message,
    ReadReplyReq,
    Response,
    RSErrorRsp,
    SubmitReq,
    SubmitRsp,
    VASPErrorRsp,
)
from mm7zeep.profiles import Policy, Profile
from mm7zeep.status import Status

Reply = Wire
"""What ``answer`` gives: a ``Wire`` with a ``status``."""

_LOG = logging.getLogger("mm7zeep.receiver")
_CHUNK = 65536  # octets read at a time from a WSGI input
_CREDENTIALS = 8192  # characters of an Authorization field that are looked at
_UNKNOWN_TRANSACTION = "0"  # TS 23.140 8.7.6: a Fault names the TransactionID; this one says that none could be read
_PRIVATE = frozenset({"authorization", "proxy-authorization", "cookie"})  # fields that no handler, log or repr needs


# --- who may come in --------------------------------------------------------------------------------------------------


class BasicAuth:
    """Names and passwords, kept as keyed digests (RFC 7617).

    Every attempt costs one look-up and one comparison of two digests in constant time, whoever asks and whether or not
    the credentials can be read. Raises ``ValueError`` for a name with a colon.
    """

    def __init__(
        self, users: Mapping[str, str], *, compare: Callable[[bytes, bytes], bool] = hmac.compare_digest
    ) -> None:
        if any(":" in name for name in users):
            raise ValueError("a user name cannot hold a colon (RFC 7617 2)")
        self._key = secrets.token_bytes(32)
        self._nobody = secrets.token_bytes(32)
        self._compare = compare
        self._table = {
            self._digest(b"name", name.encode()): (name, self._digest(b"word", password.encode()))
            for name, password in users.items()
        }

    def _digest(self, kind: bytes, value: bytes) -> bytes:
        return hmac.digest(self._key, kind + value, "sha256")

    def user(self, authorization: str | None) -> str | None:
        """The name that the Authorization field proves, or None."""
        given = _credentials(authorization)
        name, password = given or (b"", b"")
        known, expected = self._table.get(self._digest(b"name", name), (None, self._nobody))
        same = self._compare(expected, self._digest(b"word", password))
        return known if same and given is not None else None


def _credentials(authorization: str | None) -> tuple[bytes, bytes] | None:
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() != "basic" or len(token) > _CREDENTIALS:
        return None
    try:
        name, colon, password = base64.b64decode(token.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):  # ValueError: characters outside ASCII
        return None
    return (name, password) if colon else None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What a request may cost before it is MM7 at all.

    ``header_bytes`` and ``header_fields`` of the head; in seconds, ``idle`` between two pieces of a body and ``upload``
    for all of it; ``rate`` octets per second that it must keep on average once ``idle`` seconds are over. The times are
    kept by the ASGI face.
    """

    header_bytes: int = 16 * 1024
    header_fields: int = 64
    idle: float = 15.0
    upload: float = 60.0
    rate: int = 1024


class Refusal(Exception):
    """A refusal by HTTP alone, where no MM7 answer is possible or wanted."""

    def __init__(self, status: int, text: str, *headers: tuple[str, str]) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers

    def wire(self) -> Wire:
        """The answer that says so."""
        head = (("Content-Type", "text/plain; charset=utf-8"), *self.headers)
        return Wire(status=self.status, headers=head, body=f"{self}\n".encode())


class _Gone(Exception):
    """The sender hung up: nobody is left to answer."""


# --- one request ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as an ``Endpoint`` hands it to a handler; ``user`` is who authenticated."""

    message: Message
    received: Received
    user: str | None = None


Handler = Callable[[Call], object]
"""Takes a ``Call``; gives (or awaits) the operation's answer, a ``Status``, or a MessageID; None is success."""

Pull = Callable[[], Awaitable[bytes | None]]
"""Gives the next octets of the body, None at its end."""

T = TypeVar("T")


class _Mode(NamedTuple):
    """How a face waits: ``run`` calls a function that may block, ``wait`` gives what an awaitable gives."""

    run: Callable[..., Awaitable[Any]]
    wait: Callable[[Awaitable[Any]], Awaitable[Any]]


@dataclass(slots=True)
class _Turn:
    """What is known so far of the request being answered."""

    user: str | None = None
    whole: bool = False  # its body was read to the end
    transaction_id: str | None = None
    reply_to: Received | None = None
    operation: envelope.Operation | None = None
    handed_over: bool = False  # to the handler: from here on nothing is the sender's fault
    names: list[str] = field(default_factory=list)  # of findings, for the log


class Endpoint:
    """Answers MM7 requests, as the MMS Relay/Server (``error=RSErrorRsp``) or as the VASP (``error=VASPErrorRsp``).

    ``handlers`` are by class of the request. ``auth`` None lets everybody in. ``faults`` tells whether a handler's
    ``StatusError``, for this user, is answered by a SOAP Fault instead of the matching answer. ``profile`` is what a
    fault is written in when the request does not show its namespace.
    """

    def __init__(
        self,
        handlers: Mapping[type[Message], Handler],
        *,
        error: type[RSErrorRsp] | type[VASPErrorRsp],
        auth: Mapping[str, str] | BasicAuth | None = None,
        profile: str | Profile | None = None,
        policy: Policy = "interop",
        limits: mime.Limits | None = None,
        http: HttpLimits = HttpLimits(),
        realm: str = "mm7",
        faults: Callable[[str | None], bool] = lambda user: False,
    ) -> None:
        if not realm.isprintable() or not realm.isascii() or set(realm) & {'"', "\\"}:
            raise ValueError(f"the realm {realm!r} needs printable ASCII without quotes or backslashes")
        self.handlers = handlers
        self.error = error
        self.auth = auth if auth is None or isinstance(auth, BasicAuth) else BasicAuth(auth)
        self.profile = profiles.profile(profile)
        self.policy: Policy = policy
        self.limits = limits or mime.Limits()
        self.http = http
        self.realm = realm
        self.faults = faults
        self.asgi = AsgiFace(self)
        self.wsgi = WsgiFace(self)

    def answer(self, wire: Wire) -> Reply:
        """Answer one request. Never raises for what it holds.

        The handler runs in this thread, an asynchronous one in an event loop of its own; inside a running loop, await
        ``answer_async``.
        """
        return _drive(self.serve(wire, _puller(wire.chunks()), _BLOCKING))

    async def answer_async(self, wire: Wire) -> Reply:
        """``answer`` for a running asyncio loop: a handler that blocks runs in a thread."""
        return await self.serve(wire, _puller(wire.chunks()), _ASYNCIO)

    async def serve(self, head: Wire, pull: Pull, mode: _Mode) -> Wire:
        """The pipeline: head, body, reading, handler, answer. The one place where an exception becomes an answer."""
        turn = _Turn()
        try:
            turn.user = self._admit(head)
            package = await self._take(head, pull, turn)
            result = await mode.run(self._hand_over, head, package, turn)
            if inspect.isawaitable(result):
                result = await mode.wait(result)
            answer: Wire = await mode.run(self._write, _response(result, turn), turn)
        except _Gone:
            raise
        except Exception as error:  # noqa: BLE001  every one is answered, and the unexpected ones are logged
            answer = await mode.run(self._refuse, error, turn)
        close = () if turn.whole else (("Connection", "close"),)  # what is left of the body is not read
        return replace(answer, headers=(*answer.headers, *close))

    # --- in -----------------------------------------------------------------------------------------------------------

    def _admit(self, head: Wire) -> str | None:
        """Who asks, judged by the head alone. Raises ``Refusal``."""
        if head.method not in (None, "POST"):
            raise Refusal(405, "MM7 requests are POST", ("Allow", "POST"))
        user = None
        if self.auth is not None:
            given = [value for name, value in head.headers if name.lower() == "authorization"]
            user = self.auth.user(given[0] if len(given) == 1 else None)
            if user is None:
                challenge = f'Basic realm="{self.realm}", charset="UTF-8"'
                raise Refusal(401, "name and password, please", ("WWW-Authenticate", challenge))
        size = sum(len(name) + len(value) + 4 for name, value in head.headers)  # RFC 9112 5: ": " and CRLF
        if len(head.headers) > self.http.header_fields or size > self.http.header_bytes:
            raise Refusal(431, "the head is too large")
        coding = (head.header("Content-Encoding") or "identity").strip().lower()
        if coding not in ("identity", ""):
            raise Refusal(415, "send the body without Content-Encoding", ("Accept-Encoding", "identity"))
        length = (head.header("Content-Length") or "0").strip()
        if not (length.isascii() and length.isdigit()):
            raise Refusal(400, "Content-Length is no number")
        if len(length) > 18 or int(length) > self.limits.body:
            raise self._too_large()
        return user

    def _too_large(self) -> Refusal:
        return Refusal(413, f"the body may have {self.limits.body} octets")

    async def _take(self, head: Wire, pull: Pull, turn: _Turn) -> mime.Package:
        """The package, read as it comes. Raises ``Refusal`` over the limit, ``RemoteError`` for what is no package."""
        reader = mime.Reader(head.headers, self.limits)
        total, failed = 0, None
        while (chunk := await pull()) is not None:
            total += len(chunk)
            if total > self.limits.body:
                raise self._too_large()
            try:
                if failed is None:
                    reader.feed(chunk)
            except RemoteError as error:
                failed = error  # the rest is read all the same: who is still sending would not hear the answer
        turn.whole = True
        if failed is not None:
            raise failed
        return reader.finish()

    def _hand_over(self, head: Wire, package: mime.Package, turn: _Turn) -> object:
        """What the handler for this package gives. Raises ``RemoteError`` for what cannot be read or is not served."""
        headers = tuple((name, value) for name, value in head.headers if name.lower() not in _PRIVATE)
        wire = replace(head, headers=headers, body=b"")
        judgement = exchange.examine(wire, policy=self.policy, limits=self.limits, package=package)
        turn.transaction_id = judgement.sketch.transaction_id
        turn.reply_to = _addressee(judgement)
        turn.names = [one.id for one in judgement.findings]
        if judgement.error is not None:
            raise judgement.error
        received = exchange.receive(judgement, headers)
        turn.reply_to = received
        handler, routed = self.route(received)
        turn.operation = envelope.operation_of(type(received.message))
        turn.handed_over = True
        return handler(Call(message=routed.message, received=routed, user=turn.user))

    def route(self, received: Received) -> tuple[Handler, Received]:
        """The handler for a message, and the message as it takes it. Raises ``EnvelopeError`` (4003) without one."""
        handler = self.handlers.get(type(received.message))
        if handler is None:
            raise EnvelopeError(f"{received.operation} is not served here", received.findings, status=4003)
        return handler, received

    # --- out ----------------------------------------------------------------------------------------------------------

    def _refuse(self, error: Exception, turn: _Turn) -> Wire:
        """The answer that an exception stands for."""
        if isinstance(error, Refusal):
            return error.wire()
        if isinstance(error, RemoteError) and not turn.handed_over:
            found = turn.names or [one.id for one in error.findings]
            _LOG.info("refused with %d, %s: %s", error.status, type(error).__name__, ", ".join(found) or "no finding")
            details = _printable(str(error))[:500]
            return self._write(self._fault(Status(error.status, details=details), error.fault), turn)
        # a StatusError with an answer is a client's: somebody else refused something else
        if isinstance(error, StatusError) and error.answer is None and turn.operation is not None:
            if self.faults(turn.user) and not error.status.ok:
                return self._write(self._fault(error.status), turn)
            return self._write(_response(error.status, turn), turn)
        what = turn.operation.request.__name__ if turn.operation is not None else "a request"
        _LOG.error("answering %s failed", what, exc_info=error)
        return self._write(self._fault(Status(3000)), turn)

    def _fault(self, status: Status, code: FaultCode | None = None) -> Fault:
        mild = status.status_class == "client"
        code = code or ("Client" if mild else "Server")
        text = _FAULT_TEXTS[code]
        return Fault(fault_code=code, fault_string=text, error=self.error(status=status))

    def _write(self, message: Message, turn: _Turn) -> Wire:
        """``message`` as the answer of this turn; where it has no form there, a fault; at last one in generic-6.8.0."""
        known = turn.transaction_id or _UNKNOWN_TRANSACTION
        failed = self._fault(Status(3000))
        default = None if turn.reply_to is not None else self._default()
        tries: tuple[tuple[Message, Received | None, Profile | None, str], ...] = (
            (message, turn.reply_to, default, known),
            (failed, turn.reply_to, default, known),
            (failed, None, profiles.GENERIC_6_8_0, known),
            (failed, None, profiles.GENERIC_6_8_0, _UNKNOWN_TRANSACTION),
        )
        for wanted, reply_to, profile, transaction_id in tries:
            try:
                return exchange.pack(wanted, (), reply_to=reply_to, profile=profile, transaction_id=transaction_id)
            except Exception as error:  # noqa: BLE001  logged; the next form is tried
                _LOG.error("%s cannot be written: %s", type(wanted).__name__, _reason(error))
        return Refusal(500, "no answer could be written").wire()

    def _default(self) -> Profile:
        """What to write in where the request does not show its namespace."""
        one = self.profile
        return profiles.profile(one.report_schema) if one.report_schema and self.error is VASPErrorRsp else one


_FAULT_TEXTS: Mapping[FaultCode, str] = {
    "Client": "Client error",
    "Server": "Server error",
    "MustUnderstand": "A mandatory header is not understood",
    "VersionMismatch": "Not a SOAP 1.1 envelope",
}


def _response(result: object, turn: _Turn) -> Response:
    """The answer that a handler's result stands for. Raises ``TypeError`` for a result without a meaning."""
    if turn.operation is None:
        raise TypeError("there is no operation to answer")
    kind = turn.operation.response
    if isinstance(result, kind):
        answer: Response = result
    elif result is None:
        answer = kind()
    elif isinstance(result, Status):
        answer = kind(status=result)
    elif isinstance(result, str) and issubclass(kind, SubmitRsp):
        answer = kind(message_id=result)
    else:
        raise TypeError(f"a handler gave {type(result).__name__}; give {kind.__name__}, a Status or nothing")
    if isinstance(answer, SubmitRsp) and answer.status.ok and not answer.message_id:
        return replace(answer, message_id=exchange.new_transaction_id())  # TS 23.140 8.7.1: success names the message
    if isinstance(answer, ExtendedReplaceRsp) and not answer.message_id:
        asked = getattr(turn.reply_to.message, "replace_id", None) if turn.reply_to is not None else None
        return replace(answer, message_id=asked or "0")  # XSD: mandatory even where nothing was replaced
    return answer


def _addressee(judgement: Judgement) -> Received | None:
    """As much of a request as an answer in its own namespaces and version needs; None if its namespace is not known."""
    tree, sketch = judgement.tree, judgement.sketch
    base = profiles.NAMESPACES.get((sketch.namespace or "").replace("https:", "http:", 1))
    if tree is None or base is None:
        return None
    outer = etree.QName(tree).namespace or ""
    alias = outer.replace("https:", "http:", 1) == profiles.SOAP_NAMESPACE
    body = next((one for one in tree if schema.local(one) == "Body"), None)
    child = next(iter(body), None) if body is not None else None
    dialect = Dialect(
        namespace=sketch.namespace,
        soap_namespace=outer if alias else profiles.SOAP_NAMESPACE,
        mm7_version=sketch.mm7_version,
        prefix=child.prefix if child is not None else None,
    )
    refused = Received(
        message=Message(),
        transaction_id=sketch.transaction_id,
        namespace=sketch.namespace,
        mm7_version=sketch.mm7_version,
        profile=base,
        dialect=dialect,
    )
    return refused


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)


def _reason(error: Exception) -> str:
    """What went wrong, without values that were sent."""
    found = getattr(error, "findings", ())
    return (
        ", ".join(f"{one.id} at {one.where}" for one in found)
        or f"{type(error).__name__}: {_printable(str(error))[:300]}"
    )


# --- the VASP ---------------------------------------------------------------------------------------------------------

H = TypeVar("H", bound=Callable[..., object])


class Receiver(Endpoint):
    """The VASP's listening side: MO messages, delivery reports and read replies come to the functions registered here.

    A function takes the message, and as a second parameter (without default, or named ``received``) the ``Received``
    around it. It may be asynchronous. Giving nothing answers 1000; ``StatusError(2002, "...")`` answers with that
    status; any other exception is logged and answered by a Fault with 3000. ``auth`` maps names to passwords (None:
    nobody is asked). With a ``profile`` that has ``submit_as_deliver``, an MO that arrives as SubmitReq goes to the
    ``on_deliver`` function unless ``on_submit`` has one.

    ``answer(wire)`` serves any framework; ``asgi`` and ``wsgi`` are whole applications. Registration ends before
    serving begins.
    """

    def __init__(
        self,
        auth: Mapping[str, str] | BasicAuth | None = None,
        *,
        profile: str | Profile | None = None,
        policy: Policy = "interop",
        limits: mime.Limits | None = None,
        http: HttpLimits = HttpLimits(),
        realm: str = "mm7",
    ) -> None:
        self._registered: dict[type[Message], Handler] = {}
        super().__init__(
            self._registered,
            error=VASPErrorRsp,
            auth=auth,
            profile=profile,
            policy=policy,
            limits=limits,
            http=http,
            realm=realm,
        )

    def on_deliver(self, function: H) -> H:
        """Register what takes a ``DeliverReq``: a message from a subscriber."""
        return self._register(DeliverReq, function)

    def on_delivery_report(self, function: H) -> H:
        """Register what takes a ``DeliveryReportReq``."""
        return self._register(DeliveryReportReq, function)

    def on_read_reply(self, function: H) -> H:
        """Register what takes a ``ReadReplyReq``."""
        return self._register(ReadReplyReq, function)

    def on_submit(self, function: H) -> H:
        """Register what takes a ``SubmitReq``, as some carriers send an MO; it may give the MessageID."""
        return self._register(SubmitReq, function)

    def _register(self, kind: type[Message], function: H) -> H:
        if kind in self._registered:
            raise ValueError(f"there is a function for {kind.__name__} already")
        self._registered[kind] = _adapted(function)
        return function

    def route(self, received: Received) -> tuple[Handler, Received]:
        message = received.message
        if isinstance(message, SubmitReq) and self.profile.submit_as_deliver and SubmitReq not in self.handlers:
            noted = finding("sem/mo-as-submit", "/Envelope/Body/SubmitReq", action="repaired")
            received = replace(received, message=mo_of(message), findings=(*received.findings, noted))
        return super().route(received)


def mo_of(message: SubmitReq) -> DeliverReq:
    """The DeliverReq that an MO sent as SubmitReq means; what only a SubmitReq has is left out."""
    names = {one.name for one in fields(DeliverReq)} & {one.name for one in fields(SubmitReq)}
    return DeliverReq(sender=message.sender_address, **{name: getattr(message, name) for name in names})


def _adapted(function: Callable[..., object]) -> Handler:
    """``function`` as a ``Handler``: called with the message, and with the ``Received`` if it takes that too."""
    try:
        parameters = tuple(inspect.signature(function).parameters.values())
    except ValueError:  # some builtins tell no signature
        parameters = ()
    if any(one.name == "received" for one in parameters):
        return lambda call: function(call.message, received=call.received)
    places = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    if len(places) > 1 and places[1].default is inspect.Parameter.empty:
        return lambda call: function(call.message, call.received)
    return lambda call: function(call.message)


# --- faces ------------------------------------------------------------------------------------------------------------

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def _puller(chunks: Iterator[bytes]) -> Pull:
    async def pull() -> bytes | None:
        return next(chunks, None)

    return pull


def _drive(running: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits for a loop."""
    try:
        running.send(None)
    except StopIteration as done:
        return cast(T, done.value)
    running.close()
    raise AssertionError("the pipeline waited for an event loop in its blocking mode")


async def _call_here(function: Callable[..., T], *arguments: Any) -> T:
    return function(*arguments)


async def _wait_here(awaitable: Awaitable[T]) -> T:
    async def whole() -> T:
        return await awaitable

    return asyncio.run(whole())


async def _wait(awaitable: Awaitable[T]) -> T:
    return await awaitable


_BLOCKING = _Mode(_call_here, _wait_here)
_ASYNCIO = _Mode(asyncio.to_thread, _wait)


class AsgiFace:
    """An endpoint as an ASGI 3 application on asyncio; what may block runs in a thread."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        head = Wire(method=scope["method"], target=scope["path"], headers=fields, body=b"")
        try:
            answer = await self._endpoint.serve(head, _asgi_puller(receive, self._endpoint.http), _ASYNCIO)
        except _Gone:
            return
        body = answer.read()
        # RFC 9113 8.2.2: HTTP/2 has no Connection field
        shown = _whole_head(answer, body, hop_by_hop=scope.get("http_version", "1.1") in ("1.0", "1.1"))
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in shown]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def _asgi_puller(receive: Receive, limits: HttpLimits) -> Pull:
    """The body as ASGI gives it, within the limits of time. Raises ``Refusal`` (408) beyond them."""
    begun = time.monotonic()
    total, more = 0, True

    async def pull() -> bytes | None:
        nonlocal total, more
        if not more:
            return None
        spent = time.monotonic() - begun
        if spent > limits.idle and total < limits.rate * spent:
            raise Refusal(408, "the body comes too slowly")
        try:
            event = await asyncio.wait_for(receive(), max(0.0, min(limits.idle, limits.upload - spent)))
        except TimeoutError:
            raise Refusal(408, "the body comes too slowly") from None
        if event["type"] == "http.disconnect":
            raise _Gone
        chunk: bytes = event.get("body", b"")
        total, more = total + len(chunk), event.get("more_body", False)
        return chunk

    return pull


class WsgiFace:
    """An endpoint as a WSGI application (PEP 3333)."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        head = Wire(
            method=environ["REQUEST_METHOD"], target=environ.get("PATH_INFO"), headers=_wsgi_fields(environ), body=b""
        )
        answer = _drive(self._endpoint.serve(head, _puller(_wsgi_chunks(environ)), _BLOCKING))
        body = answer.read()
        status = HTTPStatus(answer.status or 500)
        # PEP 3333: an application sends no hop-by-hop field; closing is the server's business
        start_response(f"{status.value} {status.phrase}", list(_whole_head(answer, body, hop_by_hop=False)))
        return [body]


def _wsgi_fields(environ: Mapping[str, Any]) -> Headers:
    plain = [(name, environ[name]) for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)]
    plain += [(name[5:], value) for name, value in environ.items() if name.startswith("HTTP_")]
    return tuple((name.replace("_", "-").title(), value) for name, value in plain)


def _wsgi_chunks(environ: Mapping[str, Any]) -> Iterator[bytes]:
    """The body. Raises ``Refusal`` (400) if it ends before its announced length."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH") or ""
    # without a length the end shows only where the server promises it
    left = int(length) if length else _CHUNK if environ.get("wsgi.input_terminated") else 0
    while left > 0:
        chunk = stream.read(min(_CHUNK, left))
        if not chunk:
            if length:
                raise Refusal(400, "the body is shorter than its Content-Length")
            return
        left -= len(chunk) if length else 0
        yield chunk


def _whole_head(answer: Wire, body: bytes, *, hop_by_hop: bool) -> Headers:
    kept = tuple((name, value) for name, value in answer.headers if hop_by_hop or name != "Connection")
    return (*kept, ("Content-Length", str(len(body))))
