"""Whether the examiner finds faults: every broken server of the tables is examined, and exactly those cases that state
its fault have to turn red.

``python tests/probe_mutants.py [NAME...]`` asks all cases of the role of each mutant whose name begins so (all without
a name), ``--selection`` only those by which it is found, those near, and the control set. Two servers at a time. Ends
with 1 unless every mutant was found by the cases that state it, and by no other.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from breaks import PATIENCE, examine
from mutants import Baseline, Judgement, Mutant, baseline, judged
from mutants_table import MUTANTS

from mm7zeep.probe.case import Case
from mm7zeep.probe.cases import ALL
from mm7zeep.probe.results import Role

_PATIENCE = 20.0  # seconds in which a call has to come where all cases are asked


def all_of(role: Role) -> list[Case]:
    """All cases of a role."""
    return [one for one in ALL if one.role == role]


def unbroken(role: Role, names: Sequence[str]) -> Baseline:
    """What comes of an unbroken server, asked what the mutants of its role that are named are asked; all without."""
    logging.disable()  # so does a driver that takes it down
    wanted = {one.id for mutant in MUTANTS if mutant.title in names and mutant.role == role for one in mutant.cases()}
    return baseline(role, [one for one in all_of(role) if not names or one.id in wanted], 4.0, _PATIENCE)


def one(name: str, selection: bool, before: Baseline) -> Judgement:
    """What comes of one mutant."""
    logging.disable()  # a broken server complains
    found = next(mutant for mutant in MUTANTS if mutant.title == name)
    cases, patience = (found.cases(), PATIENCE) if selection else (all_of(found.role), _PATIENCE)
    return judged(found, examine(found.role, cases, found.breaks, found.window, patience), before)


def chosen(names: Sequence[str]) -> list[Mutant]:
    """Those whose name, or role and name, begins with one of ``names``; all without one."""
    return [
        one
        for one in MUTANTS
        if not names or any(text.startswith(name) for name in names for text in (one.name, one.title))
    ]


def main() -> int:
    """Run the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--selection", action="store_true", help="ask only what could notice, and the control set")
    parser.add_argument("--at-once", type=int, default=2, metavar="N", help="servers at a time (2)")
    asked = parser.parse_args()
    wanted, began = chosen(asked.names), time.monotonic()
    judgements = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as by Ctrl-C: no server goes on alone
    with ProcessPoolExecutor(asked.at_once, mp_context=multiprocessing.get_context("spawn")) as pool:
        names = [mutant.title for mutant in wanted] if asked.selection else []
        roles = sorted({mutant.role for mutant in wanted})
        try:
            before = dict(zip(roles, pool.map(unbroken, roles, [names] * len(roles)), strict=True))
            tasks = [pool.submit(one, mutant.title, asked.selection, before[mutant.role]) for mutant in wanted]
            for task in tasks:
                judgements.append(task.result())
                sys.stdout.write(f"{judgements[-1]}\n")
                sys.stdout.flush()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    found = sum(not judgement.missed for judgement in judgements)
    clean = sum(not judgement.others for judgement in judgements)
    others = "no other red" if clean == len(wanted) else f"others red with {len(wanted) - clean}"
    took = f"in {time.monotonic() - began:.0f} s"
    sys.stdout.write(f"{found} of {len(wanted)} found, {others}, {took}\n")
    return 0 if wanted and all(judgement.found for judgement in judgements) else 1


if __name__ == "__main__":
    raise SystemExit(main())
