"""What our readers find in the cases of ``mm7zeep.vectors``: one message that breaks a kind, one twin that does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mm7zeep import exchange, profiles, receiver
from mm7zeep.conformance import pairs, verdict
from mm7zeep.conformance.input import capture
from mm7zeep.findings import Finding
from mm7zeep.vectors.building import REFUSED, Case
from mm7zeep.vectors.cases import CASES

__all__ = ["CASES", "FIRST", "REFUSED", "Case", "found", "holds", "raised"]

FIRST: dict[str, Case] = {}
for _case in CASES:
    FIRST.setdefault(_case.id, _case)
"""The first case of each kind: its example in docs/rules.md."""


def checked(case: Case, data: bytes) -> list[Finding]:
    """What ``check`` finds in all messages of a file."""
    messages = capture.messages("x", data)
    judged = [verdict.judge(one, policy=case.policy, now=case.now) for one in messages]
    return [found for one in pairs.judge(judged) for found in one.findings]


def received(case: Case, data: bytes) -> list[Finding]:
    """What the receiver of a carrier that delivers by SubmitReq gives to its handler."""
    [captured] = capture.messages("x", data)
    seen: list[exchange.Received] = []
    made = receiver.Receiver(profile=profiles.FIBERNETICS)
    made.on_deliver(lambda message, given: seen.append(given))
    made.answer(captured.wire)
    return [found for one in seen for found in one.findings]


def sending(case: Case, data: bytes) -> list[Finding]:
    """What a client tells its caller who sends the message again."""
    [captured] = capture.messages("x", data)
    return list(exchange.emptiness(exchange.unpack(captured.wire).message))


_READERS: Mapping[str, Callable[[Case, bytes], list[Finding]]] = {
    "capture": checked, "receiver": received, "sender": sending,
}  # fmt: skip


def found(case: Case, data: bytes) -> list[Finding]:
    """What whoever is to notice finds in ``data``, ``case.bad`` or ``case.good``."""
    return _READERS[case.seen_by](case, data)


def raised(case: Case, data: bytes) -> list[str]:
    """The ids found in ``data``, sorted."""
    return sorted(one.id for one in found(case, data))


def holds(case: Case) -> bool:
    """Whether the bad message raises what is stated, is refused for it or not as stated, and its twin is without."""
    given = found(case, case.bad)
    refused = any(one.id == case.id and one.action == "refused" for one in given)
    stated = case.refused or case.id in REFUSED
    return (
        sorted(one.id for one in given) == case.expected
        and refused == stated
        and case.id not in raised(case, case.good)
    )
