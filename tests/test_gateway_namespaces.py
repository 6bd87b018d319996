"""Callbacks in every namespace, and the form in which an application is answered: namespace, refusals, HTTP status."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from callback_sink import CallbackSink
from gateway_room import CALLED, ONE, SUBMIT, TEXT, TNN, Clock, Make, Room, basic, rooms

from mm7zeep import exchange, profiles, schema
from mm7zeep.exchange import Wire
from mm7zeep.gateway.config.describe import warnings
from mm7zeep.gateway.config.parties import Callback, Upstream
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.store import search
from mm7zeep.messages import (
    DeliverReq,
    Fault,
    Message,
    Number,
    PreviouslySent,
    RSErrorRsp,
    ShortCode,
    SubmitRsp,
    UACapabilities,
)

EVERY = sorted(profiles.NAMESPACES.values(), key=lambda one: one.schema)
WHEN = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)
FULL = DeliverReq(
    vaspid="FAR", vasid="Away", mms_relay_server_id="far-mmsc", linked_id="far-1", sender=Number("61491570156"),
    to=(Number("111122"), ShortCode("9999", display_only=True)),
    previously_sent=(PreviouslySent(sequence=1, address=Number("61400")),),
    sender_spi="spi-1", recipient_spi="spi-2", time_stamp=WHEN, reply_charging_id="charged-1", priority="High",
    subject="Hello", applic_id="app", reply_applic_id="reply-app", aux_applic_info="aux",
    ua_capabilities=UACapabilities(ua_prof="http://ua.example/1"), parts=(TEXT,),
)  # fmt: skip
"""An MO with everything that REL-6-MM7-1-4 has."""
UPSTREAM = Upstream(name="far", url="http://127.0.0.1:1/", callback_username="far", callback_password="f")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Make]:
    """Makes gateways."""
    with rooms(tmp_path) as make:
        yield make


class Sink(CallbackSink):
    """A callback sink that keeps the bodies."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[bytes] = []

    def answer(self, body: bytes) -> tuple[bytes, Any]:
        self.bodies.append(body)
        return super().answer(body)

    def messages(self) -> list[Message]:
        """What came, each valid in its own namespace and without any deviation."""
        found = []
        for body in self.bodies:
            kind = body[2 : body.index(b"\r\n")].decode() if body.startswith(b"--") else None
            label = f'multipart/related; boundary="{kind}"; type="text/xml"' if kind else "text/xml; charset=utf-8"
            judged = exchange.examine(Wire(headers=(("Content-Type", label),), body=body, method="POST"))
            assert judged.tree is not None
            assert judged.repaired is not None
            assert schema.violations(judged.tree, judged.repaired.read_as) == []
            assert judged.accepted, judged.error
            found.append(exchange.receive(judged).message)
        return found


@pytest.mark.parametrize("profile", EVERY, ids=lambda one: one.schema)
def test_callbacks_in_every_namespace(profile: profiles.Profile, tmp_path: Path) -> None:
    """An MO with every element, a delivery report and a read reply arrive, valid; what a namespace has no place for is
    left out, and noted on the message.
    """
    with Sink() as sink:
        callback = Callback(deliver=sink.url, profile=profile)
        settings = Settings(
            applications=(replace(TNN, callback=callback),),
            upstreams=(UPSTREAM,),
            database=f"sqlite:///{tmp_path / 'x.db'}",
            allow_internal=True,
        )
        gateway = Gateway(settings, clock=Clock())
        try:
            wire = exchange.pack(FULL)
            answer = gateway.answer(
                replace(
                    wire, headers=(*wire.headers, ("Authorization", "Basic " + base64.b64encode(b"far:f").decode()))
                )
            )
            assert exchange.unpack(answer).message.status.code == 1000  # type: ignore[attr-defined]
            asked = replace(SUBMIT, to=(Number("61400"),), delivery_report=True, read_reply=True, applic_id="app")
            wire = exchange.pack(asked)
            answer = gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn"))))
            assert exchange.unpack(answer).message.status.code == 1000  # type: ignore[attr-defined]
            gateway.run_pending()
            kinds = [type(one).__name__ for one in sink.messages()]
            assert sorted(kinds) == ["DeliverReq", "DeliveryReportReq", "ReadReplyReq"]
            mo = next(one for one in sink.messages() if isinstance(one, DeliverReq))
            assert (mo.sender, mo.subject, mo.to[0].value) == (Number("61491570156"), "Hello", "111122")
            assert mo.parts[0].read() == b"hello"
            with gateway.database.read() as connection:
                rows = search.found(connection, search.Search(), limit=9)
            noted = {row.direction: row.findings for row in rows}
            places = schema.model(profile.namespace)["DeliverReq"]
            for name, value in (("SenderSPI", mo.sender_spi), ("ApplicID", mo.applic_id), ("VASPID", mo.vaspid)):
                has = places.child(name) is not None
                assert (name in noted["mo"]) == (not has and name != "VASPID")
                assert has or value is None
            if places.child("ReplyChargingID").min:  # type: ignore[union-attr]
                assert mo.reply_charging_id == "charged-1"
            if profile.schema != "REL-6-MM7-1-4":
                assert [one["id"] for one in json.loads(noted["mo"])] == ["ns/no-place"]
        finally:
            gateway.close()


