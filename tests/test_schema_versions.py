"""What each of the ten schemas, and the alias, accepts and rejects: what changed between versions, and what surprises.

A row is one document with a marked part, ``[[...]]``, and the schemas that accept it; the others reject it. So that no
row passes by accident, two twins differ in the marked part only: with ``plain`` in its place the document is valid
wherever it was rejected, with ``wrong`` invalid wherever it was accepted. Our layer and libxml2 judge all three.
"""

from __future__ import annotations

import random
import re
from itertools import permutations
from typing import NamedTuple

import pytest
from lxml import etree
from schema_oracle import SCHEMAS, SOAP, Writer, libxml2

from mm7zeep import schema
from mm7zeep.profiles import NAMESPACE_PREFIX, SOAP_NAMESPACE

pytestmark = pytest.mark.once

ORDER = ["5/1-0", "5/1-1", "5/1-2", "5/1-3", "5/1-4", "5/1-5", "6/1-0", "6/1-1", "6/1-2", "6/1-3", "6/1-4"]
ALL = "5/1-0..6/1-4"
NONE = ""
NEW = "6/1-4"


def select(text: str) -> frozenset[str]:
    """The schemas that a text such as ``5/1-4 6/1-1..6/1-4`` names."""
    found = set()
    for item in text.split():
        first, _, last = item.partition("..")
        found |= set(ORDER[ORDER.index(first) : ORDER.index(last or first) + 1])
    return frozenset(found)


class Row(NamedTuple):
    """One document. Where ``wrong`` is not given it is the marked part twice; ``scope`` are the schemas spoken of."""

    point: str
    document: str
    accept: str
    plain: str = ""
    wrong: str | None = None
    scope: str = ALL


V = "<MM7Version>5.3.0</MM7Version>"
TO = "<Recipients><To><Number>1</Number></To></Recipients>"
OK = "<Status><StatusCode>1000</StatusCode><StatusText>Success</StatusText></Status>"
BAD = "<Status><StatusCode>2000</StatusCode><StatusText>Client error</StatusText></Status>"
A = "<Number>1</Number>"
WHO = f"<MessageID>m</MessageID><Recipient>{A}</Recipient><Sender>{A}</Sender>"
WHEN = "2002-01-02T09:30:47Z"
RC = "<ReplyChargingID>r</ReplyChargingID>"
CANCEL = f"<CancelReq>{V}<SenderIdentification/><MessageID>m</MessageID></CancelReq>"


def submit(rest: str, sender: str = "<SenderIdentification/>", to: str = TO, version: str = V) -> str:
    """A SubmitReq that ends with ``rest``."""
    return f"<SubmitReq>{version}{sender}{to}{rest}</SubmitReq>"


def replace(rest: str) -> str:
    """A ReplaceReq."""
    return f"<ReplaceReq>{V}<SenderIdentification/><MessageID>m</MessageID>{rest}</ReplaceReq>"


def cancel(rest: str) -> str:
    """A CancelReq."""
    return f"<CancelReq>{V}<SenderIdentification/><MessageID>m</MessageID>{rest}</CancelReq>"


def deliver(first: str = "", *, spent: str = "", charge: str = RC, rest: str = "") -> str:
    """A DeliverReq: ``spent`` stands after Sender, ``charge`` is its ReplyChargingID."""
    return f"<DeliverReq>{V}{first}<Sender>{A}</Sender>{spent}{charge}{rest}</DeliverReq>"


def report(status: str = "<MMStatus>Expired</MMStatus>", rest: str = "", date: str | None = None) -> str:
    """``<DATE>`` is written Date or TimeStamp, as the schema has it."""
    return f"<DeliveryReportReq>{V}{WHO}{date or f'<DATE>{WHEN}</DATE>'}{status}{rest}</DeliveryReportReq>"


def read(rest: str = "", status: str = "Read") -> str:
    """A ReadReplyReq."""
    return f"<ReadReplyReq>{V}{WHO}<TimeStamp>{WHEN}</TimeStamp><MMStatus>{status}</MMStatus>{rest}</ReadReplyReq>"


def response(status: str, name: str = "CancelRsp") -> str:
    """An answer with ``status``."""
    return f"<{name}>{V}{status}</{name}>"


def details(content: str) -> str:
    """A CancelRsp with ``content`` after its StatusText."""
    return response(f"<Status><StatusCode>1</StatusCode><StatusText/>{content}</Status>")


def transaction(element: str) -> str:
    """A CancelReq with ``element`` as its header."""
    return f"<env:Header>{element}</env:Header><env:Body>{CANCEL}</env:Body>"


def fault(inside: str) -> str:
    """A SOAP Fault that ends with ``inside``."""
    return f"<env:Fault><faultcode>env:Client</faultcode><faultstring>Client error</faultstring>{inside}</env:Fault>"


def simple(name: str, value: str = "x") -> str:
    """An element, marked."""
    return f"[[<{name}>{value}</{name}>]]"


def text(name: str, value: str, rest: str = "") -> str:
    """An element with its text marked."""
    return f"<{name}{rest}>[[{value}]]</{name}>"


# --- section 2: the versions -----------------------------------------------------------------------------------------

LISTED = {
    "5.3.0": ALL,
    "5.5.0": "5/1-3..6/1-4",
    "5.6.0": "5/1-3..6/1-4",
    "5.8.0": "5/1-4 5/1-5 6/1-1..6/1-4",
    "5.10.0": "5/1-5 6/1-2..6/1-4",
    "6.3.0": "6/1-0..6/1-4",
    "6.4.0": "6/1-1..6/1-4",
    "6.5.0": "6/1-2..6/1-4",
    "6.6.0": "6/1-3..6/1-4",
    "6.8.0": "6/1-4",
}
UNLISTED = (
    "5.2.0", "5.4.0", "5.7.0", "5.9.0", "5.11.0", "6.0.0", "6.1.0", "6.2.0", "6.7.0", "6.9.0", "6.10.0", "7.0.0",
    " 5.3.0", "5.3.0 ", "5.3.0\n", "5.3", "5.30", "5.3.00", "REL-5-MM7-1-3", "",
)  # fmt: skip
VERSIONS = [
    Row(f"MM7Version {version!r}", cancel("").replace(V, text("MM7Version", version)), accept, "5.3.0", f"{version} ")
    for version, accept in (*LISTED.items(), *((one, NONE) for one in UNLISTED))
]
VERSIONS += [
    Row(f"MM7Version 6.3.0 in {name}", document.replace(V, text("MM7Version", "6.3.0")), "6/1-0..6/1-4", "5.3.0", "6.3")
    for name, document in {
        "SubmitReq": submit(""),
        "DeliverReq": deliver(),
        "DeliveryReportReq": report(),
        "ReadReplyReq": read(),
        "CancelRsp": response(OK),
        "ReplaceReq": replace(""),
        "RSErrorRsp": fault(f"<detail>{response(BAD, 'RSErrorRsp')}</detail>"),
    }.items()
]

