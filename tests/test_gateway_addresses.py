"""What an address carries, through the gateway: kept, shown, reported, relayed; and what is refused at its door."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from envelopes import MINIMAL, VERSION, sent, wire
from far_side import FarSide
from gateway_room import CALLED, OTHER, SUBMIT, TEXT, Make, Room, basic, rooms

from mm7zeep import exchange
from mm7zeep.gateway.admin import views
from mm7zeep.gateway.config.destination import HANDSET
from mm7zeep.gateway.config.handset import Handset
from mm7zeep.gateway.config.parties import Route, Upstream
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.delivery import reports
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.store import migrations, rows
from mm7zeep.gateway.store.rows import CallRow
from mm7zeep.messages import (
    Address,
    DeliverReq,
    DeliveryReportReq,
    Fault,
    Number,
    ReadReplyReq,
    RFC2822Address,
    ShortCode,
    SubmitReq,
)
from mm7zeep.profiles import profile

FAR = Upstream(name="far", url="http://far/mm7", vaspid="WE", vasid="us", callback_username="up", callback_password="u")
CODED = Number("+61400q7Zr==", coding="encrypted", id="a-1")
VEILED = RFC2822Address("0491570156", coding="obfuscated", id="a-2")
SHOWN = Number("+61411", display_only=True, id="a-3")
SENDER = ShortCode("x9/+=", coding="encrypted", id="a-4")
ASKED = replace(SUBMIT, sender_address=SENDER, to=(CODED,), cc=(VEILED, SHOWN), delivery_report=True, read_reply=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


def asked(one: Room, text: str, *parts: str, user: str = "tnn") -> exchange.Received:
    """The gateway's answer to an envelope as written."""
    given = wire(text, *parts)
    answer = one.gateway.answer(replace(given, headers=(*given.headers, basic(user))))
    return exchange.unpack(answer, policy="strict")


def test_kept_and_reported(room: Make) -> None:
    """The recipient in a report is the one that was submitted, the sender too; copies and the API show all of it."""
    one = room()
    message_id = one.submitted(ASKED)
    one.gateway.run_pending()
    assert [copy.of for copy in one.copies(message_id)] == [CODED, VEILED, SHOWN]
    assert one.messages[0].sent_by == SENDER
    for kind in (DeliveryReportReq, ReadReplyReq):
        told = one.calls.of(kind)
        assert sorted((report.recipient for report in told), key=str) == sorted((CODED, VEILED), key=str)
        assert {report.sender for report in told} == {SENDER}
    view = views.message(one.messages[0], one.copies(message_id)).as_dict()
    assert [copy["attributes"] for copy in view["recipients"]] == [
        {"addressCoding": "encrypted", "id": "a-1"},
        {"addressCoding": "obfuscated", "id": "a-2"},
        {"displayOnly": True, "id": "a-3"},
    ]
    assert (view["from"], view["from_attributes"]) == ("x9/+=", {"addressCoding": "encrypted", "id": "a-4"})


def test_never_judged_as_a_number(room: Make) -> None:
    """No form, plan, prefix, short code or handset is looked for in a coded address; a route for everybody takes it."""
    applications = (replace(CALLED, numbers="AU"), replace(OTHER, short_codes=("333", "x")))
    behave = (Handset(prefix="+61", outcome="Rejected"), Handset(prefix="3", outcome="Expired"))
    coded = (
        CODED,
        Number("333", coding="encrypted"),
        Number("no number", coding="obfuscated"),
        ShortCode("?", coding="encrypted"),
    )
    far = {"upstreams": (FAR,), "handsets": behave}
    one = room(*applications, routes=(Route(prefix="+61", via="far"), Route(prefix="n", via="far")), **far)
    message_id = one.submitted(replace(ASKED, to=coded, cc=()))
    one.gateway.run_pending()
    assert [(str(copy.destination), copy.state) for copy in one.copies(message_id)] == [("handset", "Retrieved")] * 4
    other = room(*applications, routes=(Route(prefix="+61", via="far"), Route(prefix="", via="far")), **far)
    message_id = other.submitted(replace(ASKED, to=coded, cc=()))
    assert {str(copy.destination) for copy in other.copies(message_id)} == {"upstream:far"}
    _, calls = other.gateway.dispatcher.run_once()
    requests = [other.gateway._caller._request(call, FAR) for call in calls if call.kind == "submit"]
    assert {one.to for one in requests if one is not None} == {(address,) for address in coded}
    assert {one.sender_address for one in requests if one is not None} == {SENDER}


