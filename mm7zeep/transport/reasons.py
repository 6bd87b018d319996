"""Why no answer came, in words that say what to do: certificates, versions of TLS, ports, names, proxies.

Reads the exceptions of requests, urllib3, httpx and ssl. Refuses to repeat their texts, which may hold the secrets of a
URL; of OpenSSL only the name of a reason is repeated.
"""

from __future__ import annotations

import errno
import http.client
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

from mm7zeep.transport.inbound import Unreadable
from mm7zeep.transport.pages import escaped


class Files(NamedTuple):
    """The files that a connection was opened with, as they were given: whom we trust, and our own certificate."""

    ca_file: str | None = None
    client_cert: str | None = None


BUNDLED = Files()


class Reason(NamedTuple):
    """``words`` for people; ``untaken``: it proves that the server took nothing, whatever had gone out."""

    words: str
    untaken: bool = False


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """``error`` and what led to it."""
    seen: list[BaseException] = []
    while error is not None and not any(error is one for one in seen):
        seen.append(error)
        yield error
        reason = getattr(error, "reason", None)
        inner = reason if isinstance(reason, BaseException) else error.__cause__ or error.__context__
        if isinstance(error, BaseExceptionGroup):  # of several addresses of one host: any will do
            inner = error.exceptions[0]
        error = inner or next((one for one in error.args if isinstance(one, BaseException)), None)


def of(error: BaseException, address: str, proxy: str | None = None, files: Files = BUNDLED) -> Reason | None:
    """Why the request to ``address`` has no answer; None where the kind of failure is not known."""
    first = proxy or address  # where the connection goes
    links = list(chain(error))
    found = [_tls(one, address, files) for one in links if isinstance(one, ssl.SSLError)]
    if _speaks_tls(links):
        found.append(Reason("the port speaks TLS, and the URL says http://: use https://", untaken=True))
    found += [_proxy(one) for one in links]
    found += [_network(one, first) for one in links if isinstance(one, OSError)]
    found.append(_silence(links, address))
    return next((one for one in found if one is not None), None)


# --- TLS --------------------------------------------------------------------------------------------------------------

_RENEW = "its operator has to renew it; check the clock of this machine, too"
_AUTHORITY = "is signed by an unknown authority: pass that authority's certificate as ca_file= (--ca-file)"
_SELF = "is self-signed: pass it as ca_file= (--ca-file) if it is the right one"
_VERIFIED: Mapping[int, str] = MappingProxyType({  # X509_V_ERR_... of OpenSSL
    2: _AUTHORITY, 19: _AUTHORITY, 20: _AUTHORITY, 21: _AUTHORITY,
    9: f"is not valid yet: {_RENEW}",
    10: f"has expired: {_RENEW}",
    18: _SELF,
    23: "was revoked: its operator has to replace it",
    26: "is not meant for servers: its operator has to replace it",
    66: "has a key that is too weak: its operator has to replace it",
    67: "has an authority with a key that is too weak: its operator has to replace it",
    68: "is signed with a hash that is too weak: its operator has to replace it",
})  # fmt: skip
_OTHER_NAME = (62, 64)  # host name, IP address

