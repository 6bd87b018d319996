"""The operations of MM7: one table of names, messages and who serves them; and the zeep operation of each.

Refuses a class that is no request or answer, and an operation that a namespace does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mm7zeep import messages as m
from mm7zeep import schema
from mm7zeep.errors import LocalError
from mm7zeep.profiles import NAMESPACES


@dataclass(frozen=True, slots=True)
class Operation:
    """One MM7 operation: its name in the WSDL, who serves it, and its three messages."""

    name: str
    binding: Literal["MmscBinding", "VaspBinding"]
    request: type[m.Message]
    response: type[m.Response]
    error: type[m.RSErrorRsp] | type[m.VASPErrorRsp]


def element_name(kind: type[m.Message]) -> str:
    """The element that carries messages of class ``kind``: its name, but ``extended...`` begins small."""
    name = kind.__name__
    return "e" + name[1:] if name.startswith("Extended") else name


OPERATIONS: tuple[Operation, ...] = (
    Operation("submit", "MmscBinding", m.SubmitReq, m.SubmitRsp, m.RSErrorRsp),
    Operation("cancel", "MmscBinding", m.CancelReq, m.CancelRsp, m.RSErrorRsp),
    Operation("replace", "MmscBinding", m.ReplaceReq, m.ReplaceRsp, m.RSErrorRsp),
    Operation("extendedCancel", "MmscBinding", m.ExtendedCancelReq, m.ExtendedCancelRsp, m.RSErrorRsp),
    Operation("extendedReplace", "MmscBinding", m.ExtendedReplaceReq, m.ExtendedReplaceRsp, m.RSErrorRsp),
    Operation("deliver", "VaspBinding", m.DeliverReq, m.DeliverRsp, m.VASPErrorRsp),
    Operation("deliveryReport", "VaspBinding", m.DeliveryReportReq, m.DeliveryReportRsp, m.VASPErrorRsp),
    Operation("readReply", "VaspBinding", m.ReadReplyReq, m.ReadReplyRsp, m.VASPErrorRsp),
)
"""Every operation of TS 23.140 MM7 (8.7)."""

BY_CLASS: Mapping[type[m.Message], tuple[Operation, Literal["input", "output"]]] = {
    **{one.request: (one, "input") for one in OPERATIONS},
    **{one.response: (one, "output") for one in OPERATIONS},
}
"""The operation of each message class, and the corner of it that carries such messages."""

BY_ELEMENT = {element_name(kind): found for kind, found in BY_CLASS.items()}
"""The same by the element in the Body."""


def operation_of(kind: type[m.Message]) -> Operation:
    """The operation that messages of class ``kind`` belong to. Raises ``LocalError`` for a class that is no request
    or answer.
    """
    if kind not in BY_CLASS:
        raise LocalError(f"{kind.__name__} is no MM7 request or answer")
    return BY_CLASS[kind][0]


def requested(element: str | None) -> Operation | None:
    """The operation that the request ``element`` asks for; None for anything else."""
    found = BY_ELEMENT.get(element or "")
    return found[0] if found is not None and found[1] == "input" else None


def zeep_operation(operation: Operation, namespace: str) -> Any:
    """The zeep operation of ``namespace``: ``.input`` and ``.output`` serialize and deserialize."""
    bindings = schema.wsdl(namespace).bindings
    found = next(one for name, one in bindings.items() if name.endswith(operation.binding))
    try:
        return found.get(operation.name)
    except ValueError:
        raise LocalError(
            f"{operation.name} does not exist in {NAMESPACES[namespace].schema}; REL-6-MM7-1-4 has it"
        ) from None
