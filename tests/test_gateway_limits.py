"""Where a gateway says "not now": full disks, full outboxes, a database that is away; and trouble made on purpose."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from gateway_room import CALLED, ONE, SUBMIT, TEXT, Make, Room, basic, rooms

from mm7zeep import exchange, mime
from mm7zeep.exchange import Wire
from mm7zeep.gateway.config.settings import Capacity
from mm7zeep.gateway.mm7 import chaos
from mm7zeep.gateway.mm7.admission import AdmissionControl
from mm7zeep.gateway.mm7.chaos import Rule
from mm7zeep.gateway.store import idempotency, messages
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.messages import ReplaceReq, SubmitReq
from mm7zeep.receiver import Refusal


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Make]:
    """Makes gateways on files of their own."""
    with rooms(tmp_path) as make:
        yield make


def submit(one: Room, message: Any = ONE, **options: Any) -> Wire:
    """The HTTP answer to a submit."""
    wire = exchange.pack(message, **options)
    return one.gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn"))))


def full(answer: Wire) -> bool:
    """Whether an answer says: not now, come again."""
    return answer.status == 503 and answer.header("Retry-After") == "5"


# --- room -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [(mime.Limits(), 256 * 2**20), (mime.Limits(body=200 * 2**20), 300 * 2**20)],
    ids=["256 MiB", "one and a half bodies"],
)
def test_disk(limits: mime.Limits, wanted: int, room: Make) -> None:
    """With less free than max(1.5 bodies, 256 MiB) nothing more is taken, and /readyz would say why."""
    one = room(limits=limits)
    free = wanted
    admission = AdmissionControl(one.settings, one.gateway.database, free=lambda folder: free)
    assert admission.full == ()
    free -= 1
    admission.look()
    assert admission.full == ("there is too little room on the disk",)
    with pytest.raises(Refusal) as caught:
        admission.admit(Wire(body=b""))
    assert full(caught.value.wire())


def test_full_gateway(room: Make) -> None:
    """What a gateway says of itself when the disk is full: 503 to every submit, before its body is read."""
    one = room(capacity=Capacity(disk=2**62))
    assert full(submit(one))
    assert one.gateway.ready() == ("there is too little room on the disk",)
    assert one.messages == []


def test_outbox_over_its_cap(room: Make) -> None:
    """Where too many calls wait nothing more is taken, until they have gone."""
    one = room(capacity=Capacity(outbox=2))
    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    one.gateway.admission.look()
    assert submit(one).status == 200
    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    one.gateway.admission.look()
    assert full(submit(one))
    one.gateway.run_pending()
    one.gateway.admission.look()
    assert submit(one).status == 200


def test_uploads_in_memory(room: Make) -> None:
    """Bodies in memory are counted as they come, and given back with the answer."""
    one = room(capacity=Capacity(uploads=20_000))
    large = replace(ONE, parts=(replace(TEXT, body=b"x" * 15_000),))
    assert [submit(one, large).status for _ in range(3)] == [200] * 3
    held = one.gateway.admission.admit(Wire(body=b""))
    with held:
        held.took(10_000)
        assert full(submit(one, large))
        assert submit(one).status == 200
    assert submit(one, large).status == 200


# --- the database -----------------------------------------------------------------------------------------------------


def test_commit_that_fails(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A submit that could not be kept is answered 503; the same request again is one message."""
    one = room()

    def broken(*arguments: Any) -> None:
        raise StoreError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "_remember", broken)
        assert full(submit(one, transaction_id="t-1"))
    assert one.messages == []
    assert submit(one, transaction_id="t-1").status == 200
    assert submit(one, transaction_id="t-1").status == 200
    assert len(one.messages) == 1


