"""Whether a URL may name a part of a message, as far as can be told before it is fetched.

Where its name leads then, the guard of egress judges when it connects. Refuses, with ``LocalError``, what is no URL.
"""

from __future__ import annotations

from mm7zeep.errors import LocalError
from mm7zeep.gateway.security import outbound


def why_internal(url: str) -> str | None:
    """How the host of ``url`` is internal as it is written, in words; None for every other.

    Raises ``LocalError`` for what is no http or https URL in ASCII, without user and fragment.
    """
    if not url.isascii():
        raise LocalError("the URL is not in ASCII; write other characters percent-encoded, such as %C3%BC")
    return outbound.internal(url)
