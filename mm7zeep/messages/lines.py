"""Text that goes into one line of a header or an element.

Refuses, with ``LocalError``, the control characters that could end the line, and what XML cannot hold.
"""

from __future__ import annotations

import re

from mm7zeep.errors import LocalError

# One pass in C: a text may have 100,000 characters.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def plain(value: str, what: str) -> str:
    """``value`` as it is. Raises ``LocalError`` naming ``what`` if it holds a control character other than a tab."""
    if not isinstance(value, str):
        raise LocalError(f"{what} is a str, not {type(value).__name__}")
    found = _CONTROL.search(value)
    if found is not None:
        raise LocalError(f"{what} holds the control character {found[0]!r}; remove it")
    return value
