"""Write docs/elements.md: what becomes of each element of a message, found out by sending it through a gateway.

Each element of each operation is sent once, with a value of its own, between an application, a gateway and an upstream
that speak over loopback; the page says where that value was found. Run it with the tests on the path:
``PYTHONPATH=.:tests python docs/make_elements.py``. A test fails where the file is out of date.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
from far_side import ANSWERS, FarSide, Request, Steps, http

from mm7zeep import envelope, exchange
from mm7zeep.gateway.admin.app import admin_app
from mm7zeep.gateway.config.parties import Application, Callback, Route, Upstream
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.messages import (
    CancelReq,
    DeliverReq,
    DeliveryReportReq,
    Message,
    Number,
    Part,
    PreviouslySent,
    ReadReplyReq,
    ReplaceReq,
    ReplyCharging,
    ShortCode,
    SubmitReq,
    SubmitRsp,
    UACapabilities,
)

TARGET = Path(__file__).with_name("elements.md")
SCHEMA = "REL-6-MM7-1-4"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WHEN = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)
TEXT = Part(body=b"hello", content_type="text/plain", content_id="text@mm7zeep")
OTHER = Part(body=b"another", content_type="text/plain", content_id="other@mm7zeep")
_APART = {"extensions", "unparsed", "content_href", "mm7_version"}

VALUES: Mapping[str, Any] = {
    "to": (Number("+64212"),),
    "cc": (Number("+64213"),),
    "bcc": (Number("+64214"),),
    "sender_address": Number("+61409"),
    "sender": Number("+61409"),
    "recipient": Number("+64211"),
    "linked_id": None,  # set in each direction: it names a message
    "message_class": "Advertisement",
    "time_stamp": WHEN,
    "date": WHEN,
    "reply_charging": ReplyCharging(size=1000, deadline=WHEN + timedelta(days=100)),
    "earliest_delivery_time": START - timedelta(hours=1),  # over, so that it leaves
    "expiry_date": START + timedelta(days=3),
    "delivery_report": True,
    "read_reply": True,
    "priority": "High",
    "charged_party": "Recipient",
    "distribution_indicator": False,
    "delivery_condition": (100, 101),
    "content_class": "text",
    "drm_content": True,
    "allow_adaptations": False,
    "parts": (OTHER,),
    "previously_sent": (PreviouslySent(sequence=1, address=Number("+61408"), moment=WHEN),),
    "ua_capabilities": UACapabilities(ua_prof="http://ua.example/1", time_stamp=WHEN),
    "mm_status": "Rejected",
    "mm_status_extension": "RejectionByMMSRecipient",
    "vaspid": "TNN",
    "vasid": "Weather",
    "service_code_attributes": (("{urn:x}tariff", "service_code_attributes"),),
}
"""What is sent in each field; other fields are texts that name themselves."""

_LABELS = {"parts": "Content", "service_code_attributes": "ServiceCode, foreign attributes"}
_IDENTITY = {"vaspid": "4001 for another's", "vasid": "4001 for another's"}
_TAKEN = {**_IDENTITY, "message_id": "2005 where it names nothing"}
_REPORTED = {
    "message_id": "2005 where it names nothing",
    "mm_status": "the state of the copy",
}
HONOURED: Mapping[type[Message], Mapping[str, str]] = {
    SubmitReq: {
        **_IDENTITY, "to": "each gets a copy", "cc": "each gets a copy", "bcc": "each gets a copy, and nobody is told",
        "linked_id": "2006 where it names nothing", "earliest_delivery_time": "nothing happens before",
        "expiry_date": "Expired after it", "delivery_report": "a report each", "read_reply": "a read reply each",
        "charged_party": "4004 for a ThirdParty without an id", "charged_party_id": "who the ThirdParty is",
        "parts": "2004 for too many octets",
    },
    DeliverReq: dict.fromkeys(("to", "cc", "bcc"), "each application whose short code is there gets it"),
    DeliveryReportReq: _REPORTED,
    ReadReplyReq: {"message_id": "2005 where it names nothing"},
    CancelReq: {**_TAKEN, "applic_id": "2008 for another", "reply_applic_id": "2009 for another"},
    ReplaceReq: {
        **_TAKEN, "earliest_delivery_time": "nothing happens before", "read_reply": "a read reply each",
        "parts": "2004 for too many octets",
    },
}  # fmt: skip
"""What the gateway itself does by an element, where it does anything; each has its tests."""

OURS: Mapping[str, str] = {
    "vaspid": "the name that the other side knows",
    "vasid": "the name that the other side knows",
    "time_stamp": "when the gateway took it",
    "mms_relay_server_id": "the gateway's own",
    "message_id": "translated: each side has its own",
    "linked_id": "translated: each side has its own",
    "earliest_delivery_time": "not sent: it was waited for here",
    "delivery_report": "always asked for, where the upstream can bring one",
    "to": "one copy each",
    "cc": "one copy each",
    "bcc": "nobody is told",
}
"""What the other side gets instead, where that is not what was sent."""


def _proper(request: Request) -> Steps:
    asked = exchange.unpack(request.wire, policy="lenient")
    answer = replace(ANSWERS[type(asked.message)])
    if isinstance(answer, SubmitRsp):
        answer = replace(answer, message_id=f"far-{asked.transaction_id}")
    packed = exchange.pack(answer, reply_to=asked)
    body = packed.read()
    return [http(200, body, dict(packed.headers).get("Content-Type"))]


class House:
    """A gateway between an application, another one and an upstream, all on loopback."""

    def __init__(self, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.far, self.own, self.other = (stack.enter_context(FarSide(_proper)) for _ in range(3))
        upstream = Upstream(
            name="far", url=self.far.url, vaspid="WE", vasid="us", profile=SCHEMA, callback_username="far",
            callback_password="f",
        )  # fmt: skip
        self.gateway = Gateway(
            Settings(
                applications=(
                    self._application("tnn", "111122", self.own),
                    self._application("abc", "333", self.other),
                ),
                upstreams=(upstream,),
                routes=(Route(prefix="+64", via="far"),),
                database=f"sqlite:///{folder / 'gateway.db'}",
                allow_internal=True,
            ),
            clock=START.timestamp,
        )
        stack.callback(self.gateway.close)

    @staticmethod
    def _application(name: str, code: str, side: FarSide) -> Application:
        return Application(
            name=name, password="x", vaspid=name.upper(), short_codes=(code,), profile=SCHEMA,
            callback=Callback(deliver=side.url),
        )  # fmt: skip

    def ask(self, message: Message, user: str = "tnn", transaction_id: str = "asked") -> Any:
        """The answer to a request. Raises ``AssertionError`` for a refusal."""
        packed = exchange.pack(message, profile=SCHEMA, transaction_id=transaction_id)
        auth = httpx.BasicAuth("far" if user == "far" else user, "f" if user == "far" else "x")
        head = next(auth.auth_flow(httpx.Request("POST", "http://x/"))).headers["Authorization"]
        reply = self.gateway.answer(replace(packed, headers=(*packed.headers, ("Authorization", head))))
        answer: Any = exchange.unpack(reply).message
        if not answer.status.ok:
            raise AssertionError(f"{type(message).__name__} was refused: {answer.status}")
        return answer

    def shown(self) -> str:
        """All messages as REST shows them."""

        async def get() -> str:
            transport = httpx.ASGITransport(admin_app(self.gateway))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8008") as client:
                listed = (await client.get("/api/v1/messages")).json()["messages"]
                pages = [await client.get(f"/api/v1/messages/{one['id']}") for one in listed]
                calls = (await client.get("/api/v1/callbacks")).json()["callbacks"]
                pages += [await client.get(f"/api/v1/callbacks/{one['id']}") for one in calls]
                return "\n".join(page.text for page in pages)

        return asyncio.run(get())


@dataclass(frozen=True, kw_only=True)
class Direction:
    """One way through the gateway: what is sent, and how it is brought to the other side."""

    title: str
    kind: type[Message]
    goes: Callable[[House, Message], tuple[str, Message | None]]
    base: Mapping[str, Any]
    names: Mapping[str, str]
    values: Mapping[str, Any] = field(default_factory=dict)

    def elements(self) -> Iterator[str]:
        """The fields to be tried."""
        for one in fields(cast(Any, self.kind)):
            if one.name not in _APART:
                yield one.name


def _submit(house: House, message: Message) -> tuple[str, Message | None]:
    house.ask(message)
    house.gateway.run_pending()
    return house.shown(), _last(house.far, SubmitReq)


def _across(house: House, message: Message) -> tuple[str, Message | None]:
    house.ask(message)
    house.gateway.run_pending()
    return house.shown(), _last(house.other, DeliverReq)


def _brought(house: House, message: Message) -> tuple[str, Message | None]:
    house.ask(message, "far")
    house.gateway.run_pending()
    return house.shown(), _last(house.own, DeliverReq)


def _sent(house: House) -> tuple[str, str]:
    """A message that the upstream has: its id here, and there."""
    plain = SubmitReq(
        vaspid="TNN", to=(Number("+64211"),), delivery_report=True, read_reply=True, parts=(TEXT,),
        applic_id="applic_id",
        reply_applic_id="reply_applic_id",
    )  # fmt: skip
    here = house.ask(plain, transaction_id="first").message_id
    house.gateway.run_pending()
    return here, f"far-{_last_wire(house.far).transaction_id}"


def _told(house: House, message: Any) -> tuple[str, Message | None]:
    _, there = _sent(house)
    house.ask(replace(message, message_id=there), "far")
    house.gateway.run_pending()
    return house.shown(), _last(house.own, type(message))


def _changed(house: House, message: Any) -> tuple[str, Message | None]:
    here, _ = _sent(house)
    house.ask(replace(message, message_id=here))
    return house.shown(), _last(house.far, type(message))


def _last_wire(side: FarSide) -> exchange.Received:
    return exchange.unpack(side.requests[-1].wire)


def _last(side: FarSide, kind: type[Message]) -> Message | None:
    found = [exchange.unpack(one.wire).message for one in side.requests]
    return next((one for one in reversed(found) if isinstance(one, kind)), None)


_SUBMIT = {"vaspid": "TNN", "parts": (TEXT,)}
_EVENT = {"message_id": "", "recipient": Number("+64211"), "sender": ShortCode("111122")}
DIRECTIONS = (
    Direction(
        title="SubmitReq of an application, to an upstream (SubmitReq)", kind=SubmitReq, goes=_submit,
        base={**_SUBMIT, "to": (Number("+64211"),)}, names={},
    ),
    Direction(
        title="SubmitReq of an application, to another application (DeliverReq)", kind=SubmitReq, goes=_across,
        base={**_SUBMIT, "to": (ShortCode("333"),)}, names={"sender_address": "sender"},
    ),
    Direction(
        title="DeliverReq of an upstream, to an application (DeliverReq)", kind=DeliverReq, goes=_brought,
        base={"sender": Number("+61400"), "to": (ShortCode("111122"),), "parts": (TEXT,)}, names={},
    ),
    Direction(
        title="DeliveryReportReq of an upstream, to an application (DeliveryReportReq)", kind=DeliveryReportReq,
        goes=_told, base={**_EVENT, "mm_status": "Retrieved", "date": START}, names={},
        values={"sender": ShortCode("111122")},
    ),
    Direction(
        title="ReadReplyReq of an upstream, to an application (ReadReplyReq)", kind=ReadReplyReq, goes=_told,
        base={**_EVENT, "mm_status": "Read", "time_stamp": START}, names={},
        values={"sender": ShortCode("111122"), "mm_status": "Deleted"},
    ),
    Direction(
        title="CancelReq of an application, to the upstream that has the message (CancelReq)", kind=CancelReq,
        goes=_changed, base={"vaspid": "TNN", "message_id": ""}, names={},
    ),
    Direction(
        title="ReplaceReq of an application, to the upstream that has the message (ReplaceReq)", kind=ReplaceReq,
        goes=_changed, base={"vaspid": "TNN", "message_id": ""}, names={},
    ),
)  # fmt: skip

_HEAD = f"""# Elements

