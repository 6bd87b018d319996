"""The relay in one process: what it accepts and refuses, what its network does, and that both sides find each other."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from mm7zeep import exchange
from mm7zeep.client import VaspClient
from mm7zeep.errors import AuthError, StatusError, TransportError
from mm7zeep.exchange import Received, Wire
from mm7zeep.gateway.accounts import Application, Callback
from mm7zeep.gateway.app import Event, Mmsc
from mm7zeep.gateway.handset import Handset, handset_of
from mm7zeep.gateway.serving import serve_in_thread
from mm7zeep.gateway.stored import Stored
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
    RsRequest,
    ShortCode,
    SubmitReq,
)
from mm7zeep.receiver import BasicAuth, Receiver

TNN = Application(name="tnn", password="t", vaspid="TNN", vasids=("News", "Sport"), short_codes=("111122",))
OTHER = Application(name="other", password="o", vaspid="OTH", callback=Callback(deliver="http://other/mo"))
CALLED = replace(TNN, callback=Callback(deliver="http://tnn/mo", report="http://tnn/dlr"))
TEXT = Part(body=b"hello", content_type="text/plain", content_id="t@x")
SUBMIT = SubmitReq(vaspid="TNN", vasid="News", to=["+61400", "+61411"], subject="s", parts=[TEXT])  # type: ignore[arg-type]
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASIC = {"tnn": "Basic dG5uOnQ=", "other": "Basic b3RoZXI6bw=="}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


class Calls:
    """A seam that keeps what it is given, and may refuse it."""

    def __init__(self) -> None:
        self.made: list[tuple[str, RsRequest]] = []
        self.refuse: Exception | None = None

    def __call__(self, url: str, message: RsRequest) -> None:
        self.made.append((url, message))
        if self.refuse is not None:
            raise self.refuse


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def calls() -> Calls:
    """A seam that keeps what it is given."""
    return Calls()


@pytest.fixture
def relay(clock: Clock, calls: Calls) -> Callable[..., Mmsc]:
    """Makes a relay on the standing clock and the keeping seam."""

    def make(*applications: Application, **options: Any) -> Mmsc:
        return Mmsc(applications or (CALLED, OTHER), deliver=calls, clock=clock, **options)

    return make


def ask(mmsc: Mmsc, message: Message, user: str = "tnn", **options: Any) -> Received:
    """The relay's answer to a request, as its sender reads it."""
    wire = exchange.pack(message, **options)
    answer = mmsc.answer(replace(wire, headers=(*wire.headers, ("Authorization", BASIC[user]))))
    return exchange.unpack(answer, policy="strict")


def code(mmsc: Mmsc, message: Message, user: str = "tnn", **options: Any) -> int:
    """The status that the relay answers with."""
    status: int = ask(mmsc, message, user, **options).message.status.code  # type: ignore[attr-defined]
    return status


def submitted(mmsc: Mmsc, message: SubmitReq = SUBMIT, user: str = "tnn") -> str:
    """The MessageID of an accepted submit."""
    answer = ask(mmsc, message, user).message
    assert answer.status.code == 1000  # type: ignore[attr-defined]
    message_id: str = answer.message_id  # type: ignore[attr-defined]
    return message_id


# --- submit -----------------------------------------------------------------------------------------------------------


def test_submit_is_kept(relay: Callable[..., Mmsc]) -> None:
    """An accepted message is held with its parts, under an id of 128 random bits."""
    mmsc = relay()
    ids = [submitted(mmsc), submitted(mmsc)]
    assert [one.message_id for one in mmsc.messages] == ids
    assert [len(bytes.fromhex(one)) for one in ids] == [16, 16]
    assert ids[0] != ids[1]
    [part] = [one for one in mmsc.messages[0].request.parts if one.content_type == "text/plain"]
    assert part.read() == b"hello"


