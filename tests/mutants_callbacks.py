"""Broken MMSCs: what they report, and what else they send to callbacks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

from breaks import Break, page, patched, sending, served
from mutants import Mutant, mutant

from mm7zeep.errors import StatusError
from mm7zeep.gateway.delivery.retry import Outcome
from mm7zeep.messages import Number, ShortCode
from mm7zeep.profiles import NAMESPACES
from mm7zeep.status import Status

_REPORTS = "mm7zeep.gateway.delivery.recipients.reports"
_JUDGE = "mm7zeep.gateway.delivery.attempt.judge"
_NAMESPACES = tuple(one.schema.replace("REL-", "rel").replace("-MM7", "") for one in NAMESPACES.values())


_mutant = partial(mutant, "mmsc")


# --- reports ----------------------------------------------------------------------------------------------------------


def _reports(make: Any) -> Break:
    """With the reports that are planned on a copy changed: ``make`` gives them, of the original and its arguments."""

    def broken(original: Any) -> Any:
        def reports(settings: Any, message: Any, copy: Any, now: float, **told: Any) -> Iterator[Any]:
            yield from make(original, settings, message, copy, now, told)

        return SimpleNamespace(**{**vars(original), "reports": reports})

    return patched(_REPORTS, broken)


def _unasked(original: Any, settings: Any, message: Any, copy: Any, now: float, told: Any) -> Iterator[Any]:
    yield from original.reports(settings, replace(message, delivery_report=True), copy, now, **told)


def _never(original: Any, settings: Any, message: Any, copy: Any, now: float, told: Any) -> Iterator[Any]:
    yield from ()


def _doubled(original: Any, settings: Any, message: Any, copy: Any, now: float, told: Any) -> Iterator[Any]:
    yield from original.reports(settings, message, copy, now, **told)
    yield from original.reports(settings, message, copy, now, **told)


def _first(original: Any, settings: Any, message: Any, copy: Any, now: float, told: Any) -> Iterator[Any]:
    if copy.n == 0:
        yield from original.reports(settings, message, copy, now, **told)


def _numbered(original: Any, settings: Any, message: Any, copy: Any, now: float, told: Any) -> Iterator[Any]:
    for one in original.reports(settings, message, copy, now, **told):
        yield replace(one, transaction_id="report-1")


def _as(old: str, new: str) -> Any:
    """Tells another state than that which a copy reached."""

    def make(original: Any, settings: Any, message: Any, copy: Any, now: float, told: Any) -> Iterator[Any]:
        copy = replace(copy, state=new) if copy.state == old else copy
        yield from original.reports(settings, message, copy, now, **told)

    return make


def _said(**values: Any) -> Any:
    """Says something else in every report or read reply."""

    def make(original: Any) -> Any:
        return lambda call, relay_id: replace(original(call, relay_id), **values)

    return make


def _numbers(original: Any) -> Any:
    """Makes a Number of every recipient, as if there were no other addresses."""

    def report_of(call: Any, relay_id: str | None) -> Any:
        found = original(call, relay_id)
        return replace(
            found, recipient=Number(found.recipient.value, coding=found.recipient.coding, id=found.recipient.id)
        )

    return report_of


def _for_sender(original: Any) -> Any:
    """Repeats the applications of the submit, as if replies to it were its own."""

    def report_of(call: Any, relay_id: str | None) -> Any:
        found = original(call, relay_id)
        if not found.reply_applic_id:
            return found
        return replace(found, applic_id=found.reply_applic_id, reply_applic_id=found.applic_id)

    return report_of


def _reads(**values: Any) -> Any:
    """Says something else in every read reply."""

    def make(original: Any) -> Any:
        def report_of(call: Any, relay_id: str | None) -> Any:
            found = original(call, relay_id)
            return replace(found, **values) if call.kind == "read" else found

        return report_of

    return make


def _judging(where: Any, verdict: str) -> Break:
    """With another conclusion from the answer of a callback."""

    def make(original: Any) -> Any:
        def judge(error: Exception, table: str | None = None) -> Outcome:
            found: Outcome = original(error, table)
            return replace(found, verdict=verdict) if where(error) else found  # type: ignore[arg-type]

        return judge

    return patched(_JUDGE, make)


def _code(code: int) -> Any:
    return lambda error: isinstance(error, StatusError) and error.status.code == code


def _unconvinced(original: Any) -> Any:
    """Makes a report that was taken once more: one of each message, or a thousand would hold up all others."""
    again: set[str] = set()

    def call_back(self: Any, call: Any) -> Outcome:
        found: Outcome = original(self, call)
        if found.verdict != "done" or call.kind != "report" or call.message_id in again:
            return found
        again.add(call.message_id)
        return Outcome(verdict="retry", reason="not sure")

    return call_back


def _read_first(original: Any) -> Any:
    """Tells of reading before it tells of the retrieval."""

    def at_handset(self: Any, message: Any, copy: Any, handset: Any, now: float) -> Any:
        found = original(self, message, copy, handset, now)
        reads = [one for one in found.calls if one.kind == "read"]
        late = [replace(one, due=one.due + 1.0) if reads else one for one in found.calls if one.kind != "read"]
        found.calls[:] = [*(replace(one, endpoint=one.endpoint) for one in reads), *late]
        return found

    return at_handset


def _read_always(original: Any) -> Any:
    """Tells of reading whether it was asked for or not."""
    return lambda self, message, copy, now, **told: original(self, replace(message, read_reply=True), copy, now, **told)


def _read_never(original: Any) -> Any:
    return lambda self, message, copy, now, **told: []


def _lost_in_older(original: Any) -> Any:
    """Gives a message up that has elements which the callback's namespace has not."""

    def send(self: Any, application: Any, url: str, message: Any, transaction_id: str, profiles: Any) -> Any:
        if application.name == "older" and getattr(message, "applic_id", None):
            raise StatusError(Status(2007, "Message format corrupt"))
        return original(self, application, url, message, transaction_id, profiles)

    return send


