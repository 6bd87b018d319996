"""Broken MMSCs: what they do with messages that they have taken: change, deliver, report, and call back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from mutants import Break, Mutant, answering, page, patched, refusal, refusing, served, success

from mm7zeep.errors import StatusError
from mm7zeep.gateway.delivery.retry import Outcome
from mm7zeep.status import Status

_REPORTS = "mm7zeep.gateway.delivery.recipients.reports"
_JUDGE = "mm7zeep.gateway.delivery.attempt.judge"
_STATUS_RECALL = "mm7zeep.gateway.mm7.recall.status_of"
_STATUS_REPLACE = "mm7zeep.gateway.mm7.requests.status_of"


def _mutant(
    name: str, what: str, breaks: Break, *found: str, near: tuple[str, ...] = (), window: float = 2.0
) -> Mutant:
    return Mutant(
        name=name, role="mmsc", what=what, breaks=breaks, found_by=frozenset(found), near=near, window=window
    )


# --- changes ----------------------------------------------------------------------------------------------------------


def _forgets(original: Any) -> Any:
    """Says of every cancel what was asked, and takes nothing back."""

    def cancel(self: Any, connection: Any, application: Any, message_id: str, there: Any, now: float) -> Status:
        self.own(connection, application, message_id)
        return Status(1000)

    return cancel


def _always(original: Any) -> Any:
    """Says that a change reached every copy, whether any waited or not."""
    return lambda reached, copies: Status(1000)


def _anybody(original: Any) -> Any:
    """Finds messages whoever owns them."""

    def own(self: Any, connection: Any, application: Any, message_id: str) -> Any:
        from mm7zeep.gateway.store import messages

        message = messages.message(connection, message_id.strip())
        return original(self, connection, SimpleNamespace(name=message.application if message else ""), message_id)

    return own


def _without(*names: str) -> Any:
    """Leaves something of a replace out."""

    def make(original: Any) -> Any:
        def changes(*arguments: Any) -> dict[str, Any]:
            return {name: value for name, value in original(*arguments).items() if name not in names}

        return changes

    return make


def _unknown_taken(operation: str) -> Any:
    """Takes a cancel or a replace of what it does not know."""

    def make(original: Any) -> Any:
        def work(self: Any, call: Any, message_id: str | None, kind: Any) -> Any:
            try:
                return original(self, call, message_id, kind)
            except StatusError as error:
                if error.status.code != 2005 or message_id != "p-was-never-issued":
                    raise
                return kind(status=Status(1000))

        return work

    return make


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


def _reads(**values: Any) -> Any:
    """Says something else in every read reply."""

    def make(original: Any) -> Any:
        def report_of(call: Any, relay_id: str | None) -> Any:
            found = original(call, relay_id)
            return replace(found, **values) if call.kind == "read" else found

        return report_of

    return make


def _versioned(original: Any) -> Any:
    """Writes reports with a version of none of the namespaces."""

    def report_profile(*arguments: Any) -> Any:
        return replace(original(*arguments), mm7_version="4.0.0")

    return report_profile


def _judging(where: Any, verdict: str) -> Break:
    """With another conclusion from the answer of a callback."""

    def make(original: Any) -> Any:
        def judge(error: Exception) -> Outcome:
            found: Outcome = original(error)
            return replace(found, verdict=verdict) if where(error) else found  # type: ignore[arg-type]

        return judge

    return patched(_JUDGE, make)


def _code(code: int) -> Any:
    return lambda error: isinstance(error, StatusError) and error.status.code == code


def _unconvinced(original: Any) -> Any:
    """Makes a report that was taken once more."""

    def call_back(self: Any, call: Any) -> Outcome:
        found: Outcome = original(self, call)
        again = found.verdict == "done" and call.kind == "report" and call.attempts < 2
        return Outcome(verdict="retry", reason="not sure") if again else found

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
    """Answers with an HTML page where more than 24 requests are in hand."""
    import asyncio

    busy = 0

    async def between(one: Any, serve: Any) -> Any:
        nonlocal busy
        busy += 1
        try:
            await asyncio.sleep(0.2)
            return page(500) if busy > 24 else await serve(one)
        finally:
            busy -= 1

    return between


# --- the table --------------------------------------------------------------------------------------------------------

_NEAR = ("cancel/", "replace/")
MUTANTS: tuple[Mutant, ...] = (
    # changes
    _mutant(
        "cancel-nothing", "A cancel is answered 1000, and the message goes its way.",
        patched("mm7zeep.gateway.mm7.recall.Recall.cancel", _forgets),
        "cancel/nothing-after", "cancel/twice", "cancel/delivered", near=_NEAR, window=3.5,
    ),
    _mutant(
        "cancel-too-late", "A cancel that comes too late is answered 1000.", patched(_STATUS_RECALL, _always),
        "cancel/twice", "cancel/delivered", near=_NEAR,
    ),
    _mutant(
        "cancel-unknown", "A cancel of a message that nobody sent is answered 1000.",
        patched("mm7zeep.gateway.mm7.requests.Intake._take_back", _unknown_taken("cancel")), "cancel/unknown-id",
        near=_NEAR,
    ),
    _mutant(
        "change-anybody", "Anybody may cancel and replace the messages of others.",
        patched("mm7zeep.gateway.mm7.recall.Recall.own", _anybody), "cancel/other-vasp", "replace/other-vasp",
        near=_NEAR,
    ),
    _mutant(
        "cancel-nameless", "A cancel without MessageID is answered 1000.",
        answering(lambda one: one.has("<CancelReq") and not one.has("<MessageID>"), success), "cancel/no-id",
        near=_NEAR,
    ),
    _mutant(
        "cancel-charset", "A cancel has to name its charset.",
        answering(lambda one: one.has("<CancelReq") and one.header("content-type") == "text/xml", refusal),
        "cancel/no-charset", near=_NEAR,
    ),
    _mutant(
        "cancel-multipart", "A cancel has to be an envelope alone.",
        answering(lambda one: one.has("<CancelReq") and "multipart" in one.header("content-type"), refusal),
        "cancel/multipart", near=_NEAR,
    ),
    _mutant(
        "cancel-none", "MM7_cancel is not served.", refusing("<CancelReq", lambda one: refusal(one, 4003)),
        "cancel/scheduled", "cancel/twice", "cancel/other-vasp", "cancel/no-charset", "cancel/multipart",
        "cancel/nothing-after", near=_NEAR,
    ),
    _mutant(
        "replace-old-content", "A message that was replaced goes out with its old content.",
        patched("mm7zeep.gateway.mm7.requests._changes", _without("content")), "replace/content-arrives", near=_NEAR,
        window=3.0,
    ),
    _mutant(
        "replace-old-date", "A replace does not change when a message is due.",
        patched("mm7zeep.gateway.mm7.requests._changes", _without("earliest")),
        "replace/content-arrives", "replace/dates-only", near=_NEAR, window=3.0,
    ),
    _mutant(
        "replace-unknown", "A replace of a message that nobody sent is answered 1000.",
        patched("mm7zeep.gateway.mm7.requests.Intake._put_in_place", _unknown_taken("replace")),
        "replace/unknown-id", near=_NEAR,
    ),
    _mutant(
        "replace-in-part", "A replace that reached one of two copies is answered 1000.",
        patched(_STATUS_REPLACE, _always), "replace/one-retrieved", near=_NEAR,
    ),
    _mutant(
        "replace-nameless", "A replace without MessageID is answered 1000.",
        answering(lambda one: one.has("<ReplaceReq") and not one.has("<MessageID>"), success), "replace/no-id",
        near=_NEAR,
    ),
    _mutant(
        "extended-crash", "An extended cancel is answered by an HTML page.",
        refusing("<extendedCancelReq", lambda one: page(500)), "extended-cancel/basic", near=("extended",),
    ),
    # reports
    _mutant(
        "report-unasked", "Reports come though nobody asked for them.", _reports(_unasked), "report/none",
        near=("report/", "submit/boolean"),
    ),
    _mutant(
        "report-doubled", "Every report comes twice.", _reports(_doubled),
        "report/once", "report/no-retry-1000", "report/no-retry-4005", "replace/delivered", "recipients/thousand",
        near=("report/", "submit/recipients/duplicate"),
    ),
    _mutant(
        "report-first", "Only the first recipient is reported on.", _reports(_first),
        "report/per-recipient", near=("report/", "recipients/kinds"),
    ),
    _mutant(
        "report-numbered", "All reports have one TransactionID.", _reports(_numbered), "report/transaction-unique",
        near=("report/",),
    ),
    _mutant(
        "report-expired", "A message that expired is reported as Rejected.", _reports(_as("Expired", "Rejected")),
        "report/expired", near=("report/", "submit/expiry"),
    ),
    _mutant(
        "report-rejected", "A message to a barred recipient is reported as Retrieved.",
        _reports(_as("Rejected", "Retrieved")), "report/rejected", near=("report/",),
    ),
    _mutant(
        "report-forwarded", "A message that left the network is reported as Expired.",
        _reports(_as("Forwarded", "Expired")), "report/forwarded", near=("report/",),
    ),
    _mutant(
        "report-version", "Reports say MM7Version 4.0.0.",
        patched("mm7zeep.gateway.delivery.attempt.reports.report_profile", _versioned), "report/namespace",
        near=("report/",),
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
        "report/no-retry-1000", "report/once", "replace/delivered", "recipients/thousand", near=("report/",),
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
        "crowd", "Where many requests are in hand, an HTML page is answered.", served(_crowded), "throttle/burst",
    ),
)  # fmt: skip