SHOWN = SubmitReq(vaspid="TNN", vasid="News", to=[Number("+1", display_only=True)])  # type: ignore[arg-type]
REFUSED: dict[str, tuple[Message, int]] = {
    "another's VASPID": (replace(SUBMIT, vaspid="OTH"), 4001),
    "no VASPID": (replace(SUBMIT, vaspid=None), 4001),
    "another VASID": (replace(SUBMIT, vasid="Weather"), 4001),
    "no recipient that is served": (SHOWN, 2002),
    "cancel of nothing": (CancelReq(vaspid="TNN", vasid="News", message_id="x"), 2005),
    "cancel as another": (CancelReq(vaspid="OTH", message_id="x"), 4001),
    "replace of nothing": (ReplaceReq(vaspid="TNN", vasid="News", message_id="x"), 2005),
    "extended cancel of nothing": (ExtendedCancelReq(vaspid="TNN", vasid="News", cancel_id="x"), 2005),
    "extended replace of nothing": (ExtendedReplaceReq(vaspid="TNN", vasid="News"), 2005),
    "a VASP's operation": (DeliverReq(sender="+1"), 4003),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("message", "status"), REFUSED.values(), ids=REFUSED)
def test_refused(message: Message, status: int, relay: Callable[..., Mmsc]) -> None:
    """What is wrong is refused by a fault with RSErrorRsp, and nothing is kept or planned."""
    mmsc = relay()
    back = ask(mmsc, message, transaction_id="t-9")
    assert isinstance(back.message, Fault)
    assert isinstance(back.message.error, RSErrorRsp)
    assert (back.message.status.code, back.transaction_id) == (status, "t-9")
    assert mmsc.messages == ()
    assert mmsc.run_pending() == []


def test_refused_by_response(relay: Callable[..., Mmsc]) -> None:
    """An application whose profile wants no faults is refused by the matching Rsp."""
    mmsc = relay(replace(TNN, profile=replace(TNN.served, fault_refusals=False)))
    back = ask(mmsc, replace(SUBMIT, vaspid="X"))
    assert (back.operation, back.message.status.code) == ("SubmitRsp", 4001)  # type: ignore[attr-defined]


@pytest.mark.parametrize("profile", ["optus", "sinch"])
def test_one_recipient(profile: str, relay: Callable[..., Mmsc]) -> None:
    """A profile that takes one recipient answers two of them with 3003."""
    mmsc = relay(replace(TNN, profile=profile))
    assert code(mmsc, SUBMIT) == 3003
    assert code(mmsc, replace(SUBMIT, to=("+61400",))) == 1000  # type: ignore[arg-type]


def test_content_too_large(relay: Callable[..., Mmsc]) -> None:
    """More content than the profile takes is refused with 2004."""
    mmsc = relay(replace(TNN, profile="vibes-6.8"))
    assert code(mmsc, replace(SUBMIT, parts=(replace(TEXT, body=b"x" * 1_000_001),))) == 2004


@pytest.mark.parametrize("field", [None, "Basic dG5uOng=", "Basic eDp0"])
def test_credentials(field: str | None, relay: Callable[..., Mmsc]) -> None:
    """Without the right credentials nothing is even read."""
    wire = exchange.pack(SUBMIT)
    given = () if field is None else (("Authorization", field),)
    assert relay().answer(replace(wire, headers=(*wire.headers, *given))).status == 401


def test_memory_is_bounded(relay: Callable[..., Mmsc]) -> None:
    """Finished messages make room, the oldest first; where all still wait, a submit is refused with 4006."""
    mmsc = relay(kept=2)
    ids = [submitted(mmsc), submitted(mmsc)]
    assert code(mmsc, SUBMIT) == 4006
    mmsc.run_pending()
    ids.append(submitted(mmsc))
    assert [one.message_id for one in mmsc.messages] == ids[1:]
    small = relay(octets=9)
    submitted(small, replace(SUBMIT, to=("+61400",), parts=()))  # type: ignore[arg-type]
    assert code(small, replace(SUBMIT, parts=(replace(TEXT, body=b"x" * 10),))) == 4006


