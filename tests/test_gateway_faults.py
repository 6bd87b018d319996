"""Nothing that comes from outside, and no fault of the store, stops a gateway: long and odd values, lost files, locks.

Every test runs on both engines where the store has a part in it.
"""

from __future__ import annotations

import asyncio
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
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa
from far_side import FarSide, proper, saying
from gateway_room import CALLED, ONE, OTHER, SUBMIT, TEXT, Make, Room, basic, rooms

from mm7zeep import exchange
from mm7zeep.errors import Mm7Error
from mm7zeep.exchange import Wire
from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.admin.routes import ABOUT, ROUTES
from mm7zeep.gateway.config.destination import Destination
from mm7zeep.gateway.config.parties import Callback, Route, Upstream
from mm7zeep.gateway.delivery.retry import Outcome
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.mm7.admission import AdmissionControl
from mm7zeep.gateway.mm7.validation import recipients
from mm7zeep.gateway.rest import openapi
from mm7zeep.gateway.store import endpoints, idempotency, messages, migrations, tables
from mm7zeep.gateway.store.database import Database, StoreError
from mm7zeep.gateway.store.readiness import Readiness
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
    SubmitRsp,
)
from mm7zeep.status import Status

pytestmark = pytest.mark.once

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
    longest = Number("4" * recipients.LONGEST_ADDRESS, display_only=where in ("to", "cc"))
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
            status_text="x" * 4000,
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
        messages.change(connection, message_id, subject=text, sender=text, transaction_id=text, excerpt=text)
        endpoints.pause(connection, "tnn http://x", text, 1.0)
    request = idempotency.Request("tnn", "SubmitReq", text, "d")
    task = idempotency.Task(request, 10.0, lambda *_: {"code": 1000})
    again = [idempotency.once(one.gateway.database, one.gateway.clock, task) for _ in range(2)]
    assert again == [({"code": 1000}, False, False), ({"code": 1000}, True, False)]
    with one.gateway.database.read() as connection:
        row = messages.message(connection, message_id)
    assert row is not None
    assert row.subject == tables.kept(text)
    assert "\0" not in tables.kept(text)
    tables.kept(text).encode()


@pytest.mark.parametrize("outcome", ["dead", "done", "pause", "retry"])
def test_outcomes_with_odd_texts(room: Make, outcome: Any) -> None:
    """An outcome is recorded whatever was answered, with the reason as far as it can be kept."""
    one = room()
    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    _, [call] = one.gateway.dispatcher.run_once()
    odd = f"\0\ud800{LONG}"
    one.gateway.dispatcher._results.append(
        (call, Outcome(verdict=outcome, reason=f"\0{LONG}", text=odd, message_id=odd, answer=b"\0\xff" * 50_000))
    )
    one.gateway.dispatcher.run_once(claiming=False)
    assert one.gateway.dispatcher.busy == 0


# --- one row at fault -------------------------------------------------------------------------------------------------


def test_recipient_that_cannot_be_processed(room: Make) -> None:
    """A recipient whose row is at fault is Rejected with a reason; all others are served in the same turn."""
    one = room()
    before, bad, after = (one.submitted(replace(ONE, delivery_report=True)) for _ in range(3))
    with one.gateway.database.write() as connection:
        messages.change(connection, bad, fields="{this is no JSON")
    one.gateway.run_pending()
    assert [one.states(message) for message in (before, bad, after)] == [["Retrieved"], ["Rejected"], ["Retrieved"]]
    assert "could not be processed: JSONDecodeError" in (one.copies(bad)[0].detail or "")
    assert [row.state for message in (before, after) for row in one.outbox(message_id=message)] == ["done", "done"]


