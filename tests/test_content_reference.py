"""Content and what it names: understood where one part only can be meant, otherwise refused alike at every door."""

from __future__ import annotations

import pytest
from envelopes import MINIMAL, VERSION, WHO, part, sent, wire

from mm7zeep.conformance import verdict
from mm7zeep.conformance.input import capture
from mm7zeep.errors import LocalError
from mm7zeep.exchange import Wire, examine, pack, unpack
from mm7zeep.messages import DeliverReq, Fault, SubmitReq
from mm7zeep.profiles import NAMESPACES, Policy
from mm7zeep.receiver import Receiver

LATE = "REL-6-MM7-1-4"
EXTENDED = f"{VERSION}<VASPID>Kiosk</VASPID><ReplaceID>m-1</ReplaceID>"
CARRYING = {
    **{name: MINIMAL[name] for name in ("SubmitReq", "DeliverReq", "ReplaceReq")},
    "extendedReplaceReq": EXTENDED,
}
NOTHING = {
    "no href": "<Content/>",
    "an empty href": '<Content href=""/>',
    "a blank href": '<Content href=" &#9; "/>',
    "cid alone": '<Content href="cid:"/>',
    "cid and a blank": '<Content href="cid: "/>',
    "cid and brackets": '<Content href="cid:&lt;&gt;"/>',
    "an escaped blank": '<Content href="cid:%20"/>',
    "a text": "<Content>hello</Content>",
    "a text that is a URL": "<Content>cid:note@kiosk.example</Content>",
    "what did not come": '<Content href="cid:boat@kiosk.example"/>',
    "another attribute": '<Content src="cid:note@kiosk.example"/>',
    "capitals": '<Content HREF="cid:note@kiosk.example"/>',
    "an element": "<Content><href>cid:note@kiosk.example</href></Content>",
    "adaptations alone": '<Content allowAdaptations="true"/>',
}
UNDERSTOOD = ("what did not come", "another attribute", "capitals", "an element", "a text that is a URL")


def carrying(operation: str, content: str, schema: str = LATE) -> str:
    """A request of ``operation`` with ``content`` at its end."""
    return sent(operation, CARRYING[operation] + content, schema)


def http(given: Wire) -> bytes:
    """The same as a capture."""
    lines = ["POST /mm7 HTTP/1.1", "Host: kiosk.example", 'SOAPAction: ""', *(f"{k}: {v}" for k, v in given.headers)]
    body = given.read()
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@pytest.mark.parametrize("policy", ["strict", "interop"])
@pytest.mark.parametrize("operation", CARRYING)
@pytest.mark.parametrize("content", NOTHING.values(), ids=NOTHING)
def test_content_without_a_part(content: str, operation: str, policy: Policy) -> None:
    """What names nothing that came is a 2004 for ``unpack`` and ``check``; lenient delivers it with findings."""
    given = wire(carrying(operation, content))
    judged = examine(given, policy=policy)
    assert judged.error is not None
    assert (type(judged.error).__name__, judged.error.status) == ("EnvelopeError", 2004)
    assert judged.error.transaction_id == "t-1"
    [captured] = capture.messages("x", http(given))
    seen = verdict.judge(captured, policy=policy)
    assert (seen.judgement.accepted, seen.judgement.error and seen.judgement.error.status) == (False, 2004)
    borne = {one.id: one.action for one in unpack(given, policy="lenient").findings}
    assert borne["sem/content-without-part"] == borne["sem/content-href-resolves"] == "noted"


@pytest.mark.parametrize("schema", [profile.schema for profile in NAMESPACES.values()])
def test_content_without_a_part_in_every_namespace(schema: str) -> None:
    """The namespace makes no difference."""
    inner = MINIMAL["SubmitReq"].replace("+", "")
    judged = examine(wire(sent("SubmitReq", inner + "<Content/>", schema)))
    assert judged.error is not None
    assert judged.error.status == 2004


@pytest.mark.parametrize("content", NOTHING.values(), ids=NOTHING)
def test_receiver_refuses_it(content: str) -> None:
    """The receiver answers 2004, naming the transaction, and calls nobody."""
    receiver = Receiver()

    @receiver.on_deliver
    def deliver(message: object) -> None:
        raise AssertionError("called")

    answer = unpack(receiver.answer(wire(carrying("DeliverReq", content))))
    assert isinstance(answer.message, Fault)
    assert (answer.message.status.code, answer.transaction_id) == (2004, "t-1")


