"""Nothing that comes from outside, and no fault of the store, stops a gateway: long values, odd values, lost files, locks.

Every test runs on both engines where the store has a part in it.
"""

from __future__ import annotations

import json
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from far_side import FarSide, proper, saying
from gateway_room import CALLED, ONE, OTHER, SUBMIT, TEXT, Make, Room, basic, rooms

from mm7zeep import exchange
from mm7zeep.errors import Mm7Error
from mm7zeep.exchange import Wire
from mm7zeep.gateway import admissible, migrations, outbox, store, tables
from mm7zeep.gateway.accounts import Callback, Route, Upstream
from mm7zeep.gateway.app import Gateway
from mm7zeep.gateway.capacity import Gauge
from mm7zeep.gateway.engine import Database, StoreError
from mm7zeep.gateway.outcomes import Outcome
from mm7zeep.gateway.supervised import SupervisedThread
from mm7zeep.messages import (
    CancelReq,
    DeliverReq,
    DeliveryReportReq,
    DeliveryReportRsp,
    ExtendedCancelReq,
    ExtendedReplaceReq,
    Message,
    Number,
    ReadReplyReq,
    ReplaceReq,
    RFC2822Address,
    ShortCode,
    SubmitReq,
    SubmitRsp,
)
from mm7zeep.receiver import Refusal
from mm7zeep.status import Status

LONG = "".join(random.Random(9).choices("0123456789abcdefghijklmnopqrstuvwxyz", k=100_000))
"""10^5 characters that no index makes shorter by packing them."""
FAR = Upstream(name="far", url="http://far/mm7", callback_username="up", callback_password="u")
AWAY: dict[str, Any] = {"upstreams": (FAR,), "routes": (Route(prefix="+64", via="far"),)}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


# --- values from outside ----------------------------------------------------------------------------------------------

REQUESTS: dict[str, tuple[Message, str]] = {
    "submit": (replace(SUBMIT, delivery_report=True, read_reply=True), "tnn"),
    "cancel": (CancelReq(vaspid="TNN", vasid="News", message_id="m"), "tnn"),
    "replace": (ReplaceReq(vaspid="TNN", vasid="News", message_id="m", parts=(TEXT,)), "tnn"),
    "extended-cancel": (ExtendedCancelReq(vaspid="TNN", vasid="News", cancel_id="m"), "tnn"),
    "extended-replace": (ExtendedReplaceReq(vaspid="TNN", vasid="News", replace_id="m", parts=(TEXT,)), "tnn"),
    "deliver": (DeliverReq(sender=Number("+64211"), to=(ShortCode("111122"),), parts=(TEXT,)), "up"),
    "report": (
        DeliveryReportReq(
            message_id="far-1", recipient=Number("+64211"), sender=ShortCode("1"), date=NOW, mm_status="Retrieved"
        ),
        "up",
    ),
    "read": (
        ReadReplyReq(
            message_id="far-1", recipient=Number("+64211"), sender=ShortCode("1"), time_stamp=NOW, mm_status="Read"
        ),
        "up",
    ),
}
"""One request of each operation, with who sends it."""


def lengthened() -> Iterator[tuple[str, Message, str]]:
    """Every request with one of its texts or addresses 10^5 characters long."""
    for name, (message, user) in REQUESTS.items():
        for one in fields(message):
            kind = str(one.type)
            if "Address" in kind:
                for address in (Number(LONG), RFC2822Address(f"{LONG}@x.example"), ShortCode(LONG)):
                    value = (address, *getattr(message, one.name)) if "tuple" in kind else address
                    changed = {one.name: value}
                    yield f"{name}/{one.name}/{address.kind}", replace(message, **changed), user
            elif kind.startswith("str"):
                changed = {one.name: LONG}
                try:
                    yield f"{name}/{one.name}", replace(message, **changed), user
                except (ValueError, Mm7Error):
                    continue  # no value of ours can be that long


def lengthened_wires() -> Iterator[tuple[str, Wire, str]]:
    """As ``lengthened``, on the wire; what our writer does not write is put in where a short value stood."""
    for name, message, user in lengthened():
        try:
            yield name, exchange.pack(message), user
        except Mm7Error:
            continue  # the schema has a shorter form for it: what breaks the schema is refused before it is kept
    for name, (message, user) in REQUESTS.items():
        yield f"{name}/transaction_id", exchange.pack(message, transaction_id=LONG), user
        if getattr(message, "parts", ()):
            wire = exchange.pack(message)  # our writer would not write such labels
            body = wire.read()
            assert body.count(b"t@x") > 0
            length = tuple(one for one in wire.headers if one[0].lower() != "content-length")
            yield f"{name}/content_id", replace(wire, headers=length, body=body.replace(b"t@x", LONG.encode())), user


def ask(one: Room, wire: Wire, user: str) -> Any:
    """What the gateway answers to a request."""
    return one.gateway.answer(replace(wire, headers=(*wire.headers, basic(user))))