# --- section 3: what changed from one schema to the next -------------------------------------------------------------

TRUE = "true"
CHANGES = [
    # 5/1-0 -> 5/1-1
    Row("SubmitReq DistributionProtection", submit(simple("DistributionProtection", TRUE)), "5/1-0"),
    Row("SubmitReq DistributionIndicator", submit(simple("DistributionIndicator", TRUE)), "5/1-1..6/1-4"),
    Row("ReplaceReq DistributionProtection", replace(simple("DistributionProtection", TRUE)), "5/1-0"),
    Row("ReplaceReq DistributionIndicator", replace(simple("DistributionIndicator", TRUE)), "5/1-1..6/1-4"),
    Row("SubmitRsp MessageID", response(OK + simple("MessageID"), "SubmitRsp"), "5/1-1..6/1-4", wrong=""),
    Row("SubmitRsp MessageID on error", response(BAD + simple("MessageID"), "SubmitRsp"), "5/1-1..6/1-4", wrong=""),
    Row(
        "SubmitRsp no MessageID",
        response(OK + "[[]]", "SubmitRsp"),
        "5/1-0",
        "<MessageID>m</MessageID>",
        "<MessageID>m</MessageID>",
    ),
    Row(
        "SubmitRsp empty MessageID",
        response(OK + text("MessageID", ""), "SubmitRsp"),
        "5/1-2..6/1-4",
        "m",
        "<x/>",
        "5/1-1..6/1-4",
    ),
    Row("DeliverRsp ServiceCode", response(OK + simple("ServiceCode"), "DeliverRsp"), "5/1-1..6/1-4"),
    *(
        Row(f"{name} no ServiceCode", response(OK + simple("ServiceCode"), name), NONE)
        for name in ("CancelRsp", "ReplaceRsp", "DeliveryReportRsp", "ReadReplyRsp", "RSErrorRsp", "VASPErrorRsp")
    ),
    # 5/1-1 -> 5/1-2
    Row(
        "TransactionID mustUnderstand",
        transaction('<TransactionID[[ env:mustUnderstand="1"]]>t</TransactionID>'),
        "5/1-2..6/1-4",
        "",
        ' env:mustUnderstand="true"',
    ),
    Row(
        "TransactionID mustUnderstand 0",
        transaction('<TransactionID[[ env:mustUnderstand="0"]]>t</TransactionID>'),
        "5/1-2..6/1-4",
        "",
        ' env:mustUnderstand="2"',
    ),
    Row(
        "TransactionID actor",
        transaction('<TransactionID[[ env:actor="urn:x"]]>t</TransactionID>'),
        "5/1-2..6/1-4",
        "",
        ' actor="urn:x"',
    ),
    Row(
        "TransactionID encodingStyle",
        transaction('<TransactionID[[ env:encodingStyle="urn:x urn:y"]]>t</TransactionID>'),
        "5/1-2..6/1-4",
        "",
        ' encodingStyle="urn:x"',
    ),
    Row("TransactionID other attribute", transaction('<TransactionID[[ id="x"]]>t</TransactionID>'), NONE),
    Row("TransactionID foreign attribute", transaction('<TransactionID[[ f:x="x"]]>t</TransactionID>'), NONE),
    Row("TransactionID is free text", transaction(text("TransactionID", "a b")), "5/1-2..6/1-4", "ab", "<x/>"),
    Row("TransactionID may be empty", transaction(text("TransactionID", "")), "5/1-2..6/1-4", "ab", "<x/>"),
    Row("TransactionID with slash", transaction(text("TransactionID", "a/b")), "5/1-2..6/1-4", "ab", "<x/>"),
    Row("TransactionID padded", transaction(text("TransactionID", " ab\n")), ALL, wrong="<x/>"),
    Row(
        "no TransactionID",
        f"<env:Header>[[]]</env:Header><env:Body>{CANCEL}</env:Body>",
        ALL,
        wrong="<TransactionID><x/></TransactionID>",
    ),
    Row(
        "SenderAddress is text",
        submit("", "<SenderIdentification>[[<SenderAddress>x</SenderAddress>]]</SenderIdentification>"),
        "5/1-0..5/1-1",
        f"<SenderAddress>{A}</SenderAddress>",
        f"<SenderAddress>{A}</SenderAddress>",
    ),
    Row(
        "SenderAddress is an address",
        submit("", f"<SenderIdentification>[[<SenderAddress>{A}</SenderAddress>]]</SenderIdentification>"),
        "5/1-2..6/1-4",
        "<SenderAddress>x</SenderAddress>",
        "<SenderAddress>x</SenderAddress>",
    ),
    Row("DeliverReq without ReplyChargingID", deliver(charge="[[]]"), "5/1-2..6/1-4", RC, RC + RC),
    *(
        Row(f"{point} is free text", document, "5/1-2..6/1-4", "ab", "<x/>")
        for point, document in {
            "LinkedID": submit(text("LinkedID", "a b")),
            "MessageID": cancel("").replace("<MessageID>m</MessageID>", text("MessageID", "a b")),
            "SubmitRsp MessageID": response(OK + text("MessageID", "a b"), "SubmitRsp"),
            "ReplyChargingID": deliver(charge=text("ReplyChargingID", "a b")),
            "VASPID": submit("", f"<SenderIdentification>{text('VASPID', 'a b')}</SenderIdentification>"),
            "VASID": submit(
                "", f"<SenderIdentification><VASPID>v</VASPID>{text('VASID', 'a b')}</SenderIdentification>"
            ),
            "MMSRelayServerID": deliver(text("MMSRelayServerID", "a b")),
            "Number +61": submit("", to=f"<Recipients><To>{text('Number', '+61')}</To></Recipients>"),
            "Number with blank": submit("", to=f"<Recipients><Cc>{text('Number', '6 1')}</Cc></Recipients>"),
            "ShortCode": submit("", to=f"<Recipients><Bcc>{text('ShortCode', '1 2')}</Bcc></Recipients>"),
            "Sender Number": report().replace(f"<Sender>{A}", f"<Sender>{text('Number', '+1')}"),
        }.items()
        if point != "SubmitRsp MessageID"
    ),
    Row(
        "SubmitRsp MessageID is free text",
        response(OK + text("MessageID", "a b"), "SubmitRsp"),
        "5/1-2..6/1-4",
        "ab",
        "<x/>",
        "5/1-1..6/1-4",
    ),
    Row(
        "RFC2822Address was always text",
        submit("", to=f"<Recipients><To>{text('RFC2822Address', 'a b')}</To></Recipients>"),
        ALL,
        wrong="<x/>",
    ),
    # 5/1-3 -> 5/1-4, 6/1-0 -> 6/1-1 -> 6/1-2
    Row(
        "DeliveryReportReq Date",
        report(date=f"[[<Date>{WHEN}</Date>]]"),
        "5/1-0..5/1-3 5/1-5 6/1-0 6/1-2..6/1-4",
        f"<TimeStamp>{WHEN}</TimeStamp>",
        f"<TimeStamp>{WHEN}</TimeStamp>",
    ),
    Row(
        "DeliveryReportReq TimeStamp",
        report(date=f"[[<TimeStamp>{WHEN}</TimeStamp>]]"),
        "5/1-4 6/1-1",
        f"<Date>{WHEN}</Date>",
        f"<Date>{WHEN}</Date>",
    ),
    Row("DeliveryReportReq without either", report(date="[[]]"), NONE, f"<DATE>{WHEN}</DATE>"),
    Row(
        "ReadReplyReq TimeStamp",
        read().replace(f"<TimeStamp>{WHEN}</TimeStamp>", f"[[<TimeStamp>{WHEN}</TimeStamp>]]"),
        ALL,
        wrong=f"<Date>{WHEN}</Date>",
    ),
    # 5/1-3 -> 6/1-0
    Row("ChargedPartyID", submit(f"<ChargedParty>Sender</ChargedParty>{simple('ChargedPartyID')}"), "6/1-0..6/1-4"),
    Row(
        "ChargedPartyID after ChargedParty",
        submit("[[<ChargedPartyID>x</ChargedPartyID><ChargedParty>Both</ChargedParty>]]"),
        NONE,
        "<ChargedParty>Both</ChargedParty><ChargedPartyID>x</ChargedPartyID>",
        scope="6/1-0..6/1-4",
    ),
    Row("Previouslysentby", deliver(spent="[[<Previouslysentby/>]]"), "6/1-0..6/1-4"),
    Row(
        "Previouslysentby UserAgent",
        deliver(
            spent=f'[[<Previouslysentby><UserAgent sequence="1">{A}</UserAgent><UserAgent>{A}</UserAgent>'
            "</Previouslysentby>]]"
        ),
        "6/1-0..6/1-4",
        "",
        "<Previouslysentby><UserAgent/></Previouslysentby>",
    ),
    Row(
        "Previouslysentdateandtime",
        deliver(
            spent=f'[[<Previouslysentdateandtime><DateTime sequence="2">{WHEN}</DateTime><DateTime>P1D'
            "</DateTime></Previouslysentdateandtime>]]"
        ),
        "6/1-0..6/1-4",
        "",
        "<Previouslysentdateandtime><DateTime>yesterday</DateTime></Previouslysentdateandtime>",
    ),
    Row(
        "sequence is positive",
        deliver(spent=f'<Previouslysentby><UserAgent sequence="[[0]]">{A}</UserAgent></Previouslysentby>'),
        NONE,
        "1",
        scope="6/1-0..6/1-4",
    ),
    Row("SenderSPI", deliver(spent=simple("SenderSPI")), "6/1-0..6/1-4"),
    Row("RecipientSPI", deliver(spent=simple("RecipientSPI")), "6/1-0..6/1-4"),
    Row(
        "order after Recipients",
        deliver(spent="[[<SenderSPI/><Previouslysentby/>]]"),
        NONE,
        "<Previouslysentby/><SenderSPI/>",
        scope="6/1-0..6/1-4",
    ),
    Row("MMStatusExtension", report(rest=simple("MMStatusExtension", "RejectionByOtherRS")), "6/1-0..6/1-4"),
    Row(
        "MMStatusExtension values",
        report(rest=text("MMStatusExtension", "RejectionByMMSRecipient")),
        "6/1-0..6/1-4",
        wrong="RejectionByNobody",
        scope="6/1-0..6/1-4",
    ),
    Row("no MMStatusExtension in ReadReplyReq", read(simple("MMStatusExtension", "RejectionByOtherRS")), NONE),
    *(
        Row(
            f"{name} addressCoding",
            submit("", to=f'<Recipients><To><{name}[[ addressCoding="{value}"]]>1</{name}></To></Recipients>'),
            "6/1-0..6/1-4",
            "",
            ' addressCoding="plain"',
        )
        for name, value in (("Number", "encrypted"), ("RFC2822Address", "obfuscated"), ("ShortCode", "encrypted"))
    ),
    *(
        Row(
            f"{name} id",
            submit("", to=f'<Recipients><To><{name}[[ id="n1"]]>1</{name}></To></Recipients>'),
            "6/1-0..6/1-4",
            "",
            ' id="1"',
        )
        for name in ("Number", "RFC2822Address", "ShortCode")
    ),
    Row(
        "displayOnly was always there",
        submit("", to='<Recipients><To><Number[[ displayOnly="true"]]>1</Number></To></Recipients>'),
        ALL,
        wrong=' displayOnly="yes"',
    ),
    # 6/1-0 -> 6/1-1
    *(
        Row(f"MMStatus {value}", report(text("MMStatus", value)), "6/1-1..6/1-4", "Expired", value.lower())
        for value in ("Unrecognised", "Deferred")
    ),
    # 6/1-1 -> 6/1-2
    Row("ThirdParty", submit(text("ChargedParty", "ThirdParty")), "6/1-2..6/1-4", "Neither", "Thirdparty"),
    # 6/1-2 -> 6/1-3
    Row(
        "DeliveryCondition is text",
        submit("[[<DeliveryCondition>x</DeliveryCondition>]]"),
        "6/1-3",
        "",
        "<DeliveryCondition><DC>1</DC></DeliveryCondition>",
    ),
    Row(
        "MMStatus DeliveryConditionNotMet",
        report(text("MMStatus", "DeliveryConditionNotMet")),
        "6/1-3..6/1-4",
        "Expired",
        "NotMet",
    ),
    # 6/1-3 -> 6/1-4
    Row(
        "DeliveryCondition is a list",
        submit("[[<DeliveryCondition><DC>1</DC><DC>2</DC></DeliveryCondition>]]"),
        "6/1-4",
        "",
        "<DeliveryCondition>1</DeliveryCondition>",
    ),
    Row("DeliveryCondition empty", submit("[[<DeliveryCondition/>]]"), "6/1-3..6/1-4"),
    Row(
        "DeliveryCondition after DistributionIndicator",
        submit("[[<DeliveryCondition/><DistributionIndicator>1</DistributionIndicator>]]"),
        NONE,
        "<DistributionIndicator>1</DistributionIndicator><DeliveryCondition/>",
        scope="6/1-3..6/1-4",
    ),
    *(
        Row(f"{name} in {kind}", write(simple(name)), NEW)
        for name in ("ApplicID", "ReplyApplicID", "AuxApplicInfo")
        for kind, write in {
            "SubmitReq": submit,
            "DeliverReq": lambda x: deliver(rest=x),
            "CancelReq": cancel,
            "ReplaceReq": replace,
            "DeliveryReportReq": lambda x: report(rest=x),
            "ReadReplyReq": read,
        }.items()
    ),
    *(
        Row(f"{name} in {kind}", write(simple(name, value)), NEW)
        for name, value in (("ContentClass", "image-basic"), ("DRMContent", "true"))
        for kind, write in {"SubmitReq": submit, "ReplaceReq": replace}.items()
    ),
    *(
        Row(f"ContentClass {value}", submit(text("ContentClass", value)), NEW, wrong="video", scope=NEW)
        for value in (
            "text",
            "image-basic",
            "image-rich",
            "video-basic",
            "video-rich",
            "megapixel",
            "content-basic",
            "content-rich",
        )
    ),
    *(
        Row(f"no {name} in DeliverReq", deliver(rest=simple(name, value)), NONE)
        for name, value in (("ContentClass", "text"), ("DRMContent", "true"))
    ),
    Row("DeliverReq VASPID and VASID", deliver("[[<VASPID>v</VASPID><VASID>s</VASID>]]<LinkedID>l</LinkedID>"), NEW),
    Row("UACapabilities in DeliverReq", deliver(rest='[[<UACapabilities UAProf="x" TimeStamp="P1D"/>]]'), NEW),
    Row("UACapabilities in DeliveryReportReq", report(rest="[[<UACapabilities/>]]"), NEW),
    Row("no UACapabilities in ReadReplyReq", read("[[<UACapabilities/>]]"), NONE),
]