@pytest.mark.parametrize("schema_name", ["REL-5-MM7-1-0", "REL-5-MM7-1-1"])
def test_mandatory_without_a_value(schema_name: str, tmp_path: Path) -> None:
    """An MO that is no reply to a charged message has the neutral ReplyChargingID where the schema wants one."""
    with Sink() as sink:
        callback = Callback(deliver=sink.url, profile=profiles.profile(schema_name))
        settings = Settings(
            applications=(replace(TNN, callback=callback),),
            database=f"sqlite:///{tmp_path / 'x.db'}",
            allow_internal=True,
        )
        gateway = Gateway(settings, clock=Clock())
        try:
            gateway.simulator.send_mo("tnn", "61491570156", "111122", "Hello", "text")
            gateway.run_pending()
            [mo] = sink.messages()
            assert isinstance(mo, DeliverReq)
            assert mo.reply_charging_id == "-"
        finally:
            gateway.close()


# --- answers ----------------------------------------------------------------------------------------------------------


def asked(one: Room, message: Message, **options: Any) -> Wire:
    """The answer as it goes out."""
    wire = exchange.pack(message, **options)
    return one.gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn"))))


@pytest.mark.parametrize(
    ("sent", "reply", "told"),
    [("app", None, ("app", None)), ("app", "back", ("back", "app")), ("app", "app", ("app", None)),
     (None, "back", ("back", None)), (None, None, (None, None))],
)  # fmt: skip
def test_the_application_of_a_report(
    tmp_path: Path, sent: str | None, reply: str | None, told: tuple[Any, Any]
) -> None:
    """A report and a read reply are for the application that replies are for, else for the one that sent (8.7.4)."""
    with Sink() as sink:
        callback = Callback(deliver=sink.url, profile=profiles.profile("REL-6-MM7-1-4"))
        settings = Settings(
            applications=(replace(TNN, callback=callback),), database=f"sqlite:///{tmp_path / 'x.db'}",
            allow_internal=True,
        )  # fmt: skip
        with closing(Gateway(settings, clock=Clock())) as gateway:
            asked = replace(
                SUBMIT, to=(Number("61400"),), delivery_report=True, read_reply=True, applic_id=sent,
                reply_applic_id=reply, aux_applic_info="level 2",
            )  # fmt: skip
            wire = exchange.pack(asked)
            answer = gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn"))))
            assert exchange.unpack(answer).message.status.code == 1000  # type: ignore[attr-defined]
            gateway.run_pending()
        assert {type(one).__name__ for one in sink.messages()} == {"DeliveryReportReq", "ReadReplyReq"}
        for one in sink.messages():
            assert (one.applic_id, one.reply_applic_id) == told
            assert one.aux_applic_info == "level 2"


