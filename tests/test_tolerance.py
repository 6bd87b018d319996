"""Every named tolerance and refusal: what is sent, exactly what is found, and what the message then holds."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from envelopes import (
    FROM,
    MINIMAL,
    NO,
    OK,
    REPORTED,
    TO,
    VERSION,
    WHO,
    envelope,
    fault,
    message,
    sent,
    transaction,
    uri,
    wire,
)
from lxml import etree
from timing import least_seconds

from mm7zeep import envelope as soap
from mm7zeep import exchange, schema, tolerance
from mm7zeep.errors import EnvelopeError, LimitError, RemoteError, SchemaError, VersionError
from mm7zeep.findings import KINDS
from mm7zeep.messages import (
    Fault,
    Number,
    PreviouslySent,
    ReplyCharging,
    RFC2822Address,
    ShortCode,
    Status,
    UACapabilities,
)
from mm7zeep.profiles import NAMESPACES, SOAP_NAMESPACE
from mm7zeep.tolerance import children, values

EARLY = "REL-5-MM7-1-0"
NEXT = "REL-5-MM7-1-1"
LATE = "REL-6-MM7-1-4"
HTTPS = "https://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-5-MM7-1-3"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
PLAIN_TO = "<Recipients><To><Number>4670000001</Number></To></Recipients>"  # an NMTOKEN, as 5/1-0 asks for
SUBMIT = MINIMAL["SubmitReq"]
NESTED_SENDER = f'<Sender xmlns="{uri("REL-5-MM7-1-3")}"><SenderAddress><Number>7</Number></SenderAddress></Sender>'
EARLY_SUBMIT = VERSION + WHO + PLAIN_TO
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Case(NamedTuple):
    """One deviation: the envelope as sent, the findings as ``id action``, and fields of the message or the refusal."""

    name: str
    sent: str
    found: set[str]
    holds: Mapping[str, Any] = MappingProxyType({})
    error: tuple[type[RemoteError], int] | None = None


def submit(more: str = "", schema_name: str = "REL-5-MM7-1-3", *, to: str = TO, who: str = WHO) -> str:
    """A SubmitReq with ``more`` after its recipients."""
    return sent("SubmitReq", VERSION + who + to + more, schema_name)


def early(more: str = "", *, who: str = WHO) -> str:
    """A SubmitReq of REL-5-MM7-1-0."""
    return submit(more, EARLY, to=PLAIN_TO, who=who)


def report(
    status: str = "Retrieved", date: str = "<Date>2026-03-01T12:00:00Z</Date>", name: str = "REL-6-MM7-1-4"
) -> str:
    """A DeliveryReportReq."""
    return sent("DeliveryReportReq", f"{VERSION}{REPORTED}{date}<MMStatus>{status}</MMStatus>", name)


def stamped(value: str) -> str:
    """A DeliverReq with a TimeStamp."""
    return sent("DeliverReq", more=f"<TimeStamp>{value}</TimeStamp>")


def rsp(status: str, more: str = "<MessageID>m-1</MessageID>", name: str = "REL-5-MM7-1-3") -> str:
    """A SubmitRsp."""
    return sent("SubmitRsp", VERSION + status + more, name)


def headed(header: str, body: str = SUBMIT) -> str:
    """A SubmitReq under another Header."""
    return envelope(message("SubmitReq", body), header)


def extension(parent: str, index: int, name: str, xml: str) -> tuple[str, int, str, str]:
    """An Extension as a tuple."""
    return parent, index, name, xml


NAMESPACE_CASES = [
    Case("sound", submit(), set(), {"vaspid": "Kiosk", "to": (Number("+4670000001"),)}),
    Case("https for http in MM7", submit(schema_name=HTTPS), {"ns/alias repaired"}),
    Case(
        "https for http in SOAP",
        submit().replace(SOAP_NAMESPACE, SOAP_NAMESPACE.replace("http:", "https:")),
        {"soap/namespace-alias repaired"},
    ),
    *(
        Case(
            f"SOAP namespace written {alias}",
            submit().replace(SOAP_NAMESPACE, alias),
            {"soap/namespace-alias repaired"},
        )
        for alias in (
            "http://schemas.xmlsoap.org/soap/envelope",
            "http://schemas.xmlsoap.org/soap/envelope//",
            "http://schemas.xmlsoap.org/soap/envelope#",
            "https://schemas.xmlsoap.org/soap/envelope",
            "http://www.schemas.xmlsoap.org/soap/envelope/",
            "HTTP://SCHEMAS.XMLSOAP.ORG/SOAP/ENVELOPE/",
        )
    ),
    *(
        Case(
            f"mustUnderstand in the SOAP namespace written {alias}",
            submit().replace("env:mustUnderstand", f'xmlns:o="{alias}" o:mustUnderstand'),
            set(),
        )
        for alias in ("https://schemas.xmlsoap.org/soap/envelope/", "http://schemas.xmlsoap.org/soap/envelope")
    ),
    Case(
        "another namespace of SOAP",
        submit().replace("envelope/", "encoding/"),
        {"soap/envelope-namespace repaired"},
    ),
    *(
        Case(
            f"MM7 namespace with {end} at its end",
            submit(schema_name=uri("REL-5-MM7-1-3") + end),
            {"ns/alias repaired"},
        )
        for end in ("/", "//", "#")
    ),
    Case("no MM7 namespace", envelope(message("SubmitReq", SUBMIT, "")), {"ns/missing repaired"}),
    Case("unknown suffix", submit(schema_name="REL-6-MM7-6-7"), {"ns/known repaired"}),
    Case("a namespace of its own", submit(schema_name="urn:mm7"), {"ns/known repaired"}),
    Case(
        "a namespace of its own, header in MM7's",
        envelope(message("SubmitReq", SUBMIT, "urn:mm7")),
        {"ns/known repaired", "soap/transaction-namespace repaired"},
    ),
    Case("inferred namespace", submit(schema_name="REL-5-MM7-1-5"), {"ns/rel-5-1-5 noted"}),
    Case(
        "header and body of two releases",
        envelope(message("SubmitReq", SUBMIT), transaction(schema="REL-5-MM7-1-2")),
        {"soap/transaction-namespace repaired"},
    ),
    Case(
        "a child of another release",
        submit(f'<Priority xmlns="{uri(LATE)}">High</Priority>'),
        {"soap/transaction-namespace repaired"},
        {"priority": "High"},
    ),
    Case(
        "unqualified children",
        envelope(f'<x:SubmitReq xmlns:x="{uri("REL-5-MM7-1-3")}">{SUBMIT}</x:SubmitReq>'),
        {"ns/children-qualified repaired"},
        {"vaspid": "Kiosk", "to": (Number("+4670000001"),)},
    ),
    Case(
        "unqualified vendor element",
        envelope(f'<x:SubmitReq xmlns:x="{uri("REL-5-MM7-1-3")}">{SUBMIT}<X-Pier>7</X-Pier></x:SubmitReq>'),
        {"ns/children-qualified repaired", "schema/unknown-element kept-raw"},
        {"extensions": (extension("SubmitReq", 3, "X-Pier", "<X-Pier>7</X-Pier>"),)},
    ),
]

TREE_CASES = [
    Case("child order", sent("SubmitReq", VERSION + TO + WHO), {"schema/order repaired"}, {"vaspid": "Kiosk"}),
    Case(
        "Subject before Priority",
        submit("<Subject>Tide</Subject><Priority>Low</Priority>"),
        {"schema/order repaired"},
        {"subject": "Tide", "priority": "Low"},
    ),
    Case(
        "Status in any order",
        rsp("<Status><StatusText>Fine</StatusText><StatusCode>1000</StatusCode></Status>"),
        set(),
        {"status": Status(1000, "Fine"), "message_id": "m-1"},
    ),
    Case(
        "vendor elements, in place and in order",
        sent("SubmitReq", VERSION + "<CPID>9</CPID>" + WHO + TO + '<k:Pier xmlns:k="urn:k"><k:No>7</k:No></k:Pier>'),
        {"schema/unknown-element kept-raw"},
        {
            "extensions": (
                extension("SubmitReq", 1, "CPID", f'<CPID xmlns="{uri("REL-5-MM7-1-3")}">9</CPID>'),
                extension("SubmitReq", 4, "Pier", '<k:Pier xmlns:k="urn:k"><k:No>7</k:No></k:Pier>'),
            )
        },
    ),
    Case(
        "a vendor element inside a value",
        submit("<Subject>High<k:b xmlns:k='urn:k'/> water</Subject>"),
        {"schema/unknown-element kept-raw"},
        {"subject": "High water", "extensions": (extension("Subject", 0, "b", '<k:b xmlns:k="urn:k"/>'),)},
    ),
    Case(
        "wrong case of an element",
        submit("<subject>Tide</subject>"),
        {"schema/name-case repaired"},
        {"subject": "Tide"},
    ),
    Case(
        "wrong case of the operation",
        envelope(message("submitreq", SUBMIT)),
        {"schema/name-case repaired"},
        {"vaspid": "Kiosk"},
    ),
    Case(
        "an element twice",
        submit("<Subject>one</Subject><Subject>two</Subject>"),
        {"schema/repeated-element kept-raw"},
        {
            "subject": "one",
            "extensions": (
                extension("SubmitReq", 4, "Subject", f'<Subject xmlns="{uri("REL-5-MM7-1-3")}">two</Subject>'),
            ),
        },
    ),
    Case(
        "text between elements",
        sent("SubmitReq", VERSION + "stray" + WHO + TO),
        {"schema/unstated kept-raw"},
        {"unparsed": (("SubmitReq", "stray"),)},
    ),
    Case(
        "text beside the operation",
        submit().replace("</env:Body>", "stray</env:Body>"),
        {"schema/unstated repaired"},
    ),
    Case(
        "MessageID in a 5/1-0 SubmitRsp",
        rsp(OK, name=EARLY),
        {"schema/message-id-rsp noted"},
        {"message_id": "m-1", "status": Status(1000)},
    ),
    Case("no MessageID in a 5/1-0 SubmitRsp", rsp(OK, "", EARLY), set(), {"message_id": None}),
    Case(
        "TimeStamp where the release says Date",
        report(date="<TimeStamp>2026-03-01T12:00:00Z</TimeStamp>"),
        {"schema/version-element repaired"},
        {"date": NOON},
    ),
    Case(
        "Date where it says TimeStamp",
        report(name="REL-5-MM7-1-4"),
        {"schema/version-element repaired"},
        {"date": NOON},
    ),
    Case(
        "DistributionIndicator in 5/1-0",
        early("<DistributionIndicator>true</DistributionIndicator>"),
        {"schema/version-element repaired"},
        {"distribution_indicator": True},
    ),
    Case(
        "DistributionProtection after 5/1-0",
        submit("<DistributionProtection>false</DistributionProtection>"),
        {"schema/version-element repaired"},
        {"distribution_indicator": False},
    ),
    Case(
        "an element of a later release",
        submit("<ApplicID>tide-table</ApplicID>"),
        {"schema/version-element noted"},
        {"applic_id": "tide-table"},
    ),
    Case(
        "a deviation inside an element of a later release",
        sent("DeliverReq", more='<UACapabilities UAProf="Pier 7"> </UACapabilities>'),
        {"schema/version-element noted", "schema/empty-types repaired"},
        {"ua_capabilities": UACapabilities(ua_prof="Pier 7")},
    ),
    Case(
        "an operation of a later release",
        sent("extendedCancelReq", VERSION + WHO + "<CancelID>c-1</CancelID>"),
        {"schema/version-element noted"},
        {"cancel_id": "c-1"},
    ),
    Case(
        "a value of a later release",
        report("Deferred", name="REL-5-MM7-1-3"),
        {"schema/enumeration noted"},
        {"mm_status": "Deferred"},
    ),
    Case(
        "ReplyChargingID missing in 5/1-0",
        sent("DeliverReq", VERSION + FROM.replace("+", ""), EARLY),
        {"schema/missing-element noted"},
        {"sender": Number("4670000001"), "reply_charging_id": None},
    ),
    Case("white space in Content", submit('<Content href="cid:x">\n </Content>'), {"schema/empty-types repaired"}),
    Case(
        "text in ReplyCharging",
        submit('<ReplyCharging replyChargingSize="9">nine</ReplyCharging>'),
        {"schema/empty-types repaired"},
        {"reply_charging": ReplyCharging(size=9), "unparsed": (("ReplyCharging", "nine"),)},
    ),
    Case("comments", submit("<!-- a --><Subject>Ti<!-- b -->de</Subject>"), set(), {"subject": "Tide"}),
    Case("a processing instruction", submit("<?tide low?>"), {"xml/no-pi repaired"}),
    Case("one before the envelope", "<?tide low?>" + submit(), {"xml/no-pi repaired"}),
    Case("no MM7Version", sent("SubmitReq", WHO + TO), {"version/present repaired"}, {"mm7_version": None}),
    Case("an empty MM7Version", submit().replace("5.3.0", ""), {"version/present repaired"}, {"mm7_version": None}),
    Case(
        "an unlisted MM7Version",
        submit().replace("5.3.0", "6.7.0"),
        {"version/listed repaired"},
        {"mm7_version": "6.7.0"},
    ),
    Case(
        "blanks around MM7Version",
        submit().replace("5.3.0", " 5.3.0 "),
        {"version/listed repaired"},
        {"mm7_version": "5.3.0"},
    ),
    Case(
        "an empty optional address",
        sent("DeliverReq", more="<Recipients><To/></Recipients>"),
        {"schema/empty-element repaired"},
        {"to": ()},
    ),
    Case(
        "an empty Cc",
        sent("SubmitReq", VERSION + WHO + TO.replace("</To>", "</To><Cc><Number/></Cc>")),
        {"schema/empty-element repaired"},
        {"cc": (), "to": (Number("+4670000001"),)},
    ),
    Case(
        "an empty SenderAddress",
        submit(who="<SenderIdentification><SenderAddress/></SenderIdentification>"),
        {"schema/empty-element repaired"},
        {"sender_address": None},
    ),
    Case(
        "the same in 5/1-0",
        early(who="<SenderIdentification><SenderAddress/></SenderIdentification>"),
        {"schema/empty-element repaired"},
        {"sender_address": None},
    ),
    Case(
        "an empty UserAgent",
        sent("DeliverReq", schema=LATE, more="<Previouslysentby><UserAgent/></Previouslysentby>"),
        {"schema/empty-element repaired"},
        {"previously_sent": ()},
    ),
    Case("an empty date", submit("<ExpiryDate/>"), {"schema/empty-element repaired"}, {"expiry_date": None}),
    Case("an empty MessageClass", submit("<MessageClass/>"), set(), {"message_class": "Informational"}),
    Case("an empty Subject", submit("<Subject/>"), set(), {"subject": ""}),
    Case("no Content element's href", submit("<Content/>"), {"schema/attribute kept-raw"}, {"content_href": None}),
    Case(
        "a namespaced href",
        submit(f'<m:Content xmlns:m="{uri("REL-5-MM7-1-3")}" m:href="cid:x"/>'),
        {"schema/attribute repaired"},
        {"content_href": "cid:x"},
    ),
    Case(
        "an unknown attribute",
        submit('<Subject lang="sv">Tid</Subject>'),
        {"schema/attribute kept-raw"},
        {"subject": "Tid", "unparsed": (("Subject/@lang", "sv"),)},
    ),
    Case(
        "xsi:type",
        submit(f'<Subject {XSI} xsi:type="xsd:string">Tide</Subject>'),
        {"schema/attribute repaired"},
        {"subject": "Tide"},
    ),
    Case(
        "xsi:schemaLocation",
        submit(f'<Subject {XSI} xsi:schemaLocation="urn:x http://x.invalid/">T</Subject>'),
        set(),
        {"subject": "T"},
    ),
    Case(
        "a foreign attribute of ServiceCode",
        submit('<ServiceCode k:rate="2" xmlns:k="urn:k">gold</ServiceCode>'),
        set(),
        {"service_code": "gold"},
    ),
    Case(
        "a Subject over two lines",
        submit("<Subject>High\nwater</Subject>"),
        {"sem/subject-control repaired"},
        {"subject": "High water"},
    ),
]

VALUE_CASES = [
    *(
        Case(
            f"boolean {given!r}", submit(f"<DeliveryReport>{given}</DeliveryReport>"), found, {"delivery_report": value}
        )
        for given, value, found in (
            ("true", True, set()),
            ("1", True, set()),
            (" false ", False, set()),
            ("True", True, {"schema/boolean repaired"}),
            ("FALSE", False, {"schema/boolean repaired"}),
            ("yes", True, {"schema/boolean repaired"}),
            ("No", False, {"schema/boolean repaired"}),
            ("perhaps", None, {"schema/value kept-raw"}),
            ("", None, {"schema/empty-element repaired"}),
        )
    ),
    Case(
        "boolean attribute",
        submit('<Content href="cid:x" allowAdaptations="True"/>'),
        {"schema/boolean repaired"},
        {"allow_adaptations": True},
    ),
    Case(
        "unreadable boolean attribute",
        submit('<Content href="cid:x" allowAdaptations="so-so"/>'),
        {"schema/attribute kept-raw"},
        {"allow_adaptations": None, "unparsed": (("Content/@allowAdaptations", "so-so"),)},
    ),
    *(
        Case(f"date {given!r}", stamped(given), {"schema/date repaired"} if odd else set(), {"time_stamp": value})
        for given, odd, value in (
            ("2026-03-01T12:00:00Z", False, NOON),
            (" 2026-03-01T12:00:00Z\n", False, NOON),
            ("2026-03-01T12:00:00", False, NOON.replace(tzinfo=None)),
            (
                "2026-03-01T14:00:00.5+02:00",
                False,
                datetime(2026, 3, 1, 14, microsecond=500_000, tzinfo=timezone(timedelta(hours=2))),
            ),
            ("2026-02-28T24:00:00Z", False, datetime(2026, 3, 1, tzinfo=UTC)),
            ("1970-01-01T00:00:00Z", False, datetime(1970, 1, 1, tzinfo=UTC)),
            ("2026-03-01 12:00:00", True, NOON.replace(tzinfo=None)),
            ("2026-3-1T12:00:00Z", True, NOON),
            ("2026-03-01T14:00:00+0200", True, datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2)))),
            ("20260301120000", True, NOON.replace(tzinfo=None)),
            ("20260301T120000Z", True, NOON),
            ("Sun, 1 Mar 2026 12:00:00 +0000", True, NOON),
            ("Sun, 1 Mar 2026 12:00:00 GMT", True, NOON),
        )
    ),
    *(
        Case(
            f"unreadable date {given!r}",
            stamped(given),
            {"schema/date kept-raw"},
            {"time_stamp": None, "unparsed": (("TimeStamp", given),)},
        )
        for given in (
            "2026-14-21T12:00:00Z",
            "dim., 1 mars 2026 12:00",
            "soon",
            "9999-12-31T24:00:01",
            "P90D",
            "2026-03-01T12:00:00+15:00",
            "2026-03-01T12:00:60Z",
        )
    ),
    *(
        Case(
            f"a date beyond Python {given!r}",
            stamped(given),
            {"schema/date-range kept-raw"},
            {"time_stamp": None, "unparsed": (("TimeStamp", given),)},
        )
        for given in (
            "12026-03-01T12:00:00Z",
            "9999-12-31T24:00:00",
            "9999-12-31T24:00:00Z",
            "9999-12-31T24:00:00.000-14:00",
            "99999999999-01-01T00:00:00Z",
        )
    ),
    *(
        Case(f"a date at the edge {given!r}", stamped(given), set(), {"time_stamp": value, "unparsed": ()})
        for given, value in (
            ("9999-12-31T23:59:59-14:00", datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-14)))),
            ("0001-01-01T00:00:00+14:00", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))),
            ("9999-12-30T24:00:00Z", datetime(9999, 12, 31, tzinfo=UTC)),
        )
    ),
    Case("a span", submit("<ExpiryDate>P90D</ExpiryDate>"), set(), {"expiry_date": timedelta(days=90)}),
    Case(
        "a span in small letters",
        submit("<ExpiryDate>p2dt3h</ExpiryDate>"),
        {"schema/date repaired"},
        {"expiry_date": timedelta(days=2, hours=3)},
    ),
    Case("a negative span", submit("<ExpiryDate>-PT1M</ExpiryDate>"), set(), {"expiry_date": timedelta(minutes=-1)}),
    Case(
        "a span beyond Python",
        submit("<ExpiryDate>P9999999999D</ExpiryDate>"),
        {"schema/date-range kept-raw"},
        {"expiry_date": None, "unparsed": (("ExpiryDate", "P9999999999D"),)},
    ),
    Case(
        "a report without its date",
        report(date=""),
        {"schema/missing-element repaired"},
        {"date": None, "unparsed": ()},
    ),
    Case(
        "a report with an odd date",
        report(date="<Date>yesterday</Date>"),
        {"schema/date kept-raw"},
        {"date": None, "unparsed": (("Date", "yesterday"),)},
    ),
    Case(
        "a report without zone",
        report(date="<Date>2026-03-01T12:00:00</Date>"),
        set(),
        {"date": NOON.replace(tzinfo=None)},
    ),
    Case(
        "MMStatus in small letters",
        report("retrieved"),
        {"schema/enumeration repaired"},
        {"mm_status": "Retrieved", "unparsed": ()},
    ),
    Case(
        "MMStatus in free text",
        report("Third:User Retrieved"),
        {"schema/enumeration repaired"},
        {"mm_status": "Retrieved", "unparsed": (("MMStatus", "Third:User Retrieved"),)},
    ),
    Case(
        "MMStatus by its code",
        report("1000"),
        {"schema/enumeration repaired"},
        {"mm_status": "Retrieved", "unparsed": (("MMStatus", "1000"),)},
    ),
    Case(
        "MMStatus in other words",
        report("Delivered"),
        {"schema/enumeration repaired"},
        {"mm_status": "Retrieved", "unparsed": (("MMStatus", "Delivered"),)},
    ),
    Case(
        "MMStatus of two meanings",
        report("Expired or Rejected"),
        {"schema/enumeration kept-raw"},
        {"mm_status": "Indeterminate", "unparsed": (("MMStatus", "Expired or Rejected"),)},
    ),
    Case(
        "MMStatus of a read reply by the code of success",
        sent(
            "ReadReplyReq", f"{VERSION}{REPORTED}<TimeStamp>2026-03-04T12:00:00Z</TimeStamp><MMStatus>1000</MMStatus>"
        ),
        {"schema/enumeration kept-raw"},
        {"mm_status": "Indeterminate", "unparsed": (("MMStatus", "1000"),)},
    ),
    Case(
        "MMStatus by another code",
        report("500"),
        {"schema/enumeration kept-raw"},
        {"mm_status": "Indeterminate", "unparsed": (("MMStatus", "500"),)},
    ),
    Case(
        "Priority in capitals",
        submit("<Priority>NORMAL</Priority>"),
        {"schema/enumeration repaired"},
        {"priority": "Normal"},
    ),
    Case(
        "Priority of one's own",
        submit("<Priority>Urgent</Priority>"),
        {"schema/enumeration kept-raw"},
        {"priority": None, "unparsed": (("Priority", "Urgent"),)},
    ),
    Case(
        "MessageClass by number",
        submit("<MessageClass>137</MessageClass>"),
        {"schema/enumeration kept-raw"},
        {"message_class": None, "unparsed": (("MessageClass", "137"),)},
    ),
    Case(
        "a size that is none",
        submit('<ReplyCharging replyChargingSize="big"/>'),
        {"schema/attribute kept-raw"},
        {"reply_charging": ReplyCharging(), "unparsed": (("ReplyCharging/@replyChargingSize", "big"),)},
    ),
    Case(
        "blanks around a MessageID",
        sent("CancelReq").replace("m-1", " m-1 "),
        {"schema/value repaired"},
        {"message_id": "m-1"},
    ),
    Case(
        "no NMTOKEN as MessageID in 5/1-1",
        rsp(OK, "<MessageID>a/b@c</MessageID>", NEXT),
        {"schema/value noted"},
        {"message_id": "a/b@c"},
    ),
    Case("a plus in 5/1-0", submit("", EARLY), {"schema/value noted"}, {"to": (Number("+4670000001"),)}),
    Case(
        "no NMTOKEN as VASID in 5/1-0",
        early(who=WHO.replace("Tides", "High Tides")),
        {"schema/value noted"},
        {"vasid": "High Tides"},
    ),
    Case("no NMTOKEN as TransactionID in 5/1-0", early().replace("t-1", "pier/7 @ 9"), {"schema/value noted"}),
]

ADDRESS_CASES = [
    Case(
        "an untyped Sender",
        sent("DeliverReq", VERSION + "<Sender>+4670000001</Sender>"),
        {"schema/address-untyped repaired"},
        {"sender": Number("+4670000001")},
    ),
    Case(
        "an untyped mail address",
        sent("DeliverReq", VERSION + "<Sender> a@b.example </Sender>"),
        {"schema/address-untyped repaired"},
        {"sender": RFC2822Address("a@b.example")},
    ),
    Case(
        "an untyped recipient",
        sent("SubmitReq", VERSION + WHO + "<Recipients><To>4670</To></Recipients>"),
        {"schema/address-untyped repaired"},
        {"to": (Number("4670"),)},
    ),
    Case(
        "SenderAddress as text from 5/1-2 on",
        submit(who="<SenderIdentification><SenderAddress>7</SenderAddress></SenderIdentification>"),
        {"schema/address-untyped repaired"},
        {"sender_address": Number("7")},
    ),
    Case(
        "SenderAddress as text in 5/1-0",
        early(who="<SenderIdentification><SenderAddress>7 7</SenderAddress></SenderIdentification>"),
        set(),
        {"sender_address": Number("7 7")},
    ),
    Case(
        "SenderAddress typed in 5/1-0",
        early(
            who="<SenderIdentification><SenderAddress><ShortCode>7</ShortCode></SenderAddress></SenderIdentification>"
        ),
        {"schema/address-typed-early noted"},
        {"sender_address": ShortCode("7")},
    ),
    Case(
        "the same, with blanks inside",
        early(
            who="<SenderIdentification><SenderAddress><ShortCode> 7 </ShortCode></SenderAddress></SenderIdentification>"
        ),
        {"schema/address-typed-early noted", "sem/address-whitespace repaired"},
        {"sender_address": ShortCode("7")},
    ),
    Case(
        "SenderAddress inside Sender",
        sent("DeliverReq", VERSION + "<Sender><SenderAddress><Number>7</Number></SenderAddress></Sender>"),
        {"schema/address-name repaired"},
        {"sender": Number("7")},
    ),
    Case(
        "SenderAddress inside a Sender that has no place there",
        submit("<Sender><SenderAddress><Number>7</Number></SenderAddress></Sender>"),
        {"schema/unknown-element kept-raw", "schema/address-name noted"},
        {"extensions": (extension("SubmitReq", 3, "Sender", NESTED_SENDER),)},
    ),
    Case(
        "number in small letters",
        sent("DeliverReq", VERSION + "<Sender><number>7</number></Sender>"),
        {"schema/address-name repaired"},
        {"sender": Number("7")},
    ),
    Case(
        "several Numbers in one To",
        sent("SubmitReq", VERSION + WHO + "<Recipients><To><Number>7</Number><Number>8</Number></To></Recipients>"),
        set(),
        {"to": (Number("7"), Number("8"))},
    ),
    Case(
        "/TYPE=PLMN",
        sent(
            "DeliverReq",
            VERSION + "<Sender><Number>+46/TYPE=PLMN</Number></Sender>"
            "<Recipients><To><Number>77/TYPE=PLMN</Number></To></Recipients>",
        ),
        {"sem/address-plmn noted"},
        {"sender": Number("+46/TYPE=PLMN"), "to": (Number("77/TYPE=PLMN"),)},
    ),
    Case(
        "/TYPE=PLMN@host as mail address",
        sent("DeliverReq", VERSION + "<Sender><RFC2822Address>+46/TYPE=PLMN@mm.example</RFC2822Address></Sender>"),
        {"sem/address-plmn noted"},
        {"sender": RFC2822Address("+46/TYPE=PLMN@mm.example")},
    ),
    Case(
        "a short code as mail address",
        sent("DeliverReq", VERSION + "<Sender><RFC2822Address>7777</RFC2822Address></Sender>"),
        {"sem/address-plmn noted"},
        {"sender": RFC2822Address("7777")},
    ),
    Case(
        "blanks around a Number",
        sent("DeliverReq", VERSION + "<Sender><Number>\n +46\n</Number></Sender>"),
        {"sem/address-whitespace repaired"},
        {"sender": Number("+46")},
    ),
    Case(
        "a line break inside a Number",
        sent("DeliverReq", VERSION + "<Sender><Number>+46\n70</Number></Sender>"),
        {"sem/address-whitespace repaired"},
        {"sender": Number("+4670")},
    ),
    Case(
        "displayOnly in capitals",
        sent("DeliverReq", VERSION + '<Sender><Number displayOnly="TRUE">7</Number></Sender>'),
        {"schema/boolean repaired"},
        {"sender": Number("7", display_only=True)},
    ),
    Case(
        "forwarded by others",
        sent(
            "DeliverReq",
            schema=LATE,
            more='<Previouslysentby><UserAgent sequence="2"><Number>7</Number></UserAgent></Previouslysentby>',
        ),
        set(),
        {"previously_sent": (PreviouslySent(sequence=2, address=Number("7")),)},
    ),
]

ANSWER_CASES = [
    Case(
        "no StatusText",
        rsp("<Status><StatusCode>1000</StatusCode></Status>"),
        {"schema/status-complete repaired"},
        {"status": Status(1000, "")},
    ),
    Case(
        "text in Details",
        rsp("<Status><StatusCode>1000</StatusCode><StatusText/><Details> pier 7 </Details></Status>"),
        {"schema/details repaired"},
        {"status": Status(1000, "", "pier 7")},
    ),
    Case(
        "Detail for Details",
        rsp("<Status><StatusCode>1000</StatusCode><StatusText/><Detail>pier 7</Detail></Status>"),
        {"schema/name-case repaired", "schema/details repaired"},
        {"status": Status(1000, "", "pier 7")},
    ),
    Case(
        "XML in Details",
        rsp(
            "<Status><StatusCode>1000</StatusCode><StatusText/><Details><k:p xmlns:k='urn:k'>7</k:p></Details></Status>"
        ),
        set(),
        {"status": Status(1000, "", '<k:p xmlns:k="urn:k">7</k:p>')},
    ),
    Case(
        "text and XML in Details",
        rsp(
            "<Status><StatusCode>1000</StatusCode><StatusText/>"
            "<Details> pier <k:p xmlns:k='urn:k'/> shut</Details></Status>"
        ),
        {"schema/details repaired"},
        {"status": Status(1000, "", 'pier <k:p xmlns:k="urn:k"></k:p> shut')},
    ),
    Case(
        "elements of MM7 in Details",
        rsp(
            "<Status><StatusCode>1000</StatusCode><StatusText/><Details><Priority>Urgent</Priority></Details></Status>"
        ),
        set(),
        {"status": Status(1000, "", f'<Priority xmlns="{uri("REL-5-MM7-1-3")}">Urgent</Priority>')},
    ),
    Case(
        "XML in no namespace in Details",
        envelope(
            f'<x:SubmitRsp xmlns:x="{uri("REL-5-MM7-1-3")}"><x:MM7Version>5.3.0</x:MM7Version>'
            "<x:Status><x:StatusCode>1000</x:StatusCode><x:StatusText/><x:Details><Number>7</Number></x:Details></x:Status>"
            "<x:MessageID>m-1</x:MessageID></x:SubmitRsp>"
        ),
        set(),
        {"status": Status(1000, "", "<Number>7</Number>")},
    ),
    Case(
        "a code of its own",
        rsp("<Status><StatusCode>2550</StatusCode><StatusText>No pier</StatusText></Status>"),
        set(),
        {"status": Status(2550, "No pier"), "message_id": "m-1"},
    ),
    Case(
        "a refusal without MessageID",
        rsp(NO, ""),
        {"schema/message-id-rsp repaired"},
        {"status": Status(2002), "message_id": None},
    ),
    Case("a refusal with an empty MessageID", rsp(NO, "<MessageID/>"), set(), {"message_id": None}),
    Case("the same in 5/1-1, an NMTOKEN", rsp(NO, "<MessageID/>", NEXT), {"schema/value noted"}, {"message_id": None}),
    Case(
        "MessageID in a DeliverRsp",
        sent("DeliverRsp", more="<MessageID>m-9</MessageID>"),
        {"schema/unknown-element kept-raw"},
        {
            "extensions": (
                extension("DeliverRsp", 2, "MessageID", f'<MessageID xmlns="{uri("REL-5-MM7-1-3")}">m-9</MessageID>'),
            )
        },
    ),
    Case(
        "an answer without TransactionID",
        envelope(message("DeliverRsp", MINIMAL["DeliverRsp"]), ""),
        {"soap/transaction-present noted"},
        {"status": Status(1000)},
    ),
    Case(
        "an answer with an empty one",
        envelope(message("DeliverRsp", MINIMAL["DeliverRsp"]), transaction("")),
        {"soap/transaction-value noted"},
        {"status": Status(1000)},
    ),
    Case(
        "an error straight in the Body", sent("RSErrorRsp"), {"soap/body-direct-error noted"}, {"status": Status(2002)}
    ),
    Case(
        "a fault",
        envelope(fault(message("RSErrorRsp", MINIMAL["RSErrorRsp"]))),
        set(),
        {"fault_code": "Client", "fault_string": "Client error", "status": Status(2002)},
    ),
    Case(
        "a fault of a VASP",
        envelope(fault(message("VASPErrorRsp", MINIMAL["VASPErrorRsp"]))),
        set(),
        {"status": Status(2002)},
    ),
    Case(
        "a fault with a finer code",
        envelope(fault(message("RSErrorRsp", MINIMAL["RSErrorRsp"]), code="env:Client.Auth")),
        set(),
        {"fault_code": "Client.Auth"},
    ),
    Case(
        "a fault with qualified children",
        envelope(
            "<env:Fault><env:faultcode>env:Server</env:faultcode><env:faultstring>No"
            f"</env:faultstring><env:detail>{message('RSErrorRsp', MINIMAL['RSErrorRsp'])}</env:detail></env:Fault>"
        ),
        {"soap/fault-fields repaired"},
        {"fault_code": "Server", "fault_string": "No", "status": Status(2002)},
    ),
    Case(
        "a fault in MM7's default namespace",
        envelope(
            f'<env:Fault xmlns="{uri("REL-5-MM7-1-3")}"><faultcode>env:Server</faultcode>'
            f"<faultstring>No</faultstring><detail><RSErrorRsp>{MINIMAL['RSErrorRsp']}</RSErrorRsp></detail></env:Fault>"
        ),
        {"soap/fault-fields repaired"},
        {"status": Status(2002)},
    ),
    Case(
        "a fault in no namespace",
        envelope(fault(message("RSErrorRsp", MINIMAL["RSErrorRsp"])).replace("env:Fault", "Fault")),
        {"soap/fault-fields repaired"},
        {"status": Status(2002)},
    ),
    Case(
        "a fault in another order",
        envelope(
            "<env:Fault><faultstring>No</faultstring><faultcode>env:Server</faultcode>"
            f"<detail>{message('RSErrorRsp', MINIMAL['RSErrorRsp'])}</detail></env:Fault>"
        ),
        {"soap/fault-fields repaired"},
        {"fault_string": "No", "status": Status(2002)},
    ),
    Case(
        "a fault without faultstring",
        envelope(
            f"<env:Fault><faultcode>env:Server</faultcode>"
            f"<detail>{message('RSErrorRsp', MINIMAL['RSErrorRsp'])}</detail></env:Fault>"
        ),
        {"soap/fault-fields repaired"},
        {"fault_string": "", "status": Status(2002)},
    ),
    Case(
        "a faultcode of an unbound prefix",
        envelope(fault(message("RSErrorRsp", MINIMAL["RSErrorRsp"]), code="s:Server")),
        {"soap/fault-code-qname repaired"},
        {"fault_code": "Server"},
    ),
    Case(
        "a faultcode in prose",
        envelope(fault(message("RSErrorRsp", MINIMAL["RSErrorRsp"]), code="Client error")),
        {"soap/fault-code-qname repaired"},
        {"fault_code": "Server", "status": Status(2002)},
    ),
    Case(
        "a fault without MM7 detail",
        envelope(fault("<k:oops xmlns:k='urn:k'/>", code="env:Client")),
        {"soap/fault-detail noted"},
        {"error": None, "status": Status(2000, "Client error")},
    ),
    Case(
        "a fault with prose as detail",
        envelope(fault("the pier is shut", code="env:Server", string="No")),
        {"soap/fault-detail kept-raw"},
        {"error": None, "status": Status(3000, "No")},
    ),
    Case(
        "an error deep in the detail",
        envelope(fault(f"<k:why xmlns:k='urn:k'>{message('RSErrorRsp', MINIMAL['RSErrorRsp'])}</k:why>")),
        set(),
        {"status": Status(2002)},
    ),
    Case(
        "a Fault with text in Details",
        envelope(fault(message("RSErrorRsp", VERSION + NO.replace("</Status>", "<Details>pier 7</Details></Status>")))),
        {"schema/details repaired"},
        {"status": Status(2002, "Address Error", "pier 7")},
    ),
]

HEADER_CASES = [
    Case("blanks around TransactionID", headed(transaction("\n t-1 \n")), {"soap/transaction-whitespace repaired"}),
    Case("no mustUnderstand", headed(transaction(attributes="")), {"soap/transaction-mu noted"}),
    Case(
        "mustUnderstand='true'", headed(transaction(attributes='env:mustUnderstand="true"')), {"soap/mu-value repaired"}
    ),
    Case("MustUnderstand", headed(transaction(attributes='env:MustUnderstand="1"')), {"soap/mu-case repaired"}),
    Case("unqualified mustUnderstand", headed(transaction(attributes='mustUnderstand="1"')), {"soap/mu-case repaired"}),
    Case(
        "mustUnderstand in 5/1-0",
        headed(transaction(schema=EARLY), EARLY_SUBMIT).replace("REL-5-MM7-1-3", EARLY),
        {"soap/transaction-mu-early repaired"},
    ),
    Case(
        "actor and encodingStyle",
        headed(transaction(attributes='env:mustUnderstand="1" env:actor="" env:encodingStyle=""')),
        set(),
    ),
    Case(
        "xsi:type on TransactionID",
        headed(transaction(attributes=f'env:mustUnderstand="1" {XSI} xsi:type="xsd:string"')),
        {"soap/transaction-attributes repaired"},
    ),
    Case(
        "encodingStyle on Envelope",
        submit().replace("<env:Envelope", '<env:Envelope env:encodingStyle="urn:e"'),
        {"soap/encoding-style-used repaired"},
    ),
    Case(
        "schemaLocation on Envelope",
        submit().replace("<env:Envelope", f'<env:Envelope {XSI} xsi:schemaLocation="a b"'),
        set(),
    ),
    Case("a foreign block", headed(transaction() + f'<k:Pier xmlns:k="urn:k" {XSI} xsi:type="k:No">7</k:Pier>'), set()),
    Case(
        "a foreign block for somebody else",
        headed(transaction() + '<k:Pier xmlns:k="urn:k" env:mustUnderstand="1" env:actor="urn:them"/>'),
        set(),
    ),
    Case(
        "TransactionID in no namespace",
        headed('<TransactionID env:mustUnderstand="1">t-1</TransactionID>'),
        {"soap/transaction-namespace repaired"},
    ),
    Case(
        "Header after Body",
        envelope(message("SubmitReq", SUBMIT))
        .replace(f"<env:Header>{transaction()}</env:Header>", "")
        .replace("</env:Envelope>", f"<env:Header>{transaction()}</env:Header></env:Envelope>"),
        {"soap/structure repaired"},
    ),
    Case("text in the Header", headed("stray" + transaction()), {"schema/unstated repaired"}),
    Case("text after a block", headed(transaction() + "stray"), {"schema/unstated repaired"}),
]

ACCEPTED = [*NAMESPACE_CASES, *TREE_CASES, *VALUE_CASES, *ADDRESS_CASES, *ANSWER_CASES, *HEADER_CASES]

SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
REFUSED = [
    Case("no TransactionID", headed(""), {"soap/transaction-present refused"}, error=(EnvelopeError, 4004)),
    Case(
        "no Header",
        headed("").replace("<env:Header></env:Header>", ""),
        {"soap/transaction-present refused"},
        error=(EnvelopeError, 4004),
    ),
    Case(
        "an empty TransactionID",
        headed(transaction(" \n")),
        {"soap/transaction-value refused"},
        error=(EnvelopeError, 4004),
    ),
    Case(
        "two TransactionIDs",
        headed(transaction() + transaction("t-2")),
        {"soap/transaction-once refused"},
        error=(EnvelopeError, 4004),
    ),
    Case(
        "two Bodies",
        submit().replace("</env:Body>", "</env:Body><env:Body/>"),
        {"soap/structure refused"},
        error=(EnvelopeError, 4004),
    ),
    Case(
        "no Body",
        f'<e:Envelope xmlns:e="{SOAP_NAMESPACE}"><e:Header/></e:Envelope>',
        {"soap/structure refused"},
        error=(EnvelopeError, 4004),
    ),
    Case("an empty Body", envelope(""), {"soap/structure refused"}, error=(EnvelopeError, 4004)),
    Case(
        "a Fault outside the Body",
        submit().replace("</env:Body>", "</env:Body><env:Fault/>"),
        {"soap/structure refused"},
        error=(EnvelopeError, 4004),
    ),
    Case(
        "two operations",
        envelope(message("SubmitReq", SUBMIT) * 2),
        {"soap/body-one-child refused"},
        error=(EnvelopeError, 4004),
    ),
    Case(
        "SOAP 1.2",
        submit().replace(SOAP_NAMESPACE, SOAP_12),
        {"soap/version-mismatch refused"},
        error=(EnvelopeError, 4004),
    ),
    Case(
        "another envelope",
        submit().replace(SOAP_NAMESPACE, "urn:letter"),
        {"soap/version-mismatch refused"},
        error=(EnvelopeError, 4004),
    ),
    Case("no envelope", message("SubmitReq", SUBMIT), {"soap/envelope-present refused"}, error=(EnvelopeError, 4004)),
    Case("another document", "<html/>", {"soap/envelope-present refused"}, error=(EnvelopeError, 4004)),
    Case(
        "a block that must be understood",
        headed(transaction() + '<k:Pier xmlns:k="urn:k" env:mustUnderstand="1"/>'),
        {"soap/unknown-mu refused"},
        error=(EnvelopeError, 4004),
    ),
    Case(
        "the same for the next node",
        headed(
            transaction() + '<k:Pier xmlns:k="urn:k" env:mustUnderstand="1" '
            'env:actor="http://schemas.xmlsoap.org/soap/actor/next"/>'
        ),
        {"soap/unknown-mu refused"},
        error=(EnvelopeError, 4004),
    ),
    Case(
        "a draft of 2002",
        envelope('<s:Request xmlns:s="urn:MM7Submit.Req"/>', ""),
        {"ns/pre-standard refused"},
        error=(VersionError, 4002),
    ),
    Case(
        "a delivery by a draft of 2002",
        envelope('<s:Request xmlns:s="urn:MM7Deliver.Req"/>', ""),
        {"ns/pre-standard refused"},
        error=(VersionError, 4002),
    ),
    Case(
        "a draft of 2002 by its name alone",
        envelope("<MultiMediaSubmit/>"),
        {"ns/pre-standard refused"},
        error=(VersionError, 4002),
    ),
    Case(
        "a draft of 2002, with TransactionID",
        envelope('<s:Request xmlns:s="urn:MM7Submit.Req"/>'),
        {"ns/pre-standard refused"},
        error=(VersionError, 4002),
    ),
    Case(
        "a draft of 2002 as root",
        '<MM7SubmitReq xmlns="urn:MM7Submit.Req"/>',
        {"ns/pre-standard refused"},
        error=(VersionError, 4002),
    ),
    Case(
        "an unknown operation",
        sent("GetTideReq", "<x/>"),
        {"soap/operation-known refused"},
        error=(EnvelopeError, 4003),
    ),
    Case(
        "a vendor's operation",
        envelope('<k:BulkReq xmlns:k="urn:k"/>'),
        {"soap/operation-known refused"},
        error=(EnvelopeError, 4003),
    ),
    Case(
        "no SenderIdentification",
        sent("SubmitReq", VERSION + TO),
        {"schema/missing-element refused"},
        error=(SchemaError, 4004),
    ),
    Case(
        "no Recipients", sent("SubmitReq", VERSION + WHO), {"schema/missing-element refused"}, error=(SchemaError, 4004)
    ),
    Case(
        "Recipients without one",
        sent("SubmitReq", VERSION + WHO + "<Recipients/>"),
        {"schema/missing-element refused"},
        error=(SchemaError, 2002),
    ),
    Case(
        "an empty recipient alone",
        sent("SubmitReq", VERSION + WHO + "<Recipients><To><Number/></To></Recipients>"),
        {"schema/missing-element refused"},
        error=(SchemaError, 2002),
    ),
    Case("no Sender", sent("DeliverReq", VERSION), {"schema/missing-element refused"}, error=(SchemaError, 4004)),
    Case(
        "an empty Sender",
        sent("DeliverReq", VERSION + "<Sender><Number> </Number></Sender>"),
        {"schema/missing-element refused"},
        error=(SchemaError, 2002),
    ),
    Case(
        "no MessageID to cancel",
        sent("CancelReq", VERSION + WHO),
        {"schema/missing-element refused"},
        error=(SchemaError, 4004),
    ),
    Case(
        "an empty MessageID to cancel",
        sent("CancelReq", VERSION + WHO + "<MessageID> </MessageID>"),
        {"schema/value repaired", "sem/message-id-empty refused"},
        error=(SchemaError, 4004),
    ),
    Case(
        "a report on nothing",
        sent("DeliveryReportReq").replace("<MessageID>m-1</MessageID>", ""),
        {"schema/missing-element refused"},
        error=(SchemaError, 4004),
    ),
    Case(
        "a report of nothing",
        report().replace("<MMStatus>Retrieved</MMStatus>", ""),
        {"schema/missing-element refused"},
        error=(SchemaError, 4004),
    ),
    Case("success without MessageID", rsp(OK, ""), {"schema/message-id-rsp refused"}, error=(SchemaError, 4004)),
    Case(
        "success with an empty MessageID",
        rsp(OK, "<MessageID/>"),
        {"sem/message-id-empty refused"},
        error=(SchemaError, 4004),
    ),
    Case("no Status", rsp(""), {"schema/missing-element refused"}, error=(SchemaError, 4004)),
    Case(
        "no StatusCode",
        rsp("<Status><StatusText/></Status>"),
        {"schema/missing-element refused"},
        error=(SchemaError, 4004),
    ),
    Case(
        "a StatusCode in words",
        rsp("<Status><StatusCode>fine</StatusCode><StatusText/></Status>"),
        {"schema/value refused"},
        error=(SchemaError, 4004),
    ),
    Case(
        "StatusCode 0",
        rsp("<Status><StatusCode>0</StatusCode><StatusText/></Status>"),
        {"schema/value refused"},
        error=(SchemaError, 4004),
    ),
    Case(
        "the same where the MessageID is of a later release",
        rsp("<Status><StatusCode>fine</StatusCode><StatusText/></Status>", name=EARLY),
        {"schema/message-id-rsp noted", "schema/value refused"},
        error=(SchemaError, 4004),
    ),
    Case(
        "no Status straight in the Body",
        sent("RSErrorRsp", VERSION),
        {"schema/missing-element refused", "soap/body-direct-error noted"},
        error=(SchemaError, 4004),
    ),
    Case(
        "1001 vendor elements",
        submit("<x/>" * 1001),
        {"schema/unknown-element kept-raw", "xml/limit refused"},
        error=(LimitError, 2007),
    ),
    Case(
        "the same in an operation of a later release",
        sent("extendedCancelReq", VERSION + WHO + "<CancelID>c</CancelID>" + "<x/>" * 1001),
        {"schema/version-element noted", "schema/unknown-element kept-raw", "xml/limit refused"},
        error=(LimitError, 2007),
    ),
    Case(
        "a rich Details",
        rsp(OK.replace("</Status>", f"<Details>{'<x/>' * 1001}</Details></Status>")),
        {"xml/limit refused"},
        error=(LimitError, 2007),
    ),
    Case(
        "addressCoding of one's own",
        sent("DeliverReq", VERSION + '<Sender><Number addressCoding="rot13">1</Number></Sender>', LATE),
        {"schema/attribute kept-raw", "schema/attribute refused"},
        error=(SchemaError, 2002),
    ),
    Case(
        "two Numbers in one Sender",
        sent("DeliverReq", VERSION + "<Sender><Number>7</Number><Number>8</Number></Sender>"),
        {"schema/repeated-element refused"},
        error=(SchemaError, 2002),
    ),
    *(
        Case(
            f"{inside} in {holder}",
            sent("DeliverReq", f"{VERSION}{FROM}<Recipients><{holder}>{inside}</{holder}></Recipients>"),
            {"schema/unknown-element refused", "schema/empty-element repaired"},
            error=(SchemaError, 2002),
        )
        for holder in ("To", "Cc", "Bcc")
        for inside in (
            "<MSISDN>7</MSISDN>",
            "<Block><Number>7</Number></Block>",
            '<v:Number xmlns:v="urn:v">7</v:Number>',
        )
    ),
]

SEEN_TWICE = {
    "vendor elements, in place and in order",
    "1001 vendor elements",
    "the same in an operation of a later release",
}


def tree(text: str) -> etree._Element:
    """The envelope as parsed."""
    return soap.parse(tolerance.readable(text.encode(), None).data)


def shown(findings: tuple[Any, ...]) -> list[str]:
    """Each finding of the envelope as ``id action``; of the content the next room tells."""
    return [f"{one.id} {one.action}" for one in findings if not one.id.startswith("sem/content")]


def is_request(text: str) -> bool:
    """Whether the text is a request."""
    return "Rsp" not in text and "Fault" not in text


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_what_is_mended(case: Case) -> None:
    """Exactly these findings, each once; and the message holds what was meant."""
    judged = exchange.judge_tree(tree(case.sent), policy="interop")
    assert judged.error is None, judged.error
    found = shown(judged.findings)
    assert set(found) == case.found
    assert len(found) == len(case.found) or case.name in SEEN_TWICE
    received = exchange.receive(judged)
    for name, value in case.holds.items():
        held = getattr(received.message, name)
        if name == "extensions":
            held = tuple((one.parent, one.index, one.name, one.xml) for one in held)
        assert held == value, name


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_is_refused(case: Case) -> None:
    """Refused by the right leaf with the right status, which names its findings; a Fault code by SOAP 1.1 4.4.1."""
    assert case.error is not None
    with pytest.raises(RemoteError) as caught:
        exchange.unpack(wire(case.sent))
    error = caught.value
    assert (type(error), error.status) == case.error
    assert set(shown(error.findings)) == case.found
    codes = {"soap/version-mismatch": "VersionMismatch", "soap/unknown-mu": "MustUnderstand"}
    assert error.fault == next((codes[one.id] for one in error.findings if one.id in codes), "Client")


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_what_is_mended_is_valid(case: Case) -> None:
    """The mended tree is valid by xmlschema, the original is untouched, and mending again finds only notes."""
    original = tree(case.sent)
    before = etree.tostring(original, method="c14n")
    mended = tolerance.repair(original, request=is_request(case.sent))
    assert etree.tostring(original, method="c14n") == before
    assert mended.error is None
    assert schema.violations(mended.envelope, mended.read_as) == []
    again = tolerance.repair(copy.deepcopy(mended.envelope), request=is_request(case.sent))
    assert again.error is None
    assert {one.action for one in again.findings} <= {"noted"}
    stays = {one.id for one in mended.findings}
    if "soap/transaction-value" in stays:
        stays.add("soap/transaction-present")  # the empty one was taken out
    assert {one.id for one in again.findings} <= stays
    assert etree.tostring(again.envelope, method="c14n") == etree.tostring(mended.envelope, method="c14n")


@pytest.mark.parametrize(
    "case",
    [case for case in ACCEPTED if any(KINDS[f.split()[0]].level == "MUST" for f in case.found)],
    ids=lambda case: case.name,
)
def test_strict_refuses_what_was_mended(case: Case) -> None:
    """Under strict every deviation from a MUST is an error that names it."""
    judged = exchange.judge_tree(tree(case.sent), policy="strict")
    assert judged.error is not None
    musts = [one for one in judged.findings if one.level == "MUST"]
    assert any(one.id in str(judged.error) for one in musts)


@pytest.mark.parametrize("case", [case for case in ACCEPTED if not case.found], ids=lambda case: case.name)
def test_strict_takes_what_is_valid(case: Case) -> None:
    """Strict is exactly the schema where there is nothing to mend, but for a schemaLocation and the like."""
    judged = exchange.judge_tree(tree(case.sent), policy="strict")
    own = (
        schema.violations(tree(case.sent), judged.repaired.namespace or "")
        if judged.repaired and judged.repaired.namespace
        else []
    )
    assert (judged.error is None) == (own == []), judged.error


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_is_refused_makes_no_success(case: Case) -> None:
    """Nothing that interop refuses is accepted by strict."""
    assert exchange.judge_tree(tree(case.sent), policy="strict").error is not None


def test_an_early_message_as_people_publish_it() -> None:
    """Both namespaces with https, blanks around the TransactionID, Subject before Priority: all told, all mended."""
    text = (
        f'<env:Envelope xmlns:env="{SOAP_NAMESPACE.replace("http:", "https:")}"><env:Header>'
        f'<mm7:TransactionID xmlns:mm7="{HTTPS}" env:mustUnderstand="1">\npier-7\n</mm7:TransactionID>'
        f'</env:Header><env:Body><SubmitReq xmlns="{HTTPS}">{VERSION}{WHO}{TO}'
        "<TimeStamp>2026-03-01T12:00:00Z</TimeStamp>"
        "<DeliveryReport>true</DeliveryReport><Subject>Tides today</Subject><Priority>Normal</Priority>"
        '<Content href="cid:tides@kiosk.example"/></SubmitReq></env:Body></env:Envelope>'
    )
    label = "</tnn-200102/mm7-submit>"
    packed = wire(text, "Content-Type: text/plain\r\nContent-ID: <tides@kiosk.example>\r\n\r\nHigh water", start=label)
    received = exchange.unpack(packed)
    assert [f"{one.id} {one.action}" for one in received.findings] == [
        "mime/content-id-syntax noted",
        "soap/namespace-alias repaired",
        "soap/transaction-whitespace repaired",
        "ns/alias repaired",
        "schema/order repaired",
    ]
    assert (received.transaction_id, received.message.subject, received.message.priority) == (
        "pier-7",
        "Tides today",
        "Normal",
    )  # type: ignore[attr-defined]
    assert [part.read() for part in received.parts] == [b"High water"]
    with pytest.raises(SchemaError) as caught:
        exchange.unpack(packed, policy="strict")
    assert all(name in str(caught.value) for name in ("soap/namespace-alias", "ns/alias", "schema/order"))


ELEMENTS = {
    "TimeStamp": "<TimeStamp>2026-03-01T12:00:00Z</TimeStamp>",
    "DeliveryReport": "<DeliveryReport>true</DeliveryReport>",
    "ReadReply": "<ReadReply>true</ReadReply>",
    "Priority": "<Priority>Low</Priority>",
    "Subject": "<Subject>Tide</Subject>",
    "ChargedParty": "<ChargedParty>Sender</ChargedParty>",
    "MessageClass": "<MessageClass>Informational</MessageClass>",
    "ExpiryDate": "<ExpiryDate>P1D</ExpiryDate>",
    "ServiceCode": "<ServiceCode>7</ServiceCode>",
    "MM7Version": VERSION,
    "SenderIdentification": WHO,
    "Recipients": TO,
}
FIRST = ("MM7Version", "SenderIdentification", "Recipients")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((*FIRST, "Subject", "Priority"), "Priority after Subject"),
        ((*FIRST, "Subject", "TimeStamp", "DeliveryReport"), "Subject before DeliveryReport"),
        (("SenderIdentification", "MM7Version", "Recipients"), "MM7Version after SenderIdentification"),
        (
            ("SenderIdentification", "MM7Version", "Recipients", "Subject", "TimeStamp", "Priority"),
            "MM7Version after SenderIdentification and Subject before Priority",
        ),
        (("Subject", "Priority", *FIRST), "Subject, Priority before Recipients"),
        (tuple(reversed((*FIRST, "Subject"))), "Recipients, SenderIdentification, MM7Version after Subject"),
        (
            ("Subject", "Priority", "ReadReply", "DeliveryReport", "ExpiryDate", "TimeStamp", "MessageClass",
             "ServiceCode", *reversed(FIRST)),
            "Priority, ReadReply, DeliveryReport, ExpiryDate, TimeStamp, MessageClass, ServiceCode, Recipients"
            " after Subject, and 2 more",
        ),
    ],
)  # fmt: skip
def test_every_misplaced_child_is_named(names: tuple[str, ...], said: str) -> None:
    """Not only the first: the fewest that must be put elsewhere, eight of them by name, the others counted."""
    received = exchange.unpack(wire(sent("SubmitReq", "".join(ELEMENTS[name] for name in names))))
    assert [one.detail for one in received.findings if one.id == "schema/order"] == [said]


def test_a_child_that_is_kept_raw_has_its_place() -> None:
    """The order is that of the children which were sent, also where one of them cannot be read."""
    expiry = "<ExpiryDate>tomorrow</ExpiryDate>"
    assert expiry != ELEMENTS["ExpiryDate"]
    body = "".join((*(ELEMENTS[name] for name in (*FIRST, "Subject")), expiry))
    received = exchange.unpack(wire(sent("SubmitReq", body)))
    assert [one.detail for one in received.findings if one.id == "schema/order"] == ["ExpiryDate after Subject"]
    assert [one.action for one in received.findings if one.id == "schema/date"] == ["kept-raw"]


def test_repeated_children_stand_in_order() -> None:
    """What may stand several times is in its place each time that no later element stands before it."""
    assert children._in_order([0, 1, 1, 2, 1, 3]) == [0, 1, 2, 3, 5]
    assert children._in_order([3, 2, 1, 0]) == [0]
    assert children._in_order([]) == []


def test_many_misplaced_children_are_found_quickly() -> None:
    """The work grows little faster than the number of children: as many as a message may have take no second."""
    ranks = [*range(1000, 2000), *range(1000)]
    assert children._in_order(ranks) == list(range(1000))
    assert least_seconds(lambda: children._in_order(ranks), enough=1) < 1


def test_order_in_a_fault_is_told() -> None:
    """The order that was met is said, as a developer can find it."""
    inner = "<faultstring>no</faultstring><faultcode>env:Client</faultcode>"
    inside = f"<env:Fault>{inner}</env:Fault>"
    read = tolerance.repair(soap.parse(envelope(inside).encode()), request=False)
    assert [one.detail for one in read.findings if one.id == "soap/fault-fields"] == ["order: faultstring, faultcode"]


@pytest.mark.parametrize("name", [one.schema for one in NAMESPACES.values()])
def test_vendor_elements_go_back_into_their_place(name: str) -> None:
    """Unpacked and packed again, elements that no schema knows stand where they stood, as they were."""
    inner = (
        VERSION
        + '<k:A xmlns:k="urn:k" n="1">x</k:A>'
        + WHO
        + "<CPID>9</CPID>"
        + PLAIN_TO
        + "<Subject>Tide</Subject><B/>"
    )
    received = exchange.unpack(wire(sent("SubmitReq", inner, name)))
    again = exchange.pack(received.message, profile=name, transaction_id="t-1").read()
    body = tree(again.decode().partition("?>")[2])[1][0]
    assert [etree.QName(one).localname for one in body] == [
        "MM7Version",
        "A",
        "SenderIdentification",
        "CPID",
        "Recipients",
        "Subject",
        "B",
    ]
    assert etree.tostring(body[1], method="c14n", exclusive=True) == b'<k:A xmlns:k="urn:k" n="1">x</k:A>'
    twice = exchange.unpack(wire(again))
    assert replace(twice.message, extensions=()) == replace(received.message, extensions=())
    places = [
        [(one.parent, one.index, one.name, one.text) for one in each.message.extensions] for each in (received, twice)
    ]
    assert (
        places[0] == places[1] == [("SubmitReq", 1, "A", "x"), ("SubmitReq", 3, "CPID", "9"), ("SubmitReq", 6, "B", "")]
    )


def test_fault_is_a_fault() -> None:
    """A Fault's message names code, string and the status of its detail."""
    fault_message = exchange.unpack(wire(envelope(fault(message("RSErrorRsp", MINIMAL["RSErrorRsp"]))))).message
    assert isinstance(fault_message, Fault)
    assert fault_message.error is not None
    assert fault_message.error.mm7_version == "5.3.0"


