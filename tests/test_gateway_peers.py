"""Whose address a request comes from: the connection's, or the right-most hop that no trusted proxy speaks for."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm7zeep.gateway.security.client_address import Networks, address, peer_of

# --- addresses --------------------------------------------------------------------------------------------------------

ADDRESSES: dict[str, str | None] = {
    "192.0.2.1": "192.0.2.1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "::FFFF:c000:201": "192.0.2.1",
    "::ffff:192.0.2.1%eth0": "192.0.2.1",
    "fe80::1%eth0": "fe80::1",
    "fe80::1%1": "fe80::1",
    "2001:DB8:0:0::1": "2001:db8::1",
    "::1": "::1",
    "::192.0.2.1": "::c000:201",
    "": None,
    " 192.0.2.1": None,
    "192.0.2.1%eth0": None,
    "fe80::1%": None,
    "127.1": None,
    "010.0.0.1": None,
    "0x7f000001": None,
    "2130706433": None,
    "192.0.2.256": None,
    "192.0.2.1/32": None,
    "١٩٢.0.2.1": None,
    "[::1]": None,
    "localhost": None,
    "unknown": None,
}


@pytest.mark.parametrize(("text", "wanted"), ADDRESSES.items())
def test_address(text: str, wanted: str | None) -> None:
    """An address has one form: without zone, and IPv4 where it is mapped; what is no address is None."""
    assert address(text) == (ip_address(wanted) if wanted else None)


# --- ranges -----------------------------------------------------------------------------------------------------------

INSIDE: list[tuple[str, str, bool]] = [
    ("192.0.2.7", "192.0.2.7", True),
    ("192.0.2.7", "::ffff:192.0.2.7", True),
    ("192.0.2.7", "192.0.2.8", False),
    ("10.0.0.0/8", "10.255.0.1", True),
    ("10.0.0.0/8", "11.0.0.1", False),
    ("0.0.0.0/0", "203.0.113.1", True),
    ("0.0.0.0/0", "2001:db8::1", False),
    ("::/0", "2001:db8::1", True),
    ("::/0", "192.0.2.1", False),
    ("::/0", "::ffff:192.0.2.1", False),
    ("::ffff:10.0.0.0/104", "10.1.2.3", True),
    ("::ffff:10.0.0.0/104", "11.1.2.3", False),
    ("::ffff:192.0.2.1", "192.0.2.1", True),
    ("2001:db8::/32", "2001:db8:ffff::1", True),
    ("fe80::/10", "fe80::1%eth0", True),
    ("fe80::1", "fe80::1%wlan0", True),
    (" 192.0.2.7 ", "192.0.2.7", True),
]


@pytest.mark.parametrize(("network", "one", "wanted"), INSIDE)
def test_inside(network: str, one: str, wanted: bool) -> None:
    """An address is in a range whatever form either was written in, and never in one of the other version."""
    assert (address(one) in Networks([network])) is wanted


def test_none_and_nothing() -> None:
    """Nobody is in any range, and no range holds anybody."""
    assert None not in Networks(["0.0.0.0/0", "::/0"])
    assert ip_address("192.0.2.1") not in Networks()
    assert not Networks()
    assert Networks(["::1"])


@pytest.mark.parametrize(
    "text", ["10.0.0.1/8", "10.0.0.0/33", "300.0.0.1", "", "mmsc.example", "10.0.0.0-10.0.0.9", "fe80::1%eth0", "10."]
)
def test_unreadable_range(text: str) -> None:
    """A range that cannot be read is named, with the form that can."""
    with pytest.raises(ValueError, match="write ") as caught:
        Networks(["192.0.2.1", text])
    assert repr(text) in str(caught.value)


# --- behind proxies ---------------------------------------------------------------------------------------------------

TRUSTED = Networks(["10.0.0.0/8", "fd00::/8", "192.0.2.80"])
PROXY, STRANGER = "10.0.0.1", "203.0.113.9"
HOPS: dict[str, tuple[str | None, list[str], str | None]] = {
    "no proxy": (STRANGER, [], STRANGER),
    "spoofed by a stranger": (STRANGER, ["198.51.100.1"], STRANGER),
    "garbage of a stranger": (STRANGER, ["garbage"], STRANGER),
    "a stranger in mapped form": (f"::ffff:{STRANGER}", ["198.51.100.1"], STRANGER),
    "one hop": (PROXY, ["198.51.100.1"], "198.51.100.1"),
    "a proxy in mapped form": (f"::ffff:{PROXY}", ["198.51.100.1"], "198.51.100.1"),
    "a mapped hop": (PROXY, ["::ffff:198.51.100.1"], "198.51.100.1"),
    "a hop with a zone": (PROXY, ["fe80::7%eth0"], "fe80::7"),
    "spoofed through the proxy": (PROXY, ["192.168.0.1, 198.51.100.1"], "198.51.100.1"),
    "two fields": (PROXY, ["192.168.0.1", "198.51.100.1"], "198.51.100.1"),
    "two proxies": (PROXY, ["198.51.100.1, 10.2.2.2, fd00::2"], "198.51.100.1"),
    "two proxies, two fields": (PROXY, ["192.168.0.1,198.51.100.1", "10.2.2.2"], "198.51.100.1"),
    "only proxies": (PROXY, ["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
    "white space": (PROXY, [" 198.51.100.1\t,10.2.2.2 "], "198.51.100.1"),
    "the proxy itself": (PROXY, [], PROXY),
    "with a port": (PROXY, ["198.51.100.1:5678"], "198.51.100.1"),
    "IPv6 with a port": (PROXY, ["[2001:db8::1]:5678"], "2001:db8::1"),
    "IPv6 in brackets": (PROXY, ["[2001:db8::1]"], "2001:db8::1"),
    "a port too high": (PROXY, ["198.51.100.1:65536"], None),
    "a port that is none": (PROXY, ["198.51.100.1:x"], None),
    "IPv4 in brackets": (PROXY, ["[198.51.100.1]"], None),
    "garbage": (PROXY, ["garbage"], None),
    "garbage on the left": (PROXY, ["garbage, 198.51.100.1"], None),
    "garbage behind": (PROXY, ["198.51.100.1, garbage"], None),
    "unknown": (PROXY, ["unknown, 198.51.100.1"], None),
    "empty": (PROXY, [""], None),
    "an empty second field": (PROXY, ["198.51.100.1", ""], None),
    "a doubled comma": (PROXY, ["198.51.100.1,, 10.2.2.2"], None),
    "a comma at the end": (PROXY, ["198.51.100.1,"], None),
    "quoted": (PROXY, ['"198.51.100.1"'], None),
    "a range": (PROXY, ["198.51.100.0/24"], None),
    "very many": (PROXY, ["198.51.100.1, " * 40 + "198.51.100.1"], None),
    "16 KiB": (PROXY, ["1," * 8000], None),
    "no connection": (None, ["198.51.100.1"], None),
    "a socket's name": ("/run/mm7.sock", ["198.51.100.1"], None),
}


@pytest.mark.parametrize(("peer", "fields", "wanted"), HOPS.values(), ids=HOPS)
def test_peer(peer: str | None, fields: list[str], wanted: str | None) -> None:
    """The connection decides; of a trusted proxy the right-most untrusted hop; what is unclear is nobody."""
    headers = (("Host", "a"), *(("x-forwarded-FOR", one) for one in fields), ("Forwarded", "for=192.0.2.99"))
    assert peer_of(peer, headers, TRUSTED) == (ip_address(wanted) if wanted else None)


def test_nobody_is_trusted() -> None:
    """Without trusted proxies no X-Forwarded-For is believed, not even from loopback."""
    headers = (("X-Forwarded-For", "198.51.100.1"),)
    assert peer_of("127.0.0.1", headers, Networks()) == ip_address("127.0.0.1")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=3))
def test_whatever_comes(fields: list[str]) -> None:
    """Any field at all gives an address or nobody."""
    found = peer_of(PROXY, tuple(("X-Forwarded-For", one) for one in fields), TRUSTED)
    assert found is None or str(found)
