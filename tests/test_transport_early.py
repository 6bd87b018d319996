"""A refusal that comes while the body is still on its way is read, whatever becomes of the connection."""

from __future__ import annotations

import asyncio
import io
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any, BinaryIO

import pytest
import trustme
from far_side import CLOSE, DRAIN, RESET, Early, FarSide, Request, Step, Steps, http, proper

from mm7zeep.client import AsyncVaspClient, Retry, Submitted, VaspClient
from mm7zeep.errors import AuthError, Mm7Error, StatusError, TransportError
from mm7zeep.messages import Part
from mm7zeep.transport import Digest, Timeouts

STYLES = pytest.mark.parametrize("style", ["sync", "async"])
SIZES = {"10 kB": 10_000, "1 MB": 1_000_000, "5 MB": 5_000_000, "100 MB": 100_000_000}
CHALLENGE = 'Digest realm="mm7", nonce="abc123", qop="auth", algorithm=MD5'
UNTIL_END = 60.0  # seconds; the far side wakes as soon as it ends

# how the far side goes on after its answer, without having read more than the head
THEN: dict[str, tuple[Step, ...]] = {
    "closes": (CLOSE,),  # with octets unread, so that the kernel resets the connection
    "resets": (0.05, RESET),
    "drains": (DRAIN,),
    "stays": (UNTIL_END,),  # and reads nothing
}


@dataclass(frozen=True)
class Zeros:
    """So many octets, which stand nowhere."""

    size: int

    def open(self) -> BinaryIO:
        return io.BufferedReader(_Zeros(self.size), 65536)


class _Zeros(io.RawIOBase):
    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), self.left)
        memoryview(buffer)[:size] = bytes(size)
        self.left -= size
        return size


def run(style: str, url: str, size: int, waits: list[float] | None = None, **options: Any) -> Submitted | Mm7Error:
    """One submit of ``size`` octets, in either style; what it gave or raised."""
    waits = [] if waits is None else waits
    options = {"vaspid": "v", "timeouts": Timeouts(connect=20, read=20, reply=20), "retry": Retry(times=0), **options}
    part = Part(body=Zeros(size), content_type="image/jpeg")

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def awaited() -> Submitted:
        async with AsyncVaspClient(url, sleep=sleep, **options) as client:
            return await client.submit("+491", part)

    try:
        if style == "async":
            pytest.importorskip("httpx")
            return asyncio.run(awaited())
        with VaspClient(url, sleep=waits.append, **options) as client:
            return client.submit("+491", part)
    except Mm7Error as error:
        return error


def refusal(status: int, **fields: str) -> bytes:
    """A refusal, as a server of its own kind gives it."""
    return http(status, f"refused by {status}", "text/plain", **fields)


@STYLES
@pytest.mark.parametrize("buffer", [None, 4096], ids=["buffers", "small buffers"])
@pytest.mark.parametrize("then", THEN)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("status", [401, 413, 503])
def test_early_refusal_is_told(status: int, size: str, then: str, buffer: int | None, style: str) -> None:
    """The status and the text of the refusal, long before the body is out, and that nothing was accepted."""
    with FarSide(Early((refusal(status), *THEN[then])), receive=buffer) as far:
        started = time.monotonic()
        result = run(style, far.url, SIZES[size])
        took = time.monotonic() - started
    assert isinstance(result, AuthError if status == 401 else TransportError), result
    assert (result.http_status, result.body) == (status, b"refused by %d" % status)
    assert not getattr(result, "maybe_accepted", False)
    assert took < 15  # nothing waited for a time-out


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """A server's side of TLS, and the file with its authority."""
    ca = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return context, str(path)


