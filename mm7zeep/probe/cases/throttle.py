"""Role mmsc: more than the endpoint takes in a second (catalogue, "Added after the second look")."""

from __future__ import annotations

from mm7zeep.probe.accept import OK, REF, H
from mm7zeep.probe.case import case
from mm7zeep.probe.lab import Lab


@case(
    "throttle/well-formed",
    "SHOULD",
    "practice",
    "Of a burst over the rate some are refused for the moment (4006, 429, 503), and the rest accepted.",
    needs=("limits.rate", "numbers.good"),
    alone=True,
)
def well_formed(lab: Lab) -> None:
    burst = min(4 * lab.settings.limits["rate"], 200)
    told = lab.together([lab.submit() for _ in range(burst)], 32)
    for said in told:
        lab.expect(said, OK, REF(4006, 2001, 3002), H(429, 503))
    refused = [said for said in told if not said.accepted]
    lab.require(bool(refused), f"none of {burst} at once was refused", level="SHOULD")
    for said in refused:
        if said.answer.status in (429, 503):
            lab.require(said.answer.complete, "the refusal is not a whole answer", level="SHOULD", shown=said)
