"""What one namespace has and its neighbour has not, in the neighbour: each step from one schema to the next.

A reader with one schema for all namespaces takes them; one that knows each does not. What is found in each is stated
beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mm7zeep.vectors.envelopes import FROM, OK, WHO
from mm7zeep.vectors.operations import SCHEMAS, number, version, written


@dataclass(frozen=True, slots=True)
class Misplaced:
    """One message with something of another schema: its name, what is wrong, the ids it raises, and its octets."""

    name: str
    said: str
    found: str
    octets: bytes


_ELEMENT, _LISTED = "schema/version-element", "schema/enumeration"
_APPLICATION = ("ApplicID", "ReplyApplicID", "AuxApplicInfo")
_BEFORE_6_4 = "REL-6-MM7-1-3"
_REL_5 = "REL-5-MM7-1-3"


def misplaced() -> Iterator[Misplaced]:
    """Every change from one schema to the next, written into the schema on the wrong side of it."""
    yield from _in_submit()
    yield from _in_others()
    yield from _reports()
    yield from _versions()


def _to(schema: str) -> str:
    return f"<Recipients><To>{number(schema)}</To></Recipients>"


def _submit(name: str, schema: str, more: str, found: str = _ELEMENT, *, who: str = WHO) -> Misplaced:
    octets = written("SubmitReq", version(schema) + who + _to(schema) + more, schema)
    return Misplaced(f"{schema.lower()}/submitreq-{name}", f"{more or who} in a SubmitReq of {schema}", found, octets)


def _one(name: str, operation: str, schema: str, content: str, said: str, found: str = _ELEMENT) -> Misplaced:
    octets = written(operation, version(schema) + content, schema)
    full = f"{schema.lower()}/{operation.lower()}-{name}"
    return Misplaced(full, f"{said} in a {operation} of {schema}", found, octets)


def _flag(name: str, value: str = "true") -> str:
    return f"<{name}>{value}</{name}>"


def _in_submit() -> Iterator[Misplaced]:
    yield _submit("distribution-indicator", "REL-5-MM7-1-0", _flag("DistributionIndicator"))
    yield _submit("distribution-protection", "REL-5-MM7-1-1", _flag("DistributionProtection"))
    typed = WHO.replace("</SenderId", "<SenderAddress><ShortCode>7070</ShortCode></SenderAddress></SenderId")
    yield _submit("typed-sender-address", "REL-5-MM7-1-1", "", "schema/address-typed-early", who=typed)
    plain = WHO.replace("</SenderId", "<SenderAddress>7070</SenderAddress></SenderId")
    yield _submit("untyped-sender-address", "REL-5-MM7-1-2", "", "schema/address-untyped", who=plain)
    yield _submit("charged-party-id", _REL_5, "<ChargedParty>Sender</ChargedParty>" + _flag("ChargedPartyID", "pier"))
    yield _submit(
        "third-party",
        "REL-6-MM7-1-1",
        "<ChargedParty>ThirdParty</ChargedParty><ChargedPartyID>p</ChargedPartyID>",
        _LISTED,
    )
    yield _submit("delivery-condition", "REL-6-MM7-1-2", _flag("DeliveryCondition", "<DC>1</DC>"))
    for name in _APPLICATION:
        yield _submit(name.lower(), _BEFORE_6_4, _flag(name, "tides"))
    yield _submit("content-class", _BEFORE_6_4, _flag("ContentClass", "text"))
    yield _submit("drm-content", _BEFORE_6_4, _flag("DRMContent"))


def _in_others() -> Iterator[Misplaced]:
    report = (
        f"<MessageID>m-1</MessageID><Recipient>{number(_BEFORE_6_4)}</Recipient><Sender>{number(_BEFORE_6_4)}</Sender>"
    )
    stamp = "2026-03-01T06:00:00Z"
    held = {
        "CancelReq": f"{WHO}<MessageID>m-1</MessageID>",
        "ReplaceReq": f"{WHO}<MessageID>m-1</MessageID>",
        "DeliverReq": FROM,
        "DeliveryReportReq": f"{report}<Date>{stamp}</Date><MMStatus>Retrieved</MMStatus>",
        "ReadReplyReq": f"{report}<TimeStamp>{stamp}</TimeStamp><MMStatus>Read</MMStatus>",
    }
    for operation, content in held.items():
        for name in _APPLICATION:
            more = _flag(name, "tides")
            yield _one(name.lower(), operation, _BEFORE_6_4, content + more, more)
    for name, value in (("ContentClass", "text"), ("DRMContent", "true")):
        yield _one(name.lower(), "ReplaceReq", _BEFORE_6_4, held["ReplaceReq"] + _flag(name, value), f"<{name}>")
    for operation in ("DeliverReq", "DeliveryReportReq"):
        more = '<UACapabilities UAProf="urn:kiosk:phone"/>'
        yield _one("uacapabilities", operation, _BEFORE_6_4, held[operation] + more, more)
    for name in ("VASPID", "VASID"):
        yield _one(name.lower(), "DeliverReq", _BEFORE_6_4, _flag(name, "Tides") + FROM, f"<{name}>")
    previous = "<Previouslysentby><UserAgent><Number>+1</Number></UserAgent></Previouslysentby>"
    for name, more in (
        ("previouslysentby", previous),
        ("senderspi", _flag("SenderSPI", "home")),
        ("recipientspi", _flag("RecipientSPI", "home")),
    ):
        yield _one(name, "DeliverReq", _REL_5, FROM + more, more)
    coded = '<Sender><Number addressCoding="obfuscated">+1</Number></Sender>'
    yield _one("address-coding", "DeliverReq", _REL_5, coded, coded)
    named = '<Sender><Number id="a">+1</Number></Sender>'
    yield _one("address-id", "DeliverReq", _REL_5, named, named)
    early = FROM.replace("+", "")
    yield _one("no-reply-charging-id", "DeliverReq", SCHEMAS[1], early, "no ReplyChargingID", "schema/missing-element")
    yield _one("servicecode", "DeliverRsp", SCHEMAS[0], OK + "<ServiceCode>tide-1</ServiceCode>", "<ServiceCode>")
    protected = f"{WHO}<MessageID>m-1</MessageID><DistributionProtection>true</DistributionProtection>"
    yield _one("distributionprotection", "ReplaceReq", SCHEMAS[1], protected, "<DistributionProtection>")
    indicated = f"{WHO}<MessageID>m-1</MessageID><DistributionIndicator>true</DistributionIndicator>"
    yield _one("distributionindicator", "ReplaceReq", SCHEMAS[0], indicated, "<DistributionIndicator>")


def _reports() -> Iterator[Misplaced]:
    """The date of a DeliveryReportReq changed its name four times; its statuses grew twice."""
    for schema in SCHEMAS:
        wrong = "Date" if schema in ("REL-5-MM7-1-4", "REL-6-MM7-1-1") else "TimeStamp"
        found = f"{_ELEMENT}{_OF_5_1_5}" if schema == "REL-5-MM7-1-5" else _ELEMENT
        yield _one(wrong.lower(), "DeliveryReportReq", schema, _report(schema, wrong), f"<{wrong}>", found)
    for schema, status in (
        ("REL-6-MM7-1-0", "Unrecognised"),
        ("REL-6-MM7-1-0", "Deferred"),
        ("REL-6-MM7-1-2", "DeliveryConditionNotMet"),
    ):
        content = _report(schema, "Date", status)
        yield _one(status.lower(), "DeliveryReportReq", schema, content, f"<MMStatus>{status}</MMStatus>", _LISTED)
    extension = "<MMStatusExtension>RejectionByOtherRS</MMStatusExtension>"
    yield _one("mmstatusextension", "DeliveryReportReq", _REL_5, _report(_REL_5, "Date") + extension, extension)


def _report(schema: str, name: str, status: str = "Retrieved") -> str:
    sender = number(schema, "4670000002")
    about = f"<MessageID>m-1</MessageID><Recipient>{number(schema)}</Recipient><Sender>{sender}</Sender>"
    return f"{about}<{name}>2026-03-01T06:00:00Z</{name}><MMStatus>{status}</MMStatus>"


_UNLISTED = {
    "REL-5-MM7-1-0": "5.5.0", "REL-5-MM7-1-1": "5.4.0", "REL-5-MM7-1-2": "5.6.0", "REL-5-MM7-1-3": "5.8.0",
    "REL-5-MM7-1-4": "5.10.0", "REL-5-MM7-1-5": "6.3.0", "REL-6-MM7-1-0": "5.8.0", "REL-6-MM7-1-1": "5.10.0",
    "REL-6-MM7-1-2": "6.6.0", "REL-6-MM7-1-3": "6.8.0", "REL-6-MM7-1-4": "6.7.0",
}  # fmt: skip
_OF_5_1_5 = " ns/rel-5-1-5"  # whose file was never seen; readers say so


def _versions() -> Iterator[Misplaced]:
    """A version that the schema does not list: that of the next release, or one that none ever listed."""
    for schema, value in _UNLISTED.items():
        content = f"<MM7Version>{value}</MM7Version>{WHO}{_to(schema)}"
        yield Misplaced(
            f"{schema.lower()}/mm7version-{value.replace('.', '-')}",
            f"<MM7Version>{value}</MM7Version> in {schema}",
            f"version/listed{_OF_5_1_5}" if schema == "REL-5-MM7-1-5" else "version/listed",
            written("SubmitReq", content, schema),
        )
