"""Requests and the answers to them: which belong together, and what only both of them show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import captures
import pytest

from mm7zeep import exchange
from mm7zeep.conformance import pairs, verdict
from mm7zeep.conformance.input import capture
from mm7zeep.conformance.input.capture import Captured
from mm7zeep.conformance.input.traffic import Carried
from mm7zeep.findings import KINDS, Finding
from mm7zeep.messages import (
    CancelReq,
    CancelRsp,
    DeliverReq,
    DeliverRsp,
    DeliveryReportReq,
    DeliveryReportRsp,
    ExtendedCancelReq,
    ExtendedCancelRsp,
    Fault,
    Message,
    ReadReplyReq,
    RSErrorRsp,
    Status,
    SubmitReq,
    SubmitRsp,
    VASPErrorRsp,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUBMIT = SubmitReq(vaspid="FERRY", vasid="Times", to=("+4930123456", "a@ferry.example"), subject="Ferry")  # type: ignore[arg-type]
SUBMITTED = SubmitRsp(message_id="M-0077")
DELIVER = DeliverReq(sender="+4930123456", to="1717", subject="When?")  # type: ignore[arg-type]
RS_FAULT = Fault(fault_code="Client", fault_string="x", error=RSErrorRsp(status=Status(2005)))
VASP_FAULT = Fault(fault_code="Client", fault_string="x", error=VASPErrorRsp(status=Status(2005)))
BARE_FAULT = Fault(fault_code="Client", fault_string="x")
OLD, NEW = "REL-5-MM7-1-2", "REL-6-MM7-1-4"


def report(message_id: str = "M-0077", recipient: str = "+4930123456") -> DeliveryReportReq:
    """A delivery report."""
    return DeliveryReportReq(
        message_id=message_id, recipient=recipient, sender="1717", date=NOON, mm_status="Retrieved"
    )  # type: ignore[arg-type]


def read_reply(message_id: str = "M-0077") -> ReadReplyReq:
    """A read reply."""
    return ReadReplyReq(
        message_id=message_id, recipient="+4930123456", sender="1717", time_stamp=NOON, mm_status="Read"
    )  # type: ignore[arg-type]


def dump(message: Message, transaction: str = "t-1", profile: str = NEW) -> bytes:
    """The octets of an HTTP message."""
    packed = exchange.pack(message, profile=profile, transaction_id=transaction)
    return captures.dump(replace(packed, body=packed.read()))


def judged(*dumps: bytes, file: str = "x.http") -> list[Finding]:
    """What the rules add to the messages of one file, after making sure that nothing else is lost."""
    before = [verdict.judge(one) for one in capture.messages(file, b"".join(dumps))]
    assert len(before) == len(dumps)
    after = pairs.judge(before)
    added = []
    for old, new in zip(before, after, strict=True):
        assert new.findings[: len(old.findings)] == old.findings
        assert (new.captured, new.accepted, new.judgement) == (old.captured, old.accepted, old.judgement)
        added += new.findings[len(old.findings) :]
    return added


def ids(found: Sequence[Finding]) -> list[str]:
    """The kinds of findings, in order."""
    return [one.id for one in found]


# --- which belong together --------------------------------------------------------------------------------------------

REQUEST, RESPONSE = captures.dump(), captures.dump(captures.SUBMITTED)
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("qa", [(0, 1)]),
        ("qaqa", [(0, 1), (2, 3)]),
        ("qqaa", [(0, 2), (1, 3)]),
        ("qqa", [(1, 2)]),
        ("qaa", [(0, 1)]),
        ("aqa", [(1, 2)]),
        ("aq", []),
        ("qqaqa", [(1, 2), (3, 4)]),
        ("qia", [(0, 2)]),
        ("", []),
    ],
)
def test_order_in_a_dump(order: str, wanted: list[tuple[int, int]]) -> None:
    """In a file, answers belong to the requests directly before them."""
    octets = {"q": REQUEST, "a": RESPONSE, "i": INTERIM}
    found = [message for one in order for message in capture.messages("x", octets[one])]
    assert len(found) == len(order)
    assert [tuple(one) for one in pairs.pairs(found)] == wanted


def test_files_are_never_paired() -> None:
    """A request in one file and an answer in another prove nothing, whatever the files are called."""
    found = [*capture.messages("x-req.http", REQUEST), *capture.messages("x-rsp.http", RESPONSE)]
    assert pairs.pairs(found) == ()


def test_files_that_take_turns() -> None:
    """Pairs are found within each file, whatever stands between in the sequence."""
    one, two = (capture.messages(name, REQUEST + RESPONSE) for name in ("one", "two"))
    assert pairs.pairs([one[0], two[0], one[1], two[1]]) == ((0, 2), (1, 3))


def test_exchanges_of_a_recording() -> None:
    """In a recording, only what one exchange carried belongs together."""

    def carried(one: Captured, name: str) -> Carried:
        return Carried(file="x.har", index=0, kind=one.kind, wire=one.wire, exchange=name)

    asked, answered = capture.messages("x", REQUEST + RESPONSE)
    found = [carried(asked, "entry 1"), carried(answered, "entry 2"), carried(asked, "entry 2")]
    assert pairs.pairs(found) == ()
    assert pairs.pairs([*found, carried(answered, "entry 2"), carried(answered, "entry 1")]) == ((0, 4), (2, 3))


def test_bare_envelopes_are_not_paired() -> None:
    """A body without its head may be either, and is not guessed at."""
    bare = captures.wire().read()
    assert pairs.pairs([*capture.messages("x", bare), *capture.messages("x", RESPONSE)]) == ()


# --- what only both of them show --------------------------------------------------------------------------------------


def test_every_pair_rule_is_there() -> None:
    """Each kind of finding that needs a pair has its rule, and each rule its kind."""
    wanted = {one.id for one in KINDS.values() if one.needs == "pair"}
    assert {*pairs.OF_PAIRS, *pairs.OF_DIALOGUES} == wanted


GOOD: dict[str, tuple[bytes, ...]] = {
    "submit": (dump(SUBMIT), dump(SUBMITTED)),
    "deliver": (dump(DELIVER), dump(DeliverRsp())),
    "report": (dump(report()), dump(DeliveryReportRsp())),
    "extended": (
        dump(ExtendedCancelReq(vaspid="FERRY", vasid="Times", cancel_id="c")), dump(ExtendedCancelRsp())
    ),
    "refused by the MMSC": (dump(SUBMIT), dump(RS_FAULT)),
    "refused by the VASP": (dump(DELIVER), dump(VASP_FAULT)),
    "fault without detail": (dump(SUBMIT), dump(BARE_FAULT)),
    "reported": (dump(SUBMIT), dump(SUBMITTED), dump(report(), "t-2"), dump(DeliveryReportRsp(), "t-2")),
    "read": (dump(SUBMIT), dump(SUBMITTED), dump(read_reply(), "t-2")),
    "reported in national form": (dump(SUBMIT), dump(SUBMITTED), dump(report(recipient="030123456"), "t-2")),
    "reported by mail address": (dump(SUBMIT), dump(SUBMITTED), dump(report(recipient="A@ferry.example"), "t-2")),
    "reported without the submit": (dump(report("other")), dump(DeliveryReportRsp())),
    "two requests": (dump(SUBMIT), dump(SUBMITTED), dump(SUBMIT, "t-2"), dump(SUBMITTED, "t-2")),
    "both sides count alike": (dump(SUBMIT), dump(SUBMITTED), dump(DELIVER), dump(DeliverRsp())),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_good(name: str) -> None:
    """Exchanges as they should be leave nothing to say."""
    assert judged(*GOOD[name]) == []


BAD: dict[str, tuple[tuple[bytes, ...], str, str, str]] = {
    "another TransactionID": (
        (dump(SUBMIT), dump(SUBMITTED, "constant")),
        "soap/transaction-echo", "/Envelope/Header/TransactionID", "constant for t-1",
    ),
    "another in a fault": (
        (dump(SUBMIT), dump(RS_FAULT, "0")),
        "soap/transaction-echo", "/Envelope/Header/TransactionID", "0 for t-1",
    ),
    "the same TransactionID": (
        (dump(SUBMIT), dump(SUBMITTED), dump(replace(SUBMIT, subject="Other")), dump(SUBMITTED)),
        "soap/transaction-repeated", "/Envelope/Header/TransactionID", "t-1",
    ),
    "the other's answer": (
        (dump(SUBMIT), dump(DeliverRsp())),
        "sem/rsp-matches-req", "/Envelope/Body/DeliverRsp", "DeliverRsp for SubmitReq",
    ),
    "another operation's answer": (
        (dump(CancelReq(vaspid="FERRY", vasid="Times", message_id="M-0077")), dump(SUBMITTED)),
        "sem/rsp-matches-req", "/Envelope/Body/SubmitRsp", "SubmitRsp for CancelReq",
    ),
    "a request as an answer": (
        (dump(SUBMIT), captures.dump(captures.wire(DELIVER), start="HTTP/1.1 200 OK").replace(b"ferry-1", b"t-1", 1)),
        "sem/rsp-matches-req", "/Envelope/Body/DeliverReq", "DeliverReq for SubmitReq",
    ),
    "RSErrorRsp from the VASP": (
        (dump(DELIVER), dump(RS_FAULT)),
        "soap/fault-detail-role", "/Envelope/Body/Fault/detail/RSErrorRsp", "RSErrorRsp for VASPErrorRsp",
    ),
    "VASPErrorRsp from the MMSC": (
        (dump(SUBMIT), dump(VASP_FAULT)),
        "soap/fault-detail-role", "/Envelope/Body/Fault/detail/VASPErrorRsp", "VASPErrorRsp for RSErrorRsp",
    ),
    "another number": (
        (dump(SUBMIT), dump(SUBMITTED), dump(report(recipient="+4930999999"), "t-2")),
        "sem/report-recipient", "/Envelope/Body/DeliveryReportReq/Recipient", "+4930999999",
    ),
    "a number that lost its zeros": (
        (dump(SUBMIT), dump(SUBMITTED), dump(report("m-0077@mmsc"), "t-2")),
        "sem/report-message-id", "/Envelope/Body/DeliveryReportReq/MessageID", "m-0077@mmsc; issued was M-0077",
    ),
    "a read reply likewise": (
        (dump(SUBMIT), dump(SUBMITTED), dump(read_reply("m-0077"), "t-2")),
        "sem/report-message-id", "/Envelope/Body/ReadReplyReq/MessageID", "m-0077; issued was M-0077",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad(name: str) -> None:
    """Each fault raises its finding alone, at its place, with what was met."""
    dumps, id, where, detail = BAD[name]
    [found] = judged(*dumps)
    assert (found.id, found.where, found.detail) == (id, where, detail)
    assert found.level == KINDS[id].level


def test_every_pair_rule_has_a_bad_example() -> None:
    """A rule that no fixture raises is no rule; the one missing in the table has a test of its own below."""
    assert {one[1] for one in BAD.values()} | {"sem/rsp-version"} == {*pairs.OF_PAIRS, *pairs.OF_DIALOGUES}


def test_answer_in_another_namespace() -> None:
    """Namespace and version other than the request's are told apart, each at its place."""
    found = judged(dump(SUBMIT, profile=OLD), dump(SUBMITTED, profile=NEW))
    assert ids(found) == ["sem/rsp-version", "sem/rsp-version"]
    assert [one.where for one in found] == ["/Envelope/Body/SubmitRsp", "/Envelope/Body/SubmitRsp/MM7Version"]
    assert found[0].detail == f"namespace {NEW} for {OLD}"


