"""The guard of the gateway's own calls: what may be written as a URL, and what may be connected to."""

from __future__ import annotations

import base64
import copy
import socket
import ssl
import time
import traceback
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from far_side import CLOSE, FarSide, http, proper

from mm7zeep.client import MmscClient, Retry, VaspClient
from mm7zeep.errors import LocalError, TransportError
from mm7zeep.gateway.security import outbound
from mm7zeep.gateway.security.outbound import Egress, Target, check_url
from mm7zeep.gateway.security.special_addresses import kind_of
from mm7zeep.messages import DeliverReq
from mm7zeep.transport import Digest, SwaTransport, Timeouts
from mm7zeep.transport.failures import refusal

PUBLIC, OTHER = "8.8.8.8", "9.9.9.9"  # never connected to: tests that resolve to them dial elsewhere

INTERNAL = {
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "10.0.0.1": "private",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.168.1.1": "private",
    "169.254.169.254": "link-local",
    "100.64.0.1": "carrier-grade NAT",
    "100.127.255.255": "carrier-grade NAT",
    "192.0.0.8": "reserved",
    "192.0.2.1": "reserved",
    "198.51.100.1": "reserved",
    "203.0.113.1": "reserved",
    "192.88.99.1": "reserved",
    "198.18.0.1": "reserved",
    "224.0.0.1": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::1": "loopback",
    "::": "unspecified",
    "fc00::1": "unique-local",
    "fd12:3456::1": "unique-local",
    "fe80::1": "link-local",
    "fe80::1%1": "link-local",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
    "2001:db8::1": "reserved",
    "2001:10::1": "reserved",
    "3fff::1": "reserved",
    "100::1": "reserved",
    "5f00::1": "reserved",
    "::127.0.0.1": "reserved",  # IPv4-compatible, RFC 4291 2.5.5.1
    "::ffff:0:127.0.0.1": "reserved",  # IPv4-translated, RFC 2765 2.1
    "::ffff:127.0.0.1": "127.0.0.1, a loopback",
    "::ffff:10.0.0.1": "10.0.0.1, a private",
    "::ffff:169.254.169.254": "169.254.169.254, a link-local",
    "64:ff9b::10.0.0.1": "10.0.0.1, a private",
    "64:ff9b:1::8.8.8.8": "local translator",
    "2002:7f00:1::": "127.0.0.1, a loopback",
    "2002:a9fe:a9fe::1": "169.254.169.254, a link-local",
    "2001:0:7f00:1::f7f7:f7f7": "127.0.0.1, a loopback",  # Teredo: server 127.0.0.1, client 8.8.8.8
    "2001:0:808:808::f5ff:fffe": "10.0.0.1, a private",  # Teredo: server 8.8.8.8, client 10.0.0.1
}
OPEN = [
    PUBLIC, "1.0.0.1", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "169.253.1.1", "198.17.255.255",
    "223.255.255.255", "2606:4700::1111", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
    "2002:808:808::1", "2001:0:808:808::f7f7:f7f7",
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), INTERNAL.items(), ids=INTERNAL.keys())
def test_internal_addresses(text: str, kind: str) -> None:
    """Each kind of internal address is known by its words, also inside an IPv6 address."""
    assert kind in (kind_of(ip_address(text)) or "nothing")


@pytest.mark.parametrize("text", OPEN)
def test_open_addresses(text: str) -> None:
    """The neighbours of the internal ranges, and forms of open IPv4 addresses, are open."""
    assert kind_of(ip_address(text)) is None


