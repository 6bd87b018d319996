"""All broken servers, in the order of their tables."""

from __future__ import annotations

import mutants_answers
import mutants_mmsc
import mutants_network
import mutants_vasp
from mutants import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *mutants_answers.of("mmsc"),
    *mutants_mmsc.MUTANTS,
    *mutants_network.MUTANTS,
    *mutants_answers.of("vasp"),
    *mutants_vasp.MUTANTS,
)
"""Every mutant of either role."""
