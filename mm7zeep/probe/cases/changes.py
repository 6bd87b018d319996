"""Role mmsc: MM7_cancel, MM7_replace and the extended operations (catalogue A9, and what was added to it)."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil

from mm7zeep import messages as m
from mm7zeep.probe.accept import MISSING, OK, PARTIAL, REF, Outcome
from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.case import Ended, case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.making import text_part
from mm7zeep.probe.matching import about, carries
from mm7zeep.probe.reading import Said
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.probe.told import distinct

_UNKNOWN = "p-was-never-issued"
_OTHERS = (REF(4007, 4001, 2001, 2005),)  # what becomes of another VASP's message
_GONE = (REF(3001, 2005),)  # it was delivered, or cancelled, before
_NOT_THERE = REF(4003, 4004)  # the operation is not served


def later(**span: float) -> datetime:
    """A moment so far from now, to the second."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(**span)


def scheduled(lab: Lab) -> tuple[Stimulus, str]:
    """A message that is due tomorrow, and its MessageID. Ends the case where it is not accepted."""
    sent = lab.submit(earliest_delivery_time=later(days=1))
    return sent, issued(lab, lab.must(lab.ask(sent), OK))


def issued(lab: Lab, said: Said) -> str:
    """The MessageID of an accepted submit. Ends the case where there is none (``submit/minimal`` judges that)."""
    if not said.message_id:
        lab.note("the submit was accepted without a MessageID, so nothing can be asked of it", said)
        raise Ended
    return said.message_id


def served(lab: Lab, feature: str) -> tuple[Outcome, ...]:
    """Success, or, of what is declared as not supported, that it is refused as such (TS 23.140 8.7.3)."""
    return (_NOT_THERE,) if feature in lab.settings.unsupported else (OK,)


# --- MM7_cancel -------------------------------------------------------------------------------------------------------


@case("cancel/scheduled", "MUST", "8.7.3", "A message that is not due yet can be cancelled.", needs=("can.schedule",))
def cancel_scheduled(lab: Lab) -> None:
    _, message_id = scheduled(lab)
    lab.expect(lab.ask(lab.cancel(message_id)), *served(lab, "cancel"))


@case(
    "cancel/unknown-id",
    "MUST",
    "8.7.3",
    "A cancel of a MessageID that was never issued is refused.",
    needs=("can.cancel",),
)
def cancel_unknown(lab: Lab) -> None:
    lab.expect(lab.ask(lab.cancel(_UNKNOWN)), REF(2005))


@case(
    "cancel/twice",
    "SHOULD",
    "8.7.3",
    "A second cancel of the same message is refused.",
    needs=("can.cancel", "can.schedule"),
)
def cancel_twice(lab: Lab) -> None:
    _, message_id = scheduled(lab)
    lab.must(lab.ask(lab.cancel(message_id)), OK)
    lab.expect(lab.ask(lab.cancel(message_id)), *_GONE)


@case(
    "cancel/delivered",
    "SHOULD",
    "8.7.3",
    "A cancel of a message that was retrieved is refused.",
    needs=("can.cancel", "listen", "numbers.good", "can.reports"),
)
def cancel_delivered(lab: Lab) -> None:
    lab.expect(lab.ask(lab.cancel(retrieved(lab))), *_GONE)


def retrieved(lab: Lab) -> str:
    """The MessageID of a message that was retrieved, by the report that says so."""
    said = lab.must(lab.ask(lab.submit(to=[lab.good()], delivery_report=True)), OK)
    lab.call(about(issued(lab, said), "DeliveryReportReq"), "delivery report", level="SHOULD")
    return issued(lab, said)


def in_state(lab: Lab, state: str) -> str:
    """The MessageID of a message that the driver brought into a state: ``notified``, to a recipient that is off, or
    ``partly-delivered``, to that one and to one that has it.
    """
    to = [lab.settings.numbers.off, *([lab.good()] if state == "partly-delivered" else [])]
    message_id = issued(lab, lab.must(lab.ask(lab.submit(to=to)), OK))
    lab.state(state=state, message_id=message_id, recipients=" ".join(to))
    return message_id


@case(
    "cancel/notified",
    "INFO",
    "8.7.3",
    "A cancel between notification and retrieval succeeds, or is refused as too late.",
    needs=("can.cancel", "state", "numbers.off", "numbers.good"),
)
def cancel_notified(lab: Lab) -> None:
    lab.any(lab.ask(lab.cancel(in_state(lab, "notified"))), OK, REF(3001))


@case(
    "cancel/partly-delivered",
    "INFO",
    "8.7.3",
    "A cancel after one of two recipients has the message succeeds in full or in part, or is refused as too late.",
    needs=("can.cancel", "state", "numbers.off", "numbers.good"),
)
def cancel_partly(lab: Lab) -> None:
    lab.any(lab.ask(lab.cancel(in_state(lab, "partly-delivered"))), OK, PARTIAL, REF(3001))


