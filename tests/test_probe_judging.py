"""The examiner's judgement by itself: outcomes, stimuli, and each common assertion with an answer that breaks it."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from mm7zeep import Part, ShortCode, SubmitReq
from mm7zeep.probe import accept
from mm7zeep.probe.accept import BAD_XML, CLOSED, FAULT, H4XX, OK, PARTIAL, REF, H, Outcome
from mm7zeep.probe.assertion import Exchange
from mm7zeep.probe.common import COMMON
from mm7zeep.probe.reading import Said
from mm7zeep.probe.results import Reason, Report, Result, Transmission, as_dict, from_dict, verdict_of
from mm7zeep.probe.settings import Account
from mm7zeep.probe.stimulus import Stimulus, of
from mm7zeep.probe.wire import Answer
from mm7zeep.profiles import NAMESPACE_PREFIX, NAMESPACES, SOAP_NAMESPACE

NS = NAMESPACE_PREFIX + "REL-6-MM7-1-4"
STATUS = "<Status><StatusCode>{}</StatusCode><StatusText>{}</StatusText></Status>"
RSP = f'<SubmitRsp xmlns="{NS}"><MM7Version>6.8.0</MM7Version>{{}}<MessageID>m-1</MessageID></SubmitRsp>'
DETAIL = f'<RSErrorRsp xmlns="{NS}"><MM7Version>6.8.0</MM7Version>{{}}</RSErrorRsp>'
FAULTED = (
    "<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring><detail>" + DETAIL + "</detail></s:Fault>"
)

BARE = "<s:Fault><faultcode>{}</faultcode><faultstring>no</faultstring><detail>{}</detail></s:Fault>"


def enveloped(body: str, header: str | None = None) -> bytes:
    """An envelope around a body."""
    held = f'<TransactionID xmlns="{NS}" s:mustUnderstand="1">t-1</TransactionID>' if header is None else header
    return (
        f'<s:Envelope xmlns:s="{SOAP_NAMESPACE}"><s:Header>{held}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


def accepted(code: int = 1000, text: str = "Success") -> bytes:
    """A SubmitRsp."""
    return enveloped(RSP.format(STATUS.format(code, text)))


def refused(code: int = 2004, text: str = "Multimedia content refused") -> bytes:
    """A Fault."""
    return enveloped(FAULTED.format(STATUS.format(code, text)))


def answer(body: bytes = b"", status: int = 200, content_type: str | None = "text/xml; charset=utf-8") -> Answer:
    """An answer as it is read from a socket."""
    fields = () if content_type is None else (("Content-Type", content_type),)
    return Answer(sent=b"", raw=b"HTTP/1.1 x\r\n\r\n" + body, status=status, fields=fields, body=body, framing="length")


ASKED = Stimulus(envelope="", transaction_id="t-1", namespace=NS, version="6.8.0")


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        (answer(accepted()), {"OK"}),
        (answer(accepted(), 202), {"OK"}),
        (answer(accepted(1100, "Partial success")), {"1100"}),
        (answer(accepted(2004, "no")), {"REF"}),
        (answer(accepted(2999, "no")), {"near REF"}),
        (answer(accepted(4004, "no")), set()),
        (answer(refused(), 500), {"REF", "FAULT"}),
        (answer(refused(1000, "Success"), 500), {"FAULT"}),
        (answer(enveloped(BARE.format("s:Client", "")), 500), {"near REF", "FAULT"}),
        (answer(enveloped(BARE.format("s:Server.Busy", "")), 500), {"near REF"}),
        (answer(enveloped(BARE.format("s:MustUnderstand", "")), 500), set()),
        (answer(enveloped(BARE.format("s:VersionMismatch", "")), 500), set()),
        (answer(enveloped(BARE.format("", "")), 500), set()),
        (answer(enveloped(BARE.format("m:Refused", DETAIL.format(""))), 500), {"near REF"}),
        (answer(enveloped(BARE.format("m:Refused", "<a/>")), 500), set()),
        (answer(b"", 404, None), {"H4xx", "near H400"}),
        (answer(b"", 400, None), {"H4xx", "H400"}),
        (answer(b"<html/>", 200, "text/html"), set()),
        (answer(b"", 200, None), set()),
        (answer(b"", 503, None), set()),
        (Answer(sent=b"", ended="closed"), {"closed"}),
        (Answer(sent=b"", ended="timeout"), set()),
    ],
)
def test_outcomes(said: Answer, fits: set[str]) -> None:
    """Which outcomes an answer is."""
    known: dict[str, Outcome] = {
        "OK": OK, "1100": PARTIAL, "REF": REF(2004), "FAULT": FAULT("Client"), "H4xx": H4XX, "H400": H(400),
        "closed": CLOSED,
    }  # fmt: skip
    found = {name: one.fits(Said(said)) for name, one in known.items()}
    assert {("near " if fit == "near" else "") + name for name, fit in found.items() if fit != "no"} == fits


def test_best_outcome() -> None:
    """One that fits is enough, and near is better than nothing."""
    assert accept.best(Said(answer(b"", 400, None)), BAD_XML) == "yes"
    assert accept.best(Said(answer(accepted(2010, "x"))), (FAULT(), REF(2001))) == "near"
    assert accept.best(Said(answer(accepted())), BAD_XML) == "no"


# --- the common assertions --------------------------------------------------------------------------------------------

GOOD = answer(accepted())
BAD = answer(refused(), 500)


def changed(old: str, new: str, sound: Answer = GOOD) -> Answer:
    """A sound answer with one thing changed."""
    assert sound.body.count(old.encode()) == 1, sound.body
    body = sound.body.replace(old.encode(), new.encode())
    return replace(sound, body=body, raw=b"HTTP/1.1 x\r\n\r\n" + body)


BROKEN: list[tuple[str, Answer]] = [
    ("answer/http-status", replace(GOOD, status=202)),
    ("answer/http-status", replace(BAD, status=200)),
    ("answer/content-type", replace(GOOD, fields=())),
    ("answer/content-type", replace(GOOD, fields=(("Content-Type", "application/soap+xml; charset=utf-8"),))),
    ("answer/content-type", replace(GOOD, fields=(("Content-Type", "text/xml"),))),
    ("answer/length", replace(GOOD, faults=("a chunk begins with b'zz'",))),
    ("answer/well-formed", answer(b"<a>")),
    ("answer/well-formed", answer(b"")),
    ("answer/well-formed", changed("<s:Envelope ", "<!DOCTYPE x><s:Envelope ")),
    ("answer/well-formed", changed("<s:Envelope ", "<?x y?><s:Envelope ")),
    ("answer/schema", changed("<MessageID>m-1</MessageID>", "<MessageID>m-1</MessageID><Colour>red</Colour>")),
    ("answer/transaction-id", changed(">t-1<", ">t-2<")),
    ("answer/transaction-mu", changed(' s:mustUnderstand="1"', "")),
    ("answer/fault-code", changed("s:Client", "Client", BAD)),
    ("answer/fault-code", changed("s:Client", "q:Client", BAD)),
    ("answer/fault-code", changed("s:Client", "s:Broken", BAD)),
    ("answer/fault-class", changed("s:Client", "s:Server", BAD)),
    ("answer/status-known", changed("1000", "1234")),
    ("answer/status-text", changed("Success", "Fine")),
    ("answer/status-text", changed("Success", "")),
    ("answer/leak", changed(">m-1<", "> /usr/lib/mm7/m-1<")),
    ("answer/foreign", changed(">t-1<", ">t-other<")),
    ("answer/version", changed("6.8.0", "5.3.0")),
    (
        "answer/namespace",
        replace(GOOD, body=GOOD.body.replace(b"REL-6-MM7-1-4", b"REL-6-MM7-1-3").replace(b"6.8.0", b"6.6.0")),
    ),
]


def judged(said: Answer, stimulus: Stimulus = ASKED) -> dict[str, list[Reason]]:
    """What the common assertions find, by their ids."""
    exchange = Exchange(
        role="mmsc", stimulus=stimulus, answer=said, said=Said(said), used=frozenset({"t-other", "t-9"})
    )
    found = {one.id: list(one.check(exchange)) for one in COMMON if one.asks(exchange)}
    return {id: reasons for id, reasons in found.items() if reasons}


@pytest.mark.parametrize("sound", [GOOD, BAD, answer(b"", 404, None), answer(b"gone", 410, "text/plain")])
def test_sound_answers_pass(sound: Answer) -> None:
    """Nothing is found in what is right, nor asked of the body of a plain HTTP refusal."""
    assert judged(sound) == {}


@pytest.mark.parametrize(("id", "said"), BROKEN, ids=[f"{id}-{n}" for n, (id, _) in enumerate(BROKEN)])
def test_one_fault_is_found_by_one_assertion(id: str, said: Answer) -> None:
    """Each fault is found by the assertion that states it, and by no other."""
    assert list(judged(said)) == [id]


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        (changed("<faultstring>no</faultstring>", "", BAD), ["answer/schema", "answer/fault-children"]),
        (changed("<detail>" + DETAIL.format(STATUS.format(2004, "Multimedia content refused")) + "</detail>", "", BAD),
         ["answer/fault-children"]),
        (answer(enveloped(RSP.format(STATUS.format(1000, "Success")).replace("SubmitRsp", "CancelRsp"))),
         ["answer/schema", "answer/operation"]),
        (changed("</s:Body>", "</s:Body><s:Body/>"), ["answer/envelope", "answer/schema"]),
        (changed("</s:Fault>", "</s:Fault><x/>", BAD), ["answer/fault-place"]),
        (changed("6.8.0", "9.9.9"), ["answer/schema", "answer/version"]),
        (answer(refused().replace(b"RSErrorRsp", b"VASPErrorRsp"), 500), ["answer/fault-detail"]),
        (changed("<StatusText>Success</StatusText>", ""), ["answer/schema", "answer/status-text"]),
    ],
)  # fmt: skip
def test_faults_that_two_texts_forbid(said: Answer, ids: list[str]) -> None:
    """What breaks the schema, too, is found by both."""
    assert sorted(judged(said)) == sorted(ids)


def test_every_common_assertion_has_a_broken_example() -> None:
    """None is there that no answer breaks."""
    by_one = {id for id, _ in BROKEN}
    by_two = {"answer/fault-children", "answer/operation", "answer/envelope", "answer/fault-place"}
    assert by_one | by_two | {"answer/fault-detail"} == {one.id for one in COMMON}
    assert len(COMMON) == 20


# --- stimuli ----------------------------------------------------------------------------------------------------------


def sound_submit() -> Stimulus:
    """A submit of a text."""
    message = SubmitReq(vaspid="V", vasid="S", to=[ShortCode("4711")], subject="Probe")
    part = Part(body=b"hello", content_type="text/plain")
    return of(
        message, [part], profile=NAMESPACES[NS], transaction_id="t-1", account=Account(username="a", password="b")
    )


def test_stimulus_is_written_as_it_stands() -> None:
    """Line, Host, credentials, type, length, and the parts."""
    octets = sound_submit().octets(urlsplit("http://user@mmsc.example:8080/mm7?x=1"))
    head, _, body = octets.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /mm7?x=1 HTTP/1.1\r\nHost: mmsc.example:8080\r\nAuthorization: Basic YTpi\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert body.endswith(b"\r\n\r\nhello\r\n--mm7zeep-probe--\r\n")


def test_a_change_that_changes_nothing_is_refused() -> None:
    """What is to be changed has to be there once."""
    made = sound_submit()
    for change in (
        lambda: made.without("ExpiryDate"),
        lambda: made.edit("Probe!", ""),
        lambda: made.edit("<", ""),
        lambda: made.without_header("X-None"),
        lambda: made.edited_body(b"nowhere", b""),
        lambda: made.without("Content").reference(),
    ):
        with pytest.raises(ValueError, match=r"envelope|header|body|Content|elements"):
            change()


def test_elements_are_put_where_they_are_wanted() -> None:
    """Before, behind, first, last, in the place of another, and in the Header."""
    made = sound_submit().before("Subject", "<A/>").after("Subject", "<B/>").first("<C/>").last("<D/>")
    made = made.instead("Recipients", "<E/>").header_block("<F/>").transaction("&lt;", "<")
    for piece in (
        "<A/><Subject>Probe</Subject><B/>",
        "><C/><MM7Version>",
        "<D/></SubmitReq>",
        "</SenderIdentification><E/>",
        ">&lt;</TransactionID><F/>",
    ):
        assert piece in made.envelope
    assert made.transaction_id == "<"


# --- results ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reasons", "word"),
    [
        ([], "PASS"),
        ([Reason(level="INFO", text="x")], "INFO"),
        ([Reason(level="SHOULD", text="x"), Reason(level="INFO", text="x")], "WARN"),
        ([Reason(level="SHOULD", text="x"), Reason(level="MUST", text="x")], "FAIL"),
        ([Reason(level="MUST", text="x", hang=True)], "HANG"),
        ([Reason(level="MUST", text="x", hang=True), Reason(level="MUST", text="y")], "FAIL"),
    ],
)
def test_verdicts(reasons: list[Reason], word: str) -> None:
    """The worst reason makes the verdict."""
    assert verdict_of(reasons) == word


def test_report_goes_through_json() -> None:
    """What is written is read back; what is no report is refused with a word."""
    sent = Transmission(by="tool", sent=b"\x00a", received=b"\xff", ended="whole")
    result = Result(id="a/b", role="mmsc", level="MUST", clause="c", requirement="r.", verdict="FAIL",
                    reasons=(Reason(level="MUST", text="t", exchange=0, offset=3),), transmissions=(sent,))  # fmt: skip
    report = Report(url="http://x/", role="mmsc", started="2026-01-01T00:00:00+00:00", took=1.0, seed=1, version="0",
                    results=(result,), options={"a": "b"})  # fmt: skip
    assert from_dict(as_dict(report)) == report
    for odd in ({}, {"format": 2}, [], {**as_dict(report), "results": [{"id": "x"}]}):
        with pytest.raises(ValueError, match="report"):
            from_dict(odd)  # type: ignore[arg-type]


def test_a_fault_in_another_place_is_no_other_operation() -> None:
    """An element around the Fault is what answer/fault-place is about, and nothing else."""
    wrapped = BAD.body.replace(b"<s:Fault>", b'<x:error xmlns:x="urn:x"><s:Fault>').replace(
        b"</s:Fault>", b"</s:Fault></x:error>"
    )
    assert wrapped != BAD.body
    assert set(judged(replace(BAD, body=wrapped))) == {"answer/fault-place"}