What becomes of each element of a message in the gateway. This page is made by `docs/make_elements.py`, which sends each
of them once, in {SCHEMA}, from one side through a gateway to the other, and looks where its value is found.

- **Shown**: whether REST says it: `GET /api/v1/messages/ID`, and `GET /api/v1/callbacks/ID` for what an application is
  told. The octets of every submit, MO and replace are kept whole besides: `GET /api/v1/messages/ID/raw`.
- **Passed on**: whether it arrives at the other side: `yes`, as it was sent; `no place`, where the message that goes on
  has no such element; else what arrives instead.
- **Honoured**: what the gateway itself does by it; `-` where it only keeps it and passes it on.

MM7Version is written as the other side's profile wants it. Foreign elements are kept with the octets and not passed
on. The ServiceCode of a DeliverRsp reaches no upstream: it was answered, durably, before the application was asked.
TimeStamp of a submit is the gateway's own.
"""


def text() -> str:
    """The whole file."""
    lines = [_HEAD]
    for direction in DIRECTIONS:
        lines += [f"## {direction.title}", "", "| Element | Shown | Passed on | Honoured |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(row)} |" for row in rows(direction)]
        lines.append("")
    return "\n".join(lines)


def rows(direction: Direction) -> Iterator[tuple[str, str, str, str]]:
    """One row for each element."""
    plain, _ = _run(direction, {})
    for name in direction.elements():
        label = _LABELS.get(name) or envelope.paths(name)[0]
        given = _given(direction, name)
        shown, arrived = _run(direction, given)
        target = direction.names.get(name, name)
        yield (
            label,
            _shown(plain, shown, given[name]),
            _passed(arrived, target, given[name]),
            HONOURED[direction.kind].get(name, "-"),
        )


def _given(direction: Direction, name: str) -> dict[str, Any]:
    value = {**VALUES, **direction.values}.get(name, name)
    if name in ("to", "cc", "bcc") and name in direction.base:
        value = direction.base[name]
    if name == "service_code_attributes":
        return {name: value, "service_code": "code"}
    if name == "allow_adaptations":
        return {name: value, "parts": (TEXT,)}  # it is an attribute of Content
    return {name: value}


def _run(direction: Direction, given: Mapping[str, Any]) -> tuple[str, Message | None]:
    with ExitStack() as stack:
        house = House(stack)
        values = {**direction.base, **given}
        if values.get("linked_id", "") is None:
            values["linked_id"] = _linked(house, direction)
        if "message_id" in given:
            values["message_id"] = ""
        return direction.goes(house, direction.kind(**values))


def _linked(house: House, direction: Direction) -> str:
    """The id of a message that the one sent may answer."""
    if direction.kind is DeliverReq:
        return _sent(house)[1]
    mo = DeliverReq(sender=Number("+64211"), to=(ShortCode("111122"),), linked_id="far-mo", parts=(TEXT,))
    house.ask(mo, "far", "mo")
    house.gateway.run_pending()
    brought: Any = _last(house.own, DeliverReq)
    return str(brought.linked_id)


def _shown(plain: str, shown: str, value: object) -> str:
    texts = [one.value if isinstance(one, Number | ShortCode) else one for one in _flat(value)]
    marks = [one for one in texts if isinstance(one, str) and one]
    if marks:
        return "yes" if all(one in shown for one in marks) else "no"
    return "yes" if _masked(plain) != _masked(shown) else "no"


def _masked(shown: str) -> str:
    return re.sub(r"[0-9a-f]{32}|\d+\.\d+|asked|first", "*", shown)


def _flat(value: object) -> Iterator[object]:
    if isinstance(value, tuple):
        for one in value:
            yield from _flat(one)
    else:
        yield value


def _passed(arrived: Message | None, name: str, value: object) -> str:
    if arrived is None:
        return "no"
    if not hasattr(arrived, name):
        return "no place"
    got = getattr(arrived, name)
    if got == value or (name == "parts" and [one.read() for one in got] == [one.read() for one in cast(Any, value)]):
        return "yes"
    return OURS.get(name, "no")


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
