"""Who we say we are, and where to: credentials for requests and httpx, addresses, header fields, TLS files.

All are checked when made, so that nothing unusable is found on the way. Refuses, with ``LocalError``, what would end in
a log or break out of its header line. Sends nothing.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import requests
import requests.auth
import requests.utils
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from mm7zeep import digest
from mm7zeep.errors import LocalError


@dataclass(frozen=True, slots=True)
class Basic:
    """RFC 7617, in UTF-8, never wrapped. Raises ``LocalError`` for a colon in the name, control characters, and what
    is no text.
    """

    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.user, str) or not isinstance(self.password, str):
            raise LocalError("user name and password are str")  # never repeats what was given
        if ":" in self.user:
            # in Digest, too, it would be the same key as that of another name with another realm (RFC 7616 3.4.2)
            raise LocalError("a user name holds no colon (RFC 7617 2)")
        if any(c < " " or c == "\x7f" for c in self.user + self.password):
            raise LocalError("credentials hold no control characters (RFC 7617 2)")
        if any("\ud800" <= c <= "\udfff" for c in self.user + self.password):
            raise LocalError("credentials hold half a character (a lone surrogate), which UTF-8 cannot write")

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

    Answers the strongest challenge of MD5, SHA-256 and SHA-512-256, with or without ``-sess``, ``auth`` or
    ``auth-int`` or neither (RFC 2069). Never falls back to Basic. Raises ``LocalError`` as ``Basic`` does.
    """

    def for_requests(self) -> requests.auth.AuthBase:
        return digest.RequestsDigest(digest.Session(self.user, self.password))

    def for_httpx(self) -> Any:
        return digest.httpx_digest(digest.Session(self.user, self.password))


@dataclass(frozen=True, slots=True)
class Bearer:
    """RFC 6750: an API key in the Authorization header."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.token, str) or not self.token:
            raise LocalError(f"a bearer token is a str that is not empty, not {type(self.token).__name__}")
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


File = str | os.PathLike[str]
ClientCert = tuple[File, File] | File | None
Credentials = Basic | Digest | Bearer
Auth = Credentials | tuple[str, str] | None


def credentials(auth: Auth) -> Credentials | None:
    """``(user, password)`` as ``Basic``; the others as they are. Raises ``LocalError`` for what is none of them."""
    if isinstance(auth, tuple) and len(auth) == 2 and all(isinstance(one, str) for one in auth):
        return Basic(*auth)
    if auth is None or isinstance(auth, Basic | Bearer):  # a Digest is a Basic
        return auth
    raise LocalError("auth is (user, password), Basic, Digest or Bearer")  # never repeats what was given


_LONGEST_URL = 65536  # what httpx takes; RFC 9110 4.1 asks for 8000


def endpoint(url: str) -> str:
    """``url`` if a request can go there.

    Raises ``LocalError`` otherwise, and for credentials in it: they would end in logs.
    """
    if not isinstance(url, str) or not _usable(url, ("http", "https")):
        raise LocalError("the address is no http or https URL with a host, such as https://mmsc.example/mm7")
    if "@" in urlsplit(url).netloc:
        raise LocalError("the address holds credentials; give them as auth=(user, password), or by --auth USER:PASS")
    return url


def proxy_url(url: str | None, *, socks: str) -> str | None:
    """The URL of a proxy, with ``http://`` where it names no scheme; None for none.

    ``socks`` is the package that the library needs for ``socks5`` and ``socks5h``. Raises ``LocalError`` for what is
    no such URL, and where that package is missing.
    """
    if url is None or url == "":
        return None
    if isinstance(url, str) and "://" not in url:
        url = f"http://{url}"
    if not isinstance(url, str) or not _usable(url, ("http", "https", "socks5", "socks5h")):
        # what was given may hold a password
        raise LocalError("the proxy is no http, https or socks5 URL with a host, such as http://proxy.example:3128")
    if url.startswith("socks") and find_spec(socks) is None:
        extra = "requests[socks]" if socks == "socks" else "httpx[socks]"
        raise LocalError(f"a SOCKS proxy needs a package that is missing here: pip install '{extra}'")
    return url


def proxy_map(given: Mapping[str, str] | None) -> dict[str, str]:
    """Proxies by scheme, as requests takes them. Raises ``LocalError`` as ``proxy_url`` does."""
    if given is not None and not isinstance(given, Mapping):
        raise LocalError('proxies maps schemes to URLs, such as {"https": "http://proxy.example:3128"}')
    found = {scheme: proxy_url(url, socks="socks") for scheme, url in (given or {}).items()}
    return {scheme: url for scheme, url in found.items() if url}


def _usable(url: str, schemes: Sequence[str]) -> bool:
    """Whether a library can make a request of ``url``."""
    if len(url) > _LONGEST_URL or any(c <= " " or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in url):
        return False
    try:
        parts = urlsplit(url)
        if parts.scheme not in schemes or not parts.hostname or parts.port == 0:
            return False
        # Versions of urllib3 read an escape differently, and no name has one; IPv6 zones have (RFC 6874).
        if "%" in parts.hostname and ":" not in parts.hostname:
            return False
        host = parse_url(url).host or ""  # reads internationalized names, and refuses what is none
    except (ValueError, LocationParseError):
        return False
    # RFC 1035 2.3.4; a last dot is the root
    labels = host.removesuffix(".").split(".")
    return host.startswith("[") or (len(host) <= 254 and all(0 < len(one) <= 63 for one in labels))


_MOST_PEM = 1024 * 1024  # octets of a file in which a key is looked for
_FRAMING = frozenset({"transfer-encoding", "trailer", "te"})


def header_fields(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Header fields that can be sent. Raises ``LocalError`` for a value that would break out of its line."""
    if headers is not None and not isinstance(headers, Mapping):
        raise LocalError(f'headers maps names to values, such as {{"X-Key": "7"}}, not {type(headers).__name__}')
    for name, value in (headers or {}).items():
        if not isinstance(name, str):
            raise LocalError(f"the name of a header field is a str, not {type(name).__name__}")
        if name.lower() in _FRAMING:
            raise LocalError(f"{name} is not given: how a request is framed is written by the transport")
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise LocalError(f"{name!r} is no name of a header field")
        if not isinstance(value, str):
            raise LocalError(f"the value of the header field {name} is a str, not {type(value).__name__}")
        if not value.isascii() or any((c < " " and c != "\t") or c == "\x7f" for c in value) or value != value.strip():
            raise LocalError(f"the value of the header field {name} holds what RFC 9110 5.5 does not allow")
    return dict(headers or {})