@pytest.mark.parametrize("application", [replace(TNN, answers="REL-5-MM7-1-2"), replace(TNN, profile="mbuni")])
def test_answered_in_another_namespace(application: Any, room: Make) -> None:
    """A request in REL-5-MM7-1-0, whose SubmitRsp has no MessageID, is answered in a namespace that has one."""
    one = room(application)
    answer = exchange.unpack(
        asked(one, replace(ONE, to=(Number("61400"),)), profile="REL-5-MM7-1-0", transaction_id="t-1")
    )
    assert isinstance(answer.message, SubmitRsp)
    assert answer.message.message_id == one.messages[0].id
    assert (answer.namespace, answer.transaction_id) == (profiles.REL_5_MM7_1_2.namespace, "t-1")
    assert answer.findings == ()


def test_refusals_by_fault_or_response(room: Make) -> None:
    """What a handler refuses and what is not valid come as wanted; what has no operation, as Fault."""
    wrong = replace(SUBMIT, vaspid="X")
    invalid = exchange.pack(SUBMIT)
    invalid = replace(invalid, body=invalid.read().replace(b"<Recipients>", b"<Recipients><Odd/>"))
    garbage = replace(invalid, body=b"--x\r\n", headers=(("Content-Type", "multipart/related; boundary=x"),))
    for refusals, kind in (("fault", Fault), ("response", SubmitRsp)):
        one = room(replace(TNN, refusals=refusals))  # type: ignore[arg-type]
        for wire, code, wanted in (
            (exchange.pack(wrong), 4001, kind),
            (invalid, 2002, kind),
            (garbage, 2007, Fault),
        ):
            answer = one.gateway.answer(replace(wire, headers=(*wire.headers, basic("tnn"))))
            message = exchange.unpack(answer).message
            assert isinstance(message, wanted)
            assert message.status.code == code  # type: ignore[union-attr]
            assert answer.status == (500 if wanted is Fault else 200)


def test_http_status_of_faults(room: Make) -> None:
    """A Fault comes with the HTTP status that the application looks for; the default is SOAP's 500."""
    for status in (None, 500, 200):
        one = room(replace(TNN, refusals="fault", fault_status=status))  # type: ignore[arg-type]
        answer = asked(one, replace(SUBMIT, vaspid="X"))
        assert answer.status == (status or 500)
        fault = exchange.unpack(answer).message
        assert isinstance(fault, Fault)
        assert isinstance(fault.error, RSErrorRsp)
    assert (
        asked(room(replace(TNN, profile=replace(profiles.MBUNI, fault_refusals=True))), wrong_of_mbuni()).status == 200
    )


def wrong_of_mbuni() -> Message:
    """A submit under a VASPID that is not the application's."""
    return replace(SUBMIT, vaspid="X", to=(Number("61400"),))


def test_profile_decides_where_nothing_is_said(room: Make) -> None:
    """``refusals`` follows fault_refusals of the profile."""
    one = room(replace(CALLED, profile="mbuni"))
    answer = asked(one, wrong_of_mbuni(), profile="REL-5-MM7-1-0")
    assert isinstance(exchange.unpack(answer).message, SubmitRsp)
    assert answer.status == 200


def test_told_by_the_check_of_the_configuration(tmp_path: Path) -> None:
    """Callbacks and answers in schemas that cannot carry numbers with a plus, or a MessageID, are warned of."""
    callback = Callback(deliver="http://127.0.0.1:9/", profile="REL-5-MM7-1-0")
    for one, expected in (
        (replace(TNN, profile="REL-5-MM7-1-0", callback=callback), ["callback.namespace", "answers"]),
        (replace(TNN, profile="REL-5-MM7-1-0", answers="REL-5-MM7-1-2"), []),
        (replace(TNN, profile="mbuni", callback=replace(callback, profile=None)), []),
        (CALLED, []),
    ):
        settings = Settings(applications=(one,), database=f"sqlite:///{tmp_path / 'x.db'}")
        told = [line for line in warnings(settings) if line.startswith("application[1].") and "REL-5" in line]
        assert [line.partition(": ")[0] for line in told] == [f"application[1].{name}" for name in expected]