@pytest.mark.parametrize("operation", CARRYING)
@pytest.mark.parametrize("name", NOTHING)
def test_one_part_is_meant(name: str, operation: str) -> None:
    """Where one part came it is the content, however it is named; a MUST finding says what was wrong."""
    received = unpack(wire(carrying(operation, NOTHING[name]), part()))
    assert [one.read() for one in received.parts] == [b"High water 06:12"]
    assert received.message.parts == received.parts  # type: ignore[attr-defined]
    assert any(one.level == "MUST" for one in received.findings)
    named = [one for one in received.findings if one.id == "sem/content-href-resolves"]
    assert bool(named) == (name in ("what did not come", *(one for one in NOTHING if one not in UNDERSTOOD)))


@pytest.mark.parametrize("name", NOTHING)
def test_of_two_parts_none_is_meant(name: str) -> None:
    """Of several parts the one that is named is the content; where none is, the message is refused."""
    given = wire(carrying("SubmitReq", NOTHING[name]), part(), part("<more@kiosk.example>"))
    judged = examine(given)
    if name in UNDERSTOOD[1:]:
        assert judged.error is None
        assert unpack(given).message.content_href == "cid:note@kiosk.example"  # type: ignore[attr-defined]
    else:
        assert judged.error is not None
        assert judged.error.status == 2004
    assert len(unpack(given, policy="lenient").parts) == 2


@pytest.mark.parametrize("inside", ["<part/>", "<v:x xmlns:v='urn:v'>1</v:x>", "<href>note</href>"])
def test_element_inside_content(inside: str) -> None:
    """An element in Content that is not understood is a 2004, also where the href names a part."""
    text = carrying("SubmitReq", f'<Content href="cid:note@kiosk.example">{inside}</Content>')
    judged = examine(wire(text, part()))
    assert judged.error is not None
    assert judged.error.status == 2004
    [kept] = unpack(wire(text, part()), policy="lenient").message.extensions
    assert kept.parent == "Content"


@pytest.mark.parametrize("name", ["submitReq", "SUBMITREQ", "SubmitReq"])
def test_case_of_the_operation(name: str) -> None:
    """An operation in another case of letters is judged like its own."""
    text = carrying("SubmitReq", '<Content href="%s"/>').replace("SubmitReq", name)
    assert unpack(wire(text % "cid:note@kiosk.example", part(), part("<more@kiosk.example>"))).parts
    judged = examine(wire(text % ""))
    assert judged.error is not None
    assert judged.error.status == 2004


@pytest.mark.parametrize("operation", ["CancelReq", "SubmitRsp", "DeliveryReportReq"])
def test_operation_that_carries_no_content(operation: str) -> None:
    """Where no Content belongs, one is a vendor's element like any other, and no answer is lost for it."""
    received = unpack(wire(sent(operation, MINIMAL[operation] + "<Content/>")))
    assert [one.name for one in received.message.extensions] == ["Content"]


def test_two_contents() -> None:
    """Of two Contents nobody can know which one is meant."""
    two = '<Content href="cid:note@kiosk.example"/><Content href="cid:more@kiosk.example"/>'
    judged = examine(wire(carrying("SubmitReq", two), part(), part("<more@kiosk.example>")))
    assert judged.error is not None
    assert judged.error.status == 4004


@pytest.mark.parametrize("kind", [SubmitReq, DeliverReq])
def test_writer_names_no_content_without_parts(kind: type[SubmitReq] | type[DeliverReq]) -> None:
    """What every reader would refuse is not written."""
    with pytest.raises(LocalError, match="there are no parts"):
        pack(kind(content_href="cid:note@kiosk.example"))


def test_bare_envelope() -> None:
    """Of an envelope in a file, nobody knows which parts it came with: noted, not refused."""
    data = carrying("SubmitReq", "<Content/>").encode()
    judged = examine(Wire(body=data))
    assert judged.error is None
    assert [one.action for one in judged.findings if one.id == "sem/content-href-resolves"] == ["noted"]


def test_unnamed_content_beside_another_reason() -> None:
    """What refuses a message for another reason keeps its status; the content is told besides."""
    judged = examine(wire(sent("SubmitReq", f"{VERSION}{WHO}<Content/>", LATE)))
    assert judged.error is not None
    assert judged.error.status == 4004
    assert "sem/content-without-part" in [one.id for one in judged.findings]
