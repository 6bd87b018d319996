"""What one peer may take of a listener: requests that come together, places, handshakes, descriptors, the log."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httptools
import pytest
import trustme
from test_gateway_http import BODY, EDGE, PATIENT, connect, head, heard, post, receiver, statuses, until

from mm7zeep.gateway import logs
from mm7zeep.gateway.config import descriptors
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.mm7.turns import Turns
from mm7zeep.gateway.mm7.validation.lengths import LONGEST_EXTENSION, LONGEST_TEXT
from mm7zeep.gateway.security.client_address import Networks
from mm7zeep.gateway.server.connections import Pace, Slot, Slots
from mm7zeep.gateway.server.http_framing import Chunked, Counted, framing
from mm7zeep.gateway.server.http_head import ConnectionLimits
from mm7zeep.gateway.server.listener import Listener, bound, serve_in_thread
from mm7zeep.receiver import CLIENT

KIB = 1024


# --- one request in hand ----------------------------------------------------------------------------------------------


class Holding:
    """An application that answers nothing until it may, and counts what it was asked."""

    def __init__(self) -> None:
        self.begun = 0
        self.go_on = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.begun += 1
        while (await receive())["more_body"]:
            pass
        while not self.go_on.is_set():  # it keeps asking whether the client is still there
            with suppress(TimeoutError):
                assert (await asyncio.wait_for(receive(), 0.01))["type"] == "http.disconnect"
                return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


def pushed(connection: socket.socket, octets: bytes, most: int) -> int:
    """How many octets of these, again and again, the other side takes until it takes no more for half a second."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * KIB)
    connection.settimeout(0.5)
    sent = 0
    try:
        while sent < most:
            sent += connection.send((octets * 100)[sent % len(octets) :])
    except TimeoutError:
        return sent
    raise AssertionError(f"{sent} octets were taken")


@pytest.mark.parametrize("body", [b"", b"x" * 100], ids=["without body", "with body"])
def test_one_request_in_hand(body: bytes) -> None:
    """Of requests that come together one is worked on, and no more is read than may wait; all are answered."""
    app = Holding()
    one = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    with serve_in_thread(app, edge=replace(PATIENT, body=30.0)) as url, closing(connect(url)) as connection:
        sent = pushed(connection, one, 16 * KIB * KIB)
        assert app.begun == 1
        whole, rest = divmod(sent, len(one))
        app.go_on.set()
        connection.settimeout(20)
        answered = b""
        while answered.count(b"HTTP/1.1 204") < whole:
            answered += connection.recv(65536)
        assert app.begun in (whole, whole + (rest > 0))


def test_the_second_head_is_judged_as_the_first() -> None:
    """Each request of a connection keeps the limits of a head, wherever it begins."""
    long_line = post(line=f"POST /{'a' * 9 * KIB} HTTP/1.1")
    cases = {
        "long line": (long_line, 414),
        "long line behind a body": (post() + long_line, 414),
        "long line behind chunks": (head("Transfer-Encoding: chunked") + b"0\r\n\r\n" + long_line, 414),
        "bare LF": (post("X: y").replace(b"X: y\r\n", b"X: y\n"), 400),
        "two lengths": (head("Content-Length: 5", "Content-Length: 5") + b"12345", 400),
        "many fields": (post(*["X: y"] * 70), 431),
    }
    with serve_in_thread(receiver().asgi, edge=PATIENT) as url:
        for name, (octets, status) in cases.items():
            with closing(connect(url)) as connection:
                connection.sendall(post() + octets)
                assert statuses(heard(connection))[-1] == status, name


def test_a_few_at_a_time() -> None:
    """What waits on many connections is begun in order, a few in each turn of the loop, whoever comes meanwhile."""

    async def main() -> list[list[int]]:
        pace, turns, begun = Pace(few=3), [], list[int]()
        for n in range(8):
            pace.later(partial(begun.append, n))
        for _ in range(5):
            await asyncio.sleep(0)
            turns.append(list(begun))
            begun.clear()
            if len(turns) == 2:
                pace.later(partial(begun.append, 8))
        return turns

    assert asyncio.run(main()) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [], []]