# The host as it may be written -> what the refusal says of it.
SPELLINGS = {
    "127.0.0.1": "127.0.0.1, is a loopback address",
    "127.1": "127.1, is 127.0.0.1, a loopback",
    "127.0.1": "127.0.0.1, a loopback",
    "0x7f000001": "127.0.0.1, a loopback",
    "0X7F.1": "127.0.0.1, a loopback",
    "2130706433": "127.0.0.1, a loopback",
    "017700000001": "127.0.0.1, a loopback",
    "0177.0.0.1": "127.0.0.1, a loopback",
    "0x7f.0.0.0x1": "127.0.0.1, a loopback",
    "127.0.0.1.": "a loopback",
    "127.1.": "127.0.0.1, a loopback",
    "0": "0.0.0.0, an unspecified",
    "0x": "0.0.0.0, an unspecified",
    "0.0.0.0": "an unspecified",
    "10.1": "10.0.0.1, a private",
    "192.168.257": "192.168.1.1, a private",
    "169.254.169.254": "a link-local",
    "2852039166": "169.254.169.254, a link-local",
    "[::1]": "::1, is a loopback",
    "[0:0:0:0:0:0:0:1]": "a loopback",
    "[::]": "an unspecified",
    "[::ffff:127.0.0.1]": "a form of 127.0.0.1, a loopback",
    "[::FFFF:7F00:1]": "a form of 127.0.0.1, a loopback",
    "[fe80::1]": "a link-local",
    "[fd00::1]": "a unique-local",
    "localhost": "this machine",
    "LOCALHOST.": "this machine",
    "mm7.localhost": "this machine",
}
BROKEN = {
    "127%2e0%2e0%2e1": "%",
    "127.0.0.1%00.vasp.example": "%",
    "[fe80::1%25eth0]": "%",
    "[fe80::1%eth0]": "%",
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11": "no host name|127.0.0.1",
    "127。0。0。1": "no host name|127.0.0.1",
    "①②⑦.0.0.1": "no host name|127.0.0.1",
    "ⓛocalhost": "no host name|this machine",
    "loc\u00adalhost": "no host name|this machine",
    "256.1.1.1": "no address",
    "1.2.3.4.5": "no address",
    "08.8.8.8": "no address",
    "1..1": "no address",
    "4294967296": "no address",
    "vasp.example.1": "no address",
    "vasp..example": "no host name",
    ".vasp.example": "no host name",
    "*.vasp.example": "no host name",
    "-vasp.example": "no host name",
    "a" * 64 + ".example": "no host name",
    "a." * 130 + "example": "no host name",
    "vasp.example..": "no host name",
    ".": "no host name|no http",
    "[::1": "no http",
    "[1.2.3.4]": "no http|no host name|no address",
    "[v1.x]": "no http|no host name|no address",
    "vasp.example\\@127.0.0.1": "no http",
    "vasp.example\\.other": "no http",
    "vasp.example\n": "no http",
    "vasp example": "no http",
    "": "no http",
    "vasp.example:0": "no http",
    "vasp.example:99999": "no http",
}
ROWS = [(f"http://{host}/mm7", words) for host, words in (SPELLINGS | BROKEN).items()]


@pytest.mark.parametrize(("url", "words"), ROWS, ids=[ascii(url) for url, _ in ROWS])
def test_url_is_refused_where_it_is_written(url: str, words: str) -> None:
    """Every spelling of an internal address, and every host that is none, is refused before anything is resolved."""
    with pytest.raises(LocalError) as info:
        check_url(url, allow_internal=False)
    assert any(one in str(info.value) for one in words.split("|"))


@pytest.mark.parametrize("host", SPELLINGS)
def test_internal_urls_can_be_allowed(host: str) -> None:
    """``allow_internal`` takes them all, and the refusal names it."""
    check_url(f"http://{host}:8080/mm7", allow_internal=True)
    with pytest.raises(LocalError, match="or set allow_internal = true"):
        check_url(f"http://{host}:8080/mm7", allow_internal=False)