def _senders_name(original: Any) -> Any:
    """Leaves in a message to an application what the sender calls itself."""

    def message_of(message: Any, copies: Any, parts: Any, application: Any, relay_id: Any) -> Any:
        made = original(message, copies, parts, application, relay_id)
        return replace(made, vaspid=message.field.get("vaspid"), vasid=message.field.get("vasid"))

    return message_of


def _crowded() -> Any:
    """Answers with an HTML page where more than 24 requests of one length are in hand, as no other case has them."""
    busy: Counter[int] = Counter()

    async def between(one: Any, serve: Any) -> Any:
        busy[len(one.body)] += 1
        try:
            await asyncio.sleep(0.2)
            return page(500) if busy[len(one.body)] > 24 else await serve(one)
        finally:
            busy[len(one.body)] -= 1

    return between


# --- the table --------------------------------------------------------------------------------------------------------

MUTANTS: tuple[Mutant, ...] = (
    # reports
    _mutant(
        "report-unasked", "Reports come though nobody asked for them.", _reports(_unasked), "report/none",
        near=("report/", "submit/boolean"),
    ),
    _mutant(
        "report-doubled", "Every report comes twice.", _reports(_doubled),
        "report/once", "report/no-retry-1000", "report/no-retry-4005", "replace/delivered", "recipients/thousand",
        "submit/recipients/duplicate", "txid/repeated-request", near=("report/",),
    ),
    _mutant(
        "report-first", "Only the first recipient is reported on.", _reports(_first),
        "report/per-recipient", "recipients/kinds-by-place/to", "recipients/kinds-by-place/cc",
        "recipients/kinds-by-place/bcc", "recipients/thousand", "submit/address/partial", near=("report/",),
    ),
    _mutant(
        "report-numbered", "All reports have one TransactionID.", _reports(_numbered), "report/transaction-unique",
        near=("report/",),
    ),
    _mutant(
        "report-expired", "A message that expired is reported as Rejected.", _reports(_as("Expired", "Rejected")),
        "report/expired", "submit/expiry/past", "submit/expiry/negative", near=("report/", "submit/expiry"),
    ),
    _mutant(
        "report-rejected", "A message to a barred recipient is reported as Retrieved.",
        _reports(_as("Rejected", "Retrieved")),
        "report/rejected", "submit/address/unknown", "submit/address/partial", near=("report/",),
    ),
    _mutant(
        "report-forwarded", "A message that left the network is reported as Expired.",
        _reports(_as("Forwarded", "Expired")), "report/forwarded", near=("report/",),
    ),
    _mutant(
        "report-version", "Reports say MM7Version 4.8.0.",
        sending(r"(<(\w+:)?DeliveryReportReq[^>]*>\s*<(?:\w+:)?MM7Version>)\d", r"\g<1>4"), "report/namespace",
        "report/delivered", "report/expired", "report/rejected", "report/forwarded",
        *(f"report/ten-namespaces/{short}" for short in _NAMESPACES),
        near=("report/",),
    ),
    _mutant(
        "report-sender", "Reports name the sender as short code 7778, whatever the submit said.",
        patched("mm7zeep.gateway.delivery.attempt.reports.report_of", _said(sender=ShortCode("7778"))),
        "report/sender-kind/number", "report/sender-kind/mail", "report/sender-kind/shortcode", "report/per-sender",
        near=("report/",),
    ),
    _mutant(
        "report-recipient", "Reports name every recipient as a Number.",
        patched("mm7zeep.gateway.delivery.attempt.reports.report_of", _numbers),
        "report/recipient-kind/mail", "report/recipient-kind/shortcode", "recipients/kinds-by-place/to",
        "recipients/kinds-by-place/cc", "recipients/kinds-by-place/bcc", near=("report/recipient-kind",),
    ),
    _mutant(
        "report-applications", "Reports repeat ApplicID and ReplyApplicID of the submit.",
        patched("mm7zeep.gateway.delivery.attempt.reports.report_of", _for_sender), "report/applications",
        near=("report/", "submit/rel6/applic-id"),
    ),
    _mutant(
        "report-not-again", "A report that was answered 4006 is not sent again.", _judging(_code(4006), "dead"),
        "report/retry-4006/rsp", "report/retry-4006/fault", near=("report/retry", "report/no-retry"),
    ),
    _mutant(
        "report-503", "A report that was answered HTTP 503 is not sent again.",
        _judging(lambda error: getattr(error, "http_status", None) == 503, "dead"), "report/retry-503",
        near=("report/retry", "callback/bounded"),
    ),
    _mutant(
        "report-lost-answer", "A report whose connection was closed is not sent again.",
        _judging(lambda error: getattr(error, "http_status", 0) is None, "dead"), "report/retry-refused",
        near=("report/retry",),
    ),
    _mutant(
        "report-4005", "A report that was answered 4005 is sent again.", _judging(_code(4005), "retry"),
        "report/no-retry-4005", near=("report/no-retry", "report/retry"),
    ),
    _mutant(
        "report-1000", "A report that was answered 1000 is sent again.",
        patched("mm7zeep.gateway.delivery.attempt.Caller._call_back", _unconvinced),
        "report/no-retry-1000", near=("report/", "replace/delivered"),
    ),
    # read replies
    _mutant(
        "read-first", "The read reply comes before the delivery report.",
        patched("mm7zeep.gateway.delivery.recipients.Network._at_handset", _read_first), "read/after-report",
        near=("read/",), window=3.0,
    ),
    _mutant(
        "read-unasked", "Read replies come though nobody asked for them.",
        patched("mm7zeep.gateway.delivery.recipients.Network.reads", _read_always), "read/none", near=("read/",),
    ),
    _mutant(
        "read-never", "Read replies never come.",
        patched("mm7zeep.gateway.delivery.recipients.Network.reads", _read_never),
        "read/read", "read/deleted", "read/after-report", "callback/bounded-retries", near=("read/",),
    ),
    _mutant(
        "read-deleted", "A message that was deleted unread is told as Read.",
        patched("mm7zeep.gateway.delivery.attempt.reports.report_of", _reads(mm_status="Read")), "read/deleted",
        near=("read/",),
    ),
    # messages to applications
    _mutant(
        "mo-lost-older", "A message with elements of release 6 is lost on its way to an older callback.",
        patched("mm7zeep.gateway.delivery.attempt.Caller._send", _lost_in_older), "callback/older-namespace",
        near=("callback/",),
    ),
    _mutant(
        "mo-senders-name", "A message to another application names the sender's VASPID.",
        patched("mm7zeep.gateway.delivery.attempt.mo.message_of", _senders_name), "callback/other-application",
        near=("callback/",),
    ),
    _mutant(
        "crowd", "Where many requests of one kind are in hand, an HTML page is answered.", served(_crowded),
        "throttle/burst",
    ),
)  # fmt: skip
