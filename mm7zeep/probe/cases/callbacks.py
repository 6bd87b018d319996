"""Role mmsc: what the MMSC then sends to the VASP: reports, read replies, messages (catalogue A10 and its additions).

All are seen at the tool's own callback, which the MMSC has to know as that of the account.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from mm7zeep import messages as m
from mm7zeep.probe.accept import OK, REF, H
from mm7zeep.probe.case import Case, Ended, case
from mm7zeep.probe.cases.changes import issued
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.listener import Arrived, Reply, closes, fault, plain, rsp
from mm7zeep.probe.making import step
from mm7zeep.probe.matching import about, carries
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.probe.told import bare, distinct, recipient, shown, state
from mm7zeep.profiles import NAMESPACES, Profile

REPORTED = ("listen", "numbers.good", "can.reports")
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


# --- which reports come -----------------------------------------------------------------------------------------------


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


# --- what is answered to reports --------------------------------------------------------------------------------------


def told(
    lab: Lab, count: int, *replies: Reply, operation: str = "DeliveryReportReq", **fields: object
) -> list[Arrived]:
    """The attempts to tell of a new message, as soon as there are ``count``, answered by ``replies`` in turn.

    A report may come before the answer to its submit does: it is kept waiting until the MessageID is known.
    """
    known, ids = threading.Event(), list[str]()

    def is_ours(one: Arrived) -> bool:
        return one.operation == operation and known.wait(lab.settings.timeout) and one.message_id in ids

    with lab.answering(is_ours, *replies):
        try:
            ids.append(reported(lab, **fields))
        finally:
            known.set()
        found = lab.calls(about(ids[0], operation), count)
    if not found:
        lab.require(False, f"no {operation} came", level=lab.case.level)
        raise Ended
    return found


def sent_again(lab: Lab, *replies: Reply) -> None:
    """A report that is answered by ``replies`` comes once more than there are of them."""
    found = told(lab, len(replies) + 1, *replies, rsp())
    lab.require(
        len(found) > len(replies),
        "the report was not sent again",
        expected=f"{len(replies) + 1} attempts",
        actual=f"{len(found)} within {lab.settings.patience:g} s",
        level=lab.case.level,
        shown=found[-1],
    )
    said = {(one.message_id, *states([one]), shown(recipient(one))) for one in found}
    lab.require(len(said) == 1, "the later attempt tells something else", level=lab.case.level, shown=found[-1])


def not_again(lab: Lab, reply: Reply) -> None:
    """A report that is answered so does not come again."""
    found = told(lab, 1, reply)[0]

    def look() -> None:
        for one in lab.calls(about(found.message_id, "DeliveryReportReq"), 2, 0)[1:2]:
            lab.require(False, "the report was sent again", level=lab.case.level, shown=one)

    lab.later(look)


def _retry(id: str, what: str, *replies: Reply) -> Case:
    # alone, since a sender may hold the whole callback back for a while once it has failed
    @case(id, "SHOULD", "8.7.8.3 UNSURE", f"A report is sent again where {what}.", needs=REPORTED, alone=True)
    def run(lab: Lab) -> None:
        sent_again(lab, *replies)

    return run


RETRIES = (
    _retry("report/retry-refused", "the connection is closed without an answer", closes),
    _retry("report/retry-503", "the callback answers HTTP 503", plain(503)),
    _retry("report/retry-4006/rsp", "a response says 4006", rsp(4006)),
    _retry("report/retry-4006/fault", "a Fault says 4006", fault(4006)),
)


@case(
    "report/no-retry-4005",
    "SHOULD",
    "8.7.8.3 UNSURE",
    "A report that was answered 4005 (do not send again) is not sent again.",
    needs=REPORTED,
)
def no_retry_4005(lab: Lab) -> None:
    not_again(lab, rsp(4005))


@case("report/no-retry-1000", "MUST", "8.7.4", "A report that was answered 1000 is not sent again.", needs=REPORTED)
def no_retry_1000(lab: Lab) -> None:
    not_again(lab, rsp(1000))


@case(
    "callback/bounded-retries",
    "SHOULD",
    "practice",
    "A report whose callback fails for good does not keep a later read reply back.",
    needs=(*REPORTED, "can.reads"),
    alone=True,
)
def bounded_retries(lab: Lab) -> None:
    known, ids = threading.Event(), list[str]()

    def is_ours(one: Arrived) -> bool:
        return one.operation == "DeliveryReportReq" and known.wait(lab.settings.timeout) and one.message_id in ids

    with lab.answering(is_ours, plain(503)):
        try:
            ids.append(reported(lab, read_reply=True))
        finally:
            known.set()
        lab.call(about(ids[0], "ReadReplyReq"), "read reply behind a report that fails")


# --- read replies -----------------------------------------------------------------------------------------------------


@case(
    "read/read",
    "SHOULD",
    "8.7.5; XSD",
    "Where ReadReply was asked for, reading is told with Read, in a valid request.",
    needs=("listen", "numbers.good", "can.reads"),
)
def read_read(lab: Lab) -> None:
    found = lab.call(about(reported(lab, read_reply=True, delivery_report=None), "ReadReplyReq"), "read reply")
    lab.sound(found)
    lab.require(states([found]) == ["Read"], "the read reply says otherwise", level="SHOULD", shown=found)


@case(
    "read/deleted",
    "SHOULD",
    "8.7.5; XSD",
    "Where ReadReply was asked for, deleting without reading is told with Deleted.",
    needs=("listen", "numbers.unread", "state", "can.reads", "can.reports"),
)
def read_deleted(lab: Lab) -> None:
    number = lab.settings.numbers.unread
    message_id = reported(lab, to=[number], read_reply=True)
    report_on(lab, message_id)
    lab.state(state="deleted", message_id=message_id, recipients=number)
    found = lab.call(about(message_id, "ReadReplyReq"), "read reply")
    lab.sound(found)
    lab.require(states([found]) == ["Deleted"], "the read reply says otherwise", level="SHOULD", shown=found)


@case(
    "read/none",
    "MUST",
    "8.7.1",
    "Without ReadReply no read reply comes.",
    needs=("listen", "numbers.good", "can.reads"),
)
def read_none(lab: Lab) -> None:
    lab.no_call(about(reported(lab, read_reply=False), "ReadReplyReq"), "a read reply that nobody asked for")


@case(
    "read/after-report",
    "SHOULD",
    "8.7.4; 8.7.5",
    "Where both were asked for, the delivery report comes before the read reply.",
    needs=(*REPORTED, "can.reads"),
)
def after_report(lab: Lab) -> None:
    message_id = reported(lab, read_reply=True)
    lab.call(about(message_id, "ReadReplyReq"), "read reply")
    came = [one.operation for one in lab.calls(about(message_id), 2)]
    lab.require(came[:1] == ["DeliveryReportReq"], "the read reply came first", actual=", ".join(came), level="SHOULD")


# --- messages to applications -----------------------------------------------------------------------------------------


@case(
    "callback/older-namespace",
    "MUST",
    "XSD",
    "A message with elements of release 6 reaches a callback in an older namespace as a request that is valid there.",
    needs=("listen", "numbers.older", "can.ns/REL-6-MM7-1-4"),
)
def older_namespace(lab: Lab) -> None:
    sent = lab.submit(
        to=[m.ShortCode(lab.settings.numbers.older)],
        namespace="REL-6-MM7-1-4",
        applic_id="probe.app",
        reply_applic_id="probe.reply",
        aux_applic_info="probe",
        content_class="text",
    )
    found = _arrived(lab, sent)
    lab.sound(found)
    lab.require(set(sent.digests) <= set(found.digests), "its content did not arrive whole", shown=found)


@case(
    "callback/other-application",
    "MUST",
    "8.7.2",
    "A message from one application to another names in its VASPID and VASID nobody but the receiver.",
    needs=("listen", "second", "numbers.loop"),
)
def other_application(lab: Lab) -> None:
    who = lab.settings.account
    sent = lab.submit(account=lab.settings.second, to=[m.ShortCode(lab.settings.numbers.loop)])
    found = _arrived(lab, sent)
    given = getattr(found.message, "vaspid", None), getattr(found.message, "vasid", None)
    lab.require(
        given[0] in (None, who.vaspid) and given[1] in (None, who.vasid),
        "the request names another as its receiver",
        expected=f"{who.vaspid} or nobody",
        actual=str(given),
        shown=found,
    )


def _arrived(lab: Lab, sent: Stimulus) -> Arrived:
    lab.must(lab.ask(sent), OK)
    return lab.call(lambda one: one.operation == "DeliverReq" and carries(one, sent), "MM7_deliver")


@case(
    "throttle/burst",
    "INFO",
    "practice",
    "Of a hundred submits at once, each is accepted or refused for the moment (4006, 429, 503), and none is lost.",
    needs=("numbers.good",),
    alone=True,
)
def burst(lab: Lab) -> None:
    for said in lab.together([lab.submit() for _ in range(100)], 32):
        lab.expect(said, OK, REF(4006, 2001, 3002), H(429, 503), level="MUST")
    lab.alive()
