"""The cases, one module for each area; ``ALL`` has them in the order of the catalogue."""

from __future__ import annotations

from mm7zeep.probe.case import Case, collected
from mm7zeep.probe.cases import recipients, submit_basics

ALL: tuple[Case, ...] = collected(submit_basics, recipients)
"""Every case of both roles."""
