"""Examples for the schema: order, names, values, what is missing and what is too much."""

from __future__ import annotations

from dataclasses import replace

from mm7zeep.vectors.building import (
    HREF,
    LATE,
    NOTE,
    ONE,
    SCHEMA,
    SUBMIT,
    SUBMITTED,
    Case,
    answer,
    bend,
    every,
    message,
    packed,
    post,
    refused,
    shown_to,
    submit,
    twins,
)
from mm7zeep.vectors.cases.envelope import FAULT
from mm7zeep.vectors.envelopes import FROM, NO, OK, REPORTED, TO, VERSION, WHO, transaction
from mm7zeep.vectors.envelopes import envelope as enveloped
from mm7zeep.vectors.envelopes import message as plain

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_EARLY = "REL-5-MM7-1-0"
_PLAIN_TO = shown_to("<Number>4670000001</Number>")
_REPORT = message("DeliveryReportReq")
_CODED = 'addressCoding="encrypted"'
_DELIVER = post(message("DeliverReq"))


def _with(id: str, bad: str, good: str, found: str = "", *, schema: str = SCHEMA) -> Case:
    """A SubmitReq with ``bad`` or with ``good`` at its end."""
    to = _PLAIN_TO if schema in (_EARLY, "REL-5-MM7-1-1") else TO
    return twins(id, submit(bad, schema, to=to), submit(good, schema, to=to), bad, found)


def _rsp(status: str, more: str = "<MessageID>m-1</MessageID>", schema: str = SCHEMA) -> bytes:
    return answer(message("SubmitRsp", content=VERSION + status + more, schema=schema))


def _who(inner: str) -> str:
    return f"<SenderIdentification><VASPID>Kiosk</VASPID>{inner}</SenderIdentification>"


def _report(more: str, schema: str = SCHEMA) -> str:
    return message("DeliveryReportReq", content=VERSION + REPORTED + more, schema=schema)


_DATE = "<Date>2026-03-01T06:00:00Z</Date>"
_READ = "<MMStatus>Retrieved</MMStatus>"

