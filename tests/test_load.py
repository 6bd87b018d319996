"""The pieces of the load generator: schedule, histogram, plan, templates, answers, ledger, charts."""

from __future__ import annotations

import itertools
import json
import math
import random
import struct
import xml.etree.ElementTree as ET
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from load_site import NAMESPACE, RESPONSE

from mm7zeep import exchange
from mm7zeep.errors import LocalError
from mm7zeep.exchange import Wire
from mm7zeep.load import Plan, Schedule, charts, page, report
from mm7zeep.load.answers import Answer, AnswerReader, Broken, Said, judge, scan
from mm7zeep.load.histogram import Histogram, bounds, bucket_of
from mm7zeep.load.ledger import Ledger
from mm7zeep.load.plan import FICTIONAL, numbers, recipients, resolved, weights
from mm7zeep.load.result import Result
from mm7zeep.load.tally import Tally
from mm7zeep.load.templates import Requests, Template, picture
from mm7zeep.messages import CancelReq, Fault, Number, ReplaceReq, RSErrorRsp, Status, SubmitReq, SubmitRsp

URL = "http://127.0.0.1:9/mm7"
RSP = RESPONSE % {
    b"ns": NAMESPACE,
    b"tid": b"t-1",
    b"op": b"Submit",
    b"code": 1000,
    b"mid": b"<MessageID>m-1</MessageID>",
}


def plan(**changes: object) -> Plan:
    """A plan that is good for a look at it."""
    given = {
        "url": URL,
        "address": "127.0.0.1",
        "schedule": Schedule(rate=10, duration=10),
        "numbers": ("+447700900001",),
    }
    return Plan(**(given | changes))  # type: ignore[arg-type]


# --- schedule ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "duration", "ramp", "total"), [(10, 10, 0, 100), (100, 4, 2, 300), (3, 1, 1, 2), (0.1, 5, 0, 1)]
)
def test_schedule_counts(rate: float, duration: float, ramp: float, total: int) -> None:
    """As many requests are due as the area under the rate, and all before the end."""
    schedule = Schedule(rate=rate, duration=duration, ramp=ramp)
    assert schedule.total == total
    due = [schedule.due(n) for n in range(total)]
    assert due == sorted(due)
    assert due[0] == 0
    assert due[-1] < duration


def test_schedule_is_even_after_a_ramp_that_rises_evenly() -> None:
    """In the ramp the k-th part of it has 2k-1 times the requests of the first; after it all are as far apart."""
    schedule = Schedule(rate=100, duration=8, ramp=4)
    due = [schedule.due(n) for n in range(schedule.total)]
    counts = [sum(second <= one < second + 1 for one in due) for second in range(8)]
    assert counts == pytest.approx([12.5, 37.5, 62.5, 87.5, 100, 100, 100, 100], abs=1)
    assert {round(b - a, 9) for a, b in itertools.pairwise(due[201:])} == {0.01}


@given(st.floats(0.5, 500), st.floats(0.1, 20), st.floats(0, 1), st.floats(0, 25))
def test_due_by_agrees_with_due(rate: float, duration: float, ramp: float, moment: float) -> None:
    """How many are due by a moment is what counting them one by one gives, but for rounding at the moment itself."""
    schedule = Schedule(rate=rate, duration=duration, ramp=ramp * duration)
    counted = sum(schedule.due(n) <= moment for n in range(schedule.total))
    near = any(math.isclose(schedule.due(n), moment, rel_tol=1e-9) for n in (counted - 1, counted))
    assert schedule.due_by(moment) == counted or near


@pytest.mark.parametrize(
    "wrong", [{"rate": 0}, {"rate": math.nan}, {"duration": 0}, {"duration": math.inf}, {"ramp": 11}, {"ramp": -1}]
)
def test_schedule_refuses(wrong: dict[str, float]) -> None:
    """Nothing to send, no end, a ramp longer than the whole."""
    with pytest.raises(LocalError):
        Schedule(**({"rate": 1.0, "duration": 10.0} | wrong))