def test_at_most_a_hundred_findings_of_one_kind() -> None:
    """What is wrong a thousand times is told a hundred times, and all of it is kept."""
    received = exchange.unpack(wire(submit("<x/>" * 1000)))
    assert (len(received.findings), len(received.message.extensions)) == (100, 1000)


def test_pre_standard_by_its_raw_text() -> None:
    """A draft that does not even parse is still recognised."""
    assert tolerance.names_pre_standard(b'<x:MM7Header xmlns:x="urn:MM7Submit.Req">')
    assert not tolerance.names_pre_standard(submit().encode())


@pytest.mark.parametrize(
    ("given", "spans", "value"),
    [
        ("2026-03-01 12:00", False, "2026-03-01T12:00:00"),
        ("2026-03-01T12:00:00.25 +0130", False, "2026-03-01T12:00:00.25+01:30"),
        ("p1d", True, "P1D"),
        ("p1d", False, None),
        ("P", True, None),
        ("2026-02-30T12:00:00", False, None),
        ("", False, None),
        ("9999-12-31T24:00:00Z", False, None),
    ],
)
def test_moments(given: str, spans: bool, value: str | None) -> None:
    """The xs:dateTime or xs:duration that a text means, or None."""
    assert values.moment(given, spans=spans) == value


@pytest.mark.parametrize(
    "text", ["", "-", "P", "PT", "P1S", "2026", "T", "9" * 400, "P" + "9" * 400 + "D", "Mon, 99 Foo 2026"]
)
def test_no_moment_raises(text: str) -> None:
    """Whatever stands there, telling that it is no moment raises nothing."""
    assert values.is_moment(text, spans=True) is False
    assert values.moment(text, spans=False) is None
