"""Valid messages of every namespace and operation: with all that the namespace has there, and with the least.

What a namespace has is written down here from the tables of the releases, not asked of our schemas, so that either can
be wrong and be noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mm7zeep import profiles
from mm7zeep.vectors.building import NOTE, answer, packed, post
from mm7zeep.vectors.envelopes import FROM, NO, OK, envelope, fault, transaction
from mm7zeep.vectors.envelopes import message as bare

SCHEMAS = (
    "REL-5-MM7-1-0", "REL-5-MM7-1-1", "REL-5-MM7-1-2", "REL-5-MM7-1-3", "REL-5-MM7-1-4", "REL-5-MM7-1-5",
    "REL-6-MM7-1-0", "REL-6-MM7-1-1", "REL-6-MM7-1-2", "REL-6-MM7-1-3", "REL-6-MM7-1-4",
)  # fmt: skip
"""Every schema, oldest first."""

_EARLY = frozenset(SCHEMAS[:2])  # NMTOKEN for numbers and ids, no attribute at TransactionID, SenderAddress is text
_RELEASE_6 = frozenset(SCHEMAS[6:])
_STAMPED = frozenset({"REL-5-MM7-1-4", "REL-6-MM7-1-1"})  # their DeliveryReportReq has TimeStamp for Date
_LAST = "REL-6-MM7-1-4"

FAULTS = {"RSErrorRsp": "MMSC", "VASPErrorRsp": "VASP"}
"""What stands in the detail of a Fault, and who sends it."""
EXTENDED = ("extendedCancelReq", "extendedCancelRsp", "extendedReplaceReq", "extendedReplaceRsp")
"""The operations that only the last schema has."""
OPERATIONS = (
    "SubmitReq", "SubmitRsp", "DeliverReq", "DeliverRsp", "CancelReq", "CancelRsp", "ReplaceReq", "ReplaceRsp",
    "DeliveryReportReq", "DeliveryReportRsp", "ReadReplyReq", "ReadReplyRsp", "RSErrorRsp", "VASPErrorRsp",
)  # fmt: skip
"""The operations that every schema has."""

_HREF = '<Content href="cid:note@kiosk.example" allowAdaptations="true"/>'
_STAMP = "2026-03-01T06:00:00Z"
_DETAILS = (
    '<Status><Details><k:Tide xmlns:k="urn:kiosk">low</k:Tide></Details>'
    "<StatusText>Success</StatusText><StatusCode>1000</StatusCode></Status>"
)
_APPLICATION = (
    "<ApplicID>tides</ApplicID><ReplyApplicID>tides.reply</ReplyApplicID><AuxApplicInfo>pier 3</AuxApplicInfo>"
)
_CLASS = "<ContentClass>image-basic</ContentClass><DRMContent>false</DRMContent>"
_CAPABLE = f'<UACapabilities UAProf="urn:kiosk:phone" TimeStamp="{_STAMP}"/>'
_TARIFF = '<ServiceCode k:tariff="low" xmlns:k="urn:kiosk">tide-1</ServiceCode>'


@dataclass(frozen=True, slots=True)
class Made:
    """One message: ``name`` is the rest of its id, ``said`` what it is, ``octets`` those of the HTTP message.

    ``raises`` are the ids of what is to be noted of it although it is right.
    """

    name: str
    said: str
    octets: bytes
    raises: tuple[str, ...] = ()


def full() -> Iterator[Made]:
    """Each operation in each namespace, with every element and attribute that the namespace has there."""
    for schema in SCHEMAS:
        for operation in (*OPERATIONS, *(EXTENDED if schema == _LAST else ())):
            said = f"{operation} with every element and attribute that {schema} has there"
            yield Made(
                f"{schema.lower()}/{operation.lower()}", said, written(operation, _contents(operation, schema), schema)
            )


def least() -> Iterator[Made]:
    """Each operation with no more than it needs, in the first namespace and in the last."""
    for schema in (SCHEMAS[0], SCHEMAS[-1]):
        for operation in (*OPERATIONS, *(EXTENDED if schema == _LAST else ())):
            said = f"{operation} with no more than {schema} demands"
            needs = _needs(operation, schema)
            raises = ("sem/vaspid-empty",) if "<SenderIdentification/>" in needs else ()  # the schema lets it be empty
            yield Made(f"{schema.lower()}/{operation.lower()}", said, written(operation, needs, schema), raises)


def written(operation: str, content: str, schema: str) -> bytes:
    """The HTTP message of ``operation`` that holds ``content``, with a part if that has Content; a Fault has 500."""
    attributes = "" if schema in _EARLY else 'env:mustUnderstand="1"'
    body = bare(operation, content, schema)
    if operation in FAULTS:
        code = "env:Client"
        return answer(envelope(fault(body, code=code), transaction(schema=schema, attributes=attributes)), 500)
    text = envelope(body, transaction(schema=schema, attributes=attributes))
    if operation.endswith("Rsp"):
        return answer(text)
    return packed(text, NOTE) if "<Content " in content else post(text)


def version(schema: str) -> str:
    """The newest MM7Version that ``schema`` lists."""
    return f"<MM7Version>{profiles.profile(schema).versions[-1]}</MM7Version>"


def number(schema: str, digits: str = "4670000001") -> str:
    """A number as the namespace can hold it: an NMTOKEN has no plus sign."""
    return f"<Number>{'' if schema in _EARLY else '+'}{digits}</Number>"


def _who(schema: str) -> str:
    address = "7070" if schema in _EARLY else "<ShortCode>7070</ShortCode>"
    inner = f"<VASPID>Kiosk</VASPID><VASID>Tides</VASID><SenderAddress>{address}</SenderAddress>"
    return f"<SenderIdentification>{inner}</SenderIdentification>"


def _recipients(schema: str) -> str:
    coded = '<Number addressCoding="encrypted" id="a1">dGlkZQ==</Number>' if schema in _RELEASE_6 else ""
    return (
        f"<Recipients><To>{number(schema)}{coded}</To>"
        '<Cc><RFC2822Address displayOnly="true">pier@kiosk.example</RFC2822Address></Cc>'
        "<Bcc><ShortCode>7071</ShortCode></Bcc></Recipients>"
    )


def _about(schema: str) -> str:
    """Whom a report is about."""
    return (
        f"<MessageID>m-1</MessageID><Recipient>{number(schema)}</Recipient><Sender><ShortCode>7070</ShortCode></Sender>"
    )


def _charged(schema: str) -> str:
    if schema not in _RELEASE_6:
        return "<ChargedParty>Both</ChargedParty>"
    party = "Sender" if schema in ("REL-6-MM7-1-0", "REL-6-MM7-1-1") else "ThirdParty"
    return f"<ChargedParty>{party}</ChargedParty><ChargedPartyID>pier</ChargedPartyID>"


def _distribution(schema: str) -> str:
    name = "DistributionProtection" if schema == "REL-5-MM7-1-0" else "DistributionIndicator"
    return f"<{name}>true</{name}>"


def _condition(schema: str) -> str:
    held = {"REL-6-MM7-1-3": "1 or 3", _LAST: "<DC>1</DC><DC>3</DC>"}.get(schema)
    return f"<DeliveryCondition>{held}</DeliveryCondition>" if held else ""


def _contents(operation: str, schema: str) -> str:
    """All that ``schema`` has in ``operation``, in its order."""
    return version(schema) + {
        "SubmitReq": _submit, "DeliverReq": _deliver, "CancelReq": _cancel, "ReplaceReq": _replace,
        "DeliveryReportReq": _report, "ReadReplyReq": _read, "SubmitRsp": _submitted, "DeliverRsp": _delivered,
        "extendedCancelReq": _extended_cancel, "extendedCancelRsp": _extended_cancelled,
        "extendedReplaceReq": _extended_replace, "extendedReplaceRsp": _extended_replaced,
        "RSErrorRsp": _failed, "VASPErrorRsp": _failed,
    }.get(operation, _done)(schema)  # fmt: skip


def _submit(schema: str) -> str:
    times = f"<TimeStamp>{_STAMP}</TimeStamp>"
    times += '<ReplyCharging replyChargingSize="1000" replyDeadline="P2D"/>'
    times += "<EarliestDeliveryTime>PT1H</EarliestDeliveryTime><ExpiryDate>2026-03-03T06:00:00Z</ExpiryDate>"
    flags = "<DeliveryReport>true</DeliveryReport><ReadReply>false</ReadReply><Priority>High</Priority>"
    last = _APPLICATION + _CLASS if schema == _LAST else ""
    return (
        f"{_who(schema)}{_recipients(schema)}{_TARIFF}<LinkedID>m-0</LinkedID><MessageClass>Advertisement</MessageClass>"
        f"{times}{flags}<Subject>Högt vatten</Subject>{_charged(schema)}{_distribution(schema)}{_condition(schema)}"
        f"{last}{_HREF}"
    )


def _deliver(schema: str) -> str:
    known = "<VASPID>Kiosk</VASPID><VASID>Tides</VASID>" if schema == _LAST else ""
    previous = (
        '<Previouslysentby><UserAgent sequence="1"><Number>+4670000003</Number></UserAgent></Previouslysentby>'
        f'<Previouslysentdateandtime><DateTime sequence="1">{_STAMP}</DateTime></Previouslysentdateandtime>'
        "<SenderSPI>home</SenderSPI><RecipientSPI>away</RecipientSPI>"
    )
    return (
        f"<MMSRelayServerID>mmsc-1</MMSRelayServerID>{known}<LinkedID>m-0</LinkedID><Sender>{number(schema)}</Sender>"
        f"{_recipients(schema)}{previous if schema in _RELEASE_6 else ''}<TimeStamp>{_STAMP}</TimeStamp>"
        "<ReplyChargingID>m-1</ReplyChargingID><Priority>Low</Priority><Subject>Hur är vattnet?</Subject>"
        f"{_APPLICATION + _CAPABLE if schema == _LAST else ''}{_HREF}"
    )


def _cancel(schema: str) -> str:
    return f"{_who(schema)}<MessageID>m-1</MessageID>{_APPLICATION if schema == _LAST else ''}"


def _replace(schema: str) -> str:
    last = _CLASS + _APPLICATION if schema == _LAST else ""
    return (
        f"{_who(schema)}<MessageID>m-1</MessageID>{_TARIFF}<TimeStamp>{_STAMP}</TimeStamp><ReadReply>true</ReadReply>"
        f"<EarliestDeliveryTime>{_STAMP}</EarliestDeliveryTime>{_distribution(schema)}{last}{_HREF}"
    )


def _report(schema: str) -> str:
    when = "TimeStamp" if schema in _STAMPED else "Date"
    extension = "<MMStatusExtension>RejectionByMMSRecipient</MMStatusExtension>" if schema in _RELEASE_6 else ""
    return (
        f"<MMSRelayServerID>mmsc-1</MMSRelayServerID>{_about(schema)}<{when}>{_STAMP}</{when}>"
        f"<MMStatus>Rejected</MMStatus>{extension}<StatusText>no room</StatusText>"
        f"{_APPLICATION + _CAPABLE if schema == _LAST else ''}"
    )


def _read(schema: str) -> str:
    return (
        f"<MMSRelayServerID>mmsc-1</MMSRelayServerID>{_about(schema)}<TimeStamp>{_STAMP}</TimeStamp>"
        f"<MMStatus>Deleted</MMStatus><StatusText>unseen</StatusText>{_APPLICATION if schema == _LAST else ''}"
    )


def _done(schema: str) -> str:
    return _DETAILS


def _failed(schema: str) -> str:
    return _DETAILS.replace("Success", "Address Error").replace("1000", "2002")


def _submitted(schema: str) -> str:
    return _DETAILS + ("" if schema == SCHEMAS[0] else "<MessageID>m-1</MessageID>")


def _delivered(schema: str) -> str:
    return _DETAILS + ("" if schema == SCHEMAS[0] else _TARIFF)


def _extended_cancel(schema: str) -> str:
    return f"{_who(schema)}<CancelID>c-1</CancelID>"


def _extended_cancelled(schema: str) -> str:
    return "<Status><StatusCode>1000</StatusCode></Status>"


def _extended_replace(schema: str) -> str:
    return (
        f"<VASPID>Kiosk</VASPID><VASID>Tides</VASID>{_TARIFF}<ReplaceID>r-1</ReplaceID><TimeStamp>{_STAMP}</TimeStamp>"
        "<EarliestDeliveryTime>PT1H</EarliestDeliveryTime><ExpiryDate>P2D</ExpiryDate><ReadReply>true</ReadReply>"
        f"<DeliveryReport>true</DeliveryReport>{_HREF}"
    )


def _extended_replaced(schema: str) -> str:
    return "<MessageID>m-1</MessageID><Status><StatusCode>1000</StatusCode></Status>"


def _needs(operation: str, schema: str) -> str:
    """What ``schema`` demands in ``operation``, and nothing else."""
    early = schema == SCHEMAS[0]
    nobody = "<SenderIdentification/>"
    held = {
        "SubmitReq": f"{nobody}<Recipients><To>{number(schema)}</To></Recipients>",
        "DeliverReq": FROM.replace("+", "" if early else "+")
        + ("<ReplyChargingID>m-1</ReplyChargingID>" if early else ""),
        "CancelReq": f"{nobody}<MessageID>m-1</MessageID>",
        "ReplaceReq": f"{nobody}<MessageID>m-1</MessageID>",
        "extendedCancelReq": f"{nobody}<CancelID>c-1</CancelID>",
        "extendedReplaceReq": "",
        "DeliveryReportReq": f"{_about(schema)}<Date>{_STAMP}</Date><MMStatus>Retrieved</MMStatus>",
        "ReadReplyReq": f"{_about(schema)}<TimeStamp>{_STAMP}</TimeStamp><MMStatus>Read</MMStatus>",
        "SubmitRsp": OK + ("" if early else "<MessageID>m-1</MessageID>"),
        "extendedCancelRsp": _extended_cancelled(schema),
        "extendedReplaceRsp": _extended_replaced(schema),
        "RSErrorRsp": NO,
        "VASPErrorRsp": NO,
    }
    return version(schema) + held.get(operation, OK)
