"""What the delivery reports on a message say, for cases that judge it when all have come (``Lab.later``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mm7zeep import messages as m
from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.matching import about, carries
from mm7zeep.probe.reading import Said
from mm7zeep.probe.results import Level
from mm7zeep.probe.stimulus import Stimulus

WITHOUT_ID = "REL-5-MM7-1-0"
"""The namespace whose SubmitRsp has no MessageID, so that no report can be told to belong to a submit."""


def named(lab: Lab, said: Said) -> str:
    """The MessageID of what was accepted. Skips the case where the run's namespace has none."""
    if said.message_id is None and lab.profile.schema == WITHOUT_ID:
        lab.skip(f"a SubmitRsp of {WITHOUT_ID} has no MessageID")
    return said.message_id or ""


def reports(lab: Lab, said: Said) -> list[Arrived]:
    """The delivery reports that came so far on the message that was accepted with ``said``, each once."""
    return distinct(lab.calls(about(said.message_id, "DeliveryReportReq"), 1, 0)) if said.accepted else []


def distinct(found: Sequence[Arrived]) -> list[Arrived]:
    """The first of each report: what comes again under its TransactionID on the same recipient is another attempt, as
    after an answer that was late.
    """
    kept: dict[object, Arrived] = {}
    for one in found:
        to = recipient(one)
        kept.setdefault((one.transaction_id, one.message_id, to and to.value), one)
    return list(kept.values())


def on_report(lab: Lab, said: Said, judge: Callable[[Arrived], None]) -> None:
    """Judged at the end: what was accepted is reported, and ``judge`` looks at the first report."""
    named(lab, said)

    def look() -> None:
        found = reports(lab, said)
        lab.require(bool(found), "accepted, and never reported", level=lab.case.level, shown=said)
        for one in found[:1]:
            judge(one)

    if lab.hears:
        lab.later(look)


def state(report: Arrived) -> str:
    """Its MMStatus, or empty."""
    return getattr(report.message, "mm_status", None) or ""


def recipient(report: Arrived) -> m.Address | None:
    """Its Recipient, where there is one that can be read."""
    return getattr(report.message, "recipient", None)


def sender(report: Arrived) -> m.Address | None:
    """Its Sender, where there is one that can be read."""
    return getattr(report.message, "sender", None)


def on(found: Sequence[Arrived], address: m.Address) -> list[Arrived]:
    """Those on one address, however it is written: by its value without a +."""
    return [one for one in found if (to := recipient(one)) is not None and bare(to) == bare(address)]


def bare(address: m.Address) -> str:
    """The value without what different writers add to it."""
    return address.bare.strip().removeprefix("+")


def shown(address: m.Address | None) -> str:
    """Its kind and value, for people, with what is coded of it."""
    if address is None:
        return "none"
    return f"{address.kind} {address.value}" + (f" ({address.coding})" if address.coding else "")


def never_retrieved(lab: Lab, said: Said, what: str, *, level: Level = "SHOULD") -> None:
    """Judged at the end: no report says that this message was retrieved."""

    def look() -> None:
        for one in reports(lab, said):
            lab.require(
                state(one) != "Retrieved",
                f"{what} is reported as Retrieved",
                actual="Retrieved",
                shown=one,
                level=level,
            )

    if lab.hears:
        lab.later(look)


def reported_as(lab: Lab, said: Said, wanted: str, what: str, *, level: Level = "SHOULD") -> None:
    """Judged at the end: what was accepted is reported, in this state."""

    def look() -> None:
        states = [state(one) for one in reports(lab, said)]
        lab.require(
            wanted in states,
            f"{what} is not reported as {wanted}",
            expected=wanted,
            actual=", ".join(states) or "no report",
            level=level,
            shown=said,
        )

    if lab.hears and said.accepted and said.message_id is not None:
        lab.later(look)


def delivered(lab: Lab, made: Stimulus) -> list[Arrived]:
    """The messages that came so far at the own short code and carry what ``made`` did."""
    return lab.calls(lambda one: one.operation == "DeliverReq" and carries(one, made), 1, 0)
