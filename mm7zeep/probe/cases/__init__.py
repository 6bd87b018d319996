"""The cases, one module for each area; ``ALL`` has them in the order of the catalogue."""

from __future__ import annotations

from mm7zeep.probe.case import Case, collected
from mm7zeep.probe.cases import (
    addresses,
    auth,
    callbacks,
    changes,
    client,
    content,
    dates,
    deliver_message,
    deliver_package,
    deliver_wrong,
    delivery_reports,
    http,
    mime,
    namespaces,
    options,
    recipients,
    resent_reports,
    soap,
    subjects,
    submit_basics,
    told_reports,
)

ALL: tuple[Case, ...] = collected(
    http,
    auth,
    mime,
    soap,
    namespaces,
    submit_basics,
    recipients,
    addresses,
    dates,
    options,
    subjects,
    content,
    changes,
    delivery_reports,
    resent_reports,
    callbacks,
    deliver_package,
    deliver_message,
    deliver_wrong,
    told_reports,
    client,
)
"""Every case of both roles."""
