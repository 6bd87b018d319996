"""Who may come in, and with how much: names and passwords, the limits of a request, and the refusal by HTTP.

Judges by the head alone. Refuses, with ``Refusal``, what is no MM7 request of somebody known; keeps no password, and
says nothing of which of name and password was wrong.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, cast, runtime_checkable

from mm7zeep.credentials import Basic
from mm7zeep.errors import LocalError
from mm7zeep.exchange import Wire

_CREDENTIALS = 8192  # characters of an Authorization field that are looked at


class Authenticator(Protocol):
    """Who may come in, judged by the head of a request and the address it comes from.

    ``peer`` is the address of the client's connection, None where there is none. Both methods are called in the event
    loop and have to be quick; only where ``slow`` says that this head needs long work, ``user`` is called in a thread
    of its own.
    """

    def user(self, head: Wire, peer: str | None) -> str | None:
        """The name of who asks; None is answered by 401, the same whatever was wrong."""
        ...

    def slow(self, head: Wire, peer: str | None) -> bool:
        """Whether ``user`` would take longer than a millisecond for these."""
        ...


@runtime_checkable
class QueuedAuthenticator(Authenticator, Protocol):
    """An authenticator that has a queue: ``decide`` is called instead of ``slow`` and ``user``."""

    def decide(self, head: Wire, peer: str | None) -> str | Future[str | None] | None:
        """What ``user`` gives; where that takes long, a future of it for when it is this one's turn, which who no
        longer waits cancels.

        Raises ``Refusal`` (503) where too many wait.
        """
        ...


@runtime_checkable
class ProxyAuthenticator(Authenticator, Protocol):
    """An authenticator that knows proxies: ``origin`` gives the address for which one of them speaks, for the log."""

    def origin(self, head: Wire, peer: str | None) -> str | None:
        """The address that the request comes from; ``peer`` where that is not known."""
        ...


CLIENT = "mm7zeep.client"
"""In ``scope["extensions"]`` of an ASGI request: the ``Client``, where the server has one."""


class Client(Protocol):
    """The connection that a request came on, as a server may show it; called in the event loop."""

    def recognised(self) -> None:
        """Who asks has proven who he is: his connection is not among the first to go where places are short."""
        ...

    def when_lost(self, call: Callable[[], object]) -> None:
        """Have ``call`` called if the connection ends before the request is answered."""
        ...

    def lasting(self) -> None:
        """The answer goes on until the client leaves, which it has done once it sends no more."""
        ...


class Admission(Protocol):
    """Room for one request, held from before its body is read until its answer is written.

    Called in the event loop: quick, and safe where several threads serve (WSGI).
    """

    def __enter__(self) -> object: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def took(self, octets: int) -> None:
        """``octets`` more of the body have arrived. Raises ``Refusal`` (503) where there is no room for them."""
        ...


class BasicAuth:
    """Names and passwords, kept as keyed digests (RFC 7617).

    Every attempt costs one look-up and one comparison of two digests in constant time, whoever asks and whether or not
    the credentials can be read. Raises ``LocalError`` for a name with a colon, and for what is no text.
    """

    def __init__(
        self, users: Mapping[str, str], *, compare: Callable[[bytes, bytes], bool] = hmac.compare_digest
    ) -> None:
        if not all(isinstance(one, str) for pair in users.items() for one in pair):
            raise LocalError("auth maps names to passwords, both str")  # never repeats what was given
        if any(":" in name for name in users):
            raise LocalError("a user name cannot hold a colon (RFC 7617 2)")
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
        given = credentials(authorization)
        name, password = given or (b"", b"")
        known, expected = self._table.get(self._digest(b"name", name), (None, self._nobody))
        same = self._compare(expected, self._digest(b"word", password))
        return known if same and given is not None else None


def credentials(authorization: str | None) -> tuple[bytes, bytes] | None:
    """Name and password of a Basic Authorization field (RFC 7617 2); None for anything else, and over 8 KiB."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() != "basic" or len(token) > _CREDENTIALS:
        return None
    try:
        name, colon, password = base64.b64decode(token.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):  # ValueError: characters outside ASCII
        return None
    return (name, password) if colon else None


def authorization(head: Wire) -> str | None:
    """The Authorization field; None without one, and where several contradict each other."""
    given = [value for name, value in head.headers if name.lower() == "authorization"]
    return given[0] if len(given) == 1 else None


