"""``pack``, ``unpack``, ``examine``: messages with their parts, policies, answers in kind, and nothing else raised."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from envelopes import (
    MINIMAL,
    NO,
    OK,
    TO,
    VERSION,
    WHO,
    content,
    envelope,
    fault,
    message,
    part,
    sent,
    transaction,
    uri,
    wire,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from mm7zeep import envelope as soap
from mm7zeep import exchange, media, mime, schema
from mm7zeep.errors import EnvelopeError, LimitError, LocalError, MimeError, RemoteError, SchemaError, VersionError
from mm7zeep.exchange import Wire, examine, pack, unpack
from mm7zeep.messages import (
    CancelReq,
    CancelRsp,
    DeliverReq,
    DeliverRsp,
    DeliveryReportReq,
    DeliveryReportRsp,
    ExtendedCancelReq,
    ExtendedCancelRsp,
    ExtendedReplaceReq,
    ExtendedReplaceRsp,
    Fault,
    Message,
    Part,
    ReadReplyReq,
    ReadReplyRsp,
    ReplaceReq,
    ReplaceRsp,
    RSErrorRsp,
    Status,
    SubmitReq,
    SubmitRsp,
    VASPErrorRsp,
)
from mm7zeep.profiles import CARRIERS, NAMESPACES, SOAP_NAMESPACE, Profile

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PIXEL = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
NOTE = Part(
    body=b"High water 06:12",
    content_type="text/plain",
    parameters=(("charset", "utf-8"),),
    content_id="note@kiosk.example",
)
PICTURE = Part(body=PIXEL + b"\r\n--\x00", content_type="image/gif", content_id="tide@kiosk.example", name="tide.gif")
SMIL = Part(
    body=b'<smil><body><par><img src="cid:tide@kiosk.example"/></par></body></smil>',
    content_type="application/smil",
    content_id="show@kiosk.example",
)
SUBMIT = SubmitReq(to="46700", vaspid="Kiosk", vasid="Tides", subject="Tide")
KINDS: list[Message] = [
    SUBMIT,
    SubmitRsp(message_id="m-1"),
    SubmitRsp(status=Status(2002)),
    DeliverReq(sender="46700", to="777", reply_charging_id="r-1"),
    DeliverRsp(),
    CancelReq(message_id="m-1"),
    CancelRsp(),
    ReplaceReq(message_id="m-1"),
    ReplaceRsp(status=Status(2005)),
    DeliveryReportReq(message_id="m-1", recipient="46700", sender="777", date=NOON, mm_status="Expired"),
    DeliveryReportRsp(),
    ReadReplyReq(message_id="m-1", recipient="46700", sender="777", time_stamp=NOON, mm_status="Deleted"),
    ReadReplyRsp(),
    ExtendedCancelReq(cancel_id="c-1"),
    ExtendedCancelRsp(status=Status(1000)),
    ExtendedReplaceReq(replace_id="r-1"),
    ExtendedReplaceRsp(message_id="m-1"),
    RSErrorRsp(status=Status(3000)),
    VASPErrorRsp(status=Status(2001)),
    Fault(fault_code="Client", fault_string="No", error=RSErrorRsp(status=Status(2007))),
]
PROFILES: dict[str, Profile] = {one.name: one for one in (*NAMESPACES.values(), *CARRIERS.values())}


def ids(found: Any) -> list[str]:
    """The ids of all findings."""
    return [one.id for one in found.findings]


# --- what pack makes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROFILES)
def test_strict_takes_what_pack_makes(name: str) -> None:
    """Every message of every profile, with no, one and two parts where it carries any, is accepted without a MUST."""
    profile = PROFILES[name]
    for given_message in KINDS:
        if soap.element_name(type(given_message)) not in schema.model(profile.namespace) and not isinstance(
            given_message, Fault
        ):
            continue
        for parts in ((), (NOTE,), (NOTE, PICTURE)) if hasattr(given_message, "parts") else ((),):
            packed = pack(given_message, parts, profile=profile, transaction_id="t-1")
            received = unpack(packed, policy="strict")
            expected = RSErrorRsp if isinstance(given_message, RSErrorRsp) else type(given_message)
            wrapped = isinstance(given_message, RSErrorRsp | VASPErrorRsp)
            assert type(received.message) is (Fault if wrapped else expected)
            assert received.transaction_id == "t-1"
            assert received.profile.namespace == received.namespace == profile.namespace
            assert received.mm7_version == profile.mm7_version
            shown = [one for one in received.parts if not media.is_presentation(one.content_type)]
            assert [(one.read(), one.content_id) for one in shown] == [(one.read(), one.content_id) for one in parts]
            assert {one.level for one in received.findings} <= {"INFO", "SHOULD"}


@pytest.mark.parametrize("text", ["may have 1,000,000 octets", "a < b & c", '<d xmlns="urn:x">sent as XML</d>'])
@pytest.mark.parametrize("plans", [False, True])
def test_text_in_details_comes_back(text: str, plans: bool) -> None:
    """Details holds elements: text is wrapped in one of ours, and read as text again, in a response and in a Fault."""
    status = Status(4001, details=text)
    answer = unpack(pack(SubmitRsp(status=status), plans=plans), plans=plans).message
    assert isinstance(answer, SubmitRsp)
    assert answer.status.details == text
    refused = Fault(fault_code="Client", fault_string="no", error=RSErrorRsp(status=status))
    answer = unpack(pack(refused, plans=plans), plans=plans).message
    assert isinstance(answer, Fault)
    assert answer.error is not None
    assert answer.error.status.details == text


def test_http_around_it() -> None:
    """Requests are POST with SOAPAction, answers 200, faults 500 (SOAP 1.1 6.2)."""
    request = pack(SUBMIT)
    assert (request.method, request.status, request.header("soapaction")) == ("POST", None, '""')
    for given_message, status in (
        (SubmitRsp(message_id="m"), 200),
        (RSErrorRsp(status=Status(2000)), 500),
        (KINDS[-1], 500),
    ):
        answer = pack(given_message)
        assert (answer.method, answer.status, answer.header("SOAPAction")) == (None, status, None)
    assert request.header("Content-Type") == 'text/xml; charset="utf-8"'
    assert (pack(SUBMIT, [NOTE]).header("content-type") or "").startswith("multipart/related")
    assert request.header("Host") is None
    extra = replace(PROFILES["REL-6-MM7-1-4"], headers=(("X-Pier", "7"),))
    assert (pack(SUBMIT, profile=extra).header("X-Pier"), pack(CancelRsp(), profile=extra).header("X-Pier")) == (
        "7",
        None,
    )


def test_transaction_ids() -> None:
    """Fresh ones are 128 random bits; a given one is kept."""
    found = {unpack(pack(SUBMIT)).transaction_id for _ in range(20)}
    assert len(found) == 20
    assert all(one is not None and len(one) == 32 and int(one, 16) >= 0 for one in found)
    assert unpack(pack(SUBMIT, transaction_id="pier 7/ü")).transaction_id == "pier 7/ü"


# --- parts ------------------------------------------------------------------------------------------------------------


def sorts(received: exchange.Received) -> list[str]:
    """The media types of the parts."""
    return [one.content_type for one in received.parts]


def test_no_parts() -> None:
    """Without parts there is an envelope alone, and no Content."""
    received = unpack(pack(SUBMIT))
    assert (received.parts, received.message.content_href) == ((), None)  # type: ignore[attr-defined]


def test_one_part() -> None:
    """One part is the content itself; its bytes are untouched and belong to the message as well."""
    received = unpack(pack(replace(SUBMIT, parts=(PICTURE,))), policy="strict")
    assert received.message.content_href == "cid:tide@kiosk.example"  # type: ignore[attr-defined]
    assert [one.read() for one in received.parts] == [PICTURE.body]
    assert received.message.parts == received.parts  # type: ignore[attr-defined]
    assert (received.parts[0].name, received.parts[0].content_type) == ("tide.gif", "image/gif")


def test_several_parts_get_a_presentation() -> None:
    """Two parts come with SMIL that names them; ``required`` adds it to one as well, ``never`` to none."""
    assert sorts(unpack(pack(SUBMIT, [NOTE, PICTURE]))) == ["application/smil", "text/plain", "image/gif"]
    generated = unpack(pack(SUBMIT, [NOTE, PICTURE])).parts[0]
    assert b"cid:note@kiosk.example" in generated.read()
    assert b"cid:tide@kiosk.example" in generated.read()
    profile = PROFILES["REL-6-MM7-1-4"]
    assert sorts(unpack(pack(SUBMIT, [NOTE], profile=replace(profile, smil="required")))) == [
        "application/smil",
        "text/plain",
    ]
    assert sorts(unpack(pack(SUBMIT, [NOTE, PICTURE], profile=replace(profile, smil="never")))) == [
        "text/plain",
        "image/gif",
    ]


def test_a_given_presentation_is_kept() -> None:
    """SMIL of one's own goes first, as it is, and nothing is generated."""
    received = unpack(pack(SUBMIT, [PICTURE, SMIL]), policy="strict")
    assert [one.read() for one in received.parts] == [SMIL.body, PICTURE.body]


