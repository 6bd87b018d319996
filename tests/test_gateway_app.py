"""The gateway by its answers: what it accepts and refuses, what its network does, how both sides find each other."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import trustme
from far_side import FarSide
from gateway_room import CALLED, ONE, OTHER, START, SUBMIT, TEXT, TNN, Make, Room, basic, rooms

from mm7zeep import exchange
from mm7zeep.client import MmscClient, Retry, VaspClient
from mm7zeep.errors import AuthError, StatusError, TransportError
from mm7zeep.exchange import Wire
from mm7zeep.gateway.config.handset import Handset, handset_of
from mm7zeep.gateway.config.parties import Application, Callback, Route, Upstream
from mm7zeep.gateway.config.settings import Delivery, Settings
from mm7zeep.gateway.delivery.events import Event
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.mm7.validation.content import check_content
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.store import messages
from mm7zeep.messages import (
    CancelReq,
    DeliverReq,
    DeliveryReportReq,
    ExtendedCancelReq,
    ExtendedReplaceReq,
    Fault,
    Message,
    Number,
    Part,
    ReadReplyReq,
    ReplaceReq,
    RSErrorRsp,
    ShortCode,
    SubmitReq,
    VASPErrorRsp,
)
from mm7zeep.receiver import Receiver


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes gateways, each on a database of its own, with a standing clock and a keeping seam."""
    fresh = request.getfixturevalue("postgres_databases") if request.param == "postgresql" else None
    with rooms(tmp_path, fresh) as make:
        yield make


# --- submit -----------------------------------------------------------------------------------------------------------


def test_submit_is_kept(room: Make) -> None:
    """An accepted message is held with its parts and its octets, under an id of 128 random bits."""
    one = room()
    ids = [one.submitted(), one.submitted()]
    assert [message.id for message in one.messages] == ids
    assert [len(bytes.fromhex(id)) for id in ids] == [16, 16]
    assert ids[0] != ids[1]
    assert one.texts(ids[0]) == [b"hello"]
    [part] = json.loads(one.messages[0].parts)
    assert (part["content_type"], part["size"]) == ("text/plain", 5)
    assert (one.messages[0].subject, one.messages[0].excerpt) == ("s", "hello")


SHOWN = SubmitReq(vaspid="TNN", vasid="News", to=[Number("+1", display_only=True)])  # type: ignore[arg-type]
REFUSED: dict[str, tuple[Message, int]] = {
    "another's VASPID": (replace(SUBMIT, vaspid="OTH"), 4001),
    "no VASPID": (replace(SUBMIT, vaspid=None), 4001),
    "another VASID": (replace(SUBMIT, vasid="Weather"), 4001),
    "no recipient that is served": (SHOWN, 2002),
    "no recipient that is an address": (replace(SUBMIT, to=("x|y", "+61 4")), 2002),  # type: ignore[arg-type]
    "a mail address that is none": (replace(SUBMIT, to=("a@b@c",)), 2002),  # type: ignore[arg-type]
    "a thousand and one": (replace(SUBMIT, to=tuple(f"+61{n}" for n in range(1001))), 3003),  # type: ignore[misc]
    "cancel of nothing": (CancelReq(vaspid="TNN", vasid="News", message_id="x"), 2005),
    "cancel as another": (CancelReq(vaspid="OTH", message_id="x"), 4001),
    "replace of nothing": (ReplaceReq(vaspid="TNN", vasid="News", message_id="x"), 2005),
    "extended cancel of nothing": (ExtendedCancelReq(vaspid="TNN", vasid="News", cancel_id="x"), 2005),
    "extended replace of nothing": (ExtendedReplaceReq(vaspid="TNN", vasid="News"), 2005),
    "what an MMSC brings": (DeliverReq(sender="+1", to="111122"), 4003),  # type: ignore[arg-type]
    "a report from nobody": (
        DeliveryReportReq(message_id="x", recipient="+1", sender="+2", date=START, mm_status="Retrieved"),
        4003,
    ),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("message", "status"), REFUSED.values(), ids=REFUSED)
def test_refused(message: Message, status: int, room: Make) -> None:
    """What is wrong is refused by a fault with RSErrorRsp, and nothing is kept or planned."""
    one = room()
    back = one.ask(message, transaction_id="t-9")
    assert isinstance(back.message, Fault)
    assert isinstance(back.message.error, RSErrorRsp)
    assert (back.message.status.code, back.transaction_id) == (status, "t-9")
    assert one.messages == []
    assert one.gateway.run_pending() == []


NS3 = "REL-5-MM7-1-3"
WRITTEN = {
    "a date that is none": (b"<mm7:Subject>", b"<mm7:ExpiryDate>tomorrow</mm7:ExpiryDate><mm7:Subject>", 2007),
    "a priority that is none": (b"<mm7:Subject>", b"<mm7:Priority>Urgent</mm7:Priority><mm7:Subject>", 2007),
    "another release": (b"<mm7:MM7Version>5.6.0", b"<mm7:MM7Version>9.1.0", 4002),
    "a version that is none": (b"<mm7:MM7Version>5.6.0", b"<mm7:MM7Version>x.y.z", 4002),
    "no version": (b"<mm7:MM7Version>5.6.0</mm7:MM7Version>", b"", 4004),
    "a namespace of release 7": (NS3.encode(), b"REL-7-MM7-1-0", 4002),
    "an operation that is none": (b"SubmitReq", b"xxxSubmitReq", 4003),
    "no recipients": (b"<mm7:Recipients><mm7:To><mm7:Number>+61411</mm7:Number></mm7:To></mm7:Recipients>", b"", 4004),
    "XML that is none": (b"</mm7:Recipients>", b"", 2007),
    "an empty number": (b"+61411", b"", 2002),
}


@pytest.mark.parametrize(("old", "new", "status"), WRITTEN.values(), ids=WRITTEN)
def test_refused_as_written(old: bytes, new: bytes, status: int, room: Make) -> None:
    """What cannot be read, or only guessed, is refused with the status that says so."""
    one = room()
    wire = exchange.pack(replace(SUBMIT, to=("+61411",)), profile=NS3, transaction_id="t-9")  # type: ignore[arg-type]
    body = wire.read()
    assert old in body
    answer = one.gateway.answer(replace(wire, body=body.replace(old, new), headers=(*wire.headers, basic("tnn"))))
    assert answer.status == 500
    fault = exchange.unpack(answer).message
    assert fault.status.code == status  # type: ignore[attr-defined]
    assert one.messages == []


def test_content_that_did_not_come(room: Make) -> None:
    """A Content without any part is refused with 2004."""
    wire = exchange.pack(ONE)
    envelope = wire.read().partition(b"\r\n\r\n")[2].partition(b"\r\n--")[0]
    headers = (("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", '""'), basic("tnn"))
    answer = room().gateway.answer(Wire(method="POST", headers=headers, body=envelope))
    assert exchange.unpack(answer).message.status.code == 2004  # type: ignore[attr-defined]