class _BasicAuthenticator:
    """A ``BasicAuth`` as an ``Authenticator``: every address is welcome."""

    def __init__(self, auth: BasicAuth) -> None:
        self._auth = auth

    def user(self, head: Wire, peer: str | None) -> str | None:
        return self._auth.user(authorization(head))

    def slow(self, head: Wire, peer: str | None) -> bool:
        return False


Auth = Mapping[str, str] | tuple[str, str] | Basic | BasicAuth | Authenticator | None
"""Who may come in: {user: password}, or (user, password) as a client gives it; None lets everybody in."""


def authenticator(auth: Auth) -> Authenticator | None:
    """``auth``, in whichever form it was given, as an ``Authenticator``; None lets everybody in.

    Raises ``LocalError`` for anything else: what is none would be found out by the first request only.
    """
    if isinstance(auth, tuple) and len(auth) == 2:
        auth = dict([auth])
    elif type(auth) is Basic:  # a Digest is one, too, and cannot be asked for here
        auth = {auth.user: auth.password}
    if isinstance(auth, Mapping):
        auth = BasicAuth(auth)
    if isinstance(auth, BasicAuth):
        return _BasicAuthenticator(auth)
    if auth is None or (callable(getattr(auth, "user", None)) and callable(getattr(auth, "slow", None))):
        return cast("Authenticator | None", auth)
    raise LocalError(
        "auth is {user: password}, (user, password), Basic, BasicAuth or an Authenticator, "
        f"not {type(auth).__name__}"  # never repeats what was given
    )


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


HTTP_LIMITS = HttpLimits()
"""What applies where nothing else is said."""


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


class Gone(Exception):
    """The sender hung up: nobody is left to answer."""


def well_formed(head: Wire, version: str | None) -> None:
    """Raises ``Refusal`` for what is no POST, or in HTTP ``version`` 1.1 has not the one Host."""
    # RFC 9112 3.2: a request without Host, or with several, is answered 400; HTTP/1.0 had none
    if version == "1.1" and sum(name.lower() == "host" for name, _ in head.headers) != 1:
        raise Refusal(400, "HTTP/1.1 needs exactly one Host field")
    if head.method not in (None, "POST"):
        raise Refusal(405, "MM7 requests are POST", ("Allow", "POST"))


def unknown(realm: str) -> Refusal:
    """The refusal of somebody who proved nothing: one and the same, whatever was wrong."""
    challenge = f'Basic realm="{realm}", charset="UTF-8"'
    return Refusal(401, "authentication required", ("WWW-Authenticate", challenge))


def affordable(head: Wire, http: HttpLimits, body: int) -> None:
    """Raises ``Refusal`` for a head over the limits, or one that announces a coding or more than ``body`` octets."""
    size = sum(len(name) + len(value) + 4 for name, value in head.headers)  # RFC 9112 5: ": " and CRLF
    if len(head.headers) > http.header_fields or size > http.header_bytes:
        raise Refusal(431, "the head is too large")
    coding = (head.header("Content-Encoding") or "identity").strip().lower()
    if coding not in ("identity", ""):
        raise Refusal(415, "send the body without Content-Encoding", ("Accept-Encoding", "identity"))
    kind = (head.header("Content-Type") or "").partition(";")[0].strip().lower()
    if kind and not kind.startswith(("multipart/", "text/")) and not kind.endswith(("/xml", "+xml")):
        raise Refusal(415, "send multipart/related, or text/xml", ("Accept", "multipart/related, text/xml"))
    length = (head.header("Content-Length") or "0").strip()
    if not (length.isascii() and length.isdigit()):
        raise Refusal(400, "Content-Length is no number")
    if len(length) > 18 or int(length) > body:
        raise too_large(body)


def without_length() -> Refusal:
    """The refusal of a body that was sent in chunks, and of which nothing arrived: WSGI servers and frameworks before
    this receiver may read none (RFC 9110 15.5.12).
    """
    return Refusal(411, "nothing arrived of a body that was sent in chunks; send it with Content-Length")


def too_large(body: int) -> Refusal:
    """The refusal of a body of more than ``body`` octets."""
    return Refusal(413, f"the body may have {body} octets")