@pytest.mark.parametrize("allow_internal", [True, False])
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://tom:s3cret@vasp.example/mm7", "the URL holds credentials"),
        ("https://@vasp.example/mm7", "the URL holds credentials"),
        ("https://vasp.example/mm7?key=s3cret#there", "a fragment"),
        ("https://vasp.example/mm7?key=s3cret#", "a fragment"),
        ("ftp://vasp.example/s3cret", "no http or https URL"),
        ("file:///etc/s3cret", "no http or https URL"),
        ("gopher://vasp.example/", "no http or https URL"),
        ("//vasp.example/s3cret", "no http or https URL"),
        ("vasp.example/s3cret", "no http or https URL"),
        ("https:///s3cret", "no http or https URL"),
        ("https://vasp.example/s3cret\r\nHost: x", "no http or https URL"),
        ("https://vasp%2eexample/s3cret", "has a % in it"),
        ("https://1.2.3.4.5/s3cret", "no address"),
        ("https://-/s3cret", "no host name"),
    ],
)
def test_url_that_nobody_may_write(url: str, words: str, allow_internal: bool) -> None:
    """What is no plain http or https URL is refused in any case, and its secrets are not repeated."""
    with pytest.raises(LocalError) as info:
        check_url(url, allow_internal=allow_internal)
    assert words in str(info.value)
    assert "s3cret" not in str(info.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://vasp.example/mm7?key=%20",
        "HTTPS://VASP.Example.:8443",
        "http://mmsc_1.vasp-net/mm7/@here",
        "http://bücher.example/mm7",
        "http://8.8.8.8/mm7",
        "http://134744072/mm7",
        "http://[2606:4700::1111]:8080/mm7",
        "http://localhost.example/mm7",
        "http://127.0.0.1.example/mm7",
    ],
)
def test_sound_urls(url: str) -> None:
    """Names, which are judged when they are resolved, and open addresses pass."""
    check_url(url, allow_internal=False)
    check_url(url, allow_internal=True)


