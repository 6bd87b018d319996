"""The head of an HTTP/1.1 request, judged as far as it has come: what it may cost, and what makes it ambiguous.

Octets in, a refusal out; opens nothing. Refuses what two readers could take for two different requests (400), and what
is too large (414, 431); the grammar of what is left, the parser judges.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import NamedTuple

from mm7zeep.gateway.security.client_address import Networks

_METHOD = re.compile(rb"[A-Z-]{1,20}(?: |\Z)")
# RFC 9112 2.2, 5.2: lines end with CRLF; a bare CR or LF, and a folded line, are refused
_BROKEN = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|\r\n[ \t]")
_UPGRADE = re.compile(rb"\r\nUpgrade:[^\r\n]*", re.IGNORECASE)
_HOST = re.compile(rb"[A-Za-z0-9._~%:\[\]!$&'()*+,;=-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What a connection may cost.

    Seconds: ``head`` from the connection, or from its first octet, to the end of a request's head; ``keep_alive``
    between two requests; ``body`` for one whole body, where the application keeps no shorter time; ``stall`` for a
    client to read what was written; ``handshake`` for that of TLS. ``request_line`` octets, ``header_bytes`` and
    ``header_fields`` of a head.

    ``connections`` at a time, counted from when they are accepted; ``per_address`` of one address that is not in
    ``exempt``. None is accepted that would have a file descriptor of ``descriptors`` or more.

    After an answer that ends a connection early, up to ``drained`` octets, for ``drain`` seconds, are read and thrown
    away, so that the client can read the answer. ``refused`` is told the status of each refusal made here.
    """

    head: float = 15.0
    keep_alive: float = 15.0
    body: float = 120.0
    stall: float = 60.0
    request_line: int = 8 * 1024
    header_bytes: int = 16 * 1024
    header_fields: int = 64
    connections: int = 500
    per_address: int = 64
    exempt: Networks = field(default_factory=Networks)
    descriptors: int | None = None
    handshake: float = 10.0
    drain: float = 2.0
    drained: int = 1024 * 1024
    refused: Callable[[int], object] = lambda status: None


EDGE = ConnectionLimits()
"""What applies where nothing else is said."""


class Refused(NamedTuple):
    """Why a connection ends: HTTP status and words."""

    status: int
    text: str


def judged(head: bytes, scanned: int, edge: ConnectionLimits) -> Refused | None:
    """What is wrong with a head, or the beginning of one, whose first ``scanned`` octets have been judged before."""
    line = head.find(b"\r\n")
    if head and head != b"\r" and not _METHOD.match(head):
        return Refused(400, "this is no HTTP/1.1 request")
    if (line if line >= 0 else len(head)) > edge.request_line:
        return Refused(414, f"the request line may have {edge.request_line} octets")
    if _BROKEN.search(head, max(0, scanned - 2)):
        return Refused(400, "the lines of a head end with CRLF, and none is folded")
    if line < 0:
        return None
    fields = len(head) - line - 2
    if fields > edge.header_bytes + 2 or head.count(b"\r\n", line + 2) > edge.header_fields + 1:
        return too_large(edge)
    return None


def too_large(edge: ConnectionLimits) -> Refused:
    """The refusal of a head with too many fields, or too long ones."""
    return Refused(431, f"a head may have {edge.header_fields} fields of {edge.header_bytes} octets together")


def without_upgrade(head: bytes) -> bytes:
    """The head without its offer to change the protocol: it is not taken (RFC 9110 7.8), and what follows is the body.

    Java's HttpClient offers h2c with every first request.
    """
    return _UPGRADE.sub(b"", head)


def contradiction(fields: list[tuple[bytes, bytes]], version: str) -> Refused | None:
    """What makes two readers of one head disagree on where its request ends, or whom it is for."""
    hosts = [value for name, value in fields if name == b"host"]
    lengths = [value for name, value in fields if name == b"content-length"]
    codings = [value for name, value in fields if name == b"transfer-encoding"]
    if version not in ("1.0", "1.1"):
        return Refused(400, "HTTP/1.1 is spoken here")
    # RFC 9112 3.2
    if len(hosts) > 1 or (version == "1.1" and not hosts) or not all(_HOST.fullmatch(one.strip()) for one in hosts):
        return Refused(400, "HTTP/1.1 needs exactly one Host field")
    if len(lengths) > 1 or (lengths and codings):  # RFC 9112 6.3: an attack, or a broken client
        return Refused(400, "one Content-Length, or Transfer-Encoding: chunked, and not both")
    if codings and (version != "1.1" or [one.strip().lower() for one in codings] != [b"chunked"]):
        return _other_coding(b",".join(codings), version)
    return None


def _other_coding(codings: bytes, version: str) -> Refused:
    """What is said of another Transfer-Encoding than chunked alone (RFC 9112 6.1, 6.3).

    A length can be told only where chunked is the last, once: then a coding before it is one that is not known here.
    """
    before, _, last = codings.replace(b" ", b"").replace(b"\t", b"").lower().rpartition(b",")
    if version == "1.1" and last == b"chunked" and before and b"chunked" not in before.split(b","):
        return Refused(501, "the only Transfer-Encoding known here is chunked: send the body without another coding")
    return Refused(400, "the only Transfer-Encoding is chunked, in HTTP/1.1")


def answer(refused: Refused, fields: list[tuple[bytes, bytes]]) -> bytes:
    """The refusal as it stands on the wire, with ``fields`` before its own; it ends the connection."""
    body = f"{refused.text}\n".encode()
    own = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    own += [(b"retry-after", b"5")] if refused.status == 503 else []
    head = b"".join(b"%s: %s\r\n" % one for one in (*fields, *own, (b"connection", b"close")))
    return b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (refused.status, HTTPStatus(refused.status).phrase.encode(), head, body)
