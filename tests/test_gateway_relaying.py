"""What a gateway passes on between an upstream and its applications: everything that TS 23.140 lets through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import envelopes as env
import pytest
from far_side import FarSide, Request, Steps, http, proper, saying
from gateway_room import CALLED, START, SUBMIT, TEXT, Make, Room, basic, rooms

from mm7zeep import exchange
from mm7zeep.gateway.config.parties import Route, Upstream
from mm7zeep.messages import (
    CancelReq,
    CancelRsp,
    DeliverReq,
    DeliveryReportReq,
    ExtendedCancelReq,
    Number,
    PreviouslySent,
    ReadReplyReq,
    ReplaceReq,
    ReplyCharging,
    ShortCode,
    SubmitReq,
    UACapabilities,
)
from mm7zeep.status import Status

WHEN = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)
CAPABILITIES = UACapabilities(ua_prof="http://ua.example/1", time_stamp=WHEN - timedelta(days=1))
PREVIOUS = (
    PreviouslySent(sequence=1, address=Number("+61400"), moment=WHEN - timedelta(hours=2)),
    PreviouslySent(sequence=2, address=ShortCode("777")),
)
AWAY = replace(SUBMIT, to=(Number("+64211"),), delivery_report=True, read_reply=True)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Make]:
    """Makes gateways."""
    with rooms(tmp_path) as make:
        yield make


@pytest.fixture
def far() -> Iterator[FarSide]:
    """The upstream."""
    with FarSide() as side:
        yield side


def near(room: Make, far: FarSide, **options: Any) -> Room:
    """A gateway that submits to ``far``."""
    upstream = Upstream(name="far", url=far.url, vaspid="WE", callback_username="up", callback_password="u", **options)
    return room(CALLED, upstreams=(upstream,), routes=(Route(prefix="+64", via="far"),))


def left(far: FarSide) -> SubmitReq:
    """The last submit that came out of the gateway."""
    message = far.requests[-1].unpack().message
    assert isinstance(message, SubmitReq)
    return message


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, None),
        ({"username": "we", "password": "p:w"}, "Basic d2U6cDp3"),
        ({"bearer": "KEY-1"}, "Bearer KEY-1"),
    ],
)
def test_what_an_upstream_is_shown(room: Make, far: FarSide, options: dict[str, str], shown: str | None) -> None:
    """Name and password, an API key or nothing, and the header fields that it wants; of a cancel, too."""
    one = near(room, far, headers={"X-Carrier": "7"}, **options)
    message_id = one.submitted(AWAY)
    one.gateway.run_pending()
    assert one.code(CancelReq(vaspid="TNN", vasid="News", message_id=message_id)) == 1000
    assert len(far.requests) == 2
    for request in far.requests:
        assert (request.header("Authorization"), request.header("X-Carrier")) == (shown, "7")


def test_upstream_that_wants_digest(room: Make) -> None:
    """With ``digest`` the password never leaves: nothing is shown before the challenge, and then its answer."""
    challenge = 'Digest realm="mm7", nonce="abc123", qop="auth", algorithm=SHA-256'

    def answer(request: Request) -> Steps:
        if request.header("Authorization") is None:
            return [http(401, b"", WWW_Authenticate=challenge)]
        return proper(request)

    with FarSide(answer, answer) as far:
        one = near(room, far, username="we", password="secret word", digest=True)
        message_id = one.submitted(AWAY)
        one.gateway.run_pending()
        assert one.states(message_id) == ["Sent"]
    first, second = far.requests
    assert first.header("Authorization") is None
    assert (second.header("Authorization") or "").startswith("Digest ")
    assert 'username="we"' in (second.header("Authorization") or "")


def test_report_and_read_reply(room: Make, far: FarSide) -> None:
    """When it happened, MMStatusExtension and UACapabilities of an upstream's report are the application's, too."""
    one = near(room, far)
    message_id = one.submitted(AWAY)
    one.gateway.run_pending()
    remote = one.copies(message_id)[0].remote_id
    assert remote
    about: Any = {"message_id": remote, "recipient": "+64211", "sender": "111122"}
    report = DeliveryReportReq(
        **about, date=WHEN, mm_status="Rejected", mm_status_extension="RejectionByOtherRS", status_text="no credit",
        ua_capabilities=CAPABILITIES,
    )  # fmt: skip
    assert one.code(report, user="up") == 1000
    assert one.copies(message_id)[0].detail == "no credit; RejectionByOtherRS"
    assert one.code(ReadReplyReq(**about, time_stamp=WHEN + timedelta(hours=1), mm_status="Read"), user="up") == 1000
    one.gateway.run_pending()
    [told] = one.calls.of(DeliveryReportReq)
    assert told == replace(
        report, message_id=message_id, mms_relay_server_id="mm7zeep", sender=told.sender, mm7_version=None
    )
    [read] = one.calls.of(ReadReplyReq)
    assert (read.message_id, read.time_stamp, read.mm_status) == (message_id, WHEN + timedelta(hours=1), "Read")


def test_report_without_a_date(room: Make, far: FarSide) -> None:
    """An event whose time an upstream does not tell has that of its arrival."""
    one = near(room, far)
    message_id = one.submitted(AWAY)
    one.gateway.run_pending()
    about: Any = {"message_id": one.copies(message_id)[0].remote_id, "recipient": "+64211", "sender": "111122"}
    report = DeliveryReportReq(**about, date=WHEN, mm_status="Retrieved")
    wire_options = {"profile": "REL-6-MM7-1-4"}
    assert one.code(report, user="up", **wire_options) == 1000
    one.gateway.simulator.report(one.submitted(SUBMIT), "+61400", "Expired")
    one.gateway.run_pending()
    dates = {one.mm_status: one.date for one in one.calls.of(DeliveryReportReq)}
    assert dates == {"Retrieved": WHEN, "Expired": START}


def test_mo(room: Make, far: FarSide) -> None:
    """TimeStamp, Previouslysentby and its times, and UACapabilities of an upstream's MO are in the application's."""
    one = near(room, far)
    message = DeliverReq(
        sender=Number("+64211"), to=(Number("111122"),), time_stamp=WHEN, previously_sent=PREVIOUS, linked_id="far-9",
        ua_capabilities=CAPABILITIES, priority="High", reply_charging_id="charged-1", applic_id="app", parts=(TEXT,),
    )  # fmt: skip
    assert one.code(message, user="up") == 1000
    one.gateway.run_pending()
    [mo] = one.calls.of(DeliverReq)
    assert (mo.time_stamp, mo.previously_sent, mo.ua_capabilities) == (WHEN, PREVIOUS, CAPABILITIES)
    assert (mo.priority, mo.reply_charging_id, mo.applic_id) == ("High", "charged-1", "app")
    assert mo.linked_id == one.messages[-1].id


def test_linked_id_both_ways(room: Make, far: FarSide) -> None:
    """A reply to an MO that an upstream brought goes there under the upstream's own LinkedID."""
    one = near(room, far)
    message = DeliverReq(sender=Number("+64211"), to=(Number("111122"),), linked_id="far-9", parts=(TEXT,))
    assert one.code(message, user="up") == 1000
    one.gateway.run_pending()
    [mo] = one.calls.of(DeliverReq)
    one.submitted(replace(AWAY, linked_id=mo.linked_id))
    one.gateway.run_pending()
    assert left(far).linked_id == "far-9"
    own = one.gateway.simulator.send_mo("tnn", "+61400", "111122", "hi", "text")
    one.submitted(replace(AWAY, linked_id=own.message_id, subject="another"))
    one.gateway.run_pending()
    assert (left(far).subject, left(far).linked_id) == ("another", None)


