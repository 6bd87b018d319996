"""Settings read again while a gateway runs: what may change, and what needs a new start.

Refuses nothing by itself: what cannot be used is logged with all that is wrong, and the settings in force stay.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from mm7zeep.gateway.config.settings import Settings

_LOG = logging.getLogger("mm7zeep.gateway")
_FIXED = (
    "mm7",
    "admin",
    "api",
    "database",
    "workers",
)  # settings that sockets, the store and the supervisor are made of

Reload = Callable[[], Settings]
"""Reads the settings again. Raises ``ValueError`` with all that is wrong in them."""


def reloaded(reload: Reload | None, present: Settings) -> Settings | None:
    """The settings as they are now; None where they cannot be used, or there are none to be read."""
    if reload is None:
        _LOG.error("there is no configuration to be reloaded; start the gateway with --config")
        return None
    try:
        settings = reload()
    except ValueError as error:
        _LOG.error("the configuration was not reloaded, the old one stays: %s", "; ".join(str(error).splitlines()))
        return None
    changed = [name for name in _FIXED if getattr(settings, name) != getattr(present, name)]
    if changed:
        names = ", ".join(f"gateway.{name}" for name in changed)
        _LOG.error("the configuration was not reloaded, the old one stays: %s needs a new start to change", names)
        return None
    return settings