EXTENDED = {
    "extendedCancelReq": f"{V}<SenderIdentification/><CancelID>c</CancelID>",
    "extendedCancelRsp": f"{V}<Status><StatusCode>1000</StatusCode></Status>",
    "extendedReplaceReq": V,
    "extendedReplaceRsp": f"{V}<MessageID>m</MessageID><Status><StatusCode>1000</StatusCode></Status>",
}
CHANGES += [
    # Body is lax: where the element is not declared, nothing of it is judged.
    Row(
        f"{name} is new", f"<{name}>[[<Nonsense/>]]</{name}>", "5/1-0..6/1-3", content, f"</{name}><CancelReq/><{name}>"
    )
    for name, content in EXTENDED.items()
]

# --- section 4: what surprises ---------------------------------------------------------------------------------------

CODE, TEXT, DETAILS = "<StatusCode>1000</StatusCode>", "<StatusText>x</StatusText>", "<Details><x/></Details>"
SURPRISES = [
    *(
        Row(
            f"Status order {number}",
            response(f"<Status>[[{''.join(parts)}]]</Status>"),
            ALL,
            wrong="".join(parts) + TEXT,
        )
        for number, parts in enumerate((*permutations((CODE, TEXT)), *permutations((CODE, TEXT, DETAILS))))
    ),
    Row("StatusText is required", response(f"<Status>{CODE}[[]]</Status>"), NONE, "<StatusText/>"),
    Row(
        "StatusText may be empty", response(f"<Status>{CODE}<StatusText>[[]]</StatusText></Status>"), ALL, wrong="<x/>"
    ),
    Row("StatusCode is required", response(f"<Status>[[]]{TEXT}</Status>"), NONE, CODE),
    *(
        Row(f"StatusCode {value!r}", response(f"<Status>{text('StatusCode', value)}{TEXT}</Status>"), ALL, wrong="0")
        for value in ("1", "999", "3005", "123456789", "+1000", "01000", " 1000\n")
    ),
    *(
        Row(f"StatusCode {value!r}", response(f"<Status>{text('StatusCode', value)}{TEXT}</Status>"), NONE, "1000")
        for value in (
            "0",
            "-1",
            "",
            " ",
            "1000.0",
            "1e3",
            "0x10",
            "OK",
            "1 000",
            "1_000",
            "1\u0660\u0660\u0660",
            "\uff11000",
            "1000\u00a0",
        )
    ),
    Row(
        "extendedCancelRsp has no StatusText",
        response(f"<Status>{CODE}[[{TEXT}]]</Status>", "extendedCancelRsp"),
        NONE,
        scope=NEW,
    ),
    Row(
        "extendedCancelRsp has no Details",
        response(f"<Status>{CODE}[[{DETAILS}]]</Status>", "extendedCancelRsp"),
        NONE,
        scope=NEW,
    ),
    Row(
        "extendedReplaceRsp has no StatusText",
        f"<extendedReplaceRsp>{V}<MessageID>m</MessageID><Status>{CODE}[[{TEXT}]]</Status></extendedReplaceRsp>",
        NONE,
        scope=NEW,
    ),
    Row(
        "extendedReplaceRsp MessageID comes before Status",
        f"<extendedReplaceRsp>{V}[[<MessageID>m</MessageID><Status>{CODE}</Status>]]</extendedReplaceRsp>",
        NEW,
        wrong=f"<Status>{CODE}</Status><MessageID>m</MessageID>",
        scope=NEW,
    ),
    Row(
        "extendedReplaceReq names VASPID and VASID itself",
        f"<extendedReplaceReq>{V}[[<VASPID>v</VASPID><VASID>s</VASID>]]</extendedReplaceReq>",
        NEW,
        wrong="<SenderIdentification/>",
        scope=NEW,
    ),
    Row(
        "extendedReplaceReq needs nothing but the version",
        f"<extendedReplaceReq>{V}[[]]</extendedReplaceReq>",
        NEW,
        wrong="<MessageID>m</MessageID>",
        scope=NEW,
    ),
    Row(
        "extendedReplaceReq has ReplaceID",
        f"<extendedReplaceReq>{V}<ServiceCode>s</ServiceCode>{simple('ReplaceID')}"
        f"<TimeStamp>{WHEN}</TimeStamp></extendedReplaceReq>",
        NEW,
        scope=NEW,
    ),
    Row(
        "extendedCancelReq has CancelID",
        f"<extendedCancelReq>{V}<SenderIdentification/>{simple('CancelID')}</extendedCancelReq>",
        NEW,
        wrong="<MessageID>m</MessageID>",
        scope=NEW,
    ),
    Row(
        "extendedCancelReq starts small",
        "<[[ExtendedCancelReq/><extendedCancelReq/]]>",
        NONE,
        f"CancelRsp>{V}{OK}</CancelRsp",
        scope=NEW,
    ),
    Row(
        "Details: any elements",
        details('<Details>[[<x/><f:x f:y="z">text<f:z/></f:x><y xmlns=""/>]]</Details>'),
        ALL,
        wrong="<CancelReq/>",
    ),
    Row("Details: empty", details("<Details>[[]]</Details>"), ALL, wrong="x"),
    Row("Details: white space", details("<Details>[[\n ]]<x/></Details>"), ALL, wrong="\u00a0"),
    Row("Details: no text", details("<Details>[[text]]</Details>"), NONE),
    Row("Details: no text after an element", details("<Details><x/>[[text]]</Details>"), NONE),
    Row("Details: no attribute", details("<Details[[ x='1']]/>"), NONE),
    Row("Details: no foreign attribute", details("<Details[[ f:x='1']]/>"), NONE),
    Row("Details: text deeper down", details("<Details><x>[[text]]</x></Details>"), ALL, wrong="<CancelReq/>"),
    *(
        Row(f"{name} is empty: {gap!r}", document.replace("GAP", f"[[{gap}]]"), NONE, scope=scope)
        for gap in (" ", "\n", "x", "<x/>", "\u00a0")
        for name, document, scope in (
            ("Content", submit('<Content href="cid:x">GAP</Content>'), ALL),
            ("ReplyCharging", submit("<ReplyCharging>GAP</ReplyCharging>"), ALL),
            ("UACapabilities", deliver(rest="<UACapabilities>GAP</UACapabilities>"), NEW),
        )
    ),
    Row("Content: a comment is no content", submit('<Content href="cid:x">[[<!-- x -->]]</Content>'), ALL, wrong=" "),
    *(
        Row(f"one capital: {wrong}", deliver(spent=f"[[<{wrong}/>]]"), NONE, f"<{right}/>", scope="6/1-0..6/1-4")
        for wrong, right in (
            ("PreviouslySentBy", "Previouslysentby"),
            ("PreviouslySentDateAndTime", "Previouslysentdateandtime"),
        )
    ),
    Row("MessageClass has a default", submit("[[<MessageClass/>]]"), ALL, wrong="<MessageClass> </MessageClass>"),
    *(
        Row(f"{name} has no default", document, NONE, value)
        for name, document, value in (
            ("Priority", submit("<Priority>[[]]</Priority>"), "High"),
            ("ChargedParty", submit("<ChargedParty>[[]]</ChargedParty>"), "Both"),
            ("DeliveryReport", submit("<DeliveryReport>[[]]</DeliveryReport>"), "1"),
            ("ReadReply", submit("<ReadReply>[[]]</ReadReply>"), "0"),
            ("ExpiryDate", submit("<ExpiryDate>[[]]</ExpiryDate>"), "P1D"),
            ("TimeStamp", submit("<TimeStamp>[[]]</TimeStamp>"), WHEN),
            ("MMStatus", report("<MMStatus>[[]]</MMStatus>"), "Expired"),
            ("read MMStatus", read(status="[[]]"), "Deleted"),
        )
    ),
    *(
        Row(f"MessageClass {value}", submit(text("MessageClass", value)), ALL, wrong=value.upper())
        for value in ("Personal", "Informational", "Advertisement", "Auto")
    ),
    *(
        Row(f"Priority {value}", submit(text("Priority", value)), ALL, wrong=value.lower())
        for value in ("Normal", "High", "Low")
    ),
    *(
        Row(f"read MMStatus {value}", read(status=f"[[{value}]]"), ALL, wrong="Retrieved")
        for value in ("Read", "Deleted", "Indeterminate")
    ),
    *(
        Row(f"MMStatus {value}", report(text("MMStatus", value)), ALL, wrong="Read")
        for value in ("Expired", "Retrieved", "Rejected", "Indeterminate", "Forwarded")
    ),
    *(
        Row(f"boolean {value!r}", submit(text("DeliveryReport", value)), ALL, wrong=value.upper() + "x")
        for value in ("true", "0", " 1 ")
    ),
    *(
        Row(f"boolean {value!r}", submit(text("DeliveryReport", value)), NONE, "true")
        for value in ("True", "FALSE", "yes", "2", "true\u00a0")
    ),
    Row(
        "Recipients in any order",
        submit("", to=f"<Recipients>[[<Cc>{A}</Cc><To>{A}{A}</To><Bcc>{A}</Bcc><To>{A}</To>]]</Recipients>"),
        ALL,
        wrong=f"<Cc>{A}</Cc>{A}",
    ),
    Row("Recipients needs one", submit("", to="<Recipients>[[]]</Recipients>"), NONE, f"<Bcc>{A}</Bcc>"),
    Row("To needs an address", submit("", to="<Recipients><To>[[]]</To></Recipients>"), NONE, A),
    Row(
        "To mixes addresses",
        submit(
            "",
            to=f"<Recipients><To>[[{A}<ShortCode>2</ShortCode><RFC2822Address>a@b</RFC2822Address>{A}]]</To>"
            "</Recipients>",
        ),
        ALL,
        wrong="a@b",
    ),
    Row("Recipients is required in SubmitReq", submit("", to="[[]]"), NONE, TO),
    Row("Recipients is optional in DeliverReq", deliver(spent="[[]]"), ALL, wrong="<Recipients/>"),
    Row("an address is one thing", deliver().replace(A, f"[[{A}<ShortCode>2</ShortCode>]]"), NONE, A),
    Row("an address is something", deliver().replace(A, "[[]]"), NONE, A),
    Row("an address is no text", deliver().replace(A, "[[1]]"), NONE, A),
    Row(
        "SubmitReq: ContentClass after AuxApplicInfo",
        submit("[[<AuxApplicInfo/><ContentClass>text</ContentClass><DRMContent>1</DRMContent>]]"),
        NEW,
        wrong="<ContentClass>text</ContentClass><DRMContent>1</DRMContent><AuxApplicInfo/>",
        scope=NEW,
    ),
    Row(
        "ReplaceReq: ContentClass before ApplicID",
        replace("[[<ContentClass>text</ContentClass><DRMContent>1</DRMContent><ApplicID/>]]"),
        NEW,
        wrong="<ApplicID/><ContentClass>text</ContentClass><DRMContent>1</DRMContent>",
        scope=NEW,
    ),
    Row(
        "DeliverReq: MMSRelayServerID before VASPID",
        deliver("[[<MMSRelayServerID>r</MMSRelayServerID><VASPID>v</VASPID>]]"),
        NEW,
        wrong="<VASPID>v</VASPID><MMSRelayServerID>r</MMSRelayServerID>",
        scope=NEW,
    ),
    *(
        Row(f"{name} is no duration", write(text(name, "P1D")), NONE, WHEN)
        for name, write in (
            ("TimeStamp", submit),
            ("DATE", lambda date: report(date=date)),
            ("TimeStamp", lambda x: deliver(spent=x)),
        )
    ),
    *(
        Row(f"{name} {value}", submit(text(name, value)), ALL, wrong="tomorrow")
        for name in ("EarliestDeliveryTime", "ExpiryDate")
        for value in (WHEN, "P90D", "-P90D", "PT0S", "2002-01-02T09:30:47", "P1Y2M3DT4H5M6.7S")
    ),
    *(
        Row(
            f"replyDeadline {value}",
            submit(f'<ReplyCharging replyDeadline="[[{value}]]" replyChargingSize="1"/>'),
            ALL,
            wrong="soon",
        )
        for value in (WHEN, "-P1D")
    ),
    Row("replyChargingSize is positive", submit('<ReplyCharging replyChargingSize="[[0]]"/>'), NONE, "1"),
    *(
        Row(
            f"UACapabilities TimeStamp {value}",
            deliver(rest=f'<UACapabilities TimeStamp="[[{value}]]"/>'),
            NEW,
            wrong="x",
            scope=NEW,
        )
        for value in (WHEN, "-P1D")
    ),
    *(
        Row(
            f"DateTime {value}",
            deliver(spent=f"<Previouslysentdateandtime><DateTime>[[{value}]]</DateTime></Previouslysentdateandtime>"),
            "6/1-0..6/1-4",
            wrong="x",
            scope="6/1-0..6/1-4",
        )
        for value in (WHEN, "-P1D")
    ),
    *(
        Row(f"dateTime {value}", submit(text("TimeStamp", value)), NONE, WHEN)
        for value in (
            "2002-01-02",
            "2002-01-02 09:30:47",
            "2002-01-02T09:30",
            "2002-01-02T09:30:47+0500",
            "2002-01-02T24:00:01Z",
            "2003-02-29T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "02002-01-02T09:30:47Z",
            "2002-01-02T09:30:60Z",
            "2002-01-02T09:30:47+14:01",
            "20020102T093047Z",
            "2002-01-02T09:30:47.Z",
            "+2002-01-02T09:30:47Z",
            "\u0662002-01-02T09:30:47Z",
            "2002-01-02T09:30:47z",
        )
    ),
    *(
        Row(f"dateTime {value}", submit(text("TimeStamp", value)), ALL, wrong="x")
        for value in (
            "2002-01-02T24:00:00Z",
            "2004-02-29T00:00:00",
            "-0044-03-15T12:00:00Z",
            "12002-01-02T09:30:47Z",
            "2002-01-02T09:30:47.123456789Z",
            "2002-01-02T09:30:47-14:00",
        )
    ),
    *(
        Row(f"duration {value}", submit(text("ExpiryDate", value)), NONE, "P1D")
        for value in (
            "P",
            "PT",
            "P1DT",
            "P1H",
            "P1D1Y",
            "P-1D",
            "+P1D",
            "p1d",
            "P1W",
            "P1.5D",
            "P1M1",
            "P\u0661D",
            "1D",
        )
    ),
    Row("children are qualified", cancel("").replace(V, '[[<MM7Version xmlns="">5.3.0</MM7Version>]]'), NONE, V),
    Row("attributes are not qualified", submit('<Content [[m:href]]="cid:x"/>'), NONE, "href"),
    Row("Content is optional", submit("[[<Content href='cid:x'/>]]"), ALL),
    Row("Content in ReplaceReq", replace("[[<Content href='cid:x'/>]]"), ALL),
    Row("Content in DeliverReq", deliver(rest="[[<Content href='cid:x' allowAdaptations='false'/>]]"), ALL),
    Row("no Content in CancelReq", cancel("[[<Content href='cid:x'/>]]"), NONE),
    Row("Content needs href", submit("<Content[[]]/>"), NONE, ' href="cid:x"'),
    *(
        Row(f"href {value!r}", submit(f'<Content [[href="{value}"]]/>'), ALL, wrong="")
        for value in ("cid:x@y", "", "cid:a b", "x y", "cid:ü")
    ),
    Row(
        "SenderIdentification is required",
        "<CancelReq>" + V + "[[]]<MessageID>m</MessageID></CancelReq>",
        NONE,
        "<SenderIdentification/>",
    ),
    Row("MM7Version is required", cancel("").replace(V, "[[]]"), NONE, V),
]