def test_linked_id_of_nothing(room: Make, far: FarSide) -> None:
    """A LinkedID that names no message of the application is refused with 2006, and so is another application's."""
    one = near(room, far)
    assert one.code(replace(AWAY, linked_id="nothing")) == 2006
    assert one.messages == []
    message_id = one.submitted(AWAY)
    assert one.code(replace(AWAY, linked_id=message_id, subject="another")) == 1000


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"applic_id": "app"}, 1000),
        ({"reply_applic_id": "back"}, 1000),
        ({}, 1000),
        ({"applic_id": "other"}, 2008),
        ({"reply_applic_id": "other"}, 2009),
        ({"applic_id": "other", "reply_applic_id": "back"}, 2008),
    ],
)
def test_cancel_names_the_application(
    room: Make, far: FarSide, named: dict[str, Any], code: int, *, gone: bool
) -> None:
    """A cancel with another ApplicID than its message is refused (2008, 2009), and goes nowhere."""
    one = near(room, far)
    message_id = one.submitted(replace(AWAY, applic_id="app", reply_applic_id="back"))
    if gone:
        one.gateway.run_pending()
    asked = len(far.requests)
    assert one.code(CancelReq(message_id=message_id, vaspid="TNN", vasid="News", **named)) == code
    assert one.states(message_id) == ["Cancelled" if code == 1000 else "Sent" if gone else "Pending"]
    assert len(far.requests) - asked == (1 if gone and code == 1000 else 0)