# --- histogram --------------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**42))
def test_bucket_holds_its_value(value: int) -> None:
    """The bounds of a value's bucket are around it, no wider than 1/128 of it, and their own bucket is the same."""
    low, high = bounds(bucket_of(value))
    assert low <= value <= high
    assert high - low <= value / 128
    assert bucket_of(low) == bucket_of(high) == bucket_of(value)
    assert bounds(bucket_of(high) + 1)[0] == high + 1


@pytest.mark.parametrize("shape", ["lognormal", "uniform", "few", "stalls"])
def test_quantiles_against_exact_ones(shape: str) -> None:
    """A quantile is the exact one of the sorted values, never less and at most 1/128 more."""
    chance = random.Random(shape)
    values = {
        "lognormal": lambda: [chance.lognormvariate(-5, 1.5) for _ in range(5000)],
        "uniform": lambda: [chance.uniform(0, 0.002) for _ in range(5000)],
        "few": lambda: [0.001, 0.5, 2.0],
        "stalls": lambda: [0.001] * 990 + [30.0] * 10,
    }[shape]()
    histogram, ordered = Histogram(), sorted(int(one * 1e6) for one in values)
    for one in values:
        histogram.add(one)
    for share in (0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0):
        exact = ordered[math.ceil(share * len(ordered) - 1e-9) - 1] / 1e6
        assert exact <= histogram.quantile(share) <= exact * (1 + 1 / 128) + 1e-9, share
    assert histogram.quantile(1.0) == histogram.max == ordered[-1] / 1e6
    assert histogram.mean == pytest.approx(sum(ordered) / len(ordered) / 1e6)
    assert sum(count for _, _, count in histogram.buckets()) == histogram.count == len(values)


def test_merged_histograms_are_one() -> None:
    """Two halves merged are what the whole is."""
    chance, whole, halves = random.Random(1), Histogram(), (Histogram(), Histogram())
    for n in range(1000):
        value = chance.expovariate(50)
        whole.add(value)
        halves[n % 2].add(value)
    halves[0].merge(halves[1])
    assert halves[0] == whole


def test_histogram_of_nothing() -> None:
    """Without values all figures are 0, and a negative duration counts as 0."""
    histogram = Histogram()
    assert (histogram.quantile(0.5), histogram.max, histogram.mean) == (0, 0, 0)
    histogram.add(-1e-3)
    assert (histogram.count, histogram.max) == (1, 0)


# --- plan -------------------------------------------------------------------------------------------------------------


def test_numbers() -> None:
    """Single numbers, ranges and lines, each number once, in order."""
    assert numbers("+4477009..+4477012\n+4477010, 111") == ("+4477009", "+4477010", "+4477011", "+4477012", "111")
    assert numbers("0098..0101") == ("0098", "0099", "0100", "0101")
    assert len(numbers(FICTIONAL)) == 1000


@pytest.mark.parametrize(
    "wrong", ["", "  ,", "someone@example.com", "+44..+43", "+44..4500", "+1..+99", "1000..3000000", "+44 77", "٣٣٣٣"]
)
def test_numbers_refuses(wrong: str) -> None:
    """What is no number, and a range that falls, is uneven or too long."""
    with pytest.raises(LocalError):
        numbers(wrong)


def test_nobody_beyond_this_machine_without_leave() -> None:
    """Beyond loopback every recipient has to be allowed; on loopback the fictional ones need no leave."""
    assert recipients(None, None, loopback=True) == numbers(FICTIONAL)
    assert recipients(None, "+15550100", loopback=False) == ("+15550100",)
    assert recipients("+15550100", "+15550100..+15550109", loopback=False) == ("+15550100",)
    with pytest.raises(LocalError, match="--allow-send"):
        recipients("+15550100", None, loopback=False)
    for loopback in (True, False):
        with pytest.raises(LocalError, match="1 of the recipients"):
            recipients("+15550100,+15550110", "+15550100..+15550109", loopback=loopback)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:1/", True),
        ("http://[::1]:1/", True),
        ("http://192.0.2.1/", False),
        ("http://0.0.0.0/", False),
    ],
)
def test_loopback_is_told_by_the_address(url: str, here: bool) -> None:
    """Whether it is this machine is judged by the addresses, and one of these is where connections go."""
    where, loopback = resolved(url)
    assert where in url
    assert loopback is here