def test_parts_without_content_id_get_one() -> None:
    """Each part can be named, and each gets a name of its own."""
    parts = unpack(pack(SUBMIT, [replace(NOTE, content_id=None)] * 2)).parts
    names = [one.content_id for one in parts]
    assert None not in names
    assert len(set(names)) == 3


def test_parts_where_none_belong() -> None:
    """A message without Content carries no parts; too many octets are refused; neither sends anything."""
    with pytest.raises(LocalError, match="carries no content"):
        pack(CancelReq(message_id="m"), [NOTE])
    with pytest.raises(LocalError, match="takes 20"):
        pack(SUBMIT, [NOTE, PICTURE], profile=replace(PROFILES["vibes-6.8"], max_content=20))
    assert unpack(pack(replace(SUBMIT, parts=(NOTE,)), [PICTURE])).parts[0].content_id == PICTURE.content_id


def test_binary_and_base64() -> None:
    """The profile says how binary parts are encoded; both read the same."""
    plain = pack(SUBMIT, [PICTURE]).read()
    coded = pack(SUBMIT, [PICTURE], profile=replace(PROFILES["REL-6-MM7-1-4"], encoding="base64"))
    assert isinstance(PICTURE.body, bytes)
    assert PICTURE.body in plain
    assert PICTURE.body not in coded.read()
    assert unpack(coded, policy="strict").parts[0].read() == PICTURE.body


