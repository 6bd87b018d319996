"""What our own reader makes of a vector, in the form of a statement, so that the two can be compared.

``python tests/vector_reading.py`` prints the lines of vectors that have no statement yet, for somebody to judge;
``--add`` writes them into ``mm7zeep/vectors/stated``. What stands there is never changed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mm7zeep import exchange
from mm7zeep.conformance import pairs, verdict
from mm7zeep.conformance.input import capture
from mm7zeep.conformance.input.capture import Captured
from mm7zeep.conformance.verdict import Verdict
from mm7zeep.messages import Address, ExtendedCancelRsp, ExtendedReplaceRsp, Fault, Message
from mm7zeep.profiles import Policy
from mm7zeep.vectors import statements
from mm7zeep.vectors.catalogue import AREAS, Vector, vectors
from mm7zeep.vectors.statements import POLICIES, Noted, Statement

STATED = Path(str(statements.__file__)).with_name("stated")


def messages(vector: Vector) -> list[Captured]:
    """The messages of ``vector`` as captured, that which is judged last."""
    found = capture.messages("x", b"".join((*vector.before, vector.octets)))
    if len(found) != len(vector.before) + 1:
        raise AssertionError(f"{vector.id}: {len(found)} messages were read, {len(vector.before) + 1} are there")
    return found


def judged(vector: Vector) -> Verdict:
    """The verdict of ``check`` on the last message of ``vector``, with the others before it."""
    return pairs.judge([verdict.judge(one, now=vector.now) for one in messages(vector)])[-1]


def word(vector: Vector, policy: Policy) -> str:
    """``accept`` or ``reject``; messages before it change nothing in that."""
    return verdict.judge(messages(vector)[-1], policy=policy, now=vector.now).word


def reading(vector: Vector, *, doubtful_only: bool = False) -> Statement:
    """All that our reader says of ``vector``.

    ``doubtful_only`` spares a third of the time: a policy is not asked where another one leaves no doubt, strict where
    interop refuses and lenient where it accepts.
    """
    ours = judged(vector)
    known: dict[Policy, str] = {"interop": ours.word}
    if doubtful_only:
        known["lenient" if ours.accepted else "strict"] = ours.word
    fields = parts = None
    if ours.accepted:
        received = exchange.receive(ours.judgement, ours.captured.wire.headers)
        read = _fields(received, ours.judgement.sketch.values.get("message_id"))
        fields = {name: value for name, value in read.items() if value not in (None, [], "")}
        parts = tuple(
            {
                "content_type": one.content_type,
                "content_id": one.content_id,
                "size": one.size,
                "sha256": one.sha256(),
            }
            for one in received.parts
        )
    return Statement(
        verdicts={policy: known.get(policy) or word(vector, policy) for policy in POLICIES},
        findings=tuple(sorted(Noted(one.id, one.level, one.where, one.action) for one in ours.findings)),
        fields=fields,
        parts=parts,
    )


def _fields(received: exchange.Received, message_id: str | None) -> dict[str, Any]:
    """The fields as sent: not what we take for them where nothing was, or no kind of address was told."""
    message: Message | None = received.message
    fault = message.fault_code if isinstance(message, Fault) else None
    operation = received.operation
    if isinstance(message, Fault):
        message = message.error
        operation = type(message).__name__ if message is not None else "Fault"
    status = getattr(message, "status", None)
    text = getattr(message, "status_text", None) or getattr(status, "text", None)
    sender = getattr(message, "sender", None) or getattr(message, "sender_address", None)
    lists = {name: getattr(message, name, ()) for name in ("to", "cc", "bcc")}
    if (one := getattr(message, "recipient", None)) is not None:
        lists = {"recipient": (one,)}
    shown = None if sender is None else _address(sender)
    untyped = not received.profile.typed_sender_address and hasattr(message, "sender_address")
    if shown is not None and untyped and "schema/address-typed-early" not in {one.id for one in received.findings}:
        shown["kind"] = None
    if isinstance(message, ExtendedCancelRsp | ExtendedReplaceRsp):
        text = None  # which has no place there
    plain = ("linked_id", "vaspid", "vasid", "service_code", "subject", "priority", "mm_status")
    return {
        "operation": operation,
        "namespace": received.namespace,
        "mm7_version": received.mm7_version,
        "transaction_id": received.transaction_id,
        "message_id": getattr(message, "message_id", None) or message_id,
        **{name: getattr(message, name, None) for name in plain},
        "status_code": getattr(status, "code", None),
        "status_text": text,
        "fault_code": fault,
        "sender": shown,
        "recipients": [{"list": name, **_address(one)} for name, held in lists.items() for one in held],
        "content_href": getattr(message, "content_href", None),
    }


def _address(one: Address) -> dict[str, Any]:
    return {"kind": one.kind, "value": one.value, "display_only": one.display_only}


def main(*words: str) -> int:
    """Print the lines that are missing, or add them."""
    STATED.mkdir(exist_ok=True)
    missing = 0
    for area in AREAS:
        path = STATED / f"{area}.json"
        there = statements.stated(area) if path.exists() else {}
        lines = []
        for vector in (one for one in vectors() if one.area == area):
            new = vector.id not in there
            missing += new
            line = f'"{vector.id}": {(reading(vector) if new else there[vector.id]).line()}'
            lines.append(line)
            if new:
                sys.stdout.write(line + "\n")
        if "--add" in words:
            path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    sys.stderr.write(f"{missing} without a statement{' were added: judge each' if '--add' in words else ''}" + "\n")
    return 1 if missing and "--add" not in words else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
