"""Every operation of both clients and their async twins: a faultless request out, its answer in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from far_side import FarSide, echoing, proper, saying

from mm7zeep import samples
from mm7zeep.client import Accepted, AsyncMmscClient, AsyncVaspClient, MmscClient, VaspClient
from mm7zeep.errors import LocalError, StatusError, TransportError
from mm7zeep.messages import (
    CancelReq,
    DeliverReq,
    DeliveryReportReq,
    ExtendedCancelReq,
    ExtendedReplaceReq,
    Message,
    Number,
    Part,
    ReadReplyReq,
    ReplaceReq,
    RSErrorRsp,
    ShortCode,
    Status,
    SubmitReq,
    SubmitRsp,
)
from mm7zeep.profiles import CARRIERS, NAMESPACES, REL_6_MM7_1_4, profile

PNG = samples.saturn_png()
ZONED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=10)))

DELIVER = DeliverReq(sender="+491700", to="111122", subject="Grüße", parts=(Part(body=PNG, content_type="image/png"),))
REPORT = DeliveryReportReq(message_id="m-1", recipient="+491700", sender="111122", mm_status="Retrieved")
READ = ReadReplyReq(message_id="m-1", recipient="+491700", sender="111122", mm_status="Read", time_stamp=ZONED)

MESSAGE = SubmitReq(vaspid="TNN", to=("+491700",), parts=(Part(body=PNG, content_type="image/png"),))  # type: ignore[arg-type]

# an answer that names the message after its TransactionID
ECHO = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="{ns}"><e:Header>'
    '<TransactionID e:mustUnderstand="1">{tid}</TransactionID></e:Header><e:Body><SubmitRsp>'
    "<MM7Version>6.8.0</MM7Version><Status><StatusCode>1000</StatusCode><StatusText/></Status>"
    "<MessageID>{tid}</MessageID></SubmitRsp></e:Body></e:Envelope>"
).replace("{ns}", REL_6_MM7_1_4.namespace)

READY = ECHO.replace("<StatusCode>1000</StatusCode>", "")  # says nothing

# name: the call, the class and some fields of what must arrive, the MessageID that comes back
OPERATIONS: dict[str, tuple[str, Callable[[Any], Any], type[Message], dict[str, Any], str | None]] = {
    "submit": (
        "vasp",
        lambda c: c.submit(
            ["+491700", "a@b.example"],
            ["Grüße", PNG],
            subject="Grüße <&> ",
            cc=ShortCode("111122"),
            expiry_date=timedelta(days=2),
            earliest_delivery_time=ZONED,
            delivery_report=True,
        ),
        SubmitReq,
        {
            "vaspid": "TNN",
            "vasid": "News",
            "subject": "Grüße <&> ",
            "expiry_date": timedelta(days=2),
            "earliest_delivery_time": ZONED,
            "delivery_report": True,
            "cc": (ShortCode("111122"),),
        },
        "m-1",
    ),
    "cancel": ("vasp", lambda c: c.cancel("m-1"), CancelReq, {"message_id": "m-1", "vaspid": "TNN"}, None),
    "replace": ("vasp", lambda c: c.replace("m-1", PNG, service_code="x"), ReplaceReq, {"service_code": "x"}, None),
    "extended_cancel": ("vasp", lambda c: c.extended_cancel("c-1"), ExtendedCancelReq, {"cancel_id": "c-1"}, None),
    "extended_replace": (
        "vasp",
        lambda c: c.extended_replace("r-1", "new"),
        ExtendedReplaceReq,
        {"replace_id": "r-1", "vaspid": "TNN"},
        "m-2",
    ),
    "deliver": ("mmsc", lambda c: c.deliver(DELIVER), DeliverReq, {"sender": Number("+491700")}, None),
    "delivery_report": ("mmsc", lambda c: c.delivery_report(REPORT), DeliveryReportReq, {"message_id": "m-1"}, None),
    "read_reply": ("mmsc", lambda c: c.read_reply(READ), ReadReplyReq, {"time_stamp": ZONED}, None),
}


def call(role: str, style: str, url: str, do: Callable[[Any], Any], **options: Any) -> Any:
    """Make one call in either style with a fresh client."""
    if role == "vasp":
        options = {"vaspid": "TNN", "vasid": "News", **options}
    if style == "sync":
        with (VaspClient if role == "vasp" else MmscClient)(url, **options) as client:
            return do(client)

    async def awaited() -> Any:
        async with (AsyncVaspClient if role == "vasp" else AsyncMmscClient)(url, **options) as twin:
            return await do(twin)

    return asyncio.run(awaited())


@pytest.mark.parametrize("style", ["sync", "async"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_goes_out_faultless_and_its_answer_comes_in(name: str, style: str) -> None:
    """The strict reader has nothing to say of the request, the fields arrive, the answer is of the operation."""
    role, do, kind, values, message_id = OPERATIONS[name]
    with FarSide() as far:
        accepted = call(role, style, far.url, do)
        [request] = far.requests
    received = request.unpack()
    assert type(received.message) is kind
    assert received.findings == ()
    assert {key: getattr(received.message, key) for key in values} == values
    assert isinstance(accepted, Accepted)
    assert type(accepted.answer).__name__ == kind.__name__.replace("Req", "Rsp")
    assert (accepted.status, accepted.message_id, accepted.findings) == (Status(1000), message_id, ())
    assert accepted.transaction_id == received.transaction_id
    assert request.header("SOAPAction") == '""'
    assert request.header("Content-Length") == str(len(request.body))
    assert (request.header("Transfer-Encoding"), request.header("Accept-Encoding")) == (None, "identity")


@pytest.mark.parametrize("style", ["sync", "async"])
@pytest.mark.parametrize("door", ["deliver", "send"])
@pytest.mark.parametrize(("given", "arrives"), [(None, "Normal"), ("High", "High"), ("Low", "Low")])
@pytest.mark.parametrize("profile", [None, "REL-5-MM7-1-3", "optus"])
def test_mo_carries_its_priority(given: str | None, arrives: str, profile: str | None, door: str, style: str) -> None:
    """An MO has a Priority, Normal where none is given: some receivers answer 500 without it."""
    with FarSide() as far:
        message = replace(DELIVER, priority=given)
        call("mmsc", style, far.url, lambda c: getattr(c, door)(message), profile=profile)
        [request] = far.requests
    assert b"<mm7:Priority>" in request.body or b"<Priority>" in request.body
    assert request.unpack().message.priority == arrives  # type: ignore[attr-defined]


EMPTY: dict[str, tuple[str, Callable[[Any, Path], Any], list[str]]] = {
    "no content": ("vasp", lambda c, _: c.submit("+1"), ["sem/content-empty"]),
    "an empty list": ("vasp", lambda c, _: c.submit("+1", []), ["sem/content-empty"]),
    "an empty text": ("vasp", lambda c, _: c.submit("+1", ""), ["sem/content-empty"]),
    "no octets": ("vasp", lambda c, _: c.submit("+1", b""), ["sem/content-empty"]),
    "an empty file": ("vasp", lambda c, path: c.submit("+1", path), ["sem/content-empty"]),
    "two empty ones": ("vasp", lambda c, path: c.submit("+1", ["", path]), ["sem/content-empty"]),
    "one of two": ("vasp", lambda c, path: c.submit("+1", ["hello", path]), ["mime/empty-part"]),
    "a presentation of an empty text": (
        "vasp",
        lambda c, path: c.submit("+1", [Part(body=b"<smil/>", content_type="application/smil"), path]),
        ["sem/content-empty"],
    ),
    "some": ("vasp", lambda c, _: c.submit("+1", "hello"), []),
    "a split one": ("vasp", lambda c, _: c.submit(["+1", "+2"], ""), ["sem/content-empty"] * 2),
    "a replace of nothing": ("vasp", lambda c, _: c.replace("m-1", read_reply=True), []),
    "a replace by nothing": ("vasp", lambda c, _: c.replace("m-1", ""), ["sem/content-empty"]),
    "an extended replace by nothing": ("vasp", lambda c, _: c.extended_replace("m-1", b""), ["sem/content-empty"]),
    "an MO without content": ("mmsc", lambda c, _: c.deliver(replace(DELIVER, parts=())), ["sem/content-empty"]),
    "an MO with an empty part": (
        "mmsc",
        lambda c, _: c.deliver(replace(DELIVER, parts=(Part(body=b""),))),
        ["sem/content-empty"],
    ),
    "a report": ("mmsc", lambda c, _: c.delivery_report(REPORT), []),
}


@pytest.mark.parametrize("style", ["sync", "async"])
@pytest.mark.parametrize("name", EMPTY)
def test_empty_message_leaves_with_a_finding(name: str, style: str, tmp_path: Path) -> None:
    """A message without content is sent, and its caller is told; so it is where one part of several is empty."""
    role, do, found = EMPTY[name]
    path = tmp_path / "empty.txt"
    path.touch()
    options = {"split": True} if name == "a split one" else {}
    with FarSide() as far:
        accepted = call(role, style, far.url, lambda c: do(c, path), **options)
    assert [one.id for one in accepted.findings] == found
    assert accepted.status.ok


@pytest.mark.parametrize("style", ["sync", "async"])
def test_refused_empty_message_has_its_finding(style: str) -> None:
    """Who is refused for it is told as well, and so is who gets no usable answer."""
    for answer, error in ((saying(SubmitRsp(status=Status(2004))), StatusError), (echoing(READY), TransportError)):
        with FarSide(answer) as far, pytest.raises(error) as info:
            call("vasp", style, far.url, lambda c: c.submit("+1", ""))
        assert "sem/content-empty" in [one.id for one in info.value.findings]  # type: ignore[attr-defined]
    carrier = replace(REL_6_MM7_1_4, empty_ack=True)
    with FarSide([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]) as far:
        accepted = call("vasp", style, far.url, lambda c: c.submit("+1", ""), profile=carrier)
    assert [one.id for one in accepted.findings] == ["sem/content-empty", "http/response-body"]


FAULT = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><TransactionID xmlns="{ns}" '
    'e:mustUnderstand="1">{tid}</TransactionID></e:Header><e:Body>{body}</e:Body></e:Envelope>'
)
IN_FAULT = "<e:Fault><faultcode>e:Server</faultcode><faultstring>x</faultstring><detail>{0}</detail></e:Fault>"


@pytest.mark.parametrize("style", ["sync", "async"])
@pytest.mark.parametrize("role", ["vasp", "mmsc"])
@pytest.mark.parametrize("name", ["MM7VASPErrorRsp", "VaspErrorRsp", "MM7RSErrorRsp", "RsErrorRsp", "rserrorrsp"])
@pytest.mark.parametrize(("where", "http"), [(IN_FAULT, 500), (IN_FAULT, 200), ("{0}", 500), ("{0}", 200)])
def test_faults_under_other_names(where: str, http: int, name: str, role: str, style: str) -> None:
    """The StatusCode of a fault is the outcome, however its element is called and wherever it stands."""
    ns = REL_6_MM7_1_4.namespace
    status = "<Status><StatusCode>2005</StatusCode><StatusText>Gone</StatusText></Status>"
    error = f'<{name} xmlns="{ns}"><MM7Version>6.8.0</MM7Version>{status}</{name}>'
    text = FAULT.replace("{ns}", ns).replace("{body}", where.replace("{0}", error))
    with FarSide(echoing(text, http)) as far, pytest.raises(StatusError) as info:
        call(role, style, far.url, (lambda c: c.cancel("m")) if role == "vasp" else (lambda c: c.deliver(DELIVER)))
    assert (info.value.status.code, info.value.status.text) == (2005, "Gone")
    assert "schema/name-case" in [one.id for one in info.value.findings]


@pytest.mark.parametrize("style", ["sync", "async"])
def test_parts_arrive_as_they_are(style: str, tmp_path: Path) -> None:
    """Bytes, text and files keep every octet, CR and LF too, with a presentation that names them."""
    bare = tmp_path / "odd.bin"
    bare.write_bytes(b"\r\n--\r\n\x00\xff" * 20_000)
    with FarSide() as far:
        call("vasp", style, far.url, lambda c: c.submit("+491700", [PNG, "Grüße\r\n", bare]))
        parts = far.requests[0].unpack().parts
    assert parts[0].content_type == "application/smil"
    assert [part.read() for part in parts][1:] == [PNG, "Grüße\r\n".encode(), bare.read_bytes()]
    assert all((part.content_id or "") in parts[0].text() for part in parts[1:3])
    assert parts[3].name == "odd.bin"


@pytest.mark.parametrize("name", sorted({*CARRIERS, *(one.name for one in NAMESPACES.values())}))
def test_every_profile_can_submit_and_be_reported_to(name: str) -> None:
    """Each namespace and carrier is written faultless by its own schema (in 5/1-0 and 5/1-1 a Number has no plus)."""
    report_req = replace(REPORT, recipient="491700")
    with FarSide() as far:
        sent = call("vasp", "sync", far.url, lambda c: c.submit("491700", "hello"), profile=name)
        call("mmsc", "sync", far.url, lambda c: c.delivery_report(report_req), profile=name)
        submit, report = (one.unpack() for one in far.requests)
    assert sent.message_id == ("m-1" if profile(name).submit_rsp_message_id else None)
    assert submit.mm7_version == report.mm7_version
    assert report.message.date is not None  # type: ignore[attr-defined]


def test_mmsc_speaks_the_namespace_of_the_carriers_reports() -> None:
    """Optus takes submits in REL-5-MM7-1-3 and sends reports in REL-6-MM7-1-4, both as 5.3.0."""
    with FarSide() as far:
        call("vasp", "sync", far.url, lambda c: c.submit("+491700", "hello"), profile="optus")
        call("mmsc", "sync", far.url, lambda c: c.delivery_report(REPORT), profile="optus")
        submit, report = (one.unpack() for one in far.requests)
    assert (submit.profile.schema, submit.mm7_version) == ("REL-5-MM7-1-3", "5.3.0")
    assert (report.profile.schema, report.mm7_version) == ("REL-6-MM7-1-4", "5.3.0")


@pytest.mark.parametrize("style", ["sync", "async"])
def test_retries_keep_the_transaction_and_the_body_and_a_new_call_does_not(style: str) -> None:
    """A retransmission is the same message under the same TransactionID; the next call has another."""
    busy = saying(RSErrorRsp(status=Status(4006)))
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    options = {"sleep": waits.append if style == "sync" else sleep}
    with FarSide(busy, proper, proper) as far:
        first = call("vasp", style, far.url, lambda c: c.submit("+491700", ["hello", PNG]), **options)
        second = call("vasp", style, far.url, lambda c: c.submit("+491700", ["hello", PNG]), **options)
        got = [one.unpack() for one in far.requests]
    assert [one.transaction_id for one in got] == [first.transaction_id] * 2 + [second.transaction_id]
    assert first.transaction_id != second.transaction_id
    assert got[0].message == got[1].message
    assert len(waits) == 1
    assert 0.4 <= waits[0] <= 0.6


def test_given_transaction_is_used() -> None:
    """A TransactionID of the caller's own goes out as it is."""
    with FarSide() as far:
        sent = call("vasp", "sync", far.url, lambda c: c.submit("+491700", "x", transaction_id="my 1"))
        assert far.requests[0].unpack().transaction_id == "my 1" == sent.transaction_id
    assert sent.http_status == 200