def test_a_message_that_is_not_valid() -> None:
    """What xmlschema refuses is a LocalError that names every place, with findings."""
    with pytest.raises(LocalError, match=r"Priority.*Normal") as caught:
        pack(replace(SUBMIT, priority="Urgent"))
    assert [(one.id, one.where) for one in caught.value.findings] == [
        ("schema/valid", "/Envelope/Body/SubmitReq/Priority")
    ]
    with pytest.raises(LocalError, match=r"no \+ and no blank"):
        pack(replace(SUBMIT, to=("+46700",)), profile="REL-5-MM7-1-0")
    with pytest.raises(LocalError, match="MM7Version"):
        pack(replace(SUBMIT, mm7_version="6.7.0"))
    with pytest.raises(ValueError, match="no profile 'nobody'"):
        pack(SUBMIT, profile="nobody")


# --- answers in kind --------------------------------------------------------------------------------------------------


def answered(request: Wire, answer: Message, **given_how: Any) -> etree._Element:
    """The envelope of the answer to a request."""
    packed = pack(answer, reply_to=unpack(request), **given_how)
    return etree.fromstring(packed.read())


@pytest.mark.parametrize("name", [one.schema for one in NAMESPACES.values()])
@pytest.mark.parametrize("alias", [False, True], ids=["http", "https"])
def test_answers_mirror_the_request(name: str, alias: bool) -> None:
    """Namespace (as written, https too), version, TransactionID and prefix are the request's."""
    http = "https:" if alias else "http:"
    text = sent("SubmitReq", VERSION + WHO + TO.replace("+", ""), name).replace("http:", http)
    answer = answered(wire(text), SubmitRsp(message_id="m-1"))
    assert etree.QName(answer).namespace == SOAP_NAMESPACE.replace("http:", http)
    block, child = answer[0][0], answer[1][0]
    assert {etree.QName(one).namespace for one in (block, *child.iter())} == {uri(name).replace("http:", http)}
    assert (block.text, child[0].text, child.prefix) == ("t-1", "5.3.0", None)
    assert [
        (one.id, one.action) for one in unpack(wire(etree.tostring(answer))).findings if not one.id.startswith("ns/rel")
    ] == ([("soap/namespace-alias", "repaired"), ("ns/alias", "repaired")] if alias else [])


@pytest.mark.parametrize("name", [SOAP_NAMESPACE.rstrip("/"), SOAP_NAMESPACE.replace("schemas", "www.schemas")])
def test_answers_mirror_any_alias_of_soap(name: str) -> None:
    """Every spelling that is read as the namespace of SOAP 1.1 is written back, not that with ``https:`` alone."""
    answer = answered(wire(sent("SubmitReq").replace(SOAP_NAMESPACE, name)), SubmitRsp(message_id="m-1"))
    assert etree.QName(answer).namespace == name
    assert unpack(wire(etree.tostring(answer))).operation == "SubmitRsp"


def test_answers_mirror_the_prefix() -> None:
    """An answer has the prefix that the request's operation had."""
    text = envelope(f'<p7:CancelReq xmlns:p7="{uri("REL-5-MM7-1-3")}">{MINIMAL["CancelReq"]}</p7:CancelReq>')
    assert answered(wire(text), CancelRsp())[1][0].prefix == "p7"


def test_answers_to_what_no_schema_knows() -> None:
    """An unknown namespace is answered in itself; a version no schema lists, by the namespace's own."""
    answer = answered(
        wire(envelope(message("SubmitReq", MINIMAL["SubmitReq"].replace("5.3.0", "1.6"), "urn:mm7"))),
        SubmitRsp(message_id="m"),
    )
    assert etree.QName(answer[1][0]).namespace == "urn:mm7"
    assert answer[1][0][0].text == "6.8.0"


def test_answers_in_a_profile_of_ones_own() -> None:
    """A profile that is named is obeyed, whatever the request was in."""
    answer = answered(wire(sent("SubmitReq")), SubmitRsp(message_id="m"), profile="REL-6-MM7-1-4")
    assert etree.QName(answer[1][0]).namespace == uri("REL-6-MM7-1-4")
    assert answer[1][0][0].text == "6.8.0"
    assert answer[0][0].text == "t-1"
    assert answered(wire(sent("SubmitReq")), CancelRsp(), transaction_id="t-2")[0][0].text == "t-2"


def test_a_transaction_id_is_echoed_whatever_it_is() -> None:
    """TS 23.140 8.7.1: even where it is no NMTOKEN, as REL-5-MM7-1-0 wants; of one's own it must be."""
    text = sent("SubmitReq", VERSION + WHO + TO.replace("+", ""), "REL-5-MM7-1-0").replace("t-1", "pier/7 @ 9")
    answer = answered(wire(text), SubmitRsp(message_id="m"))
    assert (answer[0][0].text, etree.QName(answer[1][0]).namespace) == ("pier/7 @ 9", uri("REL-5-MM7-1-0"))
    with pytest.raises(LocalError, match="TransactionID"):
        pack(SUBMIT, profile="REL-5-MM7-1-0", transaction_id="pier/7 @ 9")


# --- policies ---------------------------------------------------------------------------------------------------------

