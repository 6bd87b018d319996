"""The catalogue of findings by example: for each kind a message that breaks it and a twin that does not."""

from __future__ import annotations

from mm7zeep.vectors.building import Case
from mm7zeep.vectors.cases import delimiters, envelope, head, meaning, package, package_variants, pairs, schema

CASES: tuple[Case, ...] = (
    *head.CASES, *package.CASES, *package_variants.CASES, *delimiters.CASES, *envelope.CASES, *schema.CASES,
    *meaning.CASES, *pairs.CASES,
)  # fmt: skip
"""Every case. The first one of a kind is its example in docs/rules.md."""