def test_refused_by_response(room: Make) -> None:
    """An application whose profile wants no faults is refused by the matching Rsp."""
    one = room(replace(TNN, profile=replace(TNN.request_profile, fault_refusals=False)))
    back = one.ask(replace(SUBMIT, vaspid="X"))
    assert (back.operation, back.message.status.code) == ("SubmitRsp", 4001)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("profile", "code"), [("optus", 3003), ("sinch", 2503), ("skycore", 2503)])
def test_one_recipient(profile: str, code: int, room: Make) -> None:
    """A profile that takes one recipient answers two of them as the carrier does."""
    one = room(replace(TNN, profile=profile))
    assert one.code(SUBMIT) == code
    assert one.code(ONE) == 1000


def test_partial_success(room: Make) -> None:
    """Where some recipients are no address the others are served, and the answer is 1100."""
    one = room()
    mixed = replace(SUBMIT, to=("+61400", "x|y"), delivery_report=True)  # type: ignore[arg-type]
    back = one.ask(mixed).message
    assert back.status.code == 1100  # type: ignore[attr-defined]
    one.gateway.run_pending()
    assert one.states(back.message_id) == ["Retrieved", "Refused"]  # type: ignore[attr-defined]
    assert [str(report.recipient) for report in one.calls.of(DeliveryReportReq)] == ["+61400"]


def test_numbering_plan(room: Make) -> None:
    """Where the application asks for it, numbers have to stand in a numbering plan."""
    one = room(replace(TNN, numbers="AU"))
    given = {"0491 570 156": 2002, "0491570156": 1000, "+61491570156": 1000, "+61400": 2002, "+4179123": 2002}
    found = {to: one.code(replace(SUBMIT, to=(to,))) for to in given}  # type: ignore[arg-type]
    assert found == given


def test_media_types(room: Make) -> None:
    """Where the application asks for it, only listed media types are taken; otherwise any is."""
    odd = replace(ONE, parts=(Part(body=b"x", content_type="application/vnd.symbian.install", content_id="i@x"),))
    assert room(replace(TNN, media="listed")).code(odd) == 2004
    assert room(replace(TNN, media="listed")).code(ONE) == 1000
    assert room(TNN).code(odd) == 1000


def test_content_too_large(room: Make) -> None:
    """More content than the profile takes is refused with 2004."""
    one = room(replace(TNN, profile="telnyx"))
    assert one.code(replace(SUBMIT, parts=(replace(TEXT, body=b"x" * 1_000_001),))) == 2004


@pytest.mark.parametrize("profile", ["vibes-5.5", "vibes-6.8"])
def test_body_too_large_for_the_carrier(profile: str, room: Make) -> None:
    """A body beyond what Vibes takes is answered as Vibes does, by HTTP 413 alone; nothing of it is kept."""
    one = room(replace(TNN, profile=profile))
    wire = exchange.pack(replace(SUBMIT, parts=(replace(TEXT, body=b"x" * 1_000_001),)))
    answer = one.gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn"))))
    assert (answer.status, answer.header("Content-Type")) == (413, "text/plain; charset=utf-8")
    assert answer.read() == b"the message may have 1,000,000 octets\n"
    assert one.messages == []
    replacing = ReplaceReq(vaspid="TNN", vasid="News", message_id="x", parts=(replace(TEXT, body=b"x" * 1_000_001),))
    wire = exchange.pack(replacing)
    assert one.gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn")))).status == 413
    with pytest.raises(StatusError) as caught:  # by JSON there is no body of the carrier's
        check_content((), 1_000_001, replace(TNN, profile=profile))
    assert caught.value.status.code == 2004


@pytest.mark.parametrize("field", [None, "Basic dG5uOng=", "Basic eDp0"])
def test_credentials(field: str | None, room: Make) -> None:
    """Without the right credentials nothing is even read."""
    wire = exchange.pack(SUBMIT)
    given = () if field is None else (("Authorization", field),)
    assert room().gateway.answer(replace(wire, headers=(*wire.headers, *given))).status == 401


def test_allowlist(room: Make) -> None:
    """From outside its ranges an application is answered as if its credentials were wrong."""
    gateway = room(replace(TNN, allow=("192.0.2.0/24",))).gateway
    wire = exchange.pack(SUBMIT)
    wire = replace(wire, body=wire.read(), headers=(*wire.headers, basic("tnn")))
    wrong = replace(wire, headers=(*wire.headers[:-1], ("Authorization", "Basic dG5uOng=")))
    assert gateway.answer(wire, peer="192.0.2.9").status == 200
    outside = gateway.answer(wire, peer="198.51.100.9")
    assert (outside.status, outside.headers, outside.body) == (
        401, gateway.answer(wrong, peer="192.0.2.9").headers, gateway.answer(wrong, peer="192.0.2.9").body
    )  # fmt: skip


@pytest.mark.parametrize("schema", ["REL-5-MM7-1-0", "REL-5-MM7-1-4", "REL-6-MM7-1-0", "REL-6-MM7-1-4"])
def test_namespaces(schema: str, room: Make) -> None:
    """Every namespace is served, and answered in."""
    back = room().ask(replace(ONE, to=("61400",)), profile=schema)  # type: ignore[arg-type]
    assert back.message.status.code == 1000  # type: ignore[attr-defined]
    assert str(back.namespace).endswith(schema)


def test_names_are_unique(tmp_path: Path) -> None:
    """Two applications of one name cannot be told apart, and are refused at once, as is an unknown profile."""
    with pytest.raises(ValueError, match="same name"):
        Gateway(Settings(applications=(TNN, TNN), database=f"sqlite:///{tmp_path / 'a.db'}"))
    with pytest.raises(ValueError, match="no profile"):
        Gateway(Settings(applications=(replace(TNN, profile="nobody"),), database=f"sqlite:///{tmp_path / 'a.db'}"))
    assert [one.path for one in psutil.Process().open_files() if "a.db" in one.path] == []


def test_secrets_do_not_show() -> None:
    """Passwords stay out of the representation of what holds them."""
    callback = Callback(deliver="http://x", username="u", password="hunter2")
    upstream = Upstream(name="u", url="http://x", password="hunter2", callback_password="hunter2")
    application = replace(TNN, password="hunter2", password_hash="hunter2", callback=callback)
    settings = Settings(applications=(application,), upstreams=(upstream,), admin_password="hunter2")
    assert "hunter2" not in repr(settings)


# --- the same request again -------------------------------------------------------------------------------------------


def test_same_request_same_answer(room: Make) -> None:
    """A request that comes again gets the same MessageID and is kept once, however its package was written."""
    one = room()
    ids = {one.submitted(transaction_id="t-1") for _ in range(3)}
    assert len(ids) == len(one.messages) == 1
    two_parts = replace(SUBMIT, parts=(TEXT, replace(TEXT, content_id="u@x")))  # its presentation is made anew
    ids = {one.submitted(two_parts, transaction_id="t-2", profile="sinch") for _ in range(3)}
    assert len(ids) == 1


