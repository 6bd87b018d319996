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
from dataclasses import dataclass

from mm7zeep.exchange import Wire

_CREDENTIALS = 8192  # characters of an Authorization field that are looked at


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


def admit(head: Wire, *, auth: BasicAuth | None, realm: str, http: HttpLimits, body: int) -> str | None:
    """Who asks, judged by the head alone; a body may have ``body`` octets. Raises ``Refusal``."""
    if head.method not in (None, "POST"):
        raise Refusal(405, "MM7 requests are POST", ("Allow", "POST"))
    user = None
    if auth is not None:
        given = [value for name, value in head.headers if name.lower() == "authorization"]
        user = auth.user(given[0] if len(given) == 1 else None)
        if user is None:
            challenge = f'Basic realm="{realm}", charset="UTF-8"'
            raise Refusal(401, "name and password, please", ("WWW-Authenticate", challenge))
    size = sum(len(name) + len(value) + 4 for name, value in head.headers)  # RFC 9112 5: ": " and CRLF
    if len(head.headers) > http.header_fields or size > http.header_bytes:
        raise Refusal(431, "the head is too large")
    coding = (head.header("Content-Encoding") or "identity").strip().lower()
    if coding not in ("identity", ""):
        raise Refusal(415, "send the body without Content-Encoding", ("Accept-Encoding", "identity"))
    length = (head.header("Content-Length") or "0").strip()
    if not (length.isascii() and length.isdigit()):
        raise Refusal(400, "Content-Length is no number")
    if len(length) > 18 or int(length) > body:
        raise too_large(body)
    return user


def too_large(body: int) -> Refusal:
    """The refusal of a body of more than ``body`` octets."""
    return Refusal(413, f"the body may have {body} octets")