@case(
    "cancel/other-vasp",
    "MUST",
    "8.7.3",
    "A cancel of another VASP's message is refused, and the message stays.",
    needs=("can.cancel", "second", "can.schedule"),
)
def cancel_other(lab: Lab) -> None:
    _, message_id = scheduled(lab)
    lab.must(lab.ask(lab.cancel(message_id, account=lab.settings.second)), *_OTHERS)
    said = lab.ask(lab.cancel(message_id))
    lab.require(said.accepted, "its owner cannot cancel it after another VASP tried", actual=said.summary, shown=said)


@case("cancel/no-id", "MUST", "XSD", "A cancel without MessageID is refused.", needs=("can.cancel",))
def cancel_no_id(lab: Lab) -> None:
    lab.expect(lab.ask(lab.cancel(_UNKNOWN).without("MessageID")), REF(4004, 2005, 2007, 2000))


@case(
    "cancel/no-charset",
    "SHOULD",
    "RFC 7303 8.1",
    "A cancel as text/xml without a charset is served.",
    needs=("can.cancel", "can.schedule"),
)
def cancel_no_charset(lab: Lab) -> None:
    _, message_id = scheduled(lab)
    lab.expect(lab.ask(lab.cancel(message_id).labelled("text/xml")), OK)


@case(
    "cancel/multipart",
    "SHOULD",
    "SwA 3",
    "A cancel as the one part of a multipart/related is served.",
    needs=("can.cancel", "can.schedule", "can.multipart-in-reports"),
)
def cancel_multipart(lab: Lab) -> None:
    _, message_id = scheduled(lab)
    lab.expect(lab.ask(replace(lab.cancel(message_id), pieces=())), OK)


@case(
    "cancel/nothing-after",
    "MUST",
    "8.7.3",
    "Nothing of a message that was cancelled before it was due arrives.",
    needs=("can.cancel", "can.schedule", "listen", "numbers.loop"),
)
def cancel_nothing_after(lab: Lab) -> None:
    wait = timedelta(seconds=max(ceil(lab.settings.window), 2))
    began = time.monotonic()
    sent = lab.submit(to=[m.ShortCode(lab.settings.numbers.loop)], earliest_delivery_time=wait)
    message_id = issued(lab, lab.must(lab.ask(sent), OK))
    said = lab.ask(lab.cancel(message_id))
    if said.refused and time.monotonic() - began >= wait.total_seconds():
        lab.skip(f"the cancel could not be asked within {wait.total_seconds():g} s, when the message was due")
    lab.must(said, OK)
    over = time.monotonic() + wait.total_seconds() + lab.settings.window  # it would be due before, by anybody's clock
    lab.no_call(lambda one: one.operation == "DeliverReq" and carries(one, sent), "the cancelled message", until=over)


# --- MM7_replace ------------------------------------------------------------------------------------------------------


@case(
    "replace/scheduled",
    "MUST",
    "8.7.3",
    "Content and date of a message that is not due yet can be replaced.",
    needs=("can.schedule",),
)
def replace_scheduled(lab: Lab) -> None:
    _, message_id = scheduled(lab)
    changed = lab.replacement(message_id, earliest_delivery_time=later(days=2))
    lab.expect(lab.ask(changed), *served(lab, "replace"))


@case(
    "replace/dates-only",
    "SHOULD",
    "8.7.3; XSD",
    "A replace without Content changes the dates alone.",
    needs=("can.replace", "can.schedule", "listen", "numbers.loop"),
)
def replace_dates(lab: Lab) -> None:
    sent = lab.submit(to=[m.ShortCode(lab.settings.numbers.loop)], earliest_delivery_time=later(days=1))
    message_id = issued(lab, lab.must(lab.ask(sent), OK))
    lab.must(lab.ask(lab.replacement(message_id, parts=(), earliest_delivery_time=timedelta(seconds=1))), OK)
    arrived = lab.call(lambda one: one.operation == "DeliverReq" and carries(one, sent), "message at its new date")
    lab.require(
        set(sent.digests) <= set(arrived.digests),
        "the content changed, though the replace had none",
        level="SHOULD",
        shown=arrived,
    )


@case(
    "replace/content-arrives",
    "MUST",
    "8.7.3",
    "What arrives of a message that was replaced before it was due is the new content, whole.",
    needs=("can.replace", "can.schedule", "listen", "numbers.loop"),
)
def replace_arrives(lab: Lab) -> None:
    sent = lab.submit(to=[m.ShortCode(lab.settings.numbers.loop)], earliest_delivery_time=later(days=1))
    message_id = issued(lab, lab.must(lab.ask(sent), OK))
    new = lab.replacement(
        message_id,
        parts=[text_part(f"The new text: {lab.word()}"), m.Part(body=b"GIF89a\r\n--new\x00", content_type="image/gif")],
        earliest_delivery_time=timedelta(seconds=1),
    )
    lab.must(lab.ask(new), OK)

    def is_it(one: Arrived) -> bool:
        return one.operation == "DeliverReq" and (sent.mark in one.subject or carries(one, new) or carries(one, sent))

    arrived = lab.call(is_it, "message at its new date")
    lab.require(set(new.digests) <= set(arrived.digests), "the new content did not arrive whole", shown=arrived)
    lab.require(not set(sent.digests) & set(arrived.digests), "the old content arrived", shown=arrived)


