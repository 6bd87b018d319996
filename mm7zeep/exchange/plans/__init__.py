"""Plans: what the plain path said of the shape of an envelope, kept, so that the next one costs its values only.

The octets of an envelope without its texts and its reference are its *shape*. Each text has a *mark*: the class that it
belongs to, such as "a number with a plus", or the text itself where no class is known. Whatever a class holds, the
plain path treats alike: it is valid by its simple type, and nothing is repaired in it or found about it. When a shape
with the same marks has been accepted by the plain path (charset, XML, the repairs, xmlschema, zeep), it is read once
more with other values of the same classes; where only those values differ in what comes out, what came out and where
its values stand is the plan. A text that came out anywhere else, or nowhere, is a mark of its own from then on.

What is judged of the package (its parts, the Content's reference, its end) is not part of a plan: that is asked each
time. Only what is accepted has a plan. An envelope with a comment, CDATA or an instruction has none.
"""

from __future__ import annotations

import os
from functools import cache

from mm7zeep.exchange.plans.reading import Plans
from mm7zeep.exchange.plans.writing import WritePlans

__all__ = ["SWITCH", "Plans", "WritePlans", "plans_are_on", "shared", "shared_for_answers", "shared_for_writing"]

SWITCH = "MM7ZEEP_PLANS"
"""The environment variable that turns plans off, with ``0``."""


@cache
def shared_for_writing() -> WritePlans:
    """The plans of this process, for writing."""
    return WritePlans()


@cache
def shared() -> Plans:
    """The plans of this process."""
    return Plans()


@cache
def shared_for_answers() -> Plans:
    """The plans of this process, for answers: they are repaired as answers, whatever they say they are."""
    return Plans()


@cache
def plans_are_on() -> bool:
    """Whether plans are used where nobody says: not with ``MM7ZEEP_PLANS=0``."""
    return os.environ.get(SWITCH, "1") != "0"
