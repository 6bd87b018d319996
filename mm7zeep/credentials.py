"""Who we say we are, and where to: credentials for requests and httpx, addresses, header fields, TLS files.

All are checked when made, so that nothing unusable is found on the way. Refuses, with ``LocalError``, what would end in
a log or break out of its header line. Sends nothing.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests
import requests.auth
import requests.utils

from mm7zeep.errors import LocalError

_CHUNK = 65536  # octets of a challenge's body that are read to keep its connection


@dataclass(frozen=True, slots=True)
class Basic:
    """RFC 7617, in UTF-8, never wrapped. Raises ``LocalError`` for a colon in the name or control characters."""

    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.user, str) or not isinstance(self.password, str):
            raise LocalError("user and password are str")  # never repeats what was given
        if ":" in self.user:
            raise LocalError("a Basic user name holds no colon (RFC 7617 2)")
        if any(c < " " or c == "\x7f" for c in self.user + self.password):
            raise LocalError("credentials hold no control characters (RFC 7617 2)")

    def for_requests(self) -> requests.auth.AuthBase:
        """The credentials as requests takes them."""
        return requests.auth.HTTPBasicAuth(self.user.encode(), self.password.encode())

    def for_httpx(self) -> Any:
        """The credentials as httpx takes them."""
        import httpx

        return httpx.BasicAuth(self.user.encode(), self.password.encode())


@dataclass(frozen=True, slots=True)
class Digest(Basic):
    """RFC 7616, as China Mobile style MMSCs ask for. The request is sent twice where the server has not challenged yet.

    Raises ``LocalError`` for a user name that does not fit between quotes in ASCII.
    """

    def __post_init__(self) -> None:
        Basic.__post_init__(self)
        if not self.user.isascii() or any(c in '"\\' for c in self.user):
            # RFC 7616 3.4.4: other names need username*, which neither library writes
            raise LocalError("a Digest user name is ASCII without quotes and backslashes")

    def for_requests(self) -> requests.auth.AuthBase:
        return _RequestsDigest(self.user, self.password)

    def for_httpx(self) -> Any:
        return _httpx_digest(self.user, self.password)


@dataclass(frozen=True, slots=True)
class Bearer:
    """RFC 6750: an API key in the Authorization header."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.token, str):
            raise LocalError(f"a bearer token is a str, not {type(self.token).__name__}")
        if not self.token.isascii() or any(c <= " " or c == "\x7f" for c in self.token):
            raise LocalError("a bearer token holds no blanks, control or non-ASCII characters (RFC 6750 2.1)")

    def for_requests(self) -> requests.auth.AuthBase:
        """The token as requests takes it."""
        return AuthorizationHeader(f"Bearer {self.token}")

    def for_httpx(self) -> Any:
        """The token as httpx takes it."""
        token = self.token

        def authorize(request: Any) -> Any:
            request.headers["Authorization"] = f"Bearer {token}"
            return request

        return authorize


class AuthorizationHeader(requests.auth.AuthBase):
    """Sets Authorization to a value, or leaves it out; given always, so that requests never looks into netrc."""

    def __init__(self, value: str | None) -> None:
        self.value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.value is not None:
            request.headers["Authorization"] = self.value
        return request


class _RequestsDigest(requests.auth.HTTPDigestAuth):
    """As in requests, which would read the challenge's body whole and decoded: here it is let go of."""

    def handle_401(self, r: requests.Response, **kwargs: Any) -> requests.Response:
        asked = "digest" in r.headers.get("www-authenticate", "").lower()
        if asked and self._thread_local.num_401_calls < 2:  # type: ignore[attr-defined]
            r._content = r.raw.read1(_CHUNK, decode_content=False)
            if r.raw.read1(1, decode_content=False):
                r.raw.close()  # more than one piece: a new connection is cheaper than waiting for the rest
        answered: requests.Response = super().handle_401(r, **kwargs)  # type: ignore[no-untyped-call]
        return answered


