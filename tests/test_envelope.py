"""Messages into envelopes and back: every operation, field and namespace; what each release writes differently."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

import pytest
from envelopes import MINIMAL, OK, VERSION, envelope, message, sent, uri
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from isodate import Duration
from lxml import etree
from schema_oracle import libxml2

from mm7zeep import envelope as soap
from mm7zeep import messages as m
from mm7zeep import schema
from mm7zeep.errors import EnvelopeError, LimitError, LocalError
from mm7zeep.profiles import NAMESPACES, SOAP_NAMESPACE, Profile
from mm7zeep.status import Status

SOAP = f"{{{SOAP_NAMESPACE}}}"
PROFILES = {one.schema: one for one in NAMESPACES.values()}
LATE, EARLY = PROFILES["REL-6-MM7-1-4"], PROFILES["REL-5-MM7-1-0"]
CLASSES = [kind for one in soap.OPERATIONS for kind in (one.request, one.response)] + [m.RSErrorRsp, m.VASPErrorRsp]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

# --- strategies -------------------------------------------------------------------------------------------------------

TOKEN = st.text(string.ascii_letters + string.digits + ".-_:", min_size=1, max_size=12)
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=12,
).filter(lambda text: text == text.strip())
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-3, minutes=-30))])
MOMENTS = st.datetimes(datetime(1000, 1, 2), datetime(9998, 12, 30), timezones=ZONES)  # noqa: DTZ001  bounds
SPANS = st.one_of(
    st.timedeltas(timedelta(days=-4000), timedelta(days=4000)),
    st.builds(
        lambda years, months, days, sign: Duration(years=sign * years, months=sign * months, days=sign * days),
        st.integers(0, 50),
        st.integers(0, 30),
        st.integers(0, 40),
        st.sampled_from([1, -1]),
    ),
)


def texts(kind: schema.Type) -> st.SearchStrategy[Any]:
    """What fits the text of ``kind``."""
    if kind.values:
        return st.sampled_from(kind.values)
    return TOKEN if kind.simple == "NMTOKEN" else TEXT


@st.composite
def addresses(draw: st.DrawFn, profile: Profile) -> m.Address:
    """One address of any kind, with the attributes that the release has; ids are unique in a document."""
    kind = draw(st.sampled_from([m.Number, m.RFC2822Address, m.ShortCode]))
    strict = profile.schema in ("REL-5-MM7-1-0", "REL-5-MM7-1-1") and kind is not m.RFC2822Address
    extra: dict[str, Any] = {"display_only": draw(st.booleans())}
    if profile.release == 6:
        extra["coding"] = draw(st.sampled_from([None, "encrypted", "obfuscated"]))
        extra["id"] = draw(st.one_of(st.none(), st.uuids().map(lambda one: f"i{one.hex}")))
    return kind(draw(TOKEN if strict else TEXT), **extra)


def by_name(name: str, target: schema.Type, profile: Profile) -> st.SearchStrategy[Any]:
    """Values for the message field ``name``, whose element is of type ``target``."""
    special: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "status": lambda: st.builds(
            Status, st.integers(1, 9999), TEXT, st.one_of(st.none(), TEXT.filter(lambda t: t[0] != "<"))
        ),
        "reply_charging": lambda: st.builds(
            m.ReplyCharging,
            size=st.one_of(st.none(), st.integers(1, 10**9)),
            deadline=st.one_of(st.none(), MOMENTS, SPANS),
        ),
        "ua_capabilities": lambda: st.builds(
            m.UACapabilities, ua_prof=st.one_of(st.none(), TEXT), time_stamp=st.one_of(st.none(), MOMENTS, SPANS)
        ),
        "delivery_condition": lambda: (
            TEXT if target.content == "text" else st.lists(st.integers(1, 10**6), min_size=1, max_size=3).map(tuple)
        ),
    }
    if name in special:
        return special[name]()
    if name in ("sender", "recipient", "sender_address"):
        if target.content == "text":  # as text its kind is told by its form
            return TOKEN.map(m.Number)
        return addresses(profile)
    match target.simple:
        case "boolean":
            return st.booleans()
        case "dateTime":
            return MOMENTS
        case "moment":
            return st.one_of(MOMENTS, SPANS)
    return texts(target)


def place(kind: schema.Type, name: str) -> schema.Type | None:
    """The type of the element that the field ``name`` is written as, by the model; None where there is none."""
    for path in soap.paths(name):
        target: schema.Type | None = kind
        for step in path.split("/"):
            child = target.child(step) if target is not None else None
            target = child.type if child is not None else None
        if target is not None:
            return target
    return None


APART = {
    "mm7_version",
    "extensions",
    "unparsed",
    "parts",
    "to",
    "cc",
    "bcc",
    "previously_sent",
    "content_href",
    "allow_adaptations",
}


@cache
def messages(kind: type[m.Message], profile: Profile) -> st.SearchStrategy[m.Message]:
    """Messages of class ``kind`` with every field that ``profile`` has, each given or not."""
    element = schema.model(profile.namespace)[soap.element_name(kind)]
    given: dict[str, st.SearchStrategy[Any]] = {"mm7_version": st.sampled_from([None, *profile.versions])}
    for one in fields(kind):
        target = place(element, one.name) if one.name not in APART else None
        if target is None:
            continue
        holder = element.child(soap.paths(one.name)[-1].split("/")[0])
        least = holder.min if holder is not None and "/" not in soap.paths(one.name)[0] else 0
        mandatory = one.default is MISSING or (least and one.name != "status") or one.name in ("message_id", "date")
        values = by_name(one.name, target, profile)
        given[one.name] = values if mandatory or one.name == "status" else st.one_of(st.none(), values)
    if element.child("Recipients"):
        several = st.lists(addresses(profile), max_size=2).map(tuple)
        given |= {"to": st.lists(addresses(profile), min_size=1, max_size=3).map(tuple), "cc": several, "bcc": several}
    if element.child("Previouslysentby"):
        given["previously_sent"] = st.one_of(st.just(()), previous(profile))
    if element.child("Content"):
        given["content_href"] = TOKEN.map("cid:{}".format)
        given["allow_adaptations"] = st.booleans()
    if not element.child("ServiceCode"):
        return st.builds(kind, **given)
    attributes = st.dictionaries(
        st.sampled_from(["{urn:x}a", "{urn:x}b", "{http://y.example/}\u00e4"]), TEXT, max_size=3
    )
    made = st.builds(kind, service_code_attributes=attributes, **given)
    return made.map(lambda one: one if one.service_code is not None else replace(one, service_code_attributes=()))


@st.composite
def previous(draw: st.DrawFn, profile: Profile) -> tuple[m.PreviouslySent, ...]:
    """Earlier senders, numbered; one without address stands after those with one."""
    whole = draw(st.lists(st.tuples(addresses(profile), st.one_of(st.none(), MOMENTS)), max_size=2))
    bare = draw(st.lists(MOMENTS, max_size=1))
    rows = [(address, moment) for address, moment in whole] + [(None, moment) for moment in bare]
    return tuple(m.PreviouslySent(sequence=n, address=a, moment=t) for n, (a, t) in enumerate(rows, 1))


def normal(given: m.Message, profile: Profile) -> m.Message:
    """``given`` as it comes back: the differences that the releases force, and no others."""
    changes: dict[str, Any] = {"mm7_version": given.mm7_version or profile.mm7_version}
    if isinstance(given, m.SubmitRsp) and not profile.submit_rsp_message_id:
        changes["message_id"] = None  # REL-5-MM7-1-0 has no place for it
    if isinstance(given, m.SubmitRsp) and given.message_id == "-" and not given.status.ok:
        changes["message_id"] = None  # the dash is what a refusal in REL-5-MM7-1-1 has for none
    if isinstance(given, m.ExtendedCancelRsp | m.ExtendedReplaceRsp):
        changes["status"] = Status(given.status.code)  # a StatusCode is all they have
    return replace(given, **changes)


# --- every message in every namespace ---------------------------------------------------------------------------------

PAIRS = [
    pytest.param(kind, profile, id=f"{kind.__name__}-{profile.schema}")
    for profile in PROFILES.values()
    for kind in CLASSES
    if soap.element_name(kind) in schema.model(profile.namespace)
]


@pytest.mark.parametrize(("kind", "profile"), PAIRS)
def test_every_message_comes_back(kind: type[m.Message], profile: Profile) -> None:
    """Written, valid by xmlschema and by libxml2, parsed and read: the same message."""

    @given(messages(kind, profile))
    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def check(given_message: m.Message) -> None:
        tree = soap.write(given_message, transaction_id="t-1", profile=profile)
        data = soap.serialize(tree)
        again = soap.parse(data.partition(b"?>")[2])
        assert schema.violations(again, profile.namespace) == []
        assert libxml2(profile.schema).validate(again), libxml2(profile.schema).error_log
        back = soap.read(again, profile.namespace)
        if isinstance(back, m.Fault):
            assert back.error is not None
            back = back.error
        assert back == normal(given_message, profile)

    check()


def test_every_operation_is_there() -> None:
    """Eight operations with sixteen messages; only REL-6-MM7-1-4 has the extended ones."""
    assert len(PAIRS) == 10 * 14 + 18
    for one in soap.OPERATIONS:
        assert soap.operation_of(one.request) is soap.operation_of(one.response) is one
        for profile in PROFILES.values():
            if profile.extended or not one.name.startswith("extended"):
                assert soap.zeep_operation(one, profile.namespace).name == one.name
            else:
                with pytest.raises(LocalError, match="REL-6-MM7-1-4 has it"):
                    soap.zeep_operation(one, profile.namespace)
    with pytest.raises(LocalError):
        soap.operation_of(m.Fault)


# --- what each release writes differently -----------------------------------------------------------------------------


def written(given_message: m.Message, profile: Profile, transaction_id: str = "t-1") -> etree._Element:
    """The envelope, checked to be valid."""
    tree = soap.write(given_message, transaction_id=transaction_id, profile=profile)
    assert schema.violations(tree, profile.namespace) == []
    return tree


def names(tree: etree._Element) -> list[str]:
    """The local names of the Body child's children."""
    return [schema.local(one) for one in soap.body_child(tree)]


