"""All broken servers, in the order of their tables."""

from __future__ import annotations

import mutants_answers
import mutants_callbacks
import mutants_changes
import mutants_mmsc
import mutants_submit
import mutants_vasp
import mutants_vasp_own
from mutants import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *mutants_answers.of("mmsc"),
    *mutants_mmsc.MUTANTS,
    *mutants_submit.MUTANTS,
    *mutants_changes.MUTANTS,
    *mutants_callbacks.MUTANTS,
    *mutants_answers.of("vasp"),
    *mutants_vasp.MUTANTS,
    *mutants_vasp_own.MUTANTS,
)
"""Every mutant of either role."""
