"""What is answered where the database did not do what a request of the admin listener needs."""

from __future__ import annotations

import logging

from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.store.database import StoreError
from mm7zeep.receiver import Refusal

_LOG = logging.getLogger("mm7zeep.gateway")


def database_refusal(error: StoreError, settings: Settings, what: str) -> Refusal:
    """The refusal (400 where a value of the request is at fault, otherwise 503); the log says ``what`` was not done."""
    _LOG.error("%s was not done: %s", what, error)
    if error.of_value:  # the same again would fail again
        return Refusal(400, "a value of the request cannot be kept")
    return Refusal(503, f"{error.reason}; try again", ("Retry-After", str(settings.capacity.retry_after)))