def find(tree: etree._Element, name: str) -> etree._Element:
    """The first element of that local name."""
    return next(one for one in tree.iter() if schema.local(one) == name)


SUBMIT = m.SubmitReq(to="46700", vaspid="Kiosk")
REPORT = m.DeliveryReportReq(message_id="m-1", recipient="46", sender="47", date=NOON, mm_status="Expired")


@pytest.mark.parametrize("name", PROFILES)
def test_forms_by_release(name: str) -> None:
    """SenderAddress, MessageID, Date, Distribution* and mustUnderstand stand as the release has them."""
    profile = PROFILES[name]
    early = name in ("REL-5-MM7-1-0", "REL-5-MM7-1-1")
    tree = written(replace(SUBMIT, sender_address=m.ShortCode("7"), distribution_indicator=True), profile)
    address = find(tree, "SenderAddress")
    assert (address.text, len(address)) == (("7", 0) if early else (None, 1))
    distribution = "DistributionProtection" if name == "REL-5-MM7-1-0" else "DistributionIndicator"
    assert names(tree) == ["MM7Version", "SenderIdentification", "Recipients", distribution]
    assert find(tree, distribution).text == "true"
    assert dict(find(tree, "TransactionID").attrib) == ({} if early else {f"{SOAP}mustUnderstand": "1"})
    answer = written(m.SubmitRsp(message_id="m-1"), profile)
    assert ("MessageID" in names(answer)) == (name != "REL-5-MM7-1-0")
    date = "TimeStamp" if name in ("REL-5-MM7-1-4", "REL-6-MM7-1-1") else "Date"
    assert names(written(REPORT, profile)) == ["MM7Version", "MessageID", "Recipient", "Sender", date, "MMStatus"]


