"""Where the listeners of the gateway are reached by whoever looks at a page, as the settings and the browser say.

Values in, values out. Refuses nothing: a Host field that is none is left aside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mm7zeep.gateway.viewer.copies import Urls

if TYPE_CHECKING:
    from mm7zeep.gateway.config.settings import Place, Settings

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?")
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  compared, not bound
_PATH = "/mm7"


def urls_of(settings: Settings, headers: Mapping[str, str], user: str | None) -> Urls:
    """The addresses of MM7, the JSON API and the admin listener; ``user`` is who logs in at the latter.

    The admin listener is where the browser has found it; a listener that is bound to every address is reached under
    the same name.
    """
    host = headers.get("host", "").strip()
    found = _HOST.fullmatch(host)
    name = found["name"] if found is not None else None
    scheme = "https" if settings.cert is not None else "http"
    # whoever ends TLS before the admin listener says so; at worst the text to be copied has a wrong scheme
    own = "https" if headers.get("x-forwarded-proto", "").strip().lower() == "https" else "http"
    api = settings.api_url
    if api is None and settings.api is not None:
        api = f"{scheme}://{_at(settings.api, name)}"
    return Urls(
        mm7=f"{scheme}://{_at(settings.mm7, name)}{_PATH}",
        api=api,
        admin=f"{own}://{host}" if found is not None else f"{own}://{_at(settings.admin, None)}",
        admin_user=user,
    )


def _at(place: Place, name: str | None) -> str:
    """A place with the name under which it is reached from where the browser is."""
    if place.host in _EVERYWHERE:
        return f"{name or '127.0.0.1'}:{place.port}"
    return str(place)
