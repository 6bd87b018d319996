"""A short kill storm on both engines, and that the neighbours which it relies on do what they say.

The long one is ``python tests/storm.py``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import audit
import pytest
import requests
import sqlalchemy as sa
import storm
from callback_sink import Call, CallbackSink, Trouble
from far_side import CLOSE, FarSide, Request, Steps, http, proper
from load import Load, Prepared, PreparedJson, percentile

from mm7zeep import exchange
from mm7zeep.client import MmscClient
from mm7zeep.exchange import Wire
from mm7zeep.gateway.store.tables import MESSAGE, METADATA, OUTBOX, RAW
from mm7zeep.messages import DeliveryReportReq, Number, Part, SubmitReq
from mm7zeep.profiles import REL_5_MM7_1_3, REL_6_MM7_1_4

SHORT = storm.Plan(submits=300, kills=3, lease=1.0, seed=7)
REPORT = DeliveryReportReq(
    message_id="m-1", recipient=Number("+61411"), sender=Number("+61400"), date=datetime.now(UTC), mm_status="Retrieved"
)


@pytest.mark.processes
def test_storm_on_sqlite(tmp_path: Path) -> None:
    """Three kills under load on SQLite: nothing lost, nothing twice, every report taken."""
    assert storm.run(SHORT, tmp_path).deviations == []


@pytest.mark.processes
@pytest.mark.postgres
def test_storm_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """Three kills under load on PostgreSQL: nothing lost, nothing twice, every report taken."""
    assert storm.run(SHORT, tmp_path, postgres_url).deviations == []


@pytest.mark.processes
def test_storm_on_the_json_api(tmp_path: Path) -> None:
    """Three kills while messages come in by the JSON API: nothing lost, nothing twice, every report taken."""
    assert storm.run(replace(SHORT, by="json"), tmp_path).deviations == []


@pytest.mark.processes
@pytest.mark.postgres
def test_storm_on_the_json_api_with_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """The same on PostgreSQL."""
    assert storm.run(replace(SHORT, by="json"), tmp_path, postgres_url).deviations == []


# --- the neighbours ---------------------------------------------------------------------------------------------------


def test_prepared_submits_are_sound() -> None:
    """What the load submits is faultless MM7, and two messages differ where they should."""
    prepared = Prepared(run="0badcafe")
    first, other = (
        exchange.unpack(Wire(headers=prepared.headers, body=prepared.body(n)), policy="strict")
        for n in (1, 123_456_789)
    )
    assert isinstance(first.message, SubmitReq)
    assert isinstance(other.message, SubmitReq)
    assert (first.transaction_id, other.transaction_id) == ("load-0badcafe-000000001", "load-0badcafe-123456789")
    assert [str(one) for one in (*first.message.to, *other.message.to)] == ["+61000000001", "+61123456789"]
    assert first.message.delivery_report
    assert 29_500 < prepared.length < 30_500
    assert len(prepared.body(1)) == len(prepared.body(123_456_789)) == prepared.length


def test_prepared_json_is_the_same_message() -> None:
    """What the load sends as JSON is the message of the MM7 submit, and what is kept of it is known again."""
    prepared = PreparedJson(run="0badcafe")
    told = [json.loads(prepared.body(n)) for n in (1, 2)]
    assert [one["to"] for one in told] == ["+61000000001", "+61000000002"]
    assert [told[0][name] == told[1][name] for name in ("parts", "delivery_report", "subject")] == [True, True, False]
    parts = [Part(body=base64.b64decode(one["data"]), content_type=one["content_type"]) for one in told[0]["parts"]]
    message = SubmitReq(vaspid="v", to=(Number("+61000000001"),), subject=told[0]["subject"])
    whole, less = (exchange.pack(message, some) for some in (parts, parts[:1]))
    assert prepared.is_kept(1, json.dumps(whole.headers), whole.read())
    assert not prepared.is_kept(2, json.dumps(whole.headers), whole.read())
    assert not prepared.is_kept(1, json.dumps(less.headers), less.read())


@pytest.mark.parametrize("profile", [REL_5_MM7_1_3, REL_6_MM7_1_4], ids=lambda one: one.schema)
def test_sink_answers_as_it_was_asked(profile: object) -> None:
    """The sink's answer is faultless in the namespace of the request, and the call is remembered."""
    with CallbackSink() as sink, MmscClient(sink.url, auth=("u", "p"), profile=profile) as client:  # type: ignore[arg-type]
        answer = client.send(REPORT)
    assert (answer.status.code, answer.findings) == (1000, ())
    assert [one[1:] for one in sink.calls] == [
        ("DeliveryReportReq", answer.transaction_id, "m-1", "Retrieved", "+61411", "1000")
    ]