def test_refused_submits_name_no_message() -> None:
    """A refusal has an empty MessageID, a dash where an NMTOKEN is due, none in 5/1-0; success cannot go without."""
    refusal = m.SubmitRsp(status=Status(2002))
    told = {
        name: [one.text or "" for one in written(refusal, one).iter("{*}MessageID")] for name, one in PROFILES.items()
    }
    assert told == {"REL-5-MM7-1-0": [], "REL-5-MM7-1-1": ["-"], **{name: [""] for name in list(PROFILES)[2:]}}
    for profile in PROFILES.values():
        assert soap.read(written(refusal, profile), profile.namespace).message_id is None  # type: ignore[attr-defined]
    for kind in (m.SubmitRsp(), m.SubmitRsp(message_id=" "), m.CancelReq(message_id="")):
        with pytest.raises(LocalError, match="MessageID"):
            soap.write(kind, transaction_id="t-1", profile=LATE)


def test_the_order_is_the_schemas() -> None:
    """Whatever the order of the fields, the children stand in that of the release, in both places of ContentClass."""
    late = replace(
        SUBMIT, content_href="cid:x", subject="s", priority="Low", applic_id="a", content_class="text", linked_id="l"
    )
    assert names(written(late, LATE)) == [
        "MM7Version",
        "SenderIdentification",
        "Recipients",
        "LinkedID",
        "Priority",
        "Subject",
        "ApplicID",
        "ContentClass",
        "Content",
    ]
    other = m.ReplaceReq(message_id="m-1", applic_id="a", content_class="text")
    assert names(written(other, LATE)) == [
        "MM7Version",
        "SenderIdentification",
        "MessageID",
        "ContentClass",
        "ApplicID",
    ]


