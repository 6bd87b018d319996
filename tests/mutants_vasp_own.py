"""Broken VASPs: what becomes of reports, while the application is down, and what they submit themselves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import examined
from breaks import Asked, answering, driven, patched, refusal, refusing, sending, success
from mutants import Mutant, mutant

from mm7zeep import Mm7Error, Retry, StatusError, VaspClient
from mm7zeep.client.outcomes import Submitted

_RETRY = Retry(times=4, first=0.3)


_mutant = partial(mutant, "vasp")


# --- how ours is broken -----------------------------------------------------------------------------------------------


def _swallows_errors(original: Any) -> Any:
    """Registers functions whose failure nobody hears of."""

    def register(self: Any, kind: type[Any], function: Any) -> Any:
        def quiet(message: Any) -> None:
            try:
                function(message)
            except RuntimeError:
                return

        return original(self, kind, quiet)

    return register


def _of_state(word: str) -> Callable[[Asked], bool]:
    return lambda one: one.has(f"<DeliveryReportReq.*<MMStatus>{word}<")


# --- what the VASP's own application does ----------------------------------------------------------------------------


def _submit(url: str, retry: Retry = _RETRY) -> Submitted:
    """Submit as ``examined.submit``. Raises ``Mm7Error``."""
    with VaspClient(url, vaspid="PROBE", vasid="Tests", auth=("vasp", "secret"), retry=retry) as client:
        return client.submit(to="+15550010001", subject="Probe", content="Hello")


def _code(error: Mm7Error) -> int | None:
    return error.status.code if isinstance(error, StatusError) else None


def _retrying(**options: float) -> Callable[[str], int | None]:
    """A VASP that submits with other retries."""

    def submits(url: str) -> int | None:
        try:
            return _submit(url, Retry(**options)).status.code  # type: ignore[arg-type]
        except Mm7Error as error:
            return _code(error)

    return submits


def _again(wants: Callable[[int | None], bool]) -> Callable[[str], int | None]:
    """A VASP that submits once more where it wants to, of what it was told."""

    def submits(url: str) -> int | None:
        told = examined.submit(url)
        return examined.submit(url) if wants(told) else told

    return submits


def _success_of_unknown(url: str) -> int | None:
    told = examined.submit(url)
    return 1000 if told in (2777, 9999) else told


def _blind_to_faults(url: str) -> int | None:
    try:
        return _submit(url).status.code
    except Mm7Error as error:
        return None if error.http_status == 500 else _code(error)


def _in_order(url: str) -> int | None:
    """What a reader would say that finds StatusCode by its place."""
    try:
        answer = _submit(url)
    except Mm7Error as error:
        return _code(error)
    return None if answer.message_id == "probe-turned" else answer.status.code


# --- the table --------------------------------------------------------------------------------------------------------

MUTANTS: tuple[Mutant, ...] = (
    # reports
    _mutant(
        "report-nameless", "A delivery report without MessageID is taken.",
        answering(lambda one: one.has("<DeliveryReportReq") and not one.has("<MessageID>"), success),
        "report/no-message-id", near=("read/no-message-id",),
    ),
    _mutant(
        "read-nameless", "A read reply without MessageID is taken.",
        answering(lambda one: one.has("<ReadReplyReq") and not one.has("<MessageID>"), success),
        "read/no-message-id", near=("report/no-message-id",),
    ),
    _mutant(
        "report-nobody", "A delivery report without Recipient is taken.",
        answering(lambda one: one.has("<DeliveryReportReq") and not one.has("<Recipient>"), success),
        "report/recipient-missing",
    ),
    _mutant(
        "report-word", "A delivery report that says Deferred is refused.",
        answering(_of_state("Deferred"), refusal),
        "report/each-status/Deferred", near=("report/each-status",),
    ),
    _mutant(
        "report-vendor", "A delivery report with a word of nobody's ends the connection.",
        answering(_of_state("Delivered"), lambda one: None), "report/status-unknown", near=("report/each-status",),
    ),
    _mutant(
        "report-extension", "A delivery report with MMStatusExtension is refused.",
        refusing("<MMStatusExtension>", refusal),
        "report/status-extension/recipient", "report/status-extension/other-rs",
    ),
    _mutant(
        "report-date", "A delivery report with TimeStamp is refused in every namespace.",
        refusing("<DeliveryReportReq.*<TimeStamp>", refusal),
        "report/date-or-timestamp/rel6-1-1", "report/date-or-timestamp/rel5-1-4", "report/each-status/Unrecognised",
        "report/each-status/Deferred", near=("report/date-or-timestamp",),
    ),
    _mutant(
        "report-multipart", "A report has to be an envelope alone.",
        answering(lambda one: one.has("<DeliveryReportReq") and "multipart" in one.header("content-type"), refusal),
        "report/multipart",
    ),
    _mutant(
        "report-mail", "A report on a recipient by mail address is refused.",
        refusing("<Recipient><RFC2822Address", refusal), "report/recipient-mail",
    ),
    _mutant(
        "read-word", "A read reply that says Deleted is refused.",
        refusing("<ReadReplyReq.*<MMStatus>Deleted<", refusal), "read/each-status/Deleted", near=("read/",),
    ),
    # the application
    _mutant(
        "down-1000", "1000 is said while the application is down.",
        patched("mm7zeep.receiver.Receiver._register", _swallows_errors), "rsp/status-3000",
    ),
    # what it sends itself
    _mutant(
        "no-retry", "A submit is never sent again.", driven(_retrying(times=0)),
        "client/retry-4006/rsp", "client/retry-4006/fault", "client/retry-503", "client/retry-down",
        near=("client/",),
    ),
    _mutant(
        "retry-for-ever", "A submit is sent again at once, and without end.",
        driven(_retrying(times=40, first=0.01)), "client/retry-bounded", near=("client/retry", "client/no-retry"),
    ),
    _mutant(
        "retry-refused", "A submit that was refused with 2xxx is sent again unchanged.",
        driven(_again(lambda told: told in (2002, 2004))),
        "client/no-retry-2xxx/2004", "client/no-retry-2xxx/2002", near=("client/",),
    ),
    _mutant(
        "unknown-success", "A code that is not in the table is told as success.", driven(_success_of_unknown),
        "client/unknown-code/2777", "client/unknown-code/9999", near=("client/no-retry",),
    ),
    _mutant(
        "fault-unread", "The Fault in an HTTP 500 is not read.", driven(_blind_to_faults), "client/fault-500",
        near=("client/",),
    ),
    _mutant(
        "status-order", "StatusCode is only understood before StatusText.", driven(_in_order), "client/rsp-order",
        near=("client/",),
    ),
    _mutant(
        "lost-renamed", "A submit whose answer was lost is sent again under another TransactionID.",
        driven(_again(lambda told: told is None)), "client/lost-answer", near=("client/",),
    ),
    _mutant(
        "submit-nameless", "Its submits have no TransactionID.",
        sending(r"<((?:\w+:)?TransactionID)[ >].*?</\1>", ""), "client/submit-valid", near=("client/",),
    ),
)  # fmt: skip