def test_every_field_of_every_request(room: Make) -> None:
    """10^5 characters in any field are answered for good, accepted or refused, and what is due goes on being done."""
    one = room(CALLED, **AWAY)
    seen = 0
    for name, wire, user in lengthened_wires():
        answer = ask(one, wire, user)
        assert answer.status != 503, name
        if answer.status in (200, 500):
            said = exchange.unpack(answer).message
            error = getattr(said, "error", None)
            code = (error or said).status.code  # type: ignore[union-attr]
            assert code != 3000, name
        seen += 1
    assert seen > 60
    one.gateway.run_pending()
    one.clock.move(minutes=1)
    one.gateway.run_pending()
    last = one.submitted(replace(ONE, delivery_report=True))
    one.gateway.run_pending()
    assert one.states(last) == ["Retrieved"]
    assert [row.state for row in one.outbox(message_id=last)] == ["done"]


def test_long_transaction_id(room: Make) -> None:
    """A TransactionID of any length identifies a request: the same again has the same answer, another is another."""
    one = room()
    first = one.ask(ONE, transaction_id=LONG).message.message_id  # type: ignore[attr-defined]
    again = one.ask(ONE, transaction_id=LONG).message.message_id  # type: ignore[attr-defined]
    other = one.ask(ONE, transaction_id=LONG[:-1] + "-").message.message_id  # type: ignore[attr-defined]
    assert first == again != other


@pytest.mark.parametrize("where", ["to", "cc", "bcc", "sender_address"])
def test_long_address(room: Make, where: str) -> None:
    """An address that is too long is refused with 2002, whoever it is of; the longest one is kept."""
    one = room()
    longest = Number("4" * admissible.LONGEST_ADDRESS, display_only=where in ("to", "cc"))
    for address, code in (
        (longest, 1000 if where != "bcc" else 1100),
        (replace(longest, value=longest.value + "4"), 2002),
    ):
        value = address if where == "sender_address" else (*getattr(ONE, where), address)
        assert one.code(replace(ONE, **{where: value})) == code


def test_upstream_with_long_names(room: Make) -> None:
    """An upstream's MessageID of 10^5 characters is kept: submitted once, and its report finds the message."""
    with FarSide(saying(SubmitRsp(status=Status(1000, LONG), message_id=LONG))) as far:
        upstream = replace(FAR, url=far.url)
        one = room(CALLED, OTHER, upstreams=(upstream,), routes=AWAY["routes"])
        away = one.submitted(replace(SUBMIT, to=("+64211",), delivery_report=True))  # type: ignore[arg-type]
        here = one.submitted(replace(ONE, delivery_report=True))
        one.gateway.run_pending()
        one.clock.move(minutes=2)
        one.gateway.run_pending()
        assert (one.states(away), one.states(here)) == (["Sent"], ["Retrieved"])
        assert len(far.requests) == 1
        report = DeliveryReportReq(
            message_id=LONG, recipient=Number("+64211"), sender=ShortCode("1"), date=NOW, mm_status="Retrieved",
            status_text=LONG,
        )  # fmt: skip
        assert one.code(report, user="up", transaction_id="r") == 1000
        one.gateway.run_pending()
        assert one.states(away) == ["Retrieved"]
        assert {row.state for row in one.outbox()} == {"done"}


@pytest.mark.parametrize("code", [1000, 2007, 3000, 4006])
def test_callback_answers_with_long_names(room: Make, code: int) -> None:
    """Whatever an application answers a callback with, its call has an outcome and others are made."""
    status = Status(code, LONG, details=LONG)
    with FarSide(saying(DeliveryReportRsp(status=status)), proper) as far:
        called = replace(CALLED, callback=Callback(deliver=far.url, username="x", password="y"))
        one = room(called)
        gateway = Gateway(replace(one.settings, database=one.settings.database), clock=one.clock)
        with closing(gateway):
            first, second = (one.submitted(replace(ONE, delivery_report=True)) for _ in range(2))
            gateway.run_pending()
            one.clock.move(minutes=1)
            gateway.run_pending()
            states = [one.outbox(message_id=message)[0].state for message in (first, second)]
        assert sorted(states) == (["dead", "done"] if code == 2007 else ["done", "done"])


@pytest.mark.parametrize("text", ["nul \0 inside", "half \ud800 a pair", "\udfff", "\U0010ffff", "\x1b[31m", LONG])
def test_odd_texts_are_kept(room: Make, text: str) -> None:
    """What no database takes is replaced in what is kept; the row itself is kept."""
    one = room()
    message_id = one.submitted(ONE)
    with one.gateway.database.write() as connection:
        store.change(connection, message_id, subject=text, sender=text, transaction_id=text, excerpt=text)
        outbox.pause(connection, "tnn http://x", text, 1.0)
        store.remember(connection, "tnn", "SubmitReq", text, "d", 1.0, {"code": 1000})
        assert store.remembered(connection, "tnn", "SubmitReq", text, "d") == ('{"code": 1000}', True)
    with one.gateway.database.read() as connection:
        row = store.message(connection, message_id)
    assert row is not None
    assert row.subject == tables.kept(text)
    assert "\0" not in tables.kept(text)
    tables.kept(text).encode()