def test_answer_in_another_version() -> None:
    """The version alone is told, too."""
    other = captures.bent(dump(SUBMITTED), b"6.8.0</mm7:MM7Version>", b"6.7.0</mm7:MM7Version>")
    [found] = judged(dump(SUBMIT), other)
    assert (found.id, found.detail) == ("sem/rsp-version", "MM7Version 6.7.0 for 6.8.0")


def test_alias_of_a_namespace_is_no_other() -> None:
    """``https:`` for ``http:`` is told by its own rule, not here."""
    answer = dump(SUBMITTED)
    while b'"http://www.3gpp' in answer:
        answer = captures.bent(answer, b'"http://www.3gpp', b'"https://www.3gpp')
    alias = answer
    assert judged(dump(SUBMIT), alias) == []


def test_same_request_again_is_no_other_request() -> None:
    """A request that is sent again, octet by octet, keeps its TransactionID rightly."""
    again = dump(SUBMIT)
    assert judged(again, dump(SUBMITTED), again, dump(SUBMITTED)) == []


def test_transactions_of_other_senders_and_files() -> None:
    """TransactionIDs of different VASPs, or of different files, have nothing to do with each other."""
    other = replace(SUBMIT, vaspid="TRAIN")
    assert judged(dump(SUBMIT), dump(SUBMITTED), dump(other), dump(SUBMITTED)) == []
    found = [
        verdict.judge(one)
        for name, message in (("one", SUBMIT), ("two", replace(SUBMIT, subject="x")))
        for one in capture.messages(name, dump(message))
    ]
    assert [one.findings for one in pairs.judge(found)] == [one.findings for one in found]