def test_booleans_and_dates() -> None:
    """Booleans in small letters, xs:dateTime with its zone, UTC as Z."""
    tree = written(
        replace(
            SUBMIT,
            delivery_report=True,
            read_reply=False,
            time_stamp=NOON,
            allow_adaptations=True,
            content_href="cid:x",
            expiry_date=NOON.astimezone(timezone(timedelta(hours=-5))),
        ),
        LATE,
    )
    assert [find(tree, one).text for one in ("DeliveryReport", "ReadReply", "TimeStamp", "ExpiryDate")] == [
        "true",
        "false",
        "2026-03-01T12:00:00Z",
        "2026-03-01T07:00:00-05:00",
    ]
    assert dict(find(tree, "Content").attrib) == {"href": "cid:x", "allowAdaptations": "true"}
    assert "displayOnly" not in find(tree, "Number").attrib


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(0), "PT0S"),
        (timedelta(days=2), "P2D"),
        (timedelta(days=-2, hours=-3), "-P2DT3H"),
        (timedelta(seconds=90), "PT1M30S"),
        (timedelta(microseconds=1), "PT0.000001S"),
        (timedelta(hours=26), "P1DT2H"),
        (Duration(months=1), "P1M"),
        (Duration(years=1, months=14), "P2Y2M"),
        (Duration(months=-3), "-P3M"),
        (Duration(months=1, days=2, hours=1), "P1M2DT1H"),
        (NOON, "2026-03-01T12:00:00Z"),
        (NOON.replace(microsecond=500_000), "2026-03-01T12:00:00.500000Z"),
    ],
)
def test_moments(value: m.Moment, text: str) -> None:
    """A span or point in time as XSD writes it, and back."""
    assert soap.moment_text(value, "ExpiryDate") == text
    assert soap.moment_value(text) == value
    assert find(written(replace(SUBMIT, expiry_date=value), LATE), "ExpiryDate").text == text