def _httpx_digest(user: str, password: str) -> Any:
    """Digest for httpx, which would read the challenge's body whole and decoded: here the connection is closed."""
    import httpx

    class HttpxDigest(httpx.DigestAuth):
        async def async_auth_flow(self, request: httpx.Request) -> Any:
            flow = self.auth_flow(request)
            request = next(flow)
            while True:
                response = yield request
                try:
                    request = flow.send(response)
                except StopIteration:
                    return
                await response.aclose()
                response._content = b""

    return HttpxDigest(user, password)


ClientCert = tuple[str, str] | str | None
Auth = Basic | Digest | Bearer | tuple[str, str] | None


def credentials(auth: Auth) -> Basic | Digest | Bearer | None:
    """``(user, password)`` as ``Basic``; the others as they are. Raises ``LocalError`` for what is none of them."""
    if isinstance(auth, tuple) and len(auth) == 2 and all(isinstance(one, str) for one in auth):
        return Basic(*auth)
    if auth is None or isinstance(auth, Basic | Bearer):  # a Digest is a Basic
        return auth
    raise LocalError("auth is (user, password), Basic, Digest or Bearer")  # never repeats what was given


def endpoint(url: str) -> str:
    """``url`` if a request can go there.

    Raises ``LocalError`` otherwise, and for credentials in it: they would end in logs.
    """
    if not isinstance(url, str):
        raise LocalError(f"the address is a str, such as https://mmsc.example/mm7, not {type(url).__name__}")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(c <= " " or c == "\x7f" for c in url):
        raise LocalError("the address is no http or https URL with a host, such as https://mmsc.example/mm7")
    if "@" in parts.netloc:
        raise LocalError("the address holds credentials; give them as auth=(user, password)")
    return url


def header_fields(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Header fields that can be sent. Raises ``LocalError`` for a value that would break out of its line."""
    if not isinstance(headers, Mapping | None):
        raise LocalError(f'headers maps names to values, such as {{"X-Key": "7"}}, not {type(headers).__name__}')
    for name, value in (headers or {}).items():
        if not isinstance(name, str) or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise LocalError(f"{name!r} is no name of a header field")
        if not isinstance(value, str):
            raise LocalError(f"the value of the header field {name} is a str, not {type(value).__name__}")
        if not value.isascii() or any((c < " " and c != "\t") or c == "\x7f" for c in value) or value != value.strip():
            raise LocalError(f"the value of the header field {name} holds what RFC 9110 5.5 does not allow")
    return dict(headers or {})


def readable(*files: str | None) -> None:
    """Raise ``LocalError`` if one of the files given cannot be opened."""
    for name in files:
        if name is None:
            continue
        try:
            with open(name, "rb"):
                pass
        except OSError as error:
            raise LocalError(f"{name} cannot be read: {error.strerror}") from error


def cert_files(client_cert: ClientCert) -> tuple[str, ...]:
    """The files of a client certificate: one with both, or certificate and key."""
    files = (client_cert,) if isinstance(client_cert, str) else client_cert or ()
    if not isinstance(files, tuple) or not all(isinstance(one, str) for one in files) or len(files) > 2:
        raise LocalError("client_cert is the name of a PEM file, or (certificate file, key file)")
    return files


def tls(ca_file: str | None, client_cert: ClientCert) -> ssl.SSLContext:
    """What httpx verifies by: ``ca_file`` or the authorities of certifi. Raises ``LocalError`` for unusable files."""
    if ca_file is None and client_cert is None:
        return _bundled()
    readable(ca_file, *cert_files(client_cert))
    try:
        context = ssl.create_default_context(cafile=ca_file or requests.utils.DEFAULT_CA_BUNDLE_PATH)
        if client_cert is not None:
            context.load_cert_chain(*cert_files(client_cert))
    except ssl.SSLError as error:
        raise LocalError(f"the certificates cannot be used: {error.reason or 'not PEM'}") from error
    return context


@cache
def _bundled() -> ssl.SSLContext:
    """The authorities of certifi; reading them takes 30 ms, so all transports that want nothing else share them."""
    return ssl.create_default_context(cafile=requests.utils.DEFAULT_CA_BUNDLE_PATH)
