"""Role vasp: what a VASP itself sends when it is made to (``trigger``), judged at our listener (suite B).

Each case waits for the one message that the command causes, so that nothing else runs beside it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from xml.sax.saxutils import escape

from mm7zeep.probe.accept import ANSWERED, OK, REF, H
from mm7zeep.probe.arrived import Arrived
from mm7zeep.probe.case import Case, Ended, case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.replies import Reply, closes, fault, http, rsp

DRIVEN = ("trigger", "listen")
_MOST = 20
"""Attempts that are few enough to be called bounded."""


def _submits(one: Arrived) -> bool:
    return one.operation == "SubmitReq"


def submitted(lab: Lab, *replies: Reply, at_least: int = 1) -> tuple[list[Arrived], Mapping[str, Any]]:
    """The attempts of a submit that the VASP is made to send, answered by ``replies`` in turn, and what it says."""
    began = time.monotonic()
    with lab.answering(_submits, *replies):
        told = lab.trigger()
        found = lab.calls(lambda one: _submits(one) and one.at >= began, at_least)
    if not found:
        lab.require(False, "the VASP was made to submit, and nothing came", level="MUST")
        raise Ended
    return found, told


def seen_as(lab: Lab, told: Mapping[str, Any], *codes: int | None) -> None:
    """The application was told one of these codes (None: that it failed otherwise)."""
    if "status" not in told:
        lab.skip('the command does not tell what the application was told ({"status": CODE})')
    lab.require(
        told["status"] in codes,
        "the application was told otherwise",
        expected=" or ".join(map(str, codes)),
        actual=str(told["status"]),
        level=lab.case.level,
    )


@case(
    "client/submit-valid",
    "MUST",
    "8.7.1",
    "A submit of the VASP breaks no MUST of the passive rules.",
    role="vasp",
    needs=DRIVEN,
    alone=True,
)
def submit_valid(lab: Lab) -> None:
    found, _ = submitted(lab, rsp())
    lab.sound(found[0])


def _again(id: str, what: str, reply: Reply) -> Case:
    @case(
        id, "SHOULD", "8.7.8.3 UNSURE", f"A submit is sent again where {what}.", role="vasp", needs=DRIVEN, alone=True
    )
    def run(lab: Lab) -> None:
        found, _ = submitted(lab, reply, rsp(), at_least=2)
        lab.require(
            len(found) > 1, "the submit was not sent again", level="SHOULD", actual=f"{len(found)} attempt",
            shown=found[0],
        )  # fmt: skip

    return run


RETRIES = (
    _again("client/retry-4006/rsp", "the response says 4006", rsp(4006)),
    _again("client/retry-4006/fault", "the Fault says 4006", fault(4006)),
    _again("client/retry-503", "the MMSC answers HTTP 503", lambda arrived: http(503)),
)


@case(
    "client/retry-bounded",
    "SHOULD",
    "practice",
    "A submit that is answered 4006 for ever is given up, and the application is told.",
    role="vasp",
    needs=DRIVEN,
    alone=True,
)
def retry_bounded(lab: Lab) -> None:
    found, told = submitted(lab, rsp(4006))
    lab.require(len(found) <= _MOST, f"{len(found)} attempts", level="SHOULD", shown=found[-1])
    seen_as(lab, told, 4006, None)


@case(
    "client/retry-down",
    "SHOULD",
    "8.7.8.3 UNSURE",
    "A submit to an MMSC that takes no connections is sent again once it does.",
    role="vasp",
    needs=DRIVEN,
    alone=True,
)
def retry_down(lab: Lab) -> None:
    if lab.bench.listener is None or lab.bench.dry:
        return
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        with lab.bench.listener.closed():
            driven = pool.submit(lab.trigger, stage="down")
            time.sleep(1.0)
        driven.result()
    found = lab.calls(lambda one: _submits(one) and one.at >= began)
    lab.require(bool(found), "the submit was not sent again once the MMSC was back", level="SHOULD")


def _not_again(code: int) -> Case:
    @case(
        f"client/no-retry-2xxx/{code}",
        "SHOULD",
        "8.7.8.3 UNSURE",
        f"A submit that was refused with {code} is not sent again unchanged.",
        role="vasp",
        needs=DRIVEN,
        alone=True,
    )
    def run(lab: Lab) -> None:
        found, told = submitted(lab, rsp(code))
        lab.require(len(found) == 1, f"{len(found)} attempts", expected="one", level="SHOULD", shown=found[-1])
        seen_as(lab, told, code)

    return run


def _unknown(code: int, meant: int) -> Case:
    @case(
        f"client/unknown-code/{code}",
        "SHOULD",
        "8.7.8.3 UNSURE",
        f"The unknown code {code} is taken as {meant}, not as success.",
        role="vasp",
        needs=DRIVEN,
        alone=True,
    )
    def run(lab: Lab) -> None:
        _, told = submitted(lab, rsp(code, "Of our own"))
        seen_as(lab, told, code, meant)

    return run


REFUSALS = (_not_again(2004), _not_again(2002), _unknown(2777, 2000), _unknown(9999, 3000))


@case(
    "client/fault-500",
    "MUST",
    "SOAP 1.1 6.2",
    "The Fault in an HTTP 500 is read, and its code told to the application.",
    role="vasp",
    needs=DRIVEN,
    alone=True,
)
def fault_500(lab: Lab) -> None:
    _, told = submitted(lab, fault(2004))
    seen_as(lab, told, 2004)


def turned(arrived: Arrived) -> bytes | None:
    """A SubmitRsp with the children of Status in the other order, under prefixes that nobody else uses."""
    body = (
        '<q0:Envelope xmlns:q0="http://schemas.xmlsoap.org/soap/envelope/"><q0:Header>'
        f'<zz:TransactionID xmlns:zz="{arrived.namespace}" q0:mustUnderstand="1">{escape(arrived.transaction_id)}'
        f'</zz:TransactionID></q0:Header><q0:Body><zz:SubmitRsp xmlns:zz="{arrived.namespace}">'
        f"<zz:MM7Version>{arrived.received.mm7_version if arrived.received else ''}</zz:MM7Version>"
        "<zz:Status><zz:StatusText>Success</zz:StatusText><zz:StatusCode>1000</zz:StatusCode></zz:Status>"
        "<zz:MessageID>probe-turned</zz:MessageID></zz:SubmitRsp></q0:Body></q0:Envelope>"
    )
    return http(200, body.encode(), "text/xml; charset=utf-8")


@case(
    "client/rsp-order",
    "MUST",
    "XSD xs:all",
    "The children of Status are understood in any order, under any prefix.",
    role="vasp",
    needs=DRIVEN,
    alone=True,
)
def rsp_order(lab: Lab) -> None:
    found, told = submitted(lab, turned)
    lab.require(len(found) == 1, f"{len(found)} attempts, though the first was accepted", shown=found[-1])
    seen_as(lab, told, 1000)


@case(
    "client/lost-answer",
    "INFO",
    "practice",
    "A submit whose answer is lost is not sent again under another TransactionID, by which nobody could know it.",
    role="vasp",
    needs=DRIVEN,
    alone=True,
)
def lost_answer(lab: Lab) -> None:
    found, _ = submitted(lab, closes, rsp())
    named = {one.transaction_id for one in found}
    lab.require(len(named) == 1, "sent again under another TransactionID", level="SHOULD", actual=", ".join(named))


# --- what happens beside it -------------------------------------------------------------------------------------------


@case(
    "report/out-of-order",
    "INFO",
    "8.7.4",
    "A delivery report that comes before the VASP has read the SubmitRsp is answered.",
    role="vasp",
    needs=DRIVEN,
    alone=True,
)
def out_of_order(lab: Lab) -> None:
    message_id, told = lab.word(), threading.Event()

    def early(arrived: Arrived) -> bytes | None:
        if not told.is_set():
            told.set()
            lab.expect(lab.ask(lab.report(message_id=message_id)), ANSWERED, level="MUST")
        return rsp(message_id=message_id)(arrived)

    submitted(lab, early)
    lab.alive()


@case(
    "rsp/status-3000",
    "INFO",
    "8.7.8.3 UNSURE",
    "While the application behind the VASP is down, messages are refused for the moment, and taken again afterwards.",
    role="vasp",
    needs=("state",),
    alone=True,
)
def application_down(lab: Lab) -> None:
    lab.state(state="down")
    try:
        said = lab.ask(lab.deliver())
        lab.expect(said, REF(3000, 4006), H(503), level="SHOULD")
    finally:
        lab.state(state="up")
    lab.expect(lab.ask(lab.deliver()), OK, level="MUST")
