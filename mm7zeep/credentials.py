"""Who we say we are, and where to: credentials for requests and httpx, addresses, header fields, TLS files.

All are checked when made, so that nothing unusable is found on the way. Refuses, with ``LocalError``, what would end in
a log or break out of its header line. Sends nothing.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests
import requests.auth
import requests.utils

from mm7zeep import challenges, digest
from mm7zeep.challenges import Challenge
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
            raise LocalError("a bearer token is a str that is not empty")
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


CHECK = "check user name, password, VASPID and the address you call from"
"""What to do where credentials were refused."""

ClientCert = tuple[str, str] | str | None
Credentials = Basic | Digest | Bearer
Auth = Credentials | tuple[str, str] | None


def credentials(auth: Auth) -> Credentials | None:
    """``(user, password)`` as ``Basic``; the others as they are. Raises ``LocalError`` for what is none of them."""
    if isinstance(auth, tuple) and len(auth) == 2 and all(isinstance(one, str) for one in auth):
        return Basic(*auth)
    if auth is None or isinstance(auth, Basic | Bearer):  # a Digest is a Basic
        return auth
    raise LocalError("auth is (user, password), Basic, Digest or Bearer")  # never repeats what was given


def unanswered(auth: Credentials | None, lines: Iterable[str]) -> str:
    """What was wrong with ``auth`` for a server that answered 401 with these lines of WWW-Authenticate, and what to do.

    Texts of the server are escaped.
    """
    found = challenges.read(lines)
    given = type(auth).__name__ if auth is not None else None
    schemes = list(dict.fromkeys(one.scheme for one in found if one.scheme))
    asked = " or ".join(one if one.isalnum() else f"{one[:40]!a}" for one in schemes[:5])
    if any(one.named("Digest") for one in found) and isinstance(auth, Digest):
        return _undigested(found)
    if not schemes:
        told = f"what it asks for cannot be read: {_escaped(found[0], lines)}" if found else "it does not say what for"
        return f"{told}; {CHECK}"
    if given is not None and any(one.named(given) for one in found):
        return CHECK
    forms = {"basic": "auth=(user, password)", "digest": "auth=Digest(user, password)", "bearer": "auth=Bearer(token)"}
    fix = next((forms[one.lower()] for one in schemes if one.lower() in forms), None)
    what = f"it asks for {asked}, and {given or 'nothing'} was given"
    return f"{what}; use {fix}" if fix is not None else f"{what}; mm7zeep answers Basic, Digest and Bearer"


def _undigested(found: Sequence[Challenge]) -> str:
    """Why Digest did not help although the server asked for it."""
    asked = [one for one in found if one.named("Digest")]
    flaws = [flaw for one in asked if (flaw := digest.flaw_of(one)) is not None]
    if len(flaws) < len(asked):
        return CHECK
    shown = _escaped(asked[0], ())
    return f"it asks for Digest, but {'; '.join(dict.fromkeys(flaws))[:300]} ({shown}); its operator has to mend that"


def _escaped(challenge: Challenge, lines: Iterable[str]) -> str:
    """A challenge as it may be shown: in ASCII, and not too long."""
    parts = [f"{name}={challenges.shown(value)!a}" for name, value in challenge.parameters]
    text = " ".join([challenge.scheme, ", ".join(parts)]).strip() or ", ".join(f"{one!a}" for one in lines)
    return text if len(text) <= 300 else f"{text[:300]}..."


def endpoint(url: str) -> str:
    """``url`` if a request can go there.

    Raises ``LocalError`` otherwise, and for credentials in it: they would end in logs.
    """
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
    for name, value in (headers or {}).items():
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
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
        if not isinstance(name, str):
            raise LocalError(f"files are named by str, not {type(name).__name__}")
        try:
            with open(name, "rb"):
                pass
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise LocalError(f"{name!a} cannot be read: {getattr(error, 'strerror', error)}") from error


def cert_files(client_cert: ClientCert) -> tuple[str, ...]:
    """The files of a client certificate: one with both, or certificate and key. Raises ``LocalError`` for others."""
    if client_cert is None or isinstance(client_cert, str):
        return (client_cert,) if client_cert is not None else ()
    if not isinstance(client_cert, tuple | list) or len(client_cert) != 2:
        raise LocalError("client_cert is (certificate file, key file), or one file with both")
    return tuple(client_cert)


def tls(ca_file: str | None, client_cert: ClientCert) -> ssl.SSLContext:
    """What httpx verifies by: ``ca_file`` or the authorities of certifi. Raises ``LocalError`` for unusable files."""
    if ca_file is None and client_cert is None:
        return _bundled()
    files = cert_files(client_cert)
    readable(ca_file, *files)
    try:
        context = ssl.create_default_context(cafile=ca_file or requests.utils.DEFAULT_CA_BUNDLE_PATH)
    except ssl.SSLError as error:
        raise LocalError(f"ca_file {ca_file!a} holds no certificate in PEM ({error.reason or 'not PEM'})") from error
    if files:
        _load(context, files)
    return context


def _load(context: ssl.SSLContext, files: tuple[str, ...]) -> None:
    """Give ``context`` our certificate and key. Raises ``LocalError`` where they cannot be used."""

    def no_passphrase() -> str:
        # OpenSSL would ask for it at the terminal
        raise LocalError(f"the key in {files[-1]!a} is encrypted; give it without a passphrase")

    try:
        context.load_cert_chain(*files, password=no_passphrase)
    except ssl.SSLError as error:
        reason = error.reason or "not PEM"
        if reason == "KEY_VALUES_MISMATCH":
            raise LocalError(
                f"the key in {files[-1]!a} does not belong to the first certificate in {files[0]!a} ({reason})"
            ) from error
        both = (
            f"no certificate and key in PEM are in {files[0]!a}"
            if len(files) == 1
            else (f"{files[0]!a} holds no certificate or {files[1]!a} no key in PEM")
        )
        raise LocalError(f"{both} ({reason})") from error


@cache
def _bundled() -> ssl.SSLContext:
    """The authorities of certifi; reading them takes 30 ms, so all transports that want nothing else share them."""
    return ssl.create_default_context(cafile=requests.utils.DEFAULT_CA_BUNDLE_PATH)