_PLAIN = "https:// was used to a port that speaks no TLS: use http:// or the port for TLS"
_VERSION = "the server and we have no version of TLS in common (we take 1.2 and 1.3): its operator has to allow one"
_DEMANDED = "the server demands a client certificate: pass client_cert= (--client-cert)"
_OURS = "the server does not accept the client certificate: pass one that it knows as client_cert= (--client-cert)"
_EXPIRED = "our client certificate has expired: pass a new one as client_cert= (--client-cert)"
_NOTHING_IN_COMMON = (
    "the server ended the TLS handshake: it demands a client certificate, or no cipher is in common: pass client_cert= "
    "(--client-cert) if its operator asks for one"
)
_WITH_OURS: Mapping[str, str] = MappingProxyType({  # what is said where a client certificate was given
    _OURS: "the server does not accept the client certificate in {}, which was given as client_cert= (--client-cert): "
           "its operator has to know that certificate or its authority",
    _EXPIRED: "our client certificate in {}, which was given as client_cert= (--client-cert), has expired: renew it",
    _NOTHING_IN_COMMON: "the server ended the TLS handshake: it does not accept the client certificate in {}, which "
                        "was given as client_cert= (--client-cert), or no cipher is in common",
})  # fmt: skip
_ADVICE = tuple(  # one begins as another does: the longest first
    sorted(
        (one[one.index(": pass ") :] for one in (_AUTHORITY, _SELF, _DEMANDED, _OURS, _EXPIRED, _NOTHING_IN_COMMON)),
        key=len,
        reverse=True,
    )
)
_WEAK = "the server's TLS is too weak for this machine: its operator has to renew its keys and ciphers"
# The reasons of OpenSSL. Alerts come from the server: it ends the handshake, and TLS 1.3 shows that only after the
# request has gone out. Alerts that may end a connection in use (internal_error, bad_record_mac) are not here.
_REASONS: Mapping[str, str] = MappingProxyType({
    "WRONG_VERSION_NUMBER": _PLAIN, "RECORD_LAYER_FAILURE": _PLAIN, "UNKNOWN_PROTOCOL": _PLAIN, "HTTP_REQUEST": _PLAIN,
    "PACKET_LENGTH_TOO_LONG": _PLAIN, "BAD_RECORD_TYPE": _PLAIN,
    "UNSUPPORTED_PROTOCOL": _VERSION, "VERSION_TOO_LOW": _VERSION, "NO_PROTOCOLS_AVAILABLE": _VERSION,
    "WRONG_SSL_VERSION": _VERSION, "TLSV1_ALERT_PROTOCOL_VERSION": _VERSION, "INAPPROPRIATE_FALLBACK": _VERSION,
    "TLSV1_ALERT_INAPPROPRIATE_FALLBACK": _VERSION,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _DEMANDED,
    "SSLV3_ALERT_NO_CERTIFICATE": _DEMANDED,
    "SSLV3_ALERT_BAD_CERTIFICATE": _OURS, "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": _OURS,
    "SSLV3_ALERT_CERTIFICATE_REVOKED": _OURS, "SSLV3_ALERT_CERTIFICATE_UNKNOWN": _OURS,
    "TLSV1_ALERT_UNKNOWN_CA": _OURS, "TLSV1_ALERT_ACCESS_DENIED": _OURS, "TLSV1_ALERT_DECRYPT_ERROR": _OURS,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": _EXPIRED,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": _NOTHING_IN_COMMON, "NO_SHARED_CIPHER": _NOTHING_IN_COMMON,
    "NO_CIPHERS_AVAILABLE": _NOTHING_IN_COMMON,
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": _NOTHING_IN_COMMON,
    "DH_KEY_TOO_SMALL": _WEAK, "EE_KEY_TOO_SMALL": _WEAK, "CA_MD_TOO_WEAK": _WEAK, "BAD_SIGNATURE_TYPE": _WEAK,
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": _WEAK, "UNSOLICITED_EXTENSION": _WEAK,
    "TLSV1_UNRECOGNIZED_NAME": "the server serves no host of that name: check the host in the URL",
    "TLSV1_ALERT_UNRECOGNIZED_NAME": "the server serves no host of that name: check the host in the URL",
})  # fmt: skip


def unadvised(words: str) -> str:
    """``words`` without the advice to give a file: for whom neither an option nor a setting is at hand."""
    for advice in _ADVICE:
        words = words.replace(advice, "")
    return words


def in_table(words: str, table: str) -> str:
    """``words`` with the settings in ``table`` of a configuration in place of the options of a client of ours."""
    for advice in _ADVICE:
        words = words.replace(advice, advice.replace(": pass ", ": give ", 1))
    for setting, option in (("ca_file", "ca_file= (--ca-file)"), ("client_cert", "client_cert= (--client-cert)")):
        words = words.replace(option, f"{setting} in {table}")
    return words


def _tls(error: ssl.SSLError, address: str, files: Files) -> Reason | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        flaw = _flaw(error.verify_code, address, files.ca_file)
        return Reason(f"the server's certificate {flaw} ({error.verify_message})", untaken=True)
    reason = error.reason or ""
    words = _REASONS.get(reason)
    if files.client_cert is not None:
        words = _WITH_OURS.get(words or "", words)
        words = words.format(ascii(files.client_cert)) if words is not None else None
    if words is not None:
        return Reason(f"{words} ({reason})", untaken=True)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) or "EOF" in reason:
        return Reason(
            f"the server closed the connection within TLS: check that the port speaks TLS ({reason or 'EOF'})"
        )
    return Reason(f"TLS failed ({reason})") if reason and reason.isascii() else None


def _flaw(code: int, address: str, ca_file: str | None) -> str:
    """What is wrong with the server's certificate, and what to do about it."""
    if code in _OTHER_NAME:
        return f"is for another name than {_host(address)}: use the name it was issued for in the URL"
    known = _VERIFIED.get(code) or "cannot be verified"
    if ca_file is None or known not in (_AUTHORITY, _SELF):
        return known
    given = f"{ca_file!a}, which was given as ca_file= (--ca-file)"
    if known == _SELF:
        return f"is self-signed, and not in {given}: put it into that file if it is the right one"
    return (
        f"was issued by an authority that is not in {given}: put that authority's certificate into it; {_asks(address)}"
    )