def test_half_closed_behind_several() -> None:
    """Who sends several requests and closes his half gets all the answers."""
    with serve_in_thread(receiver().asgi, edge=PATIENT) as url, closing(connect(url)) as connection:
        connection.sendall(post() * 3)
        connection.shutdown(socket.SHUT_WR)
        assert statuses(heard(connection)) == [200] * 3


class Ends:
    """A parser's callbacks: what of the body came, and whether the message ended."""

    def __init__(self) -> None:
        self.body = b""
        self.ended = False

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ended = True


@pytest.mark.parametrize("seed", range(50))
def test_framing_agrees_with_the_parser(seed: int) -> None:
    """However chunks are written and cut, the parser ends where the framing does, and not an octet before."""
    chance = random.Random(seed)
    chunks = [chance.randbytes(chance.choice((1, 2, 10, 300, 5000))) for _ in range(chance.randrange(6))]
    coded = b"".join(b"%x%s\r\n%s\r\n" % (len(one), chance.choice((b"", b";a=b", b";x")), one) for one in chunks)
    coded += b"0\r\n" + chance.choice((b"", b"A: b\r\n", b"A: b\r\nC: d\r\n")) + b"\r\n"
    behind = b"POST / HTTP/1.1\r\n"
    left, ends, chunked = coded + behind, Ends(), Chunked()
    parser = httptools.HttpRequestParser(ends)
    parser.feed_data(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not chunked.ended:
        assert not ends.ended
        piece = left[: chance.choice((1, 3, 50, 10_000))]
        count = chunked.take(piece)
        parser.feed_data(piece[:count])
        left = left[count:]
    assert ends.ended
    assert (left, ends.body) == (behind, b"".join(chunks))


def test_framings() -> None:
    """A length is counted, chunks are followed, no body ends before it begins; a size that is none is refused."""
    assert isinstance(framing([(b"transfer-encoding", b"chunked")]), Chunked)
    assert framing([(b"host", b"a")]).ended
    counted = framing([(b"content-length", b"5")])
    assert isinstance(counted, Counted)
    assert (counted.take(b"123"), counted.ended, counted.take(b"4567"), counted.ended) == (3, False, 2, True)
    for size in (b"x\r\n", b"\r\n", b"-1\r\n", b"1 2\r\n", b"0x5\r\n", b"f" * 17 + b"\r\n"):
        with pytest.raises(ValueError, match="no size"):
            Chunked().take(size)


# --- places -----------------------------------------------------------------------------------------------------------


class Peer:
    """Connections of tests: which of them had to go."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.gone: list[Slot] = []
        self.cut: list[Slot] = []

    def comes(self, address: str | None) -> Slot:
        """One more connection."""
        slot = self.slots.take(address)
        slot.end, slot.cut = lambda: self.gone.append(slot), lambda: self.cut.append(slot)
        return slot


def test_places_of_one_address() -> None:
    """One address has so many places; its silent connections give way to its own, those that wait do not."""
    peer = Peer(Slots(100, 3))
    known, asking, silent = (peer.comes("192.0.2.1") for _ in range(3))
    known.recognised()
    asking.asking = True
    other = peer.comes("192.0.2.2")
    fourth = peer.comes("::ffff:192.0.2.1")
    assert peer.gone == [silent]
    fourth.asking = True
    assert peer.comes("192.0.2.1").refused
    assert not other.refused
    assert not fourth.refused
    known.release()
    assert not peer.comes("192.0.2.1").refused
    assert [peer.comes(f"2001:db8::{n}").refused for n in range(4)] == [False] * 4
    assert len(peer.gone) == 2  # of a /64 only three


def test_who_goes_first() -> None:
    """Where all places are taken, strangers go, those of the address that has most of them; whoever is known stays."""
    peer = Peer(Slots(6, 4))
    good = peer.comes("192.0.2.1")
    many = [peer.comes("192.0.2.2") for _ in range(3)]
    some = [peer.comes("192.0.2.3") for _ in range(2)]
    assert not peer.comes("192.0.2.4").refused
    assert peer.gone == [many[0]]
    many[1].recognised()
    peer.comes("192.0.2.5")
    assert peer.gone == [many[0], some[0]]
    for one in (good, many[2], some[1]):
        one.recognised()
    for n in (6, 7, 8):
        peer.comes(f"192.0.2.{n}").recognised()
    assert peer.comes("192.0.2.9").refused
    assert not {good, many[1], many[2], some[1]} & set(peer.gone)


def test_proxies_are_no_address() -> None:
    """Connections of a trusted proxy are counted in all, but not as those of one address."""
    slots = Slots(10, 2, exempt=Networks(["10.0.0.0/8"]))
    assert not any(slots.take("10.0.0.1").refused for _ in range(10))
    peer = Peer(Slots(3, 3, exempt=Networks(["10.0.0.0/8"])))
    proxied = peer.comes("10.0.0.1")
    strange = [peer.comes("192.0.2.1") for _ in range(2)]
    peer.comes("10.0.0.1")
    assert peer.gone == [strange[0]]
    assert not proxied.refused


def test_books_are_kept() -> None:
    """After any coming and going nothing is left, and never are there more than the limits say."""
    chance = random.Random(3)
    peer = Peer(Slots(20, 5, parting=4))
    here: list[Slot] = []
    for _ in range(5000):
        if here and chance.random() < 0.45:
            here.pop(chance.randrange(len(here))).release()
        else:
            here.append(peer.comes(f"192.0.2.{chance.randrange(12)}"))
            if chance.random() < 0.3:
                here[-1].recognised()
            here[-1].asking = chance.random() < 0.3
        assert len(peer.slots) <= 24
        for one in (*peer.gone, *peer.cut):
            if one in here and chance.random() < 0.8:
                here.remove(one)
                one.release()
        peer.gone.clear()
        peer.cut.clear()
    for one in here:
        one.release()
    assert len(peer.slots) == 0
    assert (peer.slots._counts, peer.slots._strangers) == ({}, {})


def connected(url: str, source: str) -> socket.socket:
    """A connection from one of the addresses of loopback."""
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        return socket.create_connection((host, int(port)), timeout=10, source_address=(source, 0))
    except OSError as error:
        pytest.skip(f"no other address of loopback can be used here: {error}")


def test_idle_sockets_of_one_address() -> None:
    """700 sockets that one address opens and opens again cost nobody else his place."""
    edge = replace(PATIENT, connections=50, per_address=8)
    with serve_in_thread(receiver().asgi, edge=edge) as url, ExitStack() as open_:
        for n in range(700):
            open_.enter_context(closing(connected(url, "127.0.0.2")))
            if n % 100 == 99:
                with closing(connected(url, "127.0.0.3")) as good:
                    good.sendall(post("Connection: close"))
                    assert statuses(heard(good)) == [200]


def test_idle_sockets_of_many_addresses() -> None:
    """Nor do those of many addresses: connections on which nothing was proven give way."""
    with (
        serve_in_thread(receiver().asgi, edge=replace(PATIENT, connections=30, per_address=8)) as url,
        ExitStack() as all_,
    ):
        kept = all_.enter_context(closing(connected(url, "127.0.0.3")))
        kept.sendall(post())
        until(kept, b">1000<")
        for n in range(300):
            all_.enter_context(closing(connected(url, f"127.0.1.{n % 100 + 1}")))
            if n % 50 == 49:
                with closing(connected(url, "127.0.0.4")) as good:
                    good.sendall(post("Connection: close"))
                    assert statuses(heard(good)) == [200]
        kept.sendall(post("Connection: close"))
        assert b">1000<" in heard(kept)


def broken_off(connection: socket.socket, octets: bytes, pause: float = 0.0) -> None:
    """Send these, and break the connection off (RST) after a moment."""
    connection.sendall(octets)
    time.sleep(pause)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_application_is_told_of_its_client() -> None:
    """An application learns when its client is gone, be it before it asked to, and may vouch for the connection."""
    lost = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            client = scope["extensions"][CLIENT]
            client.recognised()
            client.when_lost(lost.set)
            await asyncio.sleep(0.2)

    with serve_in_thread(app, edge=PATIENT) as url:
        broken_off(connect(url), post())
        assert lost.wait(10)


@pytest.mark.parametrize("pause", [0.0, 0.3])
def test_lasting_answers_end_with_their_client(pause: float) -> None:
    """Who closes the connection leaves an answer without end, early or late; who only awaits one answer gets it."""
    lost = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        client = scope["extensions"][CLIENT]
        client.when_lost(lost.set)
        await asyncio.sleep(0.15)
        if scope["path"] == "/lasting":
            client.lasting()
            await asyncio.to_thread(lost.wait, 60)
            return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    with serve_in_thread(app, edge=PATIENT) as url:
        with closing(connect(url)) as other:
            other.sendall(b"GET /short HTTP/1.1\r\nHost: x\r\n\r\n")
            other.shutdown(socket.SHUT_WR)
            assert statuses(heard(other)) == [204]
        assert not lost.is_set()
        with closing(connect(url)) as connection:
            connection.sendall(b"GET /lasting HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(pause)
        assert lost.wait(3)


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pems(tmp_path: Path) -> tuple[str, str, ssl.SSLContext]:
    """A certificate for 127.0.0.1, its key, and who trusts it."""
    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    leaf.cert_chain_pems[0].write_to_path(str(cert))
    leaf.private_key_pem.write_to_path(str(key))
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return str(cert), str(key), trusting


async def come_true(look: Callable[[], bool]) -> None:
    """Wait until it does, for 30 s."""
    async with asyncio.timeout(30):
        while not look():  # noqa: ASYNC110  there is nobody who would set an event
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])
def test_handshakes_are_counted(shared: bool, pems: tuple[str, str, ssl.SSLContext]) -> None:
    """Half-open handshakes have places, give way to others, and are ended in time; what is told of them is brief."""
    cert, key, trusting = pems
    told: list[int] = []
    edge = ConnectionLimits(connections=10, per_address=5, handshake=3.0, head=10.0, refused=told.append)

    async def main() -> bytes:
        listening = bound("127.0.0.1", 0)
        port = listening.getsockname()[1]
        listener = Listener(receiver().asgi, listening, edge=edge, cert=cert, key=key, shared=shared)
        await listener.start()
        writers = []
        for n in range(40):
            _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(f"127.0.2.{n % 4 + 1}", 0))
            writer.write(b"\x16\x03\x01\x02\x00\x01\x00")  # the beginning of a ClientHello
            writers.append(writer)
        await come_true(lambda: listener.connections >= 9)
        assert listener.connections <= 10 + 10  # with those that are just being ended
        reader, good = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, local_addr=("127.0.2.9", 0))
        good.write(post("Connection: close"))
        answer = await reader.read()
        good.close()
        await come_true(lambda: listener.connections == 0)  # the others' time is over
        for writer in writers:
            writer.close()
        await listener.stop()
        return answer

    try:
        assert statuses(asyncio.run(main())) == [200]
    except OSError as error:
        pytest.skip(f"no other address of loopback can be used here: {error}")


def test_one_request_in_hand_over_tls(pems: tuple[str, str, ssl.SSLContext]) -> None:
    """Over TLS, too, what comes behind a request is not read until it is answered."""
    cert, key, trusting = pems
    app = Holding()

    def told(port: int) -> int:
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        with closing(trusting.wrap_socket(plain, server_hostname="127.0.0.1")) as connection:
            pushed(connection, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 16 * KIB * KIB)
            begun = app.begun
            app.go_on.set()
            connection.settimeout(10)
            assert until(connection, b"HTTP/1.1 204").startswith(b"HTTP/1.1 204")
        return begun

    async def main() -> int:
        listening = bound("127.0.0.1", 0)
        port = listening.getsockname()[1]
        listener = Listener(app, listening, edge=PATIENT, cert=cert, key=key)
        await listener.start()
        try:
            return await asyncio.to_thread(told, port)
        finally:
            await listener.stop()

    assert asyncio.run(main()) == 1


# --- listeners that retire --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])
def test_connection_that_comes_as_a_listener_retires_is_left_to_the_next(shared: bool) -> None:
    """Of connections that come in the very moment in which a listener retires none is lost: the next one has them."""

    async def main() -> None:
        for _ in range(20):
            listening = bound("127.0.0.1", 0)
            following, place = listening.dup(), listening.getsockname()
            following.setblocking(False)
            listener = Listener(receiver().asgi, listening, shared=shared)
            await listener.start()
            await asyncio.sleep(0.01)
            with socket.create_connection(place), closing(following):
                await asyncio.sleep(0)  # now the event loop knows of it, and nobody has taken it
                await listener.retire(0.0)
                await asyncio.sleep(0.01)
                following.accept()[0].close()
            await listener.stop()

    asyncio.run(main())


# --- clients that hang up ---------------------------------------------------------------------------------------------


def test_hanging_up_leaves_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """Wherever a client breaks off, with a reset or an end, nothing of it is logged as an error."""
    beginnings = [b"", head()[:20], head("Content-Length: 10"), post()[:-5], post(), post() * 3, post("Host: b")]
    beginnings += [b"hello\r\n\r\n", head("Content-Length: 10000000000"), post().replace(b"YTpi", b"YTpj")]
    with caplog.at_level(logging.INFO), serve_in_thread(receiver().asgi, edge=replace(EDGE, drain=0.1)) as url:
        for n in range(300):
            connection = connect(url)
            octets = beginnings[n % len(beginnings)]
            if n % 3:
                broken_off(connection, octets, pause=0.01 * (n % 4))
            else:
                connection.sendall(octets)
                connection.close()
    assert [one.getMessage() for one in caplog.records if one.exc_info or one.levelno >= logging.ERROR] == []


def test_reset_of_a_connection_that_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    """An application that breaks off a connection which has ended already does no harm."""
    done = threading.Event()

    async def late(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            client = scope["extensions"][CLIENT]
            gone = asyncio.Event()
            client.when_lost(gone.set)
            await gone.wait()
            await asyncio.sleep(0.05)
            scope["extensions"]["mm7zeep.reset"]()
            done.set()

    with serve_in_thread(late, edge=EDGE) as url:
        broken_off(connect(url), post())
        assert done.wait(10)
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


# --- descriptors ------------------------------------------------------------------------------------------------------


def test_descriptors() -> None:
    """What fits is served; where less fits it is told how to have more; where hardly any does, nothing is served."""
    settings = Settings(connections=500)
    kept = descriptors.reserved(settings)
    assert descriptors.fitted(settings, limit=None) == (500, None)
    assert descriptors.fitted(settings, limit=kept + 500).connections == 500
    assert descriptors.shortage(settings, limit=kept + 500) is None
    assert descriptors.fitted(settings, limit=kept + 100).connections == 100
    short = descriptors.shortage(settings, limit=kept + 100) or ""
    assert "only 100 of 500 connections" in short
    assert f"raise the limit to {kept + 500}" in short
    with pytest.raises(ValueError, match=r"ulimit -n, or LimitNOFILE="):
        descriptors.fitted(settings, limit=kept + 3)
    assert "LimitNOFILE=" in (descriptors.shortage(settings, limit=10) or "")
    assert descriptors.fitted(Settings(connections=3), limit=kept + 3).connections == 3


def test_accepting_pauses_before_descriptors_run_out(caplog: pytest.LogCaptureFixture) -> None:
    """No connection is kept that would have one of the last descriptors; once there are others, it goes on."""
    with socket.socket() as probe:
        first = probe.fileno()
    edge = replace(PATIENT, descriptors=first + 40)
    with serve_in_thread(receiver().asgi, edge=edge) as url, ExitStack() as open_:
        ballast = [open_.enter_context(closing(socket.socket())) for _ in range(60)]
        with closing(connect(url)) as refused:
            refused.sendall(post())
            with suppress(ConnectionResetError):
                assert heard(refused) == b""
        for one in ballast:
            one.close()
        with closing(connect(url)) as good:
            good.sendall(post("Connection: close"))
            assert statuses(heard(good)) == [200]
    assert "too many files are open" in caplog.text


# --- the log ----------------------------------------------------------------------------------------------------------


def record(name: str, level: int, text: str, **extra: Any) -> logging.LogRecord:
    """A record as a logger makes it."""
    made = logging.LogRecord(name, level, __file__, 1, text, (), None)
    made.__dict__.update(extra)
    return made


def test_one_line_of_a_kind_and_second() -> None:
    """Of what clients can bring about one line a second is written, with how many were left out; all else is."""
    now = 0.0
    seldom = logs.Seldom(clock=lambda: now)
    flood = [record("mm7zeep.gateway", logging.WARNING, "refused", seldom="refused") for _ in range(1000)]
    assert sum(map(seldom.filter, flood)) == 1
    assert sum(seldom.filter(record("mm7zeep.gateway", logging.INFO, "answered")) for _ in range(10)) == 10
    assert sum(seldom.filter(record("asyncio", logging.ERROR, f"Fatal on 0x7f{n:04x} fd={n}")) for n in range(50)) == 1
    assert seldom.filter(record("asyncio", logging.ERROR, "something else"))
    now = 1.0
    again = record("mm7zeep.gateway", logging.WARNING, "refused", seldom="refused", fields={"a": 1})
    assert seldom.filter(again)
    assert again.__dict__["fields"] == {"a": 1, "suppressed": 999}
    assert '"suppressed": 999' in logs.JsonFormatter().format(again)
    for n in range(1000):
        seldom.filter(record("asyncio", logging.ERROR, "x" * n))
    assert len(seldom._kinds) <= 200


# --- turns ------------------------------------------------------------------------------------------------------------


class Works:
    """Applications at work, as ``Turns`` lets them."""

    def __init__(self, slots: int, **options: Any) -> None:
        self.now = 0.0
        self.turns = Turns(slots, clock=lambda: self.now, **options)
        self.order: list[str] = []
        self.at_work: dict[str, int] = {}
        self.most: dict[str, int] = {}

    async def work(self, owner: str, steps: int = 3) -> None:
        """One request, which takes so many steps."""
        async with self.turns.of(owner):
            self.order.append(owner)
            self.at_work[owner] = self.at_work.get(owner, 0) + 1
            self.most[owner] = max(self.most.get(owner, 0), self.at_work[owner])
            for _ in range(steps):
                await asyncio.sleep(0)
            self.at_work[owner] -= 1


def test_nobody_waits_behind_anothers_queue() -> None:
    """With 50 requests of one application waiting, another's is worked on when one of them ends, at the latest."""

    async def main() -> Works:
        works = Works(4)
        first = [asyncio.create_task(works.work("a")) for _ in range(50)]
        await asyncio.sleep(0)
        second = [asyncio.create_task(works.work("b")) for _ in range(5)]
        await asyncio.gather(*second)
        assert works.order.count("a") < 20
        await asyncio.gather(*first)
        return works

    works = asyncio.run(main())
    assert works.most == {"a": 2, "b": 1}
    assert sorted(works.order) == ["a"] * 50 + ["b"] * 5
    assert works.turns._running == {}
    assert works.turns._waiting == {}


def test_who_is_alone_has_nearly_all() -> None:
    """An application that is alone has all turns but two, and has them again when others were silent for a while."""

    async def main() -> Works:
        works = Works(8)
        await works.work("b")
        await asyncio.gather(*(works.work("a") for _ in range(20)))
        assert works.most["a"] == 1
        works.now += 10
        await asyncio.gather(*(works.work("a") for _ in range(20)))
        return works

    assert asyncio.run(main()).most["a"] == 6


def test_who_no_longer_waits_for_a_turn() -> None:
    """A request that is given up while it waits, or just when its turn comes, leaves no trace."""

    async def main() -> Works:
        works = Works(3)
        tasks = [asyncio.create_task(works.work("a", steps=5)) for _ in range(30)]
        for n, task in enumerate(tasks):
            await asyncio.sleep(0)
            if n % 2:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await works.work("a")
        return works

    works = asyncio.run(main())
    assert works.turns._running == {}
    assert works.turns._waiting == {}


def test_limits_are_known() -> None:
    """The longest texts and unknown elements that are taken are those of the documentation."""
    assert (LONGEST_TEXT, LONGEST_EXTENSION) == (4096, 16384)
    assert BODY
