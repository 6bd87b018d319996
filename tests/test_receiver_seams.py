"""Where a gateway joins an endpoint: its door, its room for bodies, the raw body, who is told of answers."""

from __future__ import annotations

import asyncio
import io
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any

import pytest

from mm7zeep import exchange
from mm7zeep.errors import StatusError
from mm7zeep.exchange import Wire
from mm7zeep.messages import DeliverReq, Fault, Message, Part, RSErrorRsp, SubmitReq, VASPErrorRsp
from mm7zeep.receiver import Call, Endpoint, Handler, Refusal
from mm7zeep.receiver.waiting import BLOCKING, drive, puller
from mm7zeep.status import Status

PICTURE = Part(body=b"GIF89a\r\n\x00\xff", content_type="image/gif", content_id="pic@x")
DELIVER = DeliverReq(sender="+61412345678", to="111122", parts=[PICTURE])  # type: ignore[arg-type]
WIRE = exchange.pack(DELIVER, transaction_id="t-1")
BODY = WIRE.read()
WIRE = replace(WIRE, method="POST", body=BODY)
PEER = "192.0.2.7"


def endpoint(handler: Handler = lambda call: None, **options: Any) -> Endpoint:
    """An endpoint that gives MO messages to ``handler``."""
    return Endpoint({DeliverReq: handler}, **{"error": VASPErrorRsp, **options})


def by_answer(made: Endpoint, wire: Wire = WIRE) -> int | None:
    """The HTTP status, by ``answer``."""
    return made.answer(wire, peer=PEER).status


def by_answer_async(made: Endpoint, wire: Wire = WIRE) -> int | None:
    """The HTTP status, by ``answer_async``."""
    return asyncio.run(made.answer_async(wire, peer=PEER)).status


def by_asgi(
    made: Endpoint, wire: Wire = WIRE, *, told: Callable[[str], object] = lambda kind: None, **scope: Any
) -> int | None:
    """The HTTP status, through the ASGI face; ``told`` is told of each event sent."""
    sent: list[dict[str, Any]] = []
    pieces = list(wire.chunks())
    events = [{"type": "http.request", "body": one, "more_body": True} for one in pieces]
    events.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        return events.pop(0)

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)
        told(event["type"])

    fields = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in wire.headers]
    whole = {
        "type": "http", "method": "POST", "path": "/", "http_version": "1.1", "client": (PEER, 4711),
        "headers": [(b"host", b"a"), *fields], **scope,
    }  # fmt: skip
    asyncio.run(made.asgi(whole, receive, send))
    status: int = sent[0]["status"]
    return status


def by_wsgi(made: Endpoint, wire: Wire = WIRE) -> int | None:
    """The HTTP status, through the WSGI face."""
    begun: list[str] = []
    body = wire.read()
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body),
        "REMOTE_ADDR": PEER, "CONTENT_TYPE": wire.header("Content-Type"),
    }  # fmt: skip
    made.wsgi(environ, lambda status, headers: begun.append(status))
    return int(begun[0][:3])


FACES = pytest.mark.parametrize("ask", [by_answer, by_answer_async, by_asgi, by_wsgi])

# --- the door ---------------------------------------------------------------------------------------------------------


class OneAddress:
    """An authenticator that lets one address in, and notes in which threads it was asked."""

    def __init__(self, *, slow: bool = False) -> None:
        self._slow = slow
        self.threads: list[str] = []
        self.seen: list[str | None] = []

    def user(self, head: Wire, peer: str | None) -> str | None:
        self.seen.append(head.header("Content-Type"))
        self.threads.append(threading.current_thread().name)
        return "neighbour" if peer == PEER else None

    def slow(self, head: Wire, peer: str | None) -> bool:
        return self._slow


@FACES
@pytest.mark.parametrize("slow", [False, True])
def test_door(ask: Any, slow: bool) -> None:
    """An authenticator sees head and address, its user reaches the handler; only a slow one has a thread in a loop."""
    calls: list[Call] = []
    door = OneAddress(slow=slow)
    assert ask(endpoint(calls.append, auth=door)) == 200
    assert [(one.user, one.peer) for one in calls] == [("neighbour", PEER)]
    assert door.seen == [WIRE.header("Content-Type")]
    here = not slow or ask in (by_answer, by_wsgi)
    assert [one.startswith("MainThread" if here else "mm7zeep-auth") for one in door.threads] == [True]


@pytest.mark.parametrize("ask", [by_answer_async, by_asgi])
def test_close(ask: Any) -> None:
    """The thread of a slow authenticator ends with its endpoint; closing again changes nothing."""
    closed, running = endpoint(auth=OneAddress(slow=True)), threading.enumerate()
    assert ask(closed) == 200
    [thread] = [one for one in threading.enumerate() if one.name.startswith("mm7zeep-auth") and one not in running]
    closed.close()
    closed.close()
    assert not thread.is_alive()
    endpoint().close()


