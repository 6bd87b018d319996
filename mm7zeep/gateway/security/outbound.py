"""Where the gateway may call: URLs judged when they are written, addresses judged when a connection is opened.

What a tenant may write as its callback must not reach what only this machine can reach. The host of a call is resolved
once, every address it has is judged, and the connection goes to one of those, so that a name which resolves otherwise a
moment later changes nothing. Host, SNI and certificate stay with the name. Refuses internal addresses, unless allowed,
and every proxy: it would choose the address itself.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
import requests.adapters
import urllib3
import urllib3.connection

from mm7zeep.errors import LocalError
from mm7zeep.gateway.security.special_addresses import Address, kind_of
from mm7zeep.transport import connections
from mm7zeep.transport.dialing import Dial, Target, dial
from mm7zeep.transport.failures import Refused

Resolve = Callable[..., Sequence[tuple[Any, Any, Any, Any, Any]]]
"""As ``socket.getaddrinfo``, called with (host, port, family, type)."""

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)  # RFC 1123 2.1; networks of containers use "_"
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.ASCII)
_REMEDY = "give one that everybody can reach, or set allow_internal = true"


def check_url(url: str, *, allow_internal: bool) -> None:
    """Whether the gateway may call ``url``, as far as can be told without resolving its name.

    Judges addresses in every spelling that resolvers take. Raises ``LocalError`` (a ``ValueError``) that says what is
    wrong with it and what to write; of the URL it repeats the host alone.
    """
    why = internal(url)
    if why is not None and not allow_internal:
        raise LocalError(f"{why}; {_REMEDY}")


def internal(url: str) -> str | None:
    """How the host of ``url`` is internal as it is written, in words; None for a name or an address that is not.

    Raises ``LocalError`` for what is no URL that may be called.
    """
    host = _host(_parts(url))
    literal = _literal(host)
    if literal is None:
        itself = host == "localhost" or host.endswith(".localhost")
        return f"the host of the URL, {host}, is this machine itself (RFC 6761 6.3)" if itself else None
    kind = kind_of(literal)
    meant = "" if str(literal) == host else f"{literal}, "
    return None if kind is None else f"the host of the URL, {host}, is {meant}{kind}"


def _parts(url: str) -> SplitResult:
    """``url`` taken apart. Raises ``LocalError`` for what no HTTP client should be given, and never repeats it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(c <= " " or c in "\x7f\\" for c in url):
        raise LocalError("this is no http or https URL with a host, such as https://vasp.example/mm7")
    if "@" in parts.netloc:
        raise LocalError("the URL holds credentials; take them out and give them as username and password")
    if "#" in url:
        raise LocalError("the URL has a fragment, which is never sent; take out what begins with #")
    if "%" in parts.netloc:
        raise LocalError("the host of the URL has a % in it; write the name or address plainly, without a zone")
    return parts


def _host(parts: SplitResult) -> str:
    """The host that a call would go to, in lower case and without a dot at its end: what requests makes of it."""
    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(parts.geturl(), None)
        host = urlsplit(str(prepared.url)).hostname or ""
    except (requests.RequestException, ValueError):  # whose text may repeat the URL, with its secrets
        raise LocalError(f"the host of the URL, {ascii(parts.hostname)[:80]}, is no host name; correct it") from None
    return host.removesuffix(".")


def _literal(host: str) -> Address | None:
    """The address that ``host`` is, None for a name. Raises ``LocalError`` for what is neither."""
    try:
        if ":" in host:
            return ip_address(host)
        if _NUMBER.fullmatch(host.rpartition(".")[2]):  # a name does not end so (WHATWG URL 3.5)
            return _numbers(host.split("."))
    except ValueError as error:
        raise LocalError(f"the host of the URL, {host[:80]}, is no address; write four numbers up to 255") from error
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise LocalError(f"the host of the URL, {host[:80]!r}, is no host name (RFC 1123 2.1); correct it")
    return None


