"""The cases, one module for each area; ``ALL`` has them in the order of the catalogue."""

from __future__ import annotations

from mm7zeep.probe.case import Case, collected
from mm7zeep.probe.cases import (
    callbacks,
    changes,
    client,
    deliver_message,
    deliver_package,
    deliver_wrong,
    submit_basics,
    told_reports,
)

ALL: tuple[Case, ...] = collected(
    submit_basics, changes, callbacks, deliver_package, deliver_message, deliver_wrong, told_reports, client
)
"""Every case of both roles."""
