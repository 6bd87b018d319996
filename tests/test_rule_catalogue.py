"""Every kind of finding has an example that raises exactly what is stated, and a twin that does not raise it.

A kind without an example fails here, so that no rule can be listed that nothing raises.
"""

from __future__ import annotations

import mutation_check
import pytest
from made_docs import is_current
from rules import CASES, FIRST, REFUSED, Case, found, raised

from mm7zeep.conformance import pairs, rules
from mm7zeep.findings import KINDS


def _name(case: Case) -> str:
    return f"{case.id}: {case.shown[:40]}"


def test_every_kind_has_an_example() -> None:
    """No kind without an example, and no example of what is no kind."""
    assert set(FIRST) == {id for id, kind in KINDS.items() if kind.needs not in ("gateway", "fit")}


def test_rules_are_kinds() -> None:
    """A rule stands under its own id; those for pairs are the kinds that need a pair, and no others."""
    assert [rule.id for rule in rules.RULES.values()] == list(rules.RULES)
    assert set(rules.RULES) <= set(KINDS)
    of_pairs = {*pairs.OF_PAIRS, *pairs.OF_DIALOGUES}
    assert of_pairs == {kind.id for kind in KINDS.values() if kind.needs == "pair"}
    assert not of_pairs & set(rules.RULES)


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_bad(case: Case) -> None:
    """The bad message raises exactly the stated ids, each as often as stated, and is refused for its own as stated."""
    given = found(case, case.bad)
    assert sorted(one.id for one in given) == case.expected
    refused = any(one.id == case.id and one.action == "refused" for one in given)
    assert refused == (case.refused or case.id in REFUSED)


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_good(case: Case) -> None:
    """Its twin does not raise that id."""
    assert case.id not in raised(case, case.good)
    assert case.good != case.bad


def test_documented() -> None:
    """docs/rules.md is what docs/make_rules.py makes of the catalogue as it is now."""
    assert is_current("make_rules"), "run docs/make_rules.py"


@pytest.mark.parametrize("mutant", mutation_check.sample(15, seed=7), ids=mutation_check.key)
def test_broken_rule_is_noticed(mutant: mutation_check.Mutant) -> None:
    """A rule whose condition is broken fails a case: fifteen of all mutants, the others by ``tox -e mutation``."""
    assert mutation_check.noticed(mutant)


def test_each_equal_mutant_is_there() -> None:
    """An entry of ``EQUAL`` that names no mutant any more would hide the next one of that name."""
    made = {mutation_check.key(one) for one in mutation_check.mutants()}
    assert [one for one in mutation_check.EQUAL if one not in made] == []
