"""A short soak on both engines, and that it notices what it is there to notice.

The long one is ``python tests/soak.py``.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import soak
from bad_requests import KINDS

SHORT = soak.Plan(minutes=1 / 3, connections=24, rate=30.0, flat=0.25, p99=None, seed=7)
"""Twenty seconds: a process still grows into its work, and others share the machine."""


@pytest.mark.processes
def test_soak_on_sqlite(tmp_path: Path) -> None:
    """Mixed load on SQLite: nothing lost, every report once, no bad request accepted."""
    assert soak.run(SHORT, tmp_path).deviations == []


@pytest.mark.processes
@pytest.mark.postgres
def test_soak_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """Mixed load on PostgreSQL: nothing lost, every report once, no bad request accepted."""
    assert soak.run(SHORT, tmp_path, postgres_url).deviations == []


def test_memory_that_grows_is_seen() -> None:
    """Growth over the last two thirds is measured; what came before, and single peaks, are not."""
    assert soak.flatness([50.0 + n for n in range(50)] + [100.0] * 100).spread == 0
    assert soak.flatness([100.0] * 100 + [900.0] + [100.0] * 99).spread == 0
    assert soak.flatness([100.0] * 100 + [900.0] + [100.0] * 99).peak == 900
    assert soak.flatness([100.0 + n / 20 for n in range(300)]).spread > 0.08
    assert soak.flatness([100.0 - n / 20 for n in range(300)]).spread > 0.08


def test_shares_of_a_plan() -> None:
    """Connections and requests are divided as the plan says."""
    plan = soak.Plan(minutes=30, connections=128, bad=0.3, rate=40)
    assert (plan.bad_connections, plan.messages) == (38, 50_400)


def test_bad_requests_are_judged() -> None:
    """A bad request that was accepted, or got no answer, is a deviation; so is a share or a kind that is missing."""
    refused = Counter({f"{kind}: 400": 10 for kind in KINDS})
    report = soak.Report(SHORT, "SQLite", refused=refused, outcomes=Counter({"1000": 200}))
    assert soak.bad_deviations(report) == []
    refused["slow: 200 1000"] = refused["hang-up: no answer"] = 1
    assert sorted(soak.bad_deviations(report)) == [
        "a bad request (hang-up): no answer",
        "a bad request (slow): 200 1000",
    ]
    lacking = soak.Report(SHORT, "SQLite", refused=Counter({"slow: 408": 1}), outcomes=Counter({"1000": 200}))
    share, kinds = soak.bad_deviations(lacking)
    assert share == "only 0 % of the requests were bad"
    assert kinds.endswith(": " + ", ".join(sorted(KINDS.keys() - {"slow"})))
