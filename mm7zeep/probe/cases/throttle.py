"""Role mmsc: more than the endpoint takes in a second (catalogue, "Added after the second look")."""

from __future__ import annotations

import time

from mm7zeep.probe.accept import OK, REF, H
from mm7zeep.probe.case import case
from mm7zeep.probe.lab import Lab
from mm7zeep.probe.reading import Said

_LONG = 3.0  # seconds: a limit may be of a second, or be looked at each second


@case(
    "throttle/well-formed",
    "SHOULD",
    "practice",
    "Of a burst over the rate some are refused for the moment (4006, 429, 503), and the rest accepted.",
    needs=("limits.rate", "numbers.good"),
    alone=True,
)
def well_formed(lab: Lab) -> None:
    rate = min(lab.settings.limits["rate"], 100)
    told: list[Said] = []
    until = time.monotonic() + _LONG
    while not any(not said.accepted for said in told) and time.monotonic() < until and not (told and lab.bench.dry):
        told += lab.together([lab.submit() for _ in range(2 * rate)], 32)
    for said in told:
        lab.expect(said, OK, REF(4006, 2001, 3002), H(429, 503))
    refused = [said for said in told if not said.accepted]
    lab.require(bool(refused), f"none of {len(told)} within {_LONG:g} s was refused", level="SHOULD")