def test_weights() -> None:
    """Names with weights; a name alone weighs 1."""
    assert weights("submit=8, cancel", ("submit", "cancel")) == (("submit", 8.0), ("cancel", 1.0))
    for wrong in ("submit=x", "submit=-1", "submit=0", "submit,submit", "read", "submit=nan"):
        with pytest.raises(LocalError):
            weights(wrong, ("submit", "cancel"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipients": 2},
        {"processes": 33},
        {"mix": (("submit", 1.0), ("cancel", 2.0))},
        {"mix": (("cancel", 1.0),)},
        {"profile": "REL-5-MM7-1-0", "reports": True},
        {"url": "http://user:secret@127.0.0.1/"},
        {"url": "ftp://127.0.0.1/"},
    ],
)
def test_plan_refuses(wrong: dict[str, object]) -> None:
    """What cannot be sent."""
    with pytest.raises(LocalError):
        plan(**wrong)


def test_plan_hides_credentials() -> None:
    """What a plan looks like in a log has no credentials."""
    assert "hunter2" not in repr(plan(authorization="Basic hunter2"))


# --- templates --------------------------------------------------------------------------------------------------------


def read(octets: bytes) -> tuple[str, exchange.Received]:
    """The request line and the message of a rendered request, its Content-Length checked."""
    head, _, body = octets.partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    headers = tuple((name, value.strip()) for name, _, value in (one.partition(":") for one in fields))
    assert dict(headers)["Content-Length"] == str(len(body))
    return line, exchange.unpack(Wire(headers=headers, body=body, method="POST"), policy="strict")


def test_requests_are_what_they_should_be() -> None:
    """Each rendered request is valid by the full reader, strictly, with what was filled in."""
    made = Requests(
        plan(url=URL + "?a=1", recipients=2, numbers=("1111", "+44770"), sizes=((0, 1.0), (5000, 1.0)), vaspid="A&B",
             mix=(("submit", 2.0), ("cancel", 1.0), ("replace", 1.0)), reports=True, authorization="Bearer x")
    )  # fmt: skip
    line, submit = read(made.submit("t-1", ("1111", "+44770"), 5000, held=False))
    assert line == "POST /mm7?a=1 HTTP/1.1"
    assert ("Authorization", "Bearer x") in submit.headers
    message = submit.message
    assert isinstance(message, SubmitReq)
    assert message.vaspid == "A&B"
    assert [one.value for one in message.to] == ["1111", "+44770"]
    assert message.delivery_report is True
    assert message.earliest_delivery_time is None
    assert submit.transaction_id == "t-1"
    assert [one.size for one in submit.parts if one.content_type == "image/png"] == [5000]
    _, held = read(made.submit("t-2", ("1", "2"), 0, held=True))
    assert isinstance(held.message, SubmitReq)
    assert held.message.earliest_delivery_time is not None
    assert held.message.delivery_report is None
    _, cancel = read(made.cancel("t-3", "<m&1>"))
    assert isinstance(cancel.message, CancelReq)
    assert cancel.message.message_id == "<m&1>"
    _, replace = read(made.replace("t-4", "m", 0))
    assert isinstance(replace.message, ReplaceReq)
    assert replace.transaction_id == "t-4"


def test_mark_that_stands_elsewhere_is_noticed() -> None:
    """A hole that is not exactly once in the message makes no template."""
    with pytest.raises(LocalError, match="holes"):
        Template(b"", Wire(body=b"to mark and mark"), {"to": "mark"})


@pytest.mark.parametrize("octets", [1910, 5000, 30_000])
def test_picture_is_whole(octets: int) -> None:
    """A picture has exactly so many octets, and is a PNG with good checksums."""
    data = picture(octets)
    assert len(data) == octets
    at, names = 8, []
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        names.append(data[at + 4 : at + 8])
        assert zlib.crc32(data[at + 4 : at + 8 + length]) == int.from_bytes(
            data[at + 8 + length : at + 12 + length], "big"
        )
        at += 12 + length
    assert names[0] == b"IHDR"
    assert names[-2:] == [b"nOiS", b"IEND"]


