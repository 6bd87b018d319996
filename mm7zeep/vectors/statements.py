"""What is to be made of each vector: the verdict of each policy, the findings, the fields, the digests of the parts.

Written down in ``stated/``, one line for each vector, and read from there: no reader is asked. The tests ask ours, and
compare in both directions. A statement changes only by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple

from mm7zeep.profiles import Policy

FIELDS = (
    "operation", "namespace", "mm7_version", "transaction_id", "message_id", "linked_id", "vaspid", "vasid",
    "service_code", "subject", "priority", "mm_status", "status_code", "status_text", "fault_code", "sender",
    "recipients", "content_href",
)  # fmt: skip
"""What is read of a message that is accepted; what it has not, or has empty, is null (of recipients, an empty list)."""

POLICIES: tuple[Policy, ...] = ("strict", "interop", "lenient")
"""Every policy, the least patient first."""


class Noted(NamedTuple):
    """One finding: its kind, its level there, its place, and what a receiver under ``interop`` does about it."""

    id: str
    level: str
    place: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is to be made of one vector.

    ``verdicts``: ``accept`` or ``reject``, by policy. ``findings`` are those under ``interop``, in no order.
    ``fields`` and ``parts`` are what ``interop`` reads: None where it refuses. Of fields, those that are null are left
    out. Each part has ``content_type``, ``content_id``, ``size`` in octets and ``sha256``, of the content decoded.
    """

    verdicts: Mapping[Policy, str]
    findings: tuple[Noted, ...]
    fields: Mapping[str, Any] | None
    parts: tuple[Mapping[str, Any], ...] | None

    def line(self) -> str:
        """The statement as it stands in its file."""
        held: dict[str, Any] = {policy: self.verdicts[policy] for policy in POLICIES}
        held["findings"] = [list(one) for one in self.findings]
        if self.fields is not None:
            held["fields"] = dict(self.fields)
        if self.parts is not None:
            held["parts"] = [dict(one) for one in self.parts]
        return json.dumps(held, ensure_ascii=False)


def stated(area: str) -> dict[str, Statement]:
    """The statements of one area, by the id of the vector. Raises ``FileNotFoundError`` for an area that is none."""
    text = files("mm7zeep.vectors").joinpath("stated", f"{area}.json").read_text(encoding="utf-8")
    return {id: _statement(held) for id, held in json.loads(text).items()}


def _statement(held: dict[str, Any]) -> Statement:
    parts = held.get("parts")
    return Statement(
        verdicts={policy: held[policy] for policy in POLICIES},
        findings=tuple(Noted(*one) for one in held["findings"]),
        fields=held.get("fields"),
        parts=None if parts is None else tuple(parts),
    )