POLICIES = {
    # what is sent: under strict, interop, lenient; and what the lenient message then holds
    "sound": (sent("SubmitReq"), "ok ok ok", {"vaspid": "Kiosk"}),
    "order": (sent("SubmitReq", VERSION + TO + WHO), "SchemaError ok ok", {"vaspid": "Kiosk"}),
    "no mustUnderstand": (
        envelope(message("SubmitReq", MINIMAL["SubmitReq"]), transaction(attributes="")),
        "ok ok ok",
        {},
    ),
    "no Recipients": (sent("SubmitReq", VERSION + WHO), "SchemaError SchemaError ok", {"to": (), "vaspid": "Kiosk"}),
    "no SenderIdentification": (sent("SubmitReq", VERSION + TO), "SchemaError SchemaError ok", {"vaspid": None}),
    "nothing at all": (sent("SubmitReq", ""), "SchemaError SchemaError ok", {"to": (), "mm7_version": None}),
    "no Sender": (
        sent("DeliverReq", VERSION + "<Subject>s</Subject>"),
        "SchemaError SchemaError ok",
        {"sender": None, "subject": "s"},
    ),
    "no TransactionID": (
        envelope(message("CancelReq", MINIMAL["CancelReq"]), ""),
        "EnvelopeError EnvelopeError ok",
        {"message_id": "m-1"},
    ),
    "two TransactionIDs": (
        envelope(message("CancelReq", MINIMAL["CancelReq"]), transaction() + transaction("t-2")),
        "EnvelopeError EnvelopeError ok",
        {"message_id": "m-1"},
    ),
    "two operations": (
        envelope(message("CancelReq", MINIMAL["CancelReq"]) + message("SubmitReq", "")),
        "EnvelopeError EnvelopeError ok",
        {"message_id": "m-1"},
    ),
    "must be understood": (
        envelope(
            message("CancelReq", MINIMAL["CancelReq"]), transaction() + '<k:p xmlns:k="urn:k" env:mustUnderstand="1"/>'
        ),
        "EnvelopeError EnvelopeError ok",
        {"message_id": "m-1"},
    ),
    "an attribute nobody allows": (
        sent("CancelReq").replace("<env:Envelope", '<env:Envelope pier="7"'),
        "SchemaError SchemaError ok",
        {"message_id": "m-1"},
    ),
    "success without MessageID": (
        sent("SubmitRsp", VERSION + OK),
        "SchemaError SchemaError ok",
        {"message_id": None, "status": Status(1000)},
    ),
    "no Status": (
        sent("SubmitRsp", VERSION + "<MessageID>m-1</MessageID>"),
        "SchemaError SchemaError ok",
        {"message_id": "m-1", "status": Status(3000, "")},
    ),
    "a StatusCode in words": (
        sent("CancelRsp", VERSION + "<Status><StatusCode>fine</StatusCode><StatusText/></Status>"),
        "SchemaError SchemaError ok",
        {"status": Status(3000, ""), "unparsed": (("StatusCode", "fine"),)},
    ),
    "an unreadable report": (
        sent("DeliveryReportReq", ""),
        "SchemaError SchemaError ok",
        {"message_id": "", "recipient": None, "mm_status": ""},
    ),
    "no content": (
        sent("SubmitReq", more=content()),
        "EnvelopeError EnvelopeError ok",
        {"content_href": "cid:note@kiosk.example"},
    ),
    "a fault without MM7": (envelope(fault("")), "ok ok ok", {"fault_code": "Client", "error": None}),
    "an unknown operation": (sent("GetTideReq", ""), "EnvelopeError EnvelopeError EnvelopeError", {}),
    "a draft of 2002": (envelope('<x xmlns="urn:MM7Submit.Req"/>'), "VersionError VersionError VersionError", {}),
    "no envelope": (message("SubmitReq", MINIMAL["SubmitReq"]), "EnvelopeError EnvelopeError EnvelopeError", {}),
    "SOAP 1.2": (
        sent("SubmitReq").replace(SOAP_NAMESPACE, "http://www.w3.org/2003/05/soap-envelope"),
        "EnvelopeError EnvelopeError EnvelopeError",
        {},
    ),
    "an empty Body": (envelope(""), "EnvelopeError EnvelopeError EnvelopeError", {}),
    "not well-formed": (sent("SubmitReq")[:-5], "EnvelopeError EnvelopeError EnvelopeError", {}),
    "a DOCTYPE": ("<!DOCTYPE x>" + sent("SubmitReq"), "EnvelopeError EnvelopeError EnvelopeError", {}),
    "too much": (sent("SubmitReq", more="<x/>" * 1001), "LimitError LimitError LimitError", {}),
    "too many recipients": (
        sent("SubmitReq", VERSION + WHO + TO.replace("</To>", "<Number>1</Number>" * 1002 + "</To>")),
        "LimitError LimitError LimitError",
        {},
    ),
    "nothing": (" \n", "EnvelopeError EnvelopeError EnvelopeError", {}),
}


@pytest.mark.parametrize("name", POLICIES)
def test_policies(name: str) -> None:
    """Strict, interop and lenient: who refuses what, that the findings are the same, and what lenient delivers."""
    text, expected, holds = POLICIES[name]
    outcome = []
    for policy in ("strict", "interop", "lenient"):
        judged = examine(wire(text), policy=policy)  # type: ignore[arg-type]
        outcome.append("ok" if judged.error is None else type(judged.error).__name__)
        assert judged.accepted is (judged.error is None)
        if judged.error is None:
            assert all(one.action != "refused" for one in judged.findings)
            received = unpack(wire(text), policy=policy)  # type: ignore[arg-type]
            assert received.findings == judged.findings
        else:
            assert judged.error.findings == judged.findings
            with pytest.raises(type(judged.error)):
                unpack(wire(text), policy=policy)  # type: ignore[arg-type]
    assert " ".join(outcome) == expected
    if outcome[2] == "ok":
        read = unpack(wire(text), policy="lenient")
        assert {key: getattr(read.message, key) for key in holds} == holds
        if outcome[1] != "ok":  # what interop refuses for, lenient says all the same
            refusals = {one.id for one in examine(wire(text), policy="interop").findings if one.action == "refused"}
            assert refusals
            assert refusals <= set(ids(read))