@pytest.mark.parametrize("plans", ["1", "0"])
@pytest.mark.parametrize("style", ["sync", "async"])
def test_header_fields_of_one_request(style: str, plans: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``send`` is given goes out with that request and its retries, before the client's; the next has it not."""
    monkeypatch.setenv("MM7ZEEP_PLANS", plans)

    async def sleep(seconds: float) -> None:
        """At once."""

    def twice(client: Any) -> Any:
        first = client.send(MESSAGE, headers={"traceparent": "00-1-2-01", "x-key": "own"})
        if style == "sync":
            return client.send(MESSAGE)

        async def both() -> Any:
            await first
            return await client.send(MESSAGE)

        return both()

    options = {"sleep": (lambda seconds: None) if style == "sync" else sleep, "headers": {"X-Key": "all"}}
    with FarSide(saying(RSErrorRsp(status=Status(4006))), proper, proper) as far:
        call("vasp", style, far.url, twice, **options)
        got = [(one.header("traceparent"), one.header("X-Key"), one.header("SOAPAction")) for one in far.requests]
    assert got == [("00-1-2-01", "own", '""'), ("00-1-2-01", "own", '""'), (None, "all", '""')]


@pytest.mark.parametrize(
    "headers",
    [{"content-length": "1"}, {"SOAPAction": "x"}, {"Transfer-Encoding": "x"}, {"a": "b\r\nc: d"}, {"a": 1}, "a: b"],
    ids=str,
)
def test_header_fields_that_cannot_be_sent(headers: Any) -> None:
    """A field that breaks out of its line, or that every request has by itself, is refused before anything is sent."""
    with pytest.raises(LocalError), VaspClient("http://127.0.0.1:1/mm7") as client:
        client.send(MESSAGE, headers=headers)


@pytest.mark.parametrize("style", ["sync", "async"])
def test_progress_tells_every_octet(style: str) -> None:
    """The totals rise to the length of the body and stay below it before."""
    told: list[tuple[int, int]] = []
    with FarSide() as far:
        content = [b"\xff\xd8\xff" + bytes(300_000), "text"]
        call("vasp", style, far.url, lambda c: c.submit("+491700", content, progress=lambda *at: told.append(at)))
        length = len(far.requests[0].body)
    assert [at for at, _ in told] == sorted({at for at, _ in told})
    assert len(told) > 3
    assert told[-1] == (length, length)
    assert {total for _, total in told} == {length}


class Stop(Exception):
    """What a progress callback raises to give up."""


@pytest.mark.parametrize("style", ["sync", "async"])
@pytest.mark.parametrize("raised", [Stop(), BrokenPipeError(), ValueError()], ids=lambda one: type(one).__name__)
def test_what_progress_raises_ends_the_call(style: str, raised: Exception) -> None:
    """The caller's own exception comes back to the caller, and nothing is sent again."""

    def progress(sent: int, total: int) -> None:
        raise raised

    def do(client: Any) -> Any:
        return client.submit("+491700", bytes(500_000), progress=progress)

    options: dict[str, Any] = {}
    with FarSide() as far:
        with pytest.raises(type(raised)) as info:
            call("vasp", style, far.url, do, **options)
        assert info.value is raised
    assert [one.complete for one in far.requests] in ([], [False])


def test_part_that_shrinks_while_it_is_sent(tmp_path: Path) -> None:
    """The announced length cannot be kept: no answer is waited for, nothing is sent again, nothing was accepted."""
    path = tmp_path / "shrinking.bin"
    path.write_bytes(bytes(3_000_000))

    def shrink(sent: int, total: int) -> None:
        path.write_bytes(b"")

    with FarSide() as far, pytest.raises(TransportError, match="shorter") as info:
        call("vasp", "sync", far.url, lambda c: c.submit("+491700", path, progress=shrink))
    assert not info.value.maybe_accepted
    assert [one.complete for one in far.requests] in ([], [False])


def test_part_that_vanishes_is_a_local_error(tmp_path: Path) -> None:
    """A file that is gone when it is needed is said to be so, and nothing was sent."""
    path = tmp_path / "gone.txt"
    path.write_text("here")
    part = Part(body=path, content_type="text/plain")
    path.unlink()
    with FarSide() as far, pytest.raises(LocalError, match="cannot be read"):
        call("vasp", "sync", far.url, lambda c: c.submit("+491700", part))
    assert far.requests == []


def test_threads_share_one_client() -> None:
    """20 threads with 20 calls each: every answer belongs to its call, every part to its message."""
    sent: dict[str, str] = {}
    with FarSide(echoing(ECHO)) as far, VaspClient(far.url, vaspid="TNN", vasid="News") as client:

        def work(thread: int) -> None:
            for number in range(20):
                text = f"thread {thread} call {number}"
                accepted = client.submit(f"+49{thread:02}{number:02}", text, subject=text)
                assert accepted.message_id == accepted.transaction_id
                sent[text] = accepted.transaction_id

        with ThreadPoolExecutor(20) as threads:
            list(threads.map(work, range(20)))
        assert far.connections <= 20
        got = [one.unpack() for one in far.requests]
    assert len(got) == len(sent) == 400
    for one in got:
        [part] = one.parts
        assert one.message.subject == part.text()  # type: ignore[attr-defined]
        assert sent[part.text()] == one.transaction_id
        digits = one.message.to[0].value.removeprefix("+49")  # type: ignore[attr-defined]
        assert part.text() == f"thread {int(digits[:2])} call {int(digits[2:])}"


def test_tasks_share_one_client() -> None:
    """100 tasks at once: every answer belongs to its call."""

    async def work(url: str) -> list[Any]:
        async with AsyncVaspClient(url, vaspid="TNN", vasid="News") as client:
            return await asyncio.gather(
                *(client.submit(f"+49{n}", f"task {n}", subject=f"task {n}") for n in range(100))
            )

    with FarSide(echoing(ECHO)) as far:
        answers = asyncio.run(work(far.url))
        got = {one.transaction_id: one.unpack() for one in far.requests}
    assert [one.message_id for one in answers] == [one.transaction_id for one in answers]
    assert [got[one.transaction_id].parts[0].text() for one in answers] == [f"task {n}" for n in range(100)]


def test_refusal_carries_the_answer() -> None:
    """Status, answer, TransactionID and findings are all on the error."""
    with FarSide(saying(RSErrorRsp(status=Status(2002, "no such number", "<x/>")))) as far:
        with pytest.raises(StatusError) as info:
            call("vasp", "sync", far.url, lambda c: c.cancel("m-1"))
        assert (info.value.status.code, info.value.status.text, info.value.status.details) == (
            2002,
            "no such number",
            "<x></x>",
        )
        assert info.value.transaction_id == far.requests[0].transaction_id
        assert info.value.http_status == 500
        assert info.value.findings == ()