def test_replacing_is_bounded_too(relay: Callable[..., Mmsc]) -> None:
    """New content makes room as a submit does, and is refused with 4006 where there is none."""
    mmsc = relay(octets=9)
    first = submitted(mmsc)
    larger = ReplaceReq(vaspid="TNN", vasid="News", message_id=first, parts=(replace(TEXT, body=b"x" * 9),))
    assert code(mmsc, larger) == 1000
    too_large = replace(larger, parts=(replace(TEXT, body=b"x" * 10),))
    assert code(mmsc, too_large) == 4006
    assert mmsc.messages[0].size == 9


def test_cancelled_is_let_go_of(relay: Callable[..., Mmsc]) -> None:
    """A cancelled message is not held by a plan for next year once it has made room for others."""
    mmsc = relay(kept=1)
    later = replace(SUBMIT, earliest_delivery_time=timedelta(days=365))
    ids = []
    for _ in range(3):
        ids.append(submitted(mmsc, later))
        assert code(mmsc, CancelReq(vaspid="TNN", vasid="News", message_id=ids[-1])) == 1000
    ids.append(submitted(mmsc))
    gc.collect()
    assert [one.message_id for one in gc.get_objects() if isinstance(one, Stored) and one.message_id in ids] == ids[3:]


def test_names_are_unique() -> None:
    """Two applications of one name cannot be told apart, and are refused at once, as is an unknown profile."""
    with pytest.raises(ValueError, match="same name"):
        Mmsc([TNN, TNN])
    with pytest.raises(ValueError, match="no profile"):
        Mmsc([replace(TNN, profile="nobody")])


def test_secrets_do_not_show() -> None:
    """Passwords stay out of the representation of what holds them."""
    callback = Callback(deliver="http://x", username="u", password="hunter2")
    assert "hunter2" not in repr(replace(TNN, password="hunter2", callback=callback))


# --- the network ------------------------------------------------------------------------------------------------------


def test_reports_per_recipient(relay: Callable[..., Mmsc], calls: Calls) -> None:
    """Each recipient retrieves a copy; each gets a report and a read reply, where they were asked for."""
    mmsc = relay()
    message_id = submitted(mmsc, replace(SUBMIT, delivery_report=True, read_reply=True))
    events = mmsc.run_pending()
    assert sorted((one.kind, str(one.recipient)) for one in events) == [
        (kind, number) for kind in ("handset", "read", "report") for number in ("+61400", "+61411")
    ]
    assert {one.message_id for one in events} == {message_id}
    assert {one.error for one in events} == {None}
    assert {url for url, _ in calls.made} == {"http://tnn/dlr"}
    reports = [one for _, one in calls.made if isinstance(one, DeliveryReportReq)]
    assert [(str(one.recipient), one.mm_status, one.date) for one in reports] == [
        ("+61400", "Retrieved", START),
        ("+61411", "Retrieved", START),
    ]
    assert {one.sender for one in reports} == {ShortCode("111122")}
    reads = [one for _, one in calls.made if isinstance(one, ReadReplyReq)]
    assert [(one.message_id, one.mm_status) for one in reads] == [(message_id, "Read")] * 2
    [stored] = mmsc.messages
    assert all(copy.parts == stored.request.parts for copy in stored.copies)


def test_nothing_asked_nothing_sent(relay: Callable[..., Mmsc], calls: Calls) -> None:
    """Without a wish for reports, or without a callback, the VASP is left alone."""
    mmsc = relay()
    submitted(mmsc)
    assert {one.kind for one in mmsc.run_pending()} == {"handset"}
    mute = relay(TNN)
    submitted(mute, replace(SUBMIT, delivery_report=True))
    assert {one.kind for one in mute.run_pending()} == {"handset"}
    assert calls.made == []


@pytest.mark.parametrize("outcome", ["Expired", "Rejected", "Indeterminate", "Forwarded", "Deferred", "Unrecognised"])
def test_outcomes(outcome: Any, relay: Callable[..., Mmsc], calls: Calls) -> None:
    """What the handset does is what the report says, and nothing but a retrieved message is read."""
    mmsc = relay(handsets=[Handset(prefix="+6140", outcome=outcome)])
    submitted(mmsc, replace(SUBMIT, to=("+61400",), delivery_report=True, read_reply=True))  # type: ignore[arg-type]
    mmsc.run_pending()
    [(_, report)] = calls.made
    assert isinstance(report, DeliveryReportReq)
    assert report.mm_status == outcome
    assert mmsc.messages[0].copies[0].parts == ()


