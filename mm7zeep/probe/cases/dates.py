"""Role mmsc: ExpiryDate, EarliestDeliveryTime and TimeStamp of MM7_submit (catalogue A7).

An absolute time is written in a zone where the clock says much less, so that whoever leaves out the zone is found.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from mm7zeep import messages as m
from mm7zeep.probe.accept import OK, REF
from mm7zeep.probe.case import Case, case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.matching import about, carries
from mm7zeep.probe.reading import Said
from mm7zeep.probe.stimulus import Stimulus
from mm7zeep.probe.told import delivered, never_retrieved, reported_as, state

FAR_WEST = timezone(-timedelta(hours=11))
_SLACK = 1.0  # seconds that an MMSC may round a time by


def moment(**span: float) -> str:
    """A point in time, so far from now, in a zone in the far west."""
    return (datetime.now(FAR_WEST) + timedelta(**span)).isoformat(timespec="seconds")


def _with(made: Stimulus, name: str, value: str) -> Stimulus:
    """With this element, as XML writes it, before Subject: that is where both dates stand in every schema."""
    return made.before("Subject", f"<{name}>{value}</{name}>")


# --- until when -------------------------------------------------------------------------------------------------------


def _expiring(lab: Lab, value: str) -> Stimulus:
    """A submit that comes back, with this ExpiryDate."""
    return _with(lab.submit(), "ExpiryDate", value)


@case("submit/expiry/relative", "MUST", "8.7.1; XSD", "An ExpiryDate an hour ahead, as a duration, is accepted.")
def relative(lab: Lab) -> None:
    lab.expect(lab.ask(_expiring(lab, "PT1H")), OK)


@case(
    "submit/expiry/absolute",
    "MUST",
    "8.7.1",
    "An ExpiryDate an hour ahead, as a time with a zone, is accepted, and the message arrives.",
)
def absolute(lab: Lab) -> None:
    lab.expect(lab.ask(_expiring(lab, moment(hours=1))), OK)


@case(
    "submit/expiry/no-zone",
    "INFO",
    "XSD",
    "An ExpiryDate without a zone that is ahead in every zone is refused, or accepted, and then the message arrives.",
)
def no_zone(lab: Lab) -> None:
    lab.any(lab.ask(_expiring(lab, (datetime.now(UTC) + timedelta(hours=36)).isoformat("T", "seconds")[:19])))


def _over(id: str, value: str, what: str, *codes: int, moved: bool = False) -> Case:
    """A case about a message that has expired when it comes. ``moved``: ``value`` is the hours from now."""

    @case(
        id,
        "SHOULD",
        "8.7.1",
        f"A message {what} is refused, or accepted and reported as Expired, and never delivered.",
        needs=("numbers.good",),
    )
    def over(lab: Lab) -> None:
        made = lab.submit(to=m.Number(lab.good()), delivery_report=True)
        said = lab.ask(_with_expiry(made, moment(hours=float(value)) if moved else value))
        lab.any(said, OK, REF(*codes))
        never_retrieved(lab, said, f"a message {what}")
        if "reports" not in lab.settings.unsupported:
            reported_as(lab, said, "Expired", f"a message {what}")

    return over


def _with_expiry(made: Stimulus, value: str) -> Stimulus:
    """ExpiryDate stands before DeliveryReport."""
    return made.before("DeliveryReport", f"<ExpiryDate>{value}</ExpiryDate>")


past = _over("submit/expiry/past", "-1", "whose ExpiryDate is over", 2007, 4004, 2000, moved=True)
negative = _over("submit/expiry/negative", "-PT60S", "with a negative ExpiryDate", 2007, 4004)


def _far(name: str, value: str) -> Case:
    @case(
        f"submit/expiry/far/{name}",
        "SHOULD",
        "8.7.1",
        f"The ExpiryDate {value}, beyond all reason, is refused, or accepted, and then the message arrives.",
    )
    def far(lab: Lab) -> None:
        lab.any(lab.ask(_expiring(lab, value)), OK, REF(2007, 4004))

    return far


far = (_far("date", "9038-01-01T00:00:00Z"), _far("duration", "P999999999Y"))


@case(
    "submit/expiry/months",
    "SHOULD",
    "XSD xs:duration",
    "An ExpiryDate of months, days and hours is accepted.",
)
def months(lab: Lab) -> None:
    lab.expect(lab.ask(_expiring(lab, "P1M2DT3H")), OK)


@case("submit/expiry/date-only", "SHOULD", "XSD", "An ExpiryDate without a time of day is refused.")
def date_only(lab: Lab) -> None:
    lab.expect(lab.ask(_expiring(lab, "2030-01-01")), REF(4004, 2007))


def _garbage(name: str, value: str) -> Case:
    @case(
        f"submit/expiry/garbage/{name}",
        "MUST",
        "XSD",
        f"The ExpiryDate {value!r}, neither a time nor a duration, is refused.",
    )
    def garbage(lab: Lab) -> None:
        lab.expect(lab.ask(_expiring(lab, value)), REF(4004, 2007))

    return garbage


garbage = (_garbage("number", "20"), _garbage("word", "tomorrow"))


@case(
    "submit/expiry/before-earliest",
    "INFO",
    "8.7.1",
    "A message that expires before it may be delivered is answered, and never delivered.",
    needs=("numbers.good",),
)
def before_earliest(lab: Lab) -> None:
    made = _with_expiry(lab.submit(to=m.Number(lab.good()), delivery_report=True), "PT1S")
    said = lab.ask(made.before("ExpiryDate", "<EarliestDeliveryTime>PT2S</EarliestDeliveryTime>"))
    lab.any(said)
    never_retrieved(lab, said, "a message that expired before it was due")


# --- from when --------------------------------------------------------------------------------------------------------


def _due(lab: Lab, value: str) -> Stimulus:
    """A submit with this EarliestDeliveryTime: to the own short code where there is one, else to a good number."""
    numbers = lab.settings.numbers
    to = m.ShortCode(numbers.loop) if numbers.loop else m.Number(lab.good())
    made = lab.submit(to=to, delivery_report=True)
    return made.before("DeliveryReport", f"<EarliestDeliveryTime>{value}</EarliestDeliveryTime>")


def _not_yet(lab: Lab, made: Stimulus, said: Said, due: float) -> None:
    """Judged at the end: the message has neither come nor been reported as retrieved before it was due
    (``time.monotonic``); a run may last longer than that.
    """
    first = due - 2 * _SLACK  # it was written in whole seconds, too
    reported = about(said.message_id, "DeliveryReportReq")
    if lab.hears and said.accepted:
        lab.no_call(
            lambda one: (
                one.at < first
                and (
                    (one.operation == "DeliverReq" and carries(one, made))
                    or (reported(one) and state(one) == "Retrieved")
                )
            ),
            "the message, long before its EarliestDeliveryTime,",
            level="SHOULD",
        )


@case(
    "submit/earliest/relative",
    "SHOULD",
    "8.7.1",
    "An EarliestDeliveryTime as a duration is accepted, and the message is not delivered before it, but then.",
    needs=("can.schedule",),
)
def earliest_relative(lab: Lab) -> None:
    made, due = _due(lab, "PT60S"), time.monotonic() + 60
    said = lab.ask(made)
    lab.expect(said, OK)
    _not_yet(lab, made, said, due)
    if not (lab.hears and lab.settings.numbers.loop and lab.settings.window >= 3 + _SLACK):
        return  # the window is too short to see one arrive
    soon, began = _due(lab, "PT3S"), time.monotonic()
    lab.must(lab.ask(soon), OK)

    def look() -> None:
        came = delivered(lab, soon)
        lab.require(bool(came), "a message due in 3 s has not come by the end of the window", level="SHOULD")
        for one in came[:1]:
            took = one.at - began
            lab.require(
                took >= 3 - _SLACK,
                "a message due in 3 s came before",
                expected="3 s",
                actual=f"{took:.1f} s",
                level="SHOULD",
                shown=one,
            )

    lab.later(look)


@case(
    "submit/earliest/absolute",
    "SHOULD",
    "8.7.1",
    "An EarliestDeliveryTime as a time with a zone is accepted, and the message is not delivered before it.",
    needs=("can.schedule",),
)
def earliest_absolute(lab: Lab) -> None:
    made, due = _due(lab, moment(minutes=1)), time.monotonic() + 60
    said = lab.ask(made)
    lab.expect(said, OK)
    _not_yet(lab, made, said, due)


@case(
    "submit/earliest/past",
    "SHOULD",
    "8.7.1",
    "An EarliestDeliveryTime that is over is accepted, and the message is delivered at once.",
    needs=("can.schedule",),
)
def earliest_past(lab: Lab) -> None:
    made = _due(lab, moment(minutes=-2))
    lab.expect(lab.ask(replace(made, looped=bool(lab.settings.numbers.loop))), OK)


@case(
    "submit/earliest/far",
    "INFO",
    "8.7.1",
    "An EarliestDeliveryTime thousands of years ahead is refused, or accepted, and then the message is not delivered.",
    needs=("can.schedule",),
)
def earliest_far(lab: Lab) -> None:
    made = _due(lab, "9038-01-01T00:00:00Z")
    said = lab.ask(made)
    lab.any(said, OK, REF(2007, 3002))
    _not_yet(lab, made, said, math.inf)


# --- of when ----------------------------------------------------------------------------------------------------------


def _stamped(lab: Lab, value: str) -> Stimulus:
    """A submit that comes back, with this TimeStamp."""
    return _with(lab.submit(), "TimeStamp", value)


@case(
    "submit/timestamp/future",
    "INFO",
    "8.7.1",
    "A TimeStamp of tomorrow is refused, or accepted, and then the message arrives now.",
)
def future(lab: Lab) -> None:
    lab.any(lab.ask(_stamped(lab, moment(days=1))))


@case("submit/timestamp/duration", "SHOULD", "XSD xs:dateTime", "A TimeStamp that is a duration is refused.")
def duration(lab: Lab) -> None:
    lab.expect(lab.ask(_stamped(lab, "PT1H")), REF(4004, 2007))
