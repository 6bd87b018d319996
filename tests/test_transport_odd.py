"""Whatever is given to a client, and whatever becomes of the way there: only an Mm7Error leaves it."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests
from far_side import CLOSE, FarSide, http

from mm7zeep.client import AsyncVaspClient, Retry, Submitted, VaspClient
from mm7zeep.errors import LocalError, Mm7Error, TransportError
from mm7zeep.transport import AsyncSwaTransport, Basic, Bearer, Digest, SwaTransport, Timeouts

STYLES = pytest.mark.parametrize("style", ["sync", "async"])
NOWHERE = "http://127.0.0.1:9"  # the port of the discard service, which nobody runs


def submit(style: str, url: Any, **options: Any) -> Submitted:
    """One submit in either style; ``proxy`` is meant for both."""
    options = {"vaspid": "v", "vasid": "s", "timeouts": Timeouts(connect=5, read=5), "retry": Retry(times=0), **options}
    if style == "sync":
        if "proxy" in options:
            one = options.pop("proxy")
            options["proxies"] = {"http": one, "https": one}
        with VaspClient(url, **options) as client:
            return client.submit("+491", "hello")

    async def awaited() -> Submitted:
        async with AsyncVaspClient(url, **options) as client:
            return await client.submit("+491", "hello")

    return asyncio.run(awaited())


URLS: list[Any] = [
    "", "http://", "http:///x", "//host/x", "host", "http://a..b/", "http://.a/", f"http://{'a' * 64}.example/",
    f"http://{'a.' * 130}example/", "http://xn--\xfc.invalid/", "http://host:99999/", "http://host:-1/",
    "http://host:x/", "http://host:0/", "http://[::1/", "http://[zz]/", "http://[v1.a]/", "http://a b/", "http://a\tb/",
    "http://a%00b/", "http://a@b/", "http://a:b@c/", "ftp://x/", "file:///etc/passwd", "http://?x", "http://#x",
    "http://\u2100.invalid/", "http://\uff0e.invalid/", "http://\uff11.0.0.1:9/", "http://127.0.0.1:\uff19/",
    "http://\u00ad.invalid/", "http://\u200d.invalid/", "http://\u0661.invalid/", f"{NOWHERE}/\ud800",
    f"{NOWHERE}/{'x' * 70_000}", f"{NOWHERE}#{'x' * 70_000}", f"{NOWHERE}/a\nb", b"http://x/", None, 5,
]  # fmt: skip
WELL_FORMED: list[str] = [  # which lead nowhere
    "http://1.2.3.4.5/", "http://xn--.invalid/", "http://\xfc.invalid/", "http://-a-.invalid/", "http://a_b.invalid/",
    "http://a\\b/", "http://a%2fb.invalid/", "http://*/", "http://a'b.invalid/", "http://\u3002a.invalid",
    f"{NOWHERE}/\u202e?%zz=%", "http://[::1]:9/", "HTTP://127.0.0.1:9/", "http://0x7f.1:9/", "http://host.invalid:/",
    "http://host.invalid./", "http://256.256.256.256/",
]  # fmt: skip


@STYLES
@pytest.mark.parametrize("url", URLS, ids=lambda url: ascii(url)[:40])
def test_address_that_cannot_be_one(url: Any, style: str) -> None:
    """Refused when the client is made, in words that hold no secret of it."""
    kind = VaspClient if style == "sync" else AsyncVaspClient
    with pytest.raises(LocalError, match="the address") as info:
        kind(url)
    assert str(info.value).isascii()


@STYLES
@pytest.mark.parametrize("url", WELL_FORMED, ids=lambda url: ascii(url)[:40])
def test_address_that_leads_nowhere(url: str, style: str) -> None:
    """Whatever the resolver or a library has against it: nothing was accepted."""
    with pytest.raises((LocalError, TransportError)) as info:
        submit(style, url)
    assert not getattr(info.value, "maybe_accepted", False)
    assert str(info.value).isprintable()


MAKES: dict[str, Callable[[], Any]] = {
    "surrogate in user": lambda: Basic("\ud800", "x"),
    "surrogate in password": lambda: Digest("x", "\udfff"),
    "octets": lambda: Basic("x", b"y"),  # type: ignore[arg-type]
    "nothing": lambda: Digest(None, None),  # type: ignore[arg-type]
    "empty bearer": lambda: Bearer(""),
    "no bearer": lambda: Bearer(None),  # type: ignore[arg-type]
    "umlaut in bearer": lambda: Bearer("ü"),
    "times": lambda: Retry(times=-1),
    "times as text": lambda: Retry(times="2"),  # type: ignore[arg-type]
    "first": lambda: Retry(first=-1),
    "most": lambda: Retry(most=float("nan")),
}


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES.keys())
def test_pieces_that_cannot_be_made(make: Callable[[], Any]) -> None:
    """Credentials and plans are checked when they are made."""
    with pytest.raises(LocalError):
        make()


OPTIONS: dict[str, dict[str, Any]] = {
    **{
        f"headers {ascii(one)[:30]}": {"headers": one}
        for one in (
            {"a b": "x"}, {"": "x"}, {"X": "a\nb"}, {"X": "ü"}, {"X": b"x"}, {"X": None}, {1: "x"}, {"X": " a"},
            {"X": "a\0"}, {"٣": "x"}, [("X", "y")], "x", {"Transfer-Encoding": "chunked"}, {"TE": "trailers"},
            {b"X": "x"},
        )
    },
    **{
        f"auth {ascii(one)[:30]}": {"auth": one}
        for one in (("a", "\ud800"), ("a:b", "c"), ("a", None), ("a",), ("a", "b", "c"), ["a", "b"], "a:b", b"x", 5)
    },
    **{
        f"proxy {ascii(one)[:30]}": {"proxy": one}
        for one in (
            "http://", "http://[::1", "http://a..b:1/", "http://127.0.0.1:99999", "ftp://x", f"{NOWHERE}/\ud800", 5,
            b"http://x", "http://a b/", f"http://{'a' * 70}.example/", "http://user:geheim@/",
        )
    },
    **{
        f"client_cert {ascii(one)[:30]}": {"client_cert": one}
        for one in (("a",), ("a", "b", "c"), (), ("a", None), 5, b"x", "a\0b", "\ud800", "")
    },
    **{f"ca_file {ascii(one)[:30]}": {"ca_file": one} for one in ("", "/", "\0", 5, b"x", ("a",))},
    **{f"timeouts {one!a}": {"timeouts": one} for one in (5, None)},
    **{f"max_reply {one!a}": {"max_reply": one} for one in (0, -1, None, "x", 1.5, True)},
    **{f"retry {one!a}": {"retry": one} for one in (None, 2)},
}  # fmt: skip


@STYLES
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_option_that_cannot_be_used(options: dict[str, Any], style: str) -> None:
    """Refused when the client is made; nothing is sent, and no secret repeated."""
    with FarSide() as far:
        with pytest.raises(LocalError) as info:
            submit(style, far.url, **options)
        assert far.connections == 0
    assert "geheim" not in str(info.value)


@pytest.mark.parametrize("value", [0, -1, "x", None, True, math.nan, math.inf, 1e300], ids=ascii)
@pytest.mark.parametrize("name", ["connect", "read", "reply", "total"])
def test_time_that_cannot_be_kept(name: str, value: Any) -> None:
    """Refused when the times are made; only an answer and an exchange may take for ever."""
    if name in ("reply", "total") and value in (math.inf, 1e300):
        assert getattr(Timeouts(**{name: value}), name) == value
        return
    with pytest.raises(LocalError, match=f"Timeouts.{name} "):
        Timeouts(**{name: value})


def test_transports_check_as_clients_do() -> None:
    """The transports are used alone, too."""
    for kind in (SwaTransport, AsyncSwaTransport):
        for options in ({"headers": {1: "x"}}, {"max_reply": 0}, {"timeouts": 5}, {"auth": 5}):
            with pytest.raises(LocalError):
                kind(**options)  # type: ignore[operator]


@STYLES
@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "socks5h://user:geheim@127.0.0.1:9"])
def test_socks_without_its_package(proxy: str, style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package that is missing is named, with the command that installs it."""
    monkeypatch.setattr("mm7zeep.credentials.find_spec", lambda name: None)
    with pytest.raises(LocalError, match=r"pip install '(requests|httpx)\[socks\]'"):
        submit(style, NOWHERE, proxy=proxy)