class Names:
    """A resolver: each name's answers, one for each time it is asked, the last one repeats; counts the questions."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = {name.replace("_", "."): list(rows) for name, rows in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, family: int = 0, type: int = 0) -> list[Any]:
        self.asked.append(host)
        rows = self.answers[host.rstrip(".")]
        addresses = rows.pop(0) if len(rows) > 1 else rows[0]
        return [self._row(ip_address(one), port) for one in addresses]

    @staticmethod
    def _row(address: Any, port: int) -> tuple[Any, ...]:
        if address.version == 4:
            return socket.AF_INET, socket.SOCK_STREAM, 6, "", (str(address), port)
        return socket.AF_INET6, socket.SOCK_STREAM, 6, "", (str(address), port, 0, 0)


class Dialer:
    """Notes the addresses it is to connect to, and connects to the far side instead."""

    def __init__(self, far: FarSide) -> None:
        self.far = far
        self.dialled: list[str] = []
        self.dead: set[str] = set()
        self.shares: list[float | None] = []
        self.slow = 0.0

    def __call__(self, target: Target, timeout: float | None, options: Sequence[tuple[Any, ...]]) -> socket.socket:
        self.dialled.append(target.place[0])
        self.shares.append(timeout)
        if target.place[0] in self.dead:
            time.sleep(self.slow)
            raise TimeoutError("timed out")
        return outbound.dial(Target(socket.AF_INET, socket.SOCK_STREAM, 6, ("127.0.0.1", _port(self.far))), 3, options)


def _port(far: FarSide) -> int:
    return int(far.url.split(":")[2].split("/")[0])


def named(far: FarSide, host: str) -> str:
    """The URL of the far side under another name."""
    return far.url.replace("127.0.0.1", host)


def client(url: str, guard: Egress, **options: Any) -> MmscClient:
    """As the gateway makes one for each endpoint."""
    options = {"timeouts": Timeouts(connect=3, read=3), "retry": Retry(times=0), **options}
    return MmscClient(url, adapter=guard.adapter(), **options)


def deliver(sender: MmscClient) -> str | None:
    """One MO message; the ServiceCode of its answer."""
    return sender.deliver(DeliverReq(sender="+491", to=["+492"])).answer.service_code


def refused(url: str, guard: Egress, **options: Any) -> TransportError:
    """The error of one call that does not go out."""
    with client(url, guard, **options) as sender, pytest.raises(TransportError) as info:
        deliver(sender)
    assert not info.value.maybe_accepted
    return info.value


def test_loopback_is_refused_by_default() -> None:
    """An address in the URL: nothing is opened, the text says which host, why, and how to allow it."""
    with FarSide() as far:
        error = refused(f"{far.url}?key=k3y", Egress(), auth=("tom", "s3cret"))
        port = _port(far)
        assert far.connections == 0
    assert refusal(error) is not None
    assert str(error) == (
        f"the request could not be sent to 127.0.0.1:{port}: 127.0.0.1 is a loopback address; calls to internal "
        "addresses are refused: give one that everybody can reach, or set allow_internal = true"
    )
    told = "".join(traceback.format_exception(error))  # with all that led to it
    assert "s3cret" not in told
    assert base64.b64encode(b"tom:s3cret").decode() not in told


@pytest.mark.parametrize("spelling", ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]"])
def test_odd_spellings_are_refused_when_called(spelling: str) -> None:
    """The resolver of the system reads them as it likes: what it makes of them is judged."""
    with FarSide() as far:
        error = refused(named(far, spelling), Egress())
        assert far.connections == 0
    reason = refusal(error)
    assert reason is None or "a loopback address" in str(reason)  # a resolver may also know no such name


def test_escaped_address_is_refused() -> None:
    """Versions of urllib3 differ in what they make of the escapes: the host is refused before one reads it."""
    with FarSide() as far:
        with pytest.raises(LocalError, match="no http or https URL with a host"):
            client(named(far, "127%2e0%2e0%2e1"), Egress())
        assert far.connections == 0


@pytest.mark.parametrize("text", INTERNAL)
def test_name_of_an_internal_address_is_refused(text: str) -> None:
    """By whichever address a name leads inside, no connection is opened."""
    with FarSide() as far:
        dialer = Dialer(far)
        error = refused(named(far, "vasp.example"), Egress(resolve=Names(vasp_example=[[text]]), dial=dialer))
        assert dialer.dialled == []
    assert f"vasp.example resolves to {ip_address(text)}, " in str(refusal(error))


def test_one_forbidden_address_among_several() -> None:
    """The name is refused whole, wherever the forbidden address stands in the answer."""
    for row in ([PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "2606:4700::1111", "::ffff:127.0.0.1"]):
        with FarSide() as far:
            dialer = Dialer(far)
            error = refused(named(far, "vasp.example"), Egress(resolve=Names(vasp_example=[row]), dial=dialer))
            assert dialer.dialled == []
        assert "calls to internal addresses are refused" in str(error)


def test_allow_internal_connects() -> None:
    """A name of loopback is called where that is allowed: resolved once, Host and port as in the URL."""
    names = Names(vasp_example=[["127.0.0.1"]])
    with FarSide() as far:
        with client(named(far, "vasp.example"), Egress(allow_internal=True, resolve=names)) as sender:
            assert deliver(sender) == "news"
            assert deliver(sender) == "news"
        assert far.connections == 1  # kept open, as with the adapter of requests
        assert far.requests[0].header("Host") == f"vasp.example:{_port(far)}"
    assert names.asked == ["vasp.example"]


def test_system_resolver_is_the_default() -> None:
    """Without a resolver of its own the guard asks the system."""
    with FarSide() as far, client(far.url, Egress(allow_internal=True)) as sender:
        assert deliver(sender) == "news"


def test_rebinding_changes_nothing() -> None:
    """A name that is open when judged and loopback a moment later: there is no later, it is resolved once."""
    names = Names(vasp_example=[[PUBLIC], ["127.0.0.1"]])
    with FarSide([http(503, Connection="close"), CLOSE], proper) as far:
        dialer = Dialer(far)
        with client(named(far, "vasp.example"), Egress(resolve=names, dial=dialer)) as sender:
            with pytest.raises(TransportError, match="503"):
                deliver(sender)
            assert (names.asked, dialer.dialled) == (["vasp.example"], [PUBLIC])
            # that connection is closed; a new one is judged anew
            with pytest.raises(TransportError, match=r"resolves to 127\.0\.0\.1") as info:
                deliver(sender)
        assert not info.value.maybe_accepted
        assert (names.asked, dialer.dialled) == (["vasp.example"] * 2, [PUBLIC])
        assert len(far.requests) == 1


def test_refused_after_a_challenge() -> None:
    """Digest sends a request twice; where the second may not go out, the first was answered: nothing was accepted."""
    names = Names(vasp_example=[[PUBLIC], ["10.0.0.1"]])
    challenge = http(401, WWW_Authenticate='Digest realm="r", nonce="n", qop="auth"', Connection="close")
    with FarSide([challenge, CLOSE], proper) as far:
        guard = Egress(resolve=names, dial=Dialer(far))
        error = refused(named(far, "vasp.example"), guard, auth=Digest("tom", "s3cret"))
        assert len(far.requests) == 1
    assert "vasp.example resolves to 10.0.0.1" in str(error)
    assert "s3cret" not in str(error)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(status: int) -> None:
    """An answer that points inside is an error; nothing is asked of its host."""
    names = Names(vasp_example=[["127.0.0.1"]])
    with FarSide() as inside, FarSide([http(status, Location=inside.url)]) as far:
        guard = Egress(allow_internal=True, resolve=names)
        error = refused(named(far, "vasp.example"), guard)
        assert len(far.requests) == 1
        assert inside.connections == 0
    assert "not followed" in str(error)
    assert names.asked == ["vasp.example"]


def test_next_address_is_tried() -> None:
    """One that does not answer gets its share of the time; the next one is another that was judged."""
    with FarSide() as far:
        dialer = Dialer(far)
        dialer.dead = {PUBLIC}
        guard = Egress(resolve=Names(vasp_example=[[PUBLIC, OTHER]]), dial=dialer)
        timeouts = Timeouts(connect=8, read=3)
        with client(named(far, "vasp.example"), guard, timeouts=timeouts) as sender:
            assert deliver(sender) == "news"
        assert dialer.dialled == [PUBLIC, OTHER]
    first, second = dialer.shares
    assert first == pytest.approx(4, abs=0.5)
    assert second == pytest.approx(8, abs=0.5)


def test_no_address_answers() -> None:
    """A server that is not there is no refusal: the usual error, which is tried again."""
    with FarSide() as far:
        dialer = Dialer(far)
        dialer.dead = {PUBLIC, OTHER}
        guard = Egress(resolve=Names(vasp_example=[[PUBLIC, OTHER]]), dial=dialer)
        error = refused(named(far, "vasp.example"), guard)
    assert refusal(error) is None
    assert "ConnectTimeout" in str(error)


def test_time_is_for_all_addresses_together() -> None:
    """A name with many dead addresses holds a call no longer than one with a single one."""
    with FarSide() as far:
        dialer = Dialer(far)
        dialer.dead, dialer.slow = {PUBLIC}, 0.06
        guard = Egress(resolve=Names(vasp_example=[[PUBLIC] * 20]), dial=dialer)
        error = refused(named(far, "vasp.example"), guard, timeouts=Timeouts(connect=0.1, read=3))
    assert "ConnectTimeout" in str(error)
    assert 1 <= len(dialer.dialled) <= 2


def _unknown(*_: Any) -> list[Any]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _too_long(*_: Any) -> list[Any]:
    raise UnicodeError("label empty or too long")


@pytest.mark.parametrize(
    ("resolve", "words"),
    [
        (_unknown, "gaierror: Name or service not known"),
        (_too_long, "LocationParseError"),
        (lambda *_: [], "NewConnectionError"),
    ],
    ids=["unknown", "label too long", "no address"],
)
def test_name_that_does_not_resolve(resolve: outbound.Resolve, words: str) -> None:
    """What the resolver says is told as without the guard."""
    error = refused("http://vasp.example/mm7", Egress(resolve=resolve))
    assert words in str(error)
    assert refusal(error) is None


def test_connection_refused() -> None:
    """A closed port is told in the words of the system."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = refused(f"http://127.0.0.1:{port}/mm7", Egress(allow_internal=True))
    assert "ConnectionRefusedError: Connection refused" in str(error)
    assert refusal(error) is None