# --- section 5: openness; section 6: faults; and what xsi and comments do ---------------------------------------------

SOAP_ROWS = [
    Row(
        "ServiceCode takes foreign attributes", submit('<ServiceCode[[ f:x="1"]]>s</ServiceCode>'), ALL, wrong=' x="1"'
    ),
    Row("ServiceCode takes no attribute of the schema", submit('<ServiceCode[[ m:x="1"]]>s</ServiceCode>'), NONE),
    Row(
        "ServiceCode takes xml:lang",
        submit('<ServiceCode[[ xml:lang="en_US"]]>s</ServiceCode>'),
        ALL,
        wrong=' lang="en"',
    ),
    Row("Subject takes none", submit('<Subject[[ f:x="1"]]>s</Subject>'), NONE),
    *(
        Row(f"no {name} in SubmitReq", submit(f"[[<{name}/>]]"), NONE)
        for name in ("Extension", "f:Extension", "Details", "MessageID")
    ),
    *(
        Row(f"no foreign element in {kind}", document, NONE)
        for kind, document in (
            ("CancelRsp", response(OK + "[[<f:x/>]]")),
            ("Status", response(f"<Status>{CODE}{TEXT}[[<f:x/>]]</Status>")),
            ("DeliverReq", deliver(rest="[[<f:x/>]]")),
            ("Recipients", submit("", to=f"<Recipients><To>{A}</To>[[<f:x/>]]</Recipients>")),
        )
    ),
    Row("Header takes any element", transaction("[[<f:x>text</f:x>]]"), ALL, wrong="<x xmlns=''/>"),
    Row("Header takes no SOAP element", transaction("[[<env:Body/>]]"), NONE),
    Row("Header holds no text", transaction("[[text]]"), NONE),
    Row("Header holds no odd white space", transaction("[[\u2003]]"), NONE),
    Row(
        "Body takes any element",
        f"<env:Body>[[<f:x>text</f:x><y xmlns=''/>]]{CANCEL}</env:Body>",
        ALL,
        wrong="<CancelReq/>",
    ),
    Row("Body may be empty", "<env:Body>[[]]</env:Body>", ALL, wrong="text"),
    Row("Body holds no text", f"<env:Body>{CANCEL}[[text]]</env:Body>", NONE),
    Row(
        "another MM7 namespace is not judged",
        f"<CancelReq[[ xmlns='{NAMESPACE_PREFIX}REL-7-MM7-1-0']]/>",
        ALL,
        wrong="",
    ),
    Row(
        "an MM7 element in foreign ones is judged",
        f"<f:x><CancelReq>{V}[[]]</CancelReq></f:x>",
        NONE,
        "<SenderIdentification/><MessageID>m</MessageID>",
    ),
    Row("Details in foreign elements is nobody's", "<f:x><Details>[[text]]</Details></f:x>", ALL, wrong="<CancelReq/>"),
    Row(
        "detail in foreign elements is nobody's",
        "<f:x><detail xmlns=''>[[text]]</detail></f:x>",
        ALL,
        wrong="<CancelReq xmlns='{}'/>",
    ),
    Row("Envelope: Header before Body", "[[<env:Body/><env:Header/>]]", NONE, "<env:Header/><env:Body/>"),
    Row("Envelope needs Body", "[[<env:Header/>]]", NONE, "<env:Body/>"),
    Row("Envelope: foreign elements after Body", "<env:Body/>[[<f:x/>]]", ALL, wrong="<env:x/>"),
    Row("Envelope holds no text", "[[text]]<env:Body/>", NONE),
    *(
        Row(f"fault detail {name}", fault(f"<detail><{name}>{V}[[{BAD}]]</{name}></detail>"), ALL, wrong="")
        for name in ("RSErrorRsp", "VASPErrorRsp")
    ),
    Row(
        "fault detail of SubmitRsp's kind",
        fault(f"<detail>{response(BAD + '[[<MessageID>m</MessageID>]]', 'RSErrorRsp')}</detail>"),
        NONE,
    ),
    Row("fault detail is lax", fault("<detail f:x='1' y='2'>[[<f:x>text</f:x><y/>]]</detail>"), ALL, wrong="text"),
    Row("fault detail is optional", fault("[[<detail/>]]"), ALL),
    Row("fault children are unqualified", fault("[[<env:detail/>]]"), NONE, "<detail/>"),
    Row(
        "faultactor before detail",
        fault("[[<faultactor>urn:x</faultactor><detail/>]]"),
        ALL,
        wrong="<detail/><faultactor>urn:x</faultactor>",
    ),
    *(
        Row(
            f"faultcode {value!r}",
            "<env:Fault><faultcode>[[" + value + "]]</faultcode><faultstring/></env:Fault>",
            ALL,
            wrong="nope:Client",
        )
        for value in ("env:Client", "env:Server", "env:Client.Authentication", "Client", " env:Server\n")
    ),
    *(
        Row(
            f"faultcode {value!r}",
            "<env:Fault><faultcode>[[" + value + "]]</faultcode><faultstring/></env:Fault>",
            NONE,
            "env:Client",
        )
        for value in ("", "a:b:c", "4001 x", ":Client", "env:Client\u00a0")
    ),
    Row(
        "faultstring is required",
        "<env:Fault><faultcode>env:Client</faultcode>[[]]</env:Fault>",
        NONE,
        "<faultstring/>",
    ),
    Row("white space between elements", cancel("[[\n \t]]"), ALL, wrong="\n\u00a0"),
    Row("a comment between elements", cancel("[[<!-- x --><?x y?>]]"), ALL, wrong="<!-- x -->text"),
    Row(
        "a comment inside a value",
        response(f"<Status><StatusCode>[[1<!-- x -->0]]</StatusCode>{TEXT}</Status>"),
        ALL,
        wrong="1<!-- x -->x",
    ),
    Row("a comment before a value", cancel("").replace("5.3.0", "[[<!-- x -->5.3.0]]"), ALL, wrong="<!-- x -->5.2.0"),
    Row("an instruction after a value", cancel("").replace("5.3.0", "[[5.3.0<?x y?>]]"), ALL, wrong="5.3.0<?x y?>1"),
    Row(
        "xsi:type of its own type",
        cancel("").replace("<CancelReq>", "<CancelReq[[ xsi:type='cancelReqType']]>"),
        ALL,
        wrong=" xsi:type='submitReqType'",
    ),
    Row(
        "xsi:type of a derived type", f"<CancelRsp xsi:type='deliverRspType'>{V}{OK}[[]]</CancelRsp>", ALL, wrong="<x/>"
    ),
    Row("xsi:type of no type", cancel("").replace("<CancelReq>", "<CancelReq[[ xsi:type='nope']]>"), NONE),
    Row(
        "xsi:type of no namespace",
        cancel("").replace("<CancelReq>", "<CancelReq[[ xsi:type='nope:cancelReqType']]>"),
        NONE,
    ),
    Row("xsi:type in foreign elements", "<f:x[[ xsi:type='nope']]/>", NONE),
    Row(
        "xsi:type string on a value",
        submit("<Subject[[ xsi:type='xsd:string']]>s</Subject>"),
        ALL,
        wrong=" xsi:type='xsd:int'",
    ),
    Row(
        "xsi:type of a union's member",
        submit("<ExpiryDate xsi:type='xsd:dateTime'>[[2002-01-02T09:30:47Z]]</ExpiryDate>"),
        ALL,
        wrong="P1D",
    ),
    Row(
        "xsi:nil on a foreign element",
        transaction("[[<f:x xsi:nil='true'/>]]"),
        ALL,
        wrong="<TransactionID xsi:nil='true'/>",
    ),
    Row("xsi:nil", submit("<Subject[[ xsi:nil='true']]/>"), NONE),
    Row(
        "xsi:schemaLocation",
        submit("<Subject[[ xsi:schemaLocation='urn:x http://127.0.0.1:9/x.xsd']]/>"),
        ALL,
        wrong=" xsi:nil='true'",
    ),
    Row(
        "ids are unique",
        submit("", to="<Recipients><To><Number id='a'>1</Number><Number id='[[a]]'>2</Number></To></Recipients>"),
        NONE,
        "b",
        scope="6/1-0..6/1-4",
    ),
]