@case(
    "replace/unknown-id",
    "MUST",
    "8.7.3",
    "A replace of a MessageID that was never issued is refused.",
    needs=("can.replace",),
)
def replace_unknown(lab: Lab) -> None:
    lab.expect(lab.ask(lab.replacement(_UNKNOWN)), REF(2005))


@case(
    "replace/delivered",
    "INFO",
    "8.7.3",
    "A replace of a message that was retrieved is refused, or succeeds; nobody gets a second message by it.",
    needs=("can.replace", "listen", "numbers.good", "can.reports"),
)
def replace_delivered(lab: Lab) -> None:
    message_id = retrieved(lab)
    lab.any(lab.ask(lab.replacement(message_id)), OK, REF(3001, 2005))

    def look() -> None:
        told = distinct(lab.calls(about(message_id, "DeliveryReportReq"), 2, 0))
        if len(told) > 1:
            lab.require(False, "a second report came for a message that was retrieved", shown=told[1])

    lab.later(look)


@case(
    "replace/notified",
    "INFO",
    "8.7.3",
    "A replace between notification and retrieval succeeds, or is refused as too late.",
    needs=("can.replace", "state", "numbers.off", "numbers.good"),
)
def replace_notified(lab: Lab) -> None:
    lab.any(lab.ask(lab.replacement(in_state(lab, "notified"))), OK, REF(3001))


@case(
    "replace/one-retrieved",
    "SHOULD",
    "8.7.3",
    "A replace after one of two recipients has the message succeeds in part, or is refused as too late.",
    needs=("can.replace", "state", "numbers.off", "numbers.good"),
)
def replace_one_retrieved(lab: Lab) -> None:
    message_id = in_state(lab, "partly-delivered")
    lab.expect(lab.ask(lab.replacement(message_id)), PARTIAL, REF(3001))


@case(
    "replace/other-vasp",
    "MUST",
    "8.7.3",
    "A replace of another VASP's message is refused.",
    needs=("can.replace", "second", "can.schedule"),
)
def replace_other(lab: Lab) -> None:
    _, message_id = scheduled(lab)
    lab.expect(lab.ask(lab.replacement(message_id, account=lab.settings.second)), *_OTHERS)


@case(
    "replace/recipients",
    "SHOULD",
    "XSD",
    "A replace with Recipients, which the schema has not, is refused, or served, and so is what follows.",
    needs=("can.replace", "can.schedule"),
)
def replace_recipients(lab: Lab) -> None:
    _, message_id = scheduled(lab)
    added = f"<Recipients><To><Number>{lab.good(1)}</Number></To></Recipients>"
    said = lab.ask(lab.replacement(message_id).after("MessageID", added))
    lab.any(said, OK, REF(4004, 2007))


# --- the extended operations ------------------------------------------------------------------------------------------


@case(
    "extended-cancel/basic",
    "INFO",
    "8.7.5A",
    "extendedCancelReq is served, or refused as an operation that is not.",
    needs=("can.ns/REL-6-MM7-1-4",),
)
def extended_cancel(lab: Lab) -> None:
    who = lab.settings.account
    message = m.ExtendedCancelReq(vaspid=who.vaspid, vasid=who.vasid, cancel_id="probe-series")
    said = lab.ask(lab.of(message, namespace="REL-6-MM7-1-4"))
    lab.any(said, OK, REF(4003, 4004, 2005))


@case(
    "extended-replace/basic",
    "INFO",
    "8.7.5A",
    "extendedReplaceReq is served, or refused as an operation that is not.",
    needs=("can.ns/REL-6-MM7-1-4",),
)
def extended_replace(lab: Lab) -> None:
    who = lab.settings.account
    message = m.ExtendedReplaceReq(vaspid=who.vaspid, vasid=who.vasid, replace_id="probe-series")
    said = lab.ask(lab.of(message, [text_part("Replaced")], namespace="REL-6-MM7-1-4"))
    lab.any(said, OK, REF(4003, 4004, 2005))


@case("replace/no-id", "MUST", "XSD", "A replace without MessageID is refused.", needs=("can.replace",))
def replace_no_id(lab: Lab) -> None:
    lab.expect(lab.ask(lab.replacement(_UNKNOWN).without("MessageID")), MISSING, REF(2005))