def test_picture_too_small() -> None:
    """No picture has fewer octets than its drawing."""
    with pytest.raises(LocalError, match="at least"):
        picture(100)


# --- answers ----------------------------------------------------------------------------------------------------------

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s" % (len(RSP), RSP)
CHUNKED = (
    b"HTTP/1.1 200 OK\r\ncontent-type:text/xml\r\nTransfer-Encoding: Chunked\r\n\r\n"
    b"5;x=y\r\n%s\r\n%X\r\n%s\r\n0\r\nTrailer: 1\r\n\r\n" % (RSP[:5], len(RSP) - 5, RSP[5:])
)


@pytest.mark.parametrize(
    "whole", [PLAIN, CHUNKED, b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN], ids=["length", "chunked", "interim"]
)
def test_answer_split_at_any_octet(whole: bytes) -> None:
    """Wherever an answer is split, it is there with its last octet, and not before."""
    for at in range(1, len(whole)):
        reader = AnswerReader()
        assert reader.feed(whole[:at]) is None
        assert reader.begun or whole[:at].endswith(b"Continue\r\n\r\n")
        answer = reader.feed(whole[at:])
        assert answer is not None
        assert (answer.status, answer.body, answer.content_type, answer.closes) == (200, RSP, b"text/xml", False)
        assert not reader.begun
    reader = AnswerReader()
    assert [reader.feed(bytes([one])) for one in whole][:-1] == [None] * (len(whole) - 1)
    assert reader.feed(whole) is not None  # the next on the same connection


def test_answer_to_the_end_of_the_connection() -> None:
    """Without a length an answer ends with its connection, which is not used again."""
    reader = AnswerReader()
    assert reader.feed(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n" + RSP) is None
    answer = reader.end()
    assert answer is not None
    assert answer.body == RSP
    assert answer.closes
    assert AnswerReader().end() is None


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive, Close\r\n", True),
        (b"HTTP/1.0 200 OK\r\n", True),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n", False),
        (b"HTTP/1.1 503\r\n", True),
        (b"HTTP/1.1 204 None\r\n", False),
    ],
)
def test_whether_a_connection_is_kept(head: bytes, closes: bool) -> None:
    """RFC 9112 9.3: by version and Connection; a status without a body needs no length."""
    if b" 503" in head:
        head = b"HTTP/1.1 503 \r\nConnection: close\r\n"
    answer = AnswerReader().feed(head + (b"Content-Length: 0\r\n\r\n" if b"204" not in head else b"\r\n"))
    assert answer is not None
    assert answer.closes is closes