ROWS = [*VERSIONS, *CHANGES, *SURPRISES, *SOAP_ROWS]


def fill(row: Row, instead: str | None, name: str) -> etree._Element:
    """The envelope of ``row`` for the schema ``name``, with ``instead`` in place of the marked part."""
    before, _, rest = row.document.partition("[[")
    marked, _, after = rest.partition("]]")
    document = before + (marked if instead is None else instead) + after
    if not document.startswith("<env:") or document.startswith("<env:Fault"):
        document = f"<env:Header><TransactionID>t1</TransactionID></env:Header><env:Body>{document}</env:Body>"
    namespace = NAMESPACE_PREFIX + long_name(name)
    document = document.replace("DATE>", "TimeStamp>" if name in ("5/1-4", "6/1-1") else "Date>").replace(
        "{}", namespace
    )
    # detail and its like carry no namespace; what stands below them does.
    document = re.sub(r"<(faultcode|faultstring|faultactor|detail)(?=[ />])(?! xmlns)", r'<\1 xmlns=""', document)
    document = re.sub(r"<(RSErrorRsp|VASPErrorRsp)>", rf'<\1 xmlns="{namespace}">', document)
    return etree.fromstring(
        f'<env:Envelope xmlns:env="{SOAP_NAMESPACE}" xmlns="{namespace}" xmlns:m="{namespace}" xmlns:f="urn:foreign" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
        f"{document}</env:Envelope>"
    )


