"""Whether a URL that a request names may be called back, as far as can be told before.

Where its name leads then, the guard of egress judges when it connects. Refuses, with ``LocalError``, what is no URL.
"""

from __future__ import annotations

from mm7zeep.gateway.security import outbound


def why_internal(url: str) -> str | None:
    """How the host of ``url`` is internal as it is written, in words; None for every other.

    Raises ``LocalError`` for what is no http or https URL without user. A fragment is never sent, and does not count.
    """
    return outbound.internal(url.partition("#")[0])