def test_strict_refuses_mime_defects() -> None:
    """Strict wants a start and a known type; interop only says so."""
    packed = wire(sent("SubmitReq", more=content()), part())
    headers = (("Content-Type", (packed.header("Content-Type") or "").partition("; start")[0]),)
    without = replace(packed, headers=headers)
    assert ids(unpack(without)) == ["mime/related-start"]
    with pytest.raises(SchemaError, match="mime/related-start"):
        unpack(without, policy="strict")
    unpack(packed, policy="strict")


HTTPS = uri("REL-5-MM7-1-3").replace("http:", "https:")
AS_PUBLISHED = f"""\
--ferry-timetable
Content-Type: text/xml; charset="utf-8"
Content-ID: <kiosk/envelope>

<?xml version="1.0" encoding="UTF-8"?>
<env:Envelope xmlns:env="{SOAP_NAMESPACE.replace("http:", "https:")}">
  <env:Header>
    <mm7:TransactionID xmlns:mm7="{HTTPS}" env:mustUnderstand="1">
      pier-7
    </mm7:TransactionID>
  </env:Header>
  <env:Body>
    <SubmitReq xmlns="{HTTPS}">{VERSION}{WHO}{TO}
      <Subject>Tides today</Subject><Priority>Normal</Priority><Content href="cid:tides@kiosk.example"/>
    </SubmitReq>
  </env:Body>
</env:Envelope>
--ferry-timetable
Content-Type: text/plain
Content-ID: <tides@kiosk.example>

High water 06:12
--ferry-timetable--
"""


def test_strict_names_all_that_was_met() -> None:
    """A request in the form of the printed sample: strict names the deviations of every stage, each once."""
    head = 'multipart/related; boundary=ferry-timetable; type=text/xml; start="<kiosk/envelope>"'
    packed = Wire(headers=(("Content-Type", head),), body=AS_PUBLISHED.encode(), method="POST")
    assert unpack(packed).transaction_id == "pier-7"
    with pytest.raises(SchemaError, match=r"^not allowed by the strict policy: ") as caught:
        unpack(packed, policy="strict")
    blocking, _, others = str(caught.value).partition("; also met: ")
    assert "soap/namespace-alias at /Envelope (https://schemas.xmlsoap.org/soap/envelope/);" in blocking
    assert f"ns/alias at /Envelope/Body/SubmitReq ({HTTPS})" in blocking
    assert "schema/order at /Envelope/Body/SubmitReq (Priority after Subject)" in blocking
    assert "mime/delimiter-crlf at byte " in blocking
    told = others.split(", ")
    assert {"soap/transaction-whitespace", "mime/related-type-quoted"} <= set(told)
    spelled = [one.split(" at ")[0] for one in blocking.removeprefix("not allowed by the strict policy: ").split("; ")]
    assert {*spelled, *told} == {one.id for one in caught.value.findings if one.level != "INFO"}
    assert len({*spelled, *told}) == len(spelled) + len(told)


def test_strict_names_ten_and_counts_the_rest() -> None:
    """Of many blocking findings ten are spelled out and the others counted; kinds that only these have are named."""
    many = "".join(f"<X-{n}/>" for n in range(12)).join(("<Priority>high</Priority>", "<Subject>Tides</Subject>"))
    with pytest.raises(SchemaError) as caught:
        unpack(wire(sent("SubmitReq", VERSION + WHO + TO + many)), policy="strict")
    text = str(caught.value)
    assert text.count("schema/unknown-element at ") == 10
    assert "(and 3 more); also met: " in text
    assert {one.id for one in caught.value.findings if one.id not in text} == set()


def test_errors_say_what_was_read() -> None:
    """A refusal carries status, TransactionID, namespace and findings, so that its answer can name them."""
    with pytest.raises(SchemaError) as caught:
        unpack(wire(sent("SubmitReq", VERSION + WHO)))
    error = caught.value
    assert (error.status, error.fault, error.transaction_id, error.namespace) == (
        4004,
        "Client",
        "t-1",
        uri("REL-5-MM7-1-3"),
    )
    assert ids(error) == ["schema/missing-element"]
    with pytest.raises(VersionError) as version:
        unpack(wire(envelope('<x xmlns="urn:MM7Submit.Req"/>')))
    assert (version.value.status, version.value.transaction_id, version.value.namespace) == (
        4002,
        "t-1",
        "urn:MM7Submit.Req",
    )
    with pytest.raises(EnvelopeError) as parsed:
        unpack(wire(b"<a"))
    assert (parsed.value.status, parsed.value.raw, ids(parsed.value)) == (
        2007,
        b"<a",
        ["xml/well-formed", "http/truncated"],
    )
    with pytest.raises(MimeError) as mimed:
        unpack(Wire(headers=(("Content-Type", "multipart/related; boundary=b"),), body=b"--b--\r\n"))
    assert mimed.value.status == 2007
    with pytest.raises(LimitError) as limited:
        unpack(wire(sent("SubmitReq")), limits=mime.Limits(root=10))
    assert limited.value.status == 2007
    with pytest.raises(EnvelopeError, match="empty") as nothing:
        unpack(wire(b""))
    assert (nothing.value.status, ids(nothing.value)) == (2007, ["mime/empty-part", "http/empty-body"])
    with pytest.raises(EnvelopeError, match=r"well-formed") as draft:
        unpack(wire(b'<m:MM7Header xmlns:m="urn:MM7Submit.Req">'))
    assert "ns/pre-standard" in ids(draft.value)