def test_recipient_that_the_database_does_not_process(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recipient that the database keeps refusing for a cause that may pass waits; those behind it have their turn."""
    one = room()
    bad, good = (one.submitted(ONE) for _ in range(2))
    reached = type(one.gateway.dispatcher.network)._reached

    def choosy(network: Any, message: Any, *arguments: Any, **options: Any) -> Any:
        if message.id == bad:
            raise StoreError("a cause that may pass")
        return reached(network, message, *arguments, **options)

    monkeypatch.setattr(type(one.gateway.dispatcher.network), "_reached", choosy)
    with pytest.raises(StoreError):
        one.gateway.dispatcher.run_once()
    one.gateway.dispatcher._isolate()
    assert (one.states(bad), one.states(good)) == (["Pending"], ["Retrieved"])
    monkeypatch.undo()
    one.clock.move(seconds=31)
    one.gateway.run_pending()
    assert one.states(bad) == ["Retrieved"]


def test_result_that_cannot_be_processed(room: Make) -> None:
    """A call whose result cannot be recorded is a dead letter with a reason; the results beside it are recorded."""
    one = room(CALLED, **AWAY)
    for _ in range(3):
        one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    _, calls = one.gateway.dispatcher.run_once()
    bad = calls[1]
    with one.gateway.database.write() as connection:
        messages.change(connection, bad.message_id, fields="[")
    one.gateway.dispatcher._results.extend((call, Outcome(verdict="done")) for call in calls)
    one.gateway.dispatcher.run_once(claiming=False)
    rows = {row.id: row for row in one.outbox()}
    assert [rows[call.id].state for call in calls] == ["done", "dead", "done"]
    assert rows[bad.id].reason == "it could not be processed: JSONDecodeError"
    assert one.gateway.dispatcher.busy == 0


@pytest.mark.parametrize(
    ("name", "statement", "of_value"),
    [
        ("integer", sa.insert(tables.RAW).values(message_id="m", n=2**70, received=0.0, headers="", body=b""), True),
        ("missing", sa.insert(tables.RAW).values(message_id="m", n=None, received=0.0, headers="", body=b""), True),
        ("index", sa.insert(tables.ENDPOINT).values(name=LONG, paused=False, since=0.0), True),
        ("conflict", sa.insert(tables.MIGRATION).values(version=1, applied=0.0), False),
        ("nothing", sa.text("SELECT 1 FROM nowhere"), False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whose_fault_an_error_is(room: Make, name: str, statement: Any, of_value: bool) -> None:
    """A value at fault is told from a conflict of two transactions, and from a store that is not as it should be."""
    database = room().gateway.database
    if name == "index" and database.sqlite:  # whose indexes have no limit
        with database.write() as connection:
            connection.execute(statement)
        return
    with pytest.raises(StoreError) as caught, database.write() as connection:
        connection.execute(statement)
    assert caught.value.of_value is of_value


# --- remembered requests ----------------------------------------------------------------------------------------------


def test_one_look_up(room: Make) -> None:
    """However many requests are remembered under one TransactionID, a submit reads its own and two digests of them."""
    one = room()
    with one.gateway.database.write() as connection:
        row = {"application": "tnn", "operation": "SubmitReq", "transaction_id": "again", "created": one.clock()}
        rows = [{**row, "digest": f"{n:064x}", "answer": '{"code": 1000}'} for n in range(3000)]
        connection.execute(sa.insert(tables.DUPLICATE), rows)
        known = idempotency.Request("tnn", "SubmitReq", "again", rows[5]["digest"])
        found = [tuple(each) for each in idempotency._look(connection, [known])]
        assert found == [('{"code": 1000}', one.clock(), rows[0]["digest"], rows[1]["digest"])]
    for _ in range(2):  # the id of different requests is no identity, and that is kept once
        one.submitted(ONE, transaction_id="again")
        with one.gateway.database.read() as connection:
            assert connection.scalar(sa.select(sa.func.count()).select_from(tables.DUPLICATE)) == 3001
    told = [[finding["id"] for finding in json.loads(kept.findings)] for kept in one.messages]
    assert told == [["soap/transaction-repeated"]] * 2


@pytest.mark.parametrize("count", [1, 2, 64])
def test_look_up_of_many_goes_by_the_index(room: Make, count: int) -> None:
    """However many requests are looked up, it is one statement, and no table is read from end to end for it."""
    database = room().gateway.database
    row = {"application": "tnn", "operation": "SubmitReq", "created": 1.0, "answer": "{}"}
    rows = [{**row, "transaction_id": f"t-{n}", "digest": f"{n:064x}"} for n in range(5000)]
    with database.write() as connection:
        connection.execute(sa.insert(tables.DUPLICATE), rows)
    said: list[tuple[str, Any]] = []

    def noted(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: object) -> None:
        said.append((statement, parameters))

    asked = [idempotency.Request("tnn", "SubmitReq", f"t-{n}", f"{n:064x}") for n in range(count)]
    with database.read() as connection:
        sa.event.listen(connection, "before_cursor_execute", noted)
        assert [each[0] for each in idempotency._look(connection, asked)] == ["{}"] * count
        sa.event.remove(connection, "before_cursor_execute", noted)
        [(statement, parameters)] = said
        explain = "EXPLAIN QUERY PLAN" if database.sqlite else "EXPLAIN"
        plan = [str(tuple(line)) for line in connection.exec_driver_sql(f"{explain} {statement}", parameters)]
    by_index = "SEARCH duplicate USING" if database.sqlite else "using duplicate_pkey on duplicate"
    assert sum(by_index in line for line in plan) == 4, plan
    assert not [line for line in plan if "SCAN duplicate" in line or "Seq Scan" in line or "Bitmap" in line]


def test_look_up_of_many_is_that_of_each(room: Make) -> None:
    """What is remembered of several requests is what is remembered of each: in time, too late, of others, odd ids."""
    one = room()
    names = ["12", "x" * 300, "nul \0", "\ud800", "\U0001f600", "a\"b'c\\%(d)s:e", "[1,", ""]
    remembered = {  # digests, and when each was
        "in time": [("d", 9.0)], "too late": [("d", 1.0)], "another's": [("c", 9.0)], "two": [("c", 1.0), ("d", 9.0)],
        "behind": [("d", 9.0), ("e", 9.0)], "late behind": [("d", 1.0), ("e", 9.0)], "reused": [("", 99.0), ("d", 9.0)],
        "two others": [("c", 9.0), ("e", 9.0)],
    }  # fmt: skip
    remembered |= {name: [("d", 9.0)] for name in names}
    with one.gateway.database.write() as connection:
        for name, digests in remembered.items():
            for digest, created in digests:
                row = idempotency.Request("tnn", "SubmitReq", name, "d").row(digest)
                connection.execute(sa.insert(tables.DUPLICATE).values(**row, created=created, answer=f'"{digest}"'))
        requests = [idempotency.Request("tnn", "SubmitReq", name, "d") for name in (*remembered, "new")]
        requests += [one._replace(owner="other") for one in requests] + [
            one._replace(operation="x") for one in requests
        ]
        tasks = [idempotency.Task(each, 5.0, lambda *_: {}) for each in requests]
        tasks.insert(3, tasks[0]._replace(window=0.0))
        found = idempotency._look_for_all(connection, tasks, 10.0)
        each = [idempotency._look_for_all(connection, [task], 10.0)[0] for task in tasks]
    assert found == each
    unknown = (None, False, None)
    assert found.pop(3) == unknown
    assert found[:8] == [
        ('"d"', False, None), (None, True, None), (None, False, "c"), ('"d"', False, "c"),
        ('"d"', False, "e"), (None, True, "e"), ('"d"', False, ""), (None, False, "c"),
    ]  # fmt: skip
    assert found[8 : 8 + len(names)] == [('"d"', False, None)] * len(names)
    assert found[8 + len(names) :] == [unknown] * (len(found) - 8 - len(names))


def set_back(connection: sa.Connection, version: int) -> None:
    """Make the database what it was at ``version``, with the messages that it has: what came later is not there."""
    kept = {
        table: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
        for table in (tables.DUPLICATE, tables.MESSAGE, tables.RAW, tables.RECIPIENT)
    }
    tables.METADATA.drop_all(connection)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "STEPS", migrations.STEPS[:version])
        migrations.migrate(connection)
    for table, rows in kept.items():
        names = {one["name"] for one in sa.inspect(connection).get_columns(table.name)}
        there = sa.table(table.name, *(sa.column(name) for name in names))
        for row in rows:
            old = row | {"way": str(row.get("destination"))}
            connection.execute(sa.insert(there).values({name: old[name] for name in names}))


def test_older_database_is_migrated(room: Make) -> None:
    """Long TransactionIDs and MessageIDs that an older version kept as they were are found after the migration."""
    one = room()
    name, long = one.settings.database, "x" * 300 + "-é"
    message_id = one.ask(ONE, transaction_id=long).message.message_id  # type: ignore[attr-defined]
    with one.gateway.database.write() as connection:
        connection.execute(sa.update(tables.DUPLICATE).values(transaction_id=long))
        connection.execute(sa.update(tables.RECIPIENT).values(remote_id=long, destination=Destination.upstream("far")))
        set_back(connection, 2)
    with closing(Database(name)) as opened, opened.write() as connection:
        assert connection.scalar(sa.select(sa.func.max(tables.MIGRATION.c.version))) == len(migrations.STEPS)
        assert messages.remote_copy(connection, Destination.upstream("far"), long) is not None
    assert one.ask(ONE, transaction_id=long).message.message_id == message_id  # type: ignore[attr-defined]


# --- the REST API -----------------------------------------------------------------------------------------------------

ODD: dict[str, tuple[object, ...]] = {
    "string": (LONG, "nul \0", "\ud800", "\U0010ffff", "%", "2026-03-01T12:00:00Z"),
    "integer": (2**31, 2**63 - 1, 2**63, -1, int("9" * 400)),
    "number": (1e300, -1e300, 2**63, 1e-320),
    "boolean": (True,),
    "array": ([], [LONG], [{}] * 1000),
    "object": ({}, {LONG: LONG}),
}
"""Values of each kind that a column, an index or a conversion may not take."""


DOCUMENT = openapi.document(ABOUT, ROUTES)


def branches(schema: Any) -> list[Any]:
    """A schema, its references followed and its alternatives apart."""
    if "$ref" in schema:
        return branches(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return [one for branch in schema["anyOf"] for one in branches(branch)] if "anyOf" in schema else [schema]


def odd_values(schema: Any) -> Iterator[object]:
    """Odd values that a schema's kind has."""
    for branch in branches(schema):
        kinds = branch["type"]
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            yield from ODD.get(kind, ())


def plain(schema: Any) -> Any:
    """A value that a schema takes."""
    found = branches(schema)[0]
    kind = found["type"] if isinstance(found["type"], str) else found["type"][0]
    if "enum" in found:
        return found["enum"][0]
    if kind == "object":
        return {name: plain(found["properties"][name]) for name in found.get("required", ())}
    return {"string": "tnn", "integer": 1, "number": 1, "boolean": True, "array": []}[kind]


def odd_requests() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Requests to every route of the document with one odd value in path, query or body."""
    for method, route, operation in (
        (method.upper(), path, one) for path, item in DOCUMENT["paths"].items() for method, one in item.items()
    ):
        path = route.replace("{id}", "1").replace("{n}", "0")
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        usual = {} if body is None else plain(body)
        for parameter in operation["parameters"]:
            for value in odd_values(parameter["schema"]):
                text = quote(str(value), safe="", errors="surrogatepass")
                if parameter["in"] == "query":
                    yield method, f"{path}?{parameter['name']}={text}", {}
                    continue
                others = route.replace("{" + parameter["name"] + "}", text)
                yield method, others.replace("{id}", "1").replace("{n}", "0"), {"json": usual}
        for name, schema in branches(body)[0]["properties"].items() if body is not None else ():
            for value in odd_values(schema):
                content = json.dumps({**usual, name: value})
                yield method, path, {"content": content, "headers": {"Content-Type": "application/json"}}
        yield method, path, {"headers": {"X-Long": LONG, "Accept": LONG}}


def test_every_value_of_the_rest_api(room: Make) -> None:
    """No value in path, query, body or header of a REST request is answered 5xx, and the gateway goes on."""
    one = room()
    app = admin_app(one.gateway, clock=one.clock)
    one.submitted()

    async def run() -> int:
        seen = 0
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8008") as client:
            for method, path, options in odd_requests():
                if "/wait" in path:
                    path += "&timeout=0" if "?" in path and "timeout" not in path else ""
                    path += "?timeout=0" if "?" not in path else ""
                try:
                    answer = await client.request(method, path, **options)
                except (httpx.InvalidURL, UnicodeError):
                    continue  # the client sends none of that
                assert answer.status_code < 500, (method, path[:200], str(options)[:200], answer.text)
                seen += 1
        return seen

    assert asyncio.run(run()) > 150
    assert one.gateway.ready() == ()
    one.gateway.run_pending()
    one.submitted()


@pytest.mark.parametrize(("value", "statuses"), [(LONG, {431}), (LONG[:4000], {200}), ("\0\xff\udc80", {200, 400})])
def test_long_header_fields(room: Make, value: str, statuses: set[int]) -> None:
    """Header fields of a request are refused, or kept, whatever they hold."""
    wire = exchange.pack(ONE)
    assert ask(room(), replace(wire, headers=(*wire.headers, ("X-Odd", value))), "tnn").status in statuses


# --- the store is not what it was -------------------------------------------------------------------------------------


def path_of(one: Room) -> Path:
    """The file of a room's database."""
    return Path(str(sa.make_url(one.settings.database).database))


def copied(path: Path) -> None:
    """Put a copy in the place of a file, as a restored backup is put."""
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.rename(path)


AWAY_FILES: dict[str, Callable[[Path], object]] = {
    "unlinked": lambda path: path.unlink(),
    "renamed": lambda path: path.rename(path.with_name("other")),
    "replaced": copied,
    "empty": lambda path: (path.unlink(), path.touch()),
    "log unlinked": lambda path: path.with_name(path.name + "-wal").unlink(),
    "log replaced": lambda path: copied(path.with_name(path.name + "-wal")),
    "shared memory unlinked": lambda path: path.with_name(path.name + "-shm").unlink(),
    "folder moved": lambda path: path.parent.rename(path.parent.with_name("moved")),
}


@pytest.mark.parametrize("name", AWAY_FILES)
def test_file_is_not_the_one_that_was_opened(tmp_path: Path, name: str) -> None:
    """Where a file of the database is gone, or another one, nothing is answered 1000, and readiness says which."""
    with rooms(tmp_path) as make:
        one = make()
        assert one.gateway.ready() == ()
        one.submitted()
        AWAY_FILES[name](path_of(one))
        answers = [ask(one, exchange.pack(ONE), "tnn") for _ in range(3)]
        assert [answer.status for answer in answers] == [503] * 3
        assert all(dict(answer.headers)["Retry-After"] for answer in answers)
        one.gateway.admission.look()
        assert any("gateway.db" in reason or "disk" in reason for reason in one.gateway.ready())
        assert name not in ("unlinked", "renamed") or not path_of(one).exists()  # no empty file in its place


def test_link_to_another_file(tmp_path: Path) -> None:
    """A link in the path that leads to another file by now is not followed: what was opened is gone on with."""
    first, second, link = tmp_path / "first", tmp_path / "second", tmp_path / "link"
    first.mkdir()
    second.mkdir()
    link.symlink_to(first)
    one = Room(tmp_path, database=f"sqlite:///{link / 'x.db'}")
    with closing(one.gateway):
        kept = [one.submitted()]
        link.unlink()
        link.symlink_to(second)
        one.gateway.database.renew()  # connections are opened by the path, and lead elsewhere
        assert ask(one, exchange.pack(ONE), "tnn").status == 503
        one.gateway.admission.look()
        assert "leads to another file" in one.gateway.ready()[0]
        link.unlink()
        link.symlink_to(first)
        one.gateway.admission.look()
        kept.append(one.submitted())
        assert [row.id for row in one.messages] == kept


def test_file_comes_back(tmp_path: Path) -> None:
    """A folder that was moved and is moved back is the one that was opened: all that was kept is there, and more is."""
    with rooms(tmp_path) as make:
        one = make()
        first, folder = one.submitted(), path_of(one).parent
        folder.rename(tmp_path / "moved")
        assert ask(one, exchange.pack(ONE), "tnn").status == 503
        one.gateway.admission.look()
        assert one.gateway.ready() != ()
        (tmp_path / "moved").rename(folder)
        one.gateway.admission.look()
        assert one.gateway.ready() == ()
        second = one.submitted()
        assert [row.id for row in one.messages] == [first, second]


def test_connections_that_cannot_write_are_not_used_again(tmp_path: Path) -> None:
    """Connections that were opened while the file could not be written fail once, and are opened anew."""
    with rooms(tmp_path) as make:
        one = make()
        engine = one.gateway.database.engine
        opened = [engine.connect() for _ in range(8)]
        for connection in opened:
            connection.exec_driver_sql("PRAGMA query_only=ON")  # as one that SQLite opened to be read only
        for connection in opened:
            connection.close()
        answers = [ask(one, exchange.pack(ONE, transaction_id=f"t{n}"), "tnn").status for n in range(10)]
        assert answers == [503] + [200] * 9


def test_readiness_opens_connections_anew(tmp_path: Path) -> None:
    """After a look that failed, no connection from before is used: the first submit afterwards is taken."""
    with rooms(tmp_path) as make:
        one = make()
        folder, engine = path_of(one).parent, one.gateway.database.engine
        opened = [engine.connect() for _ in range(8)]
        for connection in opened:
            connection.exec_driver_sql("PRAGMA query_only=ON")
        for connection in opened:
            connection.close()
        folder.rename(tmp_path / "moved")
        one.gateway.admission.look()
        assert one.gateway.ready() != ()
        (tmp_path / "moved").rename(folder)
        one.gateway.admission.look()
        assert one.gateway.ready() == ()
        assert ask(one, exchange.pack(ONE), "tnn").status == 200


def test_damaged_file(tmp_path: Path) -> None:
    """A file that is overwritten is met by a submit or a look, and the gateway is not ready from then on."""
    with rooms(tmp_path) as make:
        one = make()
        for _ in range(5):
            one.submitted()
        with one.gateway.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        with path_of(one).open("r+b") as file:
            file.write(b"\xff" * path_of(one).stat().st_size)
        one.gateway.database.renew()  # what is remembered of pages that were read goes with its connection
        assert ask(one, exchange.pack(ONE), "tnn").status == 503
        for _ in range(2):
            one.gateway.admission.look()
            assert any("damaged" in reason or "not a database" in reason for reason in one.gateway.ready())
        assert ask(one, exchange.pack(ONE), "tnn").status == 503


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_locked_database(tmp_path: Path, request: pytest.FixtureRequest, engine: str) -> None:
    """While somebody else holds the lock the gateway is not ready, and it is again as soon as the lock is gone."""
    url = request.getfixturevalue("postgres_url") if engine == "postgresql" else f"sqlite:///{tmp_path / 'x.db'}"
    one = Room(tmp_path, database=url)
    other = sa.create_engine(url)
    try:
        with other.connect() as holder:
            if engine == "sqlite":
                holder.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                holder.exec_driver_sql("LOCK TABLE heartbeat IN ACCESS EXCLUSIVE MODE")
            one.gateway.admission.look()
            assert one.gateway.ready() != ()
            assert ask(one, exchange.pack(ONE), "tnn").status == 503
            holder.rollback()
        for _ in range(20):  # PostgreSQL: the look that was under way ends first
            one.gateway.admission.look()
            if not one.gateway.ready():
                break
        assert one.gateway.ready() == ()
        one.submitted()
    finally:
        other.dispose()
        one.gateway.close()


def test_wait_for_the_lock_is_bounded(tmp_path: Path) -> None:
    """Who waits for another process, or for a thread of this one, waits no longer than it may."""
    with closing(Database(f"sqlite:///{tmp_path / 'x.db'}")) as database:
        with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked"), database.write(wait=0.05):
                pass
        inside, leave = threading.Event(), threading.Event()

        def hold() -> None:
            with database.write():
                inside.set()
                leave.wait(20)

        holder = threading.Thread(target=hold)
        holder.start()
        assert inside.wait(10)
        with pytest.raises(StoreError, match="others have been writing"), database.write(wait=0.05):
            pass
        leave.set()
        holder.join()
        with database.write(wait=5):
            pass


def test_busy_is_not_locked(tmp_path: Path) -> None:
    """A database that others of this process write to all the time is busy, and takes what is written."""
    stop = threading.Event()
    with closing(Database(f"sqlite:///{tmp_path / 'x.db'}")) as database:

        def write() -> None:
            while not stop.is_set():
                with database.write(wait=60) as connection:
                    messages.set_setting(connection, "x", 1)

        writers = [threading.Thread(target=write) for _ in range(4)]
        for writer in writers:
            writer.start()
        try:
            readiness = Readiness(database, lambda connection: None, lambda connection: None, patience=60)
            assert [readiness.why_not() for _ in range(3)] == [None] * 3
        finally:
            stop.set()
            for writer in writers:
                writer.join()


def test_database_that_hangs(tmp_path: Path) -> None:
    """A look that does not come back is waited for no longer than it may, and others are not begun beside it."""
    begun: list[int] = []
    release = threading.Event()

    def beat(connection: object) -> None:
        begun.append(1)
        release.wait(20)

    with closing(Database(f"sqlite:///{tmp_path / 'x.db'}")) as database:
        readiness = Readiness(database, beat, lambda connection: None, patience=0.05)
        assert [readiness.why_not() for _ in range(3)] == ["the database does not answer"] * 3
        assert len(begun) == 1
        release.set()
        patient = [readiness.why_not() for _ in range(100)]
        assert patient[-1] is None


def test_look_that_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a look raises is logged, means not ready, and is over with the next look that succeeds."""
    broken = [ZeroDivisionError()]

    def beat(connection: object) -> None:
        if broken:
            raise broken.pop()

    with closing(Database(f"sqlite:///{tmp_path / 'x.db'}")) as database:
        readiness = Readiness(database, beat, lambda connection: None, patience=60)
        assert readiness.why_not() == "the look at the database failed"
        assert "ZeroDivisionError" in caplog.text
        assert readiness.why_not() is None


# --- threads ----------------------------------------------------------------------------------------------------------


def test_disk_that_says_nothing(tmp_path: Path) -> None:
    """A disk that does not say how full it is keeps the gateway from being ready, and no look from being had."""
    with rooms(tmp_path) as make:
        one = make()
        answers: list[int | OSError] = [2**50, OSError(5, "Input/output error"), 2**50]

        def free(folder: str) -> int:
            found = answers.pop(0)
            if isinstance(found, OSError):
                raise found
            return found

        admission = AdmissionControl(one.settings, one.gateway.database, free=free)
        assert admission.full == ()
        admission.look()
        assert admission.full == ("the disk does not say how full it is: Input/output error",)
        admission.look()
        assert admission.full == ()


def test_thread_that_ends_is_started_again() -> None:
    """A thread that ends by an exception is started again and counted; one that keeps ending is named."""
    stopping, runs, restarted = threading.Event(), [], []
    enough = threading.Event()

    def work() -> None:
        runs.append(1)
        if len(runs) <= 3:
            raise OSError(28, "No space left on device")
        enough.set()
        stopping.wait(20)

    thread = SupervisedThread("keeper", work, stopping, restarted=restarted.append)
    assert thread.failing() is None
    thread.start()
    assert enough.wait(20)
    assert restarted == ["keeper"] * 3
    assert thread.failing() == "the thread keeper keeps ending: OSError"
    stopping.set()
    thread.join(20)
    assert not thread.is_alive()


def test_keeper_survives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a look raises, looks go on, the restarts are on the metrics page, and readiness names the thread."""
    with rooms(tmp_path) as make:
        one = make()
        looks, enough = [], threading.Event()

        def look() -> None:
            looks.append(1)
            if len(looks) >= 4:
                enough.set()
            raise ZeroDivisionError

        monkeypatch.setattr(one.gateway.admission, "look", look)
        monkeypatch.setattr("mm7zeep.gateway.mm7.admission._LOOK", 0.001)
        with one.gateway.working():
            assert enough.wait(20)
            assert "the thread keeper keeps ending: ZeroDivisionError" in one.gateway.ready()
            page, _ = one.gateway.metrics.exposition(one.gateway.database)
        assert b'mm7_thread_restarts_total{thread="keeper"}' in page