def _numbers(pieces: Sequence[str]) -> IPv4Address:
    """As inet_aton: one to four numbers, decimal, octal (0) or hexadecimal (0x); the last fills what is left.

    Raises ``ValueError`` for others.
    """
    if len(pieces) > 4 or not all(_NUMBER.fullmatch(one) for one in pieces):
        raise ValueError("not one to four numbers")
    values = [int(one[2:] or "0", 16) if one[:2] == "0x" else int(one, 8 if one[0] == "0" else 10) for one in pieces]
    room = 8 * (5 - len(values))
    if any(value > 255 for value in values[:-1]) or values[-1] >= 1 << room:
        raise ValueError("a number is too large")
    return IPv4Address(sum(value << (24 - 8 * n) for n, value in enumerate(values[:-1])) + values[-1])


class Egress:
    """The guard of outgoing calls; safe to share between threads, as are its adapters.

    ``allow_internal`` lets calls go to loopback, private and reserved addresses. ``resolve`` is called once for each
    connection that is opened; ``dial`` connects to the target it is given, within seconds.
    """

    def __init__(
        self,
        allow_internal: bool = False,
        resolve: Resolve = socket.getaddrinfo,
        dial: Dial = dial,
    ) -> None:
        self.allow_internal = allow_internal
        self._resolve = resolve
        self._dial = dial
        self._pools = _guarded(self)

    def adapter(self, pool: int = 32) -> requests.adapters.HTTPAdapter:
        """A new adapter for one client (``MmscClient(url, adapter=egress.adapter())``), closed together with it.

        Keeps up to ``pool`` connections to one server open. A call it does not allow ends in ``TransportError``
        (``maybe_accepted`` False), and its text says why; ``failures.refusal`` tells such an error from others.
        """
        return _Adapter(self._pools, pool)

    def targets(self, host: str, port: int) -> list[Target]:
        """Where ``host`` can be reached, in the resolver's order.

        Raises ``Refused`` if any of its addresses is forbidden, ``OSError`` if it has none.
        """
        found = list(self._resolve(host, port, socket.AF_UNSPEC, socket.SOCK_STREAM))
        if not found:
            raise OSError("the name has no address")
        return [self._judged(host, *one) for one in found]

    def _judged(self, host: str, family: int, kind: int, protocol: int, _: Any, place: tuple[Any, ...]) -> Target:
        try:
            address = ip_address(str(place[0]))
        except ValueError:
            raise Refused(f"{host} resolves to something that is no IP address; correct the host of the URL") from None
        why = None if self.allow_internal else kind_of(address)
        if why is not None:
            how = "is" if str(address) == host else f"resolves to {address},"
            raise Refused(f"{host} {how} {why}; calls to internal addresses are refused: {_REMEDY}")
        return Target(family, kind, protocol, (str(address), *place[1:]))  # the very text that was judged

    def open(self, connection: urllib3.connection.HTTPConnection) -> socket.socket:
        """A socket for ``connection``, to a judged address of its host, as ``connections.connect`` opens it."""
        return connections.connect(connection, self.targets, self._dial)


def _guarded(egress: Egress) -> Mapping[str, type[urllib3.HTTPConnectionPool]]:
    """The pools of urllib3, by scheme, with connections that ``egress`` opens."""

    class Plain(connections.PlainConnection):
        def _new_conn(self) -> socket.socket:
            return egress.open(self)

    class Secure(connections.SecureConnection):
        def _new_conn(self) -> socket.socket:
            return egress.open(self)

    class PlainPool(connections.PlainPool):
        ConnectionCls = Plain

    class SecurePool(connections.SecurePool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class _Adapter(connections.JudgedAdapter):
    """An adapter whose connections are guarded."""

    def __init__(self, pools: Mapping[str, type[urllib3.HTTPConnectionPool]], size: int) -> None:
        self._guarded = dict(pools)
        super().__init__(size)

    def __reduce__(self) -> Any:
        raise TypeError("a guarded adapter is not copied; make another with Egress.adapter()")

    def pools(self) -> dict[str, type[urllib3.HTTPConnectionPool]]:
        return self._guarded

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        # the proxy would resolve the name itself
        raise LocalError("calls of the gateway go through no proxy, which could not be guarded; leave proxies out")
