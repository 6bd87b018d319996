"""What may come of a stimulus: ``OK``, ``REF(2004, 4004)``, ``FAULT("MustUnderstand")``, ``H(400, 415)``, ``CLOSED``.

An outcome looks at what the answer says, not at its form: an Rsp with 1000 is OK under any HTTP status, in any
namespace. The form is what the common assertions judge, so that one fault turns one thing red.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from mm7zeep.probe.reading import ERROR_ELEMENTS, Said

Fit = Literal["yes", "near", "no"]
"""``near``: an unlisted code of the same class, which passes with a remark."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing that may come of a stimulus; ``name`` is how reports write it."""

    name: str
    fits: Callable[[Said], Fit]


def _fit(holds: bool) -> Fit:
    return "yes" if holds else "no"


OK = Outcome("OK", lambda said: _fit(said.accepted and said.status != 1100))
"""Success: StatusCode of class 1, and not 1100."""

PARTIAL = Outcome("1100", lambda said: _fit(said.accepted and said.status == 1100))
"""Partial success: some recipients were accepted."""

CLOSED = Outcome("closed", lambda said: _fit(said.answer.ended in ("closed", "reset", "cut") and not said.is_mm7))
"""The connection is closed without an answer."""


def REF(*codes: int) -> Outcome:
    """A refusal in either shape, Rsp or Fault, with one of these codes.

    Others of their classes are near, and so is a Fault without a code that blames the request or the server, or has
    MM7's own element in its detail: VersionMismatch, say, refuses something else.
    """
    classes = {code // 1000 for code in codes}

    def fits(said: Said) -> Fit:
        if not said.is_mm7 or not said.refused:
            return "no"
        if said.status is None:
            return "near" if _about_request(said) else "no"  # that it has no code, answer/fault-children judges
        if said.status in codes:
            return "yes"
        return "near" if said.status // 1000 in classes else "no"

    return Outcome("REF(" + ",".join(str(code) for code in codes) + ")", fits)


def _about_request(said: Said) -> bool:
    """Whether there is a Fault that may say what an MM7 refusal does (SOAP 1.1 4.4.1; TS 23.140 8.7.6)."""
    if said.fault is None:
        return False
    return _word(said) in ("Client", "Server") or any(said.all(name) for name in ERROR_ELEMENTS)


def _word(said: Said) -> str:
    """The first step of the faultcode: ``Client`` of ``Client.Authentication``."""
    return said.faultcode.partition(".")[0]


def FAULT(*words: str) -> Outcome:
    """A SOAP Fault, with one of these faultcodes if any are given (SOAP 1.1 4.4.1)."""

    def fits(said: Said) -> Fit:
        if said.fault is None:
            return "no"
        return _fit(not words or _word(said) in words)

    return Outcome("FAULT" + (f"({','.join(words)})" if words else ""), fits)


def H(*statuses: int) -> Outcome:
    """A plain HTTP answer with one of these statuses, whatever its body; another of class 4 is near."""

    def fits(said: Said) -> Fit:
        status = said.answer.status
        if not said.answer.complete or status is None or said.accepted:
            return "no"
        if status in statuses:
            return "yes"
        near = 400 <= status < 500 and any(400 <= one < 500 for one in statuses) and not said.is_mm7
        return "near" if near else "no"

    return Outcome("H" + "/".join(str(one) for one in statuses), fits)


H4XX = Outcome(
    "H4xx",
    lambda said: _fit(
        said.answer.complete
        and said.answer.status is not None
        and 400 <= said.answer.status < 500
        and not said.accepted
    ),
)
"""Any complete HTTP answer of class 4."""

ANSWERED = Outcome(
    "ANY", lambda said: _fit(said.answer.complete and (said.accepted or said.refused or H4XX.fits(said) == "yes"))
)
"""Success, a refusal or an HTTP answer of class 4: any answer that tells the asker where it is."""

BAD_XML = (REF(4004, 2007, 2000), FAULT("Client"), H4XX)
"""What becomes of a request that cannot be read (SOAP 1.1 6.2; the catalogue's corrections)."""

MISSING = REF(4004, 2007, 2000)
"""What becomes of a request without a mandatory element."""


def best(said: Said, outcomes: Iterable[Outcome]) -> Fit:
    """The best fit of all."""
    found = {one.fits(said) for one in outcomes}
    return "yes" if "yes" in found else "near" if "near" in found else "no"