def test_to_another_application(room: Make) -> None:
    """A message to another application's short code brings it the sender as it was submitted, and a Priority."""
    one = room()
    one.submitted(replace(ASKED, to=(ShortCode("333"),), cc=(VEILED, SHOWN), delivery_report=None, read_reply=None))
    one.gateway.run_pending()
    [mo] = one.calls.of(DeliverReq)
    assert (mo.sender, mo.to, mo.cc, mo.priority) == (SENDER, (ShortCode("333"),), (VEILED, SHOWN), "Normal")


@pytest.mark.parametrize(("given", "told"), [(None, "Normal"), ("High", "High")])
def test_mo_of_an_upstream(room: Make, given: str | None, told: str) -> None:
    """An MO that an upstream brings keeps what its addresses carry, and has a Priority."""
    one = room(upstreams=(FAR,))
    to = (ShortCode("111122", id="c-1"), CODED, Number("111122", coding="obfuscated"))
    mo = DeliverReq(sender=VEILED, to=to, cc=(SHOWN,), priority=given, parts=(TEXT,))
    assert one.code(mo, user="up") == 1000
    one.gateway.run_pending()
    [brought] = one.calls.of(DeliverReq)
    assert (brought.sender, brought.to, brought.cc, brought.priority) == (VEILED, to, (SHOWN,), told)
    coded = replace(mo, to=(ShortCode("111122", coding="encrypted"),))
    assert one.code(coded, user="up") == 2003


def test_mo_of_a_handset(room: Make) -> None:
    """An MO made on request has a Priority; what its sender carries is kept."""
    one = room()
    one.gateway.simulator.send_mo("tnn", CODED, "111122", "Hello", "hello")
    one.gateway.run_pending()
    [mo] = one.calls.of(DeliverReq)
    assert (mo.sender, mo.priority) == (CODED, "Normal")


@pytest.mark.parametrize("schema", ["REL-5-MM7-1-3", "REL-6-MM7-1-4"])
def test_report_over_http(schema: str, tmp_path: Path) -> None:
    """An application called in a namespace without coded addresses is called in the one that has them."""
    with FarSide() as far:
        callback = replace(CALLED.callback, deliver=far.url, report=far.url, profile=profile(schema))  # type: ignore[type-var]
        application = replace(CALLED, callback=callback)
        settings = Settings(applications=(application,), database=f"sqlite:///{tmp_path / 'g.db'}", allow_internal=True)
        gateway = Gateway(settings)
        try:
            request = exchange.pack(replace(ASKED, cc=(Number("+61411"),), read_reply=None))
            gateway.answer(replace(request, headers=(*request.headers, basic("tnn"))))
            gateway.run_pending()
        finally:
            gateway.close()
    told: list[Any] = [one.unpack() for one in far.requests]
    assert {one.message.recipient for one in told} == {CODED, Number("+61411")}
    assert {one.message.sender for one in told} == {SENDER}
    assert {one.profile.schema for one in told} == {"REL-6-MM7-1-4"}