def test_door_that_stays_shut() -> None:
    """Who is not let in gets the 401 of everybody else, from any kind of authenticator."""
    shut = endpoint(auth=OneAddress()).answer(WIRE, peer="203.0.113.9")
    wrong = endpoint(auth={"a": "b"}).answer(WIRE)
    assert (shut.status, shut.headers, shut.read()) == (wrong.status, wrong.headers, wrong.read())
    assert shut.status == 401


def test_no_peer() -> None:
    """Where no connection is known there is no address."""
    calls: list[Call] = []
    endpoint(calls.append).answer(WIRE)
    assert by_asgi(endpoint(calls.append), client=None) == 200
    assert [one.peer for one in calls] == [None, None]


# --- the head ---------------------------------------------------------------------------------------------------------

HOSTS: list[tuple[str, list[bytes], int]] = [
    ("1.1", [b"a"], 200),
    ("1.1", [], 400),
    ("1.1", [b"a", b"a"], 400),
    ("1.0", [], 200),
    ("2", [], 200),
]


@pytest.mark.parametrize(("version", "hosts", "status"), HOSTS)
def test_host(version: str, hosts: list[bytes], status: int) -> None:
    """HTTP/1.1 needs exactly one Host; other versions are not asked for it."""
    fields = [(name.lower().encode(), value.encode()) for name, value in WIRE.headers]
    fields += [(b"host", one) for one in hosts]
    assert by_asgi(endpoint(), http_version=version, headers=fields) == status


# --- room -------------------------------------------------------------------------------------------------------------


class Room:
    """Room for ``octets``, which notes what happens."""

    def __init__(self, octets: int = 1 << 20) -> None:
        self.left = octets
        self.happened: list[str] = []

    def __enter__(self) -> Room:
        self.happened.append("entered")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.happened.append("left")

    def took(self, octets: int) -> None:
        """Count what came."""
        self.left -= octets
        self.happened.append("took")
        if self.left < 0:
            raise Refusal(503, "no room", ("Retry-After", "5"))


@FACES
def test_room_is_held_until_the_answer(ask: Any) -> None:
    """Room is asked for before the body, told of each piece, and given back after the handler."""
    room = Room()
    halves = replace(WIRE, body=(BODY[:100], BODY[100:]))
    made = endpoint(lambda call: room.happened.append("handled"), admission=lambda head: room)
    assert ask(made, halves) == 200
    assert (room.happened[0], *room.happened[-2:]) == ("entered", "handled", "left")
    assert set(room.happened[1:-2]) == {"took"}
    assert room.left == (1 << 20) - len(BODY)


def test_room_is_held_until_the_answer_is_written() -> None:
    """Through ASGI the room is given back only when the server has taken the whole answer."""
    room = Room()
    assert by_asgi(endpoint(admission=lambda head: room), told=room.happened.append) == 200
    assert room.happened[-3:] == ["http.response.start", "http.response.body", "left"]


@FACES
def test_no_room_for_more(ask: Any) -> None:
    """A body that outgrows the room is refused where it does, and the room given back."""
    room = Room(50)
    assert ask(endpoint(admission=lambda head: room), replace(WIRE, body=(BODY[:100], BODY[100:]))) == 503
    assert room.happened == ["entered", "took", "left"]


def test_no_room_at_all() -> None:
    """Where there is no room the body is not read; who is not let in is not even asked for it."""

    def unread() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    def full(head: Wire) -> Room:
        asked.append(head.header("Content-Type"))
        raise Refusal(503, "full", ("Retry-After", "7"))

    asked: list[str | None] = []
    with ExitStack() as held:
        done = drive(endpoint(admission=full).serve(WIRE, puller(unread()), BLOCKING, held=held))
    assert (done.reply.status, done.reply.header("Retry-After"), done.close) == (503, "7", True)
    assert endpoint(admission=full, auth={}).answer(replace(WIRE, body=unread())).status == 401
    assert asked == [WIRE.header("Content-Type")]


# --- the handler ------------------------------------------------------------------------------------------------------


@FACES
@pytest.mark.parametrize("kept", [True, False])
def test_raw_body(ask: Any, kept: bool) -> None:
    """The body reaches the handler exactly as it came, where it is kept."""
    calls: list[Call] = []
    assert ask(endpoint(calls.append, keep_raw=kept), replace(WIRE, body=(BODY[:7], BODY[7:]))) == 200
    assert [one.raw for one in calls] == [BODY if kept else b""]
    assert "GIF89a" not in repr(calls[0].raw) or kept


@FACES
def test_handler_refuses_by_http(ask: Any) -> None:
    """A handler's Refusal is answered by HTTP, with its fields; the connection may go on."""

    def handler(call: Call) -> None:
        raise Refusal(503, "the disk is full", ("Retry-After", "30"))

    assert ask(endpoint(handler)) == 503
    with ExitStack() as held:
        done = drive(endpoint(handler).serve(WIRE, puller(WIRE.chunks()), BLOCKING, held=held))
    assert (done.reply.header("Retry-After"), done.close) == ("30", False)
    assert done.reply.read() == b"the disk is full\n"


