"""Whether an application may send under an address: not under the short code of another one. Values in, values out."""

from __future__ import annotations

from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.messages import Address


def is_of_another(sender: Address | None, application: Application, settings: Settings) -> bool:
    """Whether ``sender`` is a short code of another application, whose answers would then be that one's."""
    if sender is None or sender.coding is not None:
        return False
    bare = sender.bare.strip()
    return bare not in application.short_codes and any(bare in one.short_codes for one in settings.applications)
