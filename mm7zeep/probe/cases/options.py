"""Role mmsc: the other elements of MM7_submit, and their order (catalogue A7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from mm7zeep import messages as m
from mm7zeep.probe.accept import OK, REF
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.cases.recipients import NEWEST
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.reading import Said
from mm7zeep.probe.results import Level
from mm7zeep.probe.told import delivered, reports

RELEASE_6 = (f"can.ns/{NEWEST}",)
OLDEST = "REL-5-MM7-1-0"
ILL = REF(4004, 2007)


# --- booleans ---------------------------------------------------------------------------------------------------------


def _read_as(lab: Lab, said: Said, wanted: bool, level: Level = "MUST") -> None:
    """Judged at the end: a DeliveryReport that was written oddly did what ``true`` and ``false`` do here.

    A second submit says it plainly, so that a peer without any reports breaks nothing here.
    """
    plain = lab.must(lab.ask(lab.submit(to=m.Number(lab.good()), delivery_report=wanted)), OK)

    def look() -> None:
        odd, known = bool(reports(lab, said)), bool(reports(lab, plain))
        lab.require(
            odd is known or known is not wanted,
            f"DeliveryReport was not read as {str(wanted).lower()}",
            expected="a report" if wanted else "no report",
            actual="a report" if odd else "no report",
            level=level,
            shown=said,
        )

    if lab.hears and said.accepted:
        lab.later(look)


def _boolean(row: str, level: Level, written: str, wanted: bool) -> Case:
    truth = str(wanted).lower()
    allowed = row == "digits"

    @case(
        f"submit/boolean/{row}/{truth}",
        level,
        "XSD xs:boolean",
        f"DeliveryReport {written} is accepted, and means {truth}."
        if allowed
        else f"DeliveryReport {written}, which the schema forbids, is refused, or accepted, and then means {truth}.",
        needs=("numbers.good",),
    )
    def boolean(lab: Lab) -> None:
        made = lab.submit(to=m.Number(lab.good()), delivery_report=wanted)
        said = lab.ask(made.instead("DeliveryReport", f"<DeliveryReport>{written}</DeliveryReport>"))
        if allowed:
            lab.must(said, OK)
        else:
            lab.any(said, OK, ILL)
        _read_as(lab, said, wanted)

    return boolean


booleans = (
    _boolean("digits", "MUST", "1", True),
    _boolean("digits", "MUST", "0", False),
    _boolean("capital", "INFO", "True", True),
    _boolean("capital", "INFO", "False", False),
)


# --- word lists -------------------------------------------------------------------------------------------------------


def _priority(value: str) -> Case:
    @case(
        f"submit/priority/each/{value.lower()}",
        "MUST",
        "8.7.1; 8.7.2",
        f"The Priority {value} is accepted, and a message that arrives with a Priority has this one.",
    )
    def priority(lab: Lab) -> None:
        made = lab.submit(priority=value)
        if not lab.expect(lab.ask(made), OK) or not lab.hears:
            return

        def look() -> None:
            for one in delivered(lab, made):
                got = getattr(one.message, "priority", None)
                lab.require(
                    got in (None, value), "the message arrived with another Priority", expected=value, actual=str(got),
                    shown=one,
                )  # fmt: skip

        lab.later(look)

    return priority


priorities = tuple(_priority(one) for one in ("Normal", "High", "Low"))


@case("submit/priority/illegal", "SHOULD", "XSD", "A Priority that the schema has not is refused.")
def priority_illegal(lab: Lab) -> None:
    made = lab.submit(priority="High")
    lab.expect(lab.ask(made.instead("Priority", "<Priority>Urgent</Priority>")), ILL)


def _accepted(id: str, level: Level, clause: str, requirement: str, **fields: Any) -> Case:
    """A case that these fields are accepted."""

    @case(id, level, clause, requirement)
    def accepted(lab: Lab) -> None:
        lab.expect(lab.ask(lab.submit(**fields)), OK)

    return accepted


classes = tuple(
    _accepted(
        f"submit/class/each/{one.lower()}", "MUST", "8.7.1", f"The MessageClass {one} is accepted.", message_class=one
    )
    for one in ("Personal", "Informational", "Advertisement", "Auto")
)


@case("submit/class/empty", "SHOULD", "XSD default", "An empty MessageClass, which means Informational, is accepted.")
def class_empty(lab: Lab) -> None:
    made = lab.submit(message_class="Personal")
    lab.expect(lab.ask(made.instead("MessageClass", "<MessageClass/>")), OK)


@case("submit/class/illegal", "SHOULD", "XSD", "A MessageClass that the schema has not is refused.")
def class_illegal(lab: Lab) -> None:
    made = lab.submit(message_class="Personal")
    lab.expect(lab.ask(made.instead("MessageClass", "<MessageClass>Spam</MessageClass>")), ILL)


# --- who pays ---------------------------------------------------------------------------------------------------------

_CHARGING = m.ReplyCharging(size=1000, deadline=timedelta(days=1))


@case(
    "submit/reply-charging",
    "SHOULD",
    "8.7.1",
    "ReplyCharging with a size and a deadline is accepted, or refused as a service that is not offered.",
)
def reply_charging(lab: Lab) -> None:
    lab.any(lab.ask(lab.submit(reply_charging=_CHARGING)), OK, REF(2001, 3001, 4007))


@case(
    "submit/reply-charging/text",
    "INFO",
    "XSD empty type",
    "White space in ReplyCharging, which the schema has empty, is refused, or accepted, and then the message arrives.",
)
def reply_charging_text(lab: Lab) -> None:
    made = lab.submit(reply_charging=_CHARGING)
    open_tag = made.element("ReplyCharging").removesuffix("/>").removesuffix("></ReplyCharging>")
    lab.any(lab.ask(made.instead("ReplyCharging", f"{open_tag}>\n </ReplyCharging>")))


def _charged(value: str) -> Case:
    third = value == "ThirdParty"
    needs = (*RELEASE_6, "numbers.good") if third else ()

    @case(
        f"submit/charged-party/each/{value.lower()}",
        "SHOULD",
        "8.7.1",
        f"The ChargedParty {value} is accepted, or refused as a service that is not offered.",
        needs=needs,
    )
    def charged(lab: Lab) -> None:
        given: dict[str, Any] = {"charged_party_id": lab.good(1, NEWEST), "namespace": NEWEST} if third else {}
        lab.any(lab.ask(lab.submit(charged_party=value, **given)), OK, REF(2001, 4007))

    return charged


charged = tuple(_charged(one) for one in ("Sender", "Recipient", "Both", "Neither", "ThirdParty"))


# --- single elements --------------------------------------------------------------------------------------------------

elements = (
    _accepted(
        "submit/distribution-indicator/true", "SHOULD", "XSD",
        "DistributionIndicator true (DistributionProtection where the namespace has that) is accepted.",
        distribution_indicator=True,
    ),
    _accepted(
        "submit/distribution-indicator/false", "SHOULD", "XSD",
        "DistributionIndicator false (DistributionProtection where the namespace has that) is accepted.",
        distribution_indicator=False,
    ),
    _accepted(
        "submit/service-code", "SHOULD", "XSD anyAttribute", "A ServiceCode with an attribute of a vendor is accepted.",
        service_code="gold", service_code_attributes={"{urn:x-vendor}tariff": "1"},
    ),
    _accepted(
        "submit/allow-adaptations/false", "SHOULD", "8.7.1",
        "allowAdaptations false is accepted, and the content arrives as it was.",
        allow_adaptations=False,
    ),
)  # fmt: skip


@case(
    "submit/distribution-indicator/protection",
    "SHOULD",
    "XSD",
    f"DistributionProtection, as {OLDEST} names it, is accepted there.",
    needs=(f"can.ns/{OLDEST}",),
)
def protection(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit(distribution_indicator=True, namespace=OLDEST)), OK)


@case(
    "submit/linked-id/unknown",
    "INFO",
    "8.7.1",
    "A LinkedID that was never issued is accepted, or refused as one that is not found.",
)
def linked_id(lab: Lab) -> None:
    lab.any(lab.ask(lab.submit(linked_id=lab.word())), OK, REF(2006))


# --- what came with release 6 -----------------------------------------------------------------------------------------


@case(
    "submit/rel6/applic-id",
    "SHOULD",
    "8.7.1; 8.7.2",
    "ApplicID, ReplyApplicID and AuxApplicInfo are accepted, and a message that arrives with them has the same;"
    " or they are refused.",
    needs=RELEASE_6,
)
def applic_id(lab: Lab) -> None:
    given: dict[str, Any] = {
        "applic_id": "urn:x-probe:game",
        "reply_applic_id": "urn:x-probe:back",
        "aux_applic_info": "level=2",
    }
    made = lab.submit(namespace=NEWEST, **given)
    lab.any(lab.ask(made), OK, REF(2008, 2009, 3004, 4008))

    def look() -> None:
        for one in delivered(lab, made):
            for name, value in given.items():
                got = getattr(one.message, name, None)
                lab.require(
                    got in (None, value), f"the message arrived with another {name}", expected=value, actual=str(got),
                    shown=one,
                )  # fmt: skip

    if lab.hears:
        lab.later(look)


@case("submit/rel6/content-class", "SHOULD", "XSD", "ContentClass and DRMContent are accepted.", needs=RELEASE_6)
def content_class(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit(content_class="text", drm_content=False, namespace=NEWEST)), OK)


@case("submit/rel6/delivery-condition", "SHOULD", "XSD", "A DeliveryCondition is accepted.", needs=RELEASE_6)
def delivery_condition(lab: Lab) -> None:
    made = lab.submit(delivery_condition=(1,), namespace=NEWEST)
    lab.expect(lab.ask(replace(made, looped=False)), OK)  # whether the condition is met is another matter


# --- order and names --------------------------------------------------------------------------------------------------


@case(
    "submit/order",
    "SHOULD",
    "XSD sequence",
    "A DeliveryReport behind Content is refused, or accepted, and then it counts.",
    needs=("numbers.good",),
)
def order(lab: Lab) -> None:
    made = lab.submit(to=m.Number(lab.good()), delivery_report=True)
    moved = made.without("DeliveryReport").after("Content", "<DeliveryReport>true</DeliveryReport>")
    said = lab.ask(moved)
    lab.any(said, OK, ILL)
    if said.accepted:
        _read_as(lab, said, True, level="SHOULD")


@case("submit/element-twice", "SHOULD", "XSD", "Two Subject elements are refused.")
def element_twice(lab: Lab) -> None:
    lab.expect(lab.ask(lab.submit().after("Subject", "<Subject>Another</Subject>")), ILL)


@case(
    "submit/element-unknown",
    "SHOULD",
    "XSD",
    "An unknown element in the MM7 namespace is refused, or accepted, and then the message arrives.",
)
def element_unknown(lab: Lab) -> None:
    lab.any(lab.ask(lab.submit().before("Subject", "<Colour>red</Colour>")), ILL, OK)


@case(
    "submit/element-case",
    "SHOULD",
    "XSD",
    "LinkedId for LinkedID is refused, or accepted, and then the message arrives.",
)
def element_case(lab: Lab) -> None:
    made = lab.submit(linked_id="l-1")
    lab.any(lab.ask(made.instead("LinkedID", "<LinkedId>l-1</LinkedId>")), ILL, OK, REF(2006))
