"""Answers that are malformed, or dribble, on purpose: the client bears them, and what was accepted is kept."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from gateway_room import CALLED, ONE, Make, Room, basic, rooms

from mm7zeep import exchange
from mm7zeep.client import Retry, VaspClient
from mm7zeep.errors import Mm7Error, StatusError
from mm7zeep.exchange import Wire
from mm7zeep.gateway.mm7.chaos import Answering, Chaos, Rule
from mm7zeep.gateway.mm7.spoilt import Malformed, malformed
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.store import messages as store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


@contextmanager
def client(one: Room) -> Iterator[VaspClient]:
    """A client of a gateway, over HTTP."""
    options: dict[str, Any] = {"auth": ("tnn", "t"), "vaspid": "TNN", "vasid": "News", "retry": Retry(times=0)}
    with serve_in_thread(one.gateway.asgi) as base, VaspClient(f"{base}/mm7", **options) as made:
        yield made


@pytest.mark.parametrize("how", get_args(Malformed))
def test_client_and_a_malformed_answer(how: Malformed, room: Make) -> None:
    """The client mends the answer or understands none; the same request again gets the id of what was kept."""
    one = room()
    one.gateway.chaos.set([Rule(malformed=how)])
    with client(one) as vasp:
        if how in ("boundary", "type"):  # mended, and told as a finding
            found = vasp.send(ONE, transaction_id="t-1")
            assert (found.message_id, bool(found.findings)) == (one.messages[0].id, True)
        else:
            with pytest.raises(Mm7Error) as caught:
                vasp.send(ONE, transaction_id="t-1")
            assert not isinstance(caught.value, StatusError)
        [kept] = one.messages
        one.gateway.chaos.set([])
        assert vasp.send(ONE, transaction_id="t-1").message_id == kept.id
    assert len(one.messages) == 1


WIRE = Wire(status=200, headers=(("Content-Type", "text/xml"), ("X-Kept", "1")), body=b"<whole/>")


@pytest.mark.parametrize(
    ("how", "kind", "body"),
    [
        (None, "text/xml", b"<whole/>"),
        ("cut", "text/xml", b"<who"),
        ("xml", "text/xml", b"<env:Envelope><env:Body></env:Envelope>"),
        ("type", "application/octet-stream", b"<whole/>"),
        ("empty", "text/xml", b""),
    ],
)
def test_how_answers_are_spoilt(how: Any, kind: str, body: bytes) -> None:
    """Each name spoils what it says, and nothing else."""
    spoilt = malformed(WIRE, how)
    assert (spoilt.status, spoilt.header("Content-Type"), spoilt.header("X-Kept")) == (200, kind, "1")
    assert spoilt.read() == body


def test_boundary_and_html() -> None:
    """A multipart names a boundary that does not occur in it; HTML is HTML."""
    wrong = malformed(WIRE, "boundary")
    assert 'boundary="elsewhere"' in (wrong.header("Content-Type") or "")
    assert b"<whole/>" in wrong.read()
    assert b"elsewhere" not in wrong.read()
    page = malformed(WIRE, "html")
    assert (page.header("Content-Type") or "").startswith("text/html")
    assert page.read().startswith(b"<!DOCTYPE html>")


def test_refusal_is_spoilt(room: Make) -> None:
    """With a status, the work is not done, and its answer is spoilt; of a share and a scope as any other rule."""
    one = room()
    wire = exchange.pack(ONE)
    asked = replace(wire, headers=(*wire.headers, basic("tnn")))
    one.gateway.chaos.set([Rule(malformed="html", http_status=502, application="tnn", operation="SubmitReq")])
    answer = one.gateway.answer(asked)
    assert (answer.status, answer.header("Content-Type")) == (502, "text/html; charset=utf-8")
    one.gateway.chaos.set([Rule(malformed="empty", mm7_status=3001)])
    answer = one.gateway.answer(asked)
    assert (answer.status, answer.read()) == (500, b"")
    assert one.messages == []
    for rule in (Rule(malformed="html", application="other"), Rule(malformed="html", operation="CancelReq"),
                 Rule(malformed="html", probability=0.0)):  # fmt: skip
        one.gateway.chaos.set([rule])
        assert exchange.unpack(one.gateway.answer(asked)).message.status.code == 1000  # type: ignore[attr-defined]


def asgi(one: Room, send: Callable[[dict[str, Any]], Any], receive: Any = None) -> Any:
    """A submit to the listener as ASGI has it."""
    wire = exchange.pack(ONE, transaction_id="t-1")
    headers = [(name.lower().encode(), value.encode()) for name, value in (("Host", "x"), *wire.headers, basic("tnn"))]
    scope = {"type": "http", "method": "POST", "path": "/mm7", "headers": headers, "http_version": "1.1"}
    body = [{"type": "http.request", "body": wire.read()}]

    async def taken() -> Any:
        if body:
            return body.pop()
        if receive is not None:
            return await receive()
        await asyncio.sleep(3600)

    return one.gateway.asgi({**scope, "client": ("127.0.0.1", 1)}, taken, send)


def test_dribble(room: Make) -> None:
    """The answer arrives octet by octet over the time that the rule says, and is whole; others are served meanwhile."""
    one = room()
    one.gateway.chaos.set([Rule(dribble=0.5)])
    events: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        events.append(event)

    begun = time.monotonic()
    asyncio.run(asgi(one, send))
    assert 0.45 < time.monotonic() - begun < 10
    head, pieces = events[0], [event["body"] for event in events[1:]]
    assert {len(piece) for piece in pieces} <= {1, 2}
    assert [event["more_body"] for event in events[1:]] == [True] * (len(pieces) - 1) + [False]
    fields = tuple((name.decode(), value.decode()) for name, value in head["headers"])
    whole = Wire(status=head["status"], headers=fields, body=b"".join(pieces))
    assert int(whole.header("Content-Length") or 0) == len(whole.read())
    assert exchange.unpack(whole).message.message_id == one.messages[0].id  # type: ignore[attr-defined]


def test_dribble_over_http(room: Make) -> None:
    """A client that waits reads a dribbling answer as any other; cut in half it does not."""
    one = room()
    one.gateway.chaos.set([Rule(dribble=0.3, operation="SubmitReq")])
    with client(one) as vasp:
        begun = time.monotonic()
        assert vasp.send(ONE, transaction_id="t-1").message_id == one.messages[0].id
        assert time.monotonic() - begun > 0.25
        one.gateway.chaos.set([Rule(dribble=0.1, malformed="cut")])
        with pytest.raises(Mm7Error):
            vasp.send(ONE, transaction_id="t-1")
    assert len(one.messages) == 1


def test_nobody_waits_for_the_rest(room: Make) -> None:
    """Where the client has gone, what dribbles ends at once."""
    one = room()
    one.gateway.chaos.set([Rule(dribble=60.0)])

    async def gone() -> Any:
        await asyncio.sleep(0.2)
        return {"type": "http.disconnect"}

    async def send(event: dict[str, Any]) -> None:
        pass

    begun = time.monotonic()
    asyncio.run(asgi(one, send, gone))
    assert time.monotonic() - begun < 10
    assert len(one.messages) == 1


def test_nothing_is_looked_at_without_rules(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is known that there are no rules, an answer goes out as it was made, by nothing of ours."""
    one = room(CALLED)
    assert one.gateway.chaos.rules == ()
    looked: list[object] = []
    monkeypatch.setattr(Chaos, "answering", lambda self: looked.append(self))
    monkeypatch.setattr(one.gateway.chaos, "_clock", lambda: one.gateway.chaos._read_at)

    async def send(event: dict[str, Any]) -> None:
        assert event.get("status", 200) == 200

    asyncio.run(asgi(one, send))
    assert len(one.messages) == 1
    assert looked == []
    assert Answering().how() == (None, 0.0)


def test_rules_between_versions(room: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Rules are kept without what is usual, so that older processes read them; those of a newer one do nothing."""
    one = room()
    one.gateway.chaos.set([Rule(http_status=503)])
    with one.gateway.database.read() as connection:
        assert store.setting(connection, "chaos") == [{"http_status": 503}]
    with one.gateway.database.write() as connection:
        store.set_setting(connection, "chaos", [{"explode": True}])
    with caplog.at_level(logging.ERROR, "mm7zeep.gateway"):
        assert one.gateway.chaos.rules == ()
    assert "not understood" in caplog.text
    assert one.code(ONE) == 1000
