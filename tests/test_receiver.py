"""The receiver answers what arrives, by handler or by fault, in the sender's own namespaces; it never raises."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from mm7zeep import exchange, mime, profiles
from mm7zeep.errors import LocalError, RemoteError, StatusError
from mm7zeep.exchange import Received, Wire
from mm7zeep.messages import (
    CancelReq,
    DeliverReq,
    DeliverRsp,
    DeliveryReportReq,
    ExtendedReplaceReq,
    ExtendedReplaceRsp,
    Fault,
    Message,
    Part,
    ReadReplyReq,
    RSErrorRsp,
    SubmitReq,
    SubmitRsp,
    VASPErrorRsp,
)
from mm7zeep.receiver import AnswerForm, Call, Endpoint, Receiver, mo_of
from mm7zeep.status import Status

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PICTURE = Part(body=b"GIF89a\r\n\x00\xff", content_type="image/gif", content_id="pic@x")
DELIVER = DeliverReq(sender="+61412345678", to="111122", subject="Hello", parts=[PICTURE])  # type: ignore[arg-type]
REPORT = DeliveryReportReq(
    message_id="m-1", recipient="+61412345678", sender="111122", date=NOON, mm_status="Retrieved"
)  # type: ignore[arg-type]
READ = ReadReplyReq(message_id="m-1", recipient="+61412345678", sender="111122", time_stamp=NOON, mm_status="Read")  # type: ignore[arg-type]
SUBMIT = SubmitReq(vaspid="TNN", vasid="News", sender_address="+61412345678", to="111122", parts=[PICTURE])  # type: ignore[arg-type]
REQUESTS: Mapping[str, Message] = {"deliver": DELIVER, "report": REPORT, "read": READ, "submit": SUBMIT}


def request(message: Message, *, transaction_id: str = "t-1", profile: str | None = None) -> Wire:
    """The request as it stands on the wire, its body in memory."""
    wire = exchange.pack(message, profile=profile, transaction_id=transaction_id)
    return replace(wire, body=wire.read())


def receiver(handler: Callable[..., object] = lambda message: None, **options: Any) -> Receiver:
    """A receiver that gives everything but submits to ``handler``."""
    made = Receiver(**options)
    made.on_deliver(handler)
    made.on_delivery_report(handler)
    made.on_read_reply(handler)
    return made


def read(answer: Wire) -> Received:
    """The answer as its receiver reads it, without tolerance."""
    return exchange.unpack(answer, policy="strict")


# --- by handler -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["deliver", "report", "read"])
def test_success(name: str) -> None:
    """A handler that gives nothing answers 1000 in the matching Rsp, with the request's TransactionID and HTTP 200."""
    seen: list[Message] = []
    answer = receiver(seen.append).answer(request(REQUESTS[name]))
    back = read(answer)
    assert answer.status == 200
    assert type(back.message).__name__ == type(REQUESTS[name]).__name__.replace("Req", "Rsp")
    assert getattr(back.message, "status") == Status(1000)  # noqa: B009  Message itself has none
    assert back.transaction_id == "t-1"
    assert [type(one) for one in seen] == [type(REQUESTS[name])]


def test_parts_arrive_untouched() -> None:
    """The parts come with the message, byte for byte."""
    seen: list[bytes] = []

    def handler(message: DeliverReq) -> None:
        seen.extend(part.read() for part in message.parts)

    receiver(handler).answer(request(DELIVER))
    assert seen == [PICTURE.body]


def plain(message: Message) -> None:
    """Takes the message only."""
    SEEN.append((message, None))


def both(message: Message, received: Received) -> None:
    """Takes the envelope around it, too."""
    SEEN.append((message, received))


def by_place(message: Message, other: Received) -> None:
    """Takes it under another name."""
    SEEN.append((message, other))


def by_name(message: Message, *, received: Received | None = None) -> None:
    """Takes it by name."""
    SEEN.append((message, received))


def called_so(received: Message) -> None:
    """Takes the message only, and calls it as others call what is around it."""
    SEEN.append((received, None))