def test_first_handset_that_fits() -> None:
    """The first prefix that fits decides; a recipient without one retrieves and reads."""
    chain = [Handset(prefix="+614", read=False), Handset(prefix="+61400", outcome="Expired")]
    assert handset_of(Number("+61400"), chain) is chain[0]
    assert handset_of(Number("+49"), chain) == Handset()
    with pytest.raises(ValueError, match="negative"):
        Handset(delay=timedelta(seconds=-1))


def test_delay_and_earliest_time(relay: Callable[..., Mmsc], clock: Clock) -> None:
    """Nothing arrives before the handset's delay and the EarliestDeliveryTime have passed."""
    mmsc = relay(handsets=[Handset(delay=timedelta(seconds=5))])
    submitted(mmsc, replace(SUBMIT, to=("+61400",), earliest_delivery_time=timedelta(minutes=1)))  # type: ignore[arg-type]
    clock.move(seconds=59)
    assert mmsc.step() is None
    clock.move(seconds=1)
    assert isinstance(mmsc.step(), Event)
    assert mmsc.step() is None


@pytest.mark.parametrize("expiry", [timedelta(seconds=3), START + timedelta(seconds=3), START - timedelta(days=1)])
def test_expiry(expiry: Any, relay: Callable[..., Mmsc], clock: Clock, calls: Calls) -> None:
    """A message whose time is over before it arrives expires, and the report says so."""
    mmsc = relay(handsets=[Handset(delay=timedelta(seconds=5))])
    submitted(mmsc, replace(SUBMIT, to=("+61400",), expiry_date=expiry, delivery_report=True))  # type: ignore[arg-type]
    clock.move(seconds=3)
    mmsc.run_pending()
    assert [one.mm_status for _, one in calls.made if isinstance(one, DeliveryReportReq)] == ["Expired"]


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
def test_cancel(extended: bool, relay: Callable[..., Mmsc]) -> None:
    """A message that waits can be taken back, once; nothing of it arrives."""
    mmsc = relay()
    message_id = submitted(mmsc)
    assert code(mmsc, take_back(message_id, extended)) == 1000
    assert mmsc.run_pending() == []
    assert {copy.state for copy in mmsc.messages[0].copies} == {"Cancelled"}
    assert code(mmsc, take_back(message_id, extended)) == 3001


@pytest.mark.parametrize("extended", [False, True], ids=["plain", "extended"])
def test_too_late(extended: bool, relay: Callable[..., Mmsc]) -> None:
    """A message that was retrieved can neither be taken back nor replaced: 3001; one partly retrieved in part: 1100."""
    mmsc = relay()
    message_id = submitted(mmsc)
    mmsc.step()
    assert code(mmsc, put(message_id, extended, parts=[replace(TEXT, body=b"new")])) == 1100
    mmsc.run_pending()
    first, second = mmsc.messages[0].copies
    bodies = [[part.read() for part in copy.parts if part.content_type == "text/plain"] for copy in (first, second)]
    assert bodies == [[b"hello"], [b"new"]]
    assert code(mmsc, put(message_id, extended)) == 3001
    assert code(mmsc, take_back(message_id, extended)) == 3001


@pytest.mark.parametrize("extended", [False, True], ids=["plain", "extended"])
def test_replace(extended: bool, relay: Callable[..., Mmsc], clock: Clock) -> None:
    """What a replace names is changed, the rest stays; it arrives once, when the new plan says."""
    mmsc = relay()
    message_id = submitted(mmsc, replace(SUBMIT, to=("+61400",), delivery_report=False))  # type: ignore[arg-type]
    later = put(message_id, extended, read_reply=True, earliest_delivery_time=timedelta(hours=1))
    assert code(mmsc, later) == 1000
    assert mmsc.run_pending() == []
    clock.move(hours=1)
    assert [one.kind for one in mmsc.run_pending()] == ["handset", "read"]
    [stored] = mmsc.messages
    assert [part.read() for part in stored.copies[0].parts if part.content_type == "text/plain"] == [b"hello"]
    assert stored.request.subject == "s"