def long_name(name: str) -> str:
    """REL-5-MM7-1-3 for 5/1-3."""
    return "REL-{}-MM7-1-{}".format(*name.split("/1-"))


def test_every_schema_has_a_column() -> None:
    """The table speaks of the eleven bundled schemas, and no row has the name of another."""
    assert [long_name(one) for one in ORDER] == list(SCHEMAS)
    assert len({(row.point, row.document) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.point)
def test_row(row: Row) -> None:
    """Each schema accepts or rejects as the row says, and the twins show that it is for the point alone."""
    accept, scope = select(row.accept), select(row.scope)
    assert accept <= scope
    assert row.document.count("[[") == row.document.count("]]") == 1
    marked = row.document[row.document.index("[[") + 2 : row.document.index("]]")]
    wrong = marked * 2 if row.wrong is None else row.wrong
    complaints = []
    for name in sorted(scope):
        twin, twin_valid = (wrong, False) if name in accept else (row.plain, True)
        for instead, valid in ((None, name in accept), (twin, twin_valid)):
            document = fill(row, instead, name)
            found = schema.violations(document, NAMESPACE_PREFIX + long_name(name))
            judge = libxml2(long_name(name))
            if (not found) is not valid or judge.validate(document) is not valid:
                which = "the document" if instead is None else f"the twin with {instead!r}"
                complaints.append(
                    f"{name}: {which} should be {'valid' if valid else 'invalid'}: {found} {judge.error_log}"
                )
    assert not complaints, "\n".join(complaints)


def renamed(document: etree._Element, name: str) -> etree._Element:
    """``document`` in the namespace of another schema."""
    text = etree.tostring(document, encoding="unicode")
    return etree.fromstring(re.sub(r"REL-\d-MM7-1-\d", name, text))


@pytest.mark.parametrize(("older", "newer"), [("5/1-2", "5/1-3"), ("5/1-3", "5/1-5"), ("6/1-2", "6/1-3")])
def test_backward_compatible(older: str, newer: str) -> None:
    """A document valid in the older schema is valid in the newer one, which differs in its namespace only."""
    writer = Writer(long_name(older), random.Random(older))
    for _ in range(100):
        document = writer.envelope()
        assert schema.violations(document, NAMESPACE_PREFIX + long_name(older)) == []
        assert schema.violations(renamed(document, long_name(newer)), NAMESPACE_PREFIX + long_name(newer)) == []


@pytest.mark.parametrize(
    ("older", "newer", "reason"),
    [
        ("5/1-3", "5/1-4", "Date"),
        ("6/1-0", "6/1-1", "Date"),
        ("6/1-1", "6/1-2", "TimeStamp"),
        ("6/1-3", "6/1-4", "DeliveryCondition"),
    ],
)
def test_not_backward_compatible(older: str, newer: str, reason: str) -> None:
    """Of the other steps, each refuses documents of the older schema, and for one element only."""
    writer = Writer(long_name(older), random.Random(older))
    refused = 0
    for _ in range(150):
        document = renamed(writer.envelope(), long_name(newer))
        found = schema.violations(document, NAMESPACE_PREFIX + long_name(newer))
        named = {schema.local(one) for one in document.iter(f"{{{NAMESPACE_PREFIX}{long_name(newer)}}}*")}
        assert not found or reason in named
        refused += bool(found)
    assert refused


def test_the_envelope_is_judged_by_the_namespace_that_was_asked_for() -> None:
    """A document of one namespace is not judged by the schema of another."""
    document = fill(Row("", "<CancelReq>[[]]</CancelReq>", NONE), None, "5/1-3")
    assert document[1][0].tag.endswith("CancelReq")
    assert document[1].tag == f"{SOAP}Body"
    assert schema.violations(document, NAMESPACE_PREFIX + "REL-5-MM7-1-4") == []
    assert schema.violations(document, NAMESPACE_PREFIX + "REL-5-MM7-1-3") != []
