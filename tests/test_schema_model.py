"""The model and the profiles say what the XSDs say, and the WSDL of every namespace works in zeep."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from lxml import etree
from schema_oracle import SCHEMAS, SOAP, XSD, Writer

from mm7zeep import schema
from mm7zeep.profiles import CARRIERS, NAMESPACE_PREFIX, NAMESPACES, SOAP_NAMESPACE, Profile

PROFILES = [pytest.param(one, id=one.schema) for one in NAMESPACES.values()]


# --- the model, against what xmlschema made of the same texts ---------------------------------------------------------


def simple_name(kind: Any) -> str:
    """The name of the built-in type that a simple type of xmlschema rests on."""
    while kind.name is None or not kind.name.startswith(f"{{{XSD}}}"):
        if kind.is_union():
            assert [one.local_name for one in kind.member_types] == ["dateTime", "duration"]
            return "moment"
        kind = kind.base_type
    return str(kind.local_name)


def attributes(kind: Any) -> dict[str, tuple[str, bool]]:
    """The attributes that xmlschema knows for a type."""
    found = {}
    for name, one in kind.attributes.items():
        if name is None:
            assert one.process_contents == "lax"
            assert "##other" in one.namespace
            found["*"] = ("string", False)
        else:
            found[name] = ("string" if name.startswith(SOAP) else simple_name(one.type), one.use == "required")
    return found


def groups(group: Any) -> list[Any]:
    """A model group and all in it, the outer first."""
    return [group, *(one for part in group if hasattr(part, "model") for one in groups(part))]


def check(ours: schema.Type, kind: Any, where: str) -> int:
    """Compare one type and all below it; how many were compared."""
    if kind.is_simple():
        assert ours.content == "text", where
        assert ours.simple == simple_name(kind), where
        assert list(ours.values) == list(kind.enumeration or ()), where
        assert not ours.attributes, where
        return 1
    assert dict(ours.attributes) == attributes(kind), where
    assert not kind.mixed, where
    if kind.has_simple_content():
        assert (ours.content, ours.simple) == ("text", simple_name(kind.content)), where
        assert list(ours.values) == list(kind.content.enumeration or ()), where
        return 1
    parts = list(kind.content.iter_elements())
    if not parts:
        assert (ours.content, ours.children) == ("empty", ()), where
        return 1
    if parts[0].name is None:
        assert len(parts) == 1, where
        assert (parts[0].process_contents, parts[0].min_occurs, parts[0].max_occurs) == ("lax", 0, None), where
        assert (ours.content, ours.children) == ("any", ()), where
        return 1
    assert ours.content == "elements", where
    names = [(one.local_name, one.min_occurs, one.max_occurs) for one in parts]
    assert [(one.name, one.min, one.max) for one in ours.children] == names, where
    assert {one.qualified_name[1:].split("}")[0] for one in parts} == {kind.target_namespace}, where
    found = groups(kind.content)
    models = {one.model for one in found if any(not hasattr(part, "model") for part in one)}
    assert len(models) == 1, where
    assert all(one.model == "sequence" for one in found if one.model not in models), where
    assert (ours.ordered, ours.choice) == ("sequence" in models, "choice" in models), where
    assert ours.repeats is any(one.max_occurs is None for one in found), where
    assert all(one.min_occurs == 1 and one.max_occurs in (1, None) for one in found), where
    return 1 + sum(
        check(one.type, part.type, f"{where}/{one.name}") for one, part in zip(ours.children, parts, strict=True)
    )


@pytest.mark.parametrize("name", SCHEMAS)
def test_model_is_the_schema(name: str) -> None:
    """Children, order, occurrence, attributes, content and enumerations are those of xmlschema's components."""
    namespace = NAMESPACE_PREFIX + name
    model = schema.model(namespace)
    declared = {
        one.local_name: one
        for one in schema.validator(namespace).maps.elements.values()
        if one.target_namespace == namespace
    }
    assert set(model) == set(declared)
    compared = sum(check(model[one], declared[one].type, one) for one in model)
    assert compared > 150
    for one, ours in model.items():
        kind = declared[one].type
        assert ours.name in ("", kind.local_name, f"xsd:{kind.local_name}"), one