def _asks(address: str) -> str:
    """How to see who issued the certificate of the server at ``address``, which ssl does not tell of one refused."""
    parts = urlsplit(address)
    host = _host(address)
    place = f"[{host}]" if ":" in host else host
    return f"openssl s_client -showcerts -connect {place}:{parts.port or 443} shows its name (issuer)"


def _speaks_tls(links: list[BaseException]) -> bool:
    """Whether what came in place of an HTTP answer is a TLS record: an alert (21) or a handshake (22), of SSL 3 on."""
    return any(_octets(one)[:2] in (b"\x15\x03", b"\x16\x03") for one in links)


def _octets(error: BaseException) -> bytes:
    """What had come where an HTTP status line should."""
    if isinstance(error, Unreadable):
        return error.octets
    if isinstance(error, http.client.BadStatusLine):  # of a session that is not of ours
        return str(error.args[0] if error.args else "").encode("latin-1", "replace")
    return b""


# --- the way there ----------------------------------------------------------------------------------------------------

_TUNNEL = re.compile(r"\A(?:Tunnel connection failed: )?(?P<status>[1-5][0-9]{2})\b")
_ADDRESS = "check host and port of the URL"
_OS: Mapping[int, str] = MappingProxyType({
    errno.ECONNREFUSED: f"nothing listens there: {_ADDRESS}, and that the server runs",
    errno.EHOSTUNREACH: f"no route leads to that host: {_ADDRESS}, and the network",
    errno.ENETUNREACH: "no route leads to that network: check the network of this machine",
    errno.ENETDOWN: "the network is down: check the network of this machine",
    errno.ETIMEDOUT: f"the host does not answer: {_ADDRESS}, and firewalls on the way",
    errno.EADDRNOTAVAIL: "this machine has no free local port or address for it",
    errno.EMFILE: "this process has too many open files: close clients, or raise the limit",
    errno.ENFILE: "this machine has too many open files",
    errno.EACCES: "this machine does not permit the connection: check its firewall",
    errno.EPERM: "this machine does not permit the connection: check its firewall",
})  # fmt: skip


def _proxy(error: BaseException) -> Reason | None:
    """A proxy that did not open the tunnel: nothing of the request went further."""
    name = type(error).__name__
    if name != "ProxyError" and not (isinstance(error, OSError) and str(error).startswith("Tunnel connection failed")):
        return None
    status = _TUNNEL.match(str(error))
    if status is None:
        return None
    if status["status"] == "407":
        fix = "it wants credentials; put them into its URL, as in http://user:password@proxy.example:3128"
    else:
        fix = "check that it lets this machine connect to that host and port"
    return Reason(f"the proxy answered {status['status']}: {fix}", untaken=True)


def _network(error: OSError, address: str) -> Reason | None:
    if isinstance(error, socket.gaierror):
        again = error.errno == socket.EAI_AGAIN
        fix = "the DNS of this machine" if again else "the host in the URL, and the DNS of this machine"
        return Reason(f"gaierror: {error.strerror}; the host {_host(address)} was not found: check {fix}")
    words = _OS.get(error.errno or 0)
    if words is None:
        return None
    said = "Connection refused" if error.errno == errno.ECONNREFUSED else error.strerror
    return Reason(f"{type(error).__name__}: {said}; {words}")


def _silence(links: list[BaseException], address: str) -> Reason | None:
    """A connection that ended, or a time that ran out, before the first octet of an answer."""
    names = {type(one).__name__ for one in links}
    texts = " ".join(str(one) for one in links if type(one).__name__ == "RemoteProtocolError")
    plain = urlsplit(address).scheme == "http"
    hint = "; if the port speaks TLS, use https://" if plain else ""
    if "RemoteDisconnected" in names or "Server disconnected" in texts:
        return Reason(f"the server closed the connection without an answer{hint}")
    if "ConnectionResetError" in names:
        return Reason(f"ConnectionResetError: the server reset the connection{hint}")
    if names & {"ConnectTimeout", "ConnectTimeoutError"}:
        return Reason(f"ConnectTimeout: no connection in the time of timeouts.connect; {_ADDRESS}, and firewalls")
    if "BadStatusLine" in names or "RemoteProtocolError" in names:
        return Reason(f"what came is no HTTP; {_ADDRESS}")
    return None


def _host(address: str) -> str:
    return escaped(urlsplit(address).hostname or "")[:255]