LOCAL_ERRORS: dict[str, tuple[m.Message, Profile, str]] = {
    "naive TimeStamp": (replace(SUBMIT, time_stamp=datetime(2026, 3, 1)), LATE, "time zone"),  # noqa: DTZ001
    "naive ExpiryDate": (replace(SUBMIT, expiry_date=datetime(2026, 3, 1)), LATE, "time zone"),  # noqa: DTZ001
    "a span as TimeStamp": (replace(SUBMIT, time_stamp=timedelta(1)), LATE, "point in time"),  # type: ignore[arg-type]
    "text as a date": (replace(SUBMIT, expiry_date="soon"), LATE, "datetime or a timedelta"),  # type: ignore[arg-type]
    "forward and backward": (replace(SUBMIT, expiry_date=Duration(months=1, days=-2)), LATE, "forward and backward"),
    "ApplicID in release 5": (replace(SUBMIT, applic_id="a"), PROFILES["REL-5-MM7-1-3"], "does not exist"),
    "ServiceCode in a 5/1-0 DeliverRsp": (m.DeliverRsp(service_code="x"), EARLY, "does not exist"),
    "an extended operation in release 5": (m.ExtendedCancelReq(cancel_id="c"), EARLY, "REL-6-MM7-1-4 has it"),
    "addressCoding in release 5": (m.DeliverReq(sender=m.Number("7", coding="encrypted")), EARLY, "release 6"),
    "a number as condition in 6/1-4": (replace(SUBMIT, delivery_condition="dry"), LATE, "list of numbers"),
    "a control character": (replace(SUBMIT, service_code="a\x01"), LATE, "XML 1.0 forbids"),
    "a surrogate": (replace(SUBMIT, linked_id="\ud800"), LATE, "XML 1.0 forbids"),
    "a noncharacter": (replace(SUBMIT, linked_id="\uffff"), LATE, "XML 1.0 forbids"),
    "attributes of no ServiceCode": (replace(SUBMIT, service_code_attributes={"{urn:x}a": "1"}), LATE, "give it, too"),
    "an attribute of no namespace": (
        replace(SUBMIT, service_code="x", service_code_attributes={"a": "1"}),
        LATE,
        "write {namespace}name",
    ),
    "an attribute that is no name": (
        replace(SUBMIT, service_code="x", service_code_attributes={"{urn:x}a b": "1"}),
        LATE,
        "is no name",
    ),
    "an attribute of the schema": (
        replace(SUBMIT, service_code="x", service_code_attributes={"{" + LATE.namespace + "}a": "1"}),
        LATE,
        "other namespaces",
    ),
    "a control character in an attribute": (
        replace(SUBMIT, service_code="x", service_code_attributes={"{urn:x}a": "\x01"}),
        LATE,
        "XML 1.0 forbids",
    ),
    "attributes in a 5/1-0 DeliverRsp": (
        m.DeliverRsp(service_code="x", service_code_attributes={"{urn:x}a": "1"}),
        EARLY,
        "does not exist",
    ),
    "no recipient": (m.SubmitReq(), LATE, "Recipients"),
    "no sender": (m.DeliverReq(), LATE, "Sender"),
    "no date": (replace(REPORT, date=None), LATE, "Date"),
}


@pytest.mark.parametrize("case", LOCAL_ERRORS)
def test_what_cannot_be_written(case: str) -> None:
    """What the namespace has no form for is a LocalError that says what to do."""
    given_message, profile, text = LOCAL_ERRORS[case]
    with pytest.raises(LocalError, match=text):
        soap.write(given_message, transaction_id="t-1", profile=profile)


@pytest.mark.parametrize("bad", ["", " ", "\n", "a\x00b"])
def test_a_transaction_id_is_needed(bad: str) -> None:
    """Without a TransactionID nothing is written."""
    with pytest.raises(LocalError, match="TransactionID"):
        soap.write(SUBMIT, transaction_id=bad, profile=LATE)


@pytest.mark.parametrize("subject", ["a\nb", "a\rb", "a\x00", "a\x7f"])
def test_no_line_break_in_a_subject(subject: str) -> None:
    """CR, LF and NUL in a subject are refused when the message is made, before anything is written."""
    with pytest.raises(ValueError, match="control character"):
        m.SubmitReq(to="1", subject=subject)


def test_markup_in_values_is_text() -> None:
    """What looks like markup comes back as the text it was."""
    odd = "<x>&amp;]]>\"'\t"
    tree = written(replace(SUBMIT, subject=odd, service_code="a\nb\rc"), LATE)
    back = soap.read(soap.parse(soap.serialize(tree).partition(b"?>")[2]), LATE.namespace)
    assert isinstance(back, m.SubmitReq)
    assert (back.subject, back.service_code) == (odd, "a\nb\rc")