def test_sink_makes_trouble() -> None:
    """A sink in trouble answers by HTTP or MM7, or cuts the connection, as often as it was told."""
    wire = exchange.pack(REPORT)
    body, headers = wire.read(), dict(wire.headers)
    with CallbackSink(seed=1) as sink:
        for trouble, seen in ((Trouble(http=503), 503), (Trouble(mm7=3000), 200), (Trouble(), 200)):
            sink.troubles = (trouble,)
            assert requests.post(sink.url, data=body, headers=headers, timeout=5).status_code == seen
        sink.troubles = (Trouble(cut=True),)
        with pytest.raises(requests.ConnectionError):
            requests.post(sink.url, data=body, headers=headers, timeout=5)
        sink.troubles = (Trouble(probability=0.5, http=503),)
        with requests.Session() as session:
            for _ in range(100):
                session.post(sink.url, data=body, headers=headers, timeout=5)
    assert [one.told for one in sink.calls[:4]] == ["503", "3000", "1000", "cut"]
    assert 30 < Counter(one.told for one in sink.calls[4:])["503"] < 70


def test_load_repeats_until_accepted() -> None:
    """The load sends a message again, octet by octet, until it is answered 1000, and counts what it got instead."""
    choose, prepared = random.Random(1), Prepared()

    def flaky(request: Request) -> Steps:
        return choose.choice(((http(503),), (CLOSE,), proper(request), proper(request)))

    with (
        FarSide(flaky) as far,
        Load(far.url, ("u", "p"), prepared, count=40, concurrency=4, pause=0.001) as load,
    ):
        assert load.join(20)
    seen = Counter(hashlib.sha256(one.body).hexdigest() for one in far.requests)
    assert load.accepted == dict.fromkeys(range(40), "m-1")
    assert len(load.latencies) == load.outcomes["1000"] == 40
    assert min(load.outcomes["HTTP 503"], load.outcomes["IncompleteReadError"]) > 0
    assert load.outcomes.total() == seen.total()
    assert seen.keys() == {hashlib.sha256(prepared.body(n)).hexdigest() for n in range(40)}


def test_percentiles() -> None:
    """The value that a share does not exceed; of nothing, 0."""
    assert [percentile(range(1, 101), share) for share in (0.5, 0.99, 1.0)] == [51, 100, 100]
    assert percentile([], 0.5) == 0.0


# --- the audit --------------------------------------------------------------------------------------------------------