# --- the way there ----------------------------------------------------------------------------------------------------


def closed_port() -> int:
    """A port on which nobody listens any more."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


@STYLES
def test_nobody_listens(style: str) -> None:
    """The place and what to look at."""
    port = closed_port()
    with pytest.raises(TransportError, match=f"127.0.0.1:{port}: .*Connection refused; nothing listens there") as info:
        submit(style, f"http://127.0.0.1:{port}/mm7")
    assert not info.value.maybe_accepted


@STYLES
def test_unknown_host(style: str) -> None:
    """The name, and that DNS does not know it."""
    with pytest.raises(TransportError, match=r"gaierror: .*the host nosuch\.invalid was not found: check") as info:
        submit(style, "http://nosuch.invalid/mm7")
    assert not info.value.maybe_accepted


@STYLES
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("status", "words"), [(407, "wants credentials"), (403, ""), (502, "")])
def test_proxy_that_refuses(status: int, words: str, scheme: str, style: str) -> None:
    """A tunnel that was not opened carried nothing; without a tunnel the status says what it says."""
    with FarSide([http(status, "no", "text/plain", Proxy_Authenticate="Basic"), CLOSE]) as far:
        proxy = far.url.removesuffix("/mm7").replace("//", "//user:geheim@")
        with pytest.raises(Mm7Error) as info:
            submit(style, f"{scheme}://mmsc.invalid/mm7", proxy=proxy)
        assert len(far.requests) == 1
    assert "geheim" not in str(info.value)
    assert words in str(info.value)
    if scheme == "https":
        assert isinstance(info.value, TransportError)
        assert f"the proxy answered {status}" in str(info.value)
        assert not info.value.maybe_accepted


@STYLES
def test_proxy_that_is_not_there(style: str) -> None:
    """What is missing is the proxy, which is named without its credentials."""
    port = closed_port()
    with pytest.raises(TransportError, match=f"mmsc.invalid through the proxy 127.0.0.1:{port}: .*refused") as info:
        submit(style, "https://mmsc.invalid/mm7", proxy=f"http://user:geheim@127.0.0.1:{port}")
    assert "geheim" not in str(info.value)


class Odd(requests.adapters.BaseAdapter):
    """An adapter that raises what nobody expects."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def send(self, *args: Any, **options: Any) -> requests.Response:
        raise self.error

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(
    "error",
    [KeyError("nonce"), NotImplementedError(), UnicodeEncodeError("ascii", "ü", 0, 1, "no"), RecursionError(),
     ExceptionGroup("several", [OSError(5, "odd")]), OSError(99999, "odd"), EOFError(), ZeroDivisionError()],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_nobody_expects_is_wrapped(error: Exception) -> None:
    """An error of the libraries, or of an adapter, leaves as one of ours, with the first as its cause."""
    with pytest.raises((LocalError, TransportError)) as info:
        submit("sync", "http://mmsc.invalid/mm7", adapter=Odd(error))
    assert info.value.__cause__ is error
    assert not getattr(info.value, "maybe_accepted", False)


def test_what_a_progress_callback_raises_is_the_callers() -> None:
    """It ends the call, and stays what it is."""
    with FarSide() as far, VaspClient(far.url) as client, pytest.raises(KeyError, match="mine"):
        client.submit("+491", "hello", progress=lambda sent, total: {}["mine"])