def test_model_is_remembered() -> None:
    """The model of a namespace is one object, its mapping read-only, and a type's child is found by name."""
    model = schema.model(NAMESPACE_PREFIX + "REL-6-MM7-1-4")
    assert model is schema.model(NAMESPACE_PREFIX + "REL-6-MM7-1-4")
    with pytest.raises(TypeError):
        model["SubmitReq"] = model["CancelReq"]  # type: ignore[index]
    recipients = model["SubmitReq"].child("Recipients")
    assert recipients is not None
    assert recipients.type.repeats
    assert model["SubmitReq"].child("Recipient") is None


def test_operation_names() -> None:
    """Nineteen global elements, without TransactionID; the extended four are in the newest schema only."""
    assert len(schema.operation_names()) == 18
    assert {"SubmitReq", "extendedReplaceRsp", "RSErrorRsp"} < schema.operation_names()
    with_extended = {name for name in SCHEMAS if "extendedCancelReq" in schema.model(NAMESPACE_PREFIX + name)}
    assert with_extended == {"REL-6-MM7-1-4"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_files_are_schemas(name: str) -> None:
    """The texts pass xmlschema's own check against the schema of schemas, which ``validator`` skips to start sooner."""
    import xmlschema

    text = schema.source(name).replace(' schemaLocation="soap-envelope.xsd"', "")
    soap = schema.load(schema.wsdl_location(NAMESPACE_PREFIX + name).replace("mm7.wsdl", "soap-envelope.xsd")).decode()
    built = xmlschema.XMLSchema10([text, soap], allow="none", base_url="https://mm7zeep.invalid/", use_fallback=False)
    assert built.target_namespace == NAMESPACE_PREFIX + name


def test_broken_file_is_no_schema() -> None:
    """The check of the files does check."""
    import xmlschema

    text = schema.source("REL-5-MM7-1-0")
    broken = text.replace("<xsd:sequence>", "<xsd:sequence nonsense='1'>", 1)
    with pytest.raises(xmlschema.XMLSchemaParseError, match="nonsense"):
        xmlschema.XMLSchema10(broken, allow="none", base_url="https://mm7zeep.invalid/", use_fallback=False)


# --- the model, against tables written apart from the XSDs -----------------------------------------------------------

# Children in order: name, ? optional, * any number, = type (none where it is anonymous), @ schemas (all where none).
VASP = "MM7Version=versionType SenderIdentification=senderIDType"
RELAY = "MM7Version=versionType MMSRelayServerID?=entityIDType"
RESPONSE = "MM7Version=versionType Status=responseStatusType"
APPLICATION = "ApplicID?=string@6/1-4 ReplyApplicID?=string@6/1-4 AuxApplicInfo?=string@6/1-4"
CONTENT_CLASS = "ContentClass?=contentClassType@6/1-4 DRMContent?=boolean@6/1-4"
DISTRIBUTION = "DistributionProtection?=boolean@5/1-0 {} DistributionIndicator?=boolean@5/1-1..6/1-4"
ADDRESS = "Number= RFC2822Address= ShortCode="
TABLE = {
    "SubmitReq": f"{VASP} Recipients=recipientsType ServiceCode?=serviceCodeType LinkedID?=messageIDType "
    "MessageClass?=messageClassType TimeStamp?=dateTime ReplyCharging?= "
    "EarliestDeliveryTime?=relativeOrAbsoluteDateType ExpiryDate?=relativeOrAbsoluteDateType DeliveryReport?=boolean "
    "ReadReply?=boolean Priority?=priorityType Subject?=string "
    f"ChargedParty?=chargedPartyType {DISTRIBUTION.format('ChargedPartyID?=chargedPartyIDType@6/1-0..6/1-4')} "
    f"DeliveryCondition?=string@6/1-3 DeliveryCondition?=deliveryConditionType@6/1-4 {APPLICATION} {CONTENT_CLASS} "
    "Content?=contentReferenceType",
    "SubmitRsp": f"{RESPONSE} MessageID=messageIDType@5/1-1..6/1-4",
    "DeliverReq": f"{RELAY} VASPID?=entityIDType@6/1-4 VASID?=entityIDType@6/1-4 LinkedID?=messageIDType "
    "Sender=addressType Recipients?=recipientsType Previouslysentby?=previouslySentByType@6/1-0..6/1-4 "
    "Previouslysentdateandtime?=previouslySentByDateTime@6/1-0..6/1-4 SenderSPI?=serviceProviderIDType@6/1-0..6/1-4 "
    "RecipientSPI?=serviceProviderIDType@6/1-0..6/1-4 TimeStamp?=dateTime ReplyChargingID=messageIDType@5/1-0..5/1-1 "
    f"ReplyChargingID?=messageIDType@5/1-2..6/1-4 Priority?=priorityType Subject?=string {APPLICATION} "
    "UACapabilities?=capabilitiesType@6/1-4 Content?=contentReferenceType",
    "DeliverRsp": f"{RESPONSE} ServiceCode?=serviceCodeType@5/1-1..6/1-4",
    "CancelReq": f"{VASP} MessageID=messageIDType {APPLICATION}",
    "ReplaceReq": f"{VASP} MessageID=messageIDType ServiceCode?=serviceCodeType TimeStamp?=dateTime ReadReply?=boolean "
    f"EarliestDeliveryTime?=relativeOrAbsoluteDateType {DISTRIBUTION.format('')} {CONTENT_CLASS} {APPLICATION} "
    "Content?=contentReferenceType",
    "DeliveryReportReq": f"{RELAY} MessageID=messageIDType Recipient=addressType Sender=addressType "
    "TimeStamp=dateTime@5/1-4 TimeStamp=dateTime@6/1-1 Date=dateTime@5/1-0..5/1-3 Date=dateTime@5/1-5..6/1-0 "
    "Date=dateTime@6/1-2..6/1-4 MMStatus=mmDeliveryStatusType MMStatusExtension?=MMStatusExtensionType@6/1-0..6/1-4 "
    f"StatusText?=string {APPLICATION} UACapabilities?=capabilitiesType@6/1-4",
    "ReadReplyReq": f"{RELAY} MessageID=messageIDType Recipient=addressType Sender=addressType TimeStamp=dateTime "
    f"MMStatus=mmReadStatusType StatusText?=string {APPLICATION}",
    **dict.fromkeys(
        ("CancelRsp", "ReplaceRsp", "DeliveryReportRsp", "ReadReplyRsp", "RSErrorRsp", "VASPErrorRsp"), RESPONSE
    ),
    "extendedCancelReq": f"{VASP} CancelID=messageIDType",
    "extendedCancelRsp": "MM7Version=versionType Status=extendedcancelresponseStatusType",
    "extendedReplaceReq": "MM7Version=versionType VASPID?=entityIDType VASID?=entityIDType "
    "ServiceCode?=serviceCodeType ReplaceID?=messageIDType TimeStamp?=dateTime "
    "EarliestDeliveryTime?=relativeOrAbsoluteDateType ExpiryDate?=relativeOrAbsoluteDateType ReadReply?=boolean "
    "DeliveryReport?=boolean Content?=contentReferenceType",
    "extendedReplaceRsp": "MM7Version=versionType MessageID=messageIDType Status=extendedcancelresponseStatusType",
    "senderIDType": "VASPID?=entityIDType VASID?=entityIDType SenderAddress?=string@5/1-0..5/1-1 "
    "SenderAddress?=addressType@5/1-2..6/1-4",
    "responseStatusType": "StatusCode= StatusText=statusTextType Details?=anyDataType",
    "extendedcancelresponseStatusType": "StatusCode=",
    "recipientsType": "To=multiAddressType Cc=multiAddressType Bcc=multiAddressType",
    **dict.fromkeys(("addressType", "multiAddressType", "userAgentInfoType"), ADDRESS),
    "previouslySentByType": "UserAgent*=userAgentInfoType",
    "previouslySentByDateTime": "DateTime*=userAgentDateTimeType",
    "deliveryConditionType": "DC*=positiveInteger",
}
OTHER = {
    "responseStatusType": "all",
    "extendedcancelresponseStatusType": "all",
    "recipientsType": "choice repeats",
    "addressType": "choice",
    "userAgentInfoType": "choice",
    "multiAddressType": "choice repeats",
}
STRINGS = ("messageIDType", "entityIDType", "Number", "ShortCode")
SIMPLE = {
    **dict.fromkeys(
        ("statusTextType", "serviceProviderIDType", "chargedPartyIDType", "serviceCodeType", "RFC2822Address"), "string"
    ),
    "relativeOrAbsoluteDateType": "moment",
    "userAgentDateTimeType": "moment",
    "StatusCode": "positiveInteger",
}
REPORTED = "Expired Forwarded Indeterminate Rejected Retrieved"
VALUES = {
    "mmDeliveryStatusType": f"{REPORTED}@5/1-0..6/1-0 {REPORTED} Deferred Unrecognised@6/1-1..6/1-2 "
    f"{REPORTED} Deferred Unrecognised DeliveryConditionNotMet@6/1-3..6/1-4",
    "mmReadStatusType": "Deleted Indeterminate Read@5/1-0..6/1-4",
    "messageClassType": "Advertisement Auto Informational Personal@5/1-0..6/1-4",
    "priorityType": "High Low Normal@5/1-0..6/1-4",
    "chargedPartyType": "Both Neither Recipient Sender@5/1-0..6/1-1 "
    "Both Neither Recipient Sender ThirdParty@6/1-2..6/1-4",
    "MMStatusExtensionType": "RejectionByMMSRecipient RejectionByOtherRS@6/1-0..6/1-4",
    "contentClassType": "text image-basic image-rich video-basic video-rich megapixel content-basic content-rich@6/1-4",
}
ATTRIBUTES = {
    "ReplyCharging": "replyChargingSize=positiveInteger replyDeadline=moment",
    "userAgentInfoType": "sequence=positiveInteger",
    "userAgentDateTimeType": "sequence=positiveInteger",
    "serviceCodeType": "*=string",
    "contentReferenceType": "href!=anyURI allowAdaptations=boolean",
    "capabilitiesType": "UAProf=string TimeStamp=moment",
}


def in_range(spoken: str, name: str) -> bool:
    """Whether ``5/1-2..6/1-4``, or nothing, names the schema REL-5-MM7-1-3."""
    first, _, last = (spoken or "5/1-0..6/1-4").partition("..")
    order = ["{}/1-{}".format(*one.removeprefix("REL-").split("-MM7-1-")) for one in SCHEMAS]
    return order.index(first) <= SCHEMAS.index(name) <= order.index(last or first)


def expected_children(key: str, name: str) -> list[tuple[str, int, int | None, str]]:
    """The children that the table gives for an element or type in a schema."""
    found = []
    for child, occurs, kind, spoken in re.findall(r"(\w+)([?*]?)=(\w*)(?:@(\S+))?", TABLE.get(key, "")):
        if in_range(spoken, name):
            found.append((child, 0 if occurs else 1, None if occurs == "*" else 1, kind))
    return found


def check_table(key: str, ours: schema.Type, name: str) -> set[str]:
    """Compare one element or type of the model, and all below it, with the tables; the keys that were met."""
    assert [
        (one.name, one.min, one.max, one.type.name.removeprefix("xsd:")) for one in ours.children
    ] == expected_children(key, name)
    how = {"all": (False, False, False), "choice": (False, True, False), "choice repeats": (False, True, True)}
    if ours.children:
        assert (ours.ordered, ours.choice, ours.repeats) == how.get(OTHER.get(key, ""), (True, False, False)), key
    attributes = ATTRIBUTES.get(key, "")
    if key in ("Number", "ShortCode", "RFC2822Address"):
        attributes = "displayOnly=boolean" + (" addressCoding=string id=ID" if name >= "REL-6" else "")
    assert {one: (kind, bool(must)) for one, must, kind in re.findall(r"([\w*]+)(!?)=(\w+)", attributes)} == dict(
        ours.attributes
    ), key
    if ours.content == "text":
        plain = ours.name.removeprefix("xsd:") or key
        assert ours.simple == (
            "NMTOKEN" if plain in STRINGS and name < "REL-5-MM7-1-2" else SIMPLE.get(plain, ours.simple)
        ), key
        assert plain in {*STRINGS, *SIMPLE, *VALUES, "versionType"} or ours.name == f"xsd:{ours.simple}", key
        listed = [
            one.split() for one, spoken in re.findall(r"([^@]+)@(\S+)", VALUES.get(plain, "")) if in_range(spoken, name)
        ]
        assert not ours.values or ours.simple == "string", key
        if plain != "versionType":  # in tests/test_schema_versions.py
            assert [set(ours.values)] == [set(one) for one in listed] or (not listed and not ours.values), key
    met = {key}
    for child in ours.children:
        met |= check_table(child.type.name.removeprefix("xsd:") or child.name, child.type, name)
    return met


@pytest.mark.parametrize("name", SCHEMAS)
def test_model_is_the_table(name: str) -> None:
    """Every element and type of the schema is as the tables have it, and there is nothing else."""
    model = schema.model(NAMESPACE_PREFIX + name)
    met: set[str] = set()
    for element, ours in model.items():
        if element != "TransactionID":
            met |= check_table(element, ours, name)
    elements = {one for one in TABLE if one[0].isupper() or one.startswith(("extendedC", "extendedR"))}
    assert {one for one in elements if name == "REL-6-MM7-1-4" or not one.startswith("extended")} == set(model) - {
        "TransactionID"
    }
    transaction = model["TransactionID"]
    assert transaction.simple == ("string" if name >= "REL-5-MM7-1-2" else "NMTOKEN")
    soap = {f"{SOAP}{one}" for one in ("actor", "encodingStyle", "mustUnderstand")}
    assert set(transaction.attributes) == (soap if name >= "REL-5-MM7-1-2" else set())
    if name == "REL-6-MM7-1-4":
        assert met >= {*TABLE, *VALUES, *ATTRIBUTES, *STRINGS, *SIMPLE}


# --- the profiles -----------------------------------------------------------------------------------------------------


def names(model: Any, element: str) -> list[str]:
    """The children of a global element."""
    return [one.name for one in model[element].children]


@pytest.mark.parametrize("profile", PROFILES)
def test_profile_is_the_schema(profile: Profile) -> None:
    """Each constant of a profile is what the schema of its namespace has."""
    model = schema.model(profile.namespace)
    assert schema.profile_of(profile.namespace) is profile
    version = model["SubmitReq"].child("MM7Version")
    sender = model["SubmitReq"].child("SenderIdentification")
    assert version is not None
    assert sender is not None
    address = sender.type.child("SenderAddress")
    assert address is not None
    assert set(profile.versions) == set(version.type.values)
    assert len(profile.versions) == len(version.type.values)
    assert list(profile.versions) == sorted(profile.versions, key=lambda one: [int(part) for part in one.split(".")])
    assert profile.mm7_version == profile.versions[-1]
    assert profile.transaction_attributes is bool(model["TransactionID"].attributes)
    assert profile.typed_sender_address is (address.type.content == "elements")
    assert profile.submit_rsp_message_id is ("MessageID" in names(model, "SubmitRsp"))
    assert profile.deliver_rsp_service_code is ("ServiceCode" in names(model, "DeliverRsp"))
    assert profile.extended is ("extendedCancelReq" in model)
    dates = [name for name in names(model, "DeliveryReportReq") if name in ("Date", "TimeStamp")]
    assert dates == [profile.report_date]
    for request in ("SubmitReq", "ReplaceReq"):
        assert [one for one in names(model, request) if one.startswith("Distribution")] == [profile.distribution]
    condition = model["SubmitReq"].child("DeliveryCondition")
    content = {None: "none", "text": "text", "elements": "list"}[condition.type.content if condition else None]
    assert profile.delivery_condition == content
    assert profile.release == int(profile.schema[4])
    assert profile.report_schema is None


def test_alias_is_what_it_stands_for() -> None:
    """REL-5-MM7-1-5 is REL-5-MM7-1-3 but for its name and two versions; no other profile is an alias."""
    aliases = {one.schema: one.alias_of for one in NAMESPACES.values() if one.alias_of}
    assert aliases == {"REL-5-MM7-1-5": "REL-5-MM7-1-3"}
    lines = schema.source("REL-5-MM7-1-5").replace("REL-5-MM7-1-5", "REL-5-MM7-1-3")
    for version in ("5.8.0", "5.10.0"):
        assert lines.count(f'<xsd:enumeration value="{version}"/>') == 1
        lines = lines.replace(f'<xsd:enumeration value="{version}"/>', "")
    assert lines == schema.source("REL-5-MM7-1-3")


@pytest.mark.parametrize("profile", [pytest.param(one, id=one.name) for one in CARRIERS.values()])
def test_carrier_writes_what_its_schema_lists(profile: Profile) -> None:
    """A carrier's MM7Version is in the list of its schema, and in that of the schema it reports in."""
    bare = NAMESPACES[profile.namespace]
    assert profile.versions == bare.versions
    assert profile.mm7_version in bare.versions
    if profile.report_schema is not None:
        assert profile.mm7_version in NAMESPACES[NAMESPACE_PREFIX + profile.report_schema].versions


@pytest.mark.parametrize("name", SCHEMAS)
def test_defaults(name: str) -> None:
    """Defaults: of elements MessageClass, of attributes displayOnly and, from 6/1-1 on, allowAdaptations."""
    built = schema.validator(NAMESPACE_PREFIX + name)
    namespace = f"{{{NAMESPACE_PREFIX}{name}}}"
    root = etree.fromstring(schema.source(name).encode())
    elements = [
        (one.get("name"), one.get("default")) for one in root.iter(f"{{{XSD}}}element") if "default" in one.attrib
    ]
    assert elements == [("MessageClass", "Informational")]
    submit = built.maps.types[f"{namespace}submitReqType"].content
    assert [one.local_name for one in submit.iter_elements() if one.default is not None] == ["MessageClass"]
    address = list(built.maps.types[f"{namespace}addressType"].content.iter_elements())
    assert [one.type.attributes["displayOnly"].default for one in address] == ["false"] * 3
    content = built.maps.types[f"{namespace}contentReferenceType"].attributes["allowAdaptations"].default
    assert content == ("true" if name >= "REL-6-MM7-1-1" else None)


# --- the WSDL in zeep -------------------------------------------------------------------------------------------------

OPERATIONS = {
    "MmscBinding": {"submit": "Submit", "cancel": "Cancel", "replace": "Replace"},
    "VaspBinding": {"deliver": "Deliver", "deliveryReport": "DeliveryReport", "readReply": "ReadReply"},
}
EXTENDED = {"extendedCancel": "extendedCancel", "extendedReplace": "extendedReplace"}
FAULTS = {"MmscBinding": "RSErrorRsp", "VaspBinding": "VASPErrorRsp"}


def operations(profile: Profile) -> dict[str, tuple[str, Any, str]]:
    """Each operation of a namespace's WSDL: its binding, itself, and how its elements begin."""
    found = {}
    for name, binding in schema.wsdl(profile.namespace).bindings.items():
        expected = OPERATIONS[name.rpartition("}")[2]]
        if profile.extended and "submit" in expected:
            expected = expected | EXTENDED
        assert set(binding._operations) == set(expected)
        found |= {one: (name.rpartition("}")[2], binding.get(one), expected[one]) for one in expected}
    return found


@pytest.mark.parametrize("profile", PROFILES)
def test_wsdl(profile: Profile) -> None:
    """The operations have an empty SOAPAction, the header both ways, the right elements and the right fault."""
    found = operations(profile)
    assert len(found) == (8 if profile.extended else 6)
    prefix = f"{{{profile.namespace}}}"
    for binding, operation, start in found.values():
        assert operation.soapaction == ""
        assert operation.style == "document"
        for message, end in ((operation.input, "Req"), (operation.output, "Rsp")):
            assert message.body.qname.text == f"{prefix}{start}{end}"
            assert [element.qname.text for _, element in message.header.type.elements] == [f"{prefix}TransactionID"]
        assert set(operation.faults) == {FAULTS[binding]}
        [(_, element)] = [(key, part.element) for key, part in operation.faults[FAULTS[binding]].abstract.parts.items()]
        assert element.qname.text == prefix + FAULTS[binding]


def written(message: Any, read: Any) -> etree._Element:
    """What zeep writes of what it read, with mustUnderstand as SOAP 1.1 wants it: zeep writes true."""
    values = {name: read.body[name] for name in read.body}
    envelope = message.serialize(_soapheaders={"TransactionID": read.header.TransactionID}, **values).content
    assert isinstance(envelope, etree._Element)
    for element in envelope.iter("{*}TransactionID"):
        if f"{SOAP}mustUnderstand" in element.attrib:
            element.set(f"{SOAP}mustUnderstand", "1")
    return envelope


def content(envelope: etree._Element) -> list[tuple[str, str]]:
    """Every element of the body with its text."""
    return [(str(one.tag), one.text or "") for one in envelope[1].iter()]


@pytest.mark.parametrize("profile", PROFILES)
def test_four_corners(profile: Profile) -> None:
    """What input and output of every operation read, they write again as it was, valid, without network."""
    writer = Writer(profile.schema, random.Random(profile.schema), plain=True)
    for name, (_, operation, start) in operations(profile).items():
        for message, end in ((operation.input, "Req"), (operation.output, "Rsp")):
            for _ in range(3):
                document = writer.envelope(start + end)
                assert schema.violations(document, profile.namespace) == []
                before = content(document)  # zeep moves what stands in Details into what it writes
                envelope = written(message, message.deserialize(document))
                assert schema.violations(envelope, profile.namespace) == [], name
                assert content(envelope) == before
        assert operation.input.serialize(**SENT[start](profile)).headers == {"SOAPAction": '""'}


def test_must_understand_needs_repair() -> None:
    """As zeep writes it, mustUnderstand is invalid: the reason for setting it by hand."""
    profile = NAMESPACES[NAMESPACE_PREFIX + "REL-6-MM7-1-4"]
    operation = operations(profile)["cancel"][1]
    header = {"TransactionID": {"_value_1": "t", "mustUnderstand": True}}
    envelope = operation.input.serialize(_soapheaders=header, **SENT["Cancel"](profile)).content
    [found] = schema.violations(envelope, profile.namespace)
    assert found.where == "/Envelope/Header/TransactionID"
    assert "mustUnderstand" in found.reason
    envelope[0][0].set(f"{{{SOAP_NAMESPACE}}}mustUnderstand", "1")
    assert schema.violations(envelope, profile.namespace) == []


def test_zeep_forgets_empty_elements() -> None:
    """An empty element without attribute is None to zeep: whether it was there must be seen in the tree."""
    profile = NAMESPACES[NAMESPACE_PREFIX + "REL-6-MM7-1-4"]
    document = Writer(profile.schema, random.Random(1), plain=True).envelope("CancelRsp")
    details = document.find(".//{*}Details")
    assert details is not None
    details.clear()
    assert schema.violations(document, profile.namespace) == []
    assert operations(profile)["cancel"][1].output.deserialize(document).body.Status.Details is None


def _vasp(profile: Profile) -> dict[str, Any]:
    return {"MM7Version": profile.mm7_version, "SenderIdentification": {"VASPID": "v"}}


def _relay(profile: Profile) -> dict[str, Any]:
    return {
        "MM7Version": profile.mm7_version,
        "Sender": {"Number": "1"},
        "Recipient": {"Number": "2"},
        "MessageID": "m",
    }


SENT: dict[str, Any] = {
    "Submit": lambda profile: _vasp(profile) | {"Recipients": {"_value_1": [{"To": {"_value_1": [{"Number": "1"}]}}]}},
    "Cancel": lambda profile: _vasp(profile) | {"MessageID": "m"},
    "Replace": lambda profile: _vasp(profile) | {"MessageID": "m"},
    "extendedCancel": lambda profile: _vasp(profile) | {"CancelID": "c"},
    "extendedReplace": lambda profile: {"MM7Version": profile.mm7_version},
    "Deliver": lambda profile: {"MM7Version": profile.mm7_version, "Sender": {"Number": "1"}, "ReplyChargingID": "r"},
    "DeliveryReport": lambda profile: (
        _relay(profile) | {profile.report_date: "2002-01-02T09:30:47Z", "MMStatus": "Expired"}
    ),
    "ReadReply": lambda profile: _relay(profile) | {"TimeStamp": "2002-01-02T09:30:47Z", "MMStatus": "Read"},
}