# --- Status and faults ------------------------------------------------------------------------------------------------

DETAILS = [
    ("text", "pier 7 is shut", "pier 7 is shut"),
    ("text with a sign", "a < b & c", "a < b & c"),
    ("text that begins as markup", "<no markup", "<no markup"),
    (
        "two foreign elements",
        '<k:p xmlns:k="urn:k">7</k:p><k:q xmlns:k="urn:k"/>',
        '<k:p xmlns:k="urn:k">7</k:p><k:q xmlns:k="urn:k"></k:q>',
    ),
    ("an element in no namespace", "<p><q>7</q></p>", "<p><q>7</q></p>"),
    ("a default namespace of its own", '<p xmlns="urn:k"><q/></p>', '<p xmlns="urn:k"><q></q></p>'),
]


@pytest.mark.parametrize(("given_details", "back"), [row[1:] for row in DETAILS], ids=[row[0] for row in DETAILS])
@pytest.mark.parametrize("prefix", [None, "mm7"])
def test_details(given_details: str, back: str, prefix: str | None) -> None:
    """Details holds elements only; text is wrapped, and foreign XML keeps its namespaces under any prefix of ours."""
    profile = replace(LATE, prefix=prefix)
    tree = written(m.CancelRsp(status=Status(2000, "No", given_details)), profile)
    again = soap.parse(soap.serialize(tree).partition(b"?>")[2])
    assert soap.read(again, LATE.namespace).status == Status(2000, "No", back)  # type: ignore[attr-defined]


FAULTS = [
    (m.Fault(fault_code="Client", fault_string="No", error=m.RSErrorRsp(status=Status(2001))), "Client", "No"),
    (m.Fault(fault_code="MustUnderstand", fault_string="x"), "MustUnderstand", "x"),
    (m.RSErrorRsp(status=Status(2002)), "Client", "Client error"),
    (m.RSErrorRsp(status=Status(3000)), "Server", "Server error"),
    (m.VASPErrorRsp(status=Status(4003)), "Server", "Server error"),
]


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("row", FAULTS, ids=lambda row: f"{type(row[0]).__name__}-{row[1]}")
def test_faults(row: tuple[m.Fault | m.RSErrorRsp | m.VASPErrorRsp, str, str], name: str) -> None:
    """A Fault with unqualified children in order (SOAP 1.1 4.4), the error in its detail, and back."""
    given_message, code, text = row
    profile = PROFILES[name]
    tree = written(given_message, profile)
    child = soap.body_child(tree)
    assert child.tag == f"{SOAP}Fault"
    assert [one.tag for one in child][:2] == ["faultcode", "faultstring"]
    back = soap.read(tree, profile.namespace)
    assert isinstance(back, m.Fault)
    assert (back.fault_code, back.fault_string) == (code, text)
    error = given_message.error if isinstance(given_message, m.Fault) else given_message
    assert back.error == (None if error is None else replace(error, mm7_version=profile.mm7_version))


def test_the_actor_of_a_fault() -> None:
    """The faultactor comes and goes."""
    back = soap.read(
        written(m.Fault(fault_code="Client", fault_string="x", fault_actor="urn:pier"), LATE), LATE.namespace
    )
    assert isinstance(back, m.Fault)
    assert (back.fault_actor, back.status) == ("urn:pier", Status(2000, "x"))


# --- namespaces and prefixes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", [None, "mm7", "env", "soap-env", "ns0"])
def test_prefixes(prefix: str | None) -> None:
    """The profile's prefix, or the default namespace, for all elements of MM7."""
    tree = written(SUBMIT, replace(LATE, prefix=prefix))
    child = soap.body_child(soap.parse(soap.serialize(tree).partition(b"?>")[2]))
    assert {one.prefix for one in child.iter()} == {prefix}
    assert soap.read(tree, LATE.namespace) == replace(SUBMIT, mm7_version="6.8.0")


