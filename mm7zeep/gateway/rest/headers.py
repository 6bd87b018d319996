"""Header fields of every answer that does not say otherwise: they keep browsers from making more of it than it is."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from mm7zeep.receiver import Send

ALWAYS: Mapping[str, str] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    }
)


def with_always(send: Send) -> Send:
    """``send``, which adds to an answer those of ``ALWAYS`` that it does not have."""

    async def sending(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            added = [(name.lower().encode(), value.encode()) for name, value in ALWAYS.items()]
            message["headers"] = [*message["headers"], *(one for one in added if one[0] not in given)]
        await send(message)

    return sending