def test_report_on_what_is_older_than_the_capture() -> None:
    """A MessageID that resembles none of those issued is only mentioned: the capture may have begun late."""
    [found] = judged(dump(SUBMIT), dump(SUBMITTED), dump(report("Z-9"), "t-2"))
    assert (found.id, found.level) == ("sem/report-message-id", "INFO")
    assert found.detail == "Z-9 was not issued within the capture"


def test_report_before_its_answer() -> None:
    """A MessageID issued only later does not count as issued before, and nothing is known to compare with."""
    assert judged(dump(report("M-0077"), "t-9"), dump(DeliveryReportRsp(), "t-9"), dump(SUBMIT), dump(SUBMITTED)) == []


def test_damaged_messages_are_passed_over() -> None:
    """Where either side cannot be read, the rules keep silent."""
    broken = captures.bent(dump(SUBMITTED), b"</mm7:SubmitRsp>", b"")
    assert judged(dump(SUBMIT), broken) == []
    assert judged(captures.bent(dump(SUBMIT), b"</mm7:SubmitReq>", b""), dump(SUBMITTED)) == []
    html = b"HTTP/1.1 401 No\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"
    assert judged(dump(SUBMIT), html) == []


def test_cancel_and_its_answer() -> None:
    """An answer of the right operation is silent in every namespace that has it."""
    for profile in (OLD, NEW):
        cancel = CancelReq(vaspid="FERRY", vasid="Times", message_id="M-0077")
        assert judged(dump(cancel, profile=profile), dump(CancelRsp(), profile=profile)) == []
