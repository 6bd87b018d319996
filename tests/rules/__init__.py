"""The catalogue of findings by example: for each kind a message that breaks it and a twin that does not."""

from __future__ import annotations

from rules import of_envelope, of_head, of_meaning, of_package, of_pairs, of_schema
from rules.build import REFUSED, Case, holds, raised

__all__ = ["CASES", "FIRST", "REFUSED", "Case", "holds", "raised"]

CASES: tuple[Case, ...] = (
    *of_head.CASES, *of_package.CASES, *of_envelope.CASES, *of_schema.CASES, *of_meaning.CASES, *of_pairs.CASES,
)  # fmt: skip
"""Every case. The first one of a kind is its example in docs/rules.md."""

FIRST: dict[str, Case] = {}
for _case in CASES:
    FIRST.setdefault(_case.id, _case)