def test_role_by_user() -> None:
    """What a fault holds may depend on who asks: an MMSC hears VASPErrorRsp, an application RSErrorRsp."""

    def failing(call: Call) -> None:
        raise ValueError("odd")

    def role(user: str | None) -> Any:
        return VASPErrorRsp if user == "upstream:x" else RSErrorRsp

    class Named(OneAddress):
        def user(self, head: Wire, peer: str | None) -> str | None:
            return peer

    made = endpoint(failing, error=role, auth=Named())
    for user, kind in (("upstream:x", VASPErrorRsp), ("app", RSErrorRsp)):
        for wire in (WIRE, replace(WIRE, body=b"<html/>", headers=(("Content-Type", "text/xml"),))):
            back = exchange.unpack(made.answer(wire, peer=user)).message
            assert isinstance(back, Fault)
            assert isinstance(back.error, kind)


# --- who is told ------------------------------------------------------------------------------------------------------


def refusing(call: Call) -> None:
    """Refuses by HTTP."""
    raise Refusal(503, "no")


def failing(call: Call) -> None:
    """Fails with a status."""
    raise StatusError(4006)


SUBMIT = exchange.pack(SubmitReq(vaspid="V", to="+61412345678"), transaction_id="t-2")  # type: ignore[arg-type]
TOLD: dict[str, tuple[Handler, Wire, dict[str, Any], tuple[str | None, int | None, int, str | None]]] = {
    "answered": (lambda call: None, WIRE, {}, ("DeliverReq", 1000, 200, None)),
    "a status": (lambda call: Status(2004), WIRE, {}, ("DeliverReq", 2004, 200, None)),
    "a status error": (failing, WIRE, {}, ("DeliverReq", 4006, 200, None)),
    "an accident": (lambda call: "odd", WIRE, {}, ("DeliverReq", 3000, 500, None)),
    "by HTTP": (refusing, WIRE, {}, ("DeliverReq", None, 503, None)),
    "unknown": (failing, WIRE, {"auth": {}}, (None, None, 401, None)),
    "known": (failing, WIRE, {"auth": OneAddress()}, ("DeliverReq", 4006, 200, "neighbour")),
    "not read": (failing, replace(WIRE, body=b""), {}, (None, 2007, 500, None)),
    "not served": (failing, SUBMIT, {}, ("SubmitReq", 4003, 500, None)),
}


@pytest.mark.parametrize(("handler", "wire", "options", "wanted"), TOLD.values(), ids=TOLD)
def test_told_of_answers(handler: Handler, wire: Wire, options: dict[str, Any], wanted: tuple[Any, ...]) -> None:
    """Each answer is told once: operation, MM7 status, HTTP status, seconds, user."""
    told: list[tuple[Any, ...]] = []
    made = endpoint(handler, observe=lambda *values: told.append(values), **options)
    answer = made.answer(wire, peer=PEER)
    [(operation, code, status, seconds, user)] = told
    assert (operation, code, status, user) == wanted
    assert answer.status == status
    assert 0 <= seconds < 60


def test_observer_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """What the observer raises is logged, and the answer stands."""

    def observe(*values: object) -> None:
        raise ValueError("no metrics")

    with caplog.at_level(logging.ERROR, "mm7zeep.receiver"):
        assert endpoint(observe=observe).answer(WIRE).status == 200
    assert [one.getMessage() for one in caplog.records] == ["the observer of answers failed"]


def test_message_is_what_it_was() -> None:
    """With all of it joined the handler still gets the message and its parts."""
    seen: list[Message] = []
    made = endpoint(
        lambda call: seen.append(call.message), auth=OneAddress(slow=True), keep_raw=True, admission=lambda _: Room()
    )
    assert by_asgi(made) == 200
    [message] = seen
    assert isinstance(message, DeliverReq)
    assert [part.read() for part in message.parts] == [PICTURE.body]


def test_authenticator_that_cannot_tell_the_origin(caplog: pytest.LogCaptureFixture) -> None:
    """A door that fails to say for whom a proxy speaks costs nobody his answer; the connection's peer is logged."""

    class Broken:
        def user(self, head: Wire, peer: str | None) -> str | None:
            return None

        def slow(self, head: Wire, peer: str | None) -> bool:
            return False

        def origin(self, head: Wire, peer: str | None) -> str | None:
            raise ZeroDivisionError

    with caplog.at_level(logging.INFO, "mm7zeep.receiver"):
        assert by_answer(endpoint(auth=Broken())) == 401
    told = [one.getMessage() for one in caplog.records]
    assert told[0] == "the authenticator could not tell where a request comes from"
    assert told[1] == f"refused a request of {PEER}: authentication required; answered HTTP 401"