@pytest.mark.parametrize(
    ("octets", "wrong"),
    [
        (b"SSH-2.0-x\r\n", "does not begin"),
        (b"HTTP/1.1 OK 200\r\n\r\n", "status line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "8 MiB"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "Transfer-Encoding"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "Transfer-Encoding"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "size of a chunk"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", "end with its line"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7FFFFFFF\r\n", "8 MiB"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 2000, "1 KiB"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000, "64 KiB"),
        (PLAIN + b"HTTP/1.1", "follow"),
    ],
)
def test_what_is_no_answer(octets: bytes, wrong: str) -> None:
    """Broken framing is refused, with what is wrong."""
    with pytest.raises(Broken, match=wrong):
        AnswerReader().feed(octets)


@pytest.mark.parametrize("whole", [PLAIN, CHUNKED], ids=["length", "chunked"])
def test_cut_answer(whole: bytes) -> None:
    """An answer whose connection ends before it does is no answer."""
    reader = AnswerReader()
    reader.feed(whole[:-1])
    with pytest.raises(Broken, match="cut"):
        reader.end()


def answer(body: bytes = RSP, status: int = 200, kind: str = "text/xml; charset=utf-8") -> Answer:
    """An answer as the reader gives it."""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n".encode()
    return Answer(status, head, kind.encode(), body, False)


def packed(message: object, transaction_id: str = "t-1", profile: str | None = None) -> Answer:
    """What our own writer makes of a response."""
    wire = exchange.pack(message, transaction_id=transaction_id, profile=profile)  # type: ignore[arg-type]
    return answer(wire.read(), wire.status or 0)


FAULT = Fault(fault_code="Server", fault_string="no", error=RSErrorRsp(status=Status(3000)))
WELL = {
    "plain": (answer(), Said(1000, "m-1")),
    "ours": (packed(SubmitRsp(status=Status(1000), message_id="m-2")), Said(1000, "m-2")),
    "older": (packed(SubmitRsp(status=Status(1000), message_id="m"), profile="REL-5-MM7-1-2"), Said(1000, "m")),
    "refused": (packed(SubmitRsp(status=Status(2002))), Said(2002, None)),
    "fault": (packed(FAULT), Said(3000, None)),
    "blanks": (answer(RSP.replace(b">1000<", b">\n 1000 <").replace(b">m-1<", b"> m-1\n<")), Said(1000, "m-1")),
}


@pytest.mark.parametrize(("given", "said"), WELL.values(), ids=WELL)
def test_scan_agrees_with_the_full_reader(given: Answer, said: Said) -> None:
    """What looks as it should is told by the scan alone, and the full reader tells the same."""
    assert scan(given, "SubmitReq", "t-1") == said
    assert judge(given, "SubmitReq", "t-1") == said


DELIVER = RSP.replace(b"SubmitRsp", b"DeliverRsp").replace(b"<MessageID>m-1</MessageID>", b"")
ODD = {
    "wrong TransactionID": (answer(RSP.replace(b"t-1", b"t-2")), "wrong TransactionID"),
    "no TransactionID": (answer(RSP.replace(b"TransactionID", b"Other")), "unparsable"),
    "another operation": (answer(DELIVER), "answer to another operation"),
    "a page": (answer(b"<html><body>It works!</body></html>", kind="text/html"), "unparsable"),
    "a page with 502": (answer(b"<html>Bad Gateway</html>", 502, "text/html"), "HTTP 502"),
    "nothing": (answer(b""), "unparsable"),
    "nothing with 503": (answer(b"", 503), "HTTP 503"),
    "cut": (answer(RSP[:-30]), "unparsable"),
    "401": (answer(b"", 401, "text/plain"), "HTTP 401"),
    "200 of another status": (answer(RSP, 202), "HTTP 202"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "kind"), ODD.values(), ids=ODD)
def test_odd_answers_are_for_the_full_reader(given: Answer, kind: str) -> None:
    """What does not look right gets no word from the scan; the full reader names what is wrong."""
    assert scan(given, "SubmitReq", "t-1") is None
    assert judge(given, "SubmitReq", "t-1") == Said(error=kind)


HIDING = {
    "comment": RSP.replace(b"<Status>", b"<!-- <StatusCode>2000</StatusCode> --><Status>"),
    "two codes": RSP.replace(b"<StatusText>", b"<StatusCode>1000</StatusCode><StatusText>"),
    "cdata": RSP.replace(b">1000<", b"><![CDATA[1000]]><"),
    "entity": RSP.replace(b">m-1<", b">m&amp;1<"),
    "two ids": RSP.replace(b"</MessageID>", b"</MessageID><MessageID>m-3</MessageID>"),
    "instruction": RSP.replace(b"<Status>", b"<?x y?><Status>"),
    "utf-16": RSP.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    "fault inside": RSP.replace(b"</StatusText>", b"</StatusText><Details><Fault>x</Fault></Details>"),
}


@pytest.mark.parametrize("body", HIDING.values(), ids=HIDING)
def test_scan_leaves_what_may_hide_something(body: bytes) -> None:
    """What patterns could read wrongly is left to the full reader."""
    assert scan(answer(body), "SubmitReq", "t-1") is None


@given(st.integers(0, len(RSP) - 1), st.binary(min_size=1, max_size=3))
def test_scan_never_says_more_than_the_full_reader(at: int, octets: bytes) -> None:
    """Of a spoilt answer the scan says nothing, or the status and MessageID that are in it."""
    said = scan(answer(RSP[:at] + octets + RSP[at + 1 :]), "SubmitReq", "t-1")
    assert said is None or (said.error is None and str(said.code).encode() in RSP[:at] + octets + RSP[at + 1 :])


# --- ledger -----------------------------------------------------------------------------------------------------------


def test_every_report_came() -> None:
    """One final report each, before or after the acceptance is known, is well; interim ones do not count."""
    ledger = Ledger()
    ledger.report("m-1", "+44770", "Retrieved", "t-1")
    ledger.accept("m-1", ("+44770", "+44771"))
    ledger.accept("m-2", ("+44770",))
    assert ledger.outstanding() == 2
    ledger.report("m-1", "+44771", "Deferred", "t-2")
    ledger.report("m-1", "44771/TYPE=PLMN", "Expired", "t-3")
    assert ledger.outstanding() == 1
    ledger.report("m-2", "+44770", "Rejected", "t-4")
    account = ledger.account()
    assert not account.broken
    assert (account.accepted, account.awaited, account.reported, account.interim) == (2, 3, 3, 1)
    assert account.examples == ()
    assert ledger.outstanding() == 0


def test_faults_of_reports() -> None:
    """A report that is missing, one that came twice, one for nobody: each is counted and named, its number masked."""
    ledger = Ledger()
    ledger.accept("m-1", ("+447700900001",))
    ledger.accept("m-2", ("+447700900002",))
    ledger.report("m-2", "+447700900002", "Retrieved", "t-1")
    ledger.report("m-2", "+447700900002", "Retrieved", "t-1")
    ledger.report("m-2", "+447700900002", "Expired", "t-2")
    ledger.report("m-9", "+447700900002", "Retrieved", "t-3")
    ledger.report("m-1", "+447700900003", "Retrieved", "t-4")
    account = ledger.account()
    assert account.broken
    assert (account.missing, account.doubled, account.repeated, account.unknown) == (1, 2, 1, 2)
    assert [one.split(" for ")[0] for one in account.examples] == ["no report", "3 reports", "a report", "a report"]
    assert "77009000" not in "".join(account.examples)


def test_reports_of_submits_without_an_answer() -> None:
    """A submit that got no answer may have been accepted: as many unknown messages are excused, and no more."""
    ledger = Ledger()
    ledger.report("m-8", "+44770", "Retrieved")
    ledger.report("m-9", "+44770", "Retrieved")
    assert ledger.account(unanswered=2).excused == 2
    assert not ledger.account(unanswered=2).broken
    assert ledger.account(unanswered=1).unknown == 2


def test_cancelled_and_partial_messages_need_no_report() -> None:
    """Of these a report may come or not, but not twice."""
    ledger = Ledger()
    ledger.accept("m-1", ("+44770",))
    ledger.cancel("m-1")
    ledger.accept("m-2", ("+44770",), in_part=True)
    assert ledger.outstanding() == 0
    assert (ledger.account().optional, ledger.account().broken) == (2, False)
    ledger.report("m-1", "+44770", "Expired", "t-1")
    assert not ledger.account().broken
    ledger.report("m-1", "+44770", "Expired", "t-2")
    assert ledger.account().doubled == 1


def test_same_message_id_and_same_delivery_twice() -> None:
    """A MessageID for two submits, and a message from a subscriber that comes again, are faults."""
    ledger = Ledger()
    ledger.accept("m-1", ("+44770",))
    ledger.accept("m-1", ("+44771",))
    assert ledger.outstanding() == 2
    assert ledger.account().given_twice == 1
    for name in ("t-1", "t-2", "t-1"):
        ledger.deliver(name)
    assert (ledger.account().delivered, ledger.account().delivered_twice) == (3, 1)


# --- what is shown ----------------------------------------------------------------------------------------------------


def result(*, latencies: tuple[float, ...] = (0.01, 0.02, 3.0), **changes: object) -> Result:
    """A run that went well, of three requests."""
    tally = Tally(sent=3, answered=3, succeeded=3, last_sent=9.0)
    tally.codes["submit", 1000] = 3
    for n, one in enumerate(latencies):
        tally.latency.add(one)
        tally.slot(n * 30).latency.add(one)
        tally.slot(n * 30).sent += 1
    given = {"plan": plan(), "tally": tally, "began": datetime(2026, 5, 1, tzinfo=UTC)}
    return Result(**(given | changes))  # type: ignore[arg-type]


def test_all_well() -> None:
    """A run without a fault says ok, in every form."""
    well = result()
    assert well.faults == ()
    assert well.as_dict()["ok"] is True
    assert list(report.lines(well))[-1][0] == "ok"
    assert ">OK<" in page.render(well)


def test_faults_are_told() -> None:
    """Failed requests, a rate that was not reached and broken reports each make a fault, in every form."""
    ledger = Ledger()
    ledger.accept("<m>", ("+447700900001",))
    bad = result(account=ledger.account())
    bad.tally.errors["HTTP <500>"] = 2
    bad.tally.late, bad.tally.unsent = 5, 7
    bad.tally.errors |= {"accepted without a MessageID": 4, "octets without a request": 6}
    assert len(bad.faults) == 5
    assert "2 of 3 requests failed" in bad.faults[0]
    assert "4 submits were accepted without a MessageID" in bad.faults[1]
    assert "6 times octets came that no request had asked for" in bad.faults[2]
    assert "5 requests were sent more than 1 s late, 7 not at all" in bad.faults[3]
    assert "1 of 1 final reports did not come" in bad.faults[4]
    said = json.dumps(bad.as_dict()) + page.render(bad) + "".join(line for line, _ in report.lines(bad))
    assert "77009000" not in said
    assert "<m>" not in page.render(bad)
    assert "HTTP &lt;500&gt;" in page.render(bad)
    assert ">FAILED<" in page.render(bad)


def test_page_is_self_contained() -> None:
    """Well-formed charts; nothing is fetched, nothing runs."""
    text = page.render(result())
    pieces = text.split("<svg")[1:]
    assert len(pieces) == 3
    for piece in pieces:
        ET.fromstring("<svg" + piece.partition("</svg>")[0] + "</svg>")
    assert "default-src 'none'" in text
    for word in ("<script", "src=", "http://www", "https://", "@import", "url("):
        assert word not in text, word


def test_page_without_a_single_answer() -> None:
    """Where nothing was answered there is a page all the same, without charts."""
    none = Result(plan=plan(), tally=Tally(sent=1), began=datetime(2026, 5, 1, tzinfo=UTC))
    none.tally.errors["refused"] = 1
    assert "<svg" not in page.render(none)
    assert "refused" in page.render(none)


def test_secrets_of_the_address_are_hidden() -> None:
    """A token in the address is in none of the reports."""
    hidden = result(plan=plan(url="http://127.0.0.1/mm7?token=hunter2"))
    said = json.dumps(hidden.as_dict()) + page.render(hidden) + "".join(line for line, _ in report.lines(hidden))
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (2.5e-7, "0.25 µs"), (0.00042, "420 µs"), (0.0123, "12.3 ms"), (75.4, "75.4 s")]
)
def test_seconds_in_words(value: float, text: str) -> None:
    """Durations are short and have a unit."""
    assert charts.seconds(value) == text


@given(st.floats(1e-6, 1e9))
def test_ticks_are_round_and_reach(highest: float) -> None:
    """Ticks begin at 0, are evenly spaced, few, and reach the highest value."""
    ticks = charts.nice(highest)
    assert ticks[0] == 0
    assert ticks[-1] >= highest * (1 - 1e-6)
    assert 3 <= len(ticks) <= 7


def test_fictional_numbers_are_numbers() -> None:
    """The default recipients are numbers that MM7 can carry."""
    assert Number(numbers(FICTIONAL)[0]).value == "+447700900000"
