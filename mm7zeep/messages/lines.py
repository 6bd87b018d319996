"""Text that goes into one line of a header or an element.

Refuses, with ``LocalError``, the control characters that could end the line, and what XML cannot hold.
"""

from __future__ import annotations

from mm7zeep.errors import LocalError


def plain(value: str, what: str) -> str:
    """``value`` as it is. Raises ``LocalError`` naming ``what`` if it holds a control character other than a tab."""
    if not isinstance(value, str):
        raise LocalError(f"{what} is a str, not {type(value).__name__}")
    for character in value:
        if (
            (character < " " and character != "\t")
            or character in "\x7f\ufffe\uffff"
            or "\ud800" <= character <= "\udfff"
        ):
            raise LocalError(f"{what} holds the control character {character!r}; remove it")
    return value
