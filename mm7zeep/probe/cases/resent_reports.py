"""Role mmsc: which delivery reports come once more, by what the callback answered (catalogue A10 and its additions).

All are seen at the tool's own callback, which the MMSC has to know as that of the account.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.case import Case, Ended, case
from mm7zeep.probe.cases.delivery_reports import REPORTED, reported, states
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.matching import about
from mm7zeep.probe.replies import Reply, closes, fault, plain, rsp
from mm7zeep.probe.told import recipient, shown


@contextmanager
def answered(lab: Lab, *replies: Reply, operation: str = "DeliveryReportReq", **fields: object) -> Iterator[str]:
    """A new message, by its MessageID; while the context lasts, its reports are answered by ``replies`` in turn.

    A report may come before the answer to its submit does: it is kept waiting until the MessageID is known.
    """
    known, ids = threading.Event(), list[str]()

    def is_ours(one: Arrived) -> bool:
        return one.operation == operation and known.wait(lab.settings.timeout) and one.message_id in ids

    with lab.answering(is_ours, *replies):
        try:
            ids.append(reported(lab, **fields))
        finally:
            known.set()
        yield ids[0]


def told(
    lab: Lab, count: int, *replies: Reply, operation: str = "DeliveryReportReq", **fields: object
) -> list[Arrived]:
    """The attempts to tell of a new message, as soon as there are ``count``, answered by ``replies`` in turn."""
    with answered(lab, *replies, operation=operation, **fields) as message_id:
        found = lab.calls(about(message_id, operation), count)
    if not found:
        lab.require(False, f"no {operation} came", level=lab.case.level)
        raise Ended
    return found


def sent_again(lab: Lab, *replies: Reply) -> None:
    """A report that is answered by ``replies`` comes once more than there are of them."""
    found = told(lab, len(replies) + 1, *replies, rsp())
    lab.require(
        len(found) > len(replies),
        "the report was not sent again",
        expected=f"{len(replies) + 1} attempts",
        actual=f"{len(found)} within {lab.settings.patience:g} s",
        level=lab.case.level,
        shown=found[-1],
    )
    said = {(one.message_id, *states([one]), shown(recipient(one))) for one in found}
    lab.require(len(said) == 1, "the later attempt tells something else", level=lab.case.level, shown=found[-1])


def not_again(lab: Lab, reply: Reply) -> None:
    """A report that is answered so does not come again."""
    found = told(lab, 1, reply)[0]

    def look() -> None:
        for one in lab.calls(about(found.message_id, "DeliveryReportReq"), 2, 0)[1:2]:
            lab.require(False, "the report was sent again", level=lab.case.level, shown=one)

    lab.later(look)


def _retry(id: str, what: str, *replies: Reply) -> Case:
    # alone, since a sender may hold the whole callback back for a while once it has failed
    @case(id, "SHOULD", "8.7.8.3 UNSURE", f"A report is sent again where {what}.", needs=REPORTED, alone=True)
    def run(lab: Lab) -> None:
        sent_again(lab, *replies)

    return run


RETRIES = (
    _retry("report/retry-refused", "the connection is closed without an answer", closes),
    _retry("report/retry-503", "the callback answers HTTP 503", plain(503)),
    _retry("report/retry-4006/rsp", "a response says 4006", rsp(4006)),
    _retry("report/retry-4006/fault", "a Fault says 4006", fault(4006)),
)


@case(
    "report/no-retry-4005",
    "SHOULD",
    "8.7.8.3 UNSURE",
    "A report that was answered 4005 (do not send again) is not sent again.",
    needs=REPORTED,
)
def no_retry_4005(lab: Lab) -> None:
    not_again(lab, rsp(4005))


@case("report/no-retry-1000", "MUST", "8.7.4", "A report that was answered 1000 is not sent again.", needs=REPORTED)
def no_retry_1000(lab: Lab) -> None:
    not_again(lab, rsp(1000))


@case(
    "callback/bounded-retries",
    "SHOULD",
    "practice",
    "A report whose callback fails for good does not keep a later read reply back.",
    needs=(*REPORTED, "can.reads"),
    alone=True,
)
def bounded_retries(lab: Lab) -> None:
    with answered(lab, plain(503), read_reply=True) as message_id:
        lab.call(about(message_id, "ReadReplyReq"), "read reply behind a report that fails")