CASES = (
    # order and names
    twins(
        "schema/order",
        message("SubmitReq", content=VERSION + TO + WHO),
        SUBMIT,
        "Recipients before SenderIdentification",
    ),
    _with(
        "schema/order",
        "<Subject>Tide</Subject><Priority>Low</Priority>",
        "<Priority>Low</Priority><Subject>Tide</Subject>",
    ),
    _with("schema/unknown-element", "<Tide>low</Tide>", "<Subject>low</Subject>"),
    _with("schema/vendor-extension", "<CPID>9</CPID>", "<Tide>9</Tide>"),
    _with("schema/vendor-extension", "<X-SKT-CPID>9</X-SKT-CPID>", ""),
    replace(_with("schema/unknown-element", "<CPID>9</CPID>", ""), policy="strict"),
    _with("schema/name-case", "<subject>Tide</subject>", "<Subject>Tide</Subject>"),
    twins("schema/name-case", every(SUBMIT, "SubmitReq", "submitReq"), SUBMIT, "<submitReq>", "schema/name-case"),
    twins("schema/name-case", _rsp(NO.replace("</Status>", "<Detail/></Status>")), SUBMITTED, "<Detail/>"),
    _with("schema/repeated-element", "<Subject>a</Subject><Subject>b</Subject>", "<Subject>a</Subject>"),
    _with("schema/version-element", "<ApplicID>tides</ApplicID>", "<Subject>tides</Subject>"),
    _with(
        "schema/version-element",
        "<DistributionProtection>true</DistributionProtection>",
        "<DistributionIndicator>true</DistributionIndicator>",
    ),
    twins(
        "schema/version-element",
        message("extendedCancelReq", content=VERSION + WHO + "<CancelID>c</CancelID>"),
        SUBMIT,
        "extendedCancelReq in REL-5-MM7-1-2",
    ),
    # what is missing
    refused(
        twins("schema/missing-element", message("SubmitReq", content=VERSION + TO), SUBMIT, "no SenderIdentification")
    ),
    refused(twins("schema/missing-element", submit(to="<Recipients/>"), SUBMIT, "<Recipients/>")),
    twins("schema/missing-element", _report(_READ), _REPORT, "no Date"),
    twins(
        "schema/missing-element",
        message("DeliverReq", content=VERSION + FROM.replace("+", ""), schema=_EARLY),
        message("DeliverReq"),
        "no ReplyChargingID in REL-5-MM7-1-0",
    ),
    twins(
        "schema/empty-element", message("DeliverReq", "<Recipients><To/></Recipients>"), message("DeliverReq"), "<To/>"
    ),
    _with("schema/empty-element", "<ExpiryDate/>", "<ExpiryDate>P1D</ExpiryDate>"),
    twins(
        "schema/status-complete", _rsp(OK.replace("<StatusText>Success</StatusText>", "")), SUBMITTED, "no StatusText"
    ),
    twins("schema/message-id-rsp", _rsp(NO, ""), SUBMITTED, "a refused SubmitRsp without MessageID"),
    twins(
        "schema/message-id-rsp",
        _rsp(NO, "", "REL-5-MM7-1-1"),
        _rsp(NO, "<MessageID>m-1</MessageID>", "REL-5-MM7-1-1"),
        "a refused SubmitRsp without MessageID in REL-5-MM7-1-1",
    ),
    refused(twins("schema/message-id-rsp", _rsp(OK, ""), SUBMITTED, "a SubmitRsp without MessageID")),
    twins("schema/message-id-rsp", _rsp(OK, schema=_EARLY), _rsp(OK, "", _EARLY), "MessageID in REL-5-MM7-1-0"),
    bend("sem/message-id-empty", SUBMITTED, "m-1", ""),
    twins(
        "sem/message-id-empty",
        message("CancelReq").replace("m-1", ""),
        message("CancelReq"),
        "a CancelReq without MessageID",
    ),
    # values
    _with("schema/boolean", "<DeliveryReport>True</DeliveryReport>", "<DeliveryReport>true</DeliveryReport>"),
    _with("schema/value", "<DeliveryReport>perhaps</DeliveryReport>", "<DeliveryReport>0</DeliveryReport>"),
    _with("schema/value", "<LinkedID>a b</LinkedID>", "<LinkedID>a-b</LinkedID>", schema="REL-5-MM7-1-1"),
    twins(
        "schema/value",
        message("CancelReq").replace("m-1", " m-1 "),
        message("CancelReq"),
        "<MessageID> m-1 </MessageID>",
    ),
    twins(
        "schema/value",
        enveloped(plain("SubmitReq", VERSION + WHO + _PLAIN_TO, _EARLY), transaction("a b", _EARLY, "")),
        enveloped(plain("SubmitReq", VERSION + WHO + _PLAIN_TO, _EARLY), transaction("a-b", _EARLY, "")),
        "TransactionID a b in REL-5-MM7-1-0",
    ),
    twins(
        "schema/value",
        _rsp(NO, "<MessageID/>", "REL-5-MM7-1-1"),
        _rsp(NO, "<MessageID>-</MessageID>", "REL-5-MM7-1-1"),
        "an empty MessageID in REL-5-MM7-1-1",
    ),
    refused(
        twins(
            "schema/value",
            _rsp("<Status><StatusCode>fine</StatusCode><StatusText/></Status>"),
            SUBMITTED,
            "<StatusCode>fine</StatusCode>",
        )
    ),
    _with(
        "schema/date",
        "<TimeStamp>Sun, 1 Mar 2026 12:00:00 +0000</TimeStamp>",
        "<TimeStamp>2026-03-01T12:00:00Z</TimeStamp>",
    ),
    _with("schema/date", "<ExpiryDate>20</ExpiryDate>", "<ExpiryDate>PT20H</ExpiryDate>"),
    _with(
        "schema/date-range",
        "<ExpiryDate>12026-03-01T12:00:00Z</ExpiryDate>",
        "<ExpiryDate>2026-03-01T12:00:00Z</ExpiryDate>",
    ),
    _with("schema/enumeration", "<Priority>urgent</Priority>", "<Priority>High</Priority>"),
    _with("schema/enumeration", "<Priority>high</Priority>", "<Priority>High</Priority>"),
    twins(
        "schema/enumeration",
        _report(_DATE + "<MMStatus>Deleted without being read</MMStatus>"),
        _REPORT,
        "<MMStatus>Deleted without being read</MMStatus>",
    ),
    twins("schema/enumeration", _report(_DATE + "<MMStatus>Deferred</MMStatus>"), _REPORT, "Deferred in REL-5-MM7-1-2"),
    # where only elements, or nothing, may stand
    bend("schema/empty-types", ONE, HREF, HREF.replace("/>", ">\n</Content>")),
    _with("schema/empty-types", "<ReplyCharging>yes</ReplyCharging>", "<ReplyCharging/>"),
    twins(
        "schema/details",
        _rsp(NO.replace("</Status>", "<Details>Pier closed</Details></Status>")),
        SUBMITTED,
        "<Details>Pier closed</Details>",
    ),
    _with("schema/unstated", "stray", "<!-- stray -->"),
    twins("schema/unstated", submit().replace("</env:Body>", "stray</env:Body>"), SUBMIT, "text in the Body"),
    twins("schema/unstated", submit().replace("</env:Header>", "stray</env:Header>"), SUBMIT, "text in the Header"),
    # attributes
    _with(
        "schema/attribute",
        '<Subject k:rate="2" xmlns:k="urn:k">gold</Subject>',
        '<ServiceCode k:rate="2" xmlns:k="urn:k">gold</ServiceCode>',
    ),
    _with("schema/attribute", '<Subject lang="sv">Tid</Subject>', "<Subject>Tid</Subject>"),
    _with(
        "schema/attribute",
        f'<Subject {XSI} xsi:type="xsd:string">Tid</Subject>',
        f'<Subject {XSI} xsi:schemaLocation="urn:x x.xsd">Tid</Subject>',
    ),
    bend("schema/attribute", ONE, ' href="cid', ' HREF="cid'),
    bend(
        "schema/attribute",
        SUBMIT,
        "</SubmitReq>",
        "<Content/></SubmitReq>",
        "schema/attribute sem/content-href-resolves sem/content-without-part",
    ),
    _with("schema/attribute", '<ReplyCharging replyChargingSize="0"/>', '<ReplyCharging replyChargingSize="9"/>'),
    # addresses
    bend("schema/address-untyped", SUBMIT, "<Number>+4670000001</Number>", "+4670000001"),
    twins(
        "schema/address-typed-early",
        submit(schema=_EARLY, to=_PLAIN_TO, who=_who("<SenderAddress><ShortCode>7</ShortCode></SenderAddress>")),
        submit(schema=_EARLY, to=_PLAIN_TO, who=_who("<SenderAddress>7</SenderAddress>")),
        "<ShortCode> in REL-5-MM7-1-0",
    ),
    bend("schema/address-name", SUBMIT, "<Number>+4670000001</Number>", "<number>+4670000001</number>"),
    twins(
        "schema/address-name",
        message("DeliverReq").replace(FROM, f"<Sender><SenderAddress>{FROM[8:-9]}</SenderAddress></Sender>"),
        message("DeliverReq"),
        "<Sender><SenderAddress><Number>",
    ),
    bend("sem/address-whitespace", SUBMIT, "+4670000001", " +4670000001\n", shown="<Number> +4670000001\\n</Number>"),
    twins(
        "sem/address-plmn",
        submit(to=shown_to("<Number>+1/TYPE=PLMN</Number><Number>+2/TYPE=PLMN</Number>")),
        submit(to=shown_to("<Number>+1</Number><Number>+2</Number>")),
        "two numbers with /TYPE=PLMN, told once",
    ),
    bend("sem/address-plmn", SUBMIT, "+4670000001", "+4670000001/TYPE=PLMN"),
    twins(
        "sem/address-plmn",
        submit(to=shown_to("<RFC2822Address>+4670000001</RFC2822Address>")),
        SUBMIT,
        "<RFC2822Address>+4670000001</RFC2822Address>",
    ),
    twins(
        "sem/address-plmn",
        submit(to=shown_to("<Number>a@kiosk.example</Number>")),
        SUBMIT,
        "<Number>a@kiosk.example</Number>",
    ),
    # names and places of addresses, and of what holds them
    refused(
        bend("schema/unknown-element", _DELIVER, "<Number>", "<Tide>9</Tide><Number>", "schema/unknown-element"),
    ),
    refused(
        twins(
            "schema/repeated-element",
            submit(who=_who("<SenderAddress><Number>1</Number><Number>2</Number></SenderAddress>")),
            submit(who=_who("<SenderAddress><Number>1</Number></SenderAddress>")),
            "two addresses in SenderAddress",
        )
    ),
    refused(
        bend("schema/attribute", SUBMIT, "<To>", '<To displayOnly="true">', "schema/attribute schema/attribute"),
    ),
    twins(
        "schema/address-name",
        message("ReadReplyReq").replace("Recipient>", "Recipients>"),
        message("ReadReplyReq"),
        "Recipients for the Recipient of a ReadReplyReq",
    ),
    refused(
        twins(
            "schema/unknown-element",
            message("ReadReplyReq").replace("<Sender>", "<Recipients><Number>+2</Number></Recipients><Sender>"),
            message("ReadReplyReq").replace("Recipient>", "Recipients>"),
            "Recipients beside Recipient",
        )
    ),
    twins("schema/name-case", every(SUBMIT, "To>", "to>"), SUBMIT, "<to>"),
    twins("schema/name-case", every(FAULT, "RSErrorRsp", "RsErrorRsp"), FAULT, "<RsErrorRsp>"),
    twins(
        "schema/address-name",
        submit(to="<Recipients><Number>+4670000001</Number></Recipients>"),
        SUBMIT,
        "<Recipients><Number>",
    ),
    refused(bend("schema/address-untyped", SUBMIT, "<To>", "<To>+4670000002")),
    twins(
        "sem/address-whitespace",
        submit(schema=LATE, to=shown_to(f"<Number {_CODED}>dGlk\nZQ==</Number>")),
        submit(schema=LATE, to=shown_to(f"<Number {_CODED}>dGlkZQ==</Number>")),
        "a line break in an encrypted address",
    ),
    twins(
        "schema/version-element",
        submit(to=shown_to(f"<Number {_CODED}>dGlkZQ==</Number>")),
        submit(schema=LATE, to=shown_to(f"<Number {_CODED}>dGlkZQ==</Number>")),
        f"{_CODED} in REL-5-MM7-1-2",
    ),
    refused(twins("schema/repeated-element", submit(to=TO + TO), SUBMIT, "Recipients twice")),
    twins(
        "schema/address-name",
        submit("<Sender><SenderAddress><Number>1</Number></SenderAddress></Sender>"),
        submit("<Sender><Number>1</Number></Sender>"),
        "<Sender><SenderAddress> in a SubmitReq",
        "schema/address-name schema/unknown-element",
    ),
    # what remains
    refused(
        twins(
            "schema/valid",
            submit(schema=LATE, to=shown_to('<Number id="a">1</Number><Number id="a">2</Number>')),
            submit(schema=LATE, to=shown_to('<Number id="a">1</Number><Number id="b">2</Number>')),
            'two addresses with id="a"',
        )
    ),
    replace(_with("schema/valid", "<ExpiryDate/>", "", "schema/empty-element schema/valid"), policy="strict"),
    # Content and parts
    bend("sem/content-href-resolves", ONE, 'href="cid:note@', 'href="cid:boat@'),
    refused(
        bend(
            "sem/content-href-resolves",
            packed(submit(HREF), NOTE, NOTE.replace("note@", "more@")),
            'href="cid:note@',
            'href="cid:boat@',
            "sem/content-href-resolves sem/smil-missing",
            shown="a Content that names neither of two parts",
        )
    ),
    refused(bend("schema/unknown-element", ONE, HREF, HREF.replace("/>", "><Tide>low</Tide></Content>"))),
    twins(
        "schema/attribute",
        packed(submit("<Content><href>cid:note@kiosk.example</href></Content>"), NOTE),
        ONE,
        "<href> in Content",
    ),
    bend("sem/content-href-cid", ONE, 'href="cid:note', 'href="note'),
    bend("sem/content-href-brackets", ONE, 'href="cid:note@kiosk.example"', 'href="cid:&lt;note@kiosk.example&gt;"'),
    twins(
        "sem/content-without-part",
        post(submit(HREF)),
        ONE,
        "Content in a text/xml request",
        "sem/content-href-resolves sem/content-without-part",
    ),
    bend("sem/part-without-content", ONE, HREF, ""),
    # what a sender is told of its own message
    Case(id="sem/content-empty", bad=SUBMIT, good=ONE, shown="a SubmitReq without a part", seen_by="sender"),
)