def with_default(message: Message, database: str = "own") -> None:
    """Has a second parameter of its own."""
    SEEN.append((message, None if database == "own" else database))


SEEN: list[tuple[Message, object]] = []


@pytest.mark.parametrize(
    ("handler", "wanted"),
    [(plain, False), (both, True), (by_place, True), (by_name, True), (called_so, False), (with_default, False)],
)
def test_received_is_given_where_taken(handler: Callable[..., object], wanted: bool) -> None:
    """``Received`` goes to a second parameter without default, or one called so, and to nothing else."""
    SEEN.clear()
    receiver(handler).answer(request(DELIVER))
    [(message, received)] = SEEN
    assert isinstance(message, DeliverReq)
    assert isinstance(received, Received) is wanted
    assert received is None or received.message is message


RESULTS: list[tuple[Message, object, type[Message], int, str | None]] = [
    (DELIVER, None, DeliverRsp, 1000, None),
    (DELIVER, Status(2004), DeliverRsp, 2004, None),
    (DELIVER, DeliverRsp(service_code="s"), DeliverRsp, 1000, None),
    (SUBMIT, "id-7", SubmitRsp, 1000, "id-7"),
    (SUBMIT, SubmitRsp(message_id="id-8", status=Status(1100)), SubmitRsp, 1100, "id-8"),
    (SUBMIT, Status(2002), SubmitRsp, 2002, ""),
    (DELIVER, "id-9", Fault, 3000, None),
    (DELIVER, SubmitRsp(message_id="id-10"), Fault, 3000, None),
    (DELIVER, True, Fault, 3000, None),
]


@pytest.mark.parametrize(("message", "result", "kind", "code", "message_id"), RESULTS)
def test_result(message: Message, result: object, kind: type[Message], code: int, message_id: str | None) -> None:
    """A handler's result is an answer of its operation, a Status, a submit's MessageID, or a bug that answers 3000."""
    made = receiver(lambda message: result)
    made.on_submit(lambda message: result)
    back = read(made.answer(request(message))).message
    assert type(back) is kind
    assert back.status.code == code  # type: ignore[attr-defined]
    assert getattr(back, "message_id", None) in (message_id, None if message_id == "" else message_id)


def test_accepted_submit_has_a_message_id() -> None:
    """A submit handler that gives nothing still answers with a MessageID, a fresh one each time."""
    made = Receiver()
    made.on_submit(lambda message: None)
    ids = {getattr(read(made.answer(request(SUBMIT))).message, "message_id", None) for _ in range(3)}
    assert len(ids) == 3
    assert all(one and len(one) == 32 for one in ids)


def raising(error: Exception) -> Callable[[Message], None]:
    """A handler that raises."""

    def handler(message: Message) -> None:
        raise error

    return handler


def test_status_error_is_the_answer() -> None:
    """A handler's StatusError answers with that status in the matching Rsp, and HTTP 200."""
    answer = receiver(raising(StatusError(2002, "no such subscriber"))).answer(request(REPORT))
    assert answer.status == 200
    assert getattr(read(answer).message, "status", None) == Status(2002, "no such subscriber")


ACCIDENTS = [
    ValueError("+61412345678 is odd"),
    RemoteError("somebody else's malformed answer", status=2007),
    StatusError(2002, answer=SubmitRsp(status=Status(2002))),
    KeyError("x"),
]


