"""The figures of a run as lines for a terminal, each with its style."""

from __future__ import annotations

from collections.abc import Iterator

from mm7zeep import masking
from mm7zeep.load.charts import seconds
from mm7zeep.load.result import QUANTILES, Result
from mm7zeep.status import Status


def lines(result: Result) -> Iterator[tuple[str, str]]:
    """What is told of a run: the verdict last, where a terminal shows it."""
    tally, plan = result.tally, result.plan
    yield f"{masking.url(plan.url)}: {plan.schedule.rate:g} requests/s for {plan.schedule.duration:g} s", ""
    yield "", ""
    rate = f"{result.rate:,.1f}/s of {result.asked_rate:,.1f}/s that were due"
    yield _row("sent", f"{tally.sent:,} in {result.seconds:.1f} s, {rate}"), ""
    yield _row("answered", f"{tally.answered:,}, succeeded {tally.succeeded:,}, failed {tally.failed:,}"), ""
    yield _row("latency", _figures((name, tally.latency.quantile(share)) for name, share in QUANTILES)
               + f"  max {seconds(tally.latency.max)}"), ""  # fmt: skip
    delays = (("p50", tally.delay.quantile(0.5)), ("p99", tally.delay.quantile(0.99)), ("max", tally.delay.max))
    yield _row("sent late", _figures(iter(delays))), ""
    for (operation, code), count in sorted(tally.codes.items()):
        yield _row(operation, f"{count:,} x {code} {Status(code).text or ''}".rstrip()), "" if code == 1000 else "red"
    for kind, count in tally.errors.most_common():
        if not kind.startswith("MM7 "):
            yield _row("error", f"{count:,} x {kind}"), "red"
    yield from _reports(result)
    yield "", ""
    for one in result.notes:
        yield f"note: {one}", "yellow"
    for one in result.faults:
        yield f"failed: {one}", "bold red"
    if not result.faults:
        yield "ok", "bold green"


def _reports(result: Result) -> Iterator[tuple[str, str]]:
    account = result.account
    if account is None:
        return
    said = (
        f"{account.reported:,} of {account.awaited:,} final, {account.missing:,} missing, {account.doubled:,} doubled"
    )
    yield _row("reports", f"{said}, {account.unknown:,} unknown, {account.interim:,} interim"), ""
    if account.delivered:
        yield _row("delivered", f"{account.delivered:,}, {account.delivered_twice:,} again"), ""
    for example in account.examples:
        yield _row("", example), "red"


def _figures(found: Iterator[tuple[str, float]]) -> str:
    return "  ".join(f"{name} {seconds(value)}" for name, value in found)


def _row(name: str, text: str) -> str:
    return f"  {name:10} {text}"
