"""One request and its answer: the ``HttpExchange``, and the body that streams out and is counted as it goes.

Refuses parts that no Content element names, and parts that cannot be read.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import mime, profiles, schema
from mm7zeep.errors import LocalError
from mm7zeep.exchange import Content, Judgement, check_parts, check_size, enclose
from mm7zeep.exchange import compose as compose_content
from mm7zeep.findings import Finding
from mm7zeep.messages import Message, Part
from mm7zeep.profiles import Policy, Profile
from mm7zeep.transport.reasons import BUNDLED, Files

Progress = Callable[[int, int], None]
"""Called with (octets gone out, octets in all) as a request leaves; starts over where the request does."""


@dataclass(slots=True)
class HttpExchange:
    """What belongs to one request and its answer; made for it, and gone with it.

    ``sent`` of ``size`` octets were handed to the connection to ``address`` (through ``proxy``, opened with ``files``),
    the last of them at ``sent_at`` (monotonic seconds); ``whole`` says that all of them left. ``transaction_id`` is the
    request's, ``echoed`` the one that the answer names.
    ``planned`` is the policy by which the answer may be read as plans remember its shape (None: it is zeep's to read).
    ``http_status`` is None until an answer's head is there; ``body`` is the whole answer (None while it is not
    complete), ``findings`` what was noticed before the envelope was judged.
    """

    content: Content | None = None
    parts: Sequence[Part] = ()
    message: Message | None = None
    profile: Profile | None = None
    progress: Progress | None = None
    planned: Policy | None = None
    address: str = ""
    proxy: str | None = None
    files: Files = BUNDLED
    size: int = 0
    sent: int = 0
    sent_at: float | None = None
    whole: bool = False
    transaction_id: str | None = None
    echoed: str | None = None
    http_status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    findings: tuple[Finding, ...] = ()
    judgement: Judgement | None = None

    def header(self, name: str) -> str | None:
        """The first field of that name in the answer's head, in any case."""
        return next(iter(self.lines(name)), None)

    def lines(self, name: str) -> list[str]:
        """All field lines of that name in the answer's head, in any case."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Interrupted(Exception):
    """The progress callback raised ``reason``; wrapped, since the libraries would take its OSError for their own."""

    def __init__(self, reason: Exception) -> None:
        super().__init__()
        self.reason = reason


class Body:
    """The request body as requests and httpx read it: length known, counted as it leaves, ready to start over."""

    def __init__(self, stream: mime.Stream, exchange: HttpExchange) -> None:
        self.stream = stream
        self.exchange = exchange
        exchange.size = len(stream)

    def __len__(self) -> int:
        return len(self.stream)

    def __iter__(self) -> Iterator[bytes]:
        self.exchange.sent, self.exchange.sent_at, self.exchange.whole = 0, None, False
        pieces = iter(self.stream)
        while chunk := self._next(pieces):
            self.exchange.sent += len(chunk)
            self.exchange.sent_at = time.monotonic()
            yield chunk
            # asked for the next piece, the connection has taken this one
            self.exchange.whole = self.exchange.sent == len(self.stream)
            self._tell()

    def _next(self, pieces: Iterator[bytes]) -> bytes:
        try:
            return next(pieces, b"")
        except OSError as error:
            # the libraries would take it for one of the connection
            raise LocalError(f"a part cannot be read: {error.strerror or type(error).__name__}") from error

    def _tell(self) -> None:
        if self.exchange.progress is None:
            return
        try:
            self.exchange.progress(self.exchange.sent, len(self.stream))
        except Exception as error:
            raise Interrupted(error) from error

    def octets(self) -> Iterator[bytes]:
        """The body for a hash over it (Digest with ``auth-int``): nothing of it counts as sent."""
        pieces = iter(self.stream)
        while chunk := self._next(pieces):
            yield chunk

    def tell(self) -> int:
        """0: requests asks for it, and iterating always starts over."""
        return 0  # requests asks for it; iterating always starts over

    def seek(self, offset: int, whence: int = 0) -> int:
        """To the start, before a request is sent again: what had gone out was answered by a challenge."""
        self.exchange.sent, self.exchange.sent_at = 0, None
        return 0


class AsyncBody:
    """``Body`` for httpx, which takes what has ``__iter__`` for a synchronous body; may be iterated again (Digest)."""

    def __init__(self, body: Body) -> None:
        self.body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.body:
            yield chunk


def _content_of(exchange: HttpExchange, envelope: etree._Element) -> Content | None:
    """The content of the exchange; for bare ``parts``, under the name that the envelope's Content element gives."""
    if exchange.content is not None or not exchange.parts:
        return exchange.content
    element = next((one for one in envelope.iter() if schema.local(one) == "Content"), None)
    href = element.get("href", "") if element is not None else ""
    if not href.lower().startswith("cid:"):
        raise LocalError(
            'parts are attached, but the message has no Content element with href="cid:..."; add one to the call'
        )
    if exchange.profile is not None:
        check_parts(exchange.parts, exchange.profile)
    return compose_content(exchange.parts, exchange.profile or profiles.GENERIC_6_8_0, content_id=unquote(href[4:]))


def compose(
    exchange: HttpExchange, envelope: etree._Element, headers: Mapping[str, str]
) -> tuple[dict[str, str], Body]:
    """The header fields and the body of a request: the envelope, with the content of the exchange.

    Raises ``LocalError`` for parts that nothing names or that cannot be read.
    """
    try:
        return _enclosed(exchange, soap.serialize(envelope), _content_of(exchange, envelope), headers)
    except OSError as error:
        raise LocalError(f"a part cannot be read: {error.strerror}") from error


def written(exchange: HttpExchange, envelope: bytes, headers: Mapping[str, str]) -> tuple[dict[str, str], Body]:
    """The header fields and the body of a request whose envelope is octets already, with the content of the exchange.

    Raises ``LocalError`` for parts that cannot be read.
    """
    try:
        return _enclosed(exchange, envelope, exchange.content, headers)
    except OSError as error:
        raise LocalError(f"a part cannot be read: {error.strerror}") from error


def _enclosed(
    exchange: HttpExchange, envelope: bytes, content: Content | None, headers: Mapping[str, str]
) -> tuple[dict[str, str], Body]:
    mime_headers, stream = enclose(envelope, content)
    if exchange.profile is not None:
        check_size(len(stream), exchange.message, exchange.profile)
    sent = {**{k: v for k, v in headers.items() if k.lower() != "content-type"}, **dict(mime_headers)}
    return _unencoded(sent, len(stream)), Body(stream, exchange)


def ready(exchange: HttpExchange, message: str | bytes, headers: Mapping[str, str]) -> tuple[dict[str, str], Body]:
    """The header fields and the body of a request that zeep has written itself."""
    stream = mime.Stream([message.encode() if isinstance(message, str) else bytes(message)])
    return _unencoded(headers, len(stream)), Body(stream, exchange)


def _unencoded(headers: Mapping[str, str], length: int) -> dict[str, str]:
    # Asking for no encoding, so that no answer can be a gzip bomb.
    return {**headers, "Accept-Encoding": "identity", "Content-Length": str(length)}