def test_extensions_need_a_place() -> None:
    """An extension that is no XML, or whose parent is not there, is a LocalError."""
    tree = written(SUBMIT, LATE)
    doctype, declared = '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', '<?xml version="1.0" encoding="utf-8"?><a/>'
    rows = [
        ("<a", "SubmitReq"),
        ("<a/>", "Content"),
        (doctype, "SubmitReq"),
        (declared, "SubmitReq"),
        ("<a>\ud800</a>", "SubmitReq"),
    ]
    for xml, parent in rows:
        odd = replace(SUBMIT, extensions=(m.Extension(parent=parent, index=0, name="a", xml=xml),))
        with pytest.raises(LocalError, match="the extension a"):
            soap.extend(tree, odd)


# --- the hardened door ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"<a",
        b"<a></b>",
        b"<a>&b;</a>",
        b"<x:a/>",
        b"<a><x:b/><c xmlns='1'/></a>",
        b"<a b='1' b='2'/>",
        b"<a>\x01</a>",
        b"<a/><b/>",
        b"<a>\x00</a>",
        b'<?xml version="1.0"?><a/>',
        b'\n<?xml version="1.0" encoding="utf-7"?><a/>',
    ],
)
def test_what_does_not_parse(data: bytes) -> None:
    """What is not well-formed with namespaces is a 2007 that says where."""
    with pytest.raises(EnvelopeError) as caught:
        soap.parse(data)
    assert caught.value.status == 2007
    assert [(one.id, one.action) for one in caught.value.findings] == [("xml/well-formed", "refused")]