@pytest.mark.parametrize("extended", [False, True], ids=["plain", "extended"])
def test_others_messages_do_not_exist(extended: bool, relay: Callable[..., Mmsc]) -> None:
    """Another application's MessageID is answered as an unknown one: 2005."""
    mmsc = relay()
    theirs = submitted(mmsc, SubmitReq(vaspid="OTH", to="+1"), user="other")  # type: ignore[arg-type]
    assert code(mmsc, take_back(theirs, extended)) == 2005
    assert code(mmsc, put(theirs, extended)) == 2005
    assert mmsc.messages[0].copies[0].state == "Pending"


# --- calls back -------------------------------------------------------------------------------------------------------


def test_mo(relay: Callable[..., Mmsc], calls: Calls) -> None:
    """An MO goes to the deliver URL with its content; a short code is named as such."""
    mmsc = relay()
    planned = mmsc.send_mo("tnn", "+61400", "111122", "hi", ["text", Part(body=b"x")])
    assert calls.made == []
    [event] = mmsc.run_pending()
    [(url, message)] = calls.made
    assert (event.kind, event.state, event.error) == ("deliver", "Delivered", None)
    assert url == "http://tnn/mo"
    assert message is planned
    assert (planned.sender, planned.to, planned.subject) == (Number("+61400"), (ShortCode("111122"),), "hi")
    assert [part.read() for part in planned.parts] == [b"text", b"x"]
    assert planned.linked_id


def test_mo_to_nobody(relay: Callable[..., Mmsc]) -> None:
    """An MO needs an application that is known and listens."""
    with pytest.raises(KeyError):
        relay().send_mo("nobody", "+1", "+2")
    with pytest.raises(ValueError, match="no callback"):
        relay(TNN).send_mo("tnn", "+1", "+2")


@pytest.mark.parametrize("error", [StatusError(4006), TransportError("refused", maybe_accepted=False), OSError("odd")])
def test_failed_call_is_kept(error: Exception, relay: Callable[..., Mmsc], calls: Calls) -> None:
    """A call that was not accepted is kept with its reason told, and can be made again."""
    mmsc = relay()
    mmsc.send_mo("tnn", "+1", "+2")
    calls.refuse = error
    [event] = mmsc.run_pending()
    assert event.state == "Refused"
    assert event.error is not None
    assert type(error).__name__ in event.error
    assert len(mmsc.dead) == 1
    calls.refuse = None
    assert mmsc.replay() == 1
    assert [one.error for one in mmsc.run_pending()] == [None]
    assert len(mmsc.dead) == 0
    assert calls.made[0] == calls.made[1]


def test_profile_of_the_callback() -> None:
    """What is sent back is written in the callback's profile, else in the application's report schema and version."""
    optus = replace(CALLED, profile="optus")
    assert (optus.called.schema, optus.called.mm7_version) == ("REL-6-MM7-1-4", "5.3.0")
    assert CALLED.called == CALLED.served
    explicit = replace(optus, callback=Callback(deliver="http://x", profile="REL-5-MM7-1-2"))
    assert explicit.called.schema == "REL-5-MM7-1-2"


def test_both_sides_in_one_process(clock: Clock) -> None:
    """A relay whose seam is a receiver: the report and the MO arrive as the VASP reads them."""
    seen: list[Message] = []
    vasp = Receiver()
    for register in (vasp.on_deliver, vasp.on_delivery_report, vasp.on_read_reply):
        register(seen.append)

    def deliver(url: str, message: RsRequest) -> None:
        answer = exchange.unpack(vasp.answer(exchange.pack(message, profile="optus")))
        assert answer.message.status.ok  # type: ignore[attr-defined]

    mmsc = Mmsc([CALLED], deliver=deliver, clock=clock)
    message_id = submitted(mmsc, replace(SUBMIT, to=("+61400",), delivery_report=True))  # type: ignore[arg-type]
    mmsc.send_mo("tnn", "+61400", "111122", content="hi")
    assert {one.error for one in mmsc.run_pending()} == {None}
    mo, report = sorted(seen, key=lambda one: type(one).__name__)
    assert isinstance(mo, DeliverReq)
    assert isinstance(report, DeliveryReportReq)
    assert (report.message_id, report.mm_status) == (message_id, "Retrieved")
    assert [part.read() for part in mo.parts] == [b"hi"]


