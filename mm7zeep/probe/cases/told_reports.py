"""Role vasp: MM7_delivery_report and MM7_read_reply_report as a VASP has to take them (catalogue, suite B)."""

from __future__ import annotations

from dataclasses import replace

from mm7zeep import messages as m
from mm7zeep.probe.accept import MISSING, OK, REF
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.cases.families import either, taken
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.making import step
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.profiles import NAMESPACES, Profile

_EARLY, _FIRST, _THIRD, _NEWEST = "REL-5-MM7-1-2", "REL-6-MM7-1-1", "REL-6-MM7-1-3", "REL-6-MM7-1-4"
_STATES = {
    **dict.fromkeys(("Expired", "Retrieved", "Rejected", "Indeterminate", "Forwarded"), _EARLY),
    **dict.fromkeys(("Unrecognised", "Deferred"), _FIRST),
    "DeliveryConditionNotMet": _THIRD,
}


def _state(word: str, namespace: str) -> Case:
    return taken(
        f"report/each-status/{word}", "MUST", "8.7.4; XSD", f"A delivery report that says {word} is taken.",
        lambda lab: lab.report(namespace=namespace, mm_status=word), namespace,
    )  # fmt: skip


def _dated(profile: Profile) -> Case:
    schema = profile.schema
    return taken(
        f"report/date-or-timestamp/{step(profile)}", "MUST", "XSD",
        f"A delivery report in {schema} with the date as its schema names it is taken.",
        lambda lab: lab.report(namespace=schema), schema,
    )  # fmt: skip


STATES = tuple(_state(word, namespace) for word, namespace in _STATES.items())
DATES = tuple(_dated(one) for one in NAMESPACES.values())
REPORTS = (
    taken(
        "report/status-extension/recipient", "SHOULD", "XSD REL-6-MM7-1-0",
        "MMStatusExtension RejectionByMMSRecipient is understood.",
        lambda lab: lab.report(
            namespace=_NEWEST, mm_status="Rejected", mm_status_extension="RejectionByMMSRecipient"
        ),
        _NEWEST,
    ),
    taken(
        "report/status-extension/other-rs", "SHOULD", "XSD REL-6-MM7-1-0",
        "MMStatusExtension RejectionByOtherRS is understood.",
        lambda lab: lab.report(namespace=_NEWEST, mm_status="Rejected", mm_status_extension="RejectionByOtherRS"),
        _NEWEST,
    ),
    taken(
        "report/status-text", "SHOULD", "XSD", "StatusText with letters beyond ASCII is understood.",
        lambda lab: lab.report(status_text="Zugestellt \u2714 \u0645"),
    ),
    taken(
        "report/text-xml", "MUST", "SOAP 1.1 6", "A report as text/xml; charset=utf-8 is taken.",
        lambda lab: lab.report(),
    ),
    taken(
        "report/multipart", "SHOULD", "SwA 3", "A report as the one part of a multipart/related is taken.",
        lambda lab: replace(lab.report(), pieces=()), needs=("can.multipart-in-reports",),
    ),
    taken(
        "report/recipient-mail", "SHOULD", "8.7.4", "A report on a recipient by mail address is taken.",
        lambda lab: lab.report(recipient=m.RFC2822Address("+15550010001@mms.example.com")),
    ),
    either(
        "report/unknown-message-id", "SHOULD", "8.7.4",
        "A report on a MessageID that was never issued is taken, or 2005.",
        lambda lab: lab.report(), REF(2005),
    ),
    either(
        "report/status-unknown", "SHOULD", "XSD",
        "A report with MMStatus Delivered, which is none, is taken or refused.",
        lambda lab: lab.report().instead("MMStatus", "<MMStatus>Delivered</MMStatus>"), REF(4004, 2007),
    ),
    either(
        "report/wrong-time-element", "SHOULD", "XSD", "A report with TimeStamp for Date is taken, or refused.",
        lambda lab: _renamed(lab.report(namespace=_EARLY), "Date", "TimeStamp"), REF(4004, 2007),
    ),
)  # fmt: skip


def _renamed(made: Stimulus, old: str, new: str) -> Stimulus:
    return made.instead(old, made.element(old).replace(f"<{old}>", f"<{new}>").replace(f"</{old}>", f"</{new}>"))


@case("report/recipient-missing", "SHOULD", "XSD", "A delivery report without Recipient is refused.", role="vasp")
def recipient_missing(lab: Lab) -> None:
    lab.expect(lab.ask(lab.report().without("Recipient")), REF(4004, 2007))


@case("report/repeat", "SHOULD", "8.7.4", "The same delivery report a second time is taken.", role="vasp")
def repeat(lab: Lab) -> None:
    made = lab.report()
    lab.must(lab.ask(made), OK)
    lab.expect(lab.ask(made), OK)


def _read(word: str) -> Case:
    return taken(
        f"read/each-status/{word}", "MUST", "8.7.5; XSD", f"A read reply that says {word} is taken.",
        lambda lab: lab.read(mm_status=word),
    )  # fmt: skip


READS = (
    *(_read(word) for word in ("Read", "Deleted", "Indeterminate")),
    either(
        "read/status-vendor", "INFO", "XSD",
        "A read reply that says 'Deleted without being read', as some MMSCs write, is taken or refused.",
        lambda lab: lab.read().instead("MMStatus", "<MMStatus>Deleted without being read</MMStatus>"), REF(4004, 2007),
    ),
    either(
        "read/unknown-message-id", "SHOULD", "8.7.5",
        "A read reply on a MessageID that was never issued is taken, or 2005.",
        lambda lab: lab.read(), REF(2005),
    ),
)  # fmt: skip


@case("read/timestamp", "MUST", "XSD", "A read reply with its TimeStamp is taken, in any zone.", role="vasp")
def read_timestamp(lab: Lab) -> None:
    made = lab.read().instead("TimeStamp", "<TimeStamp>2026-03-01T12:00:00.5-03:30</TimeStamp>")
    lab.expect(lab.ask(made), OK)


@case("read/no-message-id", "MUST", "XSD", "A read reply without MessageID is refused.", role="vasp")
def read_no_message_id(lab: Lab) -> None:
    lab.expect(lab.ask(lab.read().without("MessageID")), MISSING, REF(2005))


@case("report/no-message-id", "MUST", "XSD", "A delivery report without MessageID is refused.", role="vasp")
def report_no_message_id(lab: Lab) -> None:
    lab.expect(lab.ask(lab.report().without("MessageID")), MISSING, REF(2005))
