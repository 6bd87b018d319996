"""The cases, one module for each area; ``ALL`` has them in the order of the catalogue."""

from __future__ import annotations

from mm7zeep.probe.case import Case, collected
from mm7zeep.probe.cases import addresses, content, dates, options, recipients, subjects, submit_basics

ALL: tuple[Case, ...] = collected(submit_basics, recipients, addresses, dates, options, subjects, content)
"""Every case of both roles."""
