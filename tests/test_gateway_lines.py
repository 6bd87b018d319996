"""What a gateway's log says of calls made again, refused requests and wrong passwords: who, where, why, what next."""

from __future__ import annotations

import asyncio
import base64
import io
import logging
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from gateway_room import CALLED, ONE, OTHER, Make, Room, basic, rooms

from mm7zeep import exchange
from mm7zeep.errors import TransportError
from mm7zeep.gateway import logs
from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.config.parties import Callback, Upstream
from mm7zeep.messages import DeliverReq, Message, Number


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What ``serve`` would print on standard error, as text."""
    kept = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).level) for name in logs._LOGGERS}
    stream = io.StringIO()
    logs.set_up("text", show_numbers=False, stream=stream)
    yield stream
    for name, (handlers, level) in kept.items():
        logger = logging.getLogger(name)
        logger.handlers[:], logger.propagate = handlers, True
        logger.setLevel(level)


def lines(log: io.StringIO, word: str) -> list[str]:
    """The lines that hold ``word``, without their time."""
    return [one.partition(" ")[2] for one in log.getvalue().splitlines() if word in one]


# --- calls that are made again ----------------------------------------------------------------------------------------


def test_call_that_is_made_again(room: Make, log: io.StringIO) -> None:
    """Each attempt that is to be repeated is a line: which call, to where, why, which attempt, when the next one is."""
    secret = Callback(deliver="http://tnn/mo?token=hunter2", username="x", password="y")
    made = room(replace(CALLED, callback=secret), OTHER)
    made.calls.refuse = TransportError("connection refused by the peer", maybe_accepted=False)
    made.gateway.simulator.send_mo("tnn", "+61412345678", "111122")
    made.gateway.run_pending()
    [first] = lines(log, "is made again")
    [row] = made.outbox()
    which = f"the deliver call {row.id} of {row.message_id}"
    assert f"INFO    mm7zeep.gateway: {which} to tnn http://tnn/mo?token=*** is made again: " in first
    assert "attempt 1 failed: TransportError: connection refused by the peer" in first
    assert "next attempt at 2026-03-01T12:0" in first
    assert first.endswith("Z")
    assert "hunter2" not in log.getvalue()
    made.clock.move(minutes=10)
    made.gateway.run_pending()
    assert ["attempt 2 failed" in one for one in lines(log, "is made again")] == [False, True]


def test_call_that_succeeds_or_is_given_up(room: Make, log: io.StringIO) -> None:
    """No line promises another attempt where there is none."""
    made = room()
    made.submitted(ONE)
    made.gateway.simulator.send_mo("tnn", "+61412345678", "111122")
    made.gateway.run_pending()
    made.calls.refuse = TransportError("no such page", maybe_accepted=False, http_status=404)
    made.gateway.simulator.send_mo("tnn", "+61412345678", "111122")
    made.gateway.run_pending()
    assert lines(log, "is made again") == []
    assert len(lines(log, "is given up")) == 1


# --- requests that are refused ----------------------------------------------------------------------------------------

PEER = "192.0.2.7"
STRANGER = "203.0.113.9"


def test_message_that_is_refused(room: Make, log: io.StringIO) -> None:
    """One line: what, from whom, why, what was answered; a telephone number in the reason is masked."""
    made = room()
    assert made.code(replace(ONE, vaspid="ABC"), peer=PEER) == 4001
    assert made.code(ONE, peer=PEER) == 1000
    [line] = lines(log, "refused")
    why = "4001 Improper identification: this user may not use that VASPID or VASID"
    assert (
        line
        == f"INFO    mm7zeep.receiver: refused SubmitReq of tnn at 192.0.2.7: {why}; answered HTTP 500, StatusCode 4001"
    )


def test_message_that_cannot_be_read(room: Make, log: io.StringIO) -> None:
    """The finding is named, the text of the message is not repeated."""
    made = room()
    wire = exchange.pack(ONE)
    body = wire.read().replace(b"</", b"<!", 1)
    headers = (*wire.headers, basic("tnn"))
    answer = made.gateway.answer(replace(wire, headers=headers, body=body), peer=PEER)
    assert answer.status == 500
    [line] = lines(log, "refused")
    assert re.search(
        r"refused a request of tnn at 192\.0\.2\.7: \w+: .*xml/well-formed.*; answered HTTP 500, StatusCode 2007", line
    )


def test_request_that_is_refused_by_http(room: Make, log: io.StringIO) -> None:
    """What is no MM7 request is a line with the reason, too."""
    made = room()
    wire = exchange.pack(ONE)
    headers = (*wire.headers, basic("tnn"), ("Content-Encoding", "gzip"))
    assert made.gateway.answer(replace(wire, headers=headers), peer=PEER).status == 415
    [line] = lines(log, "refused")
    assert line.endswith(
        "refused a request of tnn at 192.0.2.7: send the body without Content-Encoding; answered HTTP 415"
    )


UP = Upstream(name="up", url="http://up/mm7", callback_username="up", callback_password="u")
WRONG = "0412345678x"
FOUR = ("a b", WRONG, "c d", "e f")
FROM_UP = DeliverReq(sender=Number("+61412345678"), to=(Number("+61498765432"),))
ADDRESSES: dict[str, tuple[Message, str, int, str, str]] = {
    "none is one": (replace(ONE, to=(Number(WRONG),)), "tnn", 2002, f"that can be served: {WRONG}", "********78x"),
    "many": (
        replace(ONE, to=tuple(map(Number, FOUR))), "tnn", 2002,
        f"that can be served: a b, {WRONG}, c d and 1 more", "a b, ********78x, c d and 1 more",
    ),
    "too long": (
        replace(ONE, to=(Number("9" * 513),)), "tnn", 2002, f"more than 512 characters: {'9' * 40}...", "*...",
    ),
    "shown alone": (
        replace(ONE, to=(Number("+61412345678", display_only=True),)), "tnn", 2002,
        "among the recipients: +61412345678", "among the recipients: +*********78",
    ),
    "no short code": (
        FROM_UP, "up", 2003, "an application that takes messages: +61498765432", "messages: +*********32",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ADDRESSES)
def test_refused_address_is_named(tmp_path: Path, log: io.StringIO, case: str) -> None:
    """Who sent it is told which address is meant; the log says it too, with numbers and mail addresses masked."""
    message, user, code, said, logged = ADDRESSES[case]
    with rooms(tmp_path) as make:
        made = make(upstreams=(UP,))
        status = made.ask(message, user).message.status  # type: ignore[attr-defined]
    assert status.code == code
    assert status.details.removesuffix("</d:text>").endswith(said)
    [line] = lines(log, "refused")
    assert f"{logged}; answered" in line
    for number in ("12345678", "98765432", "9999999"):
        assert number not in line


@pytest.mark.parametrize("show", [False, True])
def test_submit_that_is_served_in_part(tmp_path: Path, log: io.StringIO, show: bool) -> None:
    """Where some recipients are no address, the log says which; in full only where numbers may be shown."""
    logs.set_up("text", show_numbers=show, stream=log)
    with rooms(tmp_path) as make:
        made = make(show_numbers=show)
        assert made.code(replace(ONE, to=(Number("+61400"), Number(WRONG)))) == 1100
    [line] = lines(log, "in part")
    shown = WRONG if show else "********78x"
    assert line == f"INFO    mm7zeep.gateway: a SubmitReq of tnn is served in part: no address is {shown}"


# --- wrong passwords --------------------------------------------------------------------------------------------------


def credentials(text: str) -> tuple[str, str]:
    """An Authorization field."""
    return "Authorization", "Basic " + base64.b64encode(text.encode()).decode()


def test_wrong_password(room: Make, log: io.StringIO) -> None:
    """Name and peer stand in the line, the password does not; the peer is whom a trusted proxy speaks for."""
    made = room(trusted_proxies=(PEER,))
    wire = exchange.pack(ONE)
    headers = (*wire.headers, credentials("tnn:hunter2"), ("X-Forwarded-For", STRANGER))
    assert made.gateway.answer(replace(wire, headers=headers), peer=PEER).status == 401
    [line] = lines(log, "refused")
    said = "refused a request of 203.0.113.9 as 'tnn': authentication required; answered HTTP 401"
    assert line == f"INFO    mm7zeep.receiver: {said}"
    assert "hunter2" not in log.getvalue()


NAMES = {
    "control characters": ("a\n\x1b[2Jb", r"as 'a\\n\\x1b[2Jb':"),
    "direction": ("a\u202eb", r"as 'a\\u202eb':"),
    "long": ("n" * 300, f"as '{'n' * 80}...':"),
    "empty": ("", "as '':"),
}


@pytest.mark.parametrize("case", NAMES)
def test_name_is_escaped(tmp_path: Path, log: io.StringIO, case: str) -> None:
    """Whatever name a stranger gives, it is short and on one line."""
    name, shown = NAMES[case]
    with rooms(tmp_path) as make:
        made, wire = make(), exchange.pack(ONE)
        headers = (*wire.headers, credentials(f"{name}:x"))
        assert made.gateway.answer(replace(wire, headers=headers), peer=PEER).status == 401
    [line] = lines(log, "refused")
    assert shown.replace("\\\\", "\\") in line


@pytest.mark.parametrize("field", [None, "Bearer abcdef", "Basic !"])
def test_no_name(tmp_path: Path, log: io.StringIO, field: str | None) -> None:
    """Who gives no name that can be read is named by the peer alone."""
    with rooms(tmp_path) as make:
        made, wire = make(), exchange.pack(ONE)
        headers = wire.headers if field is None else (*wire.headers, ("Authorization", field))
        assert made.gateway.answer(replace(wire, headers=headers), peer=PEER).status == 401
    [line] = lines(log, "refused")
    assert "refused a request of 192.0.2.7: authentication required; answered HTTP 401" in line


def test_flood_of_wrong_passwords(tmp_path: Path, log: io.StringIO) -> None:
    """However many names and addresses are tried, one line a second is written."""
    with rooms(tmp_path) as make:
        made, wire = make(), exchange.pack(ONE)
        begun = time.monotonic()
        for n in range(50):
            headers = (*wire.headers, credentials(f"n{n}:x"))
            assert made.gateway.answer(replace(wire, headers=headers), peer=f"198.51.100.{n}").status == 401
        most = 1 + int(time.monotonic() - begun)
    assert 1 <= len(lines(log, "refused")) <= most


def test_wrong_password_of_the_admin(tmp_path: Path, log: io.StringIO) -> None:
    """The admin listener says who was not let in as the MM7 listener does."""

    async def ask(made: Room) -> int:
        transport = httpx.ASGITransport(admin_app(made.gateway), client=(PEER, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await client.get("/api/v1/messages", auth=("op\x1b", "hunter2"))).status_code

    with rooms(tmp_path) as make:
        assert asyncio.run(ask(make(admin_username="root", admin_password="secret"))) == 401
    [line] = lines(log, "refused")
    said = r"refused GET /api/v1/messages of 192.0.2.7 as 'op\x1b': authentication required"
    assert line.startswith(f"INFO    mm7zeep.gateway: the admin listener {said}")
    assert line.endswith("; answered HTTP 401")
    assert "hunter2" not in log.getvalue()


# --- the database -----------------------------------------------------------------------------------------------------


def test_where_the_database_stands_is_logged_and_not_answered(tmp_path: Path, log: io.StringIO) -> None:
    """The log names the path of a database that is away, with reason and fix; no answer does."""

    async def ask(made: Room) -> list[str]:
        transport = httpx.ASGITransport(admin_app(made.gateway), client=("127.0.0.1", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [(await client.get(path)).text for path in ("/readyz", "/api/v1/messages")]

    with rooms(tmp_path) as make:
        made = make()
        folder = made.gateway.database.folder
        assert folder is not None
        path = folder / "gateway.db"
        path.rename(folder / "away.db")
        made.gateway.admission.look()
        wire = exchange.pack(ONE)
        answer = made.gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn"))))
        told = [*made.gateway.ready(), answer.read().decode(), *asyncio.run(ask(made))]
        (folder / "away.db").rename(path)
    assert answer.status == 503
    assert all("the file gateway.db is gone" in one for one in (told[0], told[1]))
    assert not [one for one in told if str(folder) in one]
    said = f"database error: {path}: the file gateway.db is gone; put it back, or start the gateway again"
    assert any(said in one for one in lines(log, "the database does not answer"))