@pytest.mark.parametrize("place", [(10, b"\x7f"), ("vasp.example", 80), ("127.1", 80)])
def test_resolver_that_gives_no_address(place: tuple[Any, ...]) -> None:
    """What is no IP address in its plain form would be resolved again by ``connect``; refused even inside."""
    guard = Egress(allow_internal=True, resolve=lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place)])
    assert "no IP address" in str(refused("http://vasp.example/mm7", guard))


def test_upstreams_are_guarded_too() -> None:
    """``VaspClient`` takes the same adapter."""
    with FarSide() as far:
        with (
            VaspClient(far.url, vaspid="v", adapter=Egress().adapter(), retry=Retry(times=0)) as sender,
            pytest.raises(TransportError, match="a loopback address"),
        ):
            sender.submit("+491", "hello")
        adapter = Egress(allow_internal=True).adapter()
        with VaspClient(far.url, vaspid="v", adapter=adapter) as sender:
            assert sender.submit("+491", "hello").message_id == "m-1"


def test_proxies_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the environment is not used; one that is given cannot be guarded, and is refused."""
    with FarSide() as far, FarSide() as proxy:
        base = proxy.url.removesuffix("/mm7")
        monkeypatch.setenv("http_proxy", base)
        with client(far.url, Egress(allow_internal=True)) as sender:
            assert deliver(sender) == "news"
        with (
            client(far.url, Egress(allow_internal=True), proxies={"http": base}) as sender,
            pytest.raises(LocalError, match="no proxy"),
        ):
            deliver(sender)
        assert proxy.connections == 0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """A server context with the certificate of vasp.example alone, and the file of its authority."""
    ca = trustme.CA()
    file = tmp_path_factory.mktemp("egress") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("vasp.example").configure_cert(context)
    return context, str(file)


def test_certificate_is_that_of_the_name(authority: tuple[ssl.SSLContext, str]) -> None:
    """Connected to by address, the server is asked for, and verified by, the name in the URL."""
    context, ca_file = authority
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    names = Names(vasp_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
    guard = Egress(allow_internal=True, resolve=names)
    with FarSide(tls=context) as far:
        for host in ("vasp.example", "vasp.example."):
            with client(named(far, host), guard, ca_file=ca_file) as sender:
                assert deliver(sender) == "news"
        for host in ("other.example", "127.0.0.1"):
            names.answers["127.0.0.1"] = [["127.0.0.1"]]
            error = refused(named(far, host), guard, ca_file=ca_file)
            assert "certificate" in str(error)
        assert "certificate" in str(refused(named(far, "vasp.example"), guard))  # an authority nobody has named
        assert len(far.requests) == 2
    assert asked[:3] == ["vasp.example", "vasp.example", "other.example"]
    assert names.asked[:3] == ["vasp.example", "vasp.example.", "other.example"]


def test_internal_is_refused_over_tls(authority: tuple[ssl.SSLContext, str]) -> None:
    """The guard stands before the handshake."""
    context, ca_file = authority
    with FarSide(tls=context) as far:
        guard = Egress(resolve=Names(vasp_example=[["127.0.0.1"]]))
        assert refusal(refused(named(far, "vasp.example"), guard, ca_file=ca_file)) is not None
        assert far.connections == 0


def test_pool_is_as_large_as_asked() -> None:
    """As many connections stay open as the adapter of the transport keeps, unless told otherwise."""
    for adapter, size in ((Egress().adapter(), 32), (Egress().adapter(pool=5), 5)):
        pool = adapter.poolmanager.connection_from_url("https://vasp.example/")
        assert pool.pool is not None
        assert pool.pool.maxsize == size
        adapter.close()


def test_adapter_is_not_copied() -> None:
    """A copy made by requests' own pickling would be unguarded."""
    with pytest.raises(TypeError, match=r"Egress\.adapter"):
        copy.copy(Egress().adapter())


def test_transport_takes_an_adapter(tmp_path: Path) -> None:
    """For both schemes, also in a session of the caller's; anything else is refused."""
    with requests.Session() as session:
        for given in (None, session):
            adapter = Egress().adapter()
            transport = SwaTransport(adapter=adapter, session=given)
            for scheme in ("http", "https"):
                assert transport.session.get_adapter(f"{scheme}://vasp.example/") is adapter
            transport.close()
        kept = session.get_adapter("http://vasp.example/")
        SwaTransport(session=session).close()
        assert session.get_adapter("http://vasp.example/") is kept
    with pytest.raises(LocalError, match="not Egress"):
        SwaTransport(adapter=Egress())  # type: ignore[arg-type]