def test_other_request_under_the_same_id(room: Make) -> None:
    """A TransactionID that is used again for something else makes a new message, with a finding."""
    one = room()
    first = one.submitted(transaction_id="t-1")
    second = one.submitted(replace(SUBMIT, subject="other"), transaction_id="t-1")
    third = one.submitted(replace(SUBMIT, parts=(replace(TEXT, body=b"other"),)), transaction_id="t-1")
    assert len({first, second, third}) == 3
    found = [[finding["id"] for finding in json.loads(message.findings)] for message in one.messages]
    assert ["soap/transaction-repeated" in ids for ids in found] == [False, True, True]


def repetitions(one: Room) -> dict[str, float]:
    """What the metrics page says of repeated TransactionIDs, by outcome."""
    page, _ = one.gateway.metrics.exposition(one.gateway.database)
    found = re.findall(r'mm7_repeated_requests_total\{outcome="(\w+)",owner="[^"]+"\} ([0-9.]+)', page.decode())
    return {outcome: float(count) for outcome, count in found}


def test_constant_id_recognises_nothing(
    room: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under an id that was used for two requests each request is another message, also when its rows are a day old."""
    one = room()
    monkeypatch.setattr(logging.getLogger("mm7zeep.gateway"), "filters", [])  # that of an earlier test may hold it back
    letters = "ABAABBA"
    with caplog.at_level("INFO", "mm7zeep.gateway"):
        ids = [one.submitted(replace(SUBMIT, subject=letter), transaction_id="0") for letter in letters]
    one.clock.move(hours=25)
    one.gateway.housekeeper.sweep()
    ids += [one.submitted(replace(SUBMIT, subject="A"), transaction_id="0") for _ in range(2)]
    assert len(set(ids)) == len(letters) + 2
    assert repetitions(one) == {"reused": 8.0}
    assert "recognises none" in caplog.text


def test_repetition_is_told(room: Make, caplog: pytest.LogCaptureFixture) -> None:
    """The log and the metrics say that a request was answered as before."""
    one = room()
    with caplog.at_level("INFO", "mm7zeep.gateway"):
        assert len({one.submitted(transaction_id="t-1") for _ in range(3)}) == 1
    assert repetitions(one) == {"answered": 2.0}
    [record, _] = [record for record in caplog.records if "answered as before" in record.message]
    told = record.__dict__["fields"]
    assert told == {"user": "tnn", "operation": "SubmitReq", "transaction_id": "t-1"}


WINDOWS = {"of all": (None, 24.0), "its own": (2.0, 2.0), "off": (0.0, 0.0)}


@pytest.mark.parametrize(("own", "hours"), WINDOWS.values(), ids=WINDOWS)
def test_window_of_an_application(room: Make, own: float | None, hours: float) -> None:
    """A request is a repetition within the window of its application, to the second, and whether or not it is swept."""
    one = room(replace(CALLED, duplicates=own), OTHER)
    first = one.submitted(transaction_id="t-1")
    again = [first]
    for seconds in (3600 * hours - 1, 1):
        one.clock.move(seconds=max(0.0, seconds))
        again.append(one.submitted(transaction_id="t-1"))
    assert [one == first for one in again] == [True, hours > 0, False]
    one.clock.move(seconds=1)
    if hours:  # the window has begun again
        assert one.submitted(transaction_id="t-1") == again[-1]


def test_an_upstream_that_repeats_its_id(room: Make) -> None:
    """What an upstream brings again is brought to the application once; under a constant id each message counts."""
    one = room(**AWAY)
    bring = DeliverReq(sender="+1", to="333", subject="a", parts=(TEXT,))  # type: ignore[arg-type]
    assert [one.code(bring, user="up", transaction_id="m-1") for _ in range(2)] == [1000, 1000]
    assert len(one.messages) == 1
    for subject in "bba":
        assert one.code(replace(bring, subject=subject), user="up", transaction_id="m-1") == 1000
    assert len(one.messages) == 4
    assert repetitions(one) == {"answered": 1.0, "reused": 3.0}


def test_applications_do_not_share_ids(room: Make) -> None:
    """The same TransactionID of two applications is two requests."""
    one = room()
    one.submitted(transaction_id="t-1")
    one.submitted(SubmitReq(vaspid="OTH", to="+61400"), user="other", transaction_id="t-1")  # type: ignore[arg-type]
    assert len(one.messages) == 2


def test_cancel_again(room: Make) -> None:
    """A cancel that comes again is answered as the first; under another TransactionID it comes too late."""
    one = room()
    cancel = CancelReq(vaspid="TNN", vasid="News", message_id=one.submitted())
    assert [one.code(cancel, transaction_id=id) for id in ("c-1", "c-1", "c-2")] == [1000, 1000, 3001]


def test_refusals_are_not_remembered(room: Make) -> None:
    """What was refused may be accepted when it comes again."""
    one = room()
    cancel = CancelReq(vaspid="TNN", vasid="News", message_id="x")
    assert [one.code(cancel, transaction_id="c-1") for _ in range(2)] == [2005, 2005]


def test_old_requests_are_forgotten(room: Make) -> None:
    """After 24 hours the same request is a new one."""
    one = room()
    first = one.submitted(transaction_id="t-1")
    one.clock.move(hours=25)
    one.gateway.housekeeper.sweep()
    assert one.submitted(transaction_id="t-1") != first


# --- the network ------------------------------------------------------------------------------------------------------


def test_reports_per_recipient(room: Make) -> None:
    """Each recipient retrieves a copy; each gets a report and a read reply, where they were asked for."""
    one = room()
    message_id = one.submitted(replace(SUBMIT, delivery_report=True, read_reply=True))
    events = one.gateway.run_pending()
    assert sorted((event.kind, str(event.recipient)) for event in events) == [
        (kind, number) for kind in ("handset", "read", "report") for number in ("+61400", "+61411")
    ]
    assert {event.message_id for event in events} == {message_id}
    assert {event.error for event in events} == {None}
    assert {url for url, _ in one.calls.made} == {"http://tnn/dlr"}
    reports = one.calls.of(DeliveryReportReq)
    assert sorted((str(report.recipient), report.mm_status, report.date) for report in reports) == [
        ("+61400", "Retrieved", START),
        ("+61411", "Retrieved", START),
    ]
    assert {report.sender for report in reports} == {ShortCode("111122")}
    reads = one.calls.of(ReadReplyReq)
    assert [(read.message_id, read.mm_status) for read in reads] == [(message_id, "Read")] * 2
    assert len(set(one.calls.ids)) == 4
    assert one.states(message_id) == ["Retrieved", "Retrieved"]


def test_nothing_asked_nothing_sent(room: Make) -> None:
    """Without a wish for reports, or without a callback, the VASP is left alone."""
    one = room()
    one.submitted()
    assert {event.kind for event in one.gateway.run_pending()} == {"handset"}
    mute = room(TNN)
    mute.submitted(replace(SUBMIT, delivery_report=True))
    assert {event.kind for event in mute.gateway.run_pending()} == {"handset"}
    assert one.calls.made == mute.calls.made == []


@pytest.mark.parametrize("outcome", ["Expired", "Rejected", "Indeterminate", "Forwarded", "Deferred", "Unrecognised"])
def test_outcomes(outcome: Any, room: Make) -> None:
    """What the handset does is what the report says, and nothing but a retrieved message is read."""
    one = room(handsets=(Handset(prefix="+6140", outcome=outcome),))
    message_id = one.submitted(replace(ONE, delivery_report=True, read_reply=True))
    one.gateway.run_pending()
    [(_, report)] = one.calls.made
    assert isinstance(report, DeliveryReportReq)
    assert report.mm_status == outcome
    assert [copy.content for copy in one.copies(message_id)] == [None]


@pytest.mark.parametrize(
    ("outcome", "told"), [("Unrecognised", [("Rejected", "Unrecognised")]), ("Deferred", [])], ids=str
)
def test_words_of_an_older_namespace(outcome: Any, told: object, room: Make) -> None:
    """What the application's namespace has no MMStatus for is Rejected and named; an interim state is left out."""
    one = room(replace(CALLED, profile="generic-5.3.0"), handsets=(Handset(outcome=outcome),))
    message_id = one.submitted(replace(ONE, delivery_report=True))
    one.gateway.run_pending()
    assert one.states(message_id) == [outcome]
    assert [(report.mm_status, report.status_text) for report in one.calls.of(DeliveryReportReq)] == told


def test_report_speaks_as_its_submit(room: Make) -> None:
    """Where no profile is configured a report is in namespace and version of the submit; an MO in the newest."""
    sent: list[tuple[str, str]] = []
    vasp = Receiver(auth={"x": "y"})
    vasp.on_delivery_report(lambda message, received: sent.append((received.namespace, message.mm7_version)))
    with serve_in_thread(vasp.asgi) as base:
        callback = Callback(deliver=base, username="x", password="y")
        one = room(replace(TNN, callback=callback))
        one.gateway._caller._deliver = None
        for schema in ("REL-5-MM7-1-0", "REL-5-MM7-1-3", "REL-6-MM7-1-4"):
            one.submitted(replace(ONE, to=("61400",), delivery_report=True), profile=schema)  # type: ignore[arg-type]
        one.gateway.run_pending()
    assert [(namespace.rpartition("/")[2], version) for namespace, version in sorted(sent)] == [
        ("REL-5-MM7-1-0", "5.3.0"),
        ("REL-5-MM7-1-3", "5.6.0"),
        ("REL-6-MM7-1-4", "6.8.0"),
    ]


def test_deferred_then_expired(room: Make) -> None:
    """A copy that was put off can still be taken back; if not it expires, and both are reported."""
    one = room(handsets=(Handset(outcome="Deferred"),))
    ids = [one.submitted(replace(ONE, delivery_report=True, expiry_date=timedelta(hours=1))) for _ in range(2)]
    one.gateway.run_pending()
    assert one.code(CancelReq(vaspid="TNN", vasid="News", message_id=ids[0])) == 1000
    one.clock.move(hours=2)
    one.gateway.run_pending()
    assert [one.states(id) for id in ids] == [["Cancelled"], ["Expired"]]
    assert [report.mm_status for report in one.calls.of(DeliveryReportReq)] == ["Deferred", "Deferred", "Expired"]


def test_first_handset_that_fits() -> None:
    """The first prefix that fits decides; a recipient without one retrieves and reads."""
    chain = [Handset(prefix="+614", read=False), Handset(prefix="+61400", outcome="Expired")]
    assert handset_of(Number("+61400"), chain) is chain[0]
    assert handset_of(Number("+49"), chain) == Handset()
    with pytest.raises(ValueError, match="negative"):
        Handset(delay=timedelta(seconds=-1))


def test_delay_and_earliest_time(room: Make) -> None:
    """Nothing arrives before the handset's delay and the EarliestDeliveryTime have passed."""
    one = room(handsets=(Handset(delay=timedelta(seconds=5)),))
    one.submitted(replace(ONE, earliest_delivery_time=timedelta(minutes=1)))
    one.clock.move(seconds=59)
    assert one.gateway.run_pending() == []
    one.clock.move(seconds=1)
    assert len(one.gateway.run_pending()) == 1


@pytest.mark.parametrize("expiry", [timedelta(seconds=3), START + timedelta(seconds=3), START - timedelta(days=1)])
def test_expiry(expiry: Any, room: Make) -> None:
    """A message whose time is over before it arrives expires, and the report says so."""
    one = room(handsets=(Handset(delay=timedelta(seconds=5)),))
    one.submitted(replace(ONE, expiry_date=expiry, delivery_report=True))
    one.clock.move(seconds=3)
    one.gateway.run_pending()
    assert [report.mm_status for report in one.calls.of(DeliveryReportReq)] == ["Expired"]


def test_far_away(room: Make) -> None:
    """Times beyond what a calendar holds are no reason to refuse."""
    one = room()
    far = replace(ONE, expiry_date=START.replace(year=9038), earliest_delivery_time=timedelta(days=999_999))
    assert one.code(far) == 1000


def test_display_only_and_bcc(room: Make) -> None:
    """Who is only displayed gets no copy; who is in Bcc does, and nobody learns of it."""
    one = room(CALLED, OTHER)
    shown = Number("+1", display_only=True)
    message = replace(SUBMIT, to=(shown, ShortCode("333")), bcc=(Number("+61400"),), delivery_report=True)
    message_id = one.submitted(message)
    one.gateway.run_pending()
    assert one.states(message_id) == ["DisplayOnly", "Retrieved", "Retrieved"]
    [delivered] = one.calls.of(DeliverReq)
    assert [str(to) for to in delivered.to] == ["+1", "333"]
    assert (delivered.cc, delivered.bcc) == ((), ())
    assert {str(report.recipient) for report in one.calls.of(DeliveryReportReq)} == {"333", "+61400"}


def test_presentation_is_made(room: Make) -> None:
    """Several parts without a presentation get one at the handset; a single one, or one with its own, is left alone."""
    one = room()
    picture = Part(body=b"GIF89a", content_type="image/gif", content_id="g@x")
    bare = replace(TNN.request_profile, smil="never")
    two = one.submitted(replace(ONE, parts=(TEXT, picture)), profile=bare)
    shown = one.gateway.simulator.retrieved(two)
    assert [part.content_type for part in shown] == ["text/plain", "image/gif", "application/smil"]
    presentation = shown[-1].read()
    assert b"cid:t@x" in presentation
    assert b"cid:g@x" in presentation
    assert [part.content_type for part in one.gateway.simulator.retrieved(one.submitted(ONE))] == ["text/plain"]
    own = one.submitted(replace(ONE, parts=(TEXT, picture)))
    assert [part.content_type for part in one.gateway.simulator.retrieved(own)].count("application/smil") == 1


# --- cancel and replace -----------------------------------------------------------------------------------------------


def take_back(message_id: str, extended: bool) -> Message:
    """A cancel of either kind."""
    who = {"vaspid": "TNN", "vasid": "News"}
    return ExtendedCancelReq(**who, cancel_id=message_id) if extended else CancelReq(**who, message_id=message_id)


def put(message_id: str, extended: bool, **changes: Any) -> Message:
    """A replace of either kind."""
    who = {"vaspid": "TNN", "vasid": "News"}
    if extended:
        return ExtendedReplaceReq(**who, replace_id=message_id, **changes)
    return ReplaceReq(**who, message_id=message_id, **changes)


@pytest.mark.parametrize("extended", [False, True], ids=["plain", "extended"])
def test_cancel(extended: bool, room: Make) -> None:
    """A message that waits can be taken back, once; nothing of it arrives."""
    one = room()
    message_id = one.submitted()
    assert one.code(take_back(message_id, extended)) == 1000
    assert one.gateway.run_pending() == []
    assert set(one.states(message_id)) == {"Cancelled"}
    assert one.code(take_back(message_id, extended)) == 3001


@pytest.mark.parametrize("extended", [False, True], ids=["plain", "extended"])
def test_too_late(extended: bool, room: Make) -> None:
    """A message that was retrieved can neither be taken back nor replaced: 3001; one partly retrieved in part: 1100."""
    one = room(handsets=(Handset(prefix="+61411", delay=timedelta(seconds=5)),))
    message_id = one.submitted()
    one.gateway.run_pending()
    assert one.states(message_id) == ["Retrieved", "Pending"]
    assert one.code(put(message_id, extended, parts=[replace(TEXT, body=b"new")])) == 1100
    one.clock.move(seconds=5)
    one.gateway.run_pending()
    assert [copy.content for copy in one.copies(message_id)] == [0, 1]
    assert one.texts(message_id) == [b"new"]
    assert one.code(put(message_id, extended)) == 3001
    assert one.code(take_back(message_id, extended)) == 3001


@pytest.mark.parametrize("extended", [False, True], ids=["plain", "extended"])
def test_replace(extended: bool, room: Make) -> None:
    """What a replace names is changed, the rest stays; it arrives once, when the new plan says."""
    one = room()
    message_id = one.submitted(replace(ONE, delivery_report=False))
    later = put(message_id, extended, read_reply=True, earliest_delivery_time=timedelta(hours=1))
    assert one.code(later) == 1000
    assert one.gateway.run_pending() == []
    one.clock.move(hours=1)
    assert [event.kind for event in one.gateway.run_pending()] == ["handset", "read"]
    assert one.texts(message_id) == [b"hello"]
    assert one.messages[0].subject == "s"


@pytest.mark.parametrize("extended", [False, True], ids=["plain", "extended"])
def test_others_messages_do_not_exist(extended: bool, room: Make) -> None:
    """Another application's MessageID is answered as an unknown one: 2005, in the same words."""
    one = room()
    theirs = one.submitted(SubmitReq(vaspid="OTH", to="+1"), user="other")  # type: ignore[arg-type]
    for message in (take_back, put):
        found, unknown = (one.ask(message(id, extended)).message for id in (theirs, "nobody"))
        assert found.status.code == 2005  # type: ignore[attr-defined]
        assert found.status == unknown.status  # type: ignore[attr-defined]
    assert one.states(theirs) == ["Pending"]


# --- calls back -------------------------------------------------------------------------------------------------------


def test_mo(room: Make) -> None:
    """An MO goes to the deliver URL with its content; a short code is named as such."""
    one = room()
    planned = one.gateway.simulator.send_mo("tnn", "+61400", "111122", "hi", ["text", Part(body=b"x")])
    assert one.calls.made == []
    [event] = one.gateway.run_pending()
    [(url, message)] = one.calls.made
    assert (event.kind, event.state, event.error) == ("deliver", "Delivered", None)
    assert url == "http://tnn/mo"
    assert (message.sender, message.to, message.subject) == (Number("+61400"), (ShortCode("111122"),), "hi")
    assert message.linked_id == planned.message_id
    assert one.calls.ids == [planned.transaction_id]
    assert [part.read() for part in message.parts if part.content_type != "application/smil"] == [b"text", b"x"]
    assert one.states(planned.message_id) == ["Delivered"]


def test_mo_to_nobody(room: Make) -> None:
    """An MO needs an application that is known and listens."""
    with pytest.raises(KeyError):
        room().gateway.simulator.send_mo("nobody", "+1", "+2")
    with pytest.raises(ValueError, match="no callback"):
        room(TNN).gateway.simulator.send_mo("tnn", "+1", "+2")


def test_between_applications(room: Make) -> None:
    """What one application sends to another's short code reaches it as an MO, and its fate is reported back."""
    one = room()
    message_id = one.submitted(replace(SUBMIT, to=(ShortCode("333"),), delivery_report=True))
    one.gateway.run_pending()
    assert [url for url, _ in one.calls.made] == ["http://other/mo", "http://tnn/dlr"]
    [delivered], [report] = one.calls.of(DeliverReq), one.calls.of(DeliveryReportReq)
    assert (delivered.sender, delivered.to, delivered.subject) == (ShortCode("111122"), (ShortCode("333"),), "s")
    assert (delivered.vaspid, delivered.vasid) == (None, None)
    assert [part.read() for part in delivered.parts] == [b"hello"]
    assert (report.message_id, report.mm_status) == (message_id, "Retrieved")
    assert one.states(message_id) == ["Retrieved"]


TRANSIENT = {
    "4006": StatusError(4006),
    "3000": StatusError(3000),
    "refused": TransportError("x", maybe_accepted=False),
    "cut": TransportError("x", maybe_accepted=True),
    "500": TransportError("x", maybe_accepted=True, http_status=500),
    "429": TransportError("x", maybe_accepted=False, http_status=429),
    "odd": OSError("odd"),
}
LASTING = {
    "2002": StatusError(2002),
    "4005": StatusError(4005),
    "4001": StatusError(4001),
    "404": TransportError("x", maybe_accepted=False, http_status=404),
    "redirect": TransportError("x", maybe_accepted=False, http_status=302),
}
PAUSING = {
    "401": AuthError("x", http_status=401),
    "403": AuthError("x", http_status=403),
    "410": TransportError("x", maybe_accepted=False, http_status=410),
}


@pytest.mark.parametrize("error", TRANSIENT.values(), ids=TRANSIENT)
def test_retried(error: Exception, room: Make) -> None:
    """What may go better is tried again by the table, with the same TransactionID, until all attempts were made."""
    one = room(delivery=Delivery(waits=(5, 30), spread=0))
    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    one.calls.refuse = error
    for wait, attempts, state in ((0, 1, "ready"), (5, 2, "ready"), (30, 3, "dead")):
        if wait:
            one.clock.move(seconds=wait - 1)
            assert one.gateway.run_pending() == []
            one.clock.move(seconds=1)
        [event] = one.gateway.run_pending()
        assert event.error is not None
        assert type(error).__name__ in event.error
        [call] = one.outbox()
        assert (call.attempts, call.state) == (attempts, state)
    assert len(one.calls.made) == 3
    assert len(set(one.calls.ids)) == 1


def test_certificate_that_is_not_trusted(room: Make) -> None:
    """The reason says what is wrong with the certificate, and names the setting, not an option of a client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    one = room()
    with FarSide(tls=context) as far:
        with (
            MmscClient(far.url, auth=("a", "b"), retry=Retry(times=0)) as client,
            pytest.raises(TransportError) as info,
        ):
            client.deliver(DeliverReq(sender="+61400", to="111122"))
        one.calls.refuse = info.value
        one.gateway.simulator.send_mo("tnn", "+61400", "111122")
        [event] = one.gateway.run_pending()
    assert "as ca_file= (--ca-file)" in str(info.value)
    assert str(event.error).endswith(
        "the server's certificate is signed by an unknown authority: give that authority's certificate as ca_file in "
        "[application.callback] of tnn (unable to get local issuer certificate)"
    )
    assert one.outbox()[0].state == "ready"


@pytest.mark.parametrize("error", LASTING.values(), ids=LASTING)
def test_dead_letter_and_replay(error: Exception, room: Make) -> None:
    """What will not go better is given up at once, kept with its reason, and made again on request as it was."""
    one = room()
    planned = one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    one.calls.refuse = error
    [event] = one.gateway.run_pending()
    assert event.state == "Refused"
    [dead] = one.outbox(state="dead")
    assert type(error).__name__ in str(dead.reason)
    assert one.states(planned.message_id) == ["Refused"]
    one.calls.refuse = None
    assert one.gateway.replay(id=dead.id) == 1
    assert [event.error for event in one.gateway.run_pending()] == [None]
    assert one.calls.made[0] == one.calls.made[1]
    assert len(set(one.calls.ids)) == 1
    assert one.states(planned.message_id) == ["Delivered"]


@pytest.mark.parametrize("error", PAUSING.values(), ids=PAUSING)
def test_paused_endpoint(error: Exception, room: Make) -> None:
    """An endpoint that wants nothing is left alone until somebody says so; nothing for it is lost, others go on."""
    one = room()
    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    one.calls.refuse = error
    [event] = one.gateway.run_pending()
    assert event.state == "Paused"
    one.calls.refuse = None
    one.gateway.simulator.send_mo("tnn", "+61400", "111122", "second")
    one.gateway.simulator.send_mo("other", "+61400", "333")
    one.clock.move(days=1)
    assert [event.application for event in one.gateway.run_pending()] == ["other"]
    assert [call.attempts for call in one.outbox(state="paused")] == [0, 0]
    assert one.outbox(state="ready") == []
    assert one.gateway.replay(endpoint="http://tnn/mo") == 2
    assert [event.state for event in one.gateway.run_pending()] == ["Delivered", "Delivered"]


def test_retry_after(room: Make) -> None:
    """A Retry-After is obeyed where it is longer than the table's wait, and not beyond six hours."""
    one = room(delivery=Delivery(waits=(5, 5, 5), spread=0))
    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    error = TransportError("x", maybe_accepted=False, http_status=503)
    one.calls.refuse = error
    for asked, due in ((None, 5), (60.0, 60), (1e6, 6 * 3600)):
        error.retry_after = asked
        one.gateway.run_pending()
        [call] = one.outbox()
        assert call.due - one.clock() == due
        one.clock.move(seconds=due)


def test_never_past_expiry(room: Make) -> None:
    """A call that would be made again only after it has expired is given up."""
    one = room(delivery=Delivery(waits=(5, 60), spread=0, expiry=30))
    one.gateway.simulator.send_mo("tnn", "+61400", "111122")
    one.calls.refuse = StatusError(3000)
    one.gateway.run_pending()
    one.clock.move(seconds=5)
    one.gateway.run_pending()
    assert [call.attempts for call in one.outbox(state="dead")] == [2]


def test_profile_of_the_callback() -> None:
    """What is sent back is written in the callback's profile, else in the application's report schema and version."""
    optus = replace(CALLED, profile="optus")
    assert (optus.callback_profile.schema, optus.callback_profile.mm7_version) == ("REL-6-MM7-1-4", "5.3.0")
    assert CALLED.callback_profile == CALLED.request_profile
    explicit = replace(optus, callback=Callback(deliver="http://x", profile="REL-5-MM7-1-2"))
    assert explicit.callback_profile.schema == "REL-5-MM7-1-2"


# --- upstream ---------------------------------------------------------------------------------------------------------

UP = Upstream(name="far", url="http://far/mm7", vaspid="WE", vasid="us", callback_username="up", callback_password="u")
AWAY = {"upstreams": (UP,), "routes": (Route(prefix="+64", via="far"),)}


class Far:
    """An MMSC far away, and the gateway in front of it on sockets."""

    def __init__(self, room: Make, far: Room, base: str, **options: Any) -> None:
        self.far = far
        upstream = replace(UP, url=f"{base}/mm7", username="tnn", password="t", vaspid="TNN", vasid="News")
        upstream = replace(upstream, **options)
        self.near = room(CALLED, upstreams=(upstream,), routes=(Route(prefix="+64", via=upstream.name),))


@pytest.fixture
def far(room: Make) -> Iterator[Callable[..., Far]]:
    """Makes a gateway whose upstream is another gateway."""
    with ExitStack() as stack:

        def make(*applications: Application, **options: Any) -> Far:
            there = room(*(applications or (TNN,)))
            base = stack.enter_context(serve_in_thread(there.gateway.asgi))
            return Far(room, there, base, **options)

        yield make


def test_leaves_through_upstream(far: Callable[..., Far]) -> None:
    """A routed copy is submitted upstream, its report mapped back to our MessageID; the others stay here."""
    both = far()
    message = replace(SUBMIT, to=("+64211", "+61400"), delivery_report=True, read_reply=True)  # type: ignore[arg-type]
    message_id = both.near.submitted(message)
    both.near.gateway.run_pending()
    assert both.near.states(message_id) == ["Sent", "Retrieved"]
    [there] = both.far.messages
    assert [copy.address for copy in both.far.copies(there.id)] == ["+64211"]
    assert (there.subject, there.delivery_report, there.read_reply) == ("s", True, True)
    assert both.far.texts(there.id) == [b"hello"]
    about = {"message_id": there.id, "recipient": "+64211", "sender": "111122"}
    report = DeliveryReportReq(**about, date=START, mm_status="Rejected", status_text="no credit")
    assert both.near.code(report, user="up", transaction_id="r-1") == 1000
    assert both.near.code(report, user="up", transaction_id="r-1") == 1000
    assert both.near.code(ReadReplyReq(**about, time_stamp=START, mm_status="Deleted"), user="up") == 1000
    both.near.gateway.run_pending()
    assert both.near.states(message_id) == ["Rejected", "Retrieved"]
    told = [one for one in both.near.calls.of(DeliveryReportReq) if str(one.recipient) == "+64211"]
    assert [(one.message_id, one.mm_status, one.status_text) for one in told] == [(message_id, "Rejected", "no credit")]
    assert [one.mm_status for one in both.near.calls.of(ReadReplyReq) if str(one.recipient) == "+64211"] == ["Deleted"]


def test_refused_upstream(far: Callable[..., Far]) -> None:
    """What the upstream refuses for good is Rejected, and reported with its words."""
    both = far(replace(TNN, numbers="NZ"))
    message_id = both.near.submitted(replace(SUBMIT, to=("+641",), delivery_report=True))  # type: ignore[arg-type]
    both.near.gateway.run_pending()
    assert both.near.states(message_id) == ["Rejected"]
    [report] = both.near.calls.of(DeliveryReportReq)
    assert (report.mm_status, report.status_text) == ("Rejected", "Address Error")


def test_cancel_before_it_leaves(room: Make) -> None:
    """A copy that still waits for its upstream can be taken back and replaced; nothing of it leaves."""
    one = room(CALLED, **AWAY)
    message_id = one.submitted(replace(SUBMIT, to=("+64211",)))  # type: ignore[arg-type]
    one.gateway.dispatcher.run_once(claiming=True)
    assert one.states(message_id) == ["Pending"]
    [call] = one.outbox()
    assert (call.kind, call.state) == ("submit", "leased")
    assert one.code(take_back(message_id, extended=False)) == 3001  # it is just being made
    second = one.submitted(replace(SUBMIT, to=("+64211",)))  # type: ignore[arg-type]
    with one.gateway.database.write() as connection:
        one.gateway.dispatcher.network.advance(connection, one.clock())
    assert one.code(put(second, extended=False, parts=[replace(TEXT, body=b"new")])) == 1000
    with one.gateway.database.write() as connection:
        one.gateway.dispatcher.network.advance(connection, one.clock())
    assert one.code(take_back(second, extended=False)) == 1000
    assert [(call.state, call.reason) for call in one.outbox() if call.message_id == second] == [
        ("done", "cancelled"), ("done", "cancelled")
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["far", "far away"])
def test_rate_of_an_upstream(far: Callable[..., Far], name: str) -> None:
    """Not more requests a second go to an upstream than were agreed, whatever waits, and whatever its name is."""
    both = far(rate=2.0, name=name)
    for n in range(7):
        both.near.submitted(replace(SUBMIT, to=(f"+6421{n}",)))  # type: ignore[arg-type]
    there = []
    for _ in range(4):
        both.near.gateway.run_pending()
        there.append(len(both.far.messages))
        both.near.clock.move(seconds=1)
    assert there == [2, 4, 6, 7]


def counted(one: Room, state: str) -> bool:
    """Whether just one copy is counted as having reached a state."""
    page, _ = one.gateway.metrics.exposition(one.gateway.database)
    return f'mm7_copies_total{{state="{state}"}} 1.0' in page.decode()


def test_state_by_request_is_counted(room: Make) -> None:
    """A state that an operator gives a copy is counted, as one that a handset gives it."""
    one = room(CALLED)
    message_id = one.submitted(replace(ONE, earliest_delivery_time=START + timedelta(hours=1)))
    one.gateway.simulator.report(message_id, "+61400", "Rejected")
    assert one.states(message_id) == ["Rejected"]
    assert counted(one, "Rejected")


def test_state_from_an_upstream_is_counted(room: Make) -> None:
    """A report of an upstream that changes the state of a copy is counted, once."""
    one = room(CALLED, **AWAY)
    message_id = one.submitted(replace(SUBMIT, to=("+64211",)))  # type: ignore[arg-type]
    [copy] = one.copies(message_id)
    with one.gateway.database.write() as connection:
        messages.move(connection, copy, state="Sent", changed=one.clock(), remote_id="far-1", due=None)
    report = DeliveryReportReq(message_id="far-1", recipient="+64211", sender="+2", date=START, mm_status="Expired")  # type: ignore[arg-type]
    assert [one.code(report, user="up") for _ in range(2)] == [1000, 1000]
    assert one.states(message_id) == ["Expired"]
    assert counted(one, "Expired")


def test_state_without_its_upstream_is_counted(room: Make) -> None:
    """Where an upstream is no longer configured, its copies are Rejected, and counted."""
    one = room(CALLED, **AWAY)
    message_id = one.submitted(replace(SUBMIT, to=("+64211",)))  # type: ignore[arg-type]
    with closing(Gateway(replace(one.settings, upstreams=(), routes=()), clock=one.clock)) as gateway:
        gateway.run_pending()
        page, _ = gateway.metrics.exposition(gateway.database)
    assert one.states(message_id) == ["Rejected"]
    assert b'mm7_copies_total{state="Rejected"} 1.0' in page


IDENTITIES = {
    "the sender's": (("TNN", "News"), (None, None)),
    "its own": (("OTH", "Sales"), ("OTH", "Sales")),
    "its own, with another's VASID": (("OTH", None), ("OTH", None)),
    "a VASID alone": ((None, "News"), (None, None)),
    "none": ((None, None), (None, None)),
}


@pytest.mark.parametrize(("named", "told"), IDENTITIES.values(), ids=IDENTITIES)
def test_mo_names_who_receives_it(room: Make, named: tuple[str | None, ...], told: tuple[str | None, ...]) -> None:
    """The VASPID and VASID of a DeliverReq are those of the application that is brought it, or left out."""
    one = room(**AWAY)
    vaspid, vasid = named
    message = DeliverReq(sender="+1", to="333", vaspid=vaspid, vasid=vasid, parts=(TEXT,))  # type: ignore[arg-type]
    assert one.code(message, user="up") == 1000
    one.gateway.run_pending()
    [delivered] = one.calls.of(DeliverReq)
    assert (delivered.vaspid, delivered.vasid) == told


def test_application_without_vaspid(room: Make) -> None:
    """Where an application has no VASPID, an empty SenderIdentification is taken, and one with a VASPID is not."""
    bare = Application(name="bare", password="b", callback=OTHER.callback)
    one = room(bare, CALLED)
    anonymous = replace(SUBMIT, vaspid=None, vasid=None, to=(ShortCode("111122"),), delivery_report=True)
    assert one.code(anonymous, user="bare") == 1000
    assert one.code(replace(anonymous, vaspid="TNN"), user="bare") == 4001
    assert one.code(replace(anonymous, vaspid="bare"), user="bare") == 4001
    assert one.code(anonymous, user="tnn") == 4001
    one.gateway.run_pending()
    [delivered], [report] = one.calls.of(DeliverReq), one.calls.of(DeliveryReportReq)
    assert (delivered.vaspid, str(delivered.sender), str(report.sender)) == (None, "bare", "bare")


def test_mo_from_upstream(room: Make) -> None:
    """An MO from an upstream reaches the application whose short code it names, once."""
    one = room(**AWAY)
    message = DeliverReq(sender="+64211", to="333", subject="hi", linked_id="far-1", parts=(TEXT,))  # type: ignore[arg-type]
    assert [one.code(message, user="up", transaction_id="m-1") for _ in range(2)] == [1000, 1000]
    one.gateway.run_pending()
    [(url, delivered)] = one.calls.made
    assert url == "http://other/mo"
    assert (str(delivered.sender), delivered.to, delivered.subject) == ("+64211", (ShortCode("333"),), "hi")
    assert [part.read() for part in delivered.parts] == [b"hello"]


UPSTREAM_REFUSED: dict[str, tuple[Message, int]] = {
    "a submit": (SUBMIT, 4003),
    "for nobody": (DeliverReq(sender="+1", to="999"), 2003),  # type: ignore[arg-type]
    "a report on nothing": (
        DeliveryReportReq(message_id="x", recipient="+1", sender="+2", date=START, mm_status="Retrieved"),
        2005,
    ),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("message", "status"), UPSTREAM_REFUSED.values(), ids=UPSTREAM_REFUSED)
def test_upstream_refused(message: Message, status: int, room: Make) -> None:
    """An upstream is answered as by a VASP: by a fault with VASPErrorRsp."""
    back = room(**AWAY).ask(message, user="up").message
    assert isinstance(back, Fault)
    assert isinstance(back.error, VASPErrorRsp)
    assert back.status.code == status


# --- what is let go ---------------------------------------------------------------------------------------------------


def test_retention(room: Make) -> None:
    """Finished messages go when they are too old or too many, the oldest first; what waits stays."""
    from mm7zeep.gateway.config.settings import Retention

    one = room(CALLED, retention=Retention(days=1, messages=2))
    waiting = one.submitted(replace(ONE, earliest_delivery_time=timedelta(days=30)))
    ids = [one.submitted(ONE) for _ in range(4)]
    one.gateway.run_pending()
    assert one.gateway.housekeeper.sweep() == 2
    assert [message.id for message in one.messages] == [waiting, *ids[2:]]
    one.clock.move(days=2)
    assert one.gateway.housekeeper.sweep() == 2
    assert [message.id for message in one.messages] == [waiting]
    assert one.copies(ids[3]) == []


# --- on a socket ------------------------------------------------------------------------------------------------------


def test_over_http(tmp_path: Path) -> None:
    """Client, gateway and receiver on sockets: submit, report, read reply and MO, each with its credentials."""
    done = threading.Semaphore(0)
    seen: list[Message] = []
    vasp = Receiver(auth={"relay": "secret"})

    def keep(message: Message) -> None:
        seen.append(message)
        done.release()

    for register in (vasp.on_deliver, vasp.on_delivery_report, vasp.on_read_reply):
        register(keep)
    with serve_in_thread(vasp.asgi) as listener:
        callback = Callback(deliver=f"{listener}/mo", username="relay", password="secret")
        settings = Settings(
            applications=(replace(TNN, callback=callback),),
            database=f"sqlite:///{tmp_path / 'gateway.db'}",
            allow_internal=True,
        )
        gateway = Gateway(settings)
        with serve_in_thread(gateway.asgi) as base, gateway.working():
            with VaspClient(f"{base}/mm7", vaspid="TNN", vasid="News", auth=("tnn", "t")) as client:
                sent = client.submit(to="+61400", content="hello", delivery_report=True, read_reply=True)
                gateway.simulator.send_mo("tnn", "+61400", "111122", "hi", "answer")
                assert [done.acquire(timeout=20) for _ in range(3)] == [True] * 3
                with pytest.raises(StatusError, match="3001"):
                    client.cancel(str(sent.message_id))
            with VaspClient(f"{base}/mm7", auth=("tnn", "wrong")) as stranger, pytest.raises(AuthError):
                stranger.submit(to="+61400", content="hello")
        gateway.close()
    assert {type(one).__name__ for one in seen} == {"DeliverReq", "DeliveryReportReq", "ReadReplyReq"}


def test_close_ends_the_endpoint(tmp_path: Path) -> None:
    """A gateway that is closed leaves no executor of its endpoint behind."""
    gateway = Gateway(Settings(applications=(TNN,), database=f"sqlite:///{tmp_path / 'gateway.db'}"))
    gateway.close()
    with pytest.raises(RuntimeError, match="after shutdown"):
        gateway.endpoint._auth_executor.submit(print)


def test_wrong_callback_credentials(tmp_path: Path) -> None:
    """A callback that refuses the credentials is paused, and the message waits."""
    events: list[Event] = []
    vasp = Receiver(auth={"relay": "secret"})
    with serve_in_thread(vasp.asgi) as listener:
        wrong = Callback(deliver=listener, username="relay", password="wrong")
        gateway = Gateway(
            Settings(
                applications=(replace(TNN, callback=wrong),),
                database=f"sqlite:///{tmp_path / 'gateway.db'}",
                allow_internal=True,
            ),
            observe=events.append,
        )
        gateway.simulator.send_mo("tnn", "+61400", "111122", "hi")
        gateway.run_pending()
        gateway.close()
    [event] = events
    assert event.state == "Paused"
    assert str(event.error).startswith("AuthError")


def test_only_at_mm7(room: Make) -> None:
    """The listener answers at /mm7 and nowhere else."""

    async def main() -> list[int]:
        transport = httpx.ASGITransport(room().gateway.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://mmsc") as client:
            return [(await client.post(path)).status_code for path in ("/mm7", "/mm7/", "/", "/mm70", "/admin")]

    assert asyncio.run(main()) == [401, 404, 404, 404, 404]


def test_serving_ends() -> None:
    """Leaving the context frees the port; a port that is taken is told."""
    with serve_in_thread(Receiver().asgi) as base:
        port = int(base.rpartition(":")[2])
        assert httpx.get(base).status_code == 405
        with pytest.raises(OSError, match="in use"), serve_in_thread(Receiver().asgi, port=port):
            pass
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
    assert "mm7zeep-serving" not in {one.name for one in threading.enumerate()}


def test_observer_that_fails_ends_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What an observer raises is logged, and the rest of what is due is done."""

    def observe(event: Event) -> None:
        raise RuntimeError(event.kind)

    calls: list[object] = []
    gateway = Gateway(
        Settings(applications=(CALLED,), database=f"sqlite:///{tmp_path / 'gateway.db'}"),
        deliver=lambda *call: calls.append(call),
        observe=observe,
    )
    gateway.simulator.send_mo("tnn", "+61400", "111122", "hi")
    gateway.simulator.send_mo("tnn", "+61400", "111122", "hi")
    assert [event.kind for event in gateway.run_pending()] == ["deliver", "deliver"]
    gateway.close()
    assert len(calls) == 2
    assert caplog.text.count("the observer of a deliver event failed") == 2


def test_worker_ends(room: Make) -> None:
    """The threads that work end with their context, also while something is planned for later."""
    one = room(handsets=(Handset(delay=timedelta(hours=1)),))
    with one.gateway.working():
        message_id = one.submitted()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mm7zeep-")]
    assert one.states(message_id) == ["Pending", "Pending"]
    assert one.gateway.ready() == ("it is stopping",)


def test_answer_is_a_wire(room: Make) -> None:
    """``answer`` serves any framework: a Wire with a status, also for nonsense."""
    answer = room().gateway.answer(Wire(headers=(basic("tnn"), ("Content-Type", "text/xml")), body=b"<x/>"))
    assert answer.status == 500
    assert isinstance(exchange.unpack(answer).message, Fault)