@pytest.mark.parametrize(("id", "code"), [(None, 4004), (" ", 4004), ("4711", 1000)])
def test_third_party_has_a_name(room: Make, far: FarSide, id: str | None, code: int) -> None:
    """A submit that a third party is to pay says who that is, and goes upstream with it."""
    one = near(room, far)
    assert one.code(replace(AWAY, charged_party="ThirdParty", charged_party_id=id)) == code
    one.gateway.run_pending()
    assert [one.unpack().message.charged_party_id for one in far.requests] == (["4711"] if code == 1000 else [])  # type: ignore[attr-defined]


def test_replaced_before_it_leaves(room: Make, far: FarSide) -> None:
    """What a replace names goes upstream with the message, also where it says no."""
    one = near(room, far)
    first = replace(
        AWAY, content_class="text", drm_content=True, distribution_indicator=True, applic_id="app-1",
        allow_adaptations=True, earliest_delivery_time=START + timedelta(hours=1), service_code="one",
    )  # fmt: skip
    message_id = one.submitted(first)
    change = ReplaceReq(
        vaspid="TNN", vasid="News", message_id=message_id, content_class="image-basic", drm_content=False,
        distribution_indicator=False, applic_id="app-2", reply_applic_id="app-3", aux_applic_info="more",
        allow_adaptations=False, service_code="two", parts=(replace(TEXT, body=b"new"),),
    )  # fmt: skip
    assert one.code(change) == 1000
    one.clock.move(hours=2)
    one.gateway.run_pending()
    sent = left(far)
    assert (sent.content_class, sent.drm_content, sent.distribution_indicator) == ("image-basic", False, False)
    assert (sent.applic_id, sent.reply_applic_id, sent.aux_applic_info) == ("app-2", "app-3", "more")
    assert (sent.allow_adaptations, sent.service_code) == (False, "two")
    assert [part.read() for part in sent.parts] == [b"new"]


def test_service_code_goes_whole(room: Make, far: FarSide) -> None:
    """A ServiceCode goes upstream with its attributes; one that a replace gives takes the place of both."""
    one = near(room, far)
    tariff, other = {"{urn:x}tariff": "7"}, {"{urn:x}other": "8"}
    one.submitted(replace(AWAY, service_code="one", service_code_attributes=tariff))  # type: ignore[arg-type]
    later = replace(AWAY, earliest_delivery_time=START + timedelta(hours=1))
    given = replace(later, service_code="one", service_code_attributes=tariff)  # type: ignore[arg-type]
    changes: list[dict[str, Any]] = [
        {"service_code": "two"}, {"service_code": "two", "service_code_attributes": other}, {"read_reply": False},
    ]  # fmt: skip
    for change in changes:
        message_id = one.submitted(given)
        assert one.code(ReplaceReq(vaspid="TNN", vasid="News", message_id=message_id, **change)) == 1000
    one.clock.move(hours=2)
    one.gateway.run_pending()
    sent = [request.unpack().message for request in far.requests]
    assert sorted((one.service_code, one.service_code_attributes) for one in sent) == sorted(  # type: ignore[attr-defined]
        [("one", (*tariff.items(),)), ("two", ()), ("two", (*other.items(),)), ("one", (*tariff.items(),))]
    )


@pytest.mark.parametrize("extended", [False, True])
def test_taken_back_from_an_upstream(room: Make, far: FarSide, extended: bool) -> None:
    """A cancel of a message that an upstream has goes there, under the id that it has there, and is answered so."""
    one = near(room, far)
    message_id = one.submitted(replace(AWAY, to=(Number("+64211"), Number("+61400")), applic_id="app"))
    one.gateway.run_pending()
    remote = one.copies(message_id)[0].remote_id
    ids: Any = {"vaspid": "TNN", "vasid": "News"}
    request: Any = CancelReq(message_id=message_id, applic_id="app", **ids)
    if extended:
        request = ExtendedCancelReq(cancel_id=message_id, **ids)
    assert one.code(request) == 1100  # the other one was retrieved here
    asked = far.requests[-1].unpack().message
    assert isinstance(asked, CancelReq)
    assert (asked.message_id, asked.vaspid, asked.vasid) == (remote, "WE", None)
    assert asked.applic_id == (None if extended else "app")
    assert one.states(message_id) == ["Cancelled", "Retrieved"]
    count = len(far.requests)
    assert one.code(request, transaction_id="again") == 3001
    assert len(far.requests) == count