@pytest.mark.parametrize("before", ["", "\n", "<!-- x -->", "<?x y?>", "\ufeff", " <!-- <a/> -->\n<?p?>"])
def test_a_doctype_is_refused(before: str) -> None:
    """SOAP 1.1 3: no DOCTYPE, whatever stands before it."""
    with pytest.raises(EnvelopeError, match="DOCTYPE") as caught:
        soap.parse(f'{before}<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode())
    assert [one.id for one in caught.value.findings] == ["xml/no-dtd"]


def test_a_doctype_in_text_is_text() -> None:
    """The word alone harms nobody."""
    assert soap.parse(b"<a><![CDATA[<!DOCTYPE a>]]></a>").text == "<!DOCTYPE a>"


@pytest.mark.parametrize(
    ("limit", "data"),
    [
        ("size", b"<a>" + b"x" * 100 + b"</a>"),
        ("depth", b"<a>" * 9 + b"</a>" * 9),
        ("elements", b"<a>" + b"<b/>" * 50 + b"</a>"),
        ("attributes", b"<a b='1' c='2' d='3' e='4'/>"),
        ("recipients", b"<a>" + b"<Number/>" * 6 + b"</a>"),
    ],
)
def test_limits(limit: str, data: bytes) -> None:
    """Beyond each limit a LimitError names it; at the limits all is well."""
    limits = soap.XmlLimits(size=400 if limit != "size" else 99, depth=8, elements=40, attributes=3, recipients=3)
    with pytest.raises(LimitError) as caught:
        soap.parse(data, limits)
    assert [(one.id, one.detail, one.action) for one in caught.value.findings] == [("xml/limit", limit, "refused")]
    soap.parse(b"<a>" * 8 + b"<!-- c -->" + b"</a>" * 8, limits)
    soap.parse(b"<a b='1' c='2' d='3'>" + b"<b/>" * 3 + b"<ShortCode/>" * 5 + b"</a>", limits)


def test_entities_are_not_expanded() -> None:
    """The five of XML are; there are no others."""
    assert soap.parse(b"<a>&lt;&gt;&amp;&quot;&apos;&#65;</a>").text == "<>&\"'A"


# --- the sketch -------------------------------------------------------------------------------------------------------


def test_a_sketch_reads_by_local_name() -> None:
    """Values are trimmed but for the subject, empty ones are None, whatever the namespaces say."""
    inner = (
        "<MessageID> m-1 </MessageID><Subject> Tide </Subject><Sender><Number> 7 </Number></Sender><Priority/>"
        "<SenderIdentification><VASPID>K</VASPID></SenderIdentification><VASID>T</VASID><DeliveryReport>YES</DeliveryReport>"
        "<Recipients><To><Number>1</Number><Number>2</Number></To><Cc>3</Cc><Other>4</Other></Recipients>"
        '<Status><StatusCode>1000</StatusCode></Status><Content x:href="cid:a" xmlns:x="urn:x"/>'
    )
    text = envelope(
        message("SubmitReq", "<MM7Version>1.0</MM7Version>" + inner, "urn:any"), "<TransactionID> t-9\n</TransactionID>"
    )
    found = soap.sketch(soap.parse(text.encode()))
    assert (found.operation, found.transaction_id, found.namespace, found.mm7_version) == (
        "SubmitReq",
        "t-9",
        "urn:any",
        "1.0",
    )
    assert found.values == {
        "message_id": "m-1",
        "status_code": 1000,
        "status_text": None,
        "mm_status": None,
        "sender": "7",
        "subject": " Tide ",
        "recipients": {"to": ["1", "2"], "cc": ["3"], "bcc": []},
        "linked_id": None,
        "vaspid": "K",
        "vasid": "T",
        "service_code": None,
        "priority": None,
        "delivery_report": True,
        "content_href": "cid:a",
    }


def test_a_sketch_looks_through_instructions() -> None:
    """Instructions beside or inside a value hide nothing."""
    text = sent("SubmitReq", more="<Subject>Ti<?x y?>de</Subject>").replace("<env:Body>", "<env:Body><?x y?>")
    found = soap.sketch(soap.parse(text.encode()))
    assert (found.operation, found.values["subject"]) == ("SubmitReq", "Tide")


@pytest.mark.parametrize(
    "text",
    [
        "<a/>",
        "<Envelope/>",
        "<Envelope><Body/></Envelope>",
        "<Envelope><Body><Fault/></Body></Envelope>",
        "<Envelope><Body><x/></Body></Envelope>",
        "<SubmitReq><Subject>a</Subject></SubmitReq>",
    ],
)
def test_a_sketch_of_little(text: str) -> None:
    """Where nothing can be read nothing is made up."""
    found = soap.sketch(soap.parse(text.encode()))
    assert found.values == soap.no_values()
    assert found.mm7_version is None
    assert found.operation == ("Fault" if "Fault" in text else None)


# --- reading ----------------------------------------------------------------------------------------------------------


def test_read_refuses_what_is_no_operation() -> None:
    """4003 for a Body child that is no MM7 operation, 4004 without one."""
    with pytest.raises(EnvelopeError) as caught:
        soap.read(soap.parse(envelope(message("GetTideReq", "")).encode()), uri("REL-5-MM7-1-3"))
    assert caught.value.status == 4003
    with pytest.raises(EnvelopeError, match="empty or missing") as caught:
        soap.read(soap.parse(envelope("").encode()), uri("REL-5-MM7-1-3"))
    assert [(one.id, one.action) for one in caught.value.findings] == [("soap/structure", "refused")]


@pytest.mark.parametrize("operation", sorted(MINIMAL))
def test_read_leniently(operation: str) -> None:
    """Each child missing in turn, and all of them: a message is made, and never a success without its Status."""
    children = list(etree.fromstring(f"<x>{MINIMAL[operation]}</x>"))
    for left in (*range(len(children)), None):
        kept = [etree.tostring(one).decode() for at, one in enumerate(children) if left is not None and at != left]
        tree = soap.parse(envelope(message(operation, "".join(kept))).encode())
        read = soap.read(tree, uri("REL-5-MM7-1-3"), lenient=True)
        assert soap.element_name(type(read)) == operation
        if isinstance(read, m.Response) and not any("StatusCode" in one for one in kept):
            assert read.status == Status(3000, "")
    assert MINIMAL["SubmitRsp"] == VERSION + OK + "<MessageID>m-1</MessageID>"


def test_an_empty_element_is_not_nothing() -> None:
    """ReplyCharging without attributes says that the reply is paid for."""
    back = soap.read(written(replace(SUBMIT, reply_charging=m.ReplyCharging()), LATE), LATE.namespace)
    assert isinstance(back, m.SubmitReq)
    assert back.reply_charging == m.ReplyCharging()
