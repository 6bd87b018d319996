"""Whose address a request comes from, and whether it stands in a list of addresses and ranges.

Values in, values out: no name is looked up. Refuses, with ``ValueError``, a list that cannot be read; an address that
cannot be read is nobody's.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from mm7zeep.exchange import Headers

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOPS = 32  # of an X-Forwarded-For that are looked at; more are not believed
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_WITH_PORT = re.compile(r"([0-9.]{7,15}|\[[^\[\]]{2,80}\])(?::([0-9]{1,5}))?")


def address(text: str) -> Address | None:
    """The address ``text`` stands for; None if it is none.

    The zone of a link-local address (``fe80::1%eth0``) is left out, an IPv4 address mapped into IPv6
    (``::ffff:192.0.2.1``, RFC 4291 2.5.5.2) is the IPv4 one.
    """
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        return found.ipv4_mapped or ipaddress.IPv6Address(int(found))
    return found


def source(found: Address | None) -> str:
    """What connections and guesses are counted by: an address, but of IPv6 the /64, which is one customer's."""
    if found is None or found.version == 4:
        return str(found)
    return f"{int(found) >> 64:x}/64"


class Networks:
    """Addresses and ranges (``192.0.2.7``, ``10.0.0.0/8``, ``2001:db8::/32``); ``in`` tells whether one is among them.

    A range of mapped IPv6 addresses is the range of the IPv4 ones; ``::/0`` holds no IPv4 address. Raises
    ``ValueError``, naming the bad one.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._networks = tuple(_network(one) for one in texts)

    def __contains__(self, one: Address | None) -> bool:
        return one is not None and any(one in network for network in self._networks)

    def __bool__(self) -> bool:
        return bool(self._networks)


def _network(text: str) -> Network:
    if "%" in text:
        raise ValueError(f"{text!r} names a zone; write the address without its % and what follows")
    try:
        found = ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise ValueError(
            f"{text!r} is no address or range ({error}); write it as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32"
        ) from None
    if isinstance(found, ipaddress.IPv6Network) and found.subnet_of(_MAPPED):
        return ipaddress.IPv4Network((int(found.network_address) & 0xFFFFFFFF, found.prefixlen - 96))
    return found


def peer_of(peer: str | None, headers: Headers, trusted: Networks) -> Address | None:
    """Who asks: the connection's ``peer``, or whom trusted proxies speak for; None, to be denied, if that is unclear.

    Of a trusted proxy all X-Forwarded-For fields are read as one list, and its right-most hop that is no trusted proxy
    counts; the left-most, if all are. A hop may have a port (``192.0.2.1:80``, ``[2001:db8::1]:80``). One hop that is
    no address, an empty one, or more than 32 of them make the whole list unclear. Without the field the proxy speaks
    for itself. Nobody else's X-Forwarded-For is looked at.
    """
    near = address(peer) if peer is not None else None
    fields = [value for name, value in headers if name.lower() == "x-forwarded-for"]
    if near not in trusted or not fields:
        return near
    texts = ",".join(fields).split(",")
    if len(texts) > _HOPS:
        return None
    hops = [_hop(one.strip(" \t")) for one in texts]
    if None in hops:
        return None
    return next((one for one in reversed(hops) if one not in trusted), hops[0])


def _hop(text: str) -> Address | None:
    found = _WITH_PORT.fullmatch(text)
    if found is None:
        return address(text)
    host, port = found.groups()
    if port is not None and int(port) > 65535:
        return None
    return address(host.strip("[]")) if not host.startswith("[") or ":" in host else None