def test_a_package_read_before_is_used() -> None:
    """A body that arrived through a ``mime.Reader`` is not asked for again."""
    packed = wire(sent("SubmitReq", more=content()), part())
    package = mime.read(packed.headers, [packed.read()])
    received = unpack(replace(packed, body=b""), package=package)
    assert [one.read() for one in received.parts] == [b"High water 06:12"]


# --- content ----------------------------------------------------------------------------------------------------------

ID = "<note@kiosk.example>"
CONTENTS = {
    # href, part header lines; findings; what strict says
    "as it should be": ("cid:note@kiosk.example", [part()], [], "ok"),
    "CID in capitals": ("CID:note@kiosk.example", [part()], [], "ok"),
    "percent-encoded": ("cid:note%40kiosk.example", [part()], [], "ok"),
    "a name with a blank, percent-encoded": (
        "cid:a%20b@kiosk.example",
        [part("<a b@kiosk.example>")],
        ["mime/content-id-syntax"],
        "ok",
    ),
    "no cid:": ("note@kiosk.example", [part()], ["sem/content-href-cid"], "ok"),
    "a blank for the colon": ("cid note@kiosk.example", [part()], ["sem/content-href-cid"], "ok"),
    "a blank after it": ("cid: note@kiosk.example", [part()], ["sem/content-href-cid"], "ok"),
    "brackets": ("cid:&lt;note@kiosk.example&gt;", [part()], ["sem/content-href-brackets"], "SchemaError"),
    "Content-ID without brackets": (
        "cid:note@kiosk.example",
        [part("note@kiosk.example")],
        ["mime/content-id-brackets"],
        "SchemaError",
    ),
    "another case": ("cid:NOTE@kiosk.example", [part()], ["sem/content-href-resolves"], "SchemaError"),
    "Content-Location": ("tide.txt", [part(None, more="Content-Location: tide.txt\r\n")], [], "ok"),
    "Content-Location under cid:": (
        "cid:tide.txt",
        [part(None, more="Content-Location: tide.txt\r\n")],
        ["sem/content-href-resolves"],
        "SchemaError",
    ),
    "a file name": (
        "cid:tide.txt",
        [part(None, more='Content-Disposition: attachment; filename="tide.txt"\r\n')],
        ["sem/content-href-resolves"],
        "SchemaError",
    ),
    "one digit off": ("cid:note2@kiosk.example", [part()], ["sem/content-href-resolves"], "SchemaError"),
    "one of two": ("cid:note@kiosk.example", [part(), part("<more@kiosk.example>")], [], "ok"),
    "twice the same": ("cid:note@kiosk.example", [part(), part()], ["mime/content-id-unique"], "SchemaError"),
    "the envelope itself": ("cid:soap@kiosk.example", [part()], ["sem/content-href-resolves"], "SchemaError"),
    "http": (
        "http://169.254.169.254/x",
        [part()],
        ["sem/content-href-cid", "sem/content-href-resolves"],
        "SchemaError",
    ),
    "a file": ("file:///etc/hostname", [part()], ["sem/content-href-cid", "sem/content-href-resolves"], "SchemaError"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_contents(name: str) -> None:
    """What the href names, and what is found; the parts are those of the message, always all of them."""
    href, parts, found, strict = CONTENTS[name]
    packed = wire(sent("SubmitReq", more=content(href)), *parts)
    received = unpack(packed)
    assert ids(received) == found
    assert len(received.parts) == len(parts)
    assert received.message.content_href is not None  # type: ignore[attr-defined]
    judged = examine(packed, policy="strict")
    assert ("ok" if judged.error is None else type(judged.error).__name__) == strict


def test_content_that_names_another_part() -> None:
    """The finding has what Content names and what it could name; of many parts so many as there is room for."""
    received = unpack(wire(sent("SubmitReq", more=content("cid:other@kiosk.example")), part()))
    [found] = [one for one in received.findings if one.id == "sem/content-href-resolves"]
    assert found.detail == "cid:other@kiosk.example; the parts are cid:note@kiosk.example"
    located = part(None, more="Content-Location: tide.txt\r\n")
    packed = wire(sent("SubmitReq", more=content("")), located, part(None), *[part(f"<p{n}@x>") for n in range(20)])
    [found] = [one for one in examine(packed).findings if one.id == "sem/content-href-resolves"]
    listed = ", ".join(["tide.txt", "text/plain without name", *[f"cid:p{n}@x" for n in range(6)]])
    assert found.detail == f"names nothing; the parts are {listed}, and 14 more"


def test_content_that_never_arrives() -> None:
    """Content names a part, and there is none: 2004, never a silent success."""
    for packed in (wire(sent("SubmitReq", more=content())), wire(sent("DeliverReq", more=content("x")))):
        with pytest.raises(EnvelopeError, match="did not arrive") as caught:
            unpack(packed)
        assert caught.value.status == 2004
        assert "sem/content-without-part" in ids(caught.value)


def test_parts_that_nothing_names() -> None:
    """Parts without a Content element are delivered and told; an answer's too."""
    received = unpack(wire(sent("SubmitReq"), part()))
    assert (len(received.parts), ids(received)) == (1, ["sem/part-without-content"])


def test_a_bare_envelope() -> None:
    """In a file an envelope may stand without its package: its Content is then not asked for."""
    received = unpack(Wire(body=sent("SubmitReq", more=content()).encode()))
    assert (received.parts, received.findings, received.headers) == ((), (), ())
    assert received.message.content_href == "cid:note@kiosk.example"  # type: ignore[attr-defined]


def test_received() -> None:
    """What was received says how it was written, with the SOAP part's bytes and the headers as they came."""
    text = sent("SubmitReq")
    received = unpack(wire(text))
    assert (received.operation, received.envelope, received.namespace) == (
        "SubmitReq",
        text.encode(),
        uri("REL-5-MM7-1-3"),
    )
    assert received.headers == wire(text).headers
    assert received.dialect == exchange.Dialect(
        namespace=uri("REL-5-MM7-1-3"), soap_namespace=SOAP_NAMESPACE, mm7_version="5.3.0", prefix=None
    )
    assert unpack(wire(envelope(fault("")))).operation == "Fault"
    assert (
        unpack(wire(sent("extendedCancelReq", VERSION + WHO + "<CancelID>c</CancelID>", "REL-6-MM7-1-4"))).operation
        == "extendedCancelReq"
    )


def test_a_wire() -> None:
    """Header names in any case, the body whole or in pieces."""
    one = Wire(body=[b"ab", b"", b"c"], headers=(("X-Pier", "7"), ("x-pier", "8")))
    assert (one.header("X-PIER"), one.header("X-Quay"), one.read()) == ("7", None, b"abc")
    assert list(Wire(body=b"abc").chunks()) == [b"abc"]


def test_no_success_without_its_parts() -> None:
    """Of no text cut short does interop make a success whose MessageID or Status could not be read."""
    text = sent("SubmitRsp")
    for end in range(len(text)):
        judged = examine(wire(text[:end]), policy="interop")
        assert judged.error is not None
    for gone in ("<StatusCode>1000</StatusCode>", "<MessageID>m-1</MessageID>", "1000", "m-1", OK):
        assert examine(wire(text.replace(gone, "")), policy="interop").error is not None
    assert examine(wire(text.replace(OK, NO).replace("m-1", "")), policy="interop").error is None


# --- any bytes at all -------------------------------------------------------------------------------------------------

SEEDS = [
    pack(SUBMIT, [NOTE, PICTURE], transaction_id="t-1"),
    pack(SubmitRsp(message_id="m-1"), transaction_id="t-1", profile="REL-5-MM7-1-0"),
    pack(KINDS[9], transaction_id="t-1", profile="REL-5-MM7-1-4"),
    pack(KINDS[-1], transaction_id="t-1"),
    wire(sent("SubmitReq", more=content() + "<X-Pier>7</X-Pier><ExpiryDate>P1D</ExpiryDate>"), part()),
    wire(sent("DeliverReq", "", "REL-5-MM7-1-1")),
]
BODIES = [(one.headers, one.read()) for one in SEEDS]
PIECES = st.sampled_from(
    [
        b"",
        b"<",
        b">",
        b"/",
        b"\r\n",
        b"\x00",
        b"\xff",
        b"&x;",
        b"<x>",
        b"</x>",
        b"<!--",
        b"]]>",
        b"<?p?>",
        b"--",
        b"cid:",
        b"9" * 30,
        b"xsi:type='a:b'",
        b"xmlns=''",
        b"xmlns:mm7='urn:x'",
        b"https",
        b"<MessageID>",
        b"<Number>",
        b"<Status>",
        b"-P",
        b"1e9",
        b"\xe2\x80\xa9",
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Any, bytes]:
    """A sound wire with a few pieces cut out and others put in their place."""
    headers, body = draw(st.sampled_from(BODIES))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.sampled_from([0, 0, 1, 2, 5, 20, 200])))
        body = body[:start] + draw(PIECES) + body[end:]
    return headers, body


def judge(headers: Any, body: bytes) -> None:
    """Every policy gives a judgement; what is accepted can be received, and interop's tree is valid."""
    for policy in ("strict", "interop", "lenient"):
        judged = examine(Wire(headers=headers, body=body), policy=policy)  # type: ignore[arg-type]
        if judged.error is None and judged.repaired is not None:
            if policy != "lenient":
                assert schema.violations(judged.repaired.envelope, judged.repaired.read_as) == []
                received = exchange.receive(judged)
                status = getattr(received.message, "status", None)
                if (
                    isinstance(received.message, SubmitRsp)
                    and status.ok
                    and judged.repaired.read_as != uri("REL-5-MM7-1-0")
                ):
                    assert received.message.message_id
            else:
                try:
                    exchange.receive(judged)
                except RemoteError:
                    continue
        else:
            assert isinstance(judged.error, RemoteError)
            assert judged.findings
            assert judged.sketch.values.keys() == soap.no_values().keys()


@given(damaged())
@settings(max_examples=150, deadline=None, database=None)
def test_examine_never_raises_for_damaged_wires(one: tuple[Any, bytes]) -> None:
    """Damage gives findings and errors of ours, nothing else."""
    judge(*one)


@given(
    st.binary(max_size=200),
    st.sampled_from(
        [
            (),
            (("Content-Type", "text/xml; charset=utf-16"),),
            (("Content-Type", "multipart/related; boundary=b"),),
            (("Content-Type", "\x00"),),
        ]
    ),
)
@settings(max_examples=200, deadline=None, database=None)
def test_examine_never_raises_for_any_bytes(body: bytes, headers: Any) -> None:
    """Any bytes under any head give a judgement."""
    judge(headers, body)


NAMES = sorted(
    {
        "SubmitReq",
        "Status",
        "StatusCode",
        "Sender",
        "To",
        "Number",
        "Recipients",
        "MessageID",
        "MM7Version",
        "Details",
        "Content",
        "SenderIdentification",
        "SenderAddress",
        "Date",
        "TimeStamp",
        "MMStatus",
        "ReplyCharging",
        "UACapabilities",
        "DC",
        "Previouslysentby",
        "UserAgent",
        "DeliveryCondition",
        "X-Pier",
        "number",
        "Fault",
        "SubmitRsp",
        "ExpiryDate",
    }
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> str:
    """Any arrangement of MM7's own elements."""
    name = draw(st.sampled_from(NAMES))
    attribute = draw(
        st.sampled_from(
            [
                "",
                "",
                ' href="cid:x"',
                ' sequence="0"',
                ' id="1 a"',
                ' displayOnly="maybe"',
                ' xmlns=""',
                f' xmlns="{uri("REL-6-MM7-1-3")}"',
                ' UAProf="x" TimeStamp="P"',
                ' xmlns:s="urn:s" s:t="1"',
            ]
        )
    )
    inner = draw(
        st.sampled_from(
            ["", " ", "1000", "x", "+46", "a@b", "P1D", "2026-03-01T12:00:00Z", "9" * 25, "5.3.0", "Read", "\n", "&lt;"]
        )
    )
    if depth < 3:
        inner += "".join(draw(st.lists(elements(depth + 1), max_size=3)))
    return f"<{name}{attribute}>{inner}</{name}>"


@given(
    st.sampled_from([*MINIMAL, "extendedReplaceReq", "extendedCancelRsp", "extendedReplaceRsp", "submitreq"]),
    st.lists(elements(), max_size=5),
    st.sampled_from(
        [
            "REL-5-MM7-1-0",
            "REL-5-MM7-1-1",
            "REL-5-MM7-1-3",
            "REL-6-MM7-1-1",
            "REL-6-MM7-1-3",
            "REL-6-MM7-1-4",
            "",
            "urn:x",
        ]
    ),
    st.booleans(),
)
@settings(max_examples=150, deadline=None, database=None)
def test_examine_never_raises_for_any_arrangement(operation: str, inner: list[str], name: str, least: bool) -> None:
    """Elements of MM7 in any place and number: judged, and what is accepted is valid and can be read."""
    text = (MINIMAL.get(operation, VERSION) if least else "") + "".join(inner)
    judge((), envelope(message(operation, text, name)).encode())


def test_examine_without_zeep() -> None:
    """Judging a message does not import zeep, which takes longer than all the rest."""
    text = sent("SubmitReq", VERSION + TO + WHO)
    script = (
        "import sys\nfrom mm7zeep import exchange\n"
        f"judged = exchange.examine(exchange.Wire(body={text.encode()!r}), policy='interop')\n"
        "assert judged.error is None, judged.error\n"
        "print([one.id for one in judged.findings], 'zeep' in sys.modules, 'requests' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["['schema/order']", "False", "False"]


@pytest.mark.parametrize("name", ["Strict", "", "none"])
def test_unknown_policy(name: Any) -> None:
    """A misspelt policy is refused, and never taken for a mild one."""
    with pytest.raises(ValueError, match="strict, interop or lenient"):
        exchange.unpack(exchange.Wire(body=b"<a/>"), policy=name)


@pytest.mark.parametrize(("message", "parts"), [("x", None), (SubmitReq(to="1"), ["text"])])
def test_what_is_no_message_or_part(message: Any, parts: Any) -> None:
    """What cannot be packed is said in plain words."""
    with pytest.raises(LocalError, match=r"pack takes an MM7 message|parts are mm7zeep\.Part"):
        exchange.pack(message, parts)


@pytest.mark.parametrize("name", ["rel", "x/y", "", "urn:x y", "../up", "a%b", "#x"])
def test_any_namespace_in_details(name: str) -> None:
    """Details may hold elements in a namespace whose name is no absolute URI; they are shown as they came."""
    wire = exchange.pack(SubmitRsp(status=Status(2007, "odd", "<k xmlns='urn:k'>7</k>")), profile="REL-6-MM7-1-4")
    body = wire.read()
    assert b"urn:k" in body
    body = body.replace(b'"urn:k"', f'"{name}"'.encode()).replace(b"'urn:k'", f"'{name}'".encode())
    for policy in ("strict", "interop", "lenient"):
        judged = exchange.examine(replace(wire, body=body), policy=policy)  # type: ignore[arg-type]
        if judged.accepted:
            message = exchange.receive(judged).message
            assert isinstance(message, SubmitRsp)
            assert ">7<" in (message.status.details or "")
        else:
            assert judged.error is not None
            assert judged.error.status in (2007, 4004)