@pytest.mark.parametrize("outcome", ["dead", "done", "pause", "retry"])
def test_outcomes_with_odd_texts(room: Make, outcome: Any) -> None:
    """An outcome is recorded whatever was answered, with the reason as far as it can be kept."""
    one = room()
    one.gateway.send_mo("tnn", "+61400", "111122")
    _, [call] = one.gateway.pump.turn()
    odd = f"\0\ud800{LONG}"
    one.gateway.pump._results.append(
        (call, Outcome(verdict=outcome, reason=f"\0{LONG}", text=odd, message_id=odd, answer=b"\0\xff" * 50_000))
    )
    one.gateway.pump.turn(claiming=False)
    assert one.gateway.pump.busy == 0


# --- one row at fault -------------------------------------------------------------------------------------------------


def test_recipient_that_cannot_be_processed(room: Make) -> None:
    """A recipient whose row is at fault is Rejected with a reason; all others are served in the same turn."""
    one = room()
    before, bad, after = (one.submitted(replace(ONE, delivery_report=True)) for _ in range(3))
    with one.gateway.database.write() as connection:
        store.change(connection, bad, fields="{this is no JSON")
    one.gateway.run_pending()
    assert [one.states(message) for message in (before, bad, after)] == [["Retrieved"], ["Rejected"], ["Retrieved"]]
    assert "could not be processed: JSONDecodeError" in (one.copies(bad)[0].detail or "")
    assert [row.state for message in (before, after) for row in one.outbox(message_id=message)] == ["done", "done"]


def test_result_that_cannot_be_processed(room: Make) -> None:
    """A call whose result cannot be recorded is a dead letter with a reason; the results beside it are recorded."""
    one = room(CALLED, **AWAY)
    for _ in range(3):
        one.gateway.send_mo("tnn", "+61400", "111122")
    _, calls = one.gateway.pump.turn()
    bad = calls[1]
    with one.gateway.database.write() as connection:
        store.change(connection, bad.message_id, fields="[")
    one.gateway.pump._results.extend((call, Outcome(verdict="done")) for call in calls)
    one.gateway.pump.turn(claiming=False)
    rows = {row.id: row for row in one.outbox()}
    assert [rows[call.id].state for call in calls] == ["done", "dead", "done"]
    assert rows[bad.id].reason == "it could not be processed: JSONDecodeError"
    assert one.gateway.pump.busy == 0


# --- remembered requests ----------------------------------------------------------------------------------------------


def test_one_look_up(room: Make) -> None:
    """However many requests are remembered under one TransactionID, a submit reads at most two rows of them."""
    one = room()
    with one.gateway.database.write() as connection:
        row = {"application": "tnn", "operation": "SubmitReq", "transaction_id": "again", "created": one.clock()}
        rows = [{**row, "digest": f"{n:064x}", "answer": '{"code": 1000}'} for n in range(3000)]
        connection.execute(sa.insert(tables.DUPLICATE), rows)
        assert len(list(connection.scalars(store._KNOWN, {**row, "digest": rows[5]["digest"]}))) == 2
        assert store.remembered(connection, "tnn", "SubmitReq", "again", "new") == (None, True)
        assert store.remembered(connection, "tnn", "SubmitReq", "other", "new") == (None, False)
    first, second = (one.ask(ONE, transaction_id="again").message.message_id for _ in range(2))  # type: ignore[attr-defined]
    assert first == second
    [kept] = one.messages
    assert [found["id"] for found in json.loads(kept.findings)] == ["soap/transaction-repeated"]


def test_older_database_is_migrated(room: Make) -> None:
    """Long TransactionIDs and MessageIDs that an older version kept as they were are found after the migration."""
    one = room()
    name, long = one.settings.database, "x" * 300 + "-é"
    message_id = one.ask(ONE, transaction_id=long).message.message_id  # type: ignore[attr-defined]
    with one.gateway.database.write() as connection:
        connection.execute(sa.update(tables.DUPLICATE).values(transaction_id=long))
        connection.execute(sa.update(tables.RECIPIENT).values(remote_id=long, way="upstream:far"))
        connection.execute(sa.delete(tables.MIGRATION).where(tables.MIGRATION.c.version > 2))
        connection.execute(sa.text("DROP TABLE heartbeat"))
        connection.execute(sa.delete(tables.SETTING))
    with closing(Database(name)) as opened, opened.write() as connection:
        assert connection.scalar(sa.select(sa.func.max(tables.MIGRATION.c.version))) == len(migrations.STEPS)
        assert store.remote_copy(connection, "upstream:far", long) is not None
    assert one.ask(ONE, transaction_id=long).message.message_id == message_id  # type: ignore[attr-defined]
