"""The profiles: one per namespace, as its schema has it, and the carriers' built on them."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from mm7zeep import profiles, schema
from mm7zeep.profiles import CARRIERS, GENERIC_6_8_0, NAMESPACE_PREFIX, NAMESPACES, Profile, profile

EVERY = [*NAMESPACES.values(), *CARRIERS.values()]


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_a_profile_says_what_its_schema_has(one: Profile) -> None:
    """Versions, forms and names of elements are those of the schema; what is written is listed."""
    model = schema.model(one.namespace)
    version = model["SubmitReq"].child("MM7Version")
    assert version is not None
    assert set(version.type.values) == set(one.versions)
    assert one.mm7_version in one.versions
    submit, report = model["SubmitReq"], model["DeliveryReportReq"]
    who = submit.child("SenderIdentification")
    address = who.type.child("SenderAddress") if who is not None else None
    assert address is not None
    assert (address.type.content == "elements") is one.typed_sender_address
    assert bool(model["TransactionID"].attributes) is one.transaction_attributes
    assert (model["SubmitRsp"].child("MessageID") is not None) is one.submit_rsp_message_id
    assert (model["DeliverRsp"].child("ServiceCode") is not None) is one.deliver_rsp_service_code
    assert [name for name in ("Date", "TimeStamp") if report.child(name)] == [one.report_date]
    names = ("DistributionProtection", "DistributionIndicator")
    assert [name for name in names if submit.child(name)] == [one.distribution]
    condition = submit.child("DeliveryCondition")
    form = "none" if condition is None else "text" if condition.type.content == "text" else "list"
    assert form == one.delivery_condition
    assert ("extendedCancelReq" in model) is one.extended


def test_every_attribute_is_documented() -> None:
    """The docstring names each field, and nothing that is none but values of one and the function ``profile``."""
    named = set(re.findall(r"``(\w+)``", Profile.__doc__ or ""))
    assert named - {"profile", "auto", "required", "never"} == {one.name for one in fields(Profile)}


def test_the_namespaces() -> None:
    """Ten published ones and the one that was never seen, each under its URI."""
    assert len(NAMESPACES) == 11
    assert all(
        uri == one.namespace == NAMESPACE_PREFIX + one.schema == NAMESPACE_PREFIX + one.name
        for uri, one in NAMESPACES.items()
    )
    assert {one.release for one in NAMESPACES.values()} == {5, 6}
    assert [one.name for one in NAMESPACES.values() if one.alias_of] == ["REL-5-MM7-1-5"]


@pytest.mark.parametrize("one", CARRIERS.values(), ids=lambda one: one.name)
def test_carriers(one: Profile) -> None:
    """A carrier's profile is a bundled namespace with wishes of its own; its reports are in another bundled one."""
    assert one.namespace in NAMESPACES
    assert CARRIERS[one.name] is profile(one.name) is profile(one.name.upper())
    assert one.report_schema is None or NAMESPACE_PREFIX + one.report_schema in NAMESPACES
    assert one.answer_schema is None or NAMESPACE_PREFIX + one.answer_schema in NAMESPACES
    assert not one.split or one.max_recipients == 1
    base = NAMESPACES[one.namespace]
    wishes = (
        "name",
        "mm7_version",
        "prefix",
        "split",
        *(field.name for field in fields(one) if field.name.startswith("max_")),
        "media_types",
        "sources",
        "smil",
        "empty_ack",
        "submit_as_deliver",
        "fault_refusals",
        "fault_status",
        "answer_schema",
        "report_schema",
        "oversize_http",
        "recipients_status",
    )
    assert replace(one, **{name: getattr(base, name) for name in wishes}) == base


def test_looking_one_up() -> None:
    """By carrier, schema or namespace, in any case; none is the generic one; an unknown one names those known."""
    assert profile() is profile(None) is GENERIC_6_8_0
    assert profile("Optus") is profiles.OPTUS
    assert profile("rel-5-mm7-1-3") is profile(NAMESPACE_PREFIX + "REL-5-MM7-1-3") is profiles.REL_5_MM7_1_3
    own = replace(profiles.OPTUS, name="mine")
    assert profile(own) is own
    with pytest.raises(ValueError, match=r"no profile 'nobody'; known are generic-5.3.0, .*optus.*REL-6-MM7-1-4"):
        profile("nobody")


def test_nothing_changes() -> None:
    """Profiles and their tables are constants."""
    with pytest.raises(FrozenInstanceError):
        GENERIC_6_8_0.prefix = "x"  # type: ignore[misc]
    for table in (NAMESPACES, CARRIERS):
        with pytest.raises(TypeError):
            table["x"] = GENERIC_6_8_0  # type: ignore[index]
