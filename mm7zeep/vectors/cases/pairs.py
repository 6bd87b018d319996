"""Examples for what only several messages show: an answer beside its request, a request beside those before it."""

from __future__ import annotations

from mm7zeep.vectors.building import LATE, SCHEMA, SUBMIT, SUBMITTED, answer, every, message, post, submit, twins
from mm7zeep.vectors.envelopes import NO, REPORTED, VERSION, fault, transaction
from mm7zeep.vectors.envelopes import envelope as enveloped
from mm7zeep.vectors.envelopes import message as plain


def _refused(element: str) -> bytes:
    return answer(enveloped(fault(plain(element, VERSION + NO, SCHEMA)), transaction(schema=SCHEMA)), 500)


_READ = "<MMStatus>Retrieved</MMStatus>"
_DATE = "<Date>2026-03-01T06:00:00Z</Date>"


def _report(id: str = "m-1", number: str = "+4670000001") -> bytes:
    about = REPORTED.replace("m-1", id).replace("+1", number)
    return every(post(message("DeliveryReportReq", content=VERSION + about + _DATE + _READ)), ">t-1<", ">t-2<")


_BOTH = SUBMIT + SUBMITTED

CASES = (
    twins("soap/transaction-echo", SUBMIT + every(SUBMITTED, ">t-1<", ">t-2<"), _BOTH, "t-2 in the answer to t-1"),
    twins(
        "soap/transaction-repeated",
        _BOTH + post(submit("<Subject>Tide</Subject>")),
        _BOTH + SUBMIT,
        "t-1 in two requests",
    ),
    twins(
        "soap/fault-detail-role",
        SUBMIT + _refused("VASPErrorRsp"),
        SUBMIT + _refused("RSErrorRsp"),
        "VASPErrorRsp from the MMSC",
    ),
    twins("sem/rsp-matches-req", SUBMIT + answer(message("DeliverRsp")), _BOTH, "DeliverRsp to a SubmitReq"),
    twins(
        "sem/rsp-version",
        SUBMIT + answer(message("SubmitRsp", schema=LATE)),
        _BOTH,
        "REL-6-MM7-1-4 to REL-5-MM7-1-2",
        "sem/rsp-version sem/rsp-version",
    ),
    twins("sem/report-message-id", _BOTH + _report("M-1"), _BOTH + _report(), "a report on M-1, m-1 was issued"),
    twins(
        "sem/report-message-id",
        _BOTH + _report("x-9"),
        _BOTH + _report(),
        "a report on x-9, issued before the capture if at all",
    ),
    twins(
        "sem/report-recipient",
        _BOTH + _report(number="+4670000002"),
        _BOTH + _report(),
        "a report on a number that was not sent to",
    ),
)
