"""Which IP addresses are internal: loopback, private, link-local and the others that not everybody can reach.

Values in, words out: resolves and connects nothing. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

# The IANA registries of special-purpose addresses (RFC 6890), written out: what ``ipaddress`` calls private has changed
# between releases of Python. The first that fits says what it is.
_KINDS_4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("127.0.0.0/8", "a loopback address"),
        ("0.0.0.0/8", "an unspecified address (RFC 1122 3.2.1.3)"),
        ("10.0.0.0/8", "a private address (RFC 1918)"),
        ("172.16.0.0/12", "a private address (RFC 1918)"),
        ("192.168.0.0/16", "a private address (RFC 1918)"),
        ("169.254.0.0/16", "a link-local address (RFC 3927; cloud metadata stands there)"),
        ("100.64.0.0/10", "a carrier-grade NAT address (RFC 6598)"),
        ("224.0.0.0/4", "a multicast address"),
        ("192.0.0.0/24", "a reserved address (RFC 6890)"),
        ("192.0.2.0/24", "a reserved address (documentation, RFC 5737)"),
        ("198.51.100.0/24", "a reserved address (documentation, RFC 5737)"),
        ("203.0.113.0/24", "a reserved address (documentation, RFC 5737)"),
        ("192.88.99.0/24", "a reserved address (6to4 relays, RFC 7526)"),
        ("198.18.0.0/15", "a reserved address (benchmarks, RFC 2544)"),
        ("240.0.0.0/4", "a reserved address (RFC 1112 4)"),
    )
)
_KINDS_6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::1/128", "a loopback address"),
        ("::/128", "an unspecified address"),
        ("fc00::/7", "a unique-local address (RFC 4193)"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address (RFC 3879)"),
        ("ff00::/8", "a multicast address"),
        ("64:ff9b:1::/48", "an address of a local translator (RFC 8215)"),
        ("2001::/23", "a reserved address (RFC 2928)"),
        ("2001:db8::/32", "a reserved address (documentation, RFC 3849)"),
        ("3fff::/20", "a reserved address (documentation, RFC 9637)"),
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")  # RFC 4291 2.4: all else is reserved
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052 2.1


def kind_of(address: Address) -> str | None:
    """What kind of internal address this is, or None for one that everybody can reach.

    An IPv6 address that stands for IPv4 ones (mapped, NAT64, 6to4, Teredo) is what they are.
    """
    if isinstance(address, IPv4Address):
        return next((kind for network, kind in _KINDS_4 if address in network), None)
    embedded = tuple(_embedded(address))
    if embedded:
        kinds = ((one, kind_of(one)) for one in embedded)
        return next((f"a form of {one}, {kind}" for one, kind in kinds if kind), None)
    kind = next((kind for network, kind in _KINDS_6 if address in network), None)
    return kind or (None if address in _GLOBAL_6 else "a reserved address (RFC 4291 2.4)")


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that a packet to ``address`` may end at."""
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    yield from address.teredo or ()
