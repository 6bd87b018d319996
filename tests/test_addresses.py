"""Addresses on the wire: every one is understood, or the message is refused; what they carry survives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from envelopes import FROM, MINIMAL, REPORTED, TO, VERSION, WHO, fault, message, sent, wire
from envelopes import envelope as enveloped

from mm7zeep.conformance import verdict
from mm7zeep.conformance.input import capture
from mm7zeep.errors import LocalError, SchemaError
from mm7zeep.exchange import Received, examine, pack, unpack
from mm7zeep.messages import (
    Address,
    DeliverReq,
    DeliveryReportReq,
    Fault,
    Message,
    Number,
    PreviouslySent,
    ReadReplyReq,
    RFC2822Address,
    ShortCode,
    SubmitReq,
)
from mm7zeep.profiles import NAMESPACES, Policy
from mm7zeep.receiver import Receiver

EARLY, LATE = "REL-5-MM7-1-0", "REL-6-MM7-1-4"
SCHEMAS = [profile.schema for profile in NAMESPACES.values()]
RELEASE_6 = [one for one in SCHEMAS if one.startswith("REL-6")]
SEVEN = "<Number>7</Number>"
AT = "<RFC2822Address>7@kiosk.example</RFC2822Address>"
ENDS = {
    "DeliveryReportReq": "<Date>2026-03-01T06:00:00Z</Date><MMStatus>Retrieved</MMStatus>",
    "ReadReplyReq": "<TimeStamp>2026-03-01T06:00:00Z</TimeStamp><MMStatus>Read</MMStatus>",
}


def holding(holder: str, inside: str, schema: str = LATE) -> str:
    """A request whose ``holder`` holds ``inside``."""
    element = f"<{holder}>{inside}</{holder}>"
    match holder:
        case "To" | "Cc" | "Bcc":
            text = f"{VERSION}{WHO}<Recipients>{element}</Recipients>"
        case "Recipients":
            text = f"{VERSION}{WHO}{element}"
        case "SenderAddress":
            text = f"{VERSION}<SenderIdentification>{element}</SenderIdentification>{TO}"
        case "Sender":
            return sent("DeliverReq", VERSION + element, schema)
        case "UserAgent":
            return sent("DeliverReq", f"{VERSION}{FROM}<Previouslysentby>{element}</Previouslysentby>", schema)
        case _:
            return reported("DeliveryReportReq", element, schema)
    return sent("SubmitReq", text, schema)


def reported(operation: str, recipient: str, schema: str = LATE) -> str:
    """A report or a read reply on ``recipient``."""
    old = "<Recipient><Number>+1</Number></Recipient>"
    return sent(operation, VERSION + REPORTED.replace(old, recipient) + ENDS[operation], schema)


def held(holder: str, received: Received) -> tuple[Address | None, ...]:
    """The addresses that were read out of ``holder``."""
    asked = received.message
    if isinstance(asked, SubmitReq):
        name = {"Recipients": "to", "SenderAddress": "sender_address"}.get(holder, holder.lower())
        found = getattr(asked, name)
        return found if isinstance(found, tuple) else (found,)
    if holder == "UserAgent":
        assert isinstance(asked, DeliverReq)
        return tuple(one.address for one in asked.previously_sent)
    return (getattr(asked, holder.lower()),)


HOLDERS = ("To", "Cc", "Bcc", "SenderAddress", "Sender", "Recipient", "UserAgent")
ALIASES = {
    "RFC822Address": RFC2822Address("7@kiosk.example"),
    "rfc822address": RFC2822Address("7@kiosk.example"),
    "RFC2822address": RFC2822Address("7@kiosk.example"),
    "number": Number("7"),
    "NUMBER": Number("7"),
    "Shortcode": ShortCode("7"),
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("name", ALIASES)
def test_alias(name: str, holder: str) -> None:
    """An address under a name that can mean one thing only is that address, with a MUST finding; strict refuses it."""
    wanted = ALIASES[name]
    text = holding(holder, f"<{name}>{wanted.value}</{name}>")
    received = unpack(wire(text))
    assert held(holder, received) == (wanted,)
    assert [(one.id, one.action) for one in received.findings] == [("schema/address-name", "repaired")]
    assert examine(wire(text), policy="strict").error is not None


@pytest.mark.parametrize("schema", SCHEMAS)
def test_alias_in_every_namespace(schema: str) -> None:
    """The namespace makes no difference, qualified or not."""
    text = holding("To", "<RFC822Address>a@b.example</RFC822Address>", schema)
    for given in (text, text.replace("<RFC822Address>", '<RFC822Address xmlns="">')):
        read = unpack(wire(given)).message
        assert isinstance(read, SubmitReq)
        assert read.to == (RFC2822Address("a@b.example"),)


UNKNOWN = {
    "another name": "<MSISDN>7</MSISDN>",
    "a vendor's": '<v:Number xmlns:v="urn:v">7</v:Number>',
    "beside a good one": f"{SEVEN}<MSISDN>8</MSISDN>",
    "before a good one": f"<MSISDN>8</MSISDN>{SEVEN}",
    "around an address": f"<Except>{SEVEN}</Except>",
    "a wrapper that says more": f'<Recipient displayOnly="true">{SEVEN}</Recipient>',
    "a wrapper with a text": f"<Recipient>8{SEVEN}</Recipient>",
    "an element in the address": "<Number>7<x/>8</Number>",
    "text beside an element": f"8{SEVEN}",
    "a coding that nobody knows": '<Number addressCoding="rot13">7</Number>',
    "displayOnly that nobody knows": '<Number displayOnly="perhaps">7</Number>',
}


@pytest.mark.parametrize("policy", ["strict", "interop"])
@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("inside", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_element(inside: str, holder: str, policy: Policy) -> None:
    """What is not understood where addresses belong refuses the message with 2002; lenient keeps it."""
    given = wire(holding(holder, inside))
    judged = examine(given, policy=policy)
    assert isinstance(judged.error, SchemaError)
    assert (judged.error.status, judged.error.transaction_id) == (2002, "t-1")
    borne = unpack(given, policy="lenient")
    assert "refused" not in [one.action for one in borne.findings]
    assert borne.message.extensions or borne.message.unparsed


@pytest.mark.parametrize("inside", ["<MSISDN>7</MSISDN>", f"<Except><To>{SEVEN}</To></Except>", f"{TO}8"])
def test_unknown_element_in_recipients(inside: str) -> None:
    """So it is directly in Recipients, of a submit as of an MO, where they may be absent."""
    for given in (
        holding("Recipients", f"<To>{SEVEN}</To>{inside}"),
        sent("DeliverReq", f"{VERSION}{FROM}<Recipients>{inside}</Recipients>", LATE),
    ):
        judged = examine(wire(given))
        assert judged.error is not None
        assert judged.error.status == 2002


def test_receiver_and_check_refuse_it() -> None:
    """The receiver answers 2002 and calls nobody; ``check`` rejects."""
    receiver = Receiver()

    @receiver.on_deliver
    def deliver(message: object) -> None:
        raise AssertionError("called")

    given = wire(holding("Sender", "<MSISDN>7</MSISDN>"))
    answer = unpack(receiver.answer(given))
    assert isinstance(answer.message, Fault)
    assert (answer.message.status.code, answer.transaction_id) == (2002, "t-1")
    [captured] = capture.messages("x", given.read())
    assert not verdict.judge(captured).accepted


NOBODY = {
    "an empty Recipients": ("SubmitReq", f"{VERSION}{WHO}<Recipients/>"),
    "an empty To": ("SubmitReq", f"{VERSION}{WHO}<Recipients><To/></Recipients>"),
    "an empty Number": ("SubmitReq", f"{VERSION}{WHO}<Recipients><To><Number/></To></Recipients>"),
    "a blank Number": ("SubmitReq", f"{VERSION}{WHO}<Recipients><To><Number> </Number></To></Recipients>"),
    "an empty Sender": ("DeliverReq", f"{VERSION}<Sender/>"),
    "an empty address of a Sender": ("DeliverReq", f"{VERSION}<Sender><Number/></Sender>"),
}


@pytest.mark.parametrize("name", NOBODY)
def test_nobody(name: str) -> None:
    """A holder that holds no address is refused where one is needed."""
    operation, text = NOBODY[name]
    for policy in ("strict", "interop"):
        judged = examine(wire(sent(operation, text, LATE)), policy=policy)  # type: ignore[arg-type]
        assert judged.error is not None
        assert policy == "strict" or judged.error.status == 2002


@pytest.mark.parametrize(
    "inside", ["<To/>", "<To><Number/></To>", f"<To>{SEVEN}</To><Cc/>", f"<To>{SEVEN}<Number/></To>"]
)
def test_nobody_is_never_silent(inside: str) -> None:
    """Where it may be absent, an empty one is told."""
    received = unpack(wire(sent("DeliverReq", f"{VERSION}{FROM}<Recipients>{inside}</Recipients>", LATE)))
    assert "schema/empty-element" in [one.id for one in received.findings]


# --- Recipients and Recipient -----------------------------------------------------------------------------------------

ONE_OF_THEM = {
    "Recipients/Number": f"<Recipients>{SEVEN}</Recipients>",
    "Recipients/To/Number": f"<Recipients><To>{SEVEN}</To></Recipients>",
    "Recipients/Cc/Number": f"<Recipients><Cc>{SEVEN}</Cc></Recipients>",
    "Recipient/To/Number": f"<Recipient><To>{SEVEN}</To></Recipient>",
    "recipients/number": "<recipients><number>7</number></recipients>",
    "Recipients with text": "<Recipients>7</Recipients>",
    "Recipient with text": "<Recipient>7</Recipient>",
}
NOT_ONE = {
    "two": f"<Recipients>{SEVEN}{AT}</Recipients>",
    "two To": f"<Recipients><To>{SEVEN}</To><To>{AT}</To></Recipients>",
    "two in one To": f"<Recipients><To>{SEVEN}{AT}</To></Recipients>",
    "To and Cc": f"<Recipients><To>{SEVEN}</To><Cc>{AT}</Cc></Recipients>",
    "both": f"<Recipient>{SEVEN}</Recipient><Recipients>{AT}</Recipients>",
    "both, the other way round": f"<Recipients>{AT}</Recipients><Recipient>{SEVEN}</Recipient>",
    "none": "<Recipients/>",
    "an empty To": "<Recipients><To/></Recipients>",
    "unknown": "<Recipients><MSISDN>7</MSISDN></Recipients>",
}


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("operation", ENDS)
@pytest.mark.parametrize("recipient", ONE_OF_THEM.values(), ids=ONE_OF_THEM)
def test_recipients_of_a_report(recipient: str, operation: str, schema: str) -> None:
    """One address is the recipient wherever it stands, with a MUST finding."""
    received = unpack(wire(reported(operation, recipient, schema)))
    assert isinstance(received.message, DeliveryReportReq | ReadReplyReq)
    assert received.message.recipient == Number("7")
    assert received.message.sender == ShortCode("7")
    told = [one for one in received.findings if one.id in ("schema/address-name", "schema/address-untyped")]
    assert {one.level for one in told} == {"MUST"}


@pytest.mark.parametrize("operation", ENDS)
@pytest.mark.parametrize("recipient", NOT_ONE.values(), ids=NOT_ONE)
def test_recipients_of_a_report_that_are_not_one(recipient: str, operation: str) -> None:
    """Several, or none, and the report is refused with 2002."""
    judged = examine(wire(reported(operation, recipient)))
    assert isinstance(judged.error, SchemaError)
    assert judged.error.status == 2002


@pytest.mark.parametrize("operation", ["SubmitReq", "DeliverReq"])
@pytest.mark.parametrize(
    "recipients",
    [
        f"<Recipient>{SEVEN}</Recipient>",
        f"<Recipient><To>{SEVEN}</To></Recipient>",
        f"<Recipients>{SEVEN}</Recipients>",
        f"<Recipients><Recipient>{SEVEN}</Recipient></Recipients>",
        f"<Recipients><to>{SEVEN}</to></Recipients>",
        "<Recipient>7</Recipient>",
        "<Recipients>7</Recipients>",
    ],
)
def test_recipient_of_a_message(recipients: str, operation: str) -> None:
    """Recipient for Recipients, and an address without To, are somebody to send to; a MUST finding says so."""
    before = VERSION + (WHO if operation == "SubmitReq" else FROM)
    received = unpack(wire(sent(operation, before + recipients, LATE)))
    assert received.message.to == (Number("7"),)  # type: ignore[attr-defined]
    assert {one.level for one in received.findings} == {"MUST"}


@pytest.mark.parametrize("more", [TO, f"<Recipient>{SEVEN}</Recipient>"])
def test_recipients_twice(more: str) -> None:
    """Two lists of recipients are not one of them."""
    judged = examine(wire(sent("SubmitReq", VERSION + WHO + TO + more, LATE)))
    assert judged.error is not None
    assert judged.error.status in (2002, 4004)


# --- what an address carries ------------------------------------------------------------------------------------------

CODED = Number("q7Zr+/=0", coding="encrypted", id="a-1", display_only=True)
VEILED = RFC2822Address("0491570156", coding="obfuscated", id="a-2")
SHORT = ShortCode("+61400 /TYPE=PLMN", coding="encrypted", id="a-3")
MOMENT = datetime(2026, 3, 1, 6, tzinfo=UTC)
CARRIED: tuple[Message, ...] = (
    SubmitReq(sender_address=SHORT, to=(CODED, Number("+1")), cc=(VEILED,), bcc=(replace(SHORT, id="a-4"),)),
    DeliverReq(
        sender=VEILED, to=(CODED,), cc=(SHORT,), previously_sent=(PreviouslySent(address=replace(SHORT, id="b")),)
    ),
    DeliveryReportReq(message_id="m", recipient=CODED, sender=SHORT, date=MOMENT, mm_status="Retrieved"),
    ReadReplyReq(message_id="m", recipient=VEILED, sender=CODED, time_stamp=MOMENT, mm_status="Read"),
)


@pytest.mark.parametrize("schema", RELEASE_6)
@pytest.mark.parametrize("given", CARRIED, ids=lambda one: type(one).__name__)
def test_attributes_survive(given: Message, schema: str) -> None:
    """What every address carries comes back as it was written; the strict reader is content."""
    received = unpack(pack(given, profile=schema), policy="strict")
    assert received.findings == ()
    names = ("sender_address", "sender", "recipient", "to", "cc", "bcc", "previously_sent")
    for name in (one for one in names if hasattr(given, one)):
        assert getattr(received.message, name) == getattr(given, name)


@pytest.mark.parametrize("schema", [one for one in SCHEMAS if one not in RELEASE_6])
def test_attributes_before_release_6(schema: str) -> None:
    """A namespace without them: they are read by the latest, with a finding; written they are not, and never lost."""
    text = holding("To", '<Number addressCoding="encrypted" id="a" displayOnly="true">q7Zr==</Number>', schema)
    received = unpack(wire(text))
    assert isinstance(received.message, SubmitReq)
    assert received.message.to == (Number("q7Zr==", coding="encrypted", id="a", display_only=True),)
    assert received.namespace == NAMESPACES[received.namespace or ""].namespace
    told = [one.detail for one in received.findings if one.id == "schema/version-element"]
    assert told == [f"addressCoding is not in {schema}", f"id is not in {schema}"]
    with pytest.raises(LocalError, match="release 6 has it"):
        pack(received.message, profile=schema)
    shown = replace(received.message, to=(Number("7", display_only=True), Number("8")))
    assert unpack(pack(shown, profile=schema)).message.to == shown.to  # type: ignore[attr-defined]


def test_coded_address_is_passed_on_as_it_is() -> None:
    """Nothing of it is trimmed, told, or taken for a number."""
    text = holding("To", '<Number addressCoding="obfuscated"> 04 91/TYPE=PLMN@x </Number><Number>+1</Number>')
    received = unpack(wire(text), policy="strict")
    assert received.findings == ()
    assert isinstance(received.message, SubmitReq)
    first, second = received.message.to
    assert (first.value, first.bare) == (" 04 91/TYPE=PLMN@x ", " 04 91/TYPE=PLMN@x ")
    assert second == Number("+1")
    assert Number("+1/TYPE=PLMN").bare == "+1"


@pytest.mark.parametrize("attribute", ['displayOnly="true"', 'addressCoding="encrypted"'])
@pytest.mark.parametrize("holder", ["To", "SenderAddress", "Sender", "Recipient", "UserAgent"])
def test_attribute_in_the_wrong_place(holder: str, attribute: str) -> None:
    """What an address carries, on the element around it: which address is meant nobody can know."""
    text = holding(holder, SEVEN).replace(f"<{holder}>", f"<{holder} {attribute}>")
    judged = examine(wire(text))
    assert judged.error is not None
    assert judged.error.status == 2002
    refused = [one.detail for one in judged.findings if one.action == "refused"]
    assert refused == ["@" + attribute.replace('"', "")]


def test_attribute_value_that_nobody_knows() -> None:
    """The finding that refuses the message names the attribute and what it holds."""
    judged = examine(wire(holding("To", '<Number displayOnly="perhaps">7</Number>')))
    assert "@displayOnly=perhaps" in [one.detail for one in judged.findings if one.action == "refused"]


# --- faults under other names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["MM7VASPErrorRsp", "VaspErrorRsp", "vasperrorrsp", "MM7RSErrorRsp", "RsErrorRsp", "MM7RsErrorRsp"]
)
@pytest.mark.parametrize("schema", [EARLY, "REL-5-MM7-1-3", LATE, "urn:mm7", ""])
def test_faults_under_other_names(name: str, schema: str) -> None:
    """The StatusCode is read, in the detail of a Fault and straight in the Body; the name is a finding."""
    inner = message(name, MINIMAL["RSErrorRsp"], schema)
    for text in (enveloped(fault(inner)), enveloped(inner)):
        received = unpack(wire(text))
        assert received.message.status.code == 2002  # type: ignore[attr-defined]
        kind = "VASPErrorRsp" if "vasp" in name.lower() else "RSErrorRsp"
        error = received.message.error if isinstance(received.message, Fault) else received.message
        assert type(error).__name__ == kind
        assert "schema/name-case" in [one.id for one in received.findings]
        judged = examine(wire(text), policy="strict")
        assert judged.error is not None
        assert judged.sketch.values["status_code"] == 2002


@pytest.mark.parametrize("schema", sorted(NAMESPACES))
@pytest.mark.parametrize("kind", [Number, RFC2822Address, ShortCode])
@pytest.mark.parametrize("value", ["id", "displayOnly", "addressCoding", "_value_1", "Number"])
def test_value_that_reads_like_an_attribute(value: str, kind: type[Address], schema: str) -> None:
    """Any text is written as the value of an address, in every place that holds one."""
    one, when = kind(value), datetime(2026, 3, 4, tzinfo=UTC)
    messages = (
        SubmitReq(vaspid="TNN", vasid="News", to=(one,), cc=(one,)),
        DeliverReq(sender=one, to=(one,), reply_charging_id="x"),
        DeliveryReportReq(message_id="m", recipient=one, sender=one, mm_status="Retrieved", date=when),
        ReadReplyReq(message_id="m", recipient=one, sender=one, mm_status="Read", time_stamp=when),
    )
    for given in messages:
        packed = pack(given, profile=NAMESPACES[schema], transaction_id="t", plans=False)
        read: Any = unpack(packed, plans=False).message
        for name in ("to", "cc", "sender", "recipient"):
            assert getattr(read, name, None) == getattr(given, name, None)
