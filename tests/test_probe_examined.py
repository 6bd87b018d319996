"""Our own gateway and our own VASP pass every case of the examiner, on both engines, without a baseline.

``limits.rate`` is not of the settings here, since a gateway has one only where it is told to: the case that needs it
runs against a gateway with narrow limits.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from examined import chosen, gateway, told, vasp

from mm7zeep.probe.results import Report
from mm7zeep.probe.runner import run

# ``unknown`` and ``rate`` are what our bench cannot give: the simulated network knows every number, and sets no rate.
SKIPPED = frozenset({"no such limit is given (limits.rate)", "no such number is given (numbers.unknown)"})


def passes(report: Report) -> None:
    """Nothing is broken, nothing is skipped that need not be, and no word of the tool's own trouble."""
    bad = [one for one in report.results if one.verdict not in ("PASS", "INFO", "SKIP")]
    assert not bad, told(report)
    skipped = {one.skipped for one in report.results if one.verdict == "SKIP"}
    assert skipped <= SKIPPED, skipped


@pytest.mark.once
def test_gateway_on_sqlite(tmp_path: Path) -> None:
    """All cases of role mmsc, callbacks included."""
    with gateway(tmp_path) as settings:
        passes(run(chosen("mmsc", []), settings))


@pytest.mark.once
@pytest.mark.postgres
def test_gateway_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """The same on the other engine."""
    with gateway(tmp_path, database=postgres_url) as settings:
        passes(run(chosen("mmsc", []), settings))


@pytest.mark.once
def test_receiver(tmp_path: Path) -> None:
    """All cases of role vasp, those with drivers included."""
    with vasp(tmp_path) as settings:
        passes(run(chosen("vasp", []), settings))


def limited(app: Any) -> Any:
    """A limiter before the gateway: of twenty requests ten are served, the others answered 503."""
    turns = itertools.count()

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or next(turns) % 20 < 10:
            await app(scope, receive, send)
            return
        head = [(b"retry-after", b"1"), (b"content-length", b"5"), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 503, "headers": head})
        await send({"type": "http.response.body", "body": b"later"})

    return asgi


@pytest.mark.once
@pytest.mark.parametrize(("around", "verdict"), [(limited, "PASS"), (lambda app: app, "WARN")])
def test_burst_over_the_rate(around: Any, verdict: str, tmp_path: Path) -> None:
    """A burst is served in part by who has a limit; a limit that was stated and is none is a broken SHOULD."""
    with gateway(tmp_path, around=around) as settings:
        report = run(chosen("mmsc", ["throttle/well-formed"]), replace(settings, limits={"rate": 1}))
    assert report.results[0].verdict == verdict, told(report)


QUICK: Sequence[tuple[str, list[str]]] = [
    (
        "mmsc",
        [
            "submit/minimal",
            "cancel/scheduled",
            "report/delivered",
            "soap/mu-unknown",
            "mime/root-last",
            "mime/cid-duplicate",
        ],
    ),
    ("vasp", ["deliver/basic", "deliver/root-last", "report/each-status", "client/submit-valid"]),
]


@pytest.mark.parametrize(("role", "ids"), QUICK)
def test_some_of_each_role(role: str, ids: list[str], tmp_path: Path) -> None:
    """With every Python: some cases of each kind."""
    with {"mmsc": gateway, "vasp": vasp}[role](tmp_path) as settings:
        report = run(chosen(role, ids), settings)
    found = {one.id: one.verdict for one in report.results if not one.common}
    assert found, "none of the cases is there"
    assert set(found.values()) == {"PASS"}, told(report)