def test_replaced_at_an_upstream(room: Make, far: FarSide) -> None:
    """A replace of a message that an upstream has goes there whole."""
    one = near(room, far)
    message_id = one.submitted(AWAY)
    one.gateway.run_pending()
    change = ReplaceReq(
        vaspid="TNN", vasid="News", message_id=message_id, content_class="image-basic", drm_content=False,
        distribution_indicator=False, applic_id="app-2", allow_adaptations=False, read_reply=False,
        earliest_delivery_time=WHEN, parts=(replace(TEXT, body=b"new"),),
    )  # fmt: skip
    assert one.code(change) == 1000
    received = far.requests[-1].unpack()
    asked = received.message
    assert isinstance(asked, ReplaceReq)
    expected = replace(
        change, message_id=one.copies(message_id)[0].remote_id or "", vaspid="WE", vasid=None, parts=asked.parts,
        mm7_version=asked.mm7_version, content_href=asked.content_href,
    )  # fmt: skip
    assert asked == expected
    assert [part.read() for part in asked.parts] == [b"new"]


def test_places_and_deadline(room: Make, far: FarSide) -> None:
    """A copy keeps its place upstream; a deadline that is a span counts from when the message was submitted."""
    one = near(room, far)
    message = replace(
        AWAY, to=(Number("+61400"), Number("+6499", display_only=True)), cc=(Number("+64211"),),
        bcc=(Number("+64212"),), reply_charging=ReplyCharging(size=5, deadline=timedelta(hours=5)),
        earliest_delivery_time=START + timedelta(hours=1),
    )  # fmt: skip
    one.submitted(message)
    one.clock.move(hours=2)
    one.gateway.run_pending()
    sent = sorted((request.unpack().message for request in far.requests), key=lambda each: len(each.cc), reverse=True)  # type: ignore[attr-defined]
    assert [(each.to, each.cc, each.bcc) for each in sent] == [  # type: ignore[attr-defined]
        ((Number("+6499", display_only=True),), (Number("+64211"),), ()),
        ((Number("+6499", display_only=True),), (), (Number("+64212"),)),
    ]
    charging = ReplyCharging(size=5, deadline=START + timedelta(hours=5))
    assert [each.reply_charging for each in sent] == [charging] * 2  # type: ignore[attr-defined]


REFUSED: dict[str, tuple[Any, int]] = {
    "too late": (saying(CancelRsp(status=Status(3001))), 3001),
    "not known there": (saying(CancelRsp(status=Status(2005))), 3001),
    "no such operation there": (saying(CancelRsp(status=Status(4003))), 3001),
    "no answer": ([http(503)], 4006),
}


@pytest.mark.parametrize(("answer", "expected"), REFUSED.values(), ids=REFUSED)
def test_not_taken_back_from_an_upstream(room: Make, answer: Any, expected: int) -> None:
    """Where the upstream does not do it, nobody is told that it was done, and the copy stays as it is."""
    with FarSide(proper, answer) as far:
        one = near(room, far)
        message_id = one.submitted(AWAY)
        one.gateway.run_pending()
        assert one.code(CancelReq(vaspid="TNN", vasid="News", message_id=message_id)) == expected
        assert one.states(message_id) == ["Sent"]


def test_nothing_of_others_is_asked_upstream(room: Make, far: FarSide) -> None:
    """A cancel of another application's message, or of none, reaches no upstream."""
    one = near(room, far)
    message_id = one.submitted(AWAY)
    one.gateway.run_pending()
    count = len(far.requests)
    assert one.code(CancelReq(vaspid="TNN", vasid="News", message_id="nothing")) == 2005
    assert one.code(CancelReq(vaspid="X", vasid="News", message_id=message_id)) == 4001
    assert len(far.requests) == count


@pytest.mark.parametrize("to", ["<Number>+64211</Number>", "<ShortCode>111122</ShortCode>"])
def test_two_parts_of_one_content_id(room: Make, far: FarSide, to: str) -> None:
    """Where two parts came under one Content-ID, both go on, the later one under another."""
    one = near(room, far)
    who = "<SenderIdentification><VASPID>TNN</VASPID><VASID>News</VASID></SenderIdentification>"
    text = env.VERSION + who + f"<Recipients><To>{to}</To></Recipients>" + env.content()
    came = env.wire(env.sent("SubmitReq", text), env.part(), env.part(text="Low water 12:20"))
    answer = exchange.unpack(one.gateway.answer(replace(came, headers=(*came.headers, basic("tnn")))))
    assert answer.message.status.ok  # type: ignore[attr-defined]
    one.gateway.run_pending()
    sent = left(far) if "Number" in to else one.calls.of(DeliverReq)[0]
    texts = [part for part in sent.parts if part.content_type == "text/plain"]
    assert [part.read() for part in texts] == [b"High water 06:12", b"Low water 12:20"]
    assert [part.content_id for part in texts] == ["note@kiosk.example", "note@kiosk.example-"]
