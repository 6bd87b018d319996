"""An answer belongs to one request: whatever a far side sends around or instead of it, the next one is exact."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from far_side import FarSide, Request, Steps, http, proper, saying

from mm7zeep.client import Accepted, AsyncMmscClient, AsyncVaspClient, MmscClient, Retry, VaspClient
from mm7zeep.errors import AuthError, Mm7Error, StatusError, TransportError
from mm7zeep.messages import DeliveryReportReq, DeliveryReportRsp, Message, Status, SubmitReq, SubmitRsp
from mm7zeep.transport import Timeouts
from mm7zeep.transport.correlation import SentIds

STYLES = pytest.mark.parametrize("style", ["sync", "async"])
SIDES = pytest.mark.parametrize("side", ["vasp", "mmsc"])
DATE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SENT: dict[str, tuple[Message, Message]] = {
    "vasp": (SubmitReq(to="+491", vaspid="v"), SubmitRsp(status=Status(2005))),
    "mmsc": (
        DeliveryReportReq(message_id="m-1", recipient="+491", sender="111122", mm_status="Retrieved", date=DATE),
        DeliveryReportRsp(status=Status(2005)),
    ),
}


class Client:
    """One client of either side and style, called in the same way; close it."""

    def __init__(self, style: str, side: str, url: str, **options: Any) -> None:
        options = {"retry": Retry(times=0), "timeouts": Timeouts(connect=5, read=5, reply=10), **options}
        kinds = {"vasp": (VaspClient, AsyncVaspClient), "mmsc": (MmscClient, AsyncMmscClient)}[side]
        self.runner = asyncio.Runner() if style == "async" else None
        self.client: Any = kinds[self.runner is not None](url, **options)

    def send(self, message: Message, **options: Any) -> Accepted[Any] | Mm7Error:
        """What came of one request: accepted, or the error."""
        try:
            if self.runner is None:
                return self.client.send(message, **options)
            return self.runner.run(self.client.send(message, **options))
        except Mm7Error as error:
            return error

    def close(self) -> None:
        if self.runner is None:
            self.client.close()
            return
        self.runner.run(self.client.aclose())
        self.runner.close()


@pytest.fixture
def client() -> Iterator[Callable[..., Client]]:
    """Makes clients, closed at the end."""
    with ExitStack() as stack:

        def make(*args: Any, **options: Any) -> Client:
            if args[0] == "async":
                pytest.importorskip("httpx")
            made = Client(*args, **options)
            stack.callback(made.close)
            return made

        yield make


def head(status: int, *fields: str) -> bytes:
    """The head of an answer without content."""
    return "\r\n".join((f"HTTP/1.1 {status} Status", *fields, "", "")).encode()


def before(odd: bytes) -> Callable[[Request], Steps]:
    """``odd``, and then the proper answer."""
    return lambda request: [odd, *proper(request)]


def whole(request: Request) -> bytes:
    """The proper answer as octets."""
    return b"".join(one for one in proper(request) if isinstance(one, bytes))


HTML = "<html><body>no</body></html>"
# the answer to the first request, whether it is accepted, and whether its connection may carry the second
ODD: dict[str, tuple[Callable[[Request], Steps], bool, bool]] = {
    "proper": (proper, True, True),
    "100": (before(head(100)), True, True),
    "102": (before(head(102)), True, True),
    "103": (before(head(103, "Link: </style.css>; rel=preload")), True, True),
    "64 x 102": (before(head(102) * 64), True, True),
    "102 in one segment": (lambda request: [head(102) + whole(request)], True, True),
    "101": (before(head(101, "Upgrade: x", "Connection: upgrade")), False, False),
    "65 x 102": (before(head(102) * 65), False, False),
    "200 empty": (before(http(200)), False, False),
    "202 empty": (before(http(202)), False, False),
    "204": (before(head(204)), False, False),
    "204 with a length": (before(head(204, "Content-Length: 0")), False, False),
    "304": (before(head(304)), False, False),
    "500 empty": (before(http(500)), False, False),
    "200 blank": (before(http(200, " ")), False, False),
    "200 html": (before(http(200, HTML)), False, False),
    "200 cut": (lambda request: [whole(request)[:-200]], False, False),
    "200 not well-formed": (lambda request: [whole(request).replace(b"</", b"<!", 1)], False, False),
    "302": (before(http(302, Location="/x")), False, False),
    "401": (before(http(401)), False, False),
    "503": (before(http(503)), False, False),
    "200 too large": (before(http(200, "<" + "x" * 70_000)), False, False),
    "200 encoded": (before(http(200, b"\x1f\x8b", Content_Encoding="gzip")), False, False),
    "twice": (lambda request: [whole(request) * 2], True, False),
    "chunks and more": (
        lambda request: [
            b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"%x\r\n%b\r\n0\r\nTrailer: x\r\n\r\n" % (len(content(request)), content(request)) + whole(request)
        ],
        True,
        False,
    ),
    "garbage behind": (lambda request: [whole(request) + b"\r\n\x00garbage"], True, False),
    "an empty line behind": (lambda request: [whole(request) + b"\r\n"], True, False),
    "the length of another": (lambda request: [whole(request).replace(b"Length: ", b"Length: 1")], True, False),
    "two lengths": (lambda request: [whole(request).replace(b"\r\n", b"\r\nContent-Length: 7\r\n", 1)], False, False),
    "the id of nobody": (
        lambda request: [whole(request).replace(request.transaction_id.encode(), b"0" * len(request.transaction_id))],
        True,
        False,
    ),
}


def content(request: Request) -> bytes:
    """The content of the proper answer."""
    return whole(request).partition(b"\r\n\r\n")[2]


@STYLES
@SIDES
@pytest.mark.parametrize("name", ODD)
def test_next_request_gets_its_own_answer(name: str, side: str, style: str, client: Callable[..., Client]) -> None:
    """After any answer to the first, the second is refused as the far side says; only what is in step is kept open."""
    odd, accepted, kept = ODD[name]
    message, refusal = SENT[side]
    options = {"timeouts": Timeouts(connect=5, read=0.5, reply=10)} if "length" in name or "cut" in name else {}
    with FarSide(odd, saying(refusal)) as far:
        one = client(style, side, far.url, max_reply=65536, **options)
        first, second = one.send(message), one.send(message)
        assert isinstance(first, Accepted if accepted else TransportError | AuthError), first
        assert isinstance(second, StatusError), second
        assert second.status.code == 2005
        assert second.transaction_id == far.requests[1].transaction_id
        assert len(far.requests) == 2
        assert far.connections == (1 if kept else 2)


@STYLES
@SIDES
def test_octets_on_an_idle_connection_close_it(side: str, style: str, client: Callable[..., Client]) -> None:
    """The same answer once more, after the first was taken: nobody waits for it, and nobody gets it."""
    sent = threading.Event()
    more = threading.Event()

    def late(request: Request) -> Steps:
        yield whole(request)
        assert more.wait(10)
        yield whole(request)
        sent.set()

    message, refusal = SENT[side]
    with FarSide(late, saying(refusal)) as far:
        one = client(style, side, far.url)
        assert isinstance(one.send(message), Accepted)
        more.set()
        assert sent.wait(10)
        second = one.send(message)
        assert isinstance(second, StatusError), second
        assert far.connections == 2


@STYLES
@SIDES
def test_answer_of_another_request_is_nobodys(side: str, style: str, client: Callable[..., Client]) -> None:
    """A copy that comes when the second request is on its way: unknown, said so, and the third goes elsewhere."""
    message, refusal = SENT[side]
    with FarSide() as far:
        far.answers = [proper, lambda _: [whole(far.requests[0]), *saying(refusal)(far.requests[1])], saying(refusal)]
        one = client(style, side, far.url)
        first, second, third = (one.send(message) for _ in range(3))
        assert isinstance(first, Accepted)
        assert isinstance(second, TransportError), second
        assert second.maybe_accepted
        assert far.requests[0].transaction_id in str(second)
        assert "another request" in str(second)
        assert isinstance(third, StatusError)
        assert far.connections == 2


@STYLES
def test_other_requests_refusal_is_nobodys_either(style: str, client: Callable[..., Client]) -> None:
    """A Fault that names another request of this client says nothing of this one."""
    message, refusal = SENT["vasp"]
    with FarSide() as far:
        far.answers = [proper, lambda _: saying(refusal)(far.requests[0])]
        one = client(style, "vasp", far.url)
        one.send(message)
        second = one.send(message)
        assert isinstance(second, TransportError), second
        assert second.maybe_accepted


@STYLES
def test_transaction_id_that_a_caller_uses_again(style: str, client: Callable[..., Client]) -> None:
    """It answers every request under it, but shows no order: each has a connection of its own from then on."""
    message, _ = SENT["vasp"]
    with FarSide() as far:
        one = client(style, "vasp", far.url)
        assert all(isinstance(one.send(message, transaction_id=" same "), Accepted) for _ in range(3))
        assert far.connections == 2


@STYLES
def test_many_at_the_same_time(style: str) -> None:
    """16 threads or tasks share a client while every third answer comes twice: each gets its own."""

    def answer(request: Request) -> Steps:
        octets = whole(request).replace(b">m-1<", b">" + request.transaction_id.encode() + b"<")
        octets = octets.replace(b"Content-Length: ", b"X: ").replace(b"\r\n", b"\r\nTransfer-Encoding: chunked\r\n", 1)
        start, _, body = octets.partition(b"\r\n\r\n")
        octets = start + b"\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        return [octets * (2 if int(request.transaction_id.rpartition("-")[2]) % 3 == 0 else 1)]

    message, _ = SENT["vasp"]
    ids = [f"id-{n}" for n in range(96)]
    with FarSide(answer) as far:
        if style == "sync":
            with VaspClient(far.url, retry=Retry(times=0)) as client, ThreadPoolExecutor(16) as pool:
                sent = list(pool.map(lambda one: client.send(message, transaction_id=one), ids))
        else:
            pytest.importorskip("httpx")

            async def awaited() -> list[Any]:
                gate = asyncio.Semaphore(16)

                async def one(client: AsyncVaspClient, id: str) -> Any:
                    async with gate:
                        return await client.send(message, transaction_id=id)

                async with AsyncVaspClient(far.url, retry=Retry(times=0)) as client:
                    return await asyncio.gather(*(one(client, id) for id in ids))

            sent = asyncio.run(awaited())
    assert [one.message_id for one in sent] == ids


def test_cancelled_call_takes_its_connection_along() -> None:
    """The answer to a call that was cancelled comes for nobody."""
    pytest.importorskip("httpx")
    message, refusal = SENT["vasp"]
    asked, go_on = threading.Event(), threading.Event()

    def slow(request: Request) -> Steps:
        asked.set()
        assert go_on.wait(10)
        yield whole(request)

    async def awaited(url: str) -> None:
        async with AsyncVaspClient(url, retry=Retry(times=0)) as client:
            call = asyncio.create_task(client.send(message))
            assert await asyncio.to_thread(asked.wait, 10)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            go_on.set()
            with pytest.raises(StatusError):
                await client.send(message)

    with FarSide(slow, saying(refusal)) as far:
        asyncio.run(awaited(far.url))
        assert far.connections == 2


@STYLES
def test_timed_out_call_takes_its_connection_along(style: str, client: Callable[..., Client]) -> None:
    """The answer to a call that was given up comes for nobody."""
    message, refusal = SENT["vasp"]
    go_on = threading.Event()

    def slow(request: Request) -> Steps:
        assert go_on.wait(10)
        yield whole(request)

    with FarSide(slow, saying(refusal)) as far:
        one = client(style, "vasp", far.url, timeouts=Timeouts(connect=5, read=0.3, reply=10))
        first = one.send(message)
        go_on.set()
        second = one.send(message)
        assert isinstance(first, TransportError), first
        assert first.maybe_accepted
        assert isinstance(second, StatusError), second
        assert far.connections == 2


def test_memory_of_sent_ids_is_bounded() -> None:
    """The newest are known, those under way in any case; white space around an id says nothing."""
    ids = SentIds(most=3)
    with ids.under_way("old") as fresh:
        assert fresh
        for n in range(5):
            with ids.under_way(f" {n} ") as fresh:
                assert fresh
        assert [ids.knows(str(n)) for n in range(5)] == [False, False, True, True, True]
        assert ids.knows("old\n")
    with ids.under_way("old") as fresh:
        assert not fresh
    assert not ids.knows("2")
