"""Role mmsc: which delivery reports the MMSC sends to the VASP, and what they say (catalogue A10 and its additions).

All are seen at the tool's own callback, which the MMSC has to know as that of the account.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from mm7zeep.probe.accept import OK, REF
from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.cases.changes import issued
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.making import step
from mm7zeep.probe.matching import about
from mm7zeep.probe.told import bare, distinct, recipient, state
from mm7zeep.profiles import NAMESPACES, Profile

REPORTED = ("listen", "numbers.good", "can.reports")
_RELEASE_6 = "REL-6-MM7-1-4"
_SENT, _BACK = "urn:x-probe:game", "urn:x-probe:back"
_FINAL = ("Retrieved", "Expired", "Rejected", "Forwarded", "Unrecognised", "DeliveryConditionNotMet")


def reported(lab: Lab, **fields: object) -> str:
    """The MessageID of an accepted submit that asks for a delivery report."""
    given: dict[str, object] = {"to": [lab.good()], "delivery_report": True, **fields}
    return issued(lab, lab.must(lab.ask(lab.submit(**given)), OK))  # type: ignore[arg-type]


def report_on(lab: Lab, message_id: str) -> Arrived:
    """The first delivery report on a message."""
    return lab.call(about(message_id, "DeliveryReportReq"), "delivery report")


def states(arrived: Sequence[Arrived]) -> list[str]:
    """The MMStatus of each."""
    return [state(one) for one in arrived]


@case(
    "report/delivered",
    "SHOULD",
    "8.7.4",
    "A retrieved message is reported as Retrieved, with its MessageID, in a valid request.",
    needs=REPORTED,
)
def delivered(lab: Lab) -> None:
    found = report_on(lab, reported(lab))
    lab.sound(found)
    lab.require(
        states([found]) == ["Retrieved"], "the report says otherwise", actual=", ".join(states([found])), level="SHOULD"
    )


@case(
    "report/expired",
    "SHOULD",
    "8.7.4",
    "A message that nobody retrieves before its ExpiryDate is reported as Expired.",
    needs=("listen", "numbers.off", "can.reports"),
)
def expired(lab: Lab) -> None:
    message_id = reported(lab, to=[lab.settings.numbers.off], expiry_date=timedelta(seconds=1))

    def is_final(one: Arrived) -> bool:
        return about(message_id, "DeliveryReportReq")(one) and states([one]) != ["Deferred"]

    found = lab.call(is_final, "report of the expiry")
    lab.sound(found)
    lab.require(
        states([found]) == ["Expired"], "the report says otherwise", actual=", ".join(states([found])), level="SHOULD",
        shown=found,
    )  # fmt: skip


@case(
    "report/rejected",
    "SHOULD",
    "8.7.4",
    "A message to a barred recipient is reported as Rejected, if it was accepted.",
    needs=("listen", "numbers.barred", "can.reports"),
)
def rejected(lab: Lab) -> None:
    said = lab.must(lab.ask(lab.submit(to=[lab.settings.numbers.barred], delivery_report=True)), OK, REF(2001, 2002))
    if not said.accepted:
        return
    found = report_on(lab, issued(lab, said))
    lab.sound(found)
    lab.require(
        states([found]) == ["Rejected"], "the report says otherwise", actual=", ".join(states([found])), level="SHOULD",
        shown=found,
    )  # fmt: skip


@case(
    "report/forwarded",
    "INFO",
    "8.7.4",
    "A message that leaves the network is reported as Forwarded or Indeterminate.",
    needs=("listen", "numbers.forwarded", "can.reports"),
)
def forwarded(lab: Lab) -> None:
    found = report_on(lab, reported(lab, to=[lab.settings.numbers.forwarded]))
    lab.sound(found)
    lab.require(
        states([found])[0] in ("Forwarded", "Indeterminate", "Retrieved"),
        "the report says otherwise",
        actual=", ".join(states([found])),
        level="SHOULD",
        shown=found,
    )


@case("report/per-recipient", "MUST", "8.7.4", "Each of three recipients is reported on.", needs=REPORTED)
def per_recipient(lab: Lab) -> None:
    to = {number.removeprefix("+"): number for number in lab.several(3)}
    if len(to) < 3:
        lab.skip("three numbers are needed (numbers.good)")
    is_about = about(reported(lab, to=list(to.values())), "DeliveryReportReq")

    def names(number: str) -> Callable[[Arrived], bool]:
        return lambda one: is_about(one) and (at := recipient(one)) is not None and bare(at) == number

    named = [number for number in to if lab.calls(names(number))]
    lab.require(
        named == list(to), "not every recipient was reported on", expected=", ".join(to), actual=", ".join(named)
    )


@case("report/none", "MUST", "8.7.1", "Without DeliveryReport, or with false, no report comes.", needs=REPORTED)
def none(lab: Lab) -> None:
    for asked in (False, None):
        message_id = reported(lab, delivery_report=asked)
        lab.no_call(about(message_id, "DeliveryReportReq"), "a report that nobody asked for")


@case("report/once", "SHOULD", "8.7.4", "A recipient gets one final report.", needs=REPORTED)
def once(lab: Lab) -> None:
    message_id = reported(lab)

    def look() -> None:
        found = distinct(lab.calls(about(message_id, "DeliveryReportReq"), 1, 0))
        final = [one for one in found if states([one])[0] in _FINAL]
        for one in final[1:]:
            lab.require(False, f"{len(final)} final reports came", expected="one", shown=one, level="SHOULD")

    lab.later(look)


@case(
    "report/namespace",
    "SHOULD",
    "UNSURE",
    "A report's MM7Version is one of its namespace; where that is not the submit's, it is told.",
    needs=REPORTED,
)
def namespace(lab: Lab) -> None:
    found = report_on(lab, reported(lab))
    given = found.namespace
    version = found.received.mm7_version if found.received is not None else None
    profile = NAMESPACES.get(given)
    lab.require(
        profile is not None and version in profile.versions,
        "the report's MM7Version is none of its namespace",
        actual=f"{version} in {given}",
        level="SHOULD",
        shown=found,
    )
    if given != lab.settings.namespace:
        lab.note(f"the submit was in {lab.settings.namespace}, its report is in {given}", found)


@case("report/transaction-unique", "SHOULD", "8.7.4", "Reports have TransactionIDs of their own.", needs=REPORTED)
def transaction_unique(lab: Lab) -> None:
    ids = [reported(lab) for _ in range(5)]
    found = [report_on(lab, one) for one in ids]
    named = {one.transaction_id for one in found}
    lab.require(
        len(named) == len(found), "reports share a TransactionID", actual=", ".join(sorted(named)), level="SHOULD"
    )


@case(
    "report/applications",
    "SHOULD",
    "8.7.4 UNSURE",
    "A release 6 report is for the application that replies are for, or else for the one that sent; where the two"
    " differ, its ReplyApplicID is the one that sent.",
    needs=(*REPORTED, f"can.ns/{_RELEASE_6}"),
)
def applications(lab: Lab) -> None:
    alone = {"applic_id": _SENT}
    for given, expected in ((alone, (_SENT, None)), ({**alone, "reply_applic_id": _BACK}, (_BACK, _SENT))):
        to = [lab.good(0, _RELEASE_6)]
        said = lab.ask(lab.submit(namespace=_RELEASE_6, to=to, delivery_report=True, **given))  # type: ignore[arg-type]
        lab.must(said, OK, REF(2008, 2009, 3004, 4008))
        if not said.accepted:
            lab.skip("applications are not addressed here")
        found = report_on(lab, issued(lab, said))
        if not found.namespace.endswith(_RELEASE_6):
            lab.skip("reports come in a namespace that has no ApplicID")
        got = tuple(getattr(found.message, name, None) for name in ("applic_id", "reply_applic_id"))
        lab.require(
            got == expected, "the report is for another application", expected=_pair(expected), actual=_pair(got),
            level="SHOULD", shown=found,
        )  # fmt: skip


def _pair(named: Sequence[str | None]) -> str:
    return "ApplicID {}, ReplyApplicID {}".format(*(one or "none" for one in named))


def _in_namespace(profile: Profile) -> Case:
    name = profile.schema

    @case(
        f"report/ten-namespaces/{step(profile)}",
        "MUST",
        "8.7.4; XSD",
        f"A report on a submit in {name} is valid in the namespace that it is written in.",
        needs=(*REPORTED, f"can.ns/{name}"),
    )
    def run(lab: Lab) -> None:
        to = [lab.good(0, name)]
        if profile.submit_rsp_message_id:
            lab.sound(report_on(lab, reported(lab, namespace=name, to=to)))
            return
        lab.must(lab.ask(lab.submit(namespace=name, to=to, delivery_report=True)), OK)
        found = lab.calls(lambda one: one.operation == "DeliveryReportReq" and one.namespace.endswith(name))
        if not found:
            lab.skip("the SubmitRsp of this namespace has no MessageID, and no report came in it by which to know it")
        lab.sound(found[0])

    return run


TEN_NAMESPACES = tuple(_in_namespace(one) for one in NAMESPACES.values())