def row(table: sa.Table, **values: object) -> sa.Insert:
    """A row with these values, and something harmless in the columns that need one."""
    blank = {"Text": "", "Integer": 0, "BigInteger": 0, "Double": 0.0, "Boolean": False, "LargeBinary": b""}
    needed = {
        one.name: blank[type(one.type).__name__] for one in table.columns if not one.nullable and not one.primary_key
    }
    return sa.insert(table).values({**needed, **values})


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[tuple[sa.Connection, Prepared, dict[int, str], list[Call]]]:
    """Three messages as a faultless gateway leaves them: the database, what was sent, answered and called."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'kept.db'}")
    METADATA.create_all(engine)
    prepared, accepted, calls = Prepared(size=3_000), {n: f"m-{n}" for n in range(3)}, []
    with engine.begin() as connection:
        for n, message_id in accepted.items():
            name = prepared.transaction_id(n)
            connection.execute(row(MESSAGE, id=message_id, direction="mt", transaction_id=name))
            connection.execute(row(RAW, message_id=message_id, n=0, body=prepared.body(n)))
            connection.execute(row(OUTBOX, message_id=message_id, transaction_id=f"t-{n}", state="done"))
            calls.append(Call(0.0, "DeliveryReportReq", f"t-{n}", message_id, "Retrieved", "+61", "1000"))
        yield connection, prepared, accepted, calls
    engine.dispose()


def found(kept: tuple[sa.Connection, Prepared, dict[int, str], list[Call]]) -> set[str]:
    """The kinds of deviation that the audit sees."""
    connection, prepared, accepted, calls = kept
    wrong = audit.messages(connection, prepared, accepted).counts + audit.integrity(connection).counts
    return set(wrong + audit.callbacks(connection, accepted.values(), calls).counts)


def test_audit_of_a_faultless_gateway(kept: Any) -> None:
    """Where all promises were kept nothing is found; a repeated call with the same TransactionID is no deviation."""
    kept[3].append(kept[3][0])
    assert found(kept) == set()
    assert audit.outstanding(kept[0]) == 0


@pytest.mark.parametrize(
    ("damage", "kinds"),
    [
        ("DELETE FROM message WHERE id = 'm-1'", {"lost", "a report on a message that is not stored"}),
        ("UPDATE message SET id = 'm-9' WHERE id = 'm-1'", {"lost", "a report on a message that is not stored"}),
        ("INSERT INTO message SELECT 9, 'm-9'{rest} FROM message WHERE id = 'm-1'", {"stored twice"}),
        ("UPDATE raw SET body = x'00' WHERE message_id = 'm-1'", {"other octets"}),
        ("DELETE FROM raw WHERE message_id = 'm-1'", {"no octets"}),
        ("UPDATE outbox SET state = 'dead' WHERE message_id = 'm-1'", {"call left dead"}),
        ("UPDATE outbox SET transaction_id = 'x' WHERE id = 1", {"a TransactionID other than the stored"}),
        ("INSERT INTO outbox SELECT 9{calls} FROM outbox WHERE id = 1", {"planned twice"}),
    ],
    ids=lambda one: one[:40] if isinstance(one, str) else min(one)[:40],
)
def test_audit_sees_damage(kept: Any, damage: str, kinds: set[str]) -> None:
    """Each way to lose, double or change a message or a call is seen, and nothing else."""
    rest = "".join(f", {one.name}" for one in MESSAGE.columns if one.name not in ("seq", "id"))
    calls = "".join(f", {one.name}" for one in OUTBOX.columns if one.name != "id")
    kept[0].exec_driver_sql(damage.format(rest=rest, calls=calls))
    assert found(kept) == kinds


def test_audit_sees_missing_and_mixed_calls(kept: Any) -> None:
    """A report that was not taken, one under two TransactionIDs, and two under one are seen."""
    calls = kept[3]
    calls[0] = calls[0]._replace(told="503")
    assert found(kept) == {"report not taken"}
    calls[0] = calls[1]._replace(message_id="m-0")
    assert found(kept) == {"one TransactionID, several reports", "a TransactionID other than the stored"}
    calls.append(calls[1]._replace(transaction_id="t-8"))
    assert "one report, several TransactionIDs" in found(kept)


def test_audit_sees_what_was_never_accepted(kept: Any) -> None:
    """A message that nobody was told of is seen, and what is still to be done is counted."""
    del kept[2][2]
    assert found(kept) == {"stored, never answered 1000"}
    kept[0].exec_driver_sql("UPDATE outbox SET state = 'leased' WHERE id = 2")
    assert audit.outstanding(kept[0]) == 1