def test_kept_although_refused(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a failed commit had kept the message all the same, the retry gets its MessageID and makes no second one."""
    one = room()

    def keep_and_fail(connection: sqlite3.Connection) -> None:
        connection.commit()
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(one.gateway.database.engine.dialect, "do_commit", keep_and_fail)
        assert full(submit(one, transaction_id="t-1"))
    [kept] = one.messages
    answer = exchange.unpack(submit(one, transaction_id="t-1")).message
    assert answer.message_id == kept.id  # type: ignore[attr-defined]
    assert len(one.messages) == 1


# --- chaos ------------------------------------------------------------------------------------------------------------


def test_trouble(room: Make) -> None:
    """A rule answers as it says: HTTP status, MM7 status, before or after the work was done; an empty list ends it."""
    one = room()
    trouble = one.gateway.chaos
    trouble.set([Rule(http_status=502)])
    assert submit(one).status == 502
    trouble.set([Rule(mm7_status=4006, operation="SubmitReq", application="tnn")])
    assert one.code(SUBMIT) == 4006
    assert one.messages == []
    trouble.set([Rule(http_status=500, when="after")])
    assert submit(one, transaction_id="t-1").status == 500
    assert len(one.messages) == 1
    trouble.set([Rule(mm7_status=4006, operation="CancelReq"), Rule(mm7_status=4006, application="other")])
    assert one.code(SUBMIT) == 1000
    trouble.set([])
    assert one.submitted(ONE, transaction_id="t-1") == one.messages[0].id


def test_share_of_requests(room: Make) -> None:
    """A rule strikes as often as its probability says, and other processes learn of it within a second."""
    one = room()
    now, chance = 0.0, 0.0
    other = chaos.Chaos(one.gateway.database, clock=lambda: now, chance=lambda: chance)
    struck = other.wrap(lambda call: "done")
    call: Any = type("Call", (), {"user": "tnn", "message": SUBMIT})()
    assert struck(call) == "done"
    one.gateway.chaos.set([Rule(probability=0.25, http_status=503)])
    assert struck(call) == "done"
    now = 1.1
    trouble: Any = struck(call)
    with pytest.raises(Refusal):
        asyncio.run(trouble)
    chance = 0.25
    assert struck(call) == "done"


def test_connection_that_is_cut(room: Make) -> None:
    """A rule that resets ends the connection without an answer, after the work where it says so."""
    from mm7zeep.gateway.server.listener import serve_in_thread

    one = room()
    one.gateway.chaos.set([Rule(reset=True, when="after")])
    wire = exchange.pack(ONE, transaction_id="t-1")
    headers = dict((*wire.headers, basic("tnn")))
    with serve_in_thread(one.gateway.asgi) as base, httpx.Client() as client:
        with pytest.raises(httpx.TransportError):
            client.post(f"{base}/mm7", content=wire.read(), headers=headers)
        one.gateway.chaos.set([])
        assert client.post(f"{base}/mm7", content=wire.read(), headers=headers).status_code == 200
    assert len(one.messages) == 1


def test_delay(room: Make) -> None:
    """A delayed answer delays nobody else's."""

    async def main(one: Room) -> list[str]:
        wire = exchange.pack(ONE)
        slow = replace(wire, body=wire.read(), headers=(*wire.headers, basic("tnn")))
        quick = replace(slow, headers=(*wire.headers, basic("other")))
        done: list[str] = []

        async def ask(name: str, wire: Wire) -> None:
            await one.gateway.endpoint.answer_async(wire)
            done.append(name)

        await asyncio.gather(ask("slow", slow), ask("quick", quick))
        return done

    one = room(CALLED, replace(CALLED, name="other", password="o", short_codes=()))
    one.gateway.chaos.set([Rule(delay=0.3, application="tnn")])
    assert asyncio.run(main(one)) == ["quick", "slow"]


# --- counts -----------------------------------------------------------------------------------------------------------


def test_metrics(room: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page counts answers, copies and calls, and what waits; it names no number and no subject."""
    one = room()
    one.submitted(replace(SUBMIT, delivery_report=True))
    one.code(replace(SUBMIT, vaspid="X"))
    one.gateway.run_pending()
    page, kind = one.gateway.metrics.exposition(one.gateway.database)
    text = page.decode()
    assert kind.startswith("text/plain")
    for line in (
        'mm7_answers_total{http="200",operation="SubmitReq",status="1000"} 1.0',
        'mm7_answers_total{http="500",operation="SubmitReq",status="4001"} 1.0',
        'mm7_answer_seconds_count{operation="SubmitReq"} 2.0',
        'mm7_copies_total{state="Retrieved"} 2.0',
        'mm7_calls_total{kind="report",outcome="done",owner="tnn"} 2.0',
        'mm7_kept_messages{direction="mt"} 1.0',
        'mm7_kept_calls{state="done"} 2.0',
        "mm7_database_up 1.0",
    ):
        assert line in text
    assert "+614" not in text

    def away(connection: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(messages, "counts", away)
    assert b"mm7_database_up 0.0" in one.gateway.metrics.exposition(one.gateway.database)[0]


# --- texts ------------------------------------------------------------------------------------------------------------

LONG = "x" * 100_000
LONG_REQUESTS: dict[str, tuple[SubmitReq | ReplaceReq, str]] = {
    "subject": (replace(SUBMIT, subject=LONG), "subject"),
    "service code": (replace(SUBMIT, service_code=LONG), "service_code"),
    "of a replace": (ReplaceReq(vaspid="TNN", vasid="News", message_id="m", service_code=LONG), "service_code"),
}


@pytest.mark.parametrize(("message", "name"), LONG_REQUESTS.values(), ids=LONG_REQUESTS)
def test_long_text(message: SubmitReq | ReplaceReq, name: str, room: Make) -> None:
    """A text that is longer than any that means something is refused, by name, and nothing is kept."""
    one = room()
    said = one.ask(message).message
    assert said.status.code == 2007  # type: ignore[attr-defined]
    assert f"{name}: longer than 4096 characters" in (said.status.details or "")  # type: ignore[attr-defined]
    assert one.messages == []


def test_long_unknown_element(room: Make) -> None:
    """So is an element that the schema does not know, alone or with others; short ones are taken."""
    wire = exchange.pack(SUBMIT)
    body, one = wire.read(), room()
    mark = b"<Subject>"
    assert body.count(mark) == 1

    def code(odd: bytes) -> int:
        headers = tuple(field for field in wire.headers if field[0].lower() != "content-length")
        asked = replace(wire, headers=(*headers, basic("tnn")), body=body.replace(mark, odd + mark))
        status: int = exchange.unpack(one.gateway.answer(asked)).message.status.code  # type: ignore[attr-defined]
        return status

    assert code(b"<Odd>" + LONG.encode() + b"</Odd>") == 2007
    assert code(b"".join(b"<Odd%d>%s</Odd%d>" % (n, b"x" * 16_000, n) for n in range(5))) == 2007
    assert one.messages == []
    assert code(b"<Odd>short</Odd>") in (1000, 1100)