def test_refused_at_the_door(room: Make) -> None:
    """Content that names nothing is a 2004, an unknown address a 2002, an alias is one; each names its transaction."""
    one = room(replace(CALLED, vaspid="Kiosk", vasids=("Tides",)), OTHER)
    least = MINIMAL["SubmitReq"]
    known = sent("SubmitReq", least.replace("Number>", "RFC822Address>").replace("+4670000001", "a@b.example"))
    asks: dict[str, tuple[str, int, str | None]] = {
        "unnamed": (sent("SubmitReq", least + "<Content/>"), 2004, "t-1"),
        "an empty href": (sent("SubmitReq", least + '<Content href=""/>'), 2004, "t-1"),
        "unknown": (sent("SubmitReq", least.replace("Number>", "MSISDN>")), 2002, "t-1"),
        "beside a known one": (sent("SubmitReq", least.replace("</To>", "<MSISDN>7</MSISDN></To>")), 2002, "t-1"),
        "broken behind its Header": (sent("SubmitReq", least + "<Subject>R&D</Subject>"), 2007, "t-1"),
        "an alias": (known, 1000, "t-1"),
    }
    for name, (text, code, transaction_id) in asks.items():
        answer = asked(one, text)
        assert (name, answer.message.status.code) == (name, code)  # type: ignore[attr-defined]
        assert answer.transaction_id == transaction_id
        assert isinstance(answer.message, Fault) == (code != 1000)
    [kept] = one.messages
    [copy] = one.copies(kept.id)
    assert copy.of == RFC2822Address("a@b.example")
    assert [found["id"] for found in json.loads(kept.findings)] == ["schema/address-name"]


def test_report_of_an_upstream_under_recipients(room: Make) -> None:
    """A report that says Recipients for Recipient is taken where it names one, and refused where it names two."""
    one = room(upstreams=(FAR,), routes=(Route(prefix="+64", via="far"),))
    text = VERSION + "<MessageID>far-1</MessageID><Recipients>%s</Recipients><Sender><Number>1</Number></Sender>"
    text += "<Date>2026-03-01T06:00:00Z</Date><MMStatus>Retrieved</MMStatus>"
    for inside, code in (("<Number>+64211</Number>", 2005), ("<Number>+64211</Number><Number>+6</Number>", 2002)):
        answer = asked(one, sent("DeliveryReportReq", text % inside), user="up")
        assert answer.message.status.code == code  # type: ignore[attr-defined]


def test_database_of_an_earlier_version(tmp_path: Path) -> None:
    """What was kept before addresses carried anything is read as it was, and calls planned then are made."""
    path = tmp_path / "old.db"
    old = sqlite3.connect(path)
    try:
        for step in migrations.STEPS[:2]:
            old.executescript(step.format(serial="INTEGER PRIMARY KEY AUTOINCREMENT", double="DOUBLE", blob="BLOB"))
        old.execute("CREATE TABLE migration (version INTEGER NOT NULL PRIMARY KEY, applied DOUBLE NOT NULL)")
        old.executemany("INSERT INTO migration VALUES (?, 0)", [(1,), (2,)])
        old.execute(
            "INSERT INTO recipient (message_id, n, place, kind, address, way, state, changed)"
            " VALUES ('m', 0, 'to', 'Number', '+61400', 'handset', 'Retrieved', 0)"
        )
        old.commit()
    finally:
        old.close()
    made = Room(tmp_path, database=f"sqlite:///{path}")
    try:
        [copy] = made.copies("m")
        assert (copy.of, copy.attributes, copy.destination) == (Number("+61400"), None, HANDSET)
    finally:
        made.gateway.close()
    payload = {"recipient": ["Number", "+61400"], "sender": ["ShortCode", "1"], "mm_status": "Retrieved", "date": 0}
    call = CallRow(
        kind="report", owner="tnn", endpoint="x", message_id="m", n=0, transaction_id="t", payload=json.dumps(payload),
        due=0, expires=1, created=0,
    )  # fmt: skip
    report = reports.report_of(call, None)
    assert isinstance(report, DeliveryReportReq)
    assert (report.recipient, report.sender) == (Number("+61400"), ShortCode("1"))


@pytest.mark.parametrize("address", [CODED, VEILED, SHOWN, SENDER, Number("+1")], ids=str)
def test_columns(address: Address) -> None:
    """An address comes out of its columns as it went in."""
    assert rows.address_of(*rows.columns_of(address)) == address


def test_same_request_with_another_id_is_another(room: Make) -> None:
    """The id of an address is part of what is asked."""
    one = room()
    first = one.submitted(replace(ASKED, cc=()), transaction_id="t-1")
    again = one.submitted(replace(ASKED, cc=()), transaction_id="t-1")
    other: SubmitReq = replace(ASKED, cc=(), to=(replace(CODED, id="z"),))
    assert first == again
    assert one.submitted(other, transaction_id="t-1") != first