@STYLES
@pytest.mark.parametrize("then", ["closes", "resets", "stays"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("status", [401, 413, 503])
def test_early_refusal_is_told_over_tls(
    status: int, size: str, then: str, style: str, tls: tuple[ssl.SSLContext, str]
) -> None:
    """The same where the octets of the answer are those of TLS."""
    context, ca_file = tls
    with FarSide(Early((refusal(status), *THEN[then])), tls=context) as far:
        result = run(style, far.url, SIZES[size], ca_file=ca_file)
    assert isinstance(result, AuthError if status == 401 else TransportError), result
    assert (result.http_status, result.body) == (status, b"refused by %d" % status)
    assert not getattr(result, "maybe_accepted", False)


@STYLES
@pytest.mark.parametrize("size", ["1 MB", "100 MB"])
def test_retry_after_an_early_503_is_obeyed(size: str, style: str) -> None:
    """It is safe to send again, so it is sent again, when the server says."""
    early = Early((refusal(503, Retry_After="7"), CLOSE))
    waits: list[float] = []
    with FarSide(early) as far:
        result = run(style, far.url, SIZES[size], waits, retry=Retry(times=2, most=10))
        assert len(far.requests) == 3
    assert isinstance(result, TransportError)
    assert result.retry_after == 7
    assert waits == [7, 7]


@STYLES
@pytest.mark.parametrize("size", ["1 MB", "100 MB"])
def test_early_fault_is_the_answer(size: str, style: str) -> None:
    """An MM7 refusal that needed no content: its status, not a broken connection."""
    fault = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>e:Client'
        "</faultcode><faultstring>x</faultstring><detail><RSErrorRsp "
        'xmlns="http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"><MM7Version>6.8.0'
        "</MM7Version><Status><StatusCode>2001</StatusCode><StatusText>no</StatusText></Status></RSErrorRsp></detail>"
        "</e:Fault></e:Body></e:Envelope>"
    )
    with FarSide(Early((http(500, fault), CLOSE))) as far:
        result = run(style, far.url, SIZES[size])
    assert isinstance(result, StatusError), result
    assert result.status.code == 2001


@STYLES
@pytest.mark.parametrize("status", [200, 500, 502])
def test_early_page_accepts_nothing(status: int, style: str) -> None:
    """What would leave it open whether a whole request was taken says nothing of one that was not sent whole."""
    with FarSide(Early((http(status, "<html>no", Connection="close"), CLOSE))) as far:
        result = run(style, far.url, SIZES["100 MB"])
    assert isinstance(result, TransportError), result
    assert (result.http_status, result.maybe_accepted) == (status, False)


@STYLES
@pytest.mark.parametrize("step", [RESET, CLOSE])
def test_connection_that_breaks_within_the_body(step: str, style: str) -> None:
    """No answer, and not all had gone out: nothing was accepted."""
    with FarSide(Early((step,))) as far:
        result = run(style, far.url, SIZES["100 MB"])
    assert isinstance(result, TransportError), result
    assert (result.http_status, result.maybe_accepted) == (None, False)


@STYLES
def test_interim_answers_do_not_stop_the_body(style: str) -> None:
    """100 and 102 while the body is on its way: it goes out whole, and the final answer counts."""

    class Hasty(FarSide):
        def _answer(self, connection: Any, stream: Any) -> bool:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n")
            return super()._answer(connection, stream)

    with Hasty(receive=4096) as far:
        result = run(style, far.url, SIZES["5 MB"])
        [request] = far.requests
    assert isinstance(result, Submitted), result
    assert request.complete


@STYLES
def test_success_that_comes_early_does_not_stop_the_body(style: str) -> None:
    """A far side that answers 200 from the envelope and reads on gets all of it."""

    class Hasty(FarSide):
        def _answer(self, connection: Any, stream: Any) -> bool:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 5\r\n\r\n<html")
            return super()._answer(connection, stream)

    came = threading.Event()

    def arrived(request: Request) -> Steps:
        came.set()  # only a whole request gets here
        return [CLOSE]

    with Hasty(arrived, receive=4096) as far:
        result = run(style, far.url, SIZES["5 MB"])
        assert came.wait(20)
    assert isinstance(result, TransportError), result
    assert (result.http_status, result.maybe_accepted) == (200, True)


@STYLES
@pytest.mark.parametrize("then", THEN)
@pytest.mark.parametrize("size", ["1 MB", "5 MB"])
def test_digest_challenge_that_comes_early(size: str, then: str, style: str) -> None:
    """The challenge is read, and the whole body goes out again on another connection."""

    def challenged(request: Request) -> Steps:
        assert request.header("Authorization") is not None
        return proper(request)

    with FarSide(Early((http(401, WWW_Authenticate=CHALLENGE), *THEN[then])), challenged) as far:
        result = run(style, far.url, SIZES[size], auth=Digest("u", "p"))
        assert isinstance(result, Submitted), result
        assert far.connections == 2
        assert far.requests[1].complete