# --- on a socket ------------------------------------------------------------------------------------------------------


def test_over_http() -> None:
    """Client, relay and receiver on sockets: submit, report, read reply and MO, each with its credentials."""
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
        mmsc = Mmsc([replace(TNN, callback=callback)])
        with serve_in_thread(mmsc.asgi) as base, mmsc.working():
            with VaspClient(f"{base}/mm7", vaspid="TNN", vasid="News", auth=("tnn", "t")) as client:
                sent = client.submit(to="+61400", content="hello", delivery_report=True, read_reply=True)
                mmsc.send_mo("tnn", "+61400", "111122", "hi", "answer")
                assert [done.acquire(timeout=20) for _ in range(3)] == [True] * 3
                with pytest.raises(StatusError, match="3001"):
                    client.cancel(str(sent.message_id))
            with VaspClient(f"{base}/mm7", auth=("tnn", "wrong")) as stranger, pytest.raises(AuthError):
                stranger.submit(to="+61400", content="hello")
    assert {type(one).__name__ for one in seen} == {"DeliverReq", "DeliveryReportReq", "ReadReplyReq"}
    assert len(mmsc.dead) == 0


def test_wrong_callback_credentials() -> None:
    """A callback that refuses the credentials leaves the message among the dead."""
    vasp = Receiver(auth=BasicAuth({"relay": "secret"}))
    with serve_in_thread(vasp.asgi) as listener:
        mmsc = Mmsc([replace(TNN, callback=Callback(deliver=listener, username="relay", password="wrong"))])
        mmsc.send_mo("tnn", "+61400", "111122", "hi")
        [event] = mmsc.run_pending()
    assert event.error is not None
    assert event.error.startswith("AuthError")
    assert len(mmsc.dead) == 1


def test_only_at_mm7(relay: Callable[..., Mmsc]) -> None:
    """The listener answers at /mm7 and nowhere else."""

    async def main() -> list[int]:
        transport = httpx.ASGITransport(relay().asgi)
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


def test_observer_that_fails_ends_nothing(clock: Clock, calls: Calls, caplog: pytest.LogCaptureFixture) -> None:
    """What an observer raises is logged, and the rest of what is due is done."""

    def observe(event: Event) -> None:
        raise RuntimeError(event.kind)

    mmsc = Mmsc((CALLED,), deliver=calls, clock=clock, observe=observe)
    submitted(mmsc, replace(SUBMIT, delivery_report=True))
    assert [one.kind for one in mmsc.run_pending()] == ["handset", "handset", "report", "report"]
    assert len(calls.made) == 2
    assert caplog.text.count("the observer of a") == 4


def test_worker_ends(relay: Callable[..., Mmsc]) -> None:
    """The thread that works ends with its context, also while something is planned for later."""
    mmsc = relay(handsets=[Handset(delay=timedelta(hours=1))])
    with mmsc.working():
        submitted(mmsc)
    assert "mm7zeep-mmsc" not in {one.name for one in threading.enumerate()}
    assert mmsc.messages[0].copies[0].state == "Pending"


def test_answer_is_a_wire(relay: Callable[..., Mmsc]) -> None:
    """``answer`` serves any framework: a Wire with a status, also for nonsense."""
    answer = relay().answer(Wire(headers=(("Authorization", BASIC["tnn"]), ("Content-Type", "text/xml")), body=b"<x/>"))
    assert answer.status == 500
    assert isinstance(exchange.unpack(answer).message, Fault)