def readable(*files: File) -> None:
    """Raise ``LocalError`` if one of the files cannot be opened."""
    for name in files:
        if not isinstance(name, str | os.PathLike):
            raise LocalError(f"files are named by str or Path, not {type(name).__name__}")
        try:
            with open(name, "rb"):
                pass
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise LocalError(f"{os.fspath(name)!a} cannot be read: {getattr(error, 'strerror', error)}") from error


def cert_files(client_cert: ClientCert) -> tuple[str, ...]:
    """The files of a client certificate: one with both, or certificate and key. Raises ``LocalError`` for others."""
    if client_cert is None:
        return ()
    files = (client_cert,) if isinstance(client_cert, str | os.PathLike) else client_cert
    listed = isinstance(files, tuple | list) and 1 <= len(files) <= 2
    if not listed or not all(isinstance(one, str | os.PathLike) for one in files):
        raise LocalError("client_cert is (certificate file, key file), or one file with both")
    return tuple(os.fspath(one) for one in files)


def tls(ca_file: File | None, client_cert: ClientCert) -> ssl.SSLContext:
    """What httpx verifies by: ``ca_file`` or the authorities of certifi. Raises ``LocalError`` for unusable files."""
    if ca_file is None and client_cert is None:
        return _bundled()
    files = cert_files(client_cert)
    readable(*([ca_file] if ca_file is not None else []), *files)
    try:
        context = ssl.create_default_context(cafile=ca_file or requests.utils.DEFAULT_CA_BUNDLE_PATH)
    except ssl.SSLError as error:
        raise LocalError(
            f"ca_file {os.fspath(ca_file or '')!a} holds no certificate in PEM ({error.reason or 'not PEM'})"
        ) from error
    if files:
        _load(context, files)
    return context


def _load(context: ssl.SSLContext, files: tuple[str, ...]) -> None:
    """Give ``context`` our certificate and key. Raises ``LocalError`` where they cannot be used."""

    def no_passphrase() -> str:
        # OpenSSL would ask for it at the terminal
        raise LocalError(f"the key in {files[-1]!a} is encrypted; give it without a passphrase")

    try:
        context.load_cert_chain(files[0], files[-1], password=no_passphrase)
    except ssl.SSLError as error:
        told = f" ({error.reason})" if error.reason else ""
        if error.reason == "KEY_VALUES_MISMATCH":
            raise LocalError(
                f"the key in {files[-1]!a} does not belong to the first certificate in {files[0]!a}{told}"
            ) from error
        raise LocalError(f"{_lacking(files)}{told}") from error


def _lacking(files: tuple[str, ...]) -> str:
    """What is not in the files of a certificate and its key, and what to do about it."""
    if len(set(files)) > 1:
        return f"{files[0]!a} holds no certificate or {files[1]!a} no key in PEM"
    with open(files[0], "rb") as file:
        octets = file.read(_MOST_PEM)
    if b"-----BEGIN CERTIFICATE-----" in octets and b"PRIVATE KEY-----" not in octets:
        return f"{files[0]!a} holds a certificate without its key: put the key into that file, too, in PEM"
    return f"no certificate and key in PEM are in {files[0]!a}"


@cache
def _bundled() -> ssl.SSLContext:
    """The authorities of certifi; reading them takes 30 ms, so all transports that want nothing else share them."""
    return ssl.create_default_context(cafile=requests.utils.DEFAULT_CA_BUNDLE_PATH)