@pytest.mark.parametrize("error", ACCIDENTS, ids=lambda error: type(error).__name__)
def test_accident_in_a_handler(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Any other exception, and what a handler's own client raised, answers a Server fault with 3000 and is logged."""
    with caplog.at_level(logging.INFO, "mm7zeep.receiver"):
        answer = receiver(raising(error)).answer(request(DELIVER))
    fault = read(answer).message
    assert answer.status == 500
    assert isinstance(fault, Fault)
    assert (fault.fault_code, fault.status.code, fault.status.details) == ("Server", 3000, None)
    assert isinstance(fault.error, VASPErrorRsp)
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert record.getMessage() == "answering DeliverReq failed"


def test_handler_registered_twice() -> None:
    """A second function for the same operation is a mistake and says so."""
    with pytest.raises(ValueError, match="DeliverReq already"):
        receiver().on_deliver(lambda message: None)


UNFIT: dict[str, Any] = {
    "nothing": lambda: None,
    "three": lambda message, received, more: None,
    "by name": lambda *, message: None,
    "another name": lambda message, *, wire: None,
    "no function": "deliver",
    "a type": 5,
}


@pytest.mark.parametrize("function", UNFIT.values(), ids=UNFIT)
def test_function_that_cannot_take_a_message(function: Any) -> None:
    """What could never be called is refused when it is registered, not by the first message."""
    made = Receiver()
    with pytest.raises(LocalError, match="takes the"):
        made.on_deliver(function)
    assert made.handlers == {}


FIT: dict[str, Any] = {
    "message": lambda message: None,
    "both": lambda message, received: None,
    "by name": lambda message, *, received: None,
    "default": lambda message, received=None: None,
    "further default": lambda message, depth=3: None,
    "all": lambda *all: None,
    "all by name": lambda message, **more: None,
    "builtin": [].append,
}


@pytest.mark.parametrize("function", FIT.values(), ids=FIT)
def test_function_that_can_take_a_message(function: Any) -> None:
    """Whatever can be called with the message, or with the message and the Received, is."""
    made = Receiver()
    made.on_deliver(function)
    assert b">1000<" in made.answer(request(DELIVER)).read()


def test_decorator_gives_the_function_back() -> None:
    """The decorated function can still be called by its own name."""
    made = Receiver()
    assert made.on_deliver(plain) is plain


# --- asynchronous -----------------------------------------------------------------------------------------------------


def test_asynchronous_handler_from_blocking_code() -> None:
    """``answer`` runs an asynchronous handler to its end, and answers with what it raises."""

    async def handler(message: Message) -> None:
        await asyncio.sleep(0)
        raise StatusError(4007)

    assert read(receiver(handler).answer(request(DELIVER))).message.status.code == 4007  # type: ignore[attr-defined]


def test_handlers_in_a_running_loop() -> None:
    """``answer_async`` awaits an asynchronous handler in the loop, and runs a blocking one in a thread."""
    threads: dict[str, int] = {}

    async def awaited(message: Message) -> None:
        threads["awaited"] = threading.get_ident()

    def blocking(message: Message) -> None:
        threads["blocking"] = threading.get_ident()

    made = Receiver()
    made.on_deliver(awaited)
    made.on_delivery_report(blocking)

    async def main() -> list[int | None]:
        return [(await made.answer_async(request(one))).status for one in (DELIVER, REPORT)]

    assert asyncio.run(main()) == [200, 200]
    assert threads["awaited"] == threading.get_ident()
    assert threads["blocking"] != threading.get_ident()


# --- an MO as SubmitReq -----------------------------------------------------------------------------------------------


def test_submit_as_deliver() -> None:
    """With such a profile a SubmitReq reaches the deliver function as DeliverReq, and is answered by a SubmitRsp."""
    seen: list[tuple[DeliverReq, Received]] = []
    made = receiver(lambda message, received: seen.append((message, received)), profile="fibernetics")
    back = read(made.answer(request(SUBMIT))).message
    [(message, received)] = seen
    assert isinstance(back, SubmitRsp)
    assert back.status.ok
    assert back.message_id
    assert isinstance(message, DeliverReq)
    assert (message.sender, message.to, message.vaspid) == (SUBMIT.sender_address, SUBMIT.to, "TNN")
    assert [part.read() for part in message.parts] == [PICTURE.body]
    assert received.message is message
    assert [one.id for one in received.findings] == ["sem/mo-as-submit"]


def test_submit_as_deliver_is_refused_as_a_submit() -> None:
    """A StatusError of the deliver function answers such a message by SubmitRsp."""
    made = receiver(raising(StatusError(2004)), profile="fibernetics")
    back = read(made.answer(request(SUBMIT))).message
    assert isinstance(back, SubmitRsp)
    assert back.status.code == 2004


def test_own_submit_function_wins() -> None:
    """A function for submits gets the SubmitReq itself, also with such a profile."""
    seen: list[Message] = []
    made = receiver(profile="fibernetics")
    made.on_submit(seen.append)
    made.answer(request(SUBMIT))
    assert [type(one) for one in seen] == [SubmitReq]


def test_mo_keeps_what_both_have() -> None:
    """All fields that both messages have are kept."""
    given = replace(SUBMIT, subject="s", linked_id="l", priority="High", cc=("+1",), time_stamp=NOON)  # type: ignore[arg-type]
    mo = mo_of(given)
    assert (mo.subject, mo.linked_id, mo.priority, mo.cc, mo.time_stamp) == ("s", "l", "High", given.cc, NOON)


# --- refused ----------------------------------------------------------------------------------------------------------

XML = (("Content-Type", "text/xml"),)
ENVELOPE = request(replace(DELIVER, parts=()), profile="REL-5-MM7-1-2").read()
assert isinstance(ENVELOPE, bytes)
SOAP_12 = b"http://www.w3.org/2003/05/soap-envelope"
REFUSED: dict[str, tuple[bytes, str, int, str]] = {
    "nothing": (b"", "Client", 2007, "0"),
    "blank": (b" \r\n", "Client", 2007, "0"),
    "no XML": (b"hello", "Client", 2007, "0"),
    "cut short": (ENVELOPE[:-20], "Client", 2007, "t-1"),
    "broken behind its Header": (ENVELOPE.replace(b"<mm7:Subject>", b"<mm7:Subject>R&D"), "Client", 2007, "t-1"),
    "a prefix without namespace": (ENVELOPE.replace(b"<mm7:Subject>", b"<x:y/><mm7:Subject>"), "Client", 2007, "t-1"),
    "cut in its Header": (ENVELOPE[: ENVELOPE.index(b"</soap-env:Header")], "Client", 2007, "0"),
    "broken in its Header": (ENVELOPE.replace(b"<soap-env:Header>", b"<soap-env:Header>&"), "Client", 2007, "0"),
    "two ids and broken": (
        ENVELOPE.replace(b"</soap-env:Header>", b"<TransactionID>t-2</TransactionID></soap-env:Header>")[:-20],
        "Client",
        2007,
        "0",
    ),
    "a TransactionID outside the Header": (
        ENVELOPE.replace(b"soap-env:Header>", b"soap-env:Head>")[:-20],
        "Client",
        2007,
        "0",
    ),
    "another root, and broken": (ENVELOPE.replace(b"soap-env:Envelope", b"soap-env:E")[:-20], "Client", 2007, "0"),
    "too deep": (
        ENVELOPE.replace(b"<mm7:Subject>", b"<x>" * 70 + b"</x>" * 70 + b"<mm7:Subject>"),
        "Client",
        2007,
        "t-1",
    ),
    "another document": (b"<html/>", "Client", 4004, "0"),
    "DOCTYPE": (b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + ENVELOPE[ENVELOPE.index(b"<soap") :], "Client", 4004, "0"),
    "another operation": (ENVELOPE.replace(b"DeliverReq", b"QueryReq"), "Client", 4003, "t-1"),
    "an answer": (exchange.pack(DeliverRsp(), transaction_id="t-1").read(), "Client", 4003, "t-1"),
    "not served": (exchange.pack(replace(SUBMIT, parts=()), transaction_id="t-1").read(), "Client", 4003, "t-1"),
    "SOAP 1.2": (ENVELOPE.replace(profiles.SOAP_NAMESPACE.encode(), SOAP_12), "VersionMismatch", 4004, "t-1"),
}


@pytest.mark.parametrize("schema", [one.schema for one in profiles.NAMESPACES.values()])
def test_broken_request_is_answered_in_its_namespace(schema: str) -> None:
    """A fault for what breaks behind its Header is in the namespace of its TransactionID, which is echoed as it is."""
    body = exchange.pack(CancelReq(message_id="m"), profile=schema, transaction_id="t-1").read()
    for told in (b"t-1", b"no token: 1"):
        text = body.replace(b">t-1<", b">" + told + b"<").replace(b"</mm7:CancelReq>", b"")
        back = exchange.unpack(receiver(raising(AssertionError("called"))).answer(Wire(headers=XML, body=text)))
        assert (back.namespace, back.transaction_id) == (profiles.NAMESPACE_PREFIX + schema, told.decode())


@pytest.mark.parametrize(("body", "code", "status", "transaction_id"), REFUSED.values(), ids=REFUSED)
def test_refusal(body: bytes, code: str, status: int, transaction_id: str) -> None:
    """What cannot be read or is not served answers a fault: HTTP 500, VASPErrorRsp, the TransactionID or else 0."""
    answer = receiver(raising(AssertionError("called"))).answer(Wire(headers=XML, body=body))
    back = read(answer)
    assert answer.status == 500
    assert isinstance(back.message, Fault)
    assert isinstance(back.message.error, VASPErrorRsp)
    assert (back.message.fault_code, back.message.status.code, back.transaction_id) == (code, status, transaction_id)
    assert back.message.status.details


def test_refusal_says_why() -> None:
    """The Details of a refusal are words for a person."""
    answer = Receiver().answer(Wire(headers=XML, body=ENVELOPE))
    assert b"DeliverReq is not served here" in answer.read()


def test_content_that_never_came() -> None:
    """A Content whose part is missing is refused with 2004, not delivered without it."""
    body = ENVELOPE.replace(b"</mm7:DeliverReq>", b'<mm7:Content href="cid:x"/></mm7:DeliverReq>')
    fault = read(receiver(raising(AssertionError("called"))).answer(Wire(headers=XML, body=body))).message
    assert isinstance(fault, Fault)
    assert fault.status.code == 2004


def test_policy_is_obeyed() -> None:
    """The strict receiver refuses what the default one repairs."""
    wire = Wire(headers=XML, body=ENVELOPE.replace(b">5.3.0<", b">5.9.9<"))
    assert receiver().answer(wire).status == 200
    assert receiver(policy="strict").answer(wire).status == 500


def test_fault_in_the_receivers_namespace() -> None:
    """Where the request shows no namespace, the fault is in that of the receiver's profile."""
    back = exchange.unpack(receiver(profile="REL-5-MM7-1-2").answer(Wire(headers=XML, body=b"")))
    assert back.namespace == profiles.REL_5_MM7_1_2.namespace


def test_headers_without_secrets() -> None:
    """A handler sees the HTTP fields, but no credentials."""
    seen: list[Received] = []
    secret = (("Authorization", "Basic YTpi"), ("Cookie", "c"), ("Proxy-Authorization", "p"))
    wire = request(DELIVER)
    routed = (*wire.headers, *secret, ("X-Carrier", "5"))
    receiver(lambda message, received: seen.append(received)).answer(replace(wire, headers=routed))
    names = {name for name, _ in seen[0].headers}
    assert "X-Carrier" in names
    assert not names & {name for name, _ in secret}


# --- in kind ----------------------------------------------------------------------------------------------------------

NAMESPACES = [one.schema for one in profiles.NAMESPACES.values()]


def namespaces(body: bytes) -> tuple[str | None, str | None, str | None]:
    """The namespaces of the envelope, the TransactionID and the message."""
    root = etree.fromstring(body)
    transaction, message = root[0][0], root[1][0]
    if etree.QName(message).localname == "Fault":
        message = next(one for one in message.iter() if etree.QName(one).localname == "VASPErrorRsp")
    return tuple(etree.QName(one).namespace for one in (root, transaction, message))  # type: ignore[return-value]


SPELLED = {"http": (b"", b""), "https": (b"http://", b"https://"), "no slash": (b"/soap/envelope/", b"/soap/envelope")}


@pytest.mark.parametrize("spelled", SPELLED)
@pytest.mark.parametrize("how", ["answered", "not served", "not read"])
@pytest.mark.parametrize("schema", NAMESPACES)
def test_answer_mirrors_namespace_and_version(schema: str, how: str, spelled: str) -> None:
    """Answers and faults are in the namespaces and version that the request wrote, also where it wrote an alias."""
    version = profiles.profile(schema).versions[0]
    report = replace(REPORT, mm7_version=version, recipient="61412345678")  # type: ignore[arg-type]  1-0 has no "+"
    sent = request(report, profile=schema).read()
    if spelled != "http":
        sent = sent.replace(*SPELLED[spelled])
    if how == "not read":
        sent = sent.replace(b"DeliveryReportReq", b"QueryReq")
    answer = (Receiver() if how == "not served" else receiver()).answer(Wire(headers=XML, body=sent))
    assert answer.status == (200 if how == "answered" else 500)
    assert namespaces(answer.read()) == namespaces(sent)
    assert f">{version}<".encode() in answer.read()


@pytest.mark.parametrize("prefix", [b"mm7", b"x", b"soap-env", b"ns0", b"ns1"])
def test_answer_mirrors_the_prefix(prefix: bytes) -> None:
    """The answer can be written with whatever prefix the request used."""
    body = ENVELOPE
    for before, after in ((b"soap-env", b"s"), (b"mm7", prefix)):
        for form in (b"<%s:", b"</%s:", b"xmlns:%s=", b" %s:must"):
            body = body.replace(form % before, form % after)
    assert b"<%s:DeliverReq" % prefix in body
    answer = receiver().answer(Wire(headers=XML, body=body))
    assert answer.status == 200
    assert read(answer).message.status.ok  # type: ignore[attr-defined]


def test_answer_without_a_form_in_the_namespace(caplog: pytest.LogCaptureFixture) -> None:
    """What the namespace has no place for answers a fault in that namespace, and is logged."""
    status = Status(1000, details="<a/>")
    made = receiver(lambda message: DeliverRsp(service_code="s" * 10, status=status, mm7_version="9.9.9"))
    with caplog.at_level(logging.ERROR, "mm7zeep.receiver"):
        back = read(made.answer(request(DELIVER, profile="REL-5-MM7-1-2")))
    assert isinstance(back.message, Fault)
    assert (back.message.status.code, back.namespace) == (3000, profiles.REL_5_MM7_1_2.namespace)
    [record] = caplog.records
    assert record.getMessage() == ("DeliverRsp cannot be written: schema/valid at /Envelope/Body/DeliverRsp/MM7Version")


def test_transaction_id_is_repeated_as_it_came() -> None:
    """A TransactionID that REL-5-MM7-1-0 forbids, as some MMSCs write it, is answered under that very TransactionID."""
    report = replace(REPORT, recipient="61412345678")  # type: ignore[arg-type]
    sent = request(report, profile="REL-5-MM7-1-0").read()
    sent = sent.replace(b">t-1<", b' soap-env:mustUnderstand="1">qf9.1@mmsc<').replace(b">614", b">+614")
    for made, status in ((receiver(), 200), (Receiver(), 500)):
        answer = made.answer(Wire(headers=XML, body=sent))
        assert answer.status == status
        assert exchange.examine(answer).sketch.transaction_id == "qf9.1@mmsc"
        assert namespaces(answer.read()) == namespaces(sent)


def test_extended_operation_is_refused_in_form() -> None:
    """An extendedReplaceRsp has a MessageID even where nothing was replaced."""
    endpoint = Endpoint({ExtendedReplaceReq: lambda call: Status(2005)}, error=RSErrorRsp)
    for asked, named in (("r", "r"), (None, "0")):
        wire = request(ExtendedReplaceReq(vaspid="TNN", replace_id=asked), profile="REL-6-MM7-1-4")
        back = read(endpoint.answer(wire)).message
        assert isinstance(back, ExtendedReplaceRsp)
        assert (back.status.code, back.message_id) == (2005, named)


def test_faults_of_the_relay() -> None:
    """An endpoint of the MMSC writes RSErrorRsp, and refuses by fault for those who are to be refused so."""

    def handler(call: Call) -> None:
        raise StatusError(4001)

    for wanted, kind in (("fault", Fault), ("mixed", SubmitRsp), ("response", SubmitRsp)):
        endpoint = Endpoint(
            {SubmitReq: handler}, error=RSErrorRsp, answers=lambda user, wanted=wanted: AnswerForm(refusals=wanted)
        )  # type: ignore[misc]
        back = read(endpoint.answer(request(SUBMIT))).message
        assert isinstance(back, kind)
        assert back.status.code == 4001
        assert not isinstance(back, Fault) or isinstance(back.error, RSErrorRsp)


# --- whatever comes ---------------------------------------------------------------------------------------------------

SAMPLE = request(DELIVER)
SAMPLE_BODY = SAMPLE.read()
SERVED = receiver()
LENIENT = receiver(policy="lenient")
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def judged(answer: Wire) -> None:
    """An answer is a Rsp or a fault, or plain HTTP."""
    assert answer.status in {200, 400, 405, 413, 415, 431, 500}
    assert answer.read()
    if answer.status in (200, 500):
        assert exchange.unpack(answer).message.status.code >= 1000  # type: ignore[attr-defined]


@quick
@given(
    body=st.binary(max_size=300),
    head=st.lists(
        st.tuples(st.sampled_from(["Content-Type", "X", "Content-Length"]), st.text(max_size=40)), max_size=3
    ),
)
def test_any_bytes_are_answered(body: bytes, head: list[tuple[str, str]]) -> None:
    """Whatever octets and fields arrive, there is an answer."""
    judged(SERVED.answer(Wire(method="POST", headers=tuple(head), body=body)))


@quick
@given(
    at=st.integers(0, len(SAMPLE_BODY)),
    cut=st.integers(0, 40),
    put=st.one_of(
        st.binary(max_size=20), st.sampled_from([b"<", b">", b"&amp;", b"</", b"--", b"\r\n", b"https", b"mm7:", b"\0"])
    ),
)
def test_any_mutation_is_answered(at: int, cut: int, put: bytes) -> None:
    """A real request with octets taken out and put in is answered, under every tolerance."""
    body = SAMPLE_BODY[:at] + put + SAMPLE_BODY[at + cut :]
    judged(SERVED.answer(replace(SAMPLE, body=body)))
    judged(LENIENT.answer(replace(SAMPLE, body=body)))


CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"


def capture(file: Path) -> Wire:
    """A capture as a request: its fields (but the length, which editing made untrue) and its body."""
    if file.suffix == ".xml":
        return Wire(headers=XML, body=file.read_bytes())
    head, _, body = file.read_bytes().partition(b"\r\n\r\n")
    lines = head.decode("latin-1").replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")[1:]
    fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Wire(method="POST", headers=tuple(one for one in fields if one[0].lower() != "content-length"), body=body)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="needs the captures beside the repository")
def test_captures_are_answered() -> None:
    """Every capture is answered, none of them by an accident of ours."""
    made = receiver()
    made.on_submit(lambda message: None)
    files = sorted([*CORPUS.glob("*.http"), *CORPUS.glob("*.xml")])
    answers = {one.name: exchange.examine(made.answer(capture(one))) for one in files}
    codes = {name: judgement.sketch.values["status_code"] for name, judgement in answers.items()}
    assert {name for name, code in codes.items() if code in (None, 3000)} == set()
    assert list(codes.values()).count(1000) >= 15


def test_limits_are_those_of_the_reader() -> None:
    """More parts than allowed is a fault with 2007: an MM7 answer is still possible."""
    wire = request(replace(DELIVER, parts=tuple(replace(PICTURE, content_id=f"p{n}@x") for n in range(5))))
    fault = read(receiver(limits=mime.Limits(parts=3)).answer(wire)).message
    assert isinstance(fault, Fault)
    assert fault.status.code == 2007
