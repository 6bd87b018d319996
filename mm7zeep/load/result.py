"""What came of a run: the figures, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from mm7zeep import masking
from mm7zeep.load.histogram import Histogram
from mm7zeep.load.ledger import Account
from mm7zeep.load.plan import Plan
from mm7zeep.load.tally import NO_ID, NOT_ASKED, Tally

QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999))
_BUSY = 0.9  # of a processor, from which on the generator measures itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run that has ended, by itself or before its time (``interrupted``)."""

    plan: Plan
    tally: Tally
    began: datetime
    account: Account | None = None
    interrupted: bool = False

    @property
    def seconds(self) -> float:
        """How long requests were sent: the duration, or up to the last of them where that was later or cut short."""
        return max(self.tally.last_sent, 0.0 if self.interrupted else self.plan.schedule.duration) or 1e-9

    @property
    def rate(self) -> float:
        """Requests a second that were sent, on the average."""
        return self.tally.sent / self.seconds

    @property
    def asked_rate(self) -> float:
        """Requests a second that were due, on the average, with the ramp."""
        due = self.tally.sent + self.tally.unsent
        return due / (self.seconds if self.interrupted else self.plan.schedule.duration)

    @property
    def reached(self) -> bool:
        """Whether every request was sent, and none later than was tolerated."""
        return not self.tally.late and not self.tally.unsent

    @property
    def faults(self) -> tuple[str, ...]:
        """What makes the run a failure, one sentence each; none: all is well."""
        return tuple(self._faults())

    def _faults(self) -> Iterator[str]:
        tally, account = self.tally, self.account
        if tally.failed:
            yield f"{tally.failed:,} of {tally.sent:,} requests failed"
        if tally.errors[NO_ID]:
            yield f"{tally.errors[NO_ID]:,} submits were accepted without a MessageID"
        if tally.errors[NOT_ASKED]:
            yield f"{tally.errors[NOT_ASKED]:,} times octets came that no request had asked for"
        if not self.reached:
            yield (
                f"the rate of {self.plan.schedule.rate:g}/s was not reached: {tally.late:,} requests were sent "
                f"more than {self.plan.max_late:g} s late, {tally.unsent:,} not at all"
            )
        if account is None:
            return
        for count, what in (
            (account.missing, f"of {account.awaited:,} final reports did not come"),
            (account.doubled, "final reports came once more than they should"),
            (account.unknown, "recipients were reported that no accepted submit had"),
            (account.given_twice, "submits were answered with the MessageID of another"),
            (account.delivered_twice, "messages from subscribers came again"),
        ):
            if count:
                yield f"{count:,} {what}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What is no failure and still to be known."""
        return tuple(self._notes())

    def _notes(self) -> Iterator[str]:
        tally, account = self.tally, self.account
        if self.interrupted:
            yield f"interrupted after {self.seconds:.1f} s; what was due later was not sent"
        if max(tally.processor, default=0.0) > _BUSY:
            yield "a sender used its whole processor: the figures may be its own limits; give more --processes"
        if tally.overruled:
            yield (
                f"{tally.overruled:,} of {tally.full:,} answers that the full reader judged were not what the scan "
                "took them for; of those that it did not judge, some may be the same: give --every 1"
            )
        if tally.left_waiting:
            yield f"{tally.left_waiting:,} messages made to be cancelled or replaced were not taken back in the end"
        if account is None:
            return
        if account.excused:
            yield f"{account.excused:,} reports are for messages whose submit got no answer, as far as can be known"
        if account.repeated:
            yield f"{account.repeated:,} reports had the TransactionID of one before: the same call made again"
        if account.optional:
            yield f"{account.optional:,} recipients need no report: cancelled, or accepted in part"

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values: seconds, counts; the URL without secrets, no number."""
        plan, tally = self.plan, self.tally
        return {
            "url": masking.url(plan.url),
            "began": self.began.isoformat(timespec="milliseconds"),
            "asked": {
                "rate": plan.schedule.rate,
                "duration": plan.schedule.duration,
                "ramp": plan.schedule.ramp,
                "requests": plan.schedule.total,
                "mix": dict(plan.mix),
                "sizes": {str(size or "text"): weight for size, weight in plan.sizes},
                "recipients": plan.recipients,
                "connections": plan.connections,
                "processes": plan.processes,
                "timeout": plan.timeout,
                "max_late": plan.max_late,
                "seed": plan.seed,
            },
            "ok": not self.faults,
            "faults": list(self.faults),
            "notes": list(self.notes),
            "interrupted": self.interrupted,
            "seconds": round(self.seconds, 3),
            "requests": {
                "sent": tally.sent,
                "answered": tally.answered,
                "succeeded": tally.succeeded,
                "late": tally.late,
                "unsent": tally.unsent,
                "octets": tally.octets,
                "rate": round(self.rate, 2),
            },
            "latency": figures(tally.latency),
            "delay": figures(tally.delay),
            "status_codes": {f"{name} {code}": count for (name, code), count in sorted(tally.codes.items())},
            "errors": dict(tally.errors.most_common()),
            "full_reader": {"judged": tally.full, "overruled": tally.overruled},
            "processor": [round(one, 3) for one in tally.processor],
            "exactly_once": asdict(self.account) | {"broken": self.account.broken} if self.account else None,
            "histogram": [[low, high, count] for low, high, count in tally.latency.buckets()],
            "over_time": [
                {
                    "from": round(number * plan.width, 3),
                    "sent": slot.sent,
                    "answered": slot.answered,
                    "failed": slot.failed,
                    **{name: slot.latency.quantile(share) for name, share in QUANTILES},
                    "max": slot.latency.max,
                }
                for number, slot in sorted(tally.slots.items())
            ],
        }


def figures(histogram: Histogram) -> dict[str, float]:
    """Count, mean, quantiles and the longest, in seconds."""
    found = {name: histogram.quantile(share) for name, share in QUANTILES}
    return {"count": histogram.count, "mean": round(histogram.mean, 6), **found, "max": histogram.max}
