"""Role mmsc: the read replies and the messages that the MMSC sends to the VASP (catalogue A10 and its additions).

All are seen at the tool's own callback, which the MMSC has to know as that of the account.
"""

from __future__ import annotations

from mm7zeep import messages as m
from mm7zeep.probe.accept import OK, REF, H
from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.case import case
from mm7zeep.probe.cases.delivery_reports import REPORTED, report_on, reported, states
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.matching import about, carries
from mm7zeep.probe.stimulus import Stimulus

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
