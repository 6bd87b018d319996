"""The cases, one module for each area; ``ALL`` has them in the order of the catalogue."""

from __future__ import annotations

from mm7zeep.probe.case import Case, collected
from mm7zeep.probe.cases import auth, http, mime, namespaces, soap, submit_basics

ALL: tuple[Case, ...] = collected(http, auth, mime, soap, namespaces, submit_basics)
"""Every case of both roles."""
